//! What is allowed, and how hard it is to confirm.
//!
//! Must not be loosened by anything but the operator: read-only cannot be unlocked, and a later layer of rules may
//! only tighten what an earlier one says.

mod rules;

use serde::Serialize;

pub use rules::{Pattern, Place, Rule, Rules, Window};

/// Whether anything may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// Never in this session: `--read-only`, OPSDECK_READ_ONLY.
    ReadOnly,
    /// Not before somebody says why: the confirmation unlocks, and takes name and reason.
    Locked,
    /// Yes.
    Unlocked,
}

/// What a confirmation takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Friction {
    /// One key.
    #[default]
    YesKey,
    /// The target's name, typed.
    TypedName,
    /// The target's name and a reason, typed.
    TypedNameAndReason,
}

/// What a command line may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Headless {
    /// `--yes` is the whole confirmation: the target is typed already.
    #[default]
    Allow,
    /// `--reason` too.
    Reason,
    /// `--confirm CLUSTER/SERVICE` too.
    Confirm,
    /// Nothing.
    Forbid,
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
    /// What a command line may do.
    pub headless: Headless,
    /// Why the policy forbids this verb here and now.
    pub forbidden: Option<String>,
}

impl Policy {
    /// A policy without a file: production, unless somebody knows better.
    #[must_use]
    pub fn new(lock: Lock, production: bool) -> Self {
        Self { lock, production, at_least: Friction::YesKey, headless: Headless::Allow, forbidden: None }
    }

    /// What a confirmation takes: production, or what cannot be undone, wants the name typed; a locked console the
    /// reason too, since the confirmation unlocks it.
    #[must_use]
    pub fn friction(&self, destructive: bool) -> Friction {
        let usual = match self.lock {
            Lock::Locked => Friction::TypedNameAndReason,
            _ if self.production || destructive => Friction::TypedName,
            _ => Friction::YesKey,
        };
        usual.max(self.at_least)
    }

    /// Why a plan that was confirmed is not called further, if so.
    #[must_use]
    pub fn stops(&self) -> Option<&str> {
        match self.lock {
            Lock::Locked => Some("the console was locked"),
            Lock::ReadOnly | Lock::Unlocked => self.forbids(),
        }
    }

    /// Why nothing may be changed, if so.
    #[must_use]
    pub fn forbids(&self) -> Option<&str> {
        match self.lock {
            Lock::ReadOnly => Some("this session is read-only, which cannot be unlocked"),
            Lock::Locked | Lock::Unlocked => self.forbidden.as_deref(),
        }
    }
}
