//! The central directory: found at the end of the file, looked through once for what no honest writer makes, then read entry by entry.

use super::cipher::{self, AES_METHOD, Cipher};
use super::extra::field;
use super::name;
use super::{ReadAt, exact};
use crate::archive::{Limits, corrupt, from_top, is_wrapped, password, unwrap_io};
use crate::error::{Code, Error, Result};
use std::collections::HashSet;
use std::io::{BufReader, Read};
use xxhash_rust::xxh3::xxh3_128;

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const HEADER: [u8; 4] = *b"PK\x01\x02";
const END_LENGTH: usize = 22;
/// The end record and the longest comment behind it.
const MAX_TAIL: u64 = END_LENGTH as u64 + 0xffff;
/// The directory is read in pieces of this size.
const PIECE: usize = 64 << 10;

/// An entry as the directory has it.
pub(super) struct Listed {
    /// The name, in the form in which it is used.
    pub(super) name: Vec<u8>,
    /// The name as it is written.
    pub(super) raw_name: Vec<u8>,
    pub(super) made_by: u8,
    /// The method that its headers name, and the one by which it is packed: another one where it is encrypted by AES.
    pub(super) method: u16,
    pub(super) packing: u16,
    pub(super) cipher: Option<Cipher>,
    pub(super) crc: u32,
    /// Its CRC-32 is that of the content.
    pub(super) sums: bool,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) attributes: u32,
    pub(super) offset: u64,
    pub(super) mtime: i64,
}

/// Where local headers begin, in order, and where the directory does.
pub(super) struct Places {
    starts: Vec<u64>,
    end: u64,
}

impl Places {
    /// The first byte behind an entry that begins there which is not its own.
    pub(super) fn after(&self, offset: u64) -> u64 {
        let next = self.starts.partition_point(|start| *start <= offset);
        self.starts.get(next).copied().unwrap_or(self.end)
    }
}

/// What the end of the archive says of its directory.
#[derive(Clone, Copy)]
struct Whole {
    entries: u64,
    start: u64,
    size: u64,
}

/// The directory, entry by entry.
pub(super) struct Directory<S> {
    reader: BufReader<super::Stretch<S>>,
    left: u64,
    volumes: Vec<u64>,
    /// Somebody has the password.
    may_be_encrypted: bool,
    /// No name has a slash, and some have backslashes: they separate.
    backslashes: bool,
}

/// Finds the directory and looks it through; with the first entry of a content that is encrypted.
pub(super) fn open<S: ReadAt + Clone>(
    source: S,
    limits: Limits,
    may_be_encrypted: bool,
) -> Result<(Directory<S>, Places, Option<Listed>)> {
    let whole = find(&source)?;
    if whole.entries > limits.entries {
        let most = limits.entries;
        return Err(
            Error::new(Code::LimitExceeded, format!("the backup has over {most} entries")).with("max_entries", most)
        );
    }
    let (mut starts, mut encrypted) = (Vec::new(), None);
    // A slash at the top is none to who unpacks; backslashes separate where they are said to in the end.
    let (mut names, mut separated) = (HashSet::new(), HashSet::new());
    let mut twice_separated = None;
    let mut directory = Directory::new(source.clone(), whole, may_be_encrypted);
    let (mut slashes, mut backslashes) = (false, false);
    while let Some(listed) = directory.next()? {
        starts.push(listed.offset);
        slashes |= listed.name.contains(&b'/');
        backslashes |= listed.name.contains(&b'\\');
        if !names.insert(xxh3_128(trimmed(&listed.name))) {
            return Err(is_twice(&listed.name));
        }
        if !slashes && twice_separated.is_none() {
            let name: Vec<u8> = listed.name.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
            twice_separated = (!separated.insert(xxh3_128(trimmed(&name)))).then(|| listed.name.clone());
        }
        if encrypted.is_none() && listed.cipher.is_some() && listed.size > 0 {
            encrypted = Some(listed);
        }
    }
    if let (Some(name), true, false) = (twice_separated, backslashes, slashes) {
        return Err(is_twice(&name));
    }
    starts.sort_unstable();
    if let Some(twice) = starts.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(corrupt(format_args!("two entries share the bytes at {}", twice[0])));
    }
    let places = Places { starts, end: whole.start };
    // PHP on Windows writes that system's names, and says that they are Unix's.
    let directory =
        Directory { backslashes: backslashes && !slashes, ..Directory::new(source, whole, may_be_encrypted) };
    Ok((directory, places, encrypted))
}

/// A name without the slashes around it.
fn trimmed(name: &[u8]) -> &[u8] {
    let name = from_top(name);
    name.strip_suffix(b"/").unwrap_or(name)
}

fn is_twice(name: &[u8]) -> Error {
    let shown = String::from_utf8_lossy(name).into_owned();
    corrupt(format_args!("{shown:?} is in it twice: which one counts, programs disagree")).with("path", shown)
}

fn two(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn four(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn eight(bytes: &[u8], at: usize) -> u64 {
    u64::from(four(bytes, at)) | u64::from(four(bytes, at + 4)) << 32
}

fn find(source: &impl ReadAt) -> Result<Whole> {
    let size = source.size();
    let length = size.min(MAX_TAIL);
    let mut tail = vec![0; length as usize];
    exact(source, &mut tail, size - length)?;
    // The last record whose comment ends with the file.
    let is_end = |at: &usize| {
        tail[*at..].starts_with(&END) && tail.len() - at - END_LENGTH == usize::from(two(&tail, at + END_LENGTH - 2))
    };
    let last = tail.len().checked_sub(END_LENGTH).and_then(|last| (0..=last).rev().find(is_end));
    let Some(at) = last else {
        return Err(corrupt("it has no directory at its end: it is cut, or something follows it"));
    };
    let end = &tail[at..at + END_LENGTH];
    let position = size - length + at as u64;
    let volumes = source.volumes();
    let mut whole =
        Whole { entries: u64::from(two(end, 10)), start: u64::from(four(end, 16)), size: u64::from(four(end, 12)) };
    let mut disks = (u64::from(two(end, 4)), u64::from(two(end, 6)));
    let mut behind = position;
    if let Some(locator) = position.checked_sub(20) {
        let mut record = [0; 20];
        exact(source, &mut record, locator)?;
        if record[..4] == LOCATOR_64 {
            let at = in_volume(&volumes, u64::from(four(&record, 4)), eight(&record, 8))?;
            let mut record = [0; 56];
            exact(source, &mut record, at)?;
            if record[..4] != END_64 {
                return Err(corrupt("its zip64 directory is not where it says"));
            }
            behind = at;
            disks = (u64::from(four(&record, 16)), u64::from(four(&record, 20)));
            whole = Whole { entries: eight(&record, 32), start: eight(&record, 48), size: eight(&record, 40) };
        }
    }
    if disks.0 + 1 != volumes.len() as u64 {
        return Err(parts_missing(disks.0 + 1, volumes.len()));
    }
    whole.start = in_volume(&volumes, disks.1, whole.start)?;
    let fits = whole.start.checked_add(whole.size).is_some_and(|end| end == behind);
    if !fits {
        return Err(corrupt("its directory is not where its end says"));
    }
    Ok(whole)
}

fn parts_missing(says: u64, there: usize) -> Error {
    let message = format!("it is one zip archive in {says} files, and {there} of them were found");
    Error::new(Code::BackupIncomplete, message)
        .hint("Put all of them into one folder: NAME.z01, NAME.z02, … and NAME.zip.")
}

fn in_volume(volumes: &[u64], number: u64, offset: u64) -> Result<u64> {
    let start = usize::try_from(number).ok().and_then(|number| volumes.get(number));
    let start = start.ok_or_else(|| parts_missing(number.saturating_add(1), volumes.len()))?;
    start.checked_add(offset).ok_or_else(|| corrupt("it has an impossible offset"))
}

impl<S: ReadAt> Directory<S> {
    fn new(source: S, whole: Whole, may_be_encrypted: bool) -> Directory<S> {
        let volumes = source.volumes();
        let stretch = super::Stretch { source, at: whole.start, end: whole.start + whole.size };
        let reader = BufReader::with_capacity(PIECE, stretch);
        Directory { reader, left: whole.entries, volumes, may_be_encrypted, backslashes: false }
    }

    /// The next entry; at the end nothing of the directory may be left.
    pub(super) fn next(&mut self) -> Result<Option<Listed>> {
        if self.left == 0 {
            let mut more = [0; 1];
            return match self.reader.read(&mut more).map_err(unwrap_io)? {
                0 => Ok(None),
                _ => Err(corrupt("its directory lists more entries than it says")),
            };
        }
        self.left -= 1;
        let mut header = [0; 46];
        self.exact(&mut header)?;
        if header[..4] != HEADER {
            return Err(corrupt("its directory is damaged"));
        }
        let (flags, method) = (two(&header, 8), two(&header, 10));
        let mut raw_name = vec![0; usize::from(two(&header, 28))];
        self.exact(&mut raw_name)?;
        let mut extra = vec![0; usize::from(two(&header, 30))];
        self.exact(&mut extra)?;
        let mut comment = vec![0; usize::from(two(&header, 32))];
        self.exact(&mut comment)?;
        let made_by = header[5];
        let mut name = name::read(&raw_name, flags, made_by, &extra)?;
        if self.backslashes {
            name::separate(&mut name);
        }
        let shown = || String::from_utf8_lossy(&name).into_owned();
        let (mut cipher, mut packing, mut sums) = (None, method, true);
        if flags & 0x2040 != 0 {
            let message = format!("{:?} in it is encrypted in a way that is not read", shown());
            return Err(
                Error::new(Code::BackupUnreadable, message).hint("Unpack it with its password, and name the folder.")
            );
        }
        if flags & 1 != 0 {
            if !self.may_be_encrypted {
                return Err(password::wanted(&format!("{:?} in it is encrypted", shown())));
            }
            // Where sizes and checksum follow the content, the time of the last change stands in for the checksum.
            let proof = if flags & 8 != 0 { header[13] } else { header[19] };
            cipher = Some(Cipher::Pkzip { proof });
        }
        if method == AES_METHOD {
            let told = cipher.and_then(|_| cipher::aes(&extra));
            let (by_aes, behind, summed) =
                told.ok_or_else(|| corrupt(format_args!("{:?} does not say how it is encrypted", shown())))?;
            (cipher, packing, sums) = (Some(by_aes), behind, summed);
        }
        let mut packed = u64::from(four(&header, 20));
        let mut size = u64::from(four(&header, 24));
        let mut offset = u64::from(four(&header, 42));
        let mut disk = u64::from(two(&header, 34));
        if let Some(long) = field(&extra, 1) {
            let mut rest = long;
            let mut wide = |value: &mut u64, mark: u64| -> Result<()> {
                if *value == mark {
                    let (number, tail) =
                        rest.split_first_chunk::<8>().ok_or_else(|| corrupt("a zip64 field is too short"))?;
                    (*value, rest) = (u64::from_le_bytes(*number), tail);
                }
                Ok(())
            };
            wide(&mut size, u64::from(u32::MAX))?;
            wide(&mut packed, u64::from(u32::MAX))?;
            wide(&mut offset, u64::from(u32::MAX))?;
            if disk == 0xffff {
                let number = rest.first_chunk::<4>().ok_or_else(|| corrupt("a zip64 field is too short"))?;
                disk = u64::from(u32::from_le_bytes(*number));
            }
        }
        if size > i64::MAX as u64 || packed > i64::MAX as u64 {
            return Err(corrupt("an entry has an impossible size"));
        }
        if name.is_empty() {
            return Err(corrupt("an entry has no name"));
        }
        Ok(Some(Listed {
            offset: in_volume(&self.volumes, disk, offset)?,
            mtime: moment(&extra, two(&header, 14), two(&header, 12)),
            attributes: four(&header, 38),
            crc: four(&header, 16),
            name,
            raw_name,
            made_by,
            method,
            packing,
            cipher,
            sums,
            packed,
            size,
        }))
    }

    fn exact(&mut self, into: &mut [u8]) -> Result<()> {
        self.reader.read_exact(into).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof if !is_wrapped(&error) => corrupt("its directory ends too early"),
            _ => unwrap_io(error),
        })
    }
}

/// The time of the last change: exact where a field has it, else the clock of the writer, which is taken for UTC.
fn moment(extra: &[u8], date: u16, time: u16) -> i64 {
    if let Some([flags, seconds @ ..]) = field(extra, 0x5455)
        && flags & 1 != 0
        && let Some(seconds) = seconds.first_chunk::<4>()
    {
        return i64::from(i32::from_le_bytes(*seconds));
    }
    let [date, time] = [i64::from(date), i64::from(time)];
    let (year, month, day) = (1980 + (date >> 9), (date >> 5) & 15, date & 31);
    let civil = jiff::civil::Date::new(year as i16, month as i8, day as i8).ok();
    let clock = jiff::civil::Time::new((time >> 11) as i8, ((time >> 5) & 63) as i8, ((time & 31) * 2) as i8, 0).ok();
    let both =
        civil.zip(clock).and_then(|(date, time)| jiff::tz::TimeZone::UTC.to_timestamp(date.to_datetime(time)).ok());
    both.map_or(0, |moment| moment.as_second())
}
