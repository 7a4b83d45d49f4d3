//! Previews through the helper, on a real WordPress: what the first one reads, later ones know. Needs root and
//! `scripts/install-deps.sh`.

use crate::world::{DOMAIN, World, with_fields};
use serde_json::{Value, json};

fn preview(world: &World, more: Value) -> Value {
    world.call("preview_backup", with_fields(json!({"domain": DOMAIN}), &more))
}

/// The first preview of a backup is a job.
fn first(world: &World, more: Value) -> Value {
    let begun = preview(world, more);
    let status = world.await_end(&World::job(&begun));
    assert_eq!(status["state"], "done", "{}", status["error"]);
    status["result"].clone()
}

fn jobs(world: &World) -> usize {
    world.call("list_jobs", json!({}))["jobs"].as_array().unwrap().len()
}

fn count_lines(manifest: &str, kind: &str) -> usize {
    manifest.lines().filter(|line| line.split('\t').next() == Some(kind)).count()
}

#[test]
fn a_second_preview_is_answered_at_once_and_says_the_same() {
    let world = World::up();
    world.harness("backup", &[]);
    let seen = first(&world, json!({}));
    assert_eq!(seen["files"]["count"], count_lines(&world.digest().files, "file"));
    assert_eq!(seen["database"]["name"], "shop");
    assert!(seen["database"]["views"].as_array().is_some_and(|views| !views.is_empty()), "{}", seen["database"]);
    let table = &seen["database"]["table_list"][0];
    assert!(table["rows"].is_u64() && table["bytes"].is_u64() && table["engine"] == "InnoDB", "{table}");
    assert!(table["charset"].as_str().unwrap().starts_with("utf8mb4"));
    for item in ["nginx", "php_fpm", "ssl", "cron"] {
        assert!(seen["config"].as_array().unwrap().iter().any(|file| file["item"] == item), "{item}");
    }
    assert!(seen["estimate"]["total_s"].as_f64().unwrap() > 0.0);
    let rooms = seen["space"]["filesystems"].as_array().unwrap();
    let written: Vec<&Value> = rooms.iter().flat_map(|room| room["what"].as_array().unwrap()).collect();
    assert!(
        ["staged files", "tables", "jobs and logs"].iter().all(|what| written.contains(&&json!(what))),
        "{rooms:?}"
    );
    assert_eq!(seen["chain"]["dump"]["why"], "it is in the archive");

    let before = jobs(&world);
    for wait in [false, true] {
        let mut again = preview(&world, json!({"wait": wait}));
        assert_eq!(again["job"], Value::Null);
        again.as_object_mut().unwrap().remove("job");
        // Room and moments go on.
        for moving in ["space", "estimate"] {
            assert!(again[moving].is_object());
            again[moving] = seen[moving].clone();
        }
        assert_eq!(again, seen);
    }
    assert_eq!(jobs(&world), before, "no worker was started");

    // Neither the server nor the live site is asked.
    world.harness("stop", &[]);
    std::fs::rename(world.root(), world.place().join("web/gone")).unwrap();
    let again = preview(&world, json!({}));
    assert_eq!(again["space"]["current_used"], seen["space"]["current_used"]);
    assert_eq!(again["space"]["current_used_at"], seen["space"]["current_used_at"]);
    assert_eq!(again["database"]["name"], "shop");
}

#[test]
fn pages_of_the_tree_go_as_deep_as_asked() {
    let world = World::up();
    let archive = world.harness("backup", &[]);
    let whole = json!({"backup": archive, "tree": {"path": "wp-content/uploads", "depth": 100, "limit": 1000}});
    let seen = first(&world, whole.clone());
    let root = world.root().join("wp-content/uploads");
    // A name may hold a line break.
    let find = std::process::Command::new("find").arg(&root).args(["-mindepth", "1", "-printf", "x"]).output().unwrap();
    let there = find.stdout.len();
    assert_eq!(seen["files"]["tree_page"]["total"], there);
    let nodes = seen["files"]["tree"].as_array().unwrap();
    assert!(
        nodes.iter().any(|node| node["path"] == "wp-content/uploads/Cà phê sữa đá ☕.txt" && node["kind"] == "file")
    );

    let mut joined = Vec::new();
    while joined.len() < there {
        let tree = json!({"path": "wp-content/uploads", "depth": 100, "limit": 7, "offset": joined.len()});
        let page = preview(&world, json!({"backup": archive, "tree": tree}));
        assert_eq!((&page["job"], &page["files"]["tree_page"]["total"]), (&Value::Null, &json!(there)));
        let part = page["files"]["tree"].as_array().unwrap().clone();
        assert!(!part.is_empty() && part.len() <= 7);
        joined.extend(part);
    }
    assert_eq!(&joined, nodes);

    // A catalogue that was lost is made again, by a worker.
    let folder = world.place().join("base/restore_index").join(DOMAIN);
    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "tree") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    assert_eq!(first(&world, whole)["files"]["tree"], seen["files"]["tree"]);
    let refused = world.refused("preview_backup", json!({"domain": DOMAIN, "tree": {"path": "../x"}}));
    assert_eq!(refused["code"], "unsafe_path");
}

#[test]
fn a_chain_is_shown_as_the_state_it_makes() {
    let world = World::up();
    let full = world.harness("backup", &["--layout", "smart", "--stamp", "20251001_030000"]);
    world.harness("touch-up", &["1"]);
    let one = world.harness("backup", &["--layout", "smart", "--incremental", "--stamp", "20251002_030000"]);
    world.harness("touch-up", &["2"]);
    let two = world.harness("backup", &["--layout", "smart", "--incremental", "--stamp", "20251003_030000"]);
    let made = world.harness("expect", &[&full, &one, &two]);
    let seen = first(&world, json!({"backup": two}));
    assert_eq!(seen["files"]["count"], count_lines(&made, "file"));
    let archives: Vec<&str> =
        seen["chain"]["archives"].as_array().unwrap().iter().map(|part| part["path"].as_str().unwrap()).collect();
    assert_eq!(archives, [full.as_str(), &one, &two]);
    assert_eq!((&seen["backup"]["kind"], &seen["backup"]["base"]), (&json!("incremental"), &json!(full)));
    assert!(seen["chain"]["dump"]["name"].as_str().unwrap().starts_with("database_20251003_"));
    assert!(seen["chain"]["dump"]["why"].as_str().unwrap().contains("after the backup"));
    let warnings = seen["warnings"].to_string();
    for said in ["days old", "Deletions between incremental", "node_modules"] {
        assert!(warnings.contains(said), "{said}: {warnings}");
    }
    assert_eq!(preview(&world, json!({"backup": two}))["job"], Value::Null);

    // Another dump is another source, and is said to have been asked for.
    let dump = seen["chain"]["dump"]["path"].as_str().unwrap().replace("20251003", "20251002");
    let dump = std::fs::read_dir(std::path::Path::new(&dump).parent().unwrap())
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("database_20251002_"))
        .unwrap();
    let asked = first(&world, json!({"backup": two, "dump": dump}));
    assert_eq!(asked["chain"]["dump"]["why"], "it was asked for");

    // A member of the chain that changed is noticed before anything is shown.
    let file = std::fs::File::options().append(true).open(&one).unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
    assert!(preview(&world, json!({"backup": two}))["job"].is_string());
}
