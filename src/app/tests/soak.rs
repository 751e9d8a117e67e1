//! Random keys against random answers: the model never panics, the cursor stays in view, no token is used
//! twice, and a quiet console sleeps.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::app::fixtures::{self, Aws, Bench};
use crate::app::layout::layout;
use crate::app::pane::PaneId;
use crate::app::refresh::Token;
use crate::app::{Effect, Msg, Pointing, Target};
use crate::domain::fault::FaultKind;

/// What a hand on a keyboard types, letters and all; chosen with a seed.
const KEYS: &[&str] = &[
    "j",
    "k",
    "g",
    "G",
    "ctrl-d",
    "ctrl-u",
    "enter",
    "enter",
    "esc",
    "esc",
    "l",
    "t",
    "e",
    "d",
    "D",
    "o",
    "z",
    "tab",
    "backtab",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "a",
    "[",
    "]",
    "?",
    ":",
    "/",
    "f",
    "s",
    "S",
    "r",
    "y",
    "Y",
    "x",
    "T",
    "space",
    "w",
    "v",
    "n",
    "N",
    "b",
    "left",
    "right",
    "backspace",
    "up",
    "down",
];

const WORDS: &[&str] = &[
    "w",
    "api",
    "-web",
    "/a(",
    "/^w/",
    "level>=warn",
    "request 2",
    "\u{202e}x",
    "日本",
    "service ",
    "sort na",
    "theme dark",
    "pane 3",
    "\u{1100}\u{1100}\u{1100}",
];

/// One run.
struct Run {
    bench: Bench,
    dice: fastrand::Rng,
    newest: u64,
    closed: BTreeSet<Token>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let aws = if dice.bool() { Aws::small() } else { Aws::fleet(dice.usize(0..200)) };
        let (width, height) = [(80, 24), (120, 40), (220, 60), (45, 10), (20, 5)][dice.usize(0..5)];
        Self { bench: Bench::new(aws, width, height), dice, newest: 0, closed: BTreeSet::new() }
    }

    fn step(&mut self) {
        let dice = &mut self.dice;
        let effects = self.bench.effects.len();
        match dice.u32(0..100) {
            0..45 => {
                self.bench.press_blind(KEYS[dice.usize(0..KEYS.len())]);
            }
            45..50 => {
                let word = WORDS[dice.usize(0..WORDS.len())];
                self.bench.send(Msg::Paste(word.to_owned()));
            }
            50..55 => {
                let (width, height) = (dice.u16(0..250), dice.u16(0..70));
                self.bench.resize(width, height);
            }
            55..60 => {
                let target = self.target();
                let pointing =
                    [Pointing::Click, Pointing::DoubleClick, Pointing::WheelUp, Pointing::WheelDown]
                        [self.dice.usize(0..4)];
                self.bench.send(Msg::Pointed(target, pointing));
            }
            60..62 => self.disturb(),
            62..70 => {
                let span = Duration::from_millis([1, 50, 300, 2_000, 20_000, 1_000_000][dice.usize(0..6)]);
                self.bench.pass(span);
            }
            70..95 => {
                if self.bench.asked.is_empty() {
                    self.bench.pass(Duration::from_millis(200));
                } else {
                    let place = dice.usize(0..self.bench.asked.len());
                    let asked = self.bench.asked.remove(place).unwrap();
                    let outcome = self.bench.aws.answer(&asked.1).map_err(|fault| *fault);
                    self.bench.answer(asked, outcome);
                }
            }
            _ => {
                self.bench.present();
            }
        }
        for effect in &self.bench.effects[effects..] {
            if let Effect::Cancel(token) = effect {
                self.closed.insert(*token);
            }
        }
        self.check();
    }

    /// A thing that a frame might have shown, or one that has vanished since.
    fn target(&mut self) -> Target {
        let service = fixtures::service_id(["api", "web", "gone"][self.dice.usize(0..3)]);
        let record = self.bench.model.logs.selected();
        match self.dice.u32(0..7) {
            0 => Target::Tab(PaneId::ALL[self.dice.usize(0..9)]),
            1 => Target::Pane(PaneId::ALL[self.dice.usize(0..9)]),
            2 => Target::Task(fixtures::task(&service, 16).id),
            3 => Target::Cluster(fixtures::cluster_id("prod")),
            4 => Target::Event("event-1".into()),
            5 => record.map_or(Target::Suggestion(3), Target::Record),
            _ => Target::Service(service),
        }
    }

    /// The account changes, breaks or heals.
    fn disturb(&mut self) {
        let dice = &mut self.dice;
        let aws = &mut self.bench.aws;
        let kinds = [
            FaultKind::Expired,
            FaultKind::Denied,
            FaultKind::Throttled,
            FaultKind::Network,
            FaultKind::Garbled,
        ];
        match dice.u32(0..6) {
            0 => {
                let action =
                    ["ecs:ListServices", "ecs:DescribeServices", "ecs:ListTasks", "logs:FilterLogEvents"]
                        [dice.usize(0..4)];
                aws.faults.insert(action.into(), fixtures::fault(kinds[dice.usize(0..5)]));
            }
            1 => aws.faults.clear(),
            2 if !aws.services.is_empty() => {
                let place = dice.usize(0..aws.services.len());
                aws.services.remove(place);
            }
            3 => {
                let name = format!("new-{}", dice.u32(0..50));
                aws.services.push(fixtures::short_of_tasks(&fixtures::service_id(&name)));
            }
            4 => aws.tasks.retain(|_| dice.bool()),
            _ => {
                let api = fixtures::service_id("api");
                aws.tasks.push(fixtures::stopped_task(&api, dice.u32(1000..2000)));
            }
        }
    }

    fn check(&mut self) {
        let model = &self.bench.model;
        for (token, query, _) in &self.bench.asked {
            assert!(!self.closed.contains(token), "{query:?} goes out under a token that was cancelled");
            self.newest = self.newest.max(token.0);
        }
        let screen = layout(model, model.size);
        let rows = |pane: PaneId, head: usize| {
            let height = screen.inside(pane).map(|r| usize::from(r.height));
            height.map(|h| h.saturating_sub(head).max(1))
        };
        let list = &model.services.list;
        if let (Some(height), Some(at)) = (rows(PaneId::Services, 1), list.cursor.highlighted(&list.rows)) {
            let offset = list.cursor.offset();
            assert!(at >= offset && at < offset + height, "service {at} outside {offset}+{height}");
        }
        let list = &model.tasks.list;
        if let (Some(height), Some(at)) = (rows(PaneId::Tasks, 1), list.cursor.highlighted(&list.rows)) {
            let offset = list.cursor.offset();
            assert!(at >= offset && at < offset + height, "task {at} outside {offset}+{height}");
        }
        let events = &model.events;
        if let (Some(height), Some(at)) = (rows(PaneId::Events, 0), events.cursor.highlighted(&events.rows)) {
            let offset = events.cursor.offset();
            assert!(at >= offset && at < offset + height, "event {at} outside {offset}+{height}");
        }
        if screen.pane(PaneId::Logs).is_some() {
            let (shown, page) = model.logs.page();
            assert!(
                shown.is_empty() || page.searching || shown.iter().any(|r| r.chosen),
                "no line is chosen"
            );
        }
    }
}

pub(crate) fn soak(seed: u64, steps: usize, mut look: impl FnMut(&Bench)) {
    let mut run = Run::new(seed);
    for _ in 0..steps {
        run.step();
        look(&run.bench);
    }
    // However it went: once everything is answered and nothing is pressed, the console sleeps.
    run.bench.aws.faults.clear();
    run.bench.settle();
    run.bench.pass(Duration::from_millis(1));
    assert_ne!(run.bench.model.wake_in(), Some(Duration::ZERO), "the loop would spin");
    assert!(run.newest < 1_000_000);
}

#[test]
fn twenty_hands_on_the_keyboard() {
    for seed in 0..20 {
        soak(seed, 300, |_| {});
    }
}

#[test]
#[ignore = "soak: a thousand seeds, for a release build"]
fn soak_a_thousand_hands_on_the_keyboard() {
    for seed in 0..1_000 {
        soak(seed, 600, |_| {});
    }
}
