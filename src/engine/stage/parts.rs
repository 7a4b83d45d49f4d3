//! Turns selected paths into units: each selected file, and each selected folder as a whole.

use crate::engine::stage::archives::Found;
use crate::error::Result;
use crate::host::tree::kind::Kind;
use crate::host::tree::walk::Next;
use crate::host::tree::{self, Unit, unit};
use crate::path::RelPath;
use crate::plan::pattern::PathPatterns;
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

/// The units of a selection. With `exact`, live files and folders that the patterns name and the backup does not hold are
/// among them: they are taken away.
///
/// # Errors
/// `not_exchangeable` where the way to one leads through a live link; `io_failed`.
pub fn units(
    live: &OwnedFd,
    staged: &OwnedFd,
    only: &PathPatterns,
    exclude: &PathPatterns,
    found: &Found,
    exact: bool,
) -> Result<Vec<Unit>> {
    let mut paths = BTreeSet::new();
    for path in &found.units {
        // Nothing was staged of a folder of which everything is excluded.
        if unit::identity_beneath(staged, path)?.is_some() {
            paths.insert(unit::fit(live, path)?);
        }
    }
    if exact {
        paths.extend(only_live(live, only, exclude, &paths)?);
    }
    let mut units = Vec::with_capacity(paths.len());
    for path in &paths {
        // A unit that was widened to a missing folder may lie in another unit by now.
        if path.ancestors().any(|folder| paths.contains(&folder)) {
            continue;
        }
        unit::make_parents(staged, path)?;
        units.push(Unit { coming: unit::identity_beneath(staged, path)?, path: path.clone() });
    }
    Ok(units)
}

fn only_live(
    live: &OwnedFd,
    only: &PathPatterns,
    exclude: &PathPatterns,
    coming: &BTreeSet<RelPath>,
) -> Result<Vec<RelPath>> {
    let mut extra = Vec::new();
    tree::walk(live, &mut |visit| {
        let Ok(path) = RelPath::parse(visit.path) else { return Ok(Next::Into) };
        let is_folder = visit.kind == Kind::Folder;
        if path.is_root() {
            return Ok(Next::Into);
        }
        if coming.contains(&path) || exclude.covers(&path, is_folder) {
            return Ok(Next::Past);
        }
        // A folder with something excluded in it stays: only the rest of its content goes.
        let whole = !is_folder || exclude.is_empty();
        if whole && only.covers(&path, is_folder) {
            extra.push(path);
            return Ok(Next::Past);
        }
        Ok(Next::Into)
    })?;
    Ok(extra)
}
