//! How much of an account's request quota we spend: what the header and the API panel show.
//!
//! Counts our own requests only; what others spend cannot be seen.

use crate::domain::fault::Fault;
use crate::domain::scope::Scope;

/// One bucket of requests: AWS throttles per account, region and group of actions.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Where.
    pub scope: Scope,
    /// The group of actions, such as `ecs service read`.
    pub group: String,
    /// Requests sent since start.
    pub sent: u64,
    /// Requests waiting for their turn.
    pub waiting: usize,
    /// How much of our own share is in use, 0 to 100.
    pub used_percent: u8,
    /// Whether AWS throttled it and its rate has not recovered yet.
    pub throttled: bool,
}

/// A reading of all buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meter {
    /// Buckets that were used, busiest first.
    pub shares: Vec<Share>,
    /// Newest faults, newest first, with the action asked for.
    pub faults: Vec<(Scope, Fault)>,
    /// Why the share is not coordinated with other processes of this user, if it is not.
    pub uncoordinated: Option<String>,
}

impl Meter {
    /// The highest use of any bucket, 0 to 100.
    #[must_use]
    pub fn used_percent(&self) -> u8 {
        self.shares.iter().map(|s| s.used_percent).max().unwrap_or(0)
    }

    /// Requests waiting in all buckets.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shares.iter().map(|s| s.waiting).sum()
    }

    /// Whether AWS throttles us anywhere.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.shares.iter().any(|s| s.throttled)
    }
}
