//! Drills: the newest backup of each domain is rehearsed, and what came of it is kept, measured and told.

use crate::hooks::put;
use crate::world::{DOMAIN, World, schema, worker};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const NEIGHBOUR: &str = "neighbour.example";

impl World {
    fn drilling(&self, words: &[&str]) -> Command {
        let mut command = self.program();
        command.args(words).stdin(Stdio::null());
        command
    }

    fn drill(&self, words: &[&str]) -> Output {
        self.drilling(words).output().unwrap()
    }

    fn drills(&self, domain: &str) -> Vec<Value> {
        self.call("list_drills", json!({"domain": domain}))["drills"].as_array().unwrap().clone()
    }

    /// The metrics go here, and who is told writes it there.
    fn listens(&self) -> (PathBuf, PathBuf) {
        let (metrics, told) = (self.place().join("tmp/restore.prom"), self.place().join("tmp/told"));
        self.set("drills", &format!("metrics = \"{}\"", metrics.display()));
        self.set("notify", &format!("command = \"tee {}\"", told.display()));
        (metrics, told)
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8_lossy(&output.stderr)
}

/// The values of a metric, by its labels.
fn values(metrics: &str, name: &str) -> Vec<String> {
    let name = format!("rocketvps_restore_drill_{name}{{");
    metrics.lines().filter_map(|line| Some(line.strip_prefix(&name)?.to_owned())).collect()
}

#[test]
fn the_backups_of_all_domains_are_drilled_and_a_good_one_is_measured() {
    let (world, _, damaged) = World::damaged();
    let (metrics, told) = world.listens();
    world.set("drills", &format!("skip = [\"{NEIGHBOUR}\"]"));
    let output = world.drill(&["drill"]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains(DOMAIN) && text.contains("works") && text.contains("1 proven"), "{text}");
    assert!(!text.contains(NEIGHBOUR), "{text}");
    world.digest().assert_is(&damaged, "a drill changes nothing that is live");
    world.assert_nothing_left();

    let [drill] = &world.drills(DOMAIN)[..] else { panic!("one drill") };
    assert_eq!(drill["outcome"], "pass", "{drill}");
    let recovery = drill["recovery_s"].as_f64().unwrap();
    assert!(recovery > 0.0 && recovery < 300.0, "{drill}");
    // The world's backups have the date of their making.
    let backup = world.call("list_backups", json!({"domain": DOMAIN}))["backups"][0].clone();
    assert_eq!(drill["source"], backup["path"]);
    let job = world.call("restore_poll", json!({"job": drill["job"]}));
    assert_eq!((&job["kind"], &job["state"]), (&json!("rehearse"), &json!("done")));

    let metrics = std::fs::read_to_string(metrics).unwrap();
    assert_eq!(values(&metrics, "success"), [format!("domain=\"{DOMAIN}\"}} 1")]);
    assert_eq!(values(&metrics, "proven"), [format!("domain=\"{DOMAIN}\"}} 1")]);
    assert_eq!(values(&metrics, "recovery_seconds"), [format!("domain=\"{DOMAIN}\"}} {recovery}")]);
    let age = drill["backup_age_s"].as_u64().unwrap();
    assert_eq!(values(&metrics, "backup_age_seconds"), [format!("domain=\"{DOMAIN}\"}} {age}")]);
    assert!(!told.exists(), "nobody is told of what works");

    let listed = out(&world.drill(&["drills", DOMAIN]));
    assert!(listed.contains("works") && listed.lines().count() == 1, "{listed}");
}

#[test]
fn a_drill_that_fails_is_told_and_the_good_ones_are_not_lost_by_it() {
    let (world, _, damaged) = World::damaged();
    let (metrics, told) = world.listens();
    assert_eq!(world.drill(&["drill", DOMAIN]).status.code(), Some(0));
    // Cut off in the middle: the newest backup is of no use.
    let newest =
        world.call("list_backups", json!({"domain": DOMAIN}))["backups"][0]["path"].as_str().unwrap().to_owned();
    let bytes = std::fs::read(&newest).unwrap();
    std::fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    let output = world.drill(&["drill", "--json"]);
    assert_eq!(output.status.code(), Some(60), "{}", out(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let drills = document["data"]["drills"].as_array().unwrap();
    // Who was never drilled comes first.
    let seen: Vec<_> = drills
        .iter()
        .map(|drill| (drill["domain"].as_str().unwrap(), drill["error"]["code"].as_str().unwrap()))
        .collect();
    assert_eq!(seen, [(NEIGHBOUR, "backup_not_found"), (DOMAIN, "backup_corrupt")], "{document}");
    assert_eq!(drills[1]["source"], newest.as_str());
    assert!(drills[1]["recovery_s"].is_null() && drills[0]["job"].is_null(), "{document}");
    world.digest().assert_is(&damaged, "a drill that failed changes nothing either");
    world.assert_nothing_left();

    let notification: Value = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
    schema::hold_drill_notification(&notification);
    assert_eq!((&notification["kind"], &notification["state"]), (&json!("drill"), &json!("failed")));
    assert_eq!(notification["drills"], document["data"]["drills"]);
    let metrics = std::fs::read_to_string(metrics).unwrap();
    let success = [format!("domain=\"{NEIGHBOUR}\"}} 0"), format!("domain=\"{DOMAIN}\"}} 0")];
    assert_eq!(values(&metrics, "success"), success);
    assert!(values(&metrics, "recovery_seconds").is_empty(), "{metrics}");

    let outcomes: Vec<_> = world.drills(DOMAIN).iter().map(|drill| drill["outcome"].clone()).collect();
    assert_eq!(outcomes, ["fail", "pass"], "newest first");
    let newest = world.call("list_drills", json!({}));
    let domains: Vec<_> = newest["drills"].as_array().unwrap().iter().map(|drill| drill["domain"].clone()).collect();
    assert_eq!(domains, [NEIGHBOUR, DOMAIN], "the newest of each, by name");
}

#[test]
fn a_domain_with_a_job_of_its_own_has_no_drill_and_two_runs_have_no_turn_at_once() {
    let (world, _, _) = World::damaged();
    let job = world.call("rehearse", json!({"domain": DOMAIN}))["job"].as_str().unwrap().to_owned();
    let started = Instant::now();
    while worker(&job).is_none() {
        assert!(started.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(10));
    }
    let pid = worker(&job).unwrap().to_string();
    assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    let output = world.drill(&["drill", DOMAIN]);
    let text = out(&output);
    assert!(Command::new("kill").args(["-CONT", &pid]).status().unwrap().success());
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains(&format!("{DOMAIN} has no drill this time")), "{text}");
    assert!(world.drills(DOMAIN).is_empty(), "a busy domain says nothing of its backup");
    world.await_end(&job);

    let mut first = world.drilling(&["drill", DOMAIN]).stdout(Stdio::null()).spawn().unwrap();
    let lock = world.place().join("base/restore_drills/lock");
    let started = Instant::now();
    // It has the lock by the time that its job is there.
    while !lock.exists() || world.call("list_jobs", json!({"domain": DOMAIN}))["jobs"].as_array().unwrap().len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(10));
    }
    let second = world.drill(&["drill", DOMAIN]);
    assert_eq!(second.status.code(), Some(17), "{}", out(&second));
    // Who stops it is told of no backup, and nothing stays of what was staged.
    assert!(Command::new("kill").arg(first.id().to_string()).status().unwrap().success());
    assert_eq!(first.wait().unwrap().code(), Some(62));
    assert!(world.drills(DOMAIN).is_empty());
    world.assert_nothing_left();
}

/// A restore of the latest backup passes over one that is known to be damaged. A drill does not: nobody else would notice.
#[test]
fn an_older_backup_that_works_does_not_hide_that_the_newest_does_not() {
    let (world, _, _) = World::damaged();
    let folder = world.place().join("base/backups").join(DOMAIN);
    let good =
        PathBuf::from(world.call("list_backups", json!({"domain": DOMAIN}))["backups"][0]["path"].as_str().unwrap());
    let newest = folder.join("backup_20991231_000000.tar.gz");
    let bytes = std::fs::read(&good).unwrap();
    std::fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    let looked = world.call("validate", json!({"domain": DOMAIN, "backup": newest, "wait": true}));
    assert_eq!(looked["outcome"], "fail");
    let output = world.drill(&["drill", DOMAIN]);
    assert_eq!(output.status.code(), Some(60), "{}", out(&output));
    let drill = &world.drills(DOMAIN)[0];
    assert_eq!((&drill["outcome"], &drill["source"]), (&json!("fail"), &json!(newest)), "{drill}");
    let message = drill["message"].as_str().unwrap();
    assert!(message.contains("backup_20991231_000000.tar.gz, is damaged"), "{message}");
    assert!(message.contains(good.file_name().unwrap().to_str().unwrap()), "{message}");
    let unknown = world.drill(&["drill", "typo.example"]);
    assert_eq!(unknown.status.code(), Some(12), "{}", out(&unknown));
    assert!(world.drills("typo.example").is_empty());
}

/// Who cancels a rehearsal stops that one; a history that cannot be written stops none, and what failed is told all the same.
#[test]
fn what_goes_wrong_with_one_drill_is_no_end_of_the_others() {
    let (world, _, _) = World::damaged();
    let (metrics, told) = world.listens();
    // Long enough at work for whoever looks for it on a busy machine.
    let slow = put(&world, "staged/10-slow", &format!("grep -qE '\"domain\": ?\"{DOMAIN}\"' || exit 0\nexec sleep 20"));
    let running = world.drilling(&["drill"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Its own job of the domain is cancelled each time that it tries.
    let started = Instant::now();
    let mut cancelled = Vec::new();
    while cancelled.len() < 2 {
        // The drills of both domains are niced: beside other tests each takes its time.
        assert!(started.elapsed() < Duration::from_secs(400));
        for job in world.call("list_jobs", json!({"domain": DOMAIN}))["jobs"].as_array().unwrap() {
            let name = job["job"].as_str().unwrap().to_owned();
            if !cancelled.contains(&name) {
                let answer = world.call("restore_cancel", json!({"job": name}));
                assert_eq!(answer["cancelling"], true, "{answer}");
                cancelled.push(name);
            }
        }
        sleep(Duration::from_millis(5));
    }
    let output = running.wait_with_output().unwrap();
    std::fs::remove_file(slow).unwrap();
    assert_eq!(output.status.code(), Some(60), "{}", out(&output));
    assert!(out(&output).contains(&format!("{DOMAIN} has no drill this time")), "{}", out(&output));
    assert!(world.drills(DOMAIN).is_empty());
    assert_eq!(world.drills(NEIGHBOUR).len(), 1);
    assert!(told.exists(), "the one that failed is told");
    assert_eq!(values(&std::fs::read_to_string(&metrics).unwrap(), "success"), [format!("domain=\"{NEIGHBOUR}\"}} 0")]);

    std::fs::remove_file(&told).unwrap();
    let history = world.place().join("base/restore_drills").join(format!("{NEIGHBOUR}.jsonl"));
    let before = std::fs::read(&history).unwrap();
    std::fs::write(&history, [&before[..], b"{\"of\": \"a newer version\"}\n"].concat()).unwrap();
    let blocked = world.place().join("base/restore_drills").join(format!("{DOMAIN}.jsonl"));
    std::fs::create_dir(&blocked).unwrap();
    let output = world.drill(&["drill"]);
    assert_eq!(output.status.code(), Some(41), "{}", out(&output));
    assert!(told.exists(), "what failed is told though one history cannot be written");
    let kept = String::from_utf8(std::fs::read(&history).unwrap()).unwrap();
    assert!(kept.lines().count() == 3 && kept.contains("a newer version"), "{kept}");
    assert_eq!(world.drills(NEIGHBOUR).len(), 2);
}
