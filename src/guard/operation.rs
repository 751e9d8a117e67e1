//! One mutation, from the key to the verdict.
//!
//! The driver performs what a `Demand` says and hands back an `Input`. An input that does not fit the present
//! stage is ignored: a late answer or a second confirmation can do nothing. A permit is minted in one place, on
//! the one way from a confirmation through a journalled intent, and the stage is left in the same move.

use std::time::Duration;

use super::permit::Permit;
use super::policy::{Friction, Policy};
use super::preflight::{self, Target};
use super::saw::Saw;
use super::watch::Watch;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mutation::Mutation;
use crate::domain::plan::Plan;
use crate::domain::query::{Answer, Query};
use crate::domain::verdict::Verdict;
use crate::journal::Intent;
use crate::stdx::clock::Moment;

/// A look at the target older than this is repeated before the intent is written: dialogs stay open for long.
const FRESH: Duration = Duration::from_secs(10);
/// Time between two looks while watching.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a rollout is watched when nobody says otherwise.
const WATCH_FOR: Duration = Duration::from_secs(30 * 60);

/// What the machine wants done.
#[derive(Debug, PartialEq)]
pub enum Demand {
    /// Ask this at `at`, in the foreground class, and hand back `Input::Read`.
    Read {
        /// What to ask.
        query: Query,
        /// When; now for a re-read, later while watching.
        at: Moment,
    },
    /// Show the plan, and hand back `Input::Confirm` or `Input::Cancel`.
    Confirm {
        /// What would happen.
        plan: Box<Plan>,
        /// What the confirmation takes.
        friction: Friction,
        /// The name to type.
        name: String,
        /// What was wrong with the last confirmation.
        mistake: Option<Mistake>,
    },
    /// Write the intent to the journal and hand back `Input::Recorded`.
    Record(Box<Intent>),
    /// Make the call, once, and hand back `Input::Called`.
    Call(Permit),
    /// It is over. When the intent was recorded, the outcome belongs in the journal too.
    End {
        /// How.
        verdict: Verdict,
        /// Whether an intent stands in the journal.
        recorded: bool,
    },
}

/// What is wrong with a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The typed name is another.
    #[error("the name does not match")]
    Name,
    /// A reason is wanted.
    #[error("a reason is wanted")]
    Reason,
    /// One key is not enough here.
    #[error("the name has to be typed")]
    TooLittle,
}

/// How the operator said yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// With one key.
    Key,
    /// By typing.
    Typed {
        /// The target's name.
        name: String,
        /// Why.
        reason: Option<String>,
    },
    /// `--yes` on a command line that already names the target.
    CommandLine {
        /// `--reason`.
        reason: Option<String>,
    },
}

/// How the call went.
#[derive(Clone, Debug, PartialEq)]
pub enum CallOutcome {
    /// AWS accepted it.
    Accepted {
        /// The id of the deployment that it started, from the answer itself.
        deployment: Option<String>,
    },
    /// AWS answered that it did not do it.
    Refused(Fault),
    /// The request never left: no connection was made.
    NotSent(Fault),
    /// No answer that could be read: it may have happened.
    Lost(Fault),
}

impl CallOutcome {
    /// Sorts a fault: only an answer that says no, or a request that never left, is a failure.
    #[must_use]
    pub fn of_fault(fault: Fault, sent: bool) -> Self {
        if !sent {
            return Self::NotSent(fault);
        }
        match fault.kind {
            FaultKind::NoCredentials
            | FaultKind::Expired
            | FaultKind::Denied
            | FaultKind::Throttled
            | FaultKind::NotFound
            | FaultKind::Unsupported
            | FaultKind::Invalid
            | FaultKind::Config => Self::Refused(fault),
            FaultKind::Network | FaultKind::Server | FaultKind::Garbled | FaultKind::Unknown => {
                Self::Lost(fault)
            }
        }
    }
}

/// What the driver hands back.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// To `Demand::Read`.
    Read(Box<Result<Answer, Fault>>),
    /// To `Demand::Confirm`: yes.
    Confirm(Confirmation),
    /// To `Demand::Confirm`: no.
    Cancel,
    /// To `Demand::Record`: whether it is on disk, or why not.
    Recorded(Result<(), String>),
    /// To `Demand::Call`.
    Called(CallOutcome),
    /// The operator stops watching; what was started goes on.
    StopWatching,
}

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    New,
    Reading,
    Confirming {
        plan: Box<Plan>,
        friction: Friction,
        read_at: Moment,
    },
    /// Confirmed long after the look: looking again.
    Rereading {
        reason: Option<String>,
    },
    Recording,
    Calling,
    Watching {
        watch: Watch,
        until: Moment,
    },
    Ended,
}

/// One mutation under way.
#[derive(Debug, PartialEq)]
pub struct Operation {
    id: String,
    mutation: Mutation,
    policy: Policy,
    saw: Option<Saw>,
    watch_for: Option<Duration>,
    stage: Stage,
    recorded: bool,
}

impl Operation {
    /// A mutation that was asked for. `id` names it in the journal. `saw` is what the operator had on the screen
    /// when asking; a command line saw nothing.
    #[must_use]
    pub fn new(id: impl Into<String>, mutation: Mutation, policy: Policy, saw: Option<Saw>) -> Self {
        let (id, watch_for) = (id.into(), Some(WATCH_FOR));
        Self { id, mutation, policy, saw, watch_for, stage: Stage::New, recorded: false }
    }

    /// The same, watched for another time, or not at all.
    #[must_use]
    pub fn watched_for(mut self, time: Option<Duration>) -> Self {
        self.watch_for = time;
        self
    }

    /// Its name in the journal.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is about.
    #[must_use]
    pub fn mutation(&self) -> &Mutation {
        &self.mutation
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// The first demand.
    pub fn start(&mut self, now: Moment) -> Vec<Demand> {
        if self.stage != Stage::New {
            return Vec::new();
        }
        if let Some(why) = self.policy.forbids() {
            return self.end(Verdict::Refused { why: why.to_owned() });
        }
        self.stage = Stage::Reading;
        vec![Demand::Read { query: self.look(), at: now }]
    }

    /// The question that shows the target.
    fn look(&self) -> Query {
        match &self.mutation {
            Mutation::ForceDeployment { service } => Query::DescribeServices {
                scope: service.scope.clone(),
                cluster: service.cluster.clone(),
                services: vec![service.name.clone()],
            },
            Mutation::StopTask { task, .. } => Query::DescribeTasks {
                scope: task.scope.clone(),
                cluster: task.cluster.clone(),
                tasks: vec![task.id.clone()],
            },
        }
    }

    /// The name that a confirmation types.
    fn name(&self) -> &str {
        match &self.mutation {
            Mutation::ForceDeployment { service } => &service.name,
            Mutation::StopTask { task, .. } => task.short(),
        }
    }

    fn end(&mut self, verdict: Verdict) -> Vec<Demand> {
        self.stage = Stage::Ended;
        vec![Demand::End { verdict, recorded: self.recorded }]
    }

    /// Takes what the driver did, and says what comes next.
    pub fn step(&mut self, input: Input, now: Moment) -> Vec<Demand> {
        match (std::mem::replace(&mut self.stage, Stage::Ended), input) {
            (Stage::Reading, Input::Read(outcome)) => self.read(*outcome, None, now),
            (Stage::Rereading { reason }, Input::Read(outcome)) => self.read(*outcome, Some(reason), now),
            (Stage::Confirming { plan, friction, read_at }, Input::Confirm(confirmation)) => {
                self.confirmed(confirmation, plan, friction, read_at, now)
            }
            (Stage::Confirming { .. } | Stage::Reading | Stage::Rereading { .. }, Input::Cancel) => {
                self.end(Verdict::Refused { why: "cancelled".to_owned() })
            }
            (Stage::Recording, Input::Recorded(Ok(()))) => self.call(),
            (Stage::Recording, Input::Recorded(Err(why))) => self.end(Verdict::Refused {
                why: format!("the intent could not be written to the journal ({why}); AWS was not called"),
            }),
            (Stage::Calling, Input::Called(outcome)) => self.called(outcome, now),
            (Stage::Watching { watch, until }, Input::Read(outcome)) => {
                self.watched(watch, until, *outcome, now)
            }
            (Stage::Watching { .. }, Input::StopWatching) => self.end(Verdict::Accepted),
            (stage, _) => {
                self.stage = stage;
                Vec::new()
            }
        }
    }

    /// The target as it is now. `confirmed` holds the reason when the confirmation has been given.
    fn read(
        &mut self,
        outcome: Result<Answer, Fault>,
        confirmed: Option<Option<String>>,
        now: Moment,
    ) -> Vec<Demand> {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(fault) => {
                let why =
                    format!("the target could not be read again ({fault}); AWS was not asked to change it");
                return self.end(Verdict::Failed { why });
            }
        };
        let Some((target, seen)) = self.target(&answer) else {
            let why = format!("{} was not found", self.mutation.target());
            return self.end(Verdict::Failed { why });
        };
        if let Some(difference) = self.saw.as_ref().and_then(|saw| saw.difference(&seen)) {
            return self.end(Verdict::Changed { difference });
        }
        self.saw = Some(seen);
        let plan = Box::new(preflight::plan(&self.mutation, target));
        if let Some(why) = plan.blocked() {
            return self.end(Verdict::Refused { why });
        }
        if let Some(reason) = confirmed {
            return self.record(&plan, reason);
        }
        let friction = self.policy.friction(preflight::is_destructive(target));
        self.ask(plan, friction, None, now)
    }

    /// The target in an answer, if it is the one that was asked for.
    fn target<'a>(&self, answer: &'a Answer) -> Option<(Target<'a>, Saw)> {
        match (&self.mutation, answer) {
            (Mutation::ForceDeployment { service }, Answer::Services { found, .. }) => {
                let service = found.iter().find(|s| s.id == *service)?;
                Some((Target::Service(service), Saw::service(service)))
            }
            (Mutation::StopTask { task, .. }, Answer::Tasks { found, .. }) => {
                let task = found.iter().find(|t| t.id == *task)?;
                Some((Target::Task(task), Saw::task(task)))
            }
            _ => None,
        }
    }

    fn ask(
        &mut self,
        plan: Box<Plan>,
        friction: Friction,
        mistake: Option<Mistake>,
        read_at: Moment,
    ) -> Vec<Demand> {
        let demand = Demand::Confirm { plan: plan.clone(), friction, name: self.name().to_owned(), mistake };
        self.stage = Stage::Confirming { plan, friction, read_at };
        vec![demand]
    }

    fn confirmed(
        &mut self,
        confirmation: Confirmation,
        plan: Box<Plan>,
        friction: Friction,
        read_at: Moment,
        now: Moment,
    ) -> Vec<Demand> {
        let reason = match self.accepts(confirmation, friction) {
            Ok(reason) => reason,
            Err(mistake) => return self.ask(plan, friction, Some(mistake), read_at),
        };
        if now.since(read_at) > FRESH {
            self.stage = Stage::Rereading { reason };
            return vec![Demand::Read { query: self.look(), at: now }];
        }
        self.record(&plan, reason)
    }

    /// Whether a confirmation is enough; its reason.
    fn accepts(&self, confirmation: Confirmation, friction: Friction) -> Result<Option<String>, Mistake> {
        let given = |reason: Option<String>| reason.filter(|reason| !reason.trim().is_empty());
        let reason = match confirmation {
            Confirmation::Key if friction == Friction::YesKey => None,
            Confirmation::Key => return Err(Mistake::TooLittle),
            Confirmation::Typed { name, .. } if friction > Friction::YesKey && name != self.name() => {
                return Err(Mistake::Name);
            }
            Confirmation::Typed { reason, .. } | Confirmation::CommandLine { reason } => given(reason),
        };
        if friction == Friction::TypedNameAndReason && reason.is_none() {
            return Err(Mistake::Reason);
        }
        Ok(reason)
    }

    fn record(&mut self, plan: &Plan, reason: Option<String>) -> Vec<Demand> {
        let words = |side: fn(&crate::domain::plan::FieldChange) -> &str| {
            let parts: Vec<String> =
                plan.changes.iter().map(|change| format!("{} {}", change.field, side(change))).collect();
            parts.join(", ")
        };
        let intent = Intent {
            mutation: self.mutation.clone(),
            target: self.mutation.target(),
            before: words(|change| &change.before),
            after: words(|change| &change.after),
            reason,
        };
        self.stage = Stage::Recording;
        vec![Demand::Record(Box::new(intent))]
    }

    /// The one place where a permit is minted: the intent is on disk, and the stage moves on for good.
    fn call(&mut self) -> Vec<Demand> {
        self.recorded = true;
        let Some(saw) = self.saw.clone() else {
            return self.end(Verdict::Refused { why: "the target was never read".to_owned() });
        };
        self.stage = Stage::Calling;
        let permit = Permit::mint(self.mutation.clone(), saw, self.policy.clone(), self.id.clone());
        vec![Demand::Call(permit)]
    }

    fn called(&mut self, outcome: CallOutcome, now: Moment) -> Vec<Demand> {
        let deployment = match outcome {
            CallOutcome::Accepted { deployment } => deployment,
            CallOutcome::Refused(fault) => {
                return self.end(Verdict::Failed { why: format!("AWS refused: {fault}") });
            }
            CallOutcome::NotSent(fault) => {
                return self.end(Verdict::Failed { why: format!("nothing was sent to AWS: {fault}") });
            }
            CallOutcome::Lost(fault) => {
                let how_to_find_out = format!("the answer was lost ({fault}): {}", self.how_to_find_out());
                return self.end(Verdict::Unknown { how_to_find_out });
            }
        };
        let Some(time) = self.watch_for else {
            return self.end(Verdict::Accepted);
        };
        let watch = match (&self.mutation, deployment) {
            (Mutation::ForceDeployment { .. }, Some(id)) => Watch::deployment(id, now),
            (Mutation::ForceDeployment { .. }, None) => {
                let how_to_find_out = format!(
                    "AWS accepted it, but did not name the new deployment: {}",
                    self.how_to_find_out()
                );
                return self.end(Verdict::Unknown { how_to_find_out });
            }
            (Mutation::StopTask { .. }, _) => Watch::stop(now),
        };
        self.stage = Stage::Watching { watch, until: now.plus(time) };
        vec![Demand::Read { query: self.look(), at: now.plus(LOOK_EVERY) }]
    }

    fn how_to_find_out(&self) -> String {
        match &self.mutation {
            Mutation::ForceDeployment { service } => {
                let before = match &self.saw {
                    Some(Saw::Service { deployment: Some(id), .. }) => format!(" other than {id}"),
                    _ => String::new(),
                };
                format!(
                    "look for a PRIMARY deployment{before} with `opsdeck service {}/{}`; do not repeat it before",
                    service.cluster, service.name
                )
            }
            Mutation::StopTask { task, .. } => {
                format!(
                    "look whether task {} in {} is stopping; stopping it twice does no harm",
                    task.short(),
                    task.cluster
                )
            }
        }
    }

    fn watched(
        &mut self,
        mut watch: Watch,
        until: Moment,
        outcome: Result<Answer, Fault>,
        now: Moment,
    ) -> Vec<Demand> {
        // A failed look says nothing about the target.
        let verdict = outcome.ok().and_then(|answer| watch.look(&answer, now));
        if let Some(verdict) = verdict {
            return self.end(verdict);
        }
        if now.mono >= until.mono {
            return self.end(watch.timed_out(&self.mutation.target()));
        }
        self.stage = Stage::Watching { watch, until };
        vec![Demand::Read { query: self.look(), at: now.plus(LOOK_EVERY) }]
    }
}

#[cfg(test)]
mod tests;
