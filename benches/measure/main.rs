//! Measures what `docs/performance.md` states and prints that page: `cargo measure > docs/performance.md`, or
//! `cargo measure fleet` for one measurement.
//!
//! It builds the release binary and drives it from outside, in a pseudo-terminal or over pipes, with the
//! simulator in a process of its own. Must not measure itself: arrivals are stamped by the thread that reads them.
#![expect(clippy::disallowed_methods, reason = "a measurement reads the real clock and starts processes")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is its purpose")]

mod console;
mod keys;
mod process;
mod report;
mod services;
mod terminal;

use std::error::Error;
use std::process::ExitCode;

use report::Row;

/// A measurement that cannot be made says why.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// A measurement by its name on the command line.
type Measurement = (&'static str, fn(u32) -> Outcome<Vec<Row>>);

const ALL: [Measurement; 6] = [
    ("first-frame", console::first_frame),
    ("cluster", console::cluster),
    ("fleet", console::fleet),
    ("services", services::beside_boto3),
    ("idle", console::idle),
    ("memory", console::memory),
];

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Outcome<()> {
    let names = ALL.map(|(name, _)| name);
    let mut wanted: Vec<String> = Vec::new();
    let mut runs = 5;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // cargo adds it.
            "--bench" => {}
            "--runs" => {
                let count = words.next().ok_or("--runs wants a number")?;
                runs = count.parse().ok().filter(|n| *n > 0).ok_or("--runs wants a number from 1")?;
            }
            name if names.contains(&name) => wanted.push(word),
            other => return Err(format!("`{other}` is none of {}", names.join(", ")).into()),
        }
    }
    process::build()?;
    let mut rows = Vec::new();
    for (name, measure) in ALL {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            eprintln!("measuring {name}");
            rows.extend(measure(runs)?);
        }
    }
    print!("{}", report::page(&rows));
    Ok(())
}
