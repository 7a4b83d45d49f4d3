//! Checks the site configuration of a backup before anything is done, as the staged files are checked later.

use crate::backup::contents::Scan;
use crate::backup::source::Source;
use crate::config::Config;
use crate::engine::inspect::diff::settings;
use crate::engine::machine::Hosts;
use crate::engine::site_config;
use crate::engine::verify;
use crate::error::Result;
use crate::plan::Plan;
use crate::progress::Monitor;
use crate::report::{Check, Group};
use crate::siteconf::ConfFile;

/// The guard, the rules of each item, and the services' own tests on a private copy; without a configuration to restore no group.
///
/// # Errors
/// As [`settings::contents`].
pub fn group(
    config: &Config,
    plan: &Plan,
    hosts: &Hosts,
    source: &Source,
    scan: &Scan,
    monitor: &dyn Monitor,
) -> Result<Option<Group>> {
    let files = files(config, plan, source, scan, monitor)?;
    let checks = match files {
        Ok(files) if files.is_empty() => return Ok(None),
        Ok(files) => verify::configuration(config, plan, hosts, &files),
        Err(error) => vec![Check::failed("config", &error)],
    };
    Ok(Some(Group::new("configuration", checks)))
}

/// The files that the restore would stage; the inner error is the one that would keep it from that.
fn files(
    config: &Config,
    plan: &Plan,
    source: &Source,
    scan: &Scan,
    monitor: &dyn Monitor,
) -> Result<Result<Vec<ConfFile>>> {
    let wanted: Vec<_> = scan.config.iter().filter(|file| plan.selection.config.contains(&file.item)).collect();
    if wanted.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let found = settings::contents(config, source, scan, &wanted, monitor)?;
    Ok(found.into_iter().map(|file| site_config::place(config, &plan.domain, file)).collect())
}
