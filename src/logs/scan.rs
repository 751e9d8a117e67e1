//! A filter applied to the store, a few bytes at a time: newest lines first, results kept per segment.
//!
//! The caller gives a byte budget per turn, so that no key waits for a search; lines that come later cost only
//! themselves. Must not decide what a reader sees of the matches; `viewport` does.

use std::collections::HashMap;

use super::filter::Filter;
use super::store::{Place, Segment, SegmentKey, Store};

/// Bytes of text that one turn may look at without a key being felt.
pub const TURN: usize = 2 << 20;

/// How far a scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Lines looked at.
    pub scanned: usize,
    /// Lines held.
    pub lines: usize,
    /// Lines wanted, among those looked at.
    pub found: usize,
}

impl Progress {
    /// Whether every line has been looked at.
    #[must_use]
    pub fn is_done(self) -> bool {
        self.scanned == self.lines
    }
}

/// Where a step among the wanted lines ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// At a wanted line.
    At(Place),
    /// There is none in that direction.
    End,
    /// The lines in that direction have not been looked at yet.
    Unscanned,
}

#[derive(Clone, Debug)]
struct Hits {
    key: SegmentKey,
    upto: usize,
    found: Vec<u32>,
}

/// A filter and what it found so far.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    filter: Filter,
    hits: HashMap<u64, Hits>,
}

/// What is known of one segment.
enum Known<'a> {
    All,
    Hits(&'a Hits),
    Nothing,
}

impl Scan {
    /// A scan that has not begun.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        Self { filter, hits: HashMap::new() }
    }

    /// What is wanted.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Looks at lines that were not looked at yet, newest segments first, until `budget` bytes are spent.
    pub fn advance(&mut self, store: &Store, budget: usize) -> Progress {
        if !self.filter.is_everything() {
            if self.hits.len() > 2 * store.segments().len() + 8 {
                let live: std::collections::HashSet<u64> =
                    store.segments().iter().map(|s| s.number()).collect();
                self.hits.retain(|number, _| live.contains(number));
            }
            let mut left = budget;
            for segment in store.segments().iter().rev() {
                if left == 0 {
                    break;
                }
                left = self.look_at(segment, store, left);
            }
        }
        self.progress(store)
    }

    fn look_at(&mut self, segment: &Segment, store: &Store, mut left: usize) -> usize {
        let key = segment.key();
        let fresh = || Hits { key, upto: 0, found: Vec::new() };
        let hits = self.hits.entry(segment.number()).or_insert_with(fresh);
        if hits.key != key {
            *hits = fresh();
        }
        while left > 0
            && let Some(record) = segment.record(hits.upto, store.origins())
        {
            if self.filter.matches(&record) {
                hits.found.push(u32::try_from(hits.upto).unwrap_or(u32::MAX));
            }
            hits.upto += 1;
            // An entry costs something too: a segment of empty lines is not free.
            left = left.saturating_sub(record.message.len() + 32);
        }
        left
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self, store: &Store) -> Progress {
        let mut progress = Progress::default();
        for segment in store.segments() {
            progress.lines += segment.len();
            let (scanned, found) = match self.known(segment) {
                Known::All => (segment.len(), segment.len()),
                Known::Hits(hits) => (hits.upto, hits.found.len()),
                Known::Nothing => (0, 0),
            };
            progress.scanned += scanned;
            progress.found += found;
        }
        progress
    }

    fn known(&self, segment: &Segment) -> Known<'_> {
        if self.filter.is_everything() {
            return Known::All;
        }
        match self.hits.get(&segment.number()) {
            Some(hits) if hits.key == segment.key() => Known::Hits(hits),
            _ => Known::Nothing,
        }
    }

    /// The first wanted line at `place` or after it.
    #[must_use]
    pub fn at_or_after(&self, store: &Store, place: Place) -> Step {
        let mut index = place.index;
        for number in place.segment..store.segments().len() {
            let Some(segment) = store.segments().get(number) else { break };
            match self.known(segment) {
                Known::Nothing => return Step::Unscanned,
                Known::All if index < segment.len() => return Step::At(Place { segment: number, index }),
                Known::All => {}
                Known::Hits(hits) => {
                    let next = hits.found.partition_point(|&hit| (hit as usize) < index);
                    if let Some(&hit) = hits.found.get(next) {
                        return Step::At(Place { segment: number, index: hit as usize });
                    }
                    if hits.upto < segment.len() {
                        return Step::Unscanned;
                    }
                }
            }
            index = 0;
        }
        Step::End
    }

    /// The last wanted line before `place`.
    #[must_use]
    pub fn before(&self, store: &Store, place: Place) -> Step {
        let last = store.segments().len();
        let (from, mut index) = if place.segment >= last { (last, 0) } else { (place.segment, place.index) };
        for number in (0..=from).rev() {
            let Some(segment) = store.segments().get(number) else {
                index = usize::MAX;
                continue;
            };
            let limit = index.min(segment.len());
            match self.known(segment) {
                Known::Nothing if limit > 0 => return Step::Unscanned,
                Known::All if limit > 0 => return Step::At(Place { segment: number, index: limit - 1 }),
                Known::Nothing | Known::All => {}
                Known::Hits(hits) => {
                    // The newest lines of the last segment may still wait for their turn; everywhere else a
                    // line that was not looked at may be the one.
                    if hits.upto < limit && number + 1 < last {
                        return Step::Unscanned;
                    }
                    let next = hits.found.partition_point(|&hit| (hit as usize) < limit);
                    if let Some(&hit) = next.checked_sub(1).and_then(|n| hits.found.get(n)) {
                        return Step::At(Place { segment: number, index: hit as usize });
                    }
                }
            }
            index = usize::MAX;
        }
        Step::End
    }

    /// How many wanted lines came by following since the store had `arrived` of them.
    #[must_use]
    pub fn found_since(&self, store: &Store, arrived: i64) -> usize {
        let new = |segment: &Segment, index: usize| {
            segment.record(index, store.origins()).is_some_and(|record| record.id.sequence >= arrived)
        };
        let recent = store.segments().iter().filter(|segment| segment.newest_arrival() >= arrived);
        recent
            .map(|segment| match self.known(segment) {
                Known::All => (0..segment.len()).filter(|&i| new(segment, i)).count(),
                Known::Hits(hits) => hits.found.iter().filter(|&&i| new(segment, i as usize)).count(),
                Known::Nothing => 0,
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::log::LogGroupId;
    use crate::domain::scope::Scope;
    use crate::logs::line::{Arrival, Batch, Line, Origin};
    use crate::logs::parse::Fields;
    use crate::stdx::clock::Wall;
    use proptest::prelude::*;

    fn batch(lines: &[(i64, usize)]) -> Batch {
        let group = LogGroupId { scope: Scope::new("default", "eu-west-2"), name: "/ecs/x".into() };
        let origin =
            Arc::new(Origin { group, stream: "s".into(), container: "app".into(), task: "t".into() });
        let line = |&(at, kind): &(i64, usize)| Line {
            origin: origin.clone(),
            event_id: None,
            at: Wall(at),
            ingested_at: None,
            message: format!("{} {}", ["wanted", "other", "third"][kind % 3], "x".repeat(kind * 9)),
        };
        Batch { arrival: Arrival::Newer, lines: lines.iter().map(line).collect() }
    }

    fn forward(scan: &Scan, store: &Store) -> Vec<String> {
        let mut found = Vec::new();
        let mut place = Place { segment: 0, index: 0 };
        while let Step::At(at) = scan.at_or_after(store, place) {
            found.push(store.get(at).unwrap().message.to_owned());
            place = Place { index: at.index + 1, ..at };
        }
        found
    }

    fn backward(scan: &Scan, store: &Store) -> Vec<String> {
        let mut found = Vec::new();
        let mut place = store.end();
        while let Step::At(at) = scan.before(store, place) {
            found.push(store.get(at).unwrap().message.to_owned());
            place = at;
        }
        found.reverse();
        found
    }

    #[test]
    fn a_turn_spends_its_budget_and_the_newest_lines_come_first() {
        let mut store = Store::new(64 << 20, Fields::default());
        let lines: Vec<(i64, usize)> = (0..9_000).map(|n| (n, 0)).collect();
        store.insert(&batch(&lines));
        let mut scan = Scan::new(Filter::parse("wanted").unwrap());
        let first = scan.advance(&store, 3_000);
        assert!(first.scanned > 0 && first.scanned < 100, "{first:?}");
        let mut turns = 1;
        while !scan.advance(&store, 30_000).is_done() {
            turns += 1;
        }
        assert!(turns > 3, "{turns}");
        assert_eq!(scan.progress(&store).found, 9_000);
        assert_eq!(scan.found_since(&store, 8_990), 10);
    }

    #[test]
    fn what_was_not_looked_at_is_said() {
        let mut store = Store::new(64 << 20, Fields::default());
        store.insert(&batch(&[(1, 0)]));
        let scan = Scan::new(Filter::parse("wanted").unwrap());
        assert_eq!(scan.at_or_after(&store, Place { segment: 0, index: 0 }), Step::Unscanned);
        assert_eq!(scan.before(&store, store.end()), Step::Unscanned);
        assert_eq!(Scan::default().before(&store, store.end()), Step::At(Place { segment: 0, index: 0 }));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn turns_between_insertions_find_what_one_look_finds(
            batches in proptest::collection::vec(proptest::collection::vec((0i64..500, 0usize..200), 0..200), 1..12),
            budgets in proptest::collection::vec(1usize..60_000, 12),
        ) {
            let mut store = Store::new(64 << 20, Fields::default());
            let mut scan = Scan::new(Filter::parse("wanted").unwrap());
            for (lines, budget) in batches.iter().zip(&budgets) {
                store.insert(&batch(lines));
                scan.advance(&store, *budget);
            }
            while !scan.advance(&store, 50_000).is_done() {}
            let expected: Vec<String> =
                store.iter().filter(|r| scan.filter().matches(r)).map(|r| r.message.to_owned()).collect();
            prop_assert_eq!(forward(&scan, &store), expected.clone());
            prop_assert_eq!(backward(&scan, &store), expected.clone());
            prop_assert_eq!(scan.progress(&store).found, expected.len());
        }
    }
}
