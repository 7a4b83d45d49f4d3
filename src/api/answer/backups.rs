//! Domains and their backups, as they are listed.

use crate::path::Domain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `list_domains`: every domain that has backups, snapshots or a document root.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Domains {
    /// The domains, by name.
    pub domains: Vec<DomainInfo>,
}

/// One domain in a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DomainInfo {
    /// Its name.
    pub domain: Domain,
    /// Number of its backups.
    pub backups: u64,
    /// When the newest backup was made, local time without an offset; `null` without one.
    pub newest: Option<String>,
    /// Number of its snapshots.
    pub snapshots: u64,
    /// Whether its document root exists.
    pub has_site: bool,
}

/// `list_backups`: the backups of a domain.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Backups {
    /// The domain that was asked about.
    pub domain: Domain,
    /// Its backups, newest first.
    pub backups: Vec<BackupInfo>,
}

/// Whether a backup stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupKind {
    /// The whole state.
    Full,
    /// What changed since the backup before it.
    Incremental,
}

/// What is known of an archive's soundness without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    /// Nobody looked, or its `.meta` file does not say.
    Unknown,
    /// It was read to its last byte by this program, or its writer says that it is sound.
    Valid,
    /// It is damaged.
    Invalid,
}

/// Who says that an archive is sound or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntegritySource {
    /// This program, which read it to its last byte.
    Index,
    /// Its writer, in the `.meta` file beside it.
    Meta,
}

/// One backup in a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BackupInfo {
    /// Absolute path of the archive.
    pub path: PathBuf,
    /// Name of the archive's file.
    pub name: String,
    /// Full or incremental.
    pub kind: BackupKind,
    /// The layout of its entries, where its name or an earlier reading told it; else `null`.
    pub layout: Option<String>,
    /// Absolute path of the full backup that an incremental one builds on; else `null`.
    pub base: Option<PathBuf>,
    /// When it was made, local time without an offset: `2025-10-04T03:00:00`, or `unknown`.
    pub date: String,
    /// Bytes of the archive alone.
    pub size: u64,
    /// The same for people: `286M`.
    pub size_text: String,
    /// Whether it is sound.
    pub integrity: Integrity,
    /// Who says so; `null` where nobody does.
    pub integrity_from: Option<IntegritySource>,
    /// Number of the site's regular files, if known.
    pub file_count: Option<u64>,
    /// Number of tables in its dump, if known.
    pub db_tables: Option<u64>,
    /// Absolute path of the dump that lies beside it, if there is one.
    pub dump: Option<PathBuf>,
}
