//! A staged file that a web server shows by itself, and whose bytes are known.

use crate::host::tree;
use crate::host::tree::static_file::{is_passed, is_static};
use crate::path::RelPath;
use crate::text::hex;
use rustix::fs::{AtFlags, Dir, FileType, OFlags, statat};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Most names that are looked at.
const MAX_NAMES: usize = 2_000;
/// Largest file that is asked for.
const MAX_FILE: u64 = 512 << 10;

/// Such a file.
#[derive(Debug)]
pub struct Known {
    /// Its path below the folder that is shown; letters, figures and `-._/` alone.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Their SHA-256, in hexadecimal digits.
    pub digest: String,
}

/// The first one, nearest to the folder that is shown and in the order of the names. `inner`: that folder, below the staged tree.
pub fn find(tree: &Path, inner: &Path) -> Option<Known> {
    let tree = tree::open_folder(tree).ok()?;
    let inner = RelPath::parse(inner.as_os_str().as_bytes()).ok()?;
    let shown = tree::open_beneath(tree.as_fd(), &inner, OFlags::RDONLY | OFlags::DIRECTORY).ok()?;
    let mut folders = VecDeque::from([RelPath::default()]);
    let mut looked_at = 0;
    while let Some(path) = folders.pop_front() {
        let Ok(folder) = tree::open_beneath(shown.as_fd(), &path, OFlags::RDONLY | OFlags::DIRECTORY) else { continue };
        let entries = Dir::read_from(&folder).ok()?.take(MAX_NAMES - looked_at).flatten();
        let mut names: Vec<Vec<u8>> = entries.map(|entry| entry.file_name().to_bytes().to_vec()).collect();
        looked_at += names.len();
        names.sort_unstable();
        for name in names.iter().filter_map(|name| std::str::from_utf8(name).ok()).filter(|name| is_plain(name)) {
            let Ok(path) = RelPath::parse(path.join(name.as_bytes()).as_bytes()) else { continue };
            // A link is neither a folder nor a file.
            let Ok(stat) = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if !is_passed(name.as_bytes()) => folders.push_back(path),
                FileType::RegularFile if is_static(name.as_bytes()) => {
                    let Ok(Some(bytes)) = tree::read_beneath(shown.as_fd(), &path, MAX_FILE) else { continue };
                    if !bytes.is_empty() {
                        return Some(Known {
                            name: path.to_string(),
                            digest: hex(&Sha256::digest(&bytes)),
                            bytes: bytes.to_vec(),
                        });
                    }
                }
                _ => {}
            }
        }
    }
    None
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !name.starts_with('.') && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_with_something_in_it_is_known_and_no_link_is_followed() {
        let place = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("public/a/deep/style.css", "deep");
        put("public/a/style.css", "near");
        put("public/cache/a.css", "cached");
        put("public/index.php", "<?php");
        put("public/a.css", "");
        put("public/b c.css", "x");
        put("secret.txt", "secret");
        std::os::unix::fs::symlink("../secret.txt", place.path().join("public/a.txt")).unwrap();
        std::os::unix::fs::symlink("..", place.path().join("public/0")).unwrap();
        let known = find(place.path(), Path::new("public")).unwrap();
        assert_eq!((known.name.as_str(), known.bytes.as_slice()), ("a/style.css", &b"near"[..]));
        assert_eq!(known.digest.len(), 64);
        assert!(find(place.path(), Path::new("public/cache/none")).is_none());
    }
}
