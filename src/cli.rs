//! The command line: headless verbs with their printers and exit codes, documentation, and the ways into
//! the console.
//!
//! Floor 8, the top. Must hold no rule about AWS: it asks, arranges and prints.

mod balancers;
mod census;
mod console;
mod docs;
mod envelope;
mod environment;
mod exit;
mod finding;
mod gather;
mod health;
mod item;
mod look;
mod name;
mod named;
mod numbers;
mod operate;
mod parser;
mod printer;
mod session;
mod simulator;
mod table;
mod trace;
mod user;
mod verb;

use std::io::ErrorKind;
use std::process::ExitCode;

use crate::cli::environment::Environment;
use crate::cli::exit::{Exit, Problem};
use crate::cli::parser::{Parsed, Request};
use crate::cli::printer::Printer;
pub use crate::cli::verb::End;
use crate::command::Id;

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    let mut printer = Printer::of_process(&environment);
    let code = match start(&environment, &mut printer) {
        Ok(exit) => exit,
        Err(End::Problem(problem)) => {
            // What was printed so far comes before what is said about it.
            let _ = printer.flush();
            printer.problem(&problem);
            problem.exit
        }
        // Whoever read our output has seen enough.
        Err(End::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
        Err(End::Output(error)) => {
            printer.problem(&Problem::new(Exit::Other, format!("cannot write to stdout: {error}")));
            Exit::Other
        }
    };
    ExitCode::from(code as u8)
}

fn start(environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    let request = match parser::parse(environment::arguments())? {
        Parsed::Request(request) => request,
        Parsed::Text(text) => {
            printer.bytes(text.as_bytes())?;
            printer.flush()?;
            return Ok(Exit::Done);
        }
    };
    printer.set_form(&request, environment);
    trace::begin(&request)?;
    let exit = perform(&request, environment, printer)?;
    // A console writes to its terminal, which may be gone when it ends; nothing of it waits here.
    if !matches!(request.id, Id::Console | Id::Demo) {
        printer.flush()?;
    }
    Ok(exit)
}

fn perform(request: &Request, environment: &Environment, printer: &mut Printer) -> Result<Exit, End> {
    match request.id {
        Id::Completions => completions(request, printer),
        Id::Console => console::live(request, environment),
        Id::Demo => console::demo(request, environment),
        Id::Docs => {
            let page = docs::page(request.text("PAGE").unwrap_or_default());
            printer.bytes(page.unwrap_or_default().as_bytes())?;
            Ok(Exit::Done)
        }
        Id::Journal => verb::journal::run(request, environment, printer),
        Id::IncidentOpen => verb::journal::open(request, environment, printer),
        Id::IncidentClose => verb::journal::close(environment, printer),
        Id::Sim => block_on(simulator::run(request, printer)),
        Id::Keys => look::keys(request, environment, printer),
        Id::Themes => look::themes(request, environment, printer),
        _ => block_on(verb::run(request, environment, printer)),
    }
}

/// Runs a verb that waits. One thread: waiting is all its work.
fn block_on<T>(work: impl Future<Output = Result<T, End>>) -> Result<T, End> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::new(Exit::Other, format!("cannot start: {error}")))?;
    let done = runtime.block_on(work);
    // A line that somebody may still type holds nothing up.
    runtime.shutdown_background();
    done
}

fn completions(request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let shell = request.text("SHELL").unwrap_or_default();
    let shell: clap_complete::Shell =
        shell.parse().map_err(|_| Problem::usage(format!("`{shell}` is not a shell that is known")))?;
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut parser::command_line(), "opsdeck", &mut text);
    printer.bytes(&text)?;
    Ok(Exit::Done)
}
