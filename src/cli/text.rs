//! Documents as text for people: one function a document. No figure is made here, only written.

use crate::cli::format::plain;
use crate::cli::format::{count, duration, moment};
use crate::cli::terminal::Style;
use crate::error::Error;
use crate::text::{bytes, printable};
use serde_json::Value;
use std::fmt::Write;

/// The answer of a command.
pub fn of(command: &str, data: &Value, style: Style) -> String {
    let mut out = String::new();
    match command {
        "domains" => domains(data, &mut out),
        "list" => backups(data, style, &mut out),
        "preview" => preview(data, style, &mut out),
        "diff" => changes(data, style, &mut out),
        "validate" => {
            groups(&data["groups"], style, &mut out);
            changes(&data["changes"], style, &mut out);
        }
        "verify" => groups(&data["groups"], style, &mut out),
        // A dry run is a validation.
        "restore" if data["groups"].is_array() => {
            groups(&data["groups"], style, &mut out);
            changes(&data["changes"], style, &mut out);
            out += "Nothing was changed: this was a dry run.\n";
        }
        "restore" | "rollback" => report(command, data, style, &mut out),
        "snapshot" => snapshot(data, style, &mut out),
        "snapshots" => snapshots(data, &mut out),
        "delete-snapshot" => line(&mut out, &format!("{} deleted: {}", style.mark("pass"), word(data, "deleted"))),
        "jobs" => jobs(data, &mut out),
        "status" => status(data, style, &mut out),
        "cancel" => cancelled(data, &mut out),
        "logs" => logs(data, style, &mut out),
        "cleanup" => removed(data, &mut out),
        "recover" => recovered(data, style, &mut out),
        _ => line(&mut out, &printable(&data.to_string())),
    }
    out
}

/// What went wrong and what to do about it.
pub fn error(error: &Error, style: Style) -> String {
    let mut out = format!("{} {}: {}\n", style.mark("fail"), error.code.name(), printable(&error.message));
    for hint in error.to_json()["hint"].as_str().unwrap_or_default().lines() {
        let _ = writeln!(out, "  {}", printable(hint));
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn word(data: &Value, key: &str) -> String {
    plain(&data[key])
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn list(data: &Value) -> impl Iterator<Item = &Value> {
    data.as_array().into_iter().flatten()
}

fn known(value: &Value) -> String {
    value.as_u64().map_or_else(|| "?".into(), count)
}

fn domains(data: &Value, out: &mut String) {
    for domain in list(&data["domains"]) {
        let newest = domain["newest"].as_str().map_or_else(|| "-".into(), moment);
        let site = if domain["has_site"] == true { "" } else { "  no site" };
        line(
            out,
            &format!("{:<40} {:>4} backups  newest {newest}{site}", word(domain, "domain"), known(&domain["backups"])),
        );
    }
    if list(&data["domains"]).next().is_none() {
        line(out, "No domain has a backup or a site here.");
    }
}

fn backups(data: &Value, style: Style, out: &mut String) {
    for (at, backup) in list(&data["backups"]).enumerate() {
        let counts = match (backup["file_count"].as_u64(), backup["db_tables"].as_u64()) {
            (Some(files), Some(tables)) => format!("  {} files, {} tables", count(files), count(tables)),
            (Some(files), None) => format!("  {} files", count(files)),
            _ => String::new(),
        };
        line(
            out,
            &format!(
                "{:>3}  {}  {:>8}  {:<11}  {:<8}{counts}",
                at + 1,
                moment(&word(backup, "date")),
                bytes(number(&backup["size"])),
                word(backup, "kind"),
                word(backup, "integrity")
            ),
        );
        line(out, &format!("     {}", style.paint(2, &word(backup, "path"))));
    }
    if list(&data["backups"]).next().is_none() {
        line(out, &format!("{} has no backups.", word(data, "domain")));
    }
}

fn preview(data: &Value, style: Style, out: &mut String) {
    let backup = &data["backup"];
    line(out, &style.paint(1, &format!("{}, {}", word(backup, "domain"), moment(&word(backup, "date")))));
    line(out, &format!("  Backup         {}", word(backup, "path")));
    line(
        out,
        &format!(
            "                 {}, {}, {}, integrity {}",
            word(backup, "kind"),
            bytes(number(&backup["size"])),
            word(backup, "compression"),
            word(backup, "integrity")
        ),
    );
    let files = &data["files"];
    line(
        out,
        &format!(
            "  Files          {} files, {} folders, {}",
            known(&files["count"]),
            known(&files["folders"]),
            bytes(number(&files["bytes"]))
        ),
    );
    let folders = list(&files["tree"]).filter(|node| {
        number(&node["depth"]) < 2 && (!files["tree_page"].is_null() || word(node, "path").ends_with('/'))
    });
    for node in folders {
        let indent = "  ".repeat(number(&node["depth"]) as usize);
        let name = format!("{indent}{}", word(node, "path"));
        line(out, &format!("    {name:<44} {:>8} files  {:>9}", known(&node["files"]), bytes(number(&node["bytes"]))));
    }
    let database = &data["database"];
    if database.is_null() {
        line(out, "  Database       none in this backup");
    } else {
        line(
            out,
            &format!(
                "  Database       {}: {} tables, {} rows, {}",
                word(database, "name"),
                known(&database["tables"]),
                known(&database["rows"]),
                bytes(number(&database["bytes"]))
            ),
        );
        for table in list(&database["table_list"]) {
            line(
                out,
                &format!(
                    "    {:<44} {:>8} rows   {:>9}",
                    word(table, "name"),
                    known(&table["rows"]),
                    bytes(number(&table["bytes"]))
                ),
            );
        }
    }
    let items: Vec<String> =
        list(&data["config"]).map(|item| format!("{} ({})", word(item, "item"), word(item, "name"))).collect();
    line(
        out,
        &format!("  Configuration  {}", if items.is_empty() { "none in this backup".into() } else { items.join(", ") }),
    );
    if let Some(seconds) = data["estimate"]["total_s"].as_f64() {
        line(out, &format!("  Estimate       about {}", duration(seconds)));
    }
    let space = &data["space"];
    let enough = if space["enough"] == true { "" } else { ": not enough" };
    line(
        out,
        &format!(
            "  Space          {} needed, {} free{enough}",
            bytes(number(&space["required"])),
            bytes(number(&space["available"]))
        ),
    );
    for warning in list(&data["warnings"]) {
        line(out, &format!("{} {}", style.mark("warn"), plain(warning)));
    }
}

fn changes(data: &Value, style: Style, out: &mut String) {
    for (part, title) in [("files", "Files"), ("tables", "Tables"), ("config", "Configuration")] {
        let found = &data[part];
        if found.is_null() {
            continue;
        }
        let counts: Vec<String> = ["added", "changed", "removed", "same", "kept"]
            .iter()
            .filter(|change| **change == "same" || number(&found[**change]) > 0)
            .map(|change| format!("{} {change}", known(&found[*change])))
            .collect();
        line(out, &format!("{}  {}", style.paint(1, &format!("{title:<13}")), counts.join(", ")));
        for entry in list(&found["entries"]) {
            let (code, sign) = match entry["change"].as_str() {
                Some("added") => (32, '+'),
                Some("changed") => (33, '~'),
                Some("removed") => (31, '-'),
                _ => continue,
            };
            let name = if entry["path"].is_string() { word(entry, "path") } else { word(entry, "name") };
            line(out, &format!("  {}", style.paint(code, &format!("{sign} {name}"))));
        }
    }
}

fn groups(data: &Value, style: Style, out: &mut String) {
    for group in list(data) {
        let title = word(group, "name").replace('_', " ");
        line(out, &format!("{} {}", style.mark(&word(group, "outcome")), style.paint(1, &title)));
        for check in list(&group["checks"]) {
            line(out, &format!("    {} {}", style.mark(&word(check, "outcome")), word(check, "message")));
        }
    }
}

fn report(command: &str, data: &Value, style: Style, out: &mut String) {
    let took = duration(data["duration_s"].as_f64().unwrap_or_default());
    let source = word(data, "source");
    let source = source.rsplit('/').next().unwrap_or_default();
    let verb = if command == "restore" { "restored from" } else { "brought back from" };
    line(out, &format!("{} {} {verb} {source} in {took}", style.mark("pass"), word(data, "domain")));
    if let Some(millis) = data["commit_ms"].as_f64() {
        line(out, &format!("  Change-over    {millis:.0} ms, without downtime"));
    }
    let files = &data["files"];
    if !files.is_null() {
        line(out, &format!("  Files          {} files, {}", known(&files["files"]), bytes(number(&files["bytes"]))));
    }
    let database = &data["database"];
    if !database.is_null() {
        line(
            out,
            &format!("  Database       {} tables, {} rows", known(&database["tables"]), known(&database["rows"])),
        );
    }
    let mut label = "Verified";
    for group in list(&data["verification"]["live"]) {
        let name = word(group, "name").replace('_', " ");
        line(out, &format!("  {label:<14} {} {name}", style.mark(&word(group, "outcome"))));
        label = "";
    }
    if data["snapshot"].is_string() {
        line(out, &format!("  Before it      {}", word(data, "snapshot")));
        line(out, &format!("                 back with: rocketvps-restore rollback {}", word(data, "domain")));
    }
    for note in list(&data["notes"]) {
        line(out, &format!("{} {}", style.mark("warn"), plain(note)));
    }
}

fn snapshot(data: &Value, style: Style, out: &mut String) {
    line(out, &format!("{} {}", style.mark("pass"), word(data, "path")));
    line(out, &format!("  Files          {} files, {}", known(&data["files"]), bytes(number(&data["bytes"]))));
    line(out, &format!("  Database       {} tables, {} rows", known(&data["tables"]), known(&data["rows"])));
    line(out, &format!("  Configuration  {} files", data["config"].as_array().map_or(0, Vec::len)));
    line(out, &format!("  Size           {}", bytes(number(&data["size"]))));
}

fn snapshots(data: &Value, out: &mut String) {
    for (at, snapshot) in list(&data["snapshots"]).enumerate() {
        let left =
            snapshot["expires_in_s"].as_f64().map_or_else(String::new, |left| format!("  {} left", duration(left)));
        line(
            out,
            &format!(
                "{:>3}  {}  {:<9}  {:>9}{left}",
                at + 1,
                moment(&word(snapshot, "created")),
                word(snapshot, "form"),
                // What a restore kept was not measured.
                snapshot["size"].as_u64().filter(|size| *size > 0).map_or_else(|| "-".into(), bytes)
            ),
        );
        line(out, &format!("     {}", word(snapshot, "path")));
    }
    if list(&data["snapshots"]).next().is_none() {
        line(out, &format!("{} has no snapshots.", word(data, "domain")));
    }
}

fn jobs(data: &Value, out: &mut String) {
    for job in list(&data["jobs"]) {
        let more = if job["resumable"] == true { "  can go on: start the same restore again" } else { "" };
        line(
            out,
            &format!(
                "{}  {:<15}  {:<24}  {:<14} {:>8}{more}",
                word(job, "job"),
                word(job, "kind"),
                word(job, "domain"),
                word(job, "state"),
                duration(job["elapsed_s"].as_f64().unwrap_or_default())
            ),
        );
    }
    if list(&data["jobs"]).next().is_none() {
        line(out, "There are no jobs.");
    }
}

fn status(data: &Value, style: Style, out: &mut String) {
    line(
        out,
        &format!(
            "{}  {} of {}: {}, {:.0} %",
            word(data, "job"),
            word(data, "kind"),
            word(data, "domain"),
            word(data, "state").replace('_', " "),
            data["percent"].as_f64().unwrap_or_default().floor()
        ),
    );
    for phase in list(&data["phases"]) {
        let of = phase["items_total"].as_u64().map_or_else(String::new, |total| format!("/{}", count(total)));
        line(
            out,
            &format!(
                "  {:<10} {:<8} {:>3.0} %  {}{of}  {}  {}",
                word(phase, "phase"),
                word(phase, "state"),
                phase["percent"].as_f64().unwrap_or_default().floor(),
                known(&phase["items"]),
                bytes(number(&phase["bytes"])),
                word(phase, "current")
            ),
        );
    }
    let left = data["remaining_s"].as_f64().map_or_else(String::new, |left| format!(", about {} left", duration(left)));
    line(out, &format!("  {} since the start{left}", duration(data["elapsed_s"].as_f64().unwrap_or_default())));
    if data["log"].is_string() {
        line(out, &format!("  {}", word(data, "log")));
    }
    if data["error"].is_object() {
        out.push_str(&error(&Error::from_json(&data["error"]), style));
    }
}

fn cancelled(data: &Value, out: &mut String) {
    if data["cancelling"] == true {
        line(out, &format!("{} was asked to stop; `rocketvps-restore attach {0}` shows its end.", word(data, "job")));
    } else {
        line(out, &format!("{} has ended already: {}.", word(data, "job"), word(data, "state").replace('_', " ")));
    }
}

fn logs(data: &Value, style: Style, out: &mut String) {
    for log in list(&data["logs"]) {
        let mark = if log["failed"] == true { style.mark("fail") } else { style.mark("pass") };
        line(
            out,
            &format!(
                "{mark} {}  {:>9}  {}",
                moment(&word(log, "date")),
                bytes(number(&log["size"])),
                word(log, "path")
            ),
        );
    }
    if list(&data["logs"]).next().is_none() {
        line(out, "There are no logs.");
    }
}

fn removed(data: &Value, out: &mut String) {
    let mut nothing = true;
    for (key, what) in
        [("snapshots", "expired snapshot"), ("interrupted", "interrupted restore"), ("orphans", "orphan")]
    {
        for item in list(&data[key]) {
            nothing = false;
            line(out, &format!("removed {what}: {}", plain(item)));
        }
    }
    match data["jobs"].as_u64() {
        Some(jobs) if jobs > 0 => line(out, &format!("removed {} old jobs", count(jobs))),
        _ if nothing => line(out, "There was nothing to remove."),
        _ => {}
    }
}

fn recovered(data: &Value, style: Style, out: &mut String) {
    for found in list(&data["recovered"]) {
        let state = word(found, "state").replace('_', " ");
        line(out, &format!("{} {}: job {} is {state}", style.mark("pass"), word(found, "domain"), word(found, "job")));
    }
    for busy in list(&data["busy"]) {
        line(out, &format!("{} {} is being worked on", style.mark("warn"), plain(busy)));
    }
    for orphan in list(&data["orphans"]) {
        line(out, &format!("removed orphan: {}", plain(orphan)));
    }
    if list(&data["recovered"]).next().is_none() {
        line(out, "No job was left unfinished.");
    }
}
