//! The guard: the one road of a mutation, and the only place where a permit is minted.
//!
//! Floor 3. Console, command line and runbooks drive the same `Operation`: re-read the target, plan, check, confirm,
//! journal the intent, call AWS once, watch, verdict. It is a pure machine: it performs nothing, reads no clock
//! and holds no handle. Must not gain a way round: whatever changes AWS takes a `Permit` by value.

mod check;
mod diff;
mod draft;
mod facts;
mod operation;
mod permit;
mod policy;
mod saw;
mod verb;
mod watch;

pub use operation::{CallOutcome, Confirmation, Demand, Input, Mistake, Operation, Progress, Watched};
pub use permit::Permit;
pub use policy::{Friction, Headless, Lock, Pattern, Place, Policy, Rule, Rules, Window};
pub use saw::Saw;
pub use verb::rollback::{WayBack, way_back};
