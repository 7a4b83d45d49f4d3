//! Has the server try what a dump defines, where the server alone knows whether it takes it: views and routines, and the tables of
//! another kind of server or of a newer release.

use crate::backup::contents::DumpScan;
use crate::backup::scan::read_dump_text;
use crate::backup::source::Source;
use crate::config::Config;
use crate::engine::machine::Hosts;
use crate::engine::stage::{load_request, load_watched};
use crate::error::{Code, Error, Result};
use crate::host::database::load::definitions::{Tried, drop_scratch, try_definitions};
use crate::plan::Plan;
use crate::progress::{Level, Linked, Monitor, Phase};
use crate::report::{Check, Group, Outcome};
use crate::sql::compat::{Actions, ServerFacts};
use crate::sql::origin::Origin;
use crate::sql::versioned::Dialect;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest time that the server is asked. A table takes it one or two hundredths of a second.
const LIMIT: Duration = Duration::from_secs(120);
/// Most refusals that are listed.
const MAX_LINES: usize = 100;

/// Adds what the server says of the definitions to the lines about the dump. Where the dump has nothing but tables, of this kind of server
/// and of no newer release, nothing is asked.
///
/// # Errors
/// `cancelled`, `timed_out`.
pub fn add(
    group: Group,
    config: &Config,
    (plan, hosts, source): (&Plan, &Hosts, &Source),
    (dump, facts, actions): (&DumpScan, &ServerFacts, Actions),
    monitor: &Arc<dyn Monitor>,
) -> Result<Group> {
    if dump.is_empty() || dump.objects == 0 && !may_differ(&dump.survey.origin, facts.dialect()) {
        return Ok(group);
    }
    monitor.event(Level::Info, "the server tries the definitions of the dump");
    let began = Instant::now();
    let tried = tried(config, plan, hosts, source, actions, monitor);
    // A job that is to stop has no answer, whatever it has met.
    monitor.keep_going()?;
    let said = match tried {
        Ok(tried) => lines(&group, plan, &tried, facts, began.elapsed()),
        Err(error) => vec![not_tried(&plan.spoken(error))],
    };
    Ok(Group::new("dump", [group.checks, said].concat()))
}

/// Whether the dump may hold what this server does not know: nobody says where it is from, or it is from another kind of server, or from
/// a newer release.
fn may_differ(origin: &Origin, server: Dialect) -> bool {
    let series = |version: u32| version / 100;
    origin
        .release()
        .is_none_or(|(mariadb, version)| mariadb != server.mariadb || series(version) > series(server.version))
}

fn tried(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    source: &Source,
    actions: Actions,
    monitor: &Arc<dyn Monitor>,
) -> Result<Tried> {
    let request = load_request(config, plan, hosts, &Arc::new(plan.selection.tables()?), actions, None)?;
    let database = hosts.database()?;
    let live = request.beside.as_deref().unwrap_or_default();
    database.create_schema(&request.schema, database.schema_charset(live)?.as_ref())?;
    let limited = Limited { inner: monitor.clone(), until: Instant::now() + LIMIT };
    let linked = Arc::new(Linked::new(Arc::new(limited)));
    let shared: Arc<dyn Monitor> = linked.clone();
    let tried = load_watched(
        config,
        plan,
        hosts,
        shared.as_ref(),
        || linked.stop(),
        || {
            let mut found = Tried::default();
            let read = read_dump_text(source, config, &|_| true, shared.as_ref(), |dump| {
                found = try_definitions(dump, &request, shared.clone())?;
                Ok(())
            });
            read.map(|()| found)
        },
    );
    let dropped = drop_scratch(&request.server, &request.schema);
    tried.and_then(|tried| dropped.map(|()| tried))
}

/// What the server refuses, and what was not tried.
fn lines(group: &Group, plan: &Plan, tried: &Tried, facts: &ServerFacts, took: Duration) -> Vec<Check> {
    let failed = || group.checks.iter().filter(|check| check.outcome == Outcome::Fail);
    // What is known without the server is said already.
    let is_said = |error: &&Error| failed().any(|check| check.figures.get("first_line") == error.context.get("line"));
    let line = |error: &Error| {
        let error = plan.spoken(error.clone());
        let line = error.context.get("line").cloned().unwrap_or_default();
        Check::failed("definition", &error).with("first_line", line)
    };
    let mut lines: Vec<Check> =
        tried.refused.iter().filter(|error| !is_said(error)).take(MAX_LINES).map(line).collect();
    match &tried.stopped {
        Some(error) if is_of_the_dump(error.code) => lines.extend(failed().next().is_none().then(|| line(error))),
        Some(error) => lines.push(not_tried(&plan.spoken(error.clone()))),
        None if lines.is_empty() => {
            let (count, version) = (tried.statements, &facts.version);
            let message = format!(
                "this server {version} took the {count} definitions of the dump in an empty schema that is gone again; rows were not tried"
            );
            let check = Check::new("definitions", Outcome::Pass, message);
            lines.push(check.with("statements", count).with("took_ms", took.as_millis() as u64));
        }
        None => {}
    }
    lines
}

/// Whether a load would end with it, on whatever day.
fn is_of_the_dump(code: Code) -> bool {
    matches!(code, Code::DumpRefused | Code::BackupCorrupt | Code::LimitExceeded | Code::DatabaseFailed)
}

fn not_tried(error: &Error) -> Check {
    let message = format!("the server did not try the definitions of the dump to their end: {}", error.message);
    Check::new("definitions", Outcome::NotChecked, message)
}

/// A job that is given so much time for a part of its work.
struct Limited {
    inner: Arc<dyn Monitor>,
    until: Instant,
}

impl Monitor for Limited {
    fn set_total(&self, _: Phase, _: u64, _: u64) {}
    fn advance(&self, _: Phase, _: u64, _: u64) {}
    fn current(&self, _: Phase, _: &str) {}
    fn event(&self, level: Level, message: &str) {
        self.inner.event(level, message);
    }
    fn keep_going(&self) -> Result<()> {
        self.inner.keep_going()?;
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(Error::new(Code::TimedOut, format!("that takes longer than {} s", LIMIT.as_secs())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn a_try_has_its_time_and_no_more() {
        let limited = |until| Limited { inner: Arc::new(Silent), until };
        limited(Instant::now() + LIMIT).keep_going().unwrap();
        let error = limited(Instant::now()).keep_going().unwrap_err();
        assert_eq!((error.code, is_of_the_dump(error.code)), (Code::TimedOut, false));
    }

    #[test]
    fn only_a_dump_of_another_kind_or_of_a_newer_release_or_of_nobodys_is_tried() {
        let origin = |server: &str| Origin { server: Some(server.to_owned()), ..Origin::default() };
        for (dump, server, tried) in [
            ("10.11.6-MariaDB", "10.11.19-MariaDB", false),
            ("10.11.19-MariaDB", "10.11.6-MariaDB", false),
            ("10.5.23-MariaDB", "11.8.2-MariaDB", false),
            ("8.0.36", "9.7.0", false),
            ("11.8.2-MariaDB", "10.11.6-MariaDB", true),
            ("10.11.6-MariaDB", "10.5.23-MariaDB", true),
            ("9.7.0", "8.4.3", true),
            ("10.11.6-MariaDB", "9.7.0", true),
            ("8.0.36", "10.11.6-MariaDB", true),
        ] {
            assert_eq!(may_differ(&origin(dump), Dialect::of(server)), tried, "{dump} on {server}");
        }
        assert!(may_differ(&Origin::default(), Dialect::of("9.7.0")));
    }
}
