//! A site's configuration with another account in it: the text of the backup, with the database settings of the live site. Nothing is
//! run, and nothing else in the text changes.

use super::SiteAccount;
use super::php::{self, Token};
use std::ops::Range;

/// `wp-config.php` with that account; `None` where it names this one already, or none.
pub fn wp_config(text: &[u8], account: &SiteAccount) -> Option<Vec<u8>> {
    let all = php::spans(text);
    let mut changes: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    for (at, (token, _)) in all.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let sign = |at: usize| match all.get(at) {
            Some((Token::Sign(sign), _)) => Some(*sign),
            _ => None,
        };
        let (name, value) =
            if word.eq_ignore_ascii_case("define") && sign(at + 1) == Some(b'(') && sign(at + 3) == Some(b',') {
                let Some((Token::Text(name), _)) = all.get(at + 2) else { continue };
                (name, at + 4)
            } else if word.eq_ignore_ascii_case("const") && sign(at + 2) == Some(b'=') {
                let Some((Token::Word(name), _)) = all.get(at + 1) else { continue };
                (name, at + 3)
            } else {
                continue;
            };
        let Some(wanted) = setting(account, name) else { continue };
        let Some(range) = expression(&all, value) else { continue };
        let is_so = matches!(&all[value..], [(Token::Text(known), known_range), ..] if *known == wanted && *known_range == range);
        if !is_so {
            changes.push((range, quoted(&wanted)));
        }
    }
    apply(text, changes)
}

/// What a constant of WordPress is to be.
fn setting(account: &SiteAccount, name: &str) -> Option<String> {
    match name {
        "DB_NAME" => Some(account.schema.clone()),
        "DB_USER" => Some(account.user.clone()),
        // Where nobody tells the password, the text's own may be it.
        "DB_PASSWORD" => Some(account.password.reveal().to_owned()).filter(|password| !password.is_empty()),
        "DB_HOST" => Some(account.host.clone().unwrap_or_else(|| "localhost".to_owned())),
        _ => None,
    }
}

/// The expression that begins with a token, up to the sign that ends it.
fn expression(all: &[(Token, Range<usize>)], first: usize) -> Option<Range<usize>> {
    let mut depth = 0_u32;
    let start = all.get(first)?.1.start;
    let mut end = start;
    for (token, range) in &all[first..] {
        match token {
            Token::Sign(b'(' | b'[') => depth += 1,
            Token::Sign(b')' | b',' | b';') if depth == 0 => return (end > start).then_some(start..end),
            Token::Sign(b')' | b']') => depth = depth.checked_sub(1)?,
            Token::Sign(b';') => return None,
            _ => {}
        }
        end = range.end;
    }
    None
}

/// Joomla's `configuration.php` with that account; `None` where it names this one already, or none.
pub fn joomla(text: &[u8], account: &SiteAccount) -> Option<Vec<u8>> {
    let all = php::spans(text);
    let is_class = |pair: &[(Token, Range<usize>)]| matches!(pair, [(Token::Word(class), _), (Token::Word(name), _)] if class.eq_ignore_ascii_case("class") && name == "JConfig");
    if !all.windows(2).any(is_class) {
        return None;
    }
    let mut changes: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    for (at, four) in all.windows(4).enumerate() {
        let [(Token::Sign(b'$'), _), (Token::Word(property), _), (Token::Sign(b'='), _), (value, range)] = four else {
            continue;
        };
        let wanted = match property.as_str() {
            "db" => setting(account, "DB_NAME"),
            "user" => setting(account, "DB_USER"),
            "password" => setting(account, "DB_PASSWORD"),
            "host" => setting(account, "DB_HOST"),
            _ => None,
        };
        let Some((wanted, whole)) = wanted.zip(expression(&all, at + 3)) else { continue };
        if !matches!(value, Token::Text(known) if *known == wanted && *range == whole) {
            changes.push((whole, quoted(&wanted)));
        }
    }
    apply(text, changes)
}

fn quoted(value: &str) -> Vec<u8> {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'")).into_bytes()
}

/// `.env` of Laravel with that account; `None` where it names this one already, or none.
pub fn dot_env(text: &[u8], account: &SiteAccount) -> Option<Vec<u8>> {
    let host = account.host.as_deref().unwrap_or("localhost");
    let (host, rest) = host.split_once(':').map_or((host, ""), |(host, rest)| (host, rest));
    let mut changes: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let Some(equals) = memchr::memchr(b'=', line) else { continue };
        let key = String::from_utf8_lossy(&line[..equals]);
        let wanted = match key.trim().strip_prefix("export ").unwrap_or(key.trim()).trim() {
            "DB_DATABASE" => account.schema.clone(),
            "DB_USERNAME" => account.user.clone(),
            "DB_PASSWORD" if !account.password.reveal().is_empty() => account.password.reveal().to_owned(),
            "DB_HOST" => host.to_owned(),
            "DB_PORT" if rest.parse::<u16>().is_ok() => rest.to_owned(),
            "DB_SOCKET" if rest.starts_with('/') => rest.to_owned(),
            _ => continue,
        };
        let length = line.trim_ascii_end().len().max(equals + 1);
        let known = String::from_utf8_lossy(&line[equals + 1..length]).trim().trim_matches(['"', '\'']).to_owned();
        if known != wanted {
            let plain = wanted.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte));
            let escaped = wanted.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
            let value = if plain { wanted } else { format!("\"{escaped}\"") };
            changes.push((start + equals + 1..start + length, value.into_bytes()));
        }
    }
    apply(text, changes)
}

fn apply(text: &[u8], changes: Vec<(Range<usize>, Vec<u8>)>) -> Option<Vec<u8>> {
    if changes.is_empty() {
        return None;
    }
    let (mut made, mut from) = (Vec::with_capacity(text.len() + 64), 0);
    for (range, value) in changes {
        made.extend_from_slice(&text[from..range.start]);
        made.extend_from_slice(&value);
        from = range.end;
    }
    made.extend_from_slice(&text[from..]);
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::credentials::Password;

    fn account() -> SiteAccount {
        SiteAccount {
            schema: "live".into(),
            user: "it's".into(),
            password: Password::new("p\\w$\""),
            host: Some("localhost:/run/db.sock".into()),
            ..SiteAccount::default()
        }
    }

    #[test]
    fn the_account_of_joomla_is_replaced_and_nothing_else() {
        let text = "<?php\nclass JConfig {\n\tpublic $dbtype = 'mysqli';\n\tpublic $host = 'db.old';\n\tpublic string $user = 'u' . 'v';\n\tpublic $password = \"$x\";\n\tpublic $db = 'old';\n\tpublic $dbprefix = 'j_';\n}\n";
        let made = String::from_utf8(joomla(text.as_bytes(), &account()).unwrap()).unwrap();
        assert_eq!(
            made,
            "<?php\nclass JConfig {\n\tpublic $dbtype = 'mysqli';\n\tpublic $host = 'localhost:/run/db.sock';\n\tpublic string $user = 'it\\'s';\n\tpublic $password = 'p\\\\w$\"';\n\tpublic $db = 'live';\n\tpublic $dbprefix = 'j_';\n}\n"
        );
        assert_eq!(super::super::joomla::parse(&made).unwrap().unwrap().schema, "live");
        assert!(joomla(made.as_bytes(), &account()).is_none(), "it is so already");
        assert!(joomla(b"<?php class Other { public $db = 'x'; }", &account()).is_none());
    }

    #[test]
    fn the_account_of_a_wp_config_is_replaced_and_nothing_else() {
        let text = br#"<?php // define('DB_NAME', 'comment');
define( 'DB_NAME', 'old' ); define("DB_USER", getenv("X", 1)); const DB_PASSWORD = 'a' . 'b';
define('DB_HOST', 'db.old:3307', false); define('DB_CHARSET', 'utf8mb4'); $table_prefix = 'wp_';"#;
        let made = String::from_utf8(wp_config(text, &account()).unwrap()).unwrap();
        assert_eq!(
            made,
            r#"<?php // define('DB_NAME', 'comment');
define( 'DB_NAME', 'live' ); define("DB_USER", 'it\'s'); const DB_PASSWORD = 'p\\w$"';
define('DB_HOST', 'localhost:/run/db.sock', false); define('DB_CHARSET', 'utf8mb4'); $table_prefix = 'wp_';"#
        );
        assert_eq!(super::super::wp_config::parse(&made).unwrap().unwrap().schema, "live");
        assert!(wp_config(made.as_bytes(), &account()).is_none(), "it is so already");
        assert!(wp_config(b"<?php echo 1;", &account()).is_none());
    }

    #[test]
    fn the_account_of_a_dot_env_is_replaced_and_nothing_else() {
        let text = b"APP_KEY=x\r\nDB_HOST=127.0.0.1\nDB_DATABASE=\"old\"\nDB_USERNAME=old # x\n#DB_PASSWORD=c\nDB_PASSWORD=\nA=b";
        let made = String::from_utf8(dot_env(text, &account()).unwrap()).unwrap();
        let wanted = "APP_KEY=x\r\nDB_HOST=localhost\nDB_DATABASE=live\nDB_USERNAME=\"it's\"\n#DB_PASSWORD=c\nDB_PASSWORD=\"p\\\\w\\$\\\"\"\nA=b";
        assert_eq!(made, wanted);
        assert!(dot_env(b"A=b", &account()).is_none());
    }
}
