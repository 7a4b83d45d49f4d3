//! `options.keep_rows`: rows that the site has made since the backup, carried into the restored tables.

use crate::api::KeepRows;
use crate::api::answer::comparison::KeptRowsOf;
use crate::backup::contents::DumpScan;
use crate::backup::scan::read_dump_text;
use crate::backup::source::Source;
use crate::config::Config;
use crate::engine::machine::Hosts;
use crate::engine::state::StagedDatabase;
use crate::error::Result;
use crate::host::database::kept_rows::{Sides, not_held};
use crate::host::database::names;
use crate::job::JobId;
use crate::plan::{Plan, Selection};
use crate::progress::Monitor;
use crate::sql::greatest::greatest;
use std::collections::BTreeMap;

/// Carries the rows that are newer than those of the restored tables. Done again, it carries what has come since: it is, right before
/// the change-over. A table that is live as the backup has it has none.
///
/// # Errors
/// `bad_request` for a table that the backup does not hold, and as [`Sides::carry`].
pub fn keep(plan: &Plan, hosts: &Hosts, staged: &StagedDatabase) -> Result<Vec<KeptRowsOf>> {
    let (Some(plan_names), false) = (&plan.database, plan.selection.keep_rows.is_empty()) else {
        return Ok(Vec::new());
    };
    let changed = plan.selection.keep_rows.iter().filter(|kept| !staged.is_unchanged(&kept.table));
    let tables: Vec<KeepRows> = changed.cloned().collect();
    require_held(&tables, &staged.names())?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let server = hosts.server()?;
    let account = names::carrier(plan.job.short());
    let (live, shadow) = (plan_names.live.as_str(), plan_names.shadow.as_str());
    Sides { server: &server, account: &account, live, shadow }.carry(&tables)
}

/// How many rows would be kept now, before anything is staged. The dump is read for it.
///
/// # Errors
/// `bad_request` for a table that the dump does not hold or that has no key; those of reading the backup.
pub fn expect(
    config: &Config,
    source: &Source,
    (hosts, selection, live): (&Hosts, &Selection, &str),
    dump: &DumpScan,
    job: &JobId,
    monitor: &dyn Monitor,
) -> Result<Vec<KeptRowsOf>> {
    require_held(&selection.keep_rows, &dump.table_names())?;
    let server = hosts.server()?;
    let Some(dialect) = hosts.dialect() else { return Ok(Vec::new()) };
    let (account, shadow) = (names::carrier(job.short()), names::shadow(job.short()));
    let sides = Sides { server: &server, account: &account, live, shadow: &shadow };
    sides.expect(&selection.keep_rows, |columns| {
        let mut found = BTreeMap::new();
        read_dump_text(source, config, &|table| columns.contains_key(table), monitor, |text| {
            found = greatest(text, dialect, columns)?;
            Ok(())
        })?;
        Ok(found)
    })
}

fn require_held(tables: &[KeepRows], held: &[&str]) -> Result<()> {
    match tables.iter().find(|kept| !held.contains(&kept.table.as_str())) {
        Some(kept) => Err(not_held(&kept.table)),
        None => Ok(()),
    }
}

/// What is said of a table whose rows were carried.
pub fn note(kept: &KeptRowsOf) -> Option<String> {
    let KeptRowsOf { table, column, rows } = kept;
    (*rows > 0).then(|| format!("kept {rows} live rows of {table} that are newer than the backup (by {column})"))
}
