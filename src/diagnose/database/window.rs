//! Backup and maintenance windows: `hh:mm-hh:mm` each day, `ddd:hh:mm-ddd:hh:mm` each week, in UTC.
//!
//! Must not read a clock.

use crate::stdx::clock::Wall;

const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;
const DAYS: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

/// Whether a moment lies in a window; the end is not part of it. A text that is no window never holds.
#[must_use]
pub fn in_window(window: &str, now: Wall) -> bool {
    let Some((from, to)) = window.split_once('-') else { return false };
    let Some(((from, weekly), (to, weekly_too))) = instant(from).zip(instant(to)) else { return false };
    if weekly != weekly_too {
        return false;
    }
    let cycle = if weekly { WEEK } else { DAY };
    // 1970-01-01 was a Thursday, with which the names above begin.
    let minute = now.0.div_euclid(60_000).rem_euclid(cycle);
    if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

/// Minutes since the cycle began, and whether the cycle is a week.
fn instant(text: &str) -> Option<(i64, bool)> {
    let text = text.trim();
    let parts: Vec<&str> = text.split(':').collect();
    let (day, hour, minute) = match parts.as_slice() {
        [hour, minute] => (None, hour, minute),
        [day, hour, minute] => (Some(*day), hour, minute),
        _ => return None,
    };
    let hour = hour.parse::<i64>().ok().filter(|hour| (0..24).contains(hour))?;
    let minute = minute.parse::<i64>().ok().filter(|minute| (0..60).contains(minute))?;
    let of_day = hour * 60 + minute;
    let Some(day) = day else { return Some((of_day, false)) };
    let day = DAYS.iter().position(|name| name.eq_ignore_ascii_case(day))?;
    Some((i64::try_from(day).ok()? * DAY + of_day, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Wall {
        Wall(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn a_daily_window_holds_each_day() {
        assert!(in_window("03:00-04:00", at("2026-11-21T03:00:00Z")));
        assert!(in_window("03:00-04:00", at("2026-11-22T03:59:59Z")));
        assert!(!in_window("03:00-04:00", at("2026-11-21T04:00:00Z")));
        assert!(in_window("23:30-00:30", at("2026-11-21T00:10:00Z")));
        assert!(!in_window("23:30-00:30", at("2026-11-21T00:30:00Z")));
    }

    #[test]
    fn a_weekly_window_holds_on_its_day() {
        // 2026-11-22 is a Sunday.
        assert!(in_window("sun:04:00-sun:05:00", at("2026-11-22T04:30:00Z")));
        assert!(!in_window("sun:04:00-sun:05:00", at("2026-11-23T04:30:00Z")));
        assert!(in_window("Sat:23:45-Sun:00:15", at("2026-11-22T00:00:00Z")));
        assert!(in_window("wed:23:45-thu:00:15", at("2026-11-19T00:00:00Z")));
    }

    #[test]
    fn what_is_no_window_never_holds() {
        for text in
            ["", "-", "3", "03:00", "25:00-26:00", "sun:03:00-04:00", "xyz:03:00-xyz:04:00", "a:b-c:d"]
        {
            assert!(!in_window(text, at("2026-11-22T03:30:00Z")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,24}", now in any::<i64>()) {
            let _ = in_window(&text, Wall(now));
        }

        #[test]
        fn a_moment_is_in_a_window_or_in_its_complement(a in 0..1440_i64, b in 0..1440_i64, now in any::<i64>()) {
            prop_assume!(a != b);
            let text = |from: i64, to: i64| {
                format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
            };
            prop_assert_ne!(in_window(&text(a, b), Wall(now)), in_window(&text(b, a), Wall(now)));
        }
    }
}
