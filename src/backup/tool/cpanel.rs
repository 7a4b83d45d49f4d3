//! cPanel, full backup or cpmove: one folder at the top, with `homedir/` or `homedir.tar`, `mysql/` and `userdata/`. `userdata/DOMAIN` says where a domain's
//! document root is; addon domains and subdomains lie inside that of the main one. `mysql.sql` and `shadow` are never looked at.

use super::any;
use super::{Answered, Asked, Tool, archive_of, only_top};
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
            .is_some_and(|top| listing.has(&top.join(b"userdata").join(b"main")) && home(listing, &top).is_some())
    }

    fn inner(&self, asked: &Asked) -> Result<Vec<RelPath>> {
        let listing = &asked.listings[0];
        let home = home(listing, &only_top(listing).unwrap_or_default());
        Ok(home.into_iter().filter(|home| listing.names.get(home) == Some(&false)).collect())
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let top = only_top(listing).unwrap_or_default();
        if asked.import.root.is_some() {
            return any::answer_by(self.name(), asked, None, true);
        }
        let (sites, lost) = sites(listing, &top);
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
        if !lost.is_empty() {
            let lost = crate::text::printable(&lost.join(", "));
            answered.lacks.push(format!(
                "It does not say where the document root of {lost} is: what lies in this one is taken for its own."
            ));
        }
        answered.lacks.push("Events of the database are not in it.".to_owned());
        Ok(answered)
    }
}

/// The home, as a folder or as an archive.
fn home(listing: &Listing, top: &RelPath) -> Option<RelPath> {
    let folder = top.join(b"homedir");
    if listing.has(&folder) { Some(folder) } else { archive_of(listing, top, b"homedir") }
}

/// Domains with their document roots in the archive, and those of which it does not say that.
fn sites(listing: &Listing, top: &RelPath) -> (Vec<(String, RelPath)>, Vec<String>) {
    let text = |path: &RelPath| listing.texts.get(path).map(|text| String::from_utf8_lossy(text).into_owned());
    let userdata = top.join(b"userdata");
    let Some(home) = home(listing, top) else { return (Vec::new(), Vec::new()) };
    let root = |file: &str| {
        let text = text(&userdata.join(file.as_bytes()))?;
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("documentroot:").map(|root| root.trim().to_owned()))?;
        // `/home/USER/public_html/shop` is `homedir/public_html/shop`.
        let inside = line.trim_start_matches('/').splitn(3, '/').nth(2).unwrap_or_default().to_owned();
        // The home itself is none: it has keys and mail.
        Some(home.below(&RelPath::parse(inside.as_bytes()).ok().filter(|inside| !inside.is_root())?))
    };
    let (mut found, mut lost) = (Vec::new(), Vec::new());
    for (domain, file) in domains(&text(&userdata.join(b"main")).unwrap_or_default()) {
        match root(&file) {
            Some(root) => found.push((domain, root)),
            None => lost.push(domain),
        }
    }
    (found, lost)
}

/// The domains of an account, each with the name of the file about it.
fn domains(main: &str) -> Vec<(String, String)> {
    let mut named: Vec<(String, String)> = Vec::new();
    let mut subdomains = Vec::new();
    let mut section = "";
    for line in main.lines() {
        if let Some(domain) = line.strip_prefix("main_domain:") {
            named.push((domain.trim().to_owned(), domain.trim().to_owned()));
        }
        if !line.starts_with([' ', '-']) {
            section = line.split(':').next().unwrap_or_default();
            continue;
        }
        match section {
            // `  DOMAIN: SUBDOMAIN`, whose file has the document root.
            "addon_domains" => {
                if let Some((domain, sub)) = line.trim().split_once(':') {
                    named.push((domain.trim().to_owned(), sub.trim().to_owned()));
                }
            }
            "sub_domains" => subdomains.extend(line.trim().strip_prefix('-').map(|name| name.trim().to_owned())),
            _ => {}
        }
    }
    // An addon domain has one of them to itself.
    subdomains.retain(|name| !named.iter().any(|(_, file)| file == name));
    named.extend(subdomains.into_iter().map(|name| (name.clone(), name)));
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_domain_of_an_account_is_told_once() {
        let main = "---\naddon_domains: \n  example.com: example.main.net\nmain_domain: main.net\nparked_domains:\n  - parked.net\n\
                    sub_domains: \n  - example.main.net\n  - blog.main.net\n- shop.main.net\n";
        let names: Vec<String> = domains(main).into_iter().map(|(name, file)| format!("{name} {file}")).collect();
        assert_eq!(
            names,
            [
                "example.com example.main.net",
                "main.net main.net",
                "blog.main.net blog.main.net",
                "shop.main.net shop.main.net"
            ]
        );
    }
}
