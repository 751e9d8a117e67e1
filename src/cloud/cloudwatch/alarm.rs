//! Alarms and their history, from the SDK's shapes to ours.
//!
//! Must not drop a word that AWS adds.

use aws_sdk_cloudwatch::types::{
    AlarmHistoryItem as SdkItem, CompositeAlarm, LogAlarm, MetricAlarm, StateValue,
};
use serde_json::Value;

use super::metric;
use crate::cloud::shape::{all, count, wall};
use crate::domain::alarm::{Alarm, AlarmHistoryItem, AlarmId, AlarmKind, AlarmRule, AlarmState};
use crate::domain::metric::MetricId;
use crate::domain::scope::Scope;
use crate::stdx::clock::Wall;

fn id(scope: &Scope, name: Option<String>) -> AlarmId {
    AlarmId { scope: scope.clone(), name: name.unwrap_or_default() }
}

fn state(sdk: Option<StateValue>) -> AlarmState {
    AlarmState::of(sdk.as_ref().map_or("", StateValue::as_str))
}

pub(super) fn of_metric(scope: &Scope, sdk: MetricAlarm) -> Alarm {
    let expression = sdk.evaluation_criteria.as_ref().and_then(|criteria| {
        criteria.as_prom_ql_criteria().ok().and_then(|promql| promql.query().map(ToOwned::to_owned))
    });
    let evaluation_periods = sdk.evaluation_periods.map_or(0, count);
    let named = sdk.metric_name.map(|name| MetricId {
        namespace: sdk.namespace.unwrap_or_default(),
        name,
        dimensions: metric::dimensions(sdk.dimensions),
    });
    let rule = AlarmRule {
        metric: named,
        stat: sdk.statistic.map(|s| s.as_str().to_owned()).or(sdk.extended_statistic),
        period: sdk.period.map_or(0, count),
        queries: all(sdk.metrics, metric::from_sdk),
        comparison: sdk.comparison_operator.map(|c| c.as_str().to_owned()).unwrap_or_default(),
        threshold: sdk.threshold,
        evaluation_periods,
        // As many as are looked at, unless the alarm is "M out of N".
        datapoints: sdk.datapoints_to_alarm.map_or(evaluation_periods, count),
        missing_data: sdk.treat_missing_data.unwrap_or_else(|| "missing".to_owned()),
    };
    Alarm {
        id: id(scope, sdk.alarm_name),
        arn: sdk.alarm_arn.unwrap_or_default(),
        kind: AlarmKind::Metric,
        description: sdk.alarm_description,
        state: state(sdk.state_value),
        reason: sdk.state_reason.unwrap_or_default(),
        since: sdk.state_transitioned_timestamp.or(sdk.state_updated_timestamp).and_then(wall),
        // CloudWatch's own default.
        actions_enabled: sdk.actions_enabled.unwrap_or(true),
        actions: sdk.alarm_actions.unwrap_or_default(),
        suppressed_by: None,
        evaluation: sdk.evaluation_state.map(|s| s.as_str().to_owned()),
        rule: Some(rule),
        expression,
    }
}

pub(super) fn of_composite(scope: &Scope, sdk: CompositeAlarm) -> Alarm {
    Alarm {
        id: id(scope, sdk.alarm_name),
        arn: sdk.alarm_arn.unwrap_or_default(),
        kind: AlarmKind::Composite,
        description: sdk.alarm_description,
        state: state(sdk.state_value),
        reason: sdk.state_reason.unwrap_or_default(),
        since: sdk.state_transitioned_timestamp.or(sdk.state_updated_timestamp).and_then(wall),
        actions_enabled: sdk.actions_enabled.unwrap_or(true),
        actions: sdk.alarm_actions.unwrap_or_default(),
        suppressed_by: sdk.actions_suppressed_by.map(|s| s.as_str().to_owned()),
        evaluation: None,
        rule: None,
        expression: sdk.alarm_rule,
    }
}

pub(super) fn of_log(scope: &Scope, sdk: LogAlarm) -> Alarm {
    Alarm {
        id: id(scope, sdk.alarm_name),
        arn: sdk.alarm_arn.unwrap_or_default(),
        kind: AlarmKind::Log,
        description: sdk.alarm_description,
        state: state(sdk.state_value),
        reason: sdk.state_reason.unwrap_or_default(),
        since: sdk.state_transitioned_timestamp.or(sdk.state_updated_timestamp).and_then(wall),
        actions_enabled: sdk.actions_enabled.unwrap_or(true),
        actions: sdk.alarm_actions.unwrap_or_default(),
        suppressed_by: None,
        evaluation: sdk.evaluation_state.map(|s| s.as_str().to_owned()),
        rule: None,
        expression: sdk.scheduled_query_configuration.and_then(|q| q.query_string),
    }
}

pub(super) fn history(sdk: SdkItem) -> AlarmHistoryItem {
    AlarmHistoryItem {
        alarm: sdk.alarm_name.unwrap_or_default(),
        at: sdk.timestamp.and_then(wall).unwrap_or(Wall(0)),
        kind: sdk.history_item_type.map(|t| t.as_str().to_owned()).unwrap_or_default(),
        summary: sdk.history_summary.unwrap_or_default(),
        states: sdk.history_data.as_deref().and_then(states),
    }
}

/// From which state to which, from a history item's own JSON.
fn states(data: &str) -> Option<(String, String)> {
    let data: Value = serde_json::from_str(data).ok()?;
    let state = |which: &str| data.get(which)?.get("stateValue")?.as_str().map(ToOwned::to_owned);
    Some((state("oldState")?, state("newState")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudwatch::types::{
        ComparisonOperator, Dimension, HistoryItemType, ScheduledQueryConfiguration, Statistic,
    };
    use aws_smithy_types::DateTime;

    fn scope() -> Scope {
        Scope::new("default", "eu-west-2")
    }

    #[test]
    fn an_alarm_of_which_nothing_is_said_is_empty() {
        let alarm = of_metric(&scope(), MetricAlarm::builder().build());
        assert_eq!((alarm.id.name.as_str(), alarm.state.word(), alarm.since), ("", "", None));
        assert!(alarm.actions_enabled && alarm.actions.is_empty());
        let rule = alarm.rule.unwrap();
        assert_eq!((rule.metric, rule.threshold, rule.datapoints), (None, None, 0));
        assert_eq!(rule.missing_data, "missing");
        assert_eq!(of_composite(&scope(), CompositeAlarm::builder().build()).expression, None);
        assert_eq!(of_log(&scope(), LogAlarm::builder().build()).kind, AlarmKind::Log);
        assert_eq!(history(SdkItem::builder().build()).at, Wall(0));
    }

    #[test]
    fn unknown_words_are_kept_and_the_transition_is_what_since_means() {
        let sdk = MetricAlarm::builder()
            .alarm_name("cpu")
            .state_value(StateValue::from("SNOOZING"))
            .state_updated_timestamp(DateTime::from_millis(9_000))
            .state_transitioned_timestamp(DateTime::from_millis(1_000))
            .metric_name("CPUUtilization")
            .namespace("AWS/ECS")
            .dimensions(Dimension::builder().name("ServiceName").value("api").build())
            .statistic(Statistic::from("Median"))
            .comparison_operator(ComparisonOperator::from("RoughlyThreshold"))
            .evaluation_periods(5)
            .datapoints_to_alarm(3)
            .threshold(80.0)
            .build();
        let alarm = of_metric(&scope(), sdk);
        assert_eq!(alarm.state, AlarmState::Other("SNOOZING".into()));
        assert_eq!(alarm.since, Some(Wall(1_000)));
        let rule = alarm.rule.unwrap();
        assert_eq!(rule.metric.as_ref().unwrap().dimension("ServiceName"), Some("api"));
        assert_eq!((rule.stat.as_deref(), rule.sign()), (Some("Median"), "RoughlyThreshold"));
        assert_eq!((rule.evaluation_periods, rule.datapoints, rule.threshold), (5, 3, Some(80.0)));
    }

    #[test]
    fn an_extended_statistic_is_a_statistic_and_a_log_alarm_has_its_query() {
        let sdk = MetricAlarm::builder().extended_statistic("p99").evaluation_periods(4).build();
        let rule = of_metric(&scope(), sdk).rule.unwrap();
        assert_eq!((rule.stat.as_deref(), rule.datapoints), (Some("p99"), 4));
        let query = ScheduledQueryConfiguration::builder().query_string("filter level = 'error'").build();
        let log = of_log(&scope(), LogAlarm::builder().scheduled_query_configuration(query).build());
        assert_eq!(log.expression.as_deref(), Some("filter level = 'error'"));
    }

    #[test]
    fn a_history_item_tells_its_states_when_its_data_can_be_read() {
        let data = r#"{"version":"1.0","oldState":{"stateValue":"OK"},"newState":{"stateValue":"ALARM"}}"#;
        let item = SdkItem::builder()
            .history_item_type(HistoryItemType::from("AlarmContributorStateUpdate"))
            .history_data(data)
            .build();
        let item = history(item);
        assert_eq!(item.states, Some(("OK".into(), "ALARM".into())));
        assert_eq!(item.kind, "AlarmContributorStateUpdate");
        for data in ["", "{", "[]", r#"{"newState":{"stateValue":"OK"}}"#] {
            assert_eq!(states(data), None, "{data}");
        }
    }
}
