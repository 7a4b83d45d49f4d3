//! The forms a backup comes in. Each is one file below; [`LAYOUTS`] is the list of them.
//!
//! A layout answers one question: which folder of the archive is the document root? Everything else is the
//! same in all of them and lives here: a dump is `database.sql`, `database.sql.gz` or the one `.sql` in
//! `database/`; configuration is in `config/`; what describes the backup is `backup.meta` and the like.
//!
//! | layout | told by | document root inside | dump | configuration |
//! |---|---|---|---|---|
//! | [`design`] | `www/` at the top | `www/` | inside | inside |
//! | [`guide`] | `files/` at the top | `files/` | inside | inside |
//! | [`smart_full`] | the site's own path | `var/www/DOMAIN/` | beside | – |
//! | [`domain`] | the file's name | the one top folder | – | – |
//! | [`all_domains`] | the file's name | `DOMAIN/<folder>/` | – | – |
//! | [`snapshot`] | role of the file | the one top folder | beside | beside |
//!
//! Recognising needs no second pass: names whose place is the same in every layout are placed at once, and the
//! first entry that only one layout can hold settles which one it is.

pub mod all_domains;
pub mod design;
pub mod domain;
pub mod guide;
pub mod smart_full;
pub mod snapshot;

use crate::backup::name::{BackupName, Family};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::{Domain, RelPath};
pub use crate::siteconf::Item as ConfigItem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where an entry of a backup belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the document root, at this path; the empty path is the document root itself.
    Site(RelPath),
    /// The database.
    Dump {
        /// Compressed inside the archive.
        gzip: bool,
    },
    /// A configuration file: its kind, and its name without folders.
    Config(ConfigItem, String),
    /// Describes the backup.
    Meta,
    /// Nothing that is restored.
    Other,
}

/// What a layout needs to know about the site.
#[derive(Debug, Clone)]
pub struct Site {
    /// The domain that is restored.
    pub domain: Domain,
    /// `config.paths.web_root/DOMAIN` without the leading slash.
    pub document_root: RelPath,
}

impl Site {
    /// The site of a domain under this configuration.
    pub fn new(config: &Config, domain: &Domain) -> Site {
        let root = config.paths.document_root(domain);
        let bytes = std::os::unix::ffi::OsStrExt::as_bytes(root.as_os_str());
        let trimmed = bytes.iter().position(|byte| *byte != b'/').map_or(&[][..], |at| &bytes[at..]);
        Site { domain: domain.clone(), document_root: RelPath::parse(trimmed).unwrap_or_default() }
    }
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

    /// Whether dump and configuration lie in the same archive.
    fn whole(&self) -> bool {
        true
    }
}

/// Every layout of a backup archive, those told by their name first.
pub const LAYOUTS: &[&dyn Layout] =
    &[&all_domains::AllDomains, &domain::OneDomain, &smart_full::SmartFull, &design::Design, &guide::Guide];

/// What the entries seen so far were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Entries of the document root, without the root itself.
    pub site: u64,
    /// Path of the dump inside the archive.
    pub dump: Option<String>,
    /// Kinds of configuration.
    pub config: BTreeSet<ConfigItem>,
    /// A description of the backup.
    pub meta: bool,
    /// The document root's folder was seen, even if empty.
    pub root: bool,
    /// Top-level names that belong to nothing, at most [`MAX_OTHERS`].
    pub others: BTreeSet<String>,
}

/// How many names of unknown entries are remembered for the error's context.
pub const MAX_OTHERS: usize = 32;

/// Places the entries of one archive as they stream by.
pub struct Sorter {
    site: Site,
    candidates: Vec<&'static dyn Layout>,
    settled: Option<(&'static dyn Layout, RelPath)>,
    config_only: bool,
    seen: Seen,
}

impl Sorter {
    /// For a backup archive of this file name.
    pub fn archive(file_name: &str, site: Site) -> Sorter {
        let name = BackupName::parse(file_name).unwrap_or(BackupName { family: Family::Foreign, stamp: None });
        let by_name = LAYOUTS.iter().copied().find(|layout| layout.named(&name));
        let candidates = match by_name {
            Some(layout) => vec![layout],
            // A name that says nothing: only forms told by their content.
            None => LAYOUTS.iter().copied().filter(|layout| layout.whole()).collect(),
        };
        Sorter { site, candidates, settled: None, config_only: false, seen: Seen::default() }
    }

    /// For a snapshot's `files.tar.gz`.
    pub fn snapshot_files(site: Site) -> Sorter {
        let candidates: Vec<&'static dyn Layout> = vec![&snapshot::SnapshotFiles];
        Sorter { site, candidates, settled: None, config_only: false, seen: Seen::default() }
    }

    /// For a snapshot's `config.tar.gz`, whose names may lack the `config/` folder.
    pub fn snapshot_config(site: Site) -> Sorter {
        Sorter { site, candidates: Vec::new(), settled: None, config_only: true, seen: Seen::default() }
    }

    /// Where the entry belongs.
    ///
    /// # Errors
    /// `backup_corrupt` for a second dump: which one is the site's could only be guessed.
    pub fn place(&mut self, path: &RelPath) -> Result<Place> {
        let place = self.find(path);
        match &place {
            Place::Site(inner) if inner.is_root() => self.seen.root = true,
            Place::Site(_) => {
                self.seen.root = true;
                self.seen.site += 1;
            }
            Place::Dump { .. } => self.note_dump(path)?,
            Place::Config(item, _) => {
                self.seen.config.insert(*item);
            }
            Place::Meta => self.seen.meta = true,
            Place::Other => self.note_other(path),
        }
        Ok(place)
    }

    fn find(&mut self, path: &RelPath) -> Place {
        if self.config_only {
            let names: Vec<&[u8]> = path.names().collect();
            let inner = if names.first() == Some(&&b"config"[..]) { &names[1..] } else { &names[..] };
            return config_place(inner).unwrap_or(Place::Other);
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
        if self.candidates.iter().any(|layout| layout.whole()) {
            return common_place(path);
        }
        Place::Other
    }

    fn note_dump(&mut self, path: &RelPath) -> Result<()> {
        let name = path.to_string();
        match &self.seen.dump {
            Some(first) if *first != name => {
                Err(Error::new(Code::BackupCorrupt, format!("the backup holds two databases, {first} and {name}"))
                    .hint(
                        "Take the database that is not the site's out of the backup, or restore without the database.",
                    )
                    .with("dumps", vec![first.clone(), name]))
            }
            _ => {
                self.seen.dump = Some(name);
                Ok(())
            }
        }
    }

    fn note_other(&mut self, path: &RelPath) {
        let known_parent = self.site.document_root.strip_prefix(path).is_some()
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
        self.settled.as_ref().map(|(layout, _)| layout.name())
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
        if seen.root || seen.dump.is_some() || !seen.config.is_empty() || self.config_only {
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

/// Dump, configuration and description have the same names in every layout that has them.
fn common_place(path: &RelPath) -> Place {
    let names: Vec<&[u8]> = path.names().collect();
    match names.as_slice() {
        [b"backup.meta" | b"metadata.txt" | b"manifest.json" | b"metadata.json"] => Place::Meta,
        [b"config", inner @ ..] => config_place(inner).unwrap_or(Place::Other),
        [b"database", file] | [file] => dump_place(file, names.len() == 2).unwrap_or(Place::Other),
        _ => Place::Other,
    }
}

fn dump_place(file: &[u8], in_folder: bool) -> Option<Place> {
    let (stem, gzip) = if let Some(stem) = file.strip_suffix(b".sql.gz") {
        (stem, true)
    } else {
        (file.strip_suffix(b".sql")?, false)
    };
    (in_folder || stem == b"database" || stem.starts_with(b"database_")).then_some(Place::Dump { gzip })
}

/// The place of a file below `config/`.
pub(crate) fn config_place(names: &[&[u8]]) -> Option<Place> {
    let item = match names {
        [b"nginx.conf"] | [b"nginx" | b"nginx.d", _] => ConfigItem::Nginx,
        [b"php-fpm.conf" | b"php_fpm.conf" | b"php-fpm-pool.conf"] | [b"php-fpm" | b"php_fpm", _] => ConfigItem::PhpFpm,
        [b"ssl", file] | [b"ssl", _, file] if file.ends_with(b".pem") => ConfigItem::Ssl,
        [b"cron" | b"crontab"] | [b"cron" | b"cron.d", _] => ConfigItem::Cron,
        [file] if file.starts_with(b"cron.") || file.starts_with(b"crontab.") => ConfigItem::Cron,
        _ => return None,
    };
    let name = std::str::from_utf8(names.last()?).ok()?;
    Some(Place::Config(item, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site::new(&Config::default(), &Domain::parse("example.com").unwrap())
    }

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).unwrap()
    }

    fn place_all(file: &str, paths: &[&str]) -> (Sorter, Vec<Place>) {
        let mut sorter = Sorter::archive(file, site());
        let places = paths.iter().map(|text| sorter.place(&path(text)).unwrap()).collect();
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
        assert_eq!(places[1], Place::Dump { gzip: false });
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
        assert_eq!(places[2], Place::Dump { gzip: true });
        assert_eq!(places[3], Place::Config(ConfigItem::Cron, "cron".into()));
        assert_eq!(places[4], Place::Config(ConfigItem::PhpFpm, "php-fpm.conf".into()));
    }

    #[test]
    fn a_web_root_of_its_own_is_recognised_too() {
        let config = Config::parse("[paths]\nweb_root = \"/srv/sites\"").unwrap();
        let site = Site::new(&config, &Domain::parse("example.com").unwrap());
        let mut sorter = Sorter::archive(OWN, site);
        assert_eq!(sorter.place(&path("srv/sites/example.com/x")).unwrap(), Place::Site(path("x")));
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
    fn two_dumps_are_refused_because_one_would_be_a_guess() {
        let mut sorter = Sorter::archive(OWN, site());
        sorter.place(&path("database.sql")).unwrap();
        let error = sorter.place(&path("database/other.sql")).unwrap_err();
        assert_eq!(error.code, Code::BackupCorrupt);
        assert!(error.message.contains("database/other.sql"));
    }

    #[test]
    fn snapshots_have_files_and_configuration_in_archives_of_their_own() {
        let mut files = Sorter::snapshot_files(site());
        assert_eq!(files.place(&path("example.com/index.php")).unwrap(), Place::Site(path("index.php")));
        assert_eq!(files.place(&path("database.sql")).unwrap(), Place::Other);
        let mut config = Sorter::snapshot_config(site());
        for name in ["nginx.conf", "config/nginx.conf"] {
            assert_eq!(config.place(&path(name)).unwrap(), Place::Config(ConfigItem::Nginx, "nginx.conf".into()));
        }
        assert_eq!(config.place(&path("www/x")).unwrap(), Place::Other);
    }
}
