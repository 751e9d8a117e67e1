//! The lines that are kept: merged from all streams into one order, bounded in bytes, oldest dropped first.
//!
//! Lines stand in segments of about 128 KiB, each an arena of text with a table of fixed-size entries, behind
//! an `Arc`. A segment that is full changes only when a line arrives late inside it, and then a reader that
//! holds the old `Arc` keeps the old version: that is what lets a scan run over segments elsewhere without a
//! lock, and a later engine replace the arenas by compressed ones. A line is known by its `RecordId`, which is
//! its place in the order, so a cursor survives every insertion and eviction.
//!
//! Must not filter, and must not read a clock.

mod segment;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use segment::Entry;
pub use segment::{Segment, SegmentKey};

use super::level::Level;
use super::line::{Arrival, Batch, Line, Origin};
use super::parse::{self, Fields};
use super::trace::{self, Shape};
use crate::stdx::clock::Wall;

/// How far apart in time the lines of one stack trace may be.
const TRACE_GAP_MS: i64 = 2_000;
/// How far back or forward, in lines of all streams, the neighbour of a late line is looked for.
const NEIGHBOUR_REACH: usize = 256;

/// A stream by the order in which the store met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StreamId(pub u32);

/// A line's place in the order of all lines: by its time, then by when CloudWatch took it in, then by stream,
/// then by the order in which it reached us. It never changes and is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The event's time.
    pub at: Wall,
    /// When CloudWatch took it in.
    pub ingested_at: Wall,
    /// The stream.
    pub stream: StreamId,
    /// Unique; rising for lines that came by following, falling (and negative) for those read backwards.
    pub sequence: i64,
}

/// A stored line, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// Identity and place.
    pub id: RecordId,
    /// Its level; a line of a stack trace has that of the line above the trace.
    pub level: Option<Level>,
    /// The text, raw.
    pub message: &'a str,
    /// Where it came from.
    pub origin: &'a Origin,
    /// The sequence of the line under which it folds; its own when it stands alone or begins a trace.
    pub head: i64,
}

impl Record<'_> {
    /// Whether it folds under another line.
    #[must_use]
    pub fn is_continuation(&self) -> bool {
        self.head != self.id.sequence
    }
}

/// A position between insertions: good until the store changes, and cheap to step from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which segment.
    pub segment: usize,
    /// Which line in it.
    pub index: usize,
}

/// The newest line of a stream, for linking the next one to its trace without a search.
#[derive(Clone, Copy, Debug)]
struct Tail {
    id: RecordId,
    entry: Entry,
}

/// The store.
#[derive(Clone, Debug)]
pub struct Store {
    segments: VecDeque<Arc<Segment>>,
    origins: Vec<Arc<Origin>>,
    stream_ids: HashMap<Arc<Origin>, StreamId>,
    tails: HashMap<StreamId, Tail>,
    fields: Fields,
    budget: usize,
    bytes: usize,
    rising: i64,
    falling: i64,
    segments_made: u64,
    dropped: u64,
    /// The newest line that was dropped: nothing older is taken in again, or the view would show a hole as if
    /// it were silence.
    floor: Option<RecordId>,
}

impl Store {
    /// An empty store that holds about `budget` bytes, at least one segment's worth.
    #[must_use]
    pub fn new(budget: usize, fields: Fields) -> Self {
        Self {
            segments: VecDeque::new(),
            origins: Vec::new(),
            stream_ids: HashMap::new(),
            tails: HashMap::new(),
            fields,
            budget,
            bytes: 0,
            rising: 0,
            falling: 0,
            segments_made: 0,
            dropped: 0,
            floor: None,
        }
    }

    /// Takes lines in, each at its place.
    pub fn insert(&mut self, batch: &Batch) {
        let count = i64::try_from(batch.lines.len()).unwrap_or(i64::MAX);
        let first = match batch.arrival {
            Arrival::Newer => self.rising,
            Arrival::Older => self.falling - count,
        };
        match batch.arrival {
            Arrival::Newer => self.rising += count,
            Arrival::Older => self.falling -= count,
        }
        for (sequence, line) in (first..).zip(&batch.lines) {
            self.insert_line(line, sequence);
        }
        self.evict();
    }

    fn insert_line(&mut self, line: &Line, sequence: i64) {
        let stream = self.intern(&line.origin);
        let id = RecordId { at: line.at, ingested_at: line.ingested_at.unwrap_or(line.at), stream, sequence };
        if self.floor.is_some_and(|floor| id < floor) {
            self.dropped += 1;
            return;
        }
        let mut entry =
            Entry::new(id, trace::shape(&line.message), parse::level(&line.message, &self.fields));
        let newest = self.tails.get(&stream).copied();
        if newest.is_none_or(|tail| tail.id < id) {
            entry.link(newest.as_ref().map(|tail| &tail.entry));
            self.tails.insert(stream, Tail { id, entry });
            self.put(entry, &line.message);
        } else {
            let before = self.neighbour_before(id);
            entry.link(before.as_ref());
            self.put(entry, &line.message);
            self.relink_after(entry);
        }
    }

    fn intern(&mut self, origin: &Arc<Origin>) -> StreamId {
        if let Some(id) = self.stream_ids.get(origin) {
            return *id;
        }
        let id = StreamId(u32::try_from(self.origins.len()).unwrap_or(u32::MAX));
        self.bytes += size_of::<Origin>() + origin.stream.len() + origin.container.len() + origin.task.len();
        self.origins.push(origin.clone());
        self.stream_ids.insert(origin.clone(), id);
        id
    }

    /// Puts an entry where it belongs.
    fn put(&mut self, entry: Entry, text: &str) {
        let at = self.segments.partition_point(|s| s.last().is_some_and(|last| last < entry.id));
        let target =
            match self.segments.get(at) {
                None if at > 0 && !self.segments[at - 1].is_full() => at - 1,
                None => {
                    self.seal(at.wrapping_sub(1));
                    self.open(at)
                }
                Some(segment)
                    if segment.is_full() && segment.first().is_some_and(|first| entry.id < first) =>
                {
                    if at > 0 && !self.segments[at - 1].is_full() { at - 1 } else { self.open(at) }
                }
                Some(_) => at,
            };
        let split = self.change(target, |segment| {
            segment.insert(entry, text);
            segment.split_if_too_full()
        });
        if let Some(Some(mut upper)) = split {
            upper.number = self.segments_made;
            self.segments_made += 1;
            self.bytes += upper.bytes();
            self.segments.insert(target + 1, Arc::new(upper));
        }
    }

    /// Makes an empty segment at `at`.
    fn open(&mut self, at: usize) -> usize {
        let segment = Segment::new(self.segments_made);
        self.segments_made += 1;
        self.bytes += segment.bytes();
        self.segments.insert(at, Arc::new(segment));
        at
    }

    /// Gives back the room that growing took and nobody will use.
    fn seal(&mut self, at: usize) {
        self.change(at, Segment::shrink);
    }

    /// Changes one segment, keeping the count of bytes true. Readers that hold the old version keep it.
    fn change<T>(&mut self, at: usize, act: impl FnOnce(&mut Segment) -> T) -> Option<T> {
        let segment = Arc::make_mut(self.segments.get_mut(at)?);
        let before = segment.bytes();
        let result = act(segment);
        let after = segment.bytes();
        self.bytes = (self.bytes + after).saturating_sub(before);
        Some(result)
    }

    fn neighbour_before(&self, id: RecordId) -> Option<Entry> {
        let mut place = self.lower_bound(id);
        for _ in 0..NEIGHBOUR_REACH {
            place = self.previous(place)?;
            let entry = self.entry(place)?;
            if id.at.0 - entry.id.at.0 > TRACE_GAP_MS {
                return None;
            }
            if entry.id.stream == id.stream {
                return Some(*entry);
            }
        }
        None
    }

    /// After a late line, the rest of its trace may hang under another head than before.
    fn relink_after(&mut self, inserted: Entry) {
        let mut above = inserted;
        let mut place = self.lower_bound(inserted.id);
        for _ in 0..NEIGHBOUR_REACH {
            let Some(next) = self.next(place) else { return };
            place = next;
            let Some(entry) = self.entry(place).copied() else { return };
            if entry.id.at.0 - above.id.at.0 > TRACE_GAP_MS {
                return;
            }
            if entry.id.stream != inserted.id.stream {
                continue;
            }
            let mut linked = entry;
            linked.link(Some(&above));
            if linked == entry {
                return;
            }
            self.change(place.segment, |segment| segment.replace(place.index, linked));
            if let Some(tail) = self.tails.get_mut(&linked.id.stream)
                && tail.id == linked.id
            {
                tail.entry = linked;
            }
            above = linked;
        }
    }

    fn evict(&mut self) {
        while self.bytes > self.budget && self.segments.len() > 1 {
            let Some(oldest) = self.segments.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
            self.dropped += u64::try_from(oldest.len()).unwrap_or(u64::MAX);
            self.floor = self.floor.max(oldest.last());
        }
    }

    /// How many lines are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments.iter().map(|s| s.len()).sum()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// What it costs: text, entries, and the room set aside for more of them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it may cost.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// Whether reading further back is pointless, since the oldest lines would be dropped again at once.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.floor.is_some() || self.bytes > self.budget / 10 * 9
    }

    /// How many lines were dropped to stay within the budget.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many lines have come by following: the sequence that the next one will have.
    #[must_use]
    pub fn arrived(&self) -> i64 {
        self.rising
    }

    /// The lowest sequence given to a line that was read backwards.
    #[must_use]
    pub fn fallen(&self) -> i64 {
        self.falling
    }

    /// Which fields mean what.
    #[must_use]
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The streams seen so far.
    #[must_use]
    pub fn origins(&self) -> &[Arc<Origin>] {
        &self.origins
    }

    /// The segments, oldest first.
    #[must_use]
    pub fn segments(&self) -> &VecDeque<Arc<Segment>> {
        &self.segments
    }

    /// The first and the last line.
    #[must_use]
    pub fn ends(&self) -> Option<(RecordId, RecordId)> {
        Some((self.segments.front()?.first()?, self.segments.back()?.last()?))
    }

    fn entry(&self, place: Place) -> Option<&Entry> {
        self.segments.get(place.segment)?.entry(place.index)
    }

    /// The line at a place.
    #[must_use]
    pub fn get(&self, place: Place) -> Option<Record<'_>> {
        self.segments.get(place.segment)?.record(place.index, &self.origins)
    }

    /// The line of that identity, if it is still held.
    #[must_use]
    pub fn find(&self, id: RecordId) -> Option<Record<'_>> {
        self.get(self.lower_bound(id)).filter(|record| record.id == id)
    }

    /// The place of the first line that is not before `id`; the end when there is none.
    #[must_use]
    pub fn lower_bound(&self, id: RecordId) -> Place {
        let segment = self.segments.partition_point(|s| s.last().is_some_and(|last| last < id));
        let index = self.segments.get(segment).map_or(0, |s| s.lower_bound(id));
        Place { segment, index }
    }

    /// The place behind the last line.
    #[must_use]
    pub fn end(&self) -> Place {
        Place { segment: self.segments.len(), index: 0 }
    }

    /// The place after, if there is a line.
    #[must_use]
    pub fn next(&self, place: Place) -> Option<Place> {
        let segment = self.segments.get(place.segment)?;
        let next = if place.index + 1 < segment.len() {
            Place { index: place.index + 1, ..place }
        } else {
            Place { segment: place.segment + 1, index: 0 }
        };
        self.segments.get(next.segment).map(|_| next)
    }

    /// The place before, if there is a line.
    #[must_use]
    pub fn previous(&self, place: Place) -> Option<Place> {
        if place.index > 0 {
            return Some(Place { index: place.index - 1, ..place });
        }
        let segment = place.segment.checked_sub(1)?;
        let index = self.segments.get(segment)?.len().checked_sub(1)?;
        Some(Place { segment, index })
    }

    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.segments.iter().flat_map(|s| (0..s.len()).filter_map(|i| s.record(i, &self.origins)))
    }

    /// How many lines fold under this one.
    #[must_use]
    pub fn folded_under(&self, id: RecordId) -> usize {
        let mut place = self.lower_bound(id);
        let (mut count, mut strangers) = (0, 0);
        while strangers < NEIGHBOUR_REACH {
            let Some(next) = self.next(place) else { break };
            place = next;
            match self.entry(place) {
                Some(entry) if entry.head == id.sequence => {
                    count += 1;
                    strangers = 0;
                }
                Some(entry) if entry.id.stream == id.stream => break,
                _ => strangers += 1,
            }
        }
        count
    }
}

impl Entry {
    /// Decides under which line it folds, and its level with it, from the line above it in its stream.
    fn link(&mut self, above: Option<&Self>) {
        let near = above.filter(|a| self.id.at.0 - a.id.at.0 <= TRACE_GAP_MS);
        let joins = match (self.shape, near) {
            (Shape::Plain, _) | (_, None) => None,
            (Shape::Continuation, Some(above)) => Some(above),
            (Shape::Trouble, Some(above)) => {
                let in_trace = above.head != above.id.sequence || above.level >= Some(Level::Error);
                in_trace.then_some(above)
            }
        };
        let own = if self.shape == Shape::Trouble { Some(Level::Error) } else { self.detected };
        (self.head, self.level) = joins.map_or((self.id.sequence, own), |a| (a.head, a.level));
    }
}

#[cfg(test)]
mod tests;
