//! The deployment history: what ran when, and how it ended.
//!
//! Must show the digests: with a tag such as `latest` the revision never changes and only the digest differs.

use crate::app::Model;
use crate::app::pane::PaneId;
use crate::domain::ecs::ServiceDeployment;
use crate::domain::observation::Observation;
use crate::stdx::rect::Rect;
use crate::stdx::{span, text};
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::table::{self, Column, Row, Table};

const COLUMNS: [Column; 6] = [
    Column::new("STATUS", 10, 20),
    Column::new("BEGUN", 6, 8).right(),
    Column::new("TOOK", 6, 14).expendable(3).right(),
    Column::new("REVISION", 8, 34).cut_middle(),
    Column::new("IMAGES", 12, 40).expendable(2),
    Column::new("SAYS", 16, 0).flexible(),
];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let pane = &model.deployments;
    let history = model.subject.as_ref().and_then(|id| model.world.deployments.get(id)?.value.as_ref());
    let (Some(history), false) = (history, pane.rows.is_empty()) else {
        let nothing = if pane.filter.is_some() {
            "No deployment matches the filter."
        } else {
            "ECS remembers no deployment of this service (it keeps 90 days)."
        };
        super::overlay::sentences(canvas, area, &status::why_empty(model, PaneId::Deployments, nothing));
        return;
    };
    let offset = pane.cursor.offset();
    let height = usize::from(area.height.saturating_sub(1));
    let rows: Vec<Row> = pane
        .rows
        .iter()
        .skip(offset)
        .take(height)
        .filter_map(|arn| history.iter().find(|d| d.arn == *arn))
        .map(|deployment| row(model, deployment))
        .collect();
    let highlighted = pane.cursor.highlighted(&pane.rows).and_then(|p| p.checked_sub(offset));
    let table = Table {
        columns: &COLUMNS,
        highlighted: highlighted.filter(|p| *p < rows.len()),
        rows,
        focused: model.focus == PaneId::Deployments,
        shift: pane.shift,
        stale: model
            .subject
            .as_ref()
            .is_some_and(|id| model.world.deployments.get(id).is_some_and(Observation::is_stale)),
    };
    table::draw(canvas, area, &table);
}

fn row(model: &Model, deployment: &ServiceDeployment) -> Row {
    let role = match deployment.status.as_str() {
        "SUCCESSFUL" => Role::Ok,
        "PENDING" | "IN_PROGRESS" | "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS" | "STOP_REQUESTED" => {
            Role::Progress
        }
        "ROLLBACK_FAILED" => Role::Critical,
        "ROLLBACK_SUCCESSFUL" => Role::Warn,
        _ => Role::Muted,
    };
    let none = model.theme.glyphs.none;
    let begun = deployment.started_at.or(deployment.created_at);
    let begun_text = begun.map_or_else(|| none.to_owned(), |at| span::brief(at.age_at(model.now.wall)));
    let took = match (begun, deployment.finished_at) {
        (Some(from), Some(to)) => span::precise(from.age_at(to)),
        (Some(from), None) if role == Role::Progress => span::precise(from.age_at(model.now.wall)),
        _ => none.to_owned(),
    };
    let revision = deployment.target_revision_arn.as_ref().and_then(|arn| model.world.revisions.get(arn));
    let name = revision.map_or_else(|| none.to_owned(), |r| r.revision.to_string());
    let images = revision.map_or_else(String::new, |r| {
        let shown: Vec<String> = r.images.iter().map(|i| image(&i.image, i.digest.as_deref())).collect();
        shown.join(" ")
    });
    let mut says =
        deployment.rollback_reason.clone().or_else(|| deployment.status_reason.clone()).unwrap_or_default();
    if let Some(breaker) = deployment.breaker.as_ref().filter(|b| b.failures > 0) {
        says = format!("{} of {} failures. {says}", breaker.failures, breaker.threshold);
    }
    Row {
        cells: vec![
            piece(deployment.status.clone(), role),
            piece(begun_text, Role::Muted),
            piece(took, Role::Muted),
            piece(name, Role::Text),
            piece(images, Role::Muted),
            piece(says, Role::Muted),
        ],
        target: None,
    }
}

/// `latest@1f0c9a`: the tag, and as much of the digest as tells two apart.
fn image(image: &str, digest: Option<&str>) -> String {
    let name = crate::domain::scope::Arn::last(image);
    let tag = name.rsplit_once(':').map_or(name, |(_, tag)| tag);
    match digest.and_then(|d| d.strip_prefix("sha256:")) {
        Some(hex) => format!("{}@{}", text::fit(tag, 12), text::prefix(hex, 6)),
        None => tag.to_owned(),
    }
}
