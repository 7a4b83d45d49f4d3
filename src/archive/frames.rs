//! Zstandard (RFC 8878): every frame, also those that are to be skipped. Between two frames a decoder can begin anew, which pzstd's files
//! have many of.

use super::seek::Recorder;
use std::io::{self, Read};
use zstd::stream::raw::{DParameter, Decoder, Operation};

/// Input is read in pieces of this size.
const INPUT: usize = 128 << 10;

/// Uncompressed bytes of a file of any number of frames. Its errors are the library's; one that ends within a frame is `UnexpectedEof`.
pub struct ZstdReader<R> {
    inner: R,
    decoder: Decoder<'static>,
    input: Box<[u8]>,
    used: usize,
    filled: usize,
    /// Bytes of the file before `input`.
    before: u64,
    plain: u64,
    /// The last frame was read to its end.
    between: bool,
    recorder: Option<Recorder>,
}

impl<R: Read> ZstdReader<R> {
    /// Reads from `inner`, which needs no buffer of its own; windows have at most `2^window_log` bytes.
    ///
    /// # Errors
    /// When the library has no memory.
    pub fn new(inner: R, window_log: u32, recorder: Option<Recorder>) -> io::Result<ZstdReader<R>> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window_log))?;
        let input = vec![0; INPUT].into_boxed_slice();
        Ok(ZstdReader { inner, decoder, input, used: 0, filled: 0, before: 0, plain: 0, between: true, recorder })
    }

    /// Reads more input; false at its end. Only called when all input was used.
    fn refill(&mut self) -> io::Result<bool> {
        self.before += self.filled as u64;
        (self.used, self.filled) = (0, 0);
        self.filled = self.inner.read(&mut self.input)?;
        Ok(self.filled > 0)
    }
}

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut ended = false;
        while !into.is_empty() {
            if self.used == self.filled && !ended {
                ended = !self.refill()?;
            }
            if ended && self.between {
                return Ok(0);
            }
            if self.between {
                let packed = self.before + self.used as u64;
                if let Some(recorder) = self.recorder.as_ref().filter(|recorder| recorder.is_due(packed)) {
                    recorder.checkpoint(self.plain, packed, 0, &[]);
                }
                self.decoder.reinit()?;
                self.between = false;
            }
            // What is left in the decoder comes out without input, too.
            let status = self.decoder.run_on_buffers(&self.input[self.used..self.filled], into)?;
            self.used += status.bytes_read;
            self.plain += status.bytes_written as u64;
            self.between = status.remaining == 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if ended && !self.between {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(packed: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        struct Pieces<'a>(&'a [u8], usize);
        impl Read for Pieces<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let most = into.len().min(self.1);
                self.0.read(&mut into[..most])
            }
        }
        let mut plain = Vec::new();
        let mut buffer = vec![0; piece];
        let mut reader = ZstdReader::new(Pieces(packed, piece), 27, None)?;
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(plain),
                count => plain.extend_from_slice(&buffer[..count]),
            }
        }
    }

    #[test]
    fn frames_empty_frames_and_skipped_ones_in_whatever_pieces() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(|at| (at % 997).to_le_bytes()).collect();
        let frame = |text: &[u8]| zstd::encode_all(text, 3).unwrap();
        let skipped = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"pad"].concat();
        let file =
            [skipped.clone(), frame(&text), frame(b""), skipped.clone(), frame(b"end"), frame(b""), skipped].concat();
        let whole = [&text[..], b"end"].concat();
        for piece in [1, 7, 4096, 1 << 20] {
            assert!(unpacked(&file, piece).unwrap() == whole, "{piece}");
        }
        assert_eq!(unpacked(b"", 10).unwrap(), b"");
        for cut in [1, 5, 9, 20, 1000, file.len() - 1] {
            assert!(unpacked(&file[..cut], 4096).is_err(), "cut at {cut}");
        }
        assert!(unpacked(&[frame(b"one"), b"foreign".to_vec()].concat(), 4096).is_err());
    }
}
