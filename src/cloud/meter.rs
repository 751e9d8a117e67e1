//! What the API budget looks like from outside: the figures of the header and the API panel.
//!
//! A snapshot; must not influence anything.

use crate::domain::fault::Fault;
use crate::domain::scope::Scope;
use crate::stdx::clock::Moment;

/// All that was asked of AWS so far, and how it is paced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meter {
    /// One row for each bucket that was used, by scope and name.
    pub rows: Vec<MeterRow>,
    /// Requests on their way, over all scopes.
    pub in_flight: usize,
    /// With whom the budget is shared.
    pub sharing: Sharing,
}

/// With whom the budget is shared. More than our own processes we cannot see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Only this process counts.
    #[default]
    Process,
    /// All processes of this user on this machine.
    User,
    /// The shared file cannot be used; only this process counts.
    Failed(String),
    /// There is no budget: pacing is off.
    Off,
}

/// One throttle bucket of one scope.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterRow {
    /// Where.
    pub scope: Scope,
    /// `ECS service read`, …
    pub bucket: &'static str,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests a second, averaged over the last ten seconds or so.
    pub per_second: f64,
    /// That rate as a percentage of the refill that AWS documents.
    pub refill_percent: u32,
    /// How much of the burst that AWS documents we have taken and not yet given time to refill, in percent.
    pub burst_percent: u32,
    /// Requests that wait for their turn.
    pub waiting: usize,
    /// The percentage of our share that throttles have left; 100 when all is well.
    pub rate_percent: u32,
    /// The newest throttle since which the rate has not recovered.
    pub throttled_at: Option<Moment>,
    /// The newest fault.
    pub last_fault: Option<(Moment, Fault)>,
}

impl Meter {
    /// The largest part of any documented refill that we use, in percent: the header's figure.
    #[must_use]
    pub fn share_percent(&self) -> u32 {
        self.rows.iter().map(|row| row.refill_percent).max().unwrap_or(0)
    }

    /// Whether a throttle slows any bucket.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.rows.iter().any(|row| row.rate_percent < 100)
    }
}
