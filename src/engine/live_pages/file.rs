//! A file of the live tree that a web server gives out as it is, and whether the tree before has it otherwise.

use crate::engine::commit::step::{self, Step};
use crate::error::Result;
use crate::host::tree::walk::{Next, statx_here};
use crate::host::tree::{self, Kind};
use crate::path::RelPath;
use crate::plan::Plan;
use rustix::fs::{OFlags, Statx};
use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Largest file that is asked for.
const MAX_FILE: u64 = 1 << 20;
/// Entries of a tree that are looked at for one.
const MAX_LOOKED_AT: usize = 5_000;
/// Files that are read and compared with those before.
const MAX_COMPARED: usize = 40;
/// Files that a web server gives out as they are.
const STATIC: [&str; 9] = [".css", ".js", ".txt", ".svg", ".png", ".jpg", ".gif", ".ico", ".webp"];

/// The tree before the change-over, where it is now.
pub enum Before {
    /// All of it.
    Whole(PathBuf),
    /// The parts that were exchanged.
    Parts(PathBuf, Parts),
    /// There was none.
    None,
}

/// Parts of a tree, by their paths.
#[derive(Default)]
pub struct Parts {
    units: HashSet<RelPath>,
    above: HashSet<RelPath>,
}

impl Before {
    /// What the steps of a change-over did to the tree; `None` where it took no part, or nobody knows which parts did.
    pub fn of(steps: &[Step]) -> Option<Before> {
        steps.iter().find_map(|step| match step {
            Step::Exchange { staged, old: Some(_), .. } => Some(Before::Whole(staged.clone())),
            Step::Exchange { old: None, .. } => Some(Before::None),
            Step::Parts { staged, units, .. } => {
                let units = step::read_units(units).ok()?;
                Some(Before::Parts(staged.clone(), Parts::of(units.into_iter().map(|unit| unit.path))))
            }
            _ => None,
        })
    }

    fn open(&self) -> Result<Option<OwnedFd>> {
        match self {
            Before::Whole(tree) | Before::Parts(tree, _) => tree::open_folder(tree).map(Some),
            Before::None => Ok(None),
        }
    }
}

impl Parts {
    fn of(units: impl Iterator<Item = RelPath>) -> Parts {
        let mut parts = Parts::default();
        for unit in units {
            parts.above.extend(unit.ancestors());
            parts.units.insert(unit);
        }
        parts
    }

    /// Whether a path changed places.
    fn hold(&self, path: &RelPath) -> bool {
        self.units.contains(path) || path.ancestors().any(|folder| self.units.contains(&folder))
    }

    /// Whether something at or below a path did.
    fn lie_below(&self, path: &RelPath) -> bool {
        path.is_root() || self.above.contains(path) || self.hold(path)
    }
}

/// A file to ask for.
pub struct Found {
    /// Below the folder that the web server shows.
    pub path: RelPath,
    /// Its bytes.
    pub content: Vec<u8>,
    /// The tree before has none there, or another one.
    pub is_new: bool,
}

/// The first file that the tree before has otherwise; else the first one. `root`: the folder that the web server shows.
pub fn find(plan: &Plan, root: &Path, before: &Before) -> Option<Found> {
    let folder = tree::open_site(root).ok()??;
    let old = before.open().ok()?;
    let inner = RelPath::parse(root.strip_prefix(&plan.document_root).ok()?.as_os_str().as_bytes()).ok()?;
    let (mut new, mut same): (Option<Found>, Option<RelPath>) = (None, None);
    let (mut looked_at, mut compared) = (0, 0);
    tree::walk(&folder, &mut |visit| {
        looked_at += 1;
        if visit.path.is_empty() {
            return Ok(Next::Into);
        }
        if new.is_some() || looked_at > MAX_LOOKED_AT || visit.name.starts_with(b".") {
            return Ok(Next::Past);
        }
        let Ok(path) = RelPath::parse(visit.path) else { return Ok(Next::Past) };
        let whole = inner.below(&path);
        if let Before::Parts(_, parts) = before
            && !parts.lie_below(&whole)
        {
            return Ok(Next::Past);
        }
        let name = visit.name.to_ascii_lowercase();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
        let fits = visit.kind == Kind::File
            && (1..=MAX_FILE).contains(&visit.stat.stx_size)
            && visit.stat.stx_mode & 0o004 != 0
            && STATIC.iter().any(|end| name.ends_with(end.as_bytes()))
            && visit.path.iter().all(plain);
        if fits && compared < MAX_COMPARED && !is_alike(old.as_ref(), &whole, visit.stat) {
            compared += 1;
            let content = read(&folder, &path);
            if let Some(content) = content.filter(|content| !content.is_empty()) {
                let was = old.as_ref().and_then(|old| read(old, &whole));
                if was.as_ref() != Some(&content) {
                    new = Some(Found { path, content, is_new: true });
                    return Ok(Next::Past);
                }
            }
        }
        if fits && same.is_none() {
            same = RelPath::parse(visit.path).ok();
        }
        Ok(Next::Into)
    })
    .ok()?;
    new.or_else(|| {
        let path = same?;
        let content = read(&folder, &path)?;
        Some(Found { path, content, is_new: false })
    })
}

/// Whether the tree before has a file of the same size and time there: such a one is not read.
fn is_alike(old: Option<&OwnedFd>, path: &RelPath, now: &Statx) -> bool {
    let was = old.and_then(|old| tree::open_beneath(old.as_fd(), path, OFlags::PATH).ok());
    let was = was.and_then(|file| statx_here(file.as_fd(), b"").ok());
    let look = |stat: &Statx| (stat.stx_size, stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec);
    was.is_some_and(|was| look(&was) == look(now))
}

fn read(root: &OwnedFd, path: &RelPath) -> Option<Vec<u8>> {
    tree::read_beneath(root.as_fd(), path, MAX_FILE).ok()?.map(|content| content.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_what_is_below_them_and_lie_below_what_is_above() {
        let path = |text: &str| RelPath::parse(text.as_bytes()).unwrap();
        let parts = Parts::of([path("a/b"), path("c.css")].into_iter());
        for (text, held, on_the_way) in [
            ("a/b", true, true),
            ("a/b/x.css", true, true),
            ("a", false, true),
            ("a/bc", false, false),
            ("c.css", true, true),
            ("d", false, false),
            ("", false, true),
        ] {
            let path = path(text);
            assert_eq!((parts.hold(&path), parts.lie_below(&path)), (held, on_the_way), "{text}");
        }
    }
}
