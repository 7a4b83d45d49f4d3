//! Froxlor, a customer's export: `web/LOGIN-web.tar.gz` with all of the customer's web folder, and `mysql/NAME_STAMP.sql` for each database.
//! It does not say which folder is which domain's: the site's own files do, or the operator.

use super::any;
use super::{Answered, Asked, NO_DATABASE, Tool, schema_in};
use crate::backup::survey::{self, Listing};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;

/// The panel.
pub struct Froxlor;

impl Tool for Froxlor {
    fn name(&self) -> &'static str {
        "froxlor"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        archive(listing).is_some()
    }

    fn inner(&self, asked: &Asked) -> Result<Vec<RelPath>> {
        Ok(archive(&asked.listings[0]).into_iter().collect())
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let archive = archive(listing).ok_or_else(|| Error::new(Code::BackupIncomplete, "it holds no web folder"))?;
        // Who names a folder names it as the customer sees it.
        let root = match &asked.import.root {
            Some(told) => {
                let told = RelPath::parse(told.as_bytes())?;
                let inside = archive.below(&told);
                let is_whole = told.strip_prefix(&archive).is_some();
                if !is_whole && listing.has(&inside) { Some(inside) } else { asked.told_root(listing)? }
            }
            None => listing.root(&asked.sites())?.map(|(root, _)| root),
        };
        let schema = root.as_ref().and_then(|root| schema_in(listing, root));
        // The databases are the customer's, of whom this site may be one of several: without a name in its configuration none is taken.
        let dump = |schema: Option<&str>| match schema {
            Some(schema) => survey::one_of(&dumps(listing), Some(schema)),
            None => Ok(None),
        };
        let mut answered = any::answer_of(self.name(), asked, root, |_| dump(schema.as_deref()))?;
        if !answered.dump && !asked.has_dump_beside() {
            answered.lacks.push(NO_DATABASE.to_owned());
        }
        answered.places = answered.places.into_iter().map(|places| places.and_inside(&archive)).collect();
        answered.extent = asked.extent_of_panel();
        answered.lacks.push("Routines and events of the database are not in it.".to_owned());
        Ok(answered)
    }
}

/// The archive of the customer's web folder.
fn archive(listing: &Listing) -> Option<RelPath> {
    let folder = RelPath::parse(b"web").ok()?;
    let is = |name: &&[u8]| name.ends_with(b"-web.tar.gz");
    let name = listing.inside(&folder).find(is)?;
    Some(folder.join(name))
}

/// The databases with their dumps: a name, and the time of the export (`_` and twelve digits).
fn dumps(listing: &Listing) -> Vec<(String, RelPath)> {
    let Ok(folder) = RelPath::parse(b"mysql") else { return Vec::new() };
    let of = |name: &[u8]| {
        let stem = String::from_utf8(name.strip_suffix(b".sql")?.to_vec()).ok()?;
        let schema = stem.rsplit_once('_').filter(|(_, stamp)| stamp.bytes().all(|byte| byte.is_ascii_digit()));
        Some((schema.map_or(stem.as_str(), |(schema, _)| schema).to_owned(), folder.join(name)))
    };
    listing.inside(&folder).filter_map(of).collect()
}
