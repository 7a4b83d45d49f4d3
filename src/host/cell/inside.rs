//! The helper as the first process of a cell: it leaves the machine, starts PHP-FPM and nginx as the site's account, and ends with its
//! worker.

use super::{Account, Answers, Leavings, OWN, PRELUDE, Php, Said, Spec, Web, mounts, web};
use crate::host::process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Largest description of a cell.
const MAX_SPEC: u32 = 1 << 20;
/// Most bytes that are told of a log.
const MAX_TOLD: usize = 8 << 10;
/// How long nginx may look at its configuration.
const TESTING: Duration = Duration::from_secs(5);
/// The descriptor that PHP-FPM and nginx take their listening sockets from.
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

/// The sockets that requests come through.
struct Listeners {
    php: Option<UnixListener>,
    web: Option<UnixListener>,
}

fn enter() -> Result<(), String> {
    let spec = read_spec().map_err(|error| format!("the cell's description: {error}"))?;
    if spec.account.uid == 0 || spec.account.gid == 0 {
        return Err("nothing of a site runs as root".into());
    }
    // Only root enters its folder, and in the cell nginx has to reach PHP.
    let at = |path: &Path| super::listen(path, 0o666).map_err(|error| format!("listen at {}: {error}", path.display()));
    let listeners = Listeners {
        php: spec.php.as_ref().map(|php| at(&php.socket)).transpose()?,
        web: spec.web.as_ref().map(|web| at(&web.socket)).transpose()?,
    };
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
            if let Err(why) = keep(&spec, listeners, layered, tasks) {
                say(&Said::Failed(why));
            }
            // The first process of its namespace: with it the kernel ends all others.
            std::process::exit(0);
        }
        child => {
            drop(listeners);
            let mut status = 0;
            // SAFETY: writes to an integer of ours.
            while unsafe { libc::waitpid(child, &raw mut status, 0) } == -1
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
            Ok(())
        }
    }
}

/// A program of a cell: who it runs as, and what bounds it.
struct Tenant<'a> {
    account: &'a Account,
    seconds: u64,
    /// Processes and threads that the account may have.
    tasks: u64,
}

/// The life of the first process.
fn keep(spec: &Spec, listeners: Listeners, layered: bool, tasks: u64) -> Result<(), String> {
    mounts::show_processes()?;
    let tenant = Tenant { account: &spec.account, seconds: spec.seconds, tasks: tasks + TASKS };
    let log = Path::new(OWN).join("php-fpm.log");
    let mut php = None;
    if let (Some(of), Some(listener)) = (&spec.php, listeners.php) {
        php = Some(start_php(of, &tenant, &log, listener)?);
    }
    let (mut server, mut answers) = (None, Answers::Nobody);
    if let (Some(of), Some(listener)) = (&spec.web, listeners.web) {
        (server, answers) = start_web(of, &tenant, listener);
    }
    let mut child = match (php, server) {
        (Some(php), _) => php,
        (None, Some(server)) => server,
        (None, None) => return Err(format!("nothing of the site answers: {answers:?}")),
    };
    say(&Said::Ready { layered, web: answers });
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
    let server = tail(&Path::new(OWN).join("nginx.log"));
    let left = Leavings { log: tail(&log), server, early, written, network: tried_network() };
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

/// A file of the cell's own, which everybody may read.
fn put(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o444)))
        .map_err(|error| format!("write {}: {error}", path.display()))
}

/// A log that the account alone writes.
fn put_log(log: &Path, account: &Account) -> Result<(), String> {
    File::create(log)
        .and_then(|_| chown(log, Some(account.uid), None))
        .and_then(|()| fs::set_permissions(log, Permissions::from_mode(0o600)))
        .map_err(|error| format!("write {}: {error}", log.display()))
}

fn start_php(php: &Php, tenant: &Tenant, log: &Path, listener: UnixListener) -> Result<Child, String> {
    let conf = Path::new(OWN).join("php-fpm.conf");
    put(&conf, &php.pool)?;
    put(Path::new(PRELUDE), &php.prelude)?;
    put_log(log, tenant.account)?;
    let mut command = Command::new(&php.program);
    command.stderr(Stdio::null());
    command.arg("--nodaemonize").arg("--fpm-config").arg(conf);
    // The second page has the code of the first one. A preloaded site is another one's, and so is code on disk.
    for setting in ["opcache.enable=1", "opcache.memory_consumption=64", "opcache.preload=", "opcache.file_cache="] {
        command.args(["-d", setting]);
    }
    let socket = format!("{OWN}/php-fpm.sock={LISTENER}");
    tenant
        .start(command, ("FPM_SOCKETS", &socket), &OwnedFd::from(listener))
        .map_err(|error| format!("{}: {error}", php.program.display()))
}

/// nginx by the first configuration that it takes.
fn start_web(of: &Web, tenant: &Tenant, listener: UnixListener) -> (Option<Child>, Answers) {
    // As it was bound: nginx takes over a socket whose address it is told to listen at.
    let address = listener.local_addr().ok().and_then(|address| Some(address.as_pathname()?.display().to_string()));
    let Some(address) = address else { return (None, Answers::Failed("its socket has no address".into())) };
    let listener = OwnedFd::from(listener);
    let try_by = |text: &str| by_configuration(of, tenant, &listener, &text.replace(web::ADDRESS, &address));
    let own = of.own.as_ref().map_err(Clone::clone).and_then(|text| try_by(text));
    match own {
        Ok(child) => (Some(child), Answers::Own),
        Err(why) => match try_by(&of.plain) {
            Ok(child) => (Some(child), Answers::Plain(why)),
            Err(why) => (None, Answers::Failed(why)),
        },
    }
}

/// nginx with this configuration, where it takes it.
fn by_configuration(of: &Web, tenant: &Tenant, listener: &OwnedFd, text: &str) -> Result<Child, String> {
    let own = Path::new(OWN);
    let (conf, log) = (own.join("nginx.conf"), own.join("nginx.log"));
    put(&conf, text)?;
    put_log(&log, tenant.account)?;
    let run = |arguments: &[&str], errors: Stdio| {
        let mut command = Command::new(&of.program);
        command.arg("-p").arg(own).arg("-c").arg(&conf).args(arguments).stderr(errors);
        tenant
            .start(command, ("NGINX", &format!("{LISTENER};")), listener)
            .map_err(|error| format!("{}: {error}", of.program.display()))
    };
    let mut test = run(&["-t"], Stdio::piped())?;
    let deadline = Instant::now() + TESTING;
    loop {
        match test.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = test.kill();
                let _ = test.wait();
                return Err(format!("nginx does not take it: {}", refusal(test.stderr.take())));
            }
        }
    }
    run(&[], Stdio::null())
}

/// What nginx says against a configuration.
fn refusal(errors: Option<ChildStderr>) -> String {
    const GRAVE: &str = "[emerg] ";
    let mut said = Vec::new();
    if let Some(errors) = errors {
        let _ = errors.take(MAX_TOLD as u64).read_to_end(&mut said);
    }
    let said = String::from_utf8_lossy(&said);
    let grave = said.lines().find_map(|line| line.split_once(GRAVE)).map(|(_, rest)| rest);
    // Behind the numbers of its process.
    let why = grave.map(|rest| rest.split_once(": ").map_or(rest, |(_, why)| why));
    why.unwrap_or("it gives no reason").to_owned()
}

impl Tenant<'_> {
    /// Starts a program as the account, with a listening socket that it finds by a variable.
    fn start(&self, mut command: Command, variable: (&str, &str), listener: &OwnedFd) -> io::Result<Child> {
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env(variable.0, variable.1).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let (number, account) = (listener.as_raw_fd(), self.account.clone());
        let (seconds, tasks) = (self.seconds, self.tasks);
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
                become_tenant(&account, seconds, tasks)
            });
        }
        command.spawn()
    }
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
