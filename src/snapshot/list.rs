//! The snapshots of a domain, whatever form they have.

use crate::api::answer::snapshots::{SnapshotForm, SnapshotInfo};
use crate::backup::name::{Stamp, human_size, snapshot_stamp};
use crate::config::Config;
use crate::disk::{is_ours, open_ours};
use crate::error::{Code, Error, Result};
use crate::job::JobId;
use crate::path::Domain;
use crate::snapshot::create::{MANIFEST, PREFIX};
use serde_json::Value;
use std::cmp::Reverse;
use std::io::Read;
use std::path::{Path, PathBuf};

const MAX_MANIFEST: u64 = 16 << 20;

/// A snapshot and the moment in its name.
struct Dated {
    stamp: Option<Stamp>,
    info: SnapshotInfo,
}

/// Every snapshot of the domain, newest first.
///
/// # Errors
/// `io_failed` when the folder exists and cannot be read.
pub fn list(config: &Config, domain: &Domain) -> Result<Vec<SnapshotInfo>> {
    Ok(dated(config, domain)?.into_iter().map(|snapshot| snapshot.info).collect())
}

fn dated(config: &Config, domain: &Domain) -> Result<Vec<Dated>> {
    let folder = config.paths.snapshots().join(domain.as_str());
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(format_args!("read {}", folder.display()), &error)),
    };
    let now = Stamp::now();
    let retention_h = config.limits.snapshot_retention_h;
    let mut found: Vec<Dated> = entries
        .flatten()
        // A folder that somebody else may write to holds no snapshot of ours, whatever is in it.
        .filter(|entry| entry.metadata().is_ok_and(|metadata| metadata.is_dir() && is_ours(&metadata)))
        .filter_map(|entry| read_one(&entry.path(), now, retention_h))
        .collect();
    found.sort_by_key(|snapshot| Reverse((snapshot.stamp, snapshot.info.name.clone())));
    Ok(found)
}

fn read_one(path: &Path, now: Stamp, retention_h: u64) -> Option<Dated> {
    let name = path.file_name()?.to_str()?.to_owned();
    if !name.starts_with(PREFIX) {
        return None;
    }
    let stamp = snapshot_stamp(&name);
    let manifest = read_manifest(path);
    let text = |key: &str| manifest[key].as_str().map(str::to_owned);
    let number = |key: &str| manifest[key].as_u64();
    let part = |name: &str| std::fs::symlink_metadata(path.join(name)).ok().map(|metadata| metadata.len());
    let (files, database, config) = (part("files.tar.gz"), part("database.sql.gz"), part("config.tar.gz"));
    let form = match manifest["form"].as_str() {
        Some("retained") => SnapshotForm::Retained,
        Some(_) => SnapshotForm::Portable,
        None => SnapshotForm::Old,
    };
    let old_config = path.join("config").is_dir();
    let retained = form == SnapshotForm::Retained;
    let size =
        if retained { number("bytes").unwrap_or(0) } else { [files, database, config].into_iter().flatten().sum() };
    let changes = manifest["config"].as_array().is_some_and(|list| !list.is_empty());
    let age_s = stamp.map_or(0, |stamp| now.seconds_since(stamp));
    let info = SnapshotInfo {
        path: path.to_owned(),
        form,
        created: stamp.map_or_else(|| "unknown".into(), |stamp| stamp.to_string()),
        expires_in_h: retention_h as f64 - age_s as f64 / 3600.0,
        expires_in_s: retention_h.saturating_mul(3600).try_into().unwrap_or(i64::MAX).saturating_sub(age_s),
        size,
        size_text: human_size(size),
        job: text("job"),
        files: number("files"),
        tables: number("tables"),
        rows: number("rows"),
        has_files: files.is_some() || text("tree").is_some(),
        has_database: database.is_some() || text("schema_kept").is_some(),
        has_config: config.is_some() || old_config || (retained && changes),
        name,
    };
    Some(Dated { stamp, info })
}

/// A snapshot's manifest; `null` when it has none or it cannot be read.
pub(crate) fn read_manifest(folder: &Path) -> Value {
    let path = folder.join(MANIFEST);
    let mut text = Vec::new();
    let read = open_ours(&path).and_then(|file| file.take(MAX_MANIFEST).read_to_end(&mut text));
    if read.is_err() { Value::Null } else { serde_json::from_slice(&text).unwrap_or_default() }
}

/// Snapshots of the domain older than the retention time, oldest first, but never the newest one: the way back from
/// the last restore stays open.
///
/// # Errors
/// As [`list`].
pub fn expired(config: &Config, domain: &Domain) -> Result<Vec<PathBuf>> {
    let old = |snapshot: &Dated| snapshot.stamp.is_some() && snapshot.info.expires_in_h < 0.0;
    Ok(dated(config, domain)?.into_iter().skip(1).filter(old).map(|snapshot| snapshot.info.path).rev().collect())
}

/// Domains that have a folder of snapshots.
pub fn domains(config: &Config) -> Vec<Domain> {
    let entries = std::fs::read_dir(config.paths.snapshots()).into_iter().flatten().flatten();
    let mut found: Vec<Domain> = entries.filter_map(|entry| Domain::parse(entry.file_name().to_str()?).ok()).collect();
    found.sort();
    found
}

/// The job whose change-over kept the state, by the name of the folder; a portable snapshot has none in its name.
pub fn job_of(path: &Path) -> Option<JobId> {
    JobId::parse(path.file_name()?.to_str()?.strip_prefix(PREFIX)?).ok()
}

/// Whether the path is a snapshot's folder, directly in the domain's folder of snapshots.
///
/// # Errors
/// `path_not_allowed`, `snapshot_not_found`.
pub fn check_path(config: &Config, domain: &Domain, path: &Path) -> Result<()> {
    real_path(config, domain, path).map(drop)
}

/// The same, giving the path without links: what is done next is done to what was checked.
pub(crate) fn real_path(config: &Config, domain: &Domain, path: &Path) -> Result<PathBuf> {
    let real = crate::backup::locate::snapshot_folder(config, domain, path)?;
    let named = real.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    if named && !std::fs::symlink_metadata(&real).is_ok_and(|metadata| is_ours(&metadata)) {
        let shown = real.display();
        return Err(Error::new(
            Code::SnapshotInvalid,
            format!("others may write to {shown}: nobody knows what it holds"),
        )
        .hint(format!("Look into it, then run `chown -R root:root {shown} && chmod 700 {shown}`."))
        .with("path", shown.to_string()));
    }
    if named {
        return Ok(real);
    }
    Err(Error::new(Code::SnapshotNotFound, format!("{} is no snapshot of {domain}", path.display()))
        .with("path", path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn setting() -> (tempfile::TempDir, Config, Domain, PathBuf) {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let folder = config.paths.snapshots().join("example.com");
        std::fs::create_dir_all(&folder).unwrap();
        (base, config, Domain::parse("example.com").unwrap(), folder)
    }

    fn put(folder: &Path, stamp: &str, manifest: Option<Value>) -> PathBuf {
        let path = folder.join(format!("{PREFIX}{stamp}"));
        std::fs::create_dir(&path).unwrap();
        match manifest {
            Some(manifest) => std::fs::write(path.join(MANIFEST), manifest.to_string()).unwrap(),
            None => std::fs::write(path.join("files.tar.gz"), "1234").unwrap(),
        }
        path
    }

    #[test]
    fn every_form_is_listed_newest_first() {
        let (_base, config, domain, folder) = setting();
        put(&folder, "20251004_100000", None);
        put(
            &folder,
            "20251005_100000_8c2d9e903a18",
            Some(
                json!({"schema": 1, "form": "retained", "job": "j", "tree": "/t", "schema_kept": null, "files": 5, "bytes": 9}),
            ),
        );
        put(&folder, "20251003_100000", Some(json!({"form": "portable", "tables": 2})));
        std::fs::create_dir(folder.join(".making_20251006_100000_x")).unwrap();
        std::fs::create_dir(folder.join("other")).unwrap();
        let found = list(&config, &domain).unwrap();
        let forms: Vec<SnapshotForm> = found.iter().map(|info| info.form).collect();
        assert_eq!(forms, [SnapshotForm::Retained, SnapshotForm::Old, SnapshotForm::Portable]);
        assert_eq!((found[0].size, found[0].has_files, found[0].has_database), (9, true, false));
        assert_eq!((found[1].size, found[1].has_files, found[1].created.as_str()), (4, true, "2025-10-04T10:00:00"));
        assert_eq!(found[2].tables, Some(2));
        assert_eq!(domains(&config), [domain]);
    }

    #[test]
    fn the_newest_snapshot_never_expires() {
        let (_base, config, domain, folder) = setting();
        let oldest = put(&folder, "20201003_100000", None);
        let older = put(&folder, "20201004_100000_8c2d9e903a18", None);
        put(&folder, "20201005_100000", None);
        assert_eq!(expired(&config, &domain).unwrap(), [oldest, older]);
        let fresh = Stamp::now().compact();
        put(&folder, &fresh, None);
        assert_eq!(expired(&config, &domain).unwrap().len(), 3);
    }

    #[test]
    fn a_damaged_manifest_is_none() {
        let (_base, config, domain, folder) = setting();
        let path = put(&folder, "20251004_100000", None);
        std::fs::write(path.join(MANIFEST), "{cut").unwrap();
        assert_eq!(list(&config, &domain).unwrap()[0].form, SnapshotForm::Old);
    }

    #[test]
    fn only_a_snapshots_own_folder_passes_the_check() {
        let (base, config, domain, folder) = setting();
        let path = put(&folder, "20251004_100000", None);
        check_path(&config, &domain, &path).unwrap();
        std::fs::create_dir(folder.join("other")).unwrap();
        std::os::unix::fs::symlink(base.path(), folder.join("pre_restore_link")).unwrap();
        let codes: Vec<Code> = [
            folder.join("other"),
            folder.clone(),
            folder.join("pre_restore_link"),
            path.join(".."),
            "/".into(),
            folder.join("pre_restore_20200101_000000"),
        ]
        .iter()
        .map(|path| check_path(&config, &domain, path).unwrap_err().code)
        .collect();
        use Code::{PathNotAllowed, SnapshotNotFound};
        assert_eq!(
            codes,
            [SnapshotNotFound, PathNotAllowed, PathNotAllowed, PathNotAllowed, PathNotAllowed, SnapshotNotFound]
        );
    }
}
