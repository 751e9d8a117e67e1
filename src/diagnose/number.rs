//! Numbers in sentences: as many digits as somebody reads at night.
//!
//! Must not add units.

/// `0`, `0.02`, `0.4`, `93.1`, `812`: one decimal below 100, none from there on, more where nothing would be left.
pub(super) fn short(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.05 {
        let is_told = |text: &String| text.contains(|digit: char| ('1'..='9').contains(&digit));
        let texts = (2..=6usize).map(|decimals| format!("{value:.decimals$}"));
        texts.into_iter().find(is_told).unwrap_or_else(|| "0".to_owned())
    } else if value.abs() >= 99.95 || (value - value.round()).abs() < 0.05 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

/// Bytes of a GiB.
pub(super) const GIB: f64 = 1_073_741_824.0;

/// Bytes in GiB.
pub(super) fn gib(bytes: f64) -> f64 {
    bytes / GIB
}

/// A fraction in percent, rounded down so that nothing reads 100 before it is full.
pub(super) fn percent(part: f64, whole: f64) -> String {
    format!("{:.0} %", (100.0 * part / whole).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 0.02, -0.004, 0.44, 0.000_000_1, 93.12, 99.96, 812.4, -3.0].map(short);
        assert_eq!(texts, ["0", "0.02", "-0.004", "0.4", "0", "93.1", "100", "812", "-3"]);
        assert_eq!(percent(999.0, 1_000.0), "99 %");
        assert_eq!(short(gib(1_610_612_736.0)), "1.5");
    }
}
