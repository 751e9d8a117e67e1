//! What the present screen needs to know.
//!
//! Must be a pure function of the model: the ledger in `refresh` does the rest.

use crate::app::Model;
use crate::app::layout::layout;
use crate::app::pane::PaneId;
use crate::app::refresh::{Closeness, Interest};
use crate::domain::ecs::ClusterId;

/// Revisions shown with the deployment history; one call describes so many.
const REVISIONS: usize = 20;

/// Every interest of the present screen with its closeness, without repetition.
#[must_use]
pub fn interests(model: &Model) -> Vec<(Interest, Closeness)> {
    let screen = layout(model, model.size);
    let close = |panes: &[PaneId]| -> Closeness {
        if panes.contains(&model.focus) {
            Closeness::Focused
        } else if panes.iter().any(|p| screen.pane(*p).is_some()) {
            Closeness::Visible
        } else {
            Closeness::Rest
        }
    };
    let mut wanted = Vec::new();
    for scope in &model.session.scopes {
        wanted.push((Interest::Identity(scope.clone()), close(&[PaneId::Api])));
        if model.session.clusters.is_empty() {
            wanted.push((Interest::Clusters(scope.clone()), close(&[PaneId::Clusters])));
        } else {
            for name in &model.session.clusters {
                let id = ClusterId { scope: scope.clone(), name: name.clone() };
                wanted.push((Interest::Services(id), close(&[PaneId::Services])));
            }
        }
    }
    if model.session.clusters.is_empty() {
        for id in model.world.clusters.keys() {
            wanted.push((Interest::Services(id.clone()), close(&[PaneId::Services])));
        }
    }
    let visible = |pane: PaneId| screen.pane(pane).is_some();
    if let Some(subject) = &model.subject {
        let detail = [PaneId::Service, PaneId::Events, PaneId::Tasks, PaneId::Deployments, PaneId::Logs];
        if model.focus.follows_subject() && detail.iter().any(|p| visible(*p)) {
            wanted.push((Interest::Service(subject.clone()), close(&detail)));
        }
        if visible(PaneId::Tasks) || visible(PaneId::Service) {
            let closeness = close(&[PaneId::Tasks, PaneId::Service]);
            wanted.push((Interest::Tasks(subject.clone(), false), closeness));
            wanted.push((Interest::Tasks(subject.clone(), true), closeness));
        }
        if visible(PaneId::Deployments) {
            let closeness = close(&[PaneId::Deployments]);
            wanted.push((Interest::Deployments(subject.clone()), closeness));
            if let Some(history) = model.world.deployments.get(subject).and_then(|o| o.value.as_ref()) {
                let mut arns: Vec<String> =
                    history.iter().filter_map(|d| d.target_revision_arn.clone()).take(REVISIONS).collect();
                arns.sort();
                arns.dedup();
                if !arns.is_empty() {
                    wanted.push((Interest::Revisions(subject.scope.clone(), arns), closeness));
                }
            }
        }
        if visible(PaneId::Definition)
            && let Some(arn) = model.definition.shown(&model.world, Some(subject))
        {
            wanted.push((Interest::Definition(subject.scope.clone(), arn), close(&[PaneId::Definition])));
        }
    }
    wanted
}
