//! From a request's word to open files. Only what lies under the backup folder (or, for rollback, the domain's
//! snapshot folder) is opened; the check is made on the path without links, and the file is opened once.

use crate::api::{Backup, Import};
use crate::backup::archives::newest_first;
use crate::backup::cache::index::Index;
use crate::backup::chain;
use crate::backup::import;
use crate::backup::layout::{self, ConfigItem, Holds, Layout};
use crate::backup::name::{BackupName, Family, Kind, Stamp, dump_stamp, file_name, snapshot_stamp};
use crate::backup::peek::{AT_ONCE, Peeked, peek};
use crate::backup::source::{Form, Part, Role, Source};
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::site::Site;
use crate::host::tree;
use crate::path::{Domain, RelPath};
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A dump that lies beside an archive belongs to it when it was written within this time after it.
pub(crate) const DUMP_WITHIN_S: i64 = 15 * 60;

/// What the latest backup has to hold besides files, which every backup does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// A dump.
    pub database: bool,
    /// Configuration of the site.
    pub config: bool,
    /// A dump is of no use.
    pub no_database: bool,
}

impl Needs {
    /// What the source does not hold of it, as far as that is known without reading it.
    fn lacking(self, source: &Source) -> Option<&'static str> {
        let layout = source.known_layout();
        let whole = layout.is_none_or(Layout::whole);
        let dump = match layout.is_some_and(Layout::dump_beside) {
            true => source.parts.iter().any(|part| part.role == Role::Dump),
            false => whole,
        };
        if self.database && !dump {
            return Some("it holds no database");
        }
        (self.config && !whole).then_some("it holds no configuration")
    }
}

/// [`locate_with`] for a test: `latest`, or a path.
///
/// # Errors
/// The same.
#[cfg(any(test, feature = "test-support"))]
pub fn locate(config: &Config, domain: &Domain, word: &str, dump: Option<&Path>) -> Result<Source> {
    locate_with(config, domain, &Backup::from(word), dump, Needs::default())
}

/// Opens the backup of a request: `latest`, the newest one that holds what is needed, or an absolute path below the backup folder. An
/// incremental one is opened with all it builds on; one of another program wherever it lies. `dump` is another dump than the one that
/// would be chosen.
///
/// # Errors
/// `backup_not_found`, `backup_unreadable`, `path_not_allowed`, `backup_chain_broken`, `bad_request` for a dump that the backup has no use
/// for; those of [`import::open`].
pub fn locate_with(
    config: &Config,
    domain: &Domain,
    backup: &Backup,
    dump: Option<&Path>,
    needs: Needs,
) -> Result<Source> {
    let word = match backup {
        Backup::Named(word) => word,
        Backup::Import(import) => {
            return import::open(config, domain, refuse_second_dump(import, dump)?, !needs.no_database);
        }
    };
    let look = |_: &Path, first: &Part, site: &Site| peek(first, site, config.limits.max_unpacked_bytes);
    locate_by(config, domain, word, dump, (needs, None), look)
}

/// The same without a look into the archive, where the index knows its layout. Only for what is shown.
///
/// # Errors
/// As [`locate_with`]; `backup_layout_unknown` where only a longer look can tell what the archive's tree is.
pub fn locate_known(
    config: &Config,
    domain: &Domain,
    backup: &Backup,
    dump: Option<&Path>,
    index: &Index,
) -> Result<Source> {
    let word = match backup {
        Backup::Named(word) => word,
        Backup::Import(_) => {
            return Err(Error::new(Code::BackupLayoutUnknown, "what the archive's tree is takes a longer look"));
        }
    };
    let needs = (Needs::default(), Some(index));
    locate_by(config, domain, word, dump, needs, |path, first, site| match index.layout(path, first) {
        Some(known) if site.root == site.folder => Ok(Peeked::known(known)),
        _ => {
            let peeked = peek(first, site, AT_ONCE)?;
            let told = site.root == site.folder || peeked.holds.is_some();
            let untold = || Error::new(Code::BackupLayoutUnknown, "what the archive's tree is takes a longer look");
            if told { Ok(peeked) } else { Err(untold()) }
        }
    })
}

fn locate_by(
    config: &Config,
    domain: &Domain,
    word: &str,
    dump: Option<&Path>,
    (needs, index): (Needs, Option<&Index>),
    look: impl Fn(&Path, &Part, &Site) -> Result<Peeked>,
) -> Result<Source> {
    if word != "latest" {
        return open(config, domain, Path::new(word), dump, look);
    }
    let loaded;
    let index = match index {
        Some(index) => index,
        None => {
            loaded = Index::load(config, domain);
            &loaded
        }
    };
    let mut passed_over = Vec::new();
    let mut newest = None;
    for path in newest_first(config, domain)? {
        let opened = open(config, domain, &path, dump, &look);
        let why = match &opened {
            Ok(source) if index.is_damaged(source) => "it is damaged, as it was when it was last read".to_owned(),
            Ok(source) => match needs.lacking(source) {
                Some(why) => why.to_owned(),
                None => return Ok(Source { passed_over, ..opened? }),
            },
            Err(error) if is_the_backups(error.code) => error.message.clone(),
            Err(_) => return opened,
        };
        passed_over.push(format!("{}: {why}", file_name(&path)));
        newest.get_or_insert(opened);
    }
    // Of those that do not serve the newest says best what is wrong.
    newest.unwrap_or_else(|| {
        let folder = config.paths.backups().join(domain.as_str());
        Err(Error::new(Code::BackupNotFound, format!("{domain} has no backup in {}", folder.display()))
            .with("folder", folder.display().to_string()))
    })
}

/// Whether another backup may be free of this error.
fn is_the_backups(code: Code) -> bool {
    matches!(
        code,
        Code::BackupUnreadable
            | Code::BackupIncomplete
            | Code::BackupChainBroken
            | Code::BackupCorrupt
            | Code::BadRequest
    )
}

fn open(
    config: &Config,
    domain: &Domain,
    path: &Path,
    dump: Option<&Path>,
    look: impl Fn(&Path, &Part, &Site) -> Result<Peeked>,
) -> Result<Source> {
    let archive = open_archive(config, domain, path)?;
    let name = file_name(&archive.path);
    let parsed = BackupName::parse(&name).unwrap_or(BackupName { family: Family::Foreign, stamp: None });
    let path = archive.path.clone();
    let site = Site::find(config, domain)?;
    let mut parts = match parsed.kind() {
        Kind::Full => vec![archive],
        Kind::Incremental => {
            let mut parts = Vec::new();
            for path in chain::chain(config, domain, &path)? {
                let part = Part::open(&path, Role::Archive);
                parts.push(part.map_err(|error| chain::broken(&path, error.message))?);
            }
            parts
        }
    };
    let Peeked { layout, tree, holds } = look(&path, &parts[0], &site)?;
    let holds = holds.unwrap_or(Holds::DocumentRoot);
    let name = tree.as_ref().and_then(|tree| tree.names().last());
    let site = match name {
        Some(name)
            if holds == Holds::DocumentRoot && layout.and_then(layout::named).is_some_and(|layout| !layout.whole()) =>
        {
            site.with_root_named(OsStr::from_bytes(name))
        }
        _ => site,
    };
    // Only the layout that has its database beside the archive; elsewhere such a file is somebody else's.
    if layout.and_then(layout::named).is_some_and(|layout| layout.dump_beside()) {
        parts.extend(companion(config, domain, &path, parsed.stamp, dump)?);
    } else if let Some(dump) = dump {
        return Err(Error::new(
            Code::BadRequest,
            format!("{} has its database inside, or none: {} cannot be taken with it", path.display(), dump.display()),
        )
        .hint("Leave `dump` out.")
        .with("path", dump.display().to_string()));
    }
    Ok(Source {
        form: Form::Backup,
        path,
        stamp: parsed.stamp,
        kind: parsed.kind(),
        parts,
        layout,
        holds,
        site,
        passed_over: Vec::new(),
        foreign: None,
    })
}

/// Opens a portable snapshot (ours, the seed's or the old engine's) of the domain as a source.
///
/// # Errors
/// `snapshot_not_found`, `path_not_allowed`, `snapshot_invalid` when it has no part that could be restored.
pub fn locate_snapshot(config: &Config, domain: &Domain, folder: &Path) -> Result<Source> {
    let path = snapshot_folder(config, domain, folder)?;
    let mut parts = Vec::new();
    for (name, role) in
        [("files.tar.gz", Role::Files), ("database.sql.gz", Role::Dump), ("config.tar.gz", Role::Config)]
    {
        let file = path.join(name);
        if file.symlink_metadata().is_ok() {
            parts.push(Part::open(&file, role)?);
        }
    }
    for (name, item) in [("nginx.conf", ConfigItem::Nginx), ("php-fpm.conf", ConfigItem::PhpFpm)] {
        let file = path.join("config").join(name);
        if file.symlink_metadata().is_ok() {
            parts.push(Part::open(&file, Role::ConfigFile { item, name: name.into() })?);
        }
    }
    if parts.is_empty() {
        return Err(Error::new(Code::SnapshotInvalid, format!("{} holds no snapshot", path.display()))
            .with("path", path.display().to_string()));
    }
    let stamp = path.file_name().and_then(|name| snapshot_stamp(name.to_str()?));
    let site = Site::find(config, domain)?;
    let holds = Holds::SiteFolder;
    let (layout, passed_over) = (Some("snapshot"), Vec::new());
    Ok(Source {
        form: Form::Snapshot,
        path,
        stamp,
        kind: Kind::Full,
        parts,
        layout,
        holds,
        site,
        passed_over,
        foreign: None,
    })
}

/// The folder of a snapshot, without links, checked to lie directly in `snapshots/DOMAIN`.
///
/// # Errors
/// `snapshot_not_found`, `path_not_allowed`.
pub fn snapshot_folder(config: &Config, domain: &Domain, folder: &Path) -> Result<PathBuf> {
    let missing = |path: &Path| {
        Error::new(Code::SnapshotNotFound, format!("{} is no snapshot of {domain}", path.display()))
            .with("path", path.display().to_string())
    };
    let root = config.paths.snapshots().join(domain.as_str());
    let outside = |root: &Path| {
        Error::new(
            Code::PathNotAllowed,
            format!("{} is not in the domain's snapshot folder {}", folder.display(), root.display()),
        )
        .with("path", folder.display().to_string())
    };
    if !folder.is_absolute() {
        return Err(outside(&root));
    }
    let root = root.canonicalize().map_err(|_| missing(folder))?;
    let path = folder.canonicalize().map_err(|_| missing(folder))?;
    if path.parent() != Some(root.as_path()) {
        return Err(outside(&root));
    }
    if path.is_dir() { Ok(path) } else { Err(missing(folder)) }
}

/// Whether a backup is there: for callers that need to know no more before they start a job.
///
/// # Errors
/// `unknown_domain`, `backup_not_found`, `backup_unreadable`, `path_not_allowed`.
pub fn probe(config: &Config, domain: &Domain, backup: &Backup, dump: Option<&Path>) -> Result<()> {
    let backup = match backup {
        Backup::Named(word) => word,
        Backup::Import(import) => return import::probe(config, domain, refuse_second_dump(import, dump)?),
    };
    let look = |_: &Path, first: &Part, site: &Site| peek(first, site, AT_ONCE);
    let located = locate_by(config, domain, backup, dump, (Needs::default(), None), look);
    let Err(error) = located else { return Ok(()) };
    if error.code != Code::BackupNotFound {
        return Err(error);
    }
    let (root, folder) = (Site::find(config, domain)?.root, config.paths.backups().join(domain.as_str()));
    if root.exists() || folder.exists() {
        return Err(error);
    }
    let message = format!("{domain} is not known here: there is neither {} nor {}", root.display(), folder.display());
    Err(Error::new(Code::UnknownDomain, message))
}

fn refuse_second_dump<'a>(import: &'a Import, dump: Option<&Path>) -> Result<&'a Import> {
    match dump {
        None => Ok(import),
        Some(_) => Err(Error::new(Code::BadRequest, "request: `dump` stands beside a `backup` that is an object")
            .hint("Put it into the object: {\"from\": …, \"dump\": …}.")),
    }
}

/// Opens an archive after checking where it lies.
///
/// # Errors
/// `path_not_allowed`, `backup_not_found`, `backup_unreadable`.
pub fn open_archive(config: &Config, domain: &Domain, path: &Path) -> Result<Part> {
    open_below(config, domain, path, Role::Archive)
}

fn open_below(config: &Config, domain: &Domain, path: &Path, role: Role) -> Result<Part> {
    let shown = path.display().to_string();
    let not_allowed = |why: String| Error::new(Code::PathNotAllowed, why).with("path", shown.clone());
    if !path.is_absolute() {
        return Err(not_allowed(format!("{shown} is not an absolute path")));
    }
    let folder = config.paths.backups();
    let outside = || not_allowed(format!("{shown} is not in the backup folder {}", folder.display()));
    let root = folder.canonicalize().map_err(|_| outside())?;
    let real = match path.canonicalize() {
        Ok(real) => real,
        // Whether a file exists outside our folder is nobody's business.
        Err(_) if !(path.starts_with(&folder) || path.starts_with(&root)) => return Err(outside()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::new(Code::BackupNotFound, format!("{shown} does not exist")).with("path", shown));
        }
        Err(error) => {
            return Err(Error::new(Code::BackupUnreadable, format!("{shown}: {error}")).with("path", shown));
        }
    };
    let inner = real.strip_prefix(&root).map_err(|_| outside())?;
    if let Some(owner) = foreign_owner(inner, domain) {
        return Err(not_allowed(format!("{shown} is a backup of {owner}, not of {domain}"))
            .hint(format!("To use it for {domain}, copy it into {}.", root.join(domain.as_str()).display())));
    }
    Part::open_beneath(tree::open_folder(&root)?.as_fd(), &root, &RelPath::parse(inner.as_os_str().as_bytes())?, role)
}

/// The other domain a backup belongs to, by its folder or name.
fn foreign_owner(inner: &Path, domain: &Domain) -> Option<String> {
    let names: Vec<&str> = inner.iter().filter_map(|name| name.to_str()).collect();
    if let [folder, _, ..] = names.as_slice()
        && folder.contains('.')
        && Domain::parse(folder).is_ok_and(|owner| owner != *domain)
    {
        return Some((*folder).to_owned());
    }
    match BackupName::parse(names.last()?)?.family {
        Family::Domain(owner) if owner != domain.as_str() => Some(owner),
        _ => None,
    }
}

/// The dump that goes with an archive whose database lies beside it: the one asked for, else the nearest one within
/// [`DUMP_WITHIN_S`] after it.
fn companion(
    config: &Config,
    domain: &Domain,
    archive: &Path,
    stamp: Option<Stamp>,
    asked: Option<&Path>,
) -> Result<Option<Part>> {
    if let Some(asked) = asked {
        let part = open_below(config, domain, asked, Role::Dump)?;
        let named = part.path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.contains(".sql"));
        if named {
            return Ok(Some(part));
        }
        return Err(Error::new(Code::BadRequest, format!("{} is no dump: its name has no .sql", asked.display()))
            .with("path", asked.display().to_string()));
    }
    let (Some(folder), Some(stamp)) = (archive.parent(), stamp) else { return Ok(None) };
    dump_of(stamp, &dumps(folder)).map(|path| Part::open(&path, Role::Dump)).transpose()
}

/// The dumps that lie in a folder, with their moments.
pub(crate) fn dumps(folder: &Path) -> Vec<(Stamp, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let dump = |entry: std::fs::DirEntry| {
        let stamp = dump_stamp(entry.file_name().to_str()?)?;
        entry.file_type().ok()?.is_file().then(|| (stamp, entry.path()))
    };
    entries.flatten().filter_map(dump).collect()
}

/// The dump written for the archive of this moment: the nearest one after it.
pub(crate) fn dump_of(stamp: Stamp, dumps: &[(Stamp, PathBuf)]) -> Option<PathBuf> {
    let near = |moment: &Stamp| (0..=DUMP_WITHIN_S).contains(&moment.seconds_since(stamp));
    dumps.iter().filter(|(moment, _)| near(moment)).min().map(|(_, path)| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::testing::setting;
    use flate2::{Compression, write::GzEncoder};

    fn put(path: &Path, members: &[&str]) {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for member in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(1);
            header.set_mode(0o644);
            builder.append_data(&mut header, member, &b"x"[..]).unwrap();
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, builder.into_inner().unwrap().finish().unwrap()).unwrap();
    }

    fn refused(config: &Config, domain: &Domain, path: &Path) -> Code {
        locate(config, domain, path.to_str().unwrap(), None).unwrap_err().code
    }

    #[test]
    fn latest_is_the_newest_of_the_domain() {
        let (_base, config, domain) = setting();
        assert_eq!(locate(&config, &domain, "latest", None).unwrap_err().code, Code::BackupNotFound);
        let folder = config.paths.backups().join("example.com");
        put(&folder.join("backup_20251004_030000.tar.gz"), &["www/a"]);
        put(&folder.join("backup_20251005_030000.tar.gz"), &["www/a"]);
        put(&config.paths.backups().join("all_domains_20251009_030000.tar.gz"), &["other.com/html/a"]);
        let source = locate(&config, &domain, "latest", None).unwrap();
        assert!(source.path.ends_with("backup_20251005_030000.tar.gz"));
        assert_eq!((source.layout, source.parts.len()), (Some("design"), 1));
        source.same_as(&source.identities()).unwrap();
        assert_eq!(source.same_as(&[]).unwrap_err().code, Code::BackupChanged);
    }

    #[test]
    fn latest_is_the_newest_that_holds_what_is_needed_and_says_what_it_passed_over() {
        let (_base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        put(&folder.join("backup_20251003_030000.tar.gz"), &["www/a"]);
        put(&folder.join("backup_20251004_030000.tar.gz"), &["var/www/example.com/a"]);
        put(&config.paths.backups().join("domain_example.com_20251005_010000.tar.gz"), &["a"]);
        std::fs::write(folder.join("backup_20251006_030000.tar.gz"), b"LZIP\x01 an lzip file").unwrap();
        let found = |needs| {
            let source = locate_with(&config, &domain, &Backup::default(), None, needs).unwrap();
            (file_name(&source.path), source.passed_over)
        };
        let database = Needs { database: true, ..Needs::default() };
        let (name, passed) = found(Needs::default());
        assert_eq!((name.as_str(), passed.len()), ("domain_example.com_20251005_010000.tar.gz", 1), "{passed:?}");
        assert!(passed[0].starts_with("backup_20251006_030000.tar.gz: "), "{passed:?}");
        let (name, passed) = found(database);
        assert_eq!((name.as_str(), passed.len()), ("backup_20251003_030000.tar.gz", 3), "{passed:?}");
        assert_eq!(passed[1], "domain_example.com_20251005_010000.tar.gz: it holds no database");
        std::fs::write(folder.join("database_20251004_030007.sql.gz"), "x").unwrap();
        assert_eq!(found(database).0, "backup_20251004_030000.tar.gz");
        // Where none serves, the newest says why.
        for name in ["backup_20251003_030000.tar.gz", "backup_20251004_030000.tar.gz"] {
            std::fs::remove_file(folder.join(name)).unwrap();
        }
        let error = locate_with(&config, &domain, &Backup::default(), None, database).unwrap_err();
        assert_eq!(error.code, Code::BackupUnreadable, "{error}");
    }

    #[test]
    fn only_the_backup_folder_is_opened_whatever_the_spelling() {
        let (base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        let outside = base.path().join("backup_20251004_030000.tar.gz");
        put(&outside, &["www/a"]);
        std::os::unix::fs::symlink(&outside, folder.join("backup_20251004_030000.tar.gz")).unwrap();
        std::os::unix::fs::symlink(base.path(), folder.join("sub")).unwrap();
        for path in [
            outside.clone(),
            folder.join("backup_20251004_030000.tar.gz"),
            folder.join("sub/backup_20251004_030000.tar.gz"),
            folder.join("../../../backup_20251004_030000.tar.gz"),
            base.path().join("missing.tar.gz"),
            "backup_20251004_030000.tar.gz".into(),
            "/etc/passwd".into(),
        ] {
            assert_eq!(refused(&config, &domain, &path), Code::PathNotAllowed, "{path:?}");
        }
        assert_eq!(refused(&config, &domain, &folder.join("backup_x.tar.gz")), Code::BackupNotFound);
        assert_eq!(refused(&config, &domain, &folder), Code::BackupUnreadable);
    }

    #[test]
    fn another_domains_backup_is_not_restored_here() {
        let (_base, config, domain) = setting();
        let foreign = config.paths.backups().join("other.com/backup_20251004_030000.tar.gz");
        put(&foreign, &["www/a"]);
        let error = locate(&config, &domain, foreign.to_str().unwrap(), None).unwrap_err();
        assert_eq!(error.code, Code::PathNotAllowed);
        assert!(error.message.contains("other.com") && error.hint.contains("example.com"));
        let named = config.paths.backups().join("domain_other.com_20251004_030000.tar.gz");
        put(&named, &["html/a"]);
        assert_eq!(refused(&config, &domain, &named), Code::PathNotAllowed);
    }

    #[test]
    fn the_dump_beside_a_smart_backup_is_the_one_written_for_it() {
        let (_base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        put(&folder.join("backup_20251004_030000.tar.gz"), &["var/www/example.com/a"]);
        put(&folder.join("backup_20251005_030000_incremental.tar.gz"), &["var/www/example.com/a"]);
        put(&folder.join("backup_20251006_030000.tar.gz"), &["var/www/example.com/a"]);
        for stamp in ["20251004_025959", "20251004_030009", "20251005_030009"] {
            std::fs::write(folder.join(format!("database_{stamp}.sql.gz")), b"\x1f\x8b").unwrap();
        }
        let named = |stamp: &str| folder.join(format!("backup_{stamp}.tar.gz")).display().to_string();
        let source = locate(&config, &domain, &named("20251004_030000"), None).unwrap();
        assert_eq!(source.layout, Some("smart_full"));
        assert!(source.dump_beside().unwrap().path.ends_with("database_20251004_030009.sql.gz"));
        assert!(locate(&config, &domain, &named("20251006_030000"), None).unwrap().dump_beside().is_none());
    }

    #[test]
    fn another_dump_can_be_asked_for_and_must_be_one_of_the_domain() {
        let (base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        put(&folder.join("backup_20251004_030000.tar.gz"), &["var/www/example.com/a"]);
        let (near, other) =
            (folder.join("database_20251004_030009.sql.gz"), folder.join("database_20251001_000000.sql"));
        for path in [&near, &other, &base.path().join("database_20251004_030000.sql")] {
            std::fs::write(path, b"\x1f\x8b").unwrap();
        }
        let chosen = |dump: Option<&Path>| locate(&config, &domain, "latest", dump);
        assert_eq!(chosen(None).unwrap().dump_beside().unwrap().path, near);
        assert_eq!(chosen(Some(&other)).unwrap().dump_beside().unwrap().path, other);
        let refused = |path: &Path| chosen(Some(path)).unwrap_err().code;
        assert_eq!(refused(&base.path().join("database_20251004_030000.sql")), Code::PathNotAllowed);
        assert_eq!(refused(&folder.join("backup_20251004_030000.tar.gz")), Code::BadRequest);
        put(&folder.join("backup_20251005_030000.tar.gz"), &["www/a"]);
        assert_eq!(
            chosen(Some(&near)).unwrap().passed_over.len(),
            1,
            "a backup with its database inside takes no other"
        );
        let inside = folder.join("backup_20251005_030000.tar.gz");
        let error = locate(&config, &domain, inside.to_str().unwrap(), Some(&near)).unwrap_err();
        assert_eq!(error.code, Code::BadRequest, "{error}");
    }

    #[test]
    fn an_incremental_backup_is_opened_with_all_it_builds_on() {
        let (_base, config, domain) = setting();
        let folder = config.paths.backups().join("example.com");
        put(&folder.join("backup_20251004_030000.tar.gz"), &["var/www/example.com/a"]);
        put(&folder.join("backup_20251005_030000_incremental.tar.gz"), &["var/www/example.com/a"]);
        std::fs::write(folder.join("database_20251005_030500.sql.gz"), b"\x1f\x8b").unwrap();
        let source = locate(&config, &domain, "latest", None).unwrap();
        let roles: Vec<&Role> = source.parts.iter().map(|part| &part.role).collect();
        assert_eq!(roles, [&Role::Archive, &Role::Archive, &Role::Dump]);
        assert!(source.parts[0].path.ends_with("backup_20251004_030000.tar.gz"));
        assert_eq!((source.kind, source.layout), (Kind::Incremental, Some("smart_full")));
    }

    #[test]
    fn a_damaged_archive_is_located_and_fails_when_it_is_read() {
        let (_base, config, domain) = setting();
        let path = config.paths.backups().join("example.com/backup_20251004_030000.tar.gz");
        std::fs::write(&path, b"\x1f\x8bnot gzip at all").unwrap();
        assert_eq!(locate(&config, &domain, path.to_str().unwrap(), None).unwrap().layout, None);
    }

    #[test]
    fn snapshots_of_every_form_are_sources() {
        let (_base, config, domain) = setting();
        let root = config.paths.snapshots().join("example.com");
        let seed = root.join("pre_restore_20251004_100000");
        for name in ["files.tar.gz", "config.tar.gz"] {
            put(&seed.join(name), &["example.com/a"]);
        }
        std::fs::write(seed.join("database.sql.gz"), b"\x1f\x8b").unwrap();
        let source = locate_snapshot(&config, &domain, &seed).unwrap();
        let roles: Vec<&Role> = source.parts.iter().map(|part| &part.role).collect();
        assert_eq!(roles, [&Role::Files, &Role::Dump, &Role::Config]);
        assert_eq!(source.stamp.unwrap().to_string(), "2025-10-04T10:00:00");

        let old = root.join("pre_restore_20251003_100000");
        put(&old.join("files.tar.gz"), &["example.com/a"]);
        std::fs::create_dir(old.join("config")).unwrap();
        std::fs::write(old.join("config/nginx.conf"), "server {}").unwrap();
        let source = locate_snapshot(&config, &domain, &old).unwrap();
        assert_eq!(source.parts.len(), 2);

        let other = config.paths.snapshots().join("other.com/pre_restore_20251003_100000");
        put(&other.join("files.tar.gz"), &["other.com/a"]);
        assert_eq!(locate_snapshot(&config, &domain, &other).unwrap_err().code, Code::PathNotAllowed);
        let gone = root.join("pre_restore_20200101_000000");
        assert_eq!(locate_snapshot(&config, &domain, &gone).unwrap_err().code, Code::SnapshotNotFound);
        std::fs::create_dir(&gone).unwrap();
        assert_eq!(locate_snapshot(&config, &domain, &gone).unwrap_err().code, Code::SnapshotInvalid);
    }
}
