//! Whether a file is still the one that was looked at.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

/// What makes a file the same file: a replaced or rewritten one differs. No device number: it may be another after a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Inode.
    pub ino: u64,
    /// Bytes.
    pub size: u64,
    /// Modification time, seconds.
    pub mtime: i64,
    /// Modification time, nanoseconds.
    pub mtime_ns: i64,
}

impl Identity {
    /// Of an open file.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn of(file: &File) -> io::Result<Identity> {
        Ok(Identity::from_metadata(&file.metadata()?))
    }

    /// From what a listing already knows.
    pub fn from_metadata(metadata: &std::fs::Metadata) -> Identity {
        Identity {
            ino: metadata.ino(),
            size: metadata.size(),
            mtime: metadata.mtime(),
            mtime_ns: metadata.mtime_nsec(),
        }
    }
}
