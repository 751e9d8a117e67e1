//! Where everything stands on a screen of a given size. `update` and `view` both ask here, so that a page of
//! the cursor and a page of the screen are the same thing.
//!
//! Must be pure: it reads the model and draws nothing.

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::stdx::rect::{Rect, Size};

/// The smallest terminal that shows panes; below it there is a sentence instead.
pub const SMALLEST: Size = Size { width: 40, height: 8 };

/// The areas of one screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// One line.
    pub header: Rect,
    /// One line.
    pub tabs: Rect,
    /// Each visible pane with its outer area.
    pub panes: Vec<(PaneId, Rect)>,
    /// One line: hints, messages, the input line.
    pub footer: Rect,
    /// Whether the terminal is too small for any of it.
    pub too_small: bool,
}

impl Layout {
    /// The area of a pane, if it is visible.
    #[must_use]
    pub fn pane(&self, id: PaneId) -> Option<Rect> {
        self.panes.iter().find(|(pane, _)| *pane == id).map(|(_, area)| *area)
    }

    /// The area inside a pane's border.
    #[must_use]
    pub fn inside(&self, id: PaneId) -> Option<Rect> {
        self.pane(id).map(inside)
    }
}

/// A pane spends its first line on its title; it has no other border, since columns are dear at 80 and rows
/// dearer.
#[must_use]
pub fn inside(area: Rect) -> Rect {
    area.split_top(1).1
}

/// Computes the areas.
#[must_use]
pub fn layout(model: &Model, size: Size) -> Layout {
    if size.width < SMALLEST.width || size.height < SMALLEST.height {
        return Layout { too_small: true, ..Layout::default() };
    }
    let (header, rest) = Rect::of(size).split_top(1);
    let (tabs, rest) = rest.split_top(1);
    let (deck, footer) = rest.split_bottom(1);
    Layout { header, tabs, panes: deck_panes(model, deck), footer, too_small: false }
}

/// One pane on a narrow screen or when zoomed, two on a medium one, the whole deck on a wide one.
fn deck_panes(model: &Model, deck: Rect) -> Vec<(PaneId, Rect)> {
    let focus = model.focus;
    if model.zoomed || deck.width < 110 || deck.height < 24 {
        return vec![(focus, deck)];
    }
    if deck.width < 180 || deck.height < 40 {
        let (upper, companion) = match focus {
            PaneId::Fleet => (PaneId::Fleet, PaneId::Services),
            PaneId::Services => (PaneId::Services, PaneId::Service),
            PaneId::Logs if model.logs.file().is_some() => (PaneId::Databases, focus),
            pane if pane.follows_subject() => (PaneId::Services, pane),
            // A list of its own beside what is wrong.
            pane => (pane, PaneId::Fleet),
        };
        let share = if focus == PaneId::Logs { deck.height / 3 } else { deck.height / 2 };
        let (top, bottom) = deck.split_top(share);
        return vec![(upper, top), (companion, bottom)];
    }
    // Wide: what is wrong beside the alarms, the selected service beside data and secrets, and its logs over the
    // whole width, since nothing needs columns as they do. A pane that has no place of its own takes the place of
    // the one that it is nearest to.
    let master = match focus {
        PaneId::Fleet | PaneId::Clusters | PaneId::Api => focus,
        _ => PaneId::Services,
    };
    let beside = if matches!(focus, PaneId::Changes | PaneId::Journal) { focus } else { PaneId::Alarms };
    let detail = match focus {
        PaneId::Service | PaneId::Events | PaneId::Definition | PaneId::Deployments => focus,
        _ => PaneId::Tasks,
    };
    let data = if focus == PaneId::Caches { focus } else { PaneId::Databases };
    let (upper, rest) = deck.split_top(deck.height * 2 / 5);
    let (middle, lower) = rest.split_top(rest.height / 2);
    // A column of air between two.
    let air = |left: Rect| Rect { width: left.width.saturating_sub(1), ..left };
    let (upper_left, upper_right) = upper.split_left(upper.width / 2);
    let (middle_left, middle_rest) = middle.split_left(middle.width * 2 / 5);
    let (middle_middle, middle_right) = middle_rest.split_left(middle_rest.width * 3 / 5);
    vec![
        (master, air(upper_left)),
        (beside, upper_right),
        (detail, air(middle_left)),
        (data, air(middle_middle)),
        (PaneId::Secrets, middle_right),
        (PaneId::Logs, lower),
    ]
}
