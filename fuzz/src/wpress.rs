//! `.wpress`, as every container.

use super::container::{Bytes, LIMITS, check};
use rocketvps_restore::archive::WpressReader;

pub fn run(data: &[u8]) {
    if let Ok(mut entries) = WpressReader::open(Bytes::of(data), LIMITS, None) {
        check(&mut entries);
    }
}
