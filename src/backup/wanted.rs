//! What is read of a backup when only some of it is wanted: by its seek index and its catalogue, without what lies before, between and
//! behind. Everything that is read is held against the sums of the backup's first reading; nothing else of it is checked again.

use crate::archive::seek::{Map, SeekReader, Stretch, Stretches};
use crate::archive::{Codec, ReadAt};
use crate::backup::cache::catalogue;
use crate::backup::cache::seek::{Class, DumpSeek, PartSeek, Seek, Windows};
use crate::backup::source::{Part, Source, newest_first};
use crate::config::Config;
use crate::host::tree::manifest::{Reader, Record};
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
    windows: Arc<Windows>,
    parts: Vec<Option<PartWanted>>,
    /// Unpacked bytes that are read, and those that there are.
    bytes: (u64, u64),
}

/// What is read of one of its files.
pub struct PartWanted {
    map: Arc<Map>,
    codec: Codec,
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
    /// What to read for a wish; `None` where no seek index is known, or where more than half would be read: then a whole reading checks
    /// the archive's own checksums for little more.
    pub fn choose(config: &Config, source: &Source, wish: Wish<'_>) -> Option<Wanted> {
        let Seek { windows, parts, dump } = catalogue::open_seek(config, source)?;
        let (site, config_too, wished) = (wish.site, wish.config, wish.dump);
        let mut records = None;
        let mut left = 0;
        if parts.iter().flatten().any(PartSeek::has_entries) {
            let reader = Reader::new(catalogue::open_unchecked(config, source)?).ok()?;
            left = reader.records();
            records = Some(reader);
        }
        let mut chosen: Vec<Option<PartWanted>> = std::iter::repeat_with(|| None).take(source.parts.len()).collect();
        let (mut read, mut all) = (0, 0);
        let mut is_first = true;
        let mut known: Vec<Option<PartSeek>> = parts;
        for part in newest_first(&source.parts) {
            let number = source.number(part)?;
            let seek = known.get_mut(number).and_then(Option::take);
            let own = dump.as_ref().filter(|dump| dump.part == number);
            all += seek.as_ref().map_or(part.identity.size, |seek| seek.map.plain);
            let picked = match (seek, own) {
                (Some(seek), Some(DumpSeek { entry: None, runs, .. })) => match wished {
                    WishedDump::None => Some((seek, Vec::new(), None)),
                    WishedDump::RowsOf(takes) if !runs.is_empty() => {
                        let text = without_rows(own, seek.map.plain, takes);
                        Some((seek, text, None))
                    }
                    WishedDump::Whole | WishedDump::RowsOf(_) => None,
                },
                (Some(seek), own) if seek.has_entries() => {
                    let (mut stretches, mut of_dump) = (Vec::new(), None);
                    for place in seek.entries() {
                        let takes = match place.class {
                            Class::Other => false,
                            Class::Config => config_too,
                            Class::Site => {
                                left = left.checked_sub(1)?;
                                let record = records.as_mut()?.next_record().ok()??;
                                // The first one tells the layout.
                                site(&record) | std::mem::take(&mut is_first)
                            }
                            Class::Dump => match (wished, own) {
                                (WishedDump::None, _) => false,
                                (WishedDump::RowsOf(takes), Some(dump))
                                    if dump.entry == Some(place.begin) && !dump.runs.is_empty() =>
                                {
                                    let text = without_rows(own, place.end - place.begin, takes);
                                    of_dump = Some(DumpWanted { entry: place.begin..place.end, text });
                                    false
                                }
                                (WishedDump::Whole | WishedDump::RowsOf(_), _) => true,
                            },
                        };
                        if takes {
                            add(&mut stretches, place.begin..place.end);
                        }
                    }
                    Some((seek, stretches, of_dump))
                }
                _ => None,
            };
            let Some((seek, stretches, dump)) = picked else {
                read += part.identity.size;
                continue;
            };
            let text = dump.iter().flat_map(|dump| &dump.text);
            read += stretches.iter().chain(text).map(Stretch::length).sum::<u64>();
            let codec = seek.codec();
            chosen[number] = Some(PartWanted { map: Arc::new(seek.map), codec, stretches, dump });
        }
        // At its end a catalogue has told whether it is undamaged.
        let is_whole = match &mut records {
            Some(records) => left == 0 && records.next_record().ok()?.is_none(),
            None => true,
        };
        let is_worth = is_whole && chosen.iter().any(Option::is_some) && read * 2 <= all;
        is_worth.then(|| Wanted { windows: Arc::new(Windows(windows)), parts: chosen, bytes: (read, all) })
    }

    /// Unpacked bytes that are read, and those that there are.
    pub fn bytes(&self) -> (u64, u64) {
        self.bytes
    }

    /// What is read of a file of this source; `None`: all of it.
    pub(crate) fn of(&self, source: &Source, part: &Part) -> Option<&PartWanted> {
        self.parts.get(source.number(part)?)?.as_ref()
    }

    /// Whole entries of an archive, as if it had no others; `None` where there are none. Or the text of a dump by itself.
    pub(crate) fn entries(&self, wanted: &PartWanted, part: &Part) -> Option<Stretches> {
        (!wanted.stretches.is_empty()).then(|| self.read(wanted, part, wanted.stretches.clone()))
    }

    /// The entry of a dump of which not all is read: its headers, to be read first.
    pub(crate) fn dump_header(&self, wanted: &PartWanted, part: &Part) -> Option<Stretches> {
        let Range { start, end } = wanted.dump.as_ref()?.entry.clone();
        Some(self.read(wanted, part, vec![Stretch::Bytes(start..end)]))
    }

    /// Its text, of `size` bytes, which begins `headers` bytes behind its first header; and the bytes that are read of it.
    pub(crate) fn dump_text(
        &self,
        wanted: &PartWanted,
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
        Some((self.read(wanted, part, stretches), length))
    }

    fn read(&self, wanted: &PartWanted, part: &Part, stretches: Vec<Stretch>) -> Stretches {
        let packed: Arc<dyn ReadAt + Send + Sync> = Arc::new(part.bytes(&Arc::new(AtomicU64::new(0))));
        let reader = SeekReader::new(packed, wanted.codec, Arc::clone(&wanted.map), self.windows.clone());
        Stretches::new(reader, stretches)
    }
}

/// A text of `length` bytes without the rows of the tables that are not taken.
fn without_rows(dump: Option<&DumpSeek>, length: u64, takes: &dyn Fn(&str) -> bool) -> Vec<Stretch> {
    let runs = dump.map(|dump| dump.runs.as_slice()).unwrap_or_default();
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
    stretches
}

fn add(stretches: &mut Vec<Stretch>, next: Range<u64>) {
    match stretches.last_mut() {
        Some(Stretch::Bytes(last)) if last.end == next.start => last.end = next.end,
        _ => stretches.push(Stretch::Bytes(next)),
    }
}
