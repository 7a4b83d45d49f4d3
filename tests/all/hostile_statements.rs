//! What the statement filter lets through, carried out on a real server: once by an account with the loader's rights, once by
//! one with every right, where the filter alone stands between a dump and the machine. Statements are made at random out of
//! harmless ones, hostile ones, and what might hide the one in the other.

use crate::private_server::{PrivateServer, Release};
use crate::world::trial::{self, Dice};
use mysql::Conn;
use mysql::prelude::Queryable;
use rocketvps_restore::config::Config;
use rocketvps_restore::host::database::grants::LOADING;
use rocketvps_restore::host::database::{Server, accounts, server_facts};
use rocketvps_restore::sql::definer::{asleep, with_definer};
use rocketvps_restore::sql::lexer::{Item, Lexer};
use rocketvps_restore::sql::modes;
use rocketvps_restore::sql::rows;
use rocketvps_restore::sql::session::Session;
use rocketvps_restore::sql::statement::{Name, ObjectKind, Statement, classify};
use rocketvps_restore::sql::versioned::Dialect;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What dumps hold.
const HARMLESS: &[&str] = &[
    "CREATE TABLE `a` (`x` int(11) NOT NULL DEFAULT 1, `v` varchar(20) DEFAULT 'it''s', KEY `k` (`x`)) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS b (x int, y text COMMENT 'a;b') ENGINE=MyISAM DEFAULT CHARSET=utf8mb4",
    "CREATE TABLE c (x int CHECK (x > 0), FOREIGN KEY (x) REFERENCES a (x))",
    "DROP TABLE IF EXISTS `a`",
    "ALTER TABLE `a` ADD KEY k2 (v), ADD y int",
    "ALTER TABLE `a` MODIFY v varchar(30), AUTO_INCREMENT=7",
    "ALTER TABLE `b` DISABLE KEYS",
    "CREATE UNIQUE INDEX i ON b (x)",
    "CREATE SEQUENCE q START WITH 5",
    "SELECT SETVAL(`s`, 7, 0)",
    "INSERT INTO `a` (`x`,`v`) VALUES (1,'a\\'b'),(2,\"q\"),(3,NULL)",
    "REPLACE INTO a VALUES (9,0x41)",
    "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `w` AS select `x` AS `x` from `a`",
    "CREATE DEFINER=`root`@`localhost` TRIGGER g BEFORE INSERT ON a FOR EACH ROW SET NEW.x = NEW.x + 1",
    "CREATE DEFINER=`root`@`localhost` PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
    "CREATE DEFINER=`root`@`localhost` FUNCTION f() RETURNS int DETERMINISTIC RETURN 1",
    "CREATE DEFINER=`root`@`localhost` EVENT e ON SCHEDULE EVERY 1 SECOND ENABLE DO SET @a = 1",
    "LOCK TABLES `a` WRITE",
    "START TRANSACTION",
    "USE `site`",
];

/// What no dump may do; each of them works for the account with every right.
const HOSTILE: &[&str] = &[
    "INSERT INTO victim.t VALUES (7,'x')",
    "UPDATE victim.t SET v='x'",
    "DELETE FROM victim.t",
    "DROP TABLE victim.t",
    "DROP DATABASE victim",
    "TRUNCATE victim.t",
    "RENAME TABLE a TO victim.stolen",
    "ALTER TABLE a ADD z int, RENAME victim.stolen",
    "ALTER TABLE victim.t ADD z int",
    "CREATE TABLE victim.planted (x int)",
    "CREATE INDEX i2 ON victim.t (id)",
    "CREATE TRIGGER victim.g BEFORE INSERT ON victim.t FOR EACH ROW SET @x=1",
    "CREATE VIEW victim.v AS SELECT 1",
    "CREATE PROCEDURE victim.p() SELECT 1",
    "CREATE DATABASE planted",
    "CREATE USER planted@localhost",
    "ALTER USER victim@localhost IDENTIFIED BY 'x'",
    "SET GLOBAL max_connections=99",
    "SET @@GLOBAL.wait_timeout=98",
    "SET sql_mode='', GLOBAL wait_timeout=97",
    "CREATE SERVER planted FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1')",
    "SELECT 'x' INTO OUTFILE 'OUTSIDE/planted'",
    "ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES victim.t (id) ON DELETE CASCADE",
    "CALL victim.harm()",
    "LOAD DATA INFILE 'OUTSIDE/there' INTO TABLE victim.t (v)",
];

/// What of it MariaDB alone takes.
const HOSTILE_TO_MARIADB: &[&str] = &[
    "CREATE OR REPLACE TABLE victim.t (x int)",
    "SELECT SETVAL(victim.s, 900)",
    "SELECT SETVAL(s, 1), SETVAL(victim.s, 901)",
    "DO SETVAL(victim.s, 902)",
    "GRANT ALL ON *.* TO planted@localhost IDENTIFIED BY 'x'",
    "SET PASSWORD FOR victim@localhost = PASSWORD('x')",
    "SELECT SETVAL(s, 1) INTO OUTFILE 'OUTSIDE/planted_too'",
    "CREATE TABLE d (x int) ENGINE=MyISAM DATA DIRECTORY='OUTSIDE'",
    "CREATE TABLE d2 (x int) ENGINE=Aria INDEX DIRECTORY 'OUTSIDE'",
    "EXECUTE IMMEDIATE 'UPDATE victim.t SET v=1'",
    "BEGIN NOT ATOMIC UPDATE victim.t SET v=2; END",
];

/// What of it MySQL alone takes.
const HOSTILE_TO_MYSQL: &[&str] = &[
    "GRANT ALL ON *.* TO victim@localhost",
    "GRANT SYSTEM_USER ON *.* TO victim@localhost",
    "GRANT role_of_victim TO victim@localhost",
    "SET DEFAULT ROLE role_of_site TO site@localhost",
    "CREATE ROLE planted_role",
    "SET PASSWORD FOR victim@localhost = 'x'",
    "ALTER USER victim@localhost ACCOUNT LOCK",
    "SET PERSIST max_connections=96",
    "SET @@PERSIST_ONLY.back_log=81",
    "SET sql_mode='', PERSIST wait_timeout=95",
    "INSTALL COMPONENT 'file://component_query_attributes'",
    "CREATE RESOURCE GROUP planted TYPE=USER",
    "CREATE TABLESPACE planted ADD DATAFILE 'planted.ibd'",
    "CREATE UNDO TABLESPACE planted_undo ADD DATAFILE 'planted.ibu'",
    "DROP SPATIAL REFERENCE SYSTEM 2000",
    "ALTER INSTANCE DISABLE INNODB REDO_LOG",
    "CREATE TABLE d (x int) TABLESPACE=victims",
    "CREATE TABLE d2 (x int) TABLESPACE innodb_system",
    "ALTER TABLE a ADD z int, TABLESPACE `victims`",
    "CREATE LIBRARY victim.planted LANGUAGE JAVASCRIPT AS $$ export function f() { return 1 } $$",
    "CREATE FUNCTION victim.js() RETURNS int DETERMINISTIC LANGUAGE JAVASCRIPT AS $x$ return 1 $x$",
    "CREATE MATERIALIZED VIEW victim.m AS SELECT 1",
    "CREATE JSON RELATIONAL DUALITY VIEW victim.d AS SELECT JSON_DUALITY_OBJECT('_id': id) FROM victim.t",
    "ANALYZE TABLE victim.t UPDATE HISTOGRAM ON v WITH 4 BUCKETS",
    "INSERT INTO victim.t VALUES ROW(8,'x')",
    "INSERT INTO victim.t VALUES (1,'x') AS new ON DUPLICATE KEY UPDATE v='y'",
    "INSERT INTO victim.t (id) TABLE victim.few",
    "UPDATE /*+ SET_VAR(sql_mode='') */ victim.t SET v='hinted'",
    "WITH c AS (SELECT 1) UPDATE victim.t SET v='w'",
    "TABLE victim.few INTO OUTFILE 'OUTSIDE/planted_three'",
];

/// What dumps of MySQL's hold.
const HARMLESS_OF_MYSQL: &[&str] = &[
    "CREATE TABLE `a2` (`x` int NOT NULL, KEY `k` ((`x` + 1))) /*!50100 TABLESPACE `innodb_file_per_table` */ ENGINE=InnoDB",
    "INSERT INTO `a` VALUES (11,'x') AS new ON DUPLICATE KEY UPDATE `v`=new.`v`",
    "CREATE DEFINER=`root`@`localhost` FUNCTION js() RETURNS int DETERMINISTIC LANGUAGE JAVASCRIPT AS $x$ return 1 $x$",
    "CREATE ALGORITHM=UNDEFINED VIEW `w2` AS select /*+ QB_NAME(`q`) */ `x` AS `x` from `a`",
];

/// What may come before, between and around, so that a reader and a server might not see the same.
const GLUE: &[&str] = &[
    ";",
    "; ",
    " ",
    "\n",
    "\t",
    "\x0b",
    "\x0c",
    "\x1f",
    "\x7f",
    "\u{a0}",
    "\u{280}",
    "--\x7f",
    "--\x0b",
    "--\u{a0}",
    "-- ",
    "--",
    "#",
    "/*!",
    "/*!50000 ",
    "/*!40101",
    "/*!99999 ",
    "/*!100100 ",
    "/*!101100",
    "/*!999999 ",
    "/*M!",
    "/*M!100100 ",
    "/*M!999999 ",
    "/*",
    "*/",
    "*/*",
    "/*/",
    "/**/",
    "/*! /*",
    "*/ */",
    "'",
    "''",
    "\\'",
    "'\\",
    "\"",
    "\"\"",
    "\\\"",
    "`",
    "``",
    "\\",
    "$$",
    "//",
    ";;",
    "\nDELIMITER $$\n",
    "\nDELIMITER ;\n",
    "DELIMITER //\n",
    "\r\n",
    "(",
    ")",
    ",",
    "=",
    ".",
    "@",
    "@@",
    "{",
    "}",
    "N'",
    "x'",
    "_latin1'",
    "AS",
    "SELECT",
    "LIKE",
    "TABLE",
    "BEGIN",
    "END",
    "UNION",
    "IF",
    "ENGINE",
    "COMMENT '",
    "CONNECTION='x'",
    "é",
    "0",
    "e1",
    "$",
];

const GLUE_OF_MYSQL: &[&str] = &["/*+", "/*!80000 ", "/*!090704", "/*!90705 ", "$x$", "$", "ROW(", "TABLESPACE "];

/// What a reader may take for a comment, a text or a name, and what ends it.
const HIDES: &[(&str, &str)] = &[
    ("/*", "*/"),
    ("/*!", "*/"),
    ("/*!50000 ", "*/"),
    ("/*!99999 ", "*/"),
    ("/*!100100 ", "*/"),
    ("/*!999999 ", "*/"),
    ("/*M!100100 ", "*/"),
    ("/*M!999999 ", "*/"),
    ("/*!999999 /*", "*/ */"),
    ("/*!999999 /*! ", "*/ */"),
    ("/*! /*", "*/ */"),
    ("/* /*", "*/"),
    ("-- ", "\n"),
    ("--\t", "\n"),
    ("--\x7f", "\n"),
    ("--\x0b", "\n"),
    ("--\u{a0}", "\n"),
    ("#", "\n"),
    (" COMMENT '", "'"),
    (" COMMENT '\\'", "'"),
    (" COMMENT \"", "\""),
    (" COMMENT \"\\\"", "\""),
    ("`", "`"),
    ("; ", ""),
    (" ", " "),
];

const HIDES_OF_MYSQL: &[(&str, &str)] = &[
    ("/*!80000 ", "*/"),
    ("/*!090704 ", "*/"),
    ("/*!90705 /*", "*/ */"),
    ("/*+ ", "*/"),
    ("/*+ QB_NAME(`*/` ", ") */"),
    ("/*+ SET_VAR(sql_mode='*/' ", ") */"),
    ("$$", "$$"),
    ("$x$", "$x$"),
    ("$x$'$x$ ", " -- '"),
];

const SESSIONS: &[&str] = &[
    "",
    "SET sql_mode='ANSI_QUOTES';\n",
    "SET sql_mode='NO_BACKSLASH_ESCAPES';\n",
    "SET sql_mode='ANSI,NO_BACKSLASH_ESCAPES';\n",
    "SET sql_mode='ORACLE';\n",
    "SET sql_mode='MSSQL,IGNORE_SPACE';\n",
    "SET NAMES latin1;\n",
    "SET NAMES macroman;\n",
    "SET NAMES cp1251, @a=1;\n",
    "SET character_set_client=ujis;\n",
    "/*!40101 SET NAMES utf8mb4 */;\n",
    "SET NAMES koi8r;\nSET sql_mode='ANSI_QUOTES';\n",
];

/// What dumps are made of, on the server under test.
struct Words {
    harmless: Vec<&'static str>,
    hostile: Vec<&'static str>,
    glue: Vec<&'static str>,
    hides: Vec<(&'static str, &'static str)>,
}

impl Words {
    fn new() -> Words {
        match is_mysql() {
            true => Words {
                harmless: [HARMLESS, HARMLESS_OF_MYSQL].concat(),
                hostile: [HOSTILE, HOSTILE_TO_MYSQL].concat(),
                glue: [GLUE, GLUE_OF_MYSQL].concat(),
                hides: [HIDES, HIDES_OF_MYSQL].concat(),
            },
            false => Words {
                harmless: HARMLESS.to_vec(),
                hostile: [HOSTILE, HOSTILE_TO_MARIADB].concat(),
                glue: GLUE.to_vec(),
                hides: HIDES.to_vec(),
            },
        }
    }
}

fn is_mysql() -> bool {
    Release::tested().is_mysql()
}

fn one<'a>(dice: &mut Dice, list: &[&'a str]) -> &'a str {
    list[dice.below(list.len() as u64) as usize]
}

/// A place in a text between two characters.
fn place(dice: &mut Dice, text: &str) -> usize {
    let mut at = dice.below(text.len() as u64 + 1) as usize;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A dump that is out to do harm, one way or another.
fn hostile_dump(dice: &mut Dice, words: &Words) -> String {
    let good = one(dice, &words.harmless);
    let bad = one(dice, &words.hostile);
    let (before, after) = (one(dice, &words.glue), one(dice, &words.glue));
    let (opens, closes) = words.hides[dice.below(words.hides.len() as u64) as usize];
    let mut statement = match dice.below(10) {
        0 => bad.to_owned(),
        1 => format!("{good}{before}{bad}{after}"),
        2 => format!("{before}{bad}{after}{good}"),
        // Inside of it, a comment or a quote perhaps closed again.
        3 => {
            let at = place(dice, good);
            format!("{}{before}{bad}{after}{}", &good[..at], &good[at..])
        }
        // Where a word ends: before it, in it, behind it.
        5..=8 => {
            let blanks: Vec<usize> = good.match_indices(' ').map(|(at, _)| at).chain([0, good.len()]).collect();
            let at = blanks[dice.below(blanks.len() as u64) as usize];
            let mark = if dice.below(4) == 0 { before } else { "" };
            format!("{}{opens}{mark}{bad}{closes}{}", &good[..at], &good[at..])
        }
        // The head of one, the tail of the other.
        4 => {
            let (cut, rest) = (place(dice, good), place(dice, bad));
            format!("{}{before}{}", &good[..cut], &bad[rest..])
        }
        _ => format!("DELIMITER $$\n{good}; {bad}$$\nDELIMITER "),
    };
    for _ in 0..dice.below(3) {
        let at = place(dice, &statement);
        statement.insert_str(at, one(dice, &words.glue));
    }
    let session = if dice.below(2) == 0 { "" } else { one(dice, SESSIONS) };
    format!("{session}{statement};\n")
}

/// What each server has of its own.
const STATE_OF_MARIADB: &[&str] = &[
    "SELECT * FROM victim.s",
    "SELECT * FROM mysql.global_priv ORDER BY Host, User",
    "SELECT * FROM mysql.roles_mapping ORDER BY Host, User",
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES ORDER BY 1",
];
const STATE_OF_MYSQL: &[&str] = &[
    "SELECT * FROM victim.few",
    "SELECT * FROM mysql.user ORDER BY Host, User",
    "SELECT * FROM mysql.global_grants ORDER BY HOST, USER, PRIV",
    "SELECT * FROM mysql.role_edges ORDER BY 1, 2, 3, 4",
    "SELECT * FROM mysql.default_roles ORDER BY 1, 2, 3, 4",
    "SELECT * FROM mysql.proxies_priv ORDER BY 1, 2, 3, 4",
    "SELECT * FROM mysql.component ORDER BY 1",
    "SELECT * FROM performance_schema.global_variables WHERE VARIABLE_NAME<>'gtid_executed' ORDER BY 1",
    "SELECT * FROM performance_schema.persisted_variables ORDER BY 1",
    "SELECT UDF_NAME FROM performance_schema.user_defined_functions ORDER BY 1",
    "SELECT * FROM information_schema.RESOURCE_GROUPS ORDER BY 1",
    "SELECT * FROM information_schema.LIBRARIES WHERE LIBRARY_SCHEMA<>'rvs_1' ORDER BY 2, 3",
    "SELECT NAME, SPACE_TYPE FROM information_schema.INNODB_TABLESPACES WHERE NAME NOT LIKE 'rvs\\_1/%' ORDER BY 1",
    SHARED_FILES,
    "SELECT COUNT(*) FROM information_schema.ST_SPATIAL_REFERENCE_SYSTEMS",
    "SELECT SCHEMA_NAME, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMN_STATISTICS WHERE SCHEMA_NAME<>'rvs_1' ORDER BY 1, 2, 3",
    "SHOW GLOBAL STATUS LIKE 'Innodb_redo_log_enabled'",
];
/// Tables, whosoever's, that are in a file with others.
const SHARED_FILES: &str = "SELECT NAME FROM information_schema.INNODB_TABLES WHERE SPACE_TYPE IN ('General','System') AND NAME NOT LIKE 'mysql/%' ORDER BY 1";

/// A server with a victim, and what must stay as it is.
struct World {
    server: PrivateServer,
    admin: Server,
    loader: Server,
    dialect: Dialect,
    /// Its own `sql_mode`.
    mode: String,
    /// The only folder outside of its own that the server writes to.
    outside: PathBuf,
}

/// How far a dump came.
#[derive(Debug, Default)]
struct Tried {
    /// Statements that the filter let through and the server was asked for.
    sent: u64,
    /// Of these, those that it carried out.
    done: u64,
    /// The filter ended it.
    refused: u64,
}

impl World {
    fn new() -> World {
        let server = PrivateServer::start(&[
            "--event-scheduler=OFF",
            "--innodb-flush-log-at-trx-commit=0",
            "--secure-file-priv={files}",
            // With a binary log MySQL takes bodies of administrators alone.
            "--log-bin-trust-function-creators=ON",
        ]);
        let outside = server.folder().join("files");
        std::fs::write(outside.join("there"), "1\n").unwrap();
        let config = Config::parse(&server.toml()).unwrap();
        let admin = Server::admin(&config).unwrap();
        server.sql("CREATE DATABASE rvs_1");
        let password = accounts::create(&mut admin.connect(None).unwrap(), "rv_1", LOADING, "rvs_1").unwrap();
        let loader = admin.with_account("rv_1", password);
        let facts = server_facts::server_facts(&admin, None).unwrap();
        let (dialect, mode) = (facts.dialect(), facts.sql_mode.clone());
        if is_mysql() {
            server.sql(
                "CREATE TABLESPACE victims ADD DATAFILE 'victims.ibd'; CREATE USER site@localhost; CREATE ROLE role_of_site, role_of_victim; \
                 GRANT role_of_site TO site@localhost",
            );
        }
        let world = World { server, admin, loader, dialect, mode, outside };
        world.victim();
        world
    }

    /// Makes the victim, again if need be.
    fn victim(&self) {
        if is_mysql() {
            // Statistics of tables are as they are before they are looked at.
            self.server.sql(
                "DROP DATABASE IF EXISTS victim; CREATE DATABASE victim; USE victim; CREATE TABLE t (id INT PRIMARY KEY, v TEXT); \
                 INSERT INTO t VALUES (1,'one'),(2,'two'); CREATE TABLE few (id INT PRIMARY KEY); INSERT INTO few VALUES (77); \
                 ANALYZE TABLE t, few; CREATE PROCEDURE harm() UPDATE victim.t SET v='changed'; \
                 DROP USER IF EXISTS victim@localhost; CREATE USER victim@localhost IDENTIFIED BY 'secret'",
            );
            return;
        }
        self.server.sql(
            "CREATE OR REPLACE DATABASE victim; USE victim; CREATE TABLE t (id INT PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1,'one'),(2,'two'); \
             CREATE SEQUENCE s; CREATE PROCEDURE harm() UPDATE victim.t SET v='changed'; \
             CREATE OR REPLACE USER victim@localhost IDENTIFIED BY 'secret'",
        );
    }

    /// Everything but the shadow schema.
    fn state(&self) -> BTreeMap<String, String> {
        let mut connection = self.admin.connect(None).unwrap();
        let ask = |sql: &str| {
            let shown =
                |row: mysql::Row| row.unwrap().iter().map(|value| value.as_sql(true)).collect::<Vec<_>>().join(" ");
            let rows = match connection.query::<mysql::Row, _>(sql) {
                Ok(rows) => rows.into_iter().map(shown).collect::<Vec<_>>().join("\n"),
                Err(error) => format!("{error}"),
            };
            (sql.to_owned(), rows)
        };
        let mut state: BTreeMap<String, String> = [
            "SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA ORDER BY 1",
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, CREATE_OPTIONS FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ('rvs_1','information_schema','performance_schema') ORDER BY 1, 2",
            "SELECT * FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='victim' ORDER BY TABLE_NAME, ORDINAL_POSITION",
            "SELECT * FROM information_schema.STATISTICS WHERE TABLE_SCHEMA='victim' ORDER BY TABLE_NAME, INDEX_NAME",
            "SELECT * FROM victim.t ORDER BY id",
            "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA<>'rvs_1' ORDER BY 1, 2",
            "SELECT TRIGGER_SCHEMA, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN ('rvs_1','sys') ORDER BY 1, 2",
            "SELECT EVENT_SCHEMA, EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA<>'rvs_1' ORDER BY 1, 2",
            "SELECT CONSTRAINT_SCHEMA, CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA='victim' ORDER BY 1, 2",
            "SELECT * FROM mysql.db ORDER BY Host, Db, User",
            "SELECT * FROM mysql.tables_priv ORDER BY Host, Db, User",
            "SELECT * FROM mysql.procs_priv ORDER BY Host, Db, User",
            "SELECT * FROM mysql.servers ORDER BY Server_name",
            "SELECT * FROM mysql.plugin ORDER BY name",
            "SELECT * FROM mysql.func ORDER BY name",
            "SELECT PLUGIN_NAME, PLUGIN_STATUS FROM information_schema.PLUGINS ORDER BY 1",
        ]
        .into_iter()
        .chain(if is_mysql() { STATE_OF_MYSQL } else { STATE_OF_MARIADB }.iter().copied())
        .map(ask)
        .collect();
        let files = std::fs::read_dir(&self.outside).unwrap().map(|file| file.unwrap());
        let mut files: Vec<String> =
            files.map(|file| format!("{:?} {}", file.file_name(), file.metadata().unwrap().len())).collect();
        files.sort();
        state.insert("files outside".into(), files.join("\n"));
        state
    }

    /// The shadow schema as a load would have made it so far.
    fn fresh(&self) {
        let sequence = if is_mysql() { "" } else { "; CREATE SEQUENCE s" };
        self.server.sql(&format!(
            "DROP DATABASE IF EXISTS rvs_1; CREATE DATABASE rvs_1; USE rvs_1; CREATE TABLE a (x INT PRIMARY KEY, v VARCHAR(20)); \
             CREATE TABLE b (x INT, y TEXT) ENGINE=MyISAM{sequence}",
        ));
    }

    /// Carries out what the filter lets through of a dump, in the dump's own session, up to the first refusal.
    fn carry_out(&self, connection: &mut Conn, dump: &str, with_objects: bool, tried: &mut Tried) {
        let mut session = Session::default();
        let mut lexer = Lexer::new(dump.as_bytes(), self.dialect, 1 << 20);
        while let Ok(Some(item)) = lexer.next_item() {
            let quoting = session.quoting();
            let sql = match item {
                Item::Rows(extent) => {
                    let (from, length) = (extent.offset as usize, extent.length as usize);
                    let text = rows::as_text(dump.as_bytes()[from..from + length].to_vec(), quoting, "");
                    if extent.head.schema.is_some() {
                        break;
                    }
                    Some((extent.head.to_sql() + &text, false))
                }
                Item::Statement { text, .. } => match self.passes(&text, &mut session, with_objects) {
                    Ok(found) => found,
                    Err(()) => {
                        tried.refused += 1;
                        return;
                    }
                },
            };
            if let Some((sql, has_body)) = sql {
                tried.sent += 1;
                connection.query_drop(self.session_of(&session)).unwrap();
                let limit = if is_mysql() { "max_execution_time=5000" } else { "max_statement_time=5" };
                let limits = format!(
                    "SET SESSION sql_mode=CONCAT(@@sql_mode, ',NO_DIR_IN_CREATE'), lock_wait_timeout=1, {limit}"
                );
                connection.query_drop(limits).unwrap();
                let mut results = 0;
                let mut answer = connection.query_iter(&sql);
                if let Ok(answer) = &mut answer {
                    while let Some(set) = answer.iter() {
                        results += 1;
                        set.for_each(drop);
                    }
                }
                tried.done += u64::from(answer.is_ok());
                drop(answer);
                assert!(has_body || results <= 1, "the server saw {results} statements in {sql:?} of {dump:?}");
                let _ = connection.query_drop("UNLOCK TABLES");
            }
            lexer.set_quoting(session.quoting());
        }
    }

    /// The dump's session. MySQL knows fewer words of `sql_mode`: the loader puts others in their place.
    fn session_of(&self, session: &Session) -> String {
        match session.sql_mode.as_deref().filter(|_| is_mysql()) {
            Some(listed) => session.under_mode(modes::known(self.dialect, &modes::on(&self.mode, listed))).to_sql(""),
            None => session.to_sql(""),
        }
    }

    /// What the loader would send of a statement, and whether it may hold several; nothing, or a refusal.
    fn passes(&self, text: &[u8], session: &mut Session, with_objects: bool) -> Result<Option<(String, bool)>, ()> {
        let quoting = session.quoting();
        if session.hides_words(text) {
            return Err(());
        }
        let own = |name: &Name| if name.schema.is_some() { Err(()) } else { Ok(()) };
        let sql = std::str::from_utf8(text).map_err(drop)?.to_owned();
        match classify(text, quoting).map_err(drop)? {
            Statement::Set => {
                let mut new = session.clone();
                new.apply(text).map_err(drop)?;
                *session = new;
                Ok(None)
            }
            Statement::Nothing
            | Statement::DropObject(_)
            | Statement::Schema(_)
            | Statement::DropSchema(_)
            | Statement::Prepare(..)
            | Statement::Execute(_) => Ok(None),
            Statement::DropTable(names) => {
                names.iter().try_for_each(own)?;
                Ok(Some((sql, false)))
            }
            Statement::CreateTable(name)
            | Statement::CreateSequence(name)
            | Statement::SetSequence(name)
            | Statement::Keys(name, _)
            | Statement::AlterTable(name)
            | Statement::CreateIndex(name)
            | Statement::Empty(name)
            | Statement::InsertRow(name) => {
                own(&name)?;
                Ok(Some((sql, false)))
            }
            Statement::CreateObject(kind, name) => {
                own(&name)?;
                let mut sql = with_definer(&sql, quoting, None);
                if kind == ObjectKind::Event {
                    sql = asleep(&sql, quoting).ok_or(())?.0;
                }
                // What a body says is for its site's account, which is held by its privileges.
                Ok((with_objects || kind == ObjectKind::View).then_some((sql, kind != ObjectKind::View)))
            }
        }
    }
}

/// Statements of the corpus of the fuzz target `sql`.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/sql");
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    files.filter_map(|bytes| String::from_utf8(bytes.get(1..)?.to_vec()).ok()).collect()
}

/// Carries out dump after dump and holds the state of everything else against what it was.
fn trial(case: &str, account: impl Fn(&World) -> Conn, with_objects: bool) {
    let world = World::new();
    let seed = trial::seed(case);
    let mut dice = Dice(seed);
    let words = Words::new();
    let outside = world.outside.display().to_string();
    let dumps = if trial::is_long() { 20_000 } else { 600 };
    // First each by itself, and each hostile one hidden behind a harmless one that works.
    let plain = words.harmless.iter().chain(&words.hostile).map(|text| format!("{text};\n"));
    let behind = |bad: &&str| format!("DELIMITER $$\nDROP TABLE IF EXISTS `b`; {bad}$$\n");
    let mut waiting: Vec<String> = plain.chain(words.hostile.iter().map(behind)).chain(corpus()).collect();
    waiting.iter_mut().for_each(|dump| *dump = dump.replace("OUTSIDE", &outside));
    let mut tried = Tried::default();
    world.fresh();
    let mut before = world.state();
    if with_objects {
        // Behind a body any statement goes out here, where the loader sends one alone; to use a tablespace takes no right.
        before.remove(SHARED_FILES);
    }
    let mut connection = account(&world);
    for batch in 0..dumps / 50 {
        while waiting.len() < 50 {
            waiting.push(hostile_dump(&mut dice, &words).replace("OUTSIDE", &outside));
        }
        for dump in &waiting {
            world.carry_out(&mut connection, dump, with_objects, &mut tried);
        }
        let after = world.state();
        for (what, is) in &before {
            let now = &after[what];
            assert!(now == is, "batch {batch}, seed {seed}: {what}\nwas {is}\nis  {now}\nafter {waiting:#?}");
        }
        waiting.clear();
        drop(connection);
        world.fresh();
        connection = account(&world);
    }
    assert!(tried.done > dumps / 20 && tried.refused > dumps / 20, "hardly anything was tried: {tried:?}");
    trial::report(
        case,
        json!({"seed": seed, "dumps": dumps, "sent": tried.sent, "done": tried.done, "refused": tried.refused}),
    );
}

#[test]
fn d54_d57_d60_d61_what_the_filter_lets_through_is_harmless_with_the_loaders_rights() {
    trial("statements_of_the_loader", |world| world.loader.connect(Some("rvs_1")).unwrap(), true);
}

#[test]
fn d54_d57_d60_d61_what_the_filter_lets_through_is_harmless_with_every_right() {
    trial("statements_of_root", |world| world.admin.connect(Some("rvs_1")).unwrap(), false);
}

/// Every hostile statement by itself does harm where nothing holds it back: the state above is worth comparing.
#[test]
fn the_hostile_statements_are() {
    let world = World::new();
    let outside = world.outside.display().to_string();
    let mut harmless = Vec::new();
    for hostile in trial::points(&Words::new().hostile, if is_mysql() { 28 } else { 16 }) {
        world.fresh();
        world.victim();
        let before = world.state();
        let sql = hostile.replace("OUTSIDE", &outside);
        let mut connection = world.admin.connect(Some("rvs_1")).unwrap();
        let answer = connection.query_drop(&sql);
        if world.state() == before {
            harmless.push(format!("{hostile}: {answer:?}"));
        }
    }
    assert!(harmless.is_empty(), "{harmless:#?}");
}
