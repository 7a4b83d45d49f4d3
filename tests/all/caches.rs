//! The page that is served after a change-over is the restored one, whatever nginx and PHP had in mind of the one before.

use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// What visitors get, so many times.
fn seen(world: &World, path: &str, times: usize) -> Vec<String> {
    let port = world.env("WORLD_PORT");
    let get = |_| {
        let output = Command::new("curl")
            .args(["--silent", "--max-time", "10", "--header", &format!("Host: {DOMAIN}")])
            .arg(format!("http://127.0.0.1:{port}/{path}"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    (0..times).map(get).collect()
}

#[track_caller]
fn all_see(world: &World, path: &str, wanted: &str) {
    let seen = seen(world, path, 40);
    let others: Vec<&String> = seen.iter().filter(|page| *page != wanted).collect();
    assert!(
        others.is_empty(),
        "{} of {} see something else than {wanted:?}: {:?}",
        others.len(),
        seen.len(),
        others[0]
    );
}

fn replace(path: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "{}", path.display());
    std::fs::write(path, text.replacen(old, new, 1)).unwrap();
}

/// Only the files: the configuration of the world is what the test is about.
fn restore_files(world: &World) -> Value {
    world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}, "wait": true}))
}

fn go_back(world: &World, restored: &Value) {
    world.call("rollback", json!({"job": World::job(restored), "wait": true}));
}

#[test]
fn nginx_forgets_the_files_it_keeps_open() {
    let world = World::up();
    replace(
        &world.place().join("nginx/nginx.conf"),
        "sendfile on;",
        "sendfile on; open_file_cache max=100 inactive=60s;",
    );
    world.signal("run/nginx.pid", "-HUP");
    let script = world.root().join("wp-content/site.js");
    std::fs::write(&script, "good").unwrap();
    world.harness("backup", &[]);
    std::fs::remove_file(&script).unwrap();
    std::fs::write(&script, "hacked").unwrap();
    all_see(&world, "wp-content/site.js", "hacked");
    let restored = restore_files(&world);
    all_see(&world, "wp-content/site.js", "good");
    go_back(&world, &restored);
    all_see(&world, "wp-content/site.js", "hacked");
}

#[test]
fn every_worker_of_php_forgets_where_links_led() {
    let world = World::up();
    let root = world.root();
    let release = |name: &str| {
        std::fs::create_dir_all(root.join("releases").join(name)).unwrap();
        std::fs::write(root.join("releases").join(name).join("lib.php"), format!("<?php echo 'release {name}';"))
            .unwrap();
        let _ = std::fs::remove_file(root.join("current"));
        symlink(format!("releases/{name}"), root.join("current")).unwrap();
    };
    std::fs::write(root.join("release.php"), "<?php require __DIR__ . '/current/lib.php';").unwrap();
    release("one");
    world.harness("backup", &[]);
    std::fs::remove_dir_all(root.join("releases/one")).unwrap();
    release("two");
    // Without a code cache nothing else tells the workers that paths may lead elsewhere.
    replace(
        &world.place().join("php/pool.d").join(format!("{DOMAIN}.conf")),
        "pm = static",
        "pm = static\nphp_admin_value[opcache.enable] = 0",
    );
    world.signal("run/php-fpm.pid", "-USR2");
    all_see(&world, "release.php", "release two");
    let restored = restore_files(&world);
    all_see(&world, "release.php", "release one");
    go_back(&world, &restored);
    all_see(&world, "release.php", "release two");
}
