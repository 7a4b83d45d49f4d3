//! `.daf`, the archive of Duplicator (read from its writer's source, Duplicator Lite 1.5.15, and from what it writes): text heads with values
//! in tags, and contents behind them. `<A>` begins it and says whether contents are packed; `<D>` is a folder; `<F>` is a file with its size,
//! and behind it come `<G>`, pieces of at most a MiB, each with its unpacked size, its stored size and the CRC-32 of what is stored, until the
//! file's size is reached. A packed piece is raw deflate. The first file, the index, is never packed; it says where the files that
//! Duplicator adds at last begin: an archive that ends before is cut.

use super::entries::{Entries, Spent};
use super::entry::{Entry, EntryKind};
use super::{Limits, corrupt, unwrap_io};
use crate::error::Result;
use flate2::read::DeflateDecoder;
use std::io::{self, BufRead, BufReader, Read};

/// How it begins.
pub const MARK: &[u8] = b"<A><V>";
/// The first file.
const INDEX: &[u8] = b"__dup__archive__index.json";
/// Largest piece, packed or not; Duplicator's have a MiB.
const MAX_PIECE: u64 = 16 << 20;
/// Longest path.
const MAX_PATH: u64 = 4 << 10;
/// Longest value of a tag.
const MAX_VALUE: usize = 64;

/// Entries of such an archive.
pub struct DafReader<R> {
    source: BufReader<Counted<R>>,
    limits: Limits,
    spent: Spent,
    packs: bool,
    began: bool,
    /// Where the files that are added at last begin.
    extra: Option<u64>,
    saw_extra: bool,
    file: Option<Content>,
    offset: u64,
}

/// What is left of a file.
struct Content {
    path: Vec<u8>,
    packed: bool,
    /// Bytes of pieces that were not read.
    left: u64,
    piece: io::Cursor<Vec<u8>>,
    sum: crc32fast::Hasher,
    wanted: u32,
}

/// Counts what was read.
struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl<R: Read> DafReader<R> {
    /// Reads from the beginning.
    ///
    /// # Errors
    /// `backup_corrupt`, `io_failed`.
    pub fn open(source: R, limits: Limits) -> Result<DafReader<R>> {
        let mut reader = DafReader {
            source: BufReader::with_capacity(256 << 10, Counted { inner: source, read: 0 }),
            limits,
            spent: Spent::default(),
            packs: false,
            began: false,
            extra: None,
            saw_extra: false,
            file: None,
            offset: 0,
        };
        reader.expect(b"<A>")?;
        reader.value("V")?;
        reader.packs = reader.value("C")? == "true";
        reader.expect(b"</A>")?;
        Ok(reader)
    }

    /// Bytes before the next one.
    fn at(&self) -> u64 {
        self.source.get_ref().read - self.source.buffer().len() as u64
    }

    fn damage(&self, why: impl std::fmt::Display) -> crate::error::Error {
        corrupt(format_args!("{why} (byte {})", self.at())).with("offset", self.at())
    }

    fn exactly(&mut self, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.source).take(length).read_to_end(&mut bytes).map_err(unwrap_io)?;
        if bytes.len() as u64 != length {
            return Err(self.damage("it ends too early"));
        }
        Ok(bytes)
    }

    fn expect(&mut self, text: &[u8]) -> Result<()> {
        let found = self.exactly(text.len() as u64)?;
        if found == text {
            return Ok(());
        }
        Err(self.damage(format_args!("{} is missing in a head", String::from_utf8_lossy(text))))
    }

    /// The value of a tag, which comes next.
    fn value(&mut self, tag: &str) -> Result<String> {
        self.expect(format!("<{tag}>").as_bytes())?;
        let mut value = Vec::new();
        (&mut self.source).take(MAX_VALUE as u64).read_until(b'<', &mut value).map_err(unwrap_io)?;
        if value.pop() != Some(b'<') {
            return Err(self.damage(format_args!("the value of <{tag}> does not end")));
        }
        self.expect(format!("/{tag}>").as_bytes())?;
        String::from_utf8(value).map_err(|_| self.damage(format_args!("the value of <{tag}> is no text")))
    }

    fn number(&mut self, tag: &str) -> Result<u64> {
        let value = self.value(tag)?;
        value.parse().map_err(|_| self.damage(format_args!("<{tag}> is no number")))
    }

    fn octal(&mut self, tag: &str) -> Result<u32> {
        let value = self.value(tag)?;
        u32::from_str_radix(&value, 8).map_err(|_| self.damage(format_args!("<{tag}> is no mode")))
    }

    fn sum(&mut self) -> Result<u32> {
        let value = self.value("HA")?;
        u32::from_str_radix(&value, 16).map_err(|_| self.damage("<HA> is no checksum"))
    }

    fn path(&mut self) -> Result<Vec<u8>> {
        let length = self.number("RPL")?;
        if length > MAX_PATH {
            return Err(self.damage("a path is too long"));
        }
        self.expect(b"<RP>")?;
        let path = self.exactly(length)?;
        self.expect(b"</RP>")?;
        Ok(path)
    }

    fn head(&mut self) -> Result<Option<Entry>> {
        let start = self.at();
        if self.source.fill_buf().map_err(unwrap_io)?.is_empty() {
            // Without its index nobody knows more.
            if !self.began || (self.extra.is_some() && !self.saw_extra) {
                return Err(self.damage("it ends before the files that Duplicator adds at last"));
            }
            return Ok(None);
        }
        self.saw_extra |= self.extra == Some(start);
        let kind = self.exactly(3)?;
        let (size, is_file) = match kind.as_slice() {
            b"<D>" => (0, false),
            b"<F>" => (self.number("FS")?, true),
            _ => return Err(self.damage("neither a file nor a folder begins")),
        };
        let (mtime, mode) = (self.number("MT")?, self.octal("P")?);
        let wanted = if is_file { self.sum()? } else { 0 };
        let path = self.path()?;
        self.expect(if is_file { b"</F>" } else { b"</D>" })?;
        if is_file {
            let packed = self.packs && path != INDEX;
            let piece = io::Cursor::new(Vec::new());
            let sum = crc32fast::Hasher::new();
            self.file = Some(Content { path: path.clone(), packed, left: size, piece, sum, wanted });
        }
        Ok(Some(Entry {
            path,
            kind: if is_file { EntryKind::File } else { EntryKind::Folder },
            mode: mode & 0o7777,
            uid: 0,
            gid: 0,
            mtime: (i64::try_from(mtime).unwrap_or(0), 0),
            size,
            stored: size,
            segments: None,
            xattrs: Vec::new(),
            begin: None,
        }))
    }

    /// The next piece of a file: how long it is, unpacked, and what is stored.
    fn piece(&mut self, left: u64) -> Result<(u64, Vec<u8>)> {
        self.expect(b"<G>")?;
        let (whole, stored) = (self.number("OS")?, self.number("SS")?);
        let wanted = self.sum()?;
        self.expect(b"</G>")?;
        if whole > left || whole > MAX_PIECE || stored > MAX_PIECE || (whole == 0 && left > 0) {
            return Err(self.damage("a piece is larger than what is left of its file, or than any"));
        }
        let bytes = self.exactly(stored)?;
        if crc32fast::hash(&bytes) != wanted {
            return Err(self.damage("a piece has another checksum than its head says"));
        }
        Ok((whole, bytes))
    }

    /// Unpacks the next piece of the open file; false at its end.
    fn advance(&mut self) -> Result<bool> {
        let Some(mut file) = self.file.take() else { return Ok(false) };
        let went_on = self.advance_in(&mut file);
        self.file = Some(file);
        went_on
    }

    fn advance_in(&mut self, file: &mut Content) -> Result<bool> {
        if file.left == 0 {
            return Ok(false);
        }
        let (whole, stored) = self.piece(file.left)?;
        let plain = match file.packed {
            false => stored,
            true => {
                let mut plain = Vec::with_capacity(usize::try_from(whole).unwrap_or_default());
                let unpacked = DeflateDecoder::new(stored.as_slice()).take(whole + 1).read_to_end(&mut plain);
                unpacked.map_err(|error| self.damage(format_args!("a piece cannot be unpacked: {error}")))?;
                plain
            }
        };
        if plain.len() as u64 != whole {
            return Err(self.damage("a piece has another size than its head says"));
        }
        file.left -= whole;
        file.sum.update(&plain);
        // Duplicator makes none of a file of over a gigabyte.
        if file.left == 0 && file.wanted != 0 && file.sum.clone().finalize() != file.wanted {
            let shown = String::from_utf8_lossy(&file.path).into_owned();
            return Err(self.damage(format_args!("{shown:?} has another checksum than its head says")));
        }
        file.piece = io::Cursor::new(plain);
        Ok(true)
    }

    /// Passes over what was not read of the open file. Its pieces are held against their own checksums all the same.
    fn pass_over(&mut self) -> Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        while file.left > 0 {
            let (whole, _) = self.piece(file.left)?;
            file.left -= whole;
            self.offset += whole;
        }
        Ok(())
    }

    /// Learns from the index where the last files begin.
    fn learn(&mut self) -> Result<()> {
        let mut text = Vec::new();
        self.read_to_end(&mut text).map_err(unwrap_io)?;
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let index: serde_json::Value =
            serde_json::from_slice(text).map_err(|_| self.damage("its index is not readable"))?;
        self.extra = index["extraPos"].as_u64();
        Ok(())
    }
}

impl<R: Read> Entries for DafReader<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.pass_over()?;
        let Some(entry) = self.head()? else { return Ok(None) };
        self.limits.count(&mut self.spent, entry.size)?;
        if !std::mem::replace(&mut self.began, true) && entry.path == INDEX {
            if entry.size > MAX_PIECE {
                return Err(self.damage("its index is too large"));
            }
            self.learn()?;
            return self.next_entry();
        }
        if self.extra.is_none() {
            return Err(self.damage("it has no index"));
        }
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

impl<R: Read> Read for DafReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(file) = &mut self.file else { return Ok(0) };
            let read = file.piece.read(into)?;
            self.offset += read as u64;
            if read > 0 || into.is_empty() || !self.advance().map_err(super::wrap)? {
                return Ok(read);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use flate2::Compression;
    use flate2::read::DeflateEncoder;

    fn piece(plain: &[u8], packed: bool) -> Vec<u8> {
        let mut stored = plain.to_vec();
        if packed {
            stored.clear();
            DeflateEncoder::new(plain, Compression::default()).read_to_end(&mut stored).unwrap();
        }
        let (whole, size, sum) = (plain.len(), stored.len(), crc32fast::hash(&stored));
        [format!("<G><OS>{whole}</OS><SS>{size}</SS><HA>{sum:08x}</HA></G>").as_bytes(), &stored].concat()
    }

    fn file(path: &str, pieces: &[&[u8]], packed: bool) -> Vec<u8> {
        let (size, sum, length) = (pieces.concat().len(), crc32fast::hash(&pieces.concat()), path.len());
        let head =
            format!("<F><FS>{size}</FS><MT>1</MT><P>0640</P><HA>{sum:08x}</HA><RPL>{length}</RPL><RP>{path}</RP></F>");
        let pieces = pieces.iter().flat_map(|plain| piece(plain, packed));
        head.into_bytes().into_iter().chain(pieces).collect()
    }

    /// An archive of a folder and two files, of which the last is one that is added at last.
    fn archive() -> Vec<u8> {
        let head = b"<A><V>1.0.0</V><C>true</C></A>".to_vec();
        let folder = b"<D><MT>2</MT><P>0755</P><RPL>1</RPL><RP>a</RP></D>";
        let index = |extra: usize| {
            let mut text = format!("{{\"extraPos\":{extra}}}").into_bytes();
            text.resize(200, 0);
            file("__dup__archive__index.json", &[&text], false)
        };
        let body = [&folder[..], &file("a/</RP></F>", &[b"hello ", b"world"], true)].concat();
        let extra = head.len() + index(0).len() + body.len();
        [head, index(extra), body, file("empty", &[], true)].concat()
    }

    fn entries(bytes: &[u8], limits: Limits) -> Result<Vec<(String, Vec<u8>)>> {
        let mut reader = DafReader::open(bytes, limits)?;
        let mut found = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            let mut text = Vec::new();
            reader.read_to_end(&mut text).map_err(unwrap_io)?;
            found.push((String::from_utf8(entry.path).unwrap(), text));
        }
        Ok(found)
    }

    #[test]
    fn an_archive_is_read_piece_by_piece() {
        let found = entries(&archive(), Limits::default()).unwrap();
        let wanted: [(&str, &[u8]); 3] = [("a", b""), ("a/</RP></F>", b"hello world"), ("empty", b"")];
        let found: Vec<(&str, &[u8])> = found.iter().map(|(path, text)| (path.as_str(), text.as_slice())).collect();
        assert_eq!(found, wanted);
        // Contents that nobody wants are passed over.
        let whole = archive();
        let mut reader = DafReader::open(whole.as_slice(), Limits::default()).unwrap();
        let mut count = 0;
        while reader.next_entry().unwrap().is_some() {
            count += 1;
        }
        assert_eq!(count, 3);
    }

    #[test]
    fn what_is_cut_or_changed_is_damage_and_limits_hold() {
        let whole = archive();
        for length in 0..whole.len() {
            let cut = entries(&whole[..length], Limits::default());
            assert_eq!(cut.map_err(|error| error.code).unwrap_err(), Code::BackupCorrupt, "cut at {length}");
        }
        let at = whole.windows(5).rposition(|window| window == b"</G>\xcb").map_or(0, |at| at + 4);
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert_eq!(entries(&changed, Limits::default()).unwrap_err().code, Code::BackupCorrupt);
        let few = Limits { bytes: 100, ..Limits::default() };
        assert_eq!(entries(&whole, few).unwrap_err().code, Code::LimitExceeded);
        // A piece that says less than it unpacks to.
        let mut lie = archive();
        let at = lie.windows(12).position(|window| window == b"<OS>6</OS><S").unwrap_or_default();
        lie[at + 4] = b'5';
        assert_eq!(entries(&lie, Limits::default()).unwrap_err().code, Code::BackupCorrupt);
        // Without an index nobody knows where it would end.
        let bare = [&b"<A><V>1</V><C>true</C></A>"[..], &file("x", &[&[0; 5000]], true)].concat();
        assert_eq!(entries(&bare, Limits::default()).unwrap_err().code, Code::BackupCorrupt);
    }
}
