//! The services around a site: are they up, would they take a configuration, make them use it, ask them for a page.

mod caches;
mod config_test;
mod door;
pub mod fastcgi;
mod http;
mod https;
mod include;
mod master;
mod nginx_whole;
mod opcache;
mod open_files;
mod redis;
mod wire;
mod workers;

pub use caches::{Emptied, Requests};
pub use door::{CertificateBefore, Door, open};
pub use http::Answer;
pub use opcache::Refresh;
pub use workers::{Restarted, Told};

use crate::config::{Config, Manager, ServiceUnit};
use crate::error::{Code, Error, Result};
use crate::host::command;
use crate::path::Domain;
use crate::progress::Monitor;
use crate::siteconf::tls::Leaf;
use crate::siteconf::{ConfFile, Listen, live_pool, pool_socket};
use master::Master;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::Until;

/// A service that a site needs. The database has its own module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// The web server.
    Nginx,
    /// The PHP process manager.
    PhpFpm,
    /// Redis, where the site uses it.
    Redis,
}

impl Service {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Service::Nginx => "nginx",
            Service::PhpFpm => "PHP-FPM",
            Service::Redis => "Redis",
        }
    }
}

/// Whether a service works, and how that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// It works.
    pub up: bool,
    /// What was asked and what was answered.
    pub evidence: String,
}

/// How long a sign of life may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a page may take.
const PAGE_PATIENCE: Duration = Duration::from_secs(8);

/// The services of this machine. Every call is bounded in time.
pub struct Services {
    config: Config,
    work: PathBuf,
    monitor: Arc<dyn Monitor>,
}

impl Services {
    /// `work` is an existing folder that only this user may enter; private copies are made and removed in it. What a service says is
    /// waited for no longer than `monitor` lets the job go on.
    pub fn new(config: &Config, work: &Path, monitor: Arc<dyn Monitor>) -> Services {
        Services { config: config.clone(), work: work.to_owned(), monitor }
    }

    fn until(&self, time: Duration) -> Until {
        Until::from_now(time, &self.monitor)
    }

    fn unit(&self, service: Service) -> Result<&ServiceUnit> {
        match service {
            Service::Nginx => Ok(&self.config.services.nginx),
            Service::PhpFpm => Ok(&self.config.services.php_fpm),
            Service::Redis => Err(Error::new(Code::Internal, "Redis is asked, never configured")),
        }
    }

    fn master(&self, service: Service) -> Option<Master> {
        self.unit(service).ok().and_then(|unit| Master::find(service, unit))
    }

    fn nginx_health(&self) -> Health {
        match self.master(Service::Nginx) {
            Some(master) => {
                let workers = master.workers().len();
                Health { up: true, evidence: format!("master process {} with {workers} workers", master.pid) }
            }
            None => self.without_pid(Service::Nginx),
        }
    }

    /// No live process in the pid file: systemd may know better.
    fn without_pid(&self, service: Service) -> Health {
        let Ok(unit) = self.unit(service) else { return Health { up: false, evidence: String::new() } };
        let shown = unit.pidfile.display();
        if self.config.services.manager != Manager::Pidfile && master::systemd_runs() && !unit.unit.is_empty() {
            let up = command::systemctl(&["is-active", "--quiet", &unit.unit]).is_ok();
            let says = if up { "active" } else { "not active" };
            return Health {
                up,
                evidence: format!("no live process in {shown}; systemd says {} is {says}", unit.unit),
            };
        }
        Health { up: false, evidence: format!("no live {} process in {shown}", service.name()) }
    }

    fn php_health(&self, domain: &Domain) -> Health {
        let process = match self.master(Service::PhpFpm) {
            Some(master) => format!("master process {}", master.pid),
            None => self.without_pid(Service::PhpFpm).evidence,
        };
        let Some(socket) = pool_socket(&self.config, domain) else {
            let up = self.master(Service::PhpFpm).is_some() || self.without_pid(Service::PhpFpm).up;
            return Health { up, evidence: format!("{process}; no pool socket is known, so no answer was asked for") };
        };
        let path = live_pool(&self.config, domain).map(|pool| pool.ping_path).unwrap_or_default();
        match fastcgi::ping(&socket, &path, &self.until(PATIENCE)) {
            Ok(answer) => Health { up: true, evidence: format!("{process}; {answer} on {socket}") },
            Err(error) => Health { up: false, evidence: format!("{process}; no FastCGI answer on {socket}: {error}") },
        }
    }

    fn by_systemd(&self, service: Service, unit: &ServiceUnit) -> bool {
        match self.config.services.manager {
            Manager::Systemd => true,
            Manager::Pidfile => false,
            Manager::Auto => {
                master::systemd_runs()
                    && !unit.unit.is_empty()
                    && command::systemctl(&["show", "-p", "MainPID", "--value", &unit.unit]).is_ok_and(|said| {
                        let main = said.trim().parse::<i32>().unwrap_or(0);
                        // A process of its own beside systemd's is reloaded by signal.
                        match self.master(service) {
                            Some(master) => main == master.pid,
                            None => main != 0,
                        }
                    })
            }
        }
    }

    fn start(&self, service: Service, unit: &ServiceUnit) -> Result<()> {
        let failed = |why: String| Error::new(Code::ReloadFailed, format!("{} does not start: {why}", service.name()));
        if self.by_systemd(service, unit)
            || (self.config.services.manager == Manager::Auto && master::systemd_owns(unit))
        {
            command::systemctl(&["start", &unit.unit]).map_err(failed)?;
        } else {
            let program = master::program(service, unit).ok_or_else(|| failed("program not found".into()))?;
            let flag = if service == Service::Nginx { "-c" } else { "--fpm-config" };
            command::start(&program, &[flag.as_ref(), unit.conf.as_os_str()]).map_err(failed)?;
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if self.master(service).is_some_and(|master| !master.workers().is_empty()) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(failed("no worker process after 10 s".into()))
    }

    /// The reason of a failed reload, as the service's own test gives it.
    fn why(&self, service: Service, seen: String) -> Error {
        let said = self.test(service, &[]).err().map_or(seen, |error| error.message);
        Error::new(Code::ReloadFailed, format!("{} did not take its configuration: {said}", service.name()))
    }
}

impl Services {
    /// Asks a service for a sign of life; a site's PHP on the socket of its pool. At most three seconds.
    pub fn health(&self, service: Service, domain: &Domain) -> Health {
        match service {
            Service::Nginx => self.nginx_health(),
            Service::PhpFpm => self.php_health(domain),
            Service::Redis => redis::ping(&self.config.services.redis.url, &self.until(PATIENCE)),
        }
    }

    /// Lets the service's own program judge its whole configuration with these files in place, on a private copy.
    /// Gives the program's warnings.
    ///
    /// # Errors
    /// `config_rejected` with the program's message, `timed_out`, `io_failed`.
    pub fn test(&self, service: Service, candidates: &[ConfFile]) -> Result<Vec<String>> {
        let unit = self.unit(service)?;
        config_test::test(service, unit, &self.config, candidates, &self.work)
    }

    /// Makes the service use the configuration on disk, without dropping requests, and waits until it does.
    /// A service that does not run is started.
    ///
    /// # Errors
    /// `reload_failed` with the reason; PHP-FPM may be down afterwards, nginx goes on with the old configuration.
    pub fn reload(&self, service: Service) -> Result<()> {
        let unit = self.unit(service)?;
        let Some(master) = self.master(service) else { return self.start(service, unit) };
        let before = master.picture();
        if self.by_systemd(service, unit) {
            command::systemctl(&["reload", &unit.unit]).map_err(|seen| self.why(service, seen))?;
        } else {
            master.ask_reload().map_err(|error| self.why(service, error.to_string()))?;
        }
        master.await_new_workers(&before).map_err(|seen| self.why(service, seen))
    }

    /// Makes the site's PHP forget compiled code and file states. A few milliseconds; when it says no, reload.
    pub fn refresh_code(&self, domain: &Domain) -> Refresh {
        match pool_socket(&self.config, domain) {
            Some(socket) => opcache::refresh(&socket, &self.monitor),
            None => Refresh { done: false, evidence: "no pool socket is known".into() },
        }
    }

    /// Whether nginx may serve files that it opened before an exchange (`open_file_cache`), until it is reloaded.
    pub fn keeps_files_open(&self) -> bool {
        self.master(Service::Nginx).is_some() && open_files::are_kept(&self.config.services.nginx.conf)
    }

    /// The program of PHP-FPM, of the version that serves this machine's sites.
    pub fn php_program(&self) -> Option<PathBuf> {
        self.unit(Service::PhpFpm).ok().and_then(|unit| master::program(Service::PhpFpm, unit))
    }

    /// The program of nginx.
    pub fn nginx_program(&self) -> Option<PathBuf> {
        self.unit(Service::Nginx).ok().and_then(|unit| master::program(Service::Nginx, unit))
    }

    /// Asks a web server at a socket for a page of the site `name`, and follows it nowhere. The answer is in the form of PHP's.
    ///
    /// # Errors
    /// As [`http::ask_at`].
    pub fn ask_web(
        &self,
        to: &Listen,
        path: &str,
        name: &str,
        headers: &[(&str, &str)],
        time: Duration,
    ) -> std::io::Result<fastcgi::Reply> {
        http::ask_at(to, path, name, headers, &self.until(time))
    }

    /// Sends a request to a FastCGI server.
    ///
    /// # Errors
    /// As [`fastcgi::request`].
    pub fn ask(&self, to: &Listen, params: &[(&str, &str)], time: Duration) -> std::io::Result<fastcgi::Reply> {
        fastcgi::request(to, params, &self.until(time))
    }

    /// Where this machine speaks TLS for a site, as far as that is known, and the certificate that is presented there to those who ask for
    /// it. A door that nobody told of has to present the site's own. At most two seconds.
    pub fn door(&self, domain: &Domain) -> Option<(Door, std::io::Result<Leaf>)> {
        let (host, port) = http::host_and_port(&self.config.http.url)?;
        let door = Door::find(&self.config, domain, (&host, port))?;
        let leaf = door.presented(domain.as_str(), &self.until(door::HANDSHAKE));
        let is_own = leaf.as_ref().is_ok_and(|leaf| door.owns(leaf) == Some(true));
        (door.is_told || is_own).then_some((door, leaf))
    }

    /// The same, where it is [`open`].
    pub fn open_door(&self, domain: &Domain) -> Option<Door> {
        self.door(domain).and_then(open)
    }

    /// What is presented for the site now, to be held against what is later.
    pub fn certificate_before(&self, domain: &Domain) -> CertificateBefore {
        if self.config.http.url.is_empty() {
            return CertificateBefore::Unknown;
        }
        match self.door(domain) {
            Some((_, Ok(leaf))) => CertificateBefore::Presented(Box::new(leaf)),
            _ => CertificateBefore::Nothing,
        }
    }

    /// Asks for the site's page: `http.url` with `Host: DOMAIN`, along the site's own redirects; under TLS where the site takes no plain
    /// requests. At most eight seconds.
    ///
    /// # Errors
    /// `service_down` when there is no answer, `config_invalid` for an address that is none.
    pub fn fetch(&self, domain: &Domain, door: Option<&Door>) -> Result<Answer> {
        self.get(domain, None, (door, door.is_some_and(|door| door.is_alone)), PAGE_PATIENCE)
    }

    /// Asks for the same page under TLS. At most eight seconds.
    ///
    /// # Errors
    /// As [`Services::fetch`].
    pub fn fetch_secure(&self, domain: &Domain, door: &Door) -> Result<Answer> {
        self.get(domain, None, (Some(door), true), PAGE_PATIENCE)
    }

    /// Asks for another page of the site as its visitors do, under TLS where there is a door for that, for so long at most.
    ///
    /// # Errors
    /// As [`Services::fetch`].
    pub fn fetch_page_within(
        &self,
        domain: &Domain,
        path: &str,
        door: Option<&Door>,
        time: Duration,
    ) -> Result<Answer> {
        self.get(domain, Some(path), (door, door.is_some_and(|door| !door.asks_visitors)), time.min(PAGE_PATIENCE))
    }

    /// The same, for as long as a page may take.
    ///
    /// # Errors
    /// As [`Services::fetch`].
    pub fn fetch_page(&self, domain: &Domain, path: &str, door: Option<&Door>) -> Result<Answer> {
        self.fetch_page_within(domain, path, door, PAGE_PATIENCE)
    }

    fn get(
        &self,
        domain: &Domain,
        path: Option<&str>,
        (door, is_secure): (Option<&Door>, bool),
        time: Duration,
    ) -> Result<Answer> {
        let machine = http::Machine { url: &self.config.http.url, door };
        http::fetch(&machine, path, domain.as_str(), is_secure, &self.until(time))
    }
}

/// Where a socket or address is, for messages.
impl Listen {
    fn is_missing(&self) -> bool {
        matches!(self, Listen::Unix(path) if !path.exists())
    }
}
