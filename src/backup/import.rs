//! A backup that another program made, wherever it lies: opened once, looked through for what is in it, and placed. Only root names such a
//! path. What is checked of it: on the way to it links are followed that only the administrator can have made; it is a regular file or a
//! folder, no link; and what was opened is what is read to the end. Its content is a stranger's, whoever it belongs to.

mod database;
mod inner;
mod volumes;

use crate::api;
use crate::archive::{
    self, Codec, Entries, EntryKind, Limits, Password, Tail, ZipReader, daf, jpa, jps, seven_zip, wpress,
};
use crate::backup::dump_folder::DumpFolder;
use crate::backup::extent::Extent;
use crate::backup::folder::require_own;
use crate::backup::import::database::{Wanted, named_databases, only, renamed};
use crate::backup::import::volumes::{is_last_jps, is_of_jpa, number_of_7z, whole_7z, whole_jpa, whole_jps, whole_zip};
use crate::backup::kept_backups;
use crate::backup::layout::Holds;
use crate::backup::layout::places::{Places, Rule};
use crate::backup::name::{Kind, Stamp};
use crate::backup::settings::Settings;
use crate::backup::source::{Container, Foreign, Form, Part, Role, Source};
use crate::backup::survey::{ASIDE, Listing, dump_head, is_dump};
use crate::backup::tool::{self, Asked, Tool, aapanel, any, updraftplus, wpvivid};
use crate::config::{Config, administrator_file};
use crate::error::{Code, Error, IoContext, Result};
use crate::host::credentials::{self, SiteAccount};
use crate::host::site::Site;
use crate::host::tree::walk::Next;
use crate::host::{site_database, tree};
use crate::path::{Domain, RelPath};
use crate::text::{few, printable};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A tar header, and the checksum in it.
const BLOCK: usize = 512;
/// Most bytes of small files that are kept of one backup.
const MAX_TEXTS: usize = 64 << 20;
/// Most bytes of directories that are kept of archives in others.
const MAX_DIRECTORIES: u64 = 32 << 20;
/// What is said of a large dump in an archive.
const NOT_LOOKED: &str = "Its dumps were not looked through for databases to their end. Where the site's is missing among them, unpack the dump and name it: `--dump FILE`.";
/// So deep are archives in others looked into.
const MAX_LEVELS: usize = 3;
/// Most files of one backup.
const MAX_FILES: usize = 1_000;

/// Opens the backup of a request and finds out what is in it; `database`: the database is wanted.
///
/// # Errors
/// `path_not_allowed`, `unsafe_path`, `backup_not_found`, `backup_unreadable`; `backup_layout_unknown` where it holds no site, or several and
/// none was chosen; `backup_incomplete` where a part is missing; what reading it meets.
pub fn open(config: &Config, domain: &Domain, import: &api::Import, database: bool) -> Result<Source> {
    let site = Site::find(config, domain)?;
    let password = password(import)?;
    let password = password.as_ref();
    let mut parts = parts(&import.from, password, import.site.as_deref())?;
    let limits = Limits::from_config(&config.limits);
    let path = import.from.clone();
    let mut source = Source {
        form: Form::Backup,
        path: path.clone(),
        stamp: parts.first().and_then(|part| Stamp::of_second(part.identity.mtime)),
        kind: Kind::Full,
        parts: parts.clone(),
        layout: None,
        holds: Holds::DocumentRoot,
        site,
        passed_over: Vec::new(),
        foreign: None,
    };
    let named = |error: Error| about(&path, error);
    let mut listings = list(&source, &parts, &[], limits)?;
    let mut beside = None;
    if let Some(unfolded) = unfold(&parts, &listings, limits).map_err(named)? {
        parts.clone_from(&unfolded.parts);
        source.parts = unfolded.parts;
        beside = unfolded.beside;
        listings = list(&source, &parts, &[], limits)?;
    }
    let live = source.site.wp_config();
    let live_prefix = live.as_deref().and_then(credentials::table_prefix);
    let site = source.site.clone();
    let live_prefix = live_prefix.as_deref();
    let live_laravel = holds_artisan(&site);
    let mut import = import.clone();
    let (mut found_dump, mut said) = (None, Vec::new());
    // An archive in an archive in a folder.
    for _ in 0..MAX_LEVELS {
        let asked = Asked {
            listings: &listings,
            inner: &[],
            import: &import,
            site: &site,
            live_prefix,
            live_laravel,
            database,
        };
        let ([part], true) = (parts.as_slice(), tool::of(&listings).name() == any::Any.name()) else { break };
        let Some(inner) = inner::of(&asked, &source, part, limits).map_err(named)? else { break };
        if let Some((dump, databases)) = inner.dump {
            import.dump = Some(dump.path.clone());
            found_dump = Some((dump, databases));
        }
        said.extend(inner.said);
        parts = vec![inner.files];
        source.parts.clone_from(&parts);
        listings = list(&source, &parts, &[], limits)?;
    }
    let import = &import;
    let tool = tool::of(&listings);
    let asked = Asked { listings: &listings, inner: &[], import, site: &site, live_prefix, live_laravel, database };
    let inner = tool.inner(&asked).map_err(named)?;
    if !inner.is_empty() {
        listings = list(&source, &parts, &inner, limits)?;
    }
    let asked = Asked { listings: &listings, inner: &inner, import, site: &site, live_prefix, live_laravel, database };
    let answered = tool.answer(&asked).map_err(named)?;
    for (part, places) in parts.iter_mut().zip(answered.places) {
        // What Finder of macOS puts beside the files is none of them.
        let places = places.with(&RelPath::parse(ASIDE)?, Rule::Nothing);
        *part = part.clone().placed(Arc::new(places));
    }
    for at in answered.passed_over.iter().rev() {
        parts.remove(*at);
        listings.remove(*at);
    }
    parts.iter_mut().filter(|part| part.role == Role::Archive).skip(1).for_each(|part| part.role = Role::Files);
    let (mut keeps, mut lacks) = (answered.keeps, answered.lacks);
    lacks.extend(beside);
    lacks.extend(said);
    let mut dump = answered.dump || listings.iter().any(|listing| listing.is_dump);
    let mut databases = named_databases(&parts, &listings);
    let mut is_cut = !databases.is_empty() && listings.iter().any(|listing| listing.is_cut);
    if let Some(beside) = import.dump.as_ref().filter(|dump| dump.is_absolute()) {
        let (part, named) = match found_dump {
            Some(found) => found,
            None => dump_beside(config, &source, beside, password, import.site.as_deref())?,
        };
        parts.push(part);
        (dump, databases, is_cut) = (true, named, false);
    }
    if answered.files {
        let is_around = answered.holds == Some(Holds::SiteFolder);
        let target = if is_around { &source.site.folder } else { &source.site.root };
        let root = if is_around { source.site.root_in_folder() } else { RelPath::default() };
        for kept in kept_backups::kept(target, &root, &parts, &listings)? {
            keeps.push(kept.pattern()?);
            lacks.push(kept.sentence());
        }
    }
    if parts.iter().filter(|part| part.role == Role::Dump).count() > 1 {
        return Err(named(Error::new(Code::BadRequest, "it is a dump itself, and another one was named beside it")));
    }
    // The archive first: what it holds is what the backup is called after.
    parts.sort_by_key(|part| part.role == Role::Dump);
    let account = account(config, &source.site);
    let schema = answered.root.as_ref().and_then(|(at, root)| tool::schema_in(listings.get(*at)?, root));
    let wanted = Wanted {
        told: import.site.as_deref(),
        configured: schema.as_deref(),
        live: account.as_ref().map(|account| account.schema.as_str()),
        files: answered.files,
    };
    let schema = match wanted.of(&databases) {
        Err(_) if !database => None,
        chosen => chosen.map_err(|error| named(if is_cut { error.hint(NOT_LOOKED) } else { error }))?,
    };
    lacks.extend(is_cut.then(|| NOT_LOOKED.to_owned()));
    lacks.extend(schema.as_ref().map(|schema| wanted.said(schema, &databases)));
    let renaming = renamed(answered.renaming, import.prefix.as_deref(), live_prefix, schema).map_err(named)?;
    lacks.extend(renaming.as_ref().and_then(only));
    let settings = account.filter(|_| answered.files).map(Settings::of);
    let own_prefix = answered.root.as_ref().and_then(|(at, root)| {
        let text = listings.get(*at)?.texts.get(&root.join(b"wp-config.php"))?;
        Some(credentials::table_prefix(&String::from_utf8_lossy(text)).unwrap_or_default())
    });
    lacks.extend(parts.iter().filter_map(Part::dump_folder).map(|dump| dump.unsure().to_owned()));
    let choice = format!(
        "{} {:?} {:?} {:?} {} {renaming:?}",
        tool.name(),
        import.dump,
        import.root,
        import.site,
        settings.as_ref().map(Settings::word).unwrap_or_default(),
    );
    source.layout = Some(tool.name());
    source.holds = answered.holds.unwrap_or(Holds::DocumentRoot);
    source.parts = parts;
    source.foreign = Some(Box::new(Foreign {
        files: answered.files,
        dump,
        // Tables of another prefix are another site's, in the live database as well.
        extent: if import.prefix.is_some() { Extent::Part } else { answered.extent },
        parts: answered.parts,
        keeps,
        lacks,
        settings,
        own_prefix,
        live_prefix: live_prefix.map(str::to_owned),
        renaming,
        choice,
    }));
    Ok(source)
}

/// Whether the backup of a request is there and can be opened.
///
/// # Errors
/// As [`open`], without those of its content.
pub fn probe(config: &Config, domain: &Domain, import: &api::Import) -> Result<()> {
    Site::find(config, domain)?;
    password(import)?;
    open_at(&import.from)?;
    if let Some(dump) = import.dump.as_ref().filter(|dump| dump.is_absolute()) {
        open_at(dump)?;
    }
    Ok(())
}

/// The password in the file that a request names for it.
///
/// # Errors
/// `bad_request` where there is no such file, others may write to it, or it holds none.
fn password(import: &api::Import) -> Result<Option<Password>> {
    let Some(path) = &import.password_file else { return Ok(None) };
    let shown = path.display().to_string();
    let missing = || Error::new(Code::BadRequest, format!("{shown} does not exist")).with("path", shown.clone());
    let text = administrator_file::read(path, Code::BadRequest)?.ok_or_else(missing)?;
    let named = |error: Error| Error { message: format!("{shown}: {}", error.message), ..error };
    Password::of(&text).map(Some).map_err(named)
}

/// An error with the path of the backup in its message.
fn about(path: &Path, mut error: Error) -> Error {
    let shown = path.display().to_string();
    if !error.message.contains(&shown) {
        error.message = format!("{shown}: {}", error.message);
    }
    error.with("archive", shown)
}

/// Opens what lies at a path, and the folder around it.
fn open_at(path: &Path) -> Result<(Part, OwnedFd)> {
    if !path.is_absolute() {
        let message = format!("{} is not an absolute path", path.display());
        return Err(Error::new(Code::PathNotAllowed, message).with("path", path.display().to_string()));
    }
    let missing = || {
        let shown = path.display().to_string();
        Error::new(Code::BackupNotFound, format!("{shown} does not exist")).with("path", shown)
    };
    let (folder, name) = tree::open_around(path)?.ok_or_else(missing)?;
    let around = path.parent().unwrap_or(Path::new("/"));
    let part = Part::open_in(folder.as_fd(), around, &RelPath::parse(name.as_bytes())?, Role::Archive)?;
    let there = rustix::fs::fstat(&folder).doing(|| format!("look at {}", around.display()))?;
    let file = rustix::fs::fstat(part.folder()).doing(|| format!("look at {}", path.display()))?;
    require_own(&there, &file, &path.display().to_string())?;
    Ok((part, folder))
}

/// The parts of a backup: the file or folder itself, or all files of the set that it is one of.
fn parts(path: &Path, password: Option<&Password>, site: Option<&str>) -> Result<Vec<Part>> {
    let (part, folder) = open_at(path)?;
    let part = part.opened_by(password);
    let around = path.parent().unwrap_or(Path::new("/"));
    if let Some(dump) = as_dump(&part, site)? {
        return Ok(vec![dump]);
    }
    if part.container == Container::Folder {
        return set_in(&part, path, password, site).map(|set| set.unwrap_or_else(|| vec![part]));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some((key, set)) = set_of(&name) {
        let mut found = Vec::new();
        for other in names(&folder)? {
            if set(&other) == Some(key.as_str()) {
                let part = Part::open_in(folder.as_fd(), around, &RelPath::parse(other.as_bytes())?, Role::Archive)?;
                found.push(sniffed(part.opened_by(password), &folder)?);
            }
        }
        if found.len() > 1 {
            return Ok(found);
        }
    }
    Ok(vec![sniffed(part, &folder)?])
}

/// A folder that is a dump; `None` for every other thing. `site`: the database that was asked for, where it holds several.
fn as_dump(part: &Part, site: Option<&str>) -> Result<Option<Part>> {
    if part.container != Container::Folder {
        return Ok(None);
    }
    let of = |part: &Part| DumpFolder::of(part.folder(), site).map_err(|error| about(&part.path, error));
    if let Some(dump) = of(part)? {
        return Ok(Some(part.clone().into_dump(dump)));
    }
    let mut found = Vec::new();
    for name in folders_alone(part.folder())? {
        let inner = Part::open_in(part.folder(), &part.path, &RelPath::parse(name.as_bytes())?, Role::Archive)?;
        // The one that was asked for is the dump, or says why it is none.
        if site == Some(name.as_str()) {
            return Ok(of(&inner)?.map(|dump| inner.into_dump(dump)));
        }
        match of(&inner) {
            Ok(dump) => found.extend(dump.map(|dump| inner.into_dump(dump))),
            // One that is several databases' itself is no folder of one.
            Err(error) if error.code == Code::BackupLayoutUnknown => {}
            Err(error) => return Err(error),
        }
    }
    let named = |part: &Part| part.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if found.len() > 1 {
        let names: Vec<String> = found.iter().map(named).collect();
        let message = format!("it holds the dumps of {} databases: {}", names.len(), printable(&names.join(", ")));
        return Err(about(&part.path, Error::new(Code::BackupLayoutUnknown, message))
            .hint("Say which one: `--site DATABASE` (\"site\" in `backup`), or name its folder.")
            .with("dumps", names));
    }
    Ok(found.pop())
}

/// The folders in a folder that holds nothing else, as `mariadb-dump --dir` writes one a database; none of any other.
fn folders_alone(folder: BorrowedFd) -> Result<Vec<String>> {
    let (mut found, mut is_alone) = (Vec::new(), true);
    tree::walk(folder, &mut |visit| {
        if visit.path.is_empty() {
            return Ok(Next::Into);
        }
        is_alone = visit.kind == tree::Kind::Folder && found.len() < MAX_FILES;
        if !is_alone {
            return Ok(Next::Stop);
        }
        found.extend(std::str::from_utf8(visit.name).ok().map(str::to_owned));
        Ok(Next::Past)
    })?;
    Ok(if is_alone { found } else { Vec::new() })
}

type SetOf = fn(&str) -> Option<&str>;

/// The set that a file is one of, by its name.
fn set_of(name: &str) -> Option<(String, SetOf)> {
    let sets: [SetOf; 2] = [updraftplus::set, wpvivid::set];
    sets.into_iter().find_map(|set| Some((set(name)?.to_owned(), set)))
}

/// The set that lies in a folder; `None` where it is a folder of something else.
fn set_in(folder: &Part, path: &Path, password: Option<&Password>, site: Option<&str>) -> Result<Option<Vec<Part>>> {
    let handle = folder.folder().try_clone_to_owned().map_err(|error| Error::io("open a folder again", &error))?;
    let mut keys: Vec<String> = names(&handle)?.iter().filter_map(|name| Some(set_of(name)?.0)).collect();
    keys.sort();
    keys.dedup();
    match keys.as_slice() {
        [] => Ok(None),
        [_] => {
            let first = names(&handle)?.into_iter().find(|name| set_of(name).is_some()).unwrap_or_default();
            parts(&path.join(first), password, site).map(Some)
        }
        several => Err(Error::new(
            Code::BackupLayoutUnknown,
            format!("{} holds {} backups in several files each: {}", path.display(), several.len(), several.join(", ")),
        )
        .hint("Say which one: `--from` and one of its files.")
        .with("sets", several.to_vec())),
    }
}

/// What lies in the archives of a set that hold others.
struct Unfolded {
    /// The archives of the set.
    parts: Vec<Part>,
    /// The sentence of what lies beside them there.
    beside: Option<String>,
}

/// The parts of a set whose archives lie in others, one for each of them; `None` where every part is one itself. Archives that lie there both
/// unpacked and in another one are taken once.
///
/// # Errors
/// `backup_incomplete` where one is missing that is named, `backup_unreadable` where it cannot be read where it lies,
/// `backup_layout_unknown` for an archive that is not named; `limit_exceeded`.
fn unfold(parts: &[Part], listings: &[Listing], limits: Limits) -> Result<Option<Unfolded>> {
    let children: Vec<Vec<String>> = listings.iter().map(wpvivid::children).collect();
    if children.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let around = |at: &usize| !children[*at].is_empty();
    wpvivid::require_parts((0..parts.len()).filter(around).map(|at| listings[at].file.as_str()))?;
    let kept = Arc::new(AtomicU64::new(MAX_DIRECTORIES));
    let mut unfolded: Vec<Part> = (0..parts.len()).filter(|at| !around(at)).map(|at| parts[at].clone()).collect();
    let mut others = BTreeSet::new();
    let there: BTreeSet<&str> = listings.iter().map(|listing| listing.file.as_str()).collect();
    for (part, names) in parts.iter().zip(&children) {
        let mut wanted: BTreeSet<&str> =
            names.iter().map(String::as_str).filter(|name| !there.contains(name)).collect();
        if names.is_empty() {
            continue;
        }
        let mut zip = ZipReader::open(part.bytes(&Arc::default()), limits, part.password())
            .map_err(|error| part.named(error))?
            .names_only();
        while let Some(entry) = zip.next_entry().map_err(|error| part.named(error))? {
            let name = String::from_utf8_lossy(&entry.path).into_owned();
            if !wanted.remove(name.as_str()) {
                let is_known = names.contains(&name) || name.as_bytes() == wpvivid::INFO;
                if !is_known && entry.kind != EntryKind::Folder {
                    require_no_archive(&name)?;
                    others.insert(name);
                }
                continue;
            }
            let lies = zip.lies().ok_or_else(|| {
                let message = format!("{} in it cannot be read where it lies", printable(&name));
                Error::new(Code::BackupUnreadable, message).hint("Unpack it, and name the folder with what was in it.")
            })?;
            unfolded.push(part.of_inside(&name, lies, Tail::new(&kept)));
        }
        if let Some(missing) = wanted.first() {
            let message = format!("it holds no {}, which its own description names", printable(missing));
            return Err(Error::new(Code::BackupIncomplete, message).with("missing", *missing));
        }
    }
    if unfolded.len() > MAX_FILES {
        return Err(Error::new(Code::LimitExceeded, format!("it is in over {MAX_FILES} archives")));
    }
    let beside = (!others.is_empty()).then(|| format!("Beside its archives it holds {}: not restored.", few(others)));
    Ok(Some(Unfolded { parts: unfolded, beside }))
}

/// Requires that what a description does not name is no archive, which may be a part of the set.
///
/// # Errors
/// `backup_layout_unknown`.
fn require_no_archive(name: &str) -> Result<()> {
    if !name.to_ascii_lowercase().ends_with(".zip") {
        return Ok(());
    }
    let message = format!("it holds {}, which its own description does not name", printable(name));
    Err(Error::new(Code::BackupLayoutUnknown, message)
        .hint("Unpack it, and name the folder with the archives that belong to the set."))
}

/// The names of the files in a folder.
fn names(folder: &OwnedFd) -> Result<Vec<String>> {
    let mut found = Vec::new();
    tree::walk(folder, &mut |visit| {
        if visit.path.is_empty() {
            return Ok(Next::Into);
        }
        if visit.kind == tree::Kind::File && found.len() < MAX_FILES {
            found.extend(std::str::from_utf8(visit.name).ok().map(str::to_owned));
        }
        Ok(Next::Past)
    })?;
    Ok(found)
}

/// What a file is, by its first bytes.
fn sniffed(mut part: Part, folder: &OwnedFd) -> Result<Part> {
    // Encryption without a mark of its own, which only the name tells.
    if part.path.extension().is_some_and(|end| end == "crypt") {
        part = part.into_crypt()?;
    }
    let mut start = vec![0; BLOCK];
    let read = read_some(&mut part.reader(), &mut start)?;
    start.truncate(read);
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") || start.starts_with(b"PK\x07\x08") {
        part.container = Container::Zip;
        return whole_zip(part, folder);
    }
    // The last file of several begins in the middle of something.
    let named_zip = part.path.extension().is_some_and(|end| end.eq_ignore_ascii_case("zip"));
    if named_zip && part.codec == Codec::None && ends_as_zip(&part)? {
        part.container = Container::Zip;
        return whole_zip(part, folder);
    }
    if start.starts_with(jps::MARK) || is_last_jps(&part.path) {
        part.container = Container::Jps;
        return whole_jps(part, folder, start.starts_with(jps::MARK));
    }
    if start.starts_with(jpa::MARK) || is_of_jpa(&part.path, folder)? {
        part.container = Container::Jpa;
        return whole_jpa(part, folder, start.starts_with(jpa::MARK));
    }
    if start.starts_with(seven_zip::MARK) || number_of_7z(&part.path).is_some() {
        return whole_7z(part, folder);
    }
    if start.starts_with(daf::MARK) {
        part.container = Container::Daf;
        return Ok(part);
    }
    if wpress::is_one(&start) {
        part.container = Container::Wpress;
        return Ok(part);
    }
    let mut plain = vec![0; BLOCK];
    let read = match part.codec {
        Codec::None => {
            plain = start;
            plain.len()
        }
        codec => read_some(&mut codec.reader(part.reader())?, &mut plain).map_err(|error| part.named(error))?,
    };
    plain.truncate(read);
    // What a text of another beginning has that calls itself a dump, the reader of dumps says.
    let named = part.path.file_name().is_some_and(|name| is_dump(name.as_encoded_bytes()));
    let is_text = !plain.is_empty() && !plain.contains(&0) && (named || looks_like_sql(&plain));
    if archive::utf16::is_one(&plain) || is_text {
        part.role = Role::Dump;
    }
    Ok(part)
}

/// Whether a file ends with the directory of a zip archive.
fn ends_as_zip(part: &Part) -> Result<bool> {
    let mut end = vec![0; 0xffff + 22];
    let from = part.identity.size.saturating_sub(end.len() as u64);
    let read = read_some(&mut part.reader_at(from), &mut end)?;
    Ok(memchr::memmem::rfind(&end[..read], b"PK\x05\x06").is_some())
}

fn read_some(from: &mut dyn Read, into: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match from.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(archive::unwrap_io(error)),
        }
    }
    Ok(filled)
}

/// Whether a text begins as a dump does: with a comment, or with a word of SQL or of its client.
fn looks_like_sql(start: &[u8]) -> bool {
    const WORDS: [&[u8]; 14] = [
        b"SET",
        b"CREATE",
        b"DROP",
        b"INSERT",
        b"REPLACE",
        b"USE",
        b"START",
        b"BEGIN",
        b"LOCK",
        b"ALTER",
        b"DELETE",
        b"TRUNCATE",
        b"DELIMITER",
        b"COMMIT",
    ];
    let start = &start[archive::messages::length(start)..];
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let word = text.split(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    [&b"--"[..], b"/*", b"#"].iter().any(|mark| text.starts_with(mark))
        || WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// A dump that was named: a file of SQL, or an archive with one dump in it.
fn dump_beside(
    config: &Config,
    source: &Source,
    path: &Path,
    password: Option<&Password>,
    site: Option<&str>,
) -> Result<(Part, Vec<String>)> {
    let (part, folder) = open_at(path)?;
    let part = part.opened_by(password);
    let part = match as_dump(&part, site)? {
        Some(dump) => dump,
        None => sniffed(part, &folder)?,
    };
    match (part.role.clone(), part.container) {
        (Role::Dump, _) => {
            let text = archive::text(part.reader()).map_err(|error| part.named(error))?;
            let most = Limits::from_config(&config.limits).bytes;
            let head = dump_head(text, most).map_err(|error| part.named(error))?;
            Ok((part, head.databases))
        }
        (_, container) if container != Container::Folder => {
            let listing = Listing::of(source, &part, &[], Limits::from_config(&config.limits))?;
            let found = dump_in(part, &listing).map_err(|error| about(path, error))?;
            found.ok_or_else(|| about(path, Error::new(Code::BackupIncomplete, "it holds no dump")))
        }
        _ => Err(Error::new(Code::BackupUnreadable, format!("{} is no dump of SQL", path.display()))
            .with("path", path.display().to_string())),
    }
}

/// An archive of which the dump alone is read, with the databases that this names; `None` where it holds none.
fn dump_in(part: Part, listing: &Listing) -> Result<Option<(Part, Vec<String>)>> {
    let (dump, places) = match aapanel::tables(listing) {
        Some((first, more)) => (first.clone(), Places::of("dump").with_dump_in_parts(&first, more)),
        None => match listing.dump(None, None, false)? {
            Some(dump) => (dump.clone(), Places::of("dump").with(&dump, Rule::Dump)),
            None => return Ok(None),
        },
    };
    let mut part = part.placed(Arc::new(places));
    part.role = Role::Files;
    Ok(Some((part, listing.databases.get(&dump).cloned().unwrap_or_default())))
}

fn list(source: &Source, parts: &[Part], inner: &[RelPath], limits: Limits) -> Result<Vec<Listing>> {
    let listing = |part: &Part, limits: Limits| {
        if part.role == Role::Dump {
            let file = part.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = archive::text(part.reader()).map_err(|error| part.named(error))?;
            let found = dump_head(text, limits.bytes).map_err(|error| part.named(error))?;
            let head = String::from_utf8_lossy(&found.text).into_owned();
            let databases = BTreeMap::from([(RelPath::default(), found.databases)]);
            return Ok(Listing { file, is_dump: true, head, databases, ..Listing::default() });
        }
        Listing::of(source, part, inner, limits)
    };
    let mut all: Vec<Listing> = Vec::with_capacity(parts.len());
    for part in parts {
        // The limits are those of all files of a set together.
        let found = listing(part, all.iter().fold(limits, |left, listing| left.less(listing.spent)))?;
        all.push(found);
        if all.iter().map(Listing::text_bytes).sum::<usize>() > MAX_TEXTS {
            let message = "its files hold too many configurations to be looked through";
            return Err(about(&source.path, Error::new(Code::LimitExceeded, message))
                .hint("Unpack the one that is meant, and name the folder."));
        }
    }
    Ok(all)
}

/// Whether the live site folder is an application of Laravel.
fn holds_artisan(site: &Site) -> bool {
    let Ok(Some(folder)) = tree::open_site(&site.folder) else { return false };
    let stat = rustix::fs::statat(&folder, "artisan", rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| tree::kind::kind_of(stat.st_mode) == tree::Kind::File)
}

/// The account of the live site, which its configuration keeps. Where nobody can tell it, what the backup says stays: the checks of the
/// database say more.
fn account(config: &Config, site: &Site) -> Option<SiteAccount> {
    site_database::find(config, site).ok().flatten().map(|found| found.account)
}
