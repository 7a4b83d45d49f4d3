//! The plan token: "the request, the backup and the live state as they were looked at". A restore that is started with it is
//! refused when anything it would replace has changed since.
//!
//! Clocks are coarse: a file or a table that changed a moment before it was looked at can change once more and keep the same
//! times (git calls such entries racy). So the token carries the moments at which the looking began, by the machine's clock and
//! by the server's. Files and tables that were changed shortly before go into it with their content. A later look uses the same
//! moments, and so comes to the same token when nothing changed.

use crate::api;
use crate::backup::source::Source;
use crate::config::Config;
use crate::engine::preflight::facts::{self, Facts};
use crate::engine::site_config;
use crate::error::{Code, Error, Result};
use crate::host::database::{Database, Objects, SchemaTimes, TableInfo, TableTimes};
use crate::plan::Selection;
use crate::progress::{Monitor, Silent};
use crate::siteconf::change;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A table with up to this many rows by the server's estimate is counted. For a larger one the estimate is used.
pub const COUNTED_ROWS: u64 = 1_000_000;
/// Seconds within which the time of a table's last change says nothing yet.
const RACY_S: i64 = 2;

/// The moments at which the looking began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moments {
    /// By this machine's clock, milliseconds since 1970.
    machine_ms: i64,
    /// By the database server's clock, seconds since 1970; 0 without a database.
    server_s: i64,
}

impl Moments {
    /// 11 and 9 hex digits in front of the token; they are hashed with the rest.
    fn parse(token: &str) -> Option<Moments> {
        let digits = |from: usize, to: usize| i64::from_str_radix(token.get(from..to)?, 16).ok();
        Some(Moments { machine_ms: digits(0, 11)?, server_s: digits(11, 20)? })
    }
}

/// Milliseconds since 1970, to be given to [`facts::gather`] before a token is made of what it finds.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A live table as it was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LiveTable {
    /// Name.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Whether they were counted; otherwise the server estimates them.
    pub exact: bool,
    /// Bytes of data and indexes.
    pub bytes: u64,
    pub(crate) created: String,
    pub(crate) updated: Option<i64>,
    pub(crate) auto_increment: u64,
    /// Why the server cannot open it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) damage: String,
    /// Checksum over all rows, if the times could not tell whether they changed.
    pub(crate) checksum: Option<u64>,
}

/// The live database as it was looked at.
#[derive(Debug, Clone, Default)]
pub struct LiveDatabase {
    /// Its schema.
    pub schema: String,
    /// Its tables, sorted by name.
    pub tables: Vec<LiveTable>,
    /// Views, triggers, routines and events.
    pub objects: Objects,
    /// The server's clock when the looking began.
    pub(crate) began: i64,
}

/// Looks at the live database closely: times, row counts, definitions. `None` when it takes no part.
///
/// # Errors
/// `database_unreachable`.
pub fn database(facts: &Facts, began: Option<i64>) -> Result<Option<LiveDatabase>> {
    let (Some(site), Some(first)) = (&facts.site, &facts.hosts.database) else { return Ok(None) };
    let again = facts.hosts.database_again()?;
    live_database(&[first.as_ref(), again.as_ref()], &site.account.schema, began).map(Some)
}

/// Looks at the tables of `schema`. `began` is the moment of an earlier look, if there was one.
fn live_database(servers: &[&dyn Database], schema: &str, began: Option<i64>) -> Result<LiveDatabase> {
    let Some(server) = servers.first() else { return Ok(LiveDatabase::default()) };
    let SchemaTimes { now, tables: times } = server.table_times(schema)?;
    let began = began.unwrap_or(now);
    let infos = server.tables(schema)?;
    // Both lists are sorted; a table that came or went between the two questions is another state anyway.
    let mut work: Vec<(TableInfo, TableTimes)> = infos
        .into_iter()
        .filter_map(|info| {
            let at = times.binary_search_by(|times| times.name.cmp(&info.name)).ok()?;
            Some((info, times[at].clone()))
        })
        .collect();
    // The largest table comes first, so that at the end no connection works on it while the others are idle.
    work.sort_by_key(|(info, _)| info.bytes);
    let work = Mutex::new(work);
    let count = |server: &dyn Database| -> Result<Vec<LiveTable>> {
        let mut done = Vec::new();
        loop {
            let next = work.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((info, times)) = next else { return Ok(done) };
            done.push(count_table(server, schema, info, times, began)?);
        }
    };
    let counted = std::thread::scope(|scope| {
        let others: Vec<_> = servers[1..].iter().map(|server| scope.spawn(|| count(*server))).collect();
        let mut all = count(*server)?;
        for other in others {
            all.extend(other.join().unwrap_or_else(|_| Err(Error::new(Code::Internal, "a counting thread panicked")))?);
        }
        Ok::<_, Error>(all)
    });
    let mut tables = counted?;
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(LiveDatabase { schema: schema.to_owned(), tables, objects: server.objects(schema)?, began })
}

fn count_table(
    server: &dyn Database,
    schema: &str,
    info: TableInfo,
    times: TableTimes,
    began: i64,
) -> Result<LiveTable> {
    // A damaged table cannot be counted. The rest is looked at all the same, because a restore is the remedy for it. Missing rights are
    // reported by the check of them, which names all of them.
    let where_readable = |result: Result<u64>| match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.code, Code::DatabaseFailed | Code::InsufficientPrivilege) => Ok(None),
        Err(error) => Err(error),
    };
    let small = info.rows_estimate < COUNTED_ROWS;
    let counted = if small && !info.sequence { where_readable(server.count_rows(schema, &info.name))? } else { None };
    let racy = times.updated.is_none_or(|updated| updated >= began - RACY_S);
    let checksum = if racy { where_readable(server.checksum_table(schema, &info.name))? } else { None };
    Ok(LiveTable {
        name: info.name,
        rows: counted.unwrap_or(info.rows_estimate),
        exact: counted.is_some(),
        bytes: info.bytes,
        created: times.created,
        updated: times.updated,
        auto_increment: times.auto_increment,
        checksum,
        damage: info.damage,
    })
}

/// The token, 64 hex digits. `began` is the moment that was given to [`facts::gather`]. Components that are not selected take no part:
/// their changes do not touch the plan.
pub fn of(
    config: &Config,
    request: &api::Restore,
    selection: &Selection,
    source: &Source,
    facts: &Facts,
    database: Option<&LiveDatabase>,
    began: i64,
) -> String {
    let moments = Moments { machine_ms: began, server_s: database.map_or(0, |database| database.began) };
    let front = format!("{:011x}{:09x}", moments.machine_ms, moments.server_s);
    let mut sum = Sha256::new();
    // Each piece with its length: no two states are spelled the same.
    let mut add = |piece: &[u8]| {
        sum.update((piece.len() as u64).to_le_bytes());
        sum.update(piece);
    };
    add(front.as_bytes());
    add(wish(request).as_bytes());
    add(json(&source.identities()).as_bytes());
    if let Some(survey) = facts.survey.as_ref().filter(|_| selection.files.any()) {
        add(&survey.state.to_le_bytes());
        add(json(&(survey.files, survey.folders, survey.links, survey.bytes, survey.root_is_link)).as_bytes());
    }
    if let Some(database) = database {
        add(database.schema.as_bytes());
        for table in &database.tables {
            // An estimate moves without a change.
            let table = if table.exact { table.clone() } else { LiveTable { rows: 0, ..table.clone() } };
            add(json(&LiveTable { bytes: 0, ..table }).as_bytes());
        }
        add(json(&database.objects).as_bytes());
    }
    if !selection.config.is_empty() {
        for file in site_config::live(config, &request.domain) {
            for path in std::iter::once(&file.target).chain(file.link.as_ref().map(|link| &link.path)) {
                add(path.as_os_str().as_encoded_bytes());
                add(json(&change::current(path).ok()).as_bytes());
            }
        }
    }
    let hash = sum.finalize();
    front + &crate::text::hex(&hash[..22])
}

/// The fields of a request that decide what will be done: the same for a validation, a comparison and the restore itself.
pub fn wish(request: &api::Restore) -> String {
    let options = api::Options {
        priority: api::Priority::default(),
        checksum: false,
        accept: Vec::new(),
        rehearsal: true,
        probes: Vec::new(),
        ..request.options.clone()
    };
    let import = match &request.backup {
        api::Backup::Import(import) => Some(import),
        api::Backup::Named(_) => None,
    };
    json(&(&request.domain, &request.components, &request.exclude, &request.dump, options, import))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Refuses a start whose live state, backup or request is not the one the token was made for.
///
/// # Errors
/// `plan_stale`, and the errors of looking at the live state.
pub fn check(config: &Config, request: &api::Restore, source: &Source, given: &str, work: &Path) -> Result<()> {
    let stale = || {
        Error::new(
            Code::PlanStale,
            format!(
                "{} or its backup changed since the plan was made, or the plan was of another request",
                request.domain
            ),
        )
    };
    let moments = Moments::parse(given).ok_or_else(stale)?;
    let mut selection = Selection::of(request)?;
    selection.narrow(source.foreign.as_deref())?;
    let began = Some(moments.machine_ms);
    let silent: Arc<dyn Monitor> = Arc::new(Silent);
    selection.fit(source.may_hold_database());
    let facts = facts::gather(config, source, &mut selection, work, began, &silent)?;
    let database = database(&facts, Some(moments.server_s))?;
    let now = of(config, request, &selection, source, &facts, database.as_ref(), moments.machine_ms);
    if now == given { Ok(()) } else { Err(stale()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::database::fake::Fake;

    #[test]
    fn a_request_that_does_the_same_has_the_same_wish_and_another_has_another() {
        let wish = |json: &str| super::wish(&api::parse(json).unwrap());
        let plain = wish(r#"{"domain":"a.com"}"#);
        assert_eq!(plain, wish(r#"{"domain":"a.com","dry_run":true,"options":{"priority":"normal","checksum":true}}"#));
        for other in [
            r#"{"domain":"b.com"}"#,
            r#"{"domain":"a.com","components":{"files":true}}"#,
            r#"{"domain":"a.com","exclude":{"files":["x"]}}"#,
            r#"{"domain":"a.com","options":{"exact":true}}"#,
            r#"{"domain":"a.com","dump":"/x.sql.gz"}"#,
        ] {
            assert_ne!(plain, wish(other), "{other}");
        }
    }

    #[test]
    fn the_moments_are_in_the_token() {
        let moments = Moments { machine_ms: 1_760_000_000_123, server_s: 1_760_000_000 };
        let token = format!("{:011x}{:09x}{}", moments.machine_ms, moments.server_s, "0".repeat(44));
        assert_eq!((token.len(), Moments::parse(&token)), (64, Some(moments)));
        for bad in ["", "zz", "0123456789", "é23456789012345678901234"] {
            assert_eq!(Moments::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn tables_changed_just_before_the_look_are_known_by_their_checksum() {
        let fake = Fake::new();
        fake.put_table("s", "old", 3, 1_600_000_000);
        fake.put_table("s", "young", 4, 1_900_000_000);
        fake.put_table("s", "large", 2_000_000, 1_600_000_000);
        let found = live_database(&[&fake, &fake], "s", None).unwrap();
        let table = |name: &str| found.tables.iter().find(|table| table.name == name).unwrap();
        assert_eq!((table("old").exact, table("old").checksum), (true, None));
        assert_eq!((table("young").rows, table("young").checksum), (4, Some(1_900_000_000)));
        assert!(!table("large").exact);
        // Looked at again with the first moment, the same tables are summed.
        let again = live_database(&[&fake], "s", Some(found.began)).unwrap();
        assert_eq!(again.tables, found.tables);
    }

    #[test]
    fn a_damaged_table_does_not_keep_the_rest_from_being_looked_at() {
        let fake = Fake::new();
        fake.put_table("s", "a", 3, 1_600_000_000);
        fake.fail(2, Code::DatabaseFailed);
        let found = live_database(&[&fake], "s", None).unwrap();
        assert!(!found.tables[0].exact);
        fake.fail(2, Code::DatabaseUnreachable);
        assert_eq!(live_database(&[&fake], "s", None).unwrap_err().code, Code::DatabaseUnreachable);
    }
}
