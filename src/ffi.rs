//! The C ABI. Every function is a line: the work is in `call`.
//!
//! Shape of every call: `char *rv_NAME(const char *request_json)`. The request is a UTF-8 JSON object, NUL-terminated; NULL
//! counts as `{}`. The answer is an owned UTF-8 JSON document to be freed with `rv_string_free`. Where memory is exhausted the
//! calling process is ended by SIGABRT; no job is harmed by it, each is in a process of its own. Every function may be called from any thread at any time. No call keeps state, starts a thread, reads the
//! environment, or changes anything of the calling process.

use crate::api;
use crate::call;
use crate::error::panic_text;
use crate::error::{Code, Error};
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a call between the two worlds: text in, owned text out, no panic and no errno across.
fn boundary(name: &'static str, request: *const c_char) -> *mut c_char {
    // SAFETY: errno is a thread-local integer of libc; reading and writing it through its address is what C does.
    let errno = unsafe { *libc::__errno_location() };
    let document = guarded(name, || match text_of(request) {
        Ok(request) => api::text(&call::call(name, request)),
        Err(error) => api::text(&api::failure(&error)),
    });
    let answer = CString::new(document).map_or(std::ptr::null_mut(), CString::into_raw);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
    answer
}

/// A document whatever happens: a panic becomes one that names it.
fn guarded(name: &'static str, work: impl FnOnce() -> String) -> String {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let error = Error::new(Code::Panic, format!("rv_{name} met a defect: {}", panic_text(&*panic)));
        api::text(&api::failure(&error))
    })
}

fn text_of<'a>(request: *const c_char) -> Result<&'a str, Error> {
    if request.is_null() {
        return Ok("{}");
    }
    // SAFETY: the caller promises a NUL-terminated string that stays unchanged during the call.
    let bytes = unsafe { CStr::from_ptr(request) };
    bytes.to_str().map_err(|error| Error::new(Code::BadRequest, format!("the request is not UTF-8: {error}")))
}

/// Domains that have backups, snapshots or a document root, by name.
///
/// Parameters: `request_json`, `{"config"?}`. Returns: a document whose `data` is `{"domains": [{"domain", "backups", "snapshots", "newest", "has_site"}]}`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_domains(request_json: *const c_char) -> *mut c_char {
    boundary("list_domains", request_json)
}

/// Backups of a domain, newest first.
///
/// Parameters: `request_json`, `{"config"?, "domain"}`. Returns: a document whose `data` is `{"domain", "backups": [{"path", "kind", "date", "size", "integrity", …}]}`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_backups(request_json: *const c_char) -> *mut c_char {
    boundary("list_backups", request_json)
}

/// What is in a backup: tree, tables, configuration, estimate, required space, warnings.
///
/// Parameters: `request_json`, `{"config"?, "domain", "backup": "/abs/file.tar.gz" | "latest", "dump"?, "tree": {"path", "depth", "offset", "limit"}?, "wait"?}`. Returns: a document whose `data` is `{"job"}`, or the preview with `"wait": true`; what an earlier preview of the same files found is the preview at once, with `"job": null`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_preview_backup(request_json: *const c_char) -> *mut c_char {
    boundary("preview_backup", request_json)
}

/// What a restore would change: files, tables and configuration of a backup against the live site, and a plan token.
///
/// Parameters: `request_json`, `{"config"?, "domain", "backup"?, "dump"?, "components"?, "exclude"?, "options"?, "details"?, "limit"?, "wait"?}`, or `{"config"?, "job", "part": "files" | "tables" | "config", "offset"?, "limit"?}` for a page of what a finished job found. Returns: a document whose `data` is `{"job"}`, or `{"files", "tables", "config", "plan_token", …}` with `"wait": true`, or the page.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_diff_backup(request_json: *const c_char) -> *mut c_char {
    boundary("diff_backup", request_json)
}

/// Every pre-flight check with pass, warn or fail, and a plan token.
///
/// Parameters: `request_json`, the request of `rv_restore_start`. Returns: a document whose `data` is `{"job"}`, or `{"outcome", "groups", "plan_token"}` with `"wait": true`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_validate(request_json: *const c_char) -> *mut c_char {
    boundary("validate", request_json)
}

/// A portable snapshot of the live domain.
///
/// Parameters: `request_json`, `{"config"?, "domain", "wait"?}`. Returns: a document whose `data` is `{"job"}`, or `{"path", …}` with `"wait": true`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_create_snapshot(request_json: *const c_char) -> *mut c_char {
    boundary("create_snapshot", request_json)
}

/// Snapshots of a domain, newest first: portable ones and those that restores kept.
///
/// Parameters: `request_json`, `{"config"?, "domain"}`. Returns: a document whose `data` is `{"domain", "snapshots": […]}`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_snapshots(request_json: *const c_char) -> *mut c_char {
    boundary("list_snapshots", request_json)
}

/// Deletes a snapshot, with the tree and the schema it keeps.
///
/// Parameters: `request_json`, `{"config"?, "domain", "snapshot": "/abs/dir", "wait"?}`. Returns: a document whose `data` is `{"job"}`, or what was deleted with `"wait": true`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_delete_snapshot(request_json: *const c_char) -> *mut c_char {
    boundary("delete_snapshot", request_json)
}

/// Starts a restore beside the live site.
///
/// Parameters: `request_json`, `{"config"?, "domain", "backup"?, "components"?, "snapshot"?, "plan_token"?, "dry_run"?, "options"?, "wait"?}`. Returns: a document whose `data` is `{"job"}`, or the report with `"wait": true`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_restore_start(request_json: *const c_char) -> *mut c_char {
    boundary("restore_start", request_json)
}

/// How a job stands: state, percent, phases, disk rates, events after `since`, and its result or error once it has ended.
///
/// Parameters: `request_json`, `{"config"?, "job", "since"?}`. Returns: a document whose `data` is the status document.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_restore_poll(request_json: *const c_char) -> *mut c_char {
    boundary("restore_poll", request_json)
}

/// Asks a job to stop; it ends in the original state.
///
/// Parameters: `request_json`, `{"config"?, "job"}`. Returns: a document whose `data` is `{"job", "state", "cancelling"}`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_restore_cancel(request_json: *const c_char) -> *mut c_char {
    boundary("restore_cancel", request_json)
}

/// Back to the state before a job, or to a snapshot.
///
/// Parameters: `request_json`, `{"config"?, "domain", "job" | "snapshot", "wait"?}`. Returns: a document whose `data` is `{"job"}`, or the report with `"wait": true`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_rollback(request_json: *const c_char) -> *mut c_char {
    boundary("rollback", request_json)
}

/// The four verification groups on the live domain.
///
/// Parameters: `request_json`, `{"config"?, "domain", "wait"?}`. Returns: a document whose `data` is `{"job"}`, or `{"outcome", "groups"}` with `"wait": true`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_verify(request_json: *const c_char) -> *mut c_char {
    boundary("verify", request_json)
}

/// Removes what ended jobs left, expired snapshots and orphans.
///
/// Parameters: `request_json`, `{"config"?, "domain"?, "wait"?}`. Returns: a document whose `data` is `{"job"}`, or what was removed with `"wait": true`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_cleanup(request_json: *const c_char) -> *mut c_char {
    boundary("cleanup", request_json)
}

/// Jobs, newest first.
///
/// Parameters: `request_json`, `{"config"?, "domain"?}`. Returns: a document whose `data` is `{"jobs": […]}`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_jobs(request_json: *const c_char) -> *mut c_char {
    boundary("list_jobs", request_json)
}

/// Logs of restores and rollbacks, newest first.
///
/// Parameters: `request_json`, `{"config"?, "domain"?}`. Returns: a document whose `data` is `{"logs": [{"path", "name", "domain", "date", "size", "failed"}]}`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_logs(request_json: *const c_char) -> *mut c_char {
    boundary("list_logs", request_json)
}

/// Finishes or undoes what crashed workers left.
///
/// Parameters: `request_json`, `{"config"?, "domain"?, "wait"?}`. Returns: a document whose `data` is `{"job"}`, or what was recovered with `"wait": true`.
/// Ownership: the caller frees the answer with `rv_string_free`. Threads: any.
///
/// # Safety
/// `request_json` is NULL or a NUL-terminated string that stays unchanged during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_recover(request_json: *const c_char) -> *mut c_char {
    boundary("recover", request_json)
}

/// Version of this interface. A caller built against another number must not go on.
///
/// Parameters: none. Returns: the number. Threads: any.
#[unsafe(no_mangle)]
pub extern "C" fn rv_abi_version() -> u32 {
    api::ABI_VERSION
}

/// Version of the library, such as `0.1.0`.
///
/// Parameters: none. Returns: a static string. Ownership: stays with the library; never free it. Threads: any.
#[unsafe(no_mangle)]
pub extern "C" fn rv_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Frees an answer.
///
/// Parameters: `answer`, a document of one of the calls, or NULL. Returns: nothing. Ownership: taken; using it afterwards is
/// an error of the caller. Threads: any.
///
/// # Safety
/// `answer` came from a call of this library and was not freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_string_free(answer: *mut c_char) {
    if !answer.is_null() {
        // SAFETY: the caller promises that it came from CString::into_raw in `boundary`.
        drop(unsafe { CString::from_raw(answer) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(call: unsafe extern "C" fn(*const c_char) -> *mut c_char, request: *const c_char) -> serde_json::Value {
        // SAFETY: the request is NULL or a C string literal; the answer is copied before it is freed.
        unsafe {
            let document = call(request);
            let value = serde_json::from_slice(CStr::from_ptr(document).to_bytes()).unwrap();
            rv_string_free(document);
            value
        }
    }

    #[test]
    fn null_and_invalid_utf8_are_error_documents() {
        for request in [std::ptr::null(), c"\xff\xfe".as_ptr(), c"{".as_ptr(), c"[]".as_ptr()] {
            let document = answer(rv_list_backups, request);
            assert_eq!(document["ok"], false);
            assert_eq!(document["error"]["code"], "bad_request");
            assert!(document["error"]["hint"].as_str().unwrap().len() > 10);
        }
        // SAFETY: NULL is allowed.
        unsafe { rv_string_free(std::ptr::null_mut()) };
    }

    #[test]
    fn a_panic_is_a_document_that_names_it() {
        let panics: [fn() -> String; 3] =
            [|| panic!("on purpose"), || panic!("on {}", "purpose"), || Vec::<String>::new()[0].clone()];
        for (panic, said) in panics.into_iter().zip(["on purpose", "on purpose", "index out of bounds"]) {
            let document: serde_json::Value = serde_json::from_str(&guarded("verify", panic)).unwrap();
            assert_eq!((&document["ok"], &document["error"]["code"]), (&false.into(), &"panic".into()));
            let message = document["error"]["message"].as_str().unwrap();
            assert!(message.contains("rv_verify") && message.contains(said), "{message}");
        }
    }

    #[test]
    fn errno_of_the_host_is_left_alone() {
        // SAFETY: errno is a thread-local integer.
        unsafe { *libc::__errno_location() = 77 };
        answer(rv_restore_poll, c"{\"config\":\"/nowhere/restore.toml\",\"job\":\"x\"}".as_ptr());
        // SAFETY: as above.
        assert_eq!(unsafe { *libc::__errno_location() }, 77);
    }
}
