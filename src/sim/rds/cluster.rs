//! Aurora clusters as RDS writes them.
//!
//! Must not change anything.

use super::{PAGE, passes};
use crate::sim::query::{Fields, Xml};
use crate::sim::reply::ApiError;
use crate::sim::world::World;

/// The cluster that `DBClusterIdentifier` names, by identifier or ARN.
pub(super) fn named(world: &World, region: &str, fields: &Fields) -> Result<usize, ApiError> {
    let id = fields.need("DBClusterIdentifier")?;
    let name = id.rsplit(':').next().unwrap_or(id);
    world
        .database_clusters
        .iter()
        .position(|found| *found.region == *region && found.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| ApiError::new(404, "DBClusterNotFoundFault", format!("DBCluster {name} not found.")))
}

pub(super) fn describe(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let found: Vec<usize> = match fields.text("DBClusterIdentifier") {
        Some(_) => vec![named(world, region, fields)?],
        None => (0..world.database_clusters.len())
            .filter(|index| world.database_clusters.get(*index).is_some_and(|found| *found.region == *region))
            .collect(),
    };
    let name =
        |index: &usize| world.database_clusters.get(*index).map_or("", |found| found.name()).to_owned();
    let mut kept = Vec::new();
    for index in found {
        let own = name(&index);
        if passes(fields, &[("db-cluster-id", own.as_str()), ("engine", "aurora-postgresql")])? {
            kept.push(index);
        }
    }
    let (page, marker) = fields.page(kept, name, PAGE)?;
    let mut xml = Xml::default();
    xml.list("DBClusters", "DBCluster", page, |xml, index| one(world, index, xml));
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}

/// The members of one cluster.
pub(super) fn one(world: &World, index: usize, xml: &mut Xml) {
    let Some((found, spec)) =
        world.database_clusters.get(index).and_then(|found| Some((found, found.spec()?)))
    else {
        return;
    };
    let first = found.members().next();
    xml.text("AllocatedStorage", 1);
    xml.texts("AvailabilityZones", "AvailabilityZone", found.members().map(|member| &member.zone));
    xml.text("BackupRetentionPeriod", spec.retention);
    xml.maybe("DatabaseName", first.map(|member| &member.db_name));
    xml.text("DBClusterIdentifier", &spec.name);
    xml.maybe("DBClusterParameterGroup", first.map(crate::sim::stack::Database::group));
    xml.text("DBSubnetGroup", format!("{}-data", found.stack.name));
    xml.text("Status", found.status);
    xml.time(
        "EarliestRestorableTime",
        world.now.minus(std::time::Duration::from_secs(u64::from(spec.retention) * 86_400)),
    );
    xml.text("Endpoint", &spec.endpoint);
    xml.text("ReaderEndpoint", &spec.reader_endpoint);
    xml.text("MultiAZ", found.members().count() > 1);
    xml.maybe("Engine", first.map(|member| &member.engine));
    xml.maybe("EngineVersion", first.map(|member| &member.version));
    // Aurora writes its log all the time.
    xml.time("LatestRestorableTime", world.now.minus(std::time::Duration::from_secs(90)));
    xml.text("Port", 5432);
    xml.maybe("MasterUsername", first.map(|member| &member.user));
    xml.text("PreferredBackupWindow", &spec.backup_window);
    xml.text("PreferredMaintenanceWindow", &spec.maintenance_window);
    xml.list("DBClusterMembers", "DBClusterMember", found.members(), |xml, member| {
        xml.text("DBInstanceIdentifier", &member.name);
        xml.text("IsClusterWriter", member.name == found.writer);
        xml.text("DBClusterParameterGroupStatus", "in-sync");
        xml.text("PromotionTier", 1);
    });
    xml.text("StorageEncrypted", true);
    xml.text("DBClusterArn", found.arn());
    xml.text("IAMDatabaseAuthenticationEnabled", false);
    xml.time("ClusterCreateTime", world.opened.minus(spec.age.0));
    xml.text("EngineMode", "provisioned");
    xml.text("AutoMinorVersionUpgrade", true);
    xml.text("DeletionProtection", spec.deletion_protection);
    xml.text("CopyTagsToSnapshot", true);
    xml.text("CrossAccountClone", false);
    xml.list("TagList", "Tag", &found.stack.tags, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
    xml.text("NetworkType", "IPV4");
}
