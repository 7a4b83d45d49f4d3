//! Tokens of one statement whose comments are already gone or plain.

use std::ops::Range;

/// How quotes are read; follows `sql_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quoting {
    /// `"x"` is a name.
    pub ansi_quotes: bool,
    /// A backslash is an ordinary character.
    pub no_backslash_escapes: bool,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Keyword or bare name; also numbers.
    Word,
    /// Name in quotes.
    QuotedName,
    /// String literal.
    Text,
    /// Any other single byte.
    Sign,
}

/// One token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the statement, quotes included.
    pub span: Range<usize>,
}

impl Token {
    /// True when this is the bare word `word`, in any case.
    pub fn is(&self, sql: &[u8], word: &str) -> bool {
        self.kind == Kind::Word && sql[self.span.clone()].eq_ignore_ascii_case(word.as_bytes())
    }

    /// True for the single byte `sign`.
    pub fn is_sign(&self, sql: &[u8], sign: u8) -> bool {
        self.kind == Kind::Sign && sql[self.span.start] == sign
    }

    /// The name a bare or quoted name stands for.
    pub fn name(&self, sql: &[u8]) -> Option<String> {
        let raw = &sql[self.span.clone()];
        match self.kind {
            Kind::Word => String::from_utf8(raw.to_vec()).ok(),
            Kind::QuotedName => {
                let quote = char::from(raw[0]);
                let inner = std::str::from_utf8(raw.get(1..raw.len().checked_sub(1)?)?).ok()?;
                Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string()))
            }
            _ => None,
        }
    }
}

/// Splits a statement into tokens; plain comments and white space are left out.
pub fn tokens(sql: &[u8], quoting: Quoting) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < sql.len() {
        let start = at;
        let byte = sql[at];
        let kind = match byte {
            _ if byte.is_ascii_whitespace() || byte < b' ' => {
                at += 1;
                continue;
            }
            b'#' => {
                at = line_end(sql, at);
                continue;
            }
            b'-' if starts_line_comment(&sql[at..]) => {
                at = line_end(sql, at);
                continue;
            }
            b'/' if sql[at..].starts_with(b"/*") => {
                at = comment_end(sql, at);
                continue;
            }
            b'\'' | b'"' | b'`' => {
                at = quoted_end(sql, at, quoting);
                if byte == b'`' || (byte == b'"' && quoting.ansi_quotes) { Kind::QuotedName } else { Kind::Text }
            }
            _ if is_word(byte) => {
                while at < sql.len() && is_word(sql[at]) {
                    at += 1;
                }
                Kind::Word
            }
            _ => {
                at += 1;
                Kind::Sign
            }
        };
        found.push(Token { kind, span: start..at });
    }
    found
}

/// Whether a server would find a versioned comment in the text of a statement whose comments are gone or plain.
pub fn opens_versioned(sql: &[u8], quoting: Quoting) -> bool {
    let finds = |mark: &[u8]| memchr::memmem::find(sql, mark).is_some();
    if !finds(b"/*!") && !finds(b"/*M!") {
        return false;
    }
    let mut at = 0;
    while at < sql.len() {
        let rest = &sql[at..];
        at = match rest[0] {
            b'\'' | b'"' | b'`' => quoted_end(sql, at, quoting),
            b'#' => line_end(sql, at),
            b'-' if starts_line_comment(rest) => line_end(sql, at),
            b'/' if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => return true,
            b'/' if rest.starts_with(b"/*") => comment_end(sql, at),
            _ => at + 1,
        };
    }
    false
}

fn comment_end(sql: &[u8], at: usize) -> usize {
    memchr::memmem::find(&sql[at + 2..], b"*/").map_or(sql.len(), |end| at + 2 + end + 2)
}

/// True for bytes of bare names, keywords and numbers.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// True when `--` here begins a comment: the server wants white space or a control character after it.
pub fn starts_line_comment(rest: &[u8]) -> bool {
    rest.starts_with(b"--") && rest.get(2).is_none_or(|byte| *byte == b' ' || byte.is_ascii_control())
}

fn line_end(sql: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &sql[at..]).map_or(sql.len(), |end| at + end + 1)
}

fn quoted_end(sql: &[u8], start: usize, quoting: Quoting) -> usize {
    let quote = sql[start];
    let escapes = escapes(quote, quoting);
    let mut at = start + 1;
    while at < sql.len() {
        match sql[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote => {
                at += 1;
                if sql.get(at) != Some(&quote) {
                    return at;
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    sql.len()
}

/// Whether a backslash escapes inside this kind of quotes.
pub fn escapes(quote: u8, quoting: Quoting) -> bool {
    match quote {
        b'`' => false,
        b'"' => !quoting.ansi_quotes && !quoting.no_backslash_escapes,
        _ => !quoting.no_backslash_escapes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str, quoting: Quoting) -> Vec<String> {
        tokens(sql.as_bytes(), quoting).into_iter().map(|token| sql[token.span].to_owned()).collect()
    }

    #[test]
    fn quotes_comments_and_signs_are_told_apart() {
        assert_eq!(
            words("SET x='a''b\\'c' -- no\n, `n``m` /* no */ = @y#z", Quoting::default()),
            ["SET", "x", "=", "'a''b\\'c'", ",", "`n``m`", "=", "@", "y"]
        );
    }

    #[test]
    fn every_control_character_makes_two_dashes_a_comment() {
        for byte in (0..=0x20).chain([0x7f]).filter(|byte| *byte != b'\n').map(char::from) {
            assert_eq!(words(&format!("a --{byte}'\nb"), Quoting::default()), ["a", "b"], "{byte:?}");
        }
        assert_eq!(words("a --b", Quoting::default()), ["a", "-", "-", "b"]);
    }

    #[test]
    fn sql_mode_changes_what_quotes_mean() {
        let ansi = Quoting { ansi_quotes: true, no_backslash_escapes: false };
        assert_eq!(tokens(b"\"x\"", ansi)[0].kind, Kind::QuotedName);
        let plain = Quoting { ansi_quotes: false, no_backslash_escapes: true };
        assert_eq!(words("'a\\' b", plain), ["'a\\'", "b"]);
    }

    #[test]
    fn a_quoted_name_is_read_without_its_quotes() {
        let sql = b"`a``b`";
        assert_eq!(tokens(sql, Quoting::default())[0].name(sql).as_deref(), Some("a`b"));
    }
}
