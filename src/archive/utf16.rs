//! A dump in UTF-16, as `>` of PowerShell writes what `mysqldump` says. Its letters of ASCII are what they were. Whatever else was in it was
//! read in the code page of a console before, and is another letter now: a dump that has any is refused. So is each in a backup of the
//! server's own modules, whose programs write none: somebody made it anew by hand.

use super::{codec, wrap};
use crate::error::{Code, Error, Result};
use std::io::{self, Read};

/// Input is read in pieces of this size.
const PIECE: usize = 64 << 10;

/// Whether a text begins in UTF-16: with its mark, or with letters beside NUL bytes.
pub fn is_one(start: &[u8]) -> bool {
    order(start).is_some()
}

/// A dump of the server's own modules, as it is.
///
/// # Errors
/// `backup_corrupt` for one in UTF-16, `io_failed`.
pub fn refuse(dump: impl Read) -> Result<impl Read> {
    let (start, dump) = codec::begin(dump, 4)?;
    if is_one(&start) {
        let message = "the dump is written in UTF-16: the program that made this backup writes none";
        return Err(Error::new(Code::BackupCorrupt, message).hint(
            "Make the dump anew with --result-file instead of `>`, or convert it: iconv -f UTF-16 -t UTF-8. As a file of its own (--from) it is \
             read where all its letters are ASCII.",
        ));
    }
    Ok(dump)
}

/// Which byte of a letter comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Low,
    High,
}

/// The order, and how long the mark is.
fn order(start: &[u8]) -> Option<(Order, usize)> {
    match start {
        // That of UTF-32.
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, ..] => Some((Order::Low, 2)),
        [0xfe, 0xff, ..] => Some((Order::High, 2)),
        [1..=127, 0, 1..=127, 0, ..] => Some((Order::Low, 0)),
        [0, 1..=127, 0, 1..=127, ..] => Some((Order::High, 0)),
        _ => None,
    }
}

/// The text of such a file in ASCII.
pub struct Utf16Reader<R> {
    inner: R,
    order: Option<Order>,
    /// Bytes that were read, and how many of them were given.
    bytes: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    at: u64,
}

impl<R: Read> Utf16Reader<R> {
    /// Reads `inner` from its beginning, which [`is_one`] was told.
    pub fn new(inner: R) -> Utf16Reader<R> {
        Utf16Reader { inner, order: None, bytes: Vec::new(), text: Vec::new(), given: 0, at: 0 }
    }

    /// The next letters, as many as a piece has; none at the end.
    fn fill(&mut self) -> io::Result<()> {
        self.bytes.clear();
        self.text.clear();
        self.given = 0;
        (&mut self.inner).take(PIECE as u64).read_to_end(&mut self.bytes)?;
        let (order, begin) = match self.order {
            Some(order) => (order, 0),
            None => order(&self.bytes).unwrap_or((Order::Low, 0)),
        };
        self.order = Some(order);
        let letters = self.bytes[begin..].chunks_exact(2);
        if !letters.remainder().is_empty() {
            return Err(wrap(super::corrupt("it is written in UTF-16, and ends in the middle of a letter")));
        }
        for letter in letters {
            let (low, high) = if order == Order::Low { (letter[0], letter[1]) } else { (letter[1], letter[0]) };
            if high != 0 || !low.is_ascii() {
                let at = self.at + begin as u64 + 2 * self.text.len() as u64;
                return Err(wrap(beyond(at)));
            }
            self.text.push(low);
        }
        self.at += self.bytes.len() as u64;
        Ok(())
    }
}

/// The error of a letter that may be another one than in the database.
fn beyond(at: u64) -> Error {
    let message = format!(
        "the dump is written in UTF-16, and at byte {at} has a letter beyond ASCII: `>` of PowerShell makes other letters of these"
    );
    Error::new(Code::BackupCorrupt, message)
        .hint("Make the dump anew with --result-file instead of `>`. Where an editor shows its letters as they have to be, convert it: iconv -f UTF-16 -t UTF-8.")
        .with("offset", at)
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            self.fill()?;
        }
        let count = into.len().min(self.text.len() - self.given);
        into[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String> {
        let mut text = String::new();
        Utf16Reader::new(bytes).read_to_string(&mut text).map(|_| text).map_err(super::super::unwrap_io)
    }

    fn written(text: &str, mark: bool, high: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if high { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn letters_of_ascii_are_read_in_either_order() {
        let text = "-- MySQL dump\r\nINSERT INTO t VALUES ('x');\r\n".repeat(5000);
        for (mark, high) in [(true, false), (true, true), (false, false), (false, true)] {
            let bytes = written(&text, mark, high);
            assert!(is_one(&bytes));
            assert_eq!(read(&bytes).unwrap(), text);
            assert!(read(&bytes[..bytes.len() - 1]).unwrap_err().message.contains("middle of a letter"));
        }
        for other in [&b"-- MySQL dump"[..], b"\xff\xfe\0\0", b"\0\0\0\0", b"", b"\xef\xbb\xbf--"] {
            assert!(!is_one(other), "{other:?}");
        }
    }

    #[test]
    fn a_letter_that_may_be_another_one_is_refused_at_its_place() {
        let refused = read(&written("abc├╝", true, false)).unwrap_err();
        assert_eq!(refused.code, Code::BackupCorrupt);
        assert!(refused.message.contains("at byte 8 "), "{}", refused.message);
        assert!(refused.hint.contains("--result-file"), "{}", refused.hint);
    }
}
