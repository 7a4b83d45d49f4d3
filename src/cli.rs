//! The helper: calls with their JSON documents for programs, commands for people and shells. It exits with the error's number.

pub mod command;
pub mod follow;
pub mod format;
pub mod select;
pub mod terminal;
pub mod text;

use crate::api::{self, ABI_VERSION};
use crate::call;
use crate::cli::command::{COMMANDS, Command, FLAGS, Folders, Operand, Options, VALUED, Way};
use crate::cli::select::Selection;
use crate::cli::terminal::Style;
use crate::config::{Config, Settings, Source};
use crate::error::{Code, Error, Result};
use crate::host::process;
use crate::job::JobId;
use crate::path::Domain;
use crate::worker;
use crate::worker::spawn;
use lexopt::prelude::{Long, Short, Value as Word};
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// How an answer is written.
#[derive(Debug, Default, PartialEq)]
enum Output {
    /// For people.
    #[default]
    Text,
    /// The document.
    Json,
    /// Chosen values, a line each.
    Selected(Vec<Selection>),
}

/// What the command line says, as plain data.
#[derive(Debug, Default, PartialEq)]
struct Words {
    config: Option<PathBuf>,
    set: Map<String, Value>,
    output: Output,
    abi: Option<u32>,
    locked: bool,
    scoped: bool,
    words: Vec<String>,
    options: Options,
    help: bool,
    version: bool,
}

/// What is asked for.
#[derive(Debug)]
enum Asked {
    Help,
    Version,
    Call { name: String, request: String },
    Command { command: &'static Command, operands: Vec<String> },
    Worker { folder: PathBuf },
}

/// Runs the helper and gives its exit status.
pub fn run(arguments: lexopt::Parser) -> ExitCode {
    let style = Style::of_stdout();
    let (words, error) = parse(arguments);
    let for_people = words.is_for_people(style);
    let outcome = error.map_or_else(|| act(&words, style), Err);
    match outcome {
        Ok(code) => code,
        Err(error) if for_people || words.output != Output::Text && words.output != Output::Json => {
            eprint!(
                "{}",
                text::error(&error, Style { colour: style.colour && std::io::stderr().is_terminal(), ..style })
            );
            ExitCode::from(error.code.number())
        }
        Err(error) => print(&api::failure(&error)),
    }
}

/// Reads the command line; with what is wrong in it, where something is.
fn parse(arguments: lexopt::Parser) -> (Words, Option<Error>) {
    let mut words = Words::default();
    let error = read(arguments, &mut words).err();
    (words, error)
}

fn read(mut arguments: lexopt::Parser, words: &mut Words) -> Result<()> {
    let usage = |error: lexopt::Error| Error::new(Code::Usage, error.to_string());
    let text = |word: OsString| word.into_string().map_err(|_| Error::new(Code::Usage, "an argument is not UTF-8"));
    while let Some(argument) = arguments.next().map_err(usage)? {
        let name = match &argument {
            Long(name) => (*name).to_owned(),
            Short('h') => "help".into(),
            Short('V') => "version".into(),
            Word(_) => {
                let Word(word) = argument else { continue };
                words.words.push(text(word)?);
                continue;
            }
            _ => return Err(usage(argument.unexpected())),
        };
        let mut value = || arguments.value().map_err(usage).and_then(text);
        match name.as_str() {
            "config" => words.config = Some(value()?.into()),
            "set" => set(&mut words.set, &value()?)?,
            "json" => words.output = Output::Json,
            "field" => words.select(select::fields(&value()?)?),
            "tsv" => words.select(vec![select::rows(&value()?)?]),
            "abi" => words.abi = Some(value()?.parse().unwrap_or_default()),
            "locked" => words.locked = true,
            "scoped" => words.scoped = true,
            "help" => words.help = true,
            "version" => words.version = true,
            other => {
                if let Some(flag) = FLAGS.iter().find(|flag| **flag == other) {
                    words.options.0.push((flag, String::new()));
                } else if let Some((name, _)) = VALUED.iter().find(|(name, _)| *name == other) {
                    let given = value()?;
                    words.options.0.push((name, given));
                } else {
                    return Err(Error::new(Code::Usage, format!("there is no option --{other}")));
                }
            }
        }
    }
    Ok(())
}

/// `paths.backups=/srv/backups` of `--set`: digits are a number, `true` and `false` are what they say, the rest is text.
fn set(settings: &mut Map<String, Value>, text: &str) -> Result<()> {
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

impl Words {
    fn select(&mut self, more: Vec<Selection>) {
        match &mut self.output {
            Output::Selected(selections) => selections.extend(more),
            other => *other = Output::Selected(more),
        }
    }

    /// Whether a person reads the answer: the command is one for people, or there is none and a terminal.
    fn is_for_people(&self, style: Style) -> bool {
        self.output == Output::Text
            && match self.words.first() {
                Some(name) => self.is_command(name, style) || (command::find(name).is_none() && style.live),
                None => style.live,
            }
    }

    /// Names that are a call and a command too are a call when a JSON document or `-` follows. When nothing follows, a
    /// terminal makes it a command.
    fn is_command(&self, name: &str, style: Style) -> bool {
        command::find(name).is_some()
            && (!call::NAMES.contains(&name)
                || match self.words.get(1) {
                    Some(next) => next != "-" && !next.trim_start().starts_with(['{', '[']),
                    None => style.live || self.output != Output::Text || self.options != Options::default(),
                })
    }

    fn asked(&self, style: Style) -> Result<Asked> {
        let words = &self.words;
        if self.version {
            return Ok(Asked::Version);
        }
        let Some(name) = words.first().filter(|_| !self.help) else { return Ok(Asked::Help) };
        let known = command::find(name).filter(|_| self.is_command(name, style));
        if let Some(command) = known {
            let operands = words[1..].to_vec();
            // `logs JOB` prints the log of a job.
            if !(command.name == "logs" && operands.len() == 1 && JobId::parse(&operands[0]).is_ok()) {
                command.check(&operands, &self.options)?;
            }
            return Ok(Asked::Command { command, operands });
        }
        if let Some((option, _)) = self.options.0.first() {
            return Err(Error::new(
                Code::Usage,
                format!("{name} is a call: its request is JSON, it does not take --{option}"),
            ));
        }
        match words.as_slice() {
            [word, folder] if word == "worker" => Ok(Asked::Worker { folder: folder.into() }),
            [name] => Ok(Asked::Call { name: name.clone(), request: String::new() }),
            [name, request] => Ok(Asked::Call { name: name.clone(), request: request.clone() }),
            _ => Err(Error::new(Code::Usage, "too many arguments: a request is one JSON document, in quotes")),
        }
    }

    /// The configuration that was named here or in the environment, as a request names it.
    fn source(&self) -> Option<Source> {
        let environment = || std::env::var_os("RV_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from);
        let file = self.config.clone().or_else(environment);
        if self.set.is_empty() {
            return file.map(Source::File);
        }
        Some(Source::Set(Settings { file, set: self.set.clone() }))
    }
}

fn act(words: &Words, style: Style) -> Result<ExitCode> {
    let asked = words.asked(style)?;
    if let (Some(abi), false) = (words.abi, matches!(asked, Asked::Worker { .. }))
        && abi != ABI_VERSION
    {
        let message =
            format!("the caller was made for version {abi} of the interface, this helper speaks {ABI_VERSION}");
        return Err(Error::new(Code::AbiMismatch, message));
    }
    match asked {
        Asked::Help => say(&help()),
        Asked::Version => say(concat!("rocketvps-restore ", env!("CARGO_PKG_VERSION"), "\n")),
        Asked::Worker { folder } => work(folder, words.locked, words.scoped, words.abi.unwrap_or_default()),
        Asked::Call { name, request } => run_call(words, &name, request),
        Asked::Command { command, operands } => run_command(words, command, &operands, style),
    }
}

fn run_call(words: &Words, name: &str, request: String) -> Result<ExitCode> {
    let document = match name {
        "abi_version" => api::success(&json!({"abi_version": ABI_VERSION})),
        "schema" => return say(api::schema::TEXT),
        "version" => api::success(&json!({"version": env!("CARGO_PKG_VERSION")})),
        "wait" => {
            let config = Config::of(words.source().as_ref())?;
            api::success(&call::wait(&config, &JobId::parse(&request)?)?)
        }
        _ => call::call(name, &with_config(&read_request(request)?, words.source().as_ref())?),
    };
    if document["error"].is_object() {
        if let Output::Selected(_) = words.output {
            return Err(Error::from_json(&document["error"]));
        }
        return Ok(print(&document));
    }
    match &words.output {
        Output::Selected(selections) => write_selected(&document["data"], selections),
        _ => Ok(print(&document)),
    }
}

fn run_command(words: &Words, command: &'static Command, operands: &[String], style: Style) -> Result<ExitCode> {
    let source = words.source();
    let config = Config::of(source.as_ref())?;
    if command.name == "logs" && operands.first().is_some_and(|word| JobId::parse(word).is_ok()) {
        return print_log(words, &config, &JobId::parse(&operands[0])?);
    }
    let folders = match (command.operands.first(), operands.first()) {
        (Some(Operand::Domain | Operand::AnyDomain), Some(word)) => {
            let domain = Domain::parse(word)?;
            Folders {
                backups: config.paths.backups().join(domain.as_str()),
                snapshots: config.paths.snapshots().join(domain.as_str()),
            }
        }
        _ => Folders::default(),
    };
    let mut request = command.request(operands, &words.options, &folders)?;
    if let Some(source) = &source {
        request.insert("config".into(), json!(source));
    }
    if command.name == "rollback" && !request.contains_key("job") && !request.contains_key("snapshot") {
        request.insert("snapshot".into(), newest_snapshot(&request)?.into());
    }
    if command.way == Way::Change && !words.options.has("dry-run") && !words.options.has("yes") {
        confirm(command, &request, style)?;
    }
    let detach = words.options.has("detach");
    if command.way == Way::Change && !detach {
        // From here on Ctrl+C is a wish to stop the job, also while it is only being started.
        process::catch_interrupt();
    }
    let data = match command.way {
        Way::Attach => {
            let job = JobId::parse(&operands[0])?;
            return finish(words, &config, job, command, style);
        }
        _ => call::answer(command.call, &Value::from(request).to_string())?,
    };
    let job = data["job"].as_str().map(JobId::parse).transpose()?;
    match job {
        Some(job) if matches!(command.way, Way::Job | Way::Change) && !detach => {
            finish(words, &config, job, command, style)
        }
        _ => answer(words, command.name, &data, style),
    }
}

/// Follows a job where people look, waits for it elsewhere, and gives its result.
fn finish(words: &Words, config: &Config, job: JobId, command: &Command, style: Style) -> Result<ExitCode> {
    let mut name = command.name;
    if words.output == Output::Text {
        if command.way == Way::Attach {
            let status = call::poll(config, &job, u64::MAX)?;
            name = COMMANDS.iter().find(|known| known.call_kind() == status["kind"]).map_or(name, |known| known.name);
            say(&format!(
                "{} of {}, {job}. Ctrl+C leaves; the job goes on.\n",
                format::plain(&status["kind"]),
                format::plain(&status["domain"])
            ))?;
        }
        if style.live || matches!(command.way, Way::Change | Way::Attach) {
            follow::follow(config, &job, style, command.way == Way::Change)?;
        }
    }
    let data = call::wait(config, &job)?;
    answer(words, name, &data, style)
}

impl Command {
    /// The kind of job that its call starts, as a status names it.
    fn call_kind(&self) -> &str {
        match self.call {
            "restore_start" => "restore",
            "preview_backup" => "preview",
            "diff_backup" => "diff",
            "create_snapshot" => "snapshot",
            other => other,
        }
    }
}

fn answer(words: &Words, name: &str, data: &Value, style: Style) -> Result<ExitCode> {
    // A check that failed is no error of the call, and still no good news for a script.
    let code = match name {
        "verify" if data["outcome"] == "fail" => ExitCode::from(Code::VerificationFailed.number()),
        "validate" | "restore" if data["outcome"] == "fail" => ExitCode::from(Code::PreflightFailed.number()),
        _ => ExitCode::SUCCESS,
    };
    match &words.output {
        Output::Json => {
            print(&api::success(data));
            Ok(code)
        }
        Output::Selected(selections) => write_selected(data, selections).map(|_| code),
        Output::Text if words.options.has("detach") && data["job"].is_string() => {
            let job = format::plain(&data["job"]);
            say(&format!("Job {job} has begun; `rocketvps-restore attach {job}` shows it.\n"))
        }
        Output::Text => {
            say(&text::of(name, data, style))?;
            Ok(code)
        }
    }
}

/// The state before the last restore; without one, the newest portable snapshot.
fn newest_snapshot(request: &Map<String, Value>) -> Result<String> {
    let found = call::answer("list_snapshots", &Value::from(request.clone()).to_string())?;
    let snapshots = found["snapshots"].as_array().cloned().unwrap_or_default();
    let retained = snapshots.iter().find(|snapshot| snapshot["form"] == "retained");
    match retained.or(snapshots.first()) {
        Some(snapshot) => Ok(format::plain(&snapshot["path"])),
        None => Err(Error::new(
            Code::SnapshotNotFound,
            format!("{} has no snapshot to go back to", format::plain(&found["domain"])),
        )
        .hint(
            "A restore keeps the state before it for `limits.snapshot_retention_h` hours. Restore a backup instead.",
        )),
    }
}

/// Asks before the site is changed.
fn confirm(command: &Command, request: &Map<String, Value>, style: Style) -> Result<()> {
    if !style.live || !std::io::stdin().is_terminal() {
        return Err(Error::new(Code::Usage, format!("{} changes things, and nobody can be asked here", command.name))
            .hint("Say --yes; or --dry-run for a restore, which changes nothing."));
    }
    let shown = |key: &str| request.get(key).map(format::plain).unwrap_or_default();
    let (what, after) = match command.name {
        "restore" => {
            let backup = request.get("backup").map_or_else(|| "the newest backup".into(), format::plain);
            (
                format!("Restores {} from {backup}: {}.", shown("domain"), selection(request)),
                "The site stays up. The state before is kept, and `rocketvps-restore rollback` brings it back.",
            )
        }
        "rollback" => (
            match request.get("job").map(format::plain) {
                Some(job) => format!("Brings the site back to the state before job {job}."),
                None => format!("Brings {} back to {}.", shown("domain"), shown("snapshot")),
            },
            "The site stays up. The state of now is kept as a snapshot.",
        ),
        _ => (format!("Deletes {} and what it keeps.", shown("snapshot")), "There is no way back from it."),
    };
    say(&format!("{what}\n{after}\nType YES to go on: "))?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.is_err() || line.trim_end_matches(['\n', '\r']) != "YES" {
        return Err(Error::new(Code::Cancelled, "it was not confirmed").hint("Nothing was changed."));
    }
    Ok(())
}

/// What a restore takes, in words.
fn selection(request: &Map<String, Value>) -> String {
    let listed = |key: &str| {
        let parts = request.get(key).and_then(Value::as_object).into_iter().flatten();
        parts
            .map(|(name, chosen)| match chosen {
                Value::Array(_) => format!("{name} ({})", format::plain(chosen)),
                _ => name.clone(),
            })
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut words = match listed("components") {
        all if all.is_empty() => "files, database, config".to_owned(),
        some => some,
    };
    let excluded = listed("exclude");
    if !excluded.is_empty() {
        words += &format!("; not {excluded}");
    }
    let options = request.get("options").and_then(Value::as_object).into_iter().flatten();
    for (name, _) in options.filter(|(_, value)| **value == json!(true)) {
        words += &format!("; {}", name.replace('_', " "));
    }
    words
}

fn print_log(words: &Words, config: &Config, job: &JobId) -> Result<ExitCode> {
    let data = call::poll(config, job, u64::MAX)?;
    if words.output != Output::Text {
        return answer(words, "logs", &data, Style::of_stdout());
    }
    let Some(path) = data["log"].as_str() else {
        return Err(Error::new(Code::JobNotFound, format!("job {job} has no log"))
            .hint("Restores and rollbacks have logs; `rocketvps-restore logs` lists them."));
    };
    let read = std::fs::read_to_string(path).map_err(|error| Error::io(format!("read {path}"), &error))?;
    let lines: Vec<String> = read.lines().map(crate::text::printable).collect();
    say(&(lines.join("\n") + "\n"))
}

fn write_selected(data: &Value, selections: &[Selection]) -> Result<ExitCode> {
    let mut out = String::new();
    for selection in selections {
        for line in select::lines(data, selection) {
            out += &line;
            out.push('\n');
        }
    }
    say(&out)
}

fn help() -> String {
    let mut out = String::from(
        "rocketvps-restore: a web domain back to the state of a backup, without downtime\n\n\
         rocketvps-restore [OPTION…] COMMAND …      for people, shells\n\
         rocketvps-restore [OPTION…] CALL [JSON | -]  for programs: JSON in and out\n\nCommands:\n",
    );
    for command in COMMANDS {
        out += &format!("  {:<34} {}\n", command.synopsis(), command.about);
    }
    out += &format!("  {:<34} wait for a job, print its result as JSON\n", "wait JOB");
    out += "\nOptions of commands:\n";
    for command in COMMANDS.iter().filter(|command| !command.options.is_empty()) {
        let options: Vec<String> = command
            .options
            .iter()
            .map(|name| {
                VALUED
                    .iter()
                    .find(|(known, _)| known == name)
                    .map_or_else(|| format!("--{name}"), |(_, value)| format!("--{name} {value}"))
            })
            .collect();
        out += &wrapped(&format!("  {}: ", command.name), &options);
    }
    out += "\nOptions:\n  \
        --config FILE         restore.toml; else $RV_CONFIG, else the one in\n                        /opt/rocketvps/config\n  \
        --set KEY=VALUE       a setting over it, such as paths.backups=/srv/backups\n  \
        --json                the document of the call instead of text\n  \
        --field NAME[,NAME…]  values of its data, a line each; written as\n                        NAME|size, |count, |duration, |percent, |rate, |moment\n  \
        --tsv LIST:NAME[,…]   a list of its data, tabs between its columns (`-`: empty)\n  \
        --abi N               refuse to answer unless this is version N of the interface\n  \
        --help, --version\n\nCalls:\n";
    let calls: Vec<String> = call::NAMES
        .iter()
        .map(|name| (*name).to_owned())
        .chain(["abi_version".into(), "schema".into(), "version".into()])
        .collect();
    out += &wrapped("  ", &calls);
    out += "\nExit: 0, or the number of the error: `man rocketvps-restore` lists them.\n";
    out
}

/// Words in lines of at most 79 letters, each but the first indented.
fn wrapped(first: &str, words: &[String]) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    for word in words {
        if line.chars().count() + word.len() > 79 {
            out += line.trim_end();
            out.push('\n');
            line = "      ".into();
        }
        line += word;
        line.push(' ');
    }
    out + line.trim_end() + "\n"
}

fn read_request(request: String) -> Result<String> {
    if request != "-" {
        return Ok(request);
    }
    let mut text = String::new();
    std::io::stdin()
        .take(api::MAX_REQUEST as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| Error::new(Code::BadRequest, format!("standard input: {error}")))?;
    Ok(text)
}

/// Fills in the configuration where the request names none. A request that is no object is left for the call to refuse.
fn with_config(request: &str, source: Option<&Source>) -> Result<String> {
    let Some(source) = source else { return Ok(request.to_owned()) };
    let source = serde_json::to_string(source)
        .map_err(|_| Error::new(Code::Usage, "the path of the configuration is not UTF-8"))?;
    let trimmed = request.trim();
    let parsed: Value = match serde_json::from_str(if trimmed.is_empty() { "{}" } else { trimmed }) {
        Ok(value) => value,
        Err(_) => return Ok(request.to_owned()),
    };
    match parsed {
        Value::Object(object) if !object.contains_key("config") => {
            // Put in as text, so that duplicate keys of the request still reach the parser that refuses them.
            let inner = trimmed.trim_start_matches('{');
            let comma = if object.is_empty() { "" } else { "," };
            let inner = if trimmed.is_empty() { "}" } else { inner };
            Ok(format!("{{\"config\":{source}{comma}{inner}"))
        }
        _ => Ok(request.to_owned()),
    }
}

fn print(document: &Value) -> ExitCode {
    // A reader that went away is no reason for a panic.
    let _ = writeln!(std::io::stdout(), "{}", api::text(document));
    match document["error"]["number"].as_u64().and_then(|number| u8::try_from(number).ok()) {
        Some(number) => ExitCode::from(number),
        None => ExitCode::SUCCESS,
    }
}

fn say(text: &str) -> Result<ExitCode> {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(ExitCode::SUCCESS)
}

/// The worker: detached from its caller, with the locks that came as descriptors 0 and 1.
fn work(folder: PathBuf, locked: bool, scoped: bool, abi: u32) -> Result<ExitCode> {
    if abi != ABI_VERSION {
        return Ok(ExitCode::from(Code::AbiMismatch.number()));
    }
    let act = |error: std::io::Error| Error::io("start the worker", &error);
    if !scoped {
        process::close_inherited();
        process::detach().map_err(act)?;
        if spawn::enter_scope(&folder, locked)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let alive = process::take_descriptor(1).map_err(act)?;
    let lock = if locked { Some(process::take_descriptor(0).map_err(act)?) } else { None };
    worker::run(&folder, lock, alive)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPE: Style = Style { colour: false, unicode: true, live: false };
    const TERMINAL: Style = Style { live: true, ..PIPE };

    fn asked(line: &[&str], style: Style) -> Result<String> {
        let (words, error) = parse(lexopt::Parser::from_args(line));
        error.map_or(Ok(()), Err)?;
        Ok(match words.asked(style)? {
            Asked::Help => "help".into(),
            Asked::Version => "version".into(),
            Asked::Call { name, request } => format!("call {name} {request}"),
            Asked::Command { command, operands } => format!("command {} {}", command.name, operands.join(" ")),
            Asked::Worker { folder } => format!("worker {}", folder.display()),
        })
    }

    #[test]
    fn calls_stay_calls_and_words_are_commands() {
        let table: &[(&[&str], &str)] = &[
            (&["list_backups", "{}"], "call list_backups {}"),
            (&["list_jobs"], "call list_jobs "),
            (&["verify", r#"{"domain":"a.com"}"#], r#"call verify {"domain":"a.com"}"#),
            (&["recover", "-"], "call recover -"),
            (&["recover"], "call recover "),
            (&["recover", "--json"], "command recover "),
            (&["verify", "a.com"], "command verify a.com"),
            (&["wait", "x"], "call wait x"),
            (&["list", "a.com", "--json"], "command list a.com"),
            (&["restore", "--latest", "a.com", "--yes"], "command restore a.com"),
            (&["worker", "/f", "--locked"], "worker /f"),
            (&[], "help"),
            (&["list", "--help"], "help"),
            (&["--version"], "version"),
        ];
        for (line, wanted) in table {
            assert_eq!(asked(line, PIPE).unwrap(), *wanted);
        }
        assert_eq!(asked(&["recover"], TERMINAL).unwrap(), "command recover ");
        for bad in [
            &["a", "b", "c"][..],
            &["--nonsense"],
            &["list_backups", "{}", "--yes"],
            &["list"],
            &["--set", "x", "list"],
        ] {
            assert_eq!(asked(bad, PIPE).unwrap_err().code, Code::Usage, "{bad:?}");
        }
    }

    #[test]
    fn who_reads_the_answer_decides_its_form() {
        let people = |line: &[&str], style| parse(lexopt::Parser::from_args(line)).0.is_for_people(style);
        assert!(people(&["list", "a.com"], PIPE));
        assert!(!people(&["list", "a.com", "--json"], PIPE));
        assert!(!people(&["list_backups"], TERMINAL) || command::find("list_backups").is_none());
        assert!(!people(&["fly"], PIPE));
        assert!(people(&["fly"], TERMINAL));
    }

    #[test]
    fn settings_are_numbers_words_and_truths() {
        let mut settings = Map::new();
        for text in ["paths.backups=/a=b \"x", "limits.max_retries=5", "services.redis.required=true", "x="] {
            set(&mut settings, text).unwrap();
        }
        let wanted = r#"{"paths":{"backups":"/a=b \"x"},"limits":{"max_retries":5},"services":{"redis":{"required":true}},"x":""}"#;
        assert_eq!(Value::from(settings.clone()).to_string(), wanted);
        for bad in ["", "a", "=1", "paths.=1", "x.y=1", "n=99999999999999999999"] {
            assert_eq!(set(&mut settings, bad).unwrap_err().code, Code::Usage, "{bad}");
        }
    }

    #[test]
    fn the_configuration_is_filled_in_only_where_it_is_missing() {
        let file = Source::File("/c.toml".into());
        let fill = |request: &str| with_config(request, Some(&file)).unwrap();
        assert_eq!(fill(""), r#"{"config":"/c.toml"}"#);
        assert_eq!(fill(r#" {"a":1} "#), r#"{"config":"/c.toml","a":1}"#);
        assert_eq!(fill(r#"{"config":"/other"}"#), r#"{"config":"/other"}"#);
        assert_eq!(fill("{"), "{");
        assert_eq!(fill("[]"), "[]");
    }

    #[test]
    fn the_question_says_in_words_what_is_restored() {
        let say = |request: Value| selection(request.as_object().unwrap());
        assert_eq!(say(json!({"domain": "a.com"})), "files, database, config");
        let some = json!({"components": {"files": true, "database": ["wp_posts", "wp_meta"]},
                          "exclude": {"files": ["*.log"]}, "options": {"exact": true, "priority": "normal"}});
        assert_eq!(say(some), "files, database (wp_posts, wp_meta); not files (*.log); exact");
    }

    #[test]
    fn the_help_names_every_command_and_call() {
        let help = help();
        for name in COMMANDS.iter().map(|command| command.name).chain(call::NAMES.iter().copied()) {
            assert!(help.contains(name), "{name}");
        }
        for (name, _) in VALUED {
            assert!(help.contains(&format!("--{name}")), "{name}");
        }
    }
}
