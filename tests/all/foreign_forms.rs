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

/// WPvivid's set of a fixture, as one archive with the others in it.
fn merged(place: &Path, method: &str, script: &str) {
    let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign/wpvivid/0.9.127");
    let text = format!(
        "import glob, json, os, sys, zipfile\n\
         place, set, method = sys.argv[1:]\n\
         files = {{os.path.basename(f): open(f, 'rb').read() for f in sorted(glob.glob(set + '/*.zip'))}}\n\
         info = {{'has_child': 1, 'root_flag': 'custom', 'child_file': {{name: {{}} for name in files}}}}\n\
         stem = next(iter(files)).split('_backup_')[0]\n\
         def put(name, files, info):\n  \
           with zipfile.ZipFile(os.path.join(place, name), 'w', getattr(zipfile, method)) as z:\n   \
             z.writestr('wpvivid_package_info.json', json.dumps(info))\n   \
             for name, text in files.items(): z.writestr(name, text)\n\
         {script}\n"
    );
    let made = Command::new("python3").args(["-c", &text]).arg(place).arg(&set).arg(method).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn a_set_in_one_archive_is_restored_as_the_set_is() {
    let world = World::up();
    let before = world.digest();
    // Of the one the dump has broken SQL, and the other refers to it.
    let without_orders = json!({"exclude": {"database": ["wp_rv_orders", "wp_rv_items"]}});
    let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign/wpvivid/0.9.127");
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for (name, method) in [("stored", "ZIP_STORED"), ("deflated", "ZIP_DEFLATED"), ("bzip2", "ZIP_BZIP2")] {
        std::fs::create_dir(at(name)).unwrap();
        merged(&at(name), method, "put(stem + '_backup_all.zip', files, info)");
    }
    std::fs::create_dir(at("both")).unwrap();
    merged(
        &at("both"),
        "ZIP_BZIP2",
        "put(stem + '_backup_all.zip', files, info)\nfor name, text in files.items(): open(os.path.join(place, name), 'wb').write(text)",
    );
    let restored = |from: PathBuf| {
        let request = with_fields(import(from, &json!({})), &without_orders);
        let job = World::job(&world.call("restore_start", request));
        let digest = world.digest();
        rolled_back(&world, &job);
        world.digest().assert_is(&before, "back");
        digest
    };
    let wanted = restored(set);
    assert!(wanted != before);
    for name in ["stored", "deflated", "both"] {
        restored(at(name)).assert_is(&wanted, name);
    }
    let refused = world.refused("restore_start", import(at("bzip2"), &json!({})));
    assert_eq!(refused["code"], "backup_unreadable", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("_backup_content.zip in it"), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("name the folder"), "{refused}");
    assert!(!world.root().join("wp-content/wpvivid_package_info.json").exists());
}

#[test]
fn what_is_missing_or_encrypted_of_a_set_is_said() {
    let world = World::up();
    let before = world.digest();
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for (name, script) in [
        (
            "lost",
            "info['child_file'][stem + '_backup_core.part001.zip'] = {}\nput(stem + '_backup_all.zip', files, info)",
        ),
        ("gap", "put(stem + '_backup_all.part002.zip', files, info)"),
        (
            "inner_gap",
            "files = {n.replace('uploads', 'uploads.part002'): t for n, t in files.items()}\ninfo['child_file'] = {n: {} for n in files}\nput(stem + '_backup_all.zip', files, info)",
        ),
        (
            "crypt",
            "put(stem + '_backup_db.zip', {stem + '_backup_db.sql.crypt': b'noise'}, {'file_type': 'databases', 'is_crypt': 1})\nname = stem + '_backup_uploads.zip'\nopen(os.path.join(place, name), 'wb').write(files[name])",
        ),
    ] {
        std::fs::create_dir(at(name)).unwrap();
        merged(&at(name), "ZIP_DEFLATED", script);
    }
    for (name, code, words) in [
        ("lost", "backup_incomplete", "_backup_core.part001.zip, which its own description names"),
        ("gap", "backup_incomplete", "_backup_all.part001.zip"),
        ("inner_gap", "backup_incomplete", "_backup_uploads.part001.zip"),
        ("crypt", "backup_unreadable", "is encrypted by WPvivid"),
    ] {
        let refused = world.refused("restore_start", import(at(name), &json!({})));
        assert_eq!(refused["code"], code, "{name}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains(words), "{name}: {refused}");
    }
    world.digest().assert_is(&before, "refused");
    let files = with_fields(import(at("crypt"), &json!({})), &json!({"components": {"files": true}}));
    let report = world.call("restore_start", files);
    assert!(report.to_string().contains("encrypted by WPvivid"), "{report}");
}

#[test]
fn a_package_of_the_database_alone_leaves_the_files() {
    let forms = made(
        "mkdir -p p/dup-installer; cp s/database.sql p/dup-installer/dup-database__x.sql; echo '{\"exportOnlyDB\":true,\"wp_tableprefix\":\"wp_\"}' >p/dup-installer/dup-archive__x.txt; \
         echo stub >p/x_installer-backup.php; (cd p; zip ../x_archive.zip 9 dup-installer x_installer-backup.php); rm -rf p",
    );
    let world = World::up();
    let before = world.digest();
    let request = import(forms.path().join("x_archive.zip"), &json!({}));
    assert!(warnings(&world, &request).contains("a package of the database alone"));
    let job = World::job(&world.call("restore_start", request));
    let now = world.digest();
    assert!(now.files == before.files, "{}", before.differences(&now));
    assert!(now.database != before.database);
    rolled_back(&world, &job);
}

#[test]
fn backups_in_the_live_tree_outlive_the_restore_of_one_of_them() {
    let forms = made(
        "tar -C s -czf site.tar.gz www database.sql; mkdir -p s/www/wp-content/updraft; touch s/www/wp-content/updraft/index.html s/www/wp-content/old.zip; tar -C s -czf guarded.tar.gz www database.sql",
    );
    let world = World::up();
    let root = world.root();
    let put = |path: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(forms.path().join("site.tar.gz"), &path).unwrap();
        path
    };
    let others = [
        "wp-content/updraft/x-db.gz",
        "wp-content/uploads/backwpup-abc-backups/y.tar.gz",
        "wp-content/ai1wm-backups/z.wpress",
    ];
    let from = put("wp-content/backups-dup-lite/site.tar.gz");
    let beside = put("wp-content/my-own/site.tar.gz");
    let loose = put("site.tar.gz");
    let files: Vec<PathBuf> = others.iter().map(|path| put(path)).collect();
    std::fs::write(root.join("stale.txt"), "goes").unwrap();
    let before = world.digest();
    for from in [&from, &beside, &loose, &forms.path().join("guarded.tar.gz")] {
        let request = import(from.clone(), &json!({}));
        let said = warnings(&world, &request);
        assert!(said.contains("wp-content/updraft of the live site holds backups"), "{said}");
        let job = World::job(&world.call("restore_start", request));
        assert!(!root.join("stale.txt").exists(), "the tree was exchanged");
        for kept in files.iter().chain([from].into_iter().filter(|from| from.starts_with(&root))) {
            assert!(kept.exists(), "{} after a restore of {}", kept.display(), from.display());
        }
        rolled_back(&world, &job);
        world.digest().assert_is(&before, &from.display().to_string());
    }
}
