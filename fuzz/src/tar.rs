//! tar, compressed or not: what is announced is what is read, within the limits, however the bytes arrive.

use super::pieces::pieces;
use rocketvps_restore::archive::{self, Entry, Limits};
use rocketvps_restore::error::Code;
use std::io::Read;

const LIMITS: Limits = Limits { entries: 5_000, bytes: 4 << 20 };

/// The entries, each with its content, and how the archive ended.
type Found = (Vec<(Entry, Vec<u8>)>, Option<Code>);

pub fn run(data: &[u8]) {
    let (whole, ended) = entries(data);
    let (cut, cut_ended) = entries(pieces(data));
    assert_eq!(ended, cut_ended, "how it ends depends on how the bytes arrive");
    // Of a damaged gzip file more or less of what is before the damage may come out.
    let same = if ended.is_none() { whole.len().max(cut.len()) } else { whole.len().min(cut.len()) };
    let shown = |found: &[(Entry, Vec<u8>)]| format!("{:?}", found.iter().take(same).collect::<Vec<_>>());
    assert_eq!(shown(&whole), shown(&cut), "the entries depend on how the bytes arrive");
}

fn entries(archive: impl Read + Send) -> Found {
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut tar = match archive::open(archive, LIMITS) {
        Ok(tar) => tar,
        Err(error) => return (found, Some(error.code)),
    };
    loop {
        let entry = match tar.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => return (found, None),
            Err(error) => return (found, Some(error.code)),
        };
        bytes += entry.size.max(entry.stored);
        assert!(bytes <= LIMITS.bytes, "unpacks to more than is allowed");
        check(&entry);
        let mut content = Vec::new();
        if let Err(error) = tar.read_to_end(&mut content) {
            return (found, Some(archive::unwrap_io(error).code));
        }
        assert_eq!(content.len() as u64, entry.stored, "the content is what was announced");
        found.push((entry, content));
        assert!(found.len() as u64 <= LIMITS.entries);
    }
}

fn check(entry: &Entry) {
    assert!(!entry.path.is_empty() && entry.mode <= 0o7777 && entry.mtime.1 < 1_000_000_000);
    let mut end = 0;
    let mut stored = 0;
    for segment in entry.segments.iter().flatten() {
        assert!(segment.length > 0 && segment.offset >= end, "segments are in order");
        end = segment.offset + segment.length;
        stored += segment.length;
    }
    if entry.segments.is_some() {
        assert!(end <= entry.size && stored == entry.stored, "segments fit the file");
    }
}
