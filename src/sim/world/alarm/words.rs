//! CloudWatch's wording: reasons of states, and the JSON that goes with them.
//!
//! Must not decide a state.

use serde_json::{Value, json};

use super::rule::Rule;
use super::{Alarm, Alarms, Comparison, Item, Missing, State, Watch};
use crate::sim::world::metric::series::Ask;
use crate::stdx::clock::Wall;

/// The sentence about a state.
pub fn reason(watch: &Watch, next: State, before: State, telling: &[(i64, f64)], missing: usize) -> String {
    if next == State::Insufficient {
        let (noun, verb) = number(missing);
        return format!("Insufficient Data: {missing} {noun} {verb} unknown.");
    }
    let periods = watch.periods.max(1);
    if telling.is_empty() {
        let treated = if watch.missing == Missing::Breaching { "Breaching" } else { "NonBreaching" };
        let (noun, verb) = number(missing);
        let plural = if periods == 1 { "period" } else { "periods" };
        return format!(
            "Threshold Crossed: no datapoints were received for {periods} {plural} and {missing} missing {noun} {verb} treated as [{treated}]."
        );
    }
    let listed: Vec<String> = telling
        .iter()
        .map(|(at, value)| format!("{value:?} ({})", date(Wall(*at), "%d/%m/%y %H:%M:%S")))
        .collect();
    let count = telling.len();
    let verb = if count == 1 { "was" } else { "were" };
    let not = if next == State::Alarm { "" } else { "not " };
    let least = if next == State::Alarm {
        watch.datapoints.max(1)
    } else {
        periods.saturating_sub(watch.datapoints) + 1
    };
    let (noun, _) = number(least as usize);
    format!(
        "Threshold Crossed: {count} out of the last {periods} datapoints [{}] {verb} {not}{} the threshold ({:?}) (minimum {least} {noun} for {} -> {} transition).",
        listed.join(", "),
        compared(watch.comparison),
        watch.threshold,
        before.word(),
        next.word(),
    )
}

fn number(count: usize) -> (&'static str, &'static str) {
    if count == 1 { ("datapoint", "was") } else { ("datapoints", "were") }
}

fn compared(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::GreaterThan => "greater than",
        Comparison::GreaterThanOrEqualTo => "greater than or equal to",
        Comparison::LessThan => "less than",
        Comparison::LessThanOrEqualTo => "less than or equal to",
    }
}

fn date(at: Wall, format: &str) -> String {
    at.timestamp().map(|at| at.strftime(format).to_string()).unwrap_or_default()
}

/// `2026-11-21T14:00:00.000+0000`.
fn iso(at: Wall) -> String {
    date(at, "%Y-%m-%dT%H:%M:%S.%3f+0000")
}

/// `StateReasonData` of a metric alarm: what it saw, newest first.
pub fn reason_data(watch: &Watch, real: &[(usize, i64, f64)], end: i64, at: Wall) -> String {
    let mut data = json!({
        "version": "1.0",
        "queryDate": iso(at),
        "period": watch.period / 1_000,
        "recentDatapoints": real.iter().rev().map(|(_, _, value)| *value).collect::<Vec<f64>>(),
        "threshold": watch.threshold,
        "evaluatedDatapoints": real
            .iter()
            .map(|(_, at, value)| json!({ "timestamp": iso(Wall(*at)), "value": value }))
            .collect::<Vec<Value>>(),
    });
    if let Some(object) = data.as_object_mut() {
        let first = real.iter().map(|(_, at, _)| *at).min();
        let begin = first.unwrap_or(end - i64::from(watch.periods) * watch.period);
        object.insert("startDate".to_owned(), Value::from(iso(Wall(begin))));
        if let Some(Ask::Stat { word, .. }) = watch.single() {
            object.insert("statistic".to_owned(), Value::from(word.as_str()));
        }
    }
    data.to_string()
}

/// Reason and data of a composite alarm.
pub fn composite(region: &str, alarms: &Alarms, rule: &Rule, next: State, at: Wall) -> (String, String) {
    let known: Vec<&Alarm> = rule.names().into_iter().filter_map(|name| alarms.by_name.get(name)).collect();
    let newest = known.iter().max_by_key(|alarm| alarm.changed_at);
    let reason = match newest {
        Some(child) => format!(
            "{} transitioned to {} at {}",
            child.arn(region),
            child.state.word(),
            date(child.changed_at, "%A %d %B, %Y %H:%M:%S UTC"),
        ),
        None => format!("Alarm rule was evaluated to {}", next.word()),
    };
    let children: Vec<Value> = known
        .iter()
        .map(|child| {
            json!({
                "arn": child.arn(region),
                "state": { "value": child.state.word(), "timestamp": iso(child.changed_at) },
            })
        })
        .collect();
    (reason, json!({ "triggeringAlarms": children, "queryDate": iso(at) }).to_string())
}

/// `HistoryData` of a change of state.
pub fn transition(before: (State, &str, Option<&str>), now: &Alarm) -> String {
    let side = |state: State, reason: &str, data: Option<&str>| {
        let mut side = json!({ "stateValue": state.word(), "stateReason": reason });
        let data = data.and_then(|text| serde_json::from_str::<Value>(text).ok());
        if let (Some(object), Some(data)) = (side.as_object_mut(), data) {
            object.insert("stateReasonData".to_owned(), data);
        }
        side
    };
    json!({
        "version": "1.0",
        "oldState": side(before.0, before.1, before.2),
        "newState": side(now.state, &now.reason, now.reason_data.as_deref()),
    })
    .to_string()
}

/// The entry of an action that has happened.
pub fn acted(alarm: &Alarm, action: &str, at: Wall) -> Item {
    Item {
        name: alarm.name.clone(),
        type_word: alarm.type_word(),
        at,
        kind: "Action",
        summary: format!("Successfully executed action {action}"),
        data: self::action(action, alarm.state),
    }
}

/// `HistoryData` of an action.
fn action(action: &str, state: State) -> String {
    json!({ "actionState": "Succeeded", "stateUpdate": state.word(), "notificationResource": action, "error": null })
        .to_string()
}

/// `HistoryData` of a configuration.
pub fn configuration(name: &str, what: &str) -> String {
    let kind = match what {
        "created" => "Create",
        "deleted" => "Delete",
        _ => "Update",
    };
    json!({ "version": "1.0", "type": kind, "alarmName": name }).to_string()
}
