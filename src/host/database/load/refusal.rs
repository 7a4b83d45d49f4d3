//! The way past a refusal: what cannot be loaded can be left out.

use crate::error::{Code, Error};
use crate::sql::compat::{Actions, Finding};
use crate::sql::statement::ObjectKind;

/// What lets a server with a binary log take functions and triggers of anybody.
const TRUST: &str = "Let the server trust for the restore (`SET GLOBAL log_bin_trust_function_creators=ON`)";

/// The refusal of a dump for what this server would not take.
pub fn incompatible(finding: &Finding, actions: &Actions) -> Error {
    let kind = finding.kind.name();
    let error = Error::new(Code::DumpRefused, format!("line {} of the dump: {}", finding.first_line, finding.message))
        .with("line", finding.first_line)
        .with("kind", kind)
        .with("subject", finding.subject.clone());
    if actions.refuses(finding.kind) {
        return error.hint(format!("The request refuses this; without options.compatibility.{kind} it is dealt with."));
    }
    error.hint("Make the dump anew without it, or choose another backup; the live database was not changed.")
}

/// A sequence for a server of MySQL's.
pub fn no_sequences(name: &str, line: u64) -> Error {
    let message = format!("line {line} of the dump: sequence {name}, and this server has no sequences");
    without(Error::new(Code::DumpRefused, message).with("line", line), name)
}

/// A function that does not say what it does, for a server with a binary log.
pub fn undeclared(name: &str, line: u64) -> Error {
    let message = format!(
        "line {line} of the dump: function {name} has none of DETERMINISTIC, NO SQL and READS SQL DATA, and the server has a binary log and takes no such function (log_bin_trust_function_creators)"
    );
    without(Error::new(Code::InsufficientPrivilege, message).with("line", line).hint(TRUST), name)
}

/// A function or trigger for a server with a binary log, whose administrator is not known.
pub fn of_administrators(kind: ObjectKind, name: &str) -> Error {
    let kind = kind.keyword().to_ascii_lowercase();
    let message = format!(
        "{kind} {name}: the server has a binary log and takes it of an administrator alone (log_bin_trust_function_creators), which this account is not"
    );
    without(Error::new(Code::InsufficientPrivilege, message).hint(TRUST), name)
}

/// An error over a table or an object of the dump: where that could be left out, it says how.
pub fn or_without(error: Error, name: &str) -> Error {
    match error.code {
        Code::DumpRefused | Code::DatabaseFailed => without(error, name),
        _ => error,
    }
}

/// The refusal of what could also be left out.
pub fn without(error: Error, name: &str) -> Error {
    let known = error.hint.contains("exclude");
    let own = match error.code {
        code if error.hint != code.hint() => error.hint.trim_end_matches('.'),
        Code::DatabaseFailed => "Choose another backup, or mend what the server's message names and make the dump anew",
        _ => "Make the dump anew without it, or choose another backup",
    };
    let hint = format!(
        "{own}; or restore the rest with \"exclude\":{{\"database\":[{name:?}]}}. The live database was not changed."
    );
    let error = error.with("exclude", name);
    if known { error } else { error.hint(hint) }
}
