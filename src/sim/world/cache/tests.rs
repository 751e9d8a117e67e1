use super::*;

const NOON: Wall = Wall(1_795_176_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn world(name: &str) -> World {
    World::new(vec![Stack::builtin(name).unwrap().unwrap()], 1, NOON)
}

fn metric(world: &World, region: &str, id: &str, name: &str) -> Option<f64> {
    let dimensions =
        [("CacheClusterId".to_owned(), id.to_owned()), ("CacheNodeId".to_owned(), "0001".to_owned())];
    world.cache_metric(region, &dimensions, name, world.now)
}

#[test]
fn a_failover_makes_the_replica_the_primary() {
    let mut world = world("saas");
    let index = world.cache("me-south-1", "saas-redis").unwrap();
    assert!(metric(&world, "me-south-1", "saas-redis-002", "ReplicationLag").is_some());
    world.fail_cache_over(index);
    assert_eq!(world.caches[index].status, "modifying");
    world.advance(NOON.plus(2 * MINUTE));
    assert_eq!((world.caches[index].status, world.caches[index].primary), ("available", 1));
    let told: Vec<_> = world.caches[index].events.iter().map(|event| event.message.as_str()).collect();
    assert!(
        told.contains(&"Failover from primary node saas-redis-001 to replica node saas-redis-002 completed"),
        "{told:?}"
    );
    assert!(metric(&world, "me-south-1", "saas-redis-002", "ReplicationLag").is_none());
    assert!(metric(&world, "me-south-1", "saas-redis-001", "ReplicationLag").is_some());
}

#[test]
fn a_single_node_has_nothing_to_fail_over_to() {
    let mut world = world("gov");
    let condition = CacheCondition::FailingOver { takes: MINUTE };
    assert!(!world.set_cache_condition("us-east-1", "gov-redis", condition));
    assert_eq!(world.caches[0].status, "available");
}

#[test]
fn memory_fills_until_keys_are_evicted() {
    let mut world = world("migrate");
    let (region, id) = ("us-east-1", "migrate-redis");
    assert_eq!(metric(&world, region, id, "Evictions"), Some(0.0));
    let before = metric(&world, region, id, "DatabaseMemoryUsagePercentage").unwrap();
    world.set_cache_condition(region, id, CacheCondition::MemoryFilling { within: 10 * MINUTE });
    world.advance(NOON.plus(5 * MINUTE));
    let half = metric(&world, region, id, "DatabaseMemoryUsagePercentage").unwrap();
    world.advance(NOON.plus(12 * MINUTE));
    let full = metric(&world, region, id, "DatabaseMemoryUsagePercentage").unwrap();
    assert!(before < half && half < full && full > 99.0, "{before} {half} {full}");
    assert!(metric(&world, region, id, "Evictions").unwrap() > 100.0);
    world.clear_cache_conditions(region, id);
    world.advance(NOON.plus(13 * MINUTE));
    assert_eq!(metric(&world, region, id, "Evictions"), Some(0.0));
}

#[test]
fn a_busy_engine_eats_cpu_and_what_is_unknown_is_nothing() {
    let mut world = world("codeguardians");
    let (region, id) = ("us-east-1", "codeguardians-gateway-redis-001");
    let before = metric(&world, region, id, "EngineCPUUtilization").unwrap();
    world.set_cache_condition(region, "codeguardians-gateway-redis", CacheCondition::Busy { factor: 9.0 });
    world.advance(NOON.plus(5 * MINUTE));
    assert!(metric(&world, region, id, "EngineCPUUtilization").unwrap() > 3.0 * before);
    assert!(metric(&world, region, id, "CPUCreditBalance").unwrap() <= 576.0);
    for name in ["CurrConnections", "FreeableMemory", "CacheHits", "CacheMisses", "CPUUtilization"] {
        assert!(metric(&world, region, id, name).unwrap() > 0.0, "{name}");
    }
    assert!(metric(&world, region, id, "Nonsense").is_none());
    assert!(metric(&world, "eu-west-1", id, "CPUUtilization").is_none());
}

#[test]
fn snapshots_are_told_of_each_night() {
    let world = world("saas");
    let history = world.caches[0].history(world.seed, world.now);
    assert!((13..=14).contains(&history.len()), "{history:?}");
    assert!(
        history[0]
            .message
            .starts_with("Snapshot succeeded for snapshot with ID 'automatic.saas-redis-002-2026-11-")
    );
}
