//! How much a service is used over the day, and what its containers write about it.
//!
//! Words only: how lines are placed in time and dressed in a format is `sim::logs`' business.

use serde::Deserialize;

/// The daily curve of a service's load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadShape {
    /// The same all day.
    #[default]
    Flat,
    /// Office hours on weekdays.
    Office,
    /// The public: busy evenings, some life at night, every day.
    Public,
    /// Batch work: busiest at night.
    Night,
}

/// How load follows the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Daily curve.
    pub shape: LoadShape,
    /// Hours that the users' clock is ahead of UTC.
    pub zone: i32,
}

/// How a container dresses its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Node.js with pino: a JSON object per line, `level` as a word.
    Json,
    /// Python with structlog: a JSON object per line, `event` instead of `msg`.
    Structlog,
    /// Time, level, component, text.
    #[default]
    Plain,
    /// Nginx: combined access lines with upstream time and request id, its own error lines.
    Nginx,
    /// Python's `logging` with a usual format.
    Python,
    /// Uvicorn's access lines, `logging` for the rest.
    Uvicorn,
    /// Celery's worker log.
    Celery,
    /// `console.log` of a Node.js server: no time of its own, a tag in brackets.
    Node,
}

/// Shares of the levels among lines that are not about a request.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Levels {
    /// Debug.
    pub debug: f64,
    /// Information.
    pub info: f64,
    /// Warnings.
    pub warn: f64,
    /// Errors.
    pub error: f64,
}

impl Default for Levels {
    fn default() -> Self {
        Self { debug: 0.0, info: 0.95, warn: 0.04, error: 0.01 }
    }
}

/// What one container writes. In all texts, `{id}`, `{n}`, `{ms}`, `{hex}`, `{uuid}`, `{ip}`, `{money}`,
/// `{score}` and choices such as `{red|green|blue}` are filled in; further lines of a text are a stack trace.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogProfile {
    /// Log group.
    pub group: String,
    /// Stream prefix: streams are `prefix/container/task-id`.
    pub prefix: String,
    /// Dress.
    pub format: LogFormat,
    /// Component or logger, where the format shows one.
    #[serde(default)]
    pub logger: String,
    /// Requests per second and task at full load; each writes one access line.
    #[serde(default)]
    pub requests: f64,
    /// `METHOD /path`, the common ones several times.
    #[serde(default)]
    pub routes: Vec<String>,
    /// Usual duration of a request in milliseconds.
    #[serde(default = "usual_ms")]
    pub typical_ms: u32,
    /// Share of requests that fail with a 5xx.
    #[serde(default)]
    pub failures: f64,
    /// The container of the same task whose requests this one writes about too, with the same ids.
    #[serde(default)]
    pub follows: Option<String>,
    /// Other lines per second and task at full load.
    #[serde(default)]
    pub rate: f64,
    /// Their levels.
    #[serde(default)]
    pub levels: Levels,
    /// Texts at level debug.
    #[serde(default)]
    pub debug: Vec<String>,
    /// Texts at level info.
    #[serde(default)]
    pub info: Vec<String>,
    /// Texts at level warn.
    #[serde(default)]
    pub warn: Vec<String>,
    /// Texts at level error.
    #[serde(default)]
    pub error: Vec<String>,
    /// First lines of a container's life.
    #[serde(default)]
    pub startup: Vec<String>,
    /// Last lines after SIGTERM.
    #[serde(default)]
    pub shutdown: Vec<String>,
    /// Last lines of a container that crashes for no other reason.
    #[serde(default)]
    pub crash: Option<String>,
}

fn usual_ms() -> u32 {
    40
}
