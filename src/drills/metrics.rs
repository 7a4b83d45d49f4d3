//! The newest drills for Prometheus, as the textfile collector of its node exporter reads them.

use crate::api::answer::drills::Drill;
use crate::clock;
use crate::config::Config;
use crate::disk;
use crate::error::{Error, Result};
use crate::report::Outcome;
use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes the file of metrics, where its folder is there. Others read it: its mode is 0644.
///
/// # Errors
/// `io_failed` naming the file.
pub fn write(config: &Config, drills: &[Drill]) -> Result<()> {
    let path = config.drills.metrics();
    if !path.parent().is_some_and(Path::is_dir) {
        return Ok(());
    }
    let draft = disk::beside(path);
    let hint = "See `drills.metrics` of restore.toml.";
    // No link that somebody put there is followed.
    let mut file = disk::create_new(&draft).map_err(|error| error.hint(hint))?;
    let written = file
        .write_all(text(drills).as_bytes())
        .and_then(|()| file.set_permissions(Permissions::from_mode(0o644)))
        .and_then(|()| std::fs::rename(&draft, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&draft);
        Error::io(format!("write {}", path.display()), &error).hint(hint)
    })
}

/// The text format of Prometheus: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
pub fn text(drills: &[Drill]) -> String {
    type Value = fn(&Drill) -> Option<f64>;
    let gauges: [(&str, &str, Value); 5] = [
        ("success", "1 unless the newest backup could not be restored aside.", |drill| {
            Some(f64::from(drill.outcome != Outcome::Fail))
        }),
        ("proven", "1 where the site of that backup answered its pages.", |drill| {
            Some(f64::from(drill.outcome == Outcome::Pass))
        }),
        ("recovery_seconds", "Seconds that a restore would take up to its change-over.", |drill| drill.recovery_s),
        ("backup_age_seconds", "Age of that backup when the drill ended, in seconds.", |drill| {
            drill.backup_age_s.map(|age| age as f64)
        }),
        ("timestamp_seconds", "When the drill ended, in seconds since 1970.", |drill| {
            clock::second_of(&drill.time).map(|second| second as f64)
        }),
    ];
    let mut out = String::new();
    for (name, help, value) in gauges {
        let name = format!("rocketvps_restore_drill_{name}");
        let lines: Vec<String> = drills
            .iter()
            .filter_map(|drill| Some(format!("{name}{{domain=\"{}\"}} {}\n", drill.domain, value(drill)?)))
            .collect();
        if !lines.is_empty() {
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{}", lines.concat());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Domain;

    fn drill(domain: &str) -> Drill {
        Drill {
            domain: Domain::parse(domain).unwrap(),
            time: "2026-01-02T03:04:05+00:00".into(),
            outcome: Outcome::Pass,
            message: "the staged site answers 2 of 2 pages".into(),
            error: None,
            source: Some("/b".into()),
            backup_age_s: Some(3600),
            recovery_s: Some(1.25),
            change_over_ms: None,
            job: None,
        }
    }

    #[test]
    fn a_value_that_nobody_knows_is_left_out_and_a_failed_drill_is_0() {
        let failed = Drill { outcome: Outcome::Fail, backup_age_s: None, recovery_s: None, ..drill("bad.example") };
        let text = text(&[failed, drill("shop.example")]);
        let values: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            values,
            [
                "rocketvps_restore_drill_success{domain=\"bad.example\"} 0",
                "rocketvps_restore_drill_success{domain=\"shop.example\"} 1",
                "rocketvps_restore_drill_proven{domain=\"bad.example\"} 0",
                "rocketvps_restore_drill_proven{domain=\"shop.example\"} 1",
                "rocketvps_restore_drill_recovery_seconds{domain=\"shop.example\"} 1.25",
                "rocketvps_restore_drill_backup_age_seconds{domain=\"shop.example\"} 3600",
                "rocketvps_restore_drill_timestamp_seconds{domain=\"bad.example\"} 1767323045",
                "rocketvps_restore_drill_timestamp_seconds{domain=\"shop.example\"} 1767323045",
            ]
        );
    }

    #[test]
    fn the_file_is_replaced_in_one_step_and_others_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.drills.metrics = folder.path().join("restore.prom");
        for drills in [vec![drill("a.example")], vec![drill("b.example")]] {
            write(&config, &drills).unwrap();
            assert_eq!(std::fs::read_to_string(&config.drills.metrics).unwrap(), text(&drills));
        }
        let about = std::fs::metadata(&config.drills.metrics).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        config.drills.metrics = folder.path().join("not/there.prom");
        write(&config, &[]).unwrap();
        assert!(!config.drills.metrics.exists());
    }
}
