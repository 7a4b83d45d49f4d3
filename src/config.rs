//! restore.toml: where things are and how far the engine may go.

pub mod administrator_file;
pub mod domains_list;
mod in_force;

pub use in_force::{InForce, Origin, Setting, in_force};

use crate::error::{Code, Error, Result};
use crate::path::Domain;
use crate::report::Risk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the folders that staged and kept trees lie in.
pub const STAGING: &str = ".rocketvps-restore";
/// Where the broker listens when `paths.broker` names no other place.
pub const BROKER: &str = "/run/rocketvps-restore.sock";
/// Where the configuration is looked for when a request names none.
pub const DEFAULT_FILE: &str = "/opt/rocketvps/config/restore.toml";

/// What a request's `config` names: a restore.toml, or one and settings that go over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfigSource")]
#[serde(untagged)]
pub enum Source {
    /// Absolute path of the file.
    File(PathBuf),
    /// The file, or the usual one, and what is set over it.
    Set(Settings),
}

/// Settings that go over a restore.toml.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ConfigSettings")]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Absolute path of the file; left out: the usual one, where it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Tables of the keys of restore.toml, such as `{"paths": {"backups": "/srv/backups"}}`.
    pub set: serde_json::Map<String, serde_json::Value>,
}

/// The whole configuration. Every key has a default; unknown keys are refused.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folders.
    pub paths: Paths,
    /// Time, retries, retention and what an archive may hold.
    pub limits: Limits,
    /// Owner and modes of restored files.
    pub files: Files,
    /// The database server.
    pub mysql: Mysql,
    /// The services that read the restored configuration.
    pub services: Services,
    /// How the site is asked for a page.
    pub http: Http,
    /// Who is told when a job ends.
    pub notify: Notify,
    /// How the operator's own programs are run at the moments of a job.
    pub hooks: Hooks,
    /// The drills: what is rehearsed of itself, and who is told.
    pub drills: Drills,
    /// What the administrator says of single sites, by their domains.
    pub sites: BTreeMap<Domain, Site>,
}

/// What the administrator says of one site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// Its database schema; final where it is said. Empty: by `config/database_credentials`, else by the site's own files as far as
    /// the database server bears them out.
    pub database: String,
    /// The account that its views, triggers and routines belong to; empty: the one account that has rights on the schema alone.
    pub database_user: String,
    /// Servers of objects that are this site's alone, as `redis:HOST:PORT/DATABASE`, `redis:/SOCKET/DATABASE`, `memcached:HOST:PORT` or
    /// `memcached:/SOCKET`: all that they hold may go with the site's caches.
    pub caches: Vec<String>,
    /// What runs the site's code beside PHP-FPM and is restarted after a change-over, as `supervisor:PROGRAM` or `systemd:UNIT`; beside
    /// what is recognised.
    pub workers: Vec<String>,
    /// Pages that are asked for in a rehearsal, after a restore and in a verification.
    pub probes: Vec<Probe>,
}

/// A page that has to come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Probe {
    /// Its address below the domain, such as `/shop/`.
    pub path: String,
    /// Text that it has to hold, as it stands in the page's source; empty: any.
    pub text: String,
}

impl Probe {
    /// Most of them at a time.
    pub const MAX: usize = 20;

    /// Whether these can be asked for.
    ///
    /// # Errors
    /// A sentence naming the first that cannot.
    pub fn check(probes: &[Probe]) -> std::result::Result<(), String> {
        if probes.len() > Probe::MAX {
            return Err(format!("{} probes are more than {}", probes.len(), Probe::MAX));
        }
        let is_path = |path: &str| {
            path.starts_with('/') && path.len() <= 2_000 && path.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match probes.iter().find(|probe| !is_path(&probe.path)) {
            Some(probe) => {
                Err(format!("{:?} is no address of a page: it begins with `/` and has no spaces", probe.path))
            }
            None => Ok(()),
        }
    }
}

/// Folders; all absolute.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Paths {
    /// Parent of `backups/ snapshots/ restore_logs/ restore_jobs/ config/`.
    pub base: PathBuf,
    /// Backups, a folder a domain; empty: `base/backups`.
    pub backups: PathBuf,
    /// Snapshots, a folder a domain; empty: `base/snapshots`.
    pub snapshots: PathBuf,
    /// Logs, a folder a domain; empty: `base/restore_logs`.
    pub logs: PathBuf,
    /// Document root = `web_root/DOMAIN`.
    pub web_root: PathBuf,
    /// nginx sites.
    pub nginx_available: PathBuf,
    /// Links to the nginx sites in use.
    pub nginx_enabled: PathBuf,
    /// PHP-FPM pools; empty: the newest installed PHP's.
    pub php_pool_dir: PathBuf,
    /// Certificates: `ssl/DOMAIN/*.pem`.
    pub ssl: PathBuf,
    /// cron.d files.
    pub cron: PathBuf,
    /// The helper program; empty: beside the library, then the usual folders.
    pub helper: PathBuf,
    /// The socket of the broker; empty: `/run/rocketvps-restore.sock`.
    pub broker: PathBuf,
    /// What callers of the broker may; empty: `base/config/access.toml`.
    pub access: PathBuf,
    /// The operator's programs for the moments of a job, a folder a moment; empty: `base/config/hooks.d`.
    pub hooks: PathBuf,
}

impl Default for Paths {
    fn default() -> Paths {
        Paths {
            base: "/opt/rocketvps".into(),
            backups: PathBuf::new(),
            snapshots: PathBuf::new(),
            logs: PathBuf::new(),
            web_root: "/var/www".into(),
            nginx_available: "/etc/nginx/sites-available".into(),
            nginx_enabled: "/etc/nginx/sites-enabled".into(),
            php_pool_dir: PathBuf::new(),
            ssl: "/etc/letsencrypt/live".into(),
            cron: "/etc/cron.d".into(),
            helper: PathBuf::new(),
            broker: PathBuf::new(),
            access: PathBuf::new(),
            hooks: PathBuf::new(),
        }
    }
}

impl Paths {
    /// Where backups are.
    pub fn backups(&self) -> PathBuf {
        self.or_below_base(&self.backups, "backups")
    }
    /// Where snapshots are.
    pub fn snapshots(&self) -> PathBuf {
        self.or_below_base(&self.snapshots, "snapshots")
    }
    /// Where logs are.
    pub fn logs(&self) -> PathBuf {
        self.or_below_base(&self.logs, "restore_logs")
    }
    fn or_below_base(&self, chosen: &Path, name: &str) -> PathBuf {
        if chosen.as_os_str().is_empty() { self.base.join(name) } else { chosen.to_owned() }
    }
    /// `base/restore_jobs`.
    pub fn jobs(&self) -> PathBuf {
        self.base.join("restore_jobs")
    }
    /// `base/restore_drills`.
    pub fn drills(&self) -> PathBuf {
        self.base.join("restore_drills")
    }
    /// `base/config`.
    pub fn config(&self) -> PathBuf {
        self.base.join("config")
    }
    /// The socket of the broker.
    pub fn broker(&self) -> &Path {
        if self.broker.as_os_str().is_empty() { Path::new(BROKER) } else { &self.broker }
    }
    /// What callers of the broker may.
    pub fn access(&self) -> PathBuf {
        if self.access.as_os_str().is_empty() { self.config().join("access.toml") } else { self.access.clone() }
    }
    /// The operator's programs for the moments of a job.
    pub fn hooks(&self) -> PathBuf {
        if self.hooks.as_os_str().is_empty() { self.config().join("hooks.d") } else { self.hooks.clone() }
    }
    /// Root-owned folder for staged and kept trees of sites on the web root's mount.
    pub fn staging(&self) -> PathBuf {
        self.web_root.join(STAGING)
    }
    /// The folder that holds all of a site with this document root: `web_root/DOMAIN` where the root lies in it, else the root.
    pub fn site_folder(&self, domain: &Domain, root: &Path) -> PathBuf {
        let own = self.web_root.join(domain.as_str());
        if root.starts_with(&own) { own } else { root.to_owned() }
    }
}

/// Limits of time, number and size.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Seconds until a restore is given up and rolled back.
    pub restore_timeout_s: u64,
    /// Seconds one verification may take.
    pub verify_timeout_s: u64,
    /// Tries of what can fail for a moment: connections, deadlocks, reloads.
    pub max_retries: u32,
    /// Hours a snapshot is kept.
    pub snapshot_retention_h: u64,
    /// Most entries in an archive.
    pub max_entries: u64,
    /// Most bytes an archive may unpack to.
    pub max_unpacked_bytes: u64,
    /// Most tables in a dump.
    pub max_tables: u64,
    /// Bytes that stay free on every filesystem written to.
    pub headroom_bytes: u64,
    /// Seconds that queries of the site may wait in the change-over before somebody has to accept it.
    pub change_over_wait_s: u64,
    /// Seconds that a rehearsal may take; 0: none is made.
    pub rehearsal_s: u64,
    /// Seconds that one hook may take.
    pub hook_s: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            restore_timeout_s: 1800,
            verify_timeout_s: 300,
            max_retries: 3,
            snapshot_retention_h: 24,
            max_entries: 5_000_000,
            max_unpacked_bytes: 2 << 40,
            max_tables: 10_000,
            headroom_bytes: 64 << 20,
            change_over_wait_s: 2,
            rehearsal_s: 20,
            hook_s: 60,
        }
    }
}

/// How modes of the archive become modes on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permissions {
    /// Archived mode cut to 0755 (folders) and 0644 (files), never widened.
    Standard,
    /// Archived mode, without set-id and sticky bits.
    Preserve,
}

/// Owner and modes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// `user:group`, names or numbers.
    pub owner: String,
    /// Mode policy.
    pub permissions: Permissions,
    /// Folders outside of sites that links of a backup may lead into.
    pub link_targets: Vec<PathBuf>,
    /// A restore of all files writes only those that differ from the live ones, and exchanges them part by part.
    pub skip_unchanged: bool,
}

impl Default for Files {
    fn default() -> Files {
        Files {
            owner: "www-data:www-data".into(),
            permissions: Permissions::Standard,
            link_targets: Vec::new(),
            skip_unchanged: false,
        }
    }
}

/// Where packages have the database listen: Debian up to 13 and Ubuntu; Debian's MariaDB from 11.8.9+ds-3 on, where nothing that is called
/// mysql is left of a new installation; Red Hat and its kin. None of them can be made by a tenant.
const SOCKETS: [&str; 3] = ["/run/mysqld/mysqld.sock", "/run/mariadbd/mysqld.sock", "/var/lib/mysql/mysql.sock"];

/// The database server. A `host` wins over the socket.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mysql {
    /// Unix socket; where it is not named, the first that is there of the places in which packages put it.
    pub socket: PathBuf,
    /// Host name or address; empty: the socket is used.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Client option file with the administrator's account; empty: `base/config/mysql_root.cnf`, else root over the socket.
    pub admin_defaults_file: PathBuf,
    /// Connections that load a dump side by side; 0: one a core, at most 4.
    pub connections: usize,
    /// What every restore may go on with, without being told each time.
    pub accept: Vec<Risk>,
}

impl Default for Mysql {
    fn default() -> Mysql {
        Mysql {
            socket: SOCKETS[0].into(),
            host: String::new(),
            port: 3306,
            admin_defaults_file: PathBuf::new(),
            connections: 0,
            accept: Vec::new(),
        }
    }
}

/// Who starts and reloads services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    /// `systemctl`.
    Systemd,
    /// Signals to the process of the pid file.
    Pidfile,
    /// systemd where it runs, else the pid file.
    Auto,
}

/// One service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceUnit {
    /// Main configuration file.
    pub conf: PathBuf,
    /// File with the master's process id.
    pub pidfile: PathBuf,
    /// systemd unit.
    pub unit: String,
    /// Program; empty: found by name in the usual folders.
    pub program: PathBuf,
}

/// Redis, where a site uses it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://host:port` or `unix:/path`.
    pub url: String,
    /// Whether a silent Redis fails the pre-flight.
    pub required: bool,
}

impl Default for Redis {
    fn default() -> Redis {
        Redis { url: "redis://127.0.0.1:6379".into(), required: false }
    }
}

/// The services.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Services {
    /// How they are reloaded.
    pub manager: Manager,
    /// nginx.
    pub nginx: ServiceUnit,
    /// PHP-FPM; empty paths: the newest installed PHP's.
    pub php_fpm: ServiceUnit,
    /// Redis.
    pub redis: Redis,
    /// The configuration of supervisor.
    pub supervisor: PathBuf,
    /// The operator's units of systemd.
    pub units: PathBuf,
}

impl Default for Services {
    fn default() -> Services {
        Services {
            manager: Manager::Auto,
            nginx: ServiceUnit {
                conf: "/etc/nginx/nginx.conf".into(),
                pidfile: "/run/nginx.pid".into(),
                unit: "nginx".into(),
                program: PathBuf::new(),
            },
            php_fpm: ServiceUnit::default(),
            redis: Redis::default(),
            supervisor: "/etc/supervisor/supervisord.conf".into(),
            units: "/etc/systemd/system".into(),
        }
    }
}

/// How the restored site is asked for a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Requested with `Host: DOMAIN`; redirects are not followed. Empty: not asked, and said so.
    pub url: String,
    /// Answers that count as working.
    pub expect_status: Vec<u16>,
}

impl Default for Http {
    fn default() -> Http {
        Http { url: "http://127.0.0.1/".into(), expect_status: vec![200, 301, 302] }
    }
}

/// Who is told when a job ends. The command runs as the worker's user without a shell, the report on stdin.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// URL for a JSON POST, https or http; empty: none. Redirects are not followed.
    pub webhook: String,
    /// Program and arguments, split at spaces; empty: none.
    pub command: String,
}

/// How the operator's own programs are run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hooks {
    /// The account that they run as; empty: the worker's, which is root's.
    pub user: String,
}

/// Drills of backups.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Drills {
    /// Domains that a drill of all leaves out.
    pub skip: Vec<Domain>,
    /// The file of metrics for Prometheus; written where its folder is there. Empty: that of Debian's node exporter.
    pub metrics: PathBuf,
}

impl Drills {
    /// The file of metrics.
    pub fn metrics(&self) -> &Path {
        let usual = Path::new("/var/lib/prometheus/node-exporter/rocketvps_restore.prom");
        if self.metrics.as_os_str().is_empty() { usual } else { &self.metrics }
    }
}

/// Whether a restore.toml says where the database listens.
fn names_socket(table: &toml::Table) -> bool {
    table.get("mysql").and_then(|mysql| mysql.get("socket")).is_some()
}

impl Config {
    /// Reads the file, or the defaults when no file is named and the usual one does not exist.
    ///
    /// # Errors
    /// `config_invalid` naming file, line and key; `forbidden` where the caller has no right to read it.
    pub fn load(file: Option<&Path>) -> Result<Config> {
        Config::read(file).map(|(config, _)| config)
    }

    /// The configuration of a file, and its text.
    fn read(file: Option<&Path>) -> Result<(Config, String)> {
        let chosen = file.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(chosen) {
            Ok(text) => text,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                // Nothing is wrong with a file that the caller may not read: the broker may do for him what it lets him.
                let code = match error.kind() {
                    std::io::ErrorKind::PermissionDenied => Code::Forbidden,
                    _ => Code::ConfigInvalid,
                };
                return Err(Error::new(code, format!("cannot read {}: {error}", chosen.display()))
                    .with("path", chosen.display().to_string()));
            }
        };
        let config = Config::parse(&text).map_err(|error| {
            Error::new(Code::ConfigInvalid, format!("{}: {}", chosen.display(), error.message))
                .with("path", chosen.display().to_string())
        })?;
        Ok((config, text))
    }

    /// The configuration that a request names; none: the usual one.
    ///
    /// # Errors
    /// `config_invalid` naming file or setting, line and key.
    pub fn of(source: Option<&Source>) -> Result<Config> {
        match source {
            None => Config::load(None),
            Some(Source::File(file)) => Config::load(Some(file)),
            Some(Source::Set(settings)) => {
                // As it stands first: what is wrong in the file is told with its line.
                let (_, text) = Config::read(settings.file.as_deref())?;
                let refused = |error: &dyn std::fmt::Display| {
                    Error::new(Code::ConfigInvalid, format!("settings over restore.toml: {}", error.to_string().trim()))
                        .hint("Names are those of restore.toml, such as paths.backups or limits.restore_timeout_s.")
                };
                let mut table: toml::Table = toml::from_str(&text).map_err(|error| refused(&error))?;
                let set = toml::Table::try_from(&settings.set).map_err(|error| refused(&error))?;
                lay_over(&mut table, set);
                let named = names_socket(&table);
                table.try_into::<Config>().map_err(|error| refused(&error))?.filled(|| named)
            }
        }
    }

    /// Parses the text of a restore.toml and fills what depends on the installed PHP.
    ///
    /// # Errors
    /// `config_invalid`.
    pub fn parse(text: &str) -> Result<Config> {
        let config: Config =
            toml::from_str(text).map_err(|error| Error::new(Code::ConfigInvalid, error.to_string()))?;
        config.filled(|| toml::from_str(text).is_ok_and(|table| names_socket(&table)))
    }

    /// With what depends on the installed PHP and database, and checked.
    fn filled(mut self, names_socket: impl FnOnce() -> bool) -> Result<Config> {
        self.fill_nginx();
        self.fill_php(Path::new("/etc/php"));
        self.fill_socket(Path::new("/"), names_socket);
        self.check()?;
        Ok(self)
    }

    /// Where nobody says where the database listens, it is where it does.
    fn fill_socket(&mut self, root: &Path, is_named: impl FnOnce() -> bool) {
        let there = |path: &&&str| root.join(path.trim_start_matches('/')).exists();
        // The text is not read a second time where the usual one is there.
        if self.mysql.socket == Path::new(SOCKETS[0])
            && let Some(found) = SOCKETS.iter().find(there)
            && *found != SOCKETS[0]
            && !is_named()
        {
            self.mysql.socket = found.into();
        }
    }

    /// A section that is there and says nothing is the same as none.
    fn fill_nginx(&mut self) {
        let (nginx, usual) = (&mut self.services.nginx, Services::default().nginx);
        if nginx.conf.as_os_str().is_empty() {
            nginx.conf = usual.conf;
        }
        if nginx.pidfile.as_os_str().is_empty() {
            nginx.pidfile = usual.pidfile;
        }
        if nginx.unit.is_empty() {
            nginx.unit = usual.unit;
        }
    }

    fn fill_php(&mut self, installed: &Path) {
        let version = newest_php(installed).unwrap_or_else(|| "8.2".into());
        let fpm = &mut self.services.php_fpm;
        let fill = |path: &mut PathBuf, default: String| {
            if path.as_os_str().is_empty() {
                *path = default.into();
            }
        };
        fill(&mut self.paths.php_pool_dir, format!("/etc/php/{version}/fpm/pool.d"));
        fill(&mut fpm.conf, format!("/etc/php/{version}/fpm/php-fpm.conf"));
        fill(&mut fpm.pidfile, format!("/run/php/php{version}-fpm.pid"));
        if fpm.unit.is_empty() {
            fpm.unit = format!("php{version}-fpm");
        }
    }

    fn check(&self) -> Result<()> {
        let paths = &self.paths;
        for (key, path) in [
            ("paths.base", &paths.base),
            ("paths.web_root", &paths.web_root),
            ("paths.nginx_available", &paths.nginx_available),
            ("paths.nginx_enabled", &paths.nginx_enabled),
            ("paths.php_pool_dir", &paths.php_pool_dir),
            ("paths.ssl", &paths.ssl),
            ("paths.cron", &paths.cron),
        ] {
            if !path.is_absolute() {
                return Err(Error::new(Code::ConfigInvalid, format!("{key} = {:?} is not an absolute path", path)));
            }
        }
        for (key, path) in [
            ("paths.backups", &paths.backups),
            ("paths.snapshots", &paths.snapshots),
            ("paths.logs", &paths.logs),
            ("paths.hooks", &paths.hooks),
            ("drills.metrics", &self.drills.metrics),
        ] {
            if !path.as_os_str().is_empty() && !path.is_absolute() {
                return Err(Error::new(Code::ConfigInvalid, format!("{key} = {:?} is not an absolute path", path)));
            }
        }
        if [self.limits.restore_timeout_s, self.limits.verify_timeout_s, self.limits.hook_s].contains(&0) {
            return Err(Error::new(Code::ConfigInvalid, "limits: a time limit of 0 seconds lets nothing finish"));
        }
        for (domain, site) in &self.sites {
            Probe::check(&site.probes)
                .map_err(|why| Error::new(Code::ConfigInvalid, format!("sites.\"{domain}\".probes: {why}")))?;
        }
        // What it is stays unsaid: such a URL often holds a secret.
        let is_url = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if !self.notify.webhook.is_empty() && !is_url(&self.notify.webhook) {
            return Err(Error::new(
                Code::ConfigInvalid,
                "notify.webhook is no URL that begins with https:// or http://",
            ));
        }
        Ok(())
    }

    /// How many threads or connections work side by side: one a core, at most four.
    pub fn parallelism(&self) -> usize {
        std::thread::available_parallelism().map_or(2, |cores| cores.get().min(4))
    }
}

/// Puts `over` on `under`, table by table.
fn lay_over(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => lay_over(inner, value),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

fn newest_php(installed: &Path) -> Option<String> {
    let mut versions: Vec<(u32, u32)> = std::fs::read_dir(installed)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().join("fpm").is_dir())
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (major, minor) = name.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        })
        .collect();
    versions.sort_unstable();
    versions.last().map(|(major, minor)| format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_where_the_database_listens_unless_it_is_named() {
        let machine = tempfile::tempdir().unwrap();
        let filled = |text: &str| {
            let mut config: Config = toml::from_str(text).unwrap();
            config.fill_socket(machine.path(), || toml::from_str(text).is_ok_and(|table| names_socket(&table)));
            config.mysql.socket.display().to_string()
        };
        assert_eq!(filled(""), "/run/mysqld/mysqld.sock", "nothing is there");
        let put = |path: &str| {
            let path = machine.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        put("run/mariadbd/mysqld.sock");
        assert_eq!(filled(""), "/run/mariadbd/mysqld.sock");
        assert_eq!(filled("[mysql]\nsocket = \"/run/mysqld/mysqld.sock\""), "/run/mysqld/mysqld.sock", "it is named");
        let named = Config::parse("[mysql]\nsocket = \"/srv/db.sock\"").unwrap();
        assert_eq!(named.mysql.socket, Path::new("/srv/db.sock"));
        let table = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
        assert!(names_socket(&table("[mysql]\nsocket = \"/run/mysqld/mysqld.sock\"")), "also the usual one");
        assert!(!names_socket(&table("[mysql]\nport = 3307")));
        put("run/mysqld/mysqld.sock");
        assert_eq!(filled(""), "/run/mysqld/mysqld.sock");
    }

    #[test]
    fn an_empty_file_gives_the_documented_defaults() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.paths.base, Path::new("/opt/rocketvps"));
        assert_eq!(config.limits.restore_timeout_s, 1800);
        assert_eq!(config.files.permissions, Permissions::Standard);
        assert!(config.paths.php_pool_dir.ends_with("fpm/pool.d"));
    }

    #[test]
    fn settings_go_over_the_file_and_are_checked_like_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("restore.toml");
        std::fs::write(&file, "[paths]\nbase = \"/srv/rv\"\n[limits]\nmax_retries = 5\n").unwrap();
        let of = |set: &str| {
            let request = format!(r#"{{"file":{:?},"set":{set}}}"#, file.display().to_string());
            Config::of(Some(&serde_json::from_str(&request).unwrap()))
        };
        let config = of(r#"{"paths":{"backups":"/b"},"limits":{"restore_timeout_s":60}}"#).unwrap();
        assert_eq!(config.paths.backups(), Path::new("/b"));
        assert_eq!(config.paths.snapshots(), Path::new("/srv/rv/snapshots"));
        assert_eq!((config.limits.restore_timeout_s, config.limits.max_retries), (60, 5));
        for bad in [r#"{"paths":{"bakups":"/b"}}"#, r#"{"paths":{"logs":"x"}}"#, r#"{"limits":{"max_retries":null}}"#] {
            assert_eq!(of(bad).unwrap_err().code, Code::ConfigInvalid, "{bad}");
        }
        std::fs::write(&file, "[paths]\nbase = 1").unwrap();
        assert!(of("{}").unwrap_err().message.contains("line 2"));
        assert!(serde_json::from_str::<Source>(r#"{"fil":"/x","set":{}}"#).is_err());
    }

    #[test]
    fn unknown_keys_relative_paths_and_zero_limits_are_refused() {
        for bad in [
            "[paths]\nbaze = \"/x\"",
            "[paths]\nbase = \"x\"",
            "[limits]\nrestore_timeout_s = 0",
            "[files]\npermissions = \"open\"",
        ] {
            assert_eq!(Config::parse(bad).unwrap_err().code, Code::ConfigInvalid, "{bad}");
        }
    }

    #[test]
    fn the_newest_php_is_the_highest_number_not_the_last_name() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["8.2", "8.10", "7.4"] {
            std::fs::create_dir_all(folder.path().join(version).join("fpm")).unwrap();
        }
        std::fs::create_dir_all(folder.path().join("9.0/cli")).unwrap();
        assert_eq!(newest_php(folder.path()).as_deref(), Some("8.10"));
    }
}
