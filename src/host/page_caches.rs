//! The pages that plugins of WordPress save as files below `wp-content`. They are older than the rows that come with them, or of a site
//! that is gone: a restore does not bring them.

use crate::error::Result;
use crate::host::tree::kind::Kind;
use crate::host::tree::{self, walk::Next};
use crate::path::RelPath;
use crate::progress::Monitor;
use rustix::fs::{Dir, OFlags};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Their folders below `wp-content`: WP Super Cache, W3 Total Cache, WP Rocket, WP Fastest Cache, Cache Enabler, LiteSpeed Cache.
const FOLDERS: [&str; 13] = [
    "cache/supercache",
    "cache/meta",
    "cache/blogs",
    "cache/page_enhanced",
    "cache/object",
    "cache/db",
    "cache/wp-rocket",
    "cache/all",
    "cache/wpfc-mobile-cache",
    "cache/cache-enabler",
    "cache/litespeed",
    "litespeed",
    "lscache",
];

/// The folders of saved pages in a tree: below `wp-content` at its top, or in a folder at its top that is a WordPress.
pub fn find(root: &OwnedFd) -> Vec<RelPath> {
    let mut places = vec![RelPath::default()];
    let _ = tree::walk(root, &mut |visit| {
        if visit.path.is_empty() {
            return Ok(Next::Into);
        }
        if visit.kind == Kind::Folder {
            places.extend(RelPath::parse(visit.path));
        }
        Ok(Next::Past)
    });
    let below =
        |place: &RelPath, names: &str| names.split('/').fold(place.clone(), |path, name| path.join(name.as_bytes()));
    let is_folder =
        |path: &RelPath| tree::handle::resolve(root.as_fd(), path, OFlags::RDONLY | OFlags::DIRECTORY).is_ok();
    let contents = places.iter().map(|place| below(place, "wp-content")).filter(is_folder);
    contents.flat_map(|content| FOLDERS.map(|folder| below(&content, folder))).filter(is_folder).collect()
}

/// Files and links in a folder, and the bytes of the files.
///
/// # Errors
/// `io_failed`.
pub fn measure(root: &OwnedFd, path: &RelPath) -> Result<(u64, u64)> {
    let folder = tree::open_folder_beneath(root.as_fd(), path)?;
    let (mut files, mut bytes) = (0, 0);
    tree::walk(&folder, &mut |visit| {
        if visit.kind != Kind::Folder {
            files += 1;
            bytes += if visit.kind == Kind::File { visit.stat.stx_size } else { 0 };
        }
        Ok(Next::Into)
    })?;
    Ok((files, bytes))
}

/// Removes what is in a folder, which stays, as long as the monitor says so. Gives the number of things removed.
///
/// # Errors
/// The monitor's, `io_failed`; in a live tree also where the site writes to the folder in this moment.
pub fn empty(root: &OwnedFd, path: &RelPath, monitor: &dyn Monitor) -> Result<u64> {
    let refuse = |error| tree::handle::refuse(path, error);
    let folder = tree::handle::resolve(root.as_fd(), path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(refuse)?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&folder).map_err(refuse)? {
        names.push(entry.map_err(refuse)?.file_name().to_bytes().to_owned());
    }
    let names = names.iter().filter(|name| !matches!(name.as_slice(), b"." | b".."));
    names
        .map(|name| {
            monitor.keep_going()?;
            tree::remove(&folder, OsStr::from_bytes(name), monitor)
        })
        .sum()
}
