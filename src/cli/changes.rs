//! What a restore would change, as text for people.

use crate::api::answer::comparison::{Change, ChangedValue, Changes, Counts, RowChanges, RowEntry, ValueShown};
use crate::cli::format::{count, line};
use crate::cli::terminal::Style;
use crate::siteconf::mask::HIDDEN;
use crate::text::printable;

/// What a restore would change.
pub fn changed(changes: &Changes, style: Style) -> String {
    let mut out = String::new();
    if let Some(found) = &changes.files {
        counts("Files", &found.files, style, &mut out);
        found.entries.iter().for_each(|entry| change(entry.change, &entry.path, style, &mut out));
    }
    if let Some(found) = &changes.tables {
        counts("Tables", &found.tables, style, &mut out);
        for kept in &found.kept_rows {
            let (rows, table) = (count(kept.rows), printable(&kept.table));
            line(&mut out, &format!("    {rows} newer rows of {table} are kept (by {})", printable(&kept.column)));
        }
        match &changes.rows {
            Some(_) => {}
            None => line(&mut out, "    Rows were counted, not compared: `diff --rows` compares them."),
        }
        for entry in &found.entries {
            change(entry.change, &entry.name, style, &mut out);
            if let Some(why) = &entry.rows_not_compared {
                let (name, why) = (printable(&entry.name), printable(why));
                line(
                    &mut out,
                    &format!("  {}", style.paint(33, &format!("! {name}: its rows were not compared: {why}"))),
                );
            }
        }
    }
    if let Some(found) = &changes.rows {
        rows(found, style, &mut out);
    }
    if let Some(found) = &changes.config {
        counts("Configuration", &found.files, style, &mut out);
        found.entries.iter().for_each(|entry| change(entry.change, &entry.name, style, &mut out));
    }
    out
}

fn counts(title: &str, counts: &Counts, style: Style, out: &mut String) {
    let Counts { added, changed, removed, same, kept } = *counts;
    let shown: Vec<String> =
        [(added, "added"), (changed, "changed"), (removed, "removed"), (same, "same"), (kept, "kept")]
            .into_iter()
            .filter(|(number, word)| *word == "same" || *number > 0)
            .map(|(number, word)| format!("{} {word}", count(number)))
            .collect();
    line(out, &format!("{}  {}", style.paint(1, &format!("{title:<13}")), shown.join(", ")));
}

fn change(change: Change, name: &str, style: Style, out: &mut String) {
    let (colour, sign) = match change {
        Change::Added => (32, '+'),
        Change::Changed => (33, '~'),
        Change::Removed => (31, '-'),
        Change::Same | Change::Kept => return,
    };
    line(out, &format!("  {}", style.paint(colour, &format!("{sign} {}", printable(name)))));
}

/// The rows that differ: of a changed one the live value and, behind it, the one that it would get.
fn rows(found: &RowChanges, style: Style, out: &mut String) {
    let RowChanges { added, changed, removed, same, .. } = *found;
    counts("Rows", &Counts { added, changed, removed, same, kept: 0 }, style, out);
    if found.not_compared > 0 {
        let (number, unit) = (found.not_compared, if found.not_compared == 1 { "table" } else { "tables" });
        let said = format!("! the rows of {} {unit} were not compared; `--json` tells why of each", count(number));
        line(out, &format!("    {}", style.paint(33, &said)));
    }
    for entry in &found.entries {
        change(entry.change, &named(entry), style, out);
        for ChangedValue { column, backup, live } in &entry.columns {
            let (column, live, backup) = (printable(column), value(live), value(backup));
            let arrow = if style.unicode { '→' } else { '>' };
            line(out, &format!("      {column}: {live} {arrow} {backup}"));
        }
    }
    let more = found.total.saturating_sub(found.entries.len() as u64);
    if more > 0 {
        line(
            out,
            &format!(
                "    {} more: `--limit` shows up to 1,000 of them, `--json` names the job of which pages can be asked for.",
                count(more)
            ),
        );
    }
    if found.unlisted > 0 {
        let (unlisted, most) = (count(found.unlisted), count(found.most_listed));
        line(
            out,
            &format!(
                "    {unlisted} rows that differ are counted alone: they have no primary key, or are beyond {most} of their table."
            ),
        );
    }
}

/// `wp_posts ID=12`.
fn named(row: &RowEntry) -> String {
    let keys = row.key.iter().map(|key| format!(" {}={}", key.column, value(&key.value)));
    keys.fold(row.table.clone(), |name, key| name + &key)
}

fn value(shown: &ValueShown) -> String {
    if shown.hidden {
        return HIDDEN.to_owned();
    }
    let (text, more) = match (&shown.text, &shown.hex) {
        (Some(text), _) => (format!("'{}'", printable(text)), "…"),
        (None, Some(hex)) => (format!("0x{hex}"), "…"),
        (None, None) => return "NULL".to_owned(),
    };
    match shown.length {
        Some(length) => format!("{text}{more} ({} bytes)", count(length)),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::answer::comparison::KeyValue;

    fn text(text: &str) -> ValueShown {
        ValueShown { text: Some(text.into()), ..ValueShown::default() }
    }

    #[test]
    fn a_row_is_shown_as_it_is_and_as_it_would_be_and_no_letter_of_it_acts_on_the_terminal() {
        let changed = |column: &str, backup, live| ChangedValue { column: column.into(), backup, live };
        let hidden = || ValueShown { hidden: true, ..ValueShown::default() };
        let entry = RowEntry {
            table: "t\u{1b}[2J".into(),
            change: Change::Changed,
            key: vec![KeyValue { column: "id".into(), value: text("7") }],
            columns: vec![
                changed("a", text("old\n"), ValueShown::default()),
                changed("pass", hidden(), hidden()),
                changed(
                    "raw",
                    ValueShown { hex: Some("ff".into()), length: Some(2000), ..ValueShown::default() },
                    text(""),
                ),
            ],
        };
        let found = RowChanges {
            changed: 3,
            total: 2,
            unlisted: 1,
            most_listed: 1000,
            entries: vec![entry],
            ..RowChanges::default()
        };
        let mut out = String::new();
        rows(&found, Style { colour: false, unicode: true, live: false }, &mut out);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(
            lines[1..5],
            [
                "  ~ t\\u{1b}[2J id='7'",
                "      a: NULL → 'old\\n'",
                "      pass: *** → ***",
                "      raw: '' → 0xff… (2,000 bytes)"
            ]
        );
        assert!(lines[5].contains("1 more") && lines[6].contains("1 rows that differ are counted alone"), "{out}");
    }
}
