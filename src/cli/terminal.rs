//! What the other side of standard output can show.

use rustix::termios;
use std::io::IsTerminal;

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

/// Cut to a width, counted in letters.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        text.to_owned()
    } else {
        text.chars().take(width.saturating_sub(1)).collect::<String>() + "~"
    }
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
    }
}
