//! Every file of `tests/corpus/TARGET/` through the fuzz target of that name: seeds, and what fuzzing once found.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::path::{Path, PathBuf};

/// The files of a target's corpus.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// Runs a target on its corpus; the first file that it fails on is named.
#[track_caller]
fn run(name: &str) {
    let (_, target) = targets::TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let files = corpus(name);
    assert!(files.len() >= 3, "the corpus of {name} is gone");
    let found = files.iter().find_map(|file| {
        let bytes = std::fs::read(file).unwrap();
        std::panic::catch_unwind(|| target(&bytes)).err().map(|_| file)
    });
    targets::site::remove();
    assert_eq!(found, None, "its reason is above");
}

#[test]
fn catalogues_of_any_bytes() {
    run("catalogue");
}

#[test]
fn gzip_of_any_bytes() {
    run("gzip");
}

#[test]
fn indexes_of_any_bytes() {
    run("index");
}

#[test]
fn journals_of_any_bytes() {
    run("journal");
}

#[test]
fn requests_of_any_bytes() {
    run("request");
}

#[test]
fn dumps_of_any_bytes() {
    run("sql");
}

#[test]
fn archives_of_any_bytes() {
    run("tar");
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    for (name, _) in targets::TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        let program = std::fs::read_to_string(root.join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("::{name}::run(")), "{name}");
        assert!(!corpus(name).is_empty(), "{name}");
    }
    let folders = std::fs::read_dir(root.join("tests/corpus")).unwrap().count();
    assert_eq!(folders, targets::TARGETS.len(), "a corpus without a target");
}

#[test]
fn zips_of_any_bytes() {
    run("zip");
}

#[test]
fn daf_of_any_bytes() {
    run("daf");
}

#[test]
fn jpa_of_any_bytes() {
    run("jpa");
}

#[test]
fn seven_zip_of_any_bytes() {
    run("seven_zip");
}

#[test]
fn lz4_of_any_bytes() {
    run("lz4");
}

#[test]
fn archives_inside_archives_of_any_bytes() {
    run("inside");
}

#[test]
fn dumps_in_any_form_of_any_bytes() {
    run("text");
}

#[test]
fn encrypted_archives_of_any_bytes() {
    run("ciphers");
}

#[test]
fn wpress_of_any_bytes() {
    run("wpress");
}

#[test]
fn prefixes_in_any_text() {
    run("prefix");
}
