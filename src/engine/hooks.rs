//! Runs the operator's hooks at the moments of a job, and keeps what became of them.
//!
//! A hook that ended is noted in the job's folder before the next one begins. So a recovery knows which hooks of `committed` are still
//! to be run: one in which the worker died is run again, and given up when it took its worker down a second time. Before the change-over a job that died is
//! begun anew, and its hooks with it. Those of the end (`rolled-back`, `done`, `failed`) are run when the job is over, at most once.

use crate::api::answer::hooks::{HookComponents, HookDocument, HookOutcome, HookRun, Moment};
use crate::config::Config;
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
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// By this status a hook stops the job, before the change-over (`EX_TEMPFAIL` of sysexits.h).
const STOP: i32 = 75;
/// A status above this one: a signal's, or that of a shell whose last program ended by one.
const SIGNALS: i32 = 128;
/// Most letters of a hook's words in an error.
const REASON: usize = 500;
/// How often a hook of `committed` is begun whose end nobody noted.
const BEGINNINGS: u32 = 2;
/// Most letters of a hook's words that the report has.
const SAID: usize = 2000;
/// Most lines of a hook's words that the log has.
const LINES: usize = 50;

/// Whether there are hooks of one of these moments; also where that cannot be told.
pub fn has(config: &Config, moments: &[Moment]) -> bool {
    hooks::read(config).map_or(true, |found| found.all.iter().any(|hook| moments.contains(&hook.moment)))
}

/// Whether a job of a kind runs the hooks of a moment. A rehearsal changes nothing live, and no hook tells its end: what one of
/// `pre-flight` freezes would stay frozen. A scanner looks into what it stages all the same.
fn has_hooks(kind: Kind, moment: Moment) -> bool {
    match kind {
        Kind::Restore | Kind::Rollback => true,
        Kind::Rehearse => moment == Moment::Staged,
        _ => false,
    }
}

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
    /// Runs the hooks of a moment, where jobs of this kind have it. After the change-over nothing of a hook is an error.
    ///
    /// # Errors
    /// `hook_refused` when one stops the job, `config_invalid` for hooks that may not be run, `cancelled`, `timed_out`; before the
    /// change-over only.
    pub fn run(&self, moment: Moment, monitor: &dyn Monitor) -> Result<()> {
        self.run_while(moment, monitor, &|| true)
    }

    /// The same, where a hook begins only as long as the moment lasts.
    ///
    /// # Errors
    /// As [`Told::run`].
    pub fn run_while(&self, moment: Moment, monitor: &dyn Monitor, lasts: &dyn Fn() -> bool) -> Result<()> {
        if !has_hooks(self.ticket.kind, moment) {
            return Ok(());
        }
        let found = match hooks::read(&self.ticket.config) {
            Ok(found) => found,
            // Nothing but a hook's own word stands in a way back.
            Err(error) if moment.may_stop() && self.ticket.kind != Kind::Rollback => return Err(error),
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
            if !lasts() {
                monitor.event(Level::Info, &format!("hook {} is not run any more", hook.shown()));
                continue;
            }
            let (run, error) = match moment == Moment::Committed && self.count_beginning(hook) > BEGINNINGS {
                true => (given_up(hook), Ok(())),
                false => self.run_one(&found, hook, monitor),
            };
            tell(&run, monitor);
            runs.push(run);
            // A full disk keeps no hook from being run; a recovery may run it again.
            let _ = self.folder.write(file::HOOKS, &runs);
            error?;
        }
        Ok(())
    }

    /// Notes that a hook begins; gives how often it began, this time included.
    fn count_beginning(&self, hook: &Hook) -> u32 {
        let mut begun: BTreeMap<String, u32> = self.folder.read(file::HOOKS_BEGUN).unwrap_or_default();
        let times = begun.entry(hook.shown()).or_default();
        *times = times.saturating_add(1);
        let times = *times;
        // A full disk keeps no hook from being run.
        let _ = self.folder.write(file::HOOKS_BEGUN, &begun);
        times
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
        let (outcome, status, said, why) = match ended {
            Ok((End::Exited(0), said)) => (HookOutcome::Done, Some(0), said, None),
            Ok((End::Exited(STOP), said)) => (HookOutcome::Failed, Some(STOP), said, Some(String::new())),
            // Whatever a hook was to find, it did not come to say so.
            Ok((End::Exited(status), said)) if status > SIGNALS => {
                (HookOutcome::Failed, Some(status), said, Some(format!("it ended by the signal {}", status - SIGNALS)))
            }
            Ok((End::Exited(status), said)) => (HookOutcome::Failed, Some(status), said, None),
            Ok((End::TimedOut, said)) => {
                let why = format!("it did not end within {} s (limits.hook_s)", config.limits.hook_s);
                (HookOutcome::Ended, None, said, Some(why))
            }
            Ok((End::Stopped(error), said)) => {
                return (made(hook, HookOutcome::Ended, None, began, &said), Err(error));
            }
            Err(error) => {
                let why = format!("it cannot be run: {error}");
                (HookOutcome::Failed, None, why.clone(), Some(why))
            }
        };
        let may_stop = moment.may_stop() && (self.ticket.kind != Kind::Rollback || status == Some(STOP));
        match why.filter(|_| may_stop) {
            None => (made(hook, outcome, status, began, &said), Ok(())),
            Some(why) => {
                let run = made(hook, HookOutcome::Refused, status, began, &said);
                let error = refusal(hook, &why, &run.said);
                (run, Err(error))
            }
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
            partial: plan.map(|plan| plan.selection.is_partial()),
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
    let names: Vec<String> = found.all.iter().map(Hook::shown).collect();
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

fn made(hook: &Hook, outcome: HookOutcome, status: Option<i32>, began: Instant, said: &str) -> HookRun {
    // A scanner says first what it does, and at last what it found.
    let said = if outcome == HookOutcome::Refused { last(said.trim(), SAID) } else { first(said.trim(), SAID) };
    HookRun {
        moment: hook.moment,
        name: hook.name.clone(),
        outcome,
        status,
        took_s: (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
        said: said.lines().map(printable).collect::<Vec<_>>().join("\n"),
    }
}

/// A hook in which the worker died each time.
fn given_up(hook: &Hook) -> HookRun {
    let said =
        format!("it is not begun again: it began {BEGINNINGS} times, and its worker died before its end was noted");
    made(hook, HookOutcome::Failed, None, Instant::now(), &said)
}

fn first(text: &str, letters: usize) -> &str {
    text.char_indices().nth(letters).map_or(text, |(end, _)| &text[..end])
}

fn last(text: &str, letters: usize) -> &str {
    let Some(before) = letters.checked_sub(1) else { return "" };
    text.char_indices().rev().nth(before).map_or(text, |(begin, _)| &text[begin..])
}

/// The error of a job that a hook stopped, with the reason and the hook's last words.
fn refusal(hook: &Hook, why: &str, said: &str) -> Error {
    let words = said.lines().collect::<Vec<_>>().join(" ");
    let words = last(&words, REASON);
    let why = match (why, words) {
        ("", "") => "it says nothing",
        ("", words) => words,
        (why, words) if words.is_empty() || words == why => why,
        (why, words) => &format!("{why}; it said: {words}"),
    };
    let hook = hook.shown();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::progress::Silent;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Machine {
        place: tempfile::TempDir,
        folder: JobFolder,
        ticket: Ticket,
    }

    impl Machine {
        fn new() -> Machine {
            let place = tempfile::tempdir().unwrap();
            let mut config = Config::default();
            config.paths.base = place.path().to_owned();
            config.limits.hook_s = 1;
            let ticket = Ticket::of_restore(config);
            Machine { place, folder: JobFolder::create(&ticket).unwrap(), ticket }
        }

        /// A hook that notes its beginning.
        fn put(&self, name: &str, script: &str) {
            let path = self.ticket.config.paths.hooks().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = match script.strip_prefix("#!") {
                Some(_) => script.to_owned(),
                None => format!("#!/bin/sh\necho {name} >>{}\n{script}\n", self.place.path().join("log").display()),
            };
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }

        fn told(&self) -> Told<'_> {
            Told { folder: &self.folder, ticket: &self.ticket, plan: None, state: State::Checking, error: None }
        }

        fn log(&self) -> String {
            std::fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
        }
    }

    #[test]
    fn before_the_change_over_a_hook_that_could_not_say_what_it_found_stops_the_job_and_after_it_none_does() {
        for (script, why) in [
            ("echo looks; exec sleep 20", "it did not end within 1 s (limits.hook_s); it said: looks"),
            ("echo looks; kill -KILL $$", "it ended by the signal 9; it said: looks"),
            ("#!/no/such/program\n", "it cannot be run: No such file or directory (os error 2)"),
            ("exit 75", "it says nothing"),
            ("seq 9999; echo malware; exit 75", "malware"),
        ] {
            let machine = Machine::new();
            machine.put("staged/a", script);
            machine.put("committed/a", script);
            let error = machine.told().run(Moment::Staged, &Silent).unwrap_err();
            assert_eq!(error.code, Code::HookRefused);
            assert!(error.message.starts_with("the hook staged/a stopped the job: "), "{}", error.message);
            assert!(error.message.ends_with(why) && error.message.len() < 600, "{}", error.message);
            machine.told().run(Moment::Committed, &Silent).unwrap();
            let runs = runs(&machine.folder);
            assert_eq!(runs[0].outcome, HookOutcome::Refused);
            assert!(matches!(runs[1].outcome, HookOutcome::Failed | HookOutcome::Ended), "{runs:?}");
        }
        let machine = Machine::new();
        machine.put("staged/a", "exit 3");
        machine.told().run(Moment::Staged, &Silent).unwrap();
    }

    #[test]
    fn no_hook_begins_once_its_moment_is_over() {
        let machine = Machine::new();
        let lasts = AtomicBool::new(true);
        for name in ["committed/a", "committed/b"] {
            machine.put(name, "");
        }
        let ends_with_the_first = || lasts.swap(false, Ordering::Relaxed);
        machine.told().run_while(Moment::Committed, &Silent, &ends_with_the_first).unwrap();
        assert_eq!(machine.log(), "committed/a\n");
        assert_eq!(runs(&machine.folder).len(), 1);
    }

    #[test]
    fn a_hook_that_takes_its_worker_down_is_not_begun_for_ever() {
        let machine = Machine::new();
        machine.put("committed/a", "");
        machine.put("committed/b", "");
        for _ in 0..2 {
            machine.told().run(Moment::Committed, &Silent).unwrap();
            // As if the worker had died before it noted an end.
            std::fs::remove_file(machine.folder.join(file::HOOKS)).unwrap();
        }
        assert_eq!(machine.log().lines().count(), 4);
        machine.told().run(Moment::Committed, &Silent).unwrap();
        assert_eq!(machine.log().lines().count(), 4, "{}", machine.log());
        let runs = runs(&machine.folder);
        assert!(runs.iter().all(|run| run.outcome == HookOutcome::Failed && run.said.contains("2 times")), "{runs:?}");
    }
}
