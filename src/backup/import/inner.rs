//! Archives in a folder or an archive that holds nothing of a site beside them: `public_html.zip` and `db.sql.zip`, as file managers of
//! panels and people make them. Each is looked into where it lies: one has the files, and one may have the dump.

use super::{MAX_DIRECTORIES, about, dump_in, list, sniffed};
use crate::archive::{self, Codec, Entries, Lies, Limits, Tail, ZipReader};
use crate::backup::folder::require_own;
use crate::backup::layout::places::{Places, Rule};
use crate::backup::source::{Container, Part, Role, Source};
use crate::backup::survey::{Listing, stem};
use crate::backup::tool::{Asked, any};
use crate::error::{Code, Error, IoContext, Result};
use crate::host::tree;
use crate::path::RelPath;
use crate::text::{few, printable};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Most archives that are looked into.
const MOST: usize = 20;

/// What was found in them.
pub(super) struct Inner {
    /// The archive with the files.
    pub files: Part,
    /// What has the dump, with the databases that it names.
    pub dump: Option<(Part, Vec<String>)>,
    /// What is said of it, as sentences.
    pub said: Vec<String>,
}

/// Where the dump lies: in which of the archives, or beside them.
struct Dump {
    part: Part,
    databases: Vec<String>,
    shown: String,
}

/// The archives in the only part of a backup that hold a site; `None` where that part holds one itself, or no archive that can be looked into.
///
/// # Errors
/// `backup_layout_unknown` where several may be it; what reading them meets.
pub(super) fn of(asked: &Asked, source: &Source, part: &Part, limits: Limits) -> Result<Option<Inner>> {
    let [listing] = asked.listings else { return Ok(None) };
    let is_else = asked.import.root.is_some() || asked.told_dump()?.is_some() || part.role == Role::Dump;
    if is_else || listing.archives.is_empty() || !any::holds_no_site(asked)? {
        return Ok(None);
    }
    let spent = limits.less(listing.spent);
    let archives = opened(part, listing, limits)?;
    if archives.len() < listing.archives.len() {
        return Ok(None);
    }
    let parts: Vec<Part> = archives.iter().map(|(_, part)| part.clone()).collect();
    let listings = list(source, &parts, &[], spent)?;
    let wants_dump = asked.database && !asked.has_dump_beside();
    let (mut sites, mut dumps, mut others, mut of_pages) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((path, part), listing) in archives.iter().zip(&listings) {
        let shown = printable(&path.to_string());
        let of_one = Asked { listings: std::slice::from_ref(listing), ..*asked };
        if listing.is_dump {
            let databases = listing.databases.values().next().cloned().unwrap_or_default();
            dumps.push(Dump { part: part.clone(), databases, shown });
        } else if any::holds_no_site(&of_one)? {
            match dump_in(part.clone(), listing).map_err(|error| about(&part.path, error)) {
                Ok(Some((part, databases))) => dumps.push(Dump { part, databases, shown }),
                Err(error) if wants_dump => return Err(error),
                _ => others.push(shown),
            }
        } else if any::is_of_application(&of_one, listing)?
            || is_of_a_site(asked, path)
            || !any::inner(&of_one)?.is_empty()
        {
            sites.push(Found { shown, part, listing });
        } else {
            of_pages.push(path);
        }
    }
    if let (true, Some(archive)) = (sites.is_empty(), of_pages.first()) {
        return Err(any::of_pages_alone(archive, &[]));
    }
    others.extend(of_pages.iter().map(|path| printable(&path.to_string())));
    let has_several = sites.len() > 1;
    let Some(Found { shown, part: files, listing: own }) = chosen(asked, sites)? else { return Ok(None) };
    let mut said = vec![format!("Its files are those of {shown}.")];
    if !others.is_empty() {
        said.push(format!("Beside that it holds {}: not restored.", few(&others)));
    }
    for dump in listing.dumps.iter().chain(listing.untold.iter().filter(|_| listing.dumps.is_empty())) {
        let mut part = part.clone().placed(Arc::new(Places::of("dump").with(dump, Rule::Dump)));
        part.role = Role::Files;
        let databases = listing.databases.get(dump).cloned().unwrap_or_default();
        dumps.push(Dump { part, databases, shown: printable(&dump.to_string()) });
    }
    let inside = match wants_dump {
        true => {
            let root = own.root(&asked.sites()).ok().flatten().map(|(root, _)| root);
            own.dump(root.as_ref(), None, false).ok().flatten()
        }
        false => None,
    };
    // Beside several sites the only dump may be another one's.
    let is_called = |dump: &Dump| asked.sites().iter().any(|site| is_named(&dump.shown, site));
    let dump = match (dumps.as_slice(), &inside) {
        _ if !wants_dump => None,
        ([], _) => None,
        ([dump], None) if !has_several || is_called(dump) => dumps.pop(),
        (_, inside) => {
            let mut names: Vec<String> = dumps.iter().map(|dump| dump.shown.clone()).collect();
            names.extend(inside.as_ref().map(|dump| format!("{shown}/{}", printable(&dump.to_string()))));
            let message = match names.as_slice() {
                [only] => format!("it holds several sites and one dump, {only}, which is called like none of them"),
                many => format!("it holds {} dumps: {}", many.len(), few(&names)),
            };
            return Err(Error::new(Code::BackupLayoutUnknown, message)
                .hint("Unpack it, and name the archive of the files by `--from` and the dump by `--dump`.")
                .with("dumps", names));
        }
    };
    said.extend(dump.as_ref().map(|dump| format!("Its dump is {}.", dump.shown)));
    Ok(Some(Inner { files: files.clone(), dump: dump.map(|dump| (dump.part, dump.databases)), said }))
}

/// An archive that holds a site.
struct Found<'a> {
    shown: String,
    part: &'a Part,
    listing: &'a Listing,
}

/// The one of several archives of sites that is meant.
fn chosen<'a>(asked: &Asked, mut sites: Vec<Found<'a>>) -> Result<Option<Found<'a>>> {
    if sites.len() < 2 {
        return Ok(sites.pop());
    }
    let names: Vec<String> = sites.iter().map(|site| site.shown.clone()).collect();
    let wanted = asked.sites();
    sites.retain(|found| wanted.iter().any(|site| is_named(&found.shown, site)));
    match sites.len() {
        1 => Ok(sites.pop()),
        _ => {
            let message = format!("it holds {} archives that look like a site: {}", names.len(), few(&names));
            Err(Error::new(Code::BackupLayoutUnknown, message)
                .hint("Say which one: `--site NAME` (\"site\" in `backup`), the name of its file.")
                .with("sites", names))
        }
    }
}

/// What archives of a document root are called.
const ROOTS: [&str; 8] = ["public_html", "public", "htdocs", "httpdocs", "html", "www", "web", "site"];

/// Whether an archive is called as those of sites are, or as the site itself.
fn is_of_a_site(asked: &Asked, path: &RelPath) -> bool {
    let shown = path.to_string();
    ROOTS.into_iter().chain(asked.sites()).any(|name| is_named(&shown, name))
}

/// Whether a file is called as a site is; behind the name may stand a date. `example.co.uk.zip` is not that of `example.co`.
fn is_named(file: &str, site: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    match name.strip_prefix(&site.to_ascii_lowercase()).map(|rest| stem(rest.as_bytes())) {
        Some([]) => true,
        Some([b'-' | b'_' | b'.', first, ..]) => first.is_ascii_digit(),
        _ => false,
    }
}

/// The archives that can be read where they lie: those in a folder, and zips in a zip or in a tar that is not compressed.
fn opened(part: &Part, listing: &Listing, limits: Limits) -> Result<Vec<(RelPath, Part)>> {
    let mut found = Vec::new();
    let wanted = |path: &RelPath| listing.archives.contains(path);
    let kept = Arc::new(AtomicU64::new(MAX_DIRECTORIES));
    let named = |error: Error| part.named(error);
    let zip = |path: &RelPath, lies: Lies| {
        let name = path.to_string();
        (path.clone(), part.of_inside(&name, lies, Tail::new(&kept)))
    };
    let is_zip = |path: &RelPath| path.last_name().to_ascii_lowercase().ends_with(b".zip");
    match part.container {
        Container::Folder => {
            for path in listing.archives.iter().take(MOST) {
                let (around, name) = path.split_last().unwrap_or_default();
                let folder = tree::open_folder_beneath(part.folder(), &around)?;
                let around = part.path.join(around.as_path());
                let inner = Part::open_in(folder.as_fd(), &around, &RelPath::parse(name)?, Role::Archive)?;
                let shown = || format!("look at {path}");
                let (there, file) =
                    (rustix::fs::fstat(&folder).doing(shown)?, rustix::fs::fstat(inner.folder()).doing(shown)?);
                require_own(&there, &file, &path.to_string())?;
                found.push((path.clone(), sniffed(inner.opened_by(part.password()), &folder)?));
            }
        }
        Container::Zip if !part.is_inside() => {
            let mut reader =
                ZipReader::open(part.bytes(&Arc::default()), limits, part.password()).map_err(named)?.names_only();
            while let Some(entry) = reader.next_entry().map_err(named)? {
                let Ok(path) = RelPath::parse(archive::from_top(&entry.path)) else { continue };
                if let Some(lies) = reader.lies().filter(|_| wanted(&path) && is_zip(&path) && found.len() < MOST) {
                    found.push(zip(&path, lies));
                }
            }
        }
        Container::Tar if part.codec == Codec::None && part.is_plain() => {
            let mut reader = archive::open_recorded(part.reader(), limits, None).map_err(named)?.with_lost_links();
            while let Some(entry) = reader.next_entry().map_err(named)? {
                let Ok(path) = RelPath::parse(archive::from_top(&entry.path)) else { continue };
                if wanted(&path) && is_zip(&path) && entry.segments.is_none() && found.len() < MOST {
                    let start = reader.offset();
                    let lies = Lies { start, end: start + entry.size, deflated: false, size: entry.size, crc: 0 };
                    found.push(zip(&path, lies));
                }
            }
        }
        _ => {}
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_a_sites_by_its_whole_name() {
        for (file, site, is) in [
            ("a/shop.example.zip", "shop.example", true),
            ("Shop.Example-2025-01-02.tar.gz", "shop.example", true),
            ("shop.example_20250102.sql.gz", "shop.example", true),
            ("shop.example", "shop.example", true),
            ("example.co.uk.zip", "example.co", false),
            ("shop.example-staging.zip", "shop.example", false),
            ("shop.example.old.zip", "shop.example", false),
            ("myshop.example.zip", "shop.example", false),
        ] {
            assert_eq!(is_named(file, site), is, "{file} {site}");
        }
    }
}
