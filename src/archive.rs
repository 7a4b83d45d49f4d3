//! Bytes of a backup to entries. Nothing here touches the filesystem; every byte is taken to be hostile.

pub mod entry;
pub mod extension;
pub mod foreign;
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
    Ok(if start == gzip::MAGIC {
        TarReader::new(Box::new(GzipReader::new(whole)) as Box<dyn Read + Send + 'a>, limits).sealed()
    } else {
        TarReader::new(Box::new(whole), limits)
    })
}

/// The text of a dump, compressed by gzip or not: its first bytes decide, whatever its name says.
///
/// # Errors
/// `backup_unreadable` for a file of another format, `io_failed` when it cannot be read.
pub fn text<'a>(mut dump: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    let mut start = Vec::with_capacity(foreign::START);
    (&mut dump).take(foreign::START as u64).read_to_end(&mut start).map_err(unwrap_io)?;
    if start.starts_with(&gzip::MAGIC) {
        let mut plain = GzipReader::new(std::io::Cursor::new(start).chain(dump));
        let mut start = Vec::with_capacity(foreign::START);
        (&mut plain).take(foreign::START as u64).read_to_end(&mut start).map_err(unwrap_io)?;
        refuse_foreign(&start)?;
        return Ok(Box::new(std::io::Cursor::new(start).chain(plain)));
    }
    refuse_foreign(&start)?;
    Ok(Box::new(std::io::Cursor::new(start).chain(dump)))
}

fn refuse_foreign(start: &[u8]) -> Result<()> {
    foreign::refused(start, "a dump of SQL", "cat").map_or(Ok(()), Err)
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
