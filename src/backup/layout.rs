//! The forms a backup comes in. Each is one file below; [`LAYOUTS`] is the list of them.
//!
//! A layout answers two questions: which folder of the archive is the site's tree, and whether that is the document root or the
//! site folder around it ([`Holds`])? Everything else has an answer that
//! fits all of today's, in the trait and in `common`: a dump is `database.sql`, `database.sql.gz` or the one `.sql` in
//! `database/`; configuration is in `config/`; what describes the backup is `backup.meta` and the like. Another panel's
//! layout is one more file here and one more line in the list at [`LAYOUTS`]; it may answer every question its own way.
//!
//! | layout | told by | document root inside | dump | configuration |
//! |---|---|---|---|---|
//! | [`design`] | `www/` at the top | `www/` | inside | inside |
//! | [`guide`] | `files/` at the top | `files/` | inside | inside |
//! | [`smart`] | the site folder's own path | `var/www/DOMAIN/` is the site folder | beside | – |
//! | [`rooted`] | the document root's own path, first of all | `var/www/DOMAIN/public_html/` | beside | – |
//! | [`domain`] | the file's name | the one top folder | – | – |
//! | [`all_domains`] | the file's name | `DOMAIN/<folder>/` | – | – |
//! | [`snapshot`] | role of the file | the one top folder | beside | beside |
//!
//! Recognising needs no second pass: names whose place is the same in every layout are placed at once, and the
//! first entry that only one layout can hold settles which one it is.

mod common;
pub mod places;
pub mod snapshot;

use crate::archive::EntryKind;
use crate::backup::name::{BackupName, Family};
use crate::error::{Code, Error, Result};
use crate::host::site::Site;
use crate::path::RelPath;
pub use crate::siteconf::Item as ConfigItem;
use crate::text::printable;
use places::Places;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// Where an entry of a backup belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the document root, at this path; the empty path is the document root itself.
    Site(RelPath),
    /// The database, plain or compressed: its first bytes say which.
    Dump,
    /// A configuration file: its kind, and its name without folders.
    Config(ConfigItem, String),
    /// Describes the backup.
    Meta,
    /// Nothing that is restored.
    Other,
}

/// What the tree of a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The site folder, with the document root somewhere in it.
    SiteFolder,
    /// The document root.
    DocumentRoot,
}

/// An absolute path as an archive made from `/` has it.
fn below_slash(path: &Path) -> RelPath {
    let inner = path.strip_prefix("/").unwrap_or(path);
    RelPath::parse(inner.as_os_str().as_bytes()).unwrap_or_default()
}

/// One form of a backup.
pub trait Layout: Sync {
    /// Name in documents and reports.
    fn name(&self) -> &'static str;

    /// Whether the file's name alone settles it.
    fn named(&self, _: &BackupName) -> bool {
        false
    }

    /// The folder that is the document root, if this entry's path tells.
    fn root(&self, path: &RelPath, site: &Site) -> Option<RelPath>;

    /// What that folder is, where the layout alone tells.
    fn holds(&self) -> Option<Holds> {
        None
    }

    /// Whether dump and configuration lie in the same archive.
    fn whole(&self) -> bool {
        true
    }

    /// Where an entry outside the document root belongs; asked of layouts that are [`Layout::whole`].
    fn place(&self, path: &RelPath) -> Option<Place> {
        common::place(path)
    }

    /// Whether the dump lies beside the archive, as `database_STAMP.sql.gz`.
    fn dump_beside(&self) -> bool {
        false
    }

    /// What its writer leaves out wherever it is, so that a backup without it does not say that there was none: names of folders,
    /// ends of their paths (`storage/logs`), endings of files (`*.log`).
    fn left_out(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether its writer dumps every table: then one that the dump lacks did not exist.
    fn dumps_every_table(&self) -> bool {
        true
    }
}

/// The list of layouts: module and type, those told by their name first.
macro_rules! layouts {
    ($($module:ident :: $layout:ident),+ $(,)?) => {
        $(pub mod $module;)+

        /// Every layout of a backup archive, those told by their name first.
        pub const LAYOUTS: &[&dyn Layout] = &[$(&$module::$layout),+];
    };
}

layouts! {
    all_domains::AllDomains,
    domain::OneDomain,
    rooted::Rooted,
    smart::Smart,
    design::Design,
    guide::Guide,
}

/// The layout of a name in documents.
pub fn named(name: &str) -> Option<&'static dyn Layout> {
    LAYOUTS.iter().copied().find(|layout| layout.name() == name)
}

/// What the entries seen so far were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Entries of the document root, without the root itself.
    pub site: u64,
    /// Path of the dump inside the archive.
    pub dump: Option<String>,
    /// A second dump: which one is the site's could only be guessed, so neither is restored.
    #[serde(default)]
    pub second_dump: Option<String>,
    /// Kinds of configuration.
    pub config: BTreeSet<ConfigItem>,
    /// What stands in a configuration file's place and is none, as sentences, at most [`MAX_OTHERS`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub config_links: BTreeSet<(ConfigItem, String)>,
    /// A description of the backup.
    pub meta: bool,
    /// The folder of the tree was seen, even if empty.
    pub root: bool,
    /// The document root was seen in it, by where the live site has it.
    #[serde(default)]
    pub document_root: bool,
    /// Top-level names that belong to nothing, at most [`MAX_OTHERS`].
    pub others: BTreeSet<String>,
}

impl Seen {
    /// Adds what another archive of the same backup held.
    pub fn merge(&mut self, other: Seen) {
        self.site += other.site;
        self.root |= other.root;
        self.document_root |= other.document_root;
        self.meta |= other.meta;
        self.dump = self.dump.take().or(other.dump);
        self.second_dump = self.second_dump.take().or(other.second_dump);
        self.config.extend(other.config);
        self.config_links.extend(other.config_links);
        self.others.extend(other.others);
    }

    /// Notes an entry that stands where a configuration file is looked for: certbot's links come without their files.
    pub fn note_config_link(&mut self, item: ConfigItem, path: &RelPath, kind: &EntryKind) {
        if let EntryKind::Symlink(to) = kind
            && self.config_links.len() < MAX_OTHERS
        {
            let (path, to) = (printable(&path.to_string()), printable(&String::from_utf8_lossy(to)));
            self.config_links.insert((item, format!("{path} is a link to {to}, and not the file")));
        }
    }

    /// Whether the database of the backup is known; asked where it is to be restored.
    ///
    /// # Errors
    /// `backup_corrupt` naming both dumps when there are two.
    pub fn one_dump(&self) -> Result<()> {
        let (Some(first), Some(second)) = (&self.dump, &self.second_dump) else { return Ok(()) };
        Err(Error::new(Code::BackupCorrupt, format!("the backup holds two databases, {first} and {second}"))
            .hint("Take the database that is not the site's out of the backup, or restore without the database.")
            .with("dumps", vec![first.clone(), second.clone()]))
    }
}

/// How many names of unknown entries are remembered for the error's context.
pub const MAX_OTHERS: usize = 32;

/// Places the entries of one archive as they stream by.
pub struct Sorter {
    site: Site,
    root_in_folder: RelPath,
    candidates: Vec<&'static dyn Layout>,
    settled: Option<(&'static dyn Layout, RelPath)>,
    config_only: bool,
    /// Of another program's backup: where what belongs.
    places: Option<Arc<Places>>,
    seen: Seen,
}

impl Sorter {
    fn new(site: Site, candidates: Vec<&'static dyn Layout>, config_only: bool) -> Sorter {
        let root_in_folder = site.root_in_folder();
        let (settled, places, seen) = (None, None, Seen::default());
        Sorter { site, root_in_folder, candidates, settled, config_only, places, seen }
    }

    /// For a part of another program's backup.
    pub fn placed(places: Arc<Places>, site: Site) -> Sorter {
        Sorter { places: Some(places), ..Sorter::new(site, Vec::new(), false) }
    }

    /// Whether this entry is an archive whose entries are sorted as if they lay in a folder of its name.
    pub fn goes_into(&self, path: &RelPath) -> bool {
        self.places.as_ref().is_some_and(|places| places.goes_into(path))
    }

    /// The entries in which the dump of this path goes on.
    pub fn goes_on_in(&self, path: &RelPath) -> &[RelPath] {
        self.places.as_ref().map_or(&[], |places| places.goes_on_in(path))
    }

    /// A path of the archive as the site's tree has it; `None` where it lies elsewhere.
    pub fn in_site(&self, path: &RelPath) -> Option<RelPath> {
        match &self.places {
            Some(places) => match places.place(path) {
                Place::Site(inner) => Some(inner),
                _ => None,
            },
            None => path.strip_prefix(self.root()?),
        }
    }

    /// For a backup archive of this file name.
    pub fn archive(file_name: &str, site: Site) -> Sorter {
        let name = BackupName::parse(file_name).unwrap_or(BackupName { family: Family::Foreign, stamp: None });
        let by_name = LAYOUTS.iter().copied().find(|layout| layout.named(&name));
        let candidates = match by_name {
            Some(layout) => vec![layout],
            // A name that says nothing: only forms told by their content.
            None => LAYOUTS.iter().copied().filter(|layout| layout.whole()).collect(),
        };
        Sorter::new(site, candidates, false)
    }

    /// For a snapshot's `files.tar.gz`.
    pub fn snapshot_files(site: Site) -> Sorter {
        let candidates: Vec<&'static dyn Layout> = vec![&snapshot::SnapshotFiles];
        Sorter::new(site, candidates, false)
    }

    /// For a snapshot's `config.tar.gz`, whose names may lack the `config/` folder.
    pub fn snapshot_config(site: Site) -> Sorter {
        Sorter::new(site, Vec::new(), true)
    }

    /// Where the entry belongs.
    pub fn place(&mut self, path: &RelPath) -> Place {
        let place = match self.find(path) {
            Place::Dump if self.is_second_dump(path) => Place::Other,
            place => place,
        };
        if let Place::Site(inner) = &place {
            self.seen.document_root |= inner.strip_prefix(&self.root_in_folder).is_some();
        }
        match &place {
            Place::Site(inner) if inner.is_root() => self.seen.root = true,
            Place::Site(_) => {
                self.seen.root = true;
                self.seen.site += 1;
            }
            Place::Dump => self.seen.dump = Some(path.to_string()),
            Place::Config(item, _) => {
                self.seen.config.insert(*item);
            }
            Place::Meta => self.seen.meta = true,
            Place::Other => self.note_other(path),
        }
        place
    }

    fn find(&mut self, path: &RelPath) -> Place {
        if let Some(places) = &self.places {
            return places.place(path);
        }
        if self.config_only {
            let names: Vec<&[u8]> = path.names().collect();
            let inner = if names.first() == Some(&&b"config"[..]) { &names[1..] } else { &names[..] };
            return common::config(inner).unwrap_or(Place::Other);
        }
        if self.settled.is_none() {
            let site = &self.site;
            self.settled =
                self.candidates.iter().find_map(|layout| layout.root(path, site).map(|root| (*layout, root)));
        }
        if let Some((_, root)) = &self.settled
            && let Some(inner) = path.strip_prefix(root)
        {
            return Place::Site(inner);
        }
        let settled = self.settled.as_ref().map(|(layout, _)| *layout);
        let asked = settled.as_slice().iter().chain(if settled.is_none() { self.candidates.as_slice() } else { &[] });
        asked.filter(|layout| layout.whole()).find_map(|layout| layout.place(path)).unwrap_or(Place::Other)
    }

    fn is_second_dump(&mut self, path: &RelPath) -> bool {
        let name = path.to_string();
        let second = self.seen.dump.as_ref().is_some_and(|first| *first != name);
        if second {
            self.seen.second_dump.get_or_insert(name);
        }
        second
    }

    fn note_other(&mut self, path: &RelPath) {
        let known_parent = below_slash(&self.site.folder).strip_prefix(path).is_some()
            || below_slash(&self.site.usual).strip_prefix(path).is_some()
            || RelPath::parse(b"var/www").is_ok_and(|www| www.strip_prefix(path).is_some())
            || matches!(path.as_bytes(), b"config" | b"database" | b"config/ssl");
        if path.is_root() || known_parent || self.seen.others.len() >= MAX_OTHERS {
            return;
        }
        let names: Vec<&[u8]> = path.names().collect();
        // In a tree of system folders the top says nothing; two more names do.
        let shown = if names[0] == b"var" { &names[..names.len().min(3)] } else { &names[..1] };
        self.seen.others.insert(String::from_utf8_lossy(&shown.join(&b'/')).into_owned());
    }

    /// The layout, as soon as an entry settled it.
    pub fn layout(&self) -> Option<&'static str> {
        let tool = self.places.as_ref().map(|places| places.tool);
        tool.or_else(|| self.settled.as_ref().map(|(layout, _)| layout.name()))
    }

    /// The folder of the archive that is the document root, once settled.
    pub fn root(&self) -> Option<&RelPath> {
        self.settled.as_ref().map(|(_, root)| root)
    }

    /// What was seen so far.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// After the last entry: what the archive held.
    ///
    /// # Errors
    /// `backup_layout_unknown` with the names found, when nothing in it belongs to a site.
    pub fn finish(self) -> Result<Seen> {
        let seen = self.seen;
        if self.places.is_some() || seen.root || seen.dump.is_some() || !seen.config.is_empty() || self.config_only {
            return Ok(seen);
        }
        let found: Vec<String> = seen.others.iter().cloned().collect();
        let shown = if found.is_empty() { "it is empty".to_owned() } else { format!("found {}", found.join(", ")) };
        Err(Error::new(
            Code::BackupLayoutUnknown,
            format!("the archive is no backup of {} in any known layout: {shown}", self.site.domain),
        )
        .with("names", found)
        .with("layouts", LAYOUTS.iter().map(|layout| layout.name()).collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::path::Domain;

    fn site() -> Site {
        Site::find(&Config::default(), &Domain::parse("example.com").unwrap()).unwrap()
    }

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).unwrap()
    }

    fn place_all(file: &str, paths: &[&str]) -> (Sorter, Vec<Place>) {
        let mut sorter = Sorter::archive(file, site());
        let places = paths.iter().map(|text| sorter.place(&path(text))).collect();
        (sorter, places)
    }

    const OWN: &str = "backup_20251004_030000.tar.gz";

    #[test]
    fn each_layout_finds_its_document_root() {
        for (file, entry, layout, inner) in [
            (OWN, "./www/index.php", "design", "index.php"),
            (OWN, "files/index.php", "guide", "index.php"),
            (OWN, "var/www/example.com/a/b", "smart_full", "a/b"),
            ("domain_example.com_20251004_030000.tar.gz", "public_html/x.php", "domain", "x.php"),
            ("domain_example.com_20251004_030000.tar.gz", "www/x.php", "domain", "x.php"),
            ("all_domains_20251004_030000.tar.gz", "./example.com/html/x.php", "all_domains", "x.php"),
        ] {
            let (sorter, places) = place_all(file, &[entry]);
            assert_eq!(places, [Place::Site(path(inner))], "{entry}");
            assert_eq!(sorter.layout(), Some(layout), "{entry}");
            assert_eq!(sorter.finish().unwrap().site, 1);
        }
    }

    #[test]
    fn dump_and_configuration_are_placed_before_the_layout_is_known() {
        let (sorter, places) = place_all(
            OWN,
            &[
                "./",
                "./database.sql",
                "./config/",
                "./config/nginx.conf",
                "config/ssl/example.com/privkey.pem",
                "./www/",
                "www/a",
            ],
        );
        assert_eq!(places[1], Place::Dump);
        assert_eq!(places[3], Place::Config(ConfigItem::Nginx, "nginx.conf".into()));
        assert_eq!(places[4], Place::Config(ConfigItem::Ssl, "privkey.pem".into()));
        assert_eq!(places[5], Place::Site(RelPath::default()));
        let seen = sorter.finish().unwrap();
        assert_eq!((seen.site, seen.root, seen.others.len()), (1, true, 0));
        assert_eq!(seen.config.len(), 2);
    }

    #[test]
    fn the_guide_form_has_its_dump_in_a_folder_and_a_description() {
        let (_, places) = place_all(
            OWN,
            &["backup.meta", "database/", "database/database.sql.gz", "config/cron", "config/php-fpm.conf", "files/x"],
        );
        assert_eq!(places[0], Place::Meta);
        assert_eq!(places[2], Place::Dump);
        assert_eq!(places[3], Place::Config(ConfigItem::Cron, "cron".into()));
        assert_eq!(places[4], Place::Config(ConfigItem::PhpFpm, "php-fpm.conf".into()));
    }

    #[test]
    fn a_web_root_of_its_own_is_recognised_too() {
        let config = Config::parse("[paths]\nweb_root = \"/srv/sites\"").unwrap();
        let site = Site::find(&config, &Domain::parse("example.com").unwrap()).unwrap();
        let mut sorter = Sorter::archive(OWN, site);
        assert_eq!(sorter.place(&path("srv/sites/example.com/x")), Place::Site(path("x")));
    }

    #[test]
    fn a_site_file_named_like_a_dump_stays_a_site_file() {
        let (sorter, places) = place_all(OWN, &["www/database.sql", "www/config/nginx.conf"]);
        assert_eq!(places[0], Place::Site(path("database.sql")));
        assert_eq!(places[1], Place::Site(path("config/nginx.conf")));
        assert_eq!(sorter.seen().dump, None);
        // and nothing but the site is in archives of files alone
        let (_, places) = place_all("domain_example.com_20251004_030000.tar.gz", &["html/", "database.sql"]);
        assert_eq!(places[1], Place::Other);
    }

    #[test]
    fn another_domains_files_are_not_this_sites() {
        let (sorter, places) = place_all(OWN, &["var/", "var/www/", "var/www/other.com/", "var/www/other.com/x"]);
        assert!(places.iter().all(|place| *place == Place::Other));
        let error = sorter.finish().unwrap_err();
        assert_eq!(error.code, Code::BackupLayoutUnknown);
        assert_eq!(error.context["names"][0], "var/www/other.com");
        let (_, places) =
            place_all("all_domains_20251004_030000.tar.gz", &["other.com/html/x", "example.com.evil/html/x"]);
        assert!(places.iter().all(|place| *place == Place::Other));
    }

    #[test]
    fn an_archive_of_something_else_is_named_so_with_what_was_found() {
        let (sorter, _) = place_all(OWN, &["photos/a.jpg", "photos/b.jpg", "notes.txt"]);
        let error = sorter.finish().unwrap_err();
        assert_eq!(error.code, Code::BackupLayoutUnknown);
        assert_eq!(error.context["names"], serde_json::json!(["notes.txt", "photos"]));
        let (sorter, _) = place_all(OWN, &[]);
        assert!(sorter.finish().unwrap_err().message.contains("empty"));
    }

    #[test]
    fn a_backup_without_files_is_a_backup_that_says_so() {
        let (sorter, _) = place_all(OWN, &["database.sql", "config/nginx.conf"]);
        let seen = sorter.finish().unwrap();
        assert!(!seen.root && seen.dump.is_some());
    }

    #[test]
    fn two_dumps_are_refused_where_the_database_is_wanted_because_one_would_be_a_guess() {
        let (sorter, places) = place_all(OWN, &["www/a", "database.sql", "database/other.sql"]);
        assert_eq!(places[2], Place::Other);
        let error = sorter.finish().unwrap().one_dump().unwrap_err();
        assert_eq!(error.code, Code::BackupCorrupt);
        assert!(error.message.contains("database.sql") && error.message.contains("database/other.sql"));
    }

    #[test]
    fn another_panels_layout_is_one_type_that_answers_every_question_its_own_way() {
        struct Panel;
        impl Layout for Panel {
            fn name(&self) -> &'static str {
                "panel"
            }
            fn root(&self, path: &RelPath, _: &Site) -> Option<RelPath> {
                let root = RelPath::parse(b"homedir/public_html").ok()?;
                path.strip_prefix(&root).map(|_| root)
            }
            fn place(&self, path: &RelPath) -> Option<Place> {
                let names: Vec<&[u8]> = path.names().collect();
                matches!(names.as_slice(), [b"mysql", _]).then_some(Place::Dump)
            }
        }
        let mut sorter = Sorter { candidates: vec![&Panel], ..Sorter::archive(OWN, site()) };
        assert_eq!(sorter.place(&path("mysql/shop.sql")), Place::Dump);
        assert_eq!(sorter.place(&path("homedir/public_html/x.php")), Place::Site(path("x.php")));
        assert_eq!(sorter.place(&path("homedir/mail/inbox")), Place::Other);
        assert_eq!(sorter.layout(), Some("panel"));
    }

    #[test]
    fn snapshots_have_files_and_configuration_in_archives_of_their_own() {
        let mut files = Sorter::snapshot_files(site());
        assert_eq!(files.place(&path("example.com/index.php")), Place::Site(path("index.php")));
        assert_eq!(files.place(&path("database.sql")), Place::Other);
        let mut config = Sorter::snapshot_config(site());
        for name in ["nginx.conf", "config/nginx.conf"] {
            assert_eq!(config.place(&path(name)), Place::Config(ConfigItem::Nginx, "nginx.conf".into()));
        }
        assert_eq!(config.place(&path("www/x")), Place::Other);
    }
}
