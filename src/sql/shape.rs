//! The shape of a table: its CREATE TABLE in a form in which two servers' writings of the same table are the same lines. Pure.

use crate::sql::meaning::quoted;
use crate::sql::token::is_word;

/// The statement as lines: what opens it, one a column, key or partition, the options. Left out: comments, the next value of
/// AUTO_INCREMENT, white space that means nothing, and what a storage engine was told of other servers.
pub fn shape(create: &str) -> Vec<String> {
    let mut shaper = Shaper { lines: Vec::new(), line: String::new(), depth: 0 };
    let text = create.trim().trim_end_matches(';');
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let step = match letter {
            '\'' | '"' | '`' => {
                let length = quoted(rest, letter);
                shaper.piece(&rest[..length]);
                length
            }
            '/' if rest.starts_with("/*!") || rest.starts_with("/*M!") => {
                // What a versioned comment holds is code.
                let mark = rest.find('!').unwrap_or(2) + 1;
                shaper.space();
                mark + rest[mark..].bytes().take_while(u8::is_ascii_digit).count()
            }
            '*' if rest.starts_with("*/") => {
                shaper.space();
                2
            }
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '-' if rest.starts_with("-- ") => rest.find('\n').unwrap_or(rest.len()),
            '(' => {
                shaper.open();
                1
            }
            ')' => {
                shaper.close();
                1
            }
            ',' if shaper.depth == 1 => {
                shaper.end_line();
                1
            }
            letter if letter.is_whitespace() => {
                shaper.space();
                letter.len_utf8()
            }
            letter if letter.is_ascii() && is_word(letter as u8) => {
                let length = rest.bytes().take_while(|byte| is_word(*byte)).count().max(1);
                let length = (length..=rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
                let word = &rest[..length];
                let option = shaper.depth == 0 && word.eq_ignore_ascii_case("AUTO_INCREMENT");
                match option.then(|| setting(&rest[length..])).flatten() {
                    Some(value) => length + value,
                    None => {
                        shaper.piece(word);
                        let is_connection = shaper.depth == 0 && word.eq_ignore_ascii_case("CONNECTION");
                        match is_connection.then(|| setting(&rest[length..])).flatten() {
                            Some(value) => {
                                shaper.piece("='***'");
                                length + value
                            }
                            None => length,
                        }
                    }
                }
            }
            letter => {
                shaper.piece(&rest[..letter.len_utf8()]);
                letter.len_utf8()
            }
        };
        rest = &rest[step..];
    }
    shaper.end_line();
    let mut lines = shaper.lines;
    if let Some(first) = lines.first_mut() {
        *first = first.replacen("CREATE TABLE IF NOT EXISTS ", "CREATE TABLE ", 1);
    }
    lines
}

/// Bytes of `= value` after an option's name.
fn setting(rest: &str) -> Option<usize> {
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let length = match value.chars().next()? {
        quote @ ('\'' | '"') => quoted(value, quote),
        _ => value.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(value.len()),
    };
    Some(rest.len() - value.len() + length)
}

struct Shaper {
    lines: Vec<String>,
    line: String,
    depth: u32,
}

impl Shaper {
    fn piece(&mut self, text: &str) {
        self.line.push_str(text);
    }

    fn space(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with([' ', '(']) {
            self.line.push(' ');
        }
    }

    fn open(&mut self) {
        self.depth += 1;
        self.line.push('(');
        if self.depth == 1 {
            self.end_line();
        }
    }

    fn close(&mut self) {
        if self.depth == 1 {
            self.end_line();
        }
        let kept = self.line.trim_end().len();
        self.line.truncate(kept);
        self.line.push(')');
        self.depth = self.depth.saturating_sub(1);
    }

    fn end_line(&mut self) {
        let line = self.line.trim();
        if !line.is_empty() {
            self.lines.push(line.to_owned());
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_writings_of_one_table_have_one_shape() {
        let server = "CREATE TABLE `a` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `t` varchar(20) DEFAULT 'x, (y)  z' COMMENT 'it''s; \\' -- no',\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4";
        let dump = "CREATE TABLE IF NOT EXISTS `a` (`id`   int(11) NOT NULL AUTO_INCREMENT, -- the key\n `t` varchar(20) DEFAULT 'x, (y)  z' COMMENT 'it''s; \\' -- no', /* plain */ PRIMARY KEY ( `id` ))\n ENGINE=InnoDB /*!40100 DEFAULT CHARSET=utf8mb4 */;\n";
        assert_eq!(shape(server), shape(dump));
        assert_eq!(
            shape(server),
            [
                "CREATE TABLE `a` (",
                "`id` int(11) NOT NULL AUTO_INCREMENT",
                "`t` varchar(20) DEFAULT 'x, (y)  z' COMMENT 'it''s; \\' -- no'",
                "PRIMARY KEY (`id`)",
                ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
            ]
        );
    }

    #[test]
    fn a_real_difference_stays_one() {
        let one = "CREATE TABLE `a` (`x` decimal(10,2), `AUTO_INCREMENT=3` int) ENGINE=InnoDB";
        let two = one.replace("10,2", "12,2");
        assert_eq!(shape(one).iter().zip(shape(&two)).filter(|(one, two)| *one != two).count(), 1);
        assert!(shape(one).iter().any(|line| line.contains("AUTO_INCREMENT=3")), "a name is no option");
    }

    #[test]
    fn what_an_engine_knows_of_other_servers_is_hidden() {
        let text = "CREATE TABLE f (id int) ENGINE=FEDERATED CONNECTION='mysql://u:hunter2@h/db/t' COMMENT='c'";
        let shown = shape(text).join("\n");
        assert!(!shown.contains("hunter2") && shown.contains("COMMENT='c'"), "{shown}");
        let odd = shape("CREATE TABLE f (id int) CONNECTION = \"hunter2");
        assert!(!odd.join("").contains("hunter2"), "{odd:?}");
    }

    #[test]
    fn any_text_has_a_shape() {
        proptest::proptest!(|(text in "[a-z(),'`\"/*!#0-9é \n-]{0,200}")| { shape(&text); });
    }
}
