//! What an RDS instance's or cluster's status, numbers and settings mean for somebody who was just woken.
//!
//! Must not ask AWS, and must not know which databases exist: it judges one at a time, on facts it is given.

mod connections;
#[cfg(test)]
pub(super) mod fixtures;
mod formula;
mod rules;
mod status;
mod storage;
mod window;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::Subject;
use crate::domain::database::{DataEvent, DatabaseId, DbCluster, DbInstance, Maintenance, Parameter};
use crate::stdx::clock::Wall;

pub use connections::{
    Demand, Limit, PoolDemand, class_memory_gib, class_vcpus, max_connections, pool_demand,
};
pub use rules::database_findings;
pub use status::{is_up, severity_of_status, status_meaning};
pub use storage::{StorageOutlook, storage_outlook};
pub use window::in_window;

/// An instance or a cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Database<'a> {
    /// An instance.
    Instance(&'a DbInstance),
    /// A cluster.
    Cluster(&'a DbCluster),
}

impl<'a> Database<'a> {
    /// Which one.
    #[must_use]
    pub fn id(self) -> &'a DatabaseId {
        match self {
            Self::Instance(instance) => &instance.id,
            Self::Cluster(cluster) => &cluster.id,
        }
    }

    /// What a finding about it is about.
    #[must_use]
    pub fn subject(self) -> Subject {
        Subject::Database(self.id().clone())
    }
}

/// What the operators declared about a database, since AWS cannot know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// How much data may be lost: the recovery point objective.
    pub rpo: Option<Duration>,
    /// The services that use it, with their connection pools.
    pub pools: Vec<Pool>,
}

/// The connections that each task of a service may open to a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// `CLUSTER/SERVICE`, or `SERVICE` where one of that name exists.
    pub service: String,
    /// The most connections of one task.
    pub connections: u32,
    /// The most tasks, where Application Auto Scaling does not bound the service.
    pub max_tasks: Option<u32>,
}

/// What is known about one database besides its description. What was not read stays empty, and no rule that
/// needs it speaks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatabaseFacts<'a> {
    /// The newest number of each metric, in CloudWatch's units: `FreeStorageSpace` in bytes, `ReplicaLag` in
    /// seconds, `AuroraReplicaLag` in milliseconds, `CPUUtilization` in percent, …
    pub metrics: BTreeMap<String, f64>,
    /// `FreeStorageSpace` of the last 24 h, oldest first, in bytes.
    pub free_storage: &'a [(Wall, f64)],
    /// The parameters of its parameter group, where they were readable.
    pub parameters: &'a [Parameter],
    /// Pending maintenance of the whole scope; those of this database are picked by ARN.
    pub maintenance: &'a [Maintenance],
    /// Events of the whole scope; those of this database are picked by name.
    pub events: &'a [DataEvent],
    /// What the configuration declares about it.
    pub declared: Option<&'a Declared>,
    /// What the pools of its services may ask for, by `pool_demand`.
    pub demand: Option<Demand>,
    /// Whether it is production, by the configuration.
    pub production: bool,
}
