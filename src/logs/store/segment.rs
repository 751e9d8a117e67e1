//! A run of lines: an arena of text, and a table that says in which order it is read.
//!
//! Must not know its neighbours.

use std::sync::Arc;

use super::{Record, RecordId};
use crate::logs::level::Level;
use crate::logs::line::Origin;
use crate::logs::trace::Shape;

/// Text beyond which a segment takes no more at its ends.
const FULL_BYTES: usize = 128 * 1024;
/// Lines beyond which a segment takes no more at its ends.
const FULL_LINES: usize = 2_048;

/// What is kept of a line beside its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: RecordId,
    pub head: i64,
    offset: u32,
    length: u32,
    pub shape: Shape,
    /// What the line itself says.
    pub detected: Option<Level>,
    /// What counts.
    pub level: Option<Level>,
}

impl Entry {
    pub fn new(id: RecordId, shape: Shape, level: Option<Level>) -> Self {
        Self { id, head: id.sequence, offset: 0, length: 0, shape, detected: level, level }
    }
}

/// Names a version of a segment's contents: lines added at the end leave it, anything else changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SegmentKey {
    number: u64,
    edits: u32,
}

/// A run of lines.
#[derive(Clone, Debug)]
pub struct Segment {
    pub(super) number: u64,
    edits: u32,
    text: String,
    entries: Vec<Entry>,
    newest_arrival: i64,
}

impl Segment {
    pub(super) fn new(number: u64) -> Self {
        Self { number, edits: 0, text: String::new(), entries: Vec::new(), newest_arrival: i64::MIN }
    }

    /// Its number and version.
    #[must_use]
    pub fn key(&self) -> SegmentKey {
        SegmentKey { number: self.number, edits: self.edits }
    }

    /// Which segment it is, whatever its version.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no lines.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of its text.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The highest sequence in it: below a watermark, nothing in it is new.
    #[must_use]
    pub fn newest_arrival(&self) -> i64 {
        self.newest_arrival
    }

    /// The place of its first line.
    #[must_use]
    pub fn first(&self) -> Option<RecordId> {
        self.entries.first().map(|e| e.id)
    }

    /// The place of its last line.
    #[must_use]
    pub fn last(&self) -> Option<RecordId> {
        self.entries.last().map(|e| e.id)
    }

    /// A line, with the store's list of streams.
    #[must_use]
    pub fn record<'a>(&'a self, index: usize, origins: &'a [Arc<Origin>]) -> Option<Record<'a>> {
        let entry = self.entries.get(index)?;
        Some(Record {
            id: entry.id,
            level: entry.level,
            message: self.text_of(entry),
            origin: origins.get(entry.id.stream.0 as usize)?,
            head: entry.head,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= FULL_BYTES || self.entries.len() >= FULL_LINES
    }

    pub(super) fn entry(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    pub(super) fn lower_bound(&self, id: RecordId) -> usize {
        self.entries.partition_point(|e| e.id < id)
    }

    fn text_of(&self, entry: &Entry) -> &str {
        let start = entry.offset as usize;
        self.text.get(start..start + entry.length as usize).unwrap_or_default()
    }

    pub(super) fn insert(&mut self, mut entry: Entry, text: &str) {
        // Offsets are 32 bits wide. An event is at most 1 MB, and a full segment takes more only in its middle,
        // where it is split: the limit is never near.
        let text = crate::logs::level::head(text, u32::MAX as usize / 2);
        entry.offset = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        entry.length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.text.push_str(text);
        self.newest_arrival = self.newest_arrival.max(entry.id.sequence);
        let index = self.lower_bound(entry.id);
        if index < self.entries.len() {
            self.edits += 1;
        }
        self.entries.insert(index, entry);
    }

    pub(super) fn replace(&mut self, index: usize, mut entry: Entry) {
        if let Some(place) = self.entries.get_mut(index) {
            (entry.offset, entry.length) = (place.offset, place.length);
            *place = entry;
            self.edits += 1;
        }
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// Cuts itself in two when lines in its middle made it twice too full, and returns the upper half.
    pub(super) fn split_if_too_full(&mut self) -> Option<Self> {
        let too_full = self.text.len() > 2 * FULL_BYTES || self.entries.len() > 2 * FULL_LINES;
        if !too_full || self.entries.len() < 2 {
            return None;
        }
        let upper = self.entries.split_off(self.entries.len() / 2);
        let old = std::mem::take(self);
        let copy = |entries: &[Entry], into: &mut Self| {
            into.entries.reserve_exact(entries.len());
            into.text.reserve_exact(entries.iter().map(|e| e.length as usize).sum());
            for entry in entries {
                into.insert(*entry, old.text_of(entry));
            }
        };
        let mut high = Self::new(0);
        copy(&upper, &mut high);
        *self = Self { number: old.number, edits: old.edits + 1, ..Self::new(0) };
        copy(&old.entries, self);
        Some(high)
    }
}

impl Default for Segment {
    fn default() -> Self {
        Self::new(0)
    }
}
