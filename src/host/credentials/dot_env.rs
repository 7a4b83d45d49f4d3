//! Laravel's `.env`. A value made of other variables is not known without evaluating it, so it is no value here.

use super::{Parsed, Password, SiteAccount, assignments, unquoted};
use crate::text::percent_decoded;

/// What is read; everything else may be made of variables.
const KEYS: &[&str] = &[
    "DB_CONNECTION",
    "DB_DATABASE",
    "DB_NAME",
    "DB_USERNAME",
    "DB_USER",
    "DB_PASSWORD",
    "DB_HOST",
    "DB_PORT",
    "DB_SOCKET",
    "DB_URL",
    "DATABASE_URL",
];

/// `DB_DATABASE`, `DB_USERNAME`, `DB_PASSWORD`, `DB_HOST`, `DB_PORT`, `DB_SOCKET`, the last of each (Bedrock says `DB_NAME` and `DB_USER`), or Symfony's `DATABASE_URL`.
/// Nothing where the site uses another kind of database.
///
/// # Errors
/// A reason, for a value made of other variables.
pub fn parse(text: &str) -> Parsed {
    let mut account = SiteAccount::default();
    let (mut port, mut socket, mut address) = (None, None, None);
    let mut unknown: Vec<&str> = Vec::new();
    for (key, raw) in assignments(text) {
        if !KEYS.contains(&key) {
            continue;
        }
        unknown.retain(|other| *other != key);
        let Some(value) = value(raw) else {
            unknown.push(key);
            continue;
        };
        match key {
            "DB_DATABASE" | "DB_NAME" => account.schema = value,
            "DB_USERNAME" | "DB_USER" => account.user = value,
            "DB_PASSWORD" => account.password = Password::new(value),
            "DB_HOST" => account.host = Some(value),
            "DB_PORT" => port = Some(value),
            "DB_SOCKET" => socket = Some(value),
            "DB_URL" | "DATABASE_URL" => address = Some(value).filter(|value| !value.is_empty()),
            // Another kind of database is not ours.
            _ if !matches!(value.to_ascii_lowercase().as_str(), "mysql" | "mariadb" | "") => return Ok(None),
            _ => {}
        }
    }
    // Where an address says it all the others are not asked.
    let asked = |key: &&&str| address.is_none() || **key == "DATABASE_URL" || **key == "DB_URL";
    if let Some(key) = unknown.iter().find(asked) {
        return Err(format!("{key} is made of other variables").into());
    }
    if let Some(address) = address {
        return url(&address);
    }
    if let Some(socket) = socket.filter(|socket| !socket.is_empty()) {
        account.host = Some(format!("localhost:{socket}"));
    } else if let (Some(host), Some(port)) = (&mut account.host, port)
        && port != "3306"
    {
        *host = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    }
    Ok(Some(account).filter(|account| !account.schema.is_empty()))
}

/// `mysql://user:password@host:3306/schema?serverVersion=…`, its parts percent-encoded.
fn url(text: &str) -> Parsed {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(None) };
    if !matches!(scheme, "mysql" | "mysql2" | "mariadb" | "pdo-mysql") {
        return Ok(None);
    }
    let (place, path) = rest.split_once('/').ok_or("the address of the database names no schema")?;
    let (account, host) = place.rsplit_once('@').unwrap_or(("", place));
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    let decoded = |text: &str| {
        let (plain, is_whole) = percent_decoded(text.as_bytes());
        let plain = String::from_utf8(plain).ok().filter(|_| is_whole);
        plain.ok_or("the address of the database is badly encoded")
    };
    let schema = decoded(path.split(['?', '#']).next().unwrap_or_default())?;
    let account = SiteAccount {
        schema,
        user: decoded(user)?,
        password: Password::new(decoded(password)?),
        host: Some(decoded(host)?).filter(|host| !host.is_empty()),
        ..SiteAccount::default()
    };
    Ok(Some(account).filter(|account| !account.schema.is_empty()))
}

/// Every key with its value, in order; `None` for a value that is made of others.
pub fn all(text: &str) -> Vec<(String, Option<String>)> {
    assignments(text).map(|(key, raw)| (key.to_owned(), value(raw))).collect()
}

/// `None` for a value that holds `${…}`.
fn value(raw: &str) -> Option<String> {
    let refers = |text: &str| text.contains("${");
    match raw.chars().next() {
        Some('\'') => Some(raw[1..].split('\'').next().unwrap_or_default().to_owned()),
        Some('"') => {
            let mut value = String::new();
            let mut letters = raw[1..].chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => break,
                    '\\' => match letters.next() {
                        Some('n') => value.push('\n'),
                        Some('r') => value.push('\r'),
                        Some('t') => value.push('\t'),
                        other => value.extend(other),
                    },
                    '$' if letters.as_str().starts_with('{') => return None,
                    other => value.push(other),
                }
            }
            Some(value)
        }
        Some('#') => Some(String::new()),
        _ => Some(unquoted(raw).to_owned()).filter(|value| !refers(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_file_is_read_as_laravel_reads_it() {
        let account = parse(
            "APP_NAME=\"${X}\"\r\nDB_CONNECTION=mysql\r\nDB_HOST=127.0.0.1\r\nDB_PORT=3307\r\n#DB_DATABASE=old\r\nDB_DATABASE=site # the one\r\nexport DB_USERNAME='u'\r\nDB_PASSWORD=\"a b#\\\"c\\\\\"\r\n",
        )
        .unwrap()
        .unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("site", "u"));
        assert_eq!((account.password.reveal(), account.host.as_deref()), ("a b#\"c\\", Some("127.0.0.1:3307")));
        let socket = parse("DB_DATABASE=s\nDB_HOST=x\nDB_PORT=1\nDB_SOCKET=/run/x.sock\n").unwrap().unwrap();
        assert_eq!(socket.host.as_deref(), Some("localhost:/run/x.sock"));
        let six = parse("DB_DATABASE=s\nDB_HOST=::1\nDB_PORT=3307\n").unwrap().unwrap();
        assert_eq!(six.host.as_deref(), Some("[::1]:3307"));
        assert_eq!(parse("DB_DATABASE=s\nDB_PASSWORD=# none\n").unwrap().unwrap().password.reveal(), "");
    }

    #[test]
    fn nothing_is_evaluated_and_what_would_need_it_is_not_known() {
        let account = parse("DB_DATABASE=s\nDB_PASSWORD='${X}$(id)`id`'\n").unwrap().unwrap();
        assert_eq!(account.password.reveal(), "${X}$(id)`id`");
        let account = parse("DB_DATABASE=s\nDB_PASSWORD=$(id)`id`<?php x()?>\n").unwrap().unwrap();
        assert_eq!(account.password.reveal(), "$(id)`id`<?php x()?>");
        assert!(parse("DB_DATABASE=s\nDB_PASSWORD=\"${SECRET}\"\n").is_err());
        assert!(parse("DB_DATABASE=s\nDB_PASSWORD=${SECRET}\n").is_err());
        let other = "DB_PREFIX=${APP_NAME}_\nDB_LOG_DATABASE=\"${DB_DATABASE}_log\"\nDB_CONNECTION=MySQL\nDB_NAME=s\nDB_USER=u\n";
        let account = parse(other).unwrap().unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("s", "u"));
        assert!(parse("DB_PASSWORD=${X}\nDATABASE_URL=mysql://u:p@localhost/s\n").unwrap().is_some());
        assert!(parse("DB_CONNECTION=pgsql\nDB_DATABASE=s\n").unwrap().is_none());
        assert!(parse("DB_USERNAME=u\n").unwrap().is_none());
    }

    #[test]
    fn an_address_is_read_as_symfony_reads_it() {
        let text = "DATABASE_URL=\"mysql://us%40er:p%3Aw%2F@127.0.0.1:3307/si_te?serverVersion=10.11-MariaDB&charset=utf8mb4\"\n";
        let account = parse(text).unwrap().unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("si_te", "us@er"));
        assert_eq!((account.password.reveal(), account.host.as_deref()), ("p:w/", Some("127.0.0.1:3307")));
        assert!(parse("DATABASE_URL=postgresql://u:p@h/s\n").unwrap().is_none());
        assert!(parse("DATABASE_URL=sqlite:///%kernel.project_dir%/var/data.db\n").unwrap().is_none());
        for bad in ["mysql://u:p@h", "mysql://u:%zz@h/s", "mysql://u:%f@h/s"] {
            assert!(parse(&format!("DATABASE_URL={bad}\n")).is_err(), "{bad}");
        }
    }
}
