//! *design*: `./www/…`, `./database.sql`, `./config/nginx.conf`, `./config/php-fpm.conf`; told by `www/` at the top.

use super::{Layout, Site};
use crate::path::RelPath;

/// The layout of the product's own design.
pub struct Design;

impl Layout for Design {
    fn name(&self) -> &'static str {
        "design"
    }

    fn root(&self, path: &RelPath, _: &Site) -> Option<RelPath> {
        top(path, b"www")
    }
}

/// The top folder of this name, if the path is it or lies in it.
pub(super) fn top(path: &RelPath, name: &[u8]) -> Option<RelPath> {
    (path.names().next()? == name).then(|| RelPath::parse(name).ok()).flatten()
}
