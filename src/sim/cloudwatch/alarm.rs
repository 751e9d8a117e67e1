//! Alarms as answers show them.
//!
//! Must not evaluate them.

use super::wire::{Datum, build};
use super::{page, query};
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::alarm::{Alarm, Kind, State, Watch};
use crate::sim::world::metric::series::Ask;

pub fn describe(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let size = page::size(input, "MaxRecords", 50, 100)?;
    let after = page::token(input)?;
    let names = input.texts("AlarmNames")?;
    let prefix = input.text("AlarmNamePrefix")?;
    if names.len() > 100 {
        return Err(query::invalid("The parameter AlarmNames cannot have more than 100 members."));
    }
    if !names.is_empty() && prefix.is_some() {
        return Err(ApiError::new(
            400,
            "InvalidParameterCombination",
            "AlarmNames and AlarmNamePrefix can not be used together.",
        ));
    }
    let state = match input.text("StateValue")? {
        None => None,
        Some(word) => {
            let state = State::of(word);
            Some(state.ok_or_else(|| query::invalid(format!("{word} is no state of an alarm")))?)
        }
    };
    let mut types = input.texts("AlarmTypes")?;
    if types.is_empty() {
        // AWS's own default: composite alarms exist and are not returned.
        types.push("MetricAlarm".to_owned());
    }
    let actions = input.text("ActionPrefix")?;
    let (children_of, parents_of) = (input.text("ChildrenOfAlarmName")?, input.text("ParentsOfAlarmName")?);
    let (mut metric, mut composite, mut more) = (Vec::new(), Vec::new(), None);
    if let Some(alarms) = world.alarms(region) {
        let children = children_of.map(|name| match alarms.by_name.get(name).map(|found| &found.kind) {
            Some(Kind::Composite(_, rule)) => rule.names(),
            _ => Vec::new(),
        });
        let wanted = alarms.by_name.values().filter(|alarm| {
            types.iter().any(|word| word == alarm.type_word())
                && (names.is_empty() || names.contains(&alarm.name))
                && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
                && state.is_none_or(|state| alarm.state == state)
                && after.as_ref().is_none_or(|after| alarm.name > *after)
                && actions.is_none_or(|prefix| alarm.alarm_actions.iter().any(|arn| arn.starts_with(prefix)))
                && children.as_ref().is_none_or(|children| children.contains(&alarm.name.as_str()))
                && parents_of.is_none_or(
                    |child| matches!(&alarm.kind, Kind::Composite(_, rule) if rule.names().contains(&child)),
                )
        });
        let mut last = None;
        for (place, alarm) in wanted.enumerate() {
            if place == size {
                more = last;
                break;
            }
            last = Some(page::make(&alarm.name));
            match &alarm.kind {
                Kind::Metric(watch) => metric.push(written(region, alarm, Some(watch))),
                Kind::Composite(..) => composite.push(written(region, alarm, None)),
            }
        }
    }
    Ok(build()
        .with("CompositeAlarms", Datum::List(composite))
        .with("MetricAlarms", Datum::List(metric))
        .with("LogAlarms", Datum::List(Vec::new()))
        .maybe("NextToken", more)
        .done())
}

pub fn describe_for_metric(world: &mut World, region: &str, input: &Datum) -> Result<Datum, ApiError> {
    let wanted = query::key(input)?;
    let watches = |watch: &Watch| matches!(watch.single(), Some(Ask::Stat { key, .. }) if *key == wanted);
    let found = world.alarms(region).map(|alarms| {
        alarms
            .by_name
            .values()
            .filter_map(|alarm| match &alarm.kind {
                Kind::Metric(watch) if watches(watch) => Some(written(region, alarm, Some(watch))),
                _ => None,
            })
            .collect()
    });
    Ok(build().with("MetricAlarms", Datum::List(found.unwrap_or_default())).done())
}

fn written(region: &str, alarm: &Alarm, watch: Option<&Watch>) -> Datum {
    let own = build()
        .with("AlarmName", alarm.name.as_str())
        .with("AlarmArn", alarm.arn(region))
        .maybe("AlarmDescription", alarm.description.as_deref())
        .with("AlarmConfigurationUpdatedTimestamp", alarm.configured_at)
        .with("ActionsEnabled", alarm.actions_enabled)
        .with("OKActions", alarm.ok_actions.clone())
        .with("AlarmActions", alarm.alarm_actions.clone())
        .with("InsufficientDataActions", alarm.insufficient_actions.clone())
        .with("StateValue", alarm.state.word())
        .with("StateReason", alarm.reason.as_str())
        .maybe("StateReasonData", alarm.reason_data.as_deref())
        .with("StateUpdatedTimestamp", alarm.updated_at)
        .with("StateTransitionedTimestamp", alarm.changed_at);
    let Some(watch) = watch else {
        let rule = match &alarm.kind {
            Kind::Composite(text, _) => Some(text.as_str()),
            Kind::Metric(_) => None,
        };
        return own.maybe("AlarmRule", rule).done();
    };
    let own = match watch.single() {
        Some(Ask::Stat { key, period, word, .. }) => {
            let simple = !word.starts_with('p');
            own.with("MetricName", key.name.as_str())
                .with("Namespace", key.namespace.as_str())
                .with("Dimensions", query::written_dimensions(key))
                .with("Period", Datum::Whole(period / 1_000))
                .maybe("Statistic", simple.then_some(word.as_str()))
                .maybe("ExtendedStatistic", (!simple).then_some(word.as_str()))
        }
        _ => own.with("Metrics", Datum::List(watch.queries.iter().map(query::written).collect())),
    };
    own.with("EvaluationPeriods", watch.periods)
        .with("DatapointsToAlarm", watch.datapoints)
        .with("Threshold", watch.threshold)
        .with("ComparisonOperator", watch.comparison.word())
        .with("TreatMissingData", watch.missing.word())
        .done()
}
