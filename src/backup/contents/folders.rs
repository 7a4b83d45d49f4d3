//! Counts and sizes by folder, bounded in depth and number.

pub use crate::api::answer::preview::TreeNode as Node;
use crate::path::RelPath;
use std::collections::BTreeMap;

/// Folders deeper than this are counted in their ancestors only.
pub const MAX_DEPTH: usize = 3;
/// Most folders and top-level files listed; the rest is counted in the ancestors that are.
pub const MAX_NODES: usize = 2_000;

/// Collects nodes.
#[derive(Debug, Default)]
pub struct Folders {
    nodes: BTreeMap<Vec<u8>, (u64, u64)>,
}

impl Folders {
    /// A folder, perhaps empty.
    pub fn folder(&mut self, path: &RelPath) {
        if path.names().count() <= MAX_DEPTH {
            let mut key = path.as_bytes().to_vec();
            key.push(b'/');
            self.add(key, 0, 0);
        }
    }

    /// A file: counted in each folder above it, and by itself at the top.
    pub fn file(&mut self, path: &RelPath, bytes: u64) {
        let whole = path.as_bytes();
        let mut top = true;
        for (depth, at) in memchr::memchr_iter(b'/', whole).enumerate() {
            top = false;
            if depth < MAX_DEPTH {
                self.add(whole[..=at].to_vec(), 1, bytes);
            }
        }
        if top {
            self.add(whole.to_vec(), 1, bytes);
        }
    }

    fn add(&mut self, key: Vec<u8>, files: u64, bytes: u64) {
        if self.nodes.len() >= MAX_NODES && !self.nodes.contains_key(&key) {
            return;
        }
        let node = self.nodes.entry(key).or_default();
        node.0 += files;
        node.1 += bytes;
    }

    /// The nodes, each folder before what is in it.
    pub fn finish(self) -> Vec<Node> {
        let node = |(path, (files, bytes)): (Vec<u8>, (u64, u64))| Node {
            depth: depth(&path),
            path: String::from_utf8_lossy(&path).into_owned(),
            kind: None,
            files,
            bytes,
            by_type: None,
        };
        self.nodes.into_iter().map(node).collect()
    }
}

/// How many folders a path lies in.
pub(crate) fn depth(path: &[u8]) -> u64 {
    memchr::memchr_iter(b'/', path.strip_suffix(b"/").unwrap_or(path)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_file_counts_in_every_folder_above_it() {
        let mut folders = Folders::default();
        folders.folder(&path("wp-content"));
        folders.folder(&path("empty"));
        folders.file(&path("wp-content/plugins/a/b/c.php"), 10);
        folders.file(&path("wp-content/x.css"), 5);
        folders.file(&path("index.php"), 1);
        let shown: Vec<(String, u64, u64, u64)> =
            folders.finish().into_iter().map(|node| (node.path, node.depth, node.files, node.bytes)).collect();
        assert_eq!(
            shown,
            [
                ("empty/".into(), 0, 0, 0),
                ("index.php".into(), 0, 1, 1),
                ("wp-content/".into(), 0, 2, 15),
                ("wp-content/plugins/".into(), 1, 1, 10),
                ("wp-content/plugins/a/".into(), 2, 1, 10),
            ]
        );
    }

    #[test]
    fn many_folders_do_not_take_much_memory() {
        let mut folders = Folders::default();
        folders.file(&path("a/x"), 1);
        for number in 0..10_000 {
            folders.file(&path(&format!("a/{number}/x")), 1);
        }
        let nodes = folders.finish();
        assert_eq!(nodes.len(), MAX_NODES);
        assert_eq!(nodes[0].files, 10_001);
    }
}
