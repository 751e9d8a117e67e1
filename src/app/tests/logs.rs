//! The log pane over an account that answers.

use std::time::Duration;

use crate::app::fixtures::{self, Aws, Bench};
use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::pane::list::Motion;
use crate::app::{Effect, Msg, Pointing, Target};
use crate::domain::fault::FaultKind;
use crate::domain::query::Query;
use crate::stdx::clock::Wall;

/// The messages on screen, top to bottom.
fn messages(bench: &Bench) -> Vec<String> {
    bench.model.logs.page().0.into_iter().map(|row| row.message).collect()
}

/// What the title says on its right.
fn says(bench: &Bench) -> String {
    let (_, right) = bench.model.logs.says(&bench.model.theme, bench.now);
    right.into_iter().map(|(text, _)| text).collect::<Vec<_>>().join(" | ")
}

/// The log of `api`, read.
fn open() -> Bench {
    let config = "[logs]\nfields = ['status']\n";
    let model = fixtures::model(fixtures::session(&["eu-west-2"]), config, 80, 24);
    let mut bench = Bench::with(model, Aws::small());
    bench.settle().press("l").settle();
    bench.pass(Duration::from_secs(6)).answer_all().present();
    bench
}

/// Another line of the first task of `api`, written now.
fn write(bench: &mut Bench, number: u32, message: &str) {
    let mut line = fixtures::line(&bench.aws.tasks[0].clone(), number, 0, message);
    line.at = bench.now.wall;
    line.ingested_at = Some(Wall(bench.now.wall.0 + 300));
    bench.aws.lines.push(line);
}

fn read_on(bench: &mut Bench) {
    for _ in 0..4 {
        bench.pass(Duration::from_secs(3)).answer_all().present();
    }
}

#[test]
fn a_service_s_log_is_merged_parsed_and_followed() {
    let mut bench = open();
    assert_eq!(bench.model.focus, PaneId::Logs);
    assert_eq!(bench.model.logs.held(), 30);
    let shown = messages(&bench);
    assert_eq!(shown.last().map(String::as_str), Some("request 29 done"), "{shown:?}");
    let (rows, _) = bench.model.logs.page();
    let tasks: std::collections::BTreeSet<&str> = rows.iter().map(|r| r.task.as_str()).collect();
    assert_eq!(tasks.len(), 2, "both tasks");
    assert!(rows[0].pairs.iter().any(|(k, v)| k == "status" && v == "200"), "{:?}", rows[0].pairs);
    write(&mut bench, 100, "a new line");
    read_on(&mut bench);
    assert_eq!(messages(&bench).last().map(String::as_str), Some("a new line"));
    assert!(says(&bench).contains("following"), "{}", says(&bench));
}

#[test]
fn a_held_view_is_not_yanked_and_says_what_came_below() {
    let mut bench = open();
    bench.press("space");
    let before = messages(&bench);
    for n in 0..5 {
        write(&mut bench, 200 + n, &format!("late {n}"));
        read_on(&mut bench);
    }
    assert_eq!(messages(&bench), before);
    assert!(says(&bench).contains("paused, 5 new below"), "{}", says(&bench));
    bench.press("space");
    assert_eq!(messages(&bench).last().map(String::as_str), Some("late 4"));
}

#[test]
fn moving_up_holds_and_moving_below_the_end_follows_again() {
    let mut bench = open();
    bench.press("k k");
    assert!(says(&bench).contains("paused"));
    bench.press("j j j");
    assert!(says(&bench).contains("following"), "{}", says(&bench));
}

#[test]
fn a_filter_works_on_what_is_held_and_esc_brings_the_one_before_back() {
    let mut bench = open();
    bench.press("/").type_text("\"request 2\"");
    assert_eq!(messages(&bench).len(), 11, "{:?}", messages(&bench));
    bench.press("enter");
    assert!(bench.model.prompt.is_none());
    let kept = messages(&bench);
    bench.press("/").type_text(" 29");
    assert_ne!(messages(&bench), kept);
    bench.press("esc");
    assert_eq!(messages(&bench), kept);
    bench.press("/").type_text(" \"open");
    let error = bench.model.prompt.as_ref().unwrap().error.clone().unwrap();
    assert!(error.contains("not closed"), "{error}");
    assert_eq!(messages(&bench), kept, "nothing is lost");
    bench.press("esc").press("esc");
    assert_eq!(messages(&bench).len(), 20, "everything again");
    assert_eq!(bench.model.focus, PaneId::Logs);
}

#[test]
fn the_level_walks_and_is_named() {
    let mut bench = open();
    bench.press("v");
    assert_eq!(bench.notice(), "Lines of level info or worse");
    bench.press("v v");
    assert_eq!(bench.notice(), "Lines of level error or worse");
    assert_eq!(messages(&bench), ["request 3 done", "request 13 done", "request 23 done"]);
    bench.press("v");
    assert_eq!(messages(&bench).len(), 20);
    bench.command("level warn");
    assert_eq!(messages(&bench).len(), 3);
    bench.press(":").type_text("level loud").press("enter");
    let error = bench.model.prompt.as_ref().unwrap().error.clone().unwrap();
    assert!(error.contains("`loud` is not a value of LEVEL"), "{error}");
}

#[test]
fn enter_shows_the_whole_record_and_y_copies_it_raw() {
    let mut bench = open();
    bench.press("k").press("enter");
    let Some(Overlay::Record(id, _)) = bench.model.overlay.clone() else { panic!("no record") };
    let raw = bench.model.logs.raw(id).unwrap();
    assert!(raw.starts_with('{'), "{raw}");
    bench.press("y");
    assert_eq!(bench.effects.last(), Some(&Effect::Copy(raw)));
}

#[test]
fn a_click_selects_a_record_and_holds() {
    let mut bench = open();
    let id = bench.model.logs.page().0[3].id;
    bench.send(Msg::Pointed(Target::Record(id), Pointing::Click));
    assert_eq!(bench.model.logs.selected(), Some(id));
    write(&mut bench, 300, "later");
    read_on(&mut bench);
    assert_eq!(bench.model.logs.selected(), Some(id));
}

#[test]
fn next_match_walks_and_says_when_there_is_none() {
    let mut bench = open();
    bench.press("/").type_text("request").press("enter").press("N");
    assert_ne!(bench.notice(), "No other match among the lines held here");
    bench.press("backspace").press("/").type_text("absent").press("enter").press("n");
    assert_eq!(bench.notice(), "No other match among the lines held here");
}

#[test]
fn reading_upwards_at_the_top_asks_for_older_lines() {
    let mut bench = open();
    let asked = |bench: &Bench| {
        bench.history.iter().filter(|q| matches!(q, Query::FilterLogEvents(q) if q.newest_first)).count()
    };
    let before = asked(&bench);
    bench.press("g").press("k").pass(Duration::from_millis(300));
    assert!(asked(&bench) > before || bench.times_asked("logs:FilterLogEvents") > 1);
    let after = bench.times_asked("logs:FilterLogEvents");
    bench.press("b").pass(Duration::from_millis(300)).answer_all();
    assert!(bench.times_asked("logs:FilterLogEvents") >= after);
    assert_eq!(bench.model.logs.held(), 30, "each line once, however often it is read");
}

#[test]
fn another_service_s_log_starts_anew_and_the_old_requests_are_cancelled() {
    let mut bench = Bench::small(80, 24);
    bench.press("l").pass(Duration::from_millis(10));
    assert!(bench.asked.iter().any(|(_, q, _)| q.action() == "ecs:DescribeTaskDefinition"));
    bench.press("2 j l");
    assert_eq!(bench.model.logs.held(), 0);
    assert!(bench.dropped.iter().any(|(_, q, _)| q.action() == "ecs:DescribeTaskDefinition"));
    assert_eq!(bench.model.logs.about().as_deref(), Some("web"));
}

#[test]
fn the_log_of_a_task_is_left_for_the_log_of_another_service() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter t").settle();
    bench.press("l");
    assert!(bench.model.logs.subject_task().is_some());
    // Another service of the same cluster, reached by its own pane.
    bench.press("2 j enter l");
    assert_eq!(bench.model.logs.about().as_deref(), Some("web"));
    assert_eq!(bench.model.logs.subject_task(), None);
}

#[test]
fn the_history_brings_the_log_of_a_task_back() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter t").settle();
    bench.press("l").settle();
    let task = bench.model.logs.subject_task().cloned();
    assert!(task.is_some());
    bench.press("2 l").settle();
    assert_eq!(bench.model.logs.subject_task(), None, "the service's own log");
    bench.press("[ [");
    assert_eq!((bench.model.focus, bench.model.logs.subject_task().cloned()), (PaneId::Logs, task));
}

#[test]
fn a_log_that_is_not_on_screen_is_not_asked_for() {
    let mut bench = open();
    bench.press("1");
    let before = bench.times_asked("logs:FilterLogEvents");
    for _ in 0..60 {
        bench.pass(Duration::from_secs(1)).answer_all().present();
    }
    assert_eq!(bench.times_asked("logs:FilterLogEvents"), before);
    write(&mut bench, 400, "written meanwhile");
    bench.press("[");
    read_on(&mut bench);
    assert_eq!(
        messages(&bench).last().map(String::as_str),
        Some("written meanwhile"),
        "and none is left out"
    );
}

#[test]
fn a_fault_is_said_and_the_lines_stay() {
    let mut bench = open();
    bench.aws.faults.insert("logs:FilterLogEvents".into(), fixtures::fault(FaultKind::Throttled));
    read_on(&mut bench);
    assert_eq!(bench.model.logs.held(), 30);
    assert!(says(&bench).contains("throttled by CloudWatch Logs"), "{}", says(&bench));
    bench.aws.faults.clear();
    write(&mut bench, 500, "after the storm");
    for _ in 0..30 {
        bench.pass(Duration::from_secs(3)).answer_all().present();
    }
    assert_eq!(messages(&bench).last().map(String::as_str), Some("after the storm"));
}

#[test]
fn a_stack_trace_is_folded_under_its_line_and_unfolds() {
    let mut bench = open();
    write(&mut bench, 600, "ERROR boom");
    for n in 1..5 {
        write(&mut bench, 600 + n, "    at frame (/app/x.js:1:1)");
    }
    read_on(&mut bench);
    let (rows, _) = bench.model.logs.page();
    let boom = rows.iter().find(|r| r.message.contains("boom")).unwrap();
    let folded = boom.folded;
    bench.press("f");
    let (rows, _) = bench.model.logs.page();
    let boom = rows.iter().find(|r| r.message.contains("boom")).unwrap();
    assert_eq!((folded.max(boom.folded), folded.min(boom.folded)), (4, 0), "one of the two is folded");
}

#[test]
fn wrapping_and_scrolling_sideways_keep_the_cursor_in_view() {
    let mut bench = open();
    write(&mut bench, 700, &"word ".repeat(400));
    read_on(&mut bench);
    bench.press("w").press("k k k right right left").press("G w");
    bench.model.logs.move_by(Motion::Up, 20);
    bench.present();
    let (rows, _) = bench.model.logs.page();
    assert!(rows.iter().any(|r| r.chosen));
}
