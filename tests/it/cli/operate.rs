//! Changes from the command line, each against everything that can come between: what the simulator was asked, what
//! the journal says, what the exit code and stderr tell.
//!
//! A request to change something is made exactly once or not at all; there is no third.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::Child;
use std::time::Duration;

use opsdeck::domain::verdict::Verdict;
use opsdeck::journal::{Entry, Event, verify};
use opsdeck::sim::world::image::Behaviour;
use opsdeck::sim::{Control, SimConfig};
use opsdeck::stdx::clock::{Clock, Wall};

use crate::cli::{World, calm};
use crate::program::{Outcome, Program};

/// A verb with the call that it makes first.
struct Verb {
    /// Its words; the number makes those differ that can be said only once.
    words: fn(&Stage, usize) -> Vec<String>,
    /// The mutating operation.
    operation: &'static str,
    /// What the policy calls it.
    name: &'static str,
    /// How often it can be acted on in one world.
    times: usize,
    /// Calls of the whole plan, when it is not watched; none when it always is.
    calls: Option<usize>,
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

const VERBS: &[Verb] = &[
    Verb {
        words: |_, _| words("deploy gov-backend"),
        operation: "UpdateService",
        name: "deploy",
        times: 9,
        calls: Some(1),
    },
    Verb {
        words: |_, _| words("deploy gov-backend --image 4be0d19 --container backend"),
        operation: "RegisterTaskDefinition",
        name: "deploy",
        times: 9,
        calls: Some(2),
    },
    Verb {
        words: |_, n| words(&format!("rollback gov-backend --to-revision {}", [47, 46, 44, 48][n % 4])),
        operation: "UpdateService",
        name: "rollback",
        times: 9,
        calls: Some(1),
    },
    Verb {
        words: |_, n| words(&format!("scale gov-backend {}", 3 + n % 2)),
        operation: "UpdateService",
        name: "scale",
        times: 9,
        calls: Some(1),
    },
    Verb {
        words: |stage, n| vec!["stop-task".to_owned(), stage.task(n)],
        operation: "StopTask",
        name: "stop-task",
        times: 4,
        calls: Some(1),
    },
    Verb {
        words: |_, _| words("restart gov-backend"),
        operation: "StopTask",
        name: "restart",
        times: 0,
        calls: None,
    },
    Verb {
        words: |_, _| words("rotate DB_PASS"),
        operation: "RotateSecret",
        name: "rotate",
        times: 1,
        calls: Some(1),
    },
    Verb {
        words: |_, _| words("rds reboot gov-db"),
        operation: "RebootDBInstance",
        name: "rds-reboot",
        times: 1,
        calls: Some(1),
    },
    Verb {
        words: |_, n| {
            let alarms =
                ["gov-backend-cpu-high", "gov-ai-service-cpu-high", "gov-backend-5xx", "gov-db-slow-queries"];
            words(&format!("alarm disable {}", alarms[n % 4]))
        },
        operation: "DisableAlarmActions",
        name: "alarm-disable",
        times: 4,
        calls: Some(1),
    },
];

/// A world with somebody at its command line.
struct Stage {
    world: World,
    program: Program,
    tasks: Vec<String>,
}

/// What one run left behind.
struct Left {
    outcome: Outcome,
    /// Requests to change something, by operation.
    asked: Vec<String>,
    /// New entries of the journal.
    entries: Vec<Entry>,
}

impl Stage {
    fn new() -> Self {
        Self::over(World::of(&["gov"]))
    }

    fn over(world: World) -> Self {
        let program = Program::new().against(&world.url);
        let mut stage = Self { world, program, tasks: Vec::new() };
        let listed = stage.program.run(&["tasks", "--state", "running", "-o", "json"]);
        let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
        let ids =
            listed["items"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap().to_owned());
        stage.tasks = ids.collect();
        stage
    }

    fn control(&self) -> &Control {
        &self.world.control
    }

    fn task(&self, number: usize) -> String {
        self.tasks[number % self.tasks.len()].clone()
    }

    fn asked(&self) -> Vec<String> {
        let operation = |action: String| action.split_once(':').map_or("", |(_, name)| name).to_owned();
        self.control().mutations().into_iter().map(|mutation| operation(mutation.action)).collect()
    }

    /// The journal, which holds.
    fn journal(&self) -> Vec<Entry> {
        let Some(text) = self.program.journal() else {
            return Vec::new();
        };
        let report = verify(&text);
        assert_eq!((report.broken, report.torn.len()), (None, 0), "{text}");
        report.entries
    }

    fn run(&self, words: &[String], more: &[&str]) -> Left {
        let (asked, entries) = (self.asked().len(), self.journal().len());
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let outcome = self.program.run(&words);
        Left { outcome, asked: self.asked().split_off(asked), entries: self.journal().split_off(entries) }
    }

    /// Writes the user's policy.
    fn policy(&self, text: &str) {
        self.program.file(".config/opsdeck/policy.toml", text.as_bytes());
    }
}

/// The kinds of entries, in a word each.
fn kinds(entries: &[Entry]) -> String {
    let kind = |entry: &Entry| match &entry.event {
        Event::Intent(_) => "intent",
        Event::Acknowledged(note) if note.lost.is_some() => "lost",
        Event::Acknowledged(_) => "accepted",
        Event::Outcome(outcome) => match outcome.verdict {
            Verdict::Succeeded => "=succeeded",
            Verdict::Accepted => "=accepted",
            Verdict::Failed { .. } => "=failed",
            Verdict::RolledBack { .. } => "=rolled-back",
            Verdict::Superseded { .. } => "=superseded",
            Verdict::Unknown { .. } => "=unknown",
            Verdict::Refused { .. } => "=refused",
            Verdict::Changed { .. } => "=changed",
        },
        Event::IncidentOpened(_) | Event::IncidentClosed(_) => "incident",
    };
    entries.iter().map(kind).collect::<Vec<_>>().join(" ")
}

/// A window that is closed now, and for some days.
fn closed_window() -> String {
    let today = Clock::system().now().wall.timestamp().unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    let day = today.checked_add(jiff::Span::new().days(3)).unwrap().strftime("%a").to_string();
    format!("{day} 03:00-03:01 UTC")
}

/// What never reaches AWS: flags, a policy, what stderr says.
fn refusals(verb: &Verb) -> Vec<(&'static [&'static str], String, i32, String)> {
    let name = verb.name;
    let rule = |text: &str| format!("[[rule]]\n{text}\n");
    let window = closed_window();
    vec![
        (&["--dry-run"], String::new(), 0, String::new()),
        (&[], String::new(), 14, "nobody is there to confirm it; AWS was not called".into()),
        (&["--yes", "--read-only"], String::new(), 14, "read-only, which cannot be unlocked".into()),
        (&["--yes"], rule(&format!("forbid = [\"{name}\"]")), 14, format!("the policy forbids {name} here")),
        (&["--yes"], rule("headless = \"reason\""), 14, "add --reason TEXT".into()),
        (&["--yes"], rule("headless = \"confirm\""), 14, "add --confirm ".into()),
        (&["--yes", "--confirm", "other"], rule("headless = \"confirm\""), 14, "add --confirm ".into()),
        (&["--yes"], rule("headless = \"forbid\""), 14, "use the console: opsdeck".into()),
        (
            &["--yes"],
            rule(&format!("window = [\"{window}\"]")),
            14,
            format!("outside the change window {window}"),
        ),
        (&["--yes"], "[[rule]]\nfrobid = [\"*\"]\n".into(), 2, "frobid".into()),
    ]
}

/// Faults of the one call: the fault, the exit code, the journal, whether AWS acted.
const FAULTS: &[(&str, i32, &str, bool)] = &[
    ("denied", 10, "intent =failed", false),
    ("throttle", 10, "intent =failed", false),
    ("expired", 10, "intent =failed", false),
    ("error=503", 13, "intent lost =unknown", false),
    ("reset", 13, "intent lost =unknown", false),
    ("reset,after", 13, "intent lost =unknown", true),
    ("error=500,after", 13, "intent lost =unknown", true),
    ("truncate", 13, "intent lost =unknown", true),
];

fn hold(verb: &Verb) {
    let stage = Stage::new();
    let words = |n| (verb.words)(&stage, n);
    for (flags, policy, code, said) in refusals(verb) {
        stage.policy(&policy);
        let left = stage.run(&words(0), flags);
        let told = format!("{}{}", left.outcome.out, left.outcome.err);
        assert_eq!(left.outcome.code, code, "{} {flags:?} {policy}: {told}", verb.name);
        assert!(told.contains(&said), "{} {flags:?}: {told}", verb.name);
        assert!(left.asked.is_empty(), "{} {flags:?} asked {:?}", verb.name, left.asked);
        assert!(left.entries.is_empty(), "nothing was intended: {:?}", left.entries);
    }
    stage.policy("");
    let mut acted = 0;
    for (fault, code, journal, acts) in FAULTS {
        // Without its answer, a plan whose next call waits for this one is watched on: for half an hour.
        if (*acts && acted >= verb.times) || (verb.calls.is_none() && *code == 13) {
            continue;
        }
        let rule = format!("{}:{fault},times=1", verb.operation);
        let _ = stage.control().add_fault(rule.parse().unwrap());
        let left = stage.run(&words(acted), &["--yes"]);
        let told = format!("{}{}", left.outcome.out, left.outcome.err);
        assert_eq!(left.outcome.code, *code, "{} {fault}: {told}", verb.name);
        assert_eq!(left.asked, [verb.operation], "{} {fault}: exactly once", verb.name);
        assert_eq!(kinds(&left.entries), *journal, "{} {fault}: {told}", verb.name);
        assert_eq!(told.contains("unknown"), *code == 13, "a lost answer is unknown, never failed: {told}");
        acted += usize::from(*acts);
    }
    if let Some(calls) = verb.calls.filter(|_| acted < verb.times) {
        let left = stage.run(&words(acted), &["--yes", "--reason", "a drill", "-o", "json"]);
        assert_eq!(left.outcome.code, 0, "{}: {:?}", verb.name, left.outcome);
        let json: serde_json::Value = serde_json::from_str(&left.outcome.out).unwrap();
        assert_eq!(json["items"][0]["verdict"], "accepted", "{json}");
        assert_eq!(left.asked.len(), calls, "{:?}", left.asked);
        assert_eq!(left.asked[0], verb.operation);
        assert_eq!(kinds(&left.entries), format!("{}=accepted", "intent accepted ".repeat(calls)));
        let Event::Intent(intent) = &left.entries[0].event else { panic!("{:?}", left.entries) };
        assert_eq!((intent.reason.as_deref(), intent.verb.as_str()), (Some("a drill"), verb.name));
    }
    read_back(&stage);
}

/// The journal as the verb prints it agrees with the file.
fn read_back(stage: &Stage) {
    let entries = stage.journal();
    let printed = stage.program.run(&["journal", "-o", "json"]);
    let printed: serde_json::Value = serde_json::from_str(&printed.out).unwrap();
    let count =
        |kind: &str| printed["items"].as_array().unwrap().iter().filter(|i| i["kind"] == kind).count();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &entries {
        let kind = match &entry.event {
            Event::Intent(_) => "intent",
            Event::Acknowledged(_) => "acknowledged",
            _ => "outcome",
        };
        *kinds.entry(kind).or_default() += 1;
    }
    for (kind, wanted) in kinds {
        assert_eq!(count(kind), wanted, "{kind}: {printed}");
    }
    let verified = stage.program.run(&["journal", "--verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    assert!(verified.out.contains(&format!("{} entries hold", entries.len())), "{verified:?}");
    assert!(!verified.out.contains("has no outcome"), "every end was written: {verified:?}");
}

macro_rules! verbs {
    ($($test:ident: $index:literal;)+) => {
        $(#[test]
        fn $test() {
            hold(&VERBS[$index]);
        })+

        #[test]
        fn every_verb_of_the_table_has_its_test() {
            assert_eq!([$($index),+].len(), VERBS.len());
        }
    };
}

verbs! {
    deploy_by_force: 0;
    deploy_an_image: 1;
    roll_back: 2;
    scale: 3;
    stop_a_task: 4;
    restart: 5;
    rotate: 6;
    reboot_a_database: 7;
    disable_an_alarm: 8;
}

#[test]
fn what_can_be_done_once_is_done_once() {
    let stage = Stage::new();
    for (text, operation) in [("rotate DB_PASS", "RotateSecret"), ("rds reboot gov-db", "RebootDBInstance")] {
        let left = stage.run(&words(text), &["--yes"]);
        assert_eq!(left.outcome.code, 0, "{text}: {:?}", left.outcome);
        assert_eq!(left.asked, [operation]);
        assert_eq!(kinds(&left.entries), "intent accepted =accepted");
        let again = stage.run(&words(text), &["--yes"]);
        assert_eq!((again.outcome.code, again.asked.len()), (14, 0), "{text} again: {:?}", again.outcome);
    }
}

#[test]
fn a_mute_is_watched_until_its_rule_is_there() {
    let stage = Stage::new();
    let mute = words("alarm mute gov-backend-5xx --for 5m");
    let left = stage.run(&mute, &["--yes", "--wait"]);
    assert_eq!(left.outcome.code, 0, "{:?}", left.outcome);
    assert_eq!(left.asked, ["PutAlarmMuteRule"]);
    assert_eq!(kinds(&left.entries), "intent accepted =succeeded");
    // Without a look nobody calls it a success.
    let left = stage.run(&mute, &["--yes"]);
    assert_eq!(kinds(&left.entries), "intent accepted =accepted", "{:?}", left.outcome);
}

#[test]
fn who_only_looks_is_told_what_stands_in_the_way_with_what_was_asked_for() {
    let stage = Stage::new();
    let window = closed_window();
    let broken = "[[rule]]\nfrobid = [\"*\"]\n".to_owned();
    for (policy, said) in
        [(format!("[[rule]]\nwindow = [\"{window}\"]\n"), window.as_str()), (broken, "frobid")]
    {
        stage.policy(&policy);
        let left = stage.run(&words("scale gov-backend 3"), &["--dry-run"]);
        let told = format!("{}{}", left.outcome.out, left.outcome.err);
        assert_eq!((left.outcome.code, left.asked.len(), left.entries.len()), (14, 0, 0), "{told}");
        assert!(told.contains("desired count: 2 -> 3") && told.contains(said), "{told}");
        // Whether something is under way may be asked whatever the policy says.
        let left = stage.run(&words("watch gov-backend"), &[]);
        assert!(left.outcome.out.contains("nothing is under way"), "{:?}", left.outcome);
    }
}

#[test]
fn a_policy_that_is_satisfied_lets_it_through() {
    let stage = Stage::new();
    stage.policy("[[rule]]\nheadless = \"confirm\"\nfriction = \"typed-name-and-reason\"\n");
    let name = ["--yes", "--confirm", "gov-cluster/gov-backend"];
    let left = stage.run(&words("scale gov-backend 3"), &name);
    assert_eq!(
        (left.outcome.code, left.asked.len()),
        (14, 0),
        "the reason is wanted too: {:?}",
        left.outcome
    );
    let left = stage.run(&words("scale gov-backend 3"), &[&name[..], &["--reason", "drill"]].concat());
    assert_eq!((left.outcome.code, left.asked.len()), (0, 1), "{:?}", left.outcome);
}

#[test]
fn a_journal_that_cannot_be_written_stops_the_call() {
    let stage = Stage::new();
    // A file where its folder would be.
    stage.program.file(".local/state/opsdeck/journal", b"");
    let left = stage.program.run(&["scale", "gov-backend", "3", "--yes"]);
    assert_eq!(left.code, 14, "{left:?}");
    assert!(format!("{}{}", left.out, left.err).contains("AWS was not called"), "{left:?}");
    assert!(stage.asked().is_empty());
}

/// A world in which a minute is a second: a rollout begins and ends between two looks, which are five seconds apart.
/// What looks see of one that lasts is a matter of `guard`'s tests and of the stories.
fn quick() -> World {
    let config = SimConfig { stacks: vec![calm("gov")], throttle: false, lag: false, ..SimConfig::default() };
    World::hastened(config, 60.0)
}

#[test]
fn a_deployment_that_the_breaker_rolls_back_is_11_and_a_good_one_0() {
    let stage = Stage::over(quick());
    let image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/gov-backend:9f31c7e";
    let crash = Behaviour::Crash {
        after: Duration::from_secs(2),
        exit_code: 3,
        text: Some("no configuration".to_owned()),
    };
    stage.control().push_image("us-east-1", image, "badbad0", crash);
    let left = stage.run(&words("deploy gov-backend"), &["--wait", "--yes", "--timeout", "5m"]);
    assert_eq!(left.outcome.code, 11, "{:?}", left.outcome);
    assert!(left.outcome.out.contains("rolled back"), "{:?}", left.outcome);
    assert_eq!(
        (left.asked, kinds(&left.entries)),
        (words("UpdateService"), "intent accepted =rolled-back".into())
    );
    stage.control().push_image("us-east-1", image, "600d600", Behaviour::Healthy);
    let left = stage.run(&words("deploy gov-backend"), &["--wait", "--yes", "--timeout", "5m"]);
    assert_eq!(left.outcome.code, 0, "{:?}", left.outcome);
    assert_eq!(kinds(&left.entries), "intent accepted =succeeded");
    read_back(&stage);
}

/// Waits for something of the world; a hang is a failure.
fn until(stage: &Stage, what: &str, child: &mut Child, wanted: impl Fn(&Control) -> bool) {
    for _ in 0..6_000 {
        if wanted(stage.control()) {
            return;
        }
        if let Some(status) = child.try_wait().unwrap() {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("it ended ({status}) before {what}: {said}");
        }
        stage.world.turn();
    }
    panic!("there was never {what}");
}

#[test]
fn a_kill_at_any_point_leaves_a_journal_that_holds_and_tells_what_is_unknown() {
    // Where it is killed, the fault that holds it there, what the journal has, what is told of it.
    type Reached = fn(&Control, u64) -> bool;
    let points: [(&str, &str, Reached, &str, &str); 4] = [
        (
            "while its target is read",
            "DescribeServices:latency=1h",
            |control, before| control.calls_of("ecs:DescribeServices") > before,
            "",
            "",
        ),
        (
            "before AWS acts",
            "UpdateService:latency=1h",
            |control, _| !control.mutations().is_empty(),
            "intent",
            "whether AWS was called is unknown",
        ),
        (
            "after AWS acted",
            "UpdateService:latency=1h,after",
            |control, _| !control.mutations().is_empty(),
            "intent",
            "whether AWS was called is unknown",
        ),
        (
            "while it is watched",
            "UpdateService:latency=1ms",
            |control, before| {
                !control.mutations().is_empty() && control.calls_of("ecs:DescribeServices") > before + 2
            },
            "intent accepted",
            "AWS answered the call; what came of it was not watched to its end",
        ),
    ];
    for (point, fault, reached, journal, told) in points {
        let stage = Stage::over(World::of(&["gov"]));
        let before = stage.control().calls_of("ecs:DescribeServices");
        let _ = stage.control().add_fault(fault.parse().unwrap());
        let words = ["deploy", "gov-backend", "--wait", "--yes", "--reason", "a drill"];
        let mut child = stage.program.command(&words).spawn().unwrap();
        until(&stage, point, &mut child, |control| reached(control, before));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(kinds(&stage.journal()), journal, "{point}");
        let verified = stage.program.run(&["journal", "--verify"]);
        assert_eq!(verified.code, 0, "{point}: {verified:?}");
        let text = stage.program.run(&["journal", "--export", "markdown"]);
        assert_eq!(text.code, 0, "{point}: {text:?}");
        for printed in [&verified.out, &text.out] {
            assert_eq!(printed.contains("has no outcome"), !told.is_empty(), "{point}: {printed}");
            assert!(printed.contains(told), "{point}: {printed}");
        }
        // What was left stands in nobody's way.
        stage.control().clear_faults();
        let left = stage.run(&[String::from("deploy"), String::from("gov-backend")], &["--yes"]);
        assert_eq!((left.outcome.code, left.asked.len()), (0, 1), "{point}: {:?}", left.outcome);
    }
}

/// The simulator's clock is its own: what it says of now is not what the program's host says.
#[test]
fn a_host_whose_clock_is_wrong_changes_what_was_named_all_the_same() {
    let config = SimConfig { stacks: vec![calm("gov")], throttle: false, lag: false, ..SimConfig::default() };
    let world = World::at(config, Wall(1_795_183_200_000), 1.0);
    let stage = Stage::over(world);
    let left = stage.run(&words("scale gov-backend 3"), &["--yes"]);
    assert_eq!((left.outcome.code, left.asked), (0, words("UpdateService")), "{:?}", left.outcome);
}
