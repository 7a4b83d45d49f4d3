//! An archive in a zip, read where it lies: any stretch of a content is what reading it from the front gives, and what it holds is read as
//! every container.

use super::container::{Bytes, LIMITS, check};
use rocketvps_restore::archive::{Entries, Inside, ReadAt, Tail, ZipReader};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Most entries that are read from the middle.
const MOST: usize = 8;

pub fn run(data: &[u8]) {
    let source = Bytes::of(data);
    let Ok(mut entries) = ZipReader::open(source.clone(), LIMITS, None) else { return };
    let kept = Arc::new(AtomicU64::new(1 << 20));
    for _ in 0..MOST {
        let Ok(Some(_)) = entries.next_entry() else { return };
        let Some(lies) = entries.lies() else { continue };
        let inside = Arc::new(Inside::new(source.clone(), lies, Tail::new(&kept)));
        let mut content = Vec::new();
        if entries.read_to_end(&mut content).is_ok() {
            for at in [content.len() / 2, content.len().saturating_sub(9), 0, content.len() / 3] {
                let mut found = [0; 9];
                if let Ok(count) = inside.read_at(&mut found, at as u64) {
                    assert_eq!(found[..count], content[at..at + count], "another stretch of the content");
                }
            }
        }
        if let Ok(mut inner) = ZipReader::open(inside, LIMITS, None) {
            check(&mut inner);
        }
    }
}
