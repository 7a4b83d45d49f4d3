//! Everything in a tree, by handles, names in order, links not followed.

use super::handle::open_here;
use crate::error::{Error, IoContext, Result};
use rustix::fs::{AtFlags, Dir, FileType, OFlags, Statx, StatxFlags};
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What something in a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// Device, FIFO or socket.
    Special,
}

/// One thing met on a walk.
pub struct Visit<'a> {
    /// Path below the root, without a slash at either end; empty for the root itself.
    pub path: &'a [u8],
    /// Last name.
    pub name: &'a [u8],
    /// Folder it lies in; for the root, the root.
    pub folder: BorrowedFd<'a>,
    /// What it is.
    pub kind: Kind,
    /// What the kernel says of it.
    pub stat: &'a Statx,
}

impl Visit<'_> {
    /// Opens a file to read it. Access times are left alone where the kernel allows it.
    ///
    /// # Errors
    /// `io_failed` naming the path.
    pub fn open(&self) -> Result<OwnedFd> {
        open_here(self.folder, self.name, OFlags::RDONLY | OFlags::NOATIME | OFlags::NONBLOCK)
            .or_else(|_| open_here(self.folder, self.name, OFlags::RDONLY | OFlags::NONBLOCK))
            .map_err(|error| Error::io(format_args!("open {}", String::from_utf8_lossy(self.path)), &error.into()))
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// `io_failed` naming the path.
    pub fn target(&self) -> Result<Vec<u8>> {
        rustix::fs::readlinkat(self.folder, self.name, Vec::new())
            .map(CString::into_bytes)
            .map_err(|error| Error::io(format_args!("read link {}", String::from_utf8_lossy(self.path)), &error.into()))
    }
}

/// What the visitor wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Go on, into this folder if it is one.
    Into,
    /// Leave this folder out.
    Past,
}

pub(crate) fn kind_of(mode: u32) -> Kind {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Symlink,
        _ => Kind::Special,
    }
}

/// The mount that a folder is on.
///
/// # Errors
/// `io_failed`.
pub fn mount_of(folder: impl AsFd) -> Result<u64> {
    let stat = statx_here(folder.as_fd(), b"").doing(|| "look at a folder".into())?;
    Ok(stat.stx_mnt_id)
}

pub(crate) fn statx_here(folder: BorrowedFd, name: &[u8]) -> rustix::io::Result<Statx> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    if name.is_empty() {
        return rustix::fs::statx(
            folder,
            "",
            flags | AtFlags::EMPTY_PATH,
            StatxFlags::BASIC_STATS | StatxFlags::MNT_ID,
        );
    }
    rustix::fs::statx(folder, name, flags, StatxFlags::BASIC_STATS | StatxFlags::MNT_ID)
}

/// Shows every thing in the tree to `visit`, a folder before what it holds, names in byte order. What vanishes
/// during the walk is left out. Mounts are entered unless `visit` says [`Next::Past`].
///
/// # Errors
/// What `visit` returns, or `io_failed`.
pub fn walk(root: impl AsFd, visit: &mut dyn FnMut(&Visit) -> Result<Next>) -> Result<()> {
    let root = root.as_fd();
    let stat = statx_here(root, b"").map_err(|error| Error::io("look at a folder", &error.into()))?;
    let mut path = Vec::new();
    let first = Visit { path: &path, name: b".", folder: root, kind: Kind::Folder, stat: &stat };
    if visit(&first)? == Next::Past {
        return Ok(());
    }
    let shown = |path: &[u8], error: rustix::io::Errno| {
        Error::io(format_args!("read folder {}", String::from_utf8_lossy(path)), &error.into())
    };
    // one open folder a level; deeper trees than there are descriptors fail with their path
    let handle = open_here(root, b".", OFlags::DIRECTORY | OFlags::RDONLY).map_err(|error| shown(&path, error))?;
    let names = names_of(&handle).map_err(|error| shown(&path, error))?;
    let mut levels = vec![(handle, names.into_iter(), 0usize)];
    while let Some((folder, names, length)) = levels.last_mut() {
        path.truncate(*length);
        let Some(name) = names.next() else {
            levels.pop();
            continue;
        };
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(&name);
        let stat = match statx_here(folder.as_fd(), &name) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => continue,
            Err(error) => return Err(shown(&path, error)),
        };
        let kind = kind_of(u32::from(stat.stx_mode));
        let next = visit(&Visit { path: &path, name: &name, folder: folder.as_fd(), kind, stat: &stat })?;
        if kind == Kind::Folder && next == Next::Into {
            let below = match open_here(folder.as_fd(), &name, OFlags::DIRECTORY | OFlags::RDONLY) {
                Ok(below) => below,
                Err(rustix::io::Errno::NOENT) => continue,
                Err(error) => return Err(shown(&path, error)),
            };
            let names = names_of(&below).map_err(|error| shown(&path, error))?;
            levels.push((below, names.into_iter(), path.len()));
        }
    }
    Ok(())
}

fn names_of(folder: &OwnedFd) -> rustix::io::Result<Vec<Box<[u8]>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.into());
        }
    }
    names.sort_unstable();
    Ok(names)
}
