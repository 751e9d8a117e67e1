//! Machine-readable output against its documentation: every key that is printed is in `docs/json.md`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cli::World;
use crate::program::Program;

/// Objects whose keys are data.
const MAPS: [&str; 10] = [
    "tags",
    "settings",
    "environment",
    "secrets",
    "log_options",
    "depends_on",
    "dimensions",
    "pending",
    "parameter_groups",
    "parameters",
];

/// Documented keys by section of the page.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = crate::tidy::read(&crate::tidy::root().join("docs/json.md"));
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut section = String::new();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.trim_matches('`').to_owned();
        } else if let Some(row) = line.strip_prefix("| `") {
            let key = row.split('`').next().unwrap().to_owned();
            sections.entry(section.clone()).or_default().insert(key);
        }
    }
    sections
}

fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                found.insert(name.clone());
                if !MAPS.contains(&name.as_str()) {
                    keys(value, found);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_printed_key_is_documented() {
    let documented = documented();
    let world = World::of(&["gov", "codeguardians"]);
    let program = Program::new().against(&world.url);
    let verbs: [(&str, &[&str]); 17] = [
        ("whoami", &[]),
        ("clusters", &[]),
        ("services", &[]),
        ("service", &["gateway-service"]),
        ("tasks", &[]),
        ("events", &[]),
        ("logs", &["gateway-service", "--since", "30s"]),
        ("task-definition", &["gateway-service"]),
        ("deployments", &["gateway-service"]),
        ("alarms", &["gov-backend-cpu-high"]),
        ("metrics", &["gateway-service"]),
        ("rds", &["gov-db"]),
        ("cache", &[]),
        ("secrets", &["codeguardians-gateway/production"]),
        ("changes", &["--since", "1d"]),
        ("fleet", &[]),
        ("check", &["gateway-service"]),
    ];
    for (verb, rest) in verbs {
        let outcome = program.run(&[&[verb], rest, &["--output", "json"]].concat());
        assert_eq!(outcome.code, 0, "{outcome:?}");
        let envelope: Value = serde_json::from_str(&outcome.out).unwrap();
        let mut known = documented[verb].clone();
        if verb == "service" {
            known.extend(documented["services"].iter().cloned());
        }
        let mut printed = BTreeSet::new();
        keys(&envelope["items"], &mut printed);
        assert!(!printed.is_empty(), "{verb}");
        let missing: Vec<&String> = printed.difference(&known).collect();
        assert!(missing.is_empty(), "{verb}: docs/json.md does not know {missing:?}");
        let outer: BTreeSet<String> = envelope.as_object().unwrap().keys().cloned().collect();
        let missing: Vec<String> = outer.difference(&documented["The envelope"]).cloned().collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
