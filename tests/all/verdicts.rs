//! What `validate` says is what the restore does: dumps put together at random out of what dumps hold, what no dump may hold, and what
//! only looks like one of them, on real servers.

use crate::private_server::Release;
use crate::two_tenants::{OWN, Tenants};
use crate::world::trial::{self, Dice};
use crate::world::{DOMAIN, with_fields};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every dump begins with it.
const TABLE: &str = "DROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (`id` int NOT NULL PRIMARY KEY, `v` varchar(40));\nINSERT INTO `t` VALUES (1,'restored');\n";

/// Statements that dumps are made of, one fragment each; on a server that has the word.
const FRAGMENTS: &[&str] = &[
    // What loads.
    "CREATE TABLE `a` (`x` int NOT NULL PRIMARY KEY, `y` text) ENGINE=InnoDB;\nINSERT INTO `a` VALUES (1,'it''s'),(2,NULL);",
    "CREATE TABLE `m` (`x` int NOT NULL, KEY `k` (`x`)) ENGINE=MyISAM;\nLOCK TABLES `m` WRITE;\nINSERT INTO `m` VALUES (1),(1);\nUNLOCK TABLES;",
    "CREATE TABLE `p` (`x` int NOT NULL PRIMARY KEY);\nCREATE TABLE `c` (`x` int NOT NULL PRIMARY KEY, `p` int, FOREIGN KEY (`p`) REFERENCES `p` (`x`));\nINSERT INTO `c` VALUES (1,1);\nINSERT INTO `p` VALUES (1);",
    "INSERT INTO `t` (`id`,`v`) VALUES (2,'two') ON DUPLICATE KEY UPDATE v='again';",
    "REPLACE INTO `t` (`id`,`v`) VALUES (1,'replaced');",
    "INSERT IGNORE INTO `t` (`id`,`v`) VALUES (1,'ignored'),(3,'three');",
    "TRUNCATE TABLE `t`;",
    "DELETE FROM `t`;",
    "UPDATE `t` SET v='changed' WHERE id=1;",
    "ALTER TABLE `t` ADD COLUMN `z` int DEFAULT 3;",
    "ALTER TABLE `t` DISABLE KEYS;\nALTER TABLE `t` ENABLE KEYS;",
    "CREATE INDEX `i` ON `t` (`v`);",
    "CREATE VIEW `w` AS SELECT `id` FROM `t`;",
    "CREATE DEFINER=`nobody`@`nowhere` VIEW `w2` AS SELECT `v` FROM `t`;",
    "DELIMITER ;;\nCREATE DEFINER=`nobody`@`nowhere` TRIGGER `g` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.v='g';;\nDELIMITER ;",
    "DELIMITER //\nCREATE PROCEDURE `pr`() BEGIN SELECT 1; END//\nDELIMITER ;",
    "CREATE FUNCTION `fd`() RETURNS int DETERMINISTIC RETURN 1;",
    "CREATE FUNCTION `fu`() RETURNS int RETURN 1;",
    "DELIMITER ;;\nCREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DO DELETE FROM `t`;;\nDELIMITER ;",
    "DELIMITER ;;\nCREATE TRIGGER `g2` BEFORE INSERT ON `not_there` FOR EACH ROW SET NEW.v='g';;\nDELIMITER ;",
    "CREATE TABLE `n` (`x` int);\nINSERT INTO `n` VALUES (1);",
    "CREATE TABLE `ci` (`x` varchar(9) COLLATE utf8mb4_0900_ai_ci NOT NULL PRIMARY KEY) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;",
    "CREATE TABLE `uca` (`x` varchar(9) COLLATE utf8mb4_uca1400_ai_ci NOT NULL PRIMARY KEY) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci;",
    "CREATE TABLE `vis` (`x` int NOT NULL PRIMARY KEY, `y` int /*!80023 INVISIBLE */);",
    "CREATE TABLE `gen` (`x` int NOT NULL PRIMARY KEY, `y` int GENERATED ALWAYS AS (`x` * 2) VIRTUAL);\nINSERT INTO `gen` (`x`) VALUES (1);",
    "SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO';",
    "/*!40101 SET @saved=@@SQL_MODE, SQL_MODE='ANSI_QUOTES' */;\n/*!40101 SET SQL_MODE=@saved */;",
    "SET NAMES latin1;",
    "SET NAMES utf8mb4;",
    "SET SESSION sql_log_bin=0;",
    "USE `a_shop`;",
    "START TRANSACTION;\nCOMMIT;",
    "-- a comment\n/* another; one */\n# and a third",
    "SELECT 1;",
    "DO 1;",
    "ANALYZE TABLE `t`;",
    "CREATE TABLE `twice` (`x` int NOT NULL PRIMARY KEY);\nCREATE TABLE IF NOT EXISTS `twice` (`x` int);",
    "CREATE TABLE `twice2` (`x` int NOT NULL PRIMARY KEY);\nCREATE TABLE `twice2` (`x` int);",
    "CREATE SEQUENCE `s` START WITH 5;\nSELECT SETVAL(`s`, 7, 0);",
    "CREATE TABLE `up` (`x` int NOT NULL PRIMARY KEY, `y` int GENERATED ALWAYS AS (`x` * 2) STORED);\nINSERT INTO `up` VALUES (1,9) ON DUPLICATE KEY UPDATE `y`=VALUES(`y`);\nINSERT INTO `up` SET `x`=2, `y`=9;",
    "CREATE TABLE `ck` (`x` int NOT NULL PRIMARY KEY, `y` int CHECK (`y` > `x`));\nINSERT INTO `ck` VALUES (1,2);",
    "CREATE TABLE `ts` (`x` int NOT NULL PRIMARY KEY) /*!50100 TABLESPACE `none` */ ENGINE=InnoDB;\nINSERT INTO `ts` VALUES (1);",
    "CREATE TABLE `ae` (`x` int NOT NULL PRIMARY KEY) /*!80023 AUTOEXTEND_SIZE=67108864 */ ENGINE=InnoDB;",
    "CREATE TABLE `pc` (`x` int NOT NULL PRIMARY KEY) ENGINE=Aria PAGE_CHECKSUM=1;",
    "CREATE TABLE `vs` (`x` int NOT NULL PRIMARY KEY) WITH SYSTEM VERSIONING;",
    "CREATE TABLE `ek` (`x` int NOT NULL PRIMARY KEY, KEY `k` ((`x` + 1)));",
    "CREATE TABLE `uu` (`x` int NOT NULL PRIMARY KEY, `u` uuid);",
    // Of these the server alone knows, and says so before.
    "CREATE TABLE `td` (`x` int NOT NULL PRIMARY KEY, `y` text DEFAULT 'y');\nINSERT INTO `td` VALUES (1,'z');",
    "CREATE TABLE `ud` (`x` int NOT NULL PRIMARY KEY, `y` char(36) DEFAULT uuid());",
    "CREATE TABLE `c1` (`x` int NOT NULL PRIMARY KEY, CONSTRAINT `one` CHECK (`x` > 0));\nCREATE TABLE `c2` (`x` int NOT NULL PRIMARY KEY, CONSTRAINT `one` CHECK (`x` > 0));",
    "CREATE TABLE `ai` (`x` int NOT NULL AUTO_INCREMENT PRIMARY KEY CHECK (`x` > 0));",
    "CREATE TABLE `ki` (`x` int NOT NULL PRIMARY KEY, KEY `k` (`x`) IGNORED);",
    "CREATE TABLE `gc` (`x` int NOT NULL PRIMARY KEY, `g` geomcollection);",
    "CREATE TABLE `bad` (`x` int NOT NULL PRIMARY KEY, `x` int);",
    "ALTER TABLE `t` DROP COLUMN `none`;",
    "CREATE VIEW `w3` AS SELECT `none` FROM `t`;",
    "CREATE VIEW `w4` AS SELECT 1 FROM `not_there`;",
    "CREATE VIEW `w5` AS SELECT `id` FROM `w6`;\nCREATE VIEW `w6` AS SELECT `id` FROM `t`;",
    "CREATE VIEW `w7` AS SELECT nobody_has_this(`id`) AS x FROM `t`;",
    "DELIMITER ;;\nCREATE TRIGGER `g5` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.none='g';;\nDELIMITER ;",
    "DELIMITER ;;\nCREATE PROCEDURE `pr2`() BEGIN DECLARE x int; SET y = 1; END;;\nDELIMITER ;",
    "CREATE FUNCTION `f3`() RETURNS nothing DETERMINISTIC RETURN 1;",
    // Comments for one kind of server.
    "/*M!100301 CREATE SEQUENCE `sm` START WITH 5 */;\n/*M!100301 DO SETVAL(`sm`, 7, 0) */;",
    "/*M!100301 CREATE TABLE `mm` (`x` int NOT NULL PRIMARY KEY) */;\nINSERT INTO `mm` VALUES (1);",
    "/*!80000 CREATE TABLE `my` (`x` int NOT NULL PRIMARY KEY) */;\nINSERT INTO `my` VALUES (1);",
    "DELIMITER ;;\n/*!80000 CREATE TRIGGER `g3` BEFORE INSERT ON `not_there` FOR EACH ROW SET NEW.v='g' */;;\nDELIMITER ;",
    "DELIMITER ;;\n/*M!100301 CREATE TRIGGER `g4` BEFORE INSERT ON `not_there` FOR EACH ROW SET NEW.v='g' */;;\nDELIMITER ;",
    "/*M!100301 CREATE FUNCTION `fm`() RETURNS int RETURN 1 */;",
    "/*!80000 CREATE FUNCTION `fy`() RETURNS int RETURN 1 */;",
    "/*M!100301 CREATE VIEW `wm` AS SELECT `id` FROM `t` */;",
    "/*M!100301 CALL `pr`() */;",
    "/*!80000 CALL `pr`() */;",
    // What does not, by our word.
    "GRANT ALL ON *.* TO `x`@`y`;",
    "CREATE USER `x`@`y`;",
    "SET GLOBAL max_connections=7;",
    "SET PERSIST max_connections=7;",
    "DROP DATABASE `another`;",
    "CREATE DATABASE `another`;",
    "USE `another`;",
    "INSERT INTO `another`.`t` VALUES (1);",
    "CREATE TABLE `another`.`t` (x int);",
    "CREATE TABLE `fed` (`x` int NOT NULL PRIMARY KEY) ENGINE=FEDERATED CONNECTION='mysql://a@b/c/d';",
    "CREATE TABLE `dd` (`x` int NOT NULL PRIMARY KEY) DATA DIRECTORY='/tmp';",
    "CREATE TABLE `cp` AS SELECT * FROM `t`;",
    "SELECT * FROM `t` INTO OUTFILE '/tmp/none';",
    "LOAD DATA LOCAL INFILE '/tmp/none' INTO TABLE `t`;",
    "CALL `pr`();",
    "INSTALL PLUGIN x SONAME 'y.so';",
    "KILL 1;",
    "FLUSH TABLES;",
    "source /tmp/none",
    "system ls",
    "INSERT INTO `t` SELECT 9,'x';",
    "INSERT INTO `not_there` VALUES (1);",
    "CREATE TABLE `en` (`x` int NOT NULL PRIMARY KEY) ENGINE=TokuDB;",
    "CREATE TABLE `en2` (`x` int NOT NULL PRIMARY KEY) ENGINE=NoSuchEngine;",
    "CREATE TABLE `cs` (`x` varchar(9) NOT NULL PRIMARY KEY) DEFAULT CHARSET=klingon;",
    "CREATE TABLE `t2` (`x` int NOT NULL PRIMARY KEY, FOREIGN KEY (`x`) REFERENCES `another`.`t` (`id`));",
    "<!DOCTYPE html>\n<p>an error page</p>",
    "mysqldump: Got error: 1045: Access denied",
    "INSERT INTO `t` VALUES (7,'an open quote);",
    "RENAME TABLE `t` TO `another`.`t`;",
    "XA START 'x';",
    "PREPARE x FROM 'SELECT 1';",
    "HANDLER `t` OPEN;",
];

/// Only rows tell whether these load, or the end of the dump: the server says it, and only while it loads.
const THE_SERVERS_WORD: &[&str] = &[
    "INSERT INTO `t` VALUES (1,'twice');",
    "INSERT INTO `t` VALUES (8);",
    // Its body ends where the next one does.
    "DELIMITER ;;\nCREATE PROCEDURE `half`() BEGIN SELECT 1;",
];

/// What a line of `validate` says: code, hint, line and the beginning of the message.
fn verdict(check: &Value) -> (String, String, Value, String) {
    let (figures, text) = (&check["figures"], |value: &Value| value.as_str().unwrap_or_default().to_owned());
    (text(&figures["code"]), text(&figures["hint"]), figures["first_line"].clone(), start(&text(&check["message"])))
}

/// A message without its count, and without the text of the statement, of which servers read different parts.
fn start(message: &str) -> String {
    let message = message.split_once(" of the dump: ").map_or(message, |(_, rest)| rest);
    let end = [" (", ": "].iter().filter_map(|end| message.find(end)).min().unwrap_or(message.len());
    message[..end].to_owned()
}

/// Names and patterns that a request may hold: tables, views, routines and triggers of the fragments, and what none of them makes.
const NAMES: &[&str] = &[
    "t",
    "a",
    "m",
    "c",
    "p",
    "w",
    "w2",
    "w3",
    "g",
    "g2",
    "pr",
    "fd",
    "fu",
    "e",
    "n",
    "s",
    "sm",
    "mm",
    "my",
    "cp",
    "fed",
    "cs",
    "t2",
    "ts",
    "vs",
    "twice2",
    "not_there",
    "half",
    "nothing",
    "*",
    "t*",
    "?",
];

/// Everything, or what a caller takes of the database or leaves out of it.
fn wish(dice: &mut Dice) -> Value {
    let names = |dice: &mut Dice| {
        let some: Vec<&str> = (0..1 + dice.below(3)).map(|_| NAMES[dice.below(NAMES.len() as u64) as usize]).collect();
        json!(some)
    };
    match dice.below(4) {
        0 => json!({"exclude": {"database": names(dice)}}),
        1 => json!({"components": {"database": names(dice)}}),
        2 => json!({"components": {"database": ["t", "?"]}, "exclude": {"database": names(dice)}}),
        _ => json!({}),
    }
}

/// The names of what a preview shows of the database, and of what the server has.
fn shown_and_there(tenants: &Tenants) -> (BTreeSet<String>, BTreeSet<String>) {
    let shown = tenants.world.call("preview_backup", json!({"domain": DOMAIN, "wait": true}));
    let list = |field: &str| shown["database"][field].as_array().cloned().unwrap_or_default();
    let tables = list("table_list").into_iter().map(|table| table["name"].clone());
    let objects = ["views", "routines", "triggers", "events"].into_iter().flat_map(list);
    let shown = tables.chain(objects).filter_map(|name| name.as_str().map(str::to_owned)).collect();
    let there = tenants.sql(&format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA='{OWN}' AND TABLE_TYPE IN ('BASE TABLE','VIEW','SYSTEM VERSIONED'); \
         SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='{OWN}'; \
         SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='{OWN}'; \
         SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA='{OWN}'"
    ));
    (shown, there.lines().map(str::to_owned).collect())
}

/// Whether all say the same of this dump and of what is wished of it; what they said otherwise.
fn disagreement(tenants: &Tenants, dump: &str, wish: &Value, of_the_server: bool) -> Option<String> {
    tenants.backup(dump);
    // What stays of an earlier dump would decide what can come beside it.
    tenants.sql(&format!(
        "DROP DATABASE {OWN}; CREATE DATABASE {OWN}; CREATE TABLE {OWN}.t (id INT PRIMARY KEY, v VARCHAR(40)); INSERT INTO {OWN}.t VALUES (1,'live')"
    ));
    let request = with_fields(json!({"domain": DOMAIN, "wait": true}), wish);
    let before: Vec<_> = tenants.failures_of(&request).iter().map(verdict).collect();
    let compared = tenants.world.document("diff_backup", &request);
    let restored = tenants.world.document("restore_start", &request);
    let error = &restored["error"];
    let code = error["code"].as_str().unwrap_or_default();
    let said = (
        code.to_owned(),
        error["hint"].as_str().unwrap_or_default().to_owned(),
        error["context"]["line"].clone(),
        start(error["message"].as_str().unwrap_or_default()),
    );
    let done = restored["ok"] == true;
    let agree = match done {
        true => before.is_empty() && compared["ok"] == true,
        // Of rows, and of what the server knows alone, it may have been the first to speak.
        false => before.contains(&said) || of_the_server && code == "database_failed",
    };
    let harmed = restored["data"]["outcome"] == "needs_operator" || code == "needs_operator" || code == "internal";
    let whole = done && *wish == json!({});
    let (shown, there) = if whole { shown_and_there(tenants) } else { Default::default() };
    (!agree || harmed || shown != there).then(|| {
        let preview =
            if shown == there { String::new() } else { format!("  preview: {shown:?}\n  there: {there:?}\n") };
        format!("{dump}{wish}\n  validate: {before:#?}\n  diff: {}\n  restore: {error:#}\n{preview}", compared["error"])
    })
}

fn try_on(release: Release, name: &str, singles: usize, mixed: u64) {
    let tenants = Tenants::up(release, &[]);
    let mut dice = Dice(trial::seed(name));
    let mut wrong = Vec::new();
    let all: Vec<(&str, bool)> = FRAGMENTS
        .iter()
        .map(|fragment| (*fragment, false))
        .chain(THE_SERVERS_WORD.iter().map(|fragment| (*fragment, true)))
        .collect();
    let mut chosen: Vec<(Vec<(&str, bool)>, Value)> = Vec::new();
    if trial::is_long() {
        chosen.extend(all.iter().map(|fragment| (vec![*fragment], json!({}))));
    } else {
        chosen.extend((0..singles).map(|_| (vec![all[dice.below(all.len() as u64) as usize]], json!({}))));
    }
    for _ in 0..if trial::is_long() { 400 } else { mixed } {
        let mut some: Vec<(&str, bool)> = Vec::new();
        for _ in 0..2 + dice.below(4) {
            let one = all[dice.below(all.len() as u64) as usize];
            if !some.contains(&one) {
                some.push(one);
            }
        }
        chosen.push((some, wish(&mut dice)));
    }
    for (fragments, wish) in &chosen {
        let text: Vec<&str> = fragments.iter().map(|fragment| fragment.0).collect();
        let dump = format!("{TABLE}{}\n", text.join("\n"));
        wrong.extend(disagreement(&tenants, &dump, wish, fragments.iter().any(|fragment| fragment.1)));
    }
    trial::report(name, json!({"dumps": chosen.len(), "disagreed": wrong.len()}));
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), chosen.len(), wrong.join("\n"));
}

#[test]
fn validate_and_restore_say_the_same_of_any_dump_on_mariadb() {
    try_on(Release::tested(), "verdicts_mariadb", 12, 12);
}

#[test]
fn validate_and_restore_say_the_same_of_any_dump_on_mysql() {
    try_on(Release::MYSQL97, "verdicts_mysql", 8, 8);
}
