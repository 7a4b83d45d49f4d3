//! The sites of this machine: every domain that has a document root.

use crate::config::Config;
use crate::path::Domain;
use std::collections::BTreeSet;

/// Every domain with a folder in the web root, or a link to one: whoever asks compares where they lead, since a link may be another
/// name of a site.
pub fn domains(config: &Config) -> BTreeSet<Domain> {
    let entries = std::fs::read_dir(&config.paths.web_root).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink()));
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.contains('.')).filter_map(|name| Domain::parse(&name).ok()).collect()
}
