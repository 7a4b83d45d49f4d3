//! The servers of nginx's configuration that answer for a domain, as nginx chooses them. Pure.
//!
//! Source: "How nginx processes a request" and `server_name` of nginx's documentation. Names by a regular expression and the server that
//! takes what nobody else does are not judged.

use super::nginx::{Directive, covers, parse, server_names};

/// The servers that answer for a domain on one of the addresses at least, and all others, by their places in the configuration.
pub fn of(all: &[Directive], domain: &str) -> (Vec<usize>, Vec<usize>) {
    let domain = domain.to_ascii_lowercase();
    let servers = (0..all.len()).filter(|at| is_server(all, &all[*at]));
    // Few of many: whoever does not fit answers nothing, wherever it listens.
    let fitting: Vec<Server> = servers
        .clone()
        .filter_map(|at| {
            let fit = server_names(all, at).filter_map(|name| fit(name, &domain)).max()?;
            Some(Server { at, addresses: addresses(all, at), fit })
        })
        .collect();
    // Each address has its own servers, and the one whose name fits best answers; of two that fit alike the first, and nginx warns.
    let answers = |server: &&Server| {
        server.addresses.iter().any(|address| {
            let beside = fitting.iter().filter(|other| other.addresses.contains(address));
            beside.min_by(|one, other| other.fit.cmp(&one.fit)).is_some_and(|best| best.at == server.at)
        })
    };
    let ours: Vec<usize> = fitting.iter().filter(answers).map(|server| server.at).collect();
    let others = servers.filter(|at| !ours.contains(at)).collect();
    (ours, others)
}

/// The `root` of each server that answers to the domain by its name, once each. One inside a `location` is about some paths only.
///
/// # Errors
/// As [`nginx::parse`](parse).
pub fn roots(text: &[u8], domain: &str) -> Result<Vec<String>, String> {
    let mut roots: Vec<String> = Vec::new();
    for root in values_of(text, domain, "root")?.into_iter().filter_map(|values| values.into_iter().next()) {
        if !root.is_empty() && !roots.contains(&root) {
            roots.push(root);
        }
    }
    Ok(roots)
}

/// The names of a folder's own page, in the order in which nginx looks for them; none where the servers of the domain do not say.
///
/// # Errors
/// As [`nginx::parse`](parse).
pub fn indexes(text: &[u8], domain: &str) -> Result<Vec<String>, String> {
    Ok(values_of(text, domain, "index")?.concat())
}

/// The arguments of a directive in the servers that answer for the domain.
fn values_of(text: &[u8], domain: &str, name: &str) -> Result<Vec<Vec<String>>, String> {
    let directives = parse(text)?;
    let named = directives.iter().filter(|directive| directive.name == name);
    let (ours, _) = of(&directives, domain);
    let of_domain = named.filter(|directive| directive.parent.is_some_and(|parent| ours.contains(&parent)));
    Ok(of_domain.map(|directive| directive.arguments.iter().map(|word| word.text.clone()).collect()).collect())
}

/// The server that a directive stands in; none where it is said for all of them.
pub fn around(all: &[Directive], directive: &Directive) -> Option<usize> {
    let mut at = directive.parent;
    while let Some(parent) = at.filter(|parent| all[*parent].name != "server") {
        at = all[parent].parent;
    }
    at
}

/// A server with a name that fits.
struct Server {
    at: usize,
    addresses: Vec<String>,
    fit: Fit,
}

/// How a name fits a domain, the better ones last. Of wildcards the longer one fits better.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Tail(usize),
    Head(usize),
    Exact,
}

fn fit(name: &str, domain: &str) -> Option<Fit> {
    if covers(name, domain) != Some(true) {
        return None;
    }
    let plain = name.strip_prefix('.').unwrap_or(name);
    Some(match name {
        _ if plain.eq_ignore_ascii_case(domain) => Fit::Exact,
        _ if name.ends_with(".*") => Fit::Tail(name.len()),
        _ => Fit::Head(name.trim_start_matches(['*', '.']).len()),
    })
}

/// Those of an `upstream` are machines.
fn is_server(all: &[Directive], directive: &Directive) -> bool {
    let within = directive.parent.map(|parent| all[parent].name.as_str());
    directive.name == "server" && within != Some("upstream")
}

/// Where a server listens, each address in one spelling.
fn addresses(all: &[Directive], server: usize) -> Vec<String> {
    let listens = all.iter().filter(|directive| directive.parent == Some(server) && directive.name == "listen");
    let found: Vec<String> = listens.map(|directive| address(directive.first())).collect();
    let includes = || all.iter().any(|directive| directive.parent == Some(server) && directive.name == "include");
    match found.is_empty() {
        // Where it listens is said elsewhere: nobody is known to listen beside it.
        true if includes() => vec![format!("include {server}")],
        true => vec![address("80")],
        false => found,
    }
}

fn address(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    match host_and_port(&lower) {
        Some(("0.0.0.0", port)) => format!("*:{port}"),
        Some((host, port)) => format!("{host}:{port}"),
        None => word.to_owned(),
    }
}

/// What the first word of a `listen` says of host and port; `None` of a Unix socket.
pub(super) fn host_and_port(word: &str) -> Option<(&str, &str)> {
    if word.starts_with("unix:") {
        return None;
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(("*", word));
    }
    // The colons of an address in brackets are its own.
    Some(word.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((word, "80")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(text: &str, domain: &str) -> Vec<String> {
        super::roots(text.as_bytes(), domain).unwrap()
    }

    #[test]
    fn the_name_that_fits_best_answers() {
        let text = "upstream shop.example { server shop.example; }
            server { server_name *.example; root /head; }
            server { server_name *.a.example; root /longer; }
            server { server_name shop.*; root /tail; }
            server { server_name shop.example www.shop.example; root /name; }
            server { server_name .dot.example; root /dot; }
            server { server_name ~^re; root /re; }";
        for (domain, root) in [
            ("shop.example", "/name"),
            ("Shop.Example", "/name"),
            ("x.example", "/head"),
            ("x.a.example", "/longer"),
            ("shop.test", "/tail"),
            ("dot.example", "/dot"),
            ("y.dot.example", "/dot"),
        ] {
            assert_eq!(roots(text, domain), [root], "{domain}");
        }
        assert!(roots(text, "re.test").is_empty());
    }

    #[test]
    fn each_address_has_its_own_servers() {
        // Plain requests are led away by the name itself, and the pages come from the server of all names.
        let text = "server { listen 80; listen [::]:80; server_name shop.example; root /plain; }
            server { listen 443 ssl; server_name *.example; root /all; }
            server { listen 0.0.0.0:80; server_name *.example; root /never; }
            server { listen [::1]; server_name *.example; root /loopback; }
            server { listen unix:/run/x.sock; server_name *.example; root /socket; }";
        assert_eq!(roots(text, "shop.example"), ["/plain", "/all", "/loopback", "/socket"]);
        assert_eq!(roots(text, "other.example"), ["/all", "/never", "/loopback", "/socket"]);
    }

    #[test]
    fn an_address_that_is_not_known_is_nobody_elses_and_of_two_alike_the_first_answers() {
        let text = "server { listen 80; server_name shop.example; }
            server { include snippets/listen-ssl.conf; server_name *.example; root /srv/shop; }";
        assert_eq!(roots(text, "shop.example"), ["/srv/shop"]);
        let twice = "server { server_name shop.example; root /first; } server { listen 80; server_name shop.example; root /second; }";
        assert_eq!(roots(twice, "shop.example"), ["/first"]);
    }

    #[test]
    fn the_root_of_a_domain_is_that_of_its_servers_not_of_a_location() {
        let text = "server { server_name other.example; root /srv/other; }
            server { listen 80; server_name shop.example; return 301 https://$host; }
            server { listen 443 ssl; root /srv/shop/; server_name www.shop.example shop.example; location /x { root /srv/x; } }";
        assert_eq!(roots(text, "shop.example"), ["/srv/shop/"]);
        assert!(roots(text, "none.example").is_empty());
        let text = b"server { server_name shop.example; index index.html index.php; location /x { index x.php; } }";
        assert_eq!(indexes(text, "shop.example").unwrap(), ["index.html", "index.php"]);
    }
}
