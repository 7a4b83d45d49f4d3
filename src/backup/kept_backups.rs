//! Backups that lie in the live tree itself: plugins keep theirs below `wp-content` and leave that folder out of what they write, so that a
//! restore of a whole tree would take all of them away, the one that is being restored among them.

use crate::backup::layout::Place;
use crate::backup::source::Part;
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::host::tree;
use crate::path::RelPath;
use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Folders of plugins, by the folder around them and the beginning of their names.
const FOLDERS: [(&[u8], &[u8]); 9] = [
    (b"wp-content", b"ai1wm-backups"),
    (b"wp-content", b"backups-dup-"),
    (b"wp-content", b"backuply"),
    (b"wp-content", b"updraft"),
    (b"wp-content", b"wpvividbackups"),
    (b"wp-content/uploads", b"backwpup"),
    (b"wp-content/uploads", b"backupbuddy_backups"),
    (b"administrator/components/com_akeeba", b"backup"),
    (b"administrator/components/com_akeebabackup", b"backup"),
];
/// Ends of the names of backups. A folder without one is a guard of an empty one.
const ENDS: [&[u8]; 14] = [
    b".zip", b".gz", b".tgz", b".tar", b".bz2", b".xz", b".zst", b".lz4", b".daf", b".wpress", b".jpa", b".jps",
    b".sql", b".crypt",
];

/// Paths of the live tree in `target`, whose document root is `root` in it, that stay for that; `listings` are what is in the first of the placed `parts`.
///
/// # Errors
/// `unsafe_path` for a name that is none.
pub fn kept(target: &Path, root: &RelPath, parts: &[Part], listings: &[Listing]) -> Result<Vec<RelPath>> {
    let Ok(Some(live)) = tree::open_site(target) else { return Ok(Vec::new()) };
    let (mut held, mut held_backups) = (BTreeSet::new(), BTreeSet::new());
    for (part, listing) in parts.iter().zip(listings) {
        let Some(places) = &part.places else { continue };
        for (path, is_folder) in &listing.names {
            let Place::Site(inside) = places.place(path) else { continue };
            if !is_folder && ENDS.iter().any(|end| inside.last_name().to_ascii_lowercase().ends_with(end)) {
                held_backups.insert(inside.clone());
            }
            held.insert(inside);
        }
    }
    let is_below = |all: &BTreeSet<RelPath>, folder: &RelPath| {
        all.range(folder.clone()..).next().is_some_and(|path| path.strip_prefix(folder).is_some())
    };
    let mut kept = BTreeSet::new();
    // By what is open: a path may lead there through links.
    let Ok(target) = tree::path_of(live.as_fd()) else { return Ok(Vec::new()) };
    let own: Vec<RelPath> =
        parts.iter().filter_map(|part| below(&target, &tree::path_of(part.folder()).ok()?)).collect();
    for folder in folders(&live, root)? {
        let has_own = own.iter().any(|path| path.strip_prefix(&folder).is_some());
        if has_own || !is_below(&held_backups, &folder) {
            kept.insert(folder);
        }
    }
    for path in own {
        // Where the backup knows nothing of the folder around it, that is one of backups.
        let around = path.split_last().unwrap_or_default().0;
        let stays = if around.is_root() || is_below(&held, &around) { path } else { around };
        if !stays.is_root() && !kept.iter().any(|folder| stays.strip_prefix(folder).is_some()) {
            kept.insert(stays);
        }
    }
    Ok(kept.into_iter().collect())
}

/// A path as it lies below the live tree; `None` where it lies elsewhere.
fn below(target: &Path, path: &Path) -> Option<RelPath> {
    RelPath::parse(path.strip_prefix(target).ok()?.as_os_str().as_bytes()).ok()
}

/// The folders of plugins that are there.
fn folders(live: &OwnedFd, root: &RelPath) -> Result<Vec<RelPath>> {
    let mut found = Vec::new();
    for (around, begin) in FOLDERS {
        let around = root.below(&RelPath::parse(around)?);
        let Ok(folder) = tree::open_beneath(live.as_fd(), &around, OFlags::RDONLY | OFlags::DIRECTORY) else {
            continue;
        };
        let Ok(names) = rustix::fs::Dir::read_from(&folder) else { continue };
        for entry in names.flatten() {
            let name = entry.file_name().to_bytes();
            let path = around.join(name);
            if name.starts_with(begin) && tree::open_folder_beneath(live.as_fd(), &path).is_ok() {
                found.push(path);
            }
        }
    }
    Ok(found)
}
