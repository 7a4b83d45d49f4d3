//! Which database is a site's: the one place that decides it.
//!
//! 1. What the administrator says ([`administrator`]) is final. An account that the server refuses is then an error, never a
//!    reason to look further.
//! 2. Where he says nothing, what the site's own files say ([`claims`]) is a claim. It counts if the administrator's own server
//!    bears it out: the account is let in there by its password, its rights cover the schema, and no other site of this
//!    machine has that schema, by the administrator's word or by a claim that the server bears out as well.
//! 3. The server is always the one of restore.toml. Nothing connects to a place that a site's file names.
//! 4. The server's own schemas and this program's are never a site's.
//!
//! Whoever asks gets what was judged, and uses that: no file is read a second time.

use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::host::credentials::endpoint::{self, Listening, Place};
use crate::host::credentials::{self, Endpoint, SiteAccount, administrator, claims};
use crate::host::database::grants::Grants;
use crate::host::database::server::{number, rows, text};
use crate::host::database::{Server, accounts, names};
use crate::host::site::{self, Site};
use crate::host::tree;
use crate::path::Domain;
use crate::sql::quote_name;
use crate::sql::token::{Quoting, Token, tokens};
use crate::text::printable;
use mysql::Conn;
use rustix::fs::Stat;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Whose word says which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// `config/database_credentials` or restore.toml.
    Administrator,
    /// A file of the site's, borne out by the server.
    Site,
}

/// A site's database, as it was judged.
#[derive(Debug, Clone)]
pub struct SiteDatabase {
    /// Schema, user and password. The schema is spelled as the server spells it.
    pub account: SiteAccount,
    /// Where the account is let in: the server of restore.toml.
    pub endpoint: Endpoint,
    /// The account as `` `user`@`host` ``, to whom what the dump defines belongs; `None` when it is not known.
    pub definer: Option<String>,
    /// By whose word.
    pub word: Word,
    /// What else was met, as sentences.
    pub notes: Vec<String>,
}

impl SiteDatabase {
    /// Whether the account's password is known: the administrator may name a schema without one.
    pub fn is_usable(&self) -> bool {
        self.word == Word::Site || !self.account.password.reveal().is_empty()
    }

    /// The server as the site's own account speaks to it.
    pub fn server(&self) -> Server {
        Server::of_site(&self.account, self.endpoint.clone())
    }
}

/// Which database is the domain's; `None` when nobody names any.
///
/// # Errors
/// `credentials_missing` for what only half or only running PHP could tell, `insufficient_privilege` for a claim that the server does not bear out or an account
/// that it refuses, `database_ambiguous` where several could be meant or another site has it too, `database_elsewhere` for one on
/// another server, `database_unreachable`.
pub fn find(config: &Config, site: &Site) -> Result<Option<SiteDatabase>> {
    Ok(judge(config, site)?.ok())
}

/// The same, and where nobody names any the error of [`require`], for whoever finds out later that there has to be one.
///
/// # Errors
/// As [`find`].
pub fn judge(config: &Config, site: &Site) -> Result<std::result::Result<SiteDatabase, Error>> {
    let judge = Judge::new(config, &site.domain);
    match administrator::says(config, &site.domain, &judge.others)? {
        Some(account) => judge.said(account).map(Ok),
        None => judge.claimed(site),
    }
}

/// The same, where there has to be one.
///
/// # Errors
/// `credentials_missing` when nobody names one, else as [`find`].
pub fn require(config: &Config, site: &Site) -> Result<SiteDatabase> {
    judge(config, site)?
}

/// Whether a file of the site's names several databases, of which only running it could tell the one that counts.
pub fn is_for_php_to_tell(site: &Site) -> bool {
    claims::read(site).is_ok_and(|found| found.unclear.iter().any(|reason| reason.several))
}

/// Whether a schema that was this domain's may still be filled for it: it is nobody else's by now.
///
/// # Errors
/// `snapshot_invalid` naming whose it is.
pub fn require_not_anothers(config: &Config, domain: &Domain, schema: &str) -> Result<()> {
    let judge = Judge::new(config, domain);
    let facts = judge.facts().unwrap_or_default();
    let judged = allowed(schema).and_then(|()| judge.require_unclaimed(schema, &facts, None)).map(drop);
    judged.map_err(|error| Error { code: Code::SnapshotInvalid, ..error })
}

struct Judge<'a> {
    config: &'a Config,
    domain: &'a Domain,
    /// The other sites of this machine.
    others: BTreeSet<Domain>,
    /// Where the server of restore.toml listens.
    own: Endpoint,
}

/// What the server says of itself.
#[derive(Debug, Clone, Default)]
struct Facts {
    listening: Listening,
    /// It does not tell capital letters in names of schemas from small ones.
    caseless: bool,
}

/// An account that was let in by its password.
struct Admitted {
    endpoint: Endpoint,
    facts: Facts,
    grants: Grants,
}

/// A claim of a site's that the server bears out so far.
struct Claim<'a> {
    account: &'a SiteAccount,
    grants: &'a Grants,
}

impl Claim<'_> {
    /// Whether another site's files say the same, user and password too.
    fn says_the_same(&self, other: &SiteAccount) -> bool {
        self.account.user == other.user && self.account.password.reveal() == other.password.reveal()
    }
}

/// Whether a folder beside a site has the site's name and a word of those who put things aside, as `shop.example.old` has. Nobody
/// serves such a name.
fn is_put_aside(other: &Domain, site: &Domain) -> bool {
    const WORDS: &[&str] = &["bak", "backup", "old", "orig", "copy", "save", "saved", "disabled", "off", "broken"];
    let rest = other.as_str().strip_prefix(site.as_str()).and_then(|rest| rest.strip_prefix(['.', '_', '-']));
    rest.is_some_and(|rest| {
        rest.split(['.', '_', '-']).all(|word| WORDS.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// A document root as the administrator's links lead to it.
fn opened(root: &Path) -> Option<Stat> {
    let folder = tree::open_site(root).ok().flatten()?;
    rustix::fs::fstat(&folder).ok()
}

fn identity_of(root: Option<&Stat>) -> Option<(u64, u64)> {
    root.map(|stat| (stat.st_dev, stat.st_ino))
}

fn same_owner(one: Option<&Stat>, other: Option<&Stat>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one.st_uid == other.st_uid)
}

impl<'a> Judge<'a> {
    fn new(config: &'a Config, domain: &'a Domain) -> Judge<'a> {
        let mut others = site::domains(config);
        others.remove(domain);
        Judge { config, domain, others, own: credentials::endpoint_of(config) }
    }

    fn said(&self, account: SiteAccount) -> Result<SiteDatabase> {
        let from = account.source.display().to_string();
        let final_word = |error: Error| match error.code {
            Code::DatabaseUnreachable => error,
            _ => error
                .hint(format!("What {from} says of {} is final: correct it there.", self.domain))
                .with("path", from.as_str()),
        };
        allowed(&account.schema).map_err(final_word)?;
        // Somebody else's entry does not change the administrator's word, and is worth one.
        let shared = administrator::said_of_others(self.config, self.domain)
            .into_iter()
            .filter(|(schema, _)| *schema == account.schema)
            .map(|(_, path)| format!("{} names {} for another domain too", path.display(), printable(&account.schema)))
            .collect();
        let (endpoint, definer, schema) = if account.password.reveal().is_empty() {
            let definer = self.account_of(&account).map_err(final_word)?;
            (self.own.clone(), definer, account.schema.clone())
        } else {
            let admitted = self.admit(&account, Word::Administrator).map_err(final_word)?;
            let schema = spelled(&admitted.facts, &account.schema);
            (admitted.endpoint, Some(quoted(&admitted.grants.account)), schema)
        };
        let account = SiteAccount { schema, ..account };
        Ok(SiteDatabase { account, endpoint, definer, word: Word::Administrator, notes: shared })
    }

    fn claimed(&self, site: &Site) -> Result<std::result::Result<SiteDatabase, Error>> {
        let found = claims::read(site)?;
        if let Some(question) = found.unclear.iter().find(|reason| reason.several) {
            return Err(self.ask(format!("which database is {}'s cannot be told: {question}", self.domain)));
        }
        let looked_at = || -> Vec<String> { found.unclear.iter().map(|reason| reason.why.clone()).collect() };
        let unknown = |why: &str| {
            let message = format!("no database account of {} is known: {why}", self.domain);
            Error::new(Code::CredentialsMissing, message).hint(self.how_to_say()).with("looked_at", looked_at())
        };
        let Some(first) = found.accounts.first() else {
            if let Some(reason) = found.unclear.first() {
                return Err(unknown(&reason.why));
            }
            let why = format!("the administrator names none, and {}", found.read_in_vain(&site.root));
            return Ok(Err(unknown(&why)));
        };
        if let Some(other) = found.accounts.iter().find(|other| other.schema != first.schema) {
            return Err(self.ask(format!(
                "{} names the database {}, {} names {}",
                first.source.display(),
                printable(&first.schema),
                other.source.display(),
                printable(&other.schema)
            )));
        }
        let mut refused = None;
        for account in &found.accounts {
            match self.bear_out(account) {
                Ok(database) => {
                    let notes = [looked_at(), database.notes].concat();
                    return Ok(Ok(SiteDatabase { notes, ..database }));
                }
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        Err(refused.unwrap_or_else(|| unknown("no account that is named was let in")))
    }

    /// A claim against the word of the administrator's server and of everybody else on this machine.
    fn bear_out(&self, account: &SiteAccount) -> Result<SiteDatabase> {
        let from = account.source.display();
        let own_word = |error: Error| match error.code {
            Code::DatabaseUnreachable | Code::DatabaseElsewhere => error,
            _ => Error { message: format!("{from}: {}", error.message), ..error }
                .hint(self.how_to_say())
                .with("path", from.to_string()),
        };
        allowed(&account.schema).map_err(own_word)?;
        let admitted = self.admit(account, Word::Site).map_err(own_word)?;
        let schema = spelled(&admitted.facts, &account.schema);
        require_rights(&admitted.grants, &schema).map_err(own_word)?;
        let claim = Claim { account, grants: &admitted.grants };
        let notes = self.require_unclaimed(&schema, &admitted.facts, Some(&claim)).map_err(own_word)?;
        Ok(SiteDatabase {
            account: SiteAccount { schema, ..account.clone() },
            endpoint: admitted.endpoint,
            definer: Some(quoted(&admitted.grants.account)),
            word: Word::Site,
            notes,
        })
    }

    /// Lets the account in at the server of restore.toml, where that is what its configuration means.
    fn admit(&self, account: &SiteAccount, word: Word) -> Result<Admitted> {
        let known = self.facts();
        let by_tcp = known.as_ref().map_or(Ok(None), |facts| self.place(account, facts))?;
        let mut endpoint = self.own.clone();
        let mut tried = Server::of_site(account, endpoint.clone()).connect(None);
        if let (Err(error), Some(other)) = (&tried, by_tcp)
            && error.code == Code::InsufficientPrivilege
        {
            // The site goes there by TCP, and may have an account there that the socket does not know.
            endpoint = other;
            tried = Server::of_site(account, endpoint.clone()).connect(None);
        }
        let mut connection = tried?;
        let facts = known.map_or_else(|| ask_facts(&mut connection), Ok)?;
        self.place(account, &facts)?;
        if word == Word::Site {
            require_password(&mut connection)?;
        }
        let grants = Grants::of(&mut connection)?;
        Ok(Admitted { endpoint, facts, grants })
    }

    /// What the server says of itself to the administrator; nothing when it does not let him in.
    fn facts(&self) -> Option<Facts> {
        let admin = Server::admin(self.config).ok()?;
        ask_facts(&mut admin.impatient().connect(None).ok()?).ok()
    }

    /// Whether a configuration means the server of restore.toml; with the address, where it goes there by TCP.
    fn place(&self, account: &SiteAccount, facts: &Facts) -> Result<Option<Endpoint>> {
        let Some(host) = &account.host else { return Ok(None) };
        let from = account.source.display();
        let shown = printable(host);
        let claimed = endpoint::parse(host, &self.own).ok_or_else(|| {
            Error::new(
                Code::CredentialsMissing,
                format!("{from}: the host {shown} is no host, host:port or host:/socket"),
            )
            .with("path", from.to_string())
        })?;
        match endpoint::place_of(&claimed, &self.own, &facts.listening) {
            Place::Here(by_tcp) => Ok(by_tcp),
            Place::Elsewhere => {
                let message = format!(
                    "{from} names the database server {shown}; this machine's is {}. Nothing connects to the other one",
                    self.own
                );
                let hint =
                    format!("If both are the same server: {} Else restore without the database.", self.how_to_say());
                Err(Error::new(Code::DatabaseElsewhere, message).hint(hint).with("path", from.to_string()))
            }
        }
    }

    /// Nobody else on this machine has the schema: neither by the administrator's word nor by a claim that is borne out too. Gives
    /// what is worth a word all the same.
    fn require_unclaimed(&self, schema: &str, facts: &Facts, claim: Option<&Claim<'_>>) -> Result<Vec<String>> {
        let same = |other: &str| other == schema || (facts.caseless && other.eq_ignore_ascii_case(schema));
        let shown = printable(schema);
        for (said, path) in administrator::said_of_others(self.config, self.domain) {
            if same(&said) {
                let message = format!("the database {shown} is another domain's: {} says so", path.display());
                return Err(Error::new(Code::InsufficientPrivilege, message));
            }
        }
        let own = Site::find(self.config, self.domain).ok().and_then(|site| opened(&site.root));
        // Rights by a pattern may cover a neighbour's schema: then it has to be clear whose each one is.
        let by_pattern = claim.is_some_and(|claim| !claim.grants.name(schema));
        let mut notes = Vec::new();
        for other in &self.others {
            let home = Site::find(self.config, other);
            let theirs = home.as_ref().ok().and_then(|site| opened(&site.root));
            // Another name of this very site.
            if own.is_some() && identity_of(theirs.as_ref()) == identity_of(own.as_ref()) {
                continue;
            }
            let doubt = |why: &str| {
                match by_pattern {
                false => Ok(()),
                true => Err(self.ask(format!(
                    "the account has rights on {shown} by a pattern, and whether that database is {other}'s cannot be told: {why}"
                ))),
            }
            };
            if let Err(error) = administrator::says(self.config, other, &BTreeSet::new()) {
                doubt(&error.message)?;
            }
            let found = match home.and_then(|site| claims::read(&site)) {
                Ok(found) => found,
                Err(error) => {
                    doubt(&error.message)?;
                    continue;
                }
            };
            if let Some(reason) = found.unclear.first() {
                doubt(&reason.why)?;
            }
            let is_copy = is_put_aside(other, self.domain) && same_owner(own.as_ref(), theirs.as_ref());
            for account in found.accounts.iter().filter(|account| same(&account.schema)) {
                let source = account.source.display();
                match self.admit(account, Word::Site) {
                    Ok(admitted) if !admitted.grants.uncovered(schema).is_empty() => {}
                    Ok(_) if is_copy && claim.is_some_and(|claim| claim.says_the_same(account)) => {
                        notes.push(format!(
                            "{source} names the database {shown} too, and was taken for a copy put aside"
                        ));
                    }
                    Ok(_) => return Err(self.ask(format!("the database {shown} is {other}'s too, by {source}"))),
                    Err(error) => match error.code {
                        // Not let in, or another server: a claim that nothing bears out.
                        Code::InsufficientPrivilege | Code::DatabaseElsewhere | Code::CredentialsMissing => {}
                        _ => doubt(&error.message)?,
                    },
                }
            }
        }
        Ok(notes)
    }

    /// The account that the administrator named without a password, or the one that has rights on the schema alone.
    fn account_of(&self, account: &SiteAccount) -> Result<Option<String>> {
        let mut connection = Server::admin(self.config)?.connect(None)?;
        if !account.user.is_empty() {
            let found = accounts::account_of(&mut connection, &account.user)?;
            return found.map(Some).ok_or_else(|| {
                let message = format!("the database server has no account {}", printable(&account.user));
                Error::new(Code::InsufficientPrivilege, message)
            });
        }
        let found = accounts::owners(&mut connection, &account.schema)?;
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            several => {
                let message =
                    format!("several accounts have rights on {}: {}", printable(&account.schema), several.join(", "));
                Err(Error::new(Code::DatabaseAmbiguous, message))
            }
        }
    }

    fn ask(&self, message: String) -> Error {
        Error::new(Code::DatabaseAmbiguous, message).hint(self.how_to_say())
    }

    fn how_to_say(&self) -> String {
        format!(
            "Say which database it is in {}/{}.conf, with MYSQL_DB_NAME=, MYSQL_DB_USER= and MYSQL_DB_PASSWORD=.",
            administrator::folder(self.config).display(),
            self.domain
        )
    }
}

/// A name that can be a site's schema: not the server's own, not this program's, and no way round the server's own names for
/// files (`#mysql50#` in "Mapping of Identifiers to File Names" of MySQL's manual).
fn allowed(schema: &str) -> Result<()> {
    const SERVERS: &[&str] = &["mysql", "sys", "information_schema", "performance_schema", "ndbinfo"];
    let refuse = |why: &str| {
        let message = format!("the database {} {why}: it is never a site's", printable(schema));
        Err(Error::new(Code::InsufficientPrivilege, message))
    };
    if SERVERS.iter().any(|name| name.eq_ignore_ascii_case(schema.trim())) {
        return refuse("is the server's own");
    }
    if names::job_of_schema(&schema.to_ascii_lowercase()).is_some() {
        return refuse("is one that a restore made");
    }
    let strange = schema.chars().count() > 64
        || schema.ends_with(' ')
        || schema.to_ascii_lowercase().starts_with("#mysql50#")
        || schema.contains(['/', '\\'])
        || printable(schema) != schema;
    if schema.is_empty() || strange { refuse("has a name that none has") } else { Ok(()) }
}

fn ask_facts(connection: &mut Conn) -> Result<Facts> {
    let sql = "SELECT @@port, @@skip_networking, @@socket, @@hostname, @@lower_case_table_names, @@bind_address";
    let found = rows(connection, sql)?;
    let Some(row) = found.first() else { return Ok(Facts::default()) };
    let port = u16::try_from(number(row, 0)).ok().filter(|port| *port > 0 && number(row, 1) == 0);
    // Where it does not listen on the loopback address somebody else may.
    let port = port.filter(|_| endpoint::covers_loopback(&text(row, 5)));
    let listening = Listening { port, socket: PathBuf::from(text(row, 2)), hostname: text(row, 3) };
    Ok(Facts { listening, caseless: number(row, 4) != 0 })
}

/// Ways in that look at who asks and not at a password.
const BY_PEER: &[&str] = &["unix_socket", "auth_socket", "named_pipe", "gssapi"];

/// An account that the server lets in by who runs this program, and not by a password, proves nothing: it is we who ask.
fn require_password(connection: &mut Conn) -> Result<()> {
    let shown = rows(connection, "SHOW CREATE USER CURRENT_USER()")?;
    let how = shown.first().map(|row| text(row, 0)).unwrap_or_default();
    if !ways_in(&how).iter().any(|way| BY_PEER.contains(&way.as_str())) {
        return Ok(());
    }
    let message = "the account is let in by who asks and not by a password, so that it could be anybody's";
    Err(Error::new(Code::InsufficientPrivilege, message))
}

/// The plugins in a `CREATE USER`: `IDENTIFIED VIA one OR other` of MariaDB, `IDENTIFIED WITH 'one'` of MySQL. Passwords stand behind
/// them.
fn ways_in(sql: &str) -> Vec<String> {
    let sql = sql.as_bytes();
    let all = tokens(sql, Quoting::default());
    let begins = |token: &Token| ["VIA", "WITH", "OR"].iter().any(|word| token.is(sql, word));
    let named = |pair: &[Token]| {
        let name = String::from_utf8_lossy(&sql[pair[1].span.clone()]);
        name.trim_matches(['\'', '`', '"']).to_ascii_lowercase()
    };
    all.windows(2).filter(|pair| begins(&pair[0])).map(named).collect()
}

fn require_rights(grants: &Grants, schema: &str) -> Result<()> {
    let lacks = grants.uncovered(schema);
    if lacks.is_empty() {
        return Ok(());
    }
    let (account, schema) = (printable(&grants.account), printable(schema));
    let message = format!(
        "{account} has no {} on all of the database {schema}, which is not shown to be its own",
        lacks.join(", ")
    );
    Err(Error::new(Code::InsufficientPrivilege, message))
}

/// The name as the server keeps it.
fn spelled(facts: &Facts, schema: &str) -> String {
    if facts.caseless { schema.to_lowercase() } else { schema.to_owned() }
}

/// `user@host`, as `CURRENT_USER()` gives it, in the form of a DEFINER.
fn quoted(account: &str) -> String {
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    format!("{}@{}", quote_name(user), quote_name(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_put_aside_is_told_from_a_site() {
        let domain = |name: &str| Domain::parse(name).unwrap();
        for copy in ["shop.example.bak", "shop.example.old", "shop.example-2024.01", "shop.example.bak.2"] {
            assert!(is_put_aside(&domain(copy), &domain("shop.example")), "{copy}");
            assert!(!is_put_aside(&domain("shop.example"), &domain(copy)), "{copy}");
        }
        for site in ["staging.shop.example", "shop.example.org", "shop.example.bak.org", "other.example.bak"] {
            assert!(!is_put_aside(&domain(site), &domain("shop.example")), "{site}");
        }
    }

    #[test]
    fn the_way_in_is_told_from_the_name_of_the_account() {
        let mariadb = "CREATE USER `t_unix_socket`@`%` IDENTIFIED BY PASSWORD '*auth_socket'";
        assert!(ways_in(mariadb).is_empty());
        let both = "CREATE USER `root`@`localhost` IDENTIFIED VIA mysql_native_password USING 'invalid' OR unix_socket";
        assert_eq!(ways_in(both), ["mysql_native_password", "unix_socket"]);
        let mysql = "CREATE USER `a`@`b` IDENTIFIED WITH 'auth_socket' AS 'gssapi' REQUIRE NONE";
        assert_eq!(ways_in(mysql), ["auth_socket"]);
    }

    #[test]
    fn the_servers_schemas_and_ours_are_never_a_sites() {
        for good in
            ["shop", "Shop_A", "rv_motorhomes", "rvs_campervans", "my.site", "a b", "日本", "`x`", "mysql2", "x_mysql"]
        {
            assert!(allowed(good).is_ok(), "{good}");
        }
        let long = "x".repeat(65);
        for bad in [
            "mysql",
            "MySQL",
            " mysql",
            "mysql ",
            "sys",
            "SYS",
            "information_schema",
            "Performance_Schema",
            "ndbinfo",
            "rvs_0123456789ab",
            "rvk_0123456789ab",
            "RVK_0123456789AB",
            "",
            " ",
            "x ",
            "#mysql50#mysql",
            "#MYSQL50#x",
            "../mysql",
            "a\\b",
            "a\0b",
            "a\u{202e}b",
            "a\nb",
            long.as_str(),
        ] {
            assert_eq!(allowed(bad).unwrap_err().code, Code::InsufficientPrivilege, "{bad:?}");
        }
    }

    #[test]
    fn an_account_is_quoted_as_a_definer() {
        assert_eq!(quoted("u@localhost"), "`u`@`localhost`");
        assert_eq!(quoted("a@b@%"), "`a@b`@`%`");
        assert_eq!(quoted("x`y@h"), "`x``y`@`h`");
    }
}
