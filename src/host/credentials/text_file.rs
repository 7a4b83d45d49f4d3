//! `DOMAIN_WITH_UNDERSCORES.txt`: lines `Database: x`, `Username: y`, `Password: z`. The value is the rest of the line.

use super::{Password, SiteAccount};

/// The account such a text names; `None` without a database.
pub fn parse(text: &str) -> Option<SiteAccount> {
    let mut account = SiteAccount::default();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim().to_owned();
        match key.trim().to_ascii_lowercase().as_str() {
            "database" => account.schema = value,
            "username" | "user" => account.user = value,
            "password" => account.password = Password::new(value),
            "host" => account.host = Some(value),
            _ => {}
        }
    }
    Some(account).filter(|account| !account.schema.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_line_is_the_value_whatever_it_holds() {
        let account = parse(
            "Domain: x.example\r\n# Password: old\r\nDatabase: site\r\n USERNAME : u\r\nPassword: p:q'\"#$(id)`id`\r\nHost: localhost:/run/x.sock\r\n",
        )
        .unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("site", "u"));
        assert_eq!(account.password.reveal(), "p:q'\"#$(id)`id`");
        assert_eq!(account.host.as_deref(), Some("localhost:/run/x.sock"));
        assert!(parse("Username: u\nPassword: p\n").is_none());
        assert!(parse("").is_none());
    }
}
