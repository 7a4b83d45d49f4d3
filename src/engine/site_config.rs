//! Checks the configuration files of a job, compares them with the live ones, and turns them into changes that can be undone.

use crate::backup::contents::ConfigFound;
use crate::config::Config;
use crate::disk::{Durable, private_folder, write_file};
use crate::error::{Code, IoContext, Result};
use crate::host::services::Service;
use crate::path::Domain;
use crate::plan::Plan;
use crate::report::{Check, Group, Outcome};
use crate::siteconf::{self, Change, ConfFile, Item, Side, Verdict, change};
use std::path::{Path, PathBuf};

/// A configuration file of a backup, with the live path that it is for.
///
/// # Errors
/// `limit_exceeded` for a file that was too large to be read, and as [`siteconf::place`].
pub fn place(config: &Config, domain: &Domain, file: ConfigFound) -> Result<ConfFile> {
    let (item, name) = (file.item, file.name.clone());
    siteconf::place(config, domain, item, &name, file.into_content()?)
}

/// Folder of a snapshot in which both sides of its changes are saved, named by their hash.
pub fn saved(snapshot: &Path) -> PathBuf {
    snapshot.join("saved_config")
}

/// Checks the files of the backup. With `allow_unsafe_config` a refusal of the guard becomes a warning.
pub fn check(config: &Config, plan: &Plan, files: &[ConfFile]) -> Vec<Check> {
    let now = jiff::Timestamp::now().as_second();
    siteconf::check(files, config, &plan.domain, now)
        .into_iter()
        .map(|finding| {
            let allowed = plan.selection.allow_unsafe_config && finding.code == Some(Code::UnsafeConfig);
            let outcome = match finding.verdict {
                Verdict::Pass => Outcome::Pass,
                Verdict::Fail if !allowed => Outcome::Fail,
                Verdict::Warn | Verdict::Fail => Outcome::Warn,
            };
            let said = if allowed { format!("let through: {}", finding.message) } else { finding.message };
            let check = Check::new(finding.item.name(), outcome, said);
            match finding.code {
                Some(code) => check.code(code),
                None => check,
            }
        })
        .collect()
}

fn is_unsafe(check: &Check) -> bool {
    check.code == Some(Code::UnsafeConfig)
}

/// Whether the guard refuses any of it.
pub fn is_refused(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.outcome == Outcome::Fail && is_unsafe(check))
}

/// Directives that the guard refused but `allow_unsafe_config` accepted, one line each, for the report.
pub fn let_through(groups: &[Group]) -> impl Iterator<Item = String> {
    let checks = groups.iter().flat_map(|group| &group.checks);
    checks.filter(|check| check.outcome == Outcome::Warn && is_unsafe(check)).map(|check| check.message.clone())
}

/// The changes that bring these files into use; both sides are on disk when this returns.
///
/// # Errors
/// `plan_stale`, `io_failed`, `disk_full`.
pub fn changes(files: &[ConfFile], snapshot: &Path) -> Result<Vec<Change>> {
    let changes = siteconf::plan_changes(files)?;
    if !changes.is_empty() {
        private_folder(&saved(snapshot))?;
        siteconf::store(&changes, files, &saved(snapshot))?;
    }
    Ok(changes)
}

/// The inverse of the changes whose old side a retained snapshot holds, last first. The live files as they are now are saved, so that
/// this can be undone too.
///
/// # Errors
/// `io_failed`, `disk_full`.
pub fn reversed(kept: &[Change], from: &Path, snapshot: &Path) -> Result<Vec<Change>> {
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let folder = saved(snapshot);
    private_folder(&folder)?;
    let keep = |side: &Side, path: &Path| -> Result<()> {
        let Side::File { sha256, .. } = side else { return Ok(()) };
        let content = std::fs::read(path).doing(|| format!("read {}", path.display()))?;
        write_file(&folder.join(sha256), &content, Durable::Whole)
    };
    let mut back = Vec::new();
    for change in kept.iter().rev() {
        let now = change::current(&change.target)?;
        keep(&now, &change.target)?;
        if let Side::File { sha256, .. } = &change.old {
            keep(&change.old, &saved(from).join(sha256))?;
        }
        back.push(Change { item: change.item, target: change.target.clone(), old: now, new: change.old.clone() });
    }
    Ok(back)
}

/// The services that read the changed files.
pub fn readers<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<Service> {
    let changed: Vec<Item> = changes.into_iter().map(|change| change.item).collect();
    let touches = |items: &[Item]| changed.iter().any(|item| items.contains(item));
    let mut services = Vec::new();
    if touches(&[Item::PhpFpm]) {
        services.push(Service::PhpFpm);
    }
    if touches(&[Item::Nginx, Item::Ssl]) {
        services.push(Service::Nginx);
    }
    services
}

/// The live configuration files of a domain, as a snapshot would take them.
pub fn live(config: &Config, plan_domain: &crate::path::Domain) -> Vec<ConfFile> {
    crate::snapshot::site::live_config(config, plan_domain)
        .into_iter()
        .filter_map(|file| {
            let content = std::fs::read(&file.path).ok()?;
            let name = file.path.file_name()?.to_string_lossy().into_owned();
            siteconf::place(config, plan_domain, file.item, &name, content).ok()
        })
        .collect()
}
