//! What a restore would change: the catalogue of a backup against the live tree.
//!
//! The catalogue is read twice as a stream, before and after one walk of the tree; of each entry a few dozen bytes stay in
//! memory. Where size and time (whole seconds) are equal the content counts as equal, as for rsync; where only the time differs
//! it is read, by several threads.

use super::handle::{open_around, open_here};
use super::kind::Kind;
use super::manifest::{Reader, Record};
use super::policy::FilePolicy;
use super::walk::{Next, Visit, walk};
use crate::api::answer::comparison::{Counts, Unequal};
use crate::error::{Code, Error, Result};
use crate::progress::{Monitor, Phase};
use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

/// Files open for a content comparison, and answers that may wait for an earlier one.
const OPEN_FILES: usize = 64;
const WAITING: usize = 4096;
const BUFFER: usize = 256 << 10;
/// A time no archive has: the entry told none.
const NO_TIME: i64 = i64::MIN;

/// What a restore does with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Becomes as it is in the backup; goes when the backup lacks it.
    Replaced,
    /// Stays as it is, whatever the backup holds; why.
    Kept(&'static str),
    /// Stays only where the backup holds nothing of it and has the folder around it; why.
    KeptIfMissing(&'static str),
    /// Takes no part: it was not selected.
    Untouched,
}

/// How a comparison is made.
pub struct Rules<'a> {
    /// Owner and modes of what a restore writes.
    pub policy: FilePolicy,
    /// Read every content, also where size and time are equal.
    pub checksum: bool,
    /// Threads that read content.
    pub threads: usize,
    /// What a restore does with a path; the flag says whether it is a folder.
    pub fate: &'a dyn Fn(&[u8], bool) -> Fate,
}

/// What would happen to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Only in the backup.
    Added,
    /// In both, not equal.
    Changed,
    /// Only in the live tree, and would go.
    Removed,
    /// Stays as it is.
    Kept,
}

/// An entry as one side has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// File, folder, link.
    pub kind: Kind,
    /// Bytes of content; 0 for what is no file.
    pub size: u64,
    /// Mode; on the backup's side after the policy.
    pub mode: u32,
    /// Time of the last change in seconds since 1970, where known.
    pub mtime: Option<i64>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Path below the root; empty for the root.
    pub path: Vec<u8>,
    /// What would happen.
    pub change: Change,
    /// What is not equal.
    pub what: Vec<Unequal>,
    /// As the backup has it.
    pub backup: Option<Side>,
    /// As it is.
    pub live: Option<Side>,
    /// Why it is kept.
    pub why: Option<&'static str>,
    /// Entries of a folder that is kept whole, itself not counted, and their bytes.
    pub inside: (u64, u64),
}

/// What a comparison counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files, links and everything else that is no folder.
    pub files: Counts,
    /// Folders.
    pub folders: Counts,
    /// Content of added files.
    pub bytes_added: u64,
    /// Content of removed files.
    pub bytes_removed: u64,
    /// Content of changed files as the backup has it.
    pub bytes_changed: u64,
    /// Content of kept files.
    pub bytes_kept: u64,
    /// Files whose content was read, and their bytes.
    pub contents_read: u64,
    /// Bytes of that content.
    pub bytes_read: u64,
}

/// Where differences go, in the order of the walk, added ones last.
pub type Sink<'a> = dyn FnMut(&Difference) -> Result<()> + 'a;

/// What stays in memory of an entry of the backup.
#[derive(Debug, Clone, Copy)]
struct Known {
    size: u64,
    mtime: i64,
    /// Of a file its content's hash, of a link its target's, of another name of a file the hash of the first name.
    hash: u64,
    mode: u16,
    form: Form,
    met: bool,
    /// A folder with something in it.
    filled: bool,
}

impl Known {
    fn is_empty_folder(&self) -> bool {
        self.form == Form::Folder && !self.filled
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    File,
    OtherName,
    Folder,
    /// A folder that only the paths below it tell of.
    Implied,
    Link,
}

/// Compares the catalogue with the tree at `root`; a missing root is an empty tree. A root that is a link is looked at as it
/// is: its content takes no part.
///
/// # Errors
/// `journal_corrupt` for a damaged catalogue, `io_failed`, or what the monitor and the sink say.
pub fn compare(
    root: &Path,
    catalogue: File,
    rules: &Rules<'_>,
    sink: &mut Sink<'_>,
    monitor: &dyn Monitor,
) -> Result<Summary> {
    let again = catalogue.try_clone().map_err(|error| Error::io("read the catalogue", &error))?;
    // The seed is a secret of this comparison: no archive can hold two paths that were made to collide.
    let seed = u64::from_str_radix(&crate::random::hex(8)?, 16).unwrap_or_default();
    let mut known = Catalogue::read(catalogue, rules, seed, monitor)?;
    let opened = open_around(root)?.map(|(folder, name)| open_here(folder.as_fd(), name.as_bytes(), OFlags::DIRECTORY));
    let tree = match opened {
        Some(Ok(tree)) => Some(tree),
        None | Some(Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => None,
        Some(Err(error)) => return Err(Error::io(format_args!("open {}", root.display()), &error.into())),
    };
    let mut summary = Summary::default();
    if let Some(tree) = tree {
        let (jobs, queue) = bounded::<Job>(OPEN_FILES);
        std::thread::scope(|scope| {
            for _ in 0..rules.threads.clamp(1, 16) {
                let queue = queue.clone();
                scope.spawn(move || read_contents(&queue, monitor));
            }
            drop(queue);
            let mut comparer = Comparer {
                known: &mut known,
                rules,
                summary: &mut summary,
                sink: &mut *sink,
                monitor,
                jobs,
                waiting: VecDeque::new(),
                kept: None,
                leaving: Vec::new(),
                mount: None,
            };
            walk(&tree, &mut |visit| {
                if visit.kind == Kind::Folder {
                    monitor.keep_going()?;
                    monitor.current(Phase::Files, &String::from_utf8_lossy(visit.path));
                }
                comparer.visit(visit)
            })?;
            comparer.finish()
        })?;
    }
    known.name_added(again, rules, &mut summary, sink, monitor)?;
    Ok(summary)
}

struct Catalogue {
    entries: HashMap<u64, Known>,
    seed: u64,
}

impl Catalogue {
    fn read(file: File, rules: &Rules<'_>, seed: u64, monitor: &dyn Monitor) -> Result<Catalogue> {
        let mut reader = Reader::new(file)?;
        let expected = usize::try_from(reader.records()).unwrap_or(0).min(1 << 20);
        let mut catalogue = Catalogue { entries: HashMap::with_capacity(expected), seed };
        let mut last_folder = Vec::new();
        while let Some(record) = reader.next_record()? {
            catalogue.add(&record, rules, &mut last_folder);
            if catalogue.entries.len().is_multiple_of(4096) {
                monitor.keep_going()?;
            }
        }
        Ok(catalogue)
    }

    fn key(&self, path: &[u8]) -> u64 {
        xxh3_64_with_seed(path, self.seed)
    }

    fn add(&mut self, record: &Record, rules: &Rules<'_>, last_folder: &mut Vec<u8>) {
        let path = record.path.as_bytes();
        let form = match (record.kind, record.hard_link) {
            (_, true) => Form::OtherName,
            (Kind::Folder, _) => Form::Folder,
            (Kind::Symlink, _) => Form::Link,
            (Kind::File | Kind::Special, _) => Form::File,
        };
        let hash = match form {
            Form::Link | Form::OtherName => self.key(&record.link),
            _ => record.hash,
        };
        let mode = match form {
            Form::Folder => rules.policy.folder_mode(record.mode),
            _ => rules.policy.file_mode(record.mode),
        };
        let mtime = record.mtime.map_or(NO_TIME, |(seconds, _)| seconds);
        let size = if form == Form::File { record.size } else { 0 };
        let key = self.key(path);
        let filled = self.entries.get(&key).is_some_and(|earlier| earlier.filled);
        self.entries.insert(key, Known { size, mtime, hash, mode: mode as u16, form, met: false, filled });
        // Archives that hold files alone still make folders.
        let mut end = parent_end(path);
        if last_folder.as_slice() == &path[..end] {
            return;
        }
        last_folder.clear();
        last_folder.extend_from_slice(&path[..end]);
        while end > 0 {
            let key = self.key(&path[..end]);
            if let Some(folder) = self.entries.get_mut(&key) {
                folder.filled = true;
                break;
            }
            let form = Form::Implied;
            let implied = Known { size: 0, mtime: NO_TIME, hash: 0, mode: 0, form, met: false, filled: true };
            self.entries.insert(key, implied);
            end = parent_end(&path[..end]);
        }
    }

    /// An entry as it will be on disk: another name of a file has that file's content.
    fn resolved(&self, known: Known) -> Known {
        let mut here = known;
        for _ in 0..8 {
            if here.form != Form::OtherName {
                return here;
            }
            let Some(next) = self.entries.get(&here.hash) else { return known };
            here = *next;
        }
        known
    }

    /// The second reading: what the walk did not meet.
    fn name_added(
        &self,
        file: File,
        rules: &Rules<'_>,
        summary: &mut Summary,
        sink: &mut Sink<'_>,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let mut reader = Reader::new(file)?;
        while let Some(record) = reader.next_record()? {
            let path = record.path.as_bytes();
            let Some(known) = self.entries.get(&self.key(path)).filter(|known| !known.met && !path.is_empty()) else {
                continue;
            };
            let is_folder = known.form == Form::Folder;
            match (rules.fate)(path, is_folder) {
                Fate::Replaced | Fate::KeptIfMissing(_) => {}
                Fate::Kept(_) | Fate::Untouched => continue,
            }
            monitor.keep_going()?;
            let side = side_of(&self.resolved(*known));
            counts(summary, is_folder).added += 1;
            summary.bytes_added += if known.form == Form::OtherName { 0 } else { side.size };
            sink(&Difference {
                path: path.to_vec(),
                change: Change::Added,
                what: Vec::new(),
                backup: Some(side),
                live: None,
                why: None,
                inside: (0, 0),
            })?;
        }
        Ok(())
    }
}

fn is_below(path: &[u8], folder: &[u8]) -> bool {
    !folder.is_empty() && path.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'))
}

fn parent_end(path: &[u8]) -> usize {
    memchr::memrchr(b'/', path).unwrap_or(0)
}

fn counts(summary: &mut Summary, is_folder: bool) -> &mut Counts {
    if is_folder { &mut summary.folders } else { &mut summary.files }
}

fn side_of(known: &Known) -> Side {
    Side {
        kind: match known.form {
            Form::File | Form::OtherName => Kind::File,
            Form::Folder | Form::Implied => Kind::Folder,
            Form::Link => Kind::Symlink,
        },
        size: known.size,
        mode: u32::from(known.mode),
        mtime: (known.mtime != NO_TIME).then_some(known.mtime),
    }
}

/// A content to be read.
struct Job {
    file: OwnedFd,
    wanted: u64,
    /// Whether it is equal.
    answer: Sender<std::io::Result<bool>>,
}

/// A difference on its way to the sink, in order.
enum Waiting {
    Known(Difference),
    /// Would be a difference; counts as one if the content differs too.
    Content(Difference, Receiver<std::io::Result<bool>>),
}

struct Comparer<'a> {
    known: &'a mut Catalogue,
    rules: &'a Rules<'a>,
    summary: &'a mut Summary,
    sink: &'a mut Sink<'a>,
    monitor: &'a dyn Monitor,
    jobs: Sender<Job>,
    waiting: VecDeque<Waiting>,
    /// The folder that is kept whole and is being walked.
    kept: Option<Difference>,
    /// The last folder that goes, with all that nobody excludes.
    leaving: Vec<u8>,
    mount: Option<u64>,
}

impl Comparer<'_> {
    fn visit(&mut self, visit: &Visit) -> Result<Next> {
        let is_folder = visit.kind == Kind::Folder;
        let mounted = *self.mount.get_or_insert(visit.stat.stx_mnt_id) != visit.stat.stx_mnt_id;
        let size = if visit.kind == Kind::File { visit.stat.stx_size } else { 0 };
        if let Some(kept) = &mut self.kept {
            if is_below(visit.path, &kept.path) && !mounted {
                kept.inside.0 += 1;
                kept.inside.1 += size;
                counts(self.summary, is_folder).kept += 1;
                self.summary.bytes_kept += size;
                self.take_known(visit.path);
                return Ok(Next::Into);
            }
            self.end_kept()?;
        }
        let fate = match (self.rules.fate)(visit.path, is_folder) {
            _ if mounted => Fate::Kept("it is a mount of its own"),
            Fate::KeptIfMissing(_) if is_below(visit.path, &self.leaving) => Fate::Replaced,
            other => other,
        };
        let known = self.take_known(visit.path);
        let fate = match fate {
            Fate::Kept(_) | Fate::KeptIfMissing(_) if visit.path.is_empty() => Fate::Replaced,
            // Some writers leave out what is in a folder, and some the folder too.
            Fate::KeptIfMissing(why) if known.is_none_or(|known| is_folder && known.is_empty_folder()) => {
                Fate::Kept(why)
            }
            other => other,
        };
        let live = Side {
            kind: visit.kind,
            size,
            mode: u32::from(visit.stat.stx_mode) & 0o7777,
            mtime: Some(visit.stat.stx_mtime.tv_sec),
        };
        let path = || visit.path.to_vec();
        let difference = |change, what| Difference {
            path: path(),
            change,
            what,
            backup: None,
            live: Some(live),
            why: None,
            inside: (0, 0),
        };
        match (fate, known) {
            (Fate::Untouched, _) => {}
            (Fate::Kept(why), _) => {
                counts(self.summary, is_folder).kept += 1;
                self.summary.bytes_kept += size;
                let kept = Difference { why: Some(why), ..difference(Change::Kept, Vec::new()) };
                if is_folder && !mounted {
                    self.kept = Some(kept);
                } else {
                    self.put(Waiting::Known(kept))?;
                }
            }
            (_, None) if visit.path.is_empty() => {}
            (_, None) => {
                counts(self.summary, is_folder).removed += 1;
                self.summary.bytes_removed += size;
                if is_folder && !is_below(visit.path, &self.leaving) {
                    self.leaving = visit.path.to_vec();
                }
                self.put(Waiting::Known(difference(Change::Removed, Vec::new())))?;
            }
            (_, Some(known)) => {
                let (what, content) = self.judge(visit, &known, &live)?;
                let mut found = Difference { backup: Some(side_of(&known)), ..difference(Change::Changed, what) };
                match content {
                    Some(wanted) => {
                        if let Ok(file) = visit.open() {
                            let (answer, answered) = bounded(1);
                            self.summary.contents_read += 1;
                            self.summary.bytes_read += size;
                            self.jobs.send(Job { file, wanted, answer }).map_err(|_| stopped())?;
                            self.put(Waiting::Content(found, answered))?;
                        } else {
                            // It vanished or cannot be read: a restore would write it.
                            found.what.push(Unequal::Content);
                            self.put(Waiting::Known(found))?;
                        }
                    }
                    None if found.what.is_empty() => counts(self.summary, is_folder).same += 1,
                    None => self.put(Waiting::Known(found))?,
                }
            }
        }
        Ok(if mounted { Next::Past } else { Next::Into })
    }

    fn take_known(&mut self, path: &[u8]) -> Option<Known> {
        let key = self.known.key(path);
        let known = self.known.entries.get_mut(&key)?;
        known.met = true;
        let known = *known;
        Some(self.known.resolved(known))
    }

    /// What differs by what the kernel says, and the hash to compare the content with where that has to be read.
    fn judge(&self, visit: &Visit, known: &Known, live: &Side) -> Result<(Vec<Unequal>, Option<u64>)> {
        let wanted = side_of(known);
        if wanted.kind != live.kind {
            return Ok((vec![Unequal::Type], None));
        }
        let mut what = Vec::new();
        if !matches!(known.form, Form::Implied | Form::Link | Form::OtherName) && wanted.mode != live.mode {
            what.push(Unequal::Mode);
        }
        match known.form {
            Form::Link if self.known.key(&visit.target()?) != known.hash => what.push(Unequal::LinkTarget),
            Form::File if known.size != live.size => what.extend([Unequal::Size, Unequal::Content]),
            Form::File if known.mtime != visit.stat.stx_mtime.tv_sec || self.rules.checksum => {
                return Ok((what, Some(known.hash)));
            }
            _ => {}
        }
        Ok((what, None))
    }

    fn end_kept(&mut self) -> Result<()> {
        match self.kept.take() {
            Some(kept) => self.put(Waiting::Known(kept)),
            None => Ok(()),
        }
    }

    /// Hands on in order; what is not known yet makes the rest wait, up to a number.
    fn put(&mut self, next: Waiting) -> Result<()> {
        self.waiting.push_back(next);
        while let Some(first) = self.waiting.front() {
            let full = self.waiting.len() > WAITING;
            match first {
                Waiting::Content(_, answer) if answer.is_empty() && !full => break,
                _ => self.hand_on()?,
            }
        }
        Ok(())
    }

    fn hand_on(&mut self) -> Result<()> {
        let mut difference = match self.waiting.pop_front() {
            None => return Ok(()),
            Some(Waiting::Known(difference)) => difference,
            Some(Waiting::Content(mut difference, answer)) => {
                let read = answer.recv().map_err(|_| stopped())?;
                self.monitor.keep_going()?;
                let equal = read.map_err(|error| {
                    Error::io(format_args!("read {:?}", String::from_utf8_lossy(&difference.path)), &error)
                })?;
                if !equal {
                    difference.what.push(Unequal::Content);
                }
                if difference.what.is_empty() {
                    self.summary.files.same += 1;
                    return Ok(());
                }
                difference
            }
        };
        if difference.change == Change::Changed {
            let is_folder = difference.backup.is_some_and(|side| side.kind == Kind::Folder);
            counts(self.summary, is_folder).changed += 1;
            if difference.what != [Unequal::Mode] {
                self.summary.bytes_changed += difference.backup.map_or(0, |side| side.size);
            }
        }
        if difference.path.is_empty() {
            difference.path.push(b'.');
        }
        (self.sink)(&difference)
    }

    fn finish(mut self) -> Result<()> {
        self.end_kept()?;
        while !self.waiting.is_empty() {
            self.hand_on()?;
        }
        Ok(())
    }
}

fn stopped() -> Error {
    Error::new(Code::Internal, "a thread that compares content ended early")
}

fn read_contents(queue: &Receiver<Job>, monitor: &dyn Monitor) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(Job { file, wanted, answer }) = queue.recv() {
        let read = hash(File::from(file), &mut buffer, monitor).map(|hash| hash == wanted);
        // Nobody waits any more when the comparison failed elsewhere.
        let _ = answer.send(read);
    }
}

fn hash(mut file: File, buffer: &mut [u8], monitor: &dyn Monitor) -> std::io::Result<u64> {
    let mut hash = Xxh3::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(hash.digest()),
            Ok(count) => {
                hash.update(&buffer[..count]);
                monitor.advance(Phase::Files, 0, count as u64);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if monitor.keep_going().is_err() {
            return Err(std::io::Error::other("the job was stopped"));
        }
    }
}

#[cfg(test)]
mod tests;
