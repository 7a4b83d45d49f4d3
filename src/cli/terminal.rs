//! What the other side of standard output can show.

use rustix::termios;
use std::io::IsTerminal;
use unicode_width::UnicodeWidthStr;

/// Colours, letters and width.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Escape sequences for colours.
    pub colour: bool,
    /// Letters beyond ASCII.
    pub unicode: bool,
    /// Standard output is a terminal.
    pub live: bool,
}

impl Style {
    /// Of standard output, by locale and NO_COLOR.
    pub fn of_stdout() -> Style {
        let live = std::io::stdout().is_terminal();
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
        let unicode = locale.to_ascii_lowercase().replace('-', "").contains("utf8");
        Style {
            colour: live && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb"),
            unicode,
            live,
        }
    }

    /// Columns of the terminal; 80 where there is none.
    pub fn width(self) -> usize {
        match termios::tcgetwinsize(std::io::stdout()) {
            Ok(size) if self.live && size.ws_col > 0 => usize::from(size.ws_col),
            _ => 80,
        }
    }

    /// The text in a colour of the terminal, such as 31 for red.
    pub fn paint(self, code: u8, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// The mark of an outcome.
    pub fn mark(self, outcome: &str) -> String {
        let (code, letter, word) = match outcome {
            "pass" | "done" => (32, "✓", "ok  "),
            "warn" => (33, "!", "warn"),
            "fail" | "failed" => (31, "✗", "FAIL"),
            _ => (2, "–", "-   "),
        };
        self.paint(code, if self.unicode { letter } else { word })
    }
}

/// The columns that a text takes: two for a Chinese letter, none for an accent of its own. Escapes have to be made before:
/// what a terminal acts on has no width.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Cut to a width in columns.
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
    let end = ends.take_while(|end| columns(&text[..*end]) <= room).last().unwrap_or_default();
    format!("{}~", &text[..end])
}

/// Filled up with spaces to a width in columns.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// `[=====>    ]`, of a percentage.
pub fn bar(percent: f64, width: usize) -> String {
    let done = (width as f64 * percent.clamp(0.0, 100.0) / 100.0).floor() as usize;
    let head = if done > 0 && done < width { ">" } else { "" };
    let body = "=".repeat(done - head.len());
    format!("[{body}{head}{}]", " ".repeat(width - done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_their_width_at_every_percentage() {
        assert_eq!(bar(0.0, 4), "[    ]");
        assert_eq!(bar(50.0, 4), "[=>  ]");
        assert_eq!(bar(100.0, 4), "[====]");
        for percent in 0..=101 {
            assert_eq!(bar(f64::from(percent), 20).len(), 22);
        }
    }

    #[test]
    fn long_text_is_cut_between_letters() {
        assert_eq!(cut("đường dẫn", 6), "đường".to_owned() + "~");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 0), "~");
    }

    #[test]
    fn widths_are_columns_of_the_terminal() {
        // Letter, what is left of it in five columns, and the columns that takes.
        let table = [
            ("backup", "back~", 5),
            ("备份文件夹", "备份~", 5),
            ("バックアップ", "バッ~", 5),
            // An accent of its own stays with its letter.
            ("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", "e\u{301}e\u{301}e\u{301}e\u{301}~", 5),
            ("đường dẫn", "đườn~", 5),
            ("🎉🎉🎉", "🎉🎉~", 5),
            ("x备备备", "x备~", 4),
        ];
        for (text, wanted, width) in table {
            assert_eq!(cut(text, 5), wanted);
            assert_eq!(columns(wanted), width, "{wanted}");
            assert_eq!(columns(&pad(wanted, 9)), 9);
        }
        assert_eq!(pad("备份", 2), "备份");
    }
}
