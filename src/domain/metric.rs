//! CloudWatch metrics: which one, how it is asked for, and the numbers that came back.
//!
//! Must not decide what to chart or how often to ask; `app` does. CloudWatch keeps 60 s data for 15 days, 300 s
//! for 63 days, 3,600 s for 455 days.

use std::time::Duration;

use serde::Serialize;

use crate::stdx::clock::Wall;

/// A metric: namespace, name, and the dimensions that tell whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct MetricId {
    /// `AWS/ECS`, `AWS/RDS`, …
    pub namespace: String,
    /// `CPUUtilization`, …
    pub name: String,
    /// Name and value, in AWS's order of names.
    pub dimensions: Vec<(String, String)>,
}

impl MetricId {
    /// A metric from its parts.
    #[must_use]
    pub fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.iter().map(own).collect(),
        }
    }

    /// The value of a dimension.
    #[must_use]
    pub fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One query of a `GetMetricData` request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct MetricQuery {
    /// Ties the result to it: a lower-case letter, then letters, digits and `_`.
    pub id: String,
    /// What it asks.
    pub what: MetricSource,
    /// Whether its numbers are wanted, or only used by an expression.
    pub wanted: bool,
}

/// What a metric query asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum MetricSource {
    /// A statistic of a metric.
    Stat {
        /// Which metric.
        metric: MetricId,
        /// `Average`, `Sum`, `Maximum`, `p99`, …
        stat: String,
        /// Seconds that one number stands for; a multiple of 60.
        period: u32,
    },
    /// Metric math over the ids of other queries.
    Expression {
        /// `100 * m2 / m1`, …
        expression: String,
        /// Seconds that one number stands for, where the expression does not follow from metrics.
        period: Option<u32>,
    },
}

/// The numbers of one metric query, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// The query's id.
    pub id: String,
    /// What CloudWatch calls it.
    pub label: String,
    /// Instant at which a period begins, and its number.
    pub points: Vec<(Wall, f64)>,
    /// `Complete`, `PartialData`, `InternalError`, `Forbidden`.
    pub status: String,
}

impl Series {
    /// The newest number.
    #[must_use]
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|(_, value)| *value)
    }
}

/// How far back a chart reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Range {
    /// One hour, a number a minute.
    Hour,
    /// Three hours, a number a minute.
    #[default]
    ThreeHours,
    /// A day, a number each five minutes.
    Day,
    /// Seven days, a number an hour.
    Week,
}

impl Range {
    /// All, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::ThreeHours, Self::Day, Self::Week];

    /// Its length.
    #[must_use]
    pub fn span(self) -> Duration {
        Duration::from_secs(match self {
            Self::Hour => 3_600,
            Self::ThreeHours => 3 * 3_600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
        })
    }

    /// Seconds that one number stands for.
    #[must_use]
    pub fn period(self) -> u32 {
        match self {
            Self::Hour | Self::ThreeHours => 60,
            Self::Day => 300,
            Self::Week => 3_600,
        }
    }

    /// As people write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::ThreeHours => "3h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }
}
