//! *all domains*: `all_domains_STAMP.tar.gz` holds `./DOMAIN/<basename of the document root>/…` for many domains and
//! no database. One domain is restored; the entries of the others are passed over.

use super::{Holds, Layout, Site};
use crate::backup::name::{BackupName, Family};
use crate::path::RelPath;

/// The layout of `backup.sh` for every domain at once.
pub struct AllDomains;

impl Layout for AllDomains {
    fn name(&self) -> &'static str {
        "all_domains"
    }

    fn named(&self, name: &BackupName) -> bool {
        name.family == Family::AllDomains
    }

    fn root(&self, path: &RelPath, site: &Site) -> Option<RelPath> {
        let mut names = path.names();
        let domain = names.next()?;
        let base = names.next()?;
        let wanted = site.domain.as_str().as_bytes();
        domain.eq_ignore_ascii_case(wanted).then(|| RelPath::parse(&[domain, b"/", base].concat()).ok()).flatten()
    }

    fn holds(&self) -> Option<Holds> {
        Some(Holds::DocumentRoot)
    }

    fn whole(&self) -> bool {
        false
    }
}
