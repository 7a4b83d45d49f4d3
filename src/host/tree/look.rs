//! What a folder looks like that stays while something in it changes places: that changes its time, and its owner and mode may be others.

use super::change::{Identity, Toward, identity_here};
use super::handle::{refuse, resolve};
use super::made;
use crate::error::Result;
use crate::path::RelPath;
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};

/// Owner, mode and time of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderLook {
    /// User and group.
    pub owner: (u32, u32),
    /// Permission bits.
    pub mode: u32,
    /// Time of the last change: seconds since 1970, nanoseconds.
    pub mtime: (i64, u32),
}

/// A live folder that stays, and looks otherwise afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderChange {
    /// Its path below the root.
    pub path: RelPath,
    /// Which folder that is.
    pub folder: Identity,
    /// Its look before.
    pub old: FolderLook,
    /// Its look afterwards.
    pub new: FolderLook,
}

pub(crate) fn look(folder: &OwnedFd) -> rustix::io::Result<FolderLook> {
    let stat = rustix::fs::fstat(folder)?;
    Ok(FolderLook {
        owner: (stat.st_uid, stat.st_gid),
        mode: stat.st_mode & 0o7777,
        mtime: (stat.st_mtime, stat.st_mtime_nsec as u32),
    })
}

/// Gives live folders their new look, or their old one, and fsyncs none of them. One that is not there any more, or is another one, is
/// passed over.
///
/// # Errors
/// `io_failed`.
pub(crate) fn change_looks(live: impl AsFd, folders: &[FolderChange], toward: Toward) -> Result<()> {
    for change in folders {
        let fail = |error: Errno| refuse(&change.path, error);
        let folder = match resolve(live.as_fd(), &change.path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            other => other.map_err(fail)?,
        };
        if identity_here(folder.as_fd(), b".").map_err(fail)? != Some(change.folder) {
            continue;
        }
        let FolderLook { owner: (user, group), mode, mtime } = match toward {
            Toward::New => change.new,
            Toward::Old => change.old,
        };
        rustix::fs::fchown(&folder, Some(Uid::from_raw(user)), Some(Gid::from_raw(group))).map_err(fail)?;
        rustix::fs::fchmod(&folder, Mode::from_raw_mode(mode)).map_err(fail)?;
        rustix::fs::futimens(&folder, &made::times(mtime)).map_err(fail)?;
    }
    Ok(())
}

/// The same changes the other way round, from what the live folders look like now.
///
/// # Errors
/// `io_failed`.
pub fn looks_back(live: impl AsFd, folders: &[FolderChange]) -> Result<Vec<FolderChange>> {
    let mut back = Vec::with_capacity(folders.len());
    for change in folders {
        let fail = |error: Errno| refuse(&change.path, error);
        let folder = match resolve(live.as_fd(), &change.path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            other => other.map_err(fail)?,
        };
        back.push(FolderChange { old: look(&folder).map_err(fail)?, new: change.old, ..change.clone() });
    }
    Ok(back)
}
