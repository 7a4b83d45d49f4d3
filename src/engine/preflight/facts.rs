//! Gathers the facts about a domain before anything is planned. Reads, never writes.

use crate::backup::Source;
use crate::backup::preview::cached;
use crate::config::Config;
use crate::engine::machine::Hosts;
use crate::error::{Code, Error, Result};
use crate::host::database::TableInfo;
use crate::host::site_database::{self, SiteDatabase, Word};
use crate::host::tree::{self, Survey};
use crate::plan::Selection;
use crate::progress::{Level, Monitor};
use crate::text;
use std::path::Path;
use std::sync::Arc;

/// The live state of a domain.
pub struct Facts {
    /// The site's database, where it takes part.
    pub site: Option<SiteDatabase>,
    /// The live tree that is to be exchanged; `None` when it is gone.
    pub survey: Option<Survey>,
    /// Why no database takes part although everything was asked for. It is an error if the backup holds a dump.
    pub no_account: Option<Error>,
    /// The site's schema is not there.
    pub schema_is_missing: bool,
    /// The live tables.
    pub tables: Vec<TableInfo>,
    /// Connections to the database server and the services of the machine.
    pub hosts: Hosts,
}

impl Facts {
    /// Live schema and owner, for the plan.
    pub fn database(&self) -> Option<(String, Option<String>)> {
        self.site.as_ref().map(|site| (site.account.schema.clone(), site.definer.clone()))
    }

    /// Whether a backup without a dump is whole: nobody asked for the database by name, and the site has no table.
    pub fn has_no_table(&self, selection: &Selection) -> bool {
        !selection.named && self.site.is_some() && self.tables.is_empty()
    }

    /// Refuses a dump for which no account is known: a dump is never left out without a word.
    ///
    /// # Errors
    /// `credentials_missing` for a dump without an account to restore it for.
    pub fn require_account(&self, dump: Option<&str>) -> Result<()> {
        require_account(self.no_account.as_ref(), dump)
    }
}

/// See [`Facts::require_account`].
///
/// # Errors
/// The same.
pub fn require_account(no_account: Option<&Error>, dump: Option<&str>) -> Result<()> {
    match (no_account, dump) {
        (Some(error), Some(dump)) => {
            let message = format!("{}; the backup holds {}", error.message, text::printable(dump));
            Err(Error { message, ..error.clone() }.with("dump", dump))
        }
        _ => Ok(()),
    }
}

/// Adds the hint to leave the database out, if the error is about it and nobody asked for it by name.
fn or_without(error: Error) -> Error {
    let about_the_account = [Code::CredentialsMissing, Code::DatabaseAmbiguous, Code::DatabaseElsewhere];
    if !about_the_account.contains(&error.code) {
        return error;
    }
    let hint = format!(
        "{} Or restore the rest by `--only files,config` (\"components\":{{\"files\":true,\"config\":true}}), and leave the database as it is; where the restored files name the account, `--only database` brings it afterwards.",
        error.hint
    );
    error.hint(hint)
}

/// Looks at the live domain. If everything was asked for and nobody names a database of the site, the database is taken out of the
/// selection, and a note says so. A dump in the backup is then an error, not a silent skip. If the dump is known already, the error
/// comes from here, else from [`Facts::require_account`] once the backup was read. `began` is the moment from
/// [`plan_token::now`](super::plan_token::now), if a token is to be made or checked.
///
/// # Errors
/// `unknown_domain`, `io_failed`, `database_unreachable`, and those of [`site_database::find`].
pub fn gather(
    config: &Config,
    source: &Source,
    selection: &mut Selection,
    work: &Path,
    began: Option<i64>,
    monitor: &Arc<dyn Monitor>,
) -> Result<Facts> {
    let home = &source.site;
    let domain = &home.domain;
    let survey = tree::survey_since(source.target(), began.filter(|_| selection.files.any()), monitor.as_ref())?;
    let (mut site, mut no_account) = (None, None);
    if selection.database.any() && selection.named {
        site = Some(site_database::require(config, home)?);
    } else if selection.database.any() {
        match site_database::judge(config, home).map_err(or_without)? {
            Ok(found) => site = Some(found),
            Err(why) => {
                no_account = Some(or_without(why));
                require_account(no_account.as_ref(), known_dump(config, source).as_deref())?;
                monitor.event(Level::Info, &format!("nobody names a database of {domain}: it takes no part"));
                selection.database = crate::api::Choice::Whole(false);
            }
        }
    }
    if let Some(site) = &site {
        say_site(site, monitor.as_ref());
    }
    let hosts = Hosts::of(config, domain, site.is_some(), work, monitor.clone())?;
    let (mut tables, mut schema_is_missing) = (Vec::new(), false);
    if let (Some(site), Some(database)) = (&site, &hosts.database) {
        let schema = &site.account.schema;
        tables = hosts.retrying(|| database.tables(schema))?;
        schema_is_missing = tables.is_empty() && hosts.retrying(|| database.schema_charset(schema))?.is_none();
    }
    Ok(Facts { site, survey, no_account, schema_is_missing, tables, hosts })
}

/// The dump, as far as it is known before the backup is read.
fn known_dump(config: &Config, source: &Source) -> Option<String> {
    let beside = source.dump_beside().map(|part| part.path.display().to_string());
    beside.or_else(|| cached(source, config)?.dump.map(|dump| dump.name))
}

fn say_site(site: &SiteDatabase, monitor: &dyn Monitor) {
    let account = &site.account;
    let borne_out = match site.word {
        Word::Administrator => "",
        Word::Site => ", borne out by the server",
    };
    let source = account.source.display();
    monitor.event(Level::Info, &format!("database {} of {}, by {source}{borne_out}", account.schema, account.user));
    for note in &site.notes {
        monitor.event(Level::Warn, note);
    }
}
