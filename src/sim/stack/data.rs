//! Databases, database clusters and caches of a stack, and the classes that they run on.
//!
//! Facts only: what a reboot or a failover does is the world's business.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::Span;

/// A service that uses a database or a cache.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// The service's name.
    pub service: String,
    /// Connections that each of its tasks may open: pool and overflow together.
    pub pool: u32,
}

/// A pending maintenance action.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// `system-update`, `db-upgrade`, `ca-certificate-rotation` or `hardware-maintenance`.
    pub action: String,
    /// AWS's description.
    pub description: String,
    /// It is applied in the first maintenance window after so long.
    #[serde(default)]
    pub auto_applied_in: Option<Span>,
    /// It is applied after so long, window or not.
    #[serde(default)]
    pub forced_in: Option<Span>,
}

/// An RDS DB instance.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `DBInstanceIdentifier`.
    pub name: String,
    /// `Endpoint.Address`.
    pub endpoint: String,
    /// `postgres` or `aurora-postgresql`.
    #[serde(default = "postgres")]
    pub engine: String,
    /// `EngineVersion`, such as `16.4`.
    pub version: String,
    /// `DBInstanceClass`.
    pub class: String,
    /// Whether a standby waits in `secondary_zone`.
    #[serde(default)]
    pub multi_az: bool,
    /// Availability zone.
    pub zone: String,
    /// The standby's zone.
    #[serde(default)]
    pub secondary_zone: Option<String>,
    /// `AllocatedStorage` in GiB.
    pub storage: u32,
    /// `MaxAllocatedStorage` in GiB: storage autoscaling is on when given.
    #[serde(default)]
    pub max_storage: Option<u32>,
    /// `StorageType`.
    #[serde(default = "gp3")]
    pub storage_type: String,
    /// GiB in use at the start.
    pub used: f64,
    /// GiB by which that grows each day.
    #[serde(default)]
    pub growth: f64,
    /// Days that backups are kept; 0 means none, and no point-in-time restore.
    #[serde(default)]
    pub retention: u32,
    /// `PreferredBackupWindow`, `hh:mm-hh:mm` in UTC.
    pub backup_window: String,
    /// `PreferredMaintenanceWindow`, `ddd:hh:mm-ddd:hh:mm` in UTC.
    pub maintenance_window: String,
    /// `DBName`.
    pub db_name: String,
    /// `MasterUsername`.
    pub user: String,
    /// The instance that it is a read replica of.
    #[serde(default)]
    pub replica_of: Option<String>,
    /// The cluster that it is a member of.
    #[serde(default)]
    pub cluster: Option<String>,
    /// Its parameter group; AWS's default one of the engine's version when left out.
    #[serde(default)]
    pub parameter_group: Option<String>,
    /// What is set in that group.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Whether a change in the group waits for a reboot.
    #[serde(default)]
    pub parameters_pending: bool,
    /// Deletion protection.
    #[serde(default)]
    pub deletion_protection: bool,
    /// Encryption at rest.
    #[serde(default = "yes")]
    pub encrypted: bool,
    /// Performance Insights, and with it `DBLoad`.
    #[serde(default)]
    pub insights: bool,
    /// Interval of enhanced monitoring in seconds; 0 means off.
    #[serde(default)]
    pub monitoring: u32,
    /// How long it has existed.
    pub age: Span,
    /// How long its server certificate is still valid.
    #[serde(default = "three_hundred_days")]
    pub certificate: Span,
    /// Pending maintenance.
    #[serde(default)]
    pub maintenance: Vec<Maintenance>,
    /// Names of security groups.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// Who uses it.
    #[serde(default)]
    pub used_by: Vec<Use>,
    /// Share of its CPU that full load takes, 0 to 1.
    #[serde(default = "a_third")]
    pub busy: f64,
    /// Statements that turn up in its slow-query log.
    #[serde(default)]
    pub statements: Vec<String>,
}

/// An Aurora cluster; its members are databases that name it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseCluster {
    /// `DBClusterIdentifier`.
    pub name: String,
    /// `Endpoint`.
    pub endpoint: String,
    /// `ReaderEndpoint`.
    pub reader_endpoint: String,
    /// The member that writes at the start.
    pub writer: String,
    /// Days that backups are kept.
    pub retention: u32,
    /// `PreferredBackupWindow`.
    pub backup_window: String,
    /// `PreferredMaintenanceWindow`.
    pub maintenance_window: String,
    /// How long it has existed.
    pub age: Span,
    /// Deletion protection.
    #[serde(default)]
    pub deletion_protection: bool,
}

/// An ElastiCache cluster for Redis, alone or as a replication group; cluster mode is disabled.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Id of the replication group, or of the one cluster.
    pub name: String,
    /// Whether there is a replication group, or a cluster of one node alone.
    #[serde(default)]
    pub replication_group: bool,
    /// `Description` of the group.
    #[serde(default)]
    pub description: String,
    /// The address that clients connect to: the primary endpoint of a group, the node's of a single cluster.
    pub endpoint: String,
    /// `redis` or `valkey`.
    #[serde(default = "redis")]
    pub engine: String,
    /// `EngineVersion`.
    pub version: String,
    /// `CacheNodeType`.
    pub node_type: String,
    /// The zone of each node, the primary's first.
    pub zones: Vec<String>,
    /// Automatic failover.
    #[serde(default)]
    pub automatic_failover: bool,
    /// Multi-AZ.
    #[serde(default)]
    pub multi_az: bool,
    /// Encryption in transit.
    #[serde(default)]
    pub transit_encryption: bool,
    /// Encryption at rest.
    #[serde(default)]
    pub rest_encryption: bool,
    /// Whether clients need a token.
    #[serde(default)]
    pub auth: bool,
    /// Days that snapshots are kept; 0 means none.
    #[serde(default)]
    pub snapshot_retention: u32,
    /// `SnapshotWindow`.
    #[serde(default = "at_night")]
    pub snapshot_window: String,
    /// `PreferredMaintenanceWindow`.
    pub maintenance_window: String,
    /// How long it has existed.
    pub age: Span,
    /// Names of security groups.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// Who uses it.
    #[serde(default)]
    pub used_by: Vec<Use>,
    /// Share of its memory that data takes at the start, 0 to 1.
    #[serde(default = "a_third")]
    pub filled: f64,
    /// Share of its CPU that full load takes, 0 to 1.
    #[serde(default = "a_tenth")]
    pub busy: f64,
}

/// What an instance class or a node type offers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// vCPUs.
    pub cpus: f64,
    /// Memory in GiB.
    pub memory: f64,
    /// CPU credits earned an hour, for burstable classes; the most that is kept is a day's worth.
    pub credits: Option<f64>,
}

/// AWS's table, as far as stacks use it: name, vCPUs, GiB, credits an hour (0: not burstable).
const SIZES: [(&str, f64, f64, f64); 20] = [
    ("db.t3.micro", 2.0, 1.0, 12.0),
    ("db.t3.small", 2.0, 2.0, 24.0),
    ("db.t3.medium", 2.0, 4.0, 24.0),
    ("db.t4g.micro", 2.0, 1.0, 12.0),
    ("db.t4g.small", 2.0, 2.0, 24.0),
    ("db.t4g.medium", 2.0, 4.0, 24.0),
    ("db.t4g.large", 2.0, 8.0, 36.0),
    ("db.m6g.large", 2.0, 8.0, 0.0),
    ("db.r6g.large", 2.0, 16.0, 0.0),
    ("db.r6g.xlarge", 4.0, 32.0, 0.0),
    ("cache.t3.micro", 2.0, 0.5, 12.0),
    ("cache.t3.small", 2.0, 1.37, 24.0),
    ("cache.t3.medium", 2.0, 3.09, 24.0),
    ("cache.t4g.micro", 2.0, 0.5, 12.0),
    ("cache.t4g.small", 2.0, 1.37, 24.0),
    ("cache.t4g.medium", 2.0, 3.09, 24.0),
    ("cache.m6g.large", 2.0, 6.38, 0.0),
    ("cache.r6g.large", 2.0, 13.07, 0.0),
    ("cache.r6g.xlarge", 4.0, 26.32, 0.0),
    ("cache.r7g.large", 2.0, 13.07, 0.0),
];

/// What a class offers; `None` for one that is not in the table.
#[must_use]
pub fn size(class: &str) -> Option<Size> {
    SIZES.iter().find(|(name, ..)| *name == class).map(|&(_, cpus, memory, credits)| Size {
        cpus,
        memory,
        credits: (credits > 0.0).then_some(credits),
    })
}

impl Database {
    /// The major version: `16` of `16.4`.
    #[must_use]
    pub fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or(&self.version)
    }

    /// The family of its parameter group, such as `postgres16`.
    #[must_use]
    pub fn family(&self) -> String {
        format!("{}{}", self.engine, self.major())
    }

    /// The name of its parameter group.
    #[must_use]
    pub fn group(&self) -> String {
        self.parameter_group.clone().unwrap_or_else(|| format!("default.{}", self.family()))
    }

    /// The most connections that it takes: its parameter, or what the engine's formula gives for the memory
    /// that is left to the database (about 92 % of the class's).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 5000")]
    pub fn max_connections(&self) -> u32 {
        if let Some(set) = self.parameters.get("max_connections").and_then(|set| set.parse().ok()) {
            return set;
        }
        let memory = size(&self.class).map_or(4.0, |size| size.memory);
        (memory * 0.92 * 1_073_741_824.0 / 9_531_392.0).clamp(1.0, 5_000.0) as u32
    }
}

impl Cache {
    /// The ids of its nodes' clusters.
    pub fn members(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.zones.len()).map(|number| {
            if self.replication_group { format!("{}-{number:03}", self.name) } else { self.name.clone() }
        })
    }
}

/// Minutes after midnight of a window's beginning, `hh:mm-hh:mm`.
#[must_use]
pub fn window_start(window: &str) -> Option<u32> {
    let (begin, _) = window.split_once('-')?;
    let (hour, minute) = begin.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn postgres() -> String {
    "postgres".to_owned()
}

fn redis() -> String {
    "redis".to_owned()
}

fn gp3() -> String {
    "gp3".to_owned()
}

fn at_night() -> String {
    "05:00-06:00".to_owned()
}

fn yes() -> bool {
    true
}

fn a_third() -> f64 {
    0.33
}

fn a_tenth() -> f64 {
    0.1
}

fn three_hundred_days() -> Span {
    Span(Duration::from_secs(300 * 86_400))
}
