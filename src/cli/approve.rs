//! The word of a second person for what a caller of the broker wants.

use crate::broker::approval::{self, Approval, Person};
use crate::broker::client::Door;
use crate::broker::peer;
use crate::call;
use crate::cli::arguments::Output;
use crate::cli::output::show;
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
                Some(id) => vec![approval::approve(&config, id, &person(), |_| true)?],
                None => approval::all(&config)?,
            };
            json!({"approvals": call::written(&found)?})
        }
    };
    let found: Vec<Approval> = serde_json::from_value(data["approvals"].clone())
        .map_err(|error| Error::new(Code::Internal, format!("the answer holds no approvals: {error}")))?;
    show(output, &data, || {
        let listed: String = found.iter().map(text).collect();
        match id {
            Some(_) => listed + "Approved. The caller may send the same request again within an hour.\n",
            None if found.is_empty() => "Nothing waits for approval.\n".to_owned(),
            None => listed,
        }
    });
    Ok(ExitCode::SUCCESS)
}

/// Who sits there: behind sudo(8), pkexec(1) and su(1) the user who called them, too.
fn person() -> Person {
    let number = |text: String| text.trim().parse::<u32>().ok();
    let named = ["SUDO_UID", "PKEXEC_UID"].into_iter().filter_map(|name| number(std::env::var(name).ok()?));
    let doas = std::env::var("DOAS_USER").ok().and_then(|name| peer::user_id(&name));
    // The user of the login, which no later change of the user changes; a daemon has none (proc_pid_loginuid(5)).
    let login = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(number).filter(|uid| *uid != u32::MAX);
    let own = rustix::process::getuid().as_raw();
    let uids: Vec<u32> = named.chain(doas).chain(login).chain([own]).collect();
    Person { name: peer::user_name(uids[0]).unwrap_or_else(|| uids[0].to_string()), uids }
}

fn text(approval: &Approval) -> String {
    let mut lines = vec![format!("{}  {}  {} by {}", approval.id, approval.asked, approval.call, approval.user)];
    if let Some(approved) = &approval.approved {
        lines[0] += &format!("; approved by {} at {}", approved.by, approved.at);
    }
    lines.push(format!("    {}", approval.request));
    // Last and in quotes: it is the caller's word, whatever it looks like.
    if !approval.on_behalf.is_empty() {
        lines.push(format!("    on behalf of, by the caller's word: {}", json!(approval.on_behalf)));
    }
    lines.iter().map(|line| printable(line) + "\n").collect()
}
