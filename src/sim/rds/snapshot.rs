//! Snapshots, listed and made.
//!
//! Must not move the database; `world::database` does.

use super::{PAGE, cluster, named, passes};
use crate::sim::query::{Fields, Xml, invalid};
use crate::sim::reply::ApiError;
use crate::sim::stack::ACCOUNT;
use crate::sim::world::World;
use crate::sim::world::database::snapshot::{Of, Snapshot};

pub(super) fn describe(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let page = listed(world, region, fields, false)?;
    let mut xml = Xml::default();
    xml.list("DBSnapshots", "DBSnapshot", page.0, |xml, found| of_instance(world, &found, xml));
    xml.maybe("Marker", page.1);
    Ok(xml.finish())
}

pub(super) fn describe_clusters(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let page = listed(world, region, fields, true)?;
    let mut xml = Xml::default();
    xml.list("DBClusterSnapshots", "DBClusterSnapshot", page.0, |xml, found| of_cluster(world, &found, xml));
    xml.maybe("Marker", page.1);
    Ok(xml.finish())
}

/// The source's name.
fn source<'w>(world: &'w World, found: &Snapshot) -> &'w str {
    match found.of {
        Of::Instance(index) => world.databases.get(index).map_or("", |own| own.name()),
        Of::Cluster(index) => world.database_clusters.get(index).map_or("", |own| own.name()),
    }
}

fn listed(
    world: &World,
    region: &str,
    fields: &Fields,
    clusters: bool,
) -> Result<(Vec<Snapshot>, Option<String>), ApiError> {
    let (id, owner, own_filter, id_filter) = if clusters {
        ("DBClusterSnapshotIdentifier", "DBClusterIdentifier", "db-cluster-id", "db-cluster-snapshot-id")
    } else {
        ("DBSnapshotIdentifier", "DBInstanceIdentifier", "db-instance-id", "db-snapshot-id")
    };
    let last = |text: &str| text.rsplit(":db:").next().unwrap_or(text).to_lowercase();
    let (wanted, owner) = (fields.text(id).map(str::to_lowercase), fields.text(owner).map(last));
    let kind = fields.text("SnapshotType");
    let kinds = ["automated", "manual", "shared", "public", "awsbackup"];
    if let Some(kind) = kind.filter(|kind| !kinds.contains(kind)) {
        return Err(invalid(format!("Invalid snapshot type: {kind}")));
    }
    let mut kept = Vec::new();
    for found in world.database_snapshots(region, clusters) {
        let own_kind = if found.manual { "manual" } else { "automated" };
        let name = source(world, &found);
        let known = [
            (own_filter, name),
            (id_filter, found.id.as_str()),
            ("snapshot-type", own_kind),
            ("engine", "postgres"),
        ];
        if kind.is_none_or(|kind| kind == own_kind)
            && wanted.as_ref().is_none_or(|wanted| *wanted == found.id)
            && owner.as_ref().is_none_or(|owner| owner.eq_ignore_ascii_case(name))
            && passes(fields, &known)?
        {
            kept.push(found);
        }
    }
    if let Some(wanted) = wanted.filter(|_| kept.is_empty()) {
        let (code, what) = if clusters {
            ("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot")
        } else {
            ("DBSnapshotNotFound", "DBSnapshot")
        };
        return Err(ApiError::new(404, code, format!("{what} not found: {wanted}")));
    }
    fields.page(kept, |found| found.id.clone(), PAGE)
}

/// A name that a snapshot may have.
fn named_by(fields: &Fields, key: &str, most: usize) -> Result<String, ApiError> {
    let id = fields.need(key)?;
    let right = id.len() <= most
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !id.ends_with('-')
        && !id.contains("--");
    if right {
        return Ok(id.to_lowercase());
    }
    Err(invalid(format!(
        "The parameter {key} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, \
         digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
    )))
}

fn tags(fields: &Fields) -> Vec<(String, String)> {
    let one = |number: usize| {
        ["Tags.Tag", "Tags.member"].iter().find_map(|list| {
            let key = fields.text(&format!("{list}.{number}.Key"))?;
            let value = fields.text(&format!("{list}.{number}.Value")).unwrap_or_default();
            Some((key.to_owned(), value.to_owned()))
        })
    };
    (1..).map_while(one).collect()
}

fn newest(world: &World, id: &str) -> Option<Snapshot> {
    world.snapshots.iter().rev().find(|found| found.id == id).cloned()
}

pub(super) fn create(world: &mut World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let id = named_by(fields, "DBSnapshotIdentifier", 255)?;
    let index = named(world, region, fields)?;
    let taken = world.database_snapshots(region, false).iter().any(|found| found.id == id);
    if taken {
        let text =
            format!("Cannot create the snapshot because a snapshot with the identifier {id} already exists.");
        return Err(ApiError::new(400, "DBSnapshotAlreadyExists", text));
    }
    if world.databases.get(index).and_then(|found| found.spec()).is_some_and(|spec| spec.cluster.is_some()) {
        return Err(invalid(
            "The specified instance is a member of a cluster and a snapshot cannot be created directly. Please use the \
             CreateDBClusterSnapshot API instead.",
        ));
    }
    if !["available", "storage-optimization"].contains(&world.database_status(index)) {
        let name = world.databases.get(index).map_or("", |found| found.name());
        let text = format!(
            "Cannot create a snapshot because the database instance {name} is not currently in the available state."
        );
        return Err(ApiError::new(400, "InvalidDBInstanceState", text));
    }
    world.snapshot_database(Of::Instance(index), &id, tags(fields));
    let mut xml = Xml::default();
    if let Some(found) = newest(world, &id) {
        xml.inside("DBSnapshot", |xml| of_instance(world, &found, xml));
    }
    Ok(xml.finish())
}

pub(super) fn create_cluster(world: &mut World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let id = named_by(fields, "DBClusterSnapshotIdentifier", 63)?;
    let index = cluster::named(world, region, fields)?;
    if world.database_snapshots(region, true).iter().any(|found| found.id == id) {
        let text =
            format!("Cannot create the snapshot because a snapshot with the identifier {id} already exists.");
        return Err(ApiError::new(400, "DBClusterSnapshotAlreadyExistsFault", text));
    }
    if world.database_clusters.get(index).is_some_and(|found| found.status != "available") {
        let text = "Cannot create a cluster snapshot because the DBCluster is not in the available state.";
        return Err(ApiError::new(400, "InvalidDBClusterStateFault", text));
    }
    world.snapshot_database(Of::Cluster(index), &id, tags(fields));
    let mut xml = Xml::default();
    if let Some(found) = newest(world, &id) {
        xml.inside("DBClusterSnapshot", |xml| of_cluster(world, &found, xml));
    }
    Ok(xml.finish())
}

fn common(found: &Snapshot, world: &World, xml: &mut Xml) {
    xml.time("SnapshotCreateTime", found.from);
    xml.text("AllocatedStorage", found.storage);
    xml.text("Status", found.status(world.now));
    xml.text("Port", 5432);
    xml.text("SnapshotType", if found.manual { "manual" } else { "automated" });
    xml.text("PercentProgress", found.percent(world.now));
    xml.list("TagList", "Tag", &found.tags, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
}

fn of_instance(world: &World, found: &Snapshot, xml: &mut Xml) {
    let Of::Instance(index) = found.of else { return };
    let Some((own, spec)) = world.databases.get(index).and_then(|own| Some((own, own.spec()?))) else {
        return;
    };
    xml.text("DBSnapshotIdentifier", &found.id);
    xml.text("DBInstanceIdentifier", &spec.name);
    common(found, world, xml);
    xml.text("Engine", &spec.engine);
    xml.text("EngineVersion", &spec.version);
    xml.text("AvailabilityZone", &own.zone);
    xml.text("VpcId", &own.stack.network.vpc);
    xml.time("InstanceCreateTime", own.created_at);
    xml.text("MasterUsername", &spec.user);
    xml.text("LicenseModel", "postgresql-license");
    xml.text("OptionGroupName", format!("default:{}-{}", spec.engine, spec.major()));
    xml.text("StorageType", &spec.storage_type);
    xml.text("Encrypted", spec.encrypted);
    xml.text("DBSnapshotArn", format!("arn:aws:rds:{}:{ACCOUNT}:snapshot:{}", own.region, found.id));
    xml.text("IAMDatabaseAuthenticationEnabled", false);
    xml.text("SnapshotTarget", "region");
    xml.time("OriginalSnapshotCreateTime", found.from);
}

fn of_cluster(world: &World, found: &Snapshot, xml: &mut Xml) {
    let Of::Cluster(index) = found.of else { return };
    let Some((own, spec)) = world.database_clusters.get(index).and_then(|own| Some((own, own.spec()?)))
    else {
        return;
    };
    let first = own.members().next();
    xml.text("DBClusterSnapshotIdentifier", &found.id);
    xml.text("DBClusterIdentifier", &spec.name);
    common(found, world, xml);
    xml.maybe("Engine", first.map(|member| &member.engine));
    xml.text("EngineMode", "provisioned");
    xml.maybe("EngineVersion", first.map(|member| &member.version));
    xml.maybe("MasterUsername", first.map(|member| &member.user));
    xml.text("VpcId", &own.stack.network.vpc);
    xml.texts("AvailabilityZones", "AvailabilityZone", own.members().map(|member| &member.zone));
    xml.text("StorageEncrypted", true);
    xml.text(
        "DBClusterSnapshotArn",
        format!("arn:aws:rds:{}:{ACCOUNT}:cluster-snapshot:{}", own.region, found.id),
    );
    xml.text("IAMDatabaseAuthenticationEnabled", false);
}
