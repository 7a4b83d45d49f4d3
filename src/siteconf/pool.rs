//! Reads PHP-FPM pool files: sections, keys, where a pool listens and as whom it runs.

use super::target::spellings;
use crate::config::Config;
use crate::path::Domain;
use std::fmt;
use std::path::{Path, PathBuf};

/// One `key = value` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Section it stands in; empty before the first one.
    pub section: String,
    /// Key, with `[name]` of array keys such as `php_admin_value[x]`.
    pub key: String,
    /// Value without quotes.
    pub value: String,
    /// Line, from 1.
    pub line: usize,
}

/// Where a pool listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Listen {
    /// Unix socket.
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

impl Listen {
    /// Whether both are one place. Debian's `/run/php/php-fpm.sock` is a link to the socket of the newest PHP.
    pub fn is(&self, other: &Listen) -> bool {
        match (self, other) {
            (Listen::Unix(one), Listen::Unix(two)) => {
                one == two || matches!((one.canonicalize(), two.canonicalize()), (Ok(one), Ok(two)) if one == two)
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Unix(path) => write!(out, "{}", path.display()),
            Listen::Tcp(address) => out.write_str(address),
        }
    }
}

/// A pool as its file describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pool {
    /// Section name.
    pub name: String,
    /// Account it runs as.
    pub user: String,
    /// Group it runs as; may be empty.
    pub group: String,
    /// `listen` as written, `$pool` filled in.
    pub listen: String,
    /// `ping.path`; empty: none.
    pub ping_path: String,
}

impl Pool {
    /// The socket or address.
    pub fn address(&self) -> Option<Listen> {
        parse_listen(&self.listen)
    }
}

/// Reads a `listen` value: an absolute path, `host:port`, or a bare port.
pub fn parse_listen(value: &str) -> Option<Listen> {
    if value.starts_with('/') {
        return Some(Listen::Unix(value.into()));
    }
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Listen::Tcp(format!("127.0.0.1:{value}")));
    }
    let (host, port) = value.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let host = if matches!(host, "" | "*" | "0.0.0.0" | "[::]") { "127.0.0.1" } else { host };
    Some(Listen::Tcp(format!("{host}:{port}")))
}

/// Reads the settings of a pool file, or of php-fpm.conf.
///
/// # Errors
/// A sentence naming the line that is neither section, setting nor comment.
pub fn parse(text: &[u8]) -> Result<Vec<Setting>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "is not UTF-8 text".to_owned())?;
    if text.contains('\0') {
        return Err("has a NUL byte".to_owned());
    }
    let mut section = String::new();
    let mut settings = Vec::new();
    for (number, raw) in text.split('\n').enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with(';') || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let (name, _) = rest.split_once(']').ok_or_else(|| format!("line {}: `[` without `]`", number + 1))?;
            name.trim().clone_into(&mut section);
            continue;
        }
        let (key, value) = line.split_once('=').ok_or_else(|| format!("line {}: no `=`", number + 1))?;
        settings.push(Setting {
            section: section.clone(),
            key: key.trim().to_owned(),
            value: unquote(value),
            line: number + 1,
        });
    }
    Ok(settings)
}

fn unquote(raw: &str) -> String {
    let value = raw.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default().to_owned();
        }
    }
    value.split(';').next().unwrap_or_default().trim().to_owned()
}

/// The pools of a file.
pub fn pools(settings: &[Setting]) -> Vec<Pool> {
    let mut found: Vec<Pool> = Vec::new();
    for setting in settings.iter().filter(|setting| !setting.section.is_empty() && setting.section != "global") {
        if found.last().is_none_or(|pool| pool.name != setting.section) {
            found.push(Pool { name: setting.section.clone(), ..Pool::default() });
        }
        let Some(pool) = found.last_mut() else { continue };
        let value = setting.value.replace("$pool", &setting.section);
        match setting.key.as_str() {
            "user" => pool.user = value,
            "group" => pool.group = value,
            "listen" => pool.listen = value,
            "ping.path" => pool.ping_path = value,
            _ => {}
        }
    }
    found
}

/// Reads the pools of a file on disk; nothing when it is missing or not understood.
pub fn read_file(path: &Path) -> Vec<Pool> {
    std::fs::read(path).ok().and_then(|text| parse(&text).ok()).map(|settings| pools(&settings)).unwrap_or_default()
}

/// The pools of every other live file in the pool folder.
pub fn other_pools(config: &Config, except: &Path) -> Vec<(PathBuf, Pool)> {
    let Ok(folder) = std::fs::read_dir(&config.paths.php_pool_dir) else { return Vec::new() };
    let mut files: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
        .into_iter()
        .filter(|path| path != except && path.extension().is_some_and(|end| end == "conf"))
        .flat_map(|path| read_file(&path).into_iter().map(move |pool| (path.clone(), pool)))
        .collect()
}

/// The domain's own live pool.
pub fn live_pool(config: &Config, domain: &Domain) -> Option<Pool> {
    [domain.as_str().to_owned(), domain.underscored()]
        .iter()
        .find_map(|name| read_file(&config.paths.php_pool_dir.join(format!("{name}.conf"))).into_iter().next())
}

/// The live pool that serves the domain, its own or the one that its nginx site passes requests to, with the settings of it.
pub fn serving_pool(config: &Config, domain: &Domain) -> Option<(Pool, Vec<Setting>)> {
    let address = pool_socket(config, domain)?;
    let all = other_pools(config, Path::new(""));
    // A link counts only where no pool listens at that very place.
    let exact = all.iter().find(|(_, pool)| pool.address().as_ref() == Some(&address));
    let linked = || all.iter().find(|(_, pool)| pool.address().is_some_and(|listens| listens.is(&address)));
    let (path, pool) = exact.or_else(linked)?.clone();
    let mut settings = std::fs::read(path).ok().and_then(|text| parse(&text).ok())?;
    settings.retain(|setting| setting.section == pool.name);
    Some((pool, settings))
}

/// Where the site's PHP answers: its own pool's `listen`, else what its live nginx site passes requests to.
pub fn pool_socket(config: &Config, domain: &Domain) -> Option<Listen> {
    if let Some(address) = live_pool(config, domain).and_then(|pool| pool.address()) {
        return Some(address);
    }
    let paths = &config.paths;
    let site = [&paths.nginx_available, &paths.nginx_enabled]
        .into_iter()
        .flat_map(|folder| spellings(folder, domain))
        .find_map(|path| std::fs::read(path).ok())?;
    let site = super::nginx::read_site(&site).ok()?;
    site.fastcgi.iter().find_map(|target| parse_listen(target.strip_prefix("unix:").unwrap_or(target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "; comment\n[shop]\nuser = www-data\ngroup=www-data\nlisten = \"/run/php/$pool.sock\" ; x\n\
        pm = dynamic\nphp_admin_value[error_log] = /var/log/x.log\n";

    #[test]
    fn a_pool_is_read_with_its_account_and_socket() {
        let settings = parse(POOL.as_bytes()).unwrap();
        let pool = pools(&settings).remove(0);
        assert_eq!((pool.name.as_str(), pool.user.as_str()), ("shop", "www-data"));
        assert_eq!(pool.address(), Some(Listen::Unix("/run/php/shop.sock".into())));
        assert_eq!(settings.last().unwrap().key, "php_admin_value[error_log]");
    }

    #[test]
    fn lines_that_are_no_setting_are_refused() {
        assert!(parse(b"[www\n").unwrap_err().contains("line 1"));
        assert!(parse(b"[www]\nnonsense\n").unwrap_err().contains("line 2"));
        assert!(parse(b"[www]\na = \xff\n").is_err());
    }

    #[test]
    fn listen_values_become_addresses() {
        assert_eq!(parse_listen("9000"), Some(Listen::Tcp("127.0.0.1:9000".into())));
        assert_eq!(parse_listen("0.0.0.0:9001"), Some(Listen::Tcp("127.0.0.1:9001".into())));
        assert_eq!(parse_listen("[::1]:9"), Some(Listen::Tcp("[::1]:9".into())));
        assert_eq!(parse_listen("php.sock"), None);
        assert_eq!(parse_listen("php_backend"), None);
    }

    #[test]
    fn the_socket_comes_from_the_pool_and_else_from_the_nginx_site() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.php_pool_dir = folder.path().join("pool.d");
        config.paths.nginx_available = folder.path().join("sites");
        config.paths.nginx_enabled = folder.path().join("sites");
        std::fs::create_dir(&config.paths.php_pool_dir).unwrap();
        std::fs::create_dir(&config.paths.nginx_available).unwrap();
        let domain = Domain::parse("a.example.com").unwrap();
        assert_eq!(pool_socket(&config, &domain), None);
        std::fs::write(folder.path().join("sites/a.example.com"), "server { fastcgi_pass unix:/run/shared.sock; }")
            .unwrap();
        assert_eq!(pool_socket(&config, &domain), Some(Listen::Unix("/run/shared.sock".into())));
        std::fs::write(config.paths.php_pool_dir.join("a_example_com.conf"), "[a]\nlisten = /run/own.sock\n").unwrap();
        assert_eq!(pool_socket(&config, &domain), Some(Listen::Unix("/run/own.sock".into())));
        let shared =
            "[other]\nuser = b\nlisten = /run/other.sock\n[www]\nuser = www\nlisten = /run/own.sock\nenv[A] = b\n";
        std::fs::write(config.paths.php_pool_dir.join("a_example_com.conf"), shared).unwrap();
        assert_eq!(pool_socket(&config, &domain), Some(Listen::Unix("/run/other.sock".into())));
        let (pool, settings) = serving_pool(&config, &domain).unwrap();
        assert_eq!((pool.user.as_str(), settings.len()), ("b", 2));
        // As Debian's alternatives make it.
        std::fs::remove_file(config.paths.php_pool_dir.join("a_example_com.conf")).unwrap();
        let (socket, link) = (folder.path().join("php8.4.sock"), folder.path().join("php.sock"));
        std::fs::write(&socket, "").unwrap();
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        let text = format!("server {{ fastcgi_pass unix:{}; }}", link.display());
        std::fs::write(folder.path().join("sites/a.example.com"), text).unwrap();
        let text = format!("[www]\nuser = www\nlisten = {}\n", socket.display());
        std::fs::write(config.paths.php_pool_dir.join("www.conf"), text).unwrap();
        assert_eq!(serving_pool(&config, &domain).map(|(pool, _)| pool.user).as_deref(), Some("www"));
    }
}
