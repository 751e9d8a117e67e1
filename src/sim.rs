//! The embedded AWS simulator: a server on loopback that speaks the real wire protocols over a seeded world.
//!
//! It knows AWS, not opsdeck: of this crate it imports `stdx` alone, so that it stays an independent judge.

mod autoscaling;
mod cloudtrail;
mod cloudwatch;
pub mod control;
mod ecr;
mod ecs;
mod elasticache;
mod elbv2;
pub mod fault;
mod iam;
pub mod incidents;
pub mod logs;
mod query;
mod rds;
pub mod reply;
mod route;
mod secretsmanager;
mod server;
mod sigv4;
mod ssm;
pub mod stack;
mod sts;
mod throttle;
pub mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use control::Control;
pub use incidents::NamedIncident;
pub use stack::Stack;

use crate::stdx::clock::Clock;
use fault::{Faults, Rule};
use server::Shared;
use world::World;

/// What to simulate, and how.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// All chance follows from it.
    pub seed: u64,
    /// The systems that exist.
    pub stacks: Vec<Stack>,
    /// What has gone wrong or will, beside what the stacks say; it takes the place of their time lines.
    pub incident: Option<NamedIncident>,
    /// Whether the documented throttle buckets are in force.
    pub throttle: bool,
    /// Whether reads may lag behind writes by some hundred milliseconds.
    pub lag: bool,
    /// Whether signatures must be made with `secret_access_key`; any credentials are accepted otherwise.
    pub verify_signatures: bool,
    /// The secret that verified signatures must be made with.
    pub secret_access_key: String,
    /// Faults from the start on.
    pub faults: Vec<Rule>,
    /// Added to every answer.
    pub delay: Duration,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whether an address that others can reach is allowed. The simulator has no access control.
    pub allow_remote: bool,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            stacks: Vec::new(),
            incident: None,
            throttle: true,
            lag: true,
            verify_signatures: false,
            secret_access_key: "simulator".to_owned(),
            faults: Vec::new(),
            delay: Duration::ZERO,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
        }
    }
}

/// Why the simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The address is not loopback.
    #[error(
        "{0} can be reached from other machines, and the simulator has no access control: listen on 127.0.0.1, or allow it explicitly"
    )]
    Remote(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A running simulator. It ends when this is dropped.
pub struct Sim {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// Starts a simulator on the current tokio runtime.
///
/// # Errors
/// When the address is refused or cannot be had.
pub async fn start(config: SimConfig, clock: Clock) -> Result<Sim, SimError> {
    if !config.listen.ip().is_loopback() && !config.allow_remote {
        return Err(SimError::Remote(config.listen));
    }
    let refused = |source| SimError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let mut world =
        World::with_incident(config.stacks, config.seed, clock.now().wall, config.incident.as_ref());
    world.lag = config.lag;
    let mut shared = Shared::new(clock, world, Faults::new(config.seed, config.faults));
    shared.delay = config.delay;
    shared.throttle = config.throttle;
    shared.secret = config.verify_signatures.then_some(config.secret_access_key);
    let shared = Arc::new(shared);
    let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
    Ok(Sim { address, shared, server })
}

impl Sim {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its endpoint URL, for every service.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Handles on it.
    #[must_use]
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.shared))
    }

    /// Ends it: all connections are closed when this returns.
    pub async fn shutdown(mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[cfg(test)]
mod tests;
