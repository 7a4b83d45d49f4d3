//! Answers as text for people: one function an answer. No figure is made here, only written.

use crate::api::answer::backups::{BackupInfo, Backups, DomainInfo, Domains};
use crate::api::answer::checks::{Validation, Verification};
use crate::api::answer::comparison::Comparison;
use crate::api::answer::drills::{Drill, Drills};
use crate::api::answer::jobs::{
    Cancelled, Cleanup, Finished, JobInfo, JobState, JobStatus, Jobs, LogInfo, Logs, PhaseStatus, Recovery,
};
use crate::api::answer::preview::{Preview, PreviewedConfig, PreviewedDatabase, PreviewedFiles};
use crate::api::answer::restore::{Rehearsal, Rehearsed, Report, RestoreAnswer};
use crate::api::answer::snapshots::{SnapshotDeleted, SnapshotInfo, SnapshotMade, Snapshots};
use crate::cli::changes::changed;
use crate::cli::format::{count, duration, line, moment, plain};
use crate::cli::terminal::Style;
use crate::error::Error;
use crate::path::Domain;
use crate::report::{Check, Group, Outcome};
use crate::text::{bytes, printable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// The answer of a command. One that does not read as what the command answers, as the report of an older version may not, is written
/// as it is.
pub fn of(command: &str, data: &Value, style: Style) -> String {
    let text = match command {
        "domains" => read(data, domains),
        "list" => read(data, |data| backups(data, style)),
        "preview" => read(data, |data| preview(data, style)),
        "diff" => read(data, |Finished { result: Comparison { changes, .. }, .. }| changed(&changes, style)),
        "validate" => read(data, |Finished { result, .. }| validation(&result, style)),
        "rehearse" => read(data, |Finished { result, .. }| rehearsed(&result, style)),
        "verify" => read(data, |Finished { result: Verification { groups, .. }, .. }| checks(&groups, style)),
        "restore" => read(data, |data| restored(data, style)),
        "rollback" => read(data, |Finished { result, .. }| report("brought back from", &result, style)),
        "snapshot" => read(data, |data| snapshot(data, style)),
        "snapshots" => read(data, snapshots),
        "delete-snapshot" => read(data, |data| deleted(data, style)),
        "drills" => read(data, |data| drills(data, style)),
        "jobs" => read(data, jobs),
        "status" => read(data, |data| status(data, style)),
        "cancel" => read(data, cancelled),
        "logs" => read(data, |data| logs(data, style)),
        "cleanup" => read(data, removed),
        "recover" => read(data, |data| recovered(data, style)),
        _ => None,
    };
    text.unwrap_or_else(|| printable(&data.to_string()) + "\n")
}

fn read<T: DeserializeOwned>(data: &Value, shown: impl FnOnce(T) -> String) -> Option<String> {
    T::deserialize(data).ok().map(shown)
}

/// What went wrong and what to do about it.
pub fn error(error: &Error, style: Style) -> String {
    let mut out = format!("{} {}: {}\n", style.mark("fail"), error.code.name(), printable(&error.message));
    for hint in error.hint.lines() {
        let _ = writeln!(out, "  {}", printable(hint));
    }
    out
}

fn path(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// The word for it in documents.
fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).map(|value| plain(&value)).unwrap_or_default()
}

fn known(value: Option<u64>) -> String {
    value.map_or_else(|| "?".into(), count)
}

fn domain_name(domain: Option<&Domain>) -> String {
    domain.map(Domain::to_string).unwrap_or_default()
}

fn domains(Domains { domains }: Domains) -> String {
    let mut out = String::new();
    for DomainInfo { domain, backups, newest, has_site, .. } in &domains {
        let newest = newest.as_deref().map_or_else(|| "-".into(), moment);
        let site = if *has_site { "" } else { "  no site" };
        line(&mut out, &format!("{:<40} {:>4} backups  newest {newest}{site}", domain.as_str(), count(*backups)));
    }
    if domains.is_empty() {
        line(&mut out, "No domain has a backup or a site here.");
    }
    out
}

fn backups(Backups { domain, backups }: Backups, style: Style) -> String {
    let mut out = String::new();
    for (at, backup) in backups.iter().enumerate() {
        let BackupInfo { date, size, kind, .. } = backup;
        let counts = match (backup.file_count, backup.db_tables) {
            (Some(files), Some(tables)) => format!("  {} files, {} tables", count(files), count(tables)),
            (Some(files), None) => format!("  {} files", count(files)),
            _ => String::new(),
        };
        let (date, size, sound) = (moment(date), bytes(*size), word(backup.integrity));
        let kind = word(kind);
        line(&mut out, &format!("{:>3}  {date}  {size:>8}  {kind:<11}  {sound:<8}{counts}", at + 1));
        line(&mut out, &format!("     {}", style.paint(2, &path(&backup.path))));
    }
    if backups.is_empty() {
        line(&mut out, &format!("{domain} has no backups."));
    }
    out
}

fn preview(Finished { result: preview, .. }: Finished<Preview>, style: Style) -> String {
    let mut out = String::new();
    let backup = &preview.backup;
    line(&mut out, &style.paint(1, &format!("{}, {}", backup.domain, moment(&backup.date))));
    line(&mut out, &format!("  Backup         {}", path(&backup.path)));
    let (kind, size, packed) = (word(backup.kind), bytes(backup.size), word(backup.compression));
    let sound = word(backup.integrity);
    line(&mut out, &format!("                 {kind}, {size}, {packed}, integrity {sound}"));
    previewed_files(&preview.files, &mut out);
    previewed_database(preview.database.as_ref(), &mut out);
    previewed_config(&preview.config, &mut out);
    if let Some(estimate) = &preview.estimate {
        line(&mut out, &format!("  Estimate       about {}", duration(estimate.total_s)));
    }
    let space = &preview.space;
    let enough = if space.enough == Some(true) { "" } else { ": not enough" };
    let (required, free) = (bytes(space.required), bytes(space.available.unwrap_or_default()));
    line(&mut out, &format!("  Space          {required} needed, {free} free{enough}"));
    for warning in &preview.warnings {
        line(&mut out, &format!("{} {}", style.mark("warn"), printable(warning)));
    }
    out
}

fn previewed_files(files: &PreviewedFiles, out: &mut String) {
    let (number, folders, size) = (count(files.count), count(files.folders), bytes(files.bytes));
    line(out, &format!("  Files          {number} files, {folders} folders, {size}"));
    let is_asked_for = files.tree_page.is_some();
    for node in files.tree.iter().filter(|node| node.depth < 2 && (is_asked_for || node.path.ends_with('/'))) {
        let name = format!("{}{}", "  ".repeat(node.depth as usize), printable(&node.path));
        line(out, &format!("    {name:<44} {:>8} files  {:>9}", count(node.files), bytes(node.bytes)));
    }
}

fn previewed_database(database: Option<&PreviewedDatabase>, out: &mut String) {
    let Some(database) = database else { return line(out, "  Database       none in this backup") };
    let name = printable(database.name.as_deref().unwrap_or_default());
    let (tables, rows, size) = (count(database.tables), count(database.rows), bytes(database.bytes));
    line(out, &format!("  Database       {name}: {tables} tables, {rows} rows, {size}"));
    for table in &database.table_list {
        let (name, rows, size) = (printable(&table.name), count(table.rows), bytes(table.bytes));
        line(out, &format!("    {name:<44} {rows:>8} rows   {size:>9}"));
    }
}

fn previewed_config(config: &[PreviewedConfig], out: &mut String) {
    let item = |file: &PreviewedConfig| format!("{} ({})", file.item.name(), printable(&file.name));
    let items: Vec<String> = config.iter().map(item).collect();
    let items = if items.is_empty() { "none in this backup".into() } else { items.join(", ") };
    line(out, &format!("  Configuration  {items}"));
}

fn title(group: &Group) -> String {
    printable(&group.name.replace('_', " "))
}

fn checks(groups: &[Group], style: Style) -> String {
    let mut out = String::new();
    for group in groups {
        line(&mut out, &format!("{} {}", style.mark(&word(group.outcome)), style.paint(1, &title(group))));
        for check in &group.checks {
            line(&mut out, &format!("    {} {}", style.mark(&word(check.outcome)), printable(&check.message)));
            if matches!(check.outcome, Outcome::Warn | Outcome::Fail) {
                for hint in check.hint.iter().flat_map(|hint| hint.lines()) {
                    line(&mut out, &format!("      {}", printable(hint)));
                }
            }
        }
    }
    out
}

fn validation(validation: &Validation, style: Style) -> String {
    let changes = validation.changes.iter().flatten();
    checks(&validation.groups, style) + &changes.map(|changes| changed(changes, style)).collect::<String>()
}

fn restored(answer: RestoreAnswer, style: Style) -> String {
    match answer {
        RestoreAnswer::DryRun(Finished { result, .. }) => {
            validation(&result, style) + "Nothing was changed: this was a dry run.\n"
        }
        RestoreAnswer::Finished(Finished { result, .. }) => report("restored from", &result, style),
        RestoreAnswer::Begun(begun) => format!("Job {} has begun.\n", begun.job),
    }
}

/// What visitors noticed of it. From a second on some waited.
fn change_over(took_ms: f64, of_database: bool) -> String {
    if took_ms < 1000.0 || !of_database {
        return format!("  Change-over    {took_ms:.0} ms, without downtime");
    }
    format!("  Change-over    {:.1} s, in which pages that need the database may have waited", took_ms / 1000.0)
}

fn report(verb: &str, report: &Report, style: Style) -> String {
    let mut out = String::new();
    // A recovery does not know how long the job took.
    let took = report.work.as_ref().map_or(String::new(), |work| format!(" in {}", duration(work.duration_s)));
    let source = printable(report.source.rsplit('/').next().unwrap_or_default());
    line(&mut out, &format!("{} {} {verb} {source}{took}", style.mark("pass"), report.domain));
    if let Some(work) = &report.work {
        line(&mut out, &change_over(work.commit_ms, work.database.is_some()));
        if let Some(files) = &work.files {
            line(&mut out, &format!("  Files          {} files, {}", count(files.files), bytes(files.bytes)));
        }
        if let Some(database) = &work.database {
            let (tables, rows) = (count(database.tables), known(database.rows));
            let stayed = match database.unchanged {
                0 => String::new(),
                stayed => format!("; {} of the tables were as the backup has them", count(stayed)),
            };
            line(&mut out, &format!("  Database       {tables} tables, {rows} rows{stayed}"));
        }
    }
    let mut label = "Verified";
    for group in report.verification.iter().flat_map(|checks| &checks.live) {
        line(&mut out, &format!("  {label:<14} {} {}", style.mark(&word(group.outcome)), title(group)));
        label = "";
        for check in group.checks.iter().filter(|check| is_worth_a_line(check)) {
            line(
                &mut out,
                &format!("                 {} {}", style.mark(&word(check.outcome)), printable(&check.message)),
            );
        }
    }
    if let Some(rehearsal) = &report.rehearsal {
        played(rehearsal, style, &mut out);
    }
    line(&mut out, &format!("  Before it      {}", path(&report.snapshot)));
    line(&mut out, &format!("                 back with: rocketvps-restore rollback {}", report.domain));
    for note in report.notes.iter().flatten() {
        line(&mut out, &format!("{} {}", style.mark("warn"), printable(note)));
    }
    out
}

/// Whether a reader of a report has to know of a check: it is a warning, or visitors may see what nobody proved.
fn is_worth_a_line(check: &Check) -> bool {
    match check.outcome {
        Outcome::Warn | Outcome::Fail => true,
        Outcome::NotChecked => check.name == "freshness",
        Outcome::Pass => false,
    }
}

/// A rehearsal, a line a page.
fn played(rehearsal: &Rehearsal, style: Style, out: &mut String) {
    let mark = |outcome: Outcome| style.mark(&word(outcome));
    line(out, &format!("  Rehearsed      {} {}", mark(rehearsal.outcome), printable(&rehearsal.message)));
    for page in &rehearsal.pages {
        line(out, &format!("                 {} {}", mark(page.outcome), printable(&page.message)));
    }
}

fn rehearsed(rehearsed: &Rehearsed, style: Style) -> String {
    let mut out = String::new();
    let source = printable(rehearsed.source.rsplit('/').next().unwrap_or_default());
    let (mark, domain) = (style.mark(&word(rehearsed.outcome)), &rehearsed.domain);
    let verb = if rehearsed.outcome == Outcome::Pass { "works" } else { "was not proven" };
    line(&mut out, &format!("{mark} {domain} {verb} from {source}"));
    played(&rehearsed.rehearsal, style, &mut out);
    for group in &rehearsed.staged {
        line(&mut out, &format!("                 {} {}", style.mark(&word(group.outcome)), title(group)));
    }
    let window = rehearsed.change_over_ms.map_or(String::new(), |wait| format!(", of it {wait} ms of change-over"));
    line(&mut out, &format!("  A restore      about {}{window}", duration(rehearsed.recovery_s)));
    line(&mut out, "Nothing was changed: what was staged is removed.");
    out
}

fn snapshot(Finished { result, .. }: Finished<SnapshotMade>, style: Style) -> String {
    let SnapshotMade { manifest, path: folder, .. } = result;
    let mut out = String::new();
    line(&mut out, &format!("{} {}", style.mark("pass"), path(&folder)));
    line(&mut out, &format!("  Files          {} files, {}", count(manifest.files), bytes(manifest.bytes)));
    line(&mut out, &format!("  Database       {} tables, {} rows", known(manifest.tables), known(manifest.rows)));
    line(&mut out, &format!("  Configuration  {} files", manifest.config.len()));
    line(&mut out, &format!("  Size           {}", bytes(manifest.size)));
    out
}

fn snapshots(Snapshots { domain, snapshots }: Snapshots) -> String {
    let mut out = String::new();
    for (at, snapshot) in snapshots.iter().enumerate() {
        let SnapshotInfo { created, form, size, expires_in_s, .. } = snapshot;
        let form = word(form);
        // What a restore kept was not measured.
        let size = if *size > 0 { bytes(*size) } else { "-".into() };
        let (created, left) = (moment(created), duration(*expires_in_s as f64));
        line(&mut out, &format!("{:>3}  {created}  {form:<9}  {size:>9}  {left} left", at + 1));
        line(&mut out, &format!("     {}", path(&snapshot.path)));
    }
    if snapshots.is_empty() {
        line(&mut out, &format!("{domain} has no snapshots."));
    }
    out
}

fn deleted(Finished { result, .. }: Finished<SnapshotDeleted>, style: Style) -> String {
    format!("{} deleted: {}\n", style.mark("pass"), path(&result.deleted))
}

fn drills(Drills { drills }: Drills, style: Style) -> String {
    if drills.is_empty() {
        return "There are no drills. `rocketvps-restore drill` makes one of each domain.\n".into();
    }
    drills.iter().map(|found| drill(found, style)).collect()
}

/// A drill as a row, and below it what a reader has to know.
pub fn drill(drill: &Drill, style: Style) -> String {
    let verdict = match drill.outcome {
        Outcome::Pass => "works",
        Outcome::Fail => "failed",
        _ => "not proven",
    };
    let recovery = drill.recovery_s.map_or_else(String::new, |seconds| format!("restore in {}", duration(seconds)));
    let age = drill.backup_age_s.map_or_else(String::new, |seconds| format!("backup {} old", age(seconds)));
    let source = drill.source.as_ref().and_then(|source| source.file_name()).unwrap_or_default();
    let (domain, when, source) = (drill.domain.as_str(), moment(&drill.time), printable(&source.to_string_lossy()));
    let mark = style.mark(&word(drill.outcome));
    let mut out = String::new();
    let row = format!("{mark} {domain:<32} {when}  {verdict:<10}  {recovery:<18}  {age:<18}  {source}");
    line(&mut out, row.trim_end());
    if drill.outcome != Outcome::Pass {
        let code = drill.error.as_ref().map_or_else(String::new, |error| format!("{}: ", error.code.name()));
        line(&mut out, &format!("    {code}{}", printable(&drill.message)));
    }
    out
}

/// How old something is.
fn age(seconds: u64) -> String {
    let hours = seconds / 3600;
    if hours < 48 { duration(seconds as f64) } else { format!("{}d {}h", hours / 24, hours % 24) }
}

fn jobs(Jobs { jobs }: Jobs) -> String {
    let mut out = String::new();
    for job in &jobs {
        let JobInfo { kind, state, elapsed_s, .. } = job;
        let more = if job.resumable { "  can go on: start the same restore again" } else { "" };
        let (name, kind, domain, state) = (&job.job, word(kind), domain_name(job.domain.as_ref()), word(state));
        let took = duration(*elapsed_s);
        line(&mut out, &format!("{name}  {kind:<15}  {domain:<24}  {state:<14} {took:>8}{more}"));
    }
    if jobs.is_empty() {
        line(&mut out, "There are no jobs.");
    }
    out
}

fn status(JobStatus { status, log, error: failed, .. }: JobStatus, style: Style) -> String {
    let mut out = String::new();
    let (kind, domain, percent) = (word(status.kind), domain_name(status.domain.as_ref()), status.percent.floor());
    line(&mut out, &format!("{}  {kind} of {domain}: {}, {percent:.0} %", status.job, state(status.state)));
    for phase in &status.phases {
        let PhaseStatus { items, items_total, current, percent, .. } = phase;
        let of = items_total.map_or_else(String::new, |total| format!("/{}", count(total)));
        let (name, state, size) = (word(phase.phase), word(phase.state), bytes(phase.bytes));
        let (percent, items, current) = (percent.floor(), count(*items), printable(current));
        line(&mut out, &format!("  {name:<10} {state:<8} {percent:>3.0} %  {items}{of}  {size}  {current}"));
    }
    let left = status.remaining_s.map_or_else(String::new, |left| format!(", about {} left", duration(left)));
    line(&mut out, &format!("  {} since the start{left}", duration(status.elapsed_s)));
    if let Some(log) = &log {
        line(&mut out, &format!("  {}", path(log)));
    }
    if let Some(failed) = &failed {
        out.push_str(&error(failed, style));
    }
    out
}

fn state(state: JobState) -> String {
    word(state).replace('_', " ")
}

fn cancelled(Cancelled { job, state: now, cancelling }: Cancelled) -> String {
    if cancelling {
        format!("{job} was asked to stop; `rocketvps-restore attach {job}` shows its end.\n")
    } else {
        format!("{job} has ended already: {}.\n", state(now))
    }
}

fn logs(Logs { logs }: Logs, style: Style) -> String {
    let mut out = String::new();
    for LogInfo { path: file, date, size, failed, .. } in &logs {
        let mark = style.mark(if *failed { "fail" } else { "pass" });
        line(&mut out, &format!("{mark} {}  {:>9}  {}", moment(date), bytes(*size), path(file)));
    }
    if logs.is_empty() {
        line(&mut out, "There are no logs.");
    }
    out
}

fn removed(Finished { result, .. }: Finished<Cleanup>) -> String {
    let Cleanup { snapshots, interrupted, orphans, jobs } = result;
    let mut out = String::new();
    let mut say = |what: &str, name: &str| line(&mut out, &format!("removed {what}: {}", printable(name)));
    snapshots.iter().for_each(|path| say("expired snapshot", path));
    interrupted.iter().for_each(|job| say("interrupted restore", job.as_str()));
    orphans.iter().for_each(|name| say("orphan", name));
    if jobs > 0 {
        line(&mut out, &format!("removed {} old jobs", count(jobs)));
    }
    if out.is_empty() {
        line(&mut out, "There was nothing to remove.");
    }
    out
}

fn recovered(Finished { result, .. }: Finished<Recovery>, style: Style) -> String {
    let Recovery { recovered, busy, orphans } = result;
    let mut out = String::new();
    for found in &recovered {
        let (mark, now) = (style.mark("pass"), state(found.state));
        line(&mut out, &format!("{mark} {}: job {} is {now}", found.domain, found.job));
    }
    for domain in &busy {
        line(&mut out, &format!("{} {domain} is being worked on", style.mark("warn")));
    }
    for orphan in &orphans {
        line(&mut out, &format!("removed orphan: {}", printable(orphan)));
    }
    if recovered.is_empty() {
        line(&mut out, "No job was left unfinished.");
    }
    out
}
