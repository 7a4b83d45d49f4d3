//! Everything in a tree, by handles, names in order, links not followed.

use super::handle::open_here;
use super::kind::{Kind, kind_of};
use crate::error::{Error, IoContext, Result};
use rustix::fs::{AtFlags, Dir, OFlags, Statx, StatxFlags};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

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
    /// Look at nothing more.
    Stop,
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
/// during the walk is left out. Mounts are entered unless `visit` says [`Next::Past`]. It ends
/// where `visit` says [`Next::Stop`].
///
/// # Errors
/// What `visit` returns, or `io_failed`.
pub fn walk(root: impl AsFd, visit: &mut dyn FnMut(&Visit) -> Result<Next>) -> Result<()> {
    let root = root.as_fd();
    let stat = statx_here(root, b"").map_err(|error| Error::io("look at a folder", &error.into()))?;
    let mut path = Vec::new();
    let first = Visit { path: &path, name: b".", folder: root, kind: Kind::Folder, stat: &stat };
    if visit(&first)? != Next::Into {
        return Ok(());
    }
    let shown = |path: &[u8], error: rustix::io::Errno| {
        Error::io(format_args!("read folder {}", String::from_utf8_lossy(path)), &error.into())
    };
    let handle = open_here(root, b".", OFlags::DIRECTORY | OFlags::RDONLY).map_err(|error| shown(&path, error))?;
    let mut levels = Levels::default();
    levels.enter(handle, 0).map_err(|error| shown(&path, error))?;
    while let Some((folder, name, length)) = levels.next().map_err(|error| shown(&path, error))? {
        path.truncate(length);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(&name);
        let stat = match statx_here(folder, &name) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(shown(&path, error)),
        };
        let kind = kind_of(u32::from(stat.stx_mode));
        let next = visit(&Visit { path: &path, name: &name, folder, kind, stat: &stat })?;
        if next == Next::Stop {
            return Ok(());
        }
        if kind == Kind::Folder && next == Next::Into {
            let below = match open_here(folder, &name, OFlags::DIRECTORY | OFlags::RDONLY) {
                Ok(below) => below,
                // Gone, or another thing by now.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                Err(error) => return Err(shown(&path, error)),
            };
            levels.enter(below, path.len()).map_err(|error| shown(&path, error))?;
        }
    }
    Ok(())
}

/// Open folders of a walk: a tree may be deeper than a process may have files open.
const OPEN: usize = 200;

/// A name, with its folder and the length of that one's path.
type Entry<'a> = (BorrowedFd<'a>, Box<[u8]>, usize);

/// The folders from the root to where a walk is.
#[derive(Default)]
struct Levels(Vec<Level>);

struct Level {
    /// `None` while the walk is far below.
    folder: Option<OwnedFd>,
    /// Device and inode: what `..` has to lead to.
    identity: (u64, u64),
    names: std::vec::IntoIter<Box<[u8]>>,
    /// Of the path to this folder.
    length: usize,
}

impl Levels {
    fn enter(&mut self, folder: OwnedFd, length: usize) -> rustix::io::Result<()> {
        let stat = rustix::fs::fstat(&folder)?;
        let names = names_of(&folder)?.into_iter();
        self.0.push(Level { folder: Some(folder), identity: (stat.st_dev, stat.st_ino), names, length });
        if let Some(far) = self.0.len().checked_sub(OPEN + 1) {
            self.0[far].folder = None;
        }
        Ok(())
    }

    fn next(&mut self) -> rustix::io::Result<Option<Entry<'_>>> {
        loop {
            let Some(level) = self.0.last_mut() else { return Ok(None) };
            if let Some(name) = level.names.next() {
                let Some(Level { folder: Some(folder), length, .. }) = self.0.last() else { return Err(Errno::BADF) };
                return Ok(Some((folder.as_fd(), name, *length)));
            }
            self.leave()?;
        }
    }

    /// Goes up. A folder that was closed meanwhile is opened from the one below it; where that was moved elsewhere, it is another.
    fn leave(&mut self) -> rustix::io::Result<()> {
        let Some(below) = self.0.pop() else { return Ok(()) };
        let (Some(around), Some(below)) = (self.0.last_mut(), below.folder) else { return Ok(()) };
        if around.folder.is_none() {
            let folder = open_here(below.as_fd(), b"..", OFlags::DIRECTORY | OFlags::RDONLY)?;
            let stat = rustix::fs::fstat(&folder)?;
            if (stat.st_dev, stat.st_ino) != around.identity {
                return Err(Errno::STALE);
            }
            around.folder = Some(folder);
        }
        Ok(())
    }
}

pub(crate) fn names_of(folder: &OwnedFd) -> rustix::io::Result<Vec<Box<[u8]>>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree;
    use crate::progress::Silent;
    use rustix::fs::Mode;

    #[test]
    fn a_tree_deeper_than_files_can_be_open_is_walked_to_its_end() {
        const DEPTH: usize = 2 * OPEN + 50;
        let folder = tempfile::tempdir().unwrap();
        let root = tree::open_folder(folder.path()).unwrap();
        let top = tree::create_folder(root.as_fd(), "top".as_ref()).unwrap();
        let mut at = tree::create_folder(top.as_fd(), "d".as_ref()).unwrap();
        for _ in 1..DEPTH {
            // One that is met on the way back shows that the folder was found again.
            rustix::fs::openat(&at, "z", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
            at = tree::create_folder(at.as_fd(), "d".as_ref()).unwrap();
        }
        let (mut files, mut deepest) = (0, 0);
        walk(&top, &mut |visit| {
            files += usize::from(visit.kind == Kind::File);
            deepest = deepest.max(visit.path.iter().filter(|byte| **byte == b'/').count() + 1);
            Ok(Next::Into)
        })
        .unwrap();
        assert_eq!((files, deepest), (DEPTH - 1, DEPTH));
        tree::remove(&root, "top".as_ref(), &Silent).unwrap();
    }

    #[test]
    fn a_walk_ends_where_its_visitor_has_seen_enough() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/1", "b/2", "b/3", "c/4"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let mut seen = Vec::new();
        walk(tree::open_folder(folder.path()).unwrap(), &mut |visit| {
            seen.push(String::from_utf8_lossy(visit.path).into_owned());
            Ok(if visit.path == b"b/2" { Next::Stop } else { Next::Into })
        })
        .unwrap();
        assert_eq!(seen, ["", "a", "a/1", "b", "b/2"]);
    }
}
