//! What the file name of a backup says.
//!
//! | name | family |
//! |---|---|
//! | `backup_YYYYMMDD_HHMMSS.tar.gz` | a domain's own backup, full |
//! | `backup_YYYYMMDD_HHMMSS_incremental.tar.gz` | a domain's own backup, incremental |
//! | `domain_DOMAIN_YYYYMMDD_HHMMSS.tar.gz` | one domain's files |
//! | `all_domains_YYYYMMDD_HHMMSS.tar.gz` | the files of many domains |
//! | `database_YYYYMMDD_HHMMSS.sql[.gz]` | a dump written beside a domain's own backup |

pub use crate::api::answer::backups::BackupKind as Kind;
use jiff::civil::DateTime;
use std::fmt;
use std::path::Path;

/// A moment as names carry it: local time of the machine that wrote it, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub DateTime);

impl Stamp {
    /// Parses `YYYYMMDD_HHMMSS` (also with `-` between, and 8 digits alone).
    pub fn parse(text: &str) -> Option<Stamp> {
        let digits: String = text.chars().filter(|c| !matches!(c, '_' | '-')).collect();
        if text.len() > digits.len() + 1 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i16>().ok();
        let (hour, minute, second) = match digits.len() {
            14 => (number(8..10)?, number(10..12)?, number(12..14)?),
            8 => (0, 0, 0),
            _ => return None,
        };
        DateTime::new(
            number(0..4)?,
            number(4..6)? as i8,
            number(6..8)? as i8,
            hour as i8,
            minute as i8,
            second as i8,
            0,
        )
        .ok()
        .map(Stamp)
    }

    /// The stamp of this second, local time.
    pub fn now() -> Stamp {
        Stamp::of(jiff::Timestamp::now())
    }

    /// The stamp of a moment, local time.
    pub fn of(moment: jiff::Timestamp) -> Stamp {
        let civil = moment.to_zoned_datetime(crate::clock::zone()).datetime();
        Stamp(civil.with().subsec_nanosecond(0).build().unwrap_or(civil))
    }

    /// The stamp of a second since 1970, local time.
    pub fn of_second(second: i64) -> Option<Stamp> {
        jiff::Timestamp::from_second(second).ok().map(Stamp::of)
    }

    /// As in file names: `20251004_030000`.
    pub fn compact(self) -> String {
        self.0.strftime("%Y%m%d_%H%M%S").to_string()
    }

    /// Seconds from `earlier` to this stamp; negative when it is not earlier.
    pub fn seconds_since(self, earlier: Stamp) -> i64 {
        self.0.duration_since(earlier.0).as_secs()
    }
}

impl fmt::Display for Stamp {
    /// As in documents: `2025-10-04T03:00:00`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S"))
    }
}

/// The name of a file as text.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Who wrote a file of this name, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Family {
    /// `backup_…`: the domain is the folder's name.
    Own(Kind),
    /// `domain_DOMAIN_…`.
    Domain(String),
    /// `all_domains_…`.
    AllDomains,
    /// Any other archive.
    Foreign,
}

/// A parsed archive name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupName {
    /// What the name begins with.
    pub family: Family,
    /// The moment in the name, if any.
    pub stamp: Option<Stamp>,
}

impl BackupName {
    /// Parses a file name; `None` when it is no archive (`.tar.gz`, `.tgz`, `.tar`).
    pub fn parse(name: &str) -> Option<BackupName> {
        let stem = stem(name)?;
        let parsed = |family, rest: &str| BackupName { family, stamp: Stamp::parse(rest) };
        let own = stem.strip_prefix("backup_").map(|rest| match rest.split_once("_incremental") {
            Some((stamp, _)) => parsed(Family::Own(Kind::Incremental), stamp),
            None => parsed(Family::Own(Kind::Full), rest),
        });
        let all = || stem.strip_prefix("all_domains_").map(|rest| parsed(Family::AllDomains, rest));
        let one = || {
            let (domain, stamp) = split_stamp(stem.strip_prefix("domain_")?)?;
            Some(BackupName { family: Family::Domain(domain.to_ascii_lowercase()), stamp: Some(stamp) })
        };
        own.or_else(all).or_else(one).or_else(|| {
            let stamp = split_stamp(stem).map(|(_, stamp)| stamp);
            Some(BackupName { family: Family::Foreign, stamp })
        })
    }

    /// Full or incremental.
    pub fn kind(&self) -> Kind {
        match self.family {
            Family::Own(kind) => kind,
            _ => Kind::Full,
        }
    }
}

/// The name without its archive ending.
pub fn stem(name: &str) -> Option<&str> {
    [".tar.gz", ".tgz", ".tar"].iter().find_map(|end| name.strip_suffix(end)).filter(|stem| !stem.is_empty())
}

/// The moment in the name of a snapshot's folder: `pre_restore_STAMP`, also with `_` and the id of its job.
pub fn snapshot_stamp(name: &str) -> Option<Stamp> {
    let rest = name.strip_prefix("pre_restore_")?;
    let (stamp, tail) = rest.split_at_checked(15)?;
    if tail.is_empty() || tail.starts_with('_') { Stamp::parse(stamp) } else { None }
}

/// The moment in the name of a dump written beside an archive.
pub fn dump_stamp(name: &str) -> Option<Stamp> {
    let rest = name.strip_prefix("database_")?;
    Stamp::parse(rest.strip_suffix(".sql.gz").or_else(|| rest.strip_suffix(".sql"))?)
}

fn split_stamp(text: &str) -> Option<(&str, Stamp)> {
    let at = text.len().checked_sub(16)?;
    if !text.is_char_boundary(at) || text.as_bytes()[at] != b'_' {
        return None;
    }
    Some((&text[..at], Stamp::parse(&text[at + 1..])?))
}

/// Bytes as a person reads them: `286M`, `1.2G`; no spaces, one decimal below ten.
pub fn human_size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["K", "M", "G", "T", "P"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" || value >= 9.95 { format!("{value:.0}{unit}") } else { format!("{value:.1}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_field_are_understood() {
        let family = |name: &str| BackupName::parse(name).unwrap().family;
        assert_eq!(family("backup_20251004_030000.tar.gz"), Family::Own(Kind::Full));
        assert_eq!(family("backup_20251004_030000_incremental.tar.gz"), Family::Own(Kind::Incremental));
        assert_eq!(family("domain_shop.example.com_20251004_030000.tar.gz"), Family::Domain("shop.example.com".into()));
        assert_eq!(family("all_domains_20251004_030000.tar.gz"), Family::AllDomains);
        assert_eq!(family("site.tar.gz"), Family::Foreign);
        assert_eq!(BackupName::parse("backup_20251004_030000.tar.gz.meta"), None);
        assert_eq!(BackupName::parse(".tar.gz"), None);
    }

    #[test]
    fn a_stamp_is_a_date_that_exists() {
        let stamp = Stamp::parse("20251004_030000").unwrap();
        assert_eq!(stamp.to_string(), "2025-10-04T03:00:00");
        assert_eq!(stamp.compact(), "20251004_030000");
        for bad in ["20251304_030000", "2025100_4030000x", "20251004_250000", "", "2025__1004_030000"] {
            assert_eq!(Stamp::parse(bad), None, "{bad}");
        }
        assert_eq!(Stamp::parse("20251004_030009").unwrap().seconds_since(stamp), 9);
    }

    #[test]
    fn dumps_beside_archives_carry_their_own_stamp() {
        assert!(dump_stamp("database_20251004_030007.sql.gz").is_some());
        assert!(dump_stamp("database_20251004_030007.sql").is_some());
        assert!(dump_stamp("database.sql.gz").is_none());
    }

    #[test]
    fn snapshots_carry_their_moment_with_or_without_a_job() {
        let stamp = Stamp::parse("20251004_030000");
        assert_eq!(snapshot_stamp("pre_restore_20251004_030000"), stamp);
        assert_eq!(snapshot_stamp("pre_restore_20251004_030000_8c2d9e903a18"), stamp);
        assert_eq!(snapshot_stamp("pre_restore_20251004_0300001"), None);
        assert_eq!(snapshot_stamp("pre_restore_"), None);
    }

    #[test]
    fn sizes_have_no_spaces() {
        assert_eq!(human_size(0), "0B");
        assert_eq!(human_size(1536), "1.5K");
        assert_eq!(human_size(286 << 20), "286M");
    }
}
