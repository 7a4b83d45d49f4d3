//! EasyEngine 4, a WordPress site's archive: `wp-content/`, `wp-config.php` from beside the document root, `sql/SITE.sql`, and `meta.json`
//! about the version of the core, which is not in it.

use super::{Answered, Asked, Tool, any};
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// The program.
pub struct EasyEngine;

const SIGNS: [&[u8]; 3] = [b"meta.json", b"sql", b"wp-content"];

impl Tool for EasyEngine {
    fn name(&self) -> &'static str {
        "easyengine"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        let has = |name: &[u8]| RelPath::parse(name).is_ok_and(|path| listing.has(&path));
        SIGNS.iter().all(|name| has(name)) && !has(b"wp-includes") && !has(b"index.php")
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let mut answered = any::answer(self.name(), asked, None)?;
        answered.lacks.push("Routines and events of the database are not in it.".to_owned());
        Ok(answered)
    }
}
