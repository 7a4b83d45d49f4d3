//! `.7z`, read by sevenz-rust2, which hands entries to a function. They are asked for here, so it works in a thread of its own, a few pieces
//! ahead. Checksums of contents are checked there; what has none is no archive of a program that we know. Memory: the dictionaries that a
//! block of the archive asks for, up to [`MOST_MEMORY_KIB`] together, and some 150 times its head, of [`MOST_HEAD_KIB`] at most.

use super::entries::{Entries, Spent};
use super::entry::{Entry, EntryKind, MAX_LINK};
use super::password::{self, Password};
use super::zip::{ReadAt, Stretch, exact};
use super::{Limits, corrupt, is_from_below, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use sevenz_rust2::{
    Archive, ArchiveEntry, ArchiveReader, Block, Coder, Error as SevenZipError, NtTime, Password as Key,
};
use std::io::{self, Read};
use std::thread::JoinHandle;

/// How it begins.
pub const MARK: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// What a dictionary may take. `7z -mx=9` of the releases since 23 asks for 256 MiB.
const MOST_MEMORY_KIB: usize = 320 << 10;
/// What the head may take, unpacked: it has the names of all entries, two bytes a letter.
const MOST_HEAD_KIB: usize = 16 << 10;
/// Contents come in pieces of this size, in bytes.
const PIECE: usize = 256 << 10;
/// Pieces that are unpacked ahead.
const AHEAD: usize = 4;
/// The attributes hold a mode of Unix in their upper half.
const HAS_MODE: u32 = 0x8000;
/// Seconds from 1601, where times of Windows begin, to 1970.
const EPOCH: i64 = 11_644_473_600;

/// What the thread says.
enum Said {
    Entry(Box<Entry>),
    Piece(Vec<u8>),
    End(Result<()>),
}

/// Entries of such an archive.
pub struct SevenZipReader {
    said: Receiver<Said>,
    worker: Option<JoinHandle<()>>,
    limits: Limits,
    spent: Spent,
    offset: u64,
    /// The piece that is being read, and how much of it was.
    piece: Vec<u8>,
    given: usize,
    /// What comes after the last piece of an entry.
    next: Option<Said>,
    /// Why nothing comes any more.
    failed: Option<Error>,
}

impl SevenZipReader {
    /// Reads the head, and begins to unpack.
    ///
    /// # Errors
    /// `backup_corrupt`, `backup_unreadable` where it is encrypted and the password is another one or none, or packed by something that is
    /// not read, `limit_exceeded`, `io_failed`.
    pub fn open<S: ReadAt + Send + 'static>(
        source: S,
        limits: Limits,
        password: Option<&Password>,
    ) -> Result<SevenZipReader> {
        let end = source.size();
        let mut source = Stretch::new(source, 0, end);
        let key = password.map_or_else(Key::empty, |password| Key::from(password.text()));
        // Which part of the head could not be read the library does not tell: it may be encrypted itself.
        let told_of_head = |error| told(error, password.is_some());
        let archive = Archive::read_with_memory_limit(&mut source, &key, MOST_HEAD_KIB).map_err(told_of_head)?;
        let is_encrypted = (0..archive.files.len()).any(|file| archive.is_file_encrypted(file));
        if is_encrypted && password.is_none() {
            return Err(encrypted());
        }
        let bytes = archive.files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
        limits.require(Spent { entries: archive.files.len() as u64, bytes })?;
        let most = archive.blocks.iter().map(dictionaries).max().unwrap_or_default();
        if most > (MOST_MEMORY_KIB as u64) << 10 {
            return Err(too_large(most >> 10));
        }
        let mut reader = ArchiveReader::new_with_memory_limit(source, key, MOST_MEMORY_KIB).map_err(told_of_head)?;
        // With more it holds whole stretches of the archive in memory, packed and unpacked.
        reader.set_thread_count(1);
        let (tell, said) = bounded(AHEAD);
        let worker = std::thread::Builder::new()
            .name("7z".into())
            .spawn(move || unpack(reader, is_encrypted, &tell))
            .map_err(|error| Error::io("start a thread", &error))?;
        Ok(SevenZipReader {
            said,
            worker: Some(worker),
            limits,
            spent: Spent::default(),
            offset: 0,
            piece: Vec::new(),
            given: 0,
            next: None,
            failed: None,
        })
    }

    fn hear(&mut self) -> Said {
        if let Some(error) = &self.failed {
            return Said::End(Err(error.clone()));
        }
        let next = self.next.take().or_else(|| self.said.recv().ok());
        let said = next.unwrap_or_else(|| Said::End(Err(corrupt("what unpacks it gave up"))));
        if let Said::End(Err(error)) = &said {
            self.failed = Some(error.clone());
        }
        said
    }
}

impl Entries for SevenZipReader {
    fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.given = self.piece.len();
        loop {
            match self.hear() {
                Said::Piece(piece) => self.offset += piece.len() as u64,
                Said::Entry(entry) => {
                    self.limits.count(&mut self.spent, entry.size)?;
                    return Ok(Some(*entry));
                }
                Said::End(end) => {
                    self.next = Some(Said::End(Ok(())));
                    return end.map(|()| None);
                }
            }
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

impl Read for SevenZipReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.piece.len() {
            match self.hear() {
                Said::Piece(piece) => (self.piece, self.given) = (piece, 0),
                Said::End(Err(error)) => return Err(wrap(error)),
                next => {
                    self.next = Some(next);
                    return Ok(0);
                }
            }
        }
        let count = (&self.piece[self.given..]).read(into)?;
        self.given += count;
        self.offset += count as u64;
        Ok(count)
    }
}

impl Drop for SevenZipReader {
    fn drop(&mut self) {
        // Nobody listens any more: the thread ends with the piece that it has in hand.
        self.said = crossbeam_channel::never();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// How large an archive is by its beginning, which says where its head lies and how long that is; `None` for what begins otherwise.
pub fn whole_size(source: &impl ReadAt) -> Option<u64> {
    const START: u64 = 32;
    let mut start = [0; START as usize];
    exact(source, &mut start, 0).ok()?;
    let number = |at: usize| Some(u64::from_le_bytes(start.get(at..at + 8)?.try_into().ok()?));
    start.starts_with(MARK).then_some(())?;
    START.checked_add(number(12)?)?.checked_add(number(20)?)
}

/// Bytes of the dictionaries of a block. LZMA says its own in four bytes behind one of other things, LZMA2 as a power of two, or half as
/// much again (7-Zip's source, `Lzma2Dec.c`).
fn dictionaries(block: &Block) -> u64 {
    let of = |coder: &Coder| match (coder.encoder_method_id(), coder.properties()) {
        ([3, 1, 1], [_, size @ ..]) => size.first_chunk().map_or(0, |size| u64::from(u32::from_le_bytes(*size))),
        ([0x21], [size, ..]) => u64::from(2 | (size & 1)) << (u64::from(*size) / 2 + 11).min(40),
        _ => 0,
    };
    block.coders.iter().map(of).sum()
}

/// Nobody listens any more.
struct Gone;

impl From<Gone> for SevenZipError {
    fn from(_: Gone) -> SevenZipError {
        SevenZipError::Other("nobody listens".into())
    }
}

fn say(tell: &Sender<Said>, said: Said) -> std::result::Result<(), Gone> {
    tell.send(said).map_err(|_| Gone)
}

fn unpack<S: ReadAt>(mut reader: ArchiveReader<Stretch<S>>, is_encrypted: bool, tell: &Sender<Said>) {
    let mut refused = None;
    let done = reader.for_each_entries(|listed, data| {
        let entry = match entry(listed, is_encrypted, data) {
            Ok(entry) => entry,
            Err(error) => {
                refused = Some(error);
                return Err(Gone.into());
            }
        };
        let is_file = entry.kind == EntryKind::File;
        say(tell, Said::Entry(Box::new(entry)))?;
        if !is_file {
            return Ok(true);
        }
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let read = data.take(PIECE as u64).read_to_end(&mut piece);
            if !piece.is_empty() {
                say(tell, Said::Piece(piece))?;
            }
            if read? == 0 {
                return Ok(true);
            }
        }
    });
    let end = match (refused, done) {
        (Some(error), _) => Err(error),
        (None, done) => done.map_err(|error| told(error, is_encrypted)),
    };
    // Whoever went away asks no more.
    let _ = say(tell, Said::End(end));
}

/// The content is read of links alone.
fn entry(listed: &ArchiveEntry, is_encrypted: bool, data: &mut dyn Read) -> Result<Entry> {
    let damage = |why: &str| corrupt(format_args!("{:?} {why}", listed.name));
    if listed.name.is_empty() {
        return Err(damage("is an entry without a name"));
    }
    if listed.is_anti_item {
        return Err(damage("is a file that is to be deleted, as archives of changes have them"));
    }
    if listed.is_directory && listed.has_stream {
        return Err(damage("is a folder with a content"));
    }
    if listed.has_stream && !listed.has_crc {
        return Err(damage("has no checksum"));
    }
    let attributes = if listed.has_windows_attributes { listed.windows_attributes } else { 0 };
    let mode = if attributes & HAS_MODE == 0 { 0 } else { attributes >> 16 };
    let size = if listed.has_stream { listed.size } else { 0 };
    let kind = match mode & libc::S_IFMT {
        _ if listed.is_directory => EntryKind::Folder,
        libc::S_IFLNK if size == 0 || size > MAX_LINK => return Err(damage("is a link to nowhere")),
        libc::S_IFLNK => {
            let mut target = Vec::new();
            data.take(MAX_LINK).read_to_end(&mut target).map_err(|error| told(error.into(), is_encrypted))?;
            EntryKind::Symlink(target)
        }
        0 | libc::S_IFREG => EntryKind::File,
        _ => EntryKind::Special((mode >> 12) as u8),
    };
    let usual = if kind == EntryKind::Folder { 0o755 } else { 0o644 };
    let size = if kind == EntryKind::File { size } else { 0 };
    Ok(Entry {
        path: listed.name.clone().into_bytes(),
        mode: if mode == 0 { usual } else { mode & 0o7777 },
        kind,
        uid: 0,
        gid: 0,
        mtime: if listed.has_last_modified_date { since_1970(listed.last_modified_date) } else { (0, 0) },
        size,
        stored: size,
        segments: None,
        xattrs: Vec::new(),
        begin: None,
    })
}

/// Seconds and nanoseconds of a time in tenths of microseconds.
fn since_1970(time: NtTime) -> (i64, u32) {
    let time = u64::from(time);
    ((time / 10_000_000) as i64 - EPOCH, (time % 10_000_000) as u32 * 100)
}

fn encrypted() -> Error {
    password::wanted("it is an encrypted 7-Zip archive")
}

fn too_large(kib: u64) -> Error {
    Error::new(Code::LimitExceeded, format!("to unpack it takes {} MiB of memory, which is too much", kib >> 10))
        .hint("Unpack it by `7z x FILE`, and name the folder.")
}

/// Their error as ours. `by_password`: what a wrong password made of it looks like damage.
fn told(error: SevenZipError, by_password: bool) -> Error {
    let damage = |why: std::fmt::Arguments| match by_password {
        true => password::wrong_or_damaged(),
        false => corrupt(why),
    };
    let unread =
        |what: String| Error::new(Code::BackupUnreadable, what).hint("Unpack it by `7z x FILE`, and name the folder.");
    match error {
        SevenZipError::PasswordRequired => encrypted(),
        SevenZipError::MaybeBadPassword(_) if by_password => password::wrong("it"),
        SevenZipError::MaybeBadPassword(_) => encrypted(),
        SevenZipError::UnsupportedCompressionMethod(method) if method.contains("AES") => encrypted(),
        SevenZipError::UnsupportedCompressionMethod(method) => {
            unread(format!("it is a 7-Zip archive packed by {}, which is not read", crate::text::printable(&method)))
        }
        SevenZipError::UnsupportedVersion { major, minor } => {
            unread(format!("it is a 7-Zip archive of version {major}.{minor}, which is not read"))
        }
        SevenZipError::MaxMemLimited { actaul_kb, .. } => too_large(actaul_kb as u64),
        SevenZipError::Io(error, _) | SevenZipError::FileOpen(error, _) => match is_from_below(&error) {
            true => unwrap_io(error),
            false => damage(format_args!("it cannot be unpacked: {error}")),
        },
        SevenZipError::ChecksumVerificationFailed => damage(format_args!("it does not match its checksum")),
        other => damage(format_args!("it cannot be unpacked: {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::sync::Arc;

    /// What the program makes of a folder.
    fn packed(options: &[&str]) -> Arc<Vec<u8>> {
        let place = tempfile::tempdir().unwrap();
        let tree = place.path().join("tree");
        std::fs::create_dir_all(tree.join("empty")).unwrap();
        std::fs::create_dir_all(tree.join("www/é")).unwrap();
        std::fs::write(tree.join("www/a.php"), "one ".repeat(100_000)).unwrap();
        std::fs::write(tree.join("www/é/b.txt"), "two").unwrap();
        std::fs::write(tree.join("none"), "").unwrap();
        std::os::unix::fs::symlink("www/a.php", tree.join("link")).unwrap();
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        std::fs::File::options().write(true).open(tree.join("www/a.php")).unwrap().set_modified(time).unwrap();
        let file = place.path().join("a.7z");
        let done =
            Command::new("7zz").args(["a", "-snl"]).args(options).arg(&file).arg(".").current_dir(&tree).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        Arc::new(std::fs::read(file).unwrap())
    }

    /// An archive whose dictionary is said to be of 1 GiB.
    fn wanting_a_gigabyte() -> Arc<Vec<u8>> {
        let mut bytes = packed(&["-mx=1", "-mhc=off"]).to_vec();
        let head = whole_size(&bytes.as_slice()).unwrap() as usize
            - u64::from_le_bytes(bytes[20..28].try_into().unwrap()) as usize;
        // A coder with properties, LZMA2 and its size; then the checksums of the head and of what says where it is.
        let at = head + bytes[head..].windows(3).position(|window| window == [0x21, 0x21, 1]).unwrap() + 3;
        bytes[at] = 36;
        let sum = crc32fast::hash(&bytes[head..]);
        bytes[28..32].copy_from_slice(&sum.to_le_bytes());
        let sum = crc32fast::hash(&bytes[12..32]);
        bytes[8..12].copy_from_slice(&sum.to_le_bytes());
        Arc::new(bytes)
    }

    struct Bytes(Arc<Vec<u8>>);

    impl ReadAt for Bytes {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
            self.0.as_slice().read_at(into, offset)
        }
    }

    /// Path, kind, mode and content of all, in order of their paths.
    fn listed(bytes: &Arc<Vec<u8>>, read: bool) -> Result<Vec<(String, String)>> {
        listed_by(bytes, read, None)
    }

    fn listed_by(bytes: &Arc<Vec<u8>>, read: bool, password: Option<&str>) -> Result<Vec<(String, String)>> {
        let password = password.map(|password| Password::of(password).unwrap());
        let mut reader = SevenZipReader::open(Bytes(Arc::clone(bytes)), Limits::default(), password.as_ref())?;
        let mut all = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            let mut text = String::new();
            if read {
                reader.read_to_string(&mut text).map_err(unwrap_io)?;
            }
            let said = format!("{:?} {:o} {} {}", entry.kind, entry.mode, entry.mtime.0 / 100_000_000, text.len());
            all.push((String::from_utf8(entry.path).unwrap(), said));
        }
        all.sort();
        Ok(all)
    }

    #[test]
    fn what_the_program_packs_is_read() {
        for options in [&["-mx=1"][..], &["-mx=9", "-ms=off"], &["-m0=bzip2"], &["-m0=deflate"], &["-m0=copy"]] {
            let found = listed(&packed(options), true).unwrap();
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["empty", "link", "none", "www", "www/a.php", "www/é", "www/é/b.txt"], "{options:?}");
            assert_eq!(found[4].1, "File 644 17 400000", "{options:?}");
            assert!(found[1].1.starts_with("Symlink("), "{}", found[1].1);
            assert!(found[0].1.starts_with("Folder 755"), "{}", found[0].1);
        }
    }

    #[test]
    fn a_flipped_byte_of_a_content_is_seen_whether_it_is_read_or_not() {
        let mut bytes = packed(&["-m0=copy"]).to_vec();
        let at = bytes.windows(8).position(|window| window == b"one one ").unwrap();
        bytes[at + 1000] ^= 1;
        let bytes = Arc::new(bytes);
        for read in [true, false] {
            assert_eq!(listed(&bytes, read).unwrap_err().code, Code::BackupCorrupt, "read {read}");
        }
    }

    #[test]
    fn what_is_encrypted_cut_or_too_large_is_told() {
        for options in [&["-psecret"][..], &["-psecret", "-mhe=on"]] {
            let refused = listed(&packed(options), true).unwrap_err();
            assert_eq!(
                (refused.code, refused.message.as_str()),
                (Code::BackupUnreadable, "it is an encrypted 7-Zip archive")
            );
        }
        for options in [&["-psecret"][..], &["-psecret", "-mhe=on"], &["-psecret", "-m0=copy"]] {
            let bytes = packed(options);
            let found = listed_by(&bytes, true, Some("secret")).unwrap();
            assert_eq!(found, listed(&packed(&[]), true).unwrap(), "{options:?}");
            let wrong = listed_by(&bytes, true, Some("Secret")).unwrap_err();
            assert_eq!(wrong.code, Code::BackupUnreadable, "{options:?}: {wrong}");
            assert!(wrong.message.contains("the password does not open it"), "{options:?}: {wrong}");
        }
        let whole = packed(&["-mx=1"]);
        for end in [10, 40, whole.len() / 2, whole.len() - 1] {
            let cut = listed(&Arc::new(whole[..end].to_vec()), true).unwrap_err();
            assert_eq!(cut.code, Code::BackupCorrupt, "cut at {end}: {}", cut.message);
        }
        let refused =
            SevenZipReader::open(Bytes(wanting_a_gigabyte()), Limits::default(), None).map(|_| ()).unwrap_err();
        assert_eq!(refused.code, Code::LimitExceeded);
        assert!(refused.message.contains("takes 1024 MiB of memory"), "{}", refused.message);
        let limits = Limits { bytes: 400_002, ..Limits::default() };
        assert!(SevenZipReader::open(Bytes(Arc::clone(&whole)), limits, None).is_err());
        let limits = Limits { entries: 3, ..Limits::default() };
        let refused = SevenZipReader::open(Bytes(whole), limits, None).map(|_| ()).unwrap_err();
        assert_eq!(refused.code, Code::LimitExceeded);
    }

    #[test]
    fn who_goes_away_leaves_no_thread() {
        let mut reader = SevenZipReader::open(Bytes(packed(&["-mx=1"])), Limits::default(), None).unwrap();
        reader.next_entry().unwrap();
        drop(reader);
    }
}
