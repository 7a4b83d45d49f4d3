//! Configuration: each file of the backup against the one that is live at its place. Keys are never shown, certificates by what
//! they say, and settings that look like secrets are hidden on both sides.

use super::lines;
use super::pages::Pages;
use crate::backup::scan::{self, ConfigFound, Scan};
use crate::backup::source::Source;
use crate::config::Config;
use crate::engine::site_config;
use crate::error::Result;
use crate::plan::Selection;
use crate::progress::Monitor;
use crate::siteconf::{self, ConfFile, Item, mask, tls};
use crate::text::printable;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// Equal lines shown around a change.
const CONTEXT: usize = 3;

/// Compares; every file gets an entry.
///
/// # Errors
/// What reading the backup and writing the pages can meet.
pub fn changes(
    config: &Config,
    source: &Source,
    scan: &Scan,
    selection: &Selection,
    mut pages: Pages,
    monitor: &dyn Monitor,
) -> Result<Value> {
    let wanted: Vec<&ConfigFound> = scan.config.iter().filter(|file| selection.config.contains(&file.item)).collect();
    let mut counts: BTreeMap<&str, u64> = ["added", "changed", "removed", "same", "kept"].map(|name| (name, 0)).into();
    let mut put = |pages: &mut Pages, change: &'static str, entry: Value| -> Result<()> {
        *counts.entry(change).or_default() += 1;
        pages.push(entry)
    };
    let mut targets: Vec<PathBuf> = Vec::new();
    for file in contents(config, source, scan, &wanted, monitor)? {
        let placed = match file.content {
            Some(content) => siteconf::place(config, &source.site.domain, file.item, &file.name, content),
            None => {
                let entry = json!({"item": file.item, "name": file.name, "change": "changed", "too_large": file.size});
                put(&mut pages, "changed", entry)?;
                continue;
            }
        };
        match placed {
            Ok(placed) => {
                let (change, entry) = compare(&placed);
                targets.push(placed.target);
                put(&mut pages, change, entry)?;
            }
            Err(error) => {
                let entry = json!({"item": file.item, "name": file.name, "change": "changed", "problem": printable(&error.message)});
                put(&mut pages, "changed", entry)?;
            }
        }
    }
    for file in site_config::live(config, &source.site.domain) {
        if selection.config.contains(&file.item) && !targets.contains(&file.target) {
            let entry = json!({"item": file.item, "name": file.name, "target": file.target, "change": "kept",
                               "why": "the backup does not hold it"});
            put(&mut pages, "kept", entry)?;
        }
    }
    let (total, entries) = pages.finish()?;
    let mut document = json!(counts);
    (document["total"], document["entries"]) = (json!(total), json!(entries));
    Ok(document)
}

/// The files with their contents: those that are live as they are in the backup are known by their hash, and the backup is
/// only read for the others.
fn contents(
    config: &Config,
    source: &Source,
    scan: &Scan,
    wanted: &[&ConfigFound],
    monitor: &dyn Monitor,
) -> Result<Vec<ConfigFound>> {
    let filled = |file: &&ConfigFound| -> Option<ConfigFound> {
        if file.content.is_some() || file.size > scan::MAX_CONFIG_FILE {
            return Some((*file).clone());
        }
        let placed = siteconf::place(config, &source.site.domain, file.item, &file.name, Vec::new()).ok()?;
        let live = read_live(&placed.target)?;
        (Some(xxh3_64(&live)) == file.hash && live.len() as u64 == file.size)
            .then(|| ConfigFound { content: Some(live), ..(*file).clone() })
    };
    let at_hand: Vec<Option<ConfigFound>> = wanted.iter().map(filled).collect();
    if at_hand.iter().all(Option::is_some) {
        return Ok(at_hand.into_iter().flatten().collect());
    }
    let read = scan::read_config(source, config, &scan.config, monitor)?;
    Ok(read.into_iter().filter(|file| wanted.iter().any(|want| want.item == file.item)).collect())
}

fn read_live(path: &Path) -> Option<Vec<u8>> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > scan::MAX_CONFIG_FILE {
        return None;
    }
    std::fs::read(path).ok()
}

/// One file against the live one.
fn compare(file: &ConfFile) -> (&'static str, Value) {
    let live = read_live(&file.target);
    let change = match &live {
        None => "added",
        Some(live) if *live == file.content => "same",
        Some(_) => "changed",
    };
    let mut entry = json!({"item": file.item, "name": file.name, "target": file.target, "change": change});
    if file.item == Item::Ssl {
        entry["backup"] = describe(&file.content);
        if change == "changed" {
            entry["live"] = describe(live.as_deref().unwrap_or_default());
        }
    } else if change != "same" {
        let live = live.as_deref().unwrap_or_default();
        match (std::str::from_utf8(live), std::str::from_utf8(&file.content)) {
            (Ok(live), Ok(backup)) => {
                let old: Vec<&str> = live.lines().collect();
                let new: Vec<&str> = backup.lines().collect();
                let shown = |text: &str| -> Vec<String> {
                    mask::masked(file.item, text).iter().map(|line| printable(line)).collect()
                };
                let found = lines::compare(&old, &new, &shown(live), &shown(backup), CONTEXT);
                entry["lines"] = json!({"added": found.added, "removed": found.removed});
                (entry["diff"], entry["more_lines"]) = (json!(found.shown), json!(found.more));
            }
            _ => entry["binary"] = json!({"live": live.len(), "backup": file.content.len()}),
        }
    }
    (change, entry)
}

/// What can be said of a certificate or key: never a part of it.
fn describe(content: &[u8]) -> Value {
    let day = |at: i64| crate::clock::at(at);
    match tls::read(content) {
        Ok(bundle) => json!({
            "certificate": bundle.certificate.map(|certificate| json!({
                "subject": printable(&certificate.subject),
                "names": certificate.names,
                "not_before": day(certificate.not_before),
                "not_after": day(certificate.not_after),
                "fingerprint": certificate.fingerprint,
            })),
            "certificates": bundle.certificates,
            "private_key": bundle.key.is_some(),
        }),
        Err(why) => json!({"problem": why}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(item: Item, content: &str, live: Option<&str>) -> (tempfile::TempDir, ConfFile) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("live");
        if let Some(live) = live {
            std::fs::write(&target, live).unwrap();
        }
        let file = ConfFile { item, name: "n".into(), target, content: content.into(), mode: 0o644, link: None };
        (folder, file)
    }

    #[test]
    fn a_changed_file_is_shown_as_a_unified_diff_with_secrets_hidden_on_both_sides() {
        let (_folder, pool) = file(
            Item::PhpFpm,
            "[a]\nuser = u\nenv[DB] = new-hunter2\npm.max_children = 5\n",
            Some("[a]\nuser = u\nenv[DB] = old-hunter2\npm.max_children = 2\n"),
        );
        let (change, entry) = compare(&pool);
        assert_eq!(change, "changed");
        let wanted = [
            "@@ -1,4 +1,4 @@",
            " [a]",
            " user = u",
            "-env[DB] = ***",
            "-pm.max_children = 2",
            "+env[DB] = ***",
            "+pm.max_children = 5",
        ];
        assert_eq!(entry["diff"], json!(wanted));
        assert_eq!(entry["lines"], json!({"added": 2, "removed": 2}));
        assert!(!entry.to_string().contains("hunter2"));
    }

    #[test]
    fn equal_new_and_binary_files_say_so() {
        assert_eq!(compare(&file(Item::Nginx, "a\n", Some("a\n")).1).0, "same");
        let (_folder, new) = file(Item::Cron, "@daily u x\n", None);
        assert_eq!(compare(&new).1["diff"], json!(["@@ -1,0 +1,1 @@", "+@daily u x"]));
        let (_folder, mut binary) = file(Item::Nginx, "", Some("x"));
        binary.content = vec![0xff, 0xfe];
        assert_eq!(compare(&binary).1["binary"], json!({"live": 1, "backup": 2}));
    }

    #[test]
    fn neither_keys_nor_what_is_in_their_place_are_shown() {
        let key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n";
        for (backup, live) in [(key, "hunter2 is no key\n"), ("hunter2 is no key", key)] {
            let (_folder, ssl) = file(Item::Ssl, backup, Some(live));
            let (change, entry) = compare(&ssl);
            assert_eq!(change, "changed");
            assert!(!entry.to_string().contains("hunter2"), "{entry}");
            assert!(entry["live"].is_object() && entry["backup"].is_object());
        }
    }
}
