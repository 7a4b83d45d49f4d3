//! Workers that die at a chosen point: before the N-th call of their main thread that changes anything.

use super::{World, worker};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A call of a worker's main thread that changes something.
#[derive(Debug, Clone)]
pub struct Call {
    /// Counted from 1.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// The path, or the beginning of what is written.
    pub text: String,
}

/// What a worker did, as `tests/harness/kill_at.c` saw it.
#[derive(Debug, Default, Clone)]
pub struct Trace {
    pub calls: Vec<Call>,
}

impl Trace {
    fn read(path: &Path) -> Trace {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        let call = |line: &str| {
            let mut words = line.splitn(3, '\t');
            Some(Call {
                number: words.next()?.parse().ok()?,
                name: words.next()?.to_owned(),
                text: words.next().unwrap_or_default().to_owned(),
            })
        };
        Trace { calls: text.lines().filter_map(call).collect() }
    }

    /// Where the change-over begins: the writing of the first intent.
    pub fn change_over(&self) -> usize {
        let first = self.calls.iter().position(|call| call.text.contains("\"record\":\"intent\""));
        first.expect("the job announced no step")
    }

    /// The calls of the change-over and after it.
    pub fn since_change_over(&self) -> Vec<Call> {
        self.calls[self.change_over()..].to_vec()
    }

    /// The first call that writes this.
    pub fn that_writes(&self, text: &str) -> Call {
        let found = self.calls.iter().find(|call| call.text.contains(text));
        found.unwrap_or_else(|| panic!("nothing wrote {text}")).clone()
    }

    /// Before and after each record of the journal: the calls that write one, and those that follow its fsync.
    pub fn records(&self) -> Vec<Call> {
        let mut found = Vec::new();
        for (at, call) in self.calls.iter().enumerate() {
            if call.name == "write" && call.text.contains(" {\"record\":\"") {
                found.push(call.clone());
                found.extend(self.calls[at + 1..].iter().skip_while(|call| call.name != "fdatasync").nth(1).cloned());
            }
        }
        found.dedup_by_key(|call| call.number);
        found
    }
}

/// Every call, but of more than fifty of one name in a row, as when a tree is removed, every twentieth.
pub fn thinned(calls: &[Call]) -> Vec<Call> {
    let rows = calls.chunk_by(|one, next| one.name == next.name);
    rows.flat_map(|row| row.iter().step_by(if row.len() > 50 { 20 } else { 1 }).cloned()).collect()
}

impl World {
    fn tracer(&self) -> PathBuf {
        let program = self.place().join("tmp/kill_at");
        if !program.exists() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/kill_at.c");
            let built = Command::new("cc").args(["-O1", "-o"]).arg(&program).arg(source).status().unwrap();
            assert!(built.success(), "kill_at.c was not compiled");
        }
        program
    }

    fn trace_path(&self) -> PathBuf {
        self.place().join("tmp/trace")
    }

    /// From now on workers get `signal` before call `number`; 0: they are only watched.
    pub fn strike_at(&self, number: usize, signal: i32) {
        let (program, wrapper) = (self.tracer(), self.place().join("tmp/worker.sh"));
        let _ = std::fs::remove_file(self.trace_path());
        let text = format!(
            "#!/bin/sh\nexec '{}' '{}' {number} {signal} '{}' \"$@\"\n",
            program.display(),
            self.trace_path().display(),
            env!("CARGO_BIN_EXE_rocketvps-restore")
        );
        std::fs::write(&wrapper, text).unwrap();
        std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.use_helper(Some(&wrapper));
    }

    /// Names the program that jobs are started with; `None`: the helper itself.
    pub fn use_helper(&self, program: Option<&Path>) {
        let path = self.place().join("restore.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> =
            text.lines().filter(|line| !line.starts_with("helper = ")).map(str::to_owned).collect();
        if let Some(program) = program {
            let paths = lines.iter().position(|line| line == "[paths]").expect("restore.toml has no [paths]");
            lines.insert(paths + 1, format!("helper = \"{}\"", program.display()));
        }
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    }

    /// Starts a job whose worker stops before call `number`, and gives both once it stands still.
    pub fn stop_before(&self, number: usize, call: &str, request: &Value) -> (String, u32) {
        self.strike_at(number, 19);
        let job = World::job(&self.call(call, request.clone()));
        self.use_helper(None);
        let begun = Instant::now();
        loop {
            let pid =
                worker(&job).unwrap_or_else(|| panic!("the worker of {job} has ended: {}", self.poll(&job)["error"]));
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let last = Trace::read(&self.trace_path()).calls.last().map_or(0, |last| last.number);
            if last >= number && status.contains("State:\tT (stopped)") {
                return (job, pid);
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the worker of {job} does not come to call {number}");
            sleep(Duration::from_millis(2));
        }
    }

    /// Starts a job and gives its name once its worker has ended, however that was.
    pub fn run_to_its_end(&self, call: &str, request: &Value) -> String {
        let job = World::job(&self.call(call, request.clone()));
        self.await_worker(&job);
        job
    }

    /// What the last worker did that was watched.
    pub fn last_trace(&self) -> Trace {
        Trace::read(&self.trace_path())
    }

    /// What the main thread of a job's worker does when nobody disturbs it.
    pub fn watch(&self, call: &str, request: &Value) -> (String, Trace) {
        self.strike_at(0, 9);
        let job = self.run_to_its_end(call, request);
        assert_eq!(self.poll(&job)["state"], json!("done"), "{}", self.poll(&job)["error"]);
        self.use_helper(None);
        (job, Trace::read(&self.trace_path()))
    }

    /// Runs a job whose worker is killed before call `number`. Gives the job, and whether it lived to that point.
    pub fn kill_before(&self, number: usize, call: &str, request: &Value) -> (String, bool) {
        self.strike_at(number, 9);
        let job = self.run_to_its_end(call, request);
        self.use_helper(None);
        let reached = Trace::read(&self.trace_path()).calls.last().is_some_and(|last| last.number >= number);
        (job, reached)
    }
}
