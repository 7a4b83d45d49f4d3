//! tar: ustar, PAX, GNU long names and sparse files. Reads entries in order; what it cannot be sure of is damage. What old and
//! small writers make and GNU tar reads without a word is read alike: GNU tar manual, "Basic Tar Format" and "Dumpdir".

use super::entries::Spent;
use super::entry::{Entry, EntryKind};
use super::extension::{Extension, number};
use super::sparse::{Map, Segment};
use super::{Limits, corrupt, foreign, is_wrapped, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use std::io::Read;
use tar::{EntryType, Header};

const BLOCK: u64 = 512;
/// Longest extended header or long name; a path is at most 4,096 bytes, the rest is room for attributes.
const MAX_EXTENSION: u64 = 1 << 20;

/// Entries of a tar archive. [`Read`] gives the stored bytes of the entry last returned; what is left of them is
/// skipped by the next call of [`TarReader::next_entry`].
pub struct TarReader<R> {
    inner: R,
    limits: Limits,
    /// Stored bytes of the current entry not read yet.
    left: u64,
    /// Zero bytes between them and the next header.
    padding: u64,
    entries: u64,
    unpacked: u64,
    offset: u64,
    global: Extension,
    /// A global header was met: entries behind it do not stand by themselves.
    has_global: bool,
    /// Where the first header of the entry in hand begins.
    begin: u64,
    ended: bool,
    /// A good end of the input below says that nothing is missing.
    sealed: bool,
    without_mark: bool,
    name_lists: bool,
    unchanged: Option<Unchanged>,
    lost_links: bool,
}

/// What an incremental archive says it leaves out, being unchanged since the one before.
#[derive(Debug, Clone)]
struct Unchanged {
    names: u64,
    /// The first of them, as the archive has it.
    first: Vec<u8>,
}

impl<R: Read> TarReader<R> {
    /// Reads from `inner`; small reads must be cheap there.
    pub fn new(inner: R, limits: Limits) -> TarReader<R> {
        TarReader {
            inner,
            limits,
            left: 0,
            padding: 0,
            entries: 0,
            unpacked: 0,
            offset: 0,
            global: Extension::default(),
            has_global: false,
            begin: 0,
            ended: false,
            sealed: false,
            without_mark: false,
            name_lists: false,
            unchanged: None,
            lost_links: false,
        }
    }

    /// The same for an input that checks itself to its end, as gzip does: then a missing end mark is no sign of a cut.
    #[must_use]
    pub fn sealed(self) -> TarReader<R> {
        TarReader { sealed: true, ..self }
    }

    /// The same where links may be without their targets, as a writer of little care makes them: they are nothing that can be restored.
    #[must_use]
    pub fn with_lost_links(self) -> TarReader<R> {
        TarReader { lost_links: true, ..self }
    }

    /// Whether the archive ended without its end mark.
    pub fn lacks_end_mark(&self) -> bool {
        self.without_mark
    }

    /// Whether folders in it have lists of names: only a reading to the end tells then whether it is whole.
    pub fn has_name_lists(&self) -> bool {
        self.name_lists
    }

    /// Whether what was read so far is the state of a folder, and not only what had changed in it: GNU tar writes into an incremental
    /// archive (`--listed-incremental`) which names it leaves out.
    ///
    /// # Errors
    /// `backup_incomplete` naming the first of them.
    pub fn require_whole(&self) -> Result<()> {
        let Some(Unchanged { names, first }) = &self.unchanged else { return Ok(()) };
        let first = String::from_utf8_lossy(first).into_owned();
        let message = format!(
            "it is an incremental archive of tar: it leaves out what had not changed, {names} names or more, {first:?} among them"
        );
        Err(Error::new(Code::BackupIncomplete, message)
            .hint(
                "Restore the full archive (level 0) that it goes on from. For the newer state unpack both into one folder, each with \
                 `tar --listed-incremental=/dev/null -x`, and pack that folder.",
            )
            .with("first_unchanged", first))
    }

    /// What was used of the limits.
    pub fn spent(&self) -> Spent {
        Spent { entries: self.entries, bytes: self.unpacked }
    }

    /// Counts what an archive inside this one used.
    pub fn spend(&mut self, inner: Spent) {
        self.entries = self.entries.saturating_add(inner.entries);
        self.unpacked = self.unpacked.saturating_add(inner.bytes);
    }

    /// Bytes of tar read so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next entry, or `None` at the end, which is only reached when the whole input was read and found good.
    ///
    /// # Errors
    /// `backup_corrupt`, `limit_exceeded`, `io_failed`.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        if self.ended {
            return Ok(None);
        }
        let mut local = self.global.clone();
        let mut extended = false;
        let (mut long_name, mut long_link) = (None, None);
        self.skip()?;
        self.begin = self.offset;
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                if extended || long_name.is_some() || long_link.is_some() {
                    return Err(self.damage("ends after an extended header"));
                }
                self.drain()?;
                self.ended = true;
                return Ok(None);
            };
            self.entries += 1;
            self.limits.require(self.spent())?;
            let size = match has_content(header.entry_type()) {
                true => header.entry_size().map_err(|_| self.damage("an entry has no readable size"))?,
                false => 0,
            };
            match header.entry_type() {
                // `X` is Solaris's name of the same.
                kind if kind == EntryType::XHeader || kind.as_byte() == b'X' => {
                    extended = true;
                    local.read(&self.extension(size)?)?;
                }
                EntryType::XGlobalHeader => {
                    self.has_global = true;
                    let text = self.extension(size)?;
                    self.global.read(&text)?;
                    if self.global.path.is_some() || self.global.size.is_some() || self.global.link.is_some() {
                        return Err(self.damage("a global header names a single entry"));
                    }
                    local.read(&text)?;
                }
                EntryType::GNULongName => long_name = Some(text_field(&self.extension(size)?).to_vec()),
                EntryType::GNULongLink => long_link = Some(text_field(&self.extension(size)?).to_vec()),
                // A volume's label, an access control list of Solaris: nothing that a site has.
                kind if matches!(kind.as_byte(), b'V' | b'A') => self.stored(size)?,
                kind if kind.as_byte() == b'M' => {
                    return Err(self.damage("it is a later part of an archive of several volumes"));
                }
                _ => return self.entry(&header, size, local, long_name, long_link).map(Some),
            }
        }
    }

    fn entry(
        &mut self,
        header: &Header,
        size: u64,
        extension: Extension,
        long_name: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> Result<Entry> {
        let mut path = extension.path.or(long_name).unwrap_or_else(|| header.path_bytes().into_owned());
        let link = extension.link.or(long_link).or_else(|| header.link_name_bytes().map(|name| name.into_owned()));
        let link = |kind: fn(Vec<u8>) -> EntryKind| match link {
            Some(target) if !target.is_empty() => Ok(kind(target)),
            _ if self.lost_links => Ok(EntryKind::Special(header.entry_type().as_byte())),
            _ => Err(self.damage("a link has no target")),
        };
        let kind = match header.entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                // archives older than ustar mark folders by a slash
                if path.ends_with(b"/") { EntryKind::Folder } else { EntryKind::File }
            }
            EntryType::Directory => EntryKind::Folder,
            EntryType::Symlink => link(EntryKind::Symlink)?,
            EntryType::Link => link(EntryKind::HardLink)?,
            // a folder of an incremental GNU archive; its list of names is not needed
            other if other.as_byte() == b'D' => EntryKind::Folder,
            other => EntryKind::Special(other.as_byte()),
        };
        let mut stored = match extension.size {
            None => size,
            // The size of a folder or of a symbolic link is that of another system's.
            Some(_) if !has_content(header.entry_type()) && !matches!(kind, EntryKind::HardLink(_)) => 0,
            Some(exact) if exact == size => size,
            // too large for the header's twelve octal digits, which writers then leave at zero
            Some(exact) if exact >= 8 << 30 && size == 0 => exact,
            Some(exact) => {
                return Err(self.damage(format_args!(
                    "{:?} has two sizes: {size} in its header, {exact} in its extension",
                    String::from_utf8_lossy(&path)
                )));
            }
        };
        if stored != 0 && !has_content(header.entry_type()) {
            // pax may store a hard link's content again, with the size of the file; links of tar have none.
            return Err(self.damage("a link has content"));
        }
        self.stored(stored)?;
        if header.entry_type().as_byte() == b'D' {
            self.dumpdir(&path)?;
        } else if let Some(names) = &extension.dumpdir {
            let mut list = Dumpdir::default();
            list.feed(names);
            self.leaves_out(&path, list);
        }
        let mut logical = stored;
        let mut segments = None;
        if kind == EntryKind::File {
            if header.entry_type() == EntryType::GNUSparse {
                let (map, real) = self.old_sparse(header)?;
                stored = self.left;
                logical = real;
                segments = Some(map.finish(real, stored)?);
            } else if extension.sparse.major == Some(1) {
                logical = extension.sparse.size.ok_or_else(|| self.damage("a sparse file has no size"))?;
                let map = self.map_before_data()?;
                stored = self.left;
                segments = Some(map.finish(logical, stored)?);
            } else if let Some(map) = extension.sparse.map()? {
                logical = extension.sparse.size.ok_or_else(|| self.damage("a sparse file has no size"))?;
                segments = Some(map.finish(logical, stored)?);
            }
            if segments.is_some() {
                path = extension.sparse.name.unwrap_or(path);
            }
        }
        if path.is_empty() {
            return Err(self.damage("an entry has no name"));
        }
        if kind != EntryKind::File {
            logical = 0;
        }
        self.unpacked = self.unpacked.saturating_add(logical.max(stored));
        self.limits.require(self.spent())?;
        let id = |given: Option<u64>, field: std::io::Result<u64>| {
            u32::try_from(given.or(field.ok()).unwrap_or(0)).unwrap_or(u32::MAX)
        };
        Ok(Entry {
            path,
            kind,
            mode: header.mode().map_err(|_| self.damage("an entry has no readable mode"))? & 0o7777,
            uid: id(extension.uid, header.uid()),
            gid: id(extension.gid, header.gid()),
            mtime: extension.mtime.unwrap_or_else(|| (header.mtime().unwrap_or(0) as i64, 0)),
            size: logical,
            stored,
            segments,
            xattrs: extension.xattrs,
            begin: (!self.has_global).then_some(self.begin),
        })
    }

    /// Reads the list of names of a folder in an incremental archive.
    fn dumpdir(&mut self, folder: &[u8]) -> Result<()> {
        let mut scratch = [0; 16 << 10];
        let mut list = Dumpdir::default();
        while self.left > 0 {
            let count = self.left.min(scratch.len() as u64) as usize;
            self.exact(&mut scratch[..count])?;
            self.left -= count as u64;
            list.feed(&scratch[..count]);
        }
        self.leaves_out(folder, list);
        Ok(())
    }

    fn leaves_out(&mut self, folder: &[u8], list: Dumpdir) {
        self.name_lists = true;
        let Some(name) = list.first else { return };
        let unchanged = self.unchanged.get_or_insert_with(|| Unchanged {
            names: 0,
            first: [folder.strip_suffix(b"/").unwrap_or(folder), b"/", &name].concat(),
        });
        unchanged.names += list.unchanged;
    }

    /// The next header with a good checksum, or `None` at the end mark.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        let filled = self.block(header.as_mut_bytes())?;
        if filled == 0 && self.sealed && self.entries > 0 {
            self.without_mark = true;
            return Ok(None);
        }
        if filled < BLOCK as usize {
            let start = &header.as_bytes()[..filled];
            return Err(self.foreign(start).unwrap_or_else(|| self.cut()));
        }
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let (before, rest) = bytes.split_at(148);
        let bytes = || before.iter().chain(&rest[8..]).copied();
        let blanks = 8 * i64::from(b' ');
        let plain = blanks + bytes().map(i64::from).sum::<i64>();
        // Where characters have a sign, as for SunOS, a sum of characters is another one.
        let signed = || blanks + bytes().map(|byte| i64::from(byte.cast_signed())).sum::<i64>();
        let noted = header.cksum().ok().map(i64::from);
        if noted != Some(plain) && noted != Some(signed()) {
            return Err(self
                .foreign(header.as_bytes())
                .unwrap_or_else(|| self.damage("an entry's header does not match its checksum")));
        }
        Ok(Some(header))
    }

    /// Fills a block as far as there is input.
    fn block(&mut self, into: &mut [u8; BLOCK as usize]) -> Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.inner.read(&mut into[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unwrap_io(error)),
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }

    /// What no tar archive begins with.
    fn foreign(&self, start: &[u8]) -> Option<Error> {
        let refused = || foreign::refused(start, "a tar archive");
        (self.entries == 0).then(refused).flatten()
    }

    fn cut(&self) -> Error {
        self.damage("it ends in the middle of an entry, or without an end mark")
    }

    /// GNU's own sparse format: the map in the header and in blocks after it, which are not part of the size.
    fn old_sparse(&mut self, header: &Header) -> Result<(Map, u64)> {
        let gnu = header.as_gnu().ok_or_else(|| self.damage("a sparse entry is not of GNU's format"))?;
        let mut map = Map::default();
        let add = |map: &mut Map, sparse: &tar::GnuSparseHeader| -> Result<()> {
            if sparse.offset[0] == 0 || sparse.numbytes[0] == 0 {
                return Ok(());
            }
            let bad = |_| corrupt("a sparse map is not readable");
            map.push(sparse.offset().map_err(bad)?, sparse.length().map_err(bad)?)
        };
        for sparse in &gnu.sparse {
            add(&mut map, sparse)?;
        }
        let real = gnu.real_size().map_err(|_| self.damage("a sparse entry has no readable size"))?;
        let mut more = gnu.is_extended();
        while more {
            let mut block = tar::GnuExtSparseHeader::new();
            self.exact(block.as_mut_bytes())?;
            map.count(1)?;
            for sparse in block.sparse() {
                add(&mut map, sparse)?;
            }
            more = block.is_extended();
        }
        Ok((map, real))
    }

    /// PAX sparse 1.0: decimal numbers in lines, padded to a block, before the data and part of the size.
    fn map_before_data(&mut self) -> Result<Map> {
        let mut block = [0; BLOCK as usize];
        let mut at = block.len();
        let mut next = |reader: &mut Self| -> Result<u64> {
            let mut text = Vec::with_capacity(20);
            loop {
                if at == block.len() {
                    if reader.left < BLOCK {
                        return Err(reader.damage("a sparse map is cut"));
                    }
                    reader.left -= BLOCK;
                    reader.exact(&mut block)?;
                    at = 0;
                }
                let byte = block[at];
                at += 1;
                if byte == b'\n' {
                    return number(&text);
                }
                if text.len() == 20 {
                    return Err(reader.damage("a sparse map is not readable"));
                }
                text.push(byte);
            }
        };
        let count = next(self)?;
        let mut map = Map::default();
        for _ in 0..count {
            let (offset, length) = (next(self)?, next(self)?);
            map.push(offset, length)?;
        }
        Ok(map)
    }

    /// Announces stored bytes of the entry whose header was read.
    fn stored(&mut self, size: u64) -> Result<()> {
        if size > i64::MAX as u64 - BLOCK {
            return Err(self.damage("an entry has an impossible size"));
        }
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK) - size;
        Ok(())
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > MAX_EXTENSION {
            return Err(Error::new(Code::LimitExceeded, format!("an extended header of the backup has {size} bytes"))
                .with("offset", self.offset));
        }
        self.stored(size)?;
        let mut text = vec![0; size as usize];
        self.left = 0;
        self.exact(&mut text)?;
        Ok(text)
    }

    fn skip(&mut self) -> Result<()> {
        let mut scratch = [0; 16 << 10];
        let mut rest = self.left + self.padding;
        (self.left, self.padding) = (0, 0);
        while rest > 0 {
            let count = rest.min(scratch.len() as u64) as usize;
            self.exact(&mut scratch[..count])?;
            rest -= count as u64;
        }
        Ok(())
    }

    /// Reads what follows the end mark, so that a compressed archive is checked to its last byte.
    fn drain(&mut self) -> Result<()> {
        let mut scratch = [0; 16 << 10];
        let mut rest = 0u64;
        loop {
            match self.inner.read(&mut scratch) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    rest += count as u64;
                    self.offset += count as u64;
                    if scratch[..count].iter().any(|byte| *byte != 0) {
                        return Err(self.damage("something follows the end of the archive"));
                    }
                    if rest > self.limits.bytes {
                        return Err(Error::new(Code::LimitExceeded, "the end of the backup is padded without end"));
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unwrap_io(error)),
            }
        }
    }

    fn exact(&mut self, into: &mut [u8]) -> Result<()> {
        match self.inner.read_exact(into) {
            Ok(()) => {
                self.offset += into.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && !is_wrapped(&error) => Err(self.cut()),
            Err(error) => Err(unwrap_io(error)),
        }
    }

    fn damage(&self, why: impl std::fmt::Display) -> Error {
        corrupt(format_args!("{why} (tar offset {})", self.offset)).with("tar_offset", self.offset)
    }
}

/// Whether an entry of this type can have content: links, folders, devices and labels have none, whatever size they say (GNU tar,
/// libarchive and Python read on behind the header, too).
fn has_content(kind: EntryType) -> bool {
    !matches!(kind.as_byte(), b'1'..=b'6' | b'V')
}

/// The list of names of a folder in an incremental archive: each with a letter before it and a NUL behind, `N` for what the archive
/// leaves out because it had not changed.
#[derive(Default)]
struct Dumpdir {
    /// Names left out.
    unchanged: u64,
    /// The first of them; cut at the longest name of a filesystem.
    first: Option<Vec<u8>>,
    inside: bool,
    taking: bool,
}

impl Dumpdir {
    fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == 0 {
                (self.inside, self.taking) = (false, false);
            } else if !self.inside {
                self.inside = true;
                if byte == b'N' {
                    self.taking = self.first.is_none();
                    self.unchanged += 1;
                    self.first.get_or_insert_default();
                }
            } else if let Some(name) = self.first.as_mut().filter(|name| self.taking && name.len() < 255) {
                name.push(byte);
            }
        }
    }
}

impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = self.left.min(into.len() as u64) as usize;
        if most == 0 {
            return Ok(0);
        }
        let count = self.inner.read(&mut into[..most])?;
        if count == 0 {
            return Err(wrap(self.damage("it ends in the middle of an entry")));
        }
        self.left -= count as u64;
        self.offset += count as u64;
        Ok(count)
    }
}

/// A long name up to its closing NUL; a NUL inside stays, so that the path is refused.
fn text_field(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\0").unwrap_or(text)
}

/// The segments of an entry, a single one when it has no holes.
pub fn segments(entry: &Entry) -> Vec<Segment> {
    match &entry.segments {
        Some(segments) => segments.clone(),
        None if entry.stored == 0 => Vec::new(),
        None => vec![Segment { offset: 0, length: entry.stored }],
    }
}

#[cfg(test)]
mod tests;
