//! Writes: what may be done to a database in its state, with AWS's refusals.
//!
//! Must not move the database itself; `world::database` does.

use super::{cluster, instance, named};
use crate::sim::query::{Fields, Xml, combination, invalid};
use crate::sim::reply::ApiError;
use crate::sim::world::World;

fn answer(world: &World, index: usize) -> String {
    let mut xml = Xml::default();
    xml.inside("DBInstance", |xml| instance::one(world, index, xml));
    xml.finish()
}

fn available(world: &World, index: usize) -> Result<(), ApiError> {
    if world.database_status(index) == "available" {
        return Ok(());
    }
    let name = world.databases.get(index).map_or("", |found| found.name());
    let text = format!("Instance {name} is not in available state.");
    Err(ApiError::new(400, "InvalidDBInstanceState", text))
}

pub(super) fn reboot(world: &mut World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let index = named(world, region, fields)?;
    let failover = fields.flag("ForceFailover")?;
    available(world, index)?;
    let standby = world.databases.get(index).is_some_and(|found| found.secondary_zone.is_some());
    if failover && !standby {
        return Err(combination(
            "ForceFailover cannot be specified since the instance is not configured for MultiAZ.",
        ));
    }
    world.reboot_database(index, failover);
    Ok(answer(world, index))
}

/// `AllocatedStorage` alone is played; other members are refused rather than swallowed.
pub(super) fn modify(world: &mut World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let index = named(world, region, fields)?;
    let at_once = fields.flag("ApplyImmediately")?;
    let Some(wanted) = fields.number("AllocatedStorage")? else {
        return Err(invalid("The simulator plays ModifyDBInstance with AllocatedStorage only."));
    };
    let status = world.database_status(index);
    if status == "storage-optimization" {
        return Err(combination(
            "You can't currently modify the storage of this DB instance because the previous storage change is being optimized.",
        ));
    }
    if status != "storage-full" {
        available(world, index)?;
    }
    let (now, most) = world.databases.get(index).map_or((0, None), |found| {
        (found.allocated(world.now), found.spec().and_then(|spec| spec.max_storage))
    });
    let wanted = u32::try_from(wanted).ok().filter(|wanted| *wanted <= 65_536);
    let Some(wanted) = wanted.filter(|wanted| *wanted > now) else {
        return Err(combination("Requested storage size must be larger than the current allocated storage."));
    };
    if u64::from(wanted) * 10 < u64::from(now) * 11 {
        return Err(combination("Allocated storage must be increased by at least 10 percent."));
    }
    if let Some(most) = most.filter(|most| wanted > *most) {
        return Err(combination(format!(
            "The maximum storage threshold of {most} GiB must be greater than the allocated storage."
        )));
    }
    world.grow_storage(index, wanted, at_once);
    Ok(answer(world, index))
}

pub(super) fn fail_over(world: &mut World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let index = cluster::named(world, region, fields)?;
    let Some(found) = world.database_clusters.get(index) else { return Err(invalid("no such cluster")) };
    let state = |text: String| ApiError::new(400, "InvalidDBClusterStateFault", text);
    if found.status != "available" {
        return Err(state(format!("DBCluster {} is not in available state.", found.name())));
    }
    let readers: Vec<&str> =
        found.members().map(|member| member.name.as_str()).filter(|name| *name != found.writer).collect();
    let target = match fields.text("TargetDBInstanceIdentifier") {
        Some(wanted) => {
            readers.iter().find(|name| name.eq_ignore_ascii_case(wanted)).copied().ok_or_else(|| {
                let text = format!("Cannot fail over to {wanted}: it is not a reader of the cluster.");
                ApiError::new(400, "InvalidDBInstanceState", text)
            })?
        }
        None => readers
            .first()
            .copied()
            .ok_or_else(|| state("The cluster has no reader to fail over to.".to_owned()))?,
    };
    let target = target.to_owned();
    world.fail_cluster_over(index, &target);
    let mut xml = Xml::default();
    xml.inside("DBCluster", |xml| cluster::one(world, index, xml));
    Ok(xml.finish())
}
