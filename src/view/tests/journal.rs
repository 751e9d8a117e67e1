//! The journal's pane in each of its states and sizes, and an operation in detail.

use insta::assert_snapshot;

use super::{pane, show, tabs, whole};
use crate::app::Msg;
use crate::app::fixtures::journal::{INCIDENT, entries, history, many};
use crate::app::fixtures::{self, Bench};
use crate::app::pane::PaneId;
use crate::app::pane::journal::KEPT;
use crate::journal::{Broken, Entry, History, Report};

/// The pane over the small account, before the journal was read.
fn unread(width: u16, height: u16) -> Bench {
    let mut bench = Bench::small(width, height);
    bench.press("J");
    bench
}

fn with(report: Report, width: u16, height: u16) -> Bench {
    let mut bench = unread(width, height);
    bench.send(Msg::Journal(Box::new(Ok(History::of(report, KEPT)))));
    bench
}

fn report(entries: Vec<Entry>) -> Report {
    Report { entries, torn: Vec::new(), broken: None, head: "0".repeat(64) }
}

fn drawn(bench: &mut Bench) -> String {
    pane(bench, PaneId::Journal)
}

#[test]
fn unread_and_empty() {
    assert_snapshot!("journal_unread", drawn(&mut unread(80, 8)));
    assert_snapshot!("journal_empty", drawn(&mut with(report(Vec::new()), 80, 8)));
}

#[test]
fn rows_wide_medium_and_narrow() {
    let mut bench = with(report(entries()), 160, 16);
    assert_snapshot!("journal_160", drawn(&mut bench));
    bench.resize(120, 16);
    assert_snapshot!("journal_120", drawn(&mut bench));
    bench.resize(80, 16);
    assert_snapshot!("journal_80", drawn(&mut bench));
    bench.resize(45, 16);
    assert_snapshot!("journal_45", drawn(&mut bench));
    // On the deck it stands in the place of the alarms.
    bench.resize(220, 60);
    assert_snapshot!("journal_220", drawn(&mut bench));
}

#[test]
fn of_several_places_each_row_says_where_it_was() {
    let session = fixtures::session(&["eu-west-2", "us-east-1"]);
    let mut bench = Bench::with(fixtures::model(session, "", 180, 12), fixtures::Aws::small());
    bench.press("J").send(Msg::Journal(Box::new(Ok(history(entries())))));
    let shown = drawn(&mut bench);
    assert!(shown.contains("WHERE") && shown.matches("default/eu-west-2").count() == 5, "{shown}");
}

#[test]
fn filtered_sorted_and_filtered_away() {
    let mut bench = with(report(entries()), 80, 12);
    bench.command(&format!("filter {INCIDENT}")).command("sort verdict");
    assert_snapshot!("journal_filtered", drawn(&mut bench));
    bench.command("filter nobody");
    assert_snapshot!("journal_filtered_away", drawn(&mut bench));
}

#[test]
fn torn_broken_and_unreadable() {
    let torn = Report { torn: vec![3], ..report(entries()) };
    assert_snapshot!("journal_torn", drawn(&mut with(torn, 80, 12)));
    let why = "does not follow the line before it: lines are missing, added or moved".to_owned();
    let broken = Report { broken: Some(Broken { line: 4, why }), ..report(entries()[..3].to_vec()) };
    assert_snapshot!("journal_broken", drawn(&mut with(broken.clone(), 80, 12)));
    let nothing = Report { entries: Vec::new(), ..broken };
    assert_snapshot!("journal_broken_at_once", drawn(&mut with(nothing, 80, 12)));
    let why = "/home/ann/.local/state/opsdeck/journal/h-ann.jsonl: permission denied".to_owned();
    let mut bench = unread(80, 8);
    bench.send(Msg::Journal(Box::new(Err(why.clone()))));
    assert_snapshot!("journal_unreadable", drawn(&mut bench));
    let mut bench = with(report(entries()), 80, 12);
    bench.send(Msg::Journal(Box::new(Err(why))));
    assert_snapshot!("journal_stale", drawn(&mut bench));
}

#[test]
fn more_than_is_kept_says_how_many_are_older() {
    let mut bench = with(report(many(KEPT + 234)), 80, 8);
    let shown = drawn(&mut bench);
    assert!(shown.ends_with("… and 234 older: opsdeck journal lists them"), "{shown}");
    // The last row is in sight above that line.
    bench.press("G");
    let shown = drawn(&mut bench);
    assert_eq!(bench.model.journal.list.selected().map(String::as_str), Some("many-00234"));
    assert!(shown.lines().rev().nth(1).is_some_and(|line| line.starts_with('▌')), "{shown}");
}

#[test]
fn an_operation_in_detail() {
    let mut bench = with(report(entries()), 100, 44);
    for (keys, name) in
        [("j", "calls"), ("j", "rolled_back"), ("j j", "lost"), ("g", "open"), ("j j j", "mark")]
    {
        show(&mut bench);
        bench.press(keys).press("enter");
        assert_snapshot!(format!("journal_detail_{name}"), whole(&mut bench));
        bench.press("esc");
    }
}

#[test]
fn its_tab_has_a_letter() {
    for width in [80, 120] {
        let shown = tabs(&mut unread(width, 12));
        assert!(shown.contains("[J Journal]"), "{shown}");
    }
}
