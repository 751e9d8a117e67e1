//! The calls that change whom alarms tell. Each takes a permit, and makes its call once.
//!
//! Must not change what an alarm watches.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MuteTargets, Rule, Schedule};
use aws_types::request_id::RequestId;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::unfit;
use crate::domain::mutation::{Mutation, Receipt};
use crate::guard::Permit;
use crate::stdx::clock::Wall;

/// Makes the call.
pub(in crate::cloud) async fn change(
    client: &Client,
    permit: Permit,
    call: &Call<'_>,
) -> Result<Receipt, Lost> {
    let request_id = match permit.redeem() {
        Mutation::SetAlarmActions { alarm, enabled: true } => {
            let out = client.enable_alarm_actions().alarm_names(alarm.name).send().await;
            out.map_err(|e| call.lost(e))?.request_id().map(ToOwned::to_owned)
        }
        Mutation::SetAlarmActions { alarm, enabled: false } => {
            let out = client.disable_alarm_actions().alarm_names(alarm.name).send().await;
            out.map_err(|e| call.lost(e))?.request_id().map(ToOwned::to_owned)
        }
        Mutation::MuteAlarm { alarm, rule, from, minutes } => {
            let text = Wall(from * 1000).rfc3339();
            let minute = text.get(..16).ok_or_else(|| call.unsent("the time cannot be written"))?;
            let schedule = Schedule::builder()
                .expression(format!("at({minute})"))
                .duration(format!("PT{minutes}M"))
                .timezone("UTC")
                .build();
            let end = from + i64::from(minutes) * 60;
            let request = client
                .put_alarm_mute_rule()
                .name(rule)
                .rule(Rule::builder().schedule(schedule).build())
                .mute_targets(MuteTargets::builder().alarm_names(alarm.name).build())
                .expire_date(DateTime::from_secs(end));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            out.request_id().map(ToOwned::to_owned)
        }
        other => return Err(unfit(&other, "CloudWatch")),
    };
    Ok(Receipt { request_id, ..Receipt::default() })
}
