//! Compressed streams of one file: which one it is, by its first bytes, and its bytes again. Every frame, member and stream of it is
//! read; what is wrong in them is damage, and said as such.

use super::GzipReader;
use super::frames::ZstdReader;
use super::gzip;
use super::lone_zip::LoneZip;
use super::lz4::{self, Lz4Reader};
use super::seek::{Recorder, Summed};
use super::{corrupt, is_wrapped, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use std::io::{BufReader, Read};

/// Largest window of zstd, as a power of two: what `zstd -d` takes without being told more. A larger one would take gigabytes of memory.
const ZSTD_WINDOW_LOG: u32 = 27;
/// Most memory of xz, in KiB: `xz -9` needs 65 MiB.
const XZ_MEMORY_KIB: u32 = 128 << 10;
/// Input is read in pieces of this size.
const INPUT: usize = 128 << 10;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    None,
    /// gzip, of any number of members.
    Gzip,
    /// Zstandard, of any number of frames.
    Zstd,
    /// xz, of any number of streams.
    Xz,
    /// bzip2, of any number of streams.
    Bzip2,
    /// lz4, of any number of frames.
    Lz4,
}

impl Codec {
    /// First bytes that tell it.
    pub const START: usize = 6;

    /// By the first bytes of a file.
    pub fn of(start: &[u8]) -> Codec {
        match start {
            _ if start.starts_with(&gzip::MAGIC) => Codec::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Codec::Zstd,
            // A frame to be skipped (RFC 8878, 3.1.2): pzstd begins with one.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Codec::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Codec::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Codec::Bzip2,
            _ if start.starts_with(&lz4::MAGIC) || start.starts_with(&lz4::LEGACY_MAGIC) => Codec::Lz4,
            _ => Codec::None,
        }
    }

    /// Its name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "plain",
            Codec::Gzip => "gzip",
            Codec::Zstd => "zstd",
            Codec::Xz => "xz",
            Codec::Bzip2 => "bzip2",
            Codec::Lz4 => "lz4",
        }
    }

    /// Whether a file that is compressed so can be read from the middle.
    pub fn seeks(self) -> bool {
        matches!(self, Codec::None | Codec::Gzip | Codec::Zstd)
    }

    /// As [`Codec::reader`]; what reading the file from the middle takes goes to `recorder`.
    ///
    /// # Errors
    /// As [`Codec::reader`].
    pub fn recorded<'a>(self, packed: impl Read + 'a, recorder: Option<Recorder>) -> Result<Box<dyn Read + 'a>> {
        let recorder = recorder.filter(|_| self.seeks());
        let plain = self.decoder(packed, recorder.clone())?;
        Ok(match recorder {
            Some(recorder) => Box::new(Summed::new(plain, recorder)),
            None => plain,
        })
    }

    /// The bytes of a file that is compressed so.
    ///
    /// # Errors
    /// `internal` when the decoder cannot be made.
    pub fn reader<'a>(self, packed: impl Read + 'a) -> Result<Box<dyn Read + 'a>> {
        self.decoder(packed, None)
    }

    /// Checkpoints go to `recorder`.
    fn decoder<'a>(self, packed: impl Read + 'a, recorder: Option<Recorder>) -> Result<Box<dyn Read + 'a>> {
        let named = |inner: Box<dyn Read + 'a>| Named { inner, codec: self };
        Ok(match self {
            Codec::None => Box::new(packed),
            Codec::Gzip => Box::new(GzipReader::new(packed).recorded(recorder)),
            Codec::Zstd => {
                let unready = |error| Error::new(Code::Internal, format!("zstd cannot begin: {error}"));
                Box::new(named(Box::new(ZstdReader::new(packed, ZSTD_WINDOW_LOG, recorder).map_err(unready)?)))
            }
            Codec::Xz => {
                let input = BufReader::with_capacity(INPUT, packed);
                Box::new(named(Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB))))
            }
            Codec::Bzip2 => Box::new(named(Box::new(bzip2::read::MultiBzDecoder::new(packed)))),
            Codec::Lz4 => Box::new(named(Box::new(Lz4Reader::new(packed)))),
        })
    }
}

/// The bytes of the only file in a zip archive.
pub(crate) fn of_zip<'a>(packed: impl Read + 'a) -> Box<dyn Read + 'a> {
    Box::new(LoneZip::new(packed))
}

/// A decoder whose errors are told from those of the file it reads.
struct Named<'a> {
    inner: Box<dyn Read + 'a>,
    codec: Codec,
}

impl Named<'_> {
    fn error(&self, error: std::io::Error) -> std::io::Error {
        if error.kind() == std::io::ErrorKind::Interrupted || error.raw_os_error().is_some() {
            return error;
        }
        let name = self.codec.name();
        if error.kind() == std::io::ErrorKind::UnexpectedEof && !is_wrapped(&error) {
            return wrap(corrupt(format_args!("the {name} data ends too early")));
        }
        if is_wrapped(&error) {
            return error;
        }
        let text = error.to_string();
        if text.contains("requires too much memory") || text.contains("mem_limit") {
            let most = match self.codec {
                Codec::Zstd => format!("a window of over {} MiB", (1_u64 << ZSTD_WINDOW_LOG) >> 20),
                _ => format!("over {} MiB of memory", XZ_MEMORY_KIB >> 10),
            };
            let message = format!("it was packed by {name} with {most}: unpacking it would take that memory");
            let hint = format!("Pack it anew: `{name} -dc{} FILE | {name} > NEW`.", self.long());
            return wrap(Error::new(Code::LimitExceeded, message).hint(hint));
        }
        wrap(corrupt(format_args!("the {name} data is wrong: {text}")))
    }

    fn long(&self) -> &'static str {
        if self.codec == Codec::Zstd { " --long=31" } else { "" }
    }
}

impl Read for Named<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.inner.read(into) {
            Ok(count) => Ok(count),
            Err(error) => Err(self.error(error)),
        }
    }
}

/// A stream whose first bytes were looked at.
pub(crate) type Begun<R> = std::io::Chain<std::io::Cursor<Vec<u8>>, R>;

/// The first bytes of a stream, and the stream with them again.
///
/// # Errors
/// `io_failed`.
pub(crate) fn begin<R: Read>(mut stream: R, count: usize) -> Result<(Vec<u8>, Begun<R>)> {
    let mut start = Vec::with_capacity(count);
    (&mut stream).take(count as u64).read_to_end(&mut start).map_err(unwrap_io)?;
    Ok((start.clone(), std::io::Cursor::new(start).chain(stream)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn unpacked(packed: &[u8]) -> Result<Vec<u8>> {
        let mut plain = Vec::new();
        Codec::of(packed).reader(packed)?.read_to_end(&mut plain).map_err(unwrap_io)?;
        Ok(plain)
    }

    fn bzip2(text: &[u8]) -> Vec<u8> {
        let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    /// A frame of one block that is stored as it is, with a checksum.
    fn lz4(text: &[u8]) -> Vec<u8> {
        let (length, sum) = (text.len() as u32 | 1 << 31, xxhash_rust::xxh32::xxh32(text, 0));
        [&lz4::MAGIC[..], b"\x64\x40\xa7", &length.to_le_bytes(), text, &[0; 4], &sum.to_le_bytes()].concat()
    }

    #[test]
    fn every_frame_and_stream_is_read_and_a_cut_is_damage() {
        let zstd = |text: &[u8]| zstd::encode_all(text, 3).unwrap();
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"pad"].concat();
        for (codec, glued) in [
            (Codec::Zstd, [skipped, zstd(b"one "), zstd(b"two")].concat()),
            (Codec::Bzip2, [bzip2(b"one "), bzip2(b"two")].concat()),
            (Codec::Lz4, [lz4(b"one "), lz4(b"two")].concat()),
        ] {
            assert_eq!(Codec::of(&glued), codec);
            assert_eq!(unpacked(&glued).unwrap(), b"one two");
            let cut = unpacked(&glued[..glued.len() - 2]).unwrap_err();
            assert_eq!(cut.code, Code::BackupCorrupt, "{cut}");
            assert!(cut.message.contains(codec.name()), "{cut}");
        }
    }

    #[test]
    fn a_window_that_would_take_gigabytes_is_refused_with_the_way_out() {
        let mut packer = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        packer.window_log(30).unwrap();
        packer.long_distance_matching(true).unwrap();
        packer.include_contentsize(false).unwrap();
        packer.write_all(b"text").unwrap();
        let refused = unpacked(&packer.finish().unwrap()).unwrap_err();
        assert_eq!(refused.code, Code::LimitExceeded, "{refused}");
        assert!(refused.hint.contains("--long=31"), "{}", refused.hint);
    }
}
