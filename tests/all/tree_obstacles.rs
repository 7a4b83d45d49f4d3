//! What stands in the way of exchanging a tree is found before anything is tried. Needs root, and says so when it is not.

use rocketvps_restore::error::Code;
use rocketvps_restore::host::tree::{exchange, open_folder, remove, survey};
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
    let held = Vec::from_iter(found.held.iter().map(|held| (held.path.as_str(), held.letters)));
    assert_eq!(held, [("index.php", "i"), ("sub", "i")]);
}
