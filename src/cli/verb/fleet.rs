//! `fleet`: every problem of every account and region, the worst first, one sentence each.
//!
//! Must not judge: `diagnose` does. What could not be read stands in `failures`, and is never taken for health.

mod ask;

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::envelope::Missing;
use crate::cli::exit::Exit;
use crate::cli::finding::Evidence;
use crate::cli::health;
use crate::cli::item::{Shape, Shaped, Time, shape, time};
use crate::cli::parser::Request;
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::table::{Cell, Column, Table, wrapped};
use crate::cli::verb::End;
use crate::diagnose::fleet::Fleet;
use crate::diagnose::{Finding, Severity, Subject};
use crate::stdx::clock::Wall;
use crate::stdx::span;
use crate::stdx::text::{count, scrub};

shape! {
    /// A problem, or something that no alarm watches.
    Item {
        /// The credential context: `default`, or the profile's name.
        account: String = "text",
        /// The region.
        region: String = "text",
        /// What it is about: `service`, `cluster`, `database`, `cache`, `secret`, `alarm`.
        kind: String = "text",
        /// Its name.
        name: String = "text",
        /// For services: the cluster's name.
        cluster: Option<String> = "text or null",
        /// opsdeck's judgement: `critical`, `warning`, `progress`, `unknown`, `notice` (it can wait); `idle` for `coverage.unwatched`.
        severity: Severity = "text",
        /// The rule that found it, such as `database.storage-full`; `coverage.unwatched` when no alarm watches it.
        rule: String = "text",
        /// What is wrong, in one sentence with its number and, where it is known, its cause.
        sentence: String = "text",
        /// Since when, as far as AWS tells.
        since: Option<Time> = "time or null",
        /// What the judgement rests on, the strongest first.
        evidence: Vec<Evidence> = "list of Evidence",
        /// The one safe thing to do next.
        next: Option<String> = "text or null",
        /// The command that does it: opsdeck's, or the AWS CLI's where it is not opsdeck's to do.
        command: Option<String> = "text or null",
    }
}

/// The shapes of this verb.
#[must_use]
pub fn shapes() -> Vec<Shape> {
    vec![Item::SHAPE, Evidence::SHAPE]
}

fn cluster(subject: &Subject) -> Option<String> {
    match subject {
        Subject::Service(id) => Some(id.cluster.clone()),
        _ => None,
    }
}

/// A finding as an item.
#[must_use]
pub fn item(finding: &Finding) -> Item {
    let scope = finding.subject.scope();
    Item {
        account: scope.account.to_string(),
        region: scope.region.to_string(),
        kind: finding.subject.kind().to_owned(),
        name: finding.subject.name().to_owned(),
        cluster: cluster(&finding.subject),
        severity: finding.severity,
        rule: finding.rule.to_owned(),
        sentence: finding.sentence.clone(),
        since: time(finding.since),
        evidence: finding.evidence.iter().map(Evidence::from).collect(),
        next: finding.next.clone(),
        command: finding.command.clone(),
    }
}

fn unwatched(subject: &Subject) -> Item {
    Item {
        account: subject.scope().account.to_string(),
        region: subject.scope().region.to_string(),
        kind: subject.kind().to_owned(),
        name: subject.name().to_owned(),
        cluster: cluster(subject),
        severity: Severity::Idle,
        rule: "coverage.unwatched".to_owned(),
        sentence: "No alarm watches it".to_owned(),
        since: None,
        evidence: Vec::new(),
        next: None,
        command: None,
    }
}

/// Performs the verb.
///
/// # Errors
/// When stdout cannot be written to.
pub async fn run(session: &Session, request: &Request, printer: &mut Printer) -> Result<Exit, End> {
    let mut gather = session.gather();
    let now = gather.begun().wall;
    let seen = ask::everything(session, &mut gather, !request.is_on("no-metrics")).await;
    let fleet = seen.judged(&session.config, now);
    let mut items: Vec<Item> = fleet.findings.iter().map(item).collect();
    let problems = items.len();
    items.extend(fleet.unwatched.iter().map(unwatched));
    let critical = fleet.findings.iter().any(|finding| finding.severity == Severity::Critical);
    let accounts: BTreeSet<_> = session.scopes.iter().map(|scope| &scope.account).collect();
    let of_several_accounts = accounts.len() > 1;
    let answered = gather.answered();
    let mut report = gather.report(items);
    // What is well was found out too, though it is only counted.
    report.printed += fleet.healthy.iter().map(|(_, number)| number).sum::<usize>();
    let calm = calm(answered, &report.failures);
    // That nothing is wrong in some of it was found out as well.
    report.printed += usize::from(answered > 0 && !report.is_complete());
    let exit = printer.report(&report, |items, printer| {
        let items = items.get(..problems).unwrap_or_default();
        let problems = if items.is_empty() {
            match printer.room {
                Some(room) => wrapped(&calm, room),
                None => vec![calm],
            }
        } else {
            printer.set(&table(items, of_several_accounts, now, printer))
        };
        problems.into_iter().chain(closing(&fleet, printer)).collect()
    })?;
    // What is missing must not hide what is known to be critical.
    Ok(if critical && request.is_on("exit-code") { Exit::Critical } else { exit })
}

/// What is said when no problem was found, which is little where nothing could be read.
fn calm(answered: usize, failures: &[Missing]) -> String {
    match failures {
        [] => "Nothing is wrong.".to_owned(),
        [first, ..] if answered == 0 => {
            format!("Nothing could be read, so what is wrong is not known: {}", scrub(&first.sentence()))
        }
        _ => "Nothing is wrong in what could be read.".to_owned(),
    }
}

/// Problems for a person. Regions of several accounts have the same names.
fn table(items: &[Item], of_several_accounts: bool, now: Wall, printer: &Printer) -> Table {
    let mut columns = vec![Column::fixed("SEVERITY"), Column::fixed("KIND").lesser(1), Column::name("NAME")];
    columns.extend(of_several_accounts.then_some(Column::name("ACCOUNT")));
    columns.extend([Column::fixed("REGION"), Column::number("FOR"), Column::sentence("WHAT")]);
    let mut table = Table::new(&columns).spilling();
    for item in items {
        let mut row =
            vec![health::cell(item.severity, printer), Cell::new(&item.kind), Cell::new(&item.name)];
        row.extend(of_several_accounts.then(|| Cell::new(&item.account)));
        row.extend([
            Cell::new(&item.region),
            item.since.map_or_else(Cell::default, |at| span::brief(at.0.age_at(now)).into()),
            Cell::new(&item.sentence),
        ]);
        table.row(row);
    }
    table
}

/// What is healthy, and what nothing watches.
fn closing(fleet: &Fleet, printer: &Printer) -> Vec<String> {
    let mut lines = Vec::new();
    let healthy: Vec<String> =
        fleet.healthy.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| count(*n, kind)).collect();
    if !healthy.is_empty() {
        lines.push(format!("Healthy: {}", healthy.join(", ")));
    }
    // Kinds are told apart: a database and a cache may share a name.
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for subject in &fleet.unwatched {
        kinds.entry(subject.kind()).or_default().push(subject.name());
    }
    for (kind, names) in kinds {
        lines.push(format!("No alarm watches {}: {}", count(names.len(), kind), scrub(&names.join(", "))));
    }
    match printer.room {
        Some(room) => lines.iter().flat_map(|line| wrapped(line, room)).collect(),
        None => lines,
    }
}
