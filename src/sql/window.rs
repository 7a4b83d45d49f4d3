//! The text of rows, for those who read a dump as it streams by: the lexer only points at them. Pure.

use crate::sql::lexer::Rows;
use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

/// What a lexer has read and its user has not passed yet.
#[derive(Clone, Default)]
pub struct Window(Rc<RefCell<Held>>);

#[derive(Default)]
struct Held {
    /// Offset of the first byte in the dump.
    begin: u64,
    bytes: Vec<u8>,
    /// Bytes at the front that were passed. They go together with many others: each time the rest moves.
    passed: usize,
}

/// Most bytes that are held: the rows of one statement that a lexer has in hand, and no row that is longer.
const MOST: usize = 72 << 20;
/// Passed bytes that may lie at the front.
const SLACK: usize = 1 << 20;

impl Window {
    /// The dump for the lexer, and the window on what that reads of it.
    pub fn over<R: Read>(dump: R) -> (Through<R>, Window) {
        let window = Window::default();
        (Through { dump, window: window.clone() }, window)
    }

    /// The text of an extent of rows; `None` for one that was too long to be held.
    pub fn text(&self, rows: &Rows) -> Option<Vec<u8>> {
        let held = self.0.borrow();
        if rows.offset < held.begin {
            return None;
        }
        let place = |offset: u64| usize::try_from(offset.saturating_sub(held.begin)).unwrap_or(usize::MAX);
        let end = place(rows.offset + rows.length).min(held.bytes.len());
        Some(held.bytes[place(rows.offset).min(end)..end].to_vec())
    }

    /// Nothing before this offset is asked for any more.
    pub fn forget(&self, until: u64) {
        let mut held = self.0.borrow_mut();
        let count = usize::try_from(until.saturating_sub(held.begin)).unwrap_or(usize::MAX).min(held.bytes.len());
        held.passed = held.passed.max(count);
        if held.passed >= SLACK {
            let passed = std::mem::take(&mut held.passed);
            held.bytes.drain(..passed);
            held.begin += passed as u64;
        }
    }
}

/// A dump whose bytes are kept in a [`Window`] as they are read.
pub struct Through<R> {
    dump: R,
    window: Window,
}

impl<R: Read> Read for Through<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.dump.read(buffer)?;
        let mut held = self.window.0.borrow_mut();
        if held.bytes.len() + got > MOST {
            held.begin += held.bytes.len() as u64;
            (held.bytes, held.passed) = (Vec::new(), 0);
        }
        held.bytes.extend_from_slice(&buffer[..got]);
        Ok(got)
    }
}
