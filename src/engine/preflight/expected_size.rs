//! Estimates how much a backup will unpack to, before it is read: from an earlier reading of it, else from the size that gzip notes at
//! the end of the file. This is for space checks and percentages only; limits and the free space are watched while staging.

use crate::archive::Codec;
use crate::backup::preview::cached;
use crate::backup::source::{Container, Part, Role, Source};
use crate::config::Config;
use std::io::Read;

/// An expectation, in bytes and entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// Content of the site's files.
    pub files: u64,
    /// Files, folders and links; 0 when nothing can be said.
    pub entries: u64,
    /// The dump.
    pub dump: u64,
    /// Rows of the dump; 0 when nothing can be said.
    pub rows: u64,
    /// From an earlier reading: exact.
    pub known: bool,
}

/// Compressed files hold about this many times their own size when nothing better is known.
const USUAL_RATIO: u64 = 3;

/// The size of a source, as far as it is known or can be guessed.
pub fn expect(config: &Config, source: &Source) -> Expected {
    if let Some(scan) = cached(source, config) {
        return Expected {
            files: scan.bytes,
            entries: scan.files + scan.folders + scan.links,
            dump: scan.dump.as_ref().map_or(0, |dump| dump.bytes),
            rows: scan.dump.as_ref().map_or(0, |dump| dump.rows()),
            known: true,
        };
    }
    let mut expected = Expected::default();
    for part in &source.parts {
        let bytes = unpacked(part);
        match part.role {
            Role::Dump => expected.dump += bytes,
            // The dump's share of an archive is not known: a quarter is a guess, but the sum is not.
            Role::Archive => {
                let dump = if source.dump_beside().is_none() { bytes / 4 } else { 0 };
                expected.dump += dump;
                expected.files += bytes - dump;
            }
            _ => expected.files += bytes,
        }
    }
    expected
}

/// gzip notes the size of its last member modulo 2³² (RFC 1952, ISIZE). It is taken when it is believable.
fn unpacked(part: &Part) -> u64 {
    if let Some(dump) = part.dump_folder() {
        return dump.size * if dump.packed { USUAL_RATIO } else { 1 };
    }
    let packed = part.size();
    match (part.container, part.codec) {
        (Container::Zip | Container::SevenZip | Container::Daf, _) => return packed * USUAL_RATIO,
        (Container::Folder, _) => return 0,
        (_, Codec::None) => return packed,
        (_, Codec::Gzip) if part.is_plain() => {}
        _ => return packed * USUAL_RATIO,
    }
    let mut last = [0; 4];
    let mut reader = part.reader_at(packed.saturating_sub(4));
    let noted = if reader.read_exact(&mut last).is_ok() { u64::from(u32::from_le_bytes(last)) } else { 0 };
    believable(packed, noted)
}

fn believable(packed: u64, noted: u64) -> u64 {
    // A size below the packed one means several members, or more than 4 GiB.
    let wrapped = noted + (packed.saturating_sub(noted) >> 32 << 32);
    if noted >= packed {
        noted
    } else if packed > 1 << 32 && wrapped >= packed {
        wrapped
    } else {
        packed * USUAL_RATIO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noted_size_counts_only_when_it_can_be_true() {
        assert_eq!(believable(100, 400), 400);
        assert_eq!(believable(100, 7), 300, "several members");
        assert!(believable(5 << 30, 1 << 20) >= 5 << 30);
    }
}
