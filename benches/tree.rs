//! `cargo bench --bench tree -- BACKUP.tar.gz FOLDER [THREADS [STEP...]]`: extracts a backup into FOLDER/tree (which must not exist), syncs,
//! verifies, and says what each step took. Steps: `inflate`, `read`, `write`, `sync`, `verify`; all of the last four by default.

use rocketvps_restore::archive::{self, Limits};
use rocketvps_restore::backup::source::{Part, Role};
use rocketvps_restore::config::Permissions;
use rocketvps_restore::host::tree::{self, FilePolicy, Sample, TreeOptions, TreeWriter, manifest};
use rocketvps_restore::path::RelPath;
use rocketvps_restore::progress::Silent;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [backup, folder, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: tree BACKUP.tar.gz FOLDER [THREADS [STEP...]]");
        return;
    };
    let threads = rest.first().map_or(2, |number| number.parse().unwrap());
    let has = |step: &str| rest.len() < 2 || rest[1..].iter().any(|given| given == step);
    let started = Instant::now();
    let part = Part::open(Path::new(backup), Role::Archive).unwrap();
    let input = || part.reader();
    if rest.len() > 1 && has("inflate") {
        let mut buffer = vec![0; 256 << 10];
        let mut reader = archive::GzipReader::new(input());
        while reader.read(&mut buffer).unwrap() > 0 {}
        println!("inflate {:.3}", started.elapsed().as_secs_f64());
    }
    if rest.len() > 1 && has("read") {
        let start = Instant::now();
        let mut reader = archive::open(input(), Limits::default()).unwrap();
        let mut entries = 0;
        while reader.next_entry().unwrap().is_some() {
            entries += 1;
        }
        println!("read {:.3} {entries} entries", start.elapsed().as_secs_f64());
    }
    let folder = Path::new(folder);
    let handle = tree::open_folder(folder).unwrap();
    if has("write") {
        let start = Instant::now();
        let target = tree::create_folder(std::os::fd::AsFd::as_fd(&handle), "tree".as_ref()).unwrap();
        let policy = FilePolicy::new((33, 33), Permissions::Standard);
        let options = TreeOptions { headroom_bytes: 1 << 20, ..TreeOptions::new(policy, threads) };
        let record = manifest::create(&folder.join("manifest")).unwrap();
        let mut writer = TreeWriter::create(target, options, record, Arc::new(Silent)).unwrap();
        let mut reader = archive::open(input(), Limits::default()).unwrap();
        while let Some(entry) = reader.next_entry().unwrap() {
            let path = RelPath::parse(&entry.path).unwrap();
            writer.add(path, &entry, &mut reader).unwrap();
        }
        let summary = writer.finish().unwrap();
        println!("write {:.3} {} files {} bytes", start.elapsed().as_secs_f64(), summary.files, summary.bytes);
    }
    if has("sync") {
        let start = Instant::now();
        tree::sync_filesystem(&handle).unwrap();
        println!("sync {:.3}", start.elapsed().as_secs_f64());
    }
    if has("verify") {
        let start = Instant::now();
        let target = tree::open_folder(&folder.join("tree")).unwrap();
        let record = File::open(folder.join("manifest")).unwrap();
        let report =
            tree::verify(&target, record, &tree::Extent::default(), Sample::Full, threads, None, &Silent).unwrap();
        assert!(report.is_good(), "{report:?}");
        println!("verify {:.3} {} entries {} bytes", start.elapsed().as_secs_f64(), report.compared, report.bytes);
    }
    println!("total {:.3}", started.elapsed().as_secs_f64());
}
