//! `.daf`, as every container.

use super::container::{LIMITS, check};
use rocketvps_restore::archive::DafReader;

pub fn run(data: &[u8]) {
    if let Ok(mut entries) = DafReader::open(data, LIMITS) {
        check(&mut entries);
    }
}
