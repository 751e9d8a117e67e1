//! Whether a confirmation is enough, by what holds when it is given.
//!
//! Must not call anything; `begin` does.

use super::{Confirmation, Demand, FRESH, Mistake, Operation, Stage};
use crate::domain::action::Action;
use crate::domain::verdict::Verdict;
use crate::guard::policy::{Friction, Headless, Policy};
use crate::stdx::clock::Moment;

impl Operation {
    /// Takes a confirmation.
    pub(super) fn confirmed(
        &mut self,
        with: Confirmation,
        policy: Policy,
        read_at: Moment,
        now: Moment,
    ) -> Vec<Demand> {
        // The lock may have fallen, or a window closed, while the dialog stood open.
        self.policy = policy;
        if let Some(why) = self.policy.forbids() {
            let why = why.to_owned();
            return self.end(Verdict::Refused { why });
        }
        let friction = self.policy.friction(self.draft.as_ref().is_some_and(|draft| draft.destructive));
        let reason = match self.accepts(with, friction) {
            Ok(reason) => reason,
            Err(mistake) => return self.ask(friction, Some(mistake), read_at),
        };
        if now.since(read_at) > FRESH {
            // The services that are looked at after an outage are no part of what is changed: nobody waits for them
            // a second time, and what became of them meanwhile is another matter.
            let beside = matches!(self.action, Action::Database { .. } | Action::CacheFailover { .. });
            self.facts.forget(|query| !(beside && query.action().starts_with("ecs:")));
            self.stage = Stage::Reading { confirmed: Some(reason) };
            return self.read_on(now);
        }
        self.begin(reason, now)
    }

    /// Whether a confirmation is enough; its reason.
    fn accepts(&self, confirmation: Confirmation, friction: Friction) -> Result<Option<String>, Mistake> {
        if self.headless && self.policy.headless == Headless::Forbid {
            return Err(Mistake::Headless);
        }
        let given = |reason: Option<String>| reason.filter(|reason| !reason.trim().is_empty());
        let reason = match confirmation {
            Confirmation::Key if friction == Friction::YesKey => None,
            Confirmation::Key => return Err(Mistake::TooLittle),
            Confirmation::Typed { name, .. } if friction > Friction::YesKey && name != self.action.name() => {
                return Err(Mistake::Name);
            }
            Confirmation::Typed { reason, .. } => given(reason),
            Confirmation::CommandLine { reason, confirm } => {
                if self.draft.as_ref().is_some_and(|draft| draft.guess) {
                    return Err(Mistake::Guess);
                }
                let reason = given(reason);
                match self.policy.headless {
                    Headless::Allow => {}
                    Headless::Reason if reason.is_some() => {}
                    Headless::Reason => return Err(Mistake::Reason),
                    Headless::Confirm if confirm.as_deref() == Some(&self.action.target()) => {}
                    Headless::Confirm => return Err(Mistake::Name),
                    Headless::Forbid => return Err(Mistake::Headless),
                }
                if friction == Friction::TypedNameAndReason && reason.is_none() {
                    return Err(Mistake::Reason);
                }
                return Ok(reason);
            }
        };
        if friction == Friction::TypedNameAndReason && reason.is_none() {
            return Err(Mistake::Reason);
        }
        Ok(reason)
    }
}
