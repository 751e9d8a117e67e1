//! Who reads a secret, and which running tasks still hold its old value: from the services' task definitions and
//! their tasks.
//!
//! Must not ask for a value, and must not be asked without need: it is one request for each service.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::census::each_cluster;
use crate::cli::exit::Problem;
use crate::cli::gather::{Gather, Work};
use crate::cli::session::Session;
use crate::diagnose::secret::{
    Consumer, How, consumers, holds_old_value, parameter_consumers, tasks_with_old_value,
};
use crate::domain::ecs::{Service, ServiceId};
use crate::domain::query::{Answer, Query};
use crate::domain::scope::Scope;
use crate::domain::secret::{Secret, StoredParameter};
use crate::domain::sweep::Goal;
use crate::domain::task::Task;
use crate::domain::task_definition::TaskDefinition;

/// The services with what they run, and the tasks of those that read something.
#[derive(Debug, Default)]
pub struct Readers {
    services: Vec<Service>,
    definitions: BTreeMap<(Scope, String), TaskDefinition>,
    tasks: Vec<Task>,
    /// Whether all of it could be read: otherwise "nobody" is not known.
    complete: bool,
}

impl Readers {
    #[cfg(test)]
    pub fn nobody(complete: bool) -> Self {
        Self { complete, ..Self::default() }
    }

    /// Reads all services and their task definitions.
    ///
    /// # Errors
    /// None of its own: what is missing stands in the books.
    pub async fn learn(session: &Session, gather: &mut Gather) -> Result<Self, Problem> {
        let mut readers = Self::default();
        let missing = gather.failures().len();
        let goal = |scope: &Scope, cluster: String| {
            vec![Work::Sweep(Goal::Services { scope: scope.clone(), cluster })]
        };
        let mut asked = BTreeSet::new();
        each_cluster(session, gather, &[], goal, |query, answer| match (query, answer) {
            (query, Answer::Services { found, .. }) => {
                let scope = query.scope();
                let mut next = Vec::new();
                for service in found.into_iter().filter(|service| service.status != "INACTIVE") {
                    let arn = service.task_definition_arn.clone();
                    // A service under another deployment controller may have none.
                    if !arn.is_empty() && asked.insert((scope.clone(), arn.clone())) {
                        next.push(Work::Ask(Query::DescribeTaskDefinition { scope: scope.clone(), arn }));
                    }
                    readers.services.push(service);
                }
                next
            }
            (Query::DescribeTaskDefinition { scope, arn }, Answer::TaskDefinition(found)) => {
                readers.definitions.insert((scope.clone(), arn.clone()), *found);
                Vec::new()
            }
            _ => Vec::new(),
        })
        .await?;
        readers.complete = gather.failures().len() == missing;
        Ok(readers)
    }

    /// Reads the running tasks of some services.
    pub async fn learn_tasks(&mut self, of: BTreeSet<ServiceId>, gather: &mut Gather) {
        let tasks = &mut self.tasks;
        let missing = gather.failures().len();
        gather
            .run(of.iter().map(|id| Work::tasks(id, false)).collect(), |_, answer| {
                if let Answer::Tasks { found, .. } = answer {
                    tasks.extend(found);
                }
                Vec::new()
            })
            .await;
        self.complete &= gather.failures().len() == missing;
    }

    /// Whether all was read that could tell of a reader or of a task.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    fn definitions(&self) -> impl Iterator<Item = (&ServiceId, &TaskDefinition)> {
        self.services.iter().filter_map(|service| {
            let key = (service.id.scope.clone(), service.task_definition_arn.clone());
            Some((&service.id, self.definitions.get(&key)?))
        })
    }

    /// The tasks that were read.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The readers of a secret.
    pub fn of_secret(&self, secret: &Secret) -> Vec<Consumer> {
        consumers(secret, self.definitions())
    }

    /// The readers of a parameter.
    pub fn of_parameter(&self, parameter: &StoredParameter) -> Vec<Consumer> {
        parameter_consumers(parameter, self.definitions())
    }

    /// The running tasks that hold a secret's old value.
    pub fn behind_secret(&self, secret: &Secret, readers: &[Consumer]) -> Vec<&Task> {
        tasks_with_old_value(secret, readers, &self.tasks)
    }

    /// The running tasks that hold a parameter's old value.
    pub fn behind_parameter(&self, parameter: &StoredParameter, readers: &[Consumer]) -> Vec<&Task> {
        let injected = readers.iter().filter(|reader| matches!(reader.how, How::ValueFrom { .. }));
        let services: BTreeSet<&ServiceId> = injected.map(|reader| &reader.service).collect();
        let reads = |task: &Task| {
            services.iter().any(|service| {
                service.scope == task.id.scope
                    && service.cluster == task.id.cluster
                    && task.service() == Some(service.name.as_str())
            })
        };
        let holds = |task: &&Task| {
            !task.is_stopped() && holds_old_value(task.started_at, parameter.modified_at) && reads(task)
        };
        self.tasks.iter().filter(holds).collect()
    }
}
