//! Everything that was observed, normalised by identity. Panes hold ids and look here.
//!
//! Must not fetch, and must not forget good data because a refresh failed: the fault stands beside it.

mod estate;

use std::collections::{BTreeMap, HashMap};

use crate::diagnose::{self, Health};
use crate::domain::ecs::{Cluster, ClusterId, Service, ServiceDeployment, ServiceId, ServiceRevision};
use crate::domain::fault::{Failure, Fault};
use crate::domain::identity::Identity;
use crate::domain::observation::Observation;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::{Arn, Scope};
use crate::domain::task::{Task, TaskId};
use crate::domain::task_definition::TaskDefinition;
use crate::guard::{self, WayBack};
use crate::stdx::clock::Moment;

pub use estate::Estate;

/// A value with the moment it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen<T> {
    /// What was seen.
    pub value: T,
    /// When.
    pub at: Moment,
}

/// What is known of one service: listed first, described later.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceRow {
    /// Described at least once.
    pub seen: Option<Seen<Service>>,
    /// Its health when it was last described, by its own description alone.
    pub health: Option<Health>,
    /// What the fleet's rules know beyond that, where it is worse.
    pub raised: Option<Health>,
    /// Whether ECS kept replacing its tasks when it was last described.
    pub replaces: bool,
    /// Why ECS would not describe it.
    pub failure: Option<Failure>,
}

impl ServiceRow {
    /// The worse of what its description says and what else is known of it.
    #[must_use]
    pub fn judged(&self) -> Option<&Health> {
        let own = self.health.as_ref();
        let worse = |raised: &&Health| own.is_none_or(|own| raised.severity < own.severity);
        self.raised.as_ref().filter(worse).or(own)
    }
}

/// All observations.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Who we are, per scope.
    pub identities: BTreeMap<Scope, Observation<Identity>>,
    /// Clusters, by identity.
    pub clusters: BTreeMap<ClusterId, Option<Seen<Cluster>>>,
    /// Services, by identity.
    pub services: BTreeMap<ServiceId, ServiceRow>,
    /// Tasks, stopped ones included: ECS forgets them after an hour, we do not.
    pub tasks: BTreeMap<TaskId, Seen<Task>>,
    /// Task definitions, by scope and ARN or `family:revision`.
    pub definitions: HashMap<(Scope, String), Observation<TaskDefinition>>,
    /// Deployment history, by service.
    pub deployments: HashMap<ServiceId, Observation<Vec<ServiceDeployment>>>,
    /// Service revisions, by ARN.
    pub revisions: HashMap<String, ServiceRevision>,
    /// What there is beside ECS.
    pub estate: Estate,
    /// Counts up with every change, so that panes know when to sort again.
    pub generation: u64,
}

/// How many stopped tasks are remembered.
const TASKS_REMEMBERED: usize = 5_000;

impl World {
    /// Takes in an answer.
    pub fn absorb(&mut self, query: &Query, answer: &Answer, at: Moment) {
        self.generation += 1;
        match (query, answer) {
            (Query::CallerIdentity { scope }, Answer::Identity(identity)) => {
                self.identities.entry(scope.clone()).or_default().seen(identity.clone(), at);
            }
            (Query::ListClusters { scope, .. }, Answer::Names { names, .. }) => {
                for name in names {
                    let id = ClusterId { scope: scope.clone(), name: Arn::last(name).to_owned() };
                    self.clusters.entry(id).or_default();
                }
            }
            (_, Answer::Clusters { found, .. }) => {
                for cluster in found {
                    self.clusters.insert(cluster.id.clone(), Some(Seen { value: cluster.clone(), at }));
                }
            }
            (Query::ListServices { scope, cluster, .. }, Answer::Names { names, .. }) => {
                for name in names {
                    self.services.entry(service_id(scope, cluster, name)).or_default();
                }
            }
            (Query::DescribeServices { scope, cluster, .. }, Answer::Services { found, failures }) => {
                for service in found {
                    self.see_service(service, at);
                }
                for failure in failures {
                    let row = self.services.entry(service_id(scope, cluster, &failure.arn)).or_default();
                    row.failure = Some(failure.clone());
                }
            }
            (_, Answer::Tasks { found, .. }) => {
                for task in found {
                    self.see_task(task, at);
                }
                self.forget_old_tasks();
            }
            (Query::DescribeTaskDefinition { scope, arn }, Answer::TaskDefinition(definition)) => {
                let key = (scope.clone(), arn.clone());
                self.definitions.entry(key).or_default().seen((**definition).clone(), at);
            }
            (
                Query::ListServiceDeployments { scope, cluster, service, .. },
                Answer::Deployments { found, .. },
            ) => {
                self.see_deployments(&service_id(scope, cluster, service), found, at);
            }
            (Query::DescribeServiceDeployments { scope, .. }, Answer::Deployments { found, .. }) => {
                for deployment in found {
                    if let Some(id) = service_of_deployment(scope, &deployment.arn) {
                        self.see_deployments(&id, std::slice::from_ref(deployment), at);
                    }
                }
            }
            (_, Answer::Revisions { found, .. }) => {
                for revision in found {
                    self.revisions.insert(revision.arn.clone(), revision.clone());
                }
            }
            _ => self.estate.absorb(query, answer, at),
        }
    }

    /// Takes in the failure of a request whose result is shown as one thing.
    pub fn fail(&mut self, query: &Query, fault: &Fault) {
        self.generation += 1;
        match query {
            Query::CallerIdentity { scope } => {
                self.identities.entry(scope.clone()).or_default().failed(fault.clone());
            }
            Query::DescribeTaskDefinition { scope, arn } => {
                self.definitions.entry((scope.clone(), arn.clone())).or_default().failed(fault.clone());
            }
            Query::ListServiceDeployments { scope, cluster, service, .. } => {
                let id = service_id(scope, cluster, service);
                self.deployments.entry(id).or_default().failed(fault.clone());
            }
            _ => {}
        }
    }

    fn see_service(&mut self, service: &Service, at: Moment) {
        let health = diagnose::service_health(service, at.wall);
        let row = self.services.entry(service.id.clone()).or_default();
        row.seen = Some(Seen { value: service.clone(), at });
        row.health = Some(health);
        row.replaces = diagnose::replaces_tasks(service, at.wall);
        row.failure = None;
    }

    fn see_task(&mut self, task: &Task, at: Moment) {
        // Reads may overtake each other; ECS counts a task's changes, so an older answer is known as such.
        if let Some(known) = self.tasks.get(&task.id)
            && known.value.version > task.version
        {
            return;
        }
        self.tasks.insert(task.id.clone(), Seen { value: task.clone(), at });
    }

    fn see_deployments(&mut self, id: &ServiceId, found: &[ServiceDeployment], at: Moment) {
        let observation = self.deployments.entry(id.clone()).or_default();
        let mut all = observation.value.take().unwrap_or_default();
        for deployment in found {
            match all.iter_mut().find(|d| d.arn == deployment.arn) {
                // The list says less of a deployment than the description: what was described is kept, and
                // what both say is renewed.
                Some(known) => {
                    let was = std::mem::replace(known, deployment.clone());
                    if known.source_revision_arns.is_empty() {
                        known.source_revision_arns = was.source_revision_arns;
                        known.breaker = known.breaker.take().or(was.breaker);
                        known.rollback_reason = known.rollback_reason.take().or(was.rollback_reason);
                        known.lifecycle_stage = known.lifecycle_stage.take().or(was.lifecycle_stage);
                        known.waiting_hook = known.waiting_hook.take().or(was.waiting_hook);
                        known.traffic_percent = known.traffic_percent.or(was.traffic_percent);
                        known.triggered_alarms = was.triggered_alarms;
                    }
                }
                None => all.push(deployment.clone()),
            }
        }
        all.sort_by_key(|d| std::cmp::Reverse(d.created_at));
        observation.seen(all, at);
    }

    /// Forgets services of a cluster that a complete list did not name.
    pub fn retain_services(&mut self, cluster: &ClusterId, listed: &[String]) {
        let names: std::collections::HashSet<&str> = listed.iter().map(|arn| Arn::last(arn)).collect();
        let before = self.services.len();
        self.services.retain(|id, _| {
            id.cluster != cluster.name || id.scope != cluster.scope || names.contains(id.name.as_str())
        });
        if self.services.len() != before {
            self.generation += 1;
        }
    }

    /// Forgets clusters of a scope, with their services, that a complete list did not name.
    pub fn retain_clusters(&mut self, scope: &Scope, listed: &[String]) {
        let names: std::collections::HashSet<&str> = listed.iter().map(|arn| Arn::last(arn)).collect();
        self.clusters.retain(|id, _| id.scope != *scope || names.contains(id.name.as_str()));
        self.services.retain(|id, _| id.scope != *scope || names.contains(id.cluster.as_str()));
        self.generation += 1;
    }

    /// Marks tasks that ECS no longer lists as running, although we saw them so, as gone.
    pub fn settle_tasks(&mut self, service: &ServiceId, listed: &[String]) {
        let ids: std::collections::HashSet<&str> = listed.iter().map(|arn| Arn::last(arn)).collect();
        let before = self.tasks.len();
        self.tasks.retain(|id, seen| {
            id.cluster != service.cluster
                || id.scope != service.scope
                || seen.value.service() != Some(service.name.as_str())
                || seen.value.is_stopped()
                || seen.value.desired_status == "STOPPED"
                || ids.contains(id.id.as_str())
        });
        if self.tasks.len() != before {
            self.generation += 1;
        }
    }

    fn forget_old_tasks(&mut self) {
        if self.tasks.len() <= TASKS_REMEMBERED {
            return;
        }
        let mut stopped: Vec<(Option<crate::stdx::clock::Wall>, TaskId)> = self
            .tasks
            .iter()
            .filter(|(_, seen)| seen.value.is_stopped())
            .map(|(id, seen)| (seen.value.stopped_at, id.clone()))
            .collect();
        stopped.sort();
        for (_, id) in stopped.into_iter().take(self.tasks.len() - TASKS_REMEMBERED) {
            self.tasks.remove(&id);
        }
    }

    /// How many resources there are to judge.
    #[must_use]
    pub fn size(&self) -> usize {
        let known = &self.estate;
        self.services.len() + known.alarms.len() + known.secrets.len() + known.instances.len()
    }

    /// What a service's tasks run, if that was read.
    #[must_use]
    pub fn definition_of(&self, service: &Service) -> Option<&TaskDefinition> {
        let key = (service.id.scope.clone(), service.task_definition_arn.clone());
        self.definitions.get(&key)?.value.as_ref()
    }

    /// Whether a rollback pinned what a service runs, as far as that was read.
    #[must_use]
    pub fn is_pinned(&self, service: &Service) -> bool {
        self.definition_of(service).is_some_and(|definition| definition.pinned_from().is_some())
    }

    /// Whether a service could be rolled back, as far as its history was read.
    #[must_use]
    pub fn way_back(&self, service: &Service) -> WayBack {
        let Some(history) = self.deployments.get(&service.id).and_then(|seen| seen.value.as_ref()) else {
            return WayBack::Unknown;
        };
        guard::way_back(service, self.definition_of(service), history, |arn| self.revisions.get(arn))
    }

    /// A described service.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&Seen<Service>> {
        self.services.get(id)?.seen.as_ref()
    }

    /// The tasks of a service.
    pub fn tasks_of<'a>(&'a self, id: &'a ServiceId) -> impl Iterator<Item = &'a Seen<Task>> {
        self.tasks.values().filter(move |seen| {
            seen.value.id.cluster == id.cluster
                && seen.value.id.scope == id.scope
                && seen.value.service() == Some(id.name.as_str())
        })
    }

    /// The account id of a scope, from STS or from any ARN seen there.
    #[must_use]
    pub fn account_id(&self, scope: &Scope) -> Option<String> {
        if let Some(identity) = self.identities.get(scope).and_then(|o| o.value.as_ref()) {
            return Some(identity.account_id.clone());
        }
        self.services
            .values()
            .filter_map(|row| row.seen.as_ref())
            .find(|seen| seen.value.id.scope == *scope)
            .and_then(|seen| Arn::parse(&seen.value.arn).map(|arn| arn.account.to_owned()))
    }
}

fn service_id(scope: &Scope, cluster: &str, name: &str) -> ServiceId {
    ServiceId { scope: scope.clone(), cluster: cluster.to_owned(), name: Arn::last(name).to_owned() }
}

/// `arn:…:service-deployment/cluster/service/id` names its service.
fn service_of_deployment(scope: &Scope, arn: &str) -> Option<ServiceId> {
    let resource = Arn::parse(arn)?.resource.strip_prefix("service-deployment/")?;
    let mut parts = resource.split('/');
    let (cluster, name) = (parts.next()?, parts.next()?);
    Some(ServiceId { scope: scope.clone(), cluster: cluster.to_owned(), name: name.to_owned() })
}
