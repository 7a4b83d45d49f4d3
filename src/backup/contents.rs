//! What is inside a backup, as one reading of it found: counts, tables, configuration.

pub mod folders;

pub use crate::api::answer::preview::{Application, ByType};
use crate::api::answer::site_config::ConfigMeaning;
use crate::archive::EntryKind;
use crate::backup::layout::{ConfigItem, Seen};
use crate::host::tree;
use crate::path::RelPath;
use crate::sql::compat::Survey;
use crate::sql::statement::ObjectKind;
use crate::sql::tally::{ObjectFound, TableTally};
use folders::{Folders, Node};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

impl ByType {
    /// Counts a file by its name.
    pub(crate) fn count(&mut self, name: &[u8]) {
        let ending = name.rsplit(|byte| *byte == b'.').next().filter(|end| end.len() < name.len());
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        *match ending.as_slice() {
            b"php" | b"phtml" | b"php5" | b"php7" | b"inc" => &mut self.php,
            b"js" | b"mjs" => &mut self.js,
            b"css" | b"scss" | b"less" => &mut self.css,
            b"jpg" | b"jpeg" | b"png" | b"gif" | b"svg" | b"webp" | b"ico" | b"avif" | b"bmp" => &mut self.images,
            _ => &mut self.other,
        } += 1;
    }
}

/// The dump of a backup.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DumpScan {
    /// Where it is: a path inside the archive, or the file beside it.
    pub name: String,
    /// Bytes of SQL.
    pub bytes: u64,
    /// Its last line says that it is complete.
    pub complete: bool,
    /// Its tables, in the order of the dump.
    pub tables: Vec<TableTally>,
    /// Number of views, triggers, routines and events.
    pub objects: u64,
    /// Their names by kind, the first 2,000.
    #[serde(default)]
    pub object_list: Vec<ObjectFound>,
    /// The sequences that it makes, with their lines.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sequences: BTreeMap<String, u64>,
    /// The tables of its triggers, by the names of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub triggers: BTreeMap<String, String>,
    /// What servers differ in, to be held against one.
    #[serde(default)]
    pub survey: Survey,
}

impl DumpScan {
    /// Whether it makes nothing at all.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.objects == 0 && self.sequences.is_empty()
    }

    /// Names that a selection of tables may name: tables, sequences and views.
    pub fn selectable(&self) -> impl Iterator<Item = &str> {
        let views = self.object_list.iter().filter(|object| object.kind == ObjectKind::View);
        let tables = self.tables.iter().map(|table| table.name.as_str());
        tables.chain(self.sequences.keys().map(String::as_str)).chain(views.map(|view| view.name.as_str()))
    }

    /// Names of its tables.
    pub fn table_names(&self) -> Vec<&str> {
        self.tables.iter().map(|table| table.name.as_str()).collect()
    }

    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// A configuration file found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfigFound {
    /// Its kind.
    pub item: ConfigItem,
    /// Its name in the backup, without folders.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// What is in it; never written to a cache, it may be a private key. `None` for one over 1 MiB.
    #[serde(skip)]
    pub content: Option<Vec<u8>>,
    /// XXH3 (64 bit) of its content, where that was read.
    #[serde(default)]
    pub hash: Option<u64>,
    /// What it says; `None` when it has no place on this machine. Never key material.
    #[serde(default)]
    pub meaning: Option<ConfigMeaning>,
}

/// What one reading of a backup found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Scan {
    /// The layout.
    pub layout: Option<String>,
    /// Regular files of the site, hard links included.
    pub files: u64,
    /// Folders of the site.
    pub folders: u64,
    /// Symbolic links of the site.
    pub links: u64,
    /// Bytes of the site's files.
    pub bytes: u64,
    /// Devices, FIFOs and sockets: never restored.
    pub specials: u64,
    /// The first links that leave the site: path and target.
    #[serde(default)]
    pub links_out: Vec<(RelPath, Vec<u8>)>,
    /// An archive ended without its end mark; gzip said that it is whole.
    #[serde(default)]
    pub without_end_mark: bool,
    /// Files by what they are.
    pub by_type: ByType,
    /// Folders with counts and sizes, and the files at the top.
    pub tree: Vec<Node>,
    /// The database.
    pub dump: Option<DumpScan>,
    /// Configuration files.
    pub config: Vec<ConfigFound>,
    /// Application hints.
    pub application: Application,
    /// Bytes of everything in the archive, unpacked.
    pub unpacked_bytes: u64,
    /// Bytes of the files on disk.
    pub packed_bytes: u64,
    /// What each kind of entry was.
    pub seen: Seen,
    /// Where in a site folder the document root was looked for; empty where the two are one folder.
    #[serde(default)]
    pub root_in_folder: RelPath,
}

/// Upper bound for a figure read back from the cached index. A larger one means a damaged index; below it, sums cannot overflow.
pub(crate) const BEYOND: u64 = 1 << 48;

impl Scan {
    /// Whether a reading can have found this; what was kept of one may have been damaged since.
    pub(crate) fn is_possible(&self) -> bool {
        let counts = [self.files, self.folders, self.links, self.bytes, self.specials, self.unpacked_bytes];
        let sums = self.dump.iter().flat_map(|dump| dump.tables.iter().flat_map(|table| [table.rows, table.bytes]));
        let dump = self.dump.as_ref().map_or(0, |dump| dump.bytes.max(dump.objects));
        counts.into_iter().chain([dump, self.packed_bytes]).chain(sums).all(|figure| figure < BEYOND)
            && self.dump.as_ref().is_none_or(|dump| dump.tables.len() < usize::from(u16::MAX))
    }

    /// Bytes of SQL; 0 without a dump.
    pub fn dump_bytes(&self) -> u64 {
        self.dump.as_ref().map_or(0, |dump| dump.bytes)
    }

    /// Tables of the dump, if there is one.
    pub fn db_tables(&self) -> Option<u64> {
        self.dump.as_ref().map(|dump| dump.tables.len() as u64)
    }
}

impl Scan {
    pub(crate) fn count(&mut self, folders: &mut Folders, path: &RelPath, kind: tree::Kind, size: u64) {
        if path.is_root() {
            return;
        }
        match kind {
            tree::Kind::File => {
                self.files += 1;
                self.bytes += size;
                if let Some((_, name)) = path.split_last() {
                    self.by_type.count(name);
                }
                folders.file(path, size);
            }
            tree::Kind::Folder => {
                self.folders += 1;
                folders.folder(path);
            }
            tree::Kind::Symlink => self.links += 1,
            tree::Kind::Special => self.specials += 1,
        }
    }

    /// Forgets the counts of the site, all but what is never restored.
    pub(crate) fn uncount(&mut self) {
        (self.files, self.folders, self.links, self.bytes) = (0, 0, 0, 0);
        self.by_type = ByType::default();
    }
}

/// What stands in the site for an entry.
pub(crate) fn kind_of(kind: &EntryKind) -> tree::Kind {
    match kind {
        EntryKind::File | EntryKind::HardLink(_) => tree::Kind::File,
        EntryKind::Folder => tree::Kind::Folder,
        EntryKind::Symlink(_) => tree::Kind::Symlink,
        EntryKind::Special(_) => tree::Kind::Special,
    }
}
