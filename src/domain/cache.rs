//! ElastiCache: replication groups and nodes, as ElastiCache describes them.
//!
//! Must not judge; `diagnose` does.

use serde::{Deserialize, Serialize};

use crate::domain::database::Endpoint;
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// A replication group, or a cluster that stands alone, by scope and id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CacheId {
    /// Where.
    pub scope: Scope,
    /// `ReplicationGroupId` or `CacheClusterId`.
    pub name: String,
}

/// A replication group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplicationGroup {
    /// Identity.
    pub id: CacheId,
    /// ARN.
    pub arn: String,
    /// What its owners wrote.
    pub description: Option<String>,
    /// `available`, `modifying`, `snapshotting`, …
    pub status: String,
    /// `redis`, `valkey`.
    pub engine: Option<String>,
    /// `cache.t4g.micro`, …
    pub node_type: Option<String>,
    /// Whether it is sharded.
    pub cluster_mode: bool,
    /// `enabled`, `disabled`, `enabling`, `disabling`.
    pub automatic_failover: Option<String>,
    /// `enabled`, `disabled`.
    pub multi_az: Option<String>,
    /// Shards.
    pub shards: Vec<Shard>,
    /// Where clients connect.
    pub endpoint: Option<Endpoint>,
    /// Days that snapshots are kept; 0 means none.
    pub snapshot_retention_days: u32,
    /// `hh:mm-hh:mm` UTC.
    pub snapshot_window: Option<String>,
    /// Encrypted on the wire.
    pub transit_encryption: bool,
    /// Encrypted at rest.
    pub at_rest_encryption: bool,
    /// Clients must give a token.
    pub auth_token: bool,
    /// Changes that wait: name and value.
    pub pending: Vec<(String, String)>,
    /// Created.
    pub created_at: Option<Wall>,
}

/// A shard of a replication group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shard {
    /// `0001`, …
    pub id: String,
    /// Its status.
    pub status: String,
    /// Its nodes.
    pub members: Vec<ShardMember>,
}

/// A node of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardMember {
    /// The cache cluster's id, by which metrics go.
    pub cluster: String,
    /// The node's id.
    pub node: String,
    /// Zone.
    pub zone: Option<String>,
    /// `primary`, `replica`; only without cluster mode.
    pub role: Option<String>,
}

/// A cache cluster: a node of a replication group, or memcached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CacheCluster {
    /// Identity.
    pub id: CacheId,
    /// ARN.
    pub arn: String,
    /// `available`, `rebooting cluster nodes`, …
    pub status: String,
    /// Engine.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// Class.
    pub node_type: String,
    /// Nodes in it.
    pub nodes: Vec<CacheNode>,
    /// The replication group that it belongs to.
    pub group: Option<String>,
    /// Zone, or `Multiple`.
    pub zone: Option<String>,
    /// `ddd:hh:mm-ddd:hh:mm` UTC.
    pub maintenance_window: Option<String>,
    /// Parameter group: name and whether it is in force.
    pub parameter_group: Option<(String, String)>,
    /// VPC security groups.
    pub security_groups: Vec<String>,
    /// Created.
    pub created_at: Option<Wall>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CacheNode {
    /// `0001`, …
    pub id: String,
    /// Status.
    pub status: String,
    /// Where clients connect.
    pub endpoint: Option<Endpoint>,
    /// Zone.
    pub zone: Option<String>,
}
