//! Operations against a world, without a wire.

use serde_json::{Value, json};

use super::handle;
use crate::sim::stack::Stack;
use crate::sim::world::World;
use crate::stdx::clock::Wall;

fn call(input: Value) -> Vec<String> {
    let mut world = World::new(vec![Stack::builtin("saas").unwrap().unwrap()], 7, Wall(1_795_176_000_000));
    let mut input = input;
    let mut names = Vec::new();
    loop {
        let answer = handle(&mut world, "me-south-1", "DescribeParameters", &input).unwrap();
        let page = answer["Parameters"].as_array().unwrap();
        names.extend(page.iter().map(|found| found["Name"].as_str().unwrap().to_owned()));
        match answer.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => return names,
        }
    }
}

#[test]
fn parameters_are_paged_in_the_order_of_their_names() {
    let whole = call(json!({}));
    assert_eq!(whole.len(), 4);
    assert!(whole.is_sorted());
    assert_eq!(call(json!({"MaxResults": 1})), whole);
}

#[test]
fn filters_of_both_kinds_are_understood() {
    let by = |key: &str, option: &str, value: &str| {
        call(json!({"ParameterFilters": [{"Key": key, "Option": option, "Values": [value]}]})).len()
    };
    assert_eq!(by("Name", "Equals", "/saas/production/ai-soft-limit"), 1);
    assert_eq!(by("Name", "BeginsWith", "/saas/production/ai"), 2);
    assert_eq!(by("Path", "OneLevel", "/saas/production"), 3);
    assert_eq!(by("Path", "Recursive", "/saas"), 4);
    assert_eq!(call(json!({"Filters": [{"Key": "Type", "Values": ["SecureString"]}]})).len(), 1);
}

#[test]
fn no_value_is_handed_out() {
    let mut world = World::new(Vec::new(), 7, Wall(0));
    for operation in ["GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory"] {
        let error = handle(&mut world, "us-east-1", operation, &json!({})).unwrap_err();
        assert_eq!(error.code, "AccessDeniedException");
    }
    let error =
        handle(&mut world, "us-east-1", "DescribeParameters", &json!({"MaxResults": 51})).unwrap_err();
    assert_eq!(error.code, "ValidationException");
}

#[test]
fn a_parameter_is_written_version_by_version() {
    let mut world = World::new(vec![Stack::builtin("saas").unwrap().unwrap()], 7, Wall(1_795_176_000_000));
    let mut put = |input: Value| handle(&mut world, "me-south-1", "PutParameter", &input);
    let limit = json!({"Name": "/saas/production/ai-soft-limit", "Value": "12"});
    assert_eq!(put(limit.clone()).unwrap_err().code, "ParameterAlreadyExists");
    let mut over = limit;
    over["Overwrite"] = json!(true);
    let first = put(over.clone()).unwrap()["Version"].as_u64().unwrap();
    assert_eq!(put(over.clone()).unwrap()["Version"], first + 1);
    over["Type"] = json!("SecureString");
    assert_eq!(put(over).unwrap_err().code, "HierarchyTypeMismatchException");
    for (input, code) in [
        (json!({"Name": "a b", "Value": "1", "Type": "String"}), "ValidationException"),
        (json!({"Name": "/aws/x", "Value": "1", "Type": "String"}), "ValidationException"),
        (json!({"Name": "/x", "Value": "", "Type": "String"}), "ValidationException"),
        (json!({"Name": "/x", "Value": "1"}), "ValidationException"),
        (
            json!({"Name": "/a".repeat(16), "Value": "1", "Type": "String"}),
            "HierarchyLevelLimitExceededException",
        ),
    ] {
        assert_eq!(put(input.clone()).unwrap_err().code, code, "{input}");
    }
    assert_eq!(put(json!({"Name": "/new", "Value": "1", "Type": "String"})).unwrap()["Version"], 1);
    let asked = json!({"ParameterFilters": [{"Key": "Name", "Values": ["/new"]}]});
    let found = handle(&mut world, "me-south-1", "DescribeParameters", &asked).unwrap();
    assert_eq!(found["Parameters"][0]["LastModifiedDate"], 1_795_176_000.0);
}
