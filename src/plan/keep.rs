//! What a restore leaves of the live tree because the backup cannot know of it, or because the request says so. Pure.

use crate::path::RelPath;
use crate::plan::selection::Paths;

/// The rule for one restore.
#[derive(Debug)]
pub struct KeepRule<'a> {
    left_out: &'a [&'a str],
    paths: &'a Paths,
}

/// Why a live path is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The writer of the backup leaves such folders out.
    LeftOut,
    /// The request excludes it.
    Excluded,
}

impl<'a> KeepRule<'a> {
    /// `left_out`: what the backup's writer leaves out, as layouts say it; none for an exact replica.
    pub fn new(left_out: &'a [&'a str], paths: &'a Paths, exact: bool) -> KeepRule<'a> {
        KeepRule { left_out: if exact { &[] } else { left_out }, paths }
    }

    /// Whether nothing is ever kept.
    pub fn is_empty(&self) -> bool {
        self.left_out.is_empty() && self.paths.exclude.is_empty()
    }

    /// Whether this live path, with all below it, may be kept. A folder that was left out is kept only where the backup holds
    /// nothing below it and holds the folder around it; the caller looks.
    pub fn keeps(&self, path: &RelPath, is_folder: bool) -> Option<Reason> {
        if self.paths.exclude.covers(path, is_folder) {
            return Some(Reason::Excluded);
        }
        let whole = path.as_bytes();
        let left_out = self.left_out.iter().any(|left| match left.strip_prefix('*') {
            Some(ending) => !is_folder && whole.ends_with(ending.as_bytes()),
            None => is_folder && ends_with_names(whole, left.as_bytes()),
        });
        left_out.then_some(Reason::LeftOut)
    }
}

/// Whether the last names of a path are these.
fn ends_with_names(path: &[u8], names: &[u8]) -> bool {
    path.strip_suffix(names).is_some_and(|before| before.is_empty() || before.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::pattern::PathPatterns;

    #[test]
    fn folders_left_out_and_paths_excluded_are_kept_unless_exact() {
        let exclude = PathPatterns::parse("exclude.files", &["wp-config.php".to_owned()]).unwrap();
        let paths = Paths { only: None, exclude };
        let path = |text: &str| RelPath::parse(text.as_bytes()).unwrap();
        let rule = KeepRule::new(&["cache", ".git", "*.log", "framework/views"], &paths, false);
        assert_eq!(rule.keeps(&path("wp-content/cache"), true), Some(Reason::LeftOut));
        assert_eq!(rule.keeps(&path("wp-content/cache"), false), None, "a file of that name is no such folder");
        assert_eq!(rule.keeps(&path("wp-content/my-cache"), true), None);
        assert_eq!(rule.keeps(&path("wp-content/debug.log"), false), Some(Reason::LeftOut));
        assert_eq!(rule.keeps(&path("wp-content/debug.log"), true), None, "a folder of that name is no log");
        assert_eq!(rule.keeps(&path("storage/framework/views"), true), Some(Reason::LeftOut));
        assert_eq!(rule.keeps(&path("resources/views"), true), None);
        assert_eq!(rule.keeps(&path("wp-config.php"), false), Some(Reason::Excluded));
        let exact = KeepRule::new(&["cache"], &paths, true);
        assert_eq!(exact.keeps(&path("cache"), true), None);
        assert_eq!(exact.keeps(&path("wp-config.php"), false), Some(Reason::Excluded));
        assert!(!exact.is_empty());
    }
}
