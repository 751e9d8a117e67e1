//! Each verb in each form.

use std::io::{BufRead, BufReader, Read};

use crate::cli::{World, calm, redacted, told};
use crate::program::Program;
use opsdeck::sim::SimConfig;

fn snapshot(name: &str, outcome: &crate::program::Outcome) {
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots/cli" }, {
        insta::assert_snapshot!(name, told(outcome));
    });
}

#[test]
fn every_verb_in_every_form() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let verbs: [&[&str]; 10] = [
        &["whoami"],
        &["clusters"],
        &["services"],
        &["services", "gov-ai-service"],
        &["service", "gov-cluster/gov-backend"],
        &["tasks", "gov-backend", "--state", "running"],
        &["events", "gov-backend", "--since", "1w"],
        &["task-definition", "gov-backend"],
        &["deployments", "gov-backend"],
        &["themes"],
    ];
    for words in verbs {
        for form in ["table", "json", "ndjson"] {
            let outcome = program.run(&[words, &["--output", form]].concat());
            assert_eq!(outcome.code, 0, "{words:?}: {outcome:?}");
            if form == "table" {
                snapshot(&words.join("-").replace('/', "-"), &outcome);
            } else {
                // Shapes are held by `json`; here: one line, or items and a trailer.
                let lines: Vec<serde_json::Value> =
                    outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                assert!(form != "json" || lines.len() == 1, "{words:?}");
                assert!(outcome.err.is_empty(), "{words:?}: {outcome:?}");
            }
        }
    }
}

#[test]
fn json_is_as_it_was() {
    let world = World::of(&["migrate"]);
    let program = Program::new().against(&world.url);
    for words in [["services", "-o", "json"], ["clusters", "-o", "ndjson"], ["whoami", "-o", "json"]] {
        snapshot(&words.join(""), &program.run(&words));
    }
}

#[test]
fn three_regions_are_one_list() {
    let world = World::of(&["gov", "cma", "saas"]);
    let program = Program::new().against(&world.url);
    program.file(
        ".config/opsdeck/config.toml",
        b"[regions]\nall = [\"us-east-1\", \"eu-west-2\", \"me-south-1\"]\n",
    );
    snapshot("services-of-three-regions", &program.run(&["services", "--region", "all"]));
}

#[test]
fn values_of_the_environment_are_masked_unless_revealed() {
    let world = World::of(&["codeguardians"]);
    let program = Program::new().against(&world.url);
    let words = ["task-definition", "gateway-service", "-o", "json"];
    let values = |words: &[&str]| -> Vec<String> {
        let envelope: serde_json::Value = serde_json::from_str(&program.run(words).out).unwrap();
        let containers = envelope["items"][0]["containers"].as_array().unwrap().clone();
        let environments = containers.iter().filter_map(|c| c["environment"].as_object());
        environments.flat_map(|e| e.values()).map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    let masked = values(&words);
    assert!(!masked.is_empty() && masked.iter().all(|value| value == "********"), "{masked:?}");
    let revealed = values(&[&words[..], &["--reveal"]].concat());
    assert!(revealed.iter().all(|value| value != "********"), "{revealed:?}");
    let table = program.run(&["task-definition", "gateway-service"]).out;
    let mut shown = table.lines().filter(|line| line.trim_start().starts_with("environment")).peekable();
    assert!(shown.peek().is_some() && shown.all(|line| line.ends_with("=********")), "{table}");
}

#[test]
fn an_arn_needs_no_region() {
    let world = World::of(&["cma"]);
    let program = Program::new().against(&world.url).with("AWS_REGION", "");
    let arn = "arn:aws:ecs:eu-west-2:123456789012:service/cma-production/cma-api-production";
    let outcome = program.run(&["service", arn, "-o", "json"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.out.contains(arn));
}

#[test]
fn a_family_and_revision_name_a_task_definition() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let current = program.run(&["services", "gov-backend", "-o", "json"]);
    let envelope: serde_json::Value = serde_json::from_str(&current.out).unwrap();
    let revision = envelope["items"][0]["task_definition"].as_str().unwrap();
    let outcome = program.run(&["task-definition", revision]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.out.starts_with(revision));
}

#[test]
fn lines_come_in_order_each_once() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let outcome = program.run(&["logs", "gov-backend", "--since", "5m", "-o", "ndjson"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let mut lines: Vec<serde_json::Value> =
        outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let trailer = lines.pop().unwrap();
    assert_eq!(trailer["complete"], true, "{trailer}");
    assert!(lines.len() > 50, "{} lines", lines.len());
    let times: Vec<&str> = lines.iter().map(|line| line["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    let mut ids: Vec<&str> = lines.iter().map(|line| line["event_id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), lines.len());
    let some = program.run(&["logs", "gov-backend", "--since", "5m", "--tail", "3", "--raw"]);
    assert_eq!(some.out.lines().count(), 3);
    let worse = program.run(&["logs", "gov-backend", "--since", "10m", "--level", "error", "-o", "json"]);
    let worse: serde_json::Value = serde_json::from_str(&worse.out).unwrap();
    let levels =
        worse["items"].as_array().unwrap().iter().map(|item| item["level"].as_str().unwrap_or("none"));
    assert!(levels.into_iter().all(|level| level == "error" || level == "fatal"));
}

#[test]
fn following_goes_on_until_it_is_interrupted_and_ends_well() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let mut child =
        program.command(&["logs", "gov-backend", "-f", "--since", "1m", "-o", "ndjson"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    let line: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert!(line["message"].is_string());
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let trailer: serde_json::Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!(trailer["complete"], true);
}

#[test]
fn what_needs_no_aws_says_so_without_any() {
    let program = Program::new();
    for words in [&["--help"][..], &["--version"], &["logs", "--help"], &["keys", "vim"], &["themes", "dark"]]
    {
        let outcome = program.run(words);
        assert_eq!((outcome.code, outcome.err.as_str()), (0, ""), "{words:?}");
        assert!(!outcome.out.is_empty());
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = program.run(&["completions", shell]);
        assert!(outcome.code == 0 && outcome.out.contains("task-definition"), "{shell}");
    }
    for keymap in ["default", "vim", "emacs"] {
        let outcome = program.run(&["keys", keymap, "--check"]);
        assert!(outcome.code == 0 && outcome.out.starts_with(&format!("keymap {keymap}: ")), "{outcome:?}");
    }
}

#[test]
fn colour_is_for_terminals_and_whoever_insists() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    let coloured = |words: &[&str]| program.run(words).out.contains('\x1b');
    assert!(!coloured(&["services"]));
    assert!(coloured(&["services", "--color", "always"]));
    assert!(!coloured(&["services", "--color", "never"]));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = Program::new().command(&["docs", "json"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn the_simulator_tells_how_to_reach_it_and_ends_on_a_signal() {
    let program = Program::new();
    let mut child = program.command(&["sim", "cma", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("Ctrl-C") {
        assert!(out.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let url = text.lines().find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=")).unwrap();
    let outcome = Program::new().against(url).run(&["whoami", "--region", "eu-west-2"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(redacted(&text).contains("export AWS_ENDPOINT_URL=http://[simulator]"));
}

#[test]
fn two_of_a_name_are_ambiguous_and_the_region_decides() {
    let mut twin = calm("migrate");
    twin.region = "us-west-2".to_owned();
    let world = World::made(SimConfig {
        stacks: vec![calm("migrate"), twin],
        throttle: false,
        lag: false,
        ..SimConfig::default()
    });
    let program = Program::new().against(&world.url);
    let both = ["--region", "us-east-1,us-west-2"];
    snapshot("ambiguous", &program.run(&[&["service", "migrate-backend-service"][..], &both].concat()));
    let one = program.run(&["service", "migrate-backend-service", "--region", "us-west-2"]);
    assert_eq!(one.code, 0, "{one:?}");
}

#[test]
fn the_trace_tells_what_was_asked_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url).with("AWS_SECRET_ACCESS_KEY", "not-for-a-trace");
    let path = program.file("trace.log", b"");
    let outcome = program.run(&["services", "--trace", "trace.log"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let trace = crate::tidy::read(&path);
    assert!(trace.contains("ecs:DescribeServices"), "{trace}");
    assert!(!trace.contains("not-for-a-trace") && !trace.contains("gov-backend"), "{trace}");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
