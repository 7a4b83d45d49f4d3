//! Who may speak to the database: the administrator, and each site's own account. All files are
//! parsed, never evaluated, and no password gets into an error or a log.

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use std::fmt;
use std::path::{Path, PathBuf};

const MAX_FILE: u64 = 1 << 20;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Unix socket.
    Socket(PathBuf),
    /// TCP.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Socket(path) => write!(out, "{}", path.display()),
            Endpoint::Tcp { host, port } => write!(out, "{host}:{port}"),
        }
    }
}

/// A password; its `Debug` form shows nothing.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Password {
        Password(text.into())
    }

    /// The password itself, for the connection only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// An administrator's account.
#[derive(Debug, Clone)]
pub struct AdminAccount {
    /// User.
    pub user: String,
    /// Password; empty: by the socket's peer.
    pub password: Password,
    /// Where.
    pub endpoint: Endpoint,
}

/// A site's own account.
#[derive(Debug, Clone)]
pub struct SiteAccount {
    /// The site's schema.
    pub schema: String,
    /// User.
    pub user: String,
    /// Password.
    pub password: Password,
    /// Where the site connects to, when its configuration says so: `localhost`, `host:3307`, `localhost:/socket`.
    pub host: Option<String>,
    /// The file it was read from.
    pub source: PathBuf,
}

/// The administrator's account: the option file of restore.toml, `base/config/mysql_root.cnf`, or root over the socket.
///
/// # Errors
/// `credentials_missing` when a named file cannot be read.
pub fn admin(config: &Config) -> Result<AdminAccount> {
    let mysql = &config.mysql;
    let endpoint = if mysql.host.is_empty() {
        Endpoint::Socket(mysql.socket.clone())
    } else {
        Endpoint::Tcp { host: mysql.host.clone(), port: mysql.port }
    };
    let mut account = AdminAccount { user: "root".into(), password: Password::default(), endpoint };
    let named = !mysql.admin_defaults_file.as_os_str().is_empty();
    let file = if named { mysql.admin_defaults_file.clone() } else { config.paths.config().join("mysql_root.cnf") };
    match read(&file)? {
        Some(text) => option_file(&text, &mut account),
        None if named => {
            return Err(Error::new(Code::CredentialsMissing, format!("{} does not exist", file.display()))
                .with("path", file.display().to_string()));
        }
        None => {}
    }
    Ok(account)
}

/// `[client]`, `[mysql]` and `[mariadb-client]` sections of a client option file. Socket and host come
/// from restore.toml, which is where an installation says which server it means.
fn option_file(text: &str, account: &mut AdminAccount) {
    let mut ours = false;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            ours = matches!(section, "client" | "mysql" | "client-mariadb" | "mariadb-client" | "client-server");
        } else if ours && !line.starts_with(['#', ';']) {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = option_value(value.trim());
            match key.trim() {
                "user" => account.user = value,
                "password" => account.password = Password(value),
                _ => {}
            }
        }
    }
}

/// Quotes are taken off; outside of them ` #` begins a comment; escapes as the client programs read them.
fn option_value(raw: &str) -> String {
    let quoted = raw
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))
        .and_then(|quote| raw[1..].rfind(quote).map(|end| &raw[1..1 + end]));
    let inner = quoted.unwrap_or_else(|| raw.split(" #").next().unwrap_or_default().trim_end());
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

type Parser = fn(&str) -> Option<SiteAccount>;

/// A site's own account, from the first file that names one: the installation's credentials, then the
/// site's `wp-config.php`, then its `.env`.
///
/// # Errors
/// `credentials_missing` naming the files that were looked at.
pub fn site(config: &Config, domain: &Domain, document_root: &Path) -> Result<SiteAccount> {
    let folder = config.paths.config().join("database_credentials");
    let sources: [(PathBuf, Parser); 7] = [
        (folder.join(format!("{domain}.conf")), conf_file),
        (folder.join(format!("{}.conf", domain.underscored())), conf_file),
        (folder.join(format!("{}.txt", domain.underscored())), text_file),
        (folder.join(format!("{domain}.txt")), text_file),
        (document_root.join("wp-config.php"), wp_config),
        // WordPress itself looks one folder up, but that folder holds every site here: never taken.
        (document_root.join(".env"), dot_env),
        (document_root.join("public/wp-config.php"), wp_config),
    ];
    let mut looked = Vec::new();
    for (path, parse) in sources {
        let Some(text) = read(&path)? else {
            looked.push(path.display().to_string());
            continue;
        };
        match parse(&text).filter(|account| !account.schema.is_empty() && !account.user.is_empty()) {
            Some(account) => return Ok(SiteAccount { source: path, ..account }),
            None => looked.push(path.display().to_string()),
        }
    }
    Err(Error::new(Code::CredentialsMissing, format!("no database account of {domain} is known"))
        .hint(format!(
            "Write {}/{domain}.conf with MYSQL_DB_NAME=, MYSQL_DB_USER= and MYSQL_DB_PASSWORD=.",
            folder.display()
        ))
        .with("looked_at", looked))
}

/// The text of a wp-config.php, as in a staged tree; `None` if it names no database.
pub fn wp_config(text: &str) -> Option<SiteAccount> {
    let mut account = blank();
    for (name, value) in php_defines(text) {
        match name.as_str() {
            "DB_NAME" => account.schema = value,
            "DB_USER" => account.user = value,
            "DB_PASSWORD" => account.password = Password(value),
            "DB_HOST" => account.host = Some(value),
            _ => {}
        }
    }
    (!account.schema.is_empty()).then_some(account)
}

fn blank() -> SiteAccount {
    SiteAccount {
        schema: String::new(),
        user: String::new(),
        password: Password::default(),
        host: None,
        source: PathBuf::new(),
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    // A site's own files are a tenant's: links are not followed and the size is bounded.
    let flags = rustix::fs::OFlags::RDONLY
        | rustix::fs::OFlags::CLOEXEC
        | rustix::fs::OFlags::NOFOLLOW
        | rustix::fs::OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, rustix::fs::Mode::empty()) {
        Ok(file) => std::fs::File::from(file),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => return Ok(None),
        Err(error) => {
            return Err(Error::new(Code::CredentialsMissing, format!("cannot read {}: {error}", path.display()))
                .with("path", path.display().to_string()));
        }
    };
    let regular = file.metadata().is_ok_and(|facts| facts.is_file());
    let mut bytes = Vec::new();
    if !regular || std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_FILE), &mut bytes).is_err() {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn conf_file(text: &str) -> Option<SiteAccount> {
    let mut account = blank();
    for (key, value) in assignments(text) {
        match key {
            "MYSQL_DB_NAME" | "DB_NAME" => account.schema = value,
            "MYSQL_DB_USER" | "DB_USER" => account.user = value,
            "MYSQL_DB_PASSWORD" | "DB_PASSWORD" | "DB_PASS" => account.password = Password(value),
            "MYSQL_DB_HOST" | "DB_HOST" => account.host = Some(value),
            _ => {}
        }
    }
    Some(account)
}

fn text_file(text: &str) -> Option<SiteAccount> {
    let mut account = blank();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim().to_owned();
        match key.trim().to_ascii_lowercase().as_str() {
            "database" => account.schema = value,
            "username" | "user" => account.user = value,
            "password" => account.password = Password(value),
            "host" => account.host = Some(value),
            _ => {}
        }
    }
    Some(account)
}

fn dot_env(text: &str) -> Option<SiteAccount> {
    let mut account = blank();
    let mut port = None;
    for (key, value) in assignments(text) {
        match key {
            "DB_DATABASE" => account.schema = value,
            "DB_USERNAME" => account.user = value,
            "DB_PASSWORD" => account.password = Password(value),
            "DB_HOST" => account.host = Some(value),
            "DB_PORT" => port = Some(value),
            _ => {}
        }
    }
    if let (Some(host), Some(port)) = (&mut account.host, port)
        && port != "3306"
    {
        host.push(':');
        host.push_str(&port);
    }
    Some(account)
}

/// `KEY=value`, `export KEY="value"`, `KEY='value' # comment`.
fn assignments(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (key, raw) = line.split_once('=')?;
        let raw = raw.trim();
        let value = match raw.chars().next() {
            Some('\'') => raw[1..].split('\'').next()?.to_owned(),
            Some('"') => {
                let mut value = String::new();
                let mut letters = raw[1..].chars();
                while let Some(letter) = letters.next() {
                    match letter {
                        '"' => break,
                        '\\' => value.extend(letters.next()),
                        other => value.push(other),
                    }
                }
                value
            }
            _ => raw.split(" #").next()?.trim_end().to_owned(),
        };
        (!key.trim_start().starts_with('#')).then_some((key.trim(), value))
    })
}

/// `define('NAME', 'value')` of PHP text outside of comments and strings.
fn php_defines(text: &str) -> Vec<(String, String)> {
    let bytes = text.as_bytes();
    let mut tokens: Vec<PhpToken> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let find = |mark: &[u8]| memchr::memmem::find(rest, mark);
        match bytes[at] {
            b'#' if !rest.starts_with(b"#[") => at += find(b"\n").unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"//") => at += find(b"\n").unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => at += find(b"*/").map_or(rest.len(), |end| end + 2),
            quote @ (b'\'' | b'"') => {
                let mut value = Vec::new();
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    if bytes[at] == b'\\' && bytes.get(at + 1).is_some_and(|next| *next == quote || *next == b'\\') {
                        at += 1;
                    }
                    value.push(bytes[at]);
                    at += 1;
                }
                at += 1;
                // A variable inside of double quotes cannot be known without running it.
                let known = quote == b'\'' || !value.contains(&b'$');
                tokens.push(if known {
                    PhpToken::Text(String::from_utf8_lossy(&value).into_owned())
                } else {
                    PhpToken::Other
                });
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                tokens.push(PhpToken::Word(String::from_utf8_lossy(&rest[..length]).to_ascii_lowercase()));
                at += length;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            byte => {
                tokens.push(PhpToken::Sign(byte));
                at += 1;
            }
        }
    }
    tokens
        .windows(6)
        .filter_map(|window| match window {
            [
                PhpToken::Word(word),
                PhpToken::Sign(b'('),
                PhpToken::Text(name),
                PhpToken::Sign(b','),
                PhpToken::Text(value),
                PhpToken::Sign(b')'),
            ] if word == "define" => Some((name.clone(), value.clone())),
            _ => None,
        })
        .collect()
}

#[derive(Debug)]
enum PhpToken {
    Word(String),
    Text(String),
    Sign(u8),
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wp_config_is_parsed_not_evaluated() {
        let text = r#"<?php
            // define('DB_NAME', 'old');
            /* define('DB_USER', 'old'); */
            define( 'DB_NAME', 'site' );
            define("DB_USER", "us'er");
            define('DB_PASSWORD', 'p\'a\\ss"w#//');
            define('DB_HOST', 'localhost:/run/x.sock');
            define('AUTH_KEY', getenv('X'));"#;
        let account = wp_config(text).unwrap();
        assert_eq!((account.schema.as_str(), account.user.as_str()), ("site", "us'er"));
        assert_eq!(account.password.reveal(), "p'a\\ss\"w#//");
        assert_eq!(account.host.as_deref(), Some("localhost:/run/x.sock"));
        assert!(wp_config("<?php define('DB_NAME', getenv('DB'));").is_none());
        assert!(wp_config("<?php define('DB_NAME', \"$x\");").is_none());
    }

    #[test]
    fn the_first_file_that_names_an_account_wins() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("site");
        let credentials = folder.path().join("config/database_credentials");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(&credentials).unwrap();
        let config = Config::parse(&format!("[paths]\nbase = {:?}", folder.path())).unwrap();
        let domain = Domain::parse("a-b.example").unwrap();
        let found = || site(&config, &domain, &root);
        assert_eq!(found().unwrap_err().code, Code::CredentialsMissing);
        std::fs::write(
            root.join(".env"),
            "APP=1\nDB_DATABASE=env\nDB_USERNAME=u\nDB_PASSWORD=\"a b#\"\nDB_HOST=127.0.0.1\nDB_PORT=3307\n",
        )
        .unwrap();
        let account = found().unwrap();
        assert_eq!((account.schema.as_str(), account.password.reveal()), ("env", "a b#"));
        assert_eq!(account.host.as_deref(), Some("127.0.0.1:3307"));
        std::fs::write(credentials.join("a_b_example.txt"), "Database: txt\nUsername: u\nPassword: p:q\n").unwrap();
        assert_eq!(found().unwrap().password.reveal(), "p:q");
        std::fs::write(
            credentials.join("a-b.example.conf"),
            "MYSQL_DB_NAME=conf\nMYSQL_DB_USER='u'\nMYSQL_DB_PASSWORD=$(id)\n",
        )
        .unwrap();
        let account = found().unwrap();
        assert_eq!((account.schema.as_str(), account.password.reveal()), ("conf", "$(id)"));
    }

    #[test]
    fn a_link_planted_by_a_tenant_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "DB_DATABASE=x\nDB_USERNAME=y\n").unwrap();
        let root = folder.path().join("site");
        std::fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink(&secret, root.join(".env")).unwrap();
        let config = Config::parse(&format!("[paths]\nbase = {:?}", folder.path())).unwrap();
        assert!(site(&config, &Domain::parse("x.example").unwrap(), &root).is_err());
    }

    #[test]
    fn the_option_file_of_the_administrator_is_read_as_the_clients_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.cnf");
        std::fs::write(&file, "[mysqld]\nuser=no\n[client]\n# password=old\nuser = admin\npassword=\"a#b\\\\c\" # x\n")
            .unwrap();
        let config = Config::parse(&format!("[mysql]\nadmin_defaults_file = {file:?}")).unwrap();
        let account = admin(&config).unwrap();
        assert_eq!((account.user.as_str(), account.password.reveal()), ("admin", "a#b\\c"));
        assert!(!format!("{account:?}").contains("a#b"));
        let missing = Config::parse("[mysql]\nadmin_defaults_file = \"/nonexistent/x.cnf\"").unwrap();
        assert_eq!(admin(&missing).unwrap_err().code, Code::CredentialsMissing);
    }
}
