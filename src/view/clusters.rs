//! The clusters pane.
//!
//! Must show a cluster that is listed and not described yet as such.

use crate::app::pane::PaneId;
use crate::app::{Model, Target};
use crate::domain::ecs::ClusterId;
use crate::stdx::rect::Rect;
use crate::theme::Role;
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::table::{self, Column, Row, Table};

const COLUMNS: [Column; 7] = [
    Column::new("CLUSTER", 12, 40).cut_middle(),
    Column::new("REGION", 9, 14),
    Column::new("STATUS", 6, 14),
    Column::new("SERVICES", 8, 8).right(),
    Column::new("RUNNING", 7, 8).right(),
    Column::new("PENDING", 7, 8).right().expendable(2),
    Column::new("CAPACITY", 10, 0).flexible(),
];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let pane = &model.clusters;
    if pane.rows.is_empty() {
        let nothing = if !model.session.clusters.is_empty() {
            "Only the clusters named on the command line are watched."
        } else if pane.filter.is_some() {
            "No cluster matches the filter."
        } else {
            "There are no clusters here."
        };
        super::overlay::sentences(canvas, area, &status::why_empty(model, PaneId::Clusters, nothing));
        return;
    }
    let offset = pane.cursor.offset();
    let height = usize::from(area.height.saturating_sub(1));
    let rows: Vec<Row> = pane.rows.iter().skip(offset).take(height).map(|id| row(model, id)).collect();
    let highlighted = pane.cursor.highlighted(&pane.rows).and_then(|p| p.checked_sub(offset));
    let table = Table {
        columns: &COLUMNS,
        highlighted: highlighted.filter(|p| *p < rows.len()),
        rows,
        focused: model.focus == PaneId::Clusters,
        shift: pane.shift,
        stale: false,
    };
    table::draw(canvas, area, &table);
}

fn row(model: &Model, id: &ClusterId) -> Row {
    let target = Some(Target::Cluster(id.clone()));
    let name = piece(id.name.clone(), Role::Strong);
    let region = piece(id.scope.region.to_string(), Role::Muted);
    let Some(Some(seen)) = model.world.clusters.get(id) else {
        let none = || piece(model.theme.glyphs.none, Role::Faint);
        let says = piece("not described yet", Role::Faint);
        return Row { cells: vec![name, region, none(), none(), none(), none(), says], target };
    };
    let cluster = &seen.value;
    let number = |n: u32| piece(n.to_string(), Role::Text);
    let mut capacity = cluster.capacity_providers.join(", ");
    if cluster.container_instances > 0 {
        capacity = format!("{} instances {capacity}", cluster.container_instances);
    }
    if let Some(group) = &cluster.exec_log_group {
        capacity = format!("{capacity}  exec logged to {group}");
    }
    let status = if cluster.status == "ACTIVE" { Role::Ok } else { Role::Warn };
    Row {
        cells: vec![
            name,
            region,
            piece(cluster.status.clone(), status),
            number(cluster.active_services),
            number(cluster.running_tasks),
            number(cluster.pending_tasks),
            piece(capacity, Role::Muted),
        ],
        target,
    }
}
