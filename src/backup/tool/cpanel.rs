//! cPanel, full backup or cpmove: one folder at the top, with `homedir/`, `mysql/` and `userdata/`. `userdata/DOMAIN` says where a domain's
//! document root is; addon domains lie inside that of the main one. `mysql.sql` and `shadow` are never looked at.

use super::any;
use super::{Answered, Asked, Tool, only_top};
use crate::backup::layout::places::Rule;
use crate::backup::survey::Listing;
use crate::error::Result;
use crate::path::RelPath;

/// The panel.
pub struct Cpanel;

impl Tool for Cpanel {
    fn name(&self) -> &'static str {
        "cpanel"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        only_top(listing)
            .is_some_and(|top| listing.has(&top.join(b"userdata").join(b"main")) && listing.has(&top.join(b"homedir")))
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let top = only_top(listing).unwrap_or_default();
        if asked.import.root.is_some() {
            return any::answer_by(self.name(), asked, None, true);
        }
        let sites = sites(listing, &top);
        let names: Vec<String> = sites.iter().map(|(name, _)| name.clone()).collect();
        let chosen = asked.choose(&names)?;
        let root = sites.iter().find(|(name, _)| name == chosen).map(|(_, root)| root.clone()).unwrap_or_default();
        let mut answered = any::answer_by(self.name(), asked, Some(root.clone()), true)?;
        answered.extent = asked.extent_of_panel();
        // What belongs to other domains inside this one's folder stays as it is live.
        for (name, other) in sites.iter().filter(|(_, other)| *other != root) {
            if let Some(inside) = other.strip_prefix(&root) {
                answered.places = answered.places.into_iter().map(|places| places.with(other, Rule::Nothing)).collect();
                answered.keeps.push(inside.as_pattern());
                let said = format!("{inside} is the document root of {name}: it stays as it is.");
                answered.lacks.push(crate::text::printable(&said));
            }
        }
        answered.lacks.push("Events of the database are not in it.".to_owned());
        Ok(answered)
    }
}

/// Domains with their document roots in the archive.
fn sites(listing: &Listing, top: &RelPath) -> Vec<(String, RelPath)> {
    let text = |path: &RelPath| listing.texts.get(path).map(|text| String::from_utf8_lossy(text).into_owned());
    let userdata = top.join(b"userdata");
    let main = text(&userdata.join(b"main")).unwrap_or_default();
    // `addon_domains:` has lines `  DOMAIN: SUBDOMAIN`, whose file has the document root.
    let mut named: Vec<(String, String)> = Vec::new();
    let mut in_addons = false;
    for line in main.lines() {
        if let Some(domain) = line.strip_prefix("main_domain:") {
            named.push((domain.trim().to_owned(), domain.trim().to_owned()));
        }
        if !line.starts_with(' ') {
            in_addons = line.starts_with("addon_domains:");
        } else if in_addons && let Some((domain, sub)) = line.trim().split_once(':') {
            named.push((domain.trim().to_owned(), sub.trim().to_owned()));
        }
    }
    let root = |file: &str| {
        let text = text(&userdata.join(file.as_bytes()))?;
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("documentroot:").map(|root| root.trim().to_owned()))?;
        // `/home/USER/public_html/shop` is `homedir/public_html/shop`.
        let inside = line.trim_start_matches('/').splitn(3, '/').nth(2).unwrap_or_default().to_owned();
        Some(top.join(b"homedir").below(&RelPath::parse(inside.as_bytes()).ok()?))
    };
    named.into_iter().filter_map(|(domain, file)| Some((domain, root(&file)?))).collect()
}
