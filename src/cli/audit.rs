//! Who asked the broker for what, as lines.

use crate::broker::audit::{self, Line};
use crate::broker::client::Door;
use crate::call;
use crate::cli::arguments::Output;
use crate::cli::output::show;
use crate::config::Source;
use crate::error::{Code, Error, Result};
use crate::path::Domain;
use crate::text::printable;
use serde_json::json;
use std::process::ExitCode;

/// Writes the calls that came to the broker, of one domain or of all.
///
/// # Errors
/// `forbidden` for who may not read them; those of the configuration.
pub fn run(source: Option<&Source>, domain: Option<&str>, output: &Output) -> Result<ExitCode> {
    let domain = domain.map(Domain::parse).transpose()?;
    let data = match Door::of(source)? {
        Door::Broker(broker) => broker.ask_about("audit", &json!({"domain": domain}))?,
        Door::Engine(config) => {
            let of = domain.as_ref().map(Domain::as_str);
            let lines = audit::lines(&config, usize::MAX, |line| of.is_none() || line.domain.as_deref() == of)?;
            json!({"calls": call::written(&lines)?})
        }
    };
    let lines: Vec<Line> = serde_json::from_value(data["calls"].clone())
        .map_err(|error| Error::new(Code::Internal, format!("the answer holds no lines of the audit: {error}")))?;
    show(output, &data, || lines.iter().map(text).collect());
    Ok(ExitCode::SUCCESS)
}

fn text(line: &Line) -> String {
    let call = if line.call.is_empty() { "?" } else { &line.call };
    let mut text = format!("{}  {:<14} {call} {}", line.at, line.outcome, line.domain.as_deref().unwrap_or("-"));
    if let Some(job) = &line.job {
        text += &format!(" {job}");
    }
    text += &format!("  by {} (process {}, {})", line.user, line.pid, line.executable);
    if !line.on_behalf.is_empty() {
        text += &format!(", who says for {}", line.on_behalf);
    }
    if let Some(by) = &line.approved_by {
        text += &format!(", approved by {by}");
    }
    if line.left_out > 0 {
        text += &format!("; {} calls of that user before it are not listed", line.left_out);
    }
    printable(&text) + "\n"
}
