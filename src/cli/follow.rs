//! Showing a job while it works: a bar on a terminal, a line for what happens elsewhere.

use crate::broker::client::Door;
use crate::call;
use crate::call::pause::Pause;
use crate::cli::format::plain;
use crate::cli::format::{count, duration};
use crate::cli::terminal::{Style, bar, cut};
use crate::error::Result;
use crate::host::process;
use crate::job::JobId;
use crate::text::bytes;
use serde_json::Value;
use std::io::Write;
use std::time::{Duration, Instant};

/// How often a terminal is redrawn.
const BEAT: Duration = Duration::from_millis(120);
/// How often a line is written where nothing happens, when there is no terminal.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is shown of a job while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// How far it is, and what happens.
    Progress,
    /// Nothing: standard output is for the answer.
    Nothing,
}

/// Shows the job until it has ended. With `cancels`, Ctrl+C (the caller catches it) asks it to stop and shows its way back; without,
/// it ends the showing alone. A second Ctrl+C always ends the showing.
///
/// # Errors
/// `job_not_found`, `io_failed`, those of the broker.
pub fn follow(door: &Door, job: &JobId, style: Style, show: Show, cancels: bool) -> Result<()> {
    let mut view = View { style, show, written: None, last: String::new() };
    let mut look = door.watch(job, 0)?;
    let mut cancelled = false;
    loop {
        let status = look.status()?;
        let data = call::written(&status)?;
        if status.status.state.is_final() {
            view.events(&data);
            view.clear();
            return Ok(());
        }
        if cancels && !cancelled && process::stop_asked() {
            cancelled = true;
            view.say(&match door.cancel(job) {
                Ok(_) => "Stopping; the site goes back to its state before. Ctrl+C again leaves this view.".to_owned(),
                Err(error) => format!("The job goes on: {}. Ctrl+C again leaves this view.", error.message),
            });
        }
        if !view.show(&data) {
            // Nobody looks any more; the job goes on.
            return Ok(());
        }
        std::thread::sleep(if style.live { BEAT } else { Pause::LONGEST });
    }
}

struct View {
    style: Style,
    show: Show,
    written: Option<Instant>,
    last: String,
}

impl View {
    /// False once standard output is gone.
    fn show(&mut self, data: &Value) -> bool {
        self.events(data);
        if self.show == Show::Nothing {
            return true;
        }
        let state = plain(&data["state"]).replace('_', " ");
        let mut out = std::io::stdout();
        if self.style.live {
            let width = self.style.width();
            let percent = data["percent"].as_f64().unwrap_or_default().floor();
            let bar = bar(percent, (width / 4).clamp(8, 30));
            let text = format!("{bar} {percent:>3.0}% {state}{}", details(data));
            return write!(out, "\r\u{1b}[K{}", cut(&text, width.saturating_sub(1))).and_then(|()| out.flush()).is_ok();
        }
        let due = self.written.is_none_or(|then| then.elapsed() > PATIENCE);
        if state != self.last || due {
            self.last.clone_from(&state);
            self.written = Some(Instant::now());
            let percent = data["percent"].as_f64().unwrap_or_default().floor();
            return writeln!(out, "{percent:>3} %  {state}{}", details(data)).is_ok();
        }
        true
    }

    /// What happened since the last look; on a terminal only errors, above the bar.
    fn events(&mut self, data: &Value) {
        for event in data["events"].as_array().into_iter().flatten() {
            let (level, message) = (plain(&event["level"]), plain(&event["message"]));
            // Warnings are notes of the report too.
            if self.style.live && level != "error" {
                continue;
            }
            let outcome = match level.as_str() {
                "info" => "pass",
                "warn" => "warn",
                _ => "fail",
            };
            self.say(&format!("{} {message}", self.style.mark(outcome)));
        }
    }

    fn say(&self, text: &str) {
        if self.show == Show::Nothing {
            return;
        }
        let before = if self.style.live { "\r\u{1b}[K" } else { "" };
        let _ = writeln!(std::io::stdout(), "{before}{text}");
    }

    fn clear(&self) {
        if self.style.live && self.show == Show::Progress {
            let mut out = std::io::stdout();
            let _ = write!(out, "\r\u{1b}[K").and_then(|()| out.flush());
        }
    }
}

/// The active phases, what they are at, and the time.
fn details(data: &Value) -> String {
    let mut parts = Vec::new();
    for phase in data["phases"].as_array().into_iter().flatten().filter(|phase| phase["state"] == "active") {
        let items = phase["items"].as_u64().unwrap_or_default();
        let of = phase["items_total"].as_u64().map_or_else(String::new, |total| format!("/{}", count(total)));
        let size = phase["bytes"]
            .as_u64()
            .filter(|size| *size > 0)
            .map_or_else(String::new, |size| format!(" {}", bytes(size)));
        parts.push(format!("{} {}{of}{size}", plain(&phase["phase"]), count(items)));
    }
    let elapsed = data["elapsed_s"].as_f64().unwrap_or_default();
    let left = data["remaining_s"].as_f64().map_or_else(String::new, |left| format!(", about {} left", duration(left)));
    parts.push(format!("{}{left}", duration(elapsed)));
    format!("  {}", parts.join(" · "))
}
