//! A journal as people read it after an incident.
//!
//! Must not judge; it orders and words what was written.

use std::collections::HashMap;

use super::{Entry, Event, Intent};
use crate::domain::mutation::Mutation;
use crate::domain::verdict::Verdict;
use crate::stdx::text::scrub;

/// Intents without an outcome: the session ended in between, and whether AWS was called is unknown.
#[must_use]
pub fn unfinished(entries: &[Entry]) -> Vec<&Entry> {
    let mut open: Vec<&Entry> = Vec::new();
    for entry in entries {
        match entry.event {
            Event::Intent(_) => open.push(entry),
            Event::Outcome(_) => open.retain(|intent| intent.operation != entry.operation),
        }
    }
    open
}

fn verb(mutation: &Mutation) -> &'static str {
    match mutation {
        Mutation::ForceDeployment { .. } => "force a deployment",
        Mutation::StopTask { .. } => "stop a task",
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Succeeded => "succeeded".to_owned(),
        Verdict::Accepted => "accepted by AWS, not watched".to_owned(),
        Verdict::Failed { why } => format!("failed: {why}"),
        Verdict::RolledBack { why } => format!("rolled back: {why}"),
        Verdict::Superseded { by } => format!("superseded by {by}"),
        Verdict::Unknown { how_to_find_out } => format!("unknown; {how_to_find_out}"),
        Verdict::Refused { why } => format!("refused: {why}"),
        Verdict::Changed { difference } => format!("not done, the target had changed: {difference}"),
    }
}

/// Text for a cell of a Markdown table.
fn cell(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in scrub(text).chars() {
        if matches!(c, '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']') {
            clean.push('\\');
        }
        clean.push(c);
    }
    clean
}

/// The time line as a Markdown table, with the head hash that it was made from.
#[must_use]
pub fn markdown(title: &str, entries: &[Entry], head: &str) -> String {
    let intents: HashMap<&str, &Intent> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Intent(intent) => Some((entry.operation.as_str(), intent)),
            Event::Outcome(_) => None,
        })
        .collect();
    let mut text = format!("# {}\n\n| Time (UTC) | Who | What |\n|---|---|---|\n", cell(title));
    for entry in entries {
        let what = match &entry.event {
            Event::Intent(intent) => {
                let reason = intent.reason.as_ref().map_or_else(String::new, |r| format!(" Reason: {r}"));
                let (before, after) = (&intent.before, &intent.after);
                format!("{}: {}. {before} → {after}.{reason}", intent.target, verb(&intent.mutation))
            }
            Event::Outcome(outcome) => {
                let target = intents
                    .get(entry.operation.as_str())
                    .map_or("(intent not in this excerpt)", |i| &i.target);
                format!("{target}: {}", verdict(&outcome.verdict))
            }
        };
        text.push_str(&format!(
            "| {} | {} | {} |\n",
            entry.at.rfc3339(),
            cell(entry.who.brief()),
            cell(&what)
        ));
    }
    for entry in unfinished(entries) {
        let line =
            format!("Operation {} has no outcome: the session ended before it was known.", entry.operation);
        text.push_str(&format!("\n{}\n", cell(&line)));
    }
    text.push_str(&format!("\nHead of the journal: `{head}`\n"));
    text
}
