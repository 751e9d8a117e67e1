//! The ledger of what is asked: cadence, faults, tokens, sweeps.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::app::fixtures::{self, Aws, Bench};
use crate::app::refresh::Interest;
use crate::app::{Effect, Msg};
use crate::domain::fault::FaultKind;
use crate::domain::query::{Class, Query};
use crate::domain::scope::Arn;

/// How often an action is asked while `seconds` pass, one by one, everything answered at once.
fn asked_within(bench: &mut Bench, action: &str, seconds: u64) -> usize {
    let before = bench.times_asked(action);
    for _ in 0..seconds {
        bench.pass(Duration::from_secs(1)).answer_all().present();
    }
    bench.times_asked(action) - before
}

#[test]
fn the_first_messages_ask_who_we_are_and_which_clusters_there_are_in_the_foreground() {
    let mut bench = Bench::new(Aws::small(), 100, 30);
    bench.send(Msg::Tick);
    let first: Vec<&str> = bench.asked.iter().map(|(_, query, _)| query.action()).collect();
    assert_eq!(first, ["sts:GetCallerIdentity", "ecs:ListClusters"]);
    assert!(bench.asked.iter().all(|(.., class)| *class == Class::Foreground), "somebody waits for them");
}

#[test]
fn the_focused_pane_is_refreshed_often_and_the_rest_rarely() {
    let mut bench = Bench::small(100, 30);
    assert_eq!(asked_within(&mut bench, "ecs:ListServices", 60), 12, "every 5 s while the list is focused");
    assert!(asked_within(&mut bench, "ecs:ListClusters", 60) <= 1);
    // The list is not on screen any more.
    bench.press("a");
    assert!(asked_within(&mut bench, "ecs:ListServices", 120) <= 2, "every 60 s");
}

#[test]
fn what_is_visible_beside_the_focus_is_refreshed_at_its_own_cadence() {
    let mut bench = Bench::small(140, 40);
    bench.settle();
    // The services have the focus; the detail pane below shows the tasks of the selected one.
    let tasks = asked_within(&mut bench, "ecs:ListTasks", 60);
    assert_eq!(tasks, 8, "running and stopped, every 15 s");
}

#[test]
fn refresh_of_what_is_known_already_spends_the_background_share() {
    let mut bench = Bench::small(140, 40);
    bench.settle();
    bench.asked.clear();
    bench.pass(Duration::from_secs(16));
    let class = |action: &str| {
        bench.asked.iter().find(|(_, query, _)| query.action() == action).map(|(.., class)| *class)
    };
    assert_eq!(class("ecs:ListServices"), Some(Class::Foreground), "the focused pane");
    assert_eq!(class("ecs:ListTasks"), Some(Class::Background), "a pane beside it");
}

#[test]
fn after_a_quarter_of_an_hour_without_a_key_it_asks_four_times_as_rarely() {
    let mut bench = Bench::small(100, 30);
    bench.pass(Duration::from_secs(15 * 60)).answer_all();
    let away = asked_within(&mut bench, "ecs:ListServices", 60);
    assert_eq!(away, 3, "every 20 s");
    bench.press("j");
    assert_eq!(asked_within(&mut bench, "ecs:ListServices", 60), 12, "a key brings the cadence back");
}

#[test]
fn expired_credentials_are_not_asked_at_the_cadence_and_r_asks_at_once() {
    let mut bench = Bench::small(100, 30);
    let expired = fixtures::fault(FaultKind::Expired);
    for action in ["sts:GetCallerIdentity", "ecs:ListClusters", "ecs:ListServices"] {
        bench.aws.faults.insert(action.into(), expired.clone());
    }
    bench.pass(Duration::from_secs(6)).answer_all();
    assert!(asked_within(&mut bench, "ecs:ListServices", 29) <= 1);
    assert_eq!(bench.services().len(), 3, "the last rows stay");
    let before = bench.times_asked("ecs:ListServices");
    bench.aws.faults.clear();
    bench.press("r").answer_all();
    assert_eq!(bench.times_asked("ecs:ListServices"), before + 1);
    let entry = Interest::Services(fixtures::cluster_id("prod"));
    assert_eq!(bench.model.refresh.entry(&entry).unwrap().fault, None, "the fault is gone with the answer");
}

#[test]
fn a_denied_region_locks_only_itself() {
    let mut aws = Aws::small();
    let mut far = fixtures::service(&fixtures::service_id("far"));
    far.id.scope = fixtures::scope("us-east-1");
    aws.clusters.push(far.id.cluster_id());
    aws.services.push(far);
    aws.faults.insert("us-east-1 ecs:ListClusters".into(), fixtures::fault(FaultKind::Denied));
    let mut bench = Bench::new(aws, 100, 30);
    bench.settle();
    assert_eq!(bench.services(), ["api", "web", "worker"]);
    let home = asked_within(&mut bench, "ecs:ListServices", 60);
    assert_eq!(home, 12, "the other region goes on");
    let denied =
        |query: &&Query| query.scope().region.as_str() == "us-east-1" && query.action() == "ecs:ListClusters";
    assert_eq!(bench.history.iter().filter(denied).count(), 1, "asking again at the cadence changes nothing");
    bench.aws.faults.clear();
    bench.press("r").answer_all().settle();
    assert!(bench.services().contains(&"far"), "`r` asks the denied region too: {:?}", bench.services());
}

#[test]
fn a_failing_list_is_asked_more_and_more_rarely_and_recovers() {
    let mut bench = Bench::small(100, 30);
    bench.aws.faults.insert("ecs:ListServices".into(), fixtures::fault(FaultKind::Throttled));
    let failing = asked_within(&mut bench, "ecs:ListServices", 120);
    assert!((3..=6).contains(&failing), "backs off: {failing}");
    bench.aws.faults.clear();
    asked_within(&mut bench, "ecs:ListServices", 41);
    let entry = Interest::Services(fixtures::cluster_id("prod"));
    assert_eq!(bench.model.refresh.entry(&entry).unwrap().fault, None);
    assert_eq!(asked_within(&mut bench, "ecs:ListServices", 60), 12);
}

#[test]
fn only_a_complete_sweep_says_what_is_gone() {
    let mut bench = Bench::new(Aws::fleet(130), 100, 30);
    bench.settle();
    bench.press("f");
    assert_eq!(bench.services().len(), 130);
    bench.aws.services.retain(|s| s.id.name != "svc-0003");
    // The first page comes, the second fails: 30 names are not listed, and none may vanish.
    bench.pass(Duration::from_secs(6));
    let first = bench.asked.iter().position(|(_, q, _)| q.action() == "ecs:ListServices").unwrap();
    let asked = bench.asked.remove(first).unwrap();
    let answer = bench.aws.answer(&asked.1).map_err(|f| *f);
    bench.answer(asked, answer);
    bench.aws.faults.insert("ecs:ListServices".into(), fixtures::fault(FaultKind::Network));
    bench.answer_all();
    assert_eq!(bench.services().len(), 130, "partial: nothing is forgotten");
    bench.aws.faults.clear();
    bench.press("r").answer_all().settle();
    assert_eq!(bench.services().len(), 129);
    assert!(!bench.services().contains(&"svc-0003"));
}

#[test]
fn a_service_that_ecs_lists_and_does_not_describe_says_so() {
    let mut aws = Aws::small();
    aws.missing.push("web".into());
    let mut bench = Bench::new(aws, 100, 30);
    bench.settle();
    let row = &bench.model.world.services[&fixtures::service_id("web")];
    assert_eq!(row.failure.as_ref().map(|f| f.reason.as_str()), Some("MISSING"));
    assert_eq!(bench.services().len(), 3);
    let entry = Interest::Services(fixtures::cluster_id("prod"));
    assert_eq!(bench.model.refresh.entry(&entry).unwrap().failures.len(), 1);
}

#[test]
fn a_cluster_that_is_gone_takes_its_services_with_it() {
    let mut aws = Aws::small();
    let mut other = fixtures::service(&fixtures::service_id("old"));
    other.id.cluster = "legacy".into();
    aws.clusters.push(other.id.cluster_id());
    aws.services.push(other);
    let mut bench = Bench::new(aws, 100, 30);
    bench.settle();
    assert!(bench.services().contains(&"old"));
    bench.aws.clusters.retain(|c| c.name != "legacy");
    bench.aws.services.retain(|s| s.id.cluster != "legacy");
    bench.press("8").settle();
    bench.pass(Duration::from_secs(61)).answer_all().settle();
    assert_eq!(bench.model.world.clusters.len(), 1);
    assert!(!bench.services().contains(&"old"));
}

#[test]
fn a_big_fleet_keeps_twelve_requests_under_way_and_describes_what_is_in_view_first() {
    let config = "[ui]\nfold_healthy = false\n";
    let model = fixtures::model(fixtures::session(&["eu-west-2"]), config, 100, 30);
    let mut bench = Bench::with(model, Aws::fleet(600));
    bench.send(Msg::Tick);
    // Sorted by name, so that what is in view is known before anything is described.
    bench.command("sort name");
    let mut most = 0;
    let mut jumped_after = None;
    loop {
        let is_list = |q: &Query| matches!(q, Query::ListServices { .. });
        let of_sweep = |q: &Query| is_list(q) || matches!(q, Query::DescribeServices { .. });
        most = most.max(bench.asked.iter().filter(|(_, q, _)| of_sweep(q)).count());
        if bench.services().len() == 600 && jumped_after.is_none() {
            // The operator jumps to the end of what is listed.
            jumped_after = Some(bench.times_asked("ecs:DescribeServices"));
            bench.press("G");
        }
        // The pages of the list come first, as they do when nothing else is known yet.
        if let Some(list) = bench.asked.iter().position(|(_, q, _)| is_list(q)) {
            bench.asked.swap(0, list);
        }
        if !bench.answer_next() {
            break;
        }
        bench.present();
    }
    assert_eq!(most, 12);
    let described: Vec<&Vec<String>> = bench
        .history
        .iter()
        .filter_map(|q| if let Query::DescribeServices { services, .. } = q { Some(services) } else { None })
        .collect();
    assert_eq!(described.len(), 60, "each batch is described once");
    let every: BTreeSet<&String> = described.iter().copied().flatten().collect();
    assert_eq!(every.len(), 600);
    assert!(bench.model.world.services.values().all(|row| row.seen.is_some()));
    let last = described.iter().position(|batch| batch.contains(&"svc-0599".to_owned())).unwrap();
    let jumped_after = jumped_after.unwrap();
    assert!(last <= jumped_after + 3, "came into view after {jumped_after}, was described as {last}");
}

#[test]
fn a_late_answer_for_a_pane_that_was_left_is_dropped_and_its_requests_are_cancelled() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter").pass(Duration::from_millis(200));
    let asked = bench.asked.iter().find(|(_, q, _)| q.action() == "ecs:ListTasks").cloned().unwrap();
    bench.press("esc");
    let cancelled: Vec<_> =
        bench.effects.iter().filter(|effect| matches!(effect, Effect::Cancel(_))).collect();
    assert!(cancelled.contains(&&Effect::Cancel(asked.0)), "{cancelled:?}");
    let generation = bench.model.world.generation;
    let answer = bench.aws.answer(&asked.1).map_err(|f| *f);
    let history = bench.history.len();
    bench.answer(asked, answer);
    assert_eq!(bench.model.world.generation, generation, "nothing was taken in");
    assert_eq!(bench.history.len(), history, "and nothing follows from it");
    assert_eq!(bench.model.world.tasks.len(), 0);
}

#[test]
fn tokens_are_never_used_again() {
    let mut bench = Bench::small(80, 24);
    let mut dropped = BTreeSet::new();
    for _ in 0..20 {
        bench.press("enter").pass(Duration::from_millis(300)).press("esc");
        bench.pass(Duration::from_millis(300));
        dropped.extend(bench.dropped.drain(..).map(|(token, ..)| token));
        let alive: BTreeSet<_> = bench.asked.iter().map(|(token, ..)| *token).collect();
        assert!(alive.is_disjoint(&dropped));
        bench.answer_all();
    }
    assert!(dropped.len() >= 20);
}

#[test]
fn a_selection_that_only_passes_by_costs_no_request() {
    let mut bench = Bench::new(Aws::fleet(40), 140, 40);
    bench.settle();
    let before = bench.times_asked("ecs:ListTasks");
    for _ in 0..30 {
        bench.press("j").pass(Duration::from_millis(33));
    }
    assert_eq!(bench.times_asked("ecs:ListTasks"), before);
    bench.pass(Duration::from_millis(200));
    assert_eq!(bench.times_asked("ecs:ListTasks"), before + 2, "running and stopped ones of the last row");
}

#[test]
fn named_clusters_are_asked_without_a_list_of_clusters() {
    let mut session = fixtures::session(&["eu-west-2"]);
    session.clusters = vec!["prod".into()];
    let mut bench = Bench::with(fixtures::model(session, "", 100, 30), Aws::small());
    bench.settle();
    assert_eq!(bench.times_asked("ecs:ListClusters"), 0);
    assert_eq!(bench.services().len(), 3);
}

#[test]
fn without_regions_r_looks_for_them_again() {
    let mut bench = Bench::with(fixtures::model(fixtures::session(&[]), "", 100, 30), Aws::small());
    bench.send(Msg::Scopes(Err(fixtures::fault(FaultKind::NoCredentials))));
    bench.press("r");
    assert!(bench.effects.contains(&Effect::FindRegions));
    bench.send(Msg::Scopes(Ok(vec![fixtures::home()])));
    bench.settle();
    assert_eq!(bench.model.session.scopes_fault, None);
    assert_eq!(bench.services().len(), 3);
}

#[test]
fn an_older_answer_about_a_task_does_not_undo_a_newer_one() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter t").settle();
    let before = bench.model.world.tasks.len();
    bench.pass(Duration::from_secs(6));
    let find = |q: &Query| matches!(q, Query::ListTasks { stopped: false, .. });
    let list = bench.asked.iter().position(|(_, q, _)| find(q)).unwrap();
    let asked = bench.asked.remove(list).unwrap();
    let answer = bench.aws.answer(&asked.1).map_err(|f| *f);
    bench.answer(asked, answer);
    let old = bench.asked.iter().position(|(_, q, _)| q.action() == "ecs:DescribeTasks").unwrap();
    let asked = bench.asked.remove(old).unwrap();
    let stale = bench.aws.answer(&asked.1).map_err(|f| *f);
    let api = fixtures::service_id("api");
    let stopped = fixtures::stopped_task(&api, 16);
    bench.model.world.tasks.get_mut(&stopped.id).unwrap().value = stopped.clone();
    bench.answer(asked, stale);
    assert!(bench.model.world.tasks[&stopped.id].value.is_stopped(), "its version is newer");
    assert_eq!(bench.model.world.tasks.len(), before);
}

#[test]
fn a_running_task_that_is_listed_no_more_is_forgotten_and_a_stopped_one_stays() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter t").settle();
    assert_eq!(bench.model.tasks.list.rows.len(), 3);
    let api = fixtures::service_id("api");
    bench
        .aws
        .tasks
        .retain(|t| t.service() != Some("api") || Arn::last(&t.arn) == fixtures::task(&api, 16).id.id);
    for _ in 0..3 {
        bench.pass(Duration::from_secs(6)).answer_all().present();
    }
    let rows = &bench.model.tasks.list.rows;
    assert_eq!(rows.len(), 2, "one runs, and the stopped one is remembered although ECS forgot it");
    assert!(rows.contains(&fixtures::stopped_task(&api, 0xdead).id));
}

#[test]
fn nothing_is_due_at_once_after_a_tick_so_an_idle_loop_sleeps() {
    for size in [(80, 24), (140, 40), (220, 60)] {
        let mut bench = Bench::small(size.0, size.1);
        for keys in ["enter", "l", "space", "1", "t", "z", "esc", "esc", "8", "a", "1"] {
            bench.press(keys).settle();
            bench.pass(Duration::from_secs(20)).answer_all();
            bench.pass(Duration::from_millis(1));
            let wake = bench.model.wake_in();
            assert_ne!(wake, Some(Duration::ZERO), "after {keys} at {size:?}");
        }
    }
}
