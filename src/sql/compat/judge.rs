//! A dump's facts against a server's: what it would not take, and what is done about it.

use crate::sql::compat::action::{Keep, Map, Skip, Split, Strip};
use crate::sql::compat::survey::{Seen, says_nothing};
use crate::sql::compat::{Actions, Kind, Survey, collation, definition};
use crate::sql::modes;
use crate::sql::statement::is_self_contained;
use crate::sql::versioned::{Dialect, Versioned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What a server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// As it gives it: `10.11.19-MariaDB`.
    pub version: String,
    /// Its collations, in lower case.
    pub collations: BTreeSet<String>,
    /// Its character sets with their default collations, in lower case.
    pub charsets: BTreeMap<String, String>,
    /// Its storage engines that can be used, in upper case.
    pub engines: BTreeSet<String>,
    /// Its parsers of full texts, in lower case; `None` where it did not say.
    pub parsers: Option<BTreeSet<String>>,
    /// It takes rows as a file of the client.
    pub local_infile: bool,
    /// Its `max_allowed_packet`.
    pub max_allowed_packet: u64,
    /// Its own `sql_mode`.
    pub sql_mode: String,
    /// The session's switches that it has, of [`crate::sql::session::SWITCHES`].
    pub switches: BTreeSet<String>,
    /// The variable by which it takes no table without a primary key, where it is on.
    pub requires_key: Option<String>,
    /// Who may make triggers and functions.
    pub makers: Makers,
    /// The site's account, `user@host`: what objects of the dump run as.
    pub account: Option<String>,
}

/// Of whom a server takes triggers and functions: with a binary log of administrators alone, unless it is told to trust
/// (`log_bin_trust_function_creators`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Makers {
    /// Whoever has the rights on the schema.
    #[default]
    Anyone,
    /// Administrators, as this account is one.
    Us,
    /// Administrators, and this account is none.
    Others,
}

impl ServerFacts {
    /// Which versioned comments it executes.
    pub fn dialect(&self) -> Dialect {
        Dialect::of(&self.version)
    }
}

/// How a difference comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CompatibilityOutcome")]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Dealt with, nothing changes for the site.
    Pass,
    /// Dealt with; the site may notice.
    Warn,
    /// The dump is refused.
    Fail,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CompatibilityAction")]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Something the server knows takes its place.
    Map,
    /// It is left out.
    Strip,
    /// It goes in parts.
    Split,
    /// As this server does with what is not for it.
    Skip,
    /// It is loaded under a mode that takes it.
    Keep,
    /// The dump is refused.
    Refuse,
}

/// Something of a dump that the server would not have taken as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CompatibilityFinding")]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Its name, such as that of a collation.
    pub subject: String,
    /// Number of times that it is in the dump.
    pub count: u64,
    /// Line of the dump with the first statement that has it.
    pub first_line: u64,
    /// Table of that statement; missing where it is of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// What is done.
    pub action: Action,
    /// What takes its place; missing where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// How it comes out.
    pub outcome: Verdict,
    /// The sentence a user reads.
    pub message: String,
}

/// What is decided about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    action: Action,
    /// What takes its place.
    pub into: Option<String>,
    outcome: Verdict,
    /// Says what is the matter and what is done, without number and place.
    sentence: String,
}

impl Decision {
    fn new(action: Action, outcome: Verdict, sentence: String) -> Decision {
        Decision { action, into: None, outcome, sentence }
    }

    fn refuse(sentence: String) -> Decision {
        Decision::new(Action::Refuse, Verdict::Fail, sentence)
    }

    /// Whether the dump is refused.
    pub fn is_refusal(&self) -> bool {
        self.action == Action::Refuse
    }

    /// The finding about a thing at a place.
    pub fn about(self, kind: Kind, subject: &str, count: u64, line: u64, table: Option<String>) -> Finding {
        let mut finding = Finding {
            kind,
            subject: subject.to_owned(),
            count,
            first_line: line,
            table,
            action: self.action,
            into: self.into,
            outcome: self.outcome,
            message: self.sentence,
        };
        let place = finding.place();
        finding.message.push_str(&place);
        finding
    }
}

impl Finding {
    fn place(&self) -> String {
        let times = if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) };
        match &self.table {
            Some(table) => format!(" ({times}, first on line {}, table {table})", self.first_line),
            None => format!(" ({times}, first on line {})", self.first_line),
        }
    }
}

/// Findings of one load, each thing once.
#[derive(Debug, Default)]
pub struct Ledger(BTreeMap<(Kind, String), Finding>);

/// Most different findings kept.
const MAX_FINDINGS: usize = 500;

impl Ledger {
    /// Counts a finding.
    pub fn add(&mut self, finding: Finding) {
        let key = (finding.kind, finding.subject.clone());
        if let Some(known) = self.0.get_mut(&key) {
            let old = known.place();
            known.count += finding.count;
            let new = known.place();
            if let Some(sentence) = known.message.strip_suffix(&old) {
                known.message = format!("{sentence}{new}");
            }
        } else if self.0.len() < MAX_FINDINGS {
            self.0.insert(key, finding);
        }
    }

    /// All of them, by kind.
    pub fn into_findings(self) -> Vec<Finding> {
        self.0.into_values().collect()
    }
}

/// What this server would not take, as it stands, of the tables and objects that take part.
pub fn judge(survey: &Survey, facts: &ServerFacts, actions: &Actions, takes: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mode =
        survey.sql_mode.as_deref().map_or(Cow::Borrowed(&*facts.sql_mode), |mode| modes::on(&facts.sql_mode, mode));
    let mode = mode.as_ref();
    let mut found = Vec::new();
    let left_out = |seen: &&Seen| seen.within.as_ref().is_some_and(|within| !within.iter().any(|name| takes(name)));
    for seen in survey.seen.iter().filter(|seen| !left_out(seen)) {
        if let Some(decision) = decide(seen.kind, &seen.subject, mode, facts, actions) {
            found.push(decision.about(seen.kind, &seen.subject, seen.count, seen.line, seen.table.clone()));
        }
    }
    found.extend(survey.versioned.iter().filter_map(|comment| skipped(comment, facts.dialect(), actions)));
    // The client sends a file in parts, whatever its rows are.
    let (longest, others) = match facts.local_infile {
        true => (&survey.largest_inserted, &survey.long_inserted),
        false => (&survey.largest_row, &survey.long_rows),
    };
    let taken = std::iter::once(longest).chain(others).find(|row| takes(&row.table));
    if let Some((row, decision)) = taken.and_then(|row| Some((row, decide_row(row.bytes, facts)?))) {
        found.push(decision.about(Kind::Packet, "row", 1, row.line, Some(row.table.clone())));
    }
    let statement = &survey.largest_statement;
    if let Some(decision) = decide_statement(statement.bytes, facts, actions).filter(|_| takes(&statement.table)) {
        found.push(decision.about(Kind::Packet, "statement", 1, statement.line, Some(statement.table.clone())));
    }
    found.sort_by(|one, other| other.outcome.cmp(&one.outcome).then(one.kind.cmp(&other.kind)));
    found
}

/// What is done about a name or a zero date; `None`: the server takes it.
pub fn decide(kind: Kind, subject: &str, mode: &str, facts: &ServerFacts, actions: &Actions) -> Option<Decision> {
    match kind {
        Kind::Collation => decide_collation(subject, facts, actions),
        Kind::Charset => decide_charset(subject, facts),
        Kind::Engine => decide_engine(subject, facts, actions),
        Kind::Definer => decide_definer(subject, facts, actions),
        Kind::Gtid => Some(match actions.gtid {
            Strip::Strip => Decision::new(
                Action::Strip,
                Verdict::Pass,
                format!("{subject} would change the server's own replication state: it is left out"),
            ),
            Strip::Refuse => Decision::refuse(format!("the dump sets {subject}")),
        }),
        Kind::ZeroDates => match actions.zero_dates {
            Keep::Refuse => Some(Decision::refuse(format!("zero dates: {subject}"))),
            Keep::Keep if refuses_zero_dates(mode) => Some(Decision::new(
                Action::Keep,
                Verdict::Warn,
                format!(
                    "zero dates: {subject}; this sql_mode would not take them, they are loaded without NO_ZERO_DATE and NO_ZERO_IN_DATE"
                ),
            )),
            Keep::Keep => None,
        },
        Kind::SqlMode => decide_mode(subject, facts),
        Kind::Parser => decide_parser(subject, facts),
        Kind::Feature => definition::lacking(subject, facts.dialect())
            .map(|what| Decision::refuse(format!("this server has no {what} ({subject})"))),
        Kind::TableOption => decide_option(subject, facts),
        Kind::Check => (!facts.dialect().mariadb).then(|| {
            let sentence = format!("the check of column {subject} names other columns: it is made one of the table, because this server takes no other");
            Decision::new(Action::Map, Verdict::Pass, sentence)
        }),
        Kind::Packet | Kind::VersionedComment => None,
    }
}

fn decide_mode(subject: &str, facts: &ServerFacts) -> Option<Decision> {
    if modes::knows(facts.dialect(), subject) {
        return None;
    }
    // What the one would be told by it the other does by itself, or it is about accounts.
    let idle = ["NO_AUTO_CREATE_USER", "TIME_TRUNCATE_FRACTIONAL", "TIME_ROUND_FRACTIONAL"];
    let outcome =
        if idle.iter().any(|mode| mode.eq_ignore_ascii_case(subject)) { Verdict::Pass } else { Verdict::Warn };
    let sentence = format!("this server does not know the sql_mode {subject}: it is left out");
    Some(Decision::new(Action::Strip, outcome, sentence))
}

fn decide_parser(subject: &str, facts: &ServerFacts) -> Option<Decision> {
    let lacks = facts.parsers.as_ref().is_some_and(|parsers| !parsers.contains(&subject.to_ascii_lowercase()));
    let sentence = format!("this server does not have the full-text parser {subject}: its own takes its place");
    lacks.then(|| Decision { into: Some(String::new()), ..Decision::new(Action::Map, Verdict::Warn, sentence) })
}

fn decide_option(subject: &str, facts: &ServerFacts) -> Option<Decision> {
    let sentence = if subject.starts_with(definition::TABLESPACE) {
        format!("{subject} is left out: a restored table has a file of its own, and shares none with others")
    } else if subject == definition::AUTOEXTEND_SIZE {
        format!("{subject} is left out: it takes room on the disk before a table has a row")
    } else if definition::knows_option(subject, facts.dialect()) {
        return None;
    } else {
        format!("this server does not know the table option {subject}: it is left out")
    };
    Some(Decision::new(Action::Strip, Verdict::Warn, sentence))
}

fn decide_collation(subject: &str, facts: &ServerFacts, actions: &Actions) -> Option<Decision> {
    if collation::is_known(subject, &facts.collations) {
        return None;
    }
    let what = format!("this server does not know the collation {subject}");
    let into = collation::nearest(subject, &facts.collations, &facts.charsets);
    Some(match (actions.collation, into) {
        (Map::Map, Some(into)) => Decision {
            into: Some(into.clone()),
            ..Decision::new(Action::Map, Verdict::Warn, format!("{what}: {into} takes its place"))
        },
        (Map::Map, None) => Decision::refuse(format!("{what} nor one of its character set")),
        (Map::Refuse, _) => Decision::refuse(what),
    })
}

fn decide_charset(subject: &str, facts: &ServerFacts) -> Option<Decision> {
    let name = subject.to_ascii_lowercase();
    let alias = match name.as_str() {
        "utf8" => "utf8mb3",
        "utf8mb3" => "utf8",
        other => other,
    };
    if facts.charsets.contains_key(&name) || (name == "utf8" && facts.charsets.contains_key(alias)) {
        return None;
    }
    if facts.charsets.contains_key(alias) {
        let sentence = format!("this server knows the character set {subject} as {alias}");
        return Some(Decision { into: Some(alias.to_owned()), ..Decision::new(Action::Map, Verdict::Pass, sentence) });
    }
    Some(Decision::refuse(format!("this server does not know the character set {subject}")))
}

/// Engines whose rows are not in the dump's tables: made InnoDB, such a table would be empty.
const ELSEWHERE: &[&str] = &[
    "FEDERATED",
    "FEDERATEDX",
    "CONNECT",
    "SPIDER",
    "MERGE",
    "MRG_MYISAM",
    "S3",
    "OQGRAPH",
    "SPHINX",
    "MROONGA",
    "EXAMPLE",
];

/// Whether a table of this engine keeps its rows somewhere else.
pub fn has_rows_elsewhere(engine: &str) -> bool {
    ELSEWHERE.iter().any(|known| known.eq_ignore_ascii_case(engine))
}

fn decide_engine(subject: &str, facts: &ServerFacts, actions: &Actions) -> Option<Decision> {
    let name = subject.to_ascii_uppercase();
    let alias = if name == "HEAP" { "MEMORY" } else { name.as_str() };
    let there = facts.engines.contains(alias);
    if ELSEWHERE.contains(&alias) || (there && !is_self_contained(subject)) {
        return Some(Decision::refuse(format!("a table of engine {subject} has its rows elsewhere")));
    }
    if there {
        return None;
    }
    let what = format!("this server does not have the storage engine {subject}");
    Some(match actions.engine {
        Map::Map => Decision {
            into: Some("InnoDB".into()),
            ..Decision::new(Action::Map, Verdict::Warn, format!("{what}: InnoDB takes its place"))
        },
        Map::Refuse => Decision::refuse(what),
    })
}

fn decide_definer(subject: &str, facts: &ServerFacts, actions: &Actions) -> Option<Decision> {
    if facts.account.as_deref() == Some(subject) {
        return None;
    }
    let what = format!("what the dump defines runs as {subject}");
    Some(match actions.definer {
        Map::Map => {
            let account = facts.account.as_deref().unwrap_or("the site's own account");
            let sentence = format!("{what}: {account} takes its place");
            Decision { into: facts.account.clone(), ..Decision::new(Action::Map, Verdict::Pass, sentence) }
        }
        Map::Refuse => Decision::refuse(what),
    })
}

/// Rows are loaded under a mode that takes zero dates, if there are any.
pub fn keep_zero_dates() -> Decision {
    let sentence = "this sql_mode would not take zero dates: rows are loaded without NO_ZERO_DATE and NO_ZERO_IN_DATE";
    Decision::new(Action::Keep, Verdict::Pass, sentence.into())
}

/// Rows with a zero date, which the caller does not want.
pub fn refuse_zero_dates(said: &str) -> Decision {
    Decision::refuse(format!("rows with zero dates: {said}"))
}

/// A row that no packet of the server holds cannot be cut.
pub fn decide_row(bytes: u64, facts: &ServerFacts) -> Option<Decision> {
    (bytes > facts.max_allowed_packet).then(|| {
        Decision::refuse(format!(
            "a row is {bytes} bytes long, more than the server's max_allowed_packet of {} bytes",
            facts.max_allowed_packet
        ))
    })
}

/// A statement that no packet holds goes in several.
pub fn decide_statement(bytes: u64, facts: &ServerFacts, actions: &Actions) -> Option<Decision> {
    if bytes <= facts.max_allowed_packet {
        return None;
    }
    let what = format!(
        "a statement with rows is {bytes} bytes long, more than the server's max_allowed_packet of {} bytes",
        facts.max_allowed_packet
    );
    Some(match actions.packet {
        Split::Split => Decision::new(Action::Split, Verdict::Pass, format!("{what}: its rows go in several")),
        Split::Refuse => Decision::refuse(what),
    })
}

/// What is said of a versioned comment that a server skips; `None` for one that it executes.
pub fn skipped(comment: &Versioned, dialect: Dialect, actions: &Actions) -> Option<Finding> {
    if dialect.executes(comment.mariadb, comment.version) {
        return None;
    }
    let mark = if comment.mariadb { "M!" } else { "!" };
    let subject = match comment.version {
        Some(version) => format!("/*{mark}{version} {} */", comment.text),
        None => format!("/*{mark} {} */", comment.text),
    };
    let idle = says_nothing(&comment.text);
    let what = format!("{subject} is meant for servers of another kind or version");
    let decision = match actions.versioned_comment {
        Skip::Refuse if !idle => Decision::refuse(what),
        _ => {
            let outcome = if idle { Verdict::Pass } else { Verdict::Warn };
            Decision::new(Action::Skip, outcome, format!("{what}: it is skipped, as this server would"))
        }
    };
    Some(decision.about(Kind::VersionedComment, &subject, comment.count, comment.line, None))
}

/// Whether this `sql_mode` keeps zero dates out.
pub fn refuses_zero_dates(mode: &str) -> bool {
    let mut modes = mode.split(',').map(|mode| mode.trim().to_ascii_uppercase());
    modes.any(|mode| matches!(mode.as_str(), "NO_ZERO_DATE" | "NO_ZERO_IN_DATE" | "TRADITIONAL"))
}

/// The same `sql_mode`, taking zero dates.
pub fn taking_zero_dates(mode: &str) -> String {
    let strict = "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";
    let kept = |mode: &str| match mode.to_ascii_uppercase().as_str() {
        "NO_ZERO_DATE" | "NO_ZERO_IN_DATE" | "" => None,
        // It stands for these and the two above.
        "TRADITIONAL" => Some(strict.to_owned()),
        _ => Some(mode.to_owned()),
    };
    mode.split(',').map(str::trim).filter_map(kept).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::sql::versioned::note_versioned;

    /// A MariaDB 10.11.
    pub(crate) fn server() -> ServerFacts {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        ServerFacts {
            version: "10.11.19-MariaDB".into(),
            collations: names(&[
                "utf8mb4_general_ci",
                "utf8mb4_uca1400_ai_ci",
                "utf8mb3_general_ci",
                "latin1_swedish_ci",
            ]),
            charsets: [
                ("utf8mb4", "utf8mb4_general_ci"),
                ("utf8mb3", "utf8mb3_general_ci"),
                ("latin1", "latin1_swedish_ci"),
            ]
            .into_iter()
            .map(|(charset, collation)| (charset.to_owned(), collation.to_owned()))
            .collect(),
            engines: names(&["INNODB", "MYISAM", "MEMORY", "CONNECT"]),
            parsers: Some(names(&["ngram"])),
            local_infile: false,
            switches: names(&["innodb_strict_mode", "check_constraint_checks"]),
            max_allowed_packet: 1 << 20,
            sql_mode: "STRICT_TRANS_TABLES,NO_ZERO_DATE".into(),
            requires_key: None,
            makers: Makers::Anyone,
            account: Some("site@localhost".into()),
        }
    }

    fn survey(statements: &[&str]) -> Survey {
        let mut survey = Survey::default();
        for (line, sql) in statements.iter().enumerate() {
            survey.statement(sql.as_bytes(), Default::default(), line as u64 + 1);
        }
        survey
    }

    #[test]
    fn what_the_server_takes_is_no_finding() {
        let all = survey(&[
            "CREATE TABLE t (a int) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_general_ci",
            "CREATE TABLE u (a int) ENGINE=HEAP DEFAULT CHARSET=latin1",
            "CREATE DEFINER=`site`@`localhost` VIEW v AS SELECT 1",
        ]);
        assert_eq!(judge(&all, &server(), &Actions::default(), &|_| true), []);
    }

    #[test]
    fn each_kind_is_dealt_with_or_refused_by_name() {
        let refuse: Actions = serde_json::from_str(
            r#"{"collation":"refuse","definer":"refuse","gtid":"refuse","packet":"refuse","engine":"refuse","zero_dates":"refuse","versioned_comment":"refuse"}"#,
        )
        .unwrap();
        let mut all = survey(&[
            "CREATE TABLE t (a date DEFAULT '0000-00-00') ENGINE=NDB COLLATE=utf8mb4_0900_ai_ci",
            "CREATE DEFINER=`root`@`%` VIEW v AS SELECT 1",
            "SET @@GLOBAL.GTID_PURGED='a:1'",
        ]);
        all.filled("t", None, 9, 2 << 20, (100, 100));
        note_versioned(&mut all.versioned, false, Some(80_023), b" INVISIBLE */", 5);
        note_versioned(&mut all.versioned, false, Some(80_016), b" DEFAULT ENCRYPTION='N' */", 6);
        let found = judge(&all, &server(), &Actions::default(), &|_| true);
        let short = |finding: &Finding| (finding.kind, finding.action, finding.outcome);
        assert_eq!(
            found.iter().map(short).collect::<Vec<_>>(),
            [
                (Kind::Collation, Action::Map, Verdict::Warn),
                (Kind::ZeroDates, Action::Keep, Verdict::Warn),
                (Kind::Engine, Action::Map, Verdict::Warn),
                (Kind::VersionedComment, Action::Skip, Verdict::Warn),
                (Kind::Definer, Action::Map, Verdict::Pass),
                (Kind::Gtid, Action::Strip, Verdict::Pass),
                (Kind::Packet, Action::Split, Verdict::Pass),
                (Kind::VersionedComment, Action::Skip, Verdict::Pass),
            ]
        );
        assert_eq!(
            found[0].message,
            "this server does not know the collation utf8mb4_0900_ai_ci: utf8mb4_uca1400_ai_ci takes its place (once, first on line 1, table t)"
        );
        let found = judge(&all, &server(), &refuse, &|_| true);
        let failed = found.iter().filter(|finding| finding.outcome == Verdict::Fail);
        assert_eq!(
            failed.map(|finding| finding.kind).collect::<Vec<_>>(),
            [
                Kind::Collation,
                Kind::ZeroDates,
                Kind::Definer,
                Kind::Gtid,
                Kind::Packet,
                Kind::Engine,
                Kind::VersionedComment
            ]
        );
    }

    #[test]
    fn what_cannot_be_helped_is_refused_whatever_was_asked() {
        let mut all = survey(&[
            "CREATE TABLE t (a int) ENGINE=CONNECT",
            "CREATE TABLE u (a int) ENGINE=FEDERATED",
            "CREATE TABLE v (a text CHARACTER SET gb18030 COLLATE gb18030_bin)",
        ]);
        all.filled("t", None, 9, 2 << 20, (2 << 20, 2 << 20));
        let found = judge(&all, &server(), &Actions::default(), &|_| true);
        let failed: Vec<_> = found
            .iter()
            .filter(|finding| finding.outcome == Verdict::Fail)
            .map(|finding| finding.subject.as_str())
            .collect();
        assert_eq!(failed, ["gb18030_bin", "gb18030", "row", "CONNECT", "FEDERATED"]);
    }

    #[test]
    fn the_longest_row_of_the_tables_that_take_part_counts() {
        let mut all = Survey::default();
        for (table, bytes) in [("a", 3 << 20), ("b", 2 << 20), ("c", 100)] {
            all.filled(table, None, 9, 10, (bytes, bytes));
        }
        let judged = |takes: &dyn Fn(&str) -> bool| {
            let found = judge(&all, &server(), &Actions::default(), takes);
            found.into_iter().map(|finding| finding.table.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(judged(&|_| true), ["a"]);
        assert_eq!(judged(&|name| name != "a"), ["b"]);
        assert!(judged(&|name| name == "c").is_empty());
    }

    #[test]
    fn an_older_server_knows_utf8mb3_by_its_old_name() {
        let mut old = server();
        old.charsets = BTreeMap::from([("utf8".into(), "utf8_general_ci".into())]);
        old.collations = BTreeSet::from(["utf8_general_ci".into()]);
        let found = judge(
            &survey(&["CREATE TABLE t (a int) CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci"]),
            &old,
            &Actions::default(),
            &|_| true,
        );
        let into: Vec<_> = found.iter().map(|finding| finding.into.as_deref().unwrap()).collect();
        assert_eq!(into, ["utf8_general_ci", "utf8"]);
    }

    #[test]
    fn zero_dates_are_no_matter_under_the_mode_that_dumps_set() {
        let mut all = survey(&["SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO'", "CREATE TABLE t (a date DEFAULT '0000-00-00')"]);
        all.filled("t", Some("NO_AUTO_VALUE_ON_ZERO"), 3, 10, (10, 10));
        all.zero_dates("t", 1, 3);
        assert_eq!(judge(&all, &server(), &Actions::default(), &|_| true), []);
        assert_eq!(taking_zero_dates("ANSI, no_zero_date,NO_ZERO_IN_DATE,STRICT_ALL_TABLES"), "ANSI,STRICT_ALL_TABLES");
        assert!(!refuses_zero_dates(&taking_zero_dates("TRADITIONAL")));
    }

    #[test]
    fn a_ledger_counts_what_comes_again() {
        let mut ledger = Ledger::default();
        for line in [4, 9, 12] {
            let decision = decide(Kind::Engine, "NDB", "", &server(), &Actions::default()).unwrap();
            ledger.add(decision.about(Kind::Engine, "NDB", 1, line, Some("t".into())));
        }
        let found = ledger.into_findings();
        assert_eq!((found.len(), found[0].count, found[0].first_line), (1, 3, 4));
        assert!(found[0].message.ends_with("(3 times, first on line 4, table t)"), "{}", found[0].message);
    }
}
