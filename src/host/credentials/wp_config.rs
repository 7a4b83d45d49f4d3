//! `wp-config.php`: constants defined by literals.

use super::php::{Token, tokens};
use super::{Password, SiteAccount};
use crate::text::printable;

/// The account such a text names; nothing without a database.
///
/// # Errors
/// A reason, where only running PHP could tell which account it is: a value that is no literal, or two definitions of one constant.
pub fn parse(text: &str) -> Result<Option<SiteAccount>, String> {
    let mut account = SiteAccount::default();
    let mut known: Vec<(String, String)> = Vec::new();
    for (name, value) in constants(text) {
        if !matches!(name.as_str(), "DB_NAME" | "DB_USER" | "DB_PASSWORD" | "DB_HOST") {
            continue;
        }
        let Some(value) = value else {
            // The host has a default, and where it is computed the rest says enough.
            if name == "DB_HOST" {
                continue;
            }
            return Err(format!("{name} is not given by a literal: only running PHP could tell it"));
        };
        match known.iter().find(|(earlier, _)| *earlier == name) {
            Some((_, earlier)) if *earlier == value => continue,
            Some((_, earlier)) => {
                // Which of a file's branches is taken only PHP could tell.
                let both = match name.as_str() {
                    "DB_PASSWORD" => String::new(),
                    _ => format!(", as {} and as {}", printable(earlier), printable(&value)),
                };
                return Err(format!("{name} is defined twice{both}: only running PHP could tell which counts"));
            }
            None => known.push((name.clone(), value.clone())),
        }
        match name.as_str() {
            "DB_NAME" => account.schema = value,
            "DB_USER" => account.user = value,
            "DB_PASSWORD" => account.password = Password::new(value),
            _ => account.host = Some(value),
        }
    }
    Ok((!account.schema.is_empty()).then_some(account))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn password(value: &str) -> Option<String> {
        let text = format!("<?php define('DB_NAME', 's'); define('DB_PASSWORD', {value});");
        parse(&text).ok().flatten().map(|account| account.password.reveal().to_owned())
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
            define('DB_NAME', 'site');
            ?> define('DB_USER', 'after php'); "#;
        let text = text.replace('\n', "\r\n");
        let account = parse(&text).unwrap().unwrap();
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
        assert!(parse("<?php define('DB_NAME', getenv('DB'));").is_err());
        assert!(parse("define('DB_NAME', 'x');").unwrap().is_none());
        assert!(parse("").unwrap().is_none());
    }

    #[test]
    fn nothing_counts_behind_the_end_of_the_code() {
        let text = "<?php define('DB_NAME', 'a'); define('DB_USER', 'u'); __halt_compiler(); define('DB_NAME', 'b');";
        assert_eq!(parse(text).unwrap().unwrap().schema, "a");
    }

    #[test]
    fn a_file_that_names_several_databases_names_none() {
        let branches =
            "<?php if (getenv('ENV') === 'staging') { define('DB_NAME', 'a'); } else { define('DB_NAME', 'b'); }";
        let reason = parse(branches).unwrap_err();
        assert!(reason.contains("as a and as b"), "{reason}");
        let secret = "<?php define('DB_NAME', 'a'); define('DB_PASSWORD', 'one'); define('DB_PASSWORD', 'two');";
        let reason = parse(secret).unwrap_err();
        assert!(!reason.contains("one") && !reason.contains("two"), "{reason}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(<\\?php|\\?>|define\\(|'|\"|\\\\|\\$|\\{|/\\*|\\*/|//|#|<<<|X|\\n|`|DB_NAME|,|\\)|é| ){0,40}") {
            let _ = parse(&text);
        }
    }
}
