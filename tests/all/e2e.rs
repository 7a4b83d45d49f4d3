//! The whole engine on a real MariaDB, PHP-FPM, nginx and WordPress, judged by the harness's own digest of the site, its
//! database, its configuration and a neighbour nobody may touch. Needs root and `scripts/install-deps.sh`.

use crate::world::oracle::Side;
use crate::world::{DOMAIN, Digest, FINAL, World};
use serde_json::{Value, json};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
fn a_damaged_site_is_as_it_was_in_the_backup_and_goes_back_and_forward() {
    let (world, good, damaged) = World::damaged();
    let first = World::job(&world.restore());
    world.digest().assert_is(&good, "good");
    world.assert_nothing_left();
    let status = world.poll(&first);
    assert_eq!(status["state"], "done");
    assert_eq!(status["percent"].as_f64().unwrap(), 100.0);

    let back = World::job(&world.call("rollback", json!({"domain": DOMAIN, "job": first, "wait": true})));
    world.digest().assert_is(&damaged, "damaged");
    world.assert_nothing_left();

    world.call("rollback", json!({"domain": DOMAIN, "job": back, "wait": true}));
    world.digest().assert_is(&good, "good");
    world.assert_nothing_left();
    assert!(world.harness("fetch", &["rv-probe.php"]).starts_with("RV files=backup db=backup posts=20"));
}

#[test]
fn components_left_out_stay_as_they_are() {
    let (world, good, damaged) = World::damaged();
    let part = |digest: &Digest, name: &str| match name {
        "files" => digest.files.clone(),
        "database" => digest.database.clone(),
        "config" => digest.config.clone(),
        _ => digest.neighbour.clone(),
    };
    for (component, others) in [
        ("files", ["database", "config"]),
        ("database", ["config", "neighbour"]),
        ("config", ["neighbour", "neighbour"]),
    ] {
        world.call("restore_start", json!({"domain": DOMAIN, "components": {component: true}, "wait": true}));
        let now = world.digest();
        assert!(part(&now, component) == part(&good, component), "{component}: {}", good.differences(&now));
        for other in others {
            assert!(part(&now, other) == part(&damaged, other), "{other} was left out: {}", damaged.differences(&now));
        }
    }
    world.digest().assert_is(&good, "good");
    world.assert_nothing_left();
}

#[test]
fn a_dry_run_changes_nothing() {
    let (world, _, damaged) = World::damaged();
    world.call("restore_start", json!({"domain": DOMAIN, "dry_run": true, "wait": true}));
    world.digest().assert_is(&damaged, "damaged");
    world.assert_nothing_left();
}

#[test]
fn a_cancelled_restore_leaves_the_site_as_it_was() {
    let (world, good, damaged) = World::damaged();
    for delay in [0, 60, 200] {
        let job = world.begin();
        sleep(Duration::from_millis(delay));
        world.call("restore_cancel", json!({"job": job}));
        let status = world.await_end(&job);
        if status["state"] == "done" {
            // It came too late: then the restore is whole.
            world.digest().assert_is(&good, "good");
            world.call("rollback", json!({"domain": DOMAIN, "job": job, "wait": true}));
        } else {
            assert_eq!(status["error"]["code"], "cancelled", "{status}");
        }
        world.digest().assert_is(&damaged, &format!("cancelled after {delay} ms"));
        world.assert_nothing_left();
    }
}

#[test]
fn a_killed_worker_leaves_one_side_or_the_other() {
    let (world, good, damaged) = World::damaged();
    let mut killed = 0;
    for delay in [5, 40, 90, 150, 220, 300, 400, 550, 750] {
        let before = world.digest();
        let job = world.begin();
        sleep(Duration::from_millis(delay));
        killed += u32::from(World::kill_worker(&job));
        let side = world.oracle(&before, &good, &format!("killed after {delay} ms"));
        world.await_end(&job);
        if side == Side::New {
            world.harness("damage", &[]);
            assert_ne!(world.digest(), good);
        }
    }
    assert!(killed > 0, "every restore ended before it was killed");
    // The next restore works as if nothing had been.
    assert_ne!(good, damaged);
    world.restore();
    world.digest().assert_is(&good, "good");
}

#[test]
fn a_worker_killed_between_the_end_of_its_job_and_the_clean_up_leaves_nothing() {
    let (world, good, _) = World::damaged();
    let job = World::job(&world.restore());
    // As its worker leaves it then: the journal is closed, the rest was not reached.
    let short = job.rsplit('_').next().unwrap();
    world.harness("sql", &[&format!("CREATE DATABASE rvs_{short}")]);
    world.harness("sql", &[&format!("CREATE USER rv_{short}@localhost")]);
    let jobs = world.place().join("base/restore_jobs");
    let path = jobs.join(&job).join("status.json");
    let mut status: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    status["state"] = json!("checking");
    std::fs::write(&path, status.to_string()).unwrap();
    std::fs::write(jobs.join(".locks").join(DOMAIN), &job).unwrap();
    assert_ne!(world.harness("strays", &[]), "");
    world.call("recover", json!({"wait": true}));
    assert_eq!(world.poll(&job)["state"], "done");
    world.assert_nothing_left();
    world.digest().assert_is(&good, "good");
}

#[test]
fn every_entry_point_takes_up_what_a_dead_worker_left() {
    let (world, good, _) = World::damaged();
    let before = world.digest();
    let job = world.begin();
    sleep(Duration::from_millis(100));
    World::kill_worker(&job);
    // Only a poll, no call to recover.
    let status = world.await_end(&job);
    let after = world.digest();
    assert!(after == before || after == good, "{status}");
    let strays = world.harness("strays", &[]);
    assert!(!strays.contains("account"), "{strays}");
    // What had been staged may be set aside, for the same restore to go on with; a recovery by name removes that too.
    world.oracle(&before, &good, "recovered by a poll, then by name");
}

#[test]
fn progress_never_goes_back_and_every_event_is_told_once() {
    let (world, _, _) = World::damaged();
    let job = world.begin();
    let (mut percent, mut seen) = (0.0, 0);
    loop {
        let status = world.call("restore_poll", json!({"job": job, "since": seen}));
        let now = status["percent"].as_f64().unwrap();
        assert!(now >= percent, "from {percent} to {now}");
        percent = now;
        for event in status["events"].as_array().unwrap() {
            assert_eq!(event["seq"].as_u64().unwrap(), seen + 1, "{event}");
            seen += 1;
        }
        if FINAL.contains(&status["state"].as_str().unwrap()) {
            assert_eq!(status["state"], "done", "{}", status["error"]);
            break;
        }
        sleep(Duration::from_millis(10));
    }
    assert!(seen > 0);
}

#[test]
fn a_server_that_dies_while_loading_leaves_the_files_alone() {
    let (world, _, _) = World::damaged();
    // A restarted server counts AUTO_INCREMENT from its rows again: let that be so before and after.
    world.harness("stop", &[]);
    world.harness("start", &[]);
    let before = world.digest();
    let job = world.begin();
    sleep(Duration::from_millis(120));
    let pid = std::fs::read_to_string(world.place().join("run/db.pid")).unwrap();
    Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap();
    let begun = Instant::now();
    while !FINAL.contains(&world.poll(&job)["state"].as_str().unwrap()) && begun.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(50));
    }
    let status = world.poll(&job);
    world.harness("stop", &[]);
    world.harness("start", &[]);
    // What could not be removed while the server was down goes with the next clean-up.
    world.call("recover", json!({"wait": true}));
    world.call("cleanup", json!({"wait": true}));
    let after = world.digest();
    if status["state"] == "done" {
        assert_ne!(after.files, before.files);
    } else {
        after.assert_is(&before, &status.to_string());
    }
    world.assert_nothing_left();
}

#[test]
fn the_logs_say_what_failed_and_hold_no_secret() {
    let (world, _, damaged) = World::damaged();
    // The newest backup is cut: the restore fails while it reads.
    let backups = world.place().join("base/backups").join(DOMAIN);
    let whole =
        std::fs::read_dir(&backups).unwrap().flatten().find(|entry| entry.path().extension().is_some()).unwrap();
    let bytes = std::fs::read(whole.path()).unwrap();
    std::fs::write(backups.join("backup_20990101_000000.tar.gz"), &bytes[..bytes.len() * 3 / 4]).unwrap();
    let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(error["code"], "backup_corrupt");
    world.digest().assert_is(&damaged, "damaged");
    world.assert_nothing_left();
    let logs = world.place().join("base/restore_logs").join(DOMAIN);
    let failed = std::fs::read_dir(&logs)
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().ends_with("_failed.log"))
        .expect("a _failed.log");
    let text = std::fs::read_to_string(failed.path()).unwrap();
    assert!(text.contains("backup_20990101_000000"), "{text}");
    let environment = std::fs::read_to_string(world.place().join("env")).unwrap();
    let password = environment.lines().find_map(|line| line.strip_prefix("WORLD_PASSWORD=")).unwrap();
    let output =
        Command::new("grep").args(["-rlF", password]).arg(world.place().join("base/restore_jobs")).arg(&logs).output();
    assert_eq!(String::from_utf8_lossy(&output.unwrap().stdout), "", "a secret was written down");
}
