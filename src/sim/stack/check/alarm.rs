//! What an alarm of a stack may say.
//!
//! Must not judge metrics: whether one exists is seen when the world is built.

use super::{Fault, unknown};
use crate::sim::stack::{Alarm, Stack};

pub fn check(stack: &Stack, alarm: &Alarm) -> Result<(), Fault> {
    let place = format!("alarms.{}", alarm.name);
    let kinds = [alarm.metric.is_some(), alarm.math.is_some(), alarm.rule.is_some()];
    if kinds.iter().filter(|given| **given).count() != 1 {
        return Err((place, "an alarm has one of `metric`, `math` and `rule`".to_owned()));
    }
    let parts = alarm.metrics.iter().map(|part| (&part.service, &part.database, &part.cache));
    for (service, database, cache) in
        std::iter::once((&alarm.service, &alarm.database, &alarm.cache)).chain(parts)
    {
        if let Some(name) = service
            && stack.service(name).is_none()
        {
            return Err(unknown(&format!("{place}.service"), "service", name));
        }
        if let Some(name) = database
            && !stack.databases.iter().any(|known| known.name == *name)
        {
            return Err(unknown(&format!("{place}.database"), "database", name));
        }
        if let Some(name) = cache
            && !stack.caches.iter().any(|known| known.members().any(|member| member == *name))
        {
            return Err(unknown(&format!("{place}.cache"), "cache node", name));
        }
        if [service, database, cache].into_iter().flatten().count() > 1 {
            return Err((place, "a metric is a service's, a database's or a cache's".to_owned()));
        }
    }
    let owned = alarm.service.is_some() || alarm.database.is_some() || alarm.cache.is_some();
    let strays = alarm
        .metrics
        .iter()
        .any(|part| part.service.is_none() && part.database.is_none() && part.cache.is_none());
    if !owned && (alarm.metric.is_some() || strays) {
        return Err((place, "it is not said whose metric it is".to_owned()));
    }
    if alarm.math.is_some() == alarm.metrics.is_empty() {
        return Err((place, "`math` and `metrics` need each other".to_owned()));
    }
    for (word, known, member) in [
        (&alarm.comparison, [">", ">=", "<", "<="], "comparison"),
        (&alarm.treat_missing, ["missing", "notBreaching", "breaching", "ignore"], "treat_missing"),
    ] {
        if !known.contains(&word.as_str()) {
            return Err((format!("{place}.{member}"), format!("`{word}` is none of {}", known.join(", "))));
        }
    }
    let seconds = alarm.period.0.as_secs();
    if seconds == 0 || !seconds.is_multiple_of(60) {
        return Err((format!("{place}.period"), "a period is a multiple of a minute".to_owned()));
    }
    let periods = alarm.evaluation_periods;
    if periods == 0 || alarm.datapoints.is_some_and(|datapoints| datapoints == 0 || datapoints > periods) {
        return Err((place, "`datapoints` is 1 to `evaluation_periods`".to_owned()));
    }
    Ok(())
}
