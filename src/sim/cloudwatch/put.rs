//! Writes: alarms put up, taken down, set and silenced.
//!
//! Must not evaluate; the world does so each minute.

use super::query;
use super::wire::{Datum, build, missing};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::alarm::rule::Rule;
use crate::sim::world::alarm::{Alarm, Comparison, Kind, Missing, State, Watch};
use crate::sim::world::metric::series::{Ask, Query};

fn done() -> Datum {
    build().done()
}

fn common(alarm: &mut Alarm, input: &Datum) -> Result<(), ApiError> {
    alarm.description = input.text("AlarmDescription")?.map(str::to_owned);
    alarm.actions_enabled = input.flag("ActionsEnabled")?.unwrap_or(true);
    alarm.alarm_actions = input.texts("AlarmActions")?;
    alarm.ok_actions = input.texts("OKActions")?;
    alarm.insufficient_actions = input.texts("InsufficientDataActions")?;
    Ok(())
}

pub fn metric_alarm(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let name = input.must("AlarmName")?;
    let word = input.must("ComparisonOperator")?;
    let comparison = Comparison::of(word)
        .filter(|found| found.word() == word)
        .ok_or_else(|| query::invalid(format!("The simulator does not play the comparison {word}")))?;
    let count = |member: &str| -> Result<Option<u32>, ApiError> {
        let wrong = || query::invalid(format!("{member} must be 1 or more"));
        let number = input.whole(member)?;
        number
            .map(|number| u32::try_from(number).ok().filter(|count| *count > 0).ok_or_else(wrong))
            .transpose()
    };
    let periods = count("EvaluationPeriods")?.ok_or_else(|| missing("EvaluationPeriods"))?;
    let datapoints = count("DatapointsToAlarm")?.unwrap_or(periods);
    if datapoints > periods {
        return Err(ApiError::new(
            400,
            "ValidationError",
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        ));
    }
    let treat = input.text("TreatMissingData")?.unwrap_or("missing");
    let treat = Missing::of(treat)
        .ok_or_else(|| query::invalid(format!("Option {treat} is not supported for TreatMissingData")))?;
    let threshold = input.double("Threshold")?.ok_or_else(|| missing("Threshold"))?;
    let (queries, period) = watched(input)?;
    if period < 60_000 {
        return Err(query::invalid("The simulator measures once a minute: Period must be 60 or more"));
    }
    if i64::from(periods).saturating_mul(period) > 7 * 86_400_000 {
        return Err(ApiError::new(
            400,
            "ValidationError",
            "Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must be <= 604800).",
        ));
    }
    let watch = Watch { queries, period, periods, datapoints, threshold, comparison, missing: treat };
    let mut alarm = Alarm::new(name.to_owned(), Kind::Metric(watch), world.now);
    common(&mut alarm, input)?;
    world.put_alarm(region, alarm);
    Ok(done())
}

/// What is compared, and its period in milliseconds.
fn watched(input: &Datum) -> Result<(Vec<Query>, i64), ApiError> {
    let items = input.items("Metrics")?;
    if items.is_empty() {
        let words = (input.text("Statistic")?, input.text("ExtendedStatistic")?);
        let ((Some(word), None) | (None, Some(word))) = words else { return Err(missing("Statistic")) };
        let stat = query::statistic(word)?;
        let period = query::period(input)?.ok_or_else(|| missing("Period"))?;
        let ask = Ask::Stat { key: query::key(input)?, period, word: word.to_owned(), stat };
        return Ok((vec![Query { id: "m1".to_owned(), ask, label: None, returns: true }], period));
    }
    let queries = query::queries(items)?;
    if queries.iter().filter(|query| query.returns).count() != 1 {
        return Err(ApiError::new(
            400,
            "ValidationError",
            "Exactly one element of the metrics list should return data.",
        ));
    }
    let periods = queries.iter().filter_map(|query| match &query.ask {
        Ask::Stat { period, .. } => Some(*period),
        Ask::Math(_) => None,
    });
    let period = periods.max().ok_or_else(|| missing("MetricStat"))?;
    Ok((queries, period))
}

pub fn composite_alarm(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let (name, text) = (input.must("AlarmName")?, input.must("AlarmRule")?);
    let refuse = |why: String| ApiError::new(400, "ValidationError", format!("AlarmRule: {why}"));
    let rule = Rule::parse(text).map_err(refuse)?;
    let known = world.alarms(region);
    for child in rule.names() {
        if !known.as_ref().is_some_and(|alarms| alarms.by_name.contains_key(child)) {
            return Err(refuse(format!("the alarm {child} does not exist")));
        }
    }
    let mut alarm = Alarm::new(name.to_owned(), Kind::Composite(text.to_owned(), rule), world.now);
    common(&mut alarm, input)?;
    world.put_alarm(region, alarm);
    Ok(done())
}

fn names(input: &Datum) -> Result<Vec<String>, ApiError> {
    let names = input.texts("AlarmNames")?;
    match names.len() {
        0 => Err(missing("AlarmNames")),
        1..=100 => Ok(names),
        _ => Err(query::invalid("The parameter AlarmNames cannot have more than 100 members.")),
    }
}

pub fn delete(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let names = names(input)?;
    let known = world.alarms(region);
    // AWS deletes all or none.
    if let Some(gone) =
        names.iter().find(|name| !known.as_ref().is_some_and(|known| known.by_name.contains_key(*name)))
    {
        return Err(ApiError::new(404, "ResourceNotFound", format!("Unknown alarm: {gone}")));
    }
    world.delete_alarms(region, &names);
    Ok(done())
}

pub fn set_state(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let name = input.must("AlarmName")?;
    let word = input.must("StateValue")?;
    let state = State::of(word).ok_or_else(|| query::invalid(format!("{word} is no state of an alarm")))?;
    let data = input.text("StateReasonData")?.map(str::to_owned);
    if data.as_ref().is_some_and(|text| serde_json::from_str::<serde_json::Value>(text).is_err()) {
        return Err(ApiError::new(400, "InvalidFormat", "StateReasonData is not JSON"));
    }
    let reason = input.must("StateReason")?;
    if world.set_alarm_state(region, name, state, reason, data) {
        return Ok(done());
    }
    Err(ApiError::new(404, "ResourceNotFound", format!("Alarm {name} does not exist")))
}

/// Names that do not exist are passed over, as AWS does.
pub fn actions(world: &mut World, region: &str, input: &Datum, enabled: bool) -> Result<Datum, ApiError> {
    let names = names(input)?;
    world.enable_alarm_actions(region, &names, enabled);
    Ok(done())
}
