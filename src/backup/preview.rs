//! The document of `rv_preview_backup`: everything the preview screen shows, from one reading or its cached result.

use crate::backup::catalogue::{self, Draft};
use crate::backup::index::{Finding, Fingerprint, Index};
use crate::backup::layout::ConfigItem;
use crate::backup::list::{BackupInfo, Integrity};
use crate::backup::meta::Meta;
use crate::backup::name::{Kind, human_size};
use crate::backup::scan::{Scan, scan_into};
use crate::backup::source::Source;
use crate::config::Config;
use crate::error::{Code, Error, IoContext, Result};
use crate::progress::{Level, Monitor};
use crate::siteconf;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fs::File;

/// A filesystem stores whole blocks: half of one is lost a file, on average.
const BLOCK: u64 = 4096;
/// Loaded rows and their keys take about this many times the bytes of their dump.
const DATABASE_FACTOR: u64 = 2;

/// What only the machine knows, given by the caller.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Name of the live schema.
    pub schema: Option<String>,
    /// Bytes the live site takes now, files and database.
    pub current_bytes: Option<u64>,
    /// Bytes free where the site is staged.
    pub available_bytes: Option<u64>,
    /// Expected seconds a component.
    pub estimate: Option<Estimate>,
}

/// Expected seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Files.
    pub files_s: f64,
    /// Database.
    pub database_s: f64,
    /// Configuration.
    pub config_s: f64,
    /// All together; files and database run side by side.
    pub total_s: f64,
}

/// What is in the source: from the index when nothing changed since it was read, else by reading it now.
///
/// # Errors
/// Those of [`scan()`](crate::backup::scan::scan).
pub fn examine(source: &Source, config: &Config, monitor: &dyn Monitor) -> Result<Scan> {
    match cached(source, config) {
        Some(found) => Ok(found),
        None => read(source, config, monitor),
    }
}

/// The same with the backup's catalogue, which is made again where it was lost; `None` where none can be kept.
///
/// # Errors
/// Those of [`scan()`](crate::backup::scan::scan).
pub fn examine_entries(source: &Source, config: &Config, monitor: &dyn Monitor) -> Result<(Scan, Option<File>)> {
    if let Some(found) = cached(source, config)
        && let Some(catalogue) = catalogue::open(config, source)
    {
        return Ok((found, Some(catalogue)));
    }
    let found = read(source, config, monitor)?;
    Ok((found, catalogue::open(config, source)))
}

/// Reads the source whole. A sound reading and a damaged archive are both remembered.
fn read(source: &Source, config: &Config, monitor: &dyn Monitor) -> Result<Scan> {
    let warn = |what: &str, error: &Error| monitor.event(Level::Warn, &format!("{what} was not written: {error}"));
    // From before the reading: what is written to a file meanwhile makes the finding one of another file.
    let files = Fingerprint::all(source).doing(|| format!("read {}", source.path.display()))?;
    let begun = Draft::begin(config, source, &files);
    let mut draft = begun.inspect_err(|error| warn("the catalogue of the backup", error)).ok();
    let mut result = scan_into(source, config, &mut draft, monitor);
    if let Ok(found) = &mut result {
        tell_meanings(found, source, config);
    }
    let finding = match &result {
        Ok(found) => Ok(found),
        Err(error) if error.code == Code::BackupCorrupt => Err(error.message.as_str()),
        Err(_) => return result,
    };
    if let Err(error) = Index::store(config, &Finding { source, files, result: finding }, draft) {
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
            file.meaning = siteconf::describe(&[placed])[0].take();
        }
    }
}

/// The document.
pub fn document(source: &Source, info: Option<&BackupInfo>, found: &Scan, config: &Config, facts: &Facts) -> Value {
    let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let required = required_bytes(found, config);
    json!({
        "backup": {
            "path": source.path,
            "name": name,
            "date": info.map(|info| info.date.clone()).or(source.stamp.map(|stamp| stamp.to_string())),
            "size": source.packed_bytes(),
            "size_text": human_size(source.packed_bytes()),
            "compression": if source.parts.first().is_some_and(|part| part.gzip) { "gzip" } else { "none" },
            "integrity": Integrity::Valid,
            "kind": source.kind,
            "base": info.and_then(|info| info.base.clone()),
            "layout": found.layout,
            "domain": source.site.domain,
        },
        "files": {
            "count": found.files,
            "folders": found.folders,
            "links": found.links,
            "bytes": found.bytes,
            "bytes_text": human_size(found.bytes),
            "by_type": found.by_type,
            "document_root": config.paths.document_root(&source.site.domain),
            "tree": found.tree,
            "application": found.application,
        },
        "database": found.dump.as_ref().map(|dump| json!({
            "name": facts.schema,
            "dump": dump.name,
            "bytes": dump.bytes,
            "bytes_text": human_size(dump.bytes),
            "tables": dump.tables.len(),
            "rows": dump.rows(),
            "objects": dump.objects,
            "complete": dump.complete,
            "table_list": dump.tables,
        })),
        "config": found.config.iter().map(|file| json!({
            "item": file.item,
            "name": file.name,
            "size": file.size,
            "meaning": file.meaning,
        })).collect::<Vec<_>>(),
        "estimate": facts.estimate,
        "space": {
            "current_used": facts.current_bytes,
            "backup_size": source.packed_bytes(),
            "unpacked": found.bytes + found.dump.as_ref().map_or(0, |dump| dump.bytes),
            // The old tree and the old tables are kept where they are: nothing is copied for the snapshot.
            "snapshot": 0,
            "required": required,
            "available": facts.available_bytes,
            "enough": facts.available_bytes.map(|free| free >= required),
        },
        "warnings": warnings(source, found, facts, required),
    })
}

fn warnings(source: &Source, found: &Scan, facts: &Facts, required: u64) -> Vec<String> {
    let mut list = Vec::new();
    if !found.seen.root {
        list.push("The backup holds no files of the site.".to_owned());
    }
    match &found.dump {
        None => list.push("The backup holds no database.".to_owned()),
        Some(dump) if !dump.complete => {
            list.push(format!("{} does not end with the line of a finished dump; it may be cut.", dump.name))
        }
        Some(_) => {}
    }
    if found.config.is_empty() {
        list.push("The backup holds no configuration.".to_owned());
    } else if found.seen.config.contains(&ConfigItem::Ssl) && !has_pair(found) {
        list.push("The backup holds a certificate without its key, or a key without its certificate.".to_owned());
    }
    let meta = Meta::beside(&source.path);
    let said = meta.contradictions(source.site.domain.as_str(), source.parts[0].identity.size, Some(found.files));
    list.extend(said.into_iter().map(|said| format!("The archive is the truth, but {said}.")));
    if found.specials > 0 {
        list.push(format!("{} devices, FIFOs or sockets in it will not be restored.", found.specials));
    }
    if found.layout.as_deref() == Some("smart_full") {
        list.push(
            "Its writer leaves out cache, log, vendor, node_modules and .git folders and, for WordPress, some tables."
                .to_owned(),
        );
    }
    if source.kind == Kind::Incremental {
        list.push("Deletions between incremental backups are not recorded.".to_owned());
    }
    let strange: Vec<&String> = found.seen.others.iter().take(5).collect();
    if !strange.is_empty() && found.layout.as_deref() != Some("all_domains") {
        let names: Vec<&str> = strange.iter().map(|name| name.as_str()).collect();
        list.push(format!("Not restored, because it belongs to no component: {}.", names.join(", ")));
    }
    if facts.available_bytes.is_some_and(|free| free < required) {
        list.push(format!("Not enough space: {} needed.", human_size(required)));
    }
    list
}

fn has_pair(found: &Scan) -> bool {
    let named = |part: &str| found.config.iter().any(|file| file.item == ConfigItem::Ssl && file.name.contains(part));
    named("key") && (named("cert") || named("chain"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::layout::Site;
    use crate::backup::scan::DumpScan;
    use crate::backup::source::{Form, Part, Role};
    use crate::path::Domain;
    use crate::progress::Silent;

    fn setting() -> (tempfile::TempDir, Config, Source) {
        let base = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.paths.base = base.path().to_owned();
        let folder = config.paths.backups().join("example.com");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("backup_20251004_030000.tar.gz");
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        builder.append_data(&mut header, "www/a.php", &b"x"[..]).unwrap();
        std::fs::write(&path, builder.into_inner().unwrap()).unwrap();
        let domain = Domain::parse("example.com").unwrap();
        let site = Site::new(&config, &domain);
        let part = Part::open(&path, Role::Archive).unwrap();
        let parts = vec![part];
        let source = Source { form: Form::Backup, path, stamp: None, kind: Kind::Full, parts, layout: None, site };
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
    fn the_document_has_what_the_screen_shows() {
        let (_base, config, source) = setting();
        let mut found = examine(&source, &config, &Silent).unwrap();
        found.dump = Some(DumpScan { name: "database.sql".into(), bytes: 10, ..DumpScan::default() });
        let facts = Facts { available_bytes: Some(1), current_bytes: Some(5), ..Facts::default() };
        let shown = document(&source, None, &found, &config, &facts);
        assert_eq!(shown["files"]["count"], 1);
        assert_eq!(shown["files"]["by_type"]["php"], 1);
        assert_eq!(shown["database"]["tables"], 0);
        assert_eq!(shown["space"]["enough"], false);
        let warnings = shown["warnings"].to_string();
        assert!(warnings.contains("may be cut") && warnings.contains("Not enough space"), "{warnings}");
    }
}
