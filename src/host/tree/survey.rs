//! What a live tree holds, and what would stand in the way of exchanging it.

use super::walk::{Kind, Next, walk};
use crate::error::{Code, Error, Result};
use crate::progress::Monitor;
use rustix::fs::{AtFlags, OFlags, StatxAttributes};
use std::path::Path;

/// Most paths a survey names of each problem.
const NAMED: usize = 10;

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
    /// First mount points below the root; they are not entered.
    pub mounts: Vec<String>,
    /// First immutable or append-only files and folders.
    pub immutable: Vec<String>,
}

/// Surveys the tree at `root`; a missing root is `None`.
///
/// # Errors
/// `io_failed`, or what the monitor says.
pub fn survey(root: &Path, monitor: &dyn Monitor) -> Result<Option<Survey>> {
    let mut found = Survey::default();
    let handle =
        match rustix::fs::open(root, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, rustix::fs::Mode::empty()) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(Error::io(format_args!("open {}", root.display()), &error.into())),
        };
    let stat = rustix::fs::statat(&handle, "", AtFlags::EMPTY_PATH)
        .map_err(|error| Error::io(format_args!("look at {}", root.display()), &error.into()))?;
    match super::walk::kind_of(stat.st_mode) {
        Kind::Symlink => {
            found.root_is_link = true;
            return Ok(Some(found));
        }
        Kind::Folder => {}
        _ => {
            return Err(Error::new(Code::NotExchangeable, format!("{} is no folder", root.display())));
        }
    }
    let root_mount = super::walk::statx_here(std::os::fd::AsFd::as_fd(&handle), b"").map_or(0, |stat| stat.stx_mnt_id);
    walk(&handle, &mut |visit| {
        let name = |list: &mut Vec<String>| {
            if list.len() < NAMED {
                list.push(String::from_utf8_lossy(visit.path).into_owned());
            }
        };
        if visit.stat.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND) {
            name(&mut found.immutable);
        }
        if visit.path.is_empty() {
            found.root_is_mount = visit.stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
            return Ok(Next::Into);
        }
        let mounted =
            visit.stat.stx_mnt_id != root_mount || visit.stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
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
        assert!(!found.root_is_mount && found.mounts.is_empty() && found.immutable.is_empty());
        std::os::unix::fs::symlink(&root, folder.path().join("link")).unwrap();
        assert!(survey(&folder.path().join("link"), &Silent).unwrap().unwrap().root_is_link);
        assert!(survey(&folder.path().join("none"), &Silent).unwrap().is_none());
    }
}
