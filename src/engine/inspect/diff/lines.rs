//! Compares two texts line by line. `-` marks a live line, `+` a line of the backup. Pure and bounded.

use similar::{ChangeTag, TextDiff};
use std::time::Duration;

/// Most lines shown of one text.
pub const MOST_LINES: usize = 200;
/// Longest line shown.
const MOST_LETTERS: usize = 400;
/// After this time the rest of a text counts as replaced. That diff is correct, but not the shortest one.
const PATIENCE: Duration = Duration::from_millis(300);

/// The difference of two texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// The first lines of it.
    pub shown: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// Lines that only the backup has.
    pub added: usize,
    /// Lines that only the live side has.
    pub removed: usize,
}

/// Compares `live` with `backup`, and shows the lines of the `shown_` texts instead of them. `context`: equal lines around a
/// change; with some, each run is headed as in a unified diff.
pub fn compare(
    live: &[&str],
    backup: &[&str],
    shown_live: &[String],
    shown_backup: &[String],
    context: usize,
) -> Lines {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_slices(live, backup);
    let mut lines = Lines::default();
    let put = |lines: &mut Lines, sign: char, text: &str| {
        if lines.shown.len() < MOST_LINES {
            lines.shown.push(format!("{sign}{}", cut(text)));
        } else {
            lines.more += 1;
        }
    };
    let line = |texts: &[String], at: Option<usize>| at.and_then(|at| texts.get(at)).cloned().unwrap_or_default();
    for group in diff.grouped_ops(context) {
        if context > 0
            && let (Some(first), Some(last)) = (group.first(), group.last())
        {
            let (old, new) =
                (first.old_range().start..last.old_range().end, first.new_range().start..last.new_range().end);
            put(&mut lines, '@', &format!("@ -{},{} +{},{} @@", old.start + 1, old.len(), new.start + 1, new.len()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            match change.tag() {
                ChangeTag::Equal => put(&mut lines, ' ', &line(shown_live, change.old_index())),
                ChangeTag::Delete => {
                    lines.removed += 1;
                    put(&mut lines, '-', &line(shown_live, change.old_index()));
                }
                ChangeTag::Insert => {
                    lines.added += 1;
                    put(&mut lines, '+', &line(shown_backup, change.new_index()));
                }
            }
        }
    }
    lines
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(live: &str, backup: &str, context: usize) -> Lines {
        let (live, backup): (Vec<&str>, Vec<&str>) = (live.lines().collect(), backup.lines().collect());
        let own = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        compare(&live, &backup, &own(&live), &own(&backup), context)
    }

    #[test]
    fn a_unified_diff_leads_from_live_to_the_backup() {
        let found = compared("a\nb\nc\nd\ne\nf\ng\nh", "a\nb\nc\nD\ne\nf\ng\nh\ni", 1);
        assert_eq!(found.shown, ["@@ -3,3 +3,3 @@", " c", "-d", "+D", " e", "@@ -8,1 +8,2 @@", " h", "+i"]);
        assert_eq!((found.added, found.removed, found.more), (2, 1, 0));
        assert_eq!(compared("a", "a", 3), Lines::default());
        assert_eq!(compared("a\nb", "a\nc", 0).shown, ["-b", "+c"]);
    }

    #[test]
    fn long_texts_are_cut_and_the_rest_is_counted() {
        let live: String = (0..30_000).map(|n| format!("live {n}\n")).collect();
        let backup: String = (0..30_000).map(|n| format!("backup {n} {}\n", "x".repeat(1000))).collect();
        let found = compared(&live, &backup, 3);
        assert_eq!((found.shown.len(), found.added, found.removed), (MOST_LINES, 30_000, 30_000));
        assert_eq!(found.more, 60_001 - MOST_LINES);
        assert!(found.shown.iter().all(|line| line.chars().count() <= MOST_LETTERS + 2));
    }
}
