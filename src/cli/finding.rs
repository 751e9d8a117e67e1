//! What is wrong with an item, as it is printed: `diagnose`'s findings with what they rest on; and what could not
//! be read of it.
//!
//! Must not judge; `diagnose` does.

use crate::cli::health;
use crate::cli::item::{Time, shape, time};
use crate::cli::printer::Printer;
use crate::cli::table::{Cell, Column, Table};
use crate::diagnose::{self, Severity, rank};

shape! {
    /// Something about an item that a person may have to act on.
    Finding {
        /// The rule that found it, such as `database.storage-full`; its name does not change.
        rule: String = "text",
        /// `critical`, `warning`, `progress`, `unknown`, `notice` (it can wait).
        severity: Severity = "text",
        /// What is wrong, in one sentence with its number.
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

    /// Something that a judgement rests on.
    Evidence {
        /// When it was so.
        at: Option<Time> = "time or null",
        /// What, in AWS's words where AWS said it.
        text: String = "text",
    }
}

impl From<&diagnose::Evidence> for Evidence {
    fn from(evidence: &diagnose::Evidence) -> Self {
        Self { at: time(evidence.at), text: evidence.text.clone() }
    }
}

impl From<&diagnose::Finding> for Finding {
    fn from(finding: &diagnose::Finding) -> Self {
        Self {
            rule: finding.rule.to_owned(),
            severity: finding.severity,
            sentence: finding.sentence.clone(),
            since: time(finding.since),
            evidence: finding.evidence.iter().map(Evidence::from).collect(),
            next: finding.next.clone(),
            command: finding.command.clone(),
        }
    }
}

/// The worst of the findings in a word and a sentence; `calm` is the judgement of what has none.
#[must_use]
pub fn worst(found: &mut [diagnose::Finding], calm: (Severity, &str)) -> (Severity, String) {
    rank(found);
    found.first().map_or((calm.0, calm.1.to_owned()), |first| (first.severity, first.sentence.clone()))
}

/// The worst that is wrong, and how much more there is: for a cell of a table.
#[must_use]
pub fn summary(reason: &str, findings: &[Finding]) -> String {
    match findings.len() {
        0 => String::new(),
        1 => reason.to_owned(),
        more => format!("{reason} (and {} more)", more - 1),
    }
}

/// All findings, behind an empty line.
#[must_use]
pub fn lines(findings: &[Finding], printer: &Printer) -> Vec<String> {
    if findings.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(&[Column::fixed("SEVERITY"), Column::sentence("FINDING")]).spilling();
    for finding in findings {
        table.row([health::cell(finding.severity, printer), Cell::new(&finding.sentence)]);
    }
    std::iter::once(String::new()).chain(printer.set(&table)).collect()
}

/// A list that an item tells in full, for a person: `known` when there was one, `none` when it is empty, and why it
/// or its rest was not read.
#[must_use]
pub fn told<T>(
    list: Option<&[T]>,
    unread: Option<&str>,
    (what, none): (&str, &str),
    known: impl FnOnce(&[T]) -> Vec<String>,
) -> Vec<String> {
    let mut lines = vec![String::new()];
    match (list, unread) {
        (None, why) => lines.push(format!("{what} not read: {}", why.unwrap_or("AWS did not tell"))),
        (Some([]), _) => lines.push(none.to_owned()),
        (Some(all), why) => {
            lines.extend(known(all));
            lines.extend(why.map(|why| format!("{what} not all read: {why}")));
        }
    }
    lines
}

/// What was read of a list: all of it, or at least something; never an empty list for a failure.
#[must_use]
pub fn known<T>(list: Vec<T>, to_its_end: bool) -> Option<Vec<T>> {
    (to_its_end || !list.is_empty()).then_some(list)
}
