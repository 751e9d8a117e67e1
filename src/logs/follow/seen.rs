//! Which events were already taken, so that windows may overlap without a line appearing twice.
//!
//! Events are told apart by AWS's id. Where an endpoint gives none, twins (same stream, times and text) are
//! told apart by their count within one complete reading of a window: the second of two is new, again and
//! again the same second is not.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::log::LogEvent;
use crate::stdx::clock::Wall;

/// An event's identity, small enough to keep tens of thousands of them.
pub(super) type Key = u128;

/// The events taken so far, back to a point in time.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    taken: HashMap<Key, Wall>,
}

/// How often each event without an id was met in one reading.
#[derive(Clone, Debug, Default)]
pub(super) struct Twins(HashMap<Key, u32>);

impl Twins {
    /// The key of an event, in the order of this reading.
    pub fn key(&mut self, event: &LogEvent) -> Key {
        let key = hash(event, 0);
        if event.id.is_some() {
            return key;
        }
        let count = self.0.entry(key).or_insert(0);
        *count += 1;
        hash(event, *count)
    }
}

fn hash(event: &LogEvent, twin: u32) -> Key {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, &event.stream, twin).hash(&mut hasher);
        match &event.id {
            Some(id) => id.hash(&mut hasher),
            None => (event.at, event.ingested_at, &event.message).hash(&mut hasher),
        }
        hasher.finish()
    };
    (u128::from(half(1)) << 64) | u128::from(half(2))
}

impl Seen {
    /// Takes the event; false when it was taken before.
    pub fn take(&mut self, key: Key, at: Wall) -> bool {
        self.taken.insert(key, at).is_none()
    }

    /// Forgets events before `at`: nobody will ask for them again.
    pub fn forget_before(&mut self, at: Wall) {
        self.taken.retain(|_, taken| *taken >= at);
    }

    /// How many are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.taken.len()
    }
}
