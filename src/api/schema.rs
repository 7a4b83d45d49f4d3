//! Requests and answers as a JSON Schema, from which clients can be made: `docs/api.schema.json`.

// A test makes the text (`make schema`) and holds it against the types; what is installed has it built in.
#[cfg(any(test, feature = "test-support"))]
mod make;

#[cfg(any(test, feature = "test-support"))]
pub use make::{document, text};

/// The schema as it is committed, and as the helper gives it.
pub const TEXT: &str = include_str!("../../docs/api.schema.json");
