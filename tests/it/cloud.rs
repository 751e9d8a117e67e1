//! The road to AWS against a server of canned answers, in virtual time: the real SDK, real sockets, real
//! signatures; paging, retries, timeouts, the budget, cancellation.
//!
//! Must not use the simulator: what it answers is judged elsewhere, and here exact bytes matter.

mod answers;
mod stub;
mod triage;

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use opsdeck::cloud::{Cloud, Pacing, Settings};
use opsdeck::domain::fault::{Fault, FaultKind};
use opsdeck::domain::query::{Answer, Class, Query};
use opsdeck::domain::scope::{Account, Scope};
use opsdeck::domain::sweep::{Goal, Sweep};
use opsdeck::stdx::clock::{Clock, Wall};
use serde_json::{Value, json};
use stub::{Reply, Seen, Stub, serve};
use tokio::time::Instant;

/// 2026-11-20T03:00:00Z.
const EPOCH: Wall = Wall(1_795_143_600_000);

fn scope() -> Scope {
    Scope::new("default", "eu-west-2")
}

fn cloud_with(url: &str, change: impl FnOnce(&mut Settings)) -> Cloud {
    let mut settings = Settings::simulator(url);
    change(&mut settings);
    Cloud::new(settings, Clock::steered(EPOCH, 1.0)).unwrap()
}

fn cloud(stub: &Stub) -> Cloud {
    cloud_with(&stub.url, |_| ())
}

fn clusters() -> Query {
    Query::ListClusters { scope: scope(), page: None }
}

/// A server that answers everything with one list of clusters, after the given replies.
async fn after(replies: Vec<fn() -> Reply>) -> Stub {
    serve(Duration::from_millis(80), move |seen| match replies.get(seen.number) {
        Some(reply) => reply(),
        None => Reply::Json(200, json!({"clusterArns": ["arn:aws:ecs:eu-west-2:123456789012:cluster/cma"]})),
    })
    .await
}

async fn ask(cloud: &Cloud) -> Result<Answer, Fault> {
    cloud.ask(clusters(), Class::Foreground).await
}

/// Lists and describes like AWS, by its documented limits, over `total` things named by number.
fn paged(seen: &Seen, total: usize) -> Reply {
    let arn = |kind: &str, n: usize| format!("arn:aws:ecs:eu-west-2:123456789012:{kind}/c/{n}");
    let list = |member: &str, kind: &str, default: usize| {
        let size = seen.body["maxResults"].as_u64().map_or(default, |n| usize::try_from(n).unwrap());
        assert!(size <= 100);
        let from: usize = seen.body["nextToken"].as_str().map_or(0, |t| t.parse().unwrap());
        let to = (from + size).min(total);
        let mut answer = json!({member: (from..to).map(|n| arn(kind, n)).collect::<Vec<_>>()});
        if to < total {
            answer["nextToken"] = json!(to.to_string());
        }
        Reply::Json(200, answer)
    };
    let describe = |asked: &str, member: &str, limit: usize, one: fn(&str) -> Value| {
        let names = seen.body[asked].as_array().unwrap();
        assert!(!names.is_empty());
        if names.len() > limit {
            return Reply::error(400, "InvalidParameterException", "too many");
        }
        Reply::Json(200, json!({member: names.iter().map(|n| one(n.as_str().unwrap())).collect::<Vec<_>>()}))
    };
    match seen.operation.as_str() {
        "ListClusters" => list("clusterArns", "cluster", 100),
        "ListServices" => list("serviceArns", "service", 10),
        "ListTasks" => list("taskArns", "task", 100),
        "DescribeClusters" => describe("clusters", "clusters", 100, |n| json!({"clusterArn": n})),
        "DescribeServices" => describe("services", "services", 10, |n| json!({"serviceName": n})),
        "DescribeTasks" => describe("tasks", "tasks", 100, |n| json!({"taskArn": n})),
        other => panic!("{other}"),
    }
}

/// Runs a sweep with all its requests under way at once; gives it and what was described.
async fn sweep(cloud: &Cloud, goal: Goal) -> (Sweep, Vec<String>) {
    let (mut sweep, first) = Sweep::start(goal);
    let ask = |query: Query| async {
        let outcome = cloud.ask(query.clone(), Class::Foreground).await;
        (query, outcome)
    };
    let mut under_way = FuturesUnordered::from_iter([ask(first)]);
    let mut found = Vec::new();
    while let Some((query, outcome)) = under_way.next().await {
        match &outcome {
            Ok(Answer::Clusters { found: all, .. }) => found.extend(all.iter().map(|c| c.arn.clone())),
            Ok(Answer::Services { found: all, .. }) => found.extend(all.iter().map(|s| s.id.name.clone())),
            Ok(Answer::Tasks { found: all, .. }) => found.extend(all.iter().map(|t| t.id.id.clone())),
            _ => {}
        }
        under_way.extend(sweep.absorb(&query, &outcome).into_iter().map(ask));
    }
    (sweep, found)
}

#[tokio::test(start_paused = true)]
async fn lists_of_every_size_are_complete() {
    for total in [0, 1, 9, 10, 11, 99, 100, 101, 1000] {
        let goals = [
            Goal::Clusters { scope: scope() },
            Goal::Services { scope: scope(), cluster: "c".into() },
            Goal::Tasks { scope: scope(), cluster: "c".into(), service: Some("web".into()), stopped: true },
        ];
        for goal in goals {
            let stub = serve(Duration::from_millis(80), move |seen| paged(seen, total)).await;
            let (sweep, mut found) = sweep(&cloud(&stub), goal.clone()).await;
            assert!(sweep.is_complete(), "{goal:?} of {total}: {:?}", sweep.faults);
            assert_eq!(sweep.listed.len(), total);
            found.sort_unstable();
            found.dedup();
            assert_eq!(found.len(), total, "{goal:?}: each was described once");
            let batch = if matches!(goal, Goal::Services { .. }) { 10 } else { 100 };
            let calls = total.div_ceil(100).max(1) + total.div_ceil(batch);
            assert_eq!(stub.count(), calls, "{goal:?} of {total}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sixty_services_take_two_round_trips() {
    let stub = serve(Duration::from_millis(80), |seen| paged(seen, 60)).await;
    let start = Instant::now();
    let (sweep, _) = sweep(&cloud(&stub), Goal::Services { scope: scope(), cluster: "c".into() }).await;
    assert!(sweep.is_complete());
    assert_eq!(stub.count(), 7);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(160) && took < Duration::from_millis(240), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_are_signed_for_the_scope_and_by_our_clock() {
    let stub = after(Vec::new()).await;
    let cloud = cloud(&stub);
    ask(&cloud).await.unwrap();
    let other = Query::ListClusters { scope: Scope::new("default", "me-south-1"), page: None };
    cloud.ask(other, Class::Background).await.unwrap();
    let seen = stub.seen.lock().unwrap();
    let scopes: Vec<&str> =
        seen.iter().filter_map(|s| s.headers["authorization"].split(['/', ',']).nth(2)).collect();
    assert_eq!(scopes, ["eu-west-2", "me-south-1"]);
    assert!(seen[0].headers["x-amz-date"].starts_with("20261120T0300"), "{}", seen[0].headers["x-amz-date"]);
    assert_eq!(seen[0].headers["x-amz-target"], "AmazonEC2ContainerServiceV20141113.ListClusters");
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_asked_again() {
    let transient: [fn() -> Reply; 6] = [
        || Reply::error(500, "ServerException", "Service Unavailable"),
        || Reply::error(400, "ThrottlingException", "Rate exceeded"),
        || Reply::Close,
        || Reply::Cut(json!({"clusterArns": ["a", "b", "c"]})),
        || Reply::Raw(503, Vec::new(), "<html>Service Unavailable</html>".into()),
        || Reply::Raw(200, Vec::new(), "{\"clusterArns\": [".into()),
    ];
    for reply in transient {
        let stub = after(vec![reply, reply]).await;
        let answer = ask(&cloud(&stub)).await;
        assert!(matches!(answer, Ok(Answer::Names { .. })), "{answer:?}");
        assert_eq!(stub.count(), 3);

        let stub = after(vec![reply; 3]).await;
        let cloud = cloud(&stub);
        let fault = ask(&cloud).await.unwrap_err();
        assert_eq!(cloud.meter().in_flight, 0);
        assert!(fault.is_transient(), "{fault:?}");
        assert_eq!(stub.count(), 3, "three attempts and no more");
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_asked_once() {
    let html = "<!doctype html>\n<title>500 Internal Server Error</title>";
    let cases: Vec<(fn() -> Reply, FaultKind)> = vec![
        (|| Reply::error(400, "ExpiredTokenException", "The token is expired"), FaultKind::Expired),
        (|| Reply::error(400, "AccessDeniedException", "no"), FaultKind::Denied),
        (|| Reply::error(400, "ClusterNotFoundException", "Cluster not found."), FaultKind::NotFound),
        (|| Reply::error(400, "InvalidParameterException", "bad"), FaultKind::Invalid),
        (
            || Reply::Raw(403, Vec::new(), "<E><Code>AccessDenied</Code><Message>no</Message></E>".into()),
            FaultKind::Denied,
        ),
        (|| Reply::Raw(404, Vec::new(), String::new()), FaultKind::Unsupported),
        (|| Reply::Raw(501, Vec::new(), String::new()), FaultKind::Unsupported),
    ];
    for (reply, kind) in cases {
        let stub = after(vec![reply; 2]).await;
        let fault = ask(&cloud(&stub)).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault:?}");
        assert_eq!(fault.action.as_deref(), Some("ecs:ListClusters"));
        assert_eq!(fault.request_id.as_deref(), Some("r-0"));
        assert_eq!(stub.count(), 1, "{kind:?}");
    }
    let stub = serve(Duration::ZERO, move |_| {
        Reply::Raw(500, vec![("content-type", "text/html; charset=utf-8".into())], html.into())
    })
    .await;
    let fault = ask(&cloud(&stub)).await.unwrap_err();
    assert_eq!((fault.kind, stub.count()), (FaultKind::Unsupported, 1), "{fault:?}");
    assert!(fault.message.contains(&stub.url), "it names the endpoint: {}", fault.message);
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_ends_after_three_attempts_of_eight_seconds() {
    let stub = after(vec![|| Reply::Hang; 3]).await;
    let start = Instant::now();
    let fault = ask(&cloud(&stub)).await.unwrap_err();
    let took = start.elapsed();
    assert_eq!(fault.kind, FaultKind::Network);
    assert!(fault.message.contains("did not answer within 8s"), "{}", fault.message);
    assert_eq!(stub.count(), 3);
    assert!(took >= Duration::from_secs(24) && took < Duration::from_secs(26), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_closed_port_is_told() {
    let stub = after(Vec::new()).await;
    // A port that was ours a moment ago and is nobody's now.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let cloud = cloud_with(&format!("http://{free}"), |_| ());
    let fault = ask(&cloud).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Network);
    assert!(fault.message.ends_with("refused the connection"), "{}", fault.message);
    assert_eq!(stub.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_slows_the_bucket_and_shows_in_the_meter() {
    let stub = after(vec![|| Reply::error(400, "ThrottlingException", "Rate exceeded")]).await;
    let cloud = cloud(&stub);
    ask(&cloud).await.unwrap();
    let meter = cloud.meter();
    assert_eq!(meter.rows.len(), 1);
    let row = &meter.rows[0];
    assert_eq!((row.bucket, row.requests, row.rate_percent), ("ECS cluster read", 2, 50));
    assert_eq!(row.last_fault.as_ref().unwrap().1.kind, FaultKind::Throttled);
    assert!(row.throttled_at.is_some() && meter.is_throttled());
}

#[tokio::test(start_paused = true)]
async fn aws_may_ask_us_to_wait() {
    let stub = serve(Duration::ZERO, |seen| match seen.number {
        0 => {
            let headers = vec![("x-amz-retry-after", "7000".to_owned())];
            Reply::Raw(503, headers, json!({"__type": "ServiceUnavailable"}).to_string())
        }
        _ => Reply::Json(200, json!({})),
    })
    .await;
    ask(&cloud(&stub)).await.unwrap();
    let seen = stub.seen.lock().unwrap();
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn the_budget_paces_background_and_lets_foreground_pass() {
    let stub = after(Vec::new()).await;
    let cloud = cloud(&stub);
    let start = Instant::now();
    let refresh: Vec<_> = (0..40)
        .map(|_| {
            let cloud = cloud.clone();
            tokio::spawn(async move { cloud.ask(clusters(), Class::Background).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    ask(&cloud).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(1300), "somebody waits for it");
    for request in refresh {
        request.await.unwrap().unwrap();
    }
    let took = start.elapsed();
    assert!(took > Duration::from_millis(6900) && took < Duration::from_millis(7400), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_question_is_cancelled() {
    let stub = after(vec![|| Reply::Hang; 20]).await;
    let cloud = cloud(&stub);
    let hung: Vec<_> = (0..20)
        .map(|_| {
            let cloud = cloud.clone();
            tokio::spawn(async move { cloud.ask(clusters(), Class::Foreground).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(cloud.meter().in_flight, 8, "no more than eight at once");
    for task in &hung {
        task.abort();
    }
    for task in hung {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    let meter = cloud.meter();
    assert_eq!((meter.in_flight, meter.rows[0].waiting), (0, 0));
    assert_eq!(stub.count(), 8);
    for _ in 0..12 {
        assert!(tokio::time::timeout(Duration::from_millis(1), ask(&cloud)).await.is_err());
    }
    assert!(ask(&cloud).await.is_ok(), "the road is free again");
}

#[tokio::test(start_paused = true)]
async fn without_pacing_thirty_two_go_at_once() {
    let stub = after(Vec::new()).await;
    let cloud = cloud_with(&stub.url, |settings| settings.pacing = Pacing::Off);
    let start = Instant::now();
    futures_util::future::join_all((0..320).map(|_| ask(&cloud))).await;
    assert!(start.elapsed() < Duration::from_millis(1600), "{:?}", start.elapsed());
    assert_eq!(stub.count(), 320);
}

#[tokio::test(start_paused = true)]
async fn settings_that_cannot_be_are_refused() {
    let away = Settings::simulator("http://10.1.2.3:4566");
    assert_eq!(Cloud::new(away, Clock::system()).unwrap_err().kind, FaultKind::Config);
    let stub = after(Vec::new()).await;
    let cloud = cloud(&stub);
    let query = Query::ListClusters { scope: Scope::new("nobody", "eu-west-2"), page: None };
    let fault = cloud.ask(query, Class::Foreground).await.unwrap_err();
    assert_eq!(fault.message, "no account nobody is configured");
    let fault = cloud.default_region(&Account::new("default")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    assert_eq!(cloud.endpoint_overrides(), [("all".to_owned(), stub.url.clone())]);
    let named = cloud_with(&stub.url, |settings| {
        settings.environment.insert("AWS_REGION".into(), String::new());
        settings.environment.insert("AWS_DEFAULT_REGION".into(), "eu-west-2".into());
    });
    assert_eq!(named.default_region(&Account::new("default")).await.unwrap().as_str(), "eu-west-2");
}
