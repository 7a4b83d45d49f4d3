//! Which row one is, and what it holds: two hashes, equal for both sides of a comparison whatever the order of their rows. Pure.

use crate::sql::digest::{Key, Row};
use std::borrow::Cow;

/// What of a column's values is the same although it is written in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Numbers: `1.50` and `+1.5`.
    Number,
    /// Texts of which capitals and small letters are one in a key.
    Caseless,
    /// Whatever has other bytes is another value.
    Bytes,
}

/// A row by its hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// Of its key; of the whole row where the table has none.
    pub key: u128,
    /// Of all its values.
    pub content: u128,
}

/// Tells rows of one table apart.
#[derive(Clone)]
pub struct Identifier {
    hashing: Key,
    columns: Vec<Written>,
    /// Places of the columns of the key, in its order; none: the whole row is its key.
    key: Vec<usize>,
    content_bytes: Vec<u8>,
    key_bytes: Vec<Vec<u8>>,
}

impl Identifier {
    /// For rows of these columns.
    pub fn new(hashing: Key, columns: Vec<Written>, key: Vec<usize>) -> Identifier {
        let key_bytes = vec![Vec::new(); key.len()];
        Identifier { hashing, columns, key, content_bytes: Vec::new(), key_bytes }
    }

    /// The hashes of a row.
    pub fn identify(&mut self, row: &Row) -> Identity {
        self.content_bytes.clear();
        for (place, value) in row.values().enumerate() {
            let written = self.columns.get(place).copied().unwrap_or(Written::Bytes);
            let value = value.map(|value| if written == Written::Number { number(value) } else { value.into() });
            put(&mut self.content_bytes, value.as_deref());
            if let Some(at) = self.key.iter().position(|key| *key == place) {
                let value = match (value, written) {
                    (Some(value), Written::Caseless) => Some(caseless(&value).into_owned().into()),
                    (value, _) => value,
                };
                self.key_bytes[at].clear();
                put(&mut self.key_bytes[at], value.as_deref());
            }
        }
        let content = self.hashing.hash(&self.content_bytes);
        let key = match self.key_bytes.as_slice() {
            [] => content,
            [one] => self.hashing.hash(one),
            several => self.hashing.hash(&several.concat()),
        };
        Identity { key, content }
    }
}

/// A value with its length before it; NULL is no length.
fn put(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    bytes.extend_from_slice(&value.map_or(u64::MAX, |value| value.len() as u64).to_le_bytes());
    bytes.extend_from_slice(value.unwrap_or_default());
}

/// A number without what says nothing of it; anything else stays as it is.
pub fn number(text: &[u8]) -> Cow<'_, [u8]> {
    let plain = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let (minus, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let points = digits.iter().filter(|byte| **byte == b'.').count();
    let is_whole = points == 0 && digits.len() == text.len() && digits.first().is_some_and(|first| *first != b'0');
    if is_whole || digits.is_empty() || points > 1 || !digits.iter().all(plain) || digits == b"." {
        return text.into();
    }
    let (whole, part) = digits.split_at(digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len()));
    let whole = &whole[whole.iter().take_while(|byte| **byte == b'0').count()..];
    let zeros = part.iter().rev().take_while(|byte| **byte == b'0').count();
    let part = part[..part.len() - zeros].strip_suffix(b".").unwrap_or(&part[..part.len() - zeros]);
    let whole = if whole.is_empty() { b"0" } else { whole };
    let sign: &[u8] = if minus && (whole != b"0" || !part.is_empty()) { b"-" } else { b"" };
    [sign, whole, part].concat().into()
}

fn caseless(text: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(text) {
        // Blanks at the end are no part of most keys.
        Ok(text) => text.trim_end_matches(' ').to_lowercase().into_bytes().into(),
        Err(_) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[Option<&str>]) -> Row {
        let mut row = Row::default();
        for value in values {
            match value {
                Some(value) => row.value(value.as_bytes()),
                None => row.null(),
            }
        }
        row
    }

    fn identifier(columns: &[Written], key: &[usize]) -> Identifier {
        Identifier::new(Key::new([3; Key::BYTES]), columns.to_vec(), key.to_vec())
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for (one, other) in [
            ("1.50", "+1.5"),
            ("007", "7"),
            ("-0.00", "0"),
            (".5", "0.5"),
            ("10", "10.0"),
            ("-3.10", "-3.1"),
            ("100", "0100"),
        ] {
            assert_eq!(number(one.as_bytes()), number(other.as_bytes()), "{one} {other}");
        }
        for (one, other) in [("1", "-1"), ("1.5", "1.05"), ("10", "1"), ("100", "1")] {
            assert_ne!(number(one.as_bytes()), number(other.as_bytes()), "{one} {other}");
        }
        for odd in ["", "-", ".", "1.2.3", "1e3", "abc", "+"] {
            assert_eq!(&*number(odd.as_bytes()), odd.as_bytes());
        }
    }

    #[test]
    fn rows_of_one_key_have_one_key_and_their_own_content() {
        use Written::{Bytes, Caseless, Number};
        let mut by_two = identifier(&[Number, Caseless, Bytes], &[1, 0]);
        let mut of = |values: &[Option<&str>]| by_two.identify(&row(values));
        let one = of(&[Some("1"), Some("Straße"), Some("x")]);
        assert_eq!(of(&[Some("01"), Some("straße"), Some("y")]).key, one.key);
        assert_ne!(of(&[Some("1"), Some("Straße"), Some("y")]).content, one.content);
        assert_ne!(of(&[Some("1"), Some("straße"), Some("x")]).content, one.content, "a capital is a change");
        assert_ne!(of(&[Some("2"), Some("Straße"), Some("x")]).key, one.key);
        assert_ne!(of(&[Some("1"), Some("Strasse"), Some("x")]).key, one.key);
        let mut exact = identifier(&[Bytes, Bytes], &[0]);
        assert_ne!(exact.identify(&row(&[Some("A"), None])).key, exact.identify(&row(&[Some("a"), None])).key);
        assert_ne!(
            exact.identify(&row(&[Some("A"), None])).content,
            exact.identify(&row(&[Some("A"), Some("")])).content,
            "NULL is no empty text"
        );
        let mut keyless = identifier(&[Bytes, Bytes], &[]);
        let whole = keyless.identify(&row(&[Some("ab"), Some("c")]));
        assert_eq!(whole.key, whole.content);
        assert_ne!(whole, keyless.identify(&row(&[Some("a"), Some("bc")])), "values do not run together");
    }
}
