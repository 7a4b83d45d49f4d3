//! The database of a snapshot, written by the server's own dump program.
//!
//! The password goes through an option file with mode 0600 that lives as long as the program runs. A dump counts as
//! made when the program says so by its exit code AND by the dump's last line.

use crate::backup::scan::{TableTally, tally};
use crate::config::Config;
use crate::disk::create_new;
use crate::error::{Code, Error, IoContext, Result};
use crate::host::credentials::{AdminAccount, Endpoint, Password};
use crate::host::database::{Database, ObjectKind, Real, Server};
use crate::host::site_database::SiteDatabase;
use crate::job::JobId;
use crate::progress::{Monitor, Phase};
use crate::snapshot::objects;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

/// Where the dump program is looked for, MariaDB's own name first.
const PROGRAMS: [&str; 4] =
    ["/usr/bin/mariadb-dump", "/usr/local/bin/mariadb-dump", "/usr/bin/mysqldump", "/usr/local/bin/mysqldump"];
const MAX_STDERR: u64 = 16 << 10;

/// Who reads a schema, and where.
#[derive(Debug, Clone)]
struct Account {
    schema: String,
    user: String,
    /// Empty: by the socket's peer.
    password: Password,
    endpoint: Endpoint,
}

/// What the dump program writes.
enum Content<'a> {
    /// Tables, but not these views.
    Tables(&'a [String]),
    /// Everything.
    All,
}

impl Account {
    fn of(server: &Server, schema: &str) -> Account {
        let AdminAccount { user, password, endpoint } = server.account().clone();
        Account { schema: schema.to_owned(), user, password, endpoint }
    }

    fn option_text(&self) -> String {
        let quote = |text: &str| {
            let mut quoted = String::from("\"");
            for letter in text.chars() {
                match letter {
                    '\\' => quoted.push_str("\\\\"),
                    '"' => quoted.push_str("\\\""),
                    '\n' => quoted.push_str("\\n"),
                    '\r' => quoted.push_str("\\r"),
                    '\t' => quoted.push_str("\\t"),
                    other => quoted.push(other),
                }
            }
            quoted.push('"');
            quoted
        };
        let mut text = format!("[client]\nuser={}\n", quote(&self.user));
        if !self.password.reveal().is_empty() {
            text.push_str(&format!("password={}\n", quote(self.password.reveal())));
        }
        text
    }
}

/// What a dump holds.
#[derive(Debug, Clone, Default)]
pub struct Dumped {
    /// Bytes of SQL.
    pub bytes: u64,
    /// Its tables.
    pub tables: Vec<TableTally>,
    /// Views, triggers, routines and events.
    pub objects: u64,
}

impl Dumped {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// Dumps a site's schema into `out`. `work` is a private folder for secrets while they are needed.
///
/// The tables are read by a throw-away account: see [`Reader`](crate::host::database::reader::Reader). What is defined beside
/// them is shown by the administrator, whoever it belongs to. Where the administrator is not let in the site's own account writes all it may see.
///
/// # Errors
/// `credentials_missing` when there is nobody to ask, `database_unreachable`, `insufficient_privilege`,
/// `database_failed` with the program's message, `io_failed`, and the monitor's own.
pub fn dump(
    config: &Config,
    site: &SiteDatabase,
    work: &Path,
    out: &mut dyn Write,
    monitor: &Arc<dyn Monitor>,
) -> Result<Dumped> {
    let schema = &site.account.schema;
    let admin = match Server::admin(config).and_then(|admin| admin.impatient().connect(None).map(|_| admin)) {
        Ok(admin) => admin,
        Err(error)
            if matches!(error.code, Code::InsufficientPrivilege | Code::CredentialsMissing) && site.is_usable() =>
        {
            let own = Account::of(&site.server(), schema);
            return dump_as(&own, &Content::All, work, out, monitor.as_ref());
        }
        Err(error) => return Err(error),
    };
    let real = Real::new(admin, JobId::of_folder(work)?.short(), monitor.clone());
    let objects = real.objects(schema)?;
    let views: Vec<String> =
        objects.0.iter().filter(|object| object.kind == ObjectKind::View).map(|view| view.name.clone()).collect();
    let reader = Account::of(&real.reader().server(schema)?, schema);
    let mut dumped = dump_as(&reader, &Content::Tables(&views), work, out, monitor.as_ref())?;
    let text = objects::statements(&objects);
    out.write_all(text.as_bytes()).doing(|| "write the dump".into())?;
    dumped.bytes += text.len() as u64;
    dumped.objects += objects.0.len() as u64;
    Ok(dumped)
}

fn dump_as(
    account: &Account,
    content: &Content<'_>,
    work: &Path,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<Dumped> {
    let program = PROGRAMS.iter().find(|path| Path::new(path).is_file()).ok_or_else(|| {
        Error::new(Code::DatabaseFailed, "neither mariadb-dump nor mysqldump is installed")
            .hint("Install the database client programs (Debian: mariadb-client).")
    })?;
    if account.schema.is_empty() || account.schema.starts_with('-') {
        return Err(Error::new(Code::DatabaseFailed, format!("{:?} is no name of a schema", account.schema)));
    }
    let secret = Secret::write(work, &account.option_text())?;
    let mut command = Command::new(program);
    // First, and the only option file: a .my.cnf of whoever runs this has no say.
    command.arg(joined("--defaults-file=", &secret.0));
    match &account.endpoint {
        Endpoint::Socket(path) => command.arg(joined("--socket=", path)),
        Endpoint::Tcp { host, port } => {
            command.args(["--protocol=tcp", &format!("--host={host}"), &format!("--port={port}")])
        }
    };
    command.args([
        "--single-transaction",
        "--quick",
        "--hex-blob",
        // Of MySQL's program alone: without it a server with GTIDs wants RELOAD from whoever dumps.
        "--loose-set-gtid-purged=OFF",
        "--no-tablespaces",
        "--max-allowed-packet=1073741824",
        "--default-character-set=utf8mb4",
    ]);
    match content {
        Content::All => drop(command.args(["--routines", "--triggers", "--events"])),
        Content::Tables(views) => {
            let ignored = views.iter().map(|view| format!("--ignore-table={}.{view}", account.schema));
            command.arg("--skip-triggers").args(ignored);
        }
    }
    command.arg("--").arg(&account.schema);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("HOME", "/nonexistent");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().doing(|| format!("start {program}"))?;
    let mut running = Running(child);
    let outcome = pump(&mut running, out, monitor);
    if outcome.is_err() {
        running.stop();
    }
    let (dumped, complete, stderr) = outcome?;
    let status = running.0.wait().doing(|| format!("wait for {program}"))?;
    if !status.success() {
        return Err(refusal(program, &stderr, status.code(), dumped.bytes));
    }
    if !complete {
        return Err(Error::new(Code::DatabaseFailed, format!("{program} ended without the line of a finished dump")));
    }
    Ok(dumped)
}

fn joined(option: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(option);
    argument.push(path);
    argument
}

fn pump(running: &mut Running, out: &mut dyn Write, monitor: &dyn Monitor) -> Result<(Dumped, bool, String)> {
    let missing = || Error::new(Code::Internal, "the dump program has no output");
    let stdout = running.0.stdout.take().ok_or_else(missing)?;
    let stderr = running.0.stderr.take().ok_or_else(missing)?;
    let said = std::thread::spawn(move || {
        let (mut text, mut stderr) = (Vec::new(), stderr);
        let _ = (&mut stderr).take(MAX_STDERR).read_to_end(&mut text);
        // What is over is read and dropped, so that the program is not held up.
        let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut passing = Passing { stdout, out, monitor, bytes: 0, failure: None };
    let ended = tally(&mut passing);
    if let Some(error) = passing.failure {
        return Err(error);
    }
    let (bytes, ended) = (passing.bytes, ended.doing(|| "read the dump".into())?);
    let said = said.join().unwrap_or_default();
    Ok((Dumped { bytes, tables: ended.tables, objects: ended.objects }, ended.complete, said))
}

/// What a dump program says, written out on its way to who counts it.
struct Passing<'a> {
    stdout: ChildStdout,
    out: &'a mut dyn Write,
    monitor: &'a dyn Monitor,
    bytes: u64,
    failure: Option<Error>,
}

impl Passing<'_> {
    fn next(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            self.monitor.keep_going()?;
            // The program may wait for a lock for long: the job must still be able to stop.
            let mut waited = [PollFd::new(&self.stdout, PollFlags::IN)];
            let tick = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            match rustix::event::poll(&mut waited, Some(&tick)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(Error::io("wait for the dump", &error.into())),
            }
            let read = match self.stdout.read(buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io("read the dump", &error)),
            };
            self.out.write_all(&buffer[..read]).doing(|| "write the dump".into())?;
            self.bytes += read as u64;
            self.monitor.advance(Phase::Database, 0, read as u64);
            return Ok(read);
        }
    }
}

impl Read for Passing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.next(buffer).map_err(|error| {
            self.failure = Some(error);
            std::io::Error::other("the dump stops")
        })
    }
}

fn refusal(program: &str, stderr: &str, exit: Option<i32>, bytes: u64) -> Error {
    let said = crate::text::printable(stderr.lines().last().unwrap_or_default());
    let says = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
    let code = if says(&["1044", "1142", "1227", "1370", "insufficient privileges"]) {
        Code::InsufficientPrivilege
    } else if says(&["1045", "1698"]) {
        // After the first byte it was let in: then a right is missing.
        if bytes == 0 { Code::CredentialsMissing } else { Code::InsufficientPrivilege }
    } else if says(&["2002", "2003", "2006", "2013"]) {
        Code::DatabaseUnreachable
    } else {
        Code::DatabaseFailed
    };
    Error::new(code, format!("{program}: {said}")).with("exit", exit.unwrap_or(-1))
}

/// The program, ended when nobody waits for it any more.
struct Running(Child);

impl Running {
    fn stop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

/// A file with a password, removed with this value.
struct Secret(PathBuf);

impl Secret {
    fn write(folder: &Path, text: &str) -> Result<Secret> {
        let path = folder.join(format!(".dump-{}.cnf", crate::random::hex(6)?));
        let mut file = create_new(&path)?;
        let secret = Secret(path);
        file.write_all(text.as_bytes()).doing(|| "write an option file".into())?;
        Ok(secret)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_password_is_quoted_and_never_shown() {
        let account = Account {
            user: "u".into(),
            password: Password::new("a\"b\\c#d\ne"),
            schema: "s".into(),
            endpoint: Endpoint::Socket("/x".into()),
        };
        assert!(account.option_text().ends_with("password=\"a\\\"b\\\\c#d\\ne\"\n"), "{}", account.option_text());
        assert!(!format!("{account:?}").contains("c#d"));
    }

    #[test]
    fn the_option_file_is_private_and_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Secret::write(folder.path(), "x").unwrap();
        let mode = std::fs::metadata(&secret.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(secret);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_reason_of_a_refusal_becomes_a_code() {
        for (said, code) in [
            ("mysqldump: Got error: 1045: Access denied for user 'x'@'localhost'", Code::CredentialsMissing),
            ("mysqldump: Got error: 1698: Access denied for user 'root'@'localhost'", Code::CredentialsMissing),
            ("mysqldump: Got error: 1044: Access denied for user 'x' to database 'y'", Code::InsufficientPrivilege),
            ("mysqldump: Got error: 2002: Can't connect to local server", Code::DatabaseUnreachable),
            ("mysqldump: Error 1412: Table definition has changed", Code::DatabaseFailed),
        ] {
            assert_eq!(refusal("mysqldump", said, Some(2), 0).code, code, "{said}");
        }
    }
}
