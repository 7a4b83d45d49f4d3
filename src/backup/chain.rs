//! Which archives an incremental backup is made of: the full one it builds on, every incremental between, itself.
//!
//! An incremental's `.meta` names its base; without one it builds on the last full backup before it. Nothing is guessed beyond
//! that: a base that is missing, foreign, newer, or leads in a circle, and an incremental of the same base whose `.meta` is
//! there and whose archive is gone, break the chain, because what they held is part of the state. Pure but for the listing.

use crate::backup::meta::Meta;
use crate::backup::name::{BackupName, Kind, Stamp, file_name, stem};
use crate::config::Config;
use crate::error::{Code, Error, IoContext, Result};
use crate::path::Domain;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One backup of the folder, or one of which only the `.meta` is left.
#[derive(Debug, Clone)]
struct Member {
    path: PathBuf,
    stamp: Stamp,
    kind: Kind,
    base: Option<PathBuf>,
    present: bool,
}

/// The archives of the chain that ends with `chosen`, base first.
///
/// # Errors
/// `backup_chain_broken` naming the file that is missing or does not fit.
pub fn chain(config: &Config, domain: &Domain, chosen: &Path) -> Result<Vec<PathBuf>> {
    let folder = chosen.parent().unwrap_or(Path::new("/"));
    let members = members(folder)?;
    let own = config.paths.backups().join(domain.as_str());
    let at = members.iter().position(|member| member.path == chosen).ok_or_else(|| {
        broken(chosen, "its name carries no moment, so its place in a chain is not known".into())
            .hint("Name it backup_YYYYMMDD_HHMMSS_incremental.tar.gz.")
    })?;
    resolve(&members, at, &own).map(|chain| chain.into_iter().map(|at| members[at].path.clone()).collect())
}

/// The full backup that each incremental one in the domain's folder builds on, for lists; none where the chain is broken.
pub fn bases(config: &Config, domain: &Domain) -> HashMap<PathBuf, PathBuf> {
    let own = config.paths.backups().join(domain.as_str());
    let members = members(&own).unwrap_or_default();
    let base = |at: usize| {
        let first = *resolve(&members, at, &own).ok()?.first()?;
        Some((members[at].path.clone(), members[first].path.clone()))
    };
    (0..members.len()).filter(|at| members[*at].kind == Kind::Incremental).filter_map(base).collect()
}

fn members(folder: &Path) -> Result<Vec<Member>> {
    let mut found: Vec<Member> = Vec::new();
    let entries = std::fs::read_dir(folder).doing(|| format!("read {}", folder.display()))?;
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        // A .meta whose archive is gone tells of a backup that was there: NAME.tar.gz.meta or NAME.meta.
        let (archive, present) = match name.strip_suffix(".meta") {
            Some(named) if stem(named).is_some() => (named.to_owned(), false),
            Some(named) => (format!("{named}.tar.gz"), false),
            None => (name, true),
        };
        let Some(parsed) = BackupName::parse(&archive).filter(|_| archive.starts_with("backup_") && is_file) else {
            continue;
        };
        let Some(stamp) = parsed.stamp else { continue };
        let path = folder.join(&archive);
        if let Some(known) = found.iter_mut().find(|member| member.path == path) {
            known.present |= present;
            continue;
        }
        let kind = parsed.kind();
        // A full backup builds on nothing.
        let base = (kind == Kind::Incremental).then(|| Meta::beside(&path).text("base_backup").map(PathBuf::from));
        found.push(Member { path, stamp, kind, base: base.flatten(), present });
    }
    found.sort_by(|one, other| (one.stamp, &one.path).cmp(&(other.stamp, &other.path)));
    Ok(found)
}

fn resolve(members: &[Member], chosen: usize, own: &Path) -> Result<Vec<usize>> {
    let base = base_of(members, chosen, own)?;
    let mut chain = vec![base];
    for (at, member) in members.iter().enumerate() {
        let between = (base < at && at < chosen) || at == chosen;
        if !between || member.kind != Kind::Incremental || base_of(members, at, own)? != base {
            continue;
        }
        if !member.present {
            return Err(broken(&member.path, "it is part of the chain and only its .meta is left".into()));
        }
        chain.push(at);
    }
    Ok(chain)
}

/// The full backup at the end of the way that `.meta` files name.
fn base_of(members: &[Member], of: usize, own: &Path) -> Result<usize> {
    let mut seen = vec![of];
    let mut at = of;
    while members[at].kind == Kind::Incremental {
        let next = step(members, at, own)?;
        if seen.contains(&next) {
            return Err(broken(
                &members[next].path,
                format!("{} and it build on each other", file_name(&members[at].path)),
            ));
        }
        if members[next].stamp >= members[at].stamp {
            return Err(broken(
                &members[next].path,
                format!("{} builds on it and is older", file_name(&members[at].path)),
            ));
        }
        if !members[next].present {
            return Err(missing(&members[next].path, &members[at].path));
        }
        seen.push(next);
        at = next;
    }
    Ok(at)
}

fn step(members: &[Member], at: usize, own: &Path) -> Result<usize> {
    let member = &members[at];
    let Some(base) = &member.base else {
        let full = members[..at].iter().rposition(|other| other.kind == Kind::Full && other.present);
        return full
            .ok_or_else(|| broken(&member.path, "no full backup lies before it, and its .meta names none".into()));
    };
    // The whole backup folder may have been moved: then the name counts. A folder of another domain never does.
    let folder = base.parent().and_then(Path::file_name);
    let here = member.path.parent().and_then(Path::file_name);
    if folder.is_some_and(|folder| Some(folder) != here && Some(folder) != own.file_name()) {
        return Err(broken(
            base,
            format!("{} builds on it, and it is a backup of another domain", file_name(&member.path)),
        ));
    }
    let found = members.iter().position(|other| other.path.file_name() == base.file_name());
    found.ok_or_else(|| missing(base, &member.path))
}

fn missing(base: &Path, member: &Path) -> Error {
    broken(base, format!("{} builds on it, and it does not exist", file_name(member)))
}

/// The error of a chain, naming the file that breaks it.
pub fn broken(path: &Path, why: String) -> Error {
    let shown = crate::text::printable(&path.display().to_string());
    Error::new(Code::BackupChainBroken, format!("{shown} breaks the chain: {why}"))
        .hint("Put the file back, or restore an older backup that does not need it.")
        .with("path", shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder {
        _base: tempfile::TempDir,
        config: Config,
        domain: Domain,
    }

    impl Folder {
        fn new() -> Folder {
            let (_base, config, domain) = crate::backup::testing::setting();
            Folder { _base, config, domain }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.config.paths.backups().join("example.com").join(name)
        }

        fn put(&self, name: &str, meta: Option<&str>) {
            std::fs::write(self.path(name), "x").unwrap();
            if let Some(meta) = meta {
                std::fs::write(self.path(&format!("{name}.meta")), meta).unwrap();
            }
        }

        fn chain(&self, name: &str) -> Result<Vec<String>> {
            let found = chain(&self.config, &self.domain, &self.path(name))?;
            Ok(found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()[7..22].to_owned()).collect())
        }

        fn refused(&self, name: &str, named: &str) {
            let error = self.chain(name).unwrap_err();
            assert_eq!(error.code, Code::BackupChainBroken);
            assert!(error.message.contains(named), "{}", error.message);
        }
    }

    fn on(path: &str) -> String {
        format!("{{\"type\":\"incremental\",\"base_backup\":{path:?}}}")
    }

    const FULL: &str = "backup_20251001_030000.tar.gz";
    const ONE: &str = "backup_20251002_030000_incremental.tar.gz";
    const TWO: &str = "backup_20251003_030000_incremental.tar.gz";

    #[test]
    fn base_and_every_incremental_up_to_the_chosen_one_make_the_state() {
        let folder = Folder::new();
        folder.put("backup_20250901_030000.tar.gz", None);
        folder.put(FULL, None);
        folder.put(ONE, Some(&on("/elsewhere/backups/example.com/backup_20251001_030000.tar.gz")));
        folder.put(TWO, None);
        folder.put("backup_20251004_030000_incremental.tar.gz", None);
        let all = ["20251001_030000", "20251002_030000", "20251003_030000"];
        assert_eq!(folder.chain(TWO).unwrap(), all);
        assert_eq!(folder.chain(ONE).unwrap(), all[..2]);
        assert_eq!(bases(&folder.config, &folder.domain).get(&folder.path(TWO)), Some(&folder.path(FULL)));
        // One that builds on the one before it belongs to the same chain.
        folder.put(TWO, Some(&on(folder.path(ONE).to_str().unwrap())));
        assert_eq!(folder.chain(TWO).unwrap(), all);
    }

    #[test]
    fn an_incremental_of_another_full_backup_is_not_in_between() {
        let folder = Folder::new();
        folder.put(FULL, None);
        folder.put("backup_20251001_120000.tar.gz", None);
        folder.put(ONE, Some(&on("/b/example.com/backup_20251001_120000.tar.gz")));
        folder.put(TWO, Some(&on("/b/example.com/backup_20251001_030000.tar.gz")));
        assert_eq!(folder.chain(TWO).unwrap(), ["20251001_030000", "20251003_030000"]);
    }

    #[test]
    fn a_base_that_is_missing_foreign_or_newer_breaks_the_chain() {
        let folder = Folder::new();
        folder.put(ONE, None);
        folder.refused(ONE, "20251002");
        folder.put(FULL, None);
        folder.put(ONE, Some(&on("/b/example.com/backup_20250101_000000.tar.gz")));
        folder.refused(ONE, "backup_20250101_000000.tar.gz");
        folder.put(ONE, Some(&on("/b/other.com/backup_20251001_030000.tar.gz")));
        folder.refused(ONE, "another domain");
        folder.put("backup_20251005_030000.tar.gz", None);
        folder.put(ONE, Some(&on("/b/example.com/backup_20251005_030000.tar.gz")));
        folder.refused(ONE, "backup_20251005_030000.tar.gz");
    }

    #[test]
    fn a_gap_and_a_circle_break_the_chain() {
        let folder = Folder::new();
        folder.put(FULL, None);
        folder.put(ONE, Some(&on("/b/example.com/backup_20251001_030000.tar.gz")));
        folder.put(TWO, None);
        std::fs::remove_file(folder.path(ONE)).unwrap();
        folder.refused(TWO, "20251002_030000_incremental");
        folder.put(ONE, Some(&on(folder.path(TWO).to_str().unwrap())));
        folder.put(TWO, Some(&on(folder.path(ONE).to_str().unwrap())));
        assert_eq!(folder.chain(TWO).unwrap_err().code, Code::BackupChainBroken);
        folder.put(ONE, Some(&on(folder.path(ONE).to_str().unwrap())));
        folder.refused(ONE, "build on each other");
    }
}
