//! TEMP until the real one lands
#![allow(missing_docs)]
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    Nginx,
    PhpFpm,
    Redis,
}
impl Service {
    pub fn name(self) -> &'static str {
        match self {
            Service::Nginx => "nginx",
            Service::PhpFpm => "php_fpm",
            Service::Redis => "redis",
        }
    }
}
pub struct Answer {
    pub status: u16,
    pub millis: u64,
}
pub struct Health {
    pub up: bool,
    pub evidence: String,
}
pub struct Refresh {
    pub done: bool,
    pub evidence: String,
}
pub trait Services: Send + Sync {
    fn health(&self, s: Service, d: &Domain) -> Health;
    fn test(&self, s: Service, candidates: &[crate::siteconf::ConfFile]) -> Result<Vec<String>>;
    fn reload(&self, s: Service) -> Result<()>;
    fn fetch(&self, d: &Domain) -> Result<Answer>;
    fn refresh_code(&self, domain: &Domain) -> Refresh;
}
pub struct MachineServices {
    config: Config,
}
impl MachineServices {
    pub fn new(config: &Config, _: &std::path::Path) -> MachineServices {
        MachineServices { config: config.clone() }
    }
    fn pid(&self, s: Service) -> Option<i32> {
        let p = match s {
            Service::Nginx => &self.config.services.nginx.pidfile,
            _ => &self.config.services.php_fpm.pidfile,
        };
        std::fs::read_to_string(p).ok()?.trim().parse().ok()
    }
}
impl Services for MachineServices {
    fn health(&self, s: Service, _: &Domain) -> Health {
        match self.pid(s) {
            Some(pid) if std::path::Path::new(&format!("/proc/{pid}")).exists() => {
                Health { up: true, evidence: format!("process {pid} runs") }
            }
            _ => Health { up: false, evidence: "no process".into() },
        }
    }
    fn test(&self, _: Service, _: &[crate::siteconf::ConfFile]) -> Result<Vec<String>> {
        Ok(vec![])
    }
    fn reload(&self, s: Service) -> Result<()> {
        let pid = self.pid(s).ok_or_else(|| Error::new(Code::ReloadFailed, "no pid"))?;
        let signal = if s == Service::Nginx { rustix::process::Signal::HUP } else { rustix::process::Signal::USR2 };
        let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal);
        std::thread::sleep(std::time::Duration::from_millis(300));
        Ok(())
    }
    fn fetch(&self, d: &Domain) -> Result<Answer> {
        let began = std::time::Instant::now();
        let host = self.config.http.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let fail = |e: std::io::Error| Error::new(Code::ServiceDown, format!("http: {e}"));
        let mut s = std::net::TcpStream::connect(&host).map_err(fail)?;
        s.write_all(format!("GET / HTTP/1.0\r\nHost: {d}\r\n\r\n").as_bytes()).map_err(fail)?;
        let mut t = Vec::new();
        s.read_to_end(&mut t).map_err(fail)?;
        let line = String::from_utf8_lossy(&t[..t.len().min(40)]).into_owned();
        Ok(Answer {
            status: line.split(' ').nth(1).and_then(|x| x.parse().ok()).unwrap_or(0),
            millis: began.elapsed().as_millis() as u64,
        })
    }
    fn refresh_code(&self, _: &Domain) -> Refresh {
        Refresh { done: true, evidence: "temp".into() }
    }
}
