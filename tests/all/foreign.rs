//! Backups of other programs, real ones (`tests/fixtures/foreign`): each is looked at, restored into a live site that holds something else,
//! held against the manifest of what is in it, and taken back.

use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/foreign")
}

/// Where and how a site of another program came back.
pub struct Case {
    /// Below the fixtures.
    folder: &'static str,
    /// The file that is named; empty: the folder.
    file: &'static str,
    /// More of the request.
    more: Value,
    /// Differences that have to be, by their beginnings.
    known: &'static [&'static str],
    /// More words to the comparison.
    now: &'static [&'static str],
}

pub fn case(folder: &'static str, file: &'static str) -> Case {
    Case { folder, file, more: json!({}), known: &[], now: &[] }
}

impl Case {
    pub fn with(self, more: Value) -> Case {
        Case { more, ..self }
    }

    pub fn but(self, known: &'static [&'static str]) -> Case {
        Case { known, ..self }
    }

    fn request(&self) -> Value {
        let mut import = json!({"from": fixtures().join(self.folder).join(self.file)});
        import.as_object_mut().unwrap().extend(self.more.as_object().unwrap().clone());
        json!({"domain": DOMAIN, "backup": import, "wait": true})
    }

    /// What differs from the manifest, but for what has to.
    fn differences(&self, world: &World) -> Vec<String> {
        let output = Command::new("python3")
            .arg(fixtures().join("truth.py"))
            .arg("compare")
            .arg(fixtures().join(self.folder).join("manifest.json"))
            .arg("--root")
            .arg(world.root())
            .arg("--socket")
            .arg(world.place().join("run/db.sock"))
            .args(["--db", "shop"])
            .args(self.now)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let is_known =
            |line: &&str| self.known.iter().any(|known| line.starts_with(known)) || *line == "as it should be";
        said.lines().filter(|line| !is_known(line)).map(str::to_owned).collect()
    }
}

/// The account in it is the live one's.
pub const ACCOUNT: &str = "file differs: wp-config.php: ";
/// The world's restore.toml lets no file be run.
pub const MODE: &str = "file differs: wp-content/plugins/rv-hello/bin/run.sh: mode is 0644, should be 0755";

pub fn bring(cases: &[Case]) {
    let world = World::up();
    let before = world.digest();
    let mut wrong = Vec::new();
    for case in cases {
        let request = case.request();
        let preview = world.document("preview_backup", &request);
        assert_eq!(preview["ok"], true, "{}: {}", case.folder, preview["error"]);
        let answer = world.document("restore_start", &request);
        if answer["ok"] != true {
            wrong.push(format!("{}: {}", case.folder, answer["error"]));
            continue;
        }
        let job = World::job(&answer["data"]);
        let differences = case.differences(&world);
        if !differences.is_empty() {
            wrong.push(format!("{}:\n  {}", case.folder, differences.join("\n  ")));
        }
        world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        world.digest().assert_is(&before, case.folder);
        world.assert_nothing_left();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn any_archive_with_any_dump_comes_back() {
    let archive = |folder, file| case(folder, file).but(&[ACCOUNT, MODE]);
    bring(&[
        archive("archive/tar.gz", "example.com.tar.gz"),
        archive("archive/tar.bz2", "example.com.tar.bz2"),
        archive("archive/tar.xz", "example.com.tar.xz"),
        archive("archive/tar.zst", "example.com.tar.zst"),
        archive("archive/tar.lz4", "example.com.tar.lz4"),
        archive("archive/7z", "example.com.7z"),
        archive("archive/tar.zst-pzstd-long", "shop.tar.zst"),
        archive("archive/tar-pax", "shop.tar"),
        archive("archive/folder-in-folder.tar.gz", "site-backup.tar.gz"),
        archive("archive/zip-infozip", "example.com.zip"),
        archive("archive/zip-php", "example.com.zip"),
        archive("archive/zip-split", "shop.zip"),
        case("dump/mariadb-dump-10.11", "example_com.sql.gz"),
        case("dump/adminer-4.8.1", "example_com.sql"),
        case("dump/mydumper-0.10.1", "example_com-20250601"),
        case("dump/mariadb-dump-10.11-tab", ""),
        case("dump/adminer-4.8.1-truncate", "example_com.sql.gz"),
        case("dump/mysqldump-9.7", "example_com.sql"),
        case("dump/mysqldump-php", "example_com.sql"),
        // Its dump does not say the collation of a table, which then is that of the database.
        case("dump/phpmyadmin-5.2.1-zip", "example_com.sql.zip").but(&["table differs: wp_rv_orders: collation is "]),
    ]);
}

/// Live tables and objects that a dump of one prefix does not hold stay, and a table without the prefix is not the site's.
const OF_ONE_PREFIX: &[&str] = &[
    "table missing: legacy-log",
    "table too many: ",
    "view too many: ",
    "trigger too many: ",
    "routine too many: ",
    "event too many: ",
];

#[test]
fn tables_of_the_prefix_that_was_told_come_back_under_the_live_one() {
    let renamed = |folder, file, more| Case {
        now: &["--was", "shop7_", "--now", "wp_"],
        ..case(folder, file).with(more).but(OF_ONE_PREFIX)
    };
    let all = json!({"site": "shop_example_org", "prefix": "shop7_"});
    let cases = [
        renamed("dump/mariadb-dump-11.8", "shop_example_org.sql", json!({"prefix": "shop7_"})),
        renamed("dump/mariadb-dump-10.11-all-databases", "all.sql.zst", all),
    ];
    bring(&cases);
    let world = World::up();
    let before = world.digest();
    for case in &cases {
        let preview = world.call("preview_backup", case.request());
        let said = preview["warnings"].to_string();
        assert!(said.contains("do not begin with shop7_: legacy-log"), "{said}");
        let validation = world.call("validate", case.request());
        assert!(validation["groups"].to_string().contains("do not begin with shop7_: legacy-log"), "{validation}");
    }
    let untold = case("dump/mariadb-dump-11.8", "shop_example_org.sql").request();
    assert_eq!(world.call("preview_backup", untold.clone())["database"]["prefixes"], json!(["shop7_"]));
    assert_eq!(world.call("preview_backup", cases[0].request())["database"]["prefixes"], json!([]));
    assert_eq!(world.refused("restore_start", untold.clone())["context"]["prefixes"], json!(["shop7_"]));
    let checks = world.call("validate", untold)["groups"].to_string();
    assert!(checks.contains(r#""prefixes":["shop7_"]"#), "{checks}");
    for (more, words, hint) in [
        (json!({}), "begin with shop7_", "`--prefix shop7_`"),
        (json!({"prefix": "other_"}), "no table of the dump begins with other_", "--prefix"),
        (json!({"prefix": "a b"}), "is no prefix of tables", "`wp_`"),
    ] {
        let refused =
            world.refused("restore_start", case("dump/mariadb-dump-11.8", "shop_example_org.sql").with(more).request());
        assert!(refused["message"].as_str().unwrap().contains(words), "{refused}");
        assert!(refused["hint"].as_str().unwrap().contains(hint), "{refused}");
    }
    world.digest().assert_is(&before, "refused");
}

#[test]
fn of_a_dump_of_several_databases_the_sites_own_is_restored() {
    let world = World::up();
    let before = world.digest();
    let all = case("dump/mariadb-dump-10.11-all-databases", "all.sql.zst");
    let refused = world.refused("restore_start", all.request());
    assert_eq!(refused["code"], "backup_layout_unknown", "{refused}");
    assert_eq!(refused["context"]["databases"], json!(["example_com", "shop_example_org"]), "{refused}");
    world.digest().assert_is(&before, "asked");
    let place = tempfile::tempdir().unwrap();
    let dump = place.path().join("all.sql");
    let text = "-- Host: localhost    Database: mysql\nSET @OLD_NOTES=@@SQL_NOTES;\n\
        CREATE DATABASE /*!32312 IF NOT EXISTS*/ `mysql`;\nUSE `mysql`;\nCREATE TABLE `user` (`a` int);\nSET GLOBAL general_log=0;\n\
        INSERT INTO `user` VALUES (1,'; USE `shop`;');\nDELIMITER ;;\nCREATE PROCEDURE `evil`() BEGIN SET @a = 1; USE shop; END ;;\nDELIMITER ;\n\
        CREATE DATABASE `shop`;\nUSE `shop`;\nCREATE TABLE `wp_rv_one` (`a` int);\nINSERT INTO `wp_rv_one` VALUES (7);\n\
        USE `zoo`;\nGRANT ALL ON *.* TO x;\nCREATE TABLE `wp_rv_two` (`a` int);\nSET SQL_NOTES=@OLD_NOTES;\n-- Dump completed on 2026-11-28\n";
    std::fs::write(&dump, text).unwrap();
    let request = json!({"domain": DOMAIN, "backup": {"from": dump}, "wait": true});
    let preview = world.call("preview_backup", request.clone());
    let said = preview["warnings"].to_string();
    assert!(said.contains("the database shop is restored. Nothing is restored of mysql, zoo"), "{said}");
    assert_eq!(preview["database"]["tables"], 1, "{preview}");
    let job = World::job(&world.call("restore_start", request));
    assert_eq!(world.harness("sql", &["SELECT a FROM shop.wp_rv_one"]).trim(), "7");
    let of = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name IN ('wp_rv_two') OR table_schema = 'zoo'";
    assert_eq!(world.harness("sql", &[of]).trim(), "0");
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    world.digest().assert_is(&before, "back");
    // The line is that of the whole dump.
    std::fs::write(&dump, text.replace("INSERT INTO `wp_rv_one`", "INSERT INTO `nothing`")).unwrap();
    let line = text.lines().position(|line| line.starts_with("INSERT INTO `wp_rv_one`")).unwrap() + 1;
    let refused = world.refused("restore_start", json!({"domain": DOMAIN, "backup": {"from": dump}, "wait": true}));
    assert!(refused["message"].as_str().unwrap().contains(&format!("line {line}")), "{refused}");
    // The configuration in an archive is its site's word, and no right to a neighbour's database.
    std::fs::write(
        &dump,
        text.replace("`zoo`", "`shop`")
            .replace("USE `shop`;\nCREATE TABLE `wp_rv_one`", "USE `own`;\nCREATE TABLE `wp_rv_one`"),
    )
    .unwrap();
    let site = place.path().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::rename(&dump, place.path().join("site/all.sql")).unwrap();
    std::fs::write(
        site.join("wp-config.php"),
        "<?php define('DB_NAME', 'own'); define('DB_USER', 'u'); define('DB_PASSWORD', 'p');",
    )
    .unwrap();
    let refused = world.refused("preview_backup", json!({"domain": DOMAIN, "backup": {"from": site}, "wait": true}));
    assert_eq!(refused["code"], "backup_layout_unknown", "{refused}");
    assert_eq!(refused["context"]["databases"], json!(["shop", "own"]), "{refused}");
    let told = json!({"domain": DOMAIN, "backup": {"from": site, "site": "own"}, "wait": true});
    let preview = world.call("preview_backup", told);
    assert!(preview["warnings"].to_string().contains("the database own is restored"), "{preview}");
}

/// The prefix that a site has is also the beginning of what WordPress and plugins call other things.
#[test]
fn what_only_looks_like_a_prefix_keeps_its_name() {
    let world = World::up();
    let config = world.root().join("wp-config.php");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("$table_prefix = 'wp_'", "$table_prefix = 'x_'")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let dump = place.path().join("site.sql");
    let text = "CREATE TABLE `wp_options` (`option_id` int PRIMARY KEY, `option_name` varchar(191) UNIQUE, `option_value` longtext, `autoload` varchar(20));\n\
        INSERT INTO `wp_options` VALUES (1,'wp_user_roles','wp_user_roles','yes'),(2,'wp_mail_smtp','wp_block','no'),(3,'wp_page_for_privacy_policy','3','yes'),(4,'x_user_roles','old','no');\n\
        CREATE TABLE `wp_posts` (`ID` int PRIMARY KEY, `post_type` varchar(20), `wp_user_id` int);\n\
        INSERT INTO `wp_posts` (`ID`,`post_type`,`wp_user_id`) VALUES (1,'wp_block',1),(2,'wp_template',1),(3,'wp_navigation',1);\n\
        CREATE TABLE `wp_usermeta` (`umeta_id` int PRIMARY KEY, `user_id` int, `meta_key` varchar(255), `meta_value` longtext);\n\
        INSERT INTO `wp_usermeta` VALUES (1,1,'wp_capabilities','wp_block'),(2,1,'nickname','wp_x'),(3,1,'wp_user-settings','');\n\
        CREATE TABLE `other_posts` (`ID` int);\n-- Dump completed on 2026-11-28\n";
    std::fs::write(&dump, text).unwrap();
    let request = json!({"domain": DOMAIN, "backup": {"from": dump, "prefix": "wp_"}, "components": {"database": true}, "wait": true});
    world.call("restore_start", request);
    let rows = |query: &str| world.harness("sql", &[query]).trim().replace(['\n', '\t'], " ");
    assert_eq!(
        rows("SELECT option_name, option_value FROM shop.x_options ORDER BY option_id"),
        "x_user_roles wp_user_roles wp_mail_smtp wp_block wp_page_for_privacy_policy 3 wp_user_roles old"
    );
    assert_eq!(
        rows("SELECT post_type FROM shop.x_posts WHERE wp_user_id = 1 ORDER BY ID"),
        "wp_block wp_template wp_navigation"
    );
    assert_eq!(
        rows("SELECT meta_key, meta_value FROM shop.x_usermeta WHERE umeta_id < 3 ORDER BY umeta_id"),
        "x_capabilities wp_block nickname wp_x"
    );
    assert_eq!(rows("SELECT meta_key FROM shop.x_usermeta WHERE umeta_id = 3"), "x_user-settings");
    assert_eq!(rows("SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'other_posts'"), "0");
}

/// A dump of the whole database that was made without triggers, routines or events takes the live ones away: that is said before.
#[test]
fn live_objects_that_a_dump_lacks_are_named_before_they_go() {
    let world = World::up();
    world.harness("sql", &["CREATE FUNCTION shop.rv_lost() RETURNS int RETURN 1; CREATE EVENT shop.rv_gone ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1"]);
    let dump = case("dump/mariadb-dump-10.11", "example_com.sql.gz");
    let said = world.call("validate", dump.request())["groups"].to_string();
    assert!(
        said.contains("2 functions (rv_lost") && said.contains("2 events (rv_gone") && said.contains("rv_gone"),
        "{said}"
    );
    assert!(said.contains("that the dump lacks"), "{said}");
}

#[test]
fn an_error_that_an_export_met_is_said() {
    let world = World::up();
    let place = tempfile::tempdir().unwrap();
    let dump = place.path().join("site.sql");
    std::fs::write(&dump, "# Sequel Ace SQL dump\n# Error: SELECT command denied for table 'orders'\nCREATE TABLE `wp_rv_one` (`a` int);\n").unwrap();
    let request = json!({"domain": DOMAIN, "backup": {"from": dump}, "wait": true});
    let preview = world.call("preview_backup", request.clone());
    assert!(preview["warnings"].to_string().contains("SELECT command denied for table 'orders'"), "{preview}");
    let validation = world.call("validate", request);
    assert!(validation["groups"].to_string().contains("failed_export"), "{validation}");
}

#[test]
fn a_site_out_of_a_panels_backup_of_a_user_comes_back() {
    let of = |folder, file| case(folder, file).with(json!({"site": "example.com"})).but(&[ACCOUNT, MODE]);
    bring(&[
        of("hestia/zstd", "example.2026-11-28_01-19-25.tar"),
        of("vesta/gzip", "example.2026-11-28_01-32-32.tar"),
        of("cpanel/cpmove", "cpmove-exampleu.tar.gz"),
        of("directadmin/tar.gz", "user.admin.exampleu.tar.gz"),
        of("cyberpanel/whole-home", "backup-example.com-06.01.2025_03-04-05.tar.gz"),
        case("aapanel/cron", "web_example.com_20250601_030405_AbC123.tar.gz")
            .with(json!({"dump": fixtures().join("aapanel/cron/db_example_com_20250601_030405_mysql_data.sql.gz")}))
            .but(&[ACCOUNT, MODE]),
        case("ispconfig/gzip", "web7/web7_2025-06-01_03-04.tar.gz")
            .with(json!({"dump": fixtures().join("ispconfig/gzip/web7/db_example_com_2025-06-01_03-04.sql.gz")}))
            .but(&[ACCOUNT, MODE]),
    ]);
}

#[test]
fn a_plugins_backup_comes_back_and_what_it_does_not_hold_stays() {
    let renamed = Case {
        now: &["--was", "shop7_", "--now", "wp_"],
        ..case("duplicator/1.5.15-zip-mysqldump", "20260103_shop_b6c24c0c9b0af27f8996_20261128010934_archive.zip")
    };
    bring(&[
        case("backuply/1.5.2", "wp_example.com_2026-11-28_01-30-13.tar.gz").but(&[ACCOUNT, MODE]),
        case("backwpup/5.7.5-tar.gz", "2026-11-28_01-41-49_UDN7XXS307_DBDUMP-FILE.tar.gz").but(&[ACCOUNT, MODE]),
        renamed.but(&[MODE]),
        case("duplicator/1.5.15-zip-php", "20260101_fixture_4653a00b0542e99a7834_20261128010903_archive.zip")
            .but(&[MODE]),
        case("duplicator/1.5.15-daf-mysqldump", "20260102_rocketshop_d6ccab78088c1d4f2346_20261128011056_archive.daf")
            .but(&[MODE]),
        case("updraftplus/1.26.4-binzip", "backup_2026-11-28-0044_RocketShop_Fixture_Cos_83e4400b3860-db.gz")
            .but(&[MODE]),
        case("updraftplus/1.26.4-ziparchive", "").but(&[MODE]),
        case("akeeba/jpa", "site-example.com-20261130-091020.jpa").but(&[ACCOUNT, MODE]),
        case("akeeba/jpa-split", "site-example.com-20261130-091020.jpa").but(&[ACCOUNT, MODE]),
        case("ai1wm/7.105-plain", "example-com-20261128-004915-ej7pmaw01lc1.wpress"),
        case("ai1wm/7.105-gzip", "example-com-20261128-004952-mdjlteasp9j8.wpress"),
    ]);
}

/// A table of the dump is no SQL, which is the writer's fault: the rest can be had without it.
#[test]
fn a_dump_with_a_broken_statement_names_the_table_and_changes_nothing() {
    let world = World::up();
    let before = world.digest();
    let set = case("wpvivid/0.9.127", "wpvivid-ead05e3793f41_2026-11-28-01-28_backup_db.zip");
    let refused = world.refused("restore_start", set.request());
    assert_eq!(refused["code"], "dump_refused");
    assert!(refused["hint"].as_str().unwrap().contains("wp_rv_orders"), "{refused}");
    world.digest().assert_is(&before, "refused");
    let files = with_fields(set.request(), &json!({"components": {"files": true}}));
    let job = World::job(&world.call("restore_start", files));
    assert!(std::fs::read_to_string(world.root().join("wp-content/mu-plugins/rv-must.php")).is_ok());
    assert!(world.root().join("wp-load.php").exists(), "core was not in it and stays");
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    world.digest().assert_is(&before, "back");
}

/// Its writer makes text of a BIT value: as text it is another one, and no restore may take it for the site's.
#[test]
fn a_dump_with_other_values_than_the_site_had_names_the_table_and_the_files_come_back() {
    let world = World::up();
    let before = world.digest();
    let akeeba = case("akeeba/zip", "site-example.com-20261130.zip").but(&[ACCOUNT, MODE]);
    let preview = world.call("preview_backup", akeeba.request());
    assert!(preview["warnings"].to_string().contains("BIT columns as text"), "{}", preview["warnings"]);
    let refused = world.refused("restore_start", akeeba.request());
    assert_eq!(refused["code"], "database_failed");
    assert!(refused["hint"].as_str().unwrap().contains("wp_rv_orders"), "{refused}");
    world.digest().assert_is(&before, "refused");
    let files = with_fields(akeeba.request(), &json!({"components": {"files": ["wp-content/"]}}));
    let job = World::job(&world.call("restore_start", files));
    let differences = akeeba.differences(&world);
    assert!(!differences.iter().any(|line| line.contains(": wp-content/")), "{differences:?}");
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    world.digest().assert_is(&before, "back");
}

#[test]
fn a_folder_comes_back_as_the_archive_of_it_does() {
    let world = World::up();
    let folder = tempfile::tempdir().unwrap();
    let archive = fixtures().join("archive/tar.gz/example.com.tar.gz");
    assert!(Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(folder.path()).status().unwrap().success());
    let request = json!({"domain": DOMAIN, "backup": {"from": folder.path().join("example.com")}, "wait": true});
    world.call("restore_start", request);
    let differences = case("archive/tar.gz", "").but(&[ACCOUNT, MODE]).differences(&world);
    assert!(differences.is_empty(), "{differences:?}");
}

#[test]
fn what_a_backup_cannot_bring_and_which_account_stays_is_said_before() {
    let world = World::up();
    let set = case("updraftplus/1.26.4-ziparchive", "");
    let preview = world.call("preview_backup", set.request());
    let warnings = preview["warnings"].to_string();
    assert!(warnings.contains("holds no core of WordPress") && warnings.contains("no file of others"), "{warnings}");
    let validation = world.call("validate", set.request());
    assert!(validation["groups"].to_string().contains("holds no core of WordPress"), "{validation}");
    let whole = case("archive/zip-infozip", "example.com.zip");
    let of_config = json!({"components": {"files": ["wp-config.php"]}});
    let diff = world.call("diff_backup", with_fields(whole.request(), &of_config));
    let config =
        diff["files"]["entries"].as_array().unwrap().iter().find(|entry| entry["path"] == "wp-config.php").cloned();
    assert!(config.is_some(), "wp-config.php of the backup is another one: {diff}");
    world.call("restore_start", whole.request());
    let text = std::fs::read_to_string(world.root().join("wp-config.php")).unwrap();
    assert!(text.contains("define( 'DB_NAME', 'shop' )") || text.contains("'DB_NAME', 'shop'"), "{text}");
    // Now it is the same; as it is in the backup, on the caller's word, it is another one.
    for (options, changed) in [(json!({}), 0), (json!({"keep_database_settings": false}), 1)] {
        let asked = with_fields(with_fields(whole.request(), &of_config), &json!({"options": options}));
        assert_eq!(world.call("diff_backup", asked)["files"]["changed"], changed, "{options}");
    }
}

#[test]
fn what_cannot_be_told_is_asked_and_what_is_no_backup_is_named() {
    let world = World::up();
    let before = world.digest();
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for site in ["a/one", "a/two", "a/three"] {
        std::fs::create_dir_all(at(site)).unwrap();
        std::fs::write(at(site).join("wp-config.php"), "<?php").unwrap();
    }
    std::fs::write(at("x.7z"), b"7z\xbc\xaf\x27\x1c\0\x04 rest of it, which is long enough").unwrap();
    std::fs::write(at("three.7z.001"), b"7z\xbc\xaf\x27\x1c\0\x04 rest of it, which is long enough").unwrap();
    std::fs::write(at("three.7z.003"), b"more").unwrap();
    std::fs::write(at("x.zip"), b"PK\x03\x04 cut").unwrap();
    std::fs::create_dir(at("none")).unwrap();
    std::fs::write(at("none/notes.txt"), "x").unwrap();
    std::os::unix::fs::symlink("x.zip", at("link.zip")).unwrap();
    let set = fixtures().join("updraftplus/1.26.4-binzip");
    std::fs::create_dir(at("set")).unwrap();
    let uploads = "backup_2026-11-28-0044_RocketShop_Fixture_Cos_83e4400b3860-uploads";
    std::fs::copy(set.join(format!("{uploads}.zip")), at("set").join(format!("{uploads}2.zip"))).unwrap();
    let crypt = "backup_2026-11-28-0044_Shop_83e4400b3861-db.gz.crypt";
    std::fs::write(at(crypt), b"noise").unwrap();
    std::fs::write(at("x.jps"), b"JPS\x01\x09 encrypted").unwrap();
    let akeeba = fixtures().join("akeeba/jpa-split");
    std::fs::create_dir(at("split")).unwrap();
    std::fs::copy(akeeba.join("site-example.com-20261130-091020.jpa"), at("split/site.jpa")).unwrap();
    let hestia = fixtures().join("hestia/zstd/example.2026-11-28_01-19-25.tar");
    let dump = fixtures().join("dump/mariadb-dump-10.11/example_com.sql.gz");
    let prefix = case("archive/tar-pax", "shop.tar").request()["backup"]["from"].clone();
    for (import, code, words) in [
        (json!({"from": at("a")}), "backup_layout_unknown", "3 folders that look like a site: one, three, two"),
        (json!({"from": at("a"), "root": "one"}), "", ""),
        (json!({"from": at("a"), "root": "four"}), "backup_incomplete", "holds no folder four"),
        (json!({"from": at("none")}), "backup_layout_unknown", "nothing in it looks like a site"),
        (json!({"from": at("x.7z")}), "backup_corrupt", "does not match its checksum"),
        (json!({"from": at("three.7z.003")}), "backup_incomplete", "three.7z.002, one of the files"),
        (json!({"from": at("x.jps")}), "backup_unreadable", "is an encrypted archive of Akeeba"),
        (json!({"from": at("split/site.jpa")}), "backup_incomplete", "site.j01, with which"),
        (
            json!({"from": akeeba.join("site-example.com-20261130-091020.j01")}),
            "backup_unreadable",
            "is one of the 2 files of an archive of Akeeba",
        ),
        (json!({"from": at("x.zip")}), "backup_corrupt", "no directory at its end"),
        (json!({"from": at(crypt)}), "backup_unreadable", "is encrypted"),
        (json!({"from": at("gone.zip")}), "backup_not_found", "does not exist"),
        (json!({"from": at("link.zip")}), "path_not_allowed", "symbolic link"),
        (json!({"from": "relative.zip"}), "path_not_allowed", "absolute"),
        (json!({"from": at("set").join(format!("{uploads}2.zip"))}), "backup_incomplete", "-uploads.zip"),
        (json!({"from": hestia}), "backup_layout_unknown", "2 sites: example.com, static.example.com"),
        (json!({"from": hestia, "site": "other.com"}), "backup_layout_unknown", "no site \"other.com\""),
        (json!({"from": prefix, "root": "www", "dump": dump}), "backup_incomplete", "begin with wp_"),
    ] {
        if code.is_empty() {
            world.call("preview_backup", json!({"domain": DOMAIN, "backup": import, "wait": true}));
            continue;
        }
        let refused = world.refused("restore_start", json!({"domain": DOMAIN, "backup": import, "wait": true}));
        assert_eq!(refused["code"], code, "{import}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains(words), "{import}: {refused}");
    }
    world.digest().assert_is(&before, "untouched");
    world.assert_nothing_left();
}

/// A zip as Python writes it, with names that no honest program gives.
fn zip(place: &Path, name: &str, entries: &str) -> PathBuf {
    let path = place.join(name);
    let script = format!(
        "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)\n\
         def put(name, content=b'x', system=3, mode=0o100644):\n \
         i = zipfile.ZipInfo('n'); i.filename = name; i.create_system = system; i.external_attr = mode << 16\n \
         i.compress_type = zipfile.ZIP_DEFLATED; z.writestr(i, content)\n{entries}\nz.close()\n"
    );
    assert!(Command::new("python3").arg("-c").arg(script).arg(&path).status().unwrap().success());
    path
}

/// An archive of 7-Zip with one file of zeros.
fn seven_zip(place: &Path, name: &str, inside: &str, zeros: u64) -> PathBuf {
    let folder = place.join(format!("{name}.files"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::File::create(folder.join(inside)).unwrap().set_len(zeros).unwrap();
    let path = place.join(name);
    let made = Command::new("7zz").args(["a", "-mx=1", "-bso0"]).arg(&path).arg(inside).current_dir(&folder).status();
    assert!(made.unwrap().success());
    path
}

/// An archive of Akeeba with one file, whose content is deflated zeros.
fn jpa(place: &Path, name: &str, inside: &str, zeros: usize) -> PathBuf {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), zeros as u64), &mut packer).unwrap();
    let stored = packer.finish().unwrap();
    let sizes =
        |numbers: &[usize]| numbers.iter().flat_map(|number| (*number as u32).to_le_bytes()).collect::<Vec<_>>();
    let head = [&b"JPA\x13\x00\x01\x02"[..], &sizes(&[1, zeros, stored.len()])].concat();
    let lengths = [(21 + inside.len() as u16).to_le_bytes(), (inside.len() as u16).to_le_bytes()].concat();
    let entry =
        [b"JPF", lengths.as_slice(), inside.as_bytes(), &[1, 1], &sizes(&[stored.len(), zeros, 0o644])].concat();
    let path = place.join(name);
    std::fs::write(&path, [head, entry, stored].concat()).unwrap();
    path
}

#[test]
fn a_hostile_container_changes_nothing_and_says_why_in_one_sentence() {
    let world = World::up();
    let before = world.digest();
    let place = tempfile::tempdir().unwrap();
    let site = "put('www/wp-config.php')\nput('www/wp-load.php')\nput('www/wp-includes/version.php')\n";
    let hestia = place.path().join("bomb.tar");
    // A panel's backup in which the archive of a domain unpacks to far more than the outer one says.
    let script = "set -e; cd \"$1\"; mkdir -p web/a.example pam hestia d/public_html; touch hestia/user.conf pam/passwd; \
                  echo '<?php' >d/public_html/wp-config.php; truncate -s 300M d/public_html/zeros; cp --sparse=never d/public_html/zeros d/public_html/full; \
                  rm d/public_html/zeros; tar -C d -cf - . | zstd -q >web/a.example/domain_data.tar.zst; rm -r d; tar cf \"$2\" pam hestia web";
    let made = Command::new("bash").args(["-c", script, "bash"]).arg(place.path()).arg(&hestia).status().unwrap();
    assert!(made.success());
    let cases = [
        (zip(place.path(), "slip.zip", &format!("{site}put('www/../../escaped')")), "unsafe_path", "leaves its root"),
        (
            zip(place.path(), "absolute.zip", &format!("{site}put('/../etc/cron.d/x')")),
            "unsafe_path",
            "leaves its root",
        ),
        (
            zip(place.path(), "windows.zip", &format!("{site}put('www\\\\..\\\\..\\\\x', system=0)")),
            "unsafe_path",
            "leaves its root",
        ),
        (
            zip(place.path(), "twice.zip", &format!("{site}put('www/a')\nput('www/a', b'other')")),
            "backup_corrupt",
            "in it twice",
        ),
        (
            zip(place.path(), "twice-absolute.zip", &format!("{site}put('www/a')\nput('/www/a', b'other')")),
            "backup_corrupt",
            "in it twice",
        ),
        (
            zip(
                place.path(),
                "twice-separated.zip",
                "put('www\\\\wp-config.php')\nput('www\\\\a', b'other')\nput('www\\\\a\\\\')",
            ),
            "backup_corrupt",
            "in it twice",
        ),
        (
            zip(
                place.path(),
                "through.zip",
                &format!("{site}put('www/l', b'/etc', mode=0o120777)\nput('www/l/passwd')"),
            ),
            "unsafe_path",
            "www/l",
        ),
        (
            zip(place.path(), "bomb.zip", &format!("{site}put('www/z', b'0' * (300 << 20))")),
            "limit_exceeded",
            "over 209715200 bytes",
        ),
        (hestia, "limit_exceeded", "bytes"),
        (jpa(place.path(), "slip.jpa", "a/../../escaped", 10), "unsafe_path", "leaves its root"),
        (seven_zip(place.path(), "bomb.7z", "wp-config.php", 300 << 20), "limit_exceeded", "over 209715200 bytes"),
        (jpa(place.path(), "bomb.jpa", "wp-config.php", 300 << 20), "limit_exceeded", "over 209715200 bytes"),
    ];
    let config =
        json!({"file": world.place().join("restore.toml"), "set": {"limits": {"max_unpacked_bytes": 200 << 20}}});
    for (from, code, words) in cases {
        let request = json!({"domain": DOMAIN, "backup": {"from": from}, "config": config, "components": {"files": true}, "wait": true});
        for call in ["preview_backup", "restore_start"] {
            let mut request = request.clone();
            if call == "preview_backup" {
                request.as_object_mut().unwrap().remove("components");
            }
            // What only writing meets a preview does not.
            if call == "preview_backup" && words == "www/l" {
                continue;
            }
            let refused = world.refused(call, request);
            assert_eq!(refused["code"], code, "{call} {}: {refused}", from.display());
            if words != "www/l" {
                assert!(refused["message"].as_str().unwrap().contains(words), "{call} {}: {refused}", from.display());
            }
        }
        world.digest().assert_is(&before, &from.display().to_string());
    }
    world.assert_nothing_left();
    assert!(!place.path().join("escaped").exists());
}

/// An export of one table looks as a dump of the whole database does, but for what is not in it.
#[test]
fn a_dump_of_one_table_takes_no_other_table_away() {
    let world = World::up();
    let place = tempfile::tempdir().unwrap();
    let tables = |world: &World| {
        world.harness("sql", &["SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' AND table_name != 'wp_rv_one' ORDER BY 1"])
    };
    let before = tables(&world);
    assert!(before.contains("wp_options"), "{before}");
    let dump = place.path().join("one.sql");
    let text = "-- Dump\nCREATE TABLE `wp_rv_one` (`a` int);\nINSERT INTO `wp_rv_one` VALUES (1);\n-- Dump completed on 2026-11-28\n";
    std::fs::write(&dump, text).unwrap();
    let request = json!({"domain": DOMAIN, "backup": {"from": dump}, "wait": true});
    let preview = world.call("preview_backup", json!({"domain": DOMAIN, "backup": request["backup"], "wait": true}));
    assert!(preview["warnings"].to_string().contains("a part of the database"), "{preview}");
    let job = World::job(&world.call("restore_start", request));
    assert_eq!(tables(&world), before);
    assert_eq!(world.harness("sql", &["SELECT a FROM shop.wp_rv_one"]).trim(), "1");
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    // Beside a whole site it is a dump of one table, too.
    let archive = fixtures().join("archive/tar.gz/example.com.tar.gz");
    world.call("restore_start", json!({"domain": DOMAIN, "backup": {"from": archive, "dump": dump}, "components": {"database": true}, "wait": true}));
    assert_eq!(tables(&world), before);
}

#[test]
fn a_folder_that_an_overlay_holds_a_part_of_keeps_the_rest() {
    let world = World::up();
    let kept = world.root().join("wp-content/kept/by-hand.txt");
    std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
    std::fs::write(&kept, "kept").unwrap();
    let set = case("updraftplus/1.26.4-ziparchive", "");
    world.call("restore_start", with_fields(set.request(), &json!({"components": {"files": ["wp-content"]}})));
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
    assert!(world.root().join("wp-content/plugins/rv-hello").exists());
}

#[test]
fn the_dump_of_another_database_of_the_user_is_not_taken() {
    let world = World::up();
    let before = world.digest();
    let place = tempfile::tempdir().unwrap();
    let script = "set -e; mkdir \"$2/x\"; tar xf \"$1\" -C \"$2/x\"; cd \"$2/x\"; mv db/example_com db/other; \
                  mv db/other/example_com.mysql.sql.zst db/other/other.mysql.sql.zst; tar cf \"$2/user.tar\" .";
    let hestia = fixtures().join("hestia/zstd/example.2026-11-28_01-19-25.tar");
    assert!(
        Command::new("bash").args(["-c", script, "bash"]).arg(&hestia).arg(place.path()).status().unwrap().success()
    );
    let import = json!({"from": place.path().join("user.tar"), "site": "example.com"});
    let request = json!({"domain": DOMAIN, "backup": import, "wait": true});
    let refused = world.refused("restore_start", request.clone());
    assert_eq!(refused["code"], "backup_layout_unknown", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("no dump in it is called so"), "{refused}");
    world.digest().assert_is(&before, "refused");
    // What the hint says can be done.
    let database = world.digest().database;
    world.call("restore_start", with_fields(request, &json!({"components": {"files": ["wp-content"]}})));
    assert_eq!(world.digest().database, database);
}

#[test]
fn a_site_never_looks_for_tables_that_are_not_there() {
    let world = World::up();
    let before = world.digest();
    let archive = case("archive/tar-pax", "shop.tar");
    for (components, words) in [
        (json!({"database": true}), "the site's wp-config.php says wp_"),
        (json!({"files": true}), "the live tables, which stay, begin with wp_"),
        (json!({"files": ["wp-config.php"]}), "the live tables, which stay"),
    ] {
        let request = with_fields(archive.request(), &json!({"components": components}));
        let refused = world.refused("restore_start", request.clone());
        assert_eq!(refused["code"], "backup_incomplete", "{refused}");
        assert!(refused["message"].as_str().unwrap().contains(words), "{refused}");
        let validation = world.call("validate", request);
        assert!(validation["groups"].to_string().contains(words), "{validation}");
    }
    world.digest().assert_is(&before, "untouched");
    world.call("restore_start", with_fields(archive.request(), &json!({"components": {"files": ["wp-content"]}})));
}

/// A backup in the form of a panel, made of the fixture of a site and its dump.
fn formed(script: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let archive = fixtures().join("archive/tar.gz/example.com.tar.gz");
    let script = format!("set -e; cd \"$1\"; tar xzf \"$2\"; mv example.com s; {script}; rm -rf s");
    let made = Command::new("bash").args(["-c", &script, "bash"]).arg(place.path()).arg(&archive).status().unwrap();
    assert!(made.success());
    place
}

/// Forms of which there is no backup of the panel's own here; what is in them is as formats.md and the panels' sources say.
#[test]
fn a_site_comes_back_out_of_the_forms_of_further_panels() {
    // The home, with the records of its features behind it; as gzip and as zstd, the dump packed and not.
    let virtualmin = |pack: &str, dump: &str, name: &str| {
        let script = format!(
            "mkdir -p h/public_html h/.backup h/logs; cp -a s/www/. h/public_html/; {dump}; cd h/.backup; echo 'dom=example.com' >example.com_virtualmin; \
             touch example.com_dir example.com_mysql; echo 'x' >example.com_ssl_key; cd ../..; tar -C h -cf - . | {pack} >{name}; rm -rf h"
        );
        (formed(&script), name.to_owned(), json!({}))
    };
    let gz = "gzip -c s/database.sql >h/.backup/example.com_mysql_example_com.gz";
    let plain = "cp s/database.sql h/.backup/example.com_mysql_example_com; cp s/database.sql h/.backup/example.com_mysql_other";
    let froxlor = formed(
        "mkdir -p w/example.com w/other.example e/web e/mysql e/mail; cp -a s/www/. w/example.com/; echo '<?php' >w/other.example/wp-config.php; \
         tar -C w -czf e/web/cust-web.tar.gz .; cp s/database.sql e/mysql/example_com_202606010304.sql; \
         echo 'no dump' >e/mysql/cust2_202606010304.sql; echo mail >e/mail/cust-mail.tar.gz; tar -C e -czf cust-export_202606010304.tar.gz .; rm -rf w e",
    );
    let wordops =
        formed("mkdir 01Jun2026; cp -a s/www 01Jun2026/htdocs; zstd -q s/database.sql -o 01Jun2026/example_com.zst");
    let world = World::up();
    let before = world.digest();
    for (tool, (place, name, more)) in [
        ("virtualmin", virtualmin("gzip", gz, "example.com.tar.gz")),
        ("virtualmin", virtualmin("zstd -q", plain, "example.com.tar.zst")),
        ("froxlor", (froxlor, "cust-export_202606010304.tar.gz".to_owned(), json!({"site": "example.com"}))),
        ("wordops", (wordops, "01Jun2026".to_owned(), json!({}))),
    ] {
        let import = with_fields(json!({"from": place.path().join(name)}), &more);
        let request = json!({"domain": DOMAIN, "backup": import, "wait": true});
        let preview = world.call("preview_backup", request.clone());
        assert_eq!(preview["backup"]["layout"], tool, "{preview}");
        let job = World::job(&world.call("restore_start", request));
        let differences = case("archive/tar.gz", "").but(&[ACCOUNT, MODE]).differences(&world);
        assert!(differences.is_empty(), "{tool}: {differences:?}");
        assert!(!world.root().join(".backup").exists(), "{tool}");
        world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        world.digest().assert_is(&before, tool);
    }
}

#[test]
fn another_sites_files_and_database_are_not_taken_for_want_of_better_ones() {
    let froxlor = formed(
        "mkdir -p w/shop.example w/blog.example e/web e/mysql; echo '<?php' >w/shop.example/index.php; cp -a s/www/. w/blog.example/; \
         tar -C w -czf e/web/cust-web.tar.gz .; cp s/database.sql e/mysql/example_com_202606010304.sql; tar -C e -czf export.tar.gz .; \
         tar -C w -czf plain.tar.gz .; rm -rf w e",
    );
    let world = World::up();
    let preview = |name: &str, more: Value| {
        let import = with_fields(json!({"from": froxlor.path().join(name)}), &more);
        world.call("preview_backup", json!({"domain": DOMAIN, "backup": import, "wait": true}))
    };
    for name in ["export.tar.gz", "plain.tar.gz"] {
        let found = preview(name, json!({}));
        assert_eq!(found["files"]["count"], 1, "{name}: {found}");
        assert!(found["database"].is_null(), "{name}: {found}");
    }
    // As the customer sees it, and as the archive has it.
    for root in ["blog.example", "web/cust-web.tar.gz/blog.example"] {
        let found = preview("export.tar.gz", json!({"root": root}));
        assert!(
            found["files"]["count"].as_u64().unwrap() > 1 && found["database"]["tables"].as_u64().is_some(),
            "{found}"
        );
    }
    let other = formed(
        "mkdir h; cp -a s/www h/htdocs; cp s/database.sql h/shop.sql; tar -C s -cf - . | zstd -q >h/old-logs.tar.zst",
    );
    let import = json!({"from": other.path().join("h")});
    let found = world.call("preview_backup", json!({"domain": DOMAIN, "backup": import, "wait": true}));
    assert_eq!(found["backup"]["layout"], "archive", "{found}");
}

/// Columns that an INSERT passes over, texts that are no text for LOAD DATA, and the number 0, as `mariadb-dump --dir` writes them.
#[test]
fn rows_in_files_come_back_where_their_own_importer_refuses_or_renumbers_them() {
    let world = World::up();
    let place = tempfile::tempdir().unwrap();
    let all = fixtures().join("dump/mariadb-dump-10.11-tab/.");
    assert!(Command::new("cp").arg("-r").arg(all).arg(place.path()).status().unwrap().success());
    let like = std::fs::read_to_string(place.path().join("legacy@002dlog.sql")).unwrap();
    let columns = "CREATE TABLE `rv_visits` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `hidden` int(11) DEFAULT 5 INVISIBLE,\n  \
                   `visitor` uuid DEFAULT NULL,\n  `came_from` inet6 DEFAULT NULL,\n  `v` int(11) DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n";
    let at = like.find("CREATE TABLE").unwrap();
    let behind = at + like[at..].find(";\n").unwrap() + 2;
    let text = [&like[..at].replace("legacy-log", "rv_visits"), columns, &like[behind..]].concat();
    std::fs::write(place.path().join("rv_visits.sql"), text).unwrap();
    let visitor = "57f33149-ecb7-11f1-83df-02fc00000001";
    std::fs::write(place.path().join("rv_visits.txt"), format!("0\t7\t{visitor}\t2001:db8::1\t1\n3\t8\t\\N\t\\N\t2\n"))
        .unwrap();
    world.call("restore_start", json!({"domain": DOMAIN, "backup": {"from": place.path()}, "wait": true}));
    let rows = world.harness("sql", &["SELECT id, hidden, visitor, came_from, v FROM shop.rv_visits ORDER BY id"]);
    assert_eq!(rows.trim(), format!("0\t7\t{visitor}\t2001:db8::1\t1\n3\t8\tNULL\tNULL\t2"));
}

#[test]
fn a_dump_in_files_that_is_not_all_there_is_refused() {
    let world = World::up();
    let place = tempfile::tempdir().unwrap();
    let copy = |name: &str, from: &str| {
        let at = place.path().join(name);
        let made = Command::new("cp").arg("-r").arg(fixtures().join(from)).arg(&at).status().unwrap();
        assert!(made.success());
        at
    };
    let folder = "dump/mydumper-0.10.1/example_com-20250601";
    let empty = copy("empty", folder);
    std::fs::write(empty.join("example_com.wp_users.sql"), "").unwrap();
    let link = copy("link", folder);
    std::fs::remove_file(link.join("example_com.wp_users.sql")).unwrap();
    std::os::unix::fs::symlink("/etc/hosts", link.join("example_com.wp_users.sql")).unwrap();
    let partial = copy("partial", folder);
    std::fs::rename(partial.join("metadata"), partial.join("metadata.partial")).unwrap();
    let counted = copy("counted", folder);
    let said = "# Started dump at: x\n[`example_com`.`wp_posts`]\nreal_table_name=wp_posts\nrows = 17\n# Finished dump at: x\n";
    std::fs::write(counted.join("metadata"), said).unwrap();
    let preview =
        |at: &Path| world.document("preview_backup", &json!({"domain": DOMAIN, "backup": {"from": at}, "wait": true}));
    // Its files hold another number than `metadata` says.
    let of_counted = preview(&counted);
    let said = of_counted["data"]["warnings"].to_string();
    assert!(said.contains("`metadata` says 17 rows of wp_posts, and its files hold "), "{of_counted}");
    assert!(said.contains("held against `metadata`"), "{said}");
    let refused = world.refused("restore_start", json!({"domain": DOMAIN, "backup": {"from": counted}, "wait": true}));
    assert_eq!(refused["code"], "backup_incomplete", "{refused}");
    std::fs::remove_file(counted.join("example_com.wp_posts.sql")).unwrap();
    let cut = copy("cut", "dump/mariadb-dump-10.11-tab");
    let rows = std::fs::read(cut.join("wp_posts.txt")).unwrap();
    std::fs::write(cut.join("wp_posts.txt"), &rows[..rows.len() - 20]).unwrap();
    for (at, code, words) in [
        (&empty, "backup_corrupt", "wp_users.sql is empty"),
        (&link, "backup_unreadable", "wp_users.sql is a link"),
        (&partial, "backup_incomplete", "did not finish"),
        (&counted, "backup_incomplete", "17 rows of example_com.wp_posts"),
        (&cut, "backup_corrupt", "wp_posts.txt ends in the middle of row"),
    ] {
        let error = preview(at)["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    let whole = preview(&fixtures().join(folder));
    assert!(whole["data"]["warnings"].to_string().contains("how many rows it had"), "{whole}");
}
