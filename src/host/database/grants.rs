//! What an account may do, by its `SHOW GRANTS`, and what a restore needs: asked before anything is made.
//!
//! A site's own account mostly has rights on the site's schema alone. Working through shadow names in that same schema would do
//! with these, and is not done: the dump would then be loaded with rights on the live tables, and nothing but our own reading
//! of it would stand between a hostile dump and the site. A restore needs schemas of its own and a throw-away account that has
//! rights on one of them and on nothing else.

use crate::error::Result;
use crate::host::database::server::{Server, rows, text};
use crate::sql::quote_name;
use crate::sql::token::{Quoting, Token, tokens};
use crate::sql::versioned::Dialect;
use mysql::Conn;
use std::collections::{BTreeMap, BTreeSet};

/// What the throw-away account gets on the shadow schema. Named one by one: who grants `ALL PRIVILEGES` must have every right
/// this kind of server knows, also those that no load needs.
pub const LOADING: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "REFERENCES",
    "INDEX",
    "ALTER",
    "CREATE TEMPORARY TABLES",
    "LOCK TABLES",
    "EXECUTE",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
];
/// On the live schema: reading and renaming its tables and their foreign keys, reading, dropping and creating what is not a
/// table.
const LIVE: &[&str] = &[
    "SELECT",
    "INSERT",
    "CREATE",
    "DROP",
    "REFERENCES",
    "ALTER",
    "CREATE VIEW",
    "SHOW VIEW",
    "CREATE ROUTINE",
    "ALTER ROUTINE",
    "EVENT",
    "TRIGGER",
];
/// Who has all of these on a schema may do to its tables what a restore does.
const OWNING: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER"];
/// On the schema of the old tables.
const KEPT: &[&str] = &["SELECT", "INSERT", "CREATE", "DROP", "ALTER"];
/// Any of these lets an account define objects that run as another. MariaDB's name, that of MySQL, and the one that MySQL has since 8.2;
/// with 8.4 the one before it went (its "Privileges Provided by MySQL").
const DEFINE_FOR_OTHERS: &[&str] = &["SET USER", "SET_USER_ID", "SET_ANY_DEFINER", "SUPER"];
/// What reading rows takes. Without EXECUTE no function runs.
pub const READING: &[&str] = &["SELECT"];
/// What a staged site may do with its tables before they are live: it reads them, and has tables of its own while it is connected.
pub const VISITING: &[&str] = &["SELECT", "CREATE TEMPORARY TABLES"];
const END_CONNECTIONS: &[&str] = &["CONNECTION ADMIN", "CONNECTION_ADMIN", "SUPER"];
/// Either shows the text of a routine that another account defines; MySQL has no `mysql.proc`.
const SEE_ROUTINES: &[&str] = &["SHOW_ROUTINE", "SELECT"];
/// MySQL that has `SET_ANY_DEFINER`, and `SHOW_ROUTINE`.
const MYSQL_8_2: u32 = 80_200;
const MYSQL_8_0_20: u32 = 80_020;

/// What a right is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// `*.*`
    Global,
    /// A schema: in a grant a pattern with `_`, `%` and escapes, in a need a name.
    Schema(String),
    /// One table.
    Table(String, String),
    /// A routine, a proxy.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Right {
    privileges: BTreeSet<String>,
    scope: Scope,
    grant_option: bool,
    /// Granted to `PUBLIC`: whoever is let in has it.
    everybodys: bool,
}

/// The rights of the account that a connection is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// `user@host` as the server knows it.
    pub account: String,
    /// Roles that were granted. What an active one may do is in the list by itself; others are not looked into.
    pub roles: Vec<String>,
    rights: Vec<Right>,
    revoked: Vec<Right>,
    /// Names of schemas are no patterns here: MySQL's `partial_revokes`.
    literal: bool,
}

/// One right that a restore needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Any of these will do; the first is the one to ask for.
    pub privileges: Vec<&'static str>,
    /// Where.
    pub scope: Scope,
    /// As it stands in a GRANT: job schemas by their pattern.
    pub place: String,
    /// It must be able to hand the right on.
    pub grant_option: bool,
    /// Without it there is no restore; else something cannot be seen or said.
    pub required: bool,
    /// What it is for.
    pub purpose: &'static str,
}

/// Names of one restore.
#[derive(Debug, Clone, Copy)]
pub struct Schemas<'a> {
    /// The site's schema.
    pub live: &'a str,
    /// Where the dump is loaded.
    pub shadow: &'a str,
    /// Where the old tables go.
    pub kept: &'a str,
}

impl Grants {
    /// Asks the server about the account in use.
    ///
    /// # Errors
    /// `database_unreachable`, `insufficient_privilege`.
    pub fn ask(server: &Server) -> Result<Grants> {
        let mut connection = server.connect(None)?;
        Grants::of(&mut connection)
    }

    /// Asks about the account that a connection is in, with what its active roles give it.
    ///
    /// # Errors
    /// `database_unreachable`, `insufficient_privilege`.
    pub fn of(connection: &mut Conn) -> Result<Grants> {
        let account = rows(connection, "SELECT CURRENT_USER()")?.first().map(|row| text(row, 0));
        let lines: Vec<String> = rows(connection, "SHOW GRANTS")?.iter().map(|row| text(row, 0)).collect();
        let literal = names_are_literal(connection)?;
        Ok(Grants { literal, ..Grants::parse(account.unwrap_or_default(), &lines) })
    }

    /// Reads the lines of `SHOW GRANTS`. What a line says of passwords is not looked at.
    pub fn parse(account: String, lines: &[String]) -> Grants {
        let mut grants = Grants { account, ..Grants::default() };
        for line in lines {
            let sql = line.as_bytes();
            let all = tokens(sql, Quoting::default());
            match (all.first(), right(sql, &all)) {
                (Some(first), Some(right)) if first.is(sql, "GRANT") => grants.rights.push(right),
                (Some(first), Some(right)) if first.is(sql, "REVOKE") => grants.revoked.push(right),
                (Some(first), None) if first.is(sql, "GRANT") => {
                    let names = all[1..].iter().take_while(|token| !token.is(sql, "TO"));
                    let name = names.filter_map(|token| token.name(sql)).next();
                    grants.roles.extend(name.filter(|name| !grants.roles.contains(name)));
                }
                _ => {}
            }
        }
        grants
    }

    /// Whether one of these privileges is held there.
    pub fn has(&self, privileges: &[&str], scope: &Scope, grant_option: bool) -> bool {
        let gives = |right: &Right, privilege: &str| {
            let all = right.privileges.contains("ALL PRIVILEGES") || right.privileges.contains("ALL");
            (all || right.privileges.contains(privilege)) && (right.grant_option || !grant_option)
        };
        let revoked = |privilege: &str| {
            self.revoked.iter().any(|right| self.covers(&right.scope, scope) && gives(right, privilege))
        };
        privileges.iter().any(|privilege| {
            let global = self.rights.iter().any(|right| right.scope == Scope::Global && gives(right, privilege));
            let near = self.nearest(scope).any(|right| gives(right, privilege));
            near || (global && !revoked(privilege))
        })
    }

    /// Rights on the schema, of which the server takes those of the most exact pattern alone, and on the table.
    fn nearest<'a>(&'a self, scope: &'a Scope) -> impl Iterator<Item = &'a Right> {
        let best = match scope {
            Scope::Schema(name) | Scope::Table(name, _) => self.pattern_of(name),
            Scope::Global | Scope::Other => None,
        };
        self.rights.iter().filter(move |right| match &right.scope {
            Scope::Schema(pattern) => Some(pattern.as_str()) == best,
            Scope::Table(..) => right.scope == *scope,
            Scope::Global | Scope::Other => false,
        })
    }

    /// The most exact pattern of a grant that the schema fits.
    fn pattern_of(&self, schema: &str) -> Option<&str> {
        let patterns = self.rights.iter().filter_map(|right| match &right.scope {
            Scope::Schema(pattern) if self.matches(pattern, schema) => Some(pattern.as_str()),
            _ => None,
        });
        patterns.max_by_key(|pattern| exactness(pattern))
    }

    /// What of the rights over all of a site's tables these grants do not give on `schema`; nothing: they cover it. Rights that
    /// everybody has say nothing about whose it is.
    pub fn uncovered(&self, schema: &str) -> Vec<&'static str> {
        let own =
            Grants { rights: self.rights.iter().filter(|right| !right.everybodys).cloned().collect(), ..self.clone() };
        let scope = Scope::Schema(schema.to_owned());
        OWNING.iter().copied().filter(|privilege| !own.has(&[privilege], &scope, false)).collect()
    }

    /// Whether a grant of its own names the schema, and not a pattern that many fit.
    pub fn name(&self, schema: &str) -> bool {
        let own = |right: &&Right| !right.everybodys && !right.privileges.is_empty();
        self.rights.iter().filter(own).any(|right| match &right.scope {
            // A name that holds `_` is often granted as it is.
            Scope::Schema(pattern) => pattern == schema || pattern.replace('\\', "") == schema,
            _ => false,
        })
    }

    fn matches(&self, pattern: &str, name: &str) -> bool {
        if self.literal { pattern == name } else { matches_pattern(pattern, name) }
    }

    /// Whether a right of this scope is about the other one.
    fn covers(&self, right: &Scope, wanted: &Scope) -> bool {
        match (right, wanted) {
            (Scope::Global, _) => true,
            (Scope::Schema(pattern), Scope::Schema(name) | Scope::Table(name, _)) => self.matches(pattern, name),
            (one, other) => one == other,
        }
    }

    /// What a restore with these names needs; the kind of server and `own_objects` (objects run as this very account) decide names.
    pub fn missing(&self, names: Schemas<'_>, server: Dialect, own_objects: bool) -> Vec<Need> {
        let mariadb = server.mariadb;
        let mut needs = needs(names, server, own_objects, self.literal);
        needs.retain(|need| {
            let single = |table: &str| self.has(&need.privileges, &Scope::Table("mysql".into(), table.into()), false);
            let tables = need.scope == Scope::Schema("mysql".into()) && single("user") && (single("proc") || !mariadb);
            !(tables || self.has(&need.privileges, &need.scope, need.grant_option))
        });
        // A grant by a more exact name would hide the one that is there: the server looks no further.
        if let Some(pattern) = self.pattern_of(names.live) {
            let live = Scope::Schema(names.live.to_owned());
            needs.iter_mut().filter(|need| need.scope == live).for_each(|need| need.place = place(pattern));
        }
        needs
    }

    /// The statements that would give what is missing.
    pub fn remedy(&self, missing: &[Need]) -> String {
        let mut places: BTreeMap<(&str, bool), Vec<&str>> = BTreeMap::new();
        for need in missing {
            places.entry((&need.place, need.grant_option)).or_default().extend(need.privileges.first());
        }
        let (user, host) = self.account.rsplit_once('@').unwrap_or((&self.account, "%"));
        let account = format!("{}@{}", quote_name(user), quote_name(host));
        let one = |((place, grant_option), privileges): (&(&str, bool), &Vec<&str>)| {
            let with = if *grant_option { " WITH GRANT OPTION" } else { "" };
            format!("GRANT {} ON {place} TO {account}{with};", privileges.join(", "))
        };
        places.iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

impl Need {
    /// `CREATE USER ON *.*`.
    pub fn name(&self) -> String {
        let with = if self.grant_option { " WITH GRANT OPTION" } else { "" };
        format!("{} ON {}{with}", self.privileges.first().unwrap_or(&""), self.place)
    }
}

/// One schema as it stands in a GRANT: where names are patterns, `_` and `%` of its own name would be wildcards.
pub fn this_schema(name: &str, literal: bool) -> String {
    let name = if literal { name.to_owned() } else { name.replace('_', "\\_").replace('%', "\\%") };
    place(&name)
}

fn place(pattern: &str) -> String {
    format!("{}.*", quote_name(pattern))
}

/// Whether GRANT takes names of schemas as they are. MySQL does with `partial_revokes` ("Partial Revokes" in its manual), which
/// MariaDB and MySQL before 8.0.16 do not know.
///
/// # Errors
/// `database_unreachable`.
pub fn names_are_literal(connection: &mut Conn) -> Result<bool> {
    let found = rows(connection, "SHOW GLOBAL VARIABLES LIKE 'partial_revokes'")?;
    Ok(found.first().is_some_and(|row| text(row, 1) == "ON"))
}

fn needs(names: Schemas<'_>, server: Dialect, own_objects: bool, literal: bool) -> Vec<Need> {
    let mysql_since = |version: u32| !server.mariadb && server.version >= version;
    // The one to ask for comes first.
    let any_of = |privileges: &[&'static str], first: usize| {
        let mut all = privileges.to_vec();
        all.rotate_left(first);
        all
    };
    let of_mysql = usize::from(!server.mariadb);
    let global = |privileges: Vec<&'static str>, required, purpose| {
        let (scope, place) = (Scope::Global, "*.*".to_owned());
        Need { privileges, scope, place, grant_option: false, required, purpose }
    };
    let on_schema = |privileges: &'static [&'static str], schema: &str, place: &str, grant_option, purpose| {
        let (scope, place) = (Scope::Schema(schema.into()), place.to_owned());
        let need = Need { privileges: Vec::new(), scope, place, grant_option, required: true, purpose };
        privileges.iter().map(move |privilege| Need { privileges: vec![privilege], ..need.clone() })
    };
    let mut found = vec![global(vec!["CREATE USER"], true, "the throw-away account that loads the dump")];
    if !own_objects {
        let purpose = "views, routines, triggers and events that run as the site's account";
        found.push(global(any_of(DEFINE_FOR_OTHERS, of_mysql + usize::from(mysql_since(MYSQL_8_2))), true, purpose));
    }
    if mysql_since(MYSQL_8_0_20) {
        found.push(global(SEE_ROUTINES.to_vec(), false, "the text of live routines of other accounts"));
    }
    found.extend(on_schema(&["SELECT"], "mysql", "`mysql`.*", false, "accounts, and the text of others' routines"));
    found.extend(on_schema(
        LIVE,
        names.live,
        &this_schema(names.live, literal),
        false,
        "the site's tables and objects",
    ));
    let live = this_schema(names.live, literal);
    found.extend(on_schema(READING, names.live, &live, true, "the throw-away account that reads the site's rows"));
    // Without patterns no GRANT can name schemas that are still to be made.
    let (kept, shadow) = if literal { ("*.*", "*.*") } else { ("`rvk\\_%`.*", "`rvs\\_%`.*") };
    found.extend(on_schema(KEPT, names.kept, kept, false, "the old tables"));
    found.extend(on_schema(LOADING, names.shadow, shadow, true, "the tables of the dump"));
    found.push(global(vec!["PROCESS"], false, "naming the connection that holds a lock"));
    found.push(global(any_of(END_CONNECTIONS, of_mysql), false, "ending a connection of another account"));
    let purpose = "seeing foreign keys by which other schemas refer to this one";
    found.push(global(vec!["SELECT"], false, purpose));
    found
}

/// Reads `GRANT … ON …`; `None` when it grants a role.
fn right(sql: &[u8], all: &[Token]) -> Option<Right> {
    let mut depth = 0_u32;
    let mut privileges = BTreeSet::new();
    let mut words: Vec<String> = Vec::new();
    let mut columns = false;
    let mut rest = all.get(1..)?;
    loop {
        let (token, after) = rest.split_first()?;
        rest = after;
        let ends = depth == 0 && (token.is(sql, "ON") || token.is_sign(sql, b','));
        if ends {
            // A right on some columns is none on the table.
            if !columns {
                privileges.insert(words.join(" ").to_ascii_uppercase());
            }
            words.clear();
            columns = false;
            if token.is(sql, "ON") {
                break;
            }
        } else if token.is_sign(sql, b'(') {
            depth += 1;
            columns = true;
        } else if token.is_sign(sql, b')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            if token.is(sql, "TO") || token.is(sql, "FROM") {
                return None;
            }
            words.push(token.name(sql).unwrap_or_default());
        }
    }
    let star = |at: usize| rest.get(at).is_some_and(|token| token.is_sign(sql, b'*'));
    let dot = |at: usize| rest.get(at).is_some_and(|token| token.is_sign(sql, b'.'));
    let name = |at: usize| rest.get(at).and_then(|token| token.name(sql));
    let scope = match (star(0), dot(1), star(2)) {
        (true, true, true) => Scope::Global,
        (false, true, true) => Scope::Schema(name(0)?),
        (false, true, false) => Scope::Table(name(0)?, name(2)?),
        _ => Scope::Other,
    };
    let with = rest.iter().rposition(|token| token.is(sql, "WITH"));
    let grant_option = with
        .is_some_and(|with| rest[with..].windows(2).any(|pair| pair[0].is(sql, "GRANT") && pair[1].is(sql, "OPTION")));
    let to = rest.iter().position(|token| token.is(sql, "TO"));
    let everybodys = to.and_then(|to| rest.get(to + 1)).is_some_and(|token| token.is(sql, "PUBLIC"));
    Some(Right { privileges, scope, grant_option, everybodys })
}

/// How far a pattern is exact: the server tries the most exact one first and takes no other.
fn exactness(pattern: &str) -> usize {
    let mut escaped = false;
    let wild = pattern.bytes().position(|byte| {
        let wild = matches!(byte, b'_' | b'%') && !escaped;
        escaped = byte == b'\\' && !escaped;
        wild
    });
    wild.unwrap_or(usize::MAX)
}

/// `LIKE`, with a backslash before what stands for itself. Linear in both for all but nested `%`, and these are short.
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    fn matches(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], _) => name.is_empty(),
            ([b'%', rest @ ..], _) => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
            ([b'\\', letter, rest @ ..], [first, after @ ..]) => letter == first && matches(rest, after),
            ([b'_', rest @ ..], [_, after @ ..]) => matches(rest, after),
            ([letter, rest @ ..], [first, after @ ..]) => letter == first && matches(rest, after),
            (_, []) => false,
        }
    }
    pattern.len() <= 256 && pattern.matches('%').count() <= 4 && matches(pattern.as_bytes(), name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARIADB: Dialect = Dialect { version: 101_119, mariadb: true };

    const NAMES: Schemas<'_> = Schemas { live: "wp_site", shadow: "rvs_0a1b", kept: "rvk_0a1b" };

    fn grants(lines: &[&str]) -> Grants {
        Grants::parse("u@localhost".into(), &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    fn missing(lines: &[&str]) -> Vec<String> {
        let missing = grants(lines).missing(NAMES, MARIADB, false);
        missing.iter().filter(|need| need.required).map(Need::name).collect()
    }

    const ADMIN: &[&str] = &[
        "GRANT CREATE USER, SET USER ON *.* TO `u`@`localhost` IDENTIFIED BY PASSWORD '*B69027D44F6E5EDC07F1AEAD1477967B16F28227'",
        "GRANT SELECT ON `mysql`.* TO `u`@`localhost`",
        "GRANT SELECT, INSERT, CREATE, DROP, REFERENCES, ALTER, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER ON `wp\\_site`.* TO `u`@`localhost` WITH GRANT OPTION",
        "GRANT ALL PRIVILEGES ON `rvs\\_%`.* TO `u`@`localhost` WITH GRANT OPTION",
        "GRANT SELECT, INSERT, CREATE, DROP, ALTER ON `rvk\\_%`.* TO `u`@`localhost`",
    ];

    #[test]
    fn an_account_with_just_what_is_needed_passes_and_without_any_one_it_does_not() {
        assert_eq!(missing(ADMIN), [] as [&str; 0]);
        assert_eq!(
            missing(&[
                "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED VIA unix_socket WITH GRANT OPTION"
            ]),
            [] as [&str; 0]
        );
        for left_out in ADMIN {
            let lines: Vec<&str> = ADMIN.iter().filter(|line| *line != left_out).copied().collect();
            assert!(!missing(&lines).is_empty(), "{left_out}");
        }
    }

    #[test]
    fn what_is_missing_is_named_and_the_remedy_gives_it() {
        let first = ADMIN[0].replace("CREATE USER, ", "");
        let lines = [&[first.as_str()], &ADMIN[1..]].concat();
        assert_eq!(missing(&lines), ["CREATE USER ON *.*"]);
        let found = grants(&lines);
        let missing: Vec<Need> =
            found.missing(NAMES, MARIADB, false).into_iter().filter(|need| need.required).collect();
        assert_eq!(found.remedy(&missing), "GRANT CREATE USER ON *.* TO `u`@`localhost`;");
        let site = grants(&[
            "GRANT USAGE ON *.* TO `u`@`localhost`",
            "GRANT ALL PRIVILEGES ON `wp_site`.* TO `u`@`localhost`",
        ]);
        let needed: Vec<Need> = site.missing(NAMES, MARIADB, false).into_iter().filter(|need| need.required).collect();
        let remedy = site.remedy(&needed);
        let lines: Vec<String> = remedy.split_inclusive(';').map(|line| line.trim().to_owned()).collect();
        let cured = Grants::parse(site.account.clone(), &lines);
        let both = Grants { rights: [site.rights.clone(), cured.rights].concat(), ..site };
        assert!(both.missing(NAMES, MARIADB, false).iter().all(|need| !need.required), "{remedy}");
        assert!(remedy.contains("ON `rvs\\_%`.* TO `u`@`localhost` WITH GRANT OPTION;"), "{remedy}");
        assert!(remedy.contains("GRANT SELECT ON `wp_site`.* TO `u`@`localhost` WITH GRANT OPTION;"), "{remedy}");
    }

    #[test]
    fn objects_of_the_account_itself_need_no_right_to_define_for_others() {
        for (server, name) in [
            (MARIADB, "SET USER"),
            (Dialect { version: 80_036, mariadb: false }, "SET_USER_ID"),
            (Dialect { version: 80_400, mariadb: false }, "SET_ANY_DEFINER"),
        ] {
            let needed = |own_objects| {
                let missing = grants(&[]).missing(NAMES, server, own_objects);
                missing.iter().any(|need| need.privileges.first() == Some(&name))
            };
            assert!(needed(false) && !needed(true), "{server:?}");
            let remedy = grants(&[]).remedy(&grants(&[]).missing(NAMES, server, false));
            assert_eq!(remedy.contains("SHOW_ROUTINE"), !server.mariadb, "{remedy}");
        }
    }

    #[test]
    fn patterns_are_read_as_the_server_reads_them() {
        for (pattern, name, expected) in [
            ("wp_site", "wp_site", true),
            ("wp_site", "wpXsite", true),
            ("wp\\_site", "wpXsite", false),
            ("wp\\_site", "wp_site", true),
            ("rvs\\_%", "rvs_12", true),
            ("rvs\\_%", "rvs12", false),
            ("%", "anything", true),
            ("a\\%", "a%", true),
            ("a\\%", "ab", false),
            ("", "a", false),
        ] {
            assert_eq!(matches_pattern(pattern, name), expected, "{pattern} {name}");
        }
        // Only the most exact pattern counts.
        let both = grants(&["GRANT ALL PRIVILEGES ON `%`.* TO `u`@`h`", "GRANT SELECT ON `rvs\\_%`.* TO `u`@`h`"]);
        assert!(both.has(&["SELECT"], &Scope::Schema("rvs_1".into()), false));
        assert!(!both.has(&["INSERT"], &Scope::Schema("rvs_1".into()), false));
        assert!(both.has(&["INSERT"], &Scope::Schema("other".into()), false));
    }

    #[test]
    fn roles_columns_proxies_and_partial_revokes_are_no_rights() {
        let found = grants(&[
            "GRANT `boss` TO `u`@`h` WITH ADMIN OPTION",
            "GRANT `boss`@`%`,`other`@`%` TO `u`@`h`",
            "GRANT PROXY ON ``@`%` TO `u`@`h` WITH GRANT OPTION",
            "GRANT SELECT (a, b), INSERT ON `s`.`t` TO `u`@`h`",
            "GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE `s`.`p` TO `u`@`h`",
            "SET DEFAULT ROLE `boss` FOR `u`@`h`",
            "GRANT SELECT, SET_USER_ID ON *.* TO `u`@`h`",
            "REVOKE SELECT ON `mysql`.* FROM `u`@`h`",
        ]);
        assert_eq!(found.roles, ["boss"]);
        let table = Scope::Table("s".into(), "t".into());
        assert!(found.has(&["INSERT"], &table, false) && !found.has(&["UPDATE"], &table, false));
        assert!(!found.has(&["EXECUTE"], &Scope::Schema("s".into()), false));
        assert!(found.has(&["SELECT"], &Scope::Schema("s".into()), false));
        assert!(!found.has(&["SELECT"], &Scope::Schema("mysql".into()), false));
        assert!(found.has(DEFINE_FOR_OTHERS, &Scope::Global, false));
        assert!(!found.has(&["SELECT"], &Scope::Global, true));
        assert!(!format!("{:?}", grants(ADMIN)).contains("B69027"), "no hash of a password is kept");
    }

    #[test]
    fn a_schema_is_covered_by_rights_over_all_of_it_and_not_by_everybodys() {
        let uncovered = |lines: &[&str], schema: &str| grants(lines).uncovered(schema).len();
        let whole = "GRANT ALL PRIVILEGES ON `shop\\_a`.* TO `u`@`h`";
        assert_eq!(uncovered(&[whole], "shop_a"), 0);
        assert_eq!(uncovered(&[whole], "shopXa"), OWNING.len());
        assert_eq!(uncovered(&["GRANT ALL PRIVILEGES ON `shop%`.* TO `u`@`h`"], "shop_a"), 0);
        assert_eq!(uncovered(&["GRANT ALL PRIVILEGES ON *.* TO `u`@`h`"], "shop_a"), 0);
        assert_eq!(uncovered(&["GRANT USAGE ON *.* TO `r`", "GRANT ALL PRIVILEGES ON `shop_a`.* TO `r`"], "shop_a"), 0);
        assert_eq!(
            grants(&["GRANT SELECT, INSERT, UPDATE, DELETE ON `s`.* TO `u`@`h`"]).uncovered("s"),
            ["CREATE", "DROP", "ALTER"]
        );
        for not in [
            "GRANT ALL PRIVILEGES ON `test\\_%`.* TO PUBLIC",
            "GRANT ALL PRIVILEGES ON `test_a`.`wp_posts` TO `u`@`h`",
            "GRANT SELECT (a), INSERT (a) ON `test_a`.* TO `u`@`h`",
            "GRANT EXECUTE ON PROCEDURE `test_a`.`p` TO `u`@`h`",
        ] {
            assert_eq!(uncovered(&[not], "test_a"), OWNING.len(), "{not}");
        }
        // With partial_revokes the same text names another schema.
        let literal = |lines: &[&str], schema: &str| Grants { literal: true, ..grants(lines) }.uncovered(schema).len();
        assert_eq!(literal(&[whole], "shop_a"), OWNING.len());
        assert_eq!(literal(&["GRANT ALL PRIVILEGES ON `shop%`.* TO `u`@`h`"], "shop_a"), OWNING.len());
        assert_eq!(literal(&["GRANT ALL PRIVILEGES ON `shop_a`.* TO `u`@`h`"], "shop_a"), 0);
    }

    proptest::proptest! {
        #[test]
        fn no_line_panics(line in "(GRANT|REVOKE|ON|TO|SELECT|ALL PRIVILEGES|,|\\(|\\)|\\*|\\.|`|'|@| |WITH GRANT OPTION|x|\\\\){0,25}") {
            let _ = grants(&[&line]).missing(NAMES, MARIADB, true);
        }
    }
}
