//! The helper as the first process of a cell: it leaves the machine, starts PHP-FPM as the site's account, and ends with its worker.

use super::{Account, Leavings, OWN, PRELUDE, Said, Spec, mounts};
use crate::host::process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Largest description of a cell.
const MAX_SPEC: u32 = 1 << 20;
/// Most bytes that are told of a log.
const MAX_TOLD: usize = 8 << 10;
/// The descriptor that PHP-FPM takes its listening socket from.
const LISTENER: i32 = 3;
/// Most bytes of addresses of a process. PHP's own limit of memory is far below.
const ADDRESSES: u64 = 4 << 30;
/// Processes and threads that the account may have beside those that it has.
const TASKS: u64 = 64;

/// Makes the cell that is described on standard input, and stays until that ends.
pub fn run() -> ExitCode {
    process::hide_memory();
    die_with_parent();
    match enter() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&Said::Failed(why));
            ExitCode::FAILURE
        }
    }
}

fn say(said: &Said) {
    let mut line = serde_json::to_string(said).unwrap_or_default();
    line.push('\n');
    let mut out = io::stdout();
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

fn die_with_parent() {
    // SAFETY: takes two integers, touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

fn last(what: &str) -> String {
    format!("{what}: {}", io::Error::last_os_error())
}

fn read_spec() -> io::Result<Spec> {
    let mut input = File::from(rustix::io::dup(io::stdin())?);
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > MAX_SPEC {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; length as usize];
    input.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn enter() -> Result<(), String> {
    let spec = read_spec().map_err(|error| format!("the cell's description: {error}"))?;
    if spec.account.uid == 0 || spec.account.gid == 0 {
        return Err("nothing of a site runs as root".into());
    }
    let listener = super::listen(&spec.socket, 0o600)
        .map(OwnedFd::from)
        .map_err(|error| format!("listen at {}: {error}", spec.socket.display()))?;
    let sockets = mounts::sockets();
    let tasks = tasks_of(spec.account.uid);
    let flags = libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_NEWPID;
    // SAFETY: takes an integer, touches no memory.
    if unsafe { libc::unshare(flags) } != 0 {
        return Err(last("the kernel gives no namespaces"));
    }
    let layered = mounts::make(&spec, &sockets)?;
    // SAFETY: this process has one thread, so the child may go on running Rust code.
    match unsafe { libc::fork() } {
        -1 => Err(last("fork")),
        0 => {
            die_with_parent();
            if let Err(why) = keep(&spec, listener, layered, tasks) {
                say(&Said::Failed(why));
            }
            // The first process of its namespace: with it the kernel ends all others.
            std::process::exit(0);
        }
        child => {
            drop(listener);
            let mut status = 0;
            // SAFETY: writes to an integer of ours.
            while unsafe { libc::waitpid(child, &raw mut status, 0) } == -1
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
            Ok(())
        }
    }
}

/// The life of the first process.
fn keep(spec: &Spec, listener: OwnedFd, layered: bool, tasks: u64) -> Result<(), String> {
    mounts::show_processes()?;
    let own = Path::new(OWN);
    let (conf, log) = (own.join("php-fpm.conf"), own.join("php-fpm.log"));
    let put = |path: &Path, text: &str| {
        fs::write(path, text)
            .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o444)))
            .map_err(|error| format!("write {}: {error}", path.display()))
    };
    put(&conf, &spec.pool)?;
    put(Path::new(PRELUDE), &spec.prelude)?;
    put(&log, "")?;
    chown(&log, Some(spec.account.uid), None)
        .and_then(|()| fs::set_permissions(&log, Permissions::from_mode(0o600)))
        .map_err(|error| format!("write {}: {error}", log.display()))?;
    let mut child =
        start(spec, &conf, &listener, tasks).map_err(|error| format!("{}: {error}", spec.program.display()))?;
    drop(listener);
    say(&Said::Ready { layered });
    let deadline = Instant::now() + Duration::from_secs(spec.seconds);
    let stdin = io::stdin();
    let mut early;
    let beat = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    loop {
        let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
        let heard = poll(&mut watched, Some(&beat)).unwrap_or(0) > 0;
        early = !matches!(child.try_wait(), Ok(None));
        if heard || early || Instant::now() > deadline {
            break;
        }
    }
    // Everybody else of this namespace, so that nobody changes what is read now.
    // SAFETY: takes two integers, touches no memory.
    unsafe { libc::kill(-1, libc::SIGKILL) };
    let _ = child.wait();
    let written = if layered { written(&mounts::layer()) } else { String::new() };
    let left = Leavings { log: tail(&log), early, written, network: tried_network() };
    say(&Said::Ended(left));
    Ok(())
}

/// How many processes and threads an account has on the machine.
fn tasks_of(uid: u32) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let is_process =
        |entry: &fs::DirEntry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().filter(is_process);
    let own = processes.filter(|entry| entry.metadata().is_ok_and(|data| data.uid() == uid));
    own.map(|entry| fs::read_dir(entry.path().join("task")).map_or(1, |tasks| tasks.count() as u64)).sum()
}

fn start(spec: &Spec, conf: &Path, listener: &OwnedFd, tasks: u64) -> io::Result<std::process::Child> {
    let mut command = Command::new(&spec.program);
    command.arg("--nodaemonize").arg("--fpm-config").arg(conf);
    // The second page has the code of the first one. A preloaded site is another one's, and so is code on disk.
    for setting in ["opcache.enable=1", "opcache.memory_consumption=64", "opcache.preload=", "opcache.file_cache="] {
        command.args(["-d", setting]);
    }
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command.env("FPM_SOCKETS", format!("{OWN}/php-fpm.sock={LISTENER}")).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let (number, account) = (listener.as_raw_fd(), spec.account.clone());
    let seconds = spec.seconds;
    // SAFETY: between fork and exec only system calls are made; this process has one thread.
    unsafe {
        command.pre_exec(move || {
            if libc::dup2(number, LISTENER) == -1 {
                return Err(io::Error::last_os_error());
            }
            if number == LISTENER && libc::fcntl(LISTENER, libc::F_SETFD, 0) == -1 {
                return Err(io::Error::last_os_error());
            }
            // Where memory runs out, this goes before anything of the machine.
            let _ = fs::write("/proc/self/oom_score_adj", "1000");
            become_tenant(&account, seconds, tasks + TASKS)
        });
    }
    command.spawn()
}

/// From root to the site's account, with nothing left to get back by.
fn become_tenant(account: &Account, seconds: u64, tasks: u64) -> io::Result<()> {
    let done = |result: libc::c_int| if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
    let limit = |resource, most: u64| {
        let both = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: reads a struct of ours.
        done(unsafe { libc::setrlimit(resource, &raw const both) })
    };
    limit(libc::RLIMIT_CORE, 0)?;
    limit(libc::RLIMIT_CPU, seconds)?;
    limit(libc::RLIMIT_FSIZE, 128 << 20)?;
    limit(libc::RLIMIT_NOFILE, 1024)?;
    limit(libc::RLIMIT_AS, ADDRESSES)?;
    limit(libc::RLIMIT_NPROC, tasks)?;
    // SAFETY: integers and a list of ours with its length; the empty keyring has no name.
    unsafe {
        const JOIN_SESSION_KEYRING: libc::c_long = 1;
        libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, 0, 0, 0, 0);
        for capability in 0..64 {
            libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
        }
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        done(libc::setgroups(account.groups.len(), account.groups.as_ptr()))?;
        done(libc::setresgid(account.gid, account.gid, account.gid))?;
        done(libc::setresuid(account.uid, account.uid, account.uid))?;
        done(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
    }
    Ok(())
}

/// Whether the kernel found no way for something that was sent: the network of a cell has none.
fn tried_network() -> bool {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    refused(&read("/proc/net/snmp")) || refused_of_6(&read("/proc/net/snmp6"))
}

/// By the kernel's counters of IPv4: a line of names and a line of figures.
fn refused(counters: &str) -> bool {
    let mut lines = counters.lines().filter_map(|line| line.strip_prefix("Ip: "));
    let (Some(names), Some(figures)) = (lines.next(), lines.next()) else { return false };
    names.split(' ').zip(figures.split(' ')).any(|(name, figure)| name == "OutNoRoutes" && figure != "0")
}

/// By those of IPv6: a line for each.
fn refused_of_6(counters: &str) -> bool {
    let mut words = counters.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.any(|words| words.first() == Some(&"Ip6OutNoRoutes") && words.get(1).is_some_and(|figure| *figure != "0"))
}

fn tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(MAX_TOLD)..]).into_owned()
}

/// The end of each file of errors that the site wrote: what it would not show to a visitor is there.
fn written(layer: &Path) -> String {
    let mut told = String::new();
    let mut folders = vec![layer.to_owned()];
    let mut looked_at = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            looked_at += 1;
            if looked_at > 5_000 || told.len() > MAX_TOLD {
                return told;
            }
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_string_lossy().ends_with(".log") {
                told.push_str(&last_of(&entry.path()));
            }
        }
    }
    told
}

fn last_of(path: &Path) -> String {
    let file = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
    let mut text = Vec::new();
    let read = file.and_then(|mut file| {
        use std::io::Seek;
        let length = file.metadata()?.len();
        file.seek(io::SeekFrom::Start(length.saturating_sub(MAX_TOLD as u64)))?;
        file.take(MAX_TOLD as u64).read_to_end(&mut text)
    });
    read.map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_found_no_way_is_counted() {
        let snmp =
            |figure: &str| format!("Ip: Forwarding OutNoRoutes ReasmTimeout\nIp: 2 {figure} 0\nTcp: a\nTcp: 9\n");
        assert!(refused(&snmp("3")) && !refused(&snmp("0")) && !refused("") && !refused("Ip: OutNoRoutes\n"));
        let of_6 = |figure: &str| format!("Ip6InReceives   \t7\nIp6OutNoRoutes                  \t{figure}\n");
        assert!(refused_of_6(&of_6("1")) && !refused_of_6(&of_6("0")) && !refused_of_6(""));
    }
}
