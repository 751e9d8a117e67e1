//! What a task that runs once prints, as it comes, and how it ended.
//!
//! Must not fail the operation: a log that cannot be read is said once.

use std::collections::HashSet;

use crate::cli::printer::{Form, Printer};
use crate::cli::session::Session;
use crate::domain::log::LogEvent;
use crate::domain::mutation::Mutation;
use crate::domain::query::{Answer, Class, LogQuery, Query, Streams};
use crate::domain::scope::Scope;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::clock::Wall;
use crate::stdx::text::scrub;

/// Pages of one look; what is left comes with the next.
const PAGES: usize = 20;

/// The log of one task.
#[derive(Debug, Default)]
pub(super) struct TaskLog {
    scope: Option<Scope>,
    cluster: String,
    /// The ARN of what it runs, until that was read.
    arn: Option<String>,
    definition: Option<TaskDefinition>,
    /// The container whose command was given.
    container: Option<String>,
    from: Option<Wall>,
    seen: HashSet<String>,
    said: bool,
}

impl TaskLog {
    /// The task of this call, when the call runs one. Asks nothing: an intent is on disk, and its call comes next.
    pub fn of(mutation: &Mutation, now: Wall) -> Self {
        let Mutation::RunTask { service, definition, container, .. } = mutation else {
            return Self::default();
        };
        Self {
            scope: Some(service.scope.clone()),
            cluster: service.cluster.clone(),
            arn: Some(definition.clone()),
            container: container.clone(),
            from: Some(now),
            ..Self::default()
        }
    }

    /// Reads which containers it has, and where they write, until that was read once.
    async fn learn(&mut self, session: &Session, printer: &mut Printer) {
        let (Some(scope), Some(arn), None) = (&self.scope, &self.arn, &self.definition) else { return };
        let query = Query::DescribeTaskDefinition { scope: scope.clone(), arn: arn.clone() };
        match session.cloud.ask(query, Class::Foreground).await {
            Ok(Answer::TaskDefinition(definition)) => self.definition = Some(*definition),
            Ok(_) => {}
            Err(fault) => {
                self.say(&format!("its log cannot be read, for its definition cannot: {fault}"), printer);
            }
        }
    }

    /// Says what is wrong, once.
    fn say(&mut self, text: &str, printer: &mut Printer) {
        if !self.said {
            self.said = true;
            printer.remark(text);
        }
    }

    /// Prints what is new of it.
    pub async fn print(&mut self, session: &Session, task: &str, printer: &mut Printer) {
        self.learn(session, printer).await;
        let (Some(scope), Some(definition), Form::Table) = (&self.scope, &self.definition, printer.form)
        else {
            return;
        };
        let several = definition.containers.len() > 1;
        let mut lines: Vec<(Wall, String)> = Vec::new();
        let mut trouble = None;
        for container in &definition.containers {
            let Some(log) = container.log.as_ref().filter(|log| log.driver == "awslogs") else { continue };
            let (Some(group), Some(prefix)) =
                (log.option("awslogs-group"), log.option("awslogs-stream-prefix"))
            else {
                continue;
            };
            let region = log.option("awslogs-region").unwrap_or(scope.region.as_str());
            let mut query = Query::FilterLogEvents(LogQuery {
                scope: Scope::new(scope.account.clone(), region),
                group: group.to_owned(),
                streams: Streams::Named(vec![format!("{prefix}/{}/{task}", container.name)]),
                from: self.from,
                to: None,
                pattern: None,
                newest_first: false,
                limit: None,
                page: None,
            });
            for _ in 0..PAGES {
                match session.cloud.ask(query.clone(), Class::Foreground).await {
                    Ok(Answer::LogEvents { events, next }) => {
                        for event in events {
                            let LogEvent { id, at, message, .. } = event;
                            if self.seen.insert(id.unwrap_or_else(|| format!("{at:?} {message}"))) {
                                let who =
                                    if several { format!("{} | ", container.name) } else { String::new() };
                                lines.push((at, format!("{who}{}", scrub(message.trim_end()))));
                            }
                        }
                        match next.and_then(|token| query.turned_to(token)) {
                            Some(turned) => query = turned,
                            None => break,
                        }
                    }
                    Ok(_) => break,
                    // The stream is made with the first line.
                    Err(fault) if fault.kind == crate::domain::fault::FaultKind::NotFound => break,
                    Err(fault) => {
                        trouble = Some(fault.to_string());
                        break;
                    }
                }
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        for (_, line) in lines {
            // A reader that closed the pipe has seen enough.
            let _ = printer.line(&line);
        }
        let _ = printer.flush();
        if let Some(why) = trouble {
            self.say(&format!("its log cannot be read: {why}"), printer);
        }
    }

    /// The exit code of the container whose command was given, or else of the task's first essential one.
    pub async fn exit_code(&self, session: &Session, task: &str) -> Option<i32> {
        let scope = self.scope.clone()?;
        let query =
            Query::DescribeTasks { scope, cluster: self.cluster.clone(), tasks: vec![task.to_owned()] };
        let Ok(Answer::Tasks { found, .. }) = session.cloud.ask(query, Class::Foreground).await else {
            return None;
        };
        let containers = &found.first()?.containers;
        let essential = self.definition.as_ref()?.containers.iter().find(|c| c.essential)?;
        let name = self.container.as_deref().unwrap_or(&essential.name);
        containers.iter().find(|container| container.name == name)?.exit_code
    }
}
