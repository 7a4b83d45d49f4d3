//! Tables that are live as the dump has them: they are not loaded, and nothing else is passed over.

use crate::hooks;
use crate::loading::{SHADOW, World};
use crate::world::{self, DOMAIN};
use rocketvps_restore::host::database::{Database, Loaded};
use serde_json::json;

fn beside() -> World {
    World { beside: true, ..World::with_site() }
}

/// Names of the tables that were passed over, and of those that were loaded.
fn sides(loaded: &Loaded) -> (Vec<&str>, Vec<&str>) {
    let passed = loaded.unchanged.iter().map(|table| table.name.as_str()).collect();
    (passed, loaded.tables.iter().map(|table| table.name.as_str()).collect())
}

/// Those of the site that can be compared, and the others: of other engines, a sequence, with foreign keys or referred to by one.
const COMPARED: [&str; 6] = ["nothing", "parts", "sums", "values", "we`ird na;me", "zero"];
const OTHERS: [&str; 6] = ["aria", "meta", "numbers", "old_engine", "posts", "tree"];

/// A table of every type that a site may have, with values at their ends.
const VALUES: &str = r#"SET NAMES utf8mb4; SET sql_mode='NO_AUTO_VALUE_ON_ZERO'; SET time_zone='+03:00';
CREATE TABLE `values` (
  id INT(6) UNSIGNED ZEROFILL PRIMARY KEY, t TINYINT, b BIGINT, n DECIMAL(20,8), d DOUBLE, y YEAR,
  c CHAR(9), v VARCHAR(99), x MEDIUMTEXT, e ENUM('','a','o''k'), s SET('p','q'), j JSON, da DATE, dt DATETIME(6), ts TIMESTAMP(3) NULL,
  ti TIME(2), bi BINARY(4), vb VARBINARY(9), bl BLOB, bt BIT(12), g POINT, la VARCHAR(20) CHARACTER SET latin1
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO `values` VALUES
 (0,-128,-9223372036854775808,-123456789012.12345678,-1.7976931348623157e308,1901,'a ','','','','','{"a": [1, "é"]}','0000-00-00',
  '1000-01-01 00:00:00.000001','2038-01-19 03:14:07.999','-838:59:59.00','a','','',0,NULL,'Größe'),
 (7,127,9223372036854775807,0,2.2250738585072014e-308,0,'007','it''s','a\0\n\r\Z\\"','a','p,q','[]','9999-12-31',
  '9999-12-31 23:59:59.999999','1970-01-02 00:00:00.001','838:59:59.99',UNHEX('00FF2700'),UNHEX('5C'),UNHEX('C3280A'),4095,POINT(1.5,-2),''),
 (999999,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)"#;

fn with_values() -> World {
    let world = beside();
    world.server.sql(&format!("USE live; {VALUES}"));
    world
}

#[test]
fn a_site_that_is_as_its_dump_has_it_is_not_loaded_however_the_dump_is_written() {
    let world = with_values();
    let definitions = world.definitions("live");
    // With each way of writing a dump, what of it cannot be compared.
    for (options, loaded_as_well) in [
        (&[][..], &[][..]),
        (&["--hex-blob"], &[]),
        (&["--complete-insert", "--order-by-primary"], &[]),
        (&["--skip-extended-insert", "--skip-add-locks"], &[]),
        // An empty table may get its rows later.
        (&["--skip-opt", "--create-options", "--quick"], &["nothing"]),
        // Letters that may be others.
        (&["--default-character-set=latin1"], &["values"]),
        (&["--default-character-set=utf8"], &[]),
        // Moments in the server's own zone.
        (&["--skip-tz-utc"], &["values"]),
    ] {
        let loaded = world.load(&world.dump(options), true).unwrap();
        let (passed, others) = sides(&loaded);
        let expected: Vec<&str> = COMPARED.into_iter().filter(|name| !loaded_as_well.contains(name)).collect();
        assert_eq!(passed, expected, "{options:?}");
        let mut expected_others = [OTHERS.as_slice(), loaded_as_well].concat();
        expected_others.sort_unstable();
        assert_eq!(others, expected_others, "{options:?}");
        // What belongs to those tables is there, and the shadow schema holds what was loaded and nothing else.
        if expected.contains(&"posts") {
            let objects: Vec<&str> = loaded.objects.0.iter().map(|object| object.name.as_str()).collect();
            for name in ["before_post", "after_meta", "v_all", "v_posts", "double_it", "tidy", "nightly"] {
                assert!(objects.contains(&name), "{options:?}: {name}");
            }
        }
        let names: Vec<String> = world.real.tables(SHADOW).unwrap().into_iter().map(|table| table.name).collect();
        assert_eq!(names, expected_others, "{options:?}");
        assert_eq!(world.definitions("live"), definitions, "{options:?}");
        assert_eq!(loaded.unchanged.iter().find(|table| table.name == "sums").unwrap().rows, 2, "{options:?}");
    }
}

#[test]
fn one_difference_of_whatever_kind_and_the_table_is_loaded() {
    let world = with_values();
    let dump = world.dump(&[]);
    let whole = World { beside: false, ..World::with_site() };
    whole.server.sql(&format!("USE live; {VALUES}"));
    whole.load(&dump, true).unwrap();
    let as_dumped = whole.state(SHADOW);
    // What is done to the live site, its table, and the way back.
    for (change, table, back) in [
        ("UPDATE `values` SET v='it''S' WHERE id=7", "values", "UPDATE `values` SET v='it''s' WHERE id=7"),
        ("UPDATE `values` SET c='a' WHERE c IS NULL", "values", "UPDATE `values` SET c=NULL WHERE id=999999"),
        ("UPDATE `values` SET v=NULL WHERE id=0", "values", "UPDATE `values` SET v='' WHERE id=0"),
        (
            "UPDATE `values` SET bl=UNHEX('C3290A') WHERE id=7",
            "values",
            "UPDATE `values` SET bl=UNHEX('C3280A') WHERE id=7",
        ),
        ("UPDATE `values` SET bt=4094 WHERE id=7", "values", "UPDATE `values` SET bt=4095 WHERE id=7"),
        (
            "UPDATE `values` SET dt='1000-01-01 00:00:00.000002' WHERE id=0",
            "values",
            "UPDATE `values` SET dt='1000-01-01 00:00:00.000001' WHERE id=0",
        ),
        ("UPDATE `values` SET la='Grösse' WHERE id=0", "values", "UPDATE `values` SET la='Größe' WHERE id=0"),
        ("DELETE FROM parts WHERE id=2", "parts", "INSERT INTO parts VALUES (2, 2001)"),
        ("INSERT INTO parts VALUES (4, 3)", "parts", "DELETE FROM parts WHERE id=4"),
        ("INSERT INTO nothing VALUES (1)", "nothing", "DELETE FROM nothing"),
        ("DELETE FROM sums WHERE a=1; INSERT INTO sums (a, b) VALUES (1, 3)", "sums", "UPDATE sums SET b=2 WHERE a=1"),
        ("ALTER TABLE parts COMMENT 'x'", "parts", "ALTER TABLE parts COMMENT ''"),
        ("ALTER TABLE nothing ADD KEY k (id)", "nothing", "ALTER TABLE nothing DROP KEY k"),
    ] {
        world.server.sql(&format!("SET NAMES utf8mb4; SET sql_mode=''; USE live; {change}"));
        let loaded = world.load(&dump, true).unwrap();
        let (passed, others) = sides(&loaded);
        assert!(others.contains(&table) && !passed.contains(&table), "{change}: {passed:?}");
        assert_eq!(others.len(), OTHERS.len() + 1, "{change}: {others:?}");
        assert_eq!(world.state(SHADOW)[table], as_dumped[table], "{change}: loaded as ever");
        world.server.sql(&format!("SET NAMES utf8mb4; SET sql_mode=''; USE live; {back}"));
    }
    assert_eq!(sides(&world.load(&dump, true).unwrap()).0, COMPARED, "all is as it was");
}

#[test]
fn a_long_table_is_compared_to_its_end_and_in_whatever_order_it_comes() {
    let world = World { beside: true, ..World::with_site() };
    world.server.sql(
        "USE live; CREATE TABLE log (id INT PRIMARY KEY, t VARCHAR(40)) ENGINE=InnoDB; \
         INSERT INTO log SELECT seq, MD5(seq) FROM seq_1_to_20000",
    );
    let dump = world.dump(&[]);
    let is_passed = |dump: &[u8]| sides(&world.load(dump, true).unwrap()).0.contains(&"log");
    assert!(is_passed(&dump));
    for id in [1, 4095, 4096, 4097, 8192, 20_000] {
        world.server.sql(&format!("UPDATE live.log SET t='x' WHERE id={id}"));
        assert!(!is_passed(&dump), "row {id}");
        world.server.sql(&format!("UPDATE live.log SET t=MD5({id}) WHERE id={id}"));
    }
    for (change, back) in [
        ("INSERT INTO live.log VALUES (20001, '')", "DELETE FROM live.log WHERE id=20001"),
        ("DELETE FROM live.log WHERE id=20000", "INSERT INTO live.log VALUES (20000, MD5(20000))"),
        ("DELETE FROM live.log WHERE id>8192", "USE live; INSERT INTO log SELECT seq, MD5(seq) FROM seq_8193_to_20000"),
    ] {
        world.server.sql(change);
        assert!(!is_passed(&dump), "{change}");
        world.server.sql(back);
    }
    assert!(is_passed(&dump));
    // A table of few rows may come in any order; of one of many that is found out by loading it.
    let text = String::from_utf8_lossy(&dump).into_owned();
    assert!(text.contains("(1,1999),\n(2,2001)"), "the dump's rows of `parts`");
    let turned = text.replace("(1,1999),\n(2,2001)", "(2,2001),\n(1,1999)");
    assert!(sides(&world.load(turned.as_bytes(), true).unwrap()).0.contains(&"parts"));
}

#[test]
fn a_dump_that_comes_back_to_a_table_is_loaded_whole() {
    let world = beside();
    let text = String::from_utf8(world.dump(&["--hex-blob"])).unwrap();
    let whole = World { beside: false, ..World::with_site() };
    let at = text.rfind("/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE").unwrap();
    for more in [
        "INSERT INTO `parts` VALUES (9,1);",
        "INSERT INTO `parts` SET id=9, y=1;",
        "ALTER TABLE `parts` COMMENT 'x';",
        "CREATE INDEX k ON `parts` (y);",
        "DROP TABLE IF EXISTS `parts`;",
    ] {
        let dump = format!("{}{more}\n{}", &text[..at], &text[at..]);
        let loaded = world.load(dump.as_bytes(), true).unwrap();
        assert!(loaded.unchanged.is_empty(), "{more}");
        whole.load(dump.as_bytes(), true).unwrap();
        assert_eq!(world.state(SHADOW), whole.state(SHADOW), "{more}");
        assert_eq!(world.definitions(SHADOW), whole.definitions(SHADOW), "{more}");
    }
    // What says nothing of its rows is no such thing.
    let dump = format!(
        "{}LOCK TABLES `parts` WRITE;\n/*!40000 ALTER TABLE `parts` ENABLE KEYS */;\nUNLOCK TABLES;\n{}",
        &text[..at],
        &text[at..]
    );
    assert!(sides(&world.load(dump.as_bytes(), true).unwrap()).0.contains(&"parts"));
}

#[test]
fn rows_that_may_not_mean_what_they_say_are_loaded() {
    let world = beside();
    world.server.sql("USE live; CREATE TABLE odd (id BIGINT PRIMARY KEY, t VARCHAR(20)) ENGINE=InnoDB; INSERT INTO odd VALUES (12, '007')");
    let made = world.server.sql("SHOW CREATE TABLE live.odd");
    let made = made.split_once('\t').unwrap().1.replace("\\n", "\n");
    for (rows, is_passed) in [
        ("INSERT INTO `odd` VALUES (12,'007');", true),
        ("INSERT INTO `odd` VALUES ('12','007');", true),
        ("INSERT INTO `odd` (t, id) VALUES ('007',12);", true),
        // A number in a column of text loses its zeros; digits that are bytes are another number.
        ("INSERT INTO `odd` VALUES (12,007);", false),
        ("INSERT INTO `odd` VALUES (0x3132,'007');", false),
        ("REPLACE INTO `odd` VALUES (12,'007');", false),
        ("INSERT IGNORE INTO `odd` VALUES (12,'007');", false),
        ("INSERT INTO `odd` VALUES (12,'007') ON DUPLICATE KEY UPDATE t='x';", false),
        ("INSERT INTO `odd` (id) VALUES (12);", false),
        ("INSERT INTO `odd` VALUES (12,CONCAT('007'));", false),
        (
            "SET NAMES utf8mb4;\nINSERT INTO `odd` VALUES (12,'007');\nSET time_zone='+01:00';\nINSERT INTO `odd` VALUES (13,'');",
            false,
        ),
    ] {
        let loaded = world.load(format!("{made};\n{rows}\n").as_bytes(), true).unwrap();
        assert_eq!(!loaded.unchanged.is_empty(), is_passed, "{rows}");
    }
}

#[test]
fn what_only_looks_like_the_dump_is_loaded() {
    let world = beside();
    let live = "SET NAMES utf8mb4; SET sql_mode=''; USE live; DROP TABLE IF EXISTS odd; ";
    for (definition, row, dump) in [
        // A character that the dump's character set has not got is written as a question mark.
        ("t VARCHAR(40)", "'hi 😀'", "SET NAMES utf8;\n{made};\nINSERT INTO `odd` VALUES ('hi ?');"),
        ("t VARCHAR(40)", "'Жук'", "SET NAMES latin1;\n{made};\nINSERT INTO `odd` VALUES ('???');"),
        ("t VARCHAR(40)", "'ö'", "SET NAMES latin1;\n{made};\nINSERT INTO `odd` VALUES ('ö');"),
        // Six digits are not all that a FLOAT holds.
        ("t FLOAT", "16777217", "{made};\nINSERT INTO `odd` VALUES (16777200);"),
        // A default with AS in it is no computed column.
        (
            "id INT, t VARCHAR(40) DEFAULT 'd' CHECK (CAST(t AS CHAR(3)) <> 'q')",
            "1, 'hacked'",
            "{made};\nINSERT INTO `odd` (`id`) VALUES (1);",
        ),
    ] {
        world
            .server
            .sql(&format!("{live}CREATE TABLE odd ({definition}) ENGINE=InnoDB; INSERT INTO odd VALUES ({row})"));
        let made = world.server.sql("SHOW CREATE TABLE live.odd");
        let made = made.split_once('\t').unwrap().1.replace("\\n", "\n");
        let dump = dump.replace("{made}", &made);
        assert_eq!(world.load(dump.as_bytes(), true).unwrap().unchanged, [], "{dump}");
    }
    // Rows that come behind all definitions.
    let dump = "CREATE TABLE `nothing` (\n  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;\n\
        CREATE TABLE `late` (`id` int(11)) ENGINE=InnoDB;\nINSERT INTO `nothing` VALUES (5);\n";
    let loaded = world.load(dump.as_bytes(), true).unwrap();
    assert_eq!((loaded.unchanged.len(), world.state(SHADOW)["nothing"].0), (0, 1));
}

#[test]
fn tables_that_somebody_holds_are_loaded_without_waiting_for_each() {
    let world = with_values();
    let dump = world.dump(&[]);
    let mut holder = world.server_connection("live");
    mysql::prelude::Queryable::query_drop(
        &mut holder,
        "LOCK TABLES nothing WRITE, `values` WRITE, zero WRITE, sums WRITE, parts WRITE",
    )
    .unwrap();
    let began = std::time::Instant::now();
    let loaded = world.load(&dump, true).unwrap();
    assert!(began.elapsed() < std::time::Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(sides(&loaded).0, [""; 0]);
}

#[test]
fn a_site_whose_tables_stay_is_restored_and_goes_back_exactly() {
    let site = world::World::up();
    let good = site.digest();
    site.harness("backup", &[]);
    // A table that others refer to is gone, and an intruder's trigger is on one that is as it was.
    site.harness(
        "sql",
        &["USE shop; SET foreign_key_checks=0; DROP TABLE rv_customers; \
           CREATE TRIGGER rv_spy BEFORE INSERT ON rv_stock FOR EACH ROW SET @seen = NEW.item"],
    );
    let damaged = site.digest();
    let report = site.call("restore_start", json!({"domain": DOMAIN, "wait": true}));
    site.digest().assert_is(&good, "restored");
    assert_eq!(report["database"]["tables"], 17);
    assert_eq!(
        report["database"]["unchanged"], 13,
        "all but the one of MyISAM, and three that foreign keys tie together"
    );
    let groups = report["verification"]["staged"].as_array().unwrap();
    let checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
    let unchanged = checks.clone().find(|check| check["name"] == "unchanged").unwrap();
    assert_eq!((&unchanged["outcome"], &unchanged["figures"]["tables"]), (&json!("pass"), &json!(13)));
    assert_eq!(unchanged["figures"]["digests"]["rv_stock"].as_str().unwrap().len(), 32, "{unchanged}");
    assert_eq!(report["rehearsal"]["outcome"], "pass", "{}", report["rehearsal"]);
    site.call("rollback", json!({"domain": DOMAIN, "job": world::World::job(&report), "wait": true}));
    site.digest().assert_is(&damaged, "and back: keys that lead nowhere, and a trigger");
    assert!(site.harness("strays", &[]).is_empty());
}

#[test]
fn a_table_that_stays_gives_no_number_twice_and_gets_its_own_next_one_back() {
    let site = world::World::up();
    site.harness("sql", &["USE shop; ALTER TABLE wp_users AUTO_INCREMENT=500"]);
    site.harness("backup", &[]);
    site.harness("sql", &["USE shop; ALTER TABLE wp_users AUTO_INCREMENT=1; ALTER TABLE wp_terms AUTO_INCREMENT=900"]);
    let next = || {
        let shown = "SELECT GROUP_CONCAT(AUTO_INCREMENT ORDER BY TABLE_NAME) FROM information_schema.TABLES \
                     WHERE TABLE_SCHEMA='shop' AND TABLE_NAME IN ('wp_terms', 'wp_users')";
        site.harness("sql", &[shown]).trim().to_owned()
    };
    let damaged = site.digest();
    let before = next();
    assert!(before.starts_with("900,") && !before.ends_with(",500"), "{before}");
    let report = site.call("restore_start", json!({"domain": DOMAIN, "components": {"database": true}, "wait": true}));
    assert_eq!(next(), "900,500", "what was given out since the backup is not given out again");
    assert_eq!(report["database"]["unchanged"], 13, "{}", report["database"]);
    let back = site.call("rollback", json!({"domain": DOMAIN, "job": world::World::job(&report), "wait": true}));
    assert_eq!(next(), before);
    site.digest().assert_is(&damaged, "and back");
    site.call("rollback", json!({"domain": DOMAIN, "job": world::World::job(&back), "wait": true}));
    assert_eq!(next(), "900,500");
    // Where the site has used the numbers, they stay used.
    site.harness("sql", &["USE shop; ALTER TABLE wp_users AUTO_INCREMENT=1"]);
    let again = site.call("restore_start", json!({"domain": DOMAIN, "components": {"database": true}, "wait": true}));
    assert_eq!(next(), "900,500");
    site.harness("sql", &["USE shop; ALTER TABLE wp_users AUTO_INCREMENT=700"]);
    site.call("rollback", json!({"domain": DOMAIN, "job": world::World::job(&again), "wait": true}));
    assert_eq!(next(), "900,700");
}

#[test]
fn what_is_written_to_a_table_that_stays_is_said() {
    let site = world::World::up();
    site.harness("backup", &[]);
    let socket = site.place().join("run/db.sock");
    let write = "UPDATE shop.rv_stock SET pieces=77 WHERE item='fuel'";
    let script = format!("mariadb --no-defaults --socket='{}' --user=root -e \"{write}\"", socket.display());
    hooks::put(&site, "before-commit/write", &script);
    let report = site.call("restore_start", json!({"domain": DOMAIN, "wait": true}));
    let groups = report["verification"]["live"].as_array().unwrap();
    let mut checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
    let written = checks.find(|check| check["name"] == "written_since").unwrap();
    assert_eq!(
        (&written["outcome"], &written["figures"]["tables"]),
        (&json!("warn"), &json!(["rv_stock"])),
        "{written}"
    );
}

#[test]
fn a_rehearsal_loads_all_of_the_dump() {
    let site = world::World::up();
    site.harness("backup", &[]);
    let rehearsed = site.call("rehearse", json!({"domain": DOMAIN, "wait": true}));
    let groups = rehearsed["staged"].as_array().unwrap();
    let checks: Vec<_> = groups.iter().flat_map(|group| group["checks"].as_array().unwrap()).collect();
    assert!(checks.iter().any(|check| check["name"] == "tables" && check["figures"]["tables"] == 17), "{checks:?}");
    assert!(!checks.iter().any(|check| check["name"] == "unchanged"));
}

/// On whatever server is under test, MySQL too.
#[test]
fn a_table_as_the_server_shows_it_stays() {
    let world = World { beside: true, ..World::new() };
    world.server.sql(
        "CREATE DATABASE live CHARACTER SET utf8mb4; CREATE USER site@localhost IDENTIFIED BY 'x'; USE live; \
         CREATE TABLE kept (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, t VARCHAR(99), made TIMESTAMP NULL, \
           n DECIMAL(10,2), twice DECIMAL(12,2) AS (n * 2) STORED, b BLOB, j JSON, KEY t (t)) ENGINE=InnoDB; \
         INSERT INTO kept (t, made, n, b, j) VALUES ('Größe 😀', NULL, 1.50, X'00FF27', '[1, 2]')",
    );
    let made = world.server.sql("SHOW CREATE TABLE live.kept");
    let made = made.split_once('\t').unwrap().1.replace("\\n", "\n");
    let dump = |value: &str| {
        format!(
            "SET NAMES utf8mb4;\nSET TIME_ZONE='+00:00';\nSET sql_mode='NO_AUTO_VALUE_ON_ZERO';\n{made};\n\
             INSERT INTO `kept` (`id`, `t`, `made`, `n`, `b`, `j`) VALUES (1,'{value}',NULL,1.50,_binary '\\0\u{7f}\\'','[1, 2]');\n"
        )
    };
    world.server.sql("UPDATE live.kept SET b=X'007F27'");
    let loaded = world.load(dump("Größe 😀").as_bytes(), true).unwrap();
    assert_eq!(sides(&loaded), (vec!["kept"], Vec::new()));
    let loaded = world.load(dump("Grösse").as_bytes(), true).unwrap();
    assert_eq!(sides(&loaded), (Vec::new(), vec!["kept"]));
}
