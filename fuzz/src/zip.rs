//! zip, as every container.

use super::container::{Bytes, LIMITS, check};
use rocketvps_restore::archive::ZipReader;

pub fn run(data: &[u8]) {
    if let Ok(mut entries) = ZipReader::open(Bytes::of(data), LIMITS, None) {
        check(&mut entries);
    }
}
