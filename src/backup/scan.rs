//! What is inside a backup, learned by reading it whole once: the integrity check and the preview in one pass.
//!
//! Every byte goes through gzip's and tar's own checks; nothing is written. Memory stays bounded whatever the
//! archive: folders are counted to a depth and a number, configuration is kept to 1 MiB a file.

use crate::archive::{self, Entry, EntryKind, Limits, Segment, TarReader};
use crate::backup::cache::catalogue::Draft;
use crate::backup::contents::kind_of;
use crate::backup::layers::Layers;
use crate::backup::layout::{ConfigItem, Place, Seen, Sorter};
use crate::backup::meta::Meta;
use crate::backup::name::file_name;
use crate::backup::source::{Part, Role, Source};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::tree;
use crate::path::{MAX_PATH, RelPath};
use crate::progress::{Level, Monitor, Phase};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufReader, Read};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

pub use crate::backup::contents::folders::Folders;
pub use crate::backup::contents::{Application, ConfigFound, DumpScan, Scan};
pub use crate::sql::tally::{TableTally, tally};

/// Largest configuration file accepted, in bytes.
pub const MAX_CONFIG_FILE: u64 = 1 << 20;
/// Most configuration files accepted.
pub const MAX_CONFIG_FILES: usize = 64;
/// Most links out of the site that are remembered.
const MAX_LINKS_OUT: usize = 100;
const CHUNK: usize = 256 << 10;
/// Most replaced files whose content is remembered for hard links.
const MAX_OLD_CONTENT: usize = 100_000;

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
        found: Scan {
            packed_bytes: source.packed_bytes(),
            root_in_folder: source.site.root_in_folder(),
            ..Scan::default()
        },
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
                Place::Dump if entry.kind == EntryKind::File => {
                    self.found.dump = Some(read_dump(path.to_string(), &mut *tar, self.monitor)?);
                }
                Place::Config(item, name) if entry.kind == EntryKind::File => {
                    keep_config(&mut self.found, item, &name, entry.size, &mut *tar)?;
                }
                Place::Config(item, _) => self.found.seen.note_config_link(item, &path, &entry.kind),
                _ => {}
            }
        }
        if self.layers.is_none() {
            tar.require_whole()?;
        }
        self.found.without_end_mark |= tar.lacks_end_mark();
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
            EntryKind::Symlink(target) => {
                link.clone_from(target);
                let leaves = tree::link::check(&path, target, Some(self.source.target())).is_err();
                if leaves && self.found.links_out.len() < MAX_LINKS_OUT && target.len() <= MAX_PATH {
                    self.found.links_out.push((path.clone(), target.clone()));
                }
            }
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
        // A link in a file's place is no configuration.
        self.found.seen.config = self.found.config.iter().map(|file| file.item).collect();
        Ok(self.found)
    }

    fn give_up(&mut self, error: &Error) {
        *self.catalogue = None;
        self.monitor.event(Level::Warn, &format!("the catalogue of the backup is not made: {error}"));
    }
}

/// A hard link names its target as the archive does; seen from the document root where it lies there.
fn seen_from_site(sorter: &Sorter, target: &[u8]) -> Vec<u8> {
    let inside = RelPath::parse(target).ok().and_then(|path| path.strip_prefix(sorter.root()?));
    inside.map_or_else(|| target.to_vec(), |inside| inside.as_bytes().to_vec())
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
    found.config.push(ConfigFound { item, name: name.to_owned(), size, content, hash, meaning: None });
    Ok(())
}

fn read_all(from: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes).map_err(archive::unwrap_io)?;
    Ok(bytes)
}

/// Reads a dump, plain or compressed (its first bytes decide), and counts what is in it.
fn read_dump(name: String, from: impl Read, monitor: &dyn Monitor) -> Result<DumpScan> {
    let named = |error: Error| error.with("dump", name.clone());
    let whole = archive::text(BufReader::with_capacity(CHUNK, from)).map_err(named)?;
    let mut bytes = 0;
    let ended = tally(Counted { inner: whole, bytes: &mut bytes, monitor })
        .map_err(|error| named(archive::unwrap_io(error)))?;
    Ok(DumpScan {
        name,
        bytes,
        complete: ended.complete,
        tables: ended.tables,
        objects: ended.objects,
        object_list: ended.object_list,
        sequences: ended.sequences,
        survey: ended.survey,
    })
}

/// Counts the bytes of a dump, and stops between reads when the job is to stop.
struct Counted<'a, R> {
    inner: R,
    bytes: &'a mut u64,
    monitor: &'a dyn Monitor,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.monitor.keep_going().map_err(archive::wrap)?;
        let read = self.inner.read(buffer)?;
        *self.bytes += read as u64;
        Ok(read)
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
