//! A staged file that a web server shows by itself, and whose bytes are known.

use crate::host::tree;
use crate::path::RelPath;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most names that are looked at.
const MAX_NAMES: usize = 2_000;
/// Largest file that is asked for.
const MAX_FILE: u64 = 512 << 10;
/// What files are called that no program makes anew for a visitor.
const ENDS: [&str; 13] =
    ["css", "js", "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "txt", "woff2", "html", "htm"];
/// Folders that a site does not show, or writes to by itself.
const NOT_SHOWN: [&str; 7] = ["cache", "log", "logs", "node_modules", "storage", "tmp", "vendor"];

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
    let root = tree::open_folder(tree).ok()?;
    let mut folders = std::collections::VecDeque::from([PathBuf::new()]);
    let mut looked_at = 0;
    while let Some(folder) = folders.pop_front() {
        let entries = std::fs::read_dir(tree.join(inner).join(&folder)).into_iter().flatten().flatten();
        let mut entries: Vec<_> = entries.take(MAX_NAMES - looked_at).collect();
        looked_at += entries.len();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_plain(name)) else { continue };
            // A link is neither.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !NOT_SHOWN.contains(&name) {
                folders.push_back(folder.join(name));
            }
            let is_static = name.rsplit_once('.').is_some_and(|(_, end)| ENDS.contains(&end));
            if !kind.is_file() || !is_static || entry.metadata().is_ok_and(|data| data.len() > MAX_FILE) {
                continue;
            }
            let path = folder.join(name);
            let Ok(beneath) = RelPath::parse(inner.join(&path).as_os_str().as_bytes()) else { continue };
            let Ok(Some(bytes)) = tree::read_beneath(root.as_fd(), &beneath, MAX_FILE) else { continue };
            if !bytes.is_empty() {
                let digest = Sha256::digest(&*bytes).iter().fold(String::new(), |mut all, byte| {
                    let _ = write!(all, "{byte:02x}");
                    all
                });
                return Some(Known { name: path.display().to_string(), bytes: bytes.to_vec(), digest });
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
