//! Takes paths over from the live tree into the new one: folders that the backup's writer leaves out, and paths that the request
//! excludes. They are the same files under another name, so that nothing is copied and nothing that the site writes to them is lost.

use crate::engine::stage::archives::Found;
use crate::engine::state::Kept;
use crate::error::Result;
use crate::host::tree::kind::Kind;
use crate::host::tree::walk::Next;
use crate::host::tree::{self, unit};
use crate::path::RelPath;
use crate::plan::keep::{KeepRule, Reason};
use crate::progress::Monitor;
use rustix::fs::{Dir, OFlags};
use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};

/// Takes over the paths that the rule keeps. In a restore of parts only selected folders are looked at.
///
/// # Errors
/// `io_failed`, `disk_full`, or the error with which the monitor ends the job.
pub fn take_over(
    live: &OwnedFd,
    staged: &OwnedFd,
    rule: &KeepRule,
    found: &Found,
    monitor: &dyn Monitor,
) -> Result<Vec<Kept>> {
    if rule.is_empty() {
        return Ok(Vec::new());
    }
    let mut kept = Vec::new();
    let leading: HashSet<RelPath> = found.units.iter().flat_map(|unit| unit.ancestors()).collect();
    tree::walk(live, &mut |visit| {
        let Ok(path) = RelPath::parse(visit.path) else { return Ok(Next::Into) };
        if path.is_root() {
            return Ok(Next::Into);
        }
        let is_folder = visit.kind == Kind::Folder;
        if !found.units.is_empty() && !path.ancestors().any(|folder| found.units.contains(&folder)) {
            // The path is on the way to a selected folder, or beside all of them.
            let into = leading.contains(&path) || found.units.contains(&path);
            return Ok(if into { Next::Into } else { Next::Past });
        }
        let Some(reason) = rule.keeps(&path, is_folder) else { return Ok(Next::Into) };
        if reason == Reason::LeftOut && !unknown_to_backup(staged, &path)? {
            return Ok(Next::Into);
        }
        monitor.keep_going()?;
        let made = make_parents_like(live, staged, &path)?;
        let (around, name) = path.split_last().unwrap_or_default();
        let into = tree::open_folder_beneath(staged.as_fd(), &around)?;
        let adopted = tree::adopt::adopt(visit.folder, into, name, &path, monitor)?;
        let reason = match reason {
            Reason::LeftOut => "left_out",
            Reason::Excluded => "excluded",
        };
        let root = made.unwrap_or_else(|| path.clone());
        kept.push(Kept { path, root, reason: reason.into(), files: adopted.files, bytes: adopted.bytes });
        Ok(Next::Past)
    })?;
    Ok(kept)
}

/// Whether the backup holds the folder around this one and nothing in it.
fn unknown_to_backup(staged: &OwnedFd, path: &RelPath) -> Result<bool> {
    let open = |path: &RelPath| tree::handle::resolve(staged.as_fd(), path, OFlags::RDONLY | OFlags::DIRECTORY);
    let around = path.split_last().map(|(around, _)| around).unwrap_or_default();
    if open(&around).is_err() {
        return Ok(false);
    }
    match open(path) {
        Err(rustix::io::Errno::NOENT) => Ok(true),
        Err(_) => Ok(false),
        Ok(folder) => {
            let reading = |error: rustix::io::Errno| tree::handle::refuse(path, error);
            for entry in Dir::read_from(&folder).map_err(reading)? {
                let entry = entry.map_err(reading)?;
                if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    }
}

/// Makes the folders around an excluded path, which stays even if the backup has no folder around it. Gives the highest one that was
/// made.
fn make_parents_like(live: &OwnedFd, staged: &OwnedFd, path: &RelPath) -> Result<Option<RelPath>> {
    let mut highest = None;
    for folder in path.ancestors() {
        if unit::identity_beneath(staged, &folder)?.is_some() {
            continue;
        }
        unit::make_parents(staged, &folder.join(b"x"))?;
        let theirs = tree::open_folder_beneath(live.as_fd(), &folder)?;
        let ours = tree::open_beneath(staged.as_fd(), &folder, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let stat = tree::walk::statx_here(theirs.as_fd(), b"");
        stat.and_then(|stat| tree::adopt::like(&ours, &stat)).map_err(|error| tree::handle::refuse(&folder, error))?;
        highest.get_or_insert(folder);
    }
    Ok(highest)
}
