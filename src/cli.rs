//! The helper's words. It prints the same documents as the library and exits with the error's number.

use crate::api::{self, ABI_VERSION};
use crate::call;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::process;
use crate::job::{JobId, spawn, worker};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
rocketvps-restore: puts a web domain back to the state of a backup, without downtime

  rocketvps-restore [--config FILE] CALL [JSON | -]   run a call, print its JSON document
  rocketvps-restore [--config FILE] wait JOB          wait for a job, print its result
  rocketvps-restore --help | --version

Calls:
  list_backups preview_backup diff_backup validate restore_start restore_poll
  restore_cancel rollback create_snapshot list_snapshots delete_snapshot verify cleanup
  list_jobs recover abi_version version

JSON is the request (`-` reads it from standard input), for example
  rocketvps-restore restore_start '{\"domain\":\"example.com\",\"backup\":\"latest\",\"wait\":true}'

The configuration is FILE, else $RV_CONFIG, else /opt/rocketvps/config/restore.toml.
Exit: 0, or the number of the error (`error.number` in the document).
";

/// What the arguments ask for, as plain data.
#[derive(Debug, PartialEq)]
enum Asked {
    Help,
    Version,
    Call { name: String, request: String },
    Wait { job: String },
    Worker { folder: PathBuf, locked: bool, scoped: bool, abi: u32 },
}

/// Runs the helper and gives its exit status.
pub fn run(arguments: lexopt::Parser) -> ExitCode {
    let outcome = parse(arguments).and_then(|(config, asked)| act(config, asked));
    match outcome {
        Ok(code) => code,
        Err(error) => print(&api::failure(&error)),
    }
}

fn parse(mut arguments: lexopt::Parser) -> Result<(Option<PathBuf>, Asked)> {
    use lexopt::prelude::{Long, Short, Value as Word};
    let usage = |error: lexopt::Error| Error::new(Code::Usage, error.to_string());
    let mut config = None;
    let mut words: Vec<OsString> = Vec::new();
    let (mut locked, mut scoped, mut abi) = (false, false, 0);
    while let Some(argument) = arguments.next().map_err(usage)? {
        match argument {
            Long("config") => config = Some(PathBuf::from(arguments.value().map_err(usage)?)),
            Long("help") | Short('h') => return Ok((config, Asked::Help)),
            Long("version") | Short('V') => return Ok((config, Asked::Version)),
            Long("locked") => locked = true,
            Long("scoped") => scoped = true,
            Long("abi") => {
                let text = arguments.value().map_err(usage)?;
                abi = text.to_str().and_then(|text| text.parse().ok()).unwrap_or_default();
            }
            Word(word) => words.push(word),
            other => return Err(usage(other.unexpected())),
        }
    }
    let text = |word: &OsString| {
        word.to_str().map(str::to_owned).ok_or_else(|| Error::new(Code::Usage, "an argument is not UTF-8"))
    };
    let asked = match words.as_slice() {
        [] => Asked::Help,
        [word, folder] if word == "worker" => Asked::Worker { folder: folder.into(), locked, scoped, abi },
        [word, job] if word == "wait" => Asked::Wait { job: text(job)? },
        [name] => Asked::Call { name: text(name)?, request: String::new() },
        [name, request] => Asked::Call { name: text(name)?, request: text(request)? },
        _ => return Err(Error::new(Code::Usage, "too many arguments: a request is one JSON document, in quotes")),
    };
    Ok((config, asked))
}

fn act(config: Option<PathBuf>, asked: Asked) -> Result<ExitCode> {
    match asked {
        Asked::Help => say(HELP),
        Asked::Version => say(concat!("rocketvps-restore ", env!("CARGO_PKG_VERSION"), "\n")),
        Asked::Worker { folder, locked, scoped, abi } => work(folder, locked, scoped, abi),
        Asked::Wait { job } => {
            let file = config.or_else(config_of_environment);
            let config = Config::load(file.as_deref())?;
            call::wait(&config, &JobId::parse(&job)?).map(|data| print(&api::success(&data)))
        }
        Asked::Call { name, request } => match name.as_str() {
            "abi_version" => Ok(print(&api::success(&json!({"abi_version": ABI_VERSION})))),
            "version" => Ok(print(&api::success(&json!({"version": env!("CARGO_PKG_VERSION")})))),
            _ => {
                let request = with_config(&read_request(request)?, config.or_else(config_of_environment))?;
                Ok(print(&call::call(&name, &request)))
            }
        },
    }
}

fn config_of_environment() -> Option<PathBuf> {
    std::env::var_os("RV_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn read_request(request: String) -> Result<String> {
    if request != "-" {
        return Ok(request);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(api::MAX_REQUEST as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| Error::new(Code::BadRequest, format!("standard input: {error}")))?;
    Ok(text)
}

/// Fills in the configuration file where the request names none. A request that is no object is left for the call to refuse.
fn with_config(request: &str, config: Option<PathBuf>) -> Result<String> {
    let Some(config) = config else { return Ok(request.to_owned()) };
    let path = config.to_str().ok_or_else(|| Error::new(Code::Usage, "the path of the configuration is not UTF-8"))?;
    let trimmed = request.trim();
    let parsed: Value = match serde_json::from_str(if trimmed.is_empty() { "{}" } else { trimmed }) {
        Ok(value) => value,
        Err(_) => return Ok(request.to_owned()),
    };
    match parsed {
        Value::Object(object) if !object.contains_key("config") => {
            // Put in as text, so that duplicate keys of the request still reach the parser that refuses them.
            let inner = trimmed.trim_start_matches('{');
            let comma = if object.is_empty() { "" } else { "," };
            let inner = if trimmed.is_empty() { "}" } else { inner };
            Ok(format!("{{\"config\":{}{comma}{inner}", Value::from(path)))
        }
        _ => Ok(request.to_owned()),
    }
}

fn print(document: &Value) -> ExitCode {
    // A reader that went away is no reason for a panic.
    let _ = writeln!(std::io::stdout(), "{document}");
    match document["error"]["number"].as_u64().and_then(|number| u8::try_from(number).ok()) {
        Some(number) => ExitCode::from(number),
        None => ExitCode::SUCCESS,
    }
}

fn say(text: &str) -> Result<ExitCode> {
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// The worker: detached from its caller, with the locks that came as descriptors 0 and 1.
fn work(folder: PathBuf, locked: bool, scoped: bool, abi: u32) -> Result<ExitCode> {
    if abi != ABI_VERSION {
        return Ok(ExitCode::from(Code::AbiMismatch.number()));
    }
    let act = |error: std::io::Error| Error::io("start the worker", &error);
    if !scoped {
        process::close_inherited();
        process::detach().map_err(act)?;
        if spawn::enter_scope(&folder, locked)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let alive = process::take_descriptor(1).map_err(act)?;
    let lock = if locked { Some(process::take_descriptor(0).map_err(act)?) } else { None };
    worker::run(&folder, lock, alive)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<(Option<PathBuf>, Asked)> {
        parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn words_become_plain_data() {
        let (config, asked) = parsed(&["--config", "/x", "list_backups", "{}"]).unwrap();
        assert_eq!(config, Some("/x".into()));
        assert_eq!(asked, Asked::Call { name: "list_backups".into(), request: "{}".into() });
        assert_eq!(parsed(&["--help"]).unwrap().1, Asked::Help);
        assert_eq!(parsed(&["--nonsense"]).unwrap_err().code, Code::Usage);
        assert_eq!(parsed(&["a", "b", "c"]).unwrap_err().code, Code::Usage);
    }

    #[test]
    fn the_configuration_is_filled_in_only_where_it_is_missing() {
        let fill = |request: &str| with_config(request, Some("/c.toml".into())).unwrap();
        assert_eq!(fill(""), r#"{"config":"/c.toml"}"#);
        assert_eq!(fill(r#" {"a":1} "#), r#"{"config":"/c.toml","a":1}"#);
        assert_eq!(fill(r#"{"config":"/other"}"#), r#"{"config":"/other"}"#);
        assert_eq!(fill("{"), "{");
        assert_eq!(fill("[]"), "[]");
    }
}
