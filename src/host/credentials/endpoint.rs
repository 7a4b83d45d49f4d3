//! Where a site connects to, as its configuration says it.

use super::Endpoint;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

const PORT: u16 = 3306;

/// `DB_HOST` in the forms WordPress, Laravel and PHP's drivers take: `host`, `host:port`, `host:/socket`, `:/socket`,
/// `[::1]:3307`, `p:host`. `localhost` is the local server's socket, whatever port follows, as it is for PHP: `default`.
/// `None` for what is no place.
pub fn parse(text: &str, default: &Endpoint) -> Option<Endpoint> {
    let text = text.trim();
    let text = text.strip_prefix("p:").unwrap_or(text);
    if let Some(at) = text.find(":/").filter(|at| *at == 0 || !text[..*at].contains('/')) {
        return socket(&text[at + 1..]);
    }
    if text.starts_with('/') {
        return socket(text);
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return None,
        }
    } else if text.matches(':').count() > 1 {
        // An IPv6 address without brackets has no room for a port.
        (text, None)
    } else {
        text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
    };
    let port = match port {
        None | Some("") => PORT,
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
    };
    if host.is_empty() || host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        return Some(default.clone());
    }
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%');
    (host.len() <= 255 && host.bytes().all(good)).then(|| Endpoint::Tcp { host: host.to_owned(), port })
}

fn socket(path: &str) -> Option<Endpoint> {
    // Longer ones do not fit into a socket's address.
    let good = path.len() < 108 && !path.contains(['\0', '\n']);
    good.then(|| Endpoint::Socket(path.into()))
}

/// Where a server says it listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listening {
    /// Its TCP port; `None` when it takes no TCP.
    pub port: Option<u16>,
    /// Its socket.
    pub socket: PathBuf,
    /// The name of its machine.
    pub hostname: String,
}

/// What a place that a site's configuration names is, beside the server of restore.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// That server. A site that goes there by TCP may have another account there than over the socket: then the address.
    Here(Option<Endpoint>),
    /// Another server, or nobody knows. Nothing looks there.
    Elsewhere,
}

/// Compares places by their text and by what the server itself says. No name is looked up and nothing is touched: whoever wrote
/// `claimed` would see it.
pub fn place_of(claimed: &Endpoint, own: &Endpoint, listening: &Listening) -> Place {
    let loopback = |host: &str| {
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    if claimed == own {
        return Place::Here(None);
    }
    // A server on another machine is what restore.toml calls it and nothing else.
    let local = match own {
        Endpoint::Socket(_) => true,
        Endpoint::Tcp { host, .. } => loopback(host),
    };
    match claimed {
        Endpoint::Socket(path) if local => {
            let same = |known: &Path| plain_run(known) == plain_run(path);
            let known = same(&listening.socket) || matches!(own, Endpoint::Socket(own) if same(own));
            if known { Place::Here(None) } else { Place::Elsewhere }
        }
        Endpoint::Tcp { host, port } if local && listening.port == Some(*port) => {
            let name = !listening.hostname.is_empty() && host.eq_ignore_ascii_case(&listening.hostname);
            if loopback(host) || name {
                Place::Here(Some(Endpoint::Tcp { host: "127.0.0.1".into(), port: *port }))
            } else {
                Place::Elsewhere
            }
        }
        Endpoint::Socket(_) | Endpoint::Tcp { .. } => Place::Elsewhere,
    }
}

/// Whether a server with this `bind_address` has 127.0.0.1 for itself: then nobody else can listen on its port there. Several
/// addresses stand with commas, a network namespace behind a slash.
pub fn covers_loopback(bind_address: &str) -> bool {
    let covers = |address: &str| matches!(address.trim(), "" | "*" | "0.0.0.0" | "::" | "127.0.0.1" | "localhost");
    bind_address.split(',').any(covers)
}

/// `/var/run` is `/run` on every machine of ours.
fn plain_run(path: &Path) -> PathBuf {
    path.strip_prefix("/var/run").map_or_else(|_| path.to_owned(), |rest| Path::new("/run").join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_of_the_administrator_is_here() {
        let socket = |path: &str| Endpoint::Socket(path.into());
        let tcp = |host: &str, port| Endpoint::Tcp { host: host.into(), port };
        let own = socket("/run/mysqld/mysqld.sock");
        let listening =
            Listening { port: Some(3306), socket: "/run/mysqld/mysqld.sock".into(), hostname: "vps1".into() };
        let by_tcp = Place::Here(Some(tcp("127.0.0.1", 3306)));
        for (claimed, expected) in [
            (own.clone(), Place::Here(None)),
            (socket("/var/run/mysqld/mysqld.sock"), Place::Here(None)),
            (socket("/var/www/t/evil.sock"), Place::Elsewhere),
            (socket("/run/mysqld/../../var/www/t/evil.sock"), Place::Elsewhere),
            (tcp("127.0.0.1", 3306), by_tcp.clone()),
            (tcp("127.0.0.2", 3306), by_tcp.clone()),
            (tcp("::1", 3306), by_tcp.clone()),
            (tcp("VPS1", 3306), by_tcp.clone()),
            (tcp("127.0.0.1", 3307), Place::Elsewhere),
            (tcp("db.example", 3306), Place::Elsewhere),
            (tcp("127.0.0.1.evil.example", 3306), Place::Elsewhere),
            (tcp("10.0.0.1", 3306), Place::Elsewhere),
        ] {
            assert_eq!(place_of(&claimed, &own, &listening), expected, "{claimed}");
        }
        let deaf = Listening { port: None, ..listening.clone() };
        assert_eq!(place_of(&tcp("127.0.0.1", 3306), &own, &deaf), Place::Elsewhere);
        // The server of restore.toml is another machine's.
        let far = tcp("db.internal", 3306);
        assert_eq!(place_of(&far, &far, &listening), Place::Here(None));
        for claimed in [tcp("127.0.0.1", 3306), tcp("db.internal", 3307), socket("/run/mysqld/mysqld.sock")] {
            assert_eq!(place_of(&claimed, &far, &listening), Place::Elsewhere, "{claimed}");
        }
        // A site's `localhost` is the socket, which a server on the loopback address has too.
        let near = tcp("127.0.0.1", 3306);
        assert_eq!(place_of(&own, &near, &listening), Place::Here(None));
    }

    #[test]
    fn a_server_elsewhere_leaves_the_loopback_address_to_others() {
        for all in ["", "*", "0.0.0.0", "::", "127.0.0.1", "localhost", "192.0.2.2, 127.0.0.1"] {
            assert!(covers_loopback(all), "{all}");
        }
        for other in ["192.0.2.2", "::1", "127.0.0.2", "192.0.2.2,192.0.2.3", "0.0.0.0/other"] {
            assert!(!covers_loopback(other), "{other}");
        }
    }

    #[test]
    fn every_form_of_a_host_is_understood() {
        let default = Endpoint::Socket("/run/mysqld/mysqld.sock".into());
        let tcp = |host: &str, port| Some(Endpoint::Tcp { host: host.into(), port });
        let socket = |path: &str| Some(Endpoint::Socket(path.into()));
        for (text, expected) in [
            ("", Some(default.clone())),
            ("localhost", Some(default.clone())),
            ("LOCALHOST", Some(default.clone())),
            ("localhost.", Some(default.clone())),
            ("p:localhost", Some(default.clone())),
            ("localhost:3307", Some(default.clone())),
            (" db.example ", tcp("db.example", 3306)),
            ("127.0.0.1", tcp("127.0.0.1", 3306)),
            ("127.0.0.1:3307", tcp("127.0.0.1", 3307)),
            ("127.0.0.1:", tcp("127.0.0.1", 3306)),
            ("[::1]:3307", tcp("::1", 3307)),
            ("[::1]", tcp("::1", 3306)),
            ("::1", tcp("::1", 3306)),
            ("localhost:/run/x.sock", socket("/run/x.sock")),
            (":/run/x.sock", socket("/run/x.sock")),
            ("/run/x.sock", socket("/run/x.sock")),
            ("db.example:99999", None),
            ("db.example:0", None),
            ("db.example:3306 --x", None),
            ("$(id)", None),
            ("`id`:3306", None),
            ("a b", None),
            ("[::1", None),
            ("[::1]x", None),
        ] {
            assert_eq!(parse(text, &default), expected, "{text:?}");
        }
    }
}
