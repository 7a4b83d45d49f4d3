//! Waiting for a job: soon answered, and no work for the machine meanwhile. The job is made by hand: only its files are looked at.

use rocketvps_restore::api::request::Request;
use rocketvps_restore::config::Config;
use rocketvps_restore::disk::lock_file;
use rocketvps_restore::job::folder::{JobFolder, file};
use rocketvps_restore::job::status::Status;
use rocketvps_restore::job::ticket::Ticket;
use rocketvps_restore::job::{JobId, Kind, State};
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A job at work: its worker is this test.
struct Job {
    _base: tempfile::TempDir,
    toml: PathBuf,
    folder: JobFolder,
    ticket: Ticket,
    _alive: File,
}

impl Job {
    fn new(events: usize) -> Job {
        let base = tempfile::tempdir().unwrap();
        let toml = base.path().join("restore.toml");
        std::fs::write(&toml, format!("[paths]\nbase = {:?}\n", base.path())).unwrap();
        let ticket = Ticket {
            schema: 1,
            job: JobId::new().unwrap(),
            kind: Kind::Preview,
            domain: None,
            created: String::new(),
            request: Request::parse("preview_backup", r#"{"domain":"example.com"}"#).unwrap(),
            config: Config::load(Some(&toml)).unwrap(),
        };
        let folder = JobFolder::create(&ticket).unwrap();
        let alive = lock_file(&folder.join(file::ALIVE), Duration::ZERO).unwrap();
        let line = |seq| json!({"seq": seq, "time": "", "level": "info", "message": "something"}).to_string() + "\n";
        std::fs::write(folder.join(file::EVENTS), (1..=events).map(line).collect::<String>()).unwrap();
        let job = Job { _base: base, toml, folder, ticket, _alive: alive };
        job.stands(State::Staging);
        job
    }

    fn stands(&self, state: State) {
        let status = Status { state, ..Status::queued(&self.ticket) };
        self.folder.write_volatile(file::STATUS, &status).unwrap();
    }

    fn ends(&self, result: Value) -> Instant {
        self.folder.write(file::REPORT, &json!({"state": "done", "result": result, "error": null})).unwrap();
        self.stands(State::Done);
        Instant::now()
    }

    /// Somebody who waits for it, traced.
    fn awaited(&self, words: &[&str], trace: &Path) -> Child {
        Command::new("strace")
            .args(["-qq", "-f", "-o"])
            .arg(trace)
            .arg(env!("CARGO_BIN_EXE_rocketvps-restore"))
            .arg("--config")
            .arg(&self.toml)
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .expect("strace: scripts/install-deps.sh")
    }
}

fn lines(trace: &Path) -> Vec<String> {
    std::fs::read_to_string(trace).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn waiting_wakes_twenty_times_a_second_at_most_and_is_answered_soon() {
    for (words, most) in [(["wait"], 20), (["attach"], 20)] {
        let job = Job::new(2000);
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let name = job.folder.path().file_name().unwrap().to_str().unwrap().to_owned();
        let mut child = job.awaited(&[words[0], &name], &trace);
        sleep(Duration::from_secs(1));
        let before = lines(&trace).len();
        for _ in 0..30 {
            job.stands(State::Staging);
            sleep(Duration::from_millis(100));
        }
        let seen = lines(&trace);
        let seen = &seen[before..];
        let sleeps = seen.iter().filter(|line| line.contains("nanosleep(")).count();
        assert!((10..=3 * most + 6).contains(&sleeps), "{words:?}: {sleeps} wakes in 3 seconds");
        assert!(
            !seen.iter().any(|line| line.contains(file::EVENTS)),
            "{words:?}: the events were read, and none is new"
        );
        assert!(seen.len() < 3 * 300, "{words:?}: {} calls in 3 seconds", seen.len());
        let ended = job.ends(json!({"answer": 42}));
        let status = child.wait().unwrap();
        let took = ended.elapsed();
        assert!(status.success() && took < Duration::from_secs(1), "{words:?}: {status}, after {took:?}");
    }
}

#[test]
fn who_waits_gets_the_result_and_every_event_once() {
    let job = Job::new(3);
    let name = job.ticket.job.as_str().to_owned();
    let toml = job.toml.clone();
    let waiting = std::thread::spawn(move || {
        let config = Config::load(Some(&toml)).unwrap();
        rocketvps_restore::call::wait(&config, &JobId::parse(&name).unwrap()).unwrap()
    });
    let mut watch = rocketvps_restore::call::Watch::of(&job.ticket.config, &job.ticket.job, 1).unwrap();
    let mut look = || watch.status(&job.ticket.config).unwrap().events.len();
    // The status does not name them yet.
    assert_eq!(look(), 0);
    let status = Status { last_event: 3, state: State::Staging, ..Status::queued(&job.ticket) };
    job.folder.write_volatile(file::STATUS, &status).unwrap();
    assert_eq!((look(), look()), (2, 0));
    let config = job.ticket.config.clone();
    let id = job.ticket.job.clone();
    job.ends(json!({"answer": 42}));
    assert_eq!(waiting.join().unwrap(), json!({"answer": 42, "job": id}));
    assert_eq!(rocketvps_restore::call::status(&config, &id, 1).unwrap().events.len(), 2);
}
