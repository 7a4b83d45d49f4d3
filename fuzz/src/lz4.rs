//! lz4: however the bytes arrive, the text is the same.

use super::pieces::pieces;
use rocketvps_restore::archive::Codec;
use std::io::Read;

/// Most bytes that are unpacked.
const MOST: u64 = 4 << 20;

pub fn run(data: &[u8]) {
    let read = |from: &mut dyn Read| {
        let mut text = Vec::new();
        let done = Codec::Lz4.reader(from).map(|plain| plain.take(MOST).read_to_end(&mut text).is_ok());
        (done.ok(), text)
    };
    let whole = read(&mut &data[..]);
    assert!(whole == read(&mut pieces(data)), "the text depends on how the bytes arrive");
}
