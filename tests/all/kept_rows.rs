//! `options.keep_rows`: what a shop has sold since the backup is in the restored tables.

use crate::hooks;
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};

/// A world with a backup; since then a customer and two orders have come, an old order was changed, and an old customer renamed.
fn busy() -> World {
    let world = World::up();
    world.harness("backup", &[]);
    sql(
        &world,
        "INSERT INTO rv_customers (id, name) VALUES (1001, 'since'); \
         INSERT INTO rv_orders (customer, total, placed) VALUES (1001, 5, '2026-01-01 00:00:00'); \
         INSERT INTO rv_orders (customer, parent, total, placed) VALUES (7, LAST_INSERT_ID(), 6, '2026-01-02 00:00:00'); \
         UPDATE rv_orders SET total=0 WHERE id=5; UPDATE rv_customers SET name='0wned' WHERE id=9",
    );
    world
}

fn sql(world: &World, statement: &str) -> String {
    world.harness("sql", &[&format!("USE shop; {statement}")])
}

fn request(keep: Value) -> Value {
    json!({"domain": DOMAIN, "components": {"database": true}, "wait": true, "options": {"keep_rows": keep}})
}

const SHOP: &str = "SELECT COUNT(*), SUM(total) FROM rv_orders; SELECT COUNT(*), MAX(name='since'), MAX(name='0wned') FROM rv_customers";

#[test]
fn newer_orders_and_customers_are_kept_and_everything_older_is_as_the_backup_has_it() {
    let world = busy();
    let before = world.digest();
    // In whatever order they are named: the new order is of the new customer.
    let keep = json!([{"table": "rv_orders"}, {"table": "rv_customers"}]);
    let mut asked = request(keep.clone());
    asked.as_object_mut().unwrap().remove("wait");
    let compared = world.call(
        "diff_backup",
        json!({"domain": DOMAIN, "components": {"database": true}, "wait": true, "options": {"keep_rows": keep}}),
    );
    let expected = json!([{"table": "rv_customers", "column": "id", "rows": 1}, {"table": "rv_orders", "column": "id", "rows": 2}]);
    assert_eq!(compared["tables"]["kept_rows"], expected, "shown before");
    before_is(&world, &before);

    let report = world.call("restore_start", request(keep));
    assert_eq!(report["database"]["kept_rows"], expected);
    // SUM of 1.1 … 1100 and of the two new ones.
    assert_eq!(sql(&world, SHOP), "1002\t550561.00\n201\t1\t0");
    assert_eq!(sql(&world, "SELECT twice FROM rv_orders WHERE total=6"), "12.00", "computed anew");
    let notes = report["notes"].to_string();
    assert!(notes.contains("kept 2 live rows of rv_orders that are newer than the backup (by id)"), "{notes}");
    // No trigger has run for the rows that were carried: they are in the stock that the backup has.
    world.call("rollback", json!({"job": World::job(&report), "wait": true}));
    before_is(&world, &before);
    assert!(world.harness("strays", &[]).is_empty());
}

#[track_caller]
fn before_is(world: &World, before: &crate::world::Digest) {
    world.digest().assert_is(before, "as it was");
}

#[test]
fn what_comes_until_the_change_over_is_kept_too() {
    let world = busy();
    let socket = world.place().join("run/db.sock");
    let sale = "INSERT INTO shop.rv_orders (customer, total, placed) VALUES (8, 9, NOW())";
    let script = format!("mariadb --no-defaults --socket='{}' --user=root -e \"{sale}\"", socket.display());
    hooks::put(&world, "before-commit/sell", &script);
    world.call("restore_start", request(json!([{"table": "rv_orders"}, {"table": "rv_customers"}])));
    assert_eq!(sql(&world, "SELECT COUNT(*), SUM(customer=8 AND total=9) FROM rv_orders"), "1003\t1");
}

#[test]
fn a_column_tells_what_is_newer_where_the_key_does_not() {
    let world = World::up();
    sql(
        &world,
        "CREATE TABLE carts (token CHAR(36) PRIMARY KEY, made DATETIME NOT NULL, body TEXT) ENGINE=InnoDB; \
         INSERT INTO carts VALUES ('b', '2026-01-01 10:00:00', 'old'), ('c', '2026-01-01 09:00:00', 'old')",
    );
    world.harness("backup", &[]);
    // One in the second of the backup's last, one later, and an old one that was changed.
    sql(
        &world,
        "INSERT INTO carts VALUES ('a', '2026-01-01 10:00:00', 'same second'), ('d', '2026-01-01 10:00:01', 'later'); \
         UPDATE carts SET body='changed' WHERE token='b'",
    );
    let refused = world.refused("restore_start", request(json!([{"table": "carts"}])));
    assert_eq!(refused["code"], "bad_request", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("is no whole number"), "{refused}");
    let report = world.call("restore_start", request(json!([{"table": "carts", "column": "made"}])));
    assert_eq!(report["database"]["kept_rows"], json!([{"table": "carts", "column": "made", "rows": 2}]));
    assert_eq!(sql(&world, "SELECT token, body FROM carts ORDER BY token"), "a\tsame second\nb\told\nc\told\nd\tlater");
}

#[test]
fn what_cannot_be_kept_is_refused_and_the_site_is_untouched() {
    let world = busy();
    sql(
        &world,
        "ALTER TABLE rv_stock ADD COLUMN colour VARCHAR(9); CREATE TABLE rv_new (id INT PRIMARY KEY) ENGINE=InnoDB",
    );
    let before = world.digest();
    for (keep, code, words) in [
        (
            json!([{"table": "rv_orders"}]),
            "broken_reference",
            "newer rows of rv_orders refer to rows that the backup does not hold",
        ),
        (
            json!([{"table": "rv_stock", "column": "pieces"}]),
            "bad_request",
            "the column colour of rv_stock is not in the backup",
        ),
        (json!([{"table": "rv_orders", "column": "nothing"}]), "bad_request", "rv_orders has no column nothing"),
        (json!([{"table": "rv_new"}]), "bad_request", "the backup has no table rv_new"),
        (json!([{"table": "rv_orders"}, {"table": "rv_orders"}]), "bad_request", "named twice"),
        (json!([{"table": ""}]), "bad_request", "not at all"),
    ] {
        // Only the load tells that a row leads nowhere.
        let calls: &[&str] = if code == "bad_request" { &["validate", "restore_start"] } else { &["restore_start"] };
        for call in calls {
            let refused = world.refused(call, request(keep.clone()));
            assert_eq!(refused["code"], code, "{call} {keep}: {refused}");
            assert!(refused["message"].as_str().unwrap().contains(words), "{call} {keep}: {refused}");
        }
        before_is(&world, &before);
    }
    let mut part = request(json!([{"table": "rv_orders"}]));
    part["components"] = json!({"database": ["rv_customers"]});
    let refused = world.refused("restore_start", part);
    assert!(refused["message"].as_str().unwrap().contains("rv_orders is not restored"), "{refused}");
    // A number that was given to two: the backup's row stays, and somebody has to decide.
    sql(&world, "ALTER TABLE rv_customers ADD UNIQUE KEY once (name)");
    world.harness("backup", &[]);
    sql(
        &world,
        "UPDATE rv_customers SET name='free' WHERE id=3; INSERT INTO rv_customers (name) VALUES ('customer 3')",
    );
    let before = world.digest();
    let refused = world.refused("restore_start", request(json!([{"table": "rv_customers"}])));
    assert!(refused["message"].as_str().unwrap().contains("carry the newer rows of rv_customers"), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("has the same unique value"), "{refused}");
    before_is(&world, &before);
    assert!(world.harness("strays", &[]).is_empty());
}

#[test]
fn a_view_in_a_tables_place_gets_no_right_of_ours() {
    let world = busy();
    sql(
        &world,
        "RENAME TABLE rv_orders TO rv_hidden; \
         CREATE FUNCTION rv_spy() RETURNS INT READS SQL DATA SQL SECURITY INVOKER RETURN (SELECT COUNT(*) FROM mysql.user); \
         CREATE SQL SECURITY INVOKER VIEW rv_orders AS SELECT 5000 + rv_spy() AS id, 1 AS customer, NULL AS parent, 1 AS total, NOW() AS placed",
    );
    let refused = world.refused("restore_start", request(json!([{"table": "rv_orders", "column": "id"}])));
    assert_ne!(refused["code"], "internal", "{refused}");
    assert!(world.harness("strays", &[]).is_empty());
}
