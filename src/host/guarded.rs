//! Runs a program that somebody else wrote, under a guard: a process that ends the program and everything in its process group at the
//! program's end, at the end of its time, and when this process is gone, however it went.

use crate::error::Error;
use crate::host::account::Account;
use crate::host::command::{self, Words};
use crate::progress::Monitor;
use rustix::fs::MemfdFlags;
use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// A program and what it gets.
pub struct Guarded<'a> {
    /// Its absolute path.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What it reads on standard input.
    pub input: &'a [u8],
    /// Its environment, beside `PATH`, `LC_ALL`, and `HOME`, `USER` and `LOGNAME` of its account.
    pub variables: Vec<(&'static str, String)>,
    /// The account that it runs as; `None`: this process's.
    pub account: Option<&'a Account>,
    /// Where it runs; entered with the rights of its account.
    pub folder: &'a Path,
    /// How long it may take.
    pub time: Duration,
    /// Ends it where the job is to stop; `None`: nothing does but its time.
    pub monitor: Option<&'a dyn Monitor>,
}

/// How a program ended.
#[derive(Debug)]
pub enum End {
    /// By itself, with this status; 128 and more: by a signal.
    Exited(i32),
    /// It was ended at the end of its time.
    TimedOut,
    /// It was ended because the job is to stop.
    Stopped(Error),
}

impl Guarded<'_> {
    /// Runs it to its end. Gives what it wrote on both outputs too, bounded.
    ///
    /// # Errors
    /// When it cannot be run.
    pub fn run(&self) -> io::Result<(End, String)> {
        let mut child = self.spawn()?;
        let words = [child.stdout.take().map(Words::of), child.stderr.take().map(Words::of)];
        let deadline = Instant::now() + self.time;
        let mut pause = Duration::from_millis(1);
        let end = loop {
            if let Some(status) = child.try_wait()? {
                break End::Exited(status.code().unwrap_or(128));
            }
            if let Some(Err(error)) = self.monitor.map(Monitor::keep_going) {
                dismiss(&mut child);
                break End::Stopped(error);
            }
            if Instant::now() > deadline {
                dismiss(&mut child);
                break End::TimedOut;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        Ok((end, words.into_iter().flatten().map(Words::at_last).collect()))
    }

    fn spawn(&self) -> io::Result<Child> {
        // A file, so that a program that does not read it keeps nobody waiting.
        let mut input = File::from(rustix::fs::memfd_create("input", MemfdFlags::CLOEXEC)?);
        input.write_all(self.input)?;
        input.rewind()?;
        let mut command = Command::new(self.program);
        command.args(&self.arguments).env_clear().env("PATH", command::FOLDERS.join(":")).env("LC_ALL", "C");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(account) = self.account {
            command.env("HOME", &account.home).env("USER", &account.name).env("LOGNAME", &account.name);
        }
        command.stdin(Stdio::from(input)).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let folder = CString::new(self.folder.as_os_str().as_bytes())?;
        let account = self.account.map(|account| (account.uid, account.gid, account.groups.clone()));
        let worker = rustix::process::getpid().as_raw_nonzero().get();
        // SAFETY: `stand_guard` makes only calls that are safe between fork and exec, and allocates nothing.
        unsafe { command.pre_exec(move || stand_guard(worker, account.as_ref(), &folder)) };
        command.spawn()
    }
}

/// Tells the guard to end the program, and waits for it.
fn dismiss(child: &mut Child) {
    let pid = rustix::process::Pid::from_child(child);
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    let _ = child.wait();
}

/// The program, in the guard's own process.
static WATCHED: AtomicI32 = AtomicI32::new(0);

/// In the process that was forked for the program: forks again, and returns in the child, which becomes the program. The parent stays
/// as the guard, with the rights of root where it has them, so that no account may end it.
///
/// # Safety
/// Between fork and exec only.
unsafe fn stand_guard(worker: libc::pid_t, account: Option<&(u32, u32, Vec<u32>)>, folder: &CString) -> io::Result<()> {
    extern "C" fn end(_: libc::c_int) {
        let watched = WATCHED.load(Ordering::Relaxed);
        // SAFETY: kill(2) and _exit(2) are async-signal-safe.
        unsafe {
            if watched > 0 {
                libc::kill(-watched, libc::SIGKILL);
            }
            libc::_exit(128 + libc::SIGTERM);
        }
    }
    let failed = || Err(io::Error::last_os_error());
    // SAFETY: system calls with integers and with memory that lives until exec; none of them is unsafe after a fork. clone(2) without
    // flags is fork(2) without the handlers of libc, which take locks.
    unsafe {
        // Until the guard has its handler, a signal waits: by the worker's own one, which the guard has from the fork, it would not end.
        let mut end_signal: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut end_signal);
        libc::sigaddset(&raw mut end_signal, libc::SIGTERM);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const end_signal, std::ptr::null_mut());
        if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) != 0 {
            return failed();
        }
        if libc::getppid() != worker {
            libc::_exit(128 + libc::SIGTERM);
        }
        match libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) {
            -1 => failed(),
            0 => {
                libc::setpgid(0, 0);
                libc::umask(0o022);
                for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGPIPE] {
                    libc::signal(signal, libc::SIG_DFL);
                }
                // Exec keeps the mask.
                libc::sigprocmask(libc::SIG_UNBLOCK, &raw const end_signal, std::ptr::null_mut());
                if let Some((uid, gid, groups)) = account
                    && libc::geteuid() == 0
                    && (libc::setgroups(groups.len(), groups.as_ptr()) != 0
                        || libc::setgid(*gid) != 0
                        || libc::setuid(*uid) != 0)
                {
                    return failed();
                }
                // A change of the account forgets it.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                if libc::chdir(folder.as_ptr()) != 0 { failed() } else { Ok(()) }
            }
            program => {
                let program = program as libc::pid_t;
                libc::setpgid(program, program);
                WATCHED.store(program, Ordering::Relaxed);
                libc::signal(libc::SIGTERM, end as *const () as libc::sighandler_t);
                libc::sigprocmask(libc::SIG_UNBLOCK, &raw const end_signal, std::ptr::null_mut());
                // Among them the end of a pipe by which the worker learns that the program runs.
                libc::syscall(libc::SYS_close_range, 0_u32, u32::MAX, 0_u32);
                let mut about: libc::siginfo_t = std::mem::zeroed();
                // Not reaped yet: as long as it is there, its group has no other owner.
                while libc::waitid(libc::P_PID, program as libc::id_t, &raw mut about, libc::WEXITED | libc::WNOWAIT)
                    != 0
                    && *libc::__errno_location() == libc::EINTR
                {}
                libc::kill(-program, libc::SIGKILL);
                let mut status = 0;
                libc::waitpid(program, &raw mut status, 0);
                let code =
                    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) };
                libc::_exit(code)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded<'a>(arguments: &[&str], input: &'a [u8], time: Duration) -> Guarded<'a> {
        Guarded {
            program: Path::new("/bin/sh"),
            arguments: arguments.iter().map(OsString::from).collect(),
            input,
            variables: vec![("RV_MOMENT", "staged".into())],
            account: None,
            folder: Path::new("/"),
            time,
            monitor: None,
        }
    }

    /// Whether a process that was given this word as its last argument is there.
    fn lives(word: &str) -> bool {
        let ends =
            |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end_matches('\0').ends_with(&format!("\0{word}"));
        std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .any(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(ends))
    }

    #[test]
    fn it_gets_its_input_and_a_few_variables_and_its_status_comes_back() {
        let (end, said) =
            guarded(&["-c", "cat; env; echo no >&2; exit 75"], b"in\n", Duration::from_secs(5)).run().unwrap();
        assert!(matches!(end, End::Exited(75)), "{end:?}");
        let mut words: Vec<&str> = said.lines().map(|line| line.split('=').next().unwrap()).collect();
        words.sort_unstable();
        assert_eq!(words, ["LC_ALL", "PATH", "PWD", "RV_MOMENT", "in", "no"], "{said}");
        let (end, _) = guarded(&["-c", "kill -9 $$"], b"", Duration::from_secs(5)).run().unwrap();
        assert!(matches!(end, End::Exited(137)), "{end:?}");
        let missing = Guarded { program: Path::new("/none"), ..guarded(&[], b"", Duration::from_secs(5)) };
        assert_eq!(missing.run().unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn nothing_that_it_started_outlives_it_or_its_time() {
        let begun = Instant::now();
        let (end, said) = guarded(&["-c", "sleep 300.25 & echo begun"], b"", Duration::from_secs(5)).run().unwrap();
        assert!(matches!(end, End::Exited(0)) && said == "begun\n", "{end:?} {said}");
        assert!(!lives("300.25"));
        let (end, _) = guarded(&["-c", "sleep 300.5 & sleep 300.5"], b"", Duration::from_millis(200)).run().unwrap();
        assert!(matches!(end, End::TimedOut), "{end:?}");
        assert!(!lives("300.5") && begun.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn what_it_said_is_kept_although_a_process_that_left_its_group_holds_the_pipe() {
        let (end, said) =
            guarded(&["-c", "echo found; setsid sleep 3.5 & sleep 0.2; exit 75"], b"", Duration::from_secs(3))
                .run()
                .unwrap();
        assert!(matches!(end, End::Exited(75)) && said == "found\n", "{end:?} {said}");
    }

    #[test]
    fn the_signal_that_ends_a_guard_waits_for_its_handler_only() {
        // A shell blocks signals itself while it begins a program; grep in its place does not.
        let script = "until grep -q 'SigBlk:.*0000$' /proc/$PPID/status; do sleep 0.01; done; \
            exec grep -h -e SigBlk -e SigCgt -e SigIgn /proc/self/status /proc/$PPID/status";
        let (end, said) = guarded(&["-c", script], b"", Duration::from_secs(5)).run().unwrap();
        assert!(matches!(end, End::Exited(0)), "{end:?} {said}");
        let masks: Vec<u64> = said
            .lines()
            .map(|line| u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap())
            .collect();
        let term = 1_u64 << (libc::SIGTERM - 1);
        let has = |mask: usize| masks[mask] & term != 0;
        assert_eq!([0, 1].map(has), [false, false], "the program has it blocked or ignored: {said}");
        assert_eq!([3, 4, 5].map(has), [false, false, true], "the guard does not take it: {said}");
    }

    #[test]
    fn as_an_account_it_has_that_accounts_rights_alone() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let nobody = Account { groups: vec![65534, 7], ..Account::named("nobody").unwrap() };
        let script = ["-c", "id -u; id -G; echo $HOME $USER; kill -TERM $PPID || true"];
        let as_nobody = Guarded { account: Some(&nobody), ..guarded(&script, b"", Duration::from_secs(5)) };
        let (end, said) = as_nobody.run().unwrap();
        assert!(matches!(end, End::Exited(0)), "it ended its guard: {end:?} {said}");
        assert!(said.starts_with(&format!("65534\n65534 7\n{} nobody\n", nobody.home.display())), "{said}");
    }
}
