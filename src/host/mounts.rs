//! Where else a folder is mounted: a bind mount, in the jail of an SFTP server, in a container, in the sandbox of a service
//! (`ReadWritePaths=` of systemd.exec(5)). A mount holds on to the folder itself and not to its name (mount_namespaces(7)): after an
//! exchange it goes on with the old one.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A line of a mountinfo file (proc_pid_mountinfo(5)).
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    device: String,
    /// What of the filesystem is mounted.
    root: PathBuf,
    at: PathBuf,
    /// What the filesystem says of itself.
    options: String,
}

/// Another place that shows a folder, or something in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elsewhere {
    /// Where it is mounted.
    pub at: PathBuf,
    /// The program whose view of the machine has the mount; `None`: this one's.
    pub program: Option<String>,
}

/// Every other mount of a folder or of what is in it, as seen by any process of the machine.
pub fn elsewhere(folder: &Path) -> BTreeSet<Elsewhere> {
    let read = |process: &str| std::fs::read(format!("/proc/{process}/mountinfo")).unwrap_or_default();
    let mine = parse(&read("self"));
    let Some((device, inside)) = place_of(&mine, folder) else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::from([namespace("self")]);
    found.extend(others(&mine, &device, &inside, folder, None));
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_process = name.bytes().all(|byte| byte.is_ascii_digit());
        // Of the processes that share a view one is asked.
        if is_process && seen.insert(namespace(&name)) {
            let program = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default().trim().to_owned();
            found.extend(others(&parse(&read(&name)), &device, &inside, folder, Some(&program)));
        }
    }
    found
}

/// Whether the overlay that a folder is in moves folders out of its lower layers: `redirect_dir=on`, or the kernel's own default
/// (overlayfs.rst).
pub fn moves_folders(folder: &Path) -> bool {
    let mounts = parse(&std::fs::read("/proc/self/mountinfo").unwrap_or_default());
    let options = mount_of(&mounts, folder).map_or("", |mount| mount.options.as_str());
    match options.split(',').find_map(|option| option.strip_prefix("redirect_dir=")) {
        Some(said) => said == "on",
        None => {
            std::fs::read_to_string("/sys/module/overlay/parameters/redirect_dir").is_ok_and(|said| said.trim() == "Y")
        }
    }
}

fn namespace(process: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{process}/ns/mnt")).ok()
}

/// The mount that a folder is seen through.
fn mount_of<'a>(mounts: &'a [Mount], folder: &Path) -> Option<&'a Mount> {
    let depth = |mount: &&Mount| mount.at.components().count();
    // Of two mounts at one place the later one is seen.
    mounts.iter().filter(|mount| folder.starts_with(&mount.at)).max_by_key(depth)
}

/// The device of a folder, and its path on it.
fn place_of(mounts: &[Mount], folder: &Path) -> Option<(String, PathBuf)> {
    let mount = mount_of(mounts, folder)?;
    let inner = folder.strip_prefix(&mount.at).ok()?;
    Some((mount.device.clone(), mount.root.join(inner)))
}

fn others<'a>(
    mounts: &'a [Mount],
    device: &'a str,
    inside: &'a Path,
    folder: &'a Path,
    program: Option<&'a str>,
) -> impl Iterator<Item = Elsewhere> + 'a {
    // Of this view, what is mounted within the folder itself is no other place: nested mounts are looked for elsewhere.
    let is_own = move |mount: &&Mount| program.is_none() && mount.at.starts_with(folder);
    let shows = move |mount: &&Mount| mount.device == device && mount.root.starts_with(inside) && !is_own(mount);
    mounts
        .iter()
        .filter(shows)
        .map(move |mount| Elsewhere { at: mount.at.clone(), program: program.map(str::to_owned) })
}

fn parse(text: &[u8]) -> Vec<Mount> {
    let line = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ').skip(2);
        let device = String::from_utf8_lossy(fields.next()?).into_owned();
        let (root, at) = (path(fields.next()?), path(fields.next()?));
        let options = String::from_utf8_lossy(line.rsplit(|byte| *byte == b' ').next()?).into_owned();
        Some(Mount { device, root, at, options })
    };
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// Blanks and the like are written as `\` and three octal digits.
fn path(field: &[u8]) -> PathBuf {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        let digits =
            tail.get(..3).filter(|digits| byte == b'\\' && digits.iter().all(|digit| matches!(digit, b'0'..=b'7')));
        let code = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        plain.push(code.unwrap_or(byte));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    PathBuf::from(OsString::from_vec(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &[u8] = b"21 1 8:1 / / rw - ext4 /dev/a rw\n\
        30 21 8:2 / /var/www rw - ext4 /dev/b rw\n\
        31 21 8:2 /shop.example /srv/jail\\040one/site rw - ext4 /dev/b rw\n\
        32 21 8:2 /shop.example/uploads /srv/media rw - ext4 /dev/b rw\n\
        33 21 8:2 /shop.example2 /srv/other rw - ext4 /dev/b rw\n\
        34 21 8:1 /shop.example /srv/same-name rw - ext4 /dev/a rw\n";

    #[test]
    fn the_options_are_those_of_the_mount_that_is_seen() {
        let mounts = b"21 1 8:1 / / rw - ext4 /dev/a rw,redirect_dir=off\n40 21 0:9 / /var/www rw - overlay o rw,lowerdir=/l,redirect_dir=on\n";
        let mounts = parse(mounts);
        let options = |folder| mount_of(&mounts, Path::new(folder)).map(|mount| mount.options.as_str());
        assert_eq!(options("/var/www/shop"), Some("rw,lowerdir=/l,redirect_dir=on"));
        assert_eq!(options("/var/log"), Some("rw,redirect_dir=off"));
    }

    #[test]
    fn other_mounts_of_a_folder_and_of_what_is_in_it_are_found() {
        let mounts = parse(SEEN);
        let folder = Path::new("/var/www/shop.example");
        let (device, inside) = place_of(&mounts, folder).unwrap();
        assert_eq!((device.as_str(), inside.as_path()), ("8:2", Path::new("/shop.example")));
        let found = |program| Vec::from_iter(others(&mounts, &device, &inside, folder, program).map(|found| found.at));
        assert_eq!(found(None), [Path::new("/srv/jail one/site"), Path::new("/srv/media")]);
        // In the sandbox of a service the folder may be mounted onto itself.
        let sandbox = parse(b"40 39 8:2 /shop.example /var/www/shop.example rw - ext4 /dev/b rw\n");
        assert_eq!(others(&sandbox, &device, &inside, folder, Some("php-fpm")).count(), 1);
        assert_eq!(others(&sandbox, &device, &inside, folder, None).count(), 0);
    }
}
