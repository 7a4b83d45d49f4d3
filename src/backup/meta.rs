//! The `.meta` files beside archives: JSON, or `key=value` lines in older ones. Hints only; the archive is the truth.

use crate::backup::name::stem;
use crate::disk::open_regular;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest `.meta` file read; `changed_files_list` of an incremental can be long.
const MAX_META: u64 = 1 << 20;

/// What a `.meta` file says, as text by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta(BTreeMap<String, String>);

impl Meta {
    /// Parses either form; what is not understood is left out.
    pub fn parse(text: &str) -> Meta {
        if let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) {
            let plain = |value: Value| match value {
                Value::String(text) => Some(text),
                Value::Number(number) => Some(number.to_string()),
                Value::Bool(truth) => Some(truth.to_string()),
                _ => None,
            };
            return Meta(object.into_iter().filter_map(|(key, value)| Some((key, plain(value)?))).collect());
        }
        let pair = |line: &str| {
            let (key, value) = line.trim().split_once('=')?;
            Some((key.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        };
        Meta(text.lines().filter_map(pair).collect())
    }

    /// The `.meta` of an archive: `NAME.tar.gz.meta`, else `NAME.meta`. Empty when there is none.
    pub fn beside(archive: &Path) -> Meta {
        names(archive).iter().find_map(|path| read(path)).unwrap_or_default()
    }

    /// A field's text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|text| !text.is_empty() && *text != "unknown")
    }

    /// A field's number.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }

    /// What the writer says of the archive's soundness; nothing for words not known.
    pub fn integrity(&self) -> Option<bool> {
        match self.text("integrity")?.to_ascii_lowercase().as_str() {
            "valid" | "ok" | "verified" | "true" | "passed" => Some(true),
            "invalid" | "corrupt" | "corrupted" | "false" | "failed" => Some(false),
            _ => None,
        }
    }

    /// The checksum its writer took of the archive, if it is a SHA-256.
    pub fn sha256(&self) -> Option<String> {
        let text = ["sha256", "sha256sum", "checksum"].iter().find_map(|key| self.text(key))?;
        let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
        (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
    }

    /// Where what the writer says is not what is there: hints for a person, since the archive is the truth.
    /// `counts` are what a writer may have counted, files first; none where there was no whole reading.
    pub fn contradictions(&self, domain: &str, size: u64, counts: &[u64]) -> Vec<String> {
        let mut list = Vec::new();
        if let Some(said) = self.text("domain").filter(|said| !said.eq_ignore_ascii_case(domain)) {
            list.push(format!("its .meta is of {}", crate::text::printable(said)));
        }
        if let Some(said) = self.number("backup_size").filter(|said| *said != size) {
            list.push(format!("its .meta says {said} bytes, it has {size}"));
        }
        if let (Some(said), Some(found)) = (self.number("file_count"), counts.first())
            && !counts.contains(&said)
        {
            list.push(format!("its .meta says {said} files, it holds {found}"));
        }
        list
    }

    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn names(archive: &Path) -> Vec<PathBuf> {
    let Some(name) = archive.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let mut names = vec![archive.with_file_name(format!("{name}.meta"))];
    if let Some(stem) = stem(name) {
        names.push(archive.with_file_name(format!("{stem}.meta")));
    }
    names
}

fn read(path: &Path) -> Option<Meta> {
    let mut bytes = Vec::new();
    open_regular(path).ok()?.take(MAX_META).read_to_end(&mut bytes).ok()?;
    Some(Meta::parse(&String::from_utf8_lossy(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let json = Meta::parse(r#"{"file_count": 12, "integrity": "valid", "base_backup": "/b/x.tar.gz", "list": []}"#);
        let lines = Meta::parse("file_count=12\nintegrity=valid\nbase_backup=\"/b/x.tar.gz\"\n# note\n");
        for meta in [json, lines] {
            assert_eq!(meta.number("file_count"), Some(12));
            assert_eq!(meta.integrity(), Some(true));
            assert_eq!(meta.text("base_backup"), Some("/b/x.tar.gz"));
        }
    }

    #[test]
    fn nonsense_is_nothing() {
        for text in ["", "[1,2]", "{\"file_count\":", "unknown", "file_count=unknown", "integrity=maybe"] {
            let meta = Meta::parse(text);
            assert_eq!((meta.number("file_count"), meta.integrity()), (None, None), "{text}");
        }
    }

    #[test]
    fn what_is_not_as_its_writer_says_is_named() {
        let meta = Meta::parse("domain=other.com\nbackup_size=10\nfile_count=3\n");
        assert_eq!(meta.contradictions("example.com", 9, &[4]).len(), 3);
        assert_eq!(meta.contradictions("other.com", 10, &[]), Vec::<String>::new());
        // Some writers count folders too.
        assert_eq!(Meta::parse("file_count=7").contradictions("x", 1, &[5, 7]), Vec::<String>::new());
        // A size for people is not compared.
        assert_eq!(Meta::parse("backup_size=286M").contradictions("x", 1, &[]), Vec::<String>::new());
    }

    #[test]
    fn only_a_whole_sha256_is_a_checksum() {
        let sum = "a".repeat(64);
        assert_eq!(Meta::parse(&format!("checksum=sha256:{sum}")).sha256(), Some(sum.clone()));
        assert_eq!(Meta::parse(&format!("{{\"sha256\":\"{}\"}}", sum.to_uppercase())).sha256(), Some(sum));
        assert_eq!(Meta::parse("checksum=d41d8cd98f00b204e9800998ecf8427e").sha256(), None);
    }

    #[test]
    fn it_is_found_under_both_names() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("backup_20251004_030000.tar.gz");
        assert!(Meta::beside(&archive).is_empty());
        std::fs::write(folder.path().join("backup_20251004_030000.meta"), "file_count=7").unwrap();
        assert_eq!(Meta::beside(&archive).number("file_count"), Some(7));
        std::fs::write(folder.path().join("backup_20251004_030000.tar.gz.meta"), "{\"file_count\":8}").unwrap();
        assert_eq!(Meta::beside(&archive).number("file_count"), Some(8));
    }
}
