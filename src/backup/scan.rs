//! What is inside a backup, learned by reading it whole once: the integrity check and the preview in one pass.
//!
//! Every byte goes through gzip's and tar's own checks; nothing is written. Memory stays bounded whatever the
//! archive: folders are counted to a depth and a number, configuration is kept to 1 MiB a file.

pub mod folders;

use crate::archive::{self, Entry, EntryKind, GzipReader, Limits, Segment, TarReader};
use crate::backup::cache::catalogue::Draft;
use crate::backup::layers::Layers;
use crate::backup::layout::{ConfigItem, Place, Seen, Sorter};
use crate::backup::meta::Meta;
use crate::backup::name::file_name;
use crate::backup::source::{Part, Role, Source};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::tree;
use crate::path::RelPath;
use crate::progress::{Level, Monitor, Phase};
use crate::sql::compat::Survey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufReader, Cursor, Read};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

pub use crate::sql::tally::{ObjectFound, TableTally, Tally};
pub use folders::{Folders, Node};

/// Largest configuration file accepted, in bytes.
pub const MAX_CONFIG_FILE: u64 = 1 << 20;
/// Most configuration files accepted.
pub const MAX_CONFIG_FILES: usize = 64;
const CHUNK: usize = 256 << 10;
/// Most replaced files whose content is remembered for hard links.
const MAX_OLD_CONTENT: usize = 100_000;

/// Files of the site by what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByType {
    /// `.php` and its kin.
    pub php: u64,
    /// `.js`, `.mjs`.
    pub js: u64,
    /// `.css`, `.scss`, `.less`.
    pub css: u64,
    /// Pictures.
    pub images: u64,
    /// Everything else.
    pub other: u64,
}

impl ByType {
    /// Counts a file by its name.
    pub(crate) fn count(&mut self, name: &[u8]) {
        let ending = name.rsplit(|byte| *byte == b'.').next().filter(|end| end.len() < name.len());
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        *match ending.as_slice() {
            b"php" | b"phtml" | b"php5" | b"php7" | b"inc" => &mut self.php,
            b"js" | b"mjs" => &mut self.js,
            b"css" | b"scss" | b"less" => &mut self.css,
            b"jpg" | b"jpeg" | b"png" | b"gif" | b"svg" | b"webp" | b"ico" | b"avif" | b"bmp" => &mut self.images,
            _ => &mut self.other,
        } += 1;
    }
}

/// The dump of a backup.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DumpScan {
    /// Where it is: a path inside the archive, or the file beside it.
    pub name: String,
    /// Bytes of SQL.
    pub bytes: u64,
    /// Its last line says that it is complete.
    pub complete: bool,
    /// Its tables, in the order of the dump.
    pub tables: Vec<TableTally>,
    /// Number of views, triggers, routines and events.
    pub objects: u64,
    /// Their names by kind, the first 2,000.
    #[serde(default)]
    pub object_list: Vec<ObjectFound>,
    /// What servers differ in, to be held against one.
    #[serde(default)]
    pub survey: Survey,
}

impl DumpScan {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// A configuration file found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfigFound {
    /// Its kind.
    pub item: ConfigItem,
    /// Its name in the backup, without folders.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// What is in it; never written to a cache, it may be a private key. `None` for one over 1 MiB.
    #[serde(skip)]
    pub content: Option<Vec<u8>>,
    /// XXH3 (64 bit) of its content, where that was read.
    #[serde(default)]
    pub hash: Option<u64>,
    /// What it says: server names, pool user, certificate dates, scheduled commands. Never key material.
    #[serde(default)]
    pub meaning: Value,
}

/// What the site's own files say about what it is and needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// `wordpress`, `laravel`, …
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The PHP it asks for, as written: `7.2.24`, `^8.1`.
    pub php: Option<String>,
}

/// What one reading of a backup found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Scan {
    /// The layout.
    pub layout: Option<String>,
    /// Regular files of the site, hard links included.
    pub files: u64,
    /// Folders of the site.
    pub folders: u64,
    /// Symbolic links of the site.
    pub links: u64,
    /// Bytes of the site's files.
    pub bytes: u64,
    /// Devices, FIFOs and sockets: never restored.
    pub specials: u64,
    /// Files by what they are.
    pub by_type: ByType,
    /// Folders with counts and sizes, and the files at the top.
    pub tree: Vec<Node>,
    /// The database.
    pub dump: Option<DumpScan>,
    /// Configuration files.
    pub config: Vec<ConfigFound>,
    /// Application hints.
    pub application: Application,
    /// Bytes of everything in the archive, unpacked.
    pub unpacked_bytes: u64,
    /// Bytes of the files on disk.
    pub packed_bytes: u64,
    /// What each kind of entry was.
    pub seen: Seen,
}

/// More of anything than there is: figures up to here can be added up without care.
pub(crate) const BEYOND: u64 = 1 << 48;

impl Scan {
    /// Whether a reading can have found this; what was kept of one may have been damaged since.
    pub(crate) fn is_possible(&self) -> bool {
        let counts = [self.files, self.folders, self.links, self.bytes, self.specials, self.unpacked_bytes];
        let sums = self.dump.iter().flat_map(|dump| dump.tables.iter().flat_map(|table| [table.rows, table.bytes]));
        let dump = self.dump.as_ref().map_or(0, |dump| dump.bytes.max(dump.objects));
        counts.into_iter().chain([dump, self.packed_bytes]).chain(sums).all(|figure| figure < BEYOND)
            && self.dump.as_ref().is_none_or(|dump| dump.tables.len() < usize::from(u16::MAX))
    }

    /// Bytes of SQL; 0 without a dump.
    pub fn dump_bytes(&self) -> u64 {
        self.dump.as_ref().map_or(0, |dump| dump.bytes)
    }

    /// Tables of the dump, if there is one.
    pub fn db_tables(&self) -> Option<u64> {
        self.dump.as_ref().map(|dump| dump.tables.len() as u64)
    }
}

/// Reads every part of the source whole. Progress goes to [`Phase::Verify`], in bytes on disk.
///
/// # Errors
/// `backup_corrupt`, `backup_layout_unknown`, `unsafe_path`, `limit_exceeded`, `backup_changed`, `io_failed`, and
/// the monitor's own.
pub fn scan(source: &Source, config: &Config, monitor: &dyn Monitor) -> Result<Scan> {
    scan_into(source, config, &mut None, monitor)
}

/// The same, and every entry of the site goes into the catalogue. What keeps the catalogue from being made is said, and the
/// reading goes on without.
///
/// # Errors
/// As [`scan`].
pub fn scan_into(
    source: &Source,
    config: &Config,
    catalogue: &mut Option<Draft>,
    monitor: &dyn Monitor,
) -> Result<Scan> {
    let mut reading = Reading {
        source,
        found: Scan { packed_bytes: source.packed_bytes(), ..Scan::default() },
        folders: Folders::default(),
        layers: source.is_layered().then(Layers::default),
        old_content: HashMap::new(),
        catalogue,
        buffer: vec![0; CHUNK],
        monitor,
    };
    monitor.expect(Phase::Verify, 0, reading.found.packed_bytes);
    let mut first = true;
    for part in newest_first(&source.parts) {
        if part.role == Role::Archive && !std::mem::take(&mut first) {
            reading.descend();
        }
        reading.part(part, Limits::from_config(&config.limits))?;
    }
    reading.finish()
}

/// The archives from the newest to the oldest, so that what newer ones replace is known before it comes; then the rest.
fn newest_first(parts: &[Part]) -> impl Iterator<Item = &Part> {
    let archives = parts.iter().rev().filter(|part| part.role == Role::Archive);
    archives.chain(parts.iter().filter(|part| part.role != Role::Archive))
}

/// Compares the archive with the checksum its writer left beside it, if there is one.
pub(crate) fn check_sum(part: &Part, monitor: &dyn Monitor) -> Result<()> {
    let Some(wanted) = (part.role == Role::Archive).then(|| Meta::beside(&part.path).sha256()).flatten() else {
        return Ok(());
    };
    let found = part.sha256(monitor)?;
    if found == wanted {
        return Ok(());
    }
    Err(archive::corrupt(format_args!("its checksum is {found}, its .meta says {wanted}"))
        .with("path", part.path.display().to_string()))
}

/// A file that newer archives replaced.
struct OldContent {
    size: u64,
    hash: u64,
    /// The first hard link that takes it.
    heir: Option<RelPath>,
}

struct Reading<'a> {
    source: &'a Source,
    found: Scan,
    folders: Folders,
    /// Where several archives make the state.
    layers: Option<Layers>,
    /// Files of the archive being read that newer ones replaced, by the hash of their path.
    old_content: HashMap<u64, OldContent>,
    catalogue: &'a mut Option<Draft>,
    buffer: Vec<u8>,
    monitor: &'a dyn Monitor,
}

impl Reading<'_> {
    fn descend(&mut self) {
        if let Some(layers) = &mut self.layers {
            layers.descend();
        }
        self.old_content.clear();
    }

    fn part(&mut self, part: &Part, limits: Limits) -> Result<()> {
        part.will_stream();
        check_sum(part, self.monitor)?;
        let raw = Watched { inner: part.reader(), monitor: self.monitor, stop: None };
        let name = file_name(&part.path);
        match &part.role {
            Role::Dump => self.found.dump = Some(read_dump(name, raw, self.monitor)?),
            Role::ConfigFile { item, name } => {
                keep_config(&mut self.found, *item, name, part.identity.size, raw)?;
            }
            Role::Archive | Role::Files | Role::Config => {
                let Some(sorter) = part.sorter(&self.source.site) else { return Ok(()) };
                let mut tar = archive::open(BufReader::with_capacity(CHUNK, raw), limits)
                    .map_err(|error| error.with("path", part.path.display().to_string()))?;
                let seen = self.archive(&mut tar, sorter).map_err(|error| part.named(error))?;
                self.found.unpacked_bytes += tar.offset();
                self.found.seen.merge(seen);
            }
        }
        part.unchanged()
    }

    fn archive(&mut self, tar: &mut TarReader<impl Read>, mut sorter: Sorter) -> Result<Seen> {
        while let Some(entry) = tar.next_entry()? {
            self.monitor.keep_going()?;
            let path = RelPath::parse(&entry.path)?;
            match sorter.place(&path) {
                Place::Site(inner) => self.site_entry(inner, &entry, tar, &sorter)?,
                Place::Dump { .. } if entry.kind == EntryKind::File => {
                    self.found.dump = Some(read_dump(path.to_string(), &mut *tar, self.monitor)?);
                }
                Place::Config(item, name) if entry.kind == EntryKind::File => {
                    keep_config(&mut self.found, item, &name, entry.size, &mut *tar)?;
                }
                _ => {}
            }
        }
        let layout = sorter.layout().map(str::to_owned);
        self.found.layout = self.found.layout.take().or(layout);
        // Nothing may have changed since the backup before it.
        if self.layers.is_some() && *sorter.seen() == Seen::default() {
            return Ok(Seen::default());
        }
        sorter.finish()
    }

    fn site_entry(
        &mut self,
        path: RelPath,
        entry: &Entry,
        tar: &mut TarReader<impl Read>,
        sorter: &Sorter,
    ) -> Result<()> {
        if let Some(layers) = &mut self.layers {
            let is_folder = entry.kind == EntryKind::Folder;
            let covered = layers.covers(&path, is_folder);
            layers.add(&path, is_folder);
            if covered {
                return self.replaced(&path, entry, tar);
            }
        }
        let mut entry = Cow::Borrowed(entry);
        let (mut hash, mut link) = (0, Vec::new());
        match &entry.kind {
            EntryKind::File if self.catalogue.is_some() || tells_application(&path) => {
                hash = self.content(&entry, tar)?;
                if tells_application(&path) && entry.segments.is_none() && entry.size <= self.buffer.len() as u64 {
                    let text = String::from_utf8_lossy(&self.buffer[..entry.size as usize]);
                    hint(&mut self.found.application, &path, &text);
                }
            }
            EntryKind::HardLink(target) => {
                link = seen_from_site(sorter, target);
                // A link to a file that a newer archive replaced has that file's old content.
                if let Some(old) = self.old_content.get_mut(&xxh3_64(&link)) {
                    match &old.heir {
                        Some(first) => link = first.as_bytes().to_vec(),
                        None => {
                            let own = entry.to_mut();
                            (own.kind, own.size, hash, link) = (EntryKind::File, old.size, old.hash, Vec::new());
                            old.heir = Some(path.clone());
                        }
                    }
                }
            }
            EntryKind::Symlink(target) => link.clone_from(target),
            _ => {}
        }
        self.found.count(&mut self.folders, &path, kind_of(&entry.kind), entry.size);
        if let Some(draft) = self.catalogue
            && let Err(error) = draft.add(&path, &entry, hash, link)
        {
            self.give_up(&error);
        }
        Ok(())
    }

    /// Keeps what a file held that newer archives replaced, for hard links to it.
    fn replaced(&mut self, path: &RelPath, entry: &Entry, tar: &mut TarReader<impl Read>) -> Result<()> {
        if entry.kind != EntryKind::File || self.old_content.len() >= MAX_OLD_CONTENT {
            return Ok(());
        }
        let hash = if self.catalogue.is_some() { self.content(entry, tar)? } else { 0 };
        self.old_content.insert(xxh3_64(path.as_bytes()), OldContent { size: entry.size, hash, heir: None });
        Ok(())
    }

    /// Reads a file through for its hash; one that fits is in the buffer then.
    fn content(&mut self, entry: &Entry, tar: &mut TarReader<impl Read>) -> Result<u64> {
        let size = entry.size;
        if entry.segments.is_none() && size <= self.buffer.len() as u64 {
            let content = &mut self.buffer[..size as usize];
            tar.read_exact(content).map_err(archive::unwrap_io)?;
            return Ok(xxh3_64(content));
        }
        let mut hash = Xxh3::new();
        let mut position = 0;
        for Segment { offset, length } in archive::tar::segments(entry) {
            self.hole(&mut hash, offset - position)?;
            position = offset + length;
            let mut left = length;
            while left > 0 {
                let most = left.min(self.buffer.len() as u64) as usize;
                tar.read_exact(&mut self.buffer[..most]).map_err(archive::unwrap_io)?;
                hash.update(&self.buffer[..most]);
                left -= most as u64;
            }
        }
        self.hole(&mut hash, size - position)?;
        Ok(hash.digest())
    }

    /// Holes are zeros to whoever reads the file.
    fn hole(&mut self, hash: &mut Xxh3, mut length: u64) -> Result<()> {
        if length > 0 {
            self.buffer.fill(0);
        }
        while length > 0 {
            self.monitor.keep_going()?;
            let count = length.min(self.buffer.len() as u64);
            hash.update(&self.buffer[..count as usize]);
            length -= count;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Scan> {
        if let Some(draft) = self.catalogue {
            let recount = draft.finish().and_then(|replaced| if replaced { draft.reader() } else { Ok(None) });
            match recount {
                // Entries that came twice were counted twice.
                Ok(Some(mut records)) => {
                    self.folders = Folders::default();
                    self.found.uncount();
                    while let Some(record) = records.next_record()? {
                        self.found.count(&mut self.folders, &record.path, record.kind, record.size);
                    }
                }
                Ok(None) => {}
                Err(error) => self.give_up(&error),
            }
        }
        self.found.tree = self.folders.finish();
        Ok(self.found)
    }

    fn give_up(&mut self, error: &Error) {
        *self.catalogue = None;
        self.monitor.event(Level::Warn, &format!("the catalogue of the backup is not made: {error}"));
    }
}

/// What stands in the site for an entry.
pub(crate) fn kind_of(kind: &EntryKind) -> tree::Kind {
    match kind {
        EntryKind::File | EntryKind::HardLink(_) => tree::Kind::File,
        EntryKind::Folder => tree::Kind::Folder,
        EntryKind::Symlink(_) => tree::Kind::Symlink,
        EntryKind::Special(_) => tree::Kind::Special,
    }
}

/// A hard link names its target as the archive does; seen from the document root where it lies there.
fn seen_from_site(sorter: &Sorter, target: &[u8]) -> Vec<u8> {
    let inside = RelPath::parse(target).ok().and_then(|path| path.strip_prefix(sorter.root()?));
    inside.map_or_else(|| target.to_vec(), |inside| inside.as_bytes().to_vec())
}

impl Scan {
    fn count(&mut self, folders: &mut Folders, path: &RelPath, kind: tree::Kind, size: u64) {
        if path.is_root() {
            return;
        }
        match kind {
            tree::Kind::File => {
                self.files += 1;
                self.bytes += size;
                if let Some((_, name)) = path.split_last() {
                    self.by_type.count(name);
                }
                folders.file(path, size);
            }
            tree::Kind::Folder => {
                self.folders += 1;
                folders.folder(path);
            }
            tree::Kind::Symlink => self.links += 1,
            tree::Kind::Special => self.specials += 1,
        }
    }

    /// Forgets the counts of the site, all but what is never restored.
    fn uncount(&mut self) {
        (self.files, self.folders, self.links, self.bytes) = (0, 0, 0, 0);
        self.by_type = ByType::default();
    }
}

/// The configuration files of a source with their contents, which no cache holds. `wanted` are the ones a whole reading found:
/// when the last of them was read, the rest of the archive is not.
///
/// # Errors
/// As [`scan`].
pub fn read_config(
    source: &Source,
    config: &Config,
    wanted: &[ConfigFound],
    monitor: &dyn Monitor,
) -> Result<Vec<ConfigFound>> {
    let mut found = Scan::default();
    for part in newest_first(&source.parts) {
        if found.config.len() >= wanted.len() {
            break;
        }
        let raw = Watched { inner: part.reader(), monitor, stop: None };
        match &part.role {
            Role::Dump => {}
            Role::ConfigFile { item, name } => keep_config(&mut found, *item, name, part.identity.size, raw)?,
            Role::Archive | Role::Files | Role::Config => {
                let Some(mut sorter) = part.sorter(&source.site) else { continue };
                let limits = Limits::from_config(&config.limits);
                let mut tar = archive::open(BufReader::with_capacity(CHUNK, raw), limits)?;
                while found.config.len() < wanted.len()
                    && let Some(entry) = tar.next_entry().map_err(|error| part.named(error))?
                {
                    let path = RelPath::parse(&entry.path)?;
                    if let (Place::Config(item, name), EntryKind::File) = (sorter.place(&path), &entry.kind) {
                        keep_config(&mut found, item, &name, entry.size, &mut tar)?;
                    }
                }
            }
        }
        part.unchanged()?;
    }
    Ok(found.config)
}

fn keep_config(found: &mut Scan, item: ConfigItem, name: &str, size: u64, from: impl Read) -> Result<()> {
    if found.config.len() >= MAX_CONFIG_FILES {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("the backup has over {MAX_CONFIG_FILES} configuration files"),
        ));
    }
    let content = if size <= MAX_CONFIG_FILE { Some(read_all(from, MAX_CONFIG_FILE)?) } else { None };
    let hash = content.as_deref().map(xxh3_64);
    found.config.push(ConfigFound { item, name: name.to_owned(), size, content, hash, meaning: Value::Null });
    Ok(())
}

fn read_all(from: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes).map_err(archive::unwrap_io)?;
    Ok(bytes)
}

/// Reads a dump, plain or compressed (its first bytes decide), and counts what is in it.
fn read_dump(name: String, mut from: impl Read, monitor: &dyn Monitor) -> Result<DumpScan> {
    let mut start = Vec::with_capacity(2);
    (&mut from).take(2).read_to_end(&mut start).map_err(archive::unwrap_io)?;
    let gzip = start == archive::gzip::MAGIC;
    let whole = Cursor::new(start).chain(from);
    let mut tally = Tally::default();
    let bytes = if gzip {
        pump(GzipReader::new(BufReader::with_capacity(CHUNK, whole)), &mut tally, monitor)
    } else {
        pump(whole, &mut tally, monitor)
    }
    .map_err(|error| error.with("dump", name.clone()))?;
    let ended = tally.finish();
    Ok(DumpScan {
        name,
        bytes,
        complete: ended.complete,
        tables: ended.tables,
        objects: ended.objects,
        object_list: ended.object_list,
        survey: ended.survey,
    })
}

fn pump(mut from: impl Read, tally: &mut Tally, monitor: &dyn Monitor) -> Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        monitor.keep_going()?;
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(archive::unwrap_io(error)),
        };
        tally.push(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Counts what was read from the disk, and stops between reads when the job is to stop.
struct Watched<'a, R> {
    inner: R,
    monitor: &'a dyn Monitor,
    stop: Option<()>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.stop.is_none()
            && let Err(error) = self.monitor.keep_going()
        {
            self.stop = Some(());
            return Err(archive::wrap(error));
        }
        let read = self.inner.read(buffer)?;
        self.monitor.advance(Phase::Verify, 0, read as u64);
        Ok(read)
    }
}

fn tells_application(path: &RelPath) -> bool {
    matches!(path.as_bytes(), b"wp-includes/version.php" | b"composer.json" | b"artisan")
}

fn hint(application: &mut Application, path: &RelPath, text: &str) {
    match path.as_bytes() {
        b"wp-includes/version.php" => {
            application.name = Some("wordpress".into());
            application.version = php_string(text, "$wp_version");
            application.php = php_string(text, "$required_php_version").or(application.php.take());
        }
        b"artisan" if application.name.is_none() => application.name = Some("laravel".into()),
        b"composer.json" => {
            let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let wanted = document["require"]["php"].as_str().map(str::to_owned);
            application.php = application.php.take().or(wanted);
        }
        _ => {}
    }
}

/// The string a PHP file assigns to a variable; read, never evaluated.
fn php_string(text: &str, variable: &str) -> Option<String> {
    let line =
        text.lines().find(|line| line.strip_prefix(variable).is_some_and(|rest| rest.trim_start().starts_with('=')))?;
    let value = line.split_once('=')?.1.trim().trim_end_matches(';').trim();
    let inner = value.strip_prefix('\'')?.strip_suffix('\'')?;
    (inner.len() < 40).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests;
