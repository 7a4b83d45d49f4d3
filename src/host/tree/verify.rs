//! Reads a tree back and compares it with the record of what was to be written.

use super::difference::{Difference, Sides, What};
use super::handle::{open_here, resolve, stat_here};
use super::kind::{Kind, kind_of};
use super::manifest::{Reader, Record};
use super::walk::{Next, walk};
use crate::error::{Error, Result};
use crate::path::RelPath;
use crate::progress::{Monitor, Phase};
use rustix::fs::{Dir, OFlags, Stat};
use rustix::io::Errno;
use std::collections::HashSet;
use std::ffi::CString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Most differences a report names.
const NAMED: usize = 50;
/// Records a thread takes at a time.
const TAKEN: usize = 64;
const BUFFER: usize = 256 << 10;

/// How closely a tree is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// Every byte of content, and everything else.
    Full,
    /// Names, types, sizes, modes, owners, times and link targets; no content.
    MetadataOnly,
}

/// Which paths of the tree the manifest speaks for.
#[derive(Debug, Clone, Default)]
pub struct Extent {
    /// Only these files and folders with all below; `None`: the whole tree.
    pub units: Option<HashSet<RelPath>>,
    /// Not these, which the tree has from elsewhere.
    pub kept: HashSet<RelPath>,
    /// Nor these, which were removed again.
    pub dropped: HashSet<RelPath>,
    /// The live tree, of whose files the tree may hold other names: what the site has written to them since is no fault of the tree.
    pub live: Option<Arc<OwnedFd>>,
}

impl Extent {
    fn holds(&self, path: &RelPath) -> bool {
        let within = |set: &HashSet<RelPath>| {
            !set.is_empty() && (set.contains(path) || path.ancestors().any(|folder| set.contains(&folder)))
        };
        self.units.as_ref().is_none_or(within) && !within(&self.dropped)
    }

    /// Nothing around it is compared, so it is counted in no folder.
    fn stands_alone(&self, path: &RelPath) -> bool {
        path.is_root() || self.units.as_ref().is_some_and(|units| units.contains(path))
    }
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeReport {
    /// Entries compared.
    pub compared: u64,
    /// Files whose content was read and compared.
    pub contents: u64,
    /// Bytes of that content.
    pub bytes: u64,
    /// Entries that are not there.
    pub missing: u64,
    /// Entries that are there and differ.
    pub different: u64,
    /// Files that are live ones and that the site has written to since.
    pub written: u64,
    /// The first of them.
    pub first_written: Option<RelPath>,
    /// Things in the tree that no entry made.
    pub extra: u64,
    /// False when the time was over before everything was compared.
    pub complete: bool,
    /// The first differences, up to a limit.
    pub differences: Vec<Difference>,
}

impl TreeReport {
    /// Whether everything was compared and nothing differs: a job judges each of these by itself.
    #[cfg(any(test, feature = "test-support"))]
    pub fn is_good(&self) -> bool {
        self.complete && self.missing + self.different + self.extra == 0
    }
}

/// Compares the tree with its manifest, over several threads. At the deadline it stops and says so.
///
/// # Errors
/// `journal_corrupt` for a damaged manifest, `io_failed`, or what the monitor says. A difference is no error.
pub fn verify(
    tree: impl AsFd,
    manifest: File,
    extent: &Extent,
    sample: Sample,
    threads: usize,
    deadline: Option<Instant>,
    monitor: &dyn Monitor,
) -> Result<TreeReport> {
    let tree = tree.as_fd();
    let again = manifest.try_clone().map_err(|error| Error::io("read the manifest", &error))?;
    let reader = Mutex::new(Reader::new(manifest)?);
    let results = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads.clamp(1, 16))
            .map(|_| scope.spawn(|| Checker::new(tree, extent, sample).run(&reader, deadline, monitor)))
            .collect();
        handles
            .into_iter()
            .map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|_| Err(Error::new(crate::error::Code::Internal, "a verifying thread panicked")))
            })
            .collect::<Vec<_>>()
    });
    let mut total = TreeReport { complete: true, ..TreeReport::default() };
    let (mut names, mut expected) = (0, 0);
    for result in results {
        let (report, seen, wanted) = result?;
        total.compared += report.compared;
        total.contents += report.contents;
        total.bytes += report.bytes;
        total.missing += report.missing;
        total.different += report.different;
        total.written += report.written;
        total.first_written = total.first_written.or(report.first_written);
        total.complete &= report.complete;
        total.differences.extend(report.differences);
        names += seen;
        expected += wanted;
    }
    if total.complete && names != expected - total.missing.min(expected) {
        name_extras(tree, again, extent, &mut total)?;
    }
    total.differences.truncate(NAMED);
    Ok(total)
}

struct Checker<'a> {
    tree: BorrowedFd<'a>,
    extent: &'a Extent,
    sample: Sample,
    folder: Option<(RelPath, OwnedFd)>,
    report: TreeReport,
    /// Names counted in folders, and entries that should be among them.
    names: u64,
    expected: u64,
    buffer: Vec<u8>,
}

impl<'a> Checker<'a> {
    fn new(tree: BorrowedFd<'a>, extent: &'a Extent, sample: Sample) -> Checker<'a> {
        let report = TreeReport { complete: true, ..TreeReport::default() };
        Checker { tree, extent, sample, folder: None, report, names: 0, expected: 0, buffer: Vec::new() }
    }

    fn run(
        mut self,
        reader: &Mutex<Reader>,
        deadline: Option<Instant>,
        monitor: &dyn Monitor,
    ) -> Result<(TreeReport, u64, u64)> {
        if self.sample == Sample::Full {
            self.buffer.resize(BUFFER, 0);
        }
        let mut taken = Vec::with_capacity(TAKEN);
        loop {
            monitor.keep_going()?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.report.complete = false;
                break;
            }
            {
                let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
                while taken.len() < TAKEN {
                    match reader.next_record()? {
                        Some(record) => taken.push(record),
                        None => break,
                    }
                }
            }
            let (Some(last), count) = (taken.last(), taken.len() as u64) else { break };
            monitor.current(Phase::Verify, &last.path.to_string());
            let before = self.report.bytes;
            for record in taken.drain(..) {
                self.check(&record, monitor)?;
            }
            monitor.advance(Phase::Verify, count, self.report.bytes - before);
        }
        Ok((self.report, self.names, self.expected))
    }

    fn check(&mut self, record: &Record, monitor: &dyn Monitor) -> Result<()> {
        if !self.extent.holds(&record.path) {
            return Ok(());
        }
        self.report.compared += 1;
        self.expected += u64::from(!self.extent.stands_alone(&record.path));
        match self.compare(record, monitor) {
            Ok(None) => {}
            Ok(Some(_)) if self.is_live(&record.path) => {
                self.report.written += 1;
                self.report.first_written.get_or_insert_with(|| record.path.clone());
            }
            Ok(Some(what)) => {
                self.report.different += 1;
                self.note(&record.path, what);
            }
            Err(Trouble::Missing) => {
                self.report.missing += 1;
                self.note(&record.path, What::Missing);
            }
            Err(Trouble::Failed(error)) => return Err(error),
        }
        Ok(())
    }

    /// Whether a path of the tree is the live file of that path.
    fn is_live(&self, path: &RelPath) -> bool {
        let look = |root: BorrowedFd| resolve(root, path, OFlags::PATH).and_then(rustix::fs::fstat).ok();
        let Some(live) = self.extent.live.as_ref().and_then(|live| look(live.as_fd())) else { return false };
        let is_one = |here: Stat| (here.st_dev, here.st_ino) == (live.st_dev, live.st_ino);
        kind_of(live.st_mode) == Kind::File && look(self.tree).is_some_and(is_one)
    }

    fn note(&mut self, path: &RelPath, what: What) {
        if self.report.differences.len() < NAMED {
            self.report.differences.push(Difference { path: path.clone(), what });
        }
    }

    fn compare(&mut self, record: &Record, monitor: &dyn Monitor) -> std::result::Result<Option<What>, Trouble> {
        let at = |error: Errno| trouble(&record.path, error);
        if record.kind == Kind::Folder {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOATIME;
            let folder = resolve(self.tree, &record.path, flags).map_err(at)?;
            let stat = rustix::fs::fstat(&folder).map_err(at)?;
            for entry in Dir::read_from(&folder).map_err(at)? {
                let entry = entry.map_err(at)?;
                let name = entry.file_name().to_bytes();
                let ours = self.extent.kept.is_empty()
                    || !(self.extent.kept.contains(&record.path) || self.extent.kept.contains(&record.path.join(name)));
                self.names += u64::from(ours && !matches!(name, b"." | b".."));
            }
            return Ok(difference(record, &stat));
        }
        let (tree, sample) = (self.tree, self.sample);
        let folder = self.folder_of(&record.path).map_err(at)?;
        let name = record.path.last_name();
        if record.hard_link {
            let stat = stat_here(folder, name).map_err(at)?.ok_or(Trouble::Missing)?;
            let first = RelPath::parse(&record.link).map_err(Trouble::Failed)?;
            let first = resolve(tree, &first, OFlags::PATH).and_then(rustix::fs::fstat);
            let same = first.is_ok_and(|first| (first.st_dev, first.st_ino) == (stat.st_dev, stat.st_ino));
            return Ok((!same).then_some(What::HardLink));
        }
        if record.kind == Kind::Symlink {
            let stat = stat_here(folder, name).map_err(at)?.ok_or(Trouble::Missing)?;
            if let Some(found) = difference(record, &stat) {
                return Ok(Some(found));
            }
            let target = rustix::fs::readlinkat(folder, name, Vec::new()).map(CString::into_bytes).map_err(at)?;
            let differs = target != record.link;
            return Ok(differs.then(|| What::Target(Sides { found: target, expected: record.link.clone() })));
        }
        if sample == Sample::MetadataOnly {
            let stat = stat_here(folder, name).map_err(at)?.ok_or(Trouble::Missing)?;
            return Ok(difference(record, &stat));
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let file = match open_here(folder, name, flags | OFlags::NOATIME) {
            Err(Errno::PERM) => open_here(folder, name, flags),
            other => other,
        };
        let file = match file {
            Ok(file) => file,
            Err(Errno::LOOP) => return Ok(Some(What::Kind(Sides { found: Kind::Symlink, expected: record.kind }))),
            Err(Errno::NXIO) => return Ok(Some(What::Kind(Sides { found: Kind::Special, expected: record.kind }))),
            Err(error) => return Err(at(error)),
        };
        let stat = rustix::fs::fstat(&file).map_err(at)?;
        if let Some(found) = difference(record, &stat) {
            return Ok(Some(found));
        }
        let hash = self.hash(File::from(file), record, monitor)?;
        self.report.contents += 1;
        self.report.bytes += record.size;
        Ok((hash != record.hash).then_some(What::Content))
    }

    fn hash(&mut self, mut file: File, record: &Record, monitor: &dyn Monitor) -> std::result::Result<u64, Trouble> {
        let mut read = |buffer: &mut [u8]| {
            file.read(buffer).map_err(|error| {
                Trouble::Failed(Error::io(format_args!("read back {:?}", record.path.to_string()), &error))
            })
        };
        let count = read(&mut self.buffer)?;
        if count as u64 == record.size {
            return Ok(xxh3_64(&self.buffer[..count]));
        }
        let mut hash = Xxh3::new();
        hash.update(&self.buffer[..count]);
        let mut round = 0u32;
        loop {
            let count = read(&mut self.buffer)?;
            if count == 0 {
                return Ok(hash.digest());
            }
            hash.update(&self.buffer[..count]);
            round += 1;
            if round.is_multiple_of(256) {
                monitor.keep_going().map_err(Trouble::Failed)?;
            }
        }
    }

    fn folder_of(&mut self, path: &RelPath) -> rustix::io::Result<BorrowedFd<'_>> {
        let (folder, _) = path.split_last().ok_or(Errno::NOTDIR)?;
        if self.folder.as_ref().is_none_or(|(known, _)| *known != folder) {
            let handle = resolve(self.tree, &folder, OFlags::PATH | OFlags::DIRECTORY)?;
            self.folder = Some((folder, handle));
        }
        self.folder.as_ref().map(|(_, handle)| handle.as_fd()).ok_or(Errno::NOENT)
    }
}

enum Trouble {
    Missing,
    Failed(Error),
}

fn trouble(path: &RelPath, error: Errno) -> Trouble {
    match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Trouble::Missing,
        other => Trouble::Failed(Error::io(format_args!("look at {:?}", path.to_string()), &other.into())),
    }
}

fn difference(record: &Record, stat: &Stat) -> Option<What> {
    let kind = kind_of(stat.st_mode);
    if kind != record.kind {
        return Some(What::Kind(Sides { found: kind, expected: record.kind }));
    }
    let (found, expected) = ((stat.st_uid, stat.st_gid), (record.uid, record.gid));
    if found != expected {
        return Some(What::Owner(Sides { found, expected }));
    }
    let (found, expected) = (stat.st_mode & 0o7777, record.mode);
    if kind != Kind::Symlink && found != expected {
        return Some(What::Mode(Sides { found, expected }));
    }
    let (found, expected) = (stat.st_size as u64, record.size);
    if kind == Kind::File && found != expected {
        return Some(What::Size(Sides { found, expected }));
    }
    // A filesystem may keep times less finely than the archive.
    match (kind, record.mtime) {
        (Kind::File, Some((expected, _))) if stat.st_mtime != expected => {
            Some(What::Time(Sides { found: stat.st_mtime, expected }))
        }
        _ => None,
    }
}

/// The slow way, taken only when the numbers differ: every path of the manifest is held in memory.
fn name_extras(tree: BorrowedFd, manifest: File, extent: &Extent, report: &mut TreeReport) -> Result<()> {
    let mut known = HashSet::new();
    let mut reader = Reader::new(manifest)?;
    while let Some(record) = reader.next_record()? {
        known.insert(xxh3_64(record.path.as_bytes()));
    }
    walk(tree, &mut |visit| {
        let path = RelPath::parse(visit.path).unwrap_or_default();
        if extent.kept.contains(&path) {
            return Ok(Next::Past);
        }
        if !extent.holds(&path) {
            return Ok(Next::Into);
        }
        if !visit.path.is_empty() && !known.contains(&xxh3_64(visit.path)) {
            report.extra += 1;
            if report.differences.len() < NAMED {
                report.differences.push(Difference { path, what: What::Extra });
            }
        }
        Ok(Next::Into)
    })
}
