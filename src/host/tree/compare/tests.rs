use super::super::manifest::{self, Replaced, Writer};
use super::*;
use crate::config::Permissions;
use crate::path::RelPath;
use crate::progress::Silent;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use xxhash_rust::xxh3::xxh3_64;

fn policy() -> FilePolicy {
    FilePolicy::new((0, 0), Permissions::Standard)
}

/// A live tree, and a catalogue that is made from it before it is changed.
struct Site {
    folder: tempfile::TempDir,
    records: Vec<Record>,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("site")).unwrap();
        Site { folder, records: Vec::new() }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// What is there now is what the backup has.
    fn back_up(&mut self) {
        let root = std::fs::File::open(self.root()).unwrap();
        let mut records = Vec::new();
        walk(&root, &mut |visit| {
            let content = if visit.kind == Kind::File {
                std::fs::read(self.root().join(std::ffi::OsStr::from_bytes(visit.path))).unwrap()
            } else {
                Vec::new()
            };
            records.push(Record {
                path: RelPath::parse(visit.path).unwrap(),
                kind: visit.kind,
                mode: u32::from(visit.stat.stx_mode) & 0o7777,
                uid: 0,
                gid: 0,
                size: content.len() as u64,
                mtime: Some((visit.stat.stx_mtime.tv_sec, 0)),
                hash: xxh3_64(&content),
                link: if visit.kind == Kind::Symlink { visit.target().unwrap() } else { Vec::new() },
                hard_link: false,
            });
            Ok(Next::Into)
        })
        .unwrap();
        self.records = records;
    }

    fn catalogue(&self) -> File {
        let mut writer = Writer::new(manifest::create(&self.folder.path().join("catalogue")).unwrap()).unwrap();
        for record in &self.records {
            writer.append(record).unwrap();
        }
        writer.finish(&Replaced::default()).unwrap()
    }

    fn compared(&self, rules: &Rules<'_>) -> (Summary, Vec<Difference>) {
        let mut found = Vec::new();
        let sink = &mut |difference: &Difference| {
            found.push(difference.clone());
            Ok(())
        };
        let summary = compare(&self.root(), self.catalogue(), rules, sink, &Silent).unwrap();
        (summary, found)
    }

    /// Everything takes part; each difference as a line.
    fn lines(&self) -> (Summary, Vec<String>) {
        let (summary, found) =
            self.compared(&Rules { policy: policy(), checksum: false, threads: 2, fate: &|_, _| Fate::Replaced });
        (summary, lines(&found))
    }
}

fn lines(found: &[Difference]) -> Vec<String> {
    let line = |difference: &Difference| {
        let path = String::from_utf8_lossy(&difference.path).into_owned();
        let word = |what: &Unequal| serde_json::to_value(what).unwrap().as_str().unwrap().to_owned();
        let what: Vec<String> = difference.what.iter().map(word).collect();
        format!("{:?} {path} {}", difference.change, what.join("+")).trim_end().to_owned()
    };
    found.iter().map(line).collect()
}

use std::os::unix::ffi::OsStrExt;

fn set_time(path: &std::path::Path, seconds: u64) {
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    std::fs::File::open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_tree_as_it_was_backed_up_differs_in_nothing_and_no_content_is_read() {
    let mut site = Site::new();
    site.write("a/b/Cà phê sữa đá ☕.txt", "x");
    site.write("a/new\nline \"quote\" 'and' space", "y");
    symlink("b", site.root().join("a/link")).unwrap();
    site.back_up();
    let (summary, found) = site.lines();
    assert_eq!(found, Vec::<String>::new());
    assert_eq!((summary.files.same, summary.folders.same, summary.contents_read), (3, 3, 0));
}

#[test]
fn added_changed_and_removed_entries_are_told_with_what_differs() {
    let mut site = Site::new();
    for (path, content) in [("gone/f", "12"), ("size", "1"), ("content", "aaa"), ("touched", "same"), ("mode", "m")] {
        site.write(path, content);
    }
    site.write("becomes-link", "f");
    symlink("x", site.root().join("link")).unwrap();
    site.back_up();
    let root = site.root();
    std::fs::remove_dir_all(root.join("gone")).unwrap();
    site.write("size", "22");
    site.write("content", "bbb");
    for name in ["content", "touched"] {
        set_time(&root.join(name), 1_000_000_000);
    }
    std::fs::set_permissions(root.join("mode"), PermissionsExt::from_mode(0o604)).unwrap();
    std::fs::remove_file(root.join("becomes-link")).unwrap();
    symlink("/etc/passwd", root.join("becomes-link")).unwrap();
    std::fs::remove_file(root.join("link")).unwrap();
    symlink("y", root.join("link")).unwrap();
    site.write("extra folder/new\nfile", "12345");
    let (summary, found) = site.lines();
    assert_eq!(
        found,
        [
            "Changed becomes-link type",
            "Changed content content",
            "Removed extra folder",
            "Removed extra folder/new\nfile",
            "Changed link link target",
            "Changed mode mode",
            "Changed size size+content",
            "Added gone",
            "Added gone/f",
        ]
    );
    assert_eq!(summary.files, Counts { added: 1, changed: 5, removed: 1, same: 1, kept: 0 });
    assert_eq!(summary.folders, Counts { added: 1, changed: 0, removed: 1, same: 1, kept: 0 });
    assert_eq!((summary.bytes_added, summary.bytes_removed), (2, 5));
    assert_eq!(summary.contents_read, 2, "only where the time alone differs");
}

#[test]
fn a_change_that_keeps_size_and_time_is_found_only_by_checksum() {
    let mut site = Site::new();
    site.write("f", "aaaa");
    site.back_up();
    let time = std::fs::metadata(site.root().join("f")).unwrap().mtime();
    site.write("f", "bbbb");
    set_time(&site.root().join("f"), time as u64);
    assert_eq!(site.lines().1, Vec::<String>::new(), "as for rsync");
    let rules = Rules { policy: policy(), checksum: true, threads: 2, fate: &|_, _| Fate::Replaced };
    assert_eq!(lines(&site.compared(&rules).1), ["Changed f content"]);
}

#[test]
fn modes_are_compared_as_a_restore_would_set_them() {
    let mut site = Site::new();
    site.write("f", "x");
    site.back_up();
    // The archive says 0666; a restore makes it 0644, which is what is live.
    for record in &mut site.records {
        record.mode |= 0o022;
    }
    assert_eq!(site.lines().1, Vec::<String>::new());
    let preserve = FilePolicy { permissions: Permissions::Preserve, ..policy() };
    let rules = Rules { policy: preserve, checksum: false, threads: 1, fate: &|_, _| Fate::Replaced };
    assert_eq!(lines(&site.compared(&rules).1), ["Changed . mode", "Changed f mode"]);
}

#[test]
fn links_planted_in_the_live_tree_are_never_followed() {
    let mut site = Site::new();
    site.write("uploads/2024/photo.jpg", "photo");
    site.write("untouched", "x");
    site.back_up();
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(outside.path().join("2024")).unwrap();
    std::fs::write(outside.path().join("2024/photo.jpg"), "photo").unwrap();
    std::fs::write(outside.path().join("secret"), "s").unwrap();
    std::fs::remove_dir_all(site.root().join("uploads")).unwrap();
    symlink(outside.path(), site.root().join("uploads")).unwrap();
    let (summary, found) = site.lines();
    assert_eq!(found, ["Changed uploads type", "Added uploads/2024", "Added uploads/2024/photo.jpg"]);
    assert_eq!(summary.contents_read, 0);
    // Not even the root.
    let moved = site.folder.path().join("elsewhere");
    std::fs::rename(site.root(), &moved).unwrap();
    symlink(&moved, site.root()).unwrap();
    let (summary, _) = site.lines();
    assert_eq!((summary.files.added, summary.files.removed + summary.files.same), (2, 0));
}

#[test]
fn what_is_kept_is_said_once_a_folder_and_what_is_not_selected_is_not_said() {
    let mut site = Site::new();
    site.write("app/a.php", "a");
    site.write("other/b.php", "b");
    site.write("uploads/in-backup", "u");
    std::fs::create_dir(site.root().join("app/logs")).unwrap();
    site.back_up();
    site.write("app/logs/today", "1");
    site.write("app/cache/deep/1", "1234");
    site.write("app/cache/2", "56");
    site.write("app/cache-not", "x");
    site.write("planted/cache/x", "");
    site.write("other/b.php", "bb");
    site.write("uploads/in-backup", "changed");
    site.write("uploads/new", "n");
    let fate = |path: &[u8], _: bool| match path {
        b"app/cache" | b"app/logs" | b"planted/cache" => Fate::KeptIfMissing("left out by the backup"),
        b"app" => Fate::KeptIfMissing("it is in the backup all the same"),
        b"uploads" => Fate::Kept("excluded"),
        path if path.starts_with(b"uploads/") => Fate::Kept("excluded"),
        path if path.starts_with(b"other") => Fate::Untouched,
        _ => Fate::Replaced,
    };
    let (summary, found) = site.compared(&Rules { policy: policy(), checksum: false, threads: 1, fate: &fate });
    assert_eq!(
        lines(&found),
        [
            "Kept app/cache",
            "Removed app/cache-not",
            "Kept app/logs",
            "Removed planted",
            "Removed planted/cache",
            "Removed planted/cache/x",
            "Kept uploads"
        ]
    );
    assert_eq!((found[0].inside, found[0].why), ((3, 6), Some("left out by the backup")));
    assert_eq!((summary.files.kept, summary.folders.kept, summary.bytes_kept), (5, 4, 15));
    std::fs::remove_dir_all(site.root().join("uploads")).unwrap();
    std::fs::remove_dir_all(site.root().join("other")).unwrap();
    let (summary, _) = site.compared(&Rules { policy: policy(), checksum: false, threads: 1, fate: &fate });
    assert_eq!(summary.files.added + summary.folders.added, 0, "neither kept nor untouched entries are added");
}

#[test]
fn other_names_of_a_file_have_its_content_and_folders_may_be_implied() {
    let mut site = Site::new();
    site.write("d/first", "same");
    site.write("d/second", "same");
    site.write("d/third", "same");
    site.back_up();
    site.records.retain(|record| record.kind != Kind::Folder);
    for name in ["d/second", "d/third"] {
        let record = site.records.iter_mut().find(|record| record.path.as_bytes() == name.as_bytes()).unwrap();
        (record.hard_link, record.link, record.size, record.hash) = (true, b"d/first".to_vec(), 0, 0);
    }
    site.write("d/third", "other");
    let (summary, found) = site.lines();
    assert_eq!(found, ["Changed d/third size+content"]);
    assert_eq!((summary.files.same, summary.folders.same), (2, 1));
}

#[test]
fn a_missing_root_is_an_empty_one_and_a_damaged_catalogue_is_refused() {
    let mut site = Site::new();
    site.write("a/f", "x");
    site.back_up();
    std::fs::remove_dir_all(site.root()).unwrap();
    assert_eq!(site.lines().1, ["Added a", "Added a/f"]);
    let path = site.folder.path().join("catalogue");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let rules = Rules { policy: policy(), checksum: false, threads: 1, fate: &|_, _| Fate::Replaced };
    let error = compare(&site.root(), File::open(&path).unwrap(), &rules, &mut |_| Ok(()), &Silent).unwrap_err();
    assert_eq!(error.code, Code::JournalCorrupt);
}

#[test]
fn thousands_of_contents_are_compared_in_the_order_of_the_walk() {
    let mut site = Site::new();
    for n in 0..3000 {
        site.write(&format!("f{n:04}"), "before");
    }
    site.back_up();
    for n in 0..3000 {
        if n % 3 == 0 {
            site.write(&format!("f{n:04}"), "after!");
        }
        set_time(&site.root().join(format!("f{n:04}")), 1_000_000_000);
    }
    let (summary, found) = site.lines();
    assert_eq!((summary.contents_read, summary.files.changed, summary.files.same), (3000, 1000, 2000));
    assert!(found.is_sorted());
}
