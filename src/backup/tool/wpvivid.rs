//! WPvivid: a set of zips, `ID_MOMENT_backup_TYPE.zip` or `….part001.zip`, `….part002.zip` and so on, each with `wpvivid_package_info.json`,
//! which says where it belongs. By its usual settings they lie in one zip more, `…_backup_all.zip`. A large dump is in several files.

use super::any::parts;
use super::{Answered, Asked, IN_PARTS, NO_CORE, Tool};
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::Listing;
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::text::printable;
use serde_json::Value;
use std::collections::BTreeMap;

/// The plugin.
pub struct WPvivid;

/// The description of an archive of a set.
pub const INFO: &[u8] = b"wpvivid_package_info.json";
/// The end of the name of an encrypted dump.
const ENCRYPTED: &[u8] = b".crypt";

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
        let (mut all, mut has_core, mut of_dumps) = (Vec::new(), false, Vec::new());
        require_parts(asked.listings.iter().map(|listing| listing.file.as_str()))?;
        for listing in asked.listings {
            let told = told(listing);
            if told.get("has_child").is_some() {
                let message =
                    format!("{} holds archives that hold others, or does not name them", printable(&listing.file));
                return Err(Error::new(Code::BackupLayoutUnknown, message)
                    .hint("Unpack it into a folder, and name the folder."));
            }
            let mut places = Places::of(self.name());
            if told["file_type"] == "databases" || type_of(&listing.file).is_some_and(|(name, _)| name == "db") {
                if let Some(sentence) = encrypted(asked, listing, &told)? {
                    answered.lacks.push(sentence);
                }
                let found = match asked.told_dump()? {
                    Some(told) => listing.has(&told).then(|| (told, Vec::new())),
                    None if asked.has_dump_beside() => None,
                    None => dump(listing)?,
                };
                if let Some((dump, more)) = found {
                    places = places.with_dump_in_parts(&dump, more);
                    of_dumps.push(listing.file.clone());
                }
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
        if of_dumps.len() > 1 && asked.database {
            let names = printable(&of_dumps.join(", "));
            let message =
                format!("its dump goes on in {} archives, which are not read as one: {names}", of_dumps.len());
            return Err(Error::new(Code::BackupLayoutUnknown, message)
                .hint("Unpack them, put the .sql files behind each other in the order of their numbers, and name that by `--dump`; or restore the files alone: `--only files`."));
        }
        answered.dump = !of_dumps.is_empty();
        all.sort();
        all.dedup();
        answered.parts = answered.files.then_some(all);
        answered.lacks.push(if has_core { IN_PARTS } else { NO_CORE }.to_owned());
        answered.lacks.push("Views, triggers, routines and events of the database are not in it, nor tables without the prefix of WordPress.".to_owned());
        Ok(answered)
    }
}

fn told(listing: &Listing) -> Value {
    let text = RelPath::parse(INFO).ok().and_then(|info| listing.texts.get(&info));
    text.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default()
}

/// The archives in this one that are parts of the set, as its description names them.
pub fn children(listing: &Listing) -> Vec<String> {
    let told = told(listing);
    let names = told["child_file"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    names.filter(|_| told.get("has_child").is_some()).collect()
}

/// The sentence of an encrypted dump.
///
/// # Errors
/// `backup_unreadable` where the database is wanted and no other dump was named.
fn encrypted(asked: &Asked, listing: &Listing, told: &Value) -> Result<Option<String>> {
    let is_set =
        |key: &str| !matches!(&told[key], Value::Null | Value::Bool(false)) && told[key] != 0 && told[key] != "0";
    let file = listing.names.keys().find(|path| path.as_bytes().ends_with(ENCRYPTED));
    if file.is_none() && !is_set("is_crypt") && !is_set("is_crypt_ex") {
        return Ok(None);
    }
    let message = format!("the database in {} is encrypted by WPvivid", printable(&listing.file));
    if asked.database && !asked.has_dump_beside() {
        return Err(Error::new(Code::BackupUnreadable, message)
            .hint("Decrypt it where the plugin runs and name the dump by `--dump`, or restore the files alone: `--only files`."));
    }
    Ok(Some(format!("It is not restored: {message}.")))
}

/// The dump of an archive, with the files in which it goes on.
///
/// # Errors
/// `backup_incomplete` where one of these is missing.
fn dump(listing: &Listing) -> Result<Option<(RelPath, Vec<RelPath>)>> {
    let mut dumps: Vec<(u32, &RelPath)> = listing
        .dumps
        .iter()
        .filter(|dump| dump.names().count() == 1)
        .map(|dump| {
            let name = String::from_utf8_lossy(dump.last_name()).into_owned();
            (number(name.trim_end_matches(".sql")).map_or(1, |(_, number)| number), dump)
        })
        .collect();
    dumps.sort_unstable();
    if let Some((missing, (_, next))) = (1..).zip(&dumps).find(|(wanted, (number, _))| wanted != number) {
        let message = format!("of the dump in {} file {missing} is missing, before {next}", listing.file);
        return Err(Error::new(Code::BackupIncomplete, printable(&message))
            .hint("Choose another backup, or restore the files alone: `--only files`."));
    }
    let mut dumps = dumps.into_iter().map(|(_, dump)| dump.clone());
    Ok(dumps.next().map(|first| (first, dumps.collect())))
}

/// A name and the number of its part, where it has one.
fn number(stem: &str) -> Option<(&str, u32)> {
    let (front, digits) = stem.rsplit_once(".part")?;
    Some((front, digits.parse().ok()?))
}

/// What an archive of a set holds, and the number of its part.
fn type_of(file: &str) -> Option<(&str, u32)> {
    let (_, rest) = file.strip_suffix(".zip")?.split_once("_backup_")?;
    Some(number(rest).unwrap_or((rest, 1)))
}

/// Requires every part up to the last one of each kind.
///
/// # Errors
/// `backup_incomplete`.
pub fn require_parts<'a>(files: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut numbers: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (name, number) in files.filter_map(type_of) {
        numbers.entry(name).or_default().push(number);
    }
    for (name, mut found) in numbers {
        found.sort_unstable();
        if let Some((missing, _)) = (1..).zip(&found).find(|(wanted, found)| wanted != *found) {
            let message = format!(
                "of {name} a part of the set is missing: the file that ends with _backup_{name}.part{missing:03}.zip"
            );
            return Err(Error::new(Code::BackupIncomplete, printable(&message))
                .hint("Put all files of the set into one folder."));
        }
    }
    Ok(())
}

/// What the files of one set have in common.
pub fn set(file: &str) -> Option<&str> {
    let (front, _) = file.strip_suffix(".zip")?.split_once("_backup_")?;
    front.contains("wpvivid-").then_some(front)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_in_the_numbers_is_a_part_that_is_missing() {
        let parts = |names: &[&str]| {
            let files: Vec<String> = names.iter().map(|name| format!("x_wpvivid-1_2026_backup_{name}.zip")).collect();
            require_parts(files.iter().map(String::as_str)).map_err(|error| error.message)
        };
        assert_eq!(parts(&["db", "uploads.part001", "uploads.part002", "themes.part001"]), Ok(()));
        assert!(
            parts(&["db", "uploads.part001", "uploads.part003"]).unwrap_err().contains("_backup_uploads.part002.zip")
        );
        assert!(parts(&["all.part002"]).unwrap_err().contains("_backup_all.part001.zip"));
    }

    #[test]
    fn a_dump_in_several_files_is_one() {
        let of = |names: &[&str]| {
            let dumps = names.iter().map(|name| RelPath::parse(name.as_bytes()).unwrap()).collect();
            dump(&Listing { dumps, ..Listing::default() })
                .map(|found| found.map(|(first, more)| (first.to_string(), more.len())))
        };
        assert_eq!(of(&["a_backup_db.sql"]).unwrap(), Some(("a_backup_db.sql".to_owned(), 0)));
        assert_eq!(of(&["a.part002.sql", "a.part001.sql"]).unwrap(), Some(("a.part001.sql".to_owned(), 1)));
        assert!(of(&["a.part001.sql", "a.part003.sql"]).unwrap_err().message.contains("file 2 is missing"));
        assert_eq!(of(&[]).unwrap(), None);
    }
}
