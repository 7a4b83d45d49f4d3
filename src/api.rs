//! Requests and the envelope of every answer. JSON in, JSON out; unknown request fields are refused.

use crate::config::Source;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Version of the document schema in every envelope.
pub const SCHEMA: u32 = 1;
/// Version of the C ABI; library and helper must agree.
pub const ABI_VERSION: u32 = 1;
/// Largest request accepted, in bytes.
pub const MAX_REQUEST: usize = 1 << 20;

/// `rv_list_domains`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configured {
    /// restore.toml to use.
    pub config: Option<Source>,
}

/// What every request may carry.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domains {
    /// restore.toml to use.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Option<Domain>,
    /// Block until the job ends and return its result.
    #[serde(default)]
    pub wait: bool,
}

/// `rv_list_backups`, `rv_list_snapshots`, `rv_create_snapshot`, `rv_verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfDomain {
    /// restore.toml to use.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// Block until the job ends and return its result.
    #[serde(default)]
    pub wait: bool,
}

/// `rv_preview_backup`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// restore.toml to use.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// Absolute path of a backup, or `latest`.
    #[serde(default = "latest")]
    pub backup: String,
    /// The dump to take instead of the one chosen for a backup whose database lies beside it.
    pub dump: Option<PathBuf>,
    /// A part of the tree, in any depth; left out: the first folders of all of it.
    pub tree: Option<TreeAsked>,
    /// Block until the job ends and return its result.
    #[serde(default)]
    pub wait: bool,
}

/// A part of a backup's tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TreeAsked {
    /// The folder, below the document root; empty: the document root.
    pub path: String,
    /// How many levels below it.
    pub depth: usize,
    /// How many nodes come before the first one given.
    pub offset: usize,
    /// How many nodes are given.
    pub limit: usize,
}

impl Default for TreeAsked {
    fn default() -> TreeAsked {
        TreeAsked { path: String::new(), depth: 1, offset: 0, limit: 200 }
    }
}

impl TreeAsked {
    /// Most nodes on a page.
    pub const MAX_LIMIT: usize = 1_000;
    /// Most nodes before and on a page: whoever needs more looks into a folder.
    pub const MAX_REACH: usize = 100_000;

    /// Whether this can be answered.
    ///
    /// # Errors
    /// `bad_request` naming the field, `unsafe_path`, `limit_exceeded`.
    pub fn check(&self) -> Result<()> {
        crate::path::RelPath::parse(self.path.as_bytes())?;
        let refuse = |why: String| Err(Error::new(Code::BadRequest, format!("request: tree: {why}")));
        if self.depth == 0 {
            return refuse("a depth of 0 shows nothing; 1 is the folder's own names".into());
        }
        if self.limit == 0 || self.limit > TreeAsked::MAX_LIMIT {
            return refuse(format!("limit is {}, from 1 to {} are allowed", self.limit, TreeAsked::MAX_LIMIT));
        }
        if self.offset > TreeAsked::MAX_REACH - self.limit {
            let most = TreeAsked::MAX_REACH;
            return refuse(format!("offset is {}, pages end at {most}; name a folder as `path`", self.offset));
        }
        Ok(())
    }
}

/// `rv_restore_start` and `rv_validate`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// restore.toml to use.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// Absolute path of a backup, or `latest`.
    #[serde(default = "latest")]
    pub backup: String,
    /// The dump to take instead of the one chosen for a backup whose database lies beside it.
    pub dump: Option<PathBuf>,
    /// What to restore; left out: everything the backup has to have.
    pub components: Option<Components>,
    /// What stays as it is live.
    pub exclude: Option<Exclude>,
    /// A portable snapshot that was made for this restore; named in the report.
    pub snapshot: Option<PathBuf>,
    /// Token of a validation; the restore is refused when the live state changed since.
    pub plan_token: Option<String>,
    /// Plan and check, change nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Behaviour.
    #[serde(default)]
    pub options: Options,
    /// Block until the job ends and return its result.
    #[serde(default)]
    pub wait: bool,
}

/// `rv_diff_backup`: what [`Restore`] takes, or a page of what a finished comparison found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// restore.toml to use.
    pub config: Option<Source>,
    /// The domain; not needed for a page.
    pub domain: Option<Domain>,
    /// Absolute path of a backup, or `latest`.
    #[serde(default = "latest")]
    pub backup: String,
    /// The dump to take instead of the one chosen for a backup whose database lies beside it.
    pub dump: Option<PathBuf>,
    /// What would be restored; left out: everything the backup has to have.
    pub components: Option<Components>,
    /// What would stay as it is live.
    pub exclude: Option<Exclude>,
    /// Behaviour.
    #[serde(default)]
    pub options: Options,
    /// Give the first page of each part with the summaries.
    #[serde(default = "yes")]
    pub details: bool,
    /// A finished comparison, of which a page is asked for.
    pub job: Option<String>,
    /// Of which part.
    pub part: Option<Part>,
    /// From which entry.
    #[serde(default)]
    pub offset: u64,
    /// How many entries.
    pub limit: Option<u64>,
    /// Block until the job ends and return its result.
    #[serde(default)]
    pub wait: bool,
}

impl Diff {
    /// The restore that is asked about.
    ///
    /// # Errors
    /// `bad_request` without a domain.
    pub fn restore(&self) -> Result<Restore> {
        let domain = self.domain.clone().ok_or_else(|| {
            Error::new(Code::BadRequest, "request: missing field `domain`")
                .hint("Name the domain to compare, or a `job` and a `part` for a page of what it found.")
        })?;
        Ok(Restore {
            config: self.config.clone(),
            domain,
            backup: self.backup.clone(),
            dump: self.dump.clone(),
            components: self.components.clone(),
            exclude: self.exclude.clone(),
            snapshot: None,
            plan_token: None,
            dry_run: true,
            options: self.options.clone(),
            wait: self.wait,
        })
    }
}

/// A part of what was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Files, folders, links.
    Files,
    /// Tables, views, routines, triggers, events.
    Tables,
    /// Configuration files.
    Config,
}

/// What stays as it is live, although it would be restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exclude {
    /// Paths and globs below the document root.
    pub files: Vec<String>,
    /// Names and globs of tables.
    pub database: Vec<String>,
    /// Configuration items.
    pub config: Vec<String>,
}

/// Which components to restore. Those left out are not restored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Components {
    /// The document root.
    pub files: Choice,
    /// The database.
    pub database: Choice,
    /// nginx, PHP-FPM, certificates, cron.
    pub config: Choice,
}

/// All of a component, none of it, or named parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    /// `true` or `false`.
    Whole(bool),
    /// Named parts.
    Parts(Vec<String>),
}

impl Choice {
    /// Whether anything of the component takes part.
    pub fn any(&self) -> bool {
        !matches!(self, Choice::Whole(false))
    }

    /// Whether all of it takes part.
    pub fn is_whole(&self) -> bool {
        matches!(self, Choice::Whole(true))
    }

    /// The named parts, where there are some.
    pub fn parts(&self) -> Option<&[String]> {
        match self {
            Choice::Parts(parts) => Some(parts),
            Choice::Whole(_) => None,
        }
    }
}

impl Default for Choice {
    fn default() -> Choice {
        Choice::Whole(false)
    }
}

/// How a restore behaves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// CPU and I/O priority of the worker.
    pub priority: Priority,
    /// Restore configuration that the guard refuses; for the administrator, and logged.
    pub allow_unsafe_config: bool,
    /// An exact replica: nothing is kept that the backup does not hold, even where its writer leaves things out.
    pub exact: bool,
    /// Take selected tables although rows would refer to rows that are not there.
    pub allow_orphans: bool,
    /// What is done about what the server would not take of the dump.
    pub compatibility: crate::sql::compat::Actions,
    /// A comparison with the live site reads every content, also where size and time are equal.
    pub checksum: bool,
}

/// CPU and I/O priority of the worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// The site goes first.
    #[default]
    Polite,
    /// Like any other process.
    Normal,
}

/// `rv_rollback`: exactly one of `job` and `snapshot`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// restore.toml to use.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// Back to the state before this job.
    pub job: Option<String>,
    /// Back to this snapshot (absolute path).
    pub snapshot: Option<PathBuf>,
    /// Block until the job ends and return its result.
    #[serde(default)]
    pub wait: bool,
}

/// `rv_restore_poll`, `rv_restore_cancel` and the helper's `wait`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfJob {
    /// restore.toml to use.
    pub config: Option<Source>,
    /// The job.
    pub job: String,
    /// Events after this sequence number; 0 gives all.
    #[serde(default)]
    pub since: u64,
}

/// `rv_delete_snapshot`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteSnapshot {
    /// restore.toml to use.
    pub config: Option<Source>,
    /// The domain.
    pub domain: Domain,
    /// The snapshot's absolute path.
    pub snapshot: PathBuf,
    /// Block until the job ends and return its result.
    #[serde(default)]
    pub wait: bool,
}

fn yes() -> bool {
    true
}

fn latest() -> String {
    "latest".to_owned()
}

/// Parses a request.
///
/// # Errors
/// `bad_request` or `unknown_field`, naming the field and the place.
pub fn parse<T: DeserializeOwned>(request: &str) -> Result<T> {
    if request.len() > MAX_REQUEST {
        return Err(Error::new(
            Code::BadRequest,
            format!("the request has {} bytes; {MAX_REQUEST} are allowed", request.len()),
        ));
    }
    let text = if request.trim().is_empty() { "{}" } else { request };
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let code = if message.starts_with("unknown field") { Code::UnknownField } else { Code::BadRequest };
        Error::new(code, format!("request: {message}")).with("line", error.line()).with("column", error.column())
    })
}

/// The document of a call that worked.
pub fn success(data: &Value) -> Value {
    json!({"schema": SCHEMA, "ok": true, "data": data})
}

/// A document as it is handed out. Names in it are a tenant's: what a terminal would act on is escaped.
pub fn text(document: &Value) -> String {
    crate::text::printable_json(&document.to_string())
}

/// The document of a call that failed.
pub fn failure(error: &Error) -> Value {
    json!({"schema": SCHEMA, "ok": false, "error": error.to_json()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_told_apart_from_bad_json() {
        let unknown = parse::<OfDomain>(r#"{"domain":"a.com","domian":1}"#).unwrap_err();
        assert_eq!(unknown.code, Code::UnknownField);
        assert!(unknown.message.contains("domian"), "{}", unknown.message);
        for bad in ["{", "[]", r#"{"domain":1}"#, r#"{"domain":"a.com","domain":"b.com"}"#, r#"{"domain":"../x"}"#] {
            assert_eq!(parse::<OfDomain>(bad).unwrap_err().code, Code::BadRequest, "{bad}");
        }
        let deep = format!("{{\"domain\":{}", "[".repeat(10_000));
        assert_eq!(parse::<OfDomain>(&deep).unwrap_err().code, Code::BadRequest);
        assert_eq!(parse::<OfDomain>(&" ".repeat(MAX_REQUEST + 1)).unwrap_err().code, Code::BadRequest);
    }

    #[test]
    fn a_page_of_a_tree_has_bounds() {
        let asked =
            |tree: &str| parse::<Preview>(&format!(r#"{{"domain":"a.com","tree":{tree}}}"#)).unwrap().tree.unwrap();
        assert_eq!(asked("{}"), TreeAsked { path: String::new(), depth: 1, offset: 0, limit: 200 });
        asked(r#"{"path":"wp-content/","depth":2,"offset":99000,"limit":1000}"#).check().unwrap();
        for bad in [r#"{"depth":0}"#, r#"{"limit":0}"#, r#"{"limit":1001}"#, r#"{"offset":100000}"#] {
            assert_eq!(asked(bad).check().unwrap_err().code, Code::BadRequest, "{bad}");
        }
        assert_eq!(asked(r#"{"path":"../x"}"#).check().unwrap_err().code, Code::UnsafePath);
    }

    #[test]
    fn components_left_out_are_not_restored_and_none_at_all_means_full() {
        let some: Restore = parse(r#"{"domain":"a.com","components":{"files":true}}"#).unwrap();
        let components = some.components.unwrap();
        assert!(matches!(components.files, Choice::Whole(true)));
        assert!(matches!(components.database, Choice::Whole(false)));
        let full: Restore = parse(r#"{"domain":"a.com"}"#).unwrap();
        assert!(full.components.is_none());
        assert_eq!(full.backup, "latest");
    }
}
