//! The C ABI as others see it: the header, the symbols, and calls through the loaded library.

use rocketvps_restore::api::ABI_VERSION;
use rocketvps_restore::error::Code;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString, c_char};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn header() -> String {
    let mut config = cbindgen::Config::from_file(Path::new(ROOT).join("cbindgen.toml")).unwrap();
    let conventions = config.after_includes.take().expect("cbindgen.toml has the conventions");
    config.after_includes = Some(format!("{conventions}\n\n{}", constants()));
    let bindings = cbindgen::Builder::new()
        .with_src(Path::new(ROOT).join("src/ffi.rs"))
        .with_config(config)
        .generate()
        .expect("src/ffi.rs parses");
    let mut text = Vec::new();
    bindings.write(&mut text);
    without_safety(&String::from_utf8(text).unwrap())
}

/// The version of the interface, and the numbers of the table of errors.
fn constants() -> String {
    let mut text = format!(
        "// What rv_abi_version() has to answer.\n#define RV_ABI_VERSION {ABI_VERSION}\n\n\
         // Why a call failed: the `number` of its error, and the exit status of the helper. Names, numbers and meanings stay; new\n\
         // ones may come.\nenum rv_error {{\n"
    );
    for code in Code::ALL {
        let (meaning, name) = (code.meaning(), code.name().to_uppercase());
        text += &format!("  // {meaning}\n  RV_ERROR_{name} = {},\n", code.number());
    }
    text + "};"
}

/// Rust wants a section on safety for every function; the header says it once, in its conventions.
fn without_safety(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut is_safety = false;
    for line in text.lines() {
        is_safety = line.starts_with("//") && (is_safety || line == "// # Safety");
        if line == "// # Safety" {
            assert_eq!(kept.pop(), Some("//"));
        }
        if !is_safety {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

fn library() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    folder.pop();
    let library = folder.join("librocketvps_restore.so");
    assert!(library.is_file(), "{} was not built", library.display());
    library
}

fn functions_in(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.ends_with(");") && !line.starts_with("//"))
        .flat_map(|line| line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')))
        .filter(|word| word.starts_with("rv_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_committed_header_is_what_cbindgen_makes() {
    let fresh = header();
    let path = Path::new(ROOT).join("include/rocketvps_restore.h");
    if std::env::var_os("RV_WRITE_HEADER").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "include/rocketvps_restore.h is stale: run `make header`");
}

#[test]
fn exactly_the_rv_functions_of_the_header_are_exported() {
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(library()).output().expect("nm of binutils");
    let text = String::from_utf8(output.stdout).unwrap();
    let exported: BTreeSet<String> =
        text.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect();
    let declared = functions_in(&header());
    assert!(declared.len() >= 18, "{declared:?}");
    assert_eq!(exported, declared);
    let calls: BTreeSet<String> = rocketvps_restore::call::NAMES.iter().map(|name| format!("rv_{name}")).collect();
    let others: BTreeSet<String> = ["rv_abi_version", "rv_version", "rv_string_free"].map(str::to_owned).into();
    assert_eq!(declared, &calls | &others, "every call has its C function");
}

/// The request of each call, as the library itself takes it, is told field by field.
#[test]
fn the_header_names_every_field_of_every_request() {
    let text = header();
    let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut fields = BTreeSet::new();
    for line in text.lines() {
        match (line.strip_prefix("// - "), line.strip_prefix("char *rv_")) {
            (Some(field), _) => drop(fields.insert(field.split(' ').next().unwrap())),
            (_, Some(call)) => {
                drop(told.insert(call.split('(').next().unwrap(), std::mem::take(&mut fields)));
            }
            _ => {}
        }
    }
    for same in ["validate", "rehearse"] {
        told.insert(same, told["restore_start"].clone());
    }
    // It takes what a poll takes, and has no use for it.
    told.get_mut("restore_cancel").unwrap().insert("since");
    for name in rocketvps_restore::call::NAMES {
        let refusal = rocketvps_restore::call::call(name, r#"{"no_such_field":1}"#)["error"]["message"].to_string();
        let taken: BTreeSet<&str> = refusal.split('`').skip(1).step_by(2).skip(1).collect();
        let own: BTreeSet<&str> = taken.into_iter().filter(|field| !["config", "wait"].contains(field)).collect();
        assert_eq!(told[name], own, "rv_{name}");
    }
}

#[test]
fn the_library_carries_its_soname() {
    let output = Command::new("readelf").arg("-d").arg(library()).output().expect("readelf of binutils");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("soname: [librocketvps_restore.so.1]"), "{text}");
}

#[test]
fn every_c_function_answers_bad_requests_with_a_document() {
    // SAFETY: the library is ours and is not unloaded while its functions are used.
    let loaded = unsafe { libloading::Library::new(library()) }.unwrap();
    type Call = unsafe extern "C" fn(*const c_char) -> *mut c_char;
    // SAFETY: the names and types are those of the header.
    let free = unsafe { loaded.get::<unsafe extern "C" fn(*mut c_char)>(b"rv_string_free\0") }.unwrap();
    for name in rocketvps_restore::call::NAMES {
        let symbol = CString::new(format!("rv_{name}")).unwrap();
        // SAFETY: as above.
        let call = unsafe { loaded.get::<Call>(symbol.as_bytes_with_nul()) }.unwrap();
        for (request, code) in [
            (c"{", "bad_request"),
            (c"[]", "bad_request"),
            (c"{\"config\":\"/nowhere/restore.toml\",\"domain\":\"a.com\",\"job\":\"x\",\"snapshot\":\"/x\"}", ""),
            (c"{\"no_such_field\":1}", "unknown_field"),
            (c"\xff", "bad_request"),
        ] {
            // SAFETY: the request is a C string; the answer is read before it is freed with its own function.
            let document: serde_json::Value = unsafe {
                let answer = call(request.as_ptr());
                assert!(!answer.is_null());
                let parsed = serde_json::from_slice(CStr::from_ptr(answer).to_bytes()).unwrap();
                free(answer);
                parsed
            };
            assert_eq!(document["ok"], false, "{name} {request:?}: {document}");
            let got = document["error"]["code"].as_str().unwrap();
            assert!(code.is_empty() || got == code, "{name} {request:?}: {document}");
            assert!(!document["error"]["message"].as_str().unwrap().is_empty());
            assert!(!document["error"]["hint"].as_str().unwrap().is_empty());
        }
    }
}

#[test]
fn a_panic_can_be_caught_in_every_profile() {
    let manifest = std::fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("panic = \"abort\""));
    assert_eq!(manifest.matches("panic = \"unwind\"").count(), 2, "release and dev name it");
}

#[test]
fn the_documentation_names_every_call_and_every_code() {
    let text = std::fs::read_to_string(Path::new(ROOT).join("docs/api.md")).unwrap();
    for name in rocketvps_restore::call::NAMES {
        assert!(text.contains(&format!("| `{name}`")), "docs/api.md does not describe {name}");
    }
    for code in Code::ALL {
        let row = format!("| `{}` | {} | {} |", code.name(), code.number(), code.meaning());
        assert!(text.contains(&row), "docs/api.md lacks {row}");
    }
}
