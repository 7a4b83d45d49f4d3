//! Joomla's `configuration.php`: the public properties of `JConfig`.

use super::php::{Token, tokens};
use super::{Parsed, Password, SiteAccount, Unclear};

/// The account such a text names; nothing without a database of MySQL's or MariaDB's.
///
/// # Errors
/// A reason, where a property is no literal or there twice with different values.
pub fn parse(text: &str) -> Parsed {
    let all = tokens(text.as_bytes());
    let is_joomla = all.windows(2).any(|pair| {
        matches!(pair, [Token::Word(class), Token::Word(name)] if class.eq_ignore_ascii_case("class") && name == "JConfig")
    });
    if !is_joomla {
        return Ok(None);
    }
    let value = |property: &str| -> Result<Option<String>, Unclear> {
        let mut found: Option<String> = None;
        for (at, token) in all.iter().enumerate() {
            // `public $db = 'x';`, also with a type between.
            let named = matches!(token, Token::Word(word) if word == property);
            let variable = at.checked_sub(1).and_then(|before| all.get(before)) == Some(&Token::Sign(b'$'));
            if !named || !variable || all.get(at + 1) != Some(&Token::Sign(b'=')) {
                continue;
            }
            match (all.get(at + 2), all.get(at + 3), &found) {
                (Some(Token::Text(value)), Some(Token::Sign(b';')), None) => found = Some(value.clone()),
                (Some(Token::Text(value)), Some(Token::Sign(b';')), Some(earlier)) if value == earlier => {}
                (Some(Token::Text(value)), Some(Token::Sign(b';')), Some(earlier)) => {
                    return Err(Unclear::twice(&format!("${property}"), property == "password", earlier, value));
                }
                _ => {
                    return Err(format!("${property} is not given by a literal: only running PHP could tell it").into());
                }
            }
        }
        Ok(found)
    };
    if value("dbtype")?.is_some_and(|kind| !matches!(kind.as_str(), "mysqli" | "mysql" | "pdomysql")) {
        return Ok(None);
    }
    let account = SiteAccount {
        schema: value("db")?.unwrap_or_default(),
        user: value("user")?.unwrap_or_default(),
        password: Password::new(value("password")?.unwrap_or_default()),
        host: value("host")?,
        ..SiteAccount::default()
    };
    Ok((!account.schema.is_empty()).then_some(account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_properties_of_the_class_are_read() {
        let text = "<?php\nclass JConfig {\n\tpublic $dbtype = 'mysqli';\n\tpublic $host = 'localhost:3307';\n\tpublic string $user = 'u';\n\tpublic $password = 'p\\'a';\n\tpublic $db = 'site';\n\tpublic $dbprefix = 'j_';\n}\n";
        let account = parse(text).unwrap().unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("site", "u"));
        assert_eq!((account.password.reveal(), account.host.as_deref()), ("p'a", Some("localhost:3307")));
        assert!(parse(&text.replace("mysqli", "pgsql")).unwrap().is_none());
        assert!(parse(&text.replace("JConfig", "Other")).unwrap().is_none());
        assert!(parse(&text.replace("'site'", "getenv('X')")).is_err());
        assert!(parse(&text.replace("}\n", "public $db = 'other'; }\n")).is_err_and(|reason| reason.several));
        assert!(parse("").unwrap().is_none());
    }
}
