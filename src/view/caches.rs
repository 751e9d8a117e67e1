//! The caches: nodes under their replication group.
//!
//! Must show a status that is new to us as AWS wrote it.

use crate::app::Model;
use crate::app::charts::wanted_of_item;
use crate::app::pane::PaneId;
use crate::app::pane::triage::Item;
use crate::diagnose::Subject;
use crate::diagnose::cache::severity_of_status;
use crate::domain::cache::CacheId;
use crate::domain::metric::Range;
use crate::stdx::rect::Rect;
use crate::theme::Role;
use crate::view::databases::{nested, says, spark};
use crate::view::items::{self, Shown};
use crate::view::status;
use crate::view::widget::canvas::{Canvas, piece};
use crate::view::widget::table::{Column, Row};

const COLUMNS: [Column; 9] = [
    Column::new("", 1, 1),
    Column::new("CACHE", 14, 34).cut_middle(),
    Column::new("REGION", 9, 14).expendable(6),
    Column::new("STATUS", 9, 24),
    Column::new("ENGINE", 6, 18).expendable(5),
    Column::new("NODES", 7, 16).expendable(4),
    Column::new("CPU", 6, 17).expendable(3),
    Column::new("MEMORY", 6, 17).expendable(2),
    Column::new("SAYS", 16, 0).flexible(),
];

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, model: &Model, area: Rect) {
    let shown = Shown {
        pane: PaneId::Caches,
        columns: &COLUMNS,
        nothing: "This account has no caches here.",
        filtered: "No cache matches the filter.",
    };
    items::draw(canvas, model, area, &shown, &|item| {
        let Item::Subject(Subject::Cache(id)) = item else { return None };
        row(model, item, id)
    });
}

fn row(model: &Model, item: &Item, id: &CacheId) -> Option<Row> {
    let estate = &model.world.estate;
    let said = says(model, &Subject::Cache(id.clone()));
    let sentence = said.as_ref().map_or_else(String::new, |(_, sentence)| sentence.clone());
    let look = |status: &str| {
        let severity = said.as_ref().map_or(severity_of_status(status), |(severity, _)| *severity);
        status::severity(severity, &model.theme)
    };
    let blank = || piece(model.theme.glyphs.none, Role::Faint);
    if let Some(seen) = estate.cache_groups.get(id) {
        let group = &seen.value;
        let (role, glyph) = look(&group.status);
        let nodes: usize = group.shards.iter().map(|shard| shard.members.len()).sum();
        let failover = group.automatic_failover.as_deref().unwrap_or("not stated");
        let note = if sentence.is_empty() { format!("failover {failover}") } else { sentence };
        return Some(Row {
            cells: vec![
                piece(glyph, role),
                nested(model, item, &id.name),
                piece(id.scope.region.to_string(), Role::Muted),
                piece(group.status.clone(), role),
                piece(group.engine.clone().unwrap_or_default(), Role::Muted),
                piece(crate::stdx::text::count(nodes, "node"), Role::Muted),
                blank(),
                blank(),
                piece(note, if role == Role::Ok { Role::Muted } else { role }),
            ],
            target: None,
        });
    }
    let node = &estate.cache_nodes.get(id)?.value;
    let (role, glyph) = look(&node.status);
    let named = wanted_of_item(model, item, Range::ThreeHours);
    let line = |name: &str| {
        let found = named.iter().find(|(n, ..)| *n == name);
        found.map_or_else(|| piece("", Role::Gauge), |(_, unit, chart)| spark(model, chart, unit))
    };
    let place = member_role(model, id).unwrap_or_else(|| node.node_type.clone());
    let zone = node.zone.clone().unwrap_or_default();
    let note = if sentence.is_empty() { zone } else { sentence };
    Some(Row {
        cells: vec![
            piece(glyph, role),
            nested(model, item, &id.name),
            piece(id.scope.region.to_string(), Role::Muted),
            piece(node.status.clone(), role),
            piece(format!("{} {}", node.engine, node.engine_version), Role::Muted),
            piece(place, Role::Muted),
            line("CPUUtilization"),
            line("DatabaseMemoryUsagePercentage"),
            piece(note, if role == Role::Ok { Role::Muted } else { role }),
        ],
        target: None,
    })
}

/// `primary` or `replica`, where the group says so.
#[must_use]
pub fn member_role(model: &Model, id: &CacheId) -> Option<String> {
    let groups = model.world.estate.cache_groups.values();
    groups
        .filter(|seen| seen.value.id.scope == id.scope)
        .flat_map(|seen| seen.value.shards.iter().flat_map(|shard| &shard.members))
        .find(|member| member.cluster == id.name)
        .and_then(|member| member.role.clone())
}
