//! Reads a backup once and stages it: entries go to the tree's writers, the dump to its spool, site configuration to memory.
//!
//! The archives of a chain are first read whole and checked. Then they are staged newest first, so that each path is written once. A
//! hard link whose file is not staged (not selected, or replaced by a newer archive) takes that file's content.

use crate::archive::{self, Entry, EntryKind, Limits};
use crate::backup::chain::broken;
use crate::backup::contents::ConfigFound;
use crate::backup::layers::Layers;
use crate::backup::layout::{self, Layout, Place, Seen, Sorter};
use crate::backup::name::file_name;
use crate::backup::read::{Purpose, Walk, Walked, check_sum, dump_text, keep_config, seen_from_site};
use crate::backup::source::{Part, Role, Source};
use crate::backup::wanted::{Wanted, Wish, WishedDump};
use crate::config::Config;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::spool::SpoolWriter;
use crate::host::tree::TreeWriter;
use crate::host::tree::kind::Kind;
use crate::host::tree::manifest::Record;
use crate::path::RelPath;
use crate::plan::selection::{Paths, Tables};
use crate::progress::{Monitor, Phase};
use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Most hard links that take the content of a file that is not staged.
const MAX_DETACHED: usize = 100_000;
/// A report names what was not checked.
const READ_IN_PART: &str = "only what was selected was read of the backup, and held against the sums of its first reading; the rest of it was \
                            not checked again";
/// Piece in which a dump is copied into its spool.
const PIECE: usize = 256 << 10;

/// The results of a reading, besides files and dump.
#[derive(Default)]
pub struct Found {
    /// The kinds of entries that were seen.
    pub seen: Seen,
    /// Configuration files.
    pub config: Vec<ConfigFound>,
    /// The layout, where an entry told it.
    pub layout: Option<&'static dyn Layout>,
    /// Selected paths that were found, each the highest that a pattern names; empty when everything is selected.
    pub units: BTreeSet<RelPath>,
    /// Paths that were staged for a glob which turned out to be the name of an entry.
    pub dropped: Vec<RelPath>,
    /// Notes for the user, as sentences.
    pub notes: Vec<String>,
}

/// Reads a source once.
pub struct Reading<'a> {
    /// The backup.
    pub source: &'a Source,
    /// Where the dump goes; `None`: it is passed over.
    pub spool: Option<SpoolWriter>,
    /// Where files go; `None`: they are passed over.
    pub tree: Option<&'a mut TreeWriter>,
    /// The selected files.
    pub paths: &'a Paths,
    /// The selected tables.
    pub tables: &'a Tables,
    /// Whether configuration is wanted.
    pub configuration: bool,
    /// Where what is known of the backup lies.
    pub config: &'a Config,
    /// The limits of an archive.
    pub limits: Limits,
    /// Progress.
    pub monitor: Arc<dyn Monitor>,
}

/// Hard links by the path of the file whose content they take.
#[derive(Default)]
struct DetachedLinks {
    by_target: HashMap<RelPath, Vec<RelPath>>,
    count: usize,
}

/// An archive, and those that are newer.
struct Layer<'a> {
    newer: Option<&'a mut Layers>,
    detached: DetachedLinks,
}

impl Layer<'_> {
    fn covers(&self, path: &RelPath, is_folder: bool) -> bool {
        self.newer.as_ref().is_some_and(|newer| newer.covers(path, is_folder))
    }
}

impl DetachedLinks {
    fn add(&mut self, target: RelPath, link: RelPath) -> Result<()> {
        self.by_target.entry(target).or_default().push(link);
        self.count += 1;
        if self.count > MAX_DETACHED {
            return Err(Error::new(
                Code::LimitExceeded,
                format!("over {MAX_DETACHED} hard links lead to files that are not restored"),
            )
            .hint("Select the folder that holds the files too."));
        }
        Ok(())
    }
}

impl Reading<'_> {
    /// Reads all of it.
    ///
    /// # Errors
    /// `backup_corrupt`, `backup_chain_broken`, `unsafe_path`, `limit_exceeded`, `backup_changed`, and what writing meets.
    pub fn run(&mut self) -> Result<Found> {
        let source = self.source;
        let mut found = Found::default();
        let wanted = self.wanted();
        let wanted = wanted.as_ref();
        // The dump is read first: the server has the most to do, and begins with the first bytes.
        for part in source.parts.iter().filter(|part| part.role == Role::Dump) {
            let named = |error| part.named(error);
            let chosen = wanted.and_then(|wanted| wanted.text(source, part));
            let mut text = match chosen {
                Some(text) => Box::new(text) as Box<dyn Read>,
                None => {
                    part.will_stream();
                    dump_text(source, part.reader(), None).map_err(named)?
                }
            };
            self.spool_dump(&mut text).map_err(named)?;
            found.seen.dump = Some(part.path.display().to_string());
            part.unchanged()?;
        }
        let archives: Vec<&Part> = source.parts.iter().filter(|part| part.role == Role::Archive).collect();
        let mut layers = None;
        if source.is_layered() && self.tree.is_some() {
            self.verify_chain(&archives)?;
            layers = Some(Layers::default());
        }
        for part in archives.into_iter().rev() {
            if layers.is_none() && wanted.is_none_or(|wanted| wanted.of(source, part).is_none()) {
                check_sum(part, self.monitor.as_ref())?;
            }
            self.read_archive(part, layers.as_mut(), wanted, &mut found)?;
            part.unchanged()?;
            if let Some(layers) = &mut layers {
                layers.descend();
            }
        }
        for part in &source.parts {
            match &part.role {
                Role::ConfigFile { item, name } => {
                    found.seen.config.insert(*item);
                    keep_config(&mut found.config, *item, name, part.identity.size, part.reader())?;
                }
                Role::Files | Role::Config => {
                    self.read_archive(part, None, wanted, &mut found)?;
                }
                Role::Archive | Role::Dump => continue,
            }
            part.unchanged()?;
        }
        if let Some(wanted) = wanted {
            found.notes.push(READ_IN_PART.to_owned());
            found.seen.document_root |= wanted.document_root;
        }
        // A symlink in a file's place is no configuration file.
        found.seen.config = found.config.iter().map(|file| file.item).collect();
        if let Some(only) = &self.paths.only {
            only.settle();
            let all = std::mem::take(&mut found.units);
            let (units, dropped): (BTreeSet<RelPath>, _) =
                all.into_iter().partition(|unit| only.units(unit, true).contains(unit));
            let of_another = |path: &RelPath| units.iter().any(|unit| unit.strip_prefix(path).is_some());
            found.dropped = Vec::from_iter(dropped).into_iter().filter(|path: &RelPath| !of_another(path)).collect();
            found.units = units;
        }
        Ok(found)
    }

    /// Reads every archive of a chain to its last byte before anything is staged.
    fn verify_chain(&self, archives: &[&Part]) -> Result<()> {
        for (number, part) in archives.iter().enumerate() {
            self.monitor.current(Phase::Files, &format!("checking {}", file_name(&part.path)));
            check_sum(part, self.monitor.as_ref())?;
            part.will_stream();
            let seen = self.survey(part)?;
            part.unchanged()?;
            // Nothing may have changed between two incrementals; a base holds the site.
            let foreign = seen.others.iter().next();
            if !seen.root && (number == 0 || foreign.is_some()) {
                let what = foreign.map_or_else(|| "it is empty".to_owned(), |name| format!("it holds {name}"));
                let domain = &self.source.site.domain;
                return Err(broken(&part.path, format!("it is no backup of {domain}: {what}")));
            }
        }
        Ok(())
    }

    fn survey(&self, part: &Part) -> Result<Seen> {
        let walked = self.walk(self.monitor.as_ref()).over(part, |_, _, _, _, _| Ok(ControlFlow::Continue(())))?;
        Ok(walked.map_or_else(Seen::default, |walked| walked.sorter.seen().clone()))
    }

    /// What is read where only some of the backup is selected and its first reading left a seek index.
    fn wanted(&self) -> Option<Wanted> {
        let takes = |name: &str| self.tables.takes(name);
        let dump = match &self.spool {
            None => WishedDump::None,
            Some(_) if self.tables.is_whole() => WishedDump::Whole,
            Some(_) => WishedDump::RowsOf(&takes),
        };
        let mut site = |record: &Record| {
            let is_folder = record.kind == Kind::Folder;
            self.tree.is_some() && self.picks(&record.path, is_folder, &mut BTreeSet::new())
        };
        Wanted::choose(self.config, self.source, Wish { site: &mut site, config: self.configuration, dump })
    }

    fn read_archive(
        &mut self,
        part: &Part,
        mut layers: Option<&mut Layers>,
        wanted: Option<&Wanted>,
        found: &mut Found,
    ) -> Result<()> {
        let mut layer = Layer { newer: layers.as_deref_mut(), detached: DetachedLinks::default() };
        let monitor = Arc::clone(&self.monitor);
        let walk = Walk { wanted, ..self.walk(monitor.as_ref()) };
        let walked = walk.over(part, |place, path, entry, sorter, data| {
            match place {
                Place::Site(inner) => self.site_entry(inner, entry, sorter, data, &mut layer, &mut found.units)?,
                Place::Dump => self.spool_dump(data)?,
                Place::Config(item, name) if entry.kind == EntryKind::File => {
                    keep_config(&mut found.config, item, &name, entry.size, data)?;
                }
                Place::Config(item, _) => found.seen.note_config_link(item, path, &entry.kind),
                Place::Meta | Place::Other => {}
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let Some(Walked { sorter, lacks_end_mark, .. }) = walked else { return Ok(()) };
        let detached = layer.detached;
        if lacks_end_mark {
            let name = file_name(&part.path);
            found.notes.push(format!("{name} has no end mark; the checksum of gzip says that nothing is missing"));
        }
        if self.spool.is_some() {
            sorter.seen().one_dump().map_err(|error| part.named(error))?;
        }
        found.layout = found.layout.or(sorter.layout().and_then(layout::named));
        if self.source.is_layered() {
            // The chain was checked before for things that a layer may lack.
            found.seen.merge(sorter.seen().clone());
        } else {
            found.seen.merge(sorter.finish().map_err(|error| part.named(error))?);
        }
        self.restore_detached(part, detached, layers)
    }

    fn walk<'b>(&self, monitor: &'b dyn Monitor) -> Walk<'b>
    where
        Self: 'b,
    {
        Walk::new(self.source, self.limits, monitor, Purpose::Content)
    }

    fn site_entry(
        &mut self,
        path: RelPath,
        mut entry: Entry,
        sorter: &Sorter,
        data: &mut dyn Read,
        layer: &mut Layer,
        units: &mut BTreeSet<RelPath>,
    ) -> Result<()> {
        if self.tree.is_none() {
            return Ok(());
        }
        let is_folder = entry.kind == EntryKind::Folder;
        let wanted = self.picks(&path, is_folder, units) && !layer.covers(&path, is_folder);
        // A hard link names its target as the archive does: from the archive's root, not the site's.
        if let EntryKind::HardLink(target) = &entry.kind
            && wanted
        {
            let Some(target) = seen_from_site(sorter, target) else {
                self.leave_out(&path, target);
                return Ok(());
            };
            if !self.picks(&target, false, &mut BTreeSet::new()) || layer.covers(&target, false) {
                return layer.detached.add(target, path);
            }
            entry.kind = EntryKind::HardLink(target.as_bytes().to_vec());
        }
        if let Some(newer) = &mut layer.newer {
            newer.add(&path, is_folder);
        }
        if wanted { self.add(path, &entry, data) } else { Ok(()) }
    }

    /// Whether the entry is selected; the unit it belongs to is noted.
    fn picks(&self, path: &RelPath, is_folder: bool, units: &mut BTreeSet<RelPath>) -> bool {
        if self.paths.exclude.covers(path, is_folder) {
            return false;
        }
        let Some(only) = &self.paths.only else { return true };
        if path.is_root() {
            return false;
        }
        let named = only.units(path, is_folder);
        let picked = !named.is_empty();
        units.extend(named);
        picked
    }

    fn add(&mut self, path: RelPath, entry: &Entry, data: &mut dyn Read) -> Result<()> {
        match &mut self.tree {
            Some(tree) => tree.add(path, entry, data),
            None => Ok(()),
        }
    }

    /// A second reading of one archive, for files whose content is wanted under another name only.
    fn restore_detached(
        &mut self,
        part: &Part,
        mut detached: DetachedLinks,
        mut layers: Option<&mut Layers>,
    ) -> Result<()> {
        if detached.count == 0 {
            return Ok(());
        }
        let monitor = Arc::clone(&self.monitor);
        let mut site = |record: &Record| detached.by_target.contains_key(&record.path);
        let wish = Wish { site: &mut site, config: false, dump: WishedDump::None };
        let wanted = Wanted::choose(self.config, self.source, wish);
        let walk = Walk { wanted: wanted.as_ref(), ..self.walk(monitor.as_ref()) };
        walk.over(part, |place, _, entry, _, data| {
            let (Place::Site(inner), EntryKind::File) = (place, &entry.kind) else {
                return Ok(ControlFlow::Continue(()));
            };
            let Some(mut names) = detached.by_target.remove(&inner) else { return Ok(ControlFlow::Continue(())) };
            let first = names.remove(0);
            self.add(first.clone(), &entry, data)?;
            for name in names.iter().chain([&first]) {
                if let Some(layers) = &mut layers {
                    layers.add(name, false);
                }
            }
            if let Some(tree) = &mut self.tree {
                for name in names {
                    tree.add_hard_link(name, &first)?;
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        for (target, names) in detached.by_target {
            names.iter().for_each(|name| self.leave_out(name, target.as_bytes()));
        }
        Ok(())
    }

    /// Leaves out a hard link to something that is no file of the backup.
    fn leave_out(&mut self, name: &RelPath, target: &[u8]) {
        if let Some(tree) = &mut self.tree {
            tree.leave_out_hard_link(name, &String::from_utf8_lossy(target));
        }
    }

    fn spool_dump(&mut self, data: &mut dyn Read) -> Result<()> {
        let Some(writer) = &mut self.spool else { return Ok(()) };
        copy(&mut archive::text(data)?, writer, self.monitor.as_ref())
    }
}

fn copy(from: &mut dyn Read, into: &mut SpoolWriter, monitor: &dyn Monitor) -> Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        monitor.keep_going()?;
        let count = from.read(&mut piece).map_err(archive::unwrap_io)?;
        if count == 0 {
            return Ok(());
        }
        into.write_all(&piece[..count]).doing(|| "write the spooled dump".into())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree::{self, FilePolicy, TreeOptions};
    use crate::path::Domain;
    use crate::progress::Silent;
    use flate2::{Compression, write::GzEncoder};
    use std::path::Path;

    fn pack(path: &Path, members: &[&str]) {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for member in members {
            let mut header = tar::Header::new_gnu();
            // This is larger than the batch that the writers gather before they write.
            let content = vec![b'x'; 1 << 20];
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, member, content.as_slice()).unwrap();
        }
        std::fs::write(path, builder.into_inner().unwrap().finish().unwrap()).unwrap();
    }

    /// Reads a chain of two archives into a tree: how it ended, and the names that were staged.
    fn staged(base: impl FnOnce(&Path)) -> (Result<Found>, Vec<String>) {
        let place = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = place.path().join("base");
        let domain = Domain::parse("example.com").unwrap();
        let folder = config.paths.backups().join("example.com");
        std::fs::create_dir_all(&folder).unwrap();
        base(&folder.join("backup_20250101_000000.tar.gz"));
        pack(&folder.join("backup_20250102_000000_incremental.tar.gz"), &["var/www/example.com/new"]);
        let source = crate::backup::locate(&config, &domain, "latest", None).unwrap();
        let root = place.path().join("tree");
        std::fs::create_dir(&root).unwrap();
        let options = TreeOptions::new(FilePolicy::new((0, 0), crate::config::Permissions::Standard), 1);
        let manifest = tree::manifest::create(&place.path().join("manifest")).unwrap();
        let mut writer =
            TreeWriter::create(tree::open_folder(&root).unwrap(), options, manifest, Arc::new(Silent)).unwrap();
        let (paths, monitor, limits) = (Paths::default(), Arc::new(Silent), Limits::default());
        let (tables, tree) = (Tables::default(), Some(&mut writer));
        let mut reading = Reading {
            source: &source,
            spool: None,
            tree,
            paths: &paths,
            tables: &tables,
            configuration: false,
            config: &config,
            limits,
            monitor,
        };
        let read = reading.run();
        drop(reading);
        match &read {
            Ok(_) => drop(writer.finish().unwrap()),
            Err(_) => drop(writer),
        }
        let names = std::fs::read_dir(&root).unwrap().flatten();
        let mut names: Vec<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        (read, names)
    }

    #[test]
    fn every_archive_of_a_chain_is_checked_before_the_first_file_is_staged() {
        let (read, names) = staged(|path| pack(path, &["var/www/example.com/new", "var/www/example.com/old"]));
        read.unwrap();
        assert_eq!(names, ["new", "old"]);
        let (read, names) = staged(|path| {
            pack(path, &["var/www/example.com/old"]);
            let whole = std::fs::read(path).unwrap();
            std::fs::write(path, &whole[..whole.len() - 4]).unwrap();
        });
        let error = read.err().unwrap();
        assert_eq!(error.code, Code::BackupCorrupt);
        assert!(error.message.contains("backup_20250101_000000.tar.gz"), "{}", error.message);
        assert_eq!(names, Vec::<String>::new(), "the newest archive was sound, and is staged first");
    }

    #[test]
    fn a_base_of_another_site_breaks_the_chain_by_its_content() {
        let (read, names) = staged(|path| pack(path, &["var/www/other.com/old"]));
        let error = read.err().unwrap();
        assert_eq!(error.code, Code::BackupChainBroken);
        assert!(error.message.contains("backup_20250101_000000.tar.gz") && error.message.contains("other.com"));
        assert!(names.is_empty());
    }
}
