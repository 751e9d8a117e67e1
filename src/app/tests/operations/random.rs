//! No sequence of keys, pastes, clicks, resizes, refreshes, answers and frames changes anything without the
//! confirmation: the form on the screen for 300 ms, the exact name typed (and a reason, where one is wanted) or one
//! key where that is enough, and the button.
//!
//! `Eye` tells on its own what was confirmed: it sees frames and keys, and what the form asks for; it reads neither
//! the dialog's fields nor its arming. Both have to agree after every message.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{SEEN, accepted, console, harmless};
use crate::app::fixtures::{self, Bench};
use crate::app::layout::layout;
use crate::app::operations::{OperationId, begin, unlock};
use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::{Effect, Msg, Pointing, Target, Tops};
use crate::domain::action::{Action, Back, Deploy};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mutation::{Mutation, Receipt};
use crate::guard::{CallOutcome, Friction, Lock, Progress, Rules};
use crate::journal::Event;
use crate::keymap::{Code, Key, Keymap};
use crate::stdx::clock::Moment;

/// Messages of one sequence.
const STEPS: usize = 50;

/// A line as a person thinks of it.
#[derive(Clone, Debug, Default)]
struct Text {
    chars: Vec<char>,
    at: usize,
}

impl Text {
    fn text(&self) -> String {
        self.chars.iter().collect()
    }

    fn insert(&mut self, text: &str) {
        for c in text.chars() {
            self.chars.insert(self.at, if c == '\n' { ' ' } else { c });
            self.at += 1;
        }
    }

    fn press(&mut self, key: Key) {
        match (key.code, key.ctrl, key.alt) {
            (Code::Backspace, false, false) | (Code::Char('h'), true, _) if self.at > 0 => {
                self.at -= 1;
                self.chars.remove(self.at);
            }
            (Code::Delete, ..) if self.at < self.chars.len() => drop(self.chars.remove(self.at)),
            (Code::Char('u'), true, _) => {
                self.chars.drain(..self.at);
                self.at = 0;
            }
            (Code::Char('w'), true, _) => {
                let mut from = self.at;
                while from > 0 && self.chars[from - 1] == ' ' {
                    from -= 1;
                }
                while from > 0 && self.chars[from - 1] != ' ' {
                    from -= 1;
                }
                self.chars.drain(from..self.at);
                self.at = from;
            }
            (Code::Left, ..) => self.at = self.at.saturating_sub(1),
            (Code::Right, ..) => self.at = (self.at + 1).min(self.chars.len()),
            (Code::Home, ..) | (Code::Char('a'), true, _) => self.at = 0,
            (Code::End, ..) | (Code::Char('e'), true, _) => self.at = self.chars.len(),
            (Code::Char(c), false, false) => self.insert(&c.to_string()),
            _ => {}
        }
    }
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Target,
    Name,
    Reason,
    Cancel,
    Do,
}

/// A form that is open.
#[derive(Debug)]
struct Form {
    id: OperationId,
    /// Since when every frame has shown it.
    since: Option<Moment>,
    place: Option<Place>,
    name: Text,
    reason: Text,
}

/// What the form asks for at the moment.
struct Asks {
    id: OperationId,
    friction: Friction,
    name: String,
    /// Whether a rollback may return to one of several deployments.
    choice: bool,
}

/// Sees what a person sees, and knows what was confirmed.
#[derive(Debug, Default)]
struct Eye {
    form: Option<Form>,
    /// The choice of a rollback's target was moved: its plan is made anew, for the reason that was given.
    retargets: bool,
    kept: Text,
}

impl Eye {
    /// Which form is open now.
    fn sees(&mut self, open: Option<&Asks>) {
        if self.form.as_ref().map(|form| form.id) != open.map(|asks| asks.id) {
            let place = self.retargets.then_some(Place::Target);
            let reason = if self.retargets { self.kept.clone() } else { Text::default() };
            self.retargets &= open.is_none();
            self.form =
                open.map(|asks| Form { id: asks.id, since: None, place, name: Text::default(), reason });
        }
    }

    fn frame(&mut self, tops: &Tops, asks: Option<&Asks>, now: Moment) {
        let (Some(form), Some(asks)) = (&mut self.form, asks) else { return };
        if tops.form != Some(form.id) {
            form.since = None;
            return;
        }
        form.since.get_or_insert(now);
        let first = if asks.friction == Friction::YesKey { Place::Cancel } else { Place::Name };
        form.place.get_or_insert(first);
    }

    fn is_read(&self, now: Moment) -> bool {
        let since = self.form.as_ref().and_then(|form| form.since);
        since.is_some_and(|since| now.since(since) >= SEEN)
    }

    fn paste(&mut self, text: &str, now: Moment) {
        if let (true, Some(form)) = (self.is_read(now), &mut self.form)
            && form.place == Some(Place::Reason)
        {
            form.reason.insert(text);
        }
    }

    /// Whether this key is the last of the confirmation.
    fn key(&mut self, key: Key, asks: &Asks, lock: Lock, now: Moment) -> bool {
        let away = matches!(key.code, Code::Esc | Code::PageUp | Code::PageDown)
            || (key.ctrl && matches!(key.code, Code::Char('c' | 'g' | 'z')));
        if away || !self.is_read(now) {
            return false;
        }
        let Some(form) = &mut self.form else { return false };
        let place = form.place.unwrap_or(Place::Cancel);
        let all: &[Place] = match asks.friction {
            Friction::YesKey => &[Place::Target, Place::Cancel, Place::Do],
            Friction::TypedName => &[Place::Target, Place::Name, Place::Cancel, Place::Do],
            Friction::TypedNameAndReason => {
                &[Place::Target, Place::Name, Place::Reason, Place::Cancel, Place::Do]
            }
        };
        let order = &all[usize::from(!asks.choice)..];
        let at = order.iter().position(|own| *own == place).unwrap_or(0);
        let named = form.name.text() == asks.name;
        let reasoned = !form.reason.text().trim().is_empty();
        let to = |by: usize| order[(at + by) % order.len()];
        let moved = match (key.code, place) {
            (Code::Tab | Code::Down, _) => to(1),
            (Code::BackTab | Code::Up, _) => to(order.len() - 1),
            (Code::Left | Code::Right | Code::Char(' '), Place::Target) => {
                self.retargets = asks.choice;
                self.kept = form.reason.clone();
                place
            }
            (Code::Enter, Place::Target) => to(1),
            (Code::Left | Code::Right, Place::Cancel) => Place::Do,
            (Code::Left | Code::Right, Place::Do) => Place::Cancel,
            (Code::Enter, Place::Name) if named && asks.friction == Friction::TypedName => Place::Do,
            (Code::Enter, Place::Name) if named => Place::Reason,
            (Code::Enter, Place::Reason) if reasoned => Place::Do,
            (Code::Enter, _) => place,
            (_, Place::Name) => {
                form.name.press(key);
                place
            }
            (_, Place::Reason) => {
                form.reason.press(key);
                place
            }
            _ => place,
        };
        form.place = Some(moved);
        let one_key = asks.friction == Friction::YesKey
            && matches!(place, Place::Cancel | Place::Do)
            && key.typed() == Some('y');
        let button = key.code == Code::Enter && place == Place::Do;
        if !one_key && !button {
            return false;
        }
        // A lock that fell meanwhile wants name and reason, whatever the form asked for.
        match asks.friction.max(if lock == Lock::Locked {
            Friction::TypedNameAndReason
        } else {
            Friction::YesKey
        }) {
            Friction::YesKey => true,
            Friction::TypedName => named && asks.friction > Friction::YesKey,
            Friction::TypedNameAndReason => named && reasoned && asks.friction > Friction::YesKey,
        }
    }
}

/// One sequence.
struct Hand {
    bench: Bench,
    dice: fastrand::Rng,
    eye: Eye,
    keys: Vec<Key>,
    /// Frames that were drawn and are not written yet.
    drawn: VecDeque<Tops>,
    /// What waits for an answer.
    looks: Vec<Effect>,
    records: Vec<OperationId>,
    calls: Vec<OperationId>,
    /// What was confirmed, with its target as it was when its dialog opened.
    confirmed: BTreeSet<OperationId>,
    targets: BTreeMap<OperationId, String>,
    /// Calls made.
    made: usize,
}

/// Consoles to begin with: locked and not, production and not.
fn consoles() -> Vec<Bench> {
    let mut consoles = Vec::new();
    for (rules, opened) in [(harmless(), true), (Rules::default(), true), (Rules::default(), false)] {
        let rules = Rules { unlock_for: Duration::from_secs(60), ..rules };
        let mut bench = console(rules, false);
        if opened {
            unlock(&mut bench.model, "drill".to_owned());
        }
        bench.effects.clear();
        consoles.push(bench);
    }
    consoles
}

/// Every key of the keymap, everything that edits a line, and letters.
fn keys() -> Vec<Key> {
    let keymap = Keymap::shipped("default").unwrap();
    let quoted = keymap.lines().filter(|line| line.contains("{ on =")).flat_map(|line| {
        let on = line.split("run =").next().unwrap_or_default();
        on.split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect::<Vec<_>>()
    });
    let others = "enter enter enter y y y n tab tab backtab backspace delete home end space ctrl-a ctrl-e ctrl-u \
         ctrl-w ctrl-h ctrl-y alt-y alt-enter ctrl-c ctrl-g esc down up left right w o r k e a p i b 3 -";
    quoted
        .chain(others.split_whitespace().map(ToOwned::to_owned))
        .map(|key| Key::parse(&key).unwrap())
        .collect()
}

impl Hand {
    fn new(bench: &Bench, keys: Vec<Key>, seed: u64) -> Self {
        Self {
            bench: bench.clone(),
            dice: fastrand::Rng::with_seed(seed),
            eye: Eye::default(),
            keys,
            drawn: VecDeque::new(),
            looks: Vec::new(),
            records: Vec::new(),
            calls: Vec::new(),
            confirmed: BTreeSet::new(),
            targets: BTreeMap::new(),
            made: 0,
        }
    }

    /// The form that is open.
    fn asks(&self) -> Option<Asks> {
        let Some(Overlay::Operation(dialog)) = &self.bench.model.overlay else { return None };
        let running = self.bench.model.operations.get(dialog.operation)?;
        let confirming = running.operation.progress() == Progress::Confirming;
        let targets = running.operation.plan().map_or(0, |plan| plan.targets.len());
        confirming.then(|| Asks {
            id: running.id,
            friction: running.friction,
            name: running.name.clone(),
            choice: targets > 1,
        })
    }

    /// Sends a message, and holds the console against what the eye makes of it.
    fn send(&mut self, msg: Msg) {
        let (asks, now) = (self.asks(), self.bench.now);
        let prompted = self.bench.model.prompt.is_some();
        let mut yes = None;
        match (&msg, &asks) {
            (Msg::Key(key), Some(asks)) if !prompted => {
                let lock = self.bench.model.lock();
                yes = self.eye.key(*key, asks, lock, now).then_some(asks.id);
            }
            (Msg::Paste(text), Some(_)) if !prompted => self.eye.paste(text, now),
            (Msg::Presented(_, tops), asks) => self.eye.frame(tops, asks.as_ref(), now),
            _ => {}
        }
        let recorded = match &msg {
            Msg::Recorded(id, Ok(())) => Some(*id),
            _ => None,
        };
        let told = format!("{msg:?}");
        self.bench.send(msg);
        if let Some(asks) = &asks {
            // What was confirmed goes on; what was not waits, or was cancelled.
            let running = self.bench.model.operations.get(asks.id);
            let waits = running.is_none_or(|r| r.operation.progress() == Progress::Confirming);
            assert_eq!(yes.is_some(), !waits, "{told} to {}, with {:?}", asks.name, self.eye.form);
            self.confirmed.extend(yes);
        }
        self.perform(recorded, &told);
    }

    /// Takes what the console wants done; `recorded` is the operation whose intent has just reached the disk.
    fn perform(&mut self, recorded: Option<OperationId>, told: &str) {
        for effect in std::mem::take(&mut self.bench.effects) {
            match effect {
                Effect::Look { .. } => self.looks.push(effect),
                Effect::Record { operation, event: Event::Intent(intent), .. } => {
                    assert!(self.confirmed.contains(&operation), "{told} recorded {intent:?} unasked");
                    let target = match &intent.mutation {
                        Mutation::RegisterTaskDefinition { .. } => None,
                        // A restart stops the tasks of its service.
                        Mutation::StopTask { task, .. } if intent.verb == "restart" => {
                            let task = self.bench.aws.tasks.iter().find(|known| known.id == *task);
                            task.and_then(|task| task.service()).map(|name| format!("prod/{name}"))
                        }
                        _ => Some(intent.target.clone()),
                    };
                    let frozen = &self.targets[&operation];
                    assert!(target.is_none_or(|target| target == *frozen), "{frozen} moved to {intent:?}");
                    self.records.push(operation);
                }
                Effect::Mutate { operation, permit, .. } => {
                    assert_eq!(recorded, Some(operation), "{told} called {permit:?} without an intent");
                    self.calls.push(operation);
                    self.made += 1;
                }
                _ => {}
            }
        }
        for running in &self.bench.model.operations.list {
            let target = || running.operation.action().target();
            self.targets.entry(running.id).or_insert_with(target);
        }
        let asks = self.asks();
        self.eye.sees(asks.as_ref());
        // A dialog that was left while its plan was made anew moves no other one's focus.
        self.eye.retargets &= matches!(self.bench.model.overlay, Some(Overlay::Operation(_)));
    }

    fn step(&mut self) {
        match self.dice.u32(0..100) {
            0..25 => {
                let key = self.keys[self.dice.usize(0..self.keys.len())];
                self.send(Msg::Key(key));
            }
            25..55 => self.be_earnest(),
            55..59 => {
                let words = ["worker", "y", "y\n", "\n\n", "api\n", "because", " "];
                let word = words[self.dice.usize(0..words.len())];
                self.send(Msg::Paste(word.to_owned()));
            }
            59..62 => {
                let (width, height) = [(80, 24), (120, 40), (40, 8), (20, 5)][self.dice.usize(0..4)];
                self.send(Msg::Resize(crate::stdx::rect::Size { width, height }));
            }
            62..65 => self.point(),
            65..73 => {
                let spans = [1, 150, 299, 300, 300, 2_000, 11_000, 61_000];
                let span = Duration::from_millis(spans[self.dice.usize(0..spans.len())]);
                self.bench.now = self.bench.now.plus(span);
                self.send(Msg::Tick);
            }
            73..80 => {
                // As the loop does: a screen that is too small shows nothing of it.
                let model = &self.bench.model;
                let small = layout(model, model.size).too_small;
                self.drawn.push_back(if small { Tops::default() } else { model.tops() });
            }
            80..87 => {
                if let Some(tops) = self.drawn.pop_front() {
                    self.send(Msg::Presented(Vec::new(), Box::new(tops)));
                }
            }
            87..90 => self.disturb(),
            90..93 => self.open(),
            _ => self.answer(),
        }
    }

    /// Somebody wants it done, and presses what comes next; or lets the form be read first.
    fn be_earnest(&mut self) {
        let Some(asks) = self.asks() else {
            self.answer();
            return;
        };
        if !self.eye.is_read(self.bench.now) {
            let small = layout(&self.bench.model, self.bench.model.size).too_small;
            if small {
                self.send(Msg::Resize(crate::stdx::rect::Size { width: 80, height: 24 }));
            }
            self.drawn.clear();
            let tops = self.bench.model.tops();
            self.send(Msg::Presented(Vec::new(), Box::new(tops)));
            self.bench.now = self.bench.now.plus(Duration::from_millis(self.dice.u64(250..400)));
            return;
        }
        let Some(form) = &self.eye.form else { return };
        let rest = |typed: &str| asks.name.strip_prefix(typed).map(|rest| rest.chars().next());
        let key = match form.place.unwrap_or(Place::Cancel) {
            Place::Name if form.name.at != form.name.chars.len() => "end".to_owned(),
            Place::Name => match rest(&form.name.text()) {
                Some(Some(c)) => c.to_string(),
                Some(None) => "enter".to_owned(),
                None => "ctrl-u".to_owned(),
            },
            Place::Reason if form.reason.text().trim().is_empty() => "x".to_owned(),
            Place::Reason | Place::Do | Place::Target => "enter".to_owned(),
            Place::Cancel => ["y", "tab"][self.dice.usize(0..2)].to_owned(),
        };
        self.send(Msg::Key(Key::parse(&key).unwrap()));
    }

    fn point(&mut self) {
        let targets = [
            Target::Overlay,
            Target::Suggestion(0),
            Target::Service(fixtures::service_id("api")),
            Target::Tab(PaneId::Alarms),
            Target::Pane(PaneId::Services),
        ];
        let target = targets[self.dice.usize(0..targets.len())].clone();
        let pointing = [Pointing::Click, Pointing::DoubleClick, Pointing::WheelDown][self.dice.usize(0..3)];
        self.send(Msg::Pointed(target, pointing));
    }

    /// The account moves under the console.
    fn disturb(&mut self) {
        let services = &mut self.bench.aws.services;
        match self.dice.u32(0..4) {
            0 => services[self.dice.usize(0..3)].desired += 1,
            1 => services.reverse(),
            2 => drop(
                self.bench
                    .aws
                    .faults
                    .insert("ecs:DescribeServices".into(), Fault::new(FaultKind::Throttled, "Rate exceeded")),
            ),
            _ => self.bench.aws.faults.clear(),
        }
    }

    /// A dialog opens, whatever else is open.
    fn open(&mut self) {
        let service = fixtures::service_id(["api", "web", "worker"][self.dice.usize(0..3)]);
        let action = match self.dice.u32(0..5) {
            0 => {
                let task = fixtures::task(&service, 32).id;
                Action::StopTask { task, service: Some(service.name), reason: "drill".into() }
            }
            1 => Action::Deploy { services: vec![service], what: Deploy::Force },
            2 => Action::RollBack { services: vec![service], to: Back::Usual },
            3 => Action::Restart { service, reason: "drill".into() },
            _ => Action::Scale { service, desired: self.dice.u32(0..4), pools: Vec::new() },
        };
        self.eye.retargets = false;
        let effects = begin(&mut self.bench.model, action, None, None);
        self.bench.take(effects);
        self.perform(None, "begin");
    }

    /// Something that was asked is answered: a look, an intent, a call, or a question of the panes.
    fn answer(&mut self) {
        let now = self.bench.now.mono;
        if let Some(id) = self.records.pop() {
            let full = self.dice.u32(0..10) == 0;
            self.send(Msg::Recorded(id, if full { Err("disk full".into()) } else { Ok(()) }));
        } else if let Some(id) = self.calls.pop() {
            let fault = || Fault::new(FaultKind::Network, "connection reset");
            let outcome = match self.dice.u32(0..5) {
                0 => CallOutcome::Lost(fault()),
                1 => CallOutcome::NotSent(fault()),
                2 => CallOutcome::Refused(Fault::new(FaultKind::Denied, "no")),
                3 => CallOutcome::Accepted(Receipt {
                    deployment: Some("ecs-svc/0000000009".into()),
                    ..Receipt::default()
                }),
                _ => accepted(),
            };
            self.send(Msg::Called(id, Box::new(outcome)));
        } else if let Some(place) =
            self.looks.iter().position(|e| matches!(e, Effect::Look { at, .. } if at.mono <= now))
        {
            if let Effect::Look { operation, query, .. } = self.looks.swap_remove(place) {
                let outcome = self.bench.aws.answer(&query).map_err(|fault| *fault);
                self.send(Msg::Looked(operation, Box::new(query), Box::new(outcome)));
            }
        } else if let Some((token, query, _)) = self.bench.asked.pop_front() {
            let outcome = self.bench.aws.answer(&query).map_err(|fault| *fault);
            self.send(Msg::Answer(token, Box::new(query), Box::new(outcome)));
        } else {
            self.send(Msg::Tick);
        }
    }
}

/// Plays a sequence; says how many calls it made.
fn play(consoles: &[Bench], keys: &[Key], seed: u64) -> usize {
    let start = &consoles[usize::try_from(seed % 3).unwrap()];
    let mut hand = Hand::new(start, keys.to_vec(), seed);
    hand.open();
    for _ in 0..STEPS {
        hand.step();
    }
    hand.made
}

#[test]
fn nothing_but_the_confirmation_changes_anything() {
    let (consoles, keys) = (consoles(), keys());
    let made = std::cell::Cell::new(0);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) };
    let outcome = TestRunner::new(config).run(&any::<u64>(), |seed| {
        made.set(made.get() + play(&consoles, &keys, seed));
        Ok(())
    });
    // The failure names the seed.
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(made.get() > 20, "only {} calls were confirmed: the hand does not reach them", made.get());
}

#[test]
#[ignore = "a hundred thousand sequences: cargo test --release -- --ignored soak"]
fn soak_nothing_but_the_confirmation_changes_anything() {
    let (consoles, keys) = (consoles(), keys());
    crate::stdx::soak::hold_for(
        100_000,
        "random keys, pastes, clicks, frames and answers around dialogs: nothing is called without the confirmation",
        &any::<u64>(),
        |seed| {
            play(&consoles, &keys, seed);
        },
    );
}
