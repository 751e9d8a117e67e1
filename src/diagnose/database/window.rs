//! Backup and maintenance windows: `hh:mm-hh:mm` each day, `ddd:hh:mm-ddd:hh:mm` each week, in UTC.
//!
//! Must not read a clock.

use crate::stdx::clock::Wall;

/// Whether a moment lies in a window; the end is not part of it. A text that is no window never holds.
#[must_use]
pub fn in_window(window: &str, now: Wall) -> bool {
    let _ = (window, now);
    false
}
