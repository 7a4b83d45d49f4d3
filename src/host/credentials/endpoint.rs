//! Where a site connects to, as its configuration says it.

use super::Endpoint;

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
    if host.is_empty() || host.eq_ignore_ascii_case("localhost") {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_host_is_understood() {
        let default = Endpoint::Socket("/run/mysqld/mysqld.sock".into());
        let tcp = |host: &str, port| Some(Endpoint::Tcp { host: host.into(), port });
        let socket = |path: &str| Some(Endpoint::Socket(path.into()));
        for (text, expected) in [
            ("", Some(default.clone())),
            ("localhost", Some(default.clone())),
            ("LOCALHOST", Some(default.clone())),
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
