//! How many requests may be in flight at once, foreground first.
//!
//! Background never holds more than half, so that eight refreshes into a black hole do not keep the one
//! request that somebody waits for outside. Must not count requests over time; tokens do that.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::domain::query::Class;

/// The places.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    foreground: Side,
    background: Side,
}

#[derive(Debug, Default)]
struct Side {
    in_flight: usize,
    waiting: VecDeque<oneshot::Sender<Slot>>,
}

/// A place in flight; dropping it hands it on.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    class: Class,
    /// Cleared when a slot is taken apart without having been used.
    held: bool,
}

impl Slots {
    pub fn new(limit: usize) -> Self {
        let state = State { limit, foreground: Side::default(), background: Side::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a place: first come, first served within a class. Dropping the future leaves the queue.
    pub async fn take(&self, class: Class) -> Slot {
        let receiver = {
            let mut state = self.lock();
            if state.side(class).waiting.is_empty() && state.has_room(class) {
                state.side(class).in_flight += 1;
                return self.slot(class);
            }
            let (sender, receiver) = oneshot::channel();
            state.side(class).waiting.push_back(sender);
            receiver
        };
        // The sender lives in the queue until it sends, and the queue as long as `self`.
        receiver.await.unwrap_or_else(|_| Slot { slots: self.clone(), class, held: false })
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> usize {
        let state = self.lock();
        state.foreground.in_flight + state.background.in_flight
    }

    fn slot(&self, class: Class) -> Slot {
        Slot { slots: self.clone(), class, held: true }
    }

    fn release(&self, class: Class) {
        let mut state = self.lock();
        let side = state.side(class);
        side.in_flight = side.in_flight.saturating_sub(1);
        for class in [Class::Foreground, Class::Background] {
            while state.has_room(class) {
                let Some(sender) = state.side(class).waiting.pop_front() else { break };
                state.side(class).in_flight += 1;
                if let Err(mut unused) = sender.send(self.slot(class)) {
                    // Whoever waited has gone.
                    unused.held = false;
                    state.side(class).in_flight -= 1;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn side(&mut self, class: Class) -> &mut Side {
        match class {
            Class::Foreground => &mut self.foreground,
            Class::Background => &mut self.background,
        }
    }

    fn has_room(&self, class: Class) -> bool {
        let all = self.foreground.in_flight + self.background.in_flight;
        let background_full = self.background.in_flight >= (self.limit / 2).max(1);
        all < self.limit && (class == Class::Foreground || !background_full)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.held {
            self.slots.release(self.class);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn settle() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn foreground_passes_a_queue_of_background() {
        let slots = Slots::new(4);
        let held = [slots.take(Class::Background).await, slots.take(Class::Background).await];
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for name in ["b1", "b2"] {
            let (slots, order) = (slots.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let _slot = slots.take(Class::Background).await;
                order.lock().unwrap().push(name);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }));
            settle().await;
        }
        let first = slots.take(Class::Foreground).await;
        let second = slots.take(Class::Foreground).await;
        assert_eq!(slots.in_flight(), 4, "half of the places is closed to background");
        let foreground = tokio::spawn({
            let (slots, order) = (slots.clone(), order.clone());
            async move {
                let _slot = slots.take(Class::Foreground).await;
                order.lock().unwrap().push("f");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        settle().await;
        drop(held);
        foreground.await.unwrap();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["f", "b1", "b2"]);
        drop((first, second));
        assert_eq!(slots.in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_that_leaves_keeps_nothing() {
        let slots = Slots::new(1);
        let held = slots.take(Class::Foreground).await;
        let impatient = tokio::spawn({
            let slots = slots.clone();
            async move { slots.take(Class::Foreground).await }
        });
        settle().await;
        // It is handed the place and cancelled before it wakes.
        drop(held);
        impatient.abort();
        settle().await;
        drop(impatient.await);
        assert_eq!(slots.in_flight(), 0);

        let held = slots.take(Class::Foreground).await;
        let impatient = tokio::time::timeout(Duration::from_secs(1), slots.take(Class::Foreground)).await;
        assert!(impatient.is_err());
        drop(held);
        assert_eq!(slots.in_flight(), 0);
        drop(slots.take(Class::Background).await);
    }
}
