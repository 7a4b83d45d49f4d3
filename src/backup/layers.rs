//! Archives on top of each other: which entry of which archive counts. Read newest first; pure, a few dozen bytes a path.
//!
//! An incremental backup holds files that changed; what it holds replaces what older archives hold at that path, at any
//! path below a file of it, and at a path where it needs a folder. Deletions are not recorded in such backups.

use crate::path::RelPath;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_128;

/// What stands at a path in the layers seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// A file or link.
    Leaf,
    /// A folder that is an entry of its own.
    Folder,
    /// A folder only because something lies in it.
    Implied,
}

/// What is known of a path.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// The newest archive that has it.
    layer: u32,
    what: What,
    /// The newest archive in which it is a file: what older ones hold below it is gone.
    leaf_at: u32,
}

/// The paths of the layers read so far.
#[derive(Debug, Default)]
pub struct Layers {
    layer: u32,
    seen: HashMap<u128, Known>,
}

impl Layers {
    /// Begins the next older archive.
    pub fn descend(&mut self) {
        self.layer += 1;
    }

    /// Notes an entry of the archive being read.
    pub fn add(&mut self, path: &RelPath, is_folder: bool) {
        self.note(path.as_bytes(), if is_folder { What::Folder } else { What::Leaf });
        for at in memchr::memrchr_iter(b'/', path.as_bytes()) {
            if !self.note(&path.as_bytes()[..at], What::Implied) {
                // Known, and so is all above it.
                break;
            }
        }
    }

    /// Whether the path was not known before.
    fn note(&mut self, path: &[u8], what: What) -> bool {
        let layer = self.layer;
        let mut fresh = false;
        let known = self.seen.entry(xxh3_128(path)).or_insert_with(|| {
            fresh = true;
            Known { layer, what, leaf_at: u32::MAX }
        });
        // Of one archive the last entry counts; an older one never replaces what a newer one has, but gives a folder that newer
        // ones only imply its mode and time.
        let first_told = known.what == What::Implied && what == What::Folder;
        if (known.layer == layer && what != What::Implied) || first_told {
            (known.what, known.layer) = (what, layer);
        }
        if what == What::Leaf {
            known.leaf_at = known.leaf_at.min(layer);
        }
        fresh
    }

    /// Whether a newer archive holds this path, or needs the place for something else. The archive being read is not asked.
    pub fn covers(&self, path: &RelPath, is_folder: bool) -> bool {
        if self.layer == 0 {
            return false;
        }
        let known = |path: &[u8]| self.seen.get(&xxh3_128(path));
        let here = known(path.as_bytes()).filter(|known| known.layer < self.layer);
        // A folder that newer archives only imply has its mode and time from here.
        here.is_some_and(|known| !is_folder || known.what != What::Implied)
            || memchr::memchr_iter(b'/', path.as_bytes())
                .any(|at| known(&path.as_bytes()[..at]).is_some_and(|known| known.leaf_at < self.layer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).unwrap()
    }

    /// Layers newest first; the entries of the last are asked for.
    fn left(newest_first: &[&[(&str, bool)]]) -> Vec<String> {
        let mut layers = Layers::default();
        let mut left = Vec::new();
        for (number, layer) in newest_first.iter().enumerate() {
            if number > 0 {
                layers.descend();
            }
            left.clear();
            for (text, folder) in *layer {
                if !layers.covers(&path(text), *folder) {
                    left.push((*text).to_owned());
                }
                layers.add(&path(text), *folder);
            }
        }
        left
    }

    const FILE: bool = false;
    const FOLDER: bool = true;

    #[test]
    fn a_newer_file_replaces_the_older_one_and_nothing_else() {
        assert_eq!(left(&[&[("a/x", FILE)], &[("a", FOLDER), ("a/x", FILE), ("a/y", FILE)]]), ["a", "a/y"]);
        assert_eq!(
            left(&[&[("a", FOLDER)], &[("a", FOLDER), ("a/y", FILE)]]),
            ["a/y"],
            "the newer folder's mode counts"
        );
    }

    #[test]
    fn a_folder_has_its_mode_from_the_newest_archive_that_tells_it() {
        assert_eq!(left(&[&[("a/x", FILE)], &[("a", FOLDER)]]), ["a"]);
        assert_eq!(left(&[&[("a/x", FILE)], &[("a", FOLDER)], &[("a", FOLDER), ("a/y", FILE)]]), ["a/y"]);
        assert_eq!(left(&[&[("", FOLDER)], &[("", FOLDER), ("y", FILE)]]), ["y"], "the document root too");
    }

    #[test]
    fn a_folder_that_became_a_file_goes_with_all_it_held_and_the_other_way_round() {
        assert_eq!(left(&[&[("a", FILE)], &[("a", FOLDER), ("a/b/c", FILE), ("ab", FILE)]]), ["ab"]);
        assert_eq!(left(&[&[("a/b/c", FILE)], &[("a", FILE)]]), Vec::<String>::new());
    }

    #[test]
    fn the_newest_of_many_counts_and_an_archive_never_covers_itself() {
        assert_eq!(
            left(&[&[("x", FILE)], &[("y", FILE)], &[("x", FILE), ("y", FILE), ("z", FILE), ("z", FILE)]]),
            ["z", "z"]
        );
        // A file in the middle hides what is older, although the newest made a folder of it again.
        assert_eq!(left(&[&[("a/n", FILE)], &[("a", FILE)], &[("a/o", FILE)]]), Vec::<String>::new());
    }
}
