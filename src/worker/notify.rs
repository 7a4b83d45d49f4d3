//! Telling somebody that a job ended: a program with the report on stdin, a webhook with the report as JSON.

use crate::api::answer::jobs::Notification;
use crate::disk::{Durable, write_file};
use crate::error::Error;
use crate::job::Kind;
use crate::job::ending::Ending;
use crate::job::ticket::Ticket;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Sends the ending of a restore or rollback to where restore.toml says. The job has ended by now: a failure is only
/// written to the job's folder.
pub fn send(ticket: &Ticket, ending: &Ending) {
    let notify = &ticket.config.notify;
    if !matches!(ticket.kind, Kind::Restore | Kind::Rollback) {
        return;
    }
    let document = document(ticket, ending);
    let mut failed = Vec::new();
    if !notify.command.is_empty()
        && let Err(error) = run(&notify.command, &document)
    {
        failed.push(error.message);
    }
    if !notify.webhook.is_empty()
        && let Err(error) = post(&notify.webhook, &document)
    {
        failed.push(error.message);
    }
    if !failed.is_empty() {
        let path = ticket.config.paths.jobs().join(ticket.job.as_str()).join("notify_failed");
        let _ = write_file(&path, failed.join("\n").as_bytes(), Durable::Nothing);
    }
}

fn document(ticket: &Ticket, ending: &Ending) -> String {
    let notification = Notification {
        job: &ticket.job,
        kind: ticket.kind,
        domain: ticket.domain.as_ref(),
        state: ending.state(),
        result: ending.result(),
        error: ending.error(),
    };
    // It holds text and numbers: it can always be written.
    serde_json::to_string(&notification).unwrap_or_default()
}

fn run(command: &str, document: &str) -> Result<(), Error> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    let act = |error: std::io::Error| Error::io(format!("run {program}"), &error);
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(act)?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(document.as_bytes());
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().map_err(act)? {
            let failed = || Error::new(crate::error::Code::IoFailed, format!("{program} ended with {status}"));
            return if status.success() { Ok(()) } else { Err(failed()) };
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(Error::new(crate::error::Code::TimedOut, format!("{program} did not end within 30 seconds")))
}

fn post(url: &str, document: &str) -> Result<(), Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build().into();
    agent.post(url).header("content-type", "application/json").send(document).map(drop).map_err(|error| {
        Error::new(crate::error::Code::IoFailed, format!("the webhook did not take the report: {error}"))
    })
}
