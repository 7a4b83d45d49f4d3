//! From a request's word to open files. Only what lies under the backup folder (or, for rollback, the domain's
//! snapshot folder) is opened; the check is made on the path without links, and the file is opened once.

use crate::backup::layout::{ConfigItem, Place, Site, config_place};
use crate::backup::list::{BackupInfo, archives, list};
use crate::backup::name::{BackupName, Family, Kind, Stamp, dump_stamp, snapshot_stamp};
use crate::backup::source::{Form, Part, Role, Source};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::{Domain, RelPath};
use std::path::{Path, PathBuf};

/// A dump belongs to the archive before it when it was written within this time, and before the next archive.
const DUMP_WITHIN_S: i64 = 6 * 3600;

/// How much of an archive's content is unpacked to learn its layout early.
const PEEK_BYTES: u64 = 1 << 20;

/// Opens the backup a request names: `latest`, or an absolute path below the backup folder.
///
/// # Errors
/// `backup_not_found`, `backup_unreadable`, `path_not_allowed`, `backup_chain_broken` (incremental backups).
pub fn locate(config: &Config, domain: &Domain, word: &str) -> Result<Source> {
    let path = if word == "latest" { latest(config, domain)? } else { PathBuf::from(word) };
    let archive = open_archive(config, domain, &path)?;
    let name = archive.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let parsed = BackupName::parse(&name).unwrap_or(BackupName { family: Family::Foreign, stamp: None });
    if parsed.kind() == Kind::Incremental {
        return Err(incremental(config, domain, &archive.path));
    }
    let site = Site::new(config, domain);
    let layout = peek(&archive, &site);
    let mut parts = vec![archive];
    // Only the layout that has its database beside the archive; elsewhere such a file is somebody else's.
    if layout == Some("smart_full")
        && let Some(dump) = companion(&parts[0].path, parsed.stamp)?
    {
        parts.push(Part::open(&dump, Role::Dump)?);
    }
    let path = parts[0].path.clone();
    Ok(Source { form: Form::Backup, path, stamp: parsed.stamp, kind: parsed.kind(), parts, layout, site })
}

/// Opens a portable snapshot (ours, the seed's or the old engine's) of the domain as a source.
///
/// # Errors
/// `snapshot_not_found`, `path_not_allowed`, `snapshot_invalid` when it has no part that could be restored.
pub fn locate_snapshot(config: &Config, domain: &Domain, folder: &Path) -> Result<Source> {
    let path = snapshot_folder(config, domain, folder)?;
    let mut parts = Vec::new();
    for (name, role) in
        [("files.tar.gz", Role::Files), ("database.sql.gz", Role::Dump), ("config.tar.gz", Role::Config)]
    {
        let file = path.join(name);
        if file.symlink_metadata().is_ok() {
            parts.push(Part::open(&file, role)?);
        }
    }
    for (name, item) in [("nginx.conf", ConfigItem::Nginx), ("php-fpm.conf", ConfigItem::PhpFpm)] {
        let file = path.join("config").join(name);
        if file.symlink_metadata().is_ok() {
            debug_assert_eq!(config_place(&[name.as_bytes()]), Some(Place::Config(item, name.into())));
            parts.push(Part::open(&file, Role::ConfigFile { item, name: name.into() })?);
        }
    }
    if parts.is_empty() {
        return Err(Error::new(Code::SnapshotInvalid, format!("{} holds no snapshot", path.display()))
            .with("path", path.display().to_string()));
    }
    let stamp = path.file_name().and_then(|name| snapshot_stamp(name.to_str()?));
    let site = Site::new(config, domain);
    Ok(Source { form: Form::Snapshot, path, stamp, kind: Kind::Full, parts, layout: Some("snapshot"), site })
}

/// The folder of a snapshot, without links, checked to lie directly in `snapshots/DOMAIN`.
///
/// # Errors
/// `snapshot_not_found`, `path_not_allowed`.
pub fn snapshot_folder(config: &Config, domain: &Domain, folder: &Path) -> Result<PathBuf> {
    let missing = |path: &Path| {
        Error::new(Code::SnapshotNotFound, format!("{} is no snapshot of {domain}", path.display()))
            .with("path", path.display().to_string())
    };
    let root = config.paths.snapshots().join(domain.as_str());
    let root = root.canonicalize().map_err(|_| missing(folder))?;
    let path = folder.canonicalize().map_err(|_| missing(folder))?;
    if !folder.is_absolute() || path.parent() != Some(root.as_path()) {
        return Err(Error::new(
            Code::PathNotAllowed,
            format!("{} is not in the domain's snapshot folder {}", folder.display(), root.display()),
        )
        .with("path", folder.display().to_string()));
    }
    if path.is_dir() { Ok(path) } else { Err(missing(folder)) }
}

fn latest(config: &Config, domain: &Domain) -> Result<PathBuf> {
    // An archive of all domains may not hold this one: it is restored only when it is named.
    let newest = list(config, domain)?.into_iter().find(|info| info.layout.as_deref() != Some("all_domains"));
    newest.map(|info| info.path).ok_or_else(|| {
        let folder = config.paths.backups().join(domain.as_str());
        Error::new(Code::BackupNotFound, format!("{domain} has no backup in {}", folder.display()))
            .with("folder", folder.display().to_string())
    })
}

fn incremental(config: &Config, domain: &Domain, path: &Path) -> Error {
    let own_full = |info: &BackupInfo| info.kind == Kind::Full && info.layout.as_deref() != Some("all_domains");
    let full = list(config, domain).unwrap_or_default().into_iter().find(own_full);
    let error = Error::new(
        Code::BackupChainBroken,
        format!("{} is an incremental backup; this version restores full backups only", path.display()),
    )
    .with("path", path.display().to_string());
    match full {
        Some(full) => {
            let shown = full.path.display().to_string();
            error.hint(format!("Restore the newest full backup: {shown}")).with("full", shown)
        }
        None => error.hint("Make a full backup; none exists for this domain."),
    }
}

/// Opens an archive after checking where it lies.
///
/// # Errors
/// `path_not_allowed`, `backup_not_found`, `backup_unreadable`.
pub fn open_archive(config: &Config, domain: &Domain, path: &Path) -> Result<Part> {
    let shown = path.display().to_string();
    let not_allowed = |why: String| Error::new(Code::PathNotAllowed, why).with("path", shown.clone());
    if !path.is_absolute() {
        return Err(not_allowed(format!("{shown} is not an absolute path")));
    }
    let folder = config.paths.backups();
    let outside = || not_allowed(format!("{shown} is not in the backup folder {}", folder.display()));
    let root = folder.canonicalize().map_err(|_| outside())?;
    let real = match path.canonicalize() {
        Ok(real) => real,
        // Whether a file exists outside our folder is nobody's business.
        Err(_) if !(path.starts_with(&folder) || path.starts_with(&root)) => return Err(outside()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::new(Code::BackupNotFound, format!("{shown} does not exist")).with("path", shown));
        }
        Err(error) => {
            return Err(Error::new(Code::BackupUnreadable, format!("{shown}: {error}")).with("path", shown));
        }
    };
    let inner = real.strip_prefix(&root).map_err(|_| outside())?;
    if let Some(owner) = foreign_owner(inner, domain) {
        return Err(not_allowed(format!("{shown} is a backup of {owner}, not of {domain}"))
            .hint(format!("To use it for {domain}, copy it into {}.", root.join(domain.as_str()).display())));
    }
    Part::open(&real, Role::Archive)
}

/// The other domain a backup belongs to, by its folder or name.
fn foreign_owner(inner: &Path, domain: &Domain) -> Option<String> {
    let names: Vec<&str> = inner.iter().filter_map(|name| name.to_str()).collect();
    if let [folder, _, ..] = names.as_slice()
        && folder.contains('.')
        && Domain::parse(folder).is_ok_and(|owner| owner != *domain)
    {
        return Some((*folder).to_owned());
    }
    match BackupName::parse(names.last()?)?.family {
        Family::Domain(owner) if owner != domain.as_str() => Some(owner),
        _ => None,
    }
}

/// Learns the layout from the first entries; nothing when they do not tell or cannot be read (staging will say why).
fn peek(part: &Part, site: &Site) -> Option<&'static str> {
    use std::io::Read;
    let mut sorter = part.sorter(site)?;
    let raw: Box<dyn Read> =
        if part.gzip { Box::new(flate2::read::MultiGzDecoder::new(part.reader())) } else { Box::new(part.reader()) };
    let mut archive = tar::Archive::new(raw.take(PEEK_BYTES));
    for entry in archive.entries().ok()? {
        let entry = entry.ok()?;
        let path = RelPath::parse(&entry.path_bytes()).ok()?;
        sorter.place(&path).ok()?;
        if sorter.layout().is_some() {
            break;
        }
    }
    sorter.layout()
}

fn companion(archive: &Path, stamp: Option<Stamp>) -> Result<Option<PathBuf>> {
    let (Some(folder), Some(stamp)) = (archive.parent(), stamp) else { return Ok(None) };
    let name = |path: &PathBuf| BackupName::parse(path.file_name()?.to_str()?)?.stamp;
    let stamps: Vec<Stamp> = archives(folder)?.iter().filter_map(name).collect();
    Ok(dump_of(stamp, &stamps, &dumps(folder)))
}

/// The dumps that lie in a folder, with their moments.
pub(crate) fn dumps(folder: &Path) -> Vec<(Stamp, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let dump = |entry: std::fs::DirEntry| {
        let stamp = dump_stamp(entry.file_name().to_str()?)?;
        entry.file_type().ok()?.is_file().then(|| (stamp, entry.path()))
    };
    entries.flatten().filter_map(dump).collect()
}

/// The dump written for the archive of this moment: the first one after it, but not after the next archive.
pub(crate) fn dump_of(stamp: Stamp, archives: &[Stamp], dumps: &[(Stamp, PathBuf)]) -> Option<PathBuf> {
    let next = archives.iter().filter(|other| **other > stamp).min();
    dumps
        .iter()
        .filter(|(moment, _)| *moment >= stamp && moment.seconds_since(stamp) <= DUMP_WITHIN_S)
        .filter(|(moment, _)| next.is_none_or(|next| moment < next))
        .min()
        .map(|(_, path)| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn setting() -> (tempfile::TempDir, Config, Domain) {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().join("rocketvps");
        std::fs::create_dir_all(config.paths.backups().join("example.com")).unwrap();
        (base, config, Domain::parse("example.com").unwrap())
    }

    fn put(path: &Path, members: &[&str]) {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for member in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(1);
            header.set_mode(0o644);
            builder.append_data(&mut header, member, &b"x"[..]).unwrap();
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, builder.into_inner().unwrap().finish().unwrap()).unwrap();
    }

    fn refused(config: &Config, domain: &Domain, path: &Path) -> Code {
        locate(config, domain, path.to_str().unwrap()).unwrap_err().code
    }

    #[test]
    fn latest_is_the_newest_of_the_domain() {
        let (_base, config, domain) = setting();
        assert_eq!(locate(&config, &domain, "latest").unwrap_err().code, Code::BackupNotFound);
        let folder = config.paths.backups().join("example.com");
        put(&folder.join("backup_20251004_030000.tar.gz"), &["www/a"]);
        put(&folder.join("backup_20251005_030000.tar.gz"), &["www/a"]);
        put(&config.paths.backups().join("all_domains_20251009_030000.tar.gz"), &["other.com/html/a"]);
        let source = locate(&config, &domain, "latest").unwrap();
        assert!(source.path.ends_with("backup_20251005_030000.tar.gz"));
        assert_eq!((source.layout, source.parts.len()), (Some("design"), 1));
        source.same_as(&source.identities()).unwrap();
        assert_eq!(source.same_as(&[]).unwrap_err().code, Code::BackupChanged);
    }

    #[test]
    fn only_the_backup_folder_is_opened_whatever_the_spelling() {
        let (base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        let outside = base.path().join("backup_20251004_030000.tar.gz");
        put(&outside, &["www/a"]);
        std::os::unix::fs::symlink(&outside, folder.join("backup_20251004_030000.tar.gz")).unwrap();
        std::os::unix::fs::symlink(base.path(), folder.join("sub")).unwrap();
        for path in [
            outside.clone(),
            folder.join("backup_20251004_030000.tar.gz"),
            folder.join("sub/backup_20251004_030000.tar.gz"),
            folder.join("../../../backup_20251004_030000.tar.gz"),
            base.path().join("missing.tar.gz"),
            "backup_20251004_030000.tar.gz".into(),
            "/etc/passwd".into(),
        ] {
            assert_eq!(refused(&config, &domain, &path), Code::PathNotAllowed, "{path:?}");
        }
        assert_eq!(refused(&config, &domain, &folder.join("backup_x.tar.gz")), Code::BackupNotFound);
        assert_eq!(refused(&config, &domain, &folder), Code::BackupUnreadable);
    }

    #[test]
    fn another_domains_backup_is_not_restored_here() {
        let (_base, config, domain) = setting();
        let foreign = config.paths.backups().join("other.com/backup_20251004_030000.tar.gz");
        put(&foreign, &["www/a"]);
        let error = locate(&config, &domain, foreign.to_str().unwrap()).unwrap_err();
        assert_eq!(error.code, Code::PathNotAllowed);
        assert!(error.message.contains("other.com") && error.hint.contains("example.com"));
        let named = config.paths.backups().join("domain_other.com_20251004_030000.tar.gz");
        put(&named, &["html/a"]);
        assert_eq!(refused(&config, &domain, &named), Code::PathNotAllowed);
    }

    #[test]
    fn the_dump_beside_a_smart_backup_is_the_one_written_for_it() {
        let (_base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        put(&folder.join("backup_20251004_030000.tar.gz"), &["var/www/example.com/a"]);
        put(&folder.join("backup_20251005_030000_incremental.tar.gz"), &["var/www/example.com/a"]);
        put(&folder.join("backup_20251006_030000.tar.gz"), &["var/www/example.com/a"]);
        for stamp in ["20251004_025959", "20251004_030009", "20251005_030009"] {
            std::fs::write(folder.join(format!("database_{stamp}.sql.gz")), b"\x1f\x8b").unwrap();
        }
        let named = |stamp: &str| folder.join(format!("backup_{stamp}.tar.gz")).display().to_string();
        let source = locate(&config, &domain, &named("20251004_030000")).unwrap();
        assert_eq!(source.layout, Some("smart_full"));
        assert!(source.dump_beside().unwrap().path.ends_with("database_20251004_030009.sql.gz"));
        assert!(locate(&config, &domain, &named("20251006_030000")).unwrap().dump_beside().is_none());
    }

    #[test]
    fn an_incremental_backup_is_refused_with_the_full_one_named() {
        let (_base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        put(&folder.join("backup_20251004_030000.tar.gz"), &["www/a"]);
        put(&folder.join("backup_20251005_030000_incremental.tar.gz"), &["www/a"]);
        let error = locate(&config, &domain, "latest").unwrap_err();
        assert_eq!(error.code, Code::BackupChainBroken);
        assert!(error.hint.contains("backup_20251004_030000.tar.gz"), "{}", error.hint);
    }

    #[test]
    fn a_damaged_archive_is_located_and_fails_when_it_is_read() {
        let (_base, config, domain) = setting();
        let path = config.paths.backups().join("example.com/backup_20251004_030000.tar.gz");
        std::fs::write(&path, b"\x1f\x8bnot gzip at all").unwrap();
        assert_eq!(locate(&config, &domain, path.to_str().unwrap()).unwrap().layout, None);
    }

    #[test]
    fn snapshots_of_every_form_are_sources() {
        let (_base, config, domain) = setting();
        let root = config.paths.snapshots().join("example.com");
        let seed = root.join("pre_restore_20251004_100000");
        for name in ["files.tar.gz", "config.tar.gz"] {
            put(&seed.join(name), &["example.com/a"]);
        }
        std::fs::write(seed.join("database.sql.gz"), b"\x1f\x8b").unwrap();
        let source = locate_snapshot(&config, &domain, &seed).unwrap();
        let roles: Vec<&Role> = source.parts.iter().map(|part| &part.role).collect();
        assert_eq!(roles, [&Role::Files, &Role::Dump, &Role::Config]);
        assert_eq!(source.stamp.unwrap().to_string(), "2025-10-04T10:00:00");

        let old = root.join("pre_restore_20251003_100000");
        put(&old.join("files.tar.gz"), &["example.com/a"]);
        std::fs::create_dir(old.join("config")).unwrap();
        std::fs::write(old.join("config/nginx.conf"), "server {}").unwrap();
        let source = locate_snapshot(&config, &domain, &old).unwrap();
        assert_eq!(source.parts.len(), 2);

        let other = config.paths.snapshots().join("other.com/pre_restore_20251003_100000");
        put(&other.join("files.tar.gz"), &["other.com/a"]);
        assert_eq!(locate_snapshot(&config, &domain, &other).unwrap_err().code, Code::PathNotAllowed);
        let gone = root.join("pre_restore_20200101_000000");
        assert_eq!(locate_snapshot(&config, &domain, &gone).unwrap_err().code, Code::SnapshotNotFound);
        std::fs::create_dir(&gone).unwrap();
        assert_eq!(locate_snapshot(&config, &domain, &gone).unwrap_err().code, Code::SnapshotInvalid);
    }
}
