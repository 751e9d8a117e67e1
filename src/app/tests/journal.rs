//! The journal's pane: when the journal is read, and where keys lead from a row.

use crate::app::fixtures::journal::{entries, history};
use crate::app::fixtures::{self, Bench};
use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::{Effect, Msg, Pointing, Target};

fn readings(bench: &Bench) -> usize {
    bench.effects.iter().filter(|effect| **effect == Effect::ReadJournal).count()
}

fn read(bench: &mut Bench) {
    bench.send(Msg::Journal(Box::new(Ok(history(entries())))));
    bench.present();
}

/// The pane with the fixture's journal, over the small account.
fn opened() -> Bench {
    let mut bench = Bench::small(80, 24);
    bench.press("J");
    read(&mut bench);
    bench
}

#[test]
fn it_is_read_when_it_opens_by_whatever_way_and_when_something_is_written() {
    let mut bench = Bench::small(80, 24);
    assert_eq!(readings(&bench), 0, "nobody has asked for it");
    bench.press("J").press("J");
    assert_eq!(readings(&bench), 1);
    read(&mut bench);
    bench.press("2").send(Msg::Pointed(Target::Tab(PaneId::Journal), Pointing::Click));
    assert_eq!(readings(&bench), 2, "another console may have written");
    read(&mut bench);
    bench.press("r");
    assert_eq!(readings(&bench), 3, "somebody wants to know");
    read(&mut bench);
    // The note is asked for first: the reading knows it.
    bench.command("incident close");
    let note = bench.effects.iter().rposition(|effect| matches!(effect, Effect::Note { .. }));
    let last = bench.effects.iter().rposition(|effect| *effect == Effect::ReadJournal);
    assert!(note < last && note.is_some(), "{:?}", bench.effects);
}

#[test]
fn a_change_elsewhere_reads_nothing_while_nobody_looks() {
    let mut bench = opened();
    bench.press("2");
    let before = readings(&bench);
    bench.command("unlock INC-7").command("deploy worker");
    bench.answer_looks();
    assert_eq!(readings(&bench), before);
}

#[test]
fn enter_tells_all_of_a_row_and_enter_again_leads_to_its_service() {
    let mut bench = opened();
    bench.press("enter");
    assert!(matches!(&bench.model.overlay, Some(Overlay::Deed(operation, _)) if operation.ends_with("06")));
    bench.press("enter");
    assert_eq!(bench.model.focus, PaneId::Service);
    assert_eq!(bench.model.subject, Some(fixtures::service_id("api")));
    bench.press("[");
    assert_eq!(bench.model.focus, PaneId::Journal);
}

#[test]
fn the_keys_of_a_service_work_on_a_row_whose_service_is_still_there() {
    let mut bench = opened();
    bench.press("j t");
    assert_eq!(
        (bench.model.focus, &bench.model.subject),
        (PaneId::Tasks, &Some(fixtures::service_id("worker")))
    );
    let mut bench = opened();
    // The row of a service that is gone, and the mark of an incident, have none.
    for keys in ["G k", "G k k"] {
        bench.press(keys);
        assert_eq!(bench.model.aimed_service(), None);
        bench.press("t");
        assert_eq!(bench.model.focus, PaneId::Journal);
    }
    bench.press("G k enter enter");
    assert_eq!(bench.notice(), "prod/gone is not known here: it is gone, or elsewhere, or not read yet");
}

#[test]
fn the_selected_row_stays_under_the_finger_when_another_is_written() {
    let mut bench = opened();
    bench.press("j");
    let selected = bench.model.journal.list.selected().cloned();
    let mut more = entries();
    let newest = crate::journal::Entry { operation: "new".into(), ..more[0].clone() };
    more.push(newest);
    bench.send(Msg::Journal(Box::new(Ok(history(more)))));
    assert_eq!(bench.model.journal.list.rows[0], "new");
    assert_eq!(bench.model.journal.list.selected(), selected.as_ref());
}

#[test]
fn the_incident_is_the_journals() {
    let mut bench = opened();
    assert_eq!(
        bench.model.operations.incident.as_ref().map(|mark| mark.id.as_str()),
        Some(fixtures::journal::INCIDENT)
    );
    bench.send(Msg::Journal(Box::new(Err("permission denied".into()))));
    assert!(bench.model.operations.incident.is_some(), "what is not known is not forgotten");
    bench.send(Msg::Journal(Box::new(Ok(crate::journal::History::default()))));
    assert_eq!(bench.model.operations.incident, None, "another console closed it");
}

#[test]
fn y_copies_all_entries_of_a_row() {
    let mut bench = opened();
    bench.press("j j y");
    let copied = bench.effects.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    let copied = copied.unwrap_or_default();
    assert_eq!(copied.lines().count(), 3, "{copied}");
    assert!(copied.contains("rolled back: tasks failed to start"), "{copied}");
}
