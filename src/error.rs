//! The one error type: a stable code, what happened, what to do next, and the things it is about.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// Result of everything that can fail in this crate.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $variant:ident = $number:literal, $name:literal, $hint:literal;)*) => {
        /// Why a call failed. Name, number and meaning never change once released; the number is also
        /// the helper's exit code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Code { $($(#[doc = $meaning])+ $variant = $number,)* }

        impl Code {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The stable name used in JSON, such as `backup_corrupt`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// What the user can do when nothing more exact is known.
            pub fn hint(self) -> &'static str {
                match self { $(Code::$variant => $hint,)* }
            }

            /// What it means, as a sentence: for the header, the man page and the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($meaning),+).trim_ascii(),)* }
            }
        }
    };
}

codes! {
    /// The helper was called in a way it does not know.
    Usage = 2, "usage", "`rocketvps-restore help` lists the commands, `rocketvps-restore help call` the calls.";
    /// A second person has to approve it first.
    ApprovalRequired = 9, "approval_required", "Have it approved (`rocketvps-restore approve`), then send the same request again.";
    /// The request is not the JSON document the call expects.
    BadRequest = 10, "bad_request", "Correct the request; the calls and their fields are in include/rocketvps_restore.h.";
    /// The request has a field this version does not know.
    UnknownField = 11, "unknown_field", "Remove the field or correct its spelling; nothing was done.";
    /// Neither a document root nor a backup exists for this domain.
    UnknownDomain = 12, "unknown_domain", "Check the spelling of the domain and the `paths` of restore.toml.";
    /// A path that could leave its root.
    UnsafePath = 13, "unsafe_path", "Nothing was changed. Choose another backup, or correct what the message names.";
    /// A path outside the folders this installation may use.
    PathNotAllowed = 14, "path_not_allowed", "Use a path under the backup or snapshot folder of restore.toml.";
    /// restore.toml cannot be read or makes no sense.
    ConfigInvalid = 15, "config_invalid", "Correct restore.toml.";
    /// The caller lacks the rights.
    Forbidden = 16, "forbidden", "Run it as root.";
    /// Another job works on this domain.
    Busy = 17, "busy", "Wait for the other job, or cancel it; `rocketvps-restore jobs DOMAIN` names it.";
    /// No such job.
    JobNotFound = 18, "job_not_found", "List the jobs with `rocketvps-restore jobs`.";
    /// The live state changed since the plan was made.
    PlanStale = 19, "plan_stale", "Validate again and use the new plan token.";
    /// No such backup file.
    BackupNotFound = 20, "backup_not_found", "List the backups with `rocketvps-restore list DOMAIN`.";
    /// The backup file cannot be read.
    BackupUnreadable = 21, "backup_unreadable", "Check the permissions of the file and the health of its disk.";
    /// The backup is damaged.
    BackupCorrupt = 22, "backup_corrupt", "Choose another backup; the site was not touched.";
    /// What is in the archive fits none of the known layouts.
    BackupLayoutUnknown = 23, "backup_layout_unknown", "Check that this is a backup of a site; its top-level names are in the context.";
    /// The backup lacks a component that was asked for.
    BackupIncomplete = 24, "backup_incomplete", "Leave the component out of the request, or choose a backup that has it.";
    /// A file of an incremental chain is missing or foreign.
    BackupChainBroken = 25, "backup_chain_broken", "Put the named file back, or choose a full backup.";
    /// The backup is not the one the job began with.
    BackupChanged = 26, "backup_changed", "Start a new restore.";
    /// Something is larger than the limits allow.
    LimitExceeded = 27, "limit_exceeded", "If the backup is to be trusted, raise the limit in restore.toml.";
    /// No such snapshot.
    SnapshotNotFound = 28, "snapshot_not_found", "List the snapshots with `rocketvps-restore snapshots DOMAIN`.";
    /// The snapshot's content is not what its manifest says.
    SnapshotInvalid = 29, "snapshot_invalid", "Choose another snapshot or a backup.";
    /// No database account is known.
    CredentialsMissing = 30, "credentials_missing", "Give `mysql.admin_defaults_file`, or a credentials file for the domain.";
    /// The database server does not answer.
    DatabaseUnreachable = 31, "database_unreachable", "Start the database server, or correct `[mysql]` of restore.toml.";
    /// The database account may not do what is needed.
    InsufficientPrivilege = 32, "insufficient_privilege", "Grant the named privilege or use the administrator's account.";
    /// The server refused a statement of the dump.
    DatabaseFailed = 33, "database_failed", "See the server's message; the live database was not changed.";
    /// The dump holds a statement that a dump of a site never needs.
    DumpRefused = 34, "dump_refused", "Make the dump anew without it, or choose another backup. The live database was not changed.";
    /// A foreign key from another schema points into this one.
    ExternalForeignKey = 35, "external_foreign_key", "Drop the named constraint first, or restore without the database.";
    /// A selected table refers to one that was not selected.
    BrokenReference = 36, "broken_reference", "Select the referenced table too, or allow orphans.";
    /// A lock on the tables did not become free in time.
    DatabaseLocked = 37, "database_locked", "End the named connection, then start again.";
    /// Several databases could be the site's.
    DatabaseAmbiguous = 38, "database_ambiguous", "Say which database is the site's: config/database_credentials/DOMAIN.conf with MYSQL_DB_NAME=, MYSQL_DB_USER= and MYSQL_DB_PASSWORD=.";
    /// The site's database is not on the server of restore.toml.
    DatabaseElsewhere = 39, "database_elsewhere", "Restore without the database, or correct `[mysql]` of restore.toml.";
    /// The disk has not enough room, or became full.
    DiskFull = 40, "disk_full", "Make room on the named filesystem; the site was not changed.";
    /// The operating system reported an I/O error.
    IoFailed = 41, "io_failed", "Check the disk and the kernel's log.";
    /// The document root cannot be exchanged in one step.
    NotExchangeable = 42, "not_exchangeable", "Remove the mount, link or attribute that stands in the way.";
    /// A service does not answer.
    ServiceDown = 50, "service_down", "Start the named service.";
    /// A service's own test refuses the configuration.
    ConfigRejected = 51, "config_rejected", "Restore without it, by \"exclude\":{\"config\":[…]}, or choose another backup; the old one is in use.";
    /// The configuration could harm the machine.
    UnsafeConfig = 52, "unsafe_config", "Restore without this configuration, or have the administrator allow it: --allow-unsafe-config, or \"options\":{\"allow_unsafe_config\":true}.";
    /// Key and certificate do not fit, are out of date, or are for another name.
    TlsInvalid = 53, "tls_invalid", "Restore without it, by \"exclude\":{\"config\":[\"ssl\"]}, or issue a new certificate.";
    /// A service did not come back after its reload.
    ReloadFailed = 54, "reload_failed", "See the service's log; the old configuration is in use.";
    /// What was restored is not what the backup says.
    VerificationFailed = 60, "verification_failed", "See the failed lines of the report; the site was put back.";
    /// The time limit was reached.
    TimedOut = 61, "timed_out", "Raise `limits.restore_timeout_s`, or restore fewer components at once.";
    /// The job was cancelled.
    Cancelled = 62, "cancelled", "Nothing to do: the site is as it was before the job.";
    /// The worker ended without finishing its job.
    WorkerDied = 63, "worker_died", "Run `rocketvps-restore recover`; it puts the site on one side.";
    /// Neither side could be reached automatically.
    NeedsOperator = 64, "needs_operator", "Do the named step, then run `rocketvps-restore recover`.";
    /// The journal of a job is damaged, or a newer version wrote it.
    JournalCorrupt = 65, "journal_corrupt", "Nothing was touched. Keep the job folder and ask for help.";
    /// Library and helper are of different versions, or a newer version wrote the job.
    AbiMismatch = 66, "abi_mismatch", "Install library and helper from the same package.";
    /// A pre-flight check failed.
    PreflightFailed = 67, "preflight_failed", "Mend what the failed checks name, then start again.";
    /// The helper program was not found.
    HelperMissing = 68, "helper_missing", "Install `rocketvps-restore`, or give `paths.helper` in restore.toml.";
    /// A hook of the operator's stopped the job.
    HookRefused = 69, "hook_refused", "See what the hook says; nothing live was changed. docs/hooks.md has its rules.";
    /// A defect of this program.
    Internal = 70, "internal", "This is a defect: please report it with the job's log.";
    /// A panic was caught at the boundary.
    Panic = 71, "panic", "This is a defect: please report it with the job's log.";
}

impl Code {
    /// Stable number; the helper exits with it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The code of a name, for documents read back from disk.
    pub fn from_name(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        json_schema!({
            "description": "Why a call failed. Names and meanings do not change; new ones may come.",
            "type": "string",
            "enum": names,
        })
    }
}

/// What went wrong, why, and what to do next.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Error {
    /// Stable code.
    pub code: Code,
    /// Names the thing and the reason.
    pub message: String,
    /// The next step.
    pub hint: String,
    /// Machine-readable details.
    pub context: Map<String, Value>,
    /// Set where it only follows from the failure of another side; see [`Error::is_consequence`].
    pub consequence: bool,
}

impl Error {
    /// An error with the code's own hint.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), hint: code.hint().to_owned(), context: Map::new(), consequence: false }
    }

    /// The error of a side that was stopped, or got no more to work on, because another side failed.
    pub fn consequence(code: Code, message: impl Into<String>) -> Error {
        Error { consequence: true, ..Error::new(code, message) }
    }

    /// Whether the reason lies with another side, whose error is the one to report.
    pub fn is_consequence(&self) -> bool {
        self.consequence
    }

    /// Replaces the hint by a more exact one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = hint.into();
        self
    }

    /// Adds a detail to the context.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Error {
        self.context.insert(key.to_owned(), value.into());
        self
    }

    /// An operating system error while doing `what`; a full disk gets its own code, and so does a caller without rights.
    /// An error of ours that passed through a reader comes out as it was.
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Error {
        if let Some(own) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            return own.clone();
        }
        let code = match error.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT) => Code::DiskFull,
            Some(libc::EACCES) if !rustix::process::geteuid().is_root() => Code::Forbidden,
            _ => Code::IoFailed,
        };
        let mut made = Error::new(code, format!("{what}: {error}"));
        if let Some(number) = error.raw_os_error() {
            made = made.with("errno", number);
        }
        made
    }

    /// The error object of the envelope.
    pub fn to_json(&self) -> Value {
        // It holds text and JSON: it can always be written.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Reads an error object back, as written by [`Error::to_json`].
    pub fn from_json(value: &Value) -> Error {
        Error::deserialize(value)
            .unwrap_or_else(|_| Error::new(Code::Internal, format!("an error that cannot be read: {value}")))
    }
}

/// Why a call failed: what happened, and what to do about it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Error")]
struct Written {
    /// What failed, by a name that does not change.
    #[schemars(with = "Code")]
    code: String,
    /// The number of the code; also the exit code of the helper.
    number: u8,
    /// What happened, as a sentence that names the thing.
    message: String,
    /// The next step, as a sentence.
    hint: String,
    /// Details for programs, by name; which ones depends on the error.
    context: Map<String, Value>,
}

impl From<Error> for Written {
    fn from(error: Error) -> Written {
        let Error { code, message, hint, context, .. } = error;
        Written { code: code.name().to_owned(), number: code.number(), message, hint, context }
    }
}

impl From<Written> for Error {
    fn from(written: Written) -> Error {
        let Written { code, message, hint, context, .. } = written;
        Error { code: Code::from_name(&code).unwrap_or(Code::Internal), message, hint, context, consequence: false }
    }
}

impl JsonSchema for Error {
    fn schema_name() -> Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.message)
    }
}

/// What two sides that worked together give, or the error of the one that failed by itself.
///
/// # Errors
/// The first that is no consequence of the other.
pub fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(first), Err(second)) => Err(if first.consequence { second } else { first }),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Turns an operating system result into ours, naming what was being done.
pub trait IoContext<T> {
    /// Wraps the error with a description of the action and its object.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::io(what(), &error))
    }
}

impl<T> IoContext<T> for rustix::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::io(what(), &error.into()))
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_its_own_name_and_number_and_a_hint() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        let numbers: HashSet<_> = Code::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert_eq!(numbers.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.hint().ends_with('.'), "{} has no hint", code.name());
            assert!((2..=125).contains(&code.number()), "{} is no exit code", code.name());
            assert_eq!(Code::from_name(code.name()), Some(*code));
        }
    }

    /// Somebody cancels: the tree's writer sees it first, the reading is told to stop, the load has half a dump.
    #[test]
    fn the_error_of_sides_that_work_together_is_that_of_the_one_that_failed_by_itself() {
        let stopped = || Error::consequence(Code::Cancelled, "stopped");
        let half = || Error::consequence(Code::BackupCorrupt, "half a dump");
        let said = |errors: [Error; 3]| {
            let [one, other, third] = errors.map(Err::<(), Error>);
            both(both(one, other), third).unwrap_err().message
        };
        let asked = Error::new(Code::Cancelled, "asked to");
        assert_eq!(said([stopped(), half(), asked]), "asked to");
        let full = Error::new(Code::DiskFull, "no room");
        assert_eq!(said([full, half(), stopped()]), "no room");
        assert_eq!(said([stopped(), half(), stopped()]), "stopped");
        assert_eq!(both(Ok(1), Ok(2)).unwrap(), (1, 2));
        // Through a reader too.
        let through = Error::io("read", &std::io::Error::other(half()));
        assert!(through.is_consequence() && through.code == Code::BackupCorrupt, "{through:?}");
    }

    #[test]
    fn a_full_disk_is_told_apart_from_other_io_errors() {
        let full = std::io::Error::from_raw_os_error(libc::ENOSPC);
        assert_eq!(Error::io("write x", &full).code, Code::DiskFull);
        let denied = std::io::Error::from_raw_os_error(libc::EACCES);
        assert_eq!(Error::io("write x", &denied).code, Code::IoFailed);
    }

    #[test]
    fn an_error_survives_its_json_form() {
        let error = Error::new(Code::BackupCorrupt, "x.tar.gz is cut").with("offset", 4096);
        let back = Error::from_json(&error.to_json());
        assert_eq!(back.code, error.code);
        assert_eq!(back.message, error.message);
        assert_eq!(back.context["offset"], 4096);
    }
}
