//! The panes in their states: loading, empty, full, filtered, folded, stale, partial, denied.

use std::time::Duration;

use insta::assert_snapshot;

use super::{pane, show};
use crate::app::fixtures::{self, Aws, Bench};
use crate::app::pane::PaneId;
use crate::app::{Msg, Target};
use crate::domain::fault::FaultKind;
use crate::domain::meter::{Meter, Share};
use crate::domain::query::Query;

fn services(bench: &mut Bench) -> String {
    pane(bench, PaneId::Services)
}

/// A console with this fault on every answer of an action from the start on.
fn faulty(action: &str, kind: FaultKind) -> Bench {
    let mut aws = Aws::small();
    aws.faults.insert(action.into(), fixtures::fault(kind));
    let mut bench = Bench::new(aws, 80, 12);
    bench.settle();
    bench
}

#[test]
fn services_loading_and_listed_and_described() {
    let mut bench = Bench::new(Aws::small(), 80, 12);
    bench.pass(Duration::ZERO);
    assert_snapshot!("services_loading", services(&mut bench));
    while !bench.asked.iter().any(|(_, q, _)| q.action() == "ecs:DescribeServices") {
        assert!(bench.answer_next());
    }
    assert_snapshot!("services_listed", services(&mut bench));
    bench.settle();
    assert_snapshot!("services_80", services(&mut bench));
    bench.resize(50, 12);
    assert_snapshot!("services_50", services(&mut bench));
    bench.resize(40, 8);
    assert_snapshot!("services_40", services(&mut bench));
}

#[test]
fn services_of_several_clusters_and_regions() {
    let mut aws = Aws::small();
    let mut far = fixtures::service(&fixtures::service_id("gateway-service"));
    far.id.scope = fixtures::scope("us-east-1");
    far.id.cluster = "codeguardians-gateway".into();
    aws.clusters.push(far.id.cluster_id());
    aws.services.push(far);
    let mut bench = Bench::new(aws, 108, 12);
    bench.settle();
    assert_snapshot!("services_regions", services(&mut bench));
}

#[test]
fn services_none() {
    let mut aws = Aws::small();
    aws.services.clear();
    let mut bench = Bench::new(aws, 80, 12);
    bench.settle();
    assert_snapshot!("services_none", services(&mut bench));
}

#[test]
fn services_filtered_away() {
    let mut bench = Bench::small(80, 12);
    bench.press("/").type_text("nothing").press("enter");
    assert_snapshot!("services_filtered_away", services(&mut bench));
}

#[test]
fn services_folded() {
    let mut bench = Bench::new(Aws::fleet(90), 80, 12);
    bench.settle();
    assert_snapshot!("services_folded", services(&mut bench));
    bench.aws.services.iter_mut().for_each(|s| s.running = 2);
    bench.pass(Duration::from_secs(6)).answer_all();
    assert_snapshot!("services_all_well", services(&mut bench));
}

#[test]
fn services_partial_says_how_many_of_how_many() {
    let mut bench = Bench::new(Aws::fleet(300), 80, 12);
    bench.send(Msg::Tick);
    while bench.times_asked("ecs:DescribeServices") < 14 {
        assert!(bench.answer_next());
    }
    let shown = services(&mut bench);
    assert!(shown.contains(" of 300") || shown.contains(" of 200+"), "{shown}");
    assert_snapshot!("services_partial", shown);
}

#[test]
fn services_denied() {
    assert_snapshot!("services_denied", services(&mut faulty("ecs:ListServices", FaultKind::Denied)));
}

#[test]
fn services_without_credentials() {
    let shown = services(&mut faulty("ecs:ListClusters", FaultKind::Expired));
    assert_snapshot!("services_expired", shown);
}

#[test]
fn services_stale_keep_their_rows_with_their_age() {
    let mut bench = Bench::small(80, 12);
    bench.aws.faults.insert("ecs:ListServices".into(), fixtures::fault(FaultKind::Network));
    for _ in 0..60 {
        bench.pass(Duration::from_secs(2)).answer_all();
    }
    let shown = services(&mut bench);
    assert!(shown.contains("worker") && shown.contains("old"), "{shown}");
    assert_snapshot!("services_stale", shown);
    // Grey, and not by its words alone.
    let drawn = show(&mut bench);
    let (area, _) =
        drawn.hits.iter().find(|(_, t)| *t == Target::Service(fixtures::service_id("worker"))).unwrap();
    let fresh = {
        let mut fresh = Bench::small(80, 12);
        show(&mut fresh)
    };
    let cell = |d: &crate::view::Drawn| d.buffer.cell((area.x + 5, area.y)).unwrap().style();
    assert_ne!(cell(&drawn), cell(&fresh));
}

#[test]
fn services_that_ecs_does_not_describe() {
    let mut aws = Aws::small();
    aws.missing.push("web".into());
    let mut bench = Bench::new(aws, 80, 12);
    bench.settle();
    assert_snapshot!("services_undescribed", services(&mut bench));
}

#[test]
fn a_service() {
    let mut bench = Bench::small(90, 50);
    bench.press("enter");
    assert_snapshot!("service_failing", pane(&mut bench, PaneId::Service));
    bench.press("2 j enter");
    let shown = pane(&mut bench, PaneId::Service);
    assert!(shown.contains("COMPLETED"), "{shown}");
    bench.resize(44, 14);
    assert_snapshot!("service_narrow", pane(&mut bench, PaneId::Service));
}

#[test]
fn a_pane_without_a_service() {
    let mut bench =
        Bench::with(fixtures::model(fixtures::session(&["eu-west-2"]), "", 80, 12), Aws::default());
    bench.settle();
    bench.press("tab");
    assert_eq!(bench.model.focus, PaneId::Alarms, "a service's panes have no tab without a service");
    bench.model.focus = PaneId::Tasks;
    assert_snapshot!("no_service_selected", pane(&mut bench, PaneId::Tasks));
}

#[test]
fn tasks_running_and_stopped_with_their_reasons() {
    let mut bench = Bench::small(110, 14);
    bench.press("enter t").settle();
    assert_snapshot!("tasks", pane(&mut bench, PaneId::Tasks));
    bench.press("f");
    assert_snapshot!("tasks_folded", pane(&mut bench, PaneId::Tasks));
    bench.press("f").resize(60, 12);
    assert_snapshot!("tasks_narrow", pane(&mut bench, PaneId::Tasks));
    assert!(pane(&mut bench, PaneId::Tasks).contains("killed"), "why it stopped outlives the other columns");
}

#[test]
fn tasks_none_and_failing() {
    let mut bench = Bench::small(80, 12);
    bench.aws.tasks.clear();
    bench.press("enter t").settle();
    assert_snapshot!("tasks_none", pane(&mut bench, PaneId::Tasks));
    let mut denied = faulty("ecs:ListTasks", FaultKind::Denied);
    denied.press("enter t").settle();
    assert_snapshot!("tasks_denied", pane(&mut denied, PaneId::Tasks));
}

#[test]
fn events() {
    let mut bench = Bench::small(80, 12);
    bench.press("enter e").settle();
    assert_snapshot!("events", pane(&mut bench, PaneId::Events));
    bench.press("/").type_text("absent").press("enter");
    assert_snapshot!("events_filtered_away", pane(&mut bench, PaneId::Events));
    let mut quiet = Bench::small(80, 12);
    for service in &mut quiet.aws.services {
        service.events.clear();
    }
    quiet.pass(Duration::from_secs(6)).answer_all();
    quiet.press("enter e").settle();
    assert_snapshot!("events_none", pane(&mut quiet, PaneId::Events));
}

#[test]
fn a_task_definition_masked_and_revealed() {
    let mut bench = Bench::small(90, 44);
    bench.press("d").settle();
    let masked = pane(&mut bench, PaneId::Definition);
    assert!(!masked.contains("hunter2"), "{masked}");
    assert_snapshot!("definition_masked", masked);
    bench.press("x");
    let revealed = pane(&mut bench, PaneId::Definition);
    assert!(revealed.contains("hunter2"));
    assert!(revealed.contains("values revealed"), "{revealed}");
    assert!(revealed.contains("secret:claims/jwt"), "secrets stay references");
}

#[test]
fn a_task_definition_loading_and_denied() {
    let mut bench = Bench::new(Aws::small(), 80, 12);
    bench.pass(Duration::ZERO);
    while bench.model.world.services.values().all(|row| row.seen.is_none()) {
        assert!(bench.answer_next());
    }
    bench.press("d");
    assert_snapshot!("definition_loading", pane(&mut bench, PaneId::Definition));
    let mut denied = faulty("ecs:DescribeTaskDefinition", FaultKind::Denied);
    denied.press("d").settle();
    assert_snapshot!("definition_denied", pane(&mut denied, PaneId::Definition));
}

#[test]
fn deployments() {
    let mut bench = Bench::small(120, 12);
    bench.press("enter D").settle();
    assert_snapshot!("deployments", pane(&mut bench, PaneId::Deployments));
    bench.press("1 j D").settle();
    assert_snapshot!("deployments_none", pane(&mut bench, PaneId::Deployments));
}

#[test]
fn clusters() {
    let mut bench = Bench::new(Aws::small(), 90, 12);
    bench.press("8").pass(Duration::ZERO);
    while !bench.asked.iter().any(|(_, q, _)| matches!(q, Query::DescribeClusters { .. })) {
        assert!(bench.answer_next());
    }
    assert_snapshot!("clusters_listed", pane(&mut bench, PaneId::Clusters));
    bench.settle();
    assert_snapshot!("clusters", pane(&mut bench, PaneId::Clusters));
}

#[test]
fn the_api_pane() {
    let mut bench = Bench::small(100, 40);
    bench.press("a").settle();
    let share = |group: &str, used_percent, throttled| Share {
        scope: fixtures::home(),
        group: group.into(),
        sent: 1_234,
        waiting: if throttled { 7 } else { 0 },
        used_percent,
        throttled,
    };
    bench.send(Msg::Meter(Meter {
        shares: vec![share("ecs cluster read", 42, false), share("logs FilterLogEvents", 95, true)],
        faults: vec![(fixtures::home(), fixtures::fault(FaultKind::Throttled))],
        uncoordinated: Some("the runtime directory is read-only".into()),
    }));
    assert_snapshot!("api", pane(&mut bench, PaneId::Api));
}

#[test]
fn text_from_aws_cannot_steer_the_terminal() {
    let mut aws = Aws::small();
    let api = fixtures::service_id("api");
    aws.services[0]
        .events
        .insert(0, fixtures::event(9, 5, "(service api) \x1b]0;owned\x07 \u{202e}gnp.exe\u{9b}31m"));
    aws.services[0].tags.push(("\x1b[2Jteam".into(), "a\r\nb".into()));
    aws.tasks[0].zone = Some("eu\x1b[31m-west".into());
    aws.tasks.push({
        let mut task = fixtures::stopped_task(&api, 0xbad);
        task.stopped_reason = Some("Essential\u{7}\x1b[5;5H container".into());
        task
    });
    let mut bench = Bench::new(aws, 120, 40);
    bench.settle();
    for keys in ["enter", "t", "e", "enter", "esc", "1"] {
        bench.press(keys).settle();
        let drawn = show(&mut bench);
        for cell in &drawn.buffer.content {
            assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
            assert!(!cell.symbol().contains(['\u{202e}', '\u{9b}']), "{:?}", cell.symbol());
        }
    }
}
