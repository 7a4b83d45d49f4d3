//! Backups that lie in the live tree itself: plugins keep theirs below `wp-content` and leave that folder out of what they write, so that a
//! restore of a whole tree would take all of them away, the one that is being restored among them.

use crate::backup::backup_folders::{FOLDERS, is_backup, is_called};
use crate::backup::layout::Place;
use crate::backup::layout::places::Places;
use crate::backup::source::Part;
use crate::backup::survey::Listing;
use crate::error::{Code, Error, Result};
use crate::host::tree;
use crate::host::tree::walk::Next;
use crate::path::RelPath;
use crate::text::printable;
use rustix::fs::OFlags;
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The beginning of the names that are made up.
const MADE_UP: &str = "backwpup-";
/// Most folders that stay, and most entries that are looked at in one of them.
const MOST_FOLDERS: usize = 100;
const MOST_ENTRIES: usize = 10_000;
/// Most files of programs that are named.
const MOST_NAMED: usize = 10;
/// Largest guard that a plugin puts into its folder: a page that shows nothing, or two lines for the web server.
const LARGEST_GUARD: u64 = 512;
const GUARDS: [&[u8]; 3] = [b"index.php", b".htaccess", b"web.config"];
/// A path of the live tree that stays.
#[derive(Debug)]
pub struct Kept {
    /// The path.
    pub path: RelPath,
    /// Programs in it, which stay with it; the first ones.
    pub programs: Vec<String>,
    /// The pattern of this and of what is called like it, where they are many.
    pub all: Option<String>,
}

impl Kept {
    /// The pattern that leaves it.
    ///
    /// # Errors
    /// `path_not_allowed` for a name that no pattern can be made of.
    pub fn pattern(&self) -> Result<String> {
        if let Some(all) = &self.all {
            return Ok(all.clone());
        }
        if std::str::from_utf8(self.path.as_bytes()).is_ok() && self.path.fits_a_pattern() {
            return Ok(self.path.as_pattern());
        }
        let shown = printable(&self.path.to_string());
        let message = format!(
            "the backup lies in the live site, in {shown}, which cannot be left out of the restore by its name"
        );
        Err(Error::new(Code::PathNotAllowed, message).hint("Move the backup out of the site's folder."))
    }

    /// What is said of it.
    pub fn sentence(&self) -> String {
        let path = self.all.clone().unwrap_or_else(|| self.path.to_string());
        let mut said = format!("{path} of the live site holds backups and stays as it is.");
        if !self.programs.is_empty() {
            let names = self.programs.join(", ");
            said = format!(
                "{path} of the live site holds backups and stays as it is, with programs that no backup brought: {names}. Look at them."
            );
        }
        printable(&said)
    }
}

/// Paths of the live tree in `target`, whose document root is `root` in it, that stay for that; `listings` are what is in the first of the placed `parts`.
///
/// # Errors
/// `unsafe_path` for a name that is none.
pub fn kept(target: &Path, root: &RelPath, parts: &[Part], listings: &[Listing]) -> Result<Vec<Kept>> {
    let Ok(Some(live)) = tree::open_site(target) else { return Ok(Vec::new()) };
    // By what is open: a path may lead there through links.
    let Ok(target) = tree::path_of(live.as_fd()) else { return Ok(Vec::new()) };
    let own: Vec<RelPath> =
        parts.iter().filter_map(|part| below(&target, &tree::path_of(part.folder()).ok()?)).collect();
    let placed: Vec<(&Places, &Listing)> =
        parts.iter().zip(listings).filter_map(|(part, listing)| Some((part.places.as_deref()?, listing))).collect();
    let held = Held::of(&placed);
    let mut all: Vec<Kept> = Vec::new();
    for folder in folders(&live, root)? {
        let has_own = own.iter().any(|path| path.strip_prefix(&folder).is_some());
        if held.backups.contains(&folder) && !has_own {
            continue;
        }
        let inside = Inside::of(&live, &folder)?;
        if !has_own && !inside.has_backup {
            continue;
        }
        if all.len() == MOST_FOLDERS {
            // Only names that a plugin makes up can be so many. Whoever made these, no restore fails for them, and nothing goes.
            let around = folder.split_last().unwrap_or_default().0;
            let pattern = format!("{}/{MADE_UP}*/", around.as_pattern());
            all.push(Kept { path: folder, programs: inside.programs, all: Some(pattern) });
            break;
        }
        all.push(Kept { path: folder, programs: inside.programs, all: None });
    }
    for path in own {
        let around = path.split_last().unwrap_or_default().0;
        // Where the backup knows nothing of the folder around it, that is one of backups.
        let stays = if held.lacks(&around) { around } else { path };
        if !stays.is_root() && !all.iter().any(|kept| stays.strip_prefix(&kept.path).is_some()) {
            all.push(Kept { path: stays, programs: Vec::new(), all: None });
        }
    }
    Ok(all)
}

/// What the backup holds of the site.
struct Held {
    /// Paths in the site; whether all names in that folder are known.
    paths: BTreeMap<RelPath, bool>,
    /// Folders of plugins with backups in them.
    backups: BTreeSet<RelPath>,
}

impl Held {
    fn of(placed: &[(&Places, &Listing)]) -> Held {
        let mut held = Held { paths: BTreeMap::new(), backups: BTreeSet::new() };
        for (places, listing) in placed {
            let inside = |path: &RelPath| match places.place(path) {
                Place::Site(inside) => Some(inside),
                _ => None,
            };
            for path in listing.names.keys() {
                if let Some(inside) = inside(path) {
                    *held.paths.entry(inside).or_default() |= listing.knows_inside(path);
                }
            }
            held.backups.extend(listing.backups.iter().filter_map(inside));
        }
        held
    }

    /// Whether the backup has no such folder, as far as its names are known.
    fn lacks(&self, folder: &RelPath) -> bool {
        if folder.is_root() || self.paths.contains_key(folder) {
            return false;
        }
        let nearest = folder.ancestors().filter_map(|above| self.paths.get(&above)).last();
        nearest.copied().unwrap_or_else(|| self.paths.keys().any(|path| path.names().count() == 1))
    }
}

/// What lies in a live folder.
#[derive(Default)]
struct Inside {
    has_backup: bool,
    programs: Vec<String>,
}

impl Inside {
    fn of(live: &OwnedFd, path: &RelPath) -> Result<Inside> {
        let mut inside = Inside::default();
        let Ok(folder) = tree::open_folder_beneath(live.as_fd(), path) else { return Ok(inside) };
        let mut left = MOST_ENTRIES;
        tree::walk(&folder, &mut |visit| {
            left = left.saturating_sub(1);
            if left == 0 {
                // Of more than can be looked at nothing is lost.
                inside.has_backup = true;
                return Ok(Next::Stop);
            }
            if visit.kind == tree::Kind::Folder {
                return Ok(Next::Into);
            }
            inside.has_backup |= is_backup(visit.name);
            let is_guard = GUARDS.contains(&visit.name) && visit.stat.stx_size <= LARGEST_GUARD;
            if is_program(visit.name) && !is_guard && inside.programs.len() < MOST_NAMED {
                inside.programs.push(String::from_utf8_lossy(visit.path).into_owned());
            }
            Ok(Next::Past)
        })?;
        Ok(inside)
    }
}

/// Whether a web server runs a file by its name, or is told by it what to run.
fn is_program(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let ends = |end: &[u8]| {
        [&b"php"[..], b"pht", b"phar"].iter().any(|start| end.starts_with(start)) || end == b"htaccess" || end == b"ini"
    };
    name.split(|byte| *byte == b'.').skip(1).any(ends)
}

/// A path as it lies below the live tree; `None` where it lies elsewhere.
fn below(target: &Path, path: &Path) -> Option<RelPath> {
    RelPath::parse(path.strip_prefix(target).ok()?.as_os_str().as_bytes()).ok()
}

/// The folders of plugins that are there.
fn folders(live: &OwnedFd, root: &RelPath) -> Result<BTreeSet<RelPath>> {
    let mut found = BTreeSet::new();
    for (around, form) in FOLDERS {
        let around = root.below(&RelPath::parse(around)?);
        let Ok(folder) = tree::open_beneath(live.as_fd(), &around, OFlags::RDONLY | OFlags::DIRECTORY) else {
            continue;
        };
        let Ok(names) = rustix::fs::Dir::read_from(&folder) else { continue };
        for entry in names.flatten() {
            let name = entry.file_name().to_bytes();
            let path = around.join(name);
            if is_called(name, form) && tree::open_folder_beneath(live.as_fd(), &path).is_ok() {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::layout::places::Rule;
    use crate::backup::source::Role;
    use crate::plan::pattern::PathPatterns;
    use std::sync::Arc;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_web_server_runs_is_a_program() {
        for (name, runs) in
            [("a.php", true), ("x.phtml.txt", true), (".htaccess", true), ("photo.zip", false), ("php", false)]
        {
            assert_eq!(is_program(name.as_bytes()), runs, "{name}");
        }
    }

    /// What stays of a live site with these files.
    fn kept_of(files: &[(&str, &str)], held: &[&str], own: &str) -> Vec<Kept> {
        let live = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::create_dir_all(live.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(live.path().join(name), text).unwrap();
        }
        let top = RelPath::default();
        let places = Places::of("x").with(&top, Rule::Site(top.clone()));
        let part = Part::open(&live.path().join(own), Role::Archive).unwrap().placed(Arc::new(places));
        kept(live.path(), &top, &[part], &[Listing::of_names(held)]).unwrap()
    }

    #[test]
    fn a_folder_stays_for_backups_and_its_programs_are_named() {
        let files = [
            ("wp-content/updraft/x-db.gz", "x"),
            ("wp-content/updraft/index.php", "<?php"),
            ("wp-content/updraft/shell.php", "<?php"),
            ("wp-content/backuply/shell.php", "<?php"),
            ("wp-content/updraft{{{{{{{{{{{{{{{{{/x.zip", "x"),
            ("x.tar", "x"),
        ];
        let kept = kept_of(&files, &["index.html", "wp-content/updraft-old.zip"], "x.tar");
        let paths: Vec<String> = kept.iter().map(|kept| kept.path.to_string()).collect();
        assert_eq!(paths, ["wp-content/updraft", "x.tar"]);
        assert!(kept[0].sentence().contains("no backup brought: shell.php. Look"), "{}", kept[0].sentence());
        let held = kept_of(&files, &["index.html", "wp-content/updraft/a/b/c/d/e/y.zip"], "x.tar");
        assert_eq!(held.len(), 1, "the backup has its own: {held:?}");
    }

    #[test]
    fn however_many_folders_are_made_no_list_of_patterns_grows_too_long() {
        let names: Vec<String> = (0..1_100).map(|at| format!("wp-content/uploads/backwpup-{at}/x.zip")).collect();
        let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
        files.push(("x.tar", "x"));
        let kept = kept_of(&files, &["index.html"], "x.tar");
        let patterns: Vec<String> = kept.iter().map(|kept| kept.pattern().unwrap()).collect();
        assert_eq!(patterns.len(), MOST_FOLDERS + 2);
        let all = PathPatterns::parse("keep", &patterns).unwrap();
        assert!(names.iter().all(|name| all.covers(&path(name), false)));
    }

    #[test]
    fn the_folder_around_the_backup_stays_where_its_names_are_known() {
        let stays = |own: &str, held: &[&str]| {
            let kept = kept_of(&[(own, "x")], held, own);
            kept.iter().map(|kept| kept.path.to_string()).collect::<Vec<_>>()
        };
        let deep = ["index.html", "a/b/c/d/e/f.txt"];
        assert_eq!(stays("mine/x.tar", &deep), ["mine"]);
        assert_eq!(stays("a/mine/x.tar", &deep), ["a/mine"]);
        assert_eq!(stays("a/b/x.tar", &deep), ["a/b/x.tar"]);
        assert_eq!(stays("a/b/c/d/e/x.tar", &deep), ["a/b/c/d/e/x.tar"], "deeper than names are remembered");
    }

    #[test]
    fn what_no_pattern_can_name_is_refused() {
        let kept = |name: &[u8]| Kept { path: RelPath::parse(name).unwrap(), programs: Vec::new(), all: None };
        assert_eq!(kept(b"a[1]").pattern().unwrap(), "a\\[1\\]");
        assert_eq!(kept(b"a\xff").pattern().unwrap_err().code, Code::PathNotAllowed);
        assert_eq!(kept(&[b'{'; 20]).pattern().unwrap_err().code, Code::PathNotAllowed);
    }
}
