//! What std could have had: small, pure pieces that every floor may use.
//!
//! Floor 0. Must not know AWS, terminals or opsdeck; it imports no other floor.

pub mod clock;
pub mod document;
pub mod id;
pub mod rect;
#[cfg(test)]
pub(crate) mod soak;
pub mod span;
pub mod text;
