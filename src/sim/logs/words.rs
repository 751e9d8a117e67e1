//! Fills the blanks in a profile's texts.
//!
//! A brace that is no blank stays as it is: the texts quote real code and real data.

use std::fmt::Write as _;

use fastrand::Rng;

/// The text with its blanks filled.
pub(super) fn fill(text: &str, rng: &mut Rng) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let blank =
            after.find(['{', '}']).filter(|end| after[*end..].starts_with('}')).map(|end| &after[..end]);
        match blank {
            Some(name) if write_blank(name, rng, &mut filled) => rest = &after[name.len() + 1..],
            _ => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// Writes what stands for the blank; `false` when the name means nothing.
fn write_blank(name: &str, rng: &mut Rng, out: &mut String) -> bool {
    let written = match name {
        "id" => write!(out, "{}", rng.u32(1_000..90_000)),
        "n" => write!(out, "{}", rng.u32(1..20)),
        "ms" => write!(out, "{}", rng.u32(100..990)),
        "hex" => write!(out, "{:08x}", rng.u32(..)),
        "uuid" => {
            let (high, low) = (rng.u64(..), rng.u64(..));
            write!(
                out,
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                high >> 32,
                high >> 16 & 0xffff,
                high & 0xfff,
                low >> 52,
                low & 0xffff_ffff_ffff
            )
        }
        "ip" => write!(out, "{}", ip(rng)),
        "money" => write!(out, "{},{:03}.{:02}", rng.u32(1..250), rng.u32(0..1_000), rng.u32(0..100)),
        "score" => write!(out, "0.{:02}", rng.u32(1..99)),
        choices if choices.contains('|') => {
            let count = choices.split('|').count();
            out.write_str(choices.split('|').nth(rng.usize(0..count)).unwrap_or_default())
        }
        _ => return false,
    };
    written.is_ok()
}

/// A client's address, out of the ranges that are reserved for documentation.
pub(super) fn ip(rng: &mut Rng) -> String {
    let net = ["192.0.2", "198.51.100", "203.0.113"][rng.usize(0..3)];
    format!("{net}.{}", rng.u8(1..255))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_filled_and_other_braces_left_alone() {
        let mut rng = Rng::with_seed(1);
        let text = fill("task {uuid} took {ms} ms: {'tenants': {n}} {job.id} {a|b} {", &mut rng);
        assert!(!text.contains("{uuid}") && !text.contains("{ms}") && !text.contains("{n}"), "{text}");
        assert!(text.contains("{'tenants': "), "{text}");
        assert!(text.contains("{job.id}") && text.ends_with('{'), "{text}");
        assert!(text.contains(" a ") || text.contains(" b "), "{text}");
    }
}
