//! One file, made or gone, in a folder of a staged tree.

use super::handle::stat_here;
use super::kind::{Kind, kind_of};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Makes a file that did not exist. An earlier entry of the same path gives way, unless it is a folder.
pub(crate) fn create_file(folder: BorrowedFd, path: &RelPath, mode: u32) -> Result<(File, bool)> {
    let name = path.last_name();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let make = || rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(mode));
    let (made, replaced) = match make() {
        Err(Errno::EXIST) => {
            give_way(folder, path)?;
            (make(), true)
        }
        other => (other, false),
    };
    match made {
        Ok(file) => Ok((File::from(file), replaced)),
        Err(error) => Err(writing(path, &error.into())),
    }
}

/// Removes an earlier entry of this path that is no folder.
pub(crate) fn give_way(folder: BorrowedFd, path: &RelPath) -> Result<()> {
    match rustix::fs::unlinkat(folder, path.last_name(), AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => Err(Error::new(
            Code::UnsafePath,
            format!("{:?} is a folder and something else in one backup", path.to_string()),
        )
        .with("path", path.to_string())),
        Err(error) => Err(writing(path, &error.into())),
    }
}

/// A time of the last change, for a call that leaves the time of the last reading.
pub(crate) fn times(mtime: (i64, u32)) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT as _ },
        last_modification: Timespec { tv_sec: mtime.0, tv_nsec: i64::from(mtime.1) as _ },
    }
}

/// The error of a write.
pub(crate) fn writing(path: &RelPath, error: &std::io::Error) -> Error {
    Error::io(format_args!("write {:?}", path.to_string()), error).with("path", path.to_string())
}

/// Whether a name in a folder is a regular file.
pub(crate) fn is_file(folder: &OwnedFd, name: &[u8]) -> rustix::io::Result<bool> {
    Ok(stat_here(folder.as_fd(), name)?.is_some_and(|stat| kind_of(stat.st_mode) == Kind::File))
}
