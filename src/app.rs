//! The console as a pure machine: `update` takes the model and a message with its moment, and gives effects
//! as data. `app` decides; `runtime` performs; `view` draws.
//!
//! Must not read a clock, wait, hold a handle or do I/O, and holds no type of the drawing library.

pub mod charts;
pub mod cursor;
mod dispatch;
pub mod findings;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod history;
pub mod input;
mod interest;
pub mod layout;
mod message;
pub mod operations;
pub mod overlay;
pub mod pane;
mod presented;
pub mod refresh;
#[cfg(test)]
mod tests;
mod update;
pub mod world;

use std::sync::Arc;
use std::time::Duration;

pub use dispatch::tabs;
pub use interest::Reading;
use interest::{Needs, interests};
pub use message::{Effect, Msg, Pointing, Target, Tops};
pub use update::update;

use crate::app::charts::{Chart, Charts};
use crate::app::history::{History, Place};
use crate::app::operations::Operations;
use crate::app::overlay::{Overlay, Prompt};
use crate::app::pane::list::{ListPane, Scroll};
use crate::app::pane::services::Services;
use crate::app::pane::tasks::Tasks;
use crate::app::pane::{
    PaneId, check::NextStart, journal, journal::Journal, logs::LogsPane, triage::Item, triage::Triage,
};
use crate::app::refresh::{Cadence, Closeness, Interest, Refresh};
use crate::app::world::World;
use crate::command::Context;
use crate::config::Config;
use crate::diagnose::Subject;
use crate::domain::ecs::{ClusterId, ServiceId};
use crate::domain::fault::Fault;
use crate::domain::meter::Meter;
use crate::domain::mutation::Mutation;
use crate::domain::scope::{Region, Scope};
use crate::guard::{Progress, Rules};
use crate::journal::Deed;
use crate::keymap::{Key, Keymap};
use crate::stdx::clock::Moment;
use crate::stdx::rect::Size;
use crate::theme::Theme;

/// What is fixed for a session.
#[derive(Clone, Debug)]
pub struct Session {
    /// What is watched; empty until the regions are known.
    pub scopes: Vec<Scope>,
    /// Why the scopes could not be found out.
    pub scopes_fault: Option<Fault>,
    /// Only these clusters, when named on the command line.
    pub clusters: Vec<String>,
    /// Endpoint overrides in force: service and address.
    pub overrides: Vec<(String, String)>,
    /// The embedded simulator is what we look at.
    pub demo: bool,
    /// Writes cannot be unlocked.
    pub read_only: bool,
    /// The policy.
    pub rules: Arc<Rules>,
    /// What names of operations are made from: another one for each session.
    pub seed: u64,
    /// Who sits at it: the operating system's user.
    pub operator: String,
    /// opsdeck's version.
    pub version: &'static str,
}

impl Session {
    /// A session that watches nothing yet.
    #[must_use]
    pub fn empty(version: &'static str) -> Self {
        Self {
            scopes: Vec::new(),
            scopes_fault: None,
            clusters: Vec::new(),
            overrides: Vec::new(),
            demo: false,
            read_only: false,
            rules: Arc::default(),
            seed: 0,
            operator: "somebody".to_owned(),
            version,
        }
    }
}

/// Bytes of lines that a rollout's dialog holds: it shows the newest few.
const ROLLOUT_LOG: usize = 1 << 20;

/// How times of log records are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStyle {
    /// Local time of day.
    #[default]
    Local,
    /// UTC.
    Utc,
    /// How long ago.
    Age,
    /// Not at all.
    None,
}

/// A passing message in the footer.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The sentence.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
    /// Until when it stands.
    pub until: Moment,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Model {
    /// The session.
    pub session: Session,
    /// The configuration.
    pub config: Arc<Config>,
    /// What was observed.
    pub world: World,
    /// What is being asked.
    pub refresh: Refresh,
    /// The moment of the newest message.
    pub now: Moment,
    /// When a key was last pressed.
    pub last_key: Moment,
    /// The terminal's size.
    pub size: Size,
    /// The focused pane.
    pub focus: PaneId,
    /// Whether it has the whole screen.
    pub zoomed: bool,
    /// The service that the following panes show.
    pub subject: Option<ServiceId>,
    /// Views gone through.
    pub history: History,
    /// Pane: services.
    pub services: Services,
    /// Pane: one service.
    pub service: Scroll,
    /// Pane: tasks.
    pub tasks: Tasks,
    /// Pane: events, by event id.
    pub events: ListPane<String, ()>,
    /// Pane: task definition.
    pub definition: pane::definition::Definition,
    /// Pane: deployment history, by ARN.
    pub deployments: ListPane<String, ()>,
    /// Pane: clusters.
    pub clusters: ListPane<ClusterId, ()>,
    /// Pane: API.
    pub api: Scroll,
    /// Pane: journal.
    pub journal: Journal,
    /// Panes: fleet, alarms, databases, caches, secrets, changes.
    pub triage: Triage,
    /// The check whether the next task of a service would start.
    pub check: NextStart,
    /// The numbers that the screen draws.
    pub charts: Charts,
    /// How far charts of details and the changes reach back.
    pub range: crate::domain::metric::Range,
    /// Pane: logs.
    pub logs: LogsPane,
    /// The newest lines of the tasks that a rollout starts, which its dialog shows.
    pub rollout_log: LogsPane,
    /// The actions under way, the lock and the incident.
    pub operations: Operations,
    /// What lies over the panes.
    pub overlay: Option<Overlay>,
    /// An input line.
    pub prompt: Option<Prompt>,
    /// Keys typed of a longer sequence.
    pub pending: Vec<Key>,
    /// Keys.
    pub keymap: Arc<Keymap>,
    /// Colours.
    pub theme: Arc<Theme>,
    /// The footer's message.
    pub notice: Option<Notice>,
    /// The request budget.
    pub meter: Meter,
    /// How times are shown.
    pub times: TimeStyle,
    /// The time zone of the person at the terminal.
    pub zone: jiff::tz::TimeZone,
    /// Set when the world changed and rows must be computed again.
    settled_at: u64,
    /// What was critical when rows were last computed, so that something new can be told.
    critical_known: Option<std::collections::BTreeSet<Subject>>,
    /// The terminal's title, as it was last set.
    titled: String,
    /// What the screen needs to know, with the charts that it draws: found once with each message, since frames and
    /// the loop ask for it many times.
    wanted: Vec<(Interest, Closeness)>,
    wanted_charts: Vec<Chart>,
    /// What follows from all services together.
    needs: Needs,
    /// Up to which generation of the world everything was judged, and when.
    judged: Option<(u64, Moment)>,
}

/// Above so many resources all of them are judged at most so often: a large fleet's answers come by the dozen.
const MANY: usize = 500;
/// For each so many of them: a key that comes meanwhile waits, so it has to stay a small share of the time.
const SHARE: usize = 4_000;
const JUDGE_EVERY: Duration = Duration::from_secs(1);

/// What a model starts from.
#[derive(Clone, Debug)]
pub struct Start {
    /// The session.
    pub session: Session,
    /// The configuration.
    pub config: Arc<Config>,
    /// Keys.
    pub keymap: Arc<Keymap>,
    /// Colours.
    pub theme: Arc<Theme>,
    /// The terminal's size.
    pub size: Size,
    /// Now.
    pub now: Moment,
    /// The time zone.
    pub zone: jiff::tz::TimeZone,
}

impl Model {
    /// A console that has seen nothing yet.
    #[must_use]
    pub fn new(start: Start) -> Self {
        let Start { session, config, keymap, theme, size, now, zone } = start;
        let mut refresh = Refresh::default();
        refresh.cadence = Cadence {
            focused: config.refresh.focused,
            visible: config.refresh.visible,
            rest: config.refresh.rest,
        };
        let times =
            if config.ui.time == crate::config::TimeStyle::Utc { TimeStyle::Utc } else { TimeStyle::Local };
        // Switched on, folding still waits for a fleet that is large enough to need it.
        let services = Services { fold: (!config.ui.fold_healthy).then_some(false), ..Services::default() };
        let mut model = Self {
            logs: LogsPane::new(&config),
            rollout_log: LogsPane::new(&config).within(ROLLOUT_LOG),
            session,
            config,
            world: World::default(),
            refresh,
            now,
            last_key: now,
            size,
            focus: PaneId::Fleet,
            zoomed: false,
            subject: None,
            history: History::default(),
            services,
            service: Scroll::default(),
            tasks: Tasks::default(),
            events: ListPane::default(),
            definition: pane::definition::Definition::default(),
            deployments: ListPane::default(),
            clusters: ListPane::default(),
            api: Scroll::default(),
            journal: Journal::default(),
            triage: Triage::new(),
            check: NextStart::default(),
            charts: Charts::default(),
            range: crate::domain::metric::Range::default(),
            operations: Operations::default(),
            overlay: None,
            prompt: None,
            pending: Vec::new(),
            keymap,
            theme,
            notice: None,
            meter: Meter::default(),
            times,
            zone,
            settled_at: u64::MAX,
            critical_known: None,
            titled: String::new(),
            wanted: Vec::new(),
            wanted_charts: Vec::new(),
            needs: Needs::default(),
            judged: None,
        };
        if let Some(why) = &model.session.rules.unread {
            model.complain(format!("Nothing can be changed: {why}"));
        }
        // The first frame comes before the first message, and says what it waits for.
        model.wanted = interests(&model);
        model
    }

    /// What the screen needs to know, as it was found with the newest message.
    #[must_use]
    pub fn wanted(&self) -> &[(Interest, Closeness)] {
        &self.wanted
    }

    /// Time until everything is judged again; `None` when nothing was learned since it was.
    fn judge_in(&self) -> Option<Duration> {
        let Some((generation, at)) = self.judged else { return Some(Duration::ZERO) };
        if generation == self.world.generation {
            return None;
        }
        let size = self.world.size();
        let shares = u32::try_from(size.div_ceil(SHARE)).unwrap_or(u32::MAX);
        let pause = if size > MANY { JUDGE_EVERY * shares } else { Duration::ZERO };
        Some(pause.saturating_sub(self.now.since(at)))
    }

    /// How long nobody has pressed a key.
    #[must_use]
    pub fn idle_for(&self) -> Duration {
        self.now.since(self.last_key)
    }

    /// Where the console is, for the history.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            pane: self.focus,
            subject: self.subject.clone(),
            task: self.logs.subject_task().cloned(),
            file: self.logs.file().cloned(),
            definition: self.definition.chosen.clone(),
        }
    }

    /// The contexts that are active, for bindings and hints.
    #[must_use]
    pub fn contexts(&self) -> Vec<Context> {
        let mut contexts = vec![Context::Anywhere];
        match self.focus {
            PaneId::Services
            | PaneId::Tasks
            | PaneId::Events
            | PaneId::Deployments
            | PaneId::Clusters
            | PaneId::Fleet
            | PaneId::Alarms
            | PaneId::Databases
            | PaneId::Caches
            | PaneId::Secrets
            | PaneId::Changes
            | PaneId::Journal => {
                contexts.push(Context::List);
                contexts.push(Context::Row);
            }
            PaneId::Logs => contexts.extend([Context::Row, Context::Logs]),
            // A document scrolls like a list.
            PaneId::Service | PaneId::Definition | PaneId::Api => contexts.push(Context::List),
        }
        if self.aimed_service().is_some() {
            contexts.push(Context::Service);
        }
        if self.focus == PaneId::Tasks {
            contexts.push(Context::Task);
        }
        if self.focus == PaneId::Definition {
            contexts.push(Context::TaskDefinition);
        }
        contexts
    }

    /// The service that a command without a name means: the selected row, or the one whose panes are open.
    #[must_use]
    pub fn aimed_service(&self) -> Option<&ServiceId> {
        match self.focus {
            PaneId::Services => self.services.list.selected(),
            // A database's log file is none of a service's.
            PaneId::Logs if self.logs.file().is_some() => None,
            pane if pane.follows_subject() => self.subject.as_ref(),
            PaneId::Journal => self.services_of(self.journal.selected()?).next(),
            pane => match self.triage.selected(pane)? {
                Item::Subject(subject) => self.service_of(subject),
                item @ Item::Change(..) => self.service_of(self.triage.change(item)?.subject.as_ref()?),
                _ => None,
            },
        }
    }

    /// The services of an operation that are still there. A task's is known as long as the task is.
    fn services_of<'m>(&'m self, deed: &'m Deed) -> impl Iterator<Item = &'m ServiceId> {
        let services = deed.intents().filter_map(|intent| match &intent.mutation {
            Mutation::StopTask { task, .. } => {
                let id = self.world.tasks.get(task)?.value.service_id()?;
                self.world.services.get_key_value(&id).map(|(id, _)| id)
            }
            other => other.service(),
        });
        services.filter(|id| self.world.service(id).is_some())
    }

    /// What an operation was about, if it is still there.
    #[must_use]
    pub fn subject_of(&self, deed: &Deed) -> Option<Subject> {
        if let Some(service) = self.services_of(deed).next() {
            return Some(Subject::Service(service.clone()));
        }
        let estate = &self.world.estate;
        deed.intents().filter_map(|intent| journal::subject(&intent.mutation)).find(|subject| match subject {
            Subject::Secret(id) => estate.secrets.contains_key(id),
            Subject::Database(id) => estate.instances.contains_key(id) || estate.db_clusters.contains_key(id),
            Subject::Cache(id) => estate.cache_groups.contains_key(id) || estate.cache_nodes.contains_key(id),
            Subject::Alarm(id) => estate.alarms.contains_key(id),
            _ => false,
        })
    }

    /// The service that a subject is, or the first that an alarm watches.
    fn service_of<'m>(&'m self, subject: &'m Subject) -> Option<&'m ServiceId> {
        match subject {
            Subject::Service(id) => Some(id),
            Subject::Alarm(id) => {
                self.triage.fleet.watches.get(id)?.iter().find_map(|watched| match watched {
                    Subject::Service(id) => Some(id),
                    _ => None,
                })
            }
            _ => None,
        }
    }

    /// Says something in the footer.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice =
            Some(Notice { text: text.into(), bad: false, until: self.now.plus(Duration::from_secs(5)) });
    }

    /// Says in the footer that something went wrong.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.notice =
            Some(Notice { text: text.into(), bad: true, until: self.now.plus(Duration::from_secs(10)) });
    }

    /// The regions watched, each once.
    #[must_use]
    pub fn regions(&self) -> Vec<&Region> {
        let mut regions: Vec<&Region> = self.session.scopes.iter().map(|s| &s.region).collect();
        regions.dedup();
        regions
    }

    /// What a frame drawn now shows on top of its lists.
    #[must_use]
    pub fn tops(&self) -> Tops {
        let screen = layout::layout(self, self.size);
        let shows = |pane: PaneId| screen.pane(pane).is_some();
        Tops {
            service: self.services.list.rows.first().filter(|_| shows(PaneId::Services)).cloned(),
            task: self.tasks.list.rows.first().filter(|_| shows(PaneId::Tasks)).cloned(),
            cluster: self.clusters.rows.first().filter(|_| shows(PaneId::Clusters)).cloned(),
            event: self.events.rows.first().filter(|_| shows(PaneId::Events)).cloned(),
            deployment: self.deployments.rows.first().filter(|_| shows(PaneId::Deployments)).cloned(),
            deed: self.journal.list.rows.first().filter(|_| shows(PaneId::Journal)).cloned(),
            items: Triage::PANES
                .into_iter()
                .filter(|pane| shows(*pane))
                .filter_map(|pane| Some((pane, self.triage.list(pane)?.rows.first().cloned())))
                .collect(),
            form: match &self.overlay {
                Some(Overlay::Operation(dialog)) => Some(dialog.operation).filter(|id| {
                    let running = self.operations.get(*id);
                    running.is_some_and(|running| running.operation.progress() == Progress::Confirming)
                }),
                _ => None,
            },
        }
    }

    /// When something will be due, if nothing happens before.
    #[must_use]
    pub fn wake_in(&self) -> Option<Duration> {
        [
            self.refresh.wake_at(&self.wanted, self.now, self.idle_for()),
            self.logs.wake_in(self.now),
            self.rollout_log.wake_in(self.now),
            self.charts.wake_in(&self.wanted_charts, self.now, self.idle_for()),
            self.judge_in(),
            self.notice.as_ref().map(|n| n.until.since(self.now)),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
