//! `preview_backup`: what is in a backup, and what a restore of it takes.

use crate::api::ConfigItem;
use crate::api::answer::backups::{BackupKind, Integrity};
use crate::api::answer::site_config::ConfigMeaning;
use crate::path::Domain;
use crate::sql::tally::TableTally;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is in a backup, and what a restore of it takes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// The backup itself.
    pub backup: PreviewedBackup,
    /// The archives and the dump that make its state.
    pub chain: Chain,
    /// The site's files.
    pub files: PreviewedFiles,
    /// The database; `null` without one.
    pub database: Option<PreviewedDatabase>,
    /// The configuration files.
    pub config: Vec<PreviewedConfig>,
    /// How long a restore is expected to take; `null` when nothing can be said.
    pub estimate: Option<Estimate>,
    /// The room that a restore takes.
    pub space: PreviewedSpace,
    /// What a user should know before restoring it, as sentences.
    pub warnings: Vec<String>,
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// By gzip.
    Gzip,
    /// By Zstandard.
    Zstd,
    /// By xz.
    Xz,
    /// By bzip2.
    Bzip2,
    /// By lz4.
    Lz4,
    /// Each file by itself, as zip does.
    Zip,
    /// Files together, as 7-Zip does.
    SevenZip,
    /// Not at all.
    None,
}

/// The backup that is previewed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PreviewedBackup {
    /// Absolute path of the archive, or of the snapshot's folder.
    pub path: PathBuf,
    /// Its last name.
    pub name: String,
    /// When it was made, local time without an offset.
    pub date: String,
    /// Bytes of all files that it is made of.
    pub size: u64,
    /// The same for people: `286M`.
    pub size_text: String,
    /// How its first archive is packed.
    pub compression: Compression,
    /// Whether it is sound; `valid`, for a damaged one has no preview.
    pub integrity: Integrity,
    /// Full or incremental.
    pub kind: BackupKind,
    /// Absolute path of the full backup that an incremental one builds on; else `null`.
    pub base: Option<PathBuf>,
    /// The layout of its entries.
    pub layout: Option<String>,
    /// The domain.
    pub domain: Domain,
}

/// The archives and the dump that make a state.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Chain {
    /// The archives, oldest first.
    pub archives: Vec<ChainArchive>,
    /// The dump; `null` without one.
    pub dump: Option<ChainDump>,
}

/// One archive of a chain.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChainArchive {
    /// Absolute path.
    pub path: PathBuf,
    /// File name.
    pub name: String,
    /// The first one of a chain is `full`, the others are `incremental`.
    pub kind: BackupKind,
    /// When it was made, local time without an offset.
    pub date: String,
    /// Bytes.
    pub size: u64,
}

/// The dump that was chosen, and why.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChainDump {
    /// Absolute path of the dump's file; `null` for a dump inside the archive.
    pub path: Option<PathBuf>,
    /// Its path inside the archive, or the name of its file.
    pub name: String,
    /// When it was made, local time without an offset; only with a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Bytes of its file; only with a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Why this one, as a sentence.
    pub why: String,
}

/// The site's files, of the state that the whole chain makes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PreviewedFiles {
    /// Number of regular files, hard links included.
    pub count: u64,
    /// Number of folders.
    pub folders: u64,
    /// Number of symbolic links.
    pub links: u64,
    /// Bytes of the files' content.
    pub bytes: u64,
    /// The same for people: `286M`.
    pub bytes_text: String,
    /// Number of files by what they are.
    pub by_type: ByType,
    /// Absolute path of the document root that a restore would fill.
    pub document_root: PathBuf,
    /// Folders, each before what is in it. With `tree` in the request the part that was asked for; else the first 2,000
    /// folders, three levels deep, and the files at the top.
    pub tree: Vec<TreeNode>,
    /// The ten largest folders at the top, the largest first.
    pub top_folders: Vec<TreeNode>,
    /// What the site's own files say of themselves.
    pub application: Application,
    /// Which part of the tree `tree` is; only with `tree` in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_page: Option<TreePage>,
}

/// Number of files by what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ByType {
    /// `.php` and its kin.
    pub php: u64,
    /// `.js`, `.mjs`.
    pub js: u64,
    /// `.css`, `.scss`, `.less`.
    pub css: u64,
    /// Pictures.
    pub images: u64,
    /// Everything else.
    pub other: u64,
}

/// What stands at a path of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A symbolic link.
    Link,
}

/// A folder, file or link of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TreeNode {
    /// Path below the document root; folders end with a slash.
    pub path: String,
    /// Number of folders above it, the document root not counted.
    pub depth: u64,
    /// What it is; only with `tree` in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<NodeKind>,
    /// Number of files in it and below; of a file, 1.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// Files in a folder by what they are; only with `tree` in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_type: Option<ByType>,
}

/// Which part of a tree is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TreePage {
    /// The folder that was asked for, below the document root; empty: the document root.
    pub path: String,
    /// Number of levels below it.
    pub depth: u64,
    /// Number of nodes before the first one shown.
    pub offset: u64,
    /// Most nodes on a page.
    pub limit: u64,
    /// Number of nodes on all pages.
    pub total: u64,
}

/// What the site's own files say about what it is and needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Application {
    /// `wordpress`, `laravel`, …; `null` when nothing was recognised.
    pub name: Option<String>,
    /// Its version, as written.
    pub version: Option<String>,
    /// The PHP it asks for, as written: `7.2.24`, `^8.1`.
    pub php: Option<String>,
}

/// The database of a backup, as its dump says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PreviewedDatabase {
    /// Name of the live schema that a restore would fill; `null` when it is not known.
    pub name: Option<String>,
    /// Path of the dump inside the archive, or the name of its file.
    pub dump: String,
    /// Bytes of SQL.
    pub bytes: u64,
    /// The same for people: `286M`.
    pub bytes_text: String,
    /// Number of tables.
    pub tables: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Number of views, triggers, routines and events.
    pub objects: u64,
    /// Whether the dump ends with the line that says so.
    pub complete: bool,
    /// Where its tables do not begin as the site looks for them: what those that look like a site's begin with. `prefix` of the request's
    /// `backup` says which are the site's. Else empty.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// The tables, in the order of the dump.
    pub table_list: Vec<TableTally>,
    /// Names of views. With routines, triggers and events the first 2,000 in all.
    pub views: Vec<String>,
    /// Names of procedures and functions.
    pub routines: Vec<String>,
    /// Names of triggers.
    pub triggers: Vec<String>,
    /// Names of events.
    pub events: Vec<String>,
}

/// A configuration file of a backup.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PreviewedConfig {
    /// What it configures.
    pub item: ConfigItem,
    /// Its name in the backup, without folders.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// What it says; `null` when it has no place on this machine.
    pub meaning: Option<ConfigMeaning>,
}

/// How long a restore is expected to take.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// Seconds for extracting the files.
    pub files_s: f64,
    /// Seconds for loading the database.
    pub database_s: f64,
    /// Seconds for the configuration.
    pub config_s: f64,
    /// Seconds for reading back and comparing.
    pub verify_s: f64,
    /// Seconds in all; files and database run side by side.
    pub total_s: f64,
    /// Seconds of a restore of fewer components, by their names: `files`, `files+database` and so on.
    pub of: BTreeMap<String, f64>,
    /// Number of restores of this machine that the figures were learned from; 0: a guess.
    pub learned_from: u32,
}

/// The room that a restore takes, and what there is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PreviewedSpace {
    /// Bytes that the live site takes, files and database; `null` when nobody looked.
    pub current_used: Option<u64>,
    /// When somebody looked, RFC 3339.
    pub current_used_at: Option<String>,
    /// Bytes of all files that the backup is made of.
    pub backup_size: u64,
    /// Bytes of its files and its dump, unpacked.
    pub unpacked: u64,
    /// Bytes that the snapshot of the state before takes: 0, for nothing is copied.
    pub snapshot: u64,
    /// Bytes that have to be free for a restore of everything, with what always stays free.
    pub required: u64,
    /// Bytes free on the filesystem of the document roots; `null` when they cannot be asked for.
    pub available: Option<u64>,
    /// Whether `available` is at least `required`; `null` when it is not known.
    pub enough: Option<bool>,
    /// The same by filesystem.
    pub filesystems: Vec<Filesystem>,
}

/// Room on one filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filesystem {
    /// A place on it.
    pub path: PathBuf,
    /// What a restore writes there: `staged files`, `tables`, `jobs and logs`.
    pub what: Vec<String>,
    /// Bytes needed, with what is to stay free.
    pub needed: u64,
    /// Bytes free.
    pub free: u64,
    /// Whether that is enough.
    pub enough: bool,
}
