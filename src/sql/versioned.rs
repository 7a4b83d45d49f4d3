//! Versioned comments (`/*!NNNNN … */`, `/*M!NNNNNN … */`): which server executes them, and which a dump holds.

use serde::{Deserialize, Serialize};

/// The mark at the top of MariaDB's dumps is a comment to all.
pub const SANDBOX: u32 = 999_999;

/// How much of a versioned comment is kept.
pub const MAX_BEGINNING: usize = 40;
/// Every server in use executes versioned comments up to here.
const EVERYWHERE: u32 = 50_699;
/// Most different comments kept; what is known already goes on being counted.
pub const MAX_SEEN: usize = 512;

/// What the server would execute of versioned comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// Version as `10*10000 + 11*100 + 19`.
    pub version: u32,
    /// MariaDB reads `/*M!` and leaves `/*!50700` to `/*!99999` to MySQL.
    pub mariadb: bool,
}

impl Dialect {
    /// By what a server calls itself: `10.11.19-MariaDB`, `8.4.3`.
    pub fn of(version: &str) -> Dialect {
        let numbers: Vec<u32> = version.split(['.', '-']).take(3).map(|part| part.parse().unwrap_or(0)).collect();
        let part = |at: usize| numbers.get(at).copied().unwrap_or(0);
        Dialect { version: part(0) * 10_000 + part(1) * 100 + part(2), mariadb: version.contains("MariaDB") }
    }

    /// Whether the text of `/*!version … */`, or of `/*M!version … */`, is executed.
    pub fn executes(self, only_mariadb: bool, version: Option<u32>) -> bool {
        match version {
            _ if only_mariadb && !self.mariadb => false,
            None => true,
            Some(version) if version > self.version => false,
            Some(version) => !(self.mariadb && !only_mariadb && (50_700..=99_999).contains(&version)),
        }
    }
}

/// `/*!NNNNN … */` or `/*M!NNNNNN … */`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// `/*M!`: for MariaDB alone.
    pub mariadb: bool,
    /// The number; `None` without one.
    pub version: Option<u32>,
    /// The beginning of its text; empty where every server reads it.
    pub text: String,
    /// How often.
    pub count: u64,
    /// Line of the first.
    pub line: u64,
}

/// Length of a `/*!` or `/*M!` mark, whether it is the latter, and its number.
pub fn version_mark(rest: &[u8]) -> Option<(usize, bool, Option<u32>)> {
    let (mark, only_mariadb) = if rest.starts_with(b"/*!") {
        (3, false)
    } else if rest.starts_with(b"/*M!") {
        (4, true)
    } else {
        return None;
    };
    let digits = rest[mark..].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    // A version has five or six digits; fewer belong to the text.
    let digits = if digits >= 5 { digits } else { 0 };
    let version = std::str::from_utf8(&rest[mark..mark + digits]).ok().and_then(|text| text.parse().ok());
    Some((mark + digits, only_mariadb, version))
}

/// Whether every server in use reads the text of such a comment.
pub fn is_read_everywhere(mariadb: bool, version: Option<u32>) -> bool {
    !mariadb && version.is_none_or(|version| version <= EVERYWHERE)
}

/// Counts a versioned comment; `text` is what follows its number, of which the beginning is kept.
pub fn note_versioned(list: &mut Vec<Versioned>, mariadb: bool, version: Option<u32>, text: &[u8], line: u64) {
    if version == Some(SANDBOX) {
        return;
    }
    let everywhere = is_read_everywhere(mariadb, version);
    let text = &text[..text.len().min(MAX_BEGINNING + 2)];
    let end = memchr::memmem::find(text, b"*/").unwrap_or(text.len()).min(MAX_BEGINNING);
    let text = if everywhere { String::new() } else { String::from_utf8_lossy(text[..end].trim_ascii()).into_owned() };
    let same = |known: &&mut Versioned| known.mariadb == mariadb && known.version == version && known.text == text;
    if let Some(known) = list.iter_mut().find(same) {
        known.count += 1;
    } else if list.len() < MAX_SEEN {
        list.push(Versioned { mariadb, version, text, count: 1, line });
    }
}
