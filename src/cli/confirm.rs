//! The question before a site is changed.

use crate::cli::command::{Command, CommandName};
use crate::cli::format::plain;
use crate::cli::output::say;
use crate::cli::terminal::Style;
use crate::error::{Code, Error, Result};
use serde_json::{Map, Value};
use std::io::{BufRead, IsTerminal};

/// Says what is about to be done and waits for the word YES.
///
/// # Errors
/// `usage` where nobody can be asked, `cancelled` for any other word.
pub fn ask(command: &Command, request: &Map<String, Value>, style: Style) -> Result<()> {
    if !style.live || !std::io::stdin().is_terminal() {
        return Err(Error::new(Code::Usage, format!("{} changes things, and nobody can be asked here", command.word))
            .hint("Say --yes; or --dry-run for a restore, which changes nothing."));
    }
    let shown = |key: &str| request.get(key).map(plain).unwrap_or_default();
    let (what, after) = match command.name {
        CommandName::Restore => {
            let named = request.get("backup").map(|backup| backup.get("from").unwrap_or(backup));
            let backup = named.map_or_else(|| "the newest backup".into(), plain);
            (
                format!("Restores {} from {backup}: {}.", shown("domain"), selection(request)),
                "The site stays up. The state before is kept, and `rocketvps-restore rollback` brings it back.",
            )
        }
        CommandName::Rollback => (
            match request.get("job").map(plain) {
                Some(job) => format!("Brings the site back to the state before job {job}."),
                None => format!("Brings {} back to {}.", shown("domain"), shown("snapshot")),
            },
            "The site stays up. The state of now is kept as a snapshot.",
        ),
        _ => (format!("Deletes {} and what it keeps.", shown("snapshot")), "There is no way back from it."),
    };
    say(&format!("{what}\n{after}\nType YES to go on: "));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.is_err() || line.trim_end_matches(['\n', '\r']) != "YES" {
        return Err(Error::new(Code::Cancelled, "it was not confirmed").hint("Nothing was changed."));
    }
    Ok(())
}

/// What a restore takes, in words.
fn selection(request: &Map<String, Value>) -> String {
    let listed = |key: &str| {
        let parts = request.get(key).and_then(Value::as_object).into_iter().flatten();
        parts
            .map(|(name, chosen)| match chosen {
                Value::Array(_) => format!("{name} ({})", plain(chosen)),
                _ => name.clone(),
            })
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut words = match listed("components") {
        all if all.is_empty() => "files, database, config".to_owned(),
        some => some,
    };
    let excluded = listed("exclude");
    if !excluded.is_empty() {
        words += &format!("; not {excluded}");
    }
    let options = request.get("options").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in options {
        match value {
            Value::Bool(true) => words += &format!("; {}", name.replace('_', " ")),
            Value::Array(_) => words += &format!("; {name} ({})", plain(value)),
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_question_says_in_words_what_is_restored() {
        let say = |request: Value| selection(request.as_object().unwrap());
        assert_eq!(say(json!({"domain": "a.com"})), "files, database, config");
        let some = json!({"components": {"files": true, "database": ["wp_posts", "wp_meta"]},
                          "exclude": {"files": ["*.log"]}, "options": {"exact": true, "priority": "normal", "accept": ["change_over"]}});
        assert_eq!(say(some), "files, database (wp_posts, wp_meta); not files (*.log); exact; accept (change_over)");
    }
}
