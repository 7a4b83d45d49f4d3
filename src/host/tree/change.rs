//! The renames that commit and rollback consist of, and what makes them durable.

use crate::error::{Code, Error, IoContext, Result};
use rustix::fs::{AtFlags, RenameFlags, StatxFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

/// Which file or folder of its filesystem a name stands for, whatever it is called. No device number: it may be another
/// after a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Inode number.
    pub ino: u64,
    /// When it was made, nanoseconds since 1970: an inode number is given again, with another moment. `None` where the
    /// filesystem does not say.
    pub born: Option<i64>,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// The staged side becomes live.
    New,
    /// The old side becomes live again.
    Old,
}

/// What a name in a folder stands for (a link itself, not its target); `None` when there is nothing.
///
/// # Errors
/// `io_failed`.
pub fn identity(folder: impl AsFd, name: &OsStr) -> Result<Option<Identity>> {
    identity_here(folder.as_fd(), name.as_bytes()).doing(|| format!("look at {}", name.display()))
}

/// [`identity()`] for those who word the error themselves.
pub(crate) fn identity_here(folder: BorrowedFd, name: &[u8]) -> rustix::io::Result<Option<Identity>> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME;
    match rustix::fs::statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, wanted) {
        Ok(found) => {
            let born = found.stx_btime;
            let moment = born.tv_sec.saturating_mul(1_000_000_000).saturating_add(i64::from(born.tv_nsec));
            let said = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::BTIME);
            Ok(Some(Identity { ino: found.stx_ino, born: said.then_some(moment) }))
        }
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Exchanges two names in one step: no moment in which either is missing.
///
/// # Errors
/// `not_exchangeable` when the filesystem, a mount or an attribute stands in the way, else `io_failed`.
pub fn exchange(folder_a: impl AsFd, name_a: &OsStr, folder_b: impl AsFd, name_b: &OsStr) -> Result<()> {
    rename(folder_a.as_fd(), name_a, folder_b.as_fd(), name_b, RenameFlags::EXCHANGE, "exchange")
}

/// Renames to a name that must be free.
///
/// # Errors
/// As [`exchange`]; `io_failed` when the name is taken.
pub fn rename_noreplace(from: impl AsFd, name: &OsStr, to: impl AsFd, new_name: &OsStr) -> Result<()> {
    rename(from.as_fd(), name, to.as_fd(), new_name, RenameFlags::NOREPLACE, "rename")
}

fn rename(a: BorrowedFd, name_a: &OsStr, b: BorrowedFd, name_b: &OsStr, how: RenameFlags, word: &str) -> Result<()> {
    rustix::fs::renameat_with(a, name_a, b, name_b, how).map_err(|error| {
        let what = format!("{word} {} and {}", name_a.display(), name_b.display());
        let why = match error {
            Errno::BUSY => "one of them is a mount point",
            Errno::XDEV => "they are on different mounts",
            Errno::PERM => "one of them is immutable",
            Errno::INVAL | Errno::NOSYS => "the filesystem cannot exchange",
            other => return Error::io(what, &other.into()),
        };
        Error::new(Code::NotExchangeable, format!("{what}: {why}")).with("errno", error.raw_os_error())
    })
}

/// Makes names created, removed or renamed in a folder durable. Never retried: after an error the kernel may have
/// dropped the data.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub fn fsync_folder(folder: impl AsFd) -> Result<()> {
    rustix::fs::fsync(folder).doing(|| "fsync a folder".into())
}

/// Writes everything of the filesystem that holds `folder` to its disk, and waits.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub fn sync_filesystem(folder: impl AsFd) -> Result<()> {
    rustix::fs::syncfs(folder).doing(|| "write the staged files to the disk (syncfs)".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree::handle::open_folder;

    #[test]
    fn an_exchange_swaps_and_the_identities_tell() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("live")).unwrap();
        std::fs::create_dir(folder.path().join("new")).unwrap();
        let handle = open_folder(folder.path()).unwrap();
        let (live, new) = (OsStr::new("live"), OsStr::new("new"));
        let before = identity(&handle, live).unwrap().unwrap();
        exchange(&handle, live, &handle, new).unwrap();
        fsync_folder(&handle).unwrap();
        assert_eq!(identity(&handle, new).unwrap(), Some(before));
        assert_ne!(identity(&handle, live).unwrap(), Some(before));
        assert_eq!(identity(&handle, OsStr::new("none")).unwrap(), None);
        assert_eq!(rename_noreplace(&handle, live, &handle, new).unwrap_err().code, Code::IoFailed);
        assert!(exchange(&handle, live, &handle, OsStr::new("none")).is_err());
    }
}
