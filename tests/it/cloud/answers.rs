//! What AWS writes and what becomes of it: one full example of every answer, with words that we do not know.
//!
//! Must not test the SDK's parsing for its own sake: each assertion is about a field that opsdeck shows.

use std::time::Duration;

use opsdeck::domain::query::{Answer, Class, LogQuery, PageToken, Query, Streams};
use opsdeck::stdx::clock::Wall;
use serde_json::{Value, json};

use super::stub::{Reply, Stub, serve};
use super::{cloud, scope};

async fn answer(query: Query, reply: Value) -> (Answer, Value) {
    let stub = serve(Duration::ZERO, move |_| Reply::Json(200, reply.clone())).await;
    let answer = cloud(&stub).ask(query, Class::Foreground).await.unwrap();
    (answer, sent(&stub))
}

fn sent(stub: &Stub) -> Value {
    stub.seen.lock().unwrap()[0].body.clone()
}

const ARN: &str = "arn:aws:ecs:eu-west-2:123456789012";

#[tokio::test(start_paused = true)]
async fn a_service() {
    let query = Query::DescribeServices {
        scope: scope(),
        cluster: "cma".into(),
        services: vec!["api".into(), "x".into()],
    };
    let (answer, sent) = answer(
        query,
        json!({
            "services": [{
                "serviceArn": format!("{ARN}:service/cma/api"),
                "serviceName": "api",
                "clusterArn": format!("{ARN}:cluster/cma"),
                "status": "ACTIVE",
                "desiredCount": 3, "runningCount": 2, "pendingCount": 1,
                "launchType": "MOON_BASE",
                "taskDefinition": format!("{ARN}:task-definition/cma-api:41"),
                "deploymentConfiguration": {
                    "minimumHealthyPercent": 100, "maximumPercent": 200, "strategy": "SIDEWAYS",
                    "deploymentCircuitBreaker": {"enable": true, "rollback": true},
                    "alarms": {"alarmNames": ["cma-5xx"], "enable": true, "rollback": true}
                },
                "deployments": [{
                    "id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "WOBBLING",
                    "taskDefinition": format!("{ARN}:task-definition/cma-api:41"),
                    "desiredCount": 3, "runningCount": 2, "pendingCount": 1, "failedTasks": 4,
                    "createdAt": 1_795_143_000.5
                }],
                "events": [{"id": "e1", "createdAt": 1_795_143_001.0, "message": "(service api) has begun"}],
                "loadBalancers": [{"targetGroupArn": "tg", "containerName": "api", "containerPort": 8000}],
                "networkConfiguration": {"awsvpcConfiguration": {
                    "subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}},
                "deploymentController": {"type": "ECS"},
                "enableExecuteCommand": true,
                "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 1}],
                "tags": [{"key": "team", "value": "case"}],
                "somethingNew": {"a": [1]}
            }],
            "failures": [{"arn": format!("{ARN}:service/cma/x"), "reason": "MISSING"}]
        }),
    )
    .await;
    assert_eq!(sent, json!({"cluster": "cma", "services": ["api", "x"], "include": ["TAGS"]}));
    let Answer::Services { found, failures } = answer else { panic!("{answer:?}") };
    assert_eq!((failures[0].reason.as_str(), failures[0].arn.ends_with("/x")), ("MISSING", true));
    let service = &found[0];
    assert_eq!((service.id.cluster.as_str(), service.id.name.as_str()), ("cma", "api"));
    assert_eq!(service.id.scope, scope());
    assert_eq!((service.desired, service.running, service.pending), (3, 2, 1));
    assert_eq!(service.launch_type.as_deref(), Some("MOON_BASE"), "an unknown word is kept");
    assert_eq!(service.revision.to_string(), "cma-api:41");
    let configuration = &service.deployment_configuration;
    assert_eq!(configuration.strategy.as_deref(), Some("SIDEWAYS"));
    assert_eq!(configuration.alarms, ["cma-5xx"]);
    assert!(configuration.circuit_breaker.as_ref().unwrap().rollback);
    let deployment = service.primary().unwrap();
    assert_eq!(deployment.rollout_state.as_deref(), Some("WOBBLING"));
    assert_eq!((deployment.failed_tasks, deployment.created_at), (4, Some(Wall(1_795_143_000_500))));
    assert_eq!(service.events[0].message, "(service api) has begun");
    assert_eq!(service.load_balancers[0].port, Some(8000));
    assert_eq!((service.subnets.len(), service.public_ip), (1, Some(false)));
    assert_eq!((service.capacity[0].provider.as_str(), service.capacity[0].weight), ("FARGATE_SPOT", 3));
    assert!(service.exec_enabled);
    assert_eq!(service.tags, [("team".to_owned(), "case".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_service_of_which_nothing_is_said() {
    let query =
        Query::DescribeServices { scope: scope(), cluster: "cma".into(), services: vec!["api".into()] };
    let (answer, _) = answer(query, json!({"services": [{}]})).await;
    let Answer::Services { found, failures } = answer else { panic!("{answer:?}") };
    assert_eq!((found[0].id.cluster.as_str(), found[0].id.name.as_str()), ("cma", ""));
    assert!(failures.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stopped_task() {
    let query = Query::DescribeTasks { scope: scope(), cluster: "cma".into(), tasks: vec!["0f".into()] };
    let (answer, sent) = answer(
        query,
        json!({"tasks": [{
            "taskArn": format!("{ARN}:task/cma/0f9a"), "clusterArn": format!("{ARN}:cluster/cma"),
            "taskDefinitionArn": format!("{ARN}:task-definition/cma-api:41"),
            "group": "service:api", "lastStatus": "STOPPED", "desiredStatus": "STOPPED",
            "stopCode": "BadMoon", "stoppedReason": "Essential container in task exited",
            "startedBy": "ecs-svc/1", "version": 7, "stoppedAt": 1_795_143_002.25,
            "healthStatus": "UNHEALTHY",
            "containers": [{
                "name": "api", "image": "api:9f2c", "imageDigest": "sha256:1", "lastStatus": "STOPPED",
                "exitCode": 137, "reason": "OutOfMemoryError: Container killed", "runtimeId": "r",
                "networkInterfaces": [{"privateIpv4Address": "10.0.0.7"}],
                "managedAgents": [{"name": "ExecuteCommandAgent", "lastStatus": "STOPPED"}]
            }]
        }]}),
    )
    .await;
    assert_eq!(sent["include"], json!(["TAGS"]));
    let Answer::Tasks { found, .. } = answer else { panic!("{answer:?}") };
    let task = &found[0];
    assert_eq!((task.id.id.as_str(), task.service()), ("0f9a", Some("api")));
    assert_eq!(task.stop_code.as_deref(), Some("BadMoon"));
    assert_eq!((task.version, task.stopped_at), (7, Some(Wall(1_795_143_002_250))));
    let container = &task.containers[0];
    assert_eq!((container.exit_code, container.private_ip.as_deref()), (Some(137), Some("10.0.0.7")));
    assert_eq!(container.exec_agent.as_deref(), Some("STOPPED"));
}

#[tokio::test(start_paused = true)]
async fn a_task_definition() {
    let query = Query::DescribeTaskDefinition { scope: scope(), arn: "cma-api:41".into() };
    let (answer, _) = answer(
        query,
        json!({
            "taskDefinition": {
                "taskDefinitionArn": format!("{ARN}:task-definition/cma-api:41"),
                "family": "cma-api", "revision": 41, "status": "ACTIVE", "cpu": "512", "memory": "1024",
                "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc",
                "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
                "containerDefinitions": [{
                    "name": "api", "image": "api:9f2c",
                    "portMappings": [{"containerPort": 8000}, {"containerPortRange": "9000-9010", "protocol": "udp"}],
                    "environment": [{"name": "MODE", "value": "prod"}],
                    "secrets": [{"name": "DB", "valueFrom": "arn:aws:secretsmanager:eu-west-2:1:secret:db"}],
                    "readonlyRootFilesystem": true, "user": "1000",
                    "healthCheck": {"command": ["CMD-SHELL", "curl -f x"], "interval": 30},
                    "logConfiguration": {"logDriver": "awslogs", "options": {
                        "awslogs-stream-prefix": "ecs", "awslogs-group": "/ecs/cma", "awslogs-region": "eu-west-2"}},
                    "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}],
                    "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]
                }]
            },
            "tags": [{"key": "git", "value": "9f2c"}]
        }),
    )
    .await;
    let Answer::TaskDefinition(definition) = answer else { panic!("{answer:?}") };
    assert_eq!((definition.revision.to_string().as_str(), definition.tags.len()), ("cma-api:41", 1));
    assert_eq!(definition.cpu_architecture.as_deref(), Some("ARM64"));
    let container = &definition.containers[0];
    assert!(container.essential, "AWS's default");
    assert_eq!(
        (container.ports[0].container_port, container.ports[0].protocol.as_str()),
        (Some(8000), "tcp")
    );
    assert_eq!(container.ports[1].range.as_deref(), Some("9000-9010"));
    assert_eq!(container.log.as_ref().unwrap().option("awslogs-group"), Some("/ecs/cma"));
    assert_eq!(container.depends_on, [("init".to_owned(), "SUCCESS".to_owned())]);
    assert_eq!(container.ulimits, [("nofile".to_owned(), 1024, 4096)]);
    assert!(container.read_only_root && !container.privileged);
}

#[tokio::test(start_paused = true)]
async fn a_task_definition_that_is_missing_is_no_answer() {
    let stub = serve(Duration::ZERO, |_| Reply::Json(200, json!({}))).await;
    let query = Query::DescribeTaskDefinition { scope: scope(), arn: "x:1".into() };
    let fault = cloud(&stub).ask(query, Class::Foreground).await.unwrap_err();
    assert_eq!(fault.message, "the answer to ecs:DescribeTaskDefinition holds no task definition");
}

#[tokio::test(start_paused = true)]
async fn deployments_and_revisions() {
    let (cluster, service) = ("cma".to_owned(), "api".to_owned());
    let query = Query::ListServiceDeployments { scope: scope(), cluster, service, page: None };
    let brief = json!({"serviceDeployments": [{"serviceDeploymentArn": "d1", "status": "SUCCESSFUL"}],
        "nextToken": "n"});
    let (listed, _) = answer(query, brief).await;
    let Answer::Deployments { found, next, .. } = listed else { panic!("{listed:?}") };
    assert_eq!((found[0].arn.as_str(), next), ("d1", Some(PageToken("n".into()))));

    let query = Query::DescribeServiceDeployments { scope: scope(), arns: vec!["d1".into()] };
    let (described, _) = answer(
        query,
        json!({"serviceDeployments": [{
            "serviceDeploymentArn": "d1", "status": "ROLLBACK_SUCCESSFUL", "stoppedAt": 1_795_143_003.0,
            "sourceServiceRevisions": [{"arn": "r1"}], "targetServiceRevision": {"arn": "r2"},
            "deploymentCircuitBreaker": {"status": "TRIGGERED", "failureCount": 3, "threshold": 3},
            "rollback": {"reason": "Circuit breaker"}
        }]}),
    )
    .await;
    let Answer::Deployments { found, .. } = described else { panic!("{described:?}") };
    let deployment = &found[0];
    assert_eq!(deployment.target_revision_arn.as_deref(), Some("r2"));
    assert_eq!(deployment.source_revision_arns, ["r1"]);
    assert_eq!(deployment.finished_at, Some(Wall(1_795_143_003_000)));
    let breaker = deployment.breaker.as_ref().unwrap();
    assert_eq!((breaker.status.as_str(), breaker.failures, breaker.threshold), ("TRIGGERED", 3, 3));

    let query = Query::DescribeServiceRevisions { scope: scope(), arns: vec!["r2".into()] };
    let images = json!([{"containerName": "api", "image": "api:latest", "imageDigest": "sha256:2"}]);
    let reply = json!({"serviceRevisions": [{"serviceRevisionArn": "r2", "containerImages": images,
        "taskDefinition": format!("{ARN}:task-definition/cma-api:41")}]});
    let (revisions, _) = answer(query, reply).await;
    let Answer::Revisions { found, .. } = revisions else { panic!("{revisions:?}") };
    assert_eq!(found[0].revision.number, 41);
    assert_eq!(found[0].images[0].digest.as_deref(), Some("sha256:2"));
}

#[tokio::test(start_paused = true)]
async fn clusters_and_lists() {
    let query = Query::DescribeClusters { scope: scope(), clusters: vec!["cma".into()] };
    let reply = json!({"clusters": [{
        "clusterArn": format!("{ARN}:cluster/cma"), "status": "ACTIVE", "activeServicesCount": 3,
        "settings": [{"name": "containerInsights", "value": "enhanced"}],
        "configuration": {"executeCommandConfiguration": {
            "logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "/ecs/cma"}}}
    }]});
    let (described, sent) = answer(query, reply).await;
    assert_eq!(sent["include"], json!(["SETTINGS", "STATISTICS", "CONFIGURATIONS", "TAGS"]));
    let Answer::Clusters { found, .. } = described else { panic!("{described:?}") };
    assert_eq!((found[0].id.name.as_str(), found[0].active_services), ("cma", 3));
    assert_eq!(found[0].exec_log_group.as_deref(), Some("/ecs/cma"));

    let page = Some(PageToken("p2".into()));
    let query = Query::ListTaskDefinitions { scope: scope(), family: "cma-api".into(), page: page.clone() };
    let (names, sent) = answer(query, json!({"taskDefinitionArns": ["a:2", "a:1"]})).await;
    assert_eq!(
        sent,
        json!({"familyPrefix": "cma-api", "sort": "DESC", "maxResults": 100, "nextToken": "p2"})
    );
    assert_eq!(names, Answer::Names { names: vec!["a:2".into(), "a:1".into()], next: None });

    let (cluster, service) = ("cma".to_owned(), Some("api".to_owned()));
    let query = Query::ListTasks { scope: scope(), cluster, service, stopped: true, page: None };
    let (_, sent) = answer(query, json!({})).await;
    assert_eq!(
        sent,
        json!({"cluster": "cma", "serviceName": "api", "desiredStatus": "STOPPED", "maxResults": 100})
    );
}

#[tokio::test(start_paused = true)]
async fn logs() {
    let query = LogQuery {
        scope: scope(),
        group: "/ecs/cma".into(),
        streams: Streams::Prefix("ecs/api/".into()),
        from: Some(Wall(1000)),
        to: Some(Wall(2000)),
        pattern: Some("ERROR".into()),
        newest_first: true,
        limit: Some(500),
        page: None,
    };
    let reply = json!({"events": [
        {"logStreamName": "ecs/api/1", "timestamp": 1500, "message": "\u{1b}[31mERROR", "ingestionTime": 1600, "eventId": "e"}
    ], "nextToken": "more"});
    let (events, sent) = answer(Query::FilterLogEvents(query.clone()), reply).await;
    assert_eq!(
        sent,
        json!({"logGroupName": "/ecs/cma", "logStreamNamePrefix": "ecs/api/", "startTime": 1000,
            "endTime": 2000, "filterPattern": "ERROR", "startFromHead": false, "limit": 500})
    );
    let Answer::LogEvents { events, next } = events else { panic!("{events:?}") };
    assert_eq!((events[0].at, events[0].message.as_str()), (Wall(1500), "\u{1b}[31mERROR"));
    assert_eq!(next, Some(PageToken("more".into())), "raw text; whoever shows it scrubs it");

    let named = LogQuery { streams: Streams::Named(vec!["s".into()]), newest_first: false, ..query };
    let (empty, sent) = answer(Query::FilterLogEvents(named), json!({"events": [], "nextToken": "t"})).await;
    assert_eq!((sent.get("startFromHead"), &sent["logStreamNames"]), (None, &json!(["s"])));
    assert!(matches!(empty, Answer::LogEvents { events, next: Some(_) } if events.is_empty()));

    let query = Query::DescribeLogGroups { scope: scope(), prefix: Some("/ecs".into()), page: None };
    let groups = json!({"logGroups": [{"logGroupName": "/ecs/cma", "arn": "arn:x:log-group:/ecs/cma:*",
        "retentionInDays": 30, "storedBytes": 7}]});
    let (groups, sent) = answer(query, groups).await;
    assert_eq!(sent, json!({"logGroupNamePrefix": "/ecs", "limit": 50}));
    let Answer::LogGroups { found, .. } = groups else { panic!("{groups:?}") };
    assert_eq!(found[0].arn.as_deref(), Some("arn:x:log-group:/ecs/cma"));

    let query =
        Query::DescribeLogStreams { scope: scope(), group: "/ecs/cma".into(), prefix: None, page: None };
    let (streams, _) =
        answer(query, json!({"logStreams": [{"logStreamName": "s", "creationTime": 5}]})).await;
    let Answer::LogStreams { found, .. } = streams else { panic!("{streams:?}") };
    assert_eq!((found[0].name.as_str(), found[0].created_at), ("s", Some(Wall(5))));
}

#[tokio::test(start_paused = true)]
async fn who_we_are() {
    let xml = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>AIDA</UserId>\
        <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let stub = serve(Duration::ZERO, move |_| {
        Reply::Raw(200, vec![("content-type", "text/xml".into())], xml.into())
    })
    .await;
    let query = Query::CallerIdentity { scope: scope() };
    let answer = cloud(&stub).ask(query.clone(), Class::Foreground).await.unwrap();
    let Answer::Identity(identity) = answer else { panic!("{answer:?}") };
    assert_eq!((identity.account_id.as_str(), identity.user_id.as_str()), ("123456789012", "AIDA"));

    let error = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token \
        included in the request is expired</Message></Error><RequestId>q</RequestId></ErrorResponse>";
    let stub = serve(Duration::ZERO, move |_| Reply::Raw(403, Vec::new(), error.into())).await;
    let fault = cloud(&stub).ask(query, Class::Foreground).await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_deref()),
        (opsdeck::domain::fault::FaultKind::Expired, Some("ExpiredToken"))
    );
    assert!(fault.hint.is_some());
}
