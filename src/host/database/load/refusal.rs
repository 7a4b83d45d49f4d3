//! The way past a refusal: what cannot be loaded can be left out.

use crate::error::{Code, Error};

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
