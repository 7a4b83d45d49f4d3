//! DirectAdmin, a user's backup: `domains/DOMAIN/public_html` and `backup/` with a dump a database and the user's settings. The databases are
//! the user's: which one is the domain's only its own configuration says. Accounts, keys and mail are never unpacked.

use super::{Answered, Asked, Tool, any};
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// The panel.
pub struct DirectAdmin;

const DOMAINS: &[u8] = b"domains";
const USER: &[u8] = b"backup/user.conf";

impl Tool for DirectAdmin {
    fn name(&self) -> &'static str {
        "directadmin"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        RelPath::parse(USER).is_ok_and(|user| listing.has(&user)) && !domains(listing).is_empty()
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let root = match asked.told_root(listing)? {
            Some(told) => told,
            None => {
                let names = domains(listing);
                let chosen = asked.choose(&names)?;
                RelPath::parse(DOMAINS)?.join(chosen.as_bytes()).join(b"public_html")
            }
        };
        let mut answered = any::answer_by(self.name(), asked, Some(root), true)?;
        answered.extent = asked.extent_of_panel();
        answered.lacks.push(
            "Events of the database are not in it. Virtual hosts are the panel's to make, and are not restored."
                .to_owned(),
        );
        Ok(answered)
    }
}

/// The domains that have a document root in it.
fn domains(listing: &Listing) -> Vec<String> {
    let Ok(folder) = RelPath::parse(DOMAINS) else { return Vec::new() };
    let has_root = |name: &&[u8]| listing.has(&folder.join(name).join(b"public_html"));
    listing.inside(&folder).filter(has_root).map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}
