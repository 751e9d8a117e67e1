//! Statistics over periods, and the queries of `GetMetricData`: metrics by statistic, math over them.
//!
//! Must not know the wire. Times are milliseconds; a number stands at the beginning of its period.

use std::collections::BTreeMap;

use super::math::{self, Value};
use super::{Key, MINUTE, Sample, Source};
use crate::sim::world::World;
use crate::stdx::clock::Wall;

/// Metrics arrive so much later, at the least.
const LAG: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// The end of what can be seen at an instant: the newest minute or two have not arrived yet.
#[must_use]
pub fn visible_end(now: Wall) -> i64 {
    (now.0 - LAG).div_euclid(MINUTE) * MINUTE
}

/// A statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// Mean of all measurements.
    Average,
    /// Sum of all measurements.
    Sum,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// How many there were.
    SampleCount,
    /// A percentile, 0 to 100.
    Percentile(f64),
}

impl Statistic {
    /// From AWS's word; `None` for one that the simulator does not know, such as trimmed means.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "SampleCount" => Self::SampleCount,
            _ => {
                let share: f64 = word.strip_prefix('p')?.parse().ok()?;
                return (0.0..=100.0).contains(&share).then_some(Self::Percentile(share));
            }
        })
    }

    /// Its value over measurements.
    #[must_use]
    pub fn over(self, sample: Sample) -> f64 {
        let mean = sample.sum / sample.count.max(1.0);
        match self {
            Self::Average => mean,
            Self::Sum => sample.sum,
            Self::Minimum => sample.min,
            Self::Maximum => sample.max,
            Self::SampleCount => sample.count,
            // Measurements are not kept one by one: most lie near the mean, a few reach up to the largest.
            Self::Percentile(share) => {
                let middle = (0.85 * mean).max(sample.min);
                if share <= 50.0 {
                    sample.min + (middle - sample.min) * share / 50.0
                } else {
                    middle + (sample.max - middle) * ((share - 50.0) / 50.0).powi(16)
                }
            }
        }
    }
}

/// What a query asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A statistic of a metric.
    Stat {
        /// Which metric.
        key: Key,
        /// Period in milliseconds.
        period: i64,
        /// AWS's word for the statistic.
        word: String,
        /// The statistic.
        stat: Statistic,
    },
    /// Metric math over the ids of other queries.
    Math(String),
}

/// One query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Id.
    pub id: String,
    /// What it asks for.
    pub ask: Ask,
    /// What its result is called; CloudWatch finds a name when there is none.
    pub label: Option<String>,
    /// Whether its numbers are wanted.
    pub returns: bool,
}

/// The numbers of one query, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The query's id.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Beginning of a period, and its number.
    pub points: Vec<(i64, f64)>,
    /// Whether the numbers are wanted.
    pub returns: bool,
}

/// One statistic over periods from `from` to `to`, of what arrived before `end`.
#[must_use]
pub fn points(
    source: &Source<'_>,
    stat: Statistic,
    (from, to): (i64, i64),
    period: i64,
    end: i64,
) -> Vec<(i64, f64)> {
    let period = period.max(MINUTE);
    let mut points = Vec::new();
    let mut at = from;
    while at < to.min(end) {
        // Older numbers are kept in coarser periods only.
        let age = end - at;
        let kept =
            period >= 3_600_000 && age < 455 * DAY || period >= 300_000 && age < 63 * DAY || age < 15 * DAY;
        let mut whole: Option<Sample> = None;
        let mut minute = at.div_euclid(MINUTE) * MINUTE;
        while kept && minute < (at + period).min(end) {
            if let Some(sample) = source.at(minute) {
                whole = Some(whole.map_or(sample, |sum| sum.and(sample)));
            }
            minute += MINUTE;
        }
        if let Some(sample) = whole {
            points.push((at, stat.over(sample)));
        }
        at += period;
    }
    points
}

impl World {
    /// Answers queries over `from..to`, of what had arrived before `end`.
    ///
    /// # Errors
    /// When an expression cannot be understood: the id of its query, and why.
    pub fn query(
        &self,
        region: &str,
        queries: &[Query],
        (from, to): (i64, i64),
        end: i64,
    ) -> Result<Vec<Found>, (String, String)> {
        let mut known: BTreeMap<&str, Value> = BTreeMap::new();
        let mut period = None::<i64>;
        for query in queries {
            if let Ask::Stat { key, period: own, stat, .. } = &query.ask {
                let found = self
                    .metric(region, key)
                    .map(|source| points(&source, *stat, (from, to), *own, end))
                    .unwrap_or_default();
                period = Some(period.map_or(*own, |least| least.min(*own)));
                known.insert(&query.id, Value::Series(found));
            }
        }
        let period = period.unwrap_or(MINUTE).max(MINUTE);
        let grid = math::Grid { from, to: to.min(end), period };
        // Expressions may build on each other, in any order.
        let mut open: Vec<(&Query, &str)> = queries
            .iter()
            .filter_map(|query| match &query.ask {
                Ask::Math(text) => Some((query, text.as_str())),
                Ask::Stat { .. } => None,
            })
            .collect();
        while !open.is_empty() {
            let before = open.len();
            let mut later = Vec::new();
            for (query, text) in open {
                let wrong = |why| (query.id.clone(), why);
                let parsed = math::parse(text).map_err(wrong)?;
                if parsed.ids().iter().all(|id| known.contains_key(id.as_str())) {
                    let value = math::evaluate(&parsed, &known, grid).map_err(wrong)?;
                    known.insert(&query.id, value);
                } else {
                    later.push((query, text));
                }
            }
            if later.len() == before
                && let Some((query, _)) = later.first()
            {
                let why = "it names an id that is no query, or two expressions name each other";
                return Err((query.id.clone(), why.to_owned()));
            }
            open = later;
        }
        Ok(queries
            .iter()
            .map(|query| Found {
                id: query.id.clone(),
                label: query.label.clone().unwrap_or_else(|| match &query.ask {
                    Ask::Stat { key, .. } => key.name.clone(),
                    Ask::Math(_) => query.id.clone(),
                }),
                points: known
                    .remove(query.id.as_str())
                    .map(|value| value.into_points(grid))
                    .unwrap_or_default(),
                returns: query.returns,
            })
            .collect())
    }
}
