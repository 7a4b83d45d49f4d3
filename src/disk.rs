//! Files of this program's on the disk: the primitives that its promises rest on, each once.

use rustix::fs::{Mode, OFlags};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Opens a regular file for reading. Its last name is not followed where it is a link, and nothing is waited for: a FIFO or a device
/// of that name is no file.
///
/// # Errors
/// What the system says; `InvalidInput` for what is no regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
}

/// Whether nobody but us, or root, can have written it.
pub fn is_ours(metadata: &Metadata) -> bool {
    let owner = metadata.uid();
    (owner == 0 || owner == rustix::process::geteuid().as_raw()) && metadata.mode() & 0o022 == 0
}

/// The same as [`open_regular`], of a file that is ours.
///
/// # Errors
/// What the system says; `PermissionDenied` for a file that somebody else may have written.
pub fn open_ours(path: &Path) -> io::Result<File> {
    let file = open_regular(path)?;
    if is_ours(&file.metadata()?) {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may write to it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "x").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(open_regular(&at("file")).is_ok());
        for bad in ["link", "fifo", "none", "."] {
            assert!(open_regular(&at(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_others_may_write_is_not_ours() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        for (mode, ours) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(open_ours(file.path()).is_ok(), ours, "{mode:o}");
        }
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(file.path(), Some(4242), None).unwrap();
        assert!(open_ours(file.path()).is_err());
    }
}
