//! The loaded library under hard use: requests of every bad kind, many threads, coming and going. What a host process sees of
//! a call is in `tests/c/`, where the process is not ours.

use crate::world::trial;
use libloading::Library;
use rocketvps_restore::api::MAX_REQUEST;
use rocketvps_restore::call::NAMES;
use serde_json::{Value, json};
use std::ffi::{CStr, CString, c_char};
use std::path::PathBuf;
use std::process::Command;

type Call = unsafe extern "C" fn(*const c_char) -> *mut c_char;
type Free = unsafe extern "C" fn(*mut c_char);

/// The shared library, loaded.
struct Loaded {
    library: Library,
    free: Free,
}

impl Loaded {
    fn new() -> Loaded {
        let folder = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned();
        let path: PathBuf = folder.join("librocketvps_restore.so");
        // SAFETY: the library is ours; the type is that of the header.
        unsafe {
            let library = Library::new(&path).unwrap();
            let free = *library.get::<Free>(b"rv_string_free\0").unwrap();
            Loaded { library, free }
        }
    }

    fn function(&self, name: &str) -> Call {
        let symbol = CString::new(format!("rv_{name}")).unwrap();
        // SAFETY: the type is that of the header; it is called while the library is loaded.
        unsafe { *self.library.get::<Call>(symbol.as_bytes_with_nul()).unwrap() }
    }

    /// The answer to a request, `None` standing for NULL.
    fn answer(&self, call: Call, request: Option<&CStr>) -> Value {
        // SAFETY: the request is NULL or a C string; the answer is read before it is freed with its own function.
        unsafe {
            let answer = call(request.map_or(std::ptr::null(), CStr::as_ptr));
            assert!(!answer.is_null());
            let document = serde_json::from_slice(CStr::from_ptr(answer).to_bytes()).expect("a document");
            (self.free)(answer);
            document
        }
    }
}

#[test]
fn every_kind_of_bad_request_is_an_error_document_of_every_call() {
    let loaded = Loaded::new();
    let text = |text: String| CString::new(text).unwrap();
    let bad = [
        ("NULL without the fields it needs", None),
        ("invalid UTF-8", Some(c"{\"domain\":\"\xff\"}".to_owned())),
        ("a cut sequence of UTF-8", Some(c"{\"domain\":\"\xe2\x82".to_owned())),
        ("half a surrogate", Some(c"{\"domain\":\"\\ud800\"}".to_owned())),
        ("no JSON", Some(c"domain=a.com".to_owned())),
        ("cut JSON", Some(c"{\"domain\":\"a.com\"".to_owned())),
        ("two documents", Some(c"{}{}".to_owned())),
        ("no object", Some(c"[[],1]".to_owned())),
        ("a field of another type", Some(c"{\"domain\":{},\"job\":[],\"wait\":\"yes\"}".to_owned())),
        ("a number beyond all", Some(c"{\"wait\":1e999999}".to_owned())),
        ("a field twice", Some(c"{\"config\":\"/a\",\"config\":\"/b\"}".to_owned())),
        ("a field that is none", Some(c"{\"config\":\"/nowhere/r.toml\",\"nonsense\":1}".to_owned())),
        ("deep", Some(text(format!("{{\"config\":{}", "[".repeat(MAX_REQUEST / 2))))),
        ("deep and whole", Some(text(format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))))),
        ("deep objects", Some(text("{\"components\":".repeat(50_000)))),
        ("large", Some(text(format!("{{\"config\":\"{}\"}}", "x".repeat(MAX_REQUEST))))),
        ("large and nothing", Some(text(" ".repeat(16 << 20)))),
    ];
    for name in NAMES {
        let call = loaded.function(name);
        for (what, request) in &bad {
            if request.is_none()
                && ["cleanup", "list_domains", "list_drills", "list_jobs", "list_logs", "recover"].contains(name)
            {
                continue;
            }
            let document = loaded.answer(call, request.as_deref());
            assert_eq!(
                (&document["schema"], &document["ok"]),
                (&json!(1), &json!(false)),
                "{name}, {what}: {document}"
            );
            let code = document["error"]["code"].as_str().unwrap();
            assert!(["bad_request", "unknown_field"].contains(&code), "{name}, {what}: {document}");
            assert!(document.to_string().len() < 4096, "{name}, {what}: the answer repeats the request");
        }
    }
}

#[test]
fn sixty_four_threads_call_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let toml = folder.path().join("restore.toml");
    std::fs::write(&toml, format!("[paths]\nbase = {:?}\n", folder.path())).unwrap();
    let times = if trial::is_long() { 10_000 } else { 300 };
    let loaded = Loaded::new();
    let cases: Vec<(Call, CString, Value)> = [
        ("list_jobs", json!({"config": toml}), json!({"jobs": []})),
        ("list_backups", json!({"config": toml, "domain": "a.com"}), json!({"domain": "a.com", "backups": []})),
        ("list_snapshots", json!({"config": toml, "domain": "a.com"}), json!({"domain": "a.com", "snapshots": []})),
        ("restore_poll", json!({"config": toml, "job": "20200101_000000_0123456789ab"}), json!("job_not_found")),
        ("rollback", json!({"config": toml, "domain": "a.com"}), json!("bad_request")),
    ]
    .map(|(name, request, answer)| (loaded.function(name), CString::new(request.to_string()).unwrap(), answer))
    .into();
    std::thread::scope(|scope| {
        for thread in 0..64 {
            let (loaded, cases) = (&loaded, &cases);
            scope.spawn(move || {
                for time in 0..times {
                    let (call, request, expected) = &cases[(thread + time) % cases.len()];
                    let document = loaded.answer(*call, Some(request));
                    let got = if document["ok"] == true { &document["data"] } else { &document["error"]["code"] };
                    assert_eq!(got, expected, "{request:?}");
                }
            });
        }
    });
    trial::report("threads", json!({"threads": 64, "calls": 64 * times}));
}

/// Open files, kB of memory that is nobody else's, and mappings of the library.
fn footprint() -> (usize, u64, usize) {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let field = |name: &str| -> u64 {
        let line = rollup.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    (
        std::fs::read_dir("/proc/self/fd").unwrap().count(),
        field("Private_Dirty:"),
        maps.lines().filter(|line| line.contains("librocketvps_restore")).count(),
    )
}

#[test]
fn the_library_comes_and_goes_a_thousand_times_and_leaves_nothing() {
    // In a process of its own: others allocate too.
    if std::env::var_os("RV_ALONE").is_none() {
        let name = "ffi::the_library_comes_and_goes_a_thousand_times_and_leaves_nothing";
        let program = std::env::current_exe().unwrap();
        let output =
            Command::new(program).args(["--exact", name, "--nocapture"]).env("RV_ALONE", "1").output().unwrap();
        let (ended, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // A name that no test has is no failure to the program.
        assert!(output.status.success() && ended.contains("test result: ok. 1 passed"), "{ended}{said}");
        eprint!("{said}");
        return;
    }
    let visit = || {
        let loaded = Loaded::new();
        for (name, request) in [("list_jobs", c"{\"config\":\"/nowhere/restore.toml\"}"), ("verify", c"{")] {
            assert_eq!(loaded.answer(loaded.function(name), Some(request))["ok"], false);
        }
    };
    for _ in 0..50 {
        visit();
    }
    let (files, memory, mappings) = footprint();
    for _ in 0..1000 {
        visit();
    }
    let (files_after, memory_after, mappings_after) = footprint();
    assert_eq!((files_after, mappings_after), (files, mappings), "open files, mappings");
    assert!(memory_after < memory + 1024, "{memory} kB became {memory_after} kB");
    trial::report("dlopen", json!({"times": 1000, "kb_before": memory, "kb_after": memory_after}));
}
