//! What is allowed, and how hard it is to confirm.
//!
//! Must not be loosened by anything but the operator: read-only cannot be unlocked.

use serde::Serialize;

/// Whether anything may be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "lock", rename_all = "snake_case")]
pub enum Lock {
    /// Never in this session: `--read-only`, OPSDECK_READ_ONLY.
    ReadOnly,
    /// Not until unlocked.
    Locked,
    /// Yes.
    Unlocked,
}

/// What a confirmation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Friction {
    /// One key.
    YesKey,
    /// The target's name, typed.
    TypedName,
    /// The target's name and a reason, typed.
    TypedNameAndReason,
}

/// What holds for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Whether anything may be changed.
    pub lock: Lock,
    /// Whether the target counts as production.
    pub production: bool,
    /// Never less than this.
    pub at_least: Friction,
}

impl Policy {
    /// A policy without a file: production, unless somebody knows better.
    #[must_use]
    pub fn new(lock: Lock, production: bool) -> Self {
        Self { lock, production, at_least: Friction::YesKey }
    }

    /// What a confirmation takes: production, or what cannot be undone, wants the name typed.
    #[must_use]
    pub fn friction(&self, destructive: bool) -> Friction {
        let usual = if self.production || destructive { Friction::TypedName } else { Friction::YesKey };
        usual.max(self.at_least)
    }

    /// Why nothing may be changed, if so.
    #[must_use]
    pub fn forbids(&self) -> Option<&'static str> {
        match self.lock {
            Lock::ReadOnly => Some("this session is read-only, which cannot be unlocked"),
            Lock::Locked => Some("writes are locked: unlock them first"),
            Lock::Unlocked => None,
        }
    }
}
