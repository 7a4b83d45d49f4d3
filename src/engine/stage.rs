//! Planned → staged: the backup becomes a tree, a shadow schema and a set of configuration files, beside the live site.
//!
//! One thread reads and unpacks the archive and hands files to the tree's writers; the dump goes into a spool, from which
//! the loader reads while it grows. Files and database run side by side, and a failure of one stops the other.

pub mod archives;
mod disk_watch;
pub mod in_common;
pub mod newer_rows;
pub mod parts;
pub mod take_over;

use crate::archive::Limits;
use crate::backup::contents::ConfigFound;
use crate::backup::layout::{Layout, Seen};
use crate::backup::source::{Form, Source};
use crate::config::Config;
use crate::disk::{private_folder, sync_parent};
use crate::engine::machine::Hosts;
use crate::engine::preflight::expected_size::expect;
use crate::engine::preflight::facts::require_account;
use crate::engine::preflight::{lacking_config, no_database};
use crate::engine::site_config;
use crate::engine::stage::archives::{Found, Reading};
use crate::engine::stage::disk_watch::DiskWatch;
use crate::engine::state::{InCommon, Kept, Planned, Scope, Staged, StagedDatabase, StagedFiles};
use crate::engine::unused::require_used;
use crate::error::{Code, Error, Result, both};
use crate::host::database::load::checkpoint::Checkpoint;
use crate::host::database::{Choice, Database, LoadRequest, Patience, load, names};
use crate::host::services::CertificateBefore;
use crate::host::spool::Spool;
use crate::host::tree::{self, TreeOptions, TreeSummary, TreeWriter};
use crate::host::{owner, page_caches, place};
use crate::job::folder::JobFolder;
use crate::job::monitor::JobMonitor;
use crate::path::RelPath;
use crate::plan::keep::KeepRule;
use crate::plan::selection::{Paths, Tables};
use crate::plan::{Plan, Selection};
use crate::progress::{Level, Linked, Monitor, Phase, Silent};
use crate::siteconf::{ConfFile, certbot};
use crate::sql::compat::Actions;
use crate::text;
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What of the live site is compared with the backup: what is as the backup has it is neither loaded nor written.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// Its tables.
    pub tables: bool,
    /// Its files.
    pub files: bool,
}

/// Stages what the plan selects.
///
/// # Errors
/// The error that either side met first; `backup_incomplete` when the backup lacks something that was asked for.
pub fn run(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    planned: &Planned,
    folder: &JobFolder,
    (actions, compared): (Actions, Compared),
    monitor: &Arc<JobMonitor>,
) -> Result<Staged> {
    let Planned { source, goes_on_with, .. } = planned;
    private_folder(&plan.stage)?;
    let linked = Arc::new(Linked::new(monitor.clone()));
    let shared: Arc<dyn Monitor> = linked.clone();
    let files = plan.selection.files.any();
    let paths = plan.selection.paths()?;
    let tables = Arc::new(plan.selection.tables()?);
    tell_expected(config, plan, source, monitor.as_ref());
    // The dump may be left over from the interrupted job that this one goes on with.
    place::remove(&plan.dump(), &Silent)?;
    let spool = match &plan.database {
        Some(_) => Some(Spool::create(&plan.dump())?),
        None => None,
    };
    let mut writer = if files {
        monitor.begin(Phase::Files);
        let manifest = tree::manifest::create(&plan.manifest())?;
        private_folder(&plan.tree)?;
        let root = Some(plan.document_root.clone());
        let live = tree::open_site(&plan.document_root)?.map(Arc::new);
        let policy = owner::policy(config, &plan.domain, live.as_ref().map(|live| live.as_fd()))?;
        let compares = live.as_ref().is_some_and(|live| compared.files && tree::apart::may_be_exchanged_by_parts(live));
        let limit = compares.then_some(in_common::MOST_PARTS);
        let options =
            TreeOptions { document_root: root, live, policy, compares: limit, ..TreeOptions::from_config(config)? };
        let begin = if goes_on_with.is_some() { TreeWriter::go_on } else { TreeWriter::create };
        Some(begin(tree::open_folder(&plan.tree)?, options, manifest, shared.clone())?)
    } else {
        None
    };
    let (read, loaded) = std::thread::scope(|scope| {
        let loader = match (&plan.database, &spool) {
            (Some(_), Some(spool)) => {
                monitor.begin(Phase::Database);
                let (shared, linked, tables) = (shared.clone(), linked.clone(), tables.clone());
                Some(scope.spawn(move || {
                    let stop = || linked.stop();
                    let loaded = load_watched(config, plan, hosts, shared.as_ref(), stop, || {
                        load_dump(config, plan, hosts, spool, &tables, (actions, compared.tables), shared.clone())
                    });
                    if loaded.is_err() {
                        stop();
                    }
                    loaded
                }))
            }
            _ => None,
        };
        let limits = Limits::from_config(&config.limits);
        let mut reading = Reading {
            source,
            spool: spool.as_ref().map(Spool::writer),
            tree: writer.as_mut(),
            paths: &paths,
            tables: &tables,
            configuration: !plan.selection.config.is_empty(),
            config,
            limits,
            monitor: shared.clone(),
        };
        let read = reading.run();
        // A spool writer that is dropped before it has finished tells the loader that no more bytes come.
        if let (Ok(_), Some(writer)) = (&read, reading.spool.take()) {
            writer.finish();
        }
        drop(reading);
        if read.is_err() {
            linked.stop();
        }
        let loaded = loader.map(|loader| loader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (read, loaded)
    });
    let finished = writer.map(TreeWriter::finish);
    // The side that failed by itself says why; the other one was only told to stop.
    let ((found, database), summary) = both(both(read, loaded.transpose()), finished.transpose())?;
    if plan.database.is_some() {
        monitor.finish(Phase::Database);
    }
    require_account(planned.no_account.as_ref(), found.seen.dump.as_deref())?;
    let without_dump = planned.has_no_table && found.seen.dump.is_none();
    require_components(&plan.selection, &found.seen, source, without_dump)?;
    require_matches(plan, source, &paths, &tables)?;
    // The spool is removed before the one flush: its pages need never reach the disk.
    drop(spool);
    place::remove(&plan.dump(), &Silent)?;
    let mut notes = summary.as_ref().map(|summary| summary.stripped.clone()).unwrap_or_default();
    notes.extend(found.notes.iter().cloned());
    let mut files = summary
        .map(|summary| complete_files(plan, source, &paths, &found, summary, &mut notes, monitor))
        .transpose()?;
    if let Some(files) = &mut files {
        in_common::settle(plan, files, monitor.as_ref())?;
        notes.extend(files.in_common.map(unchanged_files));
        tree::sync_filesystem(tree::open_folder(&plan.stage)?)?;
        sync_parent(&plan.stage)?;
        monitor.finish(Phase::Files);
    }
    notes.extend(planned.notes.clone());
    if without_dump {
        notes.push(no_database(plan, planned.schema_is_missing));
    }
    let links = found.seen.config_links.iter().filter(|(item, _)| plan.selection.config.contains(item));
    notes.extend(links.map(|(_, link)| format!("not restored: {link}")));
    let config_path = RelPath::parse(b"wp-config.php")?;
    // Before a dump without a table is taken for an empty database: tables of another prefix were left out of it.
    if let (Some(foreign), Some((database, _))) = (&source.foreign, &database) {
        foreign.wrong_prefix(&database.names(), plan.selection.brings(&config_path)?).map_or(Ok(()), Err)?;
    }
    let all = planned.has_no_table && tables.is_whole() && !plan.selection.exact;
    let nothing = all
        && database.as_ref().is_some_and(|(database, _)| {
            matches!(database.scope, Scope::Dump { complete: true }) && database.is_empty()
        });
    if nothing {
        notes.push(no_table_either(planned.schema_is_missing).to_owned());
    }
    let database = database.filter(|_| !without_dump && !nothing).map(|(mut database, more)| {
        notes.extend(more.into_iter().map(|note| plan.said(note)));
        let whole = matches!(database.scope, Scope::Dump { complete: true });
        if !whole && tables.is_whole() && !plan.selection.exact {
            notes.push(MAY_BE_CUT.to_owned());
        }
        let names = database.names();
        let unsure = source.foreign.as_ref().and_then(|foreign| foreign.extent.unsure(&names));
        notes.extend(unsure.filter(|_| whole && !plan.selection.exact).map(str::to_owned));
        let complete = whole && knows_every_table(source, found.layout, &names);
        database.scope = Scope::Dump { complete };
        database.dump.clone_from(&found.seen.dump);
        database
    });
    if let Some(database) = &database {
        require_tables(plan, database, &tables)?;
        let counted = database.tables.iter().map(|table| (table.name.as_str(), table.rows));
        source.other_rows(counted).map_or(Ok(()), Err)?;
    }
    if let Some(foreign) = &source.foreign {
        if database.is_none() {
            foreign.other_live_prefix(plan.selection.brings(&config_path)?).map_or(Ok(()), Err)?;
        }
        notes.extend(foreign.lacks.iter().cloned());
        notes.extend(foreign.keeps_settings(files.is_some()).map(str::to_owned));
    }
    notes.extend(unused_excludes(&paths, &tables));
    monitor.begin(Phase::Config);
    let config_files = config_files(config, plan, found.config)?;
    notes.extend(certbot::note(config, &plan.domain, &source.site.root, &config_files));
    monitor.advance(Phase::Config, config_files.len() as u64, 0);
    monitor.finish(Phase::Config);
    say_staged(files.as_ref(), database.as_ref(), config_files.len(), monitor);
    folder.write("notes.json", &notes)?;
    Ok(Staged {
        files,
        database,
        config: config_files,
        kept_config: Vec::new(),
        notes,
        page_before: None,
        certificate_before: CertificateBefore::default(),
        went_on_with: goes_on_with.clone(),
    })
}

/// Tells the monitor the expected sizes, for percentages. The size of parts is not known before they are read. A component that was
/// not asked for is no phase of the job.
fn tell_expected(config: &Config, plan: &Plan, source: &Source, monitor: &JobMonitor) {
    let chosen = [
        (Phase::Files, plan.selection.files.any()),
        (Phase::Database, plan.selection.database.any()),
        (Phase::Config, !plan.selection.config.is_empty()),
    ];
    for (phase, _) in chosen.into_iter().filter(|(_, takes_part)| !takes_part) {
        monitor.skip(phase);
    }
    let expected = expect(config, source);
    if plan.selection.files.is_whole() {
        monitor.set_total(Phase::Files, expected.entries, expected.files);
        monitor.set_total(Phase::Verify, expected.entries, expected.files);
    }
    if plan.selection.database.is_whole() && plan.database.is_some() {
        monitor.set_total(Phase::Database, expected.rows, expected.dump);
    }
}

/// Takes over the carried-over paths, and says which parts are exchanged.
fn complete_files(
    plan: &Plan,
    source: &Source,
    paths: &Paths,
    found: &Found,
    summary: TreeSummary,
    notes: &mut Vec<String>,
    monitor: &JobMonitor,
) -> Result<StagedFiles> {
    let staged = tree::open_folder(&plan.tree)?;
    let rule = KeepRule::new(left_out(source, found.layout), paths, plan.selection.exact);
    for path in &found.dropped {
        let (around, name) = path.split_last().unwrap_or_default();
        let folder = tree::open_folder_beneath(staged.as_fd(), &around)?;
        tree::remove(folder, OsStr::from_bytes(name), &Silent)?;
    }
    let live = tree::open_site(&plan.document_root)?;
    let mut kept = match &live {
        Some(live) => take_over::take_over(live, &staged, &rule, found, monitor)?,
        None => Vec::new(),
    };
    let pages = leave_out_pages(&staged, paths, &mut kept, notes)?;
    let units = match (&paths.only, &live) {
        (Some(only), Some(live)) => {
            Some(parts::units(live, &staged, only, &paths.exclude, found, plan.selection.exact)?)
        }
        (Some(_), None) => {
            let root = plan.document_root.display();
            return Err(Error::new(Code::NotExchangeable, format!("{root} does not exist: parts have no place in it"))
                .hint("Restore all files first: \"components\":{\"files\":true}."));
        }
        (None, _) => None,
    };
    let dropped = found.dropped.iter().cloned().chain(pages).collect();
    Ok(StagedFiles { summary, units, in_common: None, kept, dropped })
}

fn unchanged_files(common: InCommon) -> String {
    format!(
        "unchanged files, {} of them, were live as the backup has them and stayed where they were: what the site writes to them, from the \
         comparison on, is not undone, by a rollback neither",
        common.files
    )
}

/// Empties the folders of saved pages in the new tree: those of the backup are older than its rows, and those that were carried over are
/// of the site that goes. The live site's own stay where they are. Gives the folders.
fn leave_out_pages(
    staged: &OwnedFd,
    paths: &Paths,
    kept: &mut [Kept],
    notes: &mut Vec<String>,
) -> Result<Vec<RelPath>> {
    let pages: Vec<RelPath> =
        page_caches::find(staged).into_iter().filter(|folder| !paths.names_pages(folder)).collect();
    for folder in &pages {
        let (files, bytes) = page_caches::measure(staged, folder)?;
        let within = |kept: &&mut Kept| folder == &kept.path || folder.ancestors().any(|around| around == kept.path);
        for kept in kept.iter_mut().filter(within) {
            kept.files = kept.files.saturating_sub(files);
            kept.bytes = kept.bytes.saturating_sub(bytes);
        }
        page_caches::empty(staged, folder, &Silent)?;
        if files > 0 {
            notes.push(format!("left out: {files} saved pages in {folder}, which are not of the restored state"));
        }
    }
    Ok(pages)
}

/// The message about the tables that an incomplete dump does not hold.
pub(super) const MAY_BE_CUT: &str = "the dump does not end as a whole one does and may be cut: live tables that it does not hold stay; \
    \"options\":{\"exact\":true} takes them away";

/// The paths that the writer of a backup leaves out; a snapshot is whole.
pub(super) fn left_out(source: &Source, layout: Option<&'static dyn Layout>) -> &'static [&'static str] {
    if source.form != Form::Backup {
        return &[];
    }
    layout.or_else(|| source.known_layout()).map_or(&[], |layout| layout.left_out())
}

/// Whether a table that the dump lacks did not exist when it was made.
pub(super) fn knows_every_table(source: &Source, layout: Option<&'static dyn Layout>, tables: &[&str]) -> bool {
    if let Some(foreign) = &source.foreign {
        return foreign.extent.holds_every_table(tables);
    }
    let beside = source.form == Form::Backup && source.dump_beside().is_some();
    layout.or_else(|| source.known_layout()).is_none_or(|layout| layout.dumps_every_table() || !beside)
}

fn say_staged(files: Option<&StagedFiles>, database: Option<&StagedDatabase>, config: usize, monitor: &JobMonitor) {
    if let Some(StagedFiles { summary: files, kept, units, .. }) = files {
        let size = text::bytes(files.bytes);
        let message =
            format!("staged {} files in {} folders, {} links, {size}", files.files, files.folders, files.links);
        monitor.event(Level::Info, &message);
        if files.taken_over > 0 {
            monitor.event(Level::Info, &format!("{} files were there already", files.taken_over));
        }
        for kept in kept.iter().take(20) {
            let size = text::bytes(kept.bytes);
            monitor.event(Level::Info, &format!("kept from live: {} ({} files, {size})", kept.path, kept.files));
        }
        if let Some(units) = units {
            monitor.event(Level::Info, &format!("{} parts will be exchanged", units.len()));
        }
    }
    if let Some(database) = database {
        let rows: u64 = database.tables.iter().map(|table| table.rows).sum();
        let dump = database.dump.as_deref().unwrap_or_default();
        monitor.event(Level::Info, &format!("loaded {rows} rows into {} tables from {dump}", database.tables.len()));
    }
    if let Some(database) = database.filter(|database| !database.unchanged.is_empty()) {
        let rows: u64 = database.unchanged.iter().map(|table| table.rows).sum();
        let count = database.unchanged.len();
        let message = match count {
            1 => format!("1 table ({rows} rows) is live as the dump has it: it stays where it is"),
            _ => format!("{count} tables ({rows} rows) are live as the dump has them: they stay where they are"),
        };
        monitor.event(Level::Info, &message);
    }
    if let Some(database) = database.filter(|database| database.taken_over > 0) {
        monitor.event(Level::Info, &format!("{} tables were there already", database.taken_over));
    }
    if config > 0 {
        monitor.event(Level::Info, &format!("staged {config} configuration files"));
    }
}

/// Loads while the room of the database server is watched. If the load was ended for lack of room, that is the error.
pub(super) fn load_watched<T: Send>(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    monitor: &dyn Monitor,
    stop: impl Fn() + Send,
    load: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let Some(folder) = hosts.data_folder() else { return load() };
    let account = crate::engine::leftovers::discard::loader(&plan.job);
    let headroom = config.limits.headroom_bytes;
    let disk = DiskWatch { folder: &folder, headroom, server: hosts.server()?, account: &account };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| disk.watch(&done, monitor, stop));
        let loaded = load();
        done.store(true, Ordering::Release);
        watch.thread().unpark();
        let watched = watch.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // A load that reached its end all the same is whole.
        loaded.map_err(|error| watched.err().unwrap_or(error))
    })
}

fn load_dump(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    spool: &Spool,
    tables: &Arc<Tables>,
    (actions, compares): (Actions, bool),
    monitor: Arc<dyn Monitor>,
) -> Result<(StagedDatabase, Vec<String>)> {
    let database = hosts.database()?;
    let names = plan.database.as_ref().ok_or_else(|| Error::new(Code::Internal, "the plan has no database"))?;
    database.create_schema(&names.shadow, database.schema_charset(&names.live)?.as_ref())?;
    let checkpoint = Arc::new(checkpoint(database, &names.shadow, plan)?);
    let mut request = load_request(config, plan, hosts, tables, actions, Some(checkpoint.clone()))?;
    request.reader = compares.then(|| names::comparer(plan.job.short()));
    let loaded = load(spool, &request, monitor)?;
    // A foreign key to a table that was not loaded would go on naming the shadow schema.
    let mut links = database.foreign_keys(&names.shadow)?;
    links.retain(|key| !loaded.tables.iter().any(|table| table.name == key.refers_to));
    links.iter().try_for_each(|key| checkpoint.not(&key.table))?;
    database.drop_foreign_keys(&names.shadow, &links, Patience::default())?;
    let scope = Scope::Dump { complete: loaded.whole };
    let (tables, objects, compatibility) = (loaded.tables, loaded.objects, loaded.adapted);
    let (taken_over, unchanged) = (loaded.taken_over, loaded.unchanged);
    let mut notes = loaded.notes;
    if !unchanged.is_empty() {
        notes.push(format!(
            "unchanged tables, {} of them, were live as the backup has them and stayed where they are: what the site writes to them, from \
             the comparison on, is not undone, by a rollback neither",
            unchanged.len()
        ));
    }
    let kept_rows = Vec::new();
    let mut staged = StagedDatabase {
        dump: None,
        tables,
        objects,
        links,
        scope,
        compatibility,
        taken_over,
        unchanged,
        kept_rows,
        next_values: Vec::new(),
    };
    for kept in &plan.selection.keep_rows {
        checkpoint.not(&kept.table)?;
    }
    staged.kept_rows = newer_rows::keep(plan, hosts, &staged)?;
    notes.extend(staged.kept_rows.iter().filter_map(newer_rows::note));
    Ok((staged, notes))
}

/// What of a dump is loaded, where, and as whom.
///
/// # Errors
/// `credentials_missing`.
pub(super) fn load_request(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    tables: &Arc<Tables>,
    actions: Actions,
    checkpoint: Option<Arc<Checkpoint>>,
) -> Result<LoadRequest> {
    let names = plan.database.as_ref().ok_or_else(|| Error::new(Code::Internal, "the plan has no database"))?;
    let (takes, leaves_out) = (tables.clone(), tables.clone());
    Ok(LoadRequest {
        server: hosts.server()?,
        schema: names.shadow.clone(),
        account: crate::engine::leftovers::discard::loader(&plan.job),
        definer: names.definer.clone().ok_or_else(|| {
            Error::new(
                Code::CredentialsMissing,
                format!("no account of the site exists on the server for {}", names.live),
            )
            .hint("Create the database account that the site's own configuration names.")
        })?,
        connections: if config.mysql.connections == 0 { config.parallelism() } else { config.mysql.connections },
        max_tables: config.limits.max_tables,
        choice: (!tables.is_whole()).then(|| Choice {
            takes: Arc::new(move |name| takes.takes(name)),
            parts: tables.only.is_some(),
            leaves_out: Arc::new(move |name| leaves_out.exclude.covers(name)),
        }),
        beside: Some(names.live.clone()),
        reader: None,
        compatibility: actions,
        #[cfg(any(test, feature = "test-support"))]
        filter: true,
        checkpoint,
    })
}

/// Tables that an earlier load left whole stay in the shadow schema; everything else in it is dropped.
fn checkpoint(database: &dyn Database, shadow: &str, plan: &Plan) -> Result<Checkpoint> {
    let mut present: Vec<String> = database.tables(shadow)?.into_iter().map(|table| table.name).collect();
    let checkpoint = Checkpoint::open(&plan.checkpoint(), &present)?;
    // Views that a rehearsal was killed over may be there without a table.
    database.drop_objects(shadow, &database.objects(shadow)?, Patience::default())?;
    if !present.is_empty() {
        present.retain(|table| checkpoint.earlier(table).is_none());
        database.drop_tables(shadow, &present)?;
    }
    Ok(checkpoint)
}

fn config_files(config: &Config, plan: &Plan, found: Vec<ConfigFound>) -> Result<Vec<ConfFile>> {
    let wanted = found.into_iter().filter(|file| plan.selection.config.contains(&file.item));
    wanted.map(|file| site_config::place(config, &plan.domain, file)).collect()
}

/// Refuses a backup that lacks a component that was asked for: nothing is skipped silently. `without_dump`: a backup without a dump is
/// whole.
pub(super) fn require_components(
    selection: &Selection,
    seen: &Seen,
    source: &Source,
    without_dump: bool,
) -> Result<()> {
    let lacks = |what: &str, without: &str| {
        Err(Error::new(Code::BackupIncomplete, format!("{} holds no {what}", source.path.display()))
            .hint(format!("Choose another backup, or restore the rest with {without}."))
            .with("component", what))
    };
    if selection.files.any() && !seen.root {
        return lacks("files of the site (no www folder)", r#"{"components":{"database":true,"config":true}}"#);
    }
    if selection.files.any() {
        source.require_document_root(seen)?;
    }
    if selection.database.any() && seen.dump.is_none() && !without_dump {
        return lacks("database dump", r#"{"components":{"files":true,"config":true}}"#);
    }
    match lacking_config(selection, &seen.config, &seen.config_links) {
        Some(what) if seen.config.is_empty() => lacks(&what, r#"{"components":{"files":true,"database":true}}"#),
        Some(what) => lacks(&what, "the other items"),
        None => Ok(()),
    }
}

/// The message for a whole dump without a table, for a site whose schema has none, or is not there.
pub(super) fn no_table_either(schema_is_missing: bool) -> &'static str {
    match schema_is_missing {
        false => "the dump holds no table, and the site's database has none either: it stays as it is",
        true => "the dump holds no table, and the site's database does not exist: it is not made",
    }
}

/// Refuses a dump without tables: a dump program that failed leaves an empty file, and that must not remove every table of the site.
fn require_tables(plan: &Plan, database: &StagedDatabase, tables: &Tables) -> Result<()> {
    if !tables.is_whole() || plan.selection.exact || !database.is_empty() {
        return Ok(());
    }
    Err(no_table(database.dump.as_deref().unwrap_or("the dump")))
}

/// The refusal of a dump without a table.
pub(super) fn no_table(dump: &str) -> Error {
    Error::new(Code::BackupCorrupt, format!("{dump} holds no table: the dump failed when the backup was made"))
        .hint("Choose another backup or another dump; \"options\":{\"exact\":true} restores an empty database.")
        .with("dump", dump)
}

/// Refuses a pattern that names nothing in the backup: it is a mistake, and does not mean an empty selection.
fn require_matches(plan: &Plan, source: &Source, paths: &Paths, tables: &Tables) -> Result<()> {
    let files = paths.only.as_ref().map(|only| only.unused()).unwrap_or_default();
    let database = match &plan.database {
        Some(_) => tables.only.as_ref().map(|only| only.unused()).unwrap_or_default(),
        None => Vec::new(),
    };
    require_used("files", files, source)?;
    require_used("database", database, source)
}

/// Excludes that name nothing. They are reported and not refused, because one list of excludes may serve many sites.
fn unused_excludes(paths: &Paths, tables: &Tables) -> Vec<String> {
    let said = |field: &str, unused: Vec<String>| {
        unused.into_iter().map(move |pattern| format!("exclude.{field}: {pattern:?} named nothing")).collect::<Vec<_>>()
    };
    [said("files", paths.exclude.unused()), said("database", tables.exclude.unused())].concat()
}
