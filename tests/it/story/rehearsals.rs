//! The first screen of each incident that comes with the program: what an operator reads half a minute after
//! opening the console over five systems, of which one is sick.
//!
//! The pictures are for readers too: who sees only that screen must be able to name what is sick
//! (`docs/incidents.md`). Must not tell the console which incident is played.

use std::time::Duration;

use opsdeck::sim::NamedIncident;

use super::Scene;

/// How long the console has been open.
const READ: Duration = Duration::from_millis(30_500);

/// Plays an incident and keeps its first screen.
async fn first_screen(name: &'static str, width: u16, height: u16) {
    let incident = NamedIncident::builtin(name).unwrap().unwrap();
    let scene = Scene { incident: Some(name), ..Scene::of("all", width, height) };
    scene
        .play(|story| async move {
            story.until_age(READ).await;
            let screen = story.screen();
            assert!(names(&screen, &incident.sick), "{} is not on the screen:\n{screen}", incident.sick);
            insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots/incidents" }, {
                insta::assert_snapshot!(format!("{name}-{width}"), screen);
            });
        })
        .await;
}

/// Whether a name is on a screen, whole or with its middle cut.
fn names(screen: &str, name: &str) -> bool {
    let cut = |line: &str| {
        let words = line.split_whitespace().filter_map(|word| word.split_once('…'));
        words.into_iter().any(|(head, tail)| {
            tail.len() >= 6 && head.len() >= 6 && name.starts_with(head) && name.ends_with(tail)
        })
    };
    // AWS's own trouble has no name of its own: its word is enough.
    let word = if name == "throttling" { "throttled" } else { name };
    screen.contains(word) || screen.lines().any(cut)
}

macro_rules! rehearsals {
    ($($test:ident: $name:literal;)+) => {
        /// Those that are played here.
        const PLAYED: &[&str] = &[$($name,)+];
        $(
            #[tokio::test(start_paused = true)]
            async fn $test() {
                first_screen($name, 120, 40).await;
                first_screen($name, 80, 24).await;
            }
        )+
    };
}

rehearsals! {
    bad_image_tag: "bad-image-tag";
    out_of_memory: "out-of-memory";
    secret_key_removed: "secret-key-removed";
    rotation_stuck: "rotation-stuck";
    health_check_path: "health-check-path";
    database_storage_full: "database-storage-full";
    connections_exhausted: "connections-exhausted";
    slow_queries: "slow-queries";
    failover: "failover";
    spot_reclaim: "spot-reclaim";
    capacity_unavailable: "capacity-unavailable";
    cpu_at_maximum: "cpu-at-maximum";
    errors_after_a_deployment: "5xx-after-deployment";
    log_group_deleted: "log-group-deleted";
    expired_credentials: "expired-credentials";
    throttling: "throttling";
}

#[test]
fn every_shipped_incident_is_rehearsed() {
    assert_eq!(PLAYED, NamedIncident::builtins().collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_slow_statements_are_in_a_log_that_opens_from_the_database() {
    let scene = Scene { incident: Some("slow-queries"), ..Scene::of("gov", 120, 60) };
    scene
        .play(|story| async move {
            story.until("CPU at").await;
            story.press("R");
            story.until("[4 RDS").await;
            story.until("available").await;
            story.press("enter");
            story.until("database gov-db").await;
            story.until("error/postgresql.log").await;
            story.press("enter");
            story.until("Log files of gov-db").await;
            story.press("enter");
            story.until("duration:").await;
            story.press("/");
            story.type_text("SELECT");
            story.press("enter");
            story.until("filter: SELECT").await;
            story.press("esc esc");
            story.until("database gov-db").await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_check_of_the_next_start_asks_for_the_images_that_run() {
    let scene = Scene { incident: Some("secret-key-removed"), ..Scene::of("codeguardians", 120, 60) };
    scene
        .play(|story| async move {
            story.until("gateway-service").await;
            story.press("2");
            story.until("[2 Services").await;
            story.press("c");
            let screen = story.until_such("the last start", |s| s.contains("last start")).await;
            assert!(screen.contains("Would the next task of gateway-service start"), "{screen}");
            let screen = story
                .until_such("all answers", |s| !s.contains("still to come") && s.contains("image of gateway"))
                .await;
            assert!(!screen.contains("ECR was not asked"), "{screen}");
        })
        .await;
}
