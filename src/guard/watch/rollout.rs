//! A deployment from its start to its end, as `DescribeServices` and `DescribeServiceDeployments` show it.
//!
//! Must not call a deployment ours because it is new: without the id from the answer, only a single new one that was
//! created when we asked counts.

use std::time::Duration;

use super::SETTLING;
use crate::domain::ecs::{Deployment, Revision, Service, ServiceDeployment};
use crate::domain::verdict::Verdict;
use crate::stdx::clock::{Moment, Wall};

/// How much a clock of AWS may differ from ours.
const CLOCKS: Duration = Duration::from_secs(30);
/// How long ECS may take to begin a rollback that deployment alarms ask for.
const ALARMED: Duration = Duration::from_secs(120);

/// What is known of it so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rollout {
    /// The deployment's id: from the answer, or found afterwards.
    id: Option<String>,
    /// When AWS made it, by AWS's clock.
    made: Option<Wall>,
    /// Of a strategy that `deployments` does not show: the service deployment.
    arn: Option<String>,
    /// The answer was lost.
    lost: bool,
    /// When the call was made.
    sent: Moment,
    since: Moment,
    /// When it was last seen in the list.
    met: Option<Moment>,
    /// It failed, and ECS is expected to roll back.
    failing: Option<String>,
    failed_at: Option<Moment>,
}

impl Rollout {
    pub fn new(id: Option<String>, made: Option<Wall>, sent: Moment, since: Moment, lost: bool) -> Self {
        Self { id, made, arn: None, lost, sent, since, met: None, failing: None, failed_at: None }
    }

    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    pub fn is_lost(&self) -> bool {
        self.lost
    }

    pub fn failing(&self) -> Option<&str> {
        self.failing.as_deref()
    }

    /// Whether a service deployment was created when we asked; the one before may still be named.
    pub fn is_of(&mut self, deployment: &ServiceDeployment) -> bool {
        let ours = deployment.created_at.is_none_or(|at| at >= self.sent.wall.minus(CLOCKS));
        if !ours {
            self.arn = None;
        }
        ours
    }

    /// The end, if this look shows it.
    pub fn look(
        &mut self,
        service: &Service,
        before: &[String],
        runs: Option<&Revision>,
        now: Moment,
    ) -> Option<Verdict> {
        if service.status != "ACTIVE" {
            return Some(Verdict::Failed { why: format!("the service is {}", service.status) });
        }
        if self.id.is_none()
            && let Some(verdict) = self.adopt(service, before, runs, now)
        {
            return Some(verdict);
        }
        let id = self.id.clone()?;
        let ours = service.deployments.iter().find(|d| d.id == id);
        let primary = service.primary();
        let recently = self.met.is_some_and(|met| now.since(met) <= SETTLING);
        if let Some(ours) = ours {
            self.met = Some(now);
            self.made = self.made.or(ours.created_at);
        }
        match ours {
            Some(ours) if ours.status == "PRIMARY" => self.look_at_primary(ours, service, now),
            // A stale look: what was PRIMARY before cannot have replaced it.
            None if primary.is_some_and(|primary| before.contains(&primary.id))
                && !self.is_undone(primary) =>
            {
                None
            }
            Some(ours) => primary.map(|primary| self.replaced(Some(ours), primary, service)),
            None if primary.is_some_and(|primary| before.contains(&primary.id) && self.is_back(primary)) => {
                primary.map(|primary| Verdict::RolledBack { why: self.undone_by(&id, primary, service) })
            }
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

    /// Looks for what a call started whose answer does not tell it.
    fn adopt(
        &mut self,
        service: &Service,
        before: &[String],
        runs: Option<&Revision>,
        now: Moment,
    ) -> Option<Verdict> {
        let new: Vec<&Deployment> =
            service.deployments.iter().filter(|deployment| !before.contains(&deployment.id)).collect();
        let name = format!("{}/{}", service.id.cluster, service.id.name);
        let unknown = |what: String| {
            let how_to_find_out =
                format!("{what}: look with `opsdeck deployments {name}`; do not repeat it before");
            Some(Verdict::Unknown { how_to_find_out })
        };
        match new.as_slice() {
            [] if now.since(self.since) <= SETTLING => None,
            [] => unknown(format!(
                "no new deployment appeared within {} s, so it probably did not happen",
                SETTLING.as_secs()
            )),
            [one] if runs.is_some_and(|runs| one.revision != *runs) => unknown(format!(
                "{} is new, but runs {}, which is not what we asked for",
                one.id, one.revision
            )),
            [one] if one.created_at.is_some_and(|at| self.was_then(at)) => {
                self.id = Some(one.id.clone());
                None
            }
            [one] => unknown(format!("{} is new, but was not created when we asked", one.id)),
            several => {
                unknown(format!("{} deployments are new, and which is ours cannot be told", several.len()))
            }
        }
    }

    fn was_then(&self, at: Wall) -> bool {
        let (from, to) = (self.sent.wall.minus(CLOCKS), self.since.wall.plus(CLOCKS));
        (from..=to).contains(&at)
    }

    /// Whether what is PRIMARY says that it undoes ours: ECS may take the one before up again.
    fn is_undone(&self, primary: Option<&Deployment>) -> bool {
        self.failing.is_some() || primary.is_some_and(|primary| undoes(primary) || self.is_back(primary))
    }

    /// Whether the one that was PRIMARY before has changed since ours was made. A stale look cannot know that: ECS has
    /// taken it up again, and says so only until that is done, which may fall between two looks.
    fn is_back(&self, before: &Deployment) -> bool {
        matches!((self.made, before.updated_at), (Some(made), Some(updated)) if updated > made)
    }

    /// Why ECS went back, as far as it was seen or the service's events still tell.
    fn undone_by(&self, id: &str, primary: &Deployment, service: &Service) -> String {
        if let Some(why) = &self.failing {
            return why.clone();
        }
        if undoes(primary) {
            return reason(primary);
        }
        let failed = format!("(deployment {id}) deployment failed: ");
        let told = service.events.iter().find_map(|event| event.message.split_once(&failed));
        let why = told.map_or(String::new(), |(_, why)| format!("{}; ", why.trim_end_matches('.')));
        format!("{why}{}, which ran before, is PRIMARY again", primary.id)
    }

    /// What became of a deployment that is not PRIMARY any more: undone by ECS, or replaced by somebody.
    fn replaced(&self, ours: Option<&Deployment>, primary: &Deployment, service: &Service) -> Verdict {
        let undoes = undoes(primary);
        let failed = ours.filter(|ours| ours.rollout_state.as_deref() == Some("FAILED")).map(reason);
        match failed.or_else(|| self.failing.clone()) {
            Some(why)
                if undoes || rolls_back(service) || !service.deployment_configuration.alarms.is_empty() =>
            {
                Verdict::RolledBack { why }
            }
            Some(why) => Verdict::Failed { why },
            None if undoes => Verdict::RolledBack { why: reason(primary) },
            None => Verdict::Superseded { by: primary.id.clone() },
        }
    }

    fn look_at_primary(&mut self, ours: &Deployment, service: &Service, now: Moment) -> Option<Verdict> {
        match ours.rollout_state.as_deref() {
            Some("COMPLETED") if ours.running == ours.desired => Some(Verdict::Succeeded),
            Some("FAILED") => {
                let why = reason(ours);
                let since = *self.failed_at.get_or_insert(now);
                // Whether alarms roll back is not among what ECS tells here: it gets its time.
                let alarmed = !service.deployment_configuration.alarms.is_empty();
                if rolls_back(service) || (alarmed && now.since(since) < ALARMED) {
                    // ECS is about to make the deployment that undoes it.
                    self.failing = Some(why);
                    return None;
                }
                Some(Verdict::Failed { why })
            }
            None => {
                // Blue/green, linear and canary: the service deployment tells their stages.
                self.arn.clone_from(&service.current_service_deployment);
                None
            }
            _ => None,
        }
    }

    /// What a look shows, in a line.
    pub fn state(&self, service: &Service) -> String {
        let Some(id) = &self.id else { return "looking for the deployment that was asked for".to_owned() };
        let Some(ours) = service.deployments.iter().find(|d| d.id == *id) else {
            return format!("{id} is not listed yet");
        };
        let old: u32 = service.deployments.iter().filter(|d| d.id != *id).map(|d| d.running).sum();
        let mut state = format!("{} of {} new tasks running", ours.running, ours.desired);
        if ours.pending > 0 {
            state.push_str(&format!(", {} pending", ours.pending));
        }
        if old > 0 {
            state.push_str(&format!(", {old} old"));
        }
        if ours.failed_tasks > 0 {
            state.push_str(&format!(", {} failed", ours.failed_tasks));
            if let Some(threshold) = threshold(service, ours.desired) {
                state.push_str(&format!(" (the breaker trips at {threshold})"));
            }
        }
        state
    }
}

/// The failures at which the circuit breaker gives up: by its own threshold, or else half of the tasks.
fn threshold(service: &Service, desired: u32) -> Option<u32> {
    let breaker = service.deployment_configuration.circuit_breaker.as_ref().filter(|b| b.enable)?;
    let share = |percent: u32| desired.saturating_mul(percent).div_ceil(100);
    match breaker.threshold.as_ref().map(|(kind, value)| (kind.as_str(), *value)) {
        None => Some(share(50).clamp(3, 200)),
        Some(("COUNT", count)) => Some(count),
        Some(("BOUNDED_PERCENT", percent)) => Some(share(percent).clamp(3, 200)),
        Some(("UNBOUNDED_PERCENT", percent)) => Some(share(percent).max(1)),
        Some(_) => None,
    }
}

/// A service deployment in a line.
pub(in crate::guard) fn stage(deployment: &ServiceDeployment) -> String {
    let mut text = deployment.status.clone();
    if let Some(stage) = &deployment.lifecycle_stage {
        text.push_str(&format!(", stage {stage}"));
    }
    if let Some(percent) = deployment.traffic_percent {
        text.push_str(&format!(", {percent}% of production traffic"));
    }
    if !deployment.triggered_alarms.is_empty() {
        text.push_str(&format!(", in ALARM: {}", deployment.triggered_alarms.join(", ")));
    }
    if let Some(hook) = &deployment.waiting_hook {
        text.push_str(&format!(", waits at the pause hook {hook} (`continue` lets it go on)"));
    }
    if let Some(breaker) = deployment.breaker.as_ref().filter(|breaker| breaker.failures > 0) {
        text.push_str(&format!(
            ", {} failed of {} that trip the breaker",
            breaker.failures, breaker.threshold
        ));
    }
    text
}

/// How a service deployment ended; when undoing it was the aim, its rollback is the success.
pub(super) fn ended(deployment: &ServiceDeployment, undoing: bool) -> Option<Verdict> {
    let why = || {
        let said = deployment.rollback_reason.clone().or_else(|| deployment.status_reason.clone());
        said.unwrap_or_else(|| format!("the deployment is {}", deployment.status))
    };
    match (deployment.status.as_str(), undoing) {
        ("ROLLBACK_SUCCESSFUL", true) => Some(Verdict::Succeeded),
        ("ROLLBACK_SUCCESSFUL", false) => Some(Verdict::RolledBack { why: why() }),
        ("ROLLBACK_FAILED", _) => Some(Verdict::Failed { why: why() }),
        ("SUCCESSFUL", false) => Some(Verdict::Succeeded),
        ("SUCCESSFUL", true) => {
            Some(Verdict::Failed { why: "it had completed before it could be undone".to_owned() })
        }
        ("STOPPED", _) => Some(Verdict::Superseded { by: why() }),
        _ => None,
    }
}

/// Whether it says that it undoes another one.
fn undoes(deployment: &Deployment) -> bool {
    deployment.rollout_reason.as_deref().is_some_and(|reason| reason.contains("rolling back"))
}

fn reason(deployment: &Deployment) -> String {
    deployment.rollout_reason.clone().unwrap_or_else(|| format!("{} failed", deployment.id))
}

/// Whether ECS undoes a deployment that fails.
fn rolls_back(service: &Service) -> bool {
    let breaker = &service.deployment_configuration.circuit_breaker;
    breaker.as_ref().is_some_and(|breaker| breaker.enable && breaker.rollback)
}
