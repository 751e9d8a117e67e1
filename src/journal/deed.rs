//! The journal by operations: what belongs together is joined, so that one row tells one change with its end.
//!
//! Must not judge, nor keep all of a journal that goes on for years: whoever shows it says how much is wanted.

use std::collections::HashMap;

use super::timeline::Reached;
use super::{Broken, Entry, Event, IncidentMark, Intent, Report, Who};
use crate::domain::mutation::Mutation;
use crate::domain::verdict::Verdict;
use crate::stdx::clock::Wall;

/// One operation with all that is written of it; or a mark of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    first: Entry,
    rest: Vec<Entry>,
}

/// How an operation stands in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'d> {
    /// It is a mark of an incident, which has none.
    Mark,
    /// It is written how it ended.
    Known(&'d Verdict),
    /// No end is written.
    Open(Reached),
}

impl Deed {
    /// What joins its entries; unique within a journal.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.first.operation
    }

    /// Its entries, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// When it began.
    #[must_use]
    pub fn at(&self) -> Wall {
        self.first.at
    }

    /// Who began it. The caller's ARN may have become known after the first entry.
    #[must_use]
    pub fn who(&self) -> &Who {
        let told = self.entries().find(|entry| entry.who.caller_arn.is_some());
        &told.unwrap_or(&self.first).who
    }

    /// The incident during which it began, or whose mark it is.
    #[must_use]
    pub fn incident(&self) -> Option<&str> {
        self.first.incident.as_deref().or(self.mark().map(|mark| mark.id.as_str()))
    }

    /// Its intents, in order: one for each call.
    pub fn intents(&self) -> impl DoubleEndedIterator<Item = &Intent> {
        self.entries().filter_map(|entry| match &entry.event {
            Event::Intent(intent) => Some(&**intent),
            _ => None,
        })
    }

    /// The mark that it is.
    #[must_use]
    pub fn mark(&self) -> Option<&IncidentMark> {
        self.entries().find_map(|entry| match &entry.event {
            Event::IncidentOpened(mark) | Event::IncidentClosed(mark) => Some(mark),
            _ => None,
        })
    }

    /// What was asked for; of a torn journal the intent may be missing.
    #[must_use]
    pub fn verb(&self) -> &str {
        match (&self.first.event, self.intents().next()) {
            (_, Some(intent)) => &intent.verb,
            (Event::IncidentOpened(_), None) => "incident open",
            (Event::IncidentClosed(_), None) => "incident close",
            (_, None) => "",
        }
    }

    /// What it is about, each once. A definition that was registered on the way is not what was meant.
    #[must_use]
    pub fn targets(&self) -> Vec<&str> {
        let is_way = |intent: &Intent| matches!(intent.mutation, Mutation::RegisterTaskDefinition { .. });
        let meant = self.intents().any(|intent| !is_way(intent));
        let mut targets: Vec<&str> = Vec::new();
        for intent in self.intents().filter(|intent| !meant || !is_way(intent)) {
            if !targets.contains(&intent.target.as_str()) {
                targets.push(&intent.target);
            }
        }
        targets.extend(self.mark().map(|mark| mark.title.as_str()));
        targets
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.intents().find_map(|intent| intent.reason.as_deref())
    }

    /// How it stands.
    #[must_use]
    pub fn end(&self) -> End<'_> {
        let mut end = End::Mark;
        for entry in self.entries() {
            end = match &entry.event {
                Event::Intent(_) => End::Open(Reached::Intended),
                Event::Outcome(outcome) => End::Known(&outcome.verdict),
                Event::Acknowledged(note) if !matches!(end, End::Known(_)) => End::Open(Reached::of(note)),
                _ => end,
            };
        }
        end
    }
}

/// A journal as it is shown: its newest operations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Newest first.
    pub deeds: Vec<Deed>,
    /// How many older ones there are.
    pub older: usize,
    /// Of these, how many have no outcome.
    pub older_open: usize,
    /// The incident that is open.
    pub incident: Option<IncidentMark>,
    /// How many lines a crash tore.
    pub torn: usize,
    /// The first line that does not hold; what follows it was not read.
    pub broken: Option<Broken>,
}

impl History {
    /// What a report tells, of its newest operations so many.
    #[must_use]
    pub fn of(report: Report, keep: usize) -> Self {
        let incident = super::open_incident(&report.entries).cloned();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut deeds: Vec<Deed> = Vec::new();
        for entry in report.entries {
            match places.get(&entry.operation).and_then(|place| deeds.get_mut(*place)) {
                Some(deed) => deed.rest.push(entry),
                None => {
                    places.insert(entry.operation.clone(), deeds.len());
                    deeds.push(Deed { first: entry, rest: Vec::new() });
                }
            }
        }
        deeds.reverse();
        let old = deeds.split_off(keep.min(deeds.len()));
        Self {
            deeds,
            older: old.len(),
            older_open: old.iter().filter(|deed| matches!(deed.end(), End::Open(_))).count(),
            incident,
            torn: report.torn.len(),
            broken: report.broken,
        }
    }
}
