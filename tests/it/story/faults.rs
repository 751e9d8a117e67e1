//! The wire breaks in every way; the console says so, keeps what it has, and recovers.

use std::time::Duration;

use crate::story::Scene;

const CMA: [&str; 3] = ["cma-api-production", "cma-frontend-production", "cma-workers-production"];

/// Whether all three services are there with their status.
fn complete(screen: &str) -> bool {
    CMA.iter().all(|name| screen.lines().any(|line| line.contains(name) && !line.contains("not described")))
        && !screen.contains("described")
}

#[tokio::test(start_paused = true)]
async fn slow_and_throttled_everything_arrives_and_the_header_says_throttled() {
    let mut scene = Scene::of("cma", 120, 40);
    scene.faults = vec!["*:latency=2s", "*:throttle,share=0.3"];
    scene
        .play(|story| async move {
            story.until("throttled").await;
            story.press("2");
            story.until_such("all services", complete).await;
            story.press("t");
            story.until("RUNNING").await;
            story.press("l");
            story.until("following").await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_leaves_the_keys_working_and_is_said_and_left_again() {
    let mut scene = Scene::of("cma", 100, 30);
    scene.faults = vec!["*:blackhole"];
    scene
        .play(|story| async move {
            story.until("Asking AWS").await;
            story.press("?");
            story.until("Keys that work here").await;
            story.press("esc 8");
            story.until("[8 Clusters]").await;
            story.press("1");
            story.until("unreachable").await;
            story.control.clear_faults();
            story.until_such("all services", complete).await;
            story.until_such("no fault", |s| !s.contains("unreachable")).await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_in_the_middle_keeps_the_rows_with_their_age() {
    Scene::of("cma", 120, 22)
        .play(|story| async move {
            story.until_such("all services", complete).await;
            story.fault("ecs:*:blackhole");
            let stale = story.until(" old").await;
            assert!(CMA.iter().all(|name| stale.contains(name)), "{stale}");
            story.control.clear_faults();
            story.until_such("fresh", |s| complete(s) && !s.contains(" old")).await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_keep_the_last_rows_raise_a_banner_and_recover() {
    Scene::of("cma", 120, 22)
        .play(|story| async move {
            story.until_such("all services", complete).await;
            story.fault("*:expired");
            let screen = story.until("CREDENTIALS EXPIRED").await;
            assert!(CMA.iter().all(|name| screen.contains(name)), "{screen}");
            story.rest(Duration::from_secs(20)).await;
            let before = story.control.calls_of("ecs:ListServices");
            story.rest(Duration::from_secs(25)).await;
            assert!(
                story.control.calls_of("ecs:ListServices") <= before + 1,
                "it does not knock at the cadence"
            );
            story.control.clear_faults();
            story.press("r");
            story.until_such("no banner", |s| !s.contains("EXPIRED") && complete(s)).await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn server_errors_resets_and_truncated_answers_are_said_and_left_again() {
    for (rule, said) in
        [("ecs:*:error=503", "AWS error"), ("ecs:*:reset", "unreachable"), ("ecs:*:truncate", "")]
    {
        let mut scene = Scene::of("cma", 120, 22);
        scene.faults = vec![rule];
        scene
            .play(|story| async move {
                let faulty = story
                    .until_such(rule, |s| {
                        ["AWS error", "unreachable", "unreadable answer"].iter().any(|word| s.contains(word))
                    })
                    .await;
                assert!(faulty.contains(said), "{rule}:\n{faulty}");
                story.control.clear_faults();
                story.until_such("all services", complete).await;
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_third_answer_broken_everything_still_arrives() {
    let mut scene = Scene::of("all", 120, 22);
    scene.faults = vec!["*:error=500,share=0.15", "*:reset,share=0.1", "*:truncate,share=0.1"];
    scene
        .play(|story| async move {
            story.press("2");
            for name in ["gov-backend", "gateway-service", "saas-worker", "migrate-backend-service"] {
                story.until(name).await;
            }
            story.until_such("all services", complete).await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn one_denied_region_is_named_and_the_others_are_shown() {
    let mut scene = Scene::of("all", 140, 30);
    scene.faults = vec!["ecs:ListClusters:denied,times=1"];
    scene
        .play(|story| async move {
            story.press("2");
            let screen = story
                .until_such("two regions", |s| {
                    s.contains("denied")
                        && ["eu-west-2", "me-south-1", "us-east-1"]
                            .iter()
                            .filter(|r| s.lines().skip(3).any(|l| l.contains(*r) && !l.contains("denied")))
                            .count()
                            == 2
                })
                .await;
            assert!(!screen.contains("EXPIRED"));
            story.press("r");
            story
                .until_such("all of them", |s| {
                    ["cma-api-production", "saas-worker", "gateway-service"]
                        .iter()
                        .all(|name| s.contains(name))
                })
                .await;
        })
        .await;
}
