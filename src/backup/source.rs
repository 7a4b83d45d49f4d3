//! An opened backup or snapshot: the files it consists of, each open, so that what was checked is what is read.

use crate::api::Options;
use crate::archive;
use crate::archive::cbc::{CryptKey, CryptReader};
use crate::archive::{Codec, Inside, Lies, Password, ReadAt, Tail, password};
use crate::backup::contents::Scan;
use crate::backup::dump_folder::{DumpFolder, DumpFolderReader};
use crate::backup::extent::Extent;
use crate::backup::identity::Identity;
use crate::backup::layout::places::Places;
use crate::backup::layout::{self, ConfigItem, Holds, Layout, Seen, Sorter};
use crate::backup::name::{Kind, Stamp};
use crate::backup::settings::Settings;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::site::Site;
use crate::host::tree;
use crate::path::RelPath;
use crate::progress::Monitor;
use crate::sql::prefix::{Renaming, is_prefix};
use crate::text;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What one file of a source holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "role")]
pub enum Role {
    /// A tar of everything, in one of the layouts.
    Archive,
    /// A tar of the document root only (a snapshot's `files.tar.gz`).
    Files,
    /// A dump by itself.
    Dump,
    /// A tar of configuration only (a snapshot's `config.tar.gz`).
    Config,
    /// One configuration file by itself (the old engine's snapshots).
    ConfigFile {
        /// Its kind.
        item: ConfigItem,
        /// Its name.
        name: String,
    },
}

/// One open file of a source.
#[derive(Debug, Clone)]
pub struct Part {
    /// Where it was opened.
    pub path: PathBuf,
    /// What it holds.
    pub role: Role,
    /// How it is compressed, by its first bytes (the name does not decide).
    pub codec: Codec,
    /// What it is.
    pub container: Container,
    /// Which file it is.
    pub identity: Identity,
    /// Where its entries belong, in the backup of another program; `None`: its layout tells.
    pub places: Option<Arc<Places>>,
    file: Arc<File>,
    /// Of one archive in several files, those before this one.
    earlier: Vec<Arc<File>>,
    /// Of a folder that is a dump: its files.
    dump: Option<Arc<DumpFolder>>,
    /// Of an archive in another one: where it lies in that.
    inside: Option<(Lies, Tail)>,
    /// What its encrypted contents open by.
    password: Option<Password>,
    /// Of a file that UpdraftPlus encrypted: its key.
    crypt: Option<CryptKey>,
}

/// What holds the entries of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// A tar archive.
    Tar,
    /// A zip archive.
    Zip,
    /// An archive of All-in-One WP Migration.
    Wpress,
    /// An archive of Duplicator's own form.
    Daf,
    /// An archive of Akeeba Backup.
    Jpa,
    /// An encrypted one.
    Jps,
    /// An archive of 7-Zip.
    SevenZip,
    /// A folder.
    Folder,
}

impl Part {
    /// An error met while reading it, with its path in the message.
    #[must_use]
    pub fn named(&self, mut error: Error) -> Error {
        let path = self.path.display().to_string();
        let of_content = matches!(
            error.code,
            Code::BackupCorrupt
                | Code::UnsafePath
                | Code::LimitExceeded
                | Code::BackupUnreadable
                | Code::BackupIncomplete
        );
        if of_content && !error.message.contains(&path) {
            error.message = format!("{path}: {}", error.message);
        }
        error.with("archive", path)
    }

    /// Opens what lies at `path` beneath the folder `root`, whose path is `around`, following no link anywhere on the way: between a
    /// look at a path and its opening somebody may have changed where it leads.
    ///
    /// # Errors
    /// As [`Part::open`], `path_not_allowed` for a link.
    pub fn open_beneath(root: BorrowedFd, around: &Path, path: &RelPath, role: Role) -> Result<Part> {
        let full = around.join(path.as_path());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = tree::handle::resolve(root, path, flags).map_err(|error| open_error(&full, error))?;
        Part::from_file(&full, File::from(opened), role)
    }

    /// The same, a folder too.
    ///
    /// # Errors
    /// As [`Part::open_beneath`].
    pub(crate) fn open_in(root: BorrowedFd, around: &Path, path: &RelPath, role: Role) -> Result<Part> {
        let full = around.join(path.as_path());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = tree::handle::resolve(root, path, flags).map_err(|error| open_error(&full, error))?;
        Part::from_handle(&full, File::from(opened), role, true)
    }

    /// Opens a regular file, following no link at its last name.
    ///
    /// # Errors
    /// `backup_not_found`, `backup_unreadable` (also for a folder, device or FIFO).
    pub fn open(path: &Path, role: Role) -> Result<Part> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| open_error(path, error))?;
        Part::from_file(path, File::from(opened), role)
    }

    /// Takes an open file.
    ///
    /// # Errors
    /// `backup_unreadable` when it is no regular file or cannot be read.
    pub fn from_file(path: &Path, file: File, role: Role) -> Result<Part> {
        Part::from_handle(path, file, role, false)
    }

    /// The same; a folder is taken where `folders` says so.
    ///
    /// # Errors
    /// `backup_unreadable`.
    pub(crate) fn from_handle(path: &Path, file: File, role: Role, folders: bool) -> Result<Part> {
        let unreadable = |why: String| {
            Error::new(Code::BackupUnreadable, format!("cannot read {}: {why}", path.display()))
                .with("path", path.display().to_string())
        };
        let metadata = file.metadata().map_err(|error| unreadable(error.to_string()))?;
        let is_folder = folders && metadata.is_dir();
        if !is_folder && !metadata.is_file() {
            return Err(unreadable("it is no regular file".into()));
        }
        let mut start = [0; Codec::START];
        let read = match is_folder {
            true => 0,
            false => file.read_at(&mut start, 0).map_err(|error| unreadable(error.to_string()))?,
        };
        Ok(Part {
            path: path.to_owned(),
            role,
            codec: Codec::of(&start[..read]),
            container: if is_folder { Container::Folder } else { Container::Tar },
            identity: Identity::from_metadata(&metadata),
            places: None,
            file: Arc::new(file),
            earlier: Vec::new(),
            dump: None,
            inside: None,
            password: None,
            crypt: None,
        })
    }

    /// The same part, with the password that it may need.
    #[must_use]
    pub(crate) fn opened_by(self, password: Option<&Password>) -> Part {
        Part { password: password.cloned(), ..self }
    }

    /// The password that it may need.
    pub fn password(&self) -> Option<&Password> {
        self.password.as_ref()
    }

    /// The same file, which UpdraftPlus encrypted.
    ///
    /// # Errors
    /// `backup_unreadable` where the password is another one, or none was named; `io_failed`.
    pub(crate) fn into_crypt(mut self) -> Result<Part> {
        let shown = self.path.display().to_string();
        let Some(password) = &self.password else {
            return Err(password::wanted(&format!("{shown} is encrypted")).with("path", shown));
        };
        let key = CryptKey::of(password).map_err(|error| self.named(error))?;
        let mut start = Vec::new();
        let reader = CryptReader::new(self.reader_at(0), &key);
        reader.take(Codec::START as u64).read_to_end(&mut start).map_err(archive::unwrap_io)?;
        (self.codec, self.crypt) = (Codec::of(&start), Some(key));
        // It has no checksum: what it has to be tells a password.
        let name = self.path.file_stem().unwrap_or_default();
        let is_gzip = Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        if start.starts_with(b"PK") {
            let message = format!("{shown} is an encrypted zip archive, and only databases are read so");
            return Err(Error::new(Code::BackupUnreadable, message)
                .hint("Decrypt it where the plugin runs, and put what comes of it in its place.")
                .with("path", shown));
        }
        if is_gzip && self.codec != Codec::Gzip {
            return Err(password::wrong(&shown).with("path", shown));
        }
        Ok(self)
    }

    /// Its bytes are those of the file: neither the files of a folder nor encrypted ones.
    pub fn is_plain(&self) -> bool {
        self.dump.is_none() && self.crypt.is_none()
    }

    /// The last file of an archive in several, the others in their order.
    #[must_use]
    pub(crate) fn of_several(self, earlier: &[Part]) -> Part {
        Part { earlier: earlier.iter().map(|part| Arc::clone(&part.file)).collect(), ..self }
    }

    /// The same part, with its entries placed.
    #[must_use]
    pub(crate) fn placed(self, places: Arc<Places>) -> Part {
        Part { places: Some(places), ..self }
    }

    /// The same folder as the dump that its files make.
    #[must_use]
    pub(crate) fn into_dump(self, dump: DumpFolder) -> Part {
        Part { role: Role::Dump, dump: Some(Arc::new(dump)), ..self }
    }

    /// The zip archive of this name that lies in this one.
    #[must_use]
    pub(crate) fn of_inside(&self, name: &str, lies: Lies, tail: Tail) -> Part {
        let container = Container::Zip;
        Part { path: self.path.join(name), container, inside: Some((lies, tail)), places: None, ..self.clone() }
    }

    /// It lies in another archive.
    pub fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    /// Bytes of its archive.
    pub fn size(&self) -> u64 {
        self.inside.as_ref().map_or(self.identity.size, |(lies, _)| lies.size)
    }

    /// The files of a folder that is a dump.
    pub fn dump_folder(&self) -> Option<&DumpFolder> {
        self.dump.as_deref()
    }

    /// Its bytes, to be read anywhere; of an archive in several files those of all. What is read is added to `count`.
    pub fn bytes(&self, count: &Arc<AtomicU64>) -> PartBytes {
        let files: Vec<Arc<File>> = self.earlier.iter().chain([&self.file]).map(Arc::clone).collect();
        let mut starts = vec![0];
        for file in &files {
            let size = file.metadata().map_or(0, |metadata| metadata.size());
            starts.push(starts.last().copied().unwrap_or_default() + size);
        }
        let whole = PartBytes { files: files.into(), starts: starts.into(), count: Arc::clone(count), inside: None };
        match &self.inside {
            Some((lies, tail)) => {
                let inside = Arc::new(Inside::new(whole.clone(), lies.clone(), tail.clone()));
                PartBytes { inside: Some(inside), ..whole }
            }
            None => whole,
        }
    }

    /// The open folder that it is.
    pub fn folder(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// A reader of its bytes from the start, decrypted where they have to be, independent of every other reader of this part.
    pub fn reader(&self) -> PartReader {
        match (&self.dump, &self.crypt) {
            (Some(dump), _) => {
                PartReader::Dump(Box::new(DumpFolderReader::new(Arc::clone(&self.file), Arc::clone(dump))))
            }
            (None, Some(key)) => PartReader::Crypt(Box::new(CryptReader::new(self.reader_at(0), key))),
            (None, None) => self.reader_at(0),
        }
    }

    /// A reader of the raw bytes from an offset.
    pub fn reader_at(&self, offset: u64) -> PartReader {
        match self.container {
            Container::Folder => PartReader::Folder,
            _ => PartReader::File { file: Arc::clone(&self.file), at: offset },
        }
    }

    /// The sorter for the entries of this part; `None` for a part that is no archive.
    pub fn sorter(&self, site: &Site) -> Option<Sorter> {
        if let Some(places) = &self.places {
            return Some(Sorter::placed(Arc::clone(places), site.clone()));
        }
        match self.role {
            Role::Archive => {
                let name = self.path.file_name().unwrap_or_default().to_string_lossy();
                Some(Sorter::archive(&name, site.clone()))
            }
            Role::Files => Some(Sorter::snapshot_files(site.clone())),
            Role::Config => Some(Sorter::snapshot_config(site.clone())),
            Role::Dump | Role::ConfigFile { .. } => None,
        }
    }

    /// Whether the open file was written to since it was opened.
    ///
    /// # Errors
    /// `backup_changed`; `io_failed`.
    pub fn unchanged(&self) -> Result<()> {
        let now = Identity::of(&self.file).doing(|| format!("stat {}", self.path.display()))?;
        if now == self.identity {
            return Ok(());
        }
        Err(Error::new(Code::BackupChanged, format!("{} was written to while it was read", self.path.display()))
            .with("path", self.path.display().to_string()))
    }

    /// SHA-256 of the whole file, in hex.
    ///
    /// # Errors
    /// `backup_unreadable` and the monitor's own.
    pub fn sha256(&self, monitor: &dyn Monitor) -> Result<String> {
        let mut sum = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        let mut reader = if self.crypt.is_some() { self.reader_at(0) } else { self.reader() };
        loop {
            monitor.keep_going()?;
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => sum.update(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let shown = self.path.display().to_string();
                    return Err(
                        Error::new(Code::BackupUnreadable, format!("cannot read {shown}: {error}")).with("path", shown)
                    );
                }
            }
        }
        Ok(text::hex(&sum.finalize()))
    }

    /// Tells the kernel that the file is read once, front to back.
    pub fn will_stream(&self) {
        // Advice only: a filesystem that does not take it loses nothing but speed.
        let _ = rustix::fs::fadvise(&*self.file, 0, None, rustix::fs::Advice::Sequential);
    }
}

/// The archives from the newest to the oldest, so that what newer ones replace is known before it comes; then the rest.
pub(crate) fn newest_first(parts: &[Part]) -> impl Iterator<Item = &Part> {
    let archives = parts.iter().rev().filter(|part| part.role == Role::Archive);
    archives.chain(parts.iter().filter(|part| part.role != Role::Archive))
}

fn open_error(path: &Path, error: rustix::io::Errno) -> Error {
    let shown = path.display().to_string();
    match error {
        rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR => {
            Error::new(Code::BackupNotFound, format!("{shown} does not exist"))
        }
        rustix::io::Errno::LOOP | rustix::io::Errno::XDEV => {
            Error::new(Code::PathNotAllowed, format!("{shown} is a symbolic link"))
        }
        error => Error::new(Code::BackupUnreadable, format!("cannot open {shown}: {}", io::Error::from(error))),
    }
    .with("path", shown)
}

/// The bytes of a part, to be read anywhere.
#[derive(Clone)]
pub struct PartBytes {
    files: Arc<[Arc<File>]>,
    /// Where each file begins, and where the last one ends.
    starts: Arc<[u64]>,
    count: Arc<AtomicU64>,
    /// Of an archive in another one, which the files make.
    inside: Option<Arc<Inside<PartBytes>>>,
}

impl ReadAt for PartBytes {
    fn size(&self) -> u64 {
        if let Some(inside) = &self.inside {
            return inside.size();
        }
        self.starts.last().copied().unwrap_or_default()
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        if let Some(inside) = &self.inside {
            return inside.read_at(into, offset);
        }
        let at = self.starts.partition_point(|start| *start <= offset);
        let Some((file, start)) = at.checked_sub(1).and_then(|at| Some((self.files.get(at)?, self.starts.get(at)?)))
        else {
            return Ok(0);
        };
        let read = file.read_at(into, offset - start)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn volumes(&self) -> Vec<u64> {
        if self.inside.is_some() {
            return vec![0];
        }
        self.starts[..self.files.len()].to_vec()
    }
}

/// Reads a part by position, so that readers do not disturb each other.
pub enum PartReader {
    /// A file, from a position on.
    File {
        /// The file.
        file: Arc<File>,
        /// The position.
        at: u64,
    },
    /// A folder, which has no bytes of its own.
    Folder,
    /// A folder that is a dump.
    Dump(Box<DumpFolderReader>),
    /// A file that is encrypted.
    Crypt(Box<CryptReader<PartReader>>),
}

impl Read for PartReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            PartReader::Folder => Ok(0),
            PartReader::Dump(reader) => reader.read(buffer),
            PartReader::Crypt(reader) => reader.read(buffer),
            PartReader::File { file, at } => {
                let read = file.read_at(buffer, *at)?;
                *at += read as u64;
                Ok(read)
            }
        }
    }
}

/// Whether a source is a backup or a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// An archive of the backup folder, with its dump inside or beside.
    Backup,
    /// A portable snapshot: files, database and configuration apart.
    Snapshot,
}

/// A backup or portable snapshot, open. Staging goes through [`Source::parts`] and, in each archive, its entries.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it is.
    pub form: Form,
    /// The archive, or the snapshot's folder.
    pub path: PathBuf,
    /// When it was made, from its name or its modification time.
    pub stamp: Option<Stamp>,
    /// Whether it stands alone.
    pub kind: Kind,
    /// Its files, the one with the document root first.
    pub parts: Vec<Part>,
    /// The layout, where the first entries told it.
    pub layout: Option<&'static str>,
    /// What its tree is.
    pub holds: Holds,
    /// The site its entries are placed for.
    pub site: Site,
    /// Where the latest backup was asked for: newer ones that are not taken, each with the reason.
    pub passed_over: Vec<String>,
    /// What is told of a backup of another program; `None` for one in a layout of our own.
    pub foreign: Option<Box<Foreign>>,
}

/// Where an error lists the prefixes of tables that can be told (`prefix` of a request).
pub const PREFIXES: &str = "prefixes";
/// Most of them that are listed.
const MAX_PREFIXES: usize = 20;

/// What is told of a backup that another program made.
#[derive(Debug, Clone, Default)]
pub struct Foreign {
    /// It holds files of the site.
    pub files: bool,
    /// It holds a dump.
    pub dump: bool,
    /// How much of the database its dump holds.
    pub extent: Extent,
    /// The paths that it holds all of, where it does not hold the whole document root: what lies elsewhere stays.
    pub parts: Option<Vec<String>>,
    /// Live paths that stay, because they are not its to bring.
    pub keeps: Vec<String>,
    /// What it cannot bring, as sentences.
    pub lacks: Vec<String>,
    /// The settings of the live site that its configuration gets.
    pub settings: Option<Settings>,
    /// The prefix of tables that its `wp-config.php` says; empty where that says none, and `None` where it has no such file.
    pub own_prefix: Option<String>,
    /// The prefix of the live site's tables.
    pub live_prefix: Option<String>,
    /// The prefix that tables have in its dump, and the one that they get.
    pub renaming: Option<Renaming>,
    /// What else was asked for, so that what is known of one choice is not taken for another.
    pub choice: String,
}

impl Foreign {
    /// The sentence of the settings that stay; `None` where the backup has no files, or its own count.
    pub fn keeps_settings(&self, files: bool) -> Option<&'static str> {
        (files && self.settings.is_some()).then_some(
            "In wp-config.php, .env and configuration.php of the backup the database settings are those of the live site: its account and its database stay.",
        )
    }

    /// Refuses a dump whose tables the restored site would not look for; `config`: its `wp-config.php` becomes the site's.
    pub fn other_prefix(&self, found: &Scan, config: bool) -> Option<Error> {
        self.wrong_prefix(&found.dump.as_ref()?.table_names(), config)
    }

    /// The prefixes of its dump of which one has to be told before it can be restored.
    pub fn prefixes_to_tell(&self, found: &Scan, config: bool) -> Vec<String> {
        let listed = self.other_prefix(found, config).and_then(|error| error.context.get(PREFIXES).cloned());
        listed.and_then(|listed| serde_json::from_value(listed).ok()).unwrap_or_default()
    }

    /// Refuses a `wp-config.php` that looks for other tables than the live ones, which stay.
    pub fn other_live_prefix(&self, config: bool) -> Option<Error> {
        let own = self.own_prefix.as_deref().filter(|own| config && !own.is_empty() && self.settings.is_some())?;
        let live = self.live_prefix.as_deref().filter(|live| *live != own)?;
        let (own, live) = (text::printable(own), text::printable(live));
        let message =
            format!("the live tables, which stay, begin with {live}, and the wp-config.php of the backup says {own}");
        Some(
            Error::new(Code::BackupIncomplete, message)
                .hint("Restore the database, too, or leave the live file: `--exclude-path wp-config.php`."),
        )
    }

    /// What is said of the tables of its dump that are not the site's by their names.
    pub fn left_out(&self, found: &Scan) -> Option<String> {
        let renaming = self.renaming.as_ref()?;
        let names = &found.dump.as_ref()?.survey.origin.left_out;
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.starts_with("database ")).collect();
        let only = renaming.only.as_ref().filter(|_| !names.is_empty())?;
        Some(format!("Not restored, because they do not begin with {only}: {}.", text::few(names)))
    }

    /// What is said of live tables that its dump does not hold, where nobody knows whether they are to go.
    pub fn unsure(&self, found: &Scan) -> Option<&'static str> {
        self.extent.unsure(&found.dump.as_ref().filter(|dump| dump.complete)?.table_names())
    }

    /// The same for the names of tables.
    pub fn wrong_prefix(&self, tables: &[&str], config: bool) -> Option<Error> {
        let renaming = self.renaming.as_ref();
        if let Some((only, to)) = renaming.and_then(|renaming| Some((renaming.only.as_ref()?, &renaming.to)))
            && !tables.iter().any(|table| table.starts_with(to.as_str()))
        {
            let message = format!("no table of the dump begins with {}", text::printable(only));
            return Some(
                Error::new(Code::BackupIncomplete, message)
                    .hint("Say the prefix that they have: a preview without `--prefix` lists them."),
            );
        }
        let own = self.own_prefix.as_deref().filter(|_| config);
        let expected = own.or(self.live_prefix.as_deref()).filter(|prefix| !prefix.is_empty())?;
        // A plugin's table may end so, too; the application has both.
        let has = |prefix: &str, name: &str| tables.iter().any(|table| table.strip_prefix(prefix) == Some(name));
        let is_one = |prefix: &&str| has(prefix, "posts");
        let prefixes: Vec<&str> =
            tables.iter().filter_map(|name| name.strip_suffix("options")).filter(is_one).collect();
        let found = prefixes.first()?;
        if tables.iter().any(|name| name.strip_suffix("options") == Some(expected)) {
            return None;
        }
        // Where the backup's wp-config.php comes, it looks for its own, and a placeholder gets the right one by itself.
        let is_open = renaming.is_none_or(|renaming| renaming.only.is_none() && renaming.placeholder.is_none());
        let to_tell: Vec<&str> = match own.is_none() && is_open {
            true => prefixes.iter().copied().filter(|prefix| is_prefix(prefix)).take(MAX_PREFIXES).collect(),
            false => Vec::new(),
        };
        let (found, expected) = (text::printable(found), text::printable(expected));
        let message =
            format!("the tables of the dump begin with {found}, and the site's wp-config.php says {expected}");
        let hint = match (own, renaming.is_some_and(|renaming| renaming.only.is_some())) {
            (Some(_), true) => {
                "Leave the live file, which has the live prefix: `--exclude-path wp-config.php`.".to_owned()
            }
            (Some(_), false) => format!(
                "It is the dump of another site, or wp-config.php has to say $table_prefix = '{found}'. Choose another dump, or restore the files alone."
            ),
            (None, _) => match to_tell.first() {
                Some(one) => format!(
                    "If these are the site's tables, say so: `--prefix {one}` (\"prefix\" in `backup`); they get the live prefix then. Else choose another dump, or restore the files alone."
                ),
                None => "Choose another dump, or restore the files alone.".to_owned(),
            },
        };
        let error = Error::new(Code::BackupIncomplete, message).hint(hint);
        Some(if to_tell.is_empty() { error } else { error.with(PREFIXES, to_tell) })
    }
}

/// Rows that a dump's own list tells, by the names that its tables have afterwards; tables that are left out have none.
fn told_rows(listed: &[(String, u64)], renaming: Option<&Renaming>) -> HashMap<String, u64> {
    let from = renaming.and_then(|renaming| Some((renaming.from.as_ref()?, &renaming.to)));
    let only = renaming.and_then(|renaming| renaming.only.as_ref());
    let name = |told: &str| match from.and_then(|(from, to)| Some((told.strip_prefix(from.as_str())?, to))) {
        Some((rest, to)) => format!("{to}{rest}"),
        None => told.to_owned(),
    };
    let own = listed.iter().filter(|(table, _)| only.is_none_or(|only| table.starts_with(only.as_str())));
    own.map(|(table, rows)| (name(table), *rows)).collect()
}

impl Source {
    /// Which of its files this is.
    pub(crate) fn number(&self, part: &Part) -> Option<usize> {
        self.parts.iter().position(|other| std::ptr::eq(other, part))
    }

    /// The live folder that its tree takes the place of.
    pub fn target(&self) -> &Path {
        match self.holds {
            Holds::SiteFolder => &self.site.folder,
            Holds::DocumentRoot => &self.site.root,
        }
    }

    /// Whether the tree has the document root where the live site has it. Put there without, nothing would be shown.
    ///
    /// # Errors
    /// `backup_incomplete` saying where the document root is, and who says so.
    pub fn require_document_root(&self, seen: &Seen) -> Result<()> {
        let inner = self.site.root_in_folder();
        if self.foreign.as_ref().is_some_and(|foreign| foreign.parts.is_some()) {
            return Ok(());
        }
        if self.holds == Holds::DocumentRoot || inner.is_root() || seen.document_root || !seen.root {
            return Ok(());
        }
        let (domain, root, path) = (&self.site.domain, self.site.root.display(), self.path.display());
        let message = format!("{path} holds no {inner}: the document root of {domain} is {root}");
        Err(Error::new(Code::BackupIncomplete, message)
            .hint(format!(
                "{} says so. Choose another backup, or restore single folders of this one.",
                self.site.told_by
            ))
            .with("document_root", root.to_string()))
    }

    /// Bytes of all parts on disk.
    pub fn packed_bytes(&self) -> u64 {
        let is_first = |at: usize| !self.parts[..at].iter().any(|part| part.identity == self.parts[at].identity);
        let sizes = self.parts.iter().enumerate().filter(|(at, _)| is_first(*at));
        sizes.map(|(_, part)| part.identity.size).sum()
    }

    /// Of another program's backup: its own database settings, where the options say so. What is told of it, then.
    pub fn keep(&mut self, options: &Options) -> Option<&Foreign> {
        if let Some(foreign) = self.foreign.as_mut().filter(|_| options.keep_database_settings == Some(false)) {
            foreign.settings = None;
            foreign.choice.push_str(" own settings");
        }
        self.foreign.as_deref()
    }

    /// What it is known by: two choices out of one file are two backups.
    pub fn key(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone()).display().to_string();
        match &self.foreign {
            Some(foreign) => format!("{path}\n{}", foreign.choice),
            None => path,
        }
    }

    /// Whether sources of this kind hold a database; where it is not known, they do.
    pub fn may_hold_database(&self) -> bool {
        if let Some(foreign) = &self.foreign {
            return foreign.dump;
        }
        match self.form {
            Form::Snapshot => self.dump_beside().is_some(),
            Form::Backup => self.known_layout().is_none_or(|layout| layout.whole() || layout.dump_beside()),
        }
    }

    /// Refuses a dump whose tables have other numbers of rows than its own list of them says; `found`: of those that were read.
    pub fn other_rows<'t>(&self, found: impl Iterator<Item = (&'t str, u64)>) -> Option<Error> {
        let dump = self.parts.iter().find_map(Part::dump_folder).filter(|dump| !dump.rows.is_empty())?;
        let renaming = self.foreign.as_ref().and_then(|foreign| foreign.renaming.as_ref());
        let told = told_rows(&dump.rows, renaming);
        let mut wrong = found.filter_map(|(table, rows)| Some((table, rows, *told.get(table)?)));
        let (table, rows, said) = wrong.find(|(_, rows, said)| rows != said)?;
        let message = format!("`metadata` says {said} rows of {}, and its files hold {rows}", text::printable(table));
        Some(Error::new(Code::BackupIncomplete, message).hint("Copy the folder again, or choose another dump."))
    }

    /// Whether several archives on top of each other make its state.
    pub fn is_layered(&self) -> bool {
        self.parts.iter().filter(|part| part.role == Role::Archive).nth(1).is_some()
    }

    /// The part of that role.
    pub fn part(&self, wanted: impl Fn(&Role) -> bool) -> Option<&Part> {
        self.parts.iter().find(|part| wanted(&part.role))
    }

    /// The dump that lies beside the archive or in the snapshot's folder.
    pub fn dump_beside(&self) -> Option<&Part> {
        self.part(|role| *role == Role::Dump)
    }

    /// The layout, where the first entries told it.
    pub fn known_layout(&self) -> Option<&'static dyn Layout> {
        self.layout.and_then(layout::named)
    }

    /// Identities in the order of the parts, to be kept with a job and compared when it goes on.
    pub fn identities(&self) -> Vec<Identity> {
        self.parts.iter().map(|part| part.identity).collect()
    }

    /// Whether this is what the job began with.
    ///
    /// # Errors
    /// `backup_changed` naming the first part that differs.
    pub fn same_as(&self, earlier: &[Identity]) -> Result<()> {
        let differs = self.parts.iter().enumerate().find(|(at, part)| earlier.get(*at) != Some(&part.identity));
        match differs {
            None if earlier.len() == self.parts.len() => Ok(()),
            differs => {
                let path = differs.map_or(&self.path, |(_, part)| &part.path).display().to_string();
                Err(Error::new(Code::BackupChanged, format!("{path} is not the file the job began with"))
                    .with("path", path))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_that_will_be_there_tells_the_prefix_of_the_tables() {
        let prefix = |text: &str| Some(text.to_owned());
        let foreign = |own, live| Foreign { own_prefix: own, live_prefix: live, ..Foreign::default() };
        let of = |start: &str| [format!("{start}options"), format!("{start}posts"), format!("{start}x_options")];
        let refusal = |foreign: &Foreign, tables: &[String], config| {
            let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
            foreign.wrong_prefix(&tables, config)
        };
        let wrong = |foreign: &Foreign, tables: &[String], config| refusal(foreign, tables, config).is_some();
        let both = foreign(prefix("shop_"), prefix("wp_"));
        assert!(!wrong(&both, &of("shop_"), true) && wrong(&both, &of("wp_"), true));
        assert!(wrong(&both, &of("shop_"), false), "the live wp-config.php stays");
        assert!(!wrong(&both, &of("wp_"), false));
        let renamed = Foreign { renaming: Some(Renaming::default()), ..foreign(None, prefix("wp_")) };
        assert!(wrong(&renamed, &of("other_"), true), "what the renaming did not reach is another site's");
        assert!(!wrong(&foreign(prefix(""), prefix("wp_")), &of("shop_"), true), "nobody knows");
        assert!(!wrong(&both, &["rv_options".to_owned()], true), "a plugin's table tells nothing");
        let to_tell = |foreign: &Foreign, tables: &[String], config| {
            refusal(foreign, tables, config).unwrap().context.get(PREFIXES).cloned().unwrap_or_default()
        };
        let two = [of("shop_"), of("b`d"), of("old_")].concat();
        assert_eq!(to_tell(&both, &two, false), serde_json::json!(["shop_", "old_"]), "a name that can be told");
        assert!(to_tell(&both, &of("b`d"), false).is_null());
        assert!(to_tell(&both, &of("old_"), true).is_null(), "the backup's wp-config.php looks for its own");
        let told = Renaming { to: "wp_".into(), only: Some("old_".into()), ..Renaming::default() };
        let told = Foreign { renaming: Some(told), ..foreign(None, prefix("x_")) };
        assert!(to_tell(&told, &of("wp_"), true).is_null(), "it was told already");
        assert!(both.other_live_prefix(true).is_none(), "with its own settings it is another database");
        let kept = Foreign { settings: Some(Settings::of(Default::default())), ..both };
        assert!(kept.other_live_prefix(true).is_some() && kept.other_live_prefix(false).is_none());
    }

    #[test]
    fn of_the_rows_that_a_dump_tells_those_of_the_sites_own_tables_count() {
        let rows = [("wp_posts", 3), ("shop_posts", 9), ("wp_users", 1)].map(|(name, rows)| (name.to_owned(), rows));
        let renaming =
            Renaming { from: Some("wp_".into()), to: "shop_".into(), only: Some("wp_".into()), ..Renaming::default() };
        for told in [rows.to_vec(), rows.iter().rev().cloned().collect()] {
            let told = told_rows(&told, Some(&renaming));
            assert_eq!((told.get("shop_posts"), told.get("shop_users"), told.len()), (Some(&3), Some(&1), 2));
        }
        assert_eq!(told_rows(&rows, None).get("shop_posts"), Some(&9));
    }

    #[test]
    fn an_open_part_stays_the_same_file_when_another_takes_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar.gz");
        std::fs::write(&path, b"\x1f\x8bold").unwrap();
        let part = Part::open(&path, Role::Archive).unwrap();
        std::fs::write(folder.path().join("b"), b"new bytes").unwrap();
        std::fs::rename(folder.path().join("b"), &path).unwrap();
        let mut text = Vec::new();
        part.reader().read_to_end(&mut text).unwrap();
        assert_eq!(text, b"\x1f\x8bold");
        assert_eq!(part.codec, Codec::Gzip);
        assert_ne!(Part::open(&path, Role::Archive).unwrap().identity, part.identity);
    }

    #[test]
    fn a_part_written_to_while_it_is_read_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar");
        std::fs::write(&path, b"old").unwrap();
        let part = Part::open(&path, Role::Archive).unwrap();
        part.unchanged().unwrap();
        std::fs::write(&path, b"longer").unwrap();
        assert_eq!(part.unchanged().unwrap_err().code, Code::BackupChanged);
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        assert_eq!(Part::open(&path, Role::Archive).unwrap_err().code, Code::PathNotAllowed);
        assert_eq!(Part::open(folder.path(), Role::Archive).unwrap_err().code, Code::BackupUnreadable);
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, Mode::from(0o600), 0).unwrap();
        assert_eq!(Part::open(&fifo, Role::Archive).unwrap_err().code, Code::BackupUnreadable);
    }
}
