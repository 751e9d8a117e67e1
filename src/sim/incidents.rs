//! Named incidents, as data: what breaks and when, and the true cause that a reader of the screen should find.
//!
//! Must not act: the world plays them.

use std::time::Duration;

use serde::Deserialize;

use crate::sim::stack::{Incident, IncidentKind, Stack, StackError};

/// The incidents that come with the program, in the order in which they are shown.
const BUILTIN: [(&str, &str); 16] = [
    ("bad-image-tag", include_str!("incidents/bad-image-tag.toml")),
    ("out-of-memory", include_str!("incidents/out-of-memory.toml")),
    ("secret-key-removed", include_str!("incidents/secret-key-removed.toml")),
    ("rotation-stuck", include_str!("incidents/rotation-stuck.toml")),
    ("health-check-path", include_str!("incidents/health-check-path.toml")),
    ("database-storage-full", include_str!("incidents/database-storage-full.toml")),
    ("connections-exhausted", include_str!("incidents/connections-exhausted.toml")),
    ("slow-queries", include_str!("incidents/slow-queries.toml")),
    ("failover", include_str!("incidents/failover.toml")),
    ("spot-reclaim", include_str!("incidents/spot-reclaim.toml")),
    ("capacity-unavailable", include_str!("incidents/capacity-unavailable.toml")),
    ("cpu-at-maximum", include_str!("incidents/cpu-at-maximum.toml")),
    ("5xx-after-deployment", include_str!("incidents/5xx-after-deployment.toml")),
    ("log-group-deleted", include_str!("incidents/log-group-deleted.toml")),
    ("expired-credentials", include_str!("incidents/expired-credentials.toml")),
    ("throttling", include_str!("incidents/throttling.toml")),
];

/// An incident with a name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedIncident {
    /// As typed after `--incident`.
    pub name: String,
    /// What people would call it afterwards.
    pub title: String,
    /// The true cause, in one sentence.
    pub cause: String,
    /// The resource that a reader must name: a service, secret, database or log group of the stack, or what
    /// stands between a client and AWS.
    pub sick: String,
    /// The stack that it happens in.
    pub stack: String,
    /// What happens, and when; an instant before the start is written with a minus.
    pub events: Vec<Incident>,
}

impl NamedIncident {
    /// Reads an incident's file; `file` is how errors call it. Its stack is one that comes with the program.
    ///
    /// # Errors
    /// When the text is not of the schema, or names something that its stack does not have.
    pub fn parse(file: &str, text: &str) -> Result<Self, StackError> {
        let bad = |place: String, problem: String| StackError { file: file.to_owned(), place, problem };
        let incident: Self = toml::from_str(text).map_err(|error| {
            let place = error.span().map_or_else(
                || "whole file".to_owned(),
                |span| crate::sim::stack::position(text, span.start),
            );
            bad(place, error.message().trim().replace('\n', "; "))
        })?;
        let stack = Stack::builtin(&incident.stack)
            .ok_or_else(|| bad("stack".to_owned(), format!("there is no stack `{}`", incident.stack)))??;
        for (at, event) in incident.events.iter().enumerate() {
            stack
                .check_incident(&format!("events.{at}"), event)
                .map_err(|(place, problem)| bad(place, problem))?;
        }
        if !incident.names_what_is_sick() {
            let problem = format!("`{}` is nothing that its events touch", incident.sick);
            return Err(bad("sick".to_owned(), problem));
        }
        Ok(incident)
    }

    /// An incident that comes with the program; `None` for an unknown name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Result<Self, StackError>> {
        let (name, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(&format!("{name}.toml"), text))
    }

    /// Names of the incidents that come with the program.
    pub fn builtins() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// How long before the start it begins.
    #[must_use]
    pub fn lead(&self) -> Duration {
        let earliest = self.events.iter().map(|event| event.at.millis).min().unwrap_or(0);
        Duration::from_millis(earliest.min(0).unsigned_abs())
    }

    /// What is sick is touched by an event, or is no resource at all, when the fault lies before AWS.
    fn names_what_is_sick(&self) -> bool {
        self.events.iter().any(|event| {
            event.kind == IncidentKind::Fault
                || event.service == self.sick
                || event.target.as_ref() == Some(&self.sick)
        })
    }
}

#[cfg(test)]
mod tests;
