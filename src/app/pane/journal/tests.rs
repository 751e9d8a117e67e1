//! Rows, order, filter and notes of the journal's pane, from entries.

use super::*;
use crate::app::fixtures::journal::{INCIDENT, entries, history, many};
use crate::app::pane::list::Filter;
use crate::journal::{Broken, Report};

fn read() -> Journal {
    let mut journal = Journal::default();
    journal.absorb(Ok(history(entries())));
    journal
}

/// The last two letters of each row's operation.
fn rows(journal: &Journal) -> Vec<&str> {
    journal.list.rows.iter().map(|operation| &operation[operation.len() - 2..]).collect()
}

fn filtered(text: &str) -> Journal {
    let mut journal = read();
    journal.list.filter = Some(Filter::parse(text).unwrap());
    journal.settle();
    journal
}

#[test]
fn one_row_for_each_operation_the_newest_first() {
    assert_eq!(rows(&read()), ["06", "05", "04", "03", "02", "01"]);
    assert_eq!(read().says(), "6 operations");
}

#[test]
fn rows_sort_by_each_column_and_turn_round() {
    let sorted = |column: Column, reversed: bool| {
        let mut journal = read();
        (journal.list.sort, journal.list.reversed) = (column, reversed);
        journal.settle();
        rows(&journal).join(" ")
    };
    assert_eq!(sorted(Column::When, true), "01 02 03 04 05 06");
    assert_eq!(sorted(Column::Who, false), "06 05 04 03 02 01");
    assert_eq!(sorted(Column::Verb, false), "06 04 03 02 05 01");
    assert_eq!(sorted(Column::Target, false), "03 01 06 02 05 04");
    assert_eq!(sorted(Column::Verdict, false), "04 01 06 02 05 03");
}

#[test]
fn a_filter_finds_incident_person_target_verdict_and_reason() {
    assert_eq!(rows(&filtered(INCIDENT)), ["06", "05", "04", "03"]);
    assert_eq!(filtered(INCIDENT).says(), "4 of 6 operations");
    assert_eq!(rows(&filtered("prod/worker -succeeded")), ["04"]);
    assert_eq!(rows(&filtered("no outcome")), ["06"]);
    assert_eq!(rows(&filtered("stale")), ["04"]);
    assert_eq!(rows(&filtered("setSecret")), ["01"]);
    assert_eq!(rows(&filtered("bastion-1")).len(), 6);
    assert!(rows(&filtered("nobody")).is_empty());
}

#[test]
fn what_cannot_be_read_any_more_keeps_the_rows_and_says_so() {
    let mut journal = read();
    journal.absorb(Err("permission denied".into()));
    assert_eq!(rows(&journal).len(), 6);
    let notes = journal.notes(200);
    assert_eq!(
        notes,
        [("What follows is old, the journal cannot be read: permission denied".to_owned(), true)]
    );
    journal.absorb(Ok(history(entries())));
    assert!(journal.notes(200).is_empty());
}

#[test]
fn notes_take_lines_from_the_rows_and_not_all_of_them() {
    let mut journal = Journal::default();
    let why = "does not follow the line before it: lines are missing, added or moved".repeat(9);
    let broken = Some(Broken { line: 4, why });
    let report = Report { entries: many(1_050), torn: vec![2, 3], broken, head: String::new() };
    journal.absorb(Ok(History::of(report, KEPT)));
    let inside = Rect::new(0, 0, 80, 20);
    let notes = journal.notes(inside.width);
    assert_eq!(notes.len(), NOTE + 1, "{notes:?}");
    assert_eq!(
        notes.last().map(|(note, bad)| (note.as_str(), *bad)),
        Some(("2 lines were torn by a crash", false))
    );
    assert_eq!(journal.foot().as_deref(), Some("… and 50 older: opsdeck journal lists them"));
    assert_eq!(journal.room(inside), 20 - 1 - 4 - 1);
    assert_eq!((journal.room(Rect::new(0, 0, 80, 3)), journal.list.rows.len()), (1, KEPT));
}

#[test]
fn it_is_read_when_it_opens_and_when_something_was_written_and_not_twice_at_once() {
    let mut journal = Journal::default();
    assert!(!journal.is_due(false), "nobody looks");
    assert!(journal.is_due(true));
    journal.outdate();
    assert!(!journal.is_due(true), "it is being read");
    journal.absorb(Ok(History::default()));
    assert!(journal.is_due(true), "something was written meanwhile");
    journal.absorb(Ok(History::default()));
    assert!(!journal.is_due(true));
    journal.outdate();
    assert!(!journal.is_due(false) && journal.is_due(true));
}
