//! Backups in the shapes that people have: one fixture packed again as file managers, macOS, Windows and hurried hands pack. Each comes back
//! as the fixture does, or is refused in one sentence that says what to do.

use crate::foreign::{ACCOUNT, Case, MODE, bring, case};
use crate::foreign_forms::{import, made, warnings};
use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};
use std::path::Path;

/// `pack NAME [-FLAG…] PATH…`: a zip with links, modes and times as Info-ZIP writes them. `-b`: backslashes separate, `-a`: names are
/// absolute, `-m`: with what Finder of macOS adds, `-0`: stored, `-p`: to a pipe, so that sizes follow the contents.
const PACK: &str = r#"
pack() { python3 - "$@" <<'PY'
import os, stat, struct, sys, time, zipfile
name, rest = sys.argv[1], sys.argv[2:]
flags = {word for word in rest if word.startswith('-')}
tops = [word for word in rest if not word.startswith('-')]
class Pipe:
    def __init__(self, out): self.out = out
    def write(self, data): return self.out.write(data)
    def flush(self): self.out.flush()
out = open(name, 'wb')
z = zipfile.ZipFile(Pipe(out) if '-p' in flags else out, 'w')
method = zipfile.ZIP_STORED if '-0' in flags else zipfile.ZIP_DEFLATED
def put(path, content, mode, when, folder=False):
    info = zipfile.ZipInfo('x', time.gmtime(max(when, 315619200))[:6])
    info.filename = ('/srv/' if '-a' in flags else '') + path + ('/' if folder else '')
    if '-b' in flags: info.filename = info.filename.replace('/', '\\')
    info.external_attr, info.create_system = mode << 16, 3
    info.compress_type = method
    info.extra = struct.pack('<HHBl', 0x5455, 5, 1, when)
    z.writestr(info, content)
def add(path):
    s = os.lstat(path)
    if stat.S_ISLNK(s.st_mode): put(path, os.readlink(path), s.st_mode, int(s.st_mtime))
    elif stat.S_ISDIR(s.st_mode):
        put(path, b'', s.st_mode, int(s.st_mtime), True)
        for inner in sorted(os.listdir(path)): add(path + '/' + inner)
    else:
        put(path, open(path, 'rb').read(), s.st_mode, int(s.st_mtime))
        if '-m' in flags:
            put('__MACOSX/' + os.path.join(os.path.dirname(path), '._' + os.path.basename(path)), b'\0\5\x16\7\0\2\0\0Mac OS X', 0o100644, 0)
for top in tops: add(top)
z.close()
PY
}
"#;

/// Shapes that a script makes, each of which is the fixture `archive/tar.gz`.
fn shapes(place: &Path, names: &[&str]) -> Vec<Case> {
    let known = &[ACCOUNT, MODE];
    let file = |name: &str| &*Box::leak(place.join(name).display().to_string().into_boxed_str());
    names.iter().map(|name| case("archive/tar.gz", file(name)).but(known)).collect()
}

#[test]
fn a_dump_is_found_however_it_is_packed_beside_the_files() {
    let script = format!(
        "{PACK} cd s; pack database.sql.zip database.sql; tar czf ../zip-in-tar.tar.gz www database.sql.zip; rm database.sql.zip; \
         pack mac.zip -m database.sql; mv mac.zip database.sql.zip; tar cf ../mac-zip.tar www database.sql.zip; rm database.sql.zip; \
         pack piped.zip -p database.sql; mv piped.zip database.sql.zip; pack ../piped.zip -p www database.sql.zip; rm database.sql.zip; \
         xz -k database.sql; tar cf ../xz.tar www database.sql.xz; rm database.sql.xz; \
         gzip -c database.sql >db.gz; tar cf ../db-gz.tar www db.gz; rm db.gz; \
         cp database.sql shop.dump; tar czf ../dump.tgz www shop.dump; rm shop.dump; \
         mkdir ../folder; cp -a www ../folder; bzip2 -c database.sql >../folder/backup.sql.bz2; cd .."
    );
    let forms = made(&script);
    let names = ["zip-in-tar.tar.gz", "mac-zip.tar", "piped.zip", "xz.tar", "db-gz.tar", "dump.tgz", "folder"];
    bring(&shapes(forms.path(), &names));
}

#[test]
fn archives_in_a_folder_or_an_archive_are_looked_into() {
    let script = format!(
        "{PACK} cd s; pack public_html.zip www; pack db.sql.zip database.sql; \
         mkdir ../two-zips; mv public_html.zip db.sql.zip ../two-zips; \
         mkdir ../two-tars; tar czf ../two-tars/files.tar.gz www; tar czf ../two-tars/db.tar.gz database.sql; \
         cd ../two-zips; pack ../zip-of-zips.zip public_html.zip db.sql.zip; pack ../stored.zip -0 public_html.zip db.sql.zip; \
         tar cf ../tar-of-zips.tar public_html.zip db.sql.zip; \
         mkdir ../zip-and-tar; cp public_html.zip ../zip-and-tar; cp ../two-tars/db.tar.gz ../zip-and-tar; \
         cd ../two-tars; pack ../one.zip files.tar.gz; mkdir t; mv ../one.zip t; cp ../s/database.sql t; tar -C t -cf ../deep.tar one.zip database.sql; rm -r t; \
         cd ..; tar czf packed.tar.gz two-zips"
    );
    let forms = made(&script);
    bring(&shapes(
        forms.path(),
        &["two-zips", "two-tars", "zip-of-zips.zip", "stored.zip", "tar-of-zips.tar", "zip-and-tar", "deep.tar"],
    ));
    let world = World::up();
    let before = world.digest();
    let packed = import(forms.path().join("packed.tar.gz"), &json!({}));
    let refused = world.refused("restore_start", packed.clone());
    assert_eq!(refused["code"], "backup_layout_unknown", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("two-zips/public_html.zip"), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("Unpack it"), "{refused}");
    world.digest().assert_is(&before, "untouched");
    let dump = import(forms.path().join("packed.tar.gz"), &json!({"dump": "two-zips/db.sql.zip"}));
    assert!(warnings(&world, &dump).contains("beside the dump is not restored"));
    world.call("restore_start", dump);
}

#[test]
fn names_of_other_systems_are_names_below_the_top() {
    let script = format!(
        "{PACK} mkdir -p site.example/backup; cp -a s/. site.example/backup; pack windows.zip -b site.example; pack mac.zip -m site.example; \
         pack absolute.zip -a site.example; tar czPf absolute.tar.gz --transform 's,^site.example,/srv/site.example,' site.example; \
         mv site.example 'My site (1)'; tar cf blanks.tar 'My site (1)'; rm -r 'My site (1)'; cd s; mkdir -p mac-top; cp -a www/. mac-top; \
         mv database.sql mac-top/; cd mac-top; pack ../../mac-top.zip -m $(ls -A); cd ../.."
    );
    let forms = made(&script);
    let names = ["windows.zip", "mac.zip", "absolute.zip", "absolute.tar.gz", "blanks.tar", "mac-top.zip"];
    bring(&shapes(forms.path(), &names));
}

#[test]
fn a_dump_of_windows_is_read_or_refused() {
    let forms = made(
        "printf -- '-- MySQL dump 10.13\\nDROP TABLE IF EXISTS `wp_posts`;\\nCREATE TABLE `wp_posts` (`ID` int NOT NULL, `t` text, PRIMARY KEY (`ID`));\\nINSERT INTO `wp_posts` VALUES (7,\\047seven\\047);\\n-- Dump completed on 2026-11-30\\n' >ascii.sql; \
         iconv -f UTF-8 -t UTF-16 ascii.sql >utf16.sql; sed 's/$/\\r/' ascii.sql | iconv -f UTF-8 -t UTF-16BE >crlf-be.sql; gzip -c utf16.sql >utf16.sql.gz; \
         { printf '\\357\\273\\277'; sed 's/$/\\r/' ascii.sql; } >bom.sql; mkdir t; cp utf16.sql t/db.sql; cp -a s/www t; tar -C t -czf in.tar.gz www db.sql; rm -r t; \
         sed 's/seven/s├╝ben/' ascii.sql | iconv -f UTF-8 -t UTF-16 >letters.sql",
    );
    let world = World::up();
    let before = world.digest();
    for name in ["utf16.sql", "crlf-be.sql", "utf16.sql.gz", "bom.sql", "in.tar.gz"] {
        // The second time it is read by what the first one left.
        for _ in 0..2 {
            let request = import(forms.path().join(name), &json!({}));
            world.call("preview_backup", request.clone());
            let request = with_fields(request, &json!({"components": {"database": ["wp_posts"]}}));
            let job = World::job(&world.call("restore_start", request));
            let found = world.harness("sql", &["SELECT ID, t FROM shop.wp_posts"]);
            assert_eq!(found, "7\tseven", "{name}");
            world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
            world.digest().assert_is(&before, name);
        }
    }
    for call in ["preview_backup", "restore_start"] {
        let refused = world.refused(call, import(forms.path().join("letters.sql"), &json!({})));
        assert_eq!(refused["code"], "backup_corrupt", "{refused}");
        assert!(refused["message"].as_str().unwrap().contains("UTF-16"), "{refused}");
        assert!(refused["hint"].as_str().unwrap().contains("--result-file"), "{refused}");
    }
    // RocketVPS's own modules write none.
    world.harness("backup", &[]);
    world.change_dump(|text| {
        "\u{ff}\u{fe}".to_owned() + &text.chars().map(|letter| format!("{letter}\0")).collect::<String>()
    });
    for call in ["preview_backup", "restore_start"] {
        let refused = world.refused(call, json!({"domain": DOMAIN, "backup": "latest", "wait": true}));
        assert_eq!(refused["code"], "backup_corrupt", "{refused}");
        assert!(refused["message"].as_str().unwrap().contains("UTF-16"), "{refused}");
    }
    world.digest().assert_is(&before, "untouched");
}

#[test]
fn a_dump_behind_the_words_of_its_program_is_read() {
    let said = "mysqldump: [Warning] Using a password on the command line interface can be insecure.\\n";
    let forms = made(&format!(
        "printf -- '-- MySQL dump 10.13\\nDROP TABLE IF EXISTS `wp_posts`;\\nCREATE TABLE `wp_posts` (`ID` int NOT NULL, `t` text, PRIMARY KEY (`ID`));\\nINSERT INTO `wp_posts` VALUES (7,\\047seven\\047);\\n-- Dump completed on 2026-11-30\\n' >good.sql; \
         {{ printf '{said}'; cat good.sql; }} >warned.sql; gzip -k warned.sql; mkdir t; cp warned.sql t/db.sql; cp -a s/www t; tar -C t -czf in.tar.gz www db.sql; rm -r t; \
         {{ echo 'DELIMITER ;'; cat good.sql; }} >client.sql; \
         {{ cat warned.sql; echo \"mysqldump: Got error: 2013: Lost connection to server\"; }} >failed.sql"
    ));
    let world = World::up();
    let before = world.digest();
    let restored = |request: Value, name: &str| {
        let request = with_fields(request, &json!({"components": {"database": ["wp_posts"]}}));
        let job = World::job(&world.call("restore_start", request));
        assert_eq!(world.harness("sql", &["SELECT ID, t FROM shop.wp_posts"]), "7\tseven", "{name}");
        world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        world.digest().assert_is(&before, name);
    };
    for name in ["warned.sql", "warned.sql.gz", "in.tar.gz", "client.sql"] {
        // The second time it is read by what the first one left.
        for _ in 0..2 {
            let request = import(forms.path().join(name), &json!({}));
            world.call("preview_backup", request.clone());
            restored(request, name);
        }
    }
    // Its program failed: the answer says so by the line.
    let refused = world.refused("restore_start", import(forms.path().join("failed.sql"), &json!({})));
    assert!(refused["message"].as_str().unwrap().contains("Lost connection"), "{refused}");
    assert_eq!(refused["context"]["line"], 7, "{refused}");
    world.digest().assert_is(&before, "untouched");
    // So it is with a backup of RocketVPS's own.
    world.harness("backup", &[]);
    world.change_dump(|text| format!("mysqldump: [Warning] Using a password is insecure.\n{text}"));
    world.harness("damage", &[]);
    world.call("restore_start", json!({"domain": DOMAIN, "backup": "latest", "wait": true}));
    world.digest().assert_is(&before, "our own");
}

#[test]
fn what_is_encrypted_or_not_read_is_said_before_anything_is_done() {
    let forms = made(
        "cd s; noise() { head -c 600 /dev/urandom; }; { printf Salted__; noise; } >../site.tar.gz.enc; \
         { printf 'age-encryption.org/v1\\n-> X25519 '; noise; } >../site.tar.age; { printf '\\214\\015\\004\\011\\003\\002'; noise; } >../site.tar.gpg; \
         cp ../site.tar.gpg ../db.sql.gpg; cp ../site.tar.gpg database.sql.gpg; tar czf ../gpg-inside.tar.gz www database.sql.gpg; rm database.sql.gpg; \
         mkdir ../two; cp -a www ../two; cp database.sql ../two/one.sql; cp database.sql ../two/two.sql; cd ..",
    );
    let world = World::up();
    let before = world.digest();
    for (name, program, way) in [
        ("site.tar.gz.enc", "OpenSSL", "openssl enc -d"),
        ("site.tar.age", "age", "age -d"),
        ("site.tar.gpg", "GnuPG", "gpg -d"),
        ("db.sql.gpg", "GnuPG", "gpg -d"),
    ] {
        let refused = world.refused("restore_start", import(forms.path().join(name), &json!({})));
        assert_eq!(refused["code"], "backup_unreadable", "{name}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains(&format!("encrypted by {program}")), "{name}: {refused}");
        assert!(refused["hint"].as_str().unwrap().contains(way), "{name}: {refused}");
        let beside = json!({"dump": forms.path().join(name)});
        let refused = world.refused("restore_start", import(forms.path().join("two/www"), &beside));
        assert!(refused["message"].as_str().unwrap().contains(&format!("encrypted by {program}")), "{name}: {refused}");
    }
    let inside = import(forms.path().join("gpg-inside.tar.gz"), &json!({}));
    let said = warnings(&world, &inside);
    assert!(said.contains("database.sql.gpg in it is no dump that is read"), "{said}");
    let two = world.refused("restore_start", import(forms.path().join("two"), &json!({})));
    assert!(two["message"].as_str().unwrap().contains("2 dumps: one.sql, two.sql"), "{two}");
    world.digest().assert_is(&before, "untouched");
}

#[test]
fn what_a_backup_of_laravel_leaves_out_stays() {
    let forms = made(
        "mkdir -p app/var/www/app/app app/var/www/app/public app/db-dumps; cd app/var/www/app; echo '<?php // new' >artisan; echo '{}' >composer.json; \
         echo '<?php echo 1;' >index.php; echo '<?php' >public/index.php; echo '<?php' >app/a.php; cd ../../..; cp ../s/database.sql db-dumps/mysql-laravel.sql; \
         python3 -m zipfile -c ../spatie.zip db-dumps var; cd ..; rm -r app",
    );
    let world = World::up();
    let at = |path: &str| world.root().join(path);
    for (path, text) in
        [("artisan", "<?php"), (".env", "APP_KEY=x\n"), ("vendor/autoload.php", "<?php"), ("storage/app/a.jpg", "x")]
    {
        std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        std::fs::write(at(path), text).unwrap();
    }
    let before = world.digest();
    let request = import(forms.path().join("spatie.zip"), &json!({}));
    let said = warnings(&world, &request);
    for what in ["no vendor folder", "no .env", "no storage folder"] {
        assert!(said.contains(what), "{said}");
    }
    let files = with_fields(request, &json!({"components": {"files": true}}));
    let job = World::job(&world.call("restore_start", files));
    assert_eq!(std::fs::read_to_string(at("artisan")).unwrap(), "<?php // new\n");
    for path in ["vendor/autoload.php", ".env", "storage/app/a.jpg", "public/index.php"] {
        assert!(at(path).exists(), "{path}");
    }
    assert!(!at("wp-load.php").exists());
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    world.digest().assert_is(&before, "rolled back");
}

#[test]
fn of_a_folder_of_several_databases_one_is_restored() {
    let forms = made(
        "mkdir m; cd m; printf '[source]\\n[`shop`.`wp_posts`]\\nreal_table_name=wp_posts\\nrows = 1\\n[`shop_old`.`wp_posts`]\\nrows = 9\\n# Finished dump at: x\\n' >metadata; \
         for db in shop shop_old; do echo \"CREATE DATABASE \\`$db\\`;\" >$db-schema-create.sql; \
         echo 'CREATE TABLE `wp_posts` (`ID` int NOT NULL, `t` text, PRIMARY KEY (`ID`));' >$db.wp_posts-schema.sql; \
         echo \"INSERT INTO \\`wp_posts\\` VALUES (7,'$db');\" >$db.wp_posts.00000.sql; done; cd ..",
    );
    let world = World::up();
    let before = world.digest();
    let from = forms.path().join("m");
    let several = world.refused("restore_start", import(from.clone(), &json!({})));
    assert!(several["message"].as_str().unwrap().contains("2 databases"), "{several}");
    assert!(several["hint"].as_str().unwrap().contains("--site"), "{several}");
    let request =
        with_fields(import(from, &json!({"site": "shop"})), &json!({"components": {"database": ["wp_posts"]}}));
    let job = World::job(&world.call("restore_start", request));
    assert_eq!(world.harness("sql", &["SELECT ID, t FROM shop.wp_posts"]), "7\tshop");
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    world.digest().assert_is(&before, "rolled back");
}

#[test]
fn an_encrypted_archive_of_akeeba_opens_by_its_password() {
    let place = tempfile::tempdir().unwrap();
    let password = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        json!({"password_file": path})
    };
    let (right, wrong) = (password("right", "open sesame\n"), password("wrong", "open barley\n"));
    let (name, known) = ("site-example.com-20261130-091020.jps", &[ACCOUNT, MODE]);
    bring(&[
        case("akeeba/jps", name).with(right.clone()).but(known),
        case("akeeba/jps-split", name).with(right.clone()).but(known),
    ]);
    let world = World::up();
    let before = world.digest();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign/akeeba");
    let alone = place.path().join("site.jps");
    std::fs::copy(fixtures.join("jps-split").join(name), &alone).unwrap();
    let cut = place.path().join("cut.jps");
    let whole = std::fs::read(fixtures.join("jps").join(name)).unwrap();
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let first = fixtures.join("jps-split/site-example.com-20261130-091020.j01");
    for (from, more, code, words) in [
        (fixtures.join("jps").join(name), json!({}), "backup_unreadable", "is an encrypted archive of Akeeba"),
        (fixtures.join("jps").join(name), wrong.clone(), "backup_unreadable", "the password does not open it"),
        (fixtures.join("jps-split").join(name), wrong, "backup_unreadable", "the password does not open it"),
        (alone, right.clone(), "backup_incomplete", "site.j01, with which"),
        (cut, right.clone(), "backup_incomplete", "its end is missing"),
        (first, right, "backup_unreadable", "one of the files of an encrypted archive"),
    ] {
        let refused = world.refused("restore_start", import(from, &more));
        assert_eq!(refused["code"], code, "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(words), "{words}: {refused}");
    }
    world.digest().assert_is(&before, "untouched");
    world.assert_nothing_left();
}

/// What could be another's is asked for, and never guessed.
#[test]
fn of_archives_that_may_be_anothers_nothing_is_taken_unasked() {
    let script = format!(
        "{PACK} cd s; pack site.zip www database.sql; pack www.zip www; mkdir p; echo '<?php echo 1;' >p/index.php; pack phpmyadmin.zip p; \
         mkdir j; echo x >j/a.jpg; pack images.zip j; \
         mkdir ../pages ../pictures ../older ../two ../uk ../rar ../bad ../bad/shop ../bad/blog; \
         cp phpmyadmin.zip database.sql ../pages; cp images.zip database.sql ../pictures; cp site.zip ../older; cp database.sql ../older/old-2019.sql; \
         cp www.zip ../two/{DOMAIN}.zip; cp www.zip ../two/blog.example.zip; cp database.sql ../two/blog.sql; \
         cp www.zip ../uk/{DOMAIN}.uk.zip; cp www.zip ../uk/blog.example.zip; cp database.sql ../rar; echo x >../rar/site.rar; \
         for db in shop blog; do echo \"CREATE DATABASE \\`$db\\`;\" >../bad/$db/$db-schema-create.sql; \
         echo 'CREATE TABLE `wp_posts` (`ID` int NOT NULL);' >../bad/$db/$db.wp_posts-schema.sql; done; \
         : >../bad/shop/metadata.partial; printf '# Finished dump at: x\\n' >../bad/blog/metadata; cd .."
    );
    let forms = made(&script);
    let world = World::up();
    let before = world.digest();
    for (name, more, words) in [
        ("pages", json!({}), "phpmyadmin.zip, holds no application"),
        ("pictures", json!({}), "images.zip"),
        ("older", json!({}), "2 dumps: old-2019.sql, site.zip/database.sql"),
        ("two", json!({}), "blog.sql, which is called like none of them"),
        ("uk", json!({}), "2 archives that look like a site"),
        ("rar", json!({}), "site.rar"),
        ("bad", json!({"site": "shop"}), "shop"),
    ] {
        let refused = world.refused("restore_start", import(forms.path().join(name), &more));
        assert!(refused["message"].as_str().unwrap().contains(words), "{name}: {refused}");
    }
    world.digest().assert_is(&before, "untouched");
}
