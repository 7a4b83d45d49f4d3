//! A world of its own for each test (`tests/harness/world.sh`), the helper's calls on it, and the harness's digest, which
//! knows nothing of the engine. Needs root and `scripts/install-deps.sh`.

pub mod bare;
pub mod crash;
pub mod fault;
pub mod oracle;
pub mod schema;
pub mod stage;
pub mod stores;
pub mod trial;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub const DOMAIN: &str = "shop.example";
pub const FINAL: [&str; 4] = ["done", "failed", "rolled_back", "needs_operator"];

/// What the harness saw of everything, line by line.
#[derive(Clone, PartialEq)]
pub struct Digest {
    pub files: String,
    pub database: String,
    pub config: String,
    pub neighbour: String,
}

/// Shows where two digests differ when they are compared.
impl std::fmt::Debug for Digest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} lines", self.lines().count())
    }
}

impl Digest {
    fn lines(&self) -> impl Iterator<Item = &str> {
        [&self.files, &self.database, &self.config, &self.neighbour].into_iter().flat_map(|part| part.lines())
    }

    /// The lines that only one of the two has, the first twenty of each.
    pub fn differences(&self, other: &Digest) -> String {
        let only = |one: &Digest, two: &Digest, mark: char| {
            let known: std::collections::HashSet<&str> = two.lines().collect();
            one.lines()
                .filter(|line| !known.contains(line))
                .take(20)
                .map(|line| format!("{mark} {}\n", line.chars().take(160).collect::<String>()))
                .collect::<String>()
        };
        only(self, other, '<') + &only(other, self, '>')
    }

    #[track_caller]
    pub fn assert_is(&self, expected: &Digest, when: &str) {
        assert!(self == expected, "{when}:\n{}", expected.differences(self));
    }
}

/// A world of its own for each test; its end takes everything with it.
pub struct World {
    /// Gone before the folder they are in.
    mounts: Vec<fault::Mount>,
    /// Goes with the world, where the world lies in one of its own.
    _folder: Option<tempfile::TempDir>,
    place: PathBuf,
}

impl World {
    pub fn up() -> World {
        let folder = tempfile::Builder::new().prefix("rv-e2e.").tempdir_in("/tmp").unwrap();
        let world = World { mounts: Vec::new(), place: folder.path().join("w"), _folder: Some(folder) };
        world.harness("up", &[]);
        world
    }

    /// A world in a folder that somebody else keeps.
    pub fn up_in(folder: &Path) -> World {
        let world = World { mounts: Vec::new(), place: folder.join("w"), _folder: None };
        world.harness("up", &[]);
        world
    }

    pub fn place(&self) -> PathBuf {
        self.place.clone()
    }

    /// The site's document root.
    pub fn root(&self) -> PathBuf {
        self.place().join("web").join(DOMAIN)
    }

    /// What the harness says of the world, such as `WORLD_PORT`.
    pub fn env(&self, name: &str) -> String {
        let env = std::fs::read_to_string(self.place().join("env")).unwrap();
        env.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap().to_owned()
    }

    /// Sends a signal to the service of a pid file, and leaves it the time to act on it.
    pub fn signal(&self, pidfile: &str, signal: &str) {
        let pid = std::fs::read_to_string(self.place().join(pidfile)).unwrap();
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
        sleep(Duration::from_millis(500));
    }

    pub fn harness(&self, command: &str, arguments: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/world.sh");
        let output = Command::new(script).arg(command).arg(self.place()).args(arguments).output().unwrap();
        assert!(output.status.success(), "world.sh {command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub fn digest(&self) -> Digest {
        let part = |name| self.harness("manifest", &[name]);
        Digest {
            files: part("files"),
            database: part("database"),
            config: part("config"),
            neighbour: part("neighbour"),
        }
    }

    /// Backed up, then damaged: the backup's digest and the damaged one's.
    pub fn damaged() -> (World, Digest, Digest) {
        let world = World::up();
        let good = world.digest();
        world.harness("backup", &[]);
        world.harness("damage", &[]);
        let damaged = world.digest();
        (world, good, damaged)
    }

    /// Puts another text in the place of a backup's dump; a letter is a byte.
    pub fn change_dump(&self, change: impl Fn(String) -> String) {
        let folder = self.place().join("base/backups").join(DOMAIN);
        let names = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
        let archive = names.into_iter().find(|path| path.to_string_lossy().ends_with(".tar.gz")).unwrap();
        let work = self.place().join("dump-work");
        std::fs::create_dir_all(&work).unwrap();
        let run = |script: &str| {
            let out =
                Command::new("bash").args(["-ec", script, "-"]).arg(&archive).current_dir(&work).output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            String::from_utf8(out.stdout).unwrap()
        };
        run("tar --numeric-owner -xpzf \"$1\"");
        let dump = run("find . -name '*.sql*' | head -n 1");
        let dump = work.join(dump.trim().trim_start_matches("./"));
        assert!(dump.is_file(), "{dump:?}");
        let is_packed = dump.extension().is_some_and(|end| end == "gz");
        let read = if is_packed { "zcat" } else { "cat" };
        // A letter a byte, whatever the bytes mean.
        let text = Command::new(read).arg(&dump).output().unwrap().stdout.into_iter().map(char::from).collect();
        let changed: Vec<u8> = change(text).chars().map(|letter| u8::try_from(letter).unwrap()).collect();
        std::fs::write(work.join("plain.sql"), changed).unwrap();
        let write = if is_packed { "gzip -c" } else { "cat" };
        run(&format!("{write} plain.sql > '{}'; rm plain.sql; tar -czf \"$1\" *", dump.display()));
    }

    pub fn helper(&self, name: &str, request: &Value) -> Output {
        self.helper_text(name, &request.to_string())
    }

    /// A request that need not be JSON.
    pub fn helper_text(&self, name: &str, request: &str) -> Output {
        self.program().args(["call", name, request]).stdin(Stdio::null()).output().unwrap()
    }

    /// The program, with the world's configuration.
    pub fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_rocketvps-restore"));
        program.arg("--config").arg(self.place().join("restore.toml"));
        program
    }

    /// The document of a call, which is what the schema says.
    #[track_caller]
    pub fn document(&self, name: &str, request: &Value) -> Value {
        let output = self.helper(name, request);
        let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("{name}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        });
        schema::hold_document(name, &document);
        document
    }

    #[track_caller]
    pub fn call(&self, name: &str, request: Value) -> Value {
        let document = self.document(name, &request);
        assert_eq!(document["ok"], true, "{name} {request}: {}", document["error"]);
        schema::hold_request(name, &request);
        document["data"].clone()
    }

    pub fn refused(&self, name: &str, request: Value) -> Value {
        let output = self.helper(name, &request);
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["ok"], false, "{name} {request} was not refused: {document}");
        assert_eq!(output.status.code().unwrap(), document["error"]["number"], "the exit status is the error's number");
        document["error"].clone()
    }

    pub fn restore(&self) -> Value {
        self.call("restore_start", json!({"domain": DOMAIN, "wait": true}))
    }

    pub fn job(data: &Value) -> String {
        data["job"].as_str().unwrap_or_else(|| panic!("no job in {data}")).to_owned()
    }

    pub fn begin(&self) -> String {
        World::job(&self.call("restore_start", json!({"domain": DOMAIN})))
    }

    pub fn poll(&self, job: &str) -> Value {
        self.call("restore_poll", json!({"job": job}))
    }

    pub fn await_end(&self, job: &str) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.poll(job);
            if FINAL.contains(&status["state"].as_str().unwrap()) {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "job {job} does not end: {status}");
            sleep(Duration::from_millis(20));
        }
    }

    /// Kills the worker of a job, as the kernel would, and waits until it is gone; false when it had ended already.
    pub fn kill_worker(job: &str) -> bool {
        let Some(pid) = worker(job) else { return false };
        let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success();
        while is_alive(pid) {
            sleep(Duration::from_millis(1));
        }
        killed
    }

    pub fn assert_nothing_left(&self) {
        assert_eq!(self.harness("strays", &[]), "", "left lying about");
    }
}

/// A request with more fields.
pub fn with_fields(mut request: Value, more: &Value) -> Value {
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

impl Drop for World {
    fn drop(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harness/world.sh");
        let _ = Command::new(script).arg("down").arg(self.place()).status();
        // What a test made immutable would stay for good.
        let _ = Command::new("chattr").args(["-R", "-f", "-i", "-a"]).arg(self.place()).status();
    }
}

/// Whether any thread of a process runs; what only waits for its parent to notice its end does not, and holds no lock.
pub fn is_alive(pid: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().any(|thread| {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:") && !line.contains("(zombie)") && !line.contains("(dead)"))
    })
}

/// The process that works on a job. The guards of its hooks have its words too, and it as their parent.
pub fn worker(job: &str) -> Option<u32> {
    let all: Vec<u32> = with_words_of_worker(job).collect();
    let parent = |pid: u32| -> Option<u32> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
    };
    all.iter().copied().find(|pid| !parent(*pid).is_some_and(|parent| all.contains(&parent)))
}

/// The most memory that the worker of a job has had when it ends, in KiB.
pub fn most_memory(job: &str) -> u64 {
    let mut most = 0;
    while let Some(pid) = worker(job).filter(|pid| is_alive(*pid)) {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let high = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
        most = most.max(high.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    most
}

fn with_words_of_worker(job: &str) -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc").unwrap().flatten().filter_map(move |entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let words = std::fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = words.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        let program = words.next()?;
        (program.contains("rocketvps-restore") && words.any(|word| word.ends_with(job))).then_some(pid)
    })
}
