//! What a service runs now: its definition, and the digests that its last deployment resolved.
//!
//! Must not guess a digest: without a service revision it is unknown.

use crate::domain::ecs::{Revision, Service, ServiceId, ServiceRevision};
use crate::domain::query::Query;
use crate::domain::scope::Arn;
use crate::domain::task_definition::TaskDefinition;
use crate::guard::draft::NoPlan;
use crate::guard::facts::{Facts, definition_query, revisions_query, service_query};

/// A service with what it runs.
pub(in crate::guard) struct Running<'f> {
    pub service: &'f Service,
    pub definition: Option<&'f TaskDefinition>,
    pub revision: Option<&'f ServiceRevision>,
}

/// What to ask about a service and what it runs.
pub(super) fn wants(id: &ServiceId, facts: &Facts) -> Vec<Query> {
    let mut wants = vec![service_query(id)];
    if let Some(service) = facts.service(id) {
        wants.push(definition_query(id, &service.task_definition_arn));
        if !service.current_service_revisions.is_empty() {
            wants.push(revisions_query(id, &service.current_service_revisions));
        }
    }
    wants
}

/// A service that was read, or why it was not.
pub(super) fn service<'f>(id: &ServiceId, facts: &'f Facts) -> Result<&'f Service, NoPlan> {
    let query = service_query(id);
    match (facts.service(id), facts.fault(&query)) {
        (Some(service), _) => Ok(service),
        (None, Some(fault)) => Err(NoPlan::Failed(format!(
            "the target could not be read again ({fault}); AWS was not asked to change it"
        ))),
        (None, None) => Err(NoPlan::Failed(format!("{}/{} was not found", id.cluster, id.name))),
    }
}

impl<'f> Running<'f> {
    /// What was read.
    pub fn of(id: &ServiceId, facts: &'f Facts) -> Result<Self, NoPlan> {
        let service = service(id, facts)?;
        let revisions = facts.revisions(id, &service.current_service_revisions);
        // The one that the service is told to run; while a rollout is under way there are two.
        let revision =
            revisions.iter().filter(|r| r.revision == service.revision).max_by_key(|r| r.created_at);
        Ok(Self { service, definition: facts.definition(id, &service.task_definition_arn), revision })
    }

    /// The digest that a container runs.
    pub fn digest(&self, container: &str) -> Option<&'f str> {
        self.revision?.images.iter().find(|image| image.container == container)?.digest.as_deref()
    }

    /// The definition, which most plans cannot do without.
    pub fn needed_definition(&self, facts: &Facts) -> Result<&'f TaskDefinition, NoPlan> {
        let query = definition_query(&self.service.id, &self.service.task_definition_arn);
        self.definition.ok_or_else(|| {
            let why = facts.fault(&query).map_or_else(|| "no answer".to_owned(), ToString::to_string);
            NoPlan::Failed(format!(
                "{} could not be read ({why}); AWS was not asked to change it",
                self.service.revision
            ))
        })
    }
}

/// The task definition that somebody means by a revision: `7` of the service's family, `family:7`, an ARN.
pub(super) fn named(service: &Service, text: &str) -> Result<String, NoPlan> {
    if Arn::parse(text)
        .is_some_and(|arn| arn.service == "ecs" && arn.resource.starts_with("task-definition/"))
    {
        return Ok(text.to_owned());
    }
    if text.parse::<u32>().is_ok_and(|number| number > 0) {
        return Ok(format!("{}:{text}", service.revision.family));
    }
    let revision = Revision::of(text);
    if revision.number > 0 && !text.contains('/') {
        return Ok(text.to_owned());
    }
    Err(NoPlan::Refused(format!("`{text}` names no revision: write a number, family:number or an ARN")))
}
