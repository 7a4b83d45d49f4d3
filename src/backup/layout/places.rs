//! Where the entries of another program's backup belong: a few paths, each with all below it. Pure.

use super::Place;
use crate::path::RelPath;
use std::collections::HashMap;

/// What becomes of a path, and of all below it for which there is no rule of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// It is this path of the document root.
    Site(RelPath),
    /// It is the dump.
    Dump,
    /// Nothing that is restored.
    Nothing,
}

/// The rules of one archive.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The program that made it, as documents name it.
    pub tool: &'static str,
    rules: HashMap<Vec<u8>, Rule>,
    inner: Vec<RelPath>,
    /// A dump, and the entries in which it goes on, in their order.
    continued: Option<(RelPath, Vec<RelPath>)>,
}

impl Places {
    /// No rule yet.
    pub fn of(tool: &'static str) -> Places {
        Places { tool, ..Places::default() }
    }

    /// Adds a rule.
    #[must_use]
    pub fn with(mut self, path: &RelPath, rule: Rule) -> Places {
        self.rules.insert(path.as_bytes().to_vec(), rule);
        self
    }

    /// Adds an archive inside the archive: its entries are placed by its path with theirs behind it.
    #[must_use]
    pub fn and_inside(mut self, path: &RelPath) -> Places {
        self.inner.push(path.clone());
        self
    }

    /// Whether this entry is an archive whose entries are placed.
    pub fn goes_into(&self, path: &RelPath) -> bool {
        self.inner.contains(path)
    }

    /// Adds a dump that goes on in other entries, which follow it in this order.
    #[must_use]
    pub fn with_dump_in_parts(mut self, first: &RelPath, more: Vec<RelPath>) -> Places {
        self.continued = Some((first.clone(), more));
        self.with(first, Rule::Dump)
    }

    /// The entries in which the dump of this path goes on.
    pub fn goes_on_in(&self, path: &RelPath) -> &[RelPath] {
        match &self.continued {
            Some((first, more)) if first == path => more,
            _ => &[],
        }
    }

    /// Where an entry belongs.
    pub fn place(&self, path: &RelPath) -> Place {
        match self.rule(path) {
            Some((Rule::Site(at), rest)) => Place::Site(at.below(&rest)),
            Some((Rule::Dump, rest)) if rest.is_root() => Place::Dump,
            _ => Place::Other,
        }
    }

    /// The rule of the nearest path above it, and what is left of the path.
    fn rule(&self, path: &RelPath) -> Option<(&Rule, RelPath)> {
        let whole = path.as_bytes();
        let mut end = whole.len();
        loop {
            if let Some(rule) = self.rules.get(&whole[..end]) {
                let rest = whole[end..].strip_prefix(b"/").unwrap_or(&whole[end..]);
                return Some((rule, RelPath::parse(rest).ok()?));
            }
            if end == 0 {
                return None;
            }
            end = memchr::memrchr(b'/', &whole[..end]).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_above_a_path_counts() {
        let path = |text: &str| RelPath::parse(text.as_bytes()).unwrap();
        let places = Places::of("x")
            .with(&path("home/public_html"), Rule::Site(RelPath::default()))
            .with(&path("home/public_html/addon"), Rule::Nothing)
            .with(&path("plugins"), Rule::Site(path("wp-content/plugins")))
            .with(&path("db.sql"), Rule::Dump);
        for (entry, place) in [
            ("home/public_html", Place::Site(path(""))),
            ("home/public_html/index.php", Place::Site(path("index.php"))),
            ("home/public_html/addon/index.php", Place::Other),
            ("home/public_html2/x", Place::Other),
            ("plugins/a/a.php", Place::Site(path("wp-content/plugins/a/a.php"))),
            ("db.sql", Place::Dump),
            ("db.sql/x", Place::Other),
            ("else", Place::Other),
        ] {
            assert_eq!(places.place(&path(entry)), place, "{entry}");
        }
        let all = Places::of("x").with(&path(""), Rule::Site(path("wp-content")));
        assert_eq!(all.place(&path("a/b")), Place::Site(path("wp-content/a/b")));
    }
}
