//! The post that a WordPress is asked for, and the words by which its page is known to be of one state and of no other.

use crate::error::Result;
use crate::host::database::Server;
use crate::host::database::server::{full, literal, number, rows, run, text};
use mysql::Conn;
use std::borrow::Cow;
use std::time::Duration;

/// Most posts that are looked at for one that differs.
const LOOKED_AT: usize = 40;
/// Letters of a post in which words to look for are found.
const MAX_CONTENT: usize = 4000;
/// Letters of a post of before that are known. Of one that goes on behind them no words are new.
const MAX_KNOWN: usize = 64 << 10;
/// Letters of a title that are looked at, a post's and the site's.
const MAX_TITLE: usize = 400;
/// How long a question to the database may take. The tables are a tenant's: a view in the place of one can sleep.
const PATIENCE: Duration = Duration::from_secs(5);
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
    /// What the state before has in its place.
    pub before: Before,
}

/// What the state before has in the place of the posts that are looked at.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// The same.
    Same,
    /// Others, by words of them or by nothing that can be looked for.
    Other,
    /// Nobody could look.
    #[default]
    Unknown,
}

impl Before {
    /// As a report has it.
    pub fn word(self) -> &'static str {
        match self {
            Before::Same => "same",
            Before::Other => "other",
            Before::Unknown => "unknown",
        }
    }

    /// Reads [`Before::word`].
    pub fn of_word(word: &str) -> Before {
        match word {
            "same" => Before::Same,
            "other" => Before::Other,
            _ => Before::Unknown,
        }
    }
}

/// The prefix of the tables of a WordPress, where all that is looked at is among them: the `configured` one, where that is known. Else the
/// shortest, since a network's further sites have longer ones.
pub fn prefix<'a>(tables: &[&'a str], configured: Option<&str>) -> Option<&'a str> {
    let all = tables.iter().filter_map(|name| {
        let prefix = name.strip_suffix("posts")?;
        tables.contains(&format!("{prefix}options").as_str()).then_some(prefix)
    });
    match configured {
        // A server may write the names of its tables in small letters.
        Some(configured) => {
            let all: Vec<&str> = all.collect();
            let exact = all.iter().find(|prefix| **prefix == configured);
            exact.or_else(|| all.iter().find(|prefix| prefix.eq_ignore_ascii_case(configured))).copied()
        }
        None => all.min_by_key(|prefix| prefix.len()),
    }
}

#[derive(Debug, Default)]
struct Post {
    id: u64,
    title: String,
    content: String,
    /// Of the whole title and content, by the server; empty: it gives none.
    digest: String,
    /// Title or content goes on behind what is known of it.
    is_cut: bool,
}

/// What visitors see of the tables of a WordPress, as far as it is looked at.
#[derive(Debug, Default)]
pub struct Posts {
    /// The site's title; `None`: not looked at.
    site: Option<String>,
    /// It goes on behind what is known of it.
    is_site_cut: bool,
    posts: Vec<Post>,
}

impl Posts {
    /// The newest ones, with or without the site's title. `server` speaks for an account that may do nothing but read: the tables are a
    /// tenant's.
    ///
    /// # Errors
    /// `database_failed`, `database_unreachable`.
    pub fn newest(server: &Server, schema: &str, prefix: &str, with_title: bool) -> Result<Posts> {
        let which = format!("{PUBLIC} ORDER BY ID DESC LIMIT {LOOKED_AT}");
        read(&mut connect(server)?, schema, prefix, (&which, MAX_CONTENT), with_title)
    }

    /// The posts with the same numbers, as another schema has them; nothing of one that has no posts at all. `None` where its posts go
    /// by another prefix, or are no tables.
    ///
    /// # Errors
    /// As [`Posts::newest`].
    pub fn the_same_in(&self, server: &Server, schema: &str, prefix: &str) -> Result<Option<Posts>> {
        let mut connection = connect(server)?;
        let sql = format!(
            "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA={} AND (TABLE_NAME LIKE '%posts' OR TABLE_NAME LIKE '%options')",
            literal(schema)
        );
        let there: Vec<(String, String)> =
            rows(&mut connection, &sql)?.iter().map(|row| (text(row, 0), text(row, 1))).collect();
        if !there.iter().any(|(name, _)| name.ends_with("posts")) || self.posts.is_empty() {
            return Ok(Some(Posts::default()));
        }
        let is_table = |name: &str| {
            let name = format!("{prefix}{name}");
            there
                .iter()
                .any(|(known, kind)| *known == name && ["BASE TABLE", "SYSTEM VERSIONED"].contains(&kind.as_str()))
        };
        if !is_table("posts") || (self.site.is_some() && !is_table("options")) {
            return Ok(None);
        }
        let numbers: Vec<String> = self.posts.iter().map(|post| post.id.to_string()).collect();
        let which = format!("{PUBLIC} AND ID IN ({})", numbers.join(","));
        read(&mut connection, schema, prefix, (&which, MAX_KNOWN), self.site.is_some()).map(Some)
    }

    /// The newest post that the state before has otherwise; else the newest one, which proves nothing but by the site's title. `before`:
    /// `None` where it is not known.
    pub fn choose(&self, before: Option<&Posts>) -> Option<Chosen> {
        let newest = self.posts.first()?;
        let Some(before) = before else { return Some(newest.chosen(Vec::new(), Before::Unknown)) };
        let other = self.posts.iter().find_map(|post| {
            let marks = post.marks(before);
            (!marks.is_empty()).then(|| post.chosen(marks, Before::Other))
        });
        let by_title = || {
            let site = self.site.as_ref().filter(|_| !before.cuts(newest.id));
            let marks = site.map_or_else(Vec::new, |site| before.lacks(site));
            newest.chosen(marks, if self.is_all_in(before) { Before::Same } else { Before::Other })
        };
        Some(other.unwrap_or_else(by_title))
    }

    /// Whether all that is looked at here is there as well.
    fn is_all_in(&self, before: &Posts) -> bool {
        let is_in = |post: &Post| before.posts.iter().any(|old| post.is_same(old));
        let same_site = self.site == before.site && !self.is_site_cut && !before.is_site_cut;
        (self.site.is_none() || same_site) && self.posts.iter().all(is_in)
    }

    /// Whether the page of a post may hold words that are not known.
    fn cuts(&self, id: u64) -> bool {
        self.is_site_cut || self.posts.iter().any(|post| post.id == id && post.is_cut)
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
        if before.cuts(self.id) {
            return Vec::new();
        }
        let all = before.lacks(&self.title).into_iter().chain(before.lacks(&self.content));
        all.take(MAX_MARKS).collect()
    }

    fn chosen(&self, marks: Vec<String>, before: Before) -> Chosen {
        Chosen { id: self.id, title: words(&self.title), marks, before }
    }

    fn is_same(&self, other: &Post) -> bool {
        let is_whole = !self.is_cut && !other.is_cut && self.content == other.content;
        (self.id, &self.title) == (other.id, &other.title)
            && (is_whole || (!self.digest.is_empty() && self.digest == other.digest))
    }
}

/// A connection whose answers take no longer than [`PATIENCE`], by the server's clock and by ours.
fn connect(server: &Server) -> Result<Conn> {
    let mut connection = server.impatient().patient_for(PATIENCE).connect(None)?;
    let (s, ms) = (PATIENCE.as_secs(), PATIENCE.as_millis());
    // Each server has its own name for the longest statement.
    let session = format!(
        "SET SESSION lock_wait_timeout={s} /*M!100100 , SESSION max_statement_time={s} */ /*!50708 , SESSION max_execution_time={ms} */"
    );
    run(&mut connection, &session)?;
    Ok(connection)
}

/// `which` posts, and so many letters of each.
fn read(
    connection: &mut Conn,
    schema: &str,
    prefix: &str,
    (which, letters): (&str, usize),
    with_title: bool,
) -> Result<Posts> {
    let table = |name: &str| full(schema, &format!("{prefix}{name}"));
    let sql = format!(
        "SELECT ID, LEFT(post_title, {MAX_TITLE}), LEFT(post_content, {letters}), \
         CONCAT(SHA2(post_title, 256), SHA2(post_content, 256)), \
         CHAR_LENGTH(post_title) > {MAX_TITLE} OR CHAR_LENGTH(post_content) > {letters} FROM {} WHERE {which}",
        table("posts")
    );
    let post = |row: &mysql::Row| Post {
        id: number(row, 0),
        title: text(row, 1),
        content: text(row, 2),
        digest: text(row, 3),
        is_cut: number(row, 4) != 0,
    };
    let posts = rows(connection, &sql)?.iter().map(post).collect();
    let mut known = Posts { posts, ..Posts::default() };
    if with_title {
        let sql = format!(
            "SELECT LEFT(option_value, {MAX_TITLE}), CHAR_LENGTH(option_value) > {MAX_TITLE} FROM {} \
             WHERE option_name='blogname' LIMIT 1",
            table("options")
        );
        let found = rows(connection, &sql)?;
        known.site = Some(found.first().map(|row| text(row, 0)).unwrap_or_default());
        known.is_site_cut = found.first().is_some_and(|row| number(row, 1) != 0);
    }
    Ok(known)
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
            ..Post::default()
        };
        Posts { site: Some(site.into()), posts: posts.iter().map(post).collect(), is_site_cut: false }
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
        let newest = |marks: &[&str], before| Chosen {
            id: 3,
            title: "Words".into(),
            marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
            before,
        };
        let other = |marks: &[&str]| Some(newest(marks, Before::Other));
        assert_eq!(now.choose(None), Some(newest(&[], Before::Unknown)));
        assert_eq!(now.choose(Some(&posts("The Rocket Shop", &[]))), other(&[]), "too short, and a number");
        assert_eq!(now.choose(Some(&posts("Hacked", &[]))), other(&["The Rocket Shop"]));
        assert_eq!(now.choose(Some(&posts("", &[(9, "x", "not The Rocket Shop")]))), other(&[]));
        let unknown = Posts { site: None, ..posts("", &[(3, "Words", "12345678")]) };
        assert_eq!(unknown.choose(Some(&posts("Hacked", &[]))), other(&[]), "a title that nobody looked at");
        assert_eq!(now.choose(Some(&now)), Some(newest(&[], Before::Same)));
        assert_eq!(Posts::default().choose(None), None);
    }

    #[test]
    fn words_behind_the_end_of_what_is_known_are_not_new() {
        let now = posts("The Rocket Shop", &[(3, "About", "an article about rockets")]);
        let mut before = posts("Shop", &[(3, "About", "hacked words, and behind them the same")]);
        assert_eq!(now.choose(Some(&before)).unwrap().marks, ["an article about rockets"]);
        before.posts[0].is_cut = true;
        let chosen = now.choose(Some(&before)).unwrap();
        assert_eq!((chosen.marks, chosen.before), (Vec::new(), Before::Other), "nor does the site's title prove it");
        before.posts[0].is_cut = false;
        before.is_site_cut = true;
        assert!(now.choose(Some(&before)).unwrap().marks.is_empty());
    }

    #[test]
    fn posts_are_the_same_where_nothing_of_them_differs() {
        let same = |change: fn(&mut Posts)| {
            let now = posts("Shop", &[(3, "About", "beginning")]);
            let mut before = posts("Shop", &[(3, "About", "beginning")]);
            change(&mut before);
            now.choose(Some(&before)).unwrap().before
        };
        assert_eq!(same(|_| {}), Before::Same);
        for change in [
            (|before| before.posts[0].title = "A".into()) as fn(&mut Posts),
            |before| before.posts[0].content = "b".into(),
            |before| before.posts[0].is_cut = true,
            |before| before.site = Some("S".into()),
            |before| before.posts.clear(),
        ] {
            assert_eq!(same(change), Before::Other);
        }
        // A long one, by its digest.
        let long = |digest: &str| {
            let mut long = posts("Shop", &[(3, "About", "beginning")]);
            (long.posts[0].digest, long.posts[0].is_cut) = (digest.into(), true);
            long
        };
        assert_eq!(long("a").choose(Some(&long("a"))).unwrap().before, Before::Same);
        assert_eq!(long("a").choose(Some(&long("b"))).unwrap().before, Before::Other);
        assert_eq!(long("").choose(Some(&long(""))).unwrap().before, Before::Other);
        for known in [Before::Same, Before::Other, Before::Unknown] {
            assert_eq!(Before::of_word(known.word()), known);
        }
    }

    #[test]
    fn a_networks_first_site_is_asked() {
        let tables = ["wp_2_options", "wp_2_posts", "wp_options", "wp_posts", "x_posts"];
        assert_eq!(prefix(&tables, None), Some("wp_"));
        assert_eq!(prefix(&tables, Some("WP_2_")), Some("wp_2_"));
        assert_eq!(prefix(&tables, Some("x_")), None);
        assert_eq!(prefix(&["wp_posts"], None), None);
    }
}
