//! HestiaCP and Vesta, a user's backup: a plain tar with an archive a domain, `web/DOMAIN/domain_data.tar.zst`, and a dump a database. The
//! databases are the user's: which one is the domain's only its own configuration says. Accounts, keys and mail are never unpacked.

use super::{Answered, Asked, NO_DATABASE, Tool, schema_in};
use crate::backup::layout::Holds;
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::Listing;
use crate::error::{Code, Error, Result};
use crate::path::RelPath;

/// Both panels.
pub struct Hestia;

impl Tool for Hestia {
    fn name(&self) -> &'static str {
        "hestia"
    }

    fn made(&self, listings: &[Listing]) -> bool {
        let [listing] = listings else { return false };
        let has = |name: &[u8]| RelPath::parse(name).is_ok_and(|path| listing.has(&path));
        has(b"pam") && (has(b"hestia/user.conf") || has(b"vesta/user.conf"))
    }

    fn inner(&self, asked: &Asked) -> Result<Vec<RelPath>> {
        archive(asked).map(|archive| vec![archive])
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let listing = &asked.listings[0];
        let archive = archive(asked)?;
        let root = match &asked.import.root {
            Some(root) => archive.below(&RelPath::parse(root.as_bytes())?),
            None => archive.join(b"public_html"),
        };
        let custom = if asked.import.root.is_none() { custom_root(asked, &archive)? } else { None };
        let (root, holds) = match custom {
            // The live site has it in the same folder of an application.
            Some(custom) if custom == root.below(&asked.site.root_in_folder()) && custom != root => {
                (root, Some(Holds::SiteFolder))
            }
            Some(custom) => (custom, None),
            None => (root, None),
        };
        // Of an application the settings lie beside the folder of its pages.
        let schema = schema_in(listing, &root).or_else(|| schema_in(listing, &root.split_last()?.0));
        let dump = asked.dump(|| listing.dump(Some(&root), schema.as_deref(), true))?;
        let mut places = Places::of(self.name()).and_inside(&archive).with(&root, Rule::Site(RelPath::default()));
        if let Some(dump) = &dump {
            places = places.with(dump, Rule::Dump);
        }
        let mut lacks = vec![
            "Events of the database are not in it. Virtual hosts are the panel's to make, and are not restored."
                .to_owned(),
        ];
        if let Some(inside) = root.strip_prefix(&archive).filter(|inside| inside.as_bytes() != b"public_html") {
            lacks.push(crate::text::printable(&format!(
                "Its document root is {inside}, as the panel has it: what lies around it is not restored."
            )));
        }
        match (&schema, &dump) {
            (Some(schema), Some(dump)) => lacks.push(crate::text::printable(&format!(
                "Its configuration names the database {schema}: {dump} is taken."
            ))),
            _ => lacks.push(NO_DATABASE.to_owned()),
        }
        Ok(Answered {
            places: vec![places],
            root: Some((0, root)),
            holds,
            files: true,
            dump: dump.is_some(),
            extent: asked.extent_of_panel(),
            lacks,
            ..Answered::default()
        })
    }
}

/// The document root that the panel was told, where it is not the usual one.
///
/// # Errors
/// `backup_incomplete` where it is not there, `backup_layout_unknown` where it is another domain's.
fn custom_root(asked: &Asked, archive: &RelPath) -> Result<Option<RelPath>> {
    let listing = &asked.listings[0];
    let around = archive.split_last().unwrap_or_default().0;
    let text =
        [&b"hestia"[..], b"vesta"].iter().find_map(|name| listing.texts.get(&around.join(name).join(b"web.conf")));
    let Some(told) = text.and_then(|text| value(&String::from_utf8_lossy(text), "CUSTOM_DOCROOT")) else {
        return Ok(None);
    };
    let domain = String::from_utf8_lossy(around.last_name()).into_owned();
    let shown = crate::text::printable(&told);
    let shown_domain = crate::text::printable(&domain);
    // `/home/USER/web/DOMAIN/public_html/public`
    let Some((_, inside)) = told.split_once(&format!("/web/{domain}/")) else {
        let message = format!("the document root of {shown_domain} is {shown}, which is not the domain's own");
        return Err(Error::new(Code::BackupLayoutUnknown, message)
            .hint("Restore the domain that it is of (`--site`), and name the folder by `--root`."));
    };
    let root = archive.below(&RelPath::parse(inside.as_bytes())?);
    if listing.holds(&root) {
        return Ok(Some(root));
    }
    let message = format!("the document root of {shown_domain} is {shown}, and its archive does not hold that folder");
    Err(Error::new(Code::BackupIncomplete, message).hint("Say which folder it is: `--root FOLDER`."))
}

/// The value of a key in lines of `KEY='value'`, where it is not empty.
fn value(text: &str, key: &str) -> Option<String> {
    let begin = format!("{key}='");
    let is_start = |at: &usize| text[..*at].chars().next_back().is_none_or(char::is_whitespace);
    let (at, _) = text.match_indices(&begin).find(|(at, _)| is_start(at))?;
    let value = text[at + begin.len()..].split(['\'', '\n']).next()?;
    Some(value.to_owned()).filter(|value| !value.is_empty())
}

fn archive(asked: &Asked) -> Result<RelPath> {
    let listing = &asked.listings[0];
    let data = |path: &&RelPath| {
        let names: Vec<&[u8]> = path.names().collect();
        matches!(names.as_slice(), [b"web", _, data] if data.starts_with(b"domain_data.tar"))
    };
    let archives: Vec<&RelPath> = listing.names.keys().filter(data).collect();
    let names: Vec<String> = archives
        .iter()
        .filter_map(|path| path.names().nth(1))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    if names.is_empty() {
        return Err(Error::new(Code::BackupIncomplete, "the user's backup holds no domain"));
    }
    let chosen = asked.choose(&names)?;
    let found = archives.iter().zip(&names).find(|(_, name)| *name == chosen);
    found.map(|(path, _)| (*path).clone()).ok_or_else(|| Error::new(Code::Internal, "no archive of the chosen domain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_the_whole_key() {
        let line = "DOMAIN='a.b' OLD_CUSTOM_DOCROOT='/x' CUSTOM_DOCROOT='/home/U1/web/a.b/public_html/public/' SSL=''";
        assert_eq!(value(line, "CUSTOM_DOCROOT").as_deref(), Some("/home/U1/web/a.b/public_html/public/"));
        assert_eq!(value(line, "SSL"), None);
        assert_eq!(value("CUSTOM_DOCROOT='cut", "CUSTOM_DOCROOT").as_deref(), Some("cut"));
    }
}
