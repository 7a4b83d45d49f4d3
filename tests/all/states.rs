//! How a job ends that did not do what was asked: each row of the table in docs/api.md, on a real site. Whatever the state, the site
//! is as it was before the job.

use crate::world::oracle::Side;
use crate::world::stage::{Stage, kinds};
use crate::world::{self, DOMAIN};
use serde_json::{Value, json};
use std::process::Command;

/// State, code and phase of an ended job.
fn ending(status: &Value) -> [&str; 3] {
    [&status["state"], &status["error"]["code"], &status["error"]["context"]["phase"]]
        .map(|value| value.as_str().unwrap_or("-"))
}

#[test]
fn each_way_to_end_has_its_state() {
    let stage = Stage::set(kinds()[0].1.clone());
    let world = &stage.world;
    let recover = || world.call("recover", json!({"domain": DOMAIN, "wait": true}));
    let (staging, committing) =
        (stage.trace.change_over() / 2, stage.trace.that_writes("\"step\":\"exchange\"").number + 1);

    // Nothing had been made.
    let stale = world::with_fields(stage.request.clone(), &json!({"plan_token": "0".repeat(64)}));
    let job = world.run_to_its_end("restore_start", &stale);
    assert_eq!(ending(&world.poll(&job)), ["failed", "plan_stale", "pre-flight"]);
    assert_eq!(stage.settle("failed in its pre-flight"), Side::Old);

    // Staged, and removed again.
    let (job, pid) = world.stop_before(staging, "restore_start", &stage.request);
    world.call("restore_cancel", json!({"job": job}));
    assert!(Command::new("kill").args(["-CONT", &pid.to_string()]).status().unwrap().success());
    assert_eq!(ending(&world.await_end(&job))[..2], ["rolled_back", "cancelled"]);
    assert_eq!(stage.settle("cancelled while it staged"), Side::Old);

    // Staged and set aside by whoever looks; what was set aside goes later, and that changes no end.
    let (job, reached) = stage.kill_before(staging);
    assert!(reached);
    assert_eq!(ending(&world.await_end(&job))[..2], ["failed", "worker_died"]);
    let is_resumable = || world.call("list_jobs", json!({"domain": DOMAIN}))["jobs"][1]["resumable"] == true;
    assert!(is_resumable(), "{}", world.call("list_jobs", json!({"domain": DOMAIN})));
    assert_eq!(recover()["recovered"][0], json!({"domain": DOMAIN, "job": job, "state": "failed"}));
    assert_eq!(ending(&world.poll(&job))[..2], ["failed", "worker_died"]);
    assert_eq!(stage.settle("set aside, then removed"), Side::Old);

    // Staged, and removed by the recovery at once.
    let (job, _) = stage.kill_before(staging);
    assert_eq!(recover()["recovered"][0], json!({"domain": DOMAIN, "job": job, "state": "rolled_back"}));
    assert_eq!(ending(&world.poll(&job))[..2], ["rolled_back", "worker_died"]);
    assert_eq!(stage.settle("removed by the recovery"), Side::Old);

    // In the change-over: undone once that can be done.
    let (job, _) = stage.kill_before(committing);
    let journal = world.place().join("base/restore_jobs").join(&job).join("journal");
    let whole = std::fs::read(&journal).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 4;
    std::fs::write(&journal, flipped).unwrap();
    assert_eq!(world.refused("recover", json!({"domain": DOMAIN, "wait": true}))["code"], "needs_operator");
    assert_eq!(ending(&world.poll(&job))[..2], ["needs_operator", "needs_operator"]);
    std::fs::write(&journal, whole).unwrap();
    assert_eq!(recover()["recovered"][0], json!({"domain": DOMAIN, "job": job, "state": "rolled_back"}));
    assert_eq!(ending(&world.poll(&job))[..2], ["rolled_back", "worker_died"]);
    assert_eq!(stage.settle("undone by the recovery"), Side::Old);

    // Live, and found wanting: the restored site's page is never what is asked for.
    let toml = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("[http]\n", "[http]\nexpect_status = [418]\n")).unwrap();
    let job = world.run_to_its_end("restore_start", &stage.request);
    assert_eq!(ending(&world.poll(&job)), ["rolled_back", "verification_failed", "live verification"]);
    std::fs::write(&toml, text).unwrap();
    assert_eq!(stage.settle("gone back by itself"), Side::Old);
}
