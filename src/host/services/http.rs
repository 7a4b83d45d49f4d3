//! Asks for one page over plain HTTP, with the site's name as Host.

use super::wire::{Until, Wire};
use crate::error::{Code, Error, Result};
use crate::siteconf::Listen;
use std::io::{self, Read, Write};
use std::time::Instant;

/// Most bytes of a page that are read.
const LIMIT: u64 = 2 << 20;

/// What the web server answered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Bytes of the body that came, at most 2 MiB.
    pub bytes: u64,
    /// From connecting to the last byte.
    pub millis: u64,
    /// Where a redirect leads.
    pub location: Option<String>,
}

struct Address {
    host: String,
    path: String,
}

fn parse_url(url: &str) -> Option<Address> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if host.is_empty() || host.contains('@') || !plain(host) || !plain(path) {
        return None;
    }
    let named = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Some(Address { host: if named { host.to_owned() } else { format!("{host}:80") }, path })
}

/// Fetches `url` with `Host: domain`.
///
/// # Errors
/// `config_invalid` for an address that is not plain HTTP, `service_down` when no whole answer comes in time.
pub fn fetch(url: &str, domain: &str, until: &Until) -> Result<Answer> {
    let address = parse_url(url)
        .ok_or_else(|| Error::new(Code::ConfigInvalid, format!("http.url = {url:?} is not http://HOST[:PORT]/PATH")))?;
    ask(&address, domain, until).map_err(|error| {
        Error::new(Code::ServiceDown, format!("{url} with Host: {domain} gives no answer: {error}"))
            .hint("Look at the web server's error log.")
            .with("url", url)
    })
}

fn ask(address: &Address, domain: &str, until: &Until) -> io::Result<Answer> {
    let begun = Instant::now();
    let mut wire = Wire::connect(&Listen::Tcp(address.host.clone()), until)?;
    // In one piece: `write!` on a socket sends a segment for every part of the text.
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {domain}\r\nUser-Agent: rocketvps-restore\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        address.path
    );
    wire.write_all(request.as_bytes())?;
    let mut text = Vec::new();
    let mut buffer = [0; 16 << 10];
    let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let head_end = loop {
        let length = wire.read(&mut buffer)?;
        if length == 0 {
            return Err(bad("the connection was closed before an answer"));
        }
        text.extend_from_slice(&buffer[..length]);
        if let Some(at) = memchr::memmem::find(&text, b"\r\n\r\n") {
            break at + 4;
        }
        if text.len() > 64 << 10 {
            return Err(bad("the answer's head is longer than 64 KiB"));
        }
    };
    let head = String::from_utf8_lossy(&text[..head_end]).into_owned();
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| bad("the answer is not HTTP"))?;
    let header = |name: &str| {
        head.lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned()))
    };
    let expected: Option<u64> = header("content-length").and_then(|length| length.parse().ok());
    let mut bytes = (text.len() - head_end) as u64;
    while bytes < LIMIT && expected.is_none_or(|expected| bytes < expected) {
        match wire.read(&mut buffer)? {
            0 => break,
            length => bytes += length as u64,
        }
    }
    if expected.is_some_and(|expected| bytes < expected.min(LIMIT)) {
        return Err(bad("the answer is cut"));
    }
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let location = header("location").map(|text| crate::text::printable(&text));
    Ok(Answer { status, bytes, millis, location })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Duration;

    fn until(millis: u64) -> Until {
        let monitor: std::sync::Arc<dyn crate::progress::Monitor> = std::sync::Arc::new(crate::progress::Silent);
        Until::from_now(Duration::from_millis(millis), &monitor)
    }

    fn served(answer: &'static str, deadline: u64) -> (Result<Answer>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x?y=1", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut got = vec![0; 4096];
            let length = peer.read(&mut got).unwrap();
            let _ = peer.write_all(answer.as_bytes());
            if answer.is_empty() {
                std::thread::sleep(Duration::from_millis(300));
            }
            String::from_utf8_lossy(&got[..length]).into_owned()
        });
        let said = fetch(&url, "example.com", &until(deadline));
        (said, thread.join().unwrap())
    }

    #[test]
    fn the_site_is_asked_by_its_name_and_redirects_are_told_not_followed() {
        let (said, sent) =
            served("HTTP/1.1 301 Moved\r\nLocation: https://example.com/\r\nContent-Length: 2\r\n\r\nhi", 2000);
        let answer = said.unwrap();
        assert_eq!((answer.status, answer.bytes), (301, 2));
        assert_eq!(answer.location.as_deref(), Some("https://example.com/"));
        assert!(sent.starts_with("GET /x?y=1 HTTP/1.1\r\nHost: example.com\r\n"), "{sent}");
    }

    #[test]
    fn silence_rubbish_and_cut_answers_are_no_answers() {
        for (answer, deadline) in
            [("", 50), ("what?\r\n\r\n", 2000), ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", 2000)]
        {
            let begun = Instant::now();
            assert_eq!(served(answer, deadline).0.unwrap_err().code, Code::ServiceDown, "{answer:?}");
            assert!(begun.elapsed() < Duration::from_secs(2));
        }
    }

    #[test]
    fn only_plain_http_addresses_are_taken() {
        for bad in ["https://x/", "http:///", "x", "http://a@b/", "http://a b/", "http://a/\r\nX: y"] {
            let said = fetch(bad, "example.com", &until(1000));
            assert_eq!(said.unwrap_err().code, Code::ConfigInvalid, "{bad}");
        }
        assert_eq!(
            parse_url("http://h").map(|address| (address.host, address.path)),
            Some(("h:80".into(), "/".into()))
        );
    }
}
