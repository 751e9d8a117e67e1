//! What the machine wants done, and what its driver hands back.
//!
//! Data only; the machine decides.

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::mutation::Receipt;
use crate::domain::plan::Plan;
use crate::domain::query::{Answer, Query};
use crate::domain::verdict::Verdict;
use crate::guard::permit::Permit;
use crate::guard::policy::{Friction, Policy};
use crate::journal::{Acknowledged, Intent};
use crate::stdx::clock::Moment;

/// What the machine wants done.
#[derive(Debug, PartialEq)]
pub enum Demand {
    /// Ask this at `at`, in the foreground class, and hand back `Input::Read`.
    Read {
        /// What to ask.
        query: Query,
        /// When; now for a re-read, later while watching.
        at: Moment,
    },
    /// Show the plan, and hand back `Input::Confirm` or `Input::Cancel`.
    Confirm {
        /// What would happen.
        plan: Box<Plan>,
        /// What the confirmation takes.
        friction: Friction,
        /// The name to type.
        name: String,
        /// What was wrong with the last confirmation.
        mistake: Option<Mistake>,
    },
    /// Write the intent to the journal and hand back `Input::Recorded`.
    Record(Box<Intent>),
    /// Make the call, once, and hand back `Input::Called`.
    Call(Permit),
    /// Write to the journal what AWS said; nothing waits for it.
    Acknowledge(Box<Acknowledged>),
    /// It is over. When an intent was recorded, the outcome belongs in the journal too.
    End {
        /// How.
        verdict: Verdict,
        /// Whether an intent stands in the journal.
        recorded: bool,
    },
}

/// What is wrong with a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The typed name is another.
    #[error("the name does not match")]
    Name,
    /// A reason is wanted.
    #[error("a reason is wanted")]
    Reason,
    /// One key is not enough here.
    #[error("the name has to be typed")]
    TooLittle,
    /// The policy wants a person at a console.
    #[error("the policy forbids it on a command line")]
    Headless,
    /// What it would return to is not known to have run: somebody has to look at the plan.
    #[error("what to return to has to be named here, the plan says why")]
    Guess,
}

/// How the operator said yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// With one key.
    Key,
    /// By typing.
    Typed {
        /// The target's name.
        name: String,
        /// Why.
        reason: Option<String>,
    },
    /// `--yes` on a command line that already names the target.
    CommandLine {
        /// `--reason`.
        reason: Option<String>,
        /// `--confirm`.
        confirm: Option<String>,
    },
}

/// How the call went.
#[derive(Clone, Debug, PartialEq)]
pub enum CallOutcome {
    /// AWS accepted it.
    Accepted(Receipt),
    /// AWS answered that it did not do it.
    Refused(Fault),
    /// The request never left: no connection was made.
    NotSent(Fault),
    /// No answer that could be read: it may have happened.
    Lost(Fault),
}

impl CallOutcome {
    /// Sorts a fault: only an answer that says no, or a request that never left, is a failure.
    #[must_use]
    pub fn of_fault(fault: Fault, sent: bool) -> Self {
        if !sent {
            return Self::NotSent(fault);
        }
        match fault.kind {
            FaultKind::NoCredentials
            | FaultKind::Expired
            | FaultKind::Denied
            | FaultKind::Throttled
            | FaultKind::NotFound
            | FaultKind::Unsupported
            | FaultKind::Invalid
            | FaultKind::Config => Self::Refused(fault),
            FaultKind::Network | FaultKind::Server | FaultKind::Garbled | FaultKind::Unknown => {
                Self::Lost(fault)
            }
        }
    }
}

/// What the driver hands back.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// To `Demand::Read`.
    Read {
        /// What was asked.
        query: Box<Query>,
        /// What came of it.
        outcome: Box<Result<Answer, Fault>>,
    },
    /// To `Demand::Confirm`: yes, under the policy as it is now.
    Confirm {
        /// How.
        with: Confirmation,
        /// What holds now.
        policy: Policy,
    },
    /// To `Demand::Confirm`: no.
    Cancel,
    /// To `Demand::Record`: whether it is on disk, or why not.
    Recorded(Result<(), String>),
    /// To `Demand::Call`.
    Called(CallOutcome),
    /// The operator stops watching; what was started goes on.
    StopWatching,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its target is read.
    Reading,
    /// It waits for a yes.
    Confirming,
    /// The intent is written, or AWS is called.
    Calling,
    /// It is watched.
    Watching,
    /// It is over.
    Ended,
}

/// Something that is watched, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its name; empty for a call whose yes is its end.
    pub name: String,
    /// Where it stands, or how it ended.
    pub state: String,
    /// The deployment, if it is one.
    pub deployment: Option<String>,
    /// The stage, of a deployment that has stages.
    pub stage: Option<String>,
    /// Whether it has ended.
    pub is_over: bool,
}
