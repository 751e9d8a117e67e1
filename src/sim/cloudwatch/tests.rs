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
