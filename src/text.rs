//! Text from outside, made safe to show.

use std::fmt::Write;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes without percent signs (RFC 3986, section 2.1), and whether each stood before two hexadecimal digits: one that does not stays.
pub fn percent_decoded(bytes: &[u8]) -> (Vec<u8>, bool) {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (mut plain, mut is_whole, mut rest) = (Vec::with_capacity(bytes.len()), true, bytes);
    while let Some((first, after)) = rest.split_first() {
        let code = match after {
            [high, low, ..] if *first == b'%' => digit(*high).zip(digit(*low)),
            _ => None,
        };
        is_whole &= *first != b'%' || code.is_some();
        plain.push(code.map_or(*first, |(high, low)| (high * 16 + low) as u8));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    (plain, is_whole)
}

/// The text with every control and format character shown as an escape: it can neither forge lines, colour a terminal, nor
/// change the order in which the rest is read. Formats are Unicode's category Cf (bidirectional overrides and isolates, zero-width
/// characters, tags) and the separators of lines and paragraphs.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Most names in a sentence.
const FEW: usize = 10;

/// Names in a sentence: the first ten, and that there are more.
pub fn few<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let mut shown = String::new();
    for (at, name) in names.into_iter().take(FEW + 1).enumerate() {
        if at > 0 {
            shown.push_str(", ");
        }
        shown.push_str(if at == FEW { "…" } else { name.as_ref() });
    }
    printable(&shown)
}

/// As [`printable`], for the text of a JSON document: the escapes are JSON's, so that it says what it said before.
pub fn printable_json(document: &str) -> String {
    if document.is_ascii() && !document.contains('\u{7f}') {
        return document.to_owned();
    }
    let mut shown = String::with_capacity(document.len());
    for character in document.chars() {
        if is_unseen(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a terminal acts on the character instead of showing it.
fn is_unseen(character: char) -> bool {
    // What most text is made of needs no table.
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

/// `12.3 MB` (10⁶ bytes) and the like.
pub fn bytes(count: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_before_two_digits_are_decoded_and_others_stay() {
        for (text, plain, is_whole) in [
            ("a%20b%C3%a9", "a bé", true),
            ("50%", "50%", false),
            ("%4", "%4", false),
            ("%zz%41", "%zzA", false),
            ("%+f", "%+f", false),
            ("", "", true),
        ] {
            assert_eq!(percent_decoded(text.as_bytes()), (plain.as_bytes().to_vec(), is_whole), "{text}");
        }
    }

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(printable("a\nb\u{1b}[31m é"), "a\\nb\\u{1b}[31m é");
        assert_eq!(printable("\u{7f}\u{9b}31m"), "\\u{7f}\\u{9b}31m");
    }

    #[test]
    fn of_many_names_a_few_are_shown() {
        let names = |count: usize| (1..=count).map(|name| name.to_string());
        assert_eq!(few(names(0)), "");
        assert_eq!(few(["a\n", "b"]), "a\\n, b");
        assert_eq!(few(names(10)), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
        assert_eq!(few(names(12)), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …");
    }

    #[test]
    fn format_characters_are_shown_and_letters_of_every_script_stay() {
        for hidden in "\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}\u{fff9}\u{e0041}"
            .chars()
        {
            let shown = printable(&format!("invoice{hidden}gpj.php"));
            assert!(shown.is_ascii() && shown.contains("\\u{"), "{shown}");
        }
        for kept in ["e\u{301}", "Tiếng Việt", "日本語", "فارسی", "🎉", "⏱\u{fe0f}", "a\u{a0}b"] {
            assert_eq!(printable(kept), kept);
        }
    }

    #[test]
    fn a_json_document_says_the_same_in_other_letters() {
        let names = ["a\u{202e}b", "\u{7f}", "\u{9b}31m", "\u{e0041}", "plain é 🎉", "\n\\\""];
        let document = serde_json::json!({"names": names, "a\u{2066}": 1});
        let shown = printable_json(&document.to_string());
        assert!(!shown.chars().any(is_unseen), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), document);
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(12_345_678), "12.3 MB");
    }
}
