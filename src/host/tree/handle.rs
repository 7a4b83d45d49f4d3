//! Opening beneath a folder without following any link, on every kernel.

use super::trusted;
use crate::error::{Code, Error, IoContext, Result};
use crate::path::RelPath;
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// Set once the kernel, or a filter around us, turned openat2 down.
static OPENAT2_MISSING: AtomicBool = AtomicBool::new(false);

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a folder named by the administrator's configuration. Its last name must not be a link; on the way to it, links are followed
/// that only the administrator can have made.
///
/// # Errors
/// `unsafe_path` for a link that somebody else may have made, `io_failed` naming the folder.
pub fn open_folder(path: &Path) -> Result<OwnedFd> {
    trusted::open(path, trusted::Last::Folder)?.ok_or(Errno::NOENT).doing(|| format!("open folder {}", path.display()))
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

/// The folder around a place, opened as by [`open_folder`], and the place's name in it. `None` when there is no such folder.
///
/// # Errors
/// `unsafe_path`, `io_failed`.
pub fn open_around(path: &Path) -> Result<Option<(OwnedFd, &OsStr)>> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::new(Code::Internal, format!("{} is no place in a folder", path.display())));
    };
    Ok(trusted::open(parent, trusted::Last::Folder)?.map(|folder| (folder, name)))
}

/// Opens a site's document root. The root itself may be a link that the administrator made; a tenant's link, in any part of the
/// path, is refused, since it leads wherever the tenant likes. `None` when nothing is there.
///
/// # Errors
/// `unsafe_path` for a link that somebody else may have made, `io_failed` also for what is no folder.
pub fn open_site(path: &Path) -> Result<Option<OwnedFd>> {
    trusted::open(path, trusted::Last::Link)
}

/// Where an open folder is, without links (`proc_pid_fd(5)`).
///
/// # Errors
/// `io_failed`, also for a folder that is gone.
pub fn path_of(folder: BorrowedFd) -> Result<PathBuf> {
    let shown = || "find where an open folder is".to_owned();
    let path = rustix::fs::readlink(format!("/proc/self/fd/{}", folder.as_raw_fd()), Vec::new()).doing(shown)?;
    let path = PathBuf::from(OsStr::from_bytes(path.as_bytes()));
    // The name of a folder that is gone has words behind it; it leads to nothing.
    let here = rustix::fs::fstat(folder).doing(shown)?;
    match rustix::fs::stat(&path) {
        Ok(there) if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino) => Ok(path),
        _ => Err(Errno::NOENT).doing(shown),
    }
}

/// Reads a small file of a tenant's beneath its site's root. Nothing is followed in any part of the path, nothing but a regular
/// file is read, and of that at most `limit` bytes. `None` when there is none.
///
/// # Errors
/// `unsafe_path` when a part of the path is a link or the end is no regular file, `limit_exceeded`, `io_failed`.
pub fn read_beneath(root: BorrowedFd, path: &RelPath, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>> {
    // NONBLOCK: a FIFO must not make us wait for its other end.
    let handle = match resolve(root, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
        Ok(handle) => handle,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(refuse(path, error)),
    };
    let reading = || format!("read {:?}", path.to_string());
    let stat = rustix::fs::fstat(&handle).doing(reading)?;
    if super::kind::kind_of(stat.st_mode) != super::kind::Kind::File {
        let message = format!("{:?} is no regular file", path.to_string());
        return Err(Error::new(Code::UnsafePath, message).with("path", path.to_string()));
    }
    let mut content = Zeroizing::new(Vec::new());
    File::from(handle).take(limit + 1).read_to_end(&mut content).doing(reading)?;
    if content.len() as u64 > limit {
        let message = format!("{:?} is larger than {limit} bytes", path.to_string());
        return Err(Error::new(Code::LimitExceeded, message).with("path", path.to_string()));
    }
    Ok(Some(content))
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

/// Renames elsewhere come between a few times, hardly ever so often.
const MOST_TRIES: usize = 10_000;

pub(crate) fn resolve(root: BorrowedFd, path: &RelPath, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let name: &Path = if path.is_root() { Path::new(".") } else { path.as_path() };
    if !OPENAT2_MISSING.load(Ordering::Relaxed) {
        let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let mut tries = 0;
        loop {
            tries += 1;
            match rustix::fs::openat2(root, name, flags, Mode::empty(), rules) {
                // a rename elsewhere made the kernel unsure; nothing is wrong. A lease of the file's owner says the same, for a minute
                Err(Errno::AGAIN | Errno::INTR) if tries < MOST_TRIES => continue,
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

    #[test]
    fn a_tenants_file_is_read_beneath_its_root_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("site/public")).unwrap();
        std::fs::create_dir(at("neighbour")).unwrap();
        std::fs::write(at("neighbour/f"), "secret").unwrap();
        std::fs::write(at("site/public/f"), "mine").unwrap();
        std::fs::write(at("site/large"), "12345").unwrap();
        symlink(at("neighbour"), at("site/link")).unwrap();
        symlink("../../neighbour/f", at("site/public/end")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("site/fifo"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        let root = open_site(&at("site")).unwrap().unwrap();
        let read = |path: &str| {
            let read = read_beneath(root.as_fd(), &parse(path), 4);
            read.map(|found| found.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
        };
        assert_eq!(read("public/f").unwrap().as_deref(), Some("mine"));
        assert_eq!((read("none").unwrap(), read("none/f").unwrap()), (None, None));
        for bad in ["link/f", "public/end", "fifo", "public", "public/f/x"] {
            assert_eq!(read(bad).unwrap_err().code, Code::UnsafePath, "{bad}");
        }
        assert_eq!(read("large").unwrap_err().code, Code::LimitExceeded);
    }

    #[test]
    fn a_root_may_be_a_link_of_the_administrators_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("site")).unwrap();
        symlink("site", at("root")).unwrap();
        symlink("site", at("tenant")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        std::os::unix::fs::lchown(at("tenant"), Some(1000), None).unwrap();
        assert!(open_site(&at("site")).unwrap().is_some() && open_site(&at("root")).unwrap().is_some());
        assert!(open_site(&at("none")).unwrap().is_none() && open_site(&at("dangling")).unwrap().is_none());
        assert_eq!(open_site(&at("tenant")).unwrap_err().code, Code::UnsafePath);
    }
}
