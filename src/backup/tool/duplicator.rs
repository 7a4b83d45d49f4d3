//! Duplicator: the document root, and `dup-installer/` with the dump and with the configuration files that were taken out of it. The
//! account is wiped from the `wp-config.php` there: the live one stays. A package of the database alone has nothing of the document root.

use super::{Answered, Asked, Tool, any};
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::Listing;
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use serde_json::Value;

/// The plugin.
pub struct Duplicator;

impl Tool for Duplicator {
    fn name(&self) -> &'static str {
        "duplicator"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        listings.len() == 1 && dump(&listings[0]).is_some()
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let top = RelPath::default();
        let told = require_description(listing)?;
        if told["exportOnlyDB"] == true || told["exportOnlyDB"] == 1 || !holds_files(listing) {
            return Ok(of_database(self.name(), asked, &told));
        }
        let mut places = Places::of(self.name()).with(&top, Rule::Site(top.clone()));
        places = places.with(&RelPath::parse(b"dup-installer")?, Rule::Nothing);
        for name in listing.inside(&top).filter(|name| name.ends_with(b"installer-backup.php")) {
            places = places.with(&RelPath::parse(name)?, Rule::Nothing);
        }
        let mut moved = Vec::new();
        for (path, _) in
            listing.names.iter().filter(|(path, _)| path.as_bytes().starts_with(b"dup-installer/original_files_"))
        {
            let at = match path.last_name() {
                b"source_site_htaccess" => ".htaccess",
                b"source_site_userini" => ".user.ini",
                b"source_site_phpini" => "php.ini",
                _ => continue,
            };
            moved.push(at);
            places = places.with(path, Rule::Site(RelPath::parse(at.as_bytes())?));
        }
        let dump = dump(listing).filter(|_| !asked.has_dump_beside());
        if let Some(dump) = &dump {
            places = places.with(dump, Rule::Dump);
        }
        let mut lacks = vec![
            "Its wp-config.php has no account: that of the live site stays.".to_owned(),
            "Triggers and events of the database are not in it; links were followed.".to_owned(),
        ];
        // Core may be left out by a filter of the package.
        let content = RelPath::parse(b"wp-content")?;
        let mut whole = None;
        if listing.has(&content) && !listing.has(&RelPath::parse(b"wp-includes")?) {
            let own: Vec<&[u8]> = listing.inside(&top).filter(|name| name.ends_with(b"installer-backup.php")).collect();
            let without = [&[&b"dup-installer"[..], b"wp-content"], own.as_slice()].concat();
            let mut all = any::parts(listing, &top, &top, &without);
            all.extend(any::parts(listing, &content, &content, &[]));
            all.extend([".htaccess", ".user.ini"].into_iter().filter(|name| moved.contains(name)).map(str::to_owned));
            whole = Some(all);
            lacks.push("It holds no core of WordPress: that of the live site stays, with all that lies outside of what it holds.".to_owned());
        }
        Ok(Answered {
            places: vec![places],
            files: true,
            dump: dump.is_some(),
            parts: whole,
            renaming: super::renaming(told["wp_tableprefix"].as_str(), asked.live_prefix),
            keeps: vec!["wp-config.php".to_owned()],
            lacks,
            ..Answered::default()
        })
    }
}

/// Its own description is among the last files: a form without a directory at its end may be cut before it.
///
/// # Errors
/// `backup_incomplete` where it is not there.
fn require_description(listing: &Listing) -> Result<Value> {
    let is_one = |path: &RelPath| path.last_name().starts_with(b"dup-archive__");
    if !listing.names.keys().any(is_one) {
        let message = "it holds no dup-archive__….txt, which Duplicator writes at its end: it is cut";
        return Err(Error::new(Code::BackupIncomplete, message).hint("Copy the archive again, or choose another one."));
    }
    let text = listing.texts.iter().find(|(path, _)| is_one(path)).map(|(_, text)| text);
    Ok(text.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default())
}

/// Whether anything in it is of the document root.
fn holds_files(listing: &Listing) -> bool {
    listing.inside(&RelPath::default()).any(|name| name != b"dup-installer" && !name.ends_with(b"installer-backup.php"))
}

/// A package of the database alone.
fn of_database(tool: &'static str, asked: &Asked, told: &Value) -> Answered {
    let dump = dump(&asked.listings[0]).filter(|_| !asked.has_dump_beside());
    let places = dump.iter().fold(Places::of(tool), |places, dump| places.with(dump, Rule::Dump));
    Answered {
        places: vec![places],
        dump: dump.is_some(),
        renaming: super::renaming(told["wp_tableprefix"].as_str(), asked.live_prefix),
        lacks: vec![
            "It is a package of the database alone: the files of the live site stay.".to_owned(),
            "Triggers and events of the database are not in it.".to_owned(),
        ],
        ..Answered::default()
    }
}

fn dump(listing: &Listing) -> Option<RelPath> {
    let is_dump = |path: &&RelPath| path.as_bytes().starts_with(b"dup-installer/dup-database__");
    listing.dumps.iter().find(is_dump).cloned()
}
