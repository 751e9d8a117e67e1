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
use crate::cli::{operate, session, simulator, user};
use crate::cloud::{AccountSettings, Cloud, Settings};
use crate::config::{Choice, Config};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::scope::{Account, Scope};
use crate::runtime::console::{self, Opening};
use crate::runtime::event_loop::{Ending, Multiplexer};
use crate::sim::{self, Sim};
use crate::stdx::clock::Clock;
use crate::theme::{Depth, Glyphs};

/// Opens the console on AWS, or on whatever the endpoint variables name.
///
/// # Errors
/// When flags or files are wrong, or there is no terminal.
pub fn live(request: &Request, environment: &Environment) -> Result<Exit, End> {
    let config = user::config(request, environment)?;
    let accounts = session::accounts(request, environment, &config);
    let regions = session::regions(request, &config)?;
    let settings = session::settings(request, environment, accounts.clone());
    let clock = Clock::system();
    // Nothing slow happens here: the clients are made by the first query.
    let cloud = Cloud::new(settings, clock.clone()).map_err(Problem::from)?;
    let scopes = accounts
        .iter()
        .flat_map(|a| regions.iter().map(|r| Scope { account: a.account.clone(), region: r.clone() }))
        .collect();
    let session = Session {
        scopes,
        clusters: request.all("cluster").to_vec(),
        overrides: cloud.endpoint_overrides(),
        read_only: operate::is_read_only(request, environment),
        rules: Arc::new(operate::rules(environment).unwrap_or_else(|problem| operate::unread(&problem))),
        seed: seed(),
        operator: environment.user(),
        ..Session::empty(env!("CARGO_PKG_VERSION"))
    };
    let accounts = accounts.into_iter().map(|a| a.account).collect();
    runtime()?.block_on(async move {
        let opening = opening(session, accounts, config, environment, clock)?;
        Ok(exit(console::open(opening, std::future::ready(Ok(cloud))).await)?)
    })
}

/// Opens the console on the embedded simulator.
///
/// # Errors
/// When flags or files are wrong, or there is no terminal.
pub fn demo(request: &Request, environment: &Environment) -> Result<Exit, End> {
    let config = user::config(request, environment)?;
    let world = simulator::world(request)?;
    let regions: BTreeSet<String> = world.stacks.iter().map(|stack| stack.region.clone()).collect();
    let account = Account::new("demo");
    let session = Session {
        scopes: regions.into_iter().map(|region| Scope::new(account.clone(), region)).collect(),
        overrides: vec![("all".to_owned(), "loopback".to_owned())],
        demo: true,
        read_only: operate::is_read_only(request, environment),
        rules: Arc::new(operate::rules(environment).unwrap_or_else(|problem| operate::unread(&problem))),
        seed: seed(),
        operator: environment.user(),
        ..Session::empty(env!("CARGO_PKG_VERSION"))
    };
    runtime()?.block_on(async move {
        let clock = simulator::clock(request)?;
        let (theirs, whose) = (clock.clone(), account.clone());
        let connect = async move {
            let started = sim::start(world, theirs.clone()).await;
            let sim = started.map_err(|e| Fault::new(FaultKind::Config, e.to_string()))?;
            let settings = Settings {
                accounts: vec![AccountSettings { account: whose, profile: None }],
                ..Settings::simulator(sim.url())
            };
            keep(sim);
            Cloud::new(settings, theirs)
        };
        let opening = opening(session, vec![account], config, environment, clock)?;
        Ok(exit(console::open(opening, connect).await)?)
    })
}

/// The demo's simulator runs until the process ends: dropping its handle would end it.
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
    let is_demo = session.demo;
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
        clerk: operate::clerk(environment, is_demo),
        multiplexer,
    })
}

/// Another one for each session: names of operations are made from it.
fn seed() -> u64 {
    fastrand::Rng::new().u64(..)
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
