//! How many connections a database takes, and how many its services may open.
//!
//! Must not present an estimate as a fact: a limit says whether it was estimated.

use serde::Serialize;

use super::Declared;
use crate::domain::database::{DbInstance, Parameter};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::scaling::ScalableTarget;

/// The most connections that a database takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// The number.
    pub value: u32,
    /// Whether it was computed from the class's nominal memory: write `≈` before it.
    pub estimated: bool,
}

/// What the pools of a database's services may ask for at full scale-out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Demand {
    /// All pools together.
    pub connections: u32,
    /// Each pool.
    pub pools: Vec<PoolDemand>,
    /// Declared services that were not found.
    pub missing: Vec<String>,
}

/// What one service may ask for at full scale-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PoolDemand {
    /// The service.
    pub service: ServiceId,
    /// The most tasks.
    pub tasks: u32,
    /// Connections of one task.
    pub per_task: u32,
    /// What bounds the tasks: `autoscaling`, `declared`, `desired count`.
    pub bound: &'static str,
}

/// The limit of an instance: from the parameter `max_connections` when it is readable, its formula evaluated over
/// the class's memory, else from the engine's default formula. `None` for an engine or class that is not known.
#[must_use]
pub fn max_connections(instance: &DbInstance, parameters: &[Parameter]) -> Option<Limit> {
    let _ = (instance, parameters);
    None
}

/// What the declared pools may ask for: the upper bound of autoscaling, else the declared maximum, else the
/// desired count, times the pool. `None` when no pool is declared.
#[must_use]
pub fn pool_demand<'a>(
    declared: &Declared,
    services: impl IntoIterator<Item = &'a Service>,
    targets: &[ScalableTarget],
) -> Option<Demand> {
    let _ = (declared, services, targets);
    None
}

/// The nominal memory of an instance class in GiB, such as 16 for `db.r6g.large`.
#[must_use]
pub fn class_memory_gib(class: &str) -> Option<f64> {
    let _ = class;
    None
}

/// The vCPUs of an instance class, such as 2 for `db.r6g.large`.
#[must_use]
pub fn class_vcpus(class: &str) -> Option<u32> {
    let _ = class;
    None
}
