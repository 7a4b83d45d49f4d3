//! Where the stored bytes of a sparse entry belong; the rest are holes.

use super::corrupt;
use crate::error::{Code, Error, Result};

/// Most segments of one entry; the map is held in memory.
pub const MAX_SEGMENTS: usize = 100_000;

/// A run of stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins in the file, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

/// A map being read: segments in order, inside the file, adding up to the stored bytes.
#[derive(Debug, Default)]
pub(crate) struct Map {
    pub(crate) segments: Vec<Segment>,
    end: u64,
    pieces: usize,
    pub(crate) stored: u64,
}

impl Map {
    pub(crate) fn push(&mut self, offset: u64, length: u64) -> Result<()> {
        let end = offset.checked_add(length).ok_or_else(|| corrupt("a sparse map overflows"))?;
        if offset < self.end {
            return Err(corrupt("a sparse map is out of order"));
        }
        self.count(1)?;
        self.end = end;
        self.stored += length;
        if length > 0 {
            self.segments.push(Segment { offset, length });
        }
        Ok(())
    }

    /// Counts pieces, empty ones too: a map must come to an end.
    pub(crate) fn count(&mut self, pieces: usize) -> Result<()> {
        self.pieces += pieces;
        if self.pieces > MAX_SEGMENTS {
            return Err(Error::new(Code::LimitExceeded, "a sparse file of the backup has over 100000 pieces"));
        }
        Ok(())
    }

    /// The segments, when they fit the file's size and the bytes stored for them.
    pub(crate) fn finish(self, size: u64, stored: u64) -> Result<Vec<Segment>> {
        if self.end > size || self.stored != stored {
            return Err(corrupt("a sparse map does not fit its file"));
        }
        Ok(self.segments)
    }
}
