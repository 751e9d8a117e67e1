//! The call that changes a service's autoscaling. It takes a permit, and makes its call once.
//!
//! Must not make a target that does not exist: what is left out stays as it is.

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace, SuspendedState};
use aws_types::request_id::RequestId;

use crate::cloud::fault::{Call, Lost};
use crate::cloud::shape::unfit;
use crate::domain::mutation::{Mutation, Receipt};
use crate::guard::Permit;

/// Makes the call.
pub(in crate::cloud) async fn change(
    client: &Client,
    permit: Permit,
    call: &Call<'_>,
) -> Result<Receipt, Lost> {
    let mutation = permit.redeem();
    let Mutation::RegisterScalableTarget { service, change } = mutation else {
        return Err(unfit(&mutation, "Application Auto Scaling"));
    };
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    // All three, though some may be so already: AWS calls `false` the default of one that is left out, so leaving one
    // out may resume it.
    let suspended = change.suspended.map(|rests| {
        SuspendedState::builder()
            .dynamic_scaling_in_suspended(rests)
            .dynamic_scaling_out_suspended(rests)
            .scheduled_scaling_suspended(rests)
            .build()
    });
    let request = client
        .register_scalable_target()
        .service_namespace(ServiceNamespace::Ecs)
        .resource_id(format!("service/{}/{}", service.cluster, service.name))
        .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
        .set_min_capacity(change.min.map(number))
        .set_max_capacity(change.max.map(number))
        .set_suspended_state(suspended);
    let out = request.send().await.map_err(|e| call.lost(e))?;
    Ok(Receipt { request_id: out.request_id().map(ToOwned::to_owned), ..Receipt::default() })
}
