//! The operator's hooks on a real world: when they are run, what they are told, what they may stop, and what becomes of them when the
//! worker dies.

use crate::world::{DOMAIN, World, worker};
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

const MOMENTS: [&str; 7] = ["pre-flight", "staged", "before-commit", "committed", "rolled-back", "done", "failed"];

fn folder(world: &World) -> PathBuf {
    let other = world.place().join("hooks.d");
    if other.exists() { other } else { world.place().join("base/config/hooks.d") }
}

pub fn put(world: &World, name: &str, script: &str) -> PathBuf {
    let path = folder(world).join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn put_example(world: &World, name: &str, example: &str) {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks").join(example)).unwrap();
    put(world, name, text.strip_prefix("#!/bin/sh\n").unwrap());
}

fn config(world: &World, more: &str) {
    let path = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{text}\n{more}\n")).unwrap();
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(10));
    }
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Whether a `sleep` of just so long is there.
fn sleeps(time: &str) -> bool {
    let is = |bytes: Vec<u8>| bytes == format!("sleep\0{time}\0").into_bytes();
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(is))
}

/// What each hook was told, in the order in which they were run.
fn told(path: &Path) -> Vec<Value> {
    lines(path).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_moment_is_told_of_the_job_and_of_no_secret() {
    let (world, good, damaged) = World::damaged();
    let log = world.place().join("told");
    for moment in MOMENTS {
        put(
            &world,
            &format!("{moment}/10-note"),
            &format!("cat >>{0}; echo >>{0}; echo $RV_MOMENT $RV_DOMAIN", log.display()),
        );
    }
    put(&world, "staged/20-look", "ls -d $(sed 's/.*\"staged_tree\":\"\\([^\"]*\\)\".*/\\1/')/wp-config.php");
    // One of a tenant's is no hook.
    let theirs = world.root().join("hooks.d/staged/x");
    std::fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    std::fs::write(&theirs, format!("#!/bin/sh\necho theirs >>{}\n", log.display())).unwrap();
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o755)).unwrap();
    let checked = world.call("validate", json!({"domain": DOMAIN, "wait": true}));
    assert!(checked.to_string().contains("8 hooks will be run as root"), "{checked}");
    assert_eq!(lines(&log).len(), 0, "a validation runs none");

    let restored = world.restore();
    let report = &restored;
    eventually("the hook of the end", || told(&log).len() == 5);
    let all = told(&log);
    let moments: Vec<&str> = all.iter().map(|told| told["moment"].as_str().unwrap()).collect();
    assert_eq!(moments, ["pre-flight", "staged", "before-commit", "committed", "done"]);
    let states: Vec<&str> = all.iter().map(|told| told["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["planning", "staging", "verifying", "checking", "done"]);
    for document in &all {
        assert_eq!(document["job"], restored["job"]);
        assert_eq!((&document["domain"], &document["kind"]), (&json!(DOMAIN), &json!("restore")));
        assert_eq!(document["document_root"], world.root().display().to_string());
        assert_eq!(document["components"]["files"], true);
        assert!(document["backup"].as_str().unwrap().contains("/backups/"), "{document}");
        assert!(!document.to_string().contains(&world.env("WORLD_PASSWORD")), "{document}");
    }
    for (document, there) in all.iter().zip([false, true, true, false, false]) {
        assert_eq!(document["staged_tree"].is_string(), there, "{document}");
        assert_eq!(
            document["shadow_schema"].as_str().is_some_and(|name| name.starts_with("rvs_")),
            there,
            "{document}"
        );
    }
    let names = |report: &Value| -> Vec<String> {
        let runs = report["hooks"].as_array().unwrap();
        runs.iter()
            .map(|run| format!("{}/{}", run["moment"].as_str().unwrap(), run["name"].as_str().unwrap()))
            .collect()
    };
    let run = ["pre-flight/10-note", "staged/10-note", "staged/20-look", "before-commit/10-note", "committed/10-note"];
    assert_eq!(names(report), run);
    assert_eq!(report["hooks"][0]["said"], format!("pre-flight {DOMAIN}"));
    assert!(report["hooks"][2]["said"].as_str().unwrap().ends_with("/tree/wp-config.php"), "{report}");
    let events = world.call("restore_poll", json!({"job": restored["job"], "since": 0}))["events"].to_string();
    assert!(events.contains(&format!("hook staged/10-note: staged {DOMAIN}")), "{events}");
    world.digest().assert_is(&good, "restored");

    std::fs::remove_file(&log).unwrap();
    world.call("rollback", json!({"job": restored["job"], "wait": true}));
    eventually("the hook of the end", || told(&log).len() == 4);
    let moments: Vec<String> = told(&log).iter().map(|told| format!("{} {}", told["kind"], told["moment"])).collect();
    let wanted =
        ["pre-flight", "before-commit", "committed", "done"].map(|moment| format!("\"rollback\" \"{moment}\""));
    assert_eq!(moments, wanted);
    // The damage, and the hook of the tenant's.
    assert_eq!(world.digest().database, damaged.database);
}

/// What one of `pre-flight` freezes, nobody would thaw: a rehearsal has no end that a hook is told of.
#[test]
fn a_rehearsal_and_a_drill_run_the_hooks_of_staged_and_no_others() {
    let (world, _, damaged) = World::damaged();
    let log = world.place().join("told");
    for moment in MOMENTS {
        put(&world, &format!("{moment}/10-note"), &format!("cat >>{0}; echo >>{0}", log.display()));
    }
    let kinds = || -> Vec<String> {
        let of = |told: &Value| format!("{} {}", told["kind"].as_str().unwrap(), told["moment"].as_str().unwrap());
        told(&log).iter().map(of).collect()
    };
    let rehearsed = world.call("rehearse", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(rehearsed["outcome"], "pass", "{rehearsed}");
    assert_eq!(kinds(), ["rehearse staged"]);
    let output = world.program().args(["drill", DOMAIN]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(kinds(), ["rehearse staged", "rehearse staged"]);
    put(&world, "staged/20-scanner", "echo a web shell; exit 75");
    let error = world.refused("rehearse", json!({"domain": DOMAIN, "wait": true}));
    assert!(error["code"] == "hook_refused" && error["message"].as_str().unwrap().contains("a web shell"), "{error}");
    assert_eq!(kinds().len(), 3);
    world.digest().assert_is(&damaged, "rehearsed");
    world.assert_nothing_left();
}

#[test]
fn by_75_a_hook_stops_the_job_before_the_change_over_and_by_nothing_else() {
    let (world, good, damaged) = World::damaged();
    let log = world.place().join("told");
    for moment in MOMENTS {
        put(&world, &format!("{moment}/10-fails"), &format!("echo $RV_MOMENT >>{}; exit 3", log.display()));
    }
    for (moment, end) in [("pre-flight", "failed"), ("staged", "rolled-back"), ("before-commit", "rolled-back")] {
        let _ = std::fs::remove_file(&log);
        let hook = put(
            &world,
            &format!("{moment}/20-freeze"),
            "echo the shop is 'in' a sale; printf '\\033[31m' >&2; exit 75",
        );
        let never = put(&world, &format!("{moment}/30-never"), &format!("echo never >>{}", log.display()));
        let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(error["code"], "hook_refused", "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("{moment}/20-freeze")) && message.contains("the shop is in a sale"),
            "{message}"
        );
        assert!(!message.contains('\u{1b}'), "{message}");
        world.digest().assert_is(&damaged, moment);
        world.assert_nothing_left();
        eventually("the hook of the end", || lines(&log).last().is_some_and(|last| last == end));
        assert!(!lines(&log).contains(&"never".to_owned()));
        std::fs::remove_file(hook).unwrap();
        std::fs::remove_file(never).unwrap();
    }
    // Nobody knows what it would have said.
    for (script, why) in [("echo looks; kill -9 $$", "by the signal 9; it said: looks"), ("", "cannot be run")] {
        let hook = put(&world, "staged/20-killed", script);
        if script.is_empty() {
            std::fs::write(&hook, "#!/none\n").unwrap();
        }
        let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(error["code"], "hook_refused", "{error}");
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
        world.digest().assert_is(&damaged, why);
        std::fs::remove_file(hook).unwrap();
    }
    put(&world, "committed/20-late", "exit 75");
    let restored = world.restore();
    world.digest().assert_is(&good, "hooks that fail change nothing");
    let runs = restored["hooks"].as_array().unwrap();
    let outcomes: Vec<(&Value, &Value)> = runs.iter().map(|run| (&run["outcome"], &run["status"])).collect();
    assert_eq!(outcomes.len(), 5);
    assert!(outcomes[..4].iter().all(|run| *run == (&json!("failed"), &json!(3))), "{runs:?}");
    assert_eq!(outcomes[4], (&json!("failed"), &json!(75)));
}

#[test]
fn a_hook_has_its_time_and_what_it_started_goes_with_it() {
    let (world, good, damaged) = World::damaged();
    config(&world, "[limits]\nhook_s = 1\n[hooks]\nuser = \"nobody\"");
    put(&world, "staged/10-slow", "exit 0");
    let checked = world.call("validate", json!({"domain": DOMAIN, "wait": true})).to_string();
    assert!(checked.contains("nobody (hooks.user) may not enter"), "{checked}");
    std::fs::create_dir(world.place().join("hooks.d")).unwrap();
    let toml = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    let elsewhere = format!("[paths]\nhooks = \"{}\"", folder(&world).display());
    std::fs::write(&toml, text.replacen("[paths]", &elsewhere, 1)).unwrap();
    put(&world, "staged/10-slow", "sleep 611.5 & id -un; sleep 611.5");
    put(&world, "staged/20-endless", "head -c 3000000 /dev/zero | tr '\\0' x; echo; env; sleep 611.25 & exit 0");
    let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(error["code"], "hook_refused", "{error}");
    assert!(error["message"].as_str().unwrap().contains("within 1 s (limits.hook_s); it said: nobody"), "{error}");
    assert!(!sleeps("611.5"));
    world.digest().assert_is(&damaged, "what a hook had no time to look at does not go live");
    let slow = folder(&world).join("committed/10-slow");
    std::fs::create_dir(slow.parent().unwrap()).unwrap();
    std::fs::rename(folder(&world).join("staged/10-slow"), &slow).unwrap();
    let restored = world.restore();
    world.digest().assert_is(&good, "a slow hook keeps nobody waiting for long");
    let runs = &restored["hooks"];
    assert_eq!(runs[0]["outcome"], "done");
    assert!(runs[0]["said"].as_str().unwrap().len() <= 2000);
    assert_eq!((&runs[1]["outcome"], &runs[1]["said"]), (&json!("ended"), &json!("nobody")), "{runs}");
    assert!(!sleeps("611.5") && !sleeps("611.25"));
    std::fs::rename(&slow, folder(&world).join("staged/10-slow")).unwrap();

    // A cancelled job does not wait for a hook.
    let text = std::fs::read_to_string(&toml).unwrap().replace("hook_s = 1", "hook_s = 600");
    std::fs::write(&toml, text).unwrap();
    let job = world.begin();
    eventually("the hook begins", || sleeps("611.5"));
    world.call("restore_cancel", json!({"job": job}));
    let status = world.await_end(&job);
    assert_eq!(status["error"]["code"], "cancelled", "{status}");
    assert!(!sleeps("611.5"));
}

#[test]
fn hooks_that_somebody_else_may_have_written_are_refused_before_anything_is_done() {
    let (world, _, damaged) = World::damaged();
    let hook = put(&world, "staged/10-x", "exit 0");
    chown(&hook, Some(33), None).unwrap();
    let checked = world.call("validate", json!({"domain": DOMAIN, "wait": true}));
    assert_eq!(checked["outcome"], "fail", "{checked}");
    let says = |text: &str| text.contains("staged/10-x is not root's alone: it belongs to user 33");
    assert!(says(&checked.to_string()), "{checked}");
    let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
    assert!(says(error["message"].as_str().unwrap()) && error["code"] == "config_invalid", "{error}");
    world.digest().assert_is(&damaged, "refused");
    let looked = Command::new(env!("CARGO_BIN_EXE_rocketvps-restore"))
        .args(["--config", world.place().join("restore.toml").to_str().unwrap(), "check-config"])
        .output()
        .unwrap();
    assert_eq!(looked.status.code(), Some(15));
    assert!(says(&String::from_utf8_lossy(&looked.stderr)), "{looked:?}");
}

/// The worker dies in a hook. Before the change-over the site is as it was; after it the recovery runs the hook again, to its end.
#[test]
fn a_worker_killed_in_a_hook_takes_it_along_and_a_committed_one_ends_at_least_once() {
    let (world, good, damaged) = World::damaged();
    let log = world.place().join("told");
    let note = |word: &str| format!("echo {word} >>{}", log.display());
    let hook = put(&world, "staged/10-x", "sleep 622.5 & sleep 622.5");
    let kill = |time: &str| {
        let job = world.begin();
        eventually("the hook begins", || sleeps(time));
        assert!(worker(&job).is_some());
        assert!(World::kill_worker(&job));
        eventually("the hook goes with its worker", || !sleeps(time));
        job
    };
    kill("622.5");
    world.call("recover", json!({"wait": true}));
    world.digest().assert_is(&damaged, "killed in a hook of `staged`");
    std::fs::remove_file(hook).unwrap();

    put(&world, "committed/10-before", &note("before"));
    put(
        &world,
        "committed/20-x",
        &format!("{}; [ -e {}/go ] || sleep 633.5; {}", note("begun"), world.place().display(), note("ended")),
    );
    put(&world, "committed/30-after", &note("after"));
    put(&world, "done/10-x", &note("done"));
    let job = kill("633.5");
    std::fs::write(world.place().join("go"), "").unwrap();
    let recovered = world.call("recover", json!({"wait": true}));
    assert_eq!(recovered["recovered"][0]["state"], "done", "{recovered}");
    world.digest().assert_is(&good, "the change-over was finished");
    eventually("the hook of the end", || lines(&log).contains(&"done".to_owned()));
    assert_eq!(lines(&log), ["before", "begun", "begun", "ended", "after", "done"]);
    let report = &world.call("restore_poll", json!({"job": job}))["result"];
    let names: Vec<&Value> = report["hooks"].as_array().unwrap().iter().map(|run| &run["name"]).collect();
    assert_eq!(names, ["10-before", "20-x", "30-after"], "{report}");
    world.call("recover", json!({"wait": true}));
    assert_eq!(lines(&log).len(), 6, "a second recovery runs nothing");
}

#[test]
fn the_examples_do_what_they_say() {
    let world = World::up();
    let good = world.digest();
    put_example(&world, "staged/10-malware-scanner", "malware-scanner");
    put_example(&world, "staged/20-wp-checksums", "wp-checksums");
    for moment in ["done", "rolled-back", "failed"] {
        put_example(&world, &format!("{moment}/90-notifier"), "notifier");
    }
    // A wp-cli that knows one checksum: that of the file which the test changes.
    let version = world.root().join("wp-includes/version.php");
    let sum = Command::new("sha256sum").arg(&version).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap()[..64].to_owned();
    let wp = world.place().join("wp");
    let script = format!(
        "#!/bin/sh\nfor word; do case $word in --path=*) tree=${{word#--path=}} ;; esac; done\n\
         case \"$*\" in *--skip-plugins*'core verify-checksums') ;; *) exit 9 ;; esac\n\
         [ \"$PWD\" = / ] || exit 9\n\
         echo '{sum}  '$tree/wp-includes/version.php | sha256sum --check --quiet || {{ echo 'Error: WordPress installation does not verify against checksums.'; exit 1; }}\n\
         echo 'Success: WordPress installation verifies against checksums.'\n"
    );
    std::fs::write(&wp, script).unwrap();
    std::fs::set_permissions(&wp, std::fs::Permissions::from_mode(0o755)).unwrap();
    let hook = folder(&world).join("staged/20-wp-checksums");
    let text =
        std::fs::read_to_string(&hook).unwrap().replace("/dev/null wp ", &format!("/dev/null {} ", wp.display()));
    std::fs::write(&hook, text).unwrap();

    world.harness("backup", &[]);
    let restored = world.restore();
    let said = restored["hooks"].to_string();
    assert!(said.contains("Success: WordPress installation verifies") && said.contains("done"), "{said}");
    let log = |job: &str, wanted: &str| {
        eventually(wanted, || {
            world.call("restore_poll", json!({"job": job, "since": 0}))["events"].to_string().contains(wanted)
        });
    };
    log(&World::job(&restored), &format!("hook done/90-notifier: {DOMAIN} restore done: "));

    let partial = world.call(
        "restore_start",
        json!({"domain": DOMAIN, "components": {"files": ["index.php", "wp-includes/version.php"]}, "wait": true}),
    );
    assert!(partial["hooks"].to_string().contains("only parts are restored"), "{partial}");

    let shell = world.root().join("wp-content/uploads/cache.php");
    let refused_by = |hook: &str, word: &str| {
        // A name has a second: the newer backup is to be the newest.
        sleep(Duration::from_millis(1100));
        world.harness("backup", &[]);
        let now = world.digest();
        let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
        assert_eq!(error["code"], "hook_refused", "{error}");
        assert_eq!(error["context"]["hook"], hook, "{error}");
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
        world.digest().assert_is(&now, hook);
    };
    std::fs::write(&shell, "<?php @eval(base64_decode($_POST['x']));").unwrap();
    refused_by("staged/10-malware-scanner", "wp-content/uploads/cache.php");
    std::fs::remove_file(&shell).unwrap();
    let text = std::fs::read_to_string(&version).unwrap();
    std::fs::write(&version, format!("{text}\n// changed\n")).unwrap();
    refused_by("staged/20-wp-checksums", "does not verify against checksums");
    assert_ne!(world.digest().files, good.files);
}

/// A Varnish that takes one request and tells its first lines.
fn varnish() -> (u16, std::thread::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut peer, _) = listener.accept().unwrap();
        let mut got = [0; 1024];
        let length = peer.read(&mut got).unwrap();
        peer.write_all(b"HTTP/1.1 200 Purged\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&got[..length]).lines().take(2).collect::<Vec<_>>().join(" ")
    });
    (port, thread)
}

/// Changes a word of an example that is installed.
fn alter(world: &World, name: &str, from: &str, to: &str) {
    let hook = folder(world).join(name);
    let text = std::fs::read_to_string(&hook).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    std::fs::write(&hook, text.replace(from, to)).unwrap();
}

#[test]
fn each_moment_has_an_example_that_works() {
    let (world, good, damaged) = World::damaged();
    for moment in ["pre-flight", "done", "rolled-back", "failed"] {
        let name = format!("{moment}/10-freeze-deployments");
        put_example(&world, &name, "freeze-deployments");
        alter(&world, &name, "/run/deploy\n", &format!("{}/deploy\n", world.place().display()));
    }
    for moment in ["done", "rolled-back", "failed"] {
        put_example(&world, &format!("{moment}/90-notifier"), "notifier");
    }
    put_example(&world, "staged/10-malware-scanner", "malware-scanner");
    put_example(&world, "before-commit/10-quiet-machine", "quiet-machine");
    put_example(&world, "committed/10-purge-varnish", "purge-varnish");
    let (port, purged) = varnish();
    alter(&world, "committed/10-purge-varnish", "127.0.0.1:6081", &format!("127.0.0.1:{port}"));
    let frozen = world.place().join("deploy").join(format!("{DOMAIN}.frozen"));
    let events = |job: &str, wanted: &str| {
        eventually(wanted, || {
            world.call("restore_poll", json!({"job": job, "since": 0}))["events"].to_string().contains(wanted)
        });
    };
    let refused = |hook: &str, words: &str, end: &str, state: &str| {
        let error = world.refused("restore_start", json!({"domain": DOMAIN, "wait": true}));
        assert_eq!((&error["code"], &error["context"]["hook"]), (&json!("hook_refused"), &json!(hook)), "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        let job = error["context"]["job"].as_str().unwrap();
        events(job, &format!("hook {end}/90-notifier: {DOMAIN} restore {state}: "));
        world.digest().assert_is(&damaged, hook);
        assert!(!frozen.exists(), "deployments stay frozen");
    };

    // `pre-flight` and `failed`: a deployment is under way.
    std::fs::create_dir(world.place().join("deploy")).unwrap();
    let lock = std::fs::File::create(world.place().join("deploy").join(format!("{DOMAIN}.lock"))).unwrap();
    lock.lock().unwrap();
    refused("pre-flight/10-freeze-deployments", "a deployment is under way", "failed", "failed");
    drop(lock);

    // `before-commit` and `rolled-back`: the machine has too much to do.
    alter(&world, "before-commit/10-quiet-machine", "most=4", "most=0");
    refused("before-commit/10-quiet-machine", "the machine is busy", "rolled-back", "rolled_back");
    alter(&world, "before-commit/10-quiet-machine", "most=0", "most=1000");

    // `staged`, `committed` and `done`: all goes well, and deployments wait until it is over.
    put(&world, "committed/20-look", &format!("cat {}", frozen.display()));
    let restored = world.restore();
    let said = restored["hooks"].to_string();
    for words in ["deployments wait", "the machine is quiet enough", &format!("Varnish has forgotten {DOMAIN}")] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains(restored["job"].as_str().unwrap()), "frozen when the site changed over: {said}");
    assert_eq!(purged.join().unwrap(), format!("PURGE / HTTP/1.1 Host: {DOMAIN}"));
    events(&World::job(&restored), &format!("hook done/90-notifier: {DOMAIN} restore done: "));
    events(&World::job(&restored), "hook done/10-freeze-deployments: deployments may begin again");
    assert!(!frozen.exists());
    world.digest().assert_is(&good, "restored");
}
