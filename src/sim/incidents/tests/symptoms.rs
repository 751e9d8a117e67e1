//! What each incident shows to an operator, symptom by symptom.

use super::*;

/// What an operator sees of the incident when the world opens, and whether it is there.
pub(super) fn symptoms(world: &mut World, name: &str) -> Vec<(&'static str, bool)> {
    let since = NOON.minus(Duration::from_secs(1_200));
    let any = |reasons: Vec<String>, text: &str| reasons.iter().any(|reason| reason.contains(text));
    let state = |world: &World, name: &str| world.services[service(world, name)].primary().unwrap().state;
    match name {
        "bad-image-tag" => {
            let frontend = "cma-frontend-production";
            let input = json!({ "repositoryName": "cma-frontend", "imageIds": [{ "imageTag": "b8c1fO4" }] });
            let image = ecr::handle(world, "eu-west-2", "DescribeImages", &input);
            vec![
                ("a stop reason", any(stops(world, frontend, since), "CannotPullContainerError")),
                ("a rollout", state(world, frontend) == Rollout::InProgress),
                ("an event", said(world, frontend, "unable to consistently start tasks")),
                (
                    "no image of the tag that is to run",
                    image.is_err_and(|error| error.code == "ImageNotFoundException")
                        && any(stops(world, frontend, since), "b8c1fO4"),
                ),
            ]
        }
        "out-of-memory" => {
            let killed = stops(world, "migrate-backend-service", since);
            let killed = killed.iter().filter(|stop| stop.contains("Some(137) OutOfMemoryError")).count();
            let own = ("migrate-cluster", "migrate-backend-service");
            vec![
                ("kills", killed >= 3),
                ("memory", load(world, "us-east-1", own, "MemoryUtilization").1 > 80.0),
            ]
        }
        "secret-key-removed" => {
            let input = json!({ "SecretId": "codeguardians-gateway/production" });
            let secret = secretsmanager::handle(world, "us-east-1", "DescribeSecret", &input).unwrap();
            let changed_at = secret["LastChangedDate"].as_f64().unwrap();
            vec![
                (
                    "a stop reason",
                    any(stops(world, "gateway-service", since), "did not contain json key DATABASE_URL"),
                ),
                ("a task less", running(world, "gateway-service") == 1),
                ("a secret that has just changed", changed_at > since.as_secs_f64()),
                ("who changed it", changed(world, "us-east-1", "UpdateSecret", "maria.k")),
            ]
        }
        "rotation-stuck" => {
            let input = json!({ "SecretId": "codeguardians-gateway/production/database" });
            let secret = secretsmanager::handle(world, "us-east-1", "DescribeSecret", &input).unwrap();
            let stages = secret["VersionIdsToStages"].as_object().unwrap();
            let alone = |stage: &str| stages.values().any(|stages| stages == &json!([stage]));
            let date = |name: &str| secret[name].as_f64().unwrap();
            let refused = "password authentication failed";
            let failed = world.trail.newest_first("us-east-1");
            let failed = failed.iter().filter(|entry| entry.deed.name == "RotationFailed").count();
            vec![
                ("AWSPENDING on another version", alone("AWSPENDING") && alone("AWSCURRENT")),
                ("no rotation since", date("LastRotatedDate") < since.as_secs_f64()),
                ("a change", date("LastChangedDate") > since.as_secs_f64()),
                ("a next rotation", date("NextRotationDate") > NOON.as_secs_f64()),
                ("who asked for it", changed(world, "us-east-1", "RotateSecret", "maria.k")),
                ("failures in the trail", failed >= 3),
                ("errors", lines(world, "us-east-1", "/ecs/codeguardians-gateway", refused) > 5),
            ]
        }
        "health-check-path" => {
            let api = "cma-api-production";
            vec![
                ("an event", said(world, api, "Health checks failed with these codes: [404]")),
                ("a rollout", state(world, api) == Rollout::InProgress),
                (
                    "old targets",
                    targets(world, api).iter().filter(|found| found.starts_with("healthy")).count() == 2,
                ),
                ("a new target", targets(world, api).iter().any(|found| !found.starts_with("healthy"))),
                ("stops", any(stops(world, api, since), "failed ELB health checks")),
            ]
        }
        "database-storage-full" => {
            let (status, _, events) = instance(world, "us-east-1", "gov-db");
            let fires = firing(world, "us-east-1");
            let full = "No space left on device";
            vec![
                ("a status", status == "storage-full"),
                (
                    "a low storage event",
                    events.contains("free storage capacity for DB instance: gov-db is low"),
                ),
                ("an event", events.contains("The allocated storage has been exhausted.")),
                ("no storage", database(world, "us-east-1", "gov-db", "FreeStorageSpace").1 < 1.0),
                ("no connections", database(world, "us-east-1", "gov-db", "DatabaseConnections").1 < 1.0),
                ("a log file", log_file(world, "us-east-1", "gov-db").contains(full)),
                ("errors", lines(world, "us-east-1", "/ecs/gov-backend", full) > 5),
                ("a crash", any(stops(world, "gov-backend", since), "Essential container")),
                ("an alarm", fires.iter().any(|name| name == "gov-backend-5xx")),
                ("a composite alarm", fires.iter().any(|name| name == "gov-citizens-notice")),
            ]
        }
        "connections-exhausted" => {
            let (least, _) = database(world, "me-south-1", "saas-db", "DatabaseConnections");
            let spec = world.databases.iter().find(|found| found.name() == "saas-db").unwrap();
            let most = f64::from(spec.spec().unwrap().max_connections());
            let refused = "remaining connection slots are reserved";
            let (target, activity) = scaled(world, "me-south-1", "service/saas/saas-backend");
            vec![
                ("all tasks", running(world, "saas-backend") == 6 && target["MaxCapacity"] == 6),
                ("who scaled", activity["Cause"].as_str().is_some_and(|cause| cause.contains("AlarmHigh"))),
                ("all connections", least >= most),
                ("a log file", log_file(world, "me-south-1", "saas-db").contains(refused)),
                ("errors", lines(world, "me-south-1", "/ecs/saas-backend", refused) > 5),
                (
                    "an alarm",
                    firing(world, "me-south-1").iter().any(|name| name == "saas-db-connections-high"),
                ),
            ]
        }
        "slow-queries" => {
            let fires = firing(world, "us-east-1");
            let found = &world.services[service(world, "gov-backend")];
            let balancer = found.spec().unwrap().load_balancers[0].clone();
            let own = crate::sim::world::metric::catalog::balancer_dimensions(
                &balancer.name,
                Some(&balancer.target_group),
            );
            let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
            let answers = ("AWS/ApplicationELB", "TargetResponseTime");
            let log = log_file(world, "us-east-1", "gov-db");
            let late = "canceling statement due to statement timeout";
            vec![
                ("load", database(world, "us-east-1", "gov-db", "DBLoad").0 > 2.0),
                ("a latency", database(world, "us-east-1", "gov-db", "ReadLatency").0 > 0.02),
                ("slow answers", recent(world, "us-east-1", answers, &own, "Average").0 > 0.5),
                ("a log file", log.matches("LOG:  duration: ").count() > 200),
                ("errors", lines(world, "us-east-1", "/ecs/gov-backend", late) > 5),
                ("an alarm", fires.iter().any(|name| name == "gov-db-slow-queries")),
            ]
        }
        "failover" => {
            let (status, zones, events) = instance(world, "us-east-1", "gov-db");
            let lost = "Connection terminated unexpectedly";
            vec![
                ("a status", status == "rebooting"),
                ("the old zones", zones == "us-east-1a us-east-1b"),
                ("an event", events.contains("Multi-AZ instance failover started.")),
                ("errors", lines(world, "us-east-1", "/ecs/gov-backend", lost) > 5),
            ]
        }
        "spot-reclaim" => {
            let stops = stops(world, "cma-workers-production", since);
            vec![("stops", stops.iter().filter(|stop| stop.starts_with("SpotInterruption")).count() >= 3)]
        }
        "capacity-unavailable" => {
            let (target, activity) = scaled(world, "me-south-1", "service/saas/saas-backend");
            let own = ("saas", "saas-backend");
            let (least, _) = load(world, "me-south-1", own, "CPUUtilization");
            vec![
                (
                    "an event",
                    said(
                        world,
                        "saas-backend",
                        "(service saas-backend) was unable to place a task. Reason: Capacity is unavailable at \
                         this time. Please try again later or in a different availability zone. For more",
                    ),
                ),
                (
                    "too few tasks",
                    running(world, "saas-backend") == 2
                        && world.services[service(world, "saas-backend")].desired == 5,
                ),
                ("room below the maximum", target["MaxCapacity"] == 6),
                ("an activity under way", activity["StatusCode"] == "InProgress"),
                ("CPU", least > 90.0),
                ("an alarm", firing(world, "me-south-1").iter().any(|name| name == "saas-backend-cpu-high")),
            ]
        }
        "cpu-at-maximum" => {
            let own = ("codeguardians-gateway", "gateway-service");
            let (least, _) = load(world, "us-east-1", own, "CPUUtilization");
            let cpu = [("ClusterName", own.0), ("ServiceName", own.1)];
            let (each, _) = recent(world, "us-east-1", ("AWS/ECS", "CPUUtilization"), &cpu, "Minimum");
            let (target, activity) =
                scaled(world, "us-east-1", "service/codeguardians-gateway/gateway-service");
            let fires = firing(world, "us-east-1");
            let tracking = "TargetTracking-service/codeguardians-gateway/gateway-service-AlarmHigh-";
            vec![
                ("all tasks", running(world, "gateway-service") == 6 && target["MaxCapacity"] == 6),
                ("who scaled", activity["Description"] == "Setting desired count to 6."),
                ("CPU", least > 90.0),
                ("CPU of each task", each > 90.0),
                ("the alarm that scales out", fires.iter().any(|name| name.starts_with(tracking))),
            ]
        }
        "5xx-after-deployment" => {
            let found = &world.services[service(world, "saas-backend")];
            let age = found.primary().unwrap().created_at.age_at(NOON);
            let balancer = found.spec().unwrap().load_balancers[0].clone();
            let own = crate::sim::world::metric::catalog::balancer_dimensions(
                &balancer.name,
                Some(&balancer.target_group),
            );
            let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
            let failed = ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count");
            let fires = firing(world, "me-south-1");
            let now = world.now.0 / 1000;
            let mut minutes = |from: i64, to: i64| {
                let span = (now + 60 * from, now + 60 * to);
                between(world, "me-south-1", failed, &own, "Sum", span)
            };
            let (burst, quiet) = (minutes(-14, -2).0, minutes(-60, -18).1);
            vec![
                ("a deployment", age < Duration::from_secs(1_200)),
                ("its end", state(world, "saas-backend") == Rollout::Completed),
                ("errors", lines(world, "me-south-1", "/ecs/saas-backend", "UndefinedColumnError") > 5),
                ("5xx from the deployment on", burst > 60.0),
                ("quiet before", quiet < 10.0),
                (
                    "healthy targets",
                    targets(world, "saas-backend")
                        .iter()
                        .filter(|found| found.starts_with("healthy"))
                        .count()
                        == 2,
                ),
                ("an alarm", fires.iter().any(|name| name == "saas-backend-5xx-rate")),
            ]
        }
        "log-group-deleted" => {
            let groups = world.log_groups("us-east-1", &[]);
            vec![
                (
                    "a stop reason",
                    any(stops(world, "gov-ai-service", since), "failed to validate logger args"),
                ),
                ("a task less", running(world, "gov-ai-service") == 1),
                ("who deleted it", changed(world, "us-east-1", "DeleteLogGroup", "tom.r")),
                ("no group", !groups.groups.iter().any(|group| group.name == "/ecs/gov-ai-service")),
            ]
        }
        "expired-credentials" => {
            vec![("a fault", world.faults_due.iter().any(|rule| rule.to_string() == "*:expired"))]
        }
        "throttling" => vec![("faults", world.faults_due.len() == 2)],
        _ => panic!("{name} has no symptom here"),
    }
}

/// What is so in a healthy world too, and tells only that nothing else is wrong.
pub(super) fn also_healthy(name: &str) -> Vec<&'static str> {
    match name {
        "capacity-unavailable" => vec!["room below the maximum"],
        "failover" => vec!["the old zones"],
        "health-check-path" => vec!["old targets"],
        "5xx-after-deployment" => vec!["its end", "quiet before", "healthy targets"],
        "rotation-stuck" => vec!["no rotation since", "a next rotation"],
        _ => Vec::new(),
    }
}
