//! The prose of the man page that no table has. Markup as in [`crate::cli::markup`].

use crate::config::{Config, DEFAULT_FILE};
use std::path::Path;

/// What the program is.
pub const DESCRIPTION: &str = "Restores the files, the MariaDB database and the site configuration (nginx, PHP-FPM, certificates, \
    cron) of a domain from a backup. The restored site is built beside the live one, verified there, and changed over in \
    milliseconds: visitors meet either the old site or the new one. A failure before that moment leaves the site as it was; a \
    failure after it brings the old site back. The state before a restore is kept as a snapshot, so that `rollback` takes \
    milliseconds too.\n\n\
    The work is done by a job, a process of its own. The job goes on when the terminal hangs up, and `attach` shows it again.\n\n\
    A command is for people and for shell scripts. It behaves the same on a terminal, in a pipe and in cron: it waits for its \
    job, unless `--detach` is given, and ends with the job's exit status. On a terminal it has colours and redraws how far the \
    job is. Programs use `call`.\n\n\
    Control characters in names are written as escapes (`\\n`, `\\u{1b}`), so that a line is one value.";

/// Before the commands.
pub const COMMANDS: &str = "BACKUP and SNAPSHOT are a path, or a name in the domain's folder. Without a BACKUP the newest one is \
    taken; `restore` wants that said: `--latest`. JOB is the name that a job got when it began. `rocketvps-restore help COMMAND` \
    explains a command with all its options.";

/// Before the table of error codes.
pub const EXIT_STATUS: &str = "0 when all went well, also when the answer is an empty list. Otherwise the number of the error. The \
    error has a name, a reason and a next step: on standard error for people, as a document on standard output with `--json` and \
    from `call`. Names and numbers never change.\n\n\
    `validate` and a dry run end with 67, `verify` with 60, when a check failed. `rehearse` ends with 60 when the staged site does not \
    work, and with 3 when nothing was proven.";

/// Environment variables, and what they do.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("`RV_CONFIG`", "The configuration, where `--config` names none."),
    (
        "`NO_COLOR`",
        "When it is set, nothing is coloured. Nothing is coloured either where standard output is no terminal or `TERM` is `dumb`.",
    ),
    ("`LC_ALL`, `LC_CTYPE`, `LANG`", "The first that is set decides whether marks are signs (UTF-8) or words."),
];

/// Examples, each with what it is about.
pub const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "Look first, then restore:",
        &[
            "rocketvps-restore list example.com",
            "rocketvps-restore diff example.com --latest",
            "rocketvps-restore restore example.com --latest",
        ],
    ),
    (
        "The uploads of a year and two tables only:",
        &[
            "rocketvps-restore restore example.com backup_20251004_030000.tar.gz \\",
            "  --path wp-content/uploads/2025/ --table wp_posts --table wp_postmeta",
        ],
    ),
    ("Back to before it:", &["rocketvps-restore rollback example.com"]),
    (
        "In a script, with values by their names:",
        &[
            "job=$(rocketvps-restore restore example.com --latest --yes --detach --field job) || exit",
            "rocketvps-restore status \"$job\" --field \"state,percent|percent,remaining_s|duration\"",
            "rocketvps-restore wait \"$job\" --field \"duration_s|duration,commit_ms\" || exit",
            "rocketvps-restore list example.com --tsv \"backups:path,date|moment,size|size\" |",
            "  while IFS=$'\\t' read -r path date size; do",
            "    echo \"$date $size $path\"",
            "  done",
        ],
    ),
    (
        "From cron, as root: what has expired goes away each night. An error is written to standard error, and cron mails it.",
        &["30 3 * * * root rocketvps-restore cleanup >/dev/null"],
    ),
    ("As a program does:", &["rocketvps-restore call list_backups '{\"domain\":\"example.com\"}'"]),
];

/// What to do when something goes wrong.
pub const TROUBLE: &[(&str, &str)] = &[
    (
        "A restore failed",
        "The message says why and what to do. The site is as it was before. `logs JOB` prints what happened.",
    ),
    (
        "The restored site is not what you wanted",
        "`rollback DOMAIN` brings back the state before, for as many hours as `limits.snapshot_retention_h` says.",
    ),
    ("The terminal hung up", "The job went on. `jobs DOMAIN` names it, `attach JOB` shows it."),
    (
        "The machine crashed or lost its power",
        "`recover` finishes or undoes what was at work. Every other command for the domain does so first too, and so does \
         `systemctl enable rocketvps-restore-recover` at each boot. A restore that was interrupted while it staged goes on where it \
         was when the same restore is started again.",
    ),
    ("`busy` (17)", "Another job works on the domain. Wait for it, or `cancel JOB`."),
    (
        "`needs_operator` (64)",
        "Neither side could be reached automatically, for instance because somebody moved files meanwhile. Do the step that the \
         message names, then `recover`.",
    ),
    ("`disk_full` (40)", "The message names the filesystem. Make room; `cleanup` removes expired snapshots."),
];

/// Files and folders by default, and what is in them.
pub fn files() -> Vec<(String, &'static str)> {
    let paths = Config::default().paths;
    let file = |path: &Path| path.display().to_string();
    let folder = |path: &Path| format!("{}/", path.display());
    vec![
        (DEFAULT_FILE.to_owned(), "The configuration. Every key has a default, and the installed file names them all."),
        (file(&paths.config().join("mysql_root.cnf")), "The database administrator's account, a client option file."),
        (folder(&paths.backups().join("DOMAIN")), "Backups."),
        (folder(&paths.snapshots().join("DOMAIN")), "Snapshots."),
        (folder(&paths.logs().join("DOMAIN")), "Logs of restores and rollbacks."),
        (folder(&paths.jobs()), "Jobs: what was asked for, how it stands, the journal."),
        (folder(&paths.staging()), "Staged and kept sites. Only root can look in."),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments;
    use crate::error::Code;

    #[test]
    fn the_examples_are_command_lines_that_the_helper_takes() {
        let mut seen = 0;
        for (_, lines) in EXAMPLES {
            for text in lines.join("\n").replace("\\\n", " ").lines() {
                let Some((_, rest)) = text.split_once("rocketvps-restore ") else { continue };
                let rest = rest.split([')', '>']).next().unwrap().trim_end_matches(" |").split(" || ").next().unwrap();
                let words = rest.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
                let (line, error) = arguments::read(lexopt::Parser::from_args(words));
                assert!(error.is_none() && line.asked().is_ok() && line.output().is_ok(), "{text}");
                seen += 1;
            }
        }
        assert_eq!(seen, 11);
    }

    #[test]
    fn the_numbers_of_errors_are_those_of_the_table() {
        for code in [Code::Busy, Code::NeedsOperator, Code::DiskFull] {
            assert!(TROUBLE.iter().any(|(tag, _)| *tag == format!("`{}` ({})", code.name(), code.number())));
        }
        for code in [Code::PreflightFailed, Code::VerificationFailed] {
            assert!(EXIT_STATUS.contains(&format!("with {},", code.number())));
        }
    }
}
