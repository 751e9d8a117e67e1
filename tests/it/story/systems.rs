//! Each of the five systems opens with the names of its deployment document; a fleet is paged to its end.

use opsdeck::sim::Stack;

use crate::story::Scene;

struct System {
    stack: &'static str,
    region: &'static str,
    cluster: &'static str,
    services: &'static [&'static str],
    /// Of the first service.
    containers: &'static [&'static str],
    log_group: &'static str,
}

const SYSTEMS: [System; 5] = [
    System {
        stack: "gov",
        region: "us-east-1",
        cluster: "gov-cluster",
        services: &["gov-backend", "gov-ai-service"],
        containers: &["nginx", "backend"],
        log_group: "/ecs/gov-backend",
    },
    System {
        stack: "codeguardians",
        region: "us-east-1",
        cluster: "codeguardians-gateway",
        services: &["gateway-service"],
        containers: &[
            "gateway",
            "tokenguard",
            "trustguard",
            "contextguard",
            "biasguard",
            "securityguard",
            "healthguard",
        ],
        log_group: "/ecs/codeguardians-gateway",
    },
    System {
        stack: "cma",
        region: "eu-west-2",
        cluster: "cma-production",
        services: &["cma-api-production", "cma-frontend-production", "cma-workers-production"],
        containers: &["api"],
        log_group: "/ecs/cma-production",
    },
    System {
        stack: "saas",
        region: "me-south-1",
        cluster: "saas",
        services: &["saas-backend", "saas-worker"],
        containers: &["backend"],
        log_group: "/ecs/saas-backend",
    },
    System {
        stack: "migrate",
        region: "us-east-1",
        cluster: "migrate-cluster",
        services: &["migrate-backend-service"],
        containers: &["migrate-backend"],
        log_group: "/ecs/migrate-backend",
    },
];

#[tokio::test(start_paused = true)]
async fn each_system_opens_with_its_documented_names() {
    for system in SYSTEMS {
        // High enough for a definition of seven containers.
        Scene::of(system.stack, 130, 260)
            .play(|story| async move {
                for name in system.services {
                    story.until(name).await;
                }
                assert!(story.screen().contains(system.region), "the header names the region");
                story.press(":");
                story.type_text(&format!("service {}/{}", system.cluster, system.services[0]));
                story.press("enter");
                story.until("PRIMARY").await;
                story.until(&format!("{} in {}", system.cluster, system.region)).await;
                story.press("d z");
                for container in system.containers {
                    story.until(&format!("Container {container}")).await;
                }
                assert!(story.screen().contains(system.log_group), "{}", story.screen());
                story.press("8");
                story.until(system.cluster).await;
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_fleet_of_three_hundred_is_paged_to_its_end() {
    let mut scene = Scene::of("cma", 110, 30);
    scene.stacks = vec![Stack::fleet(300, 3).unwrap()];
    scene.config = "[ui]\nfold_healthy = false\n";
    scene.faults = vec!["*:latency=80ms"];
    scene
        .play(|story| async move {
            let under_way = story.until_such("how far it is", |s| s.contains("described")).await;
            assert!(under_way.contains(" of "), "n of N:\n{under_way}");
            let screen = story
                .until_such("all described", |s| s.contains("Services 300") && !s.contains("described"))
                .await;
            assert!(screen.contains("sick"), "{screen}");
            assert!(story.control.calls_of("ecs:ListServices") >= 3);
            assert!(story.control.calls_of("ecs:DescribeServices") >= 30);
            story.press("G");
            let end = story.until_such("the end of the list", |s| *s != screen).await;
            assert!(!end.contains("not described yet"), "{end}");
        })
        .await;
}
