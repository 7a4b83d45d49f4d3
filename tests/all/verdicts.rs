//! What `validate` says is what the restore does: dumps put together at random out of what dumps hold, what no dump may hold, and what
//! only looks like one of them, on real servers.

use crate::private_server::Release;
use crate::two_tenants::Tenants;
use crate::world::DOMAIN;
use crate::world::trial::{self, Dice};
use serde_json::{Value, json};

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

/// Only rows and syntax tell whether these load: the server says it, and only while it loads.
const THE_SERVERS_WORD: &[&str] = &[
    "INSERT INTO `t` VALUES (1,'twice');",
    "INSERT INTO `t` VALUES (8);",
    "CREATE TABLE `bad` (`x` int NOT NULL PRIMARY KEY, `x` int);",
    "ALTER TABLE `t` DROP COLUMN `none`;",
    // Its body ends where the next one does.
    "DELIMITER ;;\nCREATE PROCEDURE `half`() BEGIN SELECT 1;",
    "CREATE VIEW `w3` AS SELECT `none` FROM `t`;",
    "CREATE VIEW `w4` AS SELECT 1 FROM `not_there`;",
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

/// Whether both say the same of this dump; what they said otherwise.
fn disagreement(tenants: &Tenants, dump: &str, of_the_server: bool) -> Option<String> {
    tenants.backup(dump);
    let request = json!({"domain": DOMAIN, "wait": true});
    let before: Vec<_> = tenants.failures().iter().map(verdict).collect();
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
    let agree = match restored["ok"] == true {
        true => before.is_empty() && compared["ok"] == true,
        // Of rows, and of what the server knows alone, it may have been the first to speak.
        false => before.contains(&said) || of_the_server && code == "database_failed",
    };
    let harmed = restored["data"]["outcome"] == "needs_operator" || code == "needs_operator" || code == "internal";
    (!agree || harmed)
        .then(|| format!("{dump}\n  validate: {before:#?}\n  diff: {}\n  restore: {error:#}\n", compared["error"]))
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
    let mut chosen: Vec<Vec<(&str, bool)>> = Vec::new();
    if trial::is_long() {
        chosen.extend(all.iter().map(|fragment| vec![*fragment]));
    } else {
        chosen.extend((0..singles).map(|_| vec![all[dice.below(all.len() as u64) as usize]]));
    }
    for _ in 0..if trial::is_long() { 200 } else { mixed } {
        let mut some: Vec<(&str, bool)> = Vec::new();
        for _ in 0..2 + dice.below(4) {
            let one = all[dice.below(all.len() as u64) as usize];
            if !some.contains(&one) {
                some.push(one);
            }
        }
        chosen.push(some);
    }
    for fragments in &chosen {
        let text: Vec<&str> = fragments.iter().map(|fragment| fragment.0).collect();
        let dump = format!("{TABLE}{}\n", text.join("\n"));
        wrong.extend(disagreement(&tenants, &dump, fragments.iter().any(|fragment| fragment.1)));
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
