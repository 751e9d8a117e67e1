//! From stacks to a world that has a past: deployments of 90 days, stopped tasks of the last hour, and
//! sicknesses that have been going on for a while.
//!
//! Must not invent what a stack leaves open, beyond ids and instants drawn from the seed.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::sim::incidents::NamedIncident;
use crate::sim::stack::{self, Condition, Outcome, Stack};
use crate::sim::world::definition::Family;
use crate::sim::world::event::{Events, SILENCE};
use crate::sim::world::image::{Behaviour, Registry};
use crate::sim::world::service::{
    Breaker, Deployment, Opening, Placement, Record, Revision, Rollout, Service, Threshold, id,
};
use crate::sim::world::task::{Health, Status, Step, Stop, Task, TaskId, span};
use crate::sim::world::trail::Trail;
use crate::sim::world::vault::Vault;
use crate::sim::world::{Cluster, Due, Region, World};
use crate::stdx::clock::Wall;

/// For so long before the start the scheduler has already been struggling with what is sick.
const WARM_UP: Duration = Duration::from_secs(600);

/// Tasks that stopped longer ago than this are forgotten.
const MEMORY: Duration = Duration::from_secs(3600);

impl World {
    /// A world with these stacks, as it is at `now`.
    #[must_use]
    pub fn new(stacks: Vec<Stack>, seed: u64, now: Wall) -> Self {
        Self::with_incident(stacks, seed, now, None)
    }

    /// The same with a named incident around the start. It takes the place of the stacks' own time lines, so
    /// that nothing else is wrong but what they begin with.
    #[must_use]
    pub fn with_incident(
        mut stacks: Vec<Stack>,
        seed: u64,
        now: Wall,
        incident: Option<&NamedIncident>,
    ) -> Self {
        let mut warm_up = WARM_UP;
        if let Some(incident) = incident {
            for stack in &mut stacks {
                stack.timeline.clear();
            }
            warm_up = warm_up.max(incident.lead() + Duration::from_secs(60));
        }
        let stacks: Vec<Arc<Stack>> = stacks.into_iter().map(Arc::new).collect();
        let mut world = Self {
            now: now.minus(warm_up),
            opened: now,
            played_from: now.minus(warm_up),
            lag: false,
            dice: fastrand::Rng::with_seed(seed),
            read_dice: fastrand::Rng::with_seed(seed ^ 0x5ead),
            seed,
            queue: BinaryHeap::new(),
            scheduled: 0,
            regions: BTreeMap::new(),
            services: Vec::new(),
            tasks: HashMap::new(),
            stacks: stacks.clone(),
            revision_owner: HashMap::new(),
            runs: BTreeMap::new(),
            alarms: BTreeMap::new(),
            alarms_watched: false,
            log_writers: HashMap::new(),
            vault: Vault::default(),
            trail: Trail::default(),
            begun: Vec::new(),
            happenings: Vec::new(),
            faults_due: Vec::new(),
            deleted_groups: BTreeSet::new(),
            databases: Vec::new(),
            snapshots: Vec::new(),
            database_clusters: Vec::new(),
            caches: Vec::new(),
            scalings: BTreeMap::new(),
            deleted_roles: BTreeSet::new(),
        };
        for (number, stack) in stacks.iter().enumerate() {
            world.add_stack(number, stack);
        }
        world.tell_past();
        if let Some(incident) = incident {
            world.plan(incident, now);
        }
        world.advance(now);
        world
    }

    fn add_stack(&mut self, number: usize, stack: &Arc<Stack>) {
        let opened = self.opened;
        let region = self.regions.entry(stack.region.clone()).or_insert_with(|| Region {
            clusters: BTreeMap::new(),
            families: BTreeMap::new(),
            images: Registry::default(),
        });
        for (index, definition) in stack.task_definitions.iter().enumerate() {
            region.families.insert(definition.family.clone(), Family::of_stack(stack, index, opened));
        }
        for (index, cluster) in stack.clusters.iter().enumerate() {
            let name: Arc<str> = Arc::from(cluster.name.as_str());
            region.clusters.insert(
                Arc::clone(&name),
                Cluster { name, origin: (Arc::clone(stack), index), services: BTreeMap::new() },
            );
        }
        self.add_secrets(stack);
        let families: HashMap<&str, usize> = stack
            .task_definitions
            .iter()
            .enumerate()
            .map(|(place, definition)| (definition.family.as_str(), place))
            .collect();
        for (origin, spec) in stack.services.iter().enumerate() {
            let service =
                self.add_service(stack, origin, spec, families.get(spec.task_definition.as_str()).copied());
            if let Some(condition) = spec.condition {
                self.afflict(service, condition);
            }
        }
        self.tag_latest(stack);
        self.add_databases(stack);
        self.add_caches(stack);
        self.add_alarms(stack);
        for (place, incident) in stack.timeline.iter().enumerate() {
            self.schedule(Wall(opened.0.saturating_add(incident.at.millis)), Due::Incident(number, place));
        }
    }

    fn add_service(
        &mut self,
        stack: &Arc<Stack>,
        origin: usize,
        spec: &stack::Service,
        family_place: Option<usize>,
    ) -> usize {
        let index = self.services.len();
        let opened = self.opened;
        let family: Arc<str> = Arc::from(spec.task_definition.as_str());
        let breaker = Breaker {
            enable: spec.rollout.circuit_breaker,
            rollback: spec.rollout.rollback,
            reset_on_healthy: true,
            threshold: Threshold::BoundedPercent(50),
        };
        let numbers: Vec<u64> = spec
            .deployments
            .iter()
            .map(|_| self.dice.u64(1_000_000_000_000_000_000..9_000_000_000_000_000_000))
            .collect();
        let placement = Arc::new(Placement::of_stack(stack, spec));
        let revisions: Vec<Revision> = spec
            .deployments
            .iter()
            .zip(&numbers)
            .rev()
            .map(|(past, number)| Revision {
                number: *number,
                created_at: opened.minus(past.age.0),
                definition: (Arc::clone(&family), past.revision),
                placement: Arc::clone(&placement),
                build: Some(past.build.clone()),
                images: OnceCell::new(),
            })
            .collect();
        self.revision_owner.extend(numbers.iter().map(|number| (*number, index)));
        let history = self.history(spec, &numbers, breaker.limit(spec.desired));
        let running = spec.deployments.iter().position(|past| past.outcome == Outcome::Successful);
        let deployments: Vec<Deployment> = running
            .and_then(|place| Some((spec.deployments.get(place)?, *numbers.get(place)?)))
            .map(|(past, number)| Deployment {
                number,
                definition: (Arc::clone(&family), past.revision),
                created_at: opened.minus(past.age.0),
                updated_at: opened.minus(past.age.0).plus(past.took.0),
                state: Rollout::Completed,
                reason: format!("ECS deployment {} completed.", id(number)),
                failed_tasks: 0,
                launch_failures: 0,
                not_before: self.now,
            })
            .into_iter()
            .collect();
        let oldest = spec.deployments.iter().map(|past| past.age.0).max().unwrap_or_default();
        let last_good = deployments.first().map(|deployment| deployment.number);
        let name: Arc<str> = Arc::from(spec.name.as_str());
        let cluster: Arc<str> = Arc::from(spec.cluster.as_str());
        self.services.push(Service {
            region: Arc::from(stack.region.as_str()),
            cluster: Arc::clone(&cluster),
            name: Arc::clone(&name),
            stack: Arc::clone(stack),
            origin,
            family: family_place,
            active: true,
            desired: spec.desired,
            min_percent: spec.rollout.min_percent,
            max_percent: spec.rollout.max_percent,
            breaker,
            hooks: Vec::new(),
            placement,
            exec: spec.exec_enabled,
            grace_seconds: spec.health_check_grace.map(|grace| grace.0.as_secs()),
            kept: BTreeMap::new(),
            created_at: opened.minus(oldest + Duration::from_secs(86_400 * 30)),
            deployments,
            revisions,
            history,
            events: Events::default(),
            tasks: BTreeSet::new(),
            ghosts: VecDeque::new(),
            opening: Opening { number: last_good, ..Opening::default() },
            last_good,
            steady: true,
            no_capacity: false,
            reconcile_at: None,
            stale: None,
            disturbances: Vec::new(),
            desires: Vec::new(),
        });
        if let Some(cluster) =
            self.regions.get_mut(&stack.region).and_then(|region| region.clusters.get_mut(&cluster))
        {
            cluster.services.insert(name, index);
        }
        let definition = family_place.and_then(|place| stack.task_definitions.get(place));
        for container in definition.iter().flat_map(|definition| &definition.containers) {
            let writers =
                self.log_writers.entry((stack.region.clone(), container.log.group.clone())).or_default();
            if writers.last() != Some(&index) {
                writers.push(index);
            }
        }
        self.populate(index, spec, definition);
        let phase = self.opened.0.saturating_sub(
            self.services.get(index).and_then(|s| s.history.first()).map_or(0, |r| r.updated_at.0),
        );
        let until = SILENCE.as_millis() as u64 - phase.unsigned_abs() % SILENCE.as_millis() as u64;
        self.schedule(opened.plus(Duration::from_millis(until)), Due::Steady(index));
        index
    }

    fn history(&mut self, spec: &stack::Service, numbers: &[u64], limit: u32) -> Vec<Record> {
        let mut history = Vec::with_capacity(numbers.len());
        for (place, (past, number)) in spec.deployments.iter().zip(numbers).enumerate() {
            let begin = self.opened.minus(past.age.0);
            let end = begin.plus(past.took.0);
            let before = spec
                .deployments
                .iter()
                .zip(numbers)
                .skip(place + 1)
                .find_map(|(older, number)| (older.outcome == Outcome::Successful).then_some(*number));
            let rolled_back = past.outcome == Outcome::RolledBack;
            let reason = || {
                past.reason.clone().unwrap_or_else(|| {
                    "Service deployment rolled back because the circuit breaker threshold was exceeded."
                        .to_owned()
                })
            };
            history.push(Record {
                id: (0..21).map(|_| self.dice.alphanumeric()).collect(),
                created_at: begin,
                updated_at: end,
                finished_at: Some(end),
                stopped_at: (past.outcome == Outcome::Stopped).then_some(end),
                status: match past.outcome {
                    Outcome::Successful => "SUCCESSFUL",
                    Outcome::RolledBack => "ROLLBACK_SUCCESSFUL",
                    Outcome::Stopped => "STOPPED",
                },
                reason: past.reason.clone(),
                sources: before.into_iter().collect(),
                target: *number,
                requested: spec.desired,
                failures: if rolled_back { limit } else { 0 },
                rollback: before
                    .filter(|_| rolled_back)
                    .map(|good| (reason(), begin.plus(past.took.0.mul_f64(0.7)), good)),
                pauses: Vec::new(),
            });
        }
        history
    }

    /// Tasks that run, and those that stopped not long ago.
    fn populate(
        &mut self,
        service: usize,
        spec: &stack::Service,
        definition: Option<&stack::TaskDefinition>,
    ) {
        let opened = self.opened;
        let Some(found) = self.services.get(service) else { return };
        let Some(primary) = found.primary().cloned() else { return };
        let previous = found
            .history
            .iter()
            .find(|record| record.created_at < primary.created_at && record.status == "SUCCESSFUL")
            .and_then(|record| found.revision(record.target))
            .map(|revision| (revision.number, revision.definition.clone()));
        let missing = match spec.condition {
            Some(Condition::CrashLoop | Condition::Unhealthy) => spec.desired,
            Some(Condition::CannotPull | Condition::NoCapacity) => 1,
            _ => 0,
        };
        let containers = definition.map(|definition| definition.containers.as_slice()).unwrap_or_default();
        let checked =
            containers.iter().any(|container| container.essential && container.health_check.is_some());
        let subnets = spec.subnets.len().max(1);
        let grown =
            spec.scalings.first().filter(|scaling| scaling.to > scaling.from && scaling.to == spec.desired);
        for number in 0..spec.desired.saturating_sub(missing) {
            let mut started = primary.created_at.plus(Duration::from_secs(38 + 19 * u64::from(number)));
            if let Some(scaling) = grown.filter(|scaling| number >= scaling.from) {
                started = started.max(opened.minus(scaling.age.0).plus(Duration::from_secs(36)));
            }
            let started =
                started.plus(span(&mut self.dice, 0, 9_000)).min(opened.minus(Duration::from_secs(45)));
            let provider = self.provider(service);
            let task = self.remember_task(
                service,
                primary.number,
                primary.definition.clone(),
                number as usize % subnets,
            );
            task.settle(started, checked);
            task.provider = provider;
            task.exec = spec.exec_enabled;
            let id = task.id;
            if let Some(found) = self.services.get_mut(service) {
                found.opening.tasks.push(id);
            }
        }
        for past in spec.stopped.iter().filter(|past| past.age.0 < MEMORY) {
            let stopped_at = opened.minus(past.age.0);
            let started_at = stopped_at.minus(past.ran.0);
            let (number, definition) = match &previous {
                Some((number, definition)) if started_at < primary.created_at => {
                    (*number, definition.clone())
                }
                _ => (primary.number, primary.definition.clone()),
            };
            let culprit = past
                .container
                .as_ref()
                .and_then(|name| containers.iter().position(|container| container.name == *name));
            let subnet = self.dice.usize(..subnets);
            let spot = spec
                .capacity
                .iter()
                .rev()
                .find(|share| past.code != "SpotInterruption" || share.provider == "FARGATE_SPOT");
            let task = self.remember_task(service, number, definition, subnet);
            if past.code == "TaskFailedToStart" {
                task.created_at = started_at;
                task.pull_started_at = Some(started_at.plus(Duration::from_secs(8)));
            } else {
                task.settle(started_at, checked);
            }
            task.wanted = false;
            task.healthy = false;
            task.health = Health::Unknown;
            task.registered = false;
            task.status = Status::Stopped;
            task.version += 4;
            task.exec = spec.exec_enabled;
            task.provider = spot.map(|share| Arc::from(share.provider.as_str()));
            task.stopping_at = Some(stopped_at.minus(Duration::from_secs(24)).max(task.created_at));
            task.execution_stopped_at = Some(stopped_at.minus(Duration::from_secs(11)).max(task.created_at));
            task.sigterm_at = task
                .stopping_at
                .filter(|_| task.started_at.is_some() && past.code != "EssentialContainerExited");
            task.stopped_at = Some(stopped_at);
            let reason = past.reason.replace("{deployment}", &id(primary.number));
            let culprit = culprit.map(|place| (place, past.exit_code, past.container_reason.clone()));
            task.stop = Some(Stop { code: past.code.clone().into(), reason, culprit });
            let id = task.id;
            let rollout = past.reason.starts_with("Scaling activity");
            if !rollout && started_at >= primary.created_at {
                self.replace(service, id, stopped_at, past.code == "ServiceSchedulerInitiated");
            }
            self.schedule(stopped_at.plus(MEMORY), Due::Task(id, Step::Forgotten));
        }
        self.keep_replaced(service, spec, checked, MEMORY);
    }

    fn remember_task(
        &mut self,
        service: usize,
        number: u64,
        definition: (Arc<str>, u32),
        subnet: usize,
    ) -> &mut Task {
        let id = TaskId(self.dice.u128(..));
        if let Some(found) = self.services.get_mut(service) {
            found.tasks.insert(id);
        }
        let mut task = Task::new(id, service, number, definition, self.opened);
        task.subnet = subnet;
        self.tasks.entry(id).or_insert(task)
    }

    /// Makes a service sick in the way that its stack says, at the beginning of the warm-up.
    fn afflict(&mut self, service: usize, condition: Condition) {
        let Some(found) = self.services.get(service) else { return };
        let Some(primary) = found.primary().cloned() else { return };
        let region = found.region.to_string();
        let behind_balancer = !found.targets().is_empty();
        let Some(images) = self.images(service, primary.number) else { return };
        let Some((image, digest)) =
            images.first().and_then(|image| Some((image.image.clone(), image.digest.clone()?)))
        else {
            return;
        };
        let behaviour = match condition {
            Condition::CrashLoop => {
                Behaviour::Crash { after: span(&mut self.dice, 15_000, 90_000), exit_code: 1, text: None }
            }
            Condition::CannotPull => Behaviour::CannotStart {
                reason: format!(
                    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {image}: {image}: not found"
                ),
            },
            Condition::Unhealthy if behind_balancer => Behaviour::FailsTargetCheck,
            Condition::Unhealthy => Behaviour::FailsContainerCheck,
            Condition::OutOfMemory => {
                Behaviour::OutOfMemory { after: span(&mut self.dice, 360_000, 1_500_000) }
            }
            Condition::NoCapacity | Condition::StuckRollout => Behaviour::Healthy,
        };
        if behaviour != Behaviour::Healthy
            && let Some(region) = self.regions.get_mut(&region)
        {
            region.images.set_behaviour(&digest, behaviour);
        }
        match condition {
            Condition::NoCapacity => {
                if let Some(found) = self.services.get_mut(service) {
                    found.no_capacity = true;
                }
            }
            Condition::StuckRollout => {
                let _ = self.start_deployment(service, &primary.definition.0, primary.definition.1);
            }
            Condition::OutOfMemory => {
                let tasks: Vec<TaskId> = self
                    .services
                    .get(service)
                    .map(|found| found.tasks.iter().copied().collect())
                    .unwrap_or_default();
                for id in tasks {
                    let pause = span(&mut self.dice, 60_000, 1_500_000);
                    self.schedule(self.now.plus(pause), Due::Task(id, Step::Crash));
                }
            }
            Condition::CrashLoop | Condition::CannotPull | Condition::Unhealthy => {}
        }
        if let Some(found) = self.services.get_mut(service) {
            found.steady = false;
        }
        let pause = span(&mut self.dice, 0, 90_000);
        self.wake(service, pause);
    }
}
