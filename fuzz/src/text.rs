//! The text of a dump in any compression, in a zip of one file, in UTF-16: however the bytes arrive, it is the same.

use super::pieces::pieces;
use rocketvps_restore::archive::text;
use std::io::Read;

/// Most bytes that are unpacked.
const MOST: u64 = 4 << 20;

pub fn run(data: &[u8]) {
    let read = |from: &mut dyn Read| {
        let mut found = Vec::new();
        let done = text(from).map(|plain| plain.take(MOST).read_to_end(&mut found).is_ok());
        (done.ok(), found)
    };
    let whole = read(&mut &data[..]);
    assert!(whole == read(&mut pieces(data)), "the text depends on how the bytes arrive");
}
