//! How a headless verb ends: exit codes, and the one style of error on stderr.
//!
//! Scripts trust these numbers, so a code never changes its meaning. Must not print.

use std::fmt::Write as _;

use crate::command::wish::Unfit;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::verdict::Verdict;
use crate::stdx::text::scrub;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All that was asked for was done.
    Done = 0,
    /// None of the others.
    Other = 1,
    /// The command line or the configuration is wrong, or a name is ambiguous.
    Usage = 2,
    /// It does not exist.
    NotFound = 3,
    /// Denied, or no valid credentials.
    Denied = 4,
    /// AWS did not answer, or throttled.
    Unreachable = 5,
    /// Something was found, and something is missing.
    Partial = 6,
    /// A change failed.
    Failed = 10,
    /// ECS rolled it back.
    RolledBack = 11,
    /// A newer one replaced it.
    Superseded = 12,
    /// It may have happened.
    Unknown = 13,
    /// The guard or the operator said no.
    Refused = 14,
    /// The target had changed.
    Changed = 15,
    /// `fleet --exit-code`: something is critical. `check`: the next task would not start.
    Critical = 20,
}

/// All exit codes with their meaning, for the documentation.
pub const CODES: &[(u8, &str)] = &[
    (0, "Done. A reader that closed the pipe early (`opsdeck services | head -1`) also ends in 0, silently"),
    (1, "Another error, such as an operation that the endpoint does not support"),
    (2, "Usage: the command line, a configuration, keymap or theme file is wrong, or a name is ambiguous"),
    (3, "Not found"),
    (4, "Denied, or no valid credentials"),
    (5, "AWS unreachable, or throttled beyond patience; nothing was found out"),
    (6, "Partial result: something was found out and printed, stderr says what is missing"),
    (10, "The change failed, or only a part of it was made"),
    (11, "The change was rolled back"),
    (12, "The change was superseded by a newer one"),
    (13, "Unknown: the answer was lost, or the watch was lost or interrupted; the change may have happened"),
    (14, "Refused: by the guard or by you, and AWS was not called; `watch`: nothing is under way"),
    (15, "The target changed underneath; AWS was not called"),
    (20, "`fleet --exit-code`: something is critical; `check`: the next task would not start"),
    (255, "`exec`: opsdeck's own failure; any other code is the remote program's"),
];

impl Exit {
    /// The code of a change's verdict.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Succeeded | Verdict::Accepted => Self::Done,
            Verdict::Failed { .. } => Self::Failed,
            Verdict::RolledBack { .. } => Self::RolledBack,
            Verdict::Superseded { .. } => Self::Superseded,
            Verdict::Unknown { .. } => Self::Unknown,
            Verdict::Refused { .. } => Self::Refused,
            Verdict::Changed { .. } => Self::Changed,
        }
    }

    /// The code that a fault deserves when it is all there is to say.
    #[must_use]
    pub fn of(kind: FaultKind) -> Self {
        match kind {
            FaultKind::NoCredentials | FaultKind::Expired | FaultKind::Denied => Self::Denied,
            FaultKind::Throttled | FaultKind::Network | FaultKind::Server | FaultKind::Garbled => {
                Self::Unreachable
            }
            FaultKind::NotFound => Self::NotFound,
            FaultKind::Config => Self::Usage,
            FaultKind::Unsupported | FaultKind::Invalid | FaultKind::Unknown => Self::Other,
        }
    }
}

/// An error that ends a verb, as it is shown to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong, in one sentence.
    pub what: String,
    /// Lines that belong to it: candidates, places.
    pub details: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), details: Vec::new(), hint: None }
    }

    /// A wrong command line or configuration.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with lines that belong to it.
    #[must_use]
    pub fn details(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details = details.into_iter().collect();
        self
    }
}

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        let problem = Self::usage(unfit.to_string());
        match unfit.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        let what = match &fault.action {
            Some(action) => format!("{action}: {}", fault.message),
            None => fault.message,
        };
        Self { exit: Exit::of(fault.kind), what, details: Vec::new(), hint: fault.hint }
    }
}

impl std::fmt::Display for Problem {
    /// `opsdeck: what`, its lines indented, `hint: what to do`; fit for a terminal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for (index, line) in self.what.lines().enumerate() {
            text.push_str(if index == 0 { "opsdeck: " } else { "  " });
            writeln!(text, "{}", scrub(line))?;
        }
        for line in &self.details {
            writeln!(text, "  {}", scrub(line))?;
        }
        if let Some(hint) = &self.hint {
            writeln!(text, "hint: {}", scrub(hint))?;
        }
        f.write_str(text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_the_same_everywhere_and_cannot_act_on_the_terminal() {
        let problem =
            Problem::usage("no \x1b]0;x\x07").details(["a/b".to_owned()]).hint("say which, with --cluster");
        assert_eq!(problem.to_string(), "opsdeck: no ␛]0;x␇\n  a/b\nhint: say which, with --cluster");
    }

    #[test]
    fn a_fault_becomes_a_problem_with_its_action_and_code() {
        let fault = Fault::new(FaultKind::Denied, "not authorized").action("ecs:ListClusters").hint("ask");
        let problem = Problem::from(fault);
        assert_eq!(problem.exit as u8, 4);
        assert_eq!(problem.to_string(), "opsdeck: ecs:ListClusters: not authorized\nhint: ask");
    }

    #[test]
    fn every_code_that_a_verb_returns_is_documented_once() {
        let mut codes: Vec<u8> = CODES.iter().map(|(code, _)| *code).collect();
        for exit in [
            Exit::Done,
            Exit::Other,
            Exit::Usage,
            Exit::NotFound,
            Exit::Denied,
            Exit::Unreachable,
            Exit::Partial,
            Exit::Failed,
            Exit::RolledBack,
            Exit::Superseded,
            Exit::Unknown,
            Exit::Refused,
            Exit::Changed,
            Exit::Critical,
        ] {
            assert!(codes.contains(&(exit as u8)));
        }
        let all = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), all);
        assert!(codes.is_sorted());
    }
}
