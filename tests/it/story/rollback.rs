//! Drills: a bad release of each of the five systems, in its own habit, seen on the first screen and rolled back from
//! there; and what is told when AWS's answer is lost, or the console is left meanwhile.
//!
//! The keys are counted, besides the typed texts: `docs/drills.md` keeps the count, and
//! `OPSDECK_BLESS=1 cargo test --locked --test it drills` writes it anew. Each drill is a test of its own, so that they
//! run side by side. Must not tell the console what is wrong.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use opsdeck::domain::verdict::Verdict;
use opsdeck::journal::{Entry, Event};
use opsdeck::runtime::event_loop::Ending;
use opsdeck::sim::Stack;
use opsdeck::sim::world::image::Behaviour;
use opsdeck::sim::world::task::Status;

use super::{Scene, Story};

/// Longer than a form has to be seen.
const READ: Duration = Duration::from_millis(500);

/// More keys than these are too many at night.
const MOST_KEYS: usize = 6;

struct System {
    stack: &'static str,
    service: &'static str,
    habit: &'static str,
}

const SYSTEMS: [System; 5] = [
    System { stack: "gov", service: "gov-backend", habit: "a revision with a new tag" },
    System { stack: "codeguardians", service: "gateway-service", habit: "`latest`, forced" },
    System { stack: "cma", service: "cma-api-production", habit: "`latest` beside the commit's tag, forced" },
    System { stack: "saas", service: "saas-backend", habit: "`latest`, forced" },
    System { stack: "migrate", service: "migrate-backend-service", habit: "`latest`, forced" },
];

/// When the bad release shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum When {
    /// Its tasks fail at once: its deployment is still under way.
    UnderWay,
    /// It passes its checks and crashes later: its deployment has completed.
    Completed,
}

/// Keys pressed, besides typed texts.
struct Hand<'s> {
    story: &'s Story,
    keys: Cell<usize>,
}

impl Hand<'_> {
    fn press(&self, keys: &str) {
        self.keys.set(self.keys.get() + keys.split_whitespace().count());
        self.story.press(keys);
    }
}

fn calm(name: &str) -> Stack {
    let mut stack = Stack::builtin(name).unwrap().unwrap();
    stack.timeline.clear();
    stack
}

fn scene(stack: &str) -> Scene {
    Scene { stacks: vec![calm(stack)], ..Scene::of(stack, 120, 40) }
}

/// A service as it really is: tasks wanted and running, deployments, digests of what its primary runs.
#[derive(Clone, Debug, PartialEq)]
struct Truth {
    desired: u32,
    running: usize,
    deployments: usize,
    state: String,
    images: Vec<Option<String>>,
}

fn truth(story: &Story, system: &System) -> Truth {
    let stack = calm(system.stack);
    let cluster = stack.service(system.service).unwrap().cluster.clone();
    story.control.with_world(|world| {
        let index = world.find(&stack.region, &cluster, system.service).unwrap();
        let primary = world.services[index].primary().unwrap().clone();
        let images = world.images(index, primary.number).unwrap();
        let service = &world.services[index];
        Truth {
            desired: service.desired,
            running: world
                .tasks
                .values()
                .filter(|task| task.service == Some(index) && task.status == Status::Running)
                .count(),
            deployments: service.deployments.len(),
            state: format!("{:?}", primary.state),
            images: images.iter().map(|image| image.digest.clone()).collect(),
        }
    })
}

/// The outcomes in the journal.
fn outcomes(entries: &[Entry]) -> Vec<Verdict> {
    let of = |entry: &Entry| match &entry.event {
        Event::Outcome(outcome) => Some(outcome.verdict.clone()),
        _ => None,
    };
    entries.iter().filter_map(of).collect()
}

fn intents(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| matches!(entry.event, Event::Intent(_))).count()
}

/// Rolls a bad release back; says how many keys that took, and which calls.
async fn drill(system: &'static System, when: When) -> (usize, Vec<String>) {
    let found = std::rc::Rc::new(Cell::new((0, Vec::new())));
    let told = std::rc::Rc::clone(&found);
    scene(system.stack)
        .play(|story| async move {
            story.rest(Duration::from_secs(5)).await;
            let good = truth(&story, system);
            let after = if when == When::Completed { "after = \"6m\"" } else { "" };
            story
                .control
                .occur(&format!(
                    "kind = \"bad-deploy\"\nservice = \"{}\"\nbuild = \"badbad0\"\nexit_code = 3\n\
                     text = \"no configuration\"\n{after}",
                    system.service
                ))
                .unwrap();
            let (sign, deployments, state) = match when {
                When::UnderWay => ("failed, ", 2, "InProgress"),
                When::Completed => ("exit 3", 1, "Completed"),
            };
            let tells = |line: &str| line.contains(system.service) && line.contains(sign);
            story.until_such("the bad release on the first screen", |s| s.lines().any(tells)).await;
            let bad = truth(&story, system);
            assert_eq!((bad.deployments, bad.state.as_str()), (deployments, state), "{bad:?}");
            assert_ne!(bad.images, good.images, "it is the bad release that runs");
            let hand = Hand { story: &story, keys: Cell::new(0) };
            hand.press("B");
            story.until(&format!("Type {}", system.service)).await;
            story.rest(READ).await;
            story.type_text(system.service);
            hand.press("enter");
            story.type_text("INC-7: the last release crashes");
            hand.press("enter");
            let asked = story.until("INC-7").await;
            hand.press("enter");
            let screen = story
                .until_such("a verdict", |s| {
                    ["Succeeded", "Failed", "Unknown", "Refused", "Superseded", "Not done", "Rolled back"]
                        .iter()
                        .any(|word| s.contains(&format!("│ {word}")))
                })
                .await;
            assert!(screen.contains("Succeeded"), "{screen}\nbefore it\n{asked}");
            let journal = story.journal();
            assert_eq!(outcomes(&journal), [Verdict::Succeeded], "{journal:?}");
            assert_eq!(intents(&journal), story.asked().len(), "one call for each intent");
            // It stays well.
            story.rest(Duration::from_secs(600)).await;
            let well = truth(&story, system);
            assert_eq!((well.deployments, well.state.as_str()), (1, good.state.as_str()));
            assert_eq!(well.running, usize::try_from(well.desired).unwrap(), "{well:?}");
            assert_eq!(well.images, good.images, "what ran before runs again");
            told.set((hand.keys.get(), story.asked()));
        })
        .await;
    found.take()
}

/// The page above its rows.
const PAGE: &str = "\
# Drills

A bad release of each of the five systems, in its own habit, seen on the first screen and rolled back from there: `B`,
the service's name, a reason. The keys are counted besides the typed texts; more than six fail the test. After it, the
service has run for ten minutes what it ran before, by digest.

`OPSDECK_BLESS=1 cargo test --locked --test it drills` plays them and writes this page.

| System | Service | It deploys | The bad release | Keys | Calls |
|---|---|---|---|---|---|
";

/// The page's row of a drill.
fn row(system: &System, when: When, keys: usize, calls: &[String]) -> String {
    let calls: Vec<String> = calls.iter().map(|call| format!("`{call}`")).collect();
    let System { stack, service, habit } = system;
    let words = match when {
        When::UnderWay => "fails at once, under way",
        When::Completed => "completed, crashes later",
    };
    format!("| {stack} | {service} | {habit} | {words} | {keys} | {} |\n", calls.join(", "))
}

/// Compares a drill's row with the page; when told so, writes the page once all rows are there.
fn keep_row(number: usize, when: When, row: String) {
    static ROWS: Mutex<BTreeMap<(usize, When), String>> = Mutex::new(BTreeMap::new());
    if !crate::pictures::blesses() {
        let page = crate::tidy::read(&crate::tidy::root().join("docs/drills.md"));
        let rows = page.strip_prefix(PAGE).expect("docs/drills.md begins as it is written here");
        assert!(rows.contains(&row), "docs/drills.md does not have this row:\n{row}");
        assert_eq!(rows.lines().count(), 2 * SYSTEMS.len(), "each drill has its row:\n{rows}");
        return;
    }
    let mut rows = ROWS.lock().unwrap();
    rows.insert((number, when), row);
    if rows.len() == 2 * SYSTEMS.len() {
        let rows: String = rows.values().map(String::as_str).collect();
        crate::pictures::write_page("drills", &format!("{PAGE}{rows}"));
    }
}

mod drills {
    use super::{MOST_KEYS, SYSTEMS, When, drill, keep_row, row};

    macro_rules! drills {
        ($($test:ident: $number:literal, $when:ident;)+) => {
            $(#[tokio::test(start_paused = true)]
            async fn $test() {
                let system = &SYSTEMS[$number];
                let (keys, calls) = drill(system, When::$when).await;
                assert!(keys <= MOST_KEYS, "{} takes {keys} keys", system.stack);
                keep_row($number, When::$when, row(system, When::$when, keys, &calls));
            })+
        };
    }

    drills! {
        gov_under_way: 0, UnderWay;
        gov_completed: 0, Completed;
        codeguardians_under_way: 1, UnderWay;
        codeguardians_completed: 1, Completed;
        cma_under_way: 2, UnderWay;
        cma_completed: 2, Completed;
        saas_under_way: 3, UnderWay;
        saas_completed: 3, Completed;
        migrate_under_way: 4, UnderWay;
        migrate_completed: 4, Completed;
    }
}

/// A deployment by force of a calm system, confirmed with name and reason.
async fn deploy(story: &Story, service: &str) {
    story.until(service).await;
    story.press(":");
    story.type_text(&format!("deploy {service}"));
    story.press("enter");
    story.until(&format!("Type {service}")).await;
    story.rest(READ).await;
    story.type_text(service);
    story.press("enter");
    story.type_text("a drill");
    story.press("enter enter");
}

#[tokio::test(start_paused = true)]
async fn a_change_stands_in_the_journal_while_it_runs_and_with_its_verdict() {
    scene("gov")
        .play(|story| async move {
            story.press("J");
            story.until("Nothing was changed with opsdeck on this host yet.").await;
            story.press(":");
            story.type_text("incident open uploads fail");
            story.press("enter");
            let screen = story.until("uploads fail").await;
            let mark = story.journal().first().and_then(|entry| entry.incident.clone()).unwrap();
            assert!(screen.contains(&format!("{mark} is open")), "{screen}");
            story.press("2");
            deploy(&story, "gov-backend").await;
            story.until("Under way").await;
            // From here on the pane follows by itself what the console writes.
            story.press("esc J");
            let screen = story.until("under way ").await;
            let row = screen.lines().find(|line| line.contains("a drill")).unwrap();
            assert!(
                row.contains("gov-backend") && row.contains("ann") && row.contains("a drill"),
                "{screen}"
            );
            story.until("succeeded").await;
            story.press("/");
            story.type_text(&format!("{mark} -open"));
            story.press("enter");
            story.until("1 of 2 operations").await;
            story.press("enter");
            let screen = story.until("Call 1 of 1: ecs:UpdateService on gov-cluster/gov-backend").await;
            assert!(screen.contains("AWS accepted call 1") && screen.contains("Request"), "{screen}");
            story.press("enter");
            story.until("Service gov-backend").await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_the_breaker_rolls_back_is_told_as_such() {
    scene("gov")
        .play(|story| async move {
            let image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/gov-backend:9f31c7e";
            let crash = Behaviour::Crash {
                after: Duration::from_secs(2),
                exit_code: 3,
                text: Some("no configuration".to_owned()),
            };
            story.control.push_image("us-east-1", image, "badbad0", crash);
            deploy(&story, "gov-backend").await;
            let screen = story.until("│ Rolled back").await;
            // Its old tasks still ran: ECS was back between two looks, and only the event tells why.
            assert!(screen.contains("Rolled back: tasks failed to start"), "{screen}");
            assert_eq!(story.asked(), ["ecs:UpdateService"]);
            assert!(matches!(outcomes(&story.journal()).as_slice(), [Verdict::RolledBack { .. }]));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_after_aws_acted_is_settled_by_looking() {
    scene("gov")
        .play(|story| async move {
            story.fault("UpdateService:reset,after,times=1");
            deploy(&story, "gov-backend").await;
            let screen = story.until("gov-backend: ").await;
            assert!(!screen.contains("Failed"), "a lost answer is no failure:\n{screen}");
            story.until("new tasks running").await;
            let journal = story.journal();
            let lost = journal
                .iter()
                .filter(|entry| matches!(&entry.event, Event::Acknowledged(note) if note.lost.is_some()));
            assert_eq!((lost.count(), outcomes(&journal)), (1, Vec::new()), "{journal:?}");
            story.until("Succeeded").await;
            assert_eq!(story.asked(), ["ecs:UpdateService"], "it was never repeated");
            assert_eq!(outcomes(&story.journal()), [Verdict::Succeeded]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_before_aws_acted_stays_unknown_and_says_what_was_not_seen() {
    scene("gov")
        .play(|story| async move {
            story.fault("UpdateService:reset,times=1");
            deploy(&story, "gov-backend").await;
            let screen = story.until("Unknown").await;
            assert!(screen.contains("no new deployment appeared"), "{screen}");
            assert_eq!(story.asked(), ["ecs:UpdateService"]);
            assert!(matches!(outcomes(&story.journal()).as_slice(), [Verdict::Unknown { .. }]));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn each_refusal_of_aws_is_told_once_and_for_all() {
    for (fault, said) in [
        ("UpdateService:denied", "not authorized"),
        ("UpdateService:throttle,times=1", "Rate exceeded"),
        ("UpdateService:expired,times=1", "expired"),
    ] {
        scene("gov")
            .play(|story| async move {
                story.fault(fault);
                deploy(&story, "gov-backend").await;
                let screen = story.until("Failed: AWS refused").await;
                assert!(screen.contains(said), "{fault}: {screen}");
                story.rest(Duration::from_secs(120)).await;
                assert_eq!(story.asked(), ["ecs:UpdateService"], "{fault}");
                assert!(matches!(outcomes(&story.journal()).as_slice(), [Verdict::Failed { .. }]));
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_another_deploys_meanwhile_is_told_and_left_alone() {
    scene("gov")
        .play(|story| async move {
            story.until("gov-backend").await;
            story.press(":");
            story.type_text("deploy gov-backend");
            story.press("enter");
            story.until("Type gov-backend").await;
            story.rest(READ).await;
            story.type_text("gov-backend");
            story.press("enter");
            story.type_text("a drill");
            story.press("enter");
            story.control.force_deployment("us-east-1", "gov-cluster", "gov-backend").unwrap();
            story.rest(Duration::from_secs(11)).await;
            story.press("enter");
            let screen = story.until("Not done").await;
            assert!(screen.contains("the deployment of gov-cluster/gov-backend was"), "{screen}");
            assert!(story.asked().is_empty() && story.journal().is_empty());
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn leaving_while_aws_is_called_awaits_its_answer_or_the_end_of_patience() {
    for (fault, answers) in
        [("UpdateService:latency=5s,after", true), ("UpdateService:latency=1h,after", false)]
    {
        let ending = scene("gov")
            .play_out(|story| async move {
                story.fault(fault);
                deploy(&story, "gov-backend").await;
                story.until("Calling AWS").await;
                story.press("esc q");
                story.rest(Duration::from_secs(60)).await;
                assert_eq!(story.asked(), ["ecs:UpdateService"]);
                let journal = story.journal();
                match outcomes(&journal).as_slice() {
                    [Verdict::Accepted] if answers => {}
                    [Verdict::Unknown { .. }] if !answers => {}
                    other => panic!("{fault}: {other:?} of {journal:?}"),
                }
            })
            .await;
        assert!(matches!(ending, Ending::Quit), "{ending:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn leaving_while_it_is_watched_leaves_word() {
    let ending = scene("gov")
        .play_out(|story| async move {
            deploy(&story, "gov-backend").await;
            story.until("new tasks running").await;
            story.press("esc q");
            story.rest(Duration::from_secs(60)).await;
            assert_eq!(outcomes(&story.journal()), [Verdict::Accepted]);
        })
        .await;
    assert!(matches!(ending, Ending::Quit), "{ending:?}");
}

/// Keys that are pressed at random; none of them ends the console.
const KEYS: &[&str] = &[
    "j", "k", "enter", "enter", "enter", "y", "y", "tab", "esc", "P", "B", "N", "W", "X", "O", "U", "F", "2",
    "t", "1", "3", "4", "6", "g", "o", "v", "b", "space", ":", "down", "right", "r", "z",
];

#[tokio::test(start_paused = true)]
async fn random_keys_against_the_real_loop_change_nothing() {
    for seed in 0..4 {
        scene("gov")
            .play(|story| async move {
                let mut dice = fastrand::Rng::with_seed(seed);
                story.until("gov-backend").await;
                story.press("2");
                for _ in 0..80 {
                    match dice.u32(0..20) {
                        0 => story.send(super::Input::Paste("gov-backend\ny\n".to_owned())),
                        1 => story.send(super::Input::Resize(super::Size {
                            width: dice.u16(30..140),
                            height: dice.u16(6..50),
                        })),
                        2..6 => story.rest(Duration::from_millis(dice.u64(1..3_000))).await,
                        _ => story.press(KEYS[dice.usize(0..KEYS.len())]),
                    }
                }
                story.rest(Duration::from_secs(5)).await;
                assert!(story.asked().is_empty(), "seed {seed}: {:?}", story.asked());
                assert!(story.journal().is_empty(), "seed {seed}");
            })
            .await;
    }
}
