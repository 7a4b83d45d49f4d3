//! Holds requests and answers against the schema, more strictly than a caller has to: a field of an answer that the schema does not
//! name is wrong here, where a caller would pass over it.

use jsonschema::Validator;
use rocketvps_restore::api::request::Request;
use rocketvps_restore::api::schema;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

struct Schemas {
    document: Validator,
    notification: Validator,
    drill_notification: Validator,
    requests: BTreeMap<&'static str, Validator>,
    answers: BTreeMap<&'static str, Validator>,
}

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let whole: Value = serde_json::from_str(schema::TEXT).unwrap();
    let mut definitions = whole["$defs"].clone();
    for (name, definition) in definitions.as_object_mut().unwrap() {
        // The entries of a page are a page only with `part` beside them.
        if !name.starts_with("PageOf") {
            close(definition);
        }
    }
    let made = |of: &Value| {
        let schema = json!({"$schema": whole["$schema"], "$ref": of["$ref"], "$defs": definitions});
        jsonschema::validator_for(&schema).expect("the schema is one")
    };
    let calls = |part: &str| {
        let of =
            |name: &&'static str| (*name, made(&whole["properties"]["calls"]["properties"][*name]["properties"][part]));
        Request::NAMES.iter().map(of).collect()
    };
    let properties = &whole["properties"];
    Schemas {
        document: made(&properties["document"]),
        notification: made(&properties["notification"]),
        drill_notification: made(&properties["drill_notification"]),
        requests: calls("request"),
        answers: calls("data"),
    }
});

/// Nothing but what is named.
fn close(definition: &mut Value) {
    for list in ["oneOf", "anyOf"] {
        definition.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().for_each(close);
    }
    if definition.get("properties").is_some() && definition.get("additionalProperties").is_none() {
        definition["unevaluatedProperties"] = false.into();
    }
}

#[track_caller]
fn hold(schema: &Validator, what: &str, value: &Value) {
    let wrong: Vec<String> =
        schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{what} is not what the schema says:\n{}\n{value}", wrong.join("\n"));
}

/// The document that a call answered with.
#[track_caller]
pub fn hold_document(call: &str, document: &Value) {
    hold(&SCHEMAS.document, call, document);
    if let (Some(schema), Some(data)) = (SCHEMAS.answers.get(call), document.get("data")) {
        hold(schema, &format!("the answer of {call}"), data);
    }
}

/// A request that a call took.
#[track_caller]
pub fn hold_request(call: &str, request: &Value) {
    if let Some(schema) = SCHEMAS.requests.get(call) {
        hold(schema, &format!("the request to {call}"), request);
    }
}

/// What a program or a webhook was told.
#[track_caller]
pub fn hold_notification(notification: &Value) {
    hold(&SCHEMAS.notification, "a notification", notification);
}

/// What a program or a webhook was told of drills.
#[track_caller]
pub fn hold_drill_notification(notification: &Value) {
    hold(&SCHEMAS.drill_notification, "a notification of drills", notification);
}
