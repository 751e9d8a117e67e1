//! DB instances as RDS writes them.
//!
//! Must not change anything.

use super::{PAGE, named, passes};
use crate::sim::logs::chance::{self, mix};
use crate::sim::query::{Fields, Xml};
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;

pub(super) fn describe(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let mut found: Vec<usize> = match fields.text("DBInstanceIdentifier") {
        Some(_) => vec![named(world, region, fields)?],
        None => (0..world.databases.len())
            .filter(|index| world.databases.get(*index).is_some_and(|found| *found.region == *region))
            .collect(),
    };
    let name = |index: &usize| world.databases.get(*index).map_or("", |found| found.name()).to_owned();
    found.sort_by_key(name);
    let mut kept = Vec::new();
    for index in found {
        let Some(spec) = world.databases.get(index).and_then(|found| found.spec()) else { continue };
        let cluster = spec.cluster.as_deref().unwrap_or_default();
        let resource = resource_id(world, &spec.name);
        let known = [
            ("db-instance-id", spec.name.as_str()),
            ("db-cluster-id", cluster),
            ("engine", spec.engine.as_str()),
            ("dbi-resource-id", resource.as_str()),
            ("domain", ""),
        ];
        if passes(fields, &known)? {
            kept.push(index);
        }
    }
    let (page, marker) = fields.page(kept, name, PAGE)?;
    let mut xml = Xml::default();
    xml.list("DBInstances", "DBInstance", page, |xml, index| one(world, index, xml));
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}

/// `DbiResourceId`: `db-` and 26 letters and digits that follow from the name.
fn resource_id(world: &World, name: &str) -> String {
    let mut dice = fastrand::Rng::with_seed(mix(world.seed, chance::text(name)));
    let letters = std::iter::repeat_with(|| dice.alphanumeric().to_ascii_uppercase());
    format!("db-{}", letters.take(26).collect::<String>())
}

/// The members of one instance.
pub(super) fn one(world: &World, index: usize, xml: &mut Xml) {
    let Some((found, spec)) = world.databases.get(index).and_then(|found| Some((found, found.spec()?)))
    else {
        return;
    };
    let now = world.now;
    let network = &found.stack.network;
    let cluster = world
        .database_clusters
        .iter()
        .find(|cluster| cluster.region == found.region && Some(cluster.name()) == spec.cluster.as_deref());
    let retention = cluster.and_then(|cluster| cluster.spec()).map_or(spec.retention, |own| own.retention);
    let kms =
        format!("arn:aws:kms:{}:{ACCOUNT}:key/{}", found.region, crate::sim::world::scaling::uuid("aws/rds"));
    xml.text("DBInstanceIdentifier", &spec.name);
    xml.text("DBInstanceClass", &spec.class);
    xml.text("Engine", &spec.engine);
    xml.text("DBInstanceStatus", world.database_status(index));
    xml.text("MasterUsername", &spec.user);
    xml.text("DBName", &spec.db_name);
    xml.inside("Endpoint", |xml| {
        xml.text("Address", &spec.endpoint);
        xml.text("Port", 5432);
        xml.text("HostedZoneId", "Z2R2ITUGPM61AM");
    });
    xml.text("AllocatedStorage", if cluster.is_some() { 1 } else { found.allocated(now) });
    xml.time("InstanceCreateTime", found.created_at);
    xml.text("PreferredBackupWindow", &spec.backup_window);
    xml.text("BackupRetentionPeriod", retention);
    xml.list("DBSecurityGroups", "DBSecurityGroup", [(); 0], |_, ()| {});
    let groups = network.security_groups.iter().filter(|group| spec.security_groups.contains(&group.name));
    xml.list("VpcSecurityGroups", "VpcSecurityGroupMembership", groups, |xml, group| {
        xml.text("VpcSecurityGroupId", &group.id);
        xml.text("Status", "active");
    });
    xml.list("DBParameterGroups", "DBParameterGroup", [()], |xml, ()| {
        xml.text("DBParameterGroupName", spec.group());
        xml.text("ParameterApplyStatus", if found.parameters_pending { "pending-reboot" } else { "in-sync" });
    });
    xml.text("AvailabilityZone", &found.zone);
    xml.inside("DBSubnetGroup", |xml| {
        let name = format!("{}-data", found.stack.name);
        xml.text("DBSubnetGroupName", &name);
        xml.text("DBSubnetGroupDescription", format!("Subnets of {}", found.stack.name));
        xml.text("VpcId", &network.vpc);
        xml.text("SubnetGroupStatus", "Complete");
        xml.list("Subnets", "Subnet", &network.subnets, |xml, subnet| {
            xml.text("SubnetIdentifier", &subnet.id);
            xml.inside("SubnetAvailabilityZone", |xml| xml.text("Name", &subnet.zone));
            xml.text("SubnetStatus", "Active");
        });
        xml.text("DBSubnetGroupArn", format!("arn:aws:rds:{}:{ACCOUNT}:subgrp:{name}", found.region));
    });
    xml.text("PreferredMaintenanceWindow", &spec.maintenance_window);
    xml.inside("PendingModifiedValues", |xml| xml.maybe("AllocatedStorage", found.pending_storage));
    if let Some(at) = found.restorable(world.seed, now) {
        xml.time("LatestRestorableTime", at);
    }
    xml.text("MultiAZ", spec.multi_az);
    xml.text("EngineVersion", &spec.version);
    xml.text("AutoMinorVersionUpgrade", true);
    xml.maybe("ReadReplicaSourceDBInstanceIdentifier", spec.replica_of.as_ref());
    let replicas = found.stack.databases.iter().filter(|other| other.replica_of.as_ref() == Some(&spec.name));
    xml.texts(
        "ReadReplicaDBInstanceIdentifiers",
        "ReadReplicaDBInstanceIdentifier",
        replicas.map(|replica| &replica.name),
    );
    xml.text("LicenseModel", "postgresql-license");
    if spec.storage_type == "gp3" {
        xml.text("Iops", 3000);
        xml.text("StorageThroughput", 125);
    }
    xml.list("OptionGroupMemberships", "OptionGroupMembership", [()], |xml, ()| {
        xml.text("OptionGroupName", format!("default:{}-{}", spec.engine, spec.major()));
        xml.text("Status", "in-sync");
    });
    xml.maybe("SecondaryAvailabilityZone", found.secondary_zone.as_ref());
    xml.text("PubliclyAccessible", false);
    if spec.replica_of.is_some() {
        let stopped = found.is_down(now);
        xml.list("StatusInfos", "DBInstanceStatusInfo", [()], |xml, ()| {
            xml.text("StatusType", "read replication");
            xml.text("Normal", !stopped);
            xml.text("Status", if stopped { "stopped" } else { "replicating" });
        });
    }
    xml.text("StorageType", &spec.storage_type);
    xml.text("DbInstancePort", 0);
    xml.maybe("DBClusterIdentifier", spec.cluster.as_ref());
    xml.text("StorageEncrypted", spec.encrypted);
    xml.maybe("KmsKeyId", spec.encrypted.then_some(kms));
    xml.text("DbiResourceId", resource_id(world, &spec.name));
    xml.text("CACertificateIdentifier", "rds-ca-rsa2048-g1");
    xml.text("CopyTagsToSnapshot", true);
    xml.text("MonitoringInterval", spec.monitoring);
    if cluster.is_some() {
        xml.text("PromotionTier", 1);
    }
    xml.text("DBInstanceArn", found.arn());
    xml.text("IAMDatabaseAuthenticationEnabled", false);
    xml.text("DatabaseInsightsMode", "standard");
    xml.text("PerformanceInsightsEnabled", spec.insights);
    if spec.insights {
        xml.text("PerformanceInsightsRetentionPeriod", 7);
    }
    xml.text("DeletionProtection", spec.deletion_protection);
    xml.maybe("MaxAllocatedStorage", spec.max_storage);
    xml.list("TagList", "Tag", &found.stack.tags, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
    xml.text("CustomerOwnedIpEnabled", false);
    xml.text("NetworkType", "IPV4");
    xml.text("ActivityStreamStatus", "stopped");
    xml.text("BackupTarget", "region");
    xml.inside("CertificateDetails", |xml| {
        xml.text("CAIdentifier", "rds-ca-rsa2048-g1");
        xml.time("ValidTill", world.opened.plus(spec.certificate.0));
    });
    xml.text("MultiTenant", false);
    xml.text("DedicatedLogVolume", false);
    xml.text("EngineLifecycleSupport", "open-source-rds-extended-support-disabled");
}
