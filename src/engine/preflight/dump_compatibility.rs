//! The parts of a dump that this server would not take, as lines of a report.

use crate::backup::contents::DumpScan;
use crate::engine::stage::{MAY_BE_CUT, no_table, no_table_either};
use crate::error::{Code, Error};
use crate::host::database::load::refusal::{self, incompatible, or_without, without};
use crate::plan::selection::Tables;
use crate::report::{Check, Group, Outcome};
use crate::sql::compat::action::Unknown;
use crate::sql::compat::survey::Refusal;
use crate::sql::compat::{Actions, Finding, Makers, ServerFacts, Verdict, judge};
use crate::sql::statement::ObjectKind;
use crate::sql::tally::ObjectFound;

/// Most lines of a report; the rest are counted.
const MAX_LINES: usize = 100;

/// The selected parts of a dump, and the options for them.
pub struct Asked<'a> {
    /// The action for each kind of difference.
    pub actions: &'a Actions,
    /// The tables and objects that take part.
    pub tables: &'a Tables,
    /// The site's schema: the dump may name it.
    pub live: Option<&'a str>,
    /// The site's schema has no table, and nobody named the database.
    pub has_no_table: bool,
    /// That schema is not there.
    pub schema_is_missing: bool,
    /// Live tables that the dump lacks go, whatever it is.
    pub exact: bool,
}

/// Group `dump`: the parts that a restore would refuse, then one line for each difference, or one that says that there is none.
pub fn group(dump: &DumpScan, facts: &ServerFacts, asked: &Asked) -> Group {
    let survey = &dump.survey;
    let takes = |name: &str| takes(dump, asked.tables, name);
    let mut lines: Vec<Check> = refused(dump, facts, asked);
    let whole = asked.tables.is_whole();
    let is_empty = dump.is_empty();
    if whole && !asked.exact && lines.is_empty() && is_empty && asked.has_no_table && dump.complete {
        lines.push(Check::new("tables", Outcome::Pass, no_table_either(asked.schema_is_missing)));
    } else if whole && !asked.exact && lines.is_empty() && is_empty {
        lines.push(Check::failed("tables", &no_table(&dump.name)));
    } else if whole && !asked.exact && !dump.complete && lines.is_empty() {
        lines.push(Check::new("end", Outcome::Warn, MAY_BE_CUT));
    }
    lines.extend(keyless(dump, facts, asked));
    lines.extend(of_administrators(dump, facts, asked));
    lines.extend(sequences(dump, facts, asked));
    let found = judge(survey, facts, asked.actions, &takes);
    if found.is_empty() && lines.is_empty() {
        let from =
            survey.origin.server.as_deref().map_or(String::new(), |version| format!(", made from a server {version},"));
        let message = format!("the dump{from} is taken as it stands by this server {}", facts.version);
        lines.push(Check::new("dump", Outcome::Pass, message));
    }
    lines.extend(found.iter().take(MAX_LINES).map(|finding| line(finding, asked.actions)));
    if let Some(more) = found.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        lines.push(Check::new("dump", Outcome::Warn, format!("{more} more differences are not listed")));
    }
    Group::new("dump", lines)
}

/// Whether a table or an object of this name takes part. Of one name there may be a table and a trigger.
fn takes(dump: &DumpScan, tables: &Tables, name: &str) -> bool {
    let mut objects = dump.object_list.iter().filter(|object| object.name == name).peekable();
    let is_object_alone = objects.peek().is_some() && !makes(dump, name);
    let one_does = objects.any(|object| takes_object(dump, tables, object));
    one_does || !is_object_alone && tables.takes(name)
}

/// Whether the dump makes a table or sequence of this name.
fn makes(dump: &DumpScan, name: &str) -> bool {
    dump.sequences.contains_key(name) || dump.tables.iter().any(|table| table.name == name)
}

/// Whether an object takes part: a trigger goes with its table, and where tables are named, what belongs to none stays out.
fn takes_object(dump: &DumpScan, tables: &Tables, object: &ObjectFound) -> bool {
    let named = tables.only.is_some();
    match object.kind {
        ObjectKind::View => tables.takes(&object.name),
        ObjectKind::Trigger => {
            let with_its_table = match dump.triggers.get(&object.name) {
                Some(table) if named || makes(dump, table) => tables.takes(table),
                Some(_) => true,
                None => !named,
            };
            with_its_table && !tables.exclude.covers(&object.name)
        }
        _ => !named && !tables.exclude.covers(&object.name),
    }
}

/// The parts that the load would refuse, with the same words.
fn refused(dump: &DumpScan, facts: &ServerFacts, asked: &Asked) -> Vec<Check> {
    let holds = |refusal: &&Refusal| {
        // What cannot be read to its end hides what follows, whatever it is about.
        let unreadable = refusal.gives_meaning && refusal.code != Code::DumpRefused.name();
        let stays_out = |name: &String| !takes(dump, asked.tables, name);
        let left_out = !unreadable && refusal.subject.as_ref().is_some_and(stays_out);
        let own = refusal.schema.is_some() && refusal.schema.as_deref() == asked.live;
        let skipped = refusal.subject.is_none()
            && refusal.schema.is_none()
            && refusal.code == Code::DumpRefused.name()
            && !refusal.gives_meaning
            && asked.actions.statement == Unknown::Skip;
        !(left_out || own || skipped) && refusal.holds_on(facts.dialect())
    };
    let of = |refusal: &Refusal| {
        let code = Code::from_name(&refusal.code).unwrap_or(Code::DumpRefused);
        let mut error = Error::new(code, refusal.message.clone()).with("line", refusal.line);
        if let Some(hint) = &refusal.hint {
            error = error.hint(hint.clone());
        }
        if let (Some(name), Code::DumpRefused) = (&refusal.subject, code) {
            error = without(error, name);
        }
        Check::failed("statement", &error).with("first_line", refusal.line)
    };
    dump.survey.refused.iter().filter(holds).take(MAX_LINES).map(of).collect()
}

/// Tables that the server takes with a primary key alone.
fn keyless(dump: &DumpScan, facts: &ServerFacts, asked: &Asked) -> Vec<Check> {
    let Some(variable) = &facts.requires_key else { return Vec::new() };
    let taken = dump.survey.keyless.iter().filter(|(name, _)| asked.tables.takes(name));
    let check = |(name, line): &(String, u64)| {
        let message = format!(
            "line {line} of the dump: table {name} has no primary key, and the server takes no such table ({variable})"
        );
        let error = Error::new(Code::DatabaseFailed, message).with("line", *line);
        let hint = format!("Switch it off for the restore (`SET GLOBAL {variable}=OFF`)");
        Check::failed("primary_key", &without(error.hint(hint), name)).with("first_line", *line)
    };
    taken.take(MAX_LINES).map(check).collect()
}

/// Functions and triggers that a server with a binary log does not take.
fn of_administrators(dump: &DumpScan, facts: &ServerFacts, asked: &Asked) -> Vec<Check> {
    if facts.makers == Makers::Anyone {
        return Vec::new();
    }
    let undeclared =
        dump.survey.undeclared.iter().filter(|(name, _)| takes(dump, asked.tables, name)).map(|(name, line)| {
            Check::failed("binary_log", &refusal::undeclared(name, *line)).with("first_line", *line)
        });
    let of_others = dump.object_list.iter().filter(|object| {
        let kinds = [ObjectKind::Trigger, ObjectKind::Function];
        facts.makers == Makers::Others && kinds.contains(&object.kind) && takes_object(dump, asked.tables, object)
    });
    let of_others =
        of_others.map(|object| Check::failed("binary_log", &refusal::of_administrators(object.kind, &object.name)));
    undeclared.chain(of_others).take(MAX_LINES).collect()
}

/// Sequences that the server has not.
fn sequences(dump: &DumpScan, facts: &ServerFacts, asked: &Asked) -> Vec<Check> {
    if facts.dialect().mariadb {
        return Vec::new();
    }
    let taken = dump.sequences.iter().filter(|(name, _)| asked.tables.takes(name));
    let check = |(name, line): (&String, &u64)| {
        Check::failed("sequence", &refusal::no_sequences(name, *line)).with("first_line", *line)
    };
    taken.take(MAX_LINES).map(check).collect()
}

fn line(finding: &Finding, actions: &Actions) -> Check {
    let outcome = match finding.outcome {
        Verdict::Pass => Outcome::Pass,
        Verdict::Warn => Outcome::Warn,
        Verdict::Fail => Outcome::Fail,
    };
    let mut check = Check::new(finding.kind.name(), outcome, finding.message.clone())
        .with("subject", finding.subject.clone())
        .with("count", finding.count)
        .with("first_line", finding.first_line)
        .with("action", serde_json::to_value(finding.action).unwrap_or_default());
    if let Some(table) = &finding.table {
        check = check.with("table", table.clone());
    }
    if let Some(into) = &finding.into {
        check = check.with("into", into.clone());
    }
    if outcome != Outcome::Fail {
        return check;
    }
    // The way out that the load names.
    let error = incompatible(finding, actions);
    let error = match &finding.table {
        Some(table) => or_without(error, table),
        None => error,
    };
    check.code(error.code).hint(error.hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(sql: &str, request: &str) -> Group {
        let facts = ServerFacts {
            version: "10.11.0-MariaDB".into(),
            max_allowed_packet: 1 << 20,
            engines: ["INNODB".to_owned()].into(),
            ..Default::default()
        };
        let request: crate::api::Restore = crate::api::parse(&format!(r#"{{"domain":"a.com"{request}}}"#)).unwrap();
        let selection = crate::plan::selection::Selection::of(&request).unwrap();
        let found = crate::sql::tally::tally(sql.as_bytes()).unwrap();
        let dump = DumpScan {
            name: "d.sql".into(),
            complete: found.complete,
            tables: found.tables,
            objects: found.objects,
            object_list: found.object_list,
            triggers: found.triggers,
            survey: found.survey,
            ..DumpScan::default()
        };
        let asked = Asked {
            actions: &request.options.compatibility,
            tables: &selection.tables().unwrap(),
            live: Some("live"),
            has_no_table: false,
            schema_is_missing: false,
            exact: selection.exact,
        };
        group(&dump, &facts, &asked)
    }

    const END: &str = "-- Dump completed on 2026-01-01";

    #[test]
    fn a_difference_is_a_line_and_none_is_said_to_be_none() {
        let none = judged(&format!("CREATE TABLE t (a int);\n{END}"), "");
        assert_eq!((none.outcome, none.checks.len()), (Outcome::Pass, 1), "{none:?}");
        let refused = judged(
            &format!("\n\n\nCREATE TABLE t (a int) ENGINE=NDB;\n{END}"),
            r#","options":{"compatibility":{"engine":"refuse"}}"#,
        );
        assert_eq!(refused.outcome, Outcome::Fail);
        assert_eq!(refused.checks[0].code, Some(Code::DumpRefused));
        assert_eq!(refused.checks[0].figures["first_line"], 4);
    }

    #[test]
    fn what_the_load_would_refuse_fails_with_its_words_and_the_way_out_is_passed() {
        let tables = "CREATE TABLE good (a int); CREATE TABLE mm (a int) ENGINE=MRG_MyISAM UNION=(good);";
        for (dump, request, code) in [
            (&format!("{tables}\n{END}")[..], "", Some(Code::DumpRefused)),
            (&format!("{tables}\n{END}"), r#","exclude":{"database":["mm"]}"#, None),
            (
                &format!("CREATE TABLE a (x int); INSERT INTO a VALUES (SLEEP(9)); CREATE TABLE b (x int);\n{END}"),
                "",
                Some(Code::DumpRefused),
            ),
            (
                &format!("CREATE TABLE a (x int); INSERT INTO a VALUES (SLEEP(9)); CREATE TABLE b (x int);\n{END}"),
                r#","exclude":{"database":["a"]}"#,
                None,
            ),
            (&format!("CREATE TABLE a (x int); GRANT ALL ON *.* TO x;\n{END}"), "", Some(Code::DumpRefused)),
            (
                &format!("CREATE TABLE a (x int); GRANT ALL ON *.* TO x;\n{END}"),
                r#","options":{"compatibility":{"statement":"skip"}}"#,
                None,
            ),
            // Statements on which the rest depends are not left out.
            (
                &format!("CREATE TABLE a (x int); SET NAMES gbk;\n{END}"),
                r#","options":{"compatibility":{"statement":"skip"}}"#,
                Some(Code::DumpRefused),
            ),
            // Where it is missing, InnoDB takes its place.
            (&format!("CREATE TABLE a (x int) ENGINE=ndbcluster;\n{END}"), "", None),
            (&format!("CREATE TABLE a (x int) ENGINE=FEDERATED;\n{END}"), "", Some(Code::DumpRefused)),
            (&format!("CREATE TABLE live.a (x int);\n{END}"), "", None),
            (&format!("CREATE TABLE live.a (x int); INSERT INTO a VALUES (1);\n{END}"), "", None),
            (
                &format!(
                    "CREATE TABLE a (x int, FOREIGN KEY (x) REFERENCES live.b (x)); INSERT INTO a VALUES (1);\n{END}"
                ),
                "",
                None,
            ),
            (
                &format!("CREATE TABLE a (x int, FOREIGN KEY (x) REFERENCES victim.b (x));\n{END}"),
                "",
                Some(Code::DumpRefused),
            ),
            (&format!("CREATE TABLE victim.a (x int);\n{END}"), "", Some(Code::DumpRefused)),
            // For another server.
            (&format!("CREATE TABLE a (x int); /*!80000 CALL p() */;\n{END}"), "", None),
            (&format!("CREATE TABLE a (x int); /*!50000 CALL p() */;\n{END}"), "", Some(Code::DumpRefused)),
            ("-- MySQL dump 10.13\n/*!40101 SET NAMES utf8 */;\n", "", Some(Code::BackupCorrupt)),
            ("SET @OLD_SQL_NOTES=@@SQL_NOTES; CREATE TABLE a (x int);", "", Some(Code::BackupCorrupt)),
            ("CREATE TABLE a (x int); INSERT INTO a VALUES (1", "", Some(Code::BackupCorrupt)),
            (
                "CREATE TABLE a (x int); INSERT INTO a VALUES (1,'",
                r#","exclude":{"database":["a"]}"#,
                Some(Code::BackupCorrupt),
            ),
        ] {
            let found = judged(dump, request);
            let failed = found.checks.iter().find(|check| check.outcome == Outcome::Fail);
            assert_eq!(failed.and_then(|check| check.code), code, "{dump} {request}: {found:?}");
        }
        let cut = judged("CREATE TABLE a (x int);", "");
        assert_eq!((cut.outcome, cut.checks[0].name.as_str()), (Outcome::Warn, "end"));
    }
}
