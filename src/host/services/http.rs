//! Asks for the site's page as a visitor does: by its name, along its own redirects, over HTTP and HTTPS.
//!
//! Every connection goes to the machine of `http.url`, wherever the name of the site leads: the page of this machine is meant.

use super::door::Door;
use super::fastcgi;
use super::https::Secure;
use super::wire::{Until, Wire};
use crate::error::{Code, Error, Result};
use crate::siteconf::Listen;
use crate::text::printable;
use std::io::{self, Read, Write};
use std::time::Instant;

/// Most bytes of a page that are read.
const LIMIT: u64 = 2 << 20;
/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// What the web server answered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Answer {
    /// Status code of the last answer.
    pub status: u16,
    /// Bytes of its body that came, at most 2 MiB.
    pub bytes: u64,
    /// From the first connection to the last byte.
    pub millis: u64,
    /// The addresses that redirects led to, as far as they were followed.
    pub by: Vec<String>,
    /// Why this is no page of the site; `None` where it is one.
    pub doubt: Option<String>,
    /// The body, as far as it was read.
    #[serde(skip)]
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    is_secure: bool,
    host: String,
    port: u16,
    path: String,
}

impl Address {
    /// Reads `http://HOST[:PORT]/PATH` or the same of https.
    fn parse(url: &str) -> Option<Address> {
        let (is_secure, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if host.is_empty() || host.contains('@') || !plain(host) || !plain(path) {
            return None;
        }
        let usual = if is_secure { 443 } else { 80 };
        let (host, port) = match host.rsplit_once(':').map(|(name, port)| (name, port.parse())) {
            Some((name, Ok(port))) => (name, port),
            _ => (host, usual),
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Address { is_secure, host: host.to_owned(), port, path })
    }

    /// Where a redirect from here leads.
    fn join(&self, location: &str) -> Option<Address> {
        let location = location.trim();
        if location.contains("://") {
            return Address::parse(location);
        }
        let scheme = if self.is_secure { "https:" } else { "http:" };
        if location.starts_with("//") {
            return Address::parse(&format!("{scheme}{location}"));
        }
        let path = match location.starts_with('/') {
            true => location.to_owned(),
            false => format!("{}/{location}", self.path.split('?').next()?.rsplit_once('/')?.0),
        };
        Address::parse(&format!("{scheme}//{}:{}{path}", self.host, self.port))
    }

    fn has_usual_port(&self) -> bool {
        self.port == if self.is_secure { 443 } else { 80 }
    }

    /// As the Host header and people have it.
    fn name(&self) -> String {
        match self.has_usual_port() {
            true => self.host.clone(),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    fn shown(&self) -> String {
        format!("{}://{}{}", if self.is_secure { "https" } else { "http" }, self.name(), self.path)
    }
}

/// The machine that is asked.
pub struct Machine<'a> {
    /// `http.url`.
    pub url: &'a str,
    /// Where it speaks TLS for the site, as far as that is known.
    pub door: Option<&'a Door>,
}

/// The ways to a site on this machine.
struct Ways<'a> {
    url: Address,
    door: Option<&'a Door>,
}

impl Ways<'_> {
    /// Where an address of the site is asked for: always at this machine, at the ports that the usual ones of visitors are here.
    fn place(&self, to: &Address) -> Address {
        let at = |host: &str, port: u16| Address { host: host.to_owned(), port, ..to.clone() };
        match self.door {
            Some(door) if to.is_secure && [443, door.port].contains(&to.port) => at(&door.host, door.port),
            _ if to.is_secure == self.url.is_secure && to.has_usual_port() => at(&self.url.host, self.url.port),
            _ => at(&self.url.host, to.port),
        }
    }
}

/// The host and port of an address; `None` for what is none.
pub fn host_and_port(url: &str) -> Option<(String, u16)> {
    Address::parse(url).map(|address| (address.host, address.port))
}

/// Asks the site for the page of `http.url`, or for another `path`, and for those that the site's own redirects lead to. `is_secure`: it
/// begins at the machine's door for TLS, where one is known.
///
/// # Errors
/// `config_invalid` for an address that is none, `service_down` when no whole answer comes in time.
pub fn fetch(machine: &Machine, path: Option<&str>, domain: &str, is_secure: bool, until: &Until) -> Result<Answer> {
    let url = machine.url;
    let address = Address::parse(url).ok_or_else(|| {
        Error::new(
            Code::ConfigInvalid,
            format!("http.url = {url:?} is not http://HOST[:PORT]/PATH, nor the same of https"),
        )
    })?;
    let begun = Instant::now();
    let mut by = Vec::new();
    let path = path.map_or_else(|| address.path.clone(), str::to_owned);
    let is_secure = address.is_secure || (is_secure && machine.door.is_some());
    // The site's name at the port that visitors use.
    let mut at = Address { is_secure, host: domain.to_owned(), port: if is_secure { 443 } else { 80 }, path };
    let ways = Ways { url: address, door: machine.door };
    let place = ways.place(&at);
    let mut reply = ask(&place, &at, domain, until).map_err(|error| {
        let place = Address { path: at.path.clone(), ..place.clone() };
        Error::new(Code::ServiceDown, format!("{} with Host: {domain} gives no answer: {error}", place.shown()))
            .hint("Look at the web server's error log.")
            .with("url", place.shown())
    })?;
    let doubt = loop {
        if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
            // A certificate of other names is what a server has for names that it does not serve by HTTPS.
            let others = reply.is_of_others.then(|| {
                format!(
                    "the certificate of {} is not of this site: something in front of the web server may have its own",
                    at.shown()
                )
            });
            let asks = machine.door.is_some_and(|door| door.asks_visitors) && at.is_secure && reply.status == 400;
            let asks = asks.then(|| format!("{} lets nobody in without a certificate of his own", at.shown()));
            break others.or(asks);
        }
        let Some(to) = reply.location.as_deref().filter(|to| !to.is_empty()).and_then(|to| at.join(to)) else {
            break Some("it redirects to no address".to_owned());
        };
        if !is_own(&to.host, domain) {
            break Some(format!("it redirects to {}, which is not this site", printable(&to.shown())));
        }
        if by.len() == MAX_REDIRECTS {
            break Some(format!("it redirects more than {MAX_REDIRECTS} times, at last to {}", printable(&to.shown())));
        }
        let there = ways.place(&to);
        reply = match ask(&there, &to, &to.name(), until) {
            Ok(reply) => reply,
            Err(error) => {
                break Some(format!(
                    "it redirects to {}, and this machine gives no answer there: {error}",
                    printable(&to.shown())
                ));
            }
        };
        by.push(printable(&to.shown()));
        at = to;
    };
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Answer { status: reply.status, bytes: reply.bytes, millis, by, doubt, body: reply.body })
}

/// Whether a name is the site's: the domain, with or without `www.`.
fn is_own(host: &str, domain: &str) -> bool {
    let bare = |name: &str| name.to_ascii_lowercase().trim_start_matches("www.").to_owned();
    bare(host) == bare(domain)
}

struct Reply {
    status: u16,
    bytes: u64,
    body: Vec<u8>,
    location: Option<String>,
    /// Its headers, with the empty line behind them.
    head: String,
    /// It came under a certificate that does not name the site.
    is_of_others: bool,
}

/// One request for `page`, sent to `there`.
fn ask(there: &Address, page: &Address, name: &str, until: &Until) -> io::Result<Reply> {
    let mut wire = Wire::connect(&Listen::Tcp(format!("{}:{}", there.host, there.port)), until)?;
    if !page.is_secure {
        return converse(&mut wire, &page.path, name, "");
    }
    let mut secure = Secure::over(wire, &page.host)?;
    let reply = converse(&mut secure, &page.path, name, "")?;
    Ok(Reply { is_of_others: !secure.is_named(&page.host), ..reply })
}

/// Asks the server at a socket for one page, without following it elsewhere. The answer is in the form of PHP's.
///
/// # Errors
/// The connection's; `TimedOut` at the deadline; `InvalidData` for an answer that is none.
pub fn ask_at(
    to: &Listen,
    path: &str,
    name: &str,
    headers: &[(&str, &str)],
    until: &Until,
) -> io::Result<fastcgi::Reply> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let sound = |text: &str| !text.contains(['\r', '\n', '\0']);
    if !plain(path) || !plain(name) || !headers.iter().all(|(_, value)| sound(value)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the address cannot be asked for"));
    }
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let reply = converse(&mut Wire::connect(to, until)?, path, name, &more)?;
    let mut out = format!("Status: {}\r\n{}", reply.status, reply.head).into_bytes();
    out.extend(reply.body);
    Ok(fastcgi::Reply { out, err: Vec::new() })
}

/// `more`: further headers, each with its end.
fn converse(wire: &mut (impl Read + Write), path: &str, name: &str, more: &str) -> io::Result<Reply> {
    // In one piece: `write!` on a socket sends a segment for every part of the text.
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: rocketvps-restore\r\nAccept: */*\r\n{more}Connection: close\r\n\r\n"
    );
    wire.write_all(request.as_bytes())?;
    wire.flush()?;
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
    let mut body = text.split_off(head_end);
    while (body.len() as u64) < LIMIT && expected.is_none_or(|expected| (body.len() as u64) < expected) {
        match wire.read(&mut buffer)? {
            0 => break,
            length => body.extend_from_slice(&buffer[..length]),
        }
    }
    let bytes = body.len() as u64;
    if expected.is_some_and(|expected| bytes < expected.min(LIMIT)) {
        return Err(bad("the answer is cut"));
    }
    if header("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked")) {
        body = unchunked(&body);
    }
    let (location, head) = (header("location"), head.split_once("\r\n").map_or("", |(_, rest)| rest).to_owned());
    Ok(Reply { status, bytes, body, location, head, is_of_others: false })
}

/// What came in chunks, as far as it came (RFC 9112, section 7.1).
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = memchr::memmem::find(bytes, b"\r\n") {
        let size = String::from_utf8_lossy(&bytes[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
        let rest = &bytes[end + 2..];
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&rest[..size.min(rest.len())]);
        bytes = rest.get(size.saturating_add(2)..).unwrap_or_default();
    }
    whole
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

    fn at(url: &str) -> Machine<'_> {
        Machine { url, door: None }
    }

    #[test]
    fn whatever_address_the_site_names_this_machine_is_asked() {
        let door = Door {
            host: "::1".into(),
            port: 8443,
            own: Vec::new(),
            is_alone: false,
            asks_visitors: false,
            is_told: true,
        };
        let url = Address::parse("http://127.0.0.1:8080/").unwrap();
        let place = |door, to: &str| {
            let place = Ways { url: url.clone(), door }.place(&Address::parse(to).unwrap());
            format!("{}:{}", place.host, place.port)
        };
        for (to, with, without) in [
            ("https://example.com/", "::1:8443", "127.0.0.1:443"),
            ("https://example.com:8443/", "::1:8443", "127.0.0.1:8443"),
            ("https://example.com:444/", "127.0.0.1:444", "127.0.0.1:444"),
            ("http://example.com/", "127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://example.com:81/", "127.0.0.1:81", "127.0.0.1:81"),
        ] {
            assert_eq!((place(Some(&door), to).as_str(), place(None, to).as_str()), (with, without), "{to}");
        }
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
        let said = fetch(&at(&url), None, "example.com", false, &until(deadline));
        (said, thread.join().unwrap())
    }

    #[test]
    fn the_site_is_asked_by_its_name_and_no_other_is_asked_at_all() {
        let (said, sent) = served(
            "HTTP/1.1 301 Moved\r\nLocation: https://login.example.org/?to=1\r\nContent-Length: 2\r\n\r\nhi",
            2000,
        );
        let answer = said.unwrap();
        assert_eq!((answer.status, answer.bytes), (301, 2));
        assert!(answer.doubt.unwrap().contains("https://login.example.org/?to=1, which is not this site"));
        assert!(sent.starts_with("GET /x?y=1 HTTP/1.1\r\nHost: example.com\r\n"), "{sent}");
    }

    /// A server that gives each answer once, one a connection, and what it was asked.
    fn serving(answers: &'static [&'static str]) -> (u16, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let answer = |answer: &&str| {
                let (mut peer, _) = listener.accept().unwrap();
                let mut got = vec![0; 4096];
                let length = peer.read(&mut got).unwrap();
                peer.write_all(answer.replace("PORT", &port.to_string()).as_bytes()).unwrap();
                String::from_utf8_lossy(&got[..length]).lines().take(2).collect::<Vec<_>>().join(" ")
            };
            answers.iter().map(answer).collect()
        });
        (port, thread)
    }

    #[test]
    fn the_sites_own_redirects_are_followed_on_this_machine() {
        let (port, thread) = serving(&[
            "HTTP/1.1 302 Found\r\nLocation: /en/\r\n\r\n",
            "HTTP/1.1 301 Moved\r\nLocation: http://www.example.com/en/start?x=1#top\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        ]);
        let answer =
            fetch(&at(&format!("http://127.0.0.1:{port}/")), None, "example.com", false, &until(3000)).unwrap();
        assert_eq!((answer.status, answer.doubt.as_deref()), (200, None));
        assert_eq!(answer.by.last().unwrap(), "http://www.example.com/en/start?x=1");
        let asked = thread.join().unwrap();
        assert_eq!(asked[0], "GET / HTTP/1.1 Host: example.com");
        assert_eq!(asked[2], "GET /en/start?x=1 HTTP/1.1 Host: www.example.com");
    }

    #[test]
    fn a_circle_and_a_port_where_nobody_listens_are_no_page() {
        const ROUND: &str = "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n";
        let (port, thread) = serving(&[ROUND; MAX_REDIRECTS + 1]);
        let answer =
            fetch(&at(&format!("http://127.0.0.1:{port}/")), None, "example.com", false, &until(3000)).unwrap();
        assert!(answer.doubt.unwrap().contains("more than 5 times"));
        thread.join().unwrap();
        let (port, thread) = serving(&["HTTP/1.1 301 Moved\r\nLocation: https://example.com:1/\r\n\r\n"]);
        let answer =
            fetch(&at(&format!("http://127.0.0.1:{port}/")), None, "example.com", false, &until(3000)).unwrap();
        assert!(answer.doubt.unwrap().contains("gives no answer there"));
        thread.join().unwrap();
        let (port, thread) = serving(&["HTTP/1.1 301 Moved\r\n\r\n"]);
        let answer =
            fetch(&at(&format!("http://127.0.0.1:{port}/")), None, "example.com", false, &until(3000)).unwrap();
        assert!(answer.doubt.unwrap().contains("to no address"));
        thread.join().unwrap();
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
    fn chunks_are_put_together_as_far_as_they_came() {
        for (chunks, whole) in [
            ("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde"),
            ("A\r\n0123456789\r\n5\r\nab", "0123456789ab"),
            ("zz\r\nabc", ""),
            ("ffffffffffffffff\r\nabc", "abc"),
            ("", ""),
        ] {
            assert_eq!(unchunked(chunks.as_bytes()), whole.as_bytes(), "{chunks:?}");
        }
    }

    #[test]
    fn only_addresses_are_taken() {
        for bad in ["ftp://x/", "http:///", "x", "http://a@b/", "http://a b/", "http://a/\r\nX: y"] {
            let said = fetch(&at(bad), None, "example.com", false, &until(1000));
            assert_eq!(said.unwrap_err().code, Code::ConfigInvalid, "{bad}");
        }
        let parsed = |url: &str| Address::parse(url).map(|address| address.shown());
        assert_eq!(parsed("http://h").as_deref(), Some("http://h/"));
        assert_eq!(parsed("https://h:443?a#b").as_deref(), Some("https://h/?a"));
        let at = Address::parse("https://h/a/b?c").unwrap();
        for (location, wanted) in
            [("d", "https://h/a/d"), ("/d", "https://h/d"), ("//i/d", "https://i/d"), ("http://h:8/", "http://h:8/")]
        {
            assert_eq!(at.join(location).unwrap().shown(), wanted);
        }
        assert!(is_own("WWW.Example.com", "example.com") && is_own("example.com", "www.example.com"));
        assert!(!is_own("example.com.evil.example", "example.com"));
    }
}
