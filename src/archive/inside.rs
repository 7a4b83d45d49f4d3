//! The content of an entry of an archive, to be read anywhere as an archive of its own. One that is stored is a stretch of what is around it.
//! One that is deflated is unpacked from its beginning as far as somebody reads; its end, where the directory of a zip lies, is kept, so that
//! whoever reads the rest from front to back has it unpacked once more and no oftener.

use super::zip::{Lies, ReadAt, Stretch};
use super::{corrupt, is_from_below, wrap};
use crate::error::{Code, Error};
use flate2::read::DeflateDecoder;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Longest end that is looked at for a directory, and the end record of a zip with the longest comment.
const MOST: u64 = 8 << 20;
const END_RECORD: usize = 22 + 0xffff;
/// How often a content may be unpacked in the whole.
const TIMES: u64 = 4;
/// Least that may be unpacked, whatever its size.
const LEAST: u64 = 64 << 20;

/// The end of a content, unpacked once for all its readers.
#[derive(Debug, Clone)]
pub struct Tail {
    bytes: Arc<OnceLock<Vec<u8>>>,
    /// How many bytes may still be kept by all of one backup together.
    left: Arc<AtomicU64>,
}

impl Tail {
    /// Not unpacked yet; `left`: bytes that all of a backup together may keep.
    pub fn new(left: &Arc<AtomicU64>) -> Tail {
        Tail { bytes: Arc::default(), left: Arc::clone(left) }
    }
}

/// A reader of the content.
pub struct Inside<S> {
    source: S,
    lies: Lies,
    tail: Tail,
    course: Mutex<Course<S>>,
}

/// How far it is unpacked.
struct Course<S> {
    reader: Option<DeflateDecoder<Stretch<S>>>,
    at: u64,
    unpacked: u64,
}

impl<S: ReadAt + Clone> Inside<S> {
    /// Of an entry of the archive in `source`.
    pub fn new(source: S, lies: Lies, tail: Tail) -> Inside<S> {
        Inside { source, lies, tail, course: Mutex::new(Course { reader: None, at: 0, unpacked: 0 }) }
    }

    fn packed(&self) -> DeflateDecoder<Stretch<S>> {
        DeflateDecoder::new(Stretch::new(self.source.clone(), self.lies.start, self.lies.end))
    }

    /// The end of the content, from its directory on. The first one who asks has all of it unpacked, and its checksum looked at.
    fn tail(&self) -> io::Result<&[u8]> {
        if let Some(known) = self.tail.bytes.get() {
            return Ok(known);
        }
        let (mut reader, mut sum, mut size) = (self.packed(), crc32fast::Hasher::new(), 0);
        let (mut kept, mut piece) = (Vec::new(), vec![0; 256 << 10]);
        loop {
            let count = unpack(&mut reader, &mut piece)?;
            if count == 0 {
                break;
            }
            size += count as u64;
            if size > self.lies.size {
                return Err(wrap(corrupt("an archive in it unpacks to more than its directory says")));
            }
            sum.update(&piece[..count]);
            kept.extend_from_slice(&piece[..count]);
            if kept.len() as u64 > 2 * MOST {
                kept.drain(..kept.len() - MOST as usize);
            }
        }
        if size != self.lies.size || sum.finalize() != self.lies.crc {
            return Err(wrap(corrupt("an archive in it does not match its checksum")));
        }
        let kept = from_directory(kept, size);
        let reserve = |left: u64| left.checked_sub(kept.len() as u64);
        if self.tail.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, reserve).is_err() {
            let message = "the directories of the archives in it are too large to be kept at once";
            return Err(wrap(
                Error::new(Code::LimitExceeded, message).hint("Unpack it, and name the folder with what was in it."),
            ));
        }
        Ok(self.tail.bytes.get_or_init(|| kept))
    }
}

/// What begins at the directory of a zip, where its end record says so and it is there.
fn from_directory(mut kept: Vec<u8>, size: u64) -> Vec<u8> {
    let before = size - kept.len() as u64;
    let from = kept.len().saturating_sub(END_RECORD);
    let record = memchr::memmem::rfind(&kept[from..], b"PK\x05\x06").map(|at| from + at);
    let start =
        record.and_then(|at| kept.get(at + 16..at + 20)?.first_chunk::<4>()).map(|told| u32::from_le_bytes(*told));
    let begin = match start.filter(|start| *start != u32::MAX) {
        Some(start) => u64::from(start).saturating_sub(before),
        None => kept.len() as u64 - MOST.min(kept.len() as u64),
    };
    kept.drain(..usize::try_from(begin).unwrap_or(usize::MAX).min(from));
    kept.shrink_to_fit();
    kept
}

fn unpack(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_from_below(&error) => return Err(error),
            Err(_) => return Err(wrap(corrupt("an archive in it: the compressed data is wrong"))),
            count => return count,
        }
    }
}

impl<S: ReadAt + Clone> ReadAt for Inside<S> {
    fn size(&self) -> u64 {
        self.lies.size
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let most = self.lies.size.saturating_sub(offset).min(into.len() as u64) as usize;
        let into = &mut into[..most];
        if most == 0 {
            return Ok(0);
        }
        if !self.lies.deflated {
            return self.source.read_at(into, self.lies.start + offset);
        }
        let tail = self.tail()?;
        let begins = self.lies.size - tail.len() as u64;
        if let Some(at) = offset.checked_sub(begins) {
            into.copy_from_slice(&tail[at as usize..at as usize + most]);
            return Ok(most);
        }
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        if course.reader.is_none() || course.at > offset {
            (course.reader, course.at) = (Some(self.packed()), 0);
        }
        let mut scratch = [0; 16 << 10];
        loop {
            let Course { reader: Some(reader), at, unpacked } = &mut *course else { return Ok(0) };
            let skips = (offset - *at).min(scratch.len() as u64) as usize;
            let count = unpack(reader, if skips > 0 { &mut scratch[..skips] } else { &mut *into })?;
            (*at, *unpacked) = (*at + count as u64, *unpacked + count as u64);
            if count == 0 {
                return Ok(0);
            }
            if *unpacked > self.lies.size.saturating_mul(TIMES).saturating_add(LEAST) {
                let message =
                    "the entries of an archive in it lie in no order: each would be looked for from its beginning";
                return Err(wrap(
                    Error::new(Code::BackupUnreadable, message)
                        .hint("Unpack it, and name the folder with what was in it."),
                ));
            }
            if skips == 0 {
                return Ok(count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn reader(content: &[u8], crc: u32) -> Inside<Arc<Vec<u8>>> {
        let mut packer = flate2::write::DeflateEncoder::new(b"before".to_vec(), flate2::Compression::fast());
        packer.write_all(content).unwrap();
        let source = packer.finish().unwrap();
        let lies = Lies { start: 6, end: source.len() as u64, deflated: true, size: content.len() as u64, crc };
        Inside::new(Arc::new(source), lies, Tail::new(&Arc::new(AtomicU64::new(64 << 20))))
    }

    impl ReadAt for Vec<u8> {
        fn size(&self) -> u64 {
            self.len() as u64
        }

        fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
            self.as_slice().read_at(into, offset)
        }
    }

    #[test]
    fn any_stretch_of_it_is_what_was_packed() {
        let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let inside = reader(&content, crc32fast::hash(&content));
        for (offset, length) in [(1_199_990, 100), (0, 10), (700_000, 5000), (5, 3), (650_001, 9)] {
            let mut found = vec![0; length];
            let mut filled = 0;
            while let Ok(count @ 1..) = inside.read_at(&mut found[filled..], offset + filled as u64) {
                filled += count;
            }
            let end = content.len().min(offset as usize + length);
            assert_eq!(found[..filled], content[offset as usize..end], "{offset}");
        }
    }

    #[test]
    fn what_is_no_archive_in_order_ends_in_a_sentence() {
        let content = vec![7; 40 << 20];
        let damaged = reader(&content, 1).read_at(&mut [0; 4], 0).unwrap_err();
        assert!(super::super::unwrap_io(damaged).message.contains("does not match its checksum"));
        let inside = reader(&content, crc32fast::hash(&content));
        let mut refused = None;
        for turn in 0..20 {
            let offset = if turn % 2 == 0 { 30 << 20 } else { 0 };
            refused = refused.or(inside.read_at(&mut [0; 4], offset).err());
        }
        assert!(super::super::unwrap_io(refused.unwrap()).message.contains("in no order"));
    }
}
