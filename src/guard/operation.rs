//! One action, from the key to the verdict.
//!
//! The driver performs what a `Demand` says and hands back an `Input`. An input that does not fit the present
//! stage is ignored: a late answer or a second confirmation can do nothing. A permit is minted in one place, on
//! the one way from a confirmation through a journalled intent, and the stage is left in the same move.

mod confirm;
mod input;
mod verdicts;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

pub use input::{CallOutcome, Confirmation, Demand, Input, Mistake, Progress, Watched};

use super::draft::{self, Draft, NoPlan, Step};
use super::facts::Facts;
use super::permit::Permit;
use super::policy::{Friction, Policy};
use super::saw::Saw;
use super::watch::{Goal, Watch};
use crate::domain::action::Action;
use crate::domain::ecs::Revision;
use crate::domain::fault::Fault;
use crate::domain::mutation::{Definition, Mutation, Receipt};
use crate::domain::plan::Plan;
use crate::domain::query::{Answer, Query};
use crate::domain::verdict::Verdict;
use crate::journal::{Acknowledged, Intent};
use crate::stdx::clock::{Moment, Wall};

/// A look at the target older than this is repeated before the intent is written: dialogs stay open for long.
const FRESH: Duration = Duration::from_secs(10);
/// How long a rollout is watched when nobody says otherwise.
const WATCH_FOR: Duration = Duration::from_secs(30 * 60);

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    New,
    /// Asking; with a reason once it was confirmed long after the first look.
    Reading {
        confirmed: Option<Option<String>>,
    },
    Confirming {
        read_at: Moment,
    },
    Recording {
        step: Box<Step>,
    },
    Calling {
        step: Box<Step>,
        sent: Moment,
    },
    Watching,
    Ended,
}

/// One action under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    id: String,
    action: Action,
    policy: Policy,
    saw: Option<Saw>,
    watch_for: Option<Duration>,
    /// A command line asked for it.
    headless: bool,
    /// Nothing is to be done.
    only_planned: bool,
    /// Who asks, and for which incident.
    operator: String,
    /// Why, when the confirmation does not say it.
    usual_reason: Option<String>,
    stage: Stage,
    facts: Facts,
    /// Questions under way.
    asked: BTreeSet<String>,
    draft: Option<Draft>,
    steps: VecDeque<Step>,
    reason: Option<String>,
    /// Calls that were recorded, of all.
    recorded: usize,
    receipts: Vec<Receipt>,
    watches: Vec<Watch>,
    until: Option<Moment>,
    /// What went wrong on the way while earlier calls are still watched.
    broken: Option<(String, Verdict)>,
    /// What of the plan was not called.
    unmade: Option<Verdict>,
}

impl Operation {
    /// An action that was asked for. `id` names it in the journal. `saw` is what the operator had on the screen
    /// when asking; a command line saw nothing.
    #[must_use]
    pub fn new(id: impl Into<String>, action: Action, policy: Policy, saw: Option<Saw>) -> Self {
        Self {
            id: id.into(),
            action,
            policy,
            saw,
            watch_for: Some(WATCH_FOR),
            headless: false,
            only_planned: false,
            operator: String::new(),
            usual_reason: None,
            stage: Stage::New,
            facts: Facts::default(),
            asked: BTreeSet::new(),
            draft: None,
            steps: VecDeque::new(),
            reason: None,
            recorded: 0,
            receipts: Vec::new(),
            watches: Vec::new(),
            until: None,
            broken: None,
            unmade: None,
        }
    }

    /// The same, watched for another time, or not at all.
    #[must_use]
    pub fn watched_for(mut self, time: Option<Duration>) -> Self {
        self.watch_for = time;
        self
    }

    /// The same, asked for by a command line, whoever answers its questions.
    #[must_use]
    pub fn headless(mut self) -> Self {
        self.headless = true;
        self
    }

    /// The same, of which only the plan is wanted: what stands in its way is told with it.
    #[must_use]
    pub fn only_planned(mut self) -> Self {
        self.only_planned = true;
        self
    }

    /// The same in somebody's name, with the incident that it belongs to.
    #[must_use]
    pub fn by(mut self, operator: impl Into<String>) -> Self {
        self.operator = operator.into();
        self
    }

    /// The same, for a reason that holds unless another one is given.
    #[must_use]
    pub fn because(mut self, reason: Option<String>) -> Self {
        self.usual_reason = reason;
        self
    }

    /// Its name in the journal.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is about.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// What would be done, once it was read.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.draft.as_ref().map(|draft| &draft.plan)
    }

    /// How many calls of the plan are not made yet: they are made one after the other, and only while somebody drives.
    #[must_use]
    pub fn calls_left(&self) -> usize {
        self.steps.len()
    }

    /// What AWS said to the calls so far.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// Where it stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match &self.stage {
            Stage::New | Stage::Reading { .. } => Progress::Reading,
            Stage::Confirming { .. } => Progress::Confirming,
            Stage::Recording { .. } | Stage::Calling { .. } => Progress::Calling,
            Stage::Watching => Progress::Watching,
            Stage::Ended => Progress::Ended,
        }
    }

    /// What is watched and how it stands.
    #[must_use]
    pub fn watched(&self) -> Vec<Watched> {
        let told = |watch: &Watch| Watched {
            name: watch.name(),
            state: watch.verdict().map_or_else(|| watch.state(), ToString::to_string),
            deployment: watch.deployment().map(ToOwned::to_owned),
            stage: watch.stage().map(ToOwned::to_owned),
            is_over: watch.verdict().is_some(),
        };
        self.watches.iter().map(told).collect()
    }

    /// What holds now: a plan of several calls is not called to its end when that is no longer allowed.
    pub fn hold_to(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// The first demand.
    pub fn start(&mut self, now: Moment) -> Vec<Demand> {
        if self.stage != Stage::New {
            return Vec::new();
        }
        // Whoever may read may watch, and see what would happen.
        let reads = self.only_planned || matches!(self.action, Action::Watch { .. });
        if let Some(why) = self.policy.forbids().filter(|_| !reads) {
            let why = why.to_owned();
            return self.end(Verdict::Refused { why });
        }
        self.stage = Stage::Reading { confirmed: None };
        self.read_on(now)
    }

    fn end(&mut self, verdict: Verdict) -> Vec<Demand> {
        self.stage = Stage::Ended;
        vec![Demand::End { verdict, recorded: self.recorded > 0 }]
    }

    /// Takes what the driver did, and says what comes next.
    pub fn step(&mut self, input: Input, now: Moment) -> Vec<Demand> {
        match (std::mem::replace(&mut self.stage, Stage::Ended), input) {
            (Stage::Reading { confirmed }, Input::Read { query, outcome }) => {
                self.stage = Stage::Reading { confirmed };
                if !self.asked.remove(&key(&query)) {
                    return Vec::new();
                }
                self.facts.take(*query, *outcome);
                if self.asked.is_empty() { self.read_on(now) } else { Vec::new() }
            }
            (Stage::Confirming { read_at }, Input::Confirm { with, policy }) => {
                self.confirmed(with, policy, read_at, now)
            }
            (Stage::Confirming { .. } | Stage::Reading { .. }, Input::Cancel) => {
                self.end(Verdict::Refused { why: "cancelled".to_owned() })
            }
            (Stage::Recording { step }, Input::Recorded(Ok(()))) => self.call(step, now),
            (Stage::Recording { step }, Input::Recorded(Err(why))) => {
                let why =
                    format!("the intent could not be written to the journal ({why}); AWS was not called");
                self.broken = Some((self.step_name(&step), Verdict::Refused { why }));
                self.finish(now)
            }
            (Stage::Calling { step, sent }, Input::Called(outcome)) => self.called(*step, outcome, sent, now),
            (Stage::Watching, Input::Read { query, outcome }) => {
                self.stage = Stage::Watching;
                if !self.asked.remove(&key(&query)) {
                    return Vec::new();
                }
                self.looked(&query, *outcome, now)
            }
            (Stage::Watching, Input::StopWatching) => {
                self.leave_unmade(None);
                let left = self.verdict(Watch::left);
                self.end(left)
            }
            (stage, _) => {
                self.stage = stage;
                Vec::new()
            }
        }
    }

    /// Asks for what is not known yet, or makes the plan.
    fn read_on(&mut self, now: Moment) -> Vec<Demand> {
        let wants: Vec<Query> = draft::wants(&self.action, &self.facts)
            .into_iter()
            .filter(|query| !self.facts.has(query) && self.asked.insert(key(query)))
            .collect();
        if !wants.is_empty() {
            return wants.into_iter().map(|query| Demand::Read { query, at: now }).collect();
        }
        let drafted = match draft::draft(&self.action, &self.id, &self.facts, now.wall) {
            Ok(drafted) => drafted,
            Err(NoPlan::Failed(why)) => return self.end(Verdict::Failed { why }),
            Err(NoPlan::Refused(why)) => return self.end(Verdict::Refused { why }),
        };
        if let Some(difference) = self.saw.as_ref().and_then(|saw| saw.difference(&drafted.saw)) {
            return self.end(Verdict::Changed { difference });
        }
        if let Some(difference) = self.draft.as_ref().and_then(|before| before.plan.difference(&drafted.plan))
        {
            return self.end(Verdict::Changed { difference });
        }
        if let Some(why) = drafted.plan.blocked() {
            self.draft = Some(drafted);
            return self.end(Verdict::Refused { why });
        }
        if let Some(why) = self.policy.forbids().filter(|_| self.only_planned) {
            let why = why.to_owned();
            self.draft = Some(drafted);
            return self.end(Verdict::Refused { why });
        }
        if !drafted.attached.is_empty() {
            let watch = |(goal, id): &(Goal, String)| {
                let receipt = Receipt { deployment: Some(id.clone()), ..Receipt::default() };
                Watch::new(goal.clone(), receipt, Moment { wall: Wall(0), ..now }, now, false)
            };
            self.watches = drafted.attached.iter().map(watch).collect();
            self.draft = Some(drafted);
            self.until = self.watch_for.map(|time| now.plus(time));
            self.stage = Stage::Watching;
            return self.look_now(now);
        }
        self.saw = Some(drafted.saw.clone());
        let destructive = drafted.destructive;
        self.draft = Some(drafted);
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Reading { confirmed: Some(reason) } => self.begin(reason, now),
            _ => self.ask(self.policy.friction(destructive), None, now),
        }
    }

    fn ask(&mut self, friction: Friction, mistake: Option<Mistake>, read_at: Moment) -> Vec<Demand> {
        let Some(draft) = &self.draft else {
            return self.end(Verdict::Refused { why: "there is no plan".to_owned() });
        };
        let plan = Box::new(draft.plan.clone());
        self.stage = Stage::Confirming { read_at };
        vec![Demand::Confirm { plan, friction, name: self.action.name(), mistake }]
    }

    /// Everything is said: the calls begin.
    fn begin(&mut self, reason: Option<String>, now: Moment) -> Vec<Demand> {
        self.reason = reason.or_else(|| self.usual_reason.clone());
        self.steps = self.draft.as_ref().map(|draft| draft.steps.clone().into()).unwrap_or_default();
        if self.steps.is_empty() {
            return self.end(Verdict::Refused { why: "there is nothing to do".to_owned() });
        }
        self.go_on(now)
    }

    /// Records the next call's intent, or watches when all are made.
    fn go_on(&mut self, now: Moment) -> Vec<Demand> {
        if let Some(why) = self.policy.stops().filter(|_| self.recorded > 0).map(ToOwned::to_owned) {
            self.leave_unmade(Some(&why));
            return self.finish(now);
        }
        let Some(mut step) = self.steps.pop_front() else { return self.finish(now) };
        self.until = None;
        if let Some(arn) = self.receipts.iter().rev().find_map(|receipt| receipt.definition.as_deref()) {
            step.mutation = step.mutation.with_registered(arn);
        }
        if let Mutation::StopTask { reason, .. } = &mut step.mutation {
            *reason = self.stop_reason(reason);
        }
        step.mutation = step.mutation.made_at(now.wall);
        let Some(draft) = &self.draft else { return self.finish(now) };
        let words = |side: fn(&crate::domain::plan::FieldChange) -> &str| {
            let parts = draft.plan.changes.iter().map(|change| format!("{} {}", change.field, side(change)));
            parts.collect::<Vec<String>>().join(", ")
        };
        let intent = Intent {
            mutation: step.mutation.clone(),
            verb: self.action.verb().to_owned(),
            // A restart stops one task after the other: it is the service's all the same.
            target: match &self.action {
                Action::Restart { .. } => self.action.target(),
                _ => step.mutation.target(),
            },
            step: self.recorded + 1,
            steps: draft.steps.len(),
            before: words(|change| &change.before),
            after: words(|change| &change.after),
            reason: self.reason.clone(),
        };
        self.stage = Stage::Recording { step: Box::new(step) };
        vec![Demand::Record(Box::new(intent))]
    }

    /// What ECS and everybody who looks at the task are told: who, for which incident, by which operation, why.
    fn stop_reason(&self, asked: &str) -> String {
        let why = self.reason.as_deref().unwrap_or(asked);
        let text = format!("opsdeck {} {}: {why}", self.operator, self.id);
        // ECS takes 1,024 characters.
        text.chars().take(1_000).collect()
    }

    /// The one place where a permit is minted: the intent is on disk, and the stage moves on for good.
    fn call(&mut self, step: Box<Step>, now: Moment) -> Vec<Demand> {
        self.recorded += 1;
        let Some(saw) = self.saw.clone() else {
            return self.end(Verdict::Refused { why: "the target was never read".to_owned() });
        };
        let mutation = step.mutation.clone();
        self.stage = Stage::Calling { step, sent: now };
        vec![Demand::Call(Permit::mint(mutation, saw, self.policy.clone(), self.id.clone()))]
    }

    fn called(&mut self, step: Step, outcome: CallOutcome, sent: Moment, now: Moment) -> Vec<Demand> {
        let name = self.step_name(&step);
        let (receipt, lost) = match outcome {
            CallOutcome::Accepted(receipt) => (receipt, None),
            CallOutcome::Refused(fault) => {
                self.broken = Some((name, Verdict::Failed { why: format!("AWS refused: {fault}") }));
                return self.finish(now);
            }
            CallOutcome::NotSent(fault) => {
                self.broken =
                    Some((name, Verdict::Failed { why: format!("nothing was sent to AWS: {fault}") }));
                return self.finish(now);
            }
            CallOutcome::Lost(fault) => (Receipt::default(), Some(fault)),
        };
        let mut goal = step.goal.clone();
        if let (Goal::Deployment { runs, service, .. }, Mutation::UpdateService { change, .. }) =
            (&mut goal, &step.mutation)
        {
            let named = match &change.definition {
                Some(Definition::Named(arn)) => Some(Revision::of(arn)),
                _ => self.facts.service(service).map(|service| service.revision.clone()),
            };
            *runs = named.filter(|revision| revision.number > 0);
        }
        let note =
            Acknowledged { step: self.recorded, lost: lost.as_ref().map(ToString::to_string), receipt };
        let watch =
            Watch::new(goal, note.receipt.clone(), sent, now, note.lost.is_some()).then(step.after.clone());
        self.receipts.push(note.receipt.clone());
        if let Some(fault) = lost {
            // What cannot be told by looking ends here, and so do the calls that come after it.
            let register = matches!(step.mutation, Mutation::RegisterTaskDefinition { .. });
            if self.patience().is_none() || register || watch.query().is_none() {
                let how_to_find_out = format!("the answer was lost ({fault}): {}", watch.how_to_find_out());
                self.broken = Some((name, Verdict::Unknown { how_to_find_out }));
                return note_then(note, self.finish(now));
            }
        }
        self.watches.push(watch);
        let mut next = if step.wait { self.finish(now) } else { self.go_on(now) };
        next.insert(0, Demand::Acknowledge(Box::new(note)));
        next
    }

    /// Calls of the plan that are not made any more are a part of the verdict.
    fn leave_unmade(&mut self, why: Option<&str>) {
        let count = std::mem::take(&mut self.steps).len();
        if count > 0 {
            let calls = crate::stdx::text::count(count, "call");
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            self.unmade = Some(Verdict::Refused { why: format!("{calls} of the plan not made{why}") });
        }
    }

    /// How long to watch; calls of which one waits for the other are always watched.
    fn patience(&self) -> Option<Duration> {
        let waits = self.draft.as_ref().is_some_and(|draft| draft.steps.iter().any(|step| step.wait));
        self.watch_for.or(waits.then_some(WATCH_FOR))
    }

    fn step_name(&self, step: &Step) -> String {
        let of = self.draft.as_ref().map_or(1, |draft| draft.steps.len());
        if of == 1 {
            return String::new();
        }
        format!("{} of {}", step.mutation.action(), step.mutation.target())
    }

    /// No call is to be made now: watches what was begun, or ends.
    fn finish(&mut self, now: Moment) -> Vec<Demand> {
        let Some(time) = self.patience() else {
            self.leave_unmade(None);
            let verdict = self.verdict(Watch::left);
            return self.end(verdict);
        };
        if self.watches.iter().all(|watch| watch.verdict().is_some()) {
            return self.done(now);
        }
        self.until.get_or_insert(now.plus(time));
        self.stage = Stage::Watching;
        self.look_again(now)
    }

    /// All that was begun has ended: the next call, or the verdict.
    fn done(&mut self, now: Moment) -> Vec<Demand> {
        let well = self.watches.iter().all(|watch| watch.verdict() == Some(&Verdict::Succeeded));
        if well && self.broken.is_none() && !self.steps.is_empty() {
            return self.go_on(now);
        }
        self.leave_unmade(None);
        let verdict = self.verdict(Watch::timed_out);
        self.end(verdict)
    }

    fn look_now(&mut self, now: Moment) -> Vec<Demand> {
        self.look(|_| now)
    }

    fn look_again(&mut self, now: Moment) -> Vec<Demand> {
        self.look(|watch| now.plus(watch.every()))
    }

    fn look(&mut self, at: impl Fn(&Watch) -> Moment) -> Vec<Demand> {
        let queries: Vec<(Query, Moment)> =
            self.watches.iter().filter_map(|watch| Some((watch.query()?, at(watch)))).collect();
        let asked = &mut self.asked;
        queries
            .into_iter()
            .filter(|(query, _)| asked.insert(key(query)))
            .map(|(query, at)| Demand::Read { query, at })
            .collect()
    }

    fn looked(&mut self, query: &Query, outcome: Result<Answer, Fault>, now: Moment) -> Vec<Demand> {
        // A failed look says nothing about the target.
        let mut turned = false;
        for watch in self.watches.iter_mut().filter(|watch| watch.query().as_ref() == Some(query)) {
            match &outcome {
                Ok(answer) => {
                    watch.look(query, answer, now);
                    turned |= watch.is_turning();
                }
                Err(fault) => watch.miss(fault),
            }
        }
        if self.watches.iter().all(|watch| watch.verdict().is_some()) {
            return self.done(now);
        }
        if self.until.is_some_and(|until| now.mono >= until.mono) {
            self.leave_unmade(None);
            let verdict = self.verdict(Watch::timed_out);
            return self.end(verdict);
        }
        if turned { self.look_now(now) } else { self.look_again(now) }
    }

    /// The verdict of all that was begun; `open` is what becomes of a watch that has not ended.
    fn verdict(&self, open: impl Fn(&Watch) -> Verdict) -> Verdict {
        let mut parts: Vec<(String, Verdict)> = self
            .watches
            .iter()
            .map(|watch| (watch.name(), watch.verdict().cloned().unwrap_or_else(|| open(watch))))
            .collect();
        parts.extend(self.broken.clone());
        parts.extend(self.unmade.clone().map(|verdict| (String::new(), verdict)));
        verdicts::together(parts)
    }
}

/// A question's name among those under way.
fn key(query: &Query) -> String {
    format!("{query:?}")
}

fn note_then(note: Acknowledged, mut demands: Vec<Demand>) -> Vec<Demand> {
    demands.insert(0, Demand::Acknowledge(Box::new(note)));
    demands
}

#[cfg(test)]
pub(super) mod tests;
