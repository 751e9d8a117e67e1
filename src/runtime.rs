//! Where the pure console meets the world: the loop, the effects, the terminal, signals, files.
//!
//! Floor 7. Must not decide anything that `app` could decide; it performs and reports.

pub mod console;
pub mod event_loop;
pub mod files;
pub mod input;
pub mod journal;
pub mod perform;
pub mod screen;
pub mod signal;
pub mod terminal;
