//! The help: all commands on a page, and one command with everything about it.

use crate::call;
use crate::cli::arguments::OWN_CALLS;
use crate::cli::command::{Command, CommandGroup, CommandName};
use crate::cli::markup::{entry, wrapped};
use crate::cli::option::{CommandOption, OPTIONS, OptionGroup};
use crate::cli::table;
use crate::cli::terminal::Style;

/// Longer lines are hard to read.
const WIDEST: usize = 100;
/// Where the text beside a command begins.
const BESIDE_COMMAND: usize = 35;
/// Where the text beside an option begins.
const BESIDE_OPTION: usize = 26;

/// Every command and what it does, in a line each.
pub fn overview(style: Style) -> String {
    let width = style.width().min(WIDEST);
    let mut out = wrapped("rocketvps-restore: a web domain back to the state of a backup, without downtime", 0, width);
    out += "\n";
    out += &wrapped("Usage: rocketvps-restore [OPTION]... COMMAND [ARGUMENT]...", 0, width);
    for group in CommandGroup::SHOWN {
        out += &heading(group.title(), style);
        for command in table::of_group(group) {
            out += &entry(&command.synopsis(), command.short, BESIDE_COMMAND, width);
        }
    }
    out += &heading(OptionGroup::General.title(), style);
    for option in of_group(OptionGroup::General) {
        out += &entry(&option.synopsis(), option.short, BESIDE_COMMAND, width);
    }
    out += "\n";
    out += &wrapped(
        "`rocketvps-restore help COMMAND` explains a command and its options.\n\n\
         A command behaves the same on a terminal, in a pipe and in cron. It ends with 0, or with the number of its error: \
         `man rocketvps-restore` lists them.",
        0,
        width,
    );
    out
}

/// Everything about a command.
pub fn of(command: &Command, style: Style) -> String {
    let width = style.width().min(WIDEST);
    let mut out = wrapped(&format!("Usage: rocketvps-restore {} [OPTION]...", command.synopsis()), 0, width);
    out += "\n";
    out += &wrapped(command.long, 0, width);
    if command.operands.iter().any(|operand| !operand.about().is_empty()) {
        out += &heading("Arguments", style);
        for operand in command.operands {
            out += &entry(operand.shown().trim_matches(['[', ']']), operand.about(), BESIDE_OPTION, width);
        }
    }
    if command.name == CommandName::Call {
        out += &heading("Calls", style);
        out += &wrapped(&calls().join(" "), 2, width);
    }
    for group in OptionGroup::SHOWN.into_iter().filter(|group| *group != OptionGroup::General) {
        let own: Vec<_> = command.own_options().filter(|option| option.group == group).collect();
        if own.is_empty() {
            continue;
        }
        out += &heading(group.title(), style);
        if let Some(about) = group.about() {
            out += &wrapped(about, 2, width);
        }
        out += &options(own, width);
    }
    out += &heading(OptionGroup::General.title(), style);
    out += &options(of_group(OptionGroup::General), width);
    out
}

fn options(options: impl IntoIterator<Item = &'static CommandOption>, width: usize) -> String {
    options.into_iter().map(|option| entry(&option.synopsis(), &option.text(), BESIDE_OPTION, width)).collect()
}

fn of_group(group: OptionGroup) -> impl Iterator<Item = &'static CommandOption> {
    OPTIONS.iter().filter(move |option| option.group == group)
}

/// The names of the calls.
pub fn calls() -> Vec<&'static str> {
    call::NAMES.iter().copied().chain(OWN_CALLS).collect()
}

fn heading(title: &str, style: Style) -> String {
    format!("\n{}\n", style.paint(1, &format!("{title}:")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terminal::columns;

    const PIPE: Style = Style { colour: false, unicode: true, live: false };

    #[test]
    fn the_overview_names_every_command_that_people_see_and_no_other() {
        let overview = overview(PIPE);
        for command in table::COMMANDS {
            let line = format!("\n  {}", command.synopsis());
            assert_eq!(overview.contains(&line), command.group != CommandGroup::Internal, "{}", command.word);
        }
        assert!(overview.lines().all(|line| columns(line) <= 80), "{overview}");
        assert!(!overview.contains("--locked"));
    }

    #[test]
    fn the_help_of_a_command_has_its_options_and_no_others() {
        for command in table::COMMANDS.iter().filter(|command| command.group != CommandGroup::Internal) {
            let help = of(command, PIPE);
            for option in OPTIONS {
                let named = help.contains(&format!("\n  {}", option.synopsis()));
                assert_eq!(named, command.takes(option.name), "{} {}", command.word, option.word);
            }
            let widest = help.lines().map(columns).max().unwrap_or_default();
            assert!(widest <= 80, "{widest}: {help}");
        }
        let call = of(table::find("call").unwrap(), PIPE);
        assert!(calls().iter().all(|name| call.contains(name)), "{call}");
    }
}
