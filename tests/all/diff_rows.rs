//! `diff_backup` with `rows`: which rows a restore would change. Needs root and `scripts/install-deps.sh`.

use crate::world::{self, DOMAIN, World, with_fields};
use serde_json::{Value, json};
use std::process::Command;

fn sql(world: &World, statement: &str) -> String {
    world.harness("sql", &[&format!("USE shop; {statement}")])
}

/// A world whose site has these tables, too, with a backup of them; then something happens to them.
fn after(made: &str, since: &str) -> World {
    let world = World::up();
    sql(&world, made);
    world.harness("backup", &[]);
    sql(&world, since);
    world
}

fn compared(world: &World, request: Value) -> Value {
    let all = json!({"domain": DOMAIN, "components": {"database": true}, "rows": true, "limit": 1000, "wait": true});
    world.call("diff_backup", with_fields(all, &request))
}

fn of_tables(world: &World, tables: &[&str]) -> Value {
    compared(world, json!({"components": {"database": tables}}))
}

/// What is found of a table among the entries of the part `tables`.
fn table<'a>(found: &'a Value, name: &str) -> &'a Value {
    let entries = found["tables"]["entries"].as_array().unwrap();
    entries.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("{name} is not in {entries:?}"))
}

fn numbers(found: &Value) -> [u64; 4] {
    ["added", "changed", "removed", "same"].map(|word| found[word].as_u64().unwrap_or_else(|| panic!("{found}")))
}

/// The entries of rows, as lines: `~ table id=1 title: backup > live`.
fn lines(found: &Value) -> Vec<String> {
    let value = |value: &Value| match value {
        Value::Object(of) if of.is_empty() => "NULL".to_owned(),
        _ if value["hidden"] == true => "***".to_owned(),
        _ => value["text"].as_str().map(|text| format!("{text:?}")).unwrap_or_else(|| value.to_string()),
    };
    let line = |entry: &Value| {
        let sign = match entry["change"].as_str().unwrap() {
            "added" => '+',
            "removed" => '-',
            _ => '~',
        };
        let mut line = format!("{sign} {}", entry["table"].as_str().unwrap());
        for key in entry["key"].as_array().unwrap() {
            line += &format!(" {}={}", key["column"].as_str().unwrap(), value(&key["value"]));
        }
        for column in entry["columns"].as_array().into_iter().flatten() {
            let (name, backup, live) = (column["column"].as_str().unwrap(), &column["backup"], &column["live"]);
            line += &format!(" {name}: {} > {}", value(backup), value(live));
        }
        line
    };
    let mut lines: Vec<String> = found["rows"]["entries"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn a_site_that_nobody_touched_has_the_rows_of_its_backup() {
    let world = World::up();
    world.harness("backup", &[]);
    let before = world.digest();
    let found = compared(&world, json!({}));
    let rows = &found["rows"];
    assert_eq!(found["tables"]["compared_by"], "rows and definition");
    assert_eq!(numbers(rows)[..3], [0, 0, 0], "{rows}");
    assert!(rows["same"].as_u64().unwrap() > 1000 && rows["tables"].as_u64().unwrap() > 5, "{rows}");
    assert_eq!((&rows["total"], &found["tables"]["changed"]), (&json!(0), &json!(0)));
    // The one table that cannot be compared is told, though it has as many rows.
    assert_eq!(rows["not_compared"], 1, "{found}");
    let log = table(&found, "rv_log");
    assert_eq!(log["change"], "same");
    assert!(log["rows_not_compared"].as_str().unwrap().contains("its engine is MyISAM"), "{log}");
    let plain = compared(&world, json!({"rows": false}));
    assert_eq!(
        (&plain["rows"], &plain["tables"]["compared_by"]),
        (&Value::Null, &json!("number of rows and definition"))
    );
    world.digest().assert_is(&before, "a comparison changes nothing");
    world.assert_nothing_left();
}

#[test]
fn a_changed_value_is_found_where_the_number_of_rows_is_the_same() {
    let world = after(
        "CREATE TABLE one (id INT PRIMARY KEY, title VARCHAR(90), body LONGTEXT, amount DECIMAL(10,2), part FLOAT, at DATETIME, raw BLOB) ENGINE=InnoDB; \
         INSERT INTO one VALUES (1,'Áo dài','',5.00,1.5,'2024-01-01 10:00:00',0xff00), (2,'b',NULL,NULL,NULL,NULL,NULL), (3,'c','x',1,2,NULL,'')",
        "UPDATE one SET title='Áo dài đỏ', body=NULL, raw=0xff01 WHERE id=1; DELETE FROM one WHERE id=2; INSERT INTO one (id,title) VALUES (4,'d')",
    );
    let counted = compared(&world, json!({"rows": false}));
    assert!(!counted["tables"]["entries"].to_string().contains("\"one\""), "counted alone it is the same");
    let found = of_tables(&world, &["one"]);
    let one = table(&found, "one");
    assert_eq!((&one["change"], numbers(&one["row_changes"])), (&json!("changed"), [1, 1, 1, 1]), "{one}");
    assert_eq!(numbers(&found["rows"]), [1, 1, 1, 1]);
    assert_eq!(
        lines(&found),
        [
            "+ one id=\"2\"",
            "- one id=\"4\"",
            "~ one id=\"1\" title: \"Áo dài\" > \"Áo dài đỏ\" body: \"\" > NULL raw: {\"hex\":\"ff00\"} > {\"hex\":\"ff01\"}",
        ]
    );
    // The same page by page.
    let page = world.call("diff_backup", json!({"job": found["job"], "part": "rows", "offset": 1, "limit": 1}));
    assert_eq!((&page["part"], &page["total"], &page["next"]), (&json!("rows"), &json!(3), &json!(2)));
    assert_eq!(page["entries"][0], found["rows"]["entries"][1]);
    let bare = compared(&world, json!({"components": {"database": ["one"]}, "details": false}));
    assert_eq!((&bare["rows"]["entries"], &bare["rows"]["total"]), (&json!([]), &json!(3)));
    let none = world.refused("diff_backup", json!({"job": counted["job"], "part": "rows"}));
    assert_eq!(none["code"], "bad_request");
    // After the restore nothing of it is left.
    world.call("restore_start", json!({"domain": DOMAIN, "components": {"database": ["one"]}, "wait": true}));
    assert_eq!(numbers(&of_tables(&world, &["one"])["rows"]), [0, 0, 0, 3]);
}

#[test]
fn rows_are_known_by_keys_of_several_columns_and_of_letters() {
    let world = after(
        "CREATE TABLE pairs (a INT, b VARCHAR(20) COLLATE utf8mb4_unicode_ci, c INT, PRIMARY KEY (b, a)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4; \
         INSERT INTO pairs VALUES (1,'Đà Nẵng',1), (2,'Đà Nẵng',2), (1,'Huế',3), (1,'',4); \
         CREATE TABLE exact (k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, v INT) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4; \
         INSERT INTO exact VALUES ('a',1), ('A',2), ('😀',3)",
        "UPDATE pairs SET c=9 WHERE a=2; UPDATE pairs SET b='ĐÀ NẴNG' WHERE a=1 AND c=1; UPDATE exact SET v=7 WHERE k='A'; UPDATE exact SET k='😁' WHERE v=3",
    );
    let found = of_tables(&world, &["pairs", "exact"]);
    assert_eq!(
        lines(&found),
        [
            "+ exact k=\"😀\"",
            "- exact k=\"😁\"",
            "~ exact k=\"A\" v: \"2\" > \"7\"",
            "~ pairs b=\"Đà Nẵng\" a=\"1\" b: \"Đà Nẵng\" > \"ĐÀ NẴNG\"",
            "~ pairs b=\"Đà Nẵng\" a=\"2\" c: \"2\" > \"9\"",
        ]
    );
}

#[test]
fn rows_without_a_key_are_counted_and_empty_tables_are_compared() {
    let world = after(
        "CREATE TABLE keyless (a INT, b TEXT) ENGINE=InnoDB; INSERT INTO keyless VALUES (1,'x'),(1,'x'),(2,NULL),(3,''); \
         CREATE TABLE void (id INT PRIMARY KEY, t TEXT) ENGINE=InnoDB; \
         CREATE TABLE was (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO was VALUES (1)",
        "DELETE FROM keyless WHERE a=1 LIMIT 1; UPDATE keyless SET b='' WHERE a=2; INSERT INTO void VALUES (1,'new'); DELETE FROM was",
    );
    let found = of_tables(&world, &["keyless", "void", "was"]);
    let keyless = &table(&found, "keyless")["row_changes"];
    assert_eq!((numbers(keyless), &keyless["has_key"]), ([2, 0, 1, 2], &json!(false)));
    assert_eq!(lines(&found), ["+ was id=\"1\"", "- void id=\"1\""]);
    assert_eq!(found["rows"]["unlisted"], 3);
}

#[test]
fn three_of_sixty_thousand_rows_are_found_and_a_table_in_which_all_differ_is_counted() {
    let many = |table: &str| {
        format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, t VARCHAR(60)) ENGINE=InnoDB; INSERT INTO {table} SELECT seq, CONCAT('row ', seq) FROM seq_1_to_60000; "
        )
    };
    let world = after(
        &(many("few") + &many("every") + &many("shuffled")),
        // The last has its rows in the order of another key.
        "UPDATE few SET t='changed' WHERE id IN (7, 30000, 59999); UPDATE every SET t=CONCAT(t, '!'); \
         ALTER TABLE shuffled DROP PRIMARY KEY, ADD PRIMARY KEY (t); UPDATE shuffled SET id=0 WHERE id=77",
    );
    let found = of_tables(&world, &["few", "every", "shuffled"]);
    assert_eq!(numbers(&table(&found, "few")["row_changes"]), [0, 3, 0, 59_997]);
    assert_eq!(numbers(&table(&found, "every")["row_changes"]), [0, 60_000, 0, 0]);
    assert_eq!(numbers(&table(&found, "shuffled")["row_changes"]), [0, 1, 0, 59_999]);
    let rows = &found["rows"];
    assert_eq!((&rows["most_listed"], &rows["total"], &rows["unlisted"]), (&json!(1000), &json!(1004), &json!(59_000)));
    let mut all = Vec::new();
    for offset in [0, 500, 1000] {
        let page =
            world.call("diff_backup", json!({"job": found["job"], "part": "rows", "offset": offset, "limit": 500}));
        all.extend(page["entries"].as_array().unwrap().clone());
    }
    let few: Vec<&Value> =
        all.iter().filter(|entry| entry["table"] == "few").map(|entry| &entry["key"][0]["value"]["text"]).collect();
    assert_eq!(few, ["7", "30000", "59999"]);
    assert_eq!(all.iter().filter(|entry| entry["table"] == "every").count(), 1000);
}

#[test]
fn what_cannot_be_compared_is_told_of_each_table() {
    let world = after(
        "CREATE TABLE wider (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO wider VALUES (1); \
         CREATE TABLE retyped (id INT PRIMARY KEY, at DATETIME) ENGINE=InnoDB; INSERT INTO retyped VALUES (1,NULL); \
         CREATE TABLE aria (id INT PRIMARY KEY) ENGINE=Aria; INSERT INTO aria VALUES (1); \
         CREATE TABLE computed (id INT PRIMARY KEY, v INT, twice INT AS (v*2) STORED) ENGINE=InnoDB; INSERT INTO computed (id,v) VALUES (1,1),(2,2)",
        "ALTER TABLE wider ADD COLUMN colour INT; ALTER TABLE retyped MODIFY at DATETIME(3); UPDATE computed SET v=5 WHERE id=2",
    );
    let found = of_tables(&world, &["wider", "retyped", "aria", "computed"]);
    for (name, change, words) in [
        ("wider", "changed", "the column colour is only live"),
        ("retyped", "changed", "the column at is datetime in the backup and datetime(3) live"),
        ("aria", "same", "its engine is Aria"),
    ] {
        let entry = table(&found, name);
        assert_eq!(entry["change"], change, "{entry}");
        assert!(entry["rows_not_compared"].as_str().unwrap().contains(words), "{entry}");
        assert_eq!(entry["row_changes"], Value::Null);
    }
    assert_eq!((&found["rows"]["tables"], &found["rows"]["not_compared"]), (&json!(1), &json!(3)));
    let [line] = lines(&found).try_into().unwrap();
    assert!(line.starts_with("~ computed id=\"2\" v: \"2\" > \"5\""), "{line}");
}

#[test]
fn no_secret_of_a_row_is_in_the_answer_the_job_or_the_log() {
    let world = after(
        "CREATE TABLE people (id INT PRIMARY KEY, mail VARCHAR(90), user_pass VARCHAR(90), note TEXT) ENGINE=InnoDB; \
         INSERT INTO people VALUES (1,'a@b.c','hunter2-of-the-backup','x'); \
         CREATE TABLE sessions (id VARCHAR(60) PRIMARY KEY, payload TEXT) ENGINE=InnoDB; INSERT INTO sessions VALUES ('hunter2-session','hunter2-payload'); \
         INSERT INTO wp_options (option_name, option_value) VALUES ('smtp_password','hunter2-smtp'), ('gateway','{\"secret_key\":\"hunter2-json\"}')",
        "UPDATE people SET mail='d@e.f', user_pass='hunter2-that-is-live', note='https://u:hunter2-url@h/'; \
         UPDATE sessions SET id='hunter2-other'; \
         UPDATE wp_options SET option_value=CONCAT(option_value,'hunter2') WHERE option_name IN ('smtp_password','gateway')",
    );
    let found = compared(&world, json!({}));
    let shown = lines(&found);
    assert!(
        shown
            .contains(&"~ people id=\"1\" mail: \"a@b.c\" > \"d@e.f\" user_pass: *** > *** note: *** > ***".to_owned()),
        "{shown:?}"
    );
    assert!(
        shown.contains(&"+ sessions id=***".to_owned()) && shown.contains(&"- sessions id=***".to_owned()),
        "{shown:?}"
    );
    assert_eq!(shown.iter().filter(|line| line.ends_with("option_value: *** > ***")).count(), 2, "{shown:?}");
    assert!(!found.to_string().contains("hunter2"));
    let base = world.place().join("base");
    let folders = ["restore_jobs", "restore_logs", "restore_index"].map(|folder| base.join(folder));
    let grep = Command::new("grep").args(["-rlF", "hunter2"]).args(folders).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&grep.stdout), "", "a secret was written down");
}

/// The result of a comparison of this table, and the most memory that its worker had, in KiB.
fn watched(world: &World, table: &str) -> (Value, u64) {
    let asked = json!({"domain": DOMAIN, "components": {"database": [table]}, "rows": true, "limit": 1000});
    let job = World::job(&world.call("diff_backup", asked));
    let most = world::most_memory(&job);
    (world.await_end(&job)["result"].clone(), most)
}

#[test]
fn memory_does_not_grow_with_the_rows_that_differ() {
    let rows = 400_000;
    let world = after(
        &format!(
            "CREATE TABLE many (id INT PRIMARY KEY, t VARCHAR(60)) ENGINE=InnoDB; INSERT INTO many SELECT seq, CONCAT('row ', seq) FROM seq_1_to_{rows}"
        ),
        "UPDATE many SET t='changed' WHERE id IN (7, 300000, 399999)",
    );
    let (found, few) = watched(&world, "many");
    assert_eq!(numbers(&found["rows"]), [0, 3, 0, rows - 3], "{found}");
    sql(&world, "UPDATE many SET t=CONCAT(t, '!')");
    let (found, all) = watched(&world, "many");
    assert_eq!((numbers(&found["rows"]), &found["rows"]["total"]), ([0, rows, 0, 0], &json!(1000)));
    println!("{few} and {all} KiB to compare");
    assert!(few > 0 && few < 56 << 10 && all < few + (16 << 10) && all < 64 << 10, "{few}, {all} KiB");
}

#[test]
fn whoever_alters_a_table_that_was_read_does_not_wait_for_the_rest() {
    let world = after(
        "CREATE TABLE aa (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO aa VALUES (1); \
         CREATE TABLE bb (id INT PRIMARY KEY, t TEXT) ENGINE=InnoDB; INSERT INTO bb SELECT seq, REPEAT('x', 600) FROM seq_1_to_120000",
        "UPDATE bb SET t='' WHERE id=1",
    );
    let asked = json!({"domain": DOMAIN, "components": {"database": ["aa", "bb"]}, "rows": true});
    let reads = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER LIKE 'rvr%' AND INFO LIKE 'SELECT `id`, `t` FROM `shop`.`bb`%'";
    // One that reads the second table; on a busy machine one may be over before it is seen.
    let reading = (0..10).find_map(|_| {
        let job = World::job(&world.call("diff_backup", asked.clone()));
        while world::worker(&job).is_some_and(world::is_alive) {
            if sql(&world, reads) != "0" {
                return Some(job);
            }
        }
        None
    });
    let job = reading.expect("ten comparisons were over too soon");
    sql(
        &world,
        "SET SESSION lock_wait_timeout=1; ALTER TABLE aa ADD COLUMN late INT; INSERT INTO bb VALUES (0, 'since')",
    );
    let found = world.await_end(&job)["result"].clone();
    // One moment, whatever was written since.
    assert_eq!(numbers(&table(&found, "bb")["row_changes"]), [0, 1, 0, 119_999], "{found}");
}

#[test]
fn a_dump_that_lies_about_its_rows_hides_nothing() {
    let world = after(
        "CREATE TABLE twice (id INT PRIMARY KEY, v INT) ENGINE=InnoDB; INSERT INTO twice VALUES (1,1),(2,2); \
         CREATE TABLE apart (id INT PRIMARY KEY, v INT) ENGINE=InnoDB; INSERT INTO apart VALUES (1,1),(2,2); \
         CREATE TABLE odd (id INT PRIMARY KEY, v INT) ENGINE=InnoDB; INSERT INTO odd VALUES (1,1)",
        "DO 0",
    );
    world.change_dump(|text| {
        let rows = |table: &str| format!("INSERT INTO `{table}` VALUES\n(1,1),\n(2,2);");
        assert!(text.contains(&rows("twice")) && text.contains(&rows("apart")), "{}", &text[..2000]);
        let apart =
            "INSERT INTO `apart` VALUES (1,1);\nINSERT INTO `odd` VALUES (2,1+1);\nINSERT INTO `apart` VALUES (2,2);";
        let text = text.replace(&rows("twice"), "INSERT INTO `twice` VALUES (1,1),(2,2),(2,2),(1,9);");
        // The table between the two parts is made before.
        let made = "CREATE TABLE `odd` (`id` int(11) NOT NULL, `v` int(11), PRIMARY KEY (`id`)) ENGINE=InnoDB;\n";
        let text = text.replace(&rows("apart"), &format!("{made}{apart}"));
        let begin = text.find("DROP TABLE IF EXISTS `odd`").unwrap();
        let end = begin + text[begin..].find("INSERT INTO `odd` VALUES\n(1,1);").unwrap();
        format!("{}{}", &text[..begin], &text[end + "INSERT INTO `odd` VALUES\n(1,1);".len()..])
    });
    let found = of_tables(&world, &["twice", "apart", "odd"]);
    assert_eq!(numbers(&table(&found, "twice")["row_changes"]), [2, 0, 0, 2], "{found}");
    assert_eq!(lines(&found), ["+ twice id=\"1\"", "+ twice id=\"2\""]);
    for (name, words) in [("apart", "several places"), ("odd", "cannot be compared")] {
        let why = table(&found, name)["rows_not_compared"].as_str().unwrap_or_else(|| panic!("{found}"));
        assert!(why.contains(words), "{name}: {why}");
    }
}
