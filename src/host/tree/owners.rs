//! Who owns each path of a new tree: what was root's in the live tree stays root's, the rest gets the owner of restore.toml. What
//! changes its owner by that is counted, so that it can be said.

use super::handle::{resolve, stat_here};
use super::policy::FilePolicy;
use crate::path::RelPath;
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Paths that are named of each kind of change.
const NAMED: usize = 3;

/// User and group.
pub type Owner = (u32, u32);

/// Decides for one tree.
pub struct Owners {
    policy: FilePolicy,
    live: Option<Arc<OwnedFd>>,
    /// The live folder that was looked into last; `None` where there is none.
    folder: Option<(RelPath, Option<OwnedFd>)>,
    changes: BTreeMap<Owner, Change>,
}

#[derive(Default)]
struct Change {
    paths: u64,
    first: Vec<String>,
}

impl Owners {
    /// `live` is the live document root, where there is one.
    pub fn new(policy: FilePolicy, live: Option<Arc<OwnedFd>>) -> Owners {
        Owners { policy, live, folder: None, changes: BTreeMap::new() }
    }

    /// The owner of what is written at a path.
    pub fn of(&mut self, path: &RelPath) -> Owner {
        let live = self.live_owner(path);
        let owner = self.policy.owner(live);
        if let Some(live) = live.filter(|live| *live != owner) {
            let change = self.changes.entry(live).or_default();
            change.paths += 1;
            if change.first.len() < NAMED {
                change.first.push(format!("{:?}", path.to_string()));
            }
        }
        owner
    }

    /// What changes its owner, a sentence for each owner that loses something.
    pub fn notes(&self) -> Vec<String> {
        let to = format!("{}:{}", self.policy.uid, self.policy.gid);
        let note = |((uid, gid), change): (&Owner, &Change)| {
            let more = if change.paths > change.first.len() as u64 { " …" } else { "" };
            let paths = if change.paths == 1 { "1 path".to_owned() } else { format!("{} paths", change.paths) };
            format!("{paths} of user and group {uid}:{gid} will belong to {to}: {}{more}", change.first.join(", "))
        };
        self.changes.iter().map(note).collect()
    }

    /// Nothing is followed: what lies behind a live link is not this path.
    fn live_owner(&mut self, path: &RelPath) -> Option<Owner> {
        let live = self.live.as_ref()?;
        let owner = |stat: rustix::fs::Stat| (stat.st_uid, stat.st_gid);
        let Some((around, _)) = path.split_last() else { return rustix::fs::fstat(live).ok().map(owner) };
        if self.folder.as_ref().is_none_or(|(known, _)| *known != around) {
            let opened = resolve(live.as_fd(), &around, OFlags::PATH | OFlags::DIRECTORY).ok();
            self.folder = Some((around, opened));
        }
        let (_, folder) = self.folder.as_ref()?;
        stat_here(folder.as_ref()?.as_fd(), path.last_name()).ok().flatten().map(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Permissions;
    use std::os::unix::fs::{lchown, symlink};

    #[test]
    fn roots_stays_roots_and_every_other_change_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("roots/deep")).unwrap();
        std::fs::create_dir(at("theirs")).unwrap();
        for (name, owner) in [("roots/deep/f", 0), ("theirs/a", 7), ("theirs/b", 7), ("ours", 33), ("other", 8)] {
            std::fs::write(at(name), "").unwrap();
            std::os::unix::fs::chown(at(name), Some(owner), Some(owner)).unwrap();
        }
        symlink("roots/deep", at("link")).unwrap();
        lchown(at("link"), Some(7), Some(7)).unwrap();
        std::os::unix::fs::chown(at("theirs"), Some(33), Some(33)).unwrap();
        let live = Arc::new(super::super::open_folder(folder.path()).unwrap());
        let policy = FilePolicy { uid: 33, gid: 33, permissions: Permissions::Standard };
        let mut owners = Owners::new(policy, Some(live));
        let mut of = |path: &str| owners.of(&RelPath::parse(path.as_bytes()).unwrap());
        for path in ["", "roots", "roots/deep", "roots/deep/f"] {
            assert_eq!(of(path), (0, 0), "{path}");
        }
        for path in ["theirs/a", "theirs/b", "ours", "other", "new", "new/deep", "link", "link/f"] {
            assert_eq!(of(path), (33, 33), "{path}");
        }
        assert_eq!(
            owners.notes(),
            [
                "3 paths of user and group 7:7 will belong to 33:33: \"theirs/a\", \"theirs/b\", \"link\"",
                "1 path of user and group 8:8 will belong to 33:33: \"other\"",
            ]
        );
        assert_eq!(Owners::new(policy, None).of(&RelPath::default()), (33, 33));
    }
}
