//! `wp-config.php`: constants defined by literals.

use super::php::{Token, tokens};
use super::{Parsed, Password, SiteAccount, Unclear};

/// The account such a text names; nothing without a database.
///
/// # Errors
/// A reason, where only running PHP could tell which account it is: a value that is no literal, or two definitions of one constant.
pub fn parse(text: &str) -> Parsed {
    let mut account = SiteAccount::default();
    let mut known: Vec<(String, String)> = Vec::new();
    let all = tokens(text.as_bytes());
    let other_files = includes(&all);
    for Constant { name, value, in_branch, .. } in constants(&all) {
        if !matches!(name.as_str(), "DB_NAME" | "DB_USER" | "DB_PASSWORD" | "DB_HOST") {
            continue;
        }
        let Some(value) = value else {
            // The host has a default, and where it is computed the rest says enough.
            if name == "DB_HOST" {
                continue;
            }
            return Err(format!("{name} is not given by a literal: only running PHP could tell it").into());
        };
        if in_branch && other_files {
            return Err(format!(
                "{name} is defined in a branch, and other files are included: only running PHP could tell which counts"
            )
            .into());
        }
        match known.iter().find(|(earlier, _)| *earlier == name) {
            Some((_, earlier)) if *earlier == value => continue,
            Some((_, earlier)) => {
                // Which of a file's branches is taken only PHP could tell.
                return Err(Unclear::twice(&name, name == "DB_PASSWORD", earlier, &value));
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

/// Every constant with its value, the first definition of each, as PHP has it; `None` for what is no literal.
pub fn settings(text: &str) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for Constant { name, value, number, .. } in constants(&tokens(text.as_bytes())) {
        if !found.iter().any(|(known, _)| *known == name) {
            found.push((name, value.or(number)));
        }
    }
    found
}

/// `$table_prefix`, where it is given by a literal.
pub fn table_prefix(text: &str) -> Option<String> {
    let all = tokens(text.as_bytes());
    all.windows(4).find_map(|four| match four {
        [Token::Sign(b'$'), Token::Word(name), Token::Sign(b'='), Token::Text(prefix)] if name == "table_prefix" => {
            Some(prefix.clone())
        }
        _ => None,
    })
}

/// A constant as a file defines it.
struct Constant {
    name: String,
    /// `None` where it is no literal.
    value: Option<String>,
    /// A number that it is.
    number: Option<String>,
    /// Whether this is carried out depends on what PHP finds.
    in_branch: bool,
}

/// Whether the file includes any but WordPress's own `wp-settings.php`.
fn includes(all: &[Token]) -> bool {
    const WORDS: &[&str] = &["include", "include_once", "require", "require_once"];
    let own = |token: &Token| matches!(token, Token::Text(path) if path.ends_with("wp-settings.php"));
    all.iter().enumerate().any(|(at, token)| {
        let included = matches!(token, Token::Word(word) if WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)));
        included && !all[at..].iter().take_while(|token| **token != Token::Sign(b';')).any(own)
    })
}

/// `define('NAME', 'value')` and `const NAME = 'value';` in order.
fn constants(all: &[Token]) -> Vec<Constant> {
    let mut found = Vec::new();
    let mut depth = 0_u32;
    for (at, token) in all.iter().enumerate() {
        match token {
            Token::Sign(b'{') => depth += 1,
            Token::Sign(b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let Token::Word(word) = token else { continue };
        let literal = |at: usize, ends: &[u8]| match (all.get(at), all.get(at + 1)) {
            (Some(Token::Text(value)), Some(Token::Sign(end))) if ends.contains(end) => Some(value.clone()),
            _ => None,
        };
        let number = |at: usize| match all.get(at) {
            Some(Token::Word(word)) if word.bytes().all(|byte| byte.is_ascii_digit()) => Some(word.clone()),
            _ => None,
        };
        // `$object->define(…)`, `Class::define(…)` and `function define(…)` define no constant.
        let before = at.checked_sub(1).and_then(|before| all.get(before));
        let earlier = at.checked_sub(2).and_then(|before| all.get(before));
        let other = matches!(
            (earlier, before),
            (Some(Token::Sign(b'-')), Some(Token::Sign(b'>'))) | (Some(Token::Sign(b':')), Some(Token::Sign(b':')))
        ) || matches!(before, Some(Token::Word(word)) if word.eq_ignore_ascii_case("function"));
        // `if (…) define(…)`, `else define(…)`, `… || define(…)`, `case …: define(…)`.
        let begins = match before {
            None | Some(Token::Sign(b';' | b'}' | b'\\' | b'@')) => true,
            // Of `<?php`.
            Some(Token::Word(word)) => word.eq_ignore_ascii_case("php"),
            _ => false,
        };
        let in_branch = depth > 0 || !begins;
        if word.eq_ignore_ascii_case("define") && !other {
            if let [Some(Token::Sign(b'(')), Some(Token::Text(name)), Some(Token::Sign(b','))] =
                [all.get(at + 1), all.get(at + 2), all.get(at + 3)]
            {
                found.push(Constant {
                    name: name.clone(),
                    value: literal(at + 4, b"),"),
                    number: number(at + 4),
                    in_branch,
                });
            }
        } else if word.eq_ignore_ascii_case("const")
            && let [Some(Token::Word(name)), Some(Token::Sign(b'='))] = [all.get(at + 1), all.get(at + 2)]
        {
            found.push(Constant {
                name: name.clone(),
                value: literal(at + 3, b";,"),
                number: number(at + 3),
                in_branch,
            });
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
        assert!(parse("<?php define('DB_NAME', getenv('DB'));").is_err_and(|reason| !reason.several));
        assert!(parse("define('DB_NAME', 'x');").unwrap().is_none());
        assert!(parse("").unwrap().is_none());
    }

    #[test]
    fn of_branches_in_every_form_none_is_guessed() {
        for several in [
            "if (getenv('E') === 'a'): define('DB_USER', 'u'); define('DB_NAME', 'a'); else: define('DB_NAME', 'b'); endif;",
            "switch (getenv('E')) { case 'a': define('DB_NAME', 'a'); break; default: define('DB_NAME', 'b'); }",
            "if ($x) define('DB_NAME', 'a'); else define('DB_NAME', 'b');",
            "$x && define('DB_NAME', 'a'); defined('DB_NAME') || define('DB_NAME', 'b');",
        ] {
            let text = format!("<?php {several} define('DB_PASSWORD', 'p'); require_once ABSPATH . 'wp-settings.php';");
            assert!(parse(&text).is_err_and(|reason| reason.several), "{several}");
        }
        for elsewhere in [
            "if (file_exists('local.php')) { include 'local.php'; } else { define('DB_NAME', 'a'); }",
            "if ($x) require(__DIR__ . '/local.php'); else define('DB_NAME', 'a');",
            "@include_once 'local.php'; defined('DB_NAME') or define('DB_NAME', 'a');",
        ] {
            let text = format!("<?php {elsewhere} define('DB_USER', 'u');");
            assert!(parse(&text).is_err_and(|reason| !reason.several), "{elsewhere}");
        }
        for clear in [
            "if (!defined('DB_NAME')) { define('DB_NAME', 'a'); } require_once ABSPATH . 'wp-settings.php';",
            "require 'vendor/autoload.php'; define('DB_NAME', 'a');",
            "if ($x) { include 'x.php'; } define('DB_NAME', 'a');",
        ] {
            assert_eq!(parse(&format!("<?php {clear}")).unwrap().unwrap().schema, "a", "{clear}");
        }
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
        assert!(reason.several && reason.why.contains("as a and as b"), "{reason}");
        let secret = "<?php define('DB_NAME', 'a'); define('DB_PASSWORD', 'one'); define('DB_PASSWORD', 'two');";
        let reason = parse(secret).unwrap_err();
        assert!(reason.several && !reason.why.contains("one") && !reason.why.contains("two"), "{reason}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(<\\?php|\\?>|define\\(|'|\"|\\\\|\\$|\\{|/\\*|\\*/|//|#|<<<|X|\\n|`|DB_NAME|,|\\)|é| ){0,40}") {
            let _ = parse(&text);
        }
    }
}
