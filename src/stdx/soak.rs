//! Soaks: properties over a thousand seeds, run by `cargo test --release -- --ignored soak`, each of which writes
//! down in `docs/soak.md` that it held: date, commit, seeds.
//!
//! Must write nothing for a property that failed: `hold` panics before.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

use crate::stdx::clock::Clock;

/// What a soak runs.
const SEEDS: u32 = 1_000;

/// Tries a property with a thousand seeds and writes down that it held.
pub fn hold<S: Strategy>(property: &str, strategy: &S, test: impl Fn(S::Value)) {
    hold_for(SEEDS, property, strategy, test);
}

/// The same with another number of seeds.
pub fn hold_for<S: Strategy>(seeds: u32, property: &str, strategy: &S, test: impl Fn(S::Value)) {
    let config = Config { cases: seeds, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    write_down(property, seeds);
}

/// One line, in one write: soaks run side by side.
#[expect(clippy::disallowed_methods, reason = "a soak asks git for the commit and keeps its own record")]
fn write_down(property: &str, seeds: u32) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(root).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"]);
    let mark = if changed.is_some_and(|c| !c.is_empty()) { " with changes" } else { "" };
    let build = if cfg!(debug_assertions) { "dev" } else { "release" };
    let now = Clock::system().now().wall.rfc3339();
    let date = now.get(..10).unwrap_or_default();
    let line = format!("| {date} | {commit}{mark} | {build} | {property} | {seeds} |\n");
    let path = root.join("docs/soak.md");
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(line.as_bytes()).unwrap();
}
