//! `.7z`, as every container.

use super::container::{Bytes, LIMITS, check};
use rocketvps_restore::archive::SevenZipReader;

pub fn run(data: &[u8]) {
    if let Ok(mut entries) = SevenZipReader::open(Bytes::of(data), LIMITS, None) {
        check(&mut entries);
    }
}
