//! Virtualmin, a virtual server's backup in the home format: the home as it is, and what else belongs to the server as `.backup/DOMAIN_FEATURE`.
//! Its databases are the server's own: `.backup/DOMAIN_mysql_NAME`, packed or not. In the old format the features of many servers lie at the
//! top, and each home is an archive, `DOMAIN_dir.tar`. Accounts, mail and keys are never looked at.

use super::any;
use super::{Answered, Asked, NO_DATABASE, Tool, archive_of, schema_in};
use crate::backup::layout::places::Rule;
use crate::backup::survey::{self, Listing};
use crate::error::Result;
use crate::path::RelPath;

/// The panel.
pub struct Virtualmin;

/// What is not of the home.
const FEATURES: &[u8] = b".backup";

impl Tool for Virtualmin {
    fn name(&self) -> &'static str {
        "virtualmin"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        !servers(listing).is_empty()
    }

    fn inner(&self, asked: &Asked) -> Result<Vec<RelPath>> {
        let listing = &asked.listings[0];
        if features(listing).is_some_and(|folder| !folder.is_root()) {
            return Ok(Vec::new());
        }
        let server = asked.choose(&servers(listing))?.clone();
        Ok(archive_of(listing, &RelPath::default(), format!("{server}_dir").as_bytes()).into_iter().collect())
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let servers = servers(listing);
        let server = asked.choose(&servers)?;
        let home = asked.inner.first().cloned().unwrap_or_default();
        let told = match &asked.import.root {
            Some(told) if listing.has(&home.below(&RelPath::parse(told.as_bytes())?)) => {
                Some(home.below(&RelPath::parse(told.as_bytes())?))
            }
            _ => asked.told_root(listing)?,
        };
        let usual = Some(home.join(b"public_html")).filter(|root| listing.has(root));
        let root = told.or(usual);
        let schema = root.as_ref().and_then(|root| schema_in(listing, root));
        let mut answered =
            any::answer_of(self.name(), asked, root, |_| survey::one_of(&dumps(listing, server), schema.as_deref()))?;
        // The server's own settings may leave tables out of its dumps: how much they hold is not known.
        // A home in which the site is the top holds these, too.
        let features = RelPath::parse(FEATURES)?;
        answered.places = answered.places.into_iter().map(|places| places.with(&features, Rule::Nothing)).collect();
        if !answered.dump && !asked.has_dump_beside() {
            answered.lacks.push(NO_DATABASE.to_owned());
        }
        answered
            .lacks
            .push("The web server's configuration in it is the panel's to make, and is not restored.".to_owned());
        Ok(answered)
    }
}

/// The folder with the records of the features.
fn features(listing: &Listing) -> Option<RelPath> {
    let folder = RelPath::parse(FEATURES).ok()?;
    if listing.has(&folder) {
        return Some(folder);
    }
    let top = RelPath::default();
    let has_home = |name: &[u8]| {
        let server = name.strip_suffix(b"_virtualmin");
        server.is_some_and(|server| archive_of(listing, &top, &[server, b"_dir"].concat()).is_some())
    };
    let is_old = listing.inside(&top).any(has_home);
    is_old.then_some(top)
}

/// The virtual servers in it, by the records of their features.
fn servers(listing: &Listing) -> Vec<String> {
    let Some(folder) = features(listing) else { return Vec::new() };
    let ends = [&b"_virtualmin"[..], b"_dir"];
    let of = |name: &[u8]| {
        let server = ends.iter().find_map(|end| name.strip_suffix(*end))?;
        Some(String::from_utf8_lossy(server).into_owned())
    };
    let mut found: Vec<String> = listing.inside(&folder).filter_map(of).filter(|name| name.contains('.')).collect();
    found.dedup();
    found
}

/// The databases of a server, each with its dump.
fn dumps(listing: &Listing, server: &str) -> Vec<(String, RelPath)> {
    let Some(folder) = features(listing) else { return Vec::new() };
    let begin = format!("{server}_mysql_");
    let of = |name: &[u8]| {
        let schema = survey::unpacked(name.strip_prefix(begin.as_bytes())?);
        Some((String::from_utf8(schema.to_vec()).ok()?, folder.join(name)))
    };
    listing.inside(&folder).filter_map(of).collect()
}
