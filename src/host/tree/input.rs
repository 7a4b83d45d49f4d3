//! The backup file, read from front to back with the disk kept ahead of the reader.

use rustix::fs::Advice;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far ahead the kernel is asked to read.
const AHEAD: u64 = 8 << 20;

/// Reads a file in order. Counts what was read, for progress.
pub struct Input {
    file: File,
    at: u64,
    advised: u64,
    count: Arc<AtomicU64>,
}

impl Input {
    /// Reads from where the file stands, taken to be its beginning.
    pub fn new(file: File) -> Input {
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        Input { file, at: 0, advised: 0, count: Arc::default() }
    }

    /// Bytes read so far; can be watched from another thread.
    pub fn counter(&self) -> Arc<AtomicU64> {
        self.count.clone()
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at + AHEAD / 2 >= self.advised {
            // advice only: a filesystem that cannot read ahead is merely slower
            let _ = rustix::fs::fadvise(&self.file, self.advised, NonZeroU64::new(AHEAD), Advice::WillNeed);
            self.advised += AHEAD;
        }
        let count = self.file.read(into)?;
        self.at += count as u64;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_read_and_counted() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &vec![7; 20 << 20]).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let mut input = Input::new(file);
        let counter = input.counter();
        let mut content = Vec::new();
        input.read_to_end(&mut content).unwrap();
        assert_eq!(content.len(), 20 << 20);
        assert_eq!(counter.load(Ordering::Relaxed), 20 << 20);
    }
}
