//! The one way out of a cell: a socket behind which the database server is, for one account alone.
//!
//! A staged site knows the password of its live account. Here that account is turned away, whatever the site says: a connection
//! that names another user than the one of the rehearsal is closed before the server hears of it. The words of the server to the site
//! pass by, and what it refused is remembered.

use crate::error::{IoContext, Result};
use crate::host::cell;
use crate::host::credentials::Endpoint;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most connections at a time.
const MAX_CONNECTIONS: usize = 32;
/// How long nobody is looked for.
const PAUSE: Duration = Duration::from_millis(2);
/// Largest packet of a client's that is looked into: those that begin a connection.
const MAX_HELLO: usize = 64 << 10;
/// How long one side may leave the other one's words untaken.
const WRITING: Duration = Duration::from_secs(30);
/// How long a closed gate waits for what it carried.
const CLOSING: Duration = Duration::from_secs(5);
/// What a site's driver asks a server for: the end, a schema, a statement, columns, figures, a sign of life, prepared statements
/// and their parts, an option, a fresh session. `COM_CHANGE_USER` is not among them.
const COMMANDS: [u8; 14] = [0x01, 0x02, 0x03, 0x04, 0x09, 0x0e, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1f];
/// `CLIENT_PROTOCOL_41`, `CLIENT_SSL`, `CLIENT_COMPRESS`, `CLIENT_ZSTD_COMPRESSION_ALGORITHM`.
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const COMPRESSED: u32 = 1 << 5 | 1 << 26;
/// Errors by which a server says that an account may not: for a schema, a table, a column, a routine, and in general.
const DENIED: [u16; 6] = [1044, 1142, 1143, 1227, 1290, 1370];
/// Errors by which a server says that it knows no such user, or not by this password.
const UNKNOWN: [u16; 2] = [1045, 1698];
/// How a server's packet begins that says yes.
const OK: u8 = 0x00;
/// `ER_NO_SUCH_TABLE`, `ER_SP_DOES_NOT_EXIST`, and `ER_KEY_DOES_NOT_EXITS`: a table that is shown by a view has no index to be named.
const MISSING: [u16; 3] = [1146, 1305, 1176];

/// What was seen at a gate.
#[derive(Debug, Default)]
pub struct Seen {
    /// Somebody named another user or came by another password, or spoke what is not understood here.
    pub turned_away: AtomicBool,
    /// The site came in as the one user, and the server took it.
    pub entered: AtomicBool,
    /// The server refused something for want of a right.
    pub denied: AtomicBool,
    /// The server knows no such table or routine.
    pub missing: AtomicBool,
}

/// A gate; it closes with this value.
pub struct Gate {
    path: PathBuf,
    seen: Arc<Seen>,
    stands: Arc<AtomicBool>,
    keeper: Option<std::thread::JoinHandle<()>>,
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn connect(to: &Endpoint) -> io::Result<Stream> {
        match to {
            Endpoint::Socket(path) => UnixStream::connect(path).map(Stream::Unix),
            Endpoint::Tcp { host, port } => TcpStream::connect((host.as_str(), *port)).map(Stream::Tcp),
        }
    }

    fn again(&self) -> io::Result<Stream> {
        match self {
            Stream::Unix(stream) => stream.try_clone().map(Stream::Unix),
            Stream::Tcp(stream) => stream.try_clone().map(Stream::Tcp),
        }
    }

    /// Lets no write take longer than this.
    fn bound(&self, time: Duration) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.set_write_timeout(Some(time)),
            Stream::Tcp(stream) => stream.set_write_timeout(Some(time)),
        }
    }

    fn end(&self) {
        let _ = match self {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.read(into),
            Stream::Tcp(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.write(from),
            Stream::Tcp(stream) => stream.write(from),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Gate {
    /// A gate at `path`, a name of ours alone, to the server at `to` for `user`.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn open(path: &Path, to: &Endpoint, user: &str) -> Result<Gate> {
        // Of a worker that died.
        let _ = std::fs::remove_file(path);
        // Everybody in the cell may speak to it; outside, its folder is root's.
        let listener = cell::listen(path, 0o666).doing(|| format!("listen at {}", path.display()))?;
        let seen = Arc::new(Seen::default());
        let stands = Arc::new(AtomicBool::new(true));
        let (to, user) = (to.clone(), user.to_owned());
        let (its_seen, its_stands) = (seen.clone(), stands.clone());
        listener.set_nonblocking(true).doing(|| format!("listen at {}", path.display()))?;
        let keeper = std::thread::spawn(move || keep(&listener, &to, &user, &its_seen, &its_stands));
        Ok(Gate { path: path.to_owned(), seen, stands, keeper: Some(keeper) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was seen so far.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.stands.store(false, Ordering::Release);
        if let Some(keeper) = self.keeper.take() {
            keeper.thread().unpark();
            let _ = keeper.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Both ends of a connection, as far as they are there. Whoever waits in a read or a write on one of them goes on when it ends.
#[derive(Default)]
struct Ends {
    /// Whether they have ended, and the streams until then.
    streams: Mutex<(bool, Vec<Stream>)>,
}

impl Ends {
    /// A further end; one that comes too late ends at once.
    fn add(&self, stream: &Stream) -> io::Result<()> {
        let again = stream.again()?;
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.0 {
            again.end();
            return Err(io::ErrorKind::NotConnected.into());
        }
        streams.1.push(again);
        Ok(())
    }

    fn end(&self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.0 = true;
        streams.1.drain(..).for_each(|stream| stream.end());
    }
}

fn keep(listener: &UnixListener, to: &Endpoint, user: &str, seen: &Arc<Seen>, stands: &Arc<AtomicBool>) {
    let mut open: Vec<(Arc<Ends>, std::thread::JoinHandle<()>)> = Vec::new();
    while stands.load(Ordering::Acquire) {
        open.retain(|(_, carrier)| !carrier.is_finished());
        match listener.accept() {
            Ok((client, _)) if open.len() < MAX_CONNECTIONS => {
                let (to, user, seen) = (to.clone(), user.to_owned(), seen.clone());
                // What is inherited from the listener is its not waiting.
                let _ = client.set_nonblocking(false);
                let client = Stream::Unix(client);
                let ends = Arc::new(Ends::default());
                if ends.add(&client).is_err() {
                    continue;
                }
                let its_ends = ends.clone();
                let carrier = std::thread::spawn(move || {
                    let _ = carry(&client, &to, &user, &seen, &its_ends);
                    its_ends.end();
                });
                open.push((ends, carrier));
            }
            Ok(_) => {}
            Err(_) => std::thread::park_timeout(PAUSE),
        }
    }
    open.iter().for_each(|(ends, _)| ends.end());
    // One that is still on its way to the server finds its ends closed. Nothing waits for it longer: the account goes next.
    let until = Instant::now() + CLOSING;
    while open.iter().any(|(_, carrier)| !carrier.is_finished()) && Instant::now() < until {
        std::thread::sleep(PAUSE);
    }
}

/// One connection, from the server's greeting to its end.
fn carry(client: &Stream, to: &Endpoint, user: &str, seen: &Arc<Seen>, ends: &Arc<Ends>) -> io::Result<()> {
    let (mut from_client, mut to_client) = (client.again()?, client.again()?);
    let server = Stream::connect(to)?;
    ends.add(&server)?;
    client.bound(WRITING)?;
    server.bound(WRITING)?;
    let (mut from_server, mut to_server) = (server.again()?, server.again()?);
    to_client.write_all(&packet(&mut from_server)?)?;
    let hello = packet(&mut from_client)?;
    if !names(&hello, user) {
        seen.turned_away.store(true, Ordering::Release);
        return Ok(());
    }
    to_server.write_all(&hello)?;
    let (its_seen, its_ends) = (seen.clone(), ends.clone());
    let back = std::thread::spawn(move || {
        let mut packets = Packets::default();
        let _ = pass(&mut from_server, &mut to_client, |bytes| {
            packets.read(bytes, &mut |_, begin| {
                if begin.first() == Some(&OK) {
                    its_seen.entered.store(true, Ordering::Release);
                }
                note(begin, &its_seen);
            });
            true
        });
        its_ends.end();
    });
    let mut packets = Packets::default();
    let passed = pass(&mut from_client, &mut to_server, |bytes| {
        let mut fits = true;
        packets.read(bytes, &mut |number, begin| fits &= is_understood(number, begin));
        if !fits {
            seen.turned_away.store(true, Ordering::Release);
        }
        fits
    });
    // Whoever would not hear the rest must not hold the other side up.
    ends.end();
    let _ = back.join();
    passed
}

/// Whether a packet of a client's is a command that is let through, or no command.
fn is_understood(number: u8, begin: &[u8]) -> bool {
    number != 0 || begin.first().is_some_and(|command| COMMANDS.contains(command))
}

/// Carries bytes while they fit.
fn pass(from: &mut Stream, to: &mut Stream, mut fits: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = match from.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if !fits(&bytes[..read]) {
            return Ok(());
        }
        to.write_all(&bytes[..read])?;
    }
}

/// One packet with its head.
fn packet(from: &mut Stream) -> io::Result<Vec<u8>> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let length = length_of(&head);
    if length > MAX_HELLO {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut whole = vec![0; 4 + length];
    whole[..4].copy_from_slice(&head);
    from.read_exact(&mut whole[4..])?;
    Ok(whole)
}

fn length_of(head: &[u8; 4]) -> usize {
    usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16
}

/// Whether a client's first packet names this user, in plain sight ("Protocol::HandshakeResponse41").
fn names(packet: &[u8], user: &str) -> bool {
    let Some(content) = packet.get(4..) else { return false };
    let Some(flags) = content.get(..4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes) else {
        return false;
    };
    let named = content.get(32..).and_then(|rest| rest.split(|byte| *byte == 0).next());
    flags & PROTOCOL_41 != 0 && flags & (SSL | COMPRESSED) == 0 && named == Some(user.as_bytes())
}

/// Remembers what a server's packet says no to.
fn note(begin: &[u8], seen: &Seen) {
    let [0xff, low, high] = *begin else { return };
    let code = u16::from_le_bytes([low, high]);
    if DENIED.contains(&code) {
        seen.denied.store(true, Ordering::Release);
    }
    if UNKNOWN.contains(&code) {
        seen.turned_away.store(true, Ordering::Release);
    }
    if MISSING.contains(&code) {
        seen.missing.store(true, Ordering::Release);
    }
}

/// Finds the packets in a stream that comes in pieces.
#[derive(Debug, Default)]
struct Packets {
    head: Vec<u8>,
    begin: Vec<u8>,
    left: usize,
}

impl Packets {
    /// Bytes of a packet's content that are told.
    const TOLD: usize = 3;

    /// Tells the number and the first bytes of each packet, as soon as they are there. A packet without content is told as well.
    fn read(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(u8, &[u8])) {
        while !bytes.is_empty() {
            if self.left == 0 {
                let (head, rest) = bytes.split_at((4 - self.head.len()).min(bytes.len()));
                self.head.extend(head);
                bytes = rest;
                if let Ok(head) = <[u8; 4]>::try_from(self.head.as_slice()) {
                    self.left = length_of(&head);
                    self.begin.clear();
                    if self.left == 0 {
                        tell(head[3], &[]);
                        self.head.clear();
                    }
                }
                continue;
            }
            let (part, rest) = bytes.split_at(self.left.min(bytes.len()));
            bytes = rest;
            let known = self.begin.len();
            self.begin.extend(&part[..part.len().min(Packets::TOLD - known)]);
            self.left -= part.len();
            // The first byte alone tells a command.
            if known == 0 || (known < Packets::TOLD && self.begin.len() == Packets::TOLD) {
                tell(self.head[3], &self.begin);
            }
            if self.left == 0 {
                self.head.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(flags: u32, user: &str) -> Vec<u8> {
        let mut content = flags.to_le_bytes().to_vec();
        content.extend([0; 28]);
        content.extend(user.as_bytes());
        content.extend([0, 0]);
        let mut packet = vec![u8::try_from(content.len()).unwrap(), 0, 0, 1];
        packet.extend(content);
        packet
    }

    #[test]
    fn only_the_one_user_in_plain_sight_is_let_in() {
        assert!(names(&hello(PROTOCOL_41, "rva_1"), "rva_1"));
        for (flags, user) in [
            (PROTOCOL_41, "shop"),
            (PROTOCOL_41, "rva_12"),
            (PROTOCOL_41, ""),
            (0, "rva_1"),
            (PROTOCOL_41 | SSL, "rva_1"),
            (PROTOCOL_41 | 1 << 5, "rva_1"),
            (PROTOCOL_41 | 1 << 26, "rva_1"),
        ] {
            assert!(!names(&hello(flags, user), "rva_1"), "{flags:x} {user}");
        }
        assert!(!names(&[0, 0, 0, 1], "rva_1") && !names(&[1], ""));
    }

    #[test]
    fn packets_are_found_in_pieces_of_any_size() {
        let stream =
            [[1, 0, 0, 0, 0x11].as_slice(), &[0, 0, 0, 1], &[4, 0, 0, 2, 0xff, 0x76, 0x04, 9], &[1, 0, 0, 0, 3]]
                .concat();
        for size in 1..=stream.len() {
            let (mut packets, mut told, seen) = (Packets::default(), Vec::new(), Seen::default());
            for piece in stream.chunks(size) {
                packets.read(piece, &mut |number, begin| {
                    note(begin, &seen);
                    if told.last().is_none_or(|(last, _)| *last != number) {
                        told.push((number, begin.first().copied()));
                    }
                });
            }
            assert_eq!(told, [(0, Some(0x11)), (1, None), (2, Some(0xff)), (0, Some(3))], "{size}");
            assert!(seen.denied.load(Ordering::Acquire), "{size}");
        }
    }

    #[test]
    fn commands_of_a_driver_are_let_through_and_no_others() {
        for (number, begin, fits) in [
            (0, [0x03].as_slice(), true),
            (0, &[0x16], true),
            (1, &[0x11], true),
            (2, &[], true),
            (0, &[0x11], false),
            (0, &[0x08], false),
            (0, &[0x12], false),
            (0, &[], false),
        ] {
            assert_eq!(is_understood(number, begin), fits, "{number} {begin:?}");
        }
    }

    #[test]
    fn an_account_that_the_server_does_not_know_was_turned_away() {
        let seen = Seen::default();
        note(&[0xff, 0x15, 0x04], &seen);
        assert!(seen.turned_away.load(Ordering::Acquire) && !seen.denied.load(Ordering::Acquire));
    }

    /// A gate before a server that greets and then hears nothing more, and a client that goes on speaking.
    fn deaf_server(place: &Path) -> (Gate, std::thread::JoinHandle<()>, UnixStream) {
        let server = UnixListener::bind(place.join("server.sock")).unwrap();
        let gate = Gate::open(&place.join("gate.sock"), &Endpoint::Socket(place.join("server.sock")), "rvv_1").unwrap();
        let client = UnixStream::connect(gate.path()).unwrap();
        let (mut deaf, _) = server.accept().unwrap();
        deaf.write_all(&[1, 0, 0, 0, 10]).unwrap();
        let mut speaker = client.try_clone().unwrap();
        speaker.read_exact(&mut [0; 5]).unwrap();
        let speaking = std::thread::spawn(move || {
            let _ = speaker.write_all(&hello(PROTOCOL_41, "rvv_1"));
            let query = [[0xff, 0xff, 0x3f, 0].as_slice(), &[0x03], &vec![b'x'; 0x003f_fffe]].concat();
            while speaker.write_all(&query).is_ok() {}
        });
        // Until nothing goes on: what one side does not take, the other one cannot give.
        std::thread::sleep(Duration::from_millis(300));
        assert!(!speaking.is_finished());
        std::mem::forget(deaf);
        (gate, speaking, client)
    }

    #[test]
    fn a_server_that_does_not_listen_does_not_hold_a_gate_open() {
        let place = tempfile::tempdir().unwrap();
        let (gate, speaking, _client) = deaf_server(place.path());
        let began = Instant::now();
        drop(gate);
        assert!(began.elapsed() < CLOSING, "{:?}", began.elapsed());
        speaking.join().unwrap();
    }
}
