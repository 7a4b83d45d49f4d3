//! Bytes of a backup to entries. Nothing here touches the filesystem; every byte is taken to be hostile.

pub mod cbc;
pub mod codec;
pub mod daf;
pub mod entries;
pub mod entry;
pub mod extension;
pub mod foreign;
pub mod frames;
pub mod gzip;
pub mod inflate;
pub mod inside;
pub mod jpa;
pub mod jps;
pub mod lone_zip;
pub mod lz4;
pub mod messages;
pub mod password;
pub mod seek;
pub mod seven_zip;
pub mod sparse;
pub mod tar;
pub mod utf16;
pub mod wpress;
pub mod zip;

pub use codec::Codec;
pub use daf::DafReader;
pub use entries::{Entries, Spent};
pub use entry::{Entry, EntryKind};
pub use gzip::GzipReader;
pub use inside::{Inside, Tail};
pub use jpa::JpaReader;
pub use jps::JpsReader;
pub use password::Password;
pub use seek::Recorder;
pub use seven_zip::SevenZipReader;
pub use sparse::Segment;
pub use tar::TarReader;
pub use utf16::Utf16Reader;
pub use wpress::WpressReader;
pub use zip::{Lies, ReadAt, ZipReader};

use crate::error::{Code, Error, Result};
use std::io::{self, Read};

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

impl Limits {
    /// Counts an entry of so many bytes, which has to be within them.
    ///
    /// # Errors
    /// `limit_exceeded`.
    fn count(self, spent: &mut Spent, bytes: u64) -> Result<()> {
        spent.add(Spent { entries: 1, bytes });
        self.require(*spent)
    }

    /// Requires that no more than they allow was used.
    ///
    /// # Errors
    /// `limit_exceeded`.
    fn require(self, spent: Spent) -> Result<()> {
        let Limits { entries, bytes } = self;
        if spent.entries > entries {
            return Err(Error::new(Code::LimitExceeded, format!("the backup has over {entries} entries"))
                .with("max_entries", entries));
        }
        if spent.bytes > bytes {
            return Err(Error::new(Code::LimitExceeded, format!("the backup unpacks to over {bytes} bytes"))
                .with("max_bytes", bytes));
        }
        Ok(())
    }

    /// What is left of them.
    #[must_use]
    pub fn less(self, spent: Spent) -> Limits {
        Limits { entries: self.entries.saturating_sub(spent.entries), bytes: self.bytes.saturating_sub(spent.bytes) }
    }
}

/// As [`open_recorded`], with nothing recorded.
///
/// # Errors
/// The same.
#[cfg(any(test, feature = "test-support"))]
pub fn open<'a>(archive: impl Read + 'a, limits: Limits) -> Result<TarReader<Box<dyn Read + 'a>>> {
    open_recorded(archive, limits, None)
}

/// A tar archive, compressed or not: decided by its first bytes. What reading it from the middle takes goes to `recorder`.
///
/// # Errors
/// `backup_corrupt` for one too short to be either, `io_failed` when it cannot be read.
pub fn open_recorded<'a>(
    archive: impl Read + 'a,
    limits: Limits,
    recorder: Option<Recorder>,
) -> Result<TarReader<Box<dyn Read + 'a>>> {
    let (start, whole) = codec::begin(archive, Codec::START)?;
    if start.len() < 2 {
        return Err(corrupt("the archive ends too early"));
    }
    let codec = Codec::of(&start);
    let tar = TarReader::new(codec.recorded(whole, recorder)?, limits);
    // A cut between two frames or streams of the others would not be seen.
    Ok(if codec == Codec::Gzip { tar.sealed() } else { tar })
}

/// The text of a dump, compressed or not: its first bytes decide, whatever its name says.
///
/// # Errors
/// `backup_unreadable` for a file of another format, `io_failed` when it cannot be read.
pub fn text<'a>(dump: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
    text_recorded(dump, None).map(|(text, _)| text)
}

/// The same, and whether its bytes are those of the file. What reading it from the middle takes goes to `recorder`.
///
/// # Errors
/// As [`text`].
pub fn text_recorded<'a>(dump: impl Read + 'a, recorder: Option<Recorder>) -> Result<(Box<dyn Read + 'a>, bool)> {
    let (start, whole) = codec::begin(dump, messages::MOST)?;
    let codec = Codec::of(&start);
    let is_zip = start.starts_with(&zip::LOCAL);
    if codec == Codec::None && !is_zip {
        refuse_foreign(&start)?;
        if utf16::is_one(&start) {
            return Ok((Box::new(Utf16Reader::new(whole)), false));
        }
        let told = messages::length(&start);
        if told > 0 {
            recorder.iter().for_each(Recorder::give_up);
            return Ok((behind(&start[..told], whole), false));
        }
        return Ok((codec.recorded(whole, recorder)?, true));
    }
    let unpacked = match is_zip {
        true => codec::of_zip(whole),
        false => codec.recorded(whole, recorder.clone())?,
    };
    let (start, plain) = codec::begin(unpacked, messages::MOST)?;
    refuse_foreign(&start)?;
    if !utf16::is_one(&start) {
        return Ok((behind(&start[..messages::length(&start)], plain), false));
    }
    recorder.iter().for_each(Recorder::give_up);
    Ok((Box::new(Utf16Reader::new(plain)), false))
}

/// A text without what a dump program said ahead of it.
fn behind<'a>(told: &[u8], mut text: codec::Begun<impl Read + 'a>) -> Box<dyn Read + 'a> {
    text.get_mut().0.set_position(told.len() as u64);
    Box::new(io::Cursor::new(messages::blank(told)).chain(text))
}

fn refuse_foreign(start: &[u8]) -> Result<()> {
    foreign::refused(start, "a dump of SQL").map_or(Ok(()), Err)
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

/// Whether [`wrap`] made it.
pub(crate) fn is_wrapped(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Error>())
}

/// Whether an error that a decoder gives is that of what it reads: one of ours, or the system's.
pub(crate) fn is_from_below(error: &std::io::Error) -> bool {
    is_wrapped(error) || error.raw_os_error().is_some()
}

/// A name without the slashes in front, which make it absolute.
pub(crate) fn from_top(name: &[u8]) -> &[u8] {
    let begin = name.iter().take_while(|byte| **byte == b'/').count();
    &name[begin..]
}

pub(crate) fn wrap(error: Error) -> std::io::Error {
    std::io::Error::other(error)
}
