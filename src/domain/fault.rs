//! What can go wrong between us and AWS, in kinds that decide what happens next: log in again, wait, lock
//! one pane, or say that something does not exist.
//!
//! Must not know the SDK's error types; `cloud` maps them to these.

use serde::Serialize;

/// The kind of a fault; it decides the exit code, the retry and what the screen does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// No credentials were found at all.
    NoCredentials,
    /// The credentials were valid once.
    Expired,
    /// AWS knows who asks and refuses.
    Denied,
    /// The account's request quota, ours or AWS's count of it.
    Throttled,
    /// Nothing answered: refused, reset, timed out, name not found.
    Network,
    /// AWS answered with a server error (5xx).
    Server,
    /// The thing asked for does not exist.
    NotFound,
    /// The endpoint does not know this operation (emulators; new APIs in old regions).
    Unsupported,
    /// AWS rejected the request's content.
    Invalid,
    /// Configuration is missing or contradicts itself: no region, unknown profile.
    Config,
    /// An answer that could not be read: truncated or malformed.
    Garbled,
    /// Nothing of the above.
    Unknown,
}

/// A fault with all that a person needs to act on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The kind.
    pub kind: FaultKind,
    /// One sentence, in AWS's words where AWS said something. Not scrubbed: whoever shows it scrubs it.
    pub message: String,
    /// AWS's error code, such as `AccessDeniedException`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was asked, as an IAM action: `ecs:DescribeServices`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// AWS's request id, for a support case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl FaultKind {
    /// One word for it, or two.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoCredentials => "no credentials",
            Self::Expired => "credentials expired",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Network => "unreachable",
            Self::Server => "AWS error",
            Self::NotFound => "not found",
            Self::Unsupported => "not supported here",
            Self::Invalid => "rejected",
            Self::Config => "configuration",
            Self::Garbled => "unreadable answer",
            Self::Unknown => "failed",
        }
    }
}

impl Fault {
    /// A fault of a kind with its sentence; the rest is filled in by whoever knows it.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, action: None, hint: None, request_id: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the action that failed.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Whether asking again later can help without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Throttled | FaultKind::Network | FaultKind::Server | FaultKind::Garbled
        )
    }

    /// Whether every further call of the scope will fail the same way until somebody logs in.
    #[must_use]
    pub fn is_about_credentials(&self) -> bool {
        matches!(self.kind, FaultKind::NoCredentials | FaultKind::Expired)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// One entry of the `failures` list that ECS returns beside its results, with HTTP 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The ARN or name that failed.
    pub arn: String,
    /// `MISSING`, …
    pub reason: String,
    /// More, when ECS says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
