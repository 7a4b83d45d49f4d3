//! The markup of help texts: a blank line ends a paragraph, backquotes stand around what is typed.

use crate::cli::terminal::{columns, pad};
use std::fmt::Write;

/// Paragraphs in lines of at most `width` columns, each line indented.
pub fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut out = String::new();
    for (at, paragraph) in text.split("\n\n").enumerate() {
        if at > 0 {
            out.push('\n');
        }
        for line in lines(paragraph, width.saturating_sub(indent)) {
            let _ = writeln!(out, "{}{line}", " ".repeat(indent));
        }
    }
    out
}

fn lines(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// An entry: its head, and beside it from `column` on its text. Below it where the head is too long, or the terminal narrow.
pub fn entry(head: &str, text: &str, column: usize, width: usize) -> String {
    const NARROW: usize = 60;
    let indent = if width < NARROW { 6 } else { column };
    let head = format!("  {head}");
    let text = wrapped(text, indent, width);
    if width < NARROW || columns(&head) + 2 > column {
        return format!("{head}\n{text}");
    }
    format!("{}{}", pad(&head, column), text.get(column..).unwrap_or("\n"))
}

/// Text for roff: nothing in it acts, what is typed is bold.
pub fn roff(text: &str) -> String {
    let mut out = String::new();
    for (at, paragraph) in text.split("\n\n").enumerate() {
        if at > 0 {
            out.push_str(".PP\n");
        }
        for (number, piece) in paragraph.split('`').enumerate() {
            match number % 2 {
                // A sentence a line: a change then shows the sentence that changed.
                0 => out.push_str(&escaped(piece).replace(". ", ".\n")),
                _ => {
                    let _ = write!(out, "\\fB{}\\fR", escaped(piece));
                }
            }
        }
        out.push('\n');
    }
    out
}

/// Text of one line for roff, as it is.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A dot or an apostrophe at the beginning of a line would be a request.
    if text.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            '`' => out.push_str("\\(ga"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_asked_for_and_lose_no_word() {
        let text = "One two three four, `--five six`.\n\nSeven 八八八 nine.";
        for width in [12, 20, 40, 80] {
            let wrapped = wrapped(text, 2, width);
            assert!(wrapped.lines().all(|line| columns(line) <= width), "{width}:\n{wrapped}");
            assert!(wrapped.lines().all(|line| line.is_empty() || line.starts_with("  ")));
            assert_eq!(wrapped.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
            assert_eq!(wrapped.lines().filter(|line| line.is_empty()).count(), 1);
        }
    }

    #[test]
    fn an_entry_stands_beside_its_head_or_below_it() {
        assert_eq!(entry("list", "About it.", 10, 80), "  list    About it.\n");
        assert_eq!(entry("listing-long", "About it.", 10, 80), "  listing-long\n          About it.\n");
        assert_eq!(entry("list", "About it.", 10, 40), "  list\n      About it.\n");
    }

    #[test]
    fn nothing_in_a_text_acts_in_roff() {
        assert_eq!(roff("a `--b` \\c"), "a \\fB\\-\\-b\\fR \\ec\n");
        assert_eq!(roff(".so /etc/passwd"), "\\&.so /etc/passwd\n");
        assert_eq!(roff("`.so` x"), "\\fB\\&.so\\fR x\n");
        assert_eq!(roff("one\n\ntwo"), "one\n.PP\ntwo\n");
        assert_eq!(roff("One `1`. Two. 'x' 2.5."), "One \\fB1\\fR\\&.\nTwo.\n\\(aqx\\(aq 2.5.\n");
    }
}
