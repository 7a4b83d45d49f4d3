//! Backups of other programs, and made by hand, that hold parts of a site, or hold it in a form that has to be told: what the live site has
//! beside them stays, and what is not restored is said.

use crate::world::{DOMAIN, Digest, World, with_fields};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes a backup by a script, in a folder with `s/www` and `s/database.sql` of a fixture.
pub fn made(script: &str) -> tempfile::TempDir {
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

pub fn import(from: PathBuf, more: &Value) -> Value {
    json!({"domain": DOMAIN, "backup": with_fields(json!({"from": from}), more), "wait": true})
}

/// What the preview says.
pub fn warnings(world: &World, request: &Value) -> String {
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
        ("unnamed", "put(stem + '_backup_all.zip', {**files, stem + '_backup_core.zip': b'', 'notes.txt': b''}, info)"),
        ("beside", "put(stem + '_backup_all.zip', {**files, 'notes.txt': b''}, info)"),
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
        ("unnamed", "backup_layout_unknown", "_backup_core.zip, which its own description does not name"),
        ("crypt", "backup_unreadable", "is encrypted by WPvivid"),
    ] {
        let refused = world.refused("restore_start", import(at(name), &json!({})));
        assert_eq!(refused["code"], code, "{name}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains(words), "{name}: {refused}");
    }
    world.digest().assert_is(&before, "refused");
    let said = warnings(&world, &import(at("beside"), &json!({})));
    assert!(said.contains("Beside its archives it holds notes.txt"), "{said}");
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

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign").join(path)
}

#[test]
fn each_panel_is_named_with_what_its_backup_lacks() {
    let world = World::up();
    for (file, more, layout, words) in [
        (
            "directadmin/tar.gz/user.admin.exampleu.tar.gz",
            json!({"site": "example.com"}),
            "directadmin",
            "Events of the database",
        ),
        ("ispconfig/gzip/web7/web7_2025-06-01_03-04.tar.gz", json!({}), "ispconfig", "db_NAME_MOMENT"),
        ("aapanel/cron/web_example.com_20250601_030405_AbC123.tar.gz", json!({}), "aapanel", "Links were followed"),
        (
            "aapanel/cron/web_example.com_20250601_030405_AbC123.tar.gz",
            json!({"dump": fixture("aapanel/cron/db_example_com_20250601_030405_mysql_data.sql.gz")}),
            "aapanel",
            "Triggers of the database are not in its dumps",
        ),
    ] {
        let preview = world.call("preview_backup", import(fixture(file), &more));
        assert_eq!(preview["backup"]["layout"], layout, "{preview}");
        assert!(preview["warnings"].to_string().contains(words), "{preview}");
    }
    let user = import(fixture("directadmin/tar.gz/user.admin.exampleu.tar.gz"), &json!({}));
    let asked = world.refused("restore_start", user);
    assert!(asked["message"].as_str().unwrap().contains("2 sites: example.com, static.example.com"), "{asked}");
}

#[test]
fn a_subdomain_of_an_account_is_a_site_and_stays_where_another_is_restored() {
    let forms = made(
        "mkdir -p a/u/userdata a/u/mysql h/public_html/blog; cp -a s/www/. h/public_html/; echo blog >h/public_html/blog/index.html; cp s/database.sql a/u/mysql/example_com.sql; \
         printf -- '---\\nmain_domain: main.example\\nsub_domains:\\n  - blog.main.example\\n' >a/u/userdata/main; \
         printf 'documentroot: /home/U1/public_html\\n' >a/u/userdata/main.example; printf 'documentroot: /home/U1/public_html/blog\\n' >a/u/userdata/blog.main.example; \
         tar -C h -cf a/u/homedir.tar .; tar -C a -czf nested.tar.gz u; rm a/u/homedir.tar; mv h a/u/homedir; tar -C a -czf plain.tar.gz u; rm -rf a",
    );
    let world = World::up();
    let root = world.root();
    std::fs::create_dir(root.join("blog")).unwrap();
    std::fs::write(root.join("blog/index.html"), "live").unwrap();
    let before = world.digest();
    for name in ["plain.tar.gz", "nested.tar.gz"] {
        let of = |site: &str| import(forms.path().join(name), &json!({"site": site}));
        let preview = world.call("preview_backup", of("main.example"));
        assert_eq!(preview["backup"]["layout"], "cpanel", "{name}: {preview}");
        assert!(
            preview["warnings"].to_string().contains("blog is the document root of blog.main.example"),
            "{preview}"
        );
        let job = World::job(&world.call("restore_start", of("main.example")));
        assert_eq!(std::fs::read_to_string(root.join("blog/index.html")).unwrap(), "live", "{name}");
        assert!(root.join("wp-content/themes/rv-tiny").exists(), "{name}");
        rolled_back(&world, &job);
        world.digest().assert_is(&before, name);
        let preview = world.call("preview_backup", of("blog.main.example"));
        assert_eq!(preview["files"]["count"], 1, "{name}: {preview}");
        assert!(preview["database"].is_null(), "{name}: {preview}");
    }
}

#[test]
fn the_files_of_a_site_in_an_archive_of_their_own_are_found() {
    let forms = made(
        "mkdir b; cp s/database.sql b; tar -C s -czf b/files.tar.gz www; tar czf hand.tar.gz b; cp b/files.tar.gz b/more.tar.gz; tar czf two.tar.gz b; \
         mkdir c; cp s/database.sql c/example_com.sql; tar -C s/www --transform 's,^\\.,public_html,' -czf c/public_html.tar.gz .; \
         echo '<metaFile><masterDomain>x.example</masterDomain><Databases><database><dbName>example_com</dbName></database></Databases></metaFile>' >c/meta.xml; \
         tar -C c -czf cyber.tar.gz .; rm c/example_com.sql; tar -C c -czf lost.tar.gz .; \
         mkdir v; tar -C s/www --transform 's,^\\.,public_html,' -cf v/x.example_dir.tar .; echo dom=x >v/x.example_virtualmin; cp s/database.sql v/x.example_mysql_example_com; \
         tar -C v -czf virtualmin.tar.gz .; rm -rf b c v",
    );
    let world = World::up();
    let before = world.digest();
    for (name, layout) in
        [("hand.tar.gz", "archive"), ("cyber.tar.gz", "cyberpanel"), ("virtualmin.tar.gz", "virtualmin")]
    {
        let request = import(forms.path().join(name), &json!({}));
        let preview = world.call("preview_backup", request.clone());
        assert_eq!(preview["backup"]["layout"], layout, "{name}: {preview}");
        assert!(preview["database"].is_object(), "{name}: {preview}");
        let job = World::job(&world.call("restore_start", request));
        assert!(world.root().join("wp-content/themes/rv-tiny/style.css").exists(), "{name}");
        assert!(!world.root().join("wp-load.php").exists(), "{name}: the whole root was exchanged");
        rolled_back(&world, &job);
        world.digest().assert_is(&before, name);
    }
    let two = |more| import(forms.path().join("two.tar.gz"), &more);
    let refused = world.refused("preview_backup", two(json!({})));
    assert!(refused["message"].as_str().unwrap().contains("b/more.tar.gz"), "{refused}");
    assert!(warnings(&world, &two(json!({"dump": "b/database.sql"}))).contains("beside the dump is not restored"));
    let lost = import(forms.path().join("lost.tar.gz"), &json!({}));
    let refused = world.refused("restore_start", lost.clone());
    assert_eq!(refused["code"], "backup_incomplete", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("no dump example_com.sql is in it"), "{refused}");
}

#[test]
fn the_document_root_that_a_panel_was_told_is_taken_or_missed() {
    let forms = made(
        "form() { mkdir -p h/hestia h/pam h/web/x.example/hestia h/db/example_com d/public_html/app; touch h/hestia/user.conf h/pam/passwd; cp -a s/www/. d/public_html/app; echo around >d/public_html/notes.txt; \
         cp s/database.sql h/db/example_com/example_com.mysql.sql; echo \"DOMAIN='x.example' CUSTOM_DOCROOT='$2'\" >h/web/x.example/hestia/web.conf; \
         tar -C d -czf h/web/x.example/domain_data.tar.gz .; tar -C h -cf $1 .; rm -rf h d; }; \
         form good.tar /home/U1/web/x.example/public_html/app/; form lost.tar /home/U1/web/x.example/public_html/gone/deeper; form other.tar /home/U1/web/y.example/public_html/",
    );
    let world = World::up();
    let request = |name: &str| import(forms.path().join(name), &json!({}));
    assert!(warnings(&world, &request("good.tar")).contains("public_html/app, as the panel has it"));
    world.call("restore_start", request("good.tar"));
    assert!(world.root().join("wp-content/themes/rv-tiny").exists() && !world.root().join("notes.txt").exists());
    for (name, code, words) in [
        ("lost.tar", "backup_incomplete", "does not hold that folder"),
        ("other.tar", "backup_layout_unknown", "not the domain's own"),
    ] {
        let refused = world.refused("restore_start", request(name));
        assert_eq!(refused["code"], code, "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(words), "{refused}");
    }
}

#[test]
fn the_core_and_further_databases_of_a_set_go_where_they_belong() {
    let world = World::up();
    let before = world.digest();
    let set = fixture("updraftplus/1.26.4-ziparchive");
    let place = made(
        "mkdir c; echo new >c/wp-new.php; echo '<?php' >c/wp-config.php; mkdir c/extra; echo x >c/extra/a.txt; mkdir m; echo m >m/elsewhere.txt; (cd c; zip ../core.zip 9 wp-new.php wp-config.php extra); (cd m; zip ../more.zip 9 elsewhere.txt); gzip -c s/database.sql >db1.gz; rm -rf c m",
    );
    let mut stem = String::new();
    for entry in std::fs::read_dir(&set).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if let Some(found) = name.strip_suffix("-db.gz") {
            stem = found.to_owned();
        }
        if name.starts_with("backup_") {
            std::fs::copy(entry.path(), place.path().join(&name)).unwrap();
        }
    }
    for (from, to) in [("core.zip", "wpcore.zip"), ("more.zip", "more.zip"), ("db1.gz", "db1.gz")] {
        std::fs::rename(place.path().join(from), place.path().join(format!("{stem}-{to}"))).unwrap();
    }
    let request = import(place.path().join(format!("{stem}-db.gz")), &json!({}));
    let said = warnings(&world, &request);
    for words in
        ["-db1.gz is of another database", "-more.zip holds folders from outside", "wp-config.php is not restored"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("holds no core"), "{said}");
    let config = std::fs::read(world.root().join("wp-config.php")).unwrap();
    let job = World::job(&world.call("restore_start", request));
    let has = |path: &str| world.root().join(path).exists();
    assert!(has("wp-new.php") && has("extra/a.txt") && has("wp-load.php") && has("wp-content/plugins/rv-hello"));
    assert!(!has("wp-content/wp-new.php") && !has("wp-content/elsewhere.txt") && !has("elsewhere.txt"));
    assert_eq!(std::fs::read(world.root().join("wp-config.php")).unwrap(), config);
    rolled_back(&world, &job);
    world.digest().assert_is(&before, "back");
}

#[test]
fn a_dump_one_folder_further_down_or_in_a_file_a_table_is_read() {
    let world = World::up();
    let tab = fixture("dump/mariadb-dump-10.11-tab");
    let place = made(
        "mkdir shop_x_mysql_data; for t in one two; do printf -- \"-- MariaDB dump\\nCREATE TABLE \\`wp_rv_$t\\` (a int);\\nINSERT INTO \\`wp_rv_$t\\` VALUES (1);\\n-- Dump completed on 2026-01-01\\n\" >shop_x_mysql_data/wp_rv_$t.sql; done; \
         zip db_shop_x_mysql_data.zip 9 shop_x_mysql_data; rm -rf shop_x_mysql_data",
    );
    let copy = |to: &str| {
        std::fs::create_dir_all(place.path().join(to).parent().unwrap()).unwrap();
        assert!(Command::new("cp").arg("-r").arg(&tab).arg(place.path().join(to)).status().unwrap().success());
    };
    copy("one/example_com");
    copy("two/example_com");
    copy("two/other");
    let tables = |preview: &Value| preview["database"]["tables"].as_u64().unwrap();
    let alone = world.call("preview_backup", import(tab.clone(), &json!({})));
    let below = world.call("preview_backup", import(place.path().join("one"), &json!({})));
    assert_eq!(tables(&below), tables(&alone));
    let asked = world.refused("restore_start", import(place.path().join("two"), &json!({})));
    assert_eq!(asked["code"], "backup_layout_unknown", "{asked}");
    assert!(asked["message"].as_str().unwrap().contains("2 databases"), "{asked}");
    let zip = place.path().join("db_shop_x_mysql_data.zip");
    let preview = world.call("preview_backup", import(zip.clone(), &json!({})));
    assert_eq!((tables(&preview), &preview["backup"]["layout"]), (2, &json!("aapanel")), "{preview}");
    let site = fixture("aapanel/cron/web_example.com_20250601_030405_AbC123.tar.gz");
    let beside = world.call("preview_backup", import(site, &json!({"dump": zip})));
    assert_eq!(tables(&beside), 2, "{beside}");
    let job = World::job(&world.call("restore_start", import(zip, &json!({}))));
    assert_eq!(
        world.harness("sql", &["SELECT (SELECT a FROM shop.wp_rv_one) + (SELECT a FROM shop.wp_rv_two)"]).trim(),
        "2"
    );
    rolled_back(&world, &job);
}

/// Encrypts every record of an archive of All-in-One WP Migration, as the plugin does it.
const SEAL: &str = r#"
import base64, hashlib, json, subprocess, sys
source, target, password = sys.argv[1:]
key = (hashlib.sha1(password.encode()).digest()[:16] + bytes(16)).hex()
def seal(plain):
    start = bytes(range(16))
    made = subprocess.run(['openssl', 'enc', '-aes-256-cbc', '-K', key, '-iv', start.hex()], input=plain, capture_output=True, check=True)
    return start + made.stdout
text, out = open(source, 'rb').read(), b''
at = 0
while at + 4377 <= len(text):
    header = bytearray(text[at:at + 4377])
    name = bytes(header[:255]).rstrip(b'\0')
    if not name:
        break
    size = int(bytes(header[255:269]).rstrip(b'\0'))
    content = text[at + 4377:at + 4377 + size]
    at += 4377 + size
    if name == b'package.json':
        package = json.loads(content)
        package.update(Encrypted=True, EncryptedSignature=base64.b64encode(seal(b'a sentence that proves it')).decode())
        content = json.dumps(package).encode()
        header[4369:4377] = b'%08x' % __import__('zlib').crc32(content)
    else:
        content = b''.join(seal(content[piece:piece + 512000]) for piece in range(0, len(content), 512000))
    header[255:269] = str(len(content)).encode().ljust(14, b'\0')
    out += bytes(header) + content
open(target, 'wb').write(out + bytes(4377))
"#;

/// Without the times and modes of files, which not every container has.
fn by_name(digest: &Digest) -> Digest {
    let names = digest.files.lines().map(|line| format!("{:?}\n", line.split_whitespace().last())).collect();
    Digest { files: names, ..digest.clone() }
}

#[test]
fn what_is_encrypted_opens_by_the_password_in_a_file() {
    let forms = made(
        "tar czf plain.tar.gz s; 7zz a -snl -tzip -mem=AES256 -psecret aes.zip s >/dev/null; 7zz a -snl -tzip -mem=ZipCrypto -psecret pkzip.zip s >/dev/null; \
         7zz a -snl -mhe=on -psecret head.7z s >/dev/null; 7zz a -snl -psecret plain_head.7z s >/dev/null",
    );
    let at = |name: &str| forms.path().join(name);
    let set = fixture("updraftplus/1.26.4-ziparchive");
    let copied = Command::new("bash")
        .args(["-c", "set -e; cp -a \"$2\" \"$1\"; cd \"$1\"; f=$(ls *-db.gz); size=$(stat -c %s \"$f\"); pad=$(((16 - size % 16) % 16)); \
               { cat \"$f\"; for ((i = 0; i < pad; i++)); do printf \"\\\\x$(printf %02x \"$pad\")\"; done; } | openssl enc -aes-128-cbc -nopad \
               -K \"$(printf secret | xxd -p | head -c 32)$(printf '0%.0s' {1..20})\" -iv 00000000000000000000000000000000 >\"$f.crypt\"; rm \"$f\"", "bash"])
        .args([at("set"), set.clone()])
        .output()
        .unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let wpress = std::fs::read_dir(fixture("ai1wm/7.105-plain")).unwrap().map(|entry| entry.unwrap().path());
    let wpress = wpress.into_iter().find(|path| path.extension().is_some_and(|end| end == "wpress")).unwrap();
    let sealed =
        Command::new("python3").args(["-c", SEAL]).args([&wpress, &at("sealed.wpress")]).arg("secret").output();
    let sealed = sealed.unwrap();
    assert!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));
    std::fs::write(at("right"), "secret\n").unwrap();
    std::fs::write(at("wrong"), "Secret\n").unwrap();
    let world = World::up();
    let before = world.digest();
    let restored = |from: PathBuf, password: Option<&str>| {
        let password = password.map_or_else(|| json!({}), |name| json!({"password_file": at(name)}));
        let job = World::job(&world.call("restore_start", import(from, &password)));
        let digest = world.digest();
        rolled_back(&world, &job);
        world.digest().assert_is(&before, "back");
        digest
    };
    let plain = restored(at("plain.tar.gz"), None);
    assert!(plain != before);
    for (from, wanted) in [
        (at("aes.zip"), None),
        (at("pkzip.zip"), None),
        (at("head.7z"), None),
        (at("plain_head.7z"), None),
        (at("set"), Some(set)),
        (at("sealed.wpress"), Some(wpress)),
    ] {
        let name = from.display().to_string();
        let refused = world.refused("restore_start", import(from.clone(), &json!({})));
        assert_eq!(refused["code"], "backup_unreadable", "{name}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains("encrypted"), "{name}: {refused}");
        assert!(refused["hint"].as_str().unwrap().contains("--password-file"), "{name}: {refused}");
        let request = import(from.clone(), &json!({"password_file": at("wrong")}));
        let refused = world.refused("restore_start", request.clone());
        assert!(refused["message"].as_str().unwrap().contains("the password does not open"), "{name}: {refused}");
        let validated = world.refused("validate", request);
        assert!(validated["message"].as_str().unwrap().contains("the password does not open"), "{name}: {validated}");
        world.digest().assert_is(&before, &name);
        match wanted {
            // Modes are not in every one of them.
            None => {
                let found = restored(from, Some("right"));
                let (found, wanted) = (by_name(&found), by_name(&plain));
                found.assert_is(&wanted, &name);
            }
            Some(wanted) => restored(from, Some("right")).assert_is(&restored(wanted, None), &name),
        }
    }
    let open = at("open");
    std::fs::write(&open, "secret").unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    for (name, says) in [("open", "others may write to it"), ("none", "does not exist")] {
        let refused = world.refused("restore_start", import(at("aes.zip"), &json!({"password_file": at(name)})));
        assert_eq!(refused["code"], "bad_request", "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(says), "{refused}");
    }
}
