//! Stories: keys typed into the real loop, the real SDK and the simulator, all in one runtime whose time is
//! paused, so that tokio moves the clock when everything waits.
//!
//! They assert order and cause, not instants.

mod faults;
mod incidents;
mod logs;
mod rehearsals;
mod rollback;
mod systems;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use opsdeck::app::{Model, Session, Start};
use opsdeck::cloud::{AccountSettings, Cloud, Settings};
use opsdeck::config::Config;
use opsdeck::domain::scope::{Account, Scope};
use opsdeck::journal::{Entry, Who};
use opsdeck::keymap::{Key, Keymap};
use opsdeck::runtime::event_loop::{self, Ending, Multiplexer, Parts};
use opsdeck::runtime::input::{Input, Mouse};
use opsdeck::runtime::journal::{Clerk, JournalFile};
use opsdeck::runtime::perform::Performer;
use opsdeck::runtime::screen::{Frame, MemoryScreen};
use opsdeck::sim::{self, Control, NamedIncident, SimConfig, Stack};
use opsdeck::stdx::clock::{Clock, Wall};
use opsdeck::stdx::rect::Size;
use opsdeck::theme::{Depth, Theme};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// 2026-11-20 14:00:00 UTC.
const NOON: Wall = Wall(1_795_183_200_000);

/// A story under way.
pub struct Story {
    inputs: UnboundedSender<Input>,
    shown: Arc<Mutex<Option<Frame>>>,
    /// The simulator's control.
    pub control: Control,
    clock: Clock,
    clerk: Clerk,
    _home: Arc<tempfile::TempDir>,
}

/// What a story starts from.
pub struct Scene {
    pub stacks: Vec<Stack>,
    pub size: Size,
    pub config: &'static str,
    pub faults: Vec<&'static str>,
    /// A shipped incident.
    pub incident: Option<&'static str>,
    pub theme: Theme,
}

impl Scene {
    /// One system at a size.
    pub fn of(stack: &str, width: u16, height: u16) -> Self {
        let stacks = match stack {
            "all" => Stack::builtins().filter_map(Stack::builtin).collect::<Result<_, _>>().unwrap(),
            name => vec![Stack::builtin(name).unwrap().unwrap()],
        };
        let theme = Theme::builtin("terminal").unwrap().with_depth(Depth::Sixteen);
        Self { stacks, size: Size { width, height }, config: "", faults: Vec::new(), incident: None, theme }
    }

    /// Runs a script against the console; the console must still run when the script ends.
    pub async fn play<F: Future<Output = ()>>(self, script: impl FnOnce(Story) -> F) {
        let (console, story) = self.set().await;
        tokio::select! {
            ending = console => panic!("the console ended before the script: {ending:?}"),
            () = script(story) => {}
        }
    }

    /// Runs a script that leaves the console, to the end of both.
    pub async fn play_out<F: Future<Output = ()>>(self, script: impl FnOnce(Story) -> F) -> Ending {
        let (console, story) = self.set().await;
        let (ending, ()) = tokio::join!(console, script(story));
        ending
    }

    /// The console, which runs when it is awaited, and what a script has in its hands.
    async fn set(self) -> (impl Future<Output = Ending>, Story) {
        let clock = Clock::steered(NOON, 1.0);
        let mut regions: Vec<String> = self.stacks.iter().map(|s| s.region.clone()).collect();
        regions.sort();
        regions.dedup();
        let faults = self.faults.iter().map(|text| text.parse().unwrap()).collect();
        let incident = self.incident.map(|name| NamedIncident::builtin(name).unwrap().unwrap());
        let config = SimConfig { seed: 7, stacks: self.stacks, faults, incident, ..SimConfig::default() };
        let sim = sim::start(config, clock.clone()).await.unwrap();
        let account = Account::new("demo");
        let settings = Settings {
            accounts: vec![AccountSettings { account: account.clone(), profile: None }],
            ..Settings::simulator(sim.url())
        };
        let cloud = Cloud::new(settings, clock.clone()).unwrap();
        let (report, reports) = unbounded_channel();
        let screen = MemoryScreen::new(move |r| {
            let _ = report.send(r);
        });
        let shown = Arc::clone(&screen.shown);
        let (message, messages) = unbounded_channel();
        let connection = std::future::ready(Ok(cloud)).boxed().shared();
        let home = Arc::new(tempfile::tempdir().unwrap());
        let who = Who { os_user: Some("ann".into()), ..Who::default() };
        let clerk = Clerk::new(Some(JournalFile::at(home.path().join("journal/story.jsonl"))), who);
        let performer = Performer::new(connection, vec![account.clone()], message).with_clerk(clerk.clone());
        let (inputs, typed) = unbounded_channel();
        let layers = [opsdeck::config::Layer { source: "story.toml", text: self.config }];
        let model = Model::new(Start {
            session: Session {
                scopes: regions.into_iter().map(|r| Scope::new(account.clone(), r)).collect(),
                clusters: Vec::new(),
                overrides: Vec::new(),
                demo: true,
                ..Session::empty("0.0.0")
            },
            config: Arc::new(Config::load(&layers).unwrap()),
            keymap: Arc::new(Keymap::builtin("default").unwrap()),
            theme: Arc::new(self.theme),
            size: self.size,
            now: clock.now(),
            zone: jiff::tz::TimeZone::UTC,
        });
        let parts = Parts {
            model,
            clock: clock.clone(),
            screen,
            inputs: Box::pin(futures_util::stream::unfold(typed, |mut typed| async move {
                let input = typed.recv().await?;
                Some((input, typed))
            })),
            performer,
            messages,
            reports,
            multiplexer: Multiplexer::None,
        };
        let story = Story { inputs, shown, control: sim.control(), clock, clerk, _home: Arc::clone(&home) };
        let console = async move {
            // The simulator and the journal's folder stand as long as the console runs.
            let _kept = (sim, home);
            event_loop::run(parts).await
        };
        (console, story)
    }
}

impl Story {
    /// Presses keys, written as in keymaps: `j`, `ctrl-d`, `enter`.
    pub fn press(&self, keys: &str) {
        for key in keys.split_whitespace() {
            self.inputs.send(Input::Key(Key::parse(key).unwrap())).unwrap();
        }
    }

    /// Types text.
    pub fn type_text(&self, text: &str) {
        for c in text.chars() {
            let key =
                if c == ' ' { Key::parse("space").unwrap() } else { Key::parse(&c.to_string()).unwrap() };
            self.inputs.send(Input::Key(key)).unwrap();
        }
    }

    /// What the screen shows.
    pub fn frame(&self) -> Frame {
        self.shown.lock().unwrap().clone().expect("a frame was drawn")
    }

    /// Sends a click, a resize.
    pub fn send(&self, input: Input) {
        self.inputs.send(input).unwrap();
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        let buffer = self.frame().buffer;
        let mut text = String::new();
        for row in buffer.content.chunks(usize::from(buffer.area.width)) {
            let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// Waits in virtual time until the screen shows a text.
    pub async fn until(&self, wanted: &str) -> String {
        self.until_such(wanted, |screen| screen.contains(wanted)).await
    }

    /// Waits in virtual time until the screen is as wanted.
    pub async fn until_such(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut looked_at = None;
        // A quarter of an hour of virtual time, finely at first.
        for step in 0..9_300 {
            let pause = if step < 300 { 10 } else { 100 };
            tokio::time::sleep(Duration::from_millis(pause)).await;
            // A frame that was looked at says nothing new: most of the steps pass without another one.
            let shown = self.shown.lock().unwrap().as_ref().map(|frame| frame.number);
            if shown.is_some() && shown == looked_at {
                continue;
            }
            looked_at = shown;
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
        }
        panic!("the screen never showed {what:?}; it shows\n{}", self.screen());
    }

    /// Waits until this much virtual time has passed since the world began.
    pub async fn until_age(&self, age: Duration) {
        let passed = NOON.age_at(self.clock.now().wall);
        tokio::time::sleep(age.saturating_sub(passed)).await;
    }

    /// The journal's entries; it holds.
    pub fn journal(&self) -> Vec<Entry> {
        let report = self.clerk.clone().read().unwrap();
        assert_eq!((report.broken, report.torn.len()), (None, 0));
        report.entries
    }

    /// The requests to change something that the simulator received, by action.
    pub fn asked(&self) -> Vec<String> {
        // The simulator takes the download of a log for a change: it tells by the name.
        let reads = |action: &String| action.starts_with("rds:Download");
        let all = self.control.mutations().into_iter().map(|mutation| mutation.action);
        all.filter(|action| !reads(action)).collect()
    }

    /// Adds a fault to the simulator.
    pub fn fault(&self, rule: &str) {
        let _ = self.control.add_fault(rule.parse().unwrap());
    }

    /// Lets virtual time pass.
    pub async fn rest(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

#[tokio::test(start_paused = true)]
async fn all_five_systems_stand_in_one_table_and_one_opens() {
    Scene::of("all", 120, 40)
        .play(|story| async move {
            let screen = story.until("migrate-backend-service").await;
            for name in
                ["gov-backend", "gov-ai-service", "gateway-service", "cma-api-production", "saas-worker"]
            {
                assert!(screen.contains(name), "{name} is missing from\n{screen}");
            }
            for region in ["eu-west-2", "me-south-1", "us-east-1"] {
                assert!(screen.contains(region), "{region} is missing from\n{screen}");
            }
            story.press("2");
            story.until("[2 Services").await;
            story.press("/");
            story.type_text("gateway");
            story.press("enter");
            let screen = story.until("filter: gateway").await;
            assert!(!screen.contains("saas-worker"), "filtered away:\n{screen}");
            story.press("enter");
            story.until("PRIMARY").await;
            story.press("t");
            let screen = story.until("[t Tasks]").await;
            assert!(screen.contains("Tasks gateway-service"), "{screen}");
            story.until("RUNNING").await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_region_that_fails_says_so_and_hides_nothing_of_the_others() {
    let mut scene = Scene::of("all", 120, 40);
    scene.faults = vec!["ecs:ListServices:denied"];
    scene
        .play(|story| async move {
            story.until("denied").await;
            story.control.clear_faults();
            story.press("r");
            story.until("gateway-service").await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_click_means_what_the_frame_showed_and_a_resize_draws_anew() {
    Scene::of("cma", 80, 24)
        .play(|story| async move {
            story.press("2");
            let screen =
                story.until_such("described", |s| s.contains("running") && !s.contains("described")).await;
            let row = screen.lines().position(|l| l.contains("cma-workers-production")).unwrap();
            let click = || Input::Mouse { x: 10, y: u16::try_from(row).unwrap(), kind: Mouse::Click };
            story.send(click());
            story.send(click());
            let opened = story.until("Service cma-workers-production").await;
            assert!(!opened.contains("[2 Services"), "twice is a double click:\n{opened}");
            story.send(Input::Resize(Size { width: 130, height: 40 }));
            let wide = story.until("Services 3").await;
            assert!(wide.contains("cma-frontend-production"), "there is room for the list too:\n{wide}");
            story.send(Input::Resize(Size { width: 20, height: 5 }));
            story.until("needs 40×8").await;
        })
        .await;
}
