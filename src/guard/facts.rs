//! What was read for a plan: each question with its answer, or with what kept it away.
//!
//! Must not take a failed read for an empty one: a check that rests on it is *not verified*.

use std::collections::HashMap;

use crate::domain::ecs::{Service, ServiceDeployment, ServiceId, ServiceRevision};
use crate::domain::fault::Fault;
use crate::domain::query::{Answer, Query};
use crate::domain::task::{Task, TaskId};
use crate::domain::task_definition::TaskDefinition;

/// More pages than a plan ever needs; what lies behind them is said to be missing.
const PAGES: usize = 20;

/// Questions and their outcomes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    known: HashMap<Query, Result<Answer, Fault>>,
}

/// All pages of a list that are known, and what is missing.
pub(super) struct Pages<'f> {
    /// In order.
    pub answers: Vec<&'f Answer>,
    /// The page to ask for next.
    pub next: Option<Query>,
    /// What kept a page away.
    pub fault: Option<&'f Fault>,
    /// More pages than are read.
    pub cut: bool,
}

impl Pages<'_> {
    /// Whether all of it is known.
    pub fn is_whole(&self) -> bool {
        self.next.is_none() && self.fault.is_none() && !self.cut
    }
}

/// The question that shows a service.
pub(super) fn service_query(id: &ServiceId) -> Query {
    Query::DescribeServices {
        scope: id.scope.clone(),
        cluster: id.cluster.clone(),
        services: vec![id.name.clone()],
    }
}

/// The question that shows a task.
pub(super) fn task_query(id: &TaskId) -> Query {
    Query::DescribeTasks { scope: id.scope.clone(), cluster: id.cluster.clone(), tasks: vec![id.id.clone()] }
}

/// The question that shows a task definition.
pub(super) fn definition_query(id: &ServiceId, arn: &str) -> Query {
    Query::DescribeTaskDefinition { scope: id.scope.clone(), arn: arn.to_owned() }
}

/// The question that shows what service revisions deployed.
pub(super) fn revisions_query(id: &ServiceId, arns: &[String]) -> Query {
    Query::DescribeServiceRevisions { scope: id.scope.clone(), arns: arns.to_vec() }
}

impl Facts {
    /// Takes an answer in.
    pub fn take(&mut self, query: Query, outcome: Result<Answer, Fault>) {
        self.known.insert(query, outcome);
    }

    /// Forgets what will be read again.
    pub fn forget(&mut self, what: impl Fn(&Query) -> bool) {
        self.known.retain(|query, _| !what(query));
    }

    /// Whether it was asked and answered, well or not.
    pub fn has(&self, query: &Query) -> bool {
        self.known.contains_key(query)
    }

    /// An answer; `None` when it was not asked, or failed.
    pub fn answer(&self, query: &Query) -> Option<&Answer> {
        self.known.get(query)?.as_ref().ok()
    }

    /// What kept an answer away.
    pub fn fault(&self, query: &Query) -> Option<&Fault> {
        self.known.get(query)?.as_ref().err()
    }

    /// The pages of a list from its first question on.
    pub fn pages(&self, first: &Query) -> Pages<'_> {
        let mut pages = Pages { answers: Vec::new(), next: None, fault: None, cut: false };
        let mut query = first.clone();
        while pages.answers.len() < PAGES {
            match self.known.get(&query) {
                None => {
                    pages.next = Some(query);
                    return pages;
                }
                Some(Err(fault)) => {
                    pages.fault = Some(fault);
                    return pages;
                }
                Some(Ok(answer)) => {
                    pages.answers.push(answer);
                    match answer.next().and_then(|token| query.turned_to(token.clone())) {
                        Some(turned) => query = turned,
                        None => return pages,
                    }
                }
            }
        }
        pages.cut = true;
        pages
    }

    /// A service.
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        match self.answer(&service_query(id))? {
            Answer::Services { found, .. } => found.iter().find(|service| service.id == *id),
            _ => None,
        }
    }

    /// A task.
    pub fn task(&self, id: &TaskId) -> Option<&Task> {
        match self.answer(&task_query(id))? {
            Answer::Tasks { found, .. } => found.iter().find(|task| task.id == *id),
            _ => None,
        }
    }

    /// A task definition, by the name that was asked for.
    pub fn definition(&self, id: &ServiceId, arn: &str) -> Option<&TaskDefinition> {
        match self.answer(&definition_query(id, arn))? {
            Answer::TaskDefinition(definition) => Some(definition),
            _ => None,
        }
    }

    /// What the service revisions deployed that were asked for together.
    pub fn revisions(&self, id: &ServiceId, arns: &[String]) -> &[ServiceRevision] {
        match self.answer(&revisions_query(id, arns)) {
            Some(Answer::Revisions { found, .. }) => found,
            _ => &[],
        }
    }

    /// The service deployments in the answer to a question.
    pub fn deployments(&self, query: &Query) -> &[ServiceDeployment] {
        match self.answer(query) {
            Some(Answer::Deployments { found, .. }) => found,
            _ => &[],
        }
    }
}
