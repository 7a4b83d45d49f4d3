//! `check-config`: what is in force, and where it comes from.

use crate::cli::arguments::Output;
use crate::cli::output::show;
use crate::cli::terminal::{Style, pad};
use crate::config::{Config, InForce, Origin, Setting, Source, in_force};
use crate::error::{Code, Error, Result};
use crate::host::hooks;
use crate::text::printable;
use std::process::ExitCode;

/// Reads the configuration as every command does, and writes what it comes to.
///
/// # Errors
/// `config_invalid` naming file or setting, line and key.
pub fn run(source: Option<&Source>, output: &Output, style: Style) -> Result<ExitCode> {
    let found = in_force(source)?;
    // What lies in the folder of hooks is as much a part of it as the file.
    for idle in hooks::read(&Config::of(source)?)?.idle {
        eprintln!("{idle}");
    }
    let data = serde_json::to_value(&found).map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    show(output, &data, || text(&found, style));
    Ok(ExitCode::SUCCESS)
}

fn text(found: &InForce, style: Style) -> String {
    let file = found.file.as_ref().map(|file| printable(&file.display().to_string()));
    let mut out = match &file {
        Some(file) => format!("{file} is in order.\n"),
        None => "There is no restore.toml; every default holds.\n".to_owned(),
    };
    let mut table = "";
    for setting in &found.settings {
        let (of, key) = setting.key.rsplit_once('.').unwrap_or(("", &setting.key));
        if of != table {
            out += &format!("\n[{}]\n", printable(of));
            table = of;
        }
        let value = printable(&format!("{key} = {}", setting.value));
        out += &format!("{} {}\n", pad(&value, 56), style.paint(2, &remark(setting)));
    }
    out
}

fn remark(setting: &Setting) -> String {
    let origin = match (setting.origin, setting.line) {
        (Origin::Default, _) => "default".to_owned(),
        (Origin::Machine, _) => "found on this machine".to_owned(),
        (Origin::Base, _) => "below paths.base".to_owned(),
        (Origin::File, Some(line)) => format!("restore.toml, line {line}"),
        (Origin::File, None) => "restore.toml".to_owned(),
        (Origin::Request, _) => "--set".to_owned(),
    };
    if setting.exists == Some(false) { format!("{origin}; does not exist") } else { origin }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_setting_with_its_origin() {
        let setting = |key: &str, value: &str, origin, line, exists| Setting {
            key: key.into(),
            value: value.into(),
            origin,
            line,
            exists,
        };
        let settings = vec![
            setting("paths.base", "/srv/rv", Origin::File, Some(3), Some(true)),
            setting("paths.cron", "/none", Origin::Default, None, Some(false)),
            setting("sites.\"a.example\".database", "shop", Origin::Request, None, None),
        ];
        let shown = text(
            &InForce { file: Some("/c.toml".into()), settings },
            Style { colour: false, unicode: false, live: false },
        );
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[..3], ["/c.toml is in order.", "", "[paths]"]);
        assert!(lines[3].starts_with("base = \"/srv/rv\" ") && lines[3].ends_with(" restore.toml, line 3"));
        assert!(lines[4].starts_with("cron = \"/none\" ") && lines[4].ends_with(" default; does not exist"));
        assert_eq!(lines[6], "[sites.\"a.example\"]");
        assert!(lines[7].ends_with(" --set"));
    }
}
