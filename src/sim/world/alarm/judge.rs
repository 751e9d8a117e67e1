//! Whether datapoints breach: M out of N, and what missing ones mean.
//!
//! Must not read metrics: it is handed datapoints.

use std::time::Duration;

use super::{Missing, State, Watch, words};
use crate::sim::logs::chance;
use crate::stdx::clock::Wall;

/// So many older periods may stand in for missing ones.
pub const SPARE: i64 = 2;

/// What an evaluation gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// AWS's sentence.
    pub reason: String,
    /// AWS's data, as JSON text.
    pub data: Option<String>,
}

/// Judges the datapoints that end at `end`, newest first with the beginning of each period. `None` when the
/// state stays; a fresh alarm always gets a verdict.
pub fn verdict(
    watch: &Watch,
    datapoints: &[(i64, Option<f64>)],
    state: Option<State>,
    end: i64,
    at: Wall,
) -> Option<Verdict> {
    let periods = watch.periods.max(1) as usize;
    let recent = datapoints.get(..periods).unwrap_or(datapoints);
    let mut real: Vec<(usize, i64, f64)> = numbers(recent, 0);
    if real.len() < periods && !real.is_empty() {
        let older = numbers(datapoints.get(periods..).unwrap_or_default(), periods);
        let room = periods - real.len();
        real.extend(older.into_iter().take(room));
    }
    let (real_count, missing) = (real.len(), periods - real.len().min(periods));
    let breaching: Vec<(i64, f64)> = real
        .iter()
        .filter(|(_, _, value)| watch.comparison.breaches(*value, watch.threshold))
        .map(|(_, at, value)| (*at, *value))
        .collect();
    let needed = watch.datapoints.max(1) as usize;
    let next = match watch.missing {
        Missing::Breaching if breaching.len() + missing >= needed => Some(State::Alarm),
        Missing::Breaching | Missing::NotBreaching if breaching.len() < needed => Some(State::Ok),
        _ if breaching.len() >= needed => Some(State::Alarm),
        Missing::Ignore => (breaching.len() + missing < needed).then_some(State::Ok),
        _ if real.is_empty() => Some(State::Insufficient),
        _ if breaching.len() < real_count => Some(State::Ok),
        // All that is there breaches: an alarm as soon as the oldest of it is old enough.
        _ => real.last().filter(|(back, ..)| back + 1 >= needed).map(|_| State::Alarm),
    };
    let next = next.or(if state.is_none() { Some(State::Insufficient) } else { None })?;
    if state == Some(next) {
        return None;
    }
    let quiet: Vec<(i64, f64)> = real
        .iter()
        .filter(|(_, _, value)| !watch.comparison.breaches(*value, watch.threshold))
        .map(|(_, at, value)| (*at, *value))
        .collect();
    let telling = if next == State::Alarm { &breaching } else { &quiet };
    let before = state.unwrap_or(State::Insufficient);
    Some(Verdict {
        state: next,
        reason: words::reason(watch, next, before, telling, missing),
        data: Some(words::reason_data(watch, &real, end, at)),
    })
}

fn numbers(datapoints: &[(i64, Option<f64>)], first: usize) -> Vec<(usize, i64, f64)> {
    let each = datapoints.iter().enumerate();
    each.filter_map(|(back, (at, value))| Some((first + back, *at, (*value)?))).collect()
}

/// How long after a minute's end an alarm has been evaluated: each at its own second.
pub fn told_at(name: &str) -> Duration {
    Duration::from_millis(60_000 + chance::text(name) % 40_000)
}

/// For how long an alarm's first state has been so.
pub fn days(name: &str) -> Duration {
    Duration::from_secs(86_400 * (2 + chance::text(name) % 17) + chance::text(name) % 80_000)
}

#[cfg(test)]
mod tests {
    use super::super::Comparison;
    use super::*;

    fn watch(periods: u32, datapoints: u32, missing: Missing) -> Watch {
        Watch {
            queries: Vec::new(),
            period: 60_000,
            periods,
            datapoints,
            threshold: 80.0,
            comparison: Comparison::GreaterThan,
            missing,
        }
    }

    /// `X` breaches, `0` does not, `-` is missing; the newest stands last, as AWS's documents write it.
    fn judged(watch: &Watch, text: &str, before: State) -> State {
        let datapoints: Vec<(i64, Option<f64>)> = text
            .chars()
            .rev()
            .zip(0_i64..)
            .map(|(c, back)| {
                let value = match c {
                    'X' => Some(90.0),
                    '0' => Some(10.0),
                    _ => None,
                };
                (-60_000 * (back + 1), value)
            })
            .collect();
        verdict(watch, &datapoints, Some(before), 0, Wall(0)).map_or(before, |verdict| verdict.state)
    }

    #[test]
    fn missing_data_is_treated_as_awss_table_says() {
        use State::{Alarm, Insufficient, Ok};
        // Alarm on 3 out of 3, five periods known. "Alarms: how missing data is treated", CloudWatch's guide.
        for (text, missing, ignore, breaching, quiet) in [
            ("0-X-X", Ok, Ok, Ok, Ok),
            ("0----", Insufficient, Ok, Alarm, Ok),
            ("-----", Insufficient, Ok, Alarm, Ok),
            ("0XX-X", Alarm, Alarm, Alarm, Alarm),
            ("--X--", Alarm, Ok, Alarm, Ok),
            ("000XX", Ok, Ok, Ok, Ok),
            ("XX000", Ok, Ok, Ok, Ok),
            ("00XXX", Alarm, Alarm, Alarm, Alarm),
        ] {
            for (treat, due) in [
                (Missing::Missing, missing),
                (Missing::Ignore, ignore),
                (Missing::Breaching, breaching),
                (Missing::NotBreaching, quiet),
            ] {
                assert_eq!(judged(&watch(3, 3, treat), text, Ok), due, "{text} {treat:?}");
            }
        }
        assert_eq!(judged(&watch(3, 3, Missing::Ignore), "-----", Alarm), Alarm);
    }

    #[test]
    fn m_out_of_n_breach() {
        let watch = watch(5, 3, Missing::Missing);
        assert_eq!(judged(&watch, "X0X0X", State::Ok), State::Alarm);
        assert_eq!(judged(&watch, "X000X", State::Alarm), State::Ok);
    }

    #[test]
    fn the_reason_is_awss() {
        let one = watch(1, 1, Missing::Missing);
        let at = Wall(1_795_269_600_000);
        let found = verdict(&one, &[(at.0, Some(95.2))], Some(State::Ok), at.0 + 60_000, at).unwrap();
        assert_eq!(
            found.reason,
            "Threshold Crossed: 1 out of the last 1 datapoints [95.2 (21/11/26 14:00:00)] was greater than the threshold (80.0) (minimum 1 datapoint for OK -> ALARM transition)."
        );
        let data: serde_json::Value = serde_json::from_str(&found.data.unwrap()).unwrap();
        assert_eq!(data["recentDatapoints"], serde_json::json!([95.2]));
        assert_eq!(data["startDate"], "2026-11-21T14:00:00.000+0000");

        let two = watch(2, 2, Missing::Missing);
        let points = [(at.0, Some(20.0)), (at.0 - 60_000, Some(90.0))];
        let found = verdict(&two, &points, Some(State::Alarm), at.0 + 60_000, at).unwrap();
        assert_eq!(
            found.reason,
            "Threshold Crossed: 1 out of the last 2 datapoints [20.0 (21/11/26 14:00:00)] was not greater than the threshold (80.0) (minimum 1 datapoint for ALARM -> OK transition)."
        );
        let gone = verdict(&two, &[(0, None), (1, None)], Some(State::Ok), 0, at).unwrap();
        assert_eq!(gone.reason, "Insufficient Data: 2 datapoints were unknown.");
        let quiet = watch(3, 3, Missing::Breaching);
        let found = verdict(&quiet, &[(0, None), (1, None), (2, None)], Some(State::Ok), 0, at).unwrap();
        assert_eq!(
            found.reason,
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as [Breaching]."
        );
    }
}
