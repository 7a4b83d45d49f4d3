//! Opening a folder by its absolute path, without going where a tenant likes.
//!
//! Parts of the path may lie in folders that a tenant can write to, such as a home. A tenant can put a symbolic link in place of
//! any of them, at any moment. So the path is walked name by name from `/`, over handles, and a link is followed only where
//! nobody but the administrator can have made it: root owns it, and nobody else may write to the folder it lies in.

use super::kind::{Kind, kind_of};
use crate::error::{Code, Error, IoContext, Result};
use rustix::fs::{Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};

/// As many links as the kernel follows in one path (`path_resolution(7)`).
const MAX_LINKS: usize = 40;
const NAME: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Whether the last name may be a link of the administrator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    /// It may.
    Link,
    /// It has to be the folder itself.
    Folder,
}

/// Opens a folder; `None` when nothing is there.
///
/// # Errors
/// `unsafe_path` for a link that somebody else may have made, `io_failed` also for what is no folder.
pub(super) fn open(path: &Path, last: Last) -> Result<Option<OwnedFd>> {
    let opening = || format!("open folder {}", path.display());
    if !path.is_absolute() {
        return Err(Error::new(Code::Internal, format!("{} is no absolute path", path.display())));
    }
    // From the root to where the walk is: `..` of a link's target goes back.
    let mut way: Vec<OwnedFd> = vec![root().doing(opening)?];
    let mut left: Vec<OsString> = names(path);
    let mut links = 0;
    while let Some(name) = left.pop() {
        let Some(here) = way.last() else { return Err(Errno::NOENT).doing(opening) };
        if name == ".." {
            if way.len() > 1 {
                way.pop();
            }
            continue;
        }
        let next = match rustix::fs::openat(here, &name, NAME, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error).doing(opening),
        };
        let stat = rustix::fs::fstat(&next).doing(opening)?;
        if kind_of(stat.st_mode) != Kind::Symlink {
            way.push(next);
            continue;
        }
        links += 1;
        if links > MAX_LINKS || (last == Last::Folder && left.is_empty()) {
            return Err(Errno::LOOP).doing(opening);
        }
        require_administrators(path, &name, &stat, &rustix::fs::fstat(here).doing(opening)?)?;
        let target = rustix::fs::readlinkat(&next, "", Vec::new()).map(CString::into_bytes).doing(opening)?;
        let target = Path::new(OsStr::from_bytes(&target));
        if target.is_absolute() {
            way.truncate(1);
        }
        left.extend(names(target));
    }
    let Some(folder) = way.last() else { return Err(Errno::NOENT).doing(opening) };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(folder.as_fd(), ".", flags, Mode::empty()).map(Some).doing(opening)
}

fn root() -> rustix::io::Result<OwnedFd> {
    rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// The names of a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().rev().filter_map(name).map(|name| OsString::from_vec(name.into_vec())).collect()
}

fn require_administrators(path: &Path, name: &OsStr, link: &Stat, around: &Stat) -> Result<()> {
    let us = rustix::process::geteuid().as_raw();
    let trusted = |uid: u32| uid == 0 || uid == us;
    // In a folder like /tmp nobody takes away what is another's.
    let sticky = around.st_mode & 0o1000 != 0;
    if trusted(link.st_uid) && trusted(around.st_uid) && (around.st_mode & 0o022 == 0 || sticky) {
        return Ok(());
    }
    let who = if trusted(link.st_uid) { around.st_uid } else { link.st_uid };
    let message = format!(
        "{}: {} is a link that user {who} can have made, and leads where that user likes",
        path.display(),
        name.display()
    );
    Err(Error::new(Code::UnsafePath, message)
        .hint("Put the folder itself in its place, or have root make the link in a folder that only root writes to.")
        .with("path", path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};

    #[test]
    fn a_link_is_followed_only_where_the_administrator_alone_can_have_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let inode = |name: &str| std::fs::metadata(at(name)).unwrap().ino();
        for name in ["real/site", "home/tenant/htdocs", "neighbour", "shared"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        symlink("real", at("alias")).unwrap();
        symlink(at("real/site"), at("absolute")).unwrap();
        symlink("real/../alias/site", at("around")).unwrap();
        symlink(at("home/tenant/htdocs"), at("web")).unwrap();
        for name in ["real/site", "alias/site", "absolute", "around"] {
            let opened = open(&at(name), Last::Link).unwrap().unwrap();
            assert_eq!(rustix::fs::fstat(&opened).unwrap().st_ino, inode("real/site"), "{name}");
        }
        assert!(open(&at("alias/site"), Last::Folder).unwrap().is_some());
        symlink("../absolute", at("real/again")).unwrap();
        for name in ["absolute", "alias/again"] {
            assert!(open(&at(name), Last::Folder).is_err(), "{name}: the last name itself is a link");
        }
        for name in ["none", "none/x", "real/site/none"] {
            assert!(open(&at(name), Last::Link).unwrap().is_none(), "{name}");
        }
        // The home is the tenant's, who swaps a part of the path that root's link leads along.
        for name in ["home/tenant", "home/tenant/htdocs"] {
            chown(at(name), Some(1000), None).unwrap();
        }
        assert!(open(&at("web"), Last::Link).unwrap().is_some());
        std::fs::rename(at("home/tenant/htdocs"), at("home/tenant/x")).unwrap();
        symlink(at("neighbour"), at("home/tenant/htdocs")).unwrap();
        for uid in [1000, 0] {
            lchown(at("home/tenant/htdocs"), Some(uid), None).unwrap();
            assert_eq!(open(&at("web"), Last::Link).unwrap_err().code, Code::UnsafePath, "{uid}");
            assert_eq!(open(&at("home/tenant/htdocs"), Last::Link).unwrap_err().code, Code::UnsafePath, "{uid}");
        }
        // Root's link in a folder where anybody can put another one in its place.
        symlink("../neighbour", at("shared/link")).unwrap();
        std::fs::set_permissions(at("shared"), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(open(&at("shared/link"), Last::Link).unwrap_err().code, Code::UnsafePath);
        std::fs::set_permissions(at("shared"), std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(open(&at("shared/link"), Last::Link).unwrap().is_some());
        symlink("loop", at("loop")).unwrap();
        assert!(open(&at("loop"), Last::Link).is_err());
    }
}
