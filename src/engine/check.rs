//! Committed → done: verifies the live site, and brings the old state back if the new site does not work.

use crate::api::answer::hooks::Moment;
use crate::api::answer::restore::{
    KeptPath, Report, ReportedChecks, RestoredDatabase, RestoredFiles, WentOnWith, Work,
};
use crate::engine::commit::step::Step;
use crate::engine::commit::{self, Record};
use crate::engine::hooks::{self, Told};
use crate::engine::leftovers::discard;
use crate::engine::live_pages::{self, Known};
use crate::engine::machine::CACHES;
use crate::engine::state::{Committed, Job, Kept, StagedDatabase, StagedFiles};
use crate::engine::verify;
use crate::error::{Error, Result};
use crate::host::process;
use crate::host::services::Emptied;
use crate::job::State;
use crate::job::ending::{Ending, Reached};
use crate::job::monitor::JobMonitor;
use crate::progress::finish_all;
use crate::progress::{Level, Monitor};
use crate::report::{self, Group};
use crate::snapshot::retained::{self};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// When the caches are emptied again, from the end of the change-over on. The last rounds are taken at once when the verification is over.
const ROUNDS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(250), Duration::from_millis(550), Duration::from_millis(850)];
/// Most kept paths that a report lists.
const LISTED: usize = 100;

/// The hooks that are told of the change-over, in a thread of their own. Dropped, it waits for the one that runs: nothing of a hook
/// goes on beside what follows, not even after a defect.
struct HooksBeside {
    thread: Option<JoinHandle<()>>,
    lasts: Arc<AtomicBool>,
    monitor: Arc<JobMonitor>,
}

impl HooksBeside {
    /// Those that have not begun are not run: the site goes back.
    fn begin_no_more(&self) {
        self.lasts.store(false, Ordering::Relaxed);
    }
}

impl Drop for HooksBeside {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.begin_no_more();
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            self.monitor.event(Level::Warn, "a hook could not be run to its end");
        }
    }
}

/// What became of a cache, as a sentence of the report.
fn told(emptied: Emptied) -> String {
    match emptied.is_done {
        true => format!("{} was emptied of what is older than the change-over", emptied.place),
        false => emptied.said(),
    }
}

impl Job<Committed> {
    /// Verifies the live site; done, or back to the old state.
    pub(super) fn check(mut self) -> Ending {
        self.monitor.enter(State::Checking);
        self.monitor.shield(false);
        // Beside the verification: a site that does not work is not kept waiting for them.
        let hooks = self.begin_hooks();
        let before = self.hosts.requests();
        let checked = self.groups_beside_caches().and_then(|(live, mut emptied)| {
            // Not before the site stands up: a worker's job may take its time to end, and a broken site has to go back at once.
            if let Some(pages) = commit::empties(&self.state.steps) {
                let ended = self.hosts.end_the_old(before, emptied, pages, self.monitor.as_ref());
                emptied = ended.emptied;
                self.state.staged.notes.extend(ended.restarted.into_iter().map(|worker| worker.said));
            }
            self.state.staged.notes.extend(emptied.into_iter().map(told));
            self.keep(live)
        });
        let ending = match checked {
            Ok(report) => Ok(report),
            Err(error) => {
                hooks.begin_no_more();
                Err(self.put_back(error))
            }
        };
        drop(hooks);
        match ending {
            Ok(report) => Ending::Done(Report { hooks: hooks::runs(&self.folder), ..report }.into()),
            Err(ending) => ending,
        }
    }

    /// Runs the hooks that are told of the change-over, in a thread of its own.
    fn begin_hooks(&self) -> HooksBeside {
        let (folder, ticket, plan) = (self.folder.clone(), self.ticket.clone(), self.plan.clone());
        let monitor = self.monitor.clone();
        let lasts = Arc::new(AtomicBool::new(true));
        let still = lasts.clone();
        let thread = std::thread::spawn(move || {
            let (folder, ticket, plan) = (&folder, &ticket, Some(&plan));
            // This moment gives no error.
            let _ = Told { folder, ticket, plan, state: State::Checking, error: None }.run_while(
                Moment::Committed,
                monitor.as_ref(),
                &|| still.load(Ordering::Relaxed),
            );
        });
        HooksBeside { thread: Some(thread), lasts, monitor: self.monitor.clone() }
    }

    /// Verifies, and goes on emptying the caches meanwhile: a request that began before the change-over may end after it, and what it made
    /// of the old rows is saved then.
    fn groups_beside_caches(&self) -> Result<(Vec<Group>, Vec<Emptied>)> {
        let Some(pages) = commit::empties(&self.state.steps) else { return Ok((self.groups()?, Vec::new())) };
        let over = AtomicBool::new(false);
        let (groups, emptied) = std::thread::scope(|scope| {
            let rounds = scope.spawn(|| self.empty_caches_again(pages, &over));
            let groups = self.groups();
            over.store(true, Ordering::Relaxed);
            (groups, rounds.join().unwrap_or_default())
        });
        Ok((groups?, emptied))
    }

    /// What became of the caches at last.
    fn empty_caches_again(&self, pages: bool, over: &AtomicBool) -> Vec<Emptied> {
        let began = Instant::now();
        let mut at_last = Vec::new();
        for (round, begin) in ROUNDS.into_iter().enumerate() {
            while began.elapsed() < begin && !(round > 1 && over.load(Ordering::Relaxed)) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let asked = Instant::now();
            at_last = self.hosts.emptied_caches(pages);
            // A server that does not answer keeps the job waiting once.
            if at_last.is_empty() || asked.elapsed() >= CACHES {
                break;
            }
        }
        at_last
    }

    fn groups(&self) -> Result<Vec<Group>> {
        let deadline = Instant::now() + Duration::from_secs(self.ticket.config.limits.verify_timeout_s);
        let staged = &self.state.staged;
        let config = &self.ticket.config;
        let groups = verify::live(config, &self.plan, &self.hosts, staged, deadline, self.monitor.as_ref())?;
        // A rollback brings a retained state back as it was, even if it was broken: the user asked for it.
        let groups = if self.plan.from_snapshot.is_some() { report::softened(groups) } else { groups };
        // A query that was cut off because the job was cancelled or timed out gives no answer.
        self.monitor.keep_going()?;
        // By now it is known whether the site stands up. What is asked further is no reason to go back, nor is the time it takes.
        let groups = match report::failures(&groups).is_empty() {
            true => self.with_freshness(groups, deadline),
            false => groups,
        };
        report::log(&groups, self.monitor.as_ref());
        verify::require(&groups, "the live site did not stand up")?;
        Ok(groups)
    }

    /// Adds what proves that the pages are those of the restored state.
    fn with_freshness(&self, groups: Vec<Group>, deadline: Instant) -> Vec<Group> {
        let known = Known { to_ask: &self.state.to_ask, steps: &self.state.steps };
        let time = live_pages::Time { deadline, monitor: self.monitor.as_ref() };
        let mut found = live_pages::checks(&self.ticket.config, &self.plan, &self.hosts, known, &time);
        let is_services = |group: &Group| group.name == "service_status";
        let extend = |group: Group| match is_services(&group) {
            true => Group::new("service_status", group.checks.into_iter().chain(found.drain(..)).collect()),
            false => group,
        };
        groups.into_iter().map(extend).collect()
    }

    /// Makes the old state a snapshot and closes the job.
    fn keep(&mut self, live: Vec<Group>) -> Result<Report> {
        let manifest = commit::manifest_of(&self.plan, &self.state.steps, self.monitor.as_ref());
        retained::write(&self.plan.snapshot, &manifest)?;
        self.journal.append(&Record::Closed)?;
        let database = self.hosts.database.as_deref();
        for left in discard::after_success(&self.ticket.config, &self.plan, &manifest, database) {
            self.monitor.event(Level::Warn, &format!("{}; the next cleanup removes it", left.message));
        }
        finish_all(self.monitor.as_ref());
        Ok(self.report(live))
    }

    fn put_back(&mut self, error: Error) -> Ending {
        let error = self.plan.spoken(error);
        self.monitor.shield(true);
        self.monitor.enter(State::RollingBack);
        self.monitor.event(Level::Error, &error.message);
        self.monitor.event(Level::Info, "automatic rollback: the old state is brought back");
        let error = error.with("phase", "live verification");
        if let Err(stuck) = commit::back(&self.state.steps, &mut self.journal, &self.hosts, self.monitor.as_ref()) {
            return Ending::after(Reached::ChangeOver, false, stuck.with("because", error.message));
        }
        // The job is closed before the files that undoing needs are removed: a recovery would look for them.
        let _ = self.journal.append(&Record::Closed);
        if let Err(left) = discard::remains(&self.plan, self.hosts.database.as_deref(), self.monitor.as_ref()) {
            self.monitor.event(Level::Warn, &format!("{}; the next cleanup removes it", left.message));
        }
        Ending::after(Reached::ChangeOver, true, error)
    }

    /// How many tables the change-over brought into the live schema.
    fn tables_moved_in(&self) -> usize {
        let into = |step: &Step| match step {
            Step::Switch { live, switch, .. } => switch.moves.iter().filter(|step| step.to == *live).count(),
            _ => 0,
        };
        self.state.steps.iter().map(into).sum()
    }

    fn report(&self, live: Vec<Group>) -> Report {
        Report {
            work: Some(self.work()),
            verification: Some(ReportedChecks::of(Some(self.state.groups.clone()), live)),
            rehearsal: self.state.rehearsal.clone(),
            notes: Some(self.state.staged.notes.clone()),
            ..self.plan.report()
        }
    }

    fn work(&self) -> Work {
        let staged = &self.state.staged;
        let config = self.state.steps.iter().filter_map(|step| match step {
            Step::Config { change, .. } => Some(change.target.display().to_string()),
            _ => None,
        });
        Work {
            duration_s: (self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            commit_ms: (self.state.window_ms * 10.0).round() / 10.0,
            files: staged.files.as_ref().map(restored_files),
            database: staged.database.as_ref().map(|database| self.restored_database(database)),
            config: config.collect(),
            went_on_with: staged.went_on_with.as_ref().map(|job| WentOnWith {
                job: job.clone(),
                files: staged.files.as_ref().map_or(0, |files| files.summary.taken_over),
                tables: staged.database.as_ref().map_or(0, |database| database.taken_over),
            }),
            peak_memory_bytes: process::peak_memory(),
        }
    }

    fn restored_database(&self, database: &StagedDatabase) -> RestoredDatabase {
        let loaded: u64 = database.tables.iter().map(|table| table.rows).sum();
        let stayed: u64 = database.unchanged.iter().map(|table| table.rows).sum();
        let unchanged = database.unchanged.len() as u64;
        RestoredDatabase {
            schema: self.plan.database.as_ref().map(|plan| plan.live.clone()),
            dump: database.dump.clone(),
            tables: self.tables_moved_in() as u64 + unchanged,
            unchanged,
            kept_rows: database.kept_rows.clone(),
            kept: self.state.kept_tables.clone(),
            rows: (!database.names().is_empty()).then_some(loaded + stayed),
            compatibility: database.compatibility.clone(),
        }
    }
}

/// The files of a restore, for its report.
pub(super) fn restored_files(files: &StagedFiles) -> RestoredFiles {
    let kept = |kept: &Kept| KeptPath {
        path: kept.path.clone(),
        reason: kept.reason.clone(),
        files: kept.files,
        bytes: kept.bytes,
    };
    RestoredFiles {
        files: files.summary.files,
        folders: files.summary.folders,
        links: files.summary.links,
        bytes: files.summary.bytes,
        stripped: files.summary.stripped_total,
        unchanged: files.in_common.map_or(0, |common| common.files),
        parts: files.units.as_ref().map(|units| units.len() as u64).or(files.in_common.map(|common| common.parts)),
        kept: files.kept.iter().take(LISTED).map(kept).collect(),
        kept_total: files.kept.len() as u64,
    }
}
