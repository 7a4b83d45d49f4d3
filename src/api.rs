//! The door: requests and answers as types, and the envelope around them. JSON in, JSON out.
//!
//! * [`request`]: what each call takes; [`Request::parse`](request::Request::parse) reads it once, and past it nothing knows JSON;
//! * [`answer`]: what each call gives;
//! * [`schema`]: both as a JSON Schema, `docs/api.schema.json`.

pub mod answer;
pub mod request;
pub mod schema;
mod strict;

#[cfg(any(test, feature = "test-support"))]
pub use request::{AnyDomain, DeleteSnapshot, OneDomain, OneJob, Request, Rollback, parse};
pub use request::{
    Backup, Choice, Components, Diff, Exclude, Import, KeepRows, MAX_REQUEST, Options, Part, Preview, Priority,
    Restore, TreeAsked,
};

use crate::error::Error;
use answer::Document;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of the document schema in every envelope.
pub const SCHEMA: u32 = 1;
/// Version of the C ABI; library and helper must agree.
pub const ABI_VERSION: u32 = 1;

/// The items of a site's configuration, as they are selected in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigItem {
    /// nginx site and its enabled link.
    Nginx,
    /// PHP-FPM pool.
    PhpFpm,
    /// Certificates and keys.
    Ssl,
    /// cron.d file.
    Cron,
}

impl ConfigItem {
    /// Every item in the order it is shown.
    pub const ALL: [ConfigItem; 4] = [ConfigItem::Nginx, ConfigItem::PhpFpm, ConfigItem::Ssl, ConfigItem::Cron];

    /// The name in requests and reports: `nginx`, `php_fpm`, `ssl`, `cron`.
    pub fn name(self) -> &'static str {
        match self {
            ConfigItem::Nginx => "nginx",
            ConfigItem::PhpFpm => "php_fpm",
            ConfigItem::Ssl => "ssl",
            ConfigItem::Cron => "cron",
        }
    }

    /// The item of a name.
    pub fn from_name(name: &str) -> Option<ConfigItem> {
        ConfigItem::ALL.into_iter().find(|item| item.name() == name)
    }
}

/// The document of a call that worked.
pub fn success(data: &Value) -> Value {
    written(&Document { schema: SCHEMA, ok: true, data: Some(data.clone()), error: None })
}

/// The document of a call that failed.
pub fn failure(error: &Error) -> Value {
    written(&Document { schema: SCHEMA, ok: false, data: None, error: Some(error.clone()) })
}

fn written(document: &Document) -> Value {
    // It holds text and JSON: it can always be written.
    serde_json::to_value(document).unwrap_or_default()
}

/// A document as it is handed out. Names in it are a tenant's: what a terminal would act on is escaped.
pub fn text(document: &Value) -> String {
    crate::text::printable_json(&document.to_string())
}
