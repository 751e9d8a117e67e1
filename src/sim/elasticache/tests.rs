use super::*;
use crate::sim::stack::Stack;
use crate::stdx::clock::Wall;
use std::time::Duration;

const NOON: Wall = Wall(1_795_176_000_000);

fn world(name: &str) -> World {
    World::new(vec![Stack::builtin(name).unwrap().unwrap()], 1, NOON)
}

fn ask(world: &mut World, region: &str, operation: &str, body: &str) -> Result<String, ApiError> {
    handle(world, region, operation, &Fields::of(body.as_bytes()))
}

#[test]
fn a_group_has_its_nodes_and_a_single_node_no_group() {
    let mut saas = world("saas");
    let groups = ask(&mut saas, "me-south-1", "DescribeReplicationGroups", "").unwrap();
    assert!(groups.contains("<ClusterId>saas-redis-001</ClusterId><ClusterId>saas-redis-002</ClusterId>"));
    assert!(groups.contains("<Address>saas-redis.k3v9ab.ng.0001.mes1.cache.amazonaws.com</Address>"));
    assert!(groups.contains("<AutomaticFailover>enabled</AutomaticFailover><MultiAZ>enabled</MultiAZ>"));
    let nodes = ask(&mut saas, "me-south-1", "DescribeCacheClusters", "ShowCacheNodeInfo=true").unwrap();
    assert!(
        nodes.contains("<Address>saas-redis-002.k3v9ab.0001.mes1.cache.amazonaws.com</Address>"),
        "{nodes}"
    );
    let bare = ask(&mut saas, "me-south-1", "DescribeCacheClusters", "").unwrap();
    assert!(!bare.contains("<CacheNodes>"));
    let mut gov = world("gov");
    assert!(!ask(&mut gov, "us-east-1", "DescribeReplicationGroups", "").unwrap().contains("gov-redis"));
    let alone = "ShowCacheClustersNotInReplicationGroups=true&ShowCacheNodeInfo=true";
    let alone = ask(&mut gov, "us-east-1", "DescribeCacheClusters", alone).unwrap();
    assert!(alone.contains("<Address>gov-redis.x7k2m.0001.use1.cache.amazonaws.com</Address>"));
    assert!(!alone.contains("<ReplicationGroupId>"));
}

#[test]
fn a_test_failover_is_refused_where_it_cannot_be() {
    let mut saas = world("saas");
    let code = |result: Result<String, ApiError>| {
        let error = result.unwrap_err();
        (error.status, error.code)
    };
    let test = |world: &mut World, region: &str, id: &str, node: &str| {
        ask(world, region, "TestFailover", &format!("ReplicationGroupId={id}&NodeGroupId={node}"))
    };
    assert_eq!(
        code(test(&mut saas, "me-south-1", "nobody", "0001")),
        (404, "ReplicationGroupNotFoundFault".into())
    );
    assert_eq!(
        code(test(&mut saas, "me-south-1", "saas-redis", "0002")),
        (404, "NodeGroupNotFoundFault".into())
    );
    let begun = test(&mut saas, "me-south-1", "saas-redis", "0001").unwrap();
    assert!(begun.contains("<Status>modifying</Status>"), "{begun}");
    assert_eq!(
        code(test(&mut saas, "me-south-1", "saas-redis", "0001")),
        (400, "InvalidReplicationGroupState".into())
    );
    saas.advance(NOON.plus(Duration::from_secs(120)));
    let groups = ask(&mut saas, "me-south-1", "DescribeReplicationGroups", "").unwrap();
    let roles: Vec<&str> =
        groups.split("<CurrentRole>").skip(1).map(|r| r.split('<').next().unwrap()).collect();
    assert_eq!(roles, ["replica", "primary"]);
    let told = ask(&mut saas, "me-south-1", "DescribeEvents", "SourceType=replication-group").unwrap();
    assert!(told.contains("Test Failover API called for node group 0001"), "{told}");
    let mut guards = world("codeguardians");
    let refused = test(&mut guards, "us-east-1", "codeguardians-gateway-redis", "0001");
    assert_eq!(code(refused), (400, "InvalidParameterCombination".into()));
    let missing = ask(&mut guards, "us-east-1", "DescribeCacheClusters", "CacheClusterId=nobody");
    assert_eq!(code(missing), (404, "CacheClusterNotFound".into()));
}
