//! The nearest collation a server has for one it does not know.

use std::collections::{BTreeMap, BTreeSet};

/// Languages of MySQL 8's collations by the name MariaDB and older servers have for them.
const LANGUAGES: &[(&str, &str)] = &[
    ("bs", "croatian"),
    ("cs", "czech"),
    ("da", "danish"),
    ("de_pb", "german2"),
    ("eo", "esperanto"),
    ("es", "spanish"),
    ("es_trad", "spanish2"),
    ("et", "estonian"),
    ("gl", "spanish"),
    ("hr", "croatian"),
    ("hu", "hungarian"),
    ("is", "icelandic"),
    ("la", "roman"),
    ("lt", "lithuanian"),
    ("lv", "latvian"),
    ("nb", "danish"),
    ("nn", "danish"),
    ("pl", "polish"),
    ("ro", "romanian"),
    ("sk", "slovak"),
    ("sl", "slovenian"),
    ("sr_latn", "croatian"),
    ("sv", "swedish"),
    ("tr", "turkish"),
    ("vi", "vietnamese"),
];

/// Whether a collation may be named to a server whose collations are `known`.
pub fn is_known(name: &str, known: &BTreeSet<String>) -> bool {
    let name = name.to_ascii_lowercase();
    // Servers that have renamed `utf8_…` still take the old name; the new one is unknown to older ones.
    known.contains(&name) || name.strip_prefix("utf8_").is_some_and(|rest| known.contains(&format!("utf8mb3_{rest}")))
}

/// The nearest known collation of the same character set, by what it compares: language, accents, case. `charsets` gives the
/// default collation of each known character set. `None` when even the character set is unknown.
pub fn nearest(name: &str, known: &BTreeSet<String>, charsets: &BTreeMap<String, String>) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let (charset, rest) = match name.split_once('_') {
        Some(("uca1400", _)) => ("utf8mb4", name.as_str()),
        Some(parts) => parts,
        None => return known.contains(&name).then_some(name),
    };
    let charset = match charset {
        "utf8mb3" | "utf8" => ["utf8mb3", "utf8"].into_iter().find(|alias| charsets.contains_key(*alias))?,
        other => charsets.contains_key(other).then_some(other)?,
    };
    let found = candidates(rest).into_iter().map(|ending| format!("{charset}_{ending}"));
    found.into_iter().find(|candidate| known.contains(candidate)).or_else(|| charsets.get(charset).cloned())
}

/// Endings to try, nearest first.
fn candidates(rest: &str) -> Vec<String> {
    let mut found = vec![rest.to_owned()];
    let trait_of = |word: &str| rest.split('_').any(|part| part == word);
    if rest == "bin" || rest.ends_with("_bin") {
        found.extend(["0900_bin", "nopad_bin", "bin"].map(str::to_owned));
        return found;
    }
    let accents = if trait_of("as") { "as" } else { "ai" };
    let case = if trait_of("cs") { "cs" } else { "ci" };
    let language = language(rest);
    if let Some((code, name)) = language {
        found.push(format!("uca1400_{name}_{accents}_{case}"));
        found.push(format!("{code}_0900_{accents}_{case}"));
        if case == "ci" {
            found.push(format!("{name}_ci"));
        }
    }
    found.push(format!("uca1400_{accents}_{case}"));
    found.push(format!("0900_{accents}_{case}"));
    if case == "cs" {
        // Without one of its own, only the bytes tell cases apart.
        found.push("bin".into());
    } else {
        found.extend(["unicode_520_ci", "unicode_ci", "general_ci"].map(str::to_owned));
    }
    found
}

/// `vi_0900_ai_ci`, `uca1400_vietnamese_ai_ci`, `vietnamese_ci`: code and name of the language.
fn language(rest: &str) -> Option<(&'static str, &'static str)> {
    let bare = rest.strip_prefix("uca1400_").map_or(rest, |rest| rest.strip_prefix("nopad_").unwrap_or(rest));
    LANGUAGES
        .iter()
        .copied()
        .filter(|(code, name)| {
            bare.strip_prefix(code).is_some_and(|rest| rest.starts_with("_0900_"))
                || bare.strip_prefix(name).is_some_and(|rest| rest.starts_with("_a") || rest.starts_with("_c"))
        })
        .max_by_key(|(code, _)| code.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(collations: &[&str]) -> (BTreeSet<String>, BTreeMap<String, String>) {
        let charsets =
            [("utf8mb4", "utf8mb4_general_ci"), ("utf8mb3", "utf8mb3_general_ci"), ("latin1", "latin1_swedish_ci")];
        (
            collations.iter().map(|name| (*name).to_owned()).collect(),
            charsets.into_iter().map(|(charset, collation)| (charset.to_owned(), collation.to_owned())).collect(),
        )
    }

    #[test]
    fn the_nearest_is_chosen_from_what_the_server_has() {
        let new = &[
            "utf8mb4_uca1400_ai_ci",
            "utf8mb4_uca1400_as_cs",
            "utf8mb4_uca1400_vietnamese_ai_ci",
            "utf8mb4_uca1400_german2_ai_ci",
            "utf8mb4_unicode_520_ci",
            "utf8mb4_vietnamese_ci",
            "utf8mb4_nopad_bin",
            "utf8mb4_bin",
            "utf8mb4_general_ci",
            "utf8mb3_general_ci",
        ][..];
        let old = &["utf8mb4_unicode_520_ci", "utf8mb4_vietnamese_ci", "utf8mb4_bin", "utf8mb4_general_ci"][..];
        let oldest = &["utf8mb4_general_ci", "utf8mb4_bin"][..];
        let mysql = &["utf8mb4_0900_ai_ci", "utf8mb4_0900_bin", "utf8mb4_vi_0900_ai_ci", "utf8mb4_bin"][..];
        for (wanted, has, expected) in [
            ("utf8mb4_0900_ai_ci", new, "utf8mb4_uca1400_ai_ci"),
            ("UTF8MB4_0900_AI_CI", old, "utf8mb4_unicode_520_ci"),
            ("utf8mb4_0900_ai_ci", oldest, "utf8mb4_general_ci"),
            ("utf8mb4_0900_as_cs", new, "utf8mb4_uca1400_as_cs"),
            ("utf8mb4_0900_as_cs", old, "utf8mb4_bin"),
            ("utf8mb4_ja_0900_as_cs_ks", old, "utf8mb4_bin"),
            ("utf8mb4_0900_bin", new, "utf8mb4_nopad_bin"),
            ("utf8mb4_0900_bin", old, "utf8mb4_bin"),
            ("utf8mb4_vi_0900_ai_ci", new, "utf8mb4_uca1400_vietnamese_ai_ci"),
            ("utf8mb4_vi_0900_ai_ci", old, "utf8mb4_vietnamese_ci"),
            ("utf8mb4_de_pb_0900_ai_ci", new, "utf8mb4_uca1400_german2_ai_ci"),
            ("utf8mb4_ru_0900_ai_ci", old, "utf8mb4_unicode_520_ci"),
            ("utf8mb4_uca1400_ai_ci", mysql, "utf8mb4_0900_ai_ci"),
            ("uca1400_ai_ci", mysql, "utf8mb4_0900_ai_ci"),
            ("utf8mb4_uca1400_nopad_vietnamese_ai_ci", mysql, "utf8mb4_vi_0900_ai_ci"),
            ("utf8mb4_nopad_bin", mysql, "utf8mb4_0900_bin"),
            ("utf8_general_ci", new, "utf8mb3_general_ci"),
            ("latin1_made_up_ci", old, "latin1_swedish_ci"),
        ] {
            let (known, charsets) = server(has);
            assert_eq!(nearest(wanted, &known, &charsets).as_deref(), Some(expected), "{wanted} of {has:?}");
        }
        let (known, charsets) = server(new);
        assert_eq!(nearest("gb18030_chinese_ci", &known, &charsets), None);
        assert!(is_known("utf8_general_ci", &known) && !is_known("utf8mb4_0900_ai_ci", &known));
    }
}
