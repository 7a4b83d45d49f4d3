//! Bytes of a backup to entries. Nothing here touches the filesystem; every byte is taken to be hostile.

pub mod entry;
pub mod extension;
pub mod gzip;
pub mod sparse;
pub mod tar;

pub use entry::{Entry, EntryKind};
pub use gzip::GzipReader;
pub use sparse::Segment;
pub use tar::TarReader;

use crate::error::{Code, Error, Result};
use std::io::Read;

/// How far an archive may go before it is taken for a bomb.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most entries, headers of long names and extensions included.
    pub entries: u64,
    /// Most bytes the entries may unpack to, holes included. Lower it to the free space of the target.
    pub bytes: u64,
}

impl Limits {
    /// The limits of restore.toml.
    pub fn from_config(limits: &crate::config::Limits) -> Limits {
        Limits { entries: limits.max_entries, bytes: limits.max_unpacked_bytes }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::from_config(&crate::config::Limits::default())
    }
}

/// A tar archive, compressed or not: decided by its first two bytes.
///
/// # Errors
/// `backup_corrupt` for one too short to be either, `io_failed` when it cannot be read.
pub fn open<'a>(mut archive: impl Read + Send + 'a, limits: Limits) -> Result<TarReader<Box<dyn Read + Send + 'a>>> {
    let mut start = [0; 2];
    archive.read_exact(&mut start).map_err(unwrap_io)?;
    let whole = std::io::Cursor::new(start).chain(archive);
    let plain: Box<dyn Read + Send + 'a> =
        if start == gzip::MAGIC { Box::new(GzipReader::new(whole)) } else { Box::new(whole) };
    Ok(TarReader::new(plain, limits))
}

/// The error a reader of this module wrapped into an I/O error, or that I/O error as ours.
pub fn unwrap_io(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::UnexpectedEof && error.get_ref().is_none() {
        return corrupt("the archive ends too early");
    }
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) => Error::io("read the backup", &error),
    }
}

pub(crate) fn corrupt(why: impl std::fmt::Display) -> Error {
    Error::new(Code::BackupCorrupt, format!("the backup is damaged: {why}"))
}

pub(crate) fn wrap(error: Error) -> std::io::Error {
    std::io::Error::other(error)
}
