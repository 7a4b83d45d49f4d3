//! The way of callers without rights: through the broker, by themselves.

use crate::api;
use crate::api::answer::jobs::{JobStatus, LogText};
use crate::api::request::Request;
use crate::broker::peer::Peer;
use crate::call::pause::Pause;
use crate::call::{self, Watch};
use crate::config::{BROKER, Config, DEFAULT_FILE, Settings, Source};
use crate::error::{Code, Error, Result};
use crate::job::{JobId, logs};
use crate::path::Domain;
use crate::worker::recovery;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Largest answer that is taken, in bytes.
const MAX_ANSWER: u64 = 256 << 20;
/// How long an answer may take that waits for no job.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a broker may be away while a job is looked at: it is started anew with each version.
const AWAY: Duration = Duration::from_secs(10);

/// Runs a call here; through the broker where this process has no right to read the configuration.
pub fn call(name: &str, request: &str) -> Value {
    if rustix::process::geteuid().is_root() {
        return call::call(name, request);
    }
    match Request::parse(name, request).map(|parsed| (Door::of(parsed.config()), parsed)) {
        Ok((Ok(Door::Broker(broker)), parsed)) => match broker.answer(&parsed) {
            Ok(data) => api::success(&data),
            Err(error) => api::failure(&error),
        },
        Ok((Err(error), _)) if error.code == Code::Forbidden => api::failure(&error),
        _ => call::call(name, request),
    }
}

/// Who answers this process.
#[derive(Debug)]
pub enum Door {
    /// The engine, within it.
    Engine(Box<Config>),
    /// The broker: this process has no right to read the configuration.
    Broker(Broker),
}

impl Door {
    /// Who answers under a configuration.
    ///
    /// # Errors
    /// Those of the configuration; `forbidden` where it may not be read and is not the broker's.
    pub fn of(source: Option<&Source>) -> Result<Door> {
        match Config::of(source) {
            Ok(config) => Ok(Door::Engine(Box::new(config))),
            Err(error) if error.code == Code::Forbidden && !rustix::process::geteuid().is_root() => {
                Broker::of(source, error).map(Door::Broker)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs a call and gives its data. A request of the engine has its own `config`.
    ///
    /// # Errors
    /// Those of the call.
    pub fn answer(&self, name: &str, request: &Value) -> Result<Value> {
        match self {
            Door::Engine(_) => call::answer(name, &request.to_string()),
            Door::Broker(broker) => broker.answer(&Request::parse(name, &request.to_string())?),
        }
    }

    /// A job that is looked at again and again, from its events after `since` on.
    ///
    /// # Errors
    /// `job_not_found`, `io_failed`, those of the broker.
    pub fn watch(&self, job: &JobId, since: u64) -> Result<Look<'_>> {
        Ok(match self {
            Door::Engine(config) => Look::Engine(config, Box::new(Watch::of(config, job, since)?), Instant::now()),
            Door::Broker(broker) => Look::Broker(broker, job.clone(), since),
        })
    }

    /// The status of a job with its events after `since`.
    ///
    /// # Errors
    /// `job_not_found`, `io_failed`, those of the broker.
    pub fn poll(&self, job: &JobId, since: u64) -> Result<Value> {
        call::written(&self.watch(job, since)?.status()?)
    }

    /// Whole lines of a log, from a byte on.
    ///
    /// # Errors
    /// Those of `read_log`, those of the broker.
    pub fn read_log(&self, domain: &str, name: &str, offset: u64) -> Result<LogText> {
        match self {
            Door::Engine(config) => logs::read(config, &Domain::parse(domain)?, name, offset),
            Door::Broker(broker) => {
                let answer =
                    broker.ask_about("read_log", &json!({"domain": domain, "name": name, "offset": offset}))?;
                serde_json::from_value(answer).map_err(|error| {
                    Error::new(Code::Internal, format!("the broker's answer is no text of a log: {error}"))
                })
            }
        }
    }

    /// Asks a job to stop.
    ///
    /// # Errors
    /// `job_not_found`, `io_failed`, those of the broker.
    pub fn cancel(&self, job: &JobId) -> Result<Value> {
        match self {
            Door::Engine(config) => call::cancel(config, job),
            Door::Broker(broker) => broker.ask_about("restore_cancel", &json!({"job": job.as_str()})),
        }
    }

    /// Waits for the end of a job and gives its result.
    ///
    /// # Errors
    /// The job's own error, with `job` and `state` in its context.
    pub fn wait(&self, job: &JobId) -> Result<Value> {
        if let Door::Engine(config) = self {
            return call::wait(config, job);
        }
        let mut look = self.watch(job, u64::MAX)?;
        let mut pause = Pause::default();
        loop {
            let status = look.status()?;
            if status.status.state.is_final() {
                return call::finished(job, status);
            }
            pause.take();
        }
    }
}

/// A job under somebody's eyes.
#[derive(Debug)]
pub enum Look<'a> {
    /// In its folder, with the time of the last look for dead workers.
    Engine(&'a Config, Box<Watch>, Instant),
    /// By the broker, from the events after a number on.
    Broker(&'a Broker, JobId, u64),
}

impl Look<'_> {
    /// How it stands now, with what happened since the last look.
    ///
    /// # Errors
    /// `io_failed`, those of the broker.
    pub fn status(&mut self) -> Result<JobStatus> {
        match self {
            Look::Engine(config, watch, looked) => {
                // Its worker may die.
                if looked.elapsed() > Duration::from_secs(1) {
                    recovery::kick(config);
                    *looked = Instant::now();
                }
                watch.status(config)
            }
            Look::Broker(broker, job, since) => {
                let asked = json!({"job": job.as_str(), "since": *since});
                let answer = broker.converse(broker.connect_again()?, "restore_poll", &asked, Some(PATIENCE))?;
                let status: JobStatus = serde_json::from_value(answer).map_err(|error| {
                    Error::new(Code::Internal, format!("the broker's answer is no status: {error}"))
                })?;
                *since = status.status.last_event.max(*since);
                Ok(status)
            }
        }
    }
}

/// A broker that listens.
#[derive(Debug)]
pub struct Broker {
    socket: PathBuf,
    /// What stands where it does not listen.
    refusal: Error,
}

impl Broker {
    fn of(source: Option<&Source>, refusal: Error) -> Result<Broker> {
        if !is_the_brokers(source) {
            return Err(refusal.hint("Run it as root: through the broker only its own configuration holds."));
        }
        Ok(Broker { socket: socket(source), refusal })
    }

    fn answer(&self, request: &Request) -> Result<Value> {
        let mut asked = request.to_json()?;
        if let Some(asked) = asked.as_object_mut() {
            asked.remove("config");
        }
        let patience = if request.waits() { None } else { Some(PATIENCE) };
        self.converse(self.connect()?, request.name(), &asked, patience)
    }

    /// Runs a call, of the engine or of the broker's own, and gives its data.
    ///
    /// # Errors
    /// Those of the call; `forbidden` where no broker listens.
    pub fn ask_about(&self, call: &str, request: &Value) -> Result<Value> {
        self.converse(self.connect()?, call, request, Some(PATIENCE))
    }

    fn connect(&self) -> Result<UnixStream> {
        let socket = self.socket.display();
        let refusal = |hint: String| Err(self.refusal.clone().hint(hint));
        match UnixStream::connect(&self.socket) {
            // Whoever else listens there is no broker: it would learn what is asked, and could answer anything.
            Ok(stream) if !Peer::of(&stream).is_ok_and(|peer| peer.uid == 0) => {
                refusal(format!("Run it as root: whoever listens at {socket} is not root."))
            }
            Ok(stream) => Ok(stream),
            Err(error) => refusal(format!(
                "Run it as root, or let the administrator start the broker (`systemctl enable --now rocketvps-restore.socket`, or \
                 `rocketvps-restore serve`): {socket}: {error}."
            )),
        }
    }

    /// The same, of a broker that was there a moment ago.
    fn connect_again(&self) -> Result<UnixStream> {
        let until = Instant::now() + AWAY;
        loop {
            match self.connect() {
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(200)),
                other => return other,
            }
        }
    }

    fn converse(&self, stream: UnixStream, call: &str, request: &Value, patience: Option<Duration>) -> Result<Value> {
        let document = json!({"call": call, "request": request}).to_string() + "\n";
        let mut answer = ask(stream, &document, patience).map_err(|error| {
            let message = format!("the broker at {} does not answer: {error}", self.socket.display());
            Error::new(Code::IoFailed, message).hint(
                "What it was asked for may have begun: `rocketvps-restore jobs`. See the broker's log: `journalctl -u rocketvps-restore`.",
            )
        })?;
        match answer["error"].is_object() {
            true => Err(Error::from_json(&answer["error"])),
            false => Ok(answer["data"].take()),
        }
    }
}

fn ask(mut stream: UnixStream, document: &str, patience: Option<Duration>) -> std::io::Result<Value> {
    stream.set_read_timeout(patience)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // A broker that is busy answers and hangs up before it has read all.
    match stream.write_all(document.as_bytes()).and_then(|()| stream.shutdown(Shutdown::Write)) {
        Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::NotConnected) => return Err(error),
        _ => {}
    }
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    serde_json::from_str(&answer).map_err(std::io::Error::from)
}

/// Whether the caller wants no other configuration than the broker's: the usual file, or the one whose `paths.broker` it names, and nothing
/// set over it.
fn is_the_brokers(source: Option<&Source>) -> bool {
    let usual = |file: &Path| file == Path::new(DEFAULT_FILE);
    match source {
        None => true,
        Some(Source::File(file)) => usual(file),
        Some(Source::Set(Settings { file, set })) => {
            let sets_broker = set.get("paths").is_some_and(|paths| paths["broker"].is_string());
            let sets_more = set.iter().any(|(key, value)| {
                key != "paths" || value.as_object().is_none_or(|paths| paths.keys().any(|key| key != "broker"))
            });
            !sets_more && (sets_broker || file.as_deref().is_none_or(usual))
        }
    }
}

/// Where the broker listens: `paths.broker` of the request's own settings, else the usual place, since the file cannot be read.
fn socket(source: Option<&Source>) -> PathBuf {
    let set = match source {
        Some(Source::Set(settings)) => settings.set.get("paths").and_then(|paths| paths["broker"].as_str()),
        _ => None,
    };
    Path::new(set.unwrap_or(BROKER)).to_owned()
}
