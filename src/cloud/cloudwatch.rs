//! CloudWatch: alarms and metrics, requests and answers.
//!
//! Must not judge an alarm nor fill gaps in a series.

mod alarm;
mod metric;
pub(super) mod write;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, ScanBy, StateValue};

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, next, stray, time, token, wall};
use crate::domain::alarm::MuteRule;
use crate::domain::query::{Answer, MetricRequest, Query};

/// The largest page of alarms and of their history.
const PAGE: i32 = 100;

/// All kinds of alarms: CloudWatch answers with metric alarms alone unless they are named.
fn kinds() -> Option<Vec<AlarmType>> {
    Some(vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm, AlarmType::LogAlarm])
}

/// One request to CloudWatch; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::DescribeAlarms { scope, state, page } => {
            let request = client
                .describe_alarms()
                .set_alarm_types(kinds())
                .set_state_value(state.as_ref().map(|s| StateValue::from(s.word())))
                .max_records(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let mut found = all(out.metric_alarms, |a| alarm::of_metric(scope, a));
            found.extend(all(out.composite_alarms, |a| alarm::of_composite(scope, a)));
            found.extend(all(out.log_alarms, |a| alarm::of_log(scope, a)));
            Ok(Answer::Alarms { found, next: next(out.next_token) })
        }
        Query::DescribeAlarmHistory { alarm, from, page, .. } => {
            let request = client
                .describe_alarm_history()
                .set_alarm_name(alarm.clone())
                .set_alarm_types(kinds())
                .start_date(time(*from))
                .scan_by(ScanBy::TimestampDescending)
                .max_records(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            let items = all(out.alarm_history_items, alarm::history);
            Ok(Answer::AlarmHistory { items, next: next(out.next_token) })
        }
        Query::GetAlarmMuteRule { rule, .. } => {
            let out = client.get_alarm_mute_rule().alarm_mute_rule_name(rule).send().await;
            let out = out.map_err(|e| call.lost(e))?;
            Ok(Answer::MuteRule(MuteRule {
                status: out.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
                alarms: out.mute_targets.and_then(|targets| targets.alarm_names).unwrap_or_default(),
                ends_at: out.expire_date.and_then(wall),
            }))
        }
        Query::GetMetricData(request) => metrics(client, request, call).await,
        other => Err(stray(other, "CloudWatch")),
    }
}

async fn metrics(client: &Client, asked: &MetricRequest, call: &Call<'_>) -> Result<Answer, Lost> {
    let request = client
        .get_metric_data()
        .set_metric_data_queries(Some(asked.queries.iter().map(metric::to_sdk).collect()))
        .start_time(time(asked.from))
        .end_time(time(asked.to))
        .scan_by(ScanBy::TimestampAscending)
        .set_next_token(token(asked.page.as_ref()));
    let out = request.send().await.map_err(|e| call.lost(e))?;
    let mut messages = all(out.messages, metric::message);
    let mut series = Vec::new();
    for mut result in out.metric_data_results.unwrap_or_default() {
        messages.extend(all(result.messages.take(), metric::message));
        series.push(metric::series(result));
    }
    Ok(Answer::Metrics { series, messages, next: next(out.next_token) })
}
