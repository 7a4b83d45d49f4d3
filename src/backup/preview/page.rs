//! A part of a backup's tree, as deep and as long as asked for, out of its catalogue. Memory goes with what is asked for, not
//! with what the backup holds.

use crate::api::TreeAsked;
use crate::api::answer::preview::{ByType, NodeKind, TreeNode};
use crate::backup::contents::folders::depth;
use crate::error::Result;
use crate::host::tree::Kind;
use crate::host::tree::manifest::Reader;
use crate::path::RelPath;
use std::collections::{BTreeMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// Most folders told apart for the total.
const MAX_FOLDERS: usize = 1 << 20;

/// Nodes in the order of their paths, each folder before what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The part asked for.
    pub nodes: Vec<TreeNode>,
    /// Nodes there are, on all pages.
    pub total: u64,
}

#[derive(Debug, Default)]
struct Sum {
    kind: Option<Kind>,
    files: u64,
    bytes: u64,
    by_type: ByType,
}

/// Reads the page that is asked for.
///
/// # Errors
/// `journal_corrupt` for a damaged catalogue, `io_failed`; `unsafe_path` for a path that is none.
pub fn page(records: &mut Reader, asked: &TreeAsked) -> Result<Page> {
    let root = RelPath::parse(asked.path.as_bytes())?;
    let mut gathered = Gathered { most: asked.offset + asked.limit, ..Gathered::default() };
    while let Some(record) = records.next_record()? {
        let Some(inner) = record.path.strip_prefix(&root).filter(|inner| !inner.is_root()) else { continue };
        let whole = record.path.as_bytes();
        let above = whole.len() - inner.as_bytes().len();
        let name = inner.names().last().unwrap_or_default();
        let is_file = record.kind == Kind::File;
        let mut levels = 0;
        for at in memchr::memchr_iter(b'/', inner.as_bytes()).take(asked.depth) {
            levels += 1;
            gathered.folder(&whole[..=above + at], |sum| {
                if is_file {
                    sum.files += 1;
                    sum.bytes = sum.bytes.saturating_add(record.size);
                    sum.by_type.count(name);
                }
            });
        }
        if levels >= asked.depth {
            continue;
        }
        match record.kind {
            Kind::Folder => {
                let mut key = whole.to_vec();
                key.push(b'/');
                gathered.folder(&key, |_| {});
            }
            kind => {
                gathered.total += 1;
                let (files, bytes) = if is_file { (1, record.size) } else { (0, 0) };
                gathered.put(whole, |sum| *sum = Sum { kind: Some(kind), files, bytes, by_type: ByType::default() });
            }
        }
    }
    Ok(gathered.finish(asked.offset))
}

/// The first nodes by their paths. One that fell out never comes back, since the last one kept only moves forward; so what is
/// kept was counted whole.
#[derive(Default)]
struct Gathered {
    most: usize,
    nodes: BTreeMap<Vec<u8>, Sum>,
    folders: HashSet<u64>,
    total: u64,
}

impl Gathered {
    fn folder(&mut self, key: &[u8], add: impl FnOnce(&mut Sum)) {
        if self.folders.len() < MAX_FOLDERS && self.folders.insert(xxh3_64(key)) {
            self.total += 1;
        }
        self.put(key, |sum| {
            sum.kind = Some(Kind::Folder);
            add(sum);
        });
    }

    fn put(&mut self, key: &[u8], change: impl FnOnce(&mut Sum)) {
        if let Some(sum) = self.nodes.get_mut(key) {
            return change(sum);
        }
        if self.nodes.len() >= self.most {
            if self.nodes.last_key_value().is_none_or(|(last, _)| last.as_slice() < key) {
                return;
            }
            self.nodes.pop_last();
        }
        change(self.nodes.entry(key.to_vec()).or_default());
    }

    fn finish(self, offset: usize) -> Page {
        let node = |(path, sum): (Vec<u8>, Sum)| TreeNode {
            depth: depth(&path),
            path: String::from_utf8_lossy(&path).into_owned(),
            kind: Some(match sum.kind {
                Some(Kind::Folder) => NodeKind::Folder,
                Some(Kind::Symlink) => NodeKind::Link,
                _ => NodeKind::File,
            }),
            files: sum.files,
            bytes: sum.bytes,
            by_type: (sum.kind == Some(Kind::Folder)).then_some(sum.by_type),
        };
        Page { nodes: self.nodes.into_iter().skip(offset).map(node).collect(), total: self.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tree::manifest::{Record, Replaced, Writer};

    fn records(entries: &[(&str, Kind, u64)]) -> Reader {
        let mut writer = Writer::new(tempfile::tempfile().unwrap()).unwrap();
        for (path, kind, size) in entries {
            let record = Record {
                path: RelPath::parse(path.as_bytes()).unwrap(),
                kind: *kind,
                mode: 0o644,
                uid: 0,
                gid: 0,
                size: *size,
                mtime: None,
                hash: 0,
                link: Vec::new(),
                hard_link: false,
            };
            writer.append(&record).unwrap();
        }
        Reader::new(writer.finish(&Replaced::default()).unwrap()).unwrap()
    }

    fn site() -> Reader {
        records(&[
            ("", Kind::Folder, 0),
            ("z.php", Kind::File, 1),
            ("wp-content", Kind::Folder, 0),
            ("wp-content/plugins/a/b/c/d.php", Kind::File, 10),
            ("wp-content/empty", Kind::Folder, 0),
            ("wp-content/link", Kind::Symlink, 0),
            ("wp-content/plugins/a/style.css", Kind::File, 5),
            ("wp-content/x.js", Kind::File, 2),
            ("wp-content-old/y", Kind::File, 100),
        ])
    }

    fn asked(path: &str, depth: usize, offset: usize, limit: usize) -> TreeAsked {
        TreeAsked { path: path.into(), depth, offset, limit }
    }

    fn shown(page: &Page) -> Vec<(&str, &str, u64, u64)> {
        let word = |kind: Option<NodeKind>| match kind {
            Some(NodeKind::Folder) => "folder",
            Some(NodeKind::Link) => "link",
            Some(NodeKind::File) => "file",
            None => "",
        };
        page.nodes.iter().map(|node| (node.path.as_str(), word(node.kind), node.files, node.bytes)).collect()
    }

    #[test]
    fn a_page_holds_the_levels_asked_for_and_folders_count_all_below() {
        let found = page(&mut site(), &asked("wp-content/", 2, 0, 200)).unwrap();
        assert_eq!(
            shown(&found),
            [
                ("wp-content/empty/", "folder", 0, 0),
                ("wp-content/link", "link", 0, 0),
                ("wp-content/plugins/", "folder", 2, 15),
                ("wp-content/plugins/a/", "folder", 2, 15),
                ("wp-content/x.js", "file", 1, 2),
            ]
        );
        assert_eq!(found.total, 5);
        assert_eq!(found.nodes[2].by_type.unwrap(), ByType { php: 1, css: 1, ..ByType::default() });
        assert_eq!(found.nodes[3].depth, 2);
        let top = page(&mut site(), &asked("", 1, 0, 200)).unwrap();
        assert_eq!(
            shown(&top),
            [("wp-content-old/", "folder", 1, 100), ("wp-content/", "folder", 3, 17), ("z.php", "file", 1, 1)]
        );
    }

    #[test]
    fn depth_has_no_limit_and_a_folder_that_is_not_there_is_empty() {
        let deep = page(&mut site(), &asked("wp-content/plugins/a/b", 9, 0, 9)).unwrap();
        assert_eq!(shown(&deep).last().unwrap().0, "wp-content/plugins/a/b/c/d.php");
        assert_eq!(page(&mut site(), &asked("nowhere", 9, 0, 9)).unwrap(), Page::default());
        assert!(page(&mut site(), &asked("../etc", 9, 0, 9)).is_err());
    }

    #[test]
    fn pages_together_are_the_whole_whatever_the_order_of_the_archive() {
        let names: Vec<String> = (0..500_u64).map(|n| format!("f{}/x{}", n * 7 % 83, n * 31 % 500)).collect();
        let entries: Vec<(&str, Kind, u64)> = names.iter().map(|name| (name.as_str(), Kind::File, 3)).collect();
        let whole = page(&mut records(&entries), &asked("", 2, 0, 1000)).unwrap();
        assert_eq!((whole.total, whole.nodes.len()), (583, 583));
        let mut joined = Vec::new();
        for offset in (0..600).step_by(50) {
            let part = page(&mut records(&entries), &asked("", 2, offset, 50)).unwrap();
            assert_eq!(part.total, 583);
            joined.extend(part.nodes);
        }
        assert_eq!(joined, whole.nodes);
    }
}
