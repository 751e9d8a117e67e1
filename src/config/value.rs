//! Values that a configuration writes as text: choices, spans, amounts of memory, names with wildcards.
//!
//! Must not know which setting it reads.

use std::time::Duration;

use crate::stdx::document::{Item, Mistake, unknown};
use crate::stdx::span;

/// One of a few words.
pub(super) fn choice<T: Copy>(item: &Item<'_>, choices: &[(&str, T)]) -> Result<T, Mistake> {
    let given = item.text()?;
    choices.iter().find(|(word, _)| *word == given).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        item.mistake(unknown("choice", given, &words))
    })
}

/// A span of at least `least`.
pub(super) fn span_of(item: &Item<'_>, least: Duration) -> Result<Duration, Mistake> {
    let value = span::parse(item.text()?).map_err(|error| item.mistake(error.to_string()))?;
    if value < least {
        return Err(item.mistake(format!("the least that is allowed is {}", span::precise(least))));
    }
    Ok(value)
}

/// An amount of memory: `64MiB`.
pub(super) fn bytes(item: &Item<'_>, least: u64) -> Result<u64, Mistake> {
    let given = item.text()?;
    let digits = given.find(|c: char| !c.is_ascii_digit()).unwrap_or(given.len());
    let (number, unit) = given.split_at(digits);
    let factor: Option<u64> = match unit.trim_start() {
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    let value =
        number.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    match value {
        Some(value) if value >= least => Ok(value),
        Some(_) => Err(item.mistake(format!("the least that is allowed is {}MiB", least >> 20))),
        None => Err(item.mistake(format!(
            "`{given}` is not an amount of memory: write a number and KiB, MiB or GiB, such as 64MiB"
        ))),
    }
}

/// Whether a pattern with `*` (any text) and `?` (one character) matches the whole of a name.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go back to: behind the last star, and one character further into the name.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(n) == Some(c) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// Whether a pattern means a name: by wildcards, or as one of the name's words.
pub(super) fn means(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    if pattern.contains(['*', '?']) {
        return glob(&pattern, &name);
    }
    pattern == name || name.split(|c: char| !c.is_alphanumeric()).any(|word| word == pattern)
}
