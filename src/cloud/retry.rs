//! When a read that failed is asked again: at most three attempts, with a pause of random length between.
//!
//! Reads only: a write is never sent twice.

use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;

use crate::cloud::fault::Lost;
use crate::domain::fault::FaultKind;

/// Attempts, the first one included.
pub(super) const ATTEMPTS: u32 = 3;
/// The longest first pause; it doubles with each attempt.
const PAUSE: Duration = Duration::from_millis(250);
/// The same after a throttle.
const PAUSE_THROTTLED: Duration = Duration::from_secs(1);
/// No pause is longer, whatever AWS asks for.
const LONGEST: Duration = Duration::from_secs(20);

/// Full jitter: a pause is anything between nothing and its limit, so that clients which failed together do
/// not come back together.
#[derive(Debug)]
pub(super) struct Jitter(Mutex<Rng>);

impl Jitter {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Rng::with_seed(seed)))
    }

    /// The pause before attempt `next` (2, 3), or `None` when it would be no use.
    pub fn pause(&self, lost: &Lost, next: u32) -> Option<Duration> {
        if next > ATTEMPTS || !lost.fault.is_transient() {
            return None;
        }
        let base = if lost.fault.kind == FaultKind::Throttled { PAUSE_THROTTLED } else { PAUSE };
        let limit = base.saturating_mul(1 << next.saturating_sub(2).min(8));
        let part = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).f64();
        let pause = limit.mul_f64(part).max(lost.retry_after.unwrap_or_default());
        Some(pause.min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::Fault;

    #[test]
    fn pauses_are_bounded_and_follow_what_aws_asks_for() {
        let jitter = Jitter::new(7);
        let throttled = Lost::from(Fault::new(FaultKind::Throttled, "Rate exceeded"));
        for _ in 0..100 {
            assert!(jitter.pause(&throttled, 2).unwrap() <= Duration::from_secs(1));
            assert!(jitter.pause(&throttled, 3).unwrap() <= Duration::from_secs(2));
        }
        assert_eq!(jitter.pause(&throttled, 4), None);
        let asked = Lost { retry_after: Some(Duration::from_secs(5)), ..throttled.clone() };
        assert_eq!(jitter.pause(&asked, 2), Some(Duration::from_secs(5)));
        let absurd = Lost { retry_after: Some(Duration::from_secs(86_400)), ..throttled };
        assert_eq!(jitter.pause(&absurd, 2), Some(LONGEST));
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        let jitter = Jitter::new(7);
        for kind in [FaultKind::Network, FaultKind::Server, FaultKind::Garbled] {
            assert!(jitter.pause(&Fault::new(kind, "x").into(), 2).is_some(), "{kind:?}");
        }
        for kind in [
            FaultKind::Denied,
            FaultKind::Expired,
            FaultKind::NotFound,
            FaultKind::Unsupported,
            FaultKind::Invalid,
            FaultKind::Config,
            FaultKind::NoCredentials,
            FaultKind::Unknown,
        ] {
            assert_eq!(jitter.pause(&Fault::new(kind, "x").into(), 2), None, "{kind:?}");
        }
    }
}
