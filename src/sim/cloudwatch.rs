//! CloudWatch: alarms and metrics, over rpc-v2-cbor (the Rust SDK), awsJson (boto3) and awsQuery (older clients).
//!
//! One handler answers all three: it reads and writes a `Datum`, and `wire` dresses it. Must not decide what a
//! metric says or when an alarm fires; `world` does.

use crate::sim::reply::{ApiError, Reply};
use crate::sim::route::Call;
use crate::sim::world::World;

mod alarm;
mod history;
mod metric;
mod mute;
mod page;
mod put;
mod query;
pub mod wire;

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses; its code is the one of awsQuery.
pub fn handle(world: &mut World, call: &Call) -> Result<Reply, ApiError> {
    let input = wire::read(call)?;
    let region = &call.region;
    let output = match call.operation.as_str() {
        "DescribeAlarms" => alarm::describe(world, region, &input)?,
        "DescribeAlarmsForMetric" => alarm::describe_for_metric(world, region, &input)?,
        "DescribeAlarmHistory" => history::describe(world, region, &input)?,
        "PutMetricAlarm" => put::metric_alarm(world, region, &input)?,
        "PutCompositeAlarm" => put::composite_alarm(world, region, &input)?,
        "DeleteAlarms" => put::delete(world, region, &input)?,
        "SetAlarmState" => put::set_state(world, region, &input)?,
        "EnableAlarmActions" => put::actions(world, region, &input, true)?,
        "DisableAlarmActions" => put::actions(world, region, &input, false)?,
        "GetMetricData" => metric::data(world, region, &input)?,
        "GetMetricStatistics" => metric::statistics(world, region, &input)?,
        "ListMetrics" => metric::list(world, region, &input)?,
        "PutAlarmMuteRule" => mute::put(world, region, &input)?,
        "DeleteAlarmMuteRule" => mute::delete(world, region, &input)?,
        "GetAlarmMuteRule" => mute::get(world, region, &input)?,
        "ListAlarmMuteRules" => mute::list(world, region, &input)?,
        _ => {
            return Err(ApiError::unknown_operation(format!(
                "The simulator does not play monitoring:{}",
                call.operation
            )));
        }
    };
    Ok(wire::write(call.protocol, &output))
}

/// Error codes of awsQuery, where the shape's name differs.
const SHAPES: [(&str, &str); 7] = [
    ("InvalidFormat", "InvalidFormatFault"),
    ("LimitExceeded", "LimitExceededFault"),
    ("InvalidParameterValue", "InvalidParameterValueException"),
    ("InvalidParameterCombination", "InvalidParameterCombinationException"),
    ("MissingParameter", "MissingRequiredParameterException"),
    ("Throttling", "ThrottlingException"),
    ("AccessDenied", "AccessDeniedException"),
];

/// The name of an error's shape, which `__type` carries.
#[must_use]
pub fn shape_of(code: &str) -> &str {
    SHAPES.iter().find(|(known, _)| *known == code).map_or(code, |(_, shape)| shape)
}

/// The error code that awsQuery would write.
#[must_use]
pub fn query_code(code: &str) -> &str {
    SHAPES.iter().find(|(_, shape)| *shape == code).map_or(code, |(known, _)| known)
}

#[cfg(test)]
mod tests;
