//! RDS: instances, clusters, their events, maintenance, parameters and log files, as RDS describes them.
//!
//! Statuses stay strings: RDS's list of them grows. Must not judge; `diagnose` does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// How long RDS and ElastiCache keep events.
pub const EVENTS_KEPT: Duration = Duration::from_secs(14 * 24 * 3_600);

/// A database instance or cluster by scope and identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DatabaseId {
    /// Where.
    pub scope: Scope,
    /// `DBInstanceIdentifier` or `DBClusterIdentifier`.
    pub name: String,
    /// Whether it is a cluster.
    pub cluster: bool,
}

/// A host and port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// A parameter group and whether what it says is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParameterGroup {
    /// Name.
    pub name: String,
    /// `in-sync`, `applying`, `pending-reboot`, `failed-to-apply`, …
    pub status: String,
}

/// A database instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DbInstance {
    /// Identity.
    pub id: DatabaseId,
    /// ARN.
    pub arn: String,
    /// `available`, `storage-full`, …
    pub status: String,
    /// `db.r6g.large`, …
    pub class: String,
    /// `postgres`, `mysql`, `aurora-postgresql`, …
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// Where clients connect; absent while it is created.
    pub endpoint: Option<Endpoint>,
    /// Whether a standby is kept in another zone.
    pub multi_az: bool,
    /// Zone of the primary.
    pub zone: Option<String>,
    /// Zone of the standby.
    pub secondary_zone: Option<String>,
    /// GiB allocated.
    pub allocated_gib: u32,
    /// GiB up to which storage grows by itself.
    pub max_allocated_gib: Option<u32>,
    /// `gp3`, …
    pub storage_type: Option<String>,
    /// Provisioned IOPS.
    pub iops: Option<u32>,
    /// The Aurora or Multi-AZ cluster that it belongs to.
    pub cluster: Option<String>,
    /// The instance that it replicates, by identifier or ARN.
    pub source: Option<String>,
    /// Its replicas.
    pub replicas: Vec<String>,
    /// Replication and other status: type, status, message.
    pub status_infos: Vec<StatusInfo>,
    /// Changes that wait for the window or a reboot: name and value. Passwords never appear here.
    pub pending: Vec<(String, String)>,
    /// Parameter groups.
    pub parameter_groups: Vec<ParameterGroup>,
    /// `hh:mm-hh:mm` UTC.
    pub backup_window: Option<String>,
    /// `ddd:hh:mm-ddd:hh:mm` UTC.
    pub maintenance_window: Option<String>,
    /// Days that automated backups are kept; 0 means none, and no point-in-time recovery.
    pub backup_retention_days: u32,
    /// Newest instant that can be restored.
    pub latest_restorable: Option<Wall>,
    /// Whether it is protected against deletion.
    pub deletion_protection: bool,
    /// Whether its storage is encrypted.
    pub encrypted: bool,
    /// Whether it has a public address.
    pub public: bool,
    /// The certificate authority.
    pub ca: Option<String>,
    /// Until when its certificate is valid.
    pub certificate_valid_till: Option<Wall>,
    /// Whether Performance Insights (Database Insights) is on.
    pub performance_insights: bool,
    /// ARN of the secret that RDS manages for the master user, and its status.
    pub master_secret: Option<(String, String)>,
    /// Which logs go to CloudWatch.
    pub exported_logs: Vec<String>,
    /// Failover priority in a cluster.
    pub promotion_tier: Option<u32>,
    /// VPC security groups.
    pub security_groups: Vec<String>,
    /// When a stopped instance starts by itself.
    pub restarts_at: Option<Wall>,
    /// Created.
    pub created_at: Option<Wall>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// One of an instance's `StatusInfos`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusInfo {
    /// `read replication`, …
    pub kind: String,
    /// Whether it is as it should be.
    pub normal: bool,
    /// `replicating`, `error`, `stopped`, `terminated`.
    pub status: String,
    /// More.
    pub message: Option<String>,
}

/// A database cluster (Aurora, or Multi-AZ with two readers).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DbCluster {
    /// Identity.
    pub id: DatabaseId,
    /// ARN.
    pub arn: String,
    /// `available`, `failing-over`, …
    pub status: String,
    /// Engine.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// Writer endpoint.
    pub endpoint: Option<Endpoint>,
    /// Reader endpoint's host.
    pub reader: Option<String>,
    /// Members.
    pub members: Vec<ClusterMember>,
    /// Whether instances stand in several zones.
    pub multi_az: bool,
    /// `hh:mm-hh:mm` UTC.
    pub backup_window: Option<String>,
    /// `ddd:hh:mm-ddd:hh:mm` UTC.
    pub maintenance_window: Option<String>,
    /// Days that backups are kept.
    pub backup_retention_days: u32,
    /// Newest instant that can be restored.
    pub latest_restorable: Option<Wall>,
    /// Whether it is protected against deletion.
    pub deletion_protection: bool,
    /// Whether its storage is encrypted.
    pub encrypted: bool,
    /// Created.
    pub created_at: Option<Wall>,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// A member of a database cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterMember {
    /// The instance.
    pub instance: String,
    /// Whether it is the writer.
    pub writer: bool,
    /// Failover priority, 0 first.
    pub promotion_tier: Option<u32>,
}

/// An event of an instance, cluster, cache or anything else that RDS or ElastiCache reports on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DataEvent {
    /// The identifier of what it is about.
    pub source: String,
    /// `db-instance`, `db-cluster`, `replication-group`, …
    pub source_type: String,
    /// When.
    pub at: Wall,
    /// AWS's sentence.
    pub message: String,
    /// `failover`, `low storage`, …; ElastiCache gives none.
    pub categories: Vec<String>,
}

/// A maintenance action that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Maintenance {
    /// ARN of the instance or cluster.
    pub resource: String,
    /// `system-update`, `ca-certificate-rotation`, `db-upgrade`, …
    pub action: String,
    /// AWS's sentence.
    pub description: Option<String>,
    /// From then on it is applied in the next window.
    pub auto_after: Option<Wall>,
    /// Then it is applied in any case.
    pub forced_at: Option<Wall>,
    /// When it will happen, as far as RDS knows.
    pub current_apply: Option<Wall>,
    /// `immediate`, `next-maintenance`, `undo-opt-in`.
    pub opted_in: Option<String>,
}

/// A parameter of a parameter group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Value; a formula such as `LEAST({DBInstanceClassMemory/9531392},5000)` when it follows the class.
    pub value: Option<String>,
    /// `user`, `system`, `engine-default`.
    pub source: Option<String>,
    /// `static`, `dynamic`.
    pub apply_type: Option<String>,
}

/// A snapshot of an instance or a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DbSnapshot {
    /// Name.
    pub name: String,
    /// `creating`, `available`, `failed`, …
    pub status: String,
    /// How far it is, in percent.
    pub percent: u32,
}

/// A log file on the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DbLogFile {
    /// Name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Last written.
    pub written_at: Option<Wall>,
}
