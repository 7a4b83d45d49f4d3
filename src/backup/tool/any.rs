//! Any archive with any dump: made by hand, by a script, by a hoster. The site is found by its own files, or told.

use super::{Answered, Asked, NO_CORE, NO_DATABASE, Tool, schema_in};
use crate::backup::extent::Extent;
use crate::backup::layout::Holds;
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::{Listing, Mark};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;

/// For all that no other tool knows.
pub struct Any;

impl Tool for Any {
    fn name(&self) -> &'static str {
        "archive"
    }

    fn made(&self, _: &[Listing]) -> bool {
        true
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        answer(self.name(), asked, None)
    }
}

/// The answer for the first part; `root` is the document root, where the tool knows it.
pub fn answer(tool: &'static str, asked: &Asked, root: Option<RelPath>) -> Result<Answered> {
    answer_by(tool, asked, root, asked.listings[0].holds_several())
}

/// The same; `by_name`: a dump in it may be another site's.
pub fn answer_by(tool: &'static str, asked: &Asked, root: Option<RelPath>, by_name: bool) -> Result<Answered> {
    let listing = &asked.listings[0];
    let root = asked.told_root(listing)?.or(root);
    let mut answered = answer_of(tool, asked, root, |root| {
        let schema = root.and_then(|root| schema_in(listing, root));
        listing.dump(root, schema.as_deref(), by_name)
    })?;
    if by_name && !answered.dump && !asked.has_dump_beside() && !listing.dumps.is_empty() {
        answered.lacks.push(NO_DATABASE.to_owned());
    }
    Ok(answered)
}

/// The same, where the tool has asked for the root that was told, and knows which dump is the site's in the folder that it is handed.
pub fn answer_of(
    tool: &'static str,
    asked: &Asked,
    root: Option<RelPath>,
    dump: impl FnOnce(Option<&RelPath>) -> Result<Option<RelPath>>,
) -> Result<Answered> {
    let listing = &asked.listings[0];
    let mut answered = Answered::default();
    let found = match root {
        Some(root) => {
            let here = |mark: Mark| listing.marks.contains(&(root.clone(), mark));
            let content = here(Mark::Content) && !here(Mark::Application) && !here(Mark::Page);
            Some((root, if content { Mark::Content } else { Mark::Application }))
        }
        None => listing.root(&asked.sites())?,
    };
    let dump = asked.dump(|| dump(found.as_ref().map(|(root, _)| root)))?;
    let mut places = Places::of(tool);
    if let Some((root, mark)) = &found {
        if *mark == Mark::Content {
            let content = root.join(b"wp-content");
            let inside = RelPath::parse(b"wp-content")?;
            places = places.with(&content, Rule::Site(inside.clone()));
            answered.parts = Some(parts(listing, &content, &inside, &[]));
            answered.lacks.push(NO_CORE.to_owned());
        } else {
            places = places.with(root, Rule::Site(RelPath::default()));
        }
        // Of an application whose pages lie in a folder of their own the live site says where that is.
        let is_around = root.join(asked.site.root_in_folder().as_bytes());
        if !asked.site.root_in_folder().is_root()
            && listing.has(&is_around)
            && !listing.marks.contains(&(root.clone(), Mark::Page))
        {
            answered.holds = Some(Holds::SiteFolder);
        }
        answered.files = true;
        answered.root = Some((0, root.clone()));
    }
    if let Some(dump) = &dump {
        places = places.with(dump, Rule::Dump);
        answered.dump = true;
    }
    if found.is_none() && dump.is_none() && !asked.has_dump_beside() && !listing.is_dump {
        let tops: Vec<String> = listing
            .inside(&RelPath::default())
            .take(10)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let names = crate::text::printable(&tops.join(", "));
        return Err(Error::new(
            Code::BackupLayoutUnknown,
            format!("nothing in it looks like a site or a dump; at its top are {names}"),
        )
        .hint("Say which folder is the document root: `--root FOLDER` (\"root\" in `backup`; `.` is its top).")
        .with("names", tops));
    }
    answered.extent = if answered.parts.is_none() { Extent::Unknown } else { Extent::Part };
    answered.places.push(places);
    Ok(answered)
}

/// What lies in a folder, as parts of the site; `without` are names that are none.
pub fn parts(listing: &Listing, folder: &RelPath, at: &RelPath, without: &[&[u8]]) -> Vec<String> {
    let names = listing.inside(folder).filter(|name| !without.contains(name));
    names.map(|name| at.join(name).as_pattern()).collect()
}
