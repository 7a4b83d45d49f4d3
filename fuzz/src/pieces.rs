//! Bytes that arrive in pieces, as they do from a file or another thread.

use std::io::Read;

/// Gives `data` in three pieces; the first two bytes of it say where it is cut.
pub fn pieces(data: &[u8]) -> impl Read + Send {
    let at = |index: usize| usize::from(data.get(index).copied().unwrap_or_default());
    let first = data.len() * at(0) / 256;
    let second = first + (data.len() - first) * at(1) / 256;
    let (head, tail) = data.split_at(second);
    let (head, middle) = head.split_at(first);
    head.chain(middle).chain(tail)
}
