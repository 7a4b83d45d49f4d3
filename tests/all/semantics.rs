//! What a database means, before and after a change-over (cases E66 to E74): keys, triggers, every kind of table and object, locks
//! that others hold. On a whole site, judged by the harness.

use crate::world::oracle::Side;
use crate::world::trial;
use crate::world::{DOMAIN, FINAL, World};
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SCHEMA: &str = "shop";

/// A connection to the site's schema as the administrator, with the server's own defaults.
fn connect(world: &World) -> Conn {
    let options = OptsBuilder::new()
        .user(Some("root"))
        .socket(Some(world.place().join("run/db.sock").display().to_string()))
        .prefer_socket(false)
        .db_name(Some(SCHEMA));
    Conn::new(options).unwrap()
}

/// Several statements, `DELIMITER` and all, through the client program.
fn run(world: &World, sql: &str) {
    let output = Command::new("mariadb")
        .args(["--no-defaults", "--user=root", "--default-character-set=utf8mb4"])
        .arg(format!("--socket={}", world.place().join("run/db.sock").display()))
        .args([SCHEMA, "-e", sql])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn column(connection: &mut Conn, sql: &str) -> Vec<String> {
    connection.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Every key of the site, and where it leads.
fn keys(connection: &mut Conn) -> Vec<String> {
    column(
        connection,
        "SELECT CONCAT_WS(' ', CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, '->', UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, DELETE_RULE) \
         FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA='shop' ORDER BY 1",
    )
}

/// The number of the server's error.
fn refusal(connection: &mut Conn, sql: &str) -> u16 {
    match connection.query_drop(sql) {
        Err(mysql::Error::MySqlError(error)) => error.code,
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn e66_foreign_keys_lead_where_they_led_after_commit_and_after_rollback() {
    let world = World::up();
    run(
        &world,
        "CREATE TABLE k_self (id INT PRIMARY KEY, up INT, CONSTRAINT k_self_up FOREIGN KEY (up) REFERENCES k_self (id) ON DELETE CASCADE);
         CREATE TABLE k_a (id INT PRIMARY KEY, b INT); CREATE TABLE k_b (id INT PRIMARY KEY, a INT NOT NULL, CONSTRAINT k_b_a FOREIGN KEY (a) REFERENCES k_a (id));
         CREATE TABLE k_c (x INT, y INT, b INT, PRIMARY KEY (x, y), CONSTRAINT k_c_b FOREIGN KEY (b) REFERENCES k_b (id) ON DELETE SET NULL);
         CREATE TABLE k_d (id INT PRIMARY KEY, x INT, y INT, self INT, CONSTRAINT k_d_c FOREIGN KEY (x, y) REFERENCES k_c (x, y) ON UPDATE CASCADE,
           CONSTRAINT k_d_self FOREIGN KEY (self) REFERENCES k_self (id));
         INSERT INTO k_self VALUES (1, NULL), (2, 1), (3, 3); INSERT INTO k_a VALUES (1, 1), (2, NULL); INSERT INTO k_b VALUES (1, 1), (2, 2);
         INSERT INTO k_c VALUES (1, 1, 1), (1, 2, NULL); INSERT INTO k_d VALUES (1, 1, 1, 3);
         ALTER TABLE k_a ADD CONSTRAINT k_a_b FOREIGN KEY (b) REFERENCES k_b (id);",
    );
    let good = world.digest();
    world.harness("backup", &[]);
    world.harness("damage", &[]);
    // The old side has other keys: two less, and one of its own, to a table of its own.
    run(
        &world,
        "ALTER TABLE k_d DROP FOREIGN KEY k_d_self; ALTER TABLE k_a DROP FOREIGN KEY k_a_b;
         CREATE TABLE k_old (id INT PRIMARY KEY, self INT, CONSTRAINT k_old_self FOREIGN KEY (self) REFERENCES k_self (id));
         INSERT INTO k_old VALUES (1, 2);",
    );
    let old = world.digest();
    let mut connection = connect(&world);
    let old_keys = keys(&mut connection);
    let job = World::job(&world.restore());
    assert_eq!(world.oracle(&old, &good, "restored"), Side::New);
    let new_keys = keys(&mut connection);
    assert_eq!((old_keys.len(), new_keys.len()), (8, 9), "{old_keys:#?}\n{new_keys:#?}");
    lead_right(&mut connection, &["k_d_self", "k_a_b"]);
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    assert_eq!(world.oracle(&old, &good, "rolled back"), Side::Old);
    assert_eq!(keys(&mut connection), old_keys);
    lead_right(&mut connection, &["k_old_self"]);
}

/// No key leads out of the site or into it, and rows that refer to nothing are refused by their own names.
fn lead_right(connection: &mut Conn, also: &[&str]) {
    let astray = column(
        connection,
        "SELECT CONCAT_WS(' ', CONSTRAINT_SCHEMA, CONSTRAINT_NAME, UNIQUE_CONSTRAINT_SCHEMA) FROM information_schema.REFERENTIAL_CONSTRAINTS \
         WHERE (CONSTRAINT_SCHEMA='shop') <> (UNIQUE_CONSTRAINT_SCHEMA='shop')",
    );
    assert_eq!(astray, [""; 0]);
    let violations = [
        ("k_b_a", "INSERT INTO k_b VALUES (9, 99)"),
        ("k_a_b", "UPDATE k_a SET b=99 WHERE id=1"),
        ("k_c_b", "INSERT INTO k_c VALUES (9, 9, 99)"),
        ("k_d_c", "INSERT INTO k_d VALUES (9, 9, 9, NULL)"),
        ("k_d_self", "INSERT INTO k_d VALUES (9, NULL, NULL, 99)"),
        ("k_self_up", "INSERT INTO k_self VALUES (9, 99)"),
        ("k_old_self", "INSERT INTO k_old VALUES (9, 99)"),
        ("rv_orders_customer", "INSERT INTO rv_orders (customer, total, placed) VALUES (999999, 1, NOW())"),
    ];
    for (key, sql) in violations {
        let there = also.contains(&key) || !["k_d_self", "k_a_b", "k_old_self"].contains(&key);
        if there {
            assert_eq!(refusal(connection, sql), 1452, "{key}");
        }
    }
    assert_eq!(refusal(connection, "DELETE FROM k_c WHERE x=1 AND y=1"), 1451, "k_d refers to it");
    // What a key does with rows that refer to a row that goes.
    connection.query_drop("START TRANSACTION").unwrap();
    connection.query_drop("INSERT INTO k_self VALUES (50, NULL), (51, 50), (52, 51)").unwrap();
    connection.query_drop("DELETE FROM k_self WHERE id=50").unwrap();
    assert_eq!(column(connection, "SELECT COUNT(*) FROM k_self WHERE id>=50"), ["0"], "ON DELETE CASCADE");
    connection.query_drop("UPDATE k_c SET x=7 WHERE x=1 AND y=1").unwrap();
    assert_eq!(column(connection, "SELECT x FROM k_d WHERE id=1"), ["7"], "ON UPDATE CASCADE");
    connection.query_drop("ROLLBACK").unwrap();
}

#[test]
fn e67_a_key_from_another_schema_into_the_site_is_refused_by_name_before_anything_is_done() {
    let (world, good, _) = World::damaged();
    run(
        &world,
        "CREATE TABLE neighbour.debtors (customer INT UNSIGNED, CONSTRAINT debtor FOREIGN KEY (customer) REFERENCES shop.rv_customers (id));
         INSERT INTO neighbour.debtors VALUES (1);",
    );
    let old = world.digest();
    for components in [json!({"database": true}), json!({"files": true, "database": true, "config": true})] {
        let error = world.refused("restore_start", json!({"domain": DOMAIN, "components": components, "wait": true}));
        assert_eq!(error["code"], "external_foreign_key", "{error}");
        for name in ["debtor", "neighbour.debtors"] {
            assert!(error["message"].as_str().unwrap().contains(name), "{error}");
        }
        assert_eq!(world.oracle(&old, &good, "refused"), Side::Old);
    }
    // Without the database it is nobody's business.
    world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}, "wait": true}));
    assert!(world.digest().files == good.files && world.digest().database == old.database);
}

#[test]
fn e68_triggers_of_one_side_or_of_both_fire_on_their_own_side_alone() {
    let world = World::up();
    let trigger = |name: &str, table: &str, note: &str| {
        format!(
            "CREATE DEFINER=shop@localhost TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW INSERT INTO t_fired VALUES ('{note}');"
        )
    };
    let tables = "CREATE TABLE t_fired (what VARCHAR(20)); CREATE TABLE t_a (id INT PRIMARY KEY); CREATE TABLE t_b (id INT PRIMARY KEY);";
    run(
        &world,
        &[
            tables,
            &trigger("t_both", "t_a", "both new"),
            &trigger("t_moved", "t_b", "moved new"),
            &trigger("t_new", "t_a", "new"),
        ]
        .concat(),
    );
    let good = world.digest();
    world.harness("backup", &[]);
    run(
        &world,
        &[
            "DROP TRIGGER t_new; DROP TRIGGER t_moved;",
            "DROP TRIGGER t_both; CREATE TABLE t_c (id INT PRIMARY KEY);",
            &trigger("t_both", "t_a", "both old"),
            &trigger("t_moved", "t_a", "moved old"),
            &trigger("t_old", "t_b", "old"),
            &trigger("t_away", "t_c", "away"),
        ]
        .concat(),
    );
    let old = world.digest();
    let mut connection = connect(&world);
    let mut fired = |tables: &[&str]| {
        connection.query_drop("START TRANSACTION").unwrap();
        for table in tables {
            connection.query_drop(format!("INSERT INTO {table} VALUES (1)")).unwrap();
        }
        let found = column(&mut connection, "SELECT what FROM t_fired ORDER BY what");
        connection.query_drop("ROLLBACK").unwrap();
        found
    };
    let job = World::job(&world.restore());
    assert_eq!(world.oracle(&old, &good, "restored"), Side::New);
    assert_eq!(fired(&["t_a", "t_b"]), ["both new", "moved new", "new"]);
    let back = World::job(&world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true})));
    assert_eq!(world.oracle(&old, &good, "rolled back"), Side::Old);
    assert_eq!(fired(&["t_a", "t_b", "t_c"]), ["away", "both old", "moved old", "old"]);
    world.call("rollback", json!({"domain": DOMAIN, "job": back, "wait": true}));
    assert_eq!(world.oracle(&old, &good, "forward again"), Side::New);
    assert_eq!(fired(&["t_a", "t_b"]), ["both new", "moved new", "new"]);
}

#[test]
fn e69_every_kind_of_table_and_object_makes_the_round_trip() {
    let world = World::up();
    run(&world, &format!("source {}/tests/fixtures/everything.sql", env!("CARGO_MANIFEST_DIR")));
    let good = world.digest();
    assert!(["o_numbers", "o_types", "o_sum", "o_e`", "o_t2"].iter().all(|name| good.database.contains(name)));
    world.harness("backup", &[]);
    world.harness("damage", &[]);
    run(
        &world,
        "DROP SEQUENCE o_numbers; DROP TABLE o_words, o_range, o_memory, o_versions; DROP VIEW o_z, o_a; DROP FUNCTION o_f; DROP EVENT o_e;
         CREATE SEQUENCE o_old; DELETE FROM o_aria; ALTER TABLE o_my ENGINE=Aria; ALTER TABLE o_types DROP COLUMN j;",
    );
    let old = world.digest();
    let job = World::job(&world.restore());
    assert_eq!(world.oracle(&old, &good, "restored"), Side::New);
    let mut connection = connect(&world);
    for (sql, answer) in [
        ("SELECT id FROM o_words WHERE MATCH (t) AGAINST ('+rocket' IN BOOLEAN MODE)", "1"),
        ("SELECT COUNT(*) FROM o_range PARTITION (b)", "1"),
        ("SELECT o_sum(id) FROM o_key", "1275"),
        ("SELECT GROUP_CONCAT(f ORDER BY id) FROM o_a", "2,3"),
        ("SELECT id FROM o_types WHERE ST_Within(g, ST_Buffer(ST_GeomFromText('POINT(1 2)'), 1))", "1"),
    ] {
        assert_eq!(column(&mut connection, sql), [answer], "{sql}");
    }
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    assert_eq!(world.oracle(&old, &good, "rolled back"), Side::Old);
}

#[test]
fn e69_what_is_not_restored_is_refused_by_name_and_the_site_stays() {
    let world = World::up();
    for (make, named, unmake) in [
        (
            "SET sql_mode=ORACLE;
             DELIMITER ;;
             CREATE DEFINER=shop@localhost PACKAGE o_pack AS FUNCTION f RETURN INT; END;;
             CREATE DEFINER=shop@localhost PACKAGE BODY o_pack AS FUNCTION f RETURN INT AS BEGIN RETURN 1; END; END;;",
            "PACKAGE",
            "SET sql_mode=ORACLE; DROP PACKAGE o_pack",
        ),
        // The server writes the schema into the default: it would lead into the job's own, which goes.
        (
            "CREATE SEQUENCE o_numbers; CREATE TABLE o_drawn (id INT NOT NULL DEFAULT NEXTVAL(o_numbers) PRIMARY KEY)",
            "draws a value from a sequence",
            "DROP TABLE o_drawn; DROP SEQUENCE o_numbers",
        ),
    ] {
        run(&world, make);
        let old = world.digest();
        world.harness("backup", &[]);
        let request = json!({"domain": DOMAIN, "components": {"database": true}, "wait": true});
        let error = world.refused("restore_start", request);
        assert_eq!(error["code"], "dump_refused", "{error}");
        assert!(error["context"]["line"].as_u64().is_some(), "{error}");
        assert!(error["message"].as_str().unwrap().contains(named), "{error}");
        assert_eq!(world.oracle(&old, &old, named), Side::Old);
        run(&world, unmake);
    }
}

/// A site with a second client that asks and writes all the time.
struct Traffic {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<Duration>>,
}

impl Traffic {
    /// On these tables, beside one of its own.
    fn on(world: &World, tables: &[&str]) -> Traffic {
        let mut connection = connect(world);
        let tables: Vec<String> = tables.iter().map(|table| format!("SELECT COUNT(*) FROM {table}")).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut took = Vec::new();
            while !told.load(Ordering::SeqCst) {
                for sql in tables
                    .iter()
                    .map(String::as_str)
                    .chain(["REPLACE INTO e_traffic VALUES (1)", "SELECT * FROM e_traffic"])
                {
                    let begun = Instant::now();
                    connection.query_drop(sql).unwrap();
                    took.push(begun.elapsed());
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            took
        });
        Traffic { stop, thread }
    }

    /// How long each answer took, shortest first.
    fn end(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::SeqCst);
        let mut took = self.thread.join().unwrap();
        took.sort();
        took
    }
}

/// Restores while a transaction that read `locked` is open; answers what the restore came to, in what time, and how the site fared.
fn restore_against_a_lock(world: &World, locked: &str, request: &Value) -> (Value, Duration, Vec<Duration>) {
    let mut holder = connect(world);
    holder.query_drop("START TRANSACTION").unwrap();
    holder.query_drop(format!("SELECT * FROM {locked} LIMIT 1")).unwrap();
    let traffic = Traffic::on(world, &[locked, "wp_options"]);
    let begun = Instant::now();
    let job = World::job(&world.call("restore_start", request.clone()));
    let mut released = None;
    let status = loop {
        let status = world.poll(&job);
        if FINAL.contains(&status["state"].as_str().unwrap()) {
            break status;
        }
        // A commit that never gives up is told by its time; the lock goes, so that the test ends.
        if begun.elapsed() > Duration::from_secs(90) && released.is_none() {
            released = Some(holder.query_drop("COMMIT"));
        }
        assert!(begun.elapsed() < Duration::from_secs(150), "{status}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let took = begun.elapsed();
    let holder = holder.connection_id();
    let answers = traffic.end();
    let mut status = status;
    status["holder"] = json!(holder.to_string());
    (status, took, answers)
}

#[test]
fn e71_an_open_transaction_makes_the_commit_give_up_and_stalls_nobody() {
    let world = World::up();
    run(&world, "CREATE TABLE e_traffic (id INT PRIMARY KEY); INSERT INTO e_traffic VALUES (1);");
    world.harness("backup", &[]);
    let good = world.digest();
    // The old side differs, so that the two can be told apart; its triggers and keys are those of every shop.
    let differ = "UPDATE rv_log SET line='old' WHERE id=1; UPDATE rv_stock SET pieces=8 WHERE item='fuel'; \
        UPDATE rv_customers SET note='old' WHERE id=1";
    run(&world, differ);
    let old = world.digest();
    let mut figures = serde_json::Map::new();
    let mut failures = Vec::new();
    for (case, locked, components) in [
        ("plain", "rv_stock", json!({"files": true, "database": true, "config": true})),
        ("trigger", "rv_orders", json!({"database": true})),
        ("key_child", "rv_orders", json!({"database": ["rv_customers"]})),
        ("key_parent", "rv_customers", json!({"database": ["rv_orders"]})),
    ] {
        let options = if case == "key_child" { json!({"allow_orphans": true}) } else { json!({}) };
        let request = json!({"domain": DOMAIN, "components": components, "options": options});
        let (status, took, answers) = restore_against_a_lock(&world, locked, &request);
        let (p50, most) = (answers[answers.len() / 2], answers[answers.len() - 1]);
        figures.insert(case.into(), json!({"job_s": took.as_secs_f64(), "answers": answers.len(), "p50_ms": p50.as_secs_f64() * 1e3, "max_ms": most.as_secs_f64() * 1e3}));
        let error = &status["error"];
        let mut expect = |good: bool, what: String| {
            if !good {
                failures.push(format!("{case}: {what}"))
            }
        };
        // Not every server needs the table that a key leads to; then nobody is waited for.
        if case == "key_parent" && status["state"] == "done" {
            expect(most < Duration::from_secs(2), format!("an answer took {most:?}"));
            assert_eq!(world.oracle(&old, &good, case), Side::Old, "rv_orders is the same on both sides");
            continue;
        }
        expect(error["code"] == "database_locked", format!("ended as {} {error}", status["state"]));
        expect(
            error["context"]["connection"] == status["holder"],
            format!(
                "names connection {}, not {}: {}",
                error["context"]["connection"], status["holder"], error["message"]
            ),
        );
        expect(error["context"].get("query").is_some(), "names no query".into());
        expect(took < Duration::from_secs(60), format!("gave up after {took:?}"));
        expect(most < Duration::from_secs(2), format!("an answer took {most:?}"));
        let side = world.oracle(&old, &good, case);
        expect(side == Side::Old, format!("came to rest on {side:?}"));
        if side == Side::New {
            run(&world, differ);
        }
    }
    trial::report("e71", Value::Object(figures));
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn e72_tables_that_a_complete_dump_has_not_are_gone_from_live_and_kept_in_the_snapshot() {
    let (world, good, old) = World::damaged();
    run(
        &world,
        "INSERT INTO wp_backdoor VALUES (1, 'eval'), (2, 'system'); CREATE VIEW rv_old_view AS SELECT * FROM wp_backdoor; DROP VIEW rv_old_view;",
    );
    let before = world.digest();
    assert!(before != old);
    let job = World::job(&world.restore());
    assert_eq!(world.oracle(&before, &good, "restored"), Side::New);
    let mut connection = connect(&world);
    let places = "SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_NAME='wp_backdoor'";
    let kept = column(&mut connection, places);
    assert!(kept.len() == 1 && kept[0].starts_with("rvk_"), "{kept:?}");
    assert_eq!(
        column(&mut connection, &format!("SELECT code FROM {}.wp_backdoor ORDER BY id", kept[0])),
        ["eval", "system"]
    );
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    assert_eq!(world.oracle(&before, &good, "rolled back"), Side::Old);
    assert_eq!(column(&mut connection, places), [SCHEMA]);
}

#[test]
fn e74_a_backup_without_its_dump_is_incomplete_and_nothing_is_done() {
    let world = World::up();
    world.harness("backup", &["--without", "database"]);
    let old = world.digest();
    for components in
        [json!({"database": true}), json!({"files": true, "database": true}), json!({"database": ["wp_posts"]})]
    {
        let error = world.refused("restore_start", json!({"domain": DOMAIN, "components": components, "wait": true}));
        assert_eq!(error["code"], "backup_incomplete", "{components}: {error}");
        assert_eq!(world.oracle(&old, &old, "refused"), Side::Old);
    }
    // A smart backup whose dump failed has a file of nothing where its dump would be.
    world.harness("backup", &["--layout", "smart", "--without", "database", "--stamp", "20300101_000000"]);
    world.harness("dump", &["--stamp", "20300101_000007", "--failed"]);
    let error =
        world.refused("restore_start", json!({"domain": DOMAIN, "components": {"database": true}, "wait": true}));
    assert_eq!(error["code"], "backup_corrupt", "{error}");
    assert!(error["message"].as_str().unwrap().contains("the dump failed when the backup was made"), "{error}");
    assert_eq!(world.oracle(&old, &old, "refused"), Side::Old);
}

/// A live table that the server cannot open moves nowhere: it stays, or is named before anything is done where it is in the way.
#[test]
fn a_damaged_live_table_stays_or_is_named_with_the_statement_that_clears_the_way() {
    let (world, ..) = World::damaged();
    let mut connection = connect(&world);
    let folder = Path::new(&column(&mut connection, "SELECT @@datadir").remove(0)).join(SCHEMA);
    let damage = |table: &str| {
        run(&world, &format!("FLUSH TABLES {table}"));
        std::fs::write(folder.join(format!("{table}.MAI")), "no index").unwrap();
    };
    let mut there = |table: &str| {
        let places = "SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_NAME=";
        column(&mut connection, &format!("{places}'{table}'"))
    };
    let request = json!({"domain": DOMAIN, "components": {"database": true}, "wait": true});
    let damaged = || {
        let checked = world.call("validate", request.clone());
        let groups = checked["groups"].as_array().unwrap();
        let mut checks = groups.iter().flat_map(|group| group["checks"].as_array().unwrap());
        checks.find(|check| check["name"] == "damaged_table").unwrap_or_else(|| panic!("{checked}")).clone()
    };

    run(&world, "CREATE TABLE worn (id INT, KEY (id)) ENGINE=Aria; INSERT INTO worn VALUES (1)");
    damage("worn");
    assert_eq!(damaged()["outcome"], "warn");
    let job = World::job(&world.call("restore_start", request.clone()));
    assert_eq!(there("worn"), [SCHEMA]);
    assert!(world.poll(&job)["events"].to_string().contains("worn of the live site is damaged, and stays as it is"));
    world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
    assert_eq!(there("worn"), [SCHEMA]);

    run(&world, "REPAIR TABLE worn USE_FRM; DROP TABLE worn; ALTER TABLE wp_options ENGINE=Aria");
    damage("wp_options");
    let check = damaged();
    let figures = &check["figures"];
    // Whether it moves, the server says when it is to.
    assert_eq!((&check["outcome"], &figures["code"]), (&json!("warn"), &json!("database_failed")), "{check}");
    let way = format!("REPAIR TABLE `{SCHEMA}`.`wp_options`");
    assert!(figures["hint"].as_str().unwrap().contains(&way), "{check}");
    let before = there("wp_options");
    let refused = world.refused("restore_start", request.clone());
    assert!(refused["code"] == "database_failed" && refused["hint"].as_str().unwrap().contains(&way), "{refused}");
    assert_eq!(there("wp_options"), before);
    run(&world, &format!("{way} USE_FRM"));
    world.call("restore_start", request.clone());
}
