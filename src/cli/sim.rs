//! The simulator from the command line: which systems, which faults, whose clock.
//!
//! Must not open the console.

use crate::cli::exit::{Exit, Problem};
use crate::cli::parser::Request;
use crate::sim::Stack;
use crate::sim::fault::Rule;
use crate::stdx::clock::Clock;

/// The seed of a world that nobody chose.
pub const SEED: u64 = 2026;

/// The stacks that the request names.
///
/// # Errors
/// When a number does not fit.
pub fn stacks(request: &Request) -> Result<Vec<Stack>, Problem> {
    if let Some(services) = request.number("services") {
        let services = usize::try_from(services).ok().filter(|n| (1..=100_000).contains(n));
        let services =
            services.ok_or_else(|| Problem::usage("--services takes a number from 1 to 100000"))?;
        let fleet = Stack::fleet(services, request.number("seed").unwrap_or(SEED));
        return Ok(vec![fleet.map_err(|error| Problem::new(Exit::Other, error.to_string()))?]);
    }
    let wanted = request.text("STACK").unwrap_or("all");
    let found: Vec<Stack> = Stack::builtins()
        .filter(|name| wanted == "all" || *name == wanted)
        .filter_map(Stack::builtin)
        .collect::<Result<_, _>>()
        .map_err(|error| Problem::new(Exit::Other, error.to_string()))?;
    if found.is_empty() {
        return Err(Problem::usage(format!("there is no stack `{wanted}`")));
    }
    Ok(found)
}

/// The faults that the request names.
///
/// # Errors
/// When one is not a fault.
pub fn faults(request: &Request) -> Result<Vec<Rule>, Problem> {
    request
        .all("fault")
        .iter()
        .map(|text| text.parse::<Rule>().map_err(|error| Problem::usage(error.to_string())))
        .collect()
}

/// The world's clock: the machine's, or a faster one from now on.
#[must_use]
pub fn clock(request: &Request) -> Clock {
    let system = Clock::system();
    match request.number("speed") {
        None | Some(0 | 1) => system,
        #[expect(clippy::cast_precision_loss, reason = "a speed of more than 2^52 is no speed")]
        Some(speed) => Clock::steered(system.now().wall, speed as f64),
    }
}
