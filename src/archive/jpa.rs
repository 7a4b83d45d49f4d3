//! `.jpa`, the archive of Akeeba Backup (JPA 1.2, read from its writer's source, Akeeba Engine of 2023, and from what it writes). All numbers
//! are little endian. A head tells how many entries follow, and the bytes of all of them, unpacked and stored, modulo 2^32: it is written
//! last, so an archive without these numbers was never finished. Each entry has a head with its path and both of its sizes, and its content
//! as it is, as raw deflate, or as bzip2. There are no checksums: sizes are all that a content can be held against. In several files
//! nothing repeats at the beginning of one, and contents go on from one to the next.

use super::entries::{Entries, Spent};
use super::entry::{Entry, EntryKind, MAX_LINK};
use super::zip::{ReadAt, Stretch, exact};
use super::{Limits, corrupt, is_from_below, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use std::io::{self, BufRead, BufReader, Read};

/// How it begins.
pub const MARK: &[u8] = b"JPA";
/// The head without what newer versions, and several files, add to it.
const HEAD: u64 = 19;
/// What an entry begins with.
const ENTRY: &[u8] = b"JPF";
/// The head of an entry without its path and without what is added.
const ENTRY_HEAD: usize = 21;
/// What is added to a head: in how many files the archive is.
const SEVERAL: &[u8] = b"JP\x01\x01";
/// What is added to the head of an entry: the time of its last change.
const MODIFIED: u16 = 0x0100;
/// Contents are read in pieces of this size.
const PIECE: usize = 64 << 10;

/// What a head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its bytes.
    length: u64,
    /// Entries.
    entries: u32,
    /// Bytes of all contents, unpacked; what is over 2^32 is lost.
    plain: u32,
    /// The same, as they are stored.
    stored: u32,
    /// Files that the archive is in.
    pub files: u16,
}

impl Head {
    /// Reads the head of an archive.
    ///
    /// # Errors
    /// `backup_corrupt`, `backup_unreadable` for a form that nobody knows, `io_failed`.
    pub fn of(source: &impl ReadAt) -> Result<Head> {
        let mut fixed = [0; HEAD as usize];
        exact(source, &mut fixed, 0)?;
        let length = u64::from(u16_at(&fixed, 3));
        if !fixed.starts_with(MARK) || length < HEAD {
            return Err(corrupt("its head is none of an archive of Akeeba"));
        }
        if fixed[5] != 1 {
            let message = format!("it is of version {}.{} of Akeeba's form, which is not read", fixed[5], fixed[6]);
            return Err(Error::new(Code::BackupUnreadable, message).hint(KICKSTART));
        }
        let mut added = vec![0; (length - HEAD) as usize];
        exact(source, &mut added, HEAD)?;
        let files = match added.strip_prefix(SEVERAL) {
            Some(rest) if rest.len() >= 4 => u16_at(rest, 2).max(1),
            _ => 1,
        };
        Ok(Head { length, entries: u32_at(&fixed, 7), plain: u32_at(&fixed, 11), stored: u32_at(&fixed, 15), files })
    }
}

/// What Akeeba's own program can do.
pub(super) const KICKSTART: &str = "Unpack it by Akeeba's Kickstart, and name the folder.";

/// A number of two bytes; 0 where they are not there.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map_or(0, u16::from_le_bytes)
}

/// One of four bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// Entries of such an archive.
pub struct JpaReader<S> {
    source: S,
    head: Head,
    limits: Limits,
    spent: Spent,
    at: u64,
    /// Of what was seen so far, as the head says it of all.
    entries: u32,
    plain: u32,
    stored: u32,
    offset: u64,
    content: Option<Content<S>>,
    names_only: bool,
}

impl<S: ReadAt + Clone> JpaReader<S> {
    /// Reads the head.
    ///
    /// # Errors
    /// As [`Head::of`]; `backup_incomplete` where it is in more files than are there.
    pub fn open(source: S, limits: Limits) -> Result<JpaReader<S>> {
        let head = Head::of(&source)?;
        let found = source.volumes().len();
        if found != usize::from(head.files) {
            let message = format!("it is an archive in {} files, and {found} of them are there", head.files);
            return Err(Error::new(Code::BackupIncomplete, message)
                .hint("Put all of them into one folder: NAME.j01, NAME.j02, … and NAME.jpa."));
        }
        Ok(JpaReader {
            source,
            head,
            limits,
            spent: Spent::default(),
            at: head.length,
            entries: 0,
            plain: 0,
            stored: 0,
            offset: 0,
            content: None,
            names_only: false,
        })
    }

    /// For who wants to know what is in it: contents that nobody read are not checked.
    #[must_use]
    pub fn names_only(self) -> JpaReader<S> {
        JpaReader { names_only: true, ..self }
    }

    fn damage(&self, why: impl std::fmt::Display) -> Error {
        corrupt(format_args!("{why} (byte {})", self.at)).with("offset", self.at)
    }

    /// The head of the next entry; `None` at the end.
    fn entry(&mut self) -> Result<Option<(Entry, Content<S>)>> {
        if self.at == self.source.size() {
            return self.end().map(|()| None);
        }
        let mut start = [0; 7];
        exact(&self.source, &mut start, self.at)?;
        let (length, path) = (usize::from(u16_at(&start, 3)), usize::from(u16_at(&start, 5)));
        if !start.starts_with(ENTRY) {
            return Err(self.damage("no entry begins where one should"));
        }
        if path == 0 || length < ENTRY_HEAD + path {
            return Err(self.damage("the head of an entry is shorter than what is in it"));
        }
        let mut rest = vec![0; length - start.len()];
        exact(&self.source, &mut rest, self.at + start.len() as u64)?;
        let (path, rest) = rest.split_at(path);
        let (fixed, added) = rest.split_at(ENTRY_HEAD - start.len());
        let (kind, packing) = (fixed[0], fixed[1]);
        let (stored, size, mode) = (u32_at(fixed, 2), u32_at(fixed, 6), u32_at(fixed, 10));
        let mtime = self.added(added)?;
        let shown = String::from_utf8_lossy(path).into_owned();
        let begin = self.at + length as u64;
        let end = begin + u64::from(stored);
        if end > self.source.size() {
            return Err(self.damage(format_args!("it ends in the middle of {shown:?}")));
        }
        let content = Stretch::new(self.source.clone(), begin, end);
        let content = Content::new(content, packing, u64::from(size), stored == 0, &shown)?;
        let is_plain = packing == 0 && stored == size;
        let kind = match kind {
            0 if is_plain && size == 0 => EntryKind::Folder,
            1 if packing != 0 || is_plain => EntryKind::File,
            2 if is_plain && size > 0 && u64::from(size) <= MAX_LINK => {
                let mut target = vec![0; size as usize];
                exact(&self.source, &mut target, begin)?;
                EntryKind::Symlink(target)
            }
            0..=2 => return Err(self.damage(format_args!("the sizes of {shown:?} cannot be"))),
            _ => return Err(self.damage(format_args!("{shown:?} is of a kind that nobody knows"))),
        };
        self.at = end;
        self.entries = self.entries.wrapping_add(1);
        self.plain = self.plain.wrapping_add(size);
        self.stored = self.stored.wrapping_add(stored);
        let size = if kind == EntryKind::File { u64::from(size) } else { 0 };
        let entry = Entry {
            path: path.to_vec(),
            mode: mode & 0o7777,
            kind,
            uid: 0,
            gid: 0,
            mtime: (i64::from(mtime), 0),
            size,
            stored: size,
            segments: None,
            xattrs: Vec::new(),
            begin: None,
        };
        Ok(Some((entry, content)))
    }

    /// What is added to the head of an entry: the time of its last change, and what newer writers add.
    fn added(&self, mut fields: &[u8]) -> Result<u32> {
        let mut modified = 0;
        while !fields.is_empty() {
            let length = usize::from(u16_at(fields, 2));
            let Some((field, rest)) = fields.split_at_checked(length).filter(|_| length >= 4) else {
                return Err(self.damage("what is added to the head of an entry is longer than the head"));
            };
            if u16_at(field, 0) == MODIFIED && field.len() >= 8 {
                modified = u32_at(field, 4);
            }
            fields = rest;
        }
        Ok(modified)
    }

    /// Behind the last entry: whether these were all.
    fn end(&self) -> Result<()> {
        let Head { entries, plain, stored, .. } = self.head;
        if entries == 0 && self.entries > 0 {
            let message = "it was never finished: its head does not say how many entries it has";
            return Err(Error::new(Code::BackupIncomplete, message)
                .hint("Choose another backup: this one ended with an error."));
        }
        if entries != self.entries {
            return Err(self.damage(format_args!("it has {} entries, and its head says {entries}", self.entries)));
        }
        if (plain, stored) != (self.plain, self.stored) {
            return Err(self.damage("its entries have other sizes together than its head says"));
        }
        Ok(())
    }
}

impl<S: ReadAt + Clone> Entries for JpaReader<S> {
    fn next_entry(&mut self) -> Result<Option<Entry>> {
        if self.content.is_some() && !self.names_only {
            io::copy(self, &mut io::sink()).map_err(unwrap_io)?;
        }
        let Some((entry, content)) = self.entry()? else {
            self.content = None;
            return Ok(None);
        };
        self.limits.count(&mut self.spent, entry.size)?;
        self.content = (entry.kind == EntryKind::File).then_some(content);
        Ok(Some(entry))
    }

    fn offset(&self) -> u64 {
        self.offset
    }

    fn spent(&self) -> Spent {
        self.spent
    }

    fn spend(&mut self, inner: Spent) {
        self.spent.add(inner);
    }
}

impl<S: ReadAt + Clone> Read for JpaReader<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(content) = &mut self.content else { return Ok(0) };
        let count = content.read(into)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// The content of a file while it is read.
struct Content<S> {
    data: Packed<S>,
    left: u64,
    ended: bool,
    name: String,
}

/// How it is stored.
enum Packed<S> {
    Plain(BufReader<Stretch<S>>),
    Deflate(flate2::bufread::DeflateDecoder<BufReader<Stretch<S>>>),
    Bzip2(bzip2::bufread::BzDecoder<BufReader<Stretch<S>>>),
}

impl<S: ReadAt> Content<S> {
    /// Nothing that is stored is nothing, whatever it is said to be packed by.
    fn new(data: Stretch<S>, packing: u8, size: u64, is_empty: bool, name: &str) -> Result<Content<S>> {
        let data = BufReader::with_capacity(PIECE, data);
        let data = match packing {
            0 => Packed::Plain(data),
            _ if is_empty => Packed::Plain(data),
            1 => Packed::Deflate(flate2::bufread::DeflateDecoder::new(data)),
            2 => Packed::Bzip2(bzip2::bufread::BzDecoder::new(data)),
            other => {
                let message = format!("{name:?} is packed by method {other} of Akeeba's form, which is not read");
                return Err(Error::new(Code::BackupUnreadable, message).hint(KICKSTART));
            }
        };
        Ok(Content { data, left: size, ended: false, name: name.to_owned() })
    }

    fn damage(&self, why: &str) -> io::Error {
        wrap(corrupt(format_args!("{:?} {why}", self.name)))
    }

    fn unpack(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.data {
            Packed::Plain(data) => return data.read(into),
            Packed::Deflate(data) => data.read(into),
            Packed::Bzip2(data) => data.read(into),
        };
        // An error of the file itself stays what it is.
        read.map_err(|error| match is_from_below(&error) {
            true => error,
            false => self.damage(&format!("cannot be unpacked: {error}")),
        })
    }

    /// Requires that nothing is left of it: neither of what it unpacks to, nor of what is stored.
    fn end(&mut self) -> io::Result<()> {
        if self.unpack(&mut [0])? > 0 {
            return Err(self.damage("is longer than its head says"));
        }
        let stored = match &mut self.data {
            Packed::Plain(data) => data,
            Packed::Deflate(data) => data.get_mut(),
            Packed::Bzip2(data) => data.get_mut(),
        };
        if !stored.fill_buf()?.is_empty() {
            return Err(self.damage("has something behind its packed content"));
        }
        self.ended = true;
        Ok(())
    }
}

impl<S: ReadAt> Read for Content<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ended || into.is_empty() {
            return Ok(0);
        }
        let most = self.left.min(into.len() as u64) as usize;
        if most > 0 {
            let count = self.unpack(&mut into[..most])?;
            if count == 0 {
                return Err(self.damage("is shorter than its head says"));
            }
            self.left -= count as u64;
            if self.left > 0 {
                return Ok(count);
            }
            self.end()?;
            return Ok(count);
        }
        self.end().map(|()| 0)
    }
}

#[cfg(test)]
mod tests;
