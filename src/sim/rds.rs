//! Amazon RDS: requests checked as AWS checks them, answers in AWS's shapes and with its irregular codes.
//!
//! Must not decide how a database moves; `world::database` does.

mod certificate;
mod cluster;
mod event;
mod instance;
mod log_file;
mod parameter;
mod snapshot;
mod write;

pub(in crate::sim) use event::asked_for;

use crate::sim::query::{Fields, invalid, unknown_action};
use crate::sim::reply::ApiError;
use crate::sim::world::World;

/// How many records a page has, and how many it may.
const PAGE: (&str, std::ops::RangeInclusive<i64>) = ("MaxRecords", 20..=100);

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &mut World, region: &str, operation: &str, fields: &Fields) -> Result<String, ApiError> {
    match operation {
        "DescribeDBInstances" => instance::describe(world, region, fields),
        "DescribeDBClusters" => cluster::describe(world, region, fields),
        "DescribeEvents" => event::describe(world, region, fields),
        "DescribePendingMaintenanceActions" => certificate::maintenance(world, region, fields),
        "DescribeCertificates" => certificate::describe(region, fields),
        "DescribeDBParameters" => parameter::describe(world, region, fields),
        "DescribeDBParameterGroups" => parameter::groups(world, region, fields),
        "DescribeDBLogFiles" => log_file::describe(world, region, fields),
        "DownloadDBLogFilePortion" => log_file::download(world, region, fields),
        "DescribeDBSnapshots" => snapshot::describe(world, region, fields),
        "DescribeDBClusterSnapshots" => snapshot::describe_clusters(world, region, fields),
        "CreateDBSnapshot" => snapshot::create(world, region, fields),
        "CreateDBClusterSnapshot" => snapshot::create_cluster(world, region, fields),
        "RebootDBInstance" => write::reboot(world, region, fields),
        "ModifyDBInstance" => write::modify(world, region, fields),
        "FailoverDBCluster" => write::fail_over(world, region, fields),
        _ => Err(unknown_action(operation, "2014-10-31")),
    }
}

/// The instance that `DBInstanceIdentifier` names, by identifier or ARN.
fn named(world: &World, region: &str, fields: &Fields) -> Result<usize, ApiError> {
    let id = fields.need("DBInstanceIdentifier")?;
    let name = id.rsplit(':').next().unwrap_or(id);
    world
        .database(region, name)
        .ok_or_else(|| ApiError::new(404, "DBInstanceNotFound", format!("DBInstance {name} not found.")))
}

/// Whether a thing passes all filters, of those that the operation knows.
fn passes(fields: &Fields, known: &[(&str, &str)]) -> Result<bool, ApiError> {
    for (name, values) in fields.filters() {
        let Some((_, own)) = known.iter().find(|(known, _)| *known == name) else {
            return Err(invalid(format!("Unrecognized filter name: {name}")));
        };
        let same = |value: &&str| value.rsplit(':').next().is_some_and(|last| last.eq_ignore_ascii_case(own));
        if !values.iter().any(same) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
