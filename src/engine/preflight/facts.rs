//! What is known about a domain before anything is planned. Reads, never writes.

use crate::backup::Source;
use crate::config::Config;
use crate::engine::machine::Hosts;
use crate::error::Result;
use crate::host::database::TableInfo;
use crate::host::site_database::{self, SiteDatabase, Word};
use crate::host::tree::{self, Survey};
use crate::plan::Selection;
use crate::progress::{Level, Monitor};
use std::path::Path;
use std::sync::Arc;

/// The live state of a domain.
pub struct Facts {
    /// The site's database, where it takes part.
    pub site: Option<SiteDatabase>,
    /// The live tree that is to be exchanged; `None` when it is gone.
    pub survey: Option<Survey>,
    /// The live tables.
    pub tables: Vec<TableInfo>,
    /// Connections to what the machine runs.
    pub hosts: Hosts,
}

impl Facts {
    /// Live schema and owner, for the plan.
    pub fn database(&self) -> Option<(String, Option<String>)> {
        self.site.as_ref().map(|site| (site.account.schema.clone(), site.definer.clone()))
    }
}

/// Looks at the live domain. When everything was asked for and the site is known to have no database, the database is taken
/// out of the selection and that is said; a dump in the backup is then an error, not a silent skip. `began`: the moment from
/// [`plan_token::now`](super::plan_token::now), when a token is to be made or checked.
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
    let mut site = None;
    if selection.database.any() {
        site = match selection.named {
            true => Some(site_database::require(config, home)?),
            false => site_database::find(config, home)?,
        };
        match &site {
            Some(site) => say_site(site, monitor.as_ref()),
            None => {
                monitor.event(Level::Info, &format!("nobody names a database of {domain}: it takes no part"));
                selection.database = crate::api::Choice::Whole(false);
            }
        }
    }
    let hosts = Hosts::of(config, domain, site.is_some(), work, monitor.clone())?;
    let tables = match (&site, &hosts.database) {
        (Some(site), Some(database)) => hosts.retrying(|| database.tables(&site.account.schema))?,
        _ => Vec::new(),
    };
    Ok(Facts { site, survey, tables, hosts })
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
