//! What is asked of AWS, and when. After each message the model's *interests* follow from what is on screen;
//! this module keeps a ledger of them, starts those that are due, and drops those that nobody looks at.
//!
//! Must stay pure: it turns interests and answers into effects. Pacing against AWS's quotas is `cloud`'s.

mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::app::Effect;
use crate::app::world::World;
use crate::domain::alarm::AlarmId;
use crate::domain::database::DatabaseId;
use crate::domain::ecs::{ClusterId, ServiceId};
use crate::domain::fault::{Failure, Fault, FaultKind};
use crate::domain::query::{Answer, Class, Query};
use crate::domain::scope::Scope;
use crate::domain::secret::SecretId;
use crate::domain::sweep::{Goal, Sweep};
use crate::stdx::clock::Moment;

pub use watch::{TRAIL, Watch};

/// A number that ties an answer to the fetch that asked. Tokens are never reused, so an answer to a fetch
/// that was dropped finds nothing and is dropped too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u64);

/// Something that the screen needs to know and keep knowing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Interest {
    /// Who we are in a scope.
    Identity(Scope),
    /// The clusters of a scope.
    Clusters(Scope),
    /// The services of a cluster.
    Services(ClusterId),
    /// One service, more often than its cluster.
    Service(ServiceId),
    /// A service's tasks: running, or stopped.
    Tasks(ServiceId, bool),
    /// A task definition by ARN or `family:revision`.
    Definition(Scope, String),
    /// A service's deployment history, described to its end.
    Deployments(ServiceId),
    /// The newest of it, as it is listed.
    History(ServiceId),
    /// What service revisions deployed, by ARN.
    Revisions(Scope, Vec<String>),
    /// A list of a scope that needs no describing.
    Watch(Scope, Watch),
    /// What an alarm did in the last week.
    AlarmHistory(AlarmId),
    /// The parameters of a database parameter group.
    Parameters(Scope, String),
    /// A database instance's log files.
    LogFiles(DatabaseId),
    /// The end of one of them.
    LogText(DatabaseId, String),
    /// What only a secret's description says.
    Secret(SecretId),
    /// Target groups by ARN, at most 20.
    TargetGroups(Scope, Arc<[String]>),
    /// The health of a target group's targets, by ARN.
    TargetHealth(Scope, String),
}

impl Interest {
    /// Where it is asked.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::Identity(scope)
            | Self::Clusters(scope)
            | Self::Definition(scope, _)
            | Self::Revisions(scope, _)
            | Self::Watch(scope, _)
            | Self::Parameters(scope, _)
            | Self::TargetGroups(scope, _)
            | Self::TargetHealth(scope, _) => scope,
            Self::Services(id) => &id.scope,
            Self::Service(id) | Self::Tasks(id, _) | Self::Deployments(id) | Self::History(id) => &id.scope,
            Self::AlarmHistory(id) => &id.scope,
            Self::LogFiles(id) | Self::LogText(id, _) => &id.scope,
            Self::Secret(id) => &id.scope,
        }
    }
}

/// How close to the eye an interest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// The focused pane shows it.
    Focused,
    /// Another visible pane shows it.
    Visible,
    /// It feeds badges and lists that are not on screen.
    Rest,
    /// It adds a word to a row of a list: whatever else is asked goes first.
    Aside,
}

/// Refresh intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// For the focused pane.
    pub focused: Duration,
    /// For visible panes.
    pub visible: Duration,
    /// For the rest.
    pub rest: Duration,
}

impl Default for Cadence {
    fn default() -> Self {
        Self {
            focused: Duration::from_secs(5),
            visible: Duration::from_secs(15),
            rest: Duration::from_secs(60),
        }
    }
}

/// Requests of one fetch that may be under way at once. A few more than `cloud` sends at once, so that its
/// pipe stays full, and few enough that what comes on screen later still overtakes what waits here.
const IN_FLIGHT: usize = 12;

/// Lines asked for of a database's log file.
pub const LOG_LINES: u32 = 500;

/// A selection that only passes by does not cost a request.
const SETTLE: Duration = Duration::from_millis(150);

/// After this long without a key the cadence is stretched.
pub(super) const AWAY: Duration = Duration::from_secs(15 * 60);

#[derive(Clone, Debug)]
struct Fetch {
    token: Token,
    sweep: Option<Sweep>,
    backlog: VecDeque<Query>,
    in_flight: usize,
    class: Class,
    fault: Option<Fault>,
}

/// What is known about an interest as a whole.
#[derive(Clone, Debug)]
pub struct Entry {
    wanted_since: Moment,
    closeness: Closeness,
    fetch: Option<Fetch>,
    /// Last complete success.
    pub fresh_at: Option<Moment>,
    /// Last end, good or bad.
    ended_at: Option<Moment>,
    /// Why the last fetch was not complete.
    pub fault: Option<Fault>,
    /// Items that AWS would not describe.
    pub failures: Vec<Failure>,
    /// Items described and listed, of the fetch under way or the last one.
    pub progress: (usize, usize),
    /// Whether the list is known to its end.
    pub listed: bool,
    /// Whether the list goes on beyond the pages that were read.
    pub is_cut: bool,
    /// Failures in a row.
    faults_in_a_row: u32,
    /// Whether the present screen wants it. A fault of what nobody wants any more says nothing about now.
    pub wanted: bool,
}

impl Entry {
    /// Whether a fetch is under way.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.fetch.is_some()
    }

    /// Whether nothing has ever arrived.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.fresh_at.is_none()
    }
}

/// The ledger.
#[derive(Clone, Debug, Default)]
pub struct Refresh {
    entries: BTreeMap<Interest, Entry>,
    tokens: BTreeMap<Token, Interest>,
    next_token: u64,
    /// Intervals.
    pub cadence: Cadence,
    /// Somebody asked for everything on screen now.
    pub at_once: bool,
    /// A fault came into view or went out of it.
    turned: bool,
}

impl Refresh {
    /// What is known about an interest.
    #[must_use]
    pub fn entry(&self, interest: &Interest) -> Option<&Entry> {
        self.entries.get(interest)
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = (&Interest, &Entry)> {
        self.entries.iter()
    }

    /// Whether a fault came into view or went out of it since this was last asked.
    pub fn has_turned(&mut self) -> bool {
        std::mem::take(&mut self.turned)
    }

    /// A token for requests outside the ledger (the log pane follows by its own rules).
    pub fn token(&mut self) -> Token {
        self.next_token += 1;
        Token(self.next_token)
    }

    /// Takes an answer in; `None` when the token is not (any more) one of the ledger's.
    pub fn absorb(
        &mut self,
        token: Token,
        query: &Query,
        outcome: &Result<Answer, Fault>,
        world: &mut World,
        at: Moment,
    ) -> Option<Vec<Effect>> {
        let interest = self.tokens.get(&token)?.clone();
        let entry = self.entries.get_mut(&interest)?;
        let fetch = entry.fetch.as_mut()?;
        fetch.in_flight = fetch.in_flight.saturating_sub(1);
        match outcome {
            Ok(answer) => world.absorb(query, answer, at),
            Err(fault) => {
                world.fail(query, fault);
                fetch.fault.get_or_insert_with(|| fault.clone());
            }
        }
        if let Some(sweep) = fetch.sweep.as_mut() {
            let next = sweep.absorb(query, outcome);
            fetch.backlog.extend(next);
            entry.progress = (sweep.described, sweep.listed.len());
            entry.listed = sweep.is_listed();
        }
        if fetch.backlog.is_empty() && fetch.in_flight == 0 {
            self.tokens.remove(&token);
            Self::finish(&interest, entry, world, at);
        }
        Some(Vec::new())
    }

    fn finish(interest: &Interest, entry: &mut Entry, world: &mut World, at: Moment) {
        let Some(fetch) = entry.fetch.take() else { return };
        entry.ended_at = Some(at);
        entry.fault = fetch.fault.or_else(|| fetch.sweep.as_ref().and_then(|s| s.faults.first().cloned()));
        entry.failures = fetch.sweep.as_ref().map(|s| s.failures.clone()).unwrap_or_default();
        entry.listed = true;
        if entry.fault.is_some() {
            entry.faults_in_a_row = entry.faults_in_a_row.saturating_add(1);
            entry.listed = entry.fresh_at.is_some();
            return;
        }
        entry.faults_in_a_row = 0;
        entry.is_cut = fetch.sweep.as_ref().is_some_and(|sweep| !sweep.is_listed());
        entry.fresh_at = Some(at);
        // Only a list that was read to its end says what is gone.
        if let Some(sweep) = fetch.sweep {
            match interest {
                Interest::Services(cluster) => world.retain_services(cluster, &sweep.listed),
                Interest::Clusters(scope) => world.retain_clusters(scope, &sweep.listed),
                Interest::Tasks(service, false) => world.settle_tasks(service, &sweep.listed),
                Interest::Watch(scope, watch) => {
                    world.generation += 1;
                    world.estate.retain(scope, *watch, &sweep.listed);
                }
                _ => {}
            }
        }
    }

    /// Brings the ledger in line with the interests and starts what is due.
    ///
    /// `on_screen` says whether a name is in view, so that its batch is described first.
    pub fn schedule(
        &mut self,
        wanted: &[(Interest, Closeness)],
        now: Moment,
        idle_for: Duration,
        on_screen: &dyn Fn(&str) -> bool,
    ) -> Vec<Effect> {
        let mut effects = self.drop_unwanted(wanted);
        for (interest, closeness) in wanted {
            let entry = self.entries.entry(interest.clone()).or_insert_with(|| Entry {
                wanted_since: now,
                closeness: *closeness,
                fetch: None,
                fresh_at: None,
                ended_at: None,
                fault: None,
                failures: Vec::new(),
                progress: (0, 0),
                listed: false,
                is_cut: false,
                faults_in_a_row: 0,
                wanted: true,
            });
            entry.closeness = *closeness;
            let forced = self.at_once && *closeness < Closeness::Rest;
            if entry.fetch.is_none() && (forced || is_due(interest, entry, self.cadence, now, idle_for)) {
                self.next_token += 1;
                let token = Token(self.next_token);
                let first = entry.fresh_at.is_none() && *closeness != Closeness::Aside;
                let waited_for = first || *closeness == Closeness::Focused;
                let class = if waited_for { Class::Foreground } else { Class::Background };
                entry.fetch = Some(Fetch::start(interest, token, class, now));
                self.tokens.insert(token, interest.clone());
            }
            if let Some(fetch) = entry.fetch.as_mut() {
                effects.extend(fetch.send(on_screen));
            }
        }
        self.at_once = false;
        effects
    }

    fn drop_unwanted(&mut self, wanted: &[(Interest, Closeness)]) -> Vec<Effect> {
        let mut effects = Vec::new();
        let tokens = &mut self.tokens;
        // An account may have a thousand clusters: each is looked up, not searched for.
        let wanted: BTreeSet<&Interest> = wanted.iter().map(|(interest, _)| interest).collect();
        for (interest, entry) in &mut self.entries {
            let is_wanted = wanted.contains(interest);
            self.turned |= entry.fault.is_some() && entry.wanted != is_wanted;
            entry.wanted = is_wanted;
            if entry.fetch.is_some()
                && !is_wanted
                && let Some(fetch) = entry.fetch.take()
            {
                tokens.remove(&fetch.token);
                effects.push(Effect::Cancel(fetch.token));
            }
        }
        // An entry that is not wanted is kept for its age only while its data may be looked at again.
        self.entries.retain(|interest, entry| entry.fresh_at.is_some() || wanted.contains(interest));
        effects
    }

    /// When something will be due next, if nothing happens before.
    #[must_use]
    pub fn wake_at(
        &self,
        wanted: &[(Interest, Closeness)],
        now: Moment,
        idle_for: Duration,
    ) -> Option<Duration> {
        wanted
            .iter()
            .filter_map(|(interest, _)| {
                let entry = self.entries.get(interest)?;
                entry.fetch.is_none().then(|| due_in(interest, entry, self.cadence, now, idle_for))?
            })
            .min()
    }

    /// Forgets when a scope's faults happened, so that it is asked again at once.
    pub fn retry_all(&mut self) {
        for entry in self.entries.values_mut() {
            if entry.fault.is_some() {
                entry.ended_at = None;
                entry.faults_in_a_row = 0;
            }
        }
        self.at_once = true;
    }
}

/// Time until the interest is due; `None` when it never is again.
fn due_in(
    interest: &Interest,
    entry: &Entry,
    cadence: Cadence,
    now: Moment,
    idle_for: Duration,
) -> Option<Duration> {
    let Some(ended) = entry.ended_at else {
        let settle = match interest {
            Interest::Identity(_) | Interest::Clusters(_) | Interest::Services(_) => Duration::ZERO,
            _ => SETTLE,
        };
        return Some(settle.saturating_sub(now.since(entry.wanted_since)));
    };
    let base = match entry.closeness {
        Closeness::Focused => cadence.focused,
        Closeness::Visible => cadence.visible,
        Closeness::Rest | Closeness::Aside => cadence.rest,
    };
    let mut interval = match (&entry.fault, interest) {
        // Nothing that we do will change these; somebody must act, and `refresh` asks again at once.
        (Some(fault), _) if fault.is_about_credentials() => Duration::from_secs(30),
        (Some(fault), _) if matches!(fault.kind, FaultKind::Denied | FaultKind::Unsupported) => {
            Duration::from_secs(300)
        }
        (Some(fault), Interest::Watch(_, watch)) if fault.is_transient() => {
            watch.interval(entry.closeness, false) * 2u32.saturating_pow(entry.faults_in_a_row.min(3))
        }
        (Some(fault), _) if fault.is_transient() => base * 2u32.saturating_pow(entry.faults_in_a_row.min(3)),
        (Some(_), _) => cadence.rest,
        (None, Interest::Identity(_)) => Duration::from_secs(900),
        // A registered revision never changes but for its status.
        (None, Interest::Definition(..) | Interest::Revisions(..)) => Duration::from_secs(600),
        (None, Interest::Watch(_, watch)) => watch.interval(entry.closeness, entry.progress.1 == 0),
        (None, Interest::Parameters(..) | Interest::TargetGroups(..)) => Duration::from_secs(600),
        (None, Interest::AlarmHistory(_) | Interest::LogFiles(_) | Interest::Secret(_)) => cadence.rest,
        (None, Interest::LogText(..)) => base.max(cadence.visible),
        (None, Interest::Clusters(_)) => cadence.rest,
        // What a new deployment runs is asked for when it is met; the older ones stay what they were.
        (None, Interest::History(_)) if entry.closeness == Closeness::Aside => Duration::from_secs(900),
        (None, Interest::Deployments(_)) => base.max(cadence.visible),
        (None, _) => base,
    };
    if idle_for >= AWAY {
        interval *= 4;
    }
    Some(interval.saturating_sub(now.since(ended)))
}

fn is_due(interest: &Interest, entry: &Entry, cadence: Cadence, now: Moment, idle_for: Duration) -> bool {
    due_in(interest, entry, cadence, now, idle_for) == Some(Duration::ZERO)
}

impl Fetch {
    fn start(interest: &Interest, token: Token, class: Class, now: Moment) -> Self {
        let (sweep, first) = match interest.clone() {
            Interest::Identity(scope) => (None, Query::CallerIdentity { scope }),
            Interest::Clusters(scope) => swept(Goal::Clusters { scope }),
            Interest::Services(id) => swept(Goal::Services { scope: id.scope, cluster: id.name }),
            Interest::Service(id) => (
                None,
                Query::DescribeServices { scope: id.scope, cluster: id.cluster, services: vec![id.name] },
            ),
            Interest::Tasks(id, stopped) => {
                swept(Goal::Tasks { scope: id.scope, cluster: id.cluster, service: Some(id.name), stopped })
            }
            Interest::Definition(scope, arn) => (None, Query::DescribeTaskDefinition { scope, arn }),
            Interest::Deployments(id) => {
                swept(Goal::Deployments { scope: id.scope, cluster: id.cluster, service: id.name })
            }
            Interest::History(id) => {
                let list = Query::ListServiceDeployments {
                    scope: id.scope,
                    cluster: id.cluster,
                    service: id.name,
                    page: None,
                };
                let (sweep, first) = Sweep::newest(list, 1);
                (Some(sweep), first)
            }
            Interest::Revisions(scope, arns) => (None, Query::DescribeServiceRevisions { scope, arns }),
            Interest::Watch(scope, watch) => {
                let (sweep, first) = Sweep::newest(watch.first(&scope, now.wall), watch.pages());
                (Some(sweep), first)
            }
            Interest::AlarmHistory(id) => {
                let from = now.wall.minus(Duration::from_secs(7 * 86_400));
                (
                    None,
                    Query::DescribeAlarmHistory { scope: id.scope, alarm: Some(id.name), from, page: None },
                )
            }
            Interest::Parameters(scope, group) => {
                swept(Goal::Pages(Box::new(Query::DescribeDbParameters { scope, group, page: None })))
            }
            Interest::LogFiles(id) => swept(Goal::Pages(Box::new(Query::DescribeDbLogFiles {
                scope: id.scope,
                instance: id.name,
                page: None,
            }))),
            Interest::LogText(id, file) => (
                None,
                Query::DownloadDbLogFile {
                    scope: id.scope,
                    instance: id.name,
                    file,
                    marker: None,
                    lines: LOG_LINES,
                },
            ),
            Interest::Secret(id) => (None, Query::DescribeSecret { scope: id.scope, secret: id.name }),
            Interest::TargetGroups(scope, arns) => {
                (None, Query::DescribeTargetGroups { scope, arns: arns.to_vec() })
            }
            Interest::TargetHealth(scope, target_group) => {
                (None, Query::DescribeTargetHealth { scope, target_group })
            }
        };
        Self { token, sweep, backlog: VecDeque::from([first]), in_flight: 0, class, fault: None }
    }

    fn send(&mut self, on_screen: &dyn Fn(&str) -> bool) -> Vec<Effect> {
        let mut effects = Vec::new();
        while self.in_flight < IN_FLIGHT && !self.backlog.is_empty() {
            // The next page first, since no batch can be known before it; then what is in view.
            let position = self
                .backlog
                .iter()
                .position(|q| !matches!(q, Query::DescribeServices { .. }))
                .or_else(|| {
                    self.backlog.iter().position(|q| match q {
                        Query::DescribeServices { services, .. } => services.iter().any(|s| on_screen(s)),
                        _ => false,
                    })
                })
                .unwrap_or(0);
            let Some(query) = self.backlog.remove(position) else { break };
            self.in_flight += 1;
            effects.push(Effect::Query { token: self.token, query, class: self.class });
        }
        effects
    }
}

fn swept(goal: Goal) -> (Option<Sweep>, Query) {
    let (sweep, first) = Sweep::start(goal);
    (Some(sweep), first)
}
