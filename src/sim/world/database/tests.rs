use super::*;

/// Friday, 2026-11-20T12:00:00Z.
const NOON: Wall = Wall(1_795_176_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn world(names: &[&str]) -> World {
    let stacks = names.iter().map(|name| Stack::builtin(name).unwrap().unwrap()).collect();
    World::new(stacks, 1, NOON)
}

fn metric(world: &World, region: &str, id: &str, name: &str, at: Wall) -> Option<f64> {
    let dimensions = [("DBInstanceIdentifier".to_owned(), id.to_owned())];
    world.database_metric(region, &dimensions, name, at)
}

fn told(world: &World, index: usize) -> Vec<String> {
    world.databases[index].events.iter().map(|event| event.message.clone()).collect()
}

#[test]
fn a_failover_swaps_the_zones_and_tells_of_it() {
    let mut world = world(&["gov"]);
    let index = world.database("us-east-1", "GOV-DB").unwrap();
    world.reboot_database(index, true);
    assert_eq!(world.database_status(index), "rebooting");
    world.advance(NOON.plus(3 * MINUTE));
    let found = &world.databases[index];
    assert_eq!((found.status, found.zone.as_str()), ("available", "us-east-1b"));
    assert_eq!(found.secondary_zone.as_deref(), Some("us-east-1a"));
    assert_eq!(
        told(&world, index),
        [
            "Multi-AZ instance failover started.",
            "DB instance restarted",
            "Multi-AZ instance failover completed"
        ]
    );
    assert!(found.events.iter().any(|event| event.categories == ["failover"]));
    // While it was away nobody was connected, and afterwards they are back.
    let during = metric(&world, "us-east-1", "gov-db", "DatabaseConnections", NOON.plus(MINUTE / 2));
    assert_eq!(during, Some(0.0));
    assert!(
        metric(&world, "us-east-1", "gov-db", "DatabaseConnections", NOON.plus(3 * MINUTE)).unwrap() > 3.0
    );
}

#[test]
fn a_reboot_applies_what_waits_for_one() {
    let mut world = world(&["codeguardians"]);
    let index = world.database("us-east-1", "codeguardians-gateway-db").unwrap();
    assert!(world.databases[index].parameters_pending);
    world.reboot_database(index, false);
    world.advance(NOON.plus(3 * MINUTE));
    assert!(!world.databases[index].parameters_pending);
    assert_eq!(told(&world, index), ["DB instance shutdown", "DB instance restarted"]);
}

#[test]
fn storage_fills_up_is_warned_about_and_stops_the_database() {
    let mut world = world(&["saas"]);
    let (region, id) = ("me-south-1", "saas-db");
    assert!(world.set_condition(region, id, Condition::StorageFilling { within: 30 * MINUTE }));
    assert!(!world.set_condition(region, "nobody", Condition::SlowQueries { factor: 2.0 }));
    let index = world.database(region, id).unwrap();
    world.advance(NOON.plus(29 * MINUTE));
    let free = |world: &World, minutes: u32| {
        metric(world, region, id, "FreeStorageSpace", NOON.plus(minutes * MINUTE)).unwrap() / GIB
    };
    let falling: Vec<f64> = [0, 10, 20, 29].map(|minutes| free(&world, minutes)).to_vec();
    assert!(falling.windows(2).all(|pair| pair[0] > pair[1] + 0.2), "{falling:?}");
    let warnings = told(&world, index);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[1].starts_with(
            "The free storage capacity for DB instance: saas-db is low at 4% of the provisioned storage"
        ),
        "{warnings:?}"
    );
    world.advance(NOON.plus(31 * MINUTE));
    assert_eq!(world.database_status(index), "storage-full");
    assert!(free(&world, 31) < 0.01);
    assert_eq!(world.databases[index].events.last().unwrap().categories, ["failure"]);
    let reached = world.databases[index].restorable(world.seed, world.now).unwrap();
    world.advance(NOON.plus(60 * MINUTE));
    assert_eq!(world.databases[index].restorable(world.seed, world.now), Some(reached), "nothing is shipped");
    // Grown, it walks back.
    world.grow_storage(index, 40, true);
    let mut walk = vec![world.database_status(index)];
    for minute in 61..130 {
        world.advance(NOON.plus(minute * MINUTE));
        let status = world.database_status(index);
        if walk.last() != Some(&status) {
            walk.push(status);
        }
    }
    assert_eq!(walk, ["storage-full", "modifying", "storage-optimization", "available"]);
    assert!(free(&world, 129) > 15.0);
    assert_eq!(world.databases[index].allocated(world.now), 40);
    assert_eq!(world.databases[index].allocated(NOON), 20, "the past keeps its size");
}

#[test]
fn connections_climb_to_the_last_one() {
    let mut world = world(&["migrate"]);
    let (region, id) = ("us-east-1", "migrate-db");
    let before = metric(&world, region, id, "DatabaseConnections", NOON).unwrap();
    let most = f64::from(world.stacks[0].databases[0].max_connections());
    assert!(before > 3.0 && before < most / 2.0, "{before} of {most}");
    world.set_condition(region, id, Condition::ConnectionsExhausted { within: 10 * MINUTE });
    world.advance(NOON.plus(20 * MINUTE));
    let at = |minutes: u32| {
        metric(&world, region, id, "DatabaseConnections", NOON.plus(minutes * MINUTE)).unwrap()
    };
    assert!(at(5) > before && at(5) < most, "{} {} {}", before, at(5), most);
    assert!((at(11) - most).abs() < 0.5 && (at(19) - most).abs() < 0.5);
    assert!(
        (metric(&world, region, id, "DatabaseConnections", NOON).unwrap() - before).abs() < 0.5,
        "the past stays"
    );
    let index = world.database(region, id).unwrap();
    let file = world.log_files(index).pop().unwrap();
    assert!(
        world
            .log_file(index, &file.name)
            .unwrap()
            .contains("FATAL:  remaining connection slots are reserved")
    );
    world.clear_conditions(region, id);
    world.advance(NOON.plus(22 * MINUTE));
    assert!(metric(&world, region, id, "DatabaseConnections", world.now).unwrap() < most / 2.0);
}

#[test]
fn slow_queries_show_in_load_latency_and_log() {
    let mut world = world(&["saas"]);
    let (region, id) = ("me-south-1", "saas-db");
    world.advance(NOON.plus(30 * MINUTE));
    let index = world.database(region, id).unwrap();
    let slow = |world: &World| {
        let files = world.log_files(index);
        let text = world.log_file(index, &files.last().unwrap().name).unwrap();
        text.lines().filter(|line| line.contains("LOG:  duration: ")).count()
    };
    let (quiet, before) = (slow(&world), world.now);
    let figure = |world: &World, name: &str, at: Wall| metric(world, region, id, name, at).unwrap();
    world.set_condition(region, id, Condition::SlowQueries { factor: 8.0 });
    world.advance(before.plus(20 * MINUTE));
    for name in ["DBLoad", "ReadLatency", "WriteLatency", "DiskQueueDepth", "CPUUtilization"] {
        let (then, now) = (figure(&world, name, before), figure(&world, name, world.now));
        assert!(now > 1.8 * then, "{name}: {then} then, {now} now");
    }
    assert!(slow(&world) > quiet + 20, "{} after {quiet}", slow(&world));
}

#[test]
fn figures_are_the_same_however_often_and_in_whatever_order_they_are_asked_for() {
    let mut world = world(&["cma"]);
    world.advance(NOON.plus(10 * MINUTE));
    let names = [
        "CPUUtilization",
        "DatabaseConnections",
        "FreeStorageSpace",
        "FreeableMemory",
        "ReadLatency",
        "WriteLatency",
        "ReadIOPS",
        "WriteIOPS",
        "DiskQueueDepth",
    ];
    for id in ["cma-production", "cma-read-replica-production"] {
        for name in names {
            let at = |minutes: u32| metric(&world, "eu-west-2", id, name, NOON.minus(minutes * MINUTE));
            let there: Vec<_> = (0..120).map(at).collect();
            let mut back: Vec<_> = (0..120).rev().map(at).collect();
            back.reverse();
            assert_eq!(there, back, "{name}");
            assert!(
                there.iter().all(|value| value.is_some_and(|value| value >= 0.0)),
                "{id} {name}: {there:?}"
            );
        }
    }
    let lag = |id: &str| metric(&world, "eu-west-2", id, "ReplicaLag", NOON);
    assert!(lag("cma-production").is_none() && lag("cma-read-replica-production").is_some());
    let credits = |id: &str| metric(&world, "eu-west-2", id, "CPUCreditBalance", NOON);
    assert!(credits("cma-production").is_none(), "r6g does not burst");
    assert!((0.0..=576.0).contains(&credits("cma-read-replica-production").unwrap()));
    assert!(metric(&world, "eu-west-2", "cma-production", "DBLoad", NOON).is_some(), "insights are on");
    assert!(metric(&world, "eu-west-2", "cma-production", "Nonsense", NOON).is_none());
    let future = NOON.plus(60 * MINUTE);
    assert!(metric(&world, "eu-west-2", "cma-production", "CPUUtilization", future).is_none());
}

#[test]
fn load_follows_the_clock_and_the_tasks_that_run() {
    let mut world = world(&["gov"]);
    // Office hours in New York: noon there is 17:00 UTC, and at 08:00 UTC everybody sleeps.
    let cpu = |world: &World, at: Wall| metric(world, "us-east-1", "gov-db", "CPUUtilization", at).unwrap();
    let (night, day) = (NOON.minus(4 * 60 * MINUTE), NOON.minus(19 * 60 * MINUTE));
    assert!(cpu(&world, day) > 1.5 * cpu(&world, night), "{} {}", cpu(&world, day), cpu(&world, night));
    let connections =
        |world: &World| metric(world, "us-east-1", "gov-db", "DatabaseConnections", world.now).unwrap();
    let before = connections(&world);
    let service = world.find("us-east-1", "gov-cluster", "gov-backend").unwrap();
    world.set_desired(service, 4);
    world.advance(NOON.plus(10 * MINUTE));
    assert!(connections(&world) > before + 4.0, "{before}, then {}", connections(&world));
}

#[test]
fn each_night_has_its_backup_and_a_replica_has_none() {
    let world = world(&["cma"]);
    let source = &world.databases[world.database("eu-west-2", "cma-production").unwrap()];
    let history = source.history(world.seed, world.now);
    let count = |text: &str| history.iter().filter(|event| event.message == text).count();
    assert!((13..=14).contains(&count("Backing up DB instance")), "{}", count("Backing up DB instance"));
    assert_eq!(count("Backing up DB instance"), count("Finished DB Instance backup"));
    assert!(history.windows(2).all(|pair| pair[0].at <= pair[1].at));
    let age = source.restorable(world.seed, world.now).unwrap().age_at(world.now);
    assert!(age <= 5 * MINUTE, "{age:?}");
    let replica = &world.databases[world.database("eu-west-2", "cma-read-replica-production").unwrap()];
    assert!(replica.history(world.seed, world.now).is_empty());
    assert_eq!(replica.restorable(world.seed, world.now), None);
}

#[test]
fn the_status_says_when_the_backup_runs() {
    let stack = Stack::builtin("cma").unwrap().unwrap();
    let mut world = World::new(vec![stack], 1, NOON);
    let index = world.database("eu-west-2", "cma-production").unwrap();
    let day = NOON.0.div_euclid(DAY) + 1;
    let (from, to) = world.databases[index].backup(world.seed, day).unwrap();
    world.advance(from);
    assert_eq!(world.database_status(index), "backing-up");
    world.advance(to);
    assert_eq!(world.database_status(index), "available");
}

#[test]
fn a_log_file_only_grows() {
    let mut world = world(&["gov"]);
    let index = world.database("us-east-1", "gov-db").unwrap();
    world.advance(NOON.plus(20 * MINUTE));
    let files = world.log_files(index);
    let name = files.last().unwrap().name.clone();
    assert_eq!(name, "error/postgresql.log.2026-11-20-12");
    let before = world.log_file(index, &name).unwrap();
    assert_eq!(before.len(), files.last().unwrap().size);
    world.advance(NOON.plus(40 * MINUTE));
    let after = world.log_file(index, &name).unwrap();
    assert!(after.starts_with(&before) && after.len() > before.len());
    assert!(world.log_file(index, "error/postgresql.log.2020-01-01-00").is_none());
    let all: String =
        files.iter().map(|file| world.log_file(index, &file.name).unwrap_or_default()).collect();
    assert!(all.contains("checkpoint complete"), "{all}");
    assert!(all.contains("execute <unnamed>: SELECT"), "nothing slow in three days");
}

#[test]
fn an_aurora_cluster_fails_over_to_its_reader() {
    let fleet = Stack::fleet(3, 1).unwrap();
    let mut world = World::new(vec![fleet], 1, NOON);
    assert_eq!(world.database_clusters[0].writer, "fleet-aurora-1");
    world.fail_cluster_over(0, "fleet-aurora-2");
    assert_eq!(world.database_clusters[0].status, "failing-over");
    world.advance(NOON.plus(MINUTE));
    assert_eq!(
        (world.database_clusters[0].status, &*world.database_clusters[0].writer),
        ("available", "fleet-aurora-2")
    );
}

#[test]
fn what_a_full_database_wrote_stays_when_it_has_grown() {
    let mut world = world(&["saas"]);
    let (region, id) = ("me-south-1", "saas-db");
    let index = world.database(region, id).unwrap();
    world.set_condition(region, id, Condition::StorageFilling { within: 10 * MINUTE });
    world.advance(NOON.plus(15 * MINUTE));
    assert_eq!(world.database_status(index), "storage-full");
    let name = world.log_files(index).last().unwrap().name.clone();
    let before = world.log_file(index, &name).unwrap();
    assert!(before.contains("No space left on device"), "{before}");
    world.grow_storage(index, 60, true);
    world.advance(NOON.plus(30 * MINUTE));
    assert_eq!(world.database_status(index), "storage-optimization");
    let after = world.log_file(index, &name).unwrap();
    assert!(after.starts_with(&before), "{after}");
    assert!(after.contains("ready to accept connections"), "{after}");
}

#[test]
fn a_failover_ends_connections_and_the_services_behind_it_fail_for_a_while() {
    let mut world = world(&["gov"]);
    let service = world.find("us-east-1", "gov-cluster", "gov-backend").unwrap();
    let index = world.database("us-east-1", "gov-db").unwrap();
    let failing = |world: &World, at: Wall| {
        let found = &world.services[service];
        let lost =
            |one: &Disturbance| matches!(&one.kind, DisturbanceKind::Errors { text, .. } if text == LOST);
        let burst = |one: &&Disturbance| lost(one) && one.from <= at && at < one.to;
        (world.behind(service, at).1, found.disturbances.iter().filter(burst).count())
    };
    assert_eq!(failing(&world, NOON), (0.0, 0));
    world.reboot_database(index, true);
    world.advance(NOON.plus(MINUTE / 2));
    let (refused, bursts) = failing(&world, world.now);
    assert!(refused > 0.5 && bursts == 1, "{refused} {bursts}");
    world.advance(NOON.plus(4 * MINUTE));
    assert_eq!(failing(&world, world.now), (0.0, 0));
    // An Aurora cluster's writer and reader restart, too.
    let mut fleet = World::new(vec![Stack::fleet(3, 1).unwrap()], 1, NOON);
    fleet.fail_cluster_over(0, "fleet-aurora-2");
    let down = |world: &World| world.databases.iter().filter(|found| found.is_down(world.now)).count();
    assert_eq!(down(&fleet), 2);
    fleet.advance(NOON.plus(MINUTE));
    assert_eq!(down(&fleet), 0);
}
