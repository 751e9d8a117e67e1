//! Application Auto Scaling: bounds of services and what it did.
//!
//! Must not ask for anything but ECS services.

pub(super) mod write;

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{
    ScalableTarget as SdkTarget, ScalingActivity as SdkActivity, ServiceNamespace,
};

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::{all, count, next, stray, token, wall};
use crate::domain::query::{Answer, Query};
use crate::domain::scaling::{ScalableTarget, ScalingActivity};

/// The largest page.
const PAGE: i32 = 50;

/// One request to Application Auto Scaling; it does not retry.
pub(super) async fn ask(client: &Client, query: &Query, call: &Call<'_>) -> Result<Answer, Lost> {
    match query {
        Query::DescribeScalableTargets { page, .. } => {
            let request = client
                .describe_scalable_targets()
                .service_namespace(ServiceNamespace::Ecs)
                .max_results(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::ScalableTargets {
                found: all(out.scalable_targets, target),
                next: next(out.next_token),
            })
        }
        Query::DescribeScalingActivities { resource, page, .. } => {
            let request = client
                .describe_scaling_activities()
                .service_namespace(ServiceNamespace::Ecs)
                .set_resource_id(resource.clone())
                .max_results(PAGE)
                .set_next_token(token(page.as_ref()));
            let out = request.send().await.map_err(|e| call.lost(e))?;
            Ok(Answer::ScalingActivities {
                found: all(out.scaling_activities, activity),
                next: next(out.next_token),
            })
        }
        other => Err(stray(other, "Application Auto Scaling")),
    }
}

fn target(sdk: SdkTarget) -> ScalableTarget {
    let suspended = sdk.suspended_state.map(|s| {
        [
            ("DynamicScalingIn", s.dynamic_scaling_in_suspended),
            ("DynamicScalingOut", s.dynamic_scaling_out_suspended),
            ("ScheduledScaling", s.scheduled_scaling_suspended),
        ]
    });
    ScalableTarget {
        resource: sdk.resource_id,
        dimension: sdk.scalable_dimension.as_str().to_owned(),
        min: count(sdk.min_capacity),
        max: count(sdk.max_capacity),
        suspended: suspended
            .into_iter()
            .flatten()
            .filter(|(_, is)| *is == Some(true))
            .map(|(name, _)| name.to_owned())
            .collect(),
    }
}

fn activity(sdk: SdkActivity) -> ScalingActivity {
    ScalingActivity {
        id: sdk.activity_id,
        resource: sdk.resource_id,
        description: sdk.description,
        cause: sdk.cause,
        status: sdk.status_code.as_str().to_owned(),
        message: sdk.status_message,
        started_at: wall(sdk.start_time),
        ended_at: sdk.end_time.and_then(wall),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_applicationautoscaling::types::{
        ScalableDimension, ScalingActivityStatusCode, SuspendedState,
    };
    use aws_smithy_types::DateTime;

    #[test]
    fn bounds_and_what_is_suspended() {
        let begun = || {
            SdkTarget::builder()
                .service_namespace(ServiceNamespace::Ecs)
                .resource_id("service/cma/api")
                .scalable_dimension(ScalableDimension::from("ecs:service:Moons"))
                .min_capacity(-1)
                .max_capacity(10)
                .role_arn("arn:role")
                .creation_time(DateTime::from_secs(0))
        };
        let plain = target(begun().build().unwrap());
        assert_eq!((plain.min, plain.max, plain.suspended.len()), (0, 10, 0));
        assert_eq!(plain.dimension, "ecs:service:Moons");
        let state =
            SuspendedState::builder().dynamic_scaling_in_suspended(true).scheduled_scaling_suspended(false);
        let held = target(begun().suspended_state(state.build()).build().unwrap());
        assert_eq!(held.suspended, ["DynamicScalingIn"]);
    }

    #[test]
    fn an_activity_keeps_its_words() {
        let sdk = SdkActivity::builder()
            .activity_id("a")
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id("service/cma/api")
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .description("Setting desired count to 3.")
            .cause("monitor alarm")
            .start_time(DateTime::from_secs(60))
            .status_code(ScalingActivityStatusCode::from("Dithering"))
            .build()
            .unwrap();
        let activity = activity(sdk);
        assert_eq!((activity.status.as_str(), activity.ended_at), ("Dithering", None));
        assert_eq!(activity.started_at.map(|at| at.0), Some(60_000));
    }
}
