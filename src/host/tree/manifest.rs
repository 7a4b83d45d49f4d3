//! The record of a written tree: what came out of the archive, one record an entry, in the archive's order.
//!
//! A binary file: a mark, records (`u32` length, then the fields little-endian), a closing record with the entries that
//! were replaced by later ones of the same path, and a checksum over all of it. Read and written as a stream.

use super::kind::Kind;
use crate::error::{Code, Error, IoContext, Result};
use crate::path::{MAX_PATH, RelPath};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

const MARK: &[u8; 8] = b"RVTREE1\n";
/// Memory for the paths of replaced entries; a backup of a site has few or none.
const MAX_REPLACED_BYTES: usize = 4 << 20;
const CLOSING: u8 = 0xff;

/// What was written for one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Path below the tree's root.
    pub path: RelPath,
    /// File, folder or symbolic link.
    pub kind: Kind,
    /// Mode on disk (0o777).
    pub mode: u32,
    /// Owner on disk.
    pub uid: u32,
    /// Group on disk.
    pub gid: u32,
    /// Bytes of content, holes included.
    pub size: u64,
    /// Time of the last change; `None` when the archive told none.
    pub mtime: Option<(i64, u32)>,
    /// XXH3 (64 bit) of the content as it came out of the archive.
    pub hash: u64,
    /// Target of a symbolic link, or the first name of a hard link's file.
    pub link: Vec<u8>,
    /// Whether this is another name of `link`.
    pub hard_link: bool,
}

impl Record {
    fn encode(&self, into: &mut Vec<u8>) {
        into.clear();
        into.extend_from_slice(&[0; 4]);
        into.push(match (self.kind, self.hard_link) {
            (_, true) => 3,
            (Kind::File, _) => 0,
            (Kind::Folder, _) => 1,
            (Kind::Symlink | Kind::Special, _) => 2,
        });
        into.push(u8::from(self.mtime.is_some()));
        into.extend_from_slice(&(self.path.as_bytes().len() as u16).to_le_bytes());
        for number in [self.mode, self.uid, self.gid, self.mtime.unwrap_or_default().1] {
            into.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.size, self.mtime.unwrap_or_default().0 as u64, self.hash] {
            into.extend_from_slice(&number.to_le_bytes());
        }
        into.extend_from_slice(self.path.as_bytes());
        into.extend_from_slice(&self.link);
        let length = into.len() as u32 - 4;
        into[..4].copy_from_slice(&length.to_le_bytes());
    }

    fn decode(body: &[u8]) -> Option<Record> {
        let fixed = body.get(..44)?;
        let word = |at: usize| u32::from_le_bytes(fixed[at..at + 4].try_into().unwrap_or_default());
        let long = |at: usize| u64::from_le_bytes(fixed[at..at + 8].try_into().unwrap_or_default());
        let length = usize::from(u16::from_le_bytes([fixed[2], fixed[3]]));
        let path = body.get(44..44 + length)?;
        Some(Record {
            path: RelPath::parse(path).ok()?,
            kind: match fixed[0] {
                0 | 3 => Kind::File,
                1 => Kind::Folder,
                2 => Kind::Symlink,
                _ => return None,
            },
            hard_link: fixed[0] == 3,
            mtime: (fixed[1] == 1).then(|| (long(28) as i64, word(16))),
            mode: word(4),
            uid: word(8),
            gid: word(12),
            size: long(20),
            hash: long(36),
            link: body[44 + length..].to_vec(),
        })
    }
}

/// Makes the manifest's file: mode 0600, readable and writable, empty.
///
/// # Errors
/// `io_failed` naming the file.
pub fn create(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .doing(|| format!("create {}", path.display()))
}

/// Appends records.
pub struct Writer {
    file: BufWriter<File>,
    hash: Xxh3,
    count: u64,
    scratch: Vec<u8>,
}

impl Writer {
    /// Begins a manifest in an empty file, open for reading and writing.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn new(file: File) -> Result<Writer> {
        let mut writer =
            Writer { file: BufWriter::with_capacity(64 << 10, file), hash: Xxh3::new(), count: 0, scratch: Vec::new() };
        writer.scratch.extend_from_slice(MARK);
        writer.put()?;
        Ok(writer)
    }

    /// Appends a record and returns its number.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn append(&mut self, record: &Record) -> Result<u64> {
        record.encode(&mut self.scratch);
        self.put()?;
        self.count += 1;
        Ok(self.count - 1)
    }

    /// Closes the manifest. `replaced` gives for paths that came more than once the number of the entry that counts.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn finish(mut self, replaced: &Replaced) -> Result<File> {
        let mut body = vec![CLOSING];
        body.extend_from_slice(&self.count.to_le_bytes());
        for (path, number) in &replaced.0 {
            body.extend_from_slice(&number.to_le_bytes());
            body.extend_from_slice(&(path.as_bytes().len() as u16).to_le_bytes());
            body.extend_from_slice(path.as_bytes());
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(&(body.len() as u32).to_le_bytes());
        self.scratch.extend_from_slice(&body);
        self.put()?;
        let end = [self.hash.digest().to_le_bytes(), (body.len() as u64).to_le_bytes()].concat();
        self.file.write_all(&end).doing(|| "write the manifest".into())?;
        self.file.into_inner().map_err(|error| Error::io("write the manifest", error.error()))
    }

    fn put(&mut self) -> Result<()> {
        self.hash.update(&self.scratch);
        self.file.write_all(&self.scratch).doing(|| "write the manifest".into())
    }
}

/// Paths that came more than once, with the number of the record that counts.
#[derive(Debug, Default)]
pub struct Replaced(HashMap<RelPath, u64>, usize);

impl Replaced {
    /// Notes that the record of this number replaces an earlier one.
    ///
    /// # Errors
    /// `limit_exceeded` when an archive is full of them.
    pub fn note(&mut self, path: &RelPath, number: u64) -> Result<()> {
        if let Some(winner) = self.0.get_mut(path) {
            *winner = number.max(*winner);
            return Ok(());
        }
        self.1 += path.as_bytes().len() + 64;
        if self.1 > MAX_REPLACED_BYTES {
            return Err(Error::new(Code::LimitExceeded, "too many paths come more than once in the backup"));
        }
        self.0.insert(path.clone(), number);
        Ok(())
    }

    /// How many paths there are.
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Reads records back, without those that were replaced.
pub struct Reader {
    file: BufReader<File>,
    hash: Xxh3,
    replaced: Replaced,
    count: u64,
    next: u64,
    body: Vec<u8>,
}

impl Reader {
    /// Opens a finished manifest; its position does not matter.
    ///
    /// # Errors
    /// `journal_corrupt` when it was not finished or is damaged, `io_failed`.
    pub fn new(mut file: File) -> Result<Reader> {
        let reading = || "read the manifest".to_owned();
        let mut end = [0; 16];
        let length = file.seek(std::io::SeekFrom::End(0)).doing(reading)?;
        if length < 8 + 16 + 13 {
            return Err(damaged());
        }
        file.seek(std::io::SeekFrom::End(-16)).doing(reading)?;
        file.read_exact(&mut end).doing(reading)?;
        let closing = u64::from_le_bytes(end[8..].try_into().unwrap_or_default());
        if closing < 9 || closing > length - 28 {
            return Err(damaged());
        }
        file.seek(std::io::SeekFrom::Start(length - 16 - closing)).doing(reading)?;
        let mut body = vec![0; closing as usize];
        file.read_exact(&mut body).doing(reading)?;
        let (count, replaced) = read_closing(&body).ok_or_else(damaged)?;
        file.rewind().doing(reading)?;
        let mut reader = Reader {
            file: BufReader::with_capacity(64 << 10, file),
            hash: Xxh3::new(),
            replaced,
            count,
            next: 0,
            body: vec![0; 8],
        };
        reader.file.read_exact(&mut reader.body).doing(reading)?;
        if reader.body != MARK {
            return Err(damaged());
        }
        reader.hash.update(&reader.body);
        Ok(reader)
    }

    /// How many entries the tree holds: records without the replaced ones cannot be told before they are read.
    pub fn records(&self) -> u64 {
        self.count
    }

    /// The next record that counts. At the end the whole file was checked.
    ///
    /// # Errors
    /// `journal_corrupt`, `io_failed`.
    pub fn next_record(&mut self) -> Result<Option<Record>> {
        while self.next < self.count {
            self.read_body()?;
            let record = Record::decode(&self.body).ok_or_else(damaged)?;
            self.next += 1;
            if self.replaced.0.get(&record.path).is_none_or(|winner| *winner == self.next - 1) {
                return Ok(Some(record));
            }
        }
        if self.next == self.count {
            self.next += 1;
            self.read_body()?;
            let mut end = [0; 8];
            self.file.read_exact(&mut end).doing(|| "read the manifest".into())?;
            if u64::from_le_bytes(end) != self.hash.digest() {
                return Err(damaged());
            }
        }
        Ok(None)
    }

    fn read_body(&mut self) -> Result<()> {
        let reading = || "read the manifest".to_owned();
        let mut length = [0; 4];
        self.file.read_exact(&mut length).doing(reading)?;
        let size = u32::from_le_bytes(length) as usize;
        if size > 2 * MAX_PATH + MAX_REPLACED_BYTES {
            return Err(damaged());
        }
        self.body.resize(size, 0);
        self.file.read_exact(&mut self.body).doing(reading)?;
        self.hash.update(&length);
        self.hash.update(&self.body);
        Ok(())
    }
}

fn read_closing(body: &[u8]) -> Option<(u64, Replaced)> {
    let (mark, rest) = body.split_first()?;
    if *mark != CLOSING {
        return None;
    }
    let (count, mut rest) = rest.split_first_chunk::<8>()?;
    let mut replaced = Replaced::default();
    while !rest.is_empty() {
        let (number, tail) = rest.split_first_chunk::<8>()?;
        let (length, tail) = tail.split_first_chunk::<2>()?;
        let (path, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        replaced.note(&RelPath::parse(path).ok()?, u64::from_le_bytes(*number)).ok()?;
        rest = tail;
    }
    Some((u64::from_le_bytes(*count), replaced))
}

fn damaged() -> Error {
    Error::new(Code::JournalCorrupt, "the manifest of the staged files is damaged or was not finished")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str, kind: Kind) -> Record {
        Record {
            path: RelPath::parse(path.as_bytes()).unwrap(),
            kind,
            mode: 0o640,
            uid: 33,
            gid: 34,
            size: 5 << 40,
            mtime: Some((-7, 123_456_789)),
            hash: 0x0123_4567_89ab_cdef,
            link: if kind == Kind::Symlink { b"../x".to_vec() } else { Vec::new() },
            hard_link: false,
        }
    }

    fn read_all(file: File) -> Result<Vec<Record>> {
        let mut reader = Reader::new(file)?;
        let mut found = Vec::new();
        while let Some(record) = reader.next_record()? {
            found.push(record);
        }
        Ok(found)
    }

    fn written() -> (File, Vec<Record>) {
        let mut writer = Writer::new(tempfile::tempfile().unwrap()).unwrap();
        let mut hard = record("h", Kind::File);
        (hard.hard_link, hard.link) = (true, b"a/f".to_vec());
        let mut again = record("a/f", Kind::File);
        again.size = 1;
        let bare = Record { mtime: None, ..record("", Kind::Folder) };
        let all = [bare, record("a/f", Kind::File), record("l", Kind::Symlink), hard, again];
        let mut replaced = Replaced::default();
        for record in &all {
            writer.append(record).unwrap();
        }
        replaced.note(&all[1].path, 4).unwrap();
        (writer.finish(&replaced).unwrap(), all.to_vec())
    }

    #[test]
    fn records_come_back_without_the_replaced_ones() {
        let (file, all) = written();
        let found = read_all(file).unwrap();
        assert_eq!(found, [all[0].clone(), all[2].clone(), all[3].clone(), all[4].clone()]);
    }

    #[test]
    fn a_damaged_or_unfinished_manifest_is_told() {
        let (mut file, _) = written();
        let mut content = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut content).unwrap();
        let read = |content: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(content).unwrap();
            read_all(file)
        };
        assert!(read(&content).is_ok());
        for end in 0..content.len() {
            assert!(read(&content[..end]).is_err(), "cut at {end}");
        }
        for at in 0..content.len() {
            let mut bad = content.clone();
            bad[at] ^= 0x10;
            assert!(read(&bad).is_err(), "byte {at}");
        }
    }
}
