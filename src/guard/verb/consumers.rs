//! Who reads a secret: the services of a region whose definitions name it.
//!
//! Must not call the list whole while something of it could not be read.

use crate::domain::ecs::ServiceId;
use crate::domain::query::{Answer, Query};
use crate::domain::scope::{Arn, Scope};
use crate::domain::secret::{Secret, ValueFrom};
use crate::guard::facts::{Facts, definition_query};

/// Services whose definitions are read at most: more would spend the account's budget for one dialog.
const SERVICES: usize = 100;

/// The readers of a secret.
#[derive(Debug, Default)]
pub(super) struct Consumers {
    /// Services, in the order of their names.
    pub services: Vec<ServiceId>,
    /// JSON keys that containers are given: key, then who.
    pub keys: Vec<(String, String)>,
    /// Containers that are given the whole value.
    pub whole: Vec<String>,
    /// Why the list may lack some.
    pub lacks: Option<String>,
}

fn clusters(scope: &Scope) -> Query {
    Query::ListClusters { scope: scope.clone(), page: None }
}

fn services(scope: &Scope, cluster: &str) -> Query {
    Query::ListServices { scope: scope.clone(), cluster: cluster.to_owned(), page: None }
}

fn names(facts: &Facts, first: &Query) -> Vec<String> {
    let all = facts.pages(first).answers.into_iter().flat_map(|answer| match answer {
        Answer::Names { names, .. } => names.as_slice(),
        _ => &[],
    });
    all.map(|arn| Arn::last(arn).to_owned()).collect()
}

fn described(scope: &Scope, cluster: &str, names: &[String]) -> Vec<Query> {
    let of = |names: &[String]| Query::DescribeServices {
        scope: scope.clone(),
        cluster: cluster.to_owned(),
        services: names.to_vec(),
    };
    names.chunks(10).map(of).collect()
}

/// The services that are known, each with its definition's ARN.
fn known(scope: &Scope, facts: &Facts) -> Vec<(ServiceId, String)> {
    let mut list = Vec::new();
    for cluster in names(facts, &clusters(scope)) {
        for query in described(scope, &cluster, &names(facts, &services(scope, &cluster))) {
            if let Some(Answer::Services { found, .. }) = facts.answer(&query) {
                list.extend(
                    found.iter().map(|service| (service.id.clone(), service.task_definition_arn.clone())),
                );
            }
        }
    }
    list.sort();
    list.truncate(SERVICES);
    list
}

/// What to ask next.
pub(super) fn wants(scope: &Scope, facts: &Facts) -> Vec<Query> {
    let mut wants: Vec<Query> = facts.pages(&clusters(scope)).next.into_iter().collect();
    for cluster in names(facts, &clusters(scope)) {
        wants.extend(facts.pages(&services(scope, &cluster)).next);
        wants.extend(described(scope, &cluster, &names(facts, &services(scope, &cluster))));
    }
    wants.extend(known(scope, facts).into_iter().map(|(id, arn)| definition_query(&id, &arn)));
    wants
}

/// Who reads a secret, by what was read.
pub(super) fn of(secret: &Secret, facts: &Facts) -> Consumers {
    let scope = &secret.id.scope;
    let mut found = Consumers::default();
    let mut lack = |why: String| {
        found.lacks.get_or_insert(why);
    };
    let first = facts.pages(&clusters(scope));
    if let Some(fault) = first.fault {
        lack(fault.to_string());
    }
    for cluster in names(facts, &clusters(scope)) {
        if let Some(fault) = facts.pages(&services(scope, &cluster)).fault {
            lack(fault.to_string());
        }
        for query in described(scope, &cluster, &names(facts, &services(scope, &cluster))) {
            match (facts.answer(&query), facts.fault(&query)) {
                (_, Some(fault)) => lack(fault.to_string()),
                (Some(Answer::Services { failures, .. }), _) => {
                    if let Some(failure) = failures.first() {
                        lack(format!("{}: {}", Arn::last(&failure.arn), failure.reason));
                    }
                }
                _ => {}
            }
        }
    }
    let known = known(scope, facts);
    if known.len() == SERVICES {
        lack(format!("only the first {SERVICES} services were looked at"));
    }
    for (id, arn) in known {
        let Some(definition) = facts.definition(&id, &arn) else {
            let fault = facts.fault(&definition_query(&id, &arn));
            let why = fault.map_or_else(|| "it was not answered".to_owned(), ToString::to_string);
            found.lacks.get_or_insert(format!("{}: {why}", id.name));
            continue;
        };
        for container in &definition.containers {
            let who = format!("{}/{}", id.name, container.name);
            for reference in container.references() {
                let value = ValueFrom::parse(reference.value_from);
                // A stage or version of its own is not touched by a new current value.
                let pinned =
                    value.version.is_some() || value.stage.is_some_and(|stage| stage != "AWSCURRENT");
                if !value.secret || pinned || !secret.is_named(value.id) {
                    continue;
                }
                match value.json_key {
                    Some(key) => found.keys.push((key.to_owned(), who.clone())),
                    None => found.whole.push(who.clone()),
                }
                if !found.services.contains(&id) {
                    found.services.push(id.clone());
                }
            }
            let by_name = container.environment.iter().any(|(_, value)| secret.is_named(value.trim()));
            if by_name && !found.services.contains(&id) {
                found.services.push(id.clone());
            }
        }
    }
    found
}
