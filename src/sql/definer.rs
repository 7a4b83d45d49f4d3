//! Under whose rights a view, trigger, routine or event runs, and whether an event is awake.

use crate::sql::token::{Kind, Quoting, Token, tokens};
use std::ops::Range;

/// The text with `DEFINER=` set to `account` (as `` `user`@`host` ``), or without a definer for `None`.
pub fn with_definer(sql: &str, quoting: Quoting, account: Option<&str>) -> String {
    let bytes = sql.as_bytes();
    let all = tokens(bytes, quoting);
    let new = account.map_or(String::new(), |account| format!("DEFINER={account} "));
    let found = definer_span(bytes, &all);
    let (before, after) = match found {
        Some(span) => (span.start, span.end),
        None => {
            let replaces = all.get(1).is_some_and(|token| token.is(bytes, "OR"));
            let place = all.get(if replaces { 2 } else { 0 }).map_or(0, |token| token.span.end);
            return format!("{} {}{}", &sql[..place], new, sql[place..].trim_start());
        }
    };
    format!("{}{}{}", &sql[..before], new, sql[after..].trim_start())
}

/// From `DEFINER` to the end of the account, when there is one before the kind of object is named.
fn definer_span(sql: &[u8], all: &[Token]) -> Option<Range<usize>> {
    let kinds = ["VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"];
    let head = all.iter().position(|token| kinds.iter().any(|kind| token.is(sql, kind)))?;
    let at = all[..head].iter().position(|token| token.is(sql, "DEFINER"))?;
    // `SQL SECURITY DEFINER` is no account.
    if !all.get(at + 1)?.is_sign(sql, b'=') {
        return None;
    }
    let mut last = at + 2;
    // `user@host`, or `CURRENT_USER()`.
    if matches!(sql[all.get(last + 1)?.span.start], b'@' | b'(') {
        last += 2;
    }
    Some(all[at].span.start..all.get(last)?.span.end)
}

/// The text of an event with its state set to `DISABLE`, and whether it was awake before.
pub fn asleep(sql: &str, quoting: Quoting) -> Option<(String, bool)> {
    let bytes = sql.as_bytes();
    let all = tokens(bytes, quoting);
    let schedule = all.iter().position(|token| token.is(bytes, "SCHEDULE"))?;
    let body = schedule + all[schedule..].iter().position(|token| token.is(bytes, "DO"))?;
    // A server writes times and intervals out; in an expression any of these words could be a name.
    if all[schedule..body].iter().any(|token| matches!(bytes[token.span.start], b'@' | b'(' | b'.')) {
        return None;
    }
    let state = all[schedule..body].iter().find(|token| token.is(bytes, "ENABLE") || token.is(bytes, "DISABLE"));
    if let Some(state) = state {
        let awake = state.is(bytes, "ENABLE");
        return Some((format!("{}DISABLE{}", &sql[..state.span.start], &sql[state.span.end..]), awake));
    }
    let comment =
        all[schedule..body].windows(2).find(|pair| pair[0].is(bytes, "COMMENT") && pair[1].kind == Kind::Text);
    let place = comment.map_or(all[body].span.start, |pair| pair[0].span.start);
    Some((format!("{}DISABLE {}", &sql[..place], &sql[place..]), true))
}

/// The text of an event that [`asleep`] put to rest, awake again.
pub fn awake(sql: &str, quoting: Quoting) -> Option<String> {
    let bytes = sql.as_bytes();
    let all = tokens(bytes, quoting);
    let schedule = all.iter().position(|token| token.is(bytes, "SCHEDULE"))?;
    let state = all[schedule..].iter().find(|token| token.is(bytes, "DISABLE"))?;
    Some(format!("{}ENABLE{}", &sql[..state.span.start], &sql[state.span.end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(sql: &str) -> String {
        with_definer(sql, Quoting::default(), Some("`s`@`h`"))
    }

    #[test]
    fn any_definer_becomes_the_given_one() {
        for sql in [
            "CREATE DEFINER=`root`@`localhost` TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x='DEFINER=y@z'",
            "CREATE DEFINER = root@localhost TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x='DEFINER=y@z'",
            "CREATE DEFINER=CURRENT_USER() TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x='DEFINER=y@z'",
            "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x='DEFINER=y@z'",
        ] {
            assert_eq!(
                set(sql),
                "CREATE DEFINER=`s`@`h` TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x='DEFINER=y@z'"
            );
        }
        assert_eq!(
            set("CREATE ALGORITHM=MERGE DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW v AS select 1"),
            "CREATE ALGORITHM=MERGE DEFINER=`s`@`h` SQL SECURITY DEFINER VIEW v AS select 1"
        );
        assert_eq!(
            set("CREATE OR REPLACE SQL SECURITY DEFINER VIEW v AS select 1"),
            "CREATE OR REPLACE DEFINER=`s`@`h` SQL SECURITY DEFINER VIEW v AS select 1"
        );
        assert_eq!(with_definer("CREATE DEFINER=`a`@`b` EVENT e", Quoting::default(), None), "CREATE EVENT e");
    }

    #[test]
    fn events_sleep_until_they_are_woken() {
        for (sql, expected) in [
            (
                "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2024-01-01 00:00:00' ON COMPLETION PRESERVE ENABLE DO SET @a=1",
                true,
            ),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @a=1", true),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY COMMENT 'x' DO SET @a=1", true),
            ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE DO SET @a=1", false),
        ] {
            let (text, was_awake) = asleep(sql, Quoting::default()).unwrap();
            assert!(text.contains("DISABLE"), "{text}");
            assert_eq!(was_awake, expected, "{sql}");
            assert!(awake(&text, Quoting::default()).unwrap().contains("ENABLE"));
        }
        for expression in ["STARTS '2024-01-01' + INTERVAL COALESCE(@enable,0) SECOND", "STARTS @do", "ENDS t.disable"]
        {
            let sql = format!("CREATE EVENT e ON SCHEDULE EVERY 1 DAY {expression} ENABLE DO SET @a=1");
            assert_eq!(asleep(&sql, Quoting::default()), None, "{sql}");
        }
    }
}
