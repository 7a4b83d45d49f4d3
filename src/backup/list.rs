//! The backups of a domain, newest first, from names, `.meta` files and our index; no archive is opened.

use crate::backup::archives::archives;
use crate::backup::cache::index::Index;
use crate::backup::meta::Meta;
use crate::backup::name::{BackupName, Family, Kind, Stamp, human_size};
use crate::backup::source::Identity;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// What is known of an archive's soundness without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    /// Nobody looked, or its `.meta` does not say.
    Unknown,
    /// It was read whole by us, or its writer says so.
    Valid,
    /// It is damaged.
    Invalid,
}

/// One backup in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BackupInfo {
    /// Absolute path.
    pub path: PathBuf,
    /// File name.
    pub name: String,
    /// Full or incremental.
    pub kind: Kind,
    /// Layout, where the name or an earlier reading told it.
    pub layout: Option<String>,
    /// For an incremental backup: the full one it builds on.
    pub base: Option<PathBuf>,
    /// When it was made, local time: `2025-10-04T03:00:00`.
    pub date: String,
    /// Bytes, of the archive alone.
    pub size: u64,
    /// The same for people: `286M`.
    pub size_text: String,
    /// Soundness.
    pub integrity: Integrity,
    /// Where the soundness comes from: `index` (we read it) or `meta` (its writer says so).
    pub integrity_from: Option<String>,
    /// Regular files of the site, if known.
    pub file_count: Option<u64>,
    /// Tables of the database, if known.
    pub db_tables: Option<u64>,
    /// The dump that lies beside it.
    pub dump: Option<PathBuf>,
    #[serde(skip)]
    pub(crate) stamp: Option<Stamp>,
}

/// Every backup of the domain, newest first; empty when there is none.
///
/// # Errors
/// `backup_unreadable` when a folder exists and cannot be read.
pub fn list(config: &Config, domain: &Domain) -> Result<Vec<BackupInfo>> {
    let index = Index::load(config, domain);
    let own = config.paths.backups().join(domain.as_str());
    let mut found = Vec::new();
    for folder in [own.as_path(), &config.paths.backups()] {
        for path in archives(folder)? {
            if let Some(info) = info(&path, domain, folder == own, &index) {
                found.push(info);
            }
        }
    }
    found.sort_by_key(|info| Reverse((info.stamp, info.name.clone())));
    if found.iter().any(|info| info.kind == Kind::Incremental) {
        let mut bases = crate::backup::chain::bases(config, domain);
        for info in found.iter_mut().filter(|info| info.kind == Kind::Incremental) {
            // What its .meta says is shown even where the chain is broken: the error names it when it is used.
            info.base = bases.remove(&info.path).or(info.base.take());
        }
    }
    let dumps = crate::backup::locate::dumps(&own);
    for info in found.iter_mut().filter(|info| info.path.starts_with(&own)) {
        info.dump = info.stamp.and_then(|stamp| crate::backup::locate::dump_of(stamp, &dumps));
    }
    Ok(found)
}

/// One archive's line, whoever's it is; `None` when it is no backup of this domain.
fn info(path: &Path, domain: &Domain, own_folder: bool, index: &Index) -> Option<BackupInfo> {
    let name = path.file_name()?.to_str()?.to_owned();
    let parsed = BackupName::parse(&name)?;
    let layout = match &parsed.family {
        Family::Own(_) | Family::Foreign => own_folder.then_some(None)?,
        Family::Domain(of) => (of == domain.as_str()).then_some(Some("domain"))?,
        Family::AllDomains => Some("all_domains"),
    };
    let metadata = std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let identity = Identity::from_metadata(&metadata);
    let meta = Meta::beside(path);
    let known = index.known(path, &identity);
    let (integrity, from) = match (known, meta.integrity()) {
        (Some(known), _) if known.valid => (Integrity::Valid, Some("index")),
        (Some(_), _) => (Integrity::Invalid, Some("index")),
        (None, Some(true)) => (Integrity::Valid, Some("meta")),
        (None, Some(false)) => (Integrity::Invalid, Some("meta")),
        (None, None) => (Integrity::Unknown, None),
    };
    let stamp = parsed.stamp.or_else(|| Stamp::of_second(identity.mtime));
    Some(BackupInfo {
        path: path.to_owned(),
        kind: parsed.kind(),
        layout: layout.map(str::to_owned).or_else(|| known.and_then(|known| known.layout.clone())),
        base: (parsed.kind() == Kind::Incremental).then(|| meta.text("base_backup").map(PathBuf::from)).flatten(),
        date: stamp.map_or_else(|| "unknown".to_owned(), |stamp| stamp.to_string()),
        size: identity.size,
        size_text: human_size(identity.size),
        integrity,
        integrity_from: from.map(str::to_owned),
        file_count: known.and_then(|known| known.file_count).or_else(|| meta.number("file_count")),
        db_tables: known.and_then(|known| known.db_tables).or_else(|| meta.number("db_tables")),
        dump: None,
        stamp,
        name,
    })
}

/// Facts of one archive by its path, as [`list`] gives them.
///
/// # Errors
/// `backup_not_found`, `path_not_allowed`.
pub fn info_of(config: &Config, domain: &Domain, path: &Path) -> Result<BackupInfo> {
    let opened = crate::backup::locate::open_archive(config, domain, path)?;
    list(config, domain)?
        .into_iter()
        .find(|info| info.path.canonicalize().is_ok_and(|path| path == opened.path))
        .ok_or_else(|| Error::new(Code::BackupNotFound, format!("{} is no backup of {domain}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::testing::setting;

    fn put(config: &Config, name: &str, bytes: usize) {
        std::fs::write(config.paths.backups().join(name), vec![0; bytes]).unwrap();
    }

    #[test]
    fn a_domain_without_backups_has_an_empty_list() {
        let (_base, config, _) = setting();
        assert!(list(&config, &Domain::parse("none.example").unwrap()).unwrap().is_empty());
    }

    #[test]
    fn newest_first_by_the_moment_in_the_name_whatever_the_files_own_time() {
        let (_base, config, domain) = setting();
        for name in [
            "example.com/backup_20251004_030000.tar.gz",
            "example.com/backup_20251006_030000.tar.gz",
            "example.com/backup_20251005_030000_incremental.tar.gz",
            "domain_example.com_20251007_010000.tar.gz",
            "domain_other.com_20251008_010000.tar.gz",
            "all_domains_20251003_010000.tar.gz",
            "backup_20251009_000000.tar.gz",
        ] {
            put(&config, name, 2048);
        }
        put(&config, "example.com/database_20251004_030007.sql.gz", 3);
        let found = list(&config, &domain).unwrap();
        let names: Vec<&str> = found.iter().map(|info| info.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "domain_example.com_20251007_010000.tar.gz",
                "backup_20251006_030000.tar.gz",
                "backup_20251005_030000_incremental.tar.gz",
                "backup_20251004_030000.tar.gz",
                "all_domains_20251003_010000.tar.gz",
            ]
        );
        assert_eq!(found[0].layout.as_deref(), Some("domain"));
        assert_eq!((found[2].kind, found[2].base.as_deref()), (Kind::Incremental, Some(found[3].path.as_path())));
        assert_eq!((found[3].date.as_str(), found[3].size_text.as_str()), ("2025-10-04T03:00:00", "2.0K"));
        assert!(found[3].dump.as_ref().unwrap().ends_with("database_20251004_030007.sql.gz"));
        assert_eq!((found[1].dump.clone(), found[1].integrity), (None, Integrity::Unknown));
    }

    #[test]
    fn what_the_meta_file_says_is_shown_as_its_word() {
        let (_base, config, domain) = setting();
        put(&config, "example.com/backup_20251004_030000.tar.gz", 1);
        let meta = config.paths.backups().join("example.com/backup_20251004_030000.meta");
        std::fs::write(meta, "integrity=valid\nfile_count=12\ndb_tables=3\n").unwrap();
        let info = &list(&config, &domain).unwrap()[0];
        assert_eq!((info.integrity, info.integrity_from.as_deref()), (Integrity::Valid, Some("meta")));
        assert_eq!((info.file_count, info.db_tables), (Some(12), Some(3)));
        assert_eq!(info_of(&config, &domain, &info.path).unwrap().name, info.name);
    }

    #[test]
    fn links_and_folders_named_like_backups_are_not_listed() {
        let (_base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        std::os::unix::fs::symlink("/etc/hostname", folder.join("backup_20251004_030000.tar.gz")).unwrap();
        std::fs::create_dir(folder.join("backup_20251005_030000.tar.gz")).unwrap();
        assert!(list(&config, &domain).unwrap().is_empty());
    }
}
