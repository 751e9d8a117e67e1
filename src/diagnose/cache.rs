//! What an ElastiCache group's or cluster's status, numbers and settings mean.
//!
//! Must not judge a cluster that belongs to a group: the group is judged, with its nodes.

use std::collections::BTreeMap;

use super::{Finding, Severity, Subject};
use crate::domain::cache::{CacheCluster, CacheId, ReplicationGroup};
use crate::domain::database::DataEvent;
use crate::stdx::clock::Wall;

/// A replication group, or a cluster that stands alone (memcached).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache<'a> {
    /// A replication group.
    Group(&'a ReplicationGroup),
    /// A cluster without a group.
    Cluster(&'a CacheCluster),
}

impl<'a> Cache<'a> {
    /// Which one.
    #[must_use]
    pub fn id(self) -> &'a CacheId {
        match self {
            Self::Group(group) => &group.id,
            Self::Cluster(cluster) => &cluster.id,
        }
    }

    /// What a finding about it is about.
    #[must_use]
    pub fn subject(self) -> Subject {
        Subject::Cache(self.id().clone())
    }
}

/// What is known about one cache besides its description. What was not read stays empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CacheFacts<'a> {
    /// By node (the cache cluster's id), the newest number of each metric in CloudWatch's units.
    pub metrics: BTreeMap<String, BTreeMap<String, f64>>,
    /// The cache clusters of the scope; those of the group are picked by name.
    pub clusters: &'a [CacheCluster],
    /// Events of the whole scope; those of this cache are picked by name.
    pub events: &'a [DataEvent],
    /// Whether it is production, by the configuration.
    pub production: bool,
}

/// How bad a status of a group, shard, cluster or node is; a word that is new to us is a warning.
#[must_use]
pub fn severity_of_status(status: &str) -> Severity {
    let _ = status;
    Severity::Warning
}

/// All that is wrong with a cache, the worst first.
#[must_use]
pub fn cache_findings(cache: Cache<'_>, facts: &CacheFacts<'_>, now: Wall) -> Vec<Finding> {
    let _ = (cache, facts, now);
    Vec::new()
}
