//! gzip (RFC 1952): every member, every checksum, and nothing behind them but padding.

use super::inflate::{At, Inflate};
use super::seek::Recorder;
use super::{corrupt, unwrap_io, wrap};
use crate::error::{Error, Result};
use std::io::{BufRead, Read};

/// The first bytes of every member.
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Input is read in pieces of this size.
const INPUT: usize = 256 << 10;
/// Output is made in pieces of this size: large against the 32 KiB window that each call copies, small against the cache.
const OUTPUT: usize = 256 << 10;
/// Bytes of a block of the ciphers that backups are encrypted by.
const CIPHER_BLOCK: u8 = 16;
/// Longest name, comment or extra field of a member; real ones are far shorter.
const MAX_HEADER_FIELD: usize = 64 << 10;

enum State {
    Header,
    Body,
    Trailer,
    End,
}

/// Uncompressed bytes of a gzip file of any number of members. Errors are `backup_corrupt`, wrapped into
/// [`std::io::Error`] (see [`super::unwrap_io`]), and stay once they came.
pub struct GzipReader<R> {
    inner: R,
    input: Box<[u8]>,
    used: usize,
    filled: usize,
    output: Box<[u8]>,
    taken: usize,
    made: usize,
    state: State,
    inflate: Inflate,
    /// Notes where a decoder can begin.
    recorder: Option<Recorder>,
    /// It began within a member, whose checksum says nothing then.
    resumed: bool,
    plain: u64,
    checksum: crc32fast::Hasher,
    member_bytes: u32,
    members: u64,
    bytes_in: u64,
    failed: Option<Error>,
}

impl<R: Read> GzipReader<R> {
    /// Reads from `inner`, which needs no buffer of its own.
    pub fn new(inner: R) -> GzipReader<R> {
        GzipReader {
            inner,
            input: vec![0; INPUT].into_boxed_slice(),
            used: 0,
            filled: 0,
            output: vec![0; OUTPUT].into_boxed_slice(),
            taken: 0,
            made: 0,
            state: State::Header,
            inflate: Inflate::begin(),
            recorder: None,
            resumed: false,
            plain: 0,
            checksum: crc32fast::Hasher::new(),
            member_bytes: 0,
            members: 0,
            bytes_in: 0,
            failed: None,
        }
    }

    /// The same; the places where a decoder can begin go to `recorder`.
    #[must_use]
    pub fn recorded(self, recorder: Option<Recorder>) -> GzipReader<R> {
        GzipReader { recorder, ..self }
    }

    /// Reads from `inner`, which stands right behind a block of a member: a checkpoint. `unused_bits` of `last`, the byte before, belong to
    /// the next block; `window` is what came before. The checksum of this member cannot be held against anything, those of later ones are.
    ///
    /// # Errors
    /// `backup_corrupt` for what is no checkpoint.
    pub fn resume(inner: R, unused_bits: u8, last: u8, window: &[u8]) -> Result<GzipReader<R>> {
        let mut reader = GzipReader { state: State::Body, resumed: true, ..GzipReader::new(inner) };
        let refused = |_| corrupt("a checkpoint of its index makes no sense");
        reader.inflate.resume(unused_bits, last, window).map_err(refused)?;
        Ok(reader)
    }

    /// Compressed bytes taken so far.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in - (self.filled - self.used) as u64
    }

    /// Members read to their end so far: nobody but a test counts them.
    #[cfg(any(test, feature = "test-support"))]
    pub fn members(&self) -> u64 {
        self.members
    }

    /// Reads more input; false at its end. Only called when all input was used.
    fn refill(&mut self) -> Result<bool> {
        loop {
            match self.inner.read(&mut self.input) {
                Ok(count) => {
                    self.used = 0;
                    self.filled = count;
                    self.bytes_in += count as u64;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unwrap_io(error)),
            }
        }
    }

    fn next_byte(&mut self) -> Result<Option<u8>> {
        if self.used == self.filled && !self.refill()? {
            return Ok(None);
        }
        self.used += 1;
        Ok(Some(self.input[self.used - 1]))
    }

    fn header_byte(&mut self) -> Result<u8> {
        let byte = self.next_byte()?.ok_or_else(|| self.cut("in a gzip header"))?;
        self.checksum.update(&[byte]);
        Ok(byte)
    }

    fn cut(&self, place: &str) -> Error {
        corrupt(format_args!("the file ends {place}, at byte {}", self.bytes_in())).with("offset", self.bytes_in())
    }

    fn begin_member(&mut self) -> Result<()> {
        self.checksum = crc32fast::Hasher::new();
        let Some(first) = self.next_byte()? else {
            if self.members == 0 {
                return Err(corrupt("the file is empty"));
            }
            self.state = State::End;
            return Ok(());
        };
        if first == 0 && self.members > 0 {
            return self.padding();
        }
        if first < CIPHER_BLOCK && self.members > 0 {
            return self.padding_of_cipher(first);
        }
        self.checksum.update(&[first]);
        if [first, self.header_byte()?] != MAGIC {
            let place = self.bytes_in() - 2;
            return Err(if self.members == 0 {
                corrupt("it is not a gzip file")
            } else {
                corrupt(format_args!("foreign bytes follow the gzip data at byte {place}"))
            }
            .with("offset", place));
        }
        let (method, flags) = (self.header_byte()?, self.header_byte()?);
        if method != 8 || flags & 0xe0 != 0 {
            return Err(corrupt(format_args!("gzip method {method}, flags {flags:#x} are not known")));
        }
        for _ in 0..6 {
            self.header_byte()?;
        }
        if flags & 4 != 0 {
            let length = u16::from_le_bytes([self.header_byte()?, self.header_byte()?]);
            for _ in 0..length {
                self.header_byte()?;
            }
        }
        for text in [8, 16] {
            let mut length = 0;
            while flags & text != 0 && self.header_byte()? != 0 {
                length += 1;
                if length > MAX_HEADER_FIELD {
                    return Err(corrupt("a gzip header is too long"));
                }
            }
        }
        if flags & 2 != 0 {
            let expected = (self.checksum.clone().finalize() & 0xffff) as u16;
            if u16::from_le_bytes([self.header_byte()?, self.header_byte()?]) != expected {
                return Err(corrupt("a gzip header does not match its checksum"));
            }
        }
        self.checksum = crc32fast::Hasher::new();
        self.member_bytes = 0;
        self.inflate.reset();
        self.state = State::Body;
        Ok(())
    }

    /// Tapes and some tools fill the last block with zeros; anything else there is not ours.
    fn padding(&mut self) -> Result<()> {
        loop {
            let rest = &self.input[self.used..self.filled];
            if let Some(foreign) = rest.iter().position(|byte| *byte != 0) {
                let place = self.bytes_in() + foreign as u64;
                return Err(
                    corrupt(format_args!("foreign bytes follow the gzip data at byte {place}")).with("offset", place)
                );
            }
            self.used = self.filled;
            if !self.refill()? {
                self.state = State::End;
                return Ok(());
            }
        }
    }

    /// Block ciphers fill the last block with up to 15 bytes which all say how many there are.
    fn padding_of_cipher(&mut self, length: u8) -> Result<()> {
        let place = self.bytes_in() - 1;
        for at in 1..=length {
            if self.next_byte()? != (at < length).then_some(length) {
                return Err(
                    corrupt(format_args!("foreign bytes follow the gzip data at byte {place}")).with("offset", place)
                );
            }
        }
        self.state = State::End;
        Ok(())
    }

    fn inflate_some(&mut self) -> Result<()> {
        if self.used == self.filled && !self.refill()? {
            return Err(self.cut("inside the compressed data"));
        }
        let due = self.recorder.as_ref().is_some_and(|recorder| recorder.is_due(self.bytes_in()));
        let input = &self.input[self.used..self.filled];
        let step = self.inflate.decompress(input, &mut self.output, due).map_err(|_| {
            corrupt(format_args!("the compressed data is wrong near byte {}", self.bytes_in()))
                .with("offset", self.bytes_in())
        })?;
        self.used += step.taken;
        self.taken = 0;
        self.made = step.made;
        self.plain += step.made as u64;
        self.checksum.update(&self.output[..step.made]);
        self.member_bytes = self.member_bytes.wrapping_add(step.made as u32);
        match step.at {
            At::End => self.state = State::Trailer,
            At::Block { unused_bits } if due => {
                if let Some(recorder) = &self.recorder {
                    recorder.checkpoint(self.plain, self.bytes_in(), unused_bits, &self.inflate.window());
                }
            }
            _ if step.taken == 0 && step.made == 0 && self.used < self.filled => {
                return Err(corrupt("the compressed data does not go on"));
            }
            _ => {}
        }
        Ok(())
    }

    fn end_member(&mut self) -> Result<()> {
        let mut trailer = [0; 8];
        for byte in &mut trailer {
            *byte = self.next_byte()?.ok_or_else(|| self.cut("in the last checksum"))?;
        }
        let number = |at: usize| u32::from_le_bytes([trailer[at], trailer[at + 1], trailer[at + 2], trailer[at + 3]]);
        let whole = !std::mem::take(&mut self.resumed);
        if whole && (number(0) != self.checksum.clone().finalize() || number(4) != self.member_bytes) {
            return Err(corrupt(format_args!("the checksum before byte {} does not match", self.bytes_in()))
                .with("offset", self.bytes_in()));
        }
        self.members += 1;
        self.state = State::Header;
        Ok(())
    }

    fn fill(&mut self) -> Result<()> {
        while self.taken == self.made {
            match self.state {
                State::Header => self.begin_member()?,
                State::Body => self.inflate_some()?,
                State::Trailer => self.end_member()?,
                State::End => break,
            }
        }
        Ok(())
    }
}

impl<R: Read> BufRead for GzipReader<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if let Some(error) = &self.failed {
            return Err(wrap(error.clone()));
        }
        if let Err(error) = self.fill() {
            self.failed = Some(error.clone());
            return Err(wrap(error));
        }
        Ok(&self.output[self.taken..self.made])
    }

    fn consume(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.made);
    }
}

impl<R: Read> Read for GzipReader<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(into.len());
        into[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use flate2::{Compression, GzBuilder};
    use std::io::Write;

    fn pack(content: &[u8]) -> Vec<u8> {
        let mut writer = GzBuilder::new().filename("a.tar").write(Vec::new(), Compression::fast());
        writer.write_all(content).unwrap();
        writer.finish().unwrap()
    }

    fn unpack(packed: &[u8]) -> Result<Vec<u8>> {
        let mut plain = Vec::new();
        GzipReader::new(packed).read_to_end(&mut plain).map_err(unwrap_io)?;
        Ok(plain)
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8 ^ (at / 1000) as u8).collect()
    }

    #[test]
    fn all_members_are_read_and_zero_padding_is_accepted() {
        let (one, two) = (text(700_000), text(3));
        let mut file = [pack(&one), pack(b""), pack(&two)].concat();
        file.extend_from_slice(&[0; 5000]);
        let mut reader = GzipReader::new(file.as_slice());
        let mut plain = Vec::new();
        reader.read_to_end(&mut plain).unwrap();
        assert_eq!(plain, [one, two].concat());
        assert_eq!(reader.members(), 3);
        assert_eq!(reader.bytes_in(), file.len() as u64);
    }

    #[test]
    fn the_padding_of_a_block_cipher_is_accepted() {
        for length in 1..16 {
            let file = [&pack(b"hello")[..], &vec![length; usize::from(length)]].concat();
            assert_eq!(unpack(&file).unwrap(), b"hello", "{length}");
        }
    }

    #[test]
    fn garbage_after_the_data_is_damage() {
        for garbage in [&b"x"[..], b"\0\0x", b"\x1f\x8c", b"\x1f", b"\x02", b"\x02\x02\x02", b"\x02\x03", &[16; 16]] {
            let file = [&pack(b"hello"), garbage].concat();
            assert_eq!(unpack(&file).unwrap_err().code, Code::BackupCorrupt, "{garbage:?}");
        }
        assert_eq!(unpack(b"plain text").unwrap_err().code, Code::BackupCorrupt);
        assert_eq!(unpack(b"").unwrap_err().code, Code::BackupCorrupt);
    }

    #[test]
    fn a_file_cut_anywhere_is_damage() {
        let file = pack(&text(40_000));
        for end in 0..file.len() {
            assert_eq!(unpack(&file[..end]).unwrap_err().code, Code::BackupCorrupt, "cut at {end}");
        }
    }

    #[test]
    fn a_flipped_bit_in_data_or_checksum_is_damage() {
        let content = text(5_000);
        let file = pack(&content);
        let header = 10 + "a.tar\0".len();
        for at in header..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1 << (at % 8);
            assert_eq!(unpack(&bad).unwrap_err().code, Code::BackupCorrupt, "byte {at}");
        }
    }

    #[test]
    fn an_error_stays() {
        let file = pack(&text(10));
        let mut reader = GzipReader::new(&file[..file.len() - 1]);
        let mut plain = [0; 100];
        assert_eq!(reader.read(&mut plain).unwrap(), 10);
        assert!(reader.read(&mut plain).is_err());
        assert!(reader.read(&mut plain).is_err());
    }
}
