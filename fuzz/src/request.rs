//! Requests: the first byte says of which call, the rest is the request. Each is answered with a document.

use super::site::site;
use rocketvps_restore::api::{
    self, AnyDomain, DeleteSnapshot, Diff, OneDomain, OneJob, Preview, Request, Restore, Rollback,
};
use rocketvps_restore::call;
use rocketvps_restore::plan::Selection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub fn run(data: &[u8]) {
    let Some((number, request)) = data.split_first() else { return };
    let Ok(request) = std::str::from_utf8(request) else { return };
    again::<AnyDomain>(request);
    again::<OneDomain>(request);
    again::<OneJob>(request);
    again::<Rollback>(request);
    again::<DeleteSnapshot>(request);
    if let Some(preview) = again::<Preview>(request) {
        let _ = preview.tree.map(|tree| tree.check());
    }
    if let Some(diff) = again::<Diff>(request) {
        let _ = diff.restore();
    }
    if let Some(restore) = again::<Restore>(request)
        && let Ok(selection) = Selection::of(&restore)
    {
        let _ = (selection.paths(), selection.tables());
    }
    let name = Request::NAMES[usize::from(*number) % Request::NAMES.len()];
    // A request of any kind goes to this installation and to no other.
    let request = match serde_json::from_str::<Value>(request) {
        Ok(Value::Object(mut fields)) => {
            fields.insert("config".into(), json!(site().toml()));
            Value::Object(fields).to_string()
        }
        _ => request.to_owned(),
    };
    let document = call::call(name, &request);
    assert_eq!(document["schema"], api::SCHEMA);
    if document["ok"] == false {
        let error = &document["error"];
        assert!(error["code"].is_string() && error["message"].is_string() && error["hint"].is_string(), "{document}");
        assert_ne!(error["code"], "internal", "{name} {request}: {document}");
    } else {
        assert!(document["data"].is_object(), "{name} {request}: {document}");
    }
}

/// A request that was understood is understood when it is written down, as it is in a job's folder.
fn again<T: DeserializeOwned + Serialize>(text: &str) -> Option<T> {
    let request = api::parse::<T>(text).ok()?;
    let written = serde_json::to_string(&request).expect("a request is JSON");
    if written.len() <= api::MAX_REQUEST {
        let back: T = api::parse(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(serde_json::to_string(&back).expect("a request is JSON"), written);
    }
    Some(request)
}
