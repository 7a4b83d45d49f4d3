//! The files that an `include` of nginx or PHP-FPM names.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Most names that one part of a pattern is followed to.
const MAX_NAMES: usize = 5_000;

/// The paths that an absolute pattern names, of files on disk and of those that are `given`, in the order of their names as glob(3)
/// gives them. A path without a pattern is itself, whether it is there or not.
pub fn matches(pattern: &Path, given: &[&Path]) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.components().skip(1) {
        let part = part.as_os_str().to_string_lossy().into_owned();
        if !part.contains(['*', '?', '[']) {
            found.iter_mut().for_each(|path| path.push(&part));
            continue;
        }
        let Ok(glob) = globset::Glob::new(&part) else { return Vec::new() };
        let glob = glob.compile_matcher();
        let mut next = Vec::new();
        for folder in &found {
            let given = given.iter().filter(|path| path.parent() == Some(folder.as_path()));
            let mut names: Vec<_> = given.filter_map(|path| path.file_name().map(OsStr::to_owned)).collect();
            names.extend(fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name()));
            names.sort();
            names.dedup();
            names.retain(|name| !name.to_string_lossy().starts_with('.') && glob.is_match(Path::new(name)));
            next.extend(names.into_iter().map(|name| folder.join(name)).take(MAX_NAMES));
        }
        found = next;
    }
    found
}
