//! The option file of the client programs: `[client]` with `user` and `password`. Socket and host come from restore.toml, which
//! is where an installation says which server it means.

use super::{AdminAccount, Password};

const SECTIONS: &[&str] = &["client", "mysql", "client-mariadb", "mariadb-client", "client-server"];

/// Takes user and password over from the text.
pub fn parse(text: &str, account: &mut AdminAccount) {
    let mut ours = false;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            ours = SECTIONS.contains(&section.trim());
        } else if ours && !line.starts_with(['#', ';', '!']) {
            let Some((key, raw)) = line.split_once('=') else { continue };
            match key.trim() {
                "user" => account.user = value(raw.trim()),
                "password" => account.password = Password::new(value(raw.trim())),
                _ => {}
            }
        }
    }
}

/// As the client programs read it: outside of quotes `#` begins a comment, quotes around the whole are taken off.
fn value(raw: &str) -> String {
    let mut quote = None;
    let mut escaped = false;
    let end = raw.char_indices().find_map(|(at, letter)| {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open && !escaped => quote = None,
            ('#', None) => return Some(at),
            _ => {}
        }
        escaped = quote.is_some() && letter == '\\' && !escaped;
        None
    });
    let raw = raw[..end.unwrap_or(raw.len())].trim_end();
    let inner = ['"', '\''].into_iter().find_map(|quote| raw.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(raw);
    let mut value = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            value.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('r') => value.push('\r'),
            Some('b') => value.push('\u{8}'),
            Some('s') => value.push(' '),
            Some(other @ ('\\' | '"' | '\'')) => value.push(other),
            Some(other) => value.extend(['\\', other]),
            None => value.push('\\'),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::credentials::Endpoint;

    fn parsed(text: &str) -> (String, String) {
        let endpoint = Endpoint::Socket("/x".into());
        let mut account = AdminAccount { user: "root".into(), password: Password::default(), endpoint };
        parse(text, &mut account);
        (account.user, account.password.reveal().to_owned())
    }

    #[test]
    fn user_and_password_of_the_clients_section_are_taken() {
        for (text, user, password) in [
            ("[client]\nuser=a\npassword=b\n", "a", "b"),
            ("[client]\r\nuser = a\r\npassword = \"b c\"\r\n", "a", "b c"),
            ("[mysqld]\nuser=no\npassword=no\n[client]\npassword=yes\n", "root", "yes"),
            ("[client]\n# password=old\n; password=old\n!include /etc/x\npassword=new # note\n", "root", "new"),
            ("[client]\npassword=\"a#b\\\\c\" # \"x\"\n", "root", "a#b\\c"),
            ("[client]\npassword='it\\'s'\n", "root", "it's"),
            ("[client]\npassword=a#b\n", "root", "a"),
            ("[client]\npassword=$(id)`id`\\s\n", "root", "$(id)`id` "),
            ("[client]\npassword\nuser\n", "root", ""),
            ("[client]\npassword=p=q\n", "root", "p=q"),
            ("user=a\npassword=b\n", "root", ""),
            ("[client\nuser=a", "a", ""),
        ] {
            assert_eq!(parsed(text), (user.to_owned(), password.to_owned()), "{text:?}");
        }
    }
}
