//! Which times a filesystem holds. ext4 holds 1901 to 2446, with inodes of 128 bytes to 2038, as do older XFS and ext3. For what lies
//! beyond, the kernel sets the nearest one and says nothing (`utimensat(2)`, `timestamp_truncate` of Linux 5.4).

use super::made;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
use std::os::fd::AsFd;

/// What is tried: further than any filesystem goes.
const BEYOND: i64 = 1 << 40;

/// Seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeRange {
    earliest: i64,
    latest: i64,
}

impl TimeRange {
    /// Of the filesystem that a folder of ours is on: its own time is set to both ends and read back.
    pub(super) fn of(folder: impl AsFd) -> rustix::io::Result<TimeRange> {
        let folder = folder.as_fd();
        let set = |seconds: i64| {
            rustix::fs::futimens(folder, &made::times((seconds, 0)))?;
            rustix::fs::fstat(folder).map(|stat| stat.st_mtime)
        };
        let (earliest, latest) = (set(-BEYOND)?, set(BEYOND)?);
        // Back to a time that a folder without one of its own may keep.
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW as _ };
        rustix::fs::futimens(folder, &Timestamps { last_access: now, last_modification: now })?;
        // An older kernel wraps what it cannot hold.
        Ok(if earliest <= 0 && latest > 0 {
            TimeRange { earliest, latest }
        } else {
            TimeRange { earliest: 0, latest: i32::MAX.into() }
        })
    }

    /// The nearest time that can be held, with nanoseconds below a second.
    pub(super) fn nearest(self, (seconds, nanoseconds): (i64, u32)) -> (i64, u32) {
        (seconds.clamp(self.earliest, self.latest), nanoseconds.min(999_999_999))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_what_the_filesystem_gives_back() {
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::File::open(folder.path()).unwrap();
        let before = std::time::SystemTime::now() - std::time::Duration::from_secs(5);
        let range = TimeRange::of(&open).unwrap();
        let left = folder.path().metadata().unwrap().modified().unwrap();
        assert!(left > before && left <= std::time::SystemTime::now(), "{left:?}");
        assert!(range.earliest <= 0 && range.latest >= i64::from(i32::MAX), "{range:?}");
        for seconds in
            [range.earliest, range.earliest.saturating_sub(1), 7, range.latest, range.latest.saturating_add(1)]
        {
            let nearest = range.nearest((seconds, 5));
            rustix::fs::futimens(&open, &made::times((seconds, 5))).unwrap();
            assert_eq!(rustix::fs::fstat(&open).unwrap().st_mtime, nearest.0, "{seconds}");
        }
    }
}
