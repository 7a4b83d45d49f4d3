//! *smart*: `var/www/DOMAIN/…`, made with `tar -C /`; full, or incremental with the changed files alone. The dump lies
//! beside the archive as `database_YYYYMMDD_HHMMSS.sql.gz`, written seconds later. Its writer leaves out cache, temporary,
//! logs, vendor, node_modules and .git folders and log files, and from WordPress some tables. A web root other than `/var/www` is taken
//! from the configuration.

use super::{Holds, Layout, Site, below_slash};
use crate::path::RelPath;

/// The layout of `smart_backup.sh`.
pub struct Smart;

impl Layout for Smart {
    fn name(&self) -> &'static str {
        "smart_full"
    }

    fn root(&self, path: &RelPath, site: &Site) -> Option<RelPath> {
        let usual = RelPath::parse(format!("var/www/{}", site.domain).as_bytes()).ok()?;
        [below_slash(&site.folder), below_slash(&site.usual), usual]
            .into_iter()
            .find(|root| !root.is_root() && path.strip_prefix(root).is_some())
    }

    fn holds(&self) -> Option<Holds> {
        Some(Holds::SiteFolder)
    }

    fn dump_beside(&self) -> bool {
        true
    }

    fn left_out(&self) -> &'static [&'static str] {
        &[
            "cache",
            ".cache",
            "tmp",
            "temp",
            "logs",
            "*.log",
            "vendor",
            "node_modules",
            ".git",
            "storage/framework/sessions",
            "storage/framework/views",
        ]
    }

    fn dumps_every_table(&self) -> bool {
        false
    }
}
