//! Would the next task start: the questions that `diagnose` wants answered, asked once, when somebody looks.
//!
//! Must not ask by itself: a check costs a request for each thing that a start needs.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::app::Effect;
use crate::app::refresh::{Interest, Refresh, Token};
use crate::app::world::World;
use crate::diagnose::Finding;
use crate::diagnose::next_start::{self, Check, NextStartFacts};
use crate::domain::ecs::{Service, ServiceId, ServiceRevision};
use crate::domain::fault::Fault;
use crate::domain::query::{Answer, Class, Query};
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::{Moment, Wall};

/// Requests under way at once.
const IN_FLIGHT: usize = 6;

/// So long what a check found stands among the problems: then somebody may have mended it.
const TOLD: Duration = Duration::from_secs(10 * 60);

/// A check that came to its end.
#[derive(Clone, Debug)]
struct Ended {
    facts: NextStartFacts,
    /// What was checked: another definition makes it void.
    definition: String,
    at: Moment,
}

/// The check of one service.
#[derive(Clone, Debug, Default)]
pub struct NextStart {
    /// Whose.
    pub service: Option<ServiceId>,
    facts: NextStartFacts,
    begun: bool,
    backlog: VecDeque<Query>,
    waiting: BTreeMap<Token, ()>,
    ended: BTreeMap<ServiceId, Ended>,
}

/// What the checks are of.
struct Running<'w> {
    service: &'w Service,
    definition: &'w TaskDefinition,
    revision: Option<&'w ServiceRevision>,
}

/// Whether the revision, which knows the digests that run, is still to come: without it no image could be asked for.
fn awaits_revision(running: &Running<'_>, refresh: &Refresh) -> bool {
    let (service, wanted) = (running.service, &running.service.current_service_revisions);
    if wanted.is_empty() || running.revision.is_some() {
        return false;
    }
    let interest = Interest::Revisions(service.id.scope.clone(), wanted.clone());
    refresh.entry(&interest).is_none_or(|entry| entry.fresh_at.is_none() && entry.fault.is_none())
}

fn running<'w>(world: &'w World, service: &ServiceId) -> Option<Running<'w>> {
    let service = &world.service(service)?.value;
    let key = (service.id.scope.clone(), service.task_definition_arn.clone());
    let definition = world.definitions.get(&key)?.value.as_ref()?;
    let revision = service.current_service_revisions.iter().find_map(|arn| world.revisions.get(arn));
    Some(Running { service, definition, revision })
}

impl NextStart {
    /// Checks a service from the beginning.
    pub fn open(&mut self, service: ServiceId) {
        let ended = std::mem::take(&mut self.ended);
        *self = Self { service: Some(service), ended, ..Self::default() };
    }

    fn running<'w>(&self, world: &'w World) -> Option<Running<'w>> {
        running(world, self.service.as_ref()?)
    }

    /// Whether answers are still to come.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        !self.begun || !self.backlog.is_empty() || !self.waiting.is_empty()
    }

    /// How many answers are still to come.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.backlog.len() + self.waiting.len()
    }

    /// Asks what there is to ask.
    pub fn schedule(&mut self, refresh: &mut Refresh, world: &World) -> Vec<Effect> {
        if !self.begun
            && let Some(running) = self.running(world)
            && !awaits_revision(&running, refresh)
        {
            let needed = next_start::needed(running.definition, running.revision, running.service);
            self.backlog.extend(needed);
            self.begun = true;
        }
        let mut effects = Vec::new();
        while self.waiting.len() < IN_FLIGHT {
            let Some(query) = self.backlog.pop_front() else { break };
            let token = refresh.token();
            self.waiting.insert(token, ());
            effects.push(Effect::Query { token, query, class: Class::Foreground });
        }
        effects
    }

    /// Takes an answer in; says whether it was one of its own.
    pub fn absorb(
        &mut self,
        token: Token,
        query: &Query,
        outcome: &Result<Answer, Fault>,
        world: &World,
        at: Moment,
    ) -> bool {
        if self.waiting.remove(&token).is_none() {
            return false;
        }
        let more = self.facts.absorb(query, outcome);
        self.backlog.extend(more);
        if !self.is_under_way()
            && let Some(running) = self.running(world)
        {
            let definition = running.service.task_definition_arn.clone();
            let ended = Ended { facts: self.facts.clone(), definition, at };
            self.ended.insert(running.service.id.clone(), ended);
        }
        true
    }

    /// What the checks of the last minutes found, as problems of their services as they are now.
    #[must_use]
    pub fn findings(&self, world: &World, now: Moment) -> Vec<Finding> {
        let fresh = self.ended.iter().filter(|(_, ended)| now.since(ended.at) < TOLD);
        fresh
            .filter_map(|(id, ended)| {
                let Running { service, definition, revision } = running(world, id)?;
                if service.task_definition_arn != ended.definition {
                    return None;
                }
                let checks = next_start::checks(service, definition, revision, &ended.facts, now.wall);
                let finding = next_start::finding_of(service, &checks)?;
                Some(finding.because(Some(ended.at.wall), "The next start was checked"))
            })
            .collect()
    }

    /// The checks, the worst first; `None` before the service and its definition are known.
    #[must_use]
    pub fn checks(&self, world: &World, now: Wall) -> Option<Vec<Check>> {
        let running = self.running(world).filter(|_| self.begun)?;
        let mut checks =
            next_start::checks(running.service, running.definition, running.revision, &self.facts, now);
        let tasks = world.tasks.values().map(|seen| &seen.value);
        // How the last start went is the best witness, where its task was read.
        if let Some(last) = next_start::last_start(running.service, tasks, now) {
            let place = checks.iter().position(|check| check.verdict > last.verdict).unwrap_or(checks.len());
            checks.insert(place, last);
        }
        Some(checks)
    }
}
