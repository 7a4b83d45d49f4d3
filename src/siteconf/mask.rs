//! Secrets of configuration files, hidden before anything of them is shown. Pure.
//!
//! Whatever follows a word that looks like the name of a secret is hidden up to the end of its setting; when in doubt, too much.
//! Lines stay lines, so that two versions of a file can be compared as they are and shown masked.

use super::Item;

/// What stands for what is hidden.
pub const HIDDEN: &str = "***";

/// Parts of names that tell a secret.
const SECRET: &[&str] = &[
    "pass",
    "pwd",
    "secret",
    "key",
    "token",
    "auth",
    "cred",
    "salt",
    "dsn",
    "private",
    "bearer",
    "signature",
    "cookie",
];
/// Names that contain such a part and tell none.
const HARMLESS: &[&str] = &[
    "fastcgi_pass",
    "proxy_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "memcached_pass",
    "proxy_pass_header",
    "fastcgi_pass_header",
    "proxy_pass_request_headers",
    "fastcgi_pass_request_headers",
    "ssl_certificate_key",
    "fastcgi_cache_key",
    "proxy_cache_key",
    "auth_basic_user_file",
];

/// The lines of the file with every secret hidden; as many as it has.
pub fn masked(item: Item, text: &str) -> Vec<String> {
    let mut masker = Masker { item, open: None, block: false };
    text.lines().map(|line| masker.line(line)).collect()
}

struct Masker {
    item: Item,
    /// Inside a hidden setting of nginx that goes on: its quote, if one is open.
    open: Option<Option<char>>,
    /// Inside a PEM block.
    block: bool,
}

impl Masker {
    fn line(&mut self, line: &str) -> String {
        let trimmed = line.trim();
        let begins = trimmed.starts_with("-----BEGIN ");
        if begins || self.block {
            self.block = !trimmed.contains("-----END ");
            return HIDDEN.into();
        }
        if let Some(quote) = self.open {
            return match self.end_of_setting(line, quote) {
                Some(end) => format!("{HIDDEN}{}", &line[end..]),
                None => HIDDEN.into(),
            };
        }
        let Some(from) = self.secret_from(line) else { return without_user_info(line) };
        let shown = without_user_info(&line[..from]);
        let end = if self.item == Item::Nginx { self.end_of_setting(&line[from..], None) } else { None };
        match end {
            Some(end) => format!("{shown} {HIDDEN}{}", &line[from + end..]),
            None => format!("{shown} {HIDDEN}"),
        }
    }

    /// Where what is to be hidden begins.
    fn secret_from(&self, line: &str) -> Option<usize> {
        if self.item == Item::PhpFpm
            && line.trim_start().to_ascii_lowercase().starts_with("env[")
            && let Some(at) = line.find('=')
        {
            return Some(at + 1);
        }
        let mut words = words(line).peekable();
        while let Some((at, word)) = words.next() {
            if names_secret(word) {
                return Some(at + word.len());
            }
            if self.item == Item::Cron {
                // mysql -pSECRET, curl -u user:SECRET
                if let Some(flag) = word.strip_prefix("-p").filter(|rest| !rest.is_empty() && !rest.starts_with('-')) {
                    return Some(at + word.len() - flag.len());
                }
                if matches!(word, "-p" | "-u" | "--user" | "--proxy-user") && words.peek().is_some() {
                    return Some(at + word.len());
                }
            }
        }
        None
    }

    /// The end of a setting of nginx, at a `;` or brace outside quotes; notes when the setting goes on.
    fn end_of_setting(&mut self, rest: &str, mut quote: Option<char>) -> Option<usize> {
        let mut escaped = false;
        for (at, letter) in rest.char_indices() {
            match (quote, letter) {
                _ if escaped => escaped = false,
                (_, '\\') => escaped = true,
                (Some(open), _) if open == letter => quote = None,
                (None, '"' | '\'') => quote = Some(letter),
                (None, ';' | '{' | '}') => {
                    self.open = None;
                    // What follows on the line may be the next secret.
                    let rest_is_plain = self.secret_from(&rest[at..]).is_none();
                    return rest_is_plain.then_some(at);
                }
                _ => {}
            }
        }
        self.open = Some(quote);
        None
    }
}

fn names_secret(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let is_file = [".pem", ".key", ".crt", ".sock"].iter().any(|ending| lower.ends_with(ending));
    let tells = SECRET.iter().any(|part| lower.contains(part)) || lower.split(['_', '-', '.']).any(|part| part == "pw");
    tells && !is_file && !HARMLESS.contains(&lower.as_str())
}

/// Words of letters, digits, `_`, `-` and their places.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let inside = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    line.split(move |letter: char| !inside(letter)).filter(|word| !word.is_empty()).map(move |word| {
        // The word is a part of the line.
        (word.as_ptr() as usize - line.as_ptr() as usize, word)
    })
}

/// `scheme://user:password@host` without the user and the password.
fn without_user_info(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end =
            after.find(|letter: char| letter.is_whitespace() || "/\"'`;<>".contains(letter)).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(user_end) => {
                shown.push_str(HIDDEN);
                &after[user_end..]
            }
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_looks_like_a_secret_is_left() {
        let cases = [
            (Item::PhpFpm, "env[ANYTHING] = hunter2"),
            (Item::PhpFpm, "  ENV[x]=hunter2 ; comment"),
            (Item::PhpFpm, "php_admin_value[mysqli.default_pw] = hunter2"),
            (Item::PhpFpm, "php_value[session.save_path] = \"tcp://127.0.0.1:6379?auth=hunter2\""),
            (Item::PhpFpm, "; the old password was hunter2"),
            (Item::Nginx, "fastcgi_param DB_PASSWORD hunter2;"),
            (Item::Nginx, "  proxy_set_header Authorization \"Bearer hunter2\";"),
            (Item::Nginx, "set $api_key 'hunter2';"),
            (Item::Nginx, "set $a b; set $secret hunter2; set $c d;"),
            (Item::Nginx, "set $secret x; set $token hunter2;"),
            (Item::Nginx, "proxy_pass http://user:hunter2@10.0.0.1/x;"),
            (Item::Nginx, "set $token \"one\nhunter2\ntwo\";"),
            (Item::Nginx, "set $token\n  hunter2;"),
            (Item::Nginx, "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"),
            (Item::Cron, "MYSQL_PWD=hunter2"),
            (Item::Cron, "* * * * * root mysqldump -u root -phunter2 shop"),
            (Item::Cron, "* * * * * root mysql --password=hunter2 shop"),
            (Item::Cron, "* * * * * root curl -u me:hunter2 https://a.com"),
            (Item::Cron, "* * * * * root curl https://me:hunter2@a.com/x"),
            (Item::Cron, "* * * * * root curl 'https://a.com/?token=hunter2'"),
        ];
        for (item, text) in cases {
            let shown = masked(item, text);
            assert_eq!(shown.len(), text.lines().count(), "{text}");
            assert!(!shown.join("\n").contains("hunter2"), "{text}: {shown:?}");
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        for (item, text) in [
            (Item::Nginx, "fastcgi_pass unix:/run/php/php8.2-fpm.sock;"),
            (Item::Nginx, "ssl_certificate_key /etc/letsencrypt/live/a/privkey.pem;"),
            (Item::Nginx, "server_name a.com www.a.com;"),
            (Item::PhpFpm, "pm.max_children = 5"),
            (Item::Cron, "*/5 * * * * www-data php /var/www/a/wp-cron.php >/dev/null 2>&1"),
        ] {
            assert_eq!(masked(item, text), [text]);
        }
        assert_eq!(
            masked(Item::Nginx, "set $token \"a\nb\"; listen 80;\nlisten 81;")[1..],
            ["***; listen 80;", "listen 81;"]
        );
    }

    #[test]
    fn any_text_keeps_its_lines() {
        proptest::proptest!(|(text in "(.|\n){0,200}")| {
            for item in Item::ALL {
                proptest::prop_assert_eq!(masked(item, &text).len(), text.lines().count());
            }
        });
    }
}
