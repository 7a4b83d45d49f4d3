//! The library for the shell: commands for people, calls for programs, and the worker that the library starts.

use rocketvps_restore::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(lexopt::Parser::from_env())
}
