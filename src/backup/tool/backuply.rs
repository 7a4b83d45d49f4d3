//! Backuply and Softaculous: the document root with `softsql.sql`, `softperms.txt` and `softver.txt` at its top.

use super::any;
use super::{Answered, Asked, Tool};
use crate::backup::layout::places::Rule;
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// Both programs.
pub struct Backuply;

impl Tool for Backuply {
    fn name(&self) -> &'static str {
        "backuply"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        [&b"softperms.txt"[..], b"softver.txt"]
            .iter()
            .all(|name| RelPath::parse(name).is_ok_and(|path| listing.has(&path)))
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let top = RelPath::default();
        let mut answered = any::answer(self.name(), asked, Some(top.clone()))?;
        // `NAME.php` is the archive's own description, under the archive's name.
        let stem = listing.file.split(".tar").next().unwrap_or_default();
        let own = ["softperms.txt".to_owned(), "softver.txt".to_owned(), format!("{stem}.php")];
        for name in own {
            let path = RelPath::parse(name.as_bytes())?;
            answered.places = answered.places.into_iter().map(|places| places.with(&path, Rule::Nothing)).collect();
        }
        answered.lacks.push("Links are in it without their targets, and are left out.".to_owned());
        Ok(answered)
    }
}
