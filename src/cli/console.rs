//! The ways into the console: on AWS, and on the embedded simulator.
//!
//! Must not touch the user's AWS configuration, a proxy or any address but the simulator's in a demo.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::Session;
use crate::cli::End;
use crate::cli::environment::Environment;
use crate::cli::exit::{Exit, Problem};
use crate::cli::parser::Request;
use crate::cli::user;
use crate::cloud::{AccountSettings, Cloud, Settings};
use crate::config::{Choice, Config};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::scope::{Account, Scope};
use crate::runtime::console::{self, Opening};
use crate::runtime::event_loop::{Ending, Multiplexer};
use crate::sim::{self, Sim, SimConfig, Stack};
use crate::stdx::clock::Clock;
use crate::theme::{Depth, Glyphs};

/// Opens the console on the embedded simulator.
///
/// # Errors
/// When flags or files are wrong, or there is no terminal.
pub fn demo(request: &Request, environment: &Environment) -> Result<Exit, End> {
    let config = user::config(request, environment)?;
    let stacks = super::sim::stacks(request)?;
    let faults = super::sim::faults(request)?;
    let regions: BTreeSet<String> = stacks.iter().map(|stack: &Stack| stack.region.clone()).collect();
    let account = Account::new("demo");
    let scopes = regions.into_iter().map(|region| Scope::new(account.clone(), region)).collect();
    let runtime = runtime()?;
    runtime.block_on(async move {
        let clock = super::sim::clock(request);
        let sim = SimConfig {
            seed: request.number("seed").unwrap_or(super::sim::SEED),
            stacks,
            faults,
            ..SimConfig::default()
        };
        let theirs = clock.clone();
        let theirs_account = account.clone();
        let connect = async move {
            let started = sim::start(sim, theirs.clone()).await;
            let sim = started.map_err(|e| Fault::new(FaultKind::Config, e.to_string()))?;
            let mut settings = Settings::simulator(sim.url());
            settings.accounts = vec![AccountSettings { account: theirs_account, profile: None }];
            // The simulator lives as long as the process: dropping its handle would end it.
            keep(sim);
            Cloud::new(settings, theirs)
        };
        let session = Session {
            scopes,
            scopes_fault: None,
            clusters: Vec::new(),
            overrides: vec![("all".to_owned(), "on loopback".to_owned())],
            demo: true,
            read_only: read_only(environment),
            version: env!("CARGO_PKG_VERSION"),
        };
        let opening = opening(session, vec![account], config, environment, clock)?;
        Ok(exit(console::open(opening, connect).await)?)
    })
}

/// The demo's simulator runs until the process ends.
fn keep(sim: Sim) {
    std::mem::forget(sim);
}

fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Problem::new(Exit::Other, format!("cannot start: {error}")))
}

/// What a console needs beside its session: the configuration's look, fitted to the terminal.
fn opening(
    session: Session,
    accounts: Vec<Account>,
    config: Config,
    environment: &Environment,
    clock: Clock,
) -> Result<Opening, Problem> {
    let get = |name: &str| environment.get(name);
    let depth = Depth::detect(get("COLORTERM"), get("TERM"), get("NO_COLOR"));
    let ascii = match config.ui.ascii {
        Choice::Auto => !environment.is_unicode(),
        Choice::Always => true,
        Choice::Never => false,
    };
    let glyphs = if ascii { Glyphs::ASCII } else { Glyphs::UNICODE };
    let theme = user::theme(&config.ui.theme, environment)?.with_depth(depth).with_glyphs(glyphs);
    let keymap = user::keymap(&config.ui.keymap, environment)?;
    let multiplexer = match (get("TMUX"), get("STY")) {
        (Some(_), _) => Multiplexer::Tmux,
        (None, Some(_)) => Multiplexer::Screen,
        (None, None) => Multiplexer::None,
    };
    Ok(Opening {
        session,
        accounts,
        config: Arc::new(config),
        keymap: Arc::new(keymap),
        theme: Arc::new(theme),
        clock,
        multiplexer,
        probe: None,
    })
}

fn read_only(environment: &Environment) -> bool {
    environment.get("OPSDECK_READ_ONLY").is_some_and(|value| !value.is_empty() && value != "0")
}

fn exit(ending: Result<Ending, console::CannotOpen>) -> Result<Exit, Problem> {
    match ending {
        Ok(Ending::Quit) => Ok(Exit::Done),
        Ok(Ending::Signal(_) | Ending::Lost) => Ok(Exit::Other),
        Err(error @ console::CannotOpen::NoTerminal) => Err(Problem::usage(error.to_string()).hint(
            "the verbs work without one: opsdeck services, opsdeck logs NAME; opsdeck --help lists them",
        )),
        Err(error @ console::CannotOpen::Terminal(_)) => Err(Problem::new(Exit::Other, error.to_string())),
    }
}
