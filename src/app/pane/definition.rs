//! The task-definition pane: the service's current one, or one that was chosen (a stopped task's, an older
//! revision).
//!
//! Must keep the values of environment variables masked until somebody reveals them, and mask them again for
//! the next definition.

use crate::app::pane::list::Scroll;
use crate::app::world::World;
use crate::domain::ecs::ServiceId;

/// The pane.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// A chosen definition instead of the service's current one.
    pub chosen: Option<String>,
    /// Whether environment values are shown.
    pub revealed: bool,
    /// Scroll position.
    pub scroll: Scroll,
}

impl Definition {
    /// The definition to show: ARN or `family:revision`.
    #[must_use]
    pub fn shown(&self, world: &World, subject: Option<&ServiceId>) -> Option<String> {
        if let Some(chosen) = &self.chosen {
            return Some(chosen.clone());
        }
        Some(world.service(subject?)?.value.task_definition_arn.clone())
    }

    /// Shows another one.
    pub fn choose(&mut self, arn: Option<String>) {
        *self = Self { chosen: arn, ..Self::default() };
    }
}
