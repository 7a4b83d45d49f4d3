//! Keeps what a reading found: the index, the catalogue that was made with it, and nothing that is older.

use crate::backup::cache::catalogue::{self, Draft};
use crate::backup::cache::folder::lock_of_writers;
use crate::backup::cache::index::{Finding, Live, change};
use crate::config::Config;
use crate::error::Result;
use crate::path::Domain;

/// Adds a finding, and the catalogue that was made with it.
///
/// # Errors
/// `io_failed`, `disk_full`: the caller may go on, it is only a cache.
pub fn finding(config: &Config, finding: &Finding, catalogue: Option<Draft>) -> Result<()> {
    let domain = &finding.source.site.domain;
    let _turn = lock_of_writers(config, domain)?;
    let index = change(config, domain, |index| index.put(finding))?;
    if let (Some(draft), Ok(found)) = (catalogue, finding.result) {
        draft.publish(found)?;
    }
    catalogue::sweep(config, finding.source, &finding.files, index.keys());
    Ok(())
}

/// Notes what was seen of the live site.
///
/// # Errors
/// `io_failed`, `disk_full`: the caller may go on, it is only a cache.
pub fn live(config: &Config, domain: &Domain, live: Live) -> Result<()> {
    let _turn = lock_of_writers(config, domain)?;
    change(config, domain, |index| index.live = Some(live)).map(drop)
}
