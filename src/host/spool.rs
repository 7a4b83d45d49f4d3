//! A dump on its way from the archive to the server: one thread appends, others read what is there
//! already and wait for more.

use crate::error::{Code, Error, IoContext, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shared file. Clones are the same spool.
#[derive(Debug, Clone)]
pub struct Spool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: File,
    state: Mutex<State>,
    grew: Condvar,
}

#[derive(Debug, Clone, Copy)]
struct State {
    written: u64,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Finished,
    Abandoned,
}

impl Spool {
    /// Makes a new file, mode 0600, that must not exist.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn create(path: &Path) -> Result<Spool> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .doing(|| format!("create {}", path.display()))?;
        let state = Mutex::new(State { written: 0, end: End::Open });
        Ok(Spool { shared: Arc::new(Shared { file, state, grew: Condvar::new() }) })
    }

    /// The writing end. Dropped without [`SpoolWriter::finish`], readers get an error instead of an end.
    pub fn writer(&self) -> SpoolWriter {
        SpoolWriter { shared: self.shared.clone(), finished: false }
    }

    /// A reader at the beginning, which waits for what is not written yet.
    pub fn reader(&self) -> SpoolReader {
        self.reader_at(0)
    }

    /// The same from `offset`.
    pub fn reader_at(&self, offset: u64) -> SpoolReader {
        SpoolReader { shared: self.shared.clone(), at: offset }
    }

    /// Fills `buffer` from `offset`, all of which must have been written.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.shared.file.read_exact_at(buffer, offset).doing(|| "read the spooled dump".into())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: End) {
        self.lock().end = end;
        self.grew.notify_all();
    }
}

/// Appends to a spool.
#[derive(Debug)]
pub struct SpoolWriter {
    shared: Arc<Shared>,
    finished: bool,
}

impl SpoolWriter {
    /// Says that the dump is whole.
    pub fn finish(mut self) {
        self.finished = true;
        self.shared.end(End::Finished);
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let at = self.shared.lock().written;
        self.shared.file.write_all_at(bytes, at)?;
        self.shared.lock().written = at + bytes.len() as u64;
        self.shared.grew.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        if !self.finished {
            self.shared.end(End::Abandoned);
        }
    }
}

/// Reads a spool from its beginning.
#[derive(Debug)]
pub struct SpoolReader {
    shared: Arc<Shared>,
    at: u64,
}

impl Read for SpoolReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(got) = self.read_within(buffer, Duration::from_secs(60))? {
                return Ok(got);
            }
        }
    }
}

impl SpoolReader {
    /// Reads what is there, or waits for more no longer than `patience`: `None` when nothing came,
    /// `Some(0)` at the end.
    ///
    /// # Errors
    /// Those of reading; also when the writer gave up.
    pub fn read_within(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>> {
        let mut state = self.shared.lock();
        if state.written <= self.at && state.end == End::Open {
            state = self.shared.grew.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        let State { written, end } = *state;
        drop(state);
        if written <= self.at {
            return match end {
                End::Abandoned => Err(io::Error::other(abandoned())),
                End::Finished => Ok(Some(0)),
                End::Open => Ok(None),
            };
        }
        let length = usize::try_from(written - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let got = self.shared.file.read_at(&mut buffer[..length], self.at)?;
        self.at += got as u64;
        Ok(Some(got))
    }
}

/// The error of a load whose dump did not arrive; the cause is with whoever wrote it.
fn abandoned() -> Error {
    Error::consequence(Code::BackupCorrupt, "the dump did not come to its end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_everything_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::create(&folder.path().join("dump.sql")).unwrap();
        let mut reader = spool.reader();
        let mut writer = spool.writer();
        let reading = std::thread::spawn(move || {
            let mut text = Vec::new();
            reader.read_to_end(&mut text).map(|_| text)
        });
        let mut expected = Vec::new();
        for round in 0..500_u32 {
            let piece = format!("{round},").repeat(100);
            writer.write_all(piece.as_bytes()).unwrap();
            expected.extend_from_slice(piece.as_bytes());
        }
        writer.finish();
        assert_eq!(reading.join().unwrap().unwrap(), expected);
        let mut part = [0; 4];
        spool.read_at(&mut part, 2).unwrap();
        assert_eq!(part, expected[2..6]);
    }

    #[test]
    fn an_abandoned_dump_is_an_error_not_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.sql");
        let spool = Spool::create(&path).unwrap();
        let mut writer = spool.writer();
        writer.write_all(b"half").unwrap();
        drop(writer);
        let mut text = Vec::new();
        assert!(spool.reader().read_to_end(&mut text).is_err());
        assert!(Spool::create(&path).is_err(), "an existing file is never taken over");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 4);
    }
}
