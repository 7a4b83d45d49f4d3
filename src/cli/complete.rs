//! What may stand next on a command line. The completions of bash, zsh and fish ask for it; they know no command themselves.
//!
//! The first line of the answer says what follows: `words`, `more` for words that may go on (no space behind them), or `files` for
//! the shell's own files. Then a line a word: the word, a tab, and what it is.

use crate::call;
use crate::cli::arguments::Line;
use crate::cli::command::{Command, CommandGroup, Operand};
use crate::cli::help;
use crate::cli::option::{self, CommandOption, Given, OPTIONS, OptionGroup, OptionName, Suggest};
use crate::cli::select;
use crate::cli::table::{self, COMMANDS};
use crate::text::printable;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// A word that may stand next, and what it is.
type Offer = (String, String);

/// What there is of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Domains.
    Domains,
    /// Paths of backups of a domain.
    Backups(&'a str),
    /// Paths of snapshots of a domain.
    Snapshots(&'a str),
    /// Jobs, of a domain where one is named.
    Jobs {
        /// The domain.
        of: Option<&'a str>,
        /// Only those that have not ended.
        unfinished: bool,
    },
}

/// The answer for the words behind the program's name, the last of which is being typed.
pub fn answer(words: &[String]) -> String {
    suggestions(words, &|wanted, given| ask(wanted, given).unwrap_or_default())
}

fn suggestions(words: &[String], ask: &dyn Fn(Wanted, &Given) -> Vec<Offer>) -> String {
    let Some((typed, before)) = words.split_last() else { return String::new() };
    let told = Told::of(before);
    let (assigned, value) = match typed.strip_prefix("--").and_then(|rest| rest.split_once('=')) {
        Some((word, value)) if told.pending.is_none() => (option::find(word), value),
        _ => (None, typed.as_str()),
    };
    let (kind, offers) = if let Some(option) = told.pending.or(assigned) {
        let suggest = option.value.map_or(Suggest::Nothing, |value| value.suggest);
        let (kind, mut offers) = told.values(suggest, value, ask);
        if assigned.is_some() {
            offers.iter_mut().for_each(|(word, _)| *word = format!("--{}={word}", option.word));
        }
        (kind, offers)
    } else if typed.starts_with('-') && !told.ended {
        ("words", told.options())
    } else if let Some(first) = told.operands.first() {
        let command = table::find(first);
        ("words", command.map_or_else(Vec::new, |command| told.operands_of(command, typed, ask)))
    } else {
        ("words", commands())
    };
    let mut out = format!("{kind}\n");
    // A name that cannot be written as it is cannot be offered.
    for (word, about) in offers.iter().filter(|(word, _)| *word == printable(word)) {
        let _ = writeln!(out, "{word}\t{}", printable(about));
    }
    out
}

/// The words before the one that is being typed, understood as far as they can be.
#[derive(Default)]
struct Told {
    operands: Vec<String>,
    given: Given,
    /// The option whose value comes next.
    pending: Option<&'static CommandOption>,
    /// `--` was said.
    ended: bool,
}

impl Told {
    fn of(words: &[String]) -> Told {
        let mut told = Told::default();
        for word in words {
            if let Some(option) = told.pending.take() {
                told.given.0.push((option.name, word.clone()));
                continue;
            }
            match word.strip_prefix("--").filter(|_| !told.ended) {
                Some("") => told.ended = true,
                Some(rest) => {
                    let (name, value) = rest.split_once('=').map_or((rest, None), |(name, value)| (name, Some(value)));
                    let Some(option) = option::find(name) else { continue };
                    match (option.value, value) {
                        (Some(_), None) => told.pending = Some(option),
                        (_, value) => told.given.0.push((option.name, value.unwrap_or_default().to_owned())),
                    }
                }
                None if !told.ended && word.starts_with('-') && word.len() > 1 => {}
                None => told.operands.push(word.clone()),
            }
        }
        told
    }

    fn domain(&self) -> Option<&str> {
        self.operands.get(1).map(String::as_str)
    }

    fn options(&self) -> Vec<Offer> {
        let own = self.operands.first().and_then(|word| table::find(word)).into_iter().flat_map(Command::own_options);
        let general = OPTIONS.iter().filter(|option| option.group == OptionGroup::General);
        own.chain(general).map(|option| (format!("--{}", option.word), option.short.to_owned())).collect()
    }

    /// The values of an option.
    fn values(
        &self,
        suggest: Suggest,
        typed: &str,
        ask: &dyn Fn(Wanted, &Given) -> Vec<Offer>,
    ) -> (&'static str, Vec<Offer>) {
        let plain = |words: &[&str]| words.iter().map(|word| ((*word).to_owned(), String::new())).collect();
        match (suggest, self.domain()) {
            (Suggest::Files, _) => ("files", Vec::new()),
            (Suggest::Words(words), _) => ("words", plain(words)),
            (Suggest::List(words), _) => {
                let before = typed.rfind(',').map_or("", |at| &typed[..=at]);
                let left = words.iter().filter(|word| !before.split(',').any(|chosen| chosen == **word));
                ("more", left.map(|word| (format!("{before}{word}"), String::new())).collect())
            }
            (Suggest::Snapshots, Some(domain)) => {
                ("words", named(ask(Wanted::Snapshots(domain), &self.given), typed, domain))
            }
            (Suggest::Jobs, domain) => ("words", ask(Wanted::Jobs { of: domain, unfinished: false }, &self.given)),
            (Suggest::Nothing, _) | (Suggest::Snapshots, None) => ("words", Vec::new()),
        }
    }

    /// What may follow a command at this place.
    fn operands_of(&self, command: &Command, typed: &str, ask: &dyn Fn(Wanted, &Given) -> Vec<Offer>) -> Vec<Offer> {
        let many = command.operands.last().filter(|last| **last == Operand::Domains);
        let Some(operand) = command.operands.get(self.operands.len() - 1).or(many) else { return Vec::new() };
        let ask = |wanted: Wanted| ask(wanted, &self.given);
        match (operand, self.domain()) {
            (Operand::Domain | Operand::AnyDomain | Operand::Domains, _) => ask(Wanted::Domains),
            (Operand::DomainOrJob, _) => {
                let mut both = ask(Wanted::Domains);
                both.extend(ask(Wanted::Jobs { of: None, unfinished: false }));
                both
            }
            (Operand::Backup, Some(domain)) => named(ask(Wanted::Backups(domain)), typed, domain),
            (Operand::Snapshot, Some(domain)) => named(ask(Wanted::Snapshots(domain)), typed, domain),
            (Operand::Job, _) => ask(Wanted::Jobs { of: None, unfinished: false }),
            (Operand::UnfinishedJob, _) => ask(Wanted::Jobs { of: None, unfinished: true }),
            (Operand::CallName, _) => help::calls().iter().map(|name| ((*name).to_owned(), String::new())).collect(),
            (Operand::CommandWord, _) => commands(),
            _ => Vec::new(),
        }
    }
}

fn commands() -> Vec<Offer> {
    let shown = COMMANDS.iter().filter(|command| command.group != CommandGroup::Internal);
    shown.map(|command| (command.word.to_owned(), command.short.to_owned())).collect()
}

/// Paths as they are typed: in the domain's folder by their name alone, as long as no slash is typed.
fn named(offers: Vec<Offer>, typed: &str, domain: &str) -> Vec<Offer> {
    let short = |(path, about): Offer| match path.rsplit_once('/') {
        Some((folder, name)) if !typed.contains('/') && folder.rsplit('/').next() == Some(domain) => {
            (name.to_owned(), about)
        }
        _ => (path, about),
    };
    offers.into_iter().map(short).collect()
}

/// Asks the engine, with the configuration of the command line. Nothing where it refuses: a completion complains of nothing.
fn ask(wanted: Wanted, given: &Given) -> Option<Vec<Offer>> {
    let line = Line { words: Vec::new(), given: Given(given.0.iter().map(expanded).collect()) };
    let mut request = Map::new();
    if let Some(source) = line.source().ok()? {
        request.insert("config".into(), json!(source));
    }
    let (call, rows, domain) = match wanted {
        Wanted::Domains => ("list_domains", "domains:domain,backups,newest|moment", None),
        Wanted::Backups(domain) => ("list_backups", "backups:path,date|moment,size|size,kind", Some(domain)),
        Wanted::Snapshots(domain) => ("list_snapshots", "snapshots:path,created|moment,form", Some(domain)),
        Wanted::Jobs { of, .. } => ("list_jobs", "jobs:job,kind,domain,state", of),
    };
    if let Some(domain) = domain {
        request.insert("domain".into(), domain.into());
    }
    let data = call::answer(call, &Value::from(request).to_string()).ok()?;
    let lines = select::lines(&data, &select::rows(rows).ok()?);
    let offers = lines.iter().filter_map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let (word, rest) = columns.split_first()?;
        let about = match (wanted, rest) {
            (Wanted::Jobs { unfinished: true, .. }, [.., "done" | "failed" | "rolled_back" | "needs_operator"]) => {
                return None;
            }
            (Wanted::Domains, ["0", ..]) => "no backups".to_owned(),
            (Wanted::Domains, [count, newest]) => format!("backups: {count}, newest {newest}"),
            _ => rest.join(", "),
        };
        Some(((*word).to_owned(), about))
    });
    Some(offers.collect())
}

/// A shell hands on `~/restore.toml` as it is typed.
fn expanded((name, value): &(OptionName, String)) -> (OptionName, String) {
    match (value.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) if *name == OptionName::Config => (*name, format!("{home}/{rest}")),
        _ => (*name, value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What there is, as a stand-in for the engine knows it.
    fn there_is(wanted: Wanted, _: &Given) -> Vec<Offer> {
        let paths = |folder: &str, names: &[&str]| {
            names.iter().map(|name| (format!("{folder}/{name}"), "of a day".to_owned())).collect()
        };
        match wanted {
            Wanted::Domains => vec![("a.com".into(), "backups: 2".into()), ("bad\nname".into(), String::new())],
            Wanted::Backups("a.com") => paths("/b", &["a.com/one.tar.gz", "all.tar.gz"]),
            Wanted::Snapshots("a.com") => paths("/s/a.com", &["pre_1"]),
            Wanted::Jobs { unfinished, .. } => {
                let jobs: &[&str] = if unfinished { &["job_2"] } else { &["job_1", "job_2"] };
                jobs.iter().map(|job| ((*job).to_owned(), String::new())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The words of an answer, with the first line before them.
    fn offered(line: &[&str]) -> Vec<String> {
        let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        let answer = suggestions(&words, &there_is);
        answer.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_there_is_stands_where_it_may_stand() {
        let table: &[(&[&str], &[&str])] = &[
            (&["list", ""], &["words", "a.com"]),
            (&["list", "a.com", ""], &["words"]),
            (&["restore", "a.com", ""], &["words", "one.tar.gz", "/b/all.tar.gz"]),
            (&["restore", "a.com", "/b/"], &["words", "/b/a.com/one.tar.gz", "/b/all.tar.gz"]),
            (&["restore", "--table", "t", "--config=/x", "a.com", ""], &["words", "one.tar.gz", "/b/all.tar.gz"]),
            (&["--set", "a=b", "--json", "restore", "--", "a.com", "o"], &["words", "one.tar.gz", "/b/all.tar.gz"]),
            (&["restore", "b.com", ""], &["words"]),
            (&["delete-snapshot", "a.com", ""], &["words", "pre_1"]),
            (&["rollback", "a.com", "--snapshot", ""], &["words", "pre_1"]),
            (&["rollback", "a.com", "--snapshot=p"], &["words", "--snapshot=pre_1"]),
            (&["rollback", "--snapshot", ""], &["words"]),
            (&["rollback", "a.com", "--job", ""], &["words", "job_1", "job_2"]),
            (&["status", ""], &["words", "job_1", "job_2"]),
            (&["wait", "j"], &["words", "job_1", "job_2"]),
            (&["attach", ""], &["words", "job_2"]),
            (&["cancel", ""], &["words", "job_2"]),
            (&["logs", ""], &["words", "a.com", "job_1", "job_2"]),
            (&["restore", "a.com", "--only", "f"], &["more", "files", "database", "config"]),
            (&["restore", "a.com", "--only", "files,d"], &["more", "files,database", "files,config"]),
            (&["restore", "--only=files,"], &["more", "--only=files,database", "--only=files,config"]),
            (&["restore", "--item", ""], &["words", "nginx", "php_fpm", "ssl", "cron"]),
            (&["restore", "--priority", ""], &["words", "polite", "normal"]),
            (&["--config", "x"], &["files"]),
            (&["restore", "--dump="], &["files"]),
            (&["list", "a.com", "--field", ""], &["words"]),
            (&["call", "list_backups", ""], &["words"]),
            (&["fly", ""], &["words"]),
            (&["--nonsense", "list", ""], &["words", "a.com"]),
            (&["list", "--", "-"], &["words", "a.com"]),
            (&["domains", ""], &["words"]),
        ];
        for (line, wanted) in table {
            assert_eq!(offered(line), *wanted, "{line:?}");
        }
        assert_eq!(suggestions(&[], &there_is), "");
    }

    #[test]
    fn commands_options_and_calls_are_those_of_the_tables() {
        let shown: Vec<_> = COMMANDS.iter().filter(|command| command.group != CommandGroup::Internal).collect();
        for line in [&[""][..], &["l"], &["--json", ""], &["help", ""]] {
            assert!(offered(line)[1..].iter().eq(shown.iter().map(|command| command.word)), "{line:?}");
        }
        assert!(offered(&["call", ""])[1..].iter().eq(help::calls()));
        for command in shown {
            let mut wanted: Vec<String> = OPTIONS
                .iter()
                .filter(|option| command.takes(option.name))
                .map(|option| format!("--{}", option.word))
                .collect();
            let mut found = offered(&[command.word, "-"])[1..].to_vec();
            wanted.sort();
            found.sort();
            assert_eq!(found, wanted, "{}", command.word);
        }
        let general = OPTIONS.iter().filter(|option| option.group == OptionGroup::General).count();
        assert_eq!(offered(&["--"]).len(), 1 + general);
    }

    #[test]
    fn a_tilde_is_the_home_of_the_configuration_alone() {
        let home = std::env::var("HOME").unwrap_or_default();
        let told = |name, value: &str| expanded(&(name, value.to_owned())).1;
        assert_eq!(told(OptionName::Config, "~/x"), format!("{home}/x"));
        assert_eq!(told(OptionName::Config, "/~/x"), "/~/x");
        assert_eq!(told(OptionName::Set, "~/x"), "~/x");
    }
}
