//! Where what is known of a domain's backups lies, who may write it, and what makes a file the one that was read.

use crate::backup::identity::Identity;
use crate::backup::source::{Part, Source};
use crate::config::Config;
use crate::disk::{is_ours, lock_file, private_folder};
use crate::error::Result;
use crate::path::Domain;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

/// How much of both ends of a file goes into its checksum.
const END: u64 = 64 << 10;
/// A writer holds the lock for milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// What makes a file of a backup the one that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Bytes.
    pub size: u64,
    /// Modification time, seconds.
    pub mtime: i64,
    /// Modification time, nanoseconds.
    pub mtime_ns: i64,
    /// Inode.
    pub ino: u64,
    /// XXH3 (64 bit) of the first and the last 64 KiB, in hex.
    pub ends: String,
}

impl Fingerprint {
    /// Of an open part; two short reads.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(part: &Part) -> std::io::Result<Fingerprint> {
        let Identity { ino, size, mtime, mtime_ns, .. } = part.identity;
        let mut sum = Xxh3::new();
        let mut buffer = vec![0; END as usize];
        for start in [0, size.saturating_sub(END)] {
            let mut from = part.reader_at(start).take(END);
            loop {
                match from.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => sum.update(&buffer[..count]),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Fingerprint { size, mtime, mtime_ns, ino, ends: format!("{:016x}", sum.digest()) })
    }

    /// Of every part of a source, in its order.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn all(source: &Source) -> std::io::Result<Vec<Fingerprint>> {
        source.parts.iter().map(Fingerprint::of).collect()
    }

    /// Whether a listing's look at the file, without opening it, speaks for the same one.
    pub(super) fn looks_like(&self, identity: &Identity) -> bool {
        (self.size, self.mtime, self.mtime_ns, self.ino)
            == (identity.size, identity.mtime, identity.mtime_ns, identity.ino)
    }
}

/// The lock of those who write what is known of a domain's backups.
pub(super) fn lock_of_writers(config: &Config, domain: &Domain) -> Result<File> {
    lock_file(&make_folder(config, domain)?.join("lock"), PATIENCE)
}

/// Makes our private folder of what is known of a domain's backups.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub(crate) fn make_folder(config: &Config, domain: &Domain) -> Result<PathBuf> {
    let folder = folder(config, domain);
    private_folder(&folder)?;
    Ok(folder)
}

/// Our private folder of what is known of a domain's backups.
pub(crate) fn folder(config: &Config, domain: &Domain) -> PathBuf {
    config.paths.base.join("restore_index").join(domain.as_str())
}

/// The path without links: a list and a job may come to the same archive by different spellings.
pub(crate) fn key(archive: &Path) -> String {
    archive.canonicalize().unwrap_or_else(|_| archive.to_owned()).display().to_string()
}

pub(super) fn is_own_folder(folder: &Path) -> bool {
    std::fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir() && is_ours(&metadata))
}
