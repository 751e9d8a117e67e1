//! One file for each kind of action: what it asks, and what it plans from the answers.
//!
//! Must not perform anything; a plan names its calls, and the operation makes them.

pub(super) mod alarm;
mod consumers;
pub(super) mod database;
pub(super) mod deploy;
mod images;
pub(super) mod region;
pub(super) mod rollback;
pub(super) mod running;
pub(super) mod scale;
pub(super) mod secret;
pub(super) mod task;

#[cfg(test)]
mod tests;
