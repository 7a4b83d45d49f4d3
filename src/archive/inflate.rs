//! Raw deflate (RFC 1951) with what an index of checkpoints needs of a decoder: it can stop between two blocks, tell its window, and begin
//! in the middle of a stream. `zlib`'s interface has these (`zlib.h`: `Z_BLOCK`, `inflateGetDictionary`, `inflatePrime`), and zlib-rs
//! has them there only.

use libz_rs_sys as zlib;
use std::ffi::c_int;

/// Longest distance back into the bytes that were made (RFC 1951, 3.2.5).
pub const WINDOW: usize = 32 << 10;
/// Raw deflate of the largest window.
const RAW: c_int = -15;
/// In `data_type` after a call: it stopped behind the end of a block.
const AT_BLOCK: c_int = 128;
/// The block being read is the last one.
const IN_LAST: c_int = 64;
/// Bits of the last byte that was taken which are not used yet.
const UNUSED_BITS: c_int = 7;

/// What a call of [`Inflate::decompress`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of input taken.
    pub taken: usize,
    /// Bytes of output made.
    pub made: usize,
    /// Where it stands.
    pub at: At,
}

/// Where a decoder stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Somewhere.
    Within,
    /// Between two blocks; so many bits of the last byte that was taken belong to the next one.
    Block {
        /// From 0 to 7.
        unused_bits: u8,
    },
    /// Behind the last block.
    End,
}

/// The data is no deflate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong;

/// A decoder.
pub struct Inflate {
    stream: Box<zlib::z_stream>,
}

// SAFETY: the stream's state belongs to it alone, and input and output are borrowed for one call only.
unsafe impl Send for Inflate {}

impl Inflate {
    /// One at the beginning of a stream.
    pub fn begin() -> Inflate {
        let mut stream = Box::new(zlib::z_stream::default());
        // SAFETY: the stream is valid and has zlib-rs's own allocator; version and size are those of the linked library.
        let code = unsafe {
            zlib::inflateInit2_(&mut *stream, RAW, zlib::zlibVersion(), size_of::<zlib::z_stream>() as c_int)
        };
        assert_eq!(code, zlib::Z_OK, "the decoder has no memory");
        Inflate { stream }
    }

    /// Begins another stream.
    pub fn reset(&mut self) {
        // SAFETY: the stream was initialised by `begin`.
        unsafe { zlib::inflateReset(&mut *self.stream) };
    }

    /// Begins in the middle of a stream, right behind a block: `unused_bits` of `last`, the last byte before, belong to the next block,
    /// and `window` is the output that came before, at most [`WINDOW`] bytes.
    ///
    /// # Errors
    /// A window too long, or bits that are none.
    pub fn resume(&mut self, unused_bits: u8, last: u8, window: &[u8]) -> Result<(), Wrong> {
        self.reset();
        if unused_bits > 7 || window.len() > WINDOW {
            return Err(Wrong);
        }
        if unused_bits > 0 {
            let value = c_int::from(last >> (8 - unused_bits));
            // SAFETY: the stream was initialised by `begin` and reset; at most 7 bits are given.
            let code = unsafe { zlib::inflatePrime(&mut *self.stream, c_int::from(unused_bits), value) };
            if code != zlib::Z_OK {
                return Err(Wrong);
            }
        }
        if !window.is_empty() {
            // SAFETY: the stream was initialised by `begin`; the window is read for as many bytes as it has.
            let code = unsafe {
                zlib::inflateSetDictionary(&mut *self.stream, window.as_ptr(), window.len() as std::ffi::c_uint)
            };
            if code != zlib::Z_OK {
                return Err(Wrong);
            }
        }
        Ok(())
    }

    /// Unpacks some of the input into some of the output; with `stop` no further than the end of a block.
    ///
    /// # Errors
    /// The data is no deflate.
    pub fn decompress(&mut self, input: &[u8], output: &mut [u8], stop: bool) -> Result<Step, Wrong> {
        let room = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let stream = &mut *self.stream;
        (stream.next_in, stream.avail_in) = (input.as_ptr().cast_mut(), room(input.len()));
        (stream.next_out, stream.avail_out) = (output.as_mut_ptr(), room(output.len()));
        let flush = if stop { zlib::Z_BLOCK } else { zlib::Z_NO_FLUSH };
        // SAFETY: the stream was initialised by `begin`; input and output are valid for the lengths given, for the time of this call.
        let code = unsafe { zlib::inflate(stream, flush) };
        let taken = (room(input.len()) - stream.avail_in) as usize;
        let made = (room(output.len()) - stream.avail_out) as usize;
        (stream.next_in, stream.avail_in) = (std::ptr::null_mut(), 0);
        (stream.next_out, stream.avail_out) = (std::ptr::null_mut(), 0);
        let at = match code {
            zlib::Z_STREAM_END => At::End,
            // No progress is no error here: who asks sees that nothing was taken or made.
            zlib::Z_OK | zlib::Z_BUF_ERROR => match stream.data_type {
                kind if kind & AT_BLOCK != 0 && kind & IN_LAST == 0 => {
                    At::Block { unused_bits: (kind & UNUSED_BITS) as u8 }
                }
                _ => At::Within,
            },
            _ => return Err(Wrong),
        };
        Ok(Step { taken, made, at })
    }

    /// The last bytes that were made, at most [`WINDOW`].
    pub fn window(&self) -> Vec<u8> {
        let mut window = vec![0; WINDOW];
        let mut length = 0;
        // SAFETY: the stream was initialised by `begin`; the buffer has room for the largest window.
        unsafe { zlib::inflateGetDictionary(&*self.stream, window.as_mut_ptr(), &mut length) };
        window.truncate(length as usize);
        window
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised by `begin`, and nobody uses it afterwards.
        unsafe { zlib::inflateEnd(&mut *self.stream) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::DeflateEncoder};
    use std::io::Write;

    /// Text with matches at all distances, deflated into many blocks.
    fn packed() -> (Vec<u8>, Vec<u8>) {
        let text: Vec<u8> =
            (0..400_000_u32).flat_map(|at| format!("{} ", at.wrapping_mul(2_654_435_761) >> 12).into_bytes()).collect();
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
        packer.write_all(&text).unwrap();
        (packer.finish().unwrap(), text)
    }

    #[test]
    fn it_goes_on_from_every_block_of_a_stream_as_one_that_read_what_came_before() {
        let (packed, text) = packed();
        let mut inflate = Inflate::begin();
        let (mut taken, mut made, mut blocks) = (0, 0, Vec::new());
        let mut output = vec![0; 1 << 20];
        loop {
            let step = inflate.decompress(&packed[taken..], &mut output, true).unwrap();
            assert_eq!(output[..step.made], text[made..made + step.made]);
            taken += step.taken;
            made += step.made;
            match step.at {
                At::Block { unused_bits } => blocks.push((taken, made, unused_bits, inflate.window())),
                At::End => break,
                At::Within => {}
            }
        }
        assert_eq!((taken, made), (packed.len(), text.len()));
        assert!(blocks.len() > 10, "{}", blocks.len());
        assert!(blocks.iter().any(|(.., bits, _)| *bits > 0), "blocks end within bytes");
        for (from, begun, bits, window) in blocks {
            assert_eq!(window, text[begun.saturating_sub(WINDOW)..begun]);
            let mut inflate = Inflate::begin();
            inflate.resume(bits, packed[from - 1], &window).unwrap();
            let (mut at, mut back) = (from, Vec::new());
            loop {
                let step = inflate.decompress(&packed[at..], &mut output, false).unwrap();
                at += step.taken;
                back.extend_from_slice(&output[..step.made]);
                if step.at == At::End {
                    break;
                }
            }
            assert_eq!((at, back.as_slice()), (packed.len(), &text[begun..]));
        }
    }

    #[test]
    fn what_is_no_deflate_and_no_checkpoint_is_refused() {
        let mut inflate = Inflate::begin();
        assert_eq!(inflate.decompress(&[0xff; 64], &mut [0; 64], false), Err(Wrong));
        assert_eq!(inflate.resume(8, 0, b""), Err(Wrong));
        assert_eq!(inflate.resume(0, 0, &[0; WINDOW + 1]), Err(Wrong));
    }
}
