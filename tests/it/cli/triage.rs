//! The verbs of triage: what the simulator's systems hold, what a NAME means, what a refusal leaves, long lists.
//!
//! The simulator's load follows the hour, so numbers are not snapshots here: what is asserted holds at any time.

use opsdeck::sim::SimConfig;
use serde_json::Value;

use crate::cli::{World, calm, told};
use crate::program::{Outcome, Program};

fn snapshot(name: &str, outcome: &Outcome, code: i32) {
    assert_eq!(outcome.code, code, "{outcome:?}");
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots/triage" }, {
        insta::assert_snapshot!(name, told(outcome));
    });
}

fn envelope(outcome: &Outcome, code: i32) -> Value {
    assert_eq!(outcome.code, code, "{outcome:?}");
    serde_json::from_str(&outcome.out).unwrap()
}

/// The items of a run that is complete.
fn items(program: &Program, words: &[&str]) -> Vec<Value> {
    let envelope = envelope(&program.run(&[words, &["-o", "json"]].concat()), 0);
    assert_eq!(envelope["complete"], true, "{envelope}");
    envelope["items"].as_array().unwrap().clone()
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn named<'a>(items: &'a [Value], name: &str) -> &'a Value {
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("{name}: {:?}", names(items)))
}

#[test]
fn alarms_say_what_they_watch_and_the_named_one_its_history() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let all = items(&program, &["alarms"]);
    let cpu = named(&all, "gov-backend-cpu-high");
    assert_eq!(cpu["watches"], serde_json::json!([{"kind": "service", "name": "gov-cluster/gov-backend"}]));
    assert_eq!(
        (&cpu["threshold"], &cpu["kind"], &cpu["history"]),
        (&80.0.into(), &"metric".into(), &Value::Null)
    );
    assert_eq!(cpu["condition"], "Average of CPUUtilization > 80, 3 of 3 periods of 1 min");
    let composite = all.iter().find(|alarm| alarm["kind"] == "composite").unwrap();
    assert!(composite["children"].as_array().unwrap().len() > 1, "{composite}");
    assert!(!composite["watches"].as_array().unwrap().is_empty(), "{composite}");
    // Target tracking's alarms are in ALARM by design: never a problem, and folded in the table.
    let tracking: Vec<&Value> = all.iter().filter(|alarm| alarm["target_tracking"] == true).collect();
    assert!(!tracking.is_empty() && tracking.iter().all(|alarm| alarm["severity"] == "idle"), "{tracking:?}");
    let table = program.run(&["alarms"]);
    assert!(table.out.contains("of target tracking folded away"), "{table:?}");
    assert!(!table.out.contains("TargetTracking-"), "{table:?}");
    let one = items(&program, &["alarms", "gov-backend-cpu-high"]);
    assert_eq!(one.len(), 1);
    assert!(one[0]["history"].is_array(), "{one:?}");
    let arn = cpu["arn"].as_str().unwrap();
    assert_eq!(names(&items(&program, &["alarms", arn])), ["gov-backend-cpu-high"]);
    let well = items(&program, &["alarms", "--state", "ok"]);
    assert!(well.iter().all(|alarm| alarm["state"] == "OK"), "{well:?}");
    snapshot("no-alarm", &program.run(&["alarms", "gov-backend-cpu-hihg"]), 3);
}

#[test]
fn numbers_of_services_databases_and_caches() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let of = |words: &[&str]| -> Vec<(String, String, usize)> {
        let all = items(&program, &[&["metrics"], words].concat());
        all.iter()
            .map(|item| {
                let text = |key: &str| item[key].as_str().unwrap().to_owned();
                (text("name"), text("metric"), item["points"].as_array().unwrap().len())
            })
            .collect()
    };
    let has = |found: &[(String, String, usize)], name: &str, metric: &str, points: usize| {
        assert!(
            found.iter().any(|(n, m, p)| n == name && m == metric && *p >= points),
            "{name} {metric}: {found:?}"
        );
    };
    let one = of(&["gov-backend", "--since", "1h"]);
    assert!(one.iter().all(|(name, _, _)| name == "gov-backend"));
    // CloudWatch is some minutes late.
    has(&one, "gov-backend", "CPUUtilization", 50);
    has(&one, "gov-backend", "MemoryUtilization", 50);
    has(&one, "gov-backend", "5xx answers", 50);
    let all = of(&[]);
    has(&all, "gov-backend", "CPUUtilization", 100);
    has(&all, "gov-ai-service", "CPUUtilization", 100);
    let databases = of(&["--of", "database"]);
    has(&databases, "gov-db", "DatabaseConnections", 100);
    has(&databases, "gov-db", "FreeStorageSpace", 100);
    let arn = "arn:aws:rds:us-east-1:123456789012:db:gov-db";
    has(&of(&[arn]), "gov-db", "CPUUtilization", 100);
    let caches = of(&["--of", "cache"]);
    assert!(
        caches.iter().any(|(name, metric, _)| name.starts_with("gov-redis") && metric == "CPUUtilization")
    );
    let table = program.run(&["metrics", "gov-backend"]);
    assert!(table.out.contains("metrics asked, about $0.0"), "{table:?}");
    snapshot("no-database", &program.run(&["metrics", "gov-bd", "--of", "database"]), 3);
}

#[test]
fn databases_stand_under_their_source_with_their_numbers() {
    let world = World::of(&["cma", "gov"]);
    let program = Program::new().against(&world.url);
    let cma = items(&program, &["rds", "--region", "eu-west-2"]);
    assert_eq!(names(&cma), ["cma-production", "cma-read-replica-production"]);
    assert_eq!((&cma[0]["role"], &cma[1]["role"]), (&"primary".into(), &"replica".into()));
    assert_eq!(cma[1]["source"], "cma-production");
    assert_eq!((&cma[0]["multi_az"], &cma[0]["secondary_zone"]), (&true.into(), &"eu-west-2b".into()));
    assert!(cma[0]["connections"].is_number() && cma[0]["free_gib"].is_number(), "{}", cma[0]);
    assert!(cma[0]["max_connections"].as_u64().unwrap() > 100, "{}", cma[0]);
    assert_eq!(cma[0]["max_connections_estimated"], true, "its parameters were not read");
    assert!(cma[1]["replica_lag_s"].is_number(), "{}", cma[1]);
    assert_eq!((&cma[0]["parameters"], &cma[0]["events"]), (&Value::Null, &Value::Null));
    assert_eq!(cma[0]["maintenance"][0]["action"], "db-upgrade");

    let one = items(&program, &["rds", "gov-db"]);
    assert_eq!(one[0]["parameters"]["rds.force_ssl"], "1", "{}", one[0]);
    assert_eq!(one[0]["parameters"]["log_min_duration_statement"], "500");
    assert!(one[0]["events"].is_array() && one[0]["cpu_credits"].is_number(), "{}", one[0]);
    let table = program.run(&["rds", "gov-db"]);
    assert!(table.out.contains("rds.force_ssl") && table.out.contains("db.t3.medium"), "{table:?}");

    let cheap = items(&program, &["rds", "gov-db", "--no-metrics"]);
    assert_eq!((&cheap[0]["connections"], &cheap[0]["status"]), (&Value::Null, &"available".into()));
    snapshot("no-such-database", &program.run(&["rds", "gov-bd"]), 3);
}

#[test]
fn declared_pools_are_held_against_the_limit() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    program.file(
        ".config/opsdeck/config.toml",
        b"[databases.gov-db]\nrpo = \"15m\"\npools = [{ service = \"gov-backend\", connections = 5000 }]\n",
    );
    let one = items(&program, &["rds", "gov-db"]);
    assert!(one[0]["pool_connections"].as_u64().unwrap() >= 10_000, "{}", one[0]);
    let rules: Vec<&str> =
        one[0]["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert!(rules.contains(&"database.pools"), "{rules:?}");
}

#[test]
fn caches_show_their_nodes() {
    let world = World::of(&["cma", "codeguardians"]);
    let program = Program::new().against(&world.url);
    let all = items(&program, &["cache", "--region", "eu-west-2,us-east-1"]);
    let cma = named(&all, "cma-production");
    assert_eq!((&cma["status"], &cma["node_type"]), (&"available".into(), &"cache.r6g.large".into()));
    let nodes = cma["nodes"].as_array().unwrap();
    assert!(!nodes.is_empty() && nodes.iter().all(|node| node["status"] == "available"), "{cma}");
    assert!(nodes[0]["memory_percent"].is_number(), "{cma}");
    assert_eq!(cma["events"], Value::Null);
    let one = items(&program, &["cache", "cma-production", "--region", "eu-west-2", "--no-metrics"]);
    assert!(one[0]["events"].is_array() && one[0]["nodes"][0]["memory_percent"].is_null(), "{one:?}");
    snapshot("no-such-cache", &program.run(&["cache", "cma-prodution", "--region", "eu-west-2"]), 3);
}

#[test]
fn a_refusal_locks_its_part_and_leaves_the_rest() {
    let faults = ["DescribeDBClusters:denied", "GetMetricData:denied"];
    let world = World::with(&["gov"], &faults);
    let program = Program::new().against(&world.url);
    let partial = envelope(&program.run(&["rds", "-o", "json"]), 6);
    assert_eq!(names(partial["items"].as_array().unwrap()), ["gov-db"]);
    let actions: Vec<&str> =
        partial["failures"].as_array().unwrap().iter().map(|f| f["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"rds:DescribeDBClusters"), "{actions:?}");
    assert!(actions.contains(&"cloudwatch:GetMetricData"), "{actions:?}");
    assert_eq!(partial["complete"], false);
    // A name that was not found is no proof while something could not be read.
    let unknown = envelope(&program.run(&["rds", "nowhere", "-o", "json"]), 4);
    assert_eq!(unknown["items"], serde_json::json!([]));
    let unknown = program.run(&["rds", "nowhere"]);
    assert!(
        unknown.err.contains("opsdeck: there is no database `nowhere` in what could be read\n"),
        "{unknown:?}"
    );
    let world = World::with(&["gov"], &["*:denied"]);
    let program = Program::new().against(&world.url);
    for verb in ["alarms", "rds", "cache", "secrets", "changes"] {
        let outcome = program.run(&[verb]);
        assert_eq!((outcome.code, outcome.out.as_str()), (4, ""), "{verb}: {outcome:?}");
        assert!(outcome.err.contains("hint: missing permission: "), "{outcome:?}");
    }
    snapshot("alarms-denied", &program.run(&["alarms"]), 4);
}

#[test]
fn two_hundred_alarms_and_fifty_databases_come_whole() {
    let mut stack = calm("gov");
    let composite = stack.alarms.iter().find(|alarm| alarm.rule.is_some()).unwrap().clone();
    stack.alarms.extend(
        (0..200).map(|n| opsdeck::sim::stack::Alarm { name: format!("many-{n}"), ..composite.clone() }),
    );
    let database = stack.databases[0].clone();
    stack.databases.extend((0..50).map(|n| {
        let mut own = database.clone();
        own.name = format!("many-{n}");
        own.used_by.clear();
        own
    }));
    let config = SimConfig { stacks: vec![stack], throttle: false, lag: false, ..SimConfig::default() };
    let world = World::made(config);
    let program = Program::new().against(&world.url);
    for (verb, due) in [("alarms", 200), ("rds", 50)] {
        let all = items(&program, &[verb, "--timeout", "5m"]);
        let mut many: Vec<&str> = names(&all).into_iter().filter(|name| name.starts_with("many-")).collect();
        many.sort_unstable();
        many.dedup();
        assert_eq!(many.len(), due, "{verb}");
    }
}

#[test]
fn the_same_name_in_two_regions_is_ambiguous() {
    let mut twin = calm("gov");
    twin.region = "us-west-2".to_owned();
    let config =
        SimConfig { stacks: vec![calm("gov"), twin], throttle: false, lag: false, ..SimConfig::default() };
    let world = World::made(config);
    let program = Program::new().against(&world.url);
    let both = ["--region", "us-east-1,us-west-2"];
    snapshot("ambiguous-database", &program.run(&[&["rds", "gov-db"][..], &both].concat()), 2);
    assert_eq!(items(&program, &["rds", "gov-db", "--region", "us-west-2"]).len(), 1);
}

#[test]
fn ndjson_is_the_items_and_one_trailer() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    for verb in ["alarms", "rds", "cache", "metrics", "secrets"] {
        let outcome = program.run(&[verb, "-o", "ndjson"]);
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{verb}: {outcome:?}");
        let mut lines: Vec<Value> =
            outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let trailer = lines.pop().unwrap();
        assert!(trailer["complete"] == true && trailer["items"].is_null(), "{trailer}");
        assert!(!lines.is_empty() && lines.iter().all(|line| line["region"] == "us-east-1"), "{verb}");
    }
}

#[test]
fn secrets_tell_their_rotation_and_the_named_one_its_readers() {
    let world = World::of(&["codeguardians", "saas"]);
    let program = Program::new().against(&world.url);
    let all = items(&program, &["secrets"]);
    let database = named(&all, "codeguardians-gateway/production/database");
    assert_eq!((&database["rotation"], &database["rotation_enabled"]), (&"healthy".into(), &true.into()));
    assert_eq!((&database["consumers"], &database["replicas"]), (&Value::Null, &Value::Null));
    assert!(database["versions"].as_array().unwrap().iter().any(|v| v["stages"][0] == "AWSCURRENT"));
    let some = items(&program, &["secrets", "--prefix", "codeguardians-gateway/production/"]);
    assert!(some.len() >= 3 && some.len() < all.len(), "{:?}", names(&some));

    let one = items(&program, &["secrets", "codeguardians-gateway/production/database"]);
    assert!(one[0]["consumers"].is_array() && one[0]["old_tasks"].is_array(), "{}", one[0]);
    assert_eq!(one[0]["replicas"][0]["region"], "us-west-2", "only the description tells");
    let arn = one[0]["arn"].as_str().unwrap().to_owned();
    assert_eq!(names(&items(&program, &["secrets", &arn])), ["codeguardians-gateway/production/database"]);
    let read = items(&program, &["secrets", "--kind", "secret", "--consumers"]);
    let readers: Vec<&Value> = read.iter().flat_map(|s| s["consumers"].as_array().unwrap()).collect();
    assert!(readers.iter().any(|r| r["service"] == "gateway-service"), "{readers:?}");

    let parameters = items(&program, &["secrets", "--kind", "parameter", "--region", "me-south-1"]);
    let limit = named(&parameters, "/saas/production/ai-soft-limit");
    assert_eq!((&limit["parameter_version"], &limit["rotation"]), (&4.into(), &Value::Null));
    snapshot("no-such-secret", &program.run(&["secrets", "codeguardians-gateway/production/databse"]), 3);
}

#[test]
fn changes_are_newest_first_and_each_kind_can_be_asked_for() {
    let world = World::of(&["codeguardians", "gov"]);
    let program = Program::new().against(&world.url);
    let all = items(&program, &["changes", "--since", "1d"]);
    let times: Vec<&str> = all.iter().map(|change| change["at"].as_str().unwrap()).collect();
    assert!(!times.is_empty() && times.iter().rev().is_sorted(), "{times:?}");
    let kinds: std::collections::BTreeSet<&str> =
        all.iter().map(|change| change["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains("secret") && kinds.contains("scaling"), "{kinds:?}");
    let rotated = named(&all, "codeguardians-gateway/production/database");
    assert_eq!(rotated["kind"], "secret");
    let only = items(&program, &["changes", "--since", "1d", "--kind", "secret"]);
    assert!(!only.is_empty() && only.iter().all(|change| change["kind"] == "secret"), "{only:?}");
    let about = items(&program, &["changes", "--since", "1d", "--about", "GOV-ai"]);
    assert!(
        !about.is_empty() && about.iter().all(|c| c["name"].as_str().unwrap().contains("gov-ai")),
        "{about:?}"
    );
    let lately = items(&program, &["changes", "--since", "5m"]);
    assert!(lately.len() < all.len(), "{} of {}", lately.len(), all.len());
}

#[test]
fn a_refused_source_of_changes_is_said_and_the_others_are_told() {
    let world = World::with(&["gov"], &["LookupEvents:denied"]);
    let program = Program::new().against(&world.url);
    let partial = envelope(&program.run(&["changes", "--since", "1d", "-o", "json"]), 6);
    let failures = partial["failures"].as_array().unwrap();
    assert_eq!((failures.len(), &failures[0]["action"]), (1, &"cloudtrail:LookupEvents".into()));
    assert!(!partial["items"].as_array().unwrap().is_empty());
}

#[test]
fn three_hundred_secrets_come_whole() {
    let mut stack = calm("codeguardians");
    let secret = stack.secrets.last().unwrap().clone();
    stack.secrets.extend((0..300).map(|n| {
        let mut own = secret.clone();
        own.name = format!("many/{n}");
        own
    }));
    let config = SimConfig { stacks: vec![stack], throttle: false, lag: false, ..SimConfig::default() };
    let world = World::made(config);
    let program = Program::new().against(&world.url);
    let all = items(&program, &["secrets", "--kind", "secret", "--prefix", "many/", "--timeout", "5m"]);
    let mut many = names(&all);
    many.sort_unstable();
    many.dedup();
    assert_eq!((all.len(), many.len()), (300, 300));
}

/// A world in which one of the shipped incidents is under way, and nothing else.
fn incident(name: &str) -> World {
    let incident = opsdeck::sim::NamedIncident::builtin(name).unwrap().unwrap();
    World::made(SimConfig {
        stacks: vec![calm(&incident.stack)],
        incident: Some(incident),
        throttle: false,
        lag: false,
        ..SimConfig::default()
    })
}

#[test]
fn the_fleet_begins_with_what_hurts_and_its_exit_code_tells() {
    let world = incident("database-storage-full");
    let program = Program::new().against(&world.url);
    let all = items(&program, &["fleet"]);
    let database = named(&all, "gov-db");
    assert_eq!((&database["severity"], &database["kind"]), (&"critical".into(), &"database".into()));
    assert_eq!(database["rule"], "database.storage-full");
    assert!(!database["evidence"].as_array().unwrap().is_empty(), "{database}");
    let ranks: Vec<usize> = all
        .iter()
        .map(|item| {
            let severity = item["severity"].as_str().unwrap();
            ["critical", "warning", "progress", "unknown", "idle"]
                .iter()
                .position(|s| *s == severity)
                .unwrap()
        })
        .collect();
    assert!(ranks.is_sorted(), "{ranks:?}");
    // One line for each sick resource; what nothing watches comes last.
    let mut lines: Vec<(&Value, &Value)> = all.iter().map(|item| (&item["kind"], &item["name"])).collect();
    let unwatched = all.iter().filter(|item| item["rule"] == "coverage.unwatched").count();
    lines.truncate(all.len() - unwatched);
    let problems = lines.len();
    lines.sort_unstable_by_key(|line| (line.0.to_string(), line.1.to_string()));
    lines.dedup();
    assert_eq!(lines.len(), problems);

    assert_eq!(program.run(&["fleet"]).code, 0);
    let gate = program.run(&["fleet", "--exit-code"]);
    assert_eq!(gate.code, 20, "{gate:?}");
    let first = gate.out.lines().nth(1).unwrap();
    assert!(first.contains("critical") && gate.out.contains("gov-db"), "{gate:?}");
    assert!(gate.out.contains("Healthy: "), "{gate:?}");
    assert!(!gate.out.contains("ACCOUNT"), "there is one: {gate:?}");
    let several = Program::new().with("AWS_ENDPOINT_URL", &world.url).with("AWS_REGION", "us-east-1");
    several.file(".config/opsdeck/config.toml", b"[accounts.dev]\n[accounts.shop]\n");
    let keys = |name: &str| format!("[profile {name}]\naws_access_key_id = x\naws_secret_access_key = y\n");
    several.file(".aws/config", (keys("dev") + &keys("shop")).as_bytes());
    let told = several.run(&["fleet"]).out;
    assert!(told.lines().next().unwrap().contains("NAME") && told.contains(" ACCOUNT "), "{told}");
    for account in ["dev", "shop"] {
        let own = |line: &&str| line.split_whitespace().any(|word| word == account);
        assert!(told.lines().filter(own).any(|line| line.contains("gov-db")), "{account}: {told}");
    }
    // What is missing does not hide what is known to be critical.
    let blind = program.run(&["fleet", "--exit-code", "--no-metrics"]);
    assert_eq!(blind.code, 20, "{blind:?}");
}

#[test]
fn a_fleet_without_anything_critical_ends_well_and_says_what_it_could_not_read() {
    let world = World::of(&["migrate"]);
    let program = Program::new().against(&world.url);
    let well = program.run(&["fleet", "--exit-code"]);
    assert_eq!((well.code, well.err.as_str()), (0, ""), "{well:?}");
    assert!(well.out.contains("Healthy: ") && well.out.contains("No alarm watches "), "{well:?}");
    let all = items(&program, &["fleet"]);
    let coverage: Vec<&str> = all
        .iter()
        .filter(|item| item["rule"] == "coverage.unwatched")
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert!(coverage.contains(&"migrate-backend-service"), "{coverage:?}");

    let world = World::with(&["migrate"], &["DescribeAlarms:denied", "DescribeDBInstances:denied"]);
    let program = Program::new().against(&world.url);
    let partial = envelope(&program.run(&["fleet", "--exit-code", "-o", "json"]), 6);
    let actions: Vec<&str> =
        partial["failures"].as_array().unwrap().iter().map(|f| f["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"cloudwatch:DescribeAlarms") && actions.contains(&"rds:DescribeDBInstances"));
    let rules = partial["items"].as_array().unwrap().iter().map(|item| item["rule"].as_str().unwrap());
    assert!(!rules.into_iter().any(|rule| rule == "coverage.unwatched"), "no alarm was read: {partial}");
    let world = World::with(&["migrate"], &["*:denied"]);
    let denied = Program::new().against(&world.url).run(&["fleet", "--exit-code"]);
    assert_eq!(denied.code, 4, "{denied:?}");
    let first = "Nothing could be read, so what is wrong is not known: us-east-1: ";
    assert!(denied.out.starts_with(first) && denied.out.contains("is not authorized"), "{denied:?}");
    assert_eq!(denied.out.lines().count(), 1, "{denied:?}");
    // Of an account in which one list could be read, something is known: nothing is wrong in that.
    let most = ["ecs:*", "rds:*", "elasticache:*", "secretsmanager:*", "application-autoscaling:*"];
    let most: Vec<String> = most.iter().map(|service| format!("{service}:denied")).collect();
    let world = World::with(&["saas"], &most.iter().map(String::as_str).collect::<Vec<_>>());
    let some = Program::new().against(&world.url).run(&["fleet"]);
    assert_eq!(some.code, 6, "{some:?}");
    assert!(some.out.starts_with("Nothing is wrong in what could be read."), "{some:?}");
}

#[test]
fn the_fleet_knows_what_is_declared_and_what_is_production() {
    let world = World::of(&["gov", "migrate"]);
    let told = |config: &str, name: &str| {
        let program = Program::new().against(&world.url);
        program.file(".config/opsdeck/config.toml", config.as_bytes());
        let all = items(&program, &["fleet"]);
        // Rules that were folded into a worse one stand in its evidence, in their sentences.
        all.iter().filter(|item| item["name"] == name).map(Value::to_string).collect::<String>()
    };
    let pools = "[databases.gov-db]\npools = [{ service = \"gov-backend\", connections = 5000 }]\n";
    assert!(told(pools, "gov-db").contains("connections at full scale-out"), "{}", told(pools, "gov-db"));
    assert!(!told("", "gov-db").contains("connections at full scale-out"));
    let play = "[production]\npatterns = [\"nothing-*\"]\n";
    let database = |config| told(config, "migrate-db").contains("Not protected against deletion");
    assert!(database("") && !database(play), "{}", told("", "migrate-db"));
}

#[test]
fn the_check_passes_what_would_start_and_blocks_what_would_not() {
    let world = incident("bad-image-tag");
    let program = Program::new().against(&world.url).with("AWS_REGION", "eu-west-2");
    let run = program.run(&["check", "cma-frontend-production", "-o", "json"]);
    let blocked = envelope(&run, 20);
    assert_eq!(blocked["complete"], true, "{blocked}");
    let checks = blocked["items"].as_array().unwrap();
    assert_eq!(checks[0]["verdict"], "block", "the worst first: {blocked}");
    let image = checks.iter().find(|check| check["what"] == "image of frontend").unwrap();
    assert_eq!(image["verdict"], "block", "{image}");
    assert!(image["evidence"].as_str().unwrap().contains("b8c1fO4"), "{image}");
    let table = program.run(&["check", "cma-frontend-production"]);
    assert_eq!(table.code, 20, "{table:?}");
    assert!(table.out.contains("The next task would not start: "), "{table:?}");

    let well = program.run(&["check", "cma-api-production"]);
    assert_eq!((well.code, well.err.as_str()), (0, ""), "{well:?}");
    assert!(well.out.contains("Nothing found that would keep the next task from starting"), "{well:?}");
    snapshot("no-such-service", &program.run(&["check", "cma-api-prod"]), 3);
}

#[test]
fn a_key_that_a_secret_lost_is_told_by_the_last_start() {
    let world = incident("secret-key-removed");
    let program = Program::new().against(&world.url);
    let blocked = envelope(&program.run(&["check", "gateway-service", "-o", "json"]), 20);
    let [first, rest @ ..] = blocked["items"].as_array().unwrap().as_slice() else { panic!("{blocked}") };
    assert_eq!((&first["what"], &first["verdict"]), (&"last start".into(), &"block".into()), "{blocked}");
    assert!(first["evidence"].as_str().unwrap().contains("json key"), "{first}");
    assert!(rest.iter().all(|check| check["verdict"] == "pass"), "{blocked}");
}

#[test]
fn what_a_check_may_not_read_is_not_verified() {
    let world = World::with(&["gov"], &["DescribeImages:denied", "GetRole:denied"]);
    let program = Program::new().against(&world.url);
    let partial = envelope(&program.run(&["check", "gov-backend", "-o", "json"]), 6);
    let verdict = |what: &str| {
        let checks = partial["items"].as_array().unwrap();
        let check = checks.iter().find(|check| check["what"] == what).unwrap_or_else(|| panic!("{checks:?}"));
        (check["verdict"].clone(), check["evidence"].as_str().unwrap().to_owned())
    };
    let (image, why) = verdict("image of backend");
    assert!(image == "not_verified" && why.contains("ecr:DescribeImages"), "{image} {why}");
    assert_eq!(verdict("execution role").0, "not_verified");
    assert_eq!(verdict("last start").0, "pass");
    let table = program.run(&["check", "gov-backend"]);
    assert!(table.out.contains("checks could not be made"), "{table:?}");
}

#[test]
fn what_could_not_be_read_is_null_and_never_an_empty_list() {
    let faults = [
        "rds:DescribeEvents:denied",
        "DescribeDBParameters:denied",
        "DescribePendingMaintenanceActions:denied",
        "elasticache:DescribeEvents:denied",
        "DescribeSecret:denied",
        "DescribeAlarmHistory:denied",
    ];
    let world = World::with(&["cma"], &faults);
    let program = Program::new().against(&world.url).with("AWS_REGION", "eu-west-2");
    let one = |words: &[&str]| {
        let partial = envelope(&program.run(&[words, &["-o", "json"]].concat()), 6);
        let [item] = partial["items"].as_array().unwrap().as_slice() else { panic!("{partial}") };
        item.clone()
    };
    let database = one(&["rds", "cma-production"]);
    for field in ["events", "parameters", "maintenance"] {
        assert_eq!(database[field], Value::Null, "{field}: {database}");
    }
    let text = program.run(&["rds", "cma-production"]).out;
    for what in ["Events not read: rds:DescribeEvents: ", "Parameters not read: rds:DescribeDBParameters: "] {
        assert!(text.contains(what), "{text}");
    }
    assert!(!text.contains("reported nothing"), "{text}");
    assert_eq!(one(&["cache", "cma-production"])["events"], Value::Null);
    let text = program.run(&["cache", "cma-production"]).out;
    assert!(text.contains("Events not read: elasticache:DescribeEvents: "), "{text}");
    let secrets = envelope(&program.run(&["secrets", "-o", "json"]), 0);
    let secret = secrets["items"][0]["name"].as_str().unwrap();
    assert_eq!(one(&["secrets", secret])["replicas"], Value::Null);
    let alarms = envelope(&program.run(&["alarms", "-o", "json"]), 0);
    let alarm = alarms["items"][0]["name"].as_str().unwrap();
    assert_eq!(one(&["alarms", alarm])["history"], Value::Null);
    let text = program.run(&["alarms", alarm]).out;
    assert!(text.contains("History not read: cloudwatch:DescribeAlarmHistory: "), "{text}");

    let well = World::of(&["cma"]);
    let program = Program::new().against(&well.url).with("AWS_REGION", "eu-west-2");
    let whole = items(&program, &["rds", "cma-production"]);
    for field in ["events", "parameters", "maintenance"] {
        assert!(!whole[0][field].is_null(), "{field}: {}", whole[0]);
    }
}

#[test]
fn that_nobody_reads_a_secret_is_not_said_where_not_all_could_be_read() {
    let world = World::with(&["gov"], &["DescribeTaskDefinition:denied"]);
    let program = Program::new().against(&world.url);
    let all = items(&program, &["secrets", "--kind", "secret"]);
    let text = program.run(&["secrets", names(&all)[0]]);
    assert_eq!(text.code, 6, "{text:?}");
    assert!(
        text.out.contains("is not known: not all services and task definitions could be read"),
        "{text:?}"
    );
    assert!(!text.out.contains("No service here reads"), "{text:?}");
}

#[test]
fn a_state_filters_what_is_printed_and_not_what_is_known() {
    let mut stack = calm("gov");
    let composite = stack.alarms.iter_mut().find(|alarm| alarm.rule.is_some()).unwrap();
    composite.rule = Some("OK(gov-backend-5xx) AND OK(gov-db-slow-queries)".to_owned());
    let name = composite.name.clone();
    let config = SimConfig { stacks: vec![stack], throttle: false, lag: false, ..SimConfig::default() };
    let world = World::made(config);
    let program = Program::new().against(&world.url);
    let firing = items(&program, &["alarms", &name, "--state", "alarm"]);
    assert_eq!(names(&firing), [name.as_str()]);
    assert_eq!(firing[0]["children"], serde_json::json!(["gov-backend-5xx", "gov-db-slow-queries"]));
    let watches = firing[0]["watches"].as_array().unwrap();
    assert!(watches.iter().any(|one| one["name"] == "gov-db"), "its children are OK: {watches:?}");
    assert!(firing[0]["history"].is_array());
    // It exists, though not in this state.
    assert!(items(&program, &["alarms", &name, "--state", "ok"]).is_empty());
    assert!(names(&items(&program, &["alarms", "--state", "ok"])).contains(&"gov-backend-5xx"));
}

#[test]
fn numbers_of_a_group_are_those_of_its_nodes_and_a_name_in_two_regions_is_ambiguous() {
    let mut twin = calm("gov");
    twin.region = "us-west-2".to_owned();
    let config =
        SimConfig { stacks: vec![calm("gov"), twin], throttle: false, lag: false, ..SimConfig::default() };
    let world = World::made(config);
    let program = Program::new().against(&world.url);
    let both = ["--region", "us-east-1,us-west-2"];
    let group = names(&items(&program, &["cache"]))[0].to_owned();
    for (of, name) in [("cache", group.as_str()), ("database", "gov-db"), ("service", "gov-backend")] {
        let outcome = program.run(&[&["metrics", name, "--of", of][..], &both].concat());
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{outcome:?}");
        assert!(outcome.err.contains("is ambiguous: 2 "), "{outcome:?}");
        for region in ["us-east-1", "us-west-2"] {
            assert!(
                outcome.err.lines().any(|line| line.starts_with("  ") && line.contains(region)),
                "{outcome:?}"
            );
        }
    }
    let all = items(&program, &["cache", "--region", "us-west-2"]);
    let arn = all[0]["arn"].as_str().unwrap();
    let nodes = all[0]["nodes"].as_array().unwrap();
    let nodes: std::collections::BTreeSet<&str> =
        nodes.iter().map(|n| n["cluster"].as_str().unwrap()).collect();
    let numbers = items(&program, &["metrics", arn]);
    assert!(numbers.iter().all(|item| item["region"] == "us-west-2"), "{numbers:?}");
    assert_eq!(names(&numbers).into_iter().collect::<std::collections::BTreeSet<_>>(), nodes);
    let wrong = program.run(&["metrics", arn, "--of", "database"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    let none = program.run(&["metrics", "nowhere", "--of", "cache"]);
    assert_eq!(none.code, 3, "{none:?}");
}

#[test]
fn changes_say_what_aws_no_longer_keeps() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let partial = envelope(&program.run(&["changes", "--since", "15d", "-o", "json"]), 6);
    let failures: Vec<(&str, &str)> = partial["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["action"].as_str().unwrap(), f["message"].as_str().unwrap()))
        .filter(|(action, _)| *action != "cloudtrail:LookupEvents")
        .collect();
    assert_eq!(
        failures,
        [
            ("rds:DescribeEvents", "RDS keeps events for 14 days: what is older is missing"),
            ("elasticache:DescribeEvents", "ElastiCache keeps events for 14 days: what is older is missing"),
        ]
    );
    assert!(!partial["items"].as_array().unwrap().is_empty());
    // Nothing of that kind in 14 days is a finding too.
    let nothing = program.run(&["changes", "--since", "15d", "--kind", "cache", "--about", "no-such-name"]);
    assert_eq!(nothing.code, 6, "{nothing:?}");
}

#[test]
fn changes_read_the_history_of_services_that_look_calm() {
    let world = World::with(&["gov"], &["ListServiceDeployments:denied"]);
    let program = Program::new().against(&world.url);
    let asked = |words: &[&str]| {
        let outcome = program.run(&[&["changes", "--since", "1m", "-o", "json"], words].concat());
        let found: Value = serde_json::from_str(&outcome.out).unwrap();
        let failures = found["failures"].as_array().unwrap();
        failures.iter().filter(|failure| failure["action"] == "ecs:ListServiceDeployments").count()
    };
    assert_eq!(asked(&[]), calm("gov").services.len(), "each of them");
    assert_eq!(asked(&["--about", "gov-ai"]), 1, "only what is named");
    assert_eq!(asked(&["--kind", "secret"]), 0);
}

#[test]
fn the_fleet_reads_the_limits_that_owners_set() {
    let mut stack = calm("gov");
    stack.databases[0].parameters.insert("max_connections".to_owned(), "7".to_owned());
    let config = SimConfig { stacks: vec![stack], throttle: false, lag: false, ..SimConfig::default() };
    let world = World::made(config);
    let program = Program::new().against(&world.url);
    let pools = "[databases.gov-db]\npools = [{ service = \"gov-backend\", connections = 5 }]\n";
    program.file(".config/opsdeck/config.toml", pools.as_bytes());
    let all = items(&program, &["fleet", "--no-metrics"]);
    let told = named(&all, "gov-db").to_string();
    assert!(told.contains("connections at full scale-out, it takes 7"), "{told}");
}

#[test]
fn the_members_of_a_database_cluster() {
    let fleet = |faults: &[&str]| {
        World::made(SimConfig {
            stacks: vec![opsdeck::sim::Stack::fleet(5, 1).unwrap()],
            faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
            throttle: false,
            lag: false,
            ..SimConfig::default()
        })
    };
    let world = fleet(&[]);
    let program = Program::new().against(&world.url);
    let all = items(&program, &["rds", "--no-metrics"]);
    assert_eq!(named(&all, "fleet-aurora-1")["role"], "writer");
    let members = named(&all, "fleet-aurora")["replicas"].as_array().unwrap().len();
    let numbers = items(&program, &["metrics", "fleet-aurora", "--of", "database", "--since", "15m"]);
    let whose: std::collections::BTreeSet<&str> = names(&numbers).into_iter().collect();
    assert!(whose.len() == members && whose.contains("fleet-aurora-1"), "{whose:?}");

    // Who writes stands in the cluster alone: without it the role is not guessed.
    let world = fleet(&["DescribeDBClusters:denied"]);
    let program = Program::new().against(&world.url);
    let partial = envelope(&program.run(&["rds", "--no-metrics", "-o", "json"]), 6);
    assert_eq!(named(partial["items"].as_array().unwrap(), "fleet-aurora-1")["role"], "member");
}

#[test]
fn what_a_check_could_not_ask_of_the_last_start_is_not_left_out() {
    let world = World::with(&["gov"], &["ecs:DescribeTasks:denied", "DescribeServiceRevisions:denied"]);
    let program = Program::new().against(&world.url);
    let partial = envelope(&program.run(&["check", "gov-backend", "-o", "json"]), 6);
    for what in ["last start", "digests of the running images"] {
        let checks = partial["items"].as_array().unwrap();
        let check = checks.iter().find(|check| check["what"] == what).unwrap_or_else(|| panic!("{checks:?}"));
        assert_eq!(check["verdict"], "not_verified", "{check}");
        assert!(check["evidence"].as_str().unwrap().contains("is not authorized"), "{check}");
    }
    let deployments = envelope(&program.run(&["deployments", "gov-backend", "-o", "json"]), 6);
    assert_eq!(deployments["items"][0]["images"], Value::Null, "they are not known to be none");
    let world = World::with(&["gov"], &["DescribeTaskDefinition:denied"]);
    let denied = Program::new().against(&world.url).run(&["check", "gov-backend"]);
    assert_eq!(denied.code, 4, "{denied:?}");
    assert!(denied.err.contains("cannot be read: us-east-1: ecs:DescribeTaskDefinition: "), "{denied:?}");
    assert!(denied.err.contains("hint: missing permission: ecs:DescribeTaskDefinition"), "{denied:?}");
}

#[test]
fn numbers_that_nobody_gave_are_no_lines() {
    let world = World::with(&["gov"], &["GetMetricData:denied"]);
    let program = Program::new().against(&world.url);
    let denied = program.run(&["metrics", "gov-backend"]);
    assert_eq!((denied.code, denied.out.as_str()), (4, ""), "{denied:?}");
    assert_eq!(program.run(&["metrics", "gov-backend", "--since", "30s"]).code, 2);
}

#[test]
fn an_arn_of_something_else_is_refused_and_a_container_that_is_not_there_not_found() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let service = "arn:aws:ecs:us-east-1:123456789012:service/gov-cluster/gov-backend";
    for verb in ["rds", "cache", "alarms", "secrets"] {
        let outcome = program.run(&[verb, service]);
        assert_eq!(outcome.code, 2, "{outcome:?}");
        assert!(outcome.err.contains("(it names: ecs)"), "{outcome:?}");
    }
    let stranger = program.run(&["logs", "gov-backend", "--container", "ngnix"]);
    assert_eq!((stranger.code, stranger.out.as_str()), (3, ""), "{stranger:?}");
    assert_eq!(stranger.err, "opsdeck: there is no container `ngnix`: there are backend, nginx\n");
    assert_eq!(program.run(&["logs", "gov-backend", "--container", "nginx", "--since", "1m"]).code, 0);
}

#[test]
fn the_fleet_asks_for_target_groups_by_the_twenty() {
    let world = World::made(SimConfig {
        stacks: vec![opsdeck::sim::Stack::fleet(120, 1).unwrap()],
        faults: vec!["DescribeTargetGroups:denied".parse().unwrap()],
        throttle: false,
        lag: false,
        ..SimConfig::default()
    });
    let program = Program::new().against(&world.url);
    let partial = envelope(&program.run(&["fleet", "--no-metrics", "-o", "json", "--timeout", "2m"]), 6);
    let failures = partial["failures"].as_array().unwrap();
    let asked =
        failures.iter().filter(|f| f["action"] == "elasticloadbalancing:DescribeTargetGroups").count();
    assert!((1..=6).contains(&asked), "120 services: {asked} requests");
}
