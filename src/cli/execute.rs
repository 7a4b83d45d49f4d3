//! Commands for people, from their words to their answer.

use crate::broker::client::Door;
use crate::cli::arguments::Output;
use crate::cli::command::{Command, CommandName, Delivery, Operand};
use crate::cli::confirm;
use crate::cli::follow::{self, Show};
use crate::cli::format;
use crate::cli::option::{Given, OptionName};
use crate::cli::output::{say, show};
use crate::cli::request::{self, Folders};
use crate::cli::table;
use crate::cli::terminal::Style;
use crate::cli::text;
use crate::config::{Paths, Source};
use crate::error::{Code, Error, Result};
use crate::host::process;
use crate::job::{JobId, Kind};
use crate::path::Domain;
use crate::text::printable;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The exit status of a rehearsal that proved nothing. No error has this number.
const NOT_PROVEN: u8 = 3;

/// One command on its way.
pub struct Execution<'a> {
    /// Which one.
    pub command: &'static Command,
    /// What follows it.
    pub operands: &'a [String],
    /// Its options.
    pub given: &'a Given,
    /// The configuration as it was named.
    pub source: Option<Source>,
    /// How the answer is written.
    pub output: Output,
    /// What standard output can show.
    pub style: Style,
}

impl Execution<'_> {
    /// Runs the command and writes its answer. The exit status is that of the job, where there is one.
    ///
    /// # Errors
    /// `usage`; those of its call and of its job.
    pub fn run(&self) -> Result<ExitCode> {
        let door = Door::of(self.source.as_ref())?;
        if let (CommandName::Logs, Some(word)) = (self.command.name, self.operands.first())
            && let Ok(job) = JobId::parse(word)
        {
            return self.print_log(&door, &job);
        }
        match self.command.way {
            Delivery::Attach | Delivery::Wait => self.finish(&door, &JobId::parse(&self.operands[0])?),
            _ => self.ask(&door),
        }
    }

    /// Asks the engine, and waits for the job where one was begun.
    fn ask(&self, door: &Door) -> Result<ExitCode> {
        let mut request = request::request(self.command, self.operands, self.given, &self.folders(door)?)?;
        if let Some(source) = &self.source {
            request.insert("config".into(), json!(source));
        }
        if self.command.name == CommandName::Rollback
            && !request.contains_key("job")
            && !request.contains_key("snapshot")
        {
            request.insert("snapshot".into(), newest_snapshot(door, &request)?.into());
        }
        if self.command.way == Delivery::Change
            && !self.given.has(OptionName::DryRun)
            && !self.given.has(OptionName::Yes)
        {
            confirm::ask(self.command, &request, self.style)?;
        }
        let detach = self.given.has(OptionName::Detach);
        if self.command.way == Delivery::Change && !detach {
            // From here on Ctrl+C is a wish to stop the job, also while it is only being started.
            process::catch_interrupt();
        }
        let data = door.answer(self.command.call, &Value::from(request))?;
        let job = data["job"].as_str().map(JobId::parse).transpose()?;
        match job {
            Some(job) if detach => self.began(&job, &data),
            Some(job) if matches!(self.command.way, Delivery::Job | Delivery::Change) => {
                self.finish(door, &job).map_err(|error| goes_on(error, &job))
            }
            _ => self.answer(self.command.name, &data),
        }
    }

    /// Where the domain's backups and snapshots are.
    fn folders(&self, door: &Door) -> Result<Folders> {
        let (Some(Operand::Domain | Operand::AnyDomain | Operand::DomainOrJob), Some(word)) =
            (self.command.operands.first(), self.operands.first())
        else {
            return Ok(Folders::default());
        };
        let domain = Domain::parse(word)?;
        let of = |paths: &Paths| Folders {
            backups: paths.backups().join(domain.as_str()),
            snapshots: paths.snapshots().join(domain.as_str()),
        };
        let names = self.operands.iter().skip(1).map(String::as_str).chain(self.given.value(OptionName::Snapshot));
        Ok(match door {
            Door::Engine(config) => of(&config.paths),
            // Where they are is in the configuration, which this process may not read; the answers name whole paths.
            Door::Broker(_) if names.into_iter().any(request::is_name) => Folders {
                backups: folder_of(door, &domain, "list_backups", "backups").unwrap_or_default(),
                snapshots: folder_of(door, &domain, "list_snapshots", "snapshots").unwrap_or_default(),
            },
            Door::Broker(_) => of(&Paths::default()),
        })
    }

    /// Says which job was begun.
    fn began(&self, job: &JobId, data: &Value) -> Result<ExitCode> {
        show(&self.output, data, || format!("Job {job} has begun; `rocketvps-restore attach {job}` shows it.\n"));
        Ok(ExitCode::SUCCESS)
    }

    /// Waits for the end of a job, shows it meanwhile where people look, and gives its result.
    fn finish(&self, door: &Door, job: &JobId) -> Result<ExitCode> {
        let attached = matches!(self.command.way, Delivery::Attach | Delivery::Wait);
        let cancels = self.command.way == Delivery::Change || self.given.has(OptionName::CancelOnInterrupt);
        if attached && cancels {
            process::catch_interrupt();
        }
        let mut name = self.command.name;
        if attached {
            let status = door.poll(job, u64::MAX)?;
            if let Ok(kind) = serde_json::from_value::<Kind>(status["kind"].clone()) {
                name = table::of_kind(kind);
            }
            if self.output == Output::Text && self.command.way == Delivery::Attach {
                let interrupt = if cancels { "asks it to stop" } else { "leaves; the job goes on" };
                let (kind, domain) = (format::plain(&status["kind"]), format::plain(&status["domain"]));
                say(&format!("{kind} of {domain}, {job}. Ctrl+C {interrupt}.\n"));
            }
        }
        let shows = match self.command.way {
            Delivery::Change | Delivery::Attach => true,
            // The result is what is asked for. Where nobody sees the bar redrawn, it would only stand before it.
            Delivery::Job => self.style.live,
            _ => false,
        };
        match (shows && self.output == Output::Text, cancels) {
            (true, _) => follow::follow(door, job, self.style, Show::Progress, cancels)?,
            (false, true) => follow::follow(door, job, self.style, Show::Nothing, cancels)?,
            (false, false) => {}
        }
        let data = door.wait(job)?;
        self.answer(name, &data)
    }

    /// Writes the answer of a command.
    fn answer(&self, name: CommandName, data: &Value) -> Result<ExitCode> {
        show(&self.output, data, || text::of(table::word_of(name), data, self.style));
        // A check that failed is no error of the call, and still no good news for a script.
        let failed = match name {
            // Neither good news nor bad.
            CommandName::Rehearse if data["outcome"] == "not_checked" => return Ok(ExitCode::from(NOT_PROVEN)),
            CommandName::Verify => Code::VerificationFailed,
            CommandName::Validate | CommandName::Restore => Code::PreflightFailed,
            _ => return Ok(ExitCode::SUCCESS),
        };
        Ok(if data["outcome"] == "fail" { ExitCode::from(failed.number()) } else { ExitCode::SUCCESS })
    }

    fn print_log(&self, door: &Door, job: &JobId) -> Result<ExitCode> {
        let data = door.poll(job, u64::MAX)?;
        if self.output != Output::Text {
            return self.answer(CommandName::Logs, &data);
        }
        let log = data["log"].as_str().and_then(|path| path.rsplit('/').next());
        let (Some(name), Some(domain)) = (log, data["domain"].as_str()) else {
            return Err(Error::new(Code::JobNotFound, format!("job {job} has no log"))
                .hint("Restores and rollbacks have logs; `rocketvps-restore logs` lists them."));
        };
        let mut next = Some(0);
        while let Some(offset) = next {
            let read = door.read_log(domain, name, offset)?;
            let lines: String = read.text.lines().map(|line| printable(line) + "\n").collect();
            say(&lines);
            next = read.next;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The state before the last restore; without one, the newest portable snapshot.
fn newest_snapshot(door: &Door, request: &Map<String, Value>) -> Result<String> {
    let found = door.answer("list_snapshots", &Value::from(request.clone()))?;
    let snapshots = found["snapshots"].as_array().cloned().unwrap_or_default();
    let retained = snapshots.iter().find(|snapshot| snapshot["form"] == "retained");
    match retained.or(snapshots.first()) {
        Some(snapshot) => Ok(format::plain(&snapshot["path"])),
        None => Err(Error::new(
            Code::SnapshotNotFound,
            format!("{} has no snapshot to go back to", format::plain(&found["domain"])),
        )
        .hint(
            "A restore keeps the state before it for `limits.snapshot_retention_h` hours. Restore a backup instead.",
        )),
    }
}

/// The folder of what a call lists.
fn folder_of(door: &Door, domain: &Domain, call: &str, key: &str) -> Option<PathBuf> {
    let found = door.answer(call, &json!({"domain": domain.as_str()})).ok()?;
    Some(Path::new(found[key][0]["path"].as_str()?).parent()?.to_owned())
}

/// An error that is not the job's own: the job that began is not undone by it.
fn goes_on(error: Error, job: &JobId) -> Error {
    if error.context.contains_key("state") {
        return error;
    }
    let message = format!("{}; job {job} goes on", error.message);
    Error { message, ..error.hint(format!("See how it stands: `rocketvps-restore attach {job}`.")) }
}
