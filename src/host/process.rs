//! What a worker does to its own process: detach, close what it inherited, be polite, keep secrets out of core files.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP_ASKED: AtomicBool = AtomicBool::new(false);

/// Goes on in a child of init's: the parent of this call exits with 0 at once. Only for a process with one thread.
///
/// # Errors
/// When fork or setsid fails.
pub fn detach() -> io::Result<()> {
    // SAFETY: the helper calls this first thing, with one thread, so the child may go on running Rust code.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => rustix::process::setsid().map(drop).map_err(io::Error::from),
        // SAFETY: _exit ends the parent without running the handlers that the child will run.
        _ => unsafe { libc::_exit(0) },
    }
}

/// Closes every descriptor from 3 upwards: what a PHP-FPM worker or shell had open is none of ours.
pub fn close_inherited() {
    // SAFETY: called first thing in the helper; no Rust object owns a descriptor above 2 yet.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32);
    }
}

/// Takes what was handed over as descriptor 0 or 1 and puts /dev/null there.
///
/// # Errors
/// When the descriptor is not open or /dev/null cannot be opened.
pub fn take_descriptor(number: u8) -> io::Result<OwnedFd> {
    let (source, taken) = match number {
        0 => {
            let taken = rustix::io::fcntl_dupfd_cloexec(io::stdin().as_fd(), 3)?;
            (File::open("/dev/null")?, taken)
        }
        _ => {
            let taken = rustix::io::fcntl_dupfd_cloexec(io::stdout().as_fd(), 3)?;
            (File::options().write(true).open("/dev/null")?, taken)
        }
    };
    if number == 0 {
        rustix::stdio::dup2_stdin(&source)?;
    } else {
        rustix::stdio::dup2_stdout(&source)?;
    }
    Ok(taken)
}

/// No core files and no tracing by the tenant: the worker's memory holds database passwords.
pub fn hide_memory() {
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Low CPU and I/O priority, inherited by threads made afterwards.
pub fn be_polite() {
    let _ = rustix::process::nice(10);
    // ioprio_set(IOPRIO_WHO_PROCESS, self, best effort class, lowest level): numbers of linux/ioprio.h.
    // SAFETY: takes three integers, touches no memory.
    unsafe {
        libc::syscall(libc::SYS_ioprio_set, 1, 0, (2 << 13) | 7);
    }
}

/// SIGTERM and SIGINT ask the job to stop; SIGHUP (a lost terminal) and SIGPIPE are ignored.
pub fn watch_signals() {
    extern "C" fn ask(_: libc::c_int) {
        STOP_ASKED.store(true, Ordering::Relaxed);
    }
    // SAFETY: the handler only stores to an atomic, which is async-signal-safe.
    unsafe {
        libc::signal(libc::SIGTERM, ask as *const () as libc::sighandler_t);
        libc::signal(libc::SIGINT, ask as *const () as libc::sighandler_t);
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    }
}

/// SIGINT is remembered once; the next one ends the process as usual.
pub fn catch_interrupt() {
    extern "C" fn remember(_: libc::c_int) {
        STOP_ASKED.store(true, Ordering::Relaxed);
        // SAFETY: signal(2) is async-signal-safe.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
    }
    // SAFETY: the handler stores to an atomic and calls signal(2), both async-signal-safe.
    unsafe { libc::signal(libc::SIGINT, remember as *const () as libc::sighandler_t) };
}

/// True once SIGTERM or SIGINT has come.
pub fn stop_asked() -> bool {
    STOP_ASKED.load(Ordering::Relaxed)
}

/// Bytes this process has read and written through system calls, page cache included (`rchar`, `wchar` of proc(5)).
pub fn io_counters() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let field =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or_default();
    (field("rchar:"), field("wchar:"))
}

/// Highest resident memory so far in bytes (`VmHWM` of proc(5)).
pub fn peak_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().trim_end_matches(" kB").parse().ok());
    kib.map_or(0, |kib: u64| kib * 1024)
}

/// The file this code was loaded from: the shared library, or the program it is linked into.
pub(crate) fn library_file() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills the struct it is given for an address of this very library, or returns 0.
    let name = unsafe {
        if libc::dladdr(library_file as *const libc::c_void, info.as_mut_ptr()) == 0 {
            return None;
        }
        let name = info.assume_init().dli_fname;
        if name.is_null() {
            return None;
        }
        CStr::from_ptr(name)
    };
    std::fs::canonicalize(std::ffi::OsStr::from_bytes(name.to_bytes())).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn f82_a_worker_leaves_no_core_file_and_is_not_traced_by_its_user() {
        // SAFETY: takes integers, touches no memory.
        let dumpable = || unsafe { libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) };
        assert_ne!(dumpable(), 0);
        super::hide_memory();
        assert_eq!(dumpable(), 0);
    }
}
