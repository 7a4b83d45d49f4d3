//! A connection, Unix or TCP, whose every step ends by a deadline.

use crate::siteconf::Listen;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// A connection with a deadline.
pub struct Wire {
    stream: Stream,
    deadline: Instant,
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}

fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(late()),
        some => Ok(some),
    }
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// The connection's, or `TimedOut`.
    pub fn connect(to: &Listen, deadline: Instant) -> io::Result<Wire> {
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
                            left(deadline)?;
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
                    match TcpStream::connect_timeout(&address, left(deadline)?) {
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
        Ok(Wire { stream, deadline })
    }
}

fn in_time(result: io::Result<usize>) -> io::Result<usize> {
    result.map_err(|error| if error.kind() == io::ErrorKind::WouldBlock { late() } else { error })
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = Some(left(self.deadline)?);
        in_time(match &mut self.stream {
            Stream::Unix(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(into)),
            Stream::Tcp(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(into)),
        })
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let left = Some(left(self.deadline)?);
        in_time(match &mut self.stream {
            Stream::Unix(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(from)),
            Stream::Tcp(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(from)),
        })
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_silent_peer_costs_no_more_than_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _unix = UnixListener::bind(&path).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        for to in [Listen::Unix(path), Listen::Tcp(tcp.local_addr().unwrap().to_string())] {
            let begun = Instant::now();
            let mut wire = Wire::connect(&to, begun + Duration::from_millis(50)).unwrap();
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
            match Wire::connect(&Listen::Unix(path.clone()), Instant::now() + Duration::from_millis(50)) {
                Ok(wire) => kept.push(wire),
                Err(error) => break error,
            }
            assert!(kept.len() < 100);
        };
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }
}
