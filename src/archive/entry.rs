//! One thing in an archive, as the archive tells it.

use super::sparse::Segment;

/// Longest target of a symbolic link, as the kernel's PATH_MAX.
pub(super) const MAX_LINK: u64 = 4096;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A file with content.
    File,
    /// A folder.
    Folder,
    /// A symbolic link and its target, as written.
    Symlink(Vec<u8>),
    /// Another name of an entry, given by its path in the archive, as written.
    HardLink(Vec<u8>),
    /// Device, FIFO or unknown: the type byte.
    Special(u8),
}

/// An entry. Nothing in it was checked for safety; paths go through [`crate::path::RelPath::parse`].
#[derive(Debug, Clone)]
pub struct Entry {
    /// The path as written: any bytes.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Permission and set-id bits (0o7777).
    pub mode: u32,
    /// Owner in the archive; foreign to this machine.
    pub uid: u32,
    /// Group in the archive; foreign to this machine.
    pub gid: u32,
    /// Time of the last change: seconds since 1970 and nanoseconds.
    pub mtime: (i64, u32),
    /// Size of the file in bytes, holes included; 0 for all but files.
    pub size: u64,
    /// Bytes the archive stores for it.
    pub stored: u64,
    /// Where the stored bytes belong; `None` when the file has no holes.
    pub segments: Option<Vec<Segment>>,
    /// Extended attributes: name, value.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where its first header begins in the unpacked archive; `None` where it does not stand by itself.
    pub begin: Option<u64>,
}

impl Entry {
    /// A file entry of this size, for callers that make entries themselves.
    #[cfg(any(test, feature = "test-support"))]
    pub fn file(path: impl Into<Vec<u8>>, size: u64) -> Entry {
        Entry {
            path: path.into(),
            kind: EntryKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: (0, 0),
            size,
            stored: size,
            segments: None,
            xattrs: Vec::new(),
            begin: None,
        }
    }

    /// User and group in the archive, for comparing with others of it.
    pub fn owner(&self) -> (u32, u32) {
        (self.uid, self.gid)
    }
}
