//! The library for the shell: `rocketvps-restore CALL [JSON|-]`, and the worker that the library starts.

use rocketvps_restore::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(lexopt::Parser::from_env())
}
