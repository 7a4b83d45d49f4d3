//! zip (PKWARE's APPNOTE 6.3.10): the central directory says what is in it, and every local header has to say the same. What two
//! readers could read in two ways is refused: entries that share bytes, names that come twice, headers that contradict the directory.

mod cipher;
mod directory;
mod extra;
mod name;

use super::entries::{Entries, Spent};
use super::entry::{Entry, EntryKind, MAX_LINK};
use super::password::Password;
use super::{Codec, Limits, corrupt, is_from_below, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use cipher::Cipher;
use directory::{Directory, Listed, Places};
pub(super) use extra::field;
use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// Where a zip has no modes, and for folders to which everybody could write, as PHP makes them.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;
const IS_UNIX: u8 = 3;

/// The bytes of an archive, anywhere in it; of one in several files as if they were one.
pub trait ReadAt {
    /// Bytes.
    fn size(&self) -> u64;

    /// Reads at an offset, as `pread(2)`.
    ///
    /// # Errors
    /// What reading meets.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Where each of its files begins.
    fn volumes(&self) -> Vec<u64> {
        vec![0]
    }
}

impl ReadAt for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for std::sync::Arc<T> {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(into, offset)
    }

    fn volumes(&self) -> Vec<u64> {
        (**self).volumes()
    }
}

/// Reads all of `into` at an offset.
pub(super) fn exact(source: &(impl ReadAt + ?Sized), mut into: &mut [u8], mut offset: u64) -> Result<()> {
    while !into.is_empty() {
        match source.read_at(into, offset) {
            Ok(0) => return Err(corrupt(format_args!("it ends at byte {offset}, in the middle of something"))),
            Ok(count) => {
                into = &mut into[count..];
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unwrap_io(error)),
        }
    }
    Ok(())
}

/// A stretch of a source, read from front to back.
pub(super) struct Stretch<S> {
    source: S,
    at: u64,
    end: u64,
}

impl<S> Stretch<S> {
    pub(super) fn new(source: S, at: u64, end: u64) -> Stretch<S> {
        Stretch { source, at, end }
    }
}

impl<S: ReadAt> Read for Stretch<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.end.saturating_sub(self.at).min(into.len() as u64) as usize;
        let count = self.source.read_at(&mut into[..most], self.at)?;
        if count == 0 && most > 0 {
            return Err(wrap(corrupt(format_args!("it ends at byte {}, in the middle of an entry", self.at))));
        }
        self.at += count as u64;
        Ok(count)
    }
}

/// Where the content of an entry lies, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lies {
    /// The first byte, in the archive around it.
    pub start: u64,
    /// The first byte behind it.
    pub end: u64,
    /// It is deflated; else it is stored.
    pub deflated: bool,
    /// Bytes of the content.
    pub size: u64,
    /// Its CRC-32.
    pub crc: u32,
}

/// Offsets are those of the source.
impl<S: ReadAt> Seek for Stretch<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(step) => self.end.checked_add_signed(step),
            SeekFrom::Current(step) => self.at.checked_add_signed(step),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// The content of an entry while it is read.
struct Content {
    data: Box<dyn Read>,
    left: u64,
    begun: bool,
    sum: crc32fast::Hasher,
    /// Its CRC-32; `None` where its cipher sums it up.
    wanted: Option<u32>,
    /// All that was encrypted is known to be unchanged; true where nothing is.
    whole: Rc<Cell<bool>>,
    name: String,
    lies: Option<Lies>,
}

type Make = Box<dyn FnOnce() -> Result<Box<dyn Read>>>;

/// A reader that is made when it is first read: a key takes a while to make, and of most entries only the name is wanted.
struct Late {
    make: Option<Make>,
    made: Box<dyn Read>,
}

impl Late {
    fn new(make: impl FnOnce() -> Result<Box<dyn Read>> + 'static) -> Late {
        Late { make: Some(Box::new(make)), made: Box::new(io::empty()) }
    }
}

impl Read for Late {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(make) = self.make.take() {
            self.made = make().map_err(wrap)?;
        }
        self.made.read(into)
    }
}

/// Entries of a zip archive, in the order of its directory.
pub struct ZipReader<S> {
    source: S,
    password: Option<Password>,
    directory: Directory<S>,
    places: Places,
    limits: Limits,
    spent: Spent,
    offset: u64,
    content: Option<Content>,
    unread: Unread,
}

/// Which contents are read that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    /// All, for their checksums.
    Checked,
    /// None; of a content that was begun the rest is.
    Unchecked,
    /// None, and no checksum is looked at.
    Ignored,
}

impl<S: ReadAt + Clone + 'static> ZipReader<S> {
    /// Finds the directory and looks it through: nothing of what it lists is read yet.
    ///
    /// # Errors
    /// `backup_corrupt` for one without a directory, whose entries overlap, or in which a name comes twice; `backup_unreadable` for one
    /// that is encrypted and no password is there; `backup_incomplete` for one of several files of which some are missing;
    /// `limit_exceeded`, `io_failed`.
    pub fn open(source: S, limits: Limits, password: Option<&Password>) -> Result<ZipReader<S>> {
        let (directory, places, encrypted) = directory::open(source.clone(), limits, password.is_some())?;
        let reader = ZipReader {
            source,
            password: password.cloned(),
            directory,
            places,
            limits,
            spent: Spent::default(),
            offset: 0,
            content: None,
            unread: Unread::Checked,
        };
        // Before anything is done with it: most readers want names alone.
        if let (Some(listed), Some(password)) = (encrypted, password) {
            reader.prove(&listed, password)?;
        }
        Ok(reader)
    }

    /// Requires that a password opens an entry.
    fn prove(&self, listed: &Listed, password: &Password) -> Result<()> {
        let Some(cipher) = listed.cipher else { return Ok(()) };
        let start = self.data_start(listed)?;
        let shown = String::from_utf8_lossy(&listed.name).into_owned();
        let end = start + listed.packed;
        cipher.reader(&self.source, (start, end), password, &shown, &Rc::default()).map(|_| ())
    }

    /// For who wants to know what is in it: contents that nobody read are not checked.
    #[must_use]
    pub fn names_only(self) -> ZipReader<S> {
        ZipReader { unread: Unread::Ignored, ..self }
    }

    /// For who wants some of its entries, all of which were found good before: contents that nobody read are not checked, those that
    /// somebody read are.
    #[must_use]
    pub fn unread_unchecked(self) -> ZipReader<S> {
        ZipReader { unread: Unread::Unchecked, ..self }
    }

    /// Where the content of the entry last returned lies; `None` where it is packed in another way than by deflate.
    pub fn lies(&self) -> Option<Lies> {
        self.content.as_ref()?.lies.clone()
    }

    fn entry(&mut self, listed: Listed) -> Result<Entry> {
        self.limits.count(&mut self.spent, listed.size)?;
        let start = self.data_start(&listed)?;
        let shown = String::from_utf8_lossy(&listed.name).into_owned();
        let end = start + listed.packed;
        let limit = self.places.after(listed.offset);
        if end > limit {
            return Err(corrupt(format_args!("{shown:?} shares bytes with what follows it")));
        }
        let whole = Rc::new(Cell::new(listed.cipher.is_none()));
        let overhead = listed.cipher.map_or(0, Cipher::overhead);
        let packed: Box<dyn Read> = match (listed.cipher, self.password.clone()) {
            (Some(cipher), Some(password)) => {
                let (source, name, whole) = (self.source.clone(), shown.clone(), Rc::clone(&whole));
                Box::new(Late::new(move || cipher.reader(&source, (start, end), &password, &name, &whole)))
            }
            _ => Box::new(Stretch::new(self.source.clone(), start, end)),
        };
        let data: Box<dyn Read> = match listed.packing {
            0 if listed.packed.checked_sub(overhead) != Some(listed.size) => {
                return Err(corrupt(format_args!("{shown:?} is stored as it is, and has two sizes")));
            }
            0 => packed,
            8 => Box::new(flate2::read::DeflateDecoder::new(packed)),
            12 => Codec::Bzip2.reader(packed)?,
            93 => Codec::Zstd.reader(packed)?,
            95 => Codec::Xz.reader(packed)?,
            method => {
                let message = format!("{shown:?} is packed by method {method} of zip, which is not read");
                return Err(Error::new(Code::BackupUnreadable, message)
                    .hint("Unpack it, and name the folder; or pack it anew by `zip -r`."));
            }
        };
        let mut content = Content {
            data,
            left: listed.size,
            begun: false,
            sum: crc32fast::Hasher::new(),
            wanted: listed.sums.then_some(listed.crc),
            whole,
            name: shown.clone(),
            lies: (listed.cipher.is_none() && matches!(listed.packing, 0 | 8)).then_some(Lies {
                start,
                end,
                deflated: listed.packing == 8,
                size: listed.size,
                crc: listed.crc,
            }),
        };
        let unix = (listed.made_by == IS_UNIX).then_some(listed.attributes >> 16).filter(|mode| *mode != 0);
        let is_folder = listed.name.ends_with(b"/") || (unix.is_none() && listed.attributes & 0x10 != 0);
        let kind = match unix.map(|mode| mode & 0o170_000) {
            Some(0o120_000) => EntryKind::Symlink(self.link(&mut content)?),
            Some(0o040_000) => EntryKind::Folder,
            Some(0o100_000 | 0) | None if is_folder => EntryKind::Folder,
            Some(0o100_000 | 0) | None => EntryKind::File,
            Some(other) => EntryKind::Special((other >> 12) as u8),
        };
        let is_file = kind == EntryKind::File;
        if matches!(kind, EntryKind::Folder) && listed.size > 0 {
            return Err(corrupt(format_args!("{shown:?} is a folder with content")));
        }
        let told = unix.map(|mode| mode & 0o7777);
        let mode = match kind {
            EntryKind::Folder => told.filter(|mode| mode & 0o002 == 0).unwrap_or(FOLDER_MODE),
            _ => told.unwrap_or(FILE_MODE),
        };
        let size = if is_file { listed.size } else { 0 };
        if is_file {
            self.content = Some(content);
        }
        Ok(Entry {
            path: listed.name,
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime: (listed.mtime, 0),
            size,
            stored: size,
            segments: None,
            xattrs: Vec::new(),
            begin: None,
        })
    }

    /// Where the content begins: behind the local header, which has to say what the directory says.
    fn data_start(&self, listed: &Listed) -> Result<u64> {
        let mut header = [0; 30];
        exact(&self.source, &mut header, listed.offset)?;
        let two = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let four = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let shown = String::from_utf8_lossy(&listed.name).into_owned();
        let differs =
            |what: &str| corrupt(format_args!("{shown:?} has another {what} in its own header than in the directory"));
        if header[..4] != LOCAL {
            return Err(corrupt(format_args!("{shown:?} is not where the directory says (byte {})", listed.offset)));
        }
        let name_length = usize::from(two(26));
        let mut name = vec![0; name_length];
        exact(&self.source, &mut name, listed.offset + 30)?;
        if name != listed.raw_name {
            return Err(differs("name"));
        }
        if two(8) != listed.method {
            return Err(differs("method"));
        }
        // Bit 3: sizes and checksum follow the content, where the header has none.
        let follows = two(6) & 8 != 0;
        let (crc, packed, size) = (four(14), four(18), four(22));
        let fits = |told: u32, known: u64| u64::from(told) == known || told == u32::MAX || (follows && told == 0);
        if !fits(packed, listed.packed) || !fits(size, listed.size) {
            return Err(differs("size"));
        }
        if crc != listed.crc && !(follows && crc == 0) {
            return Err(differs("checksum"));
        }
        Ok(listed.offset + 30 + name_length as u64 + u64::from(two(28)))
    }

    fn link(&self, content: &mut Content) -> Result<Vec<u8>> {
        if content.left == 0 || content.left >= MAX_LINK {
            return Err(corrupt(format_args!("the link {:?} has a target of {} bytes", content.name, content.left)));
        }
        let mut target = vec![0; content.left as usize];
        io::Read::read_exact(content, &mut target).map_err(unwrap_io)?;
        content.finish()?;
        Ok(target)
    }

    /// Reads what is left of the entry, so that its checksum is looked at.
    fn pass_over(&mut self) -> Result<()> {
        let Some(mut content) = self.content.take() else { return Ok(()) };
        match self.unread {
            Unread::Checked => {}
            Unread::Unchecked if content.begun => {}
            Unread::Unchecked | Unread::Ignored => return Ok(()),
        }
        let mut scratch = [0; 16 << 10];
        while content.left > 0 {
            let count = content.read(&mut scratch).map_err(unwrap_io)?;
            self.offset += count as u64;
        }
        content.finish()
    }
}

impl Content {
    /// At its end: its checksum, and nothing behind it.
    fn finish(&mut self) -> Result<()> {
        let mut more = [0; 1];
        let name = &self.name;
        match self.data.read(&mut more) {
            Ok(0) => {}
            Ok(_) => return Err(corrupt(format_args!("{name:?} unpacks to more than the directory says"))),
            Err(error) => return Err(self.error(error)),
        }
        if self.wanted.is_some_and(|wanted| self.sum.clone().finalize() != wanted) {
            return Err(corrupt(format_args!("{name:?} does not match its checksum")));
        }
        if !self.whole.get() {
            return Err(corrupt(format_args!("{name:?} has bytes behind its content")));
        }
        Ok(())
    }

    fn error(&self, error: io::Error) -> Error {
        // A decoder's own; that of the file below is one of the system's, or ours.
        if is_from_below(&error) {
            return unwrap_io(error);
        }
        corrupt(format_args!("{:?}: the compressed data is wrong", self.name))
    }
}

impl Read for Content {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(into.len() as u64) as usize;
        self.begun = true;
        if most == 0 {
            return Ok(0);
        }
        let count = match self.data.read(&mut into[..most]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(wrap(self.error(error))),
        };
        if count == 0 {
            return Err(wrap(corrupt(format_args!("{:?} unpacks to less than the directory says", self.name))));
        }
        self.sum.update(&into[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

impl<S: ReadAt + Clone + 'static> Entries for ZipReader<S> {
    fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.pass_over()?;
        match self.directory.next()? {
            Some(listed) => self.entry(listed).map(Some),
            None => Ok(None),
        }
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

impl<S> Read for ZipReader<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(content) = &mut self.content else { return Ok(0) };
        let count = content.read(into)?;
        self.offset += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
