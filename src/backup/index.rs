//! `.backup_index.json`: what was found inside each archive, kept so that a preview need not read it again.
//!
//! Keyed by name, size, mtime and inode; safe to delete; only shown, never a reason to skip a check. It lies in the
//! domain's backup folder when that folder is ours alone (so that nobody else can plant one), else in
//! `base/restore_index/`.

use crate::backup::scan::Scan;
use crate::backup::source::Identity;
use crate::config::Config;
use crate::error::{IoContext, Result};
use crate::path::Domain;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Name of the cache in a domain's backup folder.
pub const FILE_NAME: &str = ".backup_index.json";
const SCHEMA: u32 = 1;
const MAX_BYTES: u64 = 64 << 20;

/// One archive's entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Known {
    /// Files the finding is about: the archive, then what lies beside it.
    pub files: Vec<Identity>,
    /// The whole archive was read and is sound; `false`: it is damaged.
    pub valid: bool,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What is in it, when it is sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
}

/// The cache of one domain.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Index {
    schema: u32,
    archives: BTreeMap<String, Known>,
}

impl Index {
    /// Reads the domain's cache; an unreadable, foreign or damaged one is an empty one.
    pub fn load(config: &Config, domain: &Domain) -> Index {
        read(&place(config, domain)).filter(|index| index.schema == SCHEMA).unwrap_or_default()
    }

    /// What is known of the archive of this path, if it is still the same file.
    pub fn known(&self, archive: &Path, identity: &Identity) -> Option<&Known> {
        let known = self.archives.get(&key(archive))?;
        (known.files.first() == Some(identity)).then_some(known)
    }

    /// What is known of a source, if all its files are still the same.
    pub fn known_all(&self, archive: &Path, identities: &[Identity]) -> Option<&Known> {
        self.archives.get(&key(archive)).filter(|known| known.files == identities)
    }

    /// Adds a finding and writes the cache. What no longer exists is dropped.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`: the caller may go on, it is only a cache.
    pub fn store(config: &Config, domain: &Domain, archive: &Path, known: Known) -> Result<()> {
        let mut index = Index::load(config, domain);
        index.schema = SCHEMA;
        index.archives.retain(|path, _| Path::new(path).exists());
        index.archives.insert(key(archive), known);
        let path = place(config, domain);
        let folder = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(folder).doing(|| format!("create {}", folder.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = folder.join(format!(".{}.{}", name.trim_start_matches('.'), std::process::id()));
        let text = serde_json::to_vec(&index).unwrap_or_default();
        let written = write_new(&draft, &text).and_then(|()| std::fs::rename(&draft, &path));
        written.inspect_err(|_| drop(std::fs::remove_file(&draft))).doing(|| format!("write {}", path.display()))
    }
}

/// The path without links: a list and a job may come to the same archive by different spellings.
fn key(archive: &Path) -> String {
    archive.canonicalize().unwrap_or_else(|_| archive.to_owned()).display().to_string()
}

fn write_new(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let _ = std::fs::remove_file(path);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::from(0o600))?);
    file.write_all(text)
}

fn read(path: &Path) -> Option<Index> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Where the cache of a domain lies.
fn place(config: &Config, domain: &Domain) -> PathBuf {
    let folder = config.paths.backups().join(domain.as_str());
    if is_ours(&folder) {
        folder.join(FILE_NAME)
    } else {
        config.paths.base.join("restore_index").join(format!("{domain}.json"))
    }
}

fn is_ours(folder: &Path) -> bool {
    std::fs::symlink_metadata(folder).is_ok_and(|metadata| {
        metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn setting() -> (tempfile::TempDir, Config, Domain, PathBuf) {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let domain = Domain::parse("example.com").unwrap();
        let folder = config.paths.backups().join("example.com");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let archive = folder.join("backup_20251004_030000.tar.gz");
        std::fs::write(&archive, "x").unwrap();
        (base, config, domain, archive)
    }

    fn identity(path: &Path) -> Identity {
        Identity::of(&File::open(path).unwrap()).unwrap()
    }

    fn finding(path: &Path) -> Known {
        Known { files: vec![identity(path)], valid: true, why: None, scan: None }
    }

    #[test]
    fn a_finding_holds_until_the_archive_changes() {
        let (_base, config, domain, archive) = setting();
        Index::store(&config, &domain, &archive, finding(&archive)).unwrap();
        assert!(Index::load(&config, &domain).known(&archive, &identity(&archive)).is_some());
        std::fs::write(&archive, "other").unwrap();
        assert!(Index::load(&config, &domain).known(&archive, &identity(&archive)).is_none());
        let mode = std::fs::metadata(archive.with_file_name(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_spelling_of_the_path_does_not_matter() {
        let (base, config, domain, archive) = setting();
        Index::store(&config, &domain, &archive, finding(&archive)).unwrap();
        let link = base.path().join("link");
        std::os::unix::fs::symlink(archive.parent().unwrap(), &link).unwrap();
        let other = link.join(archive.file_name().unwrap());
        assert!(Index::load(&config, &domain).known(&other, &identity(&archive)).is_some());
    }

    #[test]
    fn what_was_deleted_is_forgotten() {
        let (_base, config, domain, archive) = setting();
        Index::store(&config, &domain, &archive, finding(&archive)).unwrap();
        let other = archive.with_file_name("backup_20251005_030000.tar.gz");
        std::fs::write(&other, "y").unwrap();
        std::fs::remove_file(&archive).unwrap();
        Index::store(&config, &domain, &other, finding(&other)).unwrap();
        assert_eq!(Index::load(&config, &domain).archives.len(), 1);
    }

    #[test]
    fn an_index_others_could_have_written_is_not_read() {
        let (_base, config, domain, archive) = setting();
        Index::store(&config, &domain, &archive, finding(&archive)).unwrap();
        let folder = archive.parent().unwrap();
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Index::load(&config, &domain).known(&archive, &identity(&archive)).is_none());
        Index::store(&config, &domain, &archive, finding(&archive)).unwrap();
        assert!(config.paths.base.join("restore_index/example.com.json").exists());
        assert!(Index::load(&config, &domain).known(&archive, &identity(&archive)).is_some());
    }

    #[test]
    fn a_damaged_index_is_an_empty_one() {
        let (_base, config, domain, archive) = setting();
        std::fs::write(archive.with_file_name(FILE_NAME), "{not json").unwrap();
        assert!(Index::load(&config, &domain).known(&archive, &identity(&archive)).is_none());
        Index::store(&config, &domain, &archive, finding(&archive)).unwrap();
    }
}
