//! A dump: the first byte says to which server, the rest is the dump. What reaches the server is what was classified, whatever
//! the pieces it arrives in.

use super::pieces::pieces;
use rocketvps_restore::backup::scan::tally;
use rocketvps_restore::error::{Code, Error};
use rocketvps_restore::sql::compat::adapt::with_usual_options;
use rocketvps_restore::sql::compat::{Actions, ServerFacts, adapt};
use rocketvps_restore::sql::definer::{asleep, with_definer};
use rocketvps_restore::sql::function::is_declared;
use rocketvps_restore::sql::insert::InsertHead;
use rocketvps_restore::sql::lexer::{Item, Lexer};
use rocketvps_restore::sql::session::Session;
use rocketvps_restore::sql::shape::shape;
use rocketvps_restore::sql::state::DumpState;
use rocketvps_restore::sql::statement::{ObjectKind, Statement, classify};
use rocketvps_restore::sql::table::TableText;
use rocketvps_restore::sql::token::{Quoting, escapes, tokens};
use rocketvps_restore::sql::trigger::Trigger;
use rocketvps_restore::sql::versioned::Dialect;
use rocketvps_restore::sql::{quote_name, rows};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

pub fn run(data: &[u8]) {
    let Some((server, dump)) = data.split_first() else { return };
    let dialect = match server % 3 {
        0 => Dialect { version: 101_119, mariadb: true },
        1 => Dialect { version: 80_036, mariadb: false },
        _ => Dialect { version: 50_744, mariadb: false },
    };
    let whole = read(dump, dump, dialect);
    assert_eq!(whole, read(dump, pieces(dump), dialect), "the statements depend on how the bytes arrive");
    let shown = |source: &mut dyn Read| {
        let found = tally(source).expect("a dump in memory can be read");
        format!("{:?}", (found.tables, found.objects, found.object_list, found.complete, found.survey))
    };
    assert_eq!(shown(&mut &dump[..]), shown(&mut pieces(dump)), "the tally depends on the pieces");
    agree(dump);
}

/// Who looks at a dump and who loads it find the same tables with the same rows, and refuse the same dumps. Where what is executed of
/// a dump depends on the server, each is right in its own way.
fn agree(dump: &[u8]) {
    if [&b"/*!"[..], b"/*M!"].iter().any(|mark| dump.windows(mark.len()).any(|found| found == *mark)) {
        return;
    }
    let mut lexer = Lexer::new(dump, Dialect { version: 999_998, mariadb: true }, 64);
    let mut state = DumpState::new(None);
    let (mut rows, mut tables) = (BTreeMap::<String, u64>::new(), BTreeSet::new());
    let mut load = || -> Result<(), Error> {
        loop {
            let item = lexer.next_item();
            state.comments(&lexer.take_remarks());
            match item? {
                None => return state.end(),
                Some(Item::Rows(found)) => {
                    state.rows(&found.head, found.line)?;
                    *rows.entry(found.head.table.clone()).or_default() += found.count;
                }
                Some(Item::Statement { text, line }) => {
                    let own = state.own_text(&text).into_owned();
                    match state.statement(&with_usual_options(&own, state.quoting()), line)? {
                        Statement::CreateTable(name) => drop(tables.insert(name.name)),
                        Statement::DropTable(names) => names.iter().for_each(|name| {
                            tables.remove(&name.name);
                            rows.remove(&name.name);
                        }),
                        Statement::Empty(name) => drop(rows.remove(&name.name)),
                        Statement::InsertRow(name) => *rows.entry(name.name).or_default() += 1,
                        _ => {}
                    }
                    lexer.set_quoting(state.quoting());
                }
            }
        }
    };
    let loaded = load();
    let found = tally(dump).expect("a dump in memory can be read");
    let refused = found.survey.refused.first();
    assert_eq!(loaded.as_ref().err().map(|error| error.message.as_str()), refused.map(|first| first.message.as_str()));
    if loaded.is_ok() {
        let counted: BTreeMap<&str, u64> = found.tables.iter().map(|table| (table.name.as_str(), table.rows)).collect();
        assert_eq!(found.complete, state.is_whole());
        for (table, count) in &counted {
            assert_eq!(*count, rows.get(*table).copied().unwrap_or_default(), "rows of {table:?}");
        }
        let views: BTreeSet<&str> = found.object_list.iter().map(|object| object.name.as_str()).collect();
        for table in tables.iter().filter(|table| !views.contains(table.as_str())) {
            assert!(counted.contains_key(table.as_str()), "{table:?} is not seen");
        }
    }
}

/// The items of a dump, each looked at as the loader does, and how it ended.
fn read(dump: &[u8], source: impl Read, dialect: Dialect) -> (Vec<Item>, Option<Code>) {
    let mut lexer = Lexer::new(source, dialect, 64);
    let mut session = Session::default();
    let mut found = Vec::new();
    loop {
        let quoting = session.quoting();
        let item = match lexer.next_item() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(error) => return (found, Some(error.code)),
        };
        lexer.take_skipped();
        match &item {
            Item::Statement { text, line } => statement(text, *line, quoting, &mut session),
            Item::Rows(extent) => {
                let (from, length) = (extent.offset as usize, extent.length as usize);
                check_rows(&dump[from..from + length], &extent.head, extent.count, quoting, dialect);
            }
        }
        lexer.set_quoting(session.quoting());
        found.push(item);
    }
    session.to_sql("");
    session.not_set_back();
    (found, None)
}

fn statement(text: &[u8], line: u64, quoting: Quoting, session: &mut Session) {
    assert!(line > 0 && !text.trim_ascii().is_empty());
    if let Some(place) = executable_comment(text, quoting) {
        panic!("the server would unwrap {:?}", String::from_utf8_lossy(&text[place..]));
    }
    for token in tokens(text, quoting) {
        assert!(!token.span.is_empty() && token.span.end <= text.len());
    }
    let class = classify(text, quoting);
    if class == Ok(Statement::Set) {
        let _ = session.apply(text);
    }
    let Ok(sql) = std::str::from_utf8(text) else { return };
    let _ = adapt(sql, quoting, line, "", &ServerFacts::default(), &Actions::default());
    match class {
        Ok(Statement::CreateTable(_)) => {
            let _ = (TableText::parse(sql, quoting), shape(sql));
        }
        Ok(Statement::CreateObject(kind, _)) => {
            let own = with_definer(sql, quoting, Some("`site`@`localhost`"));
            assert_eq!(with_definer(&own, quoting, Some("`site`@`localhost`")), own, "the definer is set once");
            match kind {
                ObjectKind::Trigger => {
                    if let Some(trigger) = Trigger::parse(&own, quoting) {
                        // Whatever it names, it is made in the schema that is asked for, and is read as it was written.
                        let made = trigger.create_in("s", "`d`@`h`");
                        assert!(
                            Trigger::parse(&made, quoting).is_none_or(|again| again.table.name == trigger.table.name),
                            "{made}"
                        );
                    }
                }
                ObjectKind::Function => drop(is_declared(&own, quoting)),
                ObjectKind::Event => drop(asleep(&own, quoting)),
                _ => {}
            }
        }
        _ => {}
    }
}

fn check_rows(text: &[u8], head: &InsertHead, count: u64, quoting: Quoting, dialect: Dialect) {
    assert!(text.starts_with(b"(") && text.ends_with(b")"), "{:?}", String::from_utf8_lossy(text));
    let split = rows::split(text, quoting, dialect).expect("rows that were read can be cut");
    assert_eq!(split.len() as u64, count);
    rows::as_text(text.to_vec(), quoting, "_latin1 ");
    let sql = head.to_sql();
    let again = InsertHead::parse(sql.as_bytes(), Quoting::default());
    assert_eq!(again, Some(InsertHead { schema: None, ..head.clone() }), "{sql}");
    assert!(sql.contains(&quote_name(&head.table)));
}

/// Where a comment begins that the server executes, read by the server's own rules.
fn executable_comment(text: &[u8], quoting: Quoting) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        at += match rest[0] {
            quote @ (b'\'' | b'"' | b'`') => quoted(rest, quote, escapes(quote, quoting)),
            b'#' => line(rest),
            b'-' if rest.starts_with(b"--") && rest.get(2).is_none_or(|byte| *byte <= b' ' || *byte == 0x7f) => {
                line(rest)
            }
            b'/' if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => return Some(at),
            b'/' if rest.starts_with(b"/*") => {
                rest[2..].windows(2).position(|end| end == b"*/").map_or(rest.len(), |end| end + 4)
            }
            _ => 1,
        };
    }
    None
}

fn line(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1)
}

fn quoted(rest: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}
