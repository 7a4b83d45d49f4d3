//! The catalogue of a backup: every entry of the site as a restore would leave it, the last one of each path, in the format of
//! [`manifest`]; beside it the CREATE TABLE texts of its dump. Made by a whole reading and kept in our own private folder, for
//! previews of any depth and for comparing a backup with the live site. Only shown, never a reason to skip a check.
//!
//! Two files a backup, `PATH-KEY.tree` and `PATH-KEY.tables`: PATH stands for where the backup lies, KEY for the fingerprints
//! of its files, so that a catalogue of other files is never found.

use crate::archive::{Entry, EntryKind};
use crate::backup::index::{self, Fingerprint};
use crate::backup::scan::Scan;
use crate::backup::source::Source;
use crate::config::Config;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::tree::Kind;
use crate::host::tree::manifest::{self, Reader, Record, Replaced};
use crate::path::RelPath;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

const TREE: &str = "tree";
const TABLES: &str = "tables";
const DRAFT: &str = "draft";
/// Most entries a catalogue is made of: their paths are told apart by 16 MiB of hashes.
pub const MAX_ENTRIES: u64 = 1_800_000;
/// Largest file of CREATE TABLE texts read; the texts themselves are bounded where they are collected.
const MAX_TABLES_BYTES: u64 = 16 << 20;

/// The catalogue that an earlier reading of these very files made: whole and undamaged, ready for [`Reader::new`].
pub fn open(config: &Config, source: &Source) -> Option<File> {
    let file = open_unchecked(config, source)?;
    let mut reader = Reader::new(file.try_clone().ok()?).ok()?;
    while reader.next_record().ok()?.is_some() {}
    Some(file)
}

/// The same for one who reads it to its end anyway, which tells about damage.
pub(crate) fn open_unchecked(config: &Config, source: &Source) -> Option<File> {
    index::open_own(&place(config, source)?.with_extension(TREE))
}

/// The CREATE TABLE texts of the backup's dump by table, as far as they were short enough to keep; empty when none are known.
pub fn create_texts(config: &Config, source: &Source) -> HashMap<String, String> {
    let read = || {
        let file = index::open_own(&place(config, source)?.with_extension(TABLES))?;
        let mut bytes = Vec::new();
        file.take(MAX_TABLES_BYTES).read_to_end(&mut bytes).ok()?;
        let (sum, text) = bytes.split_first_chunk::<8>()?;
        (u64::from_le_bytes(*sum) == xxh3_64(text)).then(|| serde_json::from_slice(text).ok())?
    };
    read().unwrap_or_default()
}

/// Where the catalogue of a source lies, without its ending.
fn place(config: &Config, source: &Source) -> Option<PathBuf> {
    let files = Fingerprint::all(source).ok()?;
    Some(index::folder(config, &source.site.domain).join(name(source, &files)))
}

fn name(source: &Source, files: &[Fingerprint]) -> String {
    let mut sum = Xxh3::new();
    for (file, part) in files.iter().zip(&source.parts) {
        sum.update(part.path.as_os_str().as_encoded_bytes());
        sum.update(format!("\n{} {}.{} {} {}\n", file.size, file.mtime, file.mtime_ns, file.ino, file.ends).as_bytes());
    }
    format!("{}-{:016x}", path_word(&index::key(&source.path)), sum.digest())
}

fn path_word(key: &str) -> String {
    format!("{:016x}", xxh3_64(key.as_bytes()))
}

/// A catalogue that is being made. Dropped without [`Draft::publish`], nothing stays of it.
pub struct Draft {
    path: PathBuf,
    name: String,
    folder: PathBuf,
    writer: Option<manifest::Writer>,
    file: Option<File>,
    replaced: Replaced,
    seen: HashSet<u64>,
}

impl Draft {
    /// Begins the catalogue of a source; `files` are its fingerprints from before it is read.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`: the caller may go on without.
    pub fn begin(config: &Config, source: &Source, files: &[Fingerprint]) -> Result<Draft> {
        static TURN: AtomicU64 = AtomicU64::new(0);
        let folder = index::private_folder(config, &source.site.domain)?;
        let name = name(source, files);
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{name}.{}-{turn}.{DRAFT}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let file = manifest::create(&path)?;
        let mut draft = Draft {
            path,
            name,
            folder,
            writer: None,
            file: None,
            replaced: Replaced::default(),
            seen: HashSet::new(),
        };
        draft.writer = Some(manifest::Writer::new(file)?);
        Ok(draft)
    }

    /// Begins an archive: a path may come again in each, but what comes twice in one is replaced.
    pub fn next_archive(&mut self) {
        self.seen.clear();
    }

    /// Adds an entry of the site; `link` is the target of a link as the site sees it.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`, `limit_exceeded`: the caller may go on without a catalogue.
    pub fn add(&mut self, path: &RelPath, entry: &Entry, hash: u64, link: Vec<u8>) -> Result<()> {
        let kind = match &entry.kind {
            EntryKind::File | EntryKind::HardLink(_) => Kind::File,
            EntryKind::Folder => Kind::Folder,
            EntryKind::Symlink(_) => Kind::Symlink,
            EntryKind::Special(_) => return Ok(()),
        };
        let record = Record {
            path: path.clone(),
            kind,
            mode: entry.mode & 0o777,
            uid: entry.uid,
            gid: entry.gid,
            size: entry.size,
            mtime: Some(entry.mtime),
            hash,
            link,
            hard_link: matches!(entry.kind, EntryKind::HardLink(_)),
        };
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let number = writer.append(&record)?;
        if number >= MAX_ENTRIES {
            return Err(Error::new(Code::LimitExceeded, format!("a catalogue holds {MAX_ENTRIES} entries")));
        }
        if !self.seen.insert(xxh3_64(path.as_bytes())) {
            self.replaced.note(path, number)?;
        }
        Ok(())
    }

    /// Ends the catalogue; true when entries of it replaced earlier ones.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn finish(&mut self) -> Result<bool> {
        self.seen = HashSet::new();
        if let Some(writer) = self.writer.take() {
            self.file = Some(writer.finish(&self.replaced)?);
        }
        Ok(self.replaced.count() > 0)
    }

    /// The records of a finished draft, without the replaced ones.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn reader(&self) -> Result<Option<Reader>> {
        let Some(file) = &self.file else { return Ok(None) };
        Reader::new(file.try_clone().doing(|| format!("open {}", self.path.display()))?).map(Some)
    }

    /// Gives a finished draft its name, and puts the CREATE TABLE texts of the dump beside it.
    ///
    /// # Errors
    /// `io_failed`, `disk_full`.
    pub fn publish(mut self, found: &Scan) -> Result<()> {
        if self.file.take().is_none() {
            return Ok(());
        }
        let act = || format!("write {}", self.path.display());
        let tables = found.dump.iter().flat_map(|dump| &dump.tables);
        let texts: HashMap<&str, &str> =
            tables.filter_map(|table| Some((table.name.as_str(), table.create.as_deref()?))).collect();
        let text = serde_json::to_vec(&texts).unwrap_or_default();
        let bytes = [&xxh3_64(&text).to_le_bytes()[..], &text].concat();
        let beside = self.path.with_extension(TABLES.to_owned() + "." + DRAFT);
        let place = |ending: &str| self.folder.join(format!("{}.{ending}", self.name));
        index::write_new(&beside, &bytes)
            .and_then(|()| std::fs::rename(&beside, place(TABLES)))
            .inspect_err(|_| drop(std::fs::remove_file(&beside)))
            .and_then(|()| std::fs::rename(&self.path, place(TREE)))
            .doing(act)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publishing there is nothing of that name.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Removes the catalogues of backups that are gone, those of `just_read` that are of other files than the ones read, and
/// drafts of dead processes.
pub(crate) fn sweep(config: &Config, source: &Source, files: &[Fingerprint], known: &index::Index) {
    let Ok(entries) = std::fs::read_dir(index::folder(config, &source.site.domain)) else { return };
    let current = name(source, files);
    let own = path_word(&index::key(&source.path));
    let known: HashSet<String> = known.keys().map(path_word).collect();
    for entry in entries.flatten() {
        let file = entry.file_name();
        let Some(file) = file.to_str() else { continue };
        let Some((name, ending)) = file.split_once('.') else { continue };
        let stale = if ending.ends_with(DRAFT) {
            let pid = ending.split(['-', '.']).next().unwrap_or_default();
            !Path::new("/proc").join(pid).exists()
        } else if matches!(ending, TREE | TABLES) {
            let path = name.split('-').next().unwrap_or_default();
            !known.contains(path) || (path == own && name != current)
        } else {
            false
        };
        if stale {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
