//! What of a backup is restored, and what of the live site stays as it is. Pure.

use crate::api::{Choice, Components, Exclude, KeepRows, Options, Restore};
use crate::backup::locate::Needs;
use crate::backup::source::Foreign;
use crate::config::Probe;
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::plan::pattern::{NamePatterns, PathPatterns};
use crate::report::Risk;
use crate::siteconf::Item;
use serde::{Deserialize, Serialize};

/// The components to restore, and whether they were named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The document root: all of it, nothing, or paths and globs.
    pub files: Choice,
    /// The database: all of it, nothing, or names and globs of tables.
    pub database: Choice,
    /// Configuration items.
    pub config: Vec<Item>,
    /// Named by the caller: a backup without them is an error. Otherwise "everything this kind of backup holds".
    pub named: bool,
    /// What stays as it is live, although it would be restored.
    #[serde(default)]
    pub exclude: Exclude,
    /// Nothing is kept that the backup does not hold, even where the backup cannot know of it.
    #[serde(default)]
    pub exact: bool,
    /// Rows that refer to rows that are not there are taken.
    #[serde(default)]
    pub allow_orphans: bool,
    /// Configuration that the guard refuses is installed all the same, on the administrator's word.
    #[serde(default)]
    pub allow_unsafe_config: bool,
    /// What a check found and the caller accepts.
    #[serde(default)]
    pub accept: Vec<Risk>,
    /// Pages that have to come.
    #[serde(default)]
    pub probes: Vec<Probe>,
    /// Tables whose newer rows are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_rows: Vec<KeepRows>,
}

/// Most tables whose newer rows are kept.
const MAX_KEPT: usize = 100;

impl Selection {
    /// Every component, none by name.
    pub fn everything() -> Selection {
        Selection {
            files: Choice::Whole(true),
            database: Choice::Whole(true),
            config: Item::ALL.to_vec(),
            named: false,
            exclude: Exclude::default(),
            exact: false,
            allow_orphans: false,
            allow_unsafe_config: false,
            accept: Vec::new(),
            probes: Vec::new(),
            keep_rows: Vec::new(),
        }
    }

    /// What a backup has to hold that was named.
    pub fn needs(&self) -> Needs {
        Needs {
            database: self.named && self.database.any(),
            config: self.named && !self.config.is_empty(),
            no_database: !self.database.any(),
        }
    }

    /// The selection of a request.
    ///
    /// # Errors
    /// As [`Selection::parse`].
    pub fn of(request: &Restore) -> Result<Selection> {
        Selection::parse(request.components.as_ref(), request.exclude.as_ref(), &request.options)
    }

    /// Reads what a request says; no components at all mean everything.
    ///
    /// # Errors
    /// `bad_request` for an empty selection, an unknown configuration item, or what is no pattern; `unsafe_path`.
    pub fn parse(components: Option<&Components>, exclude: Option<&Exclude>, options: &Options) -> Result<Selection> {
        let mut selection = match components {
            None => Selection::everything(),
            Some(components) => Selection {
                files: components.files.clone(),
                database: components.database.clone(),
                config: items("components.config", &components.config)?,
                named: true,
                ..Selection::everything()
            },
        };
        (selection.exact, selection.allow_orphans) = (options.exact, options.allow_orphans);
        selection.allow_unsafe_config = options.allow_unsafe_config;
        selection.accept.clone_from(&options.accept);
        Probe::check(&options.probes).map_err(|why| Error::new(Code::BadRequest, format!("options.probes: {why}")))?;
        selection.probes.clone_from(&options.probes);
        selection.keep_rows.clone_from(&options.keep_rows);
        if let Some(exclude) = exclude {
            let out = items("exclude.config", &Choice::Parts(exclude.config.clone()))?;
            selection.config.retain(|item| !out.contains(item));
            selection.exclude = exclude.clone();
        }
        if !selection.files.any() && !selection.database.any() && selection.config.is_empty() {
            return Err(Error::new(Code::BadRequest, "components: nothing is selected").hint(
                "Set at least one of files, database and config, or leave `components` out for a full restore.",
            ));
        }
        for (name, choice) in [("files", &selection.files), ("database", &selection.database)] {
            if choice.parts().is_some_and(<[String]>::is_empty) {
                return Err(Error::new(Code::BadRequest, format!("components.{name}: the list is empty"))
                    .hint(format!("Name what is wanted, say true for all of it, or leave {name} out.")));
            }
        }
        selection.paths()?;
        selection.require_kept_tables(&selection.tables()?)?;
        Ok(selection)
    }

    /// Tables whose newer rows are kept have to be restored, each once.
    fn require_kept_tables(&self, tables: &Tables) -> Result<()> {
        let refuse = |why: String| Err(Error::new(Code::BadRequest, format!("options.keep_rows: {why}")));
        if self.keep_rows.len() > MAX_KEPT {
            return refuse(format!("{} tables are named, at most {MAX_KEPT} can be", self.keep_rows.len()));
        }
        for (at, kept) in self.keep_rows.iter().enumerate() {
            let name = &kept.table;
            if name.is_empty() || self.keep_rows[..at].iter().any(|other| other.table == *name) {
                return refuse(format!("the table {name:?} is named twice, or not at all"));
            }
            if !self.database.any() || !tables.takes(name) {
                return refuse(format!("{name} is not restored: all of it stays as it is"));
            }
        }
        Ok(())
    }

    /// "Everything" of a kind of backup that has no database is its files and configuration. Whether that changed anything.
    pub fn fit(&mut self, may_hold_database: bool) -> bool {
        let changes =
            !may_hold_database && !self.named && self.database.any() && (self.files.any() || !self.config.is_empty());
        if changes {
            self.database = Choice::Whole(false);
        }
        changes
    }

    /// "Everything" of another program's backup is what it holds: what lies outside of its folders stays.
    ///
    /// # Errors
    /// `bad_request` for a name that is no pattern.
    pub fn narrow(&mut self, foreign: Option<&Foreign>) -> Result<()> {
        let Some(foreign) = foreign else { return Ok(()) };
        if !self.named {
            if !foreign.files && self.files.any() {
                self.files = Choice::Whole(false);
            }
            self.config.clear();
        }
        self.exclude.files.extend(foreign.keeps.iter().cloned());
        if let (true, Some(held)) = (self.files.any(), &foreign.parts) {
            self.files = Choice::Parts(match &self.files {
                Choice::Parts(named) => within(named, held)?,
                Choice::Whole(_) => held.clone(),
            });
        }
        self.paths()?;
        Ok(())
    }

    /// Whether the backup's file at this path becomes the site's, where it has one.
    ///
    /// # Errors
    /// As [`Selection::paths`].
    pub fn brings(&self, path: &RelPath) -> Result<bool> {
        let paths = self.paths()?;
        let wanted = self.files.any() && paths.only.as_ref().is_none_or(|only| only.covers(path, false));
        Ok(wanted && !paths.exclude.covers(path, false))
    }

    /// Whether the site will be of the backup in parts only.
    pub fn is_partial(&self) -> bool {
        !self.files.is_whole() || !self.database.is_whole()
    }

    /// Paths that are selected; `None`: the whole document root.
    ///
    /// # Errors
    /// `bad_request`, `unsafe_path`.
    pub fn paths(&self) -> Result<Paths> {
        let only = self.files.parts().map(|list| PathPatterns::parse("components.files", list)).transpose()?;
        Ok(Paths { only, exclude: PathPatterns::parse("exclude.files", &self.exclude.files)? })
    }

    /// Tables that are selected.
    ///
    /// # Errors
    /// `bad_request`.
    pub fn tables(&self) -> Result<Tables> {
        let only = self.database.parts().map(|list| NamePatterns::parse("components.database", list)).transpose()?;
        Ok(Tables { only, exclude: NamePatterns::parse("exclude.database", &self.exclude.database)? })
    }
}

/// What was named of a backup that holds only these parts: of a folder around some of them, these. As a whole it would take the place of
/// the live folder, and what the backup does not hold of it would go.
fn within(named: &[String], held: &[String]) -> Result<Vec<String>> {
    let mut taken = Vec::new();
    for text in named {
        let pattern = PathPatterns::parse("components.files", std::slice::from_ref(text))?;
        let paths = held.iter().map(|part| RelPath::of_pattern(part)).collect::<Result<Vec<RelPath>>>()?;
        match paths.iter().any(|path| path.ancestors().any(|above| pattern.covers(&above, true))) {
            true => {
                let covered = held.iter().zip(&paths).filter(|(_, path)| pattern.covers(path, true));
                taken.extend(covered.map(|(part, _)| part.clone()));
            }
            false => taken.push(text.clone()),
        }
    }
    taken.sort();
    taken.dedup();
    Ok(taken)
}

fn items(field: &str, choice: &Choice) -> Result<Vec<Item>> {
    match choice {
        Choice::Whole(true) => Ok(Item::ALL.to_vec()),
        Choice::Whole(false) => Ok(Vec::new()),
        Choice::Parts(names) => names
            .iter()
            .map(|name| {
                Item::from_name(name).ok_or_else(|| {
                    let known: Vec<&str> = Item::ALL.iter().map(|item| item.name()).collect();
                    Error::new(Code::BadRequest, format!("{field}: there is no item {name:?}"))
                        .hint(format!("The items are {}.", known.join(", ")))
                        .with("pattern", name.as_str())
                })
            })
            .collect(),
    }
}

/// Which files take part.
#[derive(Debug, Default)]
pub struct Paths {
    /// Only these; `None`: all.
    pub only: Option<PathPatterns>,
    /// But not these.
    pub exclude: PathPatterns,
}

impl Paths {
    /// Whether saved pages in this folder are restored or kept all the same, because the request names the folder or what is in it.
    pub fn names_pages(&self, folder: &RelPath) -> bool {
        let around = folder.split_last().map(|(around, _)| around).unwrap_or_default();
        self.exclude.covers(folder, true) || self.only.as_ref().is_some_and(|only| !only.covers(&around, true))
    }
}

/// Which tables take part.
#[derive(Debug, Default)]
pub struct Tables {
    /// Only these; `None`: all.
    pub only: Option<NamePatterns>,
    /// But not these.
    pub exclude: NamePatterns,
}

impl Tables {
    /// Whether every table takes part.
    pub fn is_whole(&self) -> bool {
        self.only.is_none() && self.exclude.is_empty()
    }

    /// Whether the dump's table of this name is loaded.
    pub fn takes(&self, name: &str) -> bool {
        // What is excluded is of no use to a pattern.
        !self.exclude.covers(name) && self.only.as_ref().is_none_or(|only| only.covers(name))
    }

    /// The live tables that go when `coming` come: with a dump of the whole database all of them, otherwise those of the same
    /// names, and with `exact` also those that the selection names although the backup does not hold them.
    pub fn leaving(&self, live: &[String], coming: &[String], complete: bool, exact: bool) -> Vec<String> {
        let goes = |name: &String| {
            if self.exclude.covers(name) {
                return false;
            }
            let replaced = coming.contains(name);
            match &self.only {
                None => complete || exact || replaced,
                Some(only) => replaced || (exact && only.covers(name)),
            }
        };
        live.iter().filter(|name| goes(name)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Selection> {
        Selection::of(&crate::api::parse(&format!(r#"{{"domain":"a.com",{json}}}"#))?)
    }

    #[test]
    fn no_components_mean_everything_and_named_ones_nothing_else() {
        let full = parse(r#""backup":"latest""#).unwrap();
        assert_eq!(full, Selection::everything());
        let some = parse(r#""components":{"config":["ssl"]}"#).unwrap();
        assert!(!some.files.any() && !some.database.any() && some.named);
        assert_eq!(some.config, [Item::Ssl]);
        let parts = parse(r#""components":{"files":["a/"],"database":["wp_*"]}"#).unwrap();
        assert!(parts.files.any() && !parts.files.is_whole() && parts.database.parts().is_some());
    }

    #[test]
    fn a_folder_around_what_an_overlay_holds_is_not_taken_as_a_whole() {
        let held = |parts: &[&str]| Foreign {
            files: true,
            parts: Some(parts.iter().map(|part| (*part).to_owned()).collect()),
            ..Foreign::default()
        };
        let overlay = held(&["wp-content/plugins", "wp-content/themes", r"wp-content/a\[b"]);
        for (named, taken) in [
            (r#"["wp-content"]"#, &[r"wp-content/a\[b", "wp-content/plugins", "wp-content/themes"][..]),
            (r#"["wp-*"]"#, &[r"wp-content/a\[b", "wp-content/plugins", "wp-content/themes"]),
            (r#"["wp-content/plugins/x", "wp-content/themes"]"#, &["wp-content/plugins/x", "wp-content/themes"]),
            (r#"["wp-content/p*"]"#, &["wp-content/p*"]),
            (r#"["index.php"]"#, &["index.php"]),
            ("true", &["wp-content/plugins", "wp-content/themes", r"wp-content/a\[b"]),
        ] {
            let mut selection = parse(&format!(r#""components":{{"files":{named}}}"#)).unwrap();
            selection.narrow(Some(&overlay)).unwrap();
            assert_eq!(selection.files.parts().unwrap(), taken, "{named}");
        }
        let mut none = parse(r#""components":{"database":true}"#).unwrap();
        none.narrow(Some(&overlay)).unwrap();
        assert!(!none.files.any());
    }

    #[test]
    fn empty_and_unknown_selections_are_refused() {
        for bad in [
            r#""components":{}"#,
            r#""components":{"files":false}"#,
            r#""components":{"files":[]}"#,
            r#""components":{"database":[]}"#,
            r#""components":{"config":["apache"]}"#,
            r#""components":{"files":["a["]}"#,
            r#""components":{"config":["ssl"]},"exclude":{"config":["ssl"]}"#,
            r#""exclude":{"config":["apache"]}"#,
        ] {
            assert_eq!(parse(bad).unwrap_err().code, Code::BadRequest, "{bad}");
        }
        assert_eq!(parse(r#""components":{"files":["../x"]}"#).unwrap_err().code, Code::UnsafePath);
        assert_eq!(parse(r#""exclude":{"table":["x"]}"#).unwrap_err().code, Code::UnknownField);
    }

    #[test]
    fn what_goes_depends_on_what_the_backup_can_know() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (live, coming) = (names(&["a", "b", "c"]), names(&["a", "d"]));
        let tables = |json: &str| parse(json).unwrap().tables().unwrap();
        let all = tables(r#""backup":"latest""#);
        assert_eq!(all.leaving(&live, &coming, true, false), live, "a complete dump replaces everything");
        assert_eq!(all.leaving(&live, &coming, false, false), ["a"], "an incomplete one only what it holds");
        assert_eq!(all.leaving(&live, &coming, false, true), live, "unless an exact replica is asked for");
        let out = tables(r#""exclude":{"database":["b"]}"#);
        assert_eq!(out.leaving(&live, &coming, true, true), ["a", "c"]);
        let part = tables(r#""components":{"database":["a","b"]}"#);
        assert_eq!(part.leaving(&live, &names(&["a"]), true, false), ["a"]);
        assert_eq!(part.leaving(&live, &names(&["a"]), true, true), ["a", "b"]);
        assert!(part.takes("a") && !part.takes("c"));
        let none = tables(r#""components":{"database":["a"]},"exclude":{"database":["*"]}"#);
        assert!(!none.takes("a"));
        assert_eq!(none.only.unwrap().unused(), ["a"]);
    }
}
