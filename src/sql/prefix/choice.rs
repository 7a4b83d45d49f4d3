//! Which statements of a dump are taken, where it holds more than the site: other databases, or tables with another prefix. Pure.

use super::Renaming;

/// Most databases that are remembered.
const MAX_DATABASES: usize = 1_000;

/// What becomes of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its next words tell.
    Held,
    /// It is taken.
    Taken,
    /// It is left out.
    Skipped,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    /// Nothing of the statement was seen.
    #[default]
    Start,
    /// Its end tells.
    Set,
    /// The name of a database comes.
    Use,
    /// The same, which is made or dropped.
    Database,
    /// What is made or dropped comes.
    Kind,
    /// The name of the table stands behind `ON`.
    On,
    /// The name comes.
    Name,
    /// The name comes, in quotes.
    Quoted,
}

/// The choice at one place of a dump.
pub(super) struct Choice {
    step: Step,
    /// This is the site's own database.
    here: bool,
    /// The statement makes what it names.
    makes: bool,
    /// `SET` of the server.
    global: bool,
    /// The database was named before the name.
    qualified: bool,
    /// What is left out with the statement, as it is said.
    pub(super) said: Option<String>,
    /// The databases that it names.
    pub(super) databases: Vec<String>,
}

fn is(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes()))
}

impl Choice {
    pub(super) fn new() -> Choice {
        Choice {
            step: Step::Start,
            here: true,
            makes: false,
            global: false,
            qualified: false,
            said: None,
            databases: Vec::new(),
        }
    }

    /// Behind a statement.
    pub(super) fn begin(&mut self) {
        (self.step, self.said) = (Step::Start, None);
        (self.makes, self.global, self.qualified) = (false, false, false);
    }

    /// At the end of a statement that is still held.
    pub(super) fn end(&self, renaming: &Renaming) -> Verdict {
        let stays = match self.step {
            Step::Set => self.here || !self.global,
            Step::Name | Step::On | Step::Kind => self.here && renaming.only.is_none(),
            _ => self.here,
        };
        if stays { Verdict::Taken } else { Verdict::Skipped }
    }

    /// Whether what comes of the statement tells whose it is.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.step, Step::Start | Step::Set | Step::Quoted)
    }

    /// What becomes of a statement that names nothing.
    fn nameless(&self) -> Verdict {
        if self.here { Verdict::Taken } else { Verdict::Skipped }
    }

    /// A bare word, and the byte behind it.
    pub(super) fn word(&mut self, renaming: &Renaming, word: &[u8], next: Option<u8>) -> Verdict {
        match self.step {
            Step::Start => {
                self.step = match word {
                    _ if is(word, &["SET"]) => Step::Set,
                    _ if is(word, &["USE"]) => Step::Use,
                    _ if is(word, &["CREATE", "DROP"]) => {
                        self.makes = is(word, &["CREATE"]);
                        Step::Kind
                    }
                    _ if is(word, &["INSERT", "REPLACE", "DELETE", "TRUNCATE", "ALTER"]) => Step::Name,
                    _ if is(word, &["SELECT", "DO"]) => Step::Quoted,
                    // No dump has them: what reads it refuses them, where they are this database's.
                    _ if !self.here && is(word, &["UPDATE", "RENAME", "LOAD"]) => Step::Name,
                    // What is of another database is nothing of this one's, but for the settings around it.
                    _ => return self.nameless(),
                };
                Verdict::Held
            }
            Step::Set => {
                self.global |= is(word, &["GLOBAL"]);
                Verdict::Held
            }
            Step::Kind => {
                self.step = match word {
                    _ if is(word, &["TABLE", "SEQUENCE", "VIEW", "PROCEDURE", "FUNCTION", "EVENT"]) => Step::Name,
                    _ if is(word, &["TRIGGER", "INDEX"]) && self.makes => Step::On,
                    _ if is(word, &["DATABASE", "SCHEMA"]) => Step::Database,
                    _ if is(word, &["TRIGGER", "INDEX", "USER", "ROLE", "SERVER"]) => return self.nameless(),
                    _ => Step::Kind,
                };
                Verdict::Held
            }
            Step::On => {
                if is(word, &["ON"]) {
                    (self.step, self.makes) = (Step::Name, false);
                }
                Verdict::Held
            }
            Step::Use | Step::Database if is(word, &["IF", "NOT", "EXISTS"]) => Verdict::Held,
            Step::Use | Step::Database => self.name(renaming, word, next),
            Step::Name => {
                let options = [
                    "IF",
                    "NOT",
                    "EXISTS",
                    "INTO",
                    "FROM",
                    "TABLE",
                    "SEQUENCE",
                    "IGNORE",
                    "LOW_PRIORITY",
                    "DELAYED",
                    "HIGH_PRIORITY",
                    "QUICK",
                    "ONLINE",
                ];
                match word {
                    _ if is(word, &options) => Verdict::Held,
                    _ if is(word, &["DATABASE", "SCHEMA"]) => self.nameless(),
                    _ => self.name(renaming, word, next),
                }
            }
            Step::Quoted => Verdict::Held,
        }
    }

    /// A string, or a name in quotes that are not read as such: whose it is nobody knows.
    pub(super) fn text(&self, renaming: &Renaming) -> Verdict {
        match self.step {
            Step::Name if renaming.only.is_some() || !self.here => Verdict::Skipped,
            _ => Verdict::Held,
        }
    }

    /// A name in quotes, or a word that is one, and the byte behind it.
    pub(super) fn name(&mut self, renaming: &Renaming, name: &[u8], next: Option<u8>) -> Verdict {
        let is_own = renaming.schema.as_ref().is_none_or(|schema| schema.as_bytes() == name);
        match self.step {
            Step::Use | Step::Database => {
                let shown = String::from_utf8_lossy(name).into_owned();
                if self.databases.len() < MAX_DATABASES && !self.databases.contains(&shown) {
                    self.databases.push(shown.clone());
                }
                if self.step == Step::Use {
                    self.here = is_own;
                }
                if is_own {
                    return self.nameless();
                }
                self.said = Some(format!("database {shown}"));
                Verdict::Skipped
            }
            Step::Name | Step::Quoted if next == Some(b'.') => {
                self.qualified = true;
                if is_own { Verdict::Held } else { Verdict::Skipped }
            }
            Step::Name | Step::Quoted if !self.here && !self.qualified => Verdict::Skipped,
            Step::Name | Step::Quoted => {
                let takes = renaming.only.as_ref().is_none_or(|only| name.starts_with(only.as_bytes()));
                if takes {
                    return Verdict::Taken;
                }
                self.said = self.makes.then(|| String::from_utf8_lossy(name).into_owned());
                Verdict::Skipped
            }
            Step::Start | Step::Set | Step::Kind | Step::On => Verdict::Held,
        }
    }
}
