//! Whether a tree that has files in common with the live one is exchanged part by part, or as a whole.
//!
//! Part by part nothing of an unchanged file is written, and the site's own later writes to it stay. As a whole each file has to be one
//! of its own: else the site would write to the kept state, too.

use crate::engine::state::{InCommon, StagedFiles};
use crate::error::Result;
use crate::host::page_caches;
use crate::host::tree::apart::{self, Passed};
use crate::host::tree::{self, Apart};
use crate::path::RelPath;
use crate::plan::Plan;
use crate::progress::{Level, Monitor};
use std::collections::HashSet;
use std::os::fd::OwnedFd;

/// Most parts that change places one by one. Between the first and the last of them visitors may get files of both sides: a rename takes
/// some 10 µs on ext4.
pub const MOST_PARTS: u64 = 1000;

/// Decides it, and makes each file one of its own where the tree is exchanged as a whole. `compares`: files were compared with live ones; an
/// interrupted job may have done so before this one.
///
/// # Errors
/// `disk_full`, `io_failed`, or what the monitor says.
pub fn settle(plan: &Plan, files: &mut StagedFiles, compares: bool, monitor: &dyn Monitor) -> Result<()> {
    let has_none = files.summary.unchanged == 0 && files.summary.taken_over == 0;
    let live = tree::open_site(&plan.document_root)?;
    let (Some(live), false, None) = (live, has_none, &files.units) else { return Ok(()) };
    let staged = tree::open_folder(&plan.tree)?;
    let found = match compares {
        true => tree::apart((&live, &staged), &passed(&live, files), false, monitor)?,
        false => Apart { obstacle: Some("its files were not compared".into()), ..Apart::default() },
    };
    let (parts, same) = (found.units.len() as u64, found.same);
    match found.obstacle.or_else(|| (parts > MOST_PARTS).then(|| format!("{parts} parts differ"))) {
        None => {
            let message = format!(
                "{} of {} files are live as the backup has them and stay where they are: {parts} parts are exchanged one by one",
                same.0, files.summary.files
            );
            monitor.event(Level::Info, &message);
            files.in_common = Some(InCommon { files: same.0, bytes: same.1, parts });
        }
        Some(why) => {
            monitor.event(Level::Info, &format!("the document root is exchanged as a whole: {why}"));
            apart::make_all_own(&live, &staged, &kept(files), monitor)?;
        }
    }
    Ok(())
}

/// What is exchanged, from the state as it is now. The names that live files had in the staged tree go, so that what is kept of it is the
/// old state and nothing that the site goes on writing to.
///
/// # Errors
/// `io_failed`, or what the monitor says.
pub fn take_apart(live: &OwnedFd, staged: &OwnedFd, files: &StagedFiles, monitor: &dyn Monitor) -> Result<Apart> {
    tree::apart((live, staged), &passed(live, files), true, monitor)
}

/// Kept paths stay as they are. Folders of saved pages are empty in the staged tree: the live ones are kept as a whole, for the way back.
fn passed(live: &OwnedFd, files: &StagedFiles) -> Passed {
    Passed { kept: kept(files), wholes: page_caches::find(live).into_iter().collect() }
}

fn kept(files: &StagedFiles) -> HashSet<RelPath> {
    files.kept.iter().map(|kept| kept.path.clone()).collect()
}
