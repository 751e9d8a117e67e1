//! DescribeLogGroups and DescribeLogStreams.
//!
//! Must not read events: what these operations say about times is as approximate as on AWS.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as CODEC;
use serde_json::{Value, json};

use super::{Group, Groups, chance, emitter::Emitter, input};
use crate::sim::reply::ApiError;
use crate::stdx::clock::Wall;

/// Page size of both operations, by default and at most.
const PAGE: usize = 50;

pub(super) fn describe_log_groups(groups: &Groups, now: Wall, given: &Value) -> Result<Value, ApiError> {
    let prefix = input::text(given, "logGroupNamePrefix")?;
    let pattern = input::text(given, "logGroupNamePattern")?;
    if prefix.is_some() && pattern.is_some() {
        return Err(ApiError::invalid_parameter(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        ));
    }
    let pattern = pattern.map(str::to_lowercase);
    let class = input::text(given, "logGroupClass")?;
    let identifiers = input::texts(given, "logGroupIdentifiers", 50)?;
    let wanted: Vec<&str> =
        identifiers.iter().map(|one| input::group_name(groups, one)).collect::<Result<_, _>>()?;
    let limit = input::limit(given, PAGE)?.unwrap_or(PAGE);
    let after = after_name(given)?;
    let mut found: Vec<&Group> = groups
        .groups
        .iter()
        .filter(|_| class.is_none_or(|class| class == "STANDARD"))
        .filter(|group| prefix.is_none_or(|prefix| group.name.starts_with(prefix)))
        .filter(|group| pattern.as_ref().is_none_or(|p| group.name.to_lowercase().contains(p)))
        .filter(|group| wanted.is_empty() || wanted.contains(&group.name.as_str()))
        .filter(|group| after.as_deref().is_none_or(|after| group.name.as_str() > after))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let more = found.len() > limit;
    found.truncate(limit);
    let mut answer = json!({
        "logGroups": found.iter().map(|group| described(groups, group, now)).collect::<Vec<_>>(),
    });
    if more && let Some(last) = found.last() {
        answer["nextToken"] = Value::from(token(&last.name));
    }
    Ok(answer)
}

fn described(groups: &Groups, group: &Group, now: Wall) -> Value {
    let arn = groups.arn(&group.name);
    let mut value = json!({
        "logGroupName": group.name,
        "creationTime": group.created.0,
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "storedBytes": stored_bytes(group, now),
    });
    if let Some(days) = group.retention_days {
        value["retentionInDays"] = Value::from(days);
    }
    value
}

/// What the kept events of all streams come to: lines per second at half load, 180 bytes each.
fn stored_bytes(group: &Group, now: Wall) -> i64 {
    let horizon = group.horizon(now);
    group
        .streams(now)
        .map(|emitter| {
            let end = emitter.died.map_or(now.0, |died| died.0);
            let seconds = Wall(emitter.born.0.max(horizon)).age_at(Wall(end)).as_secs_f64();
            #[expect(clippy::cast_possible_truncation, reason = "an estimate; f64 to i64 saturates")]
            let bytes = (emitter.pace() * 0.5 * 180.0 * seconds) as i64;
            bytes
        })
        .sum()
}

pub(super) fn describe_log_streams(groups: &Groups, now: Wall, given: &Value) -> Result<Value, ApiError> {
    let group = input::group(groups, given)?;
    let prefix = input::text(given, "logStreamNamePrefix")?;
    let by_time = match input::text(given, "orderBy")? {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") => true,
        Some(_) => {
            return Err(input::constraint(
                "orderBy",
                "Member must satisfy enum value set: [LogStreamName, LastEventTime]",
            ));
        }
    };
    if by_time && prefix.is_some() {
        return Err(ApiError::invalid_parameter("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let descending = input::truth(given, "descending")?.unwrap_or(false);
    let limit = input::limit(given, PAGE)?.unwrap_or(PAGE);
    let after = after_name(given)?;
    let horizon = group.horizon(now);
    let mut streams: Vec<(i64, &Emitter)> = group
        .streams(now)
        .filter(|emitter| emitter.died.is_none_or(|died| died.0 >= horizon))
        .filter(|emitter| prefix.is_none_or(|prefix| emitter.stream.starts_with(prefix)))
        .map(|emitter| (if by_time { last_event(emitter, now) } else { 0 }, &**emitter))
        .collect();
    streams.sort_by(|a, b| (a.0, &a.1.stream).cmp(&(b.0, &b.1.stream)));
    if descending {
        streams.reverse();
    }
    if let Some(after) = after {
        // The stream of the token may be gone, or have moved: then the page starts where it would stand.
        let at = streams.iter().position(|(_, emitter)| emitter.stream == after).map_or_else(
            || streams.iter().filter(|(_, e)| (e.stream < after) != descending).count(),
            |at| at + 1,
        );
        streams.drain(..at);
    }
    let more = streams.len() > limit;
    streams.truncate(limit);
    let listed: Vec<Value> = streams
        .iter()
        .map(|(_, emitter)| {
            let last = last_event(emitter, now);
            json!({
                "logStreamName": emitter.stream,
                "creationTime": emitter.born.0,
                "firstEventTimestamp": emitter.born.0.max(horizon),
                "lastEventTimestamp": last,
                "lastIngestionTime": last + 2_600,
                "uploadSequenceToken": format!("4966{:044}", chance::text(&emitter.stream)),
                "arn": format!("{}:log-stream:{}", groups.arn(&group.name), emitter.stream),
                "storedBytes": 0,
            })
        })
        .collect();
    let mut answer = json!({ "logStreams": listed });
    if more && let Some((_, last)) = streams.last() {
        answer["nextToken"] = Value::from(token(&last.stream));
    }
    Ok(answer)
}

/// What AWS says about a stream's last event: behind the truth by up to some minutes, never exact.
fn last_event(emitter: &Emitter, now: Wall) -> i64 {
    let end = emitter.died.map_or(now.0, |died| died.0.min(now.0));
    let lag = chance::millis(chance::text(&emitter.stream), 600_000);
    let settled = (now.0 - lag).div_euclid(60_000) * 60_000;
    settled.min(end).max(emitter.born.0)
}

fn token(name: &str) -> String {
    CODEC.encode(name)
}

fn after_name(given: &Value) -> Result<Option<String>, ApiError> {
    let Some(token) = input::text(given, "nextToken")? else { return Ok(None) };
    let bytes = CODEC.decode(token).map_err(|_| input::bad_token())?;
    String::from_utf8(bytes).map(Some).map_err(|_| input::bad_token())
}
