//! The views that were gone through, for `[` and `]`.
//!
//! Must not hold data: a place is a pane and the identities that it showed.

use crate::app::pane::PaneId;
use crate::app::pane::logs::FileId;
use crate::domain::ecs::ServiceId;
use crate::domain::task::TaskId;

/// A view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The focused pane.
    pub pane: PaneId,
    /// The service shown.
    pub subject: Option<ServiceId>,
    /// The task whose logs are shown.
    pub task: Option<TaskId>,
    /// The log file of a database that is shown instead.
    pub file: Option<FileId>,
    /// The task definition shown, when it is not the service's own.
    pub definition: Option<String>,
}

/// How many views are remembered.
const LONGEST: usize = 200;

/// Views before and after the present one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    back: Vec<Place>,
    forward: Vec<Place>,
}

impl History {
    /// The view is about to change from `place`.
    pub fn leave(&mut self, place: Place) {
        if self.back.last() != Some(&place) {
            self.back.push(place);
        }
        if self.back.len() > LONGEST {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    /// The view before `present`, if there is one.
    pub fn back(&mut self, present: Place) -> Option<Place> {
        let place = self.back.pop()?;
        self.forward.push(present);
        Some(place)
    }

    /// The view after `present`, if there is one.
    pub fn forward(&mut self, present: Place) -> Option<Place> {
        let place = self.forward.pop()?;
        self.back.push(present);
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(pane: PaneId) -> Place {
        Place { pane, subject: None, task: None, file: None, definition: None }
    }

    #[test]
    fn back_and_forward_are_inverse_and_a_new_view_forgets_the_future() {
        let mut history = History::default();
        history.leave(place(PaneId::Services));
        history.leave(place(PaneId::Service));
        assert_eq!(history.back(place(PaneId::Tasks)), Some(place(PaneId::Service)));
        assert_eq!(history.forward(place(PaneId::Service)), Some(place(PaneId::Tasks)));
        history.back(place(PaneId::Tasks));
        history.leave(place(PaneId::Service));
        assert_eq!(history.forward(place(PaneId::Events)), None);
    }
}
