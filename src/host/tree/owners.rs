//! Who owns each path of a new tree. A path of the live tree keeps its owner, root's among them. A new one belongs to whoever owns the
//! folder around it, unless the backup tells its owners apart: then what has another owner there than the tree as a whole keeps that
//! one, where it is one that this site has anyway. Nobody else gets a file by what an archive says.

use super::handle::{resolve, stat_here};
use super::policy::{FilePolicy, Owner};
use crate::path::RelPath;
use rustix::fs::OFlags;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Decides for one tree.
pub struct Owners {
    policy: FilePolicy,
    live: Option<Arc<OwnedFd>>,
    /// The folder that was asked for last.
    folder: Option<Around>,
    /// Whose the tree of the archive is as a whole: the owner of its first entry.
    archived: Option<Owner>,
}

struct Around {
    path: RelPath,
    /// The live folder, where there is one.
    live: Option<OwnedFd>,
    /// Owner of what is new in it.
    heir: Owner,
}

impl Owners {
    /// `live` is the live tree, where there is one.
    pub fn new(policy: FilePolicy, live: Option<Arc<OwnedFd>>) -> Owners {
        Owners { policy, live, folder: None, archived: None }
    }

    /// The owner of what is written at a path; `archived` is the one that the archive tells.
    pub fn of(&mut self, path: &RelPath, archived: Option<Owner>) -> Owner {
        if let Some(told) = archived {
            self.archived.get_or_insert(told);
        }
        let apart = archived.filter(|told| Some(*told) != self.archived && self.policy.is_the_sites(*told));
        let Some((folder, name)) = path.split_last() else {
            let live = self.live.as_ref().and_then(|live| rustix::fs::fstat(live).ok());
            return live.map(owner).or(apart).unwrap_or(self.policy.owner);
        };
        let around = match self.folder.take().filter(|known| known.path == folder) {
            Some(known) => known,
            None => self.look_around(folder),
        };
        // Nothing is followed: what lies behind a live link is not this path.
        let live = around.live.as_ref().and_then(|live| stat_here(live.as_fd(), name).ok().flatten());
        let found = live.map(owner).or(apart).unwrap_or(around.heir);
        self.folder = Some(around);
        found
    }

    fn look_around(&self, path: RelPath) -> Around {
        let open = |folder: &RelPath| {
            let live = self.live.as_ref()?;
            resolve(live.as_fd(), folder, OFlags::PATH | OFlags::DIRECTORY).ok()
        };
        let owner_of = |folder: &OwnedFd| rustix::fs::fstat(folder).ok().map(owner);
        let live = open(&path);
        let mut nearest = live.as_ref().and_then(owner_of);
        let mut above = path.clone();
        while nearest.is_none()
            && let Some((folder, _)) = above.split_last()
        {
            nearest = open(&folder).as_ref().and_then(owner_of);
            above = folder;
        }
        // What is new in a folder of root's is the site's: root made the folder, and the site works in it.
        let heir = nearest.filter(|(uid, _)| *uid != 0).unwrap_or(self.policy.owner);
        Around { path, live, heir }
    }
}

fn owner(stat: rustix::fs::Stat) -> Owner {
    (stat.st_uid, stat.st_gid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Permissions;
    use std::os::unix::fs::{chown, lchown, symlink};

    fn policy() -> FilePolicy {
        FilePolicy { owner: (33, 33), known: vec![(33, 33), (7, 7)], permissions: Permissions::Standard }
    }

    #[test]
    fn a_live_path_keeps_its_owner_and_a_new_one_gets_that_of_the_folder_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("roots/deep")).unwrap();
        std::fs::create_dir(at("theirs")).unwrap();
        for (name, owner) in [("roots/deep/f", 0), ("theirs/a", 7), ("ours", 33), ("other", 8)] {
            std::fs::write(at(name), "").unwrap();
            chown(at(name), Some(owner), Some(owner)).unwrap();
        }
        symlink("roots/deep", at("link")).unwrap();
        lchown(at("link"), Some(7), Some(7)).unwrap();
        chown(at("theirs"), Some(9), Some(10)).unwrap();
        let live = Arc::new(super::super::open_folder(folder.path()).unwrap());
        let mut owners = Owners::new(policy(), Some(live));
        for (path, wanted) in [
            ("", (0, 0)),
            ("roots", (0, 0)),
            ("roots/deep/f", (0, 0)),
            ("theirs", (9, 10)),
            ("theirs/a", (7, 7)),
            ("ours", (33, 33)),
            ("other", (8, 8)),
            ("link", (7, 7)),
            // New ones: the folder's around, the site's where that is root's or lies behind a link.
            ("theirs/new", (9, 10)),
            ("theirs/new/deep", (9, 10)),
            ("new/deep", (33, 33)),
            ("roots/new", (33, 33)),
            ("link/f", (33, 33)),
        ] {
            assert_eq!(owners.of(&RelPath::parse(path.as_bytes()).unwrap(), None), wanted, "{path}");
        }
    }

    #[test]
    fn what_a_backup_tells_apart_stays_apart_where_the_site_has_such_an_owner() {
        let mut owners = Owners::new(policy(), None);
        let mut of = |path: &str, uid: u32| owners.of(&RelPath::parse(path.as_bytes()).unwrap(), Some((uid, uid)));
        // The tree as a whole is 1001's there, and the site's here.
        assert_eq!(of("", 1001), (33, 33));
        assert_eq!(of("index.php", 1001), (33, 33));
        assert_eq!(of("uploads", 7), (7, 7));
        // Root and a neighbour are nobody that an archive may name.
        assert_eq!(of("a", 0), (33, 33));
        assert_eq!(of("b", 1002), (33, 33));
    }
}
