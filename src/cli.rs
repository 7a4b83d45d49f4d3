//! The helper: commands for people and shells, calls with their JSON documents for programs. It exits with the error's number.
//!
//! The commands are rows of [`table`], their options rows of [`option`]. Parser, help, man page and completions read these tables, so
//! that there is nothing to hold together by hand.

mod approve;
mod arguments;
mod audit;
mod changes;
mod check_config;
pub mod command;
mod complete;
mod confirm;
mod document;
mod drill;
mod execute;
mod follow;
mod format;
mod generate;
mod help;
pub mod man;
mod markup;
mod option;
mod output;
mod page;
mod request;
mod select;
pub mod table;
mod terminal;
mod text;

use crate::api::{self, ABI_VERSION};
use crate::broker::serve;
use crate::cli::arguments::{Asked, Line};
use crate::cli::command::CommandName;
use crate::cli::execute::Execution;
use crate::cli::option::OptionName;
use crate::cli::output::{print, say};
use crate::cli::terminal::Style;
use crate::error::{Code, Error, Result};
use crate::host::{cell, process};
use crate::worker;
use crate::worker::spawn;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// Runs the helper and gives its exit status.
pub fn run(arguments: lexopt::Parser) -> ExitCode {
    let style = Style::of_stdout();
    let (line, error) = arguments::read(arguments);
    let outcome = error.map_or_else(|| act(&line, style), Err);
    outcome.unwrap_or_else(|error| {
        if line.wants_documents() {
            return print(&api::failure(&error));
        }
        let colour = style.colour && std::io::stderr().is_terminal();
        let _ = std::io::stderr().write_all(text::error(&error, Style { colour, ..style }).as_bytes());
        ExitCode::from(error.code.number())
    })
}

fn act(line: &Line, style: Style) -> Result<ExitCode> {
    let asked = line.asked()?;
    let of_worker = matches!(&asked, Asked::Command { command, .. } if command.name == CommandName::Worker);
    if let Some(abi) = line.abi().filter(|abi| *abi != ABI_VERSION && !of_worker) {
        let message =
            format!("the caller was made for version {abi} of the interface, this helper speaks {ABI_VERSION}");
        return Err(Error::new(Code::AbiMismatch, message));
    }
    match asked {
        Asked::Help(None) => say(&help::overview(style)),
        Asked::Help(Some(command)) => say(&help::of(command, style)),
        Asked::Version => say(concat!("rocketvps-restore ", env!("CARGO_PKG_VERSION"), "\n")),
        Asked::Call { name, request } => {
            return document::run(&name, &request, line.source()?.as_ref(), &line.output()?);
        }
        Asked::Command { command, operands } => match (command.name, operands.first()) {
            (CommandName::Complete, _) => say(&complete::answer(&operands)),
            (CommandName::CheckConfig, _) => {
                return check_config::run(line.source()?.as_ref(), &line.output()?, style);
            }
            (CommandName::Serve, _) => serve::serve(line.source()?.as_ref())?,
            (CommandName::Audit, domain) => {
                return audit::run(line.source()?.as_ref(), domain.map(String::as_str), &line.output()?);
            }
            (CommandName::Drill, _) => {
                return drill::run(line.source()?.as_ref(), &operands, &line.output()?, style);
            }
            (CommandName::Approve, id) => {
                return approve::run(line.source()?.as_ref(), id.map(String::as_str), &line.output()?);
            }
            (CommandName::Generate, Some(what)) => say(&generate::artefact(what)?),
            (CommandName::Cell, _) => return Ok(cell::inside::run()),
            (CommandName::Worker, Some(folder)) => return work(line, Path::new(folder)),
            _ => {
                let (source, output) = (line.source()?, line.output()?);
                let execution = Execution { command, operands: &operands, given: &line.given, source, output, style };
                return execution.run();
            }
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// The worker: detached from its caller, with the locks that came as descriptors 0 and 1.
fn work(line: &Line, folder: &Path) -> Result<ExitCode> {
    if line.abi() != Some(ABI_VERSION) {
        return Ok(ExitCode::from(Code::AbiMismatch.number()));
    }
    let locked = line.given.has(OptionName::Locked);
    let act = |error: std::io::Error| Error::io("start the worker", &error);
    if !line.given.has(OptionName::Scoped) {
        process::close_inherited();
        process::detach().map_err(act)?;
        if spawn::enter_scope(folder, locked)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let alive = process::take_descriptor(1).map_err(act)?;
    let lock = if locked { Some(process::take_descriptor(0).map_err(act)?) } else { None };
    worker::run(folder, lock, alive)?;
    Ok(ExitCode::SUCCESS)
}
