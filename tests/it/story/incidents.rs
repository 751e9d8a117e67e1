//! What goes wrong in the systems is on the screen, first things first.

use std::time::Duration;

use crate::story::Scene;

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_and_is_rolled_back_stands_on_top() {
    Scene::of("all", 220, 30)
        .play(|story| async move {
            story.until("migrate-backend-service").await;
            let is_top = |screen: &str, what: &[&str]| {
                screen
                    .lines()
                    .skip(4)
                    .take(1)
                    .any(|l| l.contains("gateway-service") && what.iter().any(|w| l.contains(w)))
            };
            story.until_such("the deployment fails", |s| is_top(s, &["failed"])).await;
            story
                .until_such("it is rolled back", |s| is_top(s, &["olling back", "rolls back", "Rolled back"]))
                .await;
            story.until_such("the rollback held", |s| s.contains("Rolled back to")).await;
            story.press(":");
            story.type_text("events gateway-service");
            story.press("enter");
            story.until("rolling back to").await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_stopped_task_says_why_with_its_exit_code() {
    Scene::of("saas", 179, 30)
        .play(|story| async move {
            story.until("saas-worker").await;
            story.press(":");
            story.type_text("tasks saas-worker");
            story.press("enter");
            story.until("RUNNING").await;
            story
                .until_such("the crash", |s| s.lines().any(|l| l.contains("STOPPED") && l.contains("137")))
                .await;
            // The worst of the stopped ones stands behind the one that runs.
            story.press("z j enter");
            let details = story.until("exit code 137").await;
            assert!(details.contains("EssentialContainerExited"), "{details}");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_stopped_task_stays_on_screen_after_ecs_forgot_it() {
    Scene::of("saas", 179, 30)
        .play(|story| async move {
            story.until("saas-worker").await;
            story.press(":");
            story.type_text("tasks saas-worker");
            story.press("enter");
            // A deployment of an hour ago: ECS forgets the tasks that it replaced within minutes.
            let old =
                |s: &str| s.lines().any(|l| l.contains("STOPPED") && l.contains("replaced by a deployment"));
            let screen = story.until_such("a task that was replaced", old).await;
            assert!(screen.contains("38 min"), "stopped long ago:\n{screen}");
            story.rest(Duration::from_secs(25 * 60)).await;
            assert!(old(&story.screen()), "{}", story.screen());
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_deleted_leaves_the_list() {
    Scene::of("cma", 110, 30)
        .play(|story| async move {
            story.until("cma-frontend-production").await;
            assert!(story.control.delete_service("eu-west-2", "cma-production", "cma-frontend-production"));
            story.until_such("it is gone", |s| !s.contains("cma-frontend-production")).await;
            assert!(story.screen().contains("cma-api-production"));
        })
        .await;
}
