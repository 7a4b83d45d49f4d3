//! A FastCGI client: one request a connection, answers bounded in size and time.

use super::wire::{Until, Wire};
use crate::siteconf::Listen;
use std::io::{self, Read, Write};

const VERSION: u8 = 1;
const BEGIN: u8 = 1;
const END: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;
const GET_VALUES: u8 = 9;
const GET_VALUES_RESULT: u8 = 10;
/// Longest answer that is read.
const LIMIT: usize = 1 << 20;

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Headers and body.
    pub out: Vec<u8>,
    /// Error output.
    pub err: Vec<u8>,
}

impl Reply {
    /// The part before the body, as text.
    fn headers(&self) -> String {
        let end = memchr::memmem::find(&self.out, b"\r\n\r\n").unwrap_or(0);
        String::from_utf8_lossy(&self.out[..end]).into_owned()
    }

    /// A header's value, the first of its name.
    pub fn header(&self, name: &str) -> Option<String> {
        let headers = self.headers();
        let mut lines = headers.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }

    /// The status; 200 where none is said.
    pub fn status(&self) -> u16 {
        let status = self.header("Status");
        status.as_deref().and_then(|status| status.split(' ').next()?.parse().ok()).unwrap_or(200)
    }

    /// The part after the headers.
    pub fn body(&self) -> &[u8] {
        memchr::memmem::find(&self.out, b"\r\n\r\n").map_or(&self.out, |at| &self.out[at + 4..])
    }
}

fn record(into: &mut Vec<u8>, kind: u8, request: u16, content: &[u8]) {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    into.extend([VERSION, kind]);
    into.extend(request.to_be_bytes());
    into.extend(length.to_be_bytes());
    into.extend([0, 0]);
    into.extend(&content[..usize::from(length)]);
}

fn pair(into: &mut Vec<u8>, name: &str, value: &str) {
    for length in [name.len(), value.len()] {
        match u8::try_from(length) {
            Ok(short) if short < 128 => into.push(short),
            _ => into.extend((u32::try_from(length).unwrap_or(0) | 1 << 31).to_be_bytes()),
        }
    }
    into.extend(name.as_bytes());
    into.extend(value.as_bytes());
}

fn read_record(wire: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 8];
    wire.read_exact(&mut head)?;
    if head[0] != VERSION {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is not FastCGI"));
    }
    let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
    let mut content = vec![0; length + usize::from(head[6])];
    wire.read_exact(&mut content)?;
    content.truncate(length);
    Ok((head[1], content))
}

/// Sends a GET request with these parameters and reads the whole answer.
///
/// # Errors
/// The connection's; `TimedOut` at the deadline; `InvalidData` for an answer that is not FastCGI.
pub fn request(to: &Listen, params: &[(&str, &str)], until: &Until) -> io::Result<Reply> {
    let mut packed = Vec::new();
    for (name, value) in params {
        pair(&mut packed, name, value);
    }
    let mut sent = Vec::new();
    record(&mut sent, BEGIN, 1, &[0, 1, 0, 0, 0, 0, 0, 0]);
    record(&mut sent, PARAMS, 1, &packed);
    record(&mut sent, PARAMS, 1, &[]);
    record(&mut sent, STDIN, 1, &[]);
    let mut wire = Wire::connect(to, until)?;
    wire.write_all(&sent)?;
    let mut reply = Reply::default();
    loop {
        let (kind, content) = read_record(&mut wire)?;
        match kind {
            STDOUT => reply.out.extend(content),
            STDERR => reply.err.extend(content),
            END => return Ok(reply),
            _ => {}
        }
        if reply.out.len() + reply.err.len() > LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is longer than 1 MiB"));
        }
    }
}

/// Asks a script.
///
/// # Errors
/// As [`request`].
pub fn get(to: &Listen, script: &str, name: &str, until: &Until) -> io::Result<Reply> {
    let params = [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("REQUEST_METHOD", "GET"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "rocketvps-restore"),
        ("SCRIPT_FILENAME", script),
        ("SCRIPT_NAME", name),
        ("REQUEST_URI", name),
        ("DOCUMENT_URI", name),
        ("QUERY_STRING", ""),
        ("CONTENT_LENGTH", ""),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("SERVER_NAME", "localhost"),
    ];
    request(to, &params, until)
}

/// A sign of life, and what it was: the pool's own ping page where it has one, else a FastCGI management question
/// that runs no script and is answered by a worker of the pool.
///
/// # Errors
/// As [`request`]; `InvalidData` when the ping page says something else.
pub fn ping(to: &Listen, ping_path: &str, until: &Until) -> io::Result<String> {
    if !ping_path.is_empty() {
        let reply = get(to, ping_path, ping_path, until)?;
        let status = reply.out.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"Status:"));
        return match status {
            None => Ok(format!(
                "{ping_path} answers {:?}",
                String::from_utf8_lossy(&reply.body()[..reply.body().len().min(40)])
            )),
            Some(line) => Ok(format!("FastCGI answers {} to {ping_path}", String::from_utf8_lossy(line).trim())),
        };
    }
    let mut names = Vec::new();
    pair(&mut names, "FCGI_MPXS_CONNS", "");
    let mut sent = Vec::new();
    record(&mut sent, GET_VALUES, 0, &names);
    let mut wire = Wire::connect(to, until)?;
    wire.write_all(&sent)?;
    match read_record(&mut wire)?.0 {
        GET_VALUES_RESULT => Ok("FastCGI answers a management question".into()),
        other => Ok(format!("FastCGI answers a record of type {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    fn serve(answer: Vec<u8>) -> (tempfile::TempDir, Listen, std::thread::JoinHandle<Vec<u8>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let thread = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut got = vec![0; 4096];
            let length = peer.read(&mut got).unwrap();
            let _ = peer.write_all(&answer);
            got.truncate(length);
            got
        });
        (folder, Listen::Unix(path), thread)
    }

    fn soon() -> Until {
        let monitor: std::sync::Arc<dyn crate::progress::Monitor> = std::sync::Arc::new(crate::progress::Silent);
        Until::from_now(Duration::from_millis(500), &monitor)
    }

    #[test]
    fn an_answer_in_pieces_is_put_together() {
        let mut answer = Vec::new();
        record(&mut answer, STDOUT, 1, b"Status: 200\r\n\r\nhel");
        record(&mut answer, STDERR, 1, b"note");
        record(&mut answer, STDOUT, 1, b"lo");
        record(&mut answer, END, 1, &[0; 8]);
        let (_folder, to, thread) = serve(answer);
        let reply = get(&to, "/x.php", "/x.php", &soon()).unwrap();
        assert_eq!((reply.body(), reply.err.as_slice()), (&b"hello"[..], &b"note"[..]));
        let sent = thread.join().unwrap();
        assert_eq!(sent[..16], [1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert!(memchr::memmem::find(&sent, b"SCRIPT_FILENAME/x.php").is_some());
    }

    #[test]
    fn status_and_headers_are_read_whatever_their_case() {
        let reply = Reply { out: b"status: 302 Found\r\nLocation: /x\r\n\r\nStatus: 200".to_vec(), err: Vec::new() };
        assert_eq!((reply.status(), reply.header("location").as_deref()), (302, Some("/x")));
        assert_eq!(Reply { out: b"X: y\r\n\r\nbody".to_vec(), err: Vec::new() }.status(), 200);
    }

    #[test]
    fn what_is_not_fastcgi_or_is_cut_is_an_error() {
        for answer in [b"HTTP/1.1 400 Bad\r\n\r\n".to_vec(), vec![1, 6, 0, 1, 0, 9, 0, 0, 1], Vec::new()] {
            let (_folder, to, thread) = serve(answer);
            assert!(get(&to, "/x", "/x", &soon()).is_err());
            thread.join().unwrap();
        }
    }

    #[test]
    fn long_values_have_long_lengths() {
        let mut packed = Vec::new();
        pair(&mut packed, "A", &"x".repeat(200));
        assert_eq!(packed[..6], [1, 0x80, 0, 0, 200, b'A']);
    }
}
