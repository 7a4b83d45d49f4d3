//! PHP read token by token and never run. What would have to be run (a call, a variable, a concatenation) is not known.

use std::ops::Range;

/// A token, as far as configuration files need it.
#[derive(Debug, PartialEq, Eq)]
pub enum Token {
    /// A name or keyword, without the `$` of a variable.
    Word(String),
    /// A string that is a literal.
    Text(String),
    /// Any other character.
    Sign(u8),
    /// A string that holds a variable.
    Unknown,
}

/// The tokens of a file; comments and what stands outside of `<?php` are none.
pub fn tokens(bytes: &[u8]) -> Vec<Token> {
    spans(bytes).into_iter().map(|(token, _)| token).collect()
}

/// The tokens of a file, each with where it stands.
pub fn spans(bytes: &[u8]) -> Vec<(Token, Range<usize>)> {
    let mut found = Vec::new();
    let find = |from: usize, mark: &[u8]| memchr::memmem::find(&bytes[from..], mark).map(|end| from + end);
    // Before `<?php` everything is text.
    let begin = |from: usize| find(from, b"<?").map_or(bytes.len(), |at| at + 2);
    let mut at = begin(0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        match bytes[at] {
            b'?' if rest.starts_with(b"?>") => at = begin(at + 2),
            b'#' if !rest.starts_with(b"#[") => at = line_comment_end(bytes, at),
            b'/' if rest.starts_with(b"//") => at = line_comment_end(bytes, at),
            b'/' if rest.starts_with(b"/*") => at = find(at + 2, b"*/").map_or(bytes.len(), |end| end + 2),
            b'<' if rest.starts_with(b"<<<") => {
                let end = here_document_end(bytes, at);
                found.push((Token::Unknown, at..end));
                at = end;
            }
            b'`' => {
                let end = find(at + 1, b"`").map_or(bytes.len(), |end| end + 1);
                found.push((Token::Unknown, at..end));
                at = end;
            }
            b'\'' => {
                let (value, end) = single_quoted(bytes, at + 1);
                found.push((Token::Text(value), at..end));
                at = end;
            }
            b'"' => {
                let (value, end) = double_quoted(bytes, at + 1);
                found.push((value.map_or(Token::Unknown, Token::Text), at..end));
                at = end;
            }
            byte if is_word(byte) => {
                let length = rest.iter().take_while(|byte| is_word(**byte)).count();
                // What follows is data, whatever it looks like.
                if rest[..length].eq_ignore_ascii_case(b"__halt_compiler") {
                    break;
                }
                found.push((Token::Word(String::from_utf8_lossy(&rest[..length]).into_owned()), at..at + length));
                at += length;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            byte => {
                found.push((Token::Sign(byte), at..at + 1));
                at += 1;
            }
        }
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// A comment line also ends where PHP does.
fn line_comment_end(bytes: &[u8], at: usize) -> usize {
    let line = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
    memchr::memmem::find(&bytes[at..line], b"?>").map_or(line, |end| at + end)
}

/// After the closing word of `<<<WORD` or `<<<'WORD'`.
fn here_document_end(bytes: &[u8], at: usize) -> usize {
    let line = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
    let word: Vec<u8> = bytes[at + 3..line].iter().copied().filter(|byte| is_word(*byte)).collect();
    let mut from = line;
    while from < bytes.len() {
        let next = memchr::memchr(b'\n', &bytes[from + 1..]).map_or(bytes.len(), |end| from + 1 + end);
        let text = bytes[(from + 1).min(bytes.len())..next].trim_ascii_start();
        if !word.is_empty() && text.starts_with(&word) && text.get(word.len()).is_none_or(|byte| !is_word(*byte)) {
            return next - text.len() + word.len();
        }
        from = next;
    }
    bytes.len()
}

fn single_quoted(bytes: &[u8], mut at: usize) -> (String, usize) {
    let mut value = Vec::new();
    while at < bytes.len() && bytes[at] != b'\'' {
        if bytes[at] == b'\\' && matches!(bytes.get(at + 1), Some(b'\'' | b'\\')) {
            at += 1;
        }
        value.push(bytes[at]);
        at += 1;
    }
    (String::from_utf8_lossy(&value).into_owned(), at + 1)
}

/// `None` when a variable or an escape beyond the usual ones is inside.
fn double_quoted(bytes: &[u8], mut at: usize) -> (Option<String>, usize) {
    let mut value = Vec::new();
    let mut known = true;
    while at < bytes.len() && bytes[at] != b'"' {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(next)) => {
                match next {
                    b'n' => value.push(b'\n'),
                    b't' => value.push(b'\t'),
                    b'r' => value.push(b'\r'),
                    b'v' => value.push(11),
                    b'f' => value.push(12),
                    b'e' => value.push(27),
                    b'\\' | b'$' | b'"' => value.push(*next),
                    b'0'..=b'7' | b'x' | b'u' => known = false,
                    other => value.extend([b'\\', *other]),
                }
                at += 1;
            }
            (b'$', Some(next)) if next.is_ascii_alphabetic() || matches!(next, b'_' | b'{') || *next >= 0x80 => {
                known = false;
            }
            (b'{', Some(b'$')) => known = false,
            (byte, _) => value.push(byte),
        }
        at += 1;
    }
    (known.then(|| String::from_utf8_lossy(&value).into_owned()), at + 1)
}
