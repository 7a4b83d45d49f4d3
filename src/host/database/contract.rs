//! What [`Database`] promises, shown on the fake and on a real server alike.

use super::fake::Fake;
use super::private_server::PrivateServer;
use super::{
    Database, ForeignKey, NextValue, Object, ObjectKind, Objects, Patience, Real, SchemaCharset, Server, Switch,
};
use crate::config::Config;
use crate::error::Code;
use std::time::{Duration, Instant};

/// A database and the means to fill it and to stand in its way.
trait Stage {
    fn database(&self) -> &dyn Database;
    fn table(&self, schema: &str, table: &str, rows: u64);
    fn user(&self, name: &str);
    /// Changes a row and leaves the number of rows as it is.
    fn change(&self, schema: &str, table: &str);
    /// Lets the server number a table's rows.
    fn number(&self, schema: &str, table: &str);
    /// Lets so many rows of the key's table refer to nothing.
    fn orphans(&self, schema: &str, key: &ForeignKey, rows: u64);
    /// Runs `work` while somebody else's transaction holds a lock on the table.
    fn while_locked(&self, schema: &str, table: &str, work: &mut dyn FnMut());
}

struct FakeStage(Fake);

impl Stage for FakeStage {
    fn database(&self) -> &dyn Database {
        &self.0
    }
    fn table(&self, schema: &str, table: &str, rows: u64) {
        self.0.put_table(schema, table, rows, rows * 31 + 7);
    }
    fn user(&self, name: &str) {
        self.0.put_account(name);
    }
    fn change(&self, schema: &str, table: &str) {
        let rows = self.0.count_rows(schema, table).unwrap();
        self.0.put_table(schema, table, rows, rows * 31 + 8);
    }
    fn number(&self, _: &str, _: &str) {}
    fn orphans(&self, schema: &str, key: &ForeignKey, rows: u64) {
        self.0.put_orphans(schema, &key.name, rows);
    }
    fn while_locked(&self, _: &str, _: &str, work: &mut dyn FnMut()) {
        self.0.hold_lock(Some("somebody"));
        work();
        self.0.hold_lock(None);
    }
}

struct RealStage {
    server: PrivateServer,
    admin: Server,
    real: Real,
}

impl Stage for RealStage {
    fn database(&self) -> &dyn Database {
        &self.real
    }
    fn table(&self, schema: &str, table: &str, rows: u64) {
        self.server.sql(&format!(
            "USE `{schema}`; CREATE TABLE `{schema}`.`{table}` (id INT PRIMARY KEY, t TEXT); INSERT INTO `{schema}`.`{table}` {} SELECT seq, HEX(seq) FROM numbers",
            numbers(rows)
        ));
    }
    fn user(&self, name: &str) {
        self.server.sql(&format!("CREATE USER '{name}'@'localhost'"));
    }
    fn change(&self, schema: &str, table: &str) {
        self.server.sql(&format!("UPDATE `{schema}`.`{table}` SET t = CONCAT(t, '!') LIMIT 1"));
    }
    fn number(&self, schema: &str, table: &str) {
        self.server.sql(&format!("ALTER TABLE `{schema}`.`{table}` MODIFY id INT AUTO_INCREMENT"));
    }
    fn orphans(&self, schema: &str, key: &ForeignKey, rows: u64) {
        let (table, parent) = (&key.table, &key.refers_to);
        self.server.sql(&format!(
            "USE `{schema}`; SET foreign_key_checks=0; DELETE FROM `{schema}`.`{table}`; INSERT INTO `{schema}`.`{table}` (id) SELECT MAX(id) FROM `{schema}`.`{parent}`; \
             INSERT INTO `{schema}`.`{table}` (id) {} SELECT seq + 1000 FROM numbers",
            numbers(rows)
        ));
    }
    fn while_locked(&self, schema: &str, table: &str, work: &mut dyn FnMut()) {
        let mut other = self.admin.connect(Some(schema)).unwrap();
        super::server::run(&mut other, "BEGIN").unwrap();
        super::server::rows(&mut other, &format!("SELECT COUNT(*) FROM `{table}`")).unwrap();
        work();
    }
}

fn trigger(name: &str, table: &str) -> Objects {
    Objects(vec![Object {
        kind: ObjectKind::Trigger,
        name: name.into(),
        table: table.into(),
        create: format!(
            "CREATE DEFINER=`root`@`localhost` TRIGGER `{name}` BEFORE INSERT ON `{table}` FOR EACH ROW SET @x='a\\\\b'"
        ),
        sql_mode: "NO_ENGINE_SUBSTITUTION".into(),
        charset: "utf8mb4".into(),
        collation: "utf8mb4_general_ci".into(),
        time_zone: String::new(),
    }])
}

/// The numbers from 1 on, on any server.
fn numbers(last: u64) -> String {
    format!("WITH RECURSIVE numbers (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM numbers WHERE seq < {last})")
}

fn contract(stage: &dyn Stage) {
    schemas_come_and_go(stage);
    a_sites_schema_goes_only_while_nothing_is_in_it(stage);
    tables_are_seen(stage);
    a_change_shows_in_the_times_or_is_too_young_for_them(stage);
    a_switch_is_all_or_nothing(stage);
    a_lock_ends_a_switch_in_bounded_time(stage);
    objects_come_and_go(stage);
    users_and_connections_can_be_ended_twice(stage);
    keys_follow_their_tables_until_they_are_taken_off(stage);
    next_values_are_set_and_set_back(stage);
}

fn schemas_come_and_go(stage: &dyn Stage) {
    let database = stage.database();
    let charset = SchemaCharset { charset: "latin1".into(), collation: "latin1_german1_ci".into() };
    assert!(!database.version().unwrap().is_empty());
    assert_eq!(database.schema_charset("rvs_1").unwrap(), None);
    for _ in 0..2 {
        database.create_schema("rvs_1", Some(&charset)).unwrap();
    }
    assert!(database.time_rename("rvs_2").unwrap() > Duration::ZERO);
    assert_eq!(database.schema_charset("rvs_2").unwrap(), None, "what was tried in it is gone");
    database.create_schema("rvs_2", None).unwrap();
    assert_eq!(database.schema_charset("rvs_1").unwrap(), Some(charset));
    assert_eq!(database.schemas("rvs_").unwrap(), ["rvs_1", "rvs_2"]);
    assert!(database.tables("rvs_1").unwrap().is_empty());
    for _ in 0..2 {
        database.drop_schema("rvs_1").unwrap();
        database.drop_schema("rvs_2").unwrap();
    }
    assert!(database.schemas("rvs_").unwrap().is_empty());
}

fn a_sites_schema_goes_only_while_nothing_is_in_it(stage: &dyn Stage) {
    let database = stage.database();
    let charset = SchemaCharset { charset: "latin1".into(), collation: "latin1_german1_ci".into() };
    for _ in 0..2 {
        database.create_live_schema("made", Some(&charset)).unwrap();
    }
    assert_eq!(database.schema_charset("made").unwrap(), Some(charset));
    stage.table("made", "t", 1);
    database.drop_live_schema("made").unwrap();
    assert_eq!(database.tables("made").unwrap().len(), 1);
    database.drop_tables("made", &["t".to_owned()]).unwrap();
    for _ in 0..2 {
        database.drop_live_schema("made").unwrap();
        assert_eq!(database.schema_charset("made").unwrap(), None);
    }
}

fn tables_are_seen(stage: &dyn Stage) {
    let database = stage.database();
    database.create_schema("seen", None).unwrap();
    stage.table("seen", "b c", 3);
    stage.table("seen", "a", 5);
    let names: Vec<String> = database.tables("seen").unwrap().into_iter().map(|table| table.name).collect();
    assert_eq!(names, ["a", "b c"]);
    assert!(database.table_exists("seen", "b c").unwrap());
    assert!(!database.table_exists("seen", "c").unwrap());
    assert_eq!(database.count_rows("seen", "a").unwrap(), 5);
    assert!(database.count_rows("seen", "c").is_err());
    assert!(database.check_table("seen", "a").unwrap().is_empty());
    assert!(!database.check_table("seen", "c").unwrap().is_empty());
    assert_ne!(database.checksum_table("seen", "a").unwrap(), database.checksum_table("seen", "b c").unwrap());
    assert!(database.checksum_table("seen", "c").is_err());
    assert_eq!(database.checksum_table("seen", "a").unwrap(), database.checksum_table("seen", "a").unwrap());
    assert!(database.foreign_keys_from_outside("seen").unwrap().is_empty());
    stage.table("seen", "gone", 1);
    for _ in 0..2 {
        database.drop_tables("seen", &["gone".to_owned()]).unwrap();
    }
    database.drop_tables("nowhere", &["gone".to_owned()]).unwrap();
    assert!(!database.table_exists("seen", "gone").unwrap() && database.table_exists("seen", "a").unwrap());
}

fn a_change_shows_in_the_times_or_is_too_young_for_them(stage: &dyn Stage) {
    let database = stage.database();
    let look = |table: &str| {
        let times = database.table_times("seen").unwrap();
        let found = times.tables.into_iter().find(|times| times.name == table).unwrap();
        (times.now, found, database.checksum_table("seen", table).unwrap())
    };
    let (_, still, _) = look("a");
    let (now, before, sum) = look("b c");
    assert_eq!(look("b c").1, before);
    stage.change("seen", "b c");
    let (later, after, changed) = look("b c");
    assert!(later >= now);
    assert_ne!(changed, sum);
    assert!(
        after.updated != before.updated || before.updated.is_none_or(|at| at >= now - 2),
        "{before:?} {after:?} at {now}"
    );
    assert_eq!(look("a").1, still, "another table's change");
    let names: Vec<String> = database.table_times("seen").unwrap().tables.into_iter().map(|times| times.name).collect();
    assert_eq!(names, ["a", "b c"]);
    assert!(database.table_times("nowhere").unwrap().tables.is_empty());
    assert!(database.table_text("seen", "b c").unwrap().starts_with("CREATE TABLE `b c` ("));
    assert!(database.table_text("seen", "c").is_err());
}

fn a_switch_is_all_or_nothing(stage: &dyn Stage) {
    let database = stage.database();
    for schema in ["live", "kept", "shadow"] {
        database.create_schema(schema, None).unwrap();
    }
    stage.table("live", "a", 1);
    stage.table("live", "old", 2);
    stage.table("shadow", "a", 10);
    stage.table("shadow", "new", 20);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let rows = |schema: &str| -> Vec<(String, u64)> {
        let tables = database.tables(schema).unwrap();
        tables
            .into_iter()
            .map(|table| (table.name.clone(), database.count_rows(schema, &table.name).unwrap()))
            .collect()
    };
    let before = rows("live");
    let whole = Switch::exchange("live", "kept", &names(&["a", "old"]), "shadow", &names(&["a", "new"]));
    let broken = Switch::exchange("live", "kept", &names(&["a", "old"]), "shadow", &names(&["a", "missing"]));
    let blocked = Switch::exchange("live", "kept", &names(&["old"]), "shadow", &names(&["a"]));
    for bad in [&broken, &blocked] {
        assert_eq!(database.switch(bad, Patience::default()).unwrap_err().code, Code::DatabaseFailed);
        assert_eq!(rows("live"), before);
        assert!(rows("kept").is_empty());
    }
    let id = database.connection_id().unwrap();
    database.switch(&whole, Patience::default()).unwrap();
    assert_eq!(database.connection_id().unwrap(), id);
    assert_eq!(rows("live"), [("a".to_owned(), 10), ("new".to_owned(), 20)]);
    assert_eq!(rows("kept"), before);
    assert!(rows("shadow").is_empty());
    database.switch(&whole.inverse(), Patience::default()).unwrap();
    assert_eq!(rows("live"), before);
    assert_eq!(rows("shadow"), [("a".to_owned(), 10), ("new".to_owned(), 20)]);
    database.switch(&Switch::default(), Patience::default()).unwrap();
}

fn a_lock_ends_a_switch_in_bounded_time(stage: &dyn Stage) {
    let database = stage.database();
    let switch = Switch::exchange("live", "kept", &["a".to_owned()], "shadow", &[]);
    let patience = Patience { quick_tries: 3, waiting_tries: 1, pause: Duration::from_millis(5) };
    stage.while_locked("live", "a", &mut || {
        let begin = Instant::now();
        let error = database.switch(&switch, patience).unwrap_err();
        assert_eq!(error.code, Code::DatabaseLocked);
        assert!(error.context.contains_key("connection"), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(3));
        assert!(database.table_exists("live", "a").unwrap());
    });
    database.switch(&switch, patience).unwrap();
    database.switch(&switch.inverse(), patience).unwrap();
    // What is done to a table in use by other statements ends as soon, and says as much.
    let (objects, key) = (trigger("busy", "a"), key_to("a", "old"));
    let keys = std::slice::from_ref(&key);
    let mut made = false;
    for _ in 0..2 {
        stage.while_locked("live", "a", &mut || {
            let begin = Instant::now();
            let results = if made {
                [database.drop_objects("live", &objects, patience), database.drop_foreign_keys("live", keys, patience)]
            } else {
                [
                    database.create_objects("live", &objects, patience).map(drop),
                    database.add_foreign_keys("live", keys, patience),
                ]
            };
            for result in results {
                let error = result.unwrap_err();
                assert_eq!(error.code, Code::DatabaseLocked, "{error}");
                assert!(error.context.contains_key("connection"), "{error}");
            }
            assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
        });
        if made {
            database.drop_objects("live", &objects, patience).unwrap();
            database.drop_foreign_keys("live", keys, patience).unwrap();
        } else {
            database.create_objects("live", &objects, patience).unwrap();
            database.add_foreign_keys("live", keys, patience).unwrap();
        }
        made = !made;
    }
}

/// A key by which one of the stage's tables refers to another.
fn key_to(table: &str, refers_to: &str) -> ForeignKey {
    ForeignKey {
        name: format!("{table} to {refers_to}"),
        table: table.into(),
        columns: vec!["id".into()],
        refers_schema: "live".into(),
        refers_to: refers_to.into(),
        refers_columns: vec!["id".into()],
        on_update: "RESTRICT".into(),
        on_delete: "RESTRICT".into(),
    }
}

fn objects_come_and_go(stage: &dyn Stage) {
    let database = stage.database();
    let objects = trigger("t", "a");
    assert!(database.create_objects("live", &trigger("t", "missing"), Patience::default()).is_err());
    for _ in 0..2 {
        database.create_objects("live", &objects, Patience::default()).unwrap();
    }
    assert_eq!(database.objects("live").unwrap(), objects);
    let switch = Switch::exchange("live", "kept", &["a".to_owned()], "shadow", &[]);
    assert_eq!(
        database.switch(&switch, Patience::default()).unwrap_err().code,
        Code::DatabaseFailed,
        "a table with a trigger stays"
    );
    for _ in 0..2 {
        database.drop_objects("live", &objects, Patience::default()).unwrap();
    }
    assert!(database.objects("live").unwrap().is_empty());
    database.switch(&switch, Patience::default()).unwrap();
}

fn users_and_connections_can_be_ended_twice(stage: &dyn Stage) {
    let database = stage.database();
    stage.user("rv_1");
    assert_eq!(database.accounts("rv_").unwrap(), ["rv_1"]);
    for _ in 0..2 {
        database.drop_account("rv_1").unwrap();
    }
    assert!(database.accounts("rv_").unwrap().is_empty());
    assert!(!database.end_connection(4_000_000_000).unwrap());
}

fn keys_follow_their_tables_until_they_are_taken_off(stage: &dyn Stage) {
    let database = stage.database();
    for schema in ["linked", "aside"] {
        database.create_schema(schema, None).unwrap();
    }
    stage.table("linked", "parent", 3);
    stage.table("linked", "child", 5);
    let key = ForeignKey {
        name: "to parent".into(),
        table: "child".into(),
        columns: vec!["id".into()],
        refers_schema: "linked".into(),
        refers_to: "parent".into(),
        refers_columns: vec!["id".into()],
        on_update: "NO ACTION".into(),
        on_delete: "CASCADE".into(),
    };
    let keys = std::slice::from_ref(&key);
    for _ in 0..2 {
        database.add_foreign_keys("linked", keys, Patience::default()).unwrap();
        assert_eq!(database.foreign_keys("linked").unwrap(), keys);
    }
    let away = Switch::exchange("linked", "aside", &["parent".to_owned()], "none", &[]);
    database.switch(&away, Patience::default()).unwrap();
    assert_eq!(database.foreign_keys("linked").unwrap()[0].refers_schema, "aside");
    database.switch(&away.inverse(), Patience::default()).unwrap();
    for _ in 0..2 {
        database.drop_foreign_keys("linked", keys, Patience::default()).unwrap();
        assert!(database.foreign_keys("linked").unwrap().is_empty());
    }
    // One whose table is not there may be put on: a dump may hold such.
    let dangling = ForeignKey { refers_to: "nowhere".into(), ..key.clone() };
    database.add_foreign_keys("linked", std::slice::from_ref(&dangling), Patience::default()).unwrap();
    assert_eq!(database.foreign_keys("linked").unwrap()[0].refers_to, "nowhere");
    database.add_foreign_keys("linked", keys, Patience::default()).unwrap();
    assert_eq!(database.foreign_keys("linked").unwrap(), keys, "another one of the name is replaced");
    stage.orphans("linked", &key, 2);
    assert_eq!(database.orphans("linked", &key).unwrap(), 2);
    assert!(database.orphans("linked", &dangling).is_err());
}

fn next_values_are_set_and_set_back(stage: &dyn Stage) {
    let database = stage.database();
    database.create_schema("numbered", None).unwrap();
    stage.table("numbered", "a b", 5);
    stage.number("numbered", "a b");
    let next = || database.table_times("numbered").unwrap().tables[0].auto_increment;
    assert_eq!(next(), 6);
    let raise = NextValue { table: "a b".into(), old: 6, new: 64 };
    let gone = NextValue { table: "gone".into(), ..raise.clone() };
    // MySQL has no try that does not wait.
    let patience = Patience { quick_tries: 3, waiting_tries: 1, pause: Duration::from_millis(5) };
    let set = |values: &[NextValue]| database.set_next_values("numbered", values, patience);
    for (value, expected) in [(&raise, 64), (&raise, 64), (&raise.inverse(), 6), (&raise.inverse(), 6), (&raise, 64)] {
        set(&[gone.clone(), value.clone()]).unwrap();
        assert_eq!(next(), expected, "{value:?}");
    }
    let higher = NextValue { old: 64, new: 70, ..raise.clone() };
    set(&[higher]).unwrap();
    set(&[raise.inverse()]).unwrap();
    assert_eq!(next(), 70, "others have set it since");
    let busy = NextValue { old: 70, new: 80, ..raise };
    stage.while_locked("numbered", "a b", &mut || {
        assert_eq!(set(std::slice::from_ref(&busy)).unwrap_err().code, Code::DatabaseLocked);
        set(&[]).unwrap();
    });
    assert_eq!(next(), 70);
}

#[test]
fn the_fake_keeps_the_contract() {
    contract(&FakeStage(Fake::new()));
}

#[test]
fn a_server_keeps_the_contract() {
    let server = PrivateServer::start(&[]);
    let admin = Server::admin(&Config::parse(&server.toml()).unwrap()).unwrap();
    let real = Real::new(admin.clone(), "0123456789ab", std::sync::Arc::new(crate::progress::Silent));
    let stage = RealStage { server, admin, real };
    contract(&stage);
    a_checksum_stands_still_with_generated_columns_and_moves_with_every_value(&stage);
    a_connection_of_an_earlier_process_is_fenced(&stage);
    changes_go_over_the_connection_that_was_named_or_fail(&stage.real);
    a_user_is_named_with_its_host(&stage);
    a_users_connections_end_with_it(&stage);
    a_try_ends_in_bounded_time_however_many_tables_are_in_use(&stage);
    keys_from_outside_are_named(&stage);
    a_server_that_is_down_is_named(&stage);
}

fn a_checksum_stands_still_with_generated_columns_and_moves_with_every_value(stage: &RealStage) {
    stage.server.sql(&format!(
        "CREATE DATABASE sums; USE sums; CREATE TABLE sums.`t ``1` (id INT PRIMARY KEY, n DECIMAL(9,2) NULL, b BLOB, j JSON, \
         s VARCHAR(9) CHARACTER SET latin1, twice DECIMAL(10,2) AS (n * 2) STORED, thrice INT AS (id * 3) VIRTUAL); \
         INSERT INTO sums.`t ``1` (id, n, b, s) {} SELECT seq, IF(seq % 2, seq, NULL), UNHEX(HEX(seq)), 'é' FROM numbers",
        numbers(500)
    ));
    let sum = || stage.real.checksum_table("sums", "t `1").unwrap();
    let mut before = sum();
    for _ in 0..20 {
        assert_eq!(sum(), before);
    }
    for change in
        ["n = 0 WHERE id = 2", "b = CONCAT(b, '\\0') WHERE id = 7", "s = 'è' WHERE id = 1", "id = 1000 WHERE id = 500"]
    {
        stage.server.sql(&format!("UPDATE sums.`t ``1` SET {change}"));
        assert_ne!(sum(), before, "{change}");
        before = sum();
    }
    stage.server.sql("DELETE FROM sums.`t ``1`");
    assert_eq!(sum(), 0);
}

fn a_connection_of_an_earlier_process_is_fenced(stage: &RealStage) {
    let mut other = stage.admin.connect(None).unwrap();
    let id = u64::from(other.connection_id());
    assert!(stage.real.end_connection(id).unwrap());
    assert!(!stage.real.end_connection(id).unwrap());
    assert!(super::server::run(&mut other, "SELECT 1").is_err());
}

fn changes_go_over_the_connection_that_was_named_or_fail(real: &Real) {
    let named = real.connection_id().unwrap();
    real.end_connection(named).unwrap();
    let error = real.drop_objects("live", &trigger("none", "a"), Patience::default()).unwrap_err();
    assert_eq!(error.code, Code::DatabaseUnreachable, "{error}");
    assert!(
        real.switch(&Switch::exchange("live", "kept", &["a".to_owned()], "shadow", &[]), Patience::default()).is_err()
    );
    assert_ne!(real.connection_id().unwrap(), named);
    real.drop_objects("live", &trigger("none", "a"), Patience::default()).unwrap();
}

fn a_user_is_named_with_its_host(stage: &RealStage) {
    stage.user("rv_1");
    assert_eq!(stage.real.account_of("rv_1").unwrap().as_deref(), Some("`rv_1`@`localhost`"));
    stage.real.drop_account("rv_1").unwrap();
    assert_eq!(stage.real.account_of("rv_1").unwrap(), None);
}

fn a_users_connections_end_with_it(stage: &RealStage) {
    stage.server.sql("CREATE USER rv_gone@localhost; GRANT ALL ON live.* TO rv_gone@localhost");
    let account = stage.admin.with_account("rv_gone", crate::host::credentials::Password::default());
    let mut late = account.connect(Some("live")).unwrap();
    stage.real.drop_account("rv_gone").unwrap();
    assert!(super::server::run(&mut late, "CREATE TABLE late (id INT)").is_err());
    assert!(!stage.real.table_exists("live", "late").unwrap());
}

/// Each table may be waited for by itself: two that become free one after the other must not add up.
fn a_try_ends_in_bounded_time_however_many_tables_are_in_use(stage: &RealStage) {
    let names: Vec<String> = (0..4).map(|number| format!("many{number}")).collect();
    for name in &names {
        stage.table("live", name, 1);
    }
    let server = &stage.admin;
    std::thread::scope(|scope| {
        for (number, name) in (1..).zip(&names) {
            scope.spawn(move || {
                let mut other = server.connect(Some("live")).unwrap();
                super::server::run(&mut other, "BEGIN").unwrap();
                super::server::rows(&mut other, &format!("SELECT COUNT(*) FROM `{name}`")).unwrap();
                // Free just before the wait for this table would be over.
                std::thread::sleep(Duration::from_millis(200 + 900 * number));
            });
        }
        std::thread::sleep(Duration::from_millis(200));
        let begin = Instant::now();
        let once = Patience { quick_tries: 0, waiting_tries: 1, pause: Duration::from_millis(1) };
        let switch = Switch::exchange("live", "kept", &names, "shadow", &[]);
        let error = stage.real.switch(&switch, once).unwrap_err();
        assert_eq!(error.code, Code::DatabaseLocked, "{error}");
        assert!(begin.elapsed() < Duration::from_millis(2300), "the site stood still for {:?}", begin.elapsed());
    });
}

fn keys_from_outside_are_named(stage: &RealStage) {
    stage.server.sql(
        "CREATE DATABASE other; CREATE TABLE other.c (id INT, CONSTRAINT k FOREIGN KEY (id) REFERENCES seen.a (id))",
    );
    let keys = stage.real.foreign_keys_from_outside("seen").unwrap();
    assert_eq!((keys[0].schema.as_str(), keys[0].table.as_str(), keys[0].constraint.as_str()), ("other", "c", "k"));
}

fn a_server_that_is_down_is_named(stage: &RealStage) {
    let socket = format!("{:?}", stage.server.socket());
    let elsewhere = stage.server.toml().replace(&socket, "\"/nonexistent/socket\"");
    let nowhere = Server::admin(&Config::parse(&elsewhere).unwrap()).unwrap();
    assert_eq!(nowhere.connect(None).unwrap_err().code, Code::DatabaseUnreachable);
    let stranger = stage.admin.with_account("nobody", crate::host::credentials::Password::new("hidden"));
    let error = stranger.connect(None).unwrap_err();
    assert_eq!(error.code, Code::InsufficientPrivilege);
    assert!(!error.message.contains("hidden"));
}
