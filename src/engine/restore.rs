//! Drives a restore and a rollback from state to state, and discards the staging of a job that failed.

use crate::api::answer::hooks::Moment;
use crate::api::answer::restore::{Rehearsal, Rehearsed};
use crate::api::request::{Restore, Rollback};
use crate::backup::locate::locate_with;
use crate::engine::commit::boundary::Boundary;
use crate::engine::commit::step::Step;
use crate::engine::commit::steps;
use crate::engine::commit::{self, Record};
use crate::engine::hooks::Told;
use crate::engine::leftovers::{discard, resume};
use crate::engine::live_pages::{front, post};
use crate::engine::machine::Hosts;
use crate::engine::preflight::{facts, plan_token};
use crate::engine::stage::in_common;
use crate::engine::state::{Committed, Job, Planned, Staged, Verified};
use crate::engine::{check, hooks, preflight, rehearsal, site_config, stage, verify};
use crate::error::{Code, Error, Result};
use crate::host::services::Services;
use crate::host::site_database;
use crate::host::target::Target;
use crate::job::ending::{Ending, Reached};
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::monitor::JobMonitor;
use crate::job::ticket::Ticket;
use crate::job::{Kind, State};
use crate::journal::Journal;
use crate::path::{Domain, RelPath};
use crate::plan::{Plan, Selection};
use crate::progress::{Level, Monitor, finish_all};
use crate::report::{self, Group, Risk};
use crate::snapshot::retained::Manifest;
use crate::{backup, snapshot, text};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

/// Runs a restore to its end.
pub fn restore(folder: &JobFolder, ticket: &Ticket, request: &Restore, monitor: &Arc<JobMonitor>) -> Ending {
    let planned = match plan_restore(folder, ticket, request, monitor) {
        Ok(planned) => planned,
        Err(error) => return not_begun(error.with("phase", "pre-flight")),
    };
    let discard = Discard::of(&planned);
    let staged = planned.stage().map_err(|error| error.with("phase", "staging"));
    let verified = staged.and_then(|job| job.verify().map_err(|error| error.with("phase", "verification")));
    match verified {
        Ok(job) => job.commit_and_check(),
        Err(error) => discard.run(error, monitor),
    }
}

/// Runs a rehearsal to its end: a restore up to its change-over, whose staging is removed.
pub fn rehearse(folder: &JobFolder, ticket: &Ticket, request: &Restore, monitor: &Arc<JobMonitor>) -> Ending {
    let planned = match plan_restore(folder, ticket, request, monitor) {
        Ok(planned) => planned,
        Err(error) => return not_begun(error.with("phase", "pre-flight")),
    };
    let discard = Discard::of(&planned);
    let staged = planned.stage().map_err(|error| error.with("phase", "staging"));
    let verified = staged.and_then(|job| job.verify().map_err(|error| error.with("phase", "verification")));
    match verified.map(Job::rehearsed) {
        Ok(rehearsed) => {
            // Who cancels now is told of a job that is done, and nothing of it stays.
            monitor.shield(true);
            discard.remove(monitor);
            finish_all(monitor.as_ref());
            Ending::Done(rehearsed.into())
        }
        Err(error) => discard.run(error, monitor),
    }
}

/// Runs a rollback to its end: from a kept snapshot by renames, from a portable one by staging it.
pub fn rollback(folder: &JobFolder, ticket: &Ticket, request: &Rollback, monitor: &Arc<JobMonitor>) -> Ending {
    let Some(domain) = &ticket.domain else {
        return not_begun(Error::new(Code::Internal, format!("the ticket of {} names no domain", ticket.job)));
    };
    let chosen = match snapshot::find(&ticket.config, domain, request.job.as_deref(), request.snapshot.as_deref()) {
        Ok(chosen) => chosen,
        Err(error) => return not_begun(error.with("phase", "pre-flight")),
    };
    match chosen {
        snapshot::Found::Retained(path, manifest) => match plan_retained(folder, ticket, monitor, &path, &manifest) {
            Ok(job) => job.commit_and_check(),
            Err(error) => not_begun(error.with("phase", "pre-flight")),
        },
        snapshot::Found::Portable { source, schema } => {
            // The snapshot's site configuration was live on this machine: it was at least the operator's own choice. And nothing that
            // has to be accepted stands in the way back.
            let accept = Risk::ALL.to_vec();
            let selection = Selection { named: false, allow_unsafe_config: true, accept, ..Selection::everything() };
            let wanted = Wanted { domain, source, selection, schema };
            let planned = plan_source(folder, ticket, monitor, wanted);
            let planned = match planned {
                Ok(planned) => planned,
                Err(error) => return not_begun(error.with("phase", "pre-flight")),
            };
            let discard = Discard::of(&planned);
            match planned.stage().and_then(Job::verify) {
                Ok(job) => job.commit_and_check(),
                Err(error) => discard.run(error.with("phase", "staging"), monitor),
            }
        }
    }
}

/// The ending of a job that had made nothing yet.
fn not_begun(error: Error) -> Ending {
    Ending::after(Reached::Planning, true, error)
}

fn plan_restore(
    folder: &JobFolder,
    ticket: &Ticket,
    request: &Restore,
    monitor: &Arc<JobMonitor>,
) -> Result<Job<Planned>> {
    let mut selection = Selection::of(request)?;
    let (domain, dump) = (&request.domain, request.dump.as_deref());
    let mut source = locate_with(&ticket.config, domain, &request.backup, dump, selection.needs())?;
    selection.narrow(source.keep(&request.options))?;
    if let Some(token) = &request.plan_token {
        plan_token::check(&ticket.config, request, &source, token, folder.path())?;
    }
    plan_source(folder, ticket, monitor, Wanted { domain: &request.domain, source, selection, schema: None })
}

/// `staged.json`: the checks of the staged state, for people who look into the job's folder.
#[derive(Serialize)]
struct Compared<'a> {
    groups: &'a [Group],
    notes: &'a [String],
}

/// The source and the selection that a job is to bring to a domain.
struct Wanted<'a> {
    domain: &'a Domain,
    source: backup::source::Source,
    selection: Selection,
    /// The schema whose tables the source holds, if the source names it; the tables may go into no other schema.
    schema: Option<String>,
}

/// Gathers the facts, runs the pre-flight, fixes the plan and opens the journal.
fn plan_source(
    folder: &JobFolder,
    ticket: &Ticket,
    monitor: &Arc<JobMonitor>,
    Wanted { domain, source, mut selection, schema }: Wanted,
) -> Result<Job<Planned>> {
    let config = &ticket.config;
    let began = Instant::now();
    let shared: Arc<dyn Monitor> = monitor.clone();
    let mut notes: Vec<String> = source.passed_over.iter().map(|why| format!("passed over {why}")).collect();
    notes.iter().for_each(|note| monitor.event(Level::Warn, note));
    if selection.fit(source.may_hold_database()) {
        monitor.event(Level::Info, preflight::OF_FILES);
        notes.push(preflight::OF_FILES.to_owned());
    }
    // A site that was broken before may still be after some of its parts were mended. Its page takes as long as all that comes before the
    // change-over, so it is asked for beside that.
    let is_partial = selection.is_partial();
    let page_before = (ticket.kind == Kind::Restore).then(|| {
        let (config, domain) = (config.clone(), domain.clone());
        let services = Services::new(&config, folder.path(), shared.clone());
        std::thread::spawn(move || front::stood(&config, &services, &domain, is_partial))
    });
    let facts = facts::gather(config, &source, &mut selection, folder.path(), None, &shared)?;
    if let (Some(site), Some(holds)) = (&facts.site, &schema) {
        require_same_schema(&site.account.schema, holds, &source.path)?;
    }
    let has_no_table = facts.has_no_table(&selection);
    let mut plan = Plan::restore(
        config,
        &ticket.job,
        domain,
        Target::of(config, source.target()),
        selection,
        facts.database(),
        source.path.display().to_string(),
    );
    let earlier = match ticket.kind {
        Kind::Restore => resume::find(ticket, domain, &source, facts.hosts.database.as_deref(), monitor.as_ref())?,
        _ => None,
    };
    let groups = preflight::run(config, &plan, &facts, &source, None);
    // A query that was cut off because the job was cancelled or timed out gives no answer.
    monitor.keep_going()?;
    monitor.event(Level::Info, &format!("restore of {domain} from {}", plan.source));
    report::log(&groups, monitor.as_ref());
    report::require(&groups, Code::PreflightFailed).map_err(|error| match (&earlier, error.code) {
        (Some(_), Code::DiskFull) => {
            let hint =
                format!("{} `rocketvps-restore recover` removes what the interrupted restore had staged.", error.hint);
            error.hint(hint)
        }
        _ => error,
    })?;
    // Before the hooks: those of the end are told of it too. Only from the journal on is there anything that a plan has to undo.
    folder.write(file::PLAN, &plan)?;
    let told = Told { folder, ticket, plan: Some(&plan), state: State::Planning, error: None };
    told.run(Moment::PreFlight, monitor.as_ref())?;
    if let Some(earlier) = &earlier {
        monitor.event(Level::Info, &format!("goes on with what job {} had staged", earlier.job()));
        plan = plan.going_on_with(&earlier.plan);
        folder.write(file::PLAN, &plan)?;
    }
    folder.write(file::PREFLIGHT, &groups)?;
    if let Some(survey) = facts.survey.as_ref().filter(|survey| !survey.immutable.is_empty()) {
        folder.write(file::IMMUTABLE, &survey.immutable)?;
    }
    resume::remember_source(folder, &source)?;
    let mut journal = Journal::create(&folder.join(file::JOURNAL))?;
    journal.append(&Record::first())?;
    // The staging belongs to this job from here on.
    let goes_on_with = earlier.map(|earlier| earlier.forget().map(|()| earlier.job().clone())).transpose()?;
    Ok(Job {
        folder: folder.clone(),
        ticket: ticket.clone(),
        plan,
        hosts: facts.hosts,
        monitor: monitor.clone(),
        journal,
        began,
        state: Planned {
            source,
            goes_on_with,
            no_account: facts.no_account,
            has_no_table,
            schema_is_missing: facts.schema_is_missing,
            notes,
            page_before,
        },
    })
}

/// Refuses to put a snapshot's tables into another schema than theirs. Otherwise a site whose configuration named a neighbour's schema
/// while the snapshot was made would read the neighbour's rows.
fn require_same_schema(now: &str, holds: &str, snapshot: &Path) -> Result<()> {
    if now == holds {
        return Ok(());
    }
    let (now, holds) = (text::printable(now), text::printable(holds));
    let message = format!("{} holds the database {holds}, and the site's is {now}", snapshot.display());
    Err(Error::new(Code::SnapshotInvalid, message)
        .hint("If the schema was renamed, load the snapshot's database.sql.gz by hand; else choose another snapshot.")
        .with("holds", holds)
        .with("schema", now))
}

/// A retained snapshot is a staged state already: only the change-over is left to do.
fn plan_retained(
    folder: &JobFolder,
    ticket: &Ticket,
    monitor: &Arc<JobMonitor>,
    path: &Path,
    manifest: &Manifest,
) -> Result<Job<Verified>> {
    let began = Instant::now();
    if let Some(schema) = &manifest.live_schema {
        site_database::require_not_anothers(&ticket.config, &manifest.domain, schema)?;
    }
    let hosts =
        Hosts::of(&ticket.config, &manifest.domain, manifest.live_schema.is_some(), folder.path(), monitor.clone())?;
    let plan = Plan::retained(&ticket.config, &ticket.job, path, manifest);
    let groups = vec![verify::retained(&hosts, &plan, manifest)?];
    if let Some(check) = report::failures(&groups).first() {
        return Err(Error::new(Code::SnapshotInvalid, check.message.clone()));
    }
    folder.write(file::PLAN, &plan)?;
    let told = Told { folder, ticket, plan: Some(&plan), state: State::Planning, error: None };
    told.run(Moment::PreFlight, monitor.as_ref())?;
    let mut journal = Journal::create(&folder.join(file::JOURNAL))?;
    journal.append(&Record::first())?;
    let staged = Staged::of_retained(manifest)?;
    Ok(Job {
        folder: folder.clone(),
        ticket: ticket.clone(),
        plan,
        hosts,
        monitor: monitor.clone(),
        journal,
        began,
        state: Verified { staged, groups, kept_tables: Vec::new(), rehearsal: None },
    })
}

impl Job<Planned> {
    /// Builds the new state beside the live one.
    fn stage(mut self) -> Result<Job<Staged>> {
        self.monitor.enter(State::Staging);
        let page = self.state.page_before.take();
        let (config, plan, hosts) = (&self.ticket.config, &self.plan, &self.hosts);
        let actions = self.ticket.request.options().compatibility;
        // A rehearsal proves that the backup can be loaded.
        let compares = self.ticket.kind != Kind::Rehearse;
        let compared = stage::Compared { tables: compares, files: compares && self.may_compare_files() };
        let staged = stage::run(config, plan, hosts, &self.state, &self.folder, (actions, compared), &self.monitor)?;
        let page_before = page.and_then(|page| page.join().ok());
        let staged = Staged { page_before, ..staged };
        self.tell_hooks(Moment::Staged, State::Staging)?;
        Ok(self.moved(|_| staged))
    }
}

impl Job<Planned> {
    /// Whether files that are live as the backup has them may have one more name in the staged tree: nobody else writes to that, and
    /// nothing has to become immutable.
    fn may_compare_files(&self) -> bool {
        let config = &self.ticket.config;
        config.files.skip_unchanged
            && self.plan.selection.files.is_whole()
            && self.folder.read::<Vec<RelPath>>(file::IMMUTABLE).is_err()
            && !hooks::has(config, &[Moment::Staged, Moment::BeforeCommit])
    }
}

impl<S> Job<S> {
    /// Runs the hooks of a moment before the change-over.
    fn tell_hooks(&self, moment: Moment, state: State) -> Result<()> {
        let told = Told { folder: &self.folder, ticket: &self.ticket, plan: Some(&self.plan), state, error: None };
        told.run(moment, self.monitor.as_ref())
    }
}

impl Job<Staged> {
    /// Compares the staged state with the content of the backup, and asks the staged site for its pages meanwhile.
    fn verify(mut self) -> Result<Job<Verified>> {
        self.monitor.enter(State::Verifying);
        let mut kept_tables = Vec::new();
        if let (Some(names), Some(database)) = (&self.plan.database, &self.state.database) {
            let boundary = Boundary::read(&self.hosts, &self.plan, names, database)?;
            if self.ticket.kind == Kind::Restore {
                let (config, leaving) = (&self.ticket.config, boundary.leaving.len());
                preflight::require_window(config, &self.plan, self.hosts.database()?, leaving)?;
            }
            let allowed = self.plan.selection.allow_orphans;
            self.state.notes.extend(boundary.require_references(&self.hosts, names, allowed)?);
            kept_tables = boundary.others();
        }
        let (config, plan, hosts, staged) = (&self.ticket.config, &self.plan, &self.hosts, &self.state);
        let monitor = self.monitor.as_ref();
        let (groups, rehearsal) = std::thread::scope(|scope| {
            let rehearsal = self.is_rehearsed().then(|| {
                let kept = &kept_tables;
                scope.spawn(move || rehearsal::run(config, plan, hosts, staged, kept, monitor))
            });
            let groups = verify::staged(config, plan, hosts, staged, monitor);
            let join = |thread: ScopedJoinHandle<'_, Rehearsal>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            (groups, rehearsal.map(join))
        });
        let rehearsal = rehearsal.or_else(|| self.without_rehearsal());
        let mut groups = groups?;
        for check in groups.iter_mut().flat_map(|group| &mut group.checks) {
            check.message = self.plan.said(std::mem::take(&mut check.message));
        }
        self.monitor.keep_going()?;
        report::log(&groups, self.monitor.as_ref());
        verify::require_staged(&groups)?;
        rehearsal.iter().try_for_each(rehearsal::require)?;
        self.state.notes.extend(site_config::let_through(&groups));
        self.folder.write(file::STAGED, &Compared { groups: &groups, notes: &self.state.notes })?;
        Ok(self.moved(|staged| Verified { staged, groups, kept_tables, rehearsal }))
    }

    fn is_rehearsed(&self) -> bool {
        match self.ticket.kind {
            Kind::Rollback => false,
            Kind::Rehearse => true,
            _ => self.ticket.request.options().rehearsal,
        }
    }

    /// What is said of a restore whose request leaves the rehearsal out. Nothing stands in a way back.
    fn without_rehearsal(&self) -> Option<Rehearsal> {
        (self.ticket.kind != Kind::Rollback).then(|| Rehearsal::not_done("the request leaves it out", 0))
    }
}

impl Job<Verified> {
    /// What a rehearsal has to tell.
    fn rehearsed(self) -> Rehearsed {
        let took = self.began.elapsed();
        let Verified { staged, groups, rehearsal, .. } = self.state;
        let rehearsal = rehearsal.unwrap_or_else(|| Rehearsal::not_done("it is a way back", 0));
        let moving = staged.database.as_ref().map_or(0, |database| database.tables.len());
        let change_over = self.plan.database.as_ref().filter(|_| moving > 0).and_then(|names| {
            // Each table goes, and another one comes.
            let time = self.hosts.database().ok()?.time_rename(&names.kept).ok()?;
            Some(time * 2 * u32::try_from(moving).unwrap_or(u32::MAX))
        });
        Rehearsed {
            domain: self.plan.domain.clone(),
            source: self.plan.source.clone(),
            outcome: rehearsal.outcome,
            rehearsal,
            staged: groups,
            recovery_s: (took.as_secs_f64() * 1000.0).round() / 1000.0,
            change_over_ms: change_over.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            files: staged.files.as_ref().map(check::restored_files),
            notes: staged.notes,
        }
    }

    fn commit_and_check(self) -> Ending {
        let discard = Discard::of(&self);
        let monitor = self.monitor.clone();
        match self.commit() {
            Ok(job) => job.check(),
            Err(error) if error.code == Code::NeedsOperator => {
                Ending::after(Reached::ChangeOver, false, error.with("phase", "rollback"))
            }
            Err(error) => discard.run(error.with("phase", "commit"), &monitor),
        }
    }

    /// The change-over. Milliseconds; journaled.
    fn commit(mut self) -> Result<Job<Committed>> {
        // Before the hooks that stop the site from writing, and before the two states are held against each other: pages take their time.
        let (config, rehearsal) = (&self.ticket.config, self.state.rehearsal.as_ref());
        let to_ask = post::to_ask(config, &self.plan, &self.hosts, rehearsal);
        self.tell_hooks(Moment::BeforeCommit, State::Verifying)?;
        self.monitor.keep_going()?;
        let steps = steps::steps(&self)?;
        self.state.staged.notes.extend(steps.iter().filter_map(|step| match step {
            Step::CreateSchema { schema, .. } => Some(format!("the database {schema} did not exist and was made")),
            _ => None,
        }));
        if let Some(files) = &mut self.state.staged.files {
            in_common::done(files, &steps);
        }
        self.state.staged.certificate_before = self.hosts.services.certificate_before(&self.plan.domain);
        self.monitor.enter(State::Committing);
        // Nothing may stop a change-over half-way: it goes forward, or all the way back.
        self.monitor.shield(true);
        let window = commit::forward(steps.clone(), &mut self.journal, &self.hosts, self.monitor.as_ref())?;
        let window_ms = window.as_secs_f64() * 1000.0;
        Ok(self.moved(|verified| Committed {
            staged: verified.staged,
            groups: verified.groups,
            kept_tables: verified.kept_tables,
            rehearsal: verified.rehearsal,
            to_ask,
            steps,
            window_ms,
        }))
    }
}

/// The things that a job that failed before or in its commit leaves to remove. A retained snapshot from which it started is not
/// among them.
struct Discard {
    plan: Plan,
    folder: JobFolder,
    database: Option<Arc<dyn crate::host::database::Database>>,
}

impl Discard {
    fn of<S>(job: &Job<S>) -> Discard {
        Discard { plan: job.plan.clone(), folder: job.folder.clone(), database: job.hosts.database.clone() }
    }

    fn run(self, error: Error, monitor: &Arc<JobMonitor>) -> Ending {
        let error = self.plan.spoken(error);
        monitor.shield(true);
        monitor.enter(State::RollingBack);
        monitor.event(Level::Error, &error.message);
        monitor.event(Level::Info, "automatic rollback: the staged state is removed, the live site stays as it was");
        self.remove(monitor);
        // A change-over that failed has been undone by now, step by step: only the staged state was left to remove.
        Ending::after(Reached::Staging, true, error)
    }

    fn remove(&self, monitor: &Arc<JobMonitor>) {
        if let Ok((mut journal, _)) = Journal::open::<Record>(&self.folder.join(file::JOURNAL)) {
            let _ = journal.append(&Record::Closed);
        }
        if let Err(left) = discard::remains(&self.plan, self.database.as_deref(), monitor.as_ref()) {
            monitor.event(Level::Warn, &format!("{}; the next cleanup removes it", left.message));
        }
    }
}
