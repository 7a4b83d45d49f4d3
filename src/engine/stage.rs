//! Planned → staged: the backup becomes a tree, a shadow schema and a set of configuration files, beside the live site.
//!
//! One thread reads and unpacks the archive and hands files to the tree's writers; the dump goes into a spool, from which
//! the loader reads while it grows. Files and database run side by side, and a failure of one stops the other.

use crate::archive::{self, Entry, EntryKind, GzipReader, Limits};
use crate::backup::layout::{Place, Seen, Sorter};
use crate::backup::source::{Part, Role, Source};
use crate::config::Config;
use crate::engine::Staged;
use crate::engine::expect::expect;
use crate::engine::hosts::Hosts;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::database::{LoadRequest, LoadedTable, Objects, load};
use crate::host::spool::{Spool, SpoolWriter};
use crate::host::tree::{self, TreeOptions, TreeWriter};
use crate::host::{place, text};
use crate::job::folder::JobFolder;
use crate::job::status::JobMonitor;
use crate::path::RelPath;
use crate::plan::{DatabasePlan, Plan};
use crate::progress::{Level, Monitor, Phase, Silent};
use crate::siteconf::{self, ConfFile, Item};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Largest configuration file accepted, in bytes.
const MAX_CONFIG_FILE: u64 = 1 << 20;
/// Most configuration files accepted.
const MAX_CONFIG_FILES: usize = 64;
/// Piece in which a dump is copied into its spool.
const PIECE: usize = 256 << 10;

/// What the dump held, as counted on the way in.
pub struct StagedDatabase {
    /// Tables with rows and bytes.
    pub tables: Vec<LoadedTable>,
    /// Triggers, views, routines and events, to be defined at commit.
    pub objects: Objects,
}

/// Stages what the plan selects.
///
/// # Errors
/// What either side met first; `backup_incomplete` when the backup lacks what was asked for.
pub fn run(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    source: &Source,
    folder: &JobFolder,
    monitor: &Arc<JobMonitor>,
) -> Result<Staged> {
    crate::job::lock::make_private_folder(&plan.stage)?;
    let linked = Arc::new(Linked { inner: monitor.clone(), stop: AtomicBool::new(false) });
    let shared: Arc<dyn Monitor> = linked.clone();
    let expected = expect(config, source);
    if plan.selection.files.any() {
        monitor.expect(Phase::Files, expected.entries, expected.files);
        monitor.expect(Phase::Verify, expected.entries, expected.files);
    }
    if plan.database.is_some() {
        monitor.expect(Phase::Database, expected.rows, expected.dump);
    }
    let spool = match &plan.database {
        Some(_) => Some(Spool::create(&plan.dump())?),
        None => None,
    };
    let mut writer = if plan.selection.files.any() {
        monitor.begin(Phase::Files);
        let manifest = tree::manifest::create(&plan.manifest())?;
        crate::job::lock::make_private_folder(&plan.tree)?;
        let root = Some(plan.document_root.clone());
        let options = TreeOptions { document_root: root, ..TreeOptions::from_config(config)? };
        Some(TreeWriter::create(tree::open_folder(&plan.tree)?, options, manifest, shared.clone())?)
    } else {
        None
    };
    let (read, loaded) = std::thread::scope(|scope| {
        let loader = match (&plan.database, &spool) {
            (Some(names), Some(spool)) => {
                monitor.begin(Phase::Database);
                let (shared, linked) = (shared.clone(), linked.clone());
                Some(scope.spawn(move || {
                    let loaded = load_dump(config, plan, names, hosts, spool, shared);
                    if loaded.is_err() {
                        linked.stop.store(true, Ordering::Relaxed);
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
            limits,
            monitor: shared.clone(),
        };
        let read = reading.run();
        // A writer that goes without having finished tells the loader that there is no more to come.
        if let (Ok(_), Some(writer)) = (&read, reading.spool.take()) {
            writer.finish();
        }
        drop(reading);
        if read.is_err() {
            linked.stop.store(true, Ordering::Relaxed);
        }
        let loaded = loader.map(|loader| loader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (read, loaded)
    });
    let finished = writer.map(TreeWriter::finish);
    // The side that failed by itself says why; the other one was only told to stop.
    let (found, summary, database) = match (read, loaded.transpose(), finished.transpose()) {
        (Ok(found), Ok(database), Ok(summary)) => (found, summary, database),
        (read, loaded, finished) => {
            let errors = [read.err(), loaded.err(), finished.err()];
            let mut errors: Vec<Error> = errors.into_iter().flatten().collect();
            let own = errors.iter().position(|error| !is_stop(error)).unwrap_or(0);
            return Err(errors.swap_remove(own));
        }
    };
    if plan.selection.files.any() {
        monitor.finish(Phase::Files);
    }
    if plan.database.is_some() {
        monitor.finish(Phase::Database);
    }
    require_components(plan, &found.seen, source)?;
    // The spool is removed before the one flush: its pages need never reach the disk.
    drop(spool);
    place::remove(&plan.dump(), &Silent)?;
    if plan.selection.files.any() {
        tree::sync_filesystem(tree::open_folder(&plan.stage)?)?;
        crate::journal::sync_parent(&plan.stage)?;
    }
    let mut notes = summary.as_ref().map(|summary| summary.stripped.clone()).unwrap_or_default();
    let database = database.map(|(database, more)| {
        notes.extend(more);
        database
    });
    monitor.begin(Phase::Config);
    let config_files = config_files(config, plan, found.config)?;
    monitor.advance(Phase::Config, config_files.len() as u64, 0);
    monitor.finish(Phase::Config);
    notes.extend(found.notes);
    say_staged(summary.as_ref(), database.as_ref(), config_files.len(), monitor);
    folder.write("notes.json", &notes)?;
    Ok(Staged { files: summary, database, config: config_files, kept_config: Vec::new(), notes })
}

fn say_staged(
    files: Option<&tree::TreeSummary>,
    database: Option<&StagedDatabase>,
    config: usize,
    monitor: &JobMonitor,
) {
    if let Some(files) = files {
        let size = text::bytes(files.bytes);
        let message =
            format!("staged {} files in {} folders, {} links, {size}", files.files, files.folders, files.links);
        monitor.event(Level::Info, &message);
    }
    if let Some(database) = database {
        let rows: u64 = database.tables.iter().map(|table| table.rows).sum();
        monitor.event(Level::Info, &format!("loaded {rows} rows into {} tables", database.tables.len()));
    }
    if config > 0 {
        monitor.event(Level::Info, &format!("staged {config} configuration files"));
    }
}

fn load_dump(
    config: &Config,
    plan: &Plan,
    names: &DatabasePlan,
    hosts: &Hosts,
    spool: &Spool,
    monitor: Arc<dyn Monitor>,
) -> Result<(StagedDatabase, Vec<String>)> {
    let database = hosts.database()?;
    database.create_schema(&names.shadow, database.schema_charset(&names.live)?.as_ref())?;
    let request = LoadRequest {
        server: hosts.server()?,
        schema: names.shadow.clone(),
        account: crate::engine::cleanup::account(&plan.job),
        definer: names.definer.clone().ok_or_else(|| {
            Error::new(
                Code::CredentialsMissing,
                format!("no account of the site exists on the server for {}", names.live),
            )
            .hint("Create the database account that the site's own configuration names.")
        })?,
        connections: if config.mysql.connections == 0 { config.parallelism() } else { config.mysql.connections },
        max_tables: config.limits.max_tables,
        filter: true,
    };
    let loaded = load(spool, &request, monitor)?;
    Ok((StagedDatabase { tables: loaded.tables, objects: loaded.objects }, loaded.notes))
}

/// What was read besides files and dump.
struct Found {
    seen: Seen,
    config: Vec<(Item, String, Vec<u8>)>,
    notes: Vec<String>,
}

struct Reading<'a> {
    source: &'a Source,
    spool: Option<SpoolWriter>,
    tree: Option<&'a mut TreeWriter>,
    limits: Limits,
    monitor: Arc<dyn Monitor>,
}

impl Reading<'_> {
    fn run(&mut self) -> Result<Found> {
        let mut found = Found { seen: Seen::default(), config: Vec::new(), notes: Vec::new() };
        for part in &self.source.parts {
            part.will_stream();
            match &part.role {
                Role::Dump => {
                    self.spool_dump(part.gzip, &mut part.reader())?;
                    found.seen.dump = Some(part.path.display().to_string());
                }
                Role::ConfigFile { item, name } => {
                    let mut entry = Entry::file(name.as_bytes(), part.identity.size);
                    entry.stored = entry.size;
                    found.seen.config.insert(*item);
                    found.config.push(read_config(
                        *item,
                        name.clone(),
                        &entry,
                        &mut part.reader(),
                        found.config.len(),
                    )?);
                }
                Role::Archive | Role::Files | Role::Config => {
                    self.read_archive(part, &mut found).map_err(|error| part.named(error))?;
                }
            }
            part.unchanged()?;
        }
        Ok(found)
    }

    fn read_archive(&mut self, part: &Part, found: &mut Found) -> Result<()> {
        let Some(mut sorter) = part.sorter(&self.source.site) else { return Ok(()) };
        let mut tar = archive::open(part.reader(), self.limits)?;
        while let Some(mut entry) = tar.next_entry()? {
            self.monitor.keep_going()?;
            let path = RelPath::parse(&entry.path)?;
            match sorter.place(&path) {
                Place::Site(inner) => {
                    if let Some(tree) = self.tree.as_mut() {
                        // A hard link names its target as the archive does: from the archive's root, not the site's.
                        if let EntryKind::HardLink(target) = &entry.kind {
                            entry.kind = EntryKind::HardLink(inside(&sorter, target)?);
                        }
                        tree.add(inner, &entry, &mut tar)?;
                    }
                }
                Place::Dump { gzip } => self.spool_dump(gzip, &mut tar)?,
                Place::Config(item, name) if entry.kind == EntryKind::File => {
                    found.config.push(read_config(item, name, &entry, &mut tar, found.config.len())?);
                }
                Place::Config(..) | Place::Meta | Place::Other => {}
            }
        }
        let seen = sorter.finish()?;
        found.seen.merge(seen);
        Ok(())
    }

    fn spool_dump(&mut self, gzip: bool, data: &mut dyn Read) -> Result<()> {
        let Some(writer) = &mut self.spool else { return Ok(()) };
        if gzip {
            copy(&mut GzipReader::new(data), writer, self.monitor.as_ref())
        } else {
            copy(data, writer, self.monitor.as_ref())
        }
    }
}

/// The target of a hard link, seen from the document root.
fn inside(sorter: &Sorter, target: &[u8]) -> Result<Vec<u8>> {
    let path = RelPath::parse(target)?;
    let inner = sorter.root().and_then(|root| path.strip_prefix(root));
    inner.map(|inner| inner.as_bytes().to_vec()).ok_or_else(|| {
        Error::new(Code::UnsafePath, format!("a hard link in the backup leads to {path}, outside the site"))
    })
}

fn copy(from: &mut dyn Read, into: &mut SpoolWriter, monitor: &dyn Monitor) -> Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        monitor.keep_going()?;
        let count = from.read(&mut piece).map_err(archive::unwrap_io)?;
        if count == 0 {
            return Ok(());
        }
        into.write_all(&piece[..count]).doing(|| "write the spooled dump".into())?;
    }
}

fn read_config(
    item: Item,
    name: String,
    entry: &Entry,
    data: &mut dyn Read,
    count: usize,
) -> Result<(Item, String, Vec<u8>)> {
    if entry.size > MAX_CONFIG_FILE || count >= MAX_CONFIG_FILES {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("configuration in the backup: {name} has {} bytes and is file number {}", entry.size, count + 1),
        )
        .hint("A configuration has at most 64 files of 1 MiB. Restore without `config`."));
    }
    let mut content = Vec::with_capacity(entry.size as usize);
    data.read_to_end(&mut content).map_err(archive::unwrap_io)?;
    Ok((item, name, content))
}

fn config_files(config: &Config, plan: &Plan, found: Vec<(Item, String, Vec<u8>)>) -> Result<Vec<ConfFile>> {
    let wanted = found.into_iter().filter(|(item, ..)| plan.selection.config.contains(item));
    wanted.map(|(item, name, content)| siteconf::place(config, &plan.domain, item, &name, content)).collect()
}

/// A component that was asked for and is not there is an error, never a silent skip.
fn require_components(plan: &Plan, seen: &Seen, source: &Source) -> Result<()> {
    let selection = &plan.selection;
    let lacks = |what: &str, without: &str| {
        Err(Error::new(Code::BackupIncomplete, format!("{} holds no {what}", source.path.display()))
            .hint(format!("Choose another backup, or restore the rest with {without}."))
            .with("component", what))
    };
    if selection.files.any() && !seen.root {
        return lacks("files of the site (no www folder)", r#"{"components":{"database":true,"config":true}}"#);
    }
    if selection.database.any() && seen.dump.is_none() {
        return lacks("database dump", r#"{"components":{"files":true,"config":true}}"#);
    }
    if selection.named {
        for item in &selection.config {
            // `true` asks for the configuration the backup has; a named item has to be there.
            if selection.config.len() < Item::ALL.len() && !seen.config.contains(item) {
                return lacks(&format!("configuration item {}", item.name()), "the other items");
            }
        }
        if !selection.config.is_empty() && seen.config.is_empty() {
            return lacks("configuration", r#"{"components":{"files":true,"database":true}}"#);
        }
    }
    Ok(())
}

/// A monitor whose work also stops when the other side has failed.
struct Linked {
    inner: Arc<JobMonitor>,
    stop: AtomicBool,
}

const STOPPED: &str = "stopped: the other side failed";

fn is_stop(error: &Error) -> bool {
    error.message == STOPPED
}

impl Monitor for Linked {
    fn begin(&self, phase: Phase) {
        self.inner.begin(phase);
    }
    fn finish(&self, phase: Phase) {
        self.inner.finish(phase);
    }
    fn expect(&self, phase: Phase, items: u64, bytes: u64) {
        self.inner.expect(phase, items, bytes);
    }
    fn advance(&self, phase: Phase, items: u64, bytes: u64) {
        self.inner.advance(phase, items, bytes);
    }
    fn current(&self, phase: Phase, item: &str) {
        self.inner.current(phase, item);
    }
    fn event(&self, level: Level, message: &str) {
        self.inner.event(level, message);
    }
    fn keep_going(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::new(Code::Cancelled, STOPPED));
        }
        self.inner.keep_going()
    }
}
