//! A file of the live tree that a web server gives out as it is, and whether the tree before has it otherwise.

use crate::engine::commit::step::{self, Step};
use crate::error::Result;
use crate::host::tree::kind::kind_of;
use crate::host::tree::static_file::{is_passed, is_static};
use crate::host::tree::walk::statx_here;
use crate::host::tree::{self, Kind};
use crate::path::RelPath;
use crate::plan::Plan;
use rustix::fs::{Dir, OFlags, Statx};
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
/// Files that are worth asking for, one after the other.
const MAX_FOUND: usize = 3;

/// The tree before the change-over, where it is now.
pub enum Before {
    /// All of it.
    Whole(PathBuf),
    /// The parts that were exchanged.
    Parts(PathBuf, Parts),
    /// There was none.
    None,
    /// Parts were exchanged, and which they are could not be read.
    Unknown,
}

/// Parts of a tree, by their paths.
#[derive(Default)]
pub struct Parts {
    units: HashSet<RelPath>,
    above: HashSet<RelPath>,
}

impl Before {
    /// What the steps of a change-over did to the tree; `None` where it took no part.
    pub fn of(steps: &[Step]) -> Option<Before> {
        steps.iter().find_map(|step| match step {
            Step::Exchange { staged, old: Some(_), .. } => Some(Before::Whole(staged.clone())),
            Step::Exchange { old: None, .. } => Some(Before::None),
            Step::Parts { staged, units, .. } => Some(match step::read_units(units) {
                Ok(units) => Before::Parts(staged.clone(), Parts::of(units.into_iter().map(|unit| unit.path))),
                Err(_) => Before::Unknown,
            }),
            _ => None,
        })
    }

    fn open(&self) -> Result<Option<OwnedFd>> {
        match self {
            Before::Whole(tree) | Before::Parts(tree, _) => tree::open_folder(tree).map(Some),
            Before::None | Before::Unknown => Ok(None),
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
    /// What the tree before has there.
    pub was: Was,
}

impl Found {
    /// Its address below the site's.
    pub fn address(&self) -> String {
        format!("/{}", self.path)
    }
}

/// What the tree before has in the place of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Was {
    /// Another file with these bytes, or nothing that can be read.
    Other(Option<Vec<u8>>),
    /// One with the same bytes.
    Equal,
    /// One of the same size and time, whose bytes were not looked at.
    Alike,
}

/// The first files that the tree before has otherwise; where there is none, the first ones. `root`: the folder that the web server shows.
pub fn find(plan: &Plan, root: &Path, before: &Before) -> Vec<Found> {
    let open = || {
        let folder = tree::open_site(root).ok()??;
        let old = before.open().ok()?;
        let inner = RelPath::parse(root.strip_prefix(&plan.document_root).ok()?.as_os_str().as_bytes()).ok()?;
        Some(Search::new(folder, old, inner, before))
    };
    open().map(Search::run).unwrap_or_default()
}

/// A look for files, with its bounds.
struct Search<'a> {
    folder: OwnedFd,
    old: Option<OwnedFd>,
    /// Where the folder is in the tree.
    inner: RelPath,
    before: &'a Before,
    looked_at: usize,
    compared: usize,
    new: Vec<Found>,
    same: Vec<Found>,
}

impl<'a> Search<'a> {
    fn new(folder: OwnedFd, old: Option<OwnedFd>, inner: RelPath, before: &'a Before) -> Search<'a> {
        Search { folder, old, inner, before, looked_at: 0, compared: 0, new: Vec::new(), same: Vec::new() }
    }

    fn run(mut self) -> Vec<Found> {
        let mut folders = vec![RelPath::default()];
        while let Some(path) = folders.pop().filter(|_| !self.is_over()) {
            let mut below = self.look_into(&path).unwrap_or_default();
            below.reverse();
            folders.append(&mut below);
        }
        if self.new.is_empty() { self.same } else { self.new }
    }

    fn is_over(&self) -> bool {
        self.looked_at >= MAX_LOOKED_AT || self.new.len() >= MAX_FOUND
    }

    /// Looks at the files of a folder; its folders. Not more is read of it than may be looked at.
    fn look_into(&mut self, path: &RelPath) -> Option<Vec<RelPath>> {
        let folder = tree::open_beneath(self.folder.as_fd(), path, OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
        let mut names: Vec<Vec<u8>> = Vec::new();
        for entry in Dir::read_from(&folder).ok()?.take(MAX_LOOKED_AT - self.looked_at) {
            names.push(entry.ok()?.file_name().to_bytes().to_vec());
        }
        names.sort_unstable();
        self.looked_at += names.len();
        let mut folders = Vec::new();
        for name in names.iter().filter(|name| !name.starts_with(b".")) {
            let Ok(path) = RelPath::parse(path.join(name).as_bytes()) else { continue };
            if let Before::Parts(_, parts) = self.before
                && !parts.lie_below(&self.inner.below(&path))
            {
                continue;
            }
            let Ok(stat) = statx_here(folder.as_fd(), name) else { continue };
            match kind_of(u32::from(stat.stx_mode)) {
                Kind::Folder if !is_passed(name) => folders.push(path),
                Kind::File if !self.is_over() && fits(&path, name, &stat) => self.look_at(path, &stat),
                _ => {}
            }
        }
        Some(folders)
    }

    fn look_at(&mut self, path: RelPath, stat: &Statx) {
        let whole = self.inner.below(&path);
        let is_alike = is_alike(self.old.as_ref(), &whole, stat);
        let is_wanted = if is_alike { self.same.len() < MAX_FOUND } else { self.compared < MAX_COMPARED };
        if !is_wanted {
            return;
        }
        self.compared += usize::from(!is_alike);
        let Some(content) = read(&self.folder, &path).filter(|content| !content.is_empty()) else { return };
        if is_alike {
            return self.same.push(Found { path, content, was: Was::Alike });
        }
        match self.old.as_ref().and_then(|old| read(old, &whole)) {
            Some(was) if was == content && self.same.len() >= MAX_FOUND => {}
            Some(was) if was == content => self.same.push(Found { path, content, was: Was::Equal }),
            was => self.new.push(Found { path, content, was: Was::Other(was) }),
        }
    }
}

/// Whether a web server gives a file out as it is, to everybody.
fn fits(path: &RelPath, name: &[u8], stat: &Statx) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
    (1..=MAX_FILE).contains(&stat.stx_size)
        && stat.stx_mode & 0o004 != 0
        && is_static(name)
        && path.as_bytes().iter().all(plain)
}

/// Whether the tree before has a file of the same size and time there: such a one is not read.
fn is_alike(old: Option<&OwnedFd>, path: &RelPath, now: &Statx) -> bool {
    let was = old.and_then(|old| tree::open_beneath(old.as_fd(), path, OFlags::PATH).ok());
    let was = was.and_then(|file| statx_here(file.as_fd(), b"").ok());
    was.is_some_and(|was| {
        let (was_nsec, now_nsec) = (was.stx_mtime.tv_nsec, now.stx_mtime.tv_nsec);
        (was.stx_size, was.stx_mtime.tv_sec) == (now.stx_size, now.stx_mtime.tv_sec)
            // Most archives know no parts of a second.
            && (was_nsec == now_nsec || was_nsec == 0 || now_nsec == 0)
    })
}

fn read(root: &OwnedFd, path: &RelPath) -> Option<Vec<u8>> {
    tree::read_beneath(root.as_fd(), path, MAX_FILE).ok()?.map(|content| content.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, UNIX_EPOCH};

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

    /// A tree of files with their seconds and parts of them, as a web server shows it.
    fn tree_of(files: &[(String, &str, u32)]) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for (name, content, nanoseconds) in files {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            let time = UNIX_EPOCH + Duration::new(1_700_000_000, *nanoseconds);
            File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }
        place
    }

    fn search(now: &tempfile::TempDir, old: Option<&tempfile::TempDir>, before: &Before) -> Vec<(String, Was)> {
        let open = |place: &tempfile::TempDir| OwnedFd::from(File::open(place.path()).unwrap());
        let search = Search::new(open(now), old.map(open), RelPath::default(), before);
        search.run().into_iter().map(|found| (found.address(), found.was)).collect()
    }

    #[test]
    fn parts_of_a_second_hide_no_file_that_differs() {
        let core = |nanoseconds: u32| (0..2 * MAX_COMPARED).map(move |n| (format!("core/{n}.js"), "same", nanoseconds));
        let with = |style: &'static str, nanoseconds| -> Vec<(String, &str, u32)> {
            core(nanoseconds).chain([("theme/style.css".to_owned(), style, nanoseconds)]).collect()
        };
        let (now, old) = (tree_of(&with("restored", 0)), tree_of(&with("hacked!!!", 123_456_789)));
        let was = Was::Other(Some(b"hacked!!!".to_vec()));
        assert_eq!(search(&now, Some(&old), &Before::None), [("/theme/style.css".to_owned(), was)]);
        // Back from it.
        let was = Was::Other(Some(b"restored".to_vec()));
        assert_eq!(search(&old, Some(&now), &Before::None), [("/theme/style.css".to_owned(), was)]);
        let same = search(&now, Some(&now), &Before::None);
        assert_eq!((same.len(), &same[0].1), (MAX_FOUND, &Was::Alike));
    }

    #[test]
    fn a_search_has_its_bounds_and_passes_caches_by() {
        let file = |name: &str| (name.to_owned(), "a", 0);
        let few: Vec<_> =
            ["wp-content/cache/a.css", "uploads/Cache/b.css", "logs/c.txt", "d/x.css", "e.css", "f.css", "g.css"]
                .map(file)
                .into();
        let names = |found: Vec<(String, Was)>| found.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(search(&tree_of(&few), None, &Before::None)), ["/e.css", "/f.css", "/g.css"]);
        assert_eq!(names(search(&tree_of(&few[..4]), None, &Before::None)), ["/d/x.css"]);
        let place = tree_of(&few);
        let folder = OwnedFd::from(File::open(place.path()).unwrap());
        let begun = Search::new(folder, None, RelPath::default(), &Before::None);
        let over = Search { looked_at: MAX_LOOKED_AT, ..begun };
        assert!(over.run().is_empty());
        let parts = Before::Parts(PathBuf::new(), Parts::of([RelPath::parse(b"d").unwrap()].into_iter()));
        assert_eq!(names(search(&place, None, &parts)), ["/d/x.css"]);
    }
}
