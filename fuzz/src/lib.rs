//! What a fuzz target does with its bytes: one function a target, for cargo-fuzz and for `tests/all/corpus.rs`. Beyond
//! not crashing, each says what has to hold whatever the bytes are.

pub mod catalogue;
pub mod ciphers;
mod container;
pub mod daf;
pub mod gzip;
pub mod index;
pub mod inside;
pub mod journal;
pub mod jpa;
pub mod lz4;
mod pieces;
pub mod prefix;
pub mod request;
pub mod seven_zip;
pub mod site;
pub mod sql;
pub mod tar;
pub mod text;
pub mod wpress;
pub mod zip;

/// A target: its bytes in, a panic when something does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: &[(&str, Target)] = &[
    ("catalogue", catalogue::run),
    ("ciphers", ciphers::run),
    ("daf", daf::run),
    ("gzip", gzip::run),
    ("index", index::run),
    ("inside", inside::run),
    ("journal", journal::run),
    ("jpa", jpa::run),
    ("lz4", lz4::run),
    ("prefix", prefix::run),
    ("request", request::run),
    ("seven_zip", seven_zip::run),
    ("sql", sql::run),
    ("tar", tar::run),
    ("text", text::run),
    ("wpress", wpress::run),
    ("zip", zip::run),
];
