//! BackWPup: the document root with the dump, `manifest.json` and `backwpup_readme.txt` at its top.

use super::any;
use super::{Answered, Asked, Tool};
use crate::backup::layout::places::Rule;
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// The plugin.
pub struct BackWPup;

const OWN: [&[u8]; 2] = [b"manifest.json", b"backwpup_readme.txt"];

impl Tool for BackWPup {
    fn name(&self) -> &'static str {
        "backwpup"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        OWN.iter().all(|name| RelPath::parse(name).is_ok_and(|path| listing.has(&path)))
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let mut answered = any::answer(self.name(), asked, None)?;
        for name in OWN {
            let path = RelPath::parse(name)?;
            answered.places = answered.places.into_iter().map(|places| places.with(&path, Rule::Nothing)).collect();
        }
        answered.lacks.push("Events of the database are not in it; links are not in it, or were followed.".to_owned());
        Ok(answered)
    }
}
