//! What is wrong with an item, as it is printed: `diagnose`'s findings with what they rest on.
//!
//! Must not judge; `diagnose` does.

use crate::cli::item::{Time, shape, time};
use crate::diagnose::{self, Severity, rank};

shape! {
    /// Something about an item that a person may have to act on.
    Finding {
        /// The rule that found it, such as `database.storage-full`; its name does not change.
        rule: String = "text",
        /// `critical`, `warning`, `progress`, `unknown`.
        severity: Severity = "text",
        /// What is wrong, in one sentence with its number.
        sentence: String = "text",
        /// Since when, as far as AWS tells.
        since: Option<Time> = "time or null",
        /// What the judgement rests on, the strongest first.
        evidence: Vec<Evidence> = "list of Evidence",
        /// The one safe thing to do next.
        next: Option<String> = "text or null",
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
        }
    }
}

/// The worst of the findings in a word and a sentence; `calm` is the judgement of what has none.
#[must_use]
pub fn worst(found: &mut [diagnose::Finding], calm: (Severity, &str)) -> (Severity, String) {
    rank(found);
    found.first().map_or((calm.0, calm.1.to_owned()), |first| (first.severity, first.sentence.clone()))
}
