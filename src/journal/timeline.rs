//! A journal as people read it after an incident.
//!
//! Must not judge; it orders and words what was written.

use std::collections::HashMap;

use super::{Acknowledged, Entry, Event, IncidentMark, Intent};
use crate::stdx::text::scrub;

/// How far an operation without an outcome came, as far as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The intent of its last call is written, and nothing after it.
    Intended,
    /// The call was made and its answer was lost.
    Lost,
    /// AWS answered.
    Answered,
}

impl Reached {
    pub(super) fn of(note: &Acknowledged) -> Self {
        if note.lost.is_some() { Self::Lost } else { Self::Answered }
    }

    /// What is known of it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Intended => "whether AWS was called is unknown",
            Self::Lost => "AWS was called and its answer was lost: it may have happened",
            Self::Answered => "AWS answered the call; what came of it was not watched to its end",
        }
    }
}

/// An operation whose end is not written: the session ended before it was known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished<'e> {
    /// The last intent.
    pub intent: &'e Entry,
    /// How far it came.
    pub reached: Reached,
}

impl Unfinished<'_> {
    /// What is known of it.
    #[must_use]
    pub fn words(&self) -> &'static str {
        self.reached.words()
    }
}

/// Operations without an outcome, oldest first.
#[must_use]
pub fn unfinished(entries: &[Entry]) -> Vec<Unfinished<'_>> {
    let mut open: Vec<Unfinished<'_>> = Vec::new();
    for entry in entries {
        match &entry.event {
            Event::Intent(_) => {
                open.retain(|other| other.intent.operation != entry.operation);
                open.push(Unfinished { intent: entry, reached: Reached::Intended });
            }
            Event::Acknowledged(note) => {
                for other in open.iter_mut().filter(|other| other.intent.operation == entry.operation) {
                    other.reached = Reached::of(note);
                }
            }
            Event::Outcome(_) => open.retain(|other| other.intent.operation != entry.operation),
            Event::IncidentOpened(_) | Event::IncidentClosed(_) => {}
        }
    }
    open
}

/// The incident that is open at the end, if one is.
#[must_use]
pub fn open_incident(entries: &[Entry]) -> Option<&IncidentMark> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::IncidentOpened(mark) => Some(Some(mark)),
        Event::IncidentClosed(_) => Some(None),
        _ => None,
    })?
}

/// An entry in a sentence. `intent` is the operation's, for what an outcome is about.
#[must_use]
pub fn words(entry: &Entry, intent: Option<&Intent>) -> String {
    let target = || intent.map_or("(intent not in this excerpt)", |intent| intent.target.as_str());
    match &entry.event {
        Event::Intent(intent) => {
            let mut text = format!("{}: {} ({})", intent.target, intent.verb, intent.mutation.action());
            if intent.steps > 1 {
                text.push_str(&format!(", call {} of {}", intent.step, intent.steps));
            }
            if !intent.before.is_empty() || !intent.after.is_empty() {
                text.push_str(&format!(". {} → {}", intent.before, intent.after));
            }
            if let Some(reason) = &intent.reason {
                text.push_str(&format!(". Reason: {reason}"));
            }
            text
        }
        Event::Acknowledged(note) => match &note.lost {
            Some(why) => format!("{}: the answer was lost: {why}", target()),
            None => {
                let receipt = &note.receipt;
                let named = [&receipt.deployment, &receipt.definition, &receipt.task];
                let named: Vec<&str> = named.into_iter().flatten().map(String::as_str).collect();
                let named = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
                format!("{}: AWS accepted it{named}", target())
            }
        },
        Event::Outcome(outcome) => format!("{}: {}", target(), outcome.verdict),
        Event::IncidentOpened(mark) => format!("Incident {} opened: {}", mark.id, mark.title),
        Event::IncidentClosed(mark) => format!("Incident {} closed: {}", mark.id, mark.title),
    }
}

/// The last intent of each operation.
#[must_use]
pub fn intents(entries: &[Entry]) -> HashMap<&str, &Intent> {
    entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Intent(intent) => Some((entry.operation.as_str(), &**intent)),
            _ => None,
        })
        .collect()
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
    let intents = intents(entries);
    let mut text = format!("# {}\n\n| Time (UTC) | Who | What |\n|---|---|---|\n", cell(title));
    for entry in entries {
        let what = words(entry, intents.get(entry.operation.as_str()).copied());
        text.push_str(&format!(
            "| {} | {} | {} |\n",
            entry.at.rfc3339(),
            cell(entry.who.brief()),
            cell(&what)
        ));
    }
    for open in unfinished(entries) {
        let line = format!("Operation {} has no outcome: {}.", open.intent.operation, open.words());
        text.push_str(&format!("\n{}\n", cell(&line)));
    }
    text.push_str(&format!("\nHead of the journal: `{head}`\n"));
    text
}
