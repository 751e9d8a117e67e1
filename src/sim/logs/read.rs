//! FilterLogEvents and GetLogEvents: pages over events that are made while they are read.
//!
//! A token is a place in the order of events, so paging loses and repeats nothing however a page was cut.
//! Must not remember anything between two calls.

use std::sync::Arc;

use serde_json::{Value, json};

use super::chance::{self, mix};
use super::emitter::{Emitter, Event, Key};
use super::pattern::Pattern;
use super::{Group, Groups, input, no_stream};
use crate::sim::reply::ApiError;
use crate::stdx::clock::Wall;

/// Events per page, by default and at most.
const MOST_EVENTS: usize = 10_000;
/// Bytes of messages per page, with AWS's 26 bytes of overhead per event.
const MOST_BYTES: usize = 1_048_576;
/// Events looked at per page: beyond it the page ends short, or empty, with a token.
const MOST_SCANNED: usize = 50_000;
/// Windows of time read for one page, for groups in which next to nothing happens.
const MOST_WINDOWS: usize = 400;
/// The first window of time that is read at once, and the longest.
const WINDOW: i64 = 30_000;
const LONGEST_WINDOW: i64 = 7_200_000;
/// The earliest start that newest-first reading accepts: 2024-01-01.
const DESCENDING_SINCE: i64 = 1_704_067_200_000;

/// Where a reader stands, and which way it goes.
struct Scan<'a> {
    emitters: Vec<&'a Arc<Emitter>>,
    /// First and last timestamp, both inclusive.
    from: i64,
    to: i64,
    now: i64,
    forward: bool,
    /// Strictly behind this place.
    after: Option<Key>,
}

/// What a scan found for one page.
struct Page {
    events: Vec<(usize, Event)>,
    /// Where the next page goes on; `None` at the end.
    next: Option<Key>,
}

impl Scan<'_> {
    /// One page: the first `limit` events that `wanted` accepts.
    fn page(&self, limit: usize, wanted: impl Fn(&str) -> bool) -> Page {
        let mut page = Page { events: Vec::new(), next: None };
        let (mut from, mut to) = (self.from, self.to.min(self.now));
        match self.after {
            Some(key) if self.forward => from = from.max(key.0),
            Some(key) => to = to.min(key.0),
            None => {}
        }
        // Nothing lies before the first container or behind the last one.
        from = from.max(self.emitters.iter().map(|e| e.born.0).min().unwrap_or(i64::MAX));
        let (mut bytes, mut scanned, mut length) = (0, 0, WINDOW);
        for windows in 0.. {
            if from > to {
                return page;
            }
            // The side of the window away from where the reading began.
            let (start, end) = if self.forward {
                (from, from.saturating_add(length - 1).min(to))
            } else {
                (to.saturating_sub(length - 1).max(from), to)
            };
            if scanned >= MOST_SCANNED || windows >= MOST_WINDOWS {
                page.next = Some((if self.forward { from } else { to + 1 }, 0, 0, 0));
                return page;
            }
            let found = self.window(start, end);
            if found.len() < 500 {
                length = (length * 2).min(LONGEST_WINDOW);
            } else if found.len() > 5_000 {
                length = (length / 2).max(1_000);
            }
            scanned += found.len();
            for (emitter, event) in found {
                if !wanted(&event.message) {
                    continue;
                }
                bytes += event.message.len() + 26;
                if page.events.len() >= limit || (bytes > MOST_BYTES && !page.events.is_empty()) {
                    page.next = page.events.last().map(|(_, event)| event.key());
                    return page;
                }
                page.events.push((emitter, event));
            }
            if self.forward {
                from = end + 1;
            } else {
                to = start - 1;
            }
        }
        page
    }

    /// Events of all emitters in `start..=end`, behind the reader's place, in its direction.
    fn window(&self, start: i64, end: i64) -> Vec<(usize, Event)> {
        let mut found: Vec<(usize, Event)> = self
            .emitters
            .iter()
            .enumerate()
            .flat_map(|(at, emitter)| {
                emitter.events(start, end + 1, self.now).into_iter().map(move |event| (at, event))
            })
            .filter(|(_, event)| {
                self.after
                    .is_none_or(|after| if self.forward { event.key() > after } else { event.key() < after })
            })
            .collect();
        found.sort_by_key(|(_, event)| event.key());
        if !self.forward {
            found.reverse();
        }
        found
    }
}

pub(super) fn filter_log_events(groups: &Groups, now: Wall, given: &Value) -> Result<Value, ApiError> {
    let group = input::group(groups, given)?;
    let names = input::texts(given, "logStreamNames", 100)?;
    let prefix = input::text(given, "logStreamNamePrefix")?;
    if !names.is_empty() && prefix.is_some() {
        return Err(ApiError::invalid_parameter(
            "LogStreamNamePrefix and LogStreamNames are mutually exclusive parameters.",
        ));
    }
    for name in &names {
        stream(group, name, now)?;
    }
    let from = time(given, "startTime")?;
    let to = time(given, "endTime")?;
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(ApiError::invalid_parameter("End time should not be before start time."));
    }
    let forward = input::truth(given, "startFromHead")?.unwrap_or(true);
    if !forward && from.is_some_and(|from| from < DESCENDING_SINCE) {
        return Err(ApiError::invalid_parameter(
            "startFromHead can be false only when startTime is 2024-01-01T00:00:00Z or later.",
        ));
    }
    let pattern = Pattern::parse(input::text(given, "filterPattern")?.unwrap_or_default())?;
    let limit = input::limit(given, MOST_EVENTS)?.unwrap_or(MOST_EVENTS);
    let place = input::text(given, "nextToken")?.map(Place::read).transpose()?.unwrap_or_default();
    let emitters = group
        .streams(now)
        .filter(|emitter| names.is_empty() || names.contains(&emitter.stream.as_str()))
        .filter(|emitter| prefix.is_none_or(|prefix| emitter.stream.starts_with(prefix)))
        .collect();
    let scan = Scan {
        emitters,
        from: from.unwrap_or(0).max(group.horizon(now)),
        to: to.unwrap_or(i64::MAX - 1),
        now: now.0,
        forward,
        after: place.after,
    };
    // Pages may be short, even empty, while there is more.
    let asked = mix(chance::time(scan.from), chance::time(scan.to));
    let draw = mix(place.draw(&group.name), asked);
    if draw.is_multiple_of(17) && place.tries == 0 {
        let token = Place { after: place.after, tries: 1 }.write();
        return Ok(json!({ "events": [], "searchedLogStreams": [], "nextToken": token }));
    }
    let allowed = if draw.is_multiple_of(7) { limit.div_ceil(3) } else { limit };
    let page = scan.page(allowed, |message| pattern.matches(message));
    let events: Vec<Value> = page
        .events
        .iter()
        .filter_map(|(at, event)| {
            let stream = &scan.emitters.get(*at)?.stream;
            Some(json!({
                "logStreamName": stream,
                "timestamp": event.timestamp,
                "message": event.message,
                "ingestionTime": event.ingested,
                "eventId": event.id(),
            }))
        })
        .collect();
    let mut answer = json!({ "events": events, "searchedLogStreams": [] });
    if let Some(next) = page.next {
        answer["nextToken"] = Value::from(Place { after: Some(next), tries: 0 }.write());
    }
    Ok(answer)
}

/// What a FilterLogEvents token says.
#[derive(Default)]
struct Place {
    after: Option<Key>,
    /// Empty pages already given for this place: at most one, so that reading always moves on.
    tries: u8,
}

impl Place {
    fn draw(&self, group: &str) -> u64 {
        let (time, ingested, stream, sequence) = self.after.unwrap_or_default();
        let place = mix(mix(chance::time(time), chance::time(ingested)), mix(stream, sequence));
        mix(place, chance::text(group))
    }

    fn write(&self) -> String {
        let place = self.after.map_or_else(|| "start".to_owned(), key_text);
        format!("Bxkq6k{}.{place}", self.tries)
    }

    fn read(token: &str) -> Result<Self, ApiError> {
        let read = || {
            let (tries, place) = token.strip_prefix("Bxkq6k")?.split_once('.')?;
            let after = if place == "start" { None } else { Some(read_key(place)?) };
            Some(Self { after, tries: tries.parse().ok()? })
        };
        read().ok_or_else(input::bad_token)
    }
}

fn key_text((time, ingested, stream, sequence): Key) -> String {
    format!("{time:013}-{ingested:013}-{stream:016x}-{sequence:x}")
}

fn read_key(text: &str) -> Option<Key> {
    let mut parts = text.split('-');
    let key = (
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        u64::from_str_radix(parts.next()?, 16).ok()?,
        u64::from_str_radix(parts.next()?, 16).ok()?,
    );
    parts.next().is_none().then_some(key)
}

fn stream<'a>(group: &'a Group, name: &str, now: Wall) -> Result<&'a Arc<Emitter>, ApiError> {
    group.streams(now).find(|emitter| emitter.stream == name).ok_or_else(no_stream)
}

fn time(given: &Value, name: &str) -> Result<Option<i64>, ApiError> {
    let time = input::number(given, name)?;
    if time.is_some_and(|time| time < 0) {
        return Err(input::constraint(name, "Member must have value greater than or equal to 0"));
    }
    Ok(time)
}

pub(super) fn get_log_events(groups: &Groups, now: Wall, given: &Value) -> Result<Value, ApiError> {
    let group = input::group(groups, given)?;
    let Some(name) = input::text(given, "logStreamName")? else {
        return Err(input::constraint("logStreamName", "Member must not be null"));
    };
    let emitter = stream(group, name, now)?;
    let limit = input::limit(given, MOST_EVENTS)?.unwrap_or(MOST_EVENTS);
    let token = input::text(given, "nextToken")?;
    let (forward, after) = match token {
        None => (input::truth(given, "startFromHead")?.unwrap_or(false), None),
        Some(token) => {
            let place = |prefix: &str| read_key(token.strip_prefix(prefix)?.strip_suffix("/s")?);
            if let Some(key) = place("f/") {
                (true, Some(key))
            } else {
                (false, Some(place("b/").ok_or_else(input::bad_token)?))
            }
        }
    };
    let from = time(given, "startTime")?.unwrap_or(0).max(group.horizon(now));
    // The end is exclusive here, unlike FilterLogEvents'.
    let to = time(given, "endTime")?.map_or(i64::MAX - 1, |end| end - 1);
    let scan = Scan { emitters: vec![emitter], from, to, now: now.0, forward, after };
    let page = scan.page(limit, |_| true);
    let mut events: Vec<Event> = page.events.into_iter().map(|(_, event)| event).collect();
    if !forward {
        events.reverse();
    }
    // Behind the last and before the first event. Where nothing came, the reader stays where it was, unless
    // there was too much silence to look through at once.
    let start = if forward { (from, 0, 0, 0) } else { (to.min(now.0).saturating_add(1), 0, 0, 0) };
    let empty = page.next.or(after).unwrap_or(start);
    let last = events.last().map_or(empty, Event::key);
    let first = events.first().map_or(empty, Event::key);
    let listed: Vec<Value> = events
        .iter()
        .map(|event| {
            json!({ "timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested })
        })
        .collect();
    Ok(json!({
        "events": listed,
        "nextForwardToken": format!("f/{}/s", key_text(last)),
        "nextBackwardToken": format!("b/{}/s", key_text(first)),
    }))
}

#[cfg(test)]
mod tests;
