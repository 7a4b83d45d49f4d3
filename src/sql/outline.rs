//! A row as far as it is shown: of each value its beginning. Pure.

use crate::sql::digest::{Key, Row};
use crate::sql::identity::{Written, number};

/// Bytes of a value that are held. Letters that are shown are fewer: what follows them tells whether a value is a secret.
pub const HELD: usize = 1024;
/// Most letters of a value that are shown.
pub const SHOWN: usize = 160;
/// Most bytes of a value that is no text, in hexadecimal digits.
pub const SHOWN_BYTES: usize = 32;

/// The beginning of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Its first bytes.
    pub bytes: Box<[u8]>,
    /// Bytes of the whole value.
    pub length: u64,
    /// Tells it from others.
    hash: u128,
}

/// The values of a row, `None` for NULL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    values: Vec<Option<Beginning>>,
}

impl Outline {
    /// Of a row of these columns.
    pub fn of(row: &Row, columns: &[Written], hashing: &Key) -> Outline {
        let beginning = |(place, value): (usize, Option<&[u8]>)| {
            let value = value?;
            let is_number = columns.get(place) == Some(&Written::Number);
            let hash = if is_number { hashing.hash(&number(value)) } else { hashing.hash(value) };
            Some(Beginning { bytes: value[..value.len().min(HELD)].into(), length: value.len() as u64, hash })
        };
        Outline { values: row.values().enumerate().map(beginning).collect() }
    }

    /// A value by its place.
    pub fn value(&self, place: usize) -> Option<&Beginning> {
        self.values.get(place)?.as_ref()
    }

    /// Places of the values that are not equal.
    pub fn unequal<'a>(&'a self, other: &'a Outline) -> impl Iterator<Item = usize> + 'a {
        let hash = |value: Option<&Beginning>| value.map(|value| value.hash);
        (0..self.values.len()).filter(move |place| hash(self.value(*place)) != hash(other.value(*place)))
    }

    /// Bytes in memory.
    pub fn size(&self) -> usize {
        let held: usize = self.values.iter().flatten().map(|value| value.bytes.len()).sum();
        held + self.values.len() * size_of::<Option<Beginning>>()
    }
}

/// How a value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Text; the letters that it begins with, where it is longer.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
}

impl Beginning {
    /// What is shown of it, and whether that is all.
    pub fn shown(&self) -> (Shown, bool) {
        let is_whole = self.bytes.len() as u64 == self.length;
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => Some(text),
            // A letter that was cut is none that is wrong.
            Err(error) if !is_whole && error.error_len().is_none() => {
                std::str::from_utf8(&self.bytes[..error.valid_up_to()]).ok()
            }
            Err(_) => None,
        };
        match text.filter(|text| !text.contains('\0')) {
            Some(text) => match text.char_indices().nth(SHOWN) {
                Some((cut, _)) => (Shown::Text(text[..cut].to_owned()), false),
                None => (Shown::Text(text.to_owned()), is_whole),
            },
            None => {
                let shown = &self.bytes[..self.bytes.len().min(SHOWN_BYTES)];
                (Shown::Bytes(shown.to_vec()), shown.len() as u64 == self.length)
            }
        }
    }

    /// The beginning as text, for those who look for secrets in it.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(values: &[Option<&[u8]>]) -> Outline {
        let mut row = Row::default();
        for value in values {
            match value {
                Some(value) => row.value(value),
                None => row.null(),
            }
        }
        Outline::of(&row, &[Written::Number], &Key::new([5; Key::BYTES]))
    }

    #[test]
    fn values_are_told_apart_by_all_of_them_and_shown_by_their_beginning() {
        let long = |last: &str| "ệ".repeat(1000) + last;
        let (one, other) = (long("a"), long("b"));
        let one = outline(&[Some(b"1.0"), Some(one.as_bytes()), None, Some(b"")]);
        let other = outline(&[Some(b"1"), Some(other.as_bytes()), Some(b""), Some(b"")]);
        assert_eq!(one.unequal(&other).collect::<Vec<_>>(), [1, 2]);
        let value = one.value(1).unwrap();
        assert_eq!(value.shown(), (Shown::Text("ệ".repeat(SHOWN)), false));
        assert_eq!((value.length, value.bytes.len()), (3001, HELD));
        assert_eq!(one.value(3).unwrap().shown(), (Shown::Text(String::new()), true));
        assert!(one.value(2).is_none());
    }

    #[test]
    fn what_is_no_text_is_shown_in_bytes() {
        let shown = |bytes: &[u8]| outline(&[Some(bytes)]).value(0).unwrap().shown();
        assert_eq!(shown(b"\xff\x00"), (Shown::Bytes(vec![0xff, 0]), true));
        assert_eq!(shown(b"a\0b"), (Shown::Bytes(b"a\0b".to_vec()), true));
        assert_eq!(shown(&[0xff; 40]), (Shown::Bytes(vec![0xff; SHOWN_BYTES]), false));
    }
}
