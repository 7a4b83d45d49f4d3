//! A: crashes of the worker. It dies at every step there is; recovery brings the site to one side or the other, nothing is left.

use crate::world::crash::{Call, Trace, thinned};
use crate::world::oracle::Side;
use crate::world::stage::{Outcome, Stage, kinds};
use crate::world::trial::{Dice, is_long, points, report, seed, spread};
use crate::world::{self, DOMAIN, World, is_alive, worker};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Kills the worker of a job before each of these calls.
fn killed_before(case: &str, kind: usize, few: usize, calls: impl Fn(&Trace) -> Vec<Call>) {
    let (name, request) = kinds()[kind].clone();
    all_killed_before(case, (name, &Stage::set(request)), few, calls);
}

/// The same, where files that are live as the backup has them stay.
fn killed_before_in_common(case: &str, few: usize, calls: impl Fn(&Trace) -> Vec<Call>) {
    let stage = Stage::set_in_common(kinds()[0].1.clone());
    stage.trace.that_writes("\"step\":\"parts\"");
    all_killed_before(case, ("in_common", &stage), few, calls);
}

fn all_killed_before(case: &str, (name, stage): (&str, &Stage), few: usize, calls: impl Fn(&Trace) -> Vec<Call>) {
    let all = calls(&stage.trace);
    assert!(all.len() > 12, "{all:?}");
    let outcome = stage.kill_before_each(&points(&all, few));
    outcome.report(case, name, all.len());
    assert!(outcome.old > 0 && outcome.new > 0, "{outcome:?}");
}

#[test]
fn a01_killed_before_and_after_each_record_of_the_journal_full() {
    killed_before("a01", 0, 4, Trace::records);
}

#[test]
fn a01_killed_before_and_after_each_record_of_the_journal_in_common() {
    killed_before_in_common("a01", 4, Trace::records);
}

#[test]
fn a01_killed_before_and_after_each_record_of_the_journal_parts() {
    killed_before("a01", 1, 4, Trace::records);
}

#[test]
fn a02_killed_at_each_call_that_changes_anything_from_the_change_over_on_full() {
    killed_before("a02", 0, 5, Trace::since_change_over);
}

#[test]
fn a02_killed_at_each_call_that_changes_anything_from_the_change_over_on_in_common() {
    killed_before_in_common("a02", 5, Trace::since_change_over);
}

#[test]
fn a02_killed_at_each_call_that_changes_anything_from_the_change_over_on_parts() {
    killed_before("a02", 1, 5, Trace::since_change_over);
}

#[test]
fn a02_killed_at_a_random_call_while_it_stages() {
    let stage = Stage::set(kinds()[0].1.clone());
    let seed = seed("a02");
    let mut dice = Dice(seed);
    let staging = stage.trace.change_over() as u64;
    let mut outcome = Outcome::default();
    for _ in 0..if is_long() { 60 } else { 3 } {
        let number = dice.below(staging) as usize + 1;
        let (_, reached) = stage.kill_before(number);
        let side = stage.settle(&format!("killed before call {number}, while staging"));
        assert_eq!(side, Side::Old, "call {number}");
        outcome.count(side, reached);
    }
    outcome.report("a02_staging", &format!("full, seed {seed}"), staging as usize);
}

/// The recovery is killed, the recovery of that too; the third one gets there.
#[test]
fn a03_killed_during_the_recovery_and_during_the_next_one() {
    for (name, request) in kinds().into_iter().take(if is_long() { 2 } else { 1 }) {
        let stage = Stage::set(request);
        let records = stage.trace.records();
        let mut outcome = Outcome::default();
        let mut of = 0;
        // A hundred of the pairs: each takes four workers.
        for fault in spread(&points(&records[records.len() / 3..], 2), 10) {
            let die = || assert!(stage.kill_before(fault.number).1, "{fault:?}");
            die();
            let (_, trace) = stage.world.watch("recover", &json!({"domain": DOMAIN}));
            stage.settle("recovered at the first try");
            of += trace.calls.len();
            for call in spread(&points(&thinned(&trace.calls), 2), 10) {
                die();
                for _ in 0..2 {
                    stage.world.kill_before(call.number, "recover", &json!({"domain": DOMAIN}));
                }
                let when = format!("killed before {fault:?}, recoveries killed before {call:?}");
                outcome.count(stage.settle(&when), true);
            }
        }
        outcome.report("a03", name, of);
    }
}

/// A job that has to go back by itself, killed on its way: it ends on the old side.
#[test]
fn a04_killed_at_each_step_of_the_automatic_rollback() {
    // Not of parts: where the page was no better before, they do not go back for it.
    for (name, request) in kinds().into_iter().take(1) {
        let stage = Stage::set(request);
        // The restored site's page is never what is asked for.
        let toml = stage.world.place().join("restore.toml");
        let text = std::fs::read_to_string(&toml).unwrap();
        std::fs::write(&toml, text.replace("[http]\n", "[http]\nexpect_status = [418]\n")).unwrap();
        stage.world.strike_at(0, 9);
        let job = stage.world.run_to_its_end("restore_start", &stage.request);
        let status = stage.world.poll(&job);
        assert_eq!(
            (&status["state"], &status["error"]["context"]["phase"]),
            (&json!("rolled_back"), &json!("live verification")),
            "{status}"
        );
        let trace = stage.world.last_trace();
        stage.world.use_helper(None);
        assert_eq!(stage.settle("gone back by itself"), Side::Old);
        let first = trace.that_writes("\"record\":\"undo\"").number - 1;
        let all = trace.calls[first..].to_vec();
        let outcome = stage.kill_before_each(&points(&thinned(&all), 4));
        outcome.report("a04", name, all.len());
        assert_eq!(outcome.new, 0, "{outcome:?}");
    }
}

/// A rollback that somebody asked for is a change-over like any other.
#[test]
fn a04_killed_during_a_rollback_to_a_kept_snapshot() {
    for (name, request) in kinds().into_iter().take(if is_long() { 2 } else { 1 }) {
        let stage = Stage::set(request);
        let restore = || {
            World::job(
                &stage.world.call("restore_start", world::with_fields(stage.request.clone(), &json!({"wait": true}))),
            )
        };
        let back = |job: &str| json!({"domain": DOMAIN, "job": job});
        let (_, trace) = stage.world.watch("rollback", &back(&restore()));
        stage.world.digest().assert_is(&stage.old, "rolled back");
        let all = trace.since_change_over();
        let mut outcome = Outcome::default();
        for call in points(&all, 3) {
            stage.reset();
            let job = restore();
            let (_, reached) = stage.world.kill_before(call.number, "rollback", &back(&job));
            // From the restored side to the damaged one: what was new is where it comes from.
            outcome.count(
                stage.world.oracle(&stage.new, &stage.old, &format!("rollback killed before {call:?}")),
                reached,
            );
        }
        outcome.report("a04_rollback", name, all.len());
    }
}

/// A stage whose job died so many calls after it announced the exchange (fdatasync, exchange, fsync …), and its journal.
fn half_way(calls_after_intent: usize) -> (Stage, std::path::PathBuf) {
    let stage = Stage::set(kinds()[0].1.clone());
    let exchange = stage.trace.that_writes("\"step\":\"exchange\"");
    let (job, reached) = stage.kill_before(exchange.number + calls_after_intent);
    assert!(reached);
    let journal = stage.world.place().join("base/restore_jobs").join(job).join("journal");
    (stage, journal)
}

#[test]
fn a07_a_torn_last_record_is_as_if_it_had_not_been_written() {
    let (stage, journal) = half_way(1);
    let whole = std::fs::read(&journal).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    std::fs::write(&journal, &whole[..last + (whole.len() - last) / 2]).unwrap();
    assert_eq!(stage.settle("the last record is torn"), Side::Old);
}

#[test]
fn a08_a_damaged_journal_is_touched_by_nobody_and_good_again_once_it_is_mended() {
    let (stage, journal) = half_way(3);
    let half = stage.world.digest();
    let whole = std::fs::read(&journal).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 4;
    std::fs::write(&journal, &flipped).unwrap();
    let error = stage.world.refused("recover", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(
        (&error["code"], &error["context"]["cause"]),
        (&json!("needs_operator"), &json!("journal_corrupt")),
        "{error}"
    );
    assert!(!error["hint"].as_str().unwrap().is_empty());
    stage.world.digest().assert_is(&half, "a damaged journal is no reason to do anything");
    assert_eq!(std::fs::read(&journal).unwrap(), flipped);
    // No other job is begun over it.
    assert_eq!(stage.world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}))["code"], "needs_operator");
    std::fs::write(&journal, &whole).unwrap();
    assert_eq!(stage.settle("mended"), Side::Old);
}

/// A client with an open transaction on a table of the site.
struct Transaction(std::process::Child);

impl Transaction {
    fn open(world: &World, table: &str) -> Transaction {
        let mut child = Command::new("mariadb")
            .args(["--no-defaults", "--batch", "--skip-column-names", "--unbuffered", "--user=root"])
            .arg(format!("--socket={}", world.place().join("run/db.sock").display()))
            .arg("shop")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.as_mut().unwrap();
        writeln!(stdin, "BEGIN; SELECT COUNT(*) FROM {table};").unwrap();
        let mut answer = [0; 1];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut answer).unwrap();
        Transaction(child)
    }

    fn close(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[test]
fn a13_a_rename_that_waits_when_its_worker_dies_does_not_land_later() {
    let stage = Stage::set(kinds()[0].1.clone());
    let transaction = Transaction::open(&stage.world, "wp_posts");
    let job = World::job(&stage.world.call("restore_start", stage.request.clone()));
    let begun = Instant::now();
    let waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata%' AND INFO LIKE 'RENAME%'";
    while stage.world.harness("sql", &[waits]) == "0" {
        assert!(begun.elapsed() < Duration::from_secs(30), "no RENAME waits: {}", stage.world.poll(&job));
    }
    assert!(World::kill_worker(&job));
    stage.world.call("recover", json!({"wait": true}));
    transaction.close();
    sleep(Duration::from_millis(1500));
    assert_eq!(stage.settle("the lock was released after the recovery"), Side::Old);
}

#[test]
fn a14_an_applied_rename_whose_answer_was_lost_is_seen() {
    let stage = Stage::set(kinds()[0].1.clone());
    let rename = stage.trace.that_writes("RENAME TABLE `shop`");
    let (job, reached) = stage.kill_before(rename.number + 1);
    assert!(reached);
    // Its worker is dead, its note of the RENAME is not there, and the tables have moved.
    let journal =
        std::fs::read_to_string(stage.world.place().join("base/restore_jobs").join(job).join("journal")).unwrap();
    assert!(journal.lines().last().unwrap().contains("\"step\":\"switch\""), "{journal}");
    let begun = Instant::now();
    while !stage.world.harness("sql", &["SHOW TABLES FROM shop LIKE 'wp_comments'"]).contains("wp_comments") {
        assert!(begun.elapsed() < Duration::from_secs(10), "the RENAME did not land");
    }
    stage.settle("the answer to the RENAME was lost");
}

#[test]
fn a16_of_two_recoveries_one_runs_and_the_other_is_told() {
    let (stage, _) = half_way(3);
    // The first one stands still in the middle.
    let (first, pid) = stage.world.stop_before(40, "recover", &json!({"domain": DOMAIN}));
    let error = stage.world.refused("recover", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(error["code"], "busy", "{error}");
    let all = stage.world.call("recover", json!({"wait": true}));
    assert_eq!((&all["recovered"], &all["busy"]), (&json!([]), &json!([DOMAIN])), "{all}");
    assert!(Command::new("kill").args(["-CONT", &pid.to_string()]).status().unwrap().success());
    assert_eq!(stage.world.await_end(&first)["state"], "done");
    assert_eq!(stage.settle("two recoveries"), Side::Old);
}

/// What the boot runs (`make install` fills in the prefix): nothing is left unfinished afterwards, nor set aside.
#[test]
fn a15_the_boot_finishes_or_undoes_everything() {
    let unit =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/rocketvps-restore-recover.service.in"))
            .unwrap();
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let command = command.replace("@PREFIX@/bin/rocketvps-restore", env!("CARGO_BIN_EXE_rocketvps-restore"));
    let stage = Stage::set(kinds()[0].1.clone());
    let toml = stage.world.place().join("restore.toml");
    let boot = || Command::new("sh").args(["-c", &command]).env("RV_CONFIG", &toml).output().unwrap();
    let change_over = stage.trace.change_over();
    for number in
        [change_over / 2, stage.trace.that_writes("\"step\":\"exchange\"").number + 3, stage.trace.calls.len() - 20]
    {
        assert!(stage.kill_before(number).1);
        let output = boot();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        stage.world.assert_nothing_left();
        assert_eq!(
            stage.world.call("recover", json!({"wait": true}))["recovered"],
            json!([]),
            "the boot left something"
        );
        stage.settle(&format!("booted after a crash before call {number}"));
    }
    assert!(boot().status.success(), "with nothing to do");
}

#[test]
fn a18_signals_are_a_cancel_or_nothing() {
    let stage = Stage::set(kinds()[0].1.clone());
    let half = stage.trace.change_over() / 2;
    let committing = stage.trace.that_writes("\"step\":\"exchange\"").number;
    for (signal, number) in [("HUP", half), ("TERM", half), ("INT", half), ("TERM", committing), ("HUP", committing)] {
        let (job, pid) = stage.world.stop_before(number, "restore_start", &stage.request);
        for signal in [signal, "CONT"] {
            assert!(Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap().success());
        }
        let status = stage.world.await_end(&job);
        stage.world.await_worker(&job);
        let side = stage.settle(&format!("SIG{signal} at call {number}"));
        match (signal, &status["state"]) {
            ("HUP", state) => assert_eq!((state, side), (&json!("done"), Side::New), "{status}"),
            (_, state) if side == Side::Old => {
                assert_eq!((state, &status["error"]["code"]), (&json!("rolled_back"), &json!("cancelled")), "{status}");
            }
            (_, state) => panic!("SIG{signal} at call {number} did not cancel: {state}"),
        }
    }
}

/// The worker is no longer who the lock says: it was stopped, taken for dead, and somebody had removed the lock files.
#[test]
fn a_late_worker_ends_and_changes_nothing() {
    let stage = Stage::set(kinds()[0].1.clone());
    let locks = stage.world.place().join("base/restore_jobs/.locks").join(DOMAIN);
    for number in [stage.trace.change_over() / 2, stage.trace.that_writes("\"step\":\"exchange\"").number] {
        let (job, pid) = stage.world.stop_before(number, "restore_start", &stage.request);
        let text = std::fs::read(&locks).unwrap();
        std::fs::remove_file(&locks).unwrap();
        std::fs::write(&locks, &text).unwrap();
        // Its own lock says that it lives: nobody goes on without it.
        let error = stage.world.refused("recover", json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(error["code"], "busy", "{error}");
        std::fs::remove_file(stage.world.place().join("base/restore_jobs").join(&job).join("alive")).unwrap();
        let side = stage.world.oracle(&stage.old, &stage.new, "recovered beside a worker that stands still");
        assert_eq!(side, Side::Old);
        assert!(Command::new("kill").args(["-CONT", &pid.to_string()]).status().unwrap().success());
        let begun = Instant::now();
        while is_alive(pid) {
            assert!(begun.elapsed() < Duration::from_secs(30), "the late worker goes on");
            sleep(Duration::from_millis(10));
        }
        assert_eq!(worker(&job), None);
        assert_ne!(stage.world.poll(&job)["state"], "done");
        let side = stage.world.oracle(&stage.old, &stage.new, "after the late worker went on");
        assert_eq!(side, Side::Old, "before call {number}");
    }
    report("a_late_worker", json!({"points": 2}));
}
