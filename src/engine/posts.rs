//! The posts, pages and products that a WordPress is asked for, and the words by which what it shows of them is known to be of one state
//! and of no other.

use crate::error::Result;
use crate::host::database::Server;
use crate::host::database::server::{full, literal, number, rows, run, text};
use crate::text::percent_decoded;
use mysql::Conn;
use std::borrow::Cow;
use std::time::Duration;

/// Most posts of a kind that are looked at for one that differs.
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
/// Letters of a price that are looked at.
const MAX_PRICE: usize = 20;
/// Fewest bytes of a price that is looked for.
const MIN_PRICE: usize = 4;
/// Posts that every visitor may see.
const PUBLIC: &str = "post_status='publish' AND post_password=''";

/// Kinds of posts that have a page of their own.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A post of a blog.
    #[default]
    Post,
    /// A page.
    Page,
    /// A product of WooCommerce.
    Product,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Post, Kind::Page, Kind::Product];

    /// As WordPress and reports have it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Post => "post",
            Kind::Page => "page",
            Kind::Product => "product",
        }
    }

    /// Reads [`Kind::word`].
    pub fn of_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The post to ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// What it is.
    pub kind: Kind,
    /// Its number.
    pub id: u64,
    /// Words of its title; empty where it has none that stand in a page as they stand in the table.
    pub title: String,
    /// Words that the state before has not: in a page they prove that it is of this state.
    pub marks: Vec<String>,
    /// Its price as a shop writes it, where the state before has another: so few letters prove something only where the page before is
    /// known to be without them.
    pub price: Option<String>,
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

/// Whether a page shows words: a figure of a longer number is none.
pub fn shows(page: &[u8], words: &str) -> bool {
    let (first, last) = (words.bytes().next(), words.bytes().next_back());
    let (Some(first), Some(last)) = (first, last) else { return true };
    let is_digit = |at: Option<usize>| at.and_then(|at| page.get(at)).is_some_and(u8::is_ascii_digit);
    let mut found = memchr::memmem::find_iter(page, words.as_bytes());
    found.any(|at| {
        let begins = !first.is_ascii_digit() || !is_digit(at.checked_sub(1));
        let ends = !last.is_ascii_digit() || !is_digit(Some(at + words.len()));
        begins && ends
    })
}

/// Whether words stand in an address, letter by letter but for what such a one has in the place of spaces: a page that says what it was
/// asked for has them, whatever state it is of.
pub fn are_of_address(words: &str, address: &str) -> bool {
    let spaced = |byte: u8| if b"-_+".contains(&byte) { b' ' } else { byte };
    let plain: Vec<u8> = percent_decoded(address.as_bytes()).0.into_iter().map(spaced).collect();
    memchr::memmem::find(&plain, words.as_bytes()).is_some()
}

#[derive(Debug, Default)]
struct Post {
    kind: Kind,
    id: u64,
    title: String,
    content: String,
    /// Of the whole title and content, by the server; empty: it gives none.
    digest: String,
    /// Title or content goes on behind what is known of it.
    is_cut: bool,
    /// What a product costs, as its shop writes it.
    price: Option<String>,
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
        let mut connection = connect(server)?;
        let newest =
            |kind: Kind| format!("post_type='{}' AND {PUBLIC} ORDER BY ID DESC LIMIT {LOOKED_AT}", kind.word());
        let which: Vec<String> = Kind::ALL.into_iter().map(newest).collect();
        let there = tables(&mut connection, schema)?;
        let with_prices = ["postmeta", "options"].iter().all(|name| is_there(&there, &format!("{prefix}{name}"), &[]));
        read(&mut connection, (schema, prefix), (&which, MAX_CONTENT), (with_title, with_prices))
    }

    /// The posts with the same numbers, as another schema has them; nothing of one that has no posts at all. `None` where its posts go
    /// by another prefix, or are no tables.
    ///
    /// # Errors
    /// As [`Posts::newest`].
    pub fn the_same_in(&self, server: &Server, schema: &str, prefix: &str) -> Result<Option<Posts>> {
        let mut connection = connect(server)?;
        let there = tables(&mut connection, schema)?;
        if !there.iter().any(|(name, _)| name.ends_with("posts")) || self.posts.is_empty() {
            return Ok(Some(Posts::default()));
        }
        let is_table = |name: &str| is_there(&there, &format!("{prefix}{name}"), &["BASE TABLE", "SYSTEM VERSIONED"]);
        if !is_table("posts") || (self.site.is_some() && !is_table("options")) {
            return Ok(None);
        }
        let numbers: Vec<String> = self.posts.iter().map(|post| post.id.to_string()).collect();
        let kinds = Kind::ALL.map(|kind| format!("'{}'", kind.word())).join(",");
        let which = [format!("post_type IN ({kinds}) AND {PUBLIC} AND ID IN ({})", numbers.join(","))];
        let with = (self.site.is_some(), is_table("postmeta") && is_table("options"));
        read(&mut connection, (schema, prefix), (&which, MAX_KNOWN), with).map(Some)
    }

    /// What to ask for: a post, or a page where that alone differs or there is no post, and a product. `before`: `None` where it is not
    /// known.
    pub fn choose(&self, before: Option<&Posts>) -> Vec<Chosen> {
        let differs = |chosen: &Chosen| !chosen.marks.is_empty();
        let (post, page) = (self.choose_of(Kind::Post, before), self.choose_of(Kind::Page, before));
        let told = match (post, page) {
            (Some(post), Some(page)) if !differs(&post) && differs(&page) => Some(page),
            (post, page) => post.or(page),
        };
        told.into_iter().chain(self.choose_of(Kind::Product, before)).collect()
    }

    /// The newest of a kind that the state before has otherwise; else the newest one, which proves nothing but by the site's title.
    fn choose_of(&self, kind: Kind, before: Option<&Posts>) -> Option<Chosen> {
        let all = || self.posts.iter().filter(|post| post.kind == kind);
        let newest = all().next()?;
        let Some(before) = before else { return Some(newest.chosen(Vec::new(), None, Before::Unknown)) };
        let otherwise = |post: &Post| post.chosen(post.marks(before), post.other_price(before), Before::Other);
        let by_words = all().map(otherwise).find(|chosen| !chosen.marks.is_empty());
        let other = by_words.or_else(|| all().map(otherwise).find(|chosen| chosen.price.is_some()));
        let by_title = || {
            let site = self.site.as_ref().filter(|_| !before.cuts(newest.id));
            let marks = site.map_or_else(Vec::new, |site| before.lacks(site));
            newest.chosen(marks, None, if self.are_all_in(kind, before) { Before::Same } else { Before::Other })
        };
        Some(other.unwrap_or_else(by_title))
    }

    /// Whether all of a kind that is looked at here is there as well.
    fn are_all_in(&self, kind: Kind, before: &Posts) -> bool {
        let is_in = |post: &Post| before.posts.iter().any(|old| post.is_same(old));
        let same_site = self.site == before.site && !self.is_site_cut && !before.is_site_cut;
        (self.site.is_none() || same_site) && self.posts.iter().filter(|post| post.kind == kind).all(is_in)
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
        // Other pages show the title, too, those that suggest one in the place of what was not found among them.
        let all = before.lacks(&self.content).into_iter().chain(before.lacks(&self.title));
        all.take(MAX_MARKS).collect()
    }

    /// What it costs, where the state before has it for another price.
    fn other_price(&self, before: &Posts) -> Option<String> {
        let was = before.posts.iter().find(|post| (post.kind, post.id) == (self.kind, self.id))?.price.as_ref()?;
        // One that another product has may be shown beside this one.
        let is_known = |price: &String| before.posts.iter().any(|post| post.price.as_ref() == Some(price));
        self.price.clone().filter(|price| price != was && !is_known(price))
    }

    fn chosen(&self, marks: Vec<String>, price: Option<String>, before: Before) -> Chosen {
        Chosen { kind: self.kind, id: self.id, title: words(&self.title), marks, price, before }
    }

    fn is_same(&self, other: &Post) -> bool {
        let is_whole = !self.is_cut && !other.is_cut && self.content == other.content;
        (self.kind, self.id, &self.title, &self.price) == (other.kind, other.id, &other.title, &other.price)
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

/// The tables and views of a schema that are looked at, and which of both they are.
fn tables(connection: &mut Conn, schema: &str) -> Result<Vec<(String, String)>> {
    let sql = format!(
        "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA={} \
         AND (TABLE_NAME LIKE '%posts' OR TABLE_NAME LIKE '%options' OR TABLE_NAME LIKE '%postmeta')",
        literal(schema)
    );
    Ok(rows(connection, &sql)?.iter().map(|row| (text(row, 0), text(row, 1))).collect())
}

/// Whether one is among them, and of these kinds; of any where none is named.
fn is_there(tables: &[(String, String)], name: &str, kinds: &[&str]) -> bool {
    tables.iter().any(|(known, kind)| known == name && (kinds.is_empty() || kinds.contains(&kind.as_str())))
}

/// `which` posts, and so many letters of each.
fn read(
    connection: &mut Conn,
    (schema, prefix): (&str, &str),
    (which, letters): (&[String], usize),
    (with_title, with_prices): (bool, bool),
) -> Result<Posts> {
    let table = |name: &str| full(schema, &format!("{prefix}{name}"));
    let post = |row: &mysql::Row| Post {
        kind: Kind::of_word(&text(row, 5)).unwrap_or_default(),
        id: number(row, 0),
        title: text(row, 1),
        content: text(row, 2),
        digest: text(row, 3),
        is_cut: number(row, 4) != 0,
        price: None,
    };
    let mut known = Posts::default();
    for which in which {
        let sql = format!(
            "SELECT ID, LEFT(post_title, {MAX_TITLE}), LEFT(post_content, {letters}), \
             CONCAT(SHA2(post_title, 256), SHA2(post_content, 256)), \
             CHAR_LENGTH(post_title) > {MAX_TITLE} OR CHAR_LENGTH(post_content) > {letters}, post_type FROM {} WHERE {which}",
            table("posts")
        );
        known.posts.extend(rows(connection, &sql)?.iter().map(post));
    }
    if with_prices && known.posts.iter().any(|post| post.kind == Kind::Product) {
        read_prices(connection, (&table("postmeta"), &table("options")), &mut known.posts)?;
    }
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

/// What the products cost, as their shop writes it.
fn read_prices(connection: &mut Conn, (meta, options): (&str, &str), posts: &mut [Post]) -> Result<()> {
    let numbers: Vec<String> =
        posts.iter().filter(|post| post.kind == Kind::Product).map(|post| post.id.to_string()).collect();
    let found = rows(
        connection,
        &format!(
            "SELECT post_id, LEFT(meta_value, {MAX_PRICE}) FROM {meta} WHERE meta_key='_price' AND post_id IN ({}) \
             ORDER BY meta_id LIMIT {}",
            numbers.join(","),
            posts.len() * 4
        ),
    )?;
    let style = rows(
        connection,
        &format!(
            "SELECT option_name, LEFT(option_value, 8) FROM {options} WHERE option_name IN \
             ('woocommerce_price_decimal_sep','woocommerce_price_thousand_sep','woocommerce_price_num_decimals')"
        ),
    )?;
    let style: Vec<(String, String)> = style.iter().map(|row| (text(row, 0), text(row, 1))).collect();
    for post in posts.iter_mut().filter(|post| post.kind == Kind::Product) {
        let mut own = found.iter().filter(|row| number(row, 0) == post.id).map(|row| text(row, 1));
        // A variable product has several, and its page a range of them.
        post.price = own.next().filter(|_| own.next().is_none()).and_then(|price| price_of(&price, &style));
    }
    Ok(())
}

/// A price as WooCommerce writes it, without its currency; `None` for what is no plain number.
fn price_of(number: &str, style: &[(String, String)]) -> Option<String> {
    let option = |name: &str, usual: &str| {
        let found = style.iter().find(|(known, _)| known == &format!("woocommerce_price_{name}"));
        found.map_or_else(|| usual.to_owned(), |(_, value)| value.clone())
    };
    let (point, comma) = (option("decimal_sep", "."), option("thousand_sep", ","));
    let decimals: usize = option("num_decimals", "2").parse().ok().filter(|decimals| *decimals <= 4)?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Rounding is the shop's affair.
    if whole.is_empty() || !is_plain(whole) || !is_plain(part) || part.trim_end_matches('0').len() > decimals {
        return None;
    }
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push_str(&comma);
        }
        grouped.push(digit);
    }
    let part: String = part.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let price = if decimals == 0 { grouped } else { format!("{grouped}{point}{part}") };
    (price.len() >= MIN_PRICE).then_some(price)
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
        let chosen = now.choose(Some(&before)).remove(0);
        assert_eq!((chosen.id, chosen.title.as_str()), (2, "A new title"));
        assert_eq!(chosen.marks, ["a new story", "A new title"]);
        // One that was not there, and a site that had none.
        assert_eq!(now.choose(Some(&posts("Shop", &[(3, "About", "the same")]))).remove(0).id, 2);
        assert_eq!(now.choose(Some(&Posts::default())).remove(0).marks, ["the same"]);
    }

    #[test]
    fn what_proves_nothing_is_no_mark() {
        let now = posts("The Rocket Shop", &[(3, "Words", "12345678")]);
        let newest = |marks: &[&str], before| Chosen {
            id: 3,
            title: "Words".into(),
            marks: marks.iter().map(|mark| (*mark).to_owned()).collect(),
            before,
            ..Chosen::default()
        };
        let other = |marks: &[&str]| vec![newest(marks, Before::Other)];
        assert_eq!(now.choose(None), vec![newest(&[], Before::Unknown)]);
        assert_eq!(now.choose(Some(&posts("The Rocket Shop", &[]))), other(&[]), "too short, and a number");
        assert_eq!(now.choose(Some(&posts("Hacked", &[]))), other(&["The Rocket Shop"]));
        assert_eq!(now.choose(Some(&posts("", &[(9, "x", "not The Rocket Shop")]))), other(&[]));
        let unknown = Posts { site: None, ..posts("", &[(3, "Words", "12345678")]) };
        assert_eq!(unknown.choose(Some(&posts("Hacked", &[]))), other(&[]), "a title that nobody looked at");
        assert_eq!(now.choose(Some(&now)), vec![newest(&[], Before::Same)]);
        assert_eq!(Posts::default().choose(None), []);
    }

    #[test]
    fn words_behind_the_end_of_what_is_known_are_not_new() {
        let now = posts("The Rocket Shop", &[(3, "About", "an article about rockets")]);
        let mut before = posts("Shop", &[(3, "About", "hacked words, and behind them the same")]);
        assert_eq!(now.choose(Some(&before)).remove(0).marks, ["an article about rockets"]);
        before.posts[0].is_cut = true;
        let chosen = now.choose(Some(&before)).remove(0);
        assert_eq!((chosen.marks, chosen.before), (Vec::new(), Before::Other), "nor does the site's title prove it");
        before.posts[0].is_cut = false;
        before.is_site_cut = true;
        assert!(now.choose(Some(&before)).remove(0).marks.is_empty());
    }

    #[test]
    fn posts_are_the_same_where_nothing_of_them_differs() {
        let same = |change: fn(&mut Posts)| {
            let now = posts("Shop", &[(3, "About", "beginning")]);
            let mut before = posts("Shop", &[(3, "About", "beginning")]);
            change(&mut before);
            now.choose(Some(&before)).remove(0).before
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
        assert_eq!(long("a").choose(Some(&long("a"))).remove(0).before, Before::Same);
        assert_eq!(long("a").choose(Some(&long("b"))).remove(0).before, Before::Other);
        assert_eq!(long("").choose(Some(&long(""))).remove(0).before, Before::Other);
        for known in [Before::Same, Before::Other, Before::Unknown] {
            assert_eq!(Before::of_word(known.word()), known);
        }
    }

    #[test]
    fn a_shop_is_asked_for_a_product_and_a_site_without_posts_for_a_page() {
        let of = |kind, id, content: &str, price: Option<&str>| Post {
            kind,
            id,
            title: "A title".into(),
            content: content.into(),
            price: price.map(str::to_owned),
            ..Post::default()
        };
        let all = |posts: Vec<Post>| Posts { site: Some("Shop".into()), posts, is_site_cut: false };
        let asked = |now: &Posts, before: &Posts| {
            let chosen = now.choose(Some(before));
            chosen.into_iter().map(|chosen| (chosen.kind, chosen.id, chosen.marks, chosen.price)).collect::<Vec<_>>()
        };
        let now = all(vec![
            of(Kind::Post, 1, "the same text", None),
            of(Kind::Page, 2, "restored words", None),
            of(Kind::Product, 4, "cheap boots", Some("5.00")),
            of(Kind::Product, 3, "dear boots", Some("1,299.00")),
        ]);
        let before = all(vec![
            of(Kind::Post, 1, "the same text", None),
            of(Kind::Page, 2, "other words", None),
            of(Kind::Product, 4, "cheap boots", Some("5.00")),
            of(Kind::Product, 3, "dear boots", Some("999.00")),
        ]);
        let page = (Kind::Page, 2, vec!["restored words".to_owned()], None);
        let boots = (Kind::Product, 3, vec![], Some("1,299.00".to_owned()));
        assert_eq!(asked(&now, &before), [page, boots]);
        // Each kind is the same by itself, and a post is asked for before a page.
        let kinds = |chosen: Vec<Chosen>| chosen.iter().map(|one| (one.kind, one.before)).collect::<Vec<_>>();
        assert_eq!(kinds(now.choose(Some(&now))), [(Kind::Post, Before::Same), (Kind::Product, Before::Same)]);
        assert_eq!(kinds(now.choose(Some(&before)))[1], (Kind::Product, Before::Other));
        let pages = all(vec![of(Kind::Page, 2, "restored words", None)]);
        assert_eq!(kinds(pages.choose(None)), [(Kind::Page, Before::Unknown)]);
    }

    #[test]
    fn a_price_is_written_as_its_shop_writes_it() {
        let style = |point: &str, comma: &str, decimals: &str| -> Vec<(String, String)> {
            let option = |name: &str, value: &str| (format!("woocommerce_price_{name}"), value.to_owned());
            vec![option("decimal_sep", point), option("thousand_sep", comma), option("num_decimals", decimals)]
        };
        for (number, style, price) in [
            ("19", vec![], Some("19.00")),
            ("1299.5", vec![], Some("1,299.50")),
            ("1234567.10", style(",", ".", "2"), Some("1.234.567,10")),
            ("1234", style(".", ",", "0"), Some("1,234")),
            ("9", style(".", ",", "0"), None),
            ("1.999", vec![], None),
            ("", vec![], None),
            ("-1.00", vec![], None),
            ("19", style(".", ",", "many"), None),
        ] {
            assert_eq!(price_of(number, &style).as_deref(), price, "{number}");
        }
    }

    #[test]
    fn words_of_the_address_and_parts_of_numbers_are_not_shown() {
        for (words, address, is) in [
            ("spring sale", "/product/spring-sale/", true),
            ("Spring Sale", "/product/spring-sale/", false),
            ("caf\u{e9} au lait", "/caf%C3%A9-au_lait", true),
            ("spring sale of boots", "/spring-sale/", false),
            ("Spring sale", "/?s=Spring+sale", true),
            ("Spring sale", "/post-number-58/?p=58%", false),
        ] {
            assert_eq!(are_of_address(words, address), is, "{words} {address}");
        }
        assert!(shows(b"costs <b>19.00</b>", "19.00") && shows(b"119.00 19.00", "19.00"));
        assert!(!shows(b"119.00", "19.00") && !shows(b"19.001", "19.00") && shows(b"any", ""));
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
