//! Learning where the lines are: the service, its task definitions, its tasks, and the channels that follow.
//!
//! Must not hold lines back: what cannot be learned is noted, and reading goes on with what is known.

use std::time::Duration;

use super::channel::Channel;
use super::{Ask, Follow};
use crate::domain::ecs::Revision;
use crate::domain::fault::Fault;
use crate::domain::log::LogSubject;
use crate::domain::query::{PageToken, Query, Streams};
use crate::domain::scope::{Arn, Scope};
use crate::domain::sweep::TASKS_PER_CALL;

impl Follow {
    pub(super) fn begin(&mut self) {
        match self.subject.clone() {
            LogSubject::Service(_) | LogSubject::Deployment { .. } => {
                for stopped in [false, true] {
                    let query = self.own_tasks(stopped, None);
                    self.ask_later(Duration::ZERO, Ask::OwnTasks { stopped }, query);
                }
            }
            LogSubject::Task { task_definition_arn, .. } => self.fetch_definition(&task_definition_arn),
        }
    }

    pub(super) fn ask_later(&mut self, wait: Duration, ask: Ask, query: Query) {
        self.to_ask.push((self.now.mono + wait, ask, query));
    }

    pub(super) fn scope_and_cluster(&self) -> (Scope, String) {
        match &self.subject {
            LogSubject::Service(service) | LogSubject::Deployment { service, .. } => {
                (service.scope.clone(), service.cluster.clone())
            }
            LogSubject::Task { task, .. } => (task.scope.clone(), task.cluster.clone()),
        }
    }

    pub(super) fn own_tasks(&self, stopped: bool, page: Option<PageToken>) -> Query {
        let (scope, cluster) = self.scope_and_cluster();
        let service = self.subject.service().map(|service| service.name.clone());
        Query::ListTasks { scope, cluster, service, stopped, page }
    }

    pub(super) fn fetch_definition(&mut self, arn: &str) {
        let revision = Revision::of(arn);
        let asks = Ask::Definition(revision.clone());
        if self.sources.revisions.contains(&revision) || self.is_asking(&asks) {
            return;
        }
        self.fetching.insert(revision.clone());
        let (scope, _) = self.scope_and_cluster();
        let query = Query::DescribeTaskDefinition { scope, arn: arn.to_owned() };
        self.ask_later(Duration::ZERO, Ask::Definition(revision), query);
    }

    pub(super) fn look_up_runtimes(&mut self) {
        match self.subject.clone() {
            LogSubject::Service(_) | LogSubject::Deployment { .. } => {
                let query = self.own_tasks(false, None);
                self.ask_later(Duration::ZERO, Ask::OwnTasks { stopped: false }, query);
            }
            LogSubject::Task { task, .. } => self.describe(vec![task.id]),
        }
    }

    pub(super) fn describe(&mut self, tasks: Vec<String>) {
        let (scope, cluster) = self.scope_and_cluster();
        for some in tasks.chunks(TASKS_PER_CALL) {
            let query =
                Query::DescribeTasks { scope: scope.clone(), cluster: cluster.clone(), tasks: some.to_vec() };
            self.ask_later(Duration::ZERO, Ask::Tasks(some.to_vec()), query);
        }
    }

    pub(super) fn absorb_own_tasks(&mut self, names: &[String], stopped: bool, next: Option<PageToken>) {
        let ids: Vec<String> = names.iter().map(|arn| Arn::last(arn).to_owned()).collect();
        if self.sources.needs_runtimes() || self.sources.is_of_deployment() {
            let unseen = ids.iter().filter(|id| self.described.insert((*id).clone())).cloned().collect();
            self.describe(unseen);
        }
        self.sources.own(ids);
        if next.is_some() {
            let query = self.own_tasks(stopped, next);
            self.ask_later(Duration::ZERO, Ask::OwnTasks { stopped }, query);
        }
    }

    /// What could not be asked about is asked again; whose a task is, is not worth waiting for more than once.
    pub(super) fn ask_failed(&mut self, ask: Ask, fault: Fault) {
        let wait = Duration::from_secs(if fault.is_transient() { 3 } else { 30 });
        match ask {
            Ask::Service => self.next_service = self.now.mono + wait,
            Ask::Definition(revision) => {
                let (scope, _) = self.scope_and_cluster();
                let arn = match &self.subject {
                    LogSubject::Task { task_definition_arn, .. } => task_definition_arn.clone(),
                    LogSubject::Service(_) | LogSubject::Deployment { .. } => revision.to_string(),
                };
                let query = Query::DescribeTaskDefinition { scope, arn };
                // The other revisions need not wait for one that may be gone.
                self.fetching.remove(&revision);
                self.ask_later(wait, Ask::Definition(revision), query);
                if !self.sources.is_empty() {
                    self.open_channels();
                }
            }
            Ask::OwnTasks { stopped } if fault.is_transient() => {
                let query = self.own_tasks(stopped, None);
                self.ask_later(wait, Ask::OwnTasks { stopped }, query);
            }
            Ask::Tasks(ids) if fault.is_transient() => {
                let (scope, cluster) = self.scope_and_cluster();
                let query = Query::DescribeTasks { scope, cluster, tasks: ids.clone() };
                self.ask_later(wait, Ask::Tasks(ids), query);
            }
            Ask::Tasks(ids) => {
                self.sources.notes.insert(format!(
                    "whose some tasks are could not be checked ({fault}): other services' lines may be among these"
                ));
                for id in ids {
                    self.sources.forgotten(&id);
                }
                return;
            }
            Ask::OwnTasks { .. } | Ask::Page(..) => return,
        }
        self.trouble = Some((fault, self.now.mono + wait));
    }

    /// A channel for each part of the plan that has none yet. Channels of earlier revisions stay.
    pub(super) fn open_channels(&mut self) {
        if !self.fetching.is_empty() {
            // The first plan waits for all revisions, so that they share their requests.
            return;
        }
        for (group, streams) in self.sources.plan(self.without_names) {
            let is_read = |channel: &Channel| {
                channel.group == group
                    && match (&channel.streams, &streams) {
                        (Streams::All, _) => true,
                        (Streams::Prefix(wide), Streams::Prefix(narrow)) => narrow.starts_with(wide.as_str()),
                        (had, wanted) => had == wanted,
                    }
            };
            if !self.channels.iter().any(is_read) {
                self.channels.push(Channel::new(group, streams, &self.options, self.began));
            }
        }
        if self.sources.is_empty() {
            self.why_nothing = Some(self.sources.why_nothing());
        } else {
            self.why_nothing = None;
        }
        if self.sources.needs_runtimes() {
            self.next_runtimes.get_or_insert(self.now.mono);
        }
    }
}
