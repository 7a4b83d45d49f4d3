//! The man page, made from the tables of commands, options and error codes, and the prose of [`crate::cli::page`].

use crate::cli::command::{Command, CommandGroup, CommandName};
use crate::cli::help;
use crate::cli::markup::{escaped, roff};
use crate::cli::option::{CommandOption, OPTIONS, OptionGroup};
use crate::cli::page;
use crate::cli::table;
use crate::error::Code;
use std::fmt::Write;

/// The whole page as roff, for `man`(1).
pub fn page() -> String {
    let mut out = String::from(
        ".\\\" Made by `make man` from src/cli/. Do not edit.\n\
         .TH ROCKETVPS\\-RESTORE 1 \"\" \"librocketvps_restore\" \"RocketVPS\"\n\
         .nh\n.ad l\n\
         .SH NAME\nrocketvps\\-restore \\- put a web domain back to the state of a backup, without downtime\n\
         .SH SYNOPSIS\n\\fBrocketvps\\-restore\\fR [\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n",
    );
    out += ".SH DESCRIPTION\n";
    out += &roff(page::DESCRIPTION);
    out += ".SH COMMANDS\n";
    out += &roff(page::COMMANDS);
    for group in CommandGroup::SHOWN {
        let _ =
            write!(out, ".SS {}\n{}", escaped(group.title()), table::of_group(group).map(command).collect::<String>());
    }
    out += ".SH OPTIONS OF COMMANDS\n";
    for group in OptionGroup::SHOWN {
        if group == OptionGroup::General {
            out += ".SH OPTIONS OF EVERY COMMAND\n";
        } else {
            let _ = writeln!(out, ".SS {}", escaped(group.title()));
        }
        out += &group.about().map_or_else(String::new, roff);
        out += &OPTIONS.iter().filter(|option| option.group == group).map(option).collect::<String>();
    }
    out += ".SH EXIT STATUS\n";
    out += &roff(page::EXIT_STATUS);
    for code in Code::ALL {
        let _ = write!(out, ".TP 5\n\\fB{} {}\\fR\n{}", code.number(), code.name(), roff(code.meaning()));
    }
    out += ".SH FILES\n";
    for (path, about) in page::files() {
        let _ = write!(out, ".TP\n\\fI{}\\fR\n{}", escaped(&path), roff(about));
    }
    out += ".SH ENVIRONMENT\n";
    for (names, about) in page::ENVIRONMENT {
        out += &tagged(names, about);
    }
    out += ".SH EXAMPLES\n";
    for (about, lines) in page::EXAMPLES {
        let _ = write!(out, ".PP\n{}.PP\n.in +4n\n.EX\n", roff(about));
        for line in *lines {
            let _ = writeln!(out, "{}", escaped(line));
        }
        out += ".EE\n.in\n";
    }
    out += ".SH WHEN SOMETHING GOES WRONG\n";
    for (what, about) in page::TROUBLE {
        out += &tagged(what, about);
    }
    out += ".SH SEE ALSO\n\\fBmariadb\\fR(1), \\fBnginx\\fR(8), \\fBtar\\fR(1)\n";
    out
}

/// A paragraph with a tag before it.
fn tagged(tag: &str, text: &str) -> String {
    // Another paragraph of the same entry keeps its indent.
    format!(".TP\n{}{}", roff(tag), roff(text).replace(".PP\n", ".IP\n"))
}

fn command(command: &Command) -> String {
    let mut text = command.long.to_owned();
    let options: Vec<String> = command.own_options().map(|option| format!("`--{}`", option.word)).collect();
    if !options.is_empty() {
        let _ = write!(text, "\n\nTakes {}.", options.join(", "));
    }
    if command.name == CommandName::Call {
        let calls: Vec<String> = help::calls().iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(text, "\n\nThe calls: {}.", calls.join(", "));
    }
    format!(".TP\n{}{}", synopsis(&command.synopsis()), roff(&text).replace(".PP\n", ".IP\n"))
}

fn option(option: &CommandOption) -> String {
    format!(".TP\n{}{}", synopsis(&option.synopsis()), roff(&option.text()))
}

/// `--only LIST`: what is typed as it stands is bold, what stands for something is italic.
fn synopsis(text: &str) -> String {
    let stands_for = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let mut out = String::new();
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            out.push(' ');
        }
        if word.starts_with('-') || !word.contains(|letter: char| letter.is_ascii_uppercase()) && at == 0 {
            let comma = if word.ends_with(',') { "," } else { "" };
            let _ = write!(out, "\\fB{}\\fR{comma}", escaped(word.trim_end_matches(',')));
            continue;
        }
        let mut inside = false;
        for letter in word.chars() {
            if stands_for(letter) != inside {
                inside = !inside;
                out.push_str(if inside { "\\fI" } else { "\\fR" });
            }
            out.push_str(&escaped(&letter.to_string()).replace("\\&", ""));
        }
        if inside {
            out.push_str("\\fR");
        }
    }
    out + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synopsis_tells_what_is_typed_from_what_stands_for_something() {
        assert_eq!(synopsis("restore DOMAIN [BACKUP]"), "\\fBrestore\\fR \\fIDOMAIN\\fR [\\fIBACKUP\\fR]\n");
        assert_eq!(synopsis("-h, --help"), "\\fB\\-h\\fR, \\fB\\-\\-help\\fR\n");
        assert_eq!(synopsis("--field NAME[,NAME]..."), "\\fB\\-\\-field\\fR \\fINAME\\fR[,\\fINAME\\fR]...\n");
        assert_eq!(synopsis("--set KEY=VALUE"), "\\fB\\-\\-set\\fR \\fIKEY\\fR=\\fIVALUE\\fR\n");
    }

    #[test]
    fn the_page_has_every_command_option_and_code_once() {
        let page = page();
        let entry = |synopsis: &str| page.matches(&format!(".TP\n{}", super::synopsis(synopsis))).count();
        for command in table::COMMANDS {
            let wanted = usize::from(command.group != CommandGroup::Internal);
            assert_eq!(entry(&command.synopsis()), wanted, "{}", command.word);
        }
        for option in OPTIONS {
            let wanted = usize::from(option.group != OptionGroup::Internal);
            assert_eq!(entry(&option.synopsis()), wanted, "{}", option.word);
        }
        for code in Code::ALL {
            let head = format!(".TP 5\n\\fB{} {}\\fR\n", code.number(), code.name());
            assert_eq!(page.matches(&head).count(), 1, "{}", code.name());
        }
    }
}
