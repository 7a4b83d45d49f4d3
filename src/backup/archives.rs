//! The archives in the folders of backups, by their names alone.

use crate::backup::identity::Identity;
use crate::backup::name::{BackupName, Family, Stamp};
use crate::config::Config;
use crate::error::{Code, Error, IoContext, Result};
use crate::path::Domain;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The newest backup of the domain, from names alone. An archive of all domains may not hold this one: it is restored only when
/// it is named.
///
/// # Errors
/// As [`list`](super::list::list).
pub(crate) fn newest_first(config: &Config, domain: &Domain) -> Result<Vec<PathBuf>> {
    let own = config.paths.backups().join(domain.as_str());
    let mut found = Vec::new();
    for folder in [own.as_path(), &config.paths.backups()] {
        for path in archives(folder)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
            let Some(parsed) = BackupName::parse(&name) else { continue };
            let is_own = match &parsed.family {
                Family::Own(_) | Family::Foreign => folder == own,
                Family::Domain(of) => of == domain.as_str(),
                Family::AllDomains => false,
            };
            if is_own && let Some(stamp) = parsed.stamp.or_else(|| changed_at(&path)) {
                found.push((stamp, name, path));
            }
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(found.into_iter().map(|(.., path)| path).collect())
}

fn changed_at(path: &Path) -> Option<Stamp> {
    Stamp::of_second(Identity::from_metadata(&std::fs::symlink_metadata(path).ok()?).mtime)
}

/// The archives in a folder, in no order; none when the folder does not exist.
pub(crate) fn archives(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => {
            return Err(Error::new(Code::BackupUnreadable, format!("cannot read {}: {error}", folder.display()))
                .with("path", folder.display().to_string()));
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.doing(|| format!("read {}", folder.display()))?;
        let is_archive = entry.file_name().to_str().is_some_and(|name| BackupName::parse(name).is_some());
        if is_archive && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}
