//! The requests of triage as they go over the wire, what becomes of unknown words and of refusals, and lists of many
//! pages.
//!
//! Shapes are those of botocore's models; must not repeat what the conversions' own tests hold.

use std::time::Duration;

use ciborium::Value as Cbor;
use opsdeck::domain::alarm::{AlarmKind, AlarmState};
use opsdeck::domain::fault::{Fault, FaultKind};
use opsdeck::domain::metric::{MetricId, MetricQuery, MetricSource};
use opsdeck::domain::query::{Answer, Class, MetricRequest, PageToken, Query};
use opsdeck::domain::sweep::Goal;
use opsdeck::stdx::clock::Wall;
use serde_json::json;

use super::stub::{Reply, Seen, Stub, serve};
use super::{EPOCH, cloud, scope, sweep};

fn text(text: &str) -> Cbor {
    Cbor::Text(text.to_owned())
}

fn map(fields: Vec<(&str, Cbor)>) -> Cbor {
    Cbor::Map(fields.into_iter().map(|(name, value)| (text(name), value)).collect())
}

fn field<'a>(value: &'a Cbor, name: &str) -> Option<&'a Cbor> {
    let Cbor::Map(fields) = value else { panic!("{value:?}") };
    fields.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

fn words(value: &Cbor) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_text().unwrap()).collect()
}

fn sent(seen: &Seen) -> Cbor {
    ciborium::from_reader(seen.bytes.as_slice()).unwrap()
}

fn first(stub: &Stub) -> Seen {
    stub.seen.lock().unwrap()[0].clone()
}

async fn ask(stub: &Stub, query: Query) -> Result<Answer, Fault> {
    cloud(stub).ask(query, Class::Foreground).await
}

fn alarms(state: Option<AlarmState>, page: Option<&str>) -> Query {
    Query::DescribeAlarms { scope: scope(), state, page: page.map(|page| PageToken(page.to_owned())) }
}

#[tokio::test(start_paused = true)]
async fn alarms_of_all_kinds_are_asked_for_in_cbor() {
    let stub = serve(Duration::ZERO, |_| {
        let alarm = |name: &str| {
            map(vec![
                ("AlarmName", text(name)),
                ("StateValue", text("SNOOZING")),
                ("StateTransitionedTimestamp", Cbor::Tag(1, Box::new(Cbor::Float(1_795_143_000.5)))),
            ])
        };
        let list = |name: &str| Cbor::Array(vec![alarm(name)]);
        let answer = map(vec![
            ("MetricAlarms", list("m")),
            ("CompositeAlarms", list("c")),
            ("LogAlarms", list("l")),
            ("NextToken", text("more")),
            ("SomethingNew", map(vec![("a", Cbor::Bool(true))])),
        ]);
        Reply::Cbor(200, Vec::new(), answer)
    })
    .await;
    let answer = ask(&stub, alarms(Some(AlarmState::Alarm), Some("p2"))).await.unwrap();
    let request = first(&stub);
    assert_eq!(request.path, "/service/GraniteServiceVersion20100801/operation/DescribeAlarms");
    assert_eq!(request.headers["smithy-protocol"], "rpc-v2-cbor");
    let body = sent(&request);
    assert_eq!(words(field(&body, "AlarmTypes").unwrap()), ["MetricAlarm", "CompositeAlarm", "LogAlarm"]);
    assert_eq!(field(&body, "StateValue"), Some(&text("ALARM")));
    assert_eq!(field(&body, "MaxRecords"), Some(&Cbor::Integer(100.into())));
    assert_eq!(field(&body, "NextToken"), Some(&text("p2")));
    let Answer::Alarms { found, next } = answer else { panic!("{answer:?}") };
    let kinds: Vec<AlarmKind> = found.iter().map(|alarm| alarm.kind).collect();
    assert_eq!(kinds, [AlarmKind::Metric, AlarmKind::Composite, AlarmKind::Log]);
    assert_eq!(found[0].state, AlarmState::Other("SNOOZING".into()), "an unknown word is kept");
    assert_eq!(found[0].since, Some(Wall(1_795_143_000_500)));
    assert_eq!(next, Some(PageToken("more".into())));
}

#[tokio::test(start_paused = true)]
async fn history_is_asked_for_all_kinds_and_newest_first() {
    let stub = serve(Duration::ZERO, |_| Reply::Cbor(200, Vec::new(), map(Vec::new()))).await;
    let query = Query::DescribeAlarmHistory { scope: scope(), alarm: None, from: EPOCH, page: None };
    ask(&stub, query).await.unwrap();
    let body = sent(&first(&stub));
    assert_eq!(words(field(&body, "AlarmTypes").unwrap()).len(), 3, "composite alarms flip too");
    assert_eq!(field(&body, "ScanBy"), Some(&text("TimestampDescending")));
    assert!(matches!(field(&body, "StartDate"), Some(Cbor::Tag(1, _))));
    assert_eq!(field(&body, "AlarmName"), None);
}

#[tokio::test(start_paused = true)]
async fn numbers_are_asked_for_and_a_short_answer_keeps_its_status() {
    let stub = serve(Duration::ZERO, |_| {
        let at = |seconds: i64| Cbor::Tag(1, Box::new(Cbor::Integer(seconds.into())));
        let result = map(vec![
            ("Id", text("e")),
            ("StatusCode", text("PartialData")),
            ("Timestamps", Cbor::Array(vec![at(1_795_143_000), at(1_795_143_060)])),
            ("Values", Cbor::Array(vec![Cbor::Float(0.0), Cbor::Float(12.5)])),
        ]);
        Reply::Cbor(200, Vec::new(), map(vec![("MetricDataResults", Cbor::Array(vec![result]))]))
    })
    .await;
    let metric = MetricId::new("AWS/ECS", "CPUUtilization", &[("ClusterName", "c"), ("ServiceName", "s")]);
    let request = MetricRequest {
        scope: scope(),
        queries: vec![
            MetricQuery {
                id: "m".into(),
                what: MetricSource::Stat { metric, stat: "p99".into(), period: 60 },
                wanted: false,
            },
            MetricQuery {
                id: "e".into(),
                what: MetricSource::Expression { expression: "FILL(m, 0)".into(), period: None },
                wanted: true,
            },
        ],
        from: Wall(EPOCH.0 - 3_600_000),
        to: EPOCH,
        page: None,
    };
    let answer = ask(&stub, Query::GetMetricData(request)).await.unwrap();
    let body = sent(&first(&stub));
    assert_eq!(field(&body, "ScanBy"), Some(&text("TimestampAscending")));
    let queries = field(&body, "MetricDataQueries").unwrap().as_array().unwrap();
    let stat = field(&queries[0], "MetricStat").unwrap();
    assert_eq!(field(stat, "Stat"), Some(&text("p99")));
    assert_eq!(field(stat, "Period"), Some(&Cbor::Integer(60.into())));
    let dimensions = field(field(stat, "Metric").unwrap(), "Dimensions").unwrap().as_array().unwrap();
    assert_eq!(field(&dimensions[1], "Name"), Some(&text("ServiceName")));
    assert_eq!(field(&queries[0], "ReturnData"), Some(&Cbor::Bool(false)));
    assert_eq!(field(&queries[1], "Expression"), Some(&text("FILL(m, 0)")));
    let Answer::Metrics { series, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((series[0].status.as_str(), series[0].last()), ("PartialData", Some(12.5)));
}

/// The fields of an awsQuery request.
fn form(seen: &Seen) -> Vec<(String, String)> {
    let plain = |text: &str| text.replace("%3A", ":");
    let pairs = seen.operation.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (plain(name), plain(value))).collect()
}

fn of<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn xml(operation: &str, inner: &str) -> Reply {
    let body = format!(
        "<{operation}Response><{operation}Result>{inner}</{operation}Result><ResponseMetadata>\
         <RequestId>r</RequestId></ResponseMetadata></{operation}Response>"
    );
    Reply::Raw(200, vec![("content-type", "text/xml".into())], body)
}

#[tokio::test(start_paused = true)]
async fn databases_are_asked_for_in_forms_and_answered_in_xml() {
    let stub = serve(Duration::ZERO, |_| {
        let instance = "<DBInstance><DBInstanceIdentifier>db</DBInstanceIdentifier>\
            <DBInstanceStatus>levitating</DBInstanceStatus><MultiAZ>true</MultiAZ>\
            <AllocatedStorage>100</AllocatedStorage><LatestRestorableTime>2026-11-20T02:55:00Z\
            </LatestRestorableTime><PendingModifiedValues><MasterUserPassword>****</MasterUserPassword>\
            <DBInstanceClass>db.r6g.xlarge</DBInstanceClass></PendingModifiedValues>\
            <SomethingNew>1</SomethingNew></DBInstance>";
        xml("DescribeDBInstances", &format!("<DBInstances>{instance}</DBInstances><Marker>m2</Marker>"))
    })
    .await;
    let answer = ask(&stub, Query::DescribeDbInstances { scope: scope(), page: None }).await.unwrap();
    let request = form(&first(&stub));
    assert_eq!(of(&request, "Action"), Some("DescribeDBInstances"));
    assert_eq!((of(&request, "Version"), of(&request, "MaxRecords")), (Some("2014-10-31"), Some("100")));
    let Answer::DbInstances { found, next } = answer else { panic!("{answer:?}") };
    assert_eq!((found[0].status.as_str(), found[0].multi_az), ("levitating", true));
    assert_eq!(found[0].latest_restorable, Some(Wall(EPOCH.0 - 300_000)));
    let pending: Vec<(&str, &str)> = found[0].pending.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(pending, [("DBInstanceClass", "db.r6g.xlarge"), ("MasterUserPassword", "(changes)")]);
    assert_eq!(next, Some(PageToken("m2".into())));
}

#[tokio::test(start_paused = true)]
async fn each_list_is_asked_for_as_its_model_says() {
    let events = |from: i64| Query::DescribeCacheEvents { scope: scope(), from: Wall(from), page: None };
    /// A question, the operation that it asks, and what stands in the request.
    type Case = (Query, &'static str, &'static [(&'static str, &'static str)]);
    let cases: Vec<Case> = vec![
        (
            Query::DescribeCacheClusters { scope: scope(), page: Some(PageToken("p".into())) },
            "DescribeCacheClusters",
            &[
                ("Version", "2015-02-02"),
                ("ShowCacheNodeInfo", "true"),
                ("MaxRecords", "100"),
                ("Marker", "p"),
            ],
        ),
        (events(EPOCH.0 - 3_570_000), "DescribeEvents", &[("Version", "2015-02-02"), ("Duration", "60")]),
        (
            Query::DescribeDbParameters { scope: scope(), group: "gov-postgres14".into(), page: None },
            "DescribeDBParameters",
            &[("DBParameterGroupName", "gov-postgres14"), ("MaxRecords", "100")],
        ),
        (
            Query::DescribeTargetGroups { scope: scope(), arns: vec!["a".into(), "b".into()] },
            "DescribeTargetGroups",
            &[("TargetGroupArns.member.1", "a"), ("TargetGroupArns.member.2", "b")],
        ),
    ];
    for (query, operation, due) in cases {
        let stub = serve(Duration::ZERO, move |_| xml(operation, "")).await;
        ask(&stub, query).await.unwrap();
        let request = form(&first(&stub));
        assert_eq!(of(&request, "Action"), Some(operation));
        for (name, value) in due {
            assert_eq!(of(&request, name), Some(*value), "{operation}: {request:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn json_lists_are_asked_for_as_their_models_say() {
    let trail = |source: &str| Query::LookupEvents {
        scope: scope(),
        source: source.to_owned(),
        from: Wall(1_795_143_000_000),
        page: None,
    };
    let attribute = |key: &str, value: &str| {
        json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
            "StartTime": 1_795_143_000, "MaxResults": 50})
    };
    let cases = [
        (
            Query::ListSecrets { scope: scope(), page: None },
            "ListSecrets",
            json!({"IncludePlannedDeletion": true, "MaxResults": 100}),
        ),
        (
            Query::DescribeSecret { scope: scope(), secret: "gateway/db".into() },
            "DescribeSecret",
            json!({"SecretId": "gateway/db"}),
        ),
        (
            Query::DescribeParameters { scope: scope(), page: None },
            "DescribeParameters",
            json!({"MaxResults": 50}),
        ),
        (trail("ecs.amazonaws.com"), "LookupEvents", attribute("EventSource", "ecs.amazonaws.com")),
        (trail(""), "LookupEvents", attribute("ReadOnly", "false")),
        (
            Query::DescribeScalableTargets { scope: scope(), page: None },
            "DescribeScalableTargets",
            json!({"ServiceNamespace": "ecs", "MaxResults": 50}),
        ),
    ];
    for (query, operation, due) in cases {
        let stub = serve(Duration::ZERO, |_| Reply::Json(200, json!({}))).await;
        ask(&stub, query).await.unwrap();
        let seen = first(&stub);
        assert_eq!((seen.operation.as_str(), seen.body), (operation, due));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_action_that_is_missing_in_each_protocol() {
    let refusal = |action: &str| {
        format!(
            "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: {action} on resource: * \
             because no identity-based policy allows the {action} action"
        )
    };
    let of_xml = |message: String| {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message>\
             </Error><RequestId>r</RequestId></ErrorResponse>"
        );
        Reply::Raw(403, vec![("content-type", "text/xml".into())], body)
    };
    let of_cbor = |message: String| {
        let header = ("x-amzn-query-error", "AccessDenied;Sender".to_owned());
        let body = map(vec![("__type", text("AccessDeniedException")), ("message", text(&message))]);
        Reply::Cbor(403, vec![header], body)
    };
    let of_json =
        |message: String| Reply::Json(400, json!({"__type": "AccessDeniedException", "Message": message}));
    let page = None;
    /// A question and the refusal in the shape of its protocol.
    type Refused = (Query, fn(String) -> Reply);
    let cases: [Refused; 6] = [
        (alarms(None, None), of_cbor),
        (Query::DescribeDbInstances { scope: scope(), page: page.clone() }, of_xml),
        (Query::DescribeReplicationGroups { scope: scope(), page: page.clone() }, of_xml),
        (Query::ListSecrets { scope: scope(), page: page.clone() }, of_json),
        (Query::DescribeParameters { scope: scope(), page: page.clone() }, of_json),
        (Query::DescribeScalableTargets { scope: scope(), page }, of_json),
    ];
    for (query, reply) in cases {
        let action = query.action();
        let stub = serve(Duration::ZERO, move |_| reply(refusal(action))).await;
        let fault = ask(&stub, query).await.unwrap_err();
        assert_eq!((fault.kind, fault.action.as_deref()), (FaultKind::Denied, Some(action)));
        let hint = fault.hint.unwrap();
        assert!(hint.starts_with(&format!("missing permission: {action}")), "{hint}");
        assert_eq!(stub.count(), 1, "asking again changes nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_is_known_in_each_protocol_and_asked_again() {
    let cbor = || {
        let header = ("x-amzn-query-error", "Throttling;Sender".to_owned());
        let body = map(vec![("__type", text("ThrottlingException")), ("message", text("Rate exceeded"))]);
        Reply::Cbor(400, vec![header], body)
    };
    let stub = serve(Duration::ZERO, move |seen| match seen.number {
        0 => cbor(),
        _ => Reply::Cbor(200, Vec::new(), map(Vec::new())),
    })
    .await;
    ask(&stub, alarms(None, None)).await.unwrap();
    assert_eq!(stub.count(), 2);
    let stub = serve(Duration::ZERO, |seen| match seen.number {
        0 => Reply::Raw(
            400,
            vec![("content-type", "text/xml".into())],
            "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
                .into(),
        ),
        _ => xml("DescribeDBInstances", ""),
    })
    .await;
    ask(&stub, Query::DescribeDbInstances { scope: scope(), page: None }).await.unwrap();
    assert_eq!(stub.count(), 2);
}

/// From which number on a page begins, by its token.
fn from(token: Option<&str>) -> usize {
    token.map_or(0, |token| token.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn two_hundred_alarms_fifty_databases_and_three_hundred_secrets_are_read_to_the_end() {
    let stub = serve(Duration::ZERO, |seen| {
        if seen.path.ends_with("DescribeAlarms") {
            let body = sent(seen);
            let begin = from(field(&body, "NextToken").and_then(Cbor::as_text));
            let alarm = |n: usize| map(vec![("AlarmName", text(&format!("alarm-{n}")))]);
            let alarms = (begin..(begin + 100).min(200)).map(alarm).collect();
            let mut answer = vec![("MetricAlarms", Cbor::Array(alarms))];
            if begin + 100 < 200 {
                answer.push(("NextToken", text("100")));
            }
            return Reply::Cbor(200, Vec::new(), map(answer));
        }
        if seen.operation == "ListSecrets" {
            let begin = from(seen.body["NextToken"].as_str());
            let end = (begin + 100).min(300);
            let secrets: Vec<_> = (begin..end).map(|n| json!({"Name": format!("app/{n}")})).collect();
            let next = (end < 300).then(|| end.to_string());
            return Reply::Json(200, json!({"SecretList": secrets, "NextToken": next}));
        }
        // RDS may give fewer than were asked for.
        let begin = from(of(&form(seen), "Marker"));
        let end = (begin + 20).min(50);
        let instance = |n: usize| {
            format!("<DBInstance><DBInstanceIdentifier>db-{n}</DBInstanceIdentifier></DBInstance>")
        };
        let instances: String = (begin..end).map(instance).collect();
        let marker = if end < 50 { format!("<Marker>{end}</Marker>") } else { String::new() };
        xml("DescribeDBInstances", &format!("<DBInstances>{instances}</DBInstances>{marker}"))
    })
    .await;
    let cloud = cloud(&stub);
    for (query, due) in [
        (alarms(None, None), 200),
        (Query::DescribeDbInstances { scope: scope(), page: None }, 50),
        (Query::ListSecrets { scope: scope(), page: None }, 300),
    ] {
        let action = query.action();
        let (sweep, _) = sweep(&cloud, Goal::Pages(Box::new(query))).await;
        assert!(sweep.is_complete(), "{action}: {:?}", sweep.faults);
        let mut names = sweep.listed.clone();
        names.sort();
        names.dedup();
        assert_eq!((sweep.listed.len(), names.len()), (due, due), "{action}");
    }
}

#[test]
fn no_code_path_can_fetch_a_secret_or_a_parameter() {
    let forbidden = [
        ["get_secret", "_value"].concat(),
        ["get_random", "_password"].concat(),
        ["get_para", "meter"].concat(),
    ];
    let mut folders = vec![crate::tidy::root().join("src/cloud")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            seen += 1;
            let text = crate::tidy::read(&path);
            for call in &forbidden {
                assert!(!text.contains(call.as_str()), "{} calls {call}", path.display());
            }
        }
    }
    assert!(seen > 30, "only {seen} files were read");
}
