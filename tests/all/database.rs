//! Real dumps into a real server: loaded beside the live schema, switched, compared, switched back. Hostile ones are in
//! `hostile_dumps.rs`.

use crate::loading::World;
use crate::world::trial;
use rocketvps_restore::backup::scan::tally;
use rocketvps_restore::config::Config;
use rocketvps_restore::error::{Code, Error};
use rocketvps_restore::host::database::{Database, ObjectKind, Objects, Patience, Server, Switch};
use rocketvps_restore::progress::Monitor;
use rocketvps_restore::sql::compat::{Actions, Finding, Kind, Verdict, judge};
use std::sync::Arc;

const MYSQL57: &str = include_str!("../fixtures/mysql57.sql");
const MYSQL80: &str = include_str!("../fixtures/mysql80.sql");

fn names(world: &World, schema: &str) -> Vec<String> {
    world.real.tables(schema).unwrap().into_iter().map(|table| table.name).collect()
}

#[test]
fn every_form_of_dump_gives_back_the_same_site() {
    let world = World::with_site();
    let state = world.state("live");
    let definitions = world.definitions("live");
    let objects = world.real.objects("live").unwrap();
    assert_eq!(objects.0.len(), 7, "{objects:#?}");
    for options in [
        &[][..],
        &["--skip-extended-insert"],
        &["--hex-blob"],
        &["--complete-insert"],
        // Without its SET lines a dump of generated columns cannot be loaded by anything.
        &["--compact", "--ignore-table=live.sums"],
        &["--databases"],
        &["--default-character-set=latin1"],
        &["--replace", "--skip-lock-tables", "--skip-disable-keys"],
        &["--insert-ignore", "--no-autocommit"],
        &["--net-buffer-length=16384", "--skip-add-drop-table"],
    ] {
        let dump = world.dump(options);
        let mut expected = state.clone();
        if options.contains(&"--compact") {
            expected.remove("sums");
        }
        let loaded = world.load(&dump, true).unwrap_or_else(|error| panic!("{options:?}: {error:?}"));
        let mut found = world.state("rvs_1");
        if options.contains(&"--default-character-set=latin1") {
            // A dump in latin1 has lost the letters that latin1 lacks; their number is still right.
            expected.remove("posts");
            assert_eq!(found.remove("posts").map(|(rows, _)| rows), Some(state["posts"].0));
        }
        assert_eq!(found, expected, "{options:?}");
        for table in &loaded.tables {
            if let Some((rows, _)) = expected.get(&table.name) {
                assert_eq!(table.rows, *rows, "{options:?} {}", table.name);
            }
        }
        assert!(world.real.objects("rvs_1").unwrap().is_empty(), "nothing of the kind stays in the shadow schema");
        if !options.contains(&"--compact") {
            assert_eq!(world.definitions("rvs_1").len(), definitions.len());
            assert_eq!(loaded.objects.0.len(), objects.0.len(), "{options:?}");
        }
    }
}

#[test]
fn a_switch_there_and_back_leaves_no_trace() {
    let world = World::with_site();
    let dump = world.dump(&[]);
    let old_objects = world.real.objects("live").unwrap();
    let loaded = world.load(&dump, true).unwrap();
    let new = world.state("rvs_1");
    world
        .server
        .sql("USE live; DELETE FROM posts WHERE id>3; DROP TABLE meta; CREATE TABLE later (x INT); DROP VIEW v_posts; DROP VIEW v_all");
    let left_objects = world.real.objects("live").unwrap();
    let old = world.state("live");

    world.real.create_schema("rvk_1", None).unwrap();
    world.real.drop_objects("live", &left_objects, Patience::default()).unwrap();
    let there = Switch::exchange("live", "rvk_1", &names(&world, "live"), "rvs_1", &names(&world, "rvs_1"));
    world.real.switch(&there, Patience::default()).unwrap();
    world.real.create_objects("live", &loaded.objects, Patience::default()).unwrap();
    assert_eq!(world.state("live"), new);
    assert_eq!(world.state("rvk_1"), old);
    let definers = world.server.sql("SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='live' UNION SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA='live' UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='live' UNION SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA='live'");
    assert_eq!(definers.trim(), "site@localhost");
    let texts = |objects: &[rocketvps_restore::host::database::Object]| -> Vec<(ObjectKind, String, String)> {
        objects
            .iter()
            .map(|object| (object.kind, object.name.clone(), object.create.replace("`root`@", "`site`@")))
            .collect()
    };
    assert_eq!(texts(&world.real.objects("live").unwrap().0), texts(&old_objects.0));
    // The foreign key points to the new parent, the trigger works, the view sees the new rows.
    assert!(world.server.sql("SELECT COUNT(*) FROM live.v_posts").trim().parse::<u64>().unwrap() > 3);
    world
        .server
        .sql("USE live; INSERT INTO posts (title) VALUES ('trigger'); DELETE FROM posts WHERE title LIKE 'trigger%'");

    world.real.drop_objects("live", &loaded.objects, Patience::default()).unwrap();
    world.real.switch(&there.inverse(), Patience::default()).unwrap();
    world.real.create_objects("live", &left_objects, Patience::default()).unwrap();
    assert_eq!(world.state("live"), old);
    assert_eq!(world.real.objects("live").unwrap(), left_objects);
}

#[test]
fn bytes_of_any_kind_survive_without_hex() {
    let world = World::new();
    world.server.sql(
        "CREATE DATABASE live; USE live; \
         CREATE TABLE b (id INT PRIMARY KEY, b LONGBLOB, v VARBINARY(300)) CHARSET utf8mb4; \
         INSERT INTO b SELECT seq, UNHEX(REPEAT(LPAD(HEX(seq),2,'0'),50)), UNHEX(CONCAT(LPAD(HEX(seq),2,'0'),'5C','27',LPAD(HEX(255-seq),2,'0'))) FROM seq_0_to_255; \
         CREATE TABLE l (id INT PRIMARY KEY, t TEXT) CHARSET latin1; \
         INSERT INTO l SELECT seq, CONVERT(UNHEX(CONCAT(LPAD(HEX(seq),2,'0'),'41')) USING latin1) FROM seq_1_to_255; \
         CREATE TABLE big (id INT PRIMARY KEY, t LONGTEXT) CHARSET utf8mb4; \
         INSERT INTO big VALUES (1, REPEAT('x\\'',800000)),(2,REPEAT('é',700000)),(3,'%_\\\\%\\\\_\\\\N'),(4,NULL),(5,'NULL'),(6,''),(7,')'),(8,'),('),(9,'\\r\\n\\t\\0');",
    );
    let state = world.state("live");
    for options in [
        &[][..],
        &["--hex-blob"],
        &["--skip-extended-insert"],
        &["--default-character-set=latin1", "--tables", "live", "l", "b"],
    ] {
        let dump = if options.contains(&"--tables") {
            world.dump(&["--default-character-set=latin1", "--ignore-table=live.big"])
        } else {
            world.dump(options)
        };
        let loaded = world.load(&dump, true).unwrap_or_else(|error| panic!("{options:?}: {error:?}"));
        for (table, facts) in world.state("rvs_1") {
            assert_eq!(facts, state[&table], "{options:?} {table} {:?}", loaded.notes);
        }
    }
}

#[test]
fn duplicate_rows_and_broken_dumps_fail_by_name() {
    let world = World::new();
    let table = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(3)) ENGINE=InnoDB;\n";
    for (sql, code) in [
        (format!("{table}INSERT INTO t VALUES (1,'a'),(1,'b');\n"), Code::DatabaseFailed),
        (format!("SET sql_mode='STRICT_ALL_TABLES';\n{table}INSERT INTO t VALUES (1,'abcd');\n"), Code::DatabaseFailed),
        (format!("{table}INSERT INTO t VALUES (1,'a'),(2"), Code::BackupCorrupt),
        (format!("{table}CREATE TABLE u (id NONSENSE);\n"), Code::DatabaseFailed),
        (format!("{table}INSERT INTO t VALUES (1,'a',3);\n"), Code::DatabaseFailed),
        ((0..200).map(|number| format!("CREATE TABLE t{number} (id INT);\n")).collect(), Code::LimitExceeded),
    ] {
        let error = world.load(sql.as_bytes(), true).unwrap_err();
        assert_eq!(error.code, code, "{sql:.200}: {error}");
    }
    // Without strict mode the value is cut, as by the client program, and said so.
    let loaded =
        world.load(format!("SET sql_mode='';\n{table}INSERT INTO t VALUES (1,'abcd');\n").as_bytes(), true).unwrap();
    assert_eq!((loaded.tables[0].rows, loaded.notes.len()), (1, 1), "{:?}", loaded.notes);
}

#[test]
fn a_load_can_be_stopped() {
    struct Stopper(std::sync::atomic::AtomicU64);
    impl Monitor for Stopper {
        fn set_total(&self, _: rocketvps_restore::progress::Phase, _: u64, _: u64) {}
        fn advance(&self, _: rocketvps_restore::progress::Phase, rows: u64, _: u64) {
            self.0.fetch_add(rows, std::sync::atomic::Ordering::SeqCst);
        }
        fn current(&self, _: rocketvps_restore::progress::Phase, _: &str) {}
        fn event(&self, _: rocketvps_restore::progress::Level, _: &str) {}
        fn keep_going(&self) -> Result<(), Error> {
            if self.0.load(std::sync::atomic::Ordering::SeqCst) > 10_000 {
                return Err(Error::new(Code::Cancelled, "cancelled by the test"));
            }
            Ok(())
        }
    }
    let world = World::new();
    let rows: Vec<String> = (0..200_000).map(|row| format!("({row},'{}')", "x".repeat(100))).collect();
    let dump = format!(
        "CREATE TABLE t (id INT PRIMARY KEY, v TEXT) ENGINE=InnoDB;\nINSERT INTO t VALUES {};\n",
        rows.join(",")
    );
    let error = world.load_with(dump.as_bytes(), true, Arc::new(Stopper(0.into()))).unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
}

#[test]
fn what_one_load_leaves_open_the_next_can_drop() {
    let world = World::new();
    for _ in 0..3 {
        let dump =
            "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB;\nINSERT INTO t VALUES (1);\nGRANT ALL ON x TO y;\n";
        assert_eq!(world.load(dump.as_bytes(), true).unwrap_err().code, Code::DumpRefused);
    }
}

/// What the server would not take of a dump, by the preview's reading of it.
fn judged(world: &World, dump: &str, actions: &Actions) -> Vec<Finding> {
    let config = Config::parse(&world.server.toml()).unwrap();
    let server = Server::admin(&config).unwrap();
    let facts =
        rocketvps_restore::host::database::server_facts::server_facts(&server, Some("`site`@`localhost`")).unwrap();
    judge(&tally(dump.as_bytes()).unwrap().survey, &facts, actions, &|_| true)
}

/// Kind, subject, what takes its place, and how often; by kind.
fn brief(findings: &[Finding]) -> Vec<(Kind, String, Option<String>, u64)> {
    let mut found: Vec<_> = findings
        .iter()
        .map(|finding| (finding.kind, finding.subject.clone(), finding.into.clone(), finding.count))
        .collect();
    found.sort();
    found
}

fn expected(list: &[(Kind, &str, &str, u64)]) -> Vec<(Kind, String, Option<String>, u64)> {
    list.iter()
        .map(|(kind, subject, into, count)| {
            (*kind, (*subject).to_owned(), Some(*into).filter(|into| !into.is_empty()).map(str::to_owned), *count)
        })
        .collect()
}

#[test]
fn e70_a_dump_of_mysql_8_loads_and_what_was_adapted_is_said() {
    let world = World::with_site();
    let loaded = world.load_as_asked(MYSQL80, "{}").unwrap();
    let tables: Vec<_> = loaded.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
    assert_eq!(tables, [("wp_posts", 4), ("wp_products", 2), ("wp_sessions", 2)]);
    for (sql, answer) in [
        (
            "SELECT CONCAT_WS('|', post_date, post_date_gmt, post_content, post_title) FROM rvs_1.wp_posts WHERE ID=3",
            "0000-00-00 00:00:00|0000-00-00 00:00:00|0000-00-00 00:00:00|0000-00-00",
        ),
        ("SELECT post_date FROM rvs_1.wp_posts WHERE ID=4", "2024-05-00 00:00:00"),
        (
            "SELECT post_content FROM rvs_1.wp_posts WHERE ID=2",
            "CREATE TABLE x COLLATE utf8mb4_0900_bin; DEFINER=`no`@`where` /*!80016 no */",
        ),
        ("SELECT HEX(RIGHT(post_content,1)) FROM rvs_1.wp_posts WHERE ID=4", "F09F8E89"),
        (
            "SELECT GROUP_CONCAT(CONCAT_WS(' ', sku, gross, color) ORDER BY my_row_id) FROM rvs_1.wp_products",
            "a-1 11.00 red,A-1 2.75 blue",
        ),
        (
            "SELECT COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='rvs_1' AND COLUMN_NAME='post_title'",
            "COLLATE utf8mb4_0900_ai_ci; ENGINE=NDB",
        ),
        (
            "SELECT GROUP_CONCAT(COLLATION_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='rvs_1' AND TABLE_NAME='wp_posts'",
            "utf8mb4_unicode_520_ci,utf8mb4_uca1400_ai_ci,utf8mb4_uca1400_as_cs,utf8mb4_uca1400_vietnamese_ai_ci",
        ),
        (
            "SELECT CONCAT(ENGINE,' ',TABLE_COLLATION) FROM information_schema.TABLES WHERE TABLE_SCHEMA='rvs_1' AND TABLE_NAME='wp_sessions'",
            "InnoDB latin1_swedish_ci",
        ),
        ("SELECT name FROM rvs_1.wp_sessions WHERE id='s1'", "Zoë"),
    ] {
        assert_eq!(world.server.sql(sql).trim(), answer, "{sql}");
    }
    let kinds: Vec<_> = loaded.objects.0.iter().map(|object| (object.kind, object.name.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (ObjectKind::Function, "wp_slug"),
            (ObjectKind::View, "wp_published"),
            (ObjectKind::Trigger, "wp_posts_name"),
            (ObjectKind::Event, "wp_purge"),
        ]
    );
    for object in &loaded.objects.0 {
        assert!(object.create.contains("`site`@`localhost`"), "{}", object.create);
        assert!(!object.create.contains("'' COLLATE utf8mb4_0900") && !object.create.contains("collate utf8mb4_0900"));
    }
    let found = expected(&[
        (Kind::Collation, "utf8mb4_0900_ai_ci", "utf8mb4_uca1400_ai_ci", 11),
        (Kind::Collation, "utf8mb4_0900_as_cs", "utf8mb4_uca1400_as_cs", 1),
        (Kind::Collation, "utf8mb4_0900_bin", "utf8mb4_nopad_bin", 1),
        (Kind::Collation, "utf8mb4_vi_0900_ai_ci", "utf8mb4_uca1400_vietnamese_ai_ci", 1),
        (Kind::Definer, "shop@%", "site@localhost", 4),
        (Kind::Gtid, "GTID_PURGED", "", 1),
        (Kind::Gtid, "SQL_LOG_BIN", "", 2),
        (Kind::Engine, "ndbcluster", "InnoDB", 1),
        (Kind::VersionedComment, "/*!80000 '+' */", "", 1),
        (Kind::VersionedComment, "/*!80016 DEFAULT ENCRYPTION='N' */", "", 1),
        (Kind::VersionedComment, "/*!80023 INVISIBLE */", "", 1),
    ]);
    assert_eq!(brief(&loaded.adapted), found);
    assert_eq!(brief(&judged(&world, MYSQL80, &Actions::default())), found, "the preview says what the load does");
    for finding in &loaded.adapted {
        assert!(loaded.notes.contains(&finding.message), "{finding:?}");
    }
}

#[test]
fn e70_a_dump_of_mysql_5_7_loads_and_what_was_adapted_is_said() {
    let world = World::with_site();
    let loaded = world.load_as_asked(MYSQL57, "{}").unwrap();
    let tables: Vec<_> = loaded.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
    assert_eq!(tables, [("wp_hits", 2), ("wp_log", 3), ("wp_options", 3)]);
    for (sql, answer) in [
        ("SELECT option_value FROM rvs_1.wp_options WHERE option_id=2", "Café '57'"),
        ("SELECT changed FROM rvs_1.wp_options WHERE option_id=2", "0000-00-00 00:00:00"),
        ("SELECT GROUP_CONCAT(day ORDER BY day) FROM rvs_1.wp_log", "0000-00-00,2018-03-04,2019-00-00"),
        ("SELECT HEX(line) FROM rvs_1.wp_log WHERE day='2018-03-04'", "636166E9"),
        ("SELECT GROUP_CONCAT(path ORDER BY id) FROM rvs_1.wp_hits", "/,/a"),
        (
            "SELECT GROUP_CONCAT(CONCAT(TABLE_NAME,' ',ENGINE) ORDER BY TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA='rvs_1'",
            "wp_hits MyISAM,wp_log InnoDB,wp_options InnoDB",
        ),
        ("SELECT COUNT(*) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA='rvs_1' AND TABLE_NAME='wp_log'", "2"),
    ] {
        assert_eq!(world.server.sql(sql).trim(), answer, "{sql}");
    }
    assert_eq!(loaded.objects.0.len(), 3);
    let found = expected(&[
        (Kind::Definer, "blog@%", "site@localhost", 2),
        (Kind::Definer, "root@localhost", "site@localhost", 1),
        (Kind::Gtid, "GTID_PURGED", "", 1),
        (Kind::Gtid, "SQL_LOG_BIN", "", 2),
        (Kind::Engine, "ROCKSDB", "InnoDB", 3),
    ]);
    assert_eq!(brief(&loaded.adapted), found);
    assert_eq!(brief(&judged(&world, MYSQL57, &Actions::default())), found, "the preview says what the load does");
}

#[test]
fn e70_each_refusal_names_kind_subject_and_line() {
    let world = World::with_site();
    let long = format!(
        "CREATE TABLE t (id INT PRIMARY KEY, v MEDIUMTEXT) ENGINE=InnoDB;\nINSERT INTO t VALUES {};\n",
        (0..60).map(|row| format!("({row},'{}')", "x".repeat(100_000))).collect::<Vec<_>>().join(",")
    );
    let rows =
        "CREATE TABLE t (id INT, d DATE) ENGINE=InnoDB;\nINSERT INTO t VALUES (1,'2020-01-01'),(2,'0000-00-00');\n";
    let partial = "SET sql_mode='STRICT_ALL_TABLES';\nCREATE TABLE t (d DATETIME) ENGINE=InnoDB;\nINSERT INTO t VALUES ('2020-00-01 00:00:00');\n";
    for (dump, compatibility, kind, subject, line) in [
        (MYSQL80, r#"{"collation":"refuse"}"#, "collation", "utf8mb4_0900_ai_ci", 34),
        (MYSQL80, r#"{"definer":"refuse"}"#, "definer", "shop@%", 143),
        (MYSQL80, r#"{"gtid":"refuse"}"#, "gtid", "SQL_LOG_BIN", 21),
        (MYSQL80, r#"{"engine":"refuse"}"#, "engine", "ndbcluster", 0),
        (MYSQL80, r#"{"zero_dates":"refuse"}"#, "zero_dates", "DEFAULT '0000-00-00 00:00:00' in wp_posts", 0),
        (MYSQL80, r#"{"versioned_comment":"refuse"}"#, "versioned_comment", "/*!80023 INVISIBLE */", 0),
        (&long, r#"{"packet":"refuse"}"#, "packet", "statement", 2),
        (rows, r#"{"zero_dates":"refuse"}"#, "zero_dates", "rows of t", 2),
        (partial, r#"{"zero_dates":"refuse"}"#, "zero_dates", "rows of t", 3),
        ("CREATE TABLE t (v TEXT CHARACTER SET gb18030);\n", "{}", "charset", "gb18030", 1),
        ("SET NAMES utf8mb5;\n", "{}", "charset", "utf8mb5", 1),
        ("CREATE TABLE t (v INT) ENGINE=MERGE;\n", "{}", "engine", "MERGE", 1),
    ] {
        let error = world.load_as_asked(dump, compatibility).unwrap_err();
        assert_eq!((error.code, &error.context["kind"]), (Code::DumpRefused, &kind.into()), "{error}");
        assert_eq!(error.context["subject"], subject, "{error}");
        if line > 0 {
            assert_eq!(error.context["line"], line, "{error}");
        }
        let actions: Actions = serde_json::from_str(compatibility).unwrap();
        let judged = judged(&world, dump, &actions);
        let same = |finding: &&Finding| finding.kind.name() == kind && finding.outcome == Verdict::Fail;
        let found = judged.iter().find(same).unwrap_or_else(|| panic!("{kind}: {judged:#?}"));
        assert_eq!(found.subject, subject);
    }
    let loaded = world.load_as_asked(&long, "{}").unwrap();
    assert_eq!(loaded.tables[0].rows, 60);
    assert_eq!(brief(&loaded.adapted), expected(&[(Kind::Packet, "statement", "", 1)]));
}

#[test]
fn e70_zero_dates_are_kept_where_the_server_itself_would_not_take_them() {
    let world = World::with_site();
    world.server.sql("SET GLOBAL sql_mode='STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE'");
    let dump = "CREATE TABLE t (id INT, d DATE DEFAULT '0000-00-00') ENGINE=InnoDB;\nINSERT INTO t VALUES (1,'2020-00-01'),(2,'0000-00-00');\n";
    let loaded = world.load_as_asked(dump, "{}").unwrap();
    assert_eq!(
        world.server.sql("SET sql_mode=''; SELECT GROUP_CONCAT(d ORDER BY id) FROM rvs_1.t").trim(),
        "2020-00-01,0000-00-00"
    );
    let subjects: Vec<_> = loaded.adapted.iter().map(|finding| finding.subject.as_str()).collect();
    assert_eq!(subjects, ["DEFAULT '0000-00-00' in t", "sql_mode"]);
    // A row that is wrong for another reason is still refused.
    let wrong = "CREATE TABLE t (id INT) ENGINE=InnoDB;\nINSERT INTO t VALUES ('x');\n";
    assert_eq!(world.load_as_asked(wrong, "{}").unwrap_err().code, Code::DatabaseFailed);
}

#[test]
fn dumps_of_the_servers_own_kind_differ_in_their_definers_alone() {
    let world = World::with_site();
    for options in [&[][..], &["--databases"], &["--skip-extended-insert"]] {
        let dump = world.dump(options);
        let text = String::from_utf8_lossy(&dump).into_owned();
        let loaded = world.load(&dump, true).unwrap();
        for findings in [&loaded.adapted, &judged(&world, &text, &Actions::default())] {
            let others: Vec<_> = findings.iter().filter(|finding| finding.kind != Kind::Definer).collect();
            assert!(others.is_empty(), "{others:#?}");
            assert!(!findings.is_empty());
        }
    }
}

/// Loads a dump with the plain client into schema `plain`, and through the loader: the same tables with the same rows.
fn like_the_plain_client(world: &World, what: &str, dump: &str) {
    world.server.sql("DROP DATABASE IF EXISTS plain; CREATE DATABASE plain CHARACTER SET utf8mb4; CREATE DATABASE IF NOT EXISTS live CHARACTER SET utf8mb4; CREATE USER IF NOT EXISTS site@localhost");
    let file = world.server.folder().join("plain.sql");
    std::fs::write(&file, dump).unwrap();
    world
        .server
        .client("mariadb", &["plain", "--default-character-set=utf8mb4", "-e", &format!("source {}", file.display())]);
    let loaded = world.load(dump.as_bytes(), true).unwrap_or_else(|error| panic!("{what}: {error:?}\n{dump}"));
    assert_eq!(world.state("rvs_1"), world.state("plain"), "{what}\n{dump}");
    assert_eq!(world.definitions("rvs_1"), world.definitions("plain"), "{what}");
    for table in &loaded.tables {
        assert_eq!(
            Some(table.rows),
            world.state("plain").get(&table.name).map(|(rows, _)| *rows),
            "{what} {}",
            table.name
        );
    }
}

#[test]
fn statements_of_other_dumpers_load_as_the_plain_client_loads_them() {
    let world = World::new();
    let table = "CREATE TABLE a (id int NOT NULL, n varchar(20), PRIMARY KEY (id)) ENGINE=InnoDB;\n";
    for rest in [
        "INSERT INTO a (id,n) VALUES (1,'x'),(2,NULL) ON DUPLICATE KEY UPDATE id=VALUES(id), n=VALUES(n);",
        "INSERT INTO a VALUES (1,'x');\nINSERT INTO a (id,n) VALUES (1,'y'),(2,'z') ON DUPLICATE KEY UPDATE n=VALUES(n);",
        "INSERT INTO a VALUES (1,'x');\nREPLACE INTO a VALUES (1,'y'),(2,'z');\nINSERT IGNORE INTO a VALUES (2,'w'),(3,'v');",
        "INSERT INTO a VALUES /* first (9,'x') */ (1,'x'), -- one (8,'y')\n(2,'y') /* two */,\n# three\n(3,'z');",
        "INSERT INTO a SET id=9, n='x'; INSERT INTO a SET id=-8;",
        "INSERT INTO a VALUES (1,'x'); ALTER TABLE a CHANGE id id int NOT NULL AUTO_INCREMENT; INSERT INTO a VALUES (7,'z');",
        "INSERT INTO a VALUES (1,'x'); ALTER TABLE a COMMENT='x'; ALTER TABLE a ENGINE=InnoDB; ALTER TABLE a ADD m int, DROP COLUMN n; ANALYZE TABLE a; OPTIMIZE TABLE a; COMMIT WORK;",
        "INSERT INTO a VALUES (1,'x'); CREATE INDEX i ON a (n); DROP INDEX i ON a; ALTER TABLE a ADD KEY j (n); ALTER TABLE a RENAME INDEX j TO k;",
        "INSERT INTO a VALUES (1,'x'); DELETE FROM `a`; INSERT INTO a VALUES (2,'y');",
        "INSERT INTO a VALUES (1,'x'); TRUNCATE TABLE `a`; INSERT INTO a VALUES (2,'y'); SAVEPOINT x; RELEASE SAVEPOINT x; FLUSH TABLES;",
        "DELIMITER //\nINSERT INTO a VALUES (1,'x;'),(2,'//')//\nDELIMITER ;\nINSERT INTO a VALUES (3,'y');",
        "SET @disable_bulk_load = IF (@is_rocksdb_supported, 'SET SESSION rocksdb_bulk_load = @old', 'SET @dummy_rocksdb_bulk_load = 0');\n/*!50112 PREPARE s FROM @disable_bulk_load */;\n/*!50112 EXECUTE s */;\n/*!50112 DEALLOCATE PREPARE s */;",
        "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'; INSERT INTO \"a\" VALUES (1,'\\'),(2,'x'); SET SQL_MODE=IFNULL(@OLD_SQL_MODE, '');",
        "SET SESSION group_concat_max_len=1000000, sql_safe_updates=0, old_mode='', lock_wait_timeout=600, sql_big_selects=ON;",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT; INSERT INTO a VALUES (1,'x'); COMMIT AND NO CHAIN;",
        "\u{feff}INSERT INTO a VALUES (1,'x');",
    ] {
        let dump = if let Some(rest) = rest.strip_prefix('\u{feff}') {
            format!("\u{feff}{table}{rest}")
        } else {
            format!("{table}{rest}")
        };
        like_the_plain_client(&world, rest, &dump);
    }
    let wide: String = (0..200).map(|at| format!(", f{at} varchar(60) CHARACTER SET utf8mb4")).collect();
    like_the_plain_client(
        &world,
        "innodb_strict_mode",
        &format!(
            "SET SESSION innodb_strict_mode=OFF; CREATE TABLE wide (id int PRIMARY KEY{wide}) ENGINE=InnoDB ROW_FORMAT=COMPACT; INSERT INTO wide (id, f1) VALUES (1,'x');"
        ),
    );
    like_the_plain_client(
        &world,
        "check_constraint_checks",
        "SET check_constraint_checks=0; CREATE TABLE j (id int PRIMARY KEY, d longtext CHECK (json_valid(d))); INSERT INTO j VALUES (1,'{}'),(2,'no json'); SET check_constraint_checks=1; CREATE TABLE k (id int);",
    );
    let utf16: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for mark in [&[0xff, 0xfe][..], &[]] {
        let error = world.load(&[mark, &utf16].concat(), true).unwrap_err();
        assert!(error.message.contains("UTF-16") && error.hint.contains("iconv"), "{error:?}");
    }
}

#[test]
fn load_data_gives_the_values_of_insert() {
    let world = World::new();
    let mut dice = trial::Dice(trial::seed("load_data"));
    let kinds = [
        "tinyint",
        "int",
        "bigint unsigned",
        "decimal(12,3)",
        "double",
        "float",
        "varchar(30)",
        "char(6)",
        "text",
        "longtext CHARACTER SET latin1",
        "enum('0','1','2','a')",
        "set('1','2','x')",
        "year",
        "date",
        "datetime",
        "timestamp NULL",
        "time",
        "time(3)",
        "varbinary(12)",
        "bit(3)",
        "json",
        "varchar(9) CHARACTER SET ucs2",
        "decimal(30,0)",
        "int zerofill",
    ];
    let values = [
        "NULL",
        "0",
        "1",
        "2",
        "3",
        "-1",
        "-0",
        "007",
        "0000",
        "0005",
        "2024",
        "1901",
        "99",
        "5",
        "1e3",
        "1.5e-3",
        "2.5e0",
        ".5",
        "1.50",
        "2.5",
        "3.",
        "20240229",
        "101112",
        "12345678901234567890",
        "99999999999999999999",
        "0.1",
        "123456789012345678901234567890.5",
        "0x41",
        "'0'",
        "'1'",
        "'3'",
        "'007'",
        "''",
        "'a'",
        "'2.5'",
        "'1e3'",
        "'2024-02-29'",
        "'2024-02-29 10:11:12'",
        "'10:11'",
        "'1,2'",
        "'x\\'y'",
        "'a''b'",
        "'é'",
        "'t\\tz'",
        "' 1'",
        "'1 '",
        "'\\\\'",
        "'\\n'",
        "'NULL'",
        "'(1)'",
        "'0000-00-00'",
        "\"q\"",
    ];
    let tables = if trial::is_long() { 1500 } else { 60 };
    let mut dump = String::from("SET NAMES utf8mb4;\nSET SQL_MODE='NO_AUTO_VALUE_ON_ZERO';\n");
    for table in 0..tables.min(90) {
        let columns: Vec<&str> =
            (0..1 + dice.below(4)).map(|_| kinds[dice.below(kinds.len() as u64) as usize]).collect();
        let text: Vec<String> = columns.iter().enumerate().map(|(at, kind)| format!("c{at} {kind}")).collect();
        dump.push_str(&format!(
            "CREATE TABLE t{table} (id int PRIMARY KEY, {}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n",
            text.join(", ")
        ));
        for statement in 0..3 {
            let row = |dice: &mut trial::Dice, at: u64| {
                let cells: Vec<&str> =
                    columns.iter().map(|_| values[dice.below(values.len() as u64) as usize]).collect();
                format!("({},{})", statement * 10 + at, cells.join(","))
            };
            let rows: Vec<String> = (0..1 + dice.below(4)).map(|at| row(&mut dice, at)).collect();
            dump.push_str(&format!("INSERT INTO t{table} VALUES {};\n", rows.join(",")));
        }
    }
    // A value that no mode takes ends the plain client: such a statement is left out of both.
    world.server.sql("CREATE DATABASE IF NOT EXISTS sieve CHARACTER SET utf8mb4");
    let mut connection = world.server_connection("sieve");
    let taken: Vec<&str> =
        dump.lines().filter(|sql| mysql::prelude::Queryable::query_drop(&mut connection, sql).is_ok()).collect();
    assert!(taken.len() * 10 > dump.lines().count() * 7, "{} of {}", taken.len(), dump.lines().count());
    like_the_plain_client(&world, "generated tables and rows", &taken.join("\n"));
}

/// A site that lost a table has views of it; the way back brings them back as broken as they were.
#[test]
fn views_of_what_is_gone_come_back_and_what_cannot_is_told() {
    let world = World::new();
    world.server.sql(
        "CREATE DATABASE torn; USE torn; CREATE TABLE base (id INT, `odd name` VARCHAR(9)); CREATE TABLE whole (id INT, gone INT);
         CREATE VIEW first AS SELECT id, UPPER(`odd name`) AS n FROM base WHERE id>1;
         CREATE VIEW second AS SELECT f.n, w.id FROM first f JOIN whole w ON w.id=f.id;
         CREATE VIEW sound AS SELECT id FROM whole; CREATE VIEW lost AS SELECT gone FROM whole",
    );
    world.server.sql("USE torn; DROP TABLE base; ALTER TABLE whole DROP COLUMN gone");
    let broken = world.real.objects("torn").unwrap();
    assert_eq!(broken.0.len(), 4);
    world.real.drop_objects("torn", &broken, Patience::default()).unwrap();
    let left_out = world.real.create_objects("torn", &broken, Patience::default()).unwrap();
    assert!(left_out.len() == 1 && left_out[0].starts_with("view lost is left out"), "{left_out:?}");
    let back = world.real.objects("torn").unwrap();
    let texts = |objects: &Objects| {
        let kept = objects.0.iter().filter(|object| object.name != "lost");
        kept.map(|object| (object.name.clone(), object.create.clone())).collect::<Vec<_>>()
    };
    assert_eq!(texts(&back), texts(&broken));
    assert_eq!(names(&world, "torn"), ["whole"], "no stand-in stays");

    // What a crash left of them goes with the next time; what only looks like one stays.
    let comment = "COMMENT='stand-in of rocketvps-restore for a view'";
    world.server.sql(&format!(
        "USE torn; CREATE TABLE base (rv_stand_in INT PRIMARY KEY) {comment}; CREATE TABLE mine {comment} SELECT 1 AS x"
    ));
    world.real.create_objects("torn", &back, Patience::default()).unwrap();
    assert_eq!(names(&world, "torn"), ["mine", "whole"], "a table with rows is somebody's");
    assert_eq!(texts(&world.real.objects("torn").unwrap()), texts(&broken));
}
