//! Who may speak to the database: the administrator, and each site's own account. All files are parsed, never evaluated, and no
//! password gets into an error or a log.
//!
//! What the administrator's files say of a site ([`administrator`]) is final. What a site's own files say ([`claims`]) is a
//! tenant's claim; [`crate::host::site_database`] judges it.

pub mod administrator;
pub mod claims;
mod conf_file;
pub mod dot_env;
mod drupal;
pub mod endpoint;
mod joomla;
mod option_file;
pub mod php;
pub mod rewrite;
mod text_file;
pub mod wp_config;

use crate::config::Config;
use crate::config::administrator_file;
use crate::error::{Code, Error, Result};
use crate::text::printable;
use std::fmt;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Largest file that is read for an account.
const MAX_FILE: u64 = 1 << 20;

/// A file's account, nothing, or the reason why neither can be told.
type Parsed = std::result::Result<Option<SiteAccount>, Unclear>;
/// A program's reading of a file.
type Parser = fn(&str) -> Parsed;

/// Why a file that is about a database names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// As part of a sentence; of a claim with its file.
    pub why: String,
    /// It names several, of which only running it could tell the one that counts.
    pub several: bool,
}

impl Unclear {
    fn several(why: impl Into<String>) -> Unclear {
        Unclear { why: why.into(), several: true }
    }

    /// Of a name that has two values; of a secret neither is shown.
    fn twice(name: &str, secret: bool, one: &str, other: &str) -> Unclear {
        let both = match secret {
            true => String::new(),
            false => format!(", as {} and as {}", printable(one), printable(other)),
        };
        Unclear::several(format!("{name} is defined twice{both}: only running PHP could tell which counts"))
    }
}

impl From<String> for Unclear {
    fn from(why: String) -> Unclear {
        Unclear { why, several: false }
    }
}

impl From<&str> for Unclear {
    fn from(why: &str) -> Unclear {
        Unclear::from(why.to_owned())
    }
}

impl fmt::Display for Unclear {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.why)
    }
}

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

/// A password; its `Debug` form shows nothing, and its memory is wiped when it goes. (What the database client makes of it for a
/// connection is its own.)
#[derive(Clone, PartialEq, Eq, Default, Zeroize, ZeroizeOnDrop)]
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
#[derive(Debug, Clone, Default)]
pub struct SiteAccount {
    /// The site's schema.
    pub schema: String,
    /// User.
    pub user: String,
    /// Password; empty: none, or not told.
    pub password: Password,
    /// Where the site connects to, when its configuration says so: `localhost`, `host:3307`, `localhost:/socket`. Nothing connects
    /// there: it is only compared with the server of restore.toml.
    pub host: Option<String>,
    /// The file it was read from.
    pub source: PathBuf,
}

impl SiteAccount {
    /// An account as an administrator's file has it: whole, or not there at all.
    fn whole(self) -> Parsed {
        match (self.schema.is_empty(), self.user.is_empty()) {
            (false, false) => Ok(Some(self)),
            (true, true) => Ok(None),
            (false, true) => Err("names a database and no user".into()),
            (true, false) => Err("names a user and no database".into()),
        }
    }
}

/// Where the server of restore.toml listens.
pub fn endpoint_of(config: &Config) -> Endpoint {
    let mysql = &config.mysql;
    if mysql.host.is_empty() {
        Endpoint::Socket(mysql.socket.clone())
    } else {
        Endpoint::Tcp { host: mysql.host.clone(), port: mysql.port }
    }
}

/// The administrator's account: the option file of restore.toml, `base/config/mysql_root.cnf`, or root over the socket.
///
/// # Errors
/// `credentials_missing` when a named file cannot be read.
pub fn admin(config: &Config) -> Result<AdminAccount> {
    let mysql = &config.mysql;
    let mut account =
        AdminAccount { user: "root".into(), password: Password::default(), endpoint: endpoint_of(config) };
    let named = !mysql.admin_defaults_file.as_os_str().is_empty();
    let file = if named { mysql.admin_defaults_file.clone() } else { config.paths.config().join("mysql_root.cnf") };
    match read(&file)? {
        Some(text) => option_file::parse(&text, &mut account),
        None if named => {
            return Err(Error::new(Code::CredentialsMissing, format!("{} does not exist", file.display()))
                .with("path", file.display().to_string()));
        }
        None => {}
    }
    Ok(account)
}

/// The schema that a configuration in a backup names: which of its dumps is the site's. Nothing connects there.
pub fn schema_named(file: &[u8], text: &str) -> Option<String> {
    let parsed = match file {
        b"wp-config.php" => wp_config::parse(text),
        b".env" => dot_env::parse(text),
        b"configuration.php" => joomla::parse(text),
        _ => return None,
    };
    parsed.ok().flatten().map(|account| account.schema).filter(|schema| !schema.is_empty())
}

/// The prefix of tables that a `wp-config.php` names.
pub fn table_prefix(text: &str) -> Option<String> {
    wp_config::table_prefix(text)
}

/// `KEY=…`, `export KEY=…` with the value as it stands; comments are left out.
fn assignments(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().map(str::trim).filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (key, raw) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        Some((key.trim(), raw.trim()))
    })
}

/// A value without quotes ends before ` #`.
fn unquoted(raw: &str) -> &str {
    raw.split(" #").next().unwrap_or_default().trim_end()
}

/// Reads a file of the administrator's. `None` when there is none.
fn read(path: &Path) -> Result<Option<Zeroizing<String>>> {
    administrator_file::read(path, Code::CredentialsMissing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_that_others_may_write_is_nobodys_word() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.conf");
        std::fs::write(&file, "\u{feff}MYSQL_DB_NAME=a\n").unwrap();
        let set = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        for (mode, good) in [(0o600, true), (0o644, true), (0o620, false), (0o602, false), (0o666, false)] {
            set(mode);
            match read(&file) {
                Ok(text) => assert!(good && text.unwrap().starts_with("MYSQL_"), "{mode:o}"),
                Err(error) => assert!(!good && error.hint.contains("chmod 600"), "{mode:o}"),
            }
        }
        set(0o600);
        std::os::unix::fs::chown(&file, Some(1000), None).unwrap();
        assert_eq!(read(&file).unwrap_err().code, Code::CredentialsMissing);
        assert!(read(&folder.path().join("none")).unwrap().is_none());
        assert_eq!(read(folder.path()).unwrap_err().code, Code::CredentialsMissing);
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
