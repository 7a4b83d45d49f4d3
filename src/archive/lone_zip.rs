//! A zip archive of one file, read from front to back as a compressed stream is (`gzip -dc` reads such, too): a dump in an archive is often
//! packed so. What the directory behind it says is held against what was read. The attributes that Finder of macOS puts beside a file are
//! passed over.

use super::zip::{LOCAL, field};
use super::{corrupt, is_from_below, is_wrapped, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use crate::text::printable;
use flate2::bufread::DeflateDecoder;
use std::io::{self, BufReader, Read, Take};

const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
/// What may follow the directory: the records of its end.
const ENDS: [[u8; 4]; 3] = [*b"PK\x05\x06", *b"PK\x06\x06", *b"PK\x06\x07"];
/// Input is read in pieces of this size.
const INPUT: usize = 128 << 10;
/// Most entries beside the file, all of which are passed over.
const MOST: usize = 100;

/// A reader of the file's content.
pub struct LoneZip<R> {
    body: Body<R>,
    /// The entry in hand, or the last one.
    entry: Header,
    /// The file, once it was met.
    found: Option<Header>,
    entries: usize,
    sum: crc32fast::Hasher,
    size: u64,
    /// Bytes that were passed over.
    aside: u64,
}

/// Most bytes that are passed over on the way to the file.
const MOST_ASIDE: u64 = 16 << 20;

/// Where in the archive it is.
enum Body<R> {
    Between(BufReader<R>),
    Deflated(DeflateDecoder<BufReader<R>>),
    Stored(Take<BufReader<R>>),
    Ended,
}

/// What the header of an entry says.
#[derive(Debug, Clone, Default)]
struct Header {
    name: Vec<u8>,
    crc: u32,
    packed: u64,
    size: u64,
    /// Checksum and sizes follow the content.
    follows: bool,
    /// With sizes of eight bytes.
    is_long: bool,
    /// Nothing that anybody packed.
    is_aside: bool,
}

impl<R: Read> LoneZip<R> {
    /// Reads `inner` from its beginning.
    pub fn new(inner: R) -> LoneZip<R> {
        LoneZip {
            aside: 0,
            body: Body::Between(BufReader::with_capacity(INPUT, inner)),
            entry: Header::default(),
            found: None,
            entries: 0,
            sum: crc32fast::Hasher::new(),
            size: 0,
        }
    }

    /// Goes to the next content, or to the end.
    fn go_on(&mut self) -> Result<()> {
        let Body::Between(mut input) = std::mem::replace(&mut self.body, Body::Ended) else { return Ok(()) };
        let mark = four(&mut input)?;
        if mark == CENTRAL || ENDS.contains(&mark) {
            return self.directory(mark, input);
        }
        if mark != LOCAL {
            return Err(corrupt("the zip data is wrong: no entry begins where one has to"));
        }
        let header: [u8; 26] = array(&mut input)?;
        let two = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let name = bytes(&mut input, two(22).into())?;
        let extra = bytes(&mut input, two(24).into())?;
        let (flags, method) = (two(2), two(4));
        let wide =
            |at: usize| u64::from(u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
        let long = field(&extra, 1);
        let mut entry = Header {
            crc: wide(10) as u32,
            packed: wide(14),
            size: wide(18),
            follows: flags & 8 != 0,
            is_long: long.is_some(),
            is_aside: is_aside(&name),
            name,
        };
        if let Some(long) = long.filter(|_| entry.size == u64::from(u32::MAX) || entry.packed == u64::from(u32::MAX)) {
            let number = |at: usize| Some(u64::from_le_bytes(*long.get(at..)?.first_chunk::<8>()?));
            (entry.size, entry.packed) =
                number(0).zip(number(8)).ok_or_else(|| corrupt("a zip64 field is too short"))?;
        }
        let shown = printable(&String::from_utf8_lossy(&entry.name));
        self.entries += 1;
        if let (false, Some(first)) = (entry.is_aside, &self.found) {
            let first = printable(&String::from_utf8_lossy(&first.name));
            let message = format!("it is a zip archive of several files, {first} and {shown} among them");
            return Err(unpack(message));
        }
        if self.entries > MOST {
            return Err(unpack(format!("it is a zip archive of over {MOST} entries")));
        }
        if flags & 0x2041 != 0 {
            return Err(unpack(format!("it is a zip archive, and {shown} in it is encrypted")));
        }
        self.body = match (method, entry.follows) {
            (8, _) => Body::Deflated(DeflateDecoder::new(input)),
            (0, false) => Body::Stored(input.take(entry.packed)),
            _ => {
                return Err(unpack(format!(
                    "it is a zip archive, and {shown} in it cannot be read from front to back"
                )));
            }
        };
        if !entry.is_aside {
            self.found = Some(entry.clone());
        }
        (self.entry, self.sum, self.size) = (entry, crc32fast::Hasher::new(), 0);
        Ok(())
    }

    /// Behind a content: its checksum and sizes.
    fn finish(&mut self) -> Result<()> {
        let (mut input, packed) = match std::mem::replace(&mut self.body, Body::Ended) {
            Body::Deflated(decoder) => {
                let packed = decoder.total_in();
                (decoder.into_inner(), packed)
            }
            Body::Stored(content) if content.limit() > 0 => return Err(cut()),
            Body::Stored(content) => (content.into_inner(), self.entry.packed),
            _ => return Ok(()),
        };
        if self.entry.follows {
            let mark = four(&mut input)?;
            let crc = if mark == DESCRIPTOR { four(&mut input)? } else { mark };
            self.entry.crc = u32::from_le_bytes(crc);
            (self.entry.packed, self.entry.size) = match self.entry.is_long {
                true => (u64::from_le_bytes(array(&mut input)?), u64::from_le_bytes(array(&mut input)?)),
                false => (u32::from_le_bytes(four(&mut input)?).into(), u32::from_le_bytes(four(&mut input)?).into()),
            };
        }
        if (self.entry.packed, self.entry.size) != (packed, self.size) {
            return Err(corrupt("a file in the zip archive has another size than it says"));
        }
        if self.sum.clone().finalize() != self.entry.crc {
            return Err(corrupt("a file in the zip archive does not match its checksum"));
        }
        if !self.entry.is_aside {
            self.found = Some(self.entry.clone());
        }
        self.body = Body::Between(input);
        Ok(())
    }

    /// The directory, which has to list what was read.
    fn directory(&self, mut mark: [u8; 4], mut input: BufReader<R>) -> Result<()> {
        let Some(found) = &self.found else {
            return Err(unpack("it is a zip archive without a file in it".to_owned()));
        };
        let (mut entries, mut is_listed) = (0, false);
        while mark == CENTRAL {
            let header: [u8; 42] = array(&mut input)?;
            let two = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
            let name = bytes(&mut input, two(24).into())?;
            bytes(&mut input, two(26).into())?;
            bytes(&mut input, two(28).into())?;
            let crc = u32::from_le_bytes([header[12], header[13], header[14], header[15]]);
            is_listed |= name == found.name && crc == found.crc;
            entries += 1;
            mark = four(&mut input)?;
        }
        if !ENDS.contains(&mark) || entries != self.entries || !is_listed {
            return Err(corrupt("the directory of the zip archive is not of what is in it"));
        }
        let mut scratch = [0; 4 << 10];
        while input.read(&mut scratch).map_err(unwrap_io)? > 0 {}
        Ok(())
    }
}

/// A folder, or what macOS puts beside a file.
fn is_aside(name: &[u8]) -> bool {
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.ends_with(b"/") || name.starts_with(b"__MACOSX/") || last.starts_with(b"._") || last == b".DS_Store"
}

fn unpack(message: String) -> Error {
    Error::new(Code::BackupUnreadable, message).hint("Unpack it, and name the dump that is meant: `--dump FILE`.")
}

fn cut() -> Error {
    corrupt("the zip data ends too early")
}

fn array<const N: usize>(input: &mut impl Read) -> Result<[u8; N]> {
    let mut found = [0; N];
    input.read_exact(&mut found).map_err(ended)?;
    Ok(found)
}

fn four(input: &mut impl Read) -> Result<[u8; 4]> {
    array(input)
}

fn bytes(input: &mut impl Read, count: usize) -> Result<Vec<u8>> {
    let mut found = vec![0; count];
    input.read_exact(&mut found).map_err(ended)?;
    Ok(found)
}

fn ended(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof if !is_wrapped(&error) => cut(),
        _ => unwrap_io(error),
    }
}

/// What a decoder met: the system's error, ours from below, or its own.
fn of_decoder(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Interrupted => error,
        _ if is_from_below(&error) => error,
        io::ErrorKind::UnexpectedEof => wrap(cut()),
        _ => wrap(corrupt("the zip data is wrong")),
    }
}

impl<R: Read> Read for LoneZip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let count = match &mut self.body {
                Body::Ended => return Ok(0),
                Body::Between(_) => {
                    self.go_on().map_err(wrap)?;
                    continue;
                }
                Body::Deflated(decoder) => decoder.read(into).map_err(of_decoder)?,
                Body::Stored(content) => content.read(into)?,
            };
            if count == 0 {
                self.finish().map_err(wrap)?;
                continue;
            }
            self.sum.update(&into[..count]);
            self.size += count as u64;
            if !self.entry.is_aside {
                return Ok(count);
            }
            self.aside += count as u64;
            if self.aside > MOST_ASIDE {
                return Err(wrap(corrupt("what lies beside its only file is too large to be passed over")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// As a program writes it whose output is no pipe, or is one.
    fn zip(files: &[(&str, &[u8])], piped: bool) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, text) in files {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(text).unwrap();
            let packed = packer.finish().unwrap();
            let known = [crc32fast::hash(text), packed.len() as u32, text.len() as u32].map(u32::to_le_bytes).concat();
            let begin = (out.len() as u32).to_le_bytes();
            let flags: &[u8] = if piped { &[20, 0, 8, 0, 8, 0, 0, 0, 0, 0] } else { &[20, 0, 0, 0, 8, 0, 0, 0, 0, 0] };
            let sizes = if piped { vec![0; 12] } else { known.clone() };
            let length = (name.len() as u16).to_le_bytes();
            out.extend([&LOCAL[..], flags, &sizes, &length, &[0; 2], name.as_bytes(), &packed].concat());
            if piped {
                out.extend([&DESCRIPTOR[..], &known].concat());
            }
            let more = [&[0; 12][..], &begin].concat();
            directory.extend([&CENTRAL[..], &[20, 3], flags, &known, &length, &more[..], name.as_bytes()].concat());
        }
        let end = [&ENDS[0][..], &[0; 4], &[files.len() as u8, 0, files.len() as u8, 0], &[0; 10]].concat();
        [out, directory, end].concat()
    }

    fn read(packed: &[u8]) -> Result<String> {
        let mut text = String::new();
        LoneZip::new(packed).read_to_string(&mut text).map_err(unwrap_io).map(|_| text)
    }

    #[test]
    fn the_only_file_is_read_whatever_macos_put_beside_it() {
        let text = "INSERT INTO t VALUES (1);\n".repeat(20_000);
        for piped in [false, true] {
            assert_eq!(read(&zip(&[("db.sql", text.as_bytes())], piped)).unwrap(), text);
            let beside: &[(&str, &[u8])] = &[("db.sql", text.as_bytes()), ("__MACOSX/._db.sql", b"\0\x05\x16\x07")];
            assert_eq!(read(&zip(beside, piped)).unwrap(), text);
            let folder: &[(&str, &[u8])] = &[("d/", b""), ("d/db.sql", text.as_bytes())];
            assert_eq!(read(&zip(folder, piped)).unwrap(), text);
        }
    }

    #[test]
    fn several_files_and_damage_are_told() {
        let two = read(&zip(&[("a.sql", b"x"), ("b.sql", b"y")], false)).unwrap_err();
        assert_eq!(two.code, Code::BackupUnreadable);
        assert!(two.message.contains("a.sql and b.sql"), "{}", two.message);
        assert!(read(&zip(&[], false)).unwrap_err().message.contains("without a file"));
        for piped in [false, true] {
            let whole = zip(&[("a.sql", &[b'x'; 3000])], piped);
            for length in 4..whole.len() - 18 {
                assert_eq!(read(&whole[..length]).unwrap_err().code, Code::BackupCorrupt, "{length}");
            }
            let crc = if piped { whole.windows(4).position(|bytes| bytes == DESCRIPTOR).unwrap() + 4 } else { 14 };
            let mut damaged = whole.clone();
            damaged[crc] ^= 1;
            assert!(read(&damaged).unwrap_err().message.contains("checksum"));
            let listed = whole.windows(4).position(|bytes| bytes == CENTRAL).unwrap();
            let mut other = whole.clone();
            other[listed + 46] = b'z';
            assert!(read(&other).unwrap_err().message.contains("the directory"));
        }
    }
}
