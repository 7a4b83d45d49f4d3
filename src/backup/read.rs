//! The one walk over the entries of a backup's archive. Preview, diff, checks and restore differ in what they do with an entry, not in
//! how they come to it: the order of the archives, the limits, what a whole archive is and how an error is named are here.

use crate::archive::{self, Entry, Limits};
use crate::backup::contents::ConfigFound;
use crate::backup::layout::{ConfigItem, Place, Sorter};
use crate::backup::meta::Meta;
use crate::backup::source::{Part, Role, Source};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::progress::Monitor;
use std::io::Read;
use std::ops::ControlFlow;
use xxhash_rust::xxh3::xxh3_64;

/// Largest configuration file accepted, in bytes.
pub const MAX_CONFIG_FILE: u64 = 1 << 20;
/// Most configuration files accepted.
pub const MAX_CONFIG_FILES: usize = 64;

/// The archives from the newest to the oldest, so that what newer ones replace is known before it comes; then the rest.
pub(crate) fn newest_first(parts: &[Part]) -> impl Iterator<Item = &Part> {
    let archives = parts.iter().rev().filter(|part| part.role == Role::Archive);
    archives.chain(parts.iter().filter(|part| part.role != Role::Archive))
}

/// Compares the archive with the checksum its writer left beside it, if there is one.
pub(crate) fn check_sum(part: &Part, monitor: &dyn Monitor) -> Result<()> {
    let Some(wanted) = (part.role == Role::Archive).then(|| Meta::beside(&part.path).sha256()).flatten() else {
        return Ok(());
    };
    let found = part.sha256(monitor)?;
    if found == wanted {
        return Ok(());
    }
    Err(archive::corrupt(format_args!("its checksum is {found}, its .meta says {wanted}"))
        .with("path", part.path.display().to_string()))
}

/// How archives are walked over.
pub(crate) struct Walk<'a> {
    /// The backup. Of one that several archives make together each may say that it holds changes only.
    pub source: &'a Source,
    /// How far an archive may go.
    pub limits: Limits,
    /// Asked before each entry whether to go on.
    pub monitor: &'a dyn Monitor,
}

/// An archive that was walked over to its end, or to where its visitor stopped.
pub(crate) struct Walked {
    /// Where its entries belonged.
    pub sorter: Sorter,
    /// Unpacked bytes that were read.
    pub unpacked_bytes: u64,
    /// Whether it ends without tar's end mark; the checksum of gzip says that nothing is missing.
    pub lacks_end_mark: bool,
}

impl Walk<'_> {
    /// Hands each entry of an archive to `visit`: its place, its path in the archive, what the sorter knows so far, and its content,
    /// which need not be read. `None` for a part that is no archive. `raw` are the bytes of the part.
    ///
    /// # Errors
    /// `backup_corrupt`, `backup_incomplete` for an archive that holds changes only and is no layer, `backup_unreadable`, `unsafe_path`,
    /// `limit_exceeded`, `io_failed`, `cancelled`, and what `visit` meets; each names the archive.
    pub fn over(
        &self,
        part: &Part,
        raw: impl Read + Send,
        visit: impl FnMut(Place, &RelPath, Entry, &Sorter, &mut dyn Read) -> Result<ControlFlow<()>>,
    ) -> Result<Option<Walked>> {
        self.entries(part, raw, visit).map_err(|error| part.named(error))
    }

    fn entries(
        &self,
        part: &Part,
        raw: impl Read + Send,
        mut visit: impl FnMut(Place, &RelPath, Entry, &Sorter, &mut dyn Read) -> Result<ControlFlow<()>>,
    ) -> Result<Option<Walked>> {
        let Some(mut sorter) = part.sorter(&self.source.site) else { return Ok(None) };
        let mut tar = archive::open(raw, self.limits)?;
        let mut stopped = ControlFlow::Continue(());
        while stopped.is_continue()
            && let Some(entry) = tar.next_entry()?
        {
            self.monitor.keep_going()?;
            let path = RelPath::parse(&entry.path)?;
            let place = sorter.place(&path);
            stopped = visit(place, &path, entry, &sorter, &mut tar)?;
        }
        if stopped.is_continue() && !self.source.is_layered() {
            tar.require_whole()?;
        }
        Ok(Some(Walked { sorter, unpacked_bytes: tar.offset(), lacks_end_mark: tar.lacks_end_mark() }))
    }
}

/// A hard link names its target as the archive does; seen from the document root, `None` where it lies elsewhere.
pub(crate) fn seen_from_site(sorter: &Sorter, target: &[u8]) -> Option<RelPath> {
    RelPath::parse(target).ok()?.strip_prefix(sorter.root()?)
}

/// Reads a configuration file and adds it to those that were found. Of a file that is too large, and of one that is one too many,
/// there is no content: who wants it is told by [`ConfigFound::into_content`], who does not is not kept from the rest. Of those that are
/// too many one of each kind is remembered.
///
/// # Errors
/// What reading meets.
pub(crate) fn keep_config(
    found: &mut Vec<ConfigFound>,
    item: ConfigItem,
    name: &str,
    size: u64,
    data: impl Read,
) -> Result<()> {
    let too_many = found.len() >= MAX_CONFIG_FILES;
    if too_many && found.iter().any(|file| file.item == item && file.content.is_none()) {
        return Ok(());
    }
    let mut content = None;
    if !too_many && size <= MAX_CONFIG_FILE {
        let mut read = Vec::with_capacity(size as usize);
        data.take(MAX_CONFIG_FILE).read_to_end(&mut read).map_err(archive::unwrap_io)?;
        content = Some(read);
    }
    let hash = content.as_deref().map(xxh3_64);
    found.push(ConfigFound { item, name: name.to_owned(), size, content, hash, meaning: None });
    Ok(())
}

impl ConfigFound {
    /// What is in it.
    ///
    /// # Errors
    /// `limit_exceeded` for what was too large, or one too many, to be read.
    pub(crate) fn into_content(self) -> Result<Vec<u8>> {
        let (name, size) = (self.name, self.size);
        self.content.ok_or_else(|| {
            let why = if size > MAX_CONFIG_FILE {
                format!("{name} has {size} bytes")
            } else {
                format!("there are over {MAX_CONFIG_FILES} files, {name} is one of them")
            };
            let most = MAX_CONFIG_FILE >> 20;
            Error::new(Code::LimitExceeded, format!("configuration in the backup: {why}")).hint(format!(
                "A configuration has at most {MAX_CONFIG_FILES} files of {most} MiB. Restore without `config`."
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_that_is_too_much_stops_only_who_wants_it() {
        let mut found = Vec::new();
        for number in 0..MAX_CONFIG_FILES + 3 {
            keep_config(&mut found, ConfigItem::Ssl, &format!("{number}.pem"), 1, b"x".as_slice()).unwrap();
        }
        keep_config(&mut found, ConfigItem::Nginx, "nginx.conf", 1, b"y".as_slice()).unwrap();
        assert_eq!(found.len(), MAX_CONFIG_FILES + 2, "one of each kind is remembered");
        let nginx = found.pop().unwrap().into_content().unwrap_err();
        assert!(nginx.message.contains("over 64 files, nginx.conf"), "{}", nginx.message);
        assert_eq!(found.pop().unwrap().into_content().unwrap_err().code, Code::LimitExceeded);
        assert_eq!(found.pop().unwrap().into_content().unwrap(), b"x");
        let mut found = Vec::new();
        keep_config(&mut found, ConfigItem::Cron, "cron", MAX_CONFIG_FILE + 1, std::io::empty()).unwrap();
        let large = found.pop().unwrap().into_content().unwrap_err();
        assert!(large.message.contains("cron has 1048577 bytes"), "{}", large.message);
    }
}
