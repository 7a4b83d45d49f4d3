//! The rows that are shown: those of the keys that differ, found again on both sides with their values. Pure.

use super::plan::Plan;
use crate::api::answer::comparison::{Change, ChangedValue, KeyValue, RowEntry, ValueShown};
use crate::sql::identity::Identity;
use crate::sql::outline::{Beginning, Outline, Shown};
use crate::sql::secret;
use crate::text;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Bytes of values that wait for the other side, of one table.
const MOST_BYTES: usize = 16 << 20;

/// Rows of one table that wait for their other side.
pub struct Pairs {
    keys: Arc<HashSet<u128>>,
    /// By key, in the order in which they first came.
    found: HashMap<u128, usize>,
    rows: Vec<Both>,
    held: usize,
    bytes: usize,
    /// Keys of which neither side is kept any more.
    dropped: HashSet<u128>,
}

#[derive(Default)]
struct Both {
    backup: Vec<(Identity, Outline)>,
    live: Vec<(Identity, Outline)>,
}

impl Pairs {
    /// For the rows of these keys.
    pub fn new(keys: Arc<HashSet<u128>>) -> Pairs {
        Pairs { keys, found: HashMap::new(), rows: Vec::new(), held: 0, bytes: 0, dropped: HashSet::new() }
    }

    /// Whether a row of the backup is one of them.
    pub fn wants(&self, row: Identity) -> bool {
        self.keys.contains(&row.key)
    }

    /// A row of the backup.
    pub fn add_backup(&mut self, row: Identity, outline: Outline) {
        self.add(row, outline, |both| &mut both.backup);
    }

    /// A row of the live table.
    pub fn add_live(&mut self, row: Identity, outline: Outline) {
        self.add(row, outline, |both| &mut both.live);
    }

    fn add(&mut self, row: Identity, outline: Outline, side: impl Fn(&mut Both) -> &mut Vec<(Identity, Outline)>) {
        if self.dropped.contains(&row.key) {
            return;
        }
        // A dump may have a key as often as it likes.
        let size = outline.size();
        if self.bytes + size > MOST_BYTES || self.held >= 4 * self.keys.len() {
            self.drop_key(row.key);
            return;
        }
        self.bytes += size;
        self.held += 1;
        let place = *self.found.entry(row.key).or_insert_with(|| {
            self.rows.push(Both::default());
            self.rows.len() - 1
        });
        side(&mut self.rows[place]).push((row, outline));
    }

    /// Keeps nothing of a key: a row of which one side alone were known would be told as one that the other side lacks.
    fn drop_key(&mut self, key: u128) {
        self.dropped.insert(key);
        let Some(both) = self.found.remove(&key).and_then(|place| self.rows.get_mut(place)).map(std::mem::take) else {
            return;
        };
        self.bytes -= both.backup.iter().chain(&both.live).map(|(_, outline)| outline.size()).sum::<usize>();
    }

    /// Their entries.
    pub fn entries(self, plan: &Plan) -> Vec<RowEntry> {
        let masking = Masking::of(plan);
        self.rows.into_iter().flat_map(|both| both.entries(plan, &masking)).collect()
    }
}

/// What the names of a table's columns say of its values.
struct Masking {
    /// The table's own name says that it is full of secrets.
    table: bool,
    /// Columns that hold secrets by their name.
    named: Vec<bool>,
    /// Columns that name what is in others.
    naming: Vec<bool>,
}

impl Masking {
    fn of(plan: &Plan) -> Masking {
        let each = |is: fn(&str) -> bool| plan.names.iter().map(|name| is(name)).collect();
        Masking {
            table: secret::is_table(&plan.table),
            named: each(secret::is_named),
            naming: each(secret::names_others),
        }
    }

    /// Whether a column of one of the sides says that the row is about a secret.
    fn is_of_secret(&self, sides: &[&Outline]) -> bool {
        let places = self.naming.iter().enumerate().filter(|(_, names)| **names);
        places.into_iter().any(|(place, _)| texts(sides, place).any(|value| secret::is_option(&value)))
    }
}

fn texts<'a>(sides: &'a [&Outline], place: usize) -> impl Iterator<Item = String> + 'a {
    sides.iter().filter_map(move |row| row.value(place)).map(|value| value.text().into_owned())
}

impl Both {
    fn entries(mut self, plan: &Plan, masking: &Masking) -> Vec<RowEntry> {
        self.backup.retain(|(row, _)| match self.live.iter().position(|(other, _)| other == row) {
            Some(same) => {
                self.live.remove(same);
                false
            }
            None => true,
        });
        let changed = self.backup.len().min(self.live.len());
        let pairs = self
            .backup
            .iter()
            .zip(&self.live)
            .map(|((_, backup), (_, live))| Some(plan.changed(backup, live, masking)));
        let added = self.backup[changed..].iter().map(|(_, row)| plan.alone(Change::Added, row, masking));
        let removed = self.live[changed..].iter().map(|(_, row)| plan.alone(Change::Removed, row, masking));
        pairs.flatten().chain(added).chain(removed).collect()
    }
}

impl Plan {
    fn alone(&self, change: Change, row: &Outline, masking: &Masking) -> RowEntry {
        let of_secret = masking.is_of_secret(&[row]);
        let key = self.key_of(&[row], (masking, of_secret));
        RowEntry { table: self.table.clone(), change, key, columns: Vec::new() }
    }

    fn changed(&self, backup: &Outline, live: &Outline, masking: &Masking) -> RowEntry {
        let sides = [backup, live];
        let judged = (masking, masking.is_of_secret(&sides));
        let changed = |place: usize| {
            let hidden = self.is_hidden(place, &sides, judged);
            Some(ChangedValue {
                column: self.names.get(place)?.clone(),
                backup: shown(backup.value(place), hidden),
                live: shown(live.value(place), hidden),
            })
        };
        let columns = backup.unequal(live).filter_map(changed).collect();
        RowEntry { table: self.table.clone(), change: Change::Changed, key: self.key_of(&sides, judged), columns }
    }

    fn key_of(&self, sides: &[&Outline], judged: (&Masking, bool)) -> Vec<KeyValue> {
        let value = |place: &usize| {
            let value = shown(sides.first()?.value(*place), self.is_hidden(*place, sides, judged));
            Some(KeyValue { column: self.names.get(*place)?.clone(), value })
        };
        self.key.iter().filter_map(value).collect()
    }

    /// Whether a value is a secret on one of the sides: then neither is shown. What a row of options or of metadata is about stands in
    /// another column of it; `of_secret` says whether that is a secret.
    fn is_hidden(&self, place: usize, sides: &[&Outline], (masking, of_secret): (&Masking, bool)) -> bool {
        let said = |of: &[bool]| of.get(place) == Some(&true);
        let is_plain = said(&self.plain);
        if said(&masking.named) || (!is_plain && texts(sides, place).any(|value| secret::is_value(&value))) {
            return true;
        }
        let is_key = self.key.contains(&place);
        !(is_plain && is_key) && (masking.table && !is_plain || !said(&masking.naming) && of_secret)
    }
}

fn shown(value: Option<&Beginning>, hidden: bool) -> ValueShown {
    if hidden {
        return ValueShown { hidden, ..ValueShown::default() };
    }
    let Some(value) = value else { return ValueShown::default() };
    let (shown, is_whole) = value.shown();
    let length = (!is_whole).then_some(value.length);
    match shown {
        Shown::Text(text) => ValueShown { text: Some(text), length, ..ValueShown::default() },
        Shown::Bytes(bytes) => ValueShown { hex: Some(text::hex(&bytes)), length, ..ValueShown::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::digest::{Key, Row};
    use crate::sql::identity::{Identifier, Written};

    const KEY: Key = Key::new([9; Key::BYTES]);

    fn plan(table: &str, names: &[&str]) -> Plan {
        Plan {
            table: table.into(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            written: vec![Written::Bytes; names.len()],
            plain: (0..names.len()).map(|place| place == 0).collect(),
            key: vec![0],
        }
    }

    fn row(values: &[Option<&str>]) -> (Identity, Outline) {
        let mut row = Row::default();
        for value in values {
            match value {
                Some(value) => row.value(value.as_bytes()),
                None => row.null(),
            }
        }
        let written = vec![Written::Bytes; values.len()];
        let identity = Identifier::new(KEY, written.clone(), vec![0]).identify(&row);
        (identity, Outline::of(&row, &written, &KEY))
    }

    fn entries(plan: &Plan, backup: &[&[Option<&str>]], live: &[&[Option<&str>]]) -> Vec<RowEntry> {
        let (backup, live): (Vec<_>, Vec<_>) =
            (backup.iter().map(|of| row(of)).collect(), live.iter().map(|of| row(of)).collect());
        let keys = backup.iter().chain(&live).map(|(row, _)| row.key).collect();
        let mut pairs = Pairs::new(Arc::new(keys));
        backup.into_iter().for_each(|(row, outline)| pairs.add_backup(row, outline));
        live.into_iter().for_each(|(row, outline)| pairs.add_live(row, outline));
        pairs.entries(plan)
    }

    fn words(entries: &[RowEntry]) -> Vec<String> {
        entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect()
    }

    #[test]
    fn a_changed_row_tells_its_columns_with_both_values() {
        let plan = plan("t", &["id", "title", "body", "note"]);
        let found = entries(
            &plan,
            &[&[Some("1"), Some("a"), None, Some("n")], &[Some("2"), Some("x"), None, None]],
            &[&[Some("3"), None, None, None], &[Some("1"), Some("b"), Some(""), Some("n")]],
        );
        let [one, two, three] = words(&found).try_into().unwrap();
        assert_eq!(
            one,
            r#"{"table":"t","change":"changed","key":[{"column":"id","value":{"text":"1"}}],"columns":[{"column":"title","backup":{"text":"a"},"live":{"text":"b"}},{"column":"body","backup":{},"live":{"text":""}}]}"#
        );
        assert_eq!(two, r#"{"table":"t","change":"added","key":[{"column":"id","value":{"text":"2"}}]}"#);
        assert_eq!(three, r#"{"table":"t","change":"removed","key":[{"column":"id","value":{"text":"3"}}]}"#);
    }

    #[test]
    fn a_key_that_the_dump_has_twice_hides_no_row() {
        let plan = plan("t", &["id", "v"]);
        let found = entries(&plan, &[&[Some("1"), Some("x")], &[Some("1"), Some("y")]], &[&[Some("1"), Some("y")]]);
        assert_eq!(words(&found), [r#"{"table":"t","change":"added","key":[{"column":"id","value":{"text":"1"}}]}"#]);
    }

    #[test]
    fn what_is_too_much_to_hold_is_told_of_neither_side() {
        let plan = plan("t", &["id", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]);
        let wide = |id: usize, letter: &str| {
            let (id, value) = (id.to_string(), letter.repeat(900));
            let mut values = vec![Some(id.as_str())];
            values.extend(std::iter::repeat_n(Some(value.as_str()), 12));
            row(&values)
        };
        let backup: Vec<_> = (0..3000).map(|id| wide(id, "b")).collect();
        let mut pairs = Pairs::new(Arc::new(backup.iter().map(|(row, _)| row.key).collect()));
        backup.into_iter().for_each(|(row, outline)| pairs.add_backup(row, outline));
        (0..3000).for_each(|id| {
            let (row, outline) = wide(id, "a");
            pairs.add_live(row, outline);
        });
        let found = pairs.entries(&plan);
        assert!(found.len() > 100 && found.len() < 3000, "{}", found.len());
        assert!(found.iter().all(|entry| entry.change == Change::Changed));
    }

    #[test]
    fn neither_side_of_a_secret_is_shown() {
        let hidden = |table: &str, names: &[&str], backup: &[&str], live: &[&str]| {
            let some = |values: &[&str]| values.iter().map(|value| Some((*value).to_owned())).collect::<Vec<_>>();
            let (backup, live) = (some(backup), some(live));
            let backup: Vec<Option<&str>> = backup.iter().map(Option::as_deref).collect();
            let live: Vec<Option<&str>> = live.iter().map(Option::as_deref).collect();
            let found = entries(&plan(table, names), &[&backup], &[&live]);
            words(&found).concat()
        };
        for (table, names, backup, live) in [
            ("wp_users", &["ID", "user_pass"][..], &["1", "hunter2"][..], &["1", "hunter3"][..]),
            (
                "wp_options",
                &["option_id", "option_name", "option_value"],
                &["1", "auth_key", "hunter2"],
                &["1", "auth_key", "hunter3"],
            ),
            (
                "wp_usermeta",
                &["umeta_id", "meta_key", "meta_value"],
                &["1", "session_tokens", "hunter2"],
                &["1", "session_tokens", ""],
            ),
            // The name of one side is enough.
            (
                "wp_options",
                &["option_id", "option_name", "option_value"],
                &["1", "smtp_pass", "hunter2"],
                &["1", "blogname", "hunter3"],
            ),
            ("notes", &["id", "body"], &["1", "https://a:hunter2@b.c/"], &["1", "hunter3 was here"]),
            ("sessions", &["id", "payload"], &["1", "hunter2"], &["1", "hunter3"]),
        ] {
            let said = hidden(table, names, backup, live);
            assert!(!said.contains("hunter") && said.contains(r#"{"hidden":true}"#), "{table}: {said}");
        }
        let open = hidden(
            "wp_options",
            &["option_id", "option_name", "option_value"],
            &["1", "blogname", "A"],
            &["1", "blogname", "B"],
        );
        assert!(open.contains(r#""backup":{"text":"A"},"live":{"text":"B"}"#), "{open}");
    }
}
