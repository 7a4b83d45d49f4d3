//! Asks Redis for a PONG.

use super::Health;
use super::wire::{Until, Wire};
use crate::siteconf::Listen;
use std::io::{Read, Write};

/// `redis://host[:port]`, `unix:/path` or `unix:///path`.
fn parse_url(url: &str) -> Option<Listen> {
    if let Some(path) = url.strip_prefix("unix://").or_else(|| url.strip_prefix("unix:")) {
        return path.starts_with('/').then(|| Listen::Unix(path.into()));
    }
    let rest = url.strip_prefix("redis://")?;
    let host = rest.split('/').next().unwrap_or_default();
    // An account in the address is not needed for a sign of life and is never shown.
    let host = host.rsplit('@').next().unwrap_or_default();
    let named = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    (!host.is_empty()).then(|| Listen::Tcp(if named { host.to_owned() } else { format!("{host}:6379") }))
}

/// Asks; an answer that a password is needed is a sign of life, too.
pub fn ping(url: &str, until: &Until) -> Health {
    let Some(to) = parse_url(url) else {
        return Health { up: false, evidence: "services.redis.url is neither redis://HOST:PORT nor unix:/PATH".into() };
    };
    let asked = || {
        let mut wire = Wire::connect(&to, until)?;
        wire.write_all(b"PING\r\n")?;
        let mut said = [0; 64];
        let length = wire.read(&mut said)?;
        std::io::Result::Ok(String::from_utf8_lossy(&said[..length]).trim().to_owned())
    };
    match asked() {
        Ok(said) if said.starts_with("+PONG") => Health { up: true, evidence: format!("PONG from {to}") },
        Ok(said) if said.starts_with("-NOAUTH") => Health { up: true, evidence: format!("{to} asks for a password") },
        Ok(said) => Health { up: false, evidence: format!("{to} answers {:?}", crate::text::printable(&said)) },
        Err(error) => Health { up: false, evidence: format!("no answer from {to}: {error}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Duration;

    #[test]
    fn addresses_are_read_without_their_password() {
        assert_eq!(parse_url("redis://:secret@h:1/0"), Some(Listen::Tcp("h:1".into())));
        assert_eq!(parse_url("redis://h"), Some(Listen::Tcp("h:6379".into())));
        assert_eq!(parse_url("unix:/run/r.sock"), Some(Listen::Unix("/run/r.sock".into())));
        assert_eq!(parse_url("http://h"), None);
    }

    #[test]
    fn pong_and_the_wish_for_a_password_are_life() {
        let monitor: std::sync::Arc<dyn crate::progress::Monitor> = std::sync::Arc::new(crate::progress::Silent);
        for (answer, up) in [("+PONG\r\n", true), ("-NOAUTH needed\r\n", true), ("hello", false), ("", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("redis://{}", listener.local_addr().unwrap());
            let thread = std::thread::spawn(move || {
                let (mut peer, _) = listener.accept().unwrap();
                let _ = peer.read(&mut [0; 16]);
                let _ = peer.write_all(answer.as_bytes());
            });
            let health = ping(&url, &Until::from_now(Duration::from_secs(1), &monitor));
            assert_eq!(health.up, up, "{answer:?}: {}", health.evidence);
            thread.join().unwrap();
        }
    }
}
