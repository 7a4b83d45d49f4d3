//! The way of callers without rights: through the broker, by themselves.

use crate::api;
use crate::api::request::Request;
use crate::broker::peer::Peer;
use crate::call;
use crate::config::{BROKER, Config, DEFAULT_FILE, Settings, Source};
use crate::error::{Code, Error, Result};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Largest answer that is taken, in bytes.
const MAX_ANSWER: u64 = 256 << 20;

/// Runs a call here; through the broker where this process has no right to read the configuration.
pub fn call(name: &str, request: &str) -> Value {
    if rustix::process::geteuid().is_root() {
        return call::call(name, request);
    }
    let refusal = match Request::parse(name, request) {
        Ok(parsed) => match Config::of(parsed.config()) {
            Err(error) if error.code == Code::Forbidden => Some((parsed, error)),
            _ => None,
        },
        Err(_) => None,
    };
    match refusal {
        None => call::call(name, request),
        Some((parsed, error)) => through(&parsed, error).unwrap_or_else(|error| api::failure(&error)),
    }
}

/// Asks the broker. `refusal` is what stands where there is none.
fn through(request: &Request, refusal: Error) -> Result<Value> {
    let socket = socket(request.config());
    if !is_the_brokers(request.config()) {
        return Err(refusal.hint("Run it as root: through the broker only its own configuration holds."));
    }
    let mut asked = request.to_json()?;
    if let Some(asked) = asked.as_object_mut() {
        asked.remove("config");
    }
    let document = json!({"call": request.name(), "request": asked}).to_string() + "\n";
    let stream = match UnixStream::connect(&socket) {
        // Whoever else listens there is no broker: it would learn what is asked, and could answer anything.
        Ok(stream) if !Peer::of(&stream).is_ok_and(|peer| peer.uid == 0) => {
            return Err(refusal.hint(format!("Run it as root: whoever listens at {} is not root.", socket.display())));
        }
        Ok(stream) => stream,
        Err(error) => {
            return Err(refusal.hint(format!(
                "Run it as root, or let the administrator start the broker (`rocketvps-restore serve`): {}: {error}.",
                socket.display()
            )));
        }
    };
    ask(stream, &document).map_err(|error| {
        let message = format!("the broker at {} does not answer: {error}", socket.display());
        Error::new(Code::IoFailed, message).hint("Try again; see the broker's log: `journalctl -u rocketvps-restore`.")
    })
}

fn ask(mut stream: UnixStream, document: &str) -> std::io::Result<Value> {
    // A broker that is busy answers and hangs up before it has read all.
    match stream.write_all(document.as_bytes()).and_then(|()| stream.shutdown(Shutdown::Write)) {
        Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::NotConnected) => return Err(error),
        _ => {}
    }
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    serde_json::from_str(&answer).map_err(std::io::Error::from)
}

/// Whether the caller wants no other configuration than the broker's: the usual file, or the one whose `paths.broker` it names, and nothing
/// set over it.
fn is_the_brokers(source: Option<&Source>) -> bool {
    let usual = |file: &Path| file == Path::new(DEFAULT_FILE);
    match source {
        None => true,
        Some(Source::File(file)) => usual(file),
        Some(Source::Set(Settings { file, set })) => {
            let sets_broker = set.get("paths").is_some_and(|paths| paths["broker"].is_string());
            let sets_more = set.iter().any(|(key, value)| {
                key != "paths" || value.as_object().is_none_or(|paths| paths.keys().any(|key| key != "broker"))
            });
            !sets_more && (sets_broker || file.as_deref().is_none_or(usual))
        }
    }
}

/// Where the broker listens: `paths.broker` of the request's own settings, else the usual place, since the file cannot be read.
fn socket(source: Option<&Source>) -> PathBuf {
    let set = match source {
        Some(Source::Set(settings)) => settings.set.get("paths").and_then(|paths| paths["broker"].as_str()),
        _ => None,
    };
    Path::new(set.unwrap_or(BROKER)).to_owned()
}
