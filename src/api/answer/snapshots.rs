//! Snapshots: made, listed, deleted.

use crate::api::ConfigItem;
use crate::path::Domain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The form of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotForm {
    /// Archives with a manifest of this program.
    Portable,
    /// A kept tree and a kept schema, left by a restore.
    Retained,
    /// Archives without a manifest, of another program.
    Old,
}

/// `list_snapshots`: the snapshots of a domain.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Snapshots {
    /// The domain that was asked about.
    pub domain: Domain,
    /// Its snapshots, newest first.
    pub snapshots: Vec<SnapshotInfo>,
}

/// One snapshot in a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotInfo {
    /// Absolute path of its folder.
    pub path: PathBuf,
    /// Name of its folder.
    pub name: String,
    /// Its form.
    pub form: SnapshotForm,
    /// When it was made, local time without an offset, or `unknown`.
    pub created: String,
    /// Hours until it expires; negative when it has.
    pub expires_in_h: f64,
    /// The same in seconds.
    #[serde(default)]
    pub expires_in_s: i64,
    /// Bytes of the archives; of a retained one those of the kept tree where they were counted, else 0.
    pub size: u64,
    /// The same for people: `286M`.
    pub size_text: String,
    /// Name of the job that left it; `null` for one that was made on request.
    pub job: Option<String>,
    /// Number of files, if known.
    pub files: Option<u64>,
    /// Number of tables, if known.
    pub tables: Option<u64>,
    /// Rows of all tables, if known.
    pub rows: Option<u64>,
    /// Whether it holds the document root.
    pub has_files: bool,
    /// Whether it holds the database.
    pub has_database: bool,
    /// Whether it holds configuration.
    pub has_config: bool,
}

/// `create_snapshot`: the snapshot that was made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotMade {
    /// What its `manifest.json` says.
    #[serde(flatten)]
    pub manifest: PortableManifest,
    /// Absolute path of its folder.
    pub path: PathBuf,
    /// Whether it was read back whole; always `true`, for one that was not is not kept.
    pub verified: bool,
}

/// What a portable snapshot holds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PortableManifest {
    /// Version of the manifest; 1.
    pub schema: u32,
    /// Its form; `portable`.
    pub form: SnapshotForm,
    /// The domain.
    pub domain: Domain,
    /// When it was made, local time without an offset.
    pub created: String,
    /// Number of files, further names of a file included.
    pub files: u64,
    /// Number of folders.
    pub folders: u64,
    /// Number of symbolic links.
    pub links: u64,
    /// Bytes of the files' content.
    pub bytes: u64,
    /// Number of files that changed or vanished while they were read.
    pub changed_while_read: u64,
    /// Number of devices, FIFOs, sockets and nested mounts, which are left out.
    pub left_out: u64,
    /// Number of tables; `null` without a database.
    pub tables: Option<u64>,
    /// Rows of all tables; `null` without a database.
    pub rows: Option<u64>,
    /// Number of views, triggers, routines and events; `null` without a database.
    pub objects: Option<u64>,
    /// Bytes of SQL; `null` without a database.
    pub database_bytes: Option<u64>,
    /// Name of the schema; `null` without a database.
    pub database: Option<String>,
    /// The configuration files.
    pub config: Vec<SavedConfig>,
    /// The files that it is made of.
    pub parts: Vec<SnapshotPart>,
    /// Bytes of those files.
    pub size: u64,
    /// Seconds that it took.
    pub took_s: f64,
}

/// A configuration file in a snapshot.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SavedConfig {
    /// What it configures.
    pub item: ConfigItem,
    /// Its path inside `config.tar.gz`.
    pub name: String,
    /// Absolute path where it was live.
    pub path: PathBuf,
}

/// A file that a snapshot is made of.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotPart {
    /// Its name in the snapshot's folder.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
}

/// `delete_snapshot`: the snapshot that was deleted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotDeleted {
    /// The domain.
    pub domain: Domain,
    /// Absolute path of the folder that was deleted, with the tree and the schema it kept.
    pub deleted: PathBuf,
}
