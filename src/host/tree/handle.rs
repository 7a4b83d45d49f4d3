//! Opening beneath a folder without following any link, on every kernel.

use crate::error::{Code, Error, IoContext, Result};
use crate::path::RelPath;
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once the kernel, or a filter around us, turned openat2 down.
static OPENAT2_MISSING: AtomicBool = AtomicBool::new(false);

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a folder named by the administrator's configuration. Its last name must not be a link.
///
/// # Errors
/// `io_failed` naming the folder.
pub fn open_folder(path: &Path) -> Result<OwnedFd> {
    rustix::fs::open(path, OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .doing(|| format!("open folder {}", path.display()))
}

/// Opens what lies at `path` beneath `root`; the root itself for the empty path.
///
/// # Errors
/// `unsafe_path` when a part of the path is a link or no folder, else `io_failed`.
pub fn open_beneath(root: BorrowedFd, path: &RelPath, flags: OFlags) -> Result<OwnedFd> {
    resolve(root, path, flags).map_err(|error| refuse(path, error))
}

/// A handle on a folder beneath `root`, good for operations relative to it.
///
/// # Errors
/// As [`open_beneath`].
pub fn open_folder_beneath(root: BorrowedFd, path: &RelPath) -> Result<OwnedFd> {
    open_beneath(root, path, FOLDER)
}

/// Makes a folder with mode 0700 in `parent` and opens it.
///
/// # Errors
/// `io_failed`, also when the name exists.
pub fn create_folder(parent: BorrowedFd, name: &OsStr) -> Result<OwnedFd> {
    let shown = || format!("create folder {}", name.display());
    rustix::fs::mkdirat(parent, name, Mode::RWXU).doing(shown)?;
    open_here(parent, name.as_bytes(), OFlags::DIRECTORY).doing(shown)
}

pub(crate) fn refuse(path: &RelPath, error: Errno) -> Error {
    match error {
        Errno::LOOP | Errno::XDEV | Errno::NOTDIR => {
            Error::new(Code::UnsafePath, format!("path {:?} goes through a link or a file", path.to_string()))
                .with("path", path.to_string())
        }
        other => Error::io(format_args!("open {:?}", path.to_string()), &other.into()),
    }
}

pub(crate) fn resolve(root: BorrowedFd, path: &RelPath, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let name: &Path = if path.is_root() { Path::new(".") } else { path.as_path() };
    if !OPENAT2_MISSING.load(Ordering::Relaxed) {
        let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        loop {
            match rustix::fs::openat2(root, name, flags, Mode::empty(), rules) {
                // a rename elsewhere made the kernel unsure; nothing is wrong
                Err(Errno::AGAIN | Errno::INTR) => continue,
                Err(Errno::NOSYS | Errno::PERM) => {
                    OPENAT2_MISSING.store(true, Ordering::Relaxed);
                    break;
                }
                // with O_NOFOLLOW a link at the end is opened itself by O_PATH only
                other => return other,
            }
        }
    }
    step_by_step(root, path, flags)
}

/// One name after the other, none of them a link: what openat2 does, for kernels without it.
fn step_by_step(root: BorrowedFd, path: &RelPath, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let mut names: Vec<&[u8]> = path.names().collect();
    let Some(last) = names.pop() else {
        return rustix::fs::openat(root, ".", flags, Mode::empty());
    };
    let mut folder: Option<OwnedFd> = None;
    for name in names {
        let here = folder.as_ref().map_or(root, |folder| folder.as_fd());
        folder = Some(rustix::fs::openat(here, name, FOLDER, Mode::empty())?);
    }
    let here = folder.as_ref().map_or(root, |folder| folder.as_fd());
    rustix::fs::openat(here, last, flags, Mode::empty())
}

/// Opens a single name in a folder, never through a link.
pub(crate) fn open_here(folder: BorrowedFd, name: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(folder, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// What a name in a folder is, without following it; `None` when there is nothing.
pub(crate) fn stat_here(folder: BorrowedFd, name: &[u8]) -> rustix::io::Result<Option<rustix::fs::Stat>> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn parse(path: &str) -> RelPath {
        RelPath::parse(path.as_bytes()).unwrap()
    }

    /// The promise holds with openat2 and without.
    #[test]
    fn no_way_leads_through_a_link() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("f"), "secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/b/f"), "mine").unwrap();
        symlink(outside.path(), folder.path().join("abs")).unwrap();
        symlink("a", folder.path().join("rel")).unwrap();
        symlink("f", folder.path().join("a/b/link")).unwrap();
        let root = open_folder(folder.path()).unwrap();
        type Open = fn(BorrowedFd, &RelPath, OFlags) -> rustix::io::Result<OwnedFd>;
        let ways: [Open; 2] =
            [resolve, |root, path, flags| step_by_step(root, path, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC)];
        for open in ways {
            assert!(open(root.as_fd(), &parse("a/b/f"), OFlags::RDONLY).is_ok());
            assert!(open(root.as_fd(), &RelPath::default(), FOLDER).is_ok());
            for bad in ["abs/f", "rel/b/f", "a/b/link", "a/b/f/x"] {
                let error = open(root.as_fd(), &parse(bad), OFlags::RDONLY).unwrap_err();
                assert_eq!(refuse(&parse(bad), error).code, Code::UnsafePath, "{bad}");
            }
        }
    }
}
