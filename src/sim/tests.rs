//! The simulator over a real socket, in paused time.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::stdx::clock::Wall;

/// 2026-11-20T12:00:00Z.
const NOON: Wall = Wall(1_795_176_000_000);

pub(super) fn builtin(name: &str) -> Stack {
    Stack::builtin(name).unwrap().unwrap()
}

async fn simulator(config: SimConfig) -> Sim {
    start(SimConfig { lag: false, ..config }, Clock::steered(NOON, 1.0)).await.unwrap()
}

async fn with_stack(name: &str) -> Sim {
    simulator(SimConfig { stacks: vec![builtin(name)], ..SimConfig::default() }).await
}

/// Sends a request as it stands and reads until the other side closes.
async fn raw(sim: &Sim, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(sim.address()).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn request(region: &str, service: &str, headers: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=AK/20261120/{region}/{service}/aws4_request, SignedHeaders=host, Signature=00\r\n\
         content-length: {}\r\n{headers}\r\n\r\n{body}",
        body.len()
    )
}

fn ecs(region: &str, operation: &str, body: &Value) -> String {
    let headers = format!(
        "content-type: application/x-amz-json-1.1\r\nx-amz-target: AmazonEC2ContainerServiceV20141113.{operation}"
    );
    request(region, "ecs", &headers, &body.to_string())
}

async fn call(sim: &Sim, region: &str, operation: &str, body: Value) -> (u16, Value) {
    let answer = raw(sim, &ecs(region, operation, &body)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn clusters_and_services_are_answered_in_their_region_only() {
    let sim = with_stack("saas").await;
    let (status, clusters) = call(&sim, "me-south-1", "ListClusters", json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(clusters["clusterArns"], json!(["arn:aws:ecs:me-south-1:123456789012:cluster/saas"]));
    assert_eq!(call(&sim, "us-east-1", "ListClusters", json!({})).await.1["clusterArns"], json!([]));

    let (_, listed) = call(&sim, "me-south-1", "ListServices", json!({"cluster": "saas"})).await;
    let (_, found) = call(
        &sim,
        "me-south-1",
        "DescribeServices",
        json!({"cluster": "saas", "services": listed["serviceArns"]}),
    )
    .await;
    assert_eq!(found["failures"], json!([]));
    let service = &found["services"][0];
    assert_eq!(service["serviceName"], "saas-backend");
    assert_eq!(service["runningCount"], service["desiredCount"]);
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
}

#[tokio::test(start_paused = true)]
async fn an_error_has_awss_shape_and_headers() {
    let sim = with_stack("saas").await;
    let answer = raw(&sim, &ecs("us-east-1", "ListServices", &json!({"cluster": "nowhere"}))).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("x-amzn-errortype: ClusterNotFoundException\r\n"), "{answer}");
    assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    assert!(answer.contains("date: Fri, 20 Nov 2026 12:00:00 GMT\r\n"), "{answer}");
    assert!(
        answer.ends_with(r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#),
        "{answer}"
    );

    let (status, body) = call(&sim, "us-east-1", "PaintClusters", json!({})).await;
    assert_eq!((status, &body["__type"]), (400, &json!("UnknownOperationException")));
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_told_who_it_is() {
    let sim = with_stack("saas").await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let answer =
        raw(&sim, &request("us-east-1", "sts", "content-type: application/x-www-form-urlencoded", body))
            .await
            .unwrap();
    assert!(answer.contains("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"), "{answer}");
    assert!(answer.contains("<Account>123456789012</Account>"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn one_request_too_many_is_throttled() {
    let sim = with_stack("saas").await;
    let mut refused = 0;
    for _ in 0..101 {
        let (status, body) = call(&sim, "me-south-1", "ListServices", json!({"cluster": "saas"})).await;
        if status == 400 {
            assert_eq!(body, json!({"__type": "ThrottlingException", "message": "Rate exceeded"}));
            refused += 1;
        }
    }
    assert_eq!(refused, 1);
    assert_eq!(sim.control().calls_of("ecs:ListServices"), 101);
}

#[tokio::test(start_paused = true)]
async fn faults_break_the_wire() {
    let sim = with_stack("saas").await;
    let control = sim.control();
    let list = ecs("me-south-1", "ListClusters", &json!({}));

    let reset = control.add_fault("ListClusters:reset".parse().unwrap());
    let error = raw(&sim, &list).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!(control.remove_fault(reset));

    let _ = control.add_fault("ListClusters:truncate,times=1".parse().unwrap());
    let answer = raw(&sim, &list).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let promised: usize =
        head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    assert!(body.len() < promised && !body.is_empty(), "{answer}");

    let _ = control.add_fault("*:latency=300ms,times=1".parse().unwrap());
    let before = control.now();
    raw(&sim, &list).await.unwrap();
    assert!(before.age_at(control.now()) >= Duration::from_millis(300));

    let _ = control.add_fault("ListClusters:blackhole,times=1".parse().unwrap());
    let silent = tokio::time::timeout(Duration::from_secs(600), raw(&sim, &list)).await;
    assert!(silent.is_err());

    for (rule, code) in [
        ("denied", "AccessDeniedException"),
        ("expired", "ExpiredTokenException"),
        ("throttle", "ThrottlingException"),
    ] {
        let _ = control.add_fault(format!("ecs:*:{rule},times=1").parse().unwrap());
        assert_eq!(call(&sim, "me-south-1", "ListClusters", json!({})).await.1["__type"], code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_after_acting_leaves_the_effect() {
    let sim = with_stack("saas").await;
    let _ = sim.control().add_fault("UpdateService:error=503,after,times=1".parse().unwrap());
    let update = json!({"cluster": "saas", "service": "saas-backend", "desiredCount": 7});
    assert_eq!(call(&sim, "me-south-1", "UpdateService", update).await.0, 503);
    let (_, found) = call(
        &sim,
        "me-south-1",
        "DescribeServices",
        json!({"cluster": "saas", "services": ["saas-backend"]}),
    )
    .await;
    assert_eq!(found["services"][0]["desiredCount"], 7);
}

/// For each fault of a write: what the client sees cannot tell whether it was carried out, and the simulator
/// remembers exactly one request.
#[tokio::test(start_paused = true)]
async fn each_fault_strikes_a_write_before_or_after_it_is_carried_out() {
    for kind in
        ["throttle", "error=503", "reset", "blackhole", "truncate", "expired", "denied", "latency=40s"]
    {
        for after in [false, true] {
            let sim = with_stack("saas").await;
            let rule = format!("ecs:UpdateService:{kind}{},times=1", if after { ",after" } else { "" });
            let _ = sim.control().add_fault(rule.parse().unwrap());
            let update = json!({"cluster": "saas", "service": "saas-backend", "desiredCount": 7});
            let asked = ecs("me-south-1", "UpdateService", &update);
            let answer = tokio::time::timeout(Duration::from_secs(30), raw(&sim, &asked)).await;
            // What only delays or cuts the answer lets the request through either way.
            let done = after || kind == "truncate";
            let read = json!({"cluster": "saas", "services": ["saas-backend"]});
            let (_, found) = call(&sim, "me-south-1", "DescribeServices", read).await;
            assert_eq!(found["services"][0]["desiredCount"] == json!(7), done, "{rule}");
            let well = answer.is_ok_and(|answer| {
                answer.is_ok_and(|text| text.starts_with("HTTP/1.1 200") && text.ends_with('}'))
            });
            assert!(!well, "{rule}: the client sees nothing of it");
            let mutations = sim.control().mutations();
            let [only] = mutations.as_slice() else { panic!("{rule}: {mutations:?}") };
            assert_eq!((only.action.as_str(), only.region.as_str()), ("ecs:UpdateService", "me-south-1"));
            assert_eq!((only.at, &only.input), (NOON, &update));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_no_mutations_and_secrets_are_not_remembered() {
    let sim = with_stack("saas").await;
    call(&sim, "me-south-1", "ListClusters", json!({})).await;
    assert_eq!(sim.control().mutations(), []);
    let put = request(
        "me-south-1",
        "secretsmanager",
        "content-type: application/x-amz-json-1.1\r\nx-amz-target: secretsmanager.PutSecretValue",
        &json!({"SecretId": "nobody", "SecretString": "hunter2"}).to_string(),
    );
    assert!(raw(&sim, &put).await.unwrap().contains("ResourceNotFoundException"));
    let answer =
        raw(&sim, "GET /_sim/mutations HTTP/1.1\r\nhost: s\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(answer.contains("secretsmanager:PutSecretValue") && !answer.contains("hunter2"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn people_steer_it_at_run_time() {
    let sim = with_stack("saas").await;
    let post = |body: &str| {
        format!(
            "POST /_sim/faults HTTP/1.1\r\nhost: s\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    assert!(raw(&sim, &post("*:throttle")).await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(raw(&sim, &post("*:explode")).await.unwrap().contains("`explode`"));
    let status = raw(&sim, "GET /_sim/ HTTP/1.1\r\nhost: s\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(status.contains("\"*:throttle\"") && status.contains("2026-11-20T12:00:00"), "{status}");
    raw(&sim, "DELETE /_sim/faults HTTP/1.1\r\nhost: s\r\nconnection: close\r\n\r\n").await.unwrap();
    assert_eq!(call(&sim, "me-south-1", "ListClusters", json!({})).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn logs_are_read_and_tailed() {
    let sim = with_stack("saas").await;
    let logs = |operation: &str, body: Value| {
        let headers =
            format!("content-type: application/x-amz-json-1.1\r\nx-amz-target: Logs_20140328.{operation}");
        request("me-south-1", "logs", &headers, &body.to_string())
    };
    let from = NOON.minus(Duration::from_secs(600)).0;
    // Empty pages with a token are normal: the next one is asked for until there are events.
    let mut read = json!({"logGroupName": "/ecs/saas-backend", "startTime": from, "limit": 5});
    let found = loop {
        let answer = raw(&sim, &logs("FilterLogEvents", read.clone())).await.unwrap();
        let page: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let found = page["events"].as_array().unwrap().len();
        if found > 0 || page["nextToken"].is_null() {
            break found;
        }
        read["nextToken"] = page["nextToken"].clone();
    };
    assert!((1..=5).contains(&found), "{found}");

    let arn = "arn:aws:logs:me-south-1:123456789012:log-group:/ecs/saas-backend";
    let mut stream = TcpStream::connect(sim.address()).await.unwrap();
    stream.write_all(logs("StartLiveTail", json!({"logGroupIdentifiers": [arn]})).as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("sessionUpdate") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0, "{}", String::from_utf8_lossy(&seen));
    }
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("application/vnd.amazon.eventstream") && seen.contains("sessionStart"), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn signatures_are_checked_when_asked_for() {
    let sim = simulator(SimConfig { verify_signatures: true, ..SimConfig::default() }).await;
    let (status, body) = call(&sim, "us-east-1", "ListClusters", json!({})).await;
    assert_eq!((status, &body["__type"]), (400, &json!("InvalidSignatureException")));
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    let config = SimConfig { listen: "0.0.0.0:0".parse().unwrap(), ..SimConfig::default() };
    let error = start(config, Clock::system()).await.err().unwrap();
    assert!(error.to_string().contains("0.0.0.0:0"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn cloudwatch_answers_in_the_protocol_it_is_asked_in() {
    let sim = with_stack("saas").await;
    let cbor = |operation: &str| {
        request(
            "me-south-1",
            "monitoring",
            "smithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor",
            "",
        )
        .replacen(
            "POST / ",
            &format!("POST /service/GraniteServiceVersion20100801/operation/{operation} "),
            1,
        )
    };
    let answer = raw(&sim, &cbor("DescribeAlarms")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for part in
        ["content-type: application/cbor\r\n", "smithy-protocol: rpc-v2-cbor\r\n", "saas-backend-cpu-high"]
    {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    let refused = raw(&sim, &cbor("SetAlarmState")).await.unwrap();
    assert!(refused.contains("x-amzn-query-error: MissingParameter;Sender\r\n"), "{refused}");
    assert!(refused.contains("MissingRequiredParameterException"), "{refused}");

    let target = "content-type: application/x-amz-json-1.0\r\nx-amz-target: GraniteServiceVersion20100801.";
    let headers = format!("{target}DescribeAlarms");
    let answer = raw(&sim, &request("me-south-1", "monitoring", &headers, "{}")).await.unwrap();
    assert!(answer.contains(r#""AlarmName":"saas-backend-cpu-high""#), "{answer}");

    let form = "Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=saas-backend-cpu-high";
    let headers = "content-type: application/x-www-form-urlencoded";
    let answer = raw(&sim, &request("me-south-1", "monitoring", headers, form)).await.unwrap();
    assert!(
        answer.contains("<MetricAlarms><member><AlarmName>saas-backend-cpu-high</AlarmName>"),
        "{answer}"
    );
    assert!(answer.contains("<CompositeAlarms></CompositeAlarms>"), "{answer}");

    // Nine a second, shared with all who ask: the tenth of a burst is refused.
    let mut throttled = 0;
    for _ in 0..10 {
        let answer = raw(&sim, &cbor("DescribeAlarms")).await.unwrap();
        throttled += usize::from(answer.contains("x-amzn-query-error: Throttling;Sender"));
    }
    assert!(throttled >= 1, "nothing was throttled");
}

#[tokio::test(start_paused = true)]
async fn each_write_is_in_the_trail_as_it_was_asked_for_and_answered() {
    let sim = with_stack("saas").await;
    let json = |service: &str, target: &str, body: Value| {
        let headers = format!("content-type: application/x-amz-json-1.1\r\nx-amz-target: {target}");
        request("me-south-1", service, &headers, &body.to_string())
    };
    let form = |service: &str, body: &str| {
        request("me-south-1", service, "content-type: application/x-www-form-urlencoded", body)
    };
    let scale = json!({"ServiceNamespace": "ecs", "ResourceId": "service/saas/saas-backend",
        "ScalableDimension": "ecs:service:DesiredCount", "MaxCapacity": 8});
    for asked in [
        ecs(
            "me-south-1",
            "UpdateService",
            &json!({"cluster": "saas", "service": "saas-backend", "forceNewDeployment": true}),
        ),
        ecs("me-south-1", "StopTask", &json!({"cluster": "saas", "task": "0".repeat(32)})),
        json("application-autoscaling", "AnyScaleFrontendService.RegisterScalableTarget", scale),
        json(
            "ssm",
            "AmazonSSM.PutParameter",
            json!({"Name": "/saas/x", "Value": "hunter2", "Type": "String"}),
        ),
        form(
            "rds",
            "Action=CreateDBSnapshot&Version=2014-10-31&DBSnapshotIdentifier=x&DBInstanceIdentifier=saas-db",
        ),
        form(
            "elasticache",
            "Action=TestFailover&Version=2015-02-02&ReplicationGroupId=saas-redis&NodeGroupId=0001",
        ),
        form(
            "monitoring",
            "Action=DisableAlarmActions&Version=2010-08-01&AlarmNames.member.1=saas-backend-cpu-high",
        ),
    ] {
        raw(&sim, &asked).await.unwrap();
    }
    let told = sim.control().with_world(|world| {
        let entries = world.trail.newest_first("me-south-1");
        let own = entries.iter().filter(|entry| entry.deed.at == NOON);
        own.map(|entry| entry.deed.clone()).collect::<Vec<_>>()
    });
    let seen: Vec<(&str, Option<&str>, Option<&str>)> = told
        .iter()
        .rev()
        .map(|deed| {
            let resource = deed.resources.first().map(|(kind, _)| kind.as_str());
            (deed.name.as_str(), deed.error.as_ref().map(|(code, _)| code.as_str()), resource)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("UpdateService", None, Some("AWS::ECS::Service")),
            ("StopTask", Some("InvalidParameterException"), None),
            ("RegisterScalableTarget", None, None),
            ("PutParameter", None, Some("AWS::SSM::Parameter")),
            ("CreateDBSnapshot", None, Some("AWS::RDS::DBInstance")),
            ("TestFailover", None, Some("AWS::ElastiCache::ReplicationGroup")),
            ("DisableAlarmActions", None, None),
        ]
    );
    assert!(!format!("{told:?}").contains("hunter2"));
    let asked: Vec<String> = sim.control().mutations().into_iter().map(|one| one.action).collect();
    assert_eq!(asked.len(), 7, "{asked:?}");
}
