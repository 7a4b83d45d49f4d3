//! All-in-One WP Migration: `package.json`, `database.sql` and what lies in `wp-content`. Tables are named `SERVMASK_PREFIX_…`; the mark
//! also stands as data in options and user meta, and the site's own prefix still stands in keys and views.

use super::any::parts;
use super::{Answered, Asked, NO_CORE, Tool};
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;
use crate::sql::prefix::Renaming;

/// The plugin.
pub struct AllInOne;

const MARK: &str = "SERVMASK_PREFIX_";
const NOT_CONTENT: [&[u8]; 3] = [b"package.json", b"multisite.json", b"database.sql"];

impl Tool for AllInOne {
    fn name(&self) -> &'static str {
        "all_in_one_wp_migration"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let Some(listing) = listings.first() else { return false };
        listing.file.ends_with(".wpress") && path(b"package.json").is_some_and(|package| listing.has(&package))
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let content = RelPath::parse(b"wp-content")?;
        let mut places = Places::of(self.name()).with(&RelPath::default(), Rule::Site(content.clone()));
        for name in NOT_CONTENT {
            places = places.with(&RelPath::parse(name)?, Rule::Nothing);
        }
        let database = RelPath::parse(b"database.sql")?;
        let has_dump = listing.has(&database) && !asked.has_dump_beside();
        if has_dump {
            places = places.with(&database, Rule::Dump);
        }
        let package = path(b"package.json").and_then(|path| listing.texts.get(&path));
        let package: serde_json::Value = package.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
        let was = package["Database"]["Prefix"].as_str().unwrap_or_default().to_owned();
        let to = asked.live_prefix.unwrap_or(if was.is_empty() { "wp_" } else { &was }).to_owned();
        let renaming = Renaming {
            from: Some(was).filter(|was| !was.is_empty() && *was != to),
            placeholder: Some(MARK.to_owned()),
            is_data: true,
            to,
            bare_hex: true,
            ..Renaming::default()
        };
        let mut lacks = vec![
            NO_CORE.to_owned(),
            "Triggers, routines and events of the database are not in it, nor tables without the prefix of WordPress."
                .to_owned(),
            "It keeps no modes, no links and no empty folders.".to_owned(),
        ];
        if listing.has(&RelPath::parse(b"multisite.json")?) {
            lacks.push(
                "It is of a network of sites: only one site can be told from it, and its addresses are its own."
                    .to_owned(),
            );
        }
        Ok(Answered {
            places: vec![places],
            files: true,
            dump: has_dump,
            parts: Some(parts(listing, &RelPath::default(), &content, &NOT_CONTENT)),
            lacks,
            renaming: Some(renaming),
            ..Answered::default()
        })
    }
}

fn path(name: &[u8]) -> Option<RelPath> {
    RelPath::parse(name).ok()
}
