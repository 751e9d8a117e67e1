//! Alarms of a system, as its owners would have set them up.
//!
//! Facts only: what they evaluate to is the world's business.

use serde::Deserialize;

use super::Span;

/// An alarm: over one metric, over metric math, or over other alarms.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Name.
    pub name: String,
    /// What its owners wrote about it.
    #[serde(default)]
    pub description: Option<String>,
    /// The metric's name, for an alarm over one metric.
    #[serde(default)]
    pub metric: Option<String>,
    /// `Average`, `Sum`, `p99`, …
    #[serde(default = "average")]
    pub stat: String,
    /// Whose metric: a service of this stack.
    #[serde(default)]
    pub service: Option<String>,
    /// Whose metric: a database, by identifier.
    #[serde(default)]
    pub database: Option<String>,
    /// Whose metric: a cache node, by cluster id.
    #[serde(default)]
    pub cache: Option<String>,
    /// Metric math over `metrics`.
    #[serde(default)]
    pub math: Option<String>,
    /// What the math is called.
    #[serde(default)]
    pub label: Option<String>,
    /// The metrics that the math names.
    #[serde(default)]
    pub metrics: Vec<AlarmMetric>,
    /// The expression over other alarms, for a composite one.
    #[serde(default)]
    pub rule: Option<String>,
    /// `>`, `>=`, `<` or `<=`.
    #[serde(default = "above")]
    pub comparison: String,
    /// What is compared with.
    #[serde(default)]
    pub threshold: f64,
    /// Period of one datapoint.
    #[serde(default = "a_minute")]
    pub period: Span,
    /// How many datapoints are looked at.
    #[serde(default = "one")]
    pub evaluation_periods: u32,
    /// How many of them must breach; all, when left out.
    #[serde(default)]
    pub datapoints: Option<u32>,
    /// `missing`, `notBreaching`, `breaching` or `ignore`.
    #[serde(default = "missing")]
    pub treat_missing: String,
    /// Whether its actions happen.
    #[serde(default = "yes")]
    pub actions_enabled: bool,
    /// ARNs of what happens when it fires.
    #[serde(default)]
    pub actions: Vec<String>,
    /// ARNs of what happens when all is well again.
    #[serde(default)]
    pub ok_actions: Vec<String>,
    /// How long ago it was configured.
    #[serde(default = "months")]
    pub age: Span,
}

/// One metric that metric math names.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmMetric {
    /// The id in the expression.
    pub id: String,
    /// The metric's name.
    pub metric: String,
    /// Its statistic.
    #[serde(default = "average")]
    pub stat: String,
    /// A service of this stack, unless the alarm names whose metric it is.
    #[serde(default)]
    pub service: Option<String>,
    /// A database.
    #[serde(default)]
    pub database: Option<String>,
    /// A cache node.
    #[serde(default)]
    pub cache: Option<String>,
}

fn average() -> String {
    "Average".to_owned()
}

fn above() -> String {
    ">".to_owned()
}

fn missing() -> String {
    "missing".to_owned()
}

fn a_minute() -> Span {
    Span(std::time::Duration::from_secs(60))
}

fn months() -> Span {
    Span(std::time::Duration::from_secs(120 * 86_400))
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}
