//! Merged live logs through the real loop.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::story::{Scene, Story};

/// Lines of the log pane that begin with a time, as they stand.
fn lines(screen: &str) -> Vec<String> {
    let is_line = |line: &&str| {
        let mut words = line.trim_start_matches(['▌', ' ']).split_whitespace();
        let time = words.next().unwrap_or_default();
        time.len() == 12
            && time.as_bytes().get(2) == Some(&b':')
            && words.next().is_some_and(|task| task.len() == 8)
    };
    let clean = |line: &str| line.trim_start_matches(['▌', ' ']).to_owned();
    screen.lines().filter(is_line).map(clean).collect()
}

/// The short ids of the tasks whose lines are on screen.
fn tasks(screen: &str) -> BTreeSet<String> {
    lines(screen).iter().filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned)).collect()
}

async fn open(story: &Story, service: &str) -> String {
    story.until(service).await;
    story.press(":");
    story.type_text(&format!("logs {service}"));
    story.press("enter");
    story.press("z");
    story.until_such("a screenful of lines", |s| lines(s).len() > 20).await
}

#[tokio::test(start_paused = true)]
async fn the_logs_of_all_tasks_are_merged_in_order_and_new_tasks_join() {
    Scene::of("cma", 140, 50)
        .play(|story| async move {
            open(&story, "cma-api-production").await;
            let screen = story.until_such("both tasks", |s| tasks(s).len() >= 2).await;
            let times: Vec<String> = lines(&screen).iter().map(|l| l[..12].to_owned()).collect();
            assert!(times.is_sorted(), "{times:?}");
            let before = tasks(&screen);
            let started = story.control.force_deployment("eu-west-2", "cma-production", "cma-api-production");
            assert!(started.is_some());
            story.until_such("a new task's lines", |s| tasks(s).difference(&before).count() > 0).await;
            story
                .until_such("only new tasks write", |s| {
                    let now = tasks(s);
                    !now.is_empty() && now.is_disjoint(&before)
                })
                .await;
            // The lines of an ended task stay.
            let ended = before.first().unwrap().clone();
            story.press("/");
            story.type_text(&format!("task={ended}"));
            story.press("enter");
            let kept = story.until_such("its lines", |s| !lines(s).is_empty() && tasks(s).len() == 1).await;
            assert!(tasks(&kept).contains(&ended), "{kept}");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_log_is_not_yanked_while_lines_arrive() {
    Scene::of("cma", 140, 40)
        .play(|story| async move {
            open(&story, "cma-api-production").await;
            story.press("space");
            let held = lines(&story.until("paused").await);
            for _ in 0..12 {
                story.rest(Duration::from_secs(5)).await;
                assert_eq!(lines(&story.screen()), held);
            }
            assert!(story.screen().contains("new below"), "{}", story.screen());
            story.press("space");
            story.until_such("the present", |s| s.contains("following") && lines(s) != held).await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn older_lines_are_read_when_one_scrolls_beyond_the_oldest() {
    Scene::of("cma", 140, 40)
        .play(|story| async move {
            open(&story, "cma-api-production").await;
            story.press("g");
            let oldest = lines(&story.until("paused").await).first().unwrap()[..12].to_owned();
            for _ in 0..4 {
                story.press("b");
                story.rest(Duration::from_secs(3)).await;
            }
            story.press("g");
            story.until_such("older lines", |s| lines(s).first().is_some_and(|l| l[..12] < *oldest)).await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_record_opens_whole() {
    Scene::of("cma", 140, 50)
        .play(|story| async move {
            open(&story, "cma-api-production").await;
            story.press("k enter");
            let record = story.until("Log record").await;
            for said in ["Taken in", "/ecs/cma-production", "Stream"] {
                assert!(record.contains(said), "{said} is missing from\n{record}");
            }
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_throttled_log_says_so_and_loses_nothing() {
    Scene::of("cma", 140, 50)
        .play(|story| async move {
            open(&story, "cma-api-production").await;
            story.fault("logs:FilterLogEvents:throttle");
            story.until("throttled").await;
            story.control.clear_faults();
            story.until_such("live again", |s| s.contains(" live ") && !s.contains("throttled by")).await;
        })
        .await;
}
