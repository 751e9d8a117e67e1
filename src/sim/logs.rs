//! CloudWatch Logs as the simulator plays it: groups, streams, events that are functions of time.
//!
//! Nothing is stored. An `Emitter` says what one container writes; the operations read emitters through
//! `Groups`, a view that the world hands in for one region. Must not know tasks or deployments.

use std::sync::Arc;

use serde_json::Value;

use crate::sim::reply::ApiError;
use crate::stdx::clock::Wall;

pub mod chance;
mod describe;
pub mod emitter;
pub mod frame;
mod input;
pub mod live_tail;
pub mod pattern;
mod read;
mod voice;
mod words;

pub use emitter::{Emitter, Event, Mood, MoodKind};
pub use live_tail::{Sessions, Source};

/// The log groups of one region, as they are now.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// Account id, for ARNs.
    pub account: String,
    /// Region, for ARNs.
    pub region: String,
    /// The groups, in any order.
    pub groups: Vec<Group>,
}

/// A log group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name.
    pub name: String,
    /// When it was created; nothing is older.
    pub created: Wall,
    /// Days that events are kept; for ever when `None`.
    pub retention_days: Option<u32>,
    /// What writes into it, one emitter per stream.
    pub emitters: Vec<Arc<Emitter>>,
}

impl Group {
    /// The time before which nothing is kept.
    #[must_use]
    pub fn horizon(&self, now: Wall) -> i64 {
        let kept = self.retention_days.map_or(0, |days| now.0.saturating_sub(i64::from(days) * 86_400_000));
        kept.max(self.created.0).max(0)
    }

    /// The streams that exist: the driver creates a container's stream when the container starts.
    fn streams(&self, now: Wall) -> impl Iterator<Item = &Arc<Emitter>> {
        self.emitters.iter().filter(move |emitter| emitter.born <= now)
    }
}

impl Groups {
    /// The group's ARN without the `:*` that some operations append.
    fn arn(&self, group: &str) -> String {
        format!("arn:aws:logs:{}:{}:log-group:{group}", self.region, self.account)
    }

    fn named(&self, name: &str) -> Result<&Group, ApiError> {
        self.groups.iter().find(|group| group.name == name).ok_or_else(no_group)
    }
}

/// The groups that a request names; none means all. What is no text is left for the operation to refuse.
#[must_use]
pub fn wanted_groups(input: &Value) -> Vec<String> {
    let one = ["logGroupName", "logGroupIdentifier"].into_iter().filter_map(|key| input.get(key));
    let many = input.get("logGroupIdentifiers").and_then(Value::as_array).into_iter().flatten();
    one.chain(many)
        .filter_map(Value::as_str)
        .map(|identifier| {
            let name = identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name);
            name.strip_suffix(":*").unwrap_or(name).to_owned()
        })
        .collect()
}

fn no_group() -> ApiError {
    ApiError::not_found("ResourceNotFoundException", "The specified log group does not exist.")
}

fn no_stream() -> ApiError {
    ApiError::not_found("ResourceNotFoundException", "The specified log stream does not exist.")
}

/// Answers one operation; `None` for one that is not played here. `StartLiveTail` is
/// `live_tail::start_live_tail`, since its answer is a stream.
#[must_use]
pub fn answer(operation: &str, groups: &Groups, now: Wall, input: &Value) -> Option<Result<Value, ApiError>> {
    Some(match operation {
        "DescribeLogGroups" => describe::describe_log_groups(groups, now, input),
        "DescribeLogStreams" => describe::describe_log_streams(groups, now, input),
        "FilterLogEvents" => read::filter_log_events(groups, now, input),
        "GetLogEvents" => read::get_log_events(groups, now, input),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
