//! lz4 (LZ4 Frame Format 1.6.4): frames one after another, those that are to be skipped and those of the first form too, which `lz4 -l`
//! writes. lz4_flex unpacks the blocks. The frames are read here, because its own reader of them takes a cut between two blocks for their end.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use xxhash_rust::xxh32::{Xxh32, xxh32};

/// What a frame begins with.
pub const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// What a frame of the first form begins with.
pub const LEGACY_MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];
/// Input is read in pieces of this size.
const INPUT: usize = 128 << 10;
/// A block may look back as far into those before it.
const WINDOW: usize = 64 << 10;
/// Every block of the first form but the last has this size.
const LEGACY_BLOCK: usize = 8 << 20;
/// The size of a block that is stored as it is has this bit.
const STORED: u32 = 1 << 31;

/// Uncompressed bytes of a file of any number of frames. One that ends within a frame is `UnexpectedEof`; of the first form, which has no
/// end mark, only within a block. Memory: two blocks, of 8 MiB at most.
pub struct Lz4Reader<R> {
    source: BufReader<R>,
    frame: Option<Frame>,
    packed: Vec<u8>,
    plain: Vec<u8>,
    /// Bytes of `plain` that were unpacked, and those of them that were handed out.
    filled: usize,
    given: usize,
    /// The last bytes before this block, where blocks look back.
    window: Vec<u8>,
}

/// The frame that is being read.
struct Frame {
    form: Form,
    /// Most bytes of a block, unpacked.
    most: usize,
    /// Bytes unpacked so far.
    length: u64,
}

enum Form {
    Legacy,
    Described(Description),
}

struct Description {
    linked: bool,
    block_sums: bool,
    size: Option<u64>,
    sum: Option<Xxh32>,
}

impl<R: Read> Lz4Reader<R> {
    /// Reads from `inner`, which needs no buffer of its own.
    pub fn new(inner: R) -> Lz4Reader<R> {
        Lz4Reader {
            source: BufReader::with_capacity(INPUT, inner),
            frame: None,
            packed: Vec::new(),
            plain: Vec::new(),
            filled: 0,
            given: 0,
            window: Vec::new(),
        }
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.source.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Begins the next frame; false where there is none.
    fn begin(&mut self) -> io::Result<bool> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut magic = [0; 4];
        self.source.read_exact(&mut magic)?;
        self.begin_by(magic)?;
        Ok(true)
    }

    fn begin_by(&mut self, magic: [u8; 4]) -> io::Result<()> {
        self.window.clear();
        self.frame = match magic {
            MAGIC => Some(self.described()?),
            LEGACY_MAGIC => Some(Frame { form: Form::Legacy, most: LEGACY_BLOCK, length: 0 }),
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                let length = u64::from(self.number()?);
                if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? != length {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                None
            }
            _ => return Err(wrong("what follows a frame is none")),
        };
        if let Some(frame) = &self.frame
            && self.plain.len() < frame.most
        {
            self.plain.resize(frame.most, 0);
        }
        Ok(())
    }

    /// The description of a frame, behind its magic number.
    fn described(&mut self) -> io::Result<Frame> {
        let mut head = vec![0; 2];
        self.source.read_exact(&mut head)?;
        let (flags, block) = (head[0], head[1]);
        if flags >> 6 != 1 || flags & 0b10 != 0 || block & 0b1000_1111 != 0 {
            return Err(wrong("a frame is of a form that nobody described"));
        }
        let more = if flags & 0b1000 != 0 { 8 } else { 0 } + if flags & 1 != 0 { 4 } else { 0 };
        head.resize(2 + more, 0);
        self.source.read_exact(&mut head[2..])?;
        let mut sum = [0];
        self.source.read_exact(&mut sum)?;
        if (xxh32(&head, 0) >> 8) as u8 != sum[0] {
            return Err(wrong("the head of a frame does not match its checksum"));
        }
        if flags & 1 != 0 {
            return Err(wrong("a frame needs a dictionary, which is not in it"));
        }
        let most = match block >> 4 {
            size @ 4..=7 => 1 << (2 * size + 8),
            _ => return Err(wrong("a frame has blocks of no known size")),
        };
        let size = head.get(2..10).and_then(|size| size.try_into().ok()).map(u64::from_le_bytes);
        let described = Description {
            linked: flags & 0b10_0000 == 0,
            block_sums: flags & 0b1_0000 != 0,
            size,
            sum: (flags & 0b100 != 0).then(|| Xxh32::new(0)),
        };
        Ok(Frame { form: Form::Described(described), most, length: 0 })
    }

    /// Unpacks the next block; false at the end of the file.
    fn advance(&mut self) -> io::Result<bool> {
        (self.filled, self.given) = (0, 0);
        while self.filled == 0 {
            match self.frame.take() {
                None if !self.begin()? => return Ok(false),
                None => {}
                Some(frame) => self.frame = self.block(frame)?.or(self.frame.take()),
            }
        }
        Ok(true)
    }

    /// The next block of a frame; gives the frame back while it goes on.
    fn block(&mut self, mut frame: Frame) -> io::Result<Option<Frame>> {
        let Frame { form, most, length } = &mut frame;
        match form {
            Form::Legacy => {
                // It goes on to the end of the file, or to where another frame begins.
                if self.source.fill_buf()?.is_empty() {
                    return Ok(None);
                }
                let size = self.number()?;
                let magic = size.to_le_bytes();
                if matches!(magic, MAGIC | LEGACY_MAGIC | [0x50..=0x5f, 0x2a, 0x4d, 0x18]) {
                    self.begin_by(magic)?;
                    return Ok(None);
                }
                if *length % LEGACY_BLOCK as u64 != 0 {
                    return Err(wrong("a block behind the last one of a frame"));
                }
                self.take(size, *most + *most / 255 + 16)?;
                self.filled = unpack(&self.packed, &mut self.plain[..*most], &[])?;
                *length += self.filled as u64;
            }
            Form::Described(described) => {
                let size = self.number()?;
                if size == 0 {
                    self.end(described, *length)?;
                    return Ok(None);
                }
                self.take(size & !STORED, *most)?;
                if described.block_sums && self.number()? != xxh32(&self.packed, 0) {
                    return Err(wrong("a block does not match its checksum"));
                }
                self.filled = if size & STORED != 0 {
                    self.plain[..self.packed.len()].copy_from_slice(&self.packed);
                    self.packed.len()
                } else {
                    unpack(&self.packed, &mut self.plain[..*most], &self.window)?
                };
                let plain = &self.plain[..self.filled];
                *length += plain.len() as u64;
                if described.size.is_some_and(|size| *length > size) {
                    return Err(wrong("a frame is longer than its head says"));
                }
                if let Some(sum) = &mut described.sum {
                    sum.update(plain);
                }
                if described.linked {
                    self.window.extend_from_slice(&plain[plain.len().saturating_sub(WINDOW)..]);
                    self.window.drain(..self.window.len().saturating_sub(WINDOW));
                }
            }
        }
        Ok(Some(frame))
    }

    /// Reads the stored bytes of a block.
    fn take(&mut self, size: u32, most: usize) -> io::Result<()> {
        let size = size as usize;
        if size > most {
            return Err(wrong("a block is larger than its frame allows"));
        }
        self.packed.resize(size, 0);
        self.source.read_exact(&mut self.packed)
    }

    /// Behind the end mark of a frame.
    fn end(&mut self, described: &Description, length: u64) -> io::Result<()> {
        if described.size.is_some_and(|size| size != length) {
            return Err(wrong("a frame is shorter than its head says"));
        }
        let Some(sum) = &described.sum else { return Ok(()) };
        if self.number()? != sum.digest() {
            return Err(wrong("a frame does not match its checksum"));
        }
        Ok(())
    }
}

fn unpack(packed: &[u8], plain: &mut [u8], window: &[u8]) -> io::Result<usize> {
    lz4_flex::block::decompress_into_with_dict(packed, plain, window)
        .map_err(|error| wrong(format!("a block cannot be unpacked: {error}")))
}

fn wrong(why: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.into())
}

impl<R: Read> Read for Lz4Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || (self.given == self.filled && !self.advance()?) {
            return Ok(0);
        }
        let count = (self.filled - self.given).min(into.len());
        into[..count].copy_from_slice(&self.plain[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// As the program itself packs it.
    fn packed(options: &[&str], text: &[u8]) -> Vec<u8> {
        let mut child = Command::new("lz4")
            .args(["-q", "-c"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let text = text.to_vec();
        let writer = std::thread::spawn(move || input.write_all(&text).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        Lz4Reader::new(packed).read_to_end(&mut plain)?;
        Ok(plain)
    }

    fn text() -> Vec<u8> {
        (0..60_000_u32).flat_map(|at| (at % 997 * (at / 7000)).to_le_bytes()).collect()
    }

    #[test]
    fn frames_of_every_form_are_read() {
        let text = text();
        let noise: Vec<u8> = (0..100_000_u64).map(|at| (xxhash_rust::xxh3::xxh3_64(&at.to_le_bytes())) as u8).collect();
        for options in [
            &["-B4"][..],
            &["-B4D", "-BX"],
            &["-B5", "--content-size", "-9"],
            &["-B7D", "--no-frame-crc"],
            &["-l"],
            &["--sparse", "-B4"],
        ] {
            for plain in [&text[..], &noise, b"", b"x"] {
                assert!(unpacked(&packed(options, plain)).unwrap() == plain, "{options:?} {}", plain.len());
            }
        }
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"pad"].concat();
        let old = |text: &[u8]| packed(&["-l"], text);
        let new = |text: &[u8]| packed(&[], text);
        let file =
            [new(b"one "), skipped.clone(), old(b"two "), old(b"three "), skipped, new(b""), new(b"four")].concat();
        assert_eq!(unpacked(&file).unwrap(), b"one two three four");
        assert!(unpacked(&[new(b"one"), b"foreign".to_vec()].concat()).is_err());
        let large = vec![7; LEGACY_BLOCK + 5];
        assert!(unpacked(&old(&large)).unwrap() == large);
    }

    #[test]
    fn a_cut_anywhere_is_seen_and_no_flipped_bit_changes_the_text() {
        let text = [b"some text ".repeat(20), text()[..3000].to_vec()].concat();
        for options in [&["-B4", "-BX", "--content-size"][..], &["-B4D"]] {
            let whole = packed(options, &text);
            for end in 1..whole.len() {
                let cut = unpacked(&whole[..end]).unwrap_err();
                assert_eq!(cut.kind(), ErrorKind::UnexpectedEof, "{options:?} cut at {end}: {cut}");
            }
            for bit in 32..whole.len() * 8 {
                let mut flipped = whole.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                // A match of another distance may have the same bytes.
                assert!(unpacked(&flipped).map_or(true, |plain| plain == text), "{options:?} bit {bit}");
            }
        }
    }

    #[test]
    fn what_a_head_or_a_block_may_not_say_is_refused() {
        let head = |flags: u8, block: u8, more: &[u8]| {
            let head = [&[flags, block], more].concat();
            [&MAGIC[..], &head, &[(xxh32(&head, 0) >> 8) as u8]].concat()
        };
        let size = |size: u64| size.to_le_bytes();
        let stored = |text: &[u8]| [&(text.len() as u32 | STORED).to_le_bytes(), text].concat();
        for (wrong, why) in [
            (head(0x61, 0x40, &[1, 0, 0, 0]), "dictionary"),
            (head(0x62, 0x40, &[]), "nobody described"),
            (head(0xa0, 0x40, &[]), "nobody described"),
            (head(0x60, 0x41, &[]), "nobody described"),
            (head(0x60, 0x30, &[]), "no known size"),
            ([head(0x68, 0x40, &size(5)), stored(b"text"), vec![0; 4]].concat(), "shorter"),
            ([head(0x68, 0x40, &size(3)), stored(b"text"), vec![0; 4]].concat(), "longer"),
            ([head(0x60, 0x40, &[]), stored(&[1; 65_537])].concat(), "larger"),
            ([head(0x60, 0x40, &[]), vec![1, 0, 0, 0, 0xf0]].concat(), "cannot be unpacked"),
            // A block that looks back before the frame's beginning.
            ([head(0x40, 0x40, &[]), vec![4, 0, 0, 0, 0x10, b'x', 9, 0]].concat(), "cannot be unpacked"),
        ] {
            let refused = unpacked(&wrong).unwrap_err();
            assert!(refused.to_string().contains(why), "{why}: {refused}");
        }
        assert_eq!(unpacked(&[head(0x60, 0x40, &[]), stored(b"text"), vec![0; 4]].concat()).unwrap(), b"text");
    }
}
