//! What travels from the reader of the archive to the threads that write: batches of whole small files or parts of
//! large ones, in buffers that are used again and again. Their number bounds the memory.

use super::policy::Owner;
use crate::path::RelPath;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Content one batch holds.
pub(crate) const BATCH_BYTES: usize = 256 << 10;
/// Files one batch holds, so that empty files do not pile up.
pub(crate) const BATCH_PIECES: usize = 64;
/// Batches in all: 8 MiB of content.
pub(crate) const BATCHES: usize = 32;

/// What is set on a file once its content is written.
#[derive(Debug, Clone)]
pub(crate) struct Attributes {
    pub(crate) owner: Owner,
    pub(crate) mode: u32,
    pub(crate) mtime: (i64, u32),
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A file too large for one batch, or with holes. The thread that lets go of it last completes it.
pub(crate) struct Large {
    pub(crate) file: File,
    pub(crate) path: RelPath,
    pub(crate) size: u64,
    pub(crate) attributes: Attributes,
    /// Set when its end was reached by a write, so that no length need be set.
    pub(crate) end_written: AtomicBool,
}

pub(crate) enum Piece {
    /// A whole file.
    Small { folder: Arc<OwnedFd>, path: RelPath, record: u64, length: usize, attributes: Attributes },
    /// A run of bytes of a large file.
    Part { large: Arc<Large>, offset: u64, length: usize },
}

pub(crate) struct Batch {
    pub(crate) data: Box<[u8]>,
    pub(crate) used: usize,
    pub(crate) pieces: Vec<Piece>,
    /// Hashes of the paths in this batch.
    pub(crate) paths: Vec<u64>,
}

impl Batch {
    pub(crate) fn new() -> Batch {
        Batch {
            data: vec![0; BATCH_BYTES].into_boxed_slice(),
            used: 0,
            pieces: Vec::with_capacity(BATCH_PIECES),
            paths: Vec::with_capacity(BATCH_PIECES),
        }
    }

    pub(crate) fn room(&self) -> usize {
        if self.pieces.len() >= BATCH_PIECES { 0 } else { self.data.len() - self.used }
    }
}
