//! Figures for people: sizes, counts, times. The same in every front end.

use crate::error::{Code, Error, Result};
use crate::text;
use crate::text::printable;
use serde_json::Value;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `12.3 MB`, of bytes.
    Size,
    /// `1,234`.
    Count,
    /// `5m 23s`, of seconds.
    Duration,
    /// `65`, of a percentage with decimals: never 100 before the end.
    Percent,
    /// `45 MB/s`, of 10⁶ bytes a second.
    Rate,
    /// `2025-10-04 03:00:00`.
    Moment,
}

impl Format {
    const ALL: [(&'static str, Format); 6] = [
        ("size", Format::Size),
        ("count", Format::Count),
        ("duration", Format::Duration),
        ("percent", Format::Percent),
        ("rate", Format::Rate),
        ("moment", Format::Moment),
    ];

    /// From its name.
    ///
    /// # Errors
    /// `usage` naming those there are.
    pub fn parse(name: &str) -> Result<Format> {
        Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format).ok_or_else(|| {
            let all: Vec<&str> = Format::ALL.iter().map(|(name, _)| *name).collect();
            Error::new(Code::Usage, format!("|{name}: there is no such format"))
                .hint(format!("Formats: {}.", all.join(", ")))
        })
    }

    /// The value as text; nothing where there is none.
    pub fn apply(self, value: &Value) -> String {
        match (self, value) {
            (Format::Moment, Value::String(text)) => moment(text),
            (_, Value::Number(number)) => {
                let number = number.as_f64().unwrap_or_default();
                match self {
                    Format::Size => text::bytes(number as u64),
                    Format::Count => count(number as u64),
                    Format::Duration => duration(number),
                    Format::Percent => format!("{}", number.clamp(0.0, 100.0).floor() as u64),
                    Format::Rate => format!("{number:.0} MB/s"),
                    Format::Moment => number.to_string(),
                }
            }
            (_, other) => crate::cli::format::plain(other),
        }
    }
}

/// `1,234`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `0.4s`, `23s`, `5m 23s`, `2h 5m`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..=9 => format!("{:.1}s", seconds.max(0.0)),
        10..=59 => format!("{whole}s"),
        60..=3599 => format!("{}m {}s", whole / 60, whole % 60),
        _ => format!("{}h {}m", whole / 3600, whole % 3600 / 60),
    }
}

/// A moment without fractions and zone.
pub fn moment(text: &str) -> String {
    crate::text::printable(text.get(..19).unwrap_or(text)).replace('T', " ")
}

/// A value in one line: text as it is, a list of texts with commas, the rest as JSON.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        Value::Array(list) if list.iter().all(|element| !element.is_object() && !element.is_array()) => {
            list.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        other => printable(&other.to_string()),
    }
}

/// Adds a line.
pub fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_are_written_as_people_do() {
        let table = [
            ("size", json!(999), "999 B"),
            ("count", json!(1_234_567), "1,234,567"),
            ("count", json!(12), "12"),
            ("duration", json!(0.44), "0.4s"),
            ("duration", json!(59.7), "1m 0s"),
            ("duration", json!(323), "5m 23s"),
            ("duration", json!(7500), "2h 5m"),
            ("percent", json!(99.9), "99"),
            ("percent", json!(100.0), "100"),
            ("rate", json!(44.6), "45 MB/s"),
            ("moment", json!("2025-10-04T03:00:00.123+07:00"), "2025-10-04 03:00:00"),
            ("moment", json!("soon"), "soon"),
            ("size", json!(null), ""),
            ("count", json!("many"), "many"),
        ];
        for (name, value, wanted) in table {
            assert_eq!(Format::parse(name).unwrap().apply(&value), wanted, "{name} {value}");
        }
    }
}
