//! CloudWatch alarms: metric, composite and log alarms, their state, what they watch, their history.
//!
//! Must not judge which of them matter; `diagnose` does.

use serde::{Deserialize, Serialize};

use crate::domain::metric::{MetricId, MetricQuery};
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

/// An alarm by scope and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlarmId {
    /// Where.
    pub scope: Scope,
    /// Name; unique per account and region.
    pub name: String,
}

/// A rule that holds alarms' actions back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MuteRule {
    /// `SCHEDULED`, `ACTIVE`, `EXPIRED`.
    pub status: String,
    /// The alarms that it mutes.
    pub alarms: Vec<String>,
    /// When it ends.
    pub ends_at: Option<Wall>,
}

/// The kinds of alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// Over a metric or metric math.
    Metric,
    /// Over other alarms.
    Composite,
    /// Over a log query.
    Log,
}

/// An alarm's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// Firing.
    Alarm,
    /// As it should be.
    Ok,
    /// CloudWatch cannot tell.
    InsufficientData,
    /// A word that is new to us.
    Other(String),
}

impl AlarmState {
    /// From CloudWatch's word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "ALARM" => Self::Alarm,
            "OK" => Self::Ok,
            "INSUFFICIENT_DATA" => Self::InsufficientData,
            other => Self::Other(other.to_owned()),
        }
    }

    /// CloudWatch's word.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Alarm => "ALARM",
            Self::Ok => "OK",
            Self::InsufficientData => "INSUFFICIENT_DATA",
            Self::Other(word) => word,
        }
    }
}

/// What a metric alarm compares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlarmRule {
    /// The metric, when it is one; metric math stands in `queries`.
    pub metric: Option<MetricId>,
    /// Its statistic: `Average`, `p99`, …
    pub stat: Option<String>,
    /// Seconds that one number stands for.
    pub period: u32,
    /// Metric math: all queries, the wanted one carries the alarm's numbers.
    pub queries: Vec<MetricQuery>,
    /// `GreaterThanThreshold`, …
    pub comparison: String,
    /// What is compared with; anomaly detection has none.
    pub threshold: Option<f64>,
    /// Periods looked at.
    pub evaluation_periods: u32,
    /// Of those, so many must breach.
    pub datapoints: u32,
    /// `missing`, `notBreaching`, `breaching`, `ignore`.
    pub missing_data: String,
}

impl AlarmRule {
    /// Every metric that it looks at.
    pub fn metrics(&self) -> impl Iterator<Item = &MetricId> {
        use crate::domain::metric::MetricSource;
        let of_math = self.queries.iter().filter_map(|query| match &query.what {
            MetricSource::Stat { metric, .. } => Some(metric),
            MetricSource::Expression { .. } => None,
        });
        self.metric.iter().chain(of_math)
    }

    /// `>`, `≥`, `<`, `≤`, or CloudWatch's own word.
    #[must_use]
    pub fn sign(&self) -> &str {
        match self.comparison.as_str() {
            "GreaterThanThreshold" => ">",
            "GreaterThanOrEqualToThreshold" => "≥",
            "LessThanThreshold" => "<",
            "LessThanOrEqualToThreshold" => "≤",
            other => other,
        }
    }
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// Identity.
    pub id: AlarmId,
    /// ARN.
    pub arn: String,
    /// Its kind.
    pub kind: AlarmKind,
    /// What its owners wrote about it.
    pub description: Option<String>,
    /// Its state.
    pub state: AlarmState,
    /// CloudWatch's sentence.
    pub reason: String,
    /// When the state last changed. `StateUpdatedTimestamp` may be newer: it moves with the reason too.
    pub since: Option<Wall>,
    /// Whether its actions happen.
    pub actions_enabled: bool,
    /// ARNs of what happens when it fires.
    pub actions: Vec<String>,
    /// `WaitPeriod`, `ExtensionPeriod`, `Alarm`: a composite alarm's actions are held back.
    pub suppressed_by: Option<String>,
    /// `PARTIAL_DATA`, `EVALUATION_FAILURE`, `EVALUATION_ERROR`.
    pub evaluation: Option<String>,
    /// For metric alarms.
    pub rule: Option<AlarmRule>,
    /// For composite alarms: the expression over other alarms; for log alarms the query.
    pub expression: Option<String>,
}

impl Alarm {
    /// Whether Application Auto Scaling made it for a target-tracking policy: such an alarm is in ALARM by
    /// design, the low one whenever a service is idle.
    #[must_use]
    pub fn is_target_tracking(&self) -> bool {
        self.id.name.starts_with("TargetTracking-")
            || (!self.actions.is_empty()
                && self.actions.iter().all(|arn| arn.starts_with("arn:aws:autoscaling:")))
    }
}

/// One entry of an alarm's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlarmHistoryItem {
    /// The alarm's name.
    pub alarm: String,
    /// When.
    pub at: Wall,
    /// `StateUpdate`, `ConfigurationUpdate`, `Action`, …
    pub kind: String,
    /// CloudWatch's sentence.
    pub summary: String,
    /// For state updates: from which state to which.
    pub states: Option<(String, String)>,
}
