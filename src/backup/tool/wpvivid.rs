//! WPvivid: a set of zips, `ID_MOMENT_backup_TYPE.zip`, each with `wpvivid_package_info.json`, which says where it belongs.

use super::any::parts;
use super::{Answered, Asked, NO_CORE, Tool};
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// The plugin.
pub struct WPvivid;

const INFO: &[u8] = b"wpvivid_package_info.json";

impl Tool for WPvivid {
    fn name(&self) -> &'static str {
        "wpvivid"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let info = RelPath::parse(INFO).unwrap_or_default();
        !listings.is_empty() && listings.iter().all(|listing| listing.texts.contains_key(&info))
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let info = RelPath::parse(INFO)?;
        let content = RelPath::parse(b"wp-content")?;
        let mut answered = Answered::default();
        let (mut all, mut has_core) = (Vec::new(), false);
        for listing in asked.listings {
            let told: serde_json::Value =
                listing.texts.get(&info).and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
            let mut places = Places::of(self.name());
            if told["file_type"] == "databases" || listing.file.contains("_backup_db") {
                let dump = asked.dump(|| listing.dump(None, None, false))?;
                if let Some(dump) = &dump {
                    places = places.with(dump, Rule::Dump);
                }
                answered.dump |= dump.is_some();
            } else {
                let is_root = told["root_flag"] == "root";
                let at = if is_root { RelPath::default() } else { content.clone() };
                has_core |= is_root;
                places = places.with(&RelPath::default(), Rule::Site(at.clone())).with(&info, Rule::Nothing);
                all.extend(parts(listing, &RelPath::default(), &at, &[INFO]));
                answered.files = true;
            }
            answered.places.push(places);
        }
        all.sort();
        all.dedup();
        answered.parts = answered.files.then_some(all);
        if !has_core {
            answered.lacks.push(NO_CORE.to_owned());
        }
        answered.lacks.push("Views, triggers, routines and events of the database are not in it, nor tables without the prefix of WordPress.".to_owned());
        Ok(answered)
    }
}

/// What the files of one set have in common.
pub fn set(file: &str) -> Option<&str> {
    let (front, _) = file.strip_suffix(".zip")?.split_once("_backup_")?;
    front.contains("wpvivid-").then_some(front)
}
