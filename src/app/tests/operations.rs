//! Changes from the console: what confirms one, what does not, what the lock does, and what is told when the console is
//! left meanwhile.
//!
//! The property at the end holds what keys, pastes, resizes, answers and frames may do together: `random` plays them.

mod random;

use std::sync::Arc;
use std::time::Duration;

use crate::app::fixtures::{self, Aws, Bench};
use crate::app::operations::dialog::Field;
use crate::app::operations::{Standing, begin};
use crate::app::overlay::Overlay;
use crate::app::refresh::{Closeness, Interest};
use crate::app::{Effect, Msg, Pointing, Session, Target, interests};
use crate::domain::action::Action;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mutation::Receipt;
use crate::domain::verdict::Verdict;
use crate::guard::{CallOutcome, Lock, Progress, Rule, Rules};
use crate::journal::{Event, Outcome};

/// As long as a form has to be seen.
const SEEN: Duration = Duration::from_millis(300);

/// Rules under which nothing is production, so that one key confirms what can be undone.
fn harmless() -> Rules {
    let rule = Rule { production: Some(false), source: "test".into(), ..Rule::default() };
    Rules { rules: vec![rule], ..Rules::default() }
}

fn console(rules: Rules, read_only: bool) -> Bench {
    let session = Session { rules: Arc::new(rules), read_only, ..fixtures::session(&["eu-west-2"]) };
    let mut bench = Bench::with(fixtures::model(session, "", 100, 30), Aws::small());
    bench.settle();
    bench
}

/// The dialog of `scale worker 3`, its form on the screen and read.
fn form(rules: Rules, unlocked: bool) -> Bench {
    let mut bench = console(rules, false);
    if unlocked {
        bench.command("unlock drill");
    }
    bench.command("scale worker 3");
    bench.answer_looks();
    bench.present().pass(SEEN);
    assert_eq!(progress(&bench), Some(Progress::Confirming));
    bench
}

fn progress(bench: &Bench) -> Option<Progress> {
    Some(bench.model.operations.list.last()?.operation.progress())
}

fn field(bench: &Bench) -> Field {
    match &bench.model.overlay {
        Some(Overlay::Operation(dialog)) => dialog.field,
        other => panic!("no dialog: {other:?}"),
    }
}

fn typed(bench: &Bench) -> (&str, &str) {
    match &bench.model.overlay {
        Some(Overlay::Operation(dialog)) => (dialog.name.text(), dialog.reason.text()),
        other => panic!("no dialog: {other:?}"),
    }
}

fn said(bench: &Bench) -> &str {
    match &bench.model.overlay {
        Some(Overlay::Operation(dialog)) => dialog.said.unwrap_or(""),
        other => panic!("no dialog: {other:?}"),
    }
}

/// Types name and reason, and goes to the button that does it.
fn fill(bench: &mut Bench) {
    bench.type_text("worker").press("enter").type_text("a drill").press("enter");
    assert_eq!(field(bench), Field::Do);
}

/// The outcomes that were noted in the journal.
fn outcomes(bench: &Bench) -> Vec<Verdict> {
    let noted = bench.effects.iter().filter_map(|effect| match effect {
        Effect::Note { event: Event::Outcome(Outcome { verdict }), .. } => Some(verdict.clone()),
        _ => None,
    });
    noted.collect()
}

fn accepted() -> CallOutcome {
    CallOutcome::Accepted(Receipt { request_id: Some("r".into()), ..Receipt::default() })
}

/// A console whose call is under way.
fn calling() -> Bench {
    let mut bench = form(Rules::default(), false);
    fill(&mut bench);
    bench.press("enter");
    bench.record(Ok(()));
    assert_eq!((progress(&bench), bench.changes()), (Some(Progress::Calling), 1));
    bench
}

/// A console that watches what it changed.
fn watching() -> Bench {
    let mut bench = calling();
    bench.call(accepted());
    assert_eq!(progress(&bench), Some(Progress::Watching));
    bench
}

#[test]
fn the_palette_takes_the_flags_of_a_change_and_several_services() {
    for (command, target) in [
        ("deploy worker --image v2", "prod/worker"),
        ("deploy worker web", "prod/worker, prod/web"),
        ("rollback worker --to-revision=6", "prod/worker"),
        ("autoscaling worker --max 4", "prod/worker"),
        ("run-task worker --container app -- bin/migrate --force", "prod/worker"),
    ] {
        let mut bench = console(harmless(), false);
        bench.command(command);
        assert!(bench.model.prompt.is_none(), "{command}: {:?}", bench.model.prompt);
        let running = bench.model.operations.list.last();
        let told = running.map(|running| running.operation.action().target());
        assert_eq!(told.as_deref(), Some(target), "{command}: {}", bench.notice());
    }
    let mut bench = console(harmless(), false);
    bench.command("scale worker 3 4");
    let error = bench.model.prompt.as_ref().and_then(|prompt| prompt.error.clone()).unwrap_or_default();
    assert!(error.contains("takes 2 arguments, not 3"), "{error}");
    bench.press("esc").command("deploy worker --immage v2");
    assert!(bench.notice().contains("no flag --immage"), "{}", bench.notice());
}

#[test]
fn before_the_form_was_seen_only_esc_counts() {
    for keys in ["enter", "y", "tab enter", "w", "down enter", "ctrl-u", "right enter"] {
        let mut bench = console(harmless(), false);
        bench.command("unlock drill").command("scale worker 3");
        bench.press_blind(keys);
        assert_eq!(progress(&bench), Some(Progress::Reading), "while it is read: {keys}");
        bench.answer_looks();
        bench.press_blind(keys);
        assert_eq!(progress(&bench), Some(Progress::Confirming), "before its frame: {keys}");
        assert!(said(&bench).contains("too fast"));
        bench.present().pass(SEEN - Duration::from_millis(1)).press_blind(keys);
        assert_eq!(progress(&bench), Some(Progress::Confirming), "1 ms too early: {keys}");
        assert_eq!((bench.changes(), typed(&bench)), (0, ("", "")));
        bench.press_blind("esc");
        assert!(bench.model.overlay.is_none() && bench.model.operations.list.is_empty());
        assert_eq!(bench.notice(), "Cancelled: AWS was not called");
    }
}

#[test]
fn after_300_ms_one_key_confirms_what_needs_no_more() {
    for keys in ["y", "right enter", "tab enter", "down enter"] {
        let mut bench = form(harmless(), true);
        assert_eq!(field(&bench), Field::Cancel, "the default changes nothing");
        bench.press(keys);
        assert_eq!(bench.changes(), 1, "{keys}");
        bench.record(Ok(()));
        assert!(matches!(bench.effects.last(), Some(Effect::Mutate { .. })), "{keys}");
    }
}

#[test]
fn a_frame_without_the_form_takes_its_keys_away() {
    let mut bench = form(harmless(), true);
    bench.send(Msg::Presented(Vec::new(), Box::default()));
    bench.press_blind("y");
    assert_eq!((bench.changes(), progress(&bench)), (0, Some(Progress::Confirming)));
    bench.present().pass(SEEN).press_blind("y");
    assert_eq!(bench.changes(), 1);
}

#[test]
fn a_paste_neither_confirms_nor_fills_the_name() {
    let mut bench = form(Rules::default(), false);
    bench.send(Msg::Paste("worker".into()));
    bench.send(Msg::Paste("worker\na drill\n\n".into()));
    assert_eq!(typed(&bench), ("", ""));
    assert!(said(&bench).contains("type it"));
    bench.type_text("worker").press("enter");
    bench.send(Msg::Paste("because of INC-1\n".into()));
    assert_eq!(typed(&bench), ("worker", "because of INC-1 "), "a reason may be pasted");
    bench.press("enter");
    bench.send(Msg::Paste("y\n\r".into()));
    assert_eq!((bench.changes(), field(&bench)), (0, Field::Do), "on the button it means nothing");
    let mut bench = form(harmless(), true);
    bench.send(Msg::Paste("y\n".into()));
    assert_eq!((bench.changes(), progress(&bench)), (0, Some(Progress::Confirming)));
}

#[test]
fn enter_on_the_default_n_and_esc_change_nothing() {
    for keys in ["enter", "n", "esc", "ctrl-c", "ctrl-g"] {
        let mut bench = form(harmless(), true);
        bench.press_blind(keys);
        assert!(bench.model.overlay.is_none(), "{keys}");
        assert_eq!((bench.changes(), bench.notice()), (0, "Cancelled: AWS was not called"), "{keys}");
        assert!(outcomes(&bench).is_empty(), "nothing was recorded, so nothing ended");
    }
    let mut bench = form(Rules::default(), false);
    bench.press_blind("enter enter enter enter");
    assert_eq!((bench.changes(), field(&bench)), (0, Field::Name), "an empty name leads nowhere");
    bench.press_blind("tab tab enter");
    assert!(bench.model.overlay.is_none(), "that was Cancel");
}

#[test]
fn only_the_exact_name_with_a_reason_confirms_a_locked_console() {
    for (name, reason) in [("Worker", "x"), ("worke", "x"), ("worker ", "x"), ("prod/worker", "x"), ("", "x")]
    {
        let mut bench = form(Rules::default(), false);
        bench.type_text(name).press("tab").type_text(reason).press("tab tab");
        assert_eq!(field(&bench), Field::Do);
        bench.press("enter");
        assert_eq!((bench.changes(), progress(&bench)), (0, Some(Progress::Confirming)), "{name:?}");
        assert_eq!(bench.model.lock(), Lock::Locked);
    }
    let mut bench = form(Rules::default(), false);
    bench.type_text("worker").press("tab").type_text("  ").press("tab tab enter");
    assert_eq!((bench.changes(), bench.model.lock()), (0, Lock::Locked), "blanks are no reason");
    bench.press("backtab backtab").type_text("why").press("enter enter");
    assert_eq!((bench.changes(), bench.model.lock()), (1, Lock::Unlocked));
}

#[test]
fn a_click_beside_the_dialog_answers_nothing() {
    let mut bench = form(harmless(), true);
    let (selected, row) =
        (bench.selected().map(ToOwned::to_owned), Target::Service(fixtures::service_id("web")));
    for target in [row, Target::Overlay, Target::Tab(crate::app::pane::PaneId::Alarms), Target::Suggestion(0)]
    {
        for pointing in [Pointing::Click, Pointing::DoubleClick, Pointing::WheelDown] {
            bench.send(Msg::Pointed(target.clone(), pointing));
            assert_eq!((bench.changes(), progress(&bench)), (0, Some(Progress::Confirming)), "{target:?}");
            assert!(matches!(bench.model.overlay, Some(Overlay::Operation(_))), "{target:?}");
        }
    }
    assert_eq!(bench.selected(), selected.as_deref(), "nor selects anything below");
}

#[test]
fn the_confirming_key_means_nothing_below_nor_does_its_repetition() {
    let mut bench = form(harmless(), true);
    let (focus, effects) = (bench.model.focus, bench.effects.len());
    bench.press_blind("y y y y");
    assert_eq!(bench.changes(), 1);
    assert!(
        !bench.effects[effects..].iter().any(|effect| matches!(effect, Effect::Copy(_))),
        "y copies below"
    );
    bench.record(Ok(()));
    bench.press_blind("y y enter enter");
    bench.call(accepted());
    bench.press_blind("y enter y");
    assert_eq!((bench.changes(), bench.model.focus), (0, focus));
    assert!(matches!(bench.model.overlay, Some(Overlay::Operation(_))));
    assert_eq!(progress(&bench), Some(Progress::Watching), "and the dialog stays open");
}

#[test]
fn a_refresh_under_the_dialog_moves_no_target() {
    let mut bench = form(harmless(), true);
    // `worker` goes, another row comes under the cursor.
    bench.aws.services.retain(|service| service.id.name != "web");
    bench.aws.services.push(fixtures::short_of_tasks(&fixtures::service_id("aaa")));
    bench.pass(Duration::from_secs(6)).answer_all().present().pass(SEEN);
    assert_ne!(bench.services(), ["api", "web", "worker"]);
    bench.press("y");
    let target = bench.effects.iter().find_map(|effect| match effect {
        Effect::Record { event: Event::Intent(intent), .. } => Some(intent.target.clone()),
        _ => None,
    });
    assert_eq!(target.as_deref(), Some("prod/worker"));
}

#[test]
fn what_changed_while_the_dialog_stood_open_is_told_and_nothing_called() {
    let mut bench = form(harmless(), true);
    let worker = bench.aws.services.iter_mut().find(|service| service.id.name == "worker").unwrap();
    worker.desired = 5;
    bench.pass(Duration::from_secs(11)).press("y");
    assert_eq!((bench.changes(), progress(&bench)), (0, Some(Progress::Reading)), "an old look is repeated");
    bench.answer_looks();
    assert_eq!((bench.changes(), progress(&bench)), (0, Some(Progress::Ended)));
    let (verdict, _) = bench.model.operations.list[0].ended.clone().unwrap();
    let difference = "the desired count of prod/worker was 2, is 5".to_owned();
    assert_eq!(verdict, Verdict::Changed { difference });
}

#[test]
fn what_the_screen_shows_binds_the_first_look() {
    let mut bench = console(harmless(), false);
    let worker = bench.aws.services.iter_mut().find(|service| service.id.name == "worker").unwrap();
    worker.desired = 4;
    bench.command("unlock drill").command("scale worker 3");
    bench.answer_looks();
    assert!(
        matches!(bench.model.operations.list[0].ended, Some((Verdict::Changed { .. }, _))),
        "2 tasks were on the screen"
    );
}

#[test]
fn the_lock_opens_as_long_as_the_policy_says_and_falls_back() {
    let rules = Rules { unlock_for: Duration::from_secs(600), ..Rules::default() };
    let mut bench = console(rules, false);
    assert_eq!(bench.model.lock(), Lock::Locked);
    bench.command("unlock INC-7");
    assert!(
        matches!(&bench.model.operations.standing, Standing::Unlocked { reason, .. } if reason == "INC-7")
    );
    bench.pass(Duration::from_secs(599));
    assert_eq!(bench.model.lock(), Lock::Unlocked);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.model.lock(), Lock::Locked);
    bench.command("unlock again").press("U");
    assert_eq!((bench.model.lock(), bench.notice()), (Lock::Locked, "Locked"), "U locks what is unlocked");
    bench.press("U");
    assert_eq!(bench.model.prompt.as_ref().unwrap().line.text(), "unlock ", "and asks why");
    bench.press("enter");
    assert_eq!(bench.model.lock(), Lock::Locked, "not without a reason");
}

#[test]
fn a_lock_that_falls_while_the_dialog_is_open_takes_the_one_key_away() {
    let rules = Rules { unlock_for: Duration::from_secs(60), ..harmless() };
    let mut bench = form(rules, true);
    bench.pass(Duration::from_secs(60)).present().press("y");
    assert_eq!((bench.changes(), progress(&bench)), (0, Some(Progress::Confirming)));
    let running = &bench.model.operations.list[0];
    assert_eq!(running.friction, crate::guard::Friction::TypedNameAndReason);
    assert!(running.mistake.is_some());
}

#[test]
fn a_read_only_session_cannot_be_unlocked_and_begins_nothing() {
    let mut bench = console(harmless(), true);
    for command in ["unlock please", "scale worker 3", "deploy worker", "rollback api"] {
        bench.command(command);
        assert_eq!(bench.notice(), "This session is read-only, which cannot be unlocked", "{command}");
        assert_eq!(bench.model.lock(), Lock::ReadOnly);
        assert!(bench.model.overlay.is_none() && bench.model.operations.list.is_empty());
    }
    bench.press("P B");
    assert!(bench.model.operations.list.is_empty());
    // Whatever opens one: the guard itself refuses.
    let action = Action::Scale { service: fixtures::service_id("worker"), desired: 3, pools: Vec::new() };
    let effects = begin(&mut bench.model, action, None, None);
    assert!(effects.is_empty(), "{effects:?}");
    assert!(matches!(bench.model.operations.list[0].ended, Some((Verdict::Refused { .. }, _))));
}

#[test]
fn without_an_intent_on_disk_there_is_no_call() {
    let mut bench = form(harmless(), true);
    bench.press("y");
    bench.record(Err("No space left on device".into()));
    assert_eq!((bench.changes(), progress(&bench)), (0, Some(Progress::Ended)));
    let (verdict, _) = bench.model.operations.list[0].ended.clone().unwrap();
    assert!(verdict.to_string().contains("No space left on device"), "{verdict}");
}

#[test]
fn an_answer_comes_to_its_operation_after_the_dialog_was_left() {
    let mut bench = calling();
    bench.press("esc");
    assert_eq!(bench.notice(), "It goes on; O opens it again");
    let fault = Fault::new(FaultKind::Denied, "not authorized");
    bench.call(CallOutcome::Refused(fault));
    assert_eq!(progress(&bench), Some(Progress::Ended));
    assert!(bench.notice().contains("not authorized"), "{}", bench.notice());
    assert!(matches!(outcomes(&bench).as_slice(), [Verdict::Failed { .. }]));
    bench.press("O enter");
    assert!(matches!(bench.model.overlay, Some(Overlay::Operation(_))), "O opens it again");
}

#[test]
fn leaving_while_it_is_watched_notes_that_it_was_accepted() {
    let mut bench = watching();
    bench.send(Msg::Leaving);
    assert_eq!(outcomes(&bench), [Verdict::Accepted]);
}

#[test]
fn leaving_while_aws_is_called_awaits_the_answer_and_notes_it() {
    let mut bench = calling();
    bench.send(Msg::Leaving);
    assert_eq!((outcomes(&bench).len(), progress(&bench)), (0, Some(Progress::Calling)));
    let looks = bench.effects.iter().filter(|effect| matches!(effect, Effect::Look { .. })).count();
    bench.call(accepted());
    assert_eq!(outcomes(&bench), [Verdict::Accepted]);
    let later = bench.effects.iter().filter(|effect| matches!(effect, Effect::Look { .. })).count();
    assert_eq!(looks, later, "nobody looks again");
}

#[test]
fn leaving_after_a_lost_answer_notes_that_it_is_unknown() {
    let mut bench = calling();
    bench.call(CallOutcome::Lost(Fault::new(FaultKind::Network, "connection reset")));
    assert_eq!(progress(&bench), Some(Progress::Watching), "looks may still tell");
    bench.send(Msg::Leaving);
    let noted = outcomes(&bench);
    let [Verdict::Unknown { how_to_find_out }] = noted.as_slice() else { panic!("it may have happened") };
    assert!(how_to_find_out.contains("opsdeck service prod/worker"), "{how_to_find_out}");
}

#[test]
fn the_dialog_follows_its_tasks_closely_until_it_has_ended() {
    let closeness = |bench: &Bench| -> Vec<Closeness> {
        let wanted = interests(&bench.model).into_iter();
        let of_api = |interest: &Interest| matches!(interest, Interest::Tasks(id, _) if id.name == "api");
        wanted.filter(|(interest, _)| of_api(interest)).map(|(_, closeness)| closeness).collect()
    };
    let mut bench = console(harmless(), false);
    bench.press("1").command("unlock drill");
    assert_eq!(
        closeness(&bench),
        [Closeness::Rest; 2],
        "the fleet asks for those of a sick service now and then"
    );
    bench.command("scale api 3");
    bench.answer_looks();
    bench.present().pass(SEEN);
    assert_eq!(closeness(&bench), [Closeness::Focused; 2], "and no second time");
    bench.press("y");
    bench.record(Err("No space left on device".into()));
    assert_eq!(progress(&bench), Some(Progress::Ended));
    assert_eq!(closeness(&bench), [Closeness::Visible; 2]);
}

/// Whose log the open dialog shows.
fn followed(bench: &Bench) -> Option<String> {
    crate::app::operations::rollout::log(&bench.model)?.about()
}

#[test]
fn a_dialog_shows_the_log_of_what_it_started_and_of_nothing_else() {
    let mut bench = console(harmless(), false);
    bench.command("unlock drill").command("deploy worker");
    bench.answer_looks();
    bench.present().pass(SEEN).press("y");
    bench.record(Ok(()));
    let receipt = Receipt { deployment: Some("ecs-svc/0000000009".into()), ..Receipt::default() };
    bench.call(CallOutcome::Accepted(receipt));
    assert_eq!(followed(&bench).as_deref(), Some("new tasks of worker"));
    // Another action's dialog has nothing to do with it.
    bench.press("esc").command("scale web 3");
    bench.answer_looks();
    bench.present().pass(SEEN).press("y");
    bench.record(Ok(())).call(accepted());
    assert_eq!((progress(&bench), followed(&bench)), (Some(Progress::Watching), None));
    // A task that runs once has one of its own, once ECS tells of it.
    bench.press("esc").command("run-task web -- bin/migrate");
    bench.answer_looks();
    bench.present().pass(SEEN).type_text("web").press("enter enter");
    let ran = fixtures::task(&fixtures::service_id("web"), 0x77);
    let receipt = Receipt { task: Some(ran.id.id.clone()), ..Receipt::default() };
    bench.record(Ok(())).call(CallOutcome::Accepted(receipt));
    assert_eq!(followed(&bench), None);
    bench.aws.tasks.push(ran.clone());
    bench.pass(Duration::from_secs(6)).answer_looks();
    assert_eq!(followed(&bench), Some(format!("task {}", ran.id.short())));
    // The service's own tasks are none of its business.
    let tasks = |interest: &Interest| matches!(interest, Interest::Tasks(id, _) if id.name == "web");
    let mut wanted = interests(&bench.model).into_iter();
    assert!(!wanted.any(|(interest, closeness)| tasks(&interest) && closeness == Closeness::Focused));
    bench.press("l");
    assert_eq!(bench.model.logs.about(), Some(format!("task {}", ran.id.short())));
}

#[test]
fn who_was_told_what_leaving_stops_is_told_again_of_the_next() {
    let mut bench = console(harmless(), false);
    bench.command("unlock drill").command("restart worker");
    bench.answer_looks();
    bench.present().pass(SEEN).press("y");
    bench.record(Ok(())).call(accepted());
    bench.press("esc");
    let quits = |bench: &Bench| bench.effects.iter().filter(|effect| matches!(effect, Effect::Quit)).count();
    bench.press("q");
    assert_eq!(quits(&bench), 0);
    bench.command("restart web");
    bench.answer_looks();
    bench.present().pass(SEEN).press("y");
    bench.record(Ok(())).call(accepted());
    bench.press("esc q");
    assert_eq!(quits(&bench), 0, "it was not told of this one");
    bench.press("q");
    assert_eq!(quits(&bench), 1);
}
