//! `wp-config.php`: constants defined by literals. PHP is read token by token and never run; what would have to be run (a
//! call, a variable, a concatenation) is not known.

use super::{Password, SiteAccount};

/// The account such a text names; `None` without a database. The first definition of a constant counts, as in PHP.
pub fn parse(text: &str) -> Option<SiteAccount> {
    let mut account = SiteAccount::default();
    let mut known: Vec<String> = Vec::new();
    for (name, value) in constants(text) {
        if known.contains(&name) {
            continue;
        }
        match (name.as_str(), value) {
            ("DB_NAME", Some(value)) => account.schema = value,
            ("DB_USER", Some(value)) => account.user = value,
            ("DB_PASSWORD", Some(value)) => account.password = Password::new(value),
            ("DB_HOST", Some(value)) => account.host = Some(value),
            // A password that only PHP can tell is no empty password.
            ("DB_NAME" | "DB_USER" | "DB_PASSWORD", None) => return None,
            _ => {}
        }
        known.push(name);
    }
    (!account.schema.is_empty()).then_some(account)
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(u8),
    /// A string that holds a variable.
    Unknown,
}

/// `define('NAME', 'value')` and `const NAME = 'value';` in order; `None` for a value that is no literal.
fn constants(text: &str) -> Vec<(String, Option<String>)> {
    let all = tokens(text.as_bytes());
    let mut found = Vec::new();
    for (at, token) in all.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let literal = |at: usize, ends: &[u8]| match (all.get(at), all.get(at + 1)) {
            (Some(Token::Text(value)), Some(Token::Sign(end))) if ends.contains(end) => Some(value.clone()),
            _ => None,
        };
        // `$object->define(…)`, `Class::define(…)` and `function define(…)` define no constant.
        let before = at.checked_sub(1).and_then(|before| all.get(before));
        let other = matches!(before, Some(Token::Sign(b'>' | b':')))
            || matches!(before, Some(Token::Word(word)) if word.eq_ignore_ascii_case("function"));
        if word.eq_ignore_ascii_case("define") && !other {
            if let [Some(Token::Sign(b'(')), Some(Token::Text(name)), Some(Token::Sign(b','))] =
                [all.get(at + 1), all.get(at + 2), all.get(at + 3)]
            {
                found.push((name.clone(), literal(at + 4, b"),")));
            }
        } else if word.eq_ignore_ascii_case("const")
            && let [Some(Token::Word(name)), Some(Token::Sign(b'='))] = [all.get(at + 1), all.get(at + 2)]
        {
            found.push((name.clone(), literal(at + 3, b";,")));
        }
    }
    found
}

fn tokens(bytes: &[u8]) -> Vec<Token> {
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
                found.push(Token::Unknown);
                at = here_document_end(bytes, at);
            }
            b'`' => {
                found.push(Token::Unknown);
                at = find(at + 1, b"`").map_or(bytes.len(), |end| end + 1);
            }
            b'\'' => {
                let (value, end) = single_quoted(bytes, at + 1);
                found.push(Token::Text(value));
                at = end;
            }
            b'"' => {
                let (value, end) = double_quoted(bytes, at + 1);
                found.push(value.map_or(Token::Unknown, Token::Text));
                at = end;
            }
            byte if is_word(byte) => {
                let length = rest.iter().take_while(|byte| is_word(**byte)).count();
                found.push(Token::Word(String::from_utf8_lossy(&rest[..length]).into_owned()));
                at += length;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            byte => {
                found.push(Token::Sign(byte));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn password(value: &str) -> Option<String> {
        let text = format!("<?php define('DB_NAME', 's'); define('DB_PASSWORD', {value});");
        parse(&text).map(|account| account.password.reveal().to_owned())
    }

    #[test]
    fn constants_are_read_outside_of_comments_and_strings() {
        let text = r#"define('DB_NAME', 'before php');<?php
            // define('DB_NAME', 'old');
            # define('DB_NAME', 'old');
            /* define('DB_USER', 'old'); */
            $x = "define('DB_NAME', 'old');";
            $y = <<<'EOT'
            define('DB_NAME', 'old');
            EOT;
            $z->define('DB_NAME', 'old'); X::define('DB_NAME', 'old'); function define('DB_NAME', 'old');
            DEFINE( 'DB_NAME' , 'site' , false );
            const DB_USER = "us'er";
            define('DB_PASSWORD', 'p\'a\\ss"w#//');
            define('DB_HOST', 'localhost:/run/x.sock');
            define('AUTH_KEY', getenv('X'));
            define('DB_NAME', 'second');
            ?> define('DB_USER', 'after php'); "#;
        let text = text.replace('\n', "\r\n");
        let account = parse(&text).unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("site", "us'er"));
        assert_eq!(account.password.reveal(), "p'a\\ss\"w#//");
        assert_eq!(account.host.as_deref(), Some("localhost:/run/x.sock"));
    }

    #[test]
    fn literals_are_read_as_php_reads_them() {
        for (value, expected) in [
            (r"'a\nb'", r"a\nb"),
            (r#""a\nb\$c\\\"d""#, "a\nb$c\\\"d"),
            (r#""pa$1 5$""#, "pa$1 5$"),
            (r"'$(id) `id` ${x} <?php'", "$(id) `id` ${x} <?php"),
            ("''", ""),
        ] {
            assert_eq!(password(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_only_php_can_tell_is_not_known() {
        for value in [
            "getenv('X')",
            "system('touch /tmp/rv-x')",
            "'a' . 'b'",
            "\"$x\"",
            "\"{$x}\"",
            "\"${x}\"",
            "\"\\x41\"",
            "`id`",
            "$_ENV['x'] ?? 'y'",
            "true ? 'a' : 'b'",
        ] {
            assert_eq!(password(value), None, "{value}");
        }
        assert!(parse("<?php define('DB_NAME', getenv('DB'));").is_none());
        assert!(parse("define('DB_NAME', 'x');").is_none());
        assert!(parse("").is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(<\\?php|\\?>|define\\(|'|\"|\\\\|\\$|\\{|/\\*|\\*/|//|#|<<<|X|\\n|`|DB_NAME|,|\\)|é| ){0,40}") {
            let _ = parse(&text);
        }
    }
}
