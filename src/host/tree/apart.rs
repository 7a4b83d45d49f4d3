//! What a staged tree and the live one have apart, where a file that is the same in both is one file with two names.

use super::change::identity_here;
use super::handle::{open_here, refuse, resolve, stat_here};
use super::kind::{Kind, kind_of};
use super::look::{FolderChange, look};
use super::made;
use super::unit::{self, Unit};
use super::walk::{Next, Visit, names_of, statx_here};
use crate::error::Result;
use crate::path::RelPath;
use crate::progress::Monitor;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Stat, Statx, Uid, XattrFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// `OVERLAYFS_SUPER_MAGIC`.
const OVERLAY: i64 = 0x794c_7630;

/// Whether a tree may be exchanged part by part as far as its filesystem goes. In an overlay a folder of a lower layer moves nowhere by
/// itself.
pub fn may_be_exchanged_by_parts(live: impl AsFd) -> bool {
    rustix::fs::fstatfs(live).is_ok_and(|about| about.f_type != OVERLAY)
}

/// What two trees have apart.
#[derive(Debug, Clone, Default)]
pub struct Apart {
    /// The highest paths that differ.
    pub units: Vec<Unit>,
    /// Files that are one in both, and their bytes.
    pub same: (u64, u64),
    /// Folders of both that look differently, or have a unit in them.
    pub folders: Vec<FolderChange>,
    /// Why they cannot be exchanged part by part, as part of a sentence.
    pub obstacle: Option<String>,
}

/// What is not compared.
#[derive(Debug, Clone, Default)]
pub struct Passed {
    /// Live paths that stay as they are.
    pub kept: HashSet<RelPath>,
    /// Live folders that change places as they are, whatever is in them; in a kept path, too.
    pub wholes: HashSet<RelPath>,
}

/// Compares by names and identities. With `takes_out` the names of live files are taken
/// out of the staged tree: what is left of it changes places.
///
/// # Errors
/// `io_failed`, or what the monitor says.
pub fn apart(
    (live, staged): (impl AsFd, impl AsFd),
    passed: &Passed,
    takes_out: bool,
    monitor: &dyn Monitor,
) -> Result<Apart> {
    let root = statx_here(live.as_fd(), b"").map_err(|error| refuse(&RelPath::default(), error))?;
    let sides = Sides {
        live: live.as_fd(),
        staged: staged.as_fd(),
        passed,
        takes_out,
        place: (root.stx_mnt_id, root.stx_dev_major, root.stx_dev_minor),
    };
    let (mut found, mut level) = (Apart::default(), vec![RelPath::default()]);
    while !level.is_empty() {
        monitor.keep_going()?;
        let walks = std::thread::scope(|scope| {
            let size = level.len().div_ceil(THREADS).max(FEW);
            let part = |paths: &'_ [RelPath]| -> Result<Walk> {
                let mut walk = Walk::default();
                paths.iter().try_for_each(|path| walk.folder(&sides, path)).map(|()| walk)
            };
            let parts: Vec<_> = level.chunks(size).map(|paths| scope.spawn(move || part(paths))).collect();
            parts
                .into_iter()
                .map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect::<Vec<_>>()
        });
        level.clear();
        for walk in walks {
            let Walk { found: more, next } = walk?;
            found.units.extend(more.units);
            found.same = (found.same.0 + more.same.0, found.same.1 + more.same.1);
            found.folders.extend(more.folders);
            found.obstacle = found.obstacle.or(more.obstacle);
            level.extend(next);
        }
    }
    for path in passed.wholes.iter().filter(|path| is_in(path, &passed.kept)) {
        let coming = unit::identity_beneath(&staged, path)?;
        found.units.extend(coming.map(|coming| Unit { path: path.clone(), coming: Some(coming) }));
    }
    Ok(found)
}

fn is_in(path: &RelPath, kept: &HashSet<RelPath>) -> bool {
    kept.contains(path) || path.ancestors().any(|around| kept.contains(&around))
}

/// Takes everything but folders out of a staged path, and what changes places as a whole.
fn strip(staged: BorrowedFd, path: &RelPath, wholes: &HashSet<RelPath>) -> Result<()> {
    let mut next = vec![path.clone()];
    while let Some(path) = next.pop() {
        let fail = |error: Errno| refuse(&path, error);
        let Some((around, name)) = path.split_last() else { return Ok(()) };
        if wholes.contains(&path) {
            continue;
        }
        let around = resolve(staged, &around, OFlags::RDONLY | OFlags::DIRECTORY).map_err(fail)?;
        match stat_here(around.as_fd(), name).map_err(fail)? {
            Some(stat) if kind_of(stat.st_mode) == Kind::Folder => {
                let folder = open_here(around.as_fd(), name, OFlags::RDONLY | OFlags::DIRECTORY).map_err(fail)?;
                next.extend(names_of(&folder).map_err(fail)?.iter().map(|name| path.join(name)));
            }
            Some(_) => rustix::fs::unlinkat(&around, name, AtFlags::empty()).map_err(fail)?,
            None => {}
        }
    }
    Ok(())
}

/// Threads that look at folders, and the fewest folders for one of them.
const THREADS: usize = 4;
const FEW: usize = 16;

/// The two trees.
struct Sides<'a> {
    live: BorrowedFd<'a>,
    staged: BorrowedFd<'a>,
    passed: &'a Passed,
    takes_out: bool,
    /// Mount and device of the live root.
    place: (u64, u32, u32),
}

/// What one thread finds in folders, and the folders in them.
#[derive(Default)]
struct Walk {
    found: Apart,
    next: Vec<RelPath>,
}

impl Walk {
    fn folder(&mut self, sides: &Sides<'_>, path: &RelPath) -> Result<()> {
        let fail = |error: Errno| refuse(path, error);
        let open = |root: BorrowedFd| resolve(root, path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(fail);
        let (live, staged) = (open(sides.live)?, open(sides.staged)?);
        // Before names are taken out: that changes its time.
        let (old, new) = (look(&live).map_err(fail)?, look(&staged).map_err(fail)?);
        let mut names: BTreeMap<Box<[u8]>, [Option<Statx>; 2]> = BTreeMap::new();
        for (side, folder) in [&live, &staged].into_iter().enumerate() {
            for name in names_of(folder).map_err(fail)? {
                let stat = match statx_here(folder.as_fd(), &name) {
                    Err(Errno::NOENT) => None,
                    other => Some(other.map_err(fail)?),
                };
                names.entry(name).or_default()[side] = stat;
            }
        }
        let mut has_units = false;
        for (name, stats) in names {
            let below = path.join(&name);
            if RelPath::parse(below.as_bytes()).is_err() {
                self.found.obstacle.get_or_insert(format!("a name in {:?} is too long or too deep", path.to_string()));
                continue;
            }
            if stats[0].is_some() && sides.passed.kept.contains(&below) {
                if sides.takes_out && stats[1].is_some() {
                    strip(sides.staged, &below, &sides.passed.wholes)?;
                }
                continue;
            }
            let is_same = match &stats {
                [Some(here), Some(there)] => {
                    let kind = |stat: &Statx| kind_of(u32::from(stat.stx_mode));
                    match (kind(here), kind(there)) {
                        (Kind::Folder, Kind::Folder) if sides.passed.wholes.contains(&below) => false,
                        (Kind::Folder, Kind::Folder) => {
                            self.enter(sides, here, below);
                            continue;
                        }
                        (Kind::Symlink, Kind::Symlink) => {
                            is_one(here, there) || is_same_link((&live, here), (&staged, there), &name).map_err(fail)?
                        }
                        _ => is_one(here, there),
                    }
                }
                [None, None] => continue,
                _ => false,
            };
            if !is_same {
                has_units = true;
                let coming = identity_here(staged.as_fd(), &name).map_err(fail)?;
                self.found.units.push(Unit { coming, path: below });
                continue;
            }
            if let Some(stat) = stats[0].filter(|stat| kind_of(u32::from(stat.stx_mode)) == Kind::File) {
                self.found.same = (self.found.same.0 + 1, self.found.same.1 + stat.stx_size);
            }
            if sides.takes_out {
                rustix::fs::unlinkat(&staged, name.as_ref(), AtFlags::empty()).map_err(fail)?;
            }
        }
        if has_attributes(&live) {
            // A new tree has no access lists, and whoever has a right by one on the live folder would keep it.
            self.found.obstacle.get_or_insert(format!("the live folder {:?} has attributes", path.to_string()));
        }
        if has_units || (old.owner, old.mode, old.mtime.0) != (new.owner, new.mode, new.mtime.0) {
            let folder = identity_here(live.as_fd(), b".").map_err(fail)?;
            self.found.folders.extend(folder.map(|folder| FolderChange { path: path.clone(), folder, old, new }));
        }
        Ok(())
    }

    fn enter(&mut self, sides: &Sides<'_>, live: &Statx, path: RelPath) {
        if (live.stx_mnt_id, live.stx_dev_major, live.stx_dev_minor) != sides.place {
            let why = format!("the live folder {:?} is a mount or a subvolume", path.to_string());
            self.found.obstacle.get_or_insert(why);
        }
        self.next.push(path);
    }
}

fn is_one(here: &Statx, there: &Statx) -> bool {
    (here.stx_dev_major, here.stx_dev_minor, here.stx_ino) == (there.stx_dev_major, there.stx_dev_minor, there.stx_ino)
}

fn is_same_link(here: (&OwnedFd, &Statx), there: (&OwnedFd, &Statx), name: &[u8]) -> rustix::io::Result<bool> {
    let facts = |stat: &Statx| (stat.stx_uid, stat.stx_gid, stat.stx_mtime.tv_sec);
    let target = |folder: &OwnedFd| rustix::fs::readlinkat(folder, name, Vec::new());
    Ok(facts(here.1) == facts(there.1) && target(here.0)? == target(there.0)?)
}

fn has_attributes(folder: &OwnedFd) -> bool {
    let mut names = [0; 4 << 10];
    !matches!(rustix::fs::flistxattr(folder, &mut names[..]), Ok(0) | Err(Errno::NOTSUP))
}

/// Makes every file of a staged tree that has a name elsewhere a file of its own: the site may have renamed a live one meanwhile. `kept`:
/// paths that are to remain what they are. Gives how many it were.
///
/// # Errors
/// `disk_full`, `io_failed`, or what the monitor says.
pub fn make_all_own(staged: impl AsFd, kept: &HashSet<RelPath>, monitor: &dyn Monitor) -> Result<u64> {
    let shows = |visit: &mut dyn FnMut(&Visit<'_>, RelPath) -> Result<()>| {
        super::walk(&staged, &mut |found| {
            let Ok(path) = RelPath::parse(found.path) else { return Ok(Next::Into) };
            if kept.contains(&path) {
                return Ok(Next::Past);
            }
            if found.kind == Kind::File && found.stat.stx_nlink > 1 {
                monitor.keep_going()?;
                visit(found, path)?;
            }
            Ok(Next::Into)
        })
    };
    // Names that the archive gives one file are no names elsewhere.
    let mut names: HashMap<u64, u32> = HashMap::new();
    shows(&mut |found, _| {
        *names.entry(found.stat.stx_ino).or_default() += 1;
        Ok(())
    })?;
    let mut made = 0;
    shows(&mut |found, path| {
        if names.get(&found.stat.stx_ino).is_some_and(|names| *names < found.stat.stx_nlink) {
            copy(found.folder, found.name).map_err(|error| made::writing(&path, &error.into()))?;
            made += 1;
        }
        Ok(())
    })?;
    Ok(made)
}

/// Makes the staged file of this path, in its folder, a file of its own where it is one with the live file of that path.
///
/// # Errors
/// What the system says.
pub(crate) fn make_own(live: BorrowedFd, folder: BorrowedFd, path: &RelPath) -> rustix::io::Result<()> {
    let Some((around, name)) = path.split_last() else { return Ok(()) };
    let Some(staged) = stat_here(folder, name)? else { return Ok(()) };
    let there = resolve(live, &around, OFlags::PATH | OFlags::DIRECTORY).and_then(|live| stat_here(live.as_fd(), name));
    let is_one = |there: &Stat| (there.st_dev, there.st_ino) == (staged.st_dev, staged.st_ino);
    match staged.st_nlink > 1 && there.ok().flatten().is_some_and(|there| is_one(&there)) {
        true => copy(folder, name),
        false => Ok(()),
    }
}

/// Puts a copy in the place of a file.
fn copy(folder: BorrowedFd, name: &[u8]) -> rustix::io::Result<()> {
    let source = open_here(folder, name, OFlags::RDONLY | OFlags::NONBLOCK)?;
    let staged = rustix::fs::fstat(&source)?;
    rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?;
    // On btrfs and XFS the two share their blocks until one is written to.
    if rustix::fs::ioctl_ficlone(&made, &source).is_err() {
        let (mut from, mut into) =
            (File::from(source.try_clone().map_err(errno)?), File::from(made.try_clone().map_err(errno)?));
        std::io::copy(&mut from, &mut into).map_err(errno)?;
    }
    rustix::fs::fchown(&made, Some(Uid::from_raw(staged.st_uid)), Some(Gid::from_raw(staged.st_gid)))?;
    rustix::fs::fchmod(&made, Mode::from_raw_mode(staged.st_mode & 0o7777))?;
    copy_attributes(&source, &made)?;
    rustix::fs::futimens(&made, &made::times((staged.st_mtime, staged.st_mtime_nsec as u32)))
}

/// They are those of the backup: a file with others is not the same.
fn copy_attributes(from: &OwnedFd, into: &OwnedFd) -> rustix::io::Result<()> {
    let mut names = vec![0; 64 << 10];
    let Ok(length) = rustix::fs::flistxattr(from, &mut names[..]) else { return Ok(()) };
    let mut value = vec![0; 64 << 10];
    for name in names[..length].split(|byte| *byte == 0).filter(|name| name.starts_with(b"user.")) {
        let length = rustix::fs::fgetxattr(from, name, &mut value[..])?;
        rustix::fs::fsetxattr(into, name, &value[..length], XattrFlags::empty())?;
    }
    Ok(())
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests;
