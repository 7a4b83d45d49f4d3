//! How an entry of a tree differs from the record of what was to be written.

use super::kind::Kind;
use crate::path::RelPath;
use std::fmt::{Display, Formatter, Result};

/// An entry that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Below the root of the tree.
    pub path: RelPath,
    /// In what.
    pub what: What,
}

/// A value on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides<T> {
    /// What the tree has.
    pub found: T,
    /// What the record says.
    pub expected: T,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The tree lacks the entry.
    Missing,
    /// The record lacks the entry.
    Extra,
    /// The type.
    Kind(Sides<Kind>),
    /// Two names of one file are two files.
    HardLink,
    /// User and group, as numbers.
    Owner(Sides<(u32, u32)>),
    /// Permission bits.
    Mode(Sides<u32>),
    /// Bytes.
    Size(Sides<u64>),
    /// Time of the last change, seconds since 1970.
    Time(Sides<i64>),
    /// Where a symbolic link leads.
    Target(Sides<Vec<u8>>),
    /// The content, at equal size.
    Content,
}

impl Display for Difference {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let path = format!("{:?}", self.path.to_string());
        match &self.what {
            What::Missing => write!(out, "{path} is missing"),
            What::Extra => write!(out, "{path} is not from the backup"),
            What::Kind(Sides { found, expected }) => write!(out, "{path} is {found}, not {expected}"),
            What::HardLink => write!(out, "{path} is not the same file as its first name"),
            What::Owner(Sides { found, expected }) => {
                write!(out, "{path} belongs to {}:{}, not {}:{}", found.0, found.1, expected.0, expected.1)
            }
            What::Mode(Sides { found, expected }) => write!(out, "{path} has mode {found:04o}, not {expected:04o}"),
            What::Size(Sides { found, expected }) => write!(out, "{path} has {found} bytes, not {expected}"),
            What::Time(Sides { found, expected }) => write!(out, "{path} was changed at {found}, not {expected}"),
            What::Target(Sides { found, expected }) => {
                let shown = String::from_utf8_lossy;
                write!(out, "{path} leads to {:?}, not {:?}", shown(found), shown(expected))
            }
            What::Content => write!(out, "the content of {path} differs from the backup's"),
        }
    }
}

impl Display for Kind {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(match self {
            Kind::File => "a file",
            Kind::Folder => "a folder",
            Kind::Symlink => "a symbolic link",
            Kind::Special => "a device, FIFO or socket",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_path_and_both_sides() {
        let said = |what| Difference { path: RelPath::parse(b"a/has mode").unwrap(), what }.to_string();
        assert_eq!(said(What::Mode(Sides { found: 0o644, expected: 0o755 })), "\"a/has mode\" has mode 0644, not 0755");
        let kinds = What::Kind(Sides { found: Kind::Symlink, expected: Kind::Folder });
        assert_eq!(said(kinds), "\"a/has mode\" is a symbolic link, not a folder");
        assert_eq!(said(What::Extra), "\"a/has mode\" is not from the backup");
    }
}
