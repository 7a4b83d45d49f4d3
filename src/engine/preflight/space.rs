//! Room that a restore takes on each filesystem it writes to: the staged tree and the spooled dump on the document root's,
//! tables on the database server's, jobs and logs on that of `base`. Pure but for [`rooms`].

use crate::config::Config;
use crate::error::{Error, Result};
use crate::host::tree::{self, Space};
use std::path::{Path, PathBuf};

/// Inodes that stay free on every filesystem written to.
const INODE_HEADROOM: u64 = 1000;
/// Room for the folder of a job and its log.
const JOB_BYTES: u64 = 4 << 20;
/// Files of a site are about this large when their number is not known.
const USUAL_FILE: u64 = 20_000;

/// The bytes and entries that a restore is going to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Content of the site's files.
    pub files: u64,
    /// Files, folders and links; 0 when nothing can be said.
    pub entries: u64,
    /// The dump, which is spooled whole.
    pub dump: u64,
    /// The bytes of the dump that become tables.
    pub tables: u64,
}

/// The bytes and inodes that go to one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The nearest folder that exists.
    pub path: PathBuf,
    /// The kind of content that is written there.
    pub what: &'static str,
    /// Bytes.
    pub bytes: u64,
    /// Files and folders.
    pub inodes: u64,
}

/// The bytes and inodes that go to one filesystem, and the room there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The first place on it.
    pub path: PathBuf,
    /// The kind of content that is written there.
    pub what: Vec<&'static str>,
    /// Bytes, without those that are to stay free.
    pub bytes: u64,
    /// Bytes needed, with those that are to stay free.
    pub needed: u64,
    /// Inodes needed, with those that are to stay free.
    pub needed_inodes: u64,
    /// The free room.
    pub space: Space,
}

impl Room {
    /// Whether the bytes fit.
    pub fn enough(&self) -> bool {
        self.space.free_bytes >= self.needed
    }

    /// Whether the files fit; `None` where the filesystem has no such limit.
    pub fn enough_inodes(&self) -> Option<bool> {
        (self.space.free_inodes < u64::MAX).then_some(self.space.free_inodes >= self.needed_inodes)
    }
}

/// The room that a restore needs, by filesystem, and the errors of places that could not be looked at. `staging` is the folder in which
/// trees are staged. `data_folder` is the database server's, if it is on this machine.
pub fn rooms(config: &Config, staging: &Path, load: Load, data_folder: Option<&Path>) -> (Vec<Room>, Vec<Error>) {
    let needs = needs(config, staging, load, data_folder).map(|need| Need { path: nearest(&need.path), ..need });
    by_filesystem(needs, config.limits.headroom_bytes, tree::space)
}

fn needs(config: &Config, staging: &Path, load: Load, data_folder: Option<&Path>) -> impl Iterator<Item = Need> {
    let inodes = if load.entries > 0 { load.entries } else { load.files / USUAL_FILE };
    let need = |path: PathBuf, what, bytes, inodes| Need { path, what, bytes, inodes };
    let staged = need(staging.to_owned(), "staged files", load.files + load.dump, inodes);
    // Tables take about the room of their dump, plus indexes and the redo they pass through.
    let tables = data_folder.map(|folder| need(folder.to_owned(), "tables", load.tables + load.tables / 2, 0));
    [Some(staged), tables, Some(need(config.paths.base.clone(), "jobs and logs", JOB_BYTES, 0))].into_iter().flatten()
}

fn by_filesystem(
    needs: impl Iterator<Item = Need>,
    headroom: u64,
    look: impl Fn(&Path) -> Result<Space>,
) -> (Vec<Room>, Vec<Error>) {
    let mut rooms: Vec<Room> = Vec::new();
    let mut errors = Vec::new();
    for need in needs {
        let space = match look(&need.path) {
            Ok(space) => space,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let at = rooms.iter().position(|room| room.space.device == space.device).unwrap_or_else(|| {
            rooms.push(Room {
                path: need.path.clone(),
                what: Vec::new(),
                bytes: 0,
                needed: headroom,
                needed_inodes: INODE_HEADROOM,
                space,
            });
            rooms.len() - 1
        });
        let room = &mut rooms[at];
        room.what.push(need.what);
        room.bytes += need.bytes;
        room.needed += need.bytes;
        room.needed_inodes += need.inodes;
    }
    (rooms, errors)
}

/// The nearest existing parent.
fn nearest(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn space(device: u64, free_bytes: u64) -> Space {
        Space { free_bytes, free_inodes: 5_000, total_bytes: 1 << 40, device }
    }

    #[test]
    fn places_on_one_filesystem_share_its_room_and_its_headroom() {
        let config = Config::default();
        let load = Load { files: 1_000_000, entries: 400, dump: 1_000, tables: 1_000 };
        let look = |path: &Path| Ok(if path.starts_with("/db") { space(2, 1_600) } else { space(1, 1 << 30) });
        let (rooms, errors) =
            by_filesystem(needs(&config, &config.paths.staging(), load, Some(Path::new("/db/data"))), 100, look);
        assert!(errors.is_empty());
        assert_eq!(rooms.len(), 2);
        assert_eq!(rooms[0].what, ["staged files", "jobs and logs"]);
        assert_eq!((rooms[0].needed, rooms[0].needed_inodes), (1_001_000 + JOB_BYTES + 100, 400 + INODE_HEADROOM));
        assert_eq!((rooms[1].needed, rooms[1].enough()), (1_600, true));
        assert_eq!(rooms[1].enough_inodes(), Some(true));
        let (rooms, _) =
            by_filesystem(needs(&config, &config.paths.staging(), load, Some(Path::new("/db/data"))), 101, look);
        assert!(!rooms[1].enough());
    }

    #[test]
    fn a_place_that_cannot_be_looked_at_is_named_and_the_others_count() {
        let look = |path: &Path| match path.starts_with("/db") {
            true => Err(Error::new(Code::IoFailed, "no such filesystem")),
            false => Ok(space(1, 1 << 30)),
        };
        let (rooms, errors) = by_filesystem(
            needs(&Config::default(), Path::new("/www"), Load::default(), Some(Path::new("/db"))),
            0,
            look,
        );
        assert_eq!((rooms.len(), errors.len()), (1, 1));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_counted_where_it_will_be() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(nearest(&folder.path().join("a/b")), folder.path());
    }
}
