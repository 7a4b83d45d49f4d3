//! nginx's configuration with what it includes, as nginx reads it.

use super::include;
use crate::siteconf::nginx::{self, Directive};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Files that are read, bytes of one, and includes within one another.
const MAX_FILES: usize = 5_000;
const MAX_BYTES: u64 = 4 << 20;
const MAX_NESTING: usize = 16;

/// Every directive of the configuration in this file; `parent` counts in the whole list. What cannot be read has none: nginx could not
/// read it either.
pub fn read(conf: &Path) -> Vec<Directive> {
    let mut whole = Vec::new();
    let folder = conf.parent().unwrap_or(Path::new("/"));
    add(conf, folder, None, 0, &mut MAX_FILES.clone(), &mut whole);
    whole
}

fn add(path: &Path, folder: &Path, around: Option<usize>, depth: usize, left: &mut usize, whole: &mut Vec<Directive>) {
    let Some(still) = left.checked_sub(1) else { return };
    *left = still;
    let Some(directives) = read_file(path) else { return };
    // Where each of this file's directives is in the whole list.
    let mut places = Vec::with_capacity(directives.len());
    for directive in directives {
        let parent = directive.parent.and_then(|parent| places.get(parent).copied()).or(around);
        places.push(whole.len());
        let included = (directive.name == "include" && depth < MAX_NESTING).then(|| folder.join(directive.first()));
        whole.push(Directive { parent, ..directive });
        for path in included.iter().flat_map(|pattern| include::matches(pattern, &[])) {
            add(&path, folder, parent, depth + 1, left, whole);
        }
    }
}

fn read_file(path: &Path) -> Option<Vec<Directive>> {
    // Not a pipe, which would be waited for.
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut text).ok()?;
    nginx::parse(&text).ok()
}
