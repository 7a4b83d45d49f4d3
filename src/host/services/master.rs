//! The master process of nginx or PHP-FPM: found by its pid file, asked to reload, watched until it has.

use super::{Service, command};
use crate::config::ServiceUnit;
use rustix::process::{Pid, Signal};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a service may take until new workers stand. PHP-FPM waits for running requests as its
/// `process_control_timeout` says.
const RELOAD_PATIENCE: Duration = Duration::from_secs(15);

/// A running master process.
#[derive(Debug, Clone)]
pub struct Master {
    /// Process id.
    pub pid: i32,
    service: Service,
    pidfile: PathBuf,
}

/// What is compared before and after a reload.
#[derive(Debug)]
pub struct Picture {
    workers: HashSet<i32>,
    pidfile: Option<(u64, i64, i64)>,
}

fn title(pid: i32) -> String {
    let text = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&text).replace('\0', " ").trim_end().to_owned()
}

/// Field 4 of proc(5) stat; the name before it may hold spaces and parentheses.
fn parent(pid: i32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?;
    if state == "Z" { None } else { fields.next()?.parse().ok() }
}

fn alive(pid: i32) -> bool {
    parent(pid).is_some()
}

impl Master {
    /// The master named by the pid file, if that process is alive and of this service (a pid may be used again).
    pub fn find(service: Service, unit: &ServiceUnit) -> Option<Master> {
        let pid: i32 = fs::read_to_string(&unit.pidfile).ok()?.trim().parse().ok().filter(|pid| *pid > 1)?;
        let master = Master { pid, service, pidfile: unit.pidfile.clone() };
        master.is_it().then_some(master)
    }

    fn is_it(&self) -> bool {
        let word = if self.service == Service::Nginx { "nginx" } else { "php-fpm" };
        (0..5).any(|_| {
            let title = title(self.pid);
            // While a process runs itself anew its title is empty for a moment.
            if title.is_empty() && alive(self.pid) {
                std::thread::sleep(Duration::from_millis(2));
            }
            title.contains(word) && alive(self.pid)
        })
    }

    /// Its worker processes that take requests, with those on their way out left out.
    pub fn workers(&self) -> HashSet<i32> {
        let word = if self.service == Service::Nginx { "nginx: worker process" } else { "php-fpm" };
        self.children()
            .into_iter()
            .filter(|pid| {
                let title = title(*pid);
                title.contains(word) && !title.contains("shutting down")
            })
            .collect()
    }

    fn children(&self) -> Vec<i32> {
        if let Ok(text) = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid)) {
            return text.split_whitespace().filter_map(|pid| pid.parse().ok()).filter(|pid| alive(*pid)).collect();
        }
        let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
        processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| parent(*pid) == Some(self.pid))
            .collect()
    }

    fn pidfile_identity(&self) -> Option<(u64, i64, i64)> {
        fs::metadata(&self.pidfile).ok().map(|meta| (meta.ino(), meta.mtime(), meta.mtime_nsec()))
    }

    /// What a reload changes.
    pub fn picture(&self) -> Picture {
        Picture { workers: self.workers(), pidfile: self.pidfile_identity() }
    }

    /// Sends the signal for a graceful reload.
    ///
    /// # Errors
    /// The signal's.
    pub fn ask_reload(&self) -> std::io::Result<()> {
        let signal = if self.service == Service::Nginx { Signal::HUP } else { Signal::USR2 };
        let pid = Pid::from_raw(self.pid).ok_or(std::io::ErrorKind::NotFound)?;
        Ok(rustix::process::kill_process(pid, signal)?)
    }

    /// Waits until every worker is one that began after `before`.
    ///
    /// # Errors
    /// What was seen instead.
    pub fn await_new_workers(&self, before: &Picture) -> Result<(), String> {
        let deadline = Instant::now() + RELOAD_PATIENCE;
        loop {
            if !alive(self.pid) {
                return Err(format!("its master process {} has ended", self.pid));
            }
            let workers = self.workers();
            let renewed = workers.is_disjoint(&before.workers);
            let standing = match self.service {
                // PHP-FPM runs itself anew in the same process and writes its pid file when it has read everything;
                // a pool on demand has no workers then.
                Service::PhpFpm => self.pidfile_identity().is_some_and(|now| Some(now) != before.pidfile),
                // Without a master there is one process, which goes on with the new configuration.
                _ => !workers.is_empty() || before.workers.is_empty(),
            };
            if renewed && standing {
                return Ok(());
            }
            if Instant::now() > deadline {
                let seconds = RELOAD_PATIENCE.as_secs();
                return Err(format!("process {} has no new workers after {seconds} s", self.pid));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The folder given by `-p` when it was started, as its title shows it.
    pub fn prefix(&self) -> Option<PathBuf> {
        let title = title(self.pid);
        let mut words = title.split(' ').skip_while(|word| *word != "-p");
        words.nth(1).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

/// Whether systemd is this machine's init.
pub fn systemd_runs() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Whether systemd would start this very configuration.
pub fn systemd_owns(unit: &ServiceUnit) -> bool {
    systemd_runs()
        && !unit.unit.is_empty()
        && command::systemctl(&["show", "-p", "PIDFile", "-p", "ExecStart", &unit.unit])
            .is_ok_and(|said| starts(&said, unit))
}

/// Whether what systemd shows of a unit is our service: its pid file is the one we watch, or its command reads our file. The unit of
/// Debian's PHP-FPM names no pid file.
fn starts(shown: &str, unit: &ServiceUnit) -> bool {
    shown.lines().any(|line| match line.split_once('=') {
        Some(("PIDFile", file)) => Path::new(file.trim()) == unit.pidfile,
        Some(("ExecStart", command)) => command.split_whitespace().any(|word| Path::new(word) == unit.conf),
        _ => false,
    })
}

/// The program of a service: as configured, else of the PHP version its configuration belongs to, else by name.
pub fn program(service: Service, unit: &ServiceUnit) -> Option<PathBuf> {
    if !unit.program.as_os_str().is_empty() {
        return Some(unit.program.clone());
    }
    if service == Service::Nginx {
        return command::find("nginx");
    }
    let version = |path: &Path| {
        path.iter().filter_map(|part| part.to_str()).map(str::to_owned).find(|part| {
            part.split_once('.').is_some_and(|(major, minor)| {
                [major, minor]
                    .iter()
                    .all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            })
        })
    };
    let running =
        || Master::find(service, unit).and_then(|master| fs::read_link(format!("/proc/{}/exe", master.pid)).ok());
    version(&unit.conf)
        .and_then(|version| command::find(&format!("php-fpm{version}")))
        .or_else(|| running().filter(|program| program.is_file()))
        .or_else(|| command::find("php-fpm"))
        .or_else(|| {
            let mut found: Vec<PathBuf> = command::FOLDERS
                .iter()
                .filter_map(|folder| fs::read_dir(folder).ok())
                .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
                .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("php-fpm")))
                .collect();
            found.sort();
            found.pop()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_starts_our_configuration_is_ours_with_a_pid_file_or_without() {
        let unit = ServiceUnit {
            conf: "/etc/php/8.2/fpm/php-fpm.conf".into(),
            pidfile: "/run/php/php8.2-fpm.pid".into(),
            ..ServiceUnit::default()
        };
        let of_debian = "ExecStart={ path=/usr/sbin/php-fpm8.2 ; argv[]=/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config \
            /etc/php/8.2/fpm/php-fpm.conf ; ignore_errors=no ; pid=0 ; code=(null) ; status=0/0 }";
        for ours in [of_debian.to_owned(), format!("PIDFile=\n{of_debian}"), "PIDFile=/run/php/php8.2-fpm.pid\n".into()]
        {
            assert!(starts(&ours, &unit), "{ours}");
        }
        let other = of_debian.replace("8.2/fpm", "8.4/fpm");
        for not_ours in [other.as_str(), "PIDFile=\n", "PIDFile=/run/nginx.pid\nExecStart={ path=/usr/sbin/nginx }", ""]
        {
            assert!(!starts(not_ours, &unit), "{not_ours}");
        }
    }

    #[test]
    fn a_pid_used_again_by_another_program_is_not_the_service() {
        let folder = tempfile::tempdir().unwrap();
        let pidfile = folder.path().join("pid");
        let unit = ServiceUnit { pidfile: pidfile.clone(), ..ServiceUnit::default() };
        assert!(Master::find(Service::Nginx, &unit).is_none());
        let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        for text in [other.id().to_string(), "x".into(), "1".into(), "-1".into(), String::new()] {
            fs::write(&pidfile, text).unwrap();
            assert!(Master::find(Service::Nginx, &unit).is_none());
        }
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
