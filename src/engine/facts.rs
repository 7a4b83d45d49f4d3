//! What is known about a domain before anything is planned. Reads, never writes.

use crate::api;
use crate::backup::source::Source;
use crate::config::Config;
use crate::engine::hosts::Hosts;
use crate::engine::settings;
use crate::error::{Code, Error, Result};
use crate::host::credentials::{self, SiteAccount, Sought};
use crate::host::database::TableInfo;
use crate::host::tree::{self, Survey};
use crate::path::Domain;
use crate::plan::Selection;
use crate::progress::{Level, Monitor};
use sha2::{Digest, Sha256};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The live state of a domain.
pub struct Facts {
    /// The site's database account, where it has one.
    pub account: Option<SiteAccount>,
    /// The live document root; `None` when it is gone.
    pub survey: Option<Survey>,
    /// The live tables.
    pub tables: Vec<TableInfo>,
    /// Connections to what the machine runs.
    pub hosts: Hosts,
}

impl Facts {
    /// Live schema and owner, for the plan.
    ///
    /// # Errors
    /// `database_unreachable`.
    pub fn database(&self) -> Result<Option<(String, Option<String>)>> {
        let (Some(database), Some(account)) = (&self.hosts.database, &self.account) else { return Ok(None) };
        let definer = match database.account_of(&account.user) {
            // Whoever may not look up accounts lacks more than that: the pre-flight names it all.
            Err(error) if error.code == Code::InsufficientPrivilege => None,
            other => other?,
        };
        Ok(Some((account.schema.clone(), definer)))
    }
}

/// Looks at the live domain. When everything was asked for and the site is known to have no database, the database is taken
/// out of the selection and that is said; a dump in the backup is then an error, not a silent skip.
///
/// # Errors
/// `unknown_domain`, `credentials_missing`, `database_unreachable`, `io_failed`.
pub fn gather(
    config: &Config,
    domain: &Domain,
    selection: &mut Selection,
    work: &Path,
    monitor: &dyn Monitor,
) -> Result<Facts> {
    let root = config.paths.document_root(domain);
    let survey = tree::survey(&root, monitor)?;
    let account = if selection.database {
        match credentials::sought(config, domain, &root) {
            Ok(sought) => {
                say_account(&sought, monitor);
                Some(sought.account)
            }
            Err(error) if error.code == Code::CredentialsMissing && !selection.named => {
                monitor.event(Level::Info, &format!("no database of {domain} is known: {}", error.message));
                selection.database = false;
                None
            }
            Err(error) => return Err(error),
        }
    } else {
        None
    };
    let hosts = Hosts::of(config, domain, account.is_some(), work)?;
    let tables = match (&account, &hosts.database) {
        (Some(account), Some(database)) => hosts.retrying(|| database.tables(&account.schema))?,
        _ => Vec::new(),
    };
    Ok(Facts { account, survey, tables, hosts })
}

fn say_account(sought: &Sought, monitor: &dyn Monitor) {
    let account = &sought.account;
    let message = format!("database account {} of {}", account.user, account.source.display());
    monitor.event(Level::Info, &message);
    for reason in &sought.passed_over {
        monitor.event(Level::Warn, &format!("passed over: {reason}"));
    }
}

/// A token for "the live state and the backup as they were looked at": 64 hex digits.
///
/// # Errors
/// `database_unreachable`, `io_failed`.
pub fn token(config: &Config, request: &api::Restore, source: &Source, facts: &Facts) -> Result<String> {
    let mut seen = String::new();
    let mut add = |text: String| seen.extend([text.as_str(), "\n"]);
    add(request.domain.to_string());
    add(serde_json::to_string(&request.components).unwrap_or_default());
    add(serde_json::to_string(&source.identities()).unwrap_or_default());
    let root = config.paths.document_root(&request.domain);
    if let Ok(meta) = std::fs::metadata(&root) {
        add(format!("{} {} {}.{}", meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec()));
    }
    if let Some(survey) = &facts.survey {
        add(format!("{} {} {}", survey.files, survey.folders, survey.bytes));
    }
    let mut tables: Vec<&str> = facts.tables.iter().map(|table| table.name.as_str()).collect();
    tables.sort_unstable();
    add(tables.join(" "));
    for file in settings::live(config, &request.domain) {
        add(file.target.display().to_string());
        add(format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&file.content)));
    }
    let hash = Sha256::digest(seen.as_bytes());
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Refuses a start whose live state is not the one that was validated.
///
/// # Errors
/// `plan_stale`, and what looking can meet.
pub fn check_token(config: &Config, request: &api::Restore, source: &Source, given: &str, work: &Path) -> Result<()> {
    let mut selection = Selection::parse(request.components.as_ref())?;
    let facts = gather(config, &request.domain, &mut selection, work, &crate::progress::Silent)?;
    if token(config, request, source, &facts)? != given {
        return Err(Error::new(
            Code::PlanStale,
            format!("{} or its backup changed since the plan was made", request.domain),
        ));
    }
    Ok(())
}
