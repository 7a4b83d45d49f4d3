//! Deleting a snapshot's folder. The kept tree and schema of a retained one are the engine's to purge first.

use crate::config::Config;
use crate::error::{IoContext, Result};
use crate::host::tree;
use crate::path::Domain;
use crate::progress::Silent;
use crate::snapshot::create::{MANIFEST, UNFINISHED};
use crate::snapshot::list::real_path;
use rustix::fs::{AtFlags, Mode, OFlags};
use std::path::{Path, PathBuf};

/// Deletes the folder by handle: no link in it is followed. Its manifest goes last, so that a deletion cut short shows
/// what is left to do.
///
/// # Errors
/// `path_not_allowed`, `snapshot_not_found`, `io_failed`.
pub fn delete(config: &Config, domain: &Domain, path: &Path) -> Result<()> {
    let path = real_path(config, domain, path)?;
    let parent = tree::open_folder(&config.paths.snapshots().join(domain.as_str()))?;
    let name = path.file_name().unwrap_or_default();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder =
        rustix::fs::openat(&parent, name, flags, Mode::empty()).doing(|| format!("open {}", path.display()))?;
    let entries = rustix::fs::Dir::read_from(&folder).doing(|| format!("read {}", path.display()))?;
    for entry in entries {
        let entry = entry.doing(|| format!("read {}", path.display()))?;
        let bytes = entry.file_name().to_bytes();
        if !matches!(bytes, b"." | b"..") && bytes != MANIFEST.as_bytes() {
            let entry: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
            tree::remove(&folder, entry, &Silent)?;
        }
    }
    match rustix::fs::unlinkat(&folder, MANIFEST, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(error) => return Err(error).doing(|| format!("remove {MANIFEST}")),
    }
    rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR).doing(|| format!("remove {}", path.display()))
}

/// Removes what a snapshot left that was never finished, when it is older than an hour (its maker is gone: a job is
/// bounded in time). Returns what was removed.
///
/// # Errors
/// `io_failed`.
pub fn sweep(config: &Config, domain: &Domain) -> Result<Vec<PathBuf>> {
    let folder = config.paths.snapshots().join(domain.as_str());
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let parent = tree::open_folder(&folder)?;
    let limit = std::time::Duration::from_secs(config.limits.restore_timeout_s.max(3600));
    let mut removed = Vec::new();
    for entry in entries.flatten() {
        let old = || {
            entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > limit))
        };
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) && old() {
            tree::remove(&parent, &entry.file_name(), &Silent)?;
            removed.push(entry.path());
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn only_the_snapshot_goes_and_no_link_is_followed() {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let domain = Domain::parse("example.com").unwrap();
        let folder = config.paths.snapshots().join("example.com/pre_restore_20251004_100000");
        std::fs::create_dir_all(folder.join("config")).unwrap();
        std::fs::write(folder.join(MANIFEST), "{}").unwrap();
        std::fs::write(folder.join("config/nginx.conf"), "x").unwrap();
        let outside = base.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("keep"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, folder.join("link")).unwrap();
        assert_eq!(delete(&config, &domain, &outside).unwrap_err().code, Code::PathNotAllowed);
        // A link with the name of another snapshot: what it leads to was checked, and that is what goes.
        let other = folder.with_file_name("pre_restore_20251005_100000");
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&other, base.path().join("pre_restore_20251004_100000")).unwrap();
        delete(&config, &domain, &base.path().join("pre_restore_20251004_100000")).unwrap();
        assert!(folder.exists() && !other.exists());
        delete(&config, &domain, &folder).unwrap();
        assert!(!folder.exists() && outside.join("keep").exists());
        assert_eq!(delete(&config, &domain, &folder).unwrap_err().code, Code::SnapshotNotFound);
    }
}
