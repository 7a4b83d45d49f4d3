//! The document root: compares the catalogue of the backup with the live tree, as the request selects it.

use super::pages::Pages;
use crate::api::answer::comparison::{self as api, FileChanges, FileEntry, FileSide, FileType};
use crate::backup::source::Source;
use crate::clock;
use crate::config::Config;
use crate::engine::unused::require_used;
use crate::error::{IoContext, Result};
use crate::host::tree::compare::{Change, Difference, Fate, Rules, Side, compare};
use crate::host::tree::manifest::Reader;
use crate::host::tree::{FilePolicy, Kind};
use crate::path::RelPath;
use crate::plan::keep::{KeepRule, Reason};
use crate::plan::selection::{Paths, Selection};
use crate::progress::Monitor;
use crate::text::hex;
use std::fs::File;

const BY_CONTENT: &str = "content";
const BY_TIME: &str = "size and time, content where the time differs";

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
    mut pages: Pages<FileEntry>,
    monitor: &dyn Monitor,
) -> Result<FileChanges> {
    let paths = selection.paths()?;
    require_matches(&paths, &catalogue, source)?;
    let rule = KeepRule::new(left_out, &paths, selection.exact);
    let rules = Rules {
        policy: FilePolicy::from_config(&config.files)?,
        checksum,
        threads: config.parallelism(),
        fate: &|path, is_folder| fate(path, is_folder, &paths, &rule, selection.exact),
    };
    let sink = &mut |difference: &Difference| pages.push(entry(difference));
    let summary = compare(source.target(), catalogue, &rules, sink, monitor)?;
    let (total, entries) = pages.finish()?;
    Ok(FileChanges {
        files: summary.files,
        folders: summary.folders,
        bytes_added: summary.bytes_added,
        bytes_changed: summary.bytes_changed,
        bytes_removed: summary.bytes_removed,
        bytes_kept: summary.bytes_kept,
        compared_by: if checksum { BY_CONTENT } else { BY_TIME }.to_owned(),
        contents_read: summary.contents_read,
        bytes_read: summary.bytes_read,
        total,
        entries,
    })
}

/// Refuses a pattern that names nothing in the backup: it is a mistake, and does not mean an empty selection.
fn require_matches(paths: &Paths, catalogue: &File, source: &Source) -> Result<()> {
    let Some(only) = &paths.only else { return Ok(()) };
    let mut reader = Reader::new(catalogue.try_clone().doing(|| "read the catalogue".into())?)?;
    while let Some(record) = reader.next_record()? {
        only.covers(&record.path, record.kind == Kind::Folder);
    }
    only.settle();
    require_used("files", only.unused(), source)
}

/// The fate of a path in the restore of this selection.
fn fate(path: &[u8], is_folder: bool, paths: &Paths, rule: &KeepRule<'_>, exact: bool) -> Fate {
    if paths.only.is_none() && rule.is_empty() {
        return Fate::Replaced;
    }
    // A path that no archive can hold was not selected, and is no folder that a backup leaves out.
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

fn entry(difference: &Difference) -> FileEntry {
    let (backup, live) = (difference.backup.as_ref(), difference.live.as_ref());
    let is_kept_folder = difference.why.is_some() && live.is_some_and(|side| side.kind == Kind::Folder);
    let inside = is_kept_folder.then_some(difference.inside);
    FileEntry {
        path: String::from_utf8_lossy(&difference.path).into_owned(),
        change: match difference.change {
            Change::Added => api::Change::Added,
            Change::Changed => api::Change::Changed,
            Change::Removed => api::Change::Removed,
            Change::Kept => api::Change::Kept,
        },
        kind: live.or(backup).map_or(FileType::Special, |side| file_type(side.kind)),
        // By its bytes in hex a name that is no text can still be told from others, and be asked for.
        path_hex: std::str::from_utf8(&difference.path).is_err().then(|| hex(&difference.path)),
        what: difference.what.clone(),
        backup: backup.map(file_side),
        live: live.map(file_side),
        why: difference.why.map(str::to_owned),
        inside: inside.map(|(entries, _)| entries),
        bytes: inside.map(|(_, bytes)| bytes),
    }
}

fn file_side(side: &Side) -> FileSide {
    let (is_file, has_mode) = (side.kind == Kind::File, matches!(side.kind, Kind::File | Kind::Folder));
    FileSide {
        kind: file_type(side.kind),
        size: is_file.then_some(side.size),
        mtime: is_file.then(|| side.mtime.and_then(clock::at)),
        mode: has_mode.then(|| format!("{:04o}", side.mode)),
    }
}

fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::File => FileType::File,
        Kind::Folder => FileType::Folder,
        Kind::Symlink => FileType::Link,
        Kind::Special => FileType::Special,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::answer::comparison::Unequal;
    use crate::api::request::{Restore, parse};

    fn fate_of(request: &str, left_out: &[&str], path: &str, is_folder: bool) -> Fate {
        let request: Restore = parse(&format!(r#"{{"domain":"a.com",{request}}}"#)).unwrap();
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
            what: vec![Unequal::Size, Unequal::Content],
            backup: Some(side),
            live: Some(Side { kind: Kind::Folder, ..side }),
            why: None,
            inside: (0, 0),
        });
        assert_eq!(shown.path_hex.as_deref(), Some("61ff0a"));
        assert_eq!(shown.backup.unwrap().mode.as_deref(), Some("0640"));
        assert_eq!((shown.kind, shown.live.unwrap().size), (FileType::Folder, None));
        assert_eq!((shown.inside, shown.why), (None, None));
    }

    #[test]
    fn a_folder_that_is_kept_says_why_and_how_much_is_in_it() {
        let side = Side { kind: Kind::Folder, size: 0, mode: 0o755, mtime: None };
        let kept = |live: Side| {
            entry(&Difference {
                path: b"cache".to_vec(),
                change: Change::Kept,
                what: Vec::new(),
                backup: None,
                live: Some(live),
                why: Some("so"),
                inside: (3, 40),
            })
        };
        let folder = kept(side);
        assert_eq!((folder.why.as_deref(), folder.inside, folder.bytes), (Some("so"), Some(3), Some(40)));
        let file = kept(Side { kind: Kind::File, ..side });
        assert_eq!((file.inside, file.bytes, file.live.unwrap().mtime), (None, None, Some(None)));
    }
}
