//! Archives in a folder or an archive that holds nothing of a site beside them: `public_html.zip` and `db.sql.zip`, as file managers of
//! panels and people make them. Each is looked into where it lies: one has the files, and one may have the dump.

use super::{MAX_DIRECTORIES, about, dump_in, list, sniffed};
use crate::archive::{self, Codec, Entries, Lies, Limits, Tail, ZipReader};
use crate::backup::folder::require_own;
use crate::backup::layout::places::{Places, Rule};
use crate::backup::source::{Container, Part, Role, Source};
use crate::backup::survey::Listing;
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
    let (mut sites, mut dumps, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for ((path, part), listing) in archives.iter().zip(&listings) {
        let shown = printable(&path.to_string());
        let one = std::slice::from_ref(listing);
        if listing.is_dump {
            let databases = listing.databases.values().next().cloned().unwrap_or_default();
            dumps.push(Dump { part: part.clone(), databases, shown });
        } else if any::holds_no_site(&Asked { listings: one, ..*asked })? {
            match dump_in(part.clone(), listing).map_err(|error| about(&part.path, error))? {
                Some((part, databases)) => dumps.push(Dump { part, databases, shown }),
                // A site of which nothing tells that it is one may be the only archive.
                None => others.push((shown, part)),
            }
        } else {
            sites.push((shown, part));
        }
    }
    if let (true, [_]) = (sites.is_empty(), others.as_slice()) {
        sites.append(&mut others);
    }
    let (shown, files) = match chosen(asked, sites)? {
        Some(chosen) => chosen,
        None => return Ok(None),
    };
    let mut said = vec![format!("Its files are those of {shown}.")];
    if !others.is_empty() {
        said.push(format!("Beside that it holds {}: not restored.", few(others.into_iter().map(|(shown, _)| shown))));
    }
    for dump in listing.dumps.iter().chain(listing.untold.iter().filter(|_| listing.dumps.is_empty())) {
        let mut part = part.clone().placed(Arc::new(Places::of("dump").with(dump, Rule::Dump)));
        part.role = Role::Files;
        let databases = listing.databases.get(dump).cloned().unwrap_or_default();
        dumps.push(Dump { part, databases, shown: printable(&dump.to_string()) });
    }
    let dump = match dumps.len() {
        _ if asked.has_dump_beside() => None,
        0 | 1 => dumps.pop(),
        _ if !asked.database => None,
        many => {
            let names: Vec<String> = dumps.iter().map(|dump| dump.shown.clone()).collect();
            let message = format!("it holds {many} dumps: {}", few(&names));
            return Err(Error::new(Code::BackupLayoutUnknown, message)
                .hint("Unpack it, and name the archive of the files by `--from` and the dump by `--dump`.")
                .with("dumps", names));
        }
    };
    said.extend(dump.as_ref().map(|dump| format!("Its dump is {}.", dump.shown)));
    Ok(Some(Inner { files: files.clone(), dump: dump.map(|dump| (dump.part, dump.databases)), said }))
}

/// The one of several archives of sites that is meant.
fn chosen<'a>(asked: &Asked, mut sites: Vec<(String, &'a Part)>) -> Result<Option<(String, &'a Part)>> {
    if sites.len() < 2 {
        return Ok(sites.pop());
    }
    let is_called = |shown: &str, site: &str| {
        let name = shown.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let rest = name.strip_prefix(&site.to_ascii_lowercase());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
    };
    let names: Vec<String> = sites.iter().map(|(shown, _)| shown.clone()).collect();
    let wanted = asked.sites();
    sites.retain(|(shown, _)| wanted.iter().any(|site| is_called(shown, site)));
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
                let Ok(path) = RelPath::parse(&entry.path) else { continue };
                if let Some(lies) = reader.lies().filter(|_| wanted(&path) && is_zip(&path) && found.len() < MOST) {
                    found.push(zip(&path, lies));
                }
            }
        }
        Container::Tar if part.codec == Codec::None && part.is_plain() => {
            let mut reader = archive::open_recorded(part.reader(), limits, None).map_err(named)?.with_lost_links();
            while let Some(entry) = reader.next_entry().map_err(named)? {
                let Ok(path) = RelPath::parse(&entry.path) else { continue };
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
