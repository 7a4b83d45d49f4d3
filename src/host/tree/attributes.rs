//! The immutable attribute (`chattr +i`): nobody changes, moves, links or removes what has it, root included. A folder around it can
//! be exchanged as a whole.

use super::handle::{open_here, resolve};
use super::kind::{Kind, kind_of};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use rustix::fs::{AtFlags, IFlags, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Whether this process may set it and take it off, tried on a file that is made in `folder` and removed again. Capabilities do not
/// tell: those of a container's own user namespace do not count.
///
/// # Errors
/// What making the file meets.
pub fn may_set_immutable(folder: impl AsFd) -> rustix::io::Result<bool> {
    const NAME: &str = "attribute";
    let folder = folder.as_fd();
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, NAME, flags, Mode::RUSR)?;
    let tried = set(&file, true).and_then(|()| set(&file, false));
    rustix::fs::unlinkat(folder, NAME, AtFlags::empty())?;
    Ok(tried.is_ok())
}

/// Sets it in a staged tree, which nobody but root reaches. What is not there is passed over, and so is a file with other names: one of
/// them may be live.
///
/// # Errors
/// `not_exchangeable` where the system does not let this process, `io_failed`.
pub fn set_immutable(staged: impl AsFd, paths: &[RelPath]) -> Result<()> {
    let staged = staged.as_fd();
    for path in paths {
        set_beneath(staged, path).map_err(|error| {
            let shown = path.to_string();
            let message = format!("set the immutable attribute of {shown:?}: {}", std::io::Error::from(error));
            let code = if error == Errno::PERM { Code::NotExchangeable } else { Code::IoFailed };
            Error::new(code, message).with("errno", error.raw_os_error()).with("path", shown)
        })?;
    }
    Ok(())
}

fn set_beneath(staged: BorrowedFd, path: &RelPath) -> rustix::io::Result<()> {
    let handle = match resolve(staged, path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
        Ok(handle) => handle,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => return Ok(()),
        Err(error) => return Err(error),
    };
    let stat = rustix::fs::fstat(&handle)?;
    match kind_of(stat.st_mode) {
        Kind::File if stat.st_nlink == 1 => {}
        Kind::Folder => {}
        _ => return Ok(()),
    }
    set(&handle, true)
}

fn set(handle: &OwnedFd, immutable: bool) -> rustix::io::Result<()> {
    let before = rustix::fs::ioctl_getflags(handle)?;
    let mut after = before;
    after.set(IFlags::IMMUTABLE, immutable);
    if after == before { Ok(()) } else { rustix::fs::ioctl_setflags(handle, after) }
}

/// Removes a file, or an empty folder, that an attribute holds: its own, or that of the folder it is in. A file that goes on under
/// another name keeps what it had.
pub fn unlink_held(folder: BorrowedFd, name: &[u8], how: AtFlags) -> rustix::io::Result<()> {
    let free = |handle: &OwnedFd| {
        let before = rustix::fs::ioctl_getflags(handle)?;
        rustix::fs::ioctl_setflags(handle, before - IFlags::IMMUTABLE - IFlags::APPEND).map(|()| before)
    };
    free(&rustix::io::fcntl_dupfd_cloexec(folder, 0)?)?;
    let handle = open_here(folder, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY);
    let held = handle.ok().and_then(|handle| free(&handle).ok().map(|before| (handle, before)));
    let removed = rustix::fs::unlinkat(folder, name, how);
    if let Some((handle, before)) = held {
        let stat = rustix::fs::fstat(&handle)?;
        if stat.st_nlink > 0 && kind_of(stat.st_mode) == Kind::File {
            rustix::fs::ioctl_setflags(&handle, before)?;
        }
    }
    removed
}
