//! Which names and strings of a dump have the prefix of its tables, told by where they stand. Pure.

use super::{MAX_NAME, Renaming};
use std::collections::{HashMap, HashSet};

/// Most names of a kind that are remembered.
const MAX_KNOWN: usize = 20_000;
/// How words and functions of SQL begin: a bare word with such a prefix is no table, but where nothing else can stand.
const OF_SQL: &[&str] = &[
    "add_",
    "aes_",
    "any_",
    "ascii_",
    "auto_",
    "avg_",
    "bit_",
    "char_",
    "character_",
    "collation_",
    "column_",
    "concat_",
    "cume_",
    "current_",
    "date_",
    "day_",
    "delay_",
    "dense_",
    "des_",
    "export_",
    "find_",
    "first_",
    "foreign_",
    "from_",
    "geom_",
    "get_",
    "group_",
    "gtid_",
    "high_",
    "hour_",
    "inet_",
    "inet6_",
    "insert_",
    "is_",
    "json_",
    "key_",
    "last_",
    "latin1_",
    "line_",
    "load_",
    "low_",
    "lpad_",
    "make_",
    "master_",
    "max_",
    "mbr_",
    "min_",
    "minute_",
    "multi_",
    "name_",
    "natural_",
    "no_",
    "nth_",
    "octet_",
    "old_",
    "pack_",
    "page_",
    "percent_",
    "percentile_",
    "period_",
    "point_",
    "poly_",
    "ps_",
    "random_",
    "regexp_",
    "release_",
    "row_",
    "rpad_",
    "sec_",
    "second_",
    "session_",
    "source_",
    "sql_",
    "st_",
    "statement_",
    "stats_",
    "str_",
    "straight_",
    "substring_",
    "sys_",
    "system_",
    "time_",
    "to_",
    "trim_",
    "unique_",
    "unix_",
    "utc_",
    "utf8_",
    "utf8mb3_",
    "utf8mb4_",
    "uuid_",
    "wait_",
    "weight_",
    "year_",
];

/// The prefix that WordPress proposes.
const USUAL: &str = "wp_";

/// A table in which WordPress keeps the prefix as data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// The name of the option that has the roles.
    Options,
    /// The keys of what belongs to a user on one site.
    UserMeta,
}

impl Keeper {
    /// Its column, and where that is in the tables that WordPress makes.
    fn column(self) -> (&'static [u8], usize) {
        match self {
            Keeper::Options => (b"option_name", 1),
            Keeper::UserMeta => (b"meta_key", 2),
        }
    }

    /// What WordPress itself writes behind the prefix.
    fn written(self) -> &'static [&'static [u8]] {
        match self {
            Keeper::Options => &[b"user_roles"],
            Keeper::UserMeta => &[
                b"capabilities",
                b"user_level",
                b"user-settings",
                b"user-settings-time",
                b"dashboard_quick_press_last_post_id",
                b"media_library_mode",
                b"persisted_preferences",
            ],
        }
    }

    /// Whether a string has the prefix; `rest` begins behind it.
    fn holds(self, rest: &[u8], quote: u8) -> bool {
        let is_whole = |written: &&[u8]| {
            of_one_site(rest).strip_prefix(*written).is_some_and(|behind| behind.first() == Some(&quote))
        };
        self.written().iter().any(is_whole)
    }

    /// The same where the prefix is that of the dump's own tables. Plugins write keys behind it, too, and others that are the same on every
    /// site: these begin with `wp_` (`wp_2fa_totp_key`), so under this prefix nobody tells the two apart. A key that stays is a setting to be
    /// made again; one that is renamed is a second factor that is gone.
    fn holds_own(self, prefix: &str, rest: &[u8], quote: u8) -> bool {
        self.holds(rest, quote) || self == Keeper::UserMeta && !prefix.eq_ignore_ascii_case(USUAL)
    }
}

/// Without the number of one site of a network.
fn of_one_site(name: &[u8]) -> &[u8] {
    let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match name.get(digits) {
        Some(b'_') if digits > 0 => &name[digits + 1..],
        _ => name,
    }
}

/// Where in a statement the text is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Other,
    /// Before the table of an `INSERT`.
    Into,
    /// Behind it.
    Filled,
    /// In the list of its columns.
    Listed,
    /// In its rows.
    Rows,
    /// Behind them: what becomes of rows that are there.
    Updates,
    /// In `SET a=1, b=2`.
    Set,
    /// In the definitions of a `CREATE TABLE`.
    Definitions,
}

/// What the word before a name says of it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Lead {
    #[default]
    Nothing,
    /// It is a table or another object of the schema.
    Object,
    /// It is made up here.
    Alias,
    /// It is a schema.
    Schema,
}

/// The names of a dump so far.
#[derive(Default)]
pub(super) struct Names {
    step: Step,
    lead: Lead,
    /// The statement makes something.
    creates: bool,
    /// It makes a table: its name comes, or its definitions.
    makes: bool,
    /// The table of the statement.
    table: Vec<u8>,
    keeper: Option<Keeper>,
    /// The column in which it keeps the prefix.
    key: usize,
    column: usize,
    depth: u32,
    /// A column of the table may be named here.
    fresh: bool,
    /// In `SET` the last name was that of the column.
    is_key: bool,
    /// Names with the prefix: objects, columns, schemas.
    objects: HashSet<Vec<u8>>,
    columns: HashSet<Vec<u8>>,
    schemas: HashSet<Vec<u8>>,
    /// Where a table made by the dump has the column, by the table's name.
    keys: HashMap<Vec<u8>, usize>,
    /// Bare words are told from those of SQL.
    bare: bool,
}

fn is(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes()))
}

impl Names {
    pub(super) fn new(renaming: &Renaming) -> Names {
        let of_sql = |from: &String| {
            let from = from.to_ascii_lowercase();
            !from.ends_with('_') || OF_SQL.iter().any(|word| word.starts_with(&from) || from.starts_with(word))
        };
        let bare = renaming.from.as_ref().is_some_and(|from| !of_sql(from));
        Names { bare, ..Names::default() }
    }

    /// A statement ends.
    pub(super) fn end(&mut self) {
        (self.step, self.lead, self.depth, self.fresh) = (Step::Other, Lead::Nothing, 0, false);
        (self.creates, self.makes) = (false, false);
    }

    /// The dump says that this is a schema.
    pub(super) fn schema(&mut self, name: &[u8]) {
        remember(&mut self.schemas, name);
    }

    /// A bare word, and the byte behind it: how many bytes of it another prefix takes the place of.
    pub(super) fn word(&mut self, renaming: &Renaming, word: &[u8], (before, next): (u8, Option<u8>)) -> Option<usize> {
        if before == b'@' {
            self.lead = Lead::Nothing;
            return None;
        }
        let lead = std::mem::take(&mut self.lead);
        let step = self.step;
        match step {
            // A function of the schema, which rows of a dump do not have, and statements of a body do.
            Step::Rows if self.depth > 0 => {
                let from = renaming.from.as_ref().filter(|from| word.starts_with(from.as_bytes()))?;
                return (self.bare && next == Some(b'(')).then_some(from.len());
            }
            Step::Rows | Step::Filled if is(word, &["VALUES", "VALUE"]) => {
                (self.step, self.depth, self.column) = (Step::Rows, 0, 0);
                return None;
            }
            Step::Filled if is(word, &["SET"]) => {
                self.step = Step::Set;
                return None;
            }
            Step::Rows => self.step = Step::Updates,
            Step::Filled => self.step = Step::Other,
            Step::Into if is(word, &["INTO", "IGNORE", "LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"]) => return None,
            Step::Into if is(word, &["ON", "OR", "SELECT"]) => self.step = Step::Other,
            _ => {}
        }
        let fresh = std::mem::take(&mut self.fresh) && self.step == Step::Definitions && self.depth == 1;
        if self.step == Step::Other {
            match word {
                // `CREATE OR REPLACE`.
                _ if is(word, &["INSERT"]) || !self.creates && is(word, &["REPLACE"]) => {
                    self.step = Step::Into;
                    return None;
                }
                _ if is(word, &["CREATE"]) => {
                    self.creates = true;
                    return None;
                }
                _ if is(word, &["TABLE"]) => {
                    (self.lead, self.makes) = (Lead::Object, self.creates);
                    return None;
                }
                _ if is(word, &["IF", "NOT", "EXISTS"]) => {
                    self.lead = lead;
                    return None;
                }
                _ if is(word, &["USE", "DATABASE", "SCHEMA"]) => {
                    self.lead = Lead::Schema;
                    return None;
                }
                _ => {}
            }
        }
        let leads = ["TABLES", "INTO", "JOIN", "VIEW", "UPDATE", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "CALL"];
        if ![Step::Updates, Step::Into].contains(&self.step) && (is(word, &leads) || is(word, &["REFERENCES"])) {
            self.lead = Lead::Object;
            return None;
        }
        if is(word, &["AS"]) {
            self.lead = Lead::Alias;
            return None;
        }
        let leads = lead == Lead::Object || self.step == Step::Into;
        let named = self.place(renaming, word, next, (lead, fresh));
        named.filter(|_| self.bare || leads)
    }

    /// A name in quotes, and the byte behind it: how many bytes of it another prefix takes the place of.
    pub(super) fn name(&mut self, renaming: &Renaming, name: &[u8], next: Option<u8>) -> Option<usize> {
        let lead = std::mem::take(&mut self.lead);
        let fresh = std::mem::take(&mut self.fresh) && self.step == Step::Definitions && self.depth == 1;
        self.place(renaming, name, next, (lead, fresh))
    }

    fn place(
        &mut self,
        renaming: &Renaming,
        name: &[u8],
        next: Option<u8>,
        (lead, fresh): (Lead, bool),
    ) -> Option<usize> {
        let is_key = |keeper: Keeper| keeper.column().0.eq_ignore_ascii_case(name);
        let is_key = self.keeper.is_some_and(is_key);
        let mut is_column = fresh || self.step == Step::Updates;
        // What stands before the name of a table or another object can be nothing else.
        let leads = lead == Lead::Object || self.step == Step::Into;
        let is_schema = lead == Lead::Schema || leads && next == Some(b'.');
        match self.step {
            _ if is_schema => self.lead = lead,
            Step::Into => {
                self.of_table(renaming, name);
                self.step = Step::Filled;
            }
            Step::Listed => {
                is_column = true;
                if is_key {
                    self.key = self.column;
                }
            }
            Step::Set => {
                is_column = true;
                self.is_key = is_key;
            }
            Step::Other if self.makes && lead == Lead::Object => self.of_table(renaming, name),
            Step::Definitions if fresh => {
                if is_key && self.keys.len() < MAX_KNOWN {
                    self.keys.insert(self.table.clone(), self.column);
                }
                self.column += 1;
            }
            _ => {}
        }
        let placeholder = renaming.placeholder.as_ref().filter(|mark| name.starts_with(mark.as_bytes()));
        if let Some(mark) = placeholder {
            return Some(mark.len());
        }
        if is_schema {
            self.schema(name);
            return None;
        }
        let from = renaming.from.as_ref().filter(|from| name.starts_with(from.as_bytes()))?;
        if is_column || lead == Lead::Alias {
            remember(&mut self.columns, name);
            return None;
        }
        if leads {
            remember(&mut self.objects, name);
            return Some(from.len());
        }
        let qualifies = next == Some(b'.');
        let is_other = self.columns.contains(name) || qualifies && self.schemas.contains(name);
        (!is_other || qualifies && self.objects.contains(name)).then_some(from.len())
    }

    /// The statement makes this table, or fills it.
    fn of_table(&mut self, renaming: &Renaming, name: &[u8]) {
        let all = [&renaming.placeholder, &renaming.from].into_iter().flatten().chain([&renaming.to]);
        let behind = all.filter_map(|prefix| name.strip_prefix(prefix.as_bytes()));
        self.keeper = behind.map(of_one_site).find_map(|rest| match rest {
            _ if rest.eq_ignore_ascii_case(b"options") => Some(Keeper::Options),
            _ if rest.eq_ignore_ascii_case(b"usermeta") => Some(Keeper::UserMeta),
            _ => None,
        });
        let usual = self.keeper.map_or(0, |keeper| keeper.column().1);
        self.key = self.keys.get(name).copied().unwrap_or(usual);
        self.table = name.to_vec();
        self.column = 0;
    }

    /// At the beginning of a string, `rest` behind its quote: how many bytes of it are the prefix, and which one they get.
    pub(super) fn text<'a>(&mut self, renaming: &'a Renaming, rest: &[u8], quote: u8) -> Option<(usize, &'a str)> {
        self.lead = Lead::Nothing;
        self.fresh = false;
        let mark = renaming.placeholder.as_ref().filter(|mark| renaming.is_data && rest.starts_with(mark.as_bytes()));
        if let Some(mark) = mark {
            let name = &rest[mark.len()..];
            let end =
                name.iter().take(MAX_NAME).position(|byte| !(byte.is_ascii_alphanumeric() || b"_-".contains(byte)));
            if end.is_some_and(|end| end > 0 && name[end] == quote) {
                return Some((mark.len(), &renaming.to));
            }
        }
        let is_there = match self.step {
            Step::Rows => self.depth == 1 && self.column == self.key,
            Step::Set => self.is_key,
            _ => false,
        };
        let (keeper, from) = (self.keeper.filter(|_| is_there)?, renaming.from.as_ref()?);
        let behind = |prefix: &str| rest.strip_prefix(prefix.as_bytes());
        if behind(from).is_some_and(|rest| keeper.holds_own(from, rest, quote)) {
            return Some((from.len(), &renaming.to));
        }
        // Of a site that once had the other prefix: it meant nothing there, and must not begin to. A plugin's key means what it meant.
        let had = behind(&renaming.to).is_some_and(|rest| keeper.holds(rest, quote));
        had.then_some((renaming.to.len(), from))
    }

    /// Any other byte.
    pub(super) fn sign(&mut self, byte: u8) {
        // Of a versioned comment around the statement, or between a schema and what is in it.
        if b"/*!".contains(&byte) || byte == b'.' && self.lead != Lead::Nothing {
            return;
        }
        self.lead = Lead::Nothing;
        self.fresh = false;
        match (self.step, byte) {
            (Step::Into, b'(') | (_, b';') => self.end(),
            (Step::Filled, b'(') => (self.step, self.column) = (Step::Listed, 0),
            (Step::Listed, b',') => self.column += 1,
            (Step::Listed, b')') => self.step = Step::Filled,
            (Step::Rows, b'(') => {
                self.depth += 1;
                self.column = if self.depth == 1 { 0 } else { self.column };
            }
            (Step::Rows, b',') => self.column += usize::from(self.depth == 1),
            (Step::Rows, b')') => self.depth = self.depth.saturating_sub(1),
            (Step::Set, b',') => self.is_key = false,
            (Step::Other, b'(') if self.makes => {
                (self.step, self.depth, self.fresh, self.makes) = (Step::Definitions, 1, true, false);
            }
            (Step::Definitions, b'(') => self.depth += 1,
            (Step::Definitions, b',') => self.fresh = self.depth == 1,
            (Step::Definitions, b')') => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.step = Step::Other;
                }
            }
            _ => {}
        }
    }
}

fn remember(names: &mut HashSet<Vec<u8>>, name: &[u8]) {
    if names.len() < MAX_KNOWN && !names.contains(name) {
        names.insert(name.to_vec());
    }
}
