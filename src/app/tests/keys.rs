//! What keys do: filter, palette, history, overlays, copying.

use std::time::Duration;

use crate::app::fixtures::{self, Aws, Bench};
use crate::app::overlay::Overlay;
use crate::app::pane::{PaneId, services};
use crate::app::{Effect, Msg, Pointing, Target, TimeStyle};
use crate::domain::ecs::ServiceId;

fn copies(bench: &Bench) -> Vec<&str> {
    let copies = bench.effects.iter().filter_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    });
    copies.collect()
}

fn suggestions(bench: &Bench) -> Vec<&str> {
    bench
        .model
        .prompt
        .as_ref()
        .map_or_else(Vec::new, |p| p.suggestions.iter().map(|s| s.text.as_str()).collect())
}

fn prompt_error(bench: &Bench) -> Option<&str> {
    bench.model.prompt.as_ref()?.error.as_deref()
}

#[test]
fn a_filter_applies_while_it_is_typed_and_enter_keeps_it() {
    let mut bench = Bench::small(100, 30);
    bench.press("/").type_text("wo");
    assert_eq!(bench.services(), ["worker"]);
    bench.press("enter");
    assert!(bench.model.prompt.is_none());
    assert_eq!(bench.services(), ["worker"]);
    bench.press("esc");
    assert_eq!(bench.services().len(), 3, "Esc clears it");
}

#[test]
fn esc_in_the_filter_brings_the_one_before_back() {
    let mut bench = Bench::small(100, 30);
    bench.press("/").type_text("/we?[bo]").press("enter");
    assert_eq!(bench.services(), ["web", "worker"]);
    bench.press("/").type_text("rk");
    assert_eq!(bench.services(), ["worker"]);
    bench.press("esc");
    assert_eq!(bench.services(), ["web", "worker"]);
}

#[test]
fn a_bad_expression_is_explained_and_what_was_shown_stays() {
    let mut bench = Bench::small(100, 30);
    bench.press("/").type_text("/web(");
    assert_eq!(prompt_error(&bench), Some("not a regular expression: unclosed group"));
    assert_eq!(bench.services(), ["web"], "the last good filter, `/web`, holds");
    bench.press("enter");
    assert_eq!(
        prompt_error(&bench),
        Some("not a regular expression: unclosed group"),
        "Enter does not lose it"
    );
    assert_eq!(bench.model.prompt.as_ref().unwrap().line.text(), "/web(");
    bench.type_text(")/").press("enter");
    assert!(bench.model.prompt.is_none());
    assert_eq!(bench.services(), ["web"]);
}

#[test]
fn a_filter_belongs_to_its_pane() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter t").settle();
    bench.press("/").type_text("stopped").press("enter");
    assert_eq!(bench.model.tasks.list.rows.len(), 1);
    bench.press("esc esc");
    assert_eq!(bench.model.focus, PaneId::Services);
    assert_eq!(bench.services().len(), 3);
    bench.press("enter /");
    assert!(bench.model.prompt.is_none());
    assert_eq!(bench.notice(), "This pane has nothing to filter");
}

#[test]
fn a_paste_outside_an_input_does_nothing_but_say_so() {
    let mut bench = Bench::small(100, 30);
    bench.send(Msg::Paste("qqq\n:quit\n".into()));
    assert!(bench.effects.is_empty(), "its letters are not keys");
    assert!(bench.notice().starts_with("A paste does nothing here"));
    assert!(bench.model.notice.as_ref().unwrap().bad);
}

#[test]
fn a_paste_into_an_input_is_one_line_and_cut_when_it_is_huge() {
    let mut bench = Bench::small(100, 30);
    bench.press("/");
    bench.send(Msg::Paste("we\x1b[31m\nb".into()));
    assert_eq!(bench.model.prompt.as_ref().unwrap().line.text(), "we[31m b");
    bench.send(Msg::Paste("x".repeat(1 << 20)));
    assert!(bench.notice().contains("bytes were left out"), "{}", bench.notice());
    assert!(bench.model.prompt.as_ref().unwrap().line.text().len() <= crate::app::input::LONGEST);
}

#[test]
fn the_palette_matches_fuzzily_and_completes() {
    let mut bench = Bench::small(100, 30);
    bench.press(":").type_text("tskdef");
    assert_eq!(suggestions(&bench)[0], "task-definition");
    bench.press("esc :").type_text("serworker");
    assert!(suggestions(&bench).contains(&"service prod/worker"), "{:?}", suggestions(&bench));
    bench.press("esc :").type_text("service wo").press("tab enter");
    assert_eq!(bench.model.focus, PaneId::Service);
    assert_eq!(bench.model.subject, Some(fixtures::service_id("worker")));
}

#[test]
fn an_incomplete_command_waits_for_its_argument() {
    let mut bench = Bench::small(100, 30);
    bench.press(":").type_text("pane").press("tab enter");
    let prompt = bench.model.prompt.as_ref().expect("still typing");
    assert_eq!(prompt.line.text(), "pane ");
    assert_eq!(suggestions(&bench).len(), 10, "its first values are offered");
    bench.type_text("8").press("enter");
    assert_eq!(bench.model.focus, PaneId::Clusters);
}

#[test]
fn an_unknown_command_is_explained_and_can_be_mended() {
    let mut bench = Bench::small(100, 30);
    bench.press(":").type_text("evnts").press("enter");
    assert_eq!(prompt_error(&bench), Some("there is no command `evnts`; did you mean `events`?"));
    bench.press("backspace backspace backspace backspace").type_text("vents").press("enter");
    assert!(bench.model.prompt.is_none());
    assert_eq!(bench.model.focus, PaneId::Events);
}

#[test]
fn a_verb_of_the_command_line_says_where_it_works() {
    let mut bench = Bench::small(100, 30);
    bench.press(":").type_text("completions bash").press("enter");
    assert_eq!(
        prompt_error(&bench),
        Some("`completions` works on the command line only: opsdeck completions")
    );
}

#[test]
fn backspace_on_an_empty_palette_leaves_it() {
    let mut bench = Bench::small(100, 30);
    bench.press(":").press("backspace");
    assert!(bench.model.prompt.is_none());
    bench.press(":").press("enter");
    assert!(bench.model.prompt.is_none(), "Enter on nothing does nothing");
    assert_eq!(bench.model.focus, PaneId::Services);
}

#[test]
fn an_ambiguous_name_lists_its_candidates() {
    let mut aws = Aws::small();
    let twin = ServiceId { cluster: "staging".into(), ..fixtures::service_id("web") };
    aws.clusters.push(twin.cluster_id());
    aws.services.push(fixtures::service(&twin));
    let mut bench = Bench::new(aws, 100, 30);
    bench.settle();
    bench.command("service web");
    assert_eq!(bench.notice(), "web is ambiguous: prod/web in eu-west-2, staging/web in eu-west-2");
    assert_eq!(bench.model.focus, PaneId::Services);
    bench.command("service staging/web");
    assert_eq!(bench.model.subject, Some(twin.clone()));
    bench.press("1").command(&format!("service {}", fixtures::service(&fixtures::service_id("web")).arn));
    assert_eq!(bench.model.subject, Some(fixtures::service_id("web")));
    bench.command("service nobody");
    assert_eq!(bench.notice(), "No service named nobody is known here");
}

#[test]
fn a_command_about_a_service_means_the_selected_one() {
    let mut bench = Bench::small(100, 30);
    bench.press("j").command("events");
    assert_eq!(bench.model.focus, PaneId::Events);
    assert_eq!(bench.model.subject, Some(fixtures::service_id("web")));
}

#[test]
fn the_history_walks_back_and_forth() {
    let mut bench = Bench::small(80, 24);
    bench.press("[");
    assert_eq!(bench.notice(), "There is no view before this one");
    bench.press("enter t 2 j enter");
    let at = |bench: &Bench| {
        (bench.model.focus, bench.model.subject.as_ref().map(|id| id.name.clone()).unwrap_or_default())
    };
    assert_eq!(at(&bench), (PaneId::Service, "web".into()));
    bench.press("[ [");
    assert_eq!(at(&bench), (PaneId::Tasks, "api".into()));
    bench.press("[");
    assert_eq!(at(&bench), (PaneId::Service, "api".into()));
    bench.press("] ] ]");
    assert_eq!(at(&bench), (PaneId::Service, "web".into()));
    bench.press("]");
    assert_eq!(bench.notice(), "There is no view after this one");
}

#[test]
fn esc_closes_the_nearest_thing_first() {
    let mut bench = Bench::small(140, 40);
    bench.press("enter t").settle();
    bench.press("/").type_text("running").press("enter z enter");
    assert!(matches!(bench.model.overlay, Some(Overlay::Task(..))));
    bench.press("esc");
    assert!(bench.model.overlay.is_none() && bench.model.zoomed);
    bench.press("esc");
    assert!(!bench.model.zoomed && bench.model.tasks.list.filter.is_some());
    bench.press("esc");
    assert!(bench.model.tasks.list.filter.is_none());
    assert_eq!(bench.model.focus, PaneId::Tasks);
    bench.press("esc");
    assert_eq!(bench.model.focus, PaneId::Services);
    bench.press("esc");
    assert_eq!(bench.model.focus, PaneId::Fleet);
    bench.press("esc");
    assert_eq!(bench.model.focus, PaneId::Fleet);
    assert!(!bench.effects.contains(&Effect::Quit), "Esc never leaves opsdeck");
}

#[test]
fn overlays_scroll_close_and_give_way_to_panes() {
    let mut bench = Bench::small(80, 24);
    for closing in ["esc", "q", "?", "enter"] {
        bench.press("?");
        assert!(matches!(bench.model.overlay, Some(Overlay::Help(_))));
        bench.press(closing);
        assert!(bench.model.overlay.is_none(), "{closing}");
    }
    assert!(bench.effects.is_empty(), "q closed the help and not opsdeck");
    bench.press("?");
    let tops = bench.model.tops();
    bench.send(Msg::Presented(vec![(PaneId::Logs, 100)], Box::new(tops)));
    bench.press_blind("j j");
    let Some(Overlay::Help(scroll)) = bench.model.overlay else { panic!("the help is gone") };
    assert_eq!(scroll.top, 2);
    assert_eq!(bench.selected(), Some("api"), "the list below did not move");
    bench.press("t");
    assert!(bench.model.overlay.is_none());
    assert_eq!(bench.model.focus, PaneId::Tasks);
}

#[test]
fn a_click_beside_an_overlay_only_closes_it() {
    let mut bench = Bench::small(100, 30);
    bench.press("?");
    bench.send(Msg::Pointed(Target::Tab(PaneId::Clusters), Pointing::Click));
    assert!(bench.model.overlay.is_none());
    assert_eq!(bench.model.focus, PaneId::Services);
}

#[test]
fn logs_of_the_task_whose_details_are_open() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter t").settle();
    bench.press("j enter");
    let Some(Overlay::Task(id, _)) = bench.model.overlay.clone() else { panic!("no details") };
    bench.press("l");
    assert_eq!(bench.model.logs.subject_task(), Some(&id));
}

#[test]
fn zoom_gives_the_pane_the_screen_and_back() {
    let mut bench = Bench::small(220, 60);
    let panes = |bench: &Bench| crate::app::layout::layout(&bench.model, bench.model.size).panes.len();
    assert_eq!(panes(&bench), 6);
    bench.press("z");
    assert_eq!(panes(&bench), 1);
    bench.press("z");
    assert_eq!(panes(&bench), 6);
}

#[test]
fn tab_walks_what_is_visible_on_a_deck_and_the_tabs_on_a_narrow_screen() {
    let mut bench = Bench::small(80, 24);
    bench.press("tab");
    assert_eq!(bench.model.focus, PaneId::Alarms);
    bench.press("backtab backtab backtab");
    assert_eq!(bench.model.focus, PaneId::Journal, "round the other way");
    bench.press("2 enter tab");
    assert_eq!(bench.model.focus, PaneId::Tasks, "beside a service its own panes have tabs");
    let mut bench = Bench::small(220, 60);
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(bench.model.focus);
        bench.press("tab");
    }
    assert_eq!(bench.model.focus, PaneId::Services, "six panes, six steps: {seen:?}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

#[test]
fn number_keys_jump_and_a_number_without_a_pane_is_explained() {
    let mut bench = Bench::small(80, 24);
    bench.press("8");
    assert_eq!(bench.model.focus, PaneId::Clusters);
    bench.command("pane 17");
    assert_eq!(bench.notice(), "There are panes 1 to 16");
    let mut empty =
        Bench::with(fixtures::model(fixtures::session(&["eu-west-2"]), "", 80, 24), Aws::default());
    empty.settle();
    empty.command("pane 11");
    assert_eq!(empty.notice(), "No service is known yet");
    assert_eq!(empty.model.focus, PaneId::Services);
}

#[test]
fn sorting_by_a_column_by_name_and_by_key() {
    let mut bench = Bench::small(100, 30);
    bench.command("sort name");
    assert_eq!(bench.services(), ["api", "web", "worker"]);
    bench.press("S");
    assert_eq!(bench.services(), ["worker", "web", "api"]);
    bench.press("s");
    assert_eq!(bench.model.services.list.sort, services::Column::Cluster);
    bench.command("sort colour");
    assert_eq!(
        bench.notice(),
        "There is no such column; the columns are health, name, cluster, deployed, tasks"
    );
    assert_eq!(bench.model.services.list.sort, services::Column::Cluster, "unchanged");
}

#[test]
fn healthy_rows_of_a_fleet_fold_away_until_they_are_asked_for() {
    let mut bench = Bench::new(Aws::fleet(90), 100, 30);
    bench.settle();
    assert_eq!(bench.services().len(), 3, "the sick ones");
    assert_eq!(bench.model.services.folded, 87);
    bench.press("f");
    assert_eq!(bench.services().len(), 90);
    bench.press("f");
    assert_eq!(bench.services().len(), 3);
    bench.press("/").type_text("svc-0000").press("enter");
    assert_eq!(bench.services(), ["svc-0000"], "a filter looks at the folded ones too");
    let mut small = Bench::small(100, 30);
    small.press("f");
    assert_eq!(small.services(), ["api"], "a small fleet folds when it is asked to");
}

#[test]
fn stopped_tasks_fold_away() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter t").settle();
    assert_eq!(bench.model.tasks.list.rows.len(), 3);
    bench.press("f");
    assert_eq!((bench.model.tasks.list.rows.len(), bench.model.tasks.folded), (2, 1));
}

#[test]
fn every_pane_copies_what_is_selected() {
    let mut bench = Bench::small(80, 24);
    bench.press("y Y");
    let arn = "arn:aws:ecs:eu-west-2:123456789012:service/prod/api";
    assert_eq!(copies(&bench), ["prod/api", arn]);
    assert!(bench.notice().contains("clipboard"), "{}", bench.notice());
    bench.effects.clear();
    bench.press("enter t").settle();
    let task = bench.model.tasks.list.rows[0].id.clone();
    bench.press("y Y");
    assert_eq!(
        copies(&bench),
        [task.as_str(), &format!("arn:aws:ecs:eu-west-2:123456789012:task/prod/{task}")]
    );
    bench.effects.clear();
    bench.press("e").settle();
    bench.press("y");
    assert_eq!(copies(&bench), ["(service api) deployment failed: tasks failed to start."]);
    bench.effects.clear();
    bench.press("D").settle();
    bench.press("y");
    assert_eq!(
        copies(&bench),
        ["arn:aws:ecs:eu-west-2:123456789012:service-deployment/prod/api/0000000000000008"]
    );
    bench.effects.clear();
    bench.press("8").settle();
    bench.press("y Y");
    assert_eq!(copies(&bench), ["prod", "arn:aws:ecs:eu-west-2:123456789012:cluster/prod"]);
    bench.effects.clear();
    bench.press("2 d").settle();
    bench.press("y");
    assert_eq!(copies(&bench), ["arn:aws:ecs:eu-west-2:123456789012:task-definition/api:8"]);
    bench.effects.clear();
    bench.press("a y");
    assert_eq!(copies(&bench), [] as [&str; 0]);
    assert_eq!(bench.notice(), "There is nothing to copy of this pane");
}

#[test]
fn a_deployment_opens_what_it_deployed() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter D").settle();
    bench.press("j enter").settle();
    assert_eq!(bench.model.focus, PaneId::Definition);
    assert_eq!(bench.model.definition.chosen.as_deref(), Some("api:7"));
    let key = (fixtures::home(), "api:7".to_owned());
    assert!(bench.model.world.definitions[&key].value.is_some());
    bench.press("[");
    assert_eq!(bench.model.focus, PaneId::Deployments);
    bench.press("]");
    assert_eq!(bench.model.definition.chosen.as_deref(), Some("api:7"));
}

#[test]
fn revealed_values_are_masked_again_for_the_next_definition() {
    let mut bench = Bench::small(80, 24);
    bench.press("d").settle();
    bench.press("x");
    assert!(bench.model.definition.revealed);
    bench.press("1 j d");
    assert!(!bench.model.definition.revealed);
}

#[test]
fn a_task_opens_the_definition_that_it_runs() {
    let mut bench = Bench::small(80, 24);
    bench.press("enter t").settle();
    bench.press("j d").settle();
    let chosen = bench.model.definition.chosen.clone().unwrap();
    assert!(chosen.ends_with("task-definition/api:7"), "the service has gone on to api:8: {chosen}");
}

#[test]
fn a_cluster_opens_its_services_only() {
    let mut aws = Aws::small();
    let other = ServiceId { cluster: "staging".into(), ..fixtures::service_id("probe") };
    aws.clusters.push(other.cluster_id());
    aws.services.push(fixtures::service(&other));
    let mut bench = Bench::new(aws, 80, 24);
    bench.settle();
    bench.press("8").settle();
    bench.press("j enter");
    assert_eq!(bench.services(), ["probe"]);
    bench.press("esc");
    assert_eq!(bench.services().len(), 4);
}

#[test]
fn links_of_the_configuration_are_filled_in_and_copied() {
    let config = r#"
[[links]]
label = "Dashboard"
url = "https://grafana.example/d/ecs?cluster={cluster}&service={service}&region={region}"
"#;
    let model = fixtures::model(fixtures::session(&["eu-west-2"]), config, 100, 30);
    let mut bench = Bench::with(model, Aws::small());
    bench.settle();
    bench.press("o");
    assert!(matches!(bench.model.overlay, Some(Overlay::Links { .. })));
    bench.press("enter");
    assert_eq!(copies(&bench), ["https://grafana.example/d/ecs?cluster=prod&service=api&region=eu-west-2"]);
    assert!(bench.model.overlay.is_none());
    let mut without = Bench::small(100, 30);
    without.press("o");
    assert!(without.notice().starts_with("No link template"), "{}", without.notice());
}

#[test]
fn themes_and_keymaps_change_and_an_unknown_one_is_explained() {
    let mut bench = Bench::small(100, 30);
    let first = bench.model.theme.name.clone();
    bench.press("T");
    assert_ne!(bench.model.theme.name, first);
    bench.command("theme neon");
    assert!(bench.notice().starts_with("There is no theme neon; there are "), "{}", bench.notice());
    bench.command("keymap vim");
    assert_eq!(bench.model.keymap.name, "vim");
}

#[test]
fn times_walk_through_their_styles() {
    let mut bench = Bench::small(80, 24);
    bench.press("l");
    let mut styles = Vec::new();
    for _ in 0..4 {
        bench.press("t");
        styles.push(bench.model.times);
    }
    assert_eq!(styles, [TimeStyle::Utc, TimeStyle::Age, TimeStyle::None, TimeStyle::Local]);
}

#[test]
fn quit_and_suspend_are_effects_and_coming_back_redraws() {
    let mut bench = Bench::small(80, 24);
    bench.press("ctrl-z");
    bench.send(Msg::Resumed);
    bench.press("q");
    assert_eq!(bench.effects, [Effect::Suspend, Effect::Redraw, Effect::Quit]);
}

#[test]
fn a_notice_goes_away_by_itself() {
    let mut bench = Bench::small(80, 24);
    bench.press("y");
    assert_ne!(bench.notice(), "");
    bench.pass(Duration::from_secs(4));
    assert_ne!(bench.notice(), "");
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.notice(), "");
}
