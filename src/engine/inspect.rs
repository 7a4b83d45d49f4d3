//! Jobs that change nothing live: preview, validation, verification; and the snapshot made on request.

mod candidates;
pub mod diff;
pub mod domains;

use crate::api;
use crate::api::answer::checks::{Validation, Verification};
use crate::api::answer::preview::{Estimate, Filesystem, Preview};
use crate::api::answer::snapshots::SnapshotMade;
use crate::backup;
use crate::backup::Source;
use crate::backup::cache::catalogue;
use crate::backup::cache::index::{Index, Live};
use crate::backup::cache::remember;
use crate::backup::contents::Scan;
use crate::backup::layout;
use crate::backup::locate::{Needs, locate_with};
use crate::backup::name::Stamp;
use crate::backup::preview::Page;
use crate::clock;
use crate::config::Config;
use crate::engine::machine::{self, Hosts};
use crate::engine::preflight::space::{self, Load};
use crate::engine::preflight::{definitions, dump_compatibility, facts, live_objects, plan_token};
use crate::engine::{preflight, stage, verify};
use crate::error::{Code, Error, Result};
use crate::host::site::Site;
use crate::host::target::Target;
use crate::host::tree::manifest::Reader;
use crate::host::{site_database, tree};
use crate::job::JobId;
use crate::job::estimate::Rates;
use crate::job::folder::JobFolder;
use crate::path::Domain;
use crate::plan::{Plan, Selection};
use crate::progress::{Level, Monitor, Phase};
use crate::report::{Check, Group, Outcome, worst};
use crate::snapshot;
use std::sync::Arc;

/// Largest catalogue that is looked through outside of a worker.
const QUICK_CATALOGUE: u64 = 32 << 20;

/// `rv_preview_backup`.
///
/// # Errors
/// `backup_not_found`, `backup_corrupt`, `backup_layout_unknown` and what reading can meet.
pub fn preview(
    config: &Config,
    folder: &JobFolder,
    request: &api::Preview,
    monitor: &Arc<dyn Monitor>,
) -> Result<Preview> {
    let domain = &request.domain;
    let source = locate_with(config, domain, &request.backup, request.dump.as_deref(), Needs::default())?;
    let server = || machine::dialect(config, domain);
    let (scan, page) = match &request.tree {
        None => (backup::preview::examine_for(&source, config, server, monitor.as_ref())?, None),
        Some(asked) => {
            let (scan, catalogue) = backup::preview::examine_entries(&source, config, server, monitor.as_ref())?;
            let catalogue = catalogue.ok_or_else(|| {
                Error::new(Code::LimitExceeded, format!("no catalogue of {} could be kept", source.path.display()))
                    .hint("Ask without `tree`: the first folders are known.")
            })?;
            let page = backup::preview::page(&mut Reader::new(catalogue)?, asked)?;
            (scan, Some((asked.clone(), page)))
        }
    };
    let live = look_at_live(config, &source.site, folder, monitor)?;
    if let Err(error) = remember::live(config, domain, live.clone()) {
        monitor.event(Level::Warn, &format!("what was seen of the live site was not kept: {error}"));
    }
    Ok(backup::preview::preview(&source, &scan, config, &preview_facts(config, &source, request, &scan, live, page)))
}

/// The same preview from the index and the catalogue, in milliseconds and without a worker: no archive is read, and the live site is
/// not looked at. `None` if they are not enough for any reason: then a worker makes the preview and reports the reason.
pub fn preview_known(config: &Config, request: &api::Preview) -> Option<Preview> {
    let index = Index::load(config, &request.domain);
    let live = index.live.clone()?;
    let source =
        backup::locate::locate_known(config, &request.domain, &request.backup, request.dump.as_deref(), &index).ok()?;
    let scan = index.scan(&source)?;
    let page = match &request.tree {
        None => None,
        Some(asked) => {
            let catalogue = backup::cache::catalogue::open_unchecked(config, &source)?;
            if catalogue.metadata().ok()?.len() > QUICK_CATALOGUE {
                return None;
            }
            Some((asked.clone(), backup::preview::page(&mut Reader::new(catalogue).ok()?, asked).ok()?))
        }
    };
    let facts = preview_facts(config, &source, request, &scan, live, page);
    Some(backup::preview::preview(&source, &scan, config, &facts))
}

/// The size of the live site. If the database server does not answer, the last known size of its tables is taken.
fn look_at_live(config: &Config, home: &Site, folder: &JobFolder, monitor: &Arc<dyn Monitor>) -> Result<Live> {
    let domain = &home.domain;
    let files = tree::survey(&home.folder, monitor.as_ref())?.map_or(0, |survey| survey.bytes);
    let site = site_database::find(config, home).ok().flatten();
    let hosts = site.as_ref().and_then(|_| Hosts::of(config, domain, true, folder.path(), monitor.clone()).ok());
    let tables = hosts
        .as_ref()
        .zip(site.as_ref())
        .and_then(|(hosts, site)| hosts.database.as_ref()?.tables(&site.account.schema).ok());
    let last = Index::load(config, domain).live.unwrap_or_default();
    let last = if site.is_some() { last } else { Live::default() };
    Ok(Live {
        at: clock::rfc3339(),
        files,
        database: tables.map_or(last.database, |tables| tables.iter().map(|table| table.bytes).sum()),
        schema: site.map(|site| site.account.schema),
        data_folder: hosts.and_then(|hosts| hosts.data_folder()).or(last.data_folder),
    })
}

fn preview_facts(
    config: &Config,
    source: &Source,
    request: &api::Preview,
    scan: &Scan,
    live: Live,
    page: Option<(api::TreeAsked, Page)>,
) -> backup::preview::Facts {
    let (entries, dump) = (scan.files + scan.folders + scan.links, scan.dump_bytes());
    let load = Load { files: scan.bytes, entries, dump, tables: dump };
    let staging = Target::of(config, source.target()).staging;
    let (rooms, _) = space::rooms(config, &staging, load, live.data_folder.as_deref());
    let filesystems = rooms.into_iter().map(|room| Filesystem {
        needed: room.needed,
        free: room.space.free_bytes,
        enough: room.enough(),
        path: room.path,
        what: room.what.into_iter().map(str::to_owned).collect(),
    });
    backup::preview::Facts {
        schema: live.schema,
        current_bytes: Some(live.files + live.database),
        current_at: Some(live.at),
        available_bytes: tree::space(staging.parent().unwrap_or(&config.paths.web_root))
            .ok()
            .map(|space| space.free_bytes),
        filesystems: filesystems.collect(),
        estimate: Some(estimate(&Rates::load(config), scan)),
        now: Some(Stamp::now()),
        dump_asked: request.dump.is_some(),
        page,
    }
}

fn estimate(rates: &Rates, scan: &Scan) -> Estimate {
    let dump = scan.dump_bytes();
    let (files_s, verify_s) = (rates.seconds(Phase::Files, scan.bytes), rates.seconds(Phase::Verify, scan.bytes));
    let database_s = if dump > 0 { rates.seconds(Phase::Database, dump) } else { 0.0 };
    let config_s = if scan.config.is_empty() { 0.0 } else { rates.seconds(Phase::Config, 0) };
    let all = |files: bool, database: bool, config: bool| {
        let part = |takes: bool, seconds: f64| if takes { seconds } else { 0.0 };
        part(files, files_s + verify_s).max(part(database, database_s)) + part(config, config_s)
    };
    let of = [
        ("files", all(true, false, false)),
        ("database", all(false, true, false)),
        ("config", all(false, false, true)),
        ("files+database", all(true, true, false)),
        ("files+config", all(true, false, true)),
        ("database+config", all(false, true, true)),
        ("files+database+config", all(true, true, true)),
    ];
    Estimate {
        files_s,
        database_s,
        config_s,
        verify_s,
        total_s: all(true, true, true),
        of: of.map(|(components, seconds)| (components.to_owned(), seconds)).into(),
        learned_from: rates.jobs,
    }
}

/// `rv_validate`, and a restore with `dry_run`: every check, the whole backup read, and a token for what was seen.
///
/// # Errors
/// Errors that make the checks themselves impossible; a failed check is a line of the answer.
pub fn validate(
    config: &Config,
    folder: &JobFolder,
    request: &api::Restore,
    monitor: &Arc<dyn Monitor>,
) -> Result<Validation> {
    let mut selection = Selection::of(request)?;
    let mut source = locate_with(config, &request.domain, &request.backup, request.dump.as_deref(), selection.needs())?;
    selection.narrow(source.keep(&request.options))?;
    let began = plan_token::now();
    let of_files = selection.fit(source.may_hold_database());
    let facts = facts::gather(config, &source, &mut selection, folder.path(), Some(began), monitor)?;
    let database = plan_token::database(&facts, None)?;
    let scan = backup::preview::examine_for(&source, config, || facts.hosts.dialect(), monitor.as_ref());
    if let Ok(scan) = &scan {
        facts.require_account(scan.dump.as_ref().map(|dump| dump.name.as_str()))?;
    }
    // What is tried on the server has names of this job's: a clean-up that runs meanwhile leaves it, one that comes later takes it away.
    let plan = Plan::restore(
        config,
        &JobId::of_folder(folder.path())?,
        &request.domain,
        Target::of(config, source.target()),
        selection,
        facts.database(),
        source.path.display().to_string(),
    );
    let dump = scan.as_ref().ok().and_then(|scan| scan.dump.as_ref());
    let mut groups = preflight::run(config, &plan, &facts, &source, dump);
    let whole = match &scan {
        Ok(scan) => {
            let what = if source.foreign.is_some() { "the backup is" } else { "gzip and tar are" };
            let message =
                format!("{what} sound to the last byte: {} files, {} bytes unpacked", scan.files, scan.unpacked_bytes);
            vec![
                Check::new("whole", Outcome::Pass, message)
                    .with("files", scan.files)
                    .with("unpacked_bytes", scan.unpacked_bytes),
            ]
        }
        Err(error) => vec![Check::failed("whole", error)],
    };
    for group in &mut groups {
        if group.name == "conflicts" {
            let mut checks = std::mem::take(&mut group.checks);
            checks.push(preflight::other_job(config, &request.domain));
            if let (Ok(scan), true) = (&scan, facts.schema_is_missing) {
                let known = preflight::missing_schema(&plan, Some(preflight::makes_schema(&plan, scan)));
                checks.iter_mut().filter(|check| check.name == "database").for_each(|check| *check = known.clone());
            }
            checks.extend(preflight::damaged(&plan, &facts, dump.map(|dump| dump.tables.as_slice())));
            *group = Group::new("conflicts", checks);
        }
        if group.name == "integrity" {
            let mut checks = std::mem::take(&mut group.checks);
            checks.retain(|check| check.name != "whole");
            checks.extend(whole.clone());
            let warned = |why: &String| Check::new("latest", Outcome::Warn, format!("passed over {why}"));
            checks.extend(source.passed_over.iter().map(warned));
            if let Ok(scan) = &scan {
                // Opening a catalogue reads it whole; only patterns are looked up in it.
                let wanted = plan.selection.files.parts().is_some();
                let catalogue = wanted.then(|| catalogue::open(config, &source)).flatten();
                checks.extend(preflight::components(config, &plan, &facts, &source, scan, catalogue)?);
                if let (Some(dump), Some(live), true) = (&scan.dump, &database, plan.selection.database.any()) {
                    let layout = scan.layout.as_deref().and_then(layout::named);
                    let complete = dump.complete && stage::knows_every_table(&source, layout, &dump.table_names());
                    checks.extend(live_objects::check(dump, live, &plan.selection, complete)?);
                }
                checks.extend(of_files.then(|| Check::new("database", Outcome::NotChecked, preflight::OF_FILES)));
            }
            *group = Group::new("integrity", checks);
        }
    }
    if let (Ok(scan), true) = (&scan, plan.database.is_some())
        && let Some(dump) = &scan.dump
    {
        groups.push(
            match facts.hosts.server_facts(plan.database.as_ref().and_then(|names| names.definer.as_deref())) {
                Ok(server) => {
                    let tables = plan.selection.tables()?;
                    let live = plan.database.as_ref().map(|names| names.live.as_str());
                    let asked = dump_compatibility::Asked {
                        actions: &request.options.compatibility,
                        tables: &tables,
                        live,
                        has_no_table: facts.has_no_table(&plan.selection),
                        schema_is_missing: facts.schema_is_missing,
                        exact: plan.selection.exact,
                    };
                    let group = dump_compatibility::group(dump, &server, &asked);
                    let of = (dump, &server, request.options.compatibility);
                    definitions::add(group, config, (&plan, &facts.hosts, &source), of, monitor)?
                }
                Err(error) => Group::new("dump", vec![Check::failed("dump", &error)]),
            },
        );
    }
    if let Ok(scan) = &scan {
        groups.extend(candidates::group(config, &plan, &facts.hosts, &source, scan, monitor.as_ref())?);
    }
    let token = plan_token::of(config, request, &plan.selection, &source, &facts, database.as_ref(), began);
    let outcome = worst(groups.iter().map(|group| group.outcome));
    let changes = match &scan {
        Err(_) => None,
        Ok(_) => {
            let looked = (&source, &facts, &plan.selection, database.as_ref());
            Some(match diff::of_dry_run(config, folder, request, looked, monitor) {
                // A pattern that names nothing: a check above says so.
                Err(error) if error.code == Code::BackupIncomplete => None,
                changes => Some(changes?),
            })
        }
    };
    Ok(Validation {
        domain: request.domain.clone(),
        backup: source.path.clone(),
        outcome,
        groups,
        plan_token: (outcome != Outcome::Fail).then_some(token),
        changes,
    })
}

/// `rv_verify`.
///
/// # Errors
/// As [`verify::domain`].
pub fn verify(
    config: &Config,
    folder: &JobFolder,
    domain: &Domain,
    monitor: &Arc<dyn Monitor>,
) -> Result<Verification> {
    let groups = verify::domain(config, folder.path(), domain, monitor)?;
    Ok(Verification { domain: domain.clone(), outcome: worst(groups.iter().map(|group| group.outcome)), groups })
}

/// `rv_create_snapshot`.
///
/// # Errors
/// `disk_full`, `database_unreachable`, `io_failed`; nothing is left behind then.
pub fn create_snapshot(
    config: &Config,
    folder: &JobFolder,
    domain: &Domain,
    monitor: &Arc<dyn Monitor>,
) -> Result<SnapshotMade> {
    let home = Site::find(config, domain)?;
    let site = site_database::find(config, &home)?;
    snapshot::create(config, &home, site.as_ref(), folder.path(), monitor)
}
