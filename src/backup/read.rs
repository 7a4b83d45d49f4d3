//! The one walk over the entries of a backup's archive. Preview, diff, checks and restore differ in what they do with an entry, not in
//! how they come to it: the order of the archives, the limits, what a whole archive is and how an error is named are here.

use crate::archive::{
    self, DafReader, Entries, Entry, EntryKind, JpaReader, JpsReader, Limits, Recorder, SevenZipReader, TarReader,
    WpressReader, ZipReader,
};
use crate::backup::contents::ConfigFound;
use crate::backup::continued::Continued;
use crate::backup::folder::FolderReader;
use crate::backup::layout::{ConfigItem, Place, Sorter};
use crate::backup::meta::Meta;
use crate::backup::source::{Container, Part, Role, Source};
use crate::backup::wanted::{BytesWanted, PartWanted, Wanted};
use crate::error::{Code, Error, Result};
use crate::path::RelPath;
use crate::progress::{Monitor, Phase};
use crate::sql::prefix::PrefixReader;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64;

/// Largest configuration file accepted, in bytes.
pub const MAX_CONFIG_FILE: u64 = 1 << 20;
/// Most configuration files accepted.
pub const MAX_CONFIG_FILES: usize = 64;

/// The file is read in pieces of this size.
pub(crate) const CHUNK: usize = 256 << 10;

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
    /// What it is walked over for.
    pub purpose: Purpose,
    /// Takes down how an archive can be read from the middle.
    pub recorder: Option<Recorder>,
    /// What is read of it; `None`: all of it.
    pub wanted: Option<&'a Wanted>,
}

/// What an archive is walked over for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Its content; who reads it counts it.
    Content,
    /// Its content; the bytes that are read are progress of [`Phase::Verify`].
    Check,
    /// Its names alone: contents are read where somebody asks for them, and not checked.
    Names,
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

/// Who looks at an entry: its place, its path in the archive, what the sorter knows so far, and its content, which need not be read.
pub(crate) trait Visit:
    FnMut(Place, &RelPath, Entry, &Sorter, &mut dyn Read) -> Result<ControlFlow<()>>
{
}
impl<F: FnMut(Place, &RelPath, Entry, &Sorter, &mut dyn Read) -> Result<ControlFlow<()>>> Visit for F {}

impl<'a> Walk<'a> {
    /// Over everything.
    pub fn new(source: &'a Source, limits: Limits, monitor: &'a dyn Monitor, purpose: Purpose) -> Walk<'a> {
        Walk { source, limits, monitor, purpose, recorder: None, wanted: None }
    }
}

impl Walk<'_> {
    /// Hands each entry of an archive to `visit`. `None` for a part that is no archive.
    ///
    /// # Errors
    /// `backup_corrupt`, `backup_incomplete` for an archive that holds changes only and is no layer, `backup_unreadable`, `unsafe_path`,
    /// `limit_exceeded`, `io_failed`, `cancelled`, and what `visit` meets; each names the archive.
    pub fn over(&self, part: &Part, visit: impl Visit) -> Result<Option<Walked>> {
        self.part(part, visit).map_err(|error| part.named(error))
    }

    fn part(&self, part: &Part, mut visit: impl Visit) -> Result<Option<Walked>> {
        let Some(mut sorter) = part.sorter(&self.source.site) else { return Ok(None) };
        if let Some(wanted) = self.wanted
            && let Some(PartWanted::Bytes(chosen)) = wanted.of(self.source, part)
        {
            let unpacked_bytes = self.chosen(part, (wanted, chosen), &mut sorter, &mut visit)?;
            return Ok(Some(Walked { sorter, unpacked_bytes, lacks_end_mark: false }));
        }
        let count = Arc::new(AtomicU64::new(0));
        let progress = (self.purpose == Purpose::Check).then_some(&count);
        let sorter_ref = &mut sorter;
        let (unpacked_bytes, lacks_end_mark) = match part.container {
            Container::Tar if self.purpose == Purpose::Check => {
                let raw = Watched { inner: part.reader(), monitor: self.monitor, stop: None };
                let mut tar = self.tar(BufReader::with_capacity(CHUNK, raw), self.limits, self.recorder.clone())?;
                self.whole(&mut tar, sorter_ref, None, &mut visit)?
            }
            Container::Tar => {
                let mut tar = self.tar(part.reader(), self.limits, self.recorder.clone())?;
                self.whole(&mut tar, sorter_ref, None, &mut visit)?
            }
            Container::Zip => {
                let zip = ZipReader::open(part.bytes(&count), self.limits, part.password())?;
                let mut zip = match self.wanted.and_then(|wanted| wanted.of(self.source, part)) {
                    _ if self.purpose == Purpose::Names => zip.names_only(),
                    Some(PartWanted::Listed) => zip.unread_unchecked(),
                    _ => zip,
                };
                self.whole(&mut zip, sorter_ref, progress, &mut visit)?
            }
            Container::Wpress => {
                let wpress = WpressReader::open(part.bytes(&count), self.limits, part.password())?;
                let mut wpress = if self.purpose == Purpose::Names { wpress.names_only() } else { wpress };
                self.whole(&mut wpress, sorter_ref, progress, &mut visit)?
            }
            Container::Daf => {
                let mut daf = DafReader::open(part.reader(), self.limits)?;
                self.whole(&mut daf, sorter_ref, None, &mut visit)?
            }
            Container::Jpa => {
                let jpa = JpaReader::open(part.bytes(&count), self.limits)?;
                let mut jpa = if self.purpose == Purpose::Names { jpa.names_only() } else { jpa };
                self.whole(&mut jpa, sorter_ref, progress, &mut visit)?
            }
            Container::Jps => {
                let jps = JpsReader::open(part.bytes(&count), self.limits, part.password())?;
                let mut jps = if self.purpose == Purpose::Names { jps.names_only() } else { jps };
                self.whole(&mut jps, sorter_ref, progress, &mut visit)?
            }
            Container::SevenZip => {
                let mut seven_zip = SevenZipReader::open(part.bytes(&count), self.limits, part.password())?;
                self.whole(&mut seven_zip, sorter_ref, progress, &mut visit)?
            }
            Container::Folder => {
                let mut folder = FolderReader::open(part.folder(), self.limits)?;
                self.whole(&mut folder, sorter_ref, None, &mut visit)?
            }
        };
        Ok(Some(Walked { sorter, unpacked_bytes, lacks_end_mark }))
    }

    /// Only what is wanted of an archive; the rest is not looked at. Gives the bytes that were read.
    fn chosen<V: Visit>(
        &self,
        part: &Part,
        (wanted, chosen): (&Wanted, &BytesWanted),
        sorter: &mut Sorter,
        visit: &mut V,
    ) -> Result<u64> {
        let mut read = 0;
        if let Some(entries) = wanted.entries(chosen, part) {
            let mut tar = self.lenient(TarReader::new(entries, self.limits).sealed());
            let stopped = self.each(&mut tar, self.limits, &RelPath::default(), sorter, None, visit)?;
            read += tar.offset();
            if stopped.is_break() {
                return Ok(read);
            }
        }
        let Some(header) = wanted.dump_header(chosen, part) else { return Ok(read) };
        let mut tar = TarReader::new(header, self.limits);
        let lost = || archive::corrupt("its dump is not where its seek index says");
        let mut entry = tar.next_entry()?.filter(|entry| entry.kind == EntryKind::File).ok_or_else(lost)?;
        let path = RelPath::parse(self.relative(&entry.path))?;
        let place = sorter.place(&path);
        let text = wanted.dump_text(chosen, part, (tar.offset(), entry.size));
        let (mut text, length) = text.filter(|_| place == Place::Dump).ok_or_else(lost)?;
        (entry.size, entry.stored) = (length, length);
        // It is the last thing that is read, whether or not its visitor stops.
        let _ = visit(place, &path, entry, sorter, &mut text)?;
        Ok(read + length)
    }

    /// The backup is another program's.
    fn is_foreign(&self) -> bool {
        self.source.foreign.is_some() || self.purpose == Purpose::Names
    }

    fn lenient<R: Read>(&self, tar: TarReader<R>) -> TarReader<R> {
        if self.is_foreign() { tar.with_lost_links() } else { tar }
    }

    /// A name from the root of another program's machine (`tar -P`, PHP's `addFile`) is one from the top of its backup, as tar and unzip
    /// read it.
    fn relative<'n>(&self, name: &'n [u8]) -> &'n [u8] {
        if self.is_foreign() { archive::from_top(name) } else { name }
    }

    fn tar<'b>(
        &self,
        raw: impl Read + 'b,
        limits: Limits,
        recorder: Option<Recorder>,
    ) -> Result<TarReader<Box<dyn Read + 'b>>> {
        Ok(self.lenient(archive::open_recorded(raw, limits, recorder)?))
    }

    /// A container: bytes that were unpacked, and whether it lacks its end mark.
    fn whole<E: Entries, V: Visit>(
        &self,
        entries: &mut E,
        sorter: &mut Sorter,
        count: Option<&Arc<AtomicU64>>,
        visit: &mut V,
    ) -> Result<(u64, bool)> {
        let stopped = self.each(entries, self.limits, &RelPath::default(), sorter, count, visit)?;
        if stopped.is_continue() && !self.source.is_layered() {
            entries.require_whole()?;
        }
        Ok((entries.offset(), entries.lacks_end_mark()))
    }

    fn each<E: Entries, V: Visit>(
        &self,
        entries: &mut E,
        limits: Limits,
        around: &RelPath,
        sorter: &mut Sorter,
        count: Option<&Arc<AtomicU64>>,
        visit: &mut V,
    ) -> Result<ControlFlow<()>> {
        while let Some(mut entry) = entries.next_entry()? {
            self.monitor.keep_going()?;
            if let Some(count) = count {
                self.monitor.advance(Phase::Verify, 0, count.swap(0, Ordering::Relaxed));
            }
            // A link without its target, which only archives of other programs have: nothing can be made of it.
            if matches!(entry.kind, EntryKind::Special(b'1' | b'2')) {
                continue;
            }
            let mut path = RelPath::parse(self.relative(&entry.path))?;
            if let EntryKind::HardLink(target) = &mut entry.kind {
                *target = self.relative(target).to_vec();
            }
            if !around.is_root() {
                path = around.below(&path);
                // It begins there in the archive inside.
                entry.begin = None;
                if let EntryKind::HardLink(target) = &mut entry.kind {
                    *target = around.below(&RelPath::parse(target)?).as_bytes().to_vec();
                }
            }
            let stopped = if sorter.goes_into(&path) && entry.kind == EntryKind::File {
                let limits = limits.less(entries.spent());
                let mut inner = self.tar(&mut *entries as &mut dyn Read, limits, None)?;
                let stopped = self.each(&mut inner, limits, &path, sorter, None, visit)?;
                let spent = inner.spent();
                drop(inner);
                entries.spend(spent);
                stopped
            } else {
                let place = sorter.place(&path);
                match sorter.goes_on_in(&path) {
                    more if more.is_empty() || place != Place::Dump => {
                        self.hand_over(place, &path, entry, sorter, entries, visit)?
                    }
                    more => {
                        let more = more.to_vec();
                        self.hand_over(place, &path, entry, sorter, &mut Continued::new(entries, more), visit)?
                    }
                }
            };
            if stopped.is_break() {
                return Ok(stopped);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// What another program's backup has of its own server is said as this one needs it.
    fn hand_over<V: Visit>(
        &self,
        place: Place,
        path: &RelPath,
        mut entry: Entry,
        sorter: &Sorter,
        data: &mut dyn Read,
        visit: &mut V,
    ) -> Result<ControlFlow<()>> {
        let Some(foreign) = &self.source.foreign else {
            return match (&place, &entry.kind) {
                (Place::Dump, EntryKind::File) => visit(place, path, entry, sorter, &mut archive::utf16::refuse(data)?),
                _ => visit(place, path, entry, sorter, data),
            };
        };
        match (&place, &foreign.settings, &foreign.renaming) {
            (Place::Site(inner), Some(settings), _) if settings.concern(inner, &entry) => {
                let mut text = Vec::with_capacity(entry.size as usize);
                data.read_to_end(&mut text).map_err(archive::unwrap_io)?;
                let text = settings.put_into(inner, &text).unwrap_or(text);
                (entry.size, entry.stored) = (text.len() as u64, text.len() as u64);
                visit(place, path, entry, sorter, &mut text.as_slice())
            }
            (Place::Dump, _, Some(renaming)) => {
                let text = archive::text(data)?;
                visit(place, path, entry, sorter, &mut PrefixReader::new(text, renaming))
            }
            _ => visit(place, path, entry, sorter, data),
        }
    }
}

/// The text of a part that is a dump, as the site is to have it; how the part can be read from the middle goes to `recorder`.
///
/// # Errors
/// `backup_unreadable`, `backup_corrupt`, `io_failed`.
pub(crate) fn dump_text<'a>(
    source: &'a Source,
    raw: impl Read + 'a,
    recorder: Option<Recorder>,
) -> Result<Box<dyn Read + 'a>> {
    let Some(foreign) = &source.foreign else {
        let (text, _) = archive::text_recorded(archive::utf16::refuse(raw)?, recorder)?;
        return Ok(text);
    };
    let (text, _) = archive::text_recorded(raw, recorder)?;
    match &foreign.renaming {
        Some(renaming) => Ok(Box::new(PrefixReader::new(text, renaming))),
        None => Ok(text),
    }
}

/// A hard link names its target as the archive does; seen from the document root, `None` where it lies elsewhere.
pub(crate) fn seen_from_site(sorter: &Sorter, target: &[u8]) -> Option<RelPath> {
    sorter.in_site(&RelPath::parse(target).ok()?)
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

/// Counts what was read from the disk, and stops between reads when the job is to stop.
pub(crate) struct Watched<'a, R> {
    pub inner: R,
    pub monitor: &'a dyn Monitor,
    pub stop: Option<()>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.stop.is_none()
            && let Err(error) = self.monitor.keep_going()
        {
            self.stop = Some(());
            return Err(archive::wrap(error));
        }
        let read = self.inner.read(buffer)?;
        self.monitor.advance(Phase::Verify, 0, read as u64);
        Ok(read)
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
