//! `diff_backup`: what a restore would change, part by part and entry by entry.

use crate::api::ConfigItem;
use crate::api::answer::jobs::JobId;
use crate::path::Domain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `diff_backup`: what a restore would change.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// What it would change.
    #[serde(flatten)]
    pub changes: Changes,
    /// For `restore_start`, which then refuses to start when anything changed since.
    pub plan_token: String,
    /// The domain.
    pub domain: Domain,
    /// Absolute path of the backup.
    pub backup: PathBuf,
}

/// What a restore would change, part by part.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The files; `null` when they take no part.
    pub files: Option<FileChanges>,
    /// The database; `null` when it takes no part.
    pub tables: Option<TableChanges>,
    /// The configuration; `null` when it takes no part.
    pub config: Option<ConfigChanges>,
    /// The rows of tables that both sides have; missing unless `rows` was asked for and the database takes part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowChanges>,
}

/// What a restore would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It comes: it is only in the backup.
    Added,
    /// It becomes another one.
    Changed,
    /// It goes: it is only live.
    Removed,
    /// Nothing: both sides are equal. Only configuration files are listed as such, and tables whose rows could not be compared.
    Same,
    /// Nothing: it is only live, and stays.
    Kept,
}

/// Numbers of entries by what a restore would do with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Number of those that are only in the backup, and would come.
    pub added: u64,
    /// Number of those that would become other ones.
    pub changed: u64,
    /// Number of those that are only live, and would go.
    pub removed: u64,
    /// Number of those that are equal on both sides.
    pub same: u64,
    /// Number of those that are only live, and would stay.
    pub kept: u64,
}

impl Counts {
    /// Counts one more.
    pub fn count(&mut self, change: Change) {
        *match change {
            Change::Added => &mut self.added,
            Change::Changed => &mut self.changed,
            Change::Removed => &mut self.removed,
            Change::Same => &mut self.same,
            Change::Kept => &mut self.kept,
        } += 1;
    }
}

/// What a restore would change of the files.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FileChanges {
    /// Files, links and everything else that is no folder.
    #[serde(flatten)]
    pub files: Counts,
    /// Folders.
    pub folders: Counts,
    /// Bytes of the files that would come.
    pub bytes_added: u64,
    /// Bytes of the changed files, as the backup has them.
    pub bytes_changed: u64,
    /// Bytes of the files that would go.
    pub bytes_removed: u64,
    /// Bytes of the files that are only live, and would stay.
    pub bytes_kept: u64,
    /// How files were compared: `content`, or `size and time, content where the time differs`.
    pub compared_by: String,
    /// Number of files whose content was read.
    pub contents_read: u64,
    /// Bytes of that content.
    pub bytes_read: u64,
    /// Number of entries on all pages.
    pub total: u64,
    /// The first entries.
    pub entries: Vec<FileEntry>,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileType {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, FIFO or socket.
    Special,
}

/// What of two entries is not equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unequal {
    /// One is a file and the other a folder, and so on.
    Type,
    /// The size of two files.
    Size,
    /// The content of two files.
    Content,
    /// Where two links lead.
    #[serde(rename = "link target")]
    LinkTarget,
    /// The permissions.
    Mode,
}

/// A file, folder or link that a restore would change or keep.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FileEntry {
    /// Path below the document root.
    pub path: String,
    /// What a restore would do with it.
    pub change: Change,
    /// What it is: live, or in the backup where it is only there.
    #[serde(rename = "type")]
    pub kind: FileType,
    /// The bytes of the path, hex; only where they are no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_hex: Option<String>,
    /// What is not equal; missing where it is on one side only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub what: Vec<Unequal>,
    /// As a restore would make it; missing where the backup lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<FileSide>,
    /// As it is live; missing where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<FileSide>,
    /// Why it is kept, as a sentence; only with `"change": "kept"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Number of entries in a folder that is kept, itself not counted; only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<u64>,
    /// Bytes of the files in a folder that is kept; only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// An entry as one side has it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FileSide {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: FileType,
    /// Bytes; only of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was last changed, RFC 3339; only of files, `null` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("x-null" = true))]
    pub mtime: Option<Option<String>>,
    /// Permissions, four octal digits; only of files and folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// What a restore would change of the database. Rows are counted; they are compared only where `rows` was asked for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TableChanges {
    /// Name of the live schema.
    pub schema: String,
    /// The dump: its path inside the archive, or the name of its file.
    pub dump: String,
    /// Tables.
    #[serde(flatten)]
    pub tables: Counts,
    /// Rows of the compared tables.
    pub rows: RowSums,
    /// Live rows of the tables that `options.keep_rows` names, as they would be kept now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_rows: Vec<KeptRowsOf>,
    /// How tables were compared: `number of rows and definition`, by which a row that has other values now is not seen; or `rows and
    /// definition`.
    pub compared_by: String,
    /// Views, routines, triggers and events; `null` when only some tables were asked for.
    pub objects: Option<ObjectCounts>,
    /// Number of entries on all pages.
    pub total: u64,
    /// The first entries. Tables that stay the same have none.
    pub entries: Vec<TableEntry>,
}

/// Newer rows of a live table that were carried into the restored one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptRowsOf {
    /// Name of the table.
    pub table: String,
    /// The column that tells what is newer.
    pub column: String,
    /// Number of rows.
    pub rows: u64,
}

/// Rows of all compared tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowSums {
    /// Rows in the dump.
    pub backup: u64,
    /// Rows that are live.
    pub live: u64,
    /// Whether every live table was counted; else the server estimates those over a million.
    pub exact: bool,
}

/// Numbers of views, routines, triggers and events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectCounts {
    /// Number of those that are only in the backup, and would come.
    pub added: u64,
    /// Number of those that are only live, and would go.
    pub removed: u64,
    /// Number of those that are only live, and would stay.
    pub kept: u64,
    /// Number of those that both sides have.
    pub both: u64,
    /// How they were compared: `name`.
    pub compared_by: String,
}

/// What an entry of the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// A table.
    Table,
    /// A stored function.
    Function,
    /// A stored procedure.
    Procedure,
    /// A view.
    View,
    /// A trigger.
    Trigger,
    /// An event.
    Event,
}

/// A table, view, routine, trigger or event that a restore would change or keep.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TableEntry {
    /// What it is.
    pub kind: TableKind,
    /// Its name.
    pub name: String,
    /// What a restore would do with it.
    pub change: Change,
    /// Its rows; only of tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowCounts>,
    /// Bytes of its live data and indexes; only of live tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_live: Option<u64>,
    /// Why it is kept, as a sentence; only of tables that are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How its definitions differ; only of tables that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Definition>,
    /// How its rows differ; only of tables whose rows were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_changes: Option<RowCountsChanged>,
    /// Why its rows were not compared, although that was asked for; only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_not_compared: Option<String>,
}

/// How the rows of one table differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowCountsChanged {
    /// Number of rows that are only in the backup, and would come.
    pub added: u64,
    /// Number of rows of one primary key that have other values in the backup.
    pub changed: u64,
    /// Number of rows that are only live, and would go.
    pub removed: u64,
    /// Number of rows that are equal on both sides.
    pub same: u64,
    /// Whether the table has a primary key. Without one a row with another value is one that comes and one that goes, and none has an
    /// entry.
    pub has_key: bool,
}

/// What a restore would change of the rows of the tables that both sides have.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct RowChanges {
    /// Number of tables whose rows were compared.
    pub tables: u64,
    /// Number of tables whose rows were not compared; their entries in the part `tables` say why.
    pub not_compared: u64,
    /// Number of rows that are only in the backup, and would come.
    pub added: u64,
    /// Number of rows of one primary key that have other values in the backup.
    pub changed: u64,
    /// Number of rows that are only live, and would go.
    pub removed: u64,
    /// Number of rows that are equal on both sides.
    pub same: u64,
    /// Number of rows that differ and have no entry: rows of tables without a primary key, and those beyond `most_listed`.
    pub unlisted: u64,
    /// Most rows of one table that have an entry.
    pub most_listed: u64,
    /// Number of entries on all pages.
    pub total: u64,
    /// The first entries.
    pub entries: Vec<RowEntry>,
}

/// A row that a restore would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowEntry {
    /// Name of the table.
    pub table: String,
    /// What a restore would do with it.
    pub change: Change,
    /// Its primary key, column by column.
    pub key: Vec<KeyValue>,
    /// The columns whose values differ; only of rows that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ChangedValue>,
}

/// A column of a primary key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyValue {
    /// Name of the column.
    pub column: String,
    /// Its value.
    pub value: ValueShown,
}

/// A column with other values on the two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedValue {
    /// Name of the column.
    pub column: String,
    /// As the backup has it.
    pub backup: ValueShown,
    /// As it is live.
    pub live: ValueShown,
}

/// A value as far as it is shown. Without `text`, `hex` and `hidden` it is NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValueShown {
    /// Text; at most its first 160 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Bytes that are no text, hex; at most the first 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// Bytes of the whole value; only where a part of it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// It looks like a secret, and nothing of it is shown; only there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// Rows of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowCounts {
    /// Rows in the dump; missing where the dump lacks the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<u64>,
    /// Rows that are live; missing where the table is not live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<u64>,
    /// Whether the live rows were counted; else the server estimates them. Only with `live`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<bool>,
}

/// How two definitions of a table differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Definition {
    /// They do not, or it is not known.
    Word(DefinitionWord),
    /// They do.
    Differs(DefinitionDiff),
}

/// Two definitions that are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionWord {
    /// They are equal.
    Same,
    /// One of them is not known.
    NotCompared,
}

/// The lines by which two definitions differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefinitionDiff {
    /// The first lines: `-` before what is live, `+` before what the backup has.
    pub diff: Vec<String>,
    /// Number of lines that are not shown.
    pub more_lines: u64,
}

/// What a restore would change of the configuration.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConfigChanges {
    /// Files.
    #[serde(flatten)]
    pub files: Counts,
    /// Number of entries on all pages.
    pub total: u64,
    /// The first entries, one a file.
    pub entries: Vec<ConfigEntry>,
}

/// A configuration file of the backup or of the live site.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConfigEntry {
    /// What it configures.
    pub item: ConfigItem,
    /// Its name in the backup, without folders; of a live one its file name.
    pub name: String,
    /// Absolute path where it belongs; missing when it has no place on this machine, or is too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<PathBuf>,
    /// What a restore would do with it.
    pub change: Change,
    /// Why it is kept, as a sentence; only with `"change": "kept"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Bytes of a file that is too large to be compared; only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub too_large: Option<u64>,
    /// Why it has no place on this machine, as a sentence; only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Number of lines that differ; only of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineCounts>,
    /// A unified diff, at most 200 lines: `-` before what is live, `+` before what the backup has, secrets as `***`. Only of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<Vec<String>>,
    /// Number of lines of the diff that are not shown; only of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_lines: Option<u64>,
    /// Bytes of both sides; only of files that are no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<BinarySizes>,
    /// What the certificate or key of the backup is; only of certificates and keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<PemShown>,
    /// What the live one is; only of certificates and keys that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<PemShown>,
}

impl ConfigEntry {
    /// An entry that says no more than what a restore would do with a file.
    pub fn of(item: ConfigItem, name: &str, change: Change) -> ConfigEntry {
        ConfigEntry {
            item,
            name: name.to_owned(),
            target: None,
            change,
            why: None,
            too_large: None,
            problem: None,
            lines: None,
            diff: None,
            more_lines: None,
            binary: None,
            backup: None,
            live: None,
        }
    }
}

/// Numbers of lines that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineCounts {
    /// Number of lines that only the backup has.
    pub added: u64,
    /// Number of lines that are only live.
    pub removed: u64,
}

/// Bytes of two files that are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BinarySizes {
    /// Bytes of the live one.
    pub live: u64,
    /// Bytes of the backup's.
    pub backup: u64,
}

/// What can be said of a certificate or key: never a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PemShown {
    /// It can be read.
    Read(PemContent),
    /// It cannot.
    Unreadable(PemProblem),
}

/// What a PEM file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PemContent {
    /// The first certificate; `null` without one.
    pub certificate: Option<CertificateShown>,
    /// Number of certificates.
    pub certificates: u64,
    /// Whether there is a private key.
    pub private_key: bool,
}

/// Why a PEM file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PemProblem {
    /// The reason, as a sentence.
    pub problem: String,
}

/// What a certificate says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateShown {
    /// Its subject as text.
    pub subject: String,
    /// Names it is valid for, lower case.
    pub names: Vec<String>,
    /// Begin of its validity, RFC 3339; `null` where it is no moment.
    pub not_before: Option<String>,
    /// End of its validity, RFC 3339; `null` where it is no moment.
    pub not_after: Option<String>,
    /// SHA-256 of the certificate, hex.
    pub fingerprint: String,
}

/// `diff_backup` with a `job` and a `part`: some entries of a finished comparison.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Page {
    /// Of the files.
    Files(PageOf<FileEntry>),
    /// Of the database.
    Tables(PageOf<TableEntry>),
    /// Of the configuration.
    Config(PageOf<ConfigEntry>),
    /// Of the rows of tables.
    Rows(PageOf<RowEntry>),
}

/// Some entries of one part.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct PageOf<T> {
    /// Number of entries before the first one shown.
    pub offset: u64,
    /// Number of entries on all pages.
    pub total: u64,
    /// The `offset` of the next page; `null` on the last one.
    pub next: Option<u64>,
    /// The entries.
    pub entries: Vec<T>,
    /// Name of the job that compared.
    pub job: JobId,
}
