//! The log engine that the console and `opsdeck logs` share: what to ask next (`follow`), what is kept
//! (`store`), what a line says (`parse`), which lines are wanted (`filter`, `scan`) and where the reader
//! stands among them (`viewport`).
//!
//! Floor 2. Must not perform a request, read a clock, or know how a line is drawn. Messages are kept raw:
//! whoever draws them scrubs them.

pub mod file;
pub mod filter;
pub mod follow;
pub mod level;
pub mod line;
pub mod parse;
pub mod scan;
pub mod store;
pub mod trace;
pub mod viewport;
pub use store::RecordId;
