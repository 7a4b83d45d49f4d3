//! The machine as a job sees it: the database where it takes part, the services, and how often what can fail for a moment is
//! tried again.

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::credentials::SiteAccount;
use crate::host::database::{Database, Real, Server};
use crate::host::services::{MachineServices, Service, Services};
use crate::path::Domain;
use crate::progress::{Level, Monitor};
use crate::report::{Check, Outcome};
use crate::siteconf::ConfFile;
use crate::sql::compat::ServerFacts;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Connections of one job.
pub struct Hosts {
    /// The database server; `None` when the database takes no part.
    pub database: Option<Arc<dyn Database>>,
    /// nginx, PHP-FPM, the site's page.
    pub services: Arc<dyn Services>,
    config: Config,
    domain: Domain,
}

impl Hosts {
    /// The real machine; `work` is a private folder for copies of configuration. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// `credentials_missing`.
    pub fn of(config: &Config, domain: &Domain, with_database: bool, work: &Path) -> Result<Hosts> {
        let database: Option<Arc<dyn Database>> =
            if with_database { Some(Arc::new(Real::new(Server::admin(config)?))) } else { None };
        let services = Arc::new(MachineServices::new(config, work));
        Ok(Hosts { database, services, config: config.clone(), domain: domain.clone() })
    }

    /// The database for a clean-up: nothing when there is no server to ask.
    pub fn database_if_any(config: &Config) -> Option<Arc<dyn Database>> {
        let database = Real::new(Server::admin(config).ok()?);
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
    /// `credentials_missing`.
    pub fn database_again(&self) -> Result<Arc<dyn Database>> {
        Ok(Arc::new(Real::new(self.server()?)))
    }

    /// Where new connections of the administrator come from.
    ///
    /// # Errors
    /// `credentials_missing`.
    pub fn server(&self) -> Result<Server> {
        Server::admin(&self.config)
    }

    /// The server's number for the connection that will change tables.
    ///
    /// # Errors
    /// `database_unreachable`.
    pub fn connection(&self) -> Result<Option<u64>> {
        self.database.as_ref().map(|database| database.connection_id()).transpose()
    }

    /// Tries again what can fail for a moment, `limits.max_retries` times, each pause twice the last.
    ///
    /// # Errors
    /// The last one.
    pub fn retrying<T>(&self, act: impl Fn() -> Result<T>) -> Result<T> {
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

    /// Makes PHP forget compiled code of the files that were exchanged; reloads the pool where that is refused.
    pub fn refresh_code(&self, monitor: &dyn Monitor) {
        let refresh = self.services.refresh_code(&self.domain);
        if refresh.done {
            return;
        }
        monitor
            .event(Level::Info, &format!("PHP's code cache was not reset ({}): PHP-FPM is reloaded", refresh.evidence));
        if let Err(error) = self.services.reload(Service::PhpFpm) {
            monitor.event(Level::Warn, &error.message);
        }
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
                if state.up { check } else { check.with("code", Code::ServiceDown.name()) }
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
            (false, true) => Check::new("redis", Outcome::Fail, format!("Redis: {}", state.evidence))
                .with("code", Code::ServiceDown.name()),
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
                Err(error) => Check::new(&name, Outcome::Fail, error.message)
                    .with("code", error.code.name())
                    .with("hint", error.hint),
            }
        };
        [Service::Nginx, Service::PhpFpm].into_iter().map(tested).collect()
    }

    /// nginx and PHP-FPM test the live configuration.
    pub fn test_live(&self) -> Vec<Check> {
        self.test_candidates(&[])
    }

    /// Connects as the site itself would, to where its configuration says, and reads.
    ///
    /// # Errors
    /// `database_unreachable`, `insufficient_privilege`.
    pub fn connect_as(&self, account: &SiteAccount) -> Result<()> {
        let mut connection = Server::of_site(&self.config, account)?.connect(Some(&account.schema))?;
        crate::host::database::server::rows(&mut connection, "SHOW TABLES").map(drop)
    }

    /// What the server says of itself, to hold a dump against. `account` is the site's, as `` `user`@`host` ``.
    ///
    /// # Errors
    /// `credentials_missing`, `database_unreachable`.
    pub fn server_facts(&self, account: Option<&str>) -> Result<ServerFacts> {
        crate::host::database::compat::server_facts(&self.server()?, account)
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

/// By the kernel's tables of sockets: state 0A is LISTEN (proc(5)).
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
