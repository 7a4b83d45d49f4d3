//! Runs the operator's hooks at the moments of a job, and keeps what became of them.
//!
//! A hook that ended is noted in the job's folder before the next one begins. So a recovery knows which hooks of `committed` are still
//! to be run: each of them ends at least once, and one in which the worker died is run again. Before the change-over a job that died is
//! begun anew, and its hooks with it. Those of the end (`rolled-back`, `done`, `failed`) are run when the job is over, at most once.

use crate::api::answer::hooks::{HookComponents, HookDocument, HookOutcome, HookRun, Moment};
use crate::error::{Code, Error, Result};
use crate::host::guarded::{End, Guarded};
use crate::host::hooks::{self, Hook, Hooks};
use crate::job::ending::Ending;
use crate::job::folder::{JobFolder, file};
use crate::job::ticket::Ticket;
use crate::job::{Kind, State};
use crate::plan::Plan;
use crate::progress::{Level, Monitor};
use crate::report::{Check, Outcome};
use crate::text::printable;
use std::path::Path;
use std::time::{Duration, Instant};

/// By this status a hook stops the job, before the change-over (`EX_TEMPFAIL` of sysexits.h).
const STOP: i32 = 75;
/// Most letters of a hook's words that the report has.
const SAID: usize = 2000;
/// Most lines of a hook's words that the log has.
const LINES: usize = 50;

/// The job that the hooks are told of.
pub struct Told<'a> {
    /// Its folder.
    pub folder: &'a JobFolder,
    /// Its request and config.
    pub ticket: &'a Ticket,
    /// Its plan; `None` where it ended before it had one.
    pub plan: Option<&'a Plan>,
    /// Where it stands.
    pub state: State,
    /// Why it did not do what was asked.
    pub error: Option<&'a Error>,
}

impl Told<'_> {
    /// Runs the hooks of a moment. After the change-over nothing of a hook is an error.
    ///
    /// # Errors
    /// `hook_refused` when one stops the job, `config_invalid` for hooks that may not be run, `cancelled`, `timed_out`; before the
    /// change-over only.
    pub fn run(&self, moment: Moment, monitor: &dyn Monitor) -> Result<()> {
        let found = match hooks::read(&self.ticket.config) {
            Ok(found) => found,
            Err(error) if moment.may_stop() => return Err(error),
            Err(error) => {
                monitor.event(Level::Warn, &error.message);
                return Ok(());
            }
        };
        let mut runs = runs(self.folder);
        for hook in found.all.iter().filter(|hook| hook.moment == moment) {
            if runs.iter().any(|run| run.moment == moment && run.name == hook.name) {
                continue;
            }
            let (run, error) = self.run_one(&found, hook, monitor);
            tell(&run, monitor);
            runs.push(run);
            // A full disk keeps no hook from being run; a recovery may run it again.
            let _ = self.folder.write(file::HOOKS, &runs);
            error?;
        }
        Ok(())
    }

    fn run_one(&self, found: &Hooks, hook: &Hook, monitor: &dyn Monitor) -> (HookRun, Result<()>) {
        let moment = hook.moment;
        let began = Instant::now();
        let config = &self.ticket.config;
        let domain = self.ticket.domain.as_ref().map(|domain| domain.as_str().to_owned()).unwrap_or_default();
        let ended = Guarded {
            program: &hook.path,
            arguments: Vec::new(),
            input: self.document(moment).as_bytes(),
            variables: vec![
                ("RV_MOMENT", moment.word().to_owned()),
                ("RV_JOB", self.ticket.job.as_str().to_owned()),
                ("RV_DOMAIN", domain),
            ],
            account: found.account.as_ref(),
            folder: Path::new("/"),
            time: Duration::from_secs(config.limits.hook_s),
            monitor: moment.may_stop().then_some(monitor),
        }
        .run();
        let made = |outcome, status, said: &str| HookRun {
            moment,
            name: hook.name.clone(),
            outcome,
            status,
            took_s: (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            said: said
                .trim()
                .chars()
                .take(SAID)
                .collect::<String>()
                .lines()
                .map(printable)
                .collect::<Vec<_>>()
                .join("\n"),
        };
        match ended {
            Ok((End::Exited(0), said)) => (made(HookOutcome::Done, Some(0), &said), Ok(())),
            Ok((End::Exited(STOP), said)) if moment.may_stop() => {
                let run = made(HookOutcome::Refused, Some(STOP), &said);
                let error = refusal(&run);
                (run, Err(error))
            }
            Ok((End::Exited(status), said)) => (made(HookOutcome::Failed, Some(status), &said), Ok(())),
            Ok((End::TimedOut, said)) => (made(HookOutcome::Ended, None, &said), Ok(())),
            Ok((End::Stopped(error), said)) => (made(HookOutcome::Ended, None, &said), Err(error)),
            Err(error) => (made(HookOutcome::Failed, None, &format!("it cannot be run: {error}")), Ok(())),
        }
    }

    fn document(&self, moment: Moment) -> String {
        let plan = self.plan;
        let staged = plan.filter(|_| moment.may_stop());
        let there = |path: &&Path| !path.as_os_str().is_empty() && moment != Moment::PreFlight;
        let document = HookDocument {
            schema: 1,
            moment,
            job: &self.ticket.job,
            kind: self.ticket.kind,
            domain: self.ticket.domain.as_ref(),
            state: self.state,
            backup: plan.map(|plan| plan.source.as_str()),
            components: plan.map(|plan| HookComponents {
                files: plan.selection.files.any(),
                database: plan.selection.database.any() && plan.database.is_some(),
                config: &plan.selection.config,
            }),
            document_root: plan.map(|plan| plan.document_root.as_path()),
            staged_tree: staged.filter(|plan| plan.selection.files.any()).map(|plan| plan.tree.as_path()).filter(there),
            shadow_schema: staged
                .filter(|_| moment != Moment::PreFlight)
                .and_then(|plan| plan.database.as_ref())
                .map(|names| names.shadow.as_str()),
            error: self.error,
        };
        // It holds text and numbers: it can always be written.
        serde_json::to_string(&document).unwrap_or_default()
    }
}

/// Runs the hooks of a job's end. The job is over by then, and its state stays.
pub fn ended(folder: &JobFolder, ticket: &Ticket, ending: &Ending, monitor: &dyn Monitor) {
    if !matches!(ticket.kind, Kind::Restore | Kind::Rollback) {
        return;
    }
    let state = ending.state();
    let moment = match state {
        State::Done => Moment::Done,
        State::RolledBack => Moment::RolledBack,
        _ => Moment::Failed,
    };
    let plan: Option<Plan> = folder.read(file::PLAN).ok();
    // None of these moments gives an error.
    let _ = Told { folder, ticket, plan: plan.as_ref(), state, error: ending.error() }.run(moment, monitor);
}

/// What became of the hooks of a job so far.
pub fn runs(folder: &JobFolder) -> Vec<HookRun> {
    folder.read(file::HOOKS).unwrap_or_default()
}

/// Whether the operator's hooks may be run; nothing where there is none.
pub fn check(config: &crate::config::Config) -> Option<Check> {
    let found = match hooks::read(config) {
        Ok(found) => found,
        Err(error) => return Some(Check::failed("hooks", &error)),
    };
    if found.all.is_empty() && found.idle.is_empty() {
        return None;
    }
    let names: Vec<String> = found.all.iter().map(|hook| format!("{}/{}", hook.moment.word(), hook.name)).collect();
    let as_whom = found.account.as_ref().map_or("root", |account| account.name.as_str());
    let message = match names.len() {
        0 => "no hook will be run".to_owned(),
        1 => format!("a hook will be run as {as_whom}: {}", names[0]),
        count => format!("{count} hooks will be run as {as_whom}: {}", names.join(", ")),
    };
    let (outcome, message) = match found.idle.is_empty() {
        true => (Outcome::Pass, message),
        false => (Outcome::Warn, format!("{message}; {}", found.idle.join("; "))),
    };
    Some(Check::new("hooks", outcome, message).with("hooks", names.len()))
}

/// The error of a job that a hook stopped, with the hook's words as its reason.
fn refusal(run: &HookRun) -> Error {
    let hook = format!("{}/{}", run.moment.word(), run.name);
    let words: String = run.said.lines().collect::<Vec<_>>().join(" ").chars().take(500).collect();
    let why = if words.is_empty() { "it says nothing".to_owned() } else { words };
    Error::new(Code::HookRefused, format!("the hook {hook} stopped the job: {why}")).with("hook", hook)
}

fn tell(run: &HookRun, monitor: &dyn Monitor) {
    let hook = format!("hook {}/{}", run.moment.word(), run.name);
    for line in run.said.lines().take(LINES) {
        monitor.event(Level::Info, &format!("{hook}: {line}"));
    }
    let took = run.took_s;
    match (run.outcome, run.status) {
        (HookOutcome::Done, _) => monitor.event(Level::Info, &format!("{hook} done after {took} s")),
        (HookOutcome::Refused, _) => monitor.event(Level::Error, &format!("{hook} stopped the job after {took} s")),
        (HookOutcome::Ended, _) => monitor.event(Level::Warn, &format!("{hook} was ended after {took} s")),
        (HookOutcome::Failed, Some(status)) => {
            monitor.event(Level::Warn, &format!("{hook} failed with status {status} after {took} s"));
        }
        (HookOutcome::Failed, None) => monitor.event(Level::Warn, &format!("{hook} failed")),
    }
}
