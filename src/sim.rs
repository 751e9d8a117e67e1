//! The embedded AWS simulator: a server on loopback that speaks the real wire protocols over a seeded world.
//!
//! It knows AWS, not opsdeck: of this crate it imports `stdx` alone, so that it stays an independent judge.

pub mod reply;
pub mod stack;
