//! Reading back: what lies before, newest first where the endpoint can, else in windows that grow.
//!
//! Must not ask for what is known, and never skip: `known_from` moves only over what was read completely.

use std::time::Duration;

use super::{Brought, Channel, Job, NEWEST_FIRST_SINCE, PAGE};
use crate::domain::log::LogEvent;
use crate::domain::query::PageToken;
use crate::logs::follow::seen::Twins;
use crate::logs::follow::state::Gap;
use crate::logs::line::Arrival;
use crate::stdx::clock::{Moment, Wall};

impl Channel {
    pub(super) fn next_back(&mut self, now: Moment) -> Option<Job> {
        let to = (self.known_from.0 != i64::MAX).then_some(Wall(self.known_from.0 - 1));
        let end = to.unwrap_or(now.wall);
        if end < NEWEST_FIRST_SINCE.min(self.since) {
            self.exhausted = true;
            self.wanted = 0;
            return None;
        }
        let windowed = !self.newest_first_works;
        // What was asked for at the beginning is the first window of a newest-first reading.
        let from = if end >= self.since && !windowed { self.since } else { end.minus(self.window) };
        let from = if end >= self.since { from.max(self.since) } else { from };
        let from = if windowed { from } else { from.max(NEWEST_FIRST_SINCE) };
        let limit = if windowed { PAGE } else { u32::try_from(self.page).unwrap_or(PAGE).min(PAGE) };
        Some(Job { newest_first: !windowed, limit, ..Job::new(from, to, now) })
    }

    /// A page of a reading back.
    pub(super) fn back_page(
        &mut self,
        events: Vec<LogEvent>,
        next: Option<PageToken>,
        now: Moment,
    ) -> Brought {
        let Some(job) = self.back.as_mut() else { return Brought::default() };
        if job.newest_first && is_falling(&events) == Some(false) {
            // The endpoint took the wish and ignored it: its pages run the other way.
            self.newest_first_works = false;
            job.newest_first = false;
        }
        let (_, circle) = job.turn(next, now);
        self.lost.extend(circle);
        let in_order = job.newest_first;
        let brought =
            if in_order { self.back_page_in_order(events) } else { self.back_page_in_window(events) };
        if self.back.is_none() || !in_order {
            // Live begins when the first screenful is here, with the skew known.
            self.next_live.get_or_insert(now.mono);
        }
        brought
    }

    /// Newest first: each page can be shown at once, and the reading may stop at any of them. The lines of the
    /// oldest millisecond wait for the next page, so that no millisecond is taken from two sides.
    fn back_page_in_order(&mut self, mut events: Vec<LogEvent>) -> Brought {
        let Some(job) = self.back.as_mut() else { return Brought::default() };
        let count = events.len();
        let is_last = job.token.is_none() && count < job.limit as usize;
        events.reverse();
        events.append(&mut job.collected);
        events.sort_by_key(|event| event.at);
        let oldest = events.first().map(|event| event.at);
        let waiting =
            if is_last { 0 } else { events.iter().take_while(|event| Some(event.at) == oldest).count() };
        let stuck = waiting == events.len() && !is_last && job.token.is_none();
        if !stuck {
            job.collected = events.drain(..waiting).collect();
        }
        let mut fresh = Vec::new();
        for event in events {
            let key = job.twins.key(&event);
            if event.at < self.shared_from || self.seen.take(key, event.at) {
                fresh.push(event);
            }
        }
        let (start, has_token) = (job.start, job.token.is_some());
        if let Some(first_known) = oldest.map(|oldest| Wall(oldest.0 + 1)) {
            self.known_from = self.known_from.min(first_known);
        }
        self.wanted = self.wanted.saturating_sub(count);
        if stuck {
            // More lines in one millisecond than a page holds, and no token for the rest.
            self.lost.push(Gap { from: start, to: self.known_from, filling: false });
        }
        if is_last || stuck {
            self.window_done(start);
        } else if !has_token || (self.wanted == 0 && !fresh.is_empty()) {
            // Parked: reading on begins from the last line, since a token may outlive what is remembered.
            self.back = None;
        }
        Brought { events: fresh, arrival: Some(Arrival::Older), no_such_stream: false }
    }

    /// In the order of time: shown when the window is complete.
    fn back_page_in_window(&mut self, events: Vec<LogEvent>) -> Brought {
        let Some(job) = self.back.as_mut() else { return Brought::default() };
        let count = events.len();
        let newest = events.iter().map(|e| e.at).max();
        for event in events {
            let key = job.twins.key(&event);
            if job.collected_keys.insert(key) {
                job.collected.push(event);
            }
        }
        if job.token.is_some() {
            return Brought::default();
        }
        if job.asks_on(count, newest) {
            return Brought::default();
        }
        let mut collected = std::mem::take(&mut job.collected);
        collected.sort_by_key(|event| event.at);
        let start = job.start;
        let mut twins = Twins::default();
        collected.retain(|event| {
            let key = twins.key(event);
            event.at < self.shared_from || self.seen.take(key, event.at)
        });
        let found = collected.len();
        self.wanted = self.wanted.saturating_sub(found);
        self.window_done(start);
        Brought { events: collected, arrival: Some(Arrival::Older), no_such_stream: false }
    }

    /// A window was read to its beginning.
    fn window_done(&mut self, from: Wall) {
        self.back = None;
        self.known_from = self.known_from.min(from);
        if from <= NEWEST_FIRST_SINCE.min(self.since) {
            self.exhausted = true;
            self.wanted = 0;
        } else if from == self.since {
            // What was asked for at the beginning is complete; further back only when somebody scrolls there.
            self.wanted = 0;
            self.window = Duration::from_secs(3_600);
        } else if self.wanted > 0 {
            self.window = self.window.saturating_mul(4);
        }
    }
}

/// Whether a page runs from new to old; `None` when it cannot be told.
fn is_falling(events: &[LogEvent]) -> Option<bool> {
    let mut falls = false;
    for pair in events.windows(2) {
        if let [a, b] = pair {
            if b.at > a.at {
                return Some(false);
            }
            falls |= b.at < a.at;
        }
    }
    falls.then_some(true)
}
