//! Amazon ElastiCache: requests checked as AWS checks them, answers in AWS's shapes and with its irregular
//! codes. Redis with cluster mode disabled only.
//!
//! Must not decide how a cache moves; `world::cache` does.

use crate::sim::query::{Fields, Xml, combination, invalid, unknown_action};
use crate::sim::rds::asked_for;
use crate::sim::reply::ApiError;
use crate::sim::world::World;
use crate::sim::world::cache::{Cache, CacheEvent};

/// How many records a page has, and how many it may.
const PAGE: (&str, std::ops::RangeInclusive<i64>) = ("MaxRecords", 20..=100);

/// What ElastiCache may be asked about; the simulator has events of the first two.
const KINDS: [&str; 9] = [
    "cache-cluster",
    "replication-group",
    "cache-parameter-group",
    "cache-security-group",
    "cache-subnet-group",
    "serverless-cache",
    "serverless-cache-snapshot",
    "user",
    "user-group",
];

/// Carries out an operation. The world has been advanced to the present.
///
/// # Errors
/// What AWS answers to a request that it refuses.
pub fn handle(world: &mut World, region: &str, operation: &str, fields: &Fields) -> Result<String, ApiError> {
    match operation {
        "DescribeReplicationGroups" => groups(world, region, fields),
        "DescribeCacheClusters" => clusters(world, region, fields),
        "DescribeEvents" => events(world, region, fields),
        "TestFailover" => test_failover(world, region, fields),
        _ => Err(unknown_action(operation, "2015-02-02")),
    }
}

fn missing_group(id: &str) -> ApiError {
    ApiError::new(404, "ReplicationGroupNotFoundFault", format!("ReplicationGroup {id} not found."))
}

fn own<'w>(world: &'w World, region: &str) -> impl Iterator<Item = &'w Cache> {
    world.caches.iter().filter(move |found| *found.region == *region)
}

fn groups(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let wanted = fields.text("ReplicationGroupId");
    let found: Vec<&Cache> = own(world, region)
        .filter(|found| found.is_group())
        .filter(|found| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(found.name())))
        .collect();
    if let Some(wanted) = wanted.filter(|_| found.is_empty()) {
        return Err(missing_group(wanted));
    }
    let (page, marker) = fields.page(found, |found| found.name().to_owned(), PAGE)?;
    let mut xml = Xml::default();
    xml.list("ReplicationGroups", "ReplicationGroup", page, |xml, found| group(found, xml));
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}

fn word(on: bool) -> &'static str {
    if on { "enabled" } else { "disabled" }
}

/// The address of one node of a group.
fn node_endpoint(found: &Cache, member: &str) -> String {
    let Some(spec) = found.spec() else { return String::new() };
    if !spec.replication_group {
        return spec.endpoint.clone();
    }
    // `master.GROUP.TOKEN.REGION…` with TLS, `GROUP.TOKEN.ng.0001.REGION…` without.
    match spec.endpoint.strip_prefix("master.") {
        Some(rest) => format!("{member}.{rest}"),
        None => spec.endpoint.replacen(&spec.name, member, 1).replacen(".ng.0001.", ".0001.", 1),
    }
}

fn group(found: &Cache, xml: &mut Xml) {
    let Some(spec) = found.spec() else { return };
    let members = found.members();
    xml.text("ReplicationGroupId", &spec.name);
    xml.text("Description", &spec.description);
    xml.text("Status", found.status);
    xml.inside("PendingModifiedValues", |_| {});
    xml.texts("MemberClusters", "ClusterId", &members);
    xml.list("NodeGroups", "NodeGroup", [()], |xml, ()| {
        xml.text("NodeGroupId", "0001");
        xml.text("Status", found.status);
        xml.inside("PrimaryEndpoint", |xml| endpoint(&spec.endpoint, xml));
        let reader = match spec.endpoint.strip_prefix("master.") {
            Some(rest) => format!("replica.{rest}"),
            None => spec.endpoint.replacen(&spec.name, &format!("{}-ro", spec.name), 1),
        };
        xml.inside("ReaderEndpoint", |xml| endpoint(&reader, xml));
        let nodes = members.iter().zip(&spec.zones).enumerate();
        xml.list("NodeGroupMembers", "NodeGroupMember", nodes, |xml, (place, (member, zone))| {
            xml.text("CacheClusterId", member);
            xml.text("CacheNodeId", "0001");
            xml.inside("ReadEndpoint", |xml| endpoint(&node_endpoint(found, member), xml));
            xml.text("PreferredAvailabilityZone", zone);
            xml.text("CurrentRole", if place == found.primary { "primary" } else { "replica" });
        });
    });
    if spec.snapshot_retention > 0 {
        xml.maybe("SnapshottingClusterId", members.last());
    }
    xml.text("AutomaticFailover", word(spec.automatic_failover));
    xml.text("MultiAZ", word(spec.multi_az));
    xml.text("SnapshotRetentionLimit", spec.snapshot_retention);
    xml.text("SnapshotWindow", &spec.snapshot_window);
    xml.text("ClusterEnabled", false);
    xml.text("CacheNodeType", &spec.node_type);
    xml.text("AuthTokenEnabled", spec.auth);
    xml.text("TransitEncryptionEnabled", spec.transit_encryption);
    xml.text("AtRestEncryptionEnabled", spec.rest_encryption);
    xml.text("ARN", found.arn("replicationgroup", &spec.name));
    xml.time("ReplicationGroupCreateTime", found.created_at);
    xml.text("DataTiering", "disabled");
    xml.text("AutoMinorVersionUpgrade", true);
    xml.text("NetworkType", "ipv4");
    xml.text("IpDiscovery", "ipv4");
    if spec.transit_encryption {
        xml.text("TransitEncryptionMode", "required");
    }
    xml.text("ClusterMode", "disabled");
    xml.text("Engine", &spec.engine);
}

fn endpoint(address: &str, xml: &mut Xml) {
    xml.text("Address", address);
    xml.text("Port", 6379);
}

fn clusters(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let wanted = fields.text("CacheClusterId");
    let nodes = fields.flag("ShowCacheNodeInfo")?;
    let alone = fields.flag("ShowCacheClustersNotInReplicationGroups")?;
    let mut found: Vec<(&Cache, usize, String)> = own(world, region)
        .filter(|cache| !(alone && cache.is_group()))
        .flat_map(|cache| {
            cache.members().into_iter().enumerate().map(move |(at, member)| (cache, at, member))
        })
        .filter(|(.., member)| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(member)))
        .collect();
    if let Some(wanted) = wanted.filter(|_| found.is_empty()) {
        return Err(ApiError::new(404, "CacheClusterNotFound", format!("CacheCluster not found: {wanted}")));
    }
    found.sort_by(|(.., a), (.., b)| a.cmp(b));
    let (page, marker) = fields.page(found, |(.., member)| member.clone(), PAGE)?;
    let mut xml = Xml::default();
    xml.list("CacheClusters", "CacheCluster", page, |xml, (cache, at, member)| {
        cluster(cache, at, &member, nodes, xml);
    });
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}

fn cluster(found: &Cache, place: usize, id: &str, with_nodes: bool, xml: &mut Xml) {
    let Some(spec) = found.spec() else { return };
    let zone = spec.zones.get(place).map_or("", String::as_str);
    let major = spec.version.split('.').next().unwrap_or("7");
    xml.text("CacheClusterId", id);
    xml.text("ClientDownloadLandingPage", "https://console.aws.amazon.com/elasticache/home#client-download:");
    xml.text("CacheNodeType", &spec.node_type);
    xml.text("Engine", &spec.engine);
    xml.text("EngineVersion", &spec.version);
    xml.text("CacheClusterStatus", found.status);
    xml.text("NumCacheNodes", 1);
    xml.text("PreferredAvailabilityZone", zone);
    xml.time("CacheClusterCreateTime", found.created_at);
    xml.text("PreferredMaintenanceWindow", &spec.maintenance_window);
    xml.inside("PendingModifiedValues", |_| {});
    xml.list("CacheSecurityGroups", "CacheSecurityGroup", [(); 0], |_, ()| {});
    xml.inside("CacheParameterGroup", |xml| {
        xml.text("CacheParameterGroupName", format!("default.{}{major}", spec.engine));
        xml.text("ParameterApplyStatus", "in-sync");
        xml.texts("CacheNodeIdsToReboot", "CacheNodeId", [""; 0]);
    });
    xml.text("CacheSubnetGroupName", format!("{}-data", found.stack.name));
    if with_nodes {
        xml.list("CacheNodes", "CacheNode", [()], |xml, ()| {
            xml.text("CacheNodeId", "0001");
            xml.text("CacheNodeStatus", found.status);
            xml.time("CacheNodeCreateTime", found.created_at);
            xml.inside("Endpoint", |xml| endpoint(&node_endpoint(found, id), xml));
            xml.text("ParameterGroupStatus", "in-sync");
            xml.text("CustomerAvailabilityZone", zone);
        });
    }
    xml.text("AutoMinorVersionUpgrade", true);
    let all = &found.stack.network.security_groups;
    let groups = all.iter().filter(|group| spec.security_groups.contains(&group.name));
    xml.list("SecurityGroups", "member", groups, |xml, group| {
        xml.text("SecurityGroupId", &group.id);
        xml.text("Status", "active");
    });
    xml.maybe("ReplicationGroupId", spec.replication_group.then_some(&spec.name));
    xml.text("SnapshotRetentionLimit", spec.snapshot_retention);
    xml.text("SnapshotWindow", &spec.snapshot_window);
    xml.text("AuthTokenEnabled", spec.auth);
    xml.text("TransitEncryptionEnabled", spec.transit_encryption);
    xml.text("AtRestEncryptionEnabled", spec.rest_encryption);
    xml.text("ARN", found.arn("cluster", id));
    xml.text("ReplicationGroupLogDeliveryEnabled", false);
    xml.text("NetworkType", "ipv4");
    xml.text("IpDiscovery", "ipv4");
}

fn events(world: &World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let kind = fields.text("SourceType");
    if let Some(kind) = kind.filter(|kind| !KINDS.contains(kind)) {
        return Err(invalid(format!("Invalid source type: {kind}")));
    }
    let source = fields.text("SourceIdentifier");
    if source.is_some() && kind.is_none() {
        return Err(combination("Source type must be specified when a source identifier is given"));
    }
    let (start, end) = asked_for(fields, world.now)?;
    let mut all: Vec<CacheEvent> =
        own(world, region).flat_map(|found| found.history(world.seed, world.now)).collect();
    all.retain(|event| {
        kind.is_none_or(|kind| kind == event.kind)
            && source.is_none_or(|source| source.eq_ignore_ascii_case(&event.source))
            && (start..=end).contains(&event.at)
    });
    all.sort_by_key(|event| (event.at, event.source.clone()));
    let key = |event: &CacheEvent| format!("{}{}{}", event.at.0, event.source, event.message);
    let (page, marker) = fields.page(all, key, PAGE)?;
    let mut xml = Xml::default();
    xml.list("Events", "Event", page, |xml, event| {
        xml.text("SourceIdentifier", event.source);
        xml.text("SourceType", event.kind);
        xml.text("Message", event.message);
        xml.time("Date", event.at);
    });
    xml.maybe("Marker", marker);
    Ok(xml.finish())
}

fn test_failover(world: &mut World, region: &str, fields: &Fields) -> Result<String, ApiError> {
    let id = fields.need("ReplicationGroupId")?;
    let node_group = fields.need("NodeGroupId")?;
    let index = world.cache(region, id).ok_or_else(|| missing_group(id))?;
    let Some((found, spec)) = world.caches.get(index).and_then(|found| Some((found, found.spec()?))) else {
        return Err(missing_group(id));
    };
    if !spec.replication_group {
        return Err(missing_group(id));
    }
    if node_group != "0001" {
        return Err(ApiError::new(
            404,
            "NodeGroupNotFoundFault",
            format!("NodeGroup {node_group} not found."),
        ));
    }
    if !spec.automatic_failover {
        return Err(combination(format!("Automatic failover is not enabled for replication group {id}.")));
    }
    if found.status != "available" {
        let text = format!("Replication group {id} is not in available state.");
        return Err(ApiError::new(400, "InvalidReplicationGroupState", text));
    }
    let name = found.name().to_owned();
    let message = format!("Test Failover API called for node group {node_group}");
    let at = world.now;
    if let Some(found) = world.caches.get_mut(index) {
        found.events.push(CacheEvent { at, kind: "replication-group", source: name, message });
    }
    world.fail_cache_over(index);
    let mut xml = Xml::default();
    if let Some(found) = world.caches.get(index) {
        xml.inside("ReplicationGroup", |xml| group(found, xml));
    }
    Ok(xml.finish())
}

#[cfg(test)]
mod tests;
