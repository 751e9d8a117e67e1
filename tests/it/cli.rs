//! The command line from outside: the binary in an empty environment, against a simulator on loopback.
//!
//! Each verb in each form of output, and each bad input, as a snapshot of stdout, stderr and exit code. What
//! differs from run to run (times, ages, ids) is replaced by its kind.

mod bad_input;
mod json;
mod operate;
mod triage;
mod verbs;

use std::sync::LazyLock;

use opsdeck::sim::{Control, Sim, SimConfig, Stack, start};
use opsdeck::stdx::clock::{Clock, Wall};
use regex::Regex;
use tokio::runtime::Runtime;

use crate::program::Outcome;

/// A simulator on its own thread, as long as this lives.
pub struct World {
    pub url: String,
    pub control: Control,
    // Dropped in this order: the simulator needs its runtime.
    _sim: Sim,
    _runtime: Runtime,
}

impl World {
    /// The shipped stacks of these names, in which nothing happens but what they began with.
    pub fn of(names: &[&str]) -> Self {
        Self::with(names, &[])
    }

    /// The same with faults.
    pub fn with(names: &[&str], faults: &[&str]) -> Self {
        let stacks = names.iter().map(|name| calm(name)).collect();
        Self::made(SimConfig {
            stacks,
            faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
            throttle: false,
            lag: false,
            ..SimConfig::default()
        })
    }

    pub fn made(config: SimConfig) -> Self {
        Self::begun(config, Clock::system)
    }

    /// A world in which time runs so many times as fast, from now on.
    pub fn hastened(config: SimConfig, speed: f64) -> Self {
        Self::at(config, Clock::system().now().wall, speed)
    }

    /// The same from another moment on.
    pub fn at(config: SimConfig, epoch: Wall, speed: f64) -> Self {
        Self::begun(config, || Clock::steered(epoch, speed))
    }

    fn begun(config: SimConfig, clock: impl FnOnce() -> Clock) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sim = runtime.block_on(async { start(config, clock()).await }).unwrap();
        Self { url: sim.url(), control: sim.control(), _sim: sim, _runtime: runtime }
    }

    /// Lets a moment go by in which the world and its clients work.
    pub fn turn(&self) {
        self._runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(10)).await });
    }
}

/// A shipped stack without its incidents.
pub fn calm(name: &str) -> Stack {
    let mut stack = Stack::builtin(name).unwrap().unwrap();
    stack.timeline.clear();
    stack
}

/// What differs from run to run, replaced by its kind; runs of blanks, which depend on it, by two.
pub fn redacted(text: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[time]"),
            (r"\b[0-9a-f]{32}-\d+\b", "[runtime]"),
            (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uuid]"),
            (r"\b[0-9a-f]{64}\b", "[digest]"),
            (r"\b[0-9a-f]{32}\b", "[task]"),
            (r"ecs-svc/\d+", "ecs-svc/[id]"),
            (r"(service-(?:deployment|revision)/[^/]+/[^/]+/)[0-9A-Za-z_-]+", "$1[id]"),
            (r"127\.0\.0\.1:\d+", "[simulator]"),
            (r"\b\d+ d \d+ h\b|\b\d+ h \d+ min\b|\b\d+ min \d+ s\b", "[span]"),
            (r"(?:\bnow\b|\b\d+ (?:s|min|h|d)\b)", "[age]"),
            (r"\b10\.\d+\.\d+\.\d+\b", "[address]"),
            (r" {2,}", "  "),
            (r"(?m) +$", ""),
        ]
        .into_iter()
        .map(|(pattern, kind)| (Regex::new(pattern).unwrap(), kind))
        .collect()
    });
    RULES.iter().fold(text.to_owned(), |text, (pattern, kind)| pattern.replace_all(&text, *kind).into_owned())
}

/// Exit code, stdout and stderr in one text.
pub fn told(outcome: &Outcome) -> String {
    let part =
        |name: &str, text: &str| if text.is_empty() { String::new() } else { format!("--- {name}\n{text}") };
    redacted(&format!(
        "exit {}\n{}{}",
        outcome.code,
        part("stdout", &outcome.out),
        part("stderr", &outcome.err)
    ))
}
