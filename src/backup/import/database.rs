//! Which database of a dump is the site's, and which of its tables. Pure.

use crate::backup::layout::Place;
use crate::backup::source::{Part, Role};
use crate::backup::survey::Listing;
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::sql::prefix::{Renaming, is_of_server, is_prefix};
use crate::text::{few, printable};

/// Most names of databases in a sentence.
const FEW: usize = 10;

/// By what the site's database is told among those of a dump. What was asked for tells it, and the account of the live site, which opens
/// that database and no other. The configuration in the backup is the word of whoever wrote the site's files: where it names another
/// database than the live site has, it can ask for a neighbour's, and settles nothing.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    /// The site that was asked for.
    pub told: Option<&'a str>,
    /// The database in the configuration of the site in the backup.
    pub configured: Option<&'a str>,
    /// That of the live site.
    pub live: Option<&'a str>,
    /// The backup holds files of a site: the site that was asked for is one of these.
    pub files: bool,
}

impl Wanted<'_> {
    /// The database; `None`: the dump is of no other.
    ///
    /// # Errors
    /// `backup_layout_unknown` listing them; `backup_incomplete` where all are the server's own.
    pub fn of(&self, named: &[String]) -> Result<Option<String>> {
        let own: Vec<&str> = named.iter().map(String::as_str).filter(|name| !is_of_server(name)).collect();
        if named.len() <= 1 && own.len() == named.len() {
            return Ok(None);
        }
        let has = |wanted: &&str| own.contains(wanted);
        let found = |wanted: &str| Ok(Some(wanted.to_owned()));
        let few = || printable(&own.iter().take(FEW).copied().collect::<Vec<_>>().join(", "));
        match (self.told.filter(has), self.told, self.configured, self.live.filter(has), own.as_slice()) {
            (_, _, _, _, []) => {
                let shown = printable(&named.join(", "));
                let message = format!("its dump is of the server's own databases alone: {shown}");
                Err(Error::new(Code::BackupIncomplete, message).hint("Choose another dump."))
            }
            (Some(told), ..) => found(told),
            (None, Some(told), None, _, _) if !self.files => {
                Err(which(format!("its dump has no database {}, but {}", printable(told), few()), &own))
            }
            (None, _, configured, Some(live), _)
                if configured.is_none_or(|configured| configured == live || !has(&configured)) =>
            {
                found(live)
            }
            (None, _, configured, None, [only]) if configured.is_none_or(|configured| configured == *only) => {
                found(only)
            }
            (None, _, Some(configured), _, _) => {
                let configured = printable(configured);
                let live = match self.live {
                    Some(live) if live != configured => format!(", the live site has {}", printable(live)),
                    _ => String::new(),
                };
                let message = format!(
                    "the configuration in it names the database {configured}{live}, and its dump holds {}",
                    few()
                );
                Err(which(message, &own))
            }
            _ => Err(which(format!("its dump holds {} databases: {}", own.len(), few()), &own)),
        }
    }

    /// The sentence of the databases that are not the site's.
    pub fn said(&self, chosen: &str, named: &[String]) -> String {
        let others = few(named.iter().filter(|name| *name != chosen));
        format!("Of its dump the database {} is restored. Nothing is restored of {others}.", printable(chosen))
    }
}

fn which(message: String, own: &[&str]) -> Error {
    Error::new(Code::BackupLayoutUnknown, message)
        .hint("Say which one: `--site DATABASE` (\"site\" in `backup`), or restore the files alone: `--only files`.")
        .with("databases", own.to_vec())
}

/// The databases that the dump among these parts names.
pub(super) fn named_databases(parts: &[Part], listings: &[Listing]) -> Vec<String> {
    let of_dump = |(part, listing): (&Part, &Listing)| {
        let is_dump = |path: &RelPath| match (&part.role, &part.places) {
            (Role::Dump, _) => path.is_root(),
            (_, Some(places)) => places.place(path) == Place::Dump,
            (_, None) => false,
        };
        listing.databases.iter().find(|(path, _)| is_dump(path)).map(|(_, named)| named.clone())
    };
    parts.iter().zip(listings).find_map(of_dump).unwrap_or_default()
}

/// What is replaced in a dump, and left out of it.
///
/// # Errors
/// `bad_request` for a prefix that is none, or where the dump has none.
pub(super) fn renamed(
    told: Option<Renaming>,
    prefix: Option<&str>,
    live: Option<&str>,
    schema: Option<String>,
) -> Result<Option<Renaming>> {
    let mut renaming = Renaming { schema, ..told.unwrap_or_default() };
    if let Some(prefix) = prefix {
        if !is_prefix(prefix) {
            let message = format!("{} is no prefix of tables", printable(prefix));
            return Err(Error::new(Code::BadRequest, message)
                .hint("A prefix has letters, digits and underscores: `wp_`.")
                .with("field", "prefix"));
        }
        if let Some(placeholder) = &renaming.placeholder {
            let message =
                format!("its tables begin with {placeholder}, which is no site's prefix: they get the right one");
            return Err(Error::new(Code::BadRequest, message).hint("Leave --prefix out.").with("field", "prefix"));
        }
        let to = live.unwrap_or(prefix);
        renaming.from = (prefix != to).then(|| prefix.to_owned());
        renaming.to = to.to_owned();
        renaming.only = Some(prefix.to_owned());
    }
    Ok((!renaming.is_nothing()).then_some(renaming))
}

/// The sentence of what is left out.
pub(super) fn only(renaming: &Renaming) -> Option<String> {
    let only = renaming.only.as_ref()?;
    let to = match &renaming.from {
        Some(_) => format!(" and begin with {} then", renaming.to),
        None => String::new(),
    };
    Some(format!(
        "Of its dump the tables, views, routines and events that begin with {only} are restored{to}. Live ones that it does not hold stay."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: &Wanted, named: &[&str]) -> std::result::Result<Option<String>, String> {
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        wanted.of(&named).map_err(|error| error.message)
    }

    #[test]
    fn the_sites_database_is_told_by_what_was_asked_the_configuration_and_the_live_site_or_asked_for() {
        let wanted = |told, configured, live| Wanted { told, configured, live, files: false };
        let named = ["mysql", "a", "b"];
        let some = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(chosen(&wanted(None, None, Some("x")), &["only"]), Ok(None));
        assert_eq!(chosen(&wanted(None, None, Some("x")), &[]), Ok(None));
        assert_eq!(chosen(&wanted(None, None, None), &["mysql", "only", "sys"]), some("only"));
        assert_eq!(chosen(&wanted(Some("b"), Some("a"), Some("a")), &named), some("b"));
        assert_eq!(chosen(&wanted(None, Some("a"), Some("a")), &named), some("a"));
        assert_eq!(chosen(&wanted(None, Some("gone"), Some("a")), &named), some("a"));
        assert_eq!(chosen(&wanted(None, Some("b"), None), &["mysql", "b"]), some("b"));
        assert_eq!(chosen(&wanted(None, None, Some("a")), &named), some("a"));
        let site = Wanted { told: Some("shop.example"), live: Some("b"), files: true, ..Wanted::default() };
        assert_eq!(chosen(&site, &named), some("b"), "a site is no database");
        for (wanted, words) in [
            (wanted(None, None, Some("x")), "holds 2 databases: a, b"),
            (wanted(Some("c"), None, Some("a")), "has no database c, but a, b"),
            (wanted(Some("mysql"), None, Some("a")), "has no database mysql"),
            (wanted(None, Some("c"), None), "names the database c, and its dump holds a, b"),
            (wanted(None, Some("b"), Some("a")), "names the database b, the live site has a, and its dump holds a, b"),
            (wanted(None, Some("b"), Some("x")), "names the database b, the live site has x, and its dump holds a, b"),
            (wanted(None, Some("b"), None), "names the database b, and its dump holds a, b"),
        ] {
            let said = chosen(&wanted, &named).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
        assert!(chosen(&wanted(None, None, None), &["mysql", "sys"]).unwrap_err().contains("own databases alone"));
    }

    #[test]
    fn a_prefix_that_was_told_becomes_the_live_one_and_the_rest_is_left_out() {
        let of = |told, prefix, live| renamed(told, Some(prefix), live, None);
        let found = of(None, "a_", Some("b_")).unwrap().unwrap();
        assert_eq!((found.from.as_deref(), found.to.as_str(), found.only.as_deref()), (Some("a_"), "b_", Some("a_")));
        let same = of(None, "a_", Some("a_")).unwrap().unwrap();
        assert_eq!((same.from, same.only.as_deref()), (None, Some("a_")));
        assert_eq!(of(None, "a_", None).unwrap().unwrap().to, "a_");
        let told = Renaming { from: Some("c_".into()), to: "b_".into(), ..Renaming::default() };
        assert_eq!(of(Some(told), "a_", Some("b_")).unwrap().unwrap().from.as_deref(), Some("a_"));
        let mark = Renaming { placeholder: Some("#__".into()), ..Renaming::default() };
        for (told, prefix) in [(None, ""), (None, "a b"), (None, "a`"), (Some(mark), "a_")] {
            assert_eq!(of(told, prefix, Some("b_")).unwrap_err().code, Code::BadRequest, "{prefix}");
        }
        assert_eq!(renamed(None, None, Some("b_"), None).unwrap(), None);
    }
}
