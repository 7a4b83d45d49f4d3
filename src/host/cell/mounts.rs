//! What a cell sees of the machine: all of it read-only, the folders of others empty, the staged tree at its place.

use super::{OWN, Spec, web};
use std::ffi::{CString, OsStr};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

/// Most bytes that the site may write.
const ROOM: &str = "128m";
/// Where the layer of the site's writes is, for the first process alone.
const LAYER: &str = "/run/rocketvps-cell-layer";
/// What every machine has of folders in which processes meet.
const MEETING_PLACES: [&str; 6] = ["/run", "/tmp", "/var/tmp", "/dev/shm", "/var/lib/mysql", "/var/spool"];

/// The devices of a cell.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// `mount_attr` of mount_setattr(2).
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    userns: u64,
}

fn c(text: impl AsRef<OsStr>) -> io::Result<CString> {
    CString::new(text.as_ref().as_bytes()).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn done(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn mount(source: &str, target: &Path, kind: &str, flags: libc::c_ulong, options: &str) -> io::Result<()> {
    let (source, target, kind, options) = (c(source)?, c(target)?, c(kind)?, c(options)?);
    // SAFETY: four strings that end with NUL and live as long as the call.
    done(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast()) })
}

fn named(what: &str, path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{what} {}: {error}", path.display())
}

fn handle(path: &Path) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    Ok(rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}

fn through(handle: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", handle.as_raw_fd())
}

/// The paths at which somebody of this machine's network listens or is bound. To be read before the network is left.
pub fn sockets() -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let mut found: Vec<PathBuf> = table.lines().skip(1).filter_map(path_of).collect();
    found.sort();
    found.dedup();
    found
}

/// The path in a line of /proc/net/unix, which is its end and may have spaces.
fn path_of(line: &str) -> Option<PathBuf> {
    line.find(" /").map(|at| PathBuf::from(&line[at + 1..]))
}

/// Makes the mounts of a cell, in a mount namespace of its own. Whether the tree has a layer for the site's writes.
///
/// # Errors
/// What could not be mounted, and why.
pub fn make(spec: &Spec, sockets: &[PathBuf]) -> Result<bool, String> {
    let root = Path::new("/");
    // Nothing of the cell goes out. What is unmounted outside is not kept in use here, or a disk could be pulled that is still written to.
    mount("none", root, "", libc::MS_REC | libc::MS_SLAVE, "").map_err(named("leave the mounts at", root))?;
    let tree = handle(&spec.tree).map_err(named("open", &spec.tree))?;
    let around = match &spec.around {
        Some(around) => Some((around, handle(around).map_err(named("open", around))?)),
        None => None,
    };
    let gate = match &spec.database {
        Some((gate, _)) => Some(handle(gate).map_err(named("open", gate))?),
        None => None,
    };
    let php = match (&spec.php, &spec.web) {
        (Some(php), Some(_)) => Some(handle(&php.socket).map_err(named("open", &php.socket))?),
        _ => None,
    };
    all_read_only().map_err(named("make everything read-only from", root))?;
    own_devices().map_err(named("make devices in", Path::new("/dev")))?;
    let mut covered: Vec<PathBuf> =
        MEETING_PLACES.iter().map(PathBuf::from).chain(spec.covered.iter().cloned()).collect();
    covered.retain(|folder| folder.is_dir());
    covered = covered.iter().filter_map(|folder| folder.canonicalize().ok()).collect();
    covered.sort();
    for folder in &covered {
        // One inside another is gone by now.
        if folder.is_dir() {
            cover(folder).map_err(named("cover", folder))?;
        }
    }
    make_folder(Path::new(OWN), 0o755).map_err(named("make", Path::new(OWN)))?;
    if let Some((place, around)) = &around {
        show(place, around).map_err(named("show the site's folder at", place))?;
    }
    let layered = show_tree(spec, &tree)?;
    // Before the gate is there: a socket may have several spellings, and its own would be one of them.
    for socket in sockets {
        let there = fs::symlink_metadata(socket).is_ok_and(|data| data.file_type().is_socket());
        if there {
            mount("/dev/null", socket, "", libc::MS_BIND, "").map_err(named("cover the socket", socket))?;
        }
    }
    if let (Some((_, place)), Some(gate)) = (&spec.database, &gate) {
        show_gate(place, gate).map_err(named("show the database at", place))?;
    }
    if let Some(php) = &php {
        show_gate(Path::new(web::PHP), php).map_err(named("show PHP at", Path::new(web::PHP)))?;
    }
    Ok(layered)
}

fn all_read_only() -> io::Result<()> {
    const RDONLY: u64 = 1;
    const NOSUID: u64 = 2;
    const NOATIME: u64 = 0x10;
    // Of times of access there is one kind at a time.
    const ATIME: u64 = 0x70;
    let wanted = MountAttributes { set: RDONLY | NOSUID | NOATIME, clear: ATIME, propagation: 0, userns: 0 };
    // SAFETY: a path that ends with NUL, and a struct of the size that is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            c"/".as_ptr(),
            libc::AT_RECURSIVE,
            &raw const wanted,
            size_of::<MountAttributes>(),
        )
    };
    done(libc::c_int::try_from(result).unwrap_or(-1))
}

fn cover(folder: &Path) -> io::Result<()> {
    let data = fs::metadata(folder)?;
    // Temporary files are everybody's; into any other folder only we put things.
    let mode = data.mode() & 0o7777 | 0o755;
    let (size, names) = if mode & 0o002 == 0 { ("1m", "1k") } else { ("32m", "20k") };
    let options = format!("size={size},nr_inodes={names},mode={mode:o}");
    mount("tmpfs", folder, "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, &options)
}

/// A /dev of the few devices that are nobody's.
fn own_devices() -> io::Result<()> {
    let dev = Path::new("/dev");
    let there = |name: &&str| handle(&dev.join(name)).ok().map(|device| (dev.join(name), device));
    let devices: Vec<(PathBuf, OwnedFd)> = DEVICES.iter().filter_map(there).collect();
    mount("tmpfs", dev, "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, "size=64k,nr_inodes=64,mode=0755")?;
    for (place, device) in &devices {
        File::create(place)?;
        mount(&through(device), place, "", libc::MS_BIND, "")?;
    }
    for (name, to) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        symlink(format!("/proc/self/fd{to}"), dev.join(name))?;
    }
    make_folder(&dev.join("shm"), 0o1777)
}

fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(mode))
}

/// The folders down to `folder`, which others may pass through.
fn make_way(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|part| !part.exists()).collect();
    missing.into_iter().rev().try_for_each(|part| fs::create_dir(part).and_then(|()| make_folder(part, 0o755)))
}

fn show_tree(spec: &Spec, tree: &OwnedFd) -> Result<bool, String> {
    let place = &spec.place;
    make_way(place).map_err(named("make", place))?;
    let layer = Path::new(LAYER);
    let layered = make_folder(layer, 0o700)
        .and_then(|()| {
            let options = format!("size={ROOM},nr_inodes=100k,mode=0700");
            mount("tmpfs", layer, "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, &options)?;
            let (upper, work) = (layer.join("upper"), layer.join("work"));
            make_folder(&upper, 0o755)?;
            make_folder(&work, 0o700)?;
            // The merged folder has the owner and mode of the upper one.
            let data = fs::metadata(through(tree))?;
            chown(&upper, Some(data.uid()), Some(data.gid()))?;
            fs::set_permissions(&upper, Permissions::from_mode(data.mode() & 0o7777))?;
            let options = format!("lowerdir={},upperdir={},workdir={}", through(tree), upper.display(), work.display());
            mount("overlay", place, "overlay", libc::MS_NOSUID | libc::MS_NODEV, &options)
        })
        .is_ok();
    if !layered {
        // Files of the tree may be further names of live ones.
        show(place, tree).map_err(named("show the staged tree at", place))?;
        return Ok(false);
    }
    hide(spec)?;
    Ok(true)
}

/// Shows a folder at a place, read-only.
fn show(place: &Path, folder: &OwnedFd) -> io::Result<()> {
    make_way(place)?;
    mount(&through(folder), place, "", libc::MS_BIND, "")?;
    let flags = libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV;
    mount("none", place, "", flags, "")
}

/// Takes what is hidden out of the merged tree, and leaves the staged one as it is.
fn hide(spec: &Spec) -> Result<(), String> {
    use crate::host::tree;
    use crate::path::RelPath;
    use rustix::fs::{AtFlags, unlinkat};
    use std::os::fd::AsFd;
    let root = handle(&spec.place).map_err(named("open", &spec.place))?;
    for path in &spec.hidden {
        let Ok(path) = RelPath::parse(path.as_os_str().as_bytes()) else { continue };
        let Some((around, name)) = path.split_last() else { continue };
        let Ok(folder) = tree::open_folder_beneath(root.as_fd(), &around) else { continue };
        let _ = unlinkat(&folder, OsStr::from_bytes(name), AtFlags::empty());
    }
    Ok(())
}

fn show_gate(place: &Path, gate: &OwnedFd) -> io::Result<()> {
    if let Some(folder) = place.parent() {
        make_way(folder)?;
    }
    if !place.exists() {
        File::create(place)?;
    }
    mount(&through(gate), place, "", libc::MS_BIND, "")
}

/// The processes of the cell, in place of the machine's.
///
/// # Errors
/// Why they cannot be shown.
pub fn show_processes() -> Result<(), String> {
    let proc = Path::new("/proc");
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    mount("proc", proc, "proc", flags, "").map_err(named("mount", proc))
}

/// Where the site's writes are, for the first process of a cell.
pub fn layer() -> PathBuf {
    Path::new(LAYER).join("upper")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_socket_is_the_end_of_its_line() {
        let line = "0000000000000000: 00000002 00000000 00010000 0001 01    23";
        assert_eq!(path_of(line), None);
        assert_eq!(path_of(&format!("{line} @abstract/name")), None);
        assert_eq!(path_of(&format!("{line} /srv/a b/db.sock")), Some(PathBuf::from("/srv/a b/db.sock")));
    }
}
