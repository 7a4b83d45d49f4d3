//! The seek index of a backup: where the decoders of its files can begin ([`crate::archive::seek`]), where each entry of its archive begins,
//! and where in the text of its dump the rows of each table are. Made by the whole reading that makes the catalogue, kept beside it as
//! `PATH-KEY.seek`, and found under the same fingerprints. What is read by it is held against the sums of that reading.
//!
//! A file: a mark, the windows of the checkpoints, then all else as numbers of variable length (LEB128), the last of them the XXH3 of what
//! comes before them; the XXH3 of the numbers, and their length.
//! It has no entries for a backup of several archives, for containers that have a directory of their own, and where an entry does not stand
//! by itself; nor places of rows for a dump whose text is changed on its way.

use crate::archive::seek::{Checkpoint, Map, PIECE};
use crate::archive::{Codec, ReadAt, Recorder};
use crate::disk::open_ours;
use crate::error::{IoContext, Result};
use crate::host::tree::manifest;
use crate::sql::tally::RowsRun;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

const MARK: &[u8; 8] = b"RVSEEK1\n";
/// Largest file of this kind that is read, without its windows.
const MAX_BODY: u64 = 64 << 20;
/// The codecs by their numbers.
const CODECS: [Codec; 3] = [Codec::None, Codec::Gzip, Codec::Zstd];
/// Headers of tar begin at multiples of this.
const BLOCK: u64 = 512;

/// What an entry of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A record of the catalogue.
    Site,
    /// The dump.
    Dump,
    /// Configuration.
    Config,
    /// Nothing that is restored.
    Other,
}

impl Class {
    const ALL: [Class; 4] = [Class::Site, Class::Dump, Class::Config, Class::Other];
}

/// What is known of one file of a backup.
#[derive(Debug)]
pub struct PartSeek {
    /// How it is compressed.
    pub codec: Codec,
    /// Where to begin in it.
    pub map: Arc<Map>,
    /// Its entries, as [`PartSeek::entries`] reads them.
    entries: Vec<u8>,
}

/// Where an entry begins in the unpacked archive, and where the next one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub class: Class,
    /// Its first header.
    pub begin: u64,
    /// Behind its content.
    pub end: u64,
}

impl PartSeek {
    /// Whether its entries are known.
    pub fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Its entries in their order; it ends early where they make no sense.
    pub fn entries(&self) -> impl Iterator<Item = Place> + '_ {
        let mut numbers = Numbers(&self.entries);
        let mut at = 0_u64;
        let mut next = move || {
            let number = numbers.next()?;
            at = at.checked_add((number >> 2).checked_mul(BLOCK)?)?;
            Some((Class::ALL[(number & 3) as usize], at))
        };
        let mut first = next();
        std::iter::from_fn(move || {
            let (class, begin) = first?;
            first = next();
            Some(Place { class, begin, end: first.map_or(self.map.plain, |(_, begin)| begin) })
        })
    }
}

/// Where the dump is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpSeek {
    /// The file that it is, or that holds it.
    pub part: usize,
    /// Where its entry begins in the unpacked archive; `None` for a file by itself.
    pub entry: Option<u64>,
    /// Its rows by table, in the order of its text.
    pub runs: Vec<RowsRun>,
}

/// The seek index of a backup.
#[derive(Debug)]
pub struct Seek {
    /// The file that has the windows.
    pub windows: File,
    /// By the number of the file in its source.
    pub parts: Vec<Option<PartSeek>>,
    /// The dump.
    pub dump: Option<DumpSeek>,
}

impl Seek {
    /// Reads one that is whole and undamaged; only our own file is.
    pub fn read(path: &Path) -> Option<Seek> {
        let mut file = open_ours(path).ok()?;
        let length = file.metadata().ok()?.len();
        let mut end = [0; 16];
        file.read_exact_at(&mut end, length.checked_sub(16)?).ok()?;
        let (sum, size) = end.split_at(8);
        let size = u64::from_le_bytes(size.try_into().ok()?);
        if size > MAX_BODY || size > length - 16 {
            return None;
        }
        let mut body = vec![0; size as usize];
        file.seek(SeekFrom::Start(length - 16 - size)).ok()?;
        file.read_exact(&mut body).ok()?;
        let mut mark = [0; MARK.len()];
        file.read_exact_at(&mut mark, 0).ok()?;
        if mark != *MARK || xxh3_64(&body).to_le_bytes() != sum {
            return None;
        }
        let mut numbers = Numbers(&body);
        let parts = numbers.parts()?;
        let dump = numbers.dump()?;
        let sum = numbers.next()?;
        if windows_sum(&file, length - 16 - size).ok()? != sum {
            return None;
        }
        numbers.0.is_empty().then_some(Seek { windows: file, parts, dump })
    }
}

/// A seek index that is being made. What goes wrong with it ends it, and not the reading.
pub struct Draft {
    path: PathBuf,
    file: File,
    written: u64,
    parts: Vec<Option<PartSeek>>,
    recording: Option<(usize, Codec, Recorder)>,
    entries: Vec<u8>,
    last: u64,
    /// Entries of the part in hand do not stand by themselves.
    is_lost: bool,
    dump: Option<DumpSeek>,
}

impl Draft {
    /// Begins one of a source with so many files.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn begin(path: PathBuf, parts: usize) -> Result<Draft> {
        let mut file = manifest::create(&path)?;
        file.write_all(MARK).doing(|| format!("write {}", path.display()))?;
        Ok(Draft {
            path,
            file,
            written: MARK.len() as u64,
            parts: std::iter::repeat_with(|| None).take(parts).collect(),
            recording: None,
            entries: Vec::new(),
            last: 0,
            is_lost: false,
            dump: None,
        })
    }

    /// Begins a file of the source; `None` where nothing can be known of it.
    pub fn part(&mut self, number: usize, codec: Codec) -> Option<Recorder> {
        (self.recording, self.last, self.is_lost) = (None, 0, false);
        self.entries.clear();
        if !codec.seeks() {
            return None;
        }
        // Windows of a file that was not read to its end are written over.
        self.file.seek(SeekFrom::Start(self.written)).ok()?;
        let windows = self.file.try_clone().ok()?;
        let recorder = Recorder::new(Box::new(windows), self.written);
        self.recording = Some((number, codec, recorder.clone()));
        Some(recorder)
    }

    /// Notes an entry of the archive in hand.
    pub fn entry(&mut self, begin: Option<u64>, class: Class) {
        match begin.and_then(|begin| begin.checked_sub(self.last)).filter(|apart| apart % BLOCK == 0) {
            Some(apart) if !self.is_lost => {
                put(&mut self.entries, (apart / BLOCK) << 2 | class as u64);
                self.last += apart;
            }
            _ => self.is_lost = true,
        }
    }

    /// Notes where the rows of the dump are: in the text that `entry` holds in the file in hand, or that the file is.
    pub fn dump(&mut self, entry: Option<u64>, runs: Vec<RowsRun>) {
        if let Some((part, ..)) = self.recording {
            self.dump = Some(DumpSeek { part, entry, runs });
        }
    }

    /// Ends the file in hand, which was read to its end.
    pub fn end_part(&mut self) {
        let Some((number, codec, recorder)) = self.recording.take() else { return };
        let Ok((map, written)) = recorder.finish() else { return };
        self.written = written;
        if codec == Codec::Zstd && map.checkpoints.is_empty() {
            // It is one frame, which is read from its beginning.
            return;
        }
        let entries = if self.is_lost { Vec::new() } else { std::mem::take(&mut self.entries) };
        if let Some(part) = self.parts.get_mut(number) {
            *part = Some(PartSeek { codec, map: Arc::new(map), entries });
        }
    }

    /// Ends the index, and gives it its name.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn publish(mut self, place: &Path) -> Result<()> {
        if self.parts.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut body = Vec::new();
        put(&mut body, self.parts.len() as u64);
        for part in &self.parts {
            put_part(&mut body, part.as_ref());
        }
        put_dump(&mut body, self.dump.as_ref());
        let act = || format!("write {}", self.path.display());
        put(&mut body, windows_sum(&self.file, self.written).doing(act)?);
        let end = [xxh3_64(&body).to_le_bytes(), (body.len() as u64).to_le_bytes()].concat();
        self.file.seek(SeekFrom::Start(self.written)).doing(act)?;
        self.file.write_all(&body).doing(act)?;
        self.file.write_all(&end).doing(act)?;
        std::fs::rename(&self.path, place).doing(act)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publishing there is nothing of that name.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The windows of a seek index, to be read anywhere.
pub struct Windows(pub File);

impl ReadAt for Windows {
    fn size(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }
}

/// XXH3 of the mark and the windows, which end at `end`.
fn windows_sum(file: &File, end: u64) -> io::Result<u64> {
    let mut sum = Xxh3::new();
    let mut buffer = vec![0; 256 << 10];
    let mut at = 0;
    while at < end {
        let most = buffer.len().min((end - at) as usize);
        file.read_exact_at(&mut buffer[..most], at)?;
        sum.update(&buffer[..most]);
        at += most as u64;
    }
    Ok(sum.digest())
}

fn put(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn put_part(into: &mut Vec<u8>, part: Option<&PartSeek>) {
    let Some(PartSeek { codec, map, entries }) = part else { return put(into, 0) };
    put(into, CODECS.iter().position(|known| known == codec).unwrap_or_default() as u64 + 1);
    put(into, map.plain);
    put(into, map.checkpoints.len() as u64);
    let mut last = (0, 0);
    for Checkpoint { plain, packed, unused_bits, window } in &map.checkpoints {
        put(into, plain - last.0);
        put(into, packed - last.1);
        last = (*plain, *packed);
        put(into, u64::from(*unused_bits));
        put(into, window.0);
        put(into, u64::from(window.1));
    }
    map.sums.iter().for_each(|sum| into.extend_from_slice(&sum.to_le_bytes()));
    put(into, entries.len() as u64);
    into.extend_from_slice(entries);
}

fn put_dump(into: &mut Vec<u8>, dump: Option<&DumpSeek>) {
    let Some(DumpSeek { part, entry, runs }) = dump else { return put(into, 0) };
    put(into, 1);
    put(into, *part as u64);
    put(into, entry.map_or(0, |begin| begin + 1));
    put(into, runs.len() as u64);
    let mut last = 0;
    for RowsRun { table, bytes, lines } in runs {
        put(into, table.len() as u64);
        into.extend_from_slice(table.as_bytes());
        put(into, bytes.start - last);
        put(into, bytes.end - bytes.start);
        put(into, *lines);
        last = bytes.end;
    }
}

/// Numbers of variable length, read.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bytes(&mut self, length: u64) -> Option<&[u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    /// How many things follow, each of which takes a byte at least.
    fn count(&mut self) -> Option<u64> {
        self.next().filter(|count| *count <= self.0.len() as u64)
    }

    fn parts(&mut self) -> Option<Vec<Option<PartSeek>>> {
        let count = self.count()?;
        (0..count).map(|_| self.part()).collect()
    }

    fn part(&mut self) -> Option<Option<PartSeek>> {
        let Some(codec) = self.next()?.checked_sub(1) else { return Some(None) };
        let codec = *CODECS.get(usize::try_from(codec).ok()?)?;
        let mut map = Map { plain: self.next()?, ..Map::default() };
        let (mut plain, mut packed) = (0_u64, 0_u64);
        for _ in 0..self.count()? {
            plain = plain.checked_add(self.next()?)?;
            packed = packed.checked_add(self.next()?)?;
            let unused_bits = u8::try_from(self.next()?).ok()?;
            let window = (self.next()?, u32::try_from(self.next()?).ok()?);
            map.checkpoints.push(Checkpoint { plain, packed, unused_bits, window });
        }
        let sums = self.bytes(map.plain.div_ceil(PIECE).checked_mul(8)?)?;
        map.sums = sums.as_chunks().0.iter().map(|sum| u64::from_le_bytes(*sum)).collect();
        let length = self.next()?;
        let entries = self.bytes(length)?.to_vec();
        map.is_possible().then_some(Some(PartSeek { codec, map: Arc::new(map), entries }))
    }

    fn dump(&mut self) -> Option<Option<DumpSeek>> {
        if self.next()? == 0 {
            return Some(None);
        }
        let part = usize::try_from(self.next()?).ok()?;
        let entry = self.next()?.checked_sub(1);
        let mut runs = Vec::new();
        let mut last = 0_u64;
        for _ in 0..self.count()? {
            let length = self.next()?;
            let table = String::from_utf8(self.bytes(length)?.to_vec()).ok()?;
            let start = last.checked_add(self.next()?)?;
            last = start.checked_add(self.next()?)?;
            runs.push(RowsRun { table, bytes: start..last, lines: self.next()? });
        }
        Some(Some(DumpSeek { part, entry, runs }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(folder: &Path) -> Draft {
        let mut draft = Draft::begin(folder.join("draft"), 3).unwrap();
        let recorder = draft.part(1, Codec::Gzip).unwrap();
        recorder.checkpoint(700_000, 600_000, 3, &[7; 32 << 10]);
        recorder.checkpoint(900_000, 5_600_000, 0, b"short");
        let plain = vec![1; 1_000_000];
        io::copy(&mut crate::archive::seek::Summed::new(plain.as_slice(), recorder), &mut io::sink()).unwrap();
        for (begin, class) in [(0, Class::Other), (1024, Class::Site), (4096, Class::Dump), (512_000, Class::Config)] {
            draft.entry(Some(begin), class);
        }
        let run = |table: &str, bytes, lines| RowsRun { table: table.into(), bytes, lines };
        draft.dump(Some(4096), vec![run("wp_posts", 100..5000, 3), run("wp_ö", 5000..5001, 0)]);
        draft.end_part();
        draft
    }

    #[test]
    fn what_was_written_is_read_back_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.seek");
        draft(folder.path()).publish(&place).unwrap();
        let seek = Seek::read(&place).unwrap();
        let [None, Some(part), None] = seek.parts.as_slice() else { panic!("{:?}", seek.parts) };
        assert_eq!((part.codec, part.map.plain, part.map.sums.len()), (Codec::Gzip, 1_000_000, 4));
        assert_eq!(part.map.checkpoints.len(), 2);
        let places: Vec<(Class, u64, u64)> =
            part.entries().map(|place| (place.class, place.begin, place.end)).collect();
        let wanted = [
            (Class::Other, 0, 1024),
            (Class::Site, 1024, 4096),
            (Class::Dump, 4096, 512_000),
            (Class::Config, 512_000, 1_000_000),
        ];
        assert_eq!(places, wanted);
        let dump = seek.dump.unwrap();
        assert_eq!((dump.part, dump.entry, dump.runs.len()), (1, Some(4096), 2));
        assert_eq!((dump.runs[1].table.as_str(), dump.runs[1].bytes.clone()), ("wp_ö", 5000..5001));
        let mut window = vec![0; part.map.checkpoints[1].window.1 as usize];
        seek.windows.read_exact_at(&mut window, part.map.checkpoints[1].window.0).unwrap();
        assert_eq!(zstd::bulk::decompress(&window, 100).unwrap(), b"short");
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::metadata(&place).unwrap().mode() & 0o777, 0o600);
        assert!(!folder.path().join("draft").exists());
    }

    #[test]
    fn a_damaged_or_cut_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.seek");
        draft(folder.path()).publish(&place).unwrap();
        let whole = std::fs::read(&place).unwrap();
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 0x10;
            std::fs::write(&place, bad).unwrap();
            assert!(Seek::read(&place).is_none(), "byte {at} of {}", whole.len());
        }
        for end in 0..whole.len() {
            std::fs::write(&place, &whole[..end]).unwrap();
            assert!(Seek::read(&place).is_none(), "cut at {end}");
        }
    }

    #[test]
    fn entries_that_do_not_stand_by_themselves_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        for odd in [None, Some(100), Some(512)] {
            let mut draft = draft(folder.path());
            let recorder = draft.part(0, Codec::None).unwrap();
            draft.entry(Some(1024), Class::Site);
            draft.entry(odd, Class::Site);
            io::copy(&mut crate::archive::seek::Summed::new(&b"text"[..], recorder), &mut io::sink()).unwrap();
            draft.end_part();
            assert_eq!(draft.parts[0].as_ref().unwrap().entries().count(), 0, "{odd:?}");
        }
    }

    #[test]
    fn nothing_stays_of_one_that_was_not_finished_and_a_file_that_was_not_read_to_its_end_is_not_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = draft(folder.path());
        let recorder = one.part(0, Codec::None).unwrap();
        crate::archive::seek::Summed::new(&b"text"[..], recorder).read_exact(&mut [0; 2]).unwrap();
        one.end_part();
        assert!(one.parts[0].is_none() && one.parts[1].is_some());
        drop(one);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
