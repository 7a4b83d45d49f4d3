//! A: crashes of the services that a job works with. The database server dies while it loads, renames and goes back.

use crate::world::oracle::Side;
use crate::world::stage::{Outcome, Stage, kinds};
use crate::world::trial::{Dice, is_long, report, seed};
use crate::world::{DOMAIN, World};
use serde_json::json;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

fn full() -> Stage {
    Stage::set(kinds()[0].1.clone())
}

fn kill_database(world: &World) {
    world.harness("stop", &["KILL", "database"]);
}

fn start_database(world: &World) {
    world.harness("start", &["database"]);
}

fn go_on(pid: u32) {
    assert!(Command::new("kill").args(["-CONT", &pid.to_string()]).status().unwrap().success());
}

#[test]
fn a09_the_database_dies_while_it_loads() {
    let stage = full();
    let seed = seed("a09");
    let mut dice = Dice(seed);
    let staging = stage.trace.change_over() as u64;
    let mut outcome = Outcome::default();
    for _ in 0..if is_long() { 15 } else { 2 } {
        let number = (staging / 5 + dice.below(staging * 3 / 5)) as usize;
        let (job, pid) = stage.world.stop_before(number, "restore_start", &stage.request);
        kill_database(&stage.world);
        go_on(pid);
        let status = stage.world.await_end(&job);
        let state = status["state"].as_str().unwrap();
        assert!(["failed", "rolled_back"].contains(&state), "{status}");
        assert_eq!(status["error"]["code"], "database_unreachable", "{status}");
        start_database(&stage.world);
        outcome.count(stage.settle(&format!("the server died when the worker was at call {number}")), true);
    }
    assert_eq!(outcome.new, 0);
    outcome.report("a09", &format!("full, seed {seed}"), staging as usize);
    stage.world.restore();
    stage.world.digest().assert_is(&stage.new, "the next restore");
}

/// RENAME TABLE of 200 tables: whenever the server dies, all of them have moved or none.
#[test]
fn a10_the_database_dies_within_a_rename_of_two_hundred_tables() {
    let world = World::up();
    let tables: String = (0..200)
        .map(|number| format!("CREATE TABLE shop.many_{number} (id INT PRIMARY KEY); INSERT INTO shop.many_{number} VALUES ({number});"))
        .collect();
    world.harness("sql", &[&tables]);
    let request = json!({"domain": DOMAIN, "options": {"accept": ["change_over"]}});
    let stage = Stage::of(world, request);
    let rename = stage.trace.that_writes("RENAME TABLE `shop`").number;
    let (mut outcome, mut took) = (Outcome::default(), Duration::from_millis(400));
    let tries = if is_long() { 50 } else { 3 };
    for number in 0..tries {
        // It stands still before it sends the statement; then the clock runs.
        let (job, pid) = stage.world.stop_before(rename, "restore_start", &stage.request);
        go_on(pid);
        let begun = Instant::now();
        sleep(took * number / tries);
        kill_database(&stage.world);
        start_database(&stage.world);
        stage.world.await_end(&job);
        if number == 0 {
            // How long it takes when nobody disturbs it: the range over which the others are spread.
            took = begun.elapsed().min(Duration::from_millis(600));
        }
        outcome.count(
            stage.settle(&format!("the server died {:?} after the RENAME was sent", took * number / tries)),
            true,
        );
    }
    outcome.report("a10", "full, 200 more tables", 50);
}

/// The job is done; only its emptied schema was still to go.
#[test]
fn a10_the_database_dies_while_the_job_clears_up() {
    let stage = full();
    let verified = stage.trace.calls.iter().rfind(|call| call.text.contains("GET / HTTP/1.1")).unwrap().number;
    let dropped = stage.trace.that_writes("DROP DATABASE IF EXISTS `rvs_").number;
    // In the middle: a call more or less is none.
    let (job, pid) = stage.world.stop_before(usize::midpoint(verified, dropped), "restore_start", &stage.request);
    kill_database(&stage.world);
    go_on(pid);
    let status = stage.world.await_end(&job);
    start_database(&stage.world);
    assert_eq!(status["state"], "done", "{}", status["error"]);
    assert!(stage.world.harness("strays", &[]).starts_with("schema rvs_"), "nothing was left to be cleared up");
    assert_eq!(stage.settle("the server died before the clean-up"), Side::New);
}

#[test]
fn a11_the_database_is_away_after_the_files_were_exchanged() {
    let stage = full();
    let define = stage.trace.that_writes("\"step\":\"define\"").number;
    let (job, pid) = stage.world.stop_before(define, "restore_start", &stage.request);
    kill_database(&stage.world);
    go_on(pid);
    sleep(Duration::from_millis(300));
    start_database(&stage.world);
    let status = stage.world.await_end(&job);
    assert_ne!(status["state"], "done", "{status}");
    assert_eq!(stage.settle("the server was away for a moment"), Side::Old);
}

#[test]
fn a12_the_database_stays_away_during_the_way_back() {
    let stage = full();
    let define = stage.trace.that_writes("\"step\":\"define\"").number;
    let (job, pid) = stage.world.stop_before(define, "restore_start", &stage.request);
    kill_database(&stage.world);
    go_on(pid);
    let status = stage.world.await_end(&job);
    assert_eq!(
        (&status["state"], &status["error"]["code"]),
        (&json!("needs_operator"), &json!("needs_operator")),
        "{status}"
    );
    let hint = status["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("Start the database server") && hint.contains("rocketvps-restore recover"), "{hint}");
    // A server that is back in between gets no trigger of the old tables onto the new ones, where it would keep them from moving.
    assert!(
        status["events"].to_string().contains("not undone before the tables are back: take the triggers"),
        "{status}"
    );
    // The files are back although the tables are not: the most of the site that can go back goes back.
    assert_eq!(stage.world.harness("manifest", &["files"]), stage.old.files);
    // Nothing is begun over it, and a recovery without the server says the same.
    assert_eq!(stage.world.refused("recover", json!({"wait": true}))["code"], "needs_operator");
    start_database(&stage.world);
    assert_eq!(stage.settle("the server is back"), Side::Old);
    assert_eq!(stage.world.poll(&job)["state"], "rolled_back");
}

#[test]
fn a12_the_database_dies_during_a_rollback_that_was_asked_for() {
    let stage = full();
    let job = World::job(&stage.world.restore());
    let back = json!({"domain": DOMAIN, "job": job});
    let (_, trace) = stage.world.watch("rollback", &back);
    let switch = trace.that_writes("RENAME TABLE `shop`").number;
    for number in [switch, switch + 1, trace.that_writes("\"step\":\"exchange\"").number] {
        stage.reset();
        let back = json!({"domain": DOMAIN, "job": World::job(&stage.world.restore())});
        let (job, pid) = stage.world.stop_before(number, "rollback", &back);
        kill_database(&stage.world);
        go_on(pid);
        sleep(Duration::from_millis(300));
        start_database(&stage.world);
        stage.world.await_end(&job);
        stage.world.oracle(&stage.new, &stage.old, &format!("the server died when the rollback was at call {number}"));
    }
    report("a12", json!({"points": 3}));
}

#[test]
fn a17_php_fpm_restarts_while_a_job_runs_and_the_job_gets_done() {
    let stage = full();
    let exchange = stage.trace.that_writes("\"step\":\"exchange\"").number;
    for number in [stage.trace.change_over() / 2, stage.trace.change_over() - 10, exchange] {
        let (job, pid) = stage.world.stop_before(number, "restore_start", &stage.request);
        stage.world.harness("stop", &["KILL", "php_fpm"]);
        stage.world.harness("start", &["php_fpm"]);
        go_on(pid);
        let status = stage.world.await_end(&job);
        assert_eq!(status["state"], "done", "before call {number}: {}", status["error"]);
        stage.world.await_worker(&job);
        assert_eq!(stage.settle(&format!("PHP-FPM was restarted before call {number}")), Side::New);
    }
}
