//! What a release of a server wants that others do not, on the real one: binary logs, replicas, keys, privileges, logins. What
//! `validate` says is what the restore does.

use crate::private_server::Release;
use crate::two_tenants::{OWN, THEIRS, Tenants, set_mode};
use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};

pub const TABLE: &str =
    "CREATE TABLE `t` (`id` int NOT NULL PRIMARY KEY, `v` varchar(40));\nINSERT INTO `t` VALUES (1,'restored');\n";

fn mysql() -> Tenants {
    Tenants::up(Release::MYSQL97, &[])
}

/// `validate` fails by this check alone, with these words; the restore fails by the same code and changes nothing.
#[track_caller]
pub fn assert_both_refuse(tenants: &Tenants, name: &str, words: &[&str]) -> Value {
    let failed = tenants.failures();
    assert_eq!(failed.iter().map(|check| &check["name"]).collect::<Vec<_>>(), [name], "{failed:#?}");
    let check = failed[0].clone();
    let said = format!("{} {}", check["message"], check["figures"]["hint"]);
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    let (before, own) = (tenants.others(), tenants.own());
    let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(document["error"]["code"], check["figures"]["code"], "{document}");
    assert!(tenants.others() == before, "{}", tenants.others());
    assert_eq!(tenants.own(), own);
    check
}

#[track_caller]
pub fn assert_both_take(tenants: &Tenants, what: &str) -> Value {
    assert_eq!(tenants.failures(), Vec::<Value>::new(), "{what}");
    tenants.assert_restored(what)
}

pub fn administrator(tenants: &Tenants, user: &str, password: &str) {
    let file = tenants.world.place().join("base/config/admin.cnf");
    std::fs::write(&file, format!("[client]\nuser={user}\npassword={password}\n")).unwrap();
    set_mode(&file, 0o600);
    let line = format!("admin_defaults_file = {file:?}");
    let toml = std::fs::read_to_string(tenants.world.place().join("restore.toml")).unwrap();
    if !toml.contains(&line) {
        tenants.world.set("mysql", &line);
    }
}

#[test]
fn triggers_and_functions_load_under_a_binary_log_as_the_administrator_loads_them() {
    let tenants = mysql();
    assert_eq!(tenants.sql("SELECT @@log_bin, @@log_bin_trust_function_creators").trim(), "1\t0");
    let objects = "DELIMITER ;;\n\
        CREATE DEFINER=`gone`@`%` TRIGGER `tt` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.v=CONCAT(NEW.v,'!');;\n\
        CREATE DEFINER=`gone`@`%` FUNCTION `f`() RETURNS int DETERMINISTIC RETURN 7;;\nDELIMITER ;\n";
    tenants.backup(&[TABLE, objects].concat());
    assert_both_take(&tenants, "a trigger and a function");
    tenants.sql(&format!("INSERT INTO {OWN}.t VALUES (2,'x'); UPDATE {OWN}.t SET v=CONCAT(v,{OWN}.f()) WHERE id=2"));
    assert_eq!(tenants.own(), "restored\nx!7");
    let definers = format!(
        "SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='{OWN}' UNION ALL \
         SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='{OWN}'"
    );
    assert_eq!(tenants.sql(&definers).trim(), "a@localhost\na@localhost");
}

/// The server asks for no right on the table before it says that an administrator is needed.
#[test]
fn a_trigger_on_a_neighbours_table_is_refused_before_and_not_made_by_the_administrator_either() {
    let tenants = mysql();
    for trigger in [
        format!("CREATE TRIGGER `{THEIRS}`.`tt` BEFORE INSERT ON `{THEIRS}`.`t` FOR EACH ROW SET NEW.v='mine'"),
        format!(
            "CREATE DEFINER=`root`@`localhost` TRIGGER `tt` BEFORE INSERT ON `{THEIRS}`.`t` FOR EACH ROW SET NEW.v='mine'"
        ),
    ] {
        tenants.backup(&format!("{TABLE}DELIMITER ;;\n{trigger};;\nDELIMITER ;\n"));
        let failed = tenants.failures();
        assert_eq!(failed[0]["figures"]["code"], "dump_refused", "{failed:#?}");
        let before = tenants.others();
        let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(document["error"]["code"], "dump_refused", "{document}");
        assert!(tenants.others() == before, "{}", tenants.others());
    }
}

#[test]
fn a_function_that_says_nothing_of_itself_is_told_before() {
    let tenants = mysql();
    tenants.backup(&format!("{TABLE}CREATE FUNCTION `f`() RETURNS int RETURN 7;\n"));
    assert_both_refuse(
        &tenants,
        "binary_log",
        &["function f", "DETERMINISTIC", "log_bin_trust_function_creators", "exclude"],
    );
    let without = json!({"domain": DOMAIN, "wait": true, "exclude": {"database": ["f"]}});
    let document = tenants.world.document("restore_start", &without);
    assert_eq!(document["ok"], true, "{document}");
    tenants.sql("SET GLOBAL log_bin_trust_function_creators=ON");
    assert_both_take(&tenants, "a server that trusts");
}

#[test]
fn a_replica_and_a_table_without_a_key_are_told_before() {
    let tenants = mysql();
    tenants.sql("SET GLOBAL super_read_only=ON");
    let failed = tenants.failures();
    assert_eq!(failed.iter().map(|check| &check["name"]).collect::<Vec<_>>(), ["writable"], "{failed:#?}");
    assert!(failed[0]["message"].as_str().unwrap().contains("read_only is on"), "{failed:#?}");
    let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(document["error"]["code"], failed[0]["figures"]["code"], "{document}");
    tenants.sql("SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF");
    assert_both_take(&tenants, "a primary again");

    tenants.backup(&format!("{TABLE}CREATE TABLE `log` (`line` text);\n"));
    tenants.sql("SET GLOBAL sql_require_primary_key=ON");
    assert_both_refuse(&tenants, "primary_key", &["table log", "sql_require_primary_key", "exclude"]);
    tenants.sql("SET GLOBAL sql_generate_invisible_primary_key=ON");
    assert_both_take(&tenants, "a server that makes the key");
}

#[test]
fn a_live_key_to_something_that_is_not_unique_does_not_block_the_change_over() {
    let tenants = mysql();
    tenants.sql(&format!(
        "SET SESSION restrict_fk_on_non_standard_key=0; USE {OWN}; CREATE TABLE p (id INT PRIMARY KEY, n INT, KEY (n)); \
         CREATE TABLE c (id INT PRIMARY KEY, n INT, FOREIGN KEY (n) REFERENCES p (n)); INSERT INTO p VALUES (1,1); INSERT INTO c VALUES (1,1)"
    ));
    tenants.backup(&format!("{TABLE}CREATE TABLE `p` (`id` int PRIMARY KEY, `n` int, KEY (`n`));\nCREATE TABLE `c` (`id` int PRIMARY KEY, `n` int);\n"));
    let done = assert_both_take(&tenants, "a foreign key to a plain index");
    let back =
        tenants.world.document("rollback", &json!({"domain": DOMAIN, "snapshot": done["snapshot"], "wait": true}));
    assert_eq!(back["ok"], true, "{back}");
    assert_eq!(tenants.sql(&format!("SELECT n FROM {OWN}.c")).trim(), "1");
}

/// The site's own account stands in for an administrator who is not let in, and the GRANT that is named is what lacked.
#[test]
fn the_grant_that_is_named_lets_the_sites_account_restore() {
    let tenants = mysql();
    // MySQL asks an unknown user for a plugin picked by the name: among these are some of each.
    for user in ["missing_a", "missing_b", "missing_c", "missing_d"] {
        administrator(&tenants, user, "x");
        let failed = tenants.failures();
        assert_eq!(
            failed.iter().map(|check| &check["name"]).collect::<Vec<_>>(),
            ["privileges"],
            "{user}: {failed:#?}"
        );
        let said = failed[0].to_string();
        assert!(said.to_lowercase().contains("access denied") && !said.contains("sha256_password"), "{user}: {said}");
    }
    tenants.backup(&format!("{TABLE}CREATE DEFINER=`gone`@`%` PROCEDURE `p`() SELECT 1;\n"));
    let said = tenants.failures()[0]["figures"]["hint"].as_str().unwrap().to_owned();
    let grants: Vec<&str> =
        said.split_inclusive(';').filter_map(|part| part.find("GRANT ").map(|at| &part[at..])).collect();
    assert!(!grants.is_empty(), "{said}");
    tenants.sql(&grants.concat());
    assert_both_take(&tenants, &grants.concat());
    // With no more than these rights what was tried goes, too: an account that a routine is of may not be dropped (error 4006).
    let validated = tenants.world.document("validate", &json!({"domain": DOMAIN, "wait": true}));
    assert!(validated.to_string().contains("took the 2 definitions"), "{validated:#}");
    assert_eq!(tenants.sql("SELECT User FROM mysql.user WHERE User LIKE 'rv%'"), "");

    tenants.backup(&format!("{TABLE}CREATE TRIGGER `tt` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.v='x';\n"));
    assert_both_refuse(&tenants, "binary_log", &["trigger tt", "administrator", "log_bin_trust_function_creators"]);
}

#[test]
fn names_are_no_patterns_under_partial_revokes() {
    let tenants = Tenants::up(Release::MYSQL97, &["--partial-revokes=ON"]);
    tenants.sql(&format!("GRANT ALL ON `{OWN}`.* TO a@localhost"));
    assert_both_take(&tenants, "partial_revokes");
}

#[test]
fn a_server_that_takes_tls_alone_is_told_with_the_way_out() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = [
        "--skip-networking=OFF",
        "--bind-address=127.0.0.1",
        &format!("--port={port}"),
        "--require-secure-transport=ON",
    ];
    let tenants = Tenants::up(Release::MYSQL97, &options);
    tenants.sql("CREATE USER adm@'%' IDENTIFIED BY 'secret-adm-1'; GRANT ALL ON *.* TO adm@'%' WITH GRANT OPTION");
    administrator(&tenants, "adm", "secret-adm-1");
    let path = tenants.world.place().join("restore.toml");
    let toml = std::fs::read_to_string(&path).unwrap();
    let socket = format!("socket = {:?}", tenants.server.socket());
    std::fs::write(&path, toml.replace(&socket, &format!("host = \"127.0.0.1\"\nport = {port}"))).unwrap();
    let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(document["error"]["code"], "database_unreachable", "{document}");
    let said = document["error"]["hint"].as_str().unwrap();
    assert!(said.contains("TLS") && said.contains("socket"), "{document}");
}

/// One RENAME holds every table that it moves: how long is asked of the server, by two empty tables.
#[test]
fn how_long_many_tables_wait_is_said_before_on_every_server() {
    for release in [Release::Installed, Release::MYSQL97] {
        let tenants = Tenants::up(release, &[]);
        let tables: String =
            (0..60).map(|number| format!("CREATE TABLE {OWN}.m{number} (id INT PRIMARY KEY);")).collect();
        tenants.sql(&tables);
        let schemas = tenants.sql("SHOW DATABASES");
        let document = tenants.world.document("validate", &json!({"domain": DOMAIN, "wait": true}));
        let groups = document["data"]["groups"].as_array().unwrap_or_else(|| panic!("{document}"));
        let mut checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
        let check = checks.find(|check| check["name"] == "change_over").unwrap_or_else(|| panic!("{document}"));
        assert_eq!(check["figures"]["tables"], 61, "{check}");
        assert!(check["figures"]["expected_ms"].as_u64() > Some(0), "{check}");
        assert_eq!(tenants.sql("SHOW DATABASES"), schemas, "what was tried is gone");
    }
}

/// A wait past the limit stops the restore where `validate` said so, until it is accepted: by the request, or for every restore.
#[test]
fn a_wait_past_the_limit_has_to_be_accepted() {
    for release in [Release::Installed, Release::MYSQL97] {
        let tenants = Tenants::up(release, &[]);
        let tables: String =
            (0..60).map(|number| format!("CREATE TABLE {OWN}.m{number} (id INT PRIMARY KEY);")).collect();
        tenants.sql(&tables);
        tenants.world.set("limits", "change_over_wait_s = 0");
        let failures: Vec<Value> =
            tenants.failures().into_iter().filter(|check| check["name"] == "change_over").collect();
        let [failed] = &failures[..] else { panic!("{failures:?}") };
        assert_eq!(failed["figures"]["accept"], "change_over", "{failed}");
        let (before, own) = (tenants.others(), tenants.own());
        let document = tenants.world.document("restore_start", &json!({"domain": DOMAIN, "wait": true}));
        let error = &document["error"];
        assert_eq!(error["code"], "preflight_failed", "{document}");
        assert_eq!(error["hint"], failed["figures"]["hint"], "{document}");
        assert!(error["hint"].as_str().unwrap().contains("--accept change_over"), "{document}");
        assert_eq!((tenants.others(), tenants.own()), (before, own), "a refusal changes nothing");
        let accepted = json!({"domain": DOMAIN, "wait": true, "options": {"accept": ["change_over"]}});
        let document = tenants.world.document("validate", &accepted);
        assert_eq!(document["data"]["outcome"], "warn", "{document}");
        let document = tenants.world.document("restore_start", &accepted);
        assert_eq!(document["ok"], true, "{document}");
        tenants.sql(&tables.replace("TABLE", "TABLE IF NOT EXISTS"));
        tenants.world.set("mysql", "accept = [\"change_over\"]");
        tenants.assert_restored("accepted for every restore");
    }
}

/// Tables that are live as the backup has them are not renamed: only those that differ keep the site waiting.
#[test]
fn a_wait_for_tables_that_do_not_differ_has_not_to_be_accepted() {
    let world = World::up();
    let each = |sql: &str| (0..60).map(|number| sql.replace('#', &number.to_string())).collect::<String>();
    world.harness("sql", &[&each("CREATE TABLE shop.m# (id INT PRIMARY KEY); INSERT INTO shop.m# VALUES (#);")]);
    let good = world.digest();
    world.harness("backup", &[]);
    world.set("limits", "change_over_wait_s = 0");
    let many: Vec<String> = (0..60).map(|number| format!("m{number}")).collect();
    let request = json!({"domain": DOMAIN, "backup": "latest", "wait": true, "components": {"database": many}});
    let found = |document: &Value| {
        let groups = document["data"]["groups"].as_array().unwrap_or_else(|| panic!("{document}"));
        let mut checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
        checks.find(|check| check["name"] == "change_over").cloned().unwrap_or_else(|| panic!("{document}"))
    };
    world.harness("sql", &["UPDATE shop.m7 SET id=99"]);
    let check = found(&world.document("validate", &request));
    assert_eq!(check["outcome"], "warn", "{check}");
    assert!(check["figures"]["hint"].as_str().unwrap().contains("if more than 0 differ"), "{check}");
    world.call("restore_start", request.clone());
    world.digest().assert_is(&good, "one of many tables");
    world.harness("sql", &[&each("UPDATE shop.m# SET id=id+99;")]);
    let damaged = world.digest();
    assert_eq!(found(&world.document("validate", &request))["outcome"], "warn");
    let refused = world.refused("restore_start", request.clone());
    assert_eq!(refused["code"], "preflight_failed", "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("--accept change_over"), "{refused}");
    world.digest().assert_is(&damaged, "a refusal changes nothing");
    assert_eq!(world.harness("strays", &[]), "", "nothing is left of what was staged");
    world.call("restore_start", with_fields(request, &json!({"options": {"accept": ["change_over"]}})));
    world.digest().assert_is(&good, "accepted");
}

/// A comparison that finds the database as the backup has it.
#[track_caller]
fn assert_same(document: &Value, what: &str) {
    let tables = &document["data"]["tables"];
    assert!(tables["same"].as_u64() > Some(0), "{what}: {document}");
    for change in ["added", "changed", "removed"] {
        assert_eq!(tables[change], 0, "{what}: {change}: {document}");
    }
}

/// MySQL and MariaDB print the same table in other words.
#[test]
fn right_after_a_restore_nothing_differs_whichever_server_wrote_the_dump() {
    let tables = "-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)\n/*!50503 SET NAMES utf8mb4 */;\n\
        CREATE TABLE `t` (\n  `id` int NOT NULL,\n  `v` varchar(40) DEFAULT NULL,\n  `w` text,\n  `d` decimal(10,2) DEFAULT '0.00',\n  `at` timestamp NULL DEFAULT CURRENT_TIMESTAMP,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;\n\
        INSERT INTO `t` VALUES (1,'restored',NULL,1.50,NULL);\n";
    for release in [Release::Installed, Release::MYSQL97] {
        let tenants = Tenants::up(release, &[]);
        tenants.backup(tables);
        tenants.assert_restored("a dump of MySQL 9.7");
        let document = tenants.world.document("diff_backup", &json!({"domain": DOMAIN, "wait": true}));
        assert_same(&document, &format!("{release:?}"));
    }
    let tenants = Tenants::up(Release::Installed, &[]);
    let table = "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  `v` varchar(40) DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;\nINSERT INTO `t` VALUES (1,'restored');\n";
    tenants.backup(&format!("{table}CREATE SEQUENCE `s` start with 1 minvalue 1 maxvalue 9223372036854775806 increment by 1 cache 1000 nocycle ENGINE=InnoDB;\nDO SETVAL(`s`, 1, 0);\n"));
    tenants.assert_restored("a sequence");
    let document = tenants.world.document("diff_backup", &json!({"domain": DOMAIN, "wait": true}));
    assert_same(&document, "a sequence");
}

/// MariaDB's dumps hold a value for a column that the server computes. MariaDB ignores it, MySQL refuses the row (error 3105).
#[test]
fn values_for_generated_columns_are_the_servers_to_compute() {
    let dump = "CREATE TABLE `t` (`id` int NOT NULL PRIMARY KEY, `v` varchar(40),\n\
        `long` int GENERATED ALWAYS AS (char_length(`v`)) STORED, `w` varchar(40), `first` varchar(1) AS (left(`v`,1)) VIRTUAL);\n\
        INSERT INTO `t` VALUES (1,'restored',99,'a,(b',NULL);\n\
        CREATE TABLE `named` (`id` int NOT NULL PRIMARY KEY, `twice` int AS (`id` * 2));\n\
        INSERT INTO `named` (`twice`, `id`) VALUES (7, 3),\n(-8, 4);\n";
    for release in [Release::tested(), Release::MYSQL97] {
        let tenants = Tenants::up(release, &[]);
        tenants.backup(dump);
        let report = assert_both_take(&tenants, "values for generated columns");
        assert!(!report["notes"].to_string().contains("generated"), "{report}");
        assert_eq!(tenants.sql(&format!("SELECT * FROM {OWN}.t")).trim(), "1\trestored\t8\ta,(b\tr");
        assert_eq!(tenants.sql(&format!("SELECT * FROM {OWN}.named ORDER BY id")).trim(), "3\t6\n4\t8");
    }
}

/// Whatever a table looks like: its rows are those that the server's own client makes of the dump.
#[test]
fn rows_beside_computed_columns_are_what_the_server_makes_of_them() {
    let cases = [
        // Columns that the dump alters before its rows.
        "CREATE TABLE `x` (`id` int PRIMARY KEY, `v` varchar(40), `g` int AS (`id`*2), `w` varchar(40));\n\
         ALTER TABLE `x` ADD COLUMN `n` varchar(10) AFTER `id`;\nINSERT INTO `x` VALUES (1,'n','v',DEFAULT,'w');\n",
        "CREATE TABLE `x` (`id` int PRIMARY KEY, `g` int AS (`id`*2) STORED);\n\
         ALTER TABLE `x` MODIFY `g` int;\nINSERT INTO `x` VALUES (1,99);\nINSERT INTO `x` (`g`,`id`) VALUES (98,2);\n",
        "CREATE TABLE `x` (`id` int PRIMARY KEY, `g` int AS (`id`*2) STORED);\nINSERT INTO `x` VALUES (1,DEFAULT);\n\
         ALTER TABLE `x` DROP COLUMN `g`, ADD COLUMN `g` int;\nINSERT INTO `x` VALUES (2,99);\n",
        // Words that are names here.
        "CREATE TABLE x (id int PRIMARY KEY, period int, total int AS (period*2), note varchar(10));\n\
         INSERT INTO x VALUES (1,5,DEFAULT,'n');\n",
        "CREATE TABLE x (id int PRIMARY KEY, invisible int, v int, h int AS (invisible*2), g int AS (id*2), w varchar(10));\n\
         INSERT INTO x VALUES (1,5,6,DEFAULT,DEFAULT,'n');\n",
        "CREATE TABLE `x` (`id` int PRIMARY KEY, `d` varchar(20) DEFAULT (CAST('AS (' AS CHAR(5))) COMMENT 'AS (', `e` enum('AS (','b'), `g` int AS (`id`*2));\n\
         INSERT INTO `x` VALUES (1,'as (','b',DEFAULT);\n",
        // Quotes and brackets within values.
        "/*!40101 SET SQL_MODE='NO_BACKSLASH_ESCAPES' */;\nCREATE TABLE `x` (`id` int PRIMARY KEY, `a` varchar(20), `g` int AS (`id`*2), `b` varchar(20));\n\
         INSERT INTO `x` VALUES (1,'a\\',DEFAULT,'b'),(2,'\\,(',DEFAULT,'it''s');\n",
        "/*!40101 SET SQL_MODE='ANSI_QUOTES' */;\nCREATE TABLE \"x\" (\"id\" int PRIMARY KEY, \"AS\" varchar(20) CHECK (\"AS\" <> ('q')), \"g\" int AS (\"id\"*2), \"b\" varchar(20));\n\
         INSERT INTO \"x\" VALUES (1,'a',DEFAULT,'b');\n",
        "CREATE TABLE `x` (`id` int PRIMARY KEY, `a` varbinary(20), `g` int AS (`id`*2), `b` varbinary(20));\n\
         INSERT INTO `x` VALUES (1,0x2c28,DEFAULT,_binary '\\0),(\\''),\n(2,x'2c',DEFAULT,NULL);\n",
        // Other ways in, another engine.
        "CREATE TABLE `x` (`id` int PRIMARY KEY, `a` int, `g` int AS (`a`*2) STORED, UNIQUE KEY `u` (`g`));\n\
         INSERT INTO `x` VALUES (1,1,DEFAULT),(2,2,DEFAULT);\nREPLACE INTO `x` VALUES (3,2,DEFAULT);\n\
         INSERT INTO `x` VALUES (9,1,DEFAULT) ON DUPLICATE KEY UPDATE `a`=VALUES(`a`), `id`=VALUES(`id`);\n",
        "CREATE TABLE `x` (`id` int PRIMARY KEY, `g` int AS (`id`*2) STORED, `w` varchar(4)) ENGINE=MyISAM;\nINSERT INTO `x` VALUES (1,DEFAULT,'w');\n",
    ];
    for release in [Release::tested(), Release::MYSQL97] {
        let tenants = Tenants::up(release, &[]);
        for dump in cases {
            tenants.sql(&format!("CREATE DATABASE made; USE made; SET SESSION sql_mode=''; {dump}"));
            let made = tenants.sql("SELECT * FROM made.x ORDER BY id");
            tenants.sql("DROP DATABASE made");
            tenants.backup(&format!("{TABLE}{dump}"));
            assert_both_take(&tenants, dump);
            assert_eq!(tenants.sql(&format!("SELECT * FROM {OWN}.x ORDER BY id")), made, "{dump}");
        }
        // Of an engine without transactions, too.
        tenants.backup(&format!("{TABLE}{}", cases[cases.len() - 1].replace("DEFAULT", "99")));
        assert_both_take(&tenants, "a value for a computed column of MyISAM");
        assert_eq!(tenants.sql(&format!("SELECT g FROM {OWN}.x")).trim(), "2");
    }
}

/// The way back asks for no word.
#[test]
fn a_rollback_to_a_portable_snapshot_accepts_what_has_to_be_accepted() {
    let tenants = Tenants::up(Release::tested(), &[]);
    let tables: String = (0..60).map(|number| format!("CREATE TABLE {OWN}.m{number} (id INT PRIMARY KEY);")).collect();
    tenants.sql(&tables);
    let made = tenants.world.call("create_snapshot", json!({"domain": DOMAIN, "wait": true}));
    tenants.world.set("limits", "change_over_wait_s = 0");
    let document =
        tenants.world.document("rollback", &json!({"domain": DOMAIN, "snapshot": made["path"], "wait": true}));
    assert_eq!(document["ok"], true, "{document}");
}
