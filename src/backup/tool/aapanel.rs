//! aaPanel, a scheduled backup of a site, `web_SITE_MOMENT_LETTERS.tar.gz` with one folder at the top. The database lies in a file of its own,
//! `db_NAME_MOMENT_mysql_data.sql.gz`, or `….zip` with a file a table in one folder of that name.

use super::ispconfig::begins_as;
use super::{Answered, Asked, Tool, any, only_top};
use crate::backup::layout::places::Places;
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// The panel.
pub struct AaPanel;

/// The end of the name of a folder of tables.
const TABLES: &[u8] = b"_mysql_data";

impl Tool for AaPanel {
    fn name(&self) -> &'static str {
        "aapanel"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        tables(listing).is_some() || (is_site(&listing.file) && only_top(listing).is_some())
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let no_triggers = "Triggers of the database are not in its dumps, and a table that it could not dump is missing from them: live triggers of the tables that are restored go.";
        if let Some((first, more)) = tables(listing) {
            let places = Places::of(self.name());
            let is_own = !asked.has_dump_beside();
            return Ok(Answered {
                places: vec![if is_own { places.with_dump_in_parts(&first, more) } else { places }],
                dump: is_own,
                lacks: vec![no_triggers.to_owned()],
                ..Answered::default()
            });
        }
        let root = only_top(listing);
        let mut answered = any::answer(self.name(), asked, root)?;
        answered.lacks.push("Links were followed: what they led to is in it as a copy.".to_owned());
        answered.lacks.push(match asked.import.dump {
            Some(_) => no_triggers.to_owned(),
            None => {
                "Its database is in a file of its own, db_NAME_MOMENT_mysql_data: without `--dump` the live one stays."
                    .to_owned()
            }
        });
        Ok(answered)
    }
}

/// `web_example.com_20250601_030405_AbC123.tar.gz`
fn is_site(file: &str) -> bool {
    let Some(stem) = file.strip_prefix("web_").and_then(|rest| rest.strip_suffix(".tar.gz")) else { return false };
    let moment = stem.rsplitn(4, '_').collect::<Vec<_>>();
    matches!(moment.as_slice(), [_, time, day, _] if begins_as(day, "00000000") && begins_as(time, "000000"))
}

/// The dumps of all tables of a database, in a folder of their own: the first, and those that follow it.
pub fn tables(listing: &Listing) -> Option<(RelPath, Vec<RelPath>)> {
    let folder = only_top(listing).filter(|top| top.as_bytes().ends_with(TABLES))?;
    let files = listing.names.values().filter(|is_folder| !**is_folder).count();
    let is_in = |dump: &RelPath| dump.split_last().is_some_and(|(around, _)| around == folder);
    if files != listing.dumps.len() || !listing.dumps.iter().all(is_in) {
        return None;
    }
    let (first, more) = listing.dumps.split_first()?;
    Some((first.clone(), more.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_told_by_its_name() {
        assert!(is_site("web_example.com_20250601_030405_AbC123.tar.gz"));
        for file in ["web_example.com.tar.gz", "db_x_20250601_030405_mysql_data.sql.gz", "web_a_b_c_d.tar.gz"] {
            assert!(!is_site(file), "{file}");
        }
    }
}
