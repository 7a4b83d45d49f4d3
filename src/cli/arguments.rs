//! The command line: first read to plain data, then understood.

use crate::call;
use crate::cli::command::{Command, CommandName};
use crate::cli::option::{self, Given, OptionName};
use crate::cli::select::{self, Selection};
use crate::cli::table::{self, COMMANDS};
use crate::config::{Settings, Source};
use crate::error::{Code, Error, Result};
use lexopt::prelude::{Long, Short, Value as Word};
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::path::PathBuf;

/// Calls that the helper answers itself.
pub const OWN_CALLS: [&str; 3] = ["abi_version", "schema", "version"];

/// A command line as plain data.
#[derive(Debug, Default)]
pub struct Line {
    /// The words, in order.
    pub words: Vec<String>,
    /// The options, in order.
    pub given: Given,
}

/// How an answer is written.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// For people.
    Text,
    /// The document.
    Json,
    /// Chosen values, a line each.
    Selected(Vec<Selection>),
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Asked {
    /// The help of a command, or of all.
    Help(Option<&'static Command>),
    /// The version.
    Version,
    /// A call, for a program.
    Call {
        /// Its name.
        name: String,
        /// Its request as text; `-` stands for standard input.
        request: String,
    },
    /// A command, for people.
    Command {
        /// Which one.
        command: &'static Command,
        /// What follows it.
        operands: Vec<String>,
    },
}

/// Reads the command line; with what is wrong in it, where something is.
pub fn read(arguments: lexopt::Parser) -> (Line, Option<Error>) {
    let mut line = Line::default();
    let error = read_into(arguments, &mut line).err();
    (line, error)
}

fn read_into(mut arguments: lexopt::Parser, line: &mut Line) -> Result<()> {
    let usage = |error: lexopt::Error| Error::new(Code::Usage, error.to_string());
    let text = |word: OsString| word.into_string().map_err(|_| Error::new(Code::Usage, "an argument is not UTF-8"));
    while let Some(argument) = arguments.next().map_err(usage)? {
        let option = match argument {
            Word(word) => {
                line.words.push(text(word)?);
                continue;
            }
            Long(word) => option::find(word),
            Short(letter) => option::find_letter(letter),
        };
        let Some(option) = option else {
            let option = match argument {
                Long(word) => format!("--{word}"),
                Short(letter) => format!("-{letter}"),
                Word(_) => continue,
            };
            return Err(Error::new(Code::Usage, format!("there is no option {option}")));
        };
        let value = match option.value {
            Some(_) => text(arguments.value().map_err(usage)?)?,
            None => String::new(),
        };
        line.given.0.push((option.name, value));
    }
    Ok(())
}

impl Line {
    /// How the answer is to be written.
    ///
    /// # Errors
    /// `usage` naming the part of `--field` or `--tsv`.
    pub fn output(&self) -> Result<Output> {
        let mut selections = Vec::new();
        for (name, value) in &self.given.0 {
            match name {
                OptionName::Field => selections.extend(select::fields(value)?),
                OptionName::Tsv => selections.push(select::rows(value)?),
                _ => {}
            }
        }
        Ok(match selections.as_slice() {
            [] if self.given.has(OptionName::Json) => Output::Json,
            [] => Output::Text,
            _ => Output::Selected(selections),
        })
    }

    /// Whether an error is answered with a document on standard output: where a program asks, or `--json` does.
    pub fn wants_documents(&self) -> bool {
        let of_program = self.call().is_some() || self.words.first().is_some_and(|word| word == "worker");
        let selects = self.given.has(OptionName::Field) || self.given.has(OptionName::Tsv);
        (of_program || self.given.has(OptionName::Json)) && !selects
    }

    /// The version of the interface that the caller was made for; 0 where it is no number.
    pub fn abi(&self) -> Option<u32> {
        self.given.value(OptionName::Abi).map(|text| text.parse().unwrap_or_default())
    }

    /// The configuration that was named here or in the environment, as a request names it.
    ///
    /// # Errors
    /// `usage` naming the setting.
    pub fn source(&self) -> Result<Option<Source>> {
        let named = self.given.value(OptionName::Config).map(PathBuf::from);
        let file = named.or_else(|| std::env::var_os("RV_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from));
        let mut set = Map::new();
        for text in self.given.values(OptionName::Set) {
            add_setting(&mut set, text)?;
        }
        Ok(if set.is_empty() { file.map(Source::File) } else { Some(Source::Set(Settings { file, set })) })
    }

    /// The name of a call and what follows it, where the command line is one.
    fn call(&self) -> Option<&[String]> {
        let (first, rest) = self.words.split_first()?;
        let next = rest.first().map(String::as_str);
        if first == "call" {
            return Some(rest);
        }
        // As it was before there was the word `call`; goes with the next release.
        let is_call = is_call(first);
        let old = match (table::find(first), next) {
            (Some(_), next) => is_call && next.is_some_and(is_request),
            (None, next) => is_call || next.is_some_and(is_request),
        };
        old.then_some(self.words.as_slice())
    }

    /// What is asked for.
    ///
    /// # Errors
    /// `usage` naming the word or option.
    pub fn asked(&self) -> Result<Asked> {
        if self.given.has(OptionName::Version) {
            return Ok(Asked::Version);
        }
        let Some((first, operands)) = self.words.split_first() else { return Ok(Asked::Help(None)) };
        let help = self.given.has(OptionName::Help);
        if let Some(words) = self.call().filter(|_| !help) {
            return self.asked_call(words);
        }
        let command = match table::find(first) {
            Some(command) => command,
            // `list_backups --help`
            None if help && is_call(first) => return Ok(Asked::Help(table::find("call"))),
            None => return Err(unknown(first)),
        };
        if help {
            return Ok(Asked::Help(Some(command)));
        }
        command.check(operands, &self.given)?;
        match (command.name, operands.first()) {
            (CommandName::Help, Some(word)) => match table::find(word) {
                Some(command) => Ok(Asked::Help(Some(command))),
                None if is_call(word) => Ok(Asked::Help(table::find("call"))),
                None => Err(unknown(word)),
            },
            (CommandName::Help, None) => Ok(Asked::Help(None)),
            _ => Ok(Asked::Command { command, operands: operands.to_vec() }),
        }
    }

    fn asked_call(&self, words: &[String]) -> Result<Asked> {
        if let Some(command) = table::find("call") {
            command.check(words, &self.given)?;
        }
        let request = words.get(1).cloned().unwrap_or_default();
        Ok(Asked::Call { name: words.first().cloned().unwrap_or_default(), request })
    }
}

fn is_call(word: &str) -> bool {
    call::NAMES.contains(&word) || OWN_CALLS.contains(&word)
}

/// Whether a word is a request and no operand of a command.
fn is_request(word: &str) -> bool {
    word == "-" || word.trim_start().starts_with(['{', '['])
}

/// No such command; with the one that was perhaps meant.
fn unknown(word: &str) -> Error {
    let words: Vec<&str> = COMMANDS.iter().map(|command| command.word).collect();
    let near = similar::get_close_matches(word, &words, 1, 0.6);
    let meant = near.first().map_or_else(String::new, |near| format!("Did you mean `{near}`? "));
    Error::new(Code::Usage, format!("there is no command {word:?}"))
        .hint(format!("{meant}`rocketvps-restore help` lists the commands."))
}

/// `paths.backups=/srv/backups` of `--set`: digits are a number, `true` and `false` are what they say, the rest is text.
fn add_setting(settings: &mut Map<String, Value>, text: &str) -> Result<()> {
    let refuse = || {
        Error::new(Code::Usage, format!("--set {text}: not KEY=VALUE")).hint("For example --set limits.max_retries=5")
    };
    let (key, value) = text.split_once('=').ok_or_else(refuse)?;
    let value = match value {
        "true" | "false" => json!(value == "true"),
        digits if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            json!(digits.parse::<i64>().map_err(|_| refuse())?)
        }
        other => json!(other),
    };
    let mut names = key.split('.').collect::<Vec<_>>();
    let last = names.pop().filter(|name| !name.is_empty()).ok_or_else(refuse)?;
    let mut table = settings;
    for name in names {
        table = table.entry(name).or_insert_with(|| json!({})).as_object_mut().ok_or_else(refuse)?;
    }
    table.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &[&str]) -> (Line, Option<Error>) {
        read(lexopt::Parser::from_args(words))
    }

    fn asked(words: &[&str]) -> Result<String> {
        let (line, error) = line(words);
        error.map_or(Ok(()), Err)?;
        line.source()?;
        Ok(match line.asked()? {
            Asked::Help(command) => format!("help {}", command.map_or("", |command| command.word)),
            Asked::Version => "version".into(),
            Asked::Call { name, request } => format!("call {name} {request}"),
            Asked::Command { command, operands } => format!("command {} {}", command.word, operands.join(" ")),
        })
    }

    #[test]
    fn a_bare_word_is_a_command_and_call_is_for_programs() {
        let table: &[(&[&str], &str)] = &[
            (&["recover"], "command recover "),
            (&["recover", "--json"], "command recover "),
            (&["verify", "a.com"], "command verify a.com"),
            (&["wait", "x"], "command wait x"),
            (&["list", "a.com", "--json"], "command list a.com"),
            (&["restore", "--latest", "a.com", "--yes"], "command restore a.com"),
            (&["worker", "/f", "--locked"], "command worker /f"),
            (&["complete", "--", "list", "--json", ""], "command complete list --json "),
            (&["call", "recover"], "call recover "),
            (&["call", "recover", "-"], "call recover -"),
            (&["call", "list_backups", "{}", "--field", "x"], "call list_backups {}"),
            (&["call", "fly"], "call fly "),
            (&[], "help "),
            (&["help"], "help "),
            (&["--help"], "help "),
            (&["-h"], "help "),
            (&["help", "list"], "help list"),
            (&["list", "--help"], "help list"),
            (&["help", "call"], "help call"),
            (&["help", "list_backups"], "help call"),
            (&["list_backups", "--help"], "help call"),
            (&["--version"], "version"),
            (&["-V"], "version"),
        ];
        for (words, wanted) in table {
            assert_eq!(asked(words).unwrap(), *wanted, "{words:?}");
        }
    }

    #[test]
    fn a_call_without_the_word_call_is_a_call_for_one_release_more() {
        let table: &[(&[&str], &str)] = &[
            (&["list_backups", "{}"], "call list_backups {}"),
            (&["list_jobs"], "call list_jobs "),
            (&["version"], "call version "),
            (&["verify", r#"{"domain":"a.com"}"#], r#"call verify {"domain":"a.com"}"#),
            (&["recover", " {}"], "call recover  {}"),
            (&["recover", "-"], "call recover -"),
            (&["fly", "{}"], "call fly {}"),
        ];
        for (words, wanted) in table {
            assert_eq!(asked(words).unwrap(), *wanted, "{words:?}");
        }
        assert_eq!(asked(&["list", "{}"]).unwrap(), "command list {}");
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for bad in [
            &["a", "b", "c"][..],
            &["--nonsense"],
            &["-x"],
            &["--json=yes", "jobs"],
            &["jobs", "--field"],
            &["call"],
            &["call", "list_jobs", "{}", "{}"],
            &["call", "list_backups", "{}", "--yes"],
            &["list_backups", "{}", "--yes"],
            &["list"],
            &["help", "fly"],
            &["--set", "x", "jobs"],
        ] {
            assert_eq!(asked(bad).unwrap_err().code, Code::Usage, "{bad:?}");
        }
        let hint = asked(&["snapshotts"]).unwrap_err().hint;
        assert!(hint.contains("`snapshots`") && hint.contains("rocketvps-restore help"), "{hint}");
        assert!(!asked(&["xyz"]).unwrap_err().hint.contains("mean"));
    }

    #[test]
    fn a_program_gets_its_error_as_a_document_and_a_person_as_text() {
        let documents = |words: &[&str]| line(words).0.wants_documents();
        for of_program in [
            &["call", "fly"][..],
            &["call", "list_jobs", "--nonsense"],
            &["list_backups"],
            &["fly", "{}"],
            &["list", "a.com", "--json"],
            &["worker", "/f"],
        ] {
            assert!(documents(of_program), "{of_program:?}");
        }
        for of_people in [&[][..], &["fly"], &["--nonsense"], &["recover"], &["list", "a.com"]] {
            assert!(!documents(of_people), "{of_people:?}");
        }
        assert!(!documents(&["call", "list_jobs", "--field", "jobs.#"]));
    }

    #[test]
    fn settings_are_numbers_words_and_truths() {
        let mut settings = Map::new();
        for text in ["paths.backups=/a=b \"x", "limits.max_retries=5", "services.redis.required=true", "x="] {
            add_setting(&mut settings, text).unwrap();
        }
        let wanted = r#"{"paths":{"backups":"/a=b \"x"},"limits":{"max_retries":5},"services":{"redis":{"required":true}},"x":""}"#;
        assert_eq!(Value::from(settings.clone()).to_string(), wanted);
        for bad in ["", "a", "=1", "paths.=1", "x.y=1", "n=99999999999999999999"] {
            assert_eq!(add_setting(&mut settings, bad).unwrap_err().code, Code::Usage, "{bad}");
        }
    }
}
