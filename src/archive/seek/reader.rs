//! Unpacked bytes from anywhere, each piece held against its sum before it is handed out.

use super::{Checkpoint, Map};
use crate::archive::inflate::WINDOW;
use crate::archive::zip::{ReadAt, exact};
use crate::archive::{Codec, GzipReader, corrupt, unwrap_io, wrap};
use crate::error::{Code, Error, Result};
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Unpacked bytes that are read through and not handed out, at a time.
const SCRATCH: usize = 64 << 10;
/// A file that is not compressed is read in pieces of this size.
const INPUT: usize = 128 << 10;

/// A compressed file, read from anywhere.
pub struct SeekReader {
    packed: Arc<dyn ReadAt + Send + Sync>,
    codec: Codec,
    map: Arc<Map>,
    windows: Arc<dyn ReadAt + Send + Sync>,
    decoder: Option<Decoder>,
    /// Offset of the next byte to be handed out.
    at: u64,
    /// The piece in `bytes`.
    held: Option<usize>,
    bytes: Vec<u8>,
}

struct Decoder {
    inner: Box<dyn Read>,
    /// Unpacked bytes before it.
    at: u64,
}

impl SeekReader {
    /// Reads `packed`, of which `map` says where to begin; `windows` has the windows of its checkpoints. Only what
    /// [`Codec::seeks`] says can be read so.
    pub fn new(
        packed: Arc<dyn ReadAt + Send + Sync>,
        codec: Codec,
        map: Arc<Map>,
        windows: Arc<dyn ReadAt + Send + Sync>,
    ) -> SeekReader {
        SeekReader { packed, codec, map, windows, decoder: None, at: 0, held: None, bytes: Vec::new() }
    }

    /// The next byte that is read is the one at this offset of the unpacked bytes.
    pub fn jump(&mut self, plain: u64) {
        self.at = plain;
    }

    fn load(&mut self, number: usize, (begin, end): (u64, u64)) -> Result<()> {
        self.held = None;
        let (map, nearest) = (Arc::clone(&self.map), self.map.before(begin).copied());
        let nearer = nearest.map_or(0, |point| point.plain);
        let kept = self.decoder.take().filter(|decoder| decoder.at <= begin && decoder.at >= nearer);
        let mut decoder = match kept {
            Some(decoder) => decoder,
            None => self.begin(nearest, begin)?,
        };
        while decoder.at < begin {
            self.bytes.resize(SCRATCH.min((begin - decoder.at) as usize), 0);
            decoder.inner.read_exact(&mut self.bytes).map_err(unwrap_io)?;
            decoder.at += self.bytes.len() as u64;
        }
        self.bytes.resize((end - begin) as usize, 0);
        decoder.inner.read_exact(&mut self.bytes).map_err(unwrap_io)?;
        decoder.at = end;
        if map.sums.get(number) != Some(&xxh3_64(&self.bytes)) {
            return Err(other(begin, end));
        }
        self.decoder = Some(decoder);
        self.held = Some(number);
        Ok(())
    }

    fn begin(&self, nearest: Option<Checkpoint>, begin: u64) -> Result<Decoder> {
        let from = |at: u64| Tail { packed: Arc::clone(&self.packed), at };
        match (self.codec, nearest) {
            (Codec::Gzip, Some(point)) => {
                let mut small = vec![0; point.window.1 as usize];
                exact(self.windows.as_ref(), &mut small, point.window.0)?;
                let window = zstd::bulk::decompress(&small, WINDOW)
                    .map_err(|error| corrupt(format_args!("a window of its index is damaged: {error}")))?;
                let mut last = [0];
                if point.unused_bits > 0 {
                    exact(self.packed.as_ref(), &mut last, point.packed - 1)?;
                }
                let reader = GzipReader::resume(from(point.packed), point.unused_bits, last[0], &window)?;
                Ok(Decoder { inner: Box::new(reader), at: point.plain })
            }
            (Codec::Gzip, None) => Ok(Decoder { inner: Box::new(GzipReader::new(from(0))), at: 0 }),
            (Codec::None, _) => {
                Ok(Decoder { inner: Box::new(BufReader::with_capacity(INPUT, from(begin))), at: begin })
            }
            (Codec::Zstd, nearest) => {
                let (at, packed) = nearest.map_or((0, 0), |point| (point.plain, point.packed));
                Ok(Decoder { inner: Codec::Zstd.reader(from(packed))?, at })
            }
            (codec, _) => Err(Error::new(Code::Internal, format!("{} is not read from the middle", codec.name()))),
        }
    }
}

/// What comes out of the file is not what came out of it first.
fn other(begin: u64, end: u64) -> Error {
    corrupt(format_args!("its unpacked bytes {begin} to {end} are not those of its first reading"))
        .hint("The file was changed or its disk has lost bytes: `rocketvps-restore verify` reads it whole.")
        .with("offset", begin)
}

impl Read for SeekReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let number = (self.at / super::PIECE) as usize;
        let Some((begin, end)) = self.map.piece(number).filter(|(_, end)| self.at < *end) else { return Ok(0) };
        if self.held != Some(number) {
            self.load(number, (begin, end)).map_err(wrap)?;
        }
        let rest = &self.bytes[(self.at - begin) as usize..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

/// A file from an offset to its end.
struct Tail {
    packed: Arc<dyn ReadAt + Send + Sync>,
    at: u64,
}

impl Read for Tail {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.packed.read_at(into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
