//! The post that a WordPress is asked for, and the words by which its page is known to be of one state and of no other.

use crate::error::Result;
use crate::host::database::Server;
use crate::host::database::server::{full, literal, number, rows, text};
use mysql::Conn;
use std::borrow::Cow;

/// Most posts that are looked at for one that differs.
const LOOKED_AT: usize = 40;
/// Letters of a post that are looked at.
const MAX_CONTENT: usize = 4000;
/// Most letters that are looked for in a page.
const MAX_WORDS: usize = 80;
/// Fewest bytes of a title's words that are looked for.
const MIN_TITLE: usize = 4;
/// Fewest bytes of words that prove something: shorter ones may be anywhere in a page.
const MIN_PROOF: usize = 8;
/// Most words of a post that are looked for in its page.
const MAX_MARKS: usize = 8;
/// Posts that every visitor may see.
const PUBLIC: &str = "post_type='post' AND post_status='publish' AND post_password=''";

/// The post to ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Its number.
    pub id: u64,
    /// Words of its title; empty where it has none that stand in a page as they stand in the table.
    pub title: String,
    /// Words that the state before has not: in a page they prove that it is of this state.
    pub marks: Vec<String>,
}

/// The prefix of the tables of a WordPress, where all that is looked at is among them.
pub fn prefix<'a>(tables: &[&'a str]) -> Option<&'a str> {
    tables.iter().find_map(|name| {
        let prefix = name.strip_suffix("posts")?;
        tables.contains(&format!("{prefix}options").as_str()).then_some(prefix)
    })
}

#[derive(Debug, Default)]
struct Post {
    id: u64,
    title: String,
    content: String,
}

/// What visitors see of the tables of a WordPress, as far as it is looked at.
#[derive(Debug, Default)]
pub struct Posts {
    /// The site's title; `None`: not looked at.
    site: Option<String>,
    posts: Vec<Post>,
}

impl Posts {
    /// The newest ones, with or without the site's title. `server` speaks for an account that may do nothing but read: the tables are a
    /// tenant's.
    ///
    /// # Errors
    /// `database_failed`, `database_unreachable`.
    pub fn newest(server: &Server, schema: &str, prefix: &str, with_title: bool) -> Result<Posts> {
        let mut connection = server.impatient().connect(None)?;
        read(&mut connection, schema, prefix, &format!("{PUBLIC} ORDER BY ID DESC LIMIT {LOOKED_AT}"), with_title)
    }

    /// The posts with the same numbers, as another schema has them; nothing of one that has no posts at all. `None` where its posts go
    /// by another prefix.
    ///
    /// # Errors
    /// As [`Posts::newest`].
    pub fn the_same_in(&self, server: &Server, schema: &str, prefix: &str) -> Result<Option<Posts>> {
        let mut connection = server.impatient().connect(None)?;
        let sql = format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA={} AND TABLE_NAME LIKE '%posts'",
            literal(schema)
        );
        let there: Vec<String> = rows(&mut connection, &sql)?.iter().map(|row| text(row, 0)).collect();
        if there.is_empty() || self.posts.is_empty() {
            return Ok(Some(Posts::default()));
        }
        if !there.contains(&format!("{prefix}posts")) {
            return Ok(None);
        }
        let numbers: Vec<String> = self.posts.iter().map(|post| post.id.to_string()).collect();
        let which = format!("{PUBLIC} AND ID IN ({})", numbers.join(","));
        read(&mut connection, schema, prefix, &which, self.site.is_some()).map(Some)
    }

    /// The newest post that the state before has otherwise; else the newest one, which proves nothing but by the site's title. `before`:
    /// `None` where it is not known.
    pub fn choose(&self, before: Option<&Posts>) -> Option<Chosen> {
        let newest = self.posts.first()?;
        let Some(before) = before else { return Some(newest.chosen(Vec::new())) };
        let other = self.posts.iter().find_map(|post| {
            let marks = post.marks(before);
            (!marks.is_empty()).then(|| post.chosen(marks))
        });
        Some(
            other.unwrap_or_else(|| newest.chosen(self.site.as_ref().map_or_else(Vec::new, |site| before.lacks(site)))),
        )
    }

    /// The words of a text that nothing here holds, the longest first.
    fn lacks(&self, text: &str) -> Vec<String> {
        let of_posts = self.posts.iter().flat_map(|post| [post.title.as_str(), post.content.as_str()]);
        let known: Vec<&str> = of_posts.chain(self.site.as_deref()).collect();
        let proves = |words: &String| {
            words.len() >= MIN_PROOF
                && words.contains(char::is_alphabetic)
                && !known.iter().any(|text| text.contains(words.as_str()))
        };
        let mut found: Vec<String> = plain_parts(text).filter(proves).collect();
        found.sort_by_key(|words| std::cmp::Reverse(words.len()));
        found
    }
}

impl Post {
    fn marks(&self, before: &Posts) -> Vec<String> {
        let all = before.lacks(&self.title).into_iter().chain(before.lacks(&self.content));
        all.take(MAX_MARKS).collect()
    }

    fn chosen(&self, marks: Vec<String>) -> Chosen {
        Chosen { id: self.id, title: words(&self.title), marks }
    }
}

fn read(connection: &mut Conn, schema: &str, prefix: &str, which: &str, with_title: bool) -> Result<Posts> {
    let table = |name: &str| full(schema, &format!("{prefix}{name}"));
    let sql = format!("SELECT ID, post_title, LEFT(post_content, {MAX_CONTENT}) FROM {} WHERE {which}", table("posts"));
    let post = |row: &mysql::Row| Post { id: number(row, 0), title: text(row, 1), content: text(row, 2) };
    let posts = rows(connection, &sql)?.iter().map(post).collect();
    let sql = format!("SELECT option_value FROM {} WHERE option_name='blogname' LIMIT 1", table("options"));
    let title = || rows(connection, &sql).map(|rows| rows.first().map(|row| text(row, 0)).unwrap_or_default());
    let site = with_title.then(title).transpose()?;
    Ok(Posts { site, posts })
}

/// The longest part of a title that stands in a page as it stands in a table.
fn words(title: &str) -> String {
    plain_parts(title).max_by_key(String::len).filter(|part| part.len() >= MIN_TITLE).unwrap_or_default()
}

/// The parts of a text that stand in a page as they stand in a table: themes write quotes and dashes their own way, and marks are not
/// shown.
fn plain_parts(text: &str) -> impl Iterator<Item = String> {
    let plain = |letter: char| letter.is_alphanumeric() || letter == ' ';
    let parts: Vec<String> = shown(text)
        .split(|letter| !plain(letter))
        .map(|part| part.trim().chars().take(MAX_WORDS).collect::<String>().trim_end().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    parts.into_iter()
}

/// A text without HTML's tags and comments and without short codes: they end a part.
fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '[', '&']) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut until = None;
    for letter in text.chars() {
        match (until, letter) {
            (Some(end), letter) if letter == end => until = None,
            (Some(_), _) => {}
            (None, '<') => until = Some('>'),
            (None, '[') => until = Some(']'),
            (None, '&') => until = Some(';'),
            (None, letter) => {
                shown.push(letter);
                continue;
            }
        }
        shown.push('\n');
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posts(site: &str, posts: &[(u64, &str, &str)]) -> Posts {
        let post = |(id, title, content): &(u64, &str, &str)| Post {
            id: *id,
            title: (*title).into(),
            content: (*content).into(),
        };
        Posts { site: Some(site.into()), posts: posts.iter().map(post).collect() }
    }

    #[test]
    fn the_newest_post_that_differs_is_asked_for_by_words_that_the_state_before_has_not() {
        let now = posts("Shop", &[(3, "About", "the same"), (2, "A new title", "and <b>a new story</b> – of it")]);
        let before = posts("Shop", &[(3, "About", "the same"), (2, "A title", "and a story of it")]);
        let chosen = now.choose(Some(&before)).unwrap();
        assert_eq!((chosen.id, chosen.title.as_str()), (2, "A new title"));
        assert_eq!(chosen.marks, ["A new title", "a new story"]);
        // One that was not there, and a site that had none.
        assert_eq!(now.choose(Some(&posts("Shop", &[(3, "About", "the same")]))).unwrap().id, 2);
        assert_eq!(now.choose(Some(&Posts::default())).unwrap().marks, ["the same"]);
    }

    #[test]
    fn what_proves_nothing_is_no_mark() {
        let now = posts("The Rocket Shop", &[(3, "Words", "12345678")]);
        let newest = |marks: &[&str]| Chosen {
            id: 3,
            title: "Words".into(),
            marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
        };
        assert_eq!(now.choose(None), Some(newest(&[])));
        assert_eq!(now.choose(Some(&posts("The Rocket Shop", &[]))), Some(newest(&[])), "too short, and a number");
        assert_eq!(now.choose(Some(&posts("Hacked", &[]))), Some(newest(&["The Rocket Shop"])));
        assert_eq!(now.choose(Some(&posts("", &[(9, "x", "not The Rocket Shop")]))), Some(newest(&[])));
        let unknown = Posts { site: None, ..posts("", &[(3, "Words", "12345678")]) };
        assert_eq!(unknown.choose(Some(&posts("Hacked", &[]))), Some(newest(&[])), "a title that nobody looked at");
        assert_eq!(Posts::default().choose(None), None);
    }
}
