//! What a live tree holds, and what would stand in the way of exchanging it.

use super::handle::{open_around, open_here};
use super::kind::Kind;
use super::walk::{Next, Visit, walk};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::progress::Monitor;
use rustix::fs::{AtFlags, OFlags, StatxAttributes, StatxTimestamp};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Most paths a survey names of each problem.
const NAMED: usize = 10;
/// Most immutable files and folders in whose places a restore sets the attribute.
pub const MAX_IMMUTABLE: usize = 100_000;
/// A second change within one tick of the filesystem's clock leaves no newer time. Kernels tick every 10 ms at the slowest.
const TICK_MS: i64 = 100;
/// The same for filesystems that keep whole seconds, or even ones.
const COARSE_TICK_MS: i64 = 2_100;

/// Counts and obstacles.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Regular files.
    pub files: u64,
    /// Folders, the root not counted.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// Devices, FIFOs, sockets.
    pub specials: u64,
    /// Bytes of file content.
    pub bytes: u64,
    /// The root is a symbolic link; nothing below it was looked at.
    pub root_is_link: bool,
    /// The root is a mount point.
    pub root_is_mount: bool,
    /// First mount points and subvolumes of btrfs below the root; they are not entered.
    pub mounts: Vec<String>,
    /// Files and folders that are immutable (`chattr +i`) and nothing worse, up to [`MAX_IMMUTABLE`] and one more.
    pub immutable: Vec<RelPath>,
    /// First files and folders that are append-only (`chattr +a`).
    pub held: Vec<Held>,
    /// Tells two states of the tree apart: path, inode, size, mode, owner and times of everything. The time of the last
    /// change of the inode (ctime) cannot be set back by anybody, so that a file rewritten in place shows too.
    pub state: u128,
}

/// A file or folder that is append-only (`chattr(1)`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its path below the root; empty for the root itself.
    pub path: String,
    /// The letters of its attributes: `a` or `ia`.
    pub letters: &'static str,
}

/// Surveys the tree at `root`; a missing root is `None`.
///
/// # Errors
/// `io_failed`, or what the monitor says.
pub fn survey(root: &Path, monitor: &dyn Monitor) -> Result<Option<Survey>> {
    survey_since(root, None, monitor)
}

/// The same. With the moment at which the looking began (milliseconds since 1970), what was changed so shortly before it
/// that one more change could leave the same times goes into the state with its content: git's "racy" files.
///
/// # Errors
/// As [`survey`].
pub fn survey_since(root: &Path, moment: Option<i64>, monitor: &dyn Monitor) -> Result<Option<Survey>> {
    let mut found = Survey::default();
    let Some((around, name)) = open_around(root)? else { return Ok(None) };
    let handle = match open_here(around.as_fd(), name.as_bytes(), OFlags::PATH) {
        Ok(handle) => handle,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(Error::io(format_args!("open {}", root.display()), &error.into())),
    };
    let stat = rustix::fs::statat(&handle, "", AtFlags::EMPTY_PATH)
        .map_err(|error| Error::io(format_args!("look at {}", root.display()), &error.into()))?;
    match super::kind::kind_of(stat.st_mode) {
        Kind::Symlink => {
            found.root_is_link = true;
            return Ok(Some(found));
        }
        Kind::Folder => {}
        _ => {
            return Err(Error::new(Code::NotExchangeable, format!("{} is no folder", root.display())));
        }
    }
    let root_stat = super::walk::statx_here(handle.as_fd(), b"").ok();
    let root_mount = root_stat.as_ref().map_or(0, |stat| stat.stx_mnt_id);
    let root_device = root_stat.as_ref().map_or((0, 0), |stat| (stat.stx_dev_major, stat.stx_dev_minor));
    walk(&handle, &mut |visit| {
        let name = |list: &mut Vec<String>| {
            if list.len() < NAMED {
                list.push(String::from_utf8_lossy(visit.path).into_owned());
            }
        };
        let has = |attribute| visit.stat.stx_attributes.contains(attribute);
        let immutable = has(StatxAttributes::IMMUTABLE);
        if has(StatxAttributes::APPEND) {
            if found.held.len() < NAMED {
                let letters = if immutable { "ia" } else { "a" };
                found.held.push(Held { path: String::from_utf8_lossy(visit.path).into_owned(), letters });
            }
        } else if immutable && found.immutable.len() <= MAX_IMMUTABLE {
            found.immutable.push(RelPath::parse(visit.path)?);
        }
        found.state = found.state.wrapping_add(state_of(visit, moment, monitor)?);
        if visit.path.is_empty() {
            found.root_is_mount = visit.stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
            return Ok(Next::Into);
        }
        // A subvolume is on the same mount, but has a device of its own; nothing removes one but btrfs itself.
        let device = (visit.stat.stx_dev_major, visit.stat.stx_dev_minor);
        let mounted = visit.stat.stx_mnt_id != root_mount || device != root_device || has(StatxAttributes::MOUNT_ROOT);
        if mounted {
            name(&mut found.mounts);
            return Ok(Next::Past);
        }
        match visit.kind {
            Kind::File => {
                found.files += 1;
                found.bytes += visit.stat.stx_size;
            }
            Kind::Folder => {
                found.folders += 1;
                monitor.keep_going()?;
            }
            Kind::Symlink => found.links += 1,
            Kind::Special => found.specials += 1,
        }
        Ok(Next::Into)
    })?;
    Ok(Some(found))
}

/// What one thing adds to the state of its tree; added up, the order of the walk does not matter.
fn state_of(visit: &Visit, moment: Option<i64>, monitor: &dyn Monitor) -> Result<u128> {
    let stat = visit.stat;
    let mut seen = Vec::with_capacity(visit.path.len() + 96);
    seen.extend_from_slice(visit.path);
    seen.push(0);
    for time in [stat.stx_ctime, stat.stx_mtime] {
        seen.extend_from_slice(&time.tv_sec.to_le_bytes());
        seen.extend_from_slice(&time.tv_nsec.to_le_bytes());
    }
    for number in [stat.stx_ino, stat.stx_size, u64::from(stat.stx_mode)] {
        seen.extend_from_slice(&number.to_le_bytes());
    }
    for number in [stat.stx_uid, stat.stx_gid, stat.stx_nlink] {
        seen.extend_from_slice(&number.to_le_bytes());
    }
    if visit.kind == Kind::File && moment.is_some_and(|moment| is_racy(stat.stx_ctime, moment)) {
        seen.extend_from_slice(&content_of(visit, monitor)?.to_le_bytes());
    }
    Ok(xxh3_128(&seen))
}

fn is_racy(changed: StatxTimestamp, moment: i64) -> bool {
    let tick = if changed.tv_nsec == 0 { COARSE_TICK_MS } else { TICK_MS };
    changed.tv_sec.saturating_mul(1000).saturating_add(i64::from(changed.tv_nsec / 1_000_000)) >= moment - tick
}

fn content_of(visit: &Visit, monitor: &dyn Monitor) -> Result<u64> {
    // What vanished or became unreadable meanwhile has another state at the next look.
    let Ok(file) = visit.open() else { return Ok(0) };
    let mut file = File::from(file);
    let (mut hash, mut buffer) = (Xxh3::new(), vec![0; 64 << 10]);
    loop {
        monitor.keep_going()?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hash.digest()),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Error::io(format_args!("read {:?}", String::from_utf8_lossy(visit.path)), &error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn a_tree_is_counted_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("site");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(root.join("a/b/f"), "12345").unwrap();
        std::os::unix::fs::symlink("/", root.join("a/l")).unwrap();
        let found = survey(&root, &Silent).unwrap().unwrap();
        assert_eq!((found.files, found.folders, found.links, found.bytes), (1, 2, 1, 5));
        assert!(!found.root_is_mount && found.mounts.is_empty() && found.immutable.is_empty() && found.held.is_empty());
        std::os::unix::fs::symlink(&root, folder.path().join("link")).unwrap();
        assert!(survey(&folder.path().join("link"), &Silent).unwrap().unwrap().root_is_link);
        assert!(survey(&folder.path().join("none"), &Silent).unwrap().is_none());
    }

    fn state(root: &Path, moment: Option<i64>) -> u128 {
        survey_since(root, moment, &Silent).unwrap().unwrap().state
    }

    /// After a pause longer than a tick: without it only the content could tell.
    fn later() {
        std::thread::sleep(std::time::Duration::from_millis(25));
    }

    #[test]
    fn every_kind_of_change_makes_another_state_and_reading_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("site");
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::write(root.join("a/f"), "12345").unwrap();
        std::os::unix::fs::symlink("f", root.join("a/l")).unwrap();
        let at = |path: &str| root.join(path);
        type Change<'a> = (&'a str, &'a dyn Fn());
        let changes: [Change; 6] = [
            ("content of the same size, time set back", &|| {
                let time = std::fs::metadata(at("a/f")).unwrap().modified().unwrap();
                std::fs::write(at("a/f"), "54321").unwrap();
                std::fs::File::open(at("a/f")).unwrap().set_modified(time).unwrap();
            }),
            ("a mode", &|| {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                std::fs::set_permissions(at("a/f"), mode).unwrap();
            }),
            ("an owner", &|| std::os::unix::fs::chown(at("a/f"), Some(12), None).unwrap()),
            ("a link", &|| {
                std::fs::remove_file(at("a/l")).unwrap();
                std::os::unix::fs::symlink("g", at("a/l")).unwrap();
            }),
            ("a new file", &|| std::fs::write(at("g"), "").unwrap()),
            ("a name", &|| std::fs::rename(at("g"), at("h")).unwrap()),
        ];
        for (what, change) in changes {
            later();
            let before = state(&root, None);
            std::fs::read(at("a/f")).unwrap();
            assert_eq!(state(&root, None), before, "before {what}");
            change();
            assert_ne!(state(&root, None), before, "{what}");
        }
    }

    #[test]
    fn what_changed_just_now_is_known_by_its_content() {
        let stamp = |tv_sec, tv_nsec| {
            let file = tempfile::NamedTempFile::new().unwrap();
            let mut stat = super::super::walk::statx_here(
                std::os::fd::AsFd::as_fd(&std::fs::File::open(file.path().parent().unwrap()).unwrap()),
                std::os::unix::ffi::OsStrExt::as_bytes(file.path().file_name().unwrap()),
            )
            .unwrap();
            (stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec) = (tv_sec, tv_nsec);
            stat.stx_ctime
        };
        assert!(is_racy(stamp(10, 950_000_000), 11_000));
        assert!(!is_racy(stamp(10, 800_000_000), 11_000));
        assert!(is_racy(stamp(10, 0), 11_000), "a filesystem of whole seconds");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("f"), "12345").unwrap();
        let long_ago = state(folder.path(), Some(i64::MAX / 2));
        assert_ne!(long_ago, state(folder.path(), Some(0)), "the content takes part");
        assert_eq!(long_ago, state(folder.path(), None));
    }
}
