//! The dialog of a change in each of its states, and the list of this session's changes.
//!
//! At 80×24, where room is short: the form is whole whatever the plan's length.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;

use super::{header, show, whole};
use crate::app::fixtures::{self, Aws, Bench};
use crate::app::{Msg, Session};
use crate::domain::balancer::TargetHealth;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mutation::Receipt;
use crate::domain::verdict::Verdict;
use crate::guard::{CallOutcome, Rule, Rules};

const SEEN: Duration = Duration::from_millis(300);

/// A console over the small account; `production` is what the policy says of all of it.
fn console(production: bool) -> Bench {
    let rule = Rule { production: Some(production), source: "policy.toml".into(), ..Rule::default() };
    let rules = Arc::new(Rules { rules: vec![rule], ..Rules::default() });
    let session = Session { rules, ..fixtures::session(&["eu-west-2"]) };
    let mut bench = Bench::with(fixtures::model(session, "", 80, 24), Aws::small());
    bench.settle();
    bench
}

/// A form that can be filled in.
fn form(production: bool, unlocked: bool, command: &str) -> Bench {
    let mut bench = console(production);
    if unlocked {
        bench.command("unlock INC-7");
    }
    bench.command(command);
    bench.answer_looks();
    show(&mut bench);
    bench.pass(SEEN);
    bench
}

/// A change that was confirmed.
fn confirmed(command: &str) -> Bench {
    let mut bench = form(false, true, command);
    bench.press("y");
    bench.record(Ok(()));
    bench
}

/// One that is watched.
fn watched(command: &str, deployment: &str) -> Bench {
    let mut bench = confirmed(command);
    let receipt = Receipt {
        request_id: Some("7b1f0c1e".into()),
        deployment: Some(deployment.into()),
        ..Receipt::default()
    };
    bench.call(CallOutcome::Accepted(receipt));
    bench
}

#[test]
fn the_target_is_read() {
    let mut bench = console(true);
    bench.command("deploy worker");
    assert_snapshot!("operation_reading", whole(&mut bench));
}

#[test]
fn the_form_asks_for_as_much_as_the_policy_wants() {
    assert_snapshot!("operation_yes_key", whole(&mut form(false, true, "scale worker 3")));
    assert_snapshot!("operation_typed_name", whole(&mut form(true, true, "scale worker 3")));
    assert_snapshot!("operation_locked", whole(&mut form(true, false, "scale worker 3")));
}

#[test]
fn a_form_half_filled_in_and_its_mistakes() {
    let mut bench = form(true, false, "scale worker 3");
    bench.send(Msg::Paste("worker".into()));
    assert_snapshot!("operation_paste_refused", whole(&mut bench));
    bench.type_text("wroker").press("enter");
    assert_snapshot!("operation_wrong_name", whole(&mut bench));
    bench.press("ctrl-u").type_text("worker").press("enter");
    bench.type_text("INC-7: the queue grows, two are not enough").press("enter");
    assert_snapshot!("operation_filled_in", whole(&mut bench));
    let mut bench = form(true, false, "scale worker 3");
    bench.type_text("worker").press("tab tab tab enter");
    assert_snapshot!("operation_no_reason", whole(&mut bench));
    let mut bench = console(true);
    bench.command("scale worker 3");
    bench.answer_looks();
    show(&mut bench);
    bench.press_blind("w");
    assert_snapshot!("operation_too_fast", whole(&mut bench));
}

#[test]
fn a_plan_that_is_too_long_scrolls_above_the_form() {
    let mut bench = form(true, false, "deploy api worker");
    let top = whole(&mut bench);
    assert_snapshot!("operation_long_plan", top);
    assert!(top.contains("Type prod") && top.contains("Cancel"), "the form is whole:\n{top}");
    bench.press("pagedown");
    let below = whole(&mut bench);
    assert!(below.contains("Type prod") && below != top, "{below}");
    bench.resize(140, 50);
    assert_snapshot!("operation_long_plan_wide", whole(&mut bench));
}

#[test]
fn a_form_without_room_says_so_and_takes_no_key() {
    let mut bench = form(false, true, "scale worker 3");
    bench.resize(60, 9);
    let shown = whole(&mut bench);
    assert_snapshot!("operation_too_low", shown);
    bench.pass(SEEN).press_blind("y");
    assert_eq!(bench.changes(), 0, "what is not seen is not confirmed");
    bench.resize(60, 14);
    assert!(whole(&mut bench).contains("[ Cancel ]"));
    bench.pass(SEEN).press_blind("y");
    assert_eq!(bench.changes(), 1);
}

#[test]
fn a_reason_longer_than_the_line_keeps_its_cursor_in_view() {
    let mut bench = form(true, false, "scale worker 3");
    bench.type_text("worker").press("enter");
    bench.type_text(&"the queue of claims grows and grows ".repeat(4));
    assert_snapshot!("operation_long_reason", whole(&mut bench));
}

#[test]
fn the_call_is_made_and_watched() {
    let mut bench = confirmed("deploy worker");
    bench.pass(Duration::from_secs(2));
    assert_snapshot!("operation_calling", whole(&mut bench));
    let mut bench = watched("deploy worker", "ecs-svc/0000000009");
    assert_snapshot!("operation_watching", whole(&mut bench));
    let target = |target: &str, state: &str, description: Option<&str>| TargetHealth {
        target: target.into(),
        port: Some(8000),
        zone: None,
        state: state.into(),
        reason: None,
        description: description.map(ToOwned::to_owned),
    };
    bench.aws.estate.target_health = vec![
        target("10.0.1.9", "healthy", None),
        target("10.0.1.90", "initial", Some("Target registration is in progress")),
    ];
    // The new deployment with a task that runs and one that does not.
    let worker = fixtures::service_id("worker");
    let service = bench.aws.services.iter_mut().find(|service| service.id == worker).unwrap();
    let mut new = fixtures::deployment("worker", 7, 2, 0);
    new.id = "ecs-svc/0000000009".into();
    new.created_at = Some(fixtures::NOON.plus(Duration::from_secs(3)));
    (new.running, new.pending, new.failed_tasks) = (1, 1, 1);
    new.rollout_state = Some("IN_PROGRESS".into());
    service.deployments[0].status = "ACTIVE".into();
    service.deployments.insert(0, new);
    let at = fixtures::NOON.plus(Duration::from_secs(4));
    let event = crate::domain::ecs::ServiceEvent {
        id: "event-9".into(),
        at,
        message: "(service worker) has started 1 tasks: (task 00000090).".into(),
    };
    service.events.insert(0, event);
    for (number, stopped) in [(0x90, false), (0x91, true)] {
        let mut task =
            if stopped { fixtures::stopped_task(&worker, number) } else { fixtures::task(&worker, number) };
        task.started_by = Some("ecs-svc/0000000009".into());
        task.created_at = Some(at);
        bench.aws.tasks.push(task);
    }
    for _ in 0..8 {
        bench.pass(Duration::from_secs(1)).answer_all();
        bench.answer_looks();
    }
    assert_snapshot!("operation_rolling", whole(&mut bench));
}

#[test]
fn a_deployment_in_stages_shows_where_it_stands_and_its_traffic() {
    let mut bench = watched("deploy worker", "ecs-svc/0000000009");
    let worker = fixtures::service_id("worker");
    let mut staged = fixtures::past_deployment(&worker, 9, "IN_PROGRESS", 0);
    staged.created_at = Some(fixtures::NOON.plus(Duration::from_secs(3)));
    staged.finished_at = None;
    staged.lifecycle_stage = Some("PRODUCTION_TRAFFIC_SHIFT".into());
    staged.traffic_percent = Some(10);
    staged.waiting_hook = Some("approve".into());
    let service = bench.aws.services.iter_mut().find(|service| service.id == worker).unwrap();
    let mut new = fixtures::deployment("worker", 8, 2, 0);
    new.id = "ecs-svc/0000000009".into();
    new.created_at = staged.created_at;
    new.rollout_state = None;
    service.deployment_configuration.strategy = Some("CANARY".into());
    service.current_service_deployment = Some(staged.arn.clone());
    service.deployments[0].status = "ACTIVE".into();
    service.deployments.insert(0, new);
    bench.aws.deployments.push(staged);
    for _ in 0..12 {
        bench.pass(Duration::from_secs(1)).answer_all();
        bench.answer_looks();
    }
    assert_snapshot!("operation_staged", whole(&mut bench));
}

#[test]
fn each_verdict_in_its_words() {
    let why = || "ECS deployment circuit breaker: tasks failed to start.".to_owned();
    let verdicts = [
        ("succeeded", Verdict::Succeeded),
        ("accepted", Verdict::Accepted),
        ("failed", Verdict::Failed { why: why() }),
        ("rolled_back", Verdict::RolledBack { why: why() }),
        ("superseded", Verdict::Superseded { by: "ecs-svc/0000000010".into() }),
        (
            "unknown",
            Verdict::Unknown {
                how_to_find_out:
                    "the answer was lost (connection reset): look for a new PRIMARY deployment with \
                     `opsdeck service prod/worker`; do not repeat it before"
                        .into(),
            },
        ),
        ("refused", Verdict::Refused { why: "the policy forbids deploy here (policy.toml, rule 1)".into() }),
        (
            "changed",
            Verdict::Changed {
                difference: "the deployment of worker was ecs-svc/0000000007, is ecs-svc/0000000008".into(),
            },
        ),
    ];
    for (name, verdict) in verdicts {
        let mut bench = watched("deploy worker", "ecs-svc/0000000009");
        bench.pass(Duration::from_secs(95));
        bench.model.operations.list[0].ended = Some((verdict, bench.now));
        assert_snapshot!(format!("operation_{name}"), whole(&mut bench));
    }
}

#[test]
fn what_was_refused_says_why_and_how_to_go_on() {
    let mut bench = console(false);
    bench.aws.estate.images.clear();
    bench.command("unlock INC-7").command("deploy worker");
    bench.answer_looks();
    assert_snapshot!("operation_blocked", whole(&mut bench));
    let mut bench = confirmed("deploy worker");
    let fault =
        Fault::new(FaultKind::Denied, "User: role/oncall is not authorized to perform: ecs:UpdateService")
            .action("ecs:UpdateService")
            .hint("ask for ecs:UpdateService");
    bench.call(CallOutcome::Refused(fault));
    assert_snapshot!("operation_denied", whole(&mut bench));
}

#[test]
fn several_under_way_stand_in_the_header() {
    let mut bench = watched("deploy worker", "ecs-svc/0000000009");
    bench.press("esc");
    assert_snapshot!("header_one_under_way", header(&mut bench));
    bench.command("scale web 3");
    bench.answer_looks();
    bench.present().pass(SEEN).press("y esc");
    bench.command("incident open checkout 5xx");
    assert_snapshot!("header_several_under_way", header(&mut bench));
    bench.press("O");
    assert_snapshot!("session_under_way", whole(&mut bench));
}

#[test]
fn the_session_names_the_journal_the_lock_and_the_incident() {
    let mut bench = console(true);
    bench.press("O");
    assert_snapshot!("session_locked", whole(&mut bench));
    bench.press("J");
    assert_eq!(bench.model.focus, crate::app::pane::PaneId::Journal);
    assert!(bench.model.overlay.is_none());
}
