//! Where the servers of an nginx file answer for a domain: plainly and under TLS. Pure.

use super::nginx::{self, Directive};
use super::servers;

/// The addresses of a domain's servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doors {
    /// Where they take plain requests.
    pub plain: Vec<Address>,
    /// Where they speak TLS.
    pub secure: Vec<Address>,
    /// Their certificates as written; more than one where each is for another kind of key.
    pub certificates: Vec<String>,
    /// They let nobody in without a certificate of his own.
    pub asks_visitors: bool,
}

/// What a `listen` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `None`: every address of the machine.
    pub host: Option<String>,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Reads the first word of a `listen`; `None` for a Unix socket and for what is none.
    fn parse(word: &str) -> Option<Address> {
        let (host, port) = servers::host_and_port(word)?;
        let port = port.parse().ok()?;
        let host = (!matches!(host, "" | "*" | "0.0.0.0" | "[::]")).then(|| host.to_ascii_lowercase());
        Some(Address { host, port })
    }
}

/// The doors of the servers that answer to the domain by its name.
///
/// # Errors
/// As [`nginx::parse`].
pub fn of(text: &[u8], domain: &str) -> Result<Doors, String> {
    let directives = nginx::parse(text)?;
    let mut doors = Doors::default();
    for server in servers::of(&directives, domain).0 {
        let own: Vec<&Directive> = directives.iter().filter(|directive| directive.parent == Some(server)).collect();
        let of_name = |name: &'static str| own.iter().filter(move |directive| directive.name == name);
        let is_all_secure = of_name("ssl").any(|directive| directive.first() == "on");
        for listen in of_name("listen") {
            let says = |word: &str| listen.arguments.iter().skip(1).any(|argument| argument.text == word);
            let address = Address::parse(listen.first());
            // One speaks over UDP, the other wants to hear first from whom a request comes.
            let Some(address) = address.filter(|_| !says("quic") && !says("proxy_protocol")) else { continue };
            let into = if says("ssl") || is_all_secure { &mut doors.secure } else { &mut doors.plain };
            if !into.contains(&address) {
                into.push(address);
            }
        }
        if of_name("listen").next().is_none() {
            doors.plain.push(Address { host: None, port: 80 });
        }
        doors.certificates.extend(of_name("ssl_certificate").map(|directive| directive.first().to_owned()));
        doors.asks_visitors |= of_name("ssl_verify_client").any(|directive| directive.first() == "on");
    }
    doors.certificates.dedup();
    Ok(doors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: Option<&str>, port: u16) -> Address {
        Address { host: host.map(str::to_owned), port }
    }

    #[test]
    fn the_doors_of_a_domain_are_those_of_its_own_servers() {
        let text = b"server { listen 80; listen [::]:80; server_name shop.example; return 301 https://$host$request_uri; }
            server { listen 443 ssl; listen [::1]:8443 ssl; listen 443 quic; listen 127.0.0.1:444 ssl proxy_protocol;
                listen unix:/run/x.sock ssl; server_name www.shop.example shop.example;
                ssl_certificate /a.pem; ssl_certificate /b.pem; ssl_verify_client optional; }
            server { listen 192.0.2.1:445 ssl; server_name other.example; ssl_certificate /c.pem; ssl_verify_client on; }";
        let doors = of(text, "shop.example").unwrap();
        assert_eq!(doors.plain, [at(None, 80)]);
        assert_eq!(doors.secure, [at(None, 443), at(Some("[::1]"), 8443)]);
        assert_eq!((doors.certificates, doors.asks_visitors), (vec!["/a.pem".to_owned(), "/b.pem".to_owned()], false));
        let other = of(text, "other.example").unwrap();
        assert_eq!((other.plain, other.secure), (vec![], vec![at(Some("192.0.2.1"), 445)]));
        assert!(other.asks_visitors);
    }

    #[test]
    fn what_a_listen_leaves_out_is_what_nginx_takes_for_it() {
        for (word, address) in [
            ("80", Some(at(None, 80))),
            ("*:8080", Some(at(None, 8080))),
            ("0.0.0.0:443", Some(at(None, 443))),
            ("[::]", Some(at(None, 80))),
            ("[2001:db8::1]", Some(at(Some("[2001:db8::1]"), 80))),
            ("LocalHost:81", Some(at(Some("localhost"), 81))),
            ("127.0.0.1", Some(at(Some("127.0.0.1"), 80))),
            ("unix:/x", None),
            ("h:99999", None),
        ] {
            assert_eq!(Address::parse(word), address, "{word}");
        }
        let doors = of(b"server { server_name a; } server { ssl on; listen 443; server_name a; }", "a").unwrap();
        assert_eq!((doors.plain, doors.secure), (vec![at(None, 80)], vec![at(None, 443)]));
    }
}
