//! A dump: the first byte says to which server, the rest is the dump. What reaches the server is what was classified, whatever
//! the pieces it arrives in.

use super::pieces::pieces;
use rocketvps_restore::backup::scan::Tally;
use rocketvps_restore::error::Code;
use rocketvps_restore::sql::compat::{Actions, ServerFacts, adapt};
use rocketvps_restore::sql::definer::{asleep, trigger_table, with_definer};
use rocketvps_restore::sql::insert::InsertHead;
use rocketvps_restore::sql::lexer::{Dialect, Item, Lexer};
use rocketvps_restore::sql::session::Session;
use rocketvps_restore::sql::shape::shape;
use rocketvps_restore::sql::statement::{ObjectKind, Statement, classify};
use rocketvps_restore::sql::table::TableText;
use rocketvps_restore::sql::token::{Quoting, escapes, tokens};
use rocketvps_restore::sql::{quote_name, rows};
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
    let mut tally = Tally::default();
    tally.push(dump);
    let mut cut = Tally::default();
    dump.chunks(1).for_each(|byte| cut.push(byte));
    let shown = |tally: Tally| {
        let found = tally.finish();
        format!("{:?}", (found.tables, found.objects, found.object_list, found.complete))
    };
    assert_eq!(shown(tally), shown(cut), "the tally depends on the pieces");
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
                ObjectKind::Trigger => drop(trigger_table(&own, quoting)),
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
