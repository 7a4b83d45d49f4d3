//! Verification: the four groups of checks, on the staged state before the change-over and on the live one after it. Every line
//! names the two things that were compared. A line about something that was not compared is "not checked".

use crate::config::{Config, Probe};
use crate::engine::live_pages::seen::Stood;
use crate::engine::live_pages::{self, front};
use crate::engine::machine::Hosts;
use crate::engine::site_config;
use crate::engine::state::{InCommon, Staged, StagedDatabase, StagedFiles};
use crate::error::{Code, Error, IoContext, Result};
use crate::host::database::{Database, History, LoadedTable, UnchangedTable};
use crate::host::services::CertificateBefore;
use crate::host::site::Site;
use crate::host::target::Target;
use crate::host::tree::difference::{Difference, What};
use crate::host::tree::kind::Kind;
use crate::host::tree::walk::Next;
use crate::host::tree::{self, Extent, Sample, TreeReport};
use crate::host::{owner, place, site_database};
use crate::job::JobId;
use crate::path::Domain;
use crate::plan::{Plan, Selection};
use crate::progress::{Level, Monitor, Phase};
use crate::report::{self, Check, Group, Outcome};
use crate::siteconf::ConfFile;
use crate::snapshot::retained::Manifest;
use crate::text;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Requires that no check failed.
///
/// # Errors
/// The first failed check's, else `verification_failed`; the message says `what` failed.
pub fn require(groups: &[Group], what: &str) -> Result<()> {
    report::require(groups, Code::VerificationFailed)
        .map_err(|error| Error { message: format!("{what}: {}", error.message), ..error })
}

/// Requires that no check of the staged state failed.
///
/// # Errors
/// As [`require`]; the message names the differences.
pub fn require_staged(groups: &[Group]) -> Result<()> {
    let failed = groups.iter().find(|group| group.outcome == Outcome::Fail);
    let what = match failed.map(|group| group.name.as_str()) {
        Some("configuration") => "the configuration of the backup cannot be put into use",
        Some("service_status") => "the machine is not ready for the change-over",
        _ => "the staged state is not what the backup holds",
    };
    require(groups, what)
}

/// Most tables whose digests a check names.
const LISTED: usize = 1000;

/// Compares the staged state with the content of the backup.
///
/// # Errors
/// `cancelled`, `timed_out`. Differences are failed lines, not errors.
pub fn staged(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    staged: &Staged,
    monitor: &dyn Monitor,
) -> Result<Vec<Group>> {
    monitor.begin(Phase::Verify);
    let deadline = Instant::now() + Duration::from_secs(config.limits.verify_timeout_s);
    if let Some(files) = &staged.files {
        monitor.set_total(Phase::Verify, files.summary.entries, files.summary.bytes);
    }
    let (files, database) = std::thread::scope(|scope| {
        let database = scope.spawn(|| staged_database(plan, hosts, staged, deadline, monitor));
        let files = staged_files(config, plan, staged, deadline, monitor);
        (files, database.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let groups = vec![
        Group::new("file_integrity", files?),
        Group::new("database_integrity", database?),
        Group::new("configuration", configuration(config, plan, hosts, &staged.config)),
        Group::new("service_status", hosts.service_checks()),
    ];
    monitor.finish(Phase::Verify);
    Ok(groups)
}

fn staged_files(
    config: &Config,
    plan: &Plan,
    staged: &Staged,
    deadline: Instant,
    monitor: &dyn Monitor,
) -> Result<Vec<Check>> {
    let Some(files) = &staged.files else { return Ok(vec![not_restored("files")]) };
    let report = compare(config, plan, &plan.tree, files, Sample::Full, deadline, monitor)?;
    let mut checks = tree_checks(&report, &compared_with(files));
    checks.extend(unchanged_files(files));
    checks.extend(written_files(&report));
    checks.extend(kept_paths(files));
    checks.push(space_left(&plan.stage));
    Ok(checks)
}

fn compared_with(files: &StagedFiles) -> String {
    match files.units {
        None => format!("the {} entries of the backup", files.summary.entries),
        Some(_) => "the selected entries of the backup".into(),
    }
}

fn compare(
    config: &Config,
    plan: &Plan,
    root: &Path,
    files: &StagedFiles,
    sample: Sample,
    deadline: Instant,
    monitor: &dyn Monitor,
) -> Result<TreeReport> {
    let manifest = File::open(plan.manifest()).doing(|| format!("open {}", plan.manifest().display()))?;
    let extent = Extent {
        units: files.units.as_ref().map(|units| units.iter().map(|unit| unit.path.clone()).collect()),
        kept: files.kept.iter().map(|kept| kept.root.clone()).collect(),
        dropped: files.dropped.iter().cloned().collect(),
        live: match files.in_common {
            Some(_) if sample == Sample::Full => tree::open_site(&plan.document_root)?.map(Arc::new),
            _ => None,
        },
    };
    let (tree, threads) = (tree::open_folder(root)?, config.parallelism());
    let report = tree::verify(tree, manifest, &extent, sample, threads, Some(deadline), monitor)?;
    if !report.complete {
        return within(deadline).map(|()| report);
    }
    Ok(report)
}

/// Files that were compared with the backup, and are not written.
fn unchanged_files(files: &StagedFiles) -> Option<Check> {
    let InCommon { files: count, bytes, parts } = files.in_common?;
    let message = format!(
        "{count} live files, {}, are as the backup has them in every byte, owner, mode and time: they stay where they are, and {parts} parts \
         are exchanged",
        text::bytes(bytes)
    );
    let check = Check::new("unchanged_files", Outcome::Pass, message).with("files", count).with("bytes", bytes);
    Some(check.with("parts", parts))
}

/// A file that stays where it is may hold what the site has written meanwhile.
fn written_files(report: &TreeReport) -> Option<Check> {
    let first = report.first_written.as_ref()?;
    let message = format!(
        "files that were as the backup has them and were written to since: {}; what is new in them is the site's own and stays; the first \
         is {first}",
        report.written
    );
    Some(Check::new("files_written", Outcome::Warn, message).with("files", report.written))
}

/// The check that names the carried-over paths: they are not from the backup.
fn kept_paths(files: &StagedFiles) -> Option<Check> {
    let first = files.kept.first()?;
    let bytes: u64 = files.kept.iter().map(|kept| kept.bytes).sum();
    let message = format!(
        "kept from the live site and not compared: {} paths, {}, the first is {}",
        files.kept.len(),
        text::bytes(bytes),
        first.path
    );
    Some(Check::new("kept", Outcome::NotChecked, message).with("paths", files.kept.len()).with("bytes", bytes))
}

/// The lines of the group; each difference goes to the line it is about.
fn tree_checks(report: &TreeReport, with: &str) -> Vec<Check> {
    let about = |belongs: fn(&What) -> bool| -> Vec<&Difference> {
        report.differences.iter().filter(|difference| belongs(&difference.what)).collect()
    };
    let counted = about(|what| matches!(what, What::Missing | What::Extra));
    let modes = about(|what| matches!(what, What::Mode(_)));
    let owners = about(|what| matches!(what, What::Owner(_)));
    let content = about(|what| !matches!(what, What::Missing | What::Extra | What::Mode(_) | What::Owner(_)));
    let line = |name: &str, what: &str, bad: &[&Difference]| {
        let message = match bad {
            [] => format!("{what}: {} compared with {with}, all equal", report.compared),
            [first, ..] => format!(
                "{what}: compared with {with}, {} differ: {first}",
                report.missing + report.extra + report.different
            ),
        };
        Check::of(name, bad.is_empty(), message)
    };
    vec![
        line("count", "every file, folder and link is there and no other", &counted)
            .with("compared", report.compared)
            .with("missing", report.missing)
            .with("extra", report.extra),
        line(
            "checksum",
            if report.contents > 0 { "size and checksum, every byte read back" } else { "size and link target" },
            &content,
        )
        .with("files_read_back", report.contents)
        .with("bytes_read_back", report.bytes)
        .with("different", report.different),
        line("modes", "permissions", &modes),
        line("owner", "ownership", &owners),
    ]
}

fn space_left(path: &Path) -> Check {
    match tree::space(path) {
        Ok(space) => Check::new(
            "space_left",
            Outcome::Pass,
            format!("{} remaining on the site's filesystem", text::bytes(space.free_bytes)),
        )
        .with("free_bytes", space.free_bytes),
        Err(error) => Check::new("space_left", Outcome::Warn, error.message),
    }
}

fn not_restored(what: &str) -> Check {
    Check::new(what, Outcome::NotChecked, format!("{what}: not part of this restore"))
}

fn staged_database(
    plan: &Plan,
    hosts: &Hosts,
    staged: &Staged,
    deadline: Instant,
    monitor: &dyn Monitor,
) -> Result<Vec<Check>> {
    let (Some(names), Some(loaded)) = (&plan.database, &staged.database) else {
        return Ok(vec![not_restored("database")]);
    };
    let database = hosts.database()?;
    let mut checks = vec![connection(database)];
    let present = database.tables(&names.shadow)?;
    let count = loaded.tables.len();
    checks.push(
        Check::of(
            "tables",
            present.len() == count,
            format!("{} tables in the shadow schema, {count} in the dump", present.len()),
        )
        .with("tables", present.len())
        .with("expected", count),
    );
    let mut expected: Vec<&LoadedTable> = loaded.tables.iter().collect();
    // The largest table comes first, so that at the end no connection works on it while the others are idle.
    expected.sort_by_key(|table| std::cmp::Reverse(table.bytes));
    let looks = look_at_tables(hosts, &names.shadow, (loaded, &expected), deadline, monitor)?;
    let rows: u64 = looks.iter().map(|look| look.rows).sum();
    let wrong: Vec<&String> = looks.iter().filter_map(|look| look.differs.as_ref()).collect();
    let kept: u64 = loaded.kept_rows.iter().map(|kept| kept.rows).sum();
    let message = match wrong.first() {
        None if kept > 0 => {
            format!("{rows} rows counted in {count} tables: those of the dump table by table, and {kept} newer ones")
        }
        None => format!("{rows} rows counted in {count} tables, equal to the rows of the dump table by table"),
        Some(first) => format!("rows differ in {} tables: {first}", wrong.len()),
    };
    checks.push(Check::of("row_counts", wrong.is_empty(), message).with("rows", rows));
    checks.push(soundness(count, looks.iter().filter_map(|look| look.damage.as_ref()).collect()));
    checks.extend(unchanged_tables(&loaded.unchanged));
    Ok(checks)
}

/// Tables that were compared with the dump row by row, and are not loaded.
fn unchanged_tables(tables: &[UnchangedTable]) -> Option<Check> {
    let first = tables.first()?;
    let rows: u64 = tables.iter().map(|table| table.rows).sum();
    let message = format!(
        "{} live tables with {rows} rows are as the dump has them, by definition, digest of their rows and CHECK TABLE: they stay \
         where they are; the first is {} ({} rows, {})",
        tables.len(),
        first.name,
        first.rows,
        first.digest
    );
    let digests: BTreeMap<&str, &str> =
        tables.iter().take(LISTED).map(|table| (table.name.as_str(), table.digest.as_str())).collect();
    let digests = serde_json::to_value(digests).unwrap_or_default();
    let check = Check::new("unchanged", Outcome::Pass, message).with("tables", tables.len()).with("rows", rows);
    Some(check.with("digests", digests))
}

/// The result of looking at one table.
struct Look {
    rows: u64,
    differs: Option<String>,
    damage: Option<String>,
}

/// Counts and checks tables over several connections.
fn look_at_tables(
    hosts: &Hosts,
    schema: &str,
    (loaded, tables): (&StagedDatabase, &[&LoadedTable]),
    deadline: Instant,
    monitor: &dyn Monitor,
) -> Result<Vec<Look>> {
    let next = AtomicUsize::new(0);
    let summary_of = |database: &dyn Database| -> Result<Vec<Look>> {
        let mut looks = Vec::new();
        while let Some(table) = tables.get(next.fetch_add(1, Ordering::Relaxed)) {
            monitor.keep_going()?;
            within(deadline)?;
            let history = database.history(schema, &table.name)?;
            // The count of a missing table is an error, and the error ends the verification.
            let rows = history.map_or_else(|| database.count_rows(schema, &table.name), |history| Ok(history.rows))?;
            let due = loaded.rows_of(table);
            let differs = match history {
                Some(History { ended: ended @ 1.., .. }) => Some(of_an_older_server(&table.name, ended)),
                _ => (rows != due).then(|| format!("{} has {rows} rows, and {due} are due", table.name)),
            };
            let damage = database.check_table(schema, &table.name)?.into_iter().next();
            let damage = damage.map(|problem| format!("{}: {problem}", table.name));
            looks.push(Look { rows, differs, damage });
        }
        Ok(looks)
    };
    let second = hosts.database_again()?;
    std::thread::scope(|scope| {
        let other = scope.spawn(|| summary_of(second.as_ref()));
        let mut looks = summary_of(hosts.database()?)?;
        looks.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        Ok(looks)
    })
}

/// Why a dump with history of a server before 11.5 is none for a later one.
fn of_an_older_server(table: &str, ended: u64) -> String {
    format!(
        "{ended} rows of {table} would be hidden: the dump has its history (`--dump-history`) and is of a server before 11.5, whose rows of \
         today end in 2038; dump it with `--update-history` of MariaDB 11.8, or without the history"
    )
}

fn soundness(count: usize, bad: Vec<&String>) -> Check {
    let message = match bad.first() {
        None => format!("CHECK TABLE found {count} tables sound"),
        Some(first) => format!("CHECK TABLE found {} of {count} tables damaged: {first}", bad.len()),
    };
    Check::of("check_table", bad.is_empty(), message).with("tables", count)
}

fn connection(database: &dyn Database) -> Check {
    match database.version() {
        Ok(version) => Check::new("connection", Outcome::Pass, format!("the server answers: {version}")),
        Err(error) => Check::new("connection", Outcome::Fail, error.message).code(error.code),
    }
}

fn check_tables(
    database: &dyn Database,
    schema: &str,
    tables: &[String],
    deadline: Instant,
    monitor: &dyn Monitor,
) -> Result<Check> {
    let mut bad = Vec::new();
    for table in tables {
        monitor.keep_going()?;
        within(deadline)?;
        let problems = database.check_table(schema, table)?;
        bad.extend(problems.first().map(|problem| format!("{table}: {problem}")));
    }
    Ok(soundness(tables.len(), bad.iter().collect()))
}

fn within(deadline: Instant) -> Result<()> {
    if Instant::now() < deadline {
        return Ok(());
    }
    Err(Error::new(Code::TimedOut, "the verification did not finish in its time")
        .hint("Raise `limits.verify_timeout_s` in restore.toml."))
}

/// The candidate configuration, tested apart by the programs that will read it.
pub fn configuration(config: &Config, plan: &Plan, hosts: &Hosts, files: &[ConfFile]) -> Vec<Check> {
    if files.is_empty() {
        return vec![not_restored("configuration")];
    }
    let mut checks = site_config::check(config, plan, files);
    if site_config::is_refused(&checks) {
        // Both programs run as root, and act on the files that they test.
        let why = "not tested by nginx and PHP-FPM: the configuration could harm the machine";
        checks.push(Check::new("test", Outcome::NotChecked, why));
    } else {
        checks.extend(hosts.test_candidates(files));
    }
    checks
}

/// The live site after the change-over.
///
/// # Errors
/// `cancelled`, `timed_out`.
pub fn live(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    staged: &Staged,
    deadline: Instant,
    monitor: &dyn Monitor,
) -> Result<Vec<Group>> {
    std::thread::scope(|scope| {
        let files = scope.spawn(|| live_files(config, plan, staged, deadline, monitor));
        let database = match (&plan.database, &staged.database) {
            (Some(names), Some(staged)) => {
                let mut checks = live_database(config, plan, hosts, &names.live, &staged.names())?;
                checks.extend(written_since(hosts, &names.live, staged)?);
                checks
            }
            _ => vec![not_restored("database")],
        };
        let configuration = live_configuration(config, plan, hosts, &staged.config);
        let before = (&staged.certificate_before, staged.page_before);
        let mut services = services(config, hosts, &plan.domain, &plan.probes(config), before);
        services.iter_mut().for_each(|check| front::forgive(check, staged.page_before));
        let files = files.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        within(deadline)?;
        Ok(vec![
            Group::new("file_integrity", files),
            Group::new("database_integrity", database),
            Group::new("configuration", configuration),
            Group::new("service_status", services),
        ])
    })
}

fn live_files(
    config: &Config,
    plan: &Plan,
    staged: &Staged,
    deadline: Instant,
    monitor: &dyn Monitor,
) -> Result<Vec<Check>> {
    if let Some(files) = &staged.files {
        let report = compare(config, plan, &plan.document_root, files, Sample::MetadataOnly, deadline, monitor)?;
        // A site in use writes: caches and logs may differ by now. The staged tree was compared whole before.
        let mut checks: Vec<Check> = tree_checks(&report, &compared_with(files)).into_iter().map(softened).collect();
        checks.push(space_left(&plan.document_root));
        return Ok(checks);
    }
    if plan.from_snapshot.is_none() || !plan.selection.files.any() {
        return Ok(vec![not_restored("files")]);
    }
    let root = plan.document_root.display();
    Ok(vec![
        match plan.kept_units {
            None => {
                Check::new("tree", Outcome::Pass, format!("{root} is the tree that was kept, exchanged as a whole"))
            }
            Some(_) => Check::new("tree", Outcome::Pass, format!("the parts of {root} that were kept are back")),
        },
        Check::new(
            "checksum",
            Outcome::NotChecked,
            "its files were not read: they were never touched while they were kept",
        ),
    ])
}

/// Turns a failed check into a warning: a difference on a site in use is reported and causes no rollback.
fn softened(check: Check) -> Check {
    if check.outcome == Outcome::Fail { Check { outcome: Outcome::Warn, ..check } } else { check }
}

/// A table that stayed where it was may hold what the site has written meanwhile.
fn written_since(hosts: &Hosts, live: &str, staged: &StagedDatabase) -> Result<Option<Check>> {
    let written = written(hosts.database()?, live, staged)?;
    let Some(first) = written.first() else { return Ok(None) };
    let count = written.len();
    let message = format!(
        "tables that were as the dump has them and were written to since: {count}; what is new in them is the site's own and stays; \
         the first is {first}"
    );
    let named: Vec<String> = written.into_iter().take(LISTED).collect();
    Ok(Some(Check::new("written_since", Outcome::Warn, message).with("tables", named)))
}

/// Tables that the site has written to since they were found to be as the dump has them, as far as the server knows.
fn written(database: &dyn Database, live: &str, staged: &StagedDatabase) -> Result<Vec<String>> {
    if staged.unchanged.is_empty() {
        return Ok(Vec::new());
    }
    let times = database.table_times(live)?;
    let is_written = |table: &&UnchangedTable| {
        let updated = times.tables.iter().find(|times| times.name == table.name).and_then(|times| times.updated);
        updated.is_some_and(|updated| updated >= table.seen)
    };
    Ok(staged.unchanged.iter().filter(is_written).map(|table| table.name.clone()).collect())
}

fn live_database(config: &Config, plan: &Plan, hosts: &Hosts, live: &str, expected: &[&str]) -> Result<Vec<Check>> {
    let database = hosts.database()?;
    let mut checks = vec![site_connection(config, &plan.domain, hosts, live)];
    let present = database.tables(live)?;
    let there = |table: &&&str| !present.iter().any(|found| found.name == **table);
    let missing: Vec<&&str> = expected.iter().filter(there).collect();
    let message = match missing.first() {
        None if plan.from_snapshot.is_some() => format!("{} kept tables are in {live} again", present.len()),
        None => format!("all {} tables of the dump are in {live}", expected.len()),
        Some(first) => format!("{} tables of the dump are not in {live}, the first is {first}", missing.len()),
    };
    checks.push(Check::of("tables", missing.is_empty(), message).with("tables", present.len()));
    checks.push(Check::new(
        "row_counts",
        Outcome::NotChecked,
        "rows and CHECK TABLE: done on these very tables before they were renamed; the site may write to them by now",
    ));
    Ok(checks)
}

/// Connects as the site's own account. If the administrator names none, the files that are now in the document root name it. `live` is
/// the schema that the change-over filled.
fn site_connection(config: &Config, domain: &Domain, hosts: &Hosts, live: &str) -> Check {
    let home = Site::find(config, domain);
    let only_php_can_tell = home.as_ref().is_ok_and(site_database::is_for_php_to_tell);
    let named = home.and_then(|site| site_database::require(config, &site));
    let same = match &named {
        Ok(site) => site.account.schema == live,
        Err(_) => true,
    };
    if named.as_ref().is_ok_and(|site| !site.is_usable()) {
        let message = "the site's own account: restore.toml or its credentials file names no password to try";
        return Check::new("connection", Outcome::NotChecked, message);
    }
    match named.and_then(|site| hosts.connect_as(&site).map(|()| site)) {
        Ok(site) if !same => {
            let named = text::printable(&site.account.schema);
            let message = format!("{} names the database {named}, not {live}", site.account.source.display());
            Check::new("connection", Outcome::Fail, message).code(Code::DatabaseAmbiguous)
        }
        Ok(_) => Check::new("connection", Outcome::Pass, "the site's own account can connect and read"),
        Err(error)
            if error.code == Code::CredentialsMissing
                || (only_php_can_tell && error.code == Code::DatabaseAmbiguous) =>
        {
            Check::new(
                "connection",
                Outcome::NotChecked,
                format!("the site's own account is not known: {}", error.message),
            )
        }
        // The restored wp-config may be right for the site although its account is gone: that is a broken site all the same.
        Err(error) => Check::new("connection", Outcome::Fail, format!("the site's own account: {}", error.message))
            .code(error.code),
    }
}

fn live_configuration(config: &Config, plan: &Plan, hosts: &Hosts, files: &[ConfFile]) -> Vec<Check> {
    if files.is_empty() {
        return vec![not_restored("configuration")];
    }
    let mut checks = hosts.test_live();
    checks.extend(files.iter().map(|file| {
        let same = std::fs::read(&file.target).is_ok_and(|content| content == file.content);
        Check::of("installed", same, format!("{} is the file of the backup", file.target.display()))
    }));
    checks.extend(site_config::check(config, plan, files));
    checks
}

/// How the site answered before, where nobody asked.
const UNKNOWN_BEFORE: (&CertificateBefore, Option<Stood>) = (&CertificateBefore::Unknown, None);

/// Services, and the site itself through the web server.
fn services(
    config: &Config,
    hosts: &Hosts,
    domain: &Domain,
    probes: &[Probe],
    (certificate, page): (&CertificateBefore, Option<Stood>),
) -> Vec<Check> {
    let mut checks = hosts.service_checks();
    if let Some(database) = &hosts.database {
        checks.push(Check { name: "mysql".into(), ..connection(database.as_ref()) });
    }
    checks.extend(front::checks(config, &hosts.services, domain, certificate, page));
    checks.extend(live_pages::probed(config, hosts, domain, probes));
    checks
}

/// The checks that a recovery can make of a change-over whose worker died: services, the site's page, the site's own account.
pub fn standing(config: &Config, plan: &Plan, hosts: &Hosts, monitor: &dyn Monitor) -> Vec<Group> {
    monitor.event(Level::Info, "checking that the site stands");
    let mut services = services(config, hosts, &plan.domain, &plan.probes(config), UNKNOWN_BEFORE);
    services.iter_mut().for_each(|check| front::forgive(check, None));
    services.push(live_pages::unproven("a recovery knows no page of the restored state"));
    let mut groups = vec![Group::new("service_status", services)];
    if let Some(names) = &plan.database {
        let connection = site_connection(config, &plan.domain, hosts, &names.live);
        groups.push(Group::new("database_integrity", vec![connection]));
    }
    groups
}

/// Checks a retained snapshot before a rollback to it: tree and tables are where the manifest says.
///
/// # Errors
/// `database_unreachable`.
pub fn retained(hosts: &Hosts, plan: &Plan, manifest: &Manifest) -> Result<Group> {
    let mut checks = Vec::new();
    if let Some(kept) = &manifest.tree {
        let same = place::identity(kept)?.is_some_and(|now| manifest.tree_identity.is_none_or(|then| then == now));
        checks.push(Check::of(
            "tree",
            same,
            format!("the kept tree {} is there and is the one that was kept", kept.display()),
        ));
    }
    if let (Some(names), Some(_)) = (&plan.database, &manifest.schema_kept) {
        let count = hosts.database()?.tables(&names.shadow)?.len() as u64;
        checks.push(Check::of(
            "tables",
            count == manifest.tables,
            format!("{count} tables in the kept schema, {} were kept", manifest.tables),
        ));
    }
    Ok(Group::new("snapshot", checks))
}

/// Modes of a live tree, and its owners against those that such a site has.
fn ownership(config: &Config, domain: &Domain, root: &Path) -> Result<Vec<Check>> {
    let folder = tree::open_folder(root)?;
    let policy = owner::policy(config, domain, Some(folder.as_fd()))?;
    let (mut open, mut foreign) = (Tally::default(), Tally::default());
    tree::walk(folder, &mut |visit| {
        let path = || String::from_utf8_lossy(visit.path).into_owned();
        if visit.kind != Kind::Symlink && visit.stat.stx_mode & 0o002 != 0 {
            open.note(path);
        }
        if !policy.is_the_sites((visit.stat.stx_uid, visit.stat.stx_gid)) {
            foreign.note(path);
        }
        Ok(Next::Into)
    })?;
    let line = |name: &str, tally: &Tally, good: String, bad: &str| match &tally.first {
        None => Check::new(name, Outcome::Pass, good),
        Some(first) => Check::new(name, Outcome::Warn, format!("{} {bad}, the first is {first}", tally.count))
            .with("count", tally.count),
    };
    let (uid, gid) = policy.owner;
    let owner = format!("{uid}:{gid}");
    Ok(vec![
        line(
            "modes",
            &open,
            "nothing can be written by everybody".into(),
            "files and folders can be written by everybody",
        ),
        line(
            "owner",
            &foreign,
            format!("everything belongs to {owner}"),
            &format!("files and folders do not belong to {owner}"),
        ),
    ])
}

#[derive(Default)]
struct Tally {
    count: u64,
    first: Option<String>,
}

impl Tally {
    fn note(&mut self, path: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(path);
    }
}

/// `rv_verify`: the four groups of checks on a live domain. There is no backup to compare the domain with.
///
/// # Errors
/// `unknown_domain`, `cancelled`, `timed_out`.
pub fn domain(config: &Config, work: &Path, domain: &Domain, monitor: &Arc<dyn Monitor>) -> Result<Vec<Group>> {
    let deadline = Instant::now() + Duration::from_secs(config.limits.verify_timeout_s);
    let home = Site::find(config, domain)?;
    let root = home.folder.clone();
    let survey = tree::survey(&root, monitor.as_ref())?.ok_or_else(|| {
        Error::new(Code::UnknownDomain, format!("{} does not exist", root.display())).with("domain", domain.as_str())
    })?;
    let mut files = vec![
        Check::new(
            "count",
            Outcome::Pass,
            format!(
                "{} files in {} folders, {}, all of them readable",
                survey.files,
                survey.folders,
                text::bytes(survey.bytes)
            ),
        )
        .with("files", survey.files),
        Check::new("checksum", Outcome::NotChecked, "checksums: there is no backup to compare the live site with here"),
        space_left(&root),
    ];
    files.extend(ownership(config, domain, &root)?);
    let site = site_database::require(config, &home);
    let hosts = Hosts::of(config, domain, site.is_ok(), work, monitor.clone())?;
    let database = match (&site, &hosts.database) {
        (Ok(site), Some(database)) => {
            let schema = &site.account.schema;
            let tables: Vec<String> = database.tables(schema)?.into_iter().map(|table| table.name).collect();
            vec![
                site_connection(config, domain, &hosts, schema),
                Check::of("tables", !tables.is_empty(), format!("{} tables in {schema}", tables.len())),
                check_tables(database.as_ref(), schema, &tables, deadline, monitor.as_ref())?,
            ]
        }
        (Err(error), _) => vec![Check::new("database", Outcome::NotChecked, error.message.clone())],
        _ => vec![not_restored("database")],
    };
    let mut configuration = hosts.test_live();
    let plan = Plan::restore(
        config,
        &JobId::new()?,
        domain,
        Target::of(config, &home.folder),
        Selection::everything(),
        None,
        String::new(),
    );
    configuration.extend(site_config::check(config, &plan, &site_config::live(config, domain)));
    Ok(vec![
        Group::new("file_integrity", files),
        Group::new("database_integrity", database),
        Group::new("configuration", configuration),
        Group::new("service_status", services(config, &hosts, domain, &plan.probes(config), UNKNOWN_BEFORE)),
    ])
}
