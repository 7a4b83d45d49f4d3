//! HestiaCP and Vesta, a user's backup: a plain tar with an archive a domain, `web/DOMAIN/domain_data.tar.zst`, and a dump a database. The
//! databases are the user's: which one is the domain's only its own configuration says. Accounts, keys and mail are never unpacked.

use super::{Answered, Asked, NO_DATABASE, Tool, schema_in};
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
        let schema = schema_in(listing, &root);
        let dump = asked.dump(|| listing.dump(Some(&root), schema.as_deref(), true))?;
        let mut places = Places::of(self.name()).and_inside(&archive).with(&root, Rule::Site(RelPath::default()));
        if let Some(dump) = &dump {
            places = places.with(dump, Rule::Dump);
        }
        let mut lacks = vec![
            "Events of the database are not in it. Virtual hosts are the panel's to make, and are not restored."
                .to_owned(),
        ];
        match (&schema, &dump) {
            (Some(schema), Some(dump)) => lacks.push(crate::text::printable(&format!(
                "Its configuration names the database {schema}: {dump} is taken."
            ))),
            _ => lacks.push(NO_DATABASE.to_owned()),
        }
        Ok(Answered {
            places: vec![places],
            root: Some((0, root)),
            files: true,
            dump: dump.is_some(),
            extent: asked.extent_of_panel(),
            lacks,
            ..Answered::default()
        })
    }
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
