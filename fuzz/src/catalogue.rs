//! The catalogue of a backup: any bytes, and any bytes between a right mark and a right checksum.

use super::site::{DOMAIN, site};
use rocketvps_restore::backup::cache::catalogue;
use rocketvps_restore::call;
use rocketvps_restore::host::tree::manifest::Reader;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

pub fn run(data: &[u8]) {
    put(data, data);
    catalogue::open(&site().config, &site().source);
    catalogue::create_texts(&site().config, &site().source);
    let mut tree = [b"RVTREE1\n", data].concat();
    let end = [xxh3_64(&tree).to_le_bytes(), closing(data).to_le_bytes()].concat();
    tree.extend_from_slice(&end);
    show(&tree, &[&xxh3_64(data).to_le_bytes(), data].concat());
}

/// Length of the last record, by the lengths before each.
fn closing(mut records: &[u8]) -> u64 {
    let mut last = 0;
    while let Some((length, rest)) = records.split_first_chunk::<4>() {
        last = u64::from(u32::from_le_bytes(*length));
        let Some((_, rest)) = rest.split_at_checked(last as usize) else { break };
        records = rest;
    }
    last
}

fn put(tree: &[u8], tables: &[u8]) {
    for (ending, bytes) in [("tree", tree), ("tables", tables)] {
        std::fs::write(site().catalogue(ending), bytes).expect("write the catalogue");
    }
}

fn show(tree: &[u8], tables: &[u8]) {
    let site = site();
    put(tree, tables);
    catalogue::create_texts(&site.config, &site.source);
    if let Some(file) = catalogue::open(&site.config, &site.source) {
        let mut reader = Reader::new(file).expect("a sound catalogue is opened again");
        let mut count = 0;
        while reader.next_record().expect("a sound catalogue is read again").is_some() {
            count += 1;
        }
        assert!(count <= reader.records());
    }
    for tree in [json!({"depth": 3}), json!({"path": "a", "offset": 1})] {
        let request = json!({"config": site.toml(), "domain": DOMAIN, "tree": tree});
        let document = call::call("preview_backup", &request.to_string());
        assert!(document["ok"] == true || document["error"]["code"] == "helper_missing", "{document}");
    }
}
