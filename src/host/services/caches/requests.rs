//! The requests of a site that are being answered: the connections of nginx to what it passes them to, as the kernel lists them.
//!
//! A request that began before a change-over may end after it, and what it made of the old pages and rows is saved then. So the caches are
//! emptied once more when these connections are gone. One that is kept open between requests tells nothing and is not looked at.

use crate::siteconf::Listen;
use crate::siteconf::nginx::Directive;
use crate::siteconf::servers;
use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

const PASSES: [&str; 4] = ["fastcgi_pass", "proxy_pass", "scgi_pass", "uwsgi_pass"];
/// Most bytes of a list of the kernel's that are read.
const MAX_LIST: u64 = 16 << 20;

/// Requests that were being answered at a moment.
#[derive(Debug, Default)]
pub struct Requests {
    to: BTreeSet<String>,
    open: HashSet<String>,
}

impl Requests {
    /// Those of the servers of a domain, now.
    pub fn now(all: &[Directive], domain: &str) -> Requests {
        let to = passes(all, domain);
        let open = connections(&to);
        Requests { to, open }
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: Requests) -> Requests {
        self.to.extend(others.to);
        self.open.extend(others.open);
        self
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// How many of them are still being answered.
    pub fn left(&self) -> usize {
        match self.open.is_empty() {
            true => 0,
            false => connections(&self.to).intersection(&self.open).count(),
        }
    }
}

/// Where the servers of a domain pass requests to, in the kernel's words: a path, or an address and a port.
fn passes(all: &[Directive], domain: &str) -> BTreeSet<String> {
    let (ours, _) = servers::of(all, domain);
    let is_ours = |server: usize| ours.contains(&server);
    // Said for all servers, or for one of these: a connection that stays open is no request.
    let keeps = all.iter().any(|directive| {
        let is_kept = directive.name == "fastcgi_keep_conn" && directive.first() == "on";
        is_kept && servers::around(all, directive).is_none_or(is_ours)
    });
    let is_pass = |name: &str| PASSES.contains(&name) && !(keeps && name == "fastcgi_pass");
    let passes = all.iter().filter(|directive| is_pass(&directive.name));
    let ours = passes.filter(|directive| servers::around(all, directive).is_some_and(is_ours));
    ours.flat_map(|directive| targets(all, directive.first())).flat_map(|to| listed_as(&to)).collect()
}

fn targets(all: &[Directive], pass: &str) -> Vec<Listen> {
    let (usual, to) = match pass.split_once("://") {
        Some(("https", to)) => ("443", to),
        Some((_, to)) => ("80", to),
        None => ("80", pass),
    };
    if to.contains('$') {
        return Vec::new();
    }
    if let Some(path) = to.strip_prefix("unix:") {
        return vec![Listen::Unix(path.split(':').next().unwrap_or_default().into())];
    }
    let name = to.split('/').next().unwrap_or_default();
    let group = all.iter().position(|directive| directive.name == "upstream" && directive.first() == name);
    let Some(group) = group else {
        let has_port = name.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        return vec![Listen::Tcp(if has_port { name.to_owned() } else { format!("{name}:{usual}") })];
    };
    let inside = || all.iter().filter(|directive| directive.parent == Some(group));
    if inside().any(|directive| directive.name == "keepalive") {
        return Vec::new();
    }
    // A group in a group is none to nginx.
    inside()
        .filter(|directive| directive.name == "server")
        .map(|directive| match directive.first().strip_prefix("unix:") {
            Some(path) => Listen::Unix(path.into()),
            None if directive.first().contains(':') => Listen::Tcp(directive.first().to_owned()),
            None => Listen::Tcp(format!("{}:80", directive.first())),
        })
        .collect()
}

/// A place to listen at, as `/proc/net` writes it. A name of another machine has none.
fn listed_as(to: &Listen) -> Vec<String> {
    match to {
        Listen::Unix(path) => {
            let real = path.canonicalize().ok();
            let both = [Some(path.as_path()), real.as_deref()];
            let named = both.into_iter().flatten().map(|path: &Path| path.to_string_lossy().into_owned());
            // The kernel knows the path by which the server made it: /var/run is a link to /run.
            named
                .flat_map(|path| [path.starts_with("/run/").then(|| format!("/var{path}")), Some(path)])
                .flatten()
                .collect()
        }
        Listen::Tcp(address) => {
            let Some((host, port)) = address.rsplit_once(':') else { return Vec::new() };
            let Ok(port) = port.parse::<u16>() else { return Vec::new() };
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let addresses: Vec<IpAddr> = match (host, host.parse()) {
                ("localhost", _) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
                (_, Ok(address)) => vec![address],
                _ => Vec::new(),
            };
            // A server on all addresses of the sixth version answers those of the fourth, too.
            let sixth = |address: &IpAddr| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped(),
                IpAddr::V6(address) => *address,
            };
            let fourth = addresses.iter().filter_map(|address| match address {
                IpAddr::V4(address) => Some(words(&address.octets())),
                IpAddr::V6(_) => None,
            });
            let all = addresses.iter().map(|address| words(&sixth(address).octets())).chain(fourth);
            all.map(|words| format!("{words}:{port:04X}")).collect()
        }
    }
}

/// Each four bytes as one number of this machine's.
fn words(octets: &[u8]) -> String {
    octets
        .chunks_exact(4)
        .map(|four| format!("{:08X}", u32::from_ne_bytes([four[0], four[1], four[2], four[3]])))
        .collect()
}

/// The connections that stand, by what tells each from all others.
fn connections(to: &BTreeSet<String>) -> HashSet<String> {
    if to.is_empty() {
        return HashSet::new();
    }
    let mut found = unix_connections(&read("/proc/net/unix"), to);
    for list in ["/proc/net/tcp", "/proc/net/tcp6"] {
        found.extend(tcp_connections(&read(list), to));
    }
    found
}

fn read(list: &str) -> String {
    let mut bytes = Vec::new();
    let _ = File::open(list).and_then(|file| file.take(MAX_LIST).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `Num RefCount Protocol Flags Type St Inode Path`: the side of the server has its path. State 03 is a connection.
fn unix_connections(list: &str, to: &BTreeSet<String>) -> HashSet<String> {
    let of_line = |line: &str| {
        let mut parts = line.split_ascii_whitespace();
        let (state, inode, path) = (parts.nth(5)?, parts.next()?, parts.next()?);
        (state == "03" && to.contains(path)).then(|| format!("unix {inode}"))
    };
    list.lines().filter_map(of_line).collect()
}

/// `sl local_address rem_address st`: either side. State 01 is a connection.
fn tcp_connections(list: &str, to: &BTreeSet<String>) -> HashSet<String> {
    let of_line = |line: &str| {
        let mut parts = line.split_ascii_whitespace();
        let (local, remote, state) = (parts.nth(1)?, parts.next()?, parts.next()?);
        (state == "01" && (to.contains(local) || to.contains(remote))).then(|| format!("{local} {remote}"))
    };
    list.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::siteconf::nginx::parse;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn a_site_is_answered_by_what_its_own_servers_pass_to() {
        let text = "upstream app { server 127.0.0.1:3000; server unix:/run/app.sock weight=2; }\n\
            upstream kept { server 127.0.0.1:4000; keepalive 8; }\n\
            server { server_name shop.example; location / { proxy_pass http://app/x; } location /k { proxy_pass http://kept; }\n\
              location /v { proxy_pass http://$to; } location /h { proxy_pass http://127.0.0.2; }\n\
              location ~ php { fastcgi_pass unix:/run/php.sock; } location /u { proxy_pass http://unix:/run/u.sock:/uri; } }\n\
            server { server_name other.example; location / { fastcgi_pass unix:/run/other.sock; } }";
        let found = passes(&parse(text.as_bytes()).unwrap(), "shop.example");
        for one in ["/run/app.sock", "/run/php.sock", "/run/u.sock", "0100007F:0BB8", "0200007F:0050"] {
            assert!(found.contains(one), "{one}: {found:?}");
        }
        assert!(found.contains("/var/run/php.sock"), "by the link too: {found:?}");
        assert!(!found.contains("/run/other.sock") && !found.iter().any(|to| to.ends_with(":0FA0")), "{found:?}");
        let kept = "fastcgi_keep_conn on; server { server_name shop.example; fastcgi_pass unix:/run/php.sock; }";
        assert!(passes(&parse(kept.as_bytes()).unwrap(), "shop.example").is_empty());
        let neighbours = "server { server_name other.example; fastcgi_keep_conn on; }
            server { server_name shop.example; fastcgi_pass unix:/run/php.sock; }";
        assert!(passes(&parse(neighbours.as_bytes()).unwrap(), "shop.example").contains("/run/php.sock"));
    }

    #[test]
    fn a_connection_is_one_until_it_ends_and_a_later_one_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("php.sock");
        let unix = UnixListener::bind(&path).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        let text = format!(
            "server {{ server_name shop.example; fastcgi_pass unix:{}; location /a {{ proxy_pass http://{address}; }} }}",
            path.display()
        );
        let all = parse(text.as_bytes()).unwrap();
        let now = || Requests::now(&all, "shop.example");
        assert_eq!((now().count(), now().left()), (0, 0));
        let first = UnixStream::connect(&path).unwrap();
        let answered = unix.accept().unwrap();
        let other = TcpStream::connect(address).unwrap();
        let before = now();
        assert!(before.left() == before.count() && before.count() >= 2, "{before:?}");
        drop((first, answered));
        let later = UnixStream::connect(&path).unwrap();
        assert!(before.left() > 0, "the other one stands");
        drop((tcp.accept().unwrap(), other));
        assert_eq!(before.left(), 0, "a later one is none of these");
        // One that nobody has taken yet has not begun.
        assert_eq!(now().count(), 0);
        let answered = unix.accept().unwrap();
        assert_eq!(now().count(), 1);
        drop((later, answered));
    }
}
