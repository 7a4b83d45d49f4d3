//! Names that were checked once, where they came in, and need no second look.

use crate::error::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Longest path inside an archive, as the kernel's PATH_MAX.
pub const MAX_PATH: usize = 4096;
/// Longest single name, as the kernel's NAME_MAX.
pub const MAX_NAME: usize = 255;
/// Deepest folder accepted; a real site stays far below it.
pub const MAX_DEPTH: usize = 128;

/// A relative path that stays below its root: no `..`, no root, no NUL, no empty or over-long name. The empty path is the root itself.
/// File names need not be UTF-8: in documents a path is text, or a list of its bytes where it is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, JsonSchema)]
#[schemars(with = "Written")]
pub struct RelPath(Vec<u8>);

/// What makes a text a pattern.
const GLOB: [char; 4] = ['*', '?', '[', '{'];
/// Most bytes of a pattern.
pub const LONGEST_GLOB: usize = 1024;
/// Most braces that are opened in a pattern.
pub const MOST_BRACES: usize = 16;

/// Whether a text is no name and too large for a pattern, which becomes a program by a recursion over its braces.
pub fn is_large_glob(text: &str) -> bool {
    let braces = text.bytes().filter(|byte| *byte == b'{').count();
    text.contains(GLOB) && (text.len() > LONGEST_GLOB || braces > MOST_BRACES)
}

impl RelPath {
    /// Parses a path as archives write it: `./a//b/` is `a/b`.
    ///
    /// # Errors
    /// `unsafe_path` for `..`, an absolute path or a NUL byte; `limit_exceeded` for one too long or too deep.
    pub fn parse(raw: &[u8]) -> Result<RelPath> {
        let refuse = |why: &str| {
            let shown = String::from_utf8_lossy(&raw[..raw.len().min(200)]).into_owned();
            Error::new(Code::UnsafePath, format!("path {shown:?} {why}")).with("path", shown)
        };
        if raw.first() == Some(&b'/') {
            return Err(refuse("is absolute"));
        }
        if raw.contains(&0) {
            return Err(refuse("has a NUL byte"));
        }
        let mut clean = Vec::with_capacity(raw.len());
        let mut depth = 0;
        for name in raw.split(|byte| *byte == b'/') {
            match name {
                b"" | b"." => continue,
                b".." => return Err(refuse("leaves its root by `..`")),
                _ if name.len() > MAX_NAME => return Err(limit(raw, "has a name longer than 255 bytes")),
                _ => {}
            }
            if !clean.is_empty() {
                clean.push(b'/');
            }
            clean.extend_from_slice(name);
            depth += 1;
        }
        if clean.len() >= MAX_PATH {
            return Err(limit(raw, "is longer than 4095 bytes"));
        }
        if depth > MAX_DEPTH {
            return Err(limit(raw, "is deeper than 128 folders"));
        }
        Ok(RelPath(clean))
    }

    /// The path's bytes, without leading or trailing slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path for system calls and joins.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// True for the root itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names from the root downwards.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
    }

    /// The last name; empty for the root.
    pub fn last_name(&self) -> &[u8] {
        memchr::memrchr(b'/', &self.0).map_or(&self.0, |at| &self.0[at + 1..])
    }

    /// Folder and last name; `None` for the root.
    pub fn split_last(&self) -> Option<(RelPath, &[u8])> {
        if self.is_root() {
            return None;
        }
        match memchr::memrchr(b'/', &self.0) {
            Some(at) => Some((RelPath(self.0[..at].to_vec()), &self.0[at + 1..])),
            None => Some((RelPath::default(), &self.0)),
        }
    }

    /// The path of a name in this folder; the name comes from a listing of a folder and has no slash.
    pub fn join(&self, name: &[u8]) -> RelPath {
        let separator: &[u8] = if self.is_root() { b"" } else { b"/" };
        RelPath([self.0.as_slice(), separator, name].concat())
    }

    /// A path below this one.
    pub fn below(&self, inner: &RelPath) -> RelPath {
        match (self.is_root(), inner.is_root()) {
            (true, _) => inner.clone(),
            (_, true) => self.clone(),
            _ => RelPath([self.0.as_slice(), b"/", &inner.0].concat()),
        }
    }

    /// A pattern of paths that is nothing but this path.
    pub fn as_pattern(&self) -> String {
        let text = self.to_string();
        if !text.contains(GLOB) {
            return text;
        }
        let escaped = |letter| if "*?[]{}\\".contains(letter) { vec!['\\', letter] } else { vec![letter] };
        text.chars().flat_map(escaped).collect()
    }

    /// Whether that pattern is one that is read.
    pub fn fits_a_pattern(&self) -> bool {
        !is_large_glob(&self.as_pattern())
    }

    /// The path that [`RelPath::as_pattern`] made a pattern of.
    ///
    /// # Errors
    /// `unsafe_path`.
    pub fn of_pattern(pattern: &str) -> Result<RelPath> {
        if !pattern.contains(GLOB) {
            return RelPath::parse(pattern.as_bytes());
        }
        let mut letters = pattern.chars();
        let plain = std::iter::from_fn(|| match letters.next() {
            Some('\\') => letters.next(),
            letter => letter,
        });
        RelPath::parse(plain.collect::<String>().as_bytes())
    }

    /// Every folder above it below the root, the highest first.
    pub fn ancestors(&self) -> impl Iterator<Item = RelPath> + '_ {
        memchr::memchr_iter(b'/', &self.0).map(|at| RelPath(self.0[..at].to_vec()))
    }

    /// What is left after `prefix`, when this path lies at or below it.
    pub fn strip_prefix(&self, prefix: &RelPath) -> Option<RelPath> {
        if prefix.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(prefix.0.as_slice())?;
        match rest {
            b"" => Some(RelPath::default()),
            [b'/', tail @ ..] => Some(RelPath(tail.to_vec())),
            _ => None,
        }
    }
}

fn limit(raw: &[u8], why: &str) -> Error {
    let shown = String::from_utf8_lossy(&raw[..raw.len().min(200)]).into_owned();
    Error::new(Code::LimitExceeded, format!("path {shown:?}… {why}")).with("path", shown)
}

/// How a path is written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Written {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Serialize for RelPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let written = match String::from_utf8(self.0.clone()) {
            Ok(text) => Written::Text(text),
            Err(error) => Written::Bytes(error.into_bytes()),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<RelPath, D::Error> {
        let bytes = match Written::deserialize(deserializer)? {
            Written::Text(text) => text.into_bytes(),
            Written::Bytes(bytes) => bytes,
        };
        RelPath::parse(&bytes).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", String::from_utf8_lossy(&self.0))
    }
}

/// A domain name as it is used in folder names: letters, digits, dots and hyphens, never a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(with = "String")]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

impl Domain {
    /// Parses a domain name (RFC 1123 labels; international names in their `xn--` form). Lower-cased.
    ///
    /// # Errors
    /// `bad_request` naming what is wrong.
    pub fn parse(text: &str) -> Result<Domain> {
        let good_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        if text.is_empty() || text.len() > 253 || !text.split('.').all(good_label) {
            let shown: String = text.chars().take(100).collect();
            return Err(Error::new(Code::BadRequest, format!("{shown:?} is not a domain name"))
                .hint("Give the domain as in example.com: letters, digits, dots and hyphens."));
        }
        Ok(Domain(text.to_ascii_lowercase()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form used where dots are not allowed: `example_com`.
    pub fn underscored(&self) -> String {
        self.0.replace(['.', '-'], "_")
    }
}

impl TryFrom<String> for Domain {
    type Error = Error;
    fn try_from(text: String) -> Result<Domain> {
        Domain::parse(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> String {
        domain.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_spellings_of_one_path_are_one_path() {
        for raw in ["a/b", "./a/b", "a//b/", "./a/./b/"] {
            assert_eq!(RelPath::parse(raw.as_bytes()).unwrap().as_bytes(), b"a/b", "{raw}");
        }
        assert!(RelPath::parse(b"./").unwrap().is_root());
    }

    #[test]
    fn what_could_leave_the_root_is_refused() {
        for raw in ["../x", "/abs", "a/../../x", "a/..", "..", "a\0b"] {
            assert_eq!(RelPath::parse(raw.as_bytes()).unwrap_err().code, Code::UnsafePath, "{raw}");
        }
    }

    #[test]
    fn over_long_and_over_deep_paths_are_limits() {
        for raw in ["x".repeat(256), "ab/".repeat(1400), "a/".repeat(129)] {
            assert_eq!(RelPath::parse(raw.as_bytes()).unwrap_err().code, Code::LimitExceeded);
        }
        assert!(RelPath::parse("a/".repeat(128).as_bytes()).is_ok());
    }

    #[test]
    fn documents_carry_every_path_and_never_an_unsafe_one() {
        for raw in [&b"a/b"[..], "cà phê/☕\n\"x\"".as_bytes(), b"caf\xe9/x", b""] {
            let path = RelPath::parse(raw).unwrap();
            let text = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<RelPath>(&text).unwrap(), path, "{text}");
        }
        assert!(serde_json::from_str::<RelPath>("\"../x\"").is_err());
    }

    #[test]
    fn prefixes_end_at_a_slash() {
        let path = RelPath::parse(b"www/site/x").unwrap();
        let strip = |prefix: &[u8]| path.strip_prefix(&RelPath::parse(prefix).unwrap());
        assert_eq!(strip(b"www").unwrap().as_bytes(), b"site/x");
        assert!(strip(b"ww").is_none());
        assert!(strip(b"www/site/x").unwrap().is_root());
    }

    #[test]
    fn a_domain_is_never_a_path_or_a_command() {
        for bad in ["", ".", "..", "a/b", "a..b", "-a.com", "a;b", "$(x)", "a b", "é.com", &"a".repeat(64)] {
            assert_eq!(Domain::parse(bad).unwrap_err().code, Code::BadRequest, "{bad}");
        }
        assert_eq!(Domain::parse("Shop.Example.com").unwrap().underscored(), "shop_example_com");
    }
}
