//! `DOMAIN.conf`: assignments as a shell would read them, and nothing of a shell besides: `$(…)`, backticks and variables are
//! letters like any other.

use super::{Parsed, Password, SiteAccount, assignments, unquoted};

/// `MYSQL_DB_NAME=`, `MYSQL_DB_USER=`, `MYSQL_DB_PASSWORD=`; the last of each counts. Nothing where the file is about another kind of
/// database alone.
///
/// # Errors
/// A reason, for half an account.
pub fn parse(text: &str) -> Parsed {
    let mut account = SiteAccount::default();
    for (key, raw) in assignments(text) {
        let value = value(raw);
        match key {
            "MYSQL_DB_NAME" | "DB_NAME" => account.schema = value,
            "MYSQL_DB_USER" | "DB_USER" => account.user = value,
            "MYSQL_DB_PASSWORD" | "DB_PASSWORD" | "DB_PASS" => account.password = Password::new(value),
            "MYSQL_DB_HOST" | "DB_HOST" => account.host = Some(value),
            _ => {}
        }
    }
    account.whole()
}

/// Quoted parts are joined as in `'it'\''s'`. A value that does not begin with a quote is taken to the end of the line or to
/// ` #`: such files are also written by programs that quote nothing.
fn value(raw: &str) -> String {
    if !raw.starts_with(['\'', '"']) {
        return unquoted(raw).to_owned();
    }
    let mut value = String::new();
    let mut letters = raw.chars();
    let mut quote = None;
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (None, ' ' | '\t' | ';') => break,
            (None, '\\') => value.extend(letters.next()),
            (Some(open), _) if letter == open => quote = None,
            (Some('"'), '\\') => match letters.next() {
                Some(kept @ ('$' | '`' | '"' | '\\')) => value.push(kept),
                other => value.extend(std::iter::once('\\').chain(other)),
            },
            _ => value.push(letter),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(line: &str) -> String {
        let text = format!("MYSQL_DB_NAME=site\nMYSQL_DB_USER=u\nMYSQL_DB_PASSWORD={line}\n");
        parse(&text).unwrap().unwrap().password.reveal().to_owned()
    }

    #[test]
    fn values_are_read_as_a_shell_quotes_them() {
        for (line, expected) in [
            ("plain", "plain"),
            ("a b#c", "a b#c"),
            ("a # note", "a"),
            ("'a b # c' # note", "a b # c"),
            ("\"a\\\"b\\\\c\\$d\\e\"", "a\"b\\c$d\\e"),
            ("'it'\\''s'", "it's"),
            ("\"a\"'b'c; echo x", "abc"),
            ("p=q:r", "p=q:r"),
            ("", ""),
            ("'never closed", "never closed"),
        ] {
            assert_eq!(password(line), expected, "{line}");
        }
    }

    #[test]
    fn hostile_content_is_only_letters() {
        for line in ["$(touch /tmp/rv-x)", "`id`", "${HOME}", "<?php system('id'); ?>", "$((1+1))"] {
            assert_eq!(password(line), *line);
            assert_eq!(password(&format!("'{}'", line.replace('\'', "'\\''"))), *line);
        }
    }

    #[test]
    fn comments_exports_carriage_returns_and_repeated_keys_are_understood() {
        let account =
            parse("# MYSQL_DB_NAME=old\r\nexport MYSQL_DB_NAME=a\r\n  MYSQL_DB_USER = 'u'\r\nMYSQL_DB_NAME=b\r\nDB_HOST=127.0.0.1:3307\r\nnonsense\r\n")
                .unwrap()
                .unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("b", "u"));
        assert_eq!(account.host.as_deref(), Some("127.0.0.1:3307"));
        assert!(parse("MYSQL_DB_USER=u\n").is_err() && parse("MYSQL_DB_NAME=s\nMYSQL_DB_USER=\n").is_err());
        assert!(parse("POSTGRESQL_DB_NAME=s\nPOSTGRESQL_DB_USER=u\n").unwrap().is_none());
    }
}
