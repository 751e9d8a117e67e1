//! What the frame that was written shows: how long its texts are, what stands at the top of its lists, which form.
//!
//! Must not change what is shown: it only lets keys be about what was seen.

use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::{Model, Tops};

/// Takes in what a frame reported.
pub fn take(model: &mut Model, extents: &[(PaneId, usize)], tops: Tops) {
    if let Some(Overlay::Operation(dialog)) = model.overlay.as_mut() {
        match model.operations.get(dialog.operation).filter(|running| tops.form == Some(running.id)) {
            Some(running) => dialog.presented(running.friction, model.now),
            None => dialog.shown = None, // No key can be about a form that the frame does not show.
        }
    }
    model.services.list.cursor.presented(tops.service);
    model.tasks.list.cursor.presented(tops.task);
    model.clusters.cursor.presented(tops.cluster);
    model.events.cursor.presented(tops.event);
    model.deployments.cursor.presented(tops.deployment);
    model.journal.list.cursor.presented(tops.deed);
    for (pane, top) in tops.items {
        if let Some(list) = model.triage.list_mut(pane) {
            list.cursor.presented(top);
        }
    }
    for (pane, extent) in extents {
        match pane {
            PaneId::Service => model.service.extent = *extent,
            PaneId::Definition => model.definition.scroll.extent = *extent,
            PaneId::Api => model.api.extent = *extent,
            // An overlay reports its extent as the pane that it covers.
            _ => {
                if let Some(scroll) = model.overlay.as_mut().and_then(Overlay::scroll) {
                    scroll.extent = *extent;
                }
            }
        }
    }
}
