//! The word of a second person for what a caller of the broker wants.

use crate::api;
use crate::broker::approval::{self, Approval};
use crate::broker::client::Door;
use crate::broker::peer;
use crate::call;
use crate::cli::arguments::Output;
use crate::cli::output::{print, say, write_selected};
use crate::config::Source;
use crate::error::{Code, Error, Result};
use crate::text::printable;
use serde_json::json;
use std::process::ExitCode;

/// Approves a request by its name; without one, lists those that wait.
///
/// # Errors
/// `bad_request` where none of that name waits; `forbidden` for who sent it, and where no rule lets the caller approve.
pub fn run(source: Option<&Source>, id: Option<&str>, output: &Output) -> Result<ExitCode> {
    let data = match Door::of(source)? {
        Door::Broker(broker) => match id {
            Some(id) => broker.ask_about("approve", &json!({"approval": id}))?,
            None => broker.ask_about("list_approvals", &json!({}))?,
        },
        Door::Engine(config) => {
            let found = match id {
                Some(id) => {
                    let (uid, name) = person();
                    vec![approval::approve(&config, id, (uid, &name), |_| true)?]
                }
                None => approval::all(&config)?,
            };
            json!({"approvals": call::written(&found)?})
        }
    };
    let found: Vec<Approval> = serde_json::from_value(data["approvals"].clone())
        .map_err(|error| Error::new(Code::Internal, format!("the answer holds no approvals: {error}")))?;
    match output {
        Output::Text if id.is_some() => {
            say(&found.iter().map(text).collect::<String>());
            say("Approved. The caller may send the same request again within an hour.\n");
        }
        Output::Text if found.is_empty() => say("Nothing waits for approval.\n"),
        Output::Text => say(&found.iter().map(text).collect::<String>()),
        Output::Json => return Ok(print(&api::success(&data))),
        Output::Selected(selections) => write_selected(&data, selections),
    }
    Ok(ExitCode::SUCCESS)
}

/// Who sits there: behind sudo(8) the user who called it.
fn person() -> (u32, String) {
    let own = rustix::process::getuid().as_raw();
    let uid = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok()).unwrap_or(own);
    (uid, peer::user_name(uid).unwrap_or_else(|| uid.to_string()))
}

fn text(approval: &Approval) -> String {
    let mut text = format!("{}  {}  {} by {}", approval.id, approval.asked, approval.call, approval.user);
    if !approval.on_behalf.is_empty() {
        text += &format!(", who says for {}", approval.on_behalf);
    }
    if let Some(approved) = &approval.approved {
        text += &format!("; approved by {} at {}", approved.by, approved.at);
    }
    text += &format!(": {}", approval.request);
    printable(&text) + "\n"
}
