//! A19, A20: a restore whose worker died while it staged goes on with what was staged, if it is the same restore.

use crate::private_server::Release;
use crate::world::trial::{points, report, spread};
use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Files of a folder by inode.
fn inodes(folder: &Path, into: &mut BTreeSet<u64>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            inodes(&entry.path(), into);
        } else if kind.is_file() {
            into.extend(entry.metadata().map(|meta| meta.ino()));
        }
    }
}

fn staged_inodes(world: &World) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    for stage in std::fs::read_dir(world.place().join("web/.rocketvps-restore")).into_iter().flatten().flatten() {
        inodes(&stage.path().join("tree"), &mut found);
    }
    found
}

fn rows_inserted(world: &World) -> u64 {
    let text = world.harness("sql", &["SHOW GLOBAL STATUS LIKE 'Handler_write'"]);
    text.split_whitespace().last().unwrap().parse().unwrap()
}

fn resumable(world: &World, job: &str) -> bool {
    let jobs = world.call("list_jobs", json!({"domain": DOMAIN}))["jobs"].clone();
    jobs.as_array().unwrap().iter().any(|entry| entry["job"] == *job && entry["resumable"] == true)
}

#[test]
fn a19_a_restore_killed_while_it_stages_goes_on_and_does_less() {
    let (world, _, old) = World::damaged();
    world.harness("save", &["damaged"]);
    world.harness("reset", &["damaged"]);
    let request = json!({"domain": DOMAIN});
    let before = rows_inserted(&world);
    let (_, trace) = world.watch("restore_start", &request);
    let all_rows = rows_inserted(&world) - before;
    let new = world.digest();
    let staging: Vec<usize> = (1..trace.change_over()).collect();
    let mut best = Value::Null;
    for number in spread(&points(&staging[staging.len() / 3..], 5), 60) {
        world.harness("reset", &["damaged"]);
        let (dead, reached) = world.kill_before(number, "restore_start", &request);
        if !reached {
            continue;
        }
        let when = format!("killed before call {number}");
        // A poll is enough for the recovery to set aside what there is.
        assert_eq!(world.await_end(&dead)["error"]["code"], "worker_died", "{when}");
        world.digest().assert_is(&old, &when);
        assert!(!world.harness("strays", &[]).contains("account"), "{when}: the loader's account is left");
        let (staged, before) = (staged_inodes(&world), rows_inserted(&world));
        let was_resumable = resumable(&world, &dead);
        let result = world.call("restore_start", json!({"domain": DOMAIN, "wait": true}));
        world.digest().assert_is(&new, &when);
        world.assert_nothing_left();
        if !was_resumable {
            assert_eq!(result["went_on_with"], Value::Null, "{when}");
            continue;
        }
        assert_eq!(result["went_on_with"]["job"], dead.as_str(), "{when}");
        assert!(!resumable(&world, &dead), "{when}: it was used");
        let mut live = BTreeSet::new();
        inodes(&world.root(), &mut live);
        let kept = staged.intersection(&live).count() as u64;
        let files = result["went_on_with"]["files"].as_u64().unwrap();
        assert!(kept >= files / 2, "{when}: {files} files taken over, {kept} of them are the same files");
        let rows = rows_inserted(&world) - before;
        best = json!({"files_taken_over": files, "files": result["files"]["files"], "files_unchanged": result["files"]["unchanged"],
            "tables_taken_over": result["went_on_with"]["tables"], "tables_unchanged": result["database"]["unchanged"], "rows_inserted": rows, "rows_inserted_from_the_start": all_rows});
    }
    // The last point is just before the change-over: everything was there.
    let number = |field: &str| best[field].as_u64().unwrap_or_else(|| panic!("no restore went on: {best}"));
    // The others are live as the backup has them.
    assert!((number("files_taken_over") + number("files_unchanged")) * 10 > number("files") * 9, "{best}");
    assert!(number("tables_taken_over") > 5 && number("tables_taken_over") + number("tables_unchanged") > 15, "{best}");
    // MySQL counts the rows of its own dictionary, too.
    let share = if Release::tested().is_mysql() { 2 } else { 4 };
    assert!(number("rows_inserted") * share < number("rows_inserted_from_the_start"), "{best}");
    report("a19", best);
}

#[test]
fn a19_killed_again_and_again_it_gets_there() {
    let (world, _, old) = World::damaged();
    world.harness("save", &["damaged"]);
    world.harness("reset", &["damaged"]);
    let request = json!({"domain": DOMAIN});
    let (_, trace) = world.watch("restore_start", &request);
    let new = world.digest();
    world.harness("reset", &["damaged"]);
    for part in 1..5 {
        let (dead, _) = world.kill_before(trace.change_over() * part / 5, "restore_start", &request);
        world.await_end(&dead);
        world.digest().assert_is(&old, "killed once more");
    }
    world.call("restore_start", json!({"domain": DOMAIN, "wait": true}));
    world.digest().assert_is(&new, "in the end");
    world.assert_nothing_left();
}

#[test]
fn a20_another_backup_is_refused_once_and_then_restored_from_the_start() {
    let (world, good, old) = World::damaged();
    let request = json!({"domain": DOMAIN});
    world.harness("save", &["damaged"]);
    let (first, trace) = world.watch("restore_start", &request);
    world.call("rollback", json!({"domain": DOMAIN, "job": first, "wait": true}));
    world.digest().assert_is(&old, "rolled back");
    let (dead, reached) = world.kill_before(trace.change_over() * 9 / 10, "restore_start", &request);
    assert!(reached);
    world.await_end(&dead);
    assert!(resumable(&world, &dead));
    // The same bytes under the same name, but not the file that was read.
    let folder = world.place().join("base/backups").join(DOMAIN);
    let backup = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
    let backup = backup.into_iter().find(|path| path.to_string_lossy().ends_with(".tar.gz")).unwrap();
    let copy = backup.with_extension("copy");
    std::fs::copy(&backup, &copy).unwrap();
    std::fs::rename(&copy, &backup).unwrap();
    let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(error["code"], "backup_changed", "{error}");
    assert_eq!(error["context"]["interrupted"], dead.as_str(), "{error}");
    world.digest().assert_is(&old, "refused");
    world.assert_nothing_left();
    let result = world.call("restore_start", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(result["went_on_with"], Value::Null);
    world.digest().assert_is(&good, "started once more");
    world.assert_nothing_left();
}

#[test]
fn a19_a_recovery_by_name_waits_for_one_that_began_by_itself() {
    let (world, _, old) = World::damaged();
    let request = json!({"domain": DOMAIN});
    let (first, trace) = world.watch("restore_start", &request);
    world.call("rollback", json!({"domain": DOMAIN, "job": first, "wait": true}));
    let (dead, _) = world.kill_before(trace.change_over() * 9 / 10, "restore_start", &request);
    let pid = std::fs::read_to_string(world.place().join("run/db.pid")).unwrap();
    let signal = |name: &str| assert!(Command::new("kill").args([name, pid.trim()]).status().unwrap().success());
    // The recovery that a poll starts hangs at the server, longer than the three seconds it once had.
    signal("-STOP");
    world.poll(&dead);
    let by_name = World::job(&world.call("recover", json!({})));
    sleep(Duration::from_millis(4500));
    signal("-CONT");
    let status = world.await_end(&by_name);
    assert_eq!(status["state"], "done", "{status}");
    assert_eq!(status["result"]["busy"], json!([]), "{status}");
    world.assert_nothing_left();
    world.digest().assert_is(&old, "recovered");
}

#[test]
fn a19_another_restore_or_a_recovery_by_name_removes_what_was_set_aside() {
    let (world, _, old) = World::damaged();
    let request = json!({"domain": DOMAIN});
    let (first, trace) = world.watch("restore_start", &request);
    world.call("rollback", json!({"domain": DOMAIN, "job": first, "wait": true}));
    let set_aside = || {
        let (dead, _) = world.kill_before(trace.change_over() * 9 / 10, "restore_start", &request);
        world.await_end(&dead);
        assert!(resumable(&world, &dead));
        assert_ne!(world.harness("strays", &[]), "", "something is set aside");
        // It is in use as long as it may be wanted.
        world.call("cleanup", json!({"wait": true}));
        assert!(resumable(&world, &dead));
        dead
    };
    let dead = set_aside();
    let recovered = world.call("recover", json!({"wait": true}));
    assert_eq!(recovered["recovered"][0]["job"], dead.as_str(), "{recovered}");
    world.assert_nothing_left();
    world.digest().assert_is(&old, "recovered");

    let dead = set_aside();
    let result = world.call("restore_start", json!({"domain": DOMAIN, "components": {"files": true}, "wait": true}));
    assert_eq!(result["went_on_with"], Value::Null);
    assert!(!resumable(&world, &dead));
    world.assert_nothing_left();
    world.call("rollback", json!({"domain": DOMAIN, "job": result["job"], "wait": true}));

    // Time removes it too.
    let dead = set_aside();
    let mark = world.place().join("base/restore_jobs").join(&dead).join("set_aside");
    let past = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3600);
    std::fs::File::options().write(true).open(mark).unwrap().set_modified(past).unwrap();
    let cleaned = world.call("cleanup", json!({"wait": true}));
    assert_eq!(cleaned["interrupted"], json!([dead]), "{cleaned}");
    world.assert_nothing_left();
    world.digest().assert_is(&old, "cleaned up");
}
