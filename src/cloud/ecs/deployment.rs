//! Service deployments and service revisions (the 90-day history), from the SDK's shape to ours.
//!
//! Must not drop a word that AWS adds.

use aws_sdk_ecs::types::{
    ServiceDeployment as SdkDeployment, ServiceDeploymentBrief, ServiceRevision as SdkRevision,
};

use super::{all, count, wall};
use crate::domain::ecs::{BreakerState, Revision, RevisionImage, ServiceDeployment, ServiceRevision};

/// What `ListServiceDeployments` says of one; the rest is unknown until it is described.
pub(super) fn from_brief(sdk: ServiceDeploymentBrief) -> ServiceDeployment {
    ServiceDeployment {
        arn: sdk.service_deployment_arn.unwrap_or_default(),
        status: sdk.status.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        status_reason: sdk.status_reason,
        created_at: sdk.created_at.and_then(wall),
        started_at: sdk.started_at.and_then(wall),
        finished_at: sdk.finished_at.and_then(wall),
        target_revision_arn: sdk.target_service_revision_arn,
        source_revision_arns: Vec::new(),
        lifecycle_stage: None,
        traffic_percent: None,
        triggered_alarms: Vec::new(),
        breaker: None,
        rollback_reason: None,
        waiting_hook: None,
    }
}

pub(super) fn from_sdk(sdk: SdkDeployment) -> ServiceDeployment {
    let target = sdk.target_service_revision;
    let weight = target.as_ref().and_then(|target| target.requested_production_traffic_weight);
    ServiceDeployment {
        arn: sdk.service_deployment_arn.unwrap_or_default(),
        status: sdk.status.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        status_reason: sdk.status_reason,
        created_at: sdk.created_at.and_then(wall),
        started_at: sdk.started_at.and_then(wall),
        // A stopped deployment has `stoppedAt` where a finished one has `finishedAt`.
        finished_at: sdk.finished_at.or(sdk.stopped_at).and_then(wall),
        target_revision_arn: target.and_then(|r| r.arn),
        source_revision_arns: sdk
            .source_service_revisions
            .unwrap_or_default()
            .into_iter()
            .filter_map(|r| r.arn)
            .collect(),
        lifecycle_stage: sdk.lifecycle_stage.map(|s| s.as_str().to_owned()),
        traffic_percent: weight.map(|percent| percent.clamp(0.0, 100.0).round() as u8),
        triggered_alarms: sdk.alarms.and_then(|a| a.triggered_alarm_names).unwrap_or_default(),
        breaker: sdk.deployment_circuit_breaker.map(|b| BreakerState {
            status: b.status.map(|s| s.as_str().to_owned()).unwrap_or_default(),
            failures: count(b.failure_count),
            threshold: count(b.threshold),
        }),
        rollback_reason: sdk.rollback.and_then(|r| r.reason),
        waiting_hook: sdk
            .lifecycle_hook_details
            .unwrap_or_default()
            .into_iter()
            .find(|hook| hook.status.as_ref().is_some_and(|s| s.as_str() == "AWAITING_ACTION"))
            .and_then(|hook| hook.hook_id),
    }
}

pub(super) fn revision_from_sdk(sdk: SdkRevision) -> ServiceRevision {
    ServiceRevision {
        arn: sdk.service_revision_arn.unwrap_or_default(),
        revision: Revision::of(&sdk.task_definition.unwrap_or_default()),
        images: all(sdk.container_images, |i| RevisionImage {
            container: i.container_name.unwrap_or_default(),
            image: i.image.unwrap_or_default(),
            digest: i.image_digest,
        }),
        created_at: sdk.created_at.and_then(wall),
    }
}
