//! `rv_preview_backup`: everything the preview screen shows, from one reading or its cached result.

pub mod page;
pub mod php;
mod warnings;

use crate::api::TreeAsked;
use crate::api::answer::backups::Integrity;
use crate::api::answer::preview::{
    Chain, ChainArchive, ChainDump, Compression, Estimate, Filesystem, Preview, PreviewedBackup, PreviewedConfig,
    PreviewedDatabase, PreviewedFiles, PreviewedSpace, TreeNode, TreePage,
};
use crate::archive::Codec;
use crate::backup::cache::catalogue::{self, Draft};
use crate::backup::cache::folder::Fingerprint;
use crate::backup::cache::index::{Finding, Index};
use crate::backup::cache::remember;
use crate::backup::contents::{ConfigFound, DumpScan, Scan};
use crate::backup::name::{BackupName, Kind, Stamp, dump_stamp, file_name, human_size};
use crate::backup::scan::scan_into;
use crate::backup::source::{Container, Form, Part, Role, Source};
use crate::config::Config;
use crate::error::{Code, Error, IoContext, Result};
use crate::progress::{Level, Monitor};
use crate::siteconf;
use crate::sql::compat::Survey;
use crate::sql::statement::ObjectKind;
use crate::sql::versioned::Dialect;
use std::fs::File;

pub use page::{Page, page};
use warnings::warnings;

/// A filesystem stores whole blocks: half of one is lost a file, on average.
const BLOCK: u64 = 4096;
/// Loaded rows and their keys take about this many times the bytes of their dump.
const DATABASE_FACTOR: u64 = 2;
/// How many of the largest folders are named.
const TOP_FOLDERS: usize = 10;

/// What only the machine knows, given by the caller.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Name of the live schema.
    pub schema: Option<String>,
    /// Bytes the live site takes, files and database.
    pub current_bytes: Option<u64>,
    /// When that was seen, RFC 3339.
    pub current_at: Option<String>,
    /// Bytes free where the site is staged.
    pub available_bytes: Option<u64>,
    /// The room on each filesystem that a restore writes to.
    pub filesystems: Vec<Filesystem>,
    /// Expected seconds a component.
    pub estimate: Option<Estimate>,
    /// The moment, as names carry it.
    pub now: Option<Stamp>,
    /// The dump was asked for, not chosen.
    pub dump_asked: bool,
    /// A part of the tree that was asked for.
    pub page: Option<(TreeAsked, Page)>,
}

/// What is in the source, for whatever server: from the index when nothing changed since it was read, else by reading it now.
///
/// # Errors
/// Those of [`scan()`](crate::backup::scan::scan).
#[cfg(any(test, feature = "test-support"))]
pub fn examine(source: &Source, config: &Config, monitor: &dyn Monitor) -> Result<Scan> {
    examine_for(source, config, || None, monitor)
}

/// What is in the source: from the index when nothing changed since it was read, else by reading it now; the dump as `server` reads it. It
/// is asked only where servers differ in that, or nothing was read yet.
///
/// # Errors
/// Those of [`scan()`](crate::backup::scan::scan).
pub fn examine_for(
    source: &Source,
    config: &Config,
    server: impl FnOnce() -> Option<Dialect>,
    monitor: &dyn Monitor,
) -> Result<Scan> {
    match known_for(source, config, server) {
        Ok(found) => Ok(*found),
        Err(server) => read(source, config, server, monitor),
    }
}

/// What an earlier reading found, as this server reads the dump; else the server for which it has to be read.
fn known_for(
    source: &Source,
    config: &Config,
    server: impl FnOnce() -> Option<Dialect>,
) -> std::result::Result<Box<Scan>, Option<Dialect>> {
    let found = cached(source, config);
    let survey = found.as_ref().and_then(|found| found.dump.as_ref()).map(|dump| &dump.survey);
    if found.is_some() && !survey.is_some_and(Survey::is_disputed) {
        return found.map(Box::new).ok_or(None);
    }
    let server = server();
    let fits = server.is_none_or(|server| survey.is_some_and(|survey| survey.is_read_as(server)));
    found.filter(|_| fits).map(Box::new).ok_or(server)
}

/// The same with the backup's catalogue, which is made again where it was lost; `None` where none can be kept.
///
/// # Errors
/// Those of [`scan()`](crate::backup::scan::scan).
pub fn examine_entries(
    source: &Source,
    config: &Config,
    server: impl FnOnce() -> Option<Dialect>,
    monitor: &dyn Monitor,
) -> Result<(Scan, Option<File>)> {
    let known = known_for(source, config, server);
    let server = match known {
        Ok(found) => match catalogue::open(config, source) {
            Some(catalogue) => return Ok((*found, Some(catalogue))),
            None => found.dump.and_then(|dump| dump.survey.server_read_as),
        },
        Err(server) => server,
    };
    let found = read(source, config, server, monitor)?;
    Ok((found, catalogue::open(config, source)))
}

/// Reads the source whole. A sound reading and a damaged archive are both remembered.
fn read(source: &Source, config: &Config, server: Option<Dialect>, monitor: &dyn Monitor) -> Result<Scan> {
    let warn = |what: &str, error: &Error| monitor.event(Level::Warn, &format!("{what} was not written: {error}"));
    // From before the reading: what is written to a file meanwhile makes the finding one of another file.
    let files = Fingerprint::all(source).doing(|| format!("read {}", source.path.display()))?;
    let begun = Draft::begin(config, source, &files);
    let mut draft = begun.inspect_err(|error| warn("the catalogue of the backup", error)).ok();
    let mut result = scan_into(source, config, server, &mut draft, monitor);
    if let Ok(found) = &mut result {
        tell_meanings(found, source, config);
    }
    let finding = match &result {
        Ok(found) => Ok(found),
        Err(error) if error.code == Code::BackupCorrupt => Err(error.message.as_str()),
        Err(_) => return result,
    };
    if let Err(error) = remember::finding(config, &Finding { source, files, result: finding }, draft) {
        warn("the index of backups", &error);
    }
    result
}

/// What an earlier reading found, if every file of the source is still the same.
pub fn cached(source: &Source, config: &Config) -> Option<Scan> {
    Index::load(config, &source.site.domain).scan(source)
}

/// Bytes a restore needs free: the staged tree, the database beside it, and what always stays free.
pub fn required_bytes(found: &Scan, config: &Config) -> u64 {
    let entries = found.files + found.folders;
    let files = found.bytes + entries * (BLOCK / 2);
    let database = found.dump.as_ref().map_or(0, |dump| dump.bytes * DATABASE_FACTOR);
    files + database + config.limits.headroom_bytes
}

/// Says what each configuration file means, while its content is at hand: the cache keeps the meaning, never the content.
fn tell_meanings(found: &mut Scan, source: &Source, config: &Config) {
    for file in &mut found.config {
        let content = file.content.clone().unwrap_or_default();
        if let Ok(placed) = siteconf::place(config, &source.site.domain, file.item, &file.name, content) {
            file.meaning = Some(siteconf::describe(&placed));
        }
    }
}

/// What the preview screen shows.
pub fn preview(source: &Source, found: &Scan, config: &Config, facts: &Facts) -> Preview {
    let prefixes = source.foreign.as_ref().map(|foreign| foreign.prefixes_to_tell(found, true)).unwrap_or_default();
    Preview {
        backup: backup(source, found),
        chain: chain(source, found, facts),
        files: files(source, found, facts),
        database: found.dump.as_ref().map(|dump| database(dump, prefixes, facts)),
        config: found.config.iter().map(config_file).collect(),
        estimate: facts.estimate.clone(),
        space: space(source, found, config, facts),
        warnings: warnings(source, found, config, facts),
    }
}

fn archives(source: &Source) -> impl Iterator<Item = &Part> {
    source.parts.iter().filter(|part| part.role == Role::Archive)
}

fn backup(source: &Source, found: &Scan) -> PreviewedBackup {
    let stamp = source.stamp.unwrap_or_else(|| moment(&source.parts[0]));
    PreviewedBackup {
        path: source.path.clone(),
        name: file_name(&source.path),
        date: stamp.to_string(),
        size: source.packed_bytes(),
        size_text: human_size(source.packed_bytes()),
        compression: source.parts.first().map_or(Compression::None, compression),
        integrity: Integrity::Valid,
        kind: source.kind,
        base: archives(source).next().filter(|_| source.is_layered()).map(|base| base.path.clone()),
        layout: found.layout.clone(),
        domain: source.site.domain.clone(),
    }
}

fn compression(part: &Part) -> Compression {
    match (part.container, part.codec) {
        (Container::Zip, _) => Compression::Zip,
        (Container::SevenZip, _) => Compression::SevenZip,
        (_, Codec::Gzip) => Compression::Gzip,
        (_, Codec::Zstd) => Compression::Zstd,
        (_, Codec::Xz) => Compression::Xz,
        (_, Codec::Bzip2) => Compression::Bzip2,
        (_, Codec::Lz4) => Compression::Lz4,
        (_, Codec::None) => Compression::None,
    }
}

fn chain(source: &Source, found: &Scan, facts: &Facts) -> Chain {
    let archive = |(at, part): (usize, &Part)| ChainArchive {
        path: part.path.clone(),
        name: file_name(&part.path),
        kind: if at == 0 { Kind::Full } else { Kind::Incremental },
        date: moment(part).to_string(),
        size: part.identity.size,
    };
    Chain { archives: archives(source).enumerate().map(archive).collect(), dump: dump_chosen(source, found, facts) }
}

fn files(source: &Source, found: &Scan, facts: &Facts) -> PreviewedFiles {
    let (tree, tree_page) = match &facts.page {
        None => (found.tree.clone(), None),
        Some((asked, page)) => (page.nodes.clone(), Some(tree_page(asked, page))),
    };
    PreviewedFiles {
        count: found.files,
        folders: found.folders,
        links: found.links,
        bytes: found.bytes,
        bytes_text: human_size(found.bytes),
        by_type: found.by_type,
        document_root: source.target().to_owned(),
        tree,
        top_folders: top_folders(&found.tree),
        application: found.application.clone(),
        tree_page,
    }
}

fn tree_page(asked: &TreeAsked, page: &Page) -> TreePage {
    TreePage {
        path: asked.path.clone(),
        depth: asked.depth as u64,
        offset: asked.offset as u64,
        limit: asked.limit as u64,
        total: page.total,
    }
}

fn database(dump: &DumpScan, prefixes: Vec<String>, facts: &Facts) -> PreviewedDatabase {
    PreviewedDatabase {
        name: facts.schema.clone(),
        dump: dump.name.clone(),
        bytes: dump.bytes,
        bytes_text: human_size(dump.bytes),
        tables: dump.tables.len() as u64,
        rows: dump.rows(),
        objects: dump.objects,
        complete: dump.complete,
        prefixes,
        table_list: dump.tables.clone(),
        views: names(dump, &[ObjectKind::View]),
        routines: names(dump, &[ObjectKind::Procedure, ObjectKind::Function]),
        triggers: names(dump, &[ObjectKind::Trigger]),
        events: names(dump, &[ObjectKind::Event]),
    }
}

fn config_file(file: &ConfigFound) -> PreviewedConfig {
    PreviewedConfig { item: file.item, name: file.name.clone(), size: file.size, meaning: file.meaning.clone() }
}

fn space(source: &Source, found: &Scan, config: &Config, facts: &Facts) -> PreviewedSpace {
    let required = required_bytes(found, config);
    PreviewedSpace {
        current_used: facts.current_bytes,
        current_used_at: facts.current_at.clone(),
        backup_size: source.packed_bytes(),
        unpacked: found.bytes + found.dump_bytes(),
        // The old tree and the old tables are kept where they are: nothing is copied for the snapshot.
        snapshot: 0,
        required,
        available: facts.available_bytes,
        enough: facts.available_bytes.map(|free| free >= required),
        filesystems: facts.filesystems.clone(),
    }
}

/// When a file was made: by its name, else by its modification time.
fn moment(part: &Part) -> Stamp {
    let name = file_name(&part.path);
    let named = BackupName::parse(&name).and_then(|name| name.stamp).or_else(|| dump_stamp(&name));
    named.or_else(|| Stamp::of_second(part.identity.mtime)).unwrap_or_else(|| Stamp::of(jiff::Timestamp::default()))
}

/// Which dump is the backup's, and why this one.
fn dump_chosen(source: &Source, found: &Scan, facts: &Facts) -> Option<ChainDump> {
    let dump = found.dump.as_ref()?;
    let Some(part) = source.dump_beside() else {
        let why = "it is in the archive".to_owned();
        return Some(ChainDump { path: None, name: dump.name.clone(), date: None, size: None, why });
    };
    let why = match (source.form, source.stamp) {
        (Form::Snapshot, _) => "it is part of the snapshot".to_owned(),
        _ if facts.dump_asked => "it was asked for".to_owned(),
        (_, Some(stamp)) => format!(
            "written {} s after the backup: the nearest one within {} minutes after it",
            moment(part).seconds_since(stamp),
            crate::backup::locate::DUMP_WITHIN_S / 60,
        ),
        (_, None) => "it lies beside the archive".to_owned(),
    };
    Some(ChainDump {
        path: Some(part.path.clone()),
        name: dump.name.clone(),
        date: Some(moment(part).to_string()),
        size: Some(part.identity.size),
        why,
    })
}

/// The largest folders at the top.
fn top_folders(tree: &[TreeNode]) -> Vec<TreeNode> {
    let mut top: Vec<&TreeNode> = tree.iter().filter(|node| node.depth == 0 && node.path.ends_with('/')).collect();
    top.sort_by_key(|node| std::cmp::Reverse(node.bytes));
    top.into_iter().take(TOP_FOLDERS).cloned().collect()
}

fn names(dump: &DumpScan, kinds: &[ObjectKind]) -> Vec<String> {
    dump.object_list.iter().filter(|object| kinds.contains(&object.kind)).map(|object| object.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::backup::contents::DumpScan;
    use crate::backup::source::{Part, Role};
    use crate::backup::testing;

    use crate::progress::Silent;

    fn setting() -> (tempfile::TempDir, Config, Source) {
        let (base, config, domain) = testing::setting();
        let path = config.paths.backups().join("example.com/backup_20251004_030000.tar.gz");
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        builder.append_data(&mut header, "www/a.php", &b"x"[..]).unwrap();
        std::fs::write(&path, builder.into_inner().unwrap()).unwrap();
        let source = testing::source(&config, &domain, &[&path]);
        (base, config, source)
    }

    #[test]
    fn a_second_preview_reads_the_index_not_the_archive() {
        let (_base, config, source) = setting();
        assert!(cached(&source, &config).is_none());
        assert_eq!(examine(&source, &config, &Silent).unwrap().files, 1);
        assert_eq!(cached(&source, &config).unwrap().files, 1);
    }

    #[test]
    fn a_backup_is_read_where_nothing_can_be_kept() {
        let (_base, config, source) = setting();
        std::fs::write(config.paths.base.join("restore_index"), "in the way").unwrap();
        assert_eq!(examine(&source, &config, &Silent).unwrap().files, 1);
        let (found, catalogue) = examine_entries(&source, &config, || None, &Silent).unwrap();
        assert_eq!((found.files, catalogue.is_none()), (1, true));
        assert!(cached(&source, &config).is_none());
    }

    #[test]
    fn a_damaged_archive_is_remembered_as_damaged() {
        let (_base, config, source) = setting();
        std::fs::write(&source.path, vec![7; 2048]).unwrap();
        let part = Part::open(&source.path, Role::Archive).unwrap();
        let source = Source { parts: vec![part], ..source };
        assert_eq!(examine(&source, &config, &Silent).unwrap_err().code, Code::BackupCorrupt);
        let listed = crate::backup::list(&config, &source.site.domain).unwrap();
        assert_eq!(listed[0].integrity, Integrity::Invalid);
    }

    #[test]
    fn the_document_says_which_dump_was_chosen_and_why() {
        let (_base, config, source) = setting();
        let mut found = examine(&source, &config, &Silent).unwrap();
        assert_eq!(preview(&source, &found, &config, &Facts::default()).chain.dump.map(|dump| dump.why), None);
        found.dump = Some(DumpScan { name: "d".into(), ..DumpScan::default() });
        let why = |source: &Source, facts: &Facts| preview(source, &found, &config, facts).chain.dump.unwrap().why;
        assert_eq!(why(&source, &Facts::default()), "it is in the archive");
        let beside = source.path.with_file_name("database_20251004_030009.sql.gz");
        std::fs::write(&beside, "x").unwrap();
        let dump = Part::open(&beside, Role::Dump).unwrap();
        let parts = vec![source.parts[0].clone(), dump];
        let smart = Source { stamp: Stamp::parse("20251004_030000"), parts, ..source };
        assert!(why(&smart, &Facts::default()).starts_with("written 9 s after the backup"));
        assert_eq!(why(&smart, &Facts { dump_asked: true, ..Facts::default() }), "it was asked for");
    }

    #[test]
    fn objects_are_named_by_kind_and_the_largest_folders_first() {
        let (_base, config, source) = setting();
        let object = |kind, name: &str| crate::sql::tally::ObjectFound { kind, name: name.into() };
        let node = |path: &str, depth, bytes| TreeNode {
            path: path.into(),
            depth,
            kind: None,
            files: 1,
            bytes,
            by_type: None,
        };
        let mut found = examine(&source, &config, &Silent).unwrap();
        found.tree = vec![node("a/", 0, 5), node("a/b/", 1, 4), node("c/", 0, 9), node("big.zip", 0, 99)];
        let kinds =
            [ObjectKind::View, ObjectKind::Procedure, ObjectKind::Function, ObjectKind::Trigger, ObjectKind::Event];
        let object_list =
            kinds.into_iter().zip(["v", "p", "f", "t", "e"]).map(|(kind, name)| object(kind, name)).collect();
        found.dump = Some(DumpScan { object_list, objects: 5, ..DumpScan::default() });
        let shown = preview(&source, &found, &config, &Facts::default());
        let PreviewedDatabase { views, routines, triggers, events, objects, .. } = shown.database.unwrap();
        assert_eq!((views, triggers, events, objects), (vec!["v".into()], vec!["t".into()], vec!["e".into()], 5));
        assert_eq!(routines, ["p", "f"]);
        let names: Vec<String> = shown.files.top_folders.into_iter().map(|node| node.path).collect();
        assert_eq!(names, ["c/", "a/"]);
    }

    #[test]
    fn the_document_has_what_the_screen_shows() {
        let (_base, config, source) = setting();
        let mut found = examine(&source, &config, &Silent).unwrap();
        found.dump = Some(DumpScan { name: "database.sql".into(), bytes: 10, ..DumpScan::default() });
        let facts = Facts { available_bytes: Some(1), current_bytes: Some(5), ..Facts::default() };
        let shown = preview(&source, &found, &config, &facts);
        assert_eq!((shown.files.count, shown.files.by_type.php), (1, 1));
        assert_eq!((shown.database.unwrap().tables, shown.space.enough), (0, Some(false)));
        let warnings = shown.warnings.join(" ");
        assert!(warnings.contains("may be cut") && warnings.contains("Not enough space"), "{warnings}");
    }
}
