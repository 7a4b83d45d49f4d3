//! What is named alike in every layout that has it: dump, configuration, description.

use super::{ConfigItem, Place};
use crate::path::RelPath;

/// Dump, configuration and description have the same names in every layout that has them.
pub fn place(path: &RelPath) -> Option<Place> {
    let names: Vec<&[u8]> = path.names().collect();
    match names.as_slice() {
        [b"backup.meta" | b"metadata.txt" | b"manifest.json" | b"metadata.json"] => Some(Place::Meta),
        [b"config", inner @ ..] => config(inner),
        [b"database", file] | [file] => dump(file, names.len() == 2),
        _ => None,
    }
}

fn dump(file: &[u8], in_folder: bool) -> Option<Place> {
    let stem = file.strip_suffix(b".sql.gz").or_else(|| file.strip_suffix(b".sql"))?;
    (in_folder || stem == b"database" || stem.starts_with(b"database_")).then_some(Place::Dump)
}

/// The place of a file below `config/`.
pub fn config(names: &[&[u8]]) -> Option<Place> {
    let item = match names {
        [b"nginx.conf"] | [b"nginx" | b"nginx.d", _] => ConfigItem::Nginx,
        [b"php-fpm.conf" | b"php_fpm.conf" | b"php-fpm-pool.conf"] | [b"php-fpm" | b"php_fpm", _] => ConfigItem::PhpFpm,
        [b"ssl", file] | [b"ssl", _, file] if file.ends_with(b".pem") => ConfigItem::Ssl,
        [b"cron" | b"crontab"] | [b"cron" | b"cron.d", _] => ConfigItem::Cron,
        [file] if file.starts_with(b"cron.") || file.starts_with(b"crontab.") => ConfigItem::Cron,
        _ => return None,
    };
    let name = std::str::from_utf8(names.last()?).ok()?;
    Some(Place::Config(item, name.to_owned()))
}
