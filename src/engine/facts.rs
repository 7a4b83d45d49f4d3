//! What is known about a domain before anything is planned. Reads, never writes.

use crate::config::Config;
use crate::engine::hosts::Hosts;
use crate::error::{Code, Result};
use crate::host::credentials::{self, SiteAccount, Sought};
use crate::host::database::TableInfo;
use crate::host::tree::{self, Survey};
use crate::path::Domain;
use crate::plan::Selection;
use crate::progress::{Level, Monitor};
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
/// out of the selection and that is said; a dump in the backup is then an error, not a silent skip. `began`: the moment from
/// [`super::token::now`], when a token is to be made or checked.
///
/// # Errors
/// `unknown_domain`, `credentials_missing`, `database_unreachable`, `io_failed`.
pub fn gather(
    config: &Config,
    domain: &Domain,
    selection: &mut Selection,
    work: &Path,
    began: Option<i64>,
    monitor: &dyn Monitor,
) -> Result<Facts> {
    let root = config.paths.document_root(domain);
    let survey = tree::survey_since(&root, began.filter(|_| selection.files.any()), monitor)?;
    let account = if selection.database.any() {
        match credentials::sought(config, domain, &root) {
            Ok(sought) => {
                say_account(&sought, monitor);
                Some(sought.account)
            }
            Err(error) if error.code == Code::CredentialsMissing && !selection.named => {
                monitor.event(Level::Info, &format!("no database of {domain} is known: {}", error.message));
                selection.database = crate::api::Choice::Whole(false);
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
