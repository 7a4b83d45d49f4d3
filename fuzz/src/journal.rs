//! A journal of any bytes, and one whose lines carry the right numbers and checksums around any JSON.

use rocketvps_restore::engine::commit::Record;
use rocketvps_restore::error::Code;
use rocketvps_restore::journal::Journal;

pub fn run(data: &[u8]) {
    read(data);
    let mut sealed = Vec::new();
    for (number, json) in data.split(|byte| *byte == b'\n').enumerate() {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&(number as u64).to_le_bytes());
        sum.update(json);
        sealed.extend_from_slice(format!("{number} {:08x} ", sum.finalize()).as_bytes());
        sealed.extend_from_slice(json);
        sealed.push(b'\n');
    }
    read(&sealed);
}

/// What can be read can be gone on with, and is the same afterwards.
fn read(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    std::fs::write(&path, bytes).expect("write the journal");
    let known = match Journal::read::<Record>(&path) {
        Ok(records) => shown(&records),
        Err(error) => {
            assert_eq!(error.code, Code::JournalCorrupt, "{error}");
            assert_eq!(std::fs::read(&path).expect("the journal"), bytes, "a damaged journal was changed");
            return;
        }
    };
    let (mut journal, records) = Journal::open::<Record>(&path).expect("what can be read can be opened");
    assert_eq!(shown(&records), known);
    journal.append(&Record::Committed).expect("append");
    let mut longer = shown(&Journal::read::<Record>(&path).expect("what was appended to can be read"));
    assert_eq!(longer.pop(), Some(shown(&[Record::Committed]).remove(0)));
    assert_eq!(longer, known, "going on changed what was there");
}

fn shown(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| serde_json::to_string(record).expect("a record is JSON")).collect()
}
