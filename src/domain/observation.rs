//! What we know, since when, and how far it can be trusted. No datum reaches the screen without it.
//!
//! Must not read a clock: ages are computed from the `Moment` that a message brought.

use crate::domain::fault::Fault;
use crate::stdx::clock::Moment;

/// Something seen at a moment. The last good value survives a failed refresh, with the fault beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation<T> {
    /// The last good value.
    pub value: Option<T>,
    /// When that value was true, as far as we know (the answer's arrival).
    pub as_of: Option<Moment>,
    /// Why the newest attempt brought nothing; `None` when it brought `value`.
    pub fault: Option<Fault>,
    /// A request is under way.
    pub loading: bool,
}

impl<T> Default for Observation<T> {
    fn default() -> Self {
        Self { value: None, as_of: None, fault: None, loading: false }
    }
}

impl<T> Observation<T> {
    /// A value arrived.
    pub fn seen(&mut self, value: T, at: Moment) {
        *self = Self { value: Some(value), as_of: Some(at), fault: None, loading: false };
    }

    /// An attempt failed; what was known stays.
    pub fn failed(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.loading = false;
    }

    /// Whether a value is there but the newest attempt to renew it failed.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.value.is_some() && self.fault.is_some()
    }
}
