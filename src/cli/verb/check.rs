//! `check NAME`: would the next task of this service start? Each thing that a start needs, checked on the running
//! revision.
//!
//! Must not judge: `diagnose::next_start` does. What could not be read is not verified, and never a pass.

use crate::cli::census::one_service;
use crate::cli::envelope::why_unread;
use crate::cli::exit::{Exit, Problem};
use crate::cli::gather::{Gather, Work};
use crate::cli::item::{Shape, Shaped, shape};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table, Tone, wrapped};
use crate::cli::verb::End;
use crate::diagnose::next_start::{Check, CheckVerdict, NextStartFacts, checks, last_start, needed};
use crate::domain::ecs::{Service, ServiceRevision};
use crate::domain::query::{Answer, Query};
use crate::domain::task::Task;
use crate::domain::task_definition::TaskDefinition;
use crate::stdx::text::{count, scrub};

/// What tells of the last start.
const TASKS: [&str; 2] = ["ecs:ListTasks", "ecs:DescribeTasks"];
/// What tells of the digests that run.
const REVISIONS: &str = "ecs:DescribeServiceRevisions";

shape! {
    /// A check of one thing that the next task needs.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// The cluster's name.
        cluster: String = "text",
        /// The service's name.
        service: String = "text",
        /// The task definition that runs, as `family:revision`.
        task_definition: String = "text",
        /// What was checked.
        what: String = "text",
        /// `pass`, `warn`, `block` (the next task cannot start), `not_verified` (it could not be found out).
        verdict: CheckVerdict = "text",
        /// Why, in one sentence.
        evidence: String = "text",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE]
}

/// Performs the verb. It ends in 20 when the next task would not start, even when other checks are unknown.
///
/// # Errors
/// When the name means nothing, its task definition cannot be read, or stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let name = request.text("NAME").unwrap_or_default();
    let service = one_service(session, &mut gather, name, request.all("cluster")).await?;
    let (definition, revision) = running(&service, &mut gather).await;
    let definition = definition.ok_or_else(|| unreadable(&gather, &service))?;
    let facts = learn(&mut gather, needed(&definition, revision.as_ref(), &service)).await;
    let now = gather.begun().wall;
    let tasks = tasks(&service, &mut gather).await;
    let mut checks = checks(&service, &definition, revision.as_ref(), &facts, now);
    checks.extend(
        last_start(&service, &tasks, now).or_else(|| unread(&gather, &service, "last start", &TASKS)),
    );
    if revision.is_none() {
        checks.extend(unread(&gather, &service, "digests of the running images", &[REVISIONS]));
    }
    checks.sort_by_key(|check| check.verdict);
    let blocked = checks.iter().any(|check| check.verdict == CheckVerdict::Block);
    let items = checks.into_iter().map(|check| item(&service, check)).collect();
    let exit = printer.report(&gather.report(items), table)?;
    Ok(if blocked { Exit::Critical } else { exit })
}

fn item(service: &Service, check: Check) -> Item {
    Item {
        account: service.id.scope.account.to_string(),
        region: service.id.scope.region.to_string(),
        cluster: service.id.cluster.clone(),
        service: service.id.name.clone(),
        task_definition: service.revision.to_string(),
        what: check.what,
        verdict: check.verdict,
        evidence: check.evidence,
    }
}

/// What runs now: its definition, and the service revision with the digests, where ECS tells it.
async fn running(
    service: &Service,
    gather: &mut Gather,
) -> (Option<TaskDefinition>, Option<ServiceRevision>) {
    let scope = service.id.scope.clone();
    let arn = service.task_definition_arn.clone();
    let mut work = vec![Work::Ask(Query::DescribeTaskDefinition { scope: scope.clone(), arn })];
    let arns: Vec<String> = service.current_service_revisions.iter().take(1).cloned().collect();
    if !arns.is_empty() {
        work.push(Work::Ask(Query::DescribeServiceRevisions { scope, arns }));
    }
    let (mut definition, mut revision) = (None, None);
    gather
        .run(work, |_, answer| {
            match answer {
                Answer::TaskDefinition(found) => definition = Some(*found),
                Answer::Revisions { found, .. } => revision = found.into_iter().next(),
                _ => {}
            }
            Vec::new()
        })
        .await;
    (definition, revision)
}

/// The service's tasks: how the last start went is the best witness of the next one.
async fn tasks(service: &Service, gather: &mut Gather) -> Vec<Task> {
    let mut tasks = Vec::new();
    gather
        .run(vec![Work::tasks(&service.id, false), Work::tasks(&service.id, true)], |_, answer| {
            if let Answer::Tasks { found, .. } = answer {
                tasks.extend(found);
            }
            Vec::new()
        })
        .await;
    tasks
}

/// A check that could not be made, for what one of these actions would have told.
fn unread(gather: &Gather, service: &Service, what: &str, actions: &[&str]) -> Option<Check> {
    let (account, region) = (service.id.scope.account.as_str(), service.id.scope.region.as_str());
    let evidence =
        actions.iter().find_map(|action| why_unread(gather.failures(), account, region, action))?;
    Some(Check { what: what.to_owned(), verdict: CheckVerdict::NotVerified, evidence })
}

fn unreadable(gather: &Gather, service: &Service) -> Problem {
    let why = gather.failures().iter().rev().find(|missing| missing.action.as_deref() != Some(REVISIONS));
    let exit = why.map_or(Exit::Other, |missing| Exit::of(missing.kind));
    let reason = why.map_or_else(String::new, |missing| format!(": {}", missing.sentence()));
    let what = format!("the task definition {} cannot be read{reason}", service.revision);
    Problem { hint: why.and_then(|missing| missing.hint.clone()), ..Problem::new(exit, what) }
}

/// Asks what the checks need. That something does not exist is an answer here, so the books note only what AWS
/// did not tell; what was not answered in time is not verified.
async fn learn(gather: &mut Gather, queries: Vec<Query>) -> NextStartFacts {
    let probes = |queries: Vec<Query>| queries.into_iter().map(Work::Probe).collect();
    let mut facts = NextStartFacts::default();
    gather.run_all(probes(queries), |query, outcome| probes(facts.absorb(query, &outcome))).await;
    facts
}

/// All checks; on a terminal what passed is named alone, so that the rest is not scrolled away.
fn table(items: &[Item], printer: &Printer) -> Vec<String> {
    let mut table =
        Table::new(&[Column::fixed("VERDICT"), Column::name("WHAT"), Column::sentence("EVIDENCE")])
            .spilling();
    let folds = printer.room.is_some();
    for item in items.iter().filter(|item| !folds || item.verdict != CheckVerdict::Pass) {
        let tone = match item.verdict {
            CheckVerdict::Block => Tone::Bad,
            CheckVerdict::Warn => Tone::Notice,
            CheckVerdict::NotVerified => Tone::Quiet,
            CheckVerdict::Pass => Tone::Good,
        };
        table.row([
            Cell::new(item.verdict.word()).tone(tone),
            Cell::new(&item.what),
            Cell::new(&item.evidence),
        ]);
    }
    let mut lines = printer.set(&table);
    let passed: Vec<&str> = items
        .iter()
        .filter(|item| item.verdict == CheckVerdict::Pass)
        .map(|item| item.what.as_str())
        .collect();
    if let Some(room) = printer.room.filter(|_| !passed.is_empty()) {
        lines.extend(wrapped(&format!("Passed: {}", scrub(&passed.join(", "))), room));
    }
    lines.push(conclusion(items));
    lines
}

/// What the checks come to, in one sentence.
fn conclusion(items: &[Item]) -> String {
    let of = |verdict| items.iter().filter(|item| item.verdict == verdict).count();
    let unknown = match of(CheckVerdict::NotVerified) {
        0 => String::new(),
        some => format!("; {} could not be made", count(some, "check")),
    };
    match of(CheckVerdict::Block) {
        0 => format!("Nothing found that would keep the next task from starting{unknown}"),
        some => format!("The next task would not start: {} failed{unknown}", count(some, "check")),
    }
}
