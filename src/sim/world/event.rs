//! Service events: what the scheduler says about a service, newest first, at most 100 of them.
//!
//! Must not decide when to speak; it only forgets, and holds its tongue about what it has just said.

use std::collections::VecDeque;
use std::time::Duration;

use crate::stdx::clock::Wall;

/// So many are kept.
pub const MOST: usize = 100;

/// The scheduler does not repeat a message within this span.
pub const SILENCE: Duration = Duration::from_secs(6 * 3600);

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Wall,
    /// Makes its id.
    pub number: u64,
    /// What.
    pub message: String,
}

impl Event {
    /// Its id, in the form of a UUID.
    #[must_use]
    pub fn id(&self) -> String {
        uuid(self.number, self.at.0.unsigned_abs())
    }
}

/// A UUID made of two numbers.
#[must_use]
pub fn uuid(high: u64, low: u64) -> String {
    let mut dice = fastrand::Rng::with_seed(high ^ low.rotate_left(32));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        dice.u32(..),
        dice.u16(..),
        dice.u16(..) & 0xfff,
        (dice.u16(..) & 0x3fff) | 0x8000,
        dice.u64(..) & 0xffff_ffff_ffff
    )
}

/// The messages of one service.
#[derive(Clone, Debug, Default)]
pub struct Events {
    newest_first: VecDeque<Event>,
    said: u64,
}

impl Events {
    /// Says something, unless the same was said within the last six hours.
    pub fn say(&mut self, at: Wall, message: String) {
        let repeated = self
            .newest_first
            .iter()
            .take_while(|event| event.at.age_at(at) < SILENCE)
            .any(|event| event.message == message);
        if !repeated {
            self.say_again(at, message);
        }
    }

    /// Says something even if it was said just now: a state that was reached anew is news.
    pub fn say_again(&mut self, at: Wall, message: String) {
        self.said += 1;
        self.newest_first.push_front(Event { at, number: self.said, message });
        self.newest_first.truncate(MOST);
    }

    /// What was said, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.newest_first.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(events: &Events) -> Vec<&str> {
        events.iter().map(|event| event.message.as_str()).collect()
    }

    #[test]
    fn a_repeated_message_is_silenced_for_six_hours() {
        let mut events = Events::default();
        let start = Wall(0);
        events.say(start, "a".to_owned());
        events.say(start.plus(Duration::from_secs(60)), "b".to_owned());
        events.say(start.plus(SILENCE - Duration::from_secs(1)), "a".to_owned());
        assert_eq!(messages(&events), ["b", "a"]);
        events.say(start.plus(SILENCE), "a".to_owned());
        assert_eq!(messages(&events), ["a", "b", "a"]);
    }

    #[test]
    fn only_the_newest_hundred_are_kept() {
        let mut events = Events::default();
        for number in 0..150 {
            events.say(Wall(number), number.to_string());
        }
        assert_eq!(events.iter().count(), MOST);
        assert_eq!(events.iter().next().map(|event| event.message.as_str()), Some("149"));
    }

    #[test]
    fn ids_differ_between_messages_of_one_instant() {
        let mut events = Events::default();
        events.say(Wall(7), "a".to_owned());
        events.say(Wall(7), "b".to_owned());
        let ids: std::collections::BTreeSet<_> = events.iter().map(Event::id).collect();
        assert_eq!(ids.len(), 2);
    }
}
