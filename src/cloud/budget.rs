//! The API budget: which share of the account's request quota we allow ourselves, as pure arithmetic over
//! token buckets.
//!
//! ECS's throttle buckets are shared with the deploy system that is trying to heal the service. Must not
//! read a clock, wait, or touch a file: `gate` does that.

pub(super) mod gate;
pub(super) mod ledger;
pub(super) mod quota;
mod slots;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cloud::budget::quota::Quota;
use crate::domain::query::Class;

/// Foreground's part of the documented burst.
const FOREGROUND_BURST: f64 = 0.6;
/// Foreground's part of the documented refill.
const FOREGROUND_REFILL: f64 = 0.5;
/// Background's part of the documented refill; its burst is what that gives in a second.
const BACKGROUND_REFILL: f64 = 0.25;
/// What a throttle leaves of the rate.
const AFTER_THROTTLE: f64 = 0.5;
/// The rate never falls below this part of our share.
const SLOWEST: f64 = 1.0 / 16.0;
/// Throttles within this many seconds are one incident: eight requests in flight may all be refused at once.
const INCIDENT_S: f64 = 1.0;
/// The rate grows by `RECOVERY` every `RECOVERY_S` seconds.
const RECOVERY: f64 = 0.05;
const RECOVERY_S: f64 = 10.0;

/// What a class may spend of a quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share {
    /// Requests at once.
    pub capacity: f64,
    /// Requests a second after that.
    pub rate: f64,
}

impl Share {
    pub fn of(quota: &Quota, class: Class) -> Self {
        match class {
            Class::Foreground => Self {
                capacity: (quota.burst * FOREGROUND_BURST).max(1.0),
                rate: quota.refill * FOREGROUND_REFILL,
            },
            Class::Background => Self {
                capacity: (quota.refill * BACKGROUND_REFILL).max(1.0),
                rate: quota.refill * BACKGROUND_REFILL,
            },
        }
    }
}

/// The tokens of one class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Tokens {
    tokens: f64,
    /// Seconds, when `tokens` was true.
    at: f64,
}

impl Tokens {
    /// Brings the count up to `now`. A time before the last one (another process's clock, a clock set back)
    /// adds nothing and takes nothing away.
    fn settle(&mut self, share: Share, rate: f64, now: f64) {
        let elapsed = if now > self.at { now - self.at } else { 0.0 };
        self.tokens = (self.tokens + elapsed * share.rate * rate).clamp(0.0, share.capacity);
        self.at = now;
    }
}

/// One bucket of one scope: both classes and the rate that throttles have left. Times are seconds on whatever
/// clock the caller uses throughout.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Budget {
    foreground: Tokens,
    background: Tokens,
    /// 1 is our full share.
    rate: f64,
    rate_at: f64,
    throttled_at: Option<f64>,
}

impl Budget {
    /// A bucket from which nothing was taken.
    pub fn full(quota: &Quota, now: f64) -> Self {
        let full = |class| Tokens { tokens: Share::of(quota, class).capacity, at: now };
        Self {
            foreground: full(Class::Foreground),
            background: full(Class::Background),
            rate: 1.0,
            rate_at: now,
            throttled_at: None,
        }
    }

    fn settle(&mut self, quota: &Quota, now: f64) {
        // With the rate as it was: it only grows in between, so this never gives too much.
        self.foreground.settle(Share::of(quota, Class::Foreground), self.rate, now);
        self.background.settle(Share::of(quota, Class::Background), self.rate, now);
        if now < self.rate_at {
            self.rate_at = now;
        }
        let steps = ((now - self.rate_at) / RECOVERY_S).floor();
        self.rate = (self.rate + steps * RECOVERY).clamp(SLOWEST, 1.0);
        self.rate_at += steps * RECOVERY_S;
    }

    /// Takes one token, or says how long until there is one.
    pub fn take(&mut self, quota: &Quota, class: Class, now: f64) -> Result<(), Duration> {
        self.settle(quota, now);
        let rate = Share::of(quota, class).rate * self.rate;
        let tokens = &mut self.of(class).tokens;
        // A hair below one counts: seconds as f64 round, and a wait of a nanosecond helps nobody.
        if *tokens >= 1.0 - 1e-6 {
            *tokens = (*tokens - 1.0).max(0.0);
            return Ok(());
        }
        let wait = Duration::try_from_secs_f64((1.0 - *tokens) / rate).unwrap_or(Duration::from_secs(1));
        Err(wait.clamp(Duration::from_millis(1), Duration::from_secs(10)))
    }

    /// AWS throttled: halves the rate and forgets what was saved up, for AWS's own bucket is empty.
    pub fn throttled(&mut self, quota: &Quota, now: f64) {
        self.settle(quota, now);
        let same_incident = self.throttled_at.is_some_and(|at| (0.0..INCIDENT_S).contains(&(now - at)));
        if !same_incident {
            self.rate = (self.rate * AFTER_THROTTLE).max(SLOWEST);
            self.rate_at = now;
            self.throttled_at = Some(now);
        }
        self.foreground.tokens = 0.0;
        self.background.tokens = 0.0;
    }

    /// The part of our share that throttles have left, 0 to 1.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Tokens that a class has saved up at `now`.
    pub fn tokens(&self, quota: &Quota, class: Class, now: f64) -> f64 {
        let mut then = *self;
        then.settle(quota, now);
        then.of(class).tokens
    }

    fn of(&mut self, class: Class) -> &mut Tokens {
        match class {
            Class::Foreground => &mut self.foreground,
            Class::Background => &mut self.background,
        }
    }
}

#[cfg(test)]
mod tests;
