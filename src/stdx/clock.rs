//! The one clock. Every other module is handed a `Clock` or a `Moment`; none asks the operating system.
//!
//! A steered clock is an epoch plus tokio's own time, so a story that runs on a paused tokio runtime
//! moves the product, the simulator and the SDK together. Must not be read inside `app::update`:
//! there, time arrives with each message.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A point on the wall clock, in milliseconds since 1970-01-01T00:00:00Z (AWS's own unit for log events).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(pub i64);

impl Wall {
    /// From seconds since the epoch, as awsJson timestamps are written.
    #[must_use]
    pub fn from_secs_f64(seconds: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "f64 to i64 saturates, which is what a bad timestamp deserves"
        )]
        Self((seconds * 1000.0).round() as i64)
    }

    /// Seconds since the epoch with a fraction.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact up to the year 287396")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How long ago `self` was at `now`; zero when it lies in the future.
    #[must_use]
    pub fn age_at(self, now: Self) -> Duration {
        Duration::from_millis(u64::try_from(now.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// Later by `span`.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Earlier by `span`.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// As a jiff timestamp, for formatting; `None` outside jiff's range.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.0).ok()
    }

    /// RFC 3339 in UTC with milliseconds, the form every machine-readable output uses.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.timestamp().map_or_else(|| "invalid time".to_owned(), |t| format!("{t:.3}"))
    }
}

/// One instant, on both clocks: the wall for people, the monotonic part for ages and timeouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Wall clock.
    pub wall: Wall,
    /// Time since an arbitrary origin; never goes back.
    pub mono: Duration,
}

impl Moment {
    /// The time from `earlier` to `self`, on the monotonic clock; zero if it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.mono.saturating_sub(earlier.mono)
    }

    /// Later by `span` on both clocks.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self { wall: self.wall.plus(span), mono: self.mono + span }
    }
}

/// Where moments come from.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System,
    Steered { epoch: Wall, origin: tokio::time::Instant, speed: f64 },
}

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that starts at `epoch` now and runs `speed` times as fast as tokio's time.
    /// Must be called inside a tokio runtime when that runtime's time is paused.
    #[must_use]
    pub fn steered(epoch: Wall, speed: f64) -> Self {
        Self(Kind::Steered { epoch, origin: tokio::time::Instant::now(), speed })
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        match &self.0 {
            Kind::System => Moment { wall: system_wall(), mono: process_origin().elapsed() },
            Kind::Steered { epoch, origin, speed } => {
                let mono = origin.elapsed().mul_f64(*speed);
                Moment { wall: epoch.plus(mono), mono }
            }
        }
    }

    /// Sleeps for `span` of this clock's time.
    pub async fn sleep(&self, span: Duration) {
        tokio::time::sleep(self.real(span)).await;
    }

    /// How long `span` of this clock's time lasts in tokio's time.
    #[must_use]
    pub fn real(&self, span: Duration) -> Duration {
        match &self.0 {
            Kind::System => span,
            Kind::Steered { speed, .. } => span.div_f64(*speed),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the door of the wall clock")]
fn system_wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn process_origin() -> tokio::time::Instant {
    static ORIGIN: OnceLock<tokio::time::Instant> = OnceLock::new();
    *ORIGIN.get_or_init(tokio::time::Instant::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_steered_clock_follows_paused_time_at_its_speed() {
        let clock = Clock::steered(Wall(1_000_000), 10.0);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let now = clock.now();
        assert_eq!(now.wall, Wall(1_030_000));
        assert_eq!(now.mono, Duration::from_secs(30));
    }

    #[test]
    fn wall_time_formats_as_rfc3339_in_utc() {
        assert_eq!(Wall(0).rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Wall::from_secs_f64(1.5).rfc3339(), "1970-01-01T00:00:01.500Z");
        assert_eq!(Wall(i64::MAX).rfc3339(), "invalid time");
    }

    #[test]
    fn an_age_in_the_future_is_zero() {
        assert_eq!(Wall(5).age_at(Wall(3)), Duration::ZERO);
    }
}
