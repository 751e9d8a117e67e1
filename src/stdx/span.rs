//! Spans of time as people type and read them: `90s`, `1h30m`, `2d`; `just now`, `3 min`, `4 h`.
//!
//! Must not read a clock.

use std::time::Duration;

/// What is wrong with a typed span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a span of time: write a number and a unit, such as 90s, 15m, 1h30m or 2d")]
pub struct BadSpan {
    given: String,
}

/// Reads `90s`, `15m`, `1h30m`, `2d`, `1w`, `250ms`. Units may be combined, each once, in falling order or not.
///
/// # Errors
/// When the text is empty, has no unit, an unknown unit, or does not fit.
pub fn parse(text: &str) -> Result<Duration, BadSpan> {
    let bad = || BadSpan { given: text.to_owned() };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let millis = match &rest[..letters] {
            "ms" => 1,
            "s" | "sec" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(bad()),
        };
        rest = rest[letters..].trim_start();
        let span = Duration::from_millis(number.checked_mul(millis).ok_or_else(bad)?);
        total = total.checked_add(span).ok_or_else(bad)?;
    }
    Ok(total)
}

/// One unit, rounded down: `now`, `42 s`, `3 min`, `4 h`, `2 d`. Fits in 6 columns up to 999 days.
#[must_use]
pub fn brief(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 => "now".to_owned(),
        1..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=86_399 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Two units where it helps: `42 s`, `3 min 20 s`, `4 h 05 min`, `2 d 3 h`.
#[must_use]
pub fn precise(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..=86_399 => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_not_a_span_is_named_in_the_error() {
        for text in ["", "h", "10", "1x", "1h30", "-1h", "99999999999999999999s", "1.5h"] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn spans_are_written_briefly_and_precisely() {
        assert_eq!(brief(Duration::from_millis(400)), "now");
        assert_eq!(brief(Duration::from_secs(200)), "3 min");
        assert_eq!(brief(Duration::from_secs(90_000)), "1 d");
        assert_eq!(precise(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(precise(Duration::from_secs(14_700)), "4 h 05 min");
    }
}
