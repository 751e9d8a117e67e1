//! Numbers that hang together.

use std::time::Duration;

use super::catalog::{balancer_dimensions, service_dimensions};
use super::series::{Ask, Query, Statistic, points, visible_end};
use super::*;
use crate::sim::stack::Stack;
use crate::sim::world::service::{Disturbance, DisturbanceKind};

/// 2026-11-20T12:00:30Z, a Friday.
const NOW: Wall = Wall(1_795_176_030_000);
const HOUR: i64 = 3_600_000;

fn world(stack: &str) -> World {
    World::new(vec![Stack::builtin(stack).unwrap().unwrap()], 1, NOW)
}

fn sum(world: &World, region: &str, key: &Key, from: i64, to: i64) -> f64 {
    let source = world.metric(region, key).unwrap();
    points(&source, Statistic::Sum, (from, to), to - from, to).first().map_or(0.0, |(_, value)| *value)
}

fn of_service(world: &World, name: &str) -> (usize, Key, Key, Key) {
    let index = world.services.iter().position(|service| &*service.name == name).unwrap();
    let service = &world.services[index];
    let balancer = &service.spec().unwrap().load_balancers[0];
    let group = balancer_dimensions(&balancer.name, Some(&balancer.target_group));
    (
        index,
        Key::new("AWS/ECS", "CPUUtilization", service_dimensions(service)),
        Key::new("AWS/ApplicationELB", "RequestCount", group.clone()),
        Key::new("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", group),
    )
}

#[test]
fn each_service_ran_all_day_and_runs_what_the_world_knows() {
    for stack in Stack::builtins() {
        let world = world(stack);
        for (index, service) in world.services.iter().enumerate() {
            let facts = Facts::new(&world, index).unwrap();
            let end = visible_end(NOW);
            for minute in 0..1_440 {
                let at = end - (minute + 1) * MINUTE;
                let running = facts.sample(Kind::Running, at).unwrap().sum;
                // A service of one task runs none until a reclaimed one is replaced.
                let reclaimed = service.spec().unwrap().stopped.iter().any(|past| {
                    let (stopped, asked) = (past.age.0.as_secs(), 60 * minute.unsigned_abs());
                    past.code == "SpotInterruption" && stopped.abs_diff(asked) < 240
                });
                if reclaimed && service.desired == 1 && running == 0.0 {
                    continue;
                }
                assert!(running >= 1.0, "{}: nothing ran {minute} min ago", service.name);
                assert!(running <= 2.0 * f64::from(service.desired) + 2.0, "{}: {running}", service.name);
                let cpu = facts.sample(Kind::Cpu, at).unwrap();
                assert!(cpu.sum / cpu.count < 75.0, "{}: {cpu:?} {minute} min ago", service.name);
            }
            let now = facts.sample(Kind::Running, NOW.0 - MINUTE / 2).unwrap().sum;
            let known = service.tasks.iter().filter(|id| world.tasks[id].is_running()).count();
            assert_eq!(now, f64::from(u32::try_from(known).unwrap()), "{}", service.name);
        }
    }
}

#[test]
fn whatever_is_listed_can_be_read_and_nothing_else() {
    for stack in Stack::builtins() {
        let world = world(stack);
        let region = world.stacks[0].region.clone();
        let keys = world.metrics(&region);
        assert!(keys.len() >= 10, "{stack}: {}", keys.len());
        for key in &keys {
            assert!(world.metric(&region, key).is_some(), "{key:?}");
            let other = Key { name: format!("{}X", key.name), ..key.clone() };
            assert!(world.metric(&region, &other).is_none(), "{other:?}");
            assert!(world.metric("eu-north-1", key).is_none());
        }
    }
}

#[test]
fn reading_is_repeatable_and_longer_periods_are_the_sum_of_minutes() {
    let (one, other) = (world("saas"), world("saas"));
    let (_, cpu, requests, _) = of_service(&one, "saas-backend");
    let end = NOW.0 - NOW.0 % HOUR;
    let whole = sum(&one, "me-south-1", &requests, end - HOUR, end);
    let minutes: f64 = (0..60)
        .map(|n| sum(&other, "me-south-1", &requests, end - HOUR + n * MINUTE, end - HOUR + (n + 1) * MINUTE))
        .sum();
    assert!(whole > 1_000.0 && (whole - minutes).abs() < 1e-6, "{whole} {minutes}");
    let read = |world: &World| {
        points(&world.metric("me-south-1", &cpu).unwrap(), Statistic::Average, (end - HOUR, end), MINUTE, end)
    };
    assert_eq!(read(&one), read(&other));
}

#[test]
fn the_newest_minutes_have_not_arrived() {
    let world = world("saas");
    let (_, cpu, ..) = of_service(&world, "saas-backend");
    let source = world.metric("me-south-1", &cpu).unwrap();
    let span = (NOW.0 - NOW.0 % MINUTE - 10 * MINUTE, NOW.0);
    let found = points(&source, Statistic::Average, span, MINUTE, visible_end(NOW));
    let newest = found.last().unwrap().0 + MINUTE;
    assert!((60_000..120_000).contains(&(NOW.0 - newest)), "{}", NOW.0 - newest);
}

#[test]
fn a_spike_and_a_burst_show_in_everything_that_they_touch() {
    let mut world = world("saas");
    let (index, cpu, requests, errors) = of_service(&world, "saas-backend");
    let end = visible_end(NOW);
    let read = |world: &World, key: &Key| sum(world, "me-south-1", key, end - 10 * MINUTE, end);
    let before = (read(&world, &cpu), read(&world, &requests), read(&world, &errors));
    let disturb = |world: &mut World, kind| {
        world.services[index].disturbances.push(Disturbance {
            from: Wall(end - 10 * MINUTE),
            to: Wall(end),
            container: None,
            kind,
        });
    };
    disturb(&mut world, DisturbanceKind::Load(2.0));
    let spike = (read(&world, &cpu), read(&world, &requests));
    assert!(spike.0 > before.0 * 1.4 && spike.1 > before.1 * 1.8, "{before:?} {spike:?}");
    disturb(&mut world, DisturbanceKind::Errors { rate: 0.5, text: String::new() });
    let burst = read(&world, &errors);
    assert!((burst - before.2 - 600.0).abs() < 40.0, "{before:?} {burst}");
    assert!(100.0 * before.2 / before.1 < 1.0, "{before:?}");
}

#[test]
fn without_tasks_there_is_no_utilization_and_the_balancer_answers_alone() {
    // Nor does the time line's policy bring tasks back: what it follows has no datapoints.
    let mut world = world("saas");
    let (index, cpu, requests, _) = of_service(&world, "saas-backend");
    let balancer = balancer_dimensions(&world.services[index].spec().unwrap().load_balancers[0].name, None);
    let refused = Key::new("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", balancer);
    world.set_desired(index, 0);
    world.advance(NOW.plus(Duration::from_secs(900)));
    let at = NOW.0 - NOW.0 % MINUTE + 12 * MINUTE;
    assert_eq!(world.metric("me-south-1", &cpu).unwrap().at(at), None);
    assert_eq!(world.metric("me-south-1", &requests).unwrap().at(at), None);
    assert!(world.metric("me-south-1", &refused).unwrap().at(at).unwrap().sum > 10.0);
    let before = NOW.0 - 5 * MINUTE;
    assert!(world.metric("me-south-1", &cpu).unwrap().at(before).is_some());
    assert_eq!(world.metric("me-south-1", &refused).unwrap().at(before), None);
}

#[test]
fn expressions_build_on_each_other_and_circles_are_refused() {
    let world = world("saas");
    let (_, _, requests, errors) = of_service(&world, "saas-backend");
    let stat = |id: &str, key: &Key| Query {
        id: id.to_owned(),
        ask: Ask::Stat { key: key.clone(), period: 5 * MINUTE, word: "Sum".to_owned(), stat: Statistic::Sum },
        label: None,
        returns: false,
    };
    let math = |id: &str, text: &str| Query {
        id: id.to_owned(),
        ask: Ask::Math(text.to_owned()),
        label: None,
        returns: true,
    };
    let end = visible_end(NOW);
    let ask = |queries: &[Query]| world.query("me-south-1", queries, (end - HOUR, end), end);
    let queries = [
        math("e2", "e1 / 100"),
        math("e1", "100 * FILL(m2, 0) / m1"),
        stat("m1", &requests),
        stat("m2", &errors),
    ];
    let found = ask(&queries).unwrap();
    assert_eq!(found[0].points.len(), 12, "each period has a rate, errors or none");
    assert!(found[0].points.iter().all(|(_, rate)| (0.0..0.02).contains(rate)), "{:?}", found[0]);
    assert!(ask(&[math("a", "b"), math("b", "a")]).unwrap_err().1.contains("no query"));
}

#[test]
fn databases_and_caches_send_what_is_listed_for_them() {
    let world = world("cma");
    let keys = world.metrics("eu-west-2");
    let own = |namespace: &str, dimension: &str, id: &str| -> Vec<&Key> {
        keys.iter().filter(|key| key.namespace == namespace && key.dimension(dimension) == Some(id)).collect()
    };
    let main = own("AWS/RDS", "DBInstanceIdentifier", "cma-production");
    let replica = own("AWS/RDS", "DBInstanceIdentifier", "cma-read-replica-production");
    let named = |keys: &[&Key], name: &str| keys.iter().any(|key| key.name == name);
    assert!(named(&replica, "ReplicaLag") && !named(&main, "ReplicaLag"), "{replica:?}");
    // The replica is burstable, the r6g is not.
    assert!(named(&replica, "CPUCreditBalance") && !named(&main, "CPUCreditBalance"));
    let cache = &world.stacks[0].caches[0].name;
    let nodes = own("AWS/ElastiCache", "CacheClusterId", cache);
    assert!(named(&nodes, "EngineCPUUtilization") && named(&nodes, "Evictions"), "{nodes:?}");
    let end = visible_end(NOW);
    for key in main.iter().chain(&replica).chain(&nodes) {
        let source = world.metric("eu-west-2", key).unwrap();
        let day = points(&source, Statistic::Average, (end - 24 * HOUR, end), 5 * MINUTE, end);
        assert_eq!(day.len(), 288, "{key:?}");
        assert!(day.iter().all(|(_, value)| value.is_finite() && *value >= 0.0), "{key:?}");
    }
}

#[test]
fn more_load_is_more_work_for_the_database() {
    let mut world = world("saas");
    let key = |name: &str| Key::new("AWS/RDS", name, vec![("DBInstanceIdentifier".into(), "saas-db".into())]);
    let (cpu, connections) = (key("CPUUtilization"), key("DatabaseConnections"));
    let end = visible_end(NOW);
    let read = |world: &World, key: &Key| sum(world, "me-south-1", key, end - 10 * MINUTE, end) / 10.0;
    let before = (read(&world, &cpu), read(&world, &connections));
    let index = world.services.iter().position(|service| &*service.name == "saas-backend").unwrap();
    world.services[index].disturbances.push(Disturbance {
        from: Wall(end - 10 * MINUTE),
        to: Wall(end),
        container: None,
        kind: DisturbanceKind::Load(2.0),
    });
    let after = (read(&world, &cpu), read(&world, &connections));
    assert!(after.0 > before.0 * 1.15 && after.1 > before.1 * 1.1, "{before:?} {after:?}");
}
