//! `.jpa`, as every container.

use super::container::{Bytes, LIMITS, check};
use rocketvps_restore::archive::JpaReader;

pub fn run(data: &[u8]) {
    if let Ok(mut entries) = JpaReader::open(Bytes::of(data), LIMITS) {
        check(&mut entries);
    }
}
