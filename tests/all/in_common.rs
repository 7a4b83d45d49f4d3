//! Files that are live as the backup has them stay where they are, and the rest changes places part by part.

use crate::hooks;
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

fn restore(world: &World) -> Value {
    world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}, "wait": true}))
}

/// Number of files in the site that have another name elsewhere.
fn shared(root: &Path) -> usize {
    let mut count = 0;
    let mut next = vec![root.to_owned()];
    while let Some(folder) = next.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let stat = entry.metadata().unwrap();
            match stat.is_dir() {
                true => next.push(entry.path()),
                false => count += usize::from(stat.is_file() && stat.nlink() > 1),
            }
        }
    }
    count
}

#[test]
fn little_is_damaged_and_little_is_exchanged_there_and_back_and_there_again() {
    let world = World::up();
    let good = world.digest();
    world.harness("backup", &[]);
    let at = |name: &str| world.root().join(name);
    let inode = |name: &str| fs::metadata(at(name)).unwrap().ino();
    let kept = inode("wp-login.php");
    // What an intruder leaves: another content of the size and time that it had, a file more, folders open to all.
    let content = fs::read_to_string(at("wp-settings.php")).unwrap();
    let time = fs::metadata(at("wp-settings.php")).unwrap().modified().unwrap();
    fs::write(at("wp-settings.php"), content.replacen("<?php", "<?PHP", 1)).unwrap();
    fs::File::options().append(true).open(at("wp-settings.php")).unwrap().set_modified(time).unwrap();
    fs::write(at("wp-content/uploads/shell.php"), "<?php system($_GET['c']);").unwrap();
    fs::set_permissions(at("wp-includes"), PermissionsExt::from_mode(0o777)).unwrap();
    let damaged = world.digest();
    let links = shared(&world.root());

    let report = restore(&world);
    world.digest().assert_is(&good, "restored");
    assert_eq!(report["files"]["parts"], 2 + links, "those with two names, too: {}", report["files"]);
    let (files, unchanged) = (&report["files"]["files"], &report["files"]["unchanged"]);
    assert_eq!(unchanged.as_u64().unwrap() + 1, files.as_u64().unwrap() - links as u64, "{}", report["files"]);
    assert_eq!(inode("wp-login.php"), kept, "it stayed");
    assert_eq!(shared(&world.root()), links, "the kept state has no name of a live file");
    let groups = report["verification"]["staged"].as_array().unwrap();
    let mut checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
    let check = checks.find(|check| check["name"] == "unchanged_files").unwrap();
    assert_eq!((&check["outcome"], &check["figures"]["files"]), (&json!("pass"), unchanged), "{check}");

    // The site goes on writing: to what stayed it is not undone.
    fs::write(at("wp-content/uploads/shell.php"), "made again").unwrap();
    fs::remove_file(at("wp-content/uploads/shell.php")).unwrap();
    let back = world.call("rollback", json!({"domain": DOMAIN, "job": World::job(&report), "wait": true}));
    world.digest().assert_is(&damaged, "and back");
    world.call("rollback", json!({"domain": DOMAIN, "job": World::job(&back), "wait": true}));
    world.digest().assert_is(&good, "and there again");
    assert_eq!(inode("wp-login.php"), kept);
    assert!(world.harness("strays", &[]).is_empty());
}

#[test]
fn a_site_that_is_as_its_backup_has_it_stays_as_it_is() {
    let world = World::up();
    let good = world.digest();
    world.harness("backup", &[]);
    let report = restore(&world);
    let links = shared(&world.root());
    assert_eq!(report["files"]["parts"], links, "a file with two names is not compared: {}", report["files"]);
    world.digest().assert_is(&good, "restored");
    world.call("rollback", json!({"domain": DOMAIN, "job": World::job(&report), "wait": true}));
    world.digest().assert_is(&good, "and back");
    assert!(world.harness("strays", &[]).is_empty());
}

#[test]
fn much_is_damaged_and_the_whole_tree_is_exchanged() {
    let world = World::up();
    let good = world.digest();
    world.harness("backup", &[]);
    fs::create_dir(world.root().join("wp-content/uploads/many")).unwrap();
    // Each lies beside files that stay, so that each is a part of its own.
    for n in 0..1001 {
        fs::write(world.root().join(format!("wp-includes/evil-{n}.php")), "<?php").unwrap();
    }
    let damaged = world.digest();
    let links = shared(&world.root());
    let report = restore(&world);
    world.digest().assert_is(&good, "restored");
    assert_eq!((&report["files"]["parts"], &report["files"]["unchanged"]), (&Value::Null, &json!(0)));
    assert_eq!(shared(&world.root()), links, "each is a file of its own");
    // What is written in place to the live site is not written to the kept one.
    fs::write(world.root().join("wp-login.php"), "written in place").unwrap();
    world.call("rollback", json!({"domain": DOMAIN, "job": World::job(&report), "wait": true}));
    world.digest().assert_is(&damaged, "and back");
}

#[test]
fn where_a_hook_may_write_to_the_staged_tree_it_has_no_name_of_a_live_file() {
    let world = World::up();
    let good = world.digest();
    world.harness("backup", &[]);
    fs::write(world.root().join("index.php"), "0wned").unwrap();
    let tree = "$(php -r 'echo json_decode(file_get_contents(\"php://stdin\"))->staged_tree;')";
    let hook = hooks::put(
        &world,
        "staged/scan",
        &format!("tree={tree}; test -f \"$tree/wp-login.php\" && echo >>\"$tree/readme.html\"; exit 0"),
    );
    let before = fs::read(world.root().join("readme.html")).unwrap();
    let request = json!({"domain": DOMAIN, "components": {"files": true}, "wait": true});
    let refused = world.refused("restore_start", request);
    assert_eq!(refused["code"], "verification_failed", "{refused}");
    assert_eq!(fs::read(world.root().join("readme.html")).unwrap(), before, "the live file is as it was");
    fs::remove_file(hook).unwrap();
    assert!(restore(&world)["files"]["parts"].as_u64().unwrap() > 0);
    world.digest().assert_is(&good, "restored");
}
