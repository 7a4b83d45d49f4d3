//! *guide*: `backup.meta` (JSON), `files/…`, `database/database.sql.gz`, `config/…` with `ssl/` and `cron`; told by
//! `files/` at the top (`backup.meta` alone changes no entry's place).

use super::design::top;
use super::{Layout, Site};
use crate::path::RelPath;

/// The layout of the product's guide.
pub struct Guide;

impl Layout for Guide {
    fn name(&self) -> &'static str {
        "guide"
    }

    fn root(&self, path: &RelPath, _: &Site) -> Option<RelPath> {
        top(path, b"files")
    }
}
