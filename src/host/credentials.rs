//! Who may speak to the database: the administrator, and each site's own account. All files are
//! parsed, never evaluated, and no password gets into an error or a log.

mod conf_file;
mod dot_env;
mod endpoint;
mod option_file;
mod text_file;
mod wp_config;

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::database::Server;
use crate::path::Domain;
use std::fmt;
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

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
    /// Password.
    pub password: Password,
    /// Where the site connects to, when its configuration says so: `localhost`, `host:3307`, `localhost:/socket`.
    pub host: Option<String>,
    /// The file it was read from.
    pub source: PathBuf,
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

type Parser = fn(&str) -> Option<SiteAccount>;

/// What the files that may name a site's account say, in the order in which they count.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Accounts, the first one first.
    pub accounts: Vec<SiteAccount>,
    /// Files that name none, and why.
    pub without: Vec<String>,
}

/// Reads the installation's credentials, then the site's own `wp-config.php` and `.env`.
///
/// # Errors
/// `credentials_missing` when a file is there and cannot be read.
pub fn candidates(config: &Config, domain: &Domain, document_root: &Path) -> Result<Candidates> {
    let folder = config.paths.config().join("database_credentials");
    let sources: [(PathBuf, Parser); 7] = [
        (folder.join(format!("{domain}.conf")), conf_file::parse),
        (folder.join(format!("{}.conf", domain.underscored())), conf_file::parse),
        (folder.join(format!("{}.txt", domain.underscored())), text_file::parse),
        (folder.join(format!("{domain}.txt")), text_file::parse),
        (document_root.join("wp-config.php"), wp_config::parse),
        // WordPress itself looks one folder up, but that folder holds every site here: never taken.
        (document_root.join(".env"), dot_env::parse),
        (document_root.join("public/wp-config.php"), wp_config::parse),
    ];
    let mut found = Candidates::default();
    let mut seen = Vec::new();
    for (path, parse) in sources {
        if seen.contains(&path) {
            continue;
        }
        seen.push(path.clone());
        let Some(text) = read(&path)? else {
            found.without.push(format!("{} does not exist", path.display()));
            continue;
        };
        match parse(&text).filter(|account| !account.user.is_empty()) {
            Some(account) => found.accounts.push(SiteAccount { source: path, ..account }),
            None => found.without.push(format!("{} names no database account in plain words", path.display())),
        }
    }
    Ok(found)
}

/// A site's own account: the first that the server lets in, else the first that is named.
///
/// # Errors
/// `credentials_missing` naming the files that were looked at.
pub fn site(config: &Config, domain: &Domain, document_root: &Path) -> Result<SiteAccount> {
    sought(config, domain, document_root).map(|sought| sought.account)
}

/// An account and why it was taken.
#[derive(Debug)]
pub struct Sought {
    /// The account.
    pub account: SiteAccount,
    /// Accounts before it that were passed over, and why; no password is in it.
    pub passed_over: Vec<String>,
}

/// The same, with what was passed over.
///
/// # Errors
/// `credentials_missing` naming the files that were looked at.
pub fn sought(config: &Config, domain: &Domain, document_root: &Path) -> Result<Sought> {
    let found = candidates(config, domain, document_root)?;
    let ask = |account: &SiteAccount| Server::of_site(config, account)?.connect(Some(&account.schema)).map(drop);
    choose(found.accounts, ask).ok_or_else(|| {
        let folder = config.paths.config().join("database_credentials");
        Error::new(Code::CredentialsMissing, format!("no database account of {domain} is known"))
            .hint(format!(
                "Write {}/{domain}.conf with MYSQL_DB_NAME=, MYSQL_DB_USER= and MYSQL_DB_PASSWORD=.",
                folder.display()
            ))
            .with("looked_at", found.without)
    })
}

/// The first account that `ask` lets in; one that is refused is passed over. When the server itself does not answer, or no
/// account is let in, it is the first.
fn choose(accounts: Vec<SiteAccount>, ask: impl Fn(&SiteAccount) -> Result<()>) -> Option<Sought> {
    let mut passed_over = Vec::new();
    let mut first = None;
    for account in accounts {
        match ask(&account) {
            Ok(()) => return Some(Sought { account, passed_over }),
            Err(error) => {
                passed_over.push(format!("{} names {}: {}", account.source.display(), account.user, error.message));
                first.get_or_insert(account);
            }
        }
    }
    first.map(|account| Sought { account, passed_over: Vec::new() })
}

impl SiteAccount {
    /// Where this account connects to: what the site's configuration says, else `default`.
    ///
    /// # Errors
    /// `credentials_missing` for a host that is none.
    pub fn endpoint(&self, default: &Endpoint) -> Result<Endpoint> {
        let Some(host) = &self.host else { return Ok(default.clone()) };
        endpoint::parse(host, default).ok_or_else(|| {
            let shown = crate::host::text::printable(host);
            Error::new(
                Code::CredentialsMissing,
                format!("{}: the host {shown} is no host, host:port or host:/socket", self.source.display()),
            )
            .with("path", self.source.display().to_string())
        })
    }
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

fn read(path: &Path) -> Result<Option<Zeroizing<String>>> {
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
    let mut bytes = Zeroizing::new(Vec::new());
    if !regular || std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_FILE), &mut bytes).is_err() {
        return Ok(None);
    }
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    // An editor's byte order mark is no part of the first word.
    Ok(Some(Zeroizing::new(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn account(source: &str) -> SiteAccount {
        let password = Password::new("hidden");
        SiteAccount { schema: "s".into(), user: source.into(), password, host: None, source: source.into() }
    }

    #[test]
    fn the_first_account_that_is_let_in_is_taken_and_the_others_are_named() {
        let all = || ["a", "b", "c"].map(account).to_vec();
        let refuse = |who: &'static [&'static str]| {
            move |account: &SiteAccount| match who.contains(&account.user.as_str()) {
                true => {
                    Err(Error::new(Code::InsufficientPrivilege, format!("Access denied for user {}", account.user)))
                }
                false => Ok(()),
            }
        };
        let second = choose(all(), refuse(&["a"])).unwrap();
        assert_eq!((second.account.user.as_str(), second.passed_over.len()), ("b", 1));
        assert_eq!(second.passed_over[0], "a names a: Access denied for user a");
        assert_eq!(choose(all(), refuse(&[])).unwrap().account.user, "a");
        let none = choose(all(), refuse(&["a", "b", "c"])).unwrap();
        assert_eq!((none.account.user.as_str(), none.passed_over.len()), ("a", 0));
        assert!(choose(Vec::new(), refuse(&[])).is_none());
        assert!(!format!("{second:?}").contains("hidden"));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = folder.path().join("config/database_credentials");
        std::fs::create_dir_all(&credentials).unwrap();
        let config = Config::parse(&format!("[paths]\nbase = {:?}", folder.path())).unwrap();
        let domain = Domain::parse("x.example").unwrap();
        std::fs::write(credentials.join("x.example.conf"), "\u{feff}MYSQL_DB_NAME=a\r\nMYSQL_DB_USER=u\r\n").unwrap();
        let found = candidates(&config, &domain, folder.path()).unwrap();
        assert_eq!(found.accounts[0].schema, "a");
        assert!(found.accounts[0].endpoint(&Endpoint::Socket("/x".into())).is_ok());
        let odd = SiteAccount { host: Some("$(id)".into()), ..found.accounts[0].clone() };
        assert_eq!(odd.endpoint(&Endpoint::Socket("/x".into())).unwrap_err().code, Code::CredentialsMissing);
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
