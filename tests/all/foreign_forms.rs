//! Backups of other programs, and made by hand, that hold parts of a site, or hold it in a form that has to be told: what the live site has
//! beside them stays, and what is not restored is said.

use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a backup by a script, in a folder with `s/www` and `s/database.sql` of a fixture.
fn made(script: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign/archive/tar.gz/example.com.tar.gz");
    let script = format!(
        "set -e; cd \"$1\"; tar xzf \"$2\"; mv example.com s; \
         zip() {{ python3 -c 'import os, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], \"w\", zipfile.ZIP_DEFLATED if sys.argv[2] == \"9\" else zipfile.ZIP_STORED) as z:\n for top in sys.argv[3:]:\n  for f, d, n in os.walk(top):\n   for x in n: z.write(os.path.join(f, x))\n  if os.path.isfile(top): z.write(top)' \"$@\"; }}\n{script}\nrm -rf s"
    );
    let output = Command::new("bash").args(["-c", &script, "bash"]).arg(place.path()).arg(&archive).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    place
}

fn import(from: PathBuf, more: &Value) -> Value {
    json!({"domain": DOMAIN, "backup": with_fields(json!({"from": from}), more), "wait": true})
}

/// What the preview says.
fn warnings(world: &World, request: &Value) -> String {
    world.call("preview_backup", request.clone())["warnings"].to_string()
}

fn rolled_back(world: &World, job: &str) {
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
}

#[test]
fn parts_of_a_wordpress_site_take_nothing_else_away() {
    let forms = made(
        "mkdir -p home/u/domains/x.example/public_html; cp -a s/www home/u/domains/x.example/p; rm home/u/domains/x.example/p/index.php; \
         cp -a home/u/domains/x.example/p/wp-c* home/u/domains/x.example/public_html; tar czf deep.tar.gz home/u/domains/x.example/public_html; \
         mkdir ee; cp -a home/u/domains/x.example/public_html/. ee; mkdir ee/sql; cp s/database.sql ee/sql/x.example.sql; echo '{}' >ee/meta.json; \
         tar -C ee -czf hand.tar.gz wp-config.php wp-content sql; (cd ee; zip ../easyengine.zip 9 wp-config.php wp-content meta.json sql); \
         tar -C s/www/wp-content -czf inside.tar.gz .; rm -rf home ee",
    );
    let world = World::up();
    let before = world.digest();
    let core = world.root().join("wp-load.php");
    for (name, layout, database) in [
        ("deep.tar.gz", "archive", false),
        ("hand.tar.gz", "archive", true),
        ("easyengine.zip", "easyengine", true),
        ("inside.tar.gz", "archive", false),
    ] {
        let request = import(forms.path().join(name), &json!({}));
        let preview = world.call("preview_backup", request.clone());
        assert_eq!(preview["backup"]["layout"], layout, "{name}: {preview}");
        assert!(preview["warnings"].to_string().contains("no core of WordPress"), "{name}: {preview}");
        assert_eq!(preview["database"].is_object(), database, "{name}: {preview}");
        let job = World::job(&world.call("restore_start", request));
        assert!(core.exists() && world.root().join("wp-includes").exists(), "{name}: the core is gone");
        assert!(world.root().join("wp-content/plugins/rv-hello").exists(), "{name}");
        assert!(world.root().join("wp-content/themes/rv-tiny/style.css").exists(), "{name}");
        assert!(!world.root().join("sql").exists() && !world.root().join("meta.json").exists(), "{name}");
        assert!(!world.root().join("themes").exists(), "{name}");
        rolled_back(&world, &job);
        world.digest().assert_is(&before, name);
    }
}

#[test]
fn a_site_without_its_configuration_keeps_the_live_one() {
    let world = World::up();
    let place = tempfile::tempdir().unwrap();
    let live = world.root();
    let copy = |script: &str| {
        let made = Command::new("bash")
            .args(["-c", &format!("set -e; cd \"$1\"; {script}"), "bash"])
            .arg(place.path())
            .arg(&live)
            .status()
            .unwrap();
        assert!(made.success());
    };
    // As WordPress finds it, too: in the folder around.
    copy(
        "cp -a \"$2\" htdocs; mv htdocs/wp-config.php .; tar czf beside.tar.gz wp-config.php htdocs; tar czf without.tar.gz htdocs",
    );
    let config = std::fs::read(live.join("wp-config.php")).unwrap();
    for name in ["beside.tar.gz", "without.tar.gz"] {
        let request = import(place.path().join(name), &json!({}));
        assert!(warnings(&world, &request).contains("that of the live site stays"), "{name}");
        let job = World::job(&world.call("restore_start", request));
        assert_eq!(std::fs::read(live.join("wp-config.php")).unwrap(), config, "{name}");
        assert!(live.join("wp-load.php").exists() && !live.join("htdocs").exists(), "{name}");
        rolled_back(&world, &job);
    }
}

#[test]
fn storage_of_laravel_is_put_beside_an_artisan_or_nowhere() {
    let forms = made(
        "mkdir -p l/storage/app/public l/storage/logs; echo new >l/storage/app/public/a.txt; echo APP_KEY=x >l/.env; echo log >l/storage/logs/x.log; \
         tar -C l -czf top.tar.gz .env storage; tar czf around.tar.gz l; cp s/database.sql l; tar -C l -czf dump.tar.gz .",
    );
    let world = World::up();
    let before = world.digest();
    for name in ["top.tar.gz", "around.tar.gz", "dump.tar.gz"] {
        for more in [json!({}), json!({"root": if name == "around.tar.gz" { "l" } else { "." }})] {
            let request = import(forms.path().join(name), &more);
            let refused = world.refused("restore_start", request);
            assert_eq!(refused["code"], "backup_layout_unknown", "{name}: {refused}");
            assert!(refused["message"].as_str().unwrap().contains("has no artisan"), "{name}: {refused}");
        }
    }
    world.digest().assert_is(&before, "nothing was put into a document root");
    std::fs::write(world.root().join("artisan"), "<?php").unwrap();
    std::fs::create_dir_all(world.root().join("storage/framework/views")).unwrap();
    std::fs::create_dir_all(world.root().join("storage/app")).unwrap();
    std::fs::write(world.root().join("storage/app/old.txt"), "old").unwrap();
    let request = import(forms.path().join("top.tar.gz"), &json!({}));
    assert!(warnings(&world, &request).contains("its code stays"));
    world.call("restore_start", with_fields(request, &json!({"components": {"files": true}})));
    let has = |path: &str| world.root().join(path).exists();
    assert!(has("storage/app/public/a.txt") && !has("storage/app/old.txt"));
    assert!(has("storage/framework/views") && has("artisan") && has("wp-load.php"));
}

#[test]
fn what_lies_beside_a_dump_and_is_no_site_is_said() {
    let forms = made(
        "mkdir d; cp s/database.sql d; echo x >d/readme.txt; tar czf d.tar.gz d; rm d/readme.txt; tar czf only.tar.gz d",
    );
    let world = World::up();
    let said = |name: &str| warnings(&world, &import(forms.path().join(name), &json!({})));
    assert!(said("d.tar.gz").contains("beside the dump is not restored"));
    assert!(!said("only.tar.gz").contains("beside the dump"));
}
