//! `rv_diff_backup`: what a restore would change. Looks, and changes nothing.
//!
//! The plan token is made of a look at the live state that comes before the comparison. So a change in between makes the token
//! stale, and the comparison is never wrong without a word.

pub mod files;
pub mod lines;
pub mod pages;
pub mod rows;
pub mod settings;
pub mod tables;

use crate::api::answer::comparison::{Changes, Comparison, FileChanges, Page, RowChanges, RowEntry, TableChanges};
use crate::api::{self, Part};
use crate::backup::cache::catalogue;
use crate::backup::contents::{DumpScan, Scan};
use crate::backup::layout::{self, Layout};
use crate::backup::locate::locate_with;
use crate::backup::preview::examine_entries;
use crate::backup::scan::read_dump_text;
use crate::backup::source::Source;
use crate::config::Config;
use crate::engine::machine;
use crate::engine::preflight::facts::{self, Facts};
use crate::engine::preflight::plan_token::{self, LiveDatabase};
use crate::engine::stage::{self, newer_rows};
use crate::error::{Code, Error, Result};
use crate::job::folder::JobFolder;
use crate::plan::Selection;
use crate::progress::{Monitor, Phase};
use pages::Pages;
use rows::Outcomes;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

/// Runs the job.
///
/// # Errors
/// Those of [`locate_with`], [`facts::gather`] and of reading the backup; `backup_incomplete` when it lacks what was named.
pub fn run(config: &Config, folder: &JobFolder, request: &api::Diff, monitor: &Arc<dyn Monitor>) -> Result<Comparison> {
    let wish = request.restore()?;
    let mut selection = Selection::of(&wish)?;
    let mut source = locate_with(config, &wish.domain, &wish.backup, wish.dump.as_deref(), selection.needs())?;
    selection.narrow(source.keep(&wish.options))?;
    let server = || machine::dialect(config, &wish.domain);
    let (scan, catalogue) = examine_entries(&source, config, server, monitor.as_ref())?;
    let began = plan_token::now();
    selection.fit(source.may_hold_database());
    let facts = facts::gather(config, &source, &mut selection, folder.path(), Some(began), monitor)?;
    facts.require_account(scan.dump.as_ref().map(|dump| dump.name.as_str()))?;
    if selection.named {
        let mut held = scan.seen.clone();
        held.config = scan.config.iter().map(|file| file.item).collect();
        held.dump = held.dump.or(scan.dump.as_ref().map(|dump| dump.name.clone()));
        stage::require_components(&selection, &held, &source, false)?;
    }
    let limit = if request.details { request.limit.unwrap_or(pages::USUAL) } else { 0 };
    let rows = request.rows;
    let seen = Seen { config, source: &source, scan: &scan, catalogue, facts: &facts, selection: &selection, rows };
    let look = || plan_token::database(&facts, None);
    let (changes, database) = seen.changes(folder, wish.options.checksum, limit, look, monitor.as_ref())?;
    let plan_token = plan_token::of(config, &wish, &selection, &source, &facts, database.as_ref(), began);
    Ok(Comparison { changes, plan_token, domain: wish.domain, backup: source.path.clone() })
}

/// The `changes` of a dry run: the same, with the facts that its checks have gathered already.
///
/// # Errors
/// As [`run`].
pub fn of_dry_run(
    config: &Config,
    folder: &JobFolder,
    request: &api::Restore,
    (source, facts, selection, database): (&Source, &Facts, &Selection, Option<&LiveDatabase>),
    monitor: &Arc<dyn Monitor>,
) -> Result<Changes> {
    let (scan, catalogue) = examine_entries(source, config, || facts.hosts.dialect(), monitor.as_ref())?;
    let seen = Seen { config, source, scan: &scan, catalogue, facts, selection, rows: false };
    let look = || Ok(database.cloned());
    Ok(seen.changes(folder, request.options.checksum, pages::USUAL, look, monitor.as_ref())?.0)
}

/// One page of a finished comparison.
///
/// # Errors
/// `job_not_found`; `bad_request` for a job that compared nothing; `busy` for one that is at work.
pub fn page(folder: &JobFolder, part: Part, offset: u64, limit: Option<u64>) -> Result<Page> {
    let status = folder.status()?;
    if !status.state.is_final() {
        return Err(Error::new(Code::Busy, format!("job {} has not ended yet", status.job))
            .hint(format!("Wait for it: `rocketvps-restore wait {}`.", status.job))
            .with("job", status.job.as_str()));
    }
    Ok(match part {
        Part::Files => Page::Files(pages::page(folder, &status.job, part, offset, limit)?),
        Part::Tables => Page::Tables(pages::page(folder, &status.job, part, offset, limit)?),
        Part::Config => Page::Config(pages::page(folder, &status.job, part, offset, limit)?),
        Part::Rows => Page::Rows(pages::page(folder, &status.job, part, offset, limit)?),
    })
}

/// The layout of the backup, which tells how its writer works.
fn layout(scan: &Scan) -> Option<&'static dyn Layout> {
    scan.layout.as_deref().and_then(layout::named)
}

/// Everything that is compared.
struct Seen<'a> {
    config: &'a Config,
    source: &'a Source,
    scan: &'a Scan,
    catalogue: Option<File>,
    facts: &'a Facts,
    selection: &'a Selection,
    /// Rows are compared.
    rows: bool,
}

impl Seen<'_> {
    /// Compares files on this thread and the database on another one. A component that takes no part is null.
    fn changes(
        mut self,
        folder: &JobFolder,
        checksum: bool,
        limit: u64,
        look: impl FnOnce() -> Result<Option<LiveDatabase>> + Send,
        monitor: &dyn Monitor,
    ) -> Result<(Changes, Option<LiveDatabase>)> {
        monitor.begin(Phase::Files);
        let catalogue = self.catalogue.take();
        let this = &self;
        let (files, tables) = std::thread::scope(|scope| {
            let database = scope.spawn(|| {
                let live = look()?;
                let tables = live.as_ref().map(|live| this.tables(live, folder, limit, monitor)).transpose()?;
                Ok::<_, Error>((tables.flatten(), live))
            });
            let files = this.files(catalogue, folder, checksum, limit, monitor);
            let tables =
                database.join().unwrap_or_else(|_| Err(Error::new(Code::Internal, "a comparing thread panicked")));
            (files, tables)
        });
        let files = files?;
        let (database, live) = tables?;
        let (tables, rows) = database.unzip();
        let config = match self.selection.config.is_empty() || self.scan.config.is_empty() {
            true => None,
            false => {
                let pages = Pages::create(folder, Part::Config, limit)?;
                Some(settings::changes(self.config, self.source, self.scan, self.selection, pages, monitor)?)
            }
        };
        monitor.finish(Phase::Files);
        Ok((Changes { files, tables, config, rows: rows.flatten() }, live))
    }

    fn files(
        &self,
        catalogue: Option<File>,
        folder: &JobFolder,
        checksum: bool,
        limit: u64,
        monitor: &dyn Monitor,
    ) -> Result<Option<FileChanges>> {
        if !self.selection.files.any() || !self.scan.seen.root {
            return Ok(None);
        }
        let catalogue = catalogue.ok_or_else(|| {
            Error::new(
                Code::LimitExceeded,
                format!(
                    "no catalogue of {} could be kept, without which its {} files cannot be compared",
                    self.source.path.display(),
                    self.scan.files
                ),
            )
            .hint("Look at the warnings of the job; compare the database and the configuration by themselves.")
        })?;
        let pages = Pages::create(folder, Part::Files, limit)?;
        let left_out = stage::left_out(self.source, layout(self.scan));
        let backup = files::Backup { source: self.source, catalogue, left_out };
        files::changes(self.config, backup, self.selection, checksum, pages, monitor).map(Some)
    }

    fn tables(
        &self,
        live: &LiveDatabase,
        folder: &JobFolder,
        limit: u64,
        monitor: &dyn Monitor,
    ) -> Result<Option<(TableChanges, Option<RowChanges>)>> {
        let Some(dump) = self.scan.dump.as_ref() else { return Ok(None) };
        let pages = Pages::create(folder, Part::Tables, limit)?;
        let taken = self.selection.tables()?;
        let names: Vec<&str> = dump.table_names().into_iter().filter(|name| taken.takes(name)).collect();
        let rows = match self.rows {
            true => Some(self.compare_rows(
                live,
                dump,
                &names,
                Pages::create(folder, Part::Rows, limit)?,
                folder,
                monitor,
            )?),
            false => None,
        };
        let (outcomes, rows) = rows.unzip();
        let sides = tables::Sides {
            source: self.source,
            dump,
            texts: &catalogue::create_texts(self.config, self.source),
            live,
            server: self.facts.hosts.database()?,
            facts: self.facts.hosts.server_facts(None).ok(),
            complete: dump.complete && stage::knows_every_table(self.source, layout(self.scan), &names),
            rows: outcomes.as_ref(),
        };
        let mut changes = tables::changes(&sides, self.selection, pages)?;
        let (hosts, schema) = (&self.facts.hosts, live.schema.as_str());
        let about = (hosts, self.selection, schema);
        if !self.selection.keep_rows.is_empty() {
            let job = folder.status()?.job;
            changes.kept_rows = newer_rows::expect(self.config, self.source, about, dump, &job, monitor)?;
        }
        Ok(Some((changes, rows)))
    }

    fn compare_rows(
        &self,
        live: &LiveDatabase,
        dump: &DumpScan,
        names: &[&str],
        pages: Pages<RowEntry>,
        folder: &JobFolder,
        monitor: &dyn Monitor,
    ) -> Result<(Outcomes, RowChanges)> {
        let is_live = |name: &&&str| live.tables.iter().any(|table| table.name == **name && table.damage.is_empty());
        let both: BTreeSet<String> = names.iter().filter(is_live).map(|name| (*name).to_owned()).collect();
        let (Some(reader), Some(dialect)) = (self.facts.hosts.reader(), self.facts.hosts.dialect()) else {
            return Err(Error::new(Code::Internal, "the database takes no part in this job"));
        };
        let scratch = folder.join("diff_rows.sorted");
        let sides = rows::Sides { reader, schema: &live.schema, dialect, tables: &both, scratch };
        let read = |look: &mut dyn FnMut(&mut dyn Read) -> Result<()>| {
            read_dump_text(self.source, self.config, &|table| both.contains(table), monitor, look)
        };
        monitor.begin(Phase::Database);
        let found = rows::changes(&sides, dump, pages, &read, monitor)?;
        monitor.finish(Phase::Database);
        Ok(found)
    }
}
