//! What goes to standard output.

use crate::api;
use crate::cli::arguments::Output;
use crate::cli::select::{self, Selection};
use serde_json::Value;
use std::io::Write;
use std::process::ExitCode;

/// Writes text. A reader that went away is no error: who reads `… | head` has seen enough.
pub fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a document as one line; its error's number is the exit status.
pub fn print(document: &Value) -> ExitCode {
    say(&format!("{}\n", api::text(document)));
    match document["error"]["number"].as_u64().and_then(|number| u8::try_from(number).ok()) {
        Some(number) => ExitCode::from(number),
        None => ExitCode::SUCCESS,
    }
}

/// Writes data in the form that was asked for; `text` makes what people read of it.
pub fn show(output: &Output, data: &Value, text: impl FnOnce() -> String) {
    match output {
        Output::Text => say(&text()),
        Output::Json => drop(print(&api::success(data))),
        Output::Selected(selections) => write_selected(data, selections),
    }
}

/// Writes chosen values, a line each.
pub fn write_selected(data: &Value, selections: &[Selection]) {
    let lines = selections.iter().flat_map(|selection| select::lines(data, selection));
    say(&lines.map(|line| line + "\n").collect::<String>());
}
