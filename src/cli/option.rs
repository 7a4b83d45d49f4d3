//! Every option of the helper, as a table: parser, help, man page and completion read it.

use crate::report::Risk;

/// An option by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionName {
    /// `--latest`
    Latest,
    /// `--only`
    Only,
    /// `--path`
    Path,
    /// `--table`
    Table,
    /// `--item`
    Item,
    /// `--exclude-path`
    ExcludePath,
    /// `--exclude-table`
    ExcludeTable,
    /// `--exclude-item`
    ExcludeItem,
    /// `--dump`
    Dump,
    /// `--from`.
    From,
    /// `--root`.
    Root,
    /// `--site`.
    Site,
    /// `--prefix`.
    Prefix,
    /// `--password-file`.
    PasswordFile,
    /// `--backup-database-settings`.
    OwnSettings,
    /// `--exact`
    Exact,
    /// `--allow-orphans`
    AllowOrphans,
    /// `--keep-rows`
    KeepRows,
    /// `--yes`
    Yes,
    /// `--dry-run`
    DryRun,
    /// `--detach`
    Detach,
    /// `--cancel-on-interrupt`
    CancelOnInterrupt,
    /// `--snapshot`
    Snapshot,
    /// `--job`
    Job,
    /// `--plan-token`
    PlanToken,
    /// `--allow-unsafe-config`
    AllowUnsafeConfig,
    /// `--accept`
    Accept,
    /// `--no-rehearsal`
    NoRehearsal,
    /// `--probe`
    Probe,
    /// `--checksum`
    Checksum,
    /// `--rows`
    Rows,
    /// `--priority`
    Priority,
    /// `--tree`
    Tree,
    /// `--depth`
    Depth,
    /// `--offset`
    Offset,
    /// `--limit`
    Limit,
    /// `--since`
    Since,
    /// `--config`
    Config,
    /// `--set`
    Set,
    /// `--json`
    Json,
    /// `--field`
    Field,
    /// `--tsv`
    Tsv,
    /// `--abi`
    Abi,
    /// `--help`
    Help,
    /// `--version`
    Version,
    /// `--locked`
    Locked,
    /// `--scoped`
    Scoped,
}

/// Under which heading an option stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionGroup {
    /// What of a backup is meant.
    Selection,
    /// How a command works.
    Behaviour,
    /// Which part of a long answer.
    Pages,
    /// Taken by every command.
    General,
    /// Between the library and its worker.
    Internal,
}

impl OptionGroup {
    /// The groups that people see, in the order of the help.
    pub const SHOWN: [OptionGroup; 4] =
        [OptionGroup::Selection, OptionGroup::Behaviour, OptionGroup::Pages, OptionGroup::General];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            OptionGroup::Selection => "Selection",
            OptionGroup::Behaviour => "Behaviour",
            OptionGroup::Pages => "Pages",
            OptionGroup::General => "Options of every command",
            OptionGroup::Internal => "Internal",
        }
    }

    /// What all options under the heading share.
    pub fn about(self) -> Option<&'static str> {
        (self == OptionGroup::Selection).then_some(
            "Without any of these, everything the backup holds is meant. Those that name something may be given more than \
             once; a name may be a pattern (`*`, `**`, `?`, `[...]`, `{a,b}`).",
        )
    }
}

/// What may stand as the value of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suggest {
    /// Anything; nothing is suggested.
    Nothing,
    /// A file.
    Files,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Some of these words, separated by commas.
    List(&'static [&'static str]),
    /// A snapshot of the domain.
    Snapshots,
    /// A job of the domain.
    Jobs,
}

/// The value of an option.
#[derive(Debug, Clone, Copy)]
pub struct OptionValue {
    /// What stands for it in the help.
    pub shown: &'static str,
    /// What a completion suggests.
    pub suggest: Suggest,
}

/// A row of the table.
#[derive(Debug)]
pub struct CommandOption {
    /// Which one.
    pub name: OptionName,
    /// The word behind the two dashes.
    pub word: &'static str,
    /// A letter that says the same.
    pub letter: Option<char>,
    /// The value; `None` for a flag.
    pub value: Option<OptionValue>,
    /// The heading it stands under.
    pub group: OptionGroup,
    /// One line, without a full stop.
    pub short: &'static str,
    /// All there is to say; empty where the short text says it. Markup as in [`crate::cli::markup`].
    pub long: &'static str,
}

impl CommandOption {
    /// `--only LIST`, `-h, --help`.
    pub fn synopsis(&self) -> String {
        let letter = self.letter.map_or_else(String::new, |letter| format!("-{letter}, "));
        let value = self.value.map_or_else(String::new, |value| format!(" {}", value.shown));
        format!("{letter}--{}{value}", self.word)
    }

    /// All there is to say.
    pub fn text(&self) -> String {
        if self.long.is_empty() { format!("{}.", self.short) } else { self.long.to_owned() }
    }
}

const fn flag(
    name: OptionName,
    word: &'static str,
    group: OptionGroup,
    short: &'static str,
    long: &'static str,
) -> CommandOption {
    CommandOption { name, word, letter: None, value: None, group, short, long }
}

const fn valued(
    name: OptionName,
    word: &'static str,
    (shown, suggest): (&'static str, Suggest),
    group: OptionGroup,
    short: &'static str,
    long: &'static str,
) -> CommandOption {
    CommandOption { name, word, letter: None, value: Some(OptionValue { shown, suggest }), group, short, long }
}

const COMPONENTS: &[&str] = &["files", "database", "config"];
const ITEMS: &[&str] = &["nginx", "php_fpm", "ssl", "cron"];

/// Every option, in the order of the help.
pub const OPTIONS: &[CommandOption] = {
    use OptionGroup::{Behaviour, General, Internal, Pages, Selection};
    use OptionName::*;
    use Suggest::{Files, Jobs, List, Nothing, Snapshots, Words};
    &[
        flag(Latest, "latest", Selection, "The newest backup", ""),
        valued(
            Only,
            "only",
            ("LIST", List(COMPONENTS)),
            Selection,
            "Only these components: files, database, config",
            "Only these components, separated by commas: `files`, `database`, `config`.",
        ),
        valued(Path, "path", ("PATH", Nothing), Selection, "A file or folder below the document root", ""),
        valued(Table, "table", ("TABLE", Nothing), Selection, "A table of the database", ""),
        valued(
            Item,
            "item",
            ("ITEM", Words(ITEMS)),
            Selection,
            "An item of the site configuration",
            "An item of the site configuration: `nginx`, `php_fpm`, `ssl`, `cron`.",
        ),
        valued(ExcludePath, "exclude-path", ("PATH", Nothing), Selection, "A file or folder that stays as it is", ""),
        valued(ExcludeTable, "exclude-table", ("TABLE", Nothing), Selection, "A table that stays as it is", ""),
        valued(
            ExcludeItem,
            "exclude-item",
            ("ITEM", Words(ITEMS)),
            Selection,
            "An item of the site configuration that stays as it is",
            "",
        ),
        valued(
            Dump,
            "dump",
            ("FILE", Files),
            Selection,
            "Another database dump than the backup's own",
            "Another database dump than the one that belongs to the backup. For backups whose dump lies beside them; with `--from` for \
             every backup, also as a path inside it.",
        ),
        valued(
            From,
            "from",
            ("PATH", Files),
            Selection,
            "A backup of another program, anywhere",
            "A backup that another program made, in place of one from the folder of backups: an archive (tar, plain or packed by gzip, \
             zstd, xz, bzip2 or lz4; zip; `.wpress`, `.daf`, `.jpa`, `.7z`), a folder, one file of a set, or a dump. For root.",
        ),
        valued(
            Root,
            "root",
            ("FOLDER", Nothing),
            Selection,
            "The document root inside of --from",
            "The folder inside the backup of `--from` that is the document root; `.` is its top. Without it: the one that holds a site.",
        ),
        valued(
            Site,
            "site",
            ("NAME", Nothing),
            Selection,
            "Which of the sites in --from",
            "Which of the sites in the backup of `--from`, or which database of a dump of several. Without it: the one of this domain, or \
             the only one.",
        ),
        valued(
            Prefix,
            "prefix",
            ("PREFIX", Nothing),
            Selection,
            "What the tables of --from begin with",
            "What the names of the site's tables in the dump of `--from` begin with, such as `wp_`. These alone are restored, and get the \
             prefix of the live site.",
        ),
        valued(
            PasswordFile,
            "password-file",
            ("FILE", Files),
            Selection,
            "The file with the password of --from",
            "A file whose first line is the password of what is encrypted in the backup of `--from`: a zip, a 7-Zip archive, an export of \
             All-in-One WP Migration, a database of UpdraftPlus. Nobody but root may be able to write to it.",
        ),
        flag(
            OwnSettings,
            "backup-database-settings",
            Selection,
            "Leave the database settings of --from as they are",
            "Leave the database settings in `wp-config.php` and `.env` of `--from` as they are. Without it they become those of the live site.",
        ),
        flag(
            Exact,
            "exact",
            Selection,
            "Keep nothing that the backup does not hold",
            "Make an exact replica: keep no file and no table that the backup does not hold.",
        ),
        flag(
            AllowOrphans,
            "allow-orphans",
            Selection,
            "Let rows refer to rows that are not there",
            "Let rows refer to rows that are no longer there, when only some tables are restored.",
        ),
        valued(
            KeepRows,
            "keep-rows",
            ("TABLE[:COLUMN]", Nothing),
            Selection,
            "A table whose newer rows are kept",
            "Keep the rows of this table that the site has made since the backup: those with a key above the greatest one in the \
             backup. COLUMN tells instead what is newer, such as `created_at`. May be given several times: orders and their items.",
        ),
        flag(Yes, "yes", Behaviour, "Do not ask", ""),
        flag(DryRun, "dry-run", Behaviour, "Check and compare only; change nothing", ""),
        flag(
            Detach,
            "detach",
            Behaviour,
            "Start the job and return",
            "Start the job, print its name and return. Without it the command waits for the end. For a script: \
             `--detach --field job` prints the name alone.",
        ),
        flag(
            CancelOnInterrupt,
            "cancel-on-interrupt",
            Behaviour,
            "Ctrl+C asks the job to stop",
            "Ctrl+C asks the job to stop and shows the way back, as it does in the command that began the job.",
        ),
        valued(
            Snapshot,
            "snapshot",
            ("DIR", Snapshots),
            Behaviour,
            "The snapshot that is meant",
            "With `restore`: the portable snapshot of the state before it, made by `snapshot`. With `rollback`: the \
             snapshot to go back to.",
        ),
        valued(
            Job,
            "job",
            ("JOB", Jobs),
            Behaviour,
            "Go back to the state before this job",
            "Go back to the state before this restore or rollback.",
        ),
        valued(
            PlanToken,
            "plan-token",
            ("TOKEN", Nothing),
            Behaviour,
            "Refuse to restore if the site changed since then",
            "Refuse to restore if the site changed since `diff`, `validate` or a dry run, which gave the token.",
        ),
        flag(
            AllowUnsafeConfig,
            "allow-unsafe-config",
            Behaviour,
            "Install a site configuration that could do harm",
            "Install a site configuration although it holds directives that could harm the machine. Read the lines \
             that `validate` names first.",
        ),
        flag(
            NoRehearsal,
            "no-rehearsal",
            Behaviour,
            "Do not try the restored site's pages before",
            "Restore without asking the staged site for pages before it is live.",
        ),
        valued(
            Probe,
            "probe",
            ("PAGE", Nothing),
            Behaviour,
            "A page that has to come",
            "A page that has to come from the staged and from the live site, by its address below the domain, and behind a blank a text that it \
             has to hold: `--probe '/shop/ Add to cart'`. May be given several times, at most 20.",
        ),
        valued(
            Accept,
            "accept",
            ("LIST", List(Risk::WORDS)),
            Behaviour,
            "Go on although these checks found something",
            "Go on although these checks found something that somebody has to accept, separated by commas: `change_over` (queries \
             of the site wait longer than `limits.change_over_wait_s`), `atomic_rename` (a server whose crash in the change-over \
             may leave tables on both sides).",
        ),
        flag(
            Checksum,
            "checksum",
            Behaviour,
            "Compare the content of every file",
            "Compare the content of every file, whatever size and time say.",
        ),
        flag(
            Rows,
            "rows",
            Behaviour,
            "Compare the rows of tables",
            "Compare the rows of every selected table that both sides have, and show which differ, by primary key, with the columns \
             that do. The dump is read for it, and the live tables. Values that look like secrets are `***`. `--table` and \
             `--exclude-table` say which tables.",
        ),
        valued(
            Priority,
            "priority",
            ("WORD", Words(&["polite", "normal"])),
            Behaviour,
            "polite (the default) or normal",
            "`polite` (the default) leaves disk and processor to the visitors, `normal` does not.",
        ),
        valued(Tree, "tree", ("PATH", Nothing), Pages, "Show this folder of the backup", ""),
        valued(Depth, "depth", ("N", Nothing), Pages, "Show N levels of folders", ""),
        valued(Offset, "offset", ("N", Nothing), Pages, "Begin with entry N", "Begin with entry N; the first is 0."),
        valued(Limit, "limit", ("N", Nothing), Pages, "Show at most N entries", ""),
        valued(
            Since,
            "since",
            ("N", Nothing),
            Pages,
            "Only events after event N",
            "Give only the events after event N, for `--json`, `--field` and `--tsv`.",
        ),
        valued(
            Config,
            "config",
            ("FILE", Files),
            General,
            "The configuration, restore.toml",
            "The configuration. Without it the file that $RV_CONFIG names, else `/opt/rocketvps/config/restore.toml`.",
        ),
        valued(
            Set,
            "set",
            ("KEY=VALUE", Nothing),
            General,
            "A setting that goes over the configuration",
            "A setting that goes over the configuration, such as `limits.restore_timeout_s=3600`. May be given more \
             than once.",
        ),
        flag(
            Json,
            "json",
            General,
            "The answer as JSON",
            "The answer as one line of JSON, an error too: `{\"schema\":1,\"ok\":true,\"data\":{...}}`.",
        ),
        valued(
            Field,
            "field",
            ("NAME[,NAME]...", Nothing),
            General,
            "Values of the answer, one a line",
            "Values of the answer's data, one a line. A name goes down with dots: `files.count`, `backups.0.path`. `#` \
             at its end is the length of a list. A value that is not there is an empty line. `|` and a format after a \
             name write a value as people do: `size` (12.3 MB), `count` (1,234), `duration` (5m 23s), `percent` (65), \
             `rate` (45 MB/s), `moment` (2025-10-04 03:00:00).",
        ),
        valued(
            Tsv,
            "tsv",
            ("LIST:NAME[,NAME]...", Nothing),
            General,
            "A list of the answer, tabs between columns",
            "A list of the answer's data: one line an element, a tab between columns, `-` for an empty column. `*` in \
             LIST goes through every element of a list on the way; a column that begins with `^.` is of the element \
             around.",
        ),
        valued(
            Abi,
            "abi",
            ("N", Nothing),
            General,
            "Refuse to answer unless this is interface N",
            "Refuse to answer unless this is version N of the interface. For scripts that were written for one.",
        ),
        CommandOption { letter: Some('h'), ..flag(Help, "help", General, "Show the help of the command", "") },
        CommandOption { letter: Some('V'), ..flag(Version, "version", General, "Show the version", "") },
        flag(Locked, "locked", Internal, "The domain's lock is descriptor 0", ""),
        flag(Scoped, "scoped", Internal, "The worker runs in a scope of systemd already", ""),
    ]
};

/// The option of that word.
pub fn find(word: &str) -> Option<&'static CommandOption> {
    OPTIONS.iter().find(|option| option.word == word)
}

/// The option of that letter.
pub fn find_letter(letter: char) -> Option<&'static CommandOption> {
    OPTIONS.iter().find(|option| option.letter == Some(letter))
}

/// The row of that name.
pub fn of(name: OptionName) -> Option<&'static CommandOption> {
    OPTIONS.iter().find(|option| option.name == name)
}

/// The options of one command line, as they were given.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Given(pub Vec<(OptionName, String)>);

impl Given {
    /// Whether the option was given.
    pub fn has(&self, name: OptionName) -> bool {
        self.0.iter().any(|(given, _)| *given == name)
    }

    /// The last value given.
    pub fn value(&self, name: OptionName) -> Option<&str> {
        self.values(name).last().copied()
    }

    /// Every value given, in order.
    pub fn values(&self, name: OptionName) -> Vec<&str> {
        self.0.iter().filter(|(given, _)| *given == name).map(|(_, value)| value.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_word_of_its_own_and_a_short_text_of_one_line() {
        for (at, option) in OPTIONS.iter().enumerate() {
            assert_eq!(find(option.word).map(|found| found.name), Some(option.name));
            assert!(OPTIONS[..at].iter().all(|other| other.name != option.name), "{}", option.word);
            assert!(!option.short.is_empty() && option.short.len() <= 60, "{}", option.word);
            assert!(!option.short.ends_with('.') && !option.short.contains('`'), "{}", option.word);
            assert!(option.long.is_empty() || option.long.ends_with('.'), "{}", option.word);
        }
        assert_eq!(find_letter('h').map(|found| found.name), Some(OptionName::Help));
        assert!(find("h").is_none() && find("").is_none() && find_letter('x').is_none());
    }

    #[test]
    fn the_text_names_the_configuration_that_is_read() {
        let config = of(OptionName::Config).unwrap();
        assert!(config.long.contains(&format!("`{}`", crate::config::DEFAULT_FILE)));
    }
}
