//! *domain*: `domain_DOMAIN_STAMP.tar.gz` holds `<basename of the document root>/…` and no database. The first top
//! folder is the document root; anything beside it is not restored.

use super::{Holds, Layout, Site};
use crate::backup::name::{BackupName, Family};
use crate::path::RelPath;

/// The layout of `backup.sh` for one domain.
pub struct OneDomain;

impl Layout for OneDomain {
    fn name(&self) -> &'static str {
        "domain"
    }

    fn named(&self, name: &BackupName) -> bool {
        matches!(name.family, Family::Domain(_))
    }

    fn root(&self, path: &RelPath, _: &Site) -> Option<RelPath> {
        RelPath::parse(path.names().next()?).ok()
    }

    fn holds(&self) -> Option<Holds> {
        Some(Holds::DocumentRoot)
    }

    fn whole(&self) -> bool {
        false
    }
}
