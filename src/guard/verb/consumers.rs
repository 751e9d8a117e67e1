//! Who reads a secret: the services of a region whose definitions name it.
//!
//! Must not call the list whole while something of it could not be read.

use crate::domain::ecs::ServiceId;
use crate::domain::query::Query;
use crate::domain::scope::Scope;
use crate::domain::secret::{Secret, ValueFrom};
use crate::guard::facts::{Facts, definition_query};
use crate::guard::verb::region;

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

/// The services whose definitions are looked at.
fn known(scope: &Scope, facts: &Facts) -> Vec<(ServiceId, String)> {
    let services = region::services(scope, facts).into_iter();
    services.map(|service| (service.id.clone(), service.task_definition_arn.clone())).take(SERVICES).collect()
}

/// What to ask next.
pub(super) fn wants(scope: &Scope, facts: &Facts) -> Vec<Query> {
    let mut wants = region::wants(scope, usize::MAX, facts);
    wants.extend(known(scope, facts).into_iter().map(|(id, arn)| definition_query(&id, &arn)));
    wants
}

/// Who reads a secret, by what was read.
pub(super) fn of(secret: &Secret, facts: &Facts) -> Consumers {
    let scope = &secret.id.scope;
    let mut found = Consumers { lacks: region::lacks(scope, facts), ..Consumers::default() };
    let known = known(scope, facts);
    if known.len() == SERVICES {
        found.lacks.get_or_insert(format!("only the first {SERVICES} services were looked at"));
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
