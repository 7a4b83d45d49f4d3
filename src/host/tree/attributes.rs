//! The immutable attribute (`chattr +i`): nobody changes, moves, links or removes what has it, root included.

use super::change::sync_filesystem;
use super::handle::resolve;
use super::kind::{Kind, kind_of};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use rustix::fs::{IFlags, OFlags};
use rustix::io::Errno;
use rustix::thread::CapabilitySet;
use std::os::fd::AsFd;

/// Whether this process may change it. Containers mostly may not.
pub fn may_change_immutable() -> bool {
    rustix::thread::capabilities(None)
        .is_ok_and(|capabilities| capabilities.effective.contains(CapabilitySet::LINUX_IMMUTABLE))
}

/// Sets it, or takes it off, below `root`, durably. What is not there, and what is neither file nor folder, is passed over.
///
/// # Errors
/// `not_exchangeable` where the system does not let this process, `io_failed`.
pub fn set_immutable(root: impl AsFd, paths: &[RelPath], immutable: bool) -> Result<()> {
    let root = root.as_fd();
    for path in paths {
        change(root, path, immutable).map_err(|error| {
            let what = if immutable { "set" } else { "take off" };
            let shown = path.to_string();
            let message = format!("{what} the immutable attribute of {shown:?}: {}", std::io::Error::from(error));
            let code = if error == Errno::PERM { Code::NotExchangeable } else { Code::IoFailed };
            Error::new(code, message).with("errno", error.raw_os_error()).with("path", shown)
        })?;
    }
    sync_filesystem(root)
}

fn change(root: std::os::fd::BorrowedFd, path: &RelPath, immutable: bool) -> rustix::io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let handle = match resolve(root, path, flags) {
        Ok(handle) => handle,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NXIO) => return Ok(()),
        Err(error) => return Err(error),
    };
    if !matches!(kind_of(rustix::fs::fstat(&handle)?.st_mode), Kind::File | Kind::Folder) {
        return Ok(());
    }
    let before = match rustix::fs::ioctl_getflags(&handle) {
        // A filesystem without attributes.
        Err(Errno::NOTTY | Errno::OPNOTSUPP) => return Ok(()),
        other => other?,
    };
    let mut after = before;
    after.set(IFlags::IMMUTABLE, immutable);
    if after == before { Ok(()) } else { rustix::fs::ioctl_setflags(&handle, after) }
}
