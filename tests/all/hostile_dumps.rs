//! Dumps that reach for what is not theirs (cases D54 to D65), on a server with a victim on it. Each goes in twice: through the
//! filter, which refuses it by name and line, and with the filter switched off, when privileges alone hold it back. Whatever
//! happens, everything outside of the shadow schema is what it was.

use crate::loading::victim::{Scene, is_mysql};
use crate::loading::{MAX_TABLES, SHADOW, World};
use crate::world::trial;
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};
use rocketvps_restore::backup::scan::tally;
use rocketvps_restore::error::{Code, Error};
use rocketvps_restore::host::database::{Database, ObjectKind};
use rocketvps_restore::progress::{Level, Monitor, Phase, Silent};
use rocketvps_restore::sql::compat::Actions;
use serde_json::json;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What only MySQL has of each kind.
const ANOTHER_SCHEMA_OF_MYSQL: &[&str] = &[
    "TABLE victim.secrets",
    "TABLE victim.secrets ORDER BY word LIMIT 1 INTO @w",
    "VALUES ROW(1), ROW((SELECT MAX(id) FROM victim.t))",
    "CREATE TABLE x (word TEXT)|INSERT INTO x TABLE victim.secrets",
    "CREATE TABLE x (word TEXT)|REPLACE INTO x (word) TABLE victim.secrets LIMIT 1",
    "CREATE TABLE x TABLE victim.secrets",
    "CREATE TABLE x AS TABLE victim.secrets",
    "CREATE TABLE x AS VALUES ROW((SELECT word FROM victim.secrets))",
    "CREATE TABLE x (id INT)|INSERT INTO x VALUES ROW((SELECT MAX(id) FROM victim.t))",
    "INSERT INTO victim.t VALUES ROW(666), ROW(667)",
    "CREATE TABLE x (id INT PRIMARY KEY)|INSERT INTO x VALUES (1) AS n ON DUPLICATE KEY UPDATE id=(SELECT 1 FROM victim.t)",
    "CREATE TABLE x (id INT PRIMARY KEY)|INSERT INTO x VALUES (1) AS n(m) ON DUPLICATE KEY UPDATE id=m+(SELECT 1 FROM victim.t)",
    "INSERT INTO victim.t VALUES (1) AS n ON DUPLICATE KEY UPDATE id=666",
    "INSERT /*+ SET_VAR(sql_mode='') */ INTO victim.t VALUES (666)",
    "UPDATE /*+ QB_NAME(q) */ victim.t SET id=666 WHERE id=1",
    "DELETE /*+ SET_VAR(foreign_key_checks=OFF) */ FROM victim.t",
    "WITH a AS (SELECT 1) DELETE FROM victim.t",
    "WITH a AS (SELECT 666 AS n) UPDATE victim.t, a SET id=n WHERE id=1",
    "SELECT /*+ SET_VAR(max_execution_time=9) */ word FROM victim.secrets",
    "EXPLAIN ANALYZE SELECT * FROM victim.t",
    "EXPLAIN FORMAT=JSON INTO @w SELECT * FROM victim.secrets",
    "DESCRIBE victim.secrets",
    "CREATE VIEW v AS TABLE victim.secrets",
    "CREATE VIEW v AS VALUES ROW((TABLE victim.secrets))",
    "CREATE VIEW v AS SELECT l.word FROM (SELECT 1) AS a, LATERAL (SELECT word FROM victim.secrets) AS l",
    "CREATE VIEW v AS SELECT j.w FROM victim.secrets, JSON_TABLE(CONCAT('[\"',word,'\"]'), '$[*]' COLUMNS (w TEXT PATH '$')) AS j",
    "CREATE SQL SECURITY INVOKER VIEW v AS SELECT * FROM mysql.user",
    "CREATE VIEW v AS SELECT /*+ QB_NAME(`a`) NO_MERGE(@`a`) */ * FROM victim.secrets",
    "CREATE JSON RELATIONAL DUALITY VIEW v AS SELECT JSON_DUALITY_OBJECT('_id': id) FROM victim.t",
    "CREATE OR REPLACE JSON DUALITY VIEW victim.v AS SELECT JSON_DUALITY_OBJECT('_id': id) FROM victim.t",
    "CREATE MATERIALIZED VIEW v AS SELECT * FROM victim.secrets",
    "CREATE MATERIALIZED VIEW victim.m AS SELECT 1",
    "CREATE LIBRARY victim.another LANGUAGE JAVASCRIPT AS $a$ export function f() { return 1 } $a$",
    "CREATE LIBRARY another LANGUAGE JAVASCRIPT AS $a$ export function f() { return 1 } $a$",
    "ALTER LIBRARY victim.lib COMMENT 'x'",
    "DROP LIBRARY victim.lib",
    "CREATE FUNCTION victim.js() RETURNS INT DETERMINISTIC LANGUAGE JAVASCRIPT AS $a$ return 1 $a$",
    "ALTER TABLE victim.t SECONDARY_LOAD",
    "ALTER VIEW victim.v AS SELECT 1",
    "ALTER FUNCTION victim.f COMMENT 'x'",
    "ALTER EVENT victim.e DISABLE",
    "CACHE INDEX victim.secrets IN DEFAULT",
];

const THE_SERVER_OF_MYSQL: &[&str] = &[
    "CREATE ROLE IF NOT EXISTS evil, worse",
    "DROP ROLE victims_role",
    "GRANT victims_role TO rv_1@localhost WITH ADMIN OPTION",
    "SET ROLE victims_role",
    "SET ROLE ALL EXCEPT victims_role",
    "SET DEFAULT ROLE victims_role TO rv_1@localhost",
    "SET DEFAULT ROLE ALL TO victim@localhost",
    "ALTER USER rv_1@localhost DEFAULT ROLE victims_role",
    "ALTER USER victim@localhost ACCOUNT LOCK",
    "ALTER USER USER() IDENTIFIED BY 'x'",
    "ALTER USER CURRENT_USER() ATTRIBUTE '{\"a\": 1}'",
    "GRANT SYSTEM_USER ON *.* TO CURRENT_USER",
    "GRANT PROXY ON root@localhost TO CURRENT_USER",
    "REVOKE SYSTEM_USER ON *.* FROM root@localhost",
    "SET PASSWORD FOR victim@localhost = 'x' REPLACE 'v'",
    "SET PASSWORD FOR root@localhost TO RANDOM",
    "SET PERSIST_ONLY back_log=81",
    "SET @@PERSIST.max_connections=1",
    "SET @@PERSIST_ONLY.back_log=81",
    "SET sql_notes=0, PERSIST max_connections=1",
    "SET @@GLOBAL.GTID_PURGED=(SELECT word FROM victim.secrets)",
    "RESET PERSIST",
    "RESET PERSIST IF EXISTS max_connections",
    "SET RESOURCE GROUP SYS_default",
    "CREATE RESOURCE GROUP evil TYPE=USER",
    "ALTER RESOURCE GROUP USR_default VCPU=0",
    "DROP RESOURCE GROUP USR_default FORCE",
    "INSTALL COMPONENT 'file://component_query_attributes'",
    "INSTALL COMPONENT 'file://component_validate_password' SET GLOBAL validate_password.policy=0",
    "UNINSTALL COMPONENT 'file://component_query_attributes'",
    "INSTALL PLUGIN clone SONAME 'mysql_clone.so'",
    "CLONE LOCAL DATA DIRECTORY='{outside}/clone'",
    "CLONE INSTANCE FROM root@'127.0.0.1':3306 IDENTIFIED BY 'x'",
    "RESTART",
    "ALTER INSTANCE ROTATE INNODB MASTER KEY",
    "ALTER INSTANCE DISABLE INNODB REDO_LOG",
    "ALTER INSTANCE RELOAD TLS NO ROLLBACK ON ERROR",
    "UNLOCK INSTANCE",
    "CREATE SPATIAL REFERENCE SYSTEM 990001 NAME 'x' DEFINITION 'x'",
    "DROP SPATIAL REFERENCE SYSTEM 4326",
    "RESET BINARY LOGS AND GTIDS",
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1'",
    "CHANGE REPLICATION FILTER REPLICATE_DO_DB=(victim)",
    "START REPLICA",
    "START GROUP_REPLICATION",
    "RESET REPLICA ALL",
    "PURGE BINARY LOGS TO 'binlog.000002'",
    "FLUSH BINARY LOGS",
    "FLUSH OPTIMIZER_COSTS",
    "SHOW BINLOG EVENTS",
    "SHOW CREATE USER root@localhost",
    "EXPLAIN FOR CONNECTION 1",
    "INSERT INTO mysql.user (Host,User) VALUES ('%','evil')",
    "UPDATE mysql.user SET Super_priv='Y'",
    "UPDATE mysql.global_grants SET USER='rv_1'",
    "INSERT INTO mysql.role_edges VALUES ('%','victims_role','localhost','rv_1','Y')",
    "UPDATE performance_schema.setup_instruments SET ENABLED='NO'",
    "CALL sys.execute_prepared_stmt('DROP DATABASE victim')",
    "SIGNAL SQLSTATE '45000'",
    "GET DIAGNOSTICS @a = NUMBER",
    "XA RECOVER CONVERT XID",
    "XA BEGIN 'x'",
    "VALUES ROW(1)",
    "TABLE mysql.user LIMIT 1",
];

const FILES_OF_MYSQL: &[&str] = &[
    "IMPORT TABLE FROM '{outside}/x.sdi'",
    "TABLE victim.secrets INTO OUTFILE '{outside}/made'",
    "VALUES ROW('x') INTO OUTFILE '{outside}/made'",
    "(SELECT 'x') INTO DUMPFILE '{outside}/made'",
    "CREATE TABLE x (t TEXT)|LOAD DATA FROM INFILE '{outside}/secret' INTO TABLE x",
    "CREATE TABLE x (t TEXT)|LOAD DATA FROM URL 'http://127.0.0.1/' INTO TABLE x",
    "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (JSON_QUOTE(LOAD_FILE('{outside}/secret')))",
    "CREATE TABLE x AS VALUES ROW(LOAD_FILE('{outside}/secret'))",
    "CREATE EXTERNAL TABLE x (id INT) FILES=(FILE_PATTERN '{outside}/secret')",
    "CREATE TABLESPACE evil ADD DATAFILE '{outside}/evil.ibd'",
    "CREATE TABLESPACE evil ADD DATAFILE 'evil.ibd' ENGINE=InnoDB",
    "CREATE UNDO TABLESPACE evil ADD DATAFILE '{outside}/evil.ibu'",
    "ALTER UNDO TABLESPACE innodb_undo_001 SET INACTIVE",
    "ALTER TABLESPACE victims RENAME TO evil",
    "DROP TABLESPACE victims",
    "CREATE LOGFILE GROUP evil ADD UNDOFILE '{outside}/made' ENGINE=NDB",
    // What is in a tablespace is in a file of somebody else's, who cannot drop it then.
    "CREATE TABLE x (id INT)|ALTER TABLE x TABLESPACE=victims",
    "CREATE TABLE x (id INT)|ALTER TABLE x ADD y INT, TABLESPACE innodb_system",
    // It waits for ever, and so does whoever writes a row.
    "CREATE TABLE x (id INT DEFAULT (WAIT_FOR_EXECUTED_GTID_SET('3e11fa47-71ca-11e1-9e33-c80aa9429562:1')))",
    "CREATE TABLE x (id INT, y INT AS (WAIT_FOR_EXECUTED_GTID_SET('3e11fa47-71ca-11e1-9e33-c80aa9429562:1')))",
    "CREATE TABLE x (id INT CHECK (WAIT_FOR_EXECUTED_GTID_SET('3e11fa47-71ca-11e1-9e33-c80aa9429562:1')=0))",
    "CREATE TABLE x (id INT)|CREATE INDEX i ON x ((WAIT_FOR_EXECUTED_GTID_SET('3e11fa47-71ca-11e1-9e33-c80aa9429562:1')))",
    "CREATE TABLE x (id INT)|ALTER TABLE x ADD KEY ((WAIT_FOR_EXECUTED_GTID_SET('3e11fa47-71ca-11e1-9e33-c80aa9429562:1')))",
    "CREATE TABLE x (id INT DEFAULT (SOURCE_POS_WAIT('a',1)))",
    "CREATE TABLE x (id INT, KEY k ((SLEEP(1))))",
    "CREATE TABLE x (id INT)|CREATE INDEX i ON x ((GET_LOCK('victim',1)))",
    "CREATE TABLE x (id INT) ENGINE=PERFORMANCE_SCHEMA",
];

const HARMLESS_OF_MYSQL: &[&str] = &[
    "CREATE TABLE x (id INT) ENGINE=NDB",
    "CREATE TABLE x (id INT) TABLESPACE 'victims'",
    // Left out where a table is made.
    "CREATE TABLE x (id INT) TABLESPACE=victims",
    "CREATE TABLE x (id INT) ENGINE=InnoDB, TABLESPACE `victims`",
    "CREATE TABLE x (id INT) TABLESPACE innodb_system",
    "CREATE TABLE x (id INT) TABLESPACE a TABLESPACE=victims TABLESPACE victims",
    "CREATE TABLE x (id INT) PARTITION BY HASH(id) (PARTITION p0 TABLESPACE=victims, PARTITION p1 TABLESPACE victims)",
    "CREATE TABLE x (id INT) PARTITION BY RANGE(id) (PARTITION TABLESPACE VALUES LESS THAN (1) TABLESPACE=victims)",
    "CREATE TABLE x (TABLESPACE INT, id INT) TABLESPACE=TABLESPACE",
    "CREATE TABLE x (id INT) AUTOEXTEND_SIZE=4G",
    "CREATE TABLE x (id INT) SECONDARY_ENGINE=rapid",
    "CREATE TABLE x (id INT) SECONDARY_ENGINE=rapid;\nALTER TABLE x SECONDARY_LOAD",
    "CREATE TABLE x (id INT) START TRANSACTION",
    "CREATE TABLE x (id INT) TABLESPACE=innodb_file_per_table",
    "CREATE TABLE x VALUES ROW(1, @@datadir)",
    "CREATE TABLE x (id INT) COMMENT $a$x$a$",
    "CREATE TABLE $a$ (id INT); DROP TABLE victim.t; CREATE TABLE $a$ (id INT)",
    "CREATE VIEW v AS SELECT /*+ SET_VAR(sql_mode='ANSI_QUOTES') */ 'x' AS a",
    "CREATE VIEW v AS SELECT /*+ QB_NAME(`x*/ `) */ 1 AS a; DROP TABLE victim.t -- `",
    "CREATE FUNCTION f() RETURNS INT DETERMINISTIC LANGUAGE JAVASCRIPT AS $a$ return 1 $a$",
    "CREATE FUNCTION f() RETURNS INT DETERMINISTIC LANGUAGE JAVASCRIPT USING (victim.lib) AS $a$ return 1 $a$",
    "DELIMITER //\nCREATE FUNCTION f() RETURNS INT DETERMINISTIC LANGUAGE JAVASCRIPT AS $a$ '$a$; DROP TABLE victim.t; -- '//\nDELIMITER ",
    "DELIMITER //\nCREATE PROCEDURE p() LANGUAGE JAVASCRIPT AS $a$ \" $a$; DROP TABLE victim.t; -- \"//\nDELIMITER ",
];

#[test]
fn d54_d55_commands_of_client_programs_are_refused_and_the_sandbox_line_is_not() {
    let mut scene = Scene::new();
    let outside = scene.world.server.folder().join("outside").display().to_string();
    for (number, command) in [
        "\\! touch {}",
        "\\!touch {}",
        "system touch {}",
        "SYSTEM touch {}",
        "source {}",
        "\\. {}",
        "tee {}",
        "\\T {}",
        "pager cat > {}",
        "\\P cat > {}",
        "notee",
        "edit {}",
        "connect victim",
        "\\u victim",
        "\\r victim",
        "nopager",
        "charset gbk",
        "\\C gbk",
        "\\d //",
        "sandbox",
        "\\-",
        "?",
    ]
    .iter()
    .enumerate()
    {
        let line = command.replace("{}", &format!("{outside}/made"));
        let all = [
            format!("{line}\n"),
            format!("CREATE TABLE a (id INT);\n{line};\n"),
            format!("/*!50000 {line} */;\n"),
            format!("CREATE TABLE a (id INT);\n  {line}\nSELECT 1;\n"),
        ];
        for dump in if trial::is_long() { &all[..] } else { &all[number % 4..][..1] } {
            match scene.attack(dump) {
                Err(error) => assert!(matches!(error.code, Code::DumpRefused | Code::BackupCorrupt), "{error}: {dump}"),
                Ok(loaded) => panic!("{dump}: {loaded:?}"),
            }
        }
    }
    for first in ["/*!999999\\- enable the sandbox mode */ ", "/*M!999999\\- enable the sandbox mode */ "] {
        let dump =
            format!("{first}\n-- MariaDB dump\nCREATE TABLE a (id INT) ENGINE=InnoDB;\nINSERT INTO a VALUES (1);\n");
        let loaded = scene.attack(&dump).unwrap_or_else(|error| panic!("{first}: {error}"));
        // MySQL's own sql_mode takes no zero dates, and that is told.
        let told = usize::from(is_mysql());
        assert_eq!((loaded.tables[0].rows, loaded.adapted.len(), loaded.notes.len()), (1, told, told), "{loaded:?}");
        assert_eq!(tally(dump.as_bytes()).unwrap().survey.versioned.len(), 0, "{first}");
    }
    scene.report("d54_d55");
}

#[test]
fn d56_d60_d64_nothing_in_another_schema_is_written_renamed_or_dropped() {
    let mut scene = Scene::new();
    scene.refused_in_every_spelling(&[
        "CREATE TABLE x (id INT)|INSERT INTO victim.t VALUES (666)",
        "INSERT INTO `victim`.`t` (id) VALUES (666),(667)",
        "INSERT INTO victim . t VALUES (666)",
        "INSERT INTO rvsx1.t VALUES (666)",
        "REPLACE INTO victim.t VALUES (666)",
        "INSERT DELAYED INTO victim.t VALUES (666)",
        "INSERT INTO t SET id=666",
        "USE victim|INSERT INTO t VALUES (666)",
        "USE mysql|INSERT INTO user VALUES ('x')",
        "USE a|USE victim",
        "CREATE DATABASE a|CREATE DATABASE another",
        "CREATE TABLE x (id INT)|INSERT INTO x SELECT id FROM victim.t",
        "CREATE TABLE x (id INT)|INSERT INTO x VALUES ((SELECT id FROM victim.t LIMIT 1))",
        "CREATE TABLE x (id INT)|INSERT INTO x VALUES (1),(-(SELECT 1 FROM victim.t LIMIT 1))",
        "CREATE TABLE x (id INT)|INSERT INTO x VALUES (1) ON DUPLICATE KEY UPDATE id=(SELECT 1 FROM victim.t)",
        "CREATE TABLE x (id INT)|INSERT INTO x VALUES (1) RETURNING (SELECT word FROM victim.secrets)",
        "CREATE TABLE x (id INT)|INSERT INTO x TABLE victim.t",
        "CREATE TABLE x AS SELECT * FROM victim.secrets",
        "CREATE TABLE x SELECT * FROM victim.secrets",
        "CREATE TABLE x (id INT) IGNORE SELECT id FROM victim.t",
        "CREATE TABLE x (WITH a AS (SELECT word FROM victim.secrets) SELECT * FROM a)",
        "CREATE TABLE x LIKE victim.t",
        "CREATE TABLE own (id INT)|CREATE TABLE x LIKE own",
        "CREATE TABLE IF NOT EXISTS x (LIKE victim.t)",
        "CREATE TABLE victim.x (id INT)",
        "CREATE OR REPLACE TABLE victim.t (id INT)",
        "CREATE TABLE x (id INT, FOREIGN KEY (id) REFERENCES victim.t (id)) ENGINE=InnoDB",
        "CREATE TABLE x (id INT PRIMARY KEY, CONSTRAINT c FOREIGN KEY (id) REFERENCES `victim` . `t` (id) ON DELETE CASCADE)",
        "CREATE TABLE x (id INT)|ALTER TABLE x ADD FOREIGN KEY (id) REFERENCES victim.t (id)",
        "CREATE SEQUENCE victim.x",
        "CREATE OR REPLACE SEQUENCE victim.numbers START WITH 666",
        "SELECT SETVAL(victim.numbers, 666)",
        "DO SETVAL(`victim`.`numbers`, 666, 0)",
        "CREATE SEQUENCE s|SELECT SETVAL(s, (SELECT MAX(id) FROM victim.t))",
        "CREATE SEQUENCE s|SELECT SETVAL(s, 1), SLEEP(0.1)",
        "CREATE SEQUENCE s|SELECT SETVAL(s, 1) INTO OUTFILE '{outside}/made'",
        "SELECT NEXTVAL(victim.numbers)",
        "ALTER SEQUENCE victim.numbers RESTART 666",
        "DELETE FROM victim.t",
        "UPDATE victim.t SET id=666 WHERE id=1",
        "TRUNCATE victim.t",
        "TRUNCATE TABLE victim.t",
        "DROP TABLE victim.t",
        "DROP TABLE IF EXISTS x, victim.t",
        "DROP DATABASE victim",
        "DROP DATABASE IF EXISTS live",
        "DROP SCHEMA victim",
        "DROP INDEX x ON victim.t",
        "ALTER TABLE victim.t ADD x INT",
        "CREATE TABLE x (id INT)|ALTER TABLE x RENAME TO victim.x",
        "CREATE TABLE x (id INT)|ALTER TABLE x ADD y INT, RENAME victim.x",
        "CREATE TABLE x (id INT)|RENAME TABLE x TO victim.x",
        "RENAME TABLE victim.t TO t",
        "CREATE TABLE x (id INT) PARTITION BY HASH(id)|ALTER TABLE x EXCHANGE PARTITION p0 WITH TABLE victim.t",
        "CREATE INDEX i ON victim.t (id)",
        "CREATE VIEW v AS SELECT * FROM victim.secrets",
        "CREATE OR REPLACE VIEW victim.v AS SELECT 1",
        "CREATE ALGORITHM=TEMPTABLE SQL SECURITY INVOKER VIEW v AS SELECT * FROM mysql.global_priv",
        "CREATE PROCEDURE victim.q() SELECT 1",
        "CREATE FUNCTION victim.g() RETURNS INT RETURN 1",
        "CREATE EVENT victim.q ON SCHEDULE EVERY 1 SECOND DO DELETE FROM victim.t",
        "CREATE TRIGGER victim.q BEFORE INSERT ON victim.t FOR EACH ROW SET @a=1",
        "HANDLER victim.t OPEN",
        "LOAD INDEX INTO CACHE victim.t",
        "CALL victim.p()",
        "DO victim.f()",
    ]);
    if is_mysql() {
        scene.refused_in_every_spelling(ANOTHER_SCHEMA_OF_MYSQL);
    }
    // Here the server does not say whether a right or a table is missing.
    for view in
        ["SELECT * FROM (SELECT * FROM mysql.global_priv) AS p", "SELECT (SELECT word FROM victim.secrets) AS w"]
    {
        let error = scene.attack(&format!("CREATE SQL SECURITY INVOKER VIEW v AS {view};\n")).unwrap_err();
        assert!(matches!(error.code, Code::DumpRefused | Code::DatabaseFailed), "{error}");
        assert_eq!(error.context["line"], 1);
    }
    // These mean nothing to a load: they are passed over, and nothing happens.
    for dump in [
        "ALTER DATABASE victim CHARACTER SET latin1;\n",
        "LOCK TABLES victim.t WRITE;\n",
        "DROP VIEW victim.v;\n",
        "DROP PROCEDURE IF EXISTS victim.p;\n",
        "DROP EVENT victim.e;\n",
        "DROP TRIGGER victim.tr;\n",
        "ANALYZE TABLE victim.t;\n",
        "REPAIR TABLE victim.secrets;\n",
        "OPTIMIZE TABLE victim.t;\n",
        "CHECK TABLE victim.t;\n",
        "USE victim;\nDROP TABLE IF EXISTS t;\nCREATE TABLE t (id INT);\nINSERT INTO victim.t VALUES (666);\n",
        "ALTER DATABASE victim READ ONLY=1;\n",
        "ALTER SCHEMA victim DEFAULT ENCRYPTION='Y';\n",
        "ANALYZE TABLE victim.t UPDATE HISTOGRAM ON id WITH 4 BUCKETS;\n",
        "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5';\n",
    ] {
        scene.attack(dump).unwrap_or_else(|error| panic!("{dump}: {error}"));
    }
    scene.report("d56_d60_d64");
}

#[test]
fn d57_d60_accounts_settings_and_plugins_are_out_of_reach() {
    let mut scene = Scene::new();
    scene.refused_in_every_spelling(&[
        "GRANT ALL ON *.* TO CURRENT_USER",
        "GRANT SELECT ON victim.* TO CURRENT_USER()",
        "GRANT victim TO rv_1@localhost",
        "REVOKE ALL ON victim.* FROM victim@localhost",
        "CREATE USER evil@localhost IDENTIFIED BY 'x'",
        "CREATE OR REPLACE USER victim@localhost IDENTIFIED BY 'x'",
        "ALTER USER root@localhost IDENTIFIED BY 'x'",
        "RENAME USER victim@localhost TO evil@localhost",
        "DROP USER victim@localhost",
        "CREATE ROLE evil",
        "SET PASSWORD FOR root@localhost = PASSWORD('x')",
        "SET PASSWORD FOR victim@localhost = ''",
        "SET ROLE victim",
        "SET DEFAULT ROLE victim FOR victim@localhost",
        "SET GLOBAL general_log_file='{outside}/made'",
        "SET GLOBAL local_infile=1",
        "SET @@GLOBAL.max_connections=1",
        "SET @@global.event_scheduler=OFF, @@GLOBAL.read_only=1",
        "SET GLOBAL.sql_mode=''",
        "SET sql_notes=0, GLOBAL init_connect='DROP TABLE victim.t'",
        "SET @x=1, @@GLOBAL.sql_mode=@x",
        "SET PERSIST max_connections=1",
        "SET SESSION sql_log_bin=(SELECT COUNT(*) FROM victim.t)",
        "SET STATEMENT max_statement_time=1 FOR DELETE FROM victim.t",
        "SET @old=(SELECT word FROM victim.secrets)",
        "SET NAMES utf8mb4, GLOBAL general_log=1",
        "INSTALL PLUGIN x SONAME 'x.so'",
        "INSTALL SONAME 'ha_connect'",
        "UNINSTALL PLUGIN unix_socket",
        "CREATE FUNCTION sys_exec RETURNS STRING SONAME 'udf.so'",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1', USER 'root', DATABASE 'victim')",
        "INSERT INTO mysql.global_priv VALUES ('%','evil','{}')",
        "UPDATE mysql.global_priv SET Priv='{}'",
        "DELETE FROM mysql.db",
        "FLUSH PRIVILEGES",
        "FLUSH TABLES WITH READ LOCK",
        "RESET MASTER",
        "CHANGE MASTER TO MASTER_HOST='127.0.0.1'",
        "PURGE BINARY LOGS BEFORE NOW()",
        "SHUTDOWN",
        "KILL 1",
        "KILL USER victim",
        "PREPARE x FROM 'DROP DATABASE victim'",
        "EXECUTE IMMEDIATE 'DROP DATABASE victim'",
        "EXECUTE IMMEDIATE CONCAT('DR','OP DATABASE victim')",
        "BEGIN NOT ATOMIC DROP DATABASE victim; END",
        "BINLOG 'AAAA'",
        "XA START 'x'",
        "XA RECOVER",
        "CALL mysql.AddGeometryColumn('','victim','t','x',1)",
        "DO SLEEP(0.1)",
        "DO GET_LOCK('victim', 0)",
        "SHOW GRANTS FOR root@localhost",
        "BACKUP STAGE START",
        "LOCK INSTANCE FOR BACKUP",
        "HELP 'x'",
        "IF 1 THEN DROP DATABASE victim; END IF",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "VALUES (1)",
        "(SELECT 1)",
    ]);
    if is_mysql() {
        scene.refused_in_every_spelling(THE_SERVER_OF_MYSQL);
    }
    scene.report("d57_d60");
}

#[test]
fn d58_d60_no_file_is_read_or_written_and_no_other_server_is_spoken_to() {
    let mut scene = Scene::new();
    scene.refused_in_every_spelling(&[
        "SELECT 1 INTO OUTFILE '{outside}/made'",
        "SELECT 'x' INTO DUMPFILE '{outside}/made'",
        "SELECT * FROM victim.t INTO OUTFILE '{outside}/made'",
        "SELECT word INTO @w FROM victim.secrets",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (LOAD_FILE('{outside}/secret'))",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (+LOAD_FILE('{outside}/secret'))",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (1-LOAD_FILE('{outside}/secret'))",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (-SLEEP(1))",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (.5-BENCHMARK(10,1))",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (CONVERT(LOAD_FILE('{outside}/secret') USING utf8mb4))",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (CAST(@@version AS CHAR))",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (@x:=1)",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (`t`)",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES ('a' 'b' || user())",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES ({fn LOAD_FILE('{outside}/secret')})",
        "CREATE TABLE x (t TEXT)|INSERT INTO x VALUES (/*!50000 LOAD_FILE('{outside}/secret') */)",
        "CREATE TABLE x (t TEXT)|LOAD DATA INFILE '{outside}/secret' INTO TABLE x",
        "CREATE TABLE x (t TEXT)|LOAD DATA LOCAL INFILE '{outside}/secret' INTO TABLE x",
        "CREATE TABLE x (t TEXT)|LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE x",
        "CREATE TABLE x (t TEXT)|LOAD XML LOCAL INFILE '{outside}/secret' INTO TABLE x",
        "CREATE VIEW v AS SELECT LOAD_FILE('{outside}/secret')",
        "CREATE PROCEDURE p() SELECT 1 INTO OUTFILE '{outside}/made'",
        "CREATE TABLE x (t TEXT DEFAULT (LOAD_FILE('{outside}/secret')))",
        "CREATE TABLE x (t TEXT, u TEXT AS (LOAD_FILE('{outside}/secret')) VIRTUAL)",
        "CREATE TABLE x (id INT, CHECK (LOAD_FILE('{outside}/secret') IS NULL))",
        "CREATE TABLE x (id INT DEFAULT (SLEEP(1)))",
        "CREATE TABLE x (id INT)|ALTER TABLE x ADD y INT DEFAULT (SLEEP(1))",
        "CREATE TABLE x (id INT DEFAULT (GET_LOCK('victim',1)))",
        "CREATE TABLE x (id INT, y INT AS (BENCHMARK(10,MD5('x'))) VIRTUAL)",
        "CREATE TABLE x (id INT CHECK (SLEEP(1)=0))",
        "CREATE TABLE x (id INT) PARTITION BY HASH (SLEEP(1))",
        "CREATE TABLE x (id INT) DATA DIRECTORY='{outside}'",
        "CREATE TABLE x (id INT) ENGINE=MyISAM INDEX DIRECTORY='{outside}'",
        "CREATE TABLE x (id INT) PARTITION BY HASH(id) (PARTITION p0 DATA DIRECTORY '{outside}')",
        "CREATE TABLE x (id INT)|ALTER TABLE x ADD y INT, DATA DIRECTORY='{outside}'",
        "CREATE TABLE x (id INT) ENGINE=FEDERATED CONNECTION='mysql://root@127.0.0.1/victim/t'",
        "CREATE TABLE x (id INT) CONNECTION='mysql://root@127.0.0.1/victim/t' ENGINE = `FEDERATED`",
        "CREATE TABLE x (id INT) ENGINE='CONNECT' TABLE_TYPE=CSV FILE_NAME='{outside}/secret'",
        "CREATE TABLE x (id INT) ENGINE CONNECT",
        "CREATE TABLE x (id INT) ENGINE=SPIDER",
        "CREATE TABLE x (id INT) ENGINE=S3",
        "CREATE TABLE x (id INT) ENGINE=BLACKHOLE, UNION=(victim.t)",
        "CREATE TABLE x (id INT) ENGINE=MRG_MyISAM UNION=(victim.secrets)",
        "CREATE TABLE x (word VARCHAR(80)) ENGINE=MERGE UNION=(victim.secrets)",
        "CREATE TABLE x (word VARCHAR(80)) UNION=(victim.secrets) ENGINE=MERGE",
        "CREATE TABLE x (id INT) PARTITION BY HASH(id) (PARTITION p0 ENGINE=FEDERATED)",
        "CREATE TEMPORARY TABLE x (id INT)",
    ]);
    if !is_mysql() {
        // A server without the engine makes it a table of InnoDB.
        scene.refused_in_every_spelling(&[
            "CREATE TABLE seq_1_to_18446744073709551615 (seq BIGINT UNSIGNED NOT NULL) ENGINE=SEQUENCE",
        ]);
    } else {
        scene.refused_in_every_spelling(FILES_OF_MYSQL);
        // These may load: they reach nothing.
        for dump in HARMLESS_OF_MYSQL {
            let _ = scene.attack(&format!("{dump};\n"));
        }
    }
    scene.report("d58_d60");
}

#[test]
fn d59_what_claims_to_be_roots_runs_as_the_site() {
    let mut scene = Scene::new();
    let world = &scene.world;
    // Of MySQL's functions no other one is taken.
    let says = if is_mysql() { " DETERMINISTIC" } else { "" };
    for (number, definer) in [
        "`root`@`localhost`",
        "root@localhost",
        "'root'@'localhost'",
        "\"root\"@\"localhost\"",
        "root",
        "`root`@`%`",
        "CURRENT_USER",
        "current_user()",
        "CURRENT_ROLE",
        "`DEFINER=x`@`SQL SECURITY INVOKER VIEW`",
        "view@event",
        "/*! root@localhost */",
        "/* x */ root/**/@/**/localhost",
    ]
    .iter()
    .enumerate()
    {
        for wrapped in [false, true] {
            let (open, close) = if wrapped { ("/*!50017 ", "*/") } else { ("", "") };
            let dump = format!(
                "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB;\nDELIMITER ;;\n\
                 CREATE {open}DEFINER={definer}{close} TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @a='DEFINER=`x`@`y`';;\n\
                 CREATE {open}DEFINER = {definer}{close} PROCEDURE p() SQL SECURITY DEFINER BEGIN INSERT INTO victim.t VALUES (666); END;;\n\
                 CREATE {open}DEFINER={definer}{close} FUNCTION f() RETURNS INT{says} RETURN 1;;\n\
                 CREATE {open}DEFINER={definer}{close} EVENT e ON SCHEDULE EVERY 1 SECOND DO INSERT INTO victim.t VALUES (666);;\n\
                 DELIMITER ;\nCREATE {open}ALGORITHM=UNDEFINED DEFINER={definer} SQL SECURITY DEFINER{close} VIEW v AS SELECT * FROM t;\n"
            );
            let loaded = match world.load(dump.as_bytes(), true) {
                // A statement in which a word of ours could be mistaken may be refused, never left as it was.
                Err(error) if number > 7 => {
                    assert!(matches!(error.code, Code::DumpRefused | Code::DatabaseFailed), "{definer}: {error}");
                    continue;
                }
                other => other.unwrap_or_else(|error| panic!("{definer}: {error}")),
            };
            assert_eq!(loaded.objects.0.len(), 5, "{definer}");
            world.real.create_schema("live", None).unwrap();
            world.server.sql("CREATE TABLE live.t (id INT PRIMARY KEY)");
            world
                .real
                .create_objects("live", &loaded.objects, rocketvps_restore::host::database::Patience::default())
                .unwrap();
            let definers = world.server.sql("SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='live' UNION SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA='live' UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='live' UNION SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA='live'");
            assert_eq!(definers.trim(), "site@localhost", "{definer}");
            world.real.drop_schema("live").unwrap();
            world.real.create_schema("live", None).unwrap();
        }
    }
    scene.before = scene.everything();
    // The text of an object is written anew by the administrator: nothing in a name, comment or body becomes a statement there.
    let grab = "GRANT ALL ON *.* TO site@localhost";
    let texts = [
        "'; GRAB; -- x",
        "\\'; GRAB; -- x",
        "\\\\'; GRAB; #",
        "*/; GRAB; /*",
        "x\\",
        "'' ; GRAB",
        "\"; GRAB; -- x",
        "`; GRAB; -- x",
        "\n;\nGRAB;\n",
    ];
    for mode in
        ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "IGNORE_SPACE,PIPES_AS_CONCAT"]
    {
        for (number, text) in texts.iter().enumerate() {
            let text = text.replace("GRAB", grab);
            let plain = text.replace('\'', "''");
            let literal = if mode.contains("BACKSLASH") { plain } else { plain.replace('\\', "\\\\") };
            let name = ["`p`", "`p``; GRANT`", "`*/;`", "`a\\`"][number % 4];
            let dump = format!(
                "SET sql_mode='{mode}';\nCREATE TABLE t (id INT PRIMARY KEY COMMENT '{literal}') COMMENT='{literal}';\nDELIMITER $$\n\
                 CREATE PROCEDURE {name}() COMMENT '{literal}' SELECT 1 AS said$$\n\
                 CREATE FUNCTION {name}() RETURNS TEXT{says} RETURN '{literal}'$$\n\
                 CREATE EVENT {name} ON SCHEDULE EVERY 1 DAY COMMENT '{literal}' DO SELECT '{literal}'$$\n\
                 CREATE TRIGGER {name} BEFORE INSERT ON t FOR EACH ROW SET @a='{literal}'$$\nDELIMITER ;\n\
                 CREATE VIEW v AS SELECT '{literal}' AS said;\n"
            );
            scene.dumps += 1;
            scene.loads += 1;
            let loaded = scene.world.load(dump.as_bytes(), true).unwrap_or_else(|error| panic!("{error}\n{dump}"));
            scene.world.server.sql("CREATE TABLE live.t (id INT PRIMARY KEY)");
            scene
                .world
                .real
                .create_objects("live", &loaded.objects, rocketvps_restore::host::database::Patience::default())
                .unwrap_or_else(|error| panic!("{error}\n{dump}"));
            let said = scene.rows(&format!(
                "SELECT BINARY said FROM live.v UNION ALL SELECT BINARY live.{name}() \
                 UNION ALL SELECT BINARY ROUTINE_COMMENT FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='live' AND ROUTINE_TYPE='PROCEDURE' \
                 UNION ALL SELECT BINARY EVENT_COMMENT FROM information_schema.EVENTS WHERE EVENT_SCHEMA='live'"
            ));
            // SHOW CREATE escapes a comment also where nothing reads escapes; dump tools do the same.
            let comment =
                if mode.contains("BACKSLASH") { text.replace('\\', "\\\\").replace('\n', "\\n") } else { text.clone() };
            assert_eq!(said, [text.clone(), text, comment.clone(), comment], "{dump}");
            scene.world.real.drop_schema("live").unwrap();
            scene.world.real.create_schema("live", None).unwrap();
            scene.untouched(&dump, true);
        }
    }
    scene.report("d59");
}

/// Rows of `t`, byte by byte.
fn hex_of(scene: &Scene, schema: &str) -> Vec<String> {
    scene.rows(&format!("SELECT id, HEX(v) FROM {schema}.t ORDER BY id"))
}

#[test]
fn d61_quotes_end_where_the_server_ends_them_or_the_dump_is_refused() {
    let mut scene = Scene::new();
    for charset in [
        "gbk",
        "sjis",
        "cp932",
        "big5",
        "gb18030",
        "swe7",
        "ucs2",
        "utf16",
        "utf16le",
        "utf32",
        "filename",
        "utf8mb4_bin",
        "g\\bk",
    ] {
        for set in [
            "SET NAMES {}",
            "SET NAMES '{}'",
            "SET CHARACTER SET {}",
            "SET CHARSET {}",
            "SET character_set_client={}",
            "SET @@SESSION.character_set_client = '{}'",
            "SET @@character_set_connection={}",
            "SET SESSION character_set_client := {}",
            "SET @c='{}', NAMES @c",
            "SET NAMES latin1, NAMES {}",
            "SET NAMES `{}`",
            "/*!40101 SET NAMES {} */",
        ] {
            let dump = format!("{};\nCREATE TABLE t (id INT, v TEXT);\n", set.replace("{}", charset));
            if charset.contains('\\') || trial::is_long() || (charset.len() + set.len()).is_multiple_of(4) {
                scene.refused(&dump);
            }
        }
    }
    for set in [
        "SET sql_mode=2",
        "SET sql_mode=0x4",
        "SET sql_mode=sql_mode|4",
        "SET sql_mode='ANSI_QUOTES' 'X'",
        "SET sql_mode='a\\'b'",
        "SET sql_mode=(SELECT 'ANSI' FROM DUAL)",
        "SET @@sql_mode=@@sql_mode+4",
        "SET sql_mode=N'ANSI'",
        "SET sql_mode=_utf8'ANSI'",
        "SET sql_mode=''; SET sql_mode=ELT(1,'ANSI','')",
    ] {
        scene.refused(&format!("{set};\n"));
    }
    // What is taken means the same as to the client program, whatever the mode.
    let table = "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGBLOB) ENGINE=InnoDB;\n";
    let rows: &[&[u8]] = &[
        b"INSERT INTO t (v) VALUES ('\\'),(' DELETE FROM victim.t; -- ');",
        b"INSERT INTO t (v) VALUES ('\\\\'),('x');",
        b"INSERT INTO t (v) VALUES ('it''s'),('\\''; DELETE FROM victim.t; -- ');",
        b"INSERT INTO t (v) VALUES (\"a\"),(\"b\"\"c\"),(\"d'e\");",
        b"INSERT INTO t (v) VALUES (\"\\\"),(\");DELETE FROM victim.t;-- \");",
        b"INSERT INTO t (v) VALUES ('/*'),('*/'),('--'),('#'),('DELIMITER $$'),(';');",
        b"INSERT INTO t (v) VALUES ('\xbf'),('\xbf\\\\'),('\x81');",
        b"INSERT INTO t (v) VALUES ('\xbf\\'),(' OR 1'),('\x8f');",
        b"INSERT INTO t (v) VALUES ('\xa1'' \xfe'),('\x01\x1a\x08');",
        b"INSERT INTO t (v) VALUES ('\xe2\x80'),('\xe2\x80\xa8'),('\xef\xbf\xbf');",
        b"INSERT INTO t (v) VALUES ('a\\\nb'),('\\%'),('\\_'),('\\N'),('\\q'),('\\0'),('\\Z');",
        b"INSERT INTO t (v) VALUES (0x27),(x'27'),(X'5C'),(b'100111'),(-1),(1.5e-3),(NULL),(0x);",
        b"INSERT INTO t (v) VALUES (--1),(1);",
        b"INSERT INTO t (v) VALUES (1-- '\n); DELETE FROM victim.t; INSERT INTO t (v) VALUES (2-- '\n);",
        b"INSERT INTO t (v) VALUES (1)--1;\n, (2);",
        b"INSERT INTO t (v) VALUES (1)-- ;\n, (2);",
        b"INSERT INTO t (v) VALUES (1) /*! , (2) */;",
        b"INSERT INTO t (v) VALUES (1) /*!99999 , (2) */ , (3);",
        b"INSERT INTO t (v) VALUES ('a' 'b'),('c');",
        b"INSERT INTO t (v) /* ; */ VALUES -- ;\n ('a') ;",
        b"INSERT INTO t (v) VALUES ('a') ; -- '\nINSERT INTO t (v) VALUES ('b');",
        b"INSERT INTO t (v) VALUES ('a')\x0b,\x0c('b');",
        b"DELIMITER ;;\nINSERT INTO t (v) VALUES ('a;b');;\nDELIMITER ;",
        b"INSERT INTO `t` (`v`) VALUES ('\\Delimiter $$\n');",
        b"INSERT INTO t (v) VALUES ('a');;;INSERT INTO t (v) VALUES ('b');",
    ];
    let modes = [
        "",
        "SET sql_mode='';\n",
        "SET sql_mode='NO_BACKSLASH_ESCAPES';\n",
        "SET sql_mode='ANSI_QUOTES';\n",
        "/*!40101 SET @o=@@sql_mode, sql_mode='ansi_quotes,no_backslash_escapes' */;\n",
        "SET sql_mode='ORACLE';\n",
        "SET @m='NO_BACKSLASH_ESCAPES';\nSET sql_mode=@m;\n",
        "/*!99999 SET sql_mode='NO_BACKSLASH_ESCAPES' */;\n",
        "/*M!999999 SET sql_mode='ANSI_QUOTES' */;\n",
        "SET sql_mode='NO_BACKSLASH_ESCAPES';\nSET sql_mode=DEFAULT;\n",
        "SET sql_mode='MSSQL';\n",
        "SET sql_mode=CONCAT(@@sql_mode,',NO_BACKSLASH_ESCAPES');\n",
        "SET sql_mode=(SELECT 'NO_BACKSLASH_ESCAPES');\n",
        "SET sql_mode='';\nSET sql_mode=IF(1,'ANSI','');\n",
        "-- SET sql_mode='ANSI_QUOTES';\n",
    ];
    let names = [
        "",
        "SET NAMES latin1;\n",
        "SET NAMES binary;\n",
        "SET NAMES gb2312;\n",
        "SET NAMES euckr;\n",
        "SET NAMES ujis;\n",
        "SET NAMES utf8mb4 COLLATE utf8mb4_bin;\n",
        "SET NAMES koi8r;\n",
    ];
    let (mut compared, mut refused) = (0, 0);
    for (number, (row, mode)) in rows.iter().flat_map(|row| modes.iter().map(move |mode| (row, mode))).enumerate() {
        for (at, name) in names.iter().enumerate() {
            if !trial::is_long() && (number * 5 + at) % 31 != 0 {
                continue;
            }
            let dump = [name.as_bytes(), table.as_bytes(), mode.as_bytes(), row, b"\n"].concat();
            scene.dumps += 1;
            scene.loads += 1;
            match scene.world.load(&dump, true) {
                Err(_) => refused += 1,
                Ok(_) => {
                    let file = scene.world.server.folder().join("reference.sql");
                    std::fs::write(&file, &dump).unwrap();
                    scene.world.server.sql("CREATE DATABASE reference");
                    let source = format!("source {}", file.display());
                    scene
                        .world
                        .server
                        .client("mariadb", &["reference", "--default-character-set=utf8mb4", "-e", &source]);
                    let (ours, theirs) = (hex_of(&scene, SHADOW), hex_of(&scene, "reference"));
                    assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(&dump));
                    scene.world.server.sql("DROP DATABASE reference");
                    compared += 1;
                }
            }
        }
    }
    scene.untouched("the rows of d61", true);
    assert!(compared > 25 && refused > 15, "{compared} {refused}");
    eprintln!("d61: {compared} dumps compared with the client program, {refused} refused");
    scene.report("d61");
}

#[test]
fn d62_no_event_or_trigger_fires_while_a_dump_is_loaded() {
    let mut scene = Scene::new();
    let log = "CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB;\nCREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB;\n";
    let often = "ON SCHEDULE EVERY 1 SECOND STARTS '2020-01-01 00:00:00'";
    let act = "DO INSERT INTO log VALUES (NULL)";
    let events = [
        format!("CREATE EVENT e {often} {act}"),
        format!("CREATE EVENT e {often} ENABLE {act}"),
        format!("CREATE EVENT e {often} ON COMPLETION PRESERVE ENABLE COMMENT 'DISABLE DO' {act}"),
        format!("CREATE EVENT e {often} COMMENT 'x' {act}"),
        format!("CREATE EVENT e {often} ON COMPLETION NOT PRESERVE COMMENT \"DISABLE\" {act}"),
        format!("CREATE EVENT `DISABLE` {often} {act}"),
        format!("CREATE EVENT schedule {often} ENABLE {act}"),
        format!("CREATE EVENT `do` {often} ENABLE {act}"),
        format!("CREATE EVENT e {often} /* DISABLE */ ENABLE /*! */ {act}"),
        format!("CREATE EVENT e {often} /*!50106 ENABLE */ {act}"),
        format!("CREATE EVENT e {often} /*!99999 DISABLE */ {act}"),
        format!("CREATE EVENT e {often} + INTERVAL COALESCE(@enable,0) SECOND ENABLE {act}"),
        format!("CREATE EVENT e {often} + INTERVAL COALESCE(@disable,0) SECOND {act}"),
        format!("CREATE EVENT e {often} + INTERVAL COALESCE(@do,0) SECOND ENABLE {act}"),
        format!("CREATE EVENT e {often} + INTERVAL LENGTH('disable') SECOND ENABLE {act}"),
        format!("CREATE EVENT e ON SCHEDULE EVERY COALESCE(@disable,1) SECOND ENABLE {act}"),
        format!("CREATE EVENT e ON SCHEDULE AT CURRENT_TIMESTAMP + INTERVAL 1 SECOND {act}"),
        format!("CREATE EVENT e ON SCHEDULE AT '2037-01-01' {act}"),
        format!("CREATE OR REPLACE EVENT e {often} ENABLE {act}"),
        format!("CREATE EVENT IF NOT EXISTS e {often} ENABLE {act}"),
        format!("CREATE EVENT d {often} DISABLE {act}; CREATE EVENT e {often} ENABLE {act}"),
        format!("CREATE PROCEDURE p() SELECT 1; CREATE EVENT e {often} {act}"),
        format!("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @a=1; CREATE EVENT e {often} {act}"),
        "CREATE FUNCTION f() RETURNS INT RETURN 1; INSERT INTO log VALUES (NULL)".into(),
        format!("CREATE PROCEDURE p() BEGIN END; CREATE EVENT e {often} DO BEGIN INSERT INTO log VALUES (NULL); END"),
        "ALTER EVENT e ENABLE".into(),
        "SET GLOBAL event_scheduler=1".into(),
        "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NULL)".into(),
        "CREATE OR REPLACE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NULL)".into(),
        "CREATE TRIGGER `on` BEFORE INSERT ON t FOR EACH ROW FOLLOWS x INSERT INTO log VALUES (NULL)".into(),
        "CREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW CALL p()".into(),
    ];
    let mut awake = 0;
    for text in &events {
        for (open, close) in [("", ""), ("/*!50106 ", "*/")] {
            if close == "*/" && (text.contains("*/") || !trial::is_long()) {
                continue;
            }
            scene.dumps += 1;
            for filter in [true, false] {
                let dump = format!(
                    "{log}DELIMITER ;;\n{open}{text}{close};;\nDELIMITER ;\nINSERT INTO t VALUES (1),(2),(3);\n"
                );
                scene.loads += 1;
                let watched = Watch::over(&scene.world);
                let result = scene.world.load(dump.as_bytes(), filter);
                let seen = watched.end();
                assert_eq!(seen, "", "filter {filter}: {dump}\n{result:?}");
                assert_eq!(scene.rows("SELECT COUNT(*) FROM rvs_1.log"), ["0"], "filter {filter}: {dump}\n{result:?}");
                let left = scene.rows("SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA='rvs_1' AND (STATUS='ENABLED' OR LAST_EXECUTED IS NOT NULL)");
                assert_eq!(left, ["0"], "filter {filter}: {dump}");
                if let Ok(loaded) = &result {
                    assert!(
                        scene
                            .rows("SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA='rvs_1'")
                            .is_empty()
                    );
                    awake += loaded
                        .objects
                        .0
                        .iter()
                        .filter(|object| object.kind == ObjectKind::Event && object.create.contains(" ENABLE"))
                        .count();
                }
                scene.untouched(&dump, filter);
            }
        }
    }
    // And they are there, awake, for the site.
    assert!(awake >= 16, "{awake}");
    scene.report("d62");
}

/// Looks all the time for an event that is awake in the shadow schema, or ran.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<String>,
}

impl Watch {
    fn over(world: &World) -> Watch {
        let options = OptsBuilder::new()
            .user(Some("root"))
            .socket(Some(world.server.socket().display().to_string()))
            .prefer_socket(false);
        let mut connection = Conn::new(options).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let sql = match is_mysql() {
                true => {
                    "SELECT CONCAT(EVENT_SCHEMA,'.',EVENT_NAME,' ',STATUS) FROM information_schema.EVENTS WHERE EVENT_SCHEMA='rvs_1' AND (STATUS='ENABLED' OR LAST_EXECUTED IS NOT NULL)"
                }
                false => {
                    "SELECT CONCAT(db,'.',name,' ',status) FROM mysql.event WHERE db='rvs_1' AND (status='ENABLED' OR last_executed IS NOT NULL)"
                }
            };
            while !told.load(Ordering::SeqCst) {
                let found: Vec<String> = connection.query(sql).unwrap();
                if !found.is_empty() {
                    return found.join(", ");
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            String::new()
        });
        Watch { stop, thread }
    }

    fn end(self) -> String {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

#[test]
fn d63_what_no_packet_holds_is_split_or_named() {
    let mut scene = Scene::new();
    let table = "CREATE TABLE t (id INT PRIMARY KEY, v LONGBLOB) ENGINE=InnoDB;\n";
    let list = |rows: usize, value: &str| (0..rows).map(|row| format!("({row},{value})")).collect::<Vec<_>>().join(",");
    let half = format!("'{}'", "x".repeat(600_000));
    for (dump, rows) in [
        (format!("{table}INSERT INTO t VALUES {};\n", list(12, &half)), 12),
        (format!("{table}INSERT INTO t VALUES {};\n", list(3, &format!("0x{}", "AB".repeat(1_500_000)))), 3),
        (format!("{table}REPLACE INTO t VALUES {};\n", list(20, &half)), 20),
        (format!("{table}INSERT INTO t VALUES {};\n", list(300_000, "'a'")), 300_000),
    ] {
        let loaded = scene.attack(&dump).unwrap_or_else(|error| panic!("{error}: {dump:.200}"));
        assert_eq!(loaded.tables[0].rows, rows, "{dump:.100}");
    }
    let padding = "x".repeat(5_000_000);
    let names: Vec<String> = (0..200_000).map(|number| format!("c{number} INT COMMENT '{number}'")).collect();
    for (dump, code) in [
        (
            format!("{table}INSERT INTO t VALUES (1,'a');\nINSERT INTO t VALUES (2,0x{});\n", "41".repeat(3_000_000)),
            Code::DatabaseFailed,
        ),
        (
            format!("{table}INSERT INTO t VALUES (1,'a');\nREPLACE INTO t VALUES (2,'{padding}');\n"),
            Code::DatabaseFailed,
        ),
        (
            format!("{table}INSERT INTO t VALUES (1,'a');\nREPLACE INTO t VALUES (2,'{}');\n", "y".repeat(50_000_000)),
            Code::DatabaseFailed,
        ),
        (format!("CREATE TABLE u ({});\n", names.join(",")), Code::DumpRefused),
        (format!("CREATE TABLE u (id INT) COMMENT='{padding}';\n"), Code::DumpRefused),
        (format!("{table}ALTER TABLE t ADD KEY k (id) COMMENT '{padding}';\n"), Code::DumpRefused),
        (format!("CREATE PROCEDURE p() SELECT '{padding}';\n"), Code::DumpRefused),
        (format!("CREATE VIEW v AS SELECT '{padding}';\n"), Code::DumpRefused),
    ] {
        let error = scene.attack(&dump).unwrap_err();
        assert_eq!(error.code, code, "{error:.300}: {dump:.100}");
        assert!(error.context["line"].as_u64().is_some_and(|line| line > 0), "{error:?}");
        assert!(
            error.message.contains("max_allowed_packet") && error.hint.contains("Raise max_allowed_packet"),
            "{error:.300}"
        );
        assert!(error.message.len() < 1000);
    }
    scene.report("d63");
}

/// Most memory that this process has had since the last call, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

/// Stops a load after a while.
struct Patience(Instant, Duration);

impl Monitor for Patience {
    fn set_total(&self, _: Phase, _: u64, _: u64) {}
    fn advance(&self, _: Phase, _: u64, _: u64) {}
    fn current(&self, _: Phase, _: &str) {}
    fn event(&self, _: Level, _: &str) {}
    fn keep_going(&self) -> Result<(), Error> {
        match self.0.elapsed() > self.1 {
            true => Err(Error::new(Code::Cancelled, "cancelled by the test")),
            false => Ok(()),
        }
    }
}

#[test]
fn d65_a_dump_without_end_meets_a_limit_in_bounded_memory() {
    let mut scene = Scene::new();
    let mib = "x".repeat(1 << 20);
    let chunk = move |text: &str| text.repeat(((1 << 20) / text.len()).max(1));
    // The beginning, what is repeated for ever (# is a number), and what it comes to.
    let endless: Vec<(&str, String, Code)> = vec![
        ("", "CREATE TABLE t# (id INT) ENGINE=InnoDB;\n".into(), Code::LimitExceeded),
        ("", "CREATE SEQUENCE s#;\n".into(), if is_mysql() { Code::DumpRefused } else { Code::LimitExceeded }),
        ("", "CREATE VIEW v# AS SELECT 1;\n".into(), Code::LimitExceeded),
        ("", format!("CREATE PROCEDURE p#() SELECT '{mib}';\n"), Code::LimitExceeded),
        ("", format!("CREATE OR REPLACE VIEW v AS SELECT '{mib}#';\n"), Code::LimitExceeded),
        ("", format!("SET @a#='{mib}';\n"), Code::DumpRefused),
        ("", "SET @a#=1;\n".into(), Code::DumpRefused),
        ("CREATE TABLE t (", "c# INT,".into(), Code::LimitExceeded),
        ("CREATE TABLE t (id INT COMMENT '", chunk("x"), Code::LimitExceeded),
        ("CREATE VIEW v AS SELECT 1 /* ", chunk("x "), Code::LimitExceeded),
        ("CREATE VIEW v AS SELECT 1 -- ", chunk("x "), Code::LimitExceeded),
        ("INSERT INTO ", chunk("t"), Code::LimitExceeded),
        ("/*! ", chunk("SET @a=1, "), Code::LimitExceeded),
        // Nothing is kept of these: they end when the archive does, or the job.
        ("", chunk("\n"), Code::Cancelled),
        ("-- ", chunk("x"), Code::Cancelled),
        ("/* ", chunk("x"), Code::Cancelled),
        ("", chunk("/*!99999 x */;"), Code::Cancelled),
        ("", chunk("DROP TABLE IF EXISTS x, y;\n"), Code::Cancelled),
        ("", chunk("DELIMITER //\nSELECT 1 FROM t\n").replace("SELECT 1 FROM t", "DELIMITER ;"), Code::Cancelled),
        ("CREATE TABLE t (id INT) ENGINE=MyISAM;\n", "ALTER TABLE t ENABLE KEYS;\n".repeat(1000), Code::Cancelled),
        ("CREATE TABLE t (id INT) ENGINE=InnoDB;\nINSERT INTO t VALUES (0)", chunk(",(1)"), Code::Cancelled),
        ("CREATE TABLE t (id INT) ENGINE=InnoDB;\n", chunk("INSERT INTO t VALUES (1);\n"), Code::Cancelled),
    ];
    let mut most = 0;
    for (begin, piece, code) in &trial::points(&endless, 11) {
        let (begin, piece) = (begin.to_string(), piece.clone());
        let monitor = Arc::new(Patience(Instant::now(), Duration::from_millis(600)));
        let monitor: Arc<dyn Monitor> = if *code == Code::Cancelled { monitor } else { Arc::new(Silent) };
        let before = peak_mib().min(peak_mib());
        let begun = Instant::now();
        let shown = format!("{begin:.60}{piece:.60}");
        let result = scene.world.load_stream(true, Actions::default(), monitor, move |writer, ended| {
            writer.write_all(begin.as_bytes()).unwrap();
            // Without a limit it would take the machine: it ends itself then.
            for number in 0..1 << 14 {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let many = (1 << 16) / piece.len() as u64 + 1;
                let text: String =
                    (0..many).map(|at| piece.replacen('#', &(number * many + at).to_string(), 1)).collect();
                writer.write_all(text.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        let grown = peak_mib().saturating_sub(before);
        let error = result.expect_err(&shown);
        most = most.max(grown);
        eprintln!("{:?} {grown} MiB {}: {shown}", begun.elapsed(), error.code.name());
        assert_eq!(error.code, *code, "{error:.300}: {shown}");
        // It ends; how soon is a question for the benchmarks.
        assert!(begun.elapsed() < Duration::from_secs(180), "{:?}: {shown}", begun.elapsed());
        assert!(grown < 200, "{grown} MiB: {shown}");
        scene.dumps += 1;
        scene.loads += 1;
        scene.untouched(&shown, true);
    }
    assert!(scene.world.real.tables(SHADOW).unwrap().len() as u64 <= MAX_TABLES);
    trial::report("d65", json!({"endless_dumps": scene.dumps, "most_memory_mib": most}));
    scene.report("d65");
}
