//! Site configuration: compares each file of the backup with the live one at its path. Keys are never shown, certificates are shown
//! by their fields, and settings that look like secrets are hidden on both sides.

use super::lines;
use super::pages::Pages;
use crate::api::answer::comparison::{
    BinarySizes, CertificateShown, Change, ConfigChanges, ConfigEntry, Counts, LineCounts, PemContent, PemProblem,
    PemShown,
};
use crate::backup::read;
use crate::backup::scan::{self, ConfigFound, Scan};
use crate::backup::source::Source;
use crate::clock;
use crate::config::Config;
use crate::engine::site_config;
use crate::error::Result;
use crate::plan::Selection;
use crate::progress::Monitor;
use crate::siteconf::{self, ConfFile, Item, mask, tls};
use crate::text::printable;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// Equal lines shown around a change.
const CONTEXT: usize = 3;

/// Compares; every file gets an entry.
///
/// # Errors
/// The errors of reading the backup and of writing the pages.
pub fn changes(
    config: &Config,
    source: &Source,
    scan: &Scan,
    selection: &Selection,
    mut pages: Pages<ConfigEntry>,
    monitor: &dyn Monitor,
) -> Result<ConfigChanges> {
    let wanted: Vec<&ConfigFound> = scan.config.iter().filter(|file| selection.config.contains(&file.item)).collect();
    let mut counts = Counts::default();
    let mut put = |entry: ConfigEntry| -> Result<()> {
        counts.count(entry.change);
        pages.push(entry)
    };
    let mut targets: Vec<PathBuf> = Vec::new();
    for file in contents(config, source, scan, &wanted, monitor)? {
        let changed = ConfigEntry::of(file.item, &file.name, Change::Changed);
        let Some(content) = file.content else {
            put(ConfigEntry { too_large: Some(file.size), ..changed })?;
            continue;
        };
        match siteconf::place(config, &source.site.domain, file.item, &file.name, content) {
            Ok(placed) => {
                put(compare(&placed))?;
                targets.push(placed.target);
            }
            Err(error) => put(ConfigEntry { problem: Some(printable(&error.message)), ..changed })?,
        }
    }
    for file in site_config::live(config, &source.site.domain) {
        if selection.config.contains(&file.item) && !targets.contains(&file.target) {
            let kept = ConfigEntry::of(file.item, &file.name, Change::Kept);
            let why = Some("the backup does not hold it".to_owned());
            put(ConfigEntry { target: Some(file.target), why, ..kept })?;
        }
    }
    let (total, entries) = pages.finish()?;
    Ok(ConfigChanges { files: counts, total, entries })
}

/// The files with their contents. A file that is live as it is in the backup is known by its hash; the backup is read only for the
/// others.
///
/// # Errors
/// As [`scan::read_config`].
pub fn contents(
    config: &Config,
    source: &Source,
    scan: &Scan,
    wanted: &[&ConfigFound],
    monitor: &dyn Monitor,
) -> Result<Vec<ConfigFound>> {
    let filled = |file: &&ConfigFound| -> Option<ConfigFound> {
        // A file without a hash was too large to be read, or one file too many.
        if file.content.is_some() || file.hash.is_none() {
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
    if !meta.is_file() || meta.len() > read::MAX_CONFIG_FILE {
        return None;
    }
    std::fs::read(path).ok()
}

/// One file against the live one.
fn compare(file: &ConfFile) -> ConfigEntry {
    let live = read_live(&file.target);
    let change = match &live {
        None => Change::Added,
        Some(live) if *live == file.content => Change::Same,
        Some(_) => Change::Changed,
    };
    let live = live.unwrap_or_default();
    let entry = ConfigEntry { target: Some(file.target.clone()), ..ConfigEntry::of(file.item, &file.name, change) };
    if file.item == Item::Ssl {
        let live = (change == Change::Changed).then(|| describe(&live));
        return ConfigEntry { backup: Some(describe(&file.content)), live, ..entry };
    }
    if change == Change::Same {
        return entry;
    }
    match (std::str::from_utf8(&live), std::str::from_utf8(&file.content)) {
        (Ok(live), Ok(backup)) => {
            let found = compare_text(file.item, live, backup);
            let lines = LineCounts { added: found.added as u64, removed: found.removed as u64 };
            let (diff, more_lines) = (Some(found.shown), Some(found.more as u64));
            ConfigEntry { lines: Some(lines), diff, more_lines, ..entry }
        }
        _ => {
            let binary = BinarySizes { live: live.len() as u64, backup: file.content.len() as u64 };
            ConfigEntry { binary: Some(binary), ..entry }
        }
    }
}

fn compare_text(item: Item, live: &str, backup: &str) -> lines::Lines {
    let old: Vec<&str> = live.lines().collect();
    let new: Vec<&str> = backup.lines().collect();
    let shown = |text: &str| -> Vec<String> { mask::masked(item, text).iter().map(|line| printable(line)).collect() };
    lines::compare(&old, &new, &shown(live), &shown(backup), CONTEXT)
}

/// The facts to show about a certificate or key: never a part of it.
fn describe(content: &[u8]) -> PemShown {
    let certificate = |tls::Certificate { meaning: found, .. }: tls::Certificate| CertificateShown {
        subject: printable(&found.subject),
        names: found.names,
        not_before: clock::at(found.not_before),
        not_after: clock::at(found.not_after),
        fingerprint: found.fingerprint,
    };
    match tls::read(content) {
        Ok(bundle) => PemShown::Read(PemContent {
            private_key: bundle.key.is_some(),
            certificates: bundle.certificates as u64,
            certificate: bundle.certificate.map(certificate),
        }),
        Err(problem) => PemShown::Unreadable(PemProblem { problem }),
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

    fn written(entry: &ConfigEntry) -> String {
        serde_json::to_string(entry).unwrap()
    }

    #[test]
    fn a_changed_file_is_shown_as_a_unified_diff_with_secrets_hidden_on_both_sides() {
        let (_folder, pool) = file(
            Item::PhpFpm,
            "[a]\nuser = u\nenv[DB] = new-hunter2\npm.max_children = 5\n",
            Some("[a]\nuser = u\nenv[DB] = old-hunter2\npm.max_children = 2\n"),
        );
        let entry = compare(&pool);
        assert_eq!(entry.change, Change::Changed);
        let wanted = [
            "@@ -1,4 +1,4 @@",
            " [a]",
            " user = u",
            "-env[DB] = ***",
            "-pm.max_children = 2",
            "+env[DB] = ***",
            "+pm.max_children = 5",
        ];
        assert_eq!(entry.diff.as_deref().unwrap(), wanted);
        assert_eq!((entry.lines, entry.more_lines), (Some(LineCounts { added: 2, removed: 2 }), Some(0)));
        assert!(!written(&entry).contains("hunter2"));
    }

    #[test]
    fn equal_new_and_binary_files_say_so() {
        let (_folder, equal) = file(Item::Nginx, "a\n", Some("a\n"));
        assert_eq!(compare(&equal).change, Change::Same);
        let (_folder, new) = file(Item::Cron, "@daily u x\n", None);
        assert_eq!(compare(&new).diff.unwrap(), ["@@ -1,0 +1,1 @@", "+@daily u x"]);
        let (_folder, mut binary) = file(Item::Nginx, "", Some("x"));
        binary.content = vec![0xff, 0xfe];
        let entry = compare(&binary);
        assert_eq!((entry.binary, entry.diff), (Some(BinarySizes { live: 1, backup: 2 }), None));
    }

    #[test]
    fn neither_keys_nor_what_is_in_their_place_are_shown() {
        let key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n";
        for (backup, live) in [(key, "hunter2 is no key\n"), ("hunter2 is no key", key)] {
            let (_folder, ssl) = file(Item::Ssl, backup, Some(live));
            let entry = compare(&ssl);
            assert_eq!(entry.change, Change::Changed);
            assert!(!written(&entry).contains("hunter2"), "{}", written(&entry));
            assert!(entry.live.is_some() && entry.backup.is_some());
        }
    }
}
