//! What a restore would change, on a real site: `diff_backup`, the `changes` of a dry run, and the plan token. Needs root and
//! `scripts/install-deps.sh`.

use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

fn diff(world: &World, request: Value) -> Value {
    world.call("diff_backup", with_fields(json!({"domain": DOMAIN, "wait": true}), &request))
}

/// Every entry of a part, through its pages.
fn pages(world: &World, job: &Value, part: &str, limit: u64) -> Vec<Value> {
    let (mut all, mut offset) = (Vec::new(), 0);
    loop {
        let page = world.call("diff_backup", json!({"job": job, "part": part, "offset": offset, "limit": limit}));
        all.extend(page["entries"].as_array().unwrap().iter().cloned());
        assert!(page["entries"].as_array().unwrap().len() as u64 <= limit);
        match page["next"].as_u64() {
            Some(next) => offset = next,
            None => {
                assert_eq!(page["total"], all.len());
                return all;
            }
        }
    }
}

fn with<'a>(entries: &'a [Value], change: &str) -> Vec<&'a str> {
    let chosen = entries.iter().filter(|entry| entry["change"] == change);
    chosen.map(|entry| entry["path"].as_str().or(entry["name"].as_str()).unwrap()).collect()
}

fn find<'a>(entries: &'a [Value], name: &str) -> &'a Value {
    let found = entries.iter().find(|entry| entry["path"] == name || entry["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not among {entries:?}"))
}

#[test]
fn an_untouched_site_differs_in_nothing() {
    let world = World::up();
    world.harness("backup", &[]);
    let before = world.digest();
    let found = diff(&world, json!({}));
    for part in ["files", "tables", "config"] {
        for change in ["added", "changed", "removed", "kept"] {
            assert_eq!(found[part][change], 0, "{part} {change}: {}", found[part]["entries"]);
        }
        assert!(found[part]["same"].as_u64().unwrap() > 3, "{part}");
    }
    assert_eq!(found["files"]["contents_read"], 0, "size and time are enough");
    assert_eq!(found["tables"]["rows"]["backup"], found["tables"]["rows"]["live"]);
    assert_eq!(found["tables"]["rows"]["exact"], true);
    // The second comparison reads neither the archive nor more than it must, and says the same.
    assert_eq!(diff(&world, json!({}))["files"], found["files"]);
    assert_eq!(diff(&world, json!({"options": {"checksum": true}}))["files"]["changed"], 0);
    world.digest().assert_is(&before, "a comparison changes nothing");
}

#[test]
fn what_a_restore_would_change_is_what_it_then_changes() {
    let (world, _, _) = World::damaged();
    let root = world.root();
    // Names nobody would choose, and a link out of the site in the place of a folder.
    let odd = ["Ảnh cưới/cô dâu.jpg", "new\nline", "a \"quoted\" 'name'", " blank "];
    std::fs::create_dir(root.join("Ảnh cưới")).unwrap();
    for name in odd {
        std::fs::write(root.join(name), "x").unwrap();
    }
    std::fs::write(root.join(std::ffi::OsString::from_vec(b"no-\xff-text".to_vec())), "x").unwrap();
    std::fs::rename(root.join("wp-includes"), world.place().join("moved")).unwrap();
    symlink(world.place().join("moved"), root.join("wp-includes")).unwrap();
    let found = diff(&world, json!({}));
    let files = pages(&world, &found["job"], "files", 1000);
    assert_eq!(
        with(&files, "added").len() as u64,
        number(&found["files"]["added"]) + number(&found["files"]["folders"]["added"])
    );
    for (path, what) in [
        ("index.php", json!(["size", "content"])),
        ("wp-content", json!(["mode"])),
        ("wp-includes", json!(["type"])),
        ("wp-content/rv-side.php", Value::Null),
    ] {
        let entry = find(&files, path);
        assert_eq!(entry["change"], "changed", "{entry}");
        assert!(what.is_null() || entry["what"] == what, "{entry}");
    }
    assert_eq!(find(&files, "wp-content")["live"]["mode"], "0777");
    let removed = with(&files, "removed");
    for name in odd.iter().chain(&["Ảnh cưới", "wp-content/uploads/shell.php"]) {
        assert!(removed.contains(name), "{name:?}");
    }
    assert_eq!(find(&files, "no-\u{fffd}-text")["path_hex"], "6e6f2dff2d74657874");
    let added = with(&files, "added");
    assert!(added.contains(&"wp-admin") && added.contains(&"wp-admin/index.php"));
    assert!(added.contains(&"wp-includes/version.php"), "what is behind the link is not the site's");

    let tables = pages(&world, &found["job"], "tables", 7);
    assert!(with(&tables, "added").contains(&"wp_postmeta") && with(&tables, "added").contains(&"rv_orders_stock"));
    assert_eq!(with(&tables, "removed"), ["wp_backdoor"]);
    let posts = find(&tables, "wp_posts");
    assert!(number(&posts["rows"]["backup"]) > number(&posts["rows"]["live"]), "{posts}");
    assert_eq!((&posts["definition"], &posts["rows"]["exact"]), (&json!("same"), &json!(true)));

    let config = pages(&world, &found["job"], "config", 100);
    let pool = config.iter().find(|entry| entry["item"] == "php_fpm").unwrap();
    assert!(pool["diff"].as_array().unwrap().iter().any(|line| line == "-pm.max_children = 2"), "{pool}");
    assert_eq!(found["config"]["added"], 1, "the cron file");

    // After the restore nothing of it is left.
    std::fs::remove_file(root.join("wp-includes")).unwrap();
    std::fs::rename(world.place().join("moved"), root.join("wp-includes")).unwrap();
    world.restore();
    let after = diff(&world, json!({}));
    for part in ["files", "tables", "config"] {
        for change in ["added", "changed", "removed"] {
            assert_eq!(after[part][change], 0, "{part} {change}: {}", after[part]["entries"]);
        }
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

use std::os::unix::ffi::OsStringExt;

#[test]
fn thousands_of_differences_come_page_by_page_and_unfinished_jobs_have_none() {
    let world = World::up();
    world.harness("backup", &[]);
    let many = world.root().join("nhiều tệp");
    std::fs::create_dir(&many).unwrap();
    for n in 0..5000 {
        std::fs::write(many.join(format!("tệp {n}")), "").unwrap();
    }
    let found = diff(&world, json!({"components": {"files": true}, "limit": 10}));
    assert_eq!((&found["files"]["removed"], &found["files"]["total"]), (&json!(5000), &json!(5001)));
    assert_eq!(found["files"]["entries"].as_array().unwrap().len(), 10);
    assert_eq!((&found["tables"], &found["config"]), (&Value::Null, &Value::Null));
    let all = pages(&world, &found["job"], "files", 999);
    let names: std::collections::HashSet<&str> = with(&all, "removed").into_iter().collect();
    assert_eq!((all.len(), names.len()), (5001, 5001), "each once");
    let bare = diff(&world, json!({"components": {"files": true}, "details": false}));
    assert_eq!((&bare["files"]["entries"], &bare["files"]["total"]), (&json!([]), &json!(5001)));

    let none = world.refused("diff_backup", json!({"job": found["job"], "part": "tables"}));
    assert_eq!(none["code"], "bad_request");
    let preview = world.call("preview_backup", json!({"domain": DOMAIN, "wait": true}));
    let job = preview.get("job").cloned().unwrap_or_else(|| found["job"].clone());
    assert!(world.document("diff_backup", &json!({"job": job, "part": "config"}))["ok"] == false);
    for bad in [json!({}), json!({"job": found["job"]}), json!({"job": "../x", "part": "files"})] {
        assert_eq!(world.refused("diff_backup", bad)["code"], "bad_request");
    }
    assert_eq!(
        world.refused("diff_backup", json!({"domain": DOMAIN, "components": {"config": ["apache"]}}))["code"],
        "bad_request"
    );
}

#[test]
fn definitions_views_and_routines_are_compared() {
    let world = World::up();
    world.harness("backup", &[]);
    world.harness(
        "sql",
        &["USE shop; ALTER TABLE rv_stock ADD COLUMN colour VARCHAR(9) DEFAULT 'a, b'; \
           CREATE TABLE `bảng \"lạ\"` (id INT); DROP PROCEDURE rv_restock; CREATE VIEW planted AS SELECT 1"],
    );
    let found = diff(&world, json!({"components": {"database": true}}));
    let entries = found["tables"]["entries"].as_array().unwrap();
    let stock = find(entries, "rv_stock");
    assert_eq!(stock["definition"]["diff"], json!(["-`colour` varchar(9) DEFAULT 'a, b'"]), "{stock}");
    assert_eq!(find(entries, "bảng \"lạ\"")["change"], "removed");
    assert_eq!(
        (&find(entries, "rv_restock")["change"], &find(entries, "planted")["change"]),
        (&json!("added"), &json!("removed"))
    );
    assert_eq!(found["files"], Value::Null);
}

#[test]
fn no_secret_is_in_the_answer_the_job_or_the_log() {
    let world = World::up();
    let pool = world.place().join("php/pool.d").join(format!("{DOMAIN}.conf"));
    let with_secret = |secret: &str| {
        let text = std::fs::read_to_string(&pool).unwrap();
        let text: String =
            text.lines().filter(|line| !line.starts_with("env[")).map(|line| format!("{line}\n")).collect();
        std::fs::write(&pool, format!("{text}env[SHOP] = {secret}\n")).unwrap();
    };
    with_secret("hunter2-of-the-backup");
    world.harness("backup", &[]);
    with_secret("hunter2-that-is-live");
    let keys = world.place().join("ssl").join(DOMAIN).join("privkey.pem");
    let key = std::fs::read_to_string(&keys).unwrap();
    std::fs::write(&keys, "hunter2 is no key\n").unwrap();
    let found = diff(&world, json!({}));
    let dry = world.call("restore_start", json!({"domain": DOMAIN, "dry_run": true, "wait": true}));
    let pool_entry =
        found["config"]["entries"].as_array().unwrap().iter().find(|entry| entry["item"] == "php_fpm").unwrap();
    assert!(pool_entry["diff"].to_string().contains("env[SHOP] = ***"), "{pool_entry}");
    let pages: Vec<Value> =
        ["files", "tables", "config"].iter().flat_map(|part| pages(&world, &found["job"], part, 500)).collect();
    let said = format!("{found}{dry}{pages:?}");
    let middle_of_key = key.lines().nth(1).unwrap();
    for secret in ["hunter2", middle_of_key] {
        assert!(!said.contains(secret), "{secret} is in an answer");
        let base = world.place().join("base");
        let grep = Command::new("grep")
            .args(["-rlF", secret])
            .args(["restore_jobs", "restore_logs", "restore_index"].map(|folder| base.join(folder)))
            .arg(base.join("backups").join(DOMAIN).join(".backup_index.json"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&grep.stdout), "", "{secret} was written down");
    }
}

#[test]
fn a_dry_run_says_what_would_change_and_three_calls_give_tokens_for_the_same_plan() {
    let (world, _, damaged) = World::damaged();
    // A site whose configuration would be refused gives no token; that is not what this is about.
    let request = json!({"domain": DOMAIN, "components": {"files": true, "database": true}});
    let ask = |call: &str, more: Value| world.call(call, with_fields(request.clone(), &more));
    let wait = json!({"wait": true});
    let compared = ask("diff_backup", wait.clone());
    let validated = ask("validate", wait);
    let dry = ask("restore_start", json!({"dry_run": true, "wait": true}));
    for part in ["files", "tables"] {
        assert_eq!(dry["changes"][part], compared[part], "{part}");
        assert_eq!(validated["changes"][part], compared[part], "{part}");
    }
    world.digest().assert_is(&damaged, "damaged");
    // Each of them is accepted for the restore, one after the other; the restore itself makes them stale.
    let tokens = [&compared["plan_token"], &validated["plan_token"], &dry["plan_token"]];
    for token in tokens {
        assert_eq!(token.as_str().unwrap().len(), 64, "{token}");
        // The moments in front differ; what was seen does not: each is still good.
        let error = world.refused(
            "restore_start",
            json!({"domain": DOMAIN, "components": {"files": true}, "plan_token": token, "wait": true}),
        );
        assert_eq!(error["code"], "plan_stale", "of another request");
    }
    ask("restore_start", json!({"plan_token": tokens[1], "wait": true}));
    for token in tokens {
        let mut stale = request.clone();
        stale["plan_token"] = token.clone();
        stale["wait"] = json!(true);
        assert_eq!(world.refused("restore_start", stale)["code"], "plan_stale");
    }
}

/// Takes a token by each call in turn, lets something happen, and starts with it.
fn start_after(world: &World, call: &str, happens: impl FnOnce()) -> Value {
    let mut request = json!({"domain": DOMAIN, "wait": true});
    if call == "restore_start" {
        request["dry_run"] = json!(true);
    }
    let token = world.call(call, request)["plan_token"].clone();
    assert!(token.is_string(), "{call}");
    happens();
    world.document("restore_start", &json!({"domain": DOMAIN, "plan_token": token, "wait": true}))
}

#[test]
fn a_start_is_refused_after_any_change_and_accepted_after_none() {
    let world = World::up();
    world.harness("backup", &[]);
    let root = world.root();
    let place = world.place();
    let sql = |statement: &str| drop(world.harness("sql", &[statement]));
    let change: [(&str, &dyn Fn()); 12] = [
        ("a file changed in place, size and time as before", &|| {
            let path = root.join("wp-content/rv-side.php");
            let (text, time) = (std::fs::read(&path).unwrap(), std::fs::metadata(&path).unwrap().modified().unwrap());
            let text: Vec<u8> = text.iter().map(u8::to_ascii_uppercase).collect();
            std::fs::write(&path, text).unwrap();
            std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
        }),
        ("a file's mode", &|| {
            std::fs::set_permissions(root.join("index.php"), PermissionsExt::from_mode(0o600)).unwrap();
        }),
        ("a new file with a foreign name", &|| std::fs::write(root.join("mới\n"), "").unwrap()),
        ("a file that went", &|| std::fs::remove_file(root.join("rv-probe.php")).unwrap()),
        ("a row", &|| sql("UPDATE shop.wp_posts SET post_title = 'x' ORDER BY ID LIMIT 1")),
        ("the same row again, in the same second", &|| {
            sql("UPDATE shop.wp_posts SET post_title = 'y' ORDER BY ID LIMIT 1")
        }),
        ("a row of a MyISAM table", &|| sql("UPDATE shop.rv_log SET line = 'x' ORDER BY id LIMIT 1")),
        ("a table that was altered", &|| sql("ALTER TABLE shop.rv_stock ADD COLUMN colour INT")),
        ("a view", &|| sql("CREATE OR REPLACE VIEW shop.rv_totals AS SELECT 1 AS one")),
        ("the nginx site", &|| {
            let path = place.join("nginx/sites-available").join(DOMAIN);
            let text = std::fs::read_to_string(&path).unwrap() + "# changed\n";
            std::fs::write(path, text).unwrap();
        }),
        ("the pool's mode", &|| {
            let path = place.join("php/pool.d").join(format!("{DOMAIN}.conf"));
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o640)).unwrap();
        }),
        ("the backup itself", &|| {
            let backups = place.join("base/backups").join(DOMAIN);
            let archive = std::fs::read_dir(&backups).unwrap().flatten().map(|entry| entry.path());
            let archive = archive.into_iter().find(|path| path.extension().is_some_and(|end| end == "gz")).unwrap();
            let copy = archive.with_extension("new");
            std::fs::copy(&archive, &copy).unwrap();
            std::fs::rename(&copy, &archive).unwrap();
        }),
    ];
    for (at, (what, happens)) in change.into_iter().enumerate() {
        let call = ["diff_backup", "validate", "restore_start"][at % 3];
        let mut after = None;
        let answer = start_after(&world, call, || {
            happens();
            after = Some(world.digest());
        });
        assert_eq!(answer["error"]["code"], "plan_stale", "{what}: {answer}");
        world.digest().assert_is(&after.unwrap(), what);
        world.assert_nothing_left();
    }
    // Only looked at: each call's token is good, though it is told apart from the others by its moments.
    for call in ["diff_backup", "validate", "restore_start"] {
        let answer = start_after(&world, call, || {
            world.harness("fetch", &["rv-probe.php"]);
            world.digest();
        });
        assert_eq!(answer["ok"], true, "{call}: {answer}");
    }
}

#[test]
fn what_a_smart_backup_leaves_out_is_said_to_be_kept() {
    let world = World::up();
    let root = world.root();
    std::fs::create_dir_all(root.join("node_modules/left-pad")).unwrap();
    std::fs::write(root.join("node_modules/left-pad/index.js"), "x").unwrap();
    world.harness("backup", &["--layout", "smart"]);
    std::fs::write(root.join("wp-content/uploads/new.txt"), "x").unwrap();
    let found = diff(&world, json!({"components": {"files": true, "database": true}}));
    let files = pages(&world, &found["job"], "files", 1000);
    let kept = find(&files, "node_modules");
    assert_eq!((&kept["change"], &kept["inside"]), (&json!("kept"), &json!(2)), "{kept}");
    let removed = with(&files, "removed");
    assert!(removed.contains(&"wp-content/uploads/new.txt"), "{removed:?}");
    assert!(!removed.iter().any(|path| path.starts_with("node_modules") || path.contains("cache")), "{removed:?}");
    let tables = pages(&world, &found["job"], "tables", 1000);
    assert!(with(&tables, "kept").contains(&"wp_comments"), "{tables:?}");
    assert!(with(&tables, "removed").is_empty());
    let exact = diff(&world, json!({"components": {"files": true, "database": true}, "options": {"exact": true}}));
    assert!(number(&exact["tables"]["removed"]) > 0 && number(&exact["files"]["removed"]) > 1, "{exact}");
    let excluded = diff(&world, json!({"components": {"files": true}, "exclude": {"files": ["wp-content/uploads"]}}));
    let files = pages(&world, &excluded["job"], "files", 1000);
    assert!(with(&files, "kept").contains(&"wp-content/uploads"), "{files:?}");
    assert!(!with(&files, "removed").contains(&"wp-content/uploads/new.txt"), "{files:?}");
}

#[test]
fn only_what_is_selected_is_compared() {
    let (world, _, _) = World::damaged();
    let found = diff(&world, json!({"components": {"files": ["wp-content/uploads/"], "config": ["cron"]}}));
    let files = pages(&world, &found["job"], "files", 1000);
    assert!(files.iter().all(|entry| entry["path"].as_str().unwrap().starts_with("wp-content/uploads")), "{files:?}");
    assert_eq!(with(&files, "removed"), ["wp-content/uploads/shell.php"]);
    assert!(with(&files, "added").contains(&"wp-content/uploads/2024"));
    assert_eq!((&found["tables"], &found["config"]["total"]), (&Value::Null, &json!(1)));
    for (component, pattern) in [("files", "wp-content/uploads/nothing*"), ("database", "nothing")] {
        let request = json!({"domain": DOMAIN, "components": {component: [pattern]}, "wait": true});
        let error = world.refused("diff_backup", request);
        assert_eq!((&error["code"], &error["context"]["pattern"]), (&json!("backup_incomplete"), &json!(pattern)));
    }
    let table = diff(&world, json!({"components": {"database": ["wp_posts"]}}));
    assert_eq!((&table["tables"]["total"], &table["files"]), (&json!(1), &Value::Null));
}
