//! Files that are live as the backup has them stay where they are, and the rest changes places part by part.

use crate::hooks;
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

pub fn skip_unchanged(world: &World) {
    let path = world.place().join("restore.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, format!("{text}\n[files]\nskip_unchanged = true\n")).unwrap();
}

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
    skip_unchanged(&world);
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
    skip_unchanged(&world);
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
    skip_unchanged(&world);
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
    skip_unchanged(&world);
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

#[test]
fn a_folder_that_the_site_takes_away_comes_back_with_what_was_kept_of_it() {
    let world = World::up();
    skip_unchanged(&world);
    let shop = world.root().join("wp-content/plugins/shop");
    fs::create_dir_all(shop.join("vendor")).unwrap();
    fs::write(shop.join("vendor/a.php"), "good").unwrap();
    fs::write(shop.join("vendor/b.php"), "good").unwrap();
    world.harness("backup", &[]);
    fs::write(shop.join("vendor/a.php"), "0wned").unwrap();
    let report = restore(&world);
    assert_eq!(fs::read_to_string(shop.join("vendor/a.php")).unwrap(), "good");
    fs::remove_dir_all(&shop).unwrap();
    world.call("rollback", json!({"domain": DOMAIN, "job": World::job(&report), "wait": true}));
    assert_eq!(fs::read_to_string(shop.join("vendor/a.php")).unwrap(), "0wned");
}

/// A tenant's name of such length must not keep a journaled list from being read again.
#[test]
fn a_live_path_that_no_list_can_name_is_no_part() {
    let world = World::up();
    skip_unchanged(&world);
    let python = |script: &str| {
        let deep = format!("import os\nos.chdir({:?})\n{script}", world.root().join("wp-content/uploads"));
        assert!(std::process::Command::new("python3").args(["-c", &deep]).status().unwrap().success());
    };
    let folders = "for n in range(20):\n  os.makedirs('d' * 195, exist_ok=True)\n  os.chdir('d' * 195)\n";
    python(folders);
    world.harness("backup", &[]);
    python(&format!("{folders}open('x' * 200, 'w')"));
    fs::write(world.root().join("index.php"), "0wned").unwrap();
    let report = restore(&world);
    assert_eq!((&report["files"]["parts"], &report["files"]["unchanged"]), (&Value::Null, &json!(0)));
    let back = world.call("rollback", json!({"domain": DOMAIN, "job": World::job(&report), "wait": true}));
    assert_eq!(fs::read_to_string(world.root().join("index.php")).unwrap(), "0wned", "{back}");
}

#[test]
fn a_live_file_that_is_renamed_meanwhile_is_not_shared() {
    let world = World::up();
    skip_unchanged(&world);
    world.harness("backup", &[]);
    let (login, old) = (world.root().join("wp-login.php"), world.root().join("wp-login-old.php"));
    let job = world.begin();
    // As soon as the staged tree has a name of it.
    while fs::metadata(&login).is_ok_and(|stat| stat.nlink() < 2) && world.poll(&job)["state"] != "done" {}
    let moved = fs::rename(&login, &old).is_ok();
    assert_eq!(world.await_end(&job)["state"], "done");
    assert!(moved && login.exists());
    let links = shared(&world.root());
    assert_eq!(fs::metadata(&login).unwrap().nlink(), 1, "{links} files are shared");
}
