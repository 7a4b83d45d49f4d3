//! Parts of a site: the same path in two trees changes places. What stands at the staged side tells how far it is, so that a
//! site that is being written to never makes the way back unknown.

use super::change::{Identity, Toward, fsync_folder, identity_here};
use super::handle::{refuse, resolve, stat_here};
use super::kind::{Kind, kind_of};
use super::look::{FolderChange, change_looks};
use crate::error::{Code, Error, IoContext, Result};
use crate::path::RelPath;
use rustix::fs::{Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// A file or a whole folder that changes places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its path below both roots.
    pub path: RelPath,
    /// What stands at the staged side before; nothing where the live one is only taken away.
    pub coming: Option<Identity>,
}

/// The highest path at or above `path` that can be exchanged: the folder around it exists live and is one.
///
/// # Errors
/// `not_exchangeable` where the way leads through a live symbolic link; `io_failed`.
pub fn fit(live: impl AsFd, path: &RelPath) -> Result<RelPath> {
    let live = live.as_fd();
    for folder in path.ancestors() {
        let (parent, name) = open_parent(live, &folder)?;
        let found = stat_here(parent.as_fd(), name).map_err(|error| refuse(&folder, error))?;
        match found.map(|stat| kind_of(stat.st_mode)) {
            Some(Kind::Folder) => {}
            Some(Kind::Symlink) => {
                let shown = folder.to_string();
                return Err(Error::new(
                    Code::NotExchangeable,
                    format!("{shown:?} of the live site is a symbolic link; nothing below it is exchanged"),
                )
                .hint(format!("Select {shown:?} itself to replace the link, or restore into the folder it leads to."))
                .with("path", shown));
            }
            // Not there, or a file where the backup has a folder: it comes as a whole.
            _ => return Ok(folder),
        }
    }
    Ok(path.clone())
}

/// What stands at a path; `None` when nothing does.
///
/// # Errors
/// `unsafe_path` where the way leads through a link, `io_failed`.
pub fn identity_beneath(root: impl AsFd, path: &RelPath) -> Result<Option<Identity>> {
    let (parent, name) = match open_parent(root.as_fd(), path) {
        Err(error) if error.context.get("errno").is_some_and(|errno| *errno == Errno::NOENT.raw_os_error()) => {
            return Ok(None);
        }
        other => other?,
    };
    identity_here(parent.as_fd(), name).map_err(|error| refuse(path, error))
}

/// Makes the folders above a path, closed to all but root, where they are missing.
///
/// # Errors
/// `unsafe_path`, `io_failed`, `disk_full`.
pub fn make_parents(root: impl AsFd, path: &RelPath) -> Result<()> {
    for folder in path.ancestors() {
        let (parent, name) = open_parent(root.as_fd(), &folder)?;
        match rustix::fs::mkdirat(&parent, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(refuse(&folder, error)),
        }
    }
    Ok(())
}

/// Exchanges every unit that is not yet where it is to be, and gives folders around them their look of that side: what comes or goes
/// changes the time of the folder around it. All these folders are fsynced before it returns. One that fails leaves the others as they
/// are: the caller goes the other way.
///
/// # Errors
/// `unsafe_path`, `not_exchangeable`, `io_failed`.
pub fn exchange_units(
    (live, staged): (impl AsFd, impl AsFd),
    units: &[Unit],
    looks: &[FolderChange],
    toward: Toward,
) -> Result<()> {
    let (live, staged) = (live.as_fd(), staged.as_fd());
    let mut folders = Folders::default();
    for unit in units {
        let (around, name) = unit
            .path
            .split_last()
            .ok_or_else(|| Error::new(Code::Internal, "the document root is no part of itself"))?;
        let act = || format!("exchange {:?}", unit.path.to_string());
        let theirs = folders.open(staged, &around, 1)?;
        let at_staged = identity_here(theirs.as_fd(), name).doing(act)?;
        let is_before = at_staged == unit.coming;
        if is_before == (toward == Toward::Old) {
            continue;
        }
        // A live folder that somebody removed took what was in it along: there is nothing to bring back from it.
        let ours = match folders.open(live, &around, 0) {
            Err(error) if toward == Toward::Old && at_staged.is_none() => {
                let gone = error.context.get("errno").is_some_and(|errno| *errno == Errno::NOENT.raw_os_error());
                if gone { continue } else { return Err(error) }
            }
            other => other?,
        };
        swap(ours.as_fd(), theirs.as_fd(), name, at_staged.is_some()).map_err(|error| explain(&unit.path, error))?;
        folders.changed.insert(around);
    }
    change_looks(live, looks, toward)?;
    let changed = std::mem::take(&mut folders.changed);
    for folder in &changed {
        for (root, side) in [(live, 0), (staged, 1)] {
            fsync_folder(folders.open(root, folder, side)?)?;
        }
    }
    for look in looks.iter().filter(|look| !changed.contains(&look.path)) {
        // One that was removed meanwhile has no look.
        if let Ok(folder) = folders.open(live, &look.path, 0) {
            fsync_folder(folder)?;
        }
    }
    Ok(())
}

/// Exchange where both sides have something, else a move. Which of the two it is may change under a site in use.
fn swap(live: BorrowedFd, staged: BorrowedFd, name: &[u8], staged_there: bool) -> rustix::io::Result<()> {
    let rename = |from: BorrowedFd, to: BorrowedFd, how| rustix::fs::renameat_with(from, name, to, name, how);
    for _ in 0..100 {
        match rename(staged, live, RenameFlags::EXCHANGE) {
            Err(Errno::NOENT) => {}
            other => return other,
        }
        let (from, to) = if staged_there { (staged, live) } else { (live, staged) };
        match rename(from, to, RenameFlags::NOREPLACE) {
            // Made at this very moment: exchange it.
            Err(Errno::EXIST) => {}
            // Neither side has anything: taken away by the site itself.
            Err(Errno::NOENT) if !staged_there => return Ok(()),
            other => return other,
        }
    }
    Err(Errno::BUSY)
}

fn explain(path: &RelPath, error: Errno) -> Error {
    let shown = path.to_string();
    let why = match error {
        Errno::BUSY => "it is a mount point, or the site goes on making and removing it",
        Errno::XDEV => "it is on another mount",
        Errno::PERM => "it is immutable",
        Errno::INVAL | Errno::NOSYS => "the filesystem cannot exchange",
        other => return Error::io(format_args!("exchange {shown:?}"), &other.into()),
    };
    Error::new(Code::NotExchangeable, format!("exchange {shown:?}: {why}"))
        .with("errno", error.raw_os_error())
        .with("path", shown)
}

/// Open folders of both sides, good for reading so that they can be fsynced.
#[derive(Default)]
struct Folders {
    open: [HashMap<RelPath, Rc<OwnedFd>>; 2],
    changed: BTreeSet<RelPath>,
}

/// Folder handles kept open a side.
const KEPT: usize = 200;

impl Folders {
    fn open(&mut self, root: BorrowedFd, path: &RelPath, side: usize) -> Result<Rc<OwnedFd>> {
        let open = &mut self.open[side];
        if let Some(handle) = open.get(path) {
            return Ok(handle.clone());
        }
        if open.len() >= KEPT {
            open.clear();
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let handle = Rc::new(resolve(root, path, flags).map_err(|error| folder_error(path, error))?);
        open.insert(path.clone(), handle.clone());
        Ok(handle)
    }
}

fn open_parent<'a>(root: BorrowedFd, path: &'a RelPath) -> Result<(OwnedFd, &'a [u8])> {
    let (around, name) =
        path.split_last().ok_or_else(|| Error::new(Code::Internal, "the document root has no folder around it"))?;
    let handle =
        resolve(root, &around, OFlags::RDONLY | OFlags::DIRECTORY).map_err(|error| folder_error(&around, error))?;
    Ok((handle, name))
}

fn folder_error(path: &RelPath, error: Errno) -> Error {
    refuse(path, error).with("errno", error.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree::open_folder;
    use std::path::Path;

    struct Trees {
        folder: tempfile::TempDir,
    }

    impl Trees {
        fn new(live: &[&str], staged: &[&str]) -> Trees {
            let folder = tempfile::tempdir().unwrap();
            for (side, names) in [("live", live), ("staged", staged)] {
                std::fs::create_dir(folder.path().join(side)).unwrap();
                for name in names {
                    let path = folder.path().join(side).join(name);
                    if name.ends_with('/') {
                        std::fs::create_dir_all(path).unwrap();
                    } else {
                        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                        std::fs::write(path, side).unwrap();
                    }
                }
            }
            Trees { folder }
        }

        fn open(&self, side: &str) -> OwnedFd {
            open_folder(&self.folder.path().join(side)).unwrap()
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.folder.path().join(name)
        }

        fn units(&self, paths: &[&str]) -> Vec<Unit> {
            let unit = |text: &&str| {
                let path = RelPath::parse(text.as_bytes()).unwrap();
                Unit { coming: identity_beneath(self.open("staged"), &path).unwrap(), path }
            };
            paths.iter().map(unit).collect()
        }

        fn go(&self, units: &[Unit], toward: Toward) -> Result<()> {
            exchange_units((self.open("live"), self.open("staged")), units, &[], toward)
        }

        fn reads(&self, name: &str) -> Option<String> {
            std::fs::read_to_string(self.path(name)).ok()
        }
    }

    #[test]
    fn files_and_folders_change_places_and_back_as_often_as_one_likes() {
        let trees = Trees::new(&["a/x", "a/old", "b", "gone"], &["a/x", "a/new", "b", "c"]);
        let units = trees.units(&["a", "b", "c", "gone"]);
        for _ in 0..2 {
            trees.go(&units, Toward::New).unwrap();
            assert_eq!(trees.reads("live/a/new").as_deref(), Some("staged"));
            assert_eq!((trees.reads("live/a/old"), trees.reads("live/gone")), (None, None));
            assert_eq!(trees.reads("live/c").as_deref(), Some("staged"));
            assert_eq!(trees.reads("staged/a/old").as_deref(), Some("live"));
        }
        for _ in 0..2 {
            trees.go(&units, Toward::Old).unwrap();
            assert_eq!(trees.reads("live/a/old").as_deref(), Some("live"));
            assert_eq!((trees.reads("live/c"), trees.reads("live/a/new")), (None, None));
            assert_eq!(trees.reads("live/gone").as_deref(), Some("live"));
            assert_eq!(trees.reads("staged/c").as_deref(), Some("staged"));
        }
    }

    #[test]
    fn what_the_site_writes_meanwhile_is_on_one_of_the_sides_whatever_comes() {
        let trees = Trees::new(&["a"], &["a", "b"]);
        let units = trees.units(&["a", "b"]);
        std::fs::write(trees.path("live/b"), "made meanwhile").unwrap();
        trees.go(&units, Toward::New).unwrap();
        assert_eq!(trees.reads("staged/b").as_deref(), Some("made meanwhile"));
        std::fs::write(trees.path("fresh"), "written after").unwrap();
        std::fs::rename(trees.path("fresh"), trees.path("live/a")).unwrap();
        trees.go(&units, Toward::Old).unwrap();
        assert_eq!(trees.reads("live/a").as_deref(), Some("live"));
        assert_eq!(trees.reads("staged/a").as_deref(), Some("written after"));
        assert_eq!(trees.reads("live/b").as_deref(), Some("made meanwhile"));
    }

    #[test]
    fn no_way_leads_through_a_link_of_the_live_site() {
        let trees = Trees::new(&["real/"], &["up/2024/x"]);
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), trees.path("live/up")).unwrap();
        let path = RelPath::parse(b"up/2024/x").unwrap();
        assert_eq!(fit(trees.open("live"), &path).unwrap_err().code, Code::NotExchangeable);
        assert_eq!(trees.go(&trees.units(&["up/2024/x"]), Toward::New).unwrap_err().code, Code::UnsafePath);
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_has_no_folder_around_it_comes_with_the_highest_missing_one() {
        let trees = Trees::new(&["a/", "file"], &[]);
        let fitted =
            |text: &str| fit(trees.open("live"), &RelPath::parse(text.as_bytes()).unwrap()).unwrap().to_string();
        assert_eq!(fitted("a/x"), "a/x");
        assert_eq!(fitted("a/b/c/x"), "a/b");
        assert_eq!(fitted("file/x"), "file");
        make_parents(trees.open("staged"), &RelPath::parse(b"p/q/x").unwrap()).unwrap();
        assert!(Path::new(&trees.path("staged/p/q")).is_dir() && !trees.path("staged/p/q/x").exists());
    }
}
