//! What touches the machine: files, terminal, signals, the loop.
//!
//! Floor 7. Must not decide what is shown or asked; it performs what the floors below decided.

pub mod files;
