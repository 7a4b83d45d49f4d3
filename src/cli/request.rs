//! The words of a command as the request of its call.

use crate::cli::command::{Command, CommandName, Operand};
use crate::cli::option::{self, Given, OptionName};
use crate::error::{Code, Error, Result};
use crate::report::Risk;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Where names of backups and snapshots are looked for.
#[derive(Debug, Default)]
pub struct Folders {
    /// Of backups.
    pub backups: PathBuf,
    /// Of snapshots.
    pub snapshots: PathBuf,
}

/// The request of the command's call. `folders` are the domain's.
///
/// # Errors
/// `usage` naming the option.
pub fn request(command: &Command, operands: &[String], given: &Given, folders: &Folders) -> Result<Map<String, Value>> {
    let mut request = Map::new();
    for (operand, word) in command.operands.iter().zip(operands) {
        let (key, value) = match operand {
            Operand::Domain | Operand::AnyDomain | Operand::Domains | Operand::DomainOrJob => ("domain", word.clone()),
            Operand::Backup => ("backup", below(&folders.backups, word)),
            Operand::Snapshot => ("snapshot", below(&folders.snapshots, word)),
            Operand::Job | Operand::UnfinishedJob => ("job", word.clone()),
            _ => continue,
        };
        request.insert(key.into(), value.into());
    }
    if let Some(from) = given.value(OptionName::From) {
        request.insert("backup".into(), import(from, given).into());
    }
    let dump = if given.has(OptionName::From) { &[][..] } else { &[(OptionName::Dump, "dump")] };
    for (name, key) in dump.iter().chain(&[(OptionName::PlanToken, "plan_token"), (OptionName::Job, "job")]).copied() {
        if let Some(value) = given.value(name) {
            request.insert(key.into(), value.into());
        }
    }
    if let Some(snapshot) = given.value(OptionName::Snapshot) {
        request.insert("snapshot".into(), below(&folders.snapshots, snapshot).into());
    }
    for (name, key) in [(OptionName::DryRun, "dry_run"), (OptionName::Rows, "rows")] {
        if given.has(name) {
            request.insert(key.into(), true.into());
        }
    }
    if command.name == CommandName::Preview {
        add_tree(&mut request, given)?;
    } else {
        add_numbers(&mut request, given, &[OptionName::Since, OptionName::Limit])?;
    }
    if command.takes(OptionName::Only) {
        add_selection(&mut request, given)?;
    }
    Ok(request)
}

/// Whether a word names something in the domain's folder. `latest` is a word of the engine.
pub fn is_name(word: &str) -> bool {
    !word.contains('/') && word != "latest"
}

fn below(folder: &Path, word: &str) -> String {
    if is_name(word) { folder.join(word).display().to_string() } else { word.to_owned() }
}

/// A backup of another program. Where a dump is no file that is there, it is a path inside the backup.
fn import(from: &str, given: &Given) -> Map<String, Value> {
    let whole =
        |path: &str| std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string());
    let mut import = Map::new();
    import.insert("from".into(), whole(from).into());
    if let Some(dump) = given.value(OptionName::Dump) {
        let dump = if Path::new(dump).exists() { whole(dump) } else { dump.to_owned() };
        import.insert("dump".into(), dump.into());
    }
    for (name, key) in [(OptionName::Root, "root"), (OptionName::Site, "site"), (OptionName::Prefix, "prefix")] {
        if let Some(value) = given.value(name) {
            import.insert(key.into(), value.into());
        }
    }
    if let Some(file) = given.value(OptionName::PasswordFile) {
        import.insert("password_file".into(), whole(file).into());
    }
    import
}

/// The page of a backup's tree, where one is asked for.
fn add_tree(request: &mut Map<String, Value>, given: &Given) -> Result<()> {
    const NUMBERS: [OptionName; 3] = [OptionName::Depth, OptionName::Offset, OptionName::Limit];
    if !given.has(OptionName::Tree) && !NUMBERS.iter().any(|name| given.has(*name)) {
        return Ok(());
    }
    let mut tree = Map::new();
    tree.insert("path".into(), given.value(OptionName::Tree).unwrap_or_default().into());
    add_numbers(&mut tree, given, &NUMBERS)?;
    request.insert("tree".into(), tree.into());
    Ok(())
}

fn add_numbers(to: &mut Map<String, Value>, given: &Given, names: &[OptionName]) -> Result<()> {
    for option in names.iter().filter_map(|name| option::of(*name)) {
        if let Some(text) = given.value(option.name) {
            let number: u64 =
                text.parse().map_err(|_| usage(format!("--{} takes a number, not {text:?}", option.word)))?;
            to.insert(option.word.into(), number.into());
        }
    }
    Ok(())
}

/// Components, what is left out of them, and how they are restored.
fn add_selection(request: &mut Map<String, Value>, given: &Given) -> Result<()> {
    let components = components(given)?;
    if !components.is_empty() {
        request.insert("components".into(), components.into());
    }
    let exclude = lists(given, [OptionName::ExcludePath, OptionName::ExcludeTable, OptionName::ExcludeItem]);
    if !exclude.is_empty() {
        request.insert("exclude".into(), exclude.into());
    }
    let mut behaviour = Map::new();
    for (name, key) in [
        (OptionName::Exact, "exact"),
        (OptionName::AllowOrphans, "allow_orphans"),
        (OptionName::AllowUnsafeConfig, "allow_unsafe_config"),
        (OptionName::Checksum, "checksum"),
    ] {
        if given.has(name) {
            behaviour.insert(key.into(), true.into());
        }
    }
    if given.has(OptionName::NoRehearsal) {
        behaviour.insert("rehearsal".into(), false.into());
    }
    if given.has(OptionName::OwnSettings) {
        behaviour.insert("keep_database_settings".into(), false.into());
    }
    if let Some(priority) = given.value(OptionName::Priority) {
        behaviour.insert("priority".into(), priority.into());
    }
    let accepted: Vec<&str> =
        given.values(OptionName::Accept).iter().flat_map(|list| list.split(',')).map(str::trim).collect();
    if let Some(unknown) = accepted.iter().find(|word| !Risk::WORDS.contains(word)) {
        return Err(usage(format!("--accept {unknown}: there is nothing of that name to accept"))
            .hint(format!("What can be accepted: {}.", Risk::WORDS.join(", "))));
    }
    if !accepted.is_empty() {
        behaviour.insert("accept".into(), json!(accepted));
    }
    let kept: Vec<Value> = given.values(OptionName::KeepRows).iter().map(|kept| keep_rows(kept)).collect();
    if !kept.is_empty() {
        behaviour.insert("keep_rows".into(), kept.into());
    }
    let probes: Vec<Value> = given.values(OptionName::Probe).iter().map(|page| probe(page)).collect();
    if !probes.is_empty() {
        behaviour.insert("probes".into(), probes.into());
    }
    if !behaviour.is_empty() {
        request.insert("options".into(), behaviour.into());
    }
    Ok(())
}

/// `TABLE` or `TABLE:COLUMN`.
fn keep_rows(text: &str) -> Value {
    match text.rsplit_once(':') {
        Some((table, column)) => json!({"table": table, "column": column}),
        None => json!({"table": text}),
    }
}

/// `PATH` or `PATH TEXT`: an address has no blanks.
fn probe(text: &str) -> Value {
    let (path, held) = text.split_once(' ').unwrap_or((text, ""));
    json!({"path": path, "text": held})
}

/// Components from `--only`, `--path`, `--table` and `--item`; empty: all the backup is for.
fn components(given: &Given) -> Result<Map<String, Value>> {
    let mut chosen = Map::new();
    for word in given.values(OptionName::Only).iter().flat_map(|list| list.split(',')) {
        match word.trim() {
            name @ ("files" | "database" | "config") => drop(chosen.insert(name.into(), json!(true))),
            other => {
                return Err(usage(format!("--only {other}: there is no such component"))
                    .hint("The components are files, database and config, separated by commas."));
            }
        }
    }
    chosen.extend(lists(given, [OptionName::Path, OptionName::Table, OptionName::Item]));
    Ok(chosen)
}

/// What three options list of files, database and site configuration.
fn lists(given: &Given, names: [OptionName; 3]) -> Map<String, Value> {
    let listed = names.into_iter().zip(["files", "database", "config"]).filter(|(name, _)| given.has(*name));
    listed.map(|(name, key)| (key.to_owned(), json!(given.values(name)))).collect()
}

fn usage(message: String) -> Error {
    Error::new(Code::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table;

    /// Command, operands, options, and what comes of them.
    type Row = (&'static str, &'static [&'static str], &'static [(OptionName, &'static str)], &'static str);

    fn asked(word: &str, operands: &[&str], options: &[(OptionName, &str)]) -> Result<String> {
        let operands: Vec<String> = operands.iter().map(|word| (*word).to_owned()).collect();
        let given = Given(options.iter().map(|(name, value)| (*name, (*value).to_owned())).collect());
        let command = table::find(word).unwrap();
        command.check(&operands, &given)?;
        let folders = Folders { backups: "/b".into(), snapshots: "/s".into() };
        Ok(Value::from(request(command, &operands, &given, &folders)?).to_string())
    }

    #[test]
    fn words_become_requests() {
        use OptionName::*;
        let table: &[Row] = &[
            ("list", &["a.com"], &[], r#"{"domain":"a.com"}"#),
            ("jobs", &[], &[], "{}"),
            ("preview", &["a.com", "backup_1.tar.gz"], &[], r#"{"domain":"a.com","backup":"/b/backup_1.tar.gz"}"#),
            (
                "preview",
                &["a.com"],
                &[(Tree, "wp-content/"), (Depth, "2")],
                r#"{"domain":"a.com","tree":{"path":"wp-content/","depth":2}}"#,
            ),
            ("preview", &["a.com"], &[(Limit, "5")], r#"{"domain":"a.com","tree":{"path":"","limit":5}}"#),
            ("restore", &["a.com"], &[(Latest, "")], r#"{"domain":"a.com"}"#),
            (
                "restore",
                &["a.com", "/x/b.tar.gz"],
                &[(Only, "files,config"), (Table, "wp_posts"), (Table, "wp_meta"), (DryRun, "")],
                r#"{"domain":"a.com","backup":"/x/b.tar.gz","dry_run":true,"components":{"files":true,"config":true,"database":["wp_posts","wp_meta"]}}"#,
            ),
            (
                "restore",
                &["a.com"],
                &[(Latest, ""), (Path, "a b/$(x)"), (ExcludeTable, "t"), (Exact, "")],
                r#"{"domain":"a.com","components":{"files":["a b/$(x)"]},"exclude":{"database":["t"]},"options":{"exact":true}}"#,
            ),
            (
                "rehearse",
                &["a.com"],
                &[(Probe, "/shop/?a=b Add to cart"), (Probe, "/contact/")],
                r#"{"domain":"a.com","options":{"probes":[{"path":"/shop/?a=b","text":"Add to cart"},{"path":"/contact/","text":""}]}}"#,
            ),
            (
                "restore",
                &["a.com"],
                &[(Latest, ""), (KeepRows, "orders"), (KeepRows, "carts:at")],
                r#"{"domain":"a.com","options":{"keep_rows":[{"table":"orders"},{"table":"carts","column":"at"}]}}"#,
            ),
            ("rollback", &["a.com"], &[(Snapshot, "pre_1")], r#"{"domain":"a.com","snapshot":"/s/pre_1"}"#),
            (
                "preview",
                &["a.com"],
                &[(From, "/x/b.zip"), (Dump, "db/a.sql"), (Root, "www"), (Site, "b.com"), (Prefix, "b_")],
                r#"{"domain":"a.com","backup":{"from":"/x/b.zip","dump":"db/a.sql","root":"www","site":"b.com","prefix":"b_"}}"#,
            ),
            ("restore", &["a.com"], &[(From, "/x")], r#"{"domain":"a.com","backup":{"from":"/x"}}"#),
            ("diff", &["a.com"], &[(Limit, "5")], r#"{"domain":"a.com","limit":5}"#),
            (
                "diff",
                &["a.com"],
                &[(Rows, ""), (Table, "wp_posts")],
                r#"{"domain":"a.com","rows":true,"components":{"database":["wp_posts"]}}"#,
            ),
            ("status", &["x"], &[(Since, "5")], r#"{"job":"x","since":5}"#),
        ];
        for (word, operands, options, wanted) in table {
            assert_eq!(asked(word, operands, options).unwrap(), *wanted, "{word}");
        }
    }

    #[test]
    fn what_a_command_does_not_take_is_refused_by_name() {
        use OptionName::*;
        let table: &[Row] = &[
            ("list", &[], &[], "DOMAIN"),
            ("list", &[""], &[], "empty"),
            ("list", &["a", "b"], &[], "\"b\""),
            ("list", &["a"], &[(Table, "x")], "--table"),
            ("restore", &["a"], &[], "which backup"),
            ("restore", &["a", "b"], &[(Latest, "")], "--latest"),
            ("restore", &["a", "b"], &[(From, "/x")], "--from"),
            ("diff", &["a"], &[(Root, "x")], "--from"),
            ("restore", &["a", "b"], &[(Only, "files,mail")], "mail"),
            ("diff", &["a"], &[(Limit, "many")], "many"),
            ("call", &["list_jobs", "{}"], &[(Yes, "")], "--yes"),
        ];
        for (word, operands, options, named) in table {
            let error = asked(word, operands, options).unwrap_err();
            assert_eq!(error.code, Code::Usage);
            assert!(error.message.contains(named), "{}", error.message);
        }
    }
}
