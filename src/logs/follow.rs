//! Following a service's or a task's lines: a machine that says which question to ask next and turns answers
//! into batches of lines, each line once, none left out.
//!
//! For a service it first asks what the service runs (`DescribeServices`, `DescribeTaskDefinition`) and which
//! tasks are its own, then reads with `FilterLogEvents`, one request per log group and stream prefix:
//! the account's quota for it is 5 to 25 a second for everybody, while unwanted lines of other containers cost
//! only bandwidth. New tasks join by themselves, since a prefix catches their streams; a new revision that logs
//! elsewhere joins when the service is seen again; ended tasks stay.
//!
//! Drive it so: perform what `next` returns, hand each outcome to `absorb`, and call `next` again after each
//! `absorb` and at `wake_at`. It never gives up: whatever fails is tried again, and `state` says so meanwhile.
//! Must not perform anything or read a clock.

mod channel;
mod discovery;
mod seen;
mod sources;
mod state;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use channel::{Channel, Kind};
use sources::{Sources, Whose};
pub use state::{FollowState, Gap};

use crate::domain::ecs::{Revision, Service};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::log::{LogEvent, LogSource, LogSubject};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Arn;
use crate::logs::line::{Arrival, Batch, Line, Origin};
use crate::stdx::clock::{Moment, Wall};

/// How often the service is looked at again when nobody hands in what they saw of it.
const SERVICE_EVERY: Duration = Duration::from_secs(30);
/// How often container ids are looked up while lines wait for them.
const RUNTIMES_EVERY: Duration = Duration::from_secs(10);
/// How long lines of a stream that belongs to no known container wait before they count as somebody else's.
const PATIENCE: Duration = Duration::from_secs(60);
/// Behind by more than this is said.
const LATE: Duration = Duration::from_secs(15);

/// The number of a request, unique within its follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// From when on.
    pub since: Wall,
    /// Read back newest first, this many lines a time, rather than all from `since` on in order: for a screen,
    /// which shows the end first. For a pipe `None`.
    pub newest_first: Option<usize>,
    /// Go on when the present is reached.
    pub follow: bool,
    /// CloudWatch's own filter pattern, applied there.
    pub pattern: Option<String>,
    /// Only these containers; all when empty.
    pub containers: Vec<String>,
    /// Only tasks whose id begins so; all when empty.
    pub tasks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ask {
    Service,
    Definition(Revision),
    OwnTasks { stopped: bool },
    Tasks(Vec<String>),
    Page(usize, Kind),
}

#[derive(Clone, Debug)]
struct Held {
    arrival: Arrival,
    since: Moment,
    channel: usize,
    events: Vec<LogEvent>,
}

/// A follower.
#[derive(Clone, Debug)]
pub struct Follow {
    subject: LogSubject,
    options: Options,
    began: Moment,
    now: Moment,
    sources: Sources,
    channels: Vec<Channel>,
    origins: HashMap<(usize, String), Arc<Origin>>,
    in_flight: HashMap<RequestId, Ask>,
    to_ask: Vec<(Duration, Ask, Query)>,
    numbers: u64,
    fetching: HashSet<Revision>,
    described: HashSet<String>,
    held: Vec<Held>,
    next_service: Duration,
    next_runtimes: Option<Duration>,
    without_names: bool,
    trouble: Option<(Fault, Duration)>,
    why_nothing: Option<String>,
    paused: bool,
}

impl Follow {
    /// A follower that has asked nothing yet.
    #[must_use]
    pub fn new(subject: LogSubject, options: Options, now: Moment) -> Self {
        let sources = Sources::new(subject.clone(), options.containers.clone(), options.tasks.clone());
        let mut follow = Self {
            subject,
            options,
            began: now,
            now,
            sources,
            channels: Vec::new(),
            origins: HashMap::new(),
            in_flight: HashMap::new(),
            to_ask: Vec::new(),
            numbers: 0,
            fetching: HashSet::new(),
            described: HashSet::new(),
            held: Vec::new(),
            next_service: now.mono,
            next_runtimes: None,
            without_names: false,
            trouble: None,
            why_nothing: None,
            paused: false,
        };
        follow.begin();
        follow
    }

    /// Takes a look at the service that somebody else had: a new revision may log elsewhere.
    pub fn observe(&mut self, service: &Service, now: Moment) {
        if self.subject.service() != Some(&service.id) {
            return;
        }
        self.now = now;
        self.next_service = now.mono + SERVICE_EVERY;
        self.fetch_definition(&service.task_definition_arn);
        for deployment in &service.deployments {
            self.fetch_definition(&deployment.revision.to_string());
        }
    }

    /// Asks for what lies before the oldest line, where lines are missing first.
    pub fn older(&mut self) {
        let latest = self.channels.iter().filter(|c| !c.exhausted).map(Channel::known_from).max();
        for channel in &mut self.channels {
            if Some(channel.known_from()) == latest {
                channel.older();
            }
        }
    }

    /// From when on all lines are here, gaps aside; `None` before the first answer.
    #[must_use]
    pub fn complete_since(&self) -> Option<Wall> {
        self.channels.iter().map(Channel::known_from).max().filter(|from| from.0 != i64::MAX)
    }

    /// Whether there is nothing before what is known.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        !self.channels.is_empty() && self.channels.iter().all(|channel| channel.exhausted)
    }

    /// Makes no more requests until resumed.
    pub fn pause(&mut self) {
        self.paused = true;
    }

    /// Goes on where it stopped; a long pause is read as a gap while live goes on from now.
    pub fn resume(&mut self) {
        self.paused = false;
    }

    /// What a reader should know about what is not shown.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.sources.notes.iter().map(String::as_str)
    }

    /// Whether nothing more will come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let quiet = self.in_flight.is_empty() && self.to_ask.is_empty() && self.held.is_empty();
        !self.options.follow && quiet && self.has_looked() && self.channels.iter().all(Channel::is_finished)
    }

    /// Whether it knows where the lines are, or that there are none.
    fn has_looked(&self) -> bool {
        !self.channels.is_empty() || self.why_nothing.is_some()
    }

    /// Why nothing can come, when containers were named that the service does not have.
    #[must_use]
    pub fn no_such_container(&self) -> Option<String> {
        self.sources.strangers().map(|_| self.sources.why_nothing())
    }

    /// The requests to make now.
    pub fn next(&mut self, now: Moment) -> Vec<(RequestId, Query)> {
        self.now = now;
        if self.paused {
            return Vec::new();
        }
        if let Some(service) = self.subject.service()
            && self.next_service <= now.mono
            && (self.options.follow || !self.has_looked())
            && !self.is_asking(&Ask::Service)
        {
            let query = Query::DescribeServices {
                scope: service.scope.clone(),
                cluster: service.cluster.clone(),
                services: vec![service.name.clone()],
            };
            self.next_service = now.mono + SERVICE_EVERY;
            self.to_ask.push((now.mono, Ask::Service, query));
        }
        if self.next_runtimes.is_some_and(|at| at <= now.mono) {
            self.next_runtimes = None;
            self.look_up_runtimes();
        }
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.to_ask).into_iter().partition(|(at, ..)| *at <= now.mono);
        self.to_ask = later;
        let mut asks: Vec<(Ask, Query)> = due.into_iter().map(|(_, ask, query)| (ask, query)).collect();
        let count = u32::try_from(self.channels.len()).unwrap_or(u32::MAX);
        for (index, channel) in self.channels.iter_mut().enumerate() {
            let pages = channel.due(now, count).into_iter();
            asks.extend(pages.map(|(kind, query)| (Ask::Page(index, kind), Query::FilterLogEvents(query))));
        }
        asks.into_iter()
            .map(|(ask, query)| {
                self.numbers += 1;
                let id = RequestId(self.numbers);
                self.in_flight.insert(id, ask);
                (id, query)
            })
            .collect()
    }

    fn is_asking(&self, ask: &Ask) -> bool {
        self.in_flight.values().any(|a| a == ask) || self.to_ask.iter().any(|(_, a, _)| a == ask)
    }

    /// When `next` will have something, if nothing is absorbed before.
    #[must_use]
    pub fn wake_at(&self) -> Option<Moment> {
        if self.paused || self.is_done() {
            return None;
        }
        let asks = self.to_ask.iter().map(|(at, ..)| *at);
        let channels = self.channels.iter().filter_map(Channel::wake_at);
        let service = self.subject.service().is_some() && self.options.follow;
        let service = service.then_some(self.next_service);
        let at = asks.chain(channels).chain(service).chain(self.next_runtimes).min()?;
        Some(self.now.plus(at.saturating_sub(self.now.mono)))
    }

    /// Takes the outcome of a request and returns the lines that it brought.
    pub fn absorb(&mut self, id: RequestId, outcome: Result<Answer, Fault>, now: Moment) -> Vec<Batch> {
        self.now = now;
        let Some(ask) = self.in_flight.remove(&id) else { return Vec::new() };
        if !matches!(ask, Ask::Page(..)) && outcome.is_ok() {
            self.trouble = None;
        }
        let mut batches = match (ask, outcome) {
            (Ask::Page(index, kind), outcome) => self.absorb_page(index, kind, outcome, now),
            (Ask::Service, Ok(Answer::Services { found, failures })) => {
                match found.first() {
                    Some(service) => self.observe(service, now),
                    None => {
                        let reason = failures.first().map_or("not found", |f| f.reason.as_str());
                        let why = format!("ECS does not know this service ({reason})");
                        self.why_nothing = self.channels.is_empty().then_some(why);
                    }
                }
                Vec::new()
            }
            (Ask::Definition(revision), Ok(Answer::TaskDefinition(definition))) => {
                self.fetching.remove(&revision);
                self.sources.revisions.insert(revision);
                let (scope, _) = self.scope_and_cluster();
                let (sources, elsewhere) = LogSource::of(&scope, &definition);
                self.sources.add(sources, elsewhere);
                self.open_channels();
                Vec::new()
            }
            (Ask::OwnTasks { stopped }, Ok(Answer::Names { names, next })) => {
                self.absorb_own_tasks(&names, stopped, next);
                Vec::new()
            }
            (Ask::Tasks(_), Ok(Answer::Tasks { found, failures })) => {
                for task in &found {
                    self.sources.described(task);
                }
                for failure in &failures {
                    self.sources.forgotten(Arn::last(&failure.arn));
                }
                Vec::new()
            }
            (ask, Ok(_)) => {
                let fault = Fault::new(FaultKind::Garbled, "an answer of another kind than the question");
                self.ask_failed(ask, fault);
                Vec::new()
            }
            (ask, Err(fault)) => {
                self.ask_failed(ask, fault);
                Vec::new()
            }
        };
        batches.extend(self.release());
        batches
    }

    fn absorb_page(
        &mut self,
        index: usize,
        kind: Kind,
        outcome: Result<Answer, Fault>,
        now: Moment,
    ) -> Vec<Batch> {
        let outcome = match outcome {
            Ok(Answer::LogEvents { events, next }) => Ok((events, next)),
            Ok(_) => Err(Fault::new(FaultKind::Garbled, "an answer of another kind than the question")),
            Err(fault) => Err(fault),
        };
        let Some(channel) = self.channels.get_mut(index) else { return Vec::new() };
        let brought = channel.absorb(kind, outcome, now);
        if brought.no_such_stream && !self.without_names {
            self.without_names = true;
            let streams = self.sources.plan(true).into_iter().find(|(group, _)| *group == channel.group);
            if let Some((group, streams)) = streams {
                *channel = Channel::new(group, streams, &self.options, self.began);
            }
            return Vec::new();
        }
        let Some(arrival) = brought.arrival else { return Vec::new() };
        self.held.push(Held { arrival, since: now, channel: index, events: brought.events });
        Vec::new()
    }

    /// Turns what is known to be ours into lines, drops what is not, and asks about the rest.
    fn release(&mut self) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut unknown = Vec::new();
        let mut wants_runtimes = false;
        for mut held in std::mem::take(&mut self.held) {
            let Some(group) = self.channels.get(held.channel).map(|channel| channel.group.clone()) else {
                continue;
            };
            let mut lines = Vec::new();
            let mut waiting = Vec::new();
            for event in std::mem::take(&mut held.events) {
                match self.sources.whose(&group, &event.stream) {
                    Whose::Ours { container, task } => {
                        let origin =
                            self.origins.entry((held.channel, event.stream.clone())).or_insert_with(|| {
                                let group = group.clone();
                                Arc::new(Origin { group, stream: event.stream, container, task })
                            });
                        lines.push(Line {
                            origin: origin.clone(),
                            event_id: event.id,
                            at: event.at,
                            ingested_at: event.ingested_at,
                            message: event.message,
                        });
                    }
                    Whose::Foreign => {}
                    Whose::Doubtful => {
                        self.sources.notes.insert(
                            "lines of tasks that ECS has forgotten are not shown: other services log under the same prefix and container name"
                                .to_owned(),
                        );
                    }
                    Whose::Unknown { task } if task.is_empty() => {
                        if self.now.since(held.since) < PATIENCE {
                            wants_runtimes = true;
                            waiting.push(event);
                        } else {
                            self.sources.notes.insert(
                                "lines of streams that belong to no container known to ECS are not shown"
                                    .to_owned(),
                            );
                        }
                    }
                    Whose::Unknown { task } => {
                        unknown.push(task);
                        waiting.push(event);
                    }
                }
            }
            if !lines.is_empty() {
                batches.push(Batch { arrival: held.arrival, lines });
            }
            if !waiting.is_empty() {
                self.held.push(Held { events: waiting, ..held });
            }
        }
        unknown.sort();
        unknown.dedup();
        unknown.retain(|id| !self.sources.is_known(id) && self.described.insert(id.clone()));
        self.describe(unknown);
        if wants_runtimes {
            self.next_runtimes.get_or_insert(self.now.mono + RUNTIMES_EVERY);
        }
        batches
    }

    /// How it does.
    #[must_use]
    pub fn state(&self, now: Moment) -> FollowState {
        if self.paused {
            return FollowState::Paused;
        }
        let retry_in = |at: Duration| at.saturating_sub(now.mono);
        if self.channels.is_empty() {
            return match (&self.trouble, &self.why_nothing) {
                (Some((fault, at)), _) => {
                    FollowState::Failing { fault: fault.clone(), retry_in: retry_in(*at) }
                }
                (None, Some(why)) => FollowState::Nothing { why: why.clone() },
                (None, None) => {
                    let what = if self.fetching.is_empty() { "the service" } else { "the task definition" };
                    FollowState::Starting { waits_for: what.to_owned() }
                }
            };
        }
        if self.is_done() {
            return FollowState::Done;
        }
        let behind = self.channels.iter().map(|c| c.behind(now).unwrap_or(now.since(self.began))).max();
        let behind = behind.unwrap_or_default();
        if let Some((channel, fault)) =
            self.channels.iter().find_map(|channel| Some((channel, channel.trouble.as_ref()?)))
        {
            let retry_in = channel.retry_at().map_or(Duration::ZERO, retry_in);
            return if fault.kind == FaultKind::Throttled {
                FollowState::Throttled { retry_in, behind }
            } else {
                FollowState::Failing { fault: fault.clone(), retry_in }
            };
        }
        if let Some(gap) = self.channels.iter().flat_map(|c| c.gaps.iter().chain(&c.lost)).next() {
            return FollowState::Gap(gap.clone());
        }
        if self.channels.iter().all(|channel| channel.behind(now).is_none()) {
            return FollowState::Starting { waits_for: "the first lines".to_owned() };
        }
        if behind > LATE { FollowState::Behind { by: behind } } else { FollowState::Live }
    }
}

#[cfg(test)]
mod tests;
