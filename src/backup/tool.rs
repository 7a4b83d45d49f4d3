//! The programs whose backups are read, one file each; [`TOOLS`] is the list of them, and [`any`] is for all others. A tool answers which
//! entry belongs where. Another one is one more file here and one more line in the list.

pub mod any;
mod overlay;
#[cfg(test)]
mod tests;

use crate::api::Import;
use crate::backup::extent::Extent;
use crate::backup::layout::Holds;
use crate::backup::layout::places::Places;
use crate::backup::survey::Listing;
use crate::error::{Code, Error, Result};
use crate::host::credentials;
use crate::host::site::Site;
use crate::path::RelPath;
use crate::sql::prefix::Renaming;

/// What is known when a tool is asked.
pub struct Asked<'a> {
    /// The names in each part.
    pub listings: &'a [Listing],
    /// Archives inside the first part whose names are in its listing.
    pub inner: &'a [RelPath],
    /// The request.
    pub import: &'a Import,
    /// The live site.
    pub site: &'a Site,
    /// The prefix of the live site's tables.
    pub live_prefix: Option<&'a str>,
    /// The live site folder holds Laravel's `artisan`.
    pub live_laravel: bool,
    /// The database is wanted; where it is not, nobody has to say which dump is the site's.
    pub database: bool,
}

/// What a tool says.
#[derive(Debug, Default)]
pub struct Answered {
    /// Where the entries of each part belong, in the order of the listings.
    pub places: Vec<Places>,
    /// The folder of a part that is the document root, for the configuration in it.
    pub root: Option<(usize, RelPath)>,
    /// What the tree is; left out: the document root.
    pub holds: Option<Holds>,
    /// Parts, by their place in the listings, that are not read.
    pub passed_over: Vec<usize>,
    /// Whether there are files of the site.
    pub files: bool,
    /// Whether there is a dump.
    pub dump: bool,
    /// How much of the database the dump holds.
    pub extent: Extent,
    /// The paths that it holds all of, where what lies elsewhere stays.
    pub parts: Option<Vec<String>>,
    /// Live paths that stay although its folder holds them or does not.
    pub keeps: Vec<String>,
    /// What it cannot bring, as sentences.
    pub lacks: Vec<String>,
    /// The prefix that its tables get.
    pub renaming: Option<Renaming>,
}

/// A program that makes backups.
pub trait Tool: Sync {
    /// Its name in documents and reports.
    fn name(&self) -> &'static str;

    /// Whether these are its backup.
    fn made(&self, listings: &[Listing]) -> bool;

    /// Archives inside the first part whose names have to be read, too, before it can answer.
    ///
    /// # Errors
    /// `backup_layout_unknown` where one of several has to be chosen.
    fn inner(&self, _: &Asked) -> Result<Vec<RelPath>> {
        Ok(Vec::new())
    }

    /// Where what belongs.
    ///
    /// # Errors
    /// `backup_layout_unknown` where one of several has to be chosen, `backup_incomplete`.
    fn answer(&self, asked: &Asked) -> Result<Answered>;
}

/// The list of tools: module and type.
macro_rules! tools {
    ($($module:ident :: $tool:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// Every program that is told by what it writes.
        pub const TOOLS: &[&dyn Tool] = &[$(&$module::$tool),*];
    };
}

tools! {
    updraftplus::UpdraftPlus,
    wpress::AllInOne,
    duplicator::Duplicator,
    hestia::Hestia,
    cpanel::Cpanel,
    cyberpanel::CyberPanel,
    directadmin::DirectAdmin,
    ispconfig::IspConfig,
    aapanel::AaPanel,
    virtualmin::Virtualmin,
    froxlor::Froxlor,
    wordops::WordOps,
    easyengine::EasyEngine,
    backwpup::BackWPup,
    backuply::Backuply,
    wpvivid::WPvivid,
    akeeba::Akeeba,
}

/// The tool that made these, or the one for all others.
pub fn of(listings: &[Listing]) -> &'static dyn Tool {
    TOOLS.iter().copied().find(|tool| tool.made(listings)).unwrap_or(&any::Any)
}

impl Asked<'_> {
    /// The names by which one of several sites is told: the one that was asked for, else that of the live site.
    pub fn sites(&self) -> Vec<&str> {
        match &self.import.site {
            Some(site) => vec![site],
            None => vec![self.site.domain.as_str()],
        }
    }

    /// The folder that was asked for as the document root.
    ///
    /// # Errors
    /// `unsafe_path`; `backup_incomplete` where nothing lies there.
    pub fn told_root(&self, listing: &Listing) -> Result<Option<RelPath>> {
        let Some(root) = &self.import.root else { return Ok(None) };
        let root = RelPath::parse(root.as_bytes())?;
        if listing.has(&root) {
            return Ok(Some(root));
        }
        let tops: Vec<String> = listing
            .inside(&RelPath::default())
            .take(10)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let message = format!("it holds no folder {root}; at its top are {}", crate::text::printable(&tops.join(", ")));
        Err(Error::new(Code::BackupIncomplete, message).with("names", tops))
    }

    /// The dump inside that was asked for.
    ///
    /// # Errors
    /// `unsafe_path`.
    pub fn told_dump(&self) -> Result<Option<RelPath>> {
        match self.import.dump.as_ref().filter(|dump| dump.is_relative()) {
            Some(dump) => RelPath::parse(dump.as_os_str().as_encoded_bytes()).map(Some),
            None => Ok(None),
        }
    }

    /// The dump inside, told or found.
    ///
    /// # Errors
    /// Those of finding it, where the database is wanted.
    pub fn dump(&self, find: impl FnOnce() -> Result<Option<RelPath>>) -> Result<Option<RelPath>> {
        match (self.told_dump()?, self.has_dump_beside()) {
            (Some(told), _) => Ok(Some(told)),
            (None, true) => Ok(None),
            (None, false) => match find() {
                Err(_) if !self.database => Ok(None),
                found => found,
            },
        }
    }

    /// Whether a dump was named that lies elsewhere: then none of the backup's own is looked for.
    pub fn has_dump_beside(&self) -> bool {
        self.import.dump.as_ref().is_some_and(|dump| dump.is_absolute())
    }

    /// How much a panel's own dump holds, which is of a whole database; of a dump that was named nobody knows.
    pub fn extent_of_panel(&self) -> Extent {
        if self.import.dump.is_none() { Extent::Whole } else { Extent::Unknown }
    }

    /// The one of several sites that is meant.
    ///
    /// # Errors
    /// `backup_layout_unknown` listing them.
    pub fn choose<'n>(&self, names: &'n [String]) -> Result<&'n String> {
        if let Some(site) = &self.import.site {
            let named = names.iter().find(|name| name.eq_ignore_ascii_case(site));
            return named
                .ok_or_else(|| question(format!("it holds no site {site:?}, but {}", names.join(", ")), names));
        }
        let own = names.iter().find(|name| name.eq_ignore_ascii_case(self.site.domain.as_str()));
        match (names, own) {
            (_, Some(own)) => Ok(own),
            ([only], _) => Ok(only),
            _ => Err(question(format!("it holds {} sites: {}", names.len(), names.join(", ")), names)),
        }
    }
}

fn question(message: String, names: &[String]) -> Error {
    Error::new(Code::BackupLayoutUnknown, crate::text::printable(&message))
        .hint("Say which one: `--site NAME` (\"site\" in `backup`).")
        .with("sites", names.to_vec())
}

/// The schema that the configuration in a folder names.
pub fn schema_in(listing: &Listing, root: &RelPath) -> Option<String> {
    [&b"wp-config.php"[..], b".env"].into_iter().find_map(|name| {
        let text = listing.texts.get(&root.join(name))?;
        credentials::schema_named(name, &String::from_utf8_lossy(text))
    })
}

/// The renaming of a dump whose prefix is another one than that of the live site, whose configuration stays.
pub fn renaming(was: Option<&str>, live: Option<&str>) -> Option<Renaming> {
    let (was, live) = (was.filter(|was| !was.is_empty())?, live?);
    let renaming = || Renaming { from: Some(was.to_owned()), to: live.to_owned(), ..Renaming::default() };
    (was != live).then(renaming)
}

/// The tar archive of this name without its ending; `None` where there is none.
pub fn archive_of(listing: &Listing, folder: &RelPath, stem: &[u8]) -> Option<RelPath> {
    let is_one = |name: &&[u8]| {
        name.strip_prefix(stem).is_some_and(|end| end == b".tgz" || crate::backup::survey::unpacked(end) == b".tar")
    };
    let path = listing.inside(folder).find(is_one).map(|name| folder.join(name))?;
    // One whose names are in the listing has them below it.
    (listing.names.get(&path) == Some(&false) || listing.inner.contains(&path)).then_some(path)
}

/// The one name at the top, where there is no other.
pub fn only_top(listing: &Listing) -> Option<RelPath> {
    let root = RelPath::default();
    let mut tops = listing.inside(&root);
    match (tops.next(), tops.next()) {
        (Some(only), None) => RelPath::parse(only).ok(),
        _ => None,
    }
}

/// The sentence of a site of which nobody knows the database.
pub const NO_DATABASE: &str = "No database is told by the configuration of the site in it: the live one stays.";

/// The sentence of a set that has the core, too.
pub const IN_PARTS: &str = "It is restored in parts: what the live site has outside of what it holds stays.";

/// The sentence of what a content folder alone does not bring.
pub const NO_CORE: &str = "It holds no core of WordPress and no wp-config.php: those of the live site stay, with all that lies outside of what it holds.";
