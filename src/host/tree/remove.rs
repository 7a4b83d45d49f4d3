//! Removing a tree: by handles, never through a link, never across a mount.

use super::attributes::unlink_held;
use super::handle::{open_here, stat_here};
use super::kind::{Kind, kind_of};
use crate::error::{Code, Error, Result};
use crate::progress::Monitor;
use rustix::fs::{AtFlags, Dir, FileType, OFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Deeper folders are first moved up, so that no tree needs more open folders than this.
const DEEPEST: usize = 100;

/// Removes what `name` in `parent` stands for, with everything below it. Nothing there is success. Returns how many
/// things were removed.
///
/// # Errors
/// `not_exchangeable` at a mount point (what lies above it may be gone), `io_failed`, or what the monitor says.
pub fn remove(parent: impl AsFd, name: &OsStr, monitor: &dyn Monitor) -> Result<u64> {
    let parent = parent.as_fd();
    let fail = |error: Errno| Error::io(format_args!("remove {}", name.display()), &error.into());
    let Some(stat) = stat_here(parent, name.as_bytes()).map_err(fail)? else { return Ok(0) };
    if kind_of(stat.st_mode) != Kind::Folder {
        unlink(parent, name.as_bytes(), AtFlags::empty()).map_err(fail)?;
        return Ok(1);
    }
    let top = open_here(parent, name.as_bytes(), OFlags::DIRECTORY | OFlags::RDONLY).map_err(fail)?;
    let mut removal = Removal { device: stat.st_dev, mount: mount(top.as_fd()), monitor, count: 0, moved: 0 };
    loop {
        let before = removal.moved;
        removal.empty(top.as_fd(), top.as_fd(), 0)?;
        // what was moved up is emptied by another round
        if removal.moved == before {
            break;
        }
    }
    unlink(parent, name.as_bytes(), AtFlags::REMOVEDIR).map_err(fail)?;
    Ok(removal.count + 1)
}

/// What is removed here is this program's to remove, whatever attribute it was given.
fn unlink(folder: BorrowedFd, name: &[u8], how: AtFlags) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(folder, name, how) {
        Err(Errno::PERM) => unlink_held(folder, name, how).map_err(|_| Errno::PERM),
        other => other,
    }
}

struct Removal<'a> {
    device: u64,
    mount: u64,
    monitor: &'a dyn Monitor,
    count: u64,
    moved: u64,
}

impl Removal<'_> {
    fn empty(&mut self, top: BorrowedFd, folder: BorrowedFd, depth: usize) -> Result<()> {
        self.monitor.keep_going()?;
        let mut entries = Dir::read_from(folder).map_err(|error| failed(b".", error))?;
        let mut folders: Vec<Vec<u8>> = Vec::new();
        while let Some(entry) = entries.read() {
            let entry = entry.map_err(|error| failed(b".", error))?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let is_folder = match entry.file_type() {
                FileType::Directory => true,
                FileType::Unknown => stat_here(folder, name)
                    .map_err(|error| failed(name, error))?
                    .is_some_and(|stat| kind_of(stat.st_mode) == Kind::Folder),
                _ => false,
            };
            if is_folder {
                folders.push(name.to_vec());
                continue;
            }
            match unlink(folder, name, AtFlags::empty()) {
                Ok(()) => self.count += 1,
                Err(Errno::NOENT) => {}
                Err(Errno::ISDIR) => folders.push(name.to_vec()),
                Err(error) => return Err(failed(name, error)),
            }
            if self.count.is_multiple_of(256) {
                self.monitor.keep_going()?;
            }
        }
        drop(entries);
        for name in folders {
            let below = match open_here(folder, &name, OFlags::DIRECTORY | OFlags::RDONLY) {
                Ok(below) => below,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(failed(&name, error)),
            };
            self.same_mount(&below, &name)?;
            if depth == DEEPEST {
                drop(below);
                self.move_up(top, folder, &name)?;
                continue;
            }
            self.empty(top, below.as_fd(), depth + 1)?;
            match unlink(folder, name.as_slice(), AtFlags::REMOVEDIR) {
                Ok(()) => self.count += 1,
                Err(Errno::NOENT) => {}
                Err(error) => return Err(failed(&name, error)),
            }
        }
        Ok(())
    }

    fn move_up(&mut self, top: BorrowedFd, folder: BorrowedFd, name: &[u8]) -> Result<()> {
        loop {
            let up = format!(".rocketvps-removal-{}", self.moved);
            self.moved += 1;
            match rustix::fs::renameat_with(folder, name, top, up.as_str(), RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(()),
                // the tree has such a name of its own
                Err(Errno::EXIST) => self.monitor.keep_going()?,
                Err(error) => return Err(failed(name, error)),
            }
        }
    }

    fn same_mount(&self, folder: &OwnedFd, name: &[u8]) -> Result<()> {
        let stat = rustix::fs::fstat(folder).map_err(|error| failed(name, error))?;
        if stat.st_dev != self.device || mount(folder.as_fd()) != self.mount {
            let shown = String::from_utf8_lossy(name).into_owned();
            return Err(Error::new(
                Code::NotExchangeable,
                format!("{shown:?} is a mount point; nothing in it was removed"),
            )
            .hint("Unmount it, then clean up again.")
            .with("path", shown));
        }
        Ok(())
    }
}

/// The mount a folder is on; 0 on kernels that do not tell.
fn mount(folder: BorrowedFd) -> u64 {
    super::walk::statx_here(folder, b"").map_or(0, |stat| stat.stx_mnt_id)
}

fn failed(name: &[u8], error: Errno) -> Error {
    Error::io(format_args!("remove {:?}", String::from_utf8_lossy(name)), &error.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree::handle::open_folder;
    use crate::progress::Silent;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_tree_goes_and_what_its_links_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        let keep = folder.path().join("keep");
        std::fs::create_dir_all(&keep).unwrap();
        std::fs::write(keep.join("f"), "x").unwrap();
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(tree.join("a/b/c")).unwrap();
        std::fs::write(tree.join("a/b/f"), "x").unwrap();
        symlink(&keep, tree.join("a/b/link")).unwrap();
        symlink("../keep", tree.join("rel")).unwrap();
        let parent = open_folder(folder.path()).unwrap();
        assert_eq!(remove(&parent, OsStr::new("tree"), &Silent).unwrap(), 7);
        assert!(!tree.exists() && keep.join("f").exists());
        assert_eq!(remove(&parent, OsStr::new("tree"), &Silent).unwrap(), 0);
        symlink("keep", folder.path().join("l")).unwrap();
        assert_eq!(remove(&parent, OsStr::new("l"), &Silent).unwrap(), 1);
        assert!(keep.join("f").exists());
    }

    #[test]
    fn a_tree_deeper_than_there_are_descriptors_goes_too() {
        let folder = tempfile::tempdir().unwrap();
        let parent = open_folder(folder.path()).unwrap();
        let mut here = crate::host::tree::create_folder(parent.as_fd(), OsStr::new("deep")).unwrap();
        for _ in 0..5000 {
            here = crate::host::tree::create_folder(here.as_fd(), OsStr::new("d")).unwrap();
        }
        assert_eq!(remove(&parent, OsStr::new("deep"), &Silent).unwrap(), 5001);
        assert!(!folder.path().join("deep").exists());
    }
}
