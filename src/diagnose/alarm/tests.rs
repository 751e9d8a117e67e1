//! Alarms as CloudWatch tells them.

use super::super::cache::tests::group;
use super::super::database::fixtures::{cluster, instance, scope, service};
use super::*;
use crate::domain::alarm::AlarmRule;
use crate::domain::ecs::LoadBalancer;
use crate::domain::metric::MetricQuery;
use proptest::prelude::*;
use std::time::Duration;

const NOW: Wall = Wall(1_795_000_000_000);

pub(in crate::diagnose) fn alarm(name: &str, metric: MetricId, state: &str) -> Alarm {
    Alarm {
        id: AlarmId { scope: scope(), name: name.into() },
        arn: String::new(),
        kind: AlarmKind::Metric,
        description: None,
        state: AlarmState::of(state),
        reason:
            "Threshold Crossed: 3 datapoints [93.125 (20/11/26 03:02:00), 91.0 (20/11/26 03:01:00)] were \
                 greater than the threshold (80.0)."
                .into(),
        since: Some(NOW.minus(Duration::from_secs(12 * 60))),
        actions_enabled: true,
        actions: vec!["arn:aws:sns:eu-west-2:123456789012:page".into()],
        suppressed_by: None,
        evaluation: None,
        rule: Some(AlarmRule {
            metric: Some(metric),
            stat: Some("Average".into()),
            period: 60,
            queries: Vec::new(),
            comparison: "GreaterThanThreshold".into(),
            threshold: Some(80.0),
            evaluation_periods: 3,
            datapoints: 3,
            missing_data: "missing".into(),
        }),
        expression: None,
    }
}

pub(in crate::diagnose) fn cpu_of(service: &str) -> MetricId {
    let dimensions = [("ClusterName", "cma-production"), ("ServiceName", service)];
    MetricId::new("AWS/ECS", "CPUUtilization", &dimensions)
}

fn composite(name: &str, expression: &str) -> Alarm {
    Alarm {
        kind: AlarmKind::Composite,
        rule: None,
        expression: Some(expression.into()),
        ..alarm(name, cpu_of("api"), "ALARM")
    }
}

fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn known() -> Known<'static> {
    let mut known = Known::default();
    let arn = "arn:aws:elasticloadbalancing:eu-west-2:123456789012:targetgroup/api/0123";
    let balancer = LoadBalancer { target_group_arn: Some(arn.into()), container: None, port: None };
    let api = Service { load_balancers: vec![balancer], ..service("api", 2) };
    let target_group = TargetGroup {
        arn: arn.into(),
        name: "api".into(),
        balancers: vec![
            "arn:aws:elasticloadbalancing:eu-west-2:123456789012:loadbalancer/app/cma/9876".into(),
        ],
        protocol: None,
        port: None,
        health_path: None,
        matcher: None,
    };
    known.service(kept(api), &BTreeMap::from([(arn, kept(target_group))]));
    known.service(kept(service("web", 1)), &BTreeMap::new());
    known.instance(kept(instance()));
    known.cluster(kept(cluster()));
    known.cache_group(kept(group()));
    known
}

fn names(subjects: &[Subject]) -> Vec<&str> {
    subjects.iter().map(Subject::name).collect()
}

#[test]
fn dimensions_lead_to_resources() {
    let known = known();
    let of = |name: &str, dimensions: &[(&str, &str)]| {
        let found = watched(&alarm("a", MetricId::new("AWS/X", name, dimensions), "OK"), &known);
        names(&found).join(",")
    };
    assert_eq!(of("CPUUtilization", &[("ClusterName", "cma-production"), ("ServiceName", "api")]), "api");
    assert_eq!(of("CPUUtilization", &[("ClusterName", "other"), ("ServiceName", "api")]), "");
    assert_eq!(of("DatabaseConnections", &[("DBInstanceIdentifier", "cma-db")]), "cma-db");
    assert_eq!(of("X", &[("DBClusterIdentifier", "cma-cluster"), ("Role", "WRITER")]), "cma-cluster");
    assert_eq!(of("Evictions", &[("CacheClusterId", "cma-redis-002"), ("CacheNodeId", "0001")]), "cma-redis");
    assert_eq!(
        of("5XX", &[("LoadBalancer", "app/cma/9876"), ("TargetGroup", "targetgroup/api/0123")]),
        "api"
    );
    assert_eq!(of("5XX", &[("LoadBalancer", "app/cma/9876")]), "api");
    assert_eq!(of("5XX", &[("LoadBalancer", "app/other/1")]), "");
    // The same name in another region is another resource.
    let mut far = alarm("a", cpu_of("api"), "OK");
    far.id.scope = Scope::new("default", "us-east-1");
    assert_eq!(watched(&far, &known), []);
}

#[test]
fn metric_math_and_composites_watch_what_they_are_made_of() {
    let mut math = alarm("5xx", cpu_of("api"), "OK");
    let stat = |service: &str| MetricSource::Stat { metric: cpu_of(service), stat: "Sum".into(), period: 60 };
    let query = |id: &str, what, wanted| MetricQuery { id: id.into(), what, wanted };
    let expression = MetricSource::Expression { expression: "100 * m1 / m2".into(), period: None };
    if let Some(rule) = &mut math.rule {
        rule.metric = None;
        rule.queries = vec![
            query("m1", stat("api"), false),
            query("m2", stat("web"), false),
            query("e", expression, true),
        ];
    }
    assert_eq!(names(&watched(&math, &known())), ["api", "web"]);
    math.state = AlarmState::Alarm;
    assert_eq!(alarm_sentence(&math, NOW), "100 * m1 / m2 93.1 > 80 for 12 min");
    let all = [
        alarm("db", MetricId::new("AWS/RDS", "X", &[("DBInstanceIdentifier", "cma-db")]), "OK"),
        composite("inner", "ALARM(db)"),
        composite("outer", "ALARM(\"inner\") OR ALARM(circle)"),
        composite("circle", "ALARM(outer)"),
    ];
    // Each of forty names all of them: without a memory nobody would see the end.
    let names_all = (0..40).map(|n| format!("ALARM(c{n})")).collect::<Vec<_>>().join(" OR ");
    let tangle: Vec<Alarm> = (0..40).map(|n| composite(&format!("c{n}"), &names_all)).collect();
    assert_eq!(watch_map(&tangle, &known()).len(), 40);
    let map = watch_map(&all, &known());
    assert!(map.iter().all(|(_, subjects)| names(subjects) == ["cma-db"]), "{map:?}");
}

#[test]
fn an_expression_names_its_children() {
    let found = children(
        "(ALARM(\"cpu (high)\") OR OK(arn:aws:cloudwatch:eu-west-2:123456789012:alarm:disk)) AND NOT \
         INSUFFICIENT_DATA('x')",
    );
    let found: Vec<(&str, &str)> = found.iter().map(|c| (c.state.as_str(), c.alarm.as_str())).collect();
    assert_eq!(found, [("ALARM", "cpu (high)"), ("OK", "disk"), ("INSUFFICIENT_DATA", "x")]);
    assert_eq!(children("TRUE"), []);
}

#[test]
fn a_firing_alarm_is_told_with_its_number() {
    let firing = alarm("cpu", cpu_of("api"), "ALARM");
    let finding = alarm_finding(&firing, NOW).unwrap();
    assert_eq!((finding.rule, finding.severity), ("alarm.firing", Severity::Critical));
    assert_eq!(finding.sentence, "CPUUtilization 93.1 > 80 for 12 min");
    assert_eq!(finding.evidence[0].text, firing.reason);
    let silent = Alarm {
        reason: "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were \
                 treated as [Breaching]."
            .into(),
        ..firing.clone()
    };
    assert_eq!(alarm_sentence(&silent, NOW), "No data of CPUUtilization, which counts as > 80 for 12 min");
    let both = composite("both", "ALARM(a) AND ALARM(b)");
    assert_eq!(alarm_sentence(&both, NOW), "ALARM over 2 alarms for 12 min");
    assert_eq!(alarm_says(&both, NOW), "over a, b");
    assert_eq!(alarm_says(&firing, NOW), "CPUUtilization 93.1 > 80");
    let muted = Alarm { actions_enabled: false, ..firing };
    assert_eq!(alarm_says(&muted, NOW), "CPUUtilization 93.1 > 80, muted");
    assert_eq!(alarm_says(&alarm("cpu", cpu_of("api"), "OK"), NOW), "fires when CPUUtilization > 80");
}

#[test]
fn muted_alarms_and_those_that_cannot_be_evaluated_are_told() {
    let told = |alarm: &Alarm| alarm_finding(alarm, NOW).map(|f| (f.rule, f.severity, f.sentence));
    let ok = alarm("cpu", cpu_of("api"), "OK");
    assert_eq!(told(&ok), None);
    assert_eq!(told(&Alarm { state: AlarmState::InsufficientData, ..ok.clone() }), None);
    let muted = Alarm { actions_enabled: false, ..ok.clone() };
    assert_eq!(
        told(&muted),
        Some(("alarm.muted", Severity::Notice, "Muted: its 1 action will not happen".into()))
    );
    let firing = Alarm { state: AlarmState::Alarm, ..muted };
    assert_eq!(
        told(&firing),
        Some(("alarm.firing", Severity::Warning, "CPUUtilization 93.1 > 80 for 12 min, muted".into()))
    );
    let broken = Alarm { evaluation: Some("EVALUATION_ERROR".into()), ..ok };
    assert_eq!(
        told(&broken).map(|(.., text)| text).as_deref(),
        Some("Cannot be evaluated (EVALUATION_ERROR), so it cannot fire")
    );
}

#[test]
fn target_tracking_is_folded_and_watches_nothing() {
    let name = "TargetTracking-service/cma-production/api-AlarmLow-0f";
    let tracking = alarm(name, cpu_of("api"), "ALARM");
    assert_eq!(alarm_finding(&tracking, NOW), None);
    assert_eq!(alarm_severity(&tracking), Severity::Idle);
    let subjects = || ["api", "web"].map(|name| Subject::Service(service(name, 1).id));
    let left = |alarms: &[&Alarm]| {
        let watches = watch_map(alarms.iter().copied(), &known());
        names(&coverage(subjects(), alarms.iter().copied(), &watches)).join(" ")
    };
    assert_eq!(left(&[&tracking]), "api web");
    let paging = alarm("cpu", cpu_of("api"), "OK");
    assert_eq!(left(&[&tracking, &paging]), "web");
    let muted = Alarm { actions_enabled: false, ..paging.clone() };
    assert_eq!(left(&[&muted]), "api web", "a muted alarm tells nobody");
    let silent = Alarm { actions: Vec::new(), ..paging };
    assert_eq!(left(&[&silent]), "api web", "nor does one without actions");
    let over = composite("over", "ALARM(cpu)");
    assert_eq!(left(&[&silent, &over]), "web", "but a composite over it that has actions does");
}

proptest! {
    #[test]
    fn any_expression_and_reason_is_answered(text in ".{0,60}") {
        let _ = newest_datapoint(&text);
        for child in children(&text) {
            prop_assert!(text.contains(&child.alarm));
        }
    }
}
