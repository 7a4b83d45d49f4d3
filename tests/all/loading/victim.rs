//! A server with a victim on it, and dumps that are after it: each goes in twice, and everything else has to be what it was.

use super::{SHADOW, World};
use crate::private_server::Release;
use crate::world::trial;
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder, Value};
use rocketvps_restore::error::{Code, Error};
use rocketvps_restore::host::database::{Database, Loaded};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// In a file that the server could read and no dump may.
pub const SECRET: &str = "the-secret-of-the-victim";

/// A schema of somebody else, with one of everything. The other one's name would fit the pattern `rvs_1`.
const VICTIM: &str = "
CREATE DATABASE victim; CREATE DATABASE rvsx1; CREATE USER victim@localhost IDENTIFIED BY 'v'; GRANT ALL ON victim.* TO victim@localhost;
CREATE TABLE victim.t (id INT PRIMARY KEY); INSERT INTO victim.t VALUES (1),(2);
CREATE TABLE victim.secrets (word VARCHAR(80)) ENGINE=MyISAM; INSERT INTO victim.secrets VALUES ('the-secret-of-the-victim');
CREATE TABLE rvsx1.t (id INT PRIMARY KEY); INSERT INTO rvsx1.t VALUES (1);
CREATE DEFINER=victim@localhost VIEW victim.v AS SELECT * FROM victim.t;
CREATE DEFINER=victim@localhost PROCEDURE victim.p() INSERT INTO victim.t VALUES (3);
CREATE DEFINER=victim@localhost FUNCTION victim.f() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM victim.t);
CREATE DEFINER=victim@localhost TRIGGER victim.tr BEFORE DELETE ON victim.t FOR EACH ROW SET @a=1;
CREATE DEFINER=victim@localhost EVENT victim.e ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01' DO DELETE FROM victim.t;";
/// What it has on a server that knows the kind.
const OF_MARIADB: &str = "CREATE SEQUENCE victim.numbers";
const OF_MYSQL: &str = "
CREATE ROLE victims_role; CREATE TABLESPACE victims ADD DATAFILE 'victims.ibd'; CREATE TABLE victim.placed (id INT PRIMARY KEY) TABLESPACE=victims;
CREATE LIBRARY victim.lib LANGUAGE JAVASCRIPT AS $$ export function f() { return 1 } $$;";

/// What there is of the server itself, by the words of each.
const SETTINGS_OF_MARIADB: &[(&str, &str)] = &[(
    "settings",
    "SELECT * FROM information_schema.GLOBAL_VARIABLES WHERE VARIABLE_NAME NOT LIKE 'GTID%' ORDER BY 1",
)];
const SETTINGS_OF_MYSQL: &[(&str, &str)] = &[
    ("settings", "SELECT * FROM performance_schema.global_variables WHERE VARIABLE_NAME<>'gtid_executed' ORDER BY 1"),
    ("settings of the next start", "SELECT * FROM performance_schema.persisted_variables ORDER BY 1"),
    ("loadable functions", "SELECT UDF_NAME FROM performance_schema.user_defined_functions ORDER BY 1"),
    ("resource groups", "SELECT * FROM information_schema.RESOURCE_GROUPS ORDER BY 1"),
    ("libraries", "SELECT * FROM information_schema.LIBRARIES WHERE LIBRARY_SCHEMA<>'rvs_1' ORDER BY 2, 3"),
    (
        "tablespaces",
        "SELECT NAME, SPACE_TYPE FROM information_schema.INNODB_TABLESPACES WHERE NAME NOT LIKE 'rvs\\_1/%' ORDER BY 1",
    ),
    ("spatial reference systems", "SELECT COUNT(*) FROM information_schema.ST_SPATIAL_REFERENCE_SYSTEMS"),
    (
        "histograms",
        "SELECT SCHEMA_NAME, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMN_STATISTICS WHERE SCHEMA_NAME<>'rvs_1' ORDER BY 1, 2, 3",
    ),
    ("redo log", "SHOW GLOBAL STATUS LIKE 'Innodb_redo_log_enabled'"),
    (
        "schemas that are read only",
        "SELECT SCHEMA_NAME, OPTIONS FROM information_schema.SCHEMATA_EXTENSIONS WHERE OPTIONS<>'' ORDER BY 1",
    ),
];

/// A server with a victim, and what was seen of attacks on it.
pub struct Scene {
    pub world: World,
    watch: RefCell<Conn>,
    pub before: BTreeMap<String, String>,
    pub dumps: u64,
    pub loads: u64,
    writes_outside: u64,
    foreign_rows_changed: u64,
}

impl Scene {
    pub fn new() -> Scene {
        let world = World::new();
        world.server.sql(VICTIM);
        world.server.sql(if is_mysql() { OF_MYSQL } else { OF_MARIADB });
        world.server.sql(
            "CREATE DATABASE live; CREATE USER site@localhost IDENTIFIED BY 'x'; GRANT ALL ON live.* TO site@localhost",
        );
        let outside = world.server.folder().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("secret"), format!("{SECRET}\n")).unwrap();
        let options = OptsBuilder::new()
            .user(Some("root"))
            .socket(Some(world.server.socket().display().to_string()))
            .prefer_socket(false);
        let mut watch = Conn::new(options).unwrap();
        // MySQL answers from a cache of a day.
        watch.query_drop("SET @rv=0 /*!80000 , SESSION information_schema_stats_expiry=0 */").unwrap();
        let watch = watch.into();
        let (dumps, loads) = (0, 0);
        let mut scene =
            Scene { world, watch, before: BTreeMap::new(), dumps, loads, writes_outside: 0, foreign_rows_changed: 0 };
        scene.before = scene.everything();
        assert!(scene.before.len() > 40, "{:#?}", scene.before.keys());
        scene
    }

    pub fn rows(&self, sql: &str) -> Vec<String> {
        let found: Vec<mysql::Row> =
            self.watch.borrow_mut().query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let shown = |value: Value| match value {
            Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => other.as_sql(true),
        };
        found.into_iter().map(|row| row.unwrap().into_iter().map(shown).collect::<Vec<_>>().join("\t")).collect()
    }

    /// All there is beside the shadow schema, under the name of what it is: rows and definitions of the victim's things, the
    /// server's own tables and settings, files.
    pub fn everything(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let mut servers = Vec::new();
        let others = "NOT IN ('rvs_1','information_schema','performance_schema','sys')";
        for table in self.rows(&format!(
            "SELECT CONCAT(TABLE_SCHEMA,'.',TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_TYPE<>'VIEW' AND TABLE_SCHEMA {others} \
             AND TABLE_NAME NOT RLIKE '^innodb_.*_stats$|_log$|^gtid_slave_pos$|^gtid_executed$|^transaction_registry$'"
        )) {
            if table.starts_with("mysql.") {
                servers.push(table);
                continue;
            }
            all.insert(format!("rows {table}"), self.rows(&format!("SELECT * FROM {table}")).join("\n"));
            all.insert(format!("definition {table}"), self.rows(&format!("SHOW CREATE TABLE {table}")).concat());
        }
        for sum in self.rows(&format!("CHECKSUM TABLE {}", servers.join(","))) {
            let (table, sum) = sum.split_once('\t').unwrap();
            all.insert(format!("rows {table}"), sum.into());
        }
        for kind in ["VIEW v", "PROCEDURE p", "FUNCTION f", "TRIGGER tr", "EVENT e"] {
            let shown = self.rows(&format!("SHOW CREATE {}", kind.replace(' ', " victim.")));
            all.insert(format!("definition {kind}"), shown.concat());
        }
        let lists = [
            (
                "schemas",
                "SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME<>'rvs_1' ORDER BY 1",
            ),
            ("plugins", "SELECT PLUGIN_NAME, PLUGIN_STATUS FROM information_schema.PLUGINS ORDER BY 1"),
            (
                "views",
                "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA NOT IN ('rvs_1','sys') ORDER BY 1, 2",
            ),
            (
                "triggers",
                "SELECT TRIGGER_SCHEMA, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN ('rvs_1','sys') ORDER BY 1, 2",
            ),
            (
                "keys into others",
                "SELECT CONSTRAINT_SCHEMA, CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA<>'rvs_1'",
            ),
        ];
        let settings = if is_mysql() { SETTINGS_OF_MYSQL } else { SETTINGS_OF_MARIADB };
        for (name, sql) in lists.iter().chain(settings).copied() {
            all.insert(name.into(), self.rows(sql).join("\n"));
        }
        let mut files = Vec::new();
        list_files(&self.world.server.folder().join("outside"), &mut files);
        all.insert("files outside".into(), files.join("\n"));
        files.clear();
        list_files(&self.world.server.folder().join("data"), &mut files);
        files.retain(|file| {
            // The last two are MySQL's: its redo log and where it sorts, in files that come and go.
            ![
                "/data/rvs_1",
                "/data/ib",
                "/data/aria_log",
                "/data/ddl_",
                "/data/undo",
                "/data/#innodb_redo",
                "/data/#innodb_temp",
            ]
            .iter()
            .any(|own| file.contains(own))
        });
        let names: Vec<&str> = files.iter().map(|file| file.split('\t').next().unwrap()).collect();
        all.insert("files of the server".into(), names.join("\n"));
        all
    }

    /// Looks at everything, after the shadow schema went as a job lets it go. What changed is counted and shown.
    pub fn untouched(&mut self, dump: &str, filter: bool) {
        if self.world.real.schemas(SHADOW).unwrap().iter().any(|name| name == SHADOW) {
            let tables = self.rows(&format!("SELECT CONCAT('SELECT * FROM {SHADOW}.`',REPLACE(TABLE_NAME,'`','``'),'`') FROM information_schema.TABLES WHERE TABLE_SCHEMA='{SHADOW}' AND TABLE_TYPE='BASE TABLE' AND TABLE_ROWS < 1000"));
            for table in tables {
                let rows = self.rows(&table).join("\n");
                assert!(
                    !rows.contains(SECRET) && !rows.contains("root:"),
                    "filter {filter}: a secret got into the schema: {dump}"
                );
            }
            self.world.real.drop_schema(SHADOW).unwrap();
        }
        let after = self.everything();
        for name in self.before.keys().chain(after.keys().filter(|name| !self.before.contains_key(*name))) {
            if self.before.get(name) != after.get(name) {
                self.foreign_rows_changed += u64::from(name.starts_with("rows "));
                self.writes_outside += u64::from(!name.starts_with("rows "));
                eprintln!(
                    "filter {filter}: {dump}\nchanged {name}:\n{:?}\n{:?}",
                    self.before.get(name),
                    after.get(name)
                );
            }
        }
    }

    /// One dump, twice. The refusal of the filter is handed on.
    pub fn attack(&mut self, dump: &str) -> Result<Loaded, Error> {
        self.dumps += 1;
        let mut refusal = None;
        for filter in [true, false] {
            let begun = Instant::now();
            let result = self.world.load(dump.as_bytes(), filter);
            assert!(begun.elapsed() < Duration::from_secs(20), "filter {filter}: {:?}: {dump}", begun.elapsed());
            self.loads += 1;
            self.untouched(dump, filter);
            refusal.get_or_insert(result);
        }
        refusal.unwrap()
    }

    /// A dump that has to be refused by name and line.
    pub fn refused(&mut self, dump: &str) {
        match self.attack(dump) {
            Err(error) => {
                assert_eq!(error.code, Code::DumpRefused, "{error}\n{dump}");
                assert!(error.context["line"].as_u64().is_some_and(|line| line > 0), "{error:?}\n{dump}");
                assert!(error.message.contains("line "), "{error}");
            }
            Ok(loaded) => panic!("not refused: {dump}\n{loaded:?}"),
        }
    }

    /// Statements that have to be refused however they are spelled. What has to be there before stands before a `|`.
    pub fn refused_in_every_spelling(&mut self, statements: &[&str]) {
        let outside = self.world.server.folder().join("outside").display().to_string();
        for (number, statement) in statements.iter().enumerate() {
            let statement = statement.replace("{outside}", &outside);
            let (before, sql) = statement.split_once('|').unwrap_or(("", &statement));
            let all = spellings(before, sql);
            let chosen: Vec<&String> = match trial::is_long() {
                true => all.iter().collect(),
                // In turn.
                false => vec![&all[number % all.len()]],
            };
            for dump in chosen {
                self.refused(dump);
            }
        }
    }

    pub fn report(self, case: &str) {
        trial::report(
            case,
            json!({"dumps": self.dumps, "loads": self.loads, "writes_outside": self.writes_outside,
                "foreign_rows_changed": self.foreign_rows_changed}),
        );
        assert_eq!((self.writes_outside, self.foreign_rows_changed), (0, 0), "see above");
    }
}

/// Whether the server under test is MySQL.
pub fn is_mysql() -> bool {
    Release::tested().is_mysql()
}

/// Path, size and beginning of every file below.
fn list_files(folder: &Path, into: &mut Vec<String>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            list_files(&path, into);
        } else {
            let size = path.metadata().map_or(0, |metadata| metadata.len());
            into.push(format!("{}\t{size}", path.display()));
        }
    }
}

/// The ways in which a statement can be written or hidden.
fn spellings(before: &str, sql: &str) -> Vec<String> {
    let before = if before.is_empty() { String::new() } else { format!("{before};\n") };
    let (first, rest) = sql.split_once(' ').unwrap_or((sql, ""));
    // To MySQL a comment for MariaDB is a comment.
    let own = if is_mysql() { "/*!80000" } else { "/*M!100000" };
    let decoy = "CREATE TABLE decoy (id INT PRIMARY KEY, t TEXT) ENGINE=InnoDB;\n";
    [
        format!("{sql};"),
        format!("/*! {sql} */;"),
        format!("/*!50000 {sql}*/;"),
        format!("{own} {sql} */;"),
        format!("/*! /* x */ {sql} */;"),
        format!("/*!40000 {first} *//*!40101 {rest}*/;"),
        format!("{first}/*;*/ -- ; '\n#`\n {rest};"),
        format!("{}\r\n\t{rest} ;", first.to_ascii_lowercase()),
        format!("DELIMITER //\n{sql}//\nDELIMITER ;"),
        format!("delimiter ;;\n{sql};;\ndelimiter ;"),
        format!("DELIMITER $$\n/*!50003 {sql} */$$\nDELIMITER ;"),
        format!("{decoy}INSERT INTO decoy VALUES (1,'\\\\'),(2,'\\';'),(3,'/*');\n{sql};"),
        format!("{decoy}SET sql_mode='NO_BACKSLASH_ESCAPES';\nINSERT INTO decoy VALUES (1,'\\');\n{sql};\n-- '"),
        format!("SET sql_mode='ANSI_QUOTES';\nCREATE TABLE \"de;coy\" (\"a;\"\"b\" INT);\n{sql};"),
        format!("-- '\n# \"\n/* ` */\n--\t;\n{sql};"),
        format!("/*!99999 SET NAMES gbk */;\n/*M!999999\\- enable the sandbox mode */\n{sql};"),
    ]
    .into_iter()
    .map(|dump| format!("{before}{dump}\n"))
    .collect()
}
