//! What is in force, key by key, and where each value comes from.

use super::{Config, DEFAULT_FILE, Source};
use crate::error::{Code, Error, Result};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Nobody said anything: the default.
    Default,
    /// The default depends on what is installed here, or on what the machine has.
    Machine,
    /// Another key: it lies below `paths.base`.
    Base,
    /// The restore.toml.
    File,
    /// The request, over the restore.toml.
    Request,
}

/// One key and its value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The key with its table, such as `paths.web_root`.
    pub key: String,
    /// What is in force. Secrets of addresses and commands are left out.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
    /// Line of the restore.toml, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Whether the file or folder exists; of other values nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

/// The whole configuration, with its origins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InForce {
    /// The restore.toml that was read; `null`: there is none, and every default holds.
    pub file: Option<PathBuf>,
    /// Every key, in the order of the tables.
    pub settings: Vec<Setting>,
}

/// Says what a request's configuration comes to.
///
/// # Errors
/// `config_invalid` naming file or setting, line and key.
pub fn in_force(source: Option<&Source>) -> Result<InForce> {
    let config = Config::of(source)?;
    let (named, set) = match source {
        None => (None, None),
        Some(Source::File(file)) => (Some(file.as_path()), None),
        Some(Source::Set(settings)) => (settings.file.as_deref(), Some(&settings.set)),
    };
    let (_, text) = Config::read(named)?;
    let chosen = named.unwrap_or(Path::new(DEFAULT_FILE));
    let file = (named.is_some() || chosen.exists()).then(|| chosen.to_owned());
    let set: Vec<String> = set.map(|set| flat(&Value::Object(set.clone()))).unwrap_or_default().into_keys().collect();
    let (of_file, lines) = said_in(&text)?;
    let defaults = flat(&json(&Config::default())?);
    let settings = flat(&json(&config)?).into_iter().map(|(key, value)| {
        let (origin, line) = if set.contains(&key) {
            (Origin::Request, None)
        } else if of_file.get(&key) == Some(&value) {
            (Origin::File, lines.get(&key).copied())
        } else if defaults.get(&key) == Some(&value) {
            (Origin::Default, None)
        } else {
            (Origin::Machine, None)
        };
        resolved(&config, Setting { key, value, origin, line, exists: None })
    });
    Ok(InForce { file, settings: settings.collect() })
}

fn json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// `{"a": {"b": 1}}` as `a.b` = 1. A list is one value.
fn flat(value: &Value) -> BTreeMap<String, Value> {
    fn add(prefix: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
        let Value::Object(table) = value else {
            into.insert(prefix.to_owned(), value.clone());
            return;
        };
        for (name, inner) in table {
            add(&joined(prefix, name), inner, into);
        }
    }
    let mut into = BTreeMap::new();
    add("", value, &mut into);
    into.remove("");
    into.into_iter().filter(|(_, value)| !value.is_object()).collect()
}

/// A key behind its table; in quotes where it has dots of its own.
fn joined(prefix: &str, name: &str) -> String {
    let name = if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() };
    if prefix.is_empty() { name } else { format!("{prefix}.{name}") }
}

/// What a text says, and in which line it says it.
fn said_in(text: &str) -> Result<(BTreeMap<String, Value>, BTreeMap<String, usize>)> {
    fn add(prefix: &str, table: &DeTable<'_>, text: &str, lines: &mut BTreeMap<String, usize>) {
        for (name, value) in table {
            let key = joined(prefix, name.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => add(&key, inner, text, lines),
                _ => drop(lines.insert(key, line_of(text, &name.span()))),
            }
        }
    }
    let refused = |error: toml::de::Error| Error::new(Code::ConfigInvalid, error.to_string());
    let tables: Spanned<DeTable<'_>> = DeTable::parse(text).map_err(refused)?;
    let mut lines = BTreeMap::new();
    add("", tables.get_ref(), text, &mut lines);
    let values: toml::Table = toml::from_str(text).map_err(refused)?;
    Ok((flat(&json(&values)?), lines))
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
}

/// An empty value stands for one that follows from others; that one is shown. So is whether a path is there.
fn resolved(config: &Config, mut setting: Setting) -> Setting {
    let paths = &config.paths;
    let below_base = match setting.key.as_str() {
        "paths.backups" => Some(paths.backups()),
        "paths.snapshots" => Some(paths.snapshots()),
        "paths.logs" => Some(paths.logs()),
        "paths.hooks" => Some(paths.hooks()),
        "mysql.admin_defaults_file" => Some(paths.config().join("mysql_root.cnf")).filter(|file| file.exists()),
        _ => None,
    };
    if let Some(place) = below_base.filter(|_| setting.value == "") {
        setting.value = Value::String(place.display().to_string());
        setting.origin = Origin::Base;
    }
    if setting.key == "drills.metrics" && setting.value == "" {
        setting.value = Value::String(config.drills.metrics().display().to_string());
    }
    if setting.key == "mysql.connections" && setting.value == 0 {
        setting.value = config.parallelism().into();
        setting.origin = Origin::Machine;
    }
    if let Value::String(text) = &setting.value {
        let is_path = ["paths.", "mysql.", "services.", "drills."].iter().any(|table| setting.key.starts_with(table));
        setting.exists = (is_path && text.starts_with('/')).then(|| Path::new(text).exists());
        if let Some(shown) = without_secret(&setting.key, text) {
            setting.value = Value::String(shown);
        }
    }
    setting
}

/// Addresses hold passwords and tokens, and so do the arguments of a command.
fn without_secret(key: &str, text: &str) -> Option<String> {
    match key {
        "notify.webhook" => {
            let (scheme, rest) = text.split_once("://")?;
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or_default();
            Some(if path.is_empty() { format!("{scheme}://{host}") } else { format!("{scheme}://{host}/***") })
        }
        "notify.command" => text.split_once(' ').map(|(program, _)| format!("{program} ***")),
        "services.redis.url" => {
            let (scheme, rest) = text.split_once("://")?;
            rest.rsplit_once('@').map(|(_, host)| format!("{scheme}://***@{host}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, Source) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("restore.toml");
        std::fs::write(&file, text).unwrap();
        (folder, Source::File(file))
    }

    #[track_caller]
    fn setting<'a>(found: &'a InForce, key: &str) -> &'a Setting {
        found.settings.iter().find(|setting| setting.key == key).unwrap_or_else(|| panic!("{key}"))
    }

    #[test]
    fn each_value_says_where_it_comes_from() {
        let text = "[paths]\nbase = \"/srv/rv\"\n\n[services.php_fpm]\nunit = \"\"\n[sites.\"shop.example\"]\ndatabase = \"shop\"\n";
        let (_folder, file) = written(text);
        let Source::File(path) = &file else { unreachable!() };
        let found = in_force(Some(&file)).unwrap();
        assert_eq!(found.file.as_ref(), Some(path));
        let said = |key: &str| {
            let setting = setting(&found, key);
            (setting.value.clone(), setting.origin, setting.line)
        };
        assert_eq!(said("paths.base"), ("/srv/rv".into(), Origin::File, Some(2)));
        assert_eq!(said("paths.backups"), ("/srv/rv/backups".into(), Origin::Base, None));
        assert_eq!(said("paths.web_root"), ("/var/www".into(), Origin::Default, None));
        assert_eq!(said("limits.max_retries"), (3.into(), Origin::Default, None));
        assert_eq!(said("sites.\"shop.example\".database"), ("shop".into(), Origin::File, Some(7)));
        // Said, but empty: what is installed decides.
        assert_eq!(said("services.php_fpm.unit").1, Origin::Machine);
        assert_eq!(said("mysql.connections").1, Origin::Machine);
        let over = format!(r#"{{"file":{:?},"set":{{"paths":{{"base":"/srv/other"}}}}}}"#, path.display().to_string());
        let found = in_force(Some(&serde_json::from_str(&over).unwrap())).unwrap();
        let base = setting(&found, "paths.base");
        assert_eq!((&base.value, base.origin, base.line), (&"/srv/other".into(), Origin::Request, None));
    }

    #[test]
    fn the_file_that_is_laid_down_leaves_every_key_at_its_default() {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/restore.toml")).unwrap();
        let of = |text: &str| in_force(Some(&written(text).1)).unwrap().settings;
        assert_eq!(of(&text), of(""));
        assert!(of(&text).len() > 30);
        assert!(of(&text).iter().all(|setting| setting.origin != Origin::File));
    }

    #[test]
    fn secrets_are_not_shown_and_what_is_missing_is_said() {
        let (_folder, file) = written(
            "[paths]\nweb_root = \"/nowhere\"\ncron = \"/\"\n[services.redis]\nurl = \"redis://:hunter2@127.0.0.1:6379\"\n\
             [notify]\nwebhook = \"https://u:hunter2@chat.example/hooks/hunter2\"\ncommand = \"/usr/bin/tell --token hunter2\"\n",
        );
        let found = in_force(Some(&file)).unwrap();
        assert!(!serde_json::to_string(&found).unwrap().contains("hunter2"));
        assert_eq!(setting(&found, "notify.webhook").value, "https://chat.example/***");
        assert_eq!(setting(&found, "notify.command").value, "/usr/bin/tell ***");
        assert_eq!(setting(&found, "paths.web_root").exists, Some(false));
        assert_eq!(setting(&found, "paths.cron").exists, Some(true));
        assert_eq!(setting(&found, "files.owner").exists, None);
    }

    #[test]
    fn what_is_wrong_is_told_as_everywhere() {
        let (_folder, file) = written("[paths]\nbaze = \"/x\"\n");
        let error = in_force(Some(&file)).unwrap_err();
        assert_eq!(error.code, Code::ConfigInvalid);
        assert!(error.message.contains("line 2"), "{}", error.message);
    }
}
