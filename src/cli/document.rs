//! Calls for programs: a JSON document in, a JSON document out.

use crate::api::{self, ABI_VERSION, schema};
use crate::broker::client;
use crate::cli::arguments::Output;
use crate::cli::output::{print, say, write_selected};
use crate::config::Source;
use crate::error::{Code, Error, Result};
use serde_json::{Value, json};
use std::io::Read;
use std::process::ExitCode;

/// Runs the call and writes its answer. `source` is the configuration of a request that names none.
///
/// # Errors
/// Those of the call, where only values of its answer are asked for; otherwise they are in the document.
pub fn run(name: &str, request: &str, source: Option<&Source>, output: &Output) -> Result<ExitCode> {
    let document = match name {
        // No answer, but what every answer is held to: it stands alone.
        "schema" => {
            say(schema::TEXT);
            return Ok(ExitCode::SUCCESS);
        }
        "abi_version" => api::success(&json!({"abi_version": ABI_VERSION})),
        "version" => api::success(&json!({"version": env!("CARGO_PKG_VERSION")})),
        _ => client::call(name, &with_config(&read(request)?, source)?),
    };
    let Output::Selected(selections) = output else { return Ok(print(&document)) };
    if document["error"].is_object() {
        return Err(Error::from_json(&document["error"]));
    }
    write_selected(&document["data"], selections);
    Ok(ExitCode::SUCCESS)
}

fn read(request: &str) -> Result<String> {
    if request != "-" {
        return Ok(request.to_owned());
    }
    let mut text = String::new();
    std::io::stdin()
        .take(api::MAX_REQUEST as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| Error::new(Code::BadRequest, format!("standard input: {error}")))?;
    Ok(text)
}

/// Fills in the configuration where the request names none. A request that is no object is left for the call to refuse.
fn with_config(request: &str, source: Option<&Source>) -> Result<String> {
    let Some(source) = source else { return Ok(request.to_owned()) };
    let source = serde_json::to_string(source)
        .map_err(|_| Error::new(Code::Usage, "the path of the configuration is not UTF-8"))?;
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
            Ok(format!("{{\"config\":{source}{comma}{inner}"))
        }
        _ => Ok(request.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_filled_in_only_where_it_is_missing() {
        let file = Source::File("/c.toml".into());
        let fill = |request: &str| with_config(request, Some(&file)).unwrap();
        assert_eq!(fill(""), r#"{"config":"/c.toml"}"#);
        assert_eq!(fill(r#" {"a":1} "#), r#"{"config":"/c.toml","a":1}"#);
        assert_eq!(fill(r#"{"config":"/other"}"#), r#"{"config":"/other"}"#);
        assert_eq!(fill("{"), "{");
        assert_eq!(fill("[]"), "[]");
    }
}
