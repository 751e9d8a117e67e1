//! The README's pictures: screens of the real console over the simulator, drawn in virtual time and compared
//! with what is committed, so that no picture shows what the program does not.
//!
//! `OPSDECK_BLESS=1 cargo test --locked pictures` writes `docs/pictures/` anew. `OPSDECK_GALLERY=FOLDER cargo
//! test --locked gallery -- --ignored` draws every pane at several sizes in every theme for the eye.

mod svg;

use std::path::Path;
use std::time::Duration;

use opsdeck::stdx::rect::Size;
use opsdeck::theme::{Depth, Theme};

use crate::story::{Scene, Story};

/// The theme of the README.
fn dark() -> Theme {
    Theme::builtin("dark").unwrap().with_depth(Depth::Rgb)
}

fn scene(stack: &str, width: u16, height: u16) -> Scene {
    Scene { theme: dark(), ..Scene::of(stack, width, height) }
}

/// Draws what the console shows now.
fn drawn(story: &Story, title: &str, palette: &svg::Palette) -> String {
    let frame = story.frame();
    svg::draw(&frame.buffer, frame.cursor, title, palette)
}

fn wanted(variable: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the way to tell a test that it shall write")]
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "pictures are files")]
fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Compares a picture with the committed one, or writes it when told so.
fn keep(name: &str, story: &Story, title: &str) {
    let path = crate::tidy::root().join(format!("docs/pictures/{name}.svg"));
    let svg = drawn(story, title, &svg::DARK);
    if wanted("OPSDECK_BLESS").is_some() {
        write(&path, &svg);
        return;
    }
    let kept = if path.exists() { crate::tidy::read(&path) } else { String::new() };
    let differing = kept.lines().zip(svg.lines()).find(|(old, new)| old != new);
    assert!(
        kept == svg,
        "docs/pictures/{name}.svg is not what the console shows: OPSDECK_BLESS=1 cargo test --locked pictures, \
         then look at it.\nfirst difference: {differing:?}\nthe console shows\n{}",
        story.screen()
    );
}

/// Whether what comes out shall be written instead of compared.
pub fn blesses() -> bool {
    wanted("OPSDECK_BLESS").is_some()
}

/// Writes a page that tests made.
pub fn write_page(name: &str, text: &str) {
    write(&crate::tidy::root().join(format!("docs/{name}.md")), text);
}

/// Lets the world run to the moment of a picture, half a second into a second: the clock's own frame may come
/// before an answer of the same second.
async fn at(story: &Story, seconds: u64) {
    story.until_age(Duration::from_millis(seconds * 1000 + 500)).await;
}

#[tokio::test(start_paused = true)]
async fn services() {
    scene("all", 120, 36)
        .play(|story| async move {
            story.press("2");
            story.until("gateway-service").await;
            at(&story, 65).await;
            keep("services", &story, "Every service of five systems in three regions, sick ones first");
        })
        .await;
}

/// One of the five systems is sick.
fn incident(name: &'static str, width: u16, height: u16) -> Scene {
    Scene { incident: Some(name), ..scene("all", width, height) }
}

#[tokio::test(start_paused = true)]
async fn fleet() {
    incident("connections-exhausted", 120, 36)
        .play(|story| async move {
            at(&story, 30).await;
            keep("fleet", &story, "The first screen: what is wrong, the worst first, and what is well");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn alarm() {
    incident("5xx-after-deployment", 120, 36)
        .play(|story| async move {
            at(&story, 30).await;
            story.press("A z");
            at(&story, 32).await;
            story.press("enter");
            at(&story, 40).await;
            keep("alarm", &story, "An alarm: what it compares drawn with its threshold, and its history");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn databases() {
    incident("slow-queries", 120, 36)
        .play(|story| async move {
            at(&story, 30).await;
            story.press("R z");
            at(&story, 32).await;
            story.press("enter");
            at(&story, 45).await;
            keep("databases", &story, "A database: status, numbers, storage, maintenance, events");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn rollback() {
    incident("5xx-after-deployment", 120, 44)
        .play(|story| async move {
            at(&story, 30).await;
            story.press("B");
            at(&story, 40).await;
            story.type_text("saas-backend");
            story.press("enter");
            story.type_text("5xx since the deployment");
            at(&story, 41).await;
            keep(
                "rollback",
                &story,
                "A rollback: what it returns to, every check, and the name that confirms it",
            );
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn secrets() {
    incident("rotation-stuck", 120, 36)
        .play(|story| async move {
            at(&story, 30).await;
            story.press("K z");
            at(&story, 40).await;
            keep("secrets", &story, "Secrets as a tree with their rotation and their readers");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn deck() {
    scene("all", 200, 50)
        .play(|story| async move {
            story.until("gateway-service").await;
            at(&story, 65).await;
            keep("deck", &story, "The whole deck on a wide terminal");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn logs() {
    scene("codeguardians", 120, 36)
        .play(|story| async move {
            story.press("2");
            story.until("gateway-service").await;
            story.press("l z");
            at(&story, 55).await;
            keep("logs", &story, "The merged logs of a service, followed");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn tasks() {
    scene("codeguardians", 120, 36)
        .play(|story| async move {
            story.press("2");
            story.until("gateway-service").await;
            story.press("t");
            at(&story, 125).await;
            keep("tasks", &story, "Running and stopped tasks, with the reason");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn palette() {
    scene("all", 120, 36)
        .play(|story| async move {
            story.press("2");
            story.until("gateway-service").await;
            at(&story, 65).await;
            story.press(":");
            story.type_text("de");
            story.rest(Duration::from_millis(50)).await;
            keep("palette", &story, "The palette completes commands and their arguments");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn task_definition() {
    scene("codeguardians", 120, 36)
        .play(|story| async move {
            story.press("2");
            story.until("gateway-service").await;
            story.press("d z");
            at(&story, 20).await;
            keep("task-definition", &story, "A task definition: containers, limits, secrets by reference");
        })
        .await;
}

/// Every pane at each size in each theme, for the eye.
#[tokio::test(start_paused = true)]
#[ignore = "draws pictures for people: OPSDECK_GALLERY=FOLDER"]
async fn gallery() {
    let folder = wanted("OPSDECK_GALLERY").expect("OPSDECK_GALLERY names the folder to draw into");
    for (width, height) in [(80, 24), (120, 40), (220, 60)] {
        for name in Theme::names() {
            let palette = if name == "light" { &svg::LIGHT } else { &svg::DARK };
            let theme = Theme::builtin(name).unwrap().with_depth(Depth::Rgb);
            let scene = Scene { theme, size: Size { width, height }, ..Scene::of("all", width, height) };
            let folder = folder.clone();
            scene
                .play(|story| async move {
                    let shot = |pane: &str, story: &Story| {
                        let svg = drawn(story, pane, palette);
                        write(&Path::new(&folder).join(format!("{name}-{width}-{pane}.svg")), &svg);
                    };
                    story.until("gateway-service").await;
                    at(&story, 65).await;
                    for (pane, keys) in [
                        ("fleet", ""),
                        ("help", "?"),
                        ("palette", "esc :"),
                        ("services", "esc 2"),
                        ("filter", "/"),
                        ("unfolded", "esc f"),
                        ("service", "f enter"),
                        ("tasks", "t"),
                        ("logs", "l"),
                        ("record", "k k k enter"),
                        ("events", "esc e"),
                        ("definition", "d"),
                        ("deployments", "D"),
                        ("check", "c"),
                        ("alarms", "esc 3"),
                        ("alarm", "enter"),
                        ("databases", "esc 4"),
                        ("database", "enter"),
                        ("caches", "esc 5"),
                        ("cache", "enter"),
                        ("secrets", "esc 6"),
                        ("secret", "enter"),
                        ("changes", "esc 7"),
                        ("clusters", "8"),
                        ("api", "9"),
                    ] {
                        story.press(keys);
                        story.rest(Duration::from_secs(3)).await;
                        shot(pane, &story);
                    }
                    story.press("2 :");
                    story.type_text("deploy saas-backend");
                    story.press("enter");
                    story.rest(Duration::from_secs(3)).await;
                    shot("plan", &story);
                    story.type_text("saas-backend");
                    story.press("enter");
                    story.type_text("the cache was poisoned");
                    story.press("enter enter");
                    for (pane, keys) in [("rollout", ""), ("journal", "esc J"), ("deed", "enter")] {
                        story.press(keys);
                        story.rest(Duration::from_secs(30)).await;
                        shot(pane, &story);
                    }
                })
                .await;
        }
    }
}
