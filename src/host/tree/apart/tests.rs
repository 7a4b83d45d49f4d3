use super::*;
use crate::archive::{Entry, EntryKind};
use crate::config::Permissions;
use crate::host::tree::change::Toward;
use crate::host::tree::look::{change_looks, looks_back};
use crate::host::tree::{
    Extent, FilePolicy, Sample, TreeOptions, TreeReport, TreeSummary, TreeWriter, exchange_units, manifest,
    open_folder, verify,
};
use crate::progress::Silent;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const LARGE: usize = (1 << 20) + 7;
const TIME: i64 = 1_700_000_000;

/// A live tree, and a staged one that is written from a backup of it.
struct Sides {
    folder: tempfile::TempDir,
}

fn content(name: &str) -> Vec<u8> {
    let size = if name.ends_with("large") { LARGE } else { 40 };
    name.bytes().cycle().take(size).collect()
}

fn set_time(path: &std::path::Path, seconds: i64) {
    let time = SystemTime::UNIX_EPOCH + Duration::new(seconds as u64, 123_456_789);
    File::open(path).unwrap().set_modified(time).unwrap();
}

impl Sides {
    const FILES: [&str; 6] = ["a", "one/b", "one/large", "one/two/c", "two/d", "two/large"];
    const FOLDERS: [&str; 3] = ["one", "one/two", "two"];

    fn new() -> Sides {
        let sides = Sides { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(sides.at("live/one/two")).unwrap();
        std::fs::create_dir(sides.at("live/two")).unwrap();
        std::fs::create_dir(sides.at("staged")).unwrap();
        for name in Sides::FILES {
            sides.put(name, &content(name));
        }
        for name in Sides::FOLDERS.into_iter().chain([""]) {
            std::fs::set_permissions(sides.live(name), PermissionsExt::from_mode(0o755)).unwrap();
            set_time(&sides.live(name), TIME);
        }
        sides
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn live(&self, name: &str) -> PathBuf {
        self.at("live").join(name)
    }

    fn staged(&self, name: &str) -> PathBuf {
        self.at("staged").join(name)
    }

    /// Writes a live file with the mode and time that the backup has.
    fn put(&self, name: &str, content: &[u8]) {
        let path = self.live(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        set_time(&path, TIME);
    }

    fn open(&self, side: &str) -> OwnedFd {
        open_folder(&self.at(side)).unwrap()
    }

    /// Stages the backup; `more` adds to it.
    fn stage(&self, limit: u64, more: impl FnOnce(&mut TreeWriter)) -> TreeSummary {
        let here = std::fs::metadata(self.folder.path()).unwrap();
        let policy = FilePolicy::new((here.uid(), here.gid()), Permissions::Standard);
        let options = TreeOptions {
            live: Some(Arc::new(self.open("live"))),
            compares: Some(limit),
            ..TreeOptions::new(policy, 2)
        };
        let record = manifest::create(&self.at("manifest")).unwrap();
        let mut writer = TreeWriter::create(self.open("staged"), options, record, Arc::new(Silent)).unwrap();
        let path = |name: &str| RelPath::parse(name.as_bytes()).unwrap();
        for name in ["", "one", "one/two", "two"] {
            let entry = Entry { kind: EntryKind::Folder, mode: 0o755, mtime: (TIME, 0), ..Entry::file(name, 0) };
            writer.add(path(name), &entry, &mut &b""[..]).unwrap();
        }
        for name in Sides::FILES {
            let content = content(name);
            let entry = Entry { mtime: (TIME, 0), ..Entry::file(name, content.len() as u64) };
            writer.add(path(name), &entry, &mut content.as_slice()).unwrap();
        }
        more(&mut writer);
        writer.finish().unwrap()
    }

    fn take(&self, takes_out: bool) -> Apart {
        apart((self.open("live"), self.open("staged")), &Passed::default(), takes_out, &Silent).unwrap()
    }

    fn apart(&self) -> Apart {
        self.take(false)
    }

    fn exchange(&self, units: &[Unit], looks: &[FolderChange], toward: Toward) {
        exchange_units((self.open("live"), self.open("staged")), units, looks, toward).unwrap();
    }

    fn verify(&self, side: &str, live: bool) -> TreeReport {
        let extent = Extent { live: live.then(|| Arc::new(self.open("live"))), ..Extent::default() };
        let record = File::open(self.at("manifest")).unwrap();
        verify(self.open(side), record, &extent, Sample::Full, 2, None, &Silent).unwrap()
    }
}

fn paths(apart: &Apart) -> Vec<String> {
    let mut paths: Vec<String> = apart.units.iter().map(|unit| unit.path.to_string()).collect();
    paths.sort();
    paths
}

#[test]
fn a_tree_that_is_live_already_is_not_written_and_nothing_is_exchanged() {
    let sides = Sides::new();
    let summary = sides.stage(10, |_| {});
    assert_eq!(summary.unchanged, 6);
    let found = sides.apart();
    assert_eq!((found.units.len(), found.folders.len(), found.obstacle), (0, 0, None));
    assert_eq!(found.same, (6, (4 * 40 + 2 * LARGE) as u64));
    assert!(sides.verify("staged", false).is_good());
    assert_eq!(sides.take(true).units.len(), 0);
    for name in Sides::FILES {
        let stat = std::fs::metadata(sides.live(name)).unwrap();
        assert_eq!((stat.nlink(), stat.mtime_nsec()), (1, 123_456_789), "{name}");
    }
}

#[test]
fn whatever_differs_is_written_and_comes_and_goes_with_the_folders_around_it() {
    type Change = (&'static str, fn(&Sides), &'static [&'static str]);
    let touched: fn(&Sides) = |sides| {
        let mut other = content("two/large");
        other[LARGE - 1] ^= 1;
        sides.put("two/large", &other);
    };
    let changes: [Change; 16] = [
        ("a byte, size and time kept", |sides| sides.put("one/b", &[b'x'; 40]), &["one/b"]),
        ("the last byte of a large file", touched, &["two/large"]),
        (
            "the first byte of a large file",
            |sides| {
                let mut other = content("two/large");
                other[0] ^= 1;
                sides.put("two/large", &other);
            },
            &["two/large"],
        ),
        ("size", |sides| sides.put("a", b"x"), &["a"]),
        ("mode", |sides| std::fs::set_permissions(sides.live("a"), PermissionsExt::from_mode(0o666)).unwrap(), &["a"]),
        (
            "set-user-id",
            |sides| {
                std::fs::set_permissions(sides.live("a"), PermissionsExt::from_mode(0o4644)).unwrap();
            },
            &["a"],
        ),
        ("time", |sides| set_time(&sides.live("a"), TIME + 1), &["a"]),
        ("a name more of the file", |sides| std::fs::hard_link(sides.live("a"), sides.at("other")).unwrap(), &["a"]),
        (
            "an attribute",
            |sides| {
                let file = File::open(sides.live("a")).unwrap();
                let flags = XattrFlags::empty();
                rustix::fs::fsetxattr(&file, "user.x", b"1", flags).unwrap();
            },
            &["a"],
        ),
        ("a file that is gone", |sides| std::fs::remove_file(sides.live("one/b")).unwrap(), &["one/b"]),
        ("a folder that is gone", |sides| std::fs::remove_dir_all(sides.live("one")).unwrap(), &["one"]),
        ("a file more", |sides| std::fs::write(sides.live("one/two/shell.php"), "x").unwrap(), &["one/two/shell.php"]),
        ("a folder more", |sides| std::fs::create_dir_all(sides.live("more/deep")).unwrap(), &["more"]),
        (
            "a link in a file's place",
            |sides| {
                std::fs::rename(sides.live("a"), sides.at("other")).unwrap();
                symlink(sides.at("other"), sides.live("a")).unwrap();
            },
            &["a"],
        ),
        (
            "a link in a folder's place",
            |sides| {
                std::fs::rename(sides.live("two"), sides.at("other")).unwrap();
                symlink(sides.at("other"), sides.live("two")).unwrap();
            },
            &["two"],
        ),
        (
            "a folder in a file's place",
            |sides| {
                std::fs::remove_file(sides.live("a")).unwrap();
                std::fs::create_dir(sides.live("a")).unwrap();
            },
            &["a"],
        ),
    ];
    for (what, change, expected) in changes {
        let sides = Sides::new();
        let before = crate::host::tree::digest(sides.open("live")).unwrap();
        change(&sides);
        let damaged = crate::host::tree::digest(sides.open("live")).unwrap();
        sides.stage(10, |_| {});
        let found = sides.apart();
        assert_eq!(
            (paths(&found), &found.obstacle),
            (expected.iter().map(|name| (*name).to_owned()).collect(), &None),
            "{what}"
        );
        assert_eq!(paths(&sides.take(true)), paths(&found), "{what}");
        // Twice each way: a step may be begun anew.
        for _ in 0..2 {
            sides.exchange(&found.units, &found.folders, Toward::New);
        }
        let after = crate::host::tree::digest(sides.open("live")).unwrap();
        assert_eq!(after, before, "{what}: restored");
        let report = sides.verify("live", false);
        assert!(report.is_good(), "{what}: {report:?}");
        for name in Sides::FOLDERS.into_iter().chain([""]) {
            assert_eq!(std::fs::metadata(sides.live(name)).unwrap().mtime(), TIME, "{what}: the time of {name:?}");
        }
        let back = looks_back(sides.open("live"), &found.folders).unwrap();
        for (there, back) in found.folders.iter().zip(&back) {
            assert_eq!(
                (back.new, back.old.owner, back.old.mode),
                (there.old, there.new.owner, there.new.mode),
                "{what}"
            );
        }
        for _ in 0..2 {
            sides.exchange(&found.units, &found.folders, Toward::Old);
        }
        let again = crate::host::tree::digest(sides.open("live")).unwrap();
        assert_eq!(again, damaged, "{what}: and back");
        for name in Sides::FILES {
            let stat = std::fs::symlink_metadata(sides.live(name));
            assert!(
                stat.is_err()
                    || stat.is_ok_and(|stat| !stat.is_file() || stat.nlink() == 1 || what.starts_with("a name")),
                "{what}: {name}"
            );
        }
    }
}

#[test]
fn a_folder_alone_that_looks_otherwise_gets_its_look_back() {
    let sides = Sides::new();
    std::fs::set_permissions(sides.live("one/two"), PermissionsExt::from_mode(0o777)).unwrap();
    set_time(&sides.live("two"), TIME + 5);
    sides.stage(10, |_| {});
    let found = sides.apart();
    assert_eq!(paths(&found), [""; 0]);
    let looks: Vec<(String, u32, i64)> =
        found.folders.iter().map(|folder| (folder.path.to_string(), folder.old.mode, folder.old.mtime.0)).collect();
    assert!(looks.contains(&("one/two".into(), 0o777, TIME)) && looks.contains(&("two".into(), 0o755, TIME + 5)));
    // One in whose place another one stands is not touched.
    std::fs::rename(sides.live("two"), sides.at("gone")).unwrap();
    std::fs::create_dir(sides.live("two")).unwrap();
    std::fs::set_permissions(sides.live("two"), PermissionsExt::from_mode(0o700)).unwrap();
    change_looks(sides.open("live"), &found.folders, Toward::New).unwrap();
    let mode = |name: &str| std::fs::metadata(sides.live(name)).unwrap().mode() & 0o7777;
    assert_eq!((mode("one/two"), mode("two")), (0o755, 0o700));
    change_looks(sides.open("live"), &found.folders, Toward::Old).unwrap();
    assert_eq!(mode("one/two"), 0o777);
}

#[test]
fn a_tree_that_is_exchanged_as_a_whole_shares_no_file_with_the_live_one() {
    let sides = Sides::new();
    sides.put("one/b", &[b'x'; 40]);
    // Comparing ends with the first that differs, but for what is under way.
    let summary = sides.stage(0, |_| {});
    assert!(summary.unchanged < 6, "{summary:?}");
    let stays = HashSet::from([RelPath::parse(b"two").unwrap()]);
    let sides = Sides::new();
    sides.stage(10, |_| {});
    make_all_own(sides.open("staged"), &stays, &Silent).unwrap();
    let links = |name: &str| std::fs::metadata(sides.live(name)).unwrap().nlink();
    assert_eq!((links("a"), links("one/large"), links("two/d")), (1, 1, 2));
    std::fs::write(sides.live("a"), "written by the site").unwrap();
    let report = sides.verify("staged", false);
    assert!(report.is_good(), "{report:?}");
    assert_eq!(std::fs::read(sides.staged("one/large")).unwrap(), content("one/large"));
}

#[test]
fn two_names_of_one_file_are_never_names_of_a_live_one() {
    let sides = Sides::new();
    std::fs::write(sides.live("one/e"), content("a")).unwrap();
    let summary = sides.stage(10, |writer| {
        let target = RelPath::parse(b"a").unwrap();
        writer.add_hard_link(RelPath::parse(b"one/e").unwrap(), &target).unwrap();
    });
    assert_eq!(summary.hard_links, 1);
    assert!(sides.verify("staged", false).is_good());
    assert_eq!(std::fs::metadata(sides.live("a")).unwrap().nlink(), 1);
    let found = sides.apart();
    assert_eq!(paths(&found), ["a", "one/e"]);
}

#[test]
fn what_the_site_writes_meanwhile_is_its_own_and_no_fault_of_the_tree() {
    let sides = Sides::new();
    sides.stage(10, |_| {});
    std::fs::write(sides.live("one/b"), "written by the site").unwrap();
    let report = sides.verify("staged", true);
    assert_eq!((report.written, report.different), (1, 0));
    assert_eq!(report.first_written.unwrap().to_string(), "one/b");
    // A tree of its own has no such excuse.
    assert_eq!(sides.verify("staged", false).different, 1);
    // What is another file by now changes places.
    std::fs::write(sides.live("new"), "x").unwrap();
    std::fs::rename(sides.live("new"), sides.live("two/d")).unwrap();
    assert_eq!(paths(&sides.apart()), ["two/d"]);
}

#[test]
fn a_folder_with_an_access_list_stands_in_the_way() {
    let sides = Sides::new();
    let folder = File::open(sides.live("one")).unwrap();
    rustix::fs::fsetxattr(&folder, "user.x", b"1", XattrFlags::empty()).unwrap();
    sides.stage(10, |_| {});
    assert_eq!(sides.apart().obstacle.unwrap(), "the live folder \"one\" has attributes");
}
