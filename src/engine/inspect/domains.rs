//! The domains of this machine: those with backups, and those with a document root.

use crate::api::answer::backups::DomainInfo;
use crate::backup::list;
use crate::backup::name::{BackupName, Family};
use crate::config::Config;
use crate::error::Result;
use crate::host::site::{self, Site};
use crate::path::Domain;
use crate::snapshot;
use std::collections::BTreeSet;
use std::path::Path;

/// Every domain that has a folder of backups, a domain archive, snapshots, or a document root; by name.
///
/// # Errors
/// As [`list::list`].
pub fn domains(config: &Config) -> Result<Vec<DomainInfo>> {
    let backups = config.paths.backups();
    let mut found: BTreeSet<String> = names(&backups).filter(|name| backups.join(name).is_dir()).collect();
    found.extend(names(&backups).filter_map(|name| match BackupName::parse(&name)?.family {
        Family::Domain(of) => Some(of),
        _ => None,
    }));
    let snapshots = config.paths.snapshots();
    found.extend(names(&snapshots).filter(|name| snapshots.join(name).is_dir()));
    found.extend(site::domains(config).iter().map(ToString::to_string));
    found
        .iter()
        .filter_map(|name| Domain::parse(name).ok())
        .map(|domain| {
            let backups = list::list(config, &domain)?;
            Ok(DomainInfo {
                backups: backups.len() as u64,
                snapshots: snapshot::list(config, &domain)?.len() as u64,
                newest: backups.first().map(|backup| backup.date.clone()),
                has_site: Site::find(config, &domain).is_ok_and(|site| site.root.is_dir()),
                domain,
            })
        })
        .collect()
}

fn names(folder: &Path) -> impl Iterator<Item = String> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_and_document_roots_make_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("base");
        let web = folder.path().join("web");
        for path in [
            base.join("snapshots/d.example/pre_restore_20250102_030405"),
            base.join("backups/a.example"),
            base.join("backups/it's bad;"),
            web.join("b.example"),
            web.join("html"),
        ] {
            std::fs::create_dir_all(path).unwrap();
        }
        std::fs::write(base.join("backups/a.example/backup_20250102_030405.tar.gz"), "").unwrap();
        std::fs::write(base.join("backups/domain_c.example_20250102_030405.tar.gz"), "").unwrap();
        let text = format!("[paths]\nbase = {base:?}\nweb_root = {web:?}");
        let found = domains(&Config::parse(&text).unwrap()).unwrap();
        let seen: Vec<_> =
            found.iter().map(|info| (info.domain.as_str(), info.backups, info.snapshots, info.has_site)).collect();
        let wanted = [
            ("a.example", 1, 0, false),
            ("b.example", 0, 0, true),
            ("c.example", 1, 0, false),
            ("d.example", 0, 1, false),
        ];
        assert_eq!(seen, wanted);
        assert_eq!(found[0].newest.as_deref(), Some("2025-01-02T03:04:05"));
    }
}
