//! What holds of every container: what is announced is what is read, within the limits.

use rocketvps_restore::archive::{Entries, Limits, ReadAt};
use std::io;
use std::sync::Arc;

pub const LIMITS: Limits = Limits { entries: 5_000, bytes: 4 << 20 };

/// A file of these bytes.
#[derive(Clone)]
pub struct Bytes(Arc<Vec<u8>>);

impl Bytes {
    pub fn of(data: &[u8]) -> Bytes {
        Bytes(Arc::new(data.to_vec()))
    }
}

impl ReadAt for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.as_slice().read_at(into, offset)
    }
}

pub fn check(entries: &mut impl Entries) {
    let mut bytes = 0;
    let mut count = 0;
    while let Ok(Some(entry)) = entries.next_entry() {
        count += 1;
        bytes += entry.size;
        assert!(count <= LIMITS.entries && bytes <= LIMITS.bytes, "more than is allowed");
        assert!(!entry.path.is_empty() && entry.mode <= 0o7777);
        let mut content = Vec::new();
        if entries.read_to_end(&mut content).is_err() {
            return;
        }
        assert_eq!(content.len() as u64, entry.stored, "the content is what was announced");
    }
}
