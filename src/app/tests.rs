//! Message scripts: keys and answers in, model and effects out.
//!
//! Must not draw and must not wait: what the console says of itself is read from the model.

mod journal;
mod keys;
mod logs;
mod operations;
mod refresh;
mod selection;
mod triage;
