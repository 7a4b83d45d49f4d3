//! Parts of a live tree that become part of another tree too, without copying: folders are made, everything in them is
//! another name of the same file. What the site appends to such a file is there on both sides.

use super::handle::{open_here, refuse};
use super::kind::{Kind, kind_of};
use super::walk::statx_here;
use crate::error::{Code, Error, Result};
use crate::path::{MAX_DEPTH, RelPath};
use crate::progress::{Monitor, Phase};
use rustix::fs::{AtFlags, Dir, Gid, Mode, OFlags, Statx, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What became part of the other tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Files and links.
    pub files: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// Gives what `name` stands for in the folder `from`, with all below it, a place of the same name in the folder `into`. A
/// folder that is there is filled, and a file that is there and is another one by now gives way: so it can be done again, to catch
/// up with a site in use. What vanishes meanwhile is left out.
///
/// # Errors
/// `io_failed`, `disk_full`, `limit_exceeded` for a tree that is too deep, or what the monitor says.
pub fn adopt(from: impl AsFd, into: impl AsFd, name: &[u8], path: &RelPath, monitor: &dyn Monitor) -> Result<Adopted> {
    let mut adopted = Adopted::default();
    one(from.as_fd(), into.as_fd(), name, path, 0, &mut adopted, monitor)?;
    Ok(adopted)
}

fn one(
    from: BorrowedFd,
    into: BorrowedFd,
    name: &[u8],
    path: &RelPath,
    depth: usize,
    adopted: &mut Adopted,
    monitor: &dyn Monitor,
) -> Result<()> {
    let fail = |error: Errno| refuse(path, error);
    let stat = match statx_here(from, name) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(fail(error)),
    };
    if kind_of(u32::from(stat.stx_mode)) != Kind::Folder {
        match link(from, into, name, &stat) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(fail(error)),
        }
        adopted.files += 1;
        adopted.bytes += if kind_of(u32::from(stat.stx_mode)) == Kind::File { stat.stx_size } else { 0 };
        monitor.advance(Phase::Files, 1, 0);
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("{:?} is deeper than {MAX_DEPTH} folders", path.to_string()),
        ));
    }
    monitor.keep_going()?;
    let made = match rustix::fs::mkdirat(into, name, Mode::RWXU) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(error) => return Err(fail(error)),
    };
    let flags = OFlags::DIRECTORY | OFlags::RDONLY;
    let theirs = match open_here(from, name, flags) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(fail(error)),
    };
    let ours = open_here(into, name, flags).map_err(fail)?;
    for entry in Dir::read_from(&theirs).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let inner = entry.file_name().to_bytes();
        if !matches!(inner, b"." | b"..") {
            one(theirs.as_fd(), ours.as_fd(), inner, &path.join(inner), depth + 1, adopted, monitor)?;
        }
    }
    if made { like(&ours, &stat).map_err(fail) } else { Ok(()) }
}

/// Makes a folder like another: owner, mode, times.
///
/// # Errors
/// What the system says.
pub fn like(folder: &OwnedFd, stat: &Statx) -> rustix::io::Result<()> {
    rustix::fs::fchown(folder, Some(Uid::from_raw(stat.stx_uid)), Some(Gid::from_raw(stat.stx_gid)))?;
    rustix::fs::fchmod(folder, Mode::from_raw_mode(u32::from(stat.stx_mode) & 0o7777))?;
    let modified = Timespec { tv_sec: stat.stx_mtime.tv_sec, tv_nsec: i64::from(stat.stx_mtime.tv_nsec) as _ };
    rustix::fs::futimens(folder, &Timestamps { last_access: modified, last_modification: modified })
}

/// Another name of the same file, in the place of whatever other file is there.
fn link(from: BorrowedFd, into: BorrowedFd, name: &[u8], stat: &Statx) -> rustix::io::Result<()> {
    match link_or_copy(from, into, name, stat) {
        Err(Errno::EXIST) => {
            let there = statx_here(into, name)?;
            if there.stx_ino != stat.stx_ino && !is_copy(stat, &there) {
                give_way(into, name, &there)?;
                link_or_copy(from, into, name, stat)?;
            }
            Ok(())
        }
        other => other,
    }
}

/// A copy where the filesystem has no room for one more name, or gives the file none: it is immutable, or in a subvolume of its own.
fn link_or_copy(from: BorrowedFd, into: BorrowedFd, name: &[u8], stat: &Statx) -> rustix::io::Result<()> {
    match (rustix::fs::linkat(from, name, into, name, AtFlags::empty()), kind_of(u32::from(stat.stx_mode))) {
        (Err(Errno::MLINK | Errno::PERM | Errno::XDEV), Kind::File) => copy(from, into, name, stat),
        (Err(Errno::XDEV), Kind::Symlink) => {
            let target = rustix::fs::readlinkat(from, name, Vec::new())?;
            rustix::fs::symlinkat(&target, into, name)?;
            let (owner, group) = (Uid::from_raw(stat.stx_uid), Gid::from_raw(stat.stx_gid));
            rustix::fs::chownat(into, name, Some(owner), Some(group), AtFlags::SYMLINK_NOFOLLOW)
        }
        (other, _) => other,
    }
}

/// What was copied, since no other name could be given, is not copied again when nothing has changed.
fn is_copy(stat: &Statx, there: &Statx) -> bool {
    let facts = |stat: &Statx| {
        (stat.stx_mode, stat.stx_uid, stat.stx_gid, stat.stx_size, stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec)
    };
    facts(stat) == facts(there) && there.stx_nlink == 1
}

/// A folder where the site has a file by now stays: what is in it may be all there is of it.
fn give_way(into: BorrowedFd, name: &[u8], there: &Statx) -> rustix::io::Result<()> {
    match kind_of(u32::from(there.stx_mode)) {
        Kind::Folder => Err(Errno::ISDIR),
        _ => rustix::fs::unlinkat(into, name, AtFlags::empty()),
    }
}

fn copy(from: BorrowedFd, into: BorrowedFd, name: &[u8], stat: &Statx) -> rustix::io::Result<()> {
    let mut source = File::from(open_here(from, name, OFlags::RDONLY | OFlags::NONBLOCK)?);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = rustix::fs::openat(into, name, flags, Mode::RUSR | Mode::WUSR)?;
    let mut made = File::from(made);
    std::io::copy(&mut source, &mut made).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    like(&OwnedFd::from(made), stat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree::open_folder;
    use crate::progress::Silent;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    #[test]
    fn a_folder_is_the_same_files_under_another_name_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("live/cache/deep")).unwrap();
        std::fs::create_dir(at("new")).unwrap();
        std::fs::write(at("live/cache/deep/f"), "12345").unwrap();
        std::fs::write(at("outside"), "secret").unwrap();
        std::os::unix::fs::symlink(at("outside"), at("live/cache/l")).unwrap();
        std::fs::set_permissions(at("live/cache/deep"), std::fs::Permissions::from_mode(0o2775)).unwrap();
        let (live, new) = (open_folder(&at("live")).unwrap(), open_folder(&at("new")).unwrap());
        let path = RelPath::parse(b"cache").unwrap();
        for _ in 0..2 {
            adopt(&live, &new, b"cache", &path, &Silent).unwrap();
        }
        let stat = |name: &str| std::fs::symlink_metadata(at(name)).unwrap();
        assert_eq!(stat("new/cache/deep/f").ino(), stat("live/cache/deep/f").ino());
        assert_eq!(stat("new/cache/deep").mode() & 0o7777, 0o2775);
        assert_eq!(stat("new/cache/deep").mtime(), stat("live/cache/deep").mtime());
        assert_eq!(std::fs::read_link(at("new/cache/l")).unwrap(), at("outside"));
        assert_eq!(stat("outside").nlink(), 1);
        // Once more, after the site has written: a file replaced, one made, one gone.
        std::fs::write(at("live/fresh"), "new").unwrap();
        std::fs::rename(at("live/fresh"), at("live/cache/deep/f")).unwrap();
        std::fs::write(at("live/cache/made"), "x").unwrap();
        adopt(&live, &new, b"cache", &path, &Silent).unwrap();
        assert_eq!(std::fs::read_to_string(at("new/cache/deep/f")).unwrap(), "new");
        assert_eq!(stat("new/cache/made").ino(), stat("live/cache/made").ino());
        std::fs::remove_file(at("live/cache/made")).unwrap();
        let counted = adopt(&live, open_folder(&at("new/cache")).unwrap(), b"cache", &path, &Silent).unwrap();
        assert_eq!(counted, Adopted { files: 2, bytes: 3 });
    }
}
