//! Makes the schema from the types.

use crate::api::answer::drills::DrillNotification;
use crate::api::answer::hooks::HookDocument;
use crate::api::answer::jobs::Notification;
use crate::api::answer::{Document, JobResult};
use crate::api::request::Request;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

const ABOUT: &str = "Requests and answers of the calls, for programs that make clients or check documents. `calls` has a property \
for each call; `request` and `data` in it are the schemas of what the call takes and of what it answers as `data` of the `document`. \
A field that is not `required` in an answer is left out where it says so. Answers may get more fields in later versions: those that \
you do not know are to be ignored. Sizes are bytes, times seconds unless the name says otherwise.";

/// Marks a field that can be left out and can be `null` too.
const NULL: &str = "x-null";

/// Requests and answers: JSON Schema, draft 2020-12.
pub fn document() -> Value {
    // What is read may leave out a field that has a default; what is written has all of them.
    let mut read = SchemaSettings::draft2020_12().into_generator();
    let mut written = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let (requests, answers) = (Request::schemas(&mut read), Request::answer_schemas(&mut written));
    let call = |((about, request), data): ((&&str, Schema), Schema)| {
        json!({
            "description": about,
            "type": "object",
            "properties": {"request": request, "data": data},
            "required": ["request", "data"],
        })
    };
    let names = Request::NAMES.iter().map(|name| (*name).to_owned());
    let calls: Map<String, Value> = names.zip(Request::ABOUT.iter().zip(requests).zip(answers).map(call)).collect();
    let whole = written.subschema_for::<Document>();
    let result = written.subschema_for::<JobResult>();
    let notification = written.subschema_for::<Notification<'_>>();
    let drills = written.subschema_for::<DrillNotification<'_>>();
    let hook = written.subschema_for::<HookDocument<'_>>();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "RocketVpsRestore",
        "description": ABOUT,
        "type": "object",
        "properties": {
            "calls": {
                "description": "The calls, by name.",
                "type": "object",
                "properties": calls,
                "required": Request::NAMES,
            },
            "document": whole,
            "result": result,
            "notification": notification,
            "drill_notification": drills,
            "hook": hook,
        },
        "required": ["calls", "document", "result", "notification", "drill_notification", "hook"],
        "$defs": definitions(&mut read, &mut written),
    });
    tidy(&mut schema);
    schema
}

/// The schema as text, as it is committed.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// What both sides define, by name. A type that is read and written has one definition, that of writing.
fn definitions(read: &mut SchemaGenerator, written: &mut SchemaGenerator) -> Map<String, Value> {
    let mut all = read.take_definitions(true);
    let mut answers = written.take_definitions(true);
    answers.values_mut().for_each(leave_out);
    all.extend(answers);
    all.sort_keys();
    all
}

/// A field that is left out when there is nothing to say is never `null`, but for those that are marked.
fn leave_out(schema: &mut Value) {
    let required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        let is_marked = property.as_object_mut().is_some_and(|property| property.remove(NULL).is_some());
        if !is_marked && !required.contains(&Value::from(name.as_str())) {
            drop_null(property);
        }
    }
}

fn drop_null(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(any)) = property.get_mut("anyOf") {
        any.retain(|schema| schema["type"] != "null");
        if let [Value::Object(only)] = any.as_slice() {
            let only = only.clone();
            property.remove("anyOf");
            property.extend(only);
        }
    }
}

/// What is for people: the lines of a comment are one paragraph, and words with a meaning each are a list of words.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            words(map);
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned();
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// `oneOf` with a constant and its description each becomes `enum`, which every maker of clients knows; the descriptions go into one.
fn words(schema: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else { return };
    let word =
        |choice: &Value| Some((choice["const"].as_str()?.to_owned(), choice["description"].as_str()?.to_owned()));
    let Some(words) = choices.iter().map(word).collect::<Option<Vec<_>>>() else { return };
    let said = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let said = words.iter().fold(said.to_owned(), |said, (word, meaning)| format!("{said} `{word}`: {meaning}"));
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into_iter().map(|(word, _)| word).collect());
    schema.insert("description".to_owned(), said.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_written_has_one_definition() {
        let mut read = SchemaSettings::draft2020_12().into_generator();
        let mut written = SchemaSettings::draft2020_12().for_serialize().into_generator();
        Request::schemas(&mut read);
        Request::answer_schemas(&mut written);
        let (read, written) = (read.take_definitions(true), written.take_definitions(true));
        for (name, schema) in &read {
            assert!(written.get(name).is_none_or(|other| other == schema), "{name} is read and written differently");
        }
    }
}
