//! The C ABI. Every function is a line: the work is in `call`.
//!
//! The conventions of all calls are told once, at the top of `include/rocketvps_restore.h`; they are in `cbindgen.toml`. What is
//! told here of a call are its fields, its answer, and what is its own. The header says nothing of safety: its conventions do.

use crate::api;
use crate::broker::client;
use crate::error::panic_text;
use crate::error::{Code, Error};
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a call between the two worlds: text in, owned text out, no panic and no errno across.
fn boundary(name: &'static str, request: *const c_char) -> *mut c_char {
    // SAFETY: errno is a thread-local integer of libc; reading and writing it through its address is what C does.
    let errno = unsafe { *libc::__errno_location() };
    let document = guarded(name, || match text_of(request) {
        Ok(request) => api::text(&client::call(name, request)),
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
/// Answer: `domains`: each with `domain`, `backups` and `snapshots` (how many), `newest`, `has_site`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_domains(request_json: *const c_char) -> *mut c_char {
    boundary("list_domains", request_json)
}

/// Backups of a domain, newest first.
///
/// - domain      string                the domain
///
/// Answer: `domain`; `backups`: each with `path`, `kind`, `date`, `size`, `integrity`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_backups(request_json: *const c_char) -> *mut c_char {
    boundary("list_backups", request_json)
}

/// What is in a backup: tree, tables, configuration, estimate, required space, warnings. Starts a job; what an earlier one found
/// of the same files is answered at once, with `"job": null`.
///
/// - domain      string                the domain
/// - backup      string? = "latest"    path of the backup; `latest`: the newest of the domain
/// - dump        string?               path of the dump to take with a smart backup; = the nearest after it
/// - tree        object?               a part of the tree: {"path", "depth", "offset", "limit"}; = its first folders
///
/// Answer: `backup`, `chain`, `files`, `database`, `config`, `estimate`, `space`, `warnings`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_preview_backup(request_json: *const c_char) -> *mut c_char {
    boundary("preview_backup", request_json)
}

/// What a restore would change: files, tables and configuration of a backup against the live site. Starts a job; with `job` and
/// `part` it is a page of what a finished one found, at once.
///
/// - domain      string?               the domain; a page needs none
/// - backup      string? = "latest"    path of the backup; `latest`: the newest of the domain
/// - dump        string?               path of the dump to take with a smart backup; = the nearest after it
/// - components  object?               what to compare; = all that the backup is for
/// - exclude     object?               what to leave out of it
/// - options     object?               as for rv_restore_start
/// - rows        boolean? = false      compare the rows of tables, too, one by one
/// - details     boolean? = true       name the first entries, not only how many there are
/// - limit       number? = 100         entries of each part, or of the page; at most 1000
/// - job         string?               for a page: the job that compared
/// - part        string?               for a page: `files`, `tables`, `config` or `rows`
/// - offset      number? = 0           for a page: entries before the first one
///
/// Answer: `files`, `tables`, `config`, `plan_token`; a page has `entries`, `total`, `next`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_diff_backup(request_json: *const c_char) -> *mut c_char {
    boundary("diff_backup", request_json)
}

/// Every check before a restore, and what it would change. Starts a job.
///
/// The fields of rv_restore_start.
///
/// Answer: `outcome`, `groups` of checks, `changes`, `plan_token`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_validate(request_json: *const c_char) -> *mut c_char {
    boundary("validate", request_json)
}

/// Stages a backup, asks the staged site for pages, and removes it. Starts a job.
///
/// The fields of rv_restore_start.
///
/// Answer: `outcome`, `rehearsal`, `staged` (groups of checks), `recovery_s`, `change_over_ms`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_rehearse(request_json: *const c_char) -> *mut c_char {
    boundary("rehearse", request_json)
}

/// Saves the live domain as a portable snapshot. Starts a job.
///
/// - domain      string                the domain
///
/// Answer: `path` of the snapshot's folder, and what is in it.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_create_snapshot(request_json: *const c_char) -> *mut c_char {
    boundary("create_snapshot", request_json)
}

/// Snapshots of a domain, newest first: portable ones and those that restores kept.
///
/// - domain      string                the domain
///
/// Answer: `domain`, `snapshots`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_snapshots(request_json: *const c_char) -> *mut c_char {
    boundary("list_snapshots", request_json)
}

/// Deletes a snapshot, with the tree and the schema it keeps. Starts a job.
///
/// - domain      string                the domain
/// - snapshot    string                path of the snapshot's folder
///
/// Answer: `deleted`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_delete_snapshot(request_json: *const c_char) -> *mut c_char {
    boundary("delete_snapshot", request_json)
}

/// Restores a domain from a backup. Starts a job.
///
/// - domain      string                the domain
/// - backup      string? = "latest"    path of the backup; `latest`: the newest of the domain
/// - dump        string?               path of the dump to take with a smart backup; = the nearest after it
/// - components  object?               {"files", "database", "config"}: true or a list each; = all that the backup is for
/// - exclude     object?               {"files", "database", "config"}: lists of what stays as it is
/// - snapshot    string?               path of a portable snapshot that was made for this restore
/// - plan_token  string?               of a validation: refuses the restore when anything it would change has changed since
/// - dry_run     boolean? = false      check only: the answer is that of rv_validate
/// - options     object?               {"exact", "allow_orphans", "priority", "allow_unsafe_config", "accept", "checksum", "compatibility", "rehearsal", "probes"}
///
/// Answer: the report: `snapshot`, `duration_s`, `commit_ms` (milliseconds),
/// `files`, `database`, `config`, `verification`, `rehearsal`, `notes`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_restore_start(request_json: *const c_char) -> *mut c_char {
    boundary("restore_start", request_json)
}

/// How a job stands.
///
/// - job         string                the job
/// - since       number? = 0           number of the last event that is known already
///
/// Answer: `state`, `percent`, `phases`, `io`, `elapsed_s`, `remaining_s`, `log`, `events` after `since`;
/// `result` or `error` once it has ended.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_restore_poll(request_json: *const c_char) -> *mut c_char {
    boundary("restore_poll", request_json)
}

/// Asks a job to stop; the site is then as it was before the job.
///
/// - job         string                the job
///
/// Answer: `job`, `state`, `cancelling`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_restore_cancel(request_json: *const c_char) -> *mut c_char {
    boundary("restore_cancel", request_json)
}

/// Back to the state before a job, or to a snapshot. Starts a job. One of `job` and `snapshot` is needed.
///
/// - job         string?               back to the state before this job, of the domain that it changed
/// - snapshot    string?               path of the snapshot to go back to; `domain` is then needed
/// - domain      string?               the domain; beside `job` it has to be the job's own
///
/// Answer: the report, as of rv_restore_start.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_rollback(request_json: *const c_char) -> *mut c_char {
    boundary("rollback", request_json)
}

/// The four groups of checks on the live domain. Starts a job.
///
/// - domain      string                the domain
///
/// Answer: `outcome`, `groups`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_verify(request_json: *const c_char) -> *mut c_char {
    boundary("verify", request_json)
}

/// Removes what ended jobs left, expired snapshots and orphans. Starts a job.
///
/// - domain      string?               the domain; = all of them
///
/// Answer: `snapshots`, `interrupted`, `orphans`, `jobs` that were removed.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_cleanup(request_json: *const c_char) -> *mut c_char {
    boundary("cleanup", request_json)
}

/// Jobs, newest first.
///
/// - domain      string?               the domain; = all of them
///
/// Answer: `jobs`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_jobs(request_json: *const c_char) -> *mut c_char {
    boundary("list_jobs", request_json)
}

/// Logs of restores and rollbacks, newest first.
///
/// - domain      string?               the domain; = all of them
///
/// Answer: `logs`: each with `path`, `name`, `domain`, `date`, `size`, `failed`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_logs(request_json: *const c_char) -> *mut c_char {
    boundary("list_logs", request_json)
}

/// The text of a log, from a byte on.
///
/// - domain      string                the domain
/// - name        string                name of the log, as rv_list_logs has it
/// - offset      number? = 0           bytes to leave out at the beginning: `next` of the answer before
///
/// Answer: `domain`, `name`, `size`, `text` (whole lines, 64 KiB at most), `next` (null at the end).
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_read_log(request_json: *const c_char) -> *mut c_char {
    boundary("read_log", request_json)
}

/// Drills of a domain, newest first; without a domain the newest of each.
///
/// - domain      string?               the domain; = all of them
///
/// Answer: `drills`: each with `domain`, `time`, `outcome`, `message`, `error`, `source`, `backup_age_s`, `recovery_s`,
/// `change_over_ms`, `job`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_list_drills(request_json: *const c_char) -> *mut c_char {
    boundary("list_drills", request_json)
}

/// Finishes or undoes what crashed workers left. Starts a job.
///
/// - domain      string?               the domain; = all of them
///
/// Answer: `recovered`, `busy`, `orphans`.
///
/// # Safety
/// As the conventions say: NULL, or text that ends with NUL and stays as it is during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rv_recover(request_json: *const c_char) -> *mut c_char {
    boundary("recover", request_json)
}

/// Version of the interface of the library that was loaded. A program that was built with another RV_ABI_VERSION must make no call.
#[unsafe(no_mangle)]
pub extern "C" fn rv_abi_version() -> u32 {
    api::ABI_VERSION
}

/// Version of the library, such as `0.1.0`. The text stays the library's: never free it.
#[unsafe(no_mangle)]
pub extern "C" fn rv_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Frees the answer of a call. NULL is allowed. The answer must not be used afterwards.
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
