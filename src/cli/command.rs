//! The commands for people, as a table: what each takes, and the call it comes to.

use crate::error::{Code, Error, Result};
use serde_json::{Map, Value, json};

/// A command for people.
#[derive(Debug)]
pub struct Command {
    /// The word.
    pub name: &'static str,
    /// What follows it; in brackets what may be left out.
    pub operands: &'static [Operand],
    /// Options it takes besides those that all take.
    pub options: &'static [&'static str],
    /// The call it comes to.
    pub call: &'static str,
    /// How its answer comes.
    pub way: Way,
    /// One line.
    pub about: &'static str,
}

/// What follows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// The domain.
    Domain,
    /// The domain; left out: all.
    AnyDomain,
    /// A backup: its path, or its name in the domain's folder; left out: the newest.
    Backup,
    /// The folder of a snapshot, or its name in the domain's.
    Snapshot,
    /// A job.
    Job,
}

impl Operand {
    fn shown(self) -> &'static str {
        match self {
            Operand::Domain => "DOMAIN",
            Operand::AnyDomain => "[DOMAIN]",
            Operand::Backup => "[BACKUP]",
            Operand::Snapshot => "SNAPSHOT",
            Operand::Job => "JOB",
        }
    }

    fn may_be_missing(self) -> bool {
        matches!(self, Operand::AnyDomain | Operand::Backup)
    }
}

/// How the answer of a command comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// At once.
    Answer,
    /// From a job, which is waited for.
    Job,
    /// From a job that changes the site: it is shown while it works, and asked about before.
    Change,
    /// From a job that is there already.
    Attach,
}

const SELECTION: [&str; 11] = [
    "latest",
    "only",
    "path",
    "table",
    "item",
    "exclude-path",
    "exclude-table",
    "exclude-item",
    "dump",
    "exact",
    "allow-orphans",
];

const fn with<const N: usize, const M: usize>(more: [&'static str; M]) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < SELECTION.len() { SELECTION[at] } else { more[at - SELECTION.len()] };
        at += 1;
    }
    all
}

const VALIDATE: &[&str] = &with::<13, 2>(["allow-unsafe-config", "detach"]);
const DIFF: &[&str] = &with::<14, 3>(["checksum", "limit", "detach"]);
const RESTORE: &[&str] =
    &with::<18, 7>(["dry-run", "yes", "detach", "snapshot", "plan-token", "allow-unsafe-config", "priority"]);

/// Every command for people.
pub const COMMANDS: &[Command] = {
    use Operand::{AnyDomain, Backup, Domain, Job, Snapshot};
    use Way::{Answer, Attach, Change, Job as OfJob};
    const fn of(
        name: &'static str,
        operands: &'static [Operand],
        options: &'static [&'static str],
        call: &'static str,
        way: Way,
        about: &'static str,
    ) -> Command {
        Command { name, operands, options, call, way, about }
    }
    &[
        of("domains", &[], &[], "list_domains", Answer, "domains that have backups or a site"),
        of("list", &[Domain], &[], "list_backups", Answer, "backups of a domain, newest first"),
        of(
            "preview",
            &[Domain, Backup],
            &["latest", "dump", "tree", "depth", "offset", "limit", "detach"],
            "preview_backup",
            OfJob,
            "what is in a backup; time and room it needs",
        ),
        of("diff", &[Domain, Backup], DIFF, "diff_backup", OfJob, "what a restore would change"),
        of("validate", &[Domain, Backup], VALIDATE, "validate", OfJob, "every check before a restore"),
        of("restore", &[Domain, Backup], RESTORE, "restore_start", Change, "restore a domain"),
        of("verify", &[Domain], &["detach"], "verify", OfJob, "check the live site"),
        of("snapshot", &[Domain], &["detach"], "create_snapshot", OfJob, "save the live site as a portable snapshot"),
        of("snapshots", &[Domain], &[], "list_snapshots", Answer, "snapshots of a domain, newest first"),
        of(
            "delete-snapshot",
            &[Domain, Snapshot],
            &["yes", "detach"],
            "delete_snapshot",
            Change,
            "delete a snapshot and what it keeps",
        ),
        of(
            "rollback",
            &[AnyDomain],
            &["job", "snapshot", "yes", "detach"],
            "rollback",
            Change,
            "back to before the last restore or --job",
        ),
        of("jobs", &[AnyDomain], &[], "list_jobs", Answer, "jobs, newest first"),
        of("status", &[Job], &["since"], "restore_poll", Answer, "how a job stands"),
        of("attach", &[Job], &[], "restore_poll", Attach, "follow a job to its end"),
        of("cancel", &[Job], &[], "restore_cancel", Answer, "ask a job to stop; the site stays as it was"),
        of("logs", &[AnyDomain], &[], "list_logs", Answer, "logs, newest first; `logs JOB` prints one"),
        of("cleanup", &[AnyDomain], &["detach"], "cleanup", OfJob, "remove what has expired or was left behind"),
        of("recover", &[AnyDomain], &["detach"], "recover", OfJob, "finish or undo what a crash left"),
    ]
};

/// The command of that name.
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// The options of one command line, by their names without dashes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options(pub Vec<(&'static str, String)>);

/// Options with a value, beside those that all commands take.
pub const VALUED: &[(&str, &str)] = &[
    ("only", "LIST"),
    ("path", "PATH"),
    ("table", "TABLE"),
    ("item", "ITEM"),
    ("exclude-path", "PATH"),
    ("exclude-table", "TABLE"),
    ("exclude-item", "ITEM"),
    ("dump", "FILE"),
    ("snapshot", "DIR"),
    ("plan-token", "TOKEN"),
    ("priority", "WORD"),
    ("job", "JOB"),
    ("tree", "PATH"),
    ("depth", "N"),
    ("offset", "N"),
    ("limit", "N"),
    ("since", "N"),
];

/// Options without a value.
pub const FLAGS: &[&str] =
    &["latest", "exact", "allow-orphans", "allow-unsafe-config", "checksum", "dry-run", "yes", "detach"];

impl Options {
    /// Whether the flag was given.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| *given == name)
    }

    /// The last value given.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    /// Every value given.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(given, _)| *given == name).map(|(_, value)| value.as_str()).collect()
    }

    fn number(&self, name: &str) -> Result<Option<u64>> {
        self.value(name)
            .map(|text| text.parse().map_err(|_| usage(format!("--{name} takes a number, not {text:?}"))))
            .transpose()
    }
}

fn usage(message: String) -> Error {
    Error::new(Code::Usage, message)
}

impl Command {
    /// `restore DOMAIN [BACKUP]`.
    pub fn synopsis(&self) -> String {
        let words: Vec<&str> = self.operands.iter().map(|operand| operand.shown()).collect();
        [&[self.name], words.as_slice()].concat().join(" ")
    }

    /// Refuses what the command does not take.
    ///
    /// # Errors
    /// `usage` naming the word or option.
    pub fn check(&self, operands: &[String], options: &Options) -> Result<()> {
        let hint = || format!("rocketvps-restore {} [OPTION…]; --help lists them.", self.synopsis());
        for (name, _) in &options.0 {
            if !self.options.contains(name) {
                return Err(usage(format!("{} does not take --{name}", self.name)).hint(hint()));
            }
        }
        let needed = self.operands.iter().filter(|operand| !operand.may_be_missing()).count();
        if operands.len() < needed {
            let missing = self.operands[operands.len()].shown();
            return Err(usage(format!("{} needs a {missing}", self.name)).hint(hint()));
        }
        if let Some(extra) = operands.get(self.operands.len()) {
            return Err(usage(format!("{}: {extra:?} is one word too many", self.name)).hint(hint()));
        }
        if let Some(empty) = operands.iter().position(String::is_empty) {
            return Err(usage(format!("{}: {} is empty", self.name, self.operands[empty].shown())).hint(hint()));
        }
        if self.name == "restore" && operands.len() < 2 && !options.has("latest") {
            return Err(usage("restore: which backup?".into())
                .hint("Name it, or say --latest; `rocketvps-restore list DOMAIN` shows them."));
        }
        if self.name == "rollback" && operands.is_empty() && !options.has("job") {
            return Err(usage("rollback: of which domain?".into())
                .hint("Name it, or the job to go back before: --job JOB; `rocketvps-restore jobs` shows them."));
        }
        if options.has("latest") && operands.len() > 1 {
            return Err(usage("a backup and --latest are two answers to one question".into()).hint(hint()));
        }
        Ok(())
    }

    /// The request of its call. `backups` and `snapshots` are the folders of the domain where names are looked for.
    ///
    /// # Errors
    /// `usage` naming the option.
    pub fn request(&self, operands: &[String], options: &Options, folders: &Folders) -> Result<Map<String, Value>> {
        let mut request = Map::new();
        for (operand, word) in self.operands.iter().zip(operands) {
            let (key, value) = match operand {
                Operand::Domain | Operand::AnyDomain => ("domain", word.clone()),
                Operand::Backup => ("backup", below(&folders.backups, word)),
                Operand::Snapshot => ("snapshot", below(&folders.snapshots, word)),
                Operand::Job => ("job", word.clone()),
            };
            request.insert(key.into(), value.into());
        }
        for (name, key) in [("dump", "dump"), ("plan-token", "plan_token"), ("job", "job")] {
            if let Some(value) = options.value(name) {
                request.insert(key.into(), value.into());
            }
        }
        if let Some(snapshot) = options.value("snapshot") {
            request.insert("snapshot".into(), below(&folders.snapshots, snapshot).into());
        }
        for name in ["since", "limit"] {
            if let (Some(number), true) = (options.number(name)?, self.call != "preview_backup") {
                request.insert(name.into(), number.into());
            }
        }
        if options.has("dry-run") {
            request.insert("dry_run".into(), true.into());
        }
        if self.call == "preview_backup"
            && ["tree", "depth", "offset", "limit"].iter().any(|name| options.value(name).is_some())
        {
            let mut tree = Map::new();
            tree.insert("path".into(), options.value("tree").unwrap_or_default().into());
            for name in ["depth", "offset", "limit"] {
                if let Some(number) = options.number(name)? {
                    tree.insert(name.into(), number.into());
                }
            }
            request.insert("tree".into(), tree.into());
        }
        if self.options.contains(&"only") {
            let components = components(options)?;
            if !components.is_empty() {
                request.insert("components".into(), components.into());
            }
            let exclude =
                lists(options, [("exclude-path", "files"), ("exclude-table", "database"), ("exclude-item", "config")]);
            if !exclude.is_empty() {
                request.insert("exclude".into(), exclude.into());
            }
            let mut behaviour = Map::new();
            for name in ["exact", "allow-orphans", "allow-unsafe-config", "checksum"] {
                if options.has(name) {
                    behaviour.insert(name.replace('-', "_"), true.into());
                }
            }
            if let Some(priority) = options.value("priority") {
                behaviour.insert("priority".into(), priority.into());
            }
            if !behaviour.is_empty() {
                request.insert("options".into(), behaviour.into());
            }
        }
        Ok(request)
    }
}

/// Where names of backups and snapshots are looked for.
#[derive(Debug, Default)]
pub struct Folders {
    /// Of backups.
    pub backups: std::path::PathBuf,
    /// Of snapshots.
    pub snapshots: std::path::PathBuf,
}

/// A word without a slash names something in the folder; `latest` is a word of the engine.
fn below(folder: &std::path::Path, word: &str) -> String {
    if word.contains('/') || word == "latest" { word.to_owned() } else { folder.join(word).display().to_string() }
}

/// Components from `--only`, `--path`, `--table` and `--item`; empty: all the backup is for.
fn components(options: &Options) -> Result<Map<String, Value>> {
    let mut chosen = Map::new();
    for word in options.values("only").iter().flat_map(|list| list.split(',')) {
        match word.trim() {
            name @ ("files" | "database" | "config") => drop(chosen.insert(name.into(), json!(true))),
            other => {
                return Err(usage(format!("--only {other}: there is no such component"))
                    .hint("The components are files, database and config, separated by commas."));
            }
        }
    }
    chosen.extend(lists(options, [("path", "files"), ("table", "database"), ("item", "config")]));
    Ok(chosen)
}

fn lists(options: &Options, names: [(&str, &str); 3]) -> Map<String, Value> {
    let mut found = Map::new();
    for (name, key) in names {
        let values: Vec<&str> = options.values(name);
        if !values.is_empty() {
            found.insert(key.into(), json!(values));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Command, operands, options, and what comes of them.
    type Row = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

    fn request(name: &str, operands: &[&str], options: &[(&'static str, &str)]) -> Result<String> {
        let operands: Vec<String> = operands.iter().map(|word| (*word).to_owned()).collect();
        let options = Options(options.iter().map(|(name, value)| (*name, (*value).to_owned())).collect());
        let command = find(name).unwrap();
        command.check(&operands, &options)?;
        let folders = Folders { backups: "/b".into(), snapshots: "/s".into() };
        Ok(Value::from(command.request(&operands, &options, &folders)?).to_string())
    }

    #[test]
    fn words_become_requests() {
        let table: &[Row] = &[
            ("list", &["a.com"], &[], r#"{"domain":"a.com"}"#),
            ("jobs", &[], &[], "{}"),
            ("preview", &["a.com", "backup_1.tar.gz"], &[], r#"{"domain":"a.com","backup":"/b/backup_1.tar.gz"}"#),
            (
                "preview",
                &["a.com"],
                &[("tree", "wp-content/"), ("depth", "2")],
                r#"{"domain":"a.com","tree":{"path":"wp-content/","depth":2}}"#,
            ),
            ("restore", &["a.com"], &[("latest", "")], r#"{"domain":"a.com"}"#),
            (
                "restore",
                &["a.com", "/x/b.tar.gz"],
                &[("only", "files,config"), ("table", "wp_posts"), ("table", "wp_meta"), ("dry-run", "")],
                r#"{"domain":"a.com","backup":"/x/b.tar.gz","dry_run":true,"components":{"files":true,"config":true,"database":["wp_posts","wp_meta"]}}"#,
            ),
            (
                "restore",
                &["a.com"],
                &[("latest", ""), ("path", "a b/$(x)"), ("exclude-table", "t"), ("exact", "")],
                r#"{"domain":"a.com","components":{"files":["a b/$(x)"]},"exclude":{"database":["t"]},"options":{"exact":true}}"#,
            ),
            ("rollback", &["a.com"], &[("snapshot", "pre_1")], r#"{"domain":"a.com","snapshot":"/s/pre_1"}"#),
            ("rollback", &[], &[("job", "j")], r#"{"job":"j"}"#),
            ("diff", &["a.com"], &[("limit", "5")], r#"{"domain":"a.com","limit":5}"#),
        ];
        for (name, operands, options, wanted) in table {
            assert_eq!(request(name, operands, options).unwrap(), *wanted, "{name}");
        }
    }

    #[test]
    fn what_a_command_does_not_take_is_refused_by_name() {
        let table: &[Row] = &[
            ("list", &[], &[], "DOMAIN"),
            ("list", &[""], &[], "empty"),
            ("list", &["a", "b"], &[], "\"b\""),
            ("list", &["a"], &[("table", "x")], "--table"),
            ("restore", &["a"], &[], "which backup"),
            ("rollback", &[], &[], "which domain"),
            ("rollback", &[], &[("snapshot", "s")], "which domain"),
            ("restore", &["a", "b"], &[("latest", "")], "--latest"),
            ("restore", &["a", "b"], &[("only", "files,mail")], "mail"),
            ("diff", &["a"], &[("limit", "many")], "many"),
        ];
        for (name, operands, options, named) in table {
            let error = request(name, operands, options).unwrap_err();
            assert_eq!(error.code, Code::Usage);
            assert!(error.message.contains(named), "{}", error.message);
        }
    }

    #[test]
    fn the_tables_agree() {
        for command in COMMANDS {
            assert!(crate::call::NAMES.contains(&command.call), "{}", command.name);
            for option in command.options {
                assert!(FLAGS.contains(option) || VALUED.iter().any(|(name, _)| name == option), "{option}");
            }
        }
        for name in FLAGS.iter().chain(VALUED.iter().map(|(name, _)| name)) {
            assert!(COMMANDS.iter().any(|command| command.options.contains(name)), "nobody takes --{name}");
        }
    }
}
