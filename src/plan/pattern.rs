//! What a request names by path or glob: files of a site, tables of a database. Pure.
//!
//! A path names a file, or a folder with all below it (a slash at its end asks for a folder). `*` and `?` stay within a name,
//! `**` crosses folders, `[…]` and `{a,b}` as in a shell. A name that exists as it is written is never taken for a glob.

use crate::error::{Code, Error, Result};
use crate::path::{LONGEST_GLOB, MOST_BRACES, RelPath, is_large_glob};
use globset::{GlobBuilder, GlobMatcher};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Most patterns of one list.
pub const MAX_PATTERNS: usize = 1000;

/// One pattern and how often it was of use.
#[derive(Debug)]
struct Pattern<L> {
    text: String,
    literal: L,
    glob: Option<GlobMatcher>,
    hits: AtomicU64,
    /// Something is called exactly so: then it is no glob.
    is_name: AtomicBool,
    settled: AtomicBool,
}

impl<L> Pattern<L> {
    fn new(text: &str, literal: L, glob: Option<GlobMatcher>) -> Pattern<L> {
        let (hits, is_name, settled) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
        Pattern { text: text.to_owned(), literal, glob, hits, is_name, settled }
    }

    fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }
}

fn glob(field: &str, text: &str, separator: bool) -> Result<Option<GlobMatcher>> {
    if !text.contains(['*', '?', '[', '{']) {
        return Ok(None);
    }
    if is_large_glob(text) {
        let shown: String = text.chars().take(60).collect();
        return Err(Error::new(
            Code::BadRequest,
            format!("{field}: {shown:?}… is too long for a pattern, or has more than {MOST_BRACES} braces"),
        )
        .hint(format!("A pattern has at most {LONGEST_GLOB} bytes; a name without * ? [ {{ may be longer.")));
    }
    let made = GlobBuilder::new(text).literal_separator(separator).backslash_escape(true).build();
    let good = made.map_err(|error| {
        Error::new(Code::BadRequest, format!("{field}: {text:?} is no pattern: {}", error.kind()))
            .hint("Use * ? ** [abc] {a,b}; put a backslash before a sign that stands for itself.")
            .with("pattern", text)
    })?;
    Ok(Some(good.compile_matcher()))
}

fn check_count(field: &str, count: usize) -> Result<()> {
    if count <= MAX_PATTERNS {
        return Ok(());
    }
    Err(Error::new(Code::BadRequest, format!("{field}: {count} patterns; at most {MAX_PATTERNS} are taken"))
        .hint("Select a folder or use a glob instead of naming every file."))
}

fn unused<L>(patterns: &[Pattern<L>]) -> Vec<String> {
    let idle = patterns.iter().filter(|pattern| pattern.hits.load(Ordering::Relaxed) == 0);
    idle.map(|pattern| pattern.text.clone()).collect()
}

/// Patterns of paths below a document root.
#[derive(Debug, Default)]
pub struct PathPatterns(Vec<Pattern<(RelPath, bool)>>);

impl PathPatterns {
    /// Parses a list; `field` is named in errors.
    ///
    /// # Errors
    /// `unsafe_path` for one that leaves the document root, `bad_request` for one that is none or names the root itself.
    pub fn parse(field: &str, list: &[String]) -> Result<PathPatterns> {
        check_count(field, list.len())?;
        let parsed = list.iter().map(|text| {
            let path = RelPath::parse(text.as_bytes())?;
            if path.is_root() {
                return Err(Error::new(Code::BadRequest, format!("{field}: {text:?} names the whole document root"))
                    .hint(format!("Say {field}: true for everything, or name what is below."))
                    .with("pattern", text.as_str()));
            }
            let glob = glob(field, &path.to_string(), true)?;
            Ok(Pattern::new(text, (path, text.ends_with('/')), glob))
        });
        Ok(PathPatterns(parsed.collect::<Result<_>>()?))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each pattern names at or above `path`: the file, or a folder that is taken as a whole.
    pub fn units(&self, path: &RelPath, is_folder: bool) -> Vec<RelPath> {
        let named = self.0.iter().filter_map(|pattern| {
            let found = reach(pattern, path, is_folder)?;
            pattern.hit();
            Some(found)
        });
        named.collect()
    }

    /// The highest of [`PathPatterns::units`].
    pub fn unit(&self, path: &RelPath, is_folder: bool) -> Option<RelPath> {
        self.units(path, is_folder).into_iter().min_by_key(|unit| unit.as_bytes().len())
    }

    /// After every path of the backup was asked for: a pattern that is the name of something is a glob no longer.
    pub fn settle(&self) {
        for pattern in &self.0 {
            if pattern.glob.is_some() && pattern.is_name.load(Ordering::Relaxed) {
                pattern.settled.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Whether a pattern names the path or a folder above it.
    pub fn covers(&self, path: &RelPath, is_folder: bool) -> bool {
        !self.0.is_empty() && self.unit(path, is_folder).is_some()
    }

    /// Patterns that named nothing so far.
    pub fn unused(&self) -> Vec<String> {
        unused(&self.0)
    }
}

fn reach(pattern: &Pattern<(RelPath, bool)>, path: &RelPath, is_folder: bool) -> Option<RelPath> {
    let (literal, folder_only) = &pattern.literal;
    if let Some(below) = path.strip_prefix(literal)
        && (!below.is_root() || is_folder || !folder_only)
    {
        pattern.is_name.store(true, Ordering::Relaxed);
        return Some(literal.clone());
    }
    let glob = pattern.glob.as_ref().filter(|_| !pattern.settled.load(Ordering::Relaxed))?;
    // From the top down: what is below a named folder belongs to it.
    let ends = memchr::memchr_iter(b'/', path.as_bytes()).chain([path.as_bytes().len()]);
    for end in ends {
        let whole = end == path.as_bytes().len();
        let part = &path.as_bytes()[..end];
        if (!whole || is_folder || !folder_only) && glob.is_match(Path::new(OsStr::from_bytes(part))) {
            return RelPath::parse(part).ok();
        }
    }
    None
}

/// Patterns of names of tables.
#[derive(Debug, Default)]
pub struct NamePatterns(Vec<Pattern<()>>);

impl NamePatterns {
    /// Parses a list; `field` is named in errors.
    ///
    /// # Errors
    /// `bad_request` for one that is none.
    pub fn parse(field: &str, list: &[String]) -> Result<NamePatterns> {
        check_count(field, list.len())?;
        let parsed = list.iter().map(|text| {
            if text.is_empty() || text.contains('\0') {
                return Err(Error::new(Code::BadRequest, format!("{field}: {text:?} is no name of a table"))
                    .with("pattern", text.as_str()));
            }
            Ok(Pattern::new(text, (), glob(field, text, false)?))
        });
        Ok(NamePatterns(parsed.collect::<Result<_>>()?))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a pattern names the table.
    pub fn covers(&self, name: &str) -> bool {
        let mut found = false;
        for pattern in &self.0 {
            if pattern.text == name || pattern.glob.as_ref().is_some_and(|glob| glob.is_match(name)) {
                pattern.hit();
                found = true;
            }
        }
        found
    }

    /// Patterns that named nothing so far.
    pub fn unused(&self) -> Vec<String> {
        unused(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_bounded_size() {
        let deep = ["{".repeat(17) + "a" + &"}".repeat(17)];
        assert_eq!(NamePatterns::parse("exclude.database", &deep).unwrap_err().code, Code::BadRequest);
        assert_eq!(PathPatterns::parse("exclude.files", &deep).unwrap_err().code, Code::BadRequest);
        assert_eq!(NamePatterns::parse("exclude.database", &["*".repeat(1025)]).unwrap_err().code, Code::BadRequest);
        assert!(NamePatterns::parse("exclude.database", &["a{b,{c,d}}*".into()]).unwrap().covers("adx"));
    }

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).unwrap()
    }

    fn paths(list: &[&str]) -> Result<PathPatterns> {
        PathPatterns::parse("files", &list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    fn unit(list: &[&str], of: &str) -> Option<String> {
        paths(list).unwrap().unit(&path(of), false).map(|unit| unit.to_string())
    }

    #[test]
    fn a_path_names_a_file_or_a_folder_with_all_below() {
        assert_eq!(
            unit(&["wp-content/uploads/"], "wp-content/uploads/2024/x.jpg").as_deref(),
            Some("wp-content/uploads")
        );
        assert_eq!(unit(&["./wp-content//uploads"], "wp-content/uploads").as_deref(), Some("wp-content/uploads"));
        assert_eq!(unit(&["wp-content/up"], "wp-content/uploads/x"), None);
        assert_eq!(unit(&["a/"], "a"), None, "a slash at the end asks for a folder");
        assert!(paths(&["a/"]).unwrap().covers(&path("a"), true));
        assert_eq!(unit(&["a/b", "a"], "a/b/c").as_deref(), Some("a"), "the highest one is the unit");
    }

    #[test]
    fn stars_stay_in_a_name_and_two_cross_folders() {
        assert_eq!(
            unit(&["wp-content/plugins/*"], "wp-content/plugins/a/b.php").as_deref(),
            Some("wp-content/plugins/a")
        );
        assert_eq!(unit(&["*.php"], "index.php").as_deref(), Some("index.php"));
        assert_eq!(unit(&["*.php"], "a/index.php"), None);
        assert_eq!(unit(&["**/*.php"], "a/b/index.php").as_deref(), Some("a/b/index.php"));
        assert_eq!(unit(&["photo-[12].jpg"], "photo-2.jpg").as_deref(), Some("photo-2.jpg"));
        assert_eq!(unit(&["{a,b}/x"], "b/x").as_deref(), Some("b/x"));
    }

    #[test]
    fn names_as_people_write_them_are_found_as_they_are() {
        for name in ["Cà phê sữa đá ☕.txt", "it's \"quoted\".txt", "two\nlines", "a [b] {c} *.txt", "-x; rm $(y)"]
        {
            assert_eq!(unit(&[name], name).as_deref(), Some(name), "{name}");
        }
        let strange = RelPath::parse(b"caf\xe9.txt").unwrap();
        assert!(paths(&["caf?.txt", "caf*"]).unwrap().covers(&strange, false));
    }

    #[test]
    fn what_leaves_the_root_or_is_no_pattern_is_refused() {
        for bad in ["../x", "/etc/passwd", "a/../../b"] {
            assert_eq!(paths(&[bad]).unwrap_err().code, Code::UnsafePath, "{bad}");
        }
        for bad in ["", ".", "./", "a[", "{a"] {
            assert_eq!(paths(&[bad]).unwrap_err().code, Code::BadRequest, "{bad}");
        }
        let many: Vec<String> = (0..=MAX_PATTERNS).map(|n| n.to_string()).collect();
        assert_eq!(PathPatterns::parse("files", &many).unwrap_err().code, Code::BadRequest);
    }

    #[test]
    fn a_name_that_exists_as_it_is_written_is_no_glob() {
        let patterns = paths(&["[b]*/", "c*"]).unwrap();
        let asked = [("[b]*", true), ("[b]*/x", false), ("bcd", true), ("bcd/x", false), ("c1", false)];
        let covered = || asked.map(|(text, folder)| patterns.covers(&path(text), folder));
        assert_eq!(covered(), [true; 5], "before all is known it may be both");
        patterns.settle();
        assert_eq!(covered(), [true, true, false, false, true]);
    }

    #[test]
    fn a_pattern_that_named_nothing_is_told() {
        let patterns = paths(&["a", "b*", "c"]).unwrap();
        assert!(patterns.covers(&path("a/x"), false) && patterns.covers(&path("bb"), false));
        assert_eq!(patterns.unused(), ["c"]);
        let list = ["wp_*".to_owned(), "we`ird \"t\"".to_owned(), "none".to_owned()];
        let tables = NamePatterns::parse("database", &list).unwrap();
        assert!(tables.covers("wp_posts") && tables.covers("we`ird \"t\"") && !tables.covers("other"));
        assert_eq!(tables.unused(), ["none"]);
        assert!(NamePatterns::parse("database", &[String::new()]).is_err());
    }
}
