//! The journal: what was done to AWS, by whom, why, and how it ended. Its entries become an incident's time line.
//!
//! Floor 2. It knows entries, their text and their chain; the file lives in `runtime`, behind `Sink`. Must not
//! hold a secret's value: a mutation carries references only.

mod chain;
mod deed;
mod timeline;

use serde::{Deserialize, Serialize};

pub use chain::{Broken, CANNOT_DETECT, Chain, Report, verify};
pub use deed::{Deed, End, History};
pub use timeline::{Reached, Unfinished, intents, markdown, open_incident, unfinished, words};

use crate::domain::mutation::{Mutation, Receipt};
use crate::domain::verdict::Verdict;
use crate::stdx::clock::Wall;

/// Who acted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The caller's ARN, from STS; absent when it was not known yet.
    pub caller_arn: Option<String>,
    /// The user on this machine.
    pub os_user: Option<String>,
    /// This machine.
    pub host: Option<String>,
    /// Where the SSH session comes from.
    pub ssh_client: Option<String>,
}

impl Who {
    /// The shortest name that tells people apart.
    #[must_use]
    pub fn brief(&self) -> &str {
        let session = self.caller_arn.as_deref().map(|arn| arn.rsplit('/').next().unwrap_or(arn));
        self.os_user.as_deref().or(session).unwrap_or("unknown")
    }
}

/// What is written before AWS is called. Without it on disk there is no call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The call.
    pub mutation: Mutation,
    /// What was asked for: `deploy`, `rollback`.
    pub verb: String,
    /// The target as people name it.
    pub target: String,
    /// Which call of the operation this is, from 1.
    pub step: usize,
    /// Of how many.
    pub steps: usize,
    /// What was there.
    pub before: String,
    /// What is meant to be there.
    pub after: String,
    /// Why.
    pub reason: Option<String>,
}

/// What is written when AWS has answered a call, or when its answer is known to be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Which call.
    pub step: usize,
    /// What kept the answer away.
    pub lost: Option<String>,
    /// What AWS said.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// What is written when it is known how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
}

/// A mark of an incident: its beginning or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentMark {
    /// The incident's id.
    pub id: String,
    /// What it is about, in the words of whoever opened it.
    pub title: String,
}

impl IncidentMark {
    /// An incident that begins now, named by the minute.
    #[must_use]
    pub fn new(at: Wall, title: String) -> Self {
        let stamp: String = at.rfc3339().chars().take(16).filter(char::is_ascii_digit).collect();
        Self { id: format!("inc-{stamp}"), title }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// AWS is about to be called.
    Intent(Box<Intent>),
    /// AWS answered, or did not.
    Acknowledged(Acknowledged),
    /// It is over.
    Outcome(Outcome),
    /// An incident was opened.
    IncidentOpened(IncidentMark),
    /// It was closed.
    IncidentClosed(IncidentMark),
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in milliseconds since 1970.
    pub at: Wall,
    /// Who.
    pub who: Who,
    /// Joins an intent with its outcome; unique within a journal.
    pub operation: String,
    /// The incident during which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Where lines go: appended, whole, and on disk when it returns.
pub trait Sink {
    /// Appends text that ends in a line feed, and makes sure that it stays.
    ///
    /// # Errors
    /// When it may not be on disk; then what depended on it must not happen.
    fn append(&mut self, text: &str) -> std::io::Result<()>;
}

impl Chain {
    /// Writes an entry. The chain moves on only when the sink has it.
    ///
    /// # Errors
    /// When the entry could not be written or the sink refused it.
    pub fn append(&mut self, entry: &Entry, sink: &mut dyn Sink) -> std::io::Result<()> {
        let (text, next) = self.line(entry)?;
        sink.append(&text)?;
        *self = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
