//! Selection by identity: no refresh moves another row under the finger.

use crate::app::fixtures::{self, Aws, Bench};
use crate::app::pane::PaneId;
use crate::app::{Effect, Msg, Pointing, Target};

/// What the name of the copied row is.
fn copied(bench: &mut Bench) -> Option<String> {
    let before = bench.effects.len();
    bench.press_blind("y");
    bench.effects[before..].iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn the_first_row_is_selected_without_a_key_once_a_frame_showed_it() {
    let mut bench = Bench::new(Aws::small(), 100, 30);
    bench.pass(std::time::Duration::ZERO).answer_all();
    assert_eq!(bench.services(), ["api", "web", "worker"], "sick ones first");
    assert_eq!(bench.selected(), None, "no frame has shown a row yet");
    bench.present();
    assert_eq!(bench.selected(), Some("api"));
}

#[test]
fn a_key_acts_on_the_row_that_the_written_frame_showed_though_the_rows_were_sorted_again() {
    let mut bench = Bench::small(100, 30);
    let frame = bench.model.tops();
    // `worker` fails completely and rises above `api`; the frame that shows it is not written yet.
    for service in &mut bench.aws.services {
        if service.id.name == "worker" {
            service.running = 0;
        } else if service.id.name == "api" {
            *service = fixtures::short_of_tasks(&service.id);
        }
    }
    bench.pass(std::time::Duration::from_secs(6)).answer_all();
    assert_eq!(bench.services()[0], "worker");
    // The report of the frame before comes late, as from a slow terminal.
    bench.send(Msg::Presented(Vec::new(), Box::new(frame)));
    assert_eq!(copied(&mut bench), Some("prod/api".into()), "`api` stands on top of the screen");
    bench.present();
    assert_eq!(copied(&mut bench), Some("prod/worker".into()));
}

#[test]
fn a_moved_cursor_follows_its_row_through_refresh_sort_and_filter() {
    let mut bench = Bench::small(100, 30);
    bench.press("j");
    assert_eq!(bench.selected(), Some("web"));
    for service in &mut bench.aws.services {
        if service.id.name == "worker" {
            service.running = 0;
        } else if service.id.name == "api" {
            *service = fixtures::short_of_tasks(&service.id);
        }
    }
    bench.pass(std::time::Duration::from_secs(6)).answer_all().present();
    assert_eq!(bench.services(), ["worker", "api", "web"]);
    assert_eq!(bench.selected(), Some("web"));
    bench.press("S");
    assert_eq!(bench.services(), ["web", "api", "worker"]);
    assert_eq!(bench.selected(), Some("web"));
    bench.press("/").type_text("-api").press("enter");
    assert_eq!(bench.selected(), Some("web"));
}

#[test]
fn a_vanished_row_leaves_nothing_selected_and_no_key_acts_on_its_neighbour() {
    let mut bench = Bench::small(100, 30);
    bench.press("j");
    bench.aws.services.retain(|s| s.id.name != "web");
    bench.pass(std::time::Duration::from_secs(6)).answer_all().present();
    assert_eq!(bench.services(), ["api", "worker"]);
    assert_eq!(bench.selected(), None);
    assert_eq!(copied(&mut bench), None);
    bench.press("enter");
    assert_eq!(bench.model.focus, PaneId::Services, "Enter opens nothing");
    bench.press("l");
    assert_eq!(bench.model.focus, PaneId::Services);
    bench.press("j");
    assert!(bench.selected().is_some(), "moving selects again");
}

#[test]
fn a_row_that_comes_back_is_selected_again() {
    let mut bench = Bench::small(100, 30);
    bench.press("j");
    let all = bench.aws.services.clone();
    bench.aws.services.retain(|s| s.id.name != "web");
    bench.pass(std::time::Duration::from_secs(6)).answer_all().present();
    assert_eq!(bench.selected(), None);
    bench.aws.services = all;
    bench.pass(std::time::Duration::from_secs(6)).answer_all().present();
    assert_eq!(bench.selected(), Some("web"));
}

#[test]
fn a_click_selects_by_identity_and_a_second_one_opens() {
    let mut bench = Bench::small(100, 30);
    let worker = fixtures::service_id("worker");
    bench.send(Msg::Pointed(Target::Service(worker.clone()), Pointing::Click));
    assert_eq!(bench.selected(), Some("worker"));
    bench.send(Msg::Pointed(Target::Service(worker), Pointing::DoubleClick));
    assert_eq!(bench.model.focus, PaneId::Service);
    assert_eq!(bench.model.subject.as_ref().map(|id| id.name.as_str()), Some("worker"));
}

#[test]
fn a_click_on_a_row_that_vanished_opens_nothing() {
    let mut bench = Bench::small(100, 30);
    let gone = fixtures::service_id("gone");
    bench.send(Msg::Pointed(Target::Service(gone), Pointing::DoubleClick));
    assert_eq!(bench.model.focus, PaneId::Services);
    assert_eq!(bench.selected(), None);
}

#[test]
fn the_cursor_stays_in_view_while_a_fleet_is_walked_and_the_screen_shrinks() {
    let mut bench = Bench::new(Aws::fleet(120), 100, 30);
    bench.settle();
    bench.press("f").press("G");
    assert_eq!(bench.services().len(), 120);
    for height in [30, 20, 9, 40] {
        bench.resize(100, height).present();
        let list = &bench.model.services.list;
        let position = list.cursor.position(&list.rows).unwrap();
        let rows = usize::from(height) - 3 - 2;
        assert_eq!(position, 119);
        assert!(position >= list.cursor.offset() && position < list.cursor.offset() + rows, "at {height}");
    }
    bench.press("g");
    assert_eq!(bench.model.services.list.cursor.offset(), 0);
}

#[test]
fn the_panes_of_a_deck_follow_the_cursor() {
    let mut bench = Bench::small(140, 40);
    let subject = |bench: &Bench| bench.model.subject.as_ref().map(|id| id.name.clone());
    assert_eq!(subject(&bench).as_deref(), Some("api"));
    bench.press("j");
    assert_eq!(subject(&bench).as_deref(), Some("web"));
    bench.settle();
    assert!(bench.model.world.tasks_of(&fixtures::service_id("web")).count() == 2, "its tasks were asked");
    bench.press("z").press("j");
    assert_eq!(subject(&bench).as_deref(), Some("web"), "zoomed, nothing else is on screen to follow");
}

#[test]
fn a_narrow_screen_has_no_subject_until_a_row_is_opened() {
    let mut bench = Bench::small(80, 24);
    assert_eq!(bench.model.subject, None);
    bench.press("j enter");
    assert_eq!(bench.model.subject, Some(fixtures::service_id("web")));
}
