//! Akeeba Backup, of Joomla and of WordPress (JPA or zip): the document root, and `installation/` with the installer, the dump and
//! `databases.json` about it. Names of tables begin with `#__` there; the dump may go on in `.s01`, `.s02` and so on, and `/**ABDB**/` stands
//! between its statements.

use super::{Answered, Asked, Tool};
use crate::backup::extent::Extent;
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::Listing;
use crate::error::{Code, Error, Result};
use crate::host::credentials;
use crate::path::RelPath;
use crate::sql::prefix::Renaming;
use serde_json::Value;

/// The program.
pub struct Akeeba;

/// What table names begin with.
const PREFIX: &str = "#__";
/// What stands before each statement.
const MARK: &str = "/**ABDB**/";
const INSTALLATION: &[u8] = b"installation";
const DUMPS: &[u8] = b"installation/sql";
/// Folders from outside of the site, each under a name of its own.
const ELSEWHERE: &[u8] = b"external_files";
/// Which of these lies in `installation/` tells it from Joomla's own installer.
const SIGNS: [&[u8]; 4] = [
    b"installation/sql/databases.json",
    b"installation/sql/databases.ini",
    b"installation/extrainfo.json",
    b"installation/extrainfo.ini",
];

impl Tool for Akeeba {
    fn name(&self) -> &'static str {
        "akeeba"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        SIGNS.iter().any(|sign| has(listing, sign))
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let root = asked.told_root(listing)?.unwrap_or_default();
        let mut places = Places::of(self.name());
        let files = !root.is_root() || listing.inside(&root).any(|name| ![INSTALLATION, ELSEWHERE].contains(&name));
        if files {
            places = places.with(&root, Rule::Site(RelPath::default()));
        }
        for path in [INSTALLATION, ELSEWHERE] {
            places = places.with(&RelPath::parse(path)?, Rule::Nothing);
        }
        let databases = Database::all(listing);
        let dump = asked.dump(|| main(listing, &databases))?;
        let known = dump.as_ref().and_then(|dump| databases.iter().find(|database| database.path == *dump));
        if let Some(dump) = &dump {
            places = places.with_dump_in_parts(dump, rest(listing, dump, known)?);
        }
        let own = own_prefix(listing, &root, known);
        let brings_own = [&b"wp-config.php"[..], b"configuration.php"].iter().any(|name| listing.has(&root.join(name)));
        Ok(Answered {
            places: vec![places],
            root: files.then_some((0, root)),
            files,
            dump: dump.is_some(),
            extent: Extent::Unknown,
            lacks: lacks(listing, dump.is_some(), databases.len()),
            renaming: dump
                .is_some()
                .then(|| renaming(own, asked.live_prefix, brings_own && files, known.is_some()))
                .transpose()?,
            ..Answered::default()
        })
    }
}

/// A database, as `databases.json` tells it.
struct Database {
    path: RelPath,
    /// Files of its dump.
    parts: u64,
    prefix: String,
}

impl Database {
    fn all(listing: &Listing) -> Vec<Database> {
        let text = RelPath::parse(SIGNS[0]).ok().and_then(|path| listing.texts.get(&path));
        let told: Value = text.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
        let one = |(name, told): (&String, &Value)| {
            let file = told["sqlfile"].as_str().unwrap_or(name);
            Some(Database {
                path: RelPath::parse(DUMPS).ok()?.below(&RelPath::parse(file.as_bytes()).ok()?),
                parts: told["parts"].as_u64().unwrap_or(1),
                prefix: told["prefix"].as_str().unwrap_or_default().to_owned(),
            })
        };
        told.as_object().into_iter().flatten().filter_map(one).collect()
    }
}

/// The dump of the site: by its name, which is always one of two; others are of databases that were added.
fn main(listing: &Listing, databases: &[Database]) -> Result<Option<RelPath>> {
    let folder = RelPath::parse(DUMPS)?;
    let usual = [&b"site.sql"[..], b"joomla.sql"].map(|name| folder.join(name));
    if let Some(found) = usual.into_iter().find(|path| listing.has(path)) {
        return Ok(Some(found));
    }
    let dumps: Vec<(String, RelPath)> = listing
        .dumps
        .iter()
        .filter(|path| path.split_last().is_some_and(|(around, _)| around == folder))
        .map(|path| (path.to_string(), path.clone()))
        .collect();
    if let (true, Some(told)) = (dumps.is_empty(), databases.first()) {
        return Err(missing(&told.path));
    }
    crate::backup::survey::one_of(&dumps, None)
}

/// The entries in which a dump goes on; as many as are told, else as many as are there.
fn rest(listing: &Listing, dump: &RelPath, told: Option<&Database>) -> Result<Vec<RelPath>> {
    let mut found = Vec::new();
    let (around, name) = dump.split_last().unwrap_or_default();
    let Some(stem) = name.strip_suffix(b".sql") else { return Ok(found) };
    for number in 1_u64.. {
        let next = around.join(&[stem, format!(".s{number:02}").as_bytes()].concat());
        if told.is_some_and(|told| number >= told.parts) {
            break;
        }
        match (listing.has(&next), told) {
            (true, _) => found.push(next),
            (false, Some(_)) => return Err(missing(&next)),
            (false, None) => break,
        }
    }
    Ok(found)
}

fn missing(path: &RelPath) -> Error {
    let message = format!("it holds no {path}, which its own description names as a part of the dump");
    Error::new(Code::BackupIncomplete, message)
        .hint("Choose another backup, or restore the files alone: `--only files`.")
        .with("missing", path.to_string())
}

/// The prefix that the site's tables had.
fn own_prefix(listing: &Listing, root: &RelPath, told: Option<&Database>) -> Option<String> {
    let text = listing.texts.get(&root.join(b"wp-config.php"));
    let configured = text.and_then(|text| credentials::table_prefix(&String::from_utf8_lossy(text)));
    configured.or_else(|| told.map(|told| told.prefix.clone())).filter(|prefix| !prefix.is_empty())
}

/// The prefix that tables get: that of the configuration which will be there. `is_whole`: what is written behind the last statement of the
/// dump, and counts its parts, is there.
fn renaming(own: Option<String>, live: Option<&str>, brings_own: bool, is_whole: bool) -> Result<Renaming> {
    let live = live.map(str::to_owned);
    let to = if brings_own { own.clone().or(live) } else { live.or(own.clone()) };
    let to = to.ok_or_else(|| {
        Error::new(Code::BackupIncomplete, "neither it nor the live site says what its tables are to begin with")
            .hint("Restore the files alone: `--only files`.")
    })?;
    let from = own.filter(|own| *own != to);
    Ok(Renaming { from, placeholder: Some(PREFIX.to_owned()), to, mark: Some(MARK), is_whole, ..Renaming::default() })
}

fn lacks(listing: &Listing, dump: bool, databases: usize) -> Vec<String> {
    let mut lacks = vec!["It keeps no times of folders and links; events of the database are not in it.".to_owned()];
    if dump {
        let bits = "Its dump has the values of BIT columns as text, which is another value: the server refuses such a table, and it can be left out.";
        lacks.push(bits.to_owned());
    }
    if listing.file.to_ascii_lowercase().ends_with(".zip") {
        lacks.push("As zip it keeps no modes.".to_owned());
    } else {
        let sums = "Its form has no checksums: of what is in it the sizes are checked, and nothing else.";
        lacks.push(sums.to_owned());
    }
    if dump && databases > 1 {
        lacks.push(format!("It holds {databases} databases, of which the site's own is restored: the others stay."));
    }
    if has(listing, ELSEWHERE) {
        lacks.push("It holds folders from outside of the site (external_files), which are not restored.".to_owned());
    }
    lacks
}

fn has(listing: &Listing, path: &[u8]) -> bool {
    RelPath::parse(path).is_ok_and(|path| listing.has(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str], databases: &str) -> Listing {
        let mut listing = Listing { file: "site.jpa".into(), ..Listing::default() };
        for name in names {
            let path = RelPath::parse(name.as_bytes()).unwrap();
            if name.ends_with(".sql") {
                listing.dumps.push(path.clone());
            }
            listing.names.insert(path, false);
        }
        let path = RelPath::parse(SIGNS[0]).unwrap();
        listing.names.insert(path.clone(), false);
        listing.texts.insert(path, databases.as_bytes().to_vec());
        listing
    }

    fn dump(names: &[&str], databases: &str) -> Result<(String, Vec<String>)> {
        let listing = listing(names, databases);
        assert!(Akeeba.made(&[Listing { ..Listing::default() }]) != Akeeba.made(std::slice::from_ref(&listing)));
        let databases = Database::all(&listing);
        let found = main(&listing, &databases)?.unwrap();
        let told = databases.iter().find(|database| database.path == found);
        let more = rest(&listing, &found, told)?;
        Ok((found.to_string(), more.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn the_dump_and_all_its_parts_are_found_or_missed() {
        let told = |parts: u32| format!(r#"{{"site.sql":{{"sqlfile":"site.sql","parts":{parts},"prefix":"j_"}}}}"#);
        let (site, one, two) = ("installation/sql/site.sql", "installation/sql/site.s01", "installation/sql/site.s02");
        let both = (site.to_owned(), vec![one.to_owned(), two.to_owned()]);
        assert_eq!(dump(&[site, one, two], &told(3)).unwrap(), both);
        assert_eq!(dump(&[site, one, two], "").unwrap(), both, "nothing is told");
        assert_eq!(dump(&[site], &told(1)).unwrap().1, Vec::<String>::new());
        for (names, parts, lost) in [(&[site, two][..], 3, one), (&[site, one], 3, two), (&[], 1, site)] {
            let error = dump(names, &told(parts)).unwrap_err();
            assert_eq!(error.code, Code::BackupIncomplete);
            assert!(error.message.contains(lost), "{}", error.message);
        }
        let other = "installation/sql/other-1.sql";
        assert_eq!(dump(&[other, site], &told(1)).unwrap().0, site);
        assert_eq!(dump(&[other], "").unwrap().0, other);
        assert!(dump(&[other, "installation/sql/more.sql"], "").is_err());
    }

    #[test]
    fn tables_get_the_prefix_of_the_configuration_that_will_be_there() {
        let of = |own: Option<&str>, live, brings| {
            renaming(own.map(str::to_owned), live, brings, true)
                .map(|renaming| (renaming.placeholder, renaming.from, renaming.to))
        };
        let mark = || Some("#__".to_owned());
        assert_eq!(of(Some("a_"), Some("b_"), true).unwrap(), (mark(), None, "a_".into()));
        assert_eq!(of(Some("a_"), Some("b_"), false).unwrap(), (mark(), Some("a_".into()), "b_".into()));
        assert_eq!(of(Some("a_"), None, false).unwrap().2, "a_");
        assert_eq!(of(None, Some("b_"), true).unwrap().2, "b_");
        assert!(of(None, None, true).is_err());
    }
}
