//! Jobs that look and change nothing: preview, validation, verification; and the snapshot made on request.

use crate::api;
use crate::backup;
use crate::backup::preview::Estimate;
use crate::config::Config;
use crate::engine::hosts::Hosts;
use crate::engine::{diff, facts, preflight, token, verify};
use crate::error::Result;
use crate::host::{credentials, tree};
use crate::job::JobId;
use crate::job::estimate::Rates;
use crate::job::folder::JobFolder;
use crate::path::Domain;
use crate::plan::{Plan, Selection};
use crate::progress::{Monitor, Phase};
use crate::report::{Check, Group, Outcome, worst};
use crate::snapshot;
use serde_json::{Value, json};
use std::sync::Arc;

/// `rv_preview_backup`.
///
/// # Errors
/// `backup_not_found`, `backup_corrupt`, `backup_layout_unknown` and what reading can meet.
pub fn preview(
    config: &Config,
    folder: &JobFolder,
    request: &api::Preview,
    monitor: &Arc<dyn Monitor>,
) -> Result<Value> {
    let domain = &request.domain;
    let source = backup::locate(config, domain, &request.backup, request.dump.as_deref())?;
    let scan = backup::preview::examine(&source, config, monitor.as_ref())?;
    let root = config.paths.document_root(domain);
    let account = credentials::site(config, domain, &root).ok();
    let live = tree::survey(&root, monitor.as_ref())?.map_or(0, |survey| survey.bytes);
    let tables = account.as_ref().and_then(|account| {
        let hosts = Hosts::of(config, domain, true, folder.path()).ok()?;
        hosts.database.as_ref()?.tables(&account.schema).ok()
    });
    let rates = Rates::load(config);
    let dump = scan.dump.as_ref().map_or(0, |dump| dump.bytes);
    let files_s = rates.seconds(Phase::Files, scan.bytes) + rates.seconds(Phase::Verify, scan.bytes);
    let (database_s, config_s) = (rates.seconds(Phase::Database, dump), rates.seconds(Phase::Config, 0));
    let facts = backup::preview::Facts {
        schema: account.map(|account| account.schema),
        current_bytes: Some(live + tables.map_or(0, |tables| tables.iter().map(|table| table.bytes).sum())),
        available_bytes: tree::space(&config.paths.web_root).ok().map(|space| space.free_bytes),
        estimate: Some(Estimate { files_s, database_s, config_s, total_s: files_s.max(database_s) + config_s }),
    };
    let info = backup::list(config, domain)?.into_iter().find(|info| info.path == source.path);
    Ok(backup::preview::document(&source, info.as_ref(), &scan, config, &facts))
}

/// `rv_validate`, and a restore with `dry_run`: every check, the whole backup read, and a token for what was seen.
///
/// # Errors
/// What makes the checks themselves impossible; a failed check is a line of the answer.
pub fn validate(
    config: &Config,
    folder: &JobFolder,
    request: &api::Restore,
    monitor: &Arc<dyn Monitor>,
) -> Result<Value> {
    let mut selection = Selection::of(request)?;
    let source = backup::locate(config, &request.domain, &request.backup, request.dump.as_deref())?;
    let began = token::now();
    let facts = facts::gather(config, &request.domain, &mut selection, folder.path(), Some(began), monitor.as_ref())?;
    let database = token::database(&facts, None)?;
    let scan = backup::preview::examine(&source, config, monitor.as_ref());
    let plan = Plan::restore(
        config,
        &JobId::new()?,
        &request.domain,
        selection,
        facts.database()?,
        source.path.display().to_string(),
    );
    let mut groups = preflight::run(config, &plan, &facts, &source, monitor.as_ref());
    let whole = match &scan {
        Ok(scan) => {
            let message = format!(
                "gzip and tar are sound to the last byte: {} files, {} bytes unpacked",
                scan.files, scan.unpacked_bytes
            );
            vec![
                Check::new("whole", Outcome::Pass, message)
                    .with("files", scan.files)
                    .with("unpacked_bytes", scan.unpacked_bytes),
            ]
        }
        Err(error) => vec![preflight::failed("whole", error)],
    };
    for group in &mut groups {
        if group.name == "conflicts" {
            let mut checks = std::mem::take(&mut group.checks);
            checks.push(preflight::other_job(config, &request.domain));
            *group = Group::new("conflicts", checks);
        }
        if group.name == "integrity" {
            let mut checks = std::mem::take(&mut group.checks);
            checks.retain(|check| check.name != "whole");
            checks.extend(whole.clone());
            if let Ok(scan) = &scan {
                checks.extend(preflight::components(&plan, scan));
            }
            *group = Group::new("integrity", checks);
        }
    }
    let token = token::of(config, request, &plan.selection, &source, &facts, database.as_ref(), began);
    let outcome = worst(groups.iter().map(|group| group.outcome));
    let mut answer = json!({
        "domain": request.domain,
        "backup": source.path,
        "outcome": outcome,
        "groups": groups,
        "plan_token": if outcome == Outcome::Fail { Value::Null } else { json!(token) },
    });
    if request.dry_run && scan.is_ok() {
        let looked = (&source, &facts, &plan.selection, database.as_ref());
        answer["changes"] = diff::of_dry_run(config, folder, request, looked, monitor)?;
    }
    Ok(answer)
}

/// `rv_verify`.
///
/// # Errors
/// As [`verify::domain`].
pub fn verify(config: &Config, folder: &JobFolder, domain: &Domain, monitor: &Arc<dyn Monitor>) -> Result<Value> {
    let groups = verify::domain(config, folder.path(), domain, monitor.as_ref())?;
    Ok(json!({"domain": domain, "outcome": worst(groups.iter().map(|group| group.outcome)), "groups": groups}))
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
) -> Result<Value> {
    let account = credentials::site(config, domain, &config.paths.document_root(domain)).ok();
    snapshot::create(config, domain, account.as_ref(), folder.path(), monitor.as_ref())
}
