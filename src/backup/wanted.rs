//! What is read of a backup when only some of it is wanted: by its seek index and its catalogue, without what lies before, between and
//! behind. Everything that is read is held against the sums of the backup's first reading, or, of a zip, against its own; nothing else of it is
//! checked again.

use crate::archive::ReadAt;
use crate::archive::seek::{SeekReader, Stretch, Stretches};
use crate::backup::cache::catalogue;
use crate::backup::cache::seek::{Class, DumpSeek, PartSeek, Place, Seek, Windows};
use crate::backup::source::{Container, Part, Source, newest_first};
use crate::config::Config;
use crate::host::tree::manifest::{Reader, Record};
use crate::path::RelPath;
use crate::sql::tally::RowsRun;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What is wanted.
pub struct Wish<'a> {
    /// Entries of the site; asked of each once, in the order of the archive.
    pub site: &'a mut dyn FnMut(&Record) -> bool,
    /// Configuration files.
    pub config: bool,
    /// The dump.
    pub dump: WishedDump<'a>,
}

/// What is wanted of a dump.
#[derive(Clone, Copy)]
pub enum WishedDump<'a> {
    /// Nothing.
    None,
    /// All of it.
    Whole,
    /// All of it but the rows of the other tables.
    RowsOf(&'a dyn Fn(&str) -> bool),
}

/// What is read of a backup.
pub struct Wanted {
    windows: Option<Arc<Windows>>,
    parts: Vec<Option<PartWanted>>,
    /// The backup has the document root where the live site has it, whether or not anything of it is read.
    pub document_root: bool,
}

/// What is read of one of its files.
pub enum PartWanted {
    /// Some of its unpacked bytes.
    Bytes(Box<BytesWanted>),
    /// It has a directory, and sums of its own: of its entries those that are asked for.
    Listed,
}

/// Unpacked bytes of a file.
pub struct BytesWanted {
    seek: Arc<PartSeek>,
    /// Whole entries; of a dump by itself its text.
    stretches: Vec<Stretch>,
    /// An entry of which not all is read.
    dump: Option<DumpWanted>,
}

struct DumpWanted {
    entry: Range<u64>,
    /// In its text.
    text: Vec<Stretch>,
}

impl Wanted {
    /// What to read for a wish; `None` where nothing is known that would help, or where more than half would be read: then a whole reading
    /// checks the archive's own checksums for little more.
    pub fn choose(config: &Config, source: &Source, wish: Wish<'_>) -> Option<Wanted> {
        // In layers an entry counts only where no newer one does.
        if source.is_layered() {
            return None;
        }
        let seek = catalogue::open_seek(config, source);
        let (windows, mut known, dump) = match seek {
            Some(Seek { windows, parts, dump }) => (Some(Arc::new(Windows(windows))), parts, dump),
            None => (None, Vec::new(), None),
        };
        let root = source.site.root_in_folder();
        let mut choice =
            Choice { wish, root, document_root: false, records: None, left: 0, is_first: true, read: 0, all: 0 };
        let lists = |part: &Part| part.container == Container::Zip;
        if known.iter().flatten().any(PartSeek::has_entries) || source.parts.iter().any(lists) {
            let reader = Reader::new(catalogue::open_unchecked(config, source)?).ok()?;
            choice.left = reader.records();
            choice.records = Some(reader);
        }
        let mut parts: Vec<Option<PartWanted>> = std::iter::repeat_with(|| None).take(source.parts.len()).collect();
        for part in newest_first(&source.parts) {
            let number = source.number(part)?;
            let own = dump.as_ref().filter(|dump| dump.part == number);
            parts[number] = match known.get_mut(number).and_then(Option::take) {
                Some(seek) if seek.has_entries() => Some(choice.archive(seek, own)?),
                Some(seek) if own.is_some_and(|dump| dump.entry.is_none()) => choice.dump(seek, own),
                None if lists(part) => Some(choice.listed()?),
                _ => {
                    choice.count(part.identity.size, part.identity.size);
                    None
                }
            };
        }
        let helps = choice.is_whole()? && parts.iter().any(Option::is_some) && choice.read * 2 <= choice.all;
        helps.then_some(Wanted { windows, parts, document_root: choice.document_root })
    }

    /// What is read of a file of this source; `None`: all of it.
    pub(crate) fn of(&self, source: &Source, part: &Part) -> Option<&PartWanted> {
        self.parts.get(source.number(part)?)?.as_ref()
    }

    /// The text of a dump by itself; `None`: all of it.
    pub(crate) fn text(&self, source: &Source, part: &Part) -> Option<Stretches> {
        match self.of(source, part)? {
            PartWanted::Bytes(bytes) => self.entries(bytes, part),
            PartWanted::Listed => None,
        }
    }

    /// Whole entries of an archive, as if it had no others; `None` where there are none.
    pub(crate) fn entries(&self, wanted: &BytesWanted, part: &Part) -> Option<Stretches> {
        self.read(wanted, part, wanted.stretches.clone()).filter(|_| !wanted.stretches.is_empty())
    }

    /// The entry of a dump of which not all is read: its headers, to be read first.
    pub(crate) fn dump_header(&self, wanted: &BytesWanted, part: &Part) -> Option<Stretches> {
        self.read(wanted, part, vec![Stretch::Bytes(wanted.dump.as_ref()?.entry.clone())])
    }

    /// Its text, of `size` bytes, which begins `headers` bytes behind its first header; and the bytes that are read of it.
    pub(crate) fn dump_text(
        &self,
        wanted: &BytesWanted,
        part: &Part,
        (headers, size): (u64, u64),
    ) -> Option<(Stretches, u64)> {
        let DumpWanted { entry, text } = wanted.dump.as_ref()?;
        let begin = entry.start + headers;
        let placed = |stretch: &Stretch| match stretch {
            Stretch::Bytes(range) => Stretch::Bytes(begin + range.start.min(size)..begin + range.end.min(size)),
            lines => lines.clone(),
        };
        let stretches: Vec<Stretch> = text.iter().map(placed).collect();
        let length = stretches.iter().map(Stretch::length).sum();
        Some((self.read(wanted, part, stretches)?, length))
    }

    fn read(&self, wanted: &BytesWanted, part: &Part, stretches: Vec<Stretch>) -> Option<Stretches> {
        let packed: Arc<dyn ReadAt + Send + Sync> = Arc::new(part.bytes(&Arc::new(AtomicU64::new(0))));
        let PartSeek { codec, map, .. } = wanted.seek.as_ref();
        let reader = SeekReader::new(packed, *codec, Arc::clone(map), self.windows.clone()?);
        Some(Stretches::new(reader, stretches))
    }
}

/// A choice that is being made.
struct Choice<'a> {
    wish: Wish<'a>,
    /// Where the live site has its document root in the tree, and whether the backup has it there.
    root: RelPath,
    document_root: bool,
    /// The catalogue, and how many records of it are left.
    records: Option<Reader>,
    left: u64,
    is_first: bool,
    /// Unpacked bytes that would be read, and those that there are.
    read: u64,
    all: u64,
}

impl Choice<'_> {
    fn count(&mut self, read: u64, all: u64) {
        self.read = self.read.saturating_add(read);
        self.all = self.all.saturating_add(all);
    }

    /// The next record of the site, and whether it is wanted. The first one always is: it tells the layout.
    fn record(&mut self) -> Option<(Record, bool)> {
        self.left = self.left.checked_sub(1)?;
        let record = self.records.as_mut()?.next_record().ok()??;
        self.document_root |= record.path.strip_prefix(&self.root).is_some();
        let takes = (self.wish.site)(&record) | std::mem::take(&mut self.is_first);
        Some((record, takes))
    }

    /// An archive whose entries are known.
    fn archive(&mut self, seek: PartSeek, own: Option<&DumpSeek>) -> Option<PartWanted> {
        let (mut stretches, mut dump) = (Vec::new(), None);
        for Place { class, begin, end } in seek.entries() {
            let takes = match class {
                Class::Other => false,
                Class::Config => self.wish.config,
                Class::Site => self.record()?.1,
                Class::Dump => match self.wish.dump {
                    WishedDump::None => false,
                    WishedDump::RowsOf(takes) => {
                        let runs = own.filter(|dump| dump.entry == Some(begin)).map(|dump| dump.runs.as_slice());
                        let text = runs.and_then(|runs| without_rows(runs, end - begin, takes));
                        dump = text.map(|text| DumpWanted { entry: begin..end, text });
                        dump.is_none()
                    }
                    WishedDump::Whole => true,
                },
            };
            if takes {
                add(&mut stretches, begin..end);
            }
        }
        let text = dump.iter().flat_map(|dump| &dump.text);
        self.count(stretches.iter().chain(text).map(Stretch::length).sum(), seek.map.plain);
        Some(PartWanted::Bytes(Box::new(BytesWanted { seek: Arc::new(seek), stretches, dump })))
    }

    /// A dump by itself.
    fn dump(&mut self, seek: PartSeek, own: Option<&DumpSeek>) -> Option<PartWanted> {
        let all = seek.map.plain;
        let stretches = match self.wish.dump {
            WishedDump::None => Some(Vec::new()),
            WishedDump::Whole => None,
            WishedDump::RowsOf(takes) => own.and_then(|dump| without_rows(&dump.runs, all, takes)),
        };
        self.count(stretches.as_ref().map_or(all, |text| text.iter().map(Stretch::length).sum()), all);
        Some(PartWanted::Bytes(Box::new(BytesWanted { seek: Arc::new(seek), stretches: stretches?, dump: None })))
    }

    /// An archive with a directory of its own. Its dump, if it has one, is read or not as a whole.
    fn listed(&mut self) -> Option<PartWanted> {
        while self.left > 0 {
            let (record, takes) = self.record()?;
            self.count(if takes { record.size } else { 0 }, record.size);
        }
        Some(PartWanted::Listed)
    }

    /// Whether every record was one of an entry, and the catalogue is undamaged, which only its end tells.
    fn is_whole(&mut self) -> Option<bool> {
        match &mut self.records {
            Some(records) => Some(self.left == 0 && records.next_record().ok()?.is_none()),
            None => Some(true),
        }
    }
}

/// A text of `length` bytes without the rows of the tables that are not taken; `None` where it is not known where rows are.
fn without_rows(runs: &[RowsRun], length: u64, takes: &dyn Fn(&str) -> bool) -> Option<Vec<Stretch>> {
    let names: HashSet<&str> = runs.iter().map(|run| run.table.as_str()).collect();
    let taken: HashSet<&str> = names.into_iter().filter(|name| takes(name)).collect();
    let mut stretches = Vec::new();
    let mut at = 0;
    for run in runs.iter().filter(|run| !taken.contains(run.table.as_str())) {
        stretches.push(Stretch::Bytes(at..run.bytes.start));
        stretches.push(Stretch::Lines(run.lines));
        at = run.bytes.end;
    }
    stretches.push(Stretch::Bytes(at..length));
    (!runs.is_empty()).then_some(stretches)
}

fn add(stretches: &mut Vec<Stretch>, next: Range<u64>) {
    match stretches.last_mut() {
        Some(Stretch::Bytes(last)) if last.end == next.start => last.end = next.end,
        _ => stretches.push(Stretch::Bytes(next)),
    }
}
