//! What a verb makes of what was read: the plan, the calls in order, and how each call's end is told.
//!
//! Must not perform anything, nor decide whether it may happen.

use super::facts::Facts;
use super::saw::Saw;
use super::verb;
use super::watch::{Goal, Steady};
use crate::domain::action::{Action, Deploy};
use crate::domain::ecs::ServiceId;
use crate::domain::mutation::Mutation;
use crate::domain::plan::Plan;
use crate::domain::query::Query;
use crate::stdx::clock::Wall;

/// One call, and what shows its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// The call.
    pub mutation: Mutation,
    /// How its end is told.
    pub goal: Goal,
    /// Whether the next call waits for that end.
    pub wait: bool,
    /// The services that are looked at after it.
    pub after: Option<Steady>,
}

impl Step {
    /// A call whose end is watched together with the others'.
    pub fn new(mutation: Mutation, goal: Goal) -> Self {
        Self { mutation, goal, wait: false, after: None }
    }

    /// A call whose end the next one waits for.
    pub fn waited(mutation: Mutation, goal: Goal) -> Self {
        Self { mutation, goal, wait: true, after: None }
    }
}

/// A plan with its calls.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft {
    /// What is shown.
    pub plan: Plan,
    /// The calls in order.
    pub steps: Vec<Step>,
    /// What the confirmation is bound to.
    pub saw: Saw,
    /// Whether it cannot be undone by the scheduler or by doing something else.
    pub destructive: bool,
    /// Whether what it returns to is a guess, which a person has to look at.
    pub guess: bool,
    /// What is watched without a call, with the id of what somebody else started.
    pub attached: Vec<(Goal, String)>,
}

impl Draft {
    /// A plan of these steps that can be undone.
    pub fn new(mut plan: Plan, steps: Vec<Step>, saw: Saw) -> Self {
        plan.calls = steps.iter().map(|step| step.mutation.clone()).collect();
        Self { plan, steps, saw, destructive: false, guess: false, attached: Vec::new() }
    }

    /// The same, as something that cannot be undone.
    pub fn destructive(mut self) -> Self {
        self.destructive = true;
        self
    }

    /// The same, whose aim is a guess.
    pub fn guessed(mut self) -> Self {
        self.guess = true;
        self
    }

    /// Both, under one plan.
    pub fn and(mut self, other: Self) -> Self {
        self.plan.absorb(other.plan);
        self.steps.extend(other.steps);
        self.saw = self.saw.and(other.saw);
        self.destructive |= other.destructive;
        self.guess |= other.guess;
        self.attached.extend(other.attached);
        self
    }
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoPlan {
    /// The target is not there, or could not be read.
    Failed(String),
    /// It makes no sense as asked.
    Refused(String),
}

/// What else to ask for a plan; what was asked before may stand among it.
pub(super) fn wants(action: &Action, facts: &Facts) -> Vec<Query> {
    match action {
        Action::Deploy { services, what } => {
            services.iter().flat_map(|service| verb::deploy::wants(service, what, facts)).collect()
        }
        Action::RollBack { services, to } => {
            services.iter().flat_map(|service| verb::rollback::wants(service, to, facts)).collect()
        }
        Action::Scale { service, desired, .. } => verb::scale::count_wants(service, *desired, facts),
        Action::Bounds { service, .. } => verb::scale::wants(service, facts),
        Action::OnDemand { service } => verb::deploy::wants(service, &Deploy::Force, facts),
        Action::StopTask { task, .. } => verb::task::stop_wants(task),
        Action::Restart { service, .. } => verb::task::restart_wants(service, facts),
        Action::Continue { service } => verb::rollback::continue_wants(service, facts),
        Action::RunTask { service, .. } => verb::task::run_wants(service, facts),
        Action::Watch { services } => services.iter().map(super::facts::service_query).collect(),
        Action::Secret { secret, .. } => verb::secret::wants(secret, facts),
        Action::Database { database, work } => verb::database::wants(database, work, facts),
        Action::CacheFailover { cache, .. } => verb::database::cache_wants(cache, facts),
        Action::Alarm { alarm, .. } => verb::alarm::wants(alarm, facts),
    }
}

/// The plan, from what was read.
pub(super) fn draft(action: &Action, id: &str, facts: &Facts, now: Wall) -> Result<Draft, NoPlan> {
    let mut draft = match action {
        Action::Deploy { services, what } => {
            together(services, |service| verb::deploy::draft(service, what, facts, now))?
        }
        Action::RollBack { services, to } => {
            together(services, |service| verb::rollback::draft(service, to, facts, now))?
        }
        Action::Scale { service, desired, pools } => {
            verb::scale::draft(service, *desired, pools, facts, now)?
        }
        Action::Bounds { service, change } => verb::scale::bounds(service, change, facts)?,
        Action::OnDemand { service } => verb::scale::on_demand(service, facts, now)?,
        Action::StopTask { task, reason, .. } => verb::task::stop(task, reason, id, facts)?,
        Action::Restart { service, reason } => verb::task::restart(service, reason, facts)?,
        Action::Continue { service } => verb::rollback::resume(service, facts)?,
        Action::RunTask { service, container, command } => {
            verb::task::run(service, container.as_deref(), command, id, facts, now)?
        }
        Action::Watch { services } => {
            together(services, |service| verb::deploy::attach(service, facts, now))?
        }
        Action::Secret { secret, work } => verb::secret::draft(secret, work, id, facts, now)?,
        Action::Database { database, work } => verb::database::draft(database, work, facts)?,
        Action::CacheFailover { cache, node_group } => {
            verb::database::cache_failover(cache, node_group.as_deref(), facts)?
        }
        Action::Alarm { alarm, work } => verb::alarm::draft(alarm, *work, facts, now)?,
    };
    draft.plan.title = action.to_string();
    draft.plan.changes = super::diff::folded(draft.plan.changes);
    Ok(draft)
}

/// Several services of one release under one plan.
fn together<'a>(
    services: &'a [ServiceId],
    draft: impl Fn(&'a ServiceId) -> Result<Draft, NoPlan>,
) -> Result<Draft, NoPlan> {
    let mut whole: Option<Draft> = None;
    for service in services {
        let mut draft = draft(service)?;
        if services.len() > 1 {
            // Which of them a line is about.
            let name = format!("{}/{}", service.cluster, service.name);
            draft
                .plan
                .changes
                .iter_mut()
                .for_each(|change| change.field = format!("{name} {}", change.field));
            draft.plan.checks.iter_mut().for_each(|check| check.name = format!("{name} {}", check.name));
            draft.plan.reach.iter_mut().for_each(|line| *line = format!("{name}: {line}"));
        }
        whole = Some(match whole {
            None => draft,
            Some(before) => before.and(draft),
        });
    }
    whole.ok_or_else(|| NoPlan::Refused("no service was named".to_owned()))
}
