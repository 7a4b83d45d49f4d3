//! UpdraftPlus: a set of zips and a dump whose names share twelve hexadecimal digits, `backup_MOMENT_SITE_DIGITS-ENTITY.zip`. Each zip has a
//! folder of its entity's name at its top; `others` has what else lies in `wp-content`. `wpcore` has what lies around that, `more` folders from
//! anywhere, and `-db1.gz` is of another database.

use super::any::parts;
use super::{Answered, Asked, IN_PARTS, NO_CORE, Tool, renaming};
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::Listing;
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::text::printable;
use std::collections::BTreeMap;

/// The plugin.
pub struct UpdraftPlus;

/// Entities that a whole set has.
const ENTITIES: &[&str] = &["plugins", "themes", "uploads", "others"];
const CORE: &str = "wpcore";
const ELSEWHERE: &str = "more";
const CONFIGURATION: &[u8] = b"wp-config.php";

impl Tool for UpdraftPlus {
    fn name(&self) -> &'static str {
        "updraftplus"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        !listings.is_empty() && listings.iter().all(|listing| entity(&listing.file).is_some())
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let mut answered = Answered::default();
        let content = RelPath::parse(b"wp-content")?;
        let mut numbers: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let mut all = Vec::new();
        for (at, listing) in asked.listings.iter().enumerate() {
            let is_other = is_other_database(&listing.file);
            let (entity, number) = entity(&listing.file).unwrap_or_default();
            let mut places = Places::of(self.name());
            if listing.is_dump && (is_other || asked.has_dump_beside()) {
                answered.passed_over.push(at);
                let why = if is_other {
                    "is of another database than WordPress's"
                } else {
                    "is not read: another dump was named"
                };
                answered.lacks.push(printable(&format!("{} {why}.", listing.file)));
            } else if listing.is_dump {
                answered.dump = true;
                let prefix = listing.head.lines().find_map(|line| line.strip_prefix("# Table prefix:"));
                answered.renaming = renaming(prefix.map(str::trim), asked.live_prefix);
            } else if entity == ELSEWHERE {
                let said = format!("{} holds folders from outside of the site, which are not restored.", listing.file);
                answered.lacks.push(printable(&said));
            } else if entity == CORE {
                numbers.entry(entity).or_default().push(number);
                let top = RelPath::default();
                places = places.with(&top, Rule::Site(top.clone()));
                all.extend(parts(listing, &top, &top, &[CONFIGURATION, b"wp-content"]));
                all.extend(parts(listing, &content, &content, &[]));
                if listing.has(&RelPath::parse(CONFIGURATION)?) {
                    places = places.with(&RelPath::parse(CONFIGURATION)?, Rule::Nothing);
                    answered.lacks.push("Its wp-config.php is not restored: that of the live site stays.".to_owned());
                }
                answered.files = true;
            } else {
                numbers.entry(entity).or_default().push(number);
                let top = RelPath::parse(entity.as_bytes())?;
                if listing.has(&top) && entity != "others" {
                    places = places.with(&top, Rule::Site(content.join(entity.as_bytes())));
                    all.push(content.join(entity.as_bytes()).to_string());
                } else {
                    places = places.with(&RelPath::default(), Rule::Site(content.clone()));
                    all.extend(parts(listing, &RelPath::default(), &content, &[]));
                }
                answered.files = true;
            }
            answered.places.push(places);
        }
        for (entity, mut found) in numbers.iter().map(|(entity, found)| (entity, found.clone())) {
            found.sort_unstable();
            let missing = (1..=found.last().copied().unwrap_or(1)).find(|number| !found.contains(number));
            if let Some(missing) = missing {
                let name = if missing == 1 { format!("-{entity}.zip") } else { format!("-{entity}{missing}.zip") };
                let message = format!("of {entity} a part of the set is missing: the file that ends with {name}");
                return Err(
                    Error::new(Code::BackupIncomplete, message).hint("Put all files of the set into one folder.")
                );
            }
        }
        let said = if numbers.contains_key(CORE) { IN_PARTS } else { NO_CORE };
        answered.lacks.insert(0, said.to_owned());
        let without: Vec<&str> = ENTITIES.iter().copied().filter(|entity| !numbers.contains_key(entity)).collect();
        if !without.is_empty() {
            answered.lacks.push(format!("The set has no file of {}: those of the live site stay.", without.join(", ")));
        }
        if !answered.dump && !asked.has_dump_beside() {
            answered.lacks.push("The set has no file of the database: the live one stays.".to_owned());
        }
        answered
            .lacks
            .push("Events of the database are not in it, nor tables without the prefix of WordPress.".to_owned());
        all.sort();
        all.dedup();
        answered.parts = answered.files.then_some(all);
        Ok(answered)
    }
}

/// What the files of one set have in common.
pub fn set(file: &str) -> Option<&str> {
    let digits = entity(file).and_then(|_| file.rfind('-'))?;
    let start = &file[..digits];
    match file[digits + 1..].strip_prefix("plugins") {
        // `mu-plugins` has the sign itself.
        Some(_) if start.ends_with("-mu") => start.strip_suffix("-mu"),
        _ => Some(start),
    }
}

/// Whether a file is the dump of another database than WordPress's, of which each has a number.
fn is_other_database(file: &str) -> bool {
    let stem = file.split_once(".gz").map_or(file, |(stem, _)| stem);
    stem.rsplit_once("-db")
        .is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty())
}

/// The entity of a file's name and the number of its part.
fn entity(file: &str) -> Option<(&str, u32)> {
    let rest = file.strip_prefix("backup_")?;
    let stem =
        rest.strip_suffix(".zip").or_else(|| rest.strip_suffix(".gz")).or_else(|| rest.strip_suffix(".gz.crypt"))?;
    let (front, entity) = match stem.strip_suffix("-mu-plugins") {
        Some(front) => (front, "mu-plugins"),
        None => stem.rsplit_once('-')?,
    };
    let digits = front.rsplit('_').next()?;
    if digits.len() != 12 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let name = entity.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = entity[name.len()..].parse().unwrap_or(1);
    Some((name, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_set_entity_and_number() {
        for (file, wanted) in [
            ("backup_2026-11-28-0044_Shop_83e4400b3860-plugins.zip", Some(("plugins", 1))),
            ("backup_2026-11-28-0044_Shop_83e4400b3860-uploads12.zip", Some(("uploads", 12))),
            ("backup_2026-11-28-0044_Shop_83e4400b3860-mu-plugins.zip", Some(("mu-plugins", 1))),
            ("backup_2026-11-28-0044_Shop_83e4400b3860-db.gz", Some(("db", 1))),
            ("backup_20251004_030000.tar.gz", None),
            ("backup_2026_x-plugins.zip", None),
        ] {
            assert_eq!(entity(file), wanted, "{file}");
            let is_set = set(file) == Some("backup_2026-11-28-0044_Shop_83e4400b3860");
            assert_eq!(is_set, wanted.is_some(), "{file}");
        }
        assert!(is_other_database("backup_2026-11-28-0044_Shop_83e4400b3860-db1.gz"));
        assert!(!is_other_database("backup_2026-11-28-0044_Shop_83e4400b3860-db.gz"));
    }
}
