//! The document root: the catalogue of the backup against the live tree, as the request selects it.

use super::pages::Pages;
use crate::backup::source::Source;
use crate::clock;
use crate::config::Config;
use crate::engine::stage;
use crate::error::{IoContext, Result};
use crate::host::tree::compare::{Change, Difference, Fate, Rules, Side, Summary, compare};
use crate::host::tree::manifest::Reader;
use crate::host::tree::{FilePolicy, Kind};
use crate::path::RelPath;
use crate::plan::keep::{KeepRule, Reason};
use crate::plan::selection::{Paths, Selection};
use crate::progress::Monitor;
use serde_json::{Value, json};
use std::fs::File;

/// The backup's side.
pub struct Backup<'a> {
    /// The backup.
    pub source: &'a Source,
    /// Its entries.
    pub catalogue: File,
    /// Folders that its writer leaves out.
    pub left_out: &'a [&'a str],
}

/// Compares; differences go to `pages`.
///
/// # Errors
/// As [`compare()`]; `backup_incomplete` for a pattern that names nothing in the backup.
pub fn changes(
    config: &Config,
    Backup { source, catalogue, left_out }: Backup<'_>,
    selection: &Selection,
    checksum: bool,
    mut pages: Pages,
    monitor: &dyn Monitor,
) -> Result<Value> {
    let paths = selection.paths()?;
    require_matches(&paths, &catalogue, source)?;
    let rule = KeepRule::new(left_out, &paths, selection.exact);
    let rules = Rules {
        policy: FilePolicy::from_config(&config.files)?,
        checksum,
        threads: config.parallelism(),
        fate: &|path, is_folder| fate(path, is_folder, &paths, &rule, selection.exact),
    };
    let root = config.paths.document_root(&source.site.domain);
    let sink = &mut |difference: &Difference| pages.push(entry(difference));
    let summary = compare(&root, catalogue, &rules, sink, monitor)?;
    let (count, first) = pages.finish()?;
    Ok(document(&summary, checksum, count, first))
}

/// A pattern that names nothing in the backup is a mistake, not an empty wish.
fn require_matches(paths: &Paths, catalogue: &File, source: &Source) -> Result<()> {
    let Some(only) = &paths.only else { return Ok(()) };
    let mut reader = Reader::new(catalogue.try_clone().doing(|| "read the catalogue".into())?)?;
    while let Some(record) = reader.next_record()? {
        only.covers(&record.path, record.kind == Kind::Folder);
    }
    only.settle();
    stage::require_used("files", only.unused(), source)
}

/// What the restore of this selection does with a path.
fn fate(path: &[u8], is_folder: bool, paths: &Paths, rule: &KeepRule<'_>, exact: bool) -> Fate {
    if paths.only.is_none() && rule.is_empty() {
        return Fate::Replaced;
    }
    // A path no archive could hold was not selected, and is no folder that a backup leaves out.
    let Ok(path) = RelPath::parse(path) else {
        return if paths.only.is_some() { Fate::Untouched } else { Fate::Replaced };
    };
    let unit = match &paths.only {
        None => None,
        Some(only) => match only.unit(&path, is_folder) {
            None => return Fate::Untouched,
            unit => unit,
        },
    };
    match rule.keeps(&path, is_folder) {
        Some(Reason::Excluded) => Fate::Kept("the request excludes it"),
        Some(Reason::LeftOut) => Fate::KeptIfMissing("such folders are left out of this kind of backup"),
        None if unit.as_ref() == Some(&path) && !exact => Fate::KeptIfMissing("it is selected, and not in the backup"),
        None => Fate::Replaced,
    }
}

fn document(summary: &Summary, checksum: bool, count: u64, first: Vec<Value>) -> Value {
    json!({
        "added": summary.files.added,
        "changed": summary.files.changed,
        "removed": summary.files.removed,
        "same": summary.files.same,
        "kept": summary.files.kept,
        "folders": summary.folders,
        "bytes_added": summary.bytes_added,
        "bytes_changed": summary.bytes_changed,
        "bytes_removed": summary.bytes_removed,
        "bytes_kept": summary.bytes_kept,
        "other_owner": summary.other_owner,
        "compared_by": if checksum { "content" } else { "size and time, content where the time differs" },
        "contents_read": summary.contents_read,
        "bytes_read": summary.bytes_read,
        "total": count,
        "entries": first,
    })
}

fn entry(difference: &Difference) -> Value {
    let kind = difference.live.or(difference.backup).map(|side| word(side.kind));
    let mut entry = json!({
        "path": String::from_utf8_lossy(&difference.path),
        "change": match difference.change {
            Change::Added => "added",
            Change::Changed => "changed",
            Change::Removed => "removed",
            Change::Kept => "kept",
        },
        "type": kind,
    });
    // A name that is no text can still be told apart, and asked for.
    if std::str::from_utf8(&difference.path).is_err() {
        entry["path_hex"] = json!(crate::backup::source::hex(&difference.path));
    }
    if !difference.what.is_empty() {
        entry["what"] = json!(difference.what);
    }
    for (name, side) in [("backup", &difference.backup), ("live", &difference.live)] {
        if let Some(side) = side {
            entry[name] = side_document(side);
        }
    }
    if let Some(why) = difference.why {
        entry["why"] = json!(why);
        let is_folder = difference.live.is_some_and(|side| side.kind == Kind::Folder);
        if is_folder {
            (entry["inside"], entry["bytes"]) = (json!(difference.inside.0), json!(difference.inside.1));
        }
    }
    entry
}

fn side_document(side: &Side) -> Value {
    let mut document = json!({"type": word(side.kind)});
    if side.kind == Kind::File {
        document["size"] = json!(side.size);
        document["mtime"] = json!(side.mtime.and_then(clock::at));
    }
    if matches!(side.kind, Kind::File | Kind::Folder) {
        document["mode"] = json!(format!("{:04o}", side.mode));
    }
    document
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Folder => "folder",
        Kind::Symlink => "link",
        Kind::Special => "special",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;

    fn fate_of(request: &str, left_out: &[&str], path: &str, is_folder: bool) -> Fate {
        let request: api::Restore = api::parse(&format!(r#"{{"domain":"a.com",{request}}}"#)).unwrap();
        let selection = Selection::of(&request).unwrap();
        let paths = selection.paths().unwrap();
        let rule = KeepRule::new(left_out, &paths, selection.exact);
        fate(path.as_bytes(), is_folder, &paths, &rule, selection.exact)
    }

    #[test]
    fn only_what_is_selected_is_compared_and_what_is_kept_is_said() {
        let all = r#""backup":"latest""#;
        let part = r#""components":{"files":["wp-content/uploads","*.php"]}"#;
        assert_eq!(fate_of(all, &[], "x/cache", true), Fate::Replaced);
        assert!(matches!(fate_of(all, &["cache"], "x/cache", true), Fate::KeptIfMissing(_)));
        assert_eq!(fate_of(r#""options":{"exact":true}"#, &["cache"], "x/cache", true), Fate::Replaced);
        assert!(matches!(fate_of(r#""exclude":{"files":["x"]}"#, &[], "x/y", false), Fate::Kept(_)));
        assert_eq!(fate_of(part, &[], "wp-admin/x", false), Fate::Untouched);
        assert_eq!(fate_of(part, &[], "", true), Fate::Untouched);
        assert_eq!(
            fate_of(part, &[], "wp-content/uploads/new.jpg", false),
            Fate::Replaced,
            "the folder goes as a whole"
        );
        assert!(matches!(fate_of(part, &[], "shell.php", false), Fate::KeptIfMissing(_)), "a file that only lives");
        assert_eq!(fate_of(part, &[], "../x", false), Fate::Untouched);
    }

    #[test]
    fn an_entry_says_what_differs_and_names_of_any_bytes_are_told() {
        let side = Side { kind: Kind::File, size: 3, mode: 0o640, mtime: Some(0) };
        let shown = entry(&Difference {
            path: b"a\xff\n".to_vec(),
            change: Change::Changed,
            what: vec!["size", "content"],
            backup: Some(side),
            live: Some(Side { kind: Kind::Folder, ..side }),
            why: None,
            inside: (0, 0),
        });
        assert_eq!((shown["path_hex"].as_str(), shown["backup"]["mode"].as_str()), (Some("61ff0a"), Some("0640")));
        assert_eq!((&shown["type"], &shown["live"]["size"]), (&json!("folder"), &Value::Null));
    }
}
