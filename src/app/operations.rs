//! The actions under way in this console: drives each `guard::Operation` through effects, and keeps the lock.
//!
//! Must not perform anything, nor decide what may happen: the guard does. An answer to a mutation is never dropped.

pub mod dialog;
pub mod rollout;
pub mod value;

use std::time::Duration;

use crate::app::overlay::Overlay;
use crate::app::{Effect, Model};
use crate::domain::action::Action;
use crate::domain::fault::Fault;
use crate::domain::query::{Answer, Query};
use crate::domain::secret::SecretValue;
use crate::domain::verdict::Verdict;
use crate::guard::{Confirmation, Demand, Friction, Input, Lock, Mistake, Operation, Policy, Progress, Saw};
use crate::journal::{Event, History, IncidentMark, Outcome};
use crate::stdx::clock::Moment;
use crate::stdx::id::uuid;
use dialog::Dialog;

/// An operation of this console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(pub u64);

/// Whether this console may change anything now.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Standing {
    /// Not before a confirmation with a reason.
    #[default]
    Locked,
    /// Until then.
    Unlocked {
        /// Until when.
        until: Moment,
        /// Why.
        reason: String,
    },
}

/// One action with what its dialog shows.
#[derive(Clone, Debug)]
pub struct Running {
    /// Which.
    pub id: OperationId,
    /// The machine.
    pub operation: Operation,
    /// When it was asked for; once it is confirmed, when that was.
    pub begun: Moment,
    /// How it ended.
    pub ended: Option<(Verdict, Moment)>,
    /// What the confirmation takes.
    pub friction: Friction,
    /// The name to type.
    pub name: String,
    /// What was wrong with the last confirmation.
    pub mistake: Option<Mistake>,
    /// The value that a `secret put` stores.
    value: Option<SecretValue>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    /// The lock.
    pub standing: Standing,
    /// Oldest first; ended ones stay for the session.
    pub list: Vec<Running>,
    /// The incident that is open: its id and title.
    pub incident: Option<IncidentMark>,
    /// The console is being left.
    leaving: bool,
    /// Somebody was told that leaving stops something half way.
    warned: bool,
    next: u64,
}

impl Operations {
    /// One of them.
    #[must_use]
    pub fn get(&self, id: OperationId) -> Option<&Running> {
        self.list.iter().find(|running| running.id == id)
    }

    fn get_mut(&mut self, id: OperationId) -> Option<&mut Running> {
        self.list.iter_mut().find(|running| running.id == id)
    }

    /// Those that have not ended.
    pub fn under_way(&self) -> impl Iterator<Item = &Running> {
        self.list.iter().filter(|running| running.ended.is_none())
    }

    /// How long the lock stays open.
    #[must_use]
    pub fn unlocked_for(&self, now: Moment) -> Option<Duration> {
        match &self.standing {
            Standing::Unlocked { until, .. } if until.mono > now.mono => Some(until.since(now)),
            _ => None,
        }
    }
}

impl Model {
    /// The lock as it is now.
    #[must_use]
    pub fn lock(&self) -> Lock {
        if self.session.read_only {
            return Lock::ReadOnly;
        }
        if self.operations.unlocked_for(self.now).is_some() { Lock::Unlocked } else { Lock::Locked }
    }

    /// What holds for an action that was confirmed. The end of the time that was unlocked does not stop it;
    /// somebody who locks the console does.
    fn policy_under_way(&self, action: &Action) -> Policy {
        let lock = match self.operations.standing {
            _ if self.session.read_only => Lock::ReadOnly,
            Standing::Locked => Lock::Locked,
            Standing::Unlocked { .. } => Lock::Unlocked,
        };
        Policy { lock, ..self.policy(action) }
    }

    fn policy(&self, action: &Action) -> Policy {
        let id = action.scope().and_then(|scope| self.world.account_id(scope));
        let presumed = |account: &str, cluster: &str, service: &str| {
            self.config.presumes_production(account, cluster, service)
        };
        let mut policy =
            self.session.rules.policy(action, self.lock(), id.as_deref(), &presumed, self.now.wall);
        let account = action.scope().and_then(|scope| self.config.accounts.get(scope.account.as_str()));
        if let (Some(is), Some(wanted)) = (&id, account.and_then(|account| account.id.as_ref()))
            && is != wanted
        {
            policy.forbidden = Some(format!("the credentials are of account {is}, not {wanted}"));
        }
        policy
    }
}

/// Begins an action: its dialog opens, and its target is read.
pub fn begin(model: &mut Model, action: Action, saw: Option<Saw>, value: Option<SecretValue>) -> Vec<Effect> {
    let policy = model.policy(&action);
    let id = OperationId(model.operations.next);
    model.operations.next += 1;
    // Who was told what leaving stops was not told of this.
    model.operations.warned = false;
    let name = operation_name(model.session.seed, id);
    let incident =
        model.operations.incident.as_ref().map_or_else(String::new, |mark| format!(" {}", mark.id));
    let operator = format!("{}{incident}", model.session.operator);
    // Why the console was unlocked is why it changes something, until another reason is given.
    let reason = match &model.operations.standing {
        Standing::Unlocked { reason, .. } if !reason.trim().is_empty() => Some(reason.clone()),
        _ => None,
    };
    let mut operation = Operation::new(name, action, policy, saw).by(operator).because(reason);
    let demands = operation.start(model.now);
    let name = operation.action().name();
    model.operations.list.push(Running {
        id,
        operation,
        begun: model.now,
        ended: None,
        friction: Friction::default(),
        name,
        mistake: None,
        value,
    });
    model.prompt = None;
    model.pending.clear();
    model.overlay = Some(Overlay::Operation(Box::new(Dialog::new(id))));
    drive(model, id, demands)
}

/// A name that no other operation has, in the form of a UUID: AWS takes it as a token.
fn operation_name(seed: u64, id: OperationId) -> String {
    let mut random = fastrand::Rng::with_seed(seed ^ id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    uuid(random.u128(..))
}

/// Hands an input to an operation.
pub fn answer(model: &mut Model, id: OperationId, input: Input) -> Vec<Effect> {
    let now = model.now;
    let leaving = model.operations.leaving;
    let holds = model.operations.get(id).map(|running| running.operation.action());
    let holds = holds.map(|action| model.policy_under_way(action));
    let (Some(running), Some(holds)) = (model.operations.get_mut(id), holds) else { return Vec::new() };
    if matches!(running.operation.progress(), Progress::Calling | Progress::Watching) {
        running.operation.hold_to(holds);
    }
    let mut demands = running.operation.step(input, now);
    if leaving && running.operation.progress() == Progress::Watching {
        // Nobody waits for a look any more; what AWS said is written down.
        demands.retain(|demand| !matches!(demand, Demand::Read { .. }));
        demands.extend(running.operation.step(Input::StopWatching, now));
    }
    drive(model, id, demands)
}

/// The operator confirms. What holds now counts, not what held when the dialog opened.
fn confirm(model: &mut Model, id: OperationId, with: Confirmation) -> Vec<Effect> {
    let Some(running) = model.operations.get(id) else { return Vec::new() };
    let policy = model.policy(running.operation.action());
    let was_locked = policy.lock == Lock::Locked;
    let reason = match &with {
        Confirmation::Typed { reason, .. } => reason.clone(),
        _ => None,
    };
    let now = model.now;
    let Some(running) = model.operations.get_mut(id) else { return Vec::new() };
    running.mistake = None;
    let demands = running.operation.step(Input::Confirm { with, policy }, now);
    let accepted = demands.iter().any(|demand| matches!(demand, Demand::Record(_) | Demand::Read { .. }));
    if accepted && was_locked {
        unlock(model, reason.unwrap_or_default());
    }
    drive(model, id, demands)
}

/// Opens the lock for a time.
pub fn unlock(model: &mut Model, reason: String) {
    if model.session.read_only {
        model.complain("This session is read-only, which cannot be unlocked");
        return;
    }
    let until = model.now.plus(model.session.rules.unlock_for);
    model.operations.standing = Standing::Unlocked { until, reason };
}

/// Closes it.
pub fn lock(model: &mut Model) {
    model.operations.standing = Standing::Locked;
    model.say("Locked");
}

/// Turns demands into effects.
fn drive(model: &mut Model, id: OperationId, demands: Vec<Demand>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for demand in demands {
        let Some(running) = model.operations.list.iter_mut().find(|running| running.id == id) else { break };
        let name = running.operation.id().to_owned();
        let scope = running.operation.action().scope().cloned();
        let caller = scope.as_ref().and_then(|scope| model.world.identities.get(scope)?.value.as_ref());
        let caller = caller.map(|identity| identity.arn.clone());
        let note = |event: Event| Effect::Note { operation: name.clone(), caller: caller.clone(), event };
        match demand {
            Demand::Read { query, at } => effects.push(Effect::Look { operation: id, query, at }),
            Demand::Confirm { friction, name, mistake, .. } => {
                running.friction = friction;
                running.name = name;
                running.mistake = mistake;
            }
            Demand::Record(intent) => {
                if intent.step == 1 {
                    running.begun = model.now;
                }
                effects.push(Effect::Record {
                    operation: id,
                    name: name.clone(),
                    caller: caller.clone(),
                    event: Event::Intent(intent),
                });
            }
            Demand::Call(permit) => {
                effects.push(Effect::Mutate { operation: id, permit, value: running.value.take() });
            }
            Demand::Acknowledge(event) => effects.push(note(Event::Acknowledged(*event))),
            Demand::End { verdict, recorded } => {
                if recorded {
                    effects.push(note(Event::Outcome(Outcome { verdict: verdict.clone() })));
                }
                running.value = None;
                running.ended = Some((verdict.clone(), model.now));
                let title = running.operation.action().to_string();
                told(model, id, &title, &verdict);
            }
        }
    }
    effects
}

/// Says in the footer how an operation ended whose dialog is not open.
fn told(model: &mut Model, id: OperationId, title: &str, verdict: &Verdict) {
    let shown = matches!(&model.overlay, Some(Overlay::Operation(dialog)) if dialog.operation == id);
    model.refresh.retry_all();
    if shown {
        return;
    }
    let text = format!("{title}: {verdict}");
    match verdict {
        Verdict::Succeeded | Verdict::Accepted => model.say(text),
        _ => model.complain(text),
    }
}

/// Takes what the guard's reads brought.
pub fn looked(
    model: &mut Model,
    id: OperationId,
    query: Box<Query>,
    outcome: Box<Result<Answer, Fault>>,
) -> Vec<Effect> {
    // What the guard sees of services and tasks is as true for the panes.
    let shared = matches!(*query, Query::DescribeServices { .. } | Query::DescribeTasks { .. });
    if let (true, Ok(answer)) = (shared, &*outcome) {
        model.world.absorb(&query, answer, model.now);
    }
    answer(model, id, Input::Read { query, outcome })
}

/// The journal was read: it knows the incident too, which another console may have opened or closed.
pub fn journal(model: &mut Model, read: Result<History, String>) {
    if let Ok(history) = &read {
        model.operations.incident.clone_from(&history.incident);
    }
    model.journal.absorb(read);
}

/// Opens an incident: what is changed from now on belongs to it.
pub fn open_incident(model: &mut Model, title: &str) -> Vec<Effect> {
    if let Some(open) = &model.operations.incident {
        let title = open.title.clone();
        model.complain(format!("The incident `{title}` is open: close it first"));
        return Vec::new();
    }
    let title = title.trim().trim_matches('"').to_owned();
    if title.is_empty() {
        model.complain("incident open wants a title, such as: incident open checkout 5xx");
        return Vec::new();
    }
    let mark = IncidentMark::new(model.now.wall, title);
    model.operations.incident = Some(mark.clone());
    model.say(format!("Incident {} is open; what you change belongs to it", mark.id));
    mark_incident(model, Event::IncidentOpened(mark))
}

/// Closes it.
pub fn close_incident(model: &mut Model) -> Vec<Effect> {
    let Some(mark) = model.operations.incident.take() else {
        model.complain("No incident is open");
        return Vec::new();
    };
    model.say(format!(
        "Incident {} is closed: opsdeck journal --incident {} --export markdown",
        mark.id, mark.id
    ));
    mark_incident(model, Event::IncidentClosed(mark))
}

fn mark_incident(model: &mut Model, event: Event) -> Vec<Effect> {
    let id = OperationId(model.operations.next);
    model.operations.next += 1;
    let note = Effect::Note { operation: operation_name(model.session.seed, id), caller: None, event };
    // A reading that is under way does not know it yet, and would take it back.
    vec![note, Effect::ReadJournal]
}

/// Leaves the console. What still has calls to make stops half way then: that takes a second time.
pub fn quit(model: &mut Model) -> Vec<Effect> {
    let left: usize = model.operations.under_way().map(|running| running.operation.calls_left()).sum();
    if left == 0 || std::mem::replace(&mut model.operations.warned, true) {
        return vec![Effect::Quit];
    }
    let calls = crate::stdx::text::count(left, "call");
    model.complain(format!("Leaving stops it half way, {calls} not made: quit again to do so"));
    Vec::new()
}

/// The console is left: what is watched stays without its end, and the journal says so; so does what AWS still answers.
pub fn leave(model: &mut Model) -> Vec<Effect> {
    model.operations.leaving = true;
    let watching: Vec<OperationId> = model
        .operations
        .under_way()
        .filter(|running| running.operation.progress() == Progress::Watching)
        .map(|running| running.id)
        .collect();
    watching.into_iter().flat_map(|id| answer(model, id, Input::StopWatching)).collect()
}
