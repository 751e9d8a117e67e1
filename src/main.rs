//! The binary's door. Everything is in the library, so that tests can reach it; must hold no logic.

use std::process::ExitCode;

fn main() -> ExitCode {
    opsdeck::cli::main()
}
