//! Callers without rights, through the broker: what the rules let them, nothing else, and a line for each call.

use crate::world::{DOMAIN, World};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const RULES: &str = "[[rule]]\nuser = \"www-data\"\ndomains = [\"shop.example\"]\n\
    calls = [\"cleanup\", \"list_domains\", \"list_backups\", \"list_jobs\", \"validate\", \"restore_start\", \"restore_poll\", \"rollback\", \
    \"rehearse\"]\n\
    per_hour = 2\n";

/// A broker over a world; dropping it ends it.
struct Broker<'a> {
    world: &'a World,
    child: Child,
}

impl Drop for Broker<'_> {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

fn socket(world: &World) -> PathBuf {
    world.place().join("run/broker.sock")
}

fn set_rules(world: &World, rules: &str) {
    let path = world.place().join("base/config/access.toml");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, rules).unwrap();
}

impl Broker<'_> {
    fn over<'a>(world: &'a World, rules: &str) -> Broker<'a> {
        set_rules(world, rules);
        world.set("paths", &format!("broker = {:?}", socket(world)));
        // The caller runs it too, and has no way into the build folder.
        let program = program(world);
        std::fs::copy(env!("CARGO_BIN_EXE_rocketvps-restore"), &program).unwrap();
        for folder in [world.place(), world.place().join("run")] {
            std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
        }
        std::fs::set_permissions(world.place().join("restore.toml"), PermissionsExt::from_mode(0o600)).unwrap();
        let child = Command::new(&program)
            .arg("--config")
            .arg(world.place().join("restore.toml"))
            .arg("serve")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let broker = Broker { world, child };
        let until = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(socket(world)).is_err() {
            assert!(Instant::now() < until, "the broker does not listen");
            sleep(Duration::from_millis(20));
        }
        broker
    }

    /// The helper as www-data, which goes through the broker by itself.
    fn helper(&self, words: &[&str]) -> Output {
        self.helper_of("www-data", words)
    }

    fn helper_of(&self, user: &str, words: &[&str]) -> Output {
        let broker = format!("paths.broker={}", socket(self.world).display());
        Command::new("setpriv")
            .args([format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".into()])
            .arg(program(self.world))
            .arg("--config")
            .arg(self.world.place().join("restore.toml"))
            .args(["--set", &broker])
            .args(words)
            .current_dir("/")
            .output()
            .unwrap()
    }

    fn call(&self, name: &str, request: &Value) -> Value {
        let output = self.helper(&["call", name, &request.to_string()]);
        let document: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
        let number = document["error"]["number"].as_i64().unwrap_or(0);
        assert_eq!(output.status.code().map(i64::from), Some(number), "{document}");
        document
    }

    /// A command of www-data's, and what it prints.
    #[track_caller]
    fn command(&self, words: &[&str]) -> String {
        let output = self.helper(words);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{words:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// A command of root's.
    fn by_root(&self, words: &[&str]) -> Output {
        Command::new(program(self.world))
            .arg("--config")
            .arg(self.world.place().join("restore.toml"))
            .args(words)
            .env_remove("SUDO_UID")
            .output()
            .unwrap()
    }

    #[track_caller]
    fn refused(&self, name: &str, request: &Value, code: &str) -> Value {
        let document = self.call(name, request);
        assert_eq!(document["error"]["code"], code, "{name} {request}: {document}");
        document["error"].clone()
    }

    /// What a caller of any kind gets for these bytes; this process is root, whom no rule names.
    fn raw(&self, bytes: &[u8]) -> Value {
        let mut stream = UnixStream::connect(socket(self.world)).unwrap();
        // It may hang up before it has read all.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    fn audit(&self) -> Vec<Value> {
        let document: Value = serde_json::from_slice(&self.by_root(&["audit", "--json"]).stdout).unwrap();
        let mut lines = document["data"]["calls"].as_array().unwrap().clone();
        // Whoever looked whether it listens asked for nothing, and may be written down after others.
        lines.retain(|line| line["call"] != "");
        lines
    }
}

fn program(world: &World) -> PathBuf {
    world.place().join("run/rocketvps-restore")
}

#[test]
fn www_data_restores_through_the_broker_and_no_more_often_than_it_may() {
    let (world, good, damaged) = World::damaged();
    let broker = Broker::over(&world, RULES);
    let wait = json!({"domain": DOMAIN, "wait": true});
    assert_eq!(broker.call("validate", &wait)["data"]["outcome"], "pass");
    let report = broker.call("restore_start", &wait);
    assert_eq!(report["ok"], true, "{report}");
    world.digest().assert_is(&good, "restored by www-data");
    let job = report["data"]["job"].as_str().unwrap();
    assert_eq!(broker.call("restore_poll", &json!({"job": job}))["data"]["state"], "done");
    let back = broker.call("rollback", &json!({"job": job, "wait": true}));
    assert_eq!(back["ok"], true, "{back}");
    world.digest().assert_is(&damaged, "and back");
    let error = broker.refused("restore_start", &wait, "forbidden");
    assert!(error["message"].as_str().unwrap().contains("per_hour"), "{error}");
    let error = broker.refused("rehearse", &wait, "forbidden");
    assert!(error["message"].as_str().unwrap().contains("per_hour"), "a rehearsal counts, too: {error}");
    let lines = broker.audit();
    let of = |call: &str| lines.iter().filter(|line| line["call"] == call).cloned().collect::<Vec<_>>();
    let restores = of("restore_start");
    assert_eq!(
        restores.iter().map(|line| line["outcome"].as_str().unwrap()).collect::<Vec<_>>(),
        ["begun", "ok", "forbidden"]
    );
    assert_eq!((&restores[1]["job"], &restores[1]["domain"]), (&json!(job), &json!(DOMAIN)));
    assert_eq!(restores[0]["user"], "www-data");
    assert_eq!(of("rollback")[0]["domain"], DOMAIN, "that of the job");
}

#[test]
fn what_no_rule_names_is_refused_and_written_down() {
    let world = World::bare();
    let broker = Broker::over(&world, RULES);
    let own = json!({"domain": DOMAIN});
    for (call, request, code) in [
        ("list_backups", json!({"domain": "neighbour.example"}), "forbidden"),
        ("create_snapshot", own.clone(), "forbidden"),
        ("recover", json!({}), "forbidden"),
        ("restore_start", json!({"domain": DOMAIN, "options": {"allow_unsafe_config": true}}), "forbidden"),
        ("restore_start", json!({"domain": DOMAIN, "backup": "/etc/passwd"}), "path_not_allowed"),
        ("validate", json!({"domain": DOMAIN, "dump": world.place().join("restore.toml")}), "path_not_allowed"),
        ("rollback", json!({"domain": DOMAIN, "snapshot": "/etc"}), "path_not_allowed"),
        // No word on what there is elsewhere.
        ("rollback", json!({"domain": DOMAIN, "snapshot": "../../../../../etc/shadow"}), "path_not_allowed"),
        (
            "restore_start",
            json!({"domain": DOMAIN, "backup": "../neighbour.example/backup.tar.gz"}),
            "path_not_allowed",
        ),
        // With a domain, too, it clears up after everybody.
        ("cleanup", own.clone(), "forbidden"),
        // A pattern that would be a large program.
        ("validate", json!({"domain": DOMAIN, "exclude": {"database": ["{".repeat(40_000)]}}), "bad_request"),
        ("restore_poll", json!({"job": "20251004_030000_0123456789ab"}), "job_not_found"),
    ] {
        let error = broker.refused(call, &request, code);
        assert!(!error["hint"].as_str().unwrap().is_empty(), "{error}");
        let line = broker.audit().pop().unwrap();
        assert_eq!((&line["call"], &line["outcome"]), (&json!(call), &json!(code)), "{line}");
        assert!(line["executable"].as_str().unwrap().ends_with("/rocketvps-restore"), "{line}");
    }
    let config = json!({"call": "list_backups", "request": {"domain": DOMAIN, "config": "/etc/passwd"}}).to_string();
    assert_eq!(broker.raw(config.as_bytes())["error"]["code"], "forbidden");
    // Root needs no broker, and has no rule.
    assert_eq!(broker.raw(b"{\"call\": \"list_domains\"}\n")["error"]["code"], "forbidden");
    // An answer about every domain holds those of the rules.
    let _ = std::fs::create_dir_all(world.place().join("base/backups/neighbour.example"));
    let seen = broker.call("list_domains", &json!({}));
    let domains: Vec<&Value> = seen["data"]["domains"].as_array().unwrap().iter().map(|info| &info["domain"]).collect();
    assert_eq!(domains, [DOMAIN], "{seen}");
}

#[test]
fn a_wrong_access_toml_refuses_everybody_and_a_new_one_holds_at_once() {
    let world = World::bare();
    let broker = Broker::over(&world, RULES);
    let asked = json!({"domain": DOMAIN});
    assert_eq!(broker.call("list_backups", &asked)["ok"], true);
    set_rules(&world, "[[rule]]\nuser = \"www-data\"\ndomains = [\"*\"]\ncalls = [\"everything\"]\n");
    let error = broker.refused("list_backups", &asked, "config_invalid");
    assert!(error["message"].as_str().unwrap().contains("line 4"), "{error}");
    let path = world.place().join("base/config/access.toml");
    set_rules(&world, RULES);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
    broker.refused("list_backups", &asked, "config_invalid");
    std::fs::remove_file(&path).unwrap();
    broker.refused("list_backups", &asked, "forbidden");
    set_rules(&world, RULES);
    assert_eq!(broker.call("list_backups", &asked)["ok"], true);
}

#[test]
fn a_hostile_caller_hurts_nobody() {
    let world = World::bare();
    let broker = Broker::over(&world, RULES);
    for (bytes, code) in [
        (&b""[..], "bad_request"),
        (b"[]\n", "bad_request"),
        (b"{\"call\": \"list_domains\", \"call\": \"recover\"}\n", "bad_request"),
        (b"{\"call\": \"no_such_call\"}\n", "usage"),
        (b"\xff\xfe\n", "bad_request"),
        (b"{\"call\": \"list_domains\", \"uid\": 0}\n", "bad_request"),
    ] {
        assert_eq!(broker.raw(bytes)["error"]["code"], code, "{}", String::from_utf8_lossy(bytes));
    }
    let large = [b"{\"call\": \"", vec![b'a'; 8 << 20].as_slice()].concat();
    assert_eq!(broker.raw(&large)["error"]["code"], "bad_request");
    // Callers that say nothing: those of one user may take so many places, and others are still answered.
    let silent: Vec<UnixStream> = (0..300).map(|_| UnixStream::connect(socket(&world)).unwrap()).collect();
    let begun = Instant::now();
    assert_eq!(broker.call("list_backups", &json!({"domain": DOMAIN}))["ok"], true);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let code = |mut stream: UnixStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()["error"]["code"].as_str().unwrap().to_owned()
    };
    let codes: Vec<String> = silent.into_iter().map(code).collect();
    let of = |code: &str| codes.iter().filter(|seen| *seen == code).count();
    assert_eq!((of("timed_out"), of("busy")), (16, 284), "strangers have sixteen places together");
    assert_eq!(broker.raw(b"{\"call\": \"list_domains\"}\n")["error"]["code"], "forbidden", "there is room again");
}

#[test]
fn systemd_may_hand_the_socket_over() {
    let world = World::bare();
    set_rules(&world, RULES);
    let path = world.place().join("run/handed.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_rocketvps-restore"),
        "--config",
    ]);
    command.arg(world.place().join("restore.toml")).arg("serve").stdin(Stdio::null());
    // SAFETY: dup2(2) is async-signal-safe, and the descriptor is open until the child has begun.
    unsafe {
        let number = std::os::fd::AsRawFd::as_raw_fd(&listener);
        // By way of another number: one that is 3 already would be closed in the new program.
        command.pre_exec(move || match libc::dup2(libc::fcntl(number, libc::F_DUPFD, 10), 3) {
            3 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    let broker = Broker { world: &world, child: command.spawn().unwrap() };
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"{\"call\": \"list_domains\"}\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"forbidden\""), "{answer}");
    drop(broker);
    // Whoever calls it while its rules are wrong is told so, and the broker stays.
    set_rules(&world, "[[rule]]\nuser = 1\n");
    let broker = Broker { world: &world, child: command.spawn().unwrap() };
    for _ in 0..2 {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(b"{\"call\": \"list_domains\"}\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\"config_invalid\"") && answer.contains("line 2"), "{answer}");
    }
    drop(broker);
}

#[test]
fn without_a_broker_the_refusal_names_the_way() {
    let world = World::bare();
    let broker = Broker::over(&world, RULES);
    let Broker { child, .. } = &broker;
    rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::KILL).unwrap();
    sleep(Duration::from_millis(100));
    let error = broker.refused("list_backups", &json!({"domain": DOMAIN}), "forbidden");
    assert!(error["message"].as_str().unwrap().contains("restore.toml"), "{error}");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("rocketvps-restore serve") && hint.contains("rocketvps-restore.socket"), "{error}");
}

/// A small site, and a backup of it that says `restored`.
fn packed(world: &World) -> String {
    std::fs::create_dir_all(world.root()).unwrap();
    std::fs::write(world.root().join("index.php"), "live").unwrap();
    std::fs::create_dir_all(world.place().join("made")).unwrap();
    std::fs::write(world.place().join("made/index.php"), "restored").unwrap();
    world.pack(&world.place().join("made"));
    let backups = world.call("list_backups", json!({"domain": DOMAIN}));
    backups["backups"][0]["path"].as_str().unwrap().to_owned()
}

#[test]
fn commands_for_people_go_through_the_broker_too() {
    let world = World::bare();
    let rules = format!("[[rule]]\nuser = \"www-data\"\ndomains = [\"{DOMAIN}\"]\ncalls = [\"*\"]\n");
    let broker = Broker::over(&world, &rules);
    let backup = packed(&world);
    let name = backup.rsplit('/').next().unwrap();
    assert!(broker.command(&["list", DOMAIN]).contains(name));
    let restored = broker.command(&["restore", DOMAIN, name, "--yes"]);
    assert!(restored.contains("files"), "{restored}");
    let index = world.root().join("index.php");
    assert_eq!(std::fs::read_to_string(&index).unwrap(), "restored");
    let job = broker.command(&["jobs", DOMAIN, "--field", "jobs.0.job"]);
    let job = job.trim();
    assert_eq!(broker.command(&["status", job, "--field", "state"]).trim(), "done");
    assert!(broker.command(&["wait", job]).contains("files"));
    let back = broker.command(&["rollback", DOMAIN, "--yes"]);
    assert_eq!(std::fs::read_to_string(&index).unwrap(), "live", "{back}");
    // What was refused names the file, and the exit status is the error's.
    let refused = broker.helper(&["list", "neighbour.example"]);
    assert_eq!(refused.status.code(), Some(16));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("access.toml"), "{said}");
    // A job that failed is told as it is to root.
    let failed = broker.helper(&["restore", DOMAIN, name, "--yes", "--path", "no/such/path"]);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(failed.status.code() == Some(24) && said.contains("no/such/path"), "{said}");
}

#[test]
fn a_second_person_approves_one_request_once() {
    let world = World::bare();
    let broker = Broker::over(&world, &RULES.replace("per_hour = 2", "approval = true"));
    let backup = packed(&world);
    let index = world.root().join("index.php");
    let wanted = json!({"domain": DOMAIN, "backup": backup, "wait": true});
    // What changes nothing needs none.
    assert_eq!(broker.call("validate", &wanted)["ok"], true);
    let error = broker.refused("restore_start", &wanted, "approval_required");
    let id = error["context"]["approval"].as_str().unwrap();
    assert!(error["hint"].as_str().unwrap().contains(id), "{error}");
    assert_eq!(std::fs::read_to_string(&index).unwrap(), "live", "nothing was begun");
    let listed = String::from_utf8(broker.by_root(&["approve"]).stdout).unwrap();
    assert!(listed.contains(id) && listed.contains("restore_start by www-data"), "{listed}");
    // Not by who asked, and not of another name.
    assert!(!broker.helper(&["approve", id]).status.success());
    assert!(!broker.by_root(&["approve", "0123456789abcdef"]).status.success());
    broker.refused("restore_start", &wanted, "approval_required");
    assert!(broker.by_root(&["approve", id]).status.success());
    // Another request is another one, and `latest` may be another backup by then.
    let other = json!({"domain": DOMAIN, "backup": backup, "options": {"exact": true}, "wait": true});
    broker.refused("restore_start", &other, "approval_required");
    broker.refused("restore_start", &json!({"domain": DOMAIN, "wait": true}), "bad_request");
    let done = broker.call("restore_start", &wanted);
    assert_eq!(done["ok"], true, "{done}");
    assert_eq!(std::fs::read_to_string(&index).unwrap(), "restored");
    let line = broker.audit().pop().unwrap();
    assert_eq!((&line["outcome"], &line["approved_by"]), (&json!("ok"), &json!("root")), "{line}");
    broker.refused("restore_start", &wanted, "approval_required");
}

#[test]
fn a_job_whose_end_nobody_may_ask_for_is_named() {
    let world = World::bare();
    let broker = Broker::over(&world, &RULES.replace("\"restore_poll\", ", ""));
    let backup = packed(&world);
    let refused = broker.helper(&["restore", DOMAIN, &backup, "--yes"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(16) && said.contains(" goes on") && said.contains("attach"), "{said}");
}

#[test]
fn a_rule_for_files_makes_and_removes_no_snapshot_of_everything() {
    let world = World::bare();
    let rules =
        "[[rule]]\nuser = \"www-data\"\ndomains = [\"shop.example\"]\ncalls = [\"*\"]\ncomponents = [\"files\"]\n";
    let broker = Broker::over(&world, rules);
    let snapshot = world.place().join("base/snapshots").join(DOMAIN).join("pre_restore_x");
    broker.refused("create_snapshot", &json!({"domain": DOMAIN}), "forbidden");
    broker.refused("delete_snapshot", &json!({"domain": DOMAIN, "snapshot": snapshot}), "forbidden");
}

#[test]
fn what_cannot_begin_is_no_line_of_a_job() {
    let world = World::bare();
    let broker = Broker::over(&world, RULES);
    let missing = world.archive().with_file_name("backup_20200101_000000.tar.gz");
    for _ in 0..3 {
        broker.refused("validate", &json!({"domain": DOMAIN, "backup": missing}), "backup_not_found");
    }
    let lines = broker.audit();
    let outcomes: Vec<&Value> =
        lines.iter().filter(|line| line["call"] == "validate").map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["backup_not_found"; 3]);
    assert!(!world.place().join("base/restore_audit.jsonl").exists());
}

#[test]
fn an_operator_approves_and_reads_the_audit_through_the_broker() {
    let world = World::bare();
    let rules = RULES.replace("per_hour = 2", "approval = true");
    let operator = "\n[[rule]]\nuser = \"daemon\"\ndomains = [\"shop.example\"]\ncalls = [\"*\"]\n";
    let broker = Broker::over(&world, &format!("{rules}{operator}"));
    let wanted = json!({"domain": DOMAIN, "backup": packed(&world), "wait": true});
    let error = broker.refused("restore_start", &wanted, "approval_required");
    let id = error["context"]["approval"].as_str().unwrap();
    // Everything is not the word of a second person.
    let refused = broker.helper_of("daemon", &["approve", id]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("approve in `calls`"), "{refused:?}");
    set_rules(
        &world,
        &format!("{rules}{}", operator.replace("\"*\"]\n", "\"audit\", \"list_approvals\", \"approve\"]\n")),
    );
    let listed = String::from_utf8(broker.helper_of("daemon", &["approve"]).stdout).unwrap();
    assert!(listed.contains(id), "{listed}");
    assert!(broker.helper_of("daemon", &["approve", id]).status.success());
    assert_eq!(broker.call("restore_start", &wanted)["ok"], true);
    let audit = String::from_utf8(broker.helper_of("daemon", &["audit", DOMAIN]).stdout).unwrap();
    assert!(audit.contains("restore_start shop.example") && audit.contains("approved by daemon"), "{audit}");
    // Neither is www-data's, nor is another domain the operator's.
    for (user, words) in
        [("www-data", &["audit"][..]), ("www-data", &["approve"]), ("daemon", &["audit", "neighbour.example"])]
    {
        assert_eq!(broker.helper_of(user, words).status.code(), Some(16), "{user} {words:?}");
    }
}

#[test]
fn a_link_in_the_folder_of_backups_leads_to_no_backup_of_a_neighbour() {
    let world = World::bare();
    let broker = Broker::over(&world, RULES);
    let backup = PathBuf::from(packed(&world));
    let neighbour = world.place().join("base/backups/neighbour.example");
    std::fs::create_dir_all(&neighbour).unwrap();
    let foreign = neighbour.join(backup.file_name().unwrap());
    std::fs::rename(&backup, &foreign).unwrap();
    std::os::unix::fs::symlink(&foreign, &backup).unwrap();
    let index = world.root().join("index.php");
    let wanted = json!({"domain": DOMAIN, "backup": backup, "wait": true});
    for call in ["validate", "restore_start"] {
        let document = broker.call(call, &wanted);
        assert_eq!(document["ok"], false, "{call}: {document}");
    }
    assert_eq!(std::fs::read_to_string(&index).unwrap(), "live");
}

#[test]
fn ten_thousand_connections_leave_room_for_others() {
    let world = World::bare();
    let broker = Broker::over(&world, RULES);
    let (mut open, mut refused) = (Vec::new(), 0);
    for _ in 0..10_000 {
        match UnixStream::connect(socket(&world)) {
            Ok(stream) if open.len() < 500 => open.push(stream),
            Ok(_) => {}
            Err(_) => refused += 1,
        }
    }
    let begun = Instant::now();
    assert_eq!(broker.call("list_backups", &json!({"domain": DOMAIN}))["ok"], true);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}, {refused} not let in", begun.elapsed());
    let status = std::fs::read_to_string(format!("/proc/{}/status", broker.child.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim();
    let resident: u64 = resident.split(' ').next().unwrap().parse().unwrap();
    assert!(resident < 64 << 10, "{resident} KiB after ten thousand callers");
}

#[test]
fn a_rule_for_files_goes_back_by_no_job_that_took_more_and_learns_nothing_of_others() {
    let world = World::bare();
    let rules = RULES.replace("per_hour = 2", "components = [\"files\"]");
    let broker = Broker::over(&world, &rules);
    packed(&world);
    let whole = world.call("restore_start", json!({"domain": DOMAIN, "wait": true}));
    let files = json!({"domain": DOMAIN, "components": {"files": true}, "wait": true});
    broker.refused("restore_start", &json!({"domain": DOMAIN, "wait": true}), "forbidden");
    let part = broker.call("restore_start", &files);
    assert_eq!(part["ok"], true, "{part}");
    let back = broker.call("rollback", &json!({"job": part["data"]["job"], "wait": true}));
    assert_eq!(back["ok"], true, "{back}");
    let job = whole["job"].as_str().unwrap();
    broker.refused("rollback", &json!({"job": job, "wait": true}), "forbidden");
    set_rules(&world, &rules.replace("shop.example", "other.example"));
    let error = broker.refused("restore_poll", &json!({"job": job}), "forbidden");
    assert!(!error.to_string().contains(DOMAIN), "{error}");
}

#[test]
fn through_the_broker_its_own_configuration_holds_and_no_other() {
    let world = World::bare();
    let broker = Broker::over(&world, RULES);
    let config = json!({"file": world.place().join("restore.toml"),
        "set": {"paths": {"broker": socket(&world), "web_root": "/srv/staging"}}});
    let error = broker.refused("list_backups", &json!({"domain": DOMAIN, "config": config}), "forbidden");
    assert!(error["hint"].as_str().unwrap().contains("its own configuration"), "{error}");
    // What is wrong with it is told to nobody but the log.
    let path = world.place().join("restore.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "\n[notify]\nwebhok = \"https://hooks.example/secret-token\"\n").unwrap();
    let error = broker.refused("list_backups", &json!({"domain": DOMAIN}), "config_invalid");
    assert!(!error.to_string().contains("secret-token"), "{error}");
}
