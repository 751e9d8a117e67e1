//! Repeatable chance: hashes whose values stay the same between releases of the compiler.
//!
//! Must not be used for anything that has to be hard to guess.

/// Two numbers into one (the finalizer of SplitMix64).
#[must_use]
pub fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.rotate_left(25) ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x632b_e593_04b4_dc5d);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A text into a number (FNV-1a, then mixed).
#[must_use]
pub fn text(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    mix(hash, text.len() as u64)
}

/// A time into a number.
#[must_use]
pub fn time(millis: i64) -> u64 {
    millis.cast_unsigned()
}

/// A number into `0.0..1.0`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
pub fn share(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number into `0..bound` milliseconds.
#[must_use]
pub fn millis(hash: u64, bound: u64) -> i64 {
    i64::try_from(hash % bound.max(1)).unwrap_or(0)
}
