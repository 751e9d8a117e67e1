//! The mouse: wheel, click, double click, on what the last written frame showed.
//!
//! Must act by identity: what stands under the pointer now may be another row.

use super::submit;
use crate::app::dispatch;
use crate::app::overlay::Overlay;
use crate::app::pane::PaneId;
use crate::app::pane::list::Motion;
use crate::app::{Effect, Model, Pointing, Target};
use crate::command::Invocation;

/// What the mouse means.
pub(super) fn point(model: &mut Model, target: Target, pointing: Pointing) -> Vec<Effect> {
    let wheel = match pointing {
        Pointing::WheelUp => Some(Motion::Up),
        Pointing::WheelDown => Some(Motion::Down),
        Pointing::Click | Pointing::DoubleClick => None,
    };
    if let (Some(motion), Some(_)) = (wheel, &model.overlay) {
        // Whatever lies below cannot be seen to move.
        let height = usize::from(model.size.height.saturating_sub(8));
        if let Some(scroll) = model.overlay.as_mut().and_then(Overlay::scroll) {
            (0..3).for_each(|_| scroll.move_by(motion, height));
        }
        return Vec::new();
    }
    if let Some(motion) = wheel {
        let pane = match &target {
            Target::Pane(pane) | Target::Tab(pane) => *pane,
            Target::Service(_) => PaneId::Services,
            Target::Task(_) => PaneId::Tasks,
            Target::Cluster(_) => PaneId::Clusters,
            Target::Event(_) => PaneId::Events,
            Target::Deed(_) => PaneId::Journal,
            Target::Item(pane, _) => *pane,
            Target::Record(_) => PaneId::Logs,
            Target::Suggestion(_) | Target::Overlay => return Vec::new(),
        };
        for _ in 0..3 {
            dispatch::scroll(model, pane, motion);
        }
        return Vec::new();
    }
    if let Target::Suggestion(index) = target {
        if let Some(prompt) = model.prompt.as_mut() {
            prompt.chosen = Some(index);
            return submit(model);
        }
        return Vec::new();
    }
    // A click beside a dialog is no answer to it.
    if matches!(model.overlay, Some(Overlay::Operation(_) | Overlay::Value(_))) {
        return Vec::new();
    }
    if target == Target::Overlay || model.overlay.take().is_some() {
        return Vec::new();
    }
    match &target {
        Target::Tab(pane) | Target::Pane(pane) => dispatch::go(model, *pane),
        Target::Service(id) => {
            dispatch::go(model, PaneId::Services);
            model.services.list.cursor.select(id.clone());
        }
        Target::Task(id) => {
            dispatch::go(model, PaneId::Tasks);
            model.tasks.list.cursor.select(id.clone());
        }
        Target::Cluster(id) => {
            dispatch::go(model, PaneId::Clusters);
            model.clusters.cursor.select(id.clone());
        }
        Target::Deed(operation) => {
            dispatch::go(model, PaneId::Journal);
            model.journal.list.cursor.select(operation.clone());
        }
        Target::Item(pane, item) => {
            dispatch::go(model, *pane);
            if let Some(list) = model.triage.list_mut(*pane) {
                list.cursor.select(item.clone());
            }
        }
        Target::Event(id) => {
            dispatch::go(model, PaneId::Events);
            model.events.cursor.select(id.clone());
        }
        Target::Record(id) => {
            dispatch::go(model, PaneId::Logs);
            model.logs.select(*id);
        }
        Target::Suggestion(_) | Target::Overlay => {}
    }
    let is_row = !matches!(target, Target::Tab(_) | Target::Pane(_));
    if pointing == Pointing::DoubleClick && is_row {
        return dispatch::run(model, &Invocation::of(crate::command::Id::Open));
    }
    Vec::new()
}
