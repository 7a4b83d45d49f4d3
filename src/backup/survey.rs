//! The names in another program's backup, read once before anything is decided: folders that look like a site, dumps, and the small files
//! by which programs tell what is what. Memory is bounded, whatever the archive.

use crate::archive::{self, Entry, EntryKind, Limits, Spent};
use crate::backup::backup_folders;
use crate::backup::layout::places::Places;
use crate::backup::read::{Purpose, Walk};
use crate::backup::source::{Part, Source};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::progress::Silent;
use crate::sql::prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Names to this depth are remembered, counted from the folder that all files lie in: an archive of absolute paths has some in front.
const DEPTH: usize = 4;
/// Most names, marks and dumps that are remembered.
const MOST: usize = 50_000;
/// Most folders, and files whose folder is a backup's or a site's own: of these every one counts.
const MOST_PARTS: usize = 200_000;
/// Most folders of plugins' backups.
const MOST_BACKUPS: usize = 1_000;
/// As much of an `index.php` is read for what it calls.
const MAX_FRONT: u64 = 8 << 10;
/// Largest small file that is read, most of them, and their bytes together.
const MAX_TEXT: u64 = 256 << 10;
/// Most dumps whose databases are remembered.
const MAX_NAMING: usize = 100;
/// As much of the dumps in one part is looked through for databases.
const MAX_LOOKED: u64 = 1 << 30;
/// So many folders below the one that all lies in are near the top.
const NEAR: usize = 2;
/// Most archives near the top, and dumps that are not read.
const MOST_ARCHIVES: usize = 100;
/// Most files whose beginning is read to find a dump.
const MOST_LOOKED: usize = 100;
/// What the first lines of a dump have.
const WRITERS: [&[u8]; 8] = [
    b"-- MySQL dump",
    b"-- MariaDB dump",
    b"-- phpMyAdmin SQL Dump",
    b"-- Adminer ",
    b"HeidiSQL",
    b"Sequel Ace SQL dump",
    b"mysqldump-php",
    b"\nDROP TABLE IF EXISTS `",
];
/// The dump in a backup of Webinoly.
const OF_WEBINOLY: &[u8] = b"webinoly_backup_db";
/// The folder in which Finder of macOS keeps attributes.
pub const ASIDE: &[u8] = b"__MACOSX";
const MAX_TEXTS: usize = 512;
const MAX_TEXT_BYTES: usize = 8 << 20;
/// Configurations of sites, wherever they lie.
const CONFIGURATIONS: &[&[u8]] = &[b"wp-config.php", b".env"];
/// Small files at the top by which programs tell what is what. Deeper ones of these names are an application's, and many.
const TEXTS: &[&[u8]] = &[b"package.json", b"meta.xml", b"wpvivid_package_info.json"];

/// What a WordPress site has at its top that is neither core nor content.
pub const BESIDE_CONTENT: [&[u8]; 7] =
    [b"wp-config.php", b".htaccess", b".user.ini", b".well-known", b"robots.txt", b"favicon.ico", b"ads.txt"];

/// Small files that a program puts at one path.
const TEXTS_AT: &[&[u8]] = &[b"installation/sql/databases.json"];

/// What a folder is, by a file in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// An application.
    Application,
    /// The configuration of a WordPress site, whose core may not be there.
    Configuration,
    /// The content of a WordPress site, whose core may not be there.
    Content,
    /// A page.
    Page,
}

/// The names of one part.
#[derive(Debug, Default)]
pub struct Listing {
    /// The name of its file.
    pub file: String,
    /// Paths to a depth of four names below the folder that all lies in; whether each is a folder.
    pub names: BTreeMap<RelPath, bool>,
    /// The folder that all files lie in; `None`: no file was seen yet.
    pub(super) trunk: Option<RelPath>,
    /// Archives inside, whose names are counted from them on.
    pub(super) inner: Vec<RelPath>,
    /// Folders with what tells them.
    pub marks: BTreeSet<(RelPath, Mark)>,
    /// Folders with the core of WordPress, `wp-includes`, however deep.
    pub cores: BTreeSet<RelPath>,
    /// Folders with what calls that core: `wp-load.php`, `wp-settings.php`, WordPress's own `index.php`.
    pub starts: BTreeSet<RelPath>,
    /// Folders of plugins with backups in them, however deep.
    pub backups: BTreeSet<RelPath>,
    /// Files that are dumps by their names.
    pub dumps: Vec<RelPath>,
    /// Files near the top that are dumps by what is in them, and not by their names.
    pub untold: Vec<RelPath>,
    pub(super) looked: usize,
    /// Files near the top that are dumps by their names, packed or encrypted in a way that is not read.
    pub unread: Vec<RelPath>,
    /// Archives near the top that are no dumps by their names.
    pub archives: Vec<RelPath>,
    /// Small files.
    pub texts: BTreeMap<RelPath, Vec<u8>>,
    /// What reading it uses of the limits.
    pub spent: Spent,
    /// Whether the part is a dump by itself.
    pub is_dump: bool,
    /// The first lines of such a dump.
    pub head: String,
    /// The databases that its dumps name, by their paths; that of a part that is a dump by itself is empty.
    pub databases: BTreeMap<RelPath, Vec<String>>,
    /// As much of its dumps may still be looked through for these.
    pub(super) left: u64,
    /// Some were not looked through to their end.
    pub is_cut: bool,
}

/// As much of a dump is read for what its writer says of it.
pub(super) const HEAD: usize = 8 << 10;

/// What is seen of a dump before anything is decided.
pub(super) struct Head {
    /// Its first lines.
    pub text: Vec<u8>,
    /// The databases that it names, where these lines name one.
    pub databases: Vec<String>,
    /// Bytes that were read.
    looked: u64,
    /// It goes on behind what may be looked through.
    is_cut: bool,
}

/// Looks through the first `most` bytes of a dump; through no more than its first lines where these name no database.
///
/// # Errors
/// Those of reading it.
pub(super) fn dump_head(text: impl Read, most: u64) -> Result<Head> {
    let mut head = Vec::with_capacity(HEAD);
    let mut text = text.take(most);
    text.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(archive::unwrap_io)?;
    let named = prefix::databases(head.as_slice()).map_err(archive::unwrap_io)?;
    let databases = match named.is_empty() {
        true => named,
        false => prefix::databases(head.as_slice().chain(text.by_ref())).map_err(archive::unwrap_io)?,
    };
    Ok(Head { text: head, databases, looked: most - text.limit(), is_cut: text.limit() == 0 })
}

impl Listing {
    /// Reads the names of a part; those in the archives at `inner`, too.
    ///
    /// # Errors
    /// What reading it meets.
    pub fn of(source: &Source, part: &Part, inner: &[RelPath], limits: Limits) -> Result<Listing> {
        let file = part.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let left = MAX_LOOKED.min(limits.bytes);
        let mut listing = Listing { file, inner: inner.to_vec(), left, ..Listing::default() };
        let places = inner.iter().fold(Places::default(), |places, path| places.and_inside(path));
        let walk = Walk::new(source, limits, &Silent, Purpose::Names);
        walk.over(&part.clone().placed(Arc::new(places)), |_, path, entry, _, data| {
            listing.note(path, &entry, data)?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(listing)
    }

    fn note(&mut self, path: &RelPath, entry: &Entry, data: &mut dyn Read) -> Result<()> {
        self.spent.entries += 1;
        self.spent.bytes = self.spent.bytes.saturating_add(entry.size);
        if path.is_root() || path.names().next() == Some(ASIDE) {
            return Ok(());
        }
        let is_folder = entry.kind == EntryKind::Folder;
        let depth = path.names().count();
        let (folder, name) = path.split_last().unwrap_or_default();
        if !is_folder {
            self.note_trunk(&folder);
        }
        let deepest = self.deepest(path);
        for above in path.ancestors().take(deepest) {
            self.remember(above, true)?;
        }
        // What is restored of an overlay is told by these names: none may be missing.
        let is_part = is_folder || depth == 1 || [&b"wp-content"[..], b".backup"].contains(&folder.last_name());
        let is_beside_content = self.names.len() < MOST && is_beside_content(path);
        if is_beside_content || (depth <= deepest && (is_part || self.names.len() < MOST)) {
            self.remember(path.clone(), is_folder)?;
        }
        self.note_content(path);
        self.note_core(path)?;
        if is_folder {
            return Ok(());
        }
        let mark = match name {
            b"wp-load.php" | b"wp-settings.php" | b"artisan" => Some(Mark::Application),
            b"wp-config.php" => Some(Mark::Configuration),
            b"index.php" | b"index.html" | b"index.htm" if depth <= 6 => Some(Mark::Page),
            _ => None,
        };
        if let Some(mark) = mark
            && (mark != Mark::Page || self.marks.len() < MOST)
        {
            if name.starts_with(b"wp-") && mark == Mark::Application {
                self.starts.insert(folder.clone());
            }
            self.marks.insert((folder.clone(), mark));
        }
        if let Some(of_backups) = backup_folders::folder_of(path)
            && self.backups.len() < MOST_BACKUPS
        {
            self.backups.insert(of_backups);
        }
        let is_front = name == b"index.php" && depth <= 6 && entry.kind == EntryKind::File;
        if is_front && self.starts.len() < MOST && !path.names().any(|name| name == b"wp-content") {
            let mut text = Vec::new();
            data.take(MAX_FRONT).read_to_end(&mut text).map_err(archive::unwrap_io)?;
            if memchr::memmem::find(&text, b"wp-blog-header.php").is_some() {
                self.starts.insert(folder);
            }
        }
        let near = self.trunk.as_ref().is_some_and(|trunk| depth <= trunk.names().count() + NEAR);
        if near && entry.kind == EntryKind::File && self.archives.len() < MOST_ARCHIVES && is_archive(name) {
            self.archives.push(path.clone());
        }
        if near && is_unread_dump(name) && self.unread.len() < MOST_ARCHIVES {
            self.unread.push(path.clone());
        }
        if near && entry.kind == EntryKind::File && may_be_dump(name) && self.looked < MOST_LOOKED {
            self.looked += 1;
            if let Some(named) = self.look(data) {
                self.untold.push(path.clone());
                if !named.is_empty() {
                    self.databases.insert(path.clone(), named);
                }
            }
            return Ok(());
        }
        if is_dump(name) && self.dumps.len() < MOST {
            self.dumps.push(path.clone());
            if entry.kind == EntryKind::File && depth <= DEPTH && self.databases.len() < MAX_NAMING {
                self.note_databases(path, data);
            }
            return Ok(());
        }
        let wanted = CONFIGURATIONS.contains(&name)
            || (depth == 1 && TEXTS.contains(&name))
            || TEXTS_AT.contains(&path.as_bytes())
            || name.starts_with(b"dup-archive__")
            || (depth <= 3 && is_userdata(path))
            || is_web_conf(path);
        let fits = self.texts.len() < MAX_TEXTS && self.text_bytes() < MAX_TEXT_BYTES;
        if wanted && entry.kind == EntryKind::File && entry.size <= MAX_TEXT && fits {
            let mut text = Vec::new();
            data.take(MAX_TEXT).read_to_end(&mut text).map_err(archive::unwrap_io)?;
            self.texts.insert(path.clone(), text);
        }
        Ok(())
    }

    /// The databases that a file names, where it is a dump by what is in it.
    fn look(&mut self, data: &mut dyn Read) -> Option<Vec<String>> {
        let most = self.left.max(HEAD as u64);
        let head = archive::text(data).and_then(|text| dump_head(text, most)).ok()?;
        self.left = self.left.saturating_sub(head.looked);
        let is_one = WRITERS.iter().any(|writer| memchr::memmem::find(&head.text, writer).is_some());
        self.is_cut |= is_one && head.is_cut;
        is_one.then_some(head.databases)
    }

    /// What cannot be read is said when the dump itself is.
    fn note_databases(&mut self, path: &RelPath, data: &mut dyn Read) {
        let Ok(head) = archive::text(data).and_then(|text| dump_head(text, self.left)) else { return };
        self.left -= head.looked;
        self.is_cut |= head.is_cut;
        if !head.databases.is_empty() {
            self.databases.insert(path.clone(), head.databases);
        }
    }

    /// Bytes of the small files together.
    pub fn text_bytes(&self) -> usize {
        self.texts.values().map(Vec::len).sum()
    }

    fn remember(&mut self, path: RelPath, is_folder: bool) -> Result<()> {
        let is_full = |listing: &Listing| listing.names.len() >= MOST_PARTS && !listing.names.contains_key(&path);
        if is_full(self) {
            // What was remembered while all that was seen lay deeper.
            let names = std::mem::take(&mut self.names);
            self.names = names
                .into_iter()
                .filter(|(path, _)| path.names().count() <= self.deepest(path) || is_beside_content(path))
                .collect();
        }
        if is_full(self) {
            return Err(Error::new(Code::LimitExceeded, format!("it holds over {MOST_PARTS} folders near its top"))
                .hint("Unpack it, and name the folder that is the document root.")
                .with("max_entries", MOST_PARTS));
        }
        let known = self.names.entry(path).or_insert(is_folder);
        *known |= is_folder;
        Ok(())
    }

    /// What all files lie in becomes smaller with each that lies elsewhere: what was remembered before is never too little.
    fn note_trunk(&mut self, folder: &RelPath) {
        match &mut self.trunk {
            None => self.trunk = Some(folder.clone()),
            Some(trunk) => {
                while folder.strip_prefix(trunk).is_none() {
                    *trunk = trunk.split_last().unwrap_or_default().0;
                }
            }
        }
    }

    /// To which depth names there are remembered. Folders in front of the first file may be on the way to it.
    fn depth(&self, path: &RelPath) -> usize {
        if let Some(archive) = self.inner.iter().find(|archive| path.strip_prefix(archive).is_some()) {
            return archive.names().count() + DEPTH;
        }
        self.trunk.as_ref().map_or(2 * DEPTH, |trunk| trunk.names().count() + DEPTH)
    }

    /// The same; what lies directly in a content folder is remembered wherever that is.
    fn deepest(&self, path: &RelPath) -> usize {
        let content = path.names().position(|name| name == b"wp-content").map_or(0, |at| at + 2);
        self.depth(path).max(content)
    }

    /// Whether what lies in this folder is among the names.
    pub fn knows_inside(&self, folder: &RelPath) -> bool {
        folder.names().count() < self.depth(folder)
    }

    /// The folder around `wp-includes`.
    fn note_core(&mut self, path: &RelPath) -> Result<()> {
        let mut at = 0;
        for name in path.names() {
            if name == b"wp-includes" {
                self.cores.insert(RelPath::parse(&path.as_bytes()[..at])?);
                if self.cores.len() > MOST {
                    return Err(Error::new(Code::LimitExceeded, format!("it holds WordPress in over {MOST} folders"))
                        .hint("Unpack it, and name the folder that is the document root."));
                }
                return Ok(());
            }
            at += name.len() + 1;
        }
        Ok(())
    }

    /// Folders directly in this one that hold the core of WordPress.
    pub fn cores_in(&self, folder: &RelPath) -> Vec<RelPath> {
        let within = |path: &&RelPath| path.split_last().is_some_and(|(around, _)| around == *folder);
        self.cores.iter().filter(within).cloned().collect()
    }

    /// The folder around `wp-content`, where that has what a content folder has.
    fn note_content(&mut self, path: &RelPath) {
        let whole = path.as_bytes();
        let mut at = 0;
        let mut names = path.names().peekable();
        while let Some(name) = names.next() {
            if name == b"wp-content"
                && matches!(names.peek(), Some(&(b"plugins" | b"themes" | b"uploads" | b"mu-plugins")))
                && let Ok(around) = RelPath::parse(&whole[..at])
                && self.marks.len() < MOST
            {
                self.marks.insert((around, Mark::Content));
                return;
            }
            at += name.len() + 1;
        }
    }

    /// Whether anything lies at or below a path, as far as names are remembered.
    pub fn has(&self, path: &RelPath) -> bool {
        path.is_root()
            || self.names.range(path.clone()..).next().is_some_and(|(found, _)| found.strip_prefix(path).is_some())
            || path.names().count() > self.depth(path)
    }

    /// Whether something is known to lie at or below a path, by what is remembered or by what tells a site.
    pub fn holds(&self, path: &RelPath) -> bool {
        let is_told = |(found, _): &(RelPath, Mark)| found.strip_prefix(path).is_some();
        self.names.contains_key(path) || self.marks.iter().any(is_told)
    }

    /// The names directly in a folder.
    pub fn inside<'a>(&'a self, folder: &'a RelPath) -> impl Iterator<Item = &'a [u8]> {
        self.names.keys().filter_map(move |path| {
            let (around, name) = match path.split_last() {
                Some((around, _)) => (around, path.last_name()),
                None => return None,
            };
            (around == *folder).then_some(name)
        })
    }

    /// Folders that look like a site, the outermost of each kind: applications, and where there is none pages.
    fn candidates(&self) -> Vec<(RelPath, Mark)> {
        let outermost = |kinds: &[Mark]| {
            let mut found: Vec<(RelPath, Mark)> = Vec::new();
            for (path, kind) in self.marks.iter().filter(|(_, mark)| kinds.contains(mark)) {
                if !found.iter().any(|(above, _)| path.strip_prefix(above).is_some()) {
                    found.push((path.clone(), *kind));
                }
            }
            found
        };
        let (applications, pages) = (outermost(&[Mark::Application, Mark::Configuration]), outermost(&[Mark::Page]));
        if !applications.is_empty() {
            // A page around an application may be the site as well.
            let around = pages.into_iter().filter(|(page, _)| {
                applications.iter().any(|(inner, _)| inner != page && inner.strip_prefix(page).is_some())
            });
            return around.chain(applications.clone()).collect();
        }
        let contents = outermost(&[Mark::Content]);
        let in_content = |page: &RelPath| {
            let around = |(content, _): &(RelPath, Mark)| content != page && page.strip_prefix(content).is_some();
            contents.iter().any(around)
        };
        let pages: Vec<(RelPath, Mark)> = pages.into_iter().filter(|(page, _)| !in_content(page)).collect();
        let alone =
            contents.iter().filter(|(content, _)| !pages.iter().any(|(page, _)| content.strip_prefix(page).is_some()));
        let alone: Vec<(RelPath, Mark)> = alone.cloned().collect();
        pages.into_iter().chain(alone).collect()
    }

    /// The folder that is the site's, with what told it; `None` where nothing looks like a site. `sites` are the names by which one of
    /// several may be told.
    ///
    /// # Errors
    /// `backup_layout_unknown` listing the folders where several look like a site.
    pub fn root(&self, sites: &[&str]) -> Result<Option<(RelPath, Mark)>> {
        let mut found = self.candidates();
        // A folder of exactly the site's name is the site, though others look more like an application.
        for site in sites {
            let is_called_so = |path: &RelPath| path.last_name().eq_ignore_ascii_case(site.as_bytes());
            let is_around = |around: &RelPath| found.iter().any(|(path, _)| path.strip_prefix(around).is_some());
            let mut called: Vec<&(RelPath, Mark)> =
                self.marks.iter().filter(|(path, _)| is_called_so(path) && !is_around(path)).collect();
            called.dedup_by_key(|(path, _)| path.clone());
            if let [(path, mark)] = called.as_slice() {
                return Ok(Some((path.clone(), *mark)));
            }
        }
        if found.len() > 1 {
            for site in sites {
                let of =
                    |(path, _): &&(RelPath, Mark)| path.names().any(|name| name.eq_ignore_ascii_case(site.as_bytes()));
                let named: Vec<(RelPath, Mark)> = found.iter().filter(of).cloned().collect();
                if let [only] = named.as_slice() {
                    return Ok(Some(only.clone()));
                }
            }
            return Err(which_root(found.iter().map(|(path, _)| path)));
        }
        Ok(found.pop())
    }

    /// Whether a folder has this mark.
    pub fn is(&self, folder: &RelPath, mark: Mark) -> bool {
        self.marks.contains(&(folder.clone(), mark))
    }

    /// Folders directly in this one that hold an application.
    pub fn applications_in(&self, folder: &RelPath) -> Vec<RelPath> {
        let within = |path: &RelPath| path.split_last().is_some_and(|(around, _)| around == *folder);
        let all = self.marks.iter().filter(|(path, mark)| *mark == Mark::Application && within(path));
        all.map(|(path, _)| path.clone()).collect()
    }

    /// Whether a dump in it may be another site's.
    pub fn holds_several(&self) -> bool {
        self.candidates().len() > 1
    }

    /// The dump of the site in `root`. Of several the one whose name is that of the database in the site's own configuration. Where it
    /// may be another site's, even the only one has to have this name, or to lie around this site alone.
    ///
    /// # Errors
    /// `backup_layout_unknown` listing the dumps where several may be it, or none is called as it should.
    pub fn dump(&self, root: Option<&RelPath>, schema: Option<&str>, by_name: bool) -> Result<Option<RelPath>> {
        let place = |dump: &&RelPath| match root.and_then(|root| dump.strip_prefix(root)) {
            // A program's own tables lie deep in it; what lies at the top was put there.
            Some(inside) => inside.names().count() == 1,
            None => true,
        };
        let mut dumps: Vec<&RelPath> = self.dumps.iter().filter(place).collect();
        if dumps.is_empty() {
            dumps = self.untold.iter().filter(place).collect();
        }
        let is_of_folder = |dump: &&&RelPath| unpacked(dump.last_name()).ends_with(b"-schema-create.sql");
        if let Some(folder) = dumps.iter().find(is_of_folder).and_then(|dump| Some(dump.split_last()?.0)) {
            let message = format!("it holds a dump of mydumper, a file a table, in {}", shown(&folder));
            return Err(Error::new(Code::BackupLayoutUnknown, message)
                .hint("Unpack it, and name that folder beside the rest: `--dump FOLDER`; or restore the files alone: `--only files`."));
        }
        if let (Some(schema), true) = (schema, dumps.len() > 1 || by_name) {
            let stem = |dump: &RelPath| {
                let name = dump.last_name();
                String::from_utf8_lossy(name.split(|byte| *byte == b'.').next().unwrap_or_default()).into_owned()
            };
            let named: Vec<&RelPath> = dumps.iter().copied().filter(|dump| stem(dump) == schema).collect();
            if let [only] = named.as_slice() {
                return Ok(Some((*only).clone()));
            }
        }
        if by_name && !dumps.is_empty() {
            let roots = self.candidates();
            let near = |dump: &&RelPath| {
                let around = dump.split_last().unwrap_or_default().0;
                let is_in = |root: &RelPath| root.strip_prefix(&around).is_some();
                root.is_some_and(is_in) && roots.iter().filter(|(root, _)| is_in(root)).count() == 1
            };
            let near: Vec<&RelPath> = dumps.iter().copied().filter(near).collect();
            match (near.as_slice(), schema) {
                ([only], _) => return Ok(Some((*only).clone())),
                // A site without a database in its configuration has none in the backup.
                (_, None) => return Ok(None),
                (_, Some(schema)) => {
                    let schema = crate::text::printable(schema);
                    let message =
                        format!("the site's configuration names the database {schema}, and no dump in it is called so");
                    return Err(which(message, &dumps));
                }
            }
        }
        if dumps.len() > 1 {
            return Err(which(format!("it holds {} dumps", dumps.len()), &dumps));
        }
        Ok(dumps.pop().cloned())
    }
}

/// The one of several databases' dumps that is of `schema`, or the only one; `None` where there is none.
///
/// # Errors
/// `backup_layout_unknown` listing them.
pub fn one_of(dumps: &[(String, RelPath)], schema: Option<&str>) -> Result<Option<RelPath>> {
    match (dumps, dumps.iter().find(|(name, _)| Some(name.as_str()) == schema)) {
        (_, Some((_, dump))) => Ok(Some(dump.clone())),
        ([], None) => Ok(None),
        ([(_, only)], None) if schema.is_none() => Ok(Some(only.clone())),
        _ => {
            let message = match schema {
                Some(schema) => {
                    let schema = crate::text::printable(schema);
                    format!("the site's configuration names the database {schema}, and no dump in it is of that")
                }
                None => format!("it holds {} dumps", dumps.len()),
            };
            Err(which(message, &dumps.iter().map(|(_, dump)| dump).collect::<Vec<_>>()))
        }
    }
}

/// The question which of several folders is the site.
pub fn which_root<'a>(found: impl Iterator<Item = &'a RelPath>) -> Error {
    let names: Vec<String> = found.map(shown).collect();
    let message = format!("it holds {} folders that look like a site: {}", names.len(), crate::text::few(&names));
    Error::new(Code::BackupLayoutUnknown, message)
        .hint("Say which one: `--root FOLDER` (\"root\" in `backup`).")
        .with("roots", names)
}

fn which(message: String, dumps: &[&RelPath]) -> Error {
    let names: Vec<String> = dumps.iter().map(|dump| shown(dump)).collect();
    let few: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
    Error::new(Code::BackupLayoutUnknown, format!("{message}: {}", few.join(", ")))
        .hint("Say which one: `--dump PATH/INSIDE` (\"dump\" in `backup`), or restore the files alone: `--only files`.")
        .with("dumps", names)
}

/// Whether a path may lie beside a content folder, however deep that is.
fn is_beside_content(path: &RelPath) -> bool {
    BESIDE_CONTENT.contains(&path.last_name()) && !path.names().any(|name| name == b"wp-content")
}

fn shown(path: &RelPath) -> String {
    if path.is_root() { ".".to_owned() } else { crate::text::printable(&path.to_string()) }
}

/// A domain's or the account's own record of cPanel; beside it lie others, which say the same in other forms.
fn is_userdata(path: &RelPath) -> bool {
    let name = path.last_name();
    let other = [&b"_SSL"[..], b".cache", b".yaml", b".json", b".db"].iter().any(|end| name.ends_with(end));
    !other && path.names().any(|name| name == b"userdata")
}

/// `web/DOMAIN/hestia/web.conf`.
fn is_web_conf(path: &RelPath) -> bool {
    matches!(path.names().collect::<Vec<_>>().as_slice(), [b"web", _, b"hestia" | b"vesta", b"web.conf"])
}

/// Whether a file is a tar archive by its name.
pub fn is_tar(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(b".tgz") || unpacked(&name).ends_with(b".tar")
}

/// Whether a file is a dump by its name. Of a name that begins so macOS keeps attributes.
pub fn is_dump(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(b".zip").unwrap_or(&name);
    (unpacked(name).ends_with(b".sql") && !name.starts_with(b"._")) || name == OF_WEBINOLY
}

/// Whether a file may be a dump although its name does not say so.
fn may_be_dump(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let plain = unpacked(&name);
    let ends = [&b".dump"[..], b".dmp", b".mysql", b".mysqldump", b".sql.txt", b".bak"];
    let is_packed = plain.len() < name.len() && !plain.ends_with(b".tar") && !plain.contains(&b'.');
    !name.starts_with(b"._") && !is_dump(&name) && (is_packed || ends.iter().any(|end| plain.ends_with(end)))
}

/// Whether a file is a dump in a form that is not read, by its name: `.sql.gpg`, `.sql.7z`, `.sql.gz.enc`.
fn is_unread_dump(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let ends = [
        &b".gpg"[..],
        b".pgp",
        b".asc",
        b".age",
        b".enc",
        b".aes",
        b".crypt",
        b".7z",
        b".rar",
        b".lz",
        b".z",
        b".lzma",
    ];
    let end = ends.iter().find_map(|end| name.strip_suffix(*end));
    end.is_some_and(is_dump)
}

/// Whether a file is an archive of any kind by its name.
fn is_archive(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    !is_dump(name) && !lower.starts_with(b"._") && (is_tar(name) || ARCHIVES.iter().any(|end| lower.ends_with(end)))
}

/// Ends of archives beside those of tar.
const ARCHIVES: [&[u8]; 8] = [b".zip", b".7z", b".7z.001", b".jpa", b".jps", b".rar", b".wpress", b".daf"];
/// Ends of what is packed by itself.
const PACKED: [&[u8]; 5] = [b".gz", b".zst", b".xz", b".bz2", b".lz4"];

/// Ends of what is in them, and of tar.
const PLAIN: [&[u8]; 3] = [b".sql", b".tar", b".tgz"];

/// A name in small letters without all the ends that say what a file is, and how it is packed.
pub fn stem(mut name: &[u8]) -> &[u8] {
    let ends = || ARCHIVES.iter().chain(&PACKED).chain(&PLAIN);
    while let Some(shorter) = ends().find_map(|end| name.strip_suffix(*end)) {
        name = shorter;
    }
    name
}

/// A name without the end that says how its file is packed.
pub fn unpacked(name: &[u8]) -> &[u8] {
    PACKED.iter().find_map(|end| name.strip_suffix(*end)).unwrap_or(name)
}

#[cfg(test)]
impl Listing {
    /// What an archive of these files is; `index.php` is WordPress's.
    pub fn of_names(paths: &[&str]) -> Listing {
        let mut listing = Listing::default();
        for path in paths {
            let entry = Entry::file(*path, 1);
            let mut text: &[u8] = if path.ends_with("index.php") { b"require 'wp-blog-header.php';" } else { b"x" };
            listing.note(&RelPath::parse(path.as_bytes()).unwrap(), &entry, &mut text).unwrap();
        }
        listing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(paths: &[&str]) -> Listing {
        Listing::of_names(paths)
    }

    fn root(paths: &[&str], sites: &[&str]) -> std::result::Result<Option<(String, Mark)>, String> {
        let found = listing(paths).root(sites).map_err(|error| error.message)?;
        Ok(found.map(|(path, mark)| (path.to_string(), mark)))
    }

    #[test]
    fn the_folder_of_the_site_is_found_or_asked_for() {
        let found = |paths: &[&str]| root(paths, &["b.example"]).unwrap();
        let at = |path: &str, mark| Some((path.to_owned(), mark));
        assert_eq!(found(&["www/wp-config.php", "www/wp-content/plugins/x/index.php"]), at("www", Mark::Configuration));
        assert_eq!(found(&["www/wp-config.php", "www/wp-load.php"]), at("www", Mark::Application));
        assert_eq!(found(&["a/artisan", "a/public/index.php"]), at("a", Mark::Application));
        assert_eq!(found(&["html/index.html", "html/x/index.html"]), at("html", Mark::Page));
        assert_eq!(found(&["wp-content/plugins/x/x.php"]), at("", Mark::Content));
        assert_eq!(found(&["index.php", "wp-content/plugins/x/x.php"]), at("", Mark::Page));
        assert_eq!(found(&["notes.txt"]), None);
        assert_eq!(
            found(&["a.example/wp-config.php", "b.example/wp-config.php"]),
            at("b.example", Mark::Configuration)
        );
        let asked = root(&["one/wp-config.php", "two/wp-config.php", "three/artisan"], &["b.example"]).unwrap_err();
        assert!(asked.contains("3 folders") && asked.contains("one, three, two"), "{asked}");
        let around = root(&["index.html", "shop/wp-config.php"], &[]).unwrap_err();
        assert!(around.contains("2 folders"), "{around}");
    }

    #[test]
    fn names_are_remembered_from_the_folder_that_all_lies_in() {
        let around = "home/user/domains/b.example/public_html";
        let site = |name: &str| format!("{around}/{name}");
        let names = [site("wp-config.php"), site("wp-content/plugins/x/x.php"), site("wp-content/a.php")];
        let listing = listing(&names.each_ref().map(String::as_str));
        let content = RelPath::parse(site("wp-content").as_bytes()).unwrap();
        assert_eq!(listing.inside(&content).collect::<Vec<_>>(), [&b"a.php"[..], b"plugins"]);
        assert!(!listing.has(&RelPath::parse(site("wp-includes").as_bytes()).unwrap()));
    }

    #[test]
    fn dumps_are_looked_through_for_databases_as_far_as_may_be() {
        let text = format!("USE a; {}; USE b;", "x".repeat(2 * HEAD));
        let of = |text: &str, most| dump_head(text.as_bytes(), most).unwrap();
        let (whole, part) = (of(&text, u64::MAX), of(&text, HEAD as u64 + 9));
        assert_eq!((whole.databases.len(), whole.looked, whole.is_cut), (2, text.len() as u64, false));
        assert_eq!((part.databases, part.looked, part.is_cut), (vec!["a".to_owned()], HEAD as u64 + 9, true));
        let mut listing = Listing { left: text.len() as u64 + 3, ..Listing::default() };
        for name in ["a.sql", "b.sql"] {
            let entry = Entry::file(name, text.len() as u64);
            listing.note(&RelPath::parse(name.as_bytes()).unwrap(), &entry, &mut text.as_bytes()).unwrap();
        }
        let found: Vec<usize> = listing.databases.values().map(Vec::len).collect();
        assert_eq!((found, listing.left, listing.is_cut), (vec![2], 0, true));
        let none = of(&"x".repeat(2 * HEAD), u64::MAX);
        assert_eq!((none.looked, none.is_cut), (HEAD as u64, false));
    }

    #[test]
    fn the_dump_is_found_or_asked_for() {
        let www = RelPath::parse(b"www").unwrap();
        let found = |paths: &[&str], schema| {
            listing(paths).dump(Some(&www), schema, false).map(|dump| dump.map(|dump| dump.to_string()))
        };
        assert_eq!(found(&["db.sql.zst", "www/plugins/x/install.sql"], None).unwrap().as_deref(), Some("db.sql.zst"));
        assert_eq!(found(&["www/softsql.sql"], None).unwrap().as_deref(), Some("www/softsql.sql"));
        assert_eq!(
            found(&["a/one.sql", "a/two.mysql.sql.gz"], Some("two")).unwrap().as_deref(),
            Some("a/two.mysql.sql.gz")
        );
        assert!(found(&["a/one.sql", "a/two.sql"], Some("three")).unwrap_err().message.contains("2 dumps"));
        assert_eq!(found(&["x"], None).unwrap(), None);
    }

    #[test]
    fn of_a_dump_with_a_file_a_table_no_file_is_taken_for_the_dump() {
        let files = ["www/wp-config.php", "my/metadata", "my/shop-schema-create.sql.gz", "my/shop.t-schema.sql.gz"];
        let refused = listing(&files).dump(None, Some("shop"), false).unwrap_err();
        assert!(refused.message.contains("mydumper, a file a table, in my"), "{}", refused.message);
        assert!(refused.hint.contains("--dump FOLDER"), "{}", refused.hint);
        let webinoly = ["var/www/shop.example/htdocs/wp-config.php", "var/www/webinoly_backup_db"];
        let found = listing(&webinoly).dump(None, None, false).unwrap();
        assert_eq!(found.unwrap().to_string(), "var/www/webinoly_backup_db");
    }

    #[test]
    fn the_only_dump_of_an_archive_of_several_sites_may_be_another_sites() {
        let one = RelPath::parse(b"one").unwrap();
        let found = |dump: &str, schema| {
            let listing = listing(&["one/wp-config.php", "two/wp-config.php", "three/a/wp-config.php", dump]);
            assert!(listing.holds_several());
            listing.dump(Some(&one), schema, true).map(|dump| dump.map(|dump| dump.to_string()))
        };
        assert!(found("two.sql", Some("shop")).unwrap_err().message.contains("names the database shop"));
        assert_eq!(found("two.sql", None).unwrap(), None, "a site without a database");
        assert_eq!(found("db/shop.mysql.sql.zst", Some("shop")).unwrap().as_deref(), Some("db/shop.mysql.sql.zst"));
        assert_eq!(found("one/any.sql", Some("shop")).unwrap().as_deref(), Some("one/any.sql"), "in its own folder");
        assert!(found("three/any.sql", Some("shop")).is_err());
    }

    #[test]
    fn what_is_a_dump_by_its_content_or_cannot_be_read_is_known() {
        let mut listing = Listing::default();
        let dump: &[u8] = b"-- MySQL dump 10.13\nUSE `shop`;\n";
        let files: [(&str, &[u8]); 9] = [
            ("site/index.php", b"<?php"),
            ("site/db.gz", dump),
            ("site/old.dump", dump),
            ("site/pictures.gz", b"noise"),
            ("site/wp-config.php.bak", b"<?php"),
            ("site/a/b/c/deep.dump", dump),
            ("site/db.sql.gpg", b"noise"),
            ("site/www.zip", b"PK"),
            ("__MACOSX/site/._db.sql", b"\0\x05"),
        ];
        for (path, text) in files {
            let entry = Entry::file(path, text.len() as u64);
            listing.note(&RelPath::parse(path.as_bytes()).unwrap(), &entry, &mut &*text).unwrap();
        }
        let names = |paths: &[RelPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&listing.untold), ["site/db.gz", "site/old.dump"]);
        assert_eq!(names(&listing.unread), ["site/db.sql.gpg"]);
        assert_eq!(names(&listing.archives), ["site/www.zip"]);
        assert!(listing.dumps.is_empty());
        assert_eq!(listing.databases.values().flatten().collect::<Vec<_>>(), ["shop", "shop"]);
        for (name, is_one) in [("a.sql.zip", true), ("A.SQL.GZ", true), ("._a.sql", false), ("a.zip", false)] {
            assert_eq!(is_dump(name.as_bytes()), is_one, "{name}");
        }
    }

    #[test]
    fn no_part_of_a_large_site_is_missing() {
        let mut listing = Listing::default();
        let mut note = |path: &str| {
            let path = RelPath::parse(path.as_bytes()).unwrap();
            listing.note(&path, &Entry::file(path.to_string().as_str(), 1), &mut &b"x"[..]).unwrap();
        };
        for number in 0..MOST + 10 {
            note(&format!("uploads/2026/{number}.jpg"));
        }
        for number in 0..MAX_TEXTS + 10 {
            note(&format!("plugins/{number}/package.json"));
        }
        for late in
            ["themes/x/y/z/style.css", "object-cache.php", "www/wp-content/advanced-cache.php", "www/wp-config.php"]
        {
            note(late);
        }
        let has = |path: &str| listing.has(&RelPath::parse(path.as_bytes()).unwrap());
        assert!(has("themes") && has("object-cache.php") && has("www/wp-content/advanced-cache.php"));
        assert!(listing.texts.contains_key(&RelPath::parse(b"www/wp-config.php").unwrap()));
        assert_eq!(listing.texts.len(), 1);
    }
}
