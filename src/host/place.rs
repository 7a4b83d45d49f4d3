//! The functions of [`tree`] for a place given by its absolute path: the folder it lies in is opened,
//! the last name is never followed.

use crate::disk::private_folder;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::mounts;
use crate::host::tree::{self, Identity};
use crate::progress::{Monitor, Silent};
use rustix::fs::{AtFlags, Mode, RenameFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

fn parts(path: &Path) -> Result<(OwnedFd, &OsStr)> {
    let missing = || Error::new(Code::IoFailed, format!("the folder around {} is gone", path.display()));
    tree::open_around(path)?.ok_or_else(missing)
}

/// What stands there; `None` when nothing does, or the folder around it is gone.
///
/// # Errors
/// `io_failed`.
pub fn identity(path: &Path) -> Result<Option<Identity>> {
    match tree::open_around(path)? {
        Some((folder, name)) => tree::identity(&folder, name),
        None => Ok(None),
    }
}

/// Exchanges two places in one step, or moves `from` to a free `to`; both folders are fsynced, since without that a power
/// cut loses the change.
///
/// # Errors
/// As [`tree::exchange()`].
pub fn change(from: &Path, to: &Path, replace: bool) -> Result<()> {
    let (folder_a, name_a) = parts(from)?;
    let (folder_b, name_b) = parts(to)?;
    if replace {
        tree::exchange(&folder_a, name_a, &folder_b, name_b)?;
    } else {
        tree::rename_noreplace(&folder_a, name_a, &folder_b, name_b)?;
    }
    tree::fsync_folder(&folder_b)?;
    tree::fsync_folder(&folder_a)
}

/// Tries whether what stands in `work`, a folder that is made for it and removed again, and in `around` can change places in
/// one step: they have to be on one mount, and not every filesystem knows how. `live` is what will: as a whole, or its parts.
///
/// # Errors
/// `not_exchangeable`, else what making a folder met.
pub fn try_exchange(work: &Path, around: &Path, live: &Path, whole: bool) -> Result<()> {
    private_folder(work)?;
    let tried = tree::open_folder(work).and_then(|folder| {
        if tree::mount_of(&folder)? != tree::mount_of(tree::open_folder(around)?)? {
            let message = format!("{} and {} are on different mounts", work.display(), around.display());
            return Err(Error::new(Code::NotExchangeable, message));
        }
        for name in ["a", "b"] {
            tree::create_folder(folder.as_fd(), OsStr::new(name))?;
        }
        tree::exchange(&folder, OsStr::new("a"), &folder, OsStr::new("b"))?;
        match tree::open_folder(live) {
            Ok(_) if whole => is_in_lower_layer(&folder, live),
            Ok(root) => is_subvolume(&folder, &root, live),
            // It is made by the restore, or is no folder, which is told elsewhere.
            Err(_) => Ok(()),
        }
    });
    // The site is in there.
    if tried.as_ref().is_err_and(|error| error.code == Code::NeedsOperator) {
        return tried;
    }
    let removed = remove(work, &Silent).map_err(|error| {
        let message = format!("{}; the next cleanup removes it", error.message);
        Error { message, ..error }
    });
    tried.and(removed)
}

/// A folder that is not empty, which no rename replaces.
const FULL: &str = "full";

/// Whether this process may set the immutable attribute in a folder that is made for it and removed again.
pub fn may_set_immutable(work: &Path) -> bool {
    let tried =
        private_folder(work).and_then(|()| tree::open_folder(work)).map(|folder| tree::may_set_immutable(&folder));
    let _ = remove(work, &Silent);
    matches!(tried, Ok(Ok(true)))
}

/// An overlay moves no folder out of a lower layer unless it was mounted with `redirect_dir` (overlayfs.rst of the kernel), and says so
/// to whoever tries: here over [`FULL`]. With `redirect_dir` nothing is tried: the attempt alone would copy the folder up.
fn is_in_lower_layer(work: &OwnedFd, live: &Path) -> Result<()> {
    const OVERLAYFS: i64 = 0x794c_7630;
    let is_overlay = rustix::fs::fstatfs(work).is_ok_and(|found| found.f_type == OVERLAYFS);
    if !is_overlay || mounts::moves_folders(live) {
        return Ok(());
    }
    let full = tree::create_folder(work.as_fd(), OsStr::new(FULL))?;
    tree::create_folder(full.as_fd(), OsStr::new("x"))?;
    let (around, name) = parts(live)?;
    match rustix::fs::renameat(&around, name, work, FULL) {
        Ok(()) => {
            // Nothing was in it any more: back at once, and nothing below is removed.
            rustix::fs::renameat_with(work, FULL, &around, name, RenameFlags::NOREPLACE).map_err(|error| {
                let message = format!("a trial moved {}, and it does not go back: {error}", live.display());
                Error::new(Code::NeedsOperator, message).hint("Move the folder `full` of the staging back by hand.")
            })?;
            Err(Error::new(Code::Internal, format!("the trial of {} was disturbed", live.display())))
        }
        Err(Errno::XDEV) => {
            let message =
                format!("{} is in a lower layer of an overlay, as in the image of a container", live.display());
            let hint = "Put the site on a volume of its own, or mount the overlay with redirect_dir=on; files one by one can be restored as it is (`components.files`).";
            Err(Error::new(Code::NotExchangeable, message).hint(hint))
        }
        _ => Ok(()),
    }
}

/// A subvolume changes places as a whole; nothing is moved into one or out of it.
fn is_subvolume(work: &OwnedFd, root: &OwnedFd, live: &Path) -> Result<()> {
    let device = |folder: &OwnedFd| rustix::fs::fstat(folder).map(|stat| stat.st_dev);
    if device(work).ok() == device(root).ok() {
        return Ok(());
    }
    let message = format!("{} is a subvolume, and nothing is moved into one or out of it", live.display());
    let hint = "Restore all files (`\"components\":{\"files\":true}`): the document root changes places as a whole.";
    Err(Error::new(Code::NotExchangeable, message).hint(hint))
}

/// Makes folders, the outermost first, on disk when this returns; what is there stays as it is. Whoever serves pages may enter.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub fn make_folders(paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        let (folder, name) = parts(path)?;
        let mode = Mode::from(0o755);
        match rustix::fs::mkdirat(&folder, name, mode) {
            // The mask of this process is narrower.
            Ok(()) => rustix::fs::chmodat(&folder, name, mode, AtFlags::empty())
                .doing(|| format!("open {} to those who serve it", path.display()))?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error).doing(|| format!("make {}", path.display())),
        }
        tree::fsync_folder(&folder)?;
    }
    Ok(())
}

/// Takes folders away again, the innermost first, as far as nothing is in them.
///
/// # Errors
/// `io_failed`.
pub fn remove_empty(paths: &[PathBuf]) -> Result<()> {
    for path in paths.iter().rev() {
        let Some((folder, name)) = tree::open_around(path)? else { continue };
        match rustix::fs::unlinkat(&folder, name, AtFlags::REMOVEDIR) {
            Ok(()) => tree::fsync_folder(&folder)?,
            Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => return Ok(()),
            Err(error) => return Err(error).doing(|| format!("remove {}", path.display())),
        }
    }
    Ok(())
}

/// Makes sure that the names in the folders around both places are on disk.
///
/// # Errors
/// `io_failed`.
pub fn settle(a: &Path, b: &Path) -> Result<()> {
    tree::fsync_folder(&parts(b)?.0)?;
    tree::fsync_folder(&parts(a)?.0)
}

/// Removes what stands there with everything below it; nothing there is success.
///
/// # Errors
/// As [`tree::remove()`].
pub fn remove(path: &Path, monitor: &dyn Monitor) -> Result<()> {
    match tree::open_around(path)? {
        Some((folder, name)) => tree::remove(&folder, name, monitor).map(drop),
        None => Ok(()),
    }
}
