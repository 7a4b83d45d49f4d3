//! What is inside a backup, learned by reading it whole once: the integrity check and the preview in one pass.
//!
//! Every byte goes through gzip's and tar's own checks; nothing is written. Memory stays bounded whatever the
//! archive: folders are counted to a depth and a number, configuration is kept to 1 MiB a file.

pub mod folders;
pub mod tally;

use crate::archive::{self, Entry, EntryKind, GzipReader, Limits};
use crate::backup::layout::{ConfigItem, Place, Seen};
use crate::backup::meta::Meta;
use crate::backup::source::{Part, Role, Source};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::progress::{Monitor, Phase};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{BufReader, Cursor, Read};

pub use folders::{Folders, Node};
pub use tally::{TableTally, Tally};

/// Largest configuration file whose content is kept.
pub const MAX_CONFIG_FILE: u64 = 1 << 20;
const MAX_CONFIG_FILES: usize = 64;
const MAX_HINT_FILE: u64 = 256 << 10;
const CHUNK: usize = 256 << 10;

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
    fn count(&mut self, name: &[u8]) {
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
    /// Views, triggers, routines and events.
    pub objects: u64,
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

impl Scan {
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
    let mut found = Scan { packed_bytes: source.packed_bytes(), ..Scan::default() };
    let mut folders = Folders::default();
    monitor.expect(Phase::Verify, 0, found.packed_bytes);
    for part in &source.parts {
        part.will_stream();
        check_sum(part, monitor)?;
        let raw = Watched { inner: part.reader(), monitor, stop: None };
        let name = part.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match &part.role {
            Role::Dump => found.dump = Some(read_dump(name, raw, monitor)?),
            Role::ConfigFile { item, name } => keep_config(&mut found, *item, name, part.identity.size, raw)?,
            Role::Archive | Role::Files | Role::Config => {
                let Some(sorter) = part.sorter(&source.site) else { continue };
                let limits = Limits::from_config(&config.limits);
                let mut tar = archive::open(BufReader::with_capacity(CHUNK, raw), limits)
                    .map_err(|error| error.with("path", part.path.display().to_string()))?;
                let seen = read_archive(&mut tar, sorter, &mut found, &mut folders, monitor)
                    .map_err(|error| part.named(error))?;
                found.unpacked_bytes += tar.offset();
                found.seen.merge(seen);
            }
        }
        part.unchanged()?;
    }
    found.tree = folders.finish();
    Ok(found)
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

fn read_archive<R: Read>(
    tar: &mut archive::TarReader<R>,
    mut sorter: crate::backup::layout::Sorter,
    found: &mut Scan,
    folders: &mut Folders,
    monitor: &dyn Monitor,
) -> Result<Seen> {
    while let Some(entry) = tar.next_entry()? {
        monitor.keep_going()?;
        let path = RelPath::parse(&entry.path)?;
        match sorter.place(&path) {
            Place::Site(inner) => {
                count(found, folders, &inner, &entry);
                if entry.kind == EntryKind::File && tells_application(&inner) && entry.size <= MAX_HINT_FILE {
                    let text = read_all(&mut *tar, MAX_HINT_FILE)?;
                    hint(&mut found.application, &inner, &String::from_utf8_lossy(&text));
                }
            }
            Place::Dump { .. } if entry.kind == EntryKind::File => {
                found.dump = Some(read_dump(path.to_string(), &mut *tar, monitor)?);
            }
            Place::Config(item, name) if entry.kind == EntryKind::File => {
                keep_config(found, item, &name, entry.size, &mut *tar)?;
            }
            _ => {}
        }
    }
    let layout = sorter.layout().map(str::to_owned);
    found.layout = found.layout.take().or(layout);
    sorter.finish()
}

fn count(found: &mut Scan, folders: &mut Folders, path: &RelPath, entry: &Entry) {
    if path.is_root() {
        return;
    }
    match &entry.kind {
        EntryKind::File | EntryKind::HardLink(_) => {
            found.files += 1;
            found.bytes += entry.size;
            if let Some((_, name)) = path.split_last() {
                found.by_type.count(name);
            }
            folders.file(path, entry.size);
        }
        EntryKind::Folder => {
            found.folders += 1;
            folders.folder(path);
        }
        EntryKind::Symlink(_) => found.links += 1,
        EntryKind::Special(_) => found.specials += 1,
    }
}

fn keep_config(found: &mut Scan, item: ConfigItem, name: &str, size: u64, from: impl Read) -> Result<()> {
    if found.config.len() >= MAX_CONFIG_FILES {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("the backup has over {MAX_CONFIG_FILES} configuration files"),
        ));
    }
    let content = if size <= MAX_CONFIG_FILE { Some(read_all(from, MAX_CONFIG_FILE)?) } else { None };
    found.config.push(ConfigFound { item, name: name.to_owned(), size, content, meaning: Value::Null });
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
    Ok(DumpScan { name, bytes, complete: ended.complete, tables: ended.tables, objects: ended.objects })
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
