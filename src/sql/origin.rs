//! Where a dump comes from, by the comments of its writer: which program, which server, which schema, and whether it is whole.

use crate::sql::prefix::LEFT_OUT;
use crate::text::printable;
use serde::{Deserialize, Serialize};

/// Longest line kept.
const MAX_LINE: usize = 160;
/// How the programs that write dumps begin.
const WRITERS: &[&str] = &[
    "MySQL dump",
    "MariaDB dump",
    "mysqldump-php",
    "phpMyAdmin SQL Dump",
    "Adminer ",
    "HeidiSQL",
    "Navicat",
    "SQLyog",
    "Sequel Pro SQL dump",
    "Sequel Ace SQL dump",
    "TablePlus",
    "Dump created by MySQL pump",
    "MySQL Workbench",
    "MySQL Administrator dump",
    "WordPress MySQL database",
    "DUPLICATOR",
    "BackWPup",
    "Percona",
    "mydumper",
];
const WPVIVID: &str = "WPvivid";
/// How Sequel Ace writes an error of its export into it: what the line is about is not in the dump.
const ERROR: &str = "Error:";
/// Most names and errors that are kept.
const MAX_SAID: usize = 40;
/// The last comment of a whole dump, by its writer: mysqldump and what writes like it, BackWPup, Duplicator, MySQL pump, mydumper. A line
/// that stands behind each table (`End of data contents of table`) says nothing of the next one.
const ENDS: &[&str] = &[
    "Dump completed",
    "Dump ended at",
    "Backup completed on",
    "DUPLICATOR_MYSQLDUMP_EOF",
    "DUPLICATOR_PRO_MYSQLDUMP_EOF",
    "Export completed",
    "Dump finished",
    "Finished dump at",
];

/// What the comments of a dump say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// The program that wrote it and the version it names: `MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)`.
    pub writer: Option<String>,
    /// The server it was made from: `8.0.36`.
    pub server: Option<String>,
    /// The schema it was made from.
    pub schema: Option<String>,
    /// What the reading left out of it, by the names, the first ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The errors that its writer met and wrote into it, the first ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

impl Origin {
    /// Looks at a comment that stands between statements.
    pub fn comment(&mut self, comment: &[u8]) {
        let comment = String::from_utf8_lossy(comment);
        for line in comment.lines() {
            self.line(
                line.trim_start_matches(['-', '#', '/', '*', '!', ' ', '\t']).trim_end_matches(['*', '/', ' ', '\r']),
            );
        }
    }

    fn line(&mut self, text: &str) {
        let kept = || Some(text.chars().take(MAX_LINE).collect::<String>());
        for (mark, list) in [(LEFT_OUT, &mut self.left_out), (ERROR, &mut self.errors)] {
            if let Some(said) = text.strip_prefix(mark).filter(|_| list.len() < MAX_SAID) {
                list.push(said.trim().chars().take(MAX_LINE).collect());
            }
        }
        if self.writer.is_none() && WRITERS.iter().any(|writer| text.starts_with(writer)) {
            self.writer = kept();
            // `-- Adminer 4.8.1 MySQL 5.7.44 dump`
            if let Some((_, rest)) = text.split_once(" MySQL ").or_else(|| text.split_once(" MariaDB "))
                && text.starts_with("Adminer")
            {
                self.server = self.server.take().or_else(|| version(rest));
            }
        }
        // WPvivid says whose site it is, and nothing of itself.
        if self.writer.is_none() && text.starts_with("site_url:") {
            self.writer = Some(WPVIVID.to_owned());
        }
        // `Database:` stands behind the host on one line.
        if let Some((_, name)) = text.split_once("Database:").filter(|_| self.schema.is_none()) {
            let name = name.trim().trim_matches(['`', '\'', '"']);
            self.schema = Some(name.to_owned()).filter(|name| !name.is_empty() && name.len() <= 64);
        }
        let says = ["Server version", "Source Server Version", "MySQL version", "Database server version"];
        if let Some(rest) = says.iter().find_map(|says| text.strip_prefix(says)).filter(|_| self.server.is_none()) {
            self.server = version(rest);
        } else if let Some(rest) = text.strip_prefix("MySQL - ").filter(|_| self.server.is_none()) {
            self.server = version(rest);
        }
    }

    /// The sentence of the errors that its writer met.
    pub fn failed(&self) -> Option<String> {
        const FEW: usize = 5;
        let few = self.errors.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join("; ");
        let more = if self.errors.len() > FEW { "; …" } else { "" };
        (!self.errors.is_empty()).then(|| {
            format!("Its writer met errors, and what they are about is not in the dump: {}{more}.", printable(&few))
        })
    }

    /// Whether the program saves settings at the beginning and never sets them back, and has no last line: nothing tells where its
    /// dump was cut.
    pub fn has_no_end(&self) -> bool {
        self.writer.as_deref() == Some(WPVIVID)
    }

    /// Whether the server was MariaDB, and its version as a number; of a dump that does not name it, that of the program.
    pub fn release(&self) -> Option<(bool, u32)> {
        let distrib = || self.writer.as_deref()?.split_once("Distrib ").map(|(_, rest)| rest);
        let text = self.server.as_deref().or_else(distrib)?;
        let numbers: Vec<u32> =
            text.split(|letter: char| !letter.is_ascii_digit()).take(3).map(|part| part.parse().unwrap_or(0)).collect();
        let part = |at: usize| numbers.get(at).copied().unwrap_or(0);
        (part(0) > 0).then(|| {
            // The client of the one dumps servers of the other: what the server says of itself counts.
            let client = || self.writer.as_deref().is_some_and(|writer| writer.contains("MariaDB"));
            let mariadb = text.contains("MariaDB") || self.server.is_none() && client();
            (mariadb || part(0) >= 10, part(0) * 10_000 + part(1) * 100 + part(2))
        })
    }

    /// The collation that `utf8mb4` without one meant where the dump was made.
    pub fn utf8mb4(&self) -> Option<&'static str> {
        Some(match self.release()? {
            // MariaDB 11.5 changed its own, and its programs always name one.
            (true, version) if version >= 110_500 => "utf8mb4_uca1400_ai_ci",
            (false, version) if version >= 80_000 => "utf8mb4_0900_ai_ci",
            _ => "utf8mb4_general_ci",
        })
    }
}

/// The first word that looks like a version.
fn version(text: &str) -> Option<String> {
    let word = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.');
    text.split([' ', '\t', ':', '(', ')', ',']).find(word).map(|word| word.chars().take(MAX_LINE).collect())
}

/// Whether this is the last comment of a whole dump. Adminer ends with nothing but the time.
pub fn is_end(comment: &[u8]) -> bool {
    let text = String::from_utf8_lossy(comment);
    let text = text.trim_start_matches(['-', '#', '/', '*', ' ']).trim();
    ENDS.iter().any(|end| text.starts_with(end)) || is_time(text)
}

/// `2026-11-28 01:02:03`, perhaps with a zone behind it.
fn is_time(text: &str) -> bool {
    let shape = |text: &[u8]| {
        text.iter().zip(b"0000-00-00 00:00:00").all(|(found, wanted)| match wanted {
            b'0' => found.is_ascii_digit(),
            other => found == other,
        })
    };
    let bytes = text.as_bytes();
    bytes.len() >= 19 && shape(&bytes[..19]) && bytes.len() <= 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_dump_says_who_wrote_it_and_of_what() {
        for (lines, writer, server, schema, collation) in [
            (
                &[
                    "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)",
                    "--",
                    "-- Host: localhost    Database: shop",
                    "-- Server version\t8.0.36",
                ][..],
                "MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)",
                Some("8.0.36"),
                Some("shop"),
                "utf8mb4_0900_ai_ci",
            ),
            (
                &[
                    "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian",
                    "-- Server version\t10.11.6-MariaDB-0+deb12u1",
                ],
                "MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian",
                Some("10.11.6-MariaDB-0+deb12u1"),
                None,
                "utf8mb4_general_ci",
            ),
            (
                &["-- phpMyAdmin SQL Dump", "-- Server version: 5.7.44", "-- Database: `shop`"],
                "phpMyAdmin SQL Dump",
                Some("5.7.44"),
                Some("shop"),
                "utf8mb4_general_ci",
            ),
            (
                &["-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian", "-- Server version\t8.0.36"],
                "MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian",
                Some("8.0.36"),
                None,
                "utf8mb4_0900_ai_ci",
            ),
            (
                &["-- Adminer 4.8.1 MySQL 8.0.30 dump"],
                "Adminer 4.8.1 MySQL 8.0.30 dump",
                Some("8.0.30"),
                None,
                "utf8mb4_0900_ai_ci",
            ),
            (
                &["/*\n Navicat Premium Data Transfer\n\n Source Server Version : 50744 (5.7.44)\n*/"],
                "Navicat Premium Data Transfer",
                Some("5.7.44"),
                None,
                "utf8mb4_general_ci",
            ),
            (
                &[
                    "-- mysqldump-php https://x",
                    "-- Host: h\tDatabase: shop",
                    "-- Server version \t11.8.2-MariaDB Date: x",
                ],
                "mysqldump-php https://x",
                Some("11.8.2-MariaDB"),
                Some("shop"),
                "utf8mb4_uca1400_ai_ci",
            ),
            (
                &["-- MySQL dump 10.13  Distrib 5.7.44, for Linux"],
                "MySQL dump 10.13  Distrib 5.7.44, for Linux",
                None,
                None,
                "utf8mb4_general_ci",
            ),
        ] {
            let mut origin = Origin::default();
            lines.iter().for_each(|line| origin.comment(line.as_bytes()));
            assert_eq!((origin.writer.as_deref(), origin.server.as_deref()), (Some(writer), server), "{lines:?}");
            assert_eq!((origin.schema.as_deref(), origin.utf8mb4()), (schema, Some(collation)), "{lines:?}");
        }
        let mut wpvivid = Origin::default();
        wpvivid.comment(b"/* # site_url: http://example.com */");
        assert!(wpvivid.has_no_end() && !Origin::default().has_no_end());
        assert_eq!(Origin::default().utf8mb4(), None);
        let mut said = Origin::default();
        said.comment(b"# Error: SELECT command denied to user for table 'orders'");
        said.comment(format!("/* {LEFT_OUT} other_posts */").as_bytes());
        assert_eq!(said.errors, ["SELECT command denied to user for table 'orders'"]);
        assert_eq!(said.left_out, ["other_posts"]);
    }

    #[test]
    fn the_end_of_a_dump_is_its_writers() {
        for end in [
            "-- Dump completed on 2026-01-01  0:00:00",
            "-- 2026-11-28 01:02:03",
            "-- 2026-11-28 01:02:03 UTC",
            "/* DUPLICATOR_MYSQLDUMP_EOF */",
        ] {
            assert!(is_end(end.as_bytes()), "{end}");
        }
        for other in [
            "--",
            "-- Table structure for table `customers`",
            "-- 2026-11-28",
            "-- 2026-11-28 01:02:03 is when it began to be written",
            "# End of data contents of table `wp_posts`",
        ] {
            assert!(!is_end(other.as_bytes()), "{other}");
        }
    }
}
