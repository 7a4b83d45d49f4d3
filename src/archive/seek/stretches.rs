//! Stretches of a file's unpacked bytes, one behind the other as if nothing lay between them.

use super::SeekReader;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch {
    /// Unpacked bytes.
    Bytes(Range<u64>),
    /// So many line ends, in place of text that is left out: lines behind it keep their numbers.
    Lines(u64),
}

impl Stretch {
    /// Bytes that are read.
    pub fn length(&self) -> u64 {
        match self {
            Stretch::Bytes(range) => range.end.saturating_sub(range.start),
            Stretch::Lines(count) => *count,
        }
    }
}

/// Reads stretches.
pub struct Stretches {
    reader: SeekReader,
    left: VecDeque<Stretch>,
}

impl Stretches {
    /// Reads these, in this order.
    pub fn new(reader: SeekReader, stretches: impl IntoIterator<Item = Stretch>) -> Stretches {
        Stretches { reader, left: stretches.into_iter().collect() }
    }
}

impl Read for Stretches {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(first) = self.left.front_mut() else { return Ok(0) };
            let most = usize::try_from(first.length()).unwrap_or(usize::MAX).min(into.len());
            if first.length() == 0 {
                self.left.pop_front();
                continue;
            }
            return match first {
                Stretch::Lines(count) => {
                    into[..most].fill(b'\n');
                    *count -= most as u64;
                    Ok(most)
                }
                Stretch::Bytes(range) => {
                    self.reader.jump(range.start);
                    let read = self.reader.read(&mut into[..most])?;
                    if read == 0 && most > 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    range.start += read as u64;
                    Ok(read)
                }
            };
        }
    }
}
