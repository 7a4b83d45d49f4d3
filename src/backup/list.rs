//! The backups of a domain, newest first, from names, `.meta` files and our index; no archive is opened.

use crate::api::answer::backups::{BackupInfo, Integrity, IntegritySource};
use crate::backup::archives::archives;
use crate::backup::cache::index::Index;
use crate::backup::identity::Identity;
use crate::backup::meta::Meta;
use crate::backup::name::{BackupName, Family, Kind, Stamp, human_size};
use crate::config::Config;
use crate::error::Result;
use crate::path::Domain;
use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// A backup and the moment in its name, else that of its last change.
struct Dated {
    stamp: Option<Stamp>,
    info: BackupInfo,
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
            found.extend(look(&path, domain, folder == own, &index));
        }
    }
    found.sort_by_key(|backup| Reverse((backup.stamp, backup.info.name.clone())));
    if found.iter().any(|backup| backup.info.kind == Kind::Incremental) {
        let mut bases = crate::backup::chain::bases(config, domain);
        for Dated { info, .. } in found.iter_mut().filter(|backup| backup.info.kind == Kind::Incremental) {
            // What its .meta says is shown even where the chain is broken: the error names it when it is used.
            info.base = bases.remove(&info.path).or(info.base.take());
        }
    }
    let dumps = crate::backup::locate::dumps(&own);
    for Dated { stamp, info } in found.iter_mut().filter(|backup| backup.info.path.starts_with(&own)) {
        info.dump = stamp.and_then(|stamp| crate::backup::locate::dump_of(stamp, &dumps));
    }
    Ok(found.into_iter().map(|backup| backup.info).collect())
}

/// One archive's line, whoever's it is; `None` when it is no backup of this domain.
fn look(path: &Path, domain: &Domain, own_folder: bool, index: &Index) -> Option<Dated> {
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
        (Some(known), _) if known.valid => (Integrity::Valid, Some(IntegritySource::Index)),
        (Some(_), _) => (Integrity::Invalid, Some(IntegritySource::Index)),
        (None, Some(true)) => (Integrity::Valid, Some(IntegritySource::Meta)),
        (None, Some(false)) => (Integrity::Invalid, Some(IntegritySource::Meta)),
        (None, None) => (Integrity::Unknown, None),
    };
    let stamp = parsed.stamp.or_else(|| Stamp::of_second(identity.mtime));
    let info = BackupInfo {
        path: path.to_owned(),
        kind: parsed.kind(),
        layout: layout.map(str::to_owned).or_else(|| known.and_then(|known| known.layout.clone())),
        base: (parsed.kind() == Kind::Incremental).then(|| meta.text("base_backup").map(PathBuf::from)).flatten(),
        date: stamp.map_or_else(|| "unknown".to_owned(), |stamp| stamp.to_string()),
        size: identity.size,
        size_text: human_size(identity.size),
        integrity,
        integrity_from: from,
        file_count: known.and_then(|known| known.file_count).or_else(|| meta.number("file_count")),
        db_tables: known.and_then(|known| known.db_tables).or_else(|| meta.number("db_tables")),
        dump: None,
        name,
    };
    Some(Dated { stamp, info })
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
        assert_eq!((info.integrity, info.integrity_from), (Integrity::Valid, Some(IntegritySource::Meta)));
        assert_eq!((info.file_count, info.db_tables), (Some(12), Some(3)));
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
