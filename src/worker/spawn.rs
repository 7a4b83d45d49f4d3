//! Starts a worker that outlives its caller: the helper, detached, with the locks handed over as open files.

use crate::api::ABI_VERSION;
use crate::api::request::Request;
use crate::clock;
use crate::config::Config;
use crate::disk::lock_file;
use crate::error::{Code, Error, IoContext, Result};
use crate::job::folder::JobFolder;
use crate::job::folder::file;
use crate::job::lock::DomainLock;
use crate::job::status::Status;
use crate::job::ticket::{self, Ticket};
use crate::job::{JobId, Kind, State};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Writes a job down and starts its worker. A lock that is given goes to the worker; for every kind but
/// [`Kind::Recover`] it is claimed for this job.
///
/// # Errors
/// `forbidden`, `disk_full`, `io_failed`, `helper_missing`, `abi_mismatch`.
pub fn start(config: &Config, request: Request, lock: Option<DomainLock>) -> Result<JobId> {
    let kind = request.kind().ok_or_else(|| Error::new(Code::Internal, format!("{} starts no job", request.name())))?;
    let helper = find_helper(config)?;
    let ticket = Ticket {
        schema: ticket::SCHEMA,
        job: JobId::new()?,
        kind,
        domain: request.domain().cloned(),
        created: clock::rfc3339(),
        request,
        config: config.clone(),
    };
    let folder = JobFolder::create(&ticket)?;
    // This lock is taken before the status is written, because others see the job by its status. So at no moment does the job look
    // like one whose worker died.
    let alive = lock_file(&folder.join(file::ALIVE), Duration::from_secs(1))?;
    folder.write_volatile(file::STATUS, &Status::queued(&ticket))?;
    let mut command = Command::new(&helper);
    command.arg("worker").arg("--abi").arg(ABI_VERSION.to_string());
    if let Some(mut lock) = lock {
        if kind != Kind::Recover {
            lock.claim(&ticket.job)?;
        }
        command.arg("--locked").stdin(Stdio::from(lock.share()?));
    } else {
        command.stdin(Stdio::null());
    }
    // The environment of the host process is neither read nor passed on.
    command.arg(folder.path()).env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("LANG", "C.UTF-8").current_dir("/").stdout(Stdio::from(alive)).stderr(Stdio::null());
    // Ctrl+C of the caller's terminal is not for the worker, not even before it is detached.
    command.process_group(0);
    let mut child = command.spawn().doing(|| format!("start {}", helper.display()))?;
    match child.wait() {
        // A host that ignores SIGCHLD has no status to give.
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => {}
        Err(error) => return Err(Error::io(format!("wait for {}", helper.display()), &error)),
        Ok(status) if status.success() => {}
        Ok(status) if status.code() == Some(i32::from(Code::AbiMismatch.number())) => {
            return Err(Error::new(
                Code::AbiMismatch,
                format!("{} is of another version than this library", helper.display()),
            ));
        }
        Ok(status) => {
            return Err(Error::new(Code::WorkerDied, format!("{} did not start a worker: {status}", helper.display())));
        }
    }
    Ok(ticket.job)
}

/// The helper program: the configured one, this program itself, or the one installed with the library.
fn find_helper(config: &Config) -> Result<PathBuf> {
    let configured = &config.paths.helper;
    if !configured.as_os_str().is_empty() {
        return if configured.is_file() {
            Ok(configured.clone())
        } else {
            Err(missing(std::slice::from_ref(configured)))
        };
    }
    const NAME: &str = "rocketvps-restore";
    if let Ok(this) = std::env::current_exe()
        && this.file_name().is_some_and(|name| name == NAME)
    {
        return Ok(this);
    }
    let mut candidates = Vec::new();
    if let Some(folder) = crate::host::process::library_file().as_deref().and_then(Path::parent) {
        // Beside the library, in the prefix it is installed under, or in the build folder of a test.
        candidates.extend(["", "../bin", "../../bin", ".."].map(|near| folder.join(near).join(NAME)));
    }
    candidates.extend(["/usr/local/bin", "/usr/bin", "/usr/sbin"].map(|folder| Path::new(folder).join(NAME)));
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| missing(&candidates))
}

fn missing(looked: &[PathBuf]) -> Error {
    let looked: Vec<String> = looked.iter().map(|path| path.display().to_string()).collect();
    Error::new(Code::HelperMissing, format!("the helper was not found: looked for {}", looked.join(", ")))
}

/// Where systemd runs, starts the worker again in a scope of its own, so that stopping the caller's unit does not end it.
/// True when that worker has done its work; false when there is no systemd or it refused.
///
/// # Errors
/// When the running program cannot be found.
pub fn enter_scope(folder: &Path, locked: bool) -> Result<bool> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Ok(false);
    }
    let act = || "hand the worker over to systemd".to_owned();
    let alive = rustix::io::fcntl_dupfd_cloexec(std::io::stdout().as_fd(), 3).doing(act)?;
    let lock = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3).doing(act)?;
    let mut command = Command::new("systemd-run");
    command.args(["--scope", "--quiet", "--collect", "--"]).arg(std::env::current_exe().doing(act)?);
    command.args(["worker", "--abi"]).arg(ABI_VERSION.to_string()).arg("--scoped");
    if locked {
        command.arg("--locked");
    }
    let status = command.arg(folder).stdin(lock).stdout(alive).status();
    // A worker that began leaves another state than `queued`, however it ended; one that never began may be started here.
    let queued =
        JobFolder::at(folder).and_then(|folder| folder.status()).is_ok_and(|status| status.state == State::Queued);
    Ok(status.is_ok_and(|status| status.success()) || !queued)
}
