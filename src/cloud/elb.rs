//! Elastic Load Balancing: target groups and the health of their targets.
//!
//! Must not judge a target's health.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{TargetGroup as SdkGroup, TargetHealthDescription};

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, port, stray};
use crate::domain::balancer::{TargetGroup, TargetHealth};
use crate::domain::query::{Answer, Query};

/// One request to Elastic Load Balancing; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::DescribeTargetGroups { arns, .. } => {
            let request = client.describe_target_groups().set_target_group_arns(Some(arns.clone()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::TargetGroups { found: all(out.target_groups, group) })
        }
        Query::DescribeTargetHealth { target_group, .. } => {
            let request = client.describe_target_health().target_group_arn(target_group);
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::TargetHealth { found: all(out.target_health_descriptions, health) })
        }
        other => Err(stray(other, "Elastic Load Balancing")),
    }
}

fn group(sdk: SdkGroup) -> TargetGroup {
    TargetGroup {
        arn: sdk.target_group_arn.unwrap_or_default(),
        name: sdk.target_group_name.unwrap_or_default(),
        balancers: sdk.load_balancer_arns.unwrap_or_default(),
        protocol: sdk.protocol.map(|p| p.as_str().to_owned()),
        port: port(sdk.port),
        health_path: sdk.health_check_path,
        matcher: sdk.matcher.and_then(|m| m.http_code.or(m.grpc_code)),
    }
}

fn health(sdk: TargetHealthDescription) -> TargetHealth {
    let (target, number, zone) =
        sdk.target.map_or((None, None, None), |t| (t.id, t.port, t.availability_zone));
    let (state, reason, description) =
        sdk.target_health.map_or((None, None, None), |h| (h.state, h.reason, h.description));
    TargetHealth {
        target: target.unwrap_or_default(),
        port: port(number),
        zone,
        state: state.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        reason: reason.map(|r| r.as_str().to_owned()),
        description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_elasticloadbalancingv2::types::{
        Matcher, TargetDescription, TargetHealth as SdkHealth, TargetHealthReasonEnum, TargetHealthStateEnum,
    };

    #[test]
    fn what_is_left_out_is_empty_and_unknown_words_are_kept() {
        let empty = health(TargetHealthDescription::builder().build());
        assert_eq!((empty.target.as_str(), empty.state.as_str(), empty.reason), ("", "", None));
        let said = SdkHealth::builder()
            .state(TargetHealthStateEnum::from("queasy"))
            .reason(TargetHealthReasonEnum::from("Target.Moon"))
            .build();
        let target = TargetDescription::builder().id("10.0.0.1").port(8000).build();
        let told = health(TargetHealthDescription::builder().target(target).target_health(said).build());
        assert_eq!((told.state.as_str(), told.reason.as_deref()), ("queasy", Some("Target.Moon")));
        assert_eq!((told.target.as_str(), told.port), ("10.0.0.1", Some(8000)));
        let matcher = Matcher::builder().grpc_code("0-99").build();
        let group = group(SdkGroup::builder().matcher(matcher).port(-1).build());
        assert_eq!((group.matcher.as_deref(), group.port, group.balancers.len()), (Some("0-99"), None, 0));
    }
}
