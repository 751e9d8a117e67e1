//! The clock as the SDK wants it: signing dates, timeouts and credential expiry follow `stdx::clock`.
//!
//! Without it a story in virtual time would sign with the machine's date and time out in real seconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;

use crate::stdx::clock::Clock;

/// A `Clock` behind the SDK's two traits.
#[derive(Clone, Debug)]
pub(super) struct Steered(pub Clock);

impl TimeSource for Steered {
    fn now(&self) -> SystemTime {
        let millis = self.0.now().wall.0;
        UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl AsyncSleep for Steered {
    fn sleep(&self, duration: Duration) -> Sleep {
        // Computed here and not inside the future, so that the deadline counts from the call.
        let sleep = tokio::time::sleep(self.0.real(duration));
        Sleep::new(sleep)
    }
}
