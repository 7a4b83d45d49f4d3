//! Room on a filesystem.

use crate::error::{IoContext, Result};
use std::path::Path;

/// Room on one filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes an ordinary user may still write.
    pub free_bytes: u64,
    /// Files that can still be made; `u64::MAX` where the filesystem has no such limit.
    pub free_inodes: u64,
    /// Size of the filesystem in bytes.
    pub total_bytes: u64,
    /// Number of the device: equal for paths on one filesystem.
    pub device: u64,
}

/// The room where `path` lies.
///
/// # Errors
/// `io_failed` naming the path.
pub fn space(path: &Path) -> Result<Space> {
    let room = rustix::fs::statvfs(path).doing(|| format!("look at the space of {}", path.display()))?;
    let stat = rustix::fs::stat(path).doing(|| format!("look at {}", path.display()))?;
    Ok(Space {
        free_bytes: room.f_bavail.saturating_mul(room.f_frsize),
        free_inodes: if room.f_files == 0 { u64::MAX } else { room.f_favail },
        total_bytes: room.f_blocks.saturating_mul(room.f_frsize),
        device: stat.st_dev,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_filesystem_has_room_and_a_device() {
        let here = super::space(std::path::Path::new("/")).unwrap();
        assert!(here.total_bytes >= here.free_bytes && here.free_inodes > 0);
        assert!(super::space(std::path::Path::new("/nowhere/at/all")).is_err());
    }
}
