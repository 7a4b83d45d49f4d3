//! Folders in which plugins keep their backups, and the names of backups. Pure.

use crate::path::RelPath;

/// By the folder around them and their names. Where a plugin makes a name up, `*` is what it makes up.
pub const FOLDERS: [(&[u8], &[u8]); 12] = [
    (b"wp-content", b"ai1wm-backups"),
    (b"wp-content", b"backups-dup-lite"),
    (b"wp-content", b"backups-dup-pro"),
    (b"wp-content", b"backuply"),
    (b"wp-content", b"updraft"),
    (b"wp-content", b"wpvividbackups"),
    (b"wp-content/uploads", b"backwpup"),
    (b"wp-content/uploads", b"backwpup-*"),
    (b"wp-content/uploads", b"backwpup-*-backups"),
    (b"wp-content/uploads", b"backupbuddy_backups"),
    (b"administrator/components/com_akeeba", b"backup"),
    (b"administrator/components/com_akeebabackup", b"backup"),
];
/// Longest made-up part of a name, in letters and digits.
const LONGEST_PART: usize = 32;
/// Ends of the names of backups. A folder without one is a guard of an empty one.
const ENDS: [&[u8]; 14] = [
    b".zip", b".gz", b".tgz", b".tar", b".bz2", b".xz", b".zst", b".lz4", b".daf", b".wpress", b".jpa", b".jps",
    b".sql", b".crypt",
];

/// Whether a file is a backup by its name.
pub fn is_backup(name: &[u8]) -> bool {
    ENDS.iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// Whether a plugin calls its folder so.
pub fn is_called(name: &[u8], form: &[u8]) -> bool {
    let Some(at) = form.iter().position(|byte| *byte == b'*') else { return name == form };
    let made_up = name.strip_prefix(&form[..at]).and_then(|rest| rest.strip_suffix(&form[at + 1..]));
    made_up.is_some_and(|part| (1..=LONGEST_PART).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric))
}

/// The folder of a plugin around a backup; `None` for every other file.
pub fn folder_of(path: &RelPath) -> Option<RelPath> {
    if !is_backup(path.last_name()) {
        return None;
    }
    path.ancestors().find(|folder| {
        let (around, name) = folder.split_last().unwrap_or_default();
        let ends = |with: &[u8]| {
            let whole = around.as_bytes();
            whole.strip_suffix(with).is_some_and(|before| before.is_empty() || before.ends_with(b"/"))
        };
        FOLDERS.iter().any(|(around, form)| is_called(name, form) && ends(around))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn only_what_a_plugin_calls_its_folder_is_one() {
        let of = |text: &str| folder_of(&path(text)).map(|folder| folder.to_string());
        let folder = |text: &str| Some(text.to_owned());
        assert_eq!(of("www/wp-content/updraft/a/x.zip"), folder("www/wp-content/updraft"));
        assert_eq!(
            of("wp-content/uploads/backwpup-a1-backups/x.TAR"),
            folder("wp-content/uploads/backwpup-a1-backups")
        );
        assert_eq!(
            of("a/b/administrator/components/com_akeeba/backup/x.jpa"),
            folder("a/b/administrator/components/com_akeeba/backup")
        );
        for other in [
            "wp-content/updraft-old.zip",
            "wp-content/updraft{{{{/x.zip",
            "wp-content/updraft/index.html",
            "xwp-content/updraft/x.zip",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
