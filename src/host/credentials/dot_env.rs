//! Laravel's `.env`. A value made of other variables is not known without evaluating it, so it is no value here.

use super::{Password, SiteAccount, assignments, unquoted};

/// `DB_DATABASE`, `DB_USERNAME`, `DB_PASSWORD`, `DB_HOST`, `DB_PORT`, `DB_SOCKET`; the last of each counts.
pub fn parse(text: &str) -> Option<SiteAccount> {
    let mut account = SiteAccount::default();
    let (mut port, mut socket) = (None, None);
    for (key, raw) in assignments(text) {
        if !key.starts_with("DB_") {
            continue;
        }
        let value = value(raw)?;
        match key {
            "DB_DATABASE" => account.schema = value,
            "DB_USERNAME" => account.user = value,
            "DB_PASSWORD" => account.password = Password::new(value),
            "DB_HOST" => account.host = Some(value),
            "DB_PORT" => port = Some(value),
            "DB_SOCKET" => socket = Some(value),
            // Another kind of database is not ours.
            "DB_CONNECTION" if !matches!(value.as_str(), "mysql" | "mariadb" | "") => return None,
            _ => {}
        }
    }
    if let Some(socket) = socket.filter(|socket| !socket.is_empty()) {
        account.host = Some(format!("localhost:{socket}"));
    } else if let (Some(host), Some(port)) = (&mut account.host, port)
        && port != "3306"
    {
        *host = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    }
    Some(account).filter(|account| !account.schema.is_empty())
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
        .unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("site", "u"));
        assert_eq!((account.password.reveal(), account.host.as_deref()), ("a b#\"c\\", Some("127.0.0.1:3307")));
        let socket = parse("DB_DATABASE=s\nDB_HOST=x\nDB_PORT=1\nDB_SOCKET=/run/x.sock\n").unwrap();
        assert_eq!(socket.host.as_deref(), Some("localhost:/run/x.sock"));
        let six = parse("DB_DATABASE=s\nDB_HOST=::1\nDB_PORT=3307\n").unwrap();
        assert_eq!(six.host.as_deref(), Some("[::1]:3307"));
        assert_eq!(parse("DB_DATABASE=s\nDB_PASSWORD=# none\n").unwrap().password.reveal(), "");
    }

    #[test]
    fn nothing_is_evaluated_and_what_would_need_it_is_not_known() {
        let account = parse("DB_DATABASE=s\nDB_PASSWORD='${X}$(id)`id`'\n").unwrap();
        assert_eq!(account.password.reveal(), "${X}$(id)`id`");
        let account = parse("DB_DATABASE=s\nDB_PASSWORD=$(id)`id`<?php x()?>\n").unwrap();
        assert_eq!(account.password.reveal(), "$(id)`id`<?php x()?>");
        assert!(parse("DB_DATABASE=s\nDB_PASSWORD=\"${SECRET}\"\n").is_none());
        assert!(parse("DB_DATABASE=s\nDB_PASSWORD=${SECRET}\n").is_none());
        assert!(parse("DB_CONNECTION=pgsql\nDB_DATABASE=s\n").is_none());
        assert!(parse("DB_USERNAME=u\n").is_none());
    }
}
