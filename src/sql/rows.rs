//! The text of rows, made fit for a connection that takes UTF-8 only, and cut row by row.

use crate::error::Result;
use crate::sql::lexer::{Item, Lexer};
use crate::sql::token::{Quoting, escapes, tokens};
use crate::sql::versioned::Dialect;
use std::fmt::Write;
use std::ops::Range;

/// Rows as text. String literals that are not UTF-8 become hexadecimal literals of the same meaning:
/// `introducer` is put before those that stand for text of another character set.
pub fn as_text(rows: Vec<u8>, quoting: Quoting, introducer: &str) -> String {
    let rows = match String::from_utf8(rows) {
        Ok(text) => return text,
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(rows.len() * 2);
    let mut at = 0;
    while at < rows.len() {
        let byte = rows[at];
        if !matches!(byte, b'\'' | b'"') {
            // Outside of strings a row is ASCII, or it is refused by the server.
            text.push(char::from(byte));
            at += 1;
            continue;
        }
        let mut value = Vec::new();
        let end = unquote(&rows, at, quoting, &mut value).unwrap_or(rows.len());
        match std::str::from_utf8(&rows[at..end]) {
            Ok(literal) => text.push_str(literal),
            Err(_) => {
                let introduced =
                    text.trim_end().rsplit(['(', ',']).next().is_some_and(|before| before.starts_with('_'));
                text.push_str(if introduced { "" } else { introducer });
                text.push_str("x'");
                for byte in value {
                    let _ = write!(text, "{byte:02x}");
                }
                text.push('\'');
            }
        }
        at = end;
    }
    text
}

/// Appends the bytes that the literal at `begin` stands for, and gives where it ends; `None` where it does not end.
pub fn unquote(rows: &[u8], begin: usize, quoting: Quoting, value: &mut Vec<u8>) -> Option<usize> {
    let quote = rows[begin];
    let escapes = escapes(quote, quoting);
    let mut at = begin + 1;
    loop {
        let rest = rows.get(at..)?;
        let found = if escapes { memchr::memchr2(quote, b'\\', rest) } else { memchr::memchr(quote, rest) };
        value.extend_from_slice(&rest[..found.unwrap_or(rest.len())]);
        let plain = found?;
        let next = rest.get(plain + 1).copied();
        at += plain + 2;
        if rest[plain] != quote {
            match next? {
                b'0' => value.push(0),
                b'b' => value.push(8),
                b'n' => value.push(b'\n'),
                b'r' => value.push(b'\r'),
                b't' => value.push(b'\t'),
                b'Z' => value.push(26),
                kept @ (b'%' | b'_') => value.extend([b'\\', kept]),
                other => value.push(other),
            }
        } else if next == Some(quote) {
            value.push(quote);
        } else {
            return Some(at - 1);
        }
    }
}

/// The rows `(…),(…)` with DEFAULT in these places of each, which MariaDB and MySQL both take for a column that is computed.
pub fn with_defaults(rows: &str, places: &[usize], quoting: Quoting) -> String {
    let bytes = rows.as_bytes();
    let mut text = String::with_capacity(rows.len());
    let (mut depth, mut place, mut copied) = (0_u32, 0, 0);
    let mut value: Option<Range<usize>> = None;
    for token in tokens(bytes, quoting) {
        let (opens, closes) = (token.is_sign(bytes, b'('), token.is_sign(bytes, b')'));
        if depth == 1 && (closes || token.is_sign(bytes, b',')) {
            if let Some(value) = value.take().filter(|_| places.contains(&place)) {
                text.push_str(&rows[copied..value.start]);
                text.push_str("DEFAULT");
                copied = value.end;
            }
            place += 1;
        } else if depth > 0 {
            let begin = value.as_ref().map_or(token.span.start, |value| value.start);
            value = Some(begin..token.span.end);
        }
        if opens {
            depth += 1;
            if depth == 1 {
                place = 0;
            }
        }
        depth -= u32::from(closes && depth > 0);
    }
    text.push_str(&rows[copied..]);
    text
}

/// Cuts `(…),(…)` into its rows.
///
/// # Errors
/// As the lexer.
pub fn split(rows: &[u8], quoting: Quoting, dialect: Dialect) -> Result<Vec<&[u8]>> {
    let head = b"INSERT INTO x VALUES ";
    let whole = [head, rows, b";"].concat();
    let mut lexer = Lexer::new(whole.as_slice(), dialect, 1);
    lexer.set_quoting(quoting);
    let mut found = Vec::new();
    while let Some(item) = lexer.next_item()? {
        if let Item::Rows(part) = item {
            let begin = usize::try_from(part.offset).unwrap_or(usize::MAX) - head.len();
            let end = begin + usize::try_from(part.length).unwrap_or(usize::MAX);
            found.push(&rows[begin..end]);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_become_hexadecimal() {
        let rows = b"(1,'ok','\xff\\0a\\'''\\%'),(2,_binary '\xfe')".to_vec();
        assert_eq!(
            as_text(rows, Quoting::default(), "_latin1 "),
            "(1,'ok',_latin1 x'ff006127275c25'),(2,_binary x'fe')"
        );
        assert_eq!(as_text(b"(1,'a')".to_vec(), Quoting::default(), ""), "(1,'a')");
    }

    #[test]
    fn a_value_gives_way_to_default_whatever_it_is_made_of() {
        let defaults = |rows, places: &[usize]| with_defaults(rows, places, Quoting::default());
        assert_eq!(defaults("(1,2,'a,(b'),\n(3, -4.5 ,'c')", &[1]), "(1,DEFAULT,'a,(b'),\n(3, DEFAULT ,'c')");
        assert_eq!(defaults("(_binary 'x''),(',/* ( */ 1)", &[0]), "(DEFAULT,/* ( */ 1)");
        assert_eq!(defaults("(NULL,CONCAT('a',(1)),2)", &[1, 2]), "(NULL,DEFAULT,DEFAULT)");
        assert_eq!(defaults("(1,2)", &[]), "(1,2)");
        assert_eq!(defaults("(1,2)", &[7]), "(1,2)");
    }

    #[test]
    fn rows_are_cut_at_their_own_brackets() {
        let dialect = Dialect { version: 101_100, mariadb: true };
        let rows = b"(1,'),('),\n(2,'b')";
        assert_eq!(split(rows, Quoting::default(), dialect).unwrap(), [&b"(1,'),(')"[..], b"(2,'b')"]);
    }
}
