//! What a command is: a word for people, what follows it, and how its answer comes. The commands are rows of
//! [`crate::cli::table`].

use crate::cli::option::{self, CommandOption, Given, OptionGroup, OptionName};
use crate::error::{Code, Error, Result};

/// A command by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandName {
    /// `domains`
    Domains,
    /// `list`
    List,
    /// `preview`
    Preview,
    /// `diff`
    Diff,
    /// `validate`
    Validate,
    /// `rehearse`
    Rehearse,
    /// `drill`
    Drill,
    /// `drills`
    Drills,
    /// `verify`
    Verify,
    /// `restore`
    Restore,
    /// `rollback`
    Rollback,
    /// `snapshot`
    Snapshot,
    /// `snapshots`
    Snapshots,
    /// `delete-snapshot`
    DeleteSnapshot,
    /// `jobs`
    Jobs,
    /// `status`
    Status,
    /// `attach`
    Attach,
    /// `wait`
    Wait,
    /// `cancel`
    Cancel,
    /// `logs`
    Logs,
    /// `cleanup`
    Cleanup,
    /// `recover`
    Recover,
    /// `serve`
    Serve,
    /// `audit`
    Audit,
    /// `approve`
    Approve,
    /// `check-config`
    CheckConfig,
    /// `call`
    Call,
    /// `help`
    Help,
    /// `generate`
    Generate,
    /// `complete`
    Complete,
    /// `worker`
    Worker,
    /// `cell`
    Cell,
}

/// Under which heading a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandGroup {
    /// Looks and changes nothing.
    Look,
    /// Changes a site or what is kept of it.
    Change,
    /// Jobs and their logs.
    Jobs,
    /// What an administrator or cron does.
    Maintenance,
    /// For programs, and about the helper itself.
    Helper,
    /// Not for people: completions, packages, the worker.
    Internal,
}

impl CommandGroup {
    /// The groups that people see, in the order of the help.
    pub const SHOWN: [CommandGroup; 5] =
        [CommandGroup::Look, CommandGroup::Change, CommandGroup::Jobs, CommandGroup::Maintenance, CommandGroup::Helper];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            CommandGroup::Look => "Look, and change nothing",
            CommandGroup::Change => "Change",
            CommandGroup::Jobs => "Jobs and logs",
            CommandGroup::Maintenance => "Maintenance",
            CommandGroup::Helper => "Programs and help",
            CommandGroup::Internal => "Internal",
        }
    }
}

/// What follows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// A domain.
    Domain,
    /// A domain; left out: all.
    AnyDomain,
    /// Domains, as many as there are; none: all.
    Domains,
    /// A domain or a job; left out: all domains.
    DomainOrJob,
    /// A backup: its path, or its name in the domain's folder; left out: the newest.
    Backup,
    /// The folder of a snapshot, or its name in the domain's.
    Snapshot,
    /// A request that waits for approval; left out: they are listed.
    Approval,
    /// A job.
    Job,
    /// A job that has not ended.
    UnfinishedJob,
    /// The name of a call.
    CallName,
    /// A request; left out: an empty one.
    Request,
    /// The word of a command; left out: all.
    CommandWord,
    /// What `generate` prints.
    Artefact,
    /// The folder of a job.
    JobFolder,
    /// Words of a command line, as many as there are.
    Words,
}

impl Operand {
    /// How the help writes it; in brackets what may be left out.
    pub fn shown(self) -> &'static str {
        match self {
            Operand::Domain => "DOMAIN",
            Operand::AnyDomain => "[DOMAIN]",
            Operand::Domains => "[DOMAIN]...",
            Operand::DomainOrJob => "[DOMAIN|JOB]",
            Operand::Backup => "[BACKUP]",
            Operand::Snapshot => "SNAPSHOT",
            Operand::Approval => "[ID]",
            Operand::Job | Operand::UnfinishedJob => "JOB",
            Operand::CallName => "NAME",
            Operand::Request => "[JSON|-]",
            Operand::CommandWord => "[COMMAND]",
            Operand::Artefact => "man|bash|zsh|fish",
            Operand::JobFolder => "FOLDER",
            Operand::Words => "[WORD]...",
        }
    }

    /// What it is, for the help; empty where the command says it.
    pub fn about(self) -> &'static str {
        match self {
            Operand::Domain => "The domain, such as example.com.",
            Operand::AnyDomain => "The domain. Without it: all domains.",
            Operand::Domains => "The domains. Without one: all domains.",
            Operand::DomainOrJob => "The domain, or the name of a job. Without it: all domains.",
            Operand::Backup => "A backup: its path, or its name in the domain's folder. Without it: the newest.",
            Operand::Snapshot => "A snapshot: its path, or its name in the domain's folder.",
            Operand::Approval => "The name of a request. Without it: those that wait are listed.",
            Operand::Job | Operand::UnfinishedJob => "The name that the job got when it began.",
            Operand::CallName => "The name of a call.",
            Operand::Request => "The request: one JSON object, in quotes. `-`: it is read from standard input.",
            Operand::CommandWord => "The command to explain.",
            Operand::Artefact | Operand::JobFolder | Operand::Words => "",
        }
    }

    /// Whether it may be left out.
    pub fn may_be_missing(self) -> bool {
        self.shown().starts_with('[')
    }
}

/// How the answer of a command comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    Answer,
    /// From a job, which is waited for.
    Job,
    /// From a job that changes the site: it is asked about before, and shown while it works.
    Change,
    /// From a job that is there already, and is shown while it works.
    Attach,
    /// From a job that is there already.
    Wait,
    /// From the helper itself.
    Helper,
}

/// A command.
#[derive(Debug)]
pub struct Command {
    /// Which one.
    pub name: CommandName,
    /// The word that people type.
    pub word: &'static str,
    /// The heading it stands under.
    pub group: CommandGroup,
    /// What follows it.
    pub operands: &'static [Operand],
    /// The options it takes besides those that all take.
    pub options: &'static [&'static [OptionName]],
    /// The call it comes to; empty where there is none.
    pub call: &'static str,
    /// How its answer comes.
    pub way: Delivery,
    /// One line, without a full stop.
    pub short: &'static str,
    /// All there is to say. Markup as in [`crate::cli::markup`].
    pub long: &'static str,
}

impl Command {
    /// `restore DOMAIN [BACKUP]`.
    pub fn synopsis(&self) -> String {
        let words: Vec<&str> = self.operands.iter().map(|operand| operand.shown()).collect();
        [&[self.word], words.as_slice()].concat().join(" ")
    }

    /// The options it takes besides those that all take, in the order of the help.
    pub fn own_options(&self) -> impl Iterator<Item = &'static CommandOption> {
        self.options.iter().flat_map(|some| some.iter()).filter_map(|name| option::of(*name))
    }

    /// Whether it takes an option.
    pub fn takes(&self, name: OptionName) -> bool {
        self.options.iter().any(|some| some.contains(&name))
            || option::of(name).is_some_and(|option| option.group == OptionGroup::General)
    }

    /// Refuses what the command does not take.
    ///
    /// # Errors
    /// `usage` naming the word or option.
    pub fn check(&self, operands: &[String], given: &Given) -> Result<()> {
        let refuse = |message: String| Err(Error::new(Code::Usage, message).hint(self.usage()));
        for (name, _) in &given.0 {
            if !self.takes(*name) {
                let word = option::of(*name).map_or("", |option| option.word);
                return refuse(format!("{} does not take --{word}", self.word));
            }
        }
        let needed = self.operands.iter().filter(|operand| !operand.may_be_missing()).count();
        if operands.len() < needed {
            return refuse(format!("{} needs a {}", self.word, self.operands[operands.len()].shown()));
        }
        if let Some(extra) = operands.get(self.operands.len())
            && !matches!(self.operands.last(), Some(Operand::Words | Operand::Domains))
        {
            return refuse(format!("{}: {extra:?} is one word too many", self.word));
        }
        let named = self.operands.iter().filter(|operand| !matches!(operand, Operand::Request | Operand::Words));
        if let Some((empty, _)) = named.zip(operands).find(|(_, word)| word.is_empty()) {
            return refuse(format!("{}: {} is empty", self.word, empty.shown()));
        }
        let latest = given.has(OptionName::Latest);
        let from = given.has(OptionName::From);
        if from && (operands.len() > 1 || latest) {
            return refuse("a backup, --latest and --from are answers to one question".into());
        }
        if let Some(name) = [OptionName::Root, OptionName::Site, OptionName::Prefix, OptionName::PasswordFile]
            .into_iter()
            .find(|name| given.has(*name) && !from)
        {
            let word = option::of(name).map_or("", |option| option.word);
            return refuse(format!("--{word} says something of a backup that --from names"));
        }
        if self.name == CommandName::Restore && operands.len() < 2 && !latest && !from {
            return Err(Error::new(Code::Usage, "restore: which backup?")
                .hint("Name it, or say --latest; `rocketvps-restore list DOMAIN` shows them."));
        }
        if self.name == CommandName::Rollback && operands.is_empty() && !given.has(OptionName::Job) {
            return Err(Error::new(Code::Usage, "rollback: of which domain?")
                .hint("Name it, or the job to go back before: --job JOB; `rocketvps-restore jobs` shows them."));
        }
        if latest && operands.len() > 1 {
            return refuse("a backup and --latest are two answers to one question".into());
        }
        Ok(())
    }

    /// The next step after a mistake.
    fn usage(&self) -> String {
        format!("Usage: rocketvps-restore {}; `rocketvps-restore help {}` explains it.", self.synopsis(), self.word)
    }
}
