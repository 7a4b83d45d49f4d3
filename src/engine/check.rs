//! Committed → done: the live site is looked at with its own eyes, and put back when it does not stand up.

use crate::engine::commit::step::Step;
use crate::engine::commit::{self, Record};
use crate::engine::leftovers::discard;
use crate::engine::state::{Committed, Job};
use crate::engine::verify;
use crate::error::{Error, Result};
use crate::host::process;
use crate::job::State;
use crate::job::ending::Ending;
use crate::progress::finish_all;
use crate::progress::{Level, Monitor};
use crate::report::{self, Group};
use crate::snapshot::retained::{self};
use serde_json::{Value, json};
use std::time::Duration;

/// Most kept paths that a report lists.
const LISTED: usize = 100;

impl Job<Committed> {
    /// Verifies the live site; done, or back to the old state.
    pub(super) fn check(mut self) -> Ending {
        self.monitor.enter(State::Checking);
        self.monitor.shield(false);
        match self.look() {
            Ok(live) => match self.keep(&live) {
                Ok(result) => Ending::Done(result),
                Err(error) => self.put_back(error),
            },
            Err(error) => self.put_back(error),
        }
    }

    fn look(&self) -> Result<Vec<Group>> {
        let limit = Duration::from_secs(self.ticket.config.limits.verify_timeout_s);
        let staged = &self.state.staged;
        let groups = verify::live(&self.ticket.config, &self.plan, &self.hosts, staged, limit, self.monitor.as_ref())?;
        // A kept state is brought back as it was, even if it was a broken one: that is what was asked for.
        let groups = if self.plan.from_snapshot.is_some() { report::softened(groups) } else { groups };
        // A question that ended with the job is no answer.
        self.monitor.keep_going()?;
        report::log(&groups, self.monitor.as_ref());
        verify::require(&groups, "the live site did not stand up")?;
        Ok(groups)
    }

    /// Makes the old state a snapshot and closes the job.
    fn keep(&mut self, live: &[Group]) -> Result<Value> {
        let manifest = commit::manifest_of(&self.plan, &self.state.steps, self.monitor.as_ref());
        retained::write(&self.plan.snapshot, &manifest)?;
        self.journal.append(&Record::Closed)?;
        let database = self.hosts.database.as_deref();
        for left in discard::after_success(&self.ticket.config, &self.plan, &manifest, database) {
            self.monitor.event(Level::Warn, &format!("{}; the next cleanup removes it", left.message));
        }
        finish_all(self.monitor.as_ref());
        Ok(self.result(live))
    }

    fn put_back(mut self, error: Error) -> Ending {
        self.monitor.shield(true);
        self.monitor.enter(State::RollingBack);
        self.monitor.event(Level::Error, &error.message);
        self.monitor.event(Level::Info, "automatic rollback: the old state is brought back");
        let error = error.with("phase", "live verification");
        if let Err(stuck) = commit::back(&self.state.steps, &mut self.journal, &self.hosts, self.monitor.as_ref()) {
            return Ending::NeedsOperator(stuck.with("because", error.message));
        }
        // Before the files go that the undoing needs: a recovery would look for them.
        let _ = self.journal.append(&Record::Closed);
        if let Err(left) = discard::remains(&self.plan, self.hosts.database.as_deref(), self.monitor.as_ref()) {
            self.monitor.event(Level::Warn, &format!("{}; the next cleanup removes it", left.message));
        }
        Ending::RolledBack(error)
    }

    /// How many tables the change-over brought into the live schema.
    fn tables_moved_in(&self) -> usize {
        let into = |step: &Step| match step {
            Step::Switch { live, switch, .. } => switch.moves.iter().filter(|step| step.to == *live).count(),
            _ => 0,
        };
        self.state.steps.iter().map(into).sum()
    }

    fn result(&self, live: &[Group]) -> Value {
        let staged = &self.state.staged;
        json!({
            "domain": self.plan.domain,
            "source": self.plan.source,
            "snapshot": self.plan.snapshot,
            "duration_s": (self.began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            "commit_ms": (self.state.window_ms * 10.0).round() / 10.0,
            "files": staged.files.as_ref().map(|files| json!({
                "files": files.summary.files, "folders": files.summary.folders, "links": files.summary.links,
                "bytes": files.summary.bytes, "stripped": files.summary.stripped_total,
                "parts": files.units.as_ref().map(Vec::len),
                "kept": files.kept.iter().take(LISTED).collect::<Vec<_>>(),
                "kept_total": files.kept.len(),
            })),
            "database": staged.database.as_ref().map(|database| json!({
                "schema": self.plan.database.as_ref().map(|plan| &plan.live),
                "dump": database.dump,
                "tables": self.tables_moved_in(),
                "kept": self.state.kept_tables,
                "rows": (!database.tables.is_empty())
                    .then(|| database.tables.iter().map(|table| table.rows).sum::<u64>()),
                "compatibility": database.compatibility,
            })),
            "config": self.state.steps.iter().filter_map(|step| match step {
                Step::Config { change, .. } => Some(change.target.display().to_string()),
                _ => None,
            }).collect::<Vec<_>>(),
            "verification": {
                "outcome": report::worst(live.iter().map(|group| group.outcome)), "staged": self.state.groups, "live": live,
            },
            "went_on_with": staged.went_on_with.as_ref().map(|job| json!({
                "job": job,
                "files": staged.files.as_ref().map_or(0, |files| files.summary.taken_over),
                "tables": staged.database.as_ref().map_or(0, |database| database.taken_over),
            })),
            "notes": staged.notes,
            "peak_memory_bytes": process::peak_memory(),
        })
    }
}
