//! The first screen: ranking, folding, counting.

use proptest::prelude::*;

use super::super::alarm::tests::{alarm, cpu_of};
use super::super::cache::tests::group;
use super::super::database::fixtures::{instance, scope, service};
use super::*;
use crate::domain::metric::MetricId;

const NOW: Wall = Wall(1_795_000_000_000);

fn lines(fleet: &Fleet) -> Vec<String> {
    fleet
        .findings
        .iter()
        .map(|f| format!("{} {}: {}", f.severity.word(), f.subject.name(), f.sentence))
        .collect()
}

#[test]
fn a_sick_resource_is_one_line_with_its_alarms_as_evidence() {
    let (api, web) = (Service { running: 1, ..service("api", 2) }, service("web", 1));
    let full = DbInstance { status: "storage-full".into(), encrypted: false, ..instance() };
    let cache = group();
    let cpu = alarm("api-cpu", cpu_of("api"), "ALARM");
    let connections = alarm(
        "db",
        MetricId::new("AWS/RDS", "DatabaseConnections", &[("DBInstanceIdentifier", "cma-db")]),
        "OK",
    );
    let facts = FleetFacts {
        services: vec![&api, &web],
        instances: vec![&full],
        cache_groups: vec![&cache],
        alarms: vec![&cpu, &connections],
        alarms_read: BTreeSet::from([scope()]),
        ..FleetFacts::default()
    };
    let fleet = fleet(&facts, NOW);
    assert_eq!(
        lines(&fleet),
        [
            "critical api: 1 of 2 tasks running",
            "critical cma-db: Storage is full: nothing can be written until it is grown by 10 % or more",
        ]
    );
    assert_eq!(fleet.findings[0].evidence[0].text, "Alarm api-cpu: CPUUtilization 93.1 > 80 for 12 min");
    assert_eq!(fleet.findings[1].evidence[0].text, "Storage is not encrypted, snapshots are not either");
    assert_eq!(fleet.healthy, [("alarm", 1), ("cache", 1), ("service", 1)]);
    let unwatched: Vec<&str> = fleet.unwatched.iter().map(Subject::name).collect();
    assert_eq!(unwatched, ["web", "cma-redis"]);
}

#[test]
fn an_alarm_over_what_seems_well_keeps_its_line() {
    let api = service("api", 2);
    let cpu = alarm("api-cpu", cpu_of("api"), "ALARM");
    let stray = alarm("stray", MetricId::new("Custom", "Queue", &[]), "ALARM");
    let facts = FleetFacts { services: vec![&api], alarms: vec![&cpu, &stray], ..FleetFacts::default() };
    let fleet = fleet(&facts, NOW);
    assert_eq!(
        lines(&fleet),
        [
            "critical api-cpu: api service: CPUUtilization 93.1 > 80 for 12 min",
            "critical stray: Queue 93.1 > 80 for 12 min",
        ]
    );
    // Alarms that were never read leave no gap to tell of.
    assert_eq!(fleet.unwatched, []);
}

#[test]
fn a_service_and_its_database_stay_two_lines() {
    let api = Service { running: 0, ..service("api", 2) };
    let down = DbInstance { status: "rebooting".into(), ..instance() };
    let facts = FleetFacts { services: vec![&api], instances: vec![&down], ..FleetFacts::default() };
    assert_eq!(fleet(&facts, NOW).findings.len(), 2);
}

#[test]
fn without_anything_wrong_all_is_counted() {
    let (api, db) = (service("api", 2), instance());
    let facts = FleetFacts { services: vec![&api], instances: vec![&db], ..FleetFacts::default() };
    let fleet = fleet(&facts, NOW);
    assert_eq!(fleet.findings, []);
    assert_eq!(fleet.healthy, [("database", 1), ("service", 1)]);
    assert_eq!(super::fleet(&FleetFacts::default(), NOW), Fleet::default());
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let rules = ["a.one", "b.two", "alarm.muted"];
    (0..4_usize, 0..6_usize, 0..3_usize, prop::option::of(0..5_i64)).prop_map(
        move |(name, severity, rule, since)| {
            let subject = Subject::Service(service(&format!("s{name}"), 1).id);
            Finding::new(subject, rules[rule], Severity::ALL[severity], "1 thing").since(since.map(Wall))
        },
    )
}

proptest! {
    #[test]
    fn ranking_is_a_total_order(mut all in prop::collection::vec(any_finding(), 0..12), seed in any::<usize>()) {
        let mut other = all.clone();
        if !other.is_empty() {
            let by = seed % other.len();
            other.rotate_left(by);
            other.reverse();
        }
        rank(&mut all);
        rank(&mut other);
        prop_assert_eq!(&all, &other);
        prop_assert!(all.is_sorted_by_key(|finding| finding.severity));
    }

    #[test]
    fn merging_leaves_one_line_per_subject_and_hides_nothing(all in prop::collection::vec(any_finding(), 0..12)) {
        let merged = merge(all.clone(), Vec::new());
        let subjects: BTreeSet<&Subject> = merged.iter().map(|finding| &finding.subject).collect();
        prop_assert_eq!(subjects.len(), merged.len());
        let told: usize = merged.iter().map(|line| 1 + line.evidence.len()).sum();
        prop_assert_eq!(told, all.iter().filter(|finding| !finding.severity.is_calm()).count());
    }
}
