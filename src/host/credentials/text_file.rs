//! `DOMAIN_WITH_UNDERSCORES.txt`: lines `Database: x`, `Username: y`, `Password: z`. The value is the rest of the line.

use super::{Parsed, Password, SiteAccount};

/// The account such a text names.
///
/// # Errors
/// A reason, for half an account.
pub fn parse(text: &str) -> Parsed {
    let mut account = SiteAccount::default();
    for (key, value) in lines(text) {
        match key.as_str() {
            "database" => account.schema = value.to_owned(),
            "username" | "user" => account.user = value.to_owned(),
            "password" => account.password = Password::new(value),
            "host" => account.host = Some(value.to_owned()),
            _ => {}
        }
    }
    account.whole()
}

/// The domain that such a text says it is for.
pub fn domain(text: &str) -> Option<String> {
    lines(text).find(|(key, _)| key == "domain").map(|(_, value)| value.to_owned())
}

fn lines(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        Some((key.trim().to_ascii_lowercase(), value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_line_is_the_value_whatever_it_holds() {
        let account = parse(
            "Domain: x.example\r\n# Password: old\r\nDatabase: site\r\n USERNAME : u\r\nPassword: p:q'\"#$(id)`id`\r\nHost: localhost:/run/x.sock\r\n",
        )
        .unwrap()
        .unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("site", "u"));
        assert_eq!(account.password.reveal(), "p:q'\"#$(id)`id`");
        assert_eq!(account.host.as_deref(), Some("localhost:/run/x.sock"));
        assert_eq!(domain("# Domain: old\r\n domain: X.example\r\n").as_deref(), Some("X.example"));
        assert!(parse("Username: u\nPassword: p\n").is_err());
        assert!(parse("").unwrap().is_none() && domain("").is_none());
    }
}
