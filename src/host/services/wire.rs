//! A connection, Unix or TCP, that ends by a deadline over all of it, and when the job does.

use crate::progress::Monitor;
use crate::siteconf::Listen;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// The job is asked this often whether it goes on.
const BEAT: Duration = Duration::from_millis(100);

/// How long a conversation may go on.
#[derive(Clone)]
pub struct Until {
    deadline: Instant,
    monitor: Arc<dyn Monitor>,
}

impl Until {
    /// From now on, and no longer than the monitor's job.
    pub fn from_now(time: Duration, monitor: &Arc<dyn Monitor>) -> Until {
        Until { deadline: Instant::now() + time, monitor: monitor.clone() }
    }

    /// Whether nothing is left.
    pub fn is_over(&self) -> bool {
        Instant::now() > self.deadline
    }

    /// What is left, at most a beat.
    fn next(&self) -> io::Result<Duration> {
        self.monitor.keep_going().map_err(|error| io::Error::other(error.message))?;
        match self.deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(late()),
            left => Ok(left.min(BEAT)),
        }
    }
}

/// A connection with a deadline.
pub struct Wire {
    stream: Stream,
    until: Until,
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// The connection's, or `TimedOut`.
    pub fn connect(to: &Listen, until: &Until) -> io::Result<Wire> {
        let stream = match to {
            Listen::Unix(path) => {
                let address = SocketAddrUnix::new(path)?;
                let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
                let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
                loop {
                    match rustix::net::connect(&socket, &address) {
                        Ok(()) => break,
                        // The backlog is full: a Unix socket says so at once instead of queueing.
                        Err(rustix::io::Errno::AGAIN) => {
                            until.next()?;
                            std::thread::sleep(Duration::from_millis(5));
                        }
                        Err(error) => return Err(error.into()),
                    }
                }
                rustix::io::ioctl_fionbio(&socket, false)?;
                Stream::Unix(UnixStream::from(socket))
            }
            Listen::Tcp(address) => {
                let mut last = io::Error::new(io::ErrorKind::InvalidInput, "has no address");
                let mut found = None;
                for address in address.to_socket_addrs()? {
                    until.next()?;
                    // A handshake cannot be looked into: it is short, or the other side is not there.
                    let left = until.deadline.saturating_duration_since(Instant::now()).max(BEAT);
                    match TcpStream::connect_timeout(&address, left) {
                        Ok(stream) => {
                            found = Some(stream);
                            break;
                        }
                        Err(error) => last = error,
                    }
                }
                let stream = found.ok_or(last)?;
                stream.set_nodelay(true)?;
                Stream::Tcp(stream)
            }
        };
        Ok(Wire { stream, until: until.clone() })
    }
}

/// Tries until it is done or the time is over: each try ends after a beat.
fn in_beats(until: &Until, mut act: impl FnMut(Duration) -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match act(until.next()?) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            other => return other,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let stream = &mut self.stream;
        in_beats(&self.until, |beat| match stream {
            Stream::Unix(stream) => stream.set_read_timeout(Some(beat)).and_then(|()| stream.read(into)),
            Stream::Tcp(stream) => stream.set_read_timeout(Some(beat)).and_then(|()| stream.read(into)),
        })
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let stream = &mut self.stream;
        in_beats(&self.until, |beat| match stream {
            Stream::Unix(stream) => stream.set_write_timeout(Some(beat)).and_then(|()| stream.write(from)),
            Stream::Tcp(stream) => stream.set_write_timeout(Some(beat)).and_then(|()| stream.write(from)),
        })
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Error, Result};
    use crate::progress::{Level, Phase, Silent};
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    fn until(millis: u64) -> Until {
        let monitor: Arc<dyn Monitor> = Arc::new(Silent);
        Until::from_now(Duration::from_millis(millis), &monitor)
    }

    struct Cancelled;

    impl Monitor for Cancelled {
        fn set_total(&self, _: Phase, _: u64, _: u64) {}
        fn advance(&self, _: Phase, _: u64, _: u64) {}
        fn current(&self, _: Phase, _: &str) {}
        fn event(&self, _: Level, _: &str) {}
        fn keep_going(&self) -> Result<()> {
            Err(Error::new(Code::Cancelled, "the job was cancelled"))
        }
    }

    #[test]
    fn a_conversation_ends_with_its_job() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = Listen::Tcp(tcp.local_addr().unwrap().to_string());
        let mut wire = Wire::connect(&to, &until(60_000)).unwrap();
        wire.until.monitor = Arc::new(Cancelled);
        let begun = Instant::now();
        assert_eq!(wire.read(&mut [0; 8]).unwrap_err().to_string(), "the job was cancelled");
        assert_eq!(wire.write_all(b"x").unwrap_err().to_string(), "the job was cancelled");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn a_silent_peer_costs_no_more_than_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _unix = UnixListener::bind(&path).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        for to in [Listen::Unix(path), Listen::Tcp(tcp.local_addr().unwrap().to_string())] {
            let begun = Instant::now();
            let mut wire = Wire::connect(&to, &until(50)).unwrap();
            let error = wire.read(&mut [0; 8]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(begun.elapsed() < Duration::from_secs(2));
        }
    }

    #[test]
    fn a_full_backlog_costs_no_more_than_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        rustix::net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let mut kept = Vec::new();
        let late = loop {
            match Wire::connect(&Listen::Unix(path.clone()), &until(50)) {
                Ok(wire) => kept.push(wire),
                Err(error) => break error,
            }
            assert!(kept.len() < 100);
        };
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }
}
