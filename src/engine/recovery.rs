//! Recovers a job whose worker died. The journal tells which steps may have been begun, and the real state tells which were
//! done. Running a recovery twice changes nothing.

use crate::api::answer::hooks::Moment;
use crate::api::answer::restore::{Report, ReportedChecks};
use crate::engine::commit::{self, Record};
use crate::engine::hooks::{self, Told};
use crate::engine::leftovers::{discard, resume};
use crate::engine::machine::Hosts;
use crate::engine::verify;
use crate::error::{Code, Error, Result};
use crate::host::place;
use crate::host::target::stagings;
use crate::job::ending::{Ending, Reached};
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::ticket::Ticket;
use crate::job::{Kind, State};
use crate::journal::Journal;
use crate::plan::Plan;
use crate::progress::{Level, Monitor, Silent};
use crate::report;
use crate::snapshot::retained::{self, Manifest};
use std::sync::Arc;

/// What the recovery does with the staging of a job that had changed nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staging {
    /// The same restore may go on with it.
    SetAside,
    /// It is removed.
    Remove,
}

/// Finishes the job when every step was done and the live site stands up; else undoes what was begun.
pub fn recover(folder: &JobFolder, ticket: &Ticket, staging: Staging, monitor: &Arc<dyn Monitor>) -> Ending {
    match attempt(folder, ticket, staging, monitor.as_ref()) {
        Ok(ending) => ending,
        Err(error) if matches!(error.code, Code::NeedsOperator | Code::JournalCorrupt) => {
            let code = error.code.name();
            stuck(Error { code: Code::NeedsOperator, ..error }.with("cause", code))
        }
        Err(error) => stuck(
            Error::new(Code::NeedsOperator, format!("the recovery could not go on: {}", error.message))
                .hint(commit::way_on(&error))
                .with("cause", error.code.name()),
        ),
    }
}

/// The steps that were begun are not known, or could not be undone: the job counts as a change-over that stopped half-way.
fn stuck(error: Error) -> Ending {
    Ending::after(Reached::ChangeOver, false, error)
}

fn attempt(folder: &JobFolder, ticket: &Ticket, staging: Staging, monitor: &dyn Monitor) -> Result<Ending> {
    let died = || Error::new(Code::WorkerDied, format!("the worker of job {} ended before its work", ticket.job));
    // Without a journal nothing was staged, let alone changed; the pre-flight may have been at its try.
    let nothing = || {
        for staging in stagings(&ticket.config) {
            place::remove(&staging.join(ticket.job.as_str()), &Silent)?;
        }
        Ok(Ending::after(Reached::Planning, true, died().hint("Nothing was changed. Start the restore again.")))
    };
    if !folder.join(file::JOURNAL).exists() {
        return nothing();
    }
    let (mut journal, records) = Journal::open::<Record>(&folder.join(file::JOURNAL))?;
    if records.is_empty() {
        return nothing();
    }
    let plan: Plan = folder.read(file::PLAN)?;
    let hosts = Hosts::of(&ticket.config, &plan.domain, plan.database.is_some(), folder.path(), Arc::new(Silent))?;
    let (steps, connections) = commit::begun(&records);
    // A statement of the dead worker may still be waiting for a lock: it must not land after we have looked.
    if let Some(database) = &hosts.database {
        for connection in connections {
            database.end_connection(connection)?;
        }
    }
    let undoing = records.iter().any(|record| matches!(record, Record::Undo { .. }));
    let committed = records.iter().any(|record| matches!(record, Record::Committed)) && !undoing;
    if records.iter().any(|record| matches!(record, Record::Closed)) {
        return closed(folder, ticket, &plan, committed, &hosts, monitor);
    }
    if committed {
        // The worker may have died before its last round.
        let before = hosts.requests();
        let emptied = commit::empties(&steps).map(|pages| (pages, hosts.empty_caches(pages, monitor)));
        let groups = verify::standing(&ticket.config, &plan, &hosts, monitor);
        if report::failures(&groups).is_empty() {
            let note = "the worker died after the change-over; files and rows were compared before it";
            let mut notes = vec![note.to_owned()];
            if let Some((pages, emptied)) = emptied {
                // They may run the new code already: nobody noted how far the worker came.
                let ended = hosts.end_the_old(before, emptied, pages, monitor);
                notes.extend(ended.restarted.into_iter().map(|worker| worker.said));
            }
            let kept = commit::manifest_of(&plan, &steps, monitor);
            retained::write(&plan.snapshot, &kept)?;
            journal.append(&Record::Closed)?;
            tidy(ticket, &plan, &kept, &hosts, monitor);
            tell_hooks(folder, ticket, &plan, monitor);
            monitor.event(Level::Info, "the change-over had been finished; the site stands up");
            let report = Report {
                recovered: true,
                verification: Some(ReportedChecks::of(None, groups)),
                notes: Some(notes),
                hooks: hooks::runs(folder),
                ..plan.report()
            };
            return Ok(Ending::Done(report.into()));
        }
    }
    let wanted = staging == Staging::SetAside && ticket.kind == Kind::Restore;
    if wanted && steps.is_empty() && resume::is_possible(folder, &plan) {
        resume::set_aside(folder, &plan, hosts.database.as_deref(), monitor)?;
        monitor.event(Level::Info, "nothing live was changed; what was staged is set aside");
        let hint = "Nothing was changed. Start the same restore again: it goes on with what was staged.";
        return Ok(Ending::after(Reached::Staging, false, died().hint(hint)));
    }
    // The data that undoing needs is removed once every step is undone: then only this removal is left to finish.
    let is_undone =
        |number: usize| records.iter().any(|record| matches!(record, Record::Undone { number: of } if *of == number));
    if !(0..steps.len()).all(is_undone) {
        monitor.event(Level::Info, &format!("undoing {} begun steps", steps.len()));
        commit::back(&steps, &mut journal, &hosts, monitor)?;
    }
    journal.append(&Record::Closed)?;
    discard::remains(&plan, hosts.database.as_deref(), monitor)?;
    let reached = if steps.is_empty() { Reached::Staging } else { Reached::ChangeOver };
    Ok(Ending::after(reached, true, died().hint("The site is as it was before the job. Start the restore again.")))
}

/// Removes the things that a job that ended well no longer needs.
fn tidy(ticket: &Ticket, plan: &Plan, kept: &Manifest, hosts: &Hosts, monitor: &dyn Monitor) {
    for left in discard::after_success(&ticket.config, plan, kept, hosts.database.as_deref()) {
        monitor.event(Level::Warn, &left.message);
    }
}

/// Runs the hooks that were to be told of the change-over and of which nobody noted the end.
fn tell_hooks(folder: &JobFolder, ticket: &Ticket, plan: &Plan, monitor: &dyn Monitor) {
    // This moment gives no error.
    let _ =
        Told { folder, ticket, plan: Some(plan), state: State::Checking, error: None }.run(Moment::Committed, monitor);
}

/// The journal is closed: only the clean-up after the job, and its report, may be missing.
fn closed(
    folder: &JobFolder,
    ticket: &Ticket,
    plan: &Plan,
    committed: bool,
    hosts: &Hosts,
    monitor: &dyn Monitor,
) -> Result<Ending> {
    monitor.event(Level::Info, "the job had ended; only its clean-up and its report were missing");
    if committed {
        // Somebody may have deleted the snapshot since.
        if let Ok(kept) = retained::read(&plan.snapshot) {
            tidy(ticket, plan, &kept, hosts, monitor);
        }
        tell_hooks(folder, ticket, plan, monitor);
        let report = Report { recovered: true, hooks: hooks::runs(folder), ..plan.report() };
        return Ok(Ending::Done(report.into()));
    }
    discard::remains(plan, hosts.database.as_deref(), monitor)?;
    let error = Error::new(Code::WorkerDied, "the worker ended after it had brought the old state back");
    Ok(Ending::after(Reached::ChangeOver, true, error))
}
