//! *snapshot*: a folder `pre_restore_STAMP/` with `files.tar.gz` (members `DOMAIN/…`), `database.sql.gz` and either
//! `config.tar.gz` (members `nginx.conf` or `config/nginx.conf`) or, from the old engine, a folder `config/`.

use super::{Holds, Layout, Site};
use crate::path::RelPath;

/// The layout of a snapshot's `files.tar.gz`.
pub struct SnapshotFiles;

impl Layout for SnapshotFiles {
    fn name(&self) -> &'static str {
        "snapshot"
    }

    fn root(&self, path: &RelPath, _: &Site) -> Option<RelPath> {
        RelPath::parse(path.names().next()?).ok()
    }

    fn holds(&self) -> Option<Holds> {
        Some(Holds::SiteFolder)
    }

    fn whole(&self) -> bool {
        false
    }
}
