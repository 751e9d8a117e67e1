//! The lists of a scope that need no describing: what each asks first, and how often.
//!
//! Must keep what an account does not use cheap: an empty list was one call, and then rests.

use std::time::Duration;

use crate::app::refresh::Closeness;
use crate::domain::query::Query;
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// How many pages of CloudTrail's newest writes are read a minute, 50 events each: of the two requests a second
/// that an account and region have, a twenty-fourth.
const TRAIL_PAGES: usize = 5;

/// So many of CloudTrail's events that is.
pub const TRAIL: usize = TRAIL_PAGES * 50;

/// A list of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Watch {
    /// Alarms of all kinds.
    Alarms,
    /// What all alarms did in the last day.
    Flips,
    /// Database instances.
    Instances,
    /// Database clusters.
    DbClusters,
    /// RDS's events of the last day.
    DbEvents,
    /// RDS's pending maintenance.
    Maintenance,
    /// Replication groups.
    CacheGroups,
    /// Cache clusters.
    CacheNodes,
    /// ElastiCache's events of the last day.
    CacheEvents,
    /// Secrets.
    Secrets,
    /// Parameters of SSM.
    Stored,
    /// Bounds of services.
    Targets,
    /// What scaling did.
    Activities,
    /// CloudTrail's newest writes.
    Trail,
}

/// After this long a resource type that the account does not use is looked for again.
const UNUSED: Duration = Duration::from_secs(15 * 60);

const DAY: Duration = Duration::from_secs(86_400);

impl Watch {
    /// Its first request.
    #[must_use]
    pub fn first(self, scope: &Scope, now: Wall) -> Query {
        let scope = scope.clone();
        let page = None;
        // Whole minutes, so that pages of one reading ask for the same time.
        let from = Wall(now.minus(DAY).0.div_euclid(60_000) * 60_000);
        match self {
            Self::Alarms => Query::DescribeAlarms { scope, state: None, page },
            Self::Flips => Query::DescribeAlarmHistory { scope, alarm: None, from, page },
            Self::Instances => Query::DescribeDbInstances { scope, page },
            Self::DbClusters => Query::DescribeDbClusters { scope, page },
            Self::DbEvents => Query::DescribeDbEvents { scope, from, page },
            Self::Maintenance => Query::DescribePendingMaintenance { scope, page },
            Self::CacheGroups => Query::DescribeReplicationGroups { scope, page },
            Self::CacheNodes => Query::DescribeCacheClusters { scope, page },
            Self::CacheEvents => Query::DescribeCacheEvents { scope, from, page },
            Self::Secrets => Query::ListSecrets { scope, page },
            Self::Stored => Query::DescribeParameters { scope, page },
            Self::Targets => Query::DescribeScalableTargets { scope, page },
            Self::Activities => Query::DescribeScalingActivities { scope, resource: None, page },
            Self::Trail => Query::LookupEvents { scope, source: String::new(), from, page },
        }
    }

    /// Whether it only tells what happened: nothing is judged by it.
    #[must_use]
    pub fn is_past(self) -> bool {
        matches!(self, Self::Flips | Self::Activities | Self::Trail | Self::Stored)
    }

    /// How many of its pages are read: of what is listed newest first without an end, the first ones do.
    #[must_use]
    pub fn pages(self) -> usize {
        match self {
            Self::Trail => TRAIL_PAGES,
            Self::Activities => 1,
            _ => usize::MAX,
        }
    }

    /// Time between the end of one reading and the next.
    #[must_use]
    pub fn interval(self, closeness: Closeness, is_empty: bool) -> Duration {
        let is_inventory = !matches!(
            self,
            Self::Flips
                | Self::DbEvents
                | Self::CacheEvents
                | Self::Maintenance
                | Self::Activities
                | Self::Trail
        );
        if is_empty && is_inventory {
            return UNUSED;
        }
        Duration::from_secs(match (self, closeness) {
            // DescribeAlarms has 9 requests a second, which ECS's own deployment alarms share.
            (Self::Alarms, Closeness::Focused | Closeness::Visible) => 30,
            (Self::Instances, Closeness::Focused) => 15,
            (Self::Maintenance, _) => 900,
            (Self::Targets, _) => 300,
            _ => 60,
        })
    }
}
