//! Services after something else was changed that they may rest on: whether they run as before.
//!
//! Must not judge a service that was not well before. One round over all of them is one look.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::ecs::{Service, ServiceId};
use crate::domain::query::{Answer, Query};
use crate::domain::verdict::Verdict;
use crate::guard::verb::region;
use crate::stdx::text;

/// So long they are looked at: health checks of a load balancer fail two or three times, half a minute apart, before
/// a task is stopped.
const WATCHED: Duration = Duration::from_secs(90);

/// Services that are named; the rest is counted.
const NAMED: usize = 3;

/// The services that were well, and how the present round over them goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::guard) struct Steady {
    after: String,
    count: usize,
    batches: Vec<Query>,
    at: usize,
    /// What the present round found so far.
    round: Vec<String>,
    /// What the last whole round found; nothing before there was one.
    last: Option<Vec<String>>,
    /// Those that were well when their time was over: what becomes of them later has other reasons.
    settled: BTreeSet<String>,
}

/// Whether a service runs what it wants, and nothing of it is on the way.
pub(in crate::guard) fn is_well(service: &Service) -> bool {
    service.running >= service.desired && service.pending == 0
}

impl Steady {
    /// These services after a change of something with that name; nothing when there are none.
    pub fn new(after: &str, services: &[ServiceId]) -> Option<Self> {
        let mut batches = Vec::new();
        let cluster = |id: &ServiceId| (id.scope.clone(), id.cluster.clone());
        for some in services.chunk_by(|a, b| cluster(a) == cluster(b)) {
            let names: Vec<String> = some.iter().map(|id| id.name.clone()).collect();
            batches.extend(some.first().map(|id| region::described(&id.scope, &id.cluster, &names)));
        }
        let batches: Vec<Query> = batches.into_iter().flatten().collect();
        let steady = Self { after: after.to_owned(), count: services.len(), batches, ..Self::default() };
        (!steady.batches.is_empty()).then_some(steady)
    }

    /// What it is called.
    pub fn name(&self) -> String {
        format!("ECS after {}", self.after)
    }

    /// The question of the next look.
    pub fn query(&self) -> Option<Query> {
        self.batches.get(self.at).cloned()
    }

    /// Whether the round is under way.
    pub fn is_turning(&self) -> bool {
        self.at > 0
    }

    /// Takes a look: where they stand, and the end, `since` the change was done.
    pub fn look(&mut self, answer: &Answer, since: Duration) -> (String, Option<Verdict>) {
        let is_late = since >= WATCHED;
        if let Answer::Services { found, .. } = answer {
            // One that was deleted meanwhile is nobody's loss, and ECS does not list it.
            for service in found {
                let name = format!("{}/{}", service.id.cluster, service.id.name);
                if is_well(service) {
                    self.settled.extend(is_late.then_some(name));
                } else if !self.settled.contains(&name) {
                    let told = format!("{name} {} of {} running", service.running, service.desired);
                    self.round.push(told);
                }
            }
        }
        self.at += 1;
        if self.at < self.batches.len() {
            return (self.state(), None);
        }
        self.at = 0;
        let round = std::mem::take(&mut self.round);
        let is_over = round.is_empty() && is_late;
        self.last = Some(round);
        (self.state(), is_over.then_some(Verdict::Succeeded))
    }

    fn state(&self) -> String {
        match &self.last {
            None => format!("looking at {}", text::count(self.count, "service")),
            Some(unwell) if unwell.is_empty() => format!("as before: {}", text::count(self.count, "service")),
            Some(unwell) => format!("not as before: {}", Self::told(unwell)),
        }
    }

    fn told(unwell: &[String]) -> String {
        let more = unwell.len().saturating_sub(NAMED);
        let named = unwell.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{named} and {more} more") } else { named }
    }

    /// The end when nobody wants to wait any longer: what was changed is done, that was seen, and some service may
    /// not be well since.
    pub fn cut_off(&self) -> Verdict {
        match &self.last {
            Some(unwell) if !unwell.is_empty() => Verdict::Failed {
                why: format!("{} is done; not as before: {}", self.after, Self::told(unwell)),
            },
            _ => Verdict::Succeeded,
        }
    }
}
