//! *rooted*: the document root by its absolute path, made with `tar DOCUMENT_ROOT` (RocketVPS's `wordpress_DOMAIN_STAMP.tar.gz` and
//! many a person's own). Told by the first entry: `tar` begins with the folder that it was given. Where the document root is the
//! site folder itself, [`smart`](super::smart) is meant.

use super::{Holds, Layout, Site, below_slash};
use crate::path::RelPath;

/// The layout of an archive of a document root by its path.
pub struct Rooted;

impl Layout for Rooted {
    fn name(&self) -> &'static str {
        "rooted"
    }

    fn root(&self, path: &RelPath, site: &Site) -> Option<RelPath> {
        let root = below_slash(&site.root);
        (site.root != site.folder && *path == root).then_some(root)
    }

    fn holds(&self) -> Option<Holds> {
        Some(Holds::DocumentRoot)
    }

    fn dump_beside(&self) -> bool {
        true
    }
}
