//! `sim`: the simulator alone, until Ctrl-C; and what `sim` and `demo` say about its world.
//!
//! Must not ask AWS, nor listen where others can reach it unless told so.

use std::net::SocketAddr;
use std::time::Duration;

use crate::cli::exit::{Exit, Problem};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::verb::End;
use crate::sim::{NamedIncident, SimConfig, SimError, Stack};
use crate::stdx::clock::Clock;
use crate::stdx::text::count;

/// The world that the flags of `sim` and `demo` describe; flags that a verb does not have stay at their
/// default.
///
/// # Errors
/// When a flag's value is wrong.
pub fn world(request: &Request) -> Result<SimConfig, Problem> {
    let default = SimConfig::default();
    let seed = request.number("seed").unwrap_or(default.seed);
    let faults = request.all("fault").iter().map(|text| {
        text.parse().map_err(|bad| {
            Problem::usage(format!("{bad}")).hint("for example --fault 'ecs:*:throttle,share=0.2'")
        })
    });
    let stacks = stacks(request, seed)?;
    Ok(SimConfig {
        seed,
        incident: incident(request, &stacks)?,
        stacks,
        throttle: !request.is_on("no-throttle"),
        verify_signatures: request.is_on("verify-signatures"),
        faults: faults.collect::<Result<_, _>>()?,
        delay: request.span("delay").unwrap_or(Duration::ZERO),
        listen: match request.text("listen") {
            None => default.listen,
            Some(text) => text.parse::<SocketAddr>().map_err(|_| {
                Problem::usage(format!("`{text}` is not an address with a port"))
                    .hint("for example 127.0.0.1:4566, or 127.0.0.1:0 for any free port")
            })?,
        },
        allow_remote: request.is_on("allow-remote"),
        ..default
    })
}

/// The incident that `--incident` names. Its stack must be one of those that are played.
fn incident(request: &Request, stacks: &[Stack]) -> Result<Option<NamedIncident>, Problem> {
    let Some(name) = request.text("incident") else { return Ok(None) };
    let known = || NamedIncident::builtins().collect::<Vec<_>>().join(", ");
    let incident = match NamedIncident::builtin(name) {
        Some(incident) => incident.map_err(|error| Problem::new(Exit::Other, error.to_string()))?,
        None => {
            return Err(Problem::usage(format!("there is no incident `{name}`"))
                .hint(format!("there are {}", known())));
        }
    };
    if !stacks.iter().any(|stack| stack.name == incident.stack) {
        return Err(Problem::usage(format!("{name} happens in the stack {}", incident.stack))
            .hint(format!("leave the stack out, or write {}", incident.stack)));
    }
    Ok(Some(incident))
}

fn stacks(request: &Request, seed: u64) -> Result<Vec<Stack>, Problem> {
    // Shipped stacks are held valid by a test; an error here is still told rather than hidden.
    let broken = |error: &dyn std::fmt::Display| Problem::new(Exit::Other, error.to_string());
    if let Some(services) = request.number("services") {
        if request.text("STACK").is_some_and(|name| name != "all") {
            return Err(Problem::usage("a stack and --services exclude each other"));
        }
        let services = usize::try_from(services).unwrap_or(usize::MAX);
        return Ok(vec![Stack::fleet(services, seed).map_err(|error| Problem::usage(error.to_string()))?]);
    }
    match request.text("STACK") {
        None | Some("all") => Stack::builtins()
            .filter_map(Stack::builtin)
            .collect::<Result<_, _>>()
            .map_err(|error| broken(&error)),
        Some(name) => match Stack::builtin(name) {
            Some(stack) => Ok(vec![stack.map_err(|error| broken(&error))?]),
            None => Err(Problem::usage(format!("there is no stack `{name}`"))),
        },
    }
}

/// The clock that `--speed` asks for. Must be called on the tokio runtime.
///
/// # Errors
/// When time would stand still.
pub fn clock(request: &Request) -> Result<Clock, Problem> {
    match request.number("speed") {
        None | Some(1) => Ok(Clock::system()),
        Some(0) => Err(Problem::usage("--speed 0 would stop the world").hint("write 1 or more")),
        Some(speed) => {
            let speed = u32::try_from(speed).unwrap_or(u32::MAX);
            Ok(Clock::steered(Clock::system().now().wall, f64::from(speed)))
        }
    }
}

impl From<SimError> for Problem {
    fn from(error: SimError) -> Self {
        let hint = match &error {
            SimError::Remote(_) => "--allow-remote allows it",
            SimError::Listen { .. } => "--listen 127.0.0.1:0 takes any free port",
        };
        Self::usage(error.to_string()).hint(hint)
    }
}

/// Performs `sim`.
///
/// # Errors
/// When a flag is wrong, the address cannot be had, or stdout cannot be written to.
pub async fn run(request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let config = world(request)?;
    let secret = config.secret_access_key.clone();
    let services = config.stacks.iter().map(|stack| stack.services.len()).sum();
    let mut regions: Vec<String> = Vec::new();
    for stack in &config.stacks {
        let region = stack.region.to_string();
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    let about = format!("{}, {}", count(config.stacks.len(), "stack"), count(services, "service"));
    let sim = crate::sim::start(config, clock(request)?).await.map_err(Problem::from)?;
    let region = regions.first().map_or("us-east-1", String::as_str);
    printer.lines(&[
        format!("# {about} in {}", regions.join(", ")),
        format!("export AWS_ENDPOINT_URL={}", sim.url()),
        "export AWS_ACCESS_KEY_ID=simulator".to_owned(),
        format!("export AWS_SECRET_ACCESS_KEY={secret}"),
        format!("export AWS_REGION={region}"),
        "# Ctrl-C ends the simulator".to_owned(),
    ])?;
    printer.flush()?;
    ended().await.map_err(|error| Problem::new(Exit::Other, format!("cannot wait for signals: {error}")))?;
    sim.shutdown().await;
    Ok(Exit::Done)
}

/// Until somebody ends us.
async fn ended() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
