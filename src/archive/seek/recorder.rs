//! Makes a [`Map`] while a file is read whole.

use super::{APART, Checkpoint, Map, PIECE, SHARE};
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use xxhash_rust::xxh3::Xxh3;

/// Takes down what a [`Map`] consists of; clones are the same one. What goes wrong with it ends it, and not the reading.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Recording>>);

struct Recording {
    /// Where windows go, and how many bytes went there.
    windows: Box<dyn Write + Send>,
    written: u64,
    /// Offset in the file from which the next checkpoint is wanted.
    due: u64,
    map: Map,
    sum: Xxh3,
    in_piece: u64,
    /// The end of the unpacked bytes was met.
    ended: bool,
    failed: Option<io::Error>,
}

impl Recorder {
    /// One whose windows go to `windows`, which holds `written` bytes before them.
    pub fn new(windows: Box<dyn Write + Send>, written: u64) -> Recorder {
        let (map, sum) = (Map::default(), Xxh3::new());
        let recording = Recording { windows, written, due: APART, map, sum, in_piece: 0, ended: false, failed: None };
        Recorder(Arc::new(Mutex::new(recording)))
    }

    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a checkpoint is wanted at the next place where one can be, `packed` bytes of the file being read.
    pub fn is_due(&self, packed: u64) -> bool {
        let recording = self.lock();
        packed >= recording.due && recording.failed.is_none()
    }

    /// Notes a place where the decoder can begin.
    pub fn checkpoint(&self, plain: u64, packed: u64, unused_bits: u8, window: &[u8]) {
        let mut recording = self.lock();
        let kept = zstd::bulk::compress(window, 1).and_then(|small| {
            recording.windows.write_all(&small)?;
            Ok(small.len() as u32)
        });
        match kept {
            Ok(length) => {
                let window = (recording.written, length);
                recording.map.checkpoints.push(Checkpoint { plain, packed, unused_bits, window });
                recording.written += u64::from(length);
                recording.due = packed + APART.max(u64::from(length) * SHARE);
            }
            Err(error) => recording.failed = Some(error),
        }
    }

    /// Ends it: what is read is not what the file unpacks to.
    pub fn give_up(&self) {
        self.lock().failed = Some(io::ErrorKind::Unsupported.into());
    }

    fn bytes(&self, mut bytes: &[u8]) {
        let mut recording = self.lock();
        while !bytes.is_empty() {
            let room = (PIECE - recording.in_piece) as usize;
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            recording.sum.update(now);
            recording.in_piece += now.len() as u64;
            if recording.in_piece == PIECE {
                recording.end_piece();
            }
            bytes = rest;
        }
    }

    /// The map of the file, and the bytes in the file of windows.
    ///
    /// # Errors
    /// What writing windows met; `UnexpectedEof` when the file was not read to its end.
    pub fn finish(&self) -> io::Result<(Map, u64)> {
        let mut recording = self.lock();
        if let Some(error) = recording.failed.take() {
            return Err(error);
        }
        if !recording.ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if recording.in_piece > 0 {
            recording.end_piece();
        }
        recording.windows.flush()?;
        Ok((std::mem::take(&mut recording.map), recording.written))
    }
}

impl Recording {
    fn end_piece(&mut self) {
        self.map.plain += self.in_piece;
        self.map.sums.push(self.sum.digest());
        self.sum.reset();
        self.in_piece = 0;
    }
}

/// Unpacked bytes that go by a recorder.
pub struct Summed<R> {
    inner: R,
    recorder: Recorder,
}

impl<R> Summed<R> {
    /// Everything that is read from `inner` is summed.
    pub fn new(inner: R, recorder: Recorder) -> Summed<R> {
        Summed { inner, recorder }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        if count == 0 && !into.is_empty() {
            self.recorder.lock().ended = true;
        }
        self.recorder.bytes(&into[..count]);
        Ok(count)
    }
}
