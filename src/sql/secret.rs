//! Values of rows that look like secrets: passwords and their hashes, keys, tokens, sessions. When in doubt, too much is one. Pure.

/// Words within a name that tell a secret, whatever stands beside them.
const WORDS: &[&str] = &[
    "pass",
    "passwd",
    "password",
    "passwords",
    "passphrase",
    "passcode",
    "pwd",
    "pw",
    "secret",
    "secrets",
    "token",
    "tokens",
    "salt",
    "auth",
    "oauth",
    "oauth2",
    "credential",
    "credentials",
    "private",
    "cookie",
    "cookies",
    "session",
    "sessions",
    "sessid",
    "signature",
    "hash",
    "nonce",
    "otp",
    "totp",
    "hotp",
    "mfa",
    "2fa",
    "pin",
    "cvv",
    "cvc",
    "bearer",
    "dsn",
    "jwt",
    "apikey",
    "pem",
    "license",
    "licence",
    "actkey",
    "loginkey",
    "logoutkey",
    "validation",
    "matkhau",
];
/// The same within a word: `userpass`, `clientSecret`, `apitoken`.
const PARTS: &[&str] =
    &["passw", "userpass", "secret", "token", "apikey", "api_key", "privatekey", "authkey", "credential", "mat_khau"];
/// Names that have the word `key` and tell of none.
const HARMLESS: &[&str] = &[
    "key",
    "meta_key",
    "option_key",
    "sort_key",
    "primary_key",
    "foreign_key",
    "cache_key",
    "key_name",
    "config_key",
    "setting_key",
    "post_key",
    "key_id",
];
/// Words beside which `code` tells one.
const CODES: &[&str] =
    &["reset", "verification", "verify", "activation", "confirmation", "recovery", "backup", "security"];
/// Columns that name what another column of the row holds: options, settings, metadata.
const NAMING: &[&str] = &[
    "option_name",
    "meta_key",
    "name",
    "key",
    "path",
    "variable",
    "setting",
    "setting_key",
    "setting_name",
    "config_key",
    "configuration_key",
    "varname",
    "field",
    "label",
    "config_name",
    "config",
    "code",
    "slug",
    "option_key",
    "attribute",
    "property",
    "identifier",
    "type",
    "element",
];
/// With these a secret begins, wherever it stands.
const MARKS: &[&str] = &[
    "$2a$",
    "$2b$",
    "$2x$",
    "$2y$",
    "$wp$",
    "$P$",
    "$H$",
    "$S$",
    "$1$",
    "$5$",
    "$6$",
    "$argon2",
    "$pbkdf2",
    "$scrypt",
    "$y$",
    "pbkdf2_",
    "bcrypt_",
    "-----BEGIN ",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "whsec_",
    "ck_",
    "cs_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "SG.",
    "shpat_",
    "shpss_",
    "sq0csp-",
    "EAACEdEose0cBA",
    "key-",
    "base64:",
    "dp.pt.",
    "npm_",
    "pypi-",
    "hvs.",
    "sk-",
    "eyJ",
];
/// Letters and digits that follow a mark, at least.
const AFTER: usize = 16;
/// A value of as many hexadecimal digits and nothing else is a hash or a key.
const HEX: usize = 32;

/// Whether a column, an option or a field of this name holds a secret.
pub fn is_named(name: &str) -> bool {
    let lower = name.to_lowercase();
    if PARTS.iter().any(|part| lower.contains(part)) {
        return true;
    }
    let words = words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    has(WORDS)
        || (has(&["key", "keys"]) && !HARMLESS.contains(&lower.as_str()))
        || (has(&["code", "codes"]) && has(CODES))
}

/// Whether a column holds the names of what is in others.
pub fn names_others(column: &str) -> bool {
    NAMING.contains(&column.to_lowercase().as_str())
}

/// Whether the name of an option tells a secret. There `key` is one, too.
pub fn is_option(name: &str) -> bool {
    // A sentence is no name.
    name.len() <= 200 && !name.contains(' ') && (is_named(name) || words(name).iter().any(|word| word == "key"))
}

/// Whether rows of a table are secrets themselves: sessions, tokens, what resets passwords.
pub fn is_table(name: &str) -> bool {
    is_named(name)
}

/// Whether a value looks like one, or holds one.
pub fn is_value(value: &str) -> bool {
    let trimmed = value.trim();
    let is_hex = trimmed.len() >= HEX && trimmed.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex || has_mark(value) || has_user_info(value) || has_named_field(value) || has_query(value)
}

fn has_mark(value: &str) -> bool {
    MARKS.iter().any(|mark| {
        value.match_indices(mark).any(|(at, _)| {
            let is_begin = value[..at].bytes().next_back().is_none_or(|byte| !byte.is_ascii_alphanumeric());
            let follow = value[at + mark.len()..].bytes();
            let of_secret = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-.$,:".contains(byte);
            let is_pem = mark.starts_with('-');
            is_begin && (is_pem || follow.take_while(of_secret).count() >= AFTER)
        })
    })
}

/// `scheme://user:password@host`.
fn has_user_info(value: &str) -> bool {
    value.match_indices("://").any(|(at, _)| {
        let rest = &value[at + 3..];
        let authority = &rest[..rest.find(['/', '?', '#', ' ', '"', '\'', '\n']).unwrap_or(rest.len())];
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

/// `?token=…` and its like.
fn has_query(value: &str) -> bool {
    value.match_indices(['?', '&']).any(|(at, _)| {
        let rest = &value[at + 1..];
        let rest = rest.strip_prefix("amp;").unwrap_or(rest);
        let name = &rest[..rest
            .find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '-')
            .unwrap_or(rest.len())];
        rest[name.len()..].starts_with('=') && (is_named(name) || name == "key")
    })
}

/// A field of JSON, of a serialized PHP value or of a file of settings, whose name tells a secret.
fn has_named_field(value: &str) -> bool {
    let begin = value.trim_start();
    let is_structured = begin.starts_with(['{', '['])
        || [b'a', b'O', b's', b'C'].iter().any(|kind| begin.as_bytes().starts_with(&[*kind, b':']));
    let quoted = |mark: char| value.split(mark).any(|name| name.len() <= 100 && is_option(name));
    let assigned = || {
        value.lines().any(|line| {
            let name = line.split(['=', ':']).next().unwrap_or_default();
            name.len() < line.len() && !name.trim().contains(' ') && name.len() <= 100 && is_named(name.trim())
        })
    };
    (is_structured && (quoted('"') || quoted('\'') || escaped(value))) || assigned()
}

/// A structure within a text of another: `{\"secret\":…}`.
fn escaped(value: &str) -> bool {
    value.contains("\\\"") && value.split("\\\"").any(|name| name.len() <= 100 && is_option(name))
}

/// The words of a name, in small letters: `user_activation-key`, `apiKey`, `x.y/z`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        let begins = letter.is_uppercase() && was_small;
        if !letter.is_alphanumeric() || begins {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().into_iter().for_each(|word| word.extend(letter.to_lowercase()));
        }
        was_small = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for name in [
            "user_pass",
            "password",
            "passwd",
            "pwd",
            "client_secret",
            "clientSecret",
            "api_key",
            "apiKey",
            "private_key",
            "salt",
            "session_tokens",
            "user_activation_key",
            "remember_token",
            "post_password",
            "consumer_secret",
            "auth_key",
            "two_factor_secret",
            "password_hash",
            "rp_token",
            "reset_code",
            "PIN",
            "userpass",
        ] {
            assert!(is_named(name), "{name}");
        }
        for name in [
            "id",
            "post_author",
            "comment_author_email",
            "meta_key",
            "meta_value",
            "option_name",
            "post_title",
            "total",
            "coupon_code",
            "spin",
            "compass",
            "bypass_cache",
            "credit",
            "keyword",
            "monkey",
            "cache_key",
        ] {
            assert!(!is_named(name), "{name}");
        }
        for option in ["auth_key", "logged_in_salt", "recovery_keys", "akismet_key", "mailserver_pass", "wp_session_1"]
        {
            assert!(is_option(option), "{option}");
        }
        for option in ["blogname", "siteurl", "_thumbnail_id", "a key of a sentence"] {
            assert!(!is_option(option), "{option}");
        }
        assert!(is_table("sessions") && is_table("oauth_access_tokens") && is_table("wp_woocommerce_sessions"));
        assert!(!is_table("wp_posts") && !is_table("orders"));
    }

    #[test]
    fn values_that_are_secrets_are_known_wherever_they_stand() {
        for value in [
            "$2y$10$abcdefghijklmnopqrstuuv",
            "$P$Babcdefghijklmnopqrstuvwxyz12345",
            "$wp$2y$10$abcdefghijklmnopqrstuuv",
            "$argon2id$v=19$m=65536,t=4,p=1$abcdefg",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
            "my key is sk_live_51Habcdefghijklmnop, keep it",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.sig",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "https://user:hunter2@example.com/x",
            "https://example.com/?a=1&access_token=x",
            r#"{"publishable":"x","secret_key":"y"}"#,
            r#"a:2:{s:8:"username";s:1:"a";s:8:"password";s:2:"pw";}"#,
            r#"{"a":"{\"api_key\":\"x\"}"}"#,
            "smtp_password=hunter2",
            "AKIAIOSFODNN7EXAMPLEX",
        ] {
            assert!(is_value(value), "{value}");
        }
        for value in [
            "",
            "42",
            "Forgot your password? Ask us, and read about the token economy.",
            "https://example.com/?p=12&page=2",
            r#"{"width":300,"name":"x"}"#,
            "2024-01-01 10:00:00",
            "https://example.com:8080/a@b",
            "eyJ",
            "cs_CZ",
            "Nguyễn Văn A",
        ] {
            assert!(!is_value(value), "{value}");
        }
    }
}
