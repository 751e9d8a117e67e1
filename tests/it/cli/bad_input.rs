//! What bad input gets: a sentence, a hint, the right exit code.

use crate::cli::{World, told};
use crate::program::{Outcome, Program};

fn snapshot(name: &str, outcome: &Outcome, code: i32) {
    assert_eq!(outcome.code, code, "{outcome:?}");
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots/bad_input" }, {
        insta::assert_snapshot!(name, told(outcome));
    });
}

/// Loopback, where nobody listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn credentials_and_regions() {
    let program = Program::new();
    snapshot("no-region", &program.run(&["services"]), 2);
    snapshot("no-credentials", &program.run(&["services", "--region", "eu-west-2"]), 4);
    snapshot(
        "unknown-profile",
        &program.run(&["services", "--profile", "nobody", "--region", "eu-west-2"]),
        2,
    );
    snapshot("bad-region", &program.run(&["services", "--region", "london"]), 2);
    let program = program.against("http://127.0.0.1:1");
    let arn = "arn:aws:ecs:eu-west-2:123456789012:service/a/b";
    snapshot("arn-elsewhere", &program.run(&["service", arn, "--region", "us-east-1"]), 2);
}

#[test]
fn answers_that_are_no_answers() {
    for (name, fault, code) in [
        ("expired", "*:expired", 4),
        ("denied", "ecs:ListClusters:denied", 4),
        ("throttled", "ecs:*:throttle", 5),
        ("black-hole", "*:blackhole", 5),
        ("truncated", "ecs:ListClusters:truncate", 5),
        ("server-error", "ecs:ListClusters:error=500", 5),
    ] {
        let world = World::with(&["gov"], &[fault]);
        let program = Program::new().against(&world.url);
        let outcome = program.run(&["services", "--timeout", "4s"]);
        // How many requests were under way, and after how many tries, is a matter of speed.
        assert_eq!(outcome.code, code, "{name}: {outcome:?}");
        assert!(
            outcome.out.is_empty() && outcome.err.contains("opsdeck: us-east-1: "),
            "{name}: {outcome:?}"
        );
        if matches!(name, "expired" | "denied") {
            snapshot(name, &outcome, code);
        }
    }
    let outcome = Program::new().against(&nowhere()).run(&["services", "--timeout", "20s"]);
    snapshot("unreachable", &outcome, 5);
}

#[test]
fn a_denied_scope_does_not_hide_the_others() {
    let world = World::with(&["gov", "cma"], &["ecs:ListServices:denied,times=1"]);
    let program = Program::new().against(&world.url);
    let outcome = program.run(&["services", "--region", "us-east-1,eu-west-2", "-o", "json"]);
    assert_eq!(outcome.code, 6, "{outcome:?}");
    let envelope: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(envelope["complete"], false);
    assert_eq!(envelope["failures"][0]["kind"], "denied");
    let complete = |scope: &serde_json::Value| scope["complete"].as_bool().unwrap();
    let scopes = envelope["scopes"].as_array().unwrap();
    assert_eq!(scopes.iter().filter(|scope| complete(scope)).count(), 1);
    assert!(!envelope["items"].as_array().unwrap().is_empty());
    assert!(outcome.err.contains("the result is partial"), "{outcome:?}");
}

#[test]
fn names_that_mean_nothing() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url);
    snapshot("unknown-service", &program.run(&["service", "gov-backnd"]), 3);
    snapshot("unknown-service-in-cluster", &program.run(&["tasks", "gov-cluster/backend"]), 3);
    snapshot("unknown-cluster", &program.run(&["services", "--cluster", "gov-clutser"]), 3);
    snapshot("unknown-revision", &program.run(&["task-definition", "gov-backend:9999"]), 3);
    snapshot("not-a-service", &program.run(&["service", "arn:aws:ecs:us-east-1:1:task/a/b"]), 2);
    snapshot("too-many-slashes", &program.run(&["logs", "a/b/c"]), 2);
}

#[test]
fn flags_that_mean_nothing() {
    let program = Program::new().against("http://127.0.0.1:1");
    for (name, words) in [
        ("unknown-verb", &["servces"][..]),
        ("unknown-flag", &["services", "--regoin", "x"]),
        ("missing-name", &["logs"]),
        ("bad-span", &["logs", "web", "--since", "10"]),
        ("bad-number", &["logs", "web", "--tail", "many"]),
        ("bad-choice", &["services", "--output", "yaml"]),
        ("bad-filter", &["logs", "web", "--filter", "/(/"]),
        ("follow-as-json", &["logs", "web", "-f", "--output", "json"]),
        ("bad-fault", &["sim", "--fault", "everything"]),
        ("bad-address", &["sim", "--listen", "here"]),
        ("remote-address", &["sim", "--listen", "0.0.0.0:0"]),
        ("no-time", &["sim", "--speed", "0"]),
    ] {
        snapshot(name, &program.run(words), 2);
    }
}

#[test]
fn files_with_mistakes() {
    let program = Program::new();
    program.file(".config/opsdeck/config.toml", b"[ui]\ntheme = 3\n");
    snapshot("bad-config", &program.run(&["services"]), 2);
    snapshot("missing-config", &program.run(&["services", "--config", "nowhere.toml"]), 2);
    program.file("broken.toml", b"\xff\xfe");
    snapshot("binary-config", &program.run(&["services", "--config", "broken.toml"]), 2);

    let program = Program::new();
    program.file(".config/opsdeck/keymaps/mine.toml", b"[anywhere]\n\"q\" = \"quitt\"\n");
    snapshot("bad-keymap", &program.run(&["keys", "mine", "--check"]), 2);
    program.file(".config/opsdeck/themes/mine.toml", b"[roles]\ntext = { fg = \"reed\" }\n");
    snapshot("bad-theme", &program.run(&["themes", "mine", "--check"]), 2);
    snapshot("unknown-theme", &program.run(&["themes", "drak"]), 2);
    snapshot("unknown-keymap", &program.run(&["keys", "nano"]), 2);
}

#[test]
fn no_terminal_at_all() {
    let program = Program::new().against("http://127.0.0.1:1");
    for words in [&[][..], &["console"], &["demo", "gov"]] {
        snapshot("no-terminal", &program.run(words), 2);
    }
}

#[test]
fn nothing_is_read_from_the_current_directory() {
    let program = Program::new();
    program.file("config.toml", b"this is no TOML");
    program.file("opsdeck.toml", b"this is no TOML");
    let outcome = program.run(&["keys"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
}

#[test]
fn the_budget_stays_on_against_aws() {
    let program = Program::new()
        .with("AWS_ACCESS_KEY_ID", "x")
        .with("AWS_SECRET_ACCESS_KEY", "y")
        .with("AWS_REGION", "eu-west-2");
    let outcome = program.run(&["services", "--budget", "off"]);
    snapshot("budget-off", &outcome, 2);
    let world = World::of(&["gov"]);
    let outcome = Program::new().against(&world.url).run(&["services", "--budget", "off"]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
}

#[test]
fn credentials_of_another_account_are_refused() {
    let world = World::of(&["gov"]);
    let program = Program::new().against(&world.url).with("AWS_PROFILE", "gov");
    program.file(
        ".aws/config",
        b"[profile gov]\nregion = us-east-1\naws_access_key_id = x\naws_secret_access_key = y\n",
    );
    program.file(".config/opsdeck/config.toml", b"[accounts.gov]\nid = \"999999999999\"\n");
    snapshot("wrong-account", &program.run(&["services"]), 4);
}
