//! The services of a region, as they are read for a plan that is about more than one of them.
//!
//! Must not call them all while something of them could not be read.

use crate::domain::ecs::Service;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::{Arn, Scope};
use crate::guard::facts::Facts;

/// Services that one call describes.
const DESCRIBED: usize = 10;

fn clusters(scope: &Scope) -> Query {
    Query::ListClusters { scope: scope.clone(), page: None }
}

fn listed(scope: &Scope, cluster: &str) -> Query {
    Query::ListServices { scope: scope.clone(), cluster: cluster.to_owned(), page: None }
}

fn names(facts: &Facts, first: &Query) -> Vec<String> {
    let all = facts.pages(first).answers.into_iter().flat_map(|answer| match answer {
        Answer::Names { names, .. } => names.as_slice(),
        _ => &[],
    });
    all.map(|arn| Arn::last(arn).to_owned()).collect()
}

/// The questions that show services of a cluster.
pub(in crate::guard) fn described(scope: &Scope, cluster: &str, names: &[String]) -> Vec<Query> {
    let of = |names: &[String]| Query::DescribeServices {
        scope: scope.clone(),
        cluster: cluster.to_owned(),
        services: names.to_vec(),
    };
    names.chunks(DESCRIBED).map(of).collect()
}

/// What to ask next.
pub(super) fn wants(scope: &Scope, facts: &Facts) -> Vec<Query> {
    let mut wants: Vec<Query> = facts.pages(&clusters(scope)).next.into_iter().collect();
    for cluster in names(facts, &clusters(scope)) {
        let first = listed(scope, &cluster);
        wants.extend(facts.pages(&first).next);
        wants.extend(described(scope, &cluster, &names(facts, &first)));
    }
    wants
}

/// Those that were described, in the order of their names.
pub(super) fn services<'f>(scope: &Scope, facts: &'f Facts) -> Vec<&'f Service> {
    let mut list = Vec::new();
    for cluster in names(facts, &clusters(scope)) {
        for query in described(scope, &cluster, &names(facts, &listed(scope, &cluster))) {
            if let Some(Answer::Services { found, .. }) = facts.answer(&query) {
                list.extend(found);
            }
        }
    }
    list.sort_by(|a: &&Service, b| a.id.cmp(&b.id));
    list
}

/// Why some may be missing.
pub(super) fn lacks(scope: &Scope, facts: &Facts) -> Option<String> {
    let first = clusters(scope);
    let fault = |query: &Query| facts.pages(query).fault.map(ToString::to_string);
    fault(&first).or_else(|| {
        names(facts, &first).into_iter().find_map(|cluster| {
            let list = listed(scope, &cluster);
            fault(&list).or_else(|| {
                let queries = described(scope, &cluster, &names(facts, &list));
                queries.iter().find_map(|query| match (facts.answer(query), facts.fault(query)) {
                    (_, Some(fault)) => Some(fault.to_string()),
                    (Some(Answer::Services { failures, .. }), _) => {
                        let failure = failures.first()?;
                        Some(format!("{}: {}", Arn::last(&failure.arn), failure.reason))
                    }
                    _ => None,
                })
            })
        })
    })
}
