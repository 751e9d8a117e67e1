//! How a mutation's end is told: by the id of the deployment that it started, never by counts that look right.
//!
//! `DescribeServices` may be stale for some seconds, and a rolled-back service looks stable: so a deployment is
//! done only when the very id is PRIMARY and COMPLETED. Must not conclude from a failed read.

use std::time::Duration;

use crate::domain::ecs::{Deployment, Service};
use crate::domain::fault::Failure;
use crate::domain::query::Answer;
use crate::domain::verdict::Verdict;
use crate::stdx::clock::Moment;

/// How long a deployment that we started may be missing from the list before that means something.
const SETTLING: Duration = Duration::from_secs(60);

/// A watch under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watch {
    goal: Goal,
    since: Moment,
    /// When it was last seen in the list.
    met: Option<Moment>,
    /// It failed, and ECS is expected to roll back.
    failing: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Goal {
    Deployment(String),
    Stopped,
}

impl Watch {
    pub fn deployment(id: String, now: Moment) -> Self {
        Self { goal: Goal::Deployment(id), since: now, met: None, failing: None }
    }

    pub fn stop(now: Moment) -> Self {
        Self { goal: Goal::Stopped, since: now, met: None, failing: None }
    }

    /// The end, if this look shows it.
    pub fn look(&mut self, answer: &Answer, now: Moment) -> Option<Verdict> {
        match (&self.goal, answer) {
            (Goal::Deployment(id), Answer::Services { found, failures }) => {
                let id = id.clone();
                match found.first() {
                    Some(service) => self.look_at_service(&id, service, now),
                    None => gone(failures),
                }
            }
            (Goal::Stopped, Answer::Tasks { found, failures }) => match found.first() {
                Some(task) => task.is_stopped().then_some(Verdict::Succeeded),
                // ECS accepted the stop and lists the task no more.
                None => failures.iter().any(|f| f.reason == "MISSING").then_some(Verdict::Succeeded),
            },
            _ => None,
        }
    }

    fn look_at_service(&mut self, id: &str, service: &Service, now: Moment) -> Option<Verdict> {
        if service.status != "ACTIVE" {
            return Some(Verdict::Failed { why: format!("the service is {}", service.status) });
        }
        let ours = service.deployments.iter().find(|d| d.id == id);
        let primary = service.primary();
        let recently = self.met.is_some_and(|met| now.since(met) <= SETTLING);
        if ours.is_some() {
            self.met = Some(now);
        }
        match ours {
            Some(ours) if ours.status == "PRIMARY" => self.look_at_primary(ours, service),
            Some(ours) => primary.map(|primary| self.replaced(Some(ours), primary, service)),
            None if recently => primary.map(|primary| self.replaced(None, primary, service)),
            // A stale look: it does not know our deployment yet.
            None if self.met.is_none() && now.since(self.since) <= SETTLING => None,
            None => Some(Verdict::Unknown {
                how_to_find_out: format!(
                    "{id} is not listed any more, and nobody saw it go: look at `opsdeck deployments {}/{}`",
                    service.id.cluster, service.id.name
                ),
            }),
        }
    }

    /// What became of a deployment that is not PRIMARY any more: undone by ECS, or replaced by somebody.
    fn replaced(&self, ours: Option<&Deployment>, primary: &Deployment, service: &Service) -> Verdict {
        let undoes = primary.rollout_reason.as_deref().is_some_and(|reason| reason.contains("rolling back"));
        let failed = ours.filter(|ours| ours.rollout_state.as_deref() == Some("FAILED")).map(reason);
        match failed.or_else(|| self.failing.clone()) {
            Some(why) if undoes || rolls_back(service) => Verdict::RolledBack { why },
            Some(why) => Verdict::Failed { why },
            None if undoes => Verdict::RolledBack { why: reason(primary) },
            None => Verdict::Superseded { by: primary.id.clone() },
        }
    }

    fn look_at_primary(&mut self, ours: &Deployment, service: &Service) -> Option<Verdict> {
        match ours.rollout_state.as_deref() {
            Some("COMPLETED") if ours.running == ours.desired => Some(Verdict::Succeeded),
            Some("FAILED") => {
                let why = reason(ours);
                if rolls_back(service) {
                    // ECS is about to make the deployment that undoes it.
                    self.failing = Some(why);
                    return None;
                }
                Some(Verdict::Failed { why })
            }
            _ => None,
        }
    }

    /// The end when nobody wants to wait any longer.
    pub fn timed_out(&self, target: &str) -> Verdict {
        match (&self.failing, &self.goal) {
            (Some(why), _) => Verdict::Failed { why: why.clone() },
            (None, Goal::Deployment(id)) => Verdict::Unknown {
                how_to_find_out: format!(
                    "it was still under way: look whether {id} is PRIMARY and COMPLETED with `opsdeck service {target}`"
                ),
            },
            (None, Goal::Stopped) => Verdict::Unknown {
                how_to_find_out: format!(
                    "ECS accepted the stop, but {target} was still running: look at it with `opsdeck tasks`"
                ),
            },
        }
    }
}

fn gone(failures: &[Failure]) -> Option<Verdict> {
    let missing = failures.iter().any(|failure| failure.reason == "MISSING");
    missing.then(|| Verdict::Failed { why: "the service does not exist any more".to_owned() })
}

fn reason(deployment: &Deployment) -> String {
    deployment.rollout_reason.clone().unwrap_or_else(|| format!("{} failed", deployment.id))
}

/// Whether ECS undoes a deployment that fails.
fn rolls_back(service: &Service) -> bool {
    let breaker = &service.deployment_configuration.circuit_breaker;
    breaker.as_ref().is_some_and(|breaker| breaker.enable && breaker.rollback)
}
