//! The target groups of services: only they tell the load balancer, by which metrics and alarms go.
//!
//! Must not ask for one at a time: a fleet has hundreds, and the quota is small.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::gather::{Gather, Work};
use crate::domain::balancer::TargetGroup;
use crate::domain::ecs::Service;
use crate::domain::fault::FaultKind;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::domain::sweep::TARGET_GROUPS_PER_CALL;

/// The target groups of all these services, each once.
pub async fn target_groups(services: &[Service], gather: &mut Gather) -> Vec<TargetGroup> {
    let mut arns: BTreeMap<Scope, BTreeSet<String>> = BTreeMap::new();
    for service in services {
        let own = service.load_balancers.iter().filter_map(|balancer| balancer.target_group_arn.clone());
        arns.entry(service.id.scope.clone()).or_default().extend(own);
    }
    described(&arns, gather).await
}

async fn described(arns: &BTreeMap<Scope, BTreeSet<String>>, gather: &mut Gather) -> Vec<TargetGroup> {
    let batches = arns.iter().flat_map(|(scope, arns)| {
        let arns: Vec<String> = arns.iter().cloned().collect();
        arns.chunks(TARGET_GROUPS_PER_CALL).map(|batch| describe(scope, batch)).collect::<Vec<_>>()
    });
    let mut groups = Vec::new();
    gather
        .run_all(batches.collect(), |query, outcome| match (query, outcome) {
            (_, Ok(Answer::TargetGroups { found })) => {
                groups.extend(found);
                Vec::new()
            }
            // One that was deleted fails the whole call: the halves find it, and the others.
            (Query::DescribeTargetGroups { scope, arns }, Err(fault))
                if fault.kind == FaultKind::NotFound && arns.len() > 1 =>
            {
                arns.chunks(arns.len().div_ceil(2)).map(|half| describe(scope, half)).collect()
            }
            _ => Vec::new(),
        })
        .await;
    groups
}

/// A batch may fail for one of its members; what is asked for alone and does not exist is missing.
fn describe(scope: &Scope, arns: &[String]) -> Work {
    let query = Query::DescribeTargetGroups { scope: scope.clone(), arns: arns.to_vec() };
    if arns.len() > 1 { Work::Probe(query) } else { Work::Ask(query) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::Fault;
    use crate::stdx::clock::Clock;
    use std::sync::{Arc, Mutex};

    fn group(arn: &str) -> TargetGroup {
        TargetGroup {
            arn: arn.to_owned(),
            name: String::new(),
            balancers: Vec::new(),
            protocol: None,
            port: None,
            health_path: None,
            matcher: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_are_asked_for_at_once_and_a_deleted_one_hides_no_other() {
        let arns: BTreeSet<String> = (0..50).map(|number| format!("arn:{number:02}")).collect();
        let arns = BTreeMap::from([(Scope::new("default", "eu-west-2"), arns)]);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let counts = Arc::clone(&asked);
        let ask = move |query: Query| {
            let Query::DescribeTargetGroups { arns, .. } = query else { panic!("{query:?}") };
            counts.lock().unwrap().push(arns.len());
            async move {
                if arns.iter().any(|arn| arn == "arn:07") {
                    return Err(Fault::new(FaultKind::NotFound, "no such target group"));
                }
                Ok(Answer::TargetGroups { found: arns.iter().map(|arn| group(arn)).collect() })
            }
        };
        let mut gather = Gather::new(ask, Clock::system(), None);
        let found = described(&arns, &mut gather).await;
        assert_eq!(found.len(), 49);
        assert_eq!(gather.failures().len(), 1, "what does not exist is missing, and is told once");
        assert_eq!(asked.lock().unwrap().iter().filter(|count| **count == 20).count(), 2);
        assert!(asked.lock().unwrap().len() < 15);
    }
}
