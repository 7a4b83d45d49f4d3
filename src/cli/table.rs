//! Every command of the helper, as a table: parser, help, man page and completion read it.

use crate::cli::command::{Command, CommandGroup, CommandName, Delivery, Operand};
use crate::cli::option::OptionName;
use crate::host::cell;
use crate::job::Kind;

const SELECTION: &[OptionName] = {
    use OptionName::*;
    &[
        Latest,
        From,
        Dump,
        Root,
        Site,
        Prefix,
        PasswordFile,
        Only,
        Path,
        Table,
        Item,
        ExcludePath,
        ExcludeTable,
        ExcludeItem,
        Exact,
        AllowOrphans,
        KeepRows,
        OwnSettings,
    ]
};
const DETACH: &[OptionName] = &[OptionName::Detach];
const CONFIRMED: &[OptionName] = &[OptionName::Yes, OptionName::Detach];

/// Every command, in the order of the help.
pub const COMMANDS: &[Command] = &[
    Command {
        name: CommandName::Domains,
        word: "domains",
        group: CommandGroup::Look,
        operands: &[],
        options: &[],
        call: "list_domains",
        way: Delivery::Answer,
        short: "List the domains",
        long: "List the domains that have backups or a site.",
    },
    Command {
        name: CommandName::List,
        word: "list",
        group: CommandGroup::Look,
        operands: &[Operand::Domain],
        options: &[],
        call: "list_backups",
        way: Delivery::Answer,
        short: "List the backups, newest first",
        long: "List the backups of a domain, newest first: date, size, kind, and path.",
    },
    Command {
        name: CommandName::Preview,
        word: "preview",
        group: CommandGroup::Look,
        operands: &[Operand::Domain, Operand::Backup],
        options: &[
            &[
                OptionName::Latest,
                OptionName::From,
                OptionName::Dump,
                OptionName::Root,
                OptionName::Site,
                OptionName::Prefix,
                OptionName::PasswordFile,
            ],
            DETACH,
            &[OptionName::Tree, OptionName::Depth, OptionName::Offset, OptionName::Limit],
        ],
        call: "preview_backup",
        way: Delivery::Job,
        short: "Show what is in a backup",
        long: "Show what is in a backup: files by folder, tables, site configuration. Say how long a restore would take and \
               how much room it needs.",
    },
    Command {
        name: CommandName::Diff,
        word: "diff",
        group: CommandGroup::Look,
        operands: &[Operand::Domain, Operand::Backup],
        options: &[SELECTION, DETACH, &[OptionName::Checksum, OptionName::Rows, OptionName::Limit]],
        call: "diff_backup",
        way: Delivery::Job,
        short: "Show what a restore would change",
        long: "Compare a backup with the live site: file by file, table by table, and the site configuration. Rows are counted; \
               `--rows` compares them.",
    },
    Command {
        name: CommandName::Validate,
        word: "validate",
        group: CommandGroup::Look,
        operands: &[Operand::Domain, Operand::Backup],
        options: &[SELECTION, DETACH, &[OptionName::AllowUnsafeConfig, OptionName::Accept]],
        call: "validate",
        way: Delivery::Job,
        short: "Check whether a restore would work",
        long: "Run every check that comes before a restore, and show what the restore would change. The exit status is 67 when \
               a check failed.",
    },
    Command {
        name: CommandName::Rehearse,
        word: "rehearse",
        group: CommandGroup::Look,
        operands: &[Operand::Domain, Operand::Backup],
        options: &[
            SELECTION,
            DETACH,
            &[OptionName::AllowUnsafeConfig, OptionName::Accept, OptionName::Probe, OptionName::Priority],
        ],
        call: "rehearse",
        way: Delivery::Job,
        short: "Prove that a backup works",
        long: "Stage a backup beside the live site, compare it, ask the staged site for pages, and remove it again. Say what a \
               restore would take. The exit status is 60 when the staged site does not work, and 3 when nothing was proven.",
    },
    Command {
        name: CommandName::Drills,
        word: "drills",
        group: CommandGroup::Look,
        operands: &[Operand::AnyDomain],
        options: &[],
        call: "list_drills",
        way: Delivery::Answer,
        short: "List drills",
        long: "List the drills of a domain, newest first: whether its backup worked, the time that a restore would have taken, the \
               age of the backup. Without DOMAIN: the newest drill of each domain.",
    },
    Command {
        name: CommandName::Verify,
        word: "verify",
        group: CommandGroup::Look,
        operands: &[Operand::Domain],
        options: &[DETACH],
        call: "verify",
        way: Delivery::Job,
        short: "Check the live site",
        long: "Check the live site: files, database, site configuration, services. The exit status is 60 when a check failed.",
    },
    Command {
        name: CommandName::Restore,
        word: "restore",
        group: CommandGroup::Change,
        operands: &[Operand::Domain, Operand::Backup],
        options: &[
            SELECTION,
            &[OptionName::DryRun],
            CONFIRMED,
            &[
                OptionName::Snapshot,
                OptionName::PlanToken,
                OptionName::AllowUnsafeConfig,
                OptionName::Accept,
                OptionName::NoRehearsal,
                OptionName::Probe,
                OptionName::Priority,
            ],
        ],
        call: "restore_start",
        way: Delivery::Change,
        short: "Restore a domain from a backup",
        long: "Restore a domain from a backup: all of it, or the parts that the selection options name. The backup has to be \
               named, or `--latest` said.\n\n\
               On a terminal it says what it is about to do and waits for the word YES. Elsewhere it needs `--yes`. While it \
               works, Ctrl+C asks it to stop and shows the way back.\n\n\
               The state before the restore is kept as a snapshot: `rocketvps-restore rollback DOMAIN` brings it back.",
    },
    Command {
        name: CommandName::Rollback,
        word: "rollback",
        group: CommandGroup::Change,
        operands: &[Operand::AnyDomain],
        options: &[&[OptionName::Job, OptionName::Snapshot], CONFIRMED],
        call: "rollback",
        way: Delivery::Change,
        short: "Go back to before the last restore",
        long: "Bring back the state before the last restore; with `--job` the state before that job, whose domain is known then; with `--snapshot` that of a \
               snapshot. The present state is kept, so that a rollback can be rolled back.",
    },
    Command {
        name: CommandName::Snapshot,
        word: "snapshot",
        group: CommandGroup::Change,
        operands: &[Operand::Domain],
        options: &[DETACH],
        call: "create_snapshot",
        way: Delivery::Job,
        short: "Save the live site in one folder",
        long: "Save the live site as a portable snapshot, one folder that can be carried to another server: files, database, \
               site configuration.",
    },
    Command {
        name: CommandName::Snapshots,
        word: "snapshots",
        group: CommandGroup::Change,
        operands: &[Operand::Domain],
        options: &[],
        call: "list_snapshots",
        way: Delivery::Answer,
        short: "List the snapshots, newest first",
        long: "List the snapshots of a domain, newest first: portable ones, and those that restores kept.",
    },
    Command {
        name: CommandName::DeleteSnapshot,
        word: "delete-snapshot",
        group: CommandGroup::Change,
        operands: &[Operand::Domain, Operand::Snapshot],
        options: &[CONFIRMED],
        call: "delete_snapshot",
        way: Delivery::Change,
        short: "Delete a snapshot and what it keeps",
        long: "Delete a snapshot and what it keeps. There is no way back from it.",
    },
    Command {
        name: CommandName::Jobs,
        word: "jobs",
        group: CommandGroup::Jobs,
        operands: &[Operand::AnyDomain],
        options: &[],
        call: "list_jobs",
        way: Delivery::Answer,
        short: "List the jobs, newest first",
        long: "List the jobs, newest first, and say whether one that was interrupted can go on.",
    },
    Command {
        name: CommandName::Status,
        word: "status",
        group: CommandGroup::Jobs,
        operands: &[Operand::Job],
        options: &[&[OptionName::Since]],
        call: "restore_poll",
        way: Delivery::Answer,
        short: "Show how a job stands",
        long: "Show how a job stands: its phases, how far each is, and its error if it failed.",
    },
    Command {
        name: CommandName::Attach,
        word: "attach",
        group: CommandGroup::Jobs,
        operands: &[Operand::UnfinishedJob],
        options: &[&[OptionName::CancelOnInterrupt]],
        call: "restore_poll",
        way: Delivery::Attach,
        short: "Follow a job to its end",
        long: "Follow a job to its end and show its result. The exit status is that of the job. Ctrl+C leaves, and the job goes on.",
    },
    Command {
        name: CommandName::Wait,
        word: "wait",
        group: CommandGroup::Jobs,
        operands: &[Operand::Job],
        options: &[],
        call: "restore_poll",
        way: Delivery::Wait,
        short: "Wait for the end of a job",
        long: "Wait for the end of a job, then show its result. The exit status is that of the job.",
    },
    Command {
        name: CommandName::Cancel,
        word: "cancel",
        group: CommandGroup::Jobs,
        operands: &[Operand::UnfinishedJob],
        options: &[],
        call: "restore_cancel",
        way: Delivery::Answer,
        short: "Ask a job to stop",
        long: "Ask a job to stop. The site stays as it was, or goes back to it.",
    },
    Command {
        name: CommandName::Logs,
        word: "logs",
        group: CommandGroup::Jobs,
        operands: &[Operand::DomainOrJob],
        options: &[],
        call: "list_logs",
        way: Delivery::Answer,
        short: "List the logs, or print that of a job",
        long: "List the logs of restores and rollbacks, newest first. With a job: print the log of that job.",
    },
    Command {
        name: CommandName::Cleanup,
        word: "cleanup",
        group: CommandGroup::Maintenance,
        operands: &[Operand::AnyDomain],
        options: &[DETACH],
        call: "cleanup",
        way: Delivery::Job,
        short: "Remove what has expired",
        long: "Remove expired snapshots, and what ended jobs left behind. Once a day from cron is enough.",
    },
    Command {
        name: CommandName::Recover,
        word: "recover",
        group: CommandGroup::Maintenance,
        operands: &[Operand::AnyDomain],
        options: &[DETACH],
        call: "recover",
        way: Delivery::Job,
        short: "Finish or undo what a crash left",
        long: "Finish or undo what a crash or a power cut left unfinished, and wait for the end. It does no harm when there \
               is nothing to recover.",
    },
    Command {
        name: CommandName::Drill,
        word: "drill",
        group: CommandGroup::Maintenance,
        operands: &[Operand::Domains],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Rehearse the newest backup of each domain",
        long: "Rehearse the newest backup of each domain, one after the other and with low priority: proof that the backups work. \
               Keep what came of it (`drills` lists it), write metrics for Prometheus (`drills.metrics`), and tell \
               `notify.command` and `notify.webhook` when one failed. The exit status is 60 then. Without DOMAIN: all that have a \
               backup or a site, except those of `drills.skip`.",
    },
    Command {
        name: CommandName::Serve,
        word: "serve",
        group: CommandGroup::Maintenance,
        operands: &[],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Answer callers without rights",
        long: "Be the broker: answer the calls of users without rights on a Unix socket (`paths.broker`), as far as the rules in \
               access.toml (`paths.access`) let them. Every call leaves a line, which `audit` shows. Ends on SIGTERM.",
    },
    Command {
        name: CommandName::Audit,
        word: "audit",
        group: CommandGroup::Maintenance,
        operands: &[Operand::AnyDomain],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Show who asked the broker for what",
        long: "Show the calls that came to the broker, oldest first: when, by which user and program, on whose behalf by its word, \
               which call, of which domain, and how it came out.",
    },
    Command {
        name: CommandName::Approve,
        word: "approve",
        group: CommandGroup::Maintenance,
        operands: &[Operand::Approval],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Approve what a caller of the broker wants",
        long: "Approve a restore or a rollback that a rule of access.toml lets begin only with the word of a second person \
               (`approval = true`). Without ID: list what waits. The caller sends the same request again within an hour.",
    },
    Command {
        name: CommandName::CheckConfig,
        word: "check-config",
        group: CommandGroup::Maintenance,
        operands: &[],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Show which settings are in force",
        long: "Read the restore.toml and show every setting that is in force, and where it comes from. Say which files and \
               folders it names do not exist. Secrets are left out.",
    },
    Command {
        name: CommandName::Call,
        word: "call",
        group: CommandGroup::Helper,
        operands: &[Operand::CallName, Operand::Request],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Run a call of the library, as JSON",
        long: "Run a call of the library for a program: one JSON document in, one out. Without a request the request is empty. The \
               answer is one line on standard output, an error too; `--field` and `--tsv` take values out of it. A call that \
               takes time answers with the name of its job, unless the request says `\"wait\":true`. The calls and their fields \
               are in the project's `docs/api.md`.\n\n\
               For one more release `rocketvps-restore NAME [JSON|-]` does the same without the word `call`. Names that are a \
               command too (`validate`, `verify`, `rollback`, `cleanup`, `recover`) are a call only when JSON or `-` follows.",
    },
    Command {
        name: CommandName::Help,
        word: "help",
        group: CommandGroup::Helper,
        operands: &[Operand::CommandWord],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Explain a command, or list them all",
        long: "Explain a command and its options. Without one: list all commands.",
    },
    Command {
        name: CommandName::Generate,
        word: "generate",
        group: CommandGroup::Internal,
        operands: &[Operand::Artefact],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Print the man page or a completion",
        long: "Print the man page, or the completion of a shell.",
    },
    Command {
        name: CommandName::Complete,
        word: "complete",
        group: CommandGroup::Internal,
        operands: &[Operand::Words],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Say what may stand next on a command line",
        long: "Print what may stand for the last word of a command line, for a completion.",
    },
    Command {
        name: CommandName::Worker,
        word: "worker",
        group: CommandGroup::Internal,
        operands: &[Operand::JobFolder],
        options: &[&[OptionName::Locked, OptionName::Scoped]],
        call: "",
        way: Delivery::Helper,
        short: "Do the work of a job",
        long: "Do the work of a job. The library starts it.",
    },
    Command {
        name: CommandName::Cell,
        word: cell::COMMAND,
        group: CommandGroup::Internal,
        operands: &[],
        options: &[],
        call: "",
        way: Delivery::Helper,
        short: "Run a staged site's PHP apart",
        long: "Run the PHP of a staged site apart from the machine. The worker starts it.",
    },
];

/// The command of that word.
pub fn find(word: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.word == word)
}

/// The commands that people see under a heading.
pub fn of_group(group: CommandGroup) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |command| command.group == group)
}

/// The command that starts a job of that kind.
pub fn of_kind(kind: Kind) -> CommandName {
    match kind {
        Kind::Restore => CommandName::Restore,
        Kind::Rollback => CommandName::Rollback,
        Kind::Preview => CommandName::Preview,
        Kind::Diff => CommandName::Diff,
        Kind::Validate => CommandName::Validate,
        Kind::Rehearse => CommandName::Rehearse,
        Kind::Snapshot => CommandName::Snapshot,
        Kind::DeleteSnapshot => CommandName::DeleteSnapshot,
        Kind::Verify => CommandName::Verify,
        Kind::Cleanup => CommandName::Cleanup,
        Kind::Recover => CommandName::Recover,
    }
}

/// The word of a command.
pub fn word_of(name: CommandName) -> &'static str {
    COMMANDS.iter().find(|command| command.name == name).map_or("", |command| command.word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call;
    use crate::cli::option::{self, OPTIONS, OptionGroup};

    #[test]
    fn every_command_has_a_word_of_its_own_a_call_and_a_short_text_of_one_line() {
        for (at, command) in COMMANDS.iter().enumerate() {
            assert_eq!(find(command.word).map(|found| found.name), Some(command.name));
            assert!(COMMANDS[..at].iter().all(|other| other.name != command.name), "{}", command.word);
            assert_eq!(command.call.is_empty(), command.way == Delivery::Helper, "{}", command.word);
            assert!(command.call.is_empty() || call::NAMES.contains(&command.call), "{}", command.word);
            assert!(!command.short.is_empty() && command.short.len() <= 44, "{}", command.word);
            assert!(!command.short.ends_with('.') && command.long.ends_with('.'), "{}", command.word);
        }
    }

    #[test]
    fn every_option_is_of_all_commands_or_of_some_and_of_none_twice() {
        for option in OPTIONS {
            let takers =
                COMMANDS.iter().filter(|command| command.options.iter().any(|some| some.contains(&option.name)));
            assert_eq!(takers.count() == 0, option.group == OptionGroup::General, "--{}", option.word);
        }
        for command in COMMANDS {
            let own: Vec<_> = command.own_options().map(|option| option.name).collect();
            let named: usize = command.options.iter().map(|some| some.len()).sum();
            assert_eq!(own.len(), named);
            assert!(own.iter().enumerate().all(|(at, name)| !own[..at].contains(name)), "{}", command.word);
            assert!(own.iter().all(|name| option::of(*name).is_some()), "{}", command.word);
        }
    }

    #[test]
    fn a_call_that_starts_a_job_has_a_command_that_shows_its_result() {
        let kinds = [
            Kind::Restore,
            Kind::Rollback,
            Kind::Preview,
            Kind::Diff,
            Kind::Validate,
            Kind::Rehearse,
            Kind::Snapshot,
            Kind::DeleteSnapshot,
            Kind::Verify,
            Kind::Cleanup,
            Kind::Recover,
        ];
        for kind in kinds {
            let command = find(word_of(of_kind(kind))).unwrap();
            assert!(matches!(command.way, Delivery::Job | Delivery::Change), "{}", command.word);
        }
    }
}
