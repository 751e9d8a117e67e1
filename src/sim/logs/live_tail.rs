//! StartLiveTail: an event stream with an update every second.
//!
//! The session reads the world anew for each update, so streams that are born later join by themselves.
//! Must not buffer: like AWS, it drops what a slow reader does not fetch.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use super::chance;
use super::emitter::Event;
use super::pattern::Pattern;
use super::{Groups, frame, input};
use crate::sim::reply::{ApiError, ByteStream};
use crate::stdx::clock::{Clock, Moment};

/// Content type of the answer.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// Sessions per account and region at a time.
const MOST_SESSIONS: usize = 15;
/// Events in one update; with more, it is a sample.
const MOST_EVENTS: usize = 500;
/// How long a session may last.
const LONGEST: Duration = Duration::from_secs(3 * 3_600);
/// How far a reader may fall behind before the oldest events are dropped.
const BEHIND: i64 = 10_000;

/// Gives the region's groups as they are at the moment.
pub type Source = Arc<dyn Fn() -> Groups + Send + Sync>;

/// Counts open sessions; one per account and region.
#[derive(Clone, Debug, Default)]
pub struct Sessions(Arc<AtomicUsize>);

/// A place among the sessions, given back when dropped.
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Sessions {
    /// Sessions open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn seat(&self) -> Result<Seat, ApiError> {
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < MOST_SESSIONS).then_some(n + 1));
        taken.map(|_| Seat(Arc::clone(&self.0))).map_err(|_| {
            ApiError::new(
                400,
                "LimitExceededException",
                "Maximum number of concurrent Live Tail sessions exceeded.",
            )
        })
    }
}

/// What a session follows.
struct Wanted {
    /// Name and ARN of each group.
    groups: Vec<(String, String)>,
    streams: Vec<String>,
    prefixes: Vec<String>,
    text: String,
    pattern: Pattern,
}

struct Session {
    wanted: Wanted,
    source: Source,
    clock: Clock,
    started: Moment,
    /// Updates sent.
    updates: u32,
    /// Events up to this ingestion time have been looked at.
    seen: i64,
    /// Frames to send before the next update.
    waiting: VecDeque<Bytes>,
    over: bool,
    _seat: Seat,
}

/// Opens a session: the answer's body, or the error that is given instead.
///
/// # Errors
/// When the input is refused, a group does not exist, or too many sessions are open.
pub fn start_live_tail(
    source: Source,
    sessions: &Sessions,
    clock: &Clock,
    given: &Value,
) -> Result<ByteStream, ApiError> {
    let wanted = Wanted::read(&source(), given)?;
    let seat = sessions.seat()?;
    let started = clock.now();
    let mut session = Session {
        wanted,
        source,
        clock: clock.clone(),
        started,
        updates: 0,
        seen: started.wall.0,
        waiting: VecDeque::new(),
        over: false,
        _seat: seat,
    };
    // The event streams of the JSON protocols begin with the operation's own answer, which is empty here;
    // boto3 refuses a stream without it.
    session.waiting.push_back(frame::event("initial-response", b"{}"));
    session.waiting.push_back(session.start());
    Ok(Box::pin(stream::unfold(session, |mut session| async move {
        let frame = session.next().await?;
        Some((frame, session))
    })))
}

impl Wanted {
    fn read(groups: &Groups, given: &Value) -> Result<Self, ApiError> {
        let identifiers = input::texts(given, "logGroupIdentifiers", 10)?;
        if identifiers.is_empty() {
            return Err(input::constraint(
                "logGroupIdentifiers",
                "Member must have length greater than or equal to 1",
            ));
        }
        let mut found = Vec::new();
        for identifier in identifiers {
            if !identifier.starts_with("arn:") || identifier.ends_with(":*") {
                return Err(ApiError::invalid_parameter(format!(
                    "Invalid log group identifier `{identifier}`: an ARN that does not end in :* is needed."
                )));
            }
            let group = groups.named(input::group_name(groups, identifier)?)?;
            found.push((group.name.clone(), identifier.to_owned()));
        }
        let streams = input::texts(given, "logStreamNames", 100)?;
        let prefixes = input::texts(given, "logStreamNamePrefixes", 100)?;
        if !streams.is_empty() && !prefixes.is_empty() {
            return Err(ApiError::invalid_parameter(
                "LogStreamNames and LogStreamNamePrefixes are mutually exclusive parameters.",
            ));
        }
        if found.len() > 1 && !(streams.is_empty() && prefixes.is_empty()) {
            return Err(ApiError::invalid_parameter(
                "LogStreamNames and LogStreamNamePrefixes can be given with one log group only.",
            ));
        }
        let text = input::text(given, "logEventFilterPattern")?.unwrap_or_default();
        Ok(Self {
            groups: found,
            streams: streams.into_iter().map(str::to_owned).collect(),
            prefixes: prefixes.into_iter().map(str::to_owned).collect(),
            text: text.to_owned(),
            pattern: Pattern::parse(text)?,
        })
    }

    fn stream(&self, name: &str) -> bool {
        (self.streams.is_empty() && self.prefixes.is_empty())
            || self.streams.iter().any(|wanted| wanted == name)
            || self.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }
}

impl Session {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(frame) = self.waiting.pop_front() {
            return Some(frame);
        }
        if self.over {
            return None;
        }
        // Whole seconds after the start, so that slow answers do not add up.
        let due = Duration::from_secs(u64::from(self.updates) + 1);
        let passed = self.clock.now().since(self.started);
        if passed < due {
            self.clock.sleep(due - passed).await;
        } else {
            self.updates = u32::try_from(passed.as_secs()).unwrap_or(u32::MAX).saturating_sub(1);
        }
        self.updates = self.updates.saturating_add(1);
        let now = self.clock.now();
        if now.since(self.started) >= LONGEST {
            self.over = true;
            let body = json!({ "message": "The Live Tail session has reached its limit of three hours." });
            return Some(frame::exception("SessionTimeoutException", body.to_string().as_bytes()));
        }
        Some(self.update(now.wall.0))
    }

    fn start(&self) -> Bytes {
        let hash = chance::mix(chance::time(self.started.wall.0), chance::text(&self.wanted.text));
        let hash =
            self.wanted.groups.iter().fold(hash, |hash, (name, _)| chance::mix(hash, chance::text(name)));
        let id = |salt: u64| {
            let (high, low) = (chance::mix(hash, salt), chance::mix(hash, salt + 1));
            format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                high >> 32,
                high >> 16 & 0xffff,
                high & 0xfff,
                low >> 52,
                low & 0xffff_ffff_ffff
            )
        };
        let wanted = &self.wanted;
        let body = json!({
            "requestId": id(1),
            "sessionId": id(3),
            "logGroupIdentifiers": wanted.groups.iter().map(|(_, arn)| arn).collect::<Vec<_>>(),
            "logStreamNames": wanted.streams,
            "logStreamNamePrefixes": wanted.prefixes,
            "logEventFilterPattern": wanted.text,
        });
        frame::event("sessionStart", body.to_string().as_bytes())
    }

    fn update(&mut self, now: i64) -> Bytes {
        let groups = (self.source)();
        let after = self.seen.max(now - BEHIND);
        self.seen = now;
        let mut found: Vec<(Event, &str, &str)> = Vec::new();
        for (name, arn) in &self.wanted.groups {
            let Some(group) = groups.groups.iter().find(|group| &group.name == name) else { continue };
            for emitter in group.emitters.iter().filter(|emitter| self.wanted.stream(&emitter.stream)) {
                let events = emitter.ingested(after, now).into_iter();
                found.extend(
                    events
                        .filter(|event| self.wanted.pattern.matches(&event.message))
                        .map(|event| (event, emitter.stream.as_str(), arn.as_str())),
                );
            }
        }
        let sampled = found.len() > MOST_EVENTS;
        if sampled {
            // Evenly over the second: the events whose identity draws lowest stay.
            found.sort_by_key(|(event, ..)| {
                chance::mix(event.stream, event.sequence ^ chance::time(event.timestamp))
            });
            found.truncate(MOST_EVENTS);
        }
        found.sort_by_key(|(event, ..)| (event.ingested, event.key()));
        let results: Vec<Value> = found
            .iter()
            .map(|(event, stream, arn)| {
                json!({
                    "logStreamName": stream,
                    "logGroupIdentifier": arn,
                    "message": event.message,
                    "timestamp": event.timestamp,
                    "ingestionTime": event.ingested,
                })
            })
            .collect();
        let body = json!({ "sessionMetadata": { "sampled": sampled }, "sessionResults": results });
        frame::event("sessionUpdate", body.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests;
