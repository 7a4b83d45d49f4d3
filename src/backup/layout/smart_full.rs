//! *smart full*: `var/www/DOMAIN/…`, made with `tar -C /`. The dump lies beside the archive as
//! `database_YYYYMMDD_HHMMSS.sql.gz`, written seconds later. Cache, log, vendor, node_modules and .git folders were
//! left out by its writer. A web root other than `/var/www` is taken from the configuration.

use super::{Layout, Site};
use crate::path::RelPath;

/// The layout of `smart_backup.sh`'s full backups.
pub struct SmartFull;

impl Layout for SmartFull {
    fn name(&self) -> &'static str {
        "smart_full"
    }

    fn root(&self, path: &RelPath, site: &Site) -> Option<RelPath> {
        let usual = RelPath::parse(format!("var/www/{}", site.domain).as_bytes()).ok()?;
        [&site.document_root, &usual]
            .into_iter()
            .find(|root| !root.is_root() && path.strip_prefix(root).is_some())
            .cloned()
    }
}
