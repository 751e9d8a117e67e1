//! Where every request waits for its turn: first come, first served within a class, one token and one place
//! in flight each.
//!
//! Waiting happens here and nowhere else, outside every timeout; dropping the future leaves the queue and
//! takes nothing along.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::cloud::budget::ledger::{Failed, Ledger};
use crate::cloud::budget::quota::{self, Quota};
use crate::cloud::budget::slots::{Slot, Slots};
use crate::cloud::budget::{Budget, Share};
use crate::cloud::meter::{Meter, MeterRow, Sharing};
use crate::cloud::session::Service;
use crate::cloud::settings::Pacing;
use crate::domain::fault::Fault;
use crate::domain::query::Class;
use crate::domain::scope::Scope;
use crate::stdx::clock::{Clock, Moment};

/// Requests in flight per service and scope.
const IN_FLIGHT: usize = 8;
/// The same without pacing.
const IN_FLIGHT_UNPACED: usize = 32;
/// How long a process waits before it tries a locked page again, and how often.
const BUSY_PAUSE: Duration = Duration::from_millis(2);
const BUSY_TRIES: u32 = 25;
/// The time constant of the meter's averages, in seconds.
const AVERAGE_S: f64 = 10.0;

/// The gate before AWS.
#[derive(Debug)]
pub(in crate::cloud) struct Gate {
    clock: Clock,
    pacing: Pacing,
    /// `None` when the budget is this process's own.
    ledger: Option<Ledger>,
    trouble: Mutex<Option<String>>,
    lanes: Mutex<BTreeMap<(Scope, &'static str), Arc<Lane>>>,
    slots: Mutex<HashMap<(Scope, Service), Slots>>,
}

/// One bucket of one scope.
#[derive(Debug)]
struct Lane {
    scope: Scope,
    quota: Quota,
    budget: Mutex<Budget>,
    /// The queues: a tokio mutex is handed on in order, and leaving it while waiting is safe.
    foreground: tokio::sync::Mutex<()>,
    background: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
    count: Mutex<Count>,
}

#[derive(Debug, Default)]
struct Count {
    requests: u64,
    /// Requests, each fading with time.
    faded: f64,
    faded_at: Duration,
    throttled_at: Option<Moment>,
    last_fault: Option<(Moment, Fault)>,
}

/// The right to send one request; to be held while it is in flight.
#[derive(Debug)]
pub(in crate::cloud) struct Ticket {
    lane: Arc<Lane>,
    _slot: Slot,
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a bucket said.
enum Taken {
    Yes,
    /// Not before this has passed.
    Later(Duration),
    /// Another process holds the page.
    Busy,
}

impl Gate {
    pub fn new(clock: Clock, pacing: Pacing, ledger: Option<Ledger>) -> Self {
        let ledger = ledger.filter(|_| pacing == Pacing::On);
        Self {
            clock,
            pacing,
            ledger,
            trouble: Mutex::default(),
            lanes: Mutex::default(),
            slots: Mutex::default(),
        }
    }

    /// Waits until a request may be sent.
    pub async fn enter(&self, scope: &Scope, action: &str, class: Class) -> Ticket {
        let scope = quota::counted(scope, action);
        let lane = self.lane(&scope, action);
        let slots = self.slots(&scope, Service::of(action));
        let slot = {
            let _waiting = Waiting::new(&lane.waiting);
            match self.pacing {
                Pacing::Off => slots.take(class).await,
                Pacing::On => self.turn(&lane, &slots, class).await,
            }
        };
        lane.sent(self.clock.now());
        Ticket { lane, _slot: slot }
    }

    async fn turn(&self, lane: &Lane, slots: &Slots, class: Class) -> Slot {
        let queue = match class {
            Class::Foreground => &lane.foreground,
            Class::Background => &lane.background,
        };
        let _turn = queue.lock().await;
        let mut busy = 0;
        loop {
            // The place first: a token that waited for a place would be spent later than it was counted.
            let slot = slots.take(class).await;
            let pause = match self.take(lane, class, busy < BUSY_TRIES) {
                Taken::Yes => return slot,
                Taken::Later(wait) => wait,
                Taken::Busy => {
                    busy += 1;
                    BUSY_PAUSE
                }
            };
            drop(slot);
            self.clock.sleep(pause).await;
        }
    }

    fn take(&self, lane: &Lane, class: Class, shared: bool) -> Taken {
        let take = |budget: &mut Budget, now| match budget.take(&lane.quota, class, now) {
            Ok(()) => Taken::Yes,
            Err(wait) => Taken::Later(wait),
        };
        if shared && let Some(outcome) = self.change_shared(lane, take) {
            return outcome.unwrap_or(Taken::Busy);
        }
        take(&mut lock(&lane.budget), self.now())
    }

    /// Changes a bucket in the shared page; `None` when there is none or it cannot be used, an error when
    /// it is held by another process just now.
    fn change_shared<T>(
        &self,
        lane: &Lane,
        change: impl Fn(&mut Budget, f64) -> T,
    ) -> Option<Result<T, Failed>> {
        let ledger = self.ledger.as_ref()?;
        let now = self.now();
        let changed = ledger.change(&lane.scope, |page| {
            let budget =
                page.entry(lane.quota.name.to_owned()).or_insert_with(|| Budget::full(&lane.quota, now));
            let result = change(budget, now);
            // Kept, to go on from when the file fails.
            *lock(&lane.budget) = *budget;
            result
        });
        match changed {
            Err(Failed::Io(error)) => {
                *lock(&self.trouble) = Some(error.to_string());
                None
            }
            other => {
                *lock(&self.trouble) = None;
                Some(other)
            }
        }
    }

    /// AWS throttled a request.
    pub fn throttled(&self, ticket: &Ticket) {
        let lane = &ticket.lane;
        lock(&lane.count).throttled_at = Some(self.clock.now());
        let halve = |budget: &mut Budget, now| budget.throttled(&lane.quota, now);
        if !matches!(self.change_shared(lane, halve), Some(Ok(()))) {
            halve(&mut lock(&lane.budget), self.now());
        }
    }

    /// A request brought no answer.
    pub fn failed(&self, ticket: &Ticket, fault: &Fault) {
        lock(&ticket.lane.count).last_fault = Some((self.clock.now(), fault.clone()));
    }

    /// The figures.
    pub fn meter(&self) -> Meter {
        let now = self.clock.now();
        let seconds = self.now();
        let rows = lock(&self.lanes).values().map(|lane| lane.row(now, seconds)).collect();
        let in_flight = lock(&self.slots).values().map(Slots::in_flight).sum();
        let sharing = match (self.pacing, &self.ledger, lock(&self.trouble).clone()) {
            (Pacing::Off, ..) => Sharing::Off,
            (Pacing::On, None, _) => Sharing::Process,
            (Pacing::On, Some(_), Some(why)) => Sharing::Failed(why),
            (Pacing::On, Some(_), None) => Sharing::User,
        };
        Meter { rows, in_flight, sharing }
    }

    /// Seconds for the buckets: the wall clock when other processes count along, else the one that never
    /// jumps.
    fn now(&self) -> f64 {
        let now = self.clock.now();
        if self.ledger.is_some() { now.wall.as_secs_f64() } else { now.mono.as_secs_f64() }
    }

    fn lane(&self, scope: &Scope, action: &str) -> Arc<Lane> {
        let quota = quota::of(action, scope.region.as_str());
        let now = self.now();
        lock(&self.lanes)
            .entry((scope.clone(), quota.name))
            .or_insert_with(|| {
                Arc::new(Lane {
                    scope: scope.clone(),
                    quota,
                    budget: Mutex::new(Budget::full(&quota, now)),
                    foreground: tokio::sync::Mutex::default(),
                    background: tokio::sync::Mutex::default(),
                    waiting: AtomicUsize::default(),
                    count: Mutex::default(),
                })
            })
            .clone()
    }

    fn slots(&self, scope: &Scope, service: Service) -> Slots {
        let limit = if self.pacing == Pacing::Off { IN_FLIGHT_UNPACED } else { IN_FLIGHT };
        lock(&self.slots).entry((scope.clone(), service)).or_insert_with(|| Slots::new(limit)).clone()
    }
}

impl Lane {
    fn sent(&self, now: Moment) {
        let mut count = lock(&self.count);
        count.faded = count.faded_by(now.mono) + 1.0;
        count.faded_at = now.mono;
        count.requests += 1;
    }

    fn row(&self, now: Moment, seconds: f64) -> MeterRow {
        let budget = *lock(&self.budget);
        let count = lock(&self.count);
        let per_second = count.faded_by(now.mono) / AVERAGE_S;
        let spent: f64 = [Class::Foreground, Class::Background]
            .into_iter()
            .map(|class| Share::of(&self.quota, class).capacity - budget.tokens(&self.quota, class, seconds))
            .sum();
        let rate_percent = percent(budget.rate());
        MeterRow {
            scope: self.scope.clone(),
            bucket: self.quota.name,
            requests: count.requests,
            per_second,
            refill_percent: percent(per_second / self.quota.refill),
            burst_percent: percent(spent / self.quota.burst),
            waiting: self.waiting.load(Ordering::Relaxed),
            rate_percent,
            throttled_at: count.throttled_at.filter(|_| rate_percent < 100),
            last_fault: count.last_fault.clone(),
        }
    }
}

impl Count {
    fn faded_by(&self, now: Duration) -> f64 {
        let elapsed = now.saturating_sub(self.faded_at).as_secs_f64();
        self.faded * (-elapsed / AVERAGE_S).exp()
    }
}

fn percent(part: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "f64 to u32 saturates, and a share is not negative"
    )]
    let percent = (part * 100.0).round().max(0.0) as u32;
    percent
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
