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

/// What to ask next, until so many services were named: the rest is not looked at.
pub(super) fn wants(scope: &Scope, most: usize, facts: &Facts) -> Vec<Query> {
    let mut wants: Vec<Query> = facts.pages(&clusters(scope)).next.into_iter().collect();
    let mut named = 0;
    for cluster in names(facts, &clusters(scope)) {
        if named >= most {
            break;
        }
        let first = listed(scope, &cluster);
        let mut names = names(facts, &first);
        let room = most - named;
        if names.len() > room {
            // Whole batches: a batch is known by all its names.
            names.truncate(room.div_ceil(DESCRIBED) * DESCRIBED);
        }
        named += names.len();
        wants.extend(facts.pages(&first).next.filter(|_| named < most));
        wants.extend(described(scope, &cluster, &names));
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
    let fault = |query: &Query| {
        let pages = facts.pages(query);
        let cut =
            || (pages.cut || pages.next.is_some()).then(|| "the list was not read to its end".to_owned());
        pages.fault.map(ToString::to_string).or_else(cut)
    };
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
                    (None, None) => Some("not all were looked at".to_owned()),
                    _ => None,
                })
            })
        })
    })
}
