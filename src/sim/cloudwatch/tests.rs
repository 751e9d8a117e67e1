//! CloudWatch's operations over one world; the wire's dress is `wire`'s and the server's tests'.

use serde_json::{Value, json};

use super::*;
use crate::sim::route::Protocol;
use crate::sim::stack::Stack;
use crate::stdx::clock::Wall;

/// 2026-11-20T12:00:30Z.
const NOW: Wall = Wall(1_795_176_030_000);

fn world(stack: &str) -> World {
    World::new(vec![Stack::builtin(stack).unwrap().unwrap()], 1, NOW)
}

fn ask(world: &mut World, operation: &str, body: &Value) -> Result<Value, ApiError> {
    let call = Call {
        protocol: Protocol::Json,
        service: "monitoring".to_owned(),
        region: world.stacks[0].region.clone(),
        operation: operation.to_owned(),
        version: None,
        body: body.to_string().into(),
    };
    match handle(world, &call)? {
        Reply::Json(value) => Ok(value),
        _ => panic!("JSON is answered in JSON"),
    }
}

fn names(page: &Value, list: &str) -> Vec<String> {
    page[list].as_array().unwrap().iter().map(|a| a["AlarmName"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn composite_alarms_are_returned_only_when_asked_for() {
    let mut world = world("gov");
    let usual = ask(&mut world, "DescribeAlarms", &json!({})).unwrap();
    assert_eq!((names(&usual, "MetricAlarms").len(), names(&usual, "CompositeAlarms").len()), (8, 0));
    let all = ask(&mut world, "DescribeAlarms", &json!({"AlarmTypes": ["CompositeAlarm", "MetricAlarm"]}));
    assert_eq!(names(&all.unwrap(), "CompositeAlarms"), ["gov-citizens-notice"]);
    let children = json!({"ChildrenOfAlarmName": "gov-citizens-notice"});
    let children = ask(&mut world, "DescribeAlarms", &children).unwrap();
    assert_eq!(names(&children, "MetricAlarms"), ["gov-backend-5xx", "gov-db-slow-queries"]);
}

#[test]
fn pages_hold_all_alarms_once_and_filters_hold() {
    let mut world = world("saas");
    let whole = names(&ask(&mut world, "DescribeAlarms", &json!({})).unwrap(), "MetricAlarms");
    let (mut seen, mut input) = (Vec::new(), json!({"MaxRecords": 3}));
    loop {
        let page = ask(&mut world, "DescribeAlarms", &input).unwrap();
        seen.extend(names(&page, "MetricAlarms"));
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(seen, whole);
    let firing = ask(&mut world, "DescribeAlarms", &json!({"StateValue": "ALARM"})).unwrap();
    assert!(firing["MetricAlarms"].as_array().unwrap().iter().all(|alarm| alarm["StateValue"] == "ALARM"));
    let prefix = ask(&mut world, "DescribeAlarms", &json!({"AlarmNamePrefix": "saas-db"})).unwrap();
    assert_eq!(names(&prefix, "MetricAlarms"), ["saas-db-connections-high"]);
    let math = &prefix["MetricAlarms"][0]["Metrics"];
    assert_eq!(math[0]["Expression"], "100 * connections / 450");
    assert_eq!(math[1]["MetricStat"]["Metric"]["Dimensions"][0]["Value"], "saas-db");
    for (wrong, code) in [
        (json!({"MaxRecords": 101}), "ValidationError"),
        (json!({"NextToken": "?"}), "InvalidNextToken"),
        (json!({"StateValue": "FINE"}), "InvalidParameterValue"),
    ] {
        assert_eq!(ask(&mut world, "DescribeAlarms", &wrong).unwrap_err().code, code);
    }
}

#[test]
fn an_alarm_that_was_put_is_described_evaluated_and_remembered() {
    let mut world = world("saas");
    let put = json!({
        "AlarmName": "quiet", "Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Statistic": "Average",
        "Dimensions": [{"Name": "ServiceName", "Value": "saas-backend"}, {"Name": "ClusterName", "Value": "saas"}],
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 0.5, "ComparisonOperator": "GreaterThanThreshold",
    });
    ask(&mut world, "PutMetricAlarm", &put).unwrap();
    let found = |world: &mut World| {
        ask(world, "DescribeAlarms", &json!({"AlarmNames": ["quiet"]})).unwrap()["MetricAlarms"][0].clone()
    };
    assert_eq!(found(&mut world)["StateValue"], "INSUFFICIENT_DATA");
    world.advance(NOW.plus(std::time::Duration::from_secs(61)));
    let alarm = found(&mut world);
    assert_eq!(alarm["StateValue"], "ALARM", "{alarm}");
    assert_eq!(alarm["Threshold"], 0.5);
    let by_metric = ask(&mut world, "DescribeAlarmsForMetric", &put).unwrap();
    assert!(names(&by_metric, "MetricAlarms").contains(&"quiet".to_owned()));

    let history = ask(&mut world, "DescribeAlarmHistory", &json!({"AlarmName": "quiet"})).unwrap();
    let kinds: Vec<&str> = history["AlarmHistoryItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["HistoryItemType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["StateUpdate", "ConfigurationUpdate"]);
    ask(&mut world, "DeleteAlarms", &json!({"AlarmNames": ["quiet"]})).unwrap();
    let gone = ask(&mut world, "DeleteAlarms", &json!({"AlarmNames": ["quiet"]})).unwrap_err();
    assert_eq!((gone.status, gone.code.as_str()), (404, "ResourceNotFound"));
    let mut wrong = put.clone();
    wrong["ComparisonOperator"] = json!("GreaterThanUpperThreshold");
    assert!(ask(&mut world, "PutMetricAlarm", &wrong).is_err());
}

fn query(points: Option<u32>, token: Option<&Value>) -> Value {
    let stat = |metric: &str, stat: &str| {
        json!({
            "Metric": {
                "Namespace": "AWS/ECS", "MetricName": metric,
                "Dimensions": [{"Name": "ClusterName", "Value": "saas"}, {"Name": "ServiceName", "Value": "saas-backend"}],
            },
            "Period": 300, "Stat": stat,
        })
    };
    let mut input = json!({
        "MetricDataQueries": [
            {"Id": "cpu", "MetricStat": stat("CPUUtilization", "Average"), "Label": "CPU"},
            {"Id": "memory", "MetricStat": stat("MemoryUtilization", "Maximum"), "ReturnData": false},
            {"Id": "both", "Expression": "cpu + memory"},
        ],
        "StartTime": NOW.0 / 1_000 - 3_630, "EndTime": NOW.0 / 1_000, "ScanBy": "TimestampAscending",
    });
    if let Some(points) = points {
        input["MaxDatapoints"] = json!(points);
    }
    if let Some(token) = token {
        input["NextToken"] = token.clone();
    }
    input
}

#[test]
fn metric_data_comes_whole_or_in_pages() {
    let mut world = world("saas");
    let whole = ask(&mut world, "GetMetricData", &query(None, None)).unwrap();
    let results = whole["MetricDataResults"].as_array().unwrap();
    let ids: Vec<&str> = results.iter().map(|result| result["Id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["cpu", "both"]);
    assert_eq!((&results[0]["Label"], &results[0]["StatusCode"]), (&json!("CPU"), &json!("Complete")));
    assert_eq!(results[0]["Values"].as_array().unwrap().len(), 12);

    let (mut parts, mut token): (Vec<Value>, Option<Value>) = (Vec::new(), None);
    loop {
        let page = ask(&mut world, "GetMetricData", &query(Some(5), token.as_ref())).unwrap();
        for result in page["MetricDataResults"].as_array().unwrap() {
            let values = result["Values"].as_array().unwrap();
            parts.extend(values.iter().cloned());
        }
        token = page.get("NextToken").cloned();
        if token.is_none() {
            break;
        }
    }
    let all: Vec<Value> =
        results.iter().flat_map(|result| result["Values"].as_array().unwrap().iter().cloned()).collect();
    assert_eq!(parts, all);
    let mut wrong = query(None, None);
    wrong["MetricDataQueries"][2]["Expression"] = json!("cpu +");
    assert_eq!(ask(&mut world, "GetMetricData", &wrong).unwrap_err().code, "ValidationError");
}

#[test]
fn statistics_and_lists_agree() {
    let mut world = world("saas");
    let listed = ask(
        &mut world,
        "ListMetrics",
        &json!({"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount"}),
    );
    let listed = listed.unwrap();
    assert_eq!(listed["Metrics"].as_array().unwrap().len(), 2, "{listed}");
    let mut input = listed["Metrics"][0].clone();
    for (key, value) in [
        ("StartTime", json!(NOW.0 / 1_000 - 3_600)),
        ("EndTime", json!(NOW.0 / 1_000)),
        ("Period", json!(60)),
        ("Statistics", json!(["Sum", "SampleCount"])),
        ("ExtendedStatistics", json!(["p90"])),
    ] {
        input[key] = value;
    }
    let found = ask(&mut world, "GetMetricStatistics", &input).unwrap();
    let points = found["Datapoints"].as_array().unwrap();
    assert!((57..=59).contains(&points.len()), "{}", points.len());
    assert!(points.iter().all(|point| point["Sum"] == point["SampleCount"] && point["Unit"] == "Count"));
    input["Period"] = json!(61);
    assert_eq!(ask(&mut world, "GetMetricStatistics", &input).unwrap_err().code, "InvalidParameterValue");
}

fn history(world: &mut World, name: &str, kind: &str) -> Vec<String> {
    let input = json!({"AlarmName": name, "HistoryItemType": kind, "ScanBy": "TimestampAscending", "MaxRecords": 100,
        "StartDate": NOW.as_secs_f64()});
    let found = ask(world, "DescribeAlarmHistory", &input).unwrap();
    let items = found["AlarmHistoryItems"].as_array().unwrap();
    items.iter().map(|item| item["HistorySummary"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_muted_alarm_changes_its_state_and_acts_only_when_its_window_is_over() {
    let name = "gov-backend-5xx";
    // NOW is half a minute past noon.
    let rule = json!({"Name": "deploy", "Description": "quiet", "MuteTargets": {"AlarmNames": [name]},
        "Rule": {"Schedule": {"Expression": "at(2026-11-20T12:00)", "Duration": "PT10M"}}});
    let set = |world: &mut World, state: &str| {
        ask(world, "SetAlarmState", &json!({"AlarmName": name, "StateValue": state, "StateReason": "drill"}))
            .unwrap();
    };
    let mut loud = world("gov");
    set(&mut loud, "ALARM");
    let due = history(&mut loud, name, "Action");
    assert!(!due.is_empty(), "the alarm has actions");

    let mut world = world("gov");
    ask(&mut world, "PutAlarmMuteRule", &rule).unwrap();
    let found = ask(&mut world, "GetAlarmMuteRule", &json!({"AlarmMuteRuleName": "deploy"})).unwrap();
    assert_eq!((&found["Status"], &found["MuteType"]), (&json!("ACTIVE"), &json!("ONE_TIME")));
    assert_eq!(found["Rule"], rule["Rule"]);
    set(&mut world, "ALARM");
    assert_eq!(history(&mut world, name, "StateUpdate").len(), 1);
    assert_eq!(history(&mut world, name, "Action"), Vec::<String>::new());
    // Whoever takes the rule away lets happen what it held back.
    ask(&mut world, "DeleteAlarmMuteRule", &json!({"AlarmMuteRuleName": "deploy"})).unwrap();
    assert_eq!(history(&mut world, name, "Action"), due);
    ask(&mut world, "DeleteAlarmMuteRule", &json!({"AlarmMuteRuleName": "deploy"})).unwrap();
    let gone = ask(&mut world, "GetAlarmMuteRule", &json!({"AlarmMuteRuleName": "deploy"})).unwrap_err();
    assert_eq!((gone.status, gone.code.as_str()), (404, "ResourceNotFoundException"));
}

#[test]
fn what_a_mute_rule_held_back_happens_when_its_window_ends_if_it_is_still_due() {
    let rule = |names: &[&str]| {
        json!({"Name": "deploy", "MuteTargets": {"AlarmNames": names},
        "Rule": {"Schedule": {"Expression": "cron(0 12 * * *)", "Duration": "PT5M"}}})
    };
    let mut world = world("gov");
    // Nothing feeds this alarm, so that it stays as it is set.
    let put = json!({"AlarmName": "own", "Namespace": "Drill", "MetricName": "None", "Period": 60, "Statistic": "Sum",
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore",
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:page"]});
    ask(&mut world, "PutMetricAlarm", &put).unwrap();
    ask(&mut world, "PutAlarmMuteRule", &rule(&["own"])).unwrap();
    ask(
        &mut world,
        "SetAlarmState",
        &json!({"AlarmName": "own", "StateValue": "ALARM", "StateReason": "drill"}),
    )
    .unwrap();
    world.advance(NOW.plus(std::time::Duration::from_secs(240)));
    assert_eq!(history(&mut world, "own", "Action"), Vec::<String>::new());
    world.advance(NOW.plus(std::time::Duration::from_secs(360)));
    assert_eq!(history(&mut world, "own", "Action").len(), 1);
    let listed = ask(&mut world, "ListAlarmMuteRules", &json!({"AlarmName": "own"})).unwrap();
    let listed = &listed["AlarmMuteRuleSummaries"][0];
    assert_eq!((&listed["Status"], &listed["MuteType"]), (&json!("SCHEDULED"), &json!("RECURRING")));
    let active = ask(&mut world, "ListAlarmMuteRules", &json!({"Statuses": ["ACTIVE"]})).unwrap();
    assert_eq!(active["AlarmMuteRuleSummaries"], json!([]));
    for wrong in [
        rule(&["nobody"]),
        json!({"Name": "x"}),
        json!({"Name": "x", "Rule": {"Schedule": {"Expression": "at(noon)", "Duration": "PT1H"}}}),
    ] {
        assert_eq!(ask(&mut world, "PutAlarmMuteRule", &wrong).unwrap_err().status, 400, "{wrong}");
    }
}

#[test]
fn each_metric_of_databases_and_caches_has_its_unit() {
    let mut world = world("saas");
    let units: std::collections::BTreeSet<(String, String)> = ["AWS/RDS", "AWS/ElastiCache"]
        .into_iter()
        .flat_map(|namespace| {
            let listed = ask(&mut world, "ListMetrics", &json!({"Namespace": namespace})).unwrap();
            listed["Metrics"].as_array().unwrap().clone()
        })
        .collect::<Vec<Value>>()
        .into_iter()
        .filter_map(|metric| {
            let mut input = metric.clone();
            input["StartTime"] = json!(NOW.as_secs_f64() - 900.0);
            input["EndTime"] = json!(NOW.as_secs_f64());
            input["Period"] = json!(300);
            input["Statistics"] = json!(["Average"]);
            let found = ask(&mut world, "GetMetricStatistics", &input).unwrap();
            let unit = found["Datapoints"][0]["Unit"].as_str()?.to_owned();
            Some((metric["MetricName"].as_str().unwrap().to_owned(), unit))
        })
        .collect();
    let of = |name: &str| units.iter().find(|(own, _)| own == name).map(|(_, unit)| unit.as_str());
    for (name, unit) in [
        ("CPUUtilization", "Percent"),
        ("DatabaseConnections", "Count"),
        ("FreeStorageSpace", "Bytes"),
        ("FreeableMemory", "Bytes"),
        ("ReadIOPS", "Count/Second"),
        ("WriteLatency", "Seconds"),
        ("WriteThroughput", "Bytes/Second"),
        ("BytesUsedForCache", "Bytes"),
        ("EngineCPUUtilization", "Percent"),
        ("Evictions", "Count"),
    ] {
        assert_eq!(of(name), Some(unit), "{name}");
    }
}
