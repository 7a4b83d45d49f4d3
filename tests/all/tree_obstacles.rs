//! What stands in the way of exchanging a tree is found before anything is tried. Needs root, and says so when it is not.

use rocketvps_restore::error::Code;
use rocketvps_restore::host::tree::adopt::adopt;
use rocketvps_restore::host::tree::{exchange, open_folder, remove, survey};
use rocketvps_restore::path::RelPath;
use rocketvps_restore::progress::Silent;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["site/uploads", "site/sub", "new", "other"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("site/index.php"), "<?php").unwrap();
    std::fs::write(folder.path().join("other/keep"), "x").unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_mount_in_the_tree_is_named_and_what_is_mounted_survives_a_removal() {
    let folder = site();
    let (root, mounted) = (folder.path().join("site"), folder.path().join("site/uploads"));
    if !run("mount", &["--bind", text(&folder.path().join("other")), text(&mounted)]) {
        eprintln!("not tested: this user cannot mount");
        return;
    }
    let found = survey(&root, &Silent).unwrap().unwrap();
    let parent = open_folder(folder.path()).unwrap();
    let removed = remove(&parent, OsStr::new("site"), &Silent);
    let kept = folder.path().join("other/keep").exists();
    let root_survey = survey(&mounted, &Silent).unwrap().unwrap();
    let swapped = {
        let inside = open_folder(&root).unwrap();
        exchange(&inside, OsStr::new("uploads"), &parent, OsStr::new("new"))
    };
    assert!(run("umount", &[text(&mounted)]));
    assert_eq!(found.mounts, ["uploads"]);
    assert_eq!((found.files, found.folders), (1, 1));
    assert_eq!(removed.unwrap_err().code, Code::NotExchangeable);
    assert!(kept, "a removal went through a mount");
    assert!(root_survey.root_is_mount);
    assert_eq!(swapped.unwrap_err().code, Code::NotExchangeable);
}

#[test]
fn immutable_files_and_folders_are_named() {
    let folder = site();
    let file = folder.path().join("site/index.php");
    if !run("chattr", &["+i", text(&file), text(&folder.path().join("site/sub"))]) {
        eprintln!("not tested: this user or filesystem has no immutable attribute");
        return;
    }
    let found = survey(&folder.path().join("site"), &Silent).unwrap().unwrap();
    assert!(run("chattr", &["-i", text(&file), text(&folder.path().join("site/sub"))]));
    let mut immutable = Vec::from_iter(found.immutable.iter().map(ToString::to_string));
    immutable.sort();
    assert_eq!((immutable.as_slice(), found.held), (["index.php".to_owned(), "sub".to_owned()].as_slice(), Vec::new()));
}

#[test]
fn an_immutable_file_becomes_part_of_another_tree_as_a_copy() {
    let folder = site();
    let file = folder.path().join("site/uploads/f");
    std::fs::write(&file, "kept").unwrap();
    if !run("chattr", &["+i", text(&file)]) {
        eprintln!("not tested: this user or filesystem has no immutable attribute");
        return;
    }
    let (live, new) =
        (open_folder(&folder.path().join("site")).unwrap(), open_folder(&folder.path().join("new")).unwrap());
    let path = RelPath::parse(b"uploads").unwrap();
    // Once more, to catch up.
    let adopted = [(); 2].map(|()| adopt(&live, &new, b"uploads", &path, &Silent));
    let copied = std::fs::read_to_string(folder.path().join("new/uploads/f"));
    assert!(run("chattr", &["-i", text(&file)]));
    assert_eq!(adopted.map(|adopted| adopted.unwrap().files), [1, 1]);
    assert_eq!(copied.unwrap(), "kept");
}
