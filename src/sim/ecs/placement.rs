//! Where tasks are to be placed, as UpdateService and RunTask ask for it.
//!
//! Must not place anything; it reads, or refuses with AWS's words.

use serde_json::Value;

use super::input;
use crate::sim::reply::ApiError;
use crate::sim::stack::{CapacityShare, Subnet};
use crate::sim::world::service::Placement;
use crate::sim::world::{Cluster, World};

/// A placement that starts from `own` and changes what the request sends.
pub fn asked(
    world: &World,
    region: &str,
    cluster: &Cluster,
    input: &Value,
    own: &Placement,
) -> Result<Placement, ApiError> {
    let mut placement = own.clone();
    if let Some(wanted) = input.get("networkConfiguration").filter(|wanted| !wanted.is_null()) {
        network(world, region, wanted, &mut placement)?;
    }
    let strategy = input.get("capacityProviderStrategy").and_then(Value::as_array);
    if let Some(shares) = strategy {
        placement.capacity =
            shares.iter().map(|share| self::share(cluster, share)).collect::<Result<_, _>>()?;
        placement.launch_type = None;
        if placement.capacity.iter().filter(|share| share.base > 0).count() > 1 {
            return Err(ApiError::invalid_parameter(
                "Only one capacity provider in a capacity provider strategy can have a base defined.",
            ));
        }
        let idle = placement.capacity.iter().all(|share| share.weight == 0);
        if idle && !placement.capacity.is_empty() {
            return Err(ApiError::invalid_parameter(
                "A capacity provider strategy cannot have only capacity providers with a weight of zero.",
            ));
        }
    }
    match input::text(input, "platformVersion")? {
        None | Some("LATEST" | "1.4.0") => Ok(placement),
        Some(_) => Err(ApiError::new(
            400,
            "PlatformUnknownException",
            "The specified platform version doesn't exist.",
        )),
    }
}

fn network(world: &World, region: &str, wanted: &Value, into: &mut Placement) -> Result<(), ApiError> {
    let wanted = wanted.get("awsvpcConfiguration").unwrap_or(&Value::Null);
    let ids = input::texts(wanted, "subnets")?;
    if ids.is_empty() {
        return Err(ApiError::invalid_parameter("subnets can not be empty."));
    }
    let networks = || world.stacks.iter().filter(|stack| stack.region == region).map(|stack| &stack.network);
    let subnet = |id: &&str| -> Result<Subnet, ApiError> {
        networks().flat_map(|network| &network.subnets).find(|subnet| subnet.id == *id).cloned().ok_or_else(|| {
            ApiError::invalid_parameter(format!(
                "Error retrieving subnet information for [{id}]: The subnet ID '{id}' does not exist (ErrorCode: InvalidSubnetID.NotFound)"
            ))
        })
    };
    let subnets: Vec<Subnet> = ids.iter().map(subnet).collect::<Result<_, _>>()?;
    let groups = input::texts(wanted, "securityGroups")?;
    for id in &groups {
        if !networks().flat_map(|network| &network.security_groups).any(|group| group.id == *id) {
            return Err(ApiError::invalid_parameter(format!(
                "Error retrieving security group information for [{id}]: The security group '{id}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )));
        }
    }
    into.subnets = subnets;
    into.groups = groups.into_iter().map(str::to_owned).collect();
    into.public_ip = input::choice(wanted, "assignPublicIp", &["ENABLED", "DISABLED"])? == Some("ENABLED");
    Ok(())
}

fn share(cluster: &Cluster, wanted: &Value) -> Result<CapacityShare, ApiError> {
    let provider = input::text(wanted, "capacityProvider")?.unwrap_or_default();
    let (stack, place) = &cluster.origin;
    let known =
        stack.clusters.get(*place).is_some_and(|own| own.capacity_providers.iter().any(|p| p == provider));
    if !known {
        return Err(ApiError::invalid_parameter(
            "The specified capacity provider is not associated with the cluster. Specify a valid capacity provider and try again.",
        ));
    }
    let count = |key: &str, most: u32| -> Result<u32, ApiError> {
        let number = input::number(wanted, key)?.unwrap_or(0);
        u32::try_from(number)
            .ok()
            .filter(|number| *number <= most)
            .ok_or_else(|| ApiError::invalid_parameter(format!("{key} must be between 0 and {most}.")))
    };
    Ok(CapacityShare {
        provider: provider.to_owned(),
        weight: count("weight", 1_000)?,
        base: count("base", 100_000)?,
    })
}
