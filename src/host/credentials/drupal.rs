//! Drupal's `sites/default/settings.php`: the array `$databases`.

use super::php::{Token, tokens};
use super::{Parsed, Password, SiteAccount, Unclear};

/// The account such a text names; nothing without a database of MySQL's or MariaDB's.
///
/// # Errors
/// A reason, where a value is no literal or the array holds several databases.
pub fn parse(text: &str) -> Parsed {
    let all = tokens(text.as_bytes());
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let mut at = 0;
    while let Some(token) = all.get(at) {
        at += 1;
        if !matches!(token, Token::Word(word) if word == "databases") {
            continue;
        }
        // Of a second database, for a migration say, the site itself knows nothing: `$databases['migrate']['default'] = …`.
        let other = matches!(
            (all.get(at), all.get(at + 1)),
            (Some(Token::Sign(b'[')), Some(Token::Text(key))) if key != "default"
        );
        // Up to the end of the statement: `'key' => 'value'`, however deep; a key of an array has no literal behind it.
        while let Some(token) = all.get(at).filter(|token| **token != Token::Sign(b';')) {
            if !other
                && let Token::Text(key) = token
                && let (Some(Token::Sign(b'=')), Some(Token::Sign(b'>'))) = (all.get(at + 1), all.get(at + 2))
                && matches!(
                    key.as_str(),
                    "database" | "username" | "password" | "host" | "port" | "driver" | "unix_socket"
                )
            {
                match (all.get(at + 3), all.get(at + 4)) {
                    (Some(Token::Text(value) | Token::Word(value)), Some(Token::Sign(b',' | b')' | b']'))) => {
                        pairs.push((key, value));
                    }
                    _ => return Err(format!("{key} is not given by a literal: only running PHP could tell it").into()),
                }
            }
            at += 1;
        }
    }
    let value = |key: &str| -> Result<Option<String>, Unclear> {
        let mut values: Vec<&str> = pairs.iter().filter(|(known, _)| *known == key).map(|(_, value)| *value).collect();
        values.dedup();
        match values.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some((*value).to_owned())),
            _ => Err(Unclear::several("$databases holds several databases: only running PHP could tell which counts")),
        }
    };
    if value("driver")?.is_some_and(|driver| driver != "mysql") {
        return Ok(None);
    }
    let host = match (value("unix_socket")?, value("host")?, value("port")?) {
        (Some(socket), ..) => Some(format!("localhost:{socket}")),
        (None, Some(host), Some(port)) if !port.is_empty() => Some(format!("{host}:{port}")),
        (None, host, _) => host,
    };
    let account = SiteAccount {
        schema: value("database")?.unwrap_or_default(),
        user: value("username")?.unwrap_or_default(),
        password: Password::new(value("password")?.unwrap_or_default()),
        host,
        ..SiteAccount::default()
    };
    Ok((!account.schema.is_empty()).then_some(account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_database_beside_the_sites_own_is_not_the_sites() {
        let text =
            "<?php $databases['migrate']['default'] = ['database' => 'old', 'username' => 'm', 'password' => f()];
            $databases['default']['default'] = array('database' => 'drupal', 'username' => 'u', 'password' => 'p');";
        let account = parse(text).unwrap().unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("drupal", "u"));
    }

    #[test]
    fn the_array_is_read_in_all_its_forms() {
        let nested = "<?php\n# $databases['default']['default']['database'] = 'old';\n$databases['default']['default'] = array (\n  'database' => 'site',\n  'username' => 'u',\n  'password' => 'p',\n  'prefix' => '',\n  'host' => '127.0.0.1',\n  'port' => '3307',\n  'driver' => 'mysql',\n);\n";
        let whole = "<?php $databases = ['default' => ['default' => ['driver' => 'mysql', 'database' => 'site', 'username' => 'u', 'password' => 'p', 'host' => '127.0.0.1', 'port' => 3307]]];";
        for text in [nested, whole] {
            let account = parse(text).unwrap().unwrap();
            assert_eq!((account.schema.as_str(), account.user.as_str()), ("site", "u"), "{text}");
            assert_eq!((account.password.reveal(), account.host.as_deref()), ("p", Some("127.0.0.1:3307")));
        }
        assert!(parse(&whole.replace("'mysql'", "'pgsql'")).unwrap().is_none());
        assert!(parse(&whole.replace("'site'", "getenv('X')")).is_err());
        assert!(
            parse(&format!("{nested}$databases['default']['replica'] = ['database' => 'other'];"))
                .is_err_and(|reason| reason.several)
        );
        assert!(parse("<?php $x = 1;").unwrap().is_none());
    }
}
