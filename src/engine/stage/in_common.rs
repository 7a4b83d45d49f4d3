//! Whether a tree that has files in common with the live one is exchanged part by part, or as a whole.
//!
//! Part by part nothing of an unchanged file is written, and the site's own later writes to it stay. As a whole each file has to be one
//! of its own: else the site would write to the kept state, too.

use crate::engine::commit::step::Step;
use crate::engine::state::{InCommon, StagedFiles};
use crate::error::Result;
use crate::host::page_caches;
use crate::host::tree::apart::{self, Passed};
use crate::host::tree::{self, Apart, unit};
use crate::path::RelPath;
use crate::plan::Plan;
use crate::progress::{Level, Monitor};
use std::collections::HashSet;
use std::os::fd::OwnedFd;

/// Most parts that change places one by one. Between the first and the last of them visitors may get files of both sides: a rename takes
/// some 10 µs on ext4.
pub const MOST_PARTS: u64 = 1000;

/// Decides it, and makes each file one of its own where the tree is exchanged as a whole.
///
/// # Errors
/// `disk_full`, `io_failed`, or what the monitor says.
pub fn settle(plan: &Plan, files: &mut StagedFiles, monitor: &dyn Monitor) -> Result<()> {
    if files.summary.unchanged == 0 {
        return Ok(());
    }
    let Some(live) = tree::open_site(&plan.document_root)? else { return Ok(()) };
    let staged = tree::open_folder(&plan.tree)?;
    let found = tree::apart((&live, &staged), &passed(&live, files), false, monitor)?;
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
            apart::make_all_own(&staged, &kept(files), monitor)?;
        }
    }
    Ok(())
}

/// What is exchanged, from the state as it is now; `None`: the tree as a whole. The names that live files had in the staged tree go, so that
/// what is kept of it is the old state and nothing that the site goes on writing to.
///
/// # Errors
/// `disk_full`, `io_failed`, or what the monitor says. The site is as it was.
pub fn take_apart(
    (live, staged): (&OwnedFd, &OwnedFd),
    files: &StagedFiles,
    monitor: &dyn Monitor,
) -> Result<Option<Apart>> {
    let passed = passed(live, files);
    let look = tree::apart((live, staged), &passed, false, monitor);
    let fits = |found: &Apart| found.obstacle.is_none() && found.units.len() as u64 <= 2 * MOST_PARTS;
    // What a site does to its tree meanwhile keeps no restore from its end.
    let found = match look {
        Ok(found) if fits(&found) => Some(tree::apart((live, staged), &passed, true, monitor)?),
        _ => None,
    };
    if apart::make_all_own(staged, &passed.kept, monitor)? > 0 {
        tree::sync_filesystem(staged)?;
    }
    let Some(mut found) = found else {
        monitor.event(Level::Info, "the document root is exchanged as a whole: the site has changed it meanwhile");
        return Ok(None);
    };
    for unit in &mut found.units {
        unit.coming = unit::identity_beneath(staged, &unit.path)?;
    }
    Ok(Some(found))
}

/// Notes what became of it.
pub fn done(files: &mut StagedFiles, steps: &[Step]) {
    files.in_common = files.in_common.and_then(|common| {
        let parts = steps.iter().find_map(|step| match step {
            Step::Parts { count, .. } => Some(*count as u64),
            _ => None,
        });
        Some(InCommon { parts: parts?, ..common })
    });
}

/// Kept paths stay as they are. Folders of saved pages are empty in the staged tree: the live ones are kept as a whole, for the way back.
fn passed(live: &OwnedFd, files: &StagedFiles) -> Passed {
    let wholes = page_caches::find(live).into_iter().filter(|folder| files.dropped.contains(folder));
    Passed { kept: kept(files), wholes: wholes.collect() }
}

fn kept(files: &StagedFiles) -> HashSet<RelPath> {
    files.kept.iter().map(|kept| kept.path.clone()).collect()
}
