//! Writes the entries of an archive beneath one folder, with several threads.
//!
//! One thread (the caller's) decides, makes folders and links, reads and hashes content; the others make files. A path is
//! never worked on by two of them at once, so the last entry of a path wins as in the archive.
//!
//! A tree that was left unfinished can be gone on with: a file's time is set last, so one that has the entry's size, owner, mode and
//! time is whole. It is not written again; its content is hashed as it comes out of the archive, and compared with what is on the
//! disk when the tree is verified, like every other.

use super::apart;
use super::flusher::Flusher;
use super::handle::{open_folder_beneath, refuse, resolve};
use super::kind::Kind;
use super::link;
use super::made::{self, writing};
use super::manifest::{self, Record};
use super::owners::Owners;
use super::policy::{FilePolicy, Owner};
use super::pool::{Attributes, BATCH_BYTES, BATCHES, Batch, Large, Piece};
use super::remove::remove;
use super::times::TimeRange;
use super::unchanged::{Candidate, Comparer, Live};
use super::worker::{self, Shared};
use crate::archive::{Entry, EntryKind, unwrap_io};
use crate::error::{Code, Error, IoContext, Result};
use crate::path::RelPath;
use crate::progress::{Level, Monitor, Phase};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rustix::fs::{AtFlags, Dir, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Folder handles kept open; a backup comes folder by folder, so few are needed.
const FOLDERS_KEPT: usize = 128;
/// Most things a summary names.
const NAMED: usize = 100;
/// The room left is looked at after this many entries or bytes.
const LOOK_ENTRIES: u64 = 1024;
const LOOK_BYTES: u64 = 32 << 20;
/// Threads at least where files are compared with live ones.
const COMPARING: usize = 8;
/// Where the disk is slower to read than to write (one that has to seek for each file), the rest is written.
const COMPARING_PATIENCE: Duration = Duration::from_secs(3);
/// Inodes that stay free.
const HEADROOM_INODES: u64 = 128;

/// How a tree is written.
#[derive(Debug, Clone)]
pub struct TreeOptions {
    /// Owner and modes.
    pub policy: FilePolicy,
    /// Threads that write, beside the caller's.
    pub threads: usize,
    /// Bytes that stay free on the filesystem.
    pub headroom_bytes: u64,
    /// The live tree: absolute links that point into it are made.
    pub document_root: Option<PathBuf>,
    /// The same, open: its paths keep their owners, and the links out of the site that it has are made.
    pub live: Option<Arc<OwnedFd>>,
    /// Files that are live as the backup has them are not written: the tree gets another name of each, as long as no more files than these
    /// differ. `None`: every file is written.
    pub compares: Option<u64>,
    /// Folders of the administrator's that links may lead into.
    pub link_targets: Vec<PathBuf>,
}

impl TreeOptions {
    /// Of a tree that takes the place of nothing, with no room kept free.
    pub fn new(policy: FilePolicy, threads: usize) -> TreeOptions {
        TreeOptions {
            policy,
            threads,
            headroom_bytes: 0,
            document_root: None,
            live: None,
            compares: None,
            link_targets: Vec::new(),
        }
    }

    /// The options of restore.toml.
    ///
    /// # Errors
    /// `config_invalid` for an unknown owner.
    pub fn from_config(config: &crate::config::Config) -> Result<TreeOptions> {
        Ok(TreeOptions {
            headroom_bytes: config.limits.headroom_bytes,
            link_targets: config.files.link_targets.clone(),
            ..TreeOptions::new(FilePolicy::from_config(&config.files)?, config.parallelism())
        })
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeSummary {
    /// Files, further names of files included.
    pub files: u64,
    /// Folders, those the archive did not name included, the root not.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// Further names of files.
    pub hard_links: u64,
    /// Bytes of content, holes included.
    pub bytes: u64,
    /// Entries that a later one of the same path replaced.
    pub replaced: u64,
    /// What the tree holds in the end, its root included where an entry told of it.
    pub entries: u64,
    /// First things that were left out of entries (set-id bits, attributes), as sentences.
    pub stripped: Vec<String>,
    /// How many there were in all.
    pub stripped_total: u64,
    /// Files that an earlier writer had left whole.
    pub taken_over: u64,
    /// Files that are other names of live ones.
    pub unchanged: u64,
}

/// Paths of one kind, counted and the first ones named.
#[derive(Debug, Default)]
struct Named {
    count: u64,
    first: Vec<String>,
}

impl Named {
    fn add(&mut self, path: &RelPath) {
        self.count += 1;
        if self.first.len() < 3 {
            self.first.push(format!("{:?}", path.to_string()));
        }
    }

    /// `3 files WHAT: "a", "b", "c" …`; nothing where there are none.
    fn note(&self, what: &str) -> Option<String> {
        let files = if self.count == 1 { "1 file" } else { &format!("{} files", self.count) };
        let more = if self.count > self.first.len() as u64 { " …" } else { "" };
        (self.count > 0).then(|| format!("{files} {what}: {}{more}", self.first.join(", ")))
    }
}

/// What stands where a folder was to be made.
enum Made {
    /// Nothing stood there.
    New,
    /// An earlier entry of this archive made it.
    Again,
    /// An earlier entry that was no folder gave way.
    InPlace,
}

/// What an earlier writer left.
#[derive(Default)]
struct Leftover {
    /// Paths this writer has come to, by hash; what is met at others is of the earlier one. 16 bytes a path, only when a tree is
    /// gone on with.
    met: HashSet<u64>,
    scratch: Vec<u8>,
}

/// A large file on its way: compared with the live one as long as that is the same, then written.
struct LargeFile {
    folder: Arc<OwnedFd>,
    path: RelPath,
    size: u64,
    attributes: Attributes,
    live: Option<Candidate>,
    made: Option<Arc<Large>>,
    /// It took the place of an earlier entry.
    replaced: bool,
}

impl LargeFile {
    fn create(&mut self) -> Result<()> {
        let (file, replaced) = made::create_file(self.folder.as_fd(), &self.path, 0o600)?;
        self.replaced = replaced;
        self.made = Some(Arc::new(Large {
            file,
            path: self.path.clone(),
            size: self.size,
            attributes: self.attributes.clone(),
            end_written: AtomicBool::new(self.size == 0),
        }));
        Ok(())
    }

    /// Creates the file with the bytes that were found to be those of the live one; `hash` is theirs.
    fn create_from(&mut self, live: &Candidate, length: u64, hash: &Xxh3) -> Result<()> {
        self.create()?;
        let Some(made) = &self.made else { return Ok(()) };
        let mut file = made.file.try_clone().map_err(|error| writing(&self.path, &error))?;
        live.copy_head(&mut file, length, hash, &self.path)?;
        made.end_written.store(length == self.size, Ordering::Relaxed);
        Ok(())
    }

    /// Compares the next bytes, where that still goes on; `hash` is of those before.
    fn compare(&mut self, comparer: Option<&mut Comparer>, offset: u64, next: &[u8], hash: &Xxh3) -> Result<()> {
        let (Some(comparer), Some(live)) = (comparer, self.live.take()) else { return Ok(()) };
        if comparer.has(&live, offset, next) {
            self.live = Some(live);
            return Ok(());
        }
        self.create_from(&live, offset, hash)
    }

    /// The file that was made, if one was.
    fn finish(&mut self, comparer: Option<&mut Comparer>, hash: &Xxh3) -> Result<Option<Arc<Large>>> {
        if let (Some(comparer), Some(live)) = (comparer, self.live.take()) {
            match comparer.take(&live, self.folder.as_fd(), &self.path)? {
                Some(taken) => self.replaced = taken.replaced,
                None => self.create_from(&live, self.size, hash)?,
            }
        }
        Ok(self.made.take())
    }
}

/// Writes a tree. Dropping it without [`TreeWriter::finish`] stops and joins every thread.
pub struct TreeWriter {
    root: OwnedFd,
    options: TreeOptions,
    manifest: Option<manifest::Writer>,
    monitor: Arc<dyn Monitor>,
    shared: Arc<Shared>,
    work: Option<Sender<Batch>>,
    returned: Receiver<Batch>,
    threads: Vec<JoinHandle<()>>,
    flusher: Flusher,
    idle: Vec<Batch>,
    batch: Option<Batch>,
    /// Paths in batches that are not back yet, by hash, with the number of their pieces.
    in_flight: HashMap<u64, u32>,
    folders: HashMap<RelPath, Arc<OwnedFd>>,
    last_folder: Option<(RelPath, Arc<OwnedFd>)>,
    summary: TreeSummary,
    /// For files that are compared while they are read.
    comparer: Option<Comparer>,
    owners: Owners,
    times: TimeRange,
    /// Files whose execute bits the policy takes.
    not_executable: Named,
    /// What has a time that the filesystem cannot hold.
    out_of_time: Named,
    leftover: Option<Leftover>,
    /// How long the threads had no place for more.
    waited: Duration,
    /// Bytes handed to the threads.
    written: u64,
    looked: (u64, u64),
}

impl TreeWriter {
    /// Begins a tree in an empty folder. `manifest` is an empty file open for reading and writing
    /// (see [`manifest::create`]).
    ///
    /// # Errors
    /// `internal` when the folder is not empty, `io_failed`.
    pub fn create(
        folder: OwnedFd,
        options: TreeOptions,
        manifest: File,
        monitor: Arc<dyn Monitor>,
    ) -> Result<TreeWriter> {
        TreeWriter::begin(folder, options, manifest, monitor, None)
    }

    /// Goes on with a tree that a writer of the same entries, in the same order, left unfinished.
    ///
    /// # Errors
    /// `io_failed`.
    pub fn go_on(
        folder: OwnedFd,
        options: TreeOptions,
        manifest: File,
        monitor: Arc<dyn Monitor>,
    ) -> Result<TreeWriter> {
        TreeWriter::begin(folder, options, manifest, monitor, Some(Leftover::default()))
    }

    fn begin(
        folder: OwnedFd,
        options: TreeOptions,
        manifest: File,
        monitor: Arc<dyn Monitor>,
        leftover: Option<Leftover>,
    ) -> Result<TreeWriter> {
        let looking = || "look at the staging folder".to_owned();
        let root = resolve(folder.as_fd(), &RelPath::default(), OFlags::RDONLY | OFlags::DIRECTORY).doing(looking)?;
        if leftover.is_none() {
            for entry in Dir::read_from(&root).doing(looking)? {
                let entry = entry.doing(looking)?;
                if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                    return Err(Error::new(Code::Internal, "the staging folder is not empty"));
                }
            }
        }
        // a set-group-id bit inherited from the web root would give every file the wrong group
        rustix::fs::fchmod(&root, Mode::RWXU).doing(looking)?;
        let times = TimeRange::of(&root).doing(looking)?;
        let compared = options.live.clone().zip(options.compares).map(|(root, limit)| Arc::new(Live::new(root, limit)));
        let shared = Arc::new(Shared::new(monitor.clone(), compared.clone()));
        let own = resolve(folder.as_fd(), &RelPath::default(), OFlags::RDONLY | OFlags::DIRECTORY).doing(looking)?;
        let flusher = Flusher::start(own, shared.clone())?;
        let (work, jobs) = crossbeam_channel::bounded::<Batch>(BATCHES);
        let (back, home) = crossbeam_channel::bounded::<Batch>(BATCHES);
        let mut writer = TreeWriter {
            root,
            manifest: Some(manifest::Writer::new(manifest)?),
            monitor,
            shared,
            work: Some(work),
            returned: home,
            threads: Vec::new(),
            flusher,
            idle: Vec::new(),
            batch: None,
            in_flight: HashMap::new(),
            folders: HashMap::new(),
            last_folder: None,
            summary: TreeSummary::default(),
            comparer: compared.map(Comparer::new),
            owners: Owners::new(options.policy.clone(), options.live.clone()),
            times,
            not_executable: Named::default(),
            out_of_time: Named::default(),
            leftover,
            waited: Duration::ZERO,
            written: 0,
            looked: (0, 0),
            options,
        };
        for number in 0..writer.threads() {
            let (shared, jobs, back) = (writer.shared.clone(), jobs.clone(), back.clone());
            let thread = std::thread::Builder::new()
                .name(format!("tree-{number}"))
                .stack_size(256 << 10)
                .spawn(move || worker::run(&shared, &jobs, &back))
                .doing(|| "start a thread".into())?;
            writer.threads.push(thread);
        }
        writer.idle.extend((0..BATCHES).map(|_| Batch::new()));
        Ok(writer)
    }

    /// Who compares waits for the disk more than for a processor: live files that nobody has asked for lately are read one by one.
    fn threads(&self) -> usize {
        let least = if self.shared.live.is_some() { COMPARING } else { 1 };
        self.options.threads.clamp(least, 16)
    }

    /// Writes one entry at `path`; `data` gives the bytes it stores. The target of a hard link is taken as a path below
    /// the tree's root: where the archive's paths begin elsewhere, use [`TreeWriter::add_hard_link`].
    ///
    /// # Errors
    /// `unsafe_path`, `backup_corrupt`, `limit_exceeded`, `disk_full`, `io_failed`, or what the monitor says.
    pub fn add(&mut self, path: RelPath, entry: &Entry, data: &mut dyn Read) -> Result<()> {
        let added = self.add_entry(path, entry, data);
        if let Err(error) = &added {
            // a tree that lacks an entry is never finished
            self.shared.fail(error.clone());
        }
        added
    }

    fn add_entry(&mut self, path: RelPath, entry: &Entry, data: &mut dyn Read) -> Result<()> {
        self.shared.check()?;
        self.look_at_room()?;
        self.wait_for(&path)?;
        if entry.kind != EntryKind::Folder {
            self.clear_leftover(&path)?;
        }
        match &entry.kind {
            EntryKind::File => self.file(path, entry, data),
            EntryKind::Folder => self.folder(path, entry),
            EntryKind::Symlink(target) => self.symlink(path, entry, target),
            EntryKind::HardLink(target) => match RelPath::parse(target) {
                Ok(target) => self.hard_link(path, &target),
                Err(_) => {
                    self.leave_out_hard_link(&path, &String::from_utf8_lossy(target));
                    Ok(())
                }
            },
            EntryKind::Special(kind) => {
                let what = match kind {
                    b'3' | b'4' => "a device",
                    b'6' => "a FIFO",
                    _ => {
                        let message = format!("{:?} is of an unknown type", path.to_string());
                        return Err(Error::new(Code::UnsafePath, message)
                            .with("path", path.to_string())
                            .with("type", u64::from(*kind)));
                    }
                };
                self.strip(format!("{:?}: {what}, was left out", path.to_string()));
                Ok(())
            }
        }
    }

    /// Says that a further name of a file that the backup does not hold is left out.
    pub fn leave_out_hard_link(&mut self, path: &RelPath, target: &str) {
        self.strip(format!(
            "{:?}: another name of {target:?}, which is no file of the backup, was left out",
            path.to_string()
        ));
    }

    /// Gives the file that this writer made at `target` another name. Owner, mode and times stay the file's. Where the target is no
    /// file made before, the name is left out and that is noted.
    ///
    /// # Errors
    /// As [`TreeWriter::add`].
    pub fn add_hard_link(&mut self, path: RelPath, target: &RelPath) -> Result<()> {
        let added = self.hard_link(path, target);
        if let Err(error) = &added {
            self.shared.fail(error.clone());
        }
        added
    }

    fn hard_link(&mut self, path: RelPath, target: &RelPath) -> Result<()> {
        self.shared.check()?;
        self.wait_for(target)?;
        self.wait_for(&path)?;
        let source = match target.split_last() {
            Some((folder, _)) => match resolve(self.root.as_fd(), &folder, OFlags::PATH | OFlags::DIRECTORY) {
                Ok(source) => Some(source),
                Err(Errno::NOENT | Errno::LOOP | Errno::XDEV | Errno::NOTDIR) => None,
                Err(error) => return Err(writing(&path, &error.into())),
            },
            None => None,
        };
        let name = target.last_name();
        let is_file = |source: &OwnedFd| made::is_file(source, name).map_err(|error| writing(&path, &error.into()));
        let there = match source {
            Some(source) if !path.is_root() && is_file(&source)? => Some(source),
            _ => None,
        };
        let Some(source) = there else {
            self.leave_out_hard_link(&path, &target.to_string());
            return Ok(());
        };
        if path == *target {
            return Ok(());
        }
        if let Some(live) = &self.shared.live {
            // Two names of one file are not two names of a live one, which has none but its own.
            apart::make_own(live.root(), source.as_fd(), target).map_err(|error| writing(&path, &error.into()))?;
        }
        let folder = self.parent(&path)?;
        let first = self.is_first_visit(&path);
        let mut made = rustix::fs::linkat(&source, name, &folder, path.last_name(), AtFlags::empty());
        let there = made == Err(Errno::EXIST);
        if there {
            made::give_way(folder.as_fd(), &path)?;
            made = rustix::fs::linkat(&source, name, &folder, path.last_name(), AtFlags::empty());
        }
        let replaced = there && !first;
        made.map_err(|error| writing(&path, &error.into()))?;
        let stat = super::handle::stat_here(folder.as_fd(), path.last_name());
        let owner = match stat.map_err(|error| writing(&path, &error.into()))? {
            Some(stat) => (stat.st_uid, stat.st_gid),
            None => return Err(writing(&path, &Errno::NOENT.into())),
        };
        let record = Record {
            kind: Kind::File,
            link: target.as_bytes().to_vec(),
            hard_link: true,
            ..record(&path, owner, None)
        };
        self.append(&record, replaced)?;
        self.summary.files += 1;
        self.summary.hard_links += 1;
        self.monitor.advance(Phase::Files, 1, 0);
        Ok(())
    }

    /// Waits for every thread, then sets owner, mode and times of the folders. The tree is complete but not synced.
    ///
    /// # Errors
    /// The first error of any thread, else as [`TreeWriter::add`].
    pub fn finish(mut self) -> Result<TreeSummary> {
        self.flush()?;
        while self.idle.len() < BATCHES {
            self.await_batch()?;
        }
        self.stop();
        self.shared.check()?;
        let manifest = self.manifest.take().ok_or_else(|| Error::new(Code::Internal, "a tree was finished twice"))?;
        let replaced = std::mem::take(&mut *self.shared.replaced.lock().unwrap_or_else(|error| error.into_inner()));
        self.summary.replaced = replaced.count();
        self.summary.unchanged = self.shared.live.as_ref().map(|live| live.files()).unwrap_or_default();
        let file = manifest.finish(&replaced)?;
        self.complete_folders(file)?;
        self.flusher.stop();
        self.shared.check()?;
        let lost = "lost their execute bits (files.permissions = \"preserve\" in restore.toml keeps them)";
        let notes = [
            self.not_executable.note(lost),
            self.out_of_time.note("of a time that the filesystem cannot hold got the nearest"),
        ];
        for note in notes.into_iter().flatten() {
            self.summary.stripped_total += 1;
            self.summary.stripped.push(note);
        }
        Ok(std::mem::take(&mut self.summary))
    }

    fn file(&mut self, path: RelPath, entry: &Entry, data: &mut dyn Read) -> Result<()> {
        let Some(_) = path.split_last() else {
            return Err(Error::new(Code::UnsafePath, "the root of the site is a file in the backup"));
        };
        let archived = self.without_set_id(&path, entry);
        let owner = self.owners.of(&path, Some(entry.owner()));
        let mode = self.options.policy.file_mode(archived);
        if archived & 0o111 & !mode != 0 {
            self.not_executable.add(&path);
        }
        let attributes =
            Attributes { owner, mode, mtime: self.time_of(&path, entry), xattrs: self.user_xattrs(&path, entry) };
        let folder = self.parent(&path)?;
        let mut record = Record {
            kind: Kind::File,
            mode: attributes.mode,
            size: entry.size,
            ..record(&path, owner, Some(attributes.mtime))
        };
        self.summary.files += 1;
        self.summary.bytes += entry.size;
        if self.is_first_visit(&path) && self.is_whole(&folder, &record)? {
            record.hash = self.hash_content(entry, data)?;
            self.append(&record, false)?;
            self.summary.taken_over += 1;
            self.monitor.advance(Phase::Files, 1, entry.stored);
            return Ok(());
        }
        if entry.segments.is_none() && entry.stored <= BATCH_BYTES as u64 {
            let length = entry.stored as usize;
            self.make_room(length)?;
            let mut batch = self.take_batch()?;
            let room = &mut batch.data[batch.used..batch.used + length];
            let filled = fill(data, room);
            record.hash = xxh3_64(room);
            filled?;
            let number = self.append(&record, false)?;
            batch.used += length;
            self.written += length as u64;
            self.enter(&mut batch, &path);
            batch.pieces.push(Piece::Small { folder, path, record: number, length, attributes });
            self.batch = Some(batch);
            return Ok(());
        }
        self.large(folder, path, entry, data, attributes, record)
    }

    fn large(
        &mut self,
        folder: Arc<OwnedFd>,
        path: RelPath,
        entry: &Entry,
        data: &mut dyn Read,
        attributes: Attributes,
        mut record: Record,
    ) -> Result<()> {
        let mut large =
            LargeFile { folder, path, size: entry.size, attributes, live: None, made: None, replaced: false };
        let comparer = self.comparer.as_mut();
        large.live = comparer.and_then(|live| live.candidate(&large.path, large.size, &large.attributes));
        if large.live.is_none() {
            large.create()?;
        }
        let mut hash = Xxh3::new();
        let mut position = 0;
        for segment in crate::archive::tar::segments(entry) {
            self.hole(&mut large, &mut hash, (position, segment.offset))?;
            position = segment.offset;
            let end = segment.offset + segment.length;
            while position < end {
                self.make_room(1)?;
                // whole batches where the file is long, so that writes are large and aligned
                if end - position >= BATCH_BYTES as u64 {
                    self.make_room(BATCH_BYTES)?;
                }
                let mut batch = self.take_batch()?;
                let length = (end - position).min(batch.room() as u64) as usize;
                let room = &mut batch.data[batch.used..batch.used + length];
                let filled = fill(data, room);
                let compared = filled.and_then(|()| large.compare(self.comparer.as_mut(), position, room, &hash));
                hash.update(room);
                if let Err(error) = compared {
                    self.batch = Some(batch);
                    return Err(error);
                }
                if let Some(made) = &large.made {
                    batch.used += length;
                    self.written += length as u64;
                    self.enter(&mut batch, &large.path);
                    batch.pieces.push(Piece::Part { large: made.clone(), offset: position, length });
                }
                self.batch = Some(batch);
                position += length as u64;
                self.look_at_room()?;
            }
        }
        self.hole(&mut large, &mut hash, (position, entry.size))?;
        record.hash = hash.digest();
        let made = large.finish(self.comparer.as_mut(), &hash)?;
        self.append(&record, large.replaced)?;
        match made {
            Some(made) => {
                if worker::release(&self.shared, made)? {
                    self.monitor.advance(Phase::Files, 1, 0);
                }
            }
            None => self.monitor.advance(Phase::Files, 1, entry.size),
        }
        Ok(())
    }

    /// A hole of a large file; a live file may have zeros there.
    fn hole(&mut self, large: &mut LargeFile, hash: &mut Xxh3, (mut from, until): (u64, u64)) -> Result<()> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        while large.live.is_some() && from < until {
            let zeros = &ZEROS[..(until - from).min(ZEROS.len() as u64) as usize];
            large.compare(self.comparer.as_mut(), from, zeros, hash)?;
            hash.update(zeros);
            from += zeros.len() as u64;
            self.monitor.keep_going()?;
        }
        self.hash_hole(hash, until - from)
    }

    /// Whether this writer comes to a path for the first time, where an earlier one may have been. Not asked of a fresh tree.
    fn is_first_visit(&mut self, path: &RelPath) -> bool {
        self.leftover.as_mut().is_some_and(|leftover| leftover.met.insert(xxh3_64(path.as_bytes())))
    }

    /// Whether a file is there as its last step leaves it.
    fn is_whole(&self, folder: &OwnedFd, wanted: &Record) -> Result<bool> {
        let found = super::handle::stat_here(folder.as_fd(), wanted.path.last_name())
            .map_err(|error| writing(&wanted.path, &error.into()))?;
        if found.as_ref().is_some_and(|stat| stat.st_nlink > 1) {
            // It may be a live file, which the site may have written to since it was compared.
            made::give_way(folder.as_fd(), &wanted.path)?;
            return Ok(false);
        }
        Ok(found.is_some_and(|stat| {
            super::kind::kind_of(stat.st_mode) == Kind::File
                && stat.st_size as u64 == wanted.size
                && stat.st_mode & 0o7777 == wanted.mode
                && (stat.st_uid, stat.st_gid) == (wanted.uid, wanted.gid)
                && Some((stat.st_mtime, stat.st_mtime_nsec as u32)) == wanted.mtime
        }))
    }

    /// Reads an entry's content to its end for its hash alone.
    fn hash_content(&mut self, entry: &Entry, data: &mut dyn Read) -> Result<u64> {
        let mut scratch =
            self.leftover.as_mut().map(|leftover| std::mem::take(&mut leftover.scratch)).unwrap_or_default();
        scratch.resize(BATCH_BYTES, 0);
        let mut hash = Xxh3::new();
        let mut position = 0;
        for segment in crate::archive::tar::segments(entry) {
            self.hash_hole(&mut hash, segment.offset - position)?;
            position = segment.offset + segment.length;
            let mut left = segment.length;
            while left > 0 {
                let part = &mut scratch[..left.min(BATCH_BYTES as u64) as usize];
                fill(data, part)?;
                hash.update(part);
                left -= part.len() as u64;
                self.monitor.keep_going()?;
            }
        }
        self.hash_hole(&mut hash, entry.size - position)?;
        if let Some(leftover) = &mut self.leftover {
            leftover.scratch = scratch;
        }
        Ok(hash.digest())
    }

    /// Holes are zeros to whoever reads the file back.
    fn hash_hole(&self, hash: &mut Xxh3, mut length: u64) -> Result<()> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        let mut round = 0u32;
        while length > 0 {
            let count = length.min(ZEROS.len() as u64) as usize;
            hash.update(&ZEROS[..count]);
            length -= count as u64;
            round += 1;
            if round.is_multiple_of(1024) {
                self.monitor.keep_going()?;
            }
        }
        Ok(())
    }

    fn folder(&mut self, path: RelPath, entry: &Entry) -> Result<()> {
        let archived = self.without_set_id(&path, entry);
        let mode = self.options.policy.folder_mode(archived);
        self.user_xattrs(&path, entry);
        let made = if path.is_root() { None } else { Some(self.make_folder(&path, true)?) };
        let owner = self.owners.of(&path, Some(entry.owner()));
        let mtime = self.time_of(&path, entry);
        let record = Record { kind: Kind::Folder, mode, ..record(&path, owner, Some(mtime)) };
        self.append(&record, matches!(made, Some(Made::Again | Made::InPlace)))?;
        if matches!(made, Some(Made::New | Made::InPlace)) {
            self.summary.folders += 1;
        }
        self.monitor.advance(Phase::Files, 1, 0);
        Ok(())
    }

    /// Makes a folder, owned and closed to all until the tree is finished. To one with an entry of its own an earlier entry that is no
    /// folder gives way: an archive that was added to (`tar -r`) has its last state last.
    fn make_folder(&mut self, path: &RelPath, has_entry: bool) -> Result<Made> {
        let parent = self.parent(path)?;
        let first = self.is_first_visit(path);
        let make = || rustix::fs::mkdirat(&parent, path.last_name(), Mode::RWXU);
        let mut made = make();
        let mut gave_way = false;
        if has_entry && made == Err(Errno::EXIST) && !self.is_folder(&parent, path)? {
            made::give_way(parent.as_fd(), path)?;
            (made, gave_way) = (make(), true);
        }
        match made {
            Ok(()) if gave_way && !first => Ok(Made::InPlace),
            Ok(()) => Ok(Made::New),
            Err(Errno::EXIST) => {
                // An earlier file or link of that name is refused here.
                open_folder_beneath(self.root.as_fd(), path)?;
                Ok(if first { Made::New } else { Made::Again })
            }
            Err(error) => Err(writing(path, &error.into())),
        }
    }

    fn is_folder(&self, parent: &OwnedFd, path: &RelPath) -> Result<bool> {
        let stat = super::handle::stat_here(parent.as_fd(), path.last_name());
        let stat = stat.map_err(|error| writing(path, &error.into()))?;
        Ok(stat.is_some_and(|stat| super::kind::kind_of(stat.st_mode) == Kind::Folder))
    }

    /// What an earlier writer had made of a later entry of this name gives way to an earlier entry.
    fn clear_leftover(&mut self, path: &RelPath) -> Result<()> {
        if self.leftover.is_none() || path.is_root() {
            return Ok(());
        }
        let parent = self.parent(path)?;
        if self.is_folder(&parent, path)? {
            remove(&parent, OsStr::from_bytes(path.last_name()), self.monitor.as_ref())?;
        }
        Ok(())
    }

    fn symlink(&mut self, path: RelPath, entry: &Entry, target: &[u8]) -> Result<()> {
        if path.is_root() {
            return Err(Error::new(Code::UnsafePath, "the root of the site is a link in the backup"));
        }
        let options = &self.options;
        let live = options.live.as_deref();
        link::require(&path, target, options.document_root.as_deref(), live, &options.link_targets)?;
        let folder = self.parent(&path)?;
        let name = path.last_name();
        let first = self.is_first_visit(&path);
        let mut made = rustix::fs::symlinkat(target, &folder, name);
        let there = made == Err(Errno::EXIST);
        if there {
            made::give_way(folder.as_fd(), &path)?;
            made = rustix::fs::symlinkat(target, &folder, name);
        }
        let replaced = there && !first;
        let owner = self.owners.of(&path, Some(entry.owner()));
        let mtime = self.time_of(&path, entry);
        made.and_then(|()| {
            let (uid, gid) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
            rustix::fs::chownat(&folder, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
            rustix::fs::utimensat(&folder, name, &made::times(mtime), AtFlags::SYMLINK_NOFOLLOW)
        })
        .map_err(|error| writing(&path, &error.into()))?;
        let record =
            Record { kind: Kind::Symlink, mode: 0o777, link: target.to_vec(), ..record(&path, owner, Some(mtime)) };
        self.append(&record, replaced)?;
        self.summary.links += 1;
        self.monitor.advance(Phase::Files, 1, 0);
        Ok(())
    }

    fn time_of(&mut self, path: &RelPath, entry: &Entry) -> (i64, u32) {
        let nearest = self.times.nearest(entry.mtime);
        if nearest.0 != entry.mtime.0 {
            self.out_of_time.add(path);
        }
        nearest
    }

    /// A handle on the folder a path lies in, made if no entry made it.
    fn parent(&mut self, path: &RelPath) -> Result<Arc<OwnedFd>> {
        let Some((folder, _)) = path.split_last() else {
            return Err(Error::new(Code::Internal, "the root has no folder"));
        };
        if let Some((last, handle)) = &self.last_folder
            && *last == folder
        {
            return Ok(handle.clone());
        }
        let handle = match self.folders.get(&folder) {
            Some(handle) => handle.clone(),
            None => {
                let handle = Arc::new(self.open_or_make(&folder)?);
                if self.folders.len() >= FOLDERS_KEPT {
                    self.folders.clear();
                }
                self.folders.insert(folder.clone(), handle.clone());
                handle
            }
        };
        self.last_folder = Some((folder, handle.clone()));
        Ok(handle)
    }

    fn open_or_make(&mut self, folder: &RelPath) -> Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        // A folder of an earlier writer is made, as far as this one knows, when it comes to it.
        let known = self.leftover.as_ref().is_none_or(|left| left.met.contains(&xxh3_64(folder.as_bytes())));
        match resolve(self.root.as_fd(), folder, flags) {
            Ok(handle) if known || folder.is_root() => Ok(handle),
            Ok(_) | Err(Errno::NOENT) => {
                self.wait_for(folder)?;
                if let Made::New = self.make_folder(folder, false)? {
                    let owner = self.owners.of(folder, None);
                    let record = Record { kind: Kind::Folder, mode: 0o755, ..record(folder, owner, None) };
                    self.append(&record, false)?;
                    self.summary.folders += 1;
                }
                open_folder_beneath(self.root.as_fd(), folder)
            }
            Err(Errno::NOTDIR) => {
                // a file that is still being written, or a link
                Err(refuse(folder, Errno::NOTDIR))
            }
            Err(error) => Err(refuse(folder, error)),
        }
    }

    fn append(&mut self, record: &Record, replaced: bool) -> Result<u64> {
        let manifest = self.manifest.as_mut().ok_or_else(|| Error::new(Code::Internal, "the tree is finished"))?;
        let number = manifest.append(record)?;
        if replaced {
            self.shared.note_replaced(&record.path, number)?;
        }
        Ok(number)
    }

    fn without_set_id(&mut self, path: &RelPath, entry: &Entry) -> u32 {
        if entry.mode & 0o7000 != 0 {
            self.strip(format!("{:?}: mode {:04o} lost its set-id or sticky bits", path.to_string(), entry.mode));
        }
        entry.mode & 0o777
    }

    /// Attributes of the `user.` namespace; the others grant rights or belong to the old machine.
    fn user_xattrs(&mut self, path: &RelPath, entry: &Entry) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut kept = Vec::new();
        for (name, value) in &entry.xattrs {
            if name.starts_with(b"user.") && entry.kind == EntryKind::File && !name.contains(&0) {
                kept.push((name.clone(), value.clone()));
            } else {
                let shown = String::from_utf8_lossy(name).into_owned();
                self.strip(format!("{:?}: attribute {shown:?} was left out", path.to_string()));
            }
        }
        kept
    }

    fn strip(&mut self, what: String) {
        self.summary.stripped_total += 1;
        if self.summary.stripped.len() < NAMED {
            self.monitor.event(Level::Warn, &what);
            self.summary.stripped.push(what);
        }
    }

    fn look_at_room(&mut self) -> Result<()> {
        let seen = (self.summary.files + self.summary.folders, self.written);
        self.flusher.progress(seen.0, seen.1);
        if seen.0 < self.looked.0 + LOOK_ENTRIES && seen.1 < self.looked.1 + LOOK_BYTES {
            return Ok(());
        }
        self.looked = seen;
        let room = rustix::fs::fstatvfs(&self.root).doing(|| "look at the space left".into())?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if free < self.options.headroom_bytes || (room.f_files > 0 && room.f_favail < HEADROOM_INODES) {
            return Err(Error::new(
                Code::DiskFull,
                format!("the filesystem of the web root has {free} bytes and {} inodes left", room.f_favail),
            )
            .with("free_bytes", free)
            .with("headroom_bytes", self.options.headroom_bytes)
            .with("free_inodes", room.f_favail));
        }
        Ok(())
    }

    fn enter(&mut self, batch: &mut Batch, path: &RelPath) {
        let hash = xxh3_64(path.as_bytes());
        batch.paths.push(hash);
        *self.in_flight.entry(hash).or_default() += 1;
    }

    /// Waits until no thread works on this path.
    fn wait_for(&mut self, path: &RelPath) -> Result<()> {
        let hash = xxh3_64(path.as_bytes());
        if !self.in_flight.contains_key(&hash) {
            return Ok(());
        }
        self.flush()?;
        while self.in_flight.contains_key(&hash) {
            self.await_batch()?;
        }
        Ok(())
    }

    fn make_room(&mut self, length: usize) -> Result<()> {
        if self.batch.as_ref().is_some_and(|batch| batch.room() < length.max(1)) {
            self.flush()?;
        }
        Ok(())
    }

    /// The batch being filled, or an idle one.
    fn take_batch(&mut self) -> Result<Batch> {
        if let Some(batch) = self.batch.take() {
            return Ok(batch);
        }
        while let Ok(batch) = self.returned.try_recv() {
            self.unpack(batch);
        }
        if self.idle.is_empty() {
            let began = Instant::now();
            while self.idle.is_empty() {
                self.await_batch()?;
            }
            self.waited += began.elapsed();
            if let Some(live) = self.shared.live.as_ref().filter(|_| self.waited > COMPARING_PATIENCE) {
                live.give_up();
            }
        }
        self.idle.pop().ok_or_else(|| Error::new(Code::Internal, "no batch is idle"))
    }

    fn flush(&mut self) -> Result<()> {
        self.monitor.keep_going()?;
        self.shared.check()?;
        let Some(batch) = self.batch.take() else { return Ok(()) };
        if batch.pieces.is_empty() {
            self.unpack(batch);
            return Ok(());
        }
        if let Some(Piece::Small { path, .. }) = batch.pieces.last() {
            self.monitor.current(Phase::Files, &path.to_string());
        } else if let Some(Piece::Part { large, .. }) = batch.pieces.last() {
            self.monitor.current(Phase::Files, &large.path.to_string());
        }
        let work = self.work.as_ref().ok_or_else(|| Error::new(Code::Internal, "the tree is finished"))?;
        work.send(batch).map_err(|_| Error::new(Code::Internal, "the writing threads are gone"))
    }

    /// Waits for a batch to come back.
    fn await_batch(&mut self) -> Result<()> {
        loop {
            self.shared.check()?;
            match self.returned.recv_timeout(Duration::from_millis(50)) {
                Ok(batch) => {
                    self.unpack(batch);
                    return self.shared.check();
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.monitor.keep_going()?;
                    if self.threads.iter().any(JoinHandle::is_finished) {
                        return Err(Error::new(Code::Internal, "a writing thread ended early"));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(Code::Internal, "the writing threads are gone"));
                }
            }
        }
    }

    fn unpack(&mut self, mut batch: Batch) {
        for hash in batch.paths.drain(..) {
            if let Some(count) = self.in_flight.get_mut(&hash) {
                *count -= 1;
                if *count == 0 {
                    self.in_flight.remove(&hash);
                }
            }
        }
        batch.used = 0;
        self.idle.push(batch);
    }

    fn stop(&mut self) {
        self.work = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                self.shared.fail(Error::new(Code::Internal, "a writing thread panicked"));
            }
        }
    }

    /// Folders last: files made in them have changed their times, and some modes close them.
    fn complete_folders(&mut self, manifest: File) -> Result<()> {
        let mut reader = manifest::Reader::new(manifest)?;
        let mut root_told = false;
        while let Some(record) = reader.next_record()? {
            self.summary.entries += 1;
            if record.kind != Kind::Folder {
                continue;
            }
            root_told |= record.path.is_root();
            let set = || -> rustix::io::Result<()> {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOATIME;
                let folder = resolve(self.root.as_fd(), &record.path, flags)?;
                finish_folder(&folder, (record.uid, record.gid), record.mode, record.mtime)
            };
            set().map_err(|error| writing(&record.path, &error.into()))?;
            self.monitor.keep_going()?;
        }
        if !root_told {
            finish_folder(&self.root, self.owners.of(&RelPath::default(), None), 0o755, None)
                .map_err(|error| writing(&RelPath::default(), &error.into()))?;
        }
        Ok(())
    }
}

impl Drop for TreeWriter {
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            // what waits in the channel is dropped, not written
            self.shared.fail(Error::new(Code::Cancelled, "the tree was given up"));
            self.stop();
        }
    }
}

fn finish_folder(folder: &OwnedFd, owner: Owner, mode: u32, mtime: Option<(i64, u32)>) -> rustix::io::Result<()> {
    rustix::fs::fchown(folder, Some(Uid::from_raw(owner.0)), Some(Gid::from_raw(owner.1)))?;
    rustix::fs::fchmod(folder, Mode::from_raw_mode(mode))?;
    match mtime {
        Some(mtime) => rustix::fs::futimens(folder, &made::times(mtime)),
        None => Ok(()),
    }
}

/// A record without content.
fn record(path: &RelPath, owner: Owner, mtime: Option<(i64, u32)>) -> Record {
    Record {
        path: path.clone(),
        kind: Kind::File,
        mode: 0,
        uid: owner.0,
        gid: owner.1,
        size: 0,
        mtime,
        hash: 0,
        link: Vec::new(),
        hard_link: false,
    }
}

fn fill(data: &mut dyn Read, into: &mut [u8]) -> Result<()> {
    data.read_exact(into).map_err(unwrap_io)
}

#[cfg(test)]
mod tests;
