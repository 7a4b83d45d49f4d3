//! What a dump of one kind of server is on the other: columns that are computed, definitions that the other does not know, comments
//! that are meant for one alone, files that tables share. What `validate` says is what the restore does.

use crate::private_server::Release;
use crate::releases::{TABLE, administrator, assert_both_refuse, assert_both_take};
use crate::two_tenants::{OWN, Tenants};
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The installed MariaDB, or the one under test, and MySQL.
fn both() -> [Tenants; 2] {
    let mariadb = if Release::tested().is_mysql() { Release::Installed } else { Release::tested() };
    [Tenants::up(mariadb, &[]), Tenants::up(Release::MYSQL97, &[])]
}

/// Everything in a report that a user is told beside the counts.
fn notes(report: &Value) -> String {
    report["notes"].to_string()
}

/// The restore without this table or object.
#[track_caller]
fn assert_without(tenants: &Tenants, name: &str) {
    let request = json!({"domain": DOMAIN, "wait": true, "exclude": {"database": [name]}});
    let validated = tenants.world.document("validate", &request);
    assert_ne!(validated["data"]["outcome"], "fail", "{name}: {validated:#}");
    let document = tenants.world.document("restore_start", &request);
    assert_eq!(document["ok"], true, "{name}: {document}");
}

/// MariaDB ignores a value for a computed column, or refuses it where its mode is strict; MySQL always refuses it (error 3105).
#[test]
fn whatever_fills_a_table_leaves_computed_columns_to_the_server() {
    let dump = "CREATE TABLE `x` (`id` int PRIMARY KEY, `a` int, `g` int AS (`a`*2) STORED);\n\
        INSERT INTO `x` VALUES (1,1,99);\n\
        INSERT INTO `x` VALUES (1,5,77),(2,6,7) ON DUPLICATE KEY UPDATE `a`=VALUES(`a`), `g`=VALUES(`g`);\n\
        INSERT INTO `x` VALUES (2,6,7) AS `new` ON DUPLICATE KEY UPDATE `a`=61, `g`=7;\n\
        INSERT INTO `x` SET `id`=3, `a`=7, `g`=-1;\n\
        ALTER TABLE `x` ADD COLUMN `n` varchar(10) AFTER `id`;\n\
        INSERT INTO `x` VALUES (4,'n',8,3);\nINSERT INTO `x` (`g`,`id`,`a`) VALUES (3,5,9) ON DUPLICATE KEY UPDATE `g`=1;\n\
        INSERT INTO `x` SET `g`=1, `id`=6;\nREPLACE INTO `x` (`id`,`g`) VALUES (7,1);\n\
        CREATE INDEX `i` ON `x` (`a`);\nINSERT IGNORE INTO `x` (`id`,`g`) VALUES (8,1);\n";
    for tenants in both() {
        // MariaDB has no such alias.
        let dump = match tenants.release.is_mysql() {
            true => dump.to_owned(),
            false => dump.replace(" AS `new` ON", " ON"),
        };
        tenants.backup(&format!("{TABLE}{dump}"));
        let report = assert_both_take(&tenants, "values for computed columns");
        assert!(!notes(&report).contains("generated"), "{report}");
        assert_eq!(
            tenants.sql(&format!("SELECT id,n,a,g FROM {OWN}.x ORDER BY id")).trim(),
            "1\tNULL\t5\t10\n2\tNULL\t61\t122\n3\tNULL\t7\t14\n4\tn\t8\t16\n5\tNULL\t9\t18\n6\tNULL\tNULL\tNULL\n\
             7\tNULL\tNULL\tNULL\n8\tNULL\tNULL\tNULL"
        );
    }
}

#[test]
fn a_definition_that_the_server_does_not_know_is_told_before_and_the_rest_can_be_had() {
    let history = "CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `s` timestamp(6) GENERATED ALWAYS AS ROW START,\n\
        `e` timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (`s`, `e`)) ENGINE=InnoDB WITH SYSTEM VERSIONING";
    let of_mariadb = [
        (history, "system-versioned"),
        ("CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY) WITH SYSTEM VERSIONING", "system-versioned"),
        (
            "CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `a` date NOT NULL, `b` date NOT NULL, PERIOD FOR `p` (`a`, `b`))",
            "periods",
        ),
        ("CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `u` uuid DEFAULT NULL)", "UUID"),
        ("CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `i` inet6 DEFAULT NULL)", "INET6"),
    ];
    let of_mysql = [(
        "CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `a` varchar(9), KEY `k` ((lower(`a`))))",
        "keys of expressions",
    )];
    let [mariadb, mysql] = both();
    for (tenants, cases) in [(&mysql, &of_mariadb[..]), (&mariadb, &of_mysql[..])] {
        for (create, word) in cases {
            tenants.backup(&format!("{TABLE}{create};\n"));
            let check = assert_both_refuse(tenants, "feature", &[word, "exclude", "x"]);
            assert_eq!(check["figures"]["first_line"], 3, "{check}");
            let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
            assert_eq!(document["error"]["hint"], check["figures"]["hint"], "{document}");
            assert_eq!(document["error"]["context"]["line"], 3, "{document}");
            assert_without(tenants, "x");
        }
    }
    for (tenants, create) in [(&mariadb, history), (&mysql, of_mysql[0].0)] {
        tenants.backup(&format!("{TABLE}{create};\n"));
        assert_both_take(tenants, create);
    }
}

/// Of a column MySQL takes a check that names no other (error 3813).
#[test]
fn a_check_of_a_column_that_names_another_is_one_of_the_table_where_it_has_to_be() {
    let dump = "CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `a` int DEFAULT NULL CHECK (`a` > 0),\n\
        `b` int DEFAULT NULL COMMENT 'CHECK (' CHECK (`b` > `a`), `j` longtext CHECK (json_valid(`j`))) ENGINE=InnoDB;\nINSERT INTO `x` VALUES (1,1,2,'{}');\n";
    for tenants in both() {
        tenants.backup(&format!("{TABLE}{dump}"));
        let report = assert_both_take(&tenants, "a check that names another column");
        assert_eq!(notes(&report).contains("the check of column b"), tenants.release.is_mysql(), "{report}");
        assert!(!notes(&report).contains("the check of column a"), "{report}");
        let kept =
            format!("SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA='{OWN}'");
        let kept = tenants.sql(&kept);
        assert!(kept.lines().count() == 3 && kept.contains("`b` > `a`"), "{kept}");
    }
}

/// Options that another server has, and what takes disk or a file of others'.
#[test]
fn options_of_a_table_that_have_no_place_in_a_restore_are_left_out_and_said() {
    let mysql = Tenants::up(Release::MYSQL97, &[]);
    mysql.sql(&format!(
        "CREATE TABLESPACE `my ts` ADD DATAFILE 'my_ts.ibd'; CREATE TABLE {OWN}.x (id INT PRIMARY KEY, v VARCHAR(40)) TABLESPACE `my ts`; \
         INSERT INTO {OWN}.x VALUES (1,'live'); CREATE TABLE {OWN}.y (id INT PRIMARY KEY) AUTOEXTEND_SIZE=64M"
    ));
    let shown = |table: &str| {
        let text = mysql.sql(&format!("SHOW CREATE TABLE {OWN}.{table}"));
        text.trim().split_once('\t').unwrap().1.replace("\\n", "\n")
    };
    let tables = [shown("x"), shown("y")];
    assert!(tables[0].contains("TABLESPACE `my ts`") && tables[1].contains("AUTOEXTEND_SIZE"), "{tables:?}");
    mysql.backup(&format!(
        "{TABLE}{};\nINSERT INTO `x` VALUES (1,'restored');\n{};\n\
         CREATE TABLE `p` (`id` int NOT NULL PRIMARY KEY) ENGINE=InnoDB PARTITION BY HASH (`id`) (PARTITION p0 TABLESPACE=`my ts`, PARTITION p1);\n\
         CREATE TABLE `aria` (`id` int NOT NULL PRIMARY KEY) ENGINE=Aria DEFAULT CHARSET=utf8mb4 PAGE_CHECKSUM=1;\n\
         CREATE TABLE `packed` (`id` int NOT NULL PRIMARY KEY) ENGINE=InnoDB `PAGE_COMPRESSED`='ON';\n",
        tables[0], tables[1]
    ));
    let document = mysql.world.document("validate", &json!({"domain": DOMAIN, "wait": true}));
    for word in ["TABLESPACE my ts is left out", "AUTOEXTEND_SIZE is left out", "PAGE_CHECKSUM", "PAGE_COMPRESSED"] {
        assert!(document.to_string().contains(word), "{word}: {document:#}");
    }
    let report = assert_both_take(&mysql, "options that have no place in a restore");
    for word in ["TABLESPACE my ts is left out", "AUTOEXTEND_SIZE is left out", "PAGE_CHECKSUM", "PAGE_COMPRESSED"] {
        assert!(notes(&report).contains(word), "{word}: {report:#}");
    }
    let kinds = format!(
        "SELECT DISTINCT SPACE_TYPE FROM information_schema.INNODB_TABLES WHERE NAME LIKE '{}/%'",
        OWN.replace('_', "\\_")
    );
    assert_eq!(mysql.sql(&kinds).trim(), "Single");
    let size = format!("SELECT FILE_SIZE < 1048576 FROM information_schema.INNODB_TABLESPACES WHERE NAME='{OWN}/y'");
    assert_eq!(mysql.sql(&size).trim(), "1");
    assert_eq!(mysql.sql(&format!("SELECT v FROM {OWN}.x")).trim(), "restored");
    // The tablespace is its owner's: it is there, with the old table in it.
    let old = "SELECT COUNT(*) FROM information_schema.INNODB_TABLES WHERE SPACE_TYPE='General' AND NAME LIKE 'rvk%/x'";
    assert_eq!(mysql.sql(old).trim(), "1");
    let compared = mysql.world.document("diff_backup", &json!({"domain": DOMAIN, "wait": true, "details": true}));
    let changed: Vec<&str> = compared["data"]["tables"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert!(!changed.contains(&"x") && !changed.contains(&"y"), "{compared:#}");
    // What alters a table is no definition of it.
    for alter in ["TABLESPACE `my ts`", "ADD `z` int, TABLESPACE `my ts`", "AUTOEXTEND_SIZE=64M"] {
        mysql.backup(&format!("{TABLE}ALTER TABLE `t` {alter};\n"));
        assert_both_refuse(&mysql, "statement", &["exclude"]);
    }

    let [mariadb, _] = both();
    mariadb.backup(&format!(
        "{TABLE}CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY) /*!50100 TABLESPACE `my ts` */ ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMPRESSION='zlib';\n"
    ));
    let report = assert_both_take(&mariadb, "options of MySQL");
    for word in ["TABLESPACE my ts is left out", "COMPRESSION"] {
        assert!(notes(&report).contains(word), "{word}: {report:#}");
    }
}

/// A comment for another server is none of a restore's: it is not counted, not demanded, not refused, and said.
#[test]
fn what_is_meant_for_another_server_is_not_there_and_that_is_said() {
    let of_mariadb = "/*M!100301 CREATE SEQUENCE `s` START WITH 5 */;\n/*M!100301 DO SETVAL(`s`, 7, 0) */;\n\
        /*M!100301 CREATE TABLE `m` (`x` int) */;\n\
        DELIMITER ;;\n/*M!100301 CREATE TRIGGER `g` BEFORE INSERT ON `not_there` FOR EACH ROW SET NEW.v='g' */;;\n\
        /*M!100301 CREATE FUNCTION `f`() RETURNS int RETURN 1 */;;\n/*M!100301 CALL `p`() */;;\nDELIMITER ;\n\
        CREATE TABLE `k` (`x` int NOT NULL /*M!100301 COMPRESSED */ /*M!100301 , WRONG WORDS */);\n";
    let of_mysql = "/*!80000 CREATE TABLE `m` (`x` int, KEY ((`x` + 1))) */;\n\
        DELIMITER ;;\n/*!50701 CREATE TRIGGER `g` BEFORE INSERT ON `not_there` FOR EACH ROW SET NEW.v='g' */;;\n\
        /*!80000 CREATE FUNCTION `f`() RETURNS int RETURN 1 */;;\n/*!80000 GRANT ALL ON *.* TO x */;;\nDELIMITER ;\n\
        /*!80000 CREATE VIEW `v` AS SELECT `none` FROM `none` */;\n\
        CREATE TABLE `k` (`x` int NOT NULL /*!80000 , KEY ((`x` + 1)) */);\n";
    let [mariadb, mysql] = both();
    for (tenants, dump) in [(&mysql, of_mariadb), (&mariadb, of_mysql)] {
        tenants.backup(&format!("{TABLE}{dump}"));
        // The first look is nobody's but the menus'.
        let shown = tenants.world.call("preview_backup", json!({"domain": DOMAIN, "wait": true}));
        let database = &shown["database"];
        assert_eq!((&database["tables"], &database["objects"]), (&json!(2), &json!(0)), "{database:#}");
        let report = assert_both_take(tenants, dump);
        for word in ["CREATE TABLE `m`", "CREATE TRIGGER `g`", "CREATE FUNCTION `f`", "skipped"] {
            assert!(notes(&report).contains(word), "{word}: {report:#}");
        }
        assert_eq!(tenants.sql(&format!("SHOW TABLES FROM {OWN}")).trim(), "k\nt");
        let compared = tenants.world.document("diff_backup", &json!({"domain": DOMAIN, "wait": true}));
        for change in ["added", "removed"] {
            assert_eq!(compared["data"]["tables"][change], 0, "{change}: {compared:#}");
        }
        assert_eq!(compared["data"]["tables"]["objects"]["added"], 0, "{compared:#}");
        let verified = tenants.world.document("verify", &json!({"domain": DOMAIN, "wait": true}));
        assert_ne!(verified["data"]["outcome"], "fail", "{verified:#}");
    }
    // What is filled without being made.
    for (tenants, mark) in [(&mysql, "M!100301"), (&mariadb, "!80000")] {
        for more in ["INSERT INTO `m` VALUES (1)", "ALTER TABLE `m` ADD `y` int"] {
            tenants.backup(&format!("{TABLE}/*{mark} CREATE TABLE `m` (`x` int NOT NULL PRIMARY KEY) */;\n{more};\n"));
            assert_both_refuse(tenants, "statement", &["does not create", "exclude", "m"]);
            assert_without(tenants, "m");
        }
    }
    // Whoever it is meant for has it.
    for (tenants, mark) in [(&mariadb, "M!100301"), (&mysql, "!80000")] {
        tenants.backup(&format!(
            "{TABLE}/*{mark} CREATE TABLE `m` (`x` int NOT NULL PRIMARY KEY) */;\nINSERT INTO `m` VALUES (1);\n/*{mark} CREATE VIEW `v` AS SELECT `x` FROM `m` */;\n"
        ));
        assert_both_take(tenants, mark);
        assert_eq!(tenants.sql(&format!("SELECT x FROM {OWN}.v")).trim(), "1");
    }
}

/// The schema of a site is gone, and its dump has no table.
#[test]
fn a_schema_that_is_gone_is_made_for_what_a_dump_holds_and_for_nothing_else() {
    for tenants in both() {
        for (dump, made) in [
            ("/*!40101 SET NAMES utf8mb4 */;\n", false),
            ("CREATE VIEW `v` AS SELECT 'seen' AS `x`;\n", true),
            ("CREATE PROCEDURE `p`() SELECT 'seen' AS `x`;\n", true),
        ] {
            tenants.backup(dump);
            tenants.sql(&format!("DROP DATABASE IF EXISTS {OWN}"));
            let validated = tenants.world.document("validate", &json!({"domain": DOMAIN, "wait": true}));
            assert_ne!(validated["data"]["outcome"], "fail", "{dump}: {validated:#}");
            let says = validated.to_string();
            assert_eq!(says.contains("does not exist and will be made"), made, "{dump}: {validated:#}");
            let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
            assert_eq!(document["ok"], true, "{dump}: {document}");
            let there = tenants.sql("SHOW DATABASES").lines().any(|name| name == OWN);
            assert_eq!(there, made, "{dump}: {document:#}");
            let report = &document["data"];
            assert_eq!(notes(report).contains("did not exist and was made"), made, "{dump}: {report:#}");
            if made {
                let call = if dump.contains("VIEW") { "SELECT x FROM a_shop.v" } else { "CALL a_shop.p()" };
                assert_eq!(tenants.sql(call).trim(), "seen");
                let request = json!({"domain": DOMAIN, "snapshot": report["snapshot"], "wait": true});
                let back = tenants.world.document("rollback", &request);
                assert_eq!(back["ok"], true, "{dump}: {back}");
                assert!(!tenants.sql("SHOW DATABASES").lines().any(|name| name == OWN), "{dump}");
            } else {
                assert!(says.contains("is not made"), "{dump}: {validated:#}");
                assert!(notes(report).contains("is not made"), "{dump}: {report:#}");
            }
        }
    }
}

/// How the dumps of the two begin.
const OF_MARIADB: &str = "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)\n-- Server version\t10.11.6-MariaDB\n";
const OF_MYSQL: &str = "-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)\n-- Server version\t9.7.4\n";

/// What `validate` has tried in is gone, and who tried it.
#[track_caller]
fn assert_no_trace(tenants: &Tenants) {
    assert_eq!(traces(tenants), "");
}

fn traces(tenants: &Tenants) -> String {
    let sql = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'rvs%'; SELECT User FROM mysql.user WHERE User LIKE 'rv%'";
    tenants.sql(sql)
}

/// The line of `validate` about the server's own try.
fn line_of_the_try(document: &Value) -> Option<Value> {
    let groups = document["data"]["groups"].as_array().unwrap();
    let mut checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
    checks.find(|check| check["name"] == "definitions").cloned()
}

/// A dump of so many tables.
fn many(tables: usize) -> String {
    let table = |number: usize| {
        format!(
            "CREATE TABLE `m{number}` (`id` int NOT NULL AUTO_INCREMENT, `a` varchar(190) DEFAULT NULL, `b` longtext, PRIMARY KEY (`id`), KEY `a` (`a`)) ENGINE=InnoDB;\n"
        )
    };
    (0..tables).map(table).collect()
}

/// What `validate` and the restore say otherwise of a dump whose fifth line the server refuses with that number.
fn told_otherwise(tenants: &Tenants, dump: &str, number: &str) -> Option<String> {
    tenants.backup(dump);
    let failed = tenants.failures();
    assert_no_trace(tenants);
    let (before, own) = (tenants.others(), tenants.own());
    let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
    let error = &document["error"];
    assert!(tenants.others() == before && tenants.own() == own, "{dump}: {}", tenants.others());
    let said: Vec<_> = failed
        .iter()
        .map(|check| {
            let figures = &check["figures"];
            (&check["name"], &check["message"], &figures["code"], &figures["hint"], &figures["first_line"])
        })
        .collect();
    let (name, context) = (json!("definition"), &error["context"]);
    let does = [(&name, &error["message"], &error["code"], &error["hint"], &context["line"])];
    let wrong = said != does || context["line"] != 5 || !error["message"].to_string().contains(number);
    wrong.then(|| format!("{number}\n  validate: {failed:#?}\n  restore: {error:#}"))
}

/// A view that lacks its table, a trigger that names no column: the server alone knows, of its own dumps too.
#[test]
fn views_and_routines_that_the_server_does_not_take_are_told_before() {
    let cases = [
        ("CREATE VIEW `o` AS SELECT `none` FROM `t`", "1054"),
        ("CREATE VIEW `o` AS SELECT 1 FROM `not_there`", "1146"),
        ("CREATE TRIGGER `o` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.`none`='x'", "1054"),
        ("CREATE FUNCTION `o`() RETURNS int DETERMINISTIC RETURN RETURN 1", "1064"),
    ];
    let [mariadb, mysql] = both();
    let mut wrong = Vec::new();
    for (tenants, head) in [(&mariadb, OF_MARIADB), (&mysql, OF_MYSQL)] {
        for (create, number) in cases {
            // A view over a later one is none of them.
            let good = "CREATE VIEW `a` AS SELECT `id` FROM `b`;\nCREATE VIEW `b` AS SELECT `id` FROM `t`;\n";
            if let Some(otherwise) = told_otherwise(tenants, &format!("{head}{TABLE}{create};\n{good}"), number) {
                wrong.push(format!("{create}: {otherwise}"));
                continue;
            }
            assert_without(tenants, "o");
            let validated = tenants
                .world
                .document("validate", &json!({"domain": DOMAIN, "wait": true, "exclude": {"database": ["o"]}}));
            let line = line_of_the_try(&validated).unwrap();
            assert_eq!(
                (&line["outcome"], &line["figures"]["statements"]),
                (&json!("pass"), &json!(3)),
                "{validated:#}"
            );
            assert_no_trace(tenants);
        }
    }
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}

/// No list of ours has these: the server is asked.
#[test]
fn what_the_server_alone_knows_of_a_definition_it_says_before() {
    let of_mariadb = [
        ("CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `a` text DEFAULT 'x')", "1101"),
        ("CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `a` char(36) DEFAULT uuid())", "1064"),
        (
            "CREATE TABLE `y` (`id` int NOT NULL PRIMARY KEY, CONSTRAINT `c` CHECK (`id` <> 5)); CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, CONSTRAINT `c` CHECK (`id` <> 5))",
            "3822",
        ),
        ("CREATE TABLE `x` (`id` int NOT NULL AUTO_INCREMENT PRIMARY KEY CHECK (`id` > 0))", "3818"),
        ("CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `a` int, KEY `a` (`a`) IGNORED)", "1064"),
        // As phpMyAdmin writes what belongs to a table: at the end.
        (
            "CREATE TABLE `x` (`id` int NOT NULL, `a` int); ALTER TABLE `x` ADD PRIMARY KEY (`id`), ADD KEY `a` (`a`) IGNORED",
            "1064",
        ),
    ];
    let of_mysql = [("CREATE TABLE `x` (`id` int NOT NULL PRIMARY KEY, `g` geomcollection)", "4161")];
    let [mariadb, mysql] = both();
    let mut wrong = Vec::new();
    for (tenants, head, cases) in [(&mysql, OF_MARIADB, &of_mariadb[..]), (&mariadb, OF_MYSQL, &of_mysql[..])] {
        for (create, number) in cases {
            let dump = format!("{head}{TABLE}{create};\nINSERT INTO `x` VALUES (1,1);\n");
            if let Some(otherwise) = told_otherwise(tenants, &dump, number) {
                wrong.push(format!("{create}: {otherwise}"));
                continue;
            }
            assert_without(tenants, "x");
            assert_no_trace(tenants);
        }
    }
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));

    // Every refusal is told, also that of a table that stays out for another reason; what is left out is not tried.
    mysql.backup(&format!(
        "{OF_MARIADB}{TABLE}CREATE TABLE `p` (`id` int NOT NULL PRIMARY KEY, `a` text DEFAULT 'x');\nALTER TABLE `p` ADD KEY `a` (`a`) IGNORED;\n\
         CREATE TABLE `q` (`id` int NOT NULL PRIMARY KEY) WITH SYSTEM VERSIONING;\nCREATE TABLE `r` (`id` int NOT NULL PRIMARY KEY, `a` blob DEFAULT 'x');\n"
    ));
    let lines =
        |failed: &[Value]| failed.iter().map(|check| check["figures"]["first_line"].clone()).collect::<Vec<_>>();
    assert_eq!(lines(&mysql.failures()), [json!(7), json!(5), json!(8)]);
    let request = json!({"domain": DOMAIN, "wait": true, "exclude": {"database": ["p", "q"]}});
    assert_eq!(lines(&mysql.failures_of(&request)), [json!(8)]);
    let dry = json!({"domain": DOMAIN, "wait": true, "dry_run": true});
    let dry = mysql.world.document("restore_start", &dry);
    assert_eq!(dry["data"]["outcome"], "fail", "{dry:#}");
    assert_no_trace(&mysql);
}

/// What the server takes it is said to take, and of its own dumps nothing is asked.
#[test]
fn a_dump_of_the_same_kind_of_server_is_not_tried_and_one_that_cannot_be_is_said_not_to_be() {
    let [mariadb, mysql] = both();
    let request = json!({"domain": DOMAIN, "wait": true});
    // Of the oldest release that the tests run on: for no server of its kind it is a newer one.
    let of_the_oldest = OF_MARIADB.replace("10.11.6", "10.5.23");
    for (tenants, own, other) in [(&mysql, OF_MYSQL, OF_MARIADB), (&mariadb, &of_the_oldest, OF_MYSQL)] {
        tenants.backup(&format!("{other}{TABLE}{}", many(3)));
        let validated = tenants.world.document("validate", &request);
        let line = line_of_the_try(&validated).unwrap();
        assert_eq!((&line["outcome"], &line["figures"]["statements"]), (&json!("pass"), &json!(4)), "{validated:#}");
        assert_both_take(tenants, "a dump of another kind of server");
        tenants.backup(&format!("{own}{TABLE}{}", many(3)));
        assert_eq!(line_of_the_try(&tenants.world.document("validate", &request)), None);
        assert_no_trace(tenants);
    }
    mysql.backup(&format!("{OF_MARIADB}{TABLE}"));
    administrator(&mysql, "missing_a", "x");
    let validated = mysql.world.document("validate", &request);
    let line = line_of_the_try(&validated).unwrap();
    assert_eq!(line["outcome"], "not_checked", "{validated:#}");
    assert!(!validated.to_string().contains("secret-a-1"), "{validated:#}");
}

/// Whoever is stopped while the server tries: nothing stays on it.
#[test]
fn nothing_of_a_try_stays_whether_it_is_cancelled_or_its_worker_dies() {
    let [_, mysql] = both();
    mysql.backup(&format!("{OF_MARIADB}{TABLE}{}", many(1000)));
    let is_at_it = || ["rvs_", "rv_"].iter().all(|ours| traces(&mysql).lines().any(|name| name.starts_with(ours)));
    let begin = || {
        let job = World::job(&mysql.world.call("validate", json!({"domain": DOMAIN})));
        let until = Instant::now() + Duration::from_secs(60);
        while !is_at_it() {
            assert!(Instant::now() < until, "{}", mysql.world.poll(&job));
            std::thread::sleep(Duration::from_millis(20));
        }
        job
    };
    let job = begin();
    // Of somebody at work nothing is taken away.
    mysql.world.call("cleanup", json!({"wait": true}));
    assert!(is_at_it(), "{}", traces(&mysql));
    mysql.world.call("restore_cancel", json!({"job": job}));
    let status = mysql.world.await_end(&job);
    assert_eq!(status["error"]["code"], "cancelled", "{status:#}");
    assert_no_trace(&mysql);
    let job = begin();
    assert!(World::kill_worker(&job), "it was done already");
    assert_ne!(traces(&mysql), "");
    mysql.world.await_end(&job);
    mysql.world.call("cleanup", json!({"wait": true}));
    assert_no_trace(&mysql);
}

/// What `mariadb-dump --dump-history` writes. `end`: when rows of today end, to the server that it is of.
fn with_history(end: &str) -> String {
    format!(
        "SET @@system_versioning_insert_history=1;\n\
         CREATE TABLE `h` (`id` int NOT NULL PRIMARY KEY, `price` int) ENGINE=InnoDB WITH SYSTEM VERSIONING;\n\
         INSERT INTO `h` (`id`, `price`, `row_start`, `row_end`) VALUES (1,10,'2025-01-01 00:00:00.000000','2025-02-01 00:00:00.000000'),\
         (1,20,'2025-02-01 00:00:00.000000','{end}'),(2,30,'2025-01-01 00:00:00.000000','{end}');\n"
    )
}

/// The rows of before come with those of today, or it is said why a dump of an older server is none for this one.
#[test]
fn the_history_of_a_table_comes_with_its_dump_and_hides_no_row() {
    let [tenants, _] = both();
    let (old, new) = ("2038-01-19 03:14:07.999999", "2106-02-07 06:28:15.999999");
    let is_new = tenants.sql("SELECT FROM_UNIXTIME(2147483648) IS NOT NULL").trim() == "1";
    let zone = "SET time_zone='+00:00';\n";
    tenants.backup(&format!("{zone}{TABLE}{}", with_history(if is_new { new } else { old })));
    assert_both_take(&tenants, "a dump with history");
    let counted = |of: &str| tenants.sql(&format!("SELECT COUNT(*) FROM {OWN}.h {of}")).trim().to_owned();
    assert_eq!((counted(""), counted("FOR SYSTEM_TIME ALL")), ("2".to_owned(), "3".to_owned()));
    if is_new {
        tenants.backup(&format!("{zone}{TABLE}{}", with_history(old)));
        let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(document["error"]["code"], "verification_failed", "{document}");
        assert!(document["error"]["message"].as_str().unwrap().contains("2 rows of h would be hidden"), "{document}");
        assert_eq!(counted(""), "2");
    }
}

/// A server keeps no event that was to run once and whose time is over.
#[test]
fn an_event_whose_time_is_over_is_said_to_be_left_out() {
    let [tenants, mysql] = both();
    for tenants in [&tenants, &mysql] {
        let event = |name: &str, at: &str| {
            format!("CREATE EVENT `{name}` ON SCHEDULE {at} ON COMPLETION NOT PRESERVE ENABLE DO DELETE FROM `t`;;\n")
        };
        let events =
            [event("once", "AT '2025-01-02 03:04:05'"), event("always", "EVERY 9 YEAR STARTS '2035-01-01 00:00:00'")]
                .concat();
        tenants.backup(&format!("{TABLE}DELIMITER ;;\n{events}DELIMITER ;\n"));
        let report = assert_both_take(tenants, "an event that was due");
        assert!(notes(&report).contains("the event once was to run once"), "{report}");
        assert!(!notes(&report).contains("the event always"), "{report}");
        let events = format!("SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA='{OWN}'");
        assert_eq!(tenants.sql(&events).trim(), "always");
    }
}

/// Some programs write rows without their invisible columns, and no word of it.
#[test]
fn values_that_a_dump_lacks_for_invisible_columns_are_said_to_be_lacking() {
    let [tenants, _] = both();
    let table = "CREATE TABLE `i` (`id` int NOT NULL PRIMARY KEY, `secret` int DEFAULT 5 INVISIBLE, `g` int AS (`id`*2) INVISIBLE);\n";
    for (rows, secret, is_said) in
        [("INSERT INTO `i` VALUES (1);\n", "5", true), ("INSERT INTO `i` (`id`,`secret`) VALUES (1,9);\n", "9", false)]
    {
        tenants.backup(&format!("{TABLE}{table}{rows}"));
        let report = assert_both_take(&tenants, rows);
        assert_eq!(notes(&report).contains("no values for its invisible columns, secret;"), is_said, "{report}");
        assert_eq!(tenants.sql(&format!("SELECT secret FROM {OWN}.i")).trim(), secret);
    }
}
