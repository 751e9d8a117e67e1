//! Fleet, alarms, databases, caches, secrets, changes: what is asked, what stands first, where keys lead.

use std::time::Duration;

use crate::app::fixtures::{self, Aws, Bench, Owned, alarm, instance, secret};
use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::app::refresh::{Interest, Watch};
use crate::app::world::Seen;
use crate::app::{Effect, Msg};
use crate::diagnose::{Severity, Subject};
use crate::domain::alarm::AlarmState;
use crate::domain::change::TrailEvent;
use crate::domain::database::DbLogFile;
use crate::domain::fault::FaultKind;
use crate::domain::query::{Answer, PageToken, Query};

fn account() -> Aws {
    Aws { estate: Owned::small(), ..Aws::small() }
}

fn settled(aws: Aws, width: u16, height: u16) -> Bench {
    let mut bench = Bench::fleet(aws, width, height);
    bench.settle();
    bench
}

/// The names in a list, top to bottom.
fn names(bench: &Bench, pane: PaneId) -> Vec<String> {
    let list = bench.model.triage.list(pane).unwrap();
    list.rows
        .iter()
        .map(|item| match item {
            Item::Subject(subject) => subject.name().to_owned(),
            Item::Parameter(_, name) | Item::Branch(_, name) => name.clone(),
            Item::Change(key) => key.name.clone(),
        })
        .collect()
}

/// The messages in the log pane, top to bottom.
fn lines(bench: &Bench) -> Vec<String> {
    bench.model.logs.page().0.iter().filter_map(|row| bench.model.logs.raw(row.id)).collect()
}

#[test]
fn a_log_file_opens_where_logs_are_read_and_esc_leads_back() {
    let mut aws = account();
    aws.estate.log_text = "2026-11-20 13:59:01 UTC::@:[1]:LOG:  one\n".into();
    let mut bench = settled(aws, 80, 24);
    bench.command("service web").settle().press("4").settle();
    let Some(Item::Subject(Subject::Database(claims))) =
        bench.model.triage.selected(PaneId::Databases).cloned()
    else {
        panic!("no database")
    };
    bench.press("enter").settle().press("enter").settle();
    let file = (claims.clone(), "error/postgresql.log.2026-11-20-13".to_owned());
    assert_eq!((bench.model.focus, bench.model.logs.file()), (PaneId::Logs, Some(&file)));
    assert_eq!(lines(&bench), ["2026-11-20 13:59:01 UTC::@:[1]:LOG:  one"]);
    assert_eq!(bench.model.aimed_service(), None, "no action may aim at the service that was open before");
    assert!(bench.model.subject.is_some(), "or this says nothing");

    let reads = |bench: &Bench| {
        bench.history.iter().filter(|query| matches!(query, Query::DownloadDbLogFile { .. })).count()
    };
    let before = reads(&bench);
    bench.aws.estate.log_text.push_str("2026-11-20 13:59:59 UTC::@:[1]:ERROR:  two\n");
    bench.pass(Duration::from_secs(20)).answer_all();
    assert_eq!((reads(&bench), lines(&bench).len()), (before + 1, 2), "what is new is added");
    bench.press("/").type_text("two").press("enter");
    assert_eq!(lines(&bench), ["2026-11-20 13:59:59 UTC::@:[1]:ERROR:  two"]);
    bench.press("esc").aws.estate.log_text = "2026-11-20 14:00:00 UTC::@:[1]:LOG:  begun again\n".into();
    bench.pass(Duration::from_secs(20)).answer_all();
    assert_eq!(lines(&bench), ["2026-11-20 14:00:00 UTC::@:[1]:LOG:  begun again"]);

    bench.press("esc").settle();
    let item = Item::Subject(Subject::Database(claims));
    assert_eq!(bench.model.focus, PaneId::Databases);
    assert!(matches!(&bench.model.overlay, Some(Overlay::Detail(shown, _)) if *shown == item));
    let asked = reads(&bench);
    bench.press("esc").pass(Duration::from_secs(120)).answer_all();
    assert_eq!(reads(&bench), asked, "what nobody looks at is not read");
    bench.press("[").settle();
    assert_eq!((bench.model.focus, bench.model.logs.file()), (PaneId::Logs, Some(&file)));
    bench.command("logs web").settle();
    assert_eq!(bench.model.logs.file(), None, "the service's own log");
    bench.press("[").settle();
    assert_eq!(bench.model.logs.file(), Some(&file));
}

#[test]
fn a_new_log_file_pushes_the_selected_one_down_and_not_away() {
    let mut aws = account();
    let first = aws.estate.log_files[0].clone();
    let named = |name: &str, later: u64| DbLogFile {
        name: name.to_owned(),
        written_at: first.written_at.map(|at| at.plus(Duration::from_secs(later))),
        ..first.clone()
    };
    aws.estate.log_files = vec![named("a", 1), named("b", 2)];
    let mut bench = settled(aws, 80, 24);
    bench.press("4").settle().press("enter").settle().press("enter").settle();
    let selected = |bench: &Bench| match &bench.model.overlay {
        Some(Overlay::LogFiles { selected, .. }) => selected.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(selected(&bench), "b", "the newest");
    bench.press("j j");
    assert_eq!(selected(&bench), "a");
    bench.aws.estate.log_files.push(named("c", 3));
    bench.pass(Duration::from_secs(90)).answer_all().press("enter");
    assert_eq!(bench.model.logs.file().map(|(_, name)| name.as_str()), Some("a"));
}

#[test]
fn the_first_screen_ranks_every_problem_and_knows_why_tasks_stopped() {
    let bench = settled(account(), 120, 40);
    let findings = &bench.model.triage.fleet.findings;
    let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
    assert!(severities.is_sorted(), "{findings:#?}");
    let of = |name: &str| findings.iter().find(|finding| finding.subject.name() == name).unwrap();
    assert_eq!(of("claims").severity, Severity::Critical, "its storage is full");
    assert!(of("claims/production/database").sentence.contains("Rotation"), "{findings:#?}");
    // ECS was asked for the tasks of the sick service alone.
    let asked = bench.history.iter().filter_map(|query| match query {
        Query::ListTasks { service, .. } => service.clone(),
        _ => None,
    });
    let asked: std::collections::BTreeSet<String> = asked.collect();
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), ["api"]);
    let api = of("api");
    let told = format!("{} {:?}", api.sentence, api.evidence);
    assert!(told.contains("137") && told.to_lowercase().contains("memory"), "{told}");
}

#[test]
fn what_no_alarm_watches_is_told_and_what_is_well_is_counted() {
    let bench = settled(account(), 120, 40);
    let fleet = &bench.model.triage.fleet;
    let unwatched: Vec<&str> = fleet.unwatched.iter().map(Subject::name).collect();
    assert!(unwatched.contains(&"worker") && !unwatched.contains(&"claims"), "{unwatched:?}");
    assert!(fleet.healthy.iter().any(|(kind, count)| *kind == "service" && *count == 2), "{fleet:?}");
}

#[test]
fn alarms_are_polled_every_half_minute_at_most() {
    let mut bench = settled(account(), 120, 40);
    bench.press("A");
    let before = bench.times_asked("cloudwatch:DescribeAlarms");
    for _ in 0..120 {
        bench.pass(Duration::from_secs(1)).answer_all().present();
    }
    let asked = bench.times_asked("cloudwatch:DescribeAlarms") - before;
    assert!((3..=4).contains(&asked), "{asked} in two minutes");
}

#[test]
fn what_the_account_does_not_use_costs_one_call_and_rests() {
    let mut bench = settled(Aws::small(), 120, 40);
    for _ in 0..840 {
        bench.pass(Duration::from_secs(1)).answer_all().present();
    }
    let unused = [
        "rds:DescribeDBInstances",
        "elasticache:DescribeReplicationGroups",
        "secretsmanager:ListSecrets",
        "cloudwatch:DescribeAlarms",
    ];
    assert_eq!(unused.map(|action| bench.times_asked(action)), [1; 4]);
    assert_eq!(bench.times_asked("rds:DescribeDBClusters"), 0, "without instances there are no clusters");
    assert_eq!(bench.times_asked("cloudwatch:GetMetricData"), 0, "nothing is drawn");
}

#[test]
fn one_key_leads_from_an_alarm_to_what_it_watches_and_back() {
    let mut bench = settled(account(), 120, 40);
    bench.press("A");
    assert_eq!(names(&bench, PaneId::Alarms)[0], "claims-cpu-high", "the firing one");
    bench.press("w");
    assert_eq!(bench.model.focus, PaneId::Databases);
    let selected = bench.model.triage.selected(PaneId::Databases).cloned();
    assert!(matches!(selected, Some(Item::Subject(Subject::Database(id))) if id.name == "claims"));
    bench.press("w");
    assert_eq!(bench.model.focus, PaneId::Alarms);
    bench.press("[");
    assert_eq!(bench.model.focus, PaneId::Databases);
    bench.press("[");
    assert_eq!(bench.model.focus, PaneId::Alarms);
}

#[test]
fn beside_an_alarm_the_wide_deck_shows_the_service_that_it_watches() {
    let mut bench = settled(account(), 220, 60);
    bench.press("A /").type_text("api-cpu").press("enter down");
    let selected = bench.model.triage.selected(PaneId::Alarms).cloned();
    assert!(matches!(selected, Some(Item::Subject(Subject::Alarm(id))) if id.name == "api-cpu-high"));
    bench.model.subject = Some(fixtures::service_id("worker"));
    bench.send(Msg::Tick);
    assert_eq!(bench.model.subject, Some(fixtures::service_id("api")));
}

#[test]
fn alarms_of_target_tracking_are_folded_until_somebody_unfolds_them() {
    let mut bench = settled(account(), 120, 40);
    bench.press("A");
    assert_eq!(names(&bench, PaneId::Alarms), ["claims-cpu-high", "api-cpu-high"]);
    assert_eq!(bench.model.triage.folded[&PaneId::Alarms], 1);
    bench.press("f");
    assert_eq!(names(&bench, PaneId::Alarms).len(), 3);
    assert!(
        !bench.model.triage.fleet.findings.iter().any(|f| f.subject.name().starts_with("TargetTracking"))
    );
}

#[test]
fn an_alarm_in_detail_asks_for_its_history_and_its_numbers_as_far_back_as_a_key_says() {
    let mut bench = settled(account(), 120, 40);
    bench.press("A enter").settle();
    assert!(matches!(bench.model.overlay, Some(Overlay::Detail(..))));
    assert_eq!(bench.times_asked("cloudwatch:DescribeAlarmHistory"), 1);
    let mut spans = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let latest = bench.history.iter().rev().find_map(|query| match query {
            Query::GetMetricData(request) => Some(request.to.0 - request.from.0),
            _ => None,
        });
        spans.insert(latest.unwrap() / 3_600_000);
        bench.press("i").settle();
    }
    assert_eq!(spans.into_iter().collect::<Vec<_>>(), [1, 3, 24, 168]);
}

#[test]
fn a_permission_that_is_missing_locks_one_list_and_is_named() {
    let mut aws = account();
    let mut fault = fixtures::fault(FaultKind::Denied);
    fault.action = Some("rds:DescribeDBInstances".into());
    aws.faults.insert("rds:DescribeDBInstances".into(), fault);
    let mut bench = settled(aws, 120, 40);
    let mut shown = |key: &str, pane: PaneId| names(bench.press(key), pane);
    assert!(shown("4", PaneId::Databases).is_empty());
    assert!(!shown("3", PaneId::Alarms).is_empty() && !shown("6", PaneId::Secrets).is_empty());
    bench.press("1").settle();
    let findings = &bench.model.triage.fleet.findings;
    let unread = findings.iter().find(|finding| finding.rule == "scope.unread").unwrap();
    assert!(unread.sentence.contains("rds:DescribeDBInstances"), "{unread:?}");
    // It is not asked again and again.
    for _ in 0..120 {
        bench.pass(Duration::from_secs(1)).answer_all().present();
    }
    assert_eq!(bench.times_asked("rds:DescribeDBInstances"), 1);
}

#[test]
fn long_lists_are_read_to_their_end() {
    let mut aws = Aws::small();
    aws.estate.alarms = (0..200).map(|n| alarm(&format!("alarm-{n:03}"), AlarmState::Ok)).collect();
    aws.estate.instances = (0..50).map(|n| instance(&format!("db-{n:02}"))).collect();
    aws.estate.secrets = (0..300).map(|n| secret(&format!("app-{n:03}"))).collect();
    let mut bench = settled(aws, 120, 40);
    bench.press("K").settle();
    let panes = [("3", PaneId::Alarms), ("4", PaneId::Databases), ("6", PaneId::Secrets)];
    let lengths = panes.map(|(key, pane)| names(bench.press(key), pane).len());
    assert_eq!(lengths, [200, 50, 300]);
}

#[test]
fn replicas_and_members_stand_under_their_head_and_the_sick_family_stands_first() {
    let mut bench = settled(account(), 120, 40);
    assert_eq!(
        names(bench.press("4"), PaneId::Databases),
        ["claims", "claims-replica", "billing", "billing-1", "billing-2"]
    );
    let depth = |name: &str| {
        let (_, depth) = bench
            .model
            .triage
            .depth
            .iter()
            .find(|(item, _)| matches!(item, Item::Subject(Subject::Database(id)) if id.name == name))
            .unwrap();
        *depth
    };
    assert_eq!(["claims", "claims-replica", "billing", "billing-2"].map(depth), [0, 1, 0, 1]);
}

#[test]
fn secrets_are_a_tree_by_their_slashes_with_the_sick_family_first() {
    let mut bench = settled(account(), 120, 40);
    bench.press("K").settle();
    assert_eq!(
        names(&bench, PaneId::Secrets),
        [
            "claims/production",
            "claims/production/database",
            "claims/production/jwt",
            "/claims/production/log-level"
        ]
    );
}

#[test]
fn changes_reach_as_far_as_the_range_and_lead_to_their_resource() {
    let mut bench = settled(account(), 120, 40);
    bench.press("H").settle();
    let three_hours = names(&bench, PaneId::Changes);
    assert!(three_hours.iter().any(|name| name == "claims"), "{three_hours:?}");
    while bench.model.range.word() != "24h" {
        bench.press("i");
    }
    let day = names(&bench, PaneId::Changes);
    assert!(day.len() > three_hours.len(), "{day:?} {three_hours:?}");
    bench.press("/").type_text("ModifyDBInstance").press("enter").press("enter");
    assert_eq!(bench.model.focus, PaneId::Databases, "{}", bench.notice());
}

#[test]
fn numbers_are_asked_for_only_what_is_on_screen() {
    let mut bench = settled(account(), 80, 24);
    bench.press("K");
    let before = bench.times_asked("cloudwatch:GetMetricData");
    for _ in 0..180 {
        bench.pass(Duration::from_secs(1)).answer_all().present();
    }
    assert_eq!(bench.times_asked("cloudwatch:GetMetricData"), before, "secrets have no numbers");
    bench.press("R").settle();
    assert!(bench.times_asked("cloudwatch:GetMetricData") > before);
}

fn with_bell(config: &str) -> Bench {
    let model = fixtures::model(fixtures::session(&["eu-west-2"]), config, 120, 40);
    let mut bench = Bench::with(model, account());
    bench.model.focus = PaneId::Fleet;
    bench.aws.services.retain(|service| service.id.name != "api");
    bench.aws.estate.instances.retain(|instance| instance.id.name != "claims");
    bench.aws.estate.secrets.remove(0);
    bench.settle();
    bench
}

/// A service of two tasks loses both.
fn fall(bench: &mut Bench) {
    bench.aws.services.iter_mut().filter(|s| s.id.name == "web").for_each(|service| {
        service.running = 0;
        service.deployments.iter_mut().for_each(|deployment| deployment.running = 0);
    });
    bench.pass(Duration::from_secs(61)).answer_all();
}

#[test]
fn something_new_and_critical_rings_once_and_stands_in_the_title() {
    let mut bench = with_bell("[ui]\nbell = true");
    assert!(!bench.effects.contains(&Effect::Bell), "what is critical from the start is on the screen");
    fall(&mut bench);
    let rings = |bench: &Bench| bench.effects.iter().filter(|effect| **effect == Effect::Bell).count();
    assert_eq!(rings(&bench), 1, "{:#?}", bench.model.triage.fleet.findings);
    assert_eq!(bench.titles, ["opsdeck", "opsdeck: claims-cpu-high is critical", "opsdeck: 2 critical"]);
    bench.pass(Duration::from_secs(61)).answer_all();
    assert_eq!(rings(&bench), 1, "it is not new any more");
}

#[test]
fn what_is_being_looked_at_for_the_first_time_does_not_swallow_the_bell() {
    let mut bench = with_bell("[ui]\nbell = true");
    bench.press("A enter").pass(Duration::from_millis(200));
    let held = bench.asked.iter().position(|(_, q, _)| q.action() == "cloudwatch:DescribeAlarmHistory");
    bench.asked.remove(held.unwrap());
    fall(&mut bench);
    assert!(bench.effects.contains(&Effect::Bell), "{:#?}", bench.model.triage.fleet.findings);
}

#[test]
fn back_from_the_shell_the_title_is_set_again() {
    let mut bench = with_bell("");
    let title = bench.titles.last().unwrap().clone();
    bench.titles.clear();
    bench.send(Msg::Resumed);
    assert_eq!(bench.titles, [title]);
}

#[test]
fn a_row_that_the_fleet_s_rules_raised_falls_back_when_they_find_nothing_any_more() {
    let mut bench = settled(account(), 120, 40);
    let web = fixtures::service_id("web");
    let severity = |bench: &Bench| bench.model.world.services[&web].judged().unwrap().severity;
    assert_eq!(severity(&bench), Severity::Ok);
    let lost: Vec<_> = (0..2u32).map(|n| fixtures::stopped_task(&web, 0xbad0 + n)).collect();
    for task in &lost {
        let seen = Seen { value: task.clone(), at: bench.now };
        bench.model.world.tasks.insert(task.id.clone(), seen);
    }
    bench.model.world.generation += 1;
    bench.send(Msg::Tick);
    assert_eq!(severity(&bench), Severity::Warning);
    bench.model.world.tasks.retain(|id, _| lost.iter().all(|task| task.id != *id));
    bench.model.world.generation += 1;
    bench.send(Msg::Tick);
    assert_eq!(severity(&bench), Severity::Ok);
}

#[test]
fn a_list_that_nobody_wants_any_more_is_no_finding() {
    let mut aws = account();
    aws.faults.insert("ssm:DescribeParameters".into(), fixtures::fault(FaultKind::Denied));
    let mut bench = settled(aws, 120, 40);
    let unread = |bench: &Bench| bench.model.triage.fleet.findings.iter().any(|f| f.rule == "scope.unread");
    assert!(!unread(&bench));
    bench.press("K").settle();
    assert!(unread(&bench));
    bench.press("esc");
    assert!(!unread(&bench));
    // One that was read before and fails now says so only while it is wanted, too.
    bench.aws.faults.clear();
    bench.press("K").settle();
    bench.aws.faults.insert("ssm:DescribeParameters".into(), fixtures::fault(FaultKind::Throttled));
    bench.pass(Duration::from_secs(61)).answer_all();
    assert!(unread(&bench));
    bench.press("esc");
    assert!(!unread(&bench));
}

#[test]
fn a_large_fleet_is_judged_once_a_second_and_the_last_answer_is_not_lost() {
    let mut bench = settled(Aws { estate: Owned::small(), ..Aws::fleet(600) }, 120, 40);
    bench.pass(Duration::from_secs(1)).pass(Duration::from_secs(1));
    let known = |bench: &Bench, name: &str| {
        bench.model.triage.fleet.findings.iter().any(|finding| finding.subject.name() == name)
    };
    for (name, at_once) in [("first", true), ("second", false)] {
        let mut new = alarm(name, AlarmState::Alarm);
        new.rule = None;
        let seen = Seen { value: new.clone(), at: bench.now };
        bench.model.world.estate.alarms.insert(new.id, seen);
        bench.model.world.generation += 1;
        bench.send(Msg::Tick);
        assert_eq!(known(&bench, name), at_once, "{name}");
    }
    let wake = bench.model.wake_in().unwrap();
    assert!(wake <= Duration::from_secs(1), "{wake:?}");
    bench.pass(Duration::from_secs(1));
    assert!(known(&bench, "second"));
}

#[test]
fn a_chart_that_two_panes_want_is_asked_for_once() {
    // A deck with the problems and the databases: both want the numbers of each database.
    let mut bench = settled(account(), 220, 60);
    bench.press("R").settle();
    let wanted = crate::app::charts::wanted(&bench.model);
    let once: std::collections::BTreeSet<_> = wanted.iter().collect();
    assert!(!wanted.is_empty() && once.len() == wanted.len());
}

#[test]
fn what_a_check_found_stands_among_the_problems_for_ten_minutes() {
    let mut bench = settled(account(), 120, 40);
    let told = |bench: &Bench| {
        let found = &bench.model.triage.fleet.findings;
        found.iter().any(|f| f.subject.name() == "web" && f.sentence.contains("would not start"))
    };
    bench.command("check web").settle();
    assert!(told(&bench), "{:#?}", bench.model.triage.fleet.findings);
    // A check of another service does not end it.
    bench.press("esc").command("check worker").settle();
    assert!(told(&bench));
    for _ in 0..620 {
        bench.pass(Duration::from_secs(1)).answer_all();
    }
    assert!(!told(&bench));
}

#[test]
fn numbers_that_no_longer_come_are_not_judged() {
    let mut aws = account();
    aws.estate.instances.iter_mut().for_each(|instance| instance.status = "available".into());
    let mut bench = settled(aws, 120, 40);
    let hot = |bench: &Bench| {
        let found = &bench.model.triage.fleet.findings;
        found
            .iter()
            .any(|f| f.rule == "database.cpu" || f.evidence.iter().any(|e| e.text.starts_with("CPU at")))
    };
    assert!(hot(&bench), "{:#?}", bench.model.triage.fleet.findings);
    bench.aws.faults.insert("cloudwatch:GetMetricData".into(), fixtures::fault(FaultKind::Throttled));
    for _ in 0..16 {
        bench.pass(Duration::from_secs(60)).answer_all();
    }
    assert!(!hot(&bench), "{:#?}", bench.model.triage.fleet.findings);
}

#[test]
fn two_changes_of_one_second_are_two_rows() {
    let mut aws = account();
    let first = TrailEvent { at: fixtures::ago(60), ..aws.estate.trail[0].clone() };
    for (id, name) in [("e-1", "AddTagsToResource"), ("e-2", "RebootDBInstance")] {
        aws.estate.trail.push(TrailEvent { id: id.into(), name: name.into(), ..first.clone() });
    }
    let mut bench = settled(aws, 120, 40);
    bench.press("H").settle();
    let list = bench.model.triage.list(PaneId::Changes).unwrap();
    let told: Vec<&str> =
        list.rows.iter().map(|item| bench.model.triage.change(item).unwrap().sentence.as_str()).collect();
    for name in ["AddTagsToResource", "RebootDBInstance"] {
        assert_eq!(told.iter().filter(|told| told.contains(name)).count(), 1, "{told:?}");
    }
}

#[test]
fn it_is_known_when_cloudtrail_has_more_and_what_is_kept_of_it_has_an_end() {
    let mut bench = settled(account(), 120, 40);
    let first = bench.aws.estate.trail[0].clone();
    bench.press("H");
    let mut pages = 0u32;
    for _ in 0..60 {
        bench.pass(Duration::from_secs(61));
        while let Some(asked) = bench.asked.pop_front() {
            let outcome = match &asked.1 {
                Query::LookupEvents { .. } => {
                    pages += 1;
                    let found = (0u32..50).map(|n| {
                        let at = first.at.plus(Duration::from_secs(u64::from(pages)));
                        TrailEvent { id: format!("{pages}-{n}"), at, ..first.clone() }
                    });
                    let next = Some(PageToken(pages.to_string()));
                    Ok(Answer::TrailEvents { found: found.collect(), next })
                }
                query => bench.aws.answer(query).map_err(|fault| *fault),
            };
            bench.answer(asked, outcome);
        }
    }
    let trail = Interest::Watch(fixtures::home(), Watch::Trail);
    assert!(bench.model.refresh.entry(&trail).unwrap().is_cut);
    let kept = &bench.model.world.estate.trail[&fixtures::home()];
    assert!(pages > 100 && kept.len() == 2_000, "{pages} {}", kept.len());
    assert!(kept.contains_key(&format!("{pages}-0")), "the newest are kept");
}

#[test]
fn bell_and_title_can_be_switched_off() {
    let mut bench = with_bell("[ui]\nbell = false\ntitle = false");
    fall(&mut bench);
    assert!(!bench.effects.contains(&Effect::Bell) && bench.titles.is_empty(), "{:?}", bench.titles);
}

#[test]
fn the_check_of_the_next_start_asks_once_and_tells_what_blocks() {
    let mut bench = settled(account(), 120, 40);
    bench.command("check web").settle();
    assert!(matches!(bench.model.overlay, Some(Overlay::Check(_))), "{}", bench.notice());
    let now = bench.now.wall;
    let checks = bench.model.check.checks(&bench.model.world, now).unwrap();
    assert!(!bench.model.check.is_under_way() && !checks.is_empty(), "{checks:?}");
    let asked = bench.times_asked("ecr:DescribeImages");
    for _ in 0..60 {
        bench.pass(Duration::from_secs(1)).answer_all();
    }
    assert_eq!(bench.times_asked("ecr:DescribeImages"), asked, "a check is not repeated by itself");
}

#[test]
fn a_late_answer_about_numbers_harms_nothing() {
    let mut bench = settled(account(), 120, 40);
    bench.press("R");
    bench.pass(Duration::from_secs(61));
    let asked: Vec<_> =
        bench.asked.iter().filter(|(_, q, _)| q.action() == "cloudwatch:GetMetricData").cloned().collect();
    bench.press("K").answer_all();
    for one in asked {
        let outcome = bench.aws.answer(&one.1).map_err(|fault| *fault);
        bench.send(Msg::Answer(one.0, Box::new(one.1), Box::new(outcome)));
    }
    assert_eq!(bench.model.focus, PaneId::Secrets);
}
