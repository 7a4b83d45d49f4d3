//! Reads cron.d files.

/// What separates fields.
const BLANK: [char; 2] = [' ', '\t'];

/// What a line of a cron.d file is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Line {
    /// `NAME = value` for the commands after it.
    Environment {
        /// Name.
        name: String,
        /// Value without quotes.
        value: String,
    },
    /// A command and when it runs.
    Job {
        /// Five fields, or `@daily` and the like.
        schedule: String,
        /// Account it runs as.
        user: String,
        /// The command.
        command: String,
    },
}

/// Reads the lines of a cron.d file with their numbers.
///
/// # Errors
/// A sentence naming the line that cron would not take.
pub fn parse(text: &[u8]) -> Result<Vec<(usize, Line)>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "is not UTF-8 text".to_owned())?;
    // cron and we would not agree where a line ends or whether it is blank.
    if let Some(index) =
        text.lines().position(|line| line.contains(|letter: char| letter.is_control() && letter != '\t'))
    {
        return Err(format!("line {}: has a control character", index + 1));
    }
    if text.contains('\r') {
        return Err("has carriage returns: cron takes them for a part of the command".to_owned());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("does not end with a newline: cron ignores its last line".to_owned());
    }
    let mut lines = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let number = index + 1;
        let line = raw.trim_start_matches(BLANK);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(set) = environment(line) {
            lines.push((number, set));
            continue;
        }
        let fields = if line.starts_with('@') { 1 } else { 5 };
        let mut rest = line;
        let mut words = Vec::new();
        for _ in 0..=fields {
            let end = rest.find(BLANK).unwrap_or(rest.len());
            words.push(&rest[..end]);
            rest = rest[end..].trim_start_matches(BLANK);
        }
        let user = words.pop().unwrap_or_default();
        let schedule = words.join(" ");
        if user.is_empty() || rest.is_empty() {
            return Err(format!("line {number}: needs a schedule, an account and a command"));
        }
        // croner reads more than cron does, and one name less.
        let odd = schedule.chars().find(|letter| !letter.is_ascii_alphanumeric() && !" */,-@".contains(*letter));
        let mut words = schedule.split(|letter: char| !letter.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        if odd.is_some() || (fields == 5 && words.any(|word| word.len() != 3)) {
            return Err(format!("line {number}: cron does not know the schedule {schedule:?}"));
        }
        if schedule != "@reboot" && schedule != "@midnight" {
            croner::parser::CronParser::new()
                .parse(&schedule)
                .map_err(|error| format!("line {number}: schedule {schedule:?}: {error}"))?;
        }
        lines.push((number, Line::Job { schedule, user: user.to_owned(), command: rest.to_owned() }));
    }
    Ok(lines)
}

fn environment(line: &str) -> Option<Line> {
    let bare = |text: &str| text.trim_matches(BLANK).trim_matches(['"', '\'']).to_owned();
    let (name, value) = line.split_once('=')?;
    let name = bare(name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_name = !name.is_empty() && name.bytes().all(plain) && !name.as_bytes()[0].is_ascii_digit();
    is_name.then(|| Line::Environment { name, value: bare(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_environment_and_comments_are_told_apart() {
        let lines =
            parse(b"# x\nMAILTO=a@b\n\n*/5 * * * * www-data php /x/wp-cron.php A=1\n@daily www-data /y\n").unwrap();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], (2, Line::Environment { name: "MAILTO".into(), value: "a@b".into() }));
        assert_eq!(
            lines[1].1,
            Line::Job {
                schedule: "*/5 * * * *".into(),
                user: "www-data".into(),
                command: "php /x/wp-cron.php A=1".into()
            }
        );
        assert!(matches!(&lines[2].1, Line::Job { schedule, .. } if schedule == "@daily"));
    }

    #[test]
    fn what_cron_would_not_run_is_named() {
        for bad in [
            "61 * * * * www-data x\n",
            "* * * * * www-data\n",
            "* * * * * www-data x",
            "@soon www-data x\n",
            "a\r\n",
            "* * * * * www-data x\r* * * * * root y\n",
            "\u{b}# * * * * * root x\n",
            "* * * * 5L www-data x\n",
            "* * ? * * www-data x\n",
            "-* * * * * www-data x\n",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
