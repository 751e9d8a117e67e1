//! Every incident that comes with the program: it is of the schema, it can be played, and it shows.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

mod releases;
mod symptoms;

use super::NamedIncident;
use crate::sim::query::Fields;
use crate::sim::reply::Reply;
use crate::sim::route::{Call, Protocol};
use crate::sim::stack::{IncidentKind, Stack};
use crate::sim::world::World;
use crate::sim::world::service::Rollout;
use crate::sim::{autoscaling, cloudwatch, ecr, elbv2, rds, secretsmanager};
use crate::stdx::clock::Wall;

/// 2026-11-20T12:00:00Z.
const NOON: Wall = Wall(1_795_176_000_000);

/// All incidents, by what they are about; in several tests, since each world takes its time.
const RELEASES: [&str; 4] = ["bad-image-tag", "out-of-memory", "health-check-path", "5xx-after-deployment"];
const MISSING: [&str; 4] =
    ["secret-key-removed", "rotation-stuck", "log-group-deleted", "expired-credentials"];
const DATABASES: [&str; 4] = ["database-storage-full", "connections-exhausted", "slow-queries", "failover"];
const CAPACITY: [&str; 4] = ["spot-reclaim", "capacity-unavailable", "cpu-at-maximum", "throttling"];

fn named(name: &str) -> NamedIncident {
    NamedIncident::builtin(name).unwrap().unwrap_or_else(|error| panic!("{error}"))
}

fn opened(incident: &NamedIncident) -> World {
    let stacks = Stack::builtins().map(|name| Stack::builtin(name).unwrap().unwrap()).collect();
    World::with_incident(stacks, 7, NOON, Some(incident))
}

fn service(world: &World, name: &str) -> usize {
    world.services.iter().position(|found| &*found.name == name).unwrap()
}

fn running(world: &World, name: &str) -> usize {
    let service = service(world, name);
    world.tasks.values().filter(|task| task.service == Some(service) && task.is_running()).count()
}

/// Reasons of the tasks of a service that have stopped since an instant: of the task, and of its culprit.
fn stops(world: &World, name: &str, since: Wall) -> Vec<String> {
    let service = service(world, name);
    world
        .tasks
        .values()
        .filter(|task| task.service == Some(service) && task.stopping_at.is_some_and(|at| at >= since))
        .filter_map(|task| task.stop.as_ref())
        .map(|stop| {
            let (_, code, reason) = stop.culprit.clone().unwrap_or_default();
            format!("{} {} {code:?} {}", stop.code, stop.reason, reason.unwrap_or_default())
        })
        .collect()
}

fn said(world: &World, name: &str, text: &str) -> bool {
    world.events(service(world, name)).iter().any(|event| event.message.contains(text))
}

/// How many lines with a text a log group got in the last five minutes.
fn lines(world: &World, region: &str, group: &str, text: &str) -> usize {
    let groups = world.log_groups(region, &[group.to_owned()]);
    let input = json!({
        "logGroupName": group,
        "startTime": world.now.minus(Duration::from_secs(300)).0,
        "endTime": world.now.0,
        "filterPattern": format!("\"{text}\""),
        "limit": 1000,
    });
    let answer = crate::sim::logs::answer("FilterLogEvents", &groups, world.now, &input).unwrap().unwrap();
    answer["events"].as_array().unwrap().len()
}

/// CloudWatch's answer.
fn watch(world: &mut World, region: &str, operation: &str, input: &Value) -> Value {
    let call = Call {
        protocol: Protocol::Json,
        service: "monitoring".to_owned(),
        region: region.to_owned(),
        operation: operation.to_owned(),
        version: None,
        body: input.to_string().into(),
    };
    match cloudwatch::handle(world, &call).unwrap() {
        Reply::Json(answer) => answer,
        _ => panic!("JSON is answered in JSON"),
    }
}

/// The alarms of a region that fire, but for those that autoscaling has made to scale in.
fn firing(world: &mut World, region: &str) -> Vec<String> {
    let input = json!({ "StateValue": "ALARM", "AlarmTypes": ["MetricAlarm", "CompositeAlarm"] });
    let answer = watch(world, region, "DescribeAlarms", &input);
    let lists = ["MetricAlarms", "CompositeAlarms"].into_iter().filter_map(|list| answer[list].as_array());
    let names = lists.flatten().map(|alarm| alarm["AlarmName"].as_str().unwrap().to_owned());
    names.filter(|name| !name.contains("-AlarmLow-")).collect()
}

/// A metric's last five minutes that have arrived: least and most.
fn recent(
    world: &mut World,
    region: &str,
    metric: (&str, &str),
    own: &[(&str, &str)],
    stat: &str,
) -> (f64, f64) {
    let end = world.now.0 / 1000;
    between(world, region, metric, own, stat, (end - 420, end))
}

/// A metric's minutes between two instants, in seconds: least and most.
fn between(
    world: &mut World,
    region: &str,
    metric: (&str, &str),
    own: &[(&str, &str)],
    stat: &str,
    (from, to): (i64, i64),
) -> (f64, f64) {
    let dimensions: Vec<Value> =
        own.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    let input = json!({
        "Namespace": metric.0, "MetricName": metric.1, "Dimensions": dimensions, "Statistics": [stat],
        "StartTime": from, "EndTime": to, "Period": 60,
    });
    let answer = watch(world, region, "GetMetricStatistics", &input);
    let points = answer["Datapoints"].as_array().unwrap().iter().map(|point| point[stat].as_f64().unwrap());
    points
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
}

/// A metric of a database in its last minutes.
fn database(world: &mut World, region: &str, id: &str, name: &str) -> (f64, f64) {
    recent(world, region, ("AWS/RDS", name), &[("DBInstanceIdentifier", id)], "Average")
}

/// A metric of a service in its last minutes.
fn load(world: &mut World, region: &str, (cluster, name): (&str, &str), metric: &str) -> (f64, f64) {
    let own = [("ClusterName", cluster), ("ServiceName", name)];
    recent(world, region, ("AWS/ECS", metric), &own, "Average")
}

/// RDS's answer.
fn asked(world: &mut World, region: &str, operation: &str, form: &str) -> String {
    rds::handle(world, region, operation, &Fields::of(form.as_bytes())).unwrap()
}

/// The texts of all elements of a name.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let open = format!("<{name}>");
    let rest = xml.split(open.as_str()).skip(1);
    rest.map(|rest| rest.split("</").next().unwrap().to_owned()).collect()
}

/// Status, zone and standby's zone of a database, and what its events of the last hour say.
fn instance(world: &mut World, region: &str, id: &str) -> (String, String, String) {
    let xml = asked(world, region, "DescribeDBInstances", &format!("DBInstanceIdentifier={id}"));
    let events = format!("SourceType=db-instance&SourceIdentifier={id}&Duration=60");
    let events = texts(&asked(world, region, "DescribeEvents", &events), "Message").join("\n");
    let zones = [texts(&xml, "AvailabilityZone"), texts(&xml, "SecondaryAvailabilityZone")].concat();
    (texts(&xml, "DBInstanceStatus").join(""), zones.join(" "), events)
}

/// The newest log file of a database.
fn log_file(world: &mut World, region: &str, id: &str) -> String {
    let own = format!("DBInstanceIdentifier={id}");
    let names = texts(&asked(world, region, "DescribeDBLogFiles", &own), "LogFileName");
    let newest = names.iter().max().unwrap();
    let form = format!("{own}&LogFileName={newest}&NumberOfLines=10000");
    asked(world, region, "DownloadDBLogFilePortion", &form)
}

/// States and reasons of a service's targets.
fn targets(world: &World, name: &str) -> Vec<String> {
    let found = &world.services[service(world, name)];
    let (region, arn) = (found.region.to_string(), found.targets()[0].0.clone());
    let fields = Fields::of(format!("TargetGroupArn={arn}").as_bytes());
    let xml = elbv2::handle(world, &region, "DescribeTargetHealth", &fields).unwrap();
    xml.split("<TargetHealth>")
        .skip(1)
        .map(|part| {
            let of = |name: &str| texts(part, name).first().cloned().unwrap_or_default();
            format!("{} {}", of("State"), of("Description"))
        })
        .collect()
}

/// Bounds of a service, and what autoscaling did last.
fn scaled(world: &mut World, region: &str, resource: &str) -> (Value, Value) {
    let mut ask = |operation: &str, key: &str| {
        let input = json!({ "ServiceNamespace": "ecs", "ResourceIds": [resource], "ResourceId": resource });
        autoscaling::handle(world, region, operation, &input).unwrap()[key][0].clone()
    };
    (ask("DescribeScalableTargets", "ScalableTargets"), ask("DescribeScalingActivities", "ScalingActivities"))
}

/// Whether somebody changed this, as the trail has it.
fn changed(world: &World, region: &str, what: &str, by: &str) -> bool {
    let told = world.trail.newest_first(region);
    told.iter().any(|entry| entry.deed.name == what && entry.deed.by.name() == by)
}

/// Whether an alarm is of a stack: a document's begins with its name, target tracking's names a cluster, and
/// that begins with it.
fn is_of(alarm: &str, stack: &str) -> bool {
    alarm.starts_with(stack) || alarm.contains(&format!("-service/{stack}"))
}

/// What is wrong with anything that the incident does not touch, and whatever alarm of another stack fires.
fn sick_beside(world: &mut World, incident: &NamedIncident) -> Vec<String> {
    let touched = |name: &str| {
        let mut events = incident.events.iter();
        name == incident.sick
            || events.any(|event| event.service == name || event.target.as_deref() == Some(name))
    };
    let mut found = Vec::new();
    for (index, service) in world.services.iter().enumerate().filter(|(_, found)| !touched(&found.name)) {
        let all = running(world, &service.name) == service.desired as usize;
        let done = service.deployments.len() == 1 && service.deployments[0].state == Rollout::Completed;
        if !all || !done || !service.disturbances.is_empty() {
            found.push(format!("{}: {:#?}", service.name, world.events(index).first()));
        }
    }
    let databases = world.databases.iter().enumerate().filter(|(_, found)| !touched(found.name()));
    for (index, database) in databases {
        let status = world.database_status(index);
        if !["available", "backing-up"].contains(&status) || !database.troubles.is_empty() {
            found.push(format!("{}: {status}", database.name()));
        }
    }
    let rotating = world.vault.secrets.iter().filter(|secret| secret.is_rotating() && !touched(&secret.name));
    found.extend(rotating.map(|secret| secret.name.clone()));
    let regions: BTreeSet<String> = world.stacks.iter().map(|stack| stack.region.clone()).collect();
    for region in regions {
        let fires = firing(world, &region);
        found.extend(fires.into_iter().filter(|alarm| !is_of(alarm, &incident.stack)));
    }
    found
}

#[test]
fn every_incident_parses_and_tells_its_cause_in_a_sentence() {
    let mut names = BTreeSet::new();
    for name in NamedIncident::builtins() {
        let incident = named(name);
        assert_eq!(incident.name, name);
        assert!(names.insert(name), "{name} stands there twice");
        assert!(incident.cause.ends_with('.') && incident.cause.len() > 40, "{name}: {}", incident.cause);
        assert!(!incident.events.is_empty() && !incident.title.is_empty());
        assert!(incident.events.iter().any(|event| event.at.millis <= 0), "{name} does not show at once");
    }
    assert_eq!(names.len(), 16);
    let played: BTreeSet<&str> = [RELEASES, MISSING, DATABASES, CAPACITY].concat().into_iter().collect();
    assert_eq!(names, played);
}

/// Plays incidents: each shows when the world opens, goes on for half an hour, and is all that is wrong.
fn play(names: &[&str]) {
    let mut healthy =
        World::new(Stack::builtins().map(|name| Stack::builtin(name).unwrap().unwrap()).collect(), 7, NOON);
    let (mut unseen, mut beside) = (Vec::new(), Vec::new());
    for &name in names {
        let incident = named(name);
        let mut world = opened(&incident);
        let shown = symptoms::symptoms(&mut world, name);
        unseen.extend(
            shown.iter().filter(|(_, there)| !there).map(|(symptom, _)| format!("{name}: {symptom}")),
        );
        // Each symptom by itself tells the sick world from a healthy one, but for what only belongs to the picture.
        let usual = symptoms::symptoms(&mut healthy, name);
        let usual: Vec<&str> =
            usual.iter().filter(|(_, there)| *there).map(|(symptom, _)| *symptom).collect();
        if usual != symptoms::also_healthy(name) {
            beside.push(format!("{name} in a healthy world: {usual:?}"));
        }
        let region = Stack::builtin(&incident.stack).unwrap().unwrap().region;
        let fires = firing(&mut world, &region);
        for minute in 0..=30_u64 {
            world.advance(NOON.plus(Duration::from_secs(60 * minute)));
            if minute % 10 == 0 {
                let sick = sick_beside(&mut world, &incident);
                beside.extend(sick.into_iter().map(|sick| format!("{name}, {minute} min: {sick}")));
            }
            if minute == 10 {
                let still = firing(&mut world, &region);
                let over = fires.iter().filter(|alarm| !still.contains(alarm));
                unseen.extend(over.map(|alarm| format!("{name}: {alarm} after ten minutes")));
            }
        }
        assert_eq!(world.begun, [name]);
    }
    assert!(unseen.is_empty(), "not to be seen of {}", unseen.join("\n"));
    assert!(beside.is_empty(), "sick beside {}", beside.join("\n"));
}

#[test]
fn incidents_of_releases_show_go_on_and_are_all_that_is_wrong() {
    play(&RELEASES);
}

#[test]
fn incidents_of_what_goes_missing_show_go_on_and_are_all_that_is_wrong() {
    play(&MISSING);
}

#[test]
fn incidents_of_databases_show_go_on_and_are_all_that_is_wrong() {
    play(&DATABASES);
}

#[test]
fn incidents_of_capacity_show_go_on_and_are_all_that_is_wrong() {
    play(&CAPACITY);
}

#[test]
fn autoscaling_acts_after_its_alarm() {
    for name in NamedIncident::builtins() {
        let incident = named(name);
        let mut events = incident.events.iter();
        let Some(scale) = events.find(|event| event.kind == IncidentKind::Scale) else { continue };
        let (acted, spike) = (Wall(NOON.0 + scale.at.millis), NOON.minus(incident.lead()));
        let mut world = opened(&incident);
        let region = Stack::builtin(&incident.stack).unwrap().unwrap().region;
        let history = &world.alarms(&region).unwrap().history;
        let own = format!("/{}-AlarmHigh-", scale.service);
        let fired = history
            .iter()
            .find(|item| item.at >= spike && item.name.contains(&own) && item.summary.ends_with("to ALARM"));
        assert!(fired.is_some_and(|item| item.at <= acted), "{name}: {fired:?}");
    }
}

#[test]
fn an_incident_can_begin_in_a_running_world() {
    let mut world = World::new(vec![Stack::builtin("gov").unwrap().unwrap()], 7, NOON);
    assert!(!world.begin(&named("spot-reclaim")), "its stack is not there");
    assert!(world.begin(&named("log-group-deleted")));
    world.advance(NOON.plus(Duration::from_secs(240)));
    assert!(said(&world, "gov-ai-service", "has started 1 tasks"));
    assert!(
        stops(&world, "gov-ai-service", NOON)
            .iter()
            .any(|stop| stop.contains("failed to validate logger args"))
    );
    let groups = world.log_groups("us-east-1", &[]);
    assert!(!groups.groups.iter().any(|group| group.name == "/ecs/gov-ai-service"));
}

#[test]
fn a_failover_ends_with_the_zones_changed() {
    let mut world = opened(&named("failover"));
    world.advance(NOON.plus(Duration::from_secs(80)));
    let (status, zones, events) = instance(&mut world, "us-east-1", "gov-db");
    assert_eq!((&*status, &*zones), ("available", "us-east-1b us-east-1a"));
    assert!(events.contains("Multi-AZ instance failover completed"), "{events}");
    // A minute without connections lies behind it, and its alarms fire a while after it is over.
    world.advance(NOON.plus(Duration::from_secs(360)));
    let connections = database(&mut world, "us-east-1", "gov-db", "DatabaseConnections");
    assert!(connections.0 < 1.0 && connections.1 > 10.0, "{connections:?}");
    let fires = firing(&mut world, "us-east-1");
    for alarm in ["gov-backend-5xx", "gov-citizens-notice"] {
        assert!(fires.iter().any(|name| name == alarm), "{fires:?}");
    }
}

#[test]
fn an_alarm_that_somebody_puts_on_a_full_database_fires() {
    let mut world = opened(&named("database-storage-full"));
    let input = json!({
        "AlarmName": "gov-db-storage", "Namespace": "AWS/RDS", "MetricName": "FreeStorageSpace",
        "Dimensions": [{ "Name": "DBInstanceIdentifier", "Value": "gov-db" }], "Statistic": "Minimum",
        "Period": 60, "EvaluationPeriods": 2, "Threshold": 5e9, "ComparisonOperator": "LessThanThreshold",
    });
    watch(&mut world, "us-east-1", "PutMetricAlarm", &input);
    world.advance(NOON.plus(Duration::from_secs(130)));
    assert!(firing(&mut world, "us-east-1").iter().any(|name| name == "gov-db-storage"));
}

#[test]
fn a_deployment_of_an_incident_is_in_the_trail_with_its_author() {
    let world = opened(&named("bad-image-tag"));
    let told = world.trail.newest_first("eu-west-2");
    let names: Vec<(&str, &str)> =
        told.iter().take(2).map(|entry| (entry.deed.name.as_str(), entry.deed.by.name())).collect();
    assert_eq!(names, [("UpdateService", "tom.r"), ("RegisterTaskDefinition", "tom.r")]);
    let image =
        told[1].deed.request.pointer("/containerDefinitions/0/image").and_then(Value::as_str).unwrap();
    assert!(image.ends_with("cma-frontend:b8c1fO4"), "{image}");
}

#[test]
fn a_slip_in_an_incident_is_named() {
    let text = include_str!("spot-reclaim.toml");
    let error = |text: &str| NamedIncident::parse("mine.toml", text).unwrap_err().to_string();
    assert!(error(&text.replace("stack = \"cma\"", "stack = \"moon\"")).contains("there is no stack `moon`"));
    assert!(
        error(&text.replace("cma-workers-production", "cma-api-production")).contains("runs no Spot tasks")
    );
    assert!(
        error(&text.replacen("sick = \"cma-workers-production\"", "sick = \"nobody\"", 1))
            .contains("`nobody`")
    );
    assert!(error(&text.replacen("at = \"-19m\"", "at = \"-19\"", 1)).contains("is not a span of time"));
    let text = include_str!("failover.toml");
    assert!(error(&text.replace("\"gov-db\"", "\"no-db\"")).contains("`no-db`"));
}
