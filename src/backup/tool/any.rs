//! Any archive with any dump: made by hand, by a script, by a hoster. The site is found by its own files, or told.

pub use super::overlay::parts;
use super::overlay::{self, Overlay};
use super::{Answered, Asked, NO_DATABASE, Tool, schema_in};
use crate::backup::extent::Extent;
use crate::backup::layout::Holds;
use crate::backup::layout::places::{Places, Rule};
use crate::backup::survey::{self, Listing, Mark, is_tar};
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

    fn inner(&self, asked: &Asked) -> Result<Vec<RelPath>> {
        inner(asked)
    }

    fn answer(&self, asked: &Asked) -> Result<Answered> {
        let mut answered = answer(self.name(), asked, None)?;
        let Some(archive) = asked.inner.first() else { return Ok(answered) };
        require_application(asked, archive)?;
        let said = format!("Its files are those of {archive}, the only archive in it.");
        answered.lacks.push(crate::text::printable(&said));
        Ok(answered)
    }
}

/// An archive beside a dump may be of anything that has a page, as `phpmyadmin.tar.gz` is.
///
/// # Errors
/// `backup_layout_unknown` where nothing in it is of an application, and nobody named a folder of it.
fn require_application(asked: &Asked, archive: &RelPath) -> Result<()> {
    let listing = &asked.listings[0];
    let is_in = |path: &RelPath| path.strip_prefix(archive).is_some();
    // Marks of an archive that was looked into lie in it.
    if asked.import.root.is_some() || is_of_application(asked, listing)? {
        return Ok(());
    }
    let mut roots: Vec<RelPath> = Vec::new();
    for (path, _) in listing.marks.iter().filter(|(path, _)| is_in(path)) {
        if !roots.iter().any(|above| path.strip_prefix(above).is_some()) {
            roots.push(path.clone());
        }
    }
    Err(of_pages_alone(archive, &roots))
}

/// Whether what was looked through is of an application that is known, and not pages alone.
///
/// # Errors
/// Those of looking for the site.
pub fn is_of_application(asked: &Asked, listing: &Listing) -> Result<bool> {
    let is_one = |(_, mark): &(RelPath, Mark)| *mark != Mark::Page;
    Ok(listing.marks.iter().any(is_one) || overlay_of_top(asked, listing)?.is_some())
}

/// The error of an archive that has pages, and nothing that tells whose. `roots`: the folders in it that have some.
pub fn of_pages_alone(archive: &RelPath, roots: &[RelPath]) -> Error {
    let names: Vec<String> = roots.iter().map(|root| crate::text::printable(&root.to_string())).collect();
    let shown = crate::text::printable(&archive.to_string());
    let message =
        format!("the archive in it, {shown}, holds no application that is known: it may be none of the site's");
    let way = match names.is_empty() {
        false => format!("name the folder in it: `--root {shown}/FOLDER` (\"root\" in `backup`)."),
        true => "take it out, and name it by `--from` and the dump by `--dump`; or call it public_html.zip.".into(),
    };
    Error::new(Code::BackupLayoutUnknown, message).hint(format!("Where it is the site's, {way}")).with("roots", names)
}

/// The archive that has the files, where nothing around it looks like a site and there is no other.
///
/// # Errors
/// Those of looking for the site.
pub fn inner(asked: &Asked) -> Result<Vec<RelPath>> {
    let [listing] = asked.listings else { return Ok(Vec::new()) };
    // Beside others it may be anything's.
    if listing.archives.len() > 1 && asked.import.root.is_none() {
        return Ok(Vec::new());
    }
    let mut tars = listing.names.iter().filter(|(path, is_folder)| !**is_folder && is_tar(path.last_name()));
    let (Some((only, _)), None) = (tars.next(), tars.next()) else { return Ok(Vec::new()) };
    let is_around = match &asked.import.root {
        Some(root) => RelPath::parse(root.as_bytes())?.strip_prefix(only).is_none(),
        None => listing.root(&asked.sites())?.is_some() || overlay_of_top(asked, listing)?.is_some(),
    };
    Ok(if is_around { Vec::new() } else { vec![only.clone()] })
}

/// Whether the only part holds nothing of a site, neither beside archives nor in the only one.
///
/// # Errors
/// Those of looking for the site.
pub fn holds_no_site(asked: &Asked) -> Result<bool> {
    let [listing] = asked.listings else { return Ok(false) };
    // Several that look like a site are asked for where they are.
    let has_site = listing.root(&asked.sites()).map_or(true, |root| root.is_some());
    Ok(!has_site && overlay_of_top(asked, listing)?.is_none() && inner(asked)?.is_empty())
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
        // Beside the content of a site whose core is not there is nothing of an application.
        let content = root.filter(|root| overlay::is_wordpress(listing, root)).map(|root| root.join(b"wp-content"));
        listing.dump(content.as_ref().or(root), schema.as_deref(), by_name)
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
    let is_told = root.is_some();
    let found = match root {
        Some(root) => Some(root),
        None => match listing.root(&asked.sites())? {
            Some((root, _)) => Some(site_below(asked, listing, root)?),
            None => None,
        },
    };
    let dump = asked.dump(|| dump(found.as_ref()))?;
    let mut places = asked.inner.iter().fold(Places::of(tool), Places::and_inside);
    let overlay = match &found {
        // A content folder has pages, which only say that nobody is to see it.
        Some(root) if !is_told && !listing.is(root, Mark::Application) && !listing.is(root, Mark::Configuration) => {
            match overlay::of_content(asked, listing) {
                None => overlay::of(asked, listing, root, is_told)?,
                content => content,
            }
        }
        Some(root) => overlay::of(asked, listing, root, is_told)?,
        None => overlay_of_top(asked, listing)?,
    };
    if let Some(root) = &found {
        answered.root = Some((0, root.clone()));
    }
    if let Some(overlay) = overlay {
        if overlay.parts.is_empty() {
            let message = "it holds a part of WordPress's core and nothing of a site";
            return Err(Error::new(Code::BackupLayoutUnknown, message)
                .hint("Choose another backup, or say which folder is the document root: `--root FOLDER`."));
        }
        places = overlay.places.iter().fold(places, |places, (path, at)| places.with(path, Rule::Site(at.clone())));
        (answered.holds, answered.parts) = (overlay.holds, Some(overlay.parts));
        answered.lacks.extend(overlay.lacks);
        answered.files = true;
    } else if let Some(root) = &found {
        places = places.with(root, Rule::Site(RelPath::default()));
        // Of an application whose pages lie in a folder of their own the live site says where that is.
        let is_around = root.join(asked.site.root_in_folder().as_bytes());
        if !asked.site.root_in_folder().is_root() && listing.has(&is_around) && !listing.is(root, Mark::Page) {
            answered.holds = Some(Holds::SiteFolder);
        }
        // Where it lies beside the document root, or was left out for its secrets, a site without it is none.
        let is_wordpress = listing.is(root, Mark::Application) && listing.cores.contains(root);
        if is_wordpress && !listing.is(root, Mark::Configuration) && asked.live_prefix.is_some() {
            answered.keeps.push("wp-config.php".to_owned());
            answered.lacks.push("Its document root has no wp-config.php: that of the live site stays.".to_owned());
        }
        for (name, said) in overlay::left_out(asked, listing, root) {
            answered.keeps.push(name.to_owned());
            answered.lacks.push(said);
        }
        answered.files = true;
    }
    if let Some(dump) = &dump {
        places = places.with(dump, Rule::Dump);
        answered.dump = true;
    }
    if !answered.files && dump.is_some() && holds_more(listing, dump.as_ref()) {
        if !listing.archives.is_empty() && asked.told_dump()?.is_none() {
            return Err(unread(
                listing,
                "Where the dump alone is meant, name it as it lies in it: `--dump PATH/INSIDE`.",
            ));
        }
        let said = "Nothing in it looks like a site: what it holds beside the dump is not restored. `--root FOLDER` says which folder is the document root.".to_owned();
        answered.lacks.push(said);
    }
    if dump.is_none() && !asked.has_dump_beside() && asked.database {
        answered.lacks.extend(listing.unread.first().map(|dump| {
            let dump = crate::text::printable(&dump.to_string());
            format!("{dump} in it is no dump that is read as it is: the live database stays. Unpack or decrypt it, and name what comes of it: `--dump FILE`.")
        }));
    }
    if !answered.files && dump.is_none() && !asked.has_dump_beside() && !listing.is_dump {
        let tops: Vec<String> = listing
            .inside(&RelPath::default())
            .take(10)
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        let names = crate::text::printable(&tops.join(", "));
        if !listing.archives.is_empty() {
            return Err(unread(listing, "Or name the one with the files by `--from`, and the dump by `--dump`."));
        }
        return Err(Error::new(
            Code::BackupLayoutUnknown,
            format!("nothing in it looks like a site or a dump; at its top are {names}"),
        )
        .hint("Say which folder is the document root: `--root FOLDER` (\"root\" in `backup`; `.` is its top).")
        .with("names", tops));
    }
    let has_settings = found.is_some_and(|root| listing.is(&root, Mark::Configuration));
    answered.extent = if answered.parts.is_none() || has_settings { Extent::Unknown } else { Extent::Part };
    answered.places.push(places);
    Ok(answered)
}

/// The error of archives of which none is known to have the files. `or`: the other way out.
fn unread(listing: &Listing, or: &str) -> Error {
    let archives: Vec<String> = listing.archives.iter().map(ToString::to_string).collect();
    let few = crate::text::printable(&crate::text::few(&archives));
    let message =
        format!("it holds archives in which no site was found, or which cannot be read where they lie: {few}");
    Error::new(Code::BackupLayoutUnknown, message)
        .hint(format!("Unpack it, and name the folder with them. {or}"))
        .with("archives", archives)
}

/// The folder in which the site is: below its `wp-config.php`, where WordPress looks for that beside its folder, too.
///
/// # Errors
/// `backup_layout_unknown` listing the folders where several are below it.
fn site_below(asked: &Asked, listing: &Listing, root: RelPath) -> Result<RelPath> {
    if [Mark::Application, Mark::Page, Mark::Content].into_iter().any(|mark| listing.is(&root, mark)) {
        return Ok(root);
    }
    let inner = asked.site.root_in_folder();
    let cores = listing.cores_in(&root);
    if !inner.is_root() && listing.has(&root.below(&inner)) && !cores.is_empty() {
        return Ok(root);
    }
    match (cores.as_slice(), listing.applications_in(&root).as_slice()) {
        ([only], _) | ([], [only]) => Ok(only.clone()),
        ([], _) => Ok(root),
        (several, _) => Err(survey::which_root(several.iter())),
    }
}

/// Parts of a site in an archive in which no folder looks like one.
fn overlay_of_top(asked: &Asked, listing: &Listing) -> Result<Option<Overlay>> {
    if let Some(content) = overlay::of_content(asked, listing) {
        return Ok(Some(content));
    }
    let tops = [Some(RelPath::default()), super::only_top(listing)];
    for top in tops.into_iter().flatten() {
        if let Some(overlay) = overlay::of(asked, listing, &top, false)? {
            return Ok(Some(overlay));
        }
    }
    Ok(None)
}

fn holds_more(listing: &Listing, dump: Option<&RelPath>) -> bool {
    listing.names.iter().any(|(path, is_folder)| !is_folder && Some(path) != dump)
}
