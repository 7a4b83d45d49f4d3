//! What is inside a backup, learned by reading it whole once: the integrity check and the preview in one pass.
//!
//! Every byte goes through gzip's and tar's own checks; nothing is written. Memory stays bounded whatever the
//! archive: folders are counted to a depth and a number, configuration is kept to 1 MiB a file.

use crate::archive::{self, Entry, EntryKind, Limits, Recorder, Segment};
use crate::backup::cache::catalogue::Draft;
use crate::backup::cache::seek::Class;
use crate::backup::contents::kind_of;
use crate::backup::layers::Layers;
use crate::backup::layout::{Place, Seen, Sorter};
use crate::backup::name::file_name;
use crate::backup::read::{self, CHUNK, Purpose, Walk, Walked, Watched, check_sum, keep_config};
use crate::backup::source::{Part, Role, Source, newest_first};
use crate::backup::wanted::{Wanted, Wish, WishedDump};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::host::tree;
use crate::path::{MAX_PATH, RelPath};
use crate::progress::{Level, Monitor, Phase};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

pub use crate::backup::contents::folders::Folders;
pub use crate::backup::contents::{Application, ConfigFound, DumpScan, Scan};
use crate::sql::tally::{RowsRun, tally_for};
pub use crate::sql::tally::{TableTally, tally};
use crate::sql::versioned::Dialect;

/// Most links out of the site that are remembered.
const MAX_LINKS_OUT: usize = 100;
/// Most replaced files whose content is remembered for hard links.
const MAX_OLD_CONTENT: usize = 100_000;

/// Reads every part of the source whole. Progress goes to [`Phase::Verify`], in bytes on disk.
///
/// # Errors
/// `backup_corrupt`, `backup_layout_unknown`, `unsafe_path`, `limit_exceeded`, `backup_changed`, `io_failed`, and
/// the monitor's own.
pub fn scan(source: &Source, config: &Config, monitor: &dyn Monitor) -> Result<Scan> {
    scan_into(source, config, None, &mut None, monitor)
}

/// The same; the dump is read as `server` would, and every entry of the site goes into the catalogue. What keeps the catalogue from being
/// made is said, and the reading goes on without.
///
/// # Errors
/// As [`scan`].
pub fn scan_into(
    source: &Source,
    config: &Config,
    server: Option<Dialect>,
    catalogue: &mut Option<Draft>,
    monitor: &dyn Monitor,
) -> Result<Scan> {
    let mut reading = Reading {
        source,
        server,
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
    monitor.set_total(Phase::Verify, 0, reading.found.packed_bytes);
    let mut first = true;
    for part in newest_first(&source.parts) {
        if part.role == Role::Archive && !std::mem::take(&mut first) {
            reading.descend();
        }
        reading.part(part, Limits::from_config(&config.limits))?;
    }
    reading.finish()
}

/// A file that newer archives replaced.
struct OldContent {
    size: u64,
    hash: u64,
    /// The first hard link that takes it.
    first_link: Option<RelPath>,
}

struct Reading<'a> {
    source: &'a Source,
    server: Option<Dialect>,
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
        let number = self.source.number(part);
        let recorder = match (self.catalogue.as_mut(), number) {
            (Some(draft), Some(number)) => draft.part(number, part),
            _ => None,
        };
        match &part.role {
            Role::Dump => {
                let text = read::dump_text(self.source, raw, recorder)?;
                let (dump, runs) = read_dump(name, text, self.server, self.monitor)?;
                self.found.dump = Some(dump);
                self.note_dump(None, runs);
            }
            Role::ConfigFile { item, name } => {
                keep_config(&mut self.found.config, *item, name, part.identity.size, raw)?;
            }
            Role::Archive | Role::Files | Role::Config => self.archive(part, limits, recorder)?,
        }
        if let Some(draft) = self.catalogue {
            draft.end_part();
        }
        part.unchanged()
    }

    /// Notes where the rows of the dump are; places in a text that is changed on its way mean nothing.
    fn note_dump(&mut self, entry: Option<u64>, runs: Vec<RowsRun>) {
        let is_renamed = self.source.foreign.as_ref().is_some_and(|foreign| foreign.renaming.is_some());
        if let (Some(draft), false) = (self.catalogue.as_mut(), is_renamed) {
            draft.dump(entry, runs);
        }
    }

    /// Leaves out the seek index: which of two dumps counts only a whole reading tells.
    fn without_seek(&mut self) {
        if let Some(draft) = self.catalogue {
            draft.without_seek();
        }
    }

    /// Notes an entry that is none of the site's.
    fn pass(&mut self, entry: &Entry, class: Class) {
        if let Some(draft) = self.catalogue {
            draft.pass(entry, class);
        }
    }

    fn archive(&mut self, part: &Part, limits: Limits, recorder: Option<Recorder>) -> Result<()> {
        let (monitor, layered) = (self.monitor, self.layers.is_some());
        let walk = Walk { recorder, ..Walk::new(self.source, limits, monitor, Purpose::Check) };
        let walked = walk.over(part, |place, path, entry, sorter, data| {
            match place {
                Place::Site(inner) => self.site_entry(inner, &entry, data, sorter)?,
                Place::Dump if entry.kind == EntryKind::File => {
                    self.pass(&entry, Class::Dump);
                    let (dump, runs) = read_dump(path.to_string(), data, self.server, monitor)?;
                    if self.found.dump.replace(dump).is_some() {
                        self.without_seek();
                    }
                    if let (None, Some(begin)) = (&entry.segments, entry.begin) {
                        self.note_dump(Some(begin), runs);
                    }
                }
                Place::Config(item, name) if entry.kind == EntryKind::File => {
                    self.pass(&entry, Class::Config);
                    keep_config(&mut self.found.config, item, &name, entry.size, data)?;
                }
                Place::Config(item, _) => {
                    self.pass(&entry, Class::Config);
                    self.found.seen.note_config_link(item, path, &entry.kind);
                }
                Place::Dump | Place::Meta | Place::Other => self.pass(&entry, Class::Other),
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let Some(Walked { sorter, unpacked_bytes, lacks_end_mark }) = walked else { return Ok(()) };
        self.found.without_end_mark |= lacks_end_mark;
        if sorter.seen().second_dump.is_some() {
            self.without_seek();
        }
        self.found.unpacked_bytes += unpacked_bytes;
        let layout = sorter.layout().map(str::to_owned);
        self.found.layout = self.found.layout.take().or(layout);
        // Nothing may have changed since the backup before it.
        if !layered || *sorter.seen() != Seen::default() {
            self.found.seen.merge(sorter.finish().map_err(|error| part.named(error))?);
        }
        Ok(())
    }

    fn site_entry(&mut self, path: RelPath, entry: &Entry, data: &mut dyn Read, sorter: &Sorter) -> Result<()> {
        if let Some(layers) = &mut self.layers {
            let is_folder = entry.kind == EntryKind::Folder;
            let covered = layers.covers(&path, is_folder);
            layers.add(&path, is_folder);
            if covered {
                return self.replaced(&path, entry, data);
            }
        }
        let mut entry = Cow::Borrowed(entry);
        let (mut hash, mut link) = (0, Vec::new());
        match &entry.kind {
            EntryKind::File if self.catalogue.is_some() || tells_application(&path) => {
                hash = self.content(&entry, data)?;
                if tells_application(&path) && entry.segments.is_none() && entry.size <= self.buffer.len() as u64 {
                    let text = String::from_utf8_lossy(&self.buffer[..entry.size as usize]);
                    hint(&mut self.found.application, &path, &text);
                }
            }
            EntryKind::HardLink(target) => {
                link = read::seen_from_site(sorter, target)
                    .map_or_else(|| target.clone(), |inside| inside.as_bytes().to_vec());
                // A link to a file that a newer archive replaced has that file's old content.
                if let Some(old) = self.old_content.get_mut(&xxh3_64(&link)) {
                    match &old.first_link {
                        Some(first) => link = first.as_bytes().to_vec(),
                        None => {
                            let own = entry.to_mut();
                            (own.kind, own.size, hash, link) = (EntryKind::File, old.size, old.hash, Vec::new());
                            old.first_link = Some(path.clone());
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
    fn replaced(&mut self, path: &RelPath, entry: &Entry, data: &mut dyn Read) -> Result<()> {
        if entry.kind != EntryKind::File || self.old_content.len() >= MAX_OLD_CONTENT {
            return Ok(());
        }
        let hash = if self.catalogue.is_some() { self.content(entry, data)? } else { 0 };
        self.old_content.insert(xxh3_64(path.as_bytes()), OldContent { size: entry.size, hash, first_link: None });
        Ok(())
    }

    /// Reads a file through for its hash; one that fits is in the buffer then.
    fn content(&mut self, entry: &Entry, data: &mut dyn Read) -> Result<u64> {
        let size = entry.size;
        if entry.segments.is_none() && size <= self.buffer.len() as u64 {
            let content = &mut self.buffer[..size as usize];
            data.read_exact(content).map_err(archive::unwrap_io)?;
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
                data.read_exact(&mut self.buffer[..most]).map_err(archive::unwrap_io)?;
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
    let mut found = Vec::new();
    let wish = Wish { site: &mut |_| false, config: true, dump: WishedDump::None };
    let chosen = Wanted::choose(config, source, wish);
    let walk = Walk {
        wanted: chosen.as_ref(),
        ..Walk::new(source, Limits::from_config(&config.limits), monitor, Purpose::Check)
    };
    for part in newest_first(&source.parts) {
        if found.len() >= wanted.len() {
            break;
        }
        let raw = Watched { inner: part.reader(), monitor, stop: None };
        match &part.role {
            Role::Dump => {}
            Role::ConfigFile { item, name } => keep_config(&mut found, *item, name, part.identity.size, raw)?,
            Role::Archive | Role::Files | Role::Config => {
                walk.over(part, |place, _, entry, _, data| {
                    if let (Place::Config(item, name), EntryKind::File) = (place, &entry.kind) {
                        keep_config(&mut found, item, &name, entry.size, data)?;
                    }
                    Ok(if found.len() < wanted.len() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
                })?;
            }
        }
        part.unchanged()?;
    }
    Ok(found)
}

/// Hands the text of the source's dump to `look`, and reads no further than that; nothing happens where there is none. Rows of tables
/// that `takes` does not name may be left out.
///
/// # Errors
/// As [`scan`], and what `look` meets.
pub fn read_dump_text(
    source: &Source,
    config: &Config,
    takes: &dyn Fn(&str) -> bool,
    monitor: &dyn Monitor,
    mut look: impl FnMut(&mut dyn Read) -> Result<()>,
) -> Result<()> {
    let wish = Wish { site: &mut |_| false, config: false, dump: WishedDump::RowsOf(takes) };
    let chosen = Wanted::choose(config, source, wish);
    let walk = Walk {
        wanted: chosen.as_ref(),
        ..Walk::new(source, Limits::from_config(&config.limits), monitor, Purpose::Content)
    };
    if let Some(part) = source.parts.iter().find(|part| part.role == Role::Dump) {
        if let Some(mut text) = chosen.as_ref().and_then(|chosen| chosen.text(source, part)) {
            look(&mut text)?;
            return part.unchanged();
        }
        look(&mut read::dump_text(source, BufReader::with_capacity(CHUNK, part.reader()), None)?)?;
        return part.unchanged();
    }
    let mut found = false;
    for part in newest_first(&source.parts) {
        if !matches!(part.role, Role::Archive | Role::Files) || found {
            continue;
        }
        walk.over(part, |place, _, entry, _, data| {
            if (place, &entry.kind) != (Place::Dump, &EntryKind::File) {
                return Ok(ControlFlow::Continue(()));
            }
            found = true;
            look(&mut archive::text(BufReader::with_capacity(CHUNK, data))?)?;
            Ok(ControlFlow::Break(()))
        })?;
        part.unchanged()?;
    }
    Ok(())
}

/// Reads a dump, plain or compressed (its first bytes decide), and counts what is in it; and says where in these bytes its rows are: only
/// in text that is stored as it is do they have places.
fn read_dump(
    name: String,
    from: impl Read,
    server: Option<Dialect>,
    monitor: &dyn Monitor,
) -> Result<(DumpScan, Vec<RowsRun>)> {
    let named = |error: Error| error.with("dump", name.clone());
    let (whole, is_stored) = archive::text_recorded(BufReader::with_capacity(CHUNK, from), None).map_err(named)?;
    let mut bytes = 0;
    let ended = tally_for(Counted { inner: whole, bytes: &mut bytes, monitor }, server)
        .map_err(|error| named(archive::unwrap_io(error)))?;
    let dump = DumpScan {
        name,
        bytes,
        complete: ended.complete,
        tables: ended.tables,
        objects: ended.objects,
        object_list: ended.object_list,
        sequences: ended.sequences,
        triggers: ended.triggers,
        survey: ended.survey,
    };
    Ok((dump, if is_stored { ended.runs } else { Vec::new() }))
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
