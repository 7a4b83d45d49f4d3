//! Runs a program with a clean environment, bounded in time and output.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most bytes of a program's messages that are kept.
const LIMIT: usize = 64 << 10;
/// Folders programs are found in.
pub const FOLDERS: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// How a program ended.
pub struct Outcome {
    /// It exited with 0.
    pub success: bool,
    /// What it wrote.
    pub said: String,
}

fn prepared(program: &Path, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", FOLDERS.join(":")).env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::null()).process_group(0);
    command
}

/// Runs and waits; the messages of both outputs are joined.
///
/// # Errors
/// A sentence, when it cannot be run or is still running at the end of its time; then it is ended.
pub fn run(program: &Path, arguments: &[&OsStr], time: Duration) -> Result<Outcome, String> {
    let shown = program.display();
    let mut child = prepared(program, arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{shown}: {error}"))?;
    let words = [child.stdout.take().map(Words::of), child.stderr.take().map(Words::of)];
    let deadline = Instant::now() + time;
    let success = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
            Ok(None) => {
                end(&mut child);
                return Err(format!("{shown} did not end within {} s", time.as_secs()));
            }
            Err(error) => return Err(format!("{shown}: {error}")),
        }
    };
    Ok(Outcome { success, said: words.into_iter().flatten().map(Words::at_last).collect() })
}

/// What a program writes, bounded, as it comes.
pub(super) struct Words {
    came: Arc<Mutex<Vec<u8>>>,
    /// Says nothing; it is gone once the program has closed its end, or has said enough.
    comes: crossbeam_channel::Receiver<()>,
}

impl Words {
    pub(super) fn of(mut from: impl Read + Send + 'static) -> Words {
        let (coming, comes) = crossbeam_channel::bounded(1);
        let came = Arc::new(Mutex::new(Vec::new()));
        let into = came.clone();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            let mut is_full = false;
            while let Ok(length @ 1..) = from.read(&mut part) {
                let mut text = into.lock().unwrap_or_else(PoisonError::into_inner);
                let room = LIMIT - text.len();
                text.extend(&part[..length.min(room)]);
                is_full = text.len() == LIMIT;
                if is_full {
                    break;
                }
            }
            drop(coming);
            // What is beyond the limit is read on, so that the program does not stand still.
            if is_full {
                let _ = std::io::copy(&mut from, &mut std::io::sink());
            }
        });
        Words { came, comes }
    }

    /// What came in all. A grandchild may hold the pipe open when the program has ended: then, after half a second, what came so far.
    pub(super) fn at_last(self) -> String {
        let _ = self.comes.recv_timeout(Duration::from_millis(500));
        String::from_utf8_lossy(&self.came.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

/// Starts a program that goes into the background by itself, at ordinary priority. Ten seconds for its first process.
///
/// # Errors
/// A sentence, when it cannot be run or fails at once.
pub fn start(program: &Path, arguments: &[&OsStr]) -> Result<(), String> {
    let shown = program.display();
    let mut child = prepared(program, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{shown}: {error}"))?;
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    // The worker may be polite; a service is not.
    let _ = rustix::process::setpriority_process(pid, 0);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{shown} ended with {status}")),
            // It stays in the foreground: it is left running.
            Ok(None) if Instant::now() > deadline => return Ok(()),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(format!("{shown}: {error}")),
        }
    }
}

/// Finds a program by name.
pub fn find(name: &str) -> Option<std::path::PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// Runs systemctl; gives its output.
///
/// # Errors
/// What it said.
pub fn systemctl(arguments: &[&str]) -> Result<String, String> {
    let program = find("systemctl").ok_or("systemctl is not installed")?;
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let outcome = run(&program, &arguments, Duration::from_secs(30))?;
    if outcome.success { Ok(outcome.said) } else { Err(outcome.said.trim().to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, time: Duration) -> Result<Outcome, String> {
        run(Path::new("/bin/sh"), &["-c".as_ref(), script.as_ref()], time)
    }

    #[test]
    fn output_and_outcome_are_given() {
        let outcome = shell("echo out; echo err >&2; env; exit 3", Duration::from_secs(5)).unwrap();
        assert!(!outcome.success);
        assert!(outcome.said.contains("out\n") && outcome.said.contains("err\n"));
        assert!(!outcome.said.contains("HOME="), "the environment is not handed on");
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let begun = Instant::now();
        assert!(shell("sleep 60 & sleep 60", Duration::from_millis(100)).is_err());
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn what_was_said_is_kept_although_somebody_holds_the_pipe() {
        let begun = Instant::now();
        let outcome = shell("echo out; echo err >&2; setsid sleep 4.5 & exit 0", Duration::from_secs(4)).unwrap();
        assert!(outcome.success && begun.elapsed() < Duration::from_secs(4));
        assert_eq!(outcome.said, "out\nerr\n");
    }

    #[test]
    fn endless_output_is_bounded() {
        let outcome = shell("head -c 3000000 /dev/zero | tr '\\0' x", Duration::from_secs(20)).unwrap();
        assert_eq!(outcome.said.len(), LIMIT);
    }
}
