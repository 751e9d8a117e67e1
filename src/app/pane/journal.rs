//! The journal pane: what was changed with opsdeck on this host, one row for each operation.
//!
//! Rows, and the texts that a filter searches, are made once for each reading of the journal. Must not read it, and
//! must not let a row's target pass for something that is still there: whoever jumps asks the world.

use std::collections::BTreeSet;

use crate::app::pane::list::ListPane;
use crate::diagnose::Subject;
use crate::domain::mutation::Mutation;
use crate::domain::scope::Scope;
use crate::domain::verdict::Verdict;
use crate::journal::{Deed, End, History};
use crate::stdx::rect::Rect;
use crate::stdx::text::{self, count};

/// Operations that are kept: more than anybody scrolls through, and little memory. Older ones are counted.
pub const KEPT: usize = 1_000;

/// Lines that a note takes at most: the rows have to stay in sight.
const NOTE: usize = 3;

/// What the rows are sorted by; within the same, the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// When it began, newest first.
    #[default]
    When,
    /// Who began it.
    Who,
    /// What was asked for.
    Verb,
    /// What it is about.
    Target,
    /// How it ended: what failed or is unknown first.
    Verdict,
}

impl Column {
    /// All, in the order that the sort key walks.
    pub const ALL: [Self; 5] = [Self::When, Self::Who, Self::Verb, Self::Target, Self::Verdict];

    /// Its name in the palette.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::When => "when",
            Self::Who => "who",
            Self::Verb => "verb",
            Self::Target => "target",
            Self::Verdict => "verdict",
        }
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        let index = Self::ALL.iter().position(|c| *c == self).unwrap_or(0);
        Self::ALL[(index + 1) % Self::ALL.len()]
    }
}

/// A verdict in a word or two.
#[must_use]
pub fn word(end: End<'_>) -> &'static str {
    match end {
        End::Mark => "",
        End::Open(_) => "no outcome",
        End::Known(Verdict::Succeeded) => "succeeded",
        End::Known(Verdict::Accepted) => "accepted",
        End::Known(Verdict::Failed { .. }) => "failed",
        End::Known(Verdict::RolledBack { .. }) => "rolled back",
        End::Known(Verdict::Superseded { .. }) => "superseded",
        End::Known(Verdict::Unknown { .. }) => "unknown",
        End::Known(Verdict::Refused { .. }) => "refused",
        End::Known(Verdict::Changed { .. }) => "not done",
    }
}

fn rank(end: End<'_>) -> u8 {
    match end {
        End::Known(Verdict::Failed { .. } | Verdict::RolledBack { .. }) => 0,
        End::Known(Verdict::Unknown { .. }) | End::Open(_) => 1,
        End::Known(Verdict::Refused { .. } | Verdict::Changed { .. }) => 2,
        End::Known(Verdict::Superseded { .. } | Verdict::Accepted) => 3,
        End::Known(Verdict::Succeeded) => 4,
        End::Mark => 5,
    }
}

/// What a call is about, as other panes know it. A task leads to its service only while the task is known.
#[must_use]
pub fn subject(mutation: &Mutation) -> Option<Subject> {
    Some(match mutation {
        Mutation::RotateSecret { secret, .. }
        | Mutation::PutSecretValue { secret, .. }
        | Mutation::MoveSecretStage { secret, .. } => Subject::Secret(secret.clone()),
        Mutation::RebootDatabase { database, .. }
        | Mutation::FailoverCluster { database, .. }
        | Mutation::CreateSnapshot { database, .. }
        | Mutation::GrowStorage { database, .. } => Subject::Database(database.clone()),
        Mutation::TestCacheFailover { cache, .. } => Subject::Cache(cache.clone()),
        Mutation::SetAlarmActions { alarm, .. } | Mutation::MuteAlarm { alarm, .. } => {
            Subject::Alarm(alarm.clone())
        }
        other => Subject::Service(other.service()?.clone()),
    })
}

/// The pane.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// List state; rows are names of operations.
    pub list: ListPane<String, Column>,
    /// What was last read.
    pub history: History,
    /// Why it could not be read the last time.
    pub unreadable: Option<String>,
    /// Whether it was ever read.
    pub read: bool,
    /// Where its operations acted.
    pub scopes: BTreeSet<Scope>,
    /// What a filter searches, deed by deed.
    texts: Vec<String>,
    /// Whether more may be on disk than was read.
    behind: bool,
    /// Whether it is being read.
    reading: bool,
    /// Whether it was on the screen before.
    shown: bool,
}

impl Journal {
    /// Takes in what was read. What cannot be read now leaves what was read before.
    pub fn absorb(&mut self, read: Result<History, String>) {
        self.reading = false;
        match read {
            Ok(history) => {
                self.texts = history.deeds.iter().map(text_of).collect();
                let intents = history.deeds.iter().flat_map(Deed::intents);
                self.scopes = intents.map(|intent| intent.mutation.scope().clone()).collect();
                self.history = history;
                self.unreadable = None;
                self.read = true;
            }
            Err(why) => self.unreadable = Some(why),
        }
        self.settle();
    }

    /// Computes the rows again: after a reading, and when filter or order changed.
    pub fn settle(&mut self) {
        let passing = self.history.deeds.iter().zip(&self.texts).filter(|(_, text)| self.list.passes(text));
        let mut deeds: Vec<&Deed> = passing.map(|(deed, _)| deed).collect();
        // The sort is stable: what is equal stays newest first.
        match self.list.sort {
            Column::When => {}
            Column::Who => deeds.sort_by_key(|deed| deed.who().brief()),
            Column::Verb => deeds.sort_by_key(|deed| deed.verb()),
            Column::Target => deeds.sort_by_cached_key(|deed| deed.targets()),
            Column::Verdict => deeds.sort_by_key(|deed| rank(deed.end())),
        }
        if self.list.reversed {
            deeds.reverse();
        }
        self.list.rows = deeds.into_iter().map(|deed| deed.operation().to_owned()).collect();
    }

    /// An operation.
    #[must_use]
    pub fn deed(&self, operation: &str) -> Option<&Deed> {
        self.history.deeds.iter().find(|deed| deed.operation() == operation)
    }

    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Option<&Deed> {
        self.deed(self.list.selected()?)
    }

    /// More may be on disk than was read.
    pub fn outdate(&mut self) {
        self.behind = true;
    }

    /// Whether it is to be read now: when it comes on the screen, and while it is there when something was written.
    pub fn is_due(&mut self, shown: bool) -> bool {
        // Other consoles of this user write into it too.
        self.behind |= shown && !self.shown;
        self.shown = shown;
        let due = shown && self.behind && !self.reading;
        if due {
            self.reading = true;
            self.behind = false;
        }
        due
    }

    /// What is wrong with the journal, wrapped to the pane, with whether it is more than a scratch.
    #[must_use]
    pub fn notes(&self, width: u16) -> Vec<(String, bool)> {
        let mut notes = Vec::new();
        if let Some(why) = self.unreadable.as_ref().filter(|_| self.read) {
            notes.push((format!("What follows is old, the journal cannot be read: {why}"), true));
        }
        if let Some(broken) = &self.history.broken {
            notes.push((format!("The journal does not hold: {broken}; what follows it was not read"), true));
        }
        match self.history.torn {
            0 => {}
            1 => notes.push(("1 line was torn by a crash".to_owned(), false)),
            torn => notes.push((format!("{torn} lines were torn by a crash"), false)),
        }
        let width = usize::from(width.saturating_sub(4));
        let lines = notes.into_iter().flat_map(|(note, bad)| {
            let lines = text::wrapped(&note, width).into_iter().take(NOTE);
            lines.map(move |line| (line, bad)).collect::<Vec<_>>()
        });
        lines.collect()
    }

    /// What is said of the operations that are not kept.
    #[must_use]
    pub fn foot(&self) -> Option<String> {
        let History { older, older_open, .. } = self.history;
        let open = match older_open {
            0 => String::new(),
            open => format!(", {open} of them without an outcome"),
        };
        (older > 0).then(|| format!("… and {older} older{open}: opsdeck journal lists them"))
    }

    /// How many rows have room inside the pane, below what stands above them.
    #[must_use]
    pub fn room(&self, inside: Rect) -> usize {
        let others = 1 + self.notes(inside.width).len() + usize::from(self.foot().is_some());
        usize::from(inside.height).saturating_sub(others).max(1)
    }

    /// How many operations are there, with those that are not kept.
    #[must_use]
    pub fn says(&self) -> String {
        let (all, shown) = (self.history.deeds.len(), self.list.rows.len());
        if shown == all { count(all, "operation") } else { format!("{shown} of {}", count(all, "operation")) }
    }
}

/// All that somebody may look for: as people name it, not as the row cuts it.
fn text_of(deed: &Deed) -> String {
    let who = deed.who();
    let known = [&who.os_user, &who.caller_arn, &who.host];
    let mut words: Vec<String> = vec![deed.operation().to_owned(), deed.verb().to_owned()];
    words.extend(known.into_iter().flatten().cloned());
    words.extend(deed.targets().into_iter().map(str::to_owned));
    words.extend(deed.intents().last().map(|intent| intent.mutation.scope().to_string()));
    words.extend(deed.incident().map(str::to_owned));
    words.extend(deed.reason().map(str::to_owned));
    words.push(match deed.end() {
        End::Known(verdict) => verdict.to_string(),
        end => word(end).to_owned(),
    });
    words.join(" ")
}

#[cfg(test)]
mod tests;
