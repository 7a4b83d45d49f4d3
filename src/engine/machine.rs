//! The machine as a job sees it: the database where it takes part, the services, and the retries of actions that can fail for a
//! moment.

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::database::grants::{Grants, Need, Schemas};
use crate::host::database::reader::Reader;
use crate::host::database::{Database, Real, Server};
use crate::host::services::{Emptied, Requests, Restarted, Service, Services, Told};
use crate::host::site::Site;
use crate::host::site_database::{self, SiteDatabase};
use crate::job::JobId;
use crate::job::lock::Fence;
use crate::path::Domain;
use crate::progress::{Level, Monitor, Silent};
use crate::report::{Check, Outcome};
use crate::siteconf::ConfFile;
use crate::sql::compat::ServerFacts;
use crate::sql::versioned::Dialect;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the caches may take in all: the change-over waits for them. What is left then is taken by the next round.
pub(super) const CACHES: Duration = Duration::from_secs(2);
/// How long requests that began before the change-over are waited for, so that nothing of theirs stays in a cache.
const OLD_REQUESTS: Duration = Duration::from_secs(10);
/// How long nginx may take to save an answer that has ended.
const SAVING: Duration = Duration::from_millis(150);

/// Connections of one job.
pub struct Hosts {
    /// The database server; `None` when the database takes no part.
    pub database: Option<Arc<dyn Database>>,
    /// nginx, PHP-FPM, the site's page.
    pub services: Arc<Services>,
    /// Whether the domain is still this worker's to change.
    pub fence: Fence,
    config: Config,
    domain: Domain,
    /// The same as `database`, where it is a real server.
    real: Option<Arc<Real>>,
    /// The database server with the account in use; `None` when the database takes no part.
    server: Option<Server>,
    /// Why the account in use is not the administrator.
    instead: Option<String>,
}

/// What became of all that went on with the old code and rows.
pub struct Ended {
    /// The caches, at last.
    pub emptied: Vec<Emptied>,
    /// What runs the site's code beside PHP-FPM.
    pub restarted: Vec<Restarted>,
}

impl Hosts {
    /// The real machine; `work` is a private folder for copies of configuration. If the server does not let the administrator in, the
    /// site's own account is used, and the pre-flight names the rights that it lacks. No wait for an answer is longer than `monitor`
    /// lets the job go on.
    ///
    /// # Errors
    /// `credentials_missing`.
    pub fn of(
        config: &Config,
        domain: &Domain,
        with_database: bool,
        work: &Path,
        monitor: Arc<dyn Monitor>,
    ) -> Result<Hosts> {
        let (server, instead) = if with_database { speaker(config, domain)? } else { (None, None) };
        let job = JobId::of_folder(work)?;
        let real = server.clone().map(|server| match instead {
            None => Real::new(server, job.short(), monitor.clone()),
            Some(_) => Real::of_site(server, monitor.clone()),
        });
        let real = real.map(Arc::new);
        let database = real.clone().map(|real| real as Arc<dyn Database>);
        let services = Arc::new(Services::new(config, work, monitor.clone()));
        let fence = Fence::of(config, domain);
        let (config, domain) = (config.clone(), domain.clone());
        Ok(Hosts { database, real, services, fence, config, domain, server, instead })
    }

    /// The database for a clean-up: nothing when there is no server to ask.
    pub fn database_if_any(config: &Config) -> Option<Arc<dyn Database>> {
        let job = JobId::new().ok()?;
        let database = Real::new(Server::admin(config).ok()?, job.short(), Arc::new(Silent));
        database.version().is_ok().then(|| Arc::new(database) as Arc<dyn Database>)
    }

    /// The database server.
    ///
    /// # Errors
    /// `internal` when the database takes no part in this job.
    pub fn database(&self) -> Result<&dyn Database> {
        self.database.as_deref().ok_or_else(|| Error::new(Code::Internal, "the database takes no part in this job"))
    }

    /// The same server over a connection of its own, for work side by side.
    ///
    /// # Errors
    /// `internal` when the database takes no part in this job.
    pub fn database_again(&self) -> Result<Arc<dyn Database>> {
        let none = || Error::new(Code::Internal, "the database takes no part in this job");
        self.real.as_ref().map(|real| Arc::new(real.again()) as Arc<dyn Database>).ok_or_else(none)
    }

    /// The account that reads a site's tables and may do nothing else; `None` where no real server takes part.
    pub fn reader(&self) -> Option<&Reader> {
        self.real.as_deref().map(Real::reader)
    }

    /// The server, to open new connections to it.
    ///
    /// # Errors
    /// `credentials_missing`.
    pub fn server(&self) -> Result<Server> {
        self.server.clone().map_or_else(|| Server::admin(&self.config), Ok)
    }

    /// Whether the account in use may do all that a restore does. `definer` is the site's account, `` `user`@`host` ``.
    pub fn privileges(&self, names: Schemas<'_>, definer: Option<&str>) -> Check {
        let asked = self.server().and_then(|server| {
            let dialect = Dialect::of(&self.database()?.version()?);
            Ok((Grants::ask(&server)?, dialect))
        });
        let (grants, dialect) = match asked {
            Ok(asked) => asked,
            Err(error) => return Check::failed("privileges", &error),
        };
        let own_objects = definer.map(|definer| definer.replace('`', "")).as_deref() == Some(grants.account.as_str());
        judge_privileges(&grants, &grants.missing(names, dialect, own_objects), self.instead.as_deref())
    }

    /// Whether the server takes changes: a replica takes none.
    pub fn writable(&self) -> Check {
        let asked = self.server().and_then(|server| {
            let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only','super_read_only') AND Value NOT IN ('OFF','0')";
            let found = crate::host::database::server::rows(&mut server.connect(None)?, sql)?;
            Ok(found.first().map(|row| crate::host::database::server::text(row, 0)))
        });
        match asked {
            Ok(None) => Check::new("writable", Outcome::Pass, "the database server takes changes"),
            Ok(Some(variable)) => {
                let message = format!("the database server takes no changes: {variable} is on, as on a replica");
                let hint = format!("Restore on the primary; or, if this is it, `SET GLOBAL {variable}=OFF`.");
                Check::failed("writable", &Error::new(Code::DatabaseFailed, message).hint(hint))
            }
            Err(error) => Check::failed("writable", &error),
        }
    }

    /// The server's number for the connection that will change tables.
    ///
    /// # Errors
    /// `database_unreachable`.
    pub fn connection(&self) -> Result<Option<u64>> {
        self.database.as_ref().map(|database| database.connection_id()).transpose()
    }

    /// Retries an action that can fail for a moment, `limits.max_retries` times, each pause twice the last.
    ///
    /// # Errors
    /// The last one.
    pub fn retrying<T>(&self, mut act: impl FnMut() -> Result<T>) -> Result<T> {
        let mut pause = Duration::from_millis(100);
        for _ in 0..self.config.limits.max_retries.min(10) {
            match act() {
                Err(error) if is_transient(error.code) => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                other => return other,
            }
        }
        act()
    }

    /// Makes PHP and nginx forget the files that were exchanged: compiled code, paths, open files. What cannot be told so is reloaded;
    /// nginx where it keeps files open.
    pub fn refresh_files(&self, keeps_open: bool, monitor: &dyn Monitor) {
        let refresh = self.services.refresh_code(&self.domain);
        if !refresh.done {
            let why = format!("PHP's code cache was not reset ({}): PHP-FPM is reloaded", refresh.evidence);
            monitor.event(Level::Info, &why);
            self.reload(Service::PhpFpm, monitor);
        }
        if keeps_open {
            monitor.event(Level::Info, "nginx keeps files open (open_file_cache): it is reloaded");
            self.reload(Service::Nginx, monitor);
        }
    }

    /// A service that refuses is a warning.
    fn reload(&self, service: Service, monitor: &dyn Monitor) {
        if let Err(error) = self.services.reload(service) {
            monitor.event(Level::Warn, &error.message);
        }
    }

    /// Restarts what runs the site's code beside PHP-FPM, and says what became of each.
    fn restart_workers(&self, monitor: &dyn Monitor) -> Vec<Restarted> {
        let restarted = self.services.restart_workers(&self.domain);
        for one in &restarted {
            monitor.event(if one.is_done { Level::Info } else { Level::Warn }, &one.said);
        }
        restarted
    }

    /// The workers that the operator names, as they are now.
    pub fn worker_checks(&self) -> Vec<Check> {
        let check =
            |told: Told| Check::new("workers", if told.runs { Outcome::Pass } else { Outcome::Warn }, told.said);
        self.services.told_workers(&self.domain).into_iter().map(check).collect()
    }

    /// The requests of the site's visitors that are being answered.
    pub fn requests(&self) -> Requests {
        self.services.requests(&self.domain)
    }

    /// Ends what goes on with the old code and rows: restarts the workers, and waits for the requests that began before. What they made is
    /// saved by then, so the caches are emptied once more. `emptied` is what became of them so far.
    pub fn end_the_old(&self, before: Requests, emptied: Vec<Emptied>, pages: bool, monitor: &dyn Monitor) -> Ended {
        let restarted = self.restart_workers(monitor);
        // What answers behind nginx did so from the old code until now.
        let before = if restarted.is_empty() { before } else { before.and(self.requests()) };
        if emptied.is_empty() {
            return Ended { emptied, restarted };
        }
        if before.left() > 0 {
            let said = format!(
                "{} requests that began before the change-over go on: the caches are emptied again when they end",
                before.left()
            );
            monitor.event(Level::Info, &said);
        }
        let began = Instant::now();
        while before.left() > 0 && began.elapsed() < OLD_REQUESTS && monitor.keep_going().is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let left = before.left();
        if before.count() > 0 {
            std::thread::sleep(SAVING);
        }
        let mut at_last = self.empty_caches(pages, monitor);
        if left > 0 {
            at_last.push(Emptied::left(
                "requests that began before the change-over",
                format!("{left} go on after {} s; what they save may be old", OLD_REQUESTS.as_secs()),
            ));
        }
        Ended { emptied: at_last, restarted }
    }

    /// Empties the site's caches of what is older than the change-over, and says what became of each. `pages`: also what its plugins
    /// saved below the live document root.
    pub fn empty_caches(&self, pages: bool, monitor: &dyn Monitor) -> Vec<Emptied> {
        let all = self.emptied_caches(pages);
        for emptied in &all {
            let level = if emptied.is_done { Level::Info } else { Level::Warn };
            monitor.event(level, &emptied.said());
        }
        // nginx serves a saved page that it keeps open when its file is gone.
        if all.iter().any(|emptied| emptied.of_nginx) && self.services.keeps_files_open() {
            self.reload(Service::Nginx, monitor);
        }
        all
    }

    /// The same, told by its answer alone.
    pub fn emptied_caches(&self, pages: bool) -> Vec<Emptied> {
        self.services.empty_caches(&self.domain, pages, CACHES)
    }

    /// Whether nginx, PHP-FPM and, where the site uses it, Redis answer.
    pub fn service_checks(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = [Service::Nginx, Service::PhpFpm]
            .into_iter()
            .map(|service| {
                let state = self.services.health(service, &self.domain);
                let says = if state.up { "runs" } else { "does not answer" };
                let message = format!("{} {says}: {}", service.name(), state.evidence);
                let check = Check::of(word(service), state.up, message);
                if state.up { check } else { check.code(Code::ServiceDown) }
            })
            .collect();
        checks.push(self.redis());
        checks
    }

    fn redis(&self) -> Check {
        let required = self.config.services.redis.required;
        let state = self.services.health(Service::Redis, &self.domain);
        match (state.up, required) {
            (true, _) => Check::new("redis", Outcome::Pass, format!("Redis: {}", state.evidence)),
            (false, true) => {
                Check::new("redis", Outcome::Fail, format!("Redis: {}", state.evidence)).code(Code::ServiceDown)
            }
            (false, false) => {
                Check::new("redis", Outcome::NotChecked, "Redis: not required by restore.toml, and silent")
            }
        }
    }

    /// The port of `http.url`: a port that somebody else listens on keeps nginx from starting.
    pub fn port_check(&self) -> Check {
        let nginx = self.services.health(Service::Nginx, &self.domain);
        let Some(port) = port_of(&self.config.http.url) else {
            return Check::new("ports", Outcome::NotChecked, "http.url names no port");
        };
        match (is_listened_on(port), nginx.up) {
            (true, true) => Check::new("ports", Outcome::Pass, format!("port {port} is listened on, nginx runs")),
            (true, false) => {
                Check::new("ports", Outcome::Fail, format!("port {port} is in use although nginx does not run"))
            }
            (false, _) => Check::new("ports", Outcome::Warn, format!("nobody listens on port {port}")),
        }
        .with("port", port)
    }

    /// nginx and PHP-FPM test their whole configuration with these files in place, on a private copy.
    pub fn test_candidates(&self, files: &[ConfFile]) -> Vec<Check> {
        let tested = |service: Service| {
            let name = format!("{}_test", word(service));
            match self.services.test(service, files) {
                Ok(warnings) if warnings.is_empty() => Check::new(
                    &name,
                    Outcome::Pass,
                    format!("{} accepts the configuration (its own -t on a private copy)", service.name()),
                ),
                Ok(warnings) => Check::new(
                    &name,
                    Outcome::Warn,
                    format!("{} accepts the configuration and says: {}", service.name(), warnings.join("; ")),
                ),
                Err(error) => Check::failed(&name, &error),
            }
        };
        [Service::Nginx, Service::PhpFpm].into_iter().map(tested).collect()
    }

    /// nginx and PHP-FPM test the live configuration.
    pub fn test_live(&self) -> Vec<Check> {
        self.test_candidates(&[])
    }

    /// Connects as the site itself would, and reads.
    ///
    /// # Errors
    /// `database_unreachable`, `insufficient_privilege`.
    pub fn connect_as(&self, site: &SiteDatabase) -> Result<()> {
        let mut connection = site.server().connect(Some(&site.account.schema))?;
        let sql = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA=DATABASE() LIMIT 1";
        crate::host::database::server::rows(&mut connection, sql).map(drop)
    }

    /// The facts about the server, to compare a dump with. `account` is the site's, as `` `user`@`host` ``.
    ///
    /// # Errors
    /// `credentials_missing`, `database_unreachable`.
    pub fn server_facts(&self, account: Option<&str>) -> Result<ServerFacts> {
        crate::host::database::server_facts::server_facts(&self.server()?, account)
    }

    /// How the database server reads a dump; `None` where it takes no part, or does not answer.
    pub fn dialect(&self) -> Option<Dialect> {
        self.database.as_ref()?.version().ok().map(|version| Dialect::of(&version))
    }

    /// The server's data folder, when it is on this machine.
    pub fn data_folder(&self) -> Option<PathBuf> {
        self.database.as_ref()?;
        let mut connection = self.server().ok()?.connect(None).ok()?;
        let found = crate::host::database::server::rows(&mut connection, "SELECT @@datadir").ok()?;
        let path: String = found.first()?.get(0)?;
        Some(PathBuf::from(path)).filter(|path| path.is_dir())
    }
}

/// How the database server of a domain reads a dump; `None` where it does not answer. For those who look at a backup alone.
pub fn dialect(config: &Config, domain: &Domain) -> Option<Dialect> {
    let (server, _) = speaker(config, domain).ok()?;
    let mut connection = server?.impatient().connect(None).ok()?;
    let found = crate::host::database::server::rows(&mut connection, "SELECT VERSION()").ok()?;
    found.first().map(|row| Dialect::of(&crate::host::database::server::text(row, 0)))
}

/// The administrator, or the site's own account where the administrator is not let in, and why.
fn speaker(config: &Config, domain: &Domain) -> Result<(Option<Server>, Option<String>)> {
    let admin = Server::admin(config)?;
    let Err(refused) = admin.impatient().connect(None) else { return Ok((Some(admin), None)) };
    if refused.code != Code::InsufficientPrivilege {
        return Ok((Some(admin), None));
    }
    match Site::find(config, domain).and_then(|site| site_database::require(config, &site)).map(|site| site.server()) {
        Ok(site) if site.connect(None).is_ok() => Ok((Some(site), Some(refused.message))),
        _ => Ok((Some(admin), None)),
    }
}

fn judge_privileges(grants: &Grants, missing: &[Need], instead: Option<&str>) -> Check {
    let account = &grants.account;
    let why = instead.map_or(String::new(), |refused| format!("; the administrator is not let in ({refused})"));
    let (required, useful): (Vec<Need>, Vec<Need>) = missing.iter().cloned().partition(|need| need.required);
    if required.is_empty() {
        if useful.is_empty() {
            let message = format!("{account} may do all that a restore needs{why}");
            return Check::new("privileges", Outcome::Pass, message).with("account", account.clone());
        }
        let lacks: Vec<String> = useful.iter().map(|need| format!("{} ({})", need.name(), need.purpose)).collect();
        let message = format!("{account} may do what a restore needs, and lacks {}{why}", lacks.join(", "));
        return Check::new("privileges", Outcome::Warn, message)
            .with("account", account.clone())
            .hint(grants.remedy(&useful));
    }
    let names: Vec<String> = required.iter().map(Need::name).collect();
    let mut shown: Vec<String> = Vec::new();
    for need in &required {
        if !shown.iter().any(|known| known.ends_with(&format!(" ON {}", need.place))) {
            let there = required.iter().filter(|other| other.place == need.place);
            let privileges: Vec<&str> = there.filter_map(|other| other.privileges.first().copied()).collect();
            shown.push(format!("{} ON {}", privileges.join(", "), need.place));
        }
    }
    let roles = match grants.roles.as_slice() {
        [] => String::new(),
        roles => format!("; what the roles {} give when they are not active was not looked into", roles.join(", ")),
    };
    Check::new("privileges", Outcome::Fail, format!("{account} lacks {}{roles}{why}", shown.join("; ")))
        .code(Code::InsufficientPrivilege)
        .hint(format!("As the administrator of the server: {}", grants.remedy(&required)))
        .with("account", account.clone())
        .with("missing", names)
}

fn word(service: Service) -> &'static str {
    match service {
        Service::Nginx => "nginx",
        Service::PhpFpm => "php_fpm",
        Service::Redis => "redis",
    }
}

fn is_transient(code: Code) -> bool {
    matches!(code, Code::DatabaseUnreachable | Code::DatabaseLocked | Code::ReloadFailed | Code::ServiceDown)
}

fn port_of(url: &str) -> Option<u16> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?']).next()?;
    let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    port.or(match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })
}

/// Looks the port up in the kernel's tables of sockets: state 0A is LISTEN (proc(5)).
fn is_listened_on(port: u16) -> bool {
    let wanted = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
        std::fs::read_to_string(table).is_ok_and(|text| {
            text.lines().skip(1).any(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                matches!(fields.as_slice(), [_, local, _, "0A", ..] if local.ends_with(&wanted))
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_come_from_the_url() {
        assert_eq!(port_of("http://127.0.0.1/"), Some(80));
        assert_eq!(port_of("http://127.0.0.1:8080/x"), Some(8080));
        assert_eq!(port_of("https://a.com"), Some(443));
        assert_eq!(port_of("nonsense"), None);
    }

    #[test]
    fn a_listener_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_listened_on(port));
        drop(listener);
        assert!(!is_listened_on(port));
    }
}
